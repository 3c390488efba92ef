#!/bin/bash
# docs.sh
#
# Run the SQL of README.md and docs/*.md, so that the manual says what is so.
# Each file gets a database of its own with gensynth and the first 5,000 rows of
# the demo's table patients; its blocks run in order, one psql session each.  A block is
#
#	```sql			run; any error fails the test
#	```sql error CODE	run; must fail with this SQLSTATE
#	```sql notest		left alone
#
# Prints TAP, one test a block.  Needs a server, as test/*.sh do: see
# script/check.sh.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

database=gensynth_docs
blocks=$(mktemp -d)
export PGOPTIONS='-c client_min_messages=warning'
export PSQL_PAGER=cat

psql() { command psql -X -q -v ON_ERROR_STOP=1 -v VERBOSITY=verbose "$@"; }
# The manual's roles that are there.
roles() {
    psql -At -d postgres -c 'SELECT rolname FROM pg_roles' |
        grep -xF -f <(sed -n 's/^CREATE ROLE \([a-z_]*\).*/\1/p' README.md docs/*.md) | sort
}

# What the manual makes goes with it: databases, then roles.
tidy() {
    dropdb --if-exists "$database" 2> /dev/null
    dropdb --if-exists "${database}_template" 2> /dev/null
    comm -13 <(echo "$before") <(roles) | while read -r role; do
        psql -d postgres -v role="$role" <<< 'DROP ROLE :"role"' > /dev/null
    done
    rm -rf "$blocks"
}
before=$(roles)
trap tidy EXIT

if ! { dropdb --if-exists "${database}_template" 2> /dev/null; createdb "${database}_template" &&
       psql -d "${database}_template" -c 'CREATE EXTENSION gensynth' -f demo/patients.sql \
           -c 'DELETE FROM patients WHERE patient_id > 5000' -c 'VACUUM ANALYZE patients'; } > /dev/null; then
    echo 'Bail out! cannot make the database'
    exit 2
fi

n=0
failed=0
for file in README.md docs/*.md; do
    rm -f "$blocks"/*
    # One file a block, named by its line; the first line is the fence's words.
    awk -v dir="$blocks" '
        /^```/ && inside { close(out); inside = 0; next }
        /^```/           { inside = 1; out = "/dev/null"
                           if ($1 == "```sql") { out = sprintf("%s/%05d", dir, NR); print "-- " $2 " " $3 > out }
                           next }
        inside           { print > out }' "$file"
    dropdb --if-exists "$database" 2> /dev/null
    createdb -T "${database}_template" "$database" || exit 2
    for block in "$blocks"/*; do
        [ -e "$block" ] || continue
        read -r _ kind code < "$block"
        [ "$kind" != notest ] || continue
        n=$((n + 1))
        name="$file:$((10#$(basename "$block")))"
        status=0
        output=$(psql -d "$database" -f "$block" 2>&1 > /dev/null) || status=$?
        found=$(sed -n 's/^.*ERROR:  \([0-9A-Z]\{5\}\): .*/\1/p' <<< "$output" | head -n 1)
        case $kind in
            '')    good=$((status == 0)) ;;
            error) good=$((status != 0)); [ "$found" = "$code" ] || good=0 ;;
            *)     good=0; output="unknown kind of block: $kind" ;;
        esac
        if [ "$good" = 1 ]; then
            echo "ok $n - $name"
        else
            failed=1
            echo "not ok $n - $name"
            echo "${output:-no error}" | sed 's/^/# /'
        fi
    done
done
echo "1..$n"
exit "$failed"
