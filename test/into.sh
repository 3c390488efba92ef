#!/bin/bash
# synth_into and statement_timeout, and across a dump.  Prints TAP.  What other
# sessions do meanwhile is in specs/fills.spec, what a crash does in
# t/001_crash.pl.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_into

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }

drop_databases() {
    dropdb --if-exists "$database" 2> /dev/null || true
    dropdb --if-exists "${database}_2" 2> /dev/null || true
}

trap drop_databases EXIT

fit="SELECT version FROM synth_fit('SELECT i AS a, chr(65 + i % 5) AS b FROM generate_series(1, 200) AS i', model => 'm', seed => 1)"

drop_databases
createdb "$database"
# shellcheck disable=SC2016  # the quotes of SQL
sql -c 'CREATE EXTENSION gensynth' -c "$fit" -c '
CREATE TABLE t (a int, b text);
CREATE SEQUENCE batches;
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval($x$batches$x$)::text = current_setting($x$test.stop$x$, true) THEN
        PERFORM pg_cancel_backend(pg_backend_pid());
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stop AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION stop()' > /dev/null

# A timeout holds for the whole call, however short its batches are, and leaves those before it.  A call that heeded
# none would stop at another error; a machine that makes no batch in the time gets more.
for seconds in 1 8 64 512; do
    stopped=$(sql -c "SET statement_timeout = '${seconds}s'" -c "SET test.stop = '${seconds}00000'" \
        -c "CALL synth_into('t', 1e12, 'm', batch_size => 10)" | grep ERROR || true)
    [ "$(sql -c 'SELECT count(*) FROM synth_fills')" = 0 ] || break
done
is "$stopped" 'ERROR:  canceling statement due to statement timeout' 'a call that times out'
is "$(sql -c 'SELECT done > 0, done = (SELECT count(*) FROM t), finished FROM synth_fills')" \
    't|t|f' 'its batches and its progress stay'

# A version dropped while a fill waits, by itself or for being too old.
sql -c 'TRUNCATE t' -c 'DELETE FROM synth_fills' -c 'ALTER SEQUENCE batches RESTART' -c "SET test.stop = '3'" \
    -c "CALL synth_into('t', 100, 'm', seed => 1, batch_size => 1)" > /dev/null || true
sql -c "$fit" -c "SELECT synth_drop('m', 1)" > /dev/null
is "$(sql -c "CALL synth_into('t', 100, 'm')")" "ERROR:  the fill of public.t began with version 1 of model \"m\", which was dropped
HINT:  The batches before that stay in the table.  To start anew, DELETE FROM public.synth_fills WHERE target = 'public.t'." 'a version dropped meanwhile'
is "$(sql -c "DELETE FROM public.synth_fills WHERE target = 'public.t'" -c "CALL synth_into('t', 100, 'm')" -c 'SELECT count(*) >= 100 FROM t')" t 'and what the hint says'

# Begun before a dump, ended after it.
sql -c 'TRUNCATE t' -c 'DELETE FROM synth_fills' -c 'ALTER SEQUENCE batches RESTART' > /dev/null
is "$(sql -c "SET test.stop = '6'" -c "CALL synth_into('t', 100, 'm', seed => 1, batch_size => 3)" | grep ERROR)" \
    'ERROR:  canceling statement due to user request' 'a call that is stopped'
createdb "${database}_2"
pg_dump "$database" | psql -X -q -d "${database}_2" > /dev/null
database=${database}_2
is "$(sql -c "CALL synth_into('t', 100, 'm')" | head -n 1)" 'NOTICE:  resuming after 15 of 100 rows' 'a restored fill goes on'
is "$(sql -c "SELECT (SELECT count(*) FROM t), count(*) FROM (
    SELECT * FROM synth_rows('m', 100, seed => 1) AS s(a int, b text) EXCEPT ALL SELECT a, b FROM t) AS d")" '100|0' \
    'with the rows that were missing'
database=${database%_2}

echo "1..$n"
exit $failed
