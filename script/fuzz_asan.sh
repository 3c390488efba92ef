#!/bin/bash
# fuzz_asan.sh [command ...]
#
# Run a command, or both fuzz tests, on a throwaway server whose gensynth.so is
# built with AddressSanitizer and UndefinedBehaviorSanitizer, with red zones
# behind what it takes from palloc (test/lib/asan_palloc.c).  The server itself
# is the distribution's.  To be run as root, or as somebody who may install;
# FUZZ_RUNS and so on are the tests' own.  What the sanitizers find is shown,
# and kept in build/asan/reports.
#
# Exit: the command's, or 3 if a sanitizer has found something.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
export PG_CONFIG=${PG_CONFIG:-pg_config}
server=$("$PG_CONFIG" --bindir)
asan=$(readlink -f "$(gcc -print-file-name=libasan.so)")
sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=alignment'
rm -rf build/asan
mkdir -p build/asan
# not a VPATH build, which would take the objects that are there
tar -c --exclude '*.o' Makefile gensynth.control src | tar -x -C build/asan

# Server and libraries are not instrumented: of the calls only the extension's
# own lead to the red zones.
wrap=-Wl
for f in palloc palloc0 palloc_extended repalloc repalloc_huge pfree MemoryContextAlloc MemoryContextAllocZero \
    MemoryContextAllocHuge MemoryContextAllocExtended memcpy memmove memset memcmp; do wrap+=,--wrap=$f; done
serial=/usr/lib/$(gcc -print-multiarch)/openblas-serial
blas=-lopenblas
[ ! -d "$serial" ] || blas="-L$serial -Wl,-rpath,$serial -lopenblas"
built() { make -s -j "$(nproc)" -C build/asan "$@"; }
gcc -O2 -g -fPIC -I"$("$PG_CONFIG" --includedir-server)" -c -o build/asan/asan_palloc.o test/lib/asan_palloc.c
# The unrolled products of matrices would take the compiler half an hour; test/c has them under the sanitizers.
built src/numeric/gemm.o
built COPT="-O1 -g -fno-omit-frame-pointer $sanitize" BLAS_LIBS="$here/build/asan/asan_palloc.o $wrap $blas $sanitize"

# glibc's gettext does not come through under this preload, in Debian's build of the server.
gcc -x c -fno-builtin -shared -fPIC -o build/asan/no_gettext.so - << 'C'
char *bindtextdomain(const char *d, const char *dir) { return (char *) dir; }
char *bind_textdomain_codeset(const char *d, const char *c) { return (char *) c; }
char *textdomain(const char *d) { return (char *) d; }
char *gettext(const char *m) { return (char *) m; }
char *dgettext(const char *d, const char *m) { return (char *) m; }
char *dcgettext(const char *d, const char *m, int c) { return (char *) m; }
char *ngettext(const char *a, const char *b, unsigned long n) { return (char *) (n == 1 ? a : b); }
char *dngettext(const char *d, const char *a, const char *b, unsigned long n) { return ngettext(a, b, n); }
char *dcngettext(const char *d, const char *a, const char *b, unsigned long n, int c) { return ngettext(a, b, n); }
C

# What reads beyond a chunk, to see that this is seen.
gcc -O1 -g -fPIC -shared -fsanitize=address,undefined -I"$("$PG_CONFIG" --includedir-server)" -o build/asan/probe.so \
    build/asan/asan_palloc.o "$wrap" -x c - << 'C'
#include "postgres.h"
#include "fmgr.h"
PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(beyond);
Datum beyond(PG_FUNCTION_ARGS)
{
	char	   *chunk = palloc0(13);

	PG_RETURN_INT32(chunk[PG_GETARG_INT32(0)]);
}
C

# pg_virtualenv's server would not inherit the preload: a cluster by hand.
work=$(mktemp -d)
reports=$here/build/asan/reports
mkdir -p "$reports"
cp build/asan/no_gettext.so build/asan/probe.so "$work"
mkdir "$work/reports"
as=()
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$work"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
postmaster=
leave() {
    status=$?
    [ -z "$postmaster" ] || { kill -INT "$postmaster" && wait "$postmaster" || true; }
    make -s install > /dev/null
    cp "$work"/reports/* "$reports" 2> /dev/null || true
    if grep -hE 'ERROR: AddressSanitizer|runtime error' "$reports"/* 2> /dev/null; then status=3; fi
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
built install > /dev/null
cd "$work"
"${as[@]}" "$server/initdb" -D "$work/data" -A trust -U postgres --locale C.UTF-8 --encoding UTF8 -N > /dev/null
unset PGDATABASE PGSERVICE PGOPTIONS
export PGHOST=$work PGPORT=5432 PGUSER=postgres
"${as[@]}" env LD_PRELOAD="$asan $work/no_gettext.so" \
    ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:disable_coredump=1:replace_intrin=0:quarantine_size_mb=4:malloc_context_size=2:log_path=$work/reports/asan" \
    UBSAN_OPTIONS="print_stacktrace=1:log_path=$work/reports/ubsan" \
    "$server/postgres" -D "$work/data" -k "$work" -c listen_addresses= -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c timezone=UTC > "$work/log" 2>&1 &
postmaster=$!
wait_for_it() {
    for ((i = 0; i < 100; i++)); do
        if psql -X -d postgres -c 'SELECT 1' > "$work/alive" 2>&1; then break; fi
        sleep 0.3
    done
}
wait_for_it
psql -X -q -d postgres -c "CREATE FUNCTION beyond(int) RETURNS int LANGUAGE c AS '$work/probe.so'" -c 'SELECT beyond(12)' > "$work/alive"
psql -X -q -d postgres -c 'SELECT beyond(13)' > "$work/alive" 2>&1 || true
grep -q use-after-poison "$work"/reports/asan* || { echo 'fuzz_asan: AddressSanitizer does not see the end of a chunk' >&2; exit 2; }
rm "$work"/reports/*
wait_for_it
cd "$here"
if [ $# -gt 0 ]; then
    "$@"
else
    test/fuzz.sh
    test/fuzz_fits.sh
fi
