# tap.bash: what the shell tests share; to be sourced.  A test ends with
# echo "1..$n" and exits with $failed.
# shellcheck shell=bash disable=SC2034

n=0
failed=0

# is got expected name
is() {
    n=$((n + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $n - $3"
    else
        failed=1
        echo "not ok $n - $3"
        diff <(echo "$2") <(echo "$1") | sed 's/^/# /' || true
    fi
}

# await query: until the query, which sql() runs, says t.  What never comes is a failed test in the end.
await() {
    local until=$((SECONDS + ${PG_TEST_TIMEOUT_DEFAULT:-180}))
    while [ "$(sql -c "$1")" != t ]; do
        if [ "$SECONDS" -gt "$until" ]; then
            echo "# still waiting for: $1"
            sql -c 'SELECT pid, application_name, state, wait_event, query FROM pg_stat_activity' | sed 's/^/# /'
            return
        fi
        sleep 0.05
    done
}
