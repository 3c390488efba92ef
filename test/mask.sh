#!/bin/bash
# Masking in sessions of its own: what a table's files hold before and after,
# locks, cancels, two calls at once, labels in dumps, publications, and, where
# they stand beside the project, Chinook and Synthea with all their keys.
# Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

database=gensynth_mask
plain=gensynth_mask_plain
parallel=gensynth_mask_parallel
work=$(mktemp -d)
export PGOPTIONS='-c client_min_messages=warning'

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }
drop_all() {
    for d in "$database" "$plain" "$parallel"; do dropdb --if-exists --force "$d" 2> /dev/null || true; done
}
trap 'kill $(jobs -p) 2> /dev/null || true; wait; drop_all; rm -rf "$work"' EXIT

drop_all
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' -c "SELECT synth_key()" > /dev/null

# --- nothing original is left in files

# In how many files of a table, its TOAST and its indexes a text is.
files_with() {
    sql -c CHECKPOINT -c "
        WITH t AS (SELECT oid, reltoastrelid FROM pg_class WHERE oid = '$1'::regclass),
        r AS (SELECT oid FROM t UNION SELECT reltoastrelid FROM t WHERE reltoastrelid <> 0
            UNION SELECT indexrelid FROM pg_index JOIN t ON indrelid IN (t.oid, reltoastrelid))
        SELECT count(*) FROM r, pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) AS f
        WHERE f ~ ('^' || pg_relation_filenode(r.oid) || '([._]|\$)')
            AND position('$2'::bytea IN pg_read_binary_file('base/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || f)) > 0"
}
sql -c "CREATE TABLE leak (id int PRIMARY KEY, name text, long text, dropped text, first text DEFAULT 'Grizelda', twice text GENERATED ALWAYS AS (name || name) STORED)" \
    -c 'ALTER TABLE leak ALTER name SET STORAGE EXTERNAL, ALTER long SET STORAGE EXTERNAL, ALTER dropped SET STORAGE EXTERNAL, ALTER twice SET STORAGE EXTERNAL' \
    -c "INSERT INTO leak SELECT i, 'Ebenezer' || i, repeat('Philomena' || i, 500), 'Bartholomew' || i FROM generate_series(1, 300) AS i" \
    -c 'CREATE INDEX ON leak (name)' -c 'CREATE INDEX ON leak (upper(name))' -c "CREATE INDEX ON leak (id) WHERE name = 'Ebenezer7'" -c 'CREATE STATISTICS leak_stat (mcv) ON id, first FROM leak' \
    -c 'DELETE FROM leak WHERE id > 280' -c 'ALTER TABLE leak ALTER name SET STATISTICS 0' -c 'ANALYZE leak' -c 'ALTER TABLE leak DROP COLUMN dropped' > /dev/null
is "$(files_with leak Ebenezer)" 2 'before: in the table and an index'
is "$(files_with leak EBENEZER)" 1 'before: in an index of an expression'
is "$(files_with leak Philomena)" 1 'before: in TOAST'
is "$(files_with leak Bartholomew)" 1 'before: in a dropped column'
is "$(files_with leak Grizelda)" 1 'before: a default'
sql -c "CALL synth_mask('leak', '{name,long,first}', '{\"name\": \"pseudonym\", \"long\": \"pseudonym\", \"first\": \"pseudonym\"}')"
for name in Ebenezer EBENEZER Philomena Bartholomew Grizelda; do
    is "$(files_with leak "$name")" 0 "after: no $name in any file"
done
is "$(sql -c "SELECT count(*) FROM pg_stats WHERE tablename ~ 'leak' AND (most_common_vals::text || histogram_bounds::text) ~* 'Ebenezer|Philomena|Grizelda'" \
    -c "SELECT count(*) FROM pg_stats_ext WHERE tablename = 'leak' AND most_common_vals::text ~* 'Ebenezer|Grizelda'")" $'0\n0' 'nor in pg_stats and pg_stats_ext'
is "$(sql -c 'SELECT count(*), count(DISTINCT name) FROM leak')" '280|280' 'rows are all there'

# --- locks, cancels, two calls

sql -c "CREATE TABLE p (id int PRIMARY KEY, name text)" -c "CREATE TABLE c (p int REFERENCES p)" \
    -c "INSERT INTO p SELECT i, 'Person ' || i FROM generate_series(1, 2000) AS i" -c 'INSERT INTO c SELECT id FROM p' > /dev/null
state() { sql -c "SELECT md5(string_agg(p::text, '' ORDER BY id)), (SELECT md5(string_agg(c::text, '' ORDER BY p)) FROM c) FROM p"; }
fits() { sql -c "SELECT count(*), count(p.id) FROM c LEFT JOIN p ON p.id = c.p"; }
before=$(state)
mkfifo "$work/hold"
sql < "$work/hold" > /dev/null &
exec 3> "$work/hold"
echo 'BEGIN; LOCK c IN ACCESS SHARE MODE;' >&3
await "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'c'::regclass"
is "$(sql -c 'SET lock_timeout = 50' -c "CALL synth_mask('p', '{id}')" | head -n 1)" 'ERROR:  canceling statement due to lock timeout' 'lock_timeout is heeded'
is "$(state)" "$before" 'and nothing is done'
sql -c "SET application_name = waiter" -c "CALL synth_mask('p', '{id}')" > "$work/cancelled" &
await "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Lock'"
sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'" > /dev/null
wait $! || true
is "$(head -n 1 "$work/cancelled")" 'ERROR:  canceling statement due to user request' 'cancel while it waits'
sql -c "SET application_name = one" -c "CALL synth_mask('p', '{id}', key => 'default')" > "$work/one" &
one=$!
sql -c "SET application_name = two" -c "CALL synth_mask('p', '{id,name}')" > "$work/two" &
two=$!
await "SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name IN ('one', 'two') AND wait_event_type = 'Lock'"
echo 'COMMIT;' >&3
exec 3>&-
wait $one $two || true
is "$(cat "$work/one" "$work/two")" '' 'two calls at once, one after the other'
is "$(fits)" '2000|2000' 'and keys lead where they led'

# a key that comes while the tables are waited for
mkfifo "$work/hold2"
sql < "$work/hold2" > /dev/null &
exec 3> "$work/hold2"
echo 'BEGIN; CREATE TABLE late (p int REFERENCES p); INSERT INTO late SELECT id FROM p;' >&3
await "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'p'::regclass AND mode = 'ShareRowExclusiveLock'"
sql -c "SET application_name = waiter" -c "CALL synth_mask('p', '{id}')" > "$work/late" &
late=$!
await "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event_type = 'Lock'"
echo 'COMMIT;' >&3
exec 3>&-
wait $late || true
is "$(head -n 1 "$work/late")" 'ERROR:  keys of the tables have changed meanwhile' 'a key that comes meanwhile'
is "$(sql -c 'SELECT count(*), count(p.id) FROM late LEFT JOIN p ON p.id = late.p')" '2000|2000' 'does no harm'

# in the midst of writing, after the first 1,000 rows were tried: cancelled by a condition that takes time
sql -c 'CREATE SEQUENCE called' -c "CREATE FUNCTION slow(t text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN IF nextval(''public.called'') > 1500 THEN PERFORM pg_advisory_lock_shared(5); PERFORM pg_advisory_unlock_shared(5); END IF; RETURN true; END'" \
    -c 'ALTER TABLE p ADD CHECK (slow(name))' -c "SELECT setval('called', 1)" > /dev/null
before=$(state)
mkfifo "$work/hold3"
sql < "$work/hold3" > /dev/null &
exec 3> "$work/hold3"
echo 'SELECT pg_advisory_lock(5);' >&3
await "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted"
sql -c "SET application_name = waiter" -c "CALL synth_mask('p', '{id,name}')" > "$work/cancelled" &
await "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event = 'advisory'"
sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'" > /dev/null
wait $! || true
exec 3>&-
is "$(head -n 1 "$work/cancelled")" 'ERROR:  canceling statement due to user request' 'cancel while it writes'
is "$(state)" "$before" 'all is as it was'
is "$(sql -c "SELECT count(*) FROM pg_class WHERE relname ~ '^pg_temp_'")" 0 'and no file is left over'

# --- row by row: cancelled, resumed, with rows that come meanwhile

sql -c "CREATE TABLE u (id int PRIMARY KEY, name text)" -c "INSERT INTO u SELECT i, 'Person ' || i FROM generate_series(1, 3000) AS i" -c 'CREATE TABLE u_was AS SELECT * FROM u' -c 'ANALYZE u' \
    -c "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 2000 THEN PERFORM pg_advisory_lock_shared(6); PERFORM pg_advisory_unlock_shared(6); END IF; RETURN NEW; END'" \
    -c 'CREATE TRIGGER wait BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION wait()' > /dev/null
update="CALL synth_mask('u', '{name}', '{\"name\": \"pseudonym\"}', mode => 'update', batch_size => 100)"
mkfifo "$work/hold4"
sql < "$work/hold4" > /dev/null &
exec 3> "$work/hold4"
echo 'SELECT pg_advisory_lock(6);' >&3
await "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted"
sql -c "SET application_name = waiter" -c "$update" > "$work/cancelled" &
await "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event = 'advisory'"
sql -c "INSERT INTO u VALUES (3001, 'Person late')" -c "UPDATE u SET name = 'Person new' WHERE id = 2999" -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'" > /dev/null
wait $! || true
exec 3>&-
is "$(head -n 1 "$work/cancelled")" 'ERROR:  canceling statement due to user request' 'update: cancelled'
is "$(sql -c "SELECT count(*) BETWEEN 1000 AND 1999, max(id) < 2000 FROM u JOIN u_was AS w USING (id) WHERE w.name <> u.name AND id <> 2999")" 't|t' 'update: batches before that are masked'
sql -c "CREATE TABLE u_half AS SELECT u.* FROM u JOIN u_was AS w USING (id) WHERE w.name <> u.name AND id <> 2999" > /dev/null
is "$(sql -c "$update")" '' 'update: the same call goes on'
is "$(sql -c "SELECT count(*) FROM u WHERE name ~ '^Person'" -c 'SELECT count(*) FROM u' -c 'SELECT count(*) FROM u_half LEFT JOIN u USING (id, name) WHERE u.id IS NULL')" $'0\n3001\n0' 'update: all rows are masked, and once'
is "$(sql -c "$update" | head -n 1)" 'ERROR:  table public.u was masked by these rules and this key already' 'update: not twice'

# a row that another session changes while a batch is under way
sql -c "CREATE TABLE v (id int PRIMARY KEY, name text, note text)" -c "INSERT INTO v SELECT i, 'Person ' || i, 'as it was' FROM generate_series(1, 300) AS i" > /dev/null
mkfifo "$work/hold5"
sql < "$work/hold5" > /dev/null &
exec 3> "$work/hold5"
echo "BEGIN; UPDATE v SET name = 'Person new', note = 'changed' WHERE id = 7; DELETE FROM v WHERE id = 8;" >&3
await "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'v'::regclass"
sql -c "SET application_name = waiter" -c "CALL synth_mask('v', '{name}', '{\"name\": \"pseudonym\"}', mode => 'update', batch_size => 100)" > "$work/changed" &
changed=$!
await "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'waiter' AND wait_event = 'transactionid'"
echo 'COMMIT;' >&3
exec 3>&-
wait $changed || true
is "$(cat "$work/changed")" '' 'update: a row that changes meanwhile'
is "$(sql -c "SELECT count(*), count(*) FILTER (WHERE name ~ '^Person'), count(*) FILTER (WHERE note = 'changed') FROM v")" '299|0|1' 'update: keeps the change, and is masked in the last pass'

# --- publications

sql -c 'CREATE PUBLICATION pub FOR TABLE leak' 2> /dev/null > /dev/null
is "$(sql -c "CALL synth_mask('leak', '{name}')" | head -n 1)" 'ERROR:  table public.leak is in a publication' 'a published table'
is "$(sql -c "CALL synth_mask('leak', '{name}', options => '{\"published\": 1}')")" '' 'that is masked all the same'
sql -c 'DROP PUBLICATION pub'

# --- labels in dumps, and in sessions that have not loaded us

sql -c "SELECT synth_label('p', 'name', 'full_name(locale=de_DE)'), synth_label('p', 'id', 'pseudonym(persons)')" > /dev/null
is "$(sql -c "SECURITY LABEL FOR gensynth ON COLUMN p.name IS 'email'" | head -n 1)" 'ERROR:  security label provider "gensynth" is not loaded' 'a session that has called none of our functions'
is "$(sql -c 'SELECT FROM synth_find_pii('"'p'"') LIMIT 0' -c "SECURITY LABEL FOR gensynth ON COLUMN p.name IS 'full_name'" -c "SELECT rule FROM synth_labels WHERE \"column\" = 'name'")" 'full_name' 'and one that has'
sql -c "SELECT synth_label('p', 'name', 'full_name(locale=de_DE)')" > /dev/null
labels() { psql -X -q -A -t -d "$1" -c 'SELECT * FROM synth_labels ORDER BY 1::text, 2' -c 'SELECT relation, mode, rows FROM synth_provenance ORDER BY masked_at' -c 'SELECT count(*) FROM synth_keys'; }
sql -c 'ALTER TABLE p DROP CONSTRAINT p_name_check'
pg_dump "$database" > "$work/plain.sql"
pg_dump -Fd -f "$work/dir" "$database"
createdb "$plain"
createdb "$parallel"
psql -X -q -v ON_ERROR_STOP=1 -d "$plain" -f "$work/plain.sql" > /dev/null
pg_restore -j 4 -d "$parallel" "$work/dir"
is "$(labels "$plain")" "$(labels "$database" | sed '$s/.*/0/')" 'labels and provenance are restored, keys are not'
is "$(labels "$parallel")" "$(labels "$plain")" 'also with -j 4'
is "$(grep -c "$(sql -c "SELECT encode(value, 'hex') FROM synth_keys")" "$work/plain.sql" || true)" 0 'and the key is in no dump'
# the same key elsewhere
key=$(sql -c "SELECT value FROM synth_keys")
call="CALL synth_mask('p', '{id,name}', '{\"name\": \"full_name\", \"id\": \"pseudonym\"}')"
psql -X -q -d "$plain" -c "SELECT synth_key('default', '$key')" -c "$call" > /dev/null
sql -c "$call"
is "$(psql -X -q -A -t -d "$plain" -c "SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM p")" "$(sql -c "SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM p")" 'another database with the same key has the same'

# --- real schemas

data=../shared/data
if [ -d "$data/chinook" ] && [ -d "$data/synthea" ]; then
    # Foreign keys that do not hold, of a schema; 0 if all do.
    orphans() {
        sql -c "SELECT format('SELECT count(*) FROM %s AS a LEFT JOIN %s AS b ON %s WHERE %s AND b.%I IS NULL', conrelid::regclass, confrelid::regclass,
            (SELECT string_agg(format('a.%I = b.%I', f.attname, t.attname), ' AND ') FROM unnest(conkey, confkey) AS k (f, t)
                JOIN pg_attribute AS f ON f.attrelid = conrelid AND f.attnum = k.f JOIN pg_attribute AS t ON t.attrelid = confrelid AND t.attnum = k.t),
            (SELECT string_agg(format('a.%I IS NOT NULL', attname), ' AND ') FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)),
            (SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1])) FROM pg_constraint
            WHERE contype = 'f' AND connamespace = '$1'::regnamespace" > "$work/queries"
        sed 's/$/;/' "$work/queries" | sql | awk '{n += $1} END {print n}'
    }
    load() { # schema
        sql -v ON_ERROR_STOP=1 -f "test/lib/$1.sql" > /dev/null
        for t in $(sql -c "SELECT relname FROM pg_class WHERE relnamespace = '$1'::regnamespace AND relkind = 'r' ORDER BY oid"); do
            sql -c "SET session_replication_role = replica" -c "\\copy $1.$t FROM '$data/$1/$t.csv' (FORMAT csv, HEADER)"
            sql -c "CREATE SCHEMA IF NOT EXISTS was" -c "DROP TABLE IF EXISTS was.$t" -c "CREATE TABLE was.$t AS SELECT * FROM $1.$t" > /dev/null 2>&1
        done
    }
    # Rows whose other columns, and NULLs in masked ones, are not what they were.
    changed() { # schema table "masked columns"
        sql -c "SELECT string_agg(format(CASE WHEN attname = ANY ('{$3}') THEN '%I IS NULL' ELSE '%I' END, attname), ', ')
            FROM pg_attribute WHERE attrelid = '$1.$2'::regclass AND attnum > 0 AND NOT attisdropped" > "$work/columns"
        sql -c "SELECT count(*) FROM (SELECT $(cat "$work/columns") FROM was.$2 EXCEPT ALL SELECT $(cat "$work/columns") FROM $1.$2) AS d"
    }

    load chinook
    children="SELECT string_agg(n::text, ',' ORDER BY n) FROM (SELECT count(i.invoice_id) AS n FROM %s.customer AS c LEFT JOIN %s.invoice AS i USING (customer_id) GROUP BY c.customer_id) AS s"
    is "$(sql -c "CALL synth_mask('chinook.customer', '{customer_id,first_name,last_name,address,phone,fax,email}', '{\"first_name\": \"first_name\", \"last_name\": \"last_name\", \"address\": \"street_address\", \"phone\": \"phone\", \"fax\": \"phone\", \"email\": \"email\"}')")" '' 'Chinook'
    is "$(orphans chinook)" 0 'Chinook: no orphans'
    # shellcheck disable=SC2059
    is "$(sql -c "$(printf "$children" chinook chinook)")" "$(sql -c "$(printf "$children" was was)")" 'Chinook: children per parent'
    is "$(changed chinook customer customer_id,first_name,last_name,address,phone,fax,email)$(changed chinook invoice customer_id)" 00 'Chinook: other columns and NULLs'
    is "$(sql -c 'SELECT count(*) FROM chinook.customer JOIN was.customer USING (email)' -c 'SELECT count(*) FROM chinook.customer JOIN was.customer USING (phone)' \
        -c 'SELECT count(DISTINCT customer_id) FROM chinook.customer')" $'0\n0\n59' 'Chinook: no original is left'
    is "$(sql -c "CALL synth_mask('chinook.employee', '{employee_id,last_name,first_name,email,birth_date}', '{\"birth_date\": \"generalise:year\"}')")" '' 'Chinook: a key of the table to itself'
    is "$(orphans chinook)" 0 'Chinook: no orphans there'

    load synthea
    is "$(sql -c "CALL synth_mask('synthea.patients', '{id,ssn,drivers,passport,first,last,maiden,address,birthplace}', '{\"id\": \"pseudonym\"}')")" '' 'Synthea'
    is "$(orphans synthea)" 0 'Synthea: no orphans'
    is "$(changed synthea patients id,ssn,drivers,passport,first,last,maiden,address,birthplace)$(changed synthea encounters patient)" 00 'Synthea: other columns and NULLs'
    children="SELECT string_agg(n::text, ',' ORDER BY n) FROM (SELECT count(e.id) AS n FROM %s.patients AS p LEFT JOIN %s.encounters AS e ON e.patient = p.id GROUP BY p.id) AS s"
    # shellcheck disable=SC2059
    is "$(sql -c "$(printf "$children" synthea synthea)")" "$(sql -c "$(printf "$children" was was)")" 'Synthea: children per parent'
    is "$(sql -c 'SELECT count(*) FROM synthea.patients AS p JOIN was.patients AS w ON p.id = w.id OR p.ssn = w.ssn' -c 'SELECT count(DISTINCT ssn) FROM synthea.patients')" $'0\n111' 'Synthea: no original is left'
    is "$(sql -c "CALL synth_mask_schema('synthea')" | head -n 3)" '' 'Synthea: the schema, of what is surely personal'
    is "$(orphans synthea)" 0 'Synthea: no orphans of the schema'
else
    echo "# without Chinook and Synthea, which are not in $data"
fi

echo "1..$n"
exit $failed
