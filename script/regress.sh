#!/bin/bash
# Run pg_regress and pg_isolation_regress against the server that the
# environment names, as a role that is no superuser, and tell the results as TAP,
# one line a test, whatever the major version's own format; the differences go to
# standard error.
set -euo pipefail
cd "$(dirname "$0")/.."

# what pg_regress and the tests do: databases, roles, and messages in English
psql -X -q -d postgres -v password="${PGPASSWORD:-}" << 'END'
CREATE ROLE gensynth_ordinary LOGIN CREATEDB CREATEROLE PASSWORD :'password';
GRANT SET ON PARAMETER lc_messages TO gensynth_ordinary;
END
export PGUSER=gensynth_ordinary

# t/*.pl run beside them, by script/tap.sh.  The isolation tests go on after
# pg_regress has failed.
status=0
output=$(make -s installcheck TAP_TESTS= ISOLATION= 2>&1) || status=$?
output+=$'\n'$(make -s installcheck TAP_TESTS= REGRESS= 2>&1) || status=$?

# "test name ... ok  12 ms" up to version 15, "ok 1  - name  12 ms" since 16.
awk -v status="$status" '
    /^(test | +)[^ ]+ +\.\.\. / { name = $1 == "test" ? $2 : $1; good = / \.\.\. ok/ }
    /^(not )?ok [0-9]/          { name = $0; sub(/^[^-+]*[-+] */, "", name); sub(/ .*/, "", name); good = /^ok/ }
    name != ""                  { print (good ? "ok " : "not ok ") ++n " - " name; name = "" }
    END { print (status ? "not ok " : "ok ") ++n " - pg_regress is content"; print "1.." n }
' <<< "$output"
if [ "$status" != 0 ]; then
    cat regression.diffs output_iso/regression.diffs >&2 2> /dev/null || echo "$output" >&2
    exit 1
fi
