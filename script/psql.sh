#!/bin/bash
# psql in a database of its own, a copy of $GENSYNTH_TEMPLATE, which goes with
# it: script/check.sh runs test/*.sql so.
set -euo pipefail
export PGDATABASE=${GENSYNTH_TEMPLATE}_$$
trap 'dropdb --if-exists --force "$PGDATABASE"' EXIT
createdb -T "$GENSYNTH_TEMPLATE" "$PGDATABASE"
psql "$@"
