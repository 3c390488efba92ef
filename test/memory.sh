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
    -c "CREATE TABLE t AS SELECT i AS a, i % 13 AS b, i * i % 101 AS c, 'text ' || i % 7 AS d FROM generate_series(1, 2000) AS i"

# limit pid megabytes: the process may take so many more; only its own user may say so.
cat > "$work/limit" << 'SH'
kb=$(sed -n 's/^VmSize:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status")
command="prlimit --pid $1 --as=$(((kb + $2 * 1024) * 1024))"
user=$(stat -c %U "/proc/$1")
[ "$(id -un)" != "$user" ] || exec $command
exec su "$user" -s /bin/sh -c "$command"
SH

# What becomes of a call in a session with a limit: "done", or an error's SQLSTATE.
within() { # megabytes call
    psql -X -q -A -t -d "$database" 2>&1 << SQL | grep '^done$\|^ERROR\|limit' | tail -n 1
\\set VERBOSITY sqlstate
LOAD 'gensynth';
SET statement_timeout = '60s';
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! sh $work/limit \$PID $1
SELECT 'done' FROM $2 LIMIT 1;
SQL
}
fit_within() { # megabytes method options
    within "$1" "synth_fit('t', method => '$2', model => '$2', seed => 1, options => '$3')"
}

psql -X -q -A -t -d "$database" > "$work/probe" 2>&1 << SQL || true
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! sh $work/limit \$PID 1000 && echo limited
SQL
if ! grep -q limited "$work/probe"; then
    echo '1..0 # SKIP the address space of a running process cannot be limited here'
    exit
fi

is "$(fit_within 64 copula '{}')" 'ERROR:  53200' 'without room for OpenBLAS, a fit is refused'
is "$(fit_within 512 copula '{}')" 'done' 'with enough, it is done'
is "$(within 64 "synth_sample('copula', 5000, given => '{\"a\": {\"lt\": 900}, \"b\": 3}')")" 'done' 'to sample takes no OpenBLAS'
for method in tree copula vae diffusion gan; do
    steps='{"steps": 2}'
    case $method in tree | copula) steps='{}' ;; esac
    for megabytes in 2 8 20 40 90 130 150; do
        outcome=$(fit_within "$megabytes" "$method" "$steps")
        echo "${outcome:-nothing}"
        case $outcome in done | 'ERROR:  53200') ;; *) echo "# $method within $megabytes MB: $outcome" >&2 ;; esac
    done > "$work/outcomes"
    is "$(grep -v '^done$\|53200$' "$work/outcomes" || true)" '' "$method: done, or out of memory"
done
is "$(psql -X -q -A -t -d "$database" -c "SELECT count(*) > 0 FROM synth_sample('copula', 5)")" t 'the server goes on'

echo "1..$n"
exit "$failed"
