#!/bin/bash
# Sessions that work on one model at the same time.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_concurrency
work=$(mktemp -d)
pid=()

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }

trap 'kill $(jobs -p) 2> /dev/null || true; wait; dropdb --if-exists "$database" 2> /dev/null; rm -rf "$work"' EXIT

# A session that takes statements from a file descriptor: open name number.
open() {
    mkfifo "$work/$1"
    sql < "$work/$1" > "$work/$1.out" &
    pid[$2]=$!
    eval "exec $2> \"$work/$1\""
}

# Ends a session, and waits for what it was told to do.
close() {
    eval "exec $1>&-"
    wait "${pid[$1]}" || true
}

# Until the query, which looks at pg_stat_activity or the like, says t.
await() {
    for _ in $(seq 100); do
        [ "$(sql -c "$1")" != t ] || return 0
        sleep 0.1
    done
    echo "# still waiting for: $1"
}

fit="SELECT version FROM synth_fit('t', seed => 1);"
waiting="SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

dropdb --if-exists "$database" 2> /dev/null
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' \
    -c "CREATE TABLE t AS SELECT i AS a, 'b' || i % 3 AS b FROM generate_series(1, 200) AS i"

# The first fit of a model by two sessions: one waits, both succeed.
open one 11
open two 12
echo "BEGIN; $fit SELECT 'one is in';" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "$fit" >&12
await "$waiting"
is "$(cat "$work/two.out")" '' 'a second fit of the same model waits'
echo 'COMMIT;' >&11
close 12
is "$(cat "$work/two.out")" 2 'and makes the next version'
is "$(sql -c 'SELECT version, current FROM synth_models ORDER BY 1')" $'1|f\n2|t' 'both are there'

# The one that is waited for rolls back.
open three 12
echo "BEGIN; $fit SELECT 'one is in';" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "$fit" >&12
await "$waiting"
echo 'ROLLBACK;' >&11
close 12
is "$(cat "$work/three.out")" 3 'a fit that waits for one that fails takes its number'

# The model is dropped meanwhile.
open four 12
echo "BEGIN; SELECT synth_drop('t') IS NULL;" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "$fit" >&12
await "$waiting"
echo 'COMMIT;' >&11
close 12
is "$(cat "$work/four.out")" 1 'a fit of a model that is dropped meanwhile makes it anew'

# A version that a fit is about to drop cannot become the current one.
open five 12
echo "BEGIN; SELECT version FROM synth_fit('t', seed => 1, options => '{\"keep_versions\": 0}');" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "SELECT synth_use('t', 1);" >&12
await "$waiting"
echo 'COMMIT;' >&11
close 12
is "$(head -n 1 "$work/five.out")" 'ERROR:  model "t" has no version 1' 'synth_use waits for a fit, and sees what it left'

# Nor can the version be dropped that is about to become the current one.
sql -c "$fit" > /dev/null
open six 12
echo "BEGIN; SELECT synth_use('t', 2);" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "SELECT synth_drop('t', 2);" >&12
await "$waiting"
echo 'COMMIT;' >&11
close 12
is "$(head -n 1 "$work/six.out")" 'ERROR:  version 2 of model "t" is the current one' 'synth_drop waits for synth_use'
is "$(sql -c 'SELECT version, current FROM synth_models ORDER BY 1')" $'2|t\n3|f' 'no version is lost'

# There are no foreign keys: a grant waits for a drop, and a drop sees a grant that is newer than its snapshot.
sql -c 'CREATE ROLE gensynth_concurrency' > /dev/null
open seven 12
echo "BEGIN; SELECT synth_drop('t');" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
echo "SELECT synth_grant('t', 'gensynth_concurrency');" >&12
await "$waiting"
echo 'COMMIT;' >&11
close 12
is "$(head -n 1 "$work/seven.out")" 'ERROR:  model "t" was dropped or given away a moment ago' 'a grant waits for a drop'
sql -c "$fit" > /dev/null
is "$(sql -c 'SELECT count(*) FROM gensynth.grants')" 0 'and a later model of that name is granted to nobody'
open eight 12
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM synth_models;" >&12
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
sql -c "SELECT synth_grant('t', 'gensynth_concurrency')" > /dev/null
echo "SELECT synth_drop('t'); COMMIT;" >&12
close 12
is "$(grep ERROR "$work/eight.out")" 'ERROR:  could not serialize access due to concurrent update' 'a drop does not leave a grant that it cannot see'
is "$(sql -c 'SELECT (SELECT count(*) FROM synth_models), (SELECT count(*) FROM gensynth.grants)')" '1|1' 'all is as it was'
sql -c "SELECT synth_drop('t')" -c "$fit" > /dev/null
is "$(sql -c 'SELECT count(*) FROM gensynth.grants')" 0 'grants go with their model'
sql -c 'DROP ROLE gensynth_concurrency' > /dev/null

# A fill does not go on with another model of the same name and version.
sql -c 'CREATE TABLE slow (a int, b text)' -c "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'" \
    -c 'CREATE TRIGGER halt BEFORE INSERT ON slow FOR EACH STATEMENT EXECUTE FUNCTION halt()' > /dev/null
echo "SELECT pg_advisory_lock(1);" >&11
await "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
open nine 12
echo "CALL synth_into('slow', 10, model => 't', seed => 1);" >&12
await "$waiting"
sql -c "SELECT synth_drop('t')" -c "$fit" > /dev/null
echo "SELECT pg_advisory_unlock(1);" >&11
close 12
is "$(head -n 1 "$work/nine.out")" 'ERROR:  model "t" was dropped while public.slow was filled' 'a fill ends when its model is dropped and made anew'
is "$(sql -c 'SELECT (SELECT count(*) FROM slow), (SELECT count(*) FROM gensynth.fills)')" '0|0' 'and leaves nothing'

# A stream that has begun goes on while its model is dropped.
echo "BEGIN; DECLARE c CURSOR FOR SELECT synth_sample('t', 100000, seed => 1); FETCH 1 FROM c \\g /dev/null
SELECT 'open';" >&11
await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
sql -c "SELECT synth_drop('t')" > /dev/null
echo "MOVE ALL FROM c; CLOSE c; COMMIT; SELECT 'streamed';" >&11
close 11
is "$(tail -n 1 "$work/one.out")" streamed 'a stream goes on when its model is dropped'

# A cancelled fit leaves the version that was there, and stops at once.
sql -c "$fit" > /dev/null
began=$(date +%s%N)
sql -c "SET statement_timeout = '200ms'" \
    -c "SELECT synth_fit('SELECT i, i % 1000 AS a, md5(i::text) AS b FROM generate_series(1, 100000000) AS i', model => 't')" > "$work/cancelled" || true
took=$((($(date +%s%N) - began) / 1000000))
is "$(head -n 1 "$work/cancelled")" 'ERROR:  canceling statement due to statement timeout' 'a fit can be cancelled'
is "$([ "$took" -lt 30000 ] && echo soon || echo "after $took ms")" soon 'and stops long before its end'
is "$(sql -c 'SELECT version, current, source FROM synth_models ORDER BY 1')" '1|t|public.t' 'the version that was there still is'

# Until threads work for the session that has the query; where the system does not tell, at once.
await_threads() {
    local pid
    pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%$1%' AND pid <> pg_backend_pid()")
    [ -r "/proc/$pid/status" ] || return 0
    for _ in $(seq 3000); do
        [ "$(sed -n 's/^Threads:[^0-9]*//p' "/proc/$pid/status")" -le 1 ] || return 0
        sleep 0.01
    done
    echo "# no threads after 30 s"
}

# A session that is ended while threads work for it ends alone: all others would be if it crashed.
# It goes on fitting until it is ended, however fast that is.
sql -c "CREATE TABLE busy AS SELECT $(printf '(hashint4(i * %d) %% 1000)::int AS c%d, ' $(for c in $(seq 40); do echo "$c" "$c"; done)) i FROM generate_series(1, 20000) AS i" > /dev/null
for method in tree vae; do
    open "with_$method" 12
    echo "SELECT 'before';" >&12
    sql -c "SELECT count(synth_fit('busy', method => '$method', options => '{\"keep_versions\": 0}')) FROM generate_series(1, 10000)" > "$work/ended" &
    fitting=$!
    await "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%busy%' AND pid <> pg_backend_pid()"
    await_threads busy
    sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%busy%' AND pid <> pg_backend_pid()" > /dev/null
    wait "$fitting" || true
    is "$(grep -c 'terminating connection due to administrator command' "$work/ended")" 1 "a $method fit is ended with its session"
    echo "SELECT 'alive';" >&12
    close 12
    is "$(tail -n 1 "$work/with_$method.out")" alive 'and no other session is'
done

echo "1..$n"
exit "$failed"
