#!/bin/bash
# Masking where the disk is full: a small tablespace in memory, which root can
# make where the server sees it; skipped elsewhere.  Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/lib/tap.bash
. test/lib/tap.bash

database=gensynth_mask_disk
disk=$(mktemp -d)
export PGOPTIONS='-c client_min_messages=warning'
sql() { psql -X -q -A -t -d "$database" "$@" 2>&1; }
tidy() {
    dropdb --if-exists --force "$database" 2> /dev/null || true
    psql -X -q -d postgres -c 'DROP TABLESPACE IF EXISTS gensynth_full' 2> /dev/null || true
    umount "$disk" 2> /dev/null || true
    rmdir "$disk"
}
trap tidy EXIT
skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
[ "$(id -u)" = 0 ] || skip 'only root can make a small file system'
server=$(stat -c %U "$(psql -X -A -t -d postgres -c 'SHOW data_directory')" 2> /dev/null) || skip 'the server is elsewhere'
mount -t tmpfs -o "size=8m,mode=700,uid=$(id -u "$server"),gid=$(id -g "$server")" none "$disk" 2> /dev/null || skip 'no file system can be mounted'
psql -X -q -d postgres -c "CREATE TABLESPACE gensynth_full LOCATION '$disk'" 2> /dev/null || skip 'the server does not see it'
dropdb --if-exists --force "$database" 2> /dev/null || true
createdb "$database"

sql -c 'CREATE EXTENSION gensynth' -c 'SELECT synth_key()' > /dev/null
sql -c 'CREATE TABLE p (id int PRIMARY KEY, name text, filler text) TABLESPACE gensynth_full' -c 'CREATE TABLE c (p int REFERENCES p)' \
    -c "INSERT INTO p SELECT i, 'Person ' || i, repeat('x', 400) FROM generate_series(1, 10000) AS i" -c 'INSERT INTO c SELECT id FROM p' -c 'CHECKPOINT' > /dev/null
state() { sql -c "SELECT md5(string_agg(p::text, '' ORDER BY id)), (SELECT md5(string_agg(c::text, '' ORDER BY p)) FROM c) FROM p"; }
used() { sql -c CHECKPOINT > /dev/null; df --output=used "$disk" | tail -n 1; }
before=$(state)
room=$(used)
call="CALL synth_mask('p', '{id,name}', '{\"name\": \"pseudonym\"}')"
is "$(sql -c "$call" | grep -c '^ERROR:  could not extend file .*No space left on device')" 1 'no room for the new table'
is "$(state)" "$before" 'all is as it was'
is "$(sql -c "SELECT count(*) FROM pg_class WHERE relname ~ '^pg_temp_'" -c 'SELECT count(*) FROM synth_provenance')" $'0\n0' 'and nothing is left over'
is "$(($(used) <= room + 64))" 1 'the disk has its room again'
sql -c 'TRUNCATE c' -c 'DELETE FROM p WHERE id > 3000' -c 'INSERT INTO c SELECT id FROM p' > /dev/null
is "$(sql -c "$call")" '' 'where there is room it is masked'
is "$(sql -c "SELECT count(*), count(p.id) FROM c LEFT JOIN p ON p.id = c.p AND p.name !~ '^Person'")" '3000|3000' 'with all keys'
echo "1..$n"
exit $failed
