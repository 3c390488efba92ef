#!/bin/bash
# Ledger and budgets follow their tables through pg_dump and a restore, where
# OIDs are others: also tables that were renamed, or swapped names, a moment
# before.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

from=gensynth_ledger_from
plain=gensynth_ledger_plain
parallel=gensynth_ledger_parallel
partial=gensynth_ledger_partial
work=$(mktemp -d)

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

clean() {
    for database in "$from" "$plain" "$parallel" "$partial"; do
        dropdb --if-exists "$database" 2> /dev/null || true
    done
}
trap 'clean; rm -rf "$work"' EXIT

describe() {
    sql -d "$1" << 'SQL'
SET timezone = 'UTC';
SELECT * FROM synth_ledger ORDER BY id;
SELECT relation, epsilon, delta, role, declared_at FROM synth_budgets ORDER BY relation;
SQL
}

# The SQLSTATE of a statement that fails.
state() { sql -d "$1" -v VERBOSITY=sqlstate -c "$2" 2>&1 | sed -n 's/^ERROR:  //p'; }

clean
createdb "$from"
sql -d "$from" > /dev/null << 'SQL'
CREATE EXTENSION gensynth;
CREATE SCHEMA "My clinic";
CREATE TABLE "My clinic"."People" (age int CHECK (age BETWEEN 0 AND 20));
INSERT INTO "My clinic"."People" SELECT i % 20 FROM generate_series(1, 100) AS i;
CREATE TABLE a (LIKE "My clinic"."People" INCLUDING ALL);
CREATE TABLE b (LIKE "My clinic"."People" INCLUDING ALL);
CREATE TABLE gone (LIKE "My clinic"."People" INCLUDING ALL);
CREATE TABLE years (age int CHECK (age BETWEEN 0 AND 20)) PARTITION BY RANGE (age);
CREATE TABLE year_1 PARTITION OF years FOR VALUES FROM (0) TO (99);
SELECT synth_budget('"My clinic"."People"', 1, 1e-5), synth_budget('a', 1), synth_budget('b', 2), synth_budget('gone', 2),
    synth_budget('years', 1);
SELECT synth_fit('"My clinic"."People"', epsilon => 1, delta => 1e-5), synth_fit('a', epsilon => 1), synth_fit('gone', epsilon => 1),
    synth_fit('year_1', epsilon => 1);
DROP TABLE gone;
ALTER TABLE "My clinic"."People" RENAME TO "All people";
ALTER TABLE a RENAME TO c;
ALTER TABLE b RENAME TO a;
ALTER TABLE c RENAME TO b;
SQL
describe "$from" > "$work/before"
is "$(cut -d '|' -f 2 "$work/before" | head -n 4 | paste -s -d ' ')" '"My clinic"."All people" public.b public.gone public.years' 'there is something to be kept'

createdb "$plain"
pg_dump "$from" > "$work/plain.sql"
# other OIDs
sql -d "$plain" -c 'CREATE TABLE filler (a serial PRIMARY KEY)'
sql -d "$plain" -f "$work/plain.sql" > /dev/null
createdb "$parallel"
pg_dump -Fd -j 4 -f "$work/dir" "$from"
pg_restore -j 4 -d "$parallel" "$work/dir"
for database in "$plain" "$parallel"; do
    describe "$database" > "$work/after"
    is "$(cat "$work/after")" "$(cat "$work/before")" "$database: ledger and budgets are the same"
    is "$(state "$database" "SELECT synth_fit('\"My clinic\".\"All people\"', model => 'm', epsilon => 0.1)")" 53400 'of a table that was renamed all is spent'
    is "$(state "$database" "SELECT synth_fit('b', model => 'm', epsilon => 0.1)")" 53400 'and of one that swapped names'
    is "$(sql -d "$database" -c "SELECT version FROM synth_fit('a', model => 'm', epsilon => 0.1)")" 1 'but not of the other'
    is "$(state "$database" "SELECT synth_fit('years', model => 'y', epsilon => 0.1)")" 53400 'nor of the partition'
    is "$(sql -d "$database" -c "SELECT max(id) FROM gensynth.privacy_ledger")" 5 'numbers go on'
    is "$(state "$database" "SELECT synth_fit('b', model => 'other')")" 55000 'budgets hold'
    sql -d "$database" -c 'CREATE TABLE gone AS SELECT 1 AS age'
    is "$(sql -d "$database" -c "SELECT round(spent) FROM synth_budgets WHERE relation = 'public.gone'")" 1 'and what was spent of a table that is gone'
    is "$(sql -d "$database" -c "SELECT gensynth.relation_oid(relation) = 'a'::regclass FROM gensynth.privacy_budgets WHERE relation::text = 'public.a'")" t 'by the OIDs of today'
done

# What is left out of a dump is no reason not to restore the rest.
createdb "$partial"
pg_dump -T public.a "$from" > "$work/partial.sql"
sql -d "$partial" -f "$work/partial.sql" > /dev/null
is "$(sql -d "$partial" -c 'SELECT count(*) FROM gensynth.privacy_budgets')" 5 'a table that is left out leaves its budget'

echo "1..$n"
exit "$failed"
