#!/bin/bash
# Masked reading in sessions of its own: roles that log in, grants that others
# take back, tables written anew, and dumps.  Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

database=gensynth_masked
copy=gensynth_masked_copy
work=$(mktemp -d)
export PGOPTIONS='-c client_min_messages=error'

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }
reader() { sql -c 'SET ROLE gensynth_masked_reader' "$@"; }
clean() {
    for d in "$database" "$copy"; do dropdb --if-exists --force "$d" 2> /dev/null || true; done
    psql -X -q -d postgres -c 'DROP ROLE IF EXISTS gensynth_masked_reader, gensynth_masked_owner' 2> /dev/null || true
    rm -rf "$work"
}
trap clean EXIT
clean
mkdir -p "$work"
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' -c 'CREATE ROLE gensynth_masked_reader' -c 'CREATE ROLE gensynth_masked_owner' \
    -c 'CREATE TABLE person (id int PRIMARY KEY, name text, email text, ward text)' \
    -c "INSERT INTO person SELECT i, 'Original ' || i, 'original' || i || '@corp.test', 'w' || i % 3 FROM generate_series(1, 300) AS i" \
    -c 'ALTER TABLE person OWNER TO gensynth_masked_owner' -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_key('default', '\\x000102030405060708090a0b0c0d0e0f')" \
    -c "SELECT synth_label('person', 'name', 'full_name'), synth_label('person', 'email', 'email'), synth_mask_grant('person', 'gensynth_masked_reader')" > /dev/null

digest="SELECT md5(string_agg(m::text, '' ORDER BY id)) FROM synth_masked(NULL::person) AS m"
first=$(reader -c "$digest")
is "${#first}" 32 'the first statement of a session'
is "$(reader -c "SELECT * FROM synth_masked(NULL::person) WHERE id = 17" | grep -c Original)" 0 'no original'
sql -c 'VACUUM FULL person' -c 'CLUSTER person USING person_pkey'
is "$(reader -c "$digest")" "$first" 'the same rows after the table is written anew'
is "$(sql -c 'SET ROLE gensynth_masked_owner' -c "$digest")" "$first" 'the same for its owner'
is "$(reader -c "COPY (SELECT * FROM synth_masked(NULL::person)) TO STDOUT" | grep -c Original)" 0 'COPY'
is "$(reader -c "SET client_min_messages = debug5; SET debug_print_plan = on; SET debug_print_rewritten = on; SET log_min_error_statement = debug5" \
    -c "SELECT * FROM synth_masked(NULL::person) WHERE name > 'Original 3' AND id > 0" | grep -c Original)" 0 'nothing in messages, with all of them on'

# A cursor that was opened before the grant is taken back reads what its
# snapshot has; the next one does not begin.
touch "$work/out" "$work/out2"
mkfifo "$work/in"
psql -X -q -A -t -d "$database" < "$work/in" > "$work/out" 2>&1 &
exec 3> "$work/in"
echo "SET ROLE gensynth_masked_reader; PREPARE p AS SELECT count(*) FROM synth_masked(NULL::person); EXECUTE p;" >&3
until grep -q 300 "$work/out"; do sleep 0.05; done
sql -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_mask_revoke('person', 'gensynth_masked_reader')" > /dev/null
echo "EXECUTE p; BEGIN; DECLARE c CURSOR FOR SELECT * FROM synth_masked(NULL::person); \\q" >&3
exec 3>&-
wait $!
is "$(grep -c 'permission denied for masked rows' "$work/out")" 2 'what another session has taken back counts at once'
sql -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_mask_grant('person', 'gensynth_masked_reader')" > /dev/null

# Another session's label.
mkfifo "$work/in2"
psql -X -q -A -t -d "$database" < "$work/in2" > "$work/out2" 2>&1 &
exec 3> "$work/in2"
echo "SET ROLE gensynth_masked_reader; PREPARE p AS SELECT count(*) FROM synth_masked(NULL::person) WHERE ward = 'w1'; EXECUTE p;" >&3
until grep -q 100 "$work/out2"; do sleep 0.05; done
sql -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_label('person', 'ward', 'constant:x')" > /dev/null
echo 'EXECUTE p; \q' >&3
exec 3>&-
wait $!
is "$(tr '\n' ' ' < "$work/out2")" '100 0 ' 'a label that another session writes, too'
sql -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_label('person', 'ward', NULL)" > /dev/null

# Dumps have labels and grants, but no keys.
pg_dump -d "$database" -f "$work/dump.sql"
is "$(grep -c 'readers: gensynth_masked_reader' "$work/dump.sql")" 1 'a dump has the grant'
createdb "$copy"
psql -X -q -d "$copy" -f "$work/dump.sql" > /dev/null
copied() { psql -X -q -A -t -d "$copy" "$@" 2>&1; }
is "$(copied -c 'SET ROLE gensynth_masked_reader' -c "$digest" | grep -c 'has no key')" 1 'and not the key'
copied -c 'SET ROLE gensynth_masked_owner' -c "SELECT synth_key('default', '\\x000102030405060708090a0b0c0d0e0f')" > /dev/null
is "$(copied -c 'SET ROLE gensynth_masked_reader' -c "$digest")" "$first" 'with the key, the same rows'
copied -c 'SET ROLE gensynth_masked_owner' -c "CALL synth_mask('person', '{name,email}')" > /dev/null
is "$(copied -c "SELECT md5(string_agg(m::text, '' ORDER BY id)) FROM person AS m")" "$first" 'and so in place'
echo "1..$n"
exit "$failed"
