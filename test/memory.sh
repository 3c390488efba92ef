#!/bin/bash
# Fits in a process that has little address space left: each ends, with a model or with out_of_memory, and heeds
# timeouts; OpenBLAS, which waits for ever for its buffer, is not let into that.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"

database=gensynth_memory
work=$(mktemp -d)
trap 'dropdb --if-exists "$database" 2> /dev/null; rm -rf "$work"' EXIT
dropdb --if-exists "$database" 2> /dev/null
createdb "$database"
psql -X -q -d "$database" -c 'CREATE EXTENSION gensynth' \
    -c "CREATE TABLE t AS SELECT i AS a, i % 13 AS b, i * i % 101 AS c, 'text ' || i % 7 AS d FROM generate_series(1, 2000) AS i" \
    -c 'CREATE TABLE few AS SELECT * FROM t LIMIT 100'

# limit pid kilobytes [stack]: the process may take so many more, or have so much stack; only its own user may say so.
cat > "$work/limit" << 'SH'
kb=$(sed -n 's/^VmSize:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status")
command="prlimit --pid $1 --as=$(((kb + $2) * 1024))"
[ "$3" != stack ] || command="prlimit --pid $1 --stack=$(($2 * 1024))"
user=$(stat -c %U "/proc/$1")
[ "$(id -un)" != "$user" ] || exec $command
exec su "$user" -s /bin/sh -c "$command"
SH

# What becomes of a query in a session with a limit: "done", or an error's SQLSTATE; nothing of a server that is gone.
query_within() { # kilobytes query [stack]
    psql -X -q -A -t -d "$database" 2>&1 << SQL | grep '^done$\|^ERROR\|limit' | tail -n 1
\\set VERBOSITY sqlstate
LOAD 'gensynth';
SET statement_timeout = '60s';
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! sh $work/limit \$PID $1 ${3:-}
$2;
SQL
}

# A fit of a table.
fit_of() { # table method options
    echo "SELECT 'done' FROM synth_fit('$1', method => '$2', model => '$2', seed => 1, options => '$3')"
}

# Within each limit a query ends with rows or is refused; all but that is told of.
none_but_refused() { # query kilobytes...
    local query=$1 kilobytes outcome
    shift
    for kilobytes; do
        outcome=$(query_within "$kilobytes" "$query") || true
        case $outcome in done | 'ERROR:  53'[02]00) ;; *) echo "within $kilobytes kB: ${outcome:-the server is gone}" ;; esac
    done
}

psql -X -q -A -t -d "$database" > "$work/probe" 2>&1 << SQL || true
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! sh $work/limit \$PID 1000000 && echo limited
SQL
if ! grep -q limited "$work/probe"; then
    echo '1..0 # SKIP the address space of a running process cannot be limited here'
    exit
fi

is "$(query_within 65536 "$(fit_of t copula '{}')")" 'ERROR:  53200' 'without room for OpenBLAS, a fit is refused'
is "$(query_within 524288 "$(fit_of t copula '{}')")" 'done' 'with enough, it is done'
is "$(query_within 65536 "SELECT DISTINCT 'done' FROM synth_sample('copula', 5000, given => '{\"a\": {\"lt\": 900}, \"b\": 3}')")" 'done' 'to sample takes no OpenBLAS'
for method in tree copula vae diffusion gan; do
    steps='{"steps": 2}'
    case $method in
        tree) steps='{}' limits='8192 20480 40960' ;;
        copula) steps='{}' limits='8192 40960 92160 133120 153600' ;;
        vae) limits=$(seq 8192 3072 63488) ;;
        *) limits=$(seq 8192 6144 75776) ;;
    esac
    fit=$(fit_of few "$method" "$steps")
    # shellcheck disable=SC2086 # numbers
    is "$(none_but_refused "$fit" 2048 $limits)" '' "$method: done, or refused"
    psql -X -q -d "$database" -c "$fit" > "$work/log" 2>&1
    is "$(none_but_refused "SELECT DISTINCT 'done' FROM synth_sample('$method', 3000)" 1024 6144 24576)" '' "$method: rows, or refused"
done
# A megabyte is what the stack grows by: where that is the megabyte that is not there, nobody would be told.
# shellcheck disable=SC2046 # numbers
is "$(none_but_refused "$(fit_of few vae '{"steps": 2}')" $(seq 28000 500 36000))" '' 'the stack has its room from the beginning'
is "$(query_within 1200 "$(fit_of few vae '{"steps": 2}')" stack)" 'ERROR:  53200' 'a fit is refused where the limit of the stack leaves no room'
is "$(query_within 1200 "SELECT DISTINCT 'done' FROM synth_sample('vae', 3000)" stack)" 'ERROR:  53200' 'a sample too'
is "$(psql -X -q -A -t -d "$database" -c "SELECT count(*) > 0 FROM synth_sample('copula', 5)")" t 'the server goes on'

echo "1..$n"
exit "$failed"
