#!/bin/bash
# pg_upgrade from the major of $OLD_PG_CONFIG to that of $PG_CONFIG, both with
# gensynth installed: models, grants and jobs are there, and rows identical.
# script/majors.sh has two majors; elsewhere there is nothing to be tested.
# Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"
here=$(cd "$(dirname "$0")/.." && pwd)

if [ -z "${OLD_PG_CONFIG:-}" ]; then
    echo '1..0 # SKIP there is one major only'
    exit
fi
old=$("$OLD_PG_CONFIG" --bindir)
new=$("${PG_CONFIG:-pg_config}" --bindir)
unset PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGOPTIONS PGSERVICE
export PGUSER=postgres PGDATABASE=clinic PGCLIENTENCODING=UTF8

# servers do not run as root
as_server=()
if [ "$(id -u)" = 0 ]; then as_server=(runuser -u postgres -m --); fi
work=$(mktemp -d /tmp/pg_upgrade.XXXXXX)
[ "$(id -u)" != 0 ] || chown postgres "$work"
export PGHOST=$work HOME=$work
cd "$work"
running=
trap '[ -z "$running" ] || "${as_server[@]}" "$running/pg_ctl" -D "$work/data" -m immediate stop > /dev/null; rm -rf "$work"' EXIT

# make bin directory: a cluster; those of 18 and later have checksums otherwise
make() {
    local checksums=()
    if [ "$("$1/postgres" -V | sed -E 's/[^0-9]*([0-9]+).*/\1/')" -ge 18 ]; then checksums=(--no-data-checksums); fi
    "${as_server[@]}" "$1/initdb" -D "$2" -E UTF8 --locale=C -A trust -U postgres "${checksums[@]}" > /dev/null
    "${as_server[@]}" tee -a "$2/postgresql.conf" > /dev/null << END
unix_socket_directories = '$work'
listen_addresses = ''
fsync = off
timezone = UTC
END
}
# start bin directory
start() {
    rm -f "$work/data"
    ln -s "$2" "$work/data"
    "${as_server[@]}" "$1/pg_ctl" -D "$2" -l "$work/log" -w start > /dev/null
    running=$1
}
stop() {
    "${as_server[@]}" "$running/pg_ctl" -D "$work/data" -m fast -w stop > /dev/null
    running=
}
sql() { "$running/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# All that is to be the same.
describe() {
    sql << 'SQL'
SELECT 'jsonb', model, md5(string_agg(r, ',' ORDER BY i)) FROM (SELECT model, r::text, i
    FROM synth_models, LATERAL (SELECT r, row_number() OVER () AS i FROM synth_sample(model, 2000, seed => 42) AS r) AS s WHERE current) AS s
GROUP BY model ORDER BY model;
SELECT 'typed', md5(string_agg(r::text, ',' ORDER BY i))
FROM (SELECT r, row_number() OVER () AS i FROM synth_sample(NULL::people, 2000, model => 'people', seed => 42) AS r) AS s;
SELECT * FROM synth_models ORDER BY model, version;
SELECT * FROM gensynth.grants ORDER BY model, role;
SELECT * FROM synth_jobs ORDER BY job;
SELECT count(*), md5(string_agg(t::text, ',' ORDER BY model, version, name)) FROM gensynth.tensors AS t;
SELECT extversion FROM pg_extension WHERE extname = 'gensynth';
SQL
}

make "$old" "$work/old"
start "$old" "$work/old"
PGDATABASE=postgres sql -c 'CREATE DATABASE clinic'
sql << 'SQL'
SET client_min_messages = warning;
CREATE ROLE reader;
CREATE EXTENSION gensynth;
CREATE TYPE sex AS ENUM ('F', 'M');
CREATE DOMAIN age AS int CHECK (VALUE BETWEEN 0 AND 150);
CREATE TABLE people AS SELECT i AS id, (18 + i % 60)::age AS age, (ARRAY['F', 'M'])[1 + i % 2]::sex AS sex, i * 1.37 AS cost,
    date '1950-01-01' + i * 5 AS born, 'Name ' || i AS name, ARRAY['a' || i % 3, 'b'] AS tags, jsonb_build_object('i', i) AS doc
    FROM generate_series(1, 1000) AS i;
ALTER TABLE people ADD PRIMARY KEY (id);
SELECT synth_fit('people', seed => 1), synth_fit('people', seed => 2), synth_fit('people', 'copula', model => 'copula', seed => 1),
    synth_fit('people', 'vae', model => 'vae', columns => '{age,sex,cost}', seed => 1, options => '{"steps": 10}') \g /dev/null
SELECT synth_wait(synth_fit_background('people', model => 'job', columns => '{age,sex}', seed => 3)) \g /dev/null
SELECT synth_grant('people', 'reader') \g /dev/null
SQL
describe > "$work/before"
is "$(grep -c '^jsonb' "$work/before")" 4 'there is something to be kept'
stop

make "$new" "$work/new"
if "${as_server[@]}" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/old" -D "$work/new" -U postgres -s "$work" > "$work/output" 2>&1; then
    is upgraded upgraded 'pg_upgrade'
else
    find "$work" -name '*.log' -exec cat {} + >> "$work/output" 2> /dev/null || true
    is "$(tail -n 50 "$work/output")" '' 'pg_upgrade'
fi
start "$new" "$work/new"
is "$(describe)" "$(cat "$work/before")" "$("$new/postgres" -V): models, grants, jobs and rows are the same"
is "$(sql -c 'SET ROLE reader' -c "SELECT count(*) FROM synth_sample('people', 10)")" 10 'the grant holds'
is "$(sql -c "SELECT version FROM synth_fit('people')")" 3 'and a fit goes on'
is "$(sql -c "SELECT synth_wait(synth_fit_background('people', model => 'later'))")" done 'in the background, too'
stop
cd "$here"
echo "1..$n"
exit "$failed"
