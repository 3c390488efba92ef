#!/bin/bash
# The owner of a database, no superuser, creates the extension: who owns what,
# and that the attacks hold; also its own, to whom the extension belongs.
# Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"
cd "$(dirname "$0")/.."

database=gensynth_trusted
sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }
as_dba() { sql -c 'SET ROLE gensynth_trusted_dba' "$@" || true; }
clean() {
    dropdb --if-exists "$database" 2> /dev/null || true
    dropdb --if-exists "${database}_copy" 2> /dev/null || true
    psql -X -q -d postgres -c 'DROP ROLE IF EXISTS gensynth_trusted_dba' 2> /dev/null || true
}
# A database of the role's, with the extension, which is its own
make() {
    clean
    psql -X -q -d postgres -c 'CREATE ROLE gensynth_trusted_dba' -c "CREATE DATABASE $database OWNER gensynth_trusted_dba"
    as_dba -c 'CREATE EXTENSION gensynth'
}
trap clean EXIT

is "$(make)" '' 'the owner of a database creates the extension'
is "$(sql -c "SELECT extowner::regrole FROM pg_extension WHERE extname = 'gensynth'")" gensynth_trusted_dba 'which belongs to it'
is "$(sql << 'SQL'
CREATE TEMP VIEW members AS SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'gensynth');
WITH owners AS (SELECT 'relation' AS what, relowner AS owner FROM members JOIN pg_class ON oid = objid WHERE classid = 'pg_class'::regclass
    UNION ALL SELECT 'function', proowner FROM members JOIN pg_proc ON oid = objid WHERE classid = 'pg_proc'::regclass
    UNION ALL SELECT 'type', typowner FROM members JOIN pg_type ON oid = objid WHERE classid = 'pg_type'::regclass
    UNION ALL SELECT 'schema', nspowner FROM members JOIN pg_namespace ON oid = objid WHERE classid = 'pg_namespace'::regclass)
SELECT DISTINCT what, owner FROM owners ORDER BY what;
SELECT count(*) FROM members WHERE classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_namespace'::regclass);
SELECT count(*) FROM members JOIN pg_proc ON oid = objid WHERE classid = 'pg_proc'::regclass AND (prosecdef OR prolang <> 13);
SQL
)" $'function|10\nrelation|10\nschema|10\ntype|10\n0\n0' 'all in it belongs to the first superuser, and runs as whoever calls it'
for statement in 'TABLE gensynth.tensors' 'CREATE TABLE gensynth.mine ()' 'GRANT ALL ON SCHEMA gensynth TO gensynth_trusted_dba' 'ALTER SCHEMA gensynth RENAME TO mine' 'DROP TABLE gensynth.tensors' \
    'ALTER EXTENSION gensynth DROP TABLE gensynth.tensors' 'ALTER TABLE gensynth.models OWNER TO gensynth_trusted_dba' 'BEGIN; LOCK TABLE gensynth.models; COMMIT' "SELECT synth_own('m', 'gensynth_trusted_dba')" \
    'CREATE TRIGGER mine AFTER INSERT ON gensynth.models EXECUTE FUNCTION suppress_redundant_updates_trigger()' 'CREATE OR REPLACE FUNCTION synth_key(name text, value bytea) RETURNS void LANGUAGE sql AS $$$$'; do
    is "$(as_dba -c '\set VERBOSITY sqlstate' -c "$statement")" 'ERROR:  42501' "not for it: $statement"
done

# What it dumps without models it restores.
copy=${database}_copy
psql -X -q -d postgres -c "CREATE DATABASE $copy OWNER gensynth_trusted_dba"
as_dba -c 'CREATE TABLE mine AS SELECT 1 AS a'
is "$(pg_dump -O --role=gensynth_trusted_dba -N gensynth "$database" 2>&1 | PGOPTIONS='-c role=gensynth_trusted_dba' psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$copy" 2>&1 | tail -n 1)" '' 'a dump without models is restored by it'
is "$(database=$copy as_dba -c "SELECT count(*) FROM mine" -c "SELECT count(*) FROM synth_models" | paste -s -d ' ')" '1 0' 'with the extension'

# The attacks of others, there.
sql -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION pgtap' > /dev/null
for attacks in attacks attacks_ownership mask_attacks; do
    told=$(sql -f "test/$attacks.sql")
    is "$(grep -c '^ok' <<< "$told") $(grep -E '^not ok|^ERROR|^psql' <<< "$told" || true)" "$(sed -n 's/^SELECT plan(\(.*\));/\1/p' "test/$attacks.sql") " "$attacks.sql holds"
done

# What the extension's owner can do: drop it while functions of it are being called, and put something in its place.
# swap statement what...: the statement waits for the drop, whose transaction makes what; its error, and whether another role has run spy().
swap() {
    local statement=$1 commands=()
    shift
    for command in "$@"; do commands+=(-c "$command"); done
    make
    sql << 'SQL' > /dev/null
CREATE SCHEMA s AUTHORIZATION gensynth_trusted_dba;
CREATE TABLE public.models (name text, id uuid, owner text, current int);
INSERT INTO public.models VALUES ('t', gen_random_uuid(), 'gensynth_trusted_dba', 1);
SET ROLE gensynth_trusted_dba;
-- what an error does not take back
CREATE SEQUENCE s.others;
CREATE FUNCTION s.spy() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('s.others') WHERE current_user <> 'gensynth_trusted_dba'; RETURN true; END $$;
SQL
    as_dba -c BEGIN -c 'DROP EXTENSION gensynth' "${commands[@]}" \
        -c 'DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$' -c COMMIT &
    await "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'gensynth.models'::regclass AND mode = 'AccessExclusiveLock' AND granted)"
    as_dba -c '\set VERBOSITY sqlstate' -c "$statement"
    wait
    sql -c "SELECT 'run by another' FROM s.others WHERE is_called"
}
view="CREATE VIEW gensynth.grants AS SELECT 't'::text AS model, 'public'::text AS role WHERE s.spy()"
call="SELECT count(*) FROM public.synth_sample('t', 5)"
is "$(swap "$call" 'CREATE SCHEMA gensynth' "CREATE VIEW gensynth.models AS SELECT 't'::text AS name, gen_random_uuid() AS id, 'gensynth_trusted_dba'::text AS owner, 1 AS current" "$view")" 'ERROR:  42P01' 'tables in the place of ours are not read'
is "$(swap "$call" 'ALTER SCHEMA public RENAME TO gensynth' "$view")" 'ERROR:  42P01' 'nor with one of a superuser beside them'

echo "1..$n"
exit "$failed"
