#!/bin/bash
# synth_into while other sessions look on, cancel it, or work on the same
# table and model; and across a dump.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_into
work=$(mktemp -d)

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }

drop_databases() {
    dropdb --if-exists "$database" 2> /dev/null || true
    dropdb --if-exists "${database}_2" 2> /dev/null || true
}

trap 'kill $(jobs -p) 2> /dev/null || true; wait; drop_databases; rm -rf "$work"' EXIT

# Until the query says t.
await() {
    for _ in $(seq 300); do
        [ "$(sql -c "$1")" != t ] || return 0
        sleep 0.1
    done
    echo "# still waiting for: $1"
}

# The target's rows are those of one stream, once each: same_rows n.
same_rows() {
    sql -c "SELECT (SELECT count(*) FROM t), count(*) FROM (
                (SELECT a, b FROM synth_rows('m', $1, seed => (SELECT max(seed) FROM synth_fills)) AS s(a int, b text)
                 EXCEPT ALL SELECT a, b FROM t)
                UNION ALL
                (SELECT a, b FROM t EXCEPT ALL
                 SELECT a, b FROM synth_rows('m', $1, seed => (SELECT max(seed) FROM synth_fills)) AS s(a int, b text))) AS d"
}

# One session, "one", that stops in the batch which the lock holds up.
paused="SELECT count(*) = 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'advisory' AND application_name = 'one'"
start_one() {
    sql -c "SET application_name = one" -c "SET test.pause = on" -c "$1" > "$work/one.out" 2>&1 11>&- &
    one=$!
}

# The lock, held by a session of its own until release.
hold() {
    mkfifo "$work/hold"
    sql < "$work/hold" > /dev/null &
    holder=$!
    exec 11> "$work/hold"
    echo "SELECT pg_advisory_lock(1);" >&11
    await "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
}
release() {
    exec 11>&-
    wait "$holder" || true
    rm "$work/hold"
}

fit="SELECT version FROM synth_fit('SELECT i AS a, chr(65 + i % 5) AS b FROM generate_series(1, 200) AS i', model => 'm', seed => 1)"
cancelled='ERROR:  canceling statement due to user request'

drop_databases
createdb "$database"
# shellcheck disable=SC2016  # the quotes of SQL
sql -c 'CREATE EXTENSION gensynth' -c "$fit" -c '
CREATE TABLE t (a int, b text);
CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting($x$test.pause$x$, true) = $x$on$x$ THEN
        PERFORM pg_advisory_xact_lock_shared(1);
    END IF;
    PERFORM pg_sleep(COALESCE(current_setting($x$test.sleep$x$, true), $x$0$x$)::float8);
    RETURN NULL;
END $$;
CREATE TRIGGER slow_down AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION slow_down()' > /dev/null

# A timeout holds for the whole call, and leaves the batches before it.
is "$(sql -c "SET statement_timeout = '1s'" -c "SET test.sleep = 0.05" \
    -c "CALL synth_into('t', 1000, 'm', batch_size => 10)" | grep ERROR)" \
    'ERROR:  canceling statement due to statement timeout' 'a call that times out'
is "$(sql -c "SELECT done BETWEEN 10 AND 300, done = (SELECT count(*) FROM t), finished FROM synth_fills")" \
    't|t|f' 'its batches and its progress stay'
is "$(sql -c "CALL synth_into('t', 1000, 'm')" | sed 's/after [0-9]* of/after N of/; /^HINT/d')" \
    'NOTICE:  resuming after N of 1000 rows' 'the same call goes on'
is "$(same_rows 1000)" '1000|0' 'and ends with every row of one stream, once'

# Progress is visible to others while a call runs; they can cancel it.
sql -c 'TRUNCATE t'
sql -c "SET application_name = one" -c "SET test.sleep = 0.05" \
    -c "CALL synth_into('t', 5000, 'm', batch_size => 10)" > "$work/one.out" 2>&1 &
one=$!
await "SELECT count(*) = 1 FROM synth_fills WHERE n = 5000 AND done > 30 AND fraction < 1 AND NOT finished"
sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'one'" > /dev/null
wait $one || true
is "$(grep ERROR "$work/one.out")" "$cancelled" 'a call that another session cancels'
is "$(sql -c "SELECT done > 30, done = (SELECT count(*) FROM t) FROM synth_fills WHERE n = 5000")" 't|t' 'its batches stay'

# Two sessions on one fill: nothing is filled twice.
hold
start_one "CALL synth_into('t', 5000, 'm')"
await "$paused"
is "$(sql -c "CALL synth_into('t', 5000, 'm')" | grep -c resuming)" 1 'a second session takes a fill over'
release
wait $one || true
is "$(grep ERROR "$work/one.out")" 'ERROR:  the fill of public.t was taken over or forgotten by another session' \
    'the first one notices'
is "$(same_rows 5000)" '5000|0' 'no row is there twice'

# Rows that were deleted meanwhile are made again.
sql -c 'TRUNCATE t'
sql -c "SET application_name = one" -c "SET test.sleep = 0.05" \
    -c "CALL synth_into('t', 4000, 'm', batch_size => 10)" > "$work/one.out" 2>&1 &
one=$!
await "SELECT count(*) = 1 FROM synth_fills WHERE n = 4000 AND done > 30 AND NOT finished"
sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'one'" > /dev/null
wait $one || true
is "$(sql -c 'DELETE FROM t' -c "CALL synth_into('t', 4000, 'm')" | grep -c 'starting anew: public.t was empty again')" 1 \
    'a target whose rows were deleted is filled anew'
is "$(sql -c "SELECT count(*) FROM t" -c "SELECT done FROM synth_fills WHERE n = 4000")" $'4000\n4000' \
    'with as many rows as the call reports'

# A fit waits for no fill, and a fill does not mix versions.
sql -c 'TRUNCATE t'
hold
start_one "CALL synth_into('t', 100, 'm', seed => 1)"
await "$paused"
is "$(sql -c "$fit")" 2 'a fit while a batch is made'
release
wait $one || true
is "$(grep ERROR "$work/one.out")" \
    'ERROR:  the fill of public.t began with version 1 of model "m", and its current version is 2' 'the fill stops'
is "$(sql -c 'SELECT count(*) FROM t')" 0 'its batch is undone'

# Nor does a dropped model keep anybody waiting.
sql -c "SET test.sleep = 0.1" -c "SET statement_timeout = '500ms'" \
    -c "CALL synth_into('t', 100, 'm', seed => 1, batch_size => 1)" > /dev/null || true
hold
start_one "CALL synth_into('t', 100, 'm', seed => 1)"
await "$paused"
sql -c "SELECT synth_drop('m')" > /dev/null
release
wait $one || true
is "$(grep ERROR "$work/one.out")" 'ERROR:  model "m" was dropped while public.t was filled' 'a model dropped meanwhile'
is "$(sql -c 'SELECT count(*) FROM synth_fills')" 0 'its fills are forgotten'

# A version dropped while a fill waits, by itself or for being too old.
sql -c 'TRUNCATE t' -c "$fit" -c "SET test.sleep = 0.1" -c "SET statement_timeout = '500ms'" \
    -c "CALL synth_into('t', 100, 'm', seed => 1, batch_size => 1)" > /dev/null || true
sql -c "$fit" -c "SELECT synth_drop('m', 1)" > /dev/null
is "$(sql -c "CALL synth_into('t', 100, 'm')")" "ERROR:  the fill of public.t began with version 1 of model \"m\", which was dropped
HINT:  The batches before that stay in the table.  To start anew, DELETE FROM public.synth_fills WHERE target = 'public.t'." 'a version dropped meanwhile'
is "$(sql -c "DELETE FROM public.synth_fills WHERE target = 'public.t'" -c "CALL synth_into('t', 100, 'm')" -c 'SELECT count(*) >= 100 FROM t')" t 'and what the hint says'
sql -c "SELECT synth_drop('m')" > /dev/null

# Begun before a dump, ended after it.
sql -c 'TRUNCATE t' -c "$fit" > /dev/null
sql -c "SET test.sleep = 0.1" -c "SET statement_timeout = '500ms'" \
    -c "CALL synth_into('t', 100, 'm', seed => 1, batch_size => 1)" > /dev/null || true
createdb "${database}_2"
pg_dump "$database" | psql -X -q -d "${database}_2" > /dev/null
database=${database}_2
is "$(sql -c "CALL synth_into('t', 100, 'm')" | grep -c resuming)" 1 'a restored fill goes on'
is "$(same_rows 100)" '100|0' 'with the rows that were missing'
database=${database%_2}

echo "1..$n"
exit $failed
