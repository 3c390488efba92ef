#!/bin/bash
# bench/masked.sh [--inside]
#
# What rows cost that are masked while they are read: a million of 15 columns
# with 3 that are generated, beside the plain table, and a look-up by primary
# key.  And the quality of adult with three columns synthesized, as
# ../shared/bench/quality.py judges it, where PYTHON names a python that can run
# it.  Times are the server process's own CPU seconds beside those of the clock.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
start
rows=${ROWS:-1000000}

psql -c "SELECT setseed(0)" -o /dev/null -c "CREATE TABLE person AS SELECT i AS id, 'Person ' || i AS name, 'p' || i || '@corp.test' AS email, '+1 212 ' || 1000000 + i AS phone,
    i % 90 AS a, i % 1000 AS b, i * 3 AS c, random() AS d, random() AS e, i * 0.5 AS f, 'city ' || i % 100 AS g, 'w' || i % 7 AS h, date '2000-01-01' + i % 9000 AS j, i % 2 = 0 AS k, 'x' AS l
    FROM generate_series(1, $rows) AS i" -c 'ALTER TABLE person ADD PRIMARY KEY (id)' -c 'VACUUM ANALYZE person' -o /dev/null -c 'SELECT synth_key()' || exit 1

# A statement, with the CPU seconds that it took.
timed() {
    psql -At << SQL
SELECT pg_backend_pid() AS pid \gset
\setenv GS_PID :pid
\set before \`awk '{ print (\$14 + \$15) / 100 }' /proc/\$GS_PID/stat\`
\timing on
$2;
\timing off
\set after \`awk '{ print (\$14 + \$15) / 100 }' /proc/\$GS_PID/stat\`
SELECT '$1: ' || :after - :before || ' s of CPU';
SQL
}
all='count(id), count(name), count(email), count(phone), count(a), count(b), count(c), count(d), count(e), count(f), count(g), count(h), count(j), count(k), count(l)'
rules="rules => '{\"name\": \"full_name\", \"email\": \"email\", \"phone\": \"phone\"}'"
timed 'plain' "SELECT $all FROM person"
timed 'three masked' "SELECT $all FROM synth_masked(NULL::person, $rules)"
timed 'no masked column needed' "SELECT count(id), count(l) FROM synth_masked(NULL::person, $rules)"
timed 'masked and stored' "CREATE TABLE made AS SELECT * FROM synth_masked(NULL::person, $rules)"

echo "# a look-up by primary key, ms: the least of 20, plain and masked"
for source in 'person' "synth_masked(NULL::person, $rules)"; do
    for _ in $(seq 20); do echo "SELECT * FROM $source WHERE id = 4711;"; done |
        psql -o /dev/null -c '\timing on' -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | sort -n | head -1
done

make_table
[ "$table" = adult ] || exit 0
kept='["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "relationship", "race", "sex", "capital_loss", "native_country", "income"]'
psql -o /dev/null -c "SELECT synth_fit('adult', method => 'tree', model => 'given', seed => 1, options => '{\"context\": $kept}')" || exit 1
drawn="rules => '{\"capital_gain\": \"synthesize(given)\", \"hours_per_week\": \"synthesize(given)\", \"occupation\": \"synthesize(given)\"}'"
timed 'adult synthesized while it is read' "SELECT count(t) FROM synth_masked(NULL::adult, $drawn) AS t"
judge=$root/../shared/bench/quality.py
if [ -n "${PYTHON:-}" ] && [ -r "$judge" ]; then
    made=$(mktemp)
    trap 'rm -f "$made"' EXIT
    psql -c "\\copy (SELECT * FROM synth_masked(NULL::adult, $drawn)) TO '$made' CSV HEADER" || exit 1
    "$PYTHON" "$judge" --train "$data/adult_train.csv" --test "$data/adult_test.csv" --target income "synthesized=$made"
    psql -o /dev/null -c "CALL synth_mask('adult', rules => '{\"capital_gain\": \"synthesize\", \"hours_per_week\": \"synthesize\", \"occupation\": \"synthesize\"}')" 2> /dev/null || exit 1
    psql -c "\\copy adult TO '$made' CSV HEADER" || exit 1
    "$PYTHON" "$judge" --train "$data/adult_train.csv" --test "$data/adult_test.csv" --target income "in_place=$made"
fi
