#!/bin/bash
# Run t/*.pl, which begin, kill and restart servers of their own, as `make
# installcheck` does, and tell the results as TAP, one line a file; what a
# failed one has said goes to standard error.
set -euo pipefail
cd "$(dirname "$0")/.."

# Servers do not run as root, and their user need not be able to read this.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r Makefile gensynth.control t "$work"
as_server=(env)
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$work"
    as_server=(runuser -u postgres -- env)
fi
make=(make -s -C "$work" installcheck REGRESS= ISOLATION=)
as_server+=(-u PGHOST -u PGPORT -u PGUSER -u PGPASSWORD -u PGDATABASE "HOME=$work" LC_ALL=C.UTF-8)

lacking=$("${as_server[@]}" "${make[@]}" -n | sed -n 's/^without //p')
if [ -n "$lacking" ]; then
    echo "1..0 # SKIP without $lacking"
    exit
fi

n=0
failed=0
for file in t/*.pl; do
    n=$((n + 1))
    if "${as_server[@]}" "${make[@]}" PROVE_TESTS="$file" PROVE_FLAGS=--verbose > "$work/output" 2>&1 &&
        grep -q '^All tests successful' "$work/output"; then
        echo "ok $n - $file"
    else
        failed=1
        echo "not ok $n - $file"
        cat "$work/output" >&2
        tail -n 40 "$work"/tmp_check/log/* >&2 || true
    fi
done
echo "1..$n"
exit "$failed"
