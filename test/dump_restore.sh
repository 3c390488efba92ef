#!/bin/bash
# Models survive pg_dump and a restore into another database: the same seed
# gives the same rows, grants and versions are there, and a new fit goes on
# where the old ones ended.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

from=gensynth_dump_from
plain=gensynth_dump_plain
custom=gensynth_dump_custom
parallel=gensynth_dump_parallel
owned=gensynth_dump_owned
work=$(mktemp -d)

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

clean() {
    for database in "$from" "$plain" "$custom" "$parallel" "$owned"; do
        dropdb --if-exists "$database" 2> /dev/null || true
    done
    sql -d postgres -c 'DROP ROLE IF EXISTS gensynth_dump_owner, "gensynth dump ""reader", gensynth_dump_backup, gensynth_dump_dba' 2> /dev/null || true
}
trap 'clean; rm -rf "$work"' EXIT

# All that a model is: its rows in the three forms, and the catalog.
describe() {
    sql -d "$1" << 'SQL'
SET timezone = 'UTC';
SELECT 'jsonb', md5(string_agg(r::text, ',' ORDER BY i))
FROM (SELECT r, row_number() OVER () AS i FROM synth_sample('clinic."People"', 3000, seed => 42) AS r) AS s;
SELECT 'typed', md5(string_agg(r::text, ',' ORDER BY i))
FROM (SELECT r, row_number() OVER () AS i FROM synth_sample(NULL::clinic."People", 3000, model => 'clinic."People"', seed => 42) AS r) AS s;
SELECT 'rows', md5(string_agg(r::text, ',' ORDER BY i))
FROM (SELECT r, row_number() OVER () AS i FROM synth_rows('a query''s "model"', 3000, seed => 42)
    AS r(age int, sex clinic.sex, home inet)) AS s;
SELECT * FROM synth_models ORDER BY model, version;
SELECT model, c.* FROM gensynth.models AS m, synth_columns(m.name) AS c(ordinal, name, type, kind, nullable, detail),
    LATERAL (SELECT m.name AS model) AS n ORDER BY model, ordinal;
SELECT * FROM gensynth.grants ORDER BY model, role;
SELECT 'tensors', count(*), md5(string_agg(t::text, ',' ORDER BY model, version, name)) FROM gensynth.tensors AS t;
SQL
}

clean
createdb "$from"
sql -d "$from" << 'SQL'
SET client_min_messages = warning;
CREATE ROLE gensynth_dump_owner;
CREATE ROLE "gensynth dump ""reader";
CREATE EXTENSION gensynth SCHEMA public;
CREATE SCHEMA clinic AUTHORIZATION gensynth_dump_owner;
SET ROLE gensynth_dump_owner;
CREATE TYPE clinic.sex AS ENUM ('F', 'M');
CREATE DOMAIN clinic.age AS int CHECK (VALUE BETWEEN 0 AND 150);
CREATE TABLE clinic."People" (
    id bigint PRIMARY KEY, age clinic.age NOT NULL, sex clinic.sex, cost numeric(10,2), born date, seen timestamptz,
    name text, mail varchar(60), home inet, tags text[], stay interval, span int4range, blob bytea, doc jsonb, key uuid
);
INSERT INTO clinic."People"
    SELECT i, 18 + i % 60, (ARRAY['F', 'M'])[1 + i % 2]::clinic.sex, i * 1.37,
        date '1950-01-01' + i * 5, timestamptz '2020-01-01 00:00Z' + i * interval '3 hours',
        'Name ' || i, 'user' || i || '@example.org', inet '10.0.0.0' + i, ARRAY['a' || i % 3, 'b'],
        interval '1 hour' * (i % 48), int4range(i, i + 1 + i % 9), decode(md5(i::text), 'hex'),
        jsonb_build_object('i', i, 'k', 'v' || i % 5), md5(i::text)::uuid
    FROM generate_series(1, 2000) AS i;
SELECT model FROM synth_fit('clinic."People"', seed => 1) \g /dev/null
SELECT model FROM synth_fit('clinic."People"', seed => 2) \g /dev/null
SELECT model FROM synth_fit('clinic."People"', seed => 3) \g /dev/null
SELECT synth_use('clinic."People"', 2) \g /dev/null
SELECT synth_grant('clinic."People"', '"gensynth dump ""reader"') \g /dev/null
RESET ROLE;
SELECT model FROM synth_fit('SELECT age, sex, home FROM clinic."People"', model => 'a query''s "model"', seed => 1) \g /dev/null
SQL
describe "$from" > "$work/before"
is "$(cut -d '|' -f 1 "$work/before" | head -n 3 | paste -s -d ' ')" 'jsonb typed rows' 'there is something to be kept'

createdb "$plain"
pg_dump "$from" > "$work/plain.sql"
sql -d "$plain" -f "$work/plain.sql" > /dev/null
is "$(describe "$plain")" "$(cat "$work/before")" 'pg_dump | psql: same rows, versions, columns and grants'

createdb "$custom"
pg_dump -Fc -f "$work/custom" "$from"
pg_restore --exit-on-error -d "$custom" "$work/custom"
is "$(describe "$custom")" "$(cat "$work/before")" 'pg_dump -Fc, pg_restore: the same'

# Workers load the tables in any order.
pg_dump -Fd -j 2 -f "$work/directory" "$from"
for archive in custom directory; do
    dropdb --if-exists "$parallel" 2> /dev/null
    createdb "$parallel"
    pg_restore -j 4 --exit-on-error -d "$parallel" "$work/$archive"
    is "$(describe "$parallel")" "$(cat "$work/before")" "pg_restore -j 4 of the $archive format: the same"
done

# A restore that lost something says so.
for part in columns constraints tensors; do
    sql -d "$parallel" -c "DELETE FROM gensynth.$part WHERE ctid = (SELECT min(ctid) FROM gensynth.$part WHERE model = 'clinic.\"People\"' AND version = 2)"
    is "$(sql -d "$parallel" -c '\set VERBOSITY sqlstate' -c "SELECT count(*) FROM synth_sample('clinic.\"People\"', 5)" 2>&1 || true)" 'ERROR:  XX001' \
        "a version without all of its $part is corrupted"
    dropdb "$parallel"
    createdb "$parallel"
    pg_restore --exit-on-error -d "$parallel" "$work/custom"
done
sql -d "$parallel" -c "DELETE FROM gensynth.versions WHERE model = 'clinic.\"People\"' AND version = 2"
is "$(sql -d "$parallel" -c '\set VERBOSITY sqlstate' -c "SELECT count(*) FROM synth_sample('clinic.\"People\"', 5)" 2>&1 || true)" 'ERROR:  XX001' \
    'nor is there a model without its current version'

# Who may dump: a role that may read all data, and an owner of the database who was given what docs/privacy.md says.
sql -d postgres -c 'CREATE ROLE gensynth_dump_backup' -c 'CREATE ROLE gensynth_dump_dba'
sql -d postgres -c 'GRANT pg_read_all_data TO gensynth_dump_backup' \
    -c "CREATE DATABASE $owned OWNER gensynth_dump_dba"
sql -d "$owned" -c 'CREATE EXTENSION gensynth' -c "SELECT model FROM synth_fit('SELECT i % 7 AS a FROM generate_series(1, 100) AS i', model => 'm', seed => 1)" > /dev/null
dump_as() { pg_dump --role="$1" "$owned" 2>&1; }
is "$(dump_as gensynth_dump_backup | grep -c 'COPY gensynth')" "$(dump_as postgres | grep -c 'COPY gensynth')" 'a member of pg_read_all_data dumps models'
is "$(dump_as gensynth_dump_dba | grep -c 'permission denied for schema gensynth')" 1 'the owner of a database does not, by itself'
sql -d "$owned" -c 'GRANT USAGE ON SCHEMA gensynth TO gensynth_dump_dba' -c 'GRANT SELECT ON ALL TABLES IN SCHEMA gensynth TO gensynth_dump_dba'
is "$(dump_as gensynth_dump_dba | grep -c 'COPY gensynth')" "$(dump_as postgres | grep -c 'COPY gensynth')" 'but does with the remedy'

for database in "$plain" "$custom"; do
    is "$(sql -d "$database" -c "SET ROLE gensynth_dump_owner; SELECT version FROM synth_fit('clinic.\"People\"', seed => 4)")" 4 \
        "$database: a fit by the owner gets the next version"
    is "$(sql -d "$database" -c "SELECT string_agg(version || ' ' || current, ', ' ORDER BY version) FROM synth_models WHERE model = 'clinic.\"People\"'")" \
        '2 false, 3 false, 4 true' "$database: and is the current one"
    is "$(sql -d "$database" -c 'SET ROLE "gensynth dump ""reader"' -c "SELECT count(*) FROM synth_sample('clinic.\"People\"', 5)")" 5 \
        "$database: the grant holds"
    is "$(sql -d "$database" -c 'SET ROLE "gensynth dump ""reader"' -c 'TABLE gensynth.tensors' 2>&1 || true)" \
        "ERROR:  permission denied for schema gensynth
LINE 1: TABLE gensynth.tensors
              ^" "$database: parameters are closed"
done
is "$(describe "$from")" "$(cat "$work/before")" 'the source database is as it was'

# A dump of the restored database is the dump that it came from.
dropdb "$custom"
createdb "$custom"
pg_restore --exit-on-error -d "$custom" "$work/custom"
is "$(pg_dump "$custom" | grep -v '^\\\(un\)\?restrict' | md5sum)" "$(grep -v '^\\\(un\)\?restrict' "$work/plain.sql" | md5sum)" \
    'a second dump is the same text'

echo "1..$n"
exit "$failed"
