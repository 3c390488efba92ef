#!/bin/bash
# check.sh [test ...]
#
# Run all tests, or those named, from a machine that need have nothing but bash
# and make:
#
#   test/c/test_*.c    C tests of the plain-C rooms, with ASan and UBSan where
#                      the compiler has them; each prints TAP
#   sql/, specs/       pg_regress and pg_isolation_regress, whose results are
#                      in expected/, by `make installcheck`
#   t/*.pl             servers that are killed and restarted, by the same
#   test/*.sql         pgTAP, each in a database of its own that holds pgtap
#                      and gensynth
#   test/*.sh          executable scripts that print TAP, led to the throwaway
#                      server by PGHOST and the like, where they make databases
#                      of their own
#
# Two run at a time, or as many as CHECK_JOBS says: a test must not mind what
# others do on the same server.
#
# Exit: 0 all passed, 1 a test failed, 2 it could not be built or set up.
set -euo pipefail
cd "$(dirname "$0")/.."
shopt -s nullglob
# The makes below are their own masters: no job server from the one above.
unset MAKEFLAGS MAKELEVEL

if [ "${1:-}" != --inside ]; then
    trap 'echo "check: stopped at line $LINENO: $BASH_COMMAND" >&2; exit 2' ERR

    PG_CONFIG=$(script/setup.sh)
    export PG_CONFIG WERROR=1
    echo 'check: building'
    make -s -j "$(nproc)" PG_CONFIG="$PG_CONFIG"
    # `make install` takes a root's rights, and no more than it needs.
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" make -s install PG_CONFIG="$PG_CONFIG" > /dev/null
    echo 'check: building the C tests'
    script/ctest.sh build/c
    echo 'check: testing in a throwaway PostgreSQL cluster'

    trap - ERR
    exec script/cluster.sh script/check.sh --inside "$@"
fi
shift

# From here on we are inside the cluster.
trap 'exit 2' ERR
export GENSYNTH_TEMPLATE=gensynth_test
createdb "$GENSYNTH_TEMPLATE"
psql -Xq -d "$GENSYNTH_TEMPLATE" -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION gensynth'
trap - ERR

tests=("$@")
# long ones first
[ $# -gt 0 ] || tests=(test/*.sh script/tap.sh test/*.sql script/regress.sh build/c/test_*)

# One harness for every kind, so that one line sums it all up.
prove --timer --jobs "${CHECK_JOBS:-2}" --source pgTAP --pgtap-option psql=script/psql.sh "${tests[@]}" || exit 1
