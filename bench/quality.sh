#!/bin/bash
# bench/quality.sh [--inside] [directory of the CSV files]
#
# Fits and samples adult and shoppers with three seeds each, as many rows as
# the source has, and judges the rows with ../shared/bench/quality.py and
# coverage.py.  TABLES (adult shoppers) are those that are measured.  PYTHON
# names a python that has numpy, pandas, scikit-learn and xgboost; METHOD and
# OPTIONS (as JSON) are those of the fit, SEEDS other seeds.
set -uo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
[ "${1:-}" = --inside ] && where=${2:-} || where=${1:-}
[ -z "$where" ] || DATA=$(realpath "$where")
export DATA=${DATA:-$here/../shared/data}
options=${OPTIONS:-}
[ -n "$options" ] || options='{}'
judge=$here/../shared/bench/quality.py
python=${PYTHON:-python3}
if [ ! -r "$judge" ] || [ ! -r "$DATA/adult_train.csv" ]; then
    echo "quality: skipped, there is no $judge or no $DATA/adult_train.csv"
    exit 0
fi
if ! "$python" -c 'import numpy, pandas, sklearn, xgboost' 2> /dev/null; then
    echo "quality: $python lacks numpy, pandas, scikit-learn or xgboost; name one that has them in PYTHON" >&2
    exit 2
fi
. "$here/bench/tables.sh"

start
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
make_adult
make_shoppers
for table in ${TABLES:-adult shoppers}; do
    [ "$table" = adult ] && target=income || target=revenue
    synthetic=()
    for seed in ${SEEDS:-1 2 3}; do
        psql -o /dev/null -v method="${METHOD:-auto}" -v options="$options" -v seed="$seed" -v source="$table" \
            <<< "SELECT synth_fit(:'source', method => :'method', seed => :seed, options => :'options')" || exit 1
        psql -c "\\copy (SELECT * FROM synth_sample(NULL::$table, seed => $seed)) TO '$out/$table$seed.csv' CSV HEADER" || exit 1
        synthetic+=("seed$seed=$out/$table$seed.csv")
    done
    echo "# $table"
    "$python" "$judge" --train "$DATA/${table}_train.csv" --test "$DATA/${table}_test.csv" --target "$target" "${synthetic[@]}" |
        tee "$out/$table.txt" || exit 1
    "$python" bench/coverage.py "$DATA/${table}_train.csv" "${synthetic[@]}" || exit 1
done
