#!/bin/bash
# Built for a major that former.c was not tested on, tuples come from heap_form_tuple: test/tuples.sql with a library
# that is built so, beside the one that is installed.  Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

database=gensynth_former
work=$(mktemp -d)
trap 'dropdb --if-exists "$database" 2> /dev/null; rm -rf "$work"' EXIT
# the server, another user if we are root, has to read it
chmod 755 "$work"

# Only one object is other than those that are there.
tar -cf - --exclude=src/stream/node/former.o Makefile gensynth.control src data | tar -xf - -C "$work"
make -s -C "$work" OPTFLAGS=-DGS_OWN_TUPLES=0 all 2>&1 | grep -v '<-' || true
is "$(nm "$work/src/stream/node/former.o" | grep -c 'heap_form_tuple')" 1 'a library that has PostgreSQL form its tuples'

dropdb --if-exists "$database" 2> /dev/null
createdb "$database"
psql -X -q -d "$database" -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION gensynth' \
    -c "UPDATE pg_proc SET probin = '$work/gensynth' WHERE probin = '\$libdir/gensynth'"
psql -X -q -A -t -d "$database" -f test/tuples.sql > "$work/results" 2>&1
is "$(head -n 1 "$work/results")" "1..$(grep -c '^ok ' "$work/results")" 'as many tests as were planned are passed'
is "$(grep -v '^ok \|^1\.\.' "$work/results" || true)" '' 'by all the ways that tuples go'
is "$(psql -X -q -A -t -d "$database" -c "SELECT count(*) FROM synth_sample('none', 1)" \
    -c "SELECT count(*) FILTER (WHERE maps LIKE '%$work/gensynth.so'), count(*) FILTER (WHERE maps LIKE '%lib/gensynth.so')
    FROM regexp_split_to_table(pg_read_file('/proc/self/maps'), '\n') AS maps" 2> /dev/null | tail -n 1 | sed 's/^[1-9][0-9]*|/some|/')" \
    'some|0' 'of this library'

echo "1..$n"
exit "$failed"
