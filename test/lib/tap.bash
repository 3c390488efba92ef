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
