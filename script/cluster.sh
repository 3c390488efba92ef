#!/bin/bash
# cluster.sh command [argument ...]
#
# Run a command inside a throwaway PostgreSQL cluster, made for it in a
# temporary directory and removed after it, whether or not another PostgreSQL
# is running and whether or not we are root.  PGHOST, PGPORT, PGUSER and
# PGPASSWORD (a superuser's) lead the command there.  The version is that of
# $PG_CONFIG.  If the command fails, the server's log is kept as
# build/server.log.
set -euo pipefail

major=$("${PG_CONFIG:-pg_config}" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')

# -t puts even root's cluster in a temporary directory, so that two runs do not
# meet; the server, another user, must be able to reach it.
[ "$(id -u)" != 0 ] || unset TMPDIR
# These would lead to another server.
unset PGPORT PGHOST PGSERVICE PGDATABASE PGOPTIONS PGUSER PGSYSCONFDIR
# The same everywhere, whatever the machine's language and time zone.
export PGCLIENTENCODING=UTF8

chatter=$(mktemp)
trap 'rm -f "$chatter"' EXIT

# A port is free until a server has it: one cluster is begun at a time.
exec 9< /var/run/postgresql
flock 9

# Nothing here outlives the run, so nothing is written twice or waited for.
# pg_virtualenv's own talk is kept apart from the command's output.
status=0
# shellcheck disable=SC2016  # the inner shell expands "$@"
pg_virtualenv -t -v "$major" \
    -o fsync=off -o synchronous_commit=off -o full_page_writes=off \
    -o wal_level=minimal -o max_wal_senders=0 -o max_wal_size=4GB \
    -o shared_buffers=256MB -o timezone=UTC \
    -c '--locale C.UTF-8 --encoding UTF8' \
    bash -c 'flock -u 9; exec "$@" >&3 2>&4 3>&- 4>&- 9>&-' command "$@" \
    3>&1 4>&2 > "$chatter" 2>&1 || status=$?
if [ "$status" != 0 ]; then
    here=$(dirname "$0")/..
    mkdir -p "$here/build"
    cp "$chatter" "$here/build/server.log"
    grep -E 'PANIC|terminated by signal|could not start' "$chatter" >&2 || true
    echo "cluster: exit $status; the server's log is in build/server.log" >&2
fi
exit "$status"
