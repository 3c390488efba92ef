#!/bin/bash
# The custom scan in sessions of its own: first statements, cancels, errors in
# the middle, roles, and what changes between plan and execution.  What it gives
# is compared with what the plain function gives.  Prints TAP.  Row locks are in
# specs/locks.spec.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_sessions
work=$(mktemp -d)
export PGOPTIONS='-c jit=off'
# what never ends is a failed test in the end
patience=${PG_TEST_TIMEOUT_DEFAULT:-180}s

sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }

drop_all() {
    dropdb --if-exists "$database" 2> /dev/null || true
    psql -X -q -d postgres -c 'DROP ROLE IF EXISTS gs_sessions_nobody' -c 'DROP ROLE IF EXISTS gs_sessions_clerk' 2> /dev/null || true
}

trap 'kill $(jobs -p) 2> /dev/null || true; wait; drop_all; rm -rf "$work"' EXIT

# below what limit description
below() {
    is "$([ "$1" -lt "$2" ] && echo "below $2" || echo "$1")" "below $2" "$3"
}

# The same script gives the same with the custom scan and without, and not
# nothing: both description, script on standard input.
both() {
    cat > "$work/script"
    sql -c 'SET gensynth.enable_custom_scan = on' -f "$work/script" | sed 's/^psql:[^ ]* //' > "$work/streamed" || true
    sql -c 'SET gensynth.enable_custom_scan = off' -f "$work/script" | sed 's/^psql:[^ ]* //' > "$work/plain" || true
    is "$([ -s "$work/plain" ] && cat "$work/streamed")" "$(cat "$work/plain")" "$1"
}

drop_all
createdb "$database"
sql -c 'CREATE EXTENSION gensynth' -c "
CREATE TABLE src AS SELECT g AS id, (ARRAY['Bonn', 'Ulm', 'Kiel'])[1 + g % 3] AS city,
    CASE WHEN g % 9 > 0 THEN 20 + g * 13 % 50 END AS age, 150 + (g * 17) % 400 / 10.0 AS height
    FROM generate_series(1, 5000) AS g" -c "SELECT FROM synth_fit('SELECT * FROM src', model => 'm', seed => 1)" \
    -c "SELECT FROM synth_fit('src', seed => 1)" -c 'CREATE ROLE gs_sessions_nobody' -c 'CREATE ROLE gs_sessions_clerk'

# --- a session's first statement

is "$(sql -c "EXPLAIN (COSTS OFF) SELECT * FROM synth_sample(NULL::src, 1e9) LIMIT 10" | grep -c SynthScan)" 1 \
    'the first statement of a session streams'
# whole, these would take years
for call in "synth_sample(NULL::src, 1e15)" "synth_sample('m', 1e15)" "synth_sample('src'::regclass, 1e15)" \
    "synth_rows('m', 1e15) AS t(age int, city text)"; do
    is "$(sql -c "SET statement_timeout = '$patience'" -c "SELECT * FROM $call LIMIT 10" | wc -l)" 10 "$call: ten rows"
done

# --- cancelled in the middle

# cancelled state query: in the state, a condition on the session's row a of pg_stat_activity
cancelled() {
    sql -c "SET application_name = one" -c "SET statement_timeout = '$patience'" -c "$2" > "$work/one.out" &
    local one=$!
    await "SELECT count(*) = 1 FROM pg_stat_activity AS a WHERE datname = current_database() AND application_name = 'one'
        AND backend_type = 'client backend' AND state = 'active' AND $1"
    sql -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'one' AND backend_type = 'client backend'" > /dev/null
    wait $one || true
    is "$(head -n 1 "$work/one.out")" 'ERROR:  canceling statement due to user request' "cancelled: $2"
}
# the lock is taken when the first row is
running="EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND locktype = 'advisory')"
begun="(SELECT pg_advisory_lock_shared(9) OFFSET 0) AS begun"
cancelled "$running" "SELECT count(*) FROM $begun, synth_sample(NULL::src, 1e15)"
cancelled "$running" "SELECT count(s) FROM $begun, synth_sample('m', 1e15) AS s"
cancelled "$running" "SELECT count(age) FROM $begun, synth_sample(NULL::src, 1e15, given => '{\"city\": \"Ulm\", \"age\": {\"lt\": 30}}')"
cancelled "(SELECT count(*) = 2 FROM pg_stat_activity AS w WHERE w.leader_pid = a.pid)" \
    "SET max_parallel_workers_per_gather = 2; SELECT sum(age) FROM synth_sample(NULL::src, 1e15)"

for setting in on off; do
    is "$(sql -c "SET gensynth.enable_custom_scan = $setting" -c "SET statement_timeout = '300ms'" \
        -c "SELECT count(age) FROM synth_sample(NULL::src, 1e15)")" \
        'ERROR:  canceling statement due to statement timeout' "a timeout, custom scan $setting"
done

# --- errors in the middle leave nothing behind

memory='SELECT sum(total_bytes) FROM pg_backend_memory_contexts;'
resident="SELECT substring(pg_read_file('/proc/self/status') FROM 'VmRSS:\\s+(\\d+)');"
statements=("SELECT 1 / (500 - row_number() OVER ()) FROM synth_sample(NULL::src, 3000, seed => 7);"
    "SELECT 1 / (500 - row_number() OVER ()), s FROM synth_sample('m', 3000, seed => 7) AS s;"
    "SELECT 1 / (500 - row_number() OVER ()), t FROM synth_rows('m', 3000, seed => 7) AS t(age bigint, city varchar(9));"
    "SELECT 1 / (500 - row_number() OVER ()) FROM synth_sample(NULL::src, 3000, seed => 7, given => '{\"age\": {\"lt\": 40}}');")
{
    for statement in "${statements[@]}"; do
        for _ in $(seq 10); do echo "$statement"; done
    done
    printf '%s\n' "\\o $work/before" "$memory $resident" '\o'
    for statement in "${statements[@]}"; do
        for _ in $(seq 250); do echo "$statement"; done
    done
    printf '%s\n' "\\o $work/after" "$memory $resident" '\o'
} > "$work/failing.sql"
is "$(sql -f "$work/failing.sql" | grep -c 'ERROR:  division by zero')" 1040 'a thousand statements fail in the middle'
{ read -r contexts_before; read -r resident_before; } < "$work/before"
{ read -r contexts_after; read -r resident_after; } < "$work/after"
below $((contexts_after - contexts_before)) 100000 'memory contexts stay as they were (bytes)'
below $((resident_after - resident_before)) 5000 'so does the resident memory (kB)'

# --- many rows

peak="SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+)');"
sql -c 'SET max_parallel_workers_per_gather = 0' -c "SELECT FROM synth_sample('m', 3000)" -c "$peak" \
    -c 'SELECT count(height) FROM synth_sample(NULL::src, 4e6, seed => 7)' -c "$peak" \
    -c "SELECT count(s) FROM synth_sample('m', 3e5, seed => 7) AS s" -c "$peak" | grep . > "$work/peaks"
{ read -r before; read -r rows; read -r typed; read -r documents; read -r json; } < "$work/peaks"
is "$rows $documents" '4000000 300000' 'many rows'
below $((typed - before)) 4000 'in constant memory (kB)'
below $((json - typed)) 4000 'as documents, too (kB)'

# --- parallel mode where the planner would not choose it

if [ "$(sql -c 'SHOW server_version_num')" -ge 160000 ]; then force=debug_parallel_query; else force=force_parallel_mode; fi
for form in "synth_sample(NULL::src, 3000, seed => 7) AS t" "synth_sample('m', 3000, seed => 7) AS t" \
    "synth_sample('src'::regclass, 3000, seed => 7) AS t" "synth_rows('m', 3000, seed => 7) AS t(age int, city varchar(8))" \
    "synth_sample(NULL::src, 300, seed => 7, given => '{\"age\": {\"lt\": 40}}') AS t"; do
    query="SELECT md5(string_agg(t::text, '|')), count(*) FROM $form"
    for setting in on off; do
        is "$(sql -c "SET gensynth.enable_custom_scan = $setting" -c "SET $force = on" -c "$query")" \
            "$(sql -c "SET gensynth.enable_custom_scan = off" -c "$query")" "$force, custom scan $setting: $form"
    done
done

# --- parallel windows: every row once, whatever the number and the start

windows=$(
    for start_n in '1, 0' '1, 1' '1024, 1' '1025, 1' '1024, 2' '1, 1023' '1, 1025' '1000, 1024' '999, 150001' '16384, 16385' \
        '4611686018427387904, 40000' '4611686018427387905, 1' '9223372036854773000, 1' '9223372036854574783, 200000'; do
        echo "SELECT '$start_n', count(*), count(age), sum(hashtextextended(t::text, 1)) FROM
            synth_sample(NULL::src, ${start_n#*, }, seed => 7, start => ${start_n%, *}) AS t;"
    done
)
# where workers are planned from few rows on: the estimate says many
parallel="SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
    SET max_parallel_workers_per_gather = 3;"
# a generic plan takes n for unknown, 10000 rows by default: raised above the threshold
sql -c 'ALTER FUNCTION synth_sample(anyelement, float8, text, bigint, jsonb, bigint) ROWS 1000000'
for workers in 0 3; do
    {
        echo "$parallel SET max_parallel_workers_per_gather = $workers; SET plan_cache_mode = force_generic_plan;
            PREPARE q(float8, bigint) AS SELECT \$2, \$1, count(*), count(age), sum(hashtextextended(t::text, 1)) FROM
            synth_sample(NULL::src, \$1, seed => 7, start => \$2) AS t;"
        [ $workers = 0 ] || echo 'EXPLAIN (COSTS OFF) EXECUTE q(1, 1);'
        sed -n "s/^SELECT '\([0-9]*\), \([0-9]*\)'.*/EXECUTE q(\2, \1);/p" <<< "$windows"
    } > "$work/windows.sql"
    sql -f "$work/windows.sql" > "$work/windows.$workers" || true
done
is "$(grep -c 'Parallel Custom Scan' "$work/windows.3")" 1 'windows with a parallel plan'
is "$(grep -v -e '->' -e '^ ' -e Aggregate "$work/windows.3")" "$(cat "$work/windows.0")" 'workers give the rows of every window'
is "$(cut -d '|' -f 2,3 "$work/windows.0" | awk -F '|' '$1 == $2' | wc -l)" 14 'as many as asked for'
sql -c 'ALTER FUNCTION synth_sample(anyelement, float8, text, bigint, jsonb, bigint) ROWS 10000'
both 'windows, and the plain function' <<< "$(head -n 22 <<< "$windows") SELECT * FROM synth_sample(NULL::src, 0);
    SELECT * FROM synth_sample(NULL::src, 1, seed => 7); SELECT * FROM synth_sample('m', 1, seed => 7, start => 4611686018427387904);
    SELECT count(*) FROM synth_sample(NULL::src, 10, start => 0);
    SELECT count(*) FROM synth_sample(NULL::src, 10, start => 9223372036854775800);
    SELECT count(*) FROM synth_sample(NULL::src, -1); SELECT count(*) FROM synth_sample(NULL::src, 1.5);
    SELECT count(*) FROM synth_sample(NULL::src, 'NaN'); SELECT count(*) FROM synth_sample(NULL::src, 'Infinity');"

# --- a seed that is drawn is one seed in all processes

is "$(sql -c "$parallel" -c "EXPLAIN SELECT count(*), sum(age) FROM synth_sample(NULL::src, 3e5)" | grep -c 'Parallel Custom Scan')" 1 \
    'a parallel plan without a seed'
is "$(sql -c "$parallel" -c "WITH c AS MATERIALIZED (SELECT id, age FROM synth_sample(NULL::src, 2e5))
    SELECT count(*) FROM (SELECT * FROM c EXCEPT ALL SELECT * FROM c) AS d")" 0 'a CTE against itself'
is "$(sql -c "$parallel SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off" -c "
    SELECT count(DISTINCT s), count(*) FROM generate_series(1, 4) AS g LEFT JOIN
        (SELECT sum(id) AS s FROM synth_sample(NULL::src, 2e5)) AS b ON g > 0")" '1|4' 'a rescan of a parallel scan'
sql -c 'CREATE TABLE big AS SELECT g % 100 AS k FROM generate_series(1, 200000) AS g' -c 'ANALYZE big'
for setting in on off; do
    for call in "synth_sample(NULL::src, 100) WITH ORDINALITY AS s" \
        "ROWS FROM (generate_series(0, 99), synth_sample(NULL::src, 100)) AS s(ordinality, id)"; do
        is "$(sql -c "$parallel SET gensynth.enable_custom_scan = $setting" -c "SELECT max(ids) FROM (
            SELECT k, count(DISTINCT id) AS ids FROM big JOIN $call ON k = s.ordinality GROUP BY k) AS x")" 1 \
            "workers do not draw seeds of their own: $call, custom scan $setting"
    done
done

# --- who may: as the plain function has it, when it is executed

sql -c "GRANT SELECT ON src TO PUBLIC" -c "SELECT synth_grant('m', 'gs_sessions_clerk')" > /dev/null
sample='synth_sample(anyelement, float8, text, bigint, jsonb, bigint)'
roles() {
    cat << SQL
SET plan_cache_mode = force_generic_plan;
PREPARE typed AS SELECT count(age) FROM synth_sample(NULL::src, 10, model => 'm', seed => 7);
PREPARE documents AS SELECT count(s) FROM synth_sample('m', 10, seed => 7) AS s;
PREPARE records AS SELECT count(age) FROM synth_rows('m', 10, seed => 7) AS t(age int);
PREPARE noone AS SELECT count(*) FROM synth_sample(NULL::src, 10, seed => 7) AS t;
PREPARE nested AS SELECT count(*) FROM synth_sample(NULL::src, secret(10), seed => 7) AS t;
SQL
    for role in postgres gs_sessions_clerk gs_sessions_nobody postgres gs_sessions_nobody; do
        if [ $role = postgres ]; then echo 'RESET ROLE;'; else echo "SET ROLE $role;"; fi
        for q in typed documents records noone nested; do
            echo "EXECUTE $q;"
            printf '%s\n' "\\echo $role $q :SQLSTATE"
        done
    done
}
# shellcheck disable=SC2016  # the quotes of SQL
sql -c 'CREATE FUNCTION secret(float8) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN $1; END $$' \
    -c 'REVOKE EXECUTE ON FUNCTION secret(float8) FROM PUBLIC'
both 'roles with and without a grant on the model' < <(roles)
is "$(grep -c '42501' "$work/streamed") $(grep -c '00000' "$work/streamed")" '12 13' 'some may, some may not'
sql -c "REVOKE EXECUTE ON FUNCTION $sample FROM PUBLIC"
both 'roles that may not execute the function' < <(roles)
is "$(grep -c "permission denied for function synth_sample" "$work/streamed")" 6 'they are told so'
sql -c "GRANT EXECUTE ON FUNCTION $sample TO PUBLIC"
both 'a privilege that goes away between two executions' << SQL
SET plan_cache_mode = force_generic_plan;
PREPARE q AS SELECT count(age) FROM synth_sample(NULL::src, 10, model => 'm', seed => 7);
SET ROLE gs_sessions_clerk;
EXECUTE q;
RESET ROLE;
BEGIN;
REVOKE EXECUTE ON FUNCTION $sample FROM PUBLIC;
SET ROLE gs_sessions_clerk;
SAVEPOINT s;
EXECUTE q;
ROLLBACK TO s;
RESET ROLE;
GRANT EXECUTE ON FUNCTION $sample TO PUBLIC;
SELECT synth_revoke('m', 'gs_sessions_clerk');
SET ROLE gs_sessions_clerk;
EXECUTE q;
ROLLBACK;
SQL

# --- cursors and COPY

both 'a cursor that outlives its transaction' << 'SQL'
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM synth_sample(NULL::src, 3000, seed => 7);
FETCH 2 FROM c;
DECLARE d SCROLL CURSOR WITH HOLD FOR SELECT s FROM synth_sample('m', 3000, seed => 7) AS s;
MOVE 2000 FROM d;
COMMIT;
FETCH 3 FROM c;
MOVE ABSOLUTE 2990 FROM c;
FETCH ALL FROM c;
FETCH BACKWARD 3 FROM d;
FETCH LAST FROM d;
SQL
both 'COPY' << 'SQL'
COPY (SELECT * FROM synth_sample(NULL::src, 2000, seed => 7)) TO STDOUT (FORMAT csv);
COPY (SELECT * FROM synth_sample('m', 2000, seed => 7)) TO STDOUT;
COPY (SELECT city, count(*), min(age) FROM synth_sample(NULL::src, 2000, seed => 7) WHERE age > 30 GROUP BY 1 ORDER BY 1) TO STDOUT;
SQL

# --- what changes between PREPARE and EXECUTE

changes="PREPARE q AS SELECT * FROM synth_sample(NULL::shape, 5, 'm', seed => 7);
    PREPARE r AS SELECT s FROM synth_sample(NULL::shape, 5, 'm', seed => 7) AS s;
    PREPARE c AS SELECT city FROM synth_sample(NULL::shape, 5, 'm', seed => 7);
    SET plan_cache_mode = force_generic_plan; EXECUTE q; EXECUTE r; EXECUTE c;"
# changed statement error: an error, or the right rows
changed() {
    sql -c 'DROP TABLE IF EXISTS shape' -c 'CREATE TABLE shape (age int, city text, height numeric)' > /dev/null
    {
        echo "$changes"
        printf '%s\n' '\echo changed'
        echo "$1;"
        for q in q r c; do echo "EXECUTE $q;"; done
        echo "SELECT 'still here';"
    } > "$work/script"
    sql -f "$work/script" | sed 's/^psql:[^ ]* //; 1,/^changed$/d; /^HINT\|^DETAIL/d' > "$work/out" || true
    is "$(cat "$work/out")" "$2" "$1"
}
rows() { sql -c "SELECT $1 FROM synth_rows('m', 5, seed => 7) AS s(age int, city text, height numeric)"; }
stale='ERROR:  row type of the sampled columns has changed since the query was planned'
three=$(rows '*')
whole=$(rows s)
city=$(rows city)
here='still here'
changed 'ALTER TABLE shape ALTER age TYPE bigint' "$stale
$whole
$city
$here"
changed 'ALTER TABLE shape DROP age' "$stale
$(rows "format('(%s,%s)', city, height)")
$city
$here"
changed 'ALTER TABLE shape DROP city' "$stale
$(rows "format('(%s,%s)', age, height)")
$stale
$here"
lacks() { echo "NOTICE:  model \"m\" lacks column \"$1\", which is null in its rows"; }
changed "ALTER TABLE shape ADD note text DEFAULT 'x'" "$three
$(lacks note)
$(rows "format('(%s,%s,%s,)', age, city, height)")
$city
$here"
changed 'ALTER TABLE shape RENAME age TO years' "$(lacks years)
$(rows "'', city, height")
$(lacks years)
$(rows "format('(,%s,%s)', city, height)")
$city
$here"
changed 'ALTER TABLE shape ALTER height TYPE numeric(4,0)' "$(rows 'age, city, round(height)')
$(rows "format('(%s,%s,%s)', age, city, round(height))")
$city
$here"

# what is gone altogether: errors, in PostgreSQL's own words
gone() {
    sql -c 'DROP TABLE IF EXISTS shape' -c 'CREATE TABLE shape (age int, city text, height numeric)' > /dev/null
    sql -c "$changes" -c "$1" -c 'EXECUTE q' -c 'EXECUTE r' -c 'EXECUTE c' -c "SELECT 'still here'" > "$work/out" || true
    is "$(grep -c '^ERROR' "$work/out") $(tail -n 1 "$work/out")" "3 $here" "$1"
}
gone 'DROP TABLE shape'
gone 'DROP EXTENSION gensynth CASCADE'
is "$(sql -c "SELECT * FROM synth_sample(NULL::src, 1)" | grep -c 'function synth_sample.* does not exist')" 1 'and the extension is not there any more'

echo "1..$n"
exit $failed
