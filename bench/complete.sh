#!/bin/bash
# bench/complete.sh [--inside]
#
# What models that a session keeps cost: LIMIT 10 of a million rows, the first
# time (loaded and checked) and again (kept), for each method.  And what rows
# cost whose other columns are known: synth_complete of a million rows by trees
# and by a copula, one process, and their quality as ../shared/bench/quality.py
# judges it, where PYTHON names a python that can run it.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
make_table
[ "$table" = adult ] || { echo "complete: skipped, it needs the table adult"; exit 0; }

echo "# LIMIT 10 of 1e6 rows, ms: the first time, and the least of five in the same session"
for method in tree copula vae gan diffusion; do
    steps='{}'
    case $method in vae | gan | diffusion) steps='{"steps": 200}' ;; esac    # the network's size is what counts here
    psql -o /dev/null -c "SELECT synth_fit('adult', method => '$method', model => '$method', seed => 1, options => '$steps')" || exit 1
    for _ in 1 2 3 4 5 6; do
        echo "SELECT * FROM synth_sample(NULL::adult, 1e6, model => '$method', seed => 1) LIMIT 10;"
    done | psql -c 'SELECT' -c '\timing on' -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' |
        awk -v method="$method" 'NR == 1 { first = $1; next } NR == 2 || $1 < least { least = $1 } END { print method, first, least }'
done

drawn="'{occupation,hours_per_week,capital_gain}'"
psql -c 'CREATE TABLE million AS SELECT a.* FROM adult AS a, generate_series(1, 31) LIMIT 1000000' -c 'VACUUM ANALYZE million'
echo "# 1e6 rows completed, s, the model fitted before"
for method in tree copula; do
    psql -o /dev/null -c "SELECT synth_fit('adult', method => '$method', model => 'given $method', seed => 1,
        options => '{\"context\": [\"age\", \"workclass\", \"fnlwgt\", \"education\", \"education_num\", \"marital_status\", \"relationship\", \"race\", \"sex\",
            \"capital_loss\", \"native_country\", \"income\"], \"impute\": [\"occupation\", \"hours_per_week\", \"capital_gain\"]}')" || exit 1
    psql -At -c '\timing on' -c "SELECT count(s) FROM (SELECT synth_complete(NULL::million, $drawn, model => 'given $method', seed => 1) AS s OFFSET 0) AS s" |
        sed -n "s/^Time: \([0-9.]*\) ms.*/$method \1 ms/p"
done

psql -o /dev/null -c "SELECT synth_fit('adult', method => 'tree', model => 'whole rows', seed => 1)" || exit 1
psql -At -c '\timing on' -c "SELECT count(s) FROM (SELECT synth_complete(NULL::million, $drawn, model => 'whole rows', seed => 1) AS s OFFSET 0) AS s" |
    sed -n "s/^Time: \([0-9.]*\) ms.*/tree, fitted without context \1 ms/p"

judge=$root/../shared/bench/quality.py
if [ -n "${PYTHON:-}" ] && [ -r "$judge" ]; then
    made=$(mktemp)
    trap 'rm -f "$made"' EXIT
    psql -c "\\copy (SELECT (s).* FROM (SELECT synth_complete(NULL::adult, $drawn, seed => 1) AS s OFFSET 0) AS s) TO '$made' CSV HEADER" || exit 1
    "$PYTHON" "$judge" --train "$data/adult_train.csv" --test "$data/adult_test.csv" --target income "completed=$made"
fi
