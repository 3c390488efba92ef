#!/bin/bash
# Models draw the same rows on all processors, and networks are fitted to the same weights.  Other processors than this one
# are a build with kernels for shorter vectors only (GS_MOST_LANES), and a server that is told so of the C library and
# OpenBLAS.  Servers of its own, as the environment has to be theirs.  Prints TAP.
set -euo pipefail
# shellcheck source=test/lib/tap.bash
. "$(dirname "$0")/lib/tap.bash"
cd "$(dirname "$0")/.."
pg_config=${PG_CONFIG:-pg_config}
bin=$("$pg_config" --bindir)
unset MAKEFLAGS MAKELEVEL PGOPTIONS PGSERVICE PGUSER PGDATABASE

if [ "$(uname -m)" != x86_64 ]; then
    echo '1..0 # SKIP only for x86-64 there are kernels for several processors'
    exit
fi

# the server, another user if we are root, has to reach it
work=$(mktemp -d /tmp/processors.XXXXXX)
chmod 755 "$work"
as_server() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/bash -c "$*"; else bash -c "$*"; fi; }
running=
stop() {
    [ -z "$running" ] || as_server "$bin/pg_ctl -D $work/data -m immediate stop" > /dev/null
    rm -rf "$work"
}
trap stop EXIT

mkdir "$work/data"
[ "$(id -u)" != 0 ] || chown postgres "$work/data"
as_server "$bin/initdb -D $work/data -E UTF8 --locale=C.UTF-8 -A trust -U postgres" > /dev/null
cat >> "$work/data/postgresql.conf" << END
unix_socket_directories = '$work/data'
listen_addresses = ''
port = 5432
fsync = off
timezone = UTC
END
sql() { "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work/data" -p 5432 -U postgres -d postgres "$@"; }

# A server in this environment, whose sessions and workers load the library of this directory.
serve() { # directory [name=value ...]
    echo "dynamic_library_path = '$1'" >> "$work/data/postgresql.conf"
    as_server "env ${*:2} $bin/pg_ctl -D $work/data -l $work/data/log -w start" > /dev/null
    running=1
    sql -c "UPDATE pg_proc SET probin = 'gensynth' WHERE probin LIKE '%gensynth%'"
}
end() {
    as_server "$bin/pg_ctl -D $work/data -m fast -w stop" > /dev/null
    running=
}

# The library for shorter vectors: what has kernels is compiled anew.
build() { # lanes
    mkdir "$work/$1"
    cp -a Makefile gensynth.control src data "$work/$1"
    grep -rlE 'GS_CLONES|gs_lanes|gs_most_lanes' --include='*.c' "$work/$1/src" | sed 's/c$/o/' | xargs rm -f
    make -s -C "$work/$1" -j 2 PG_CONFIG="$pg_config" OPTFLAGS="-DGS_MOST_LANES=$1" gensynth.so > "$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
    chmod 755 "$work/$1/gensynth.so"
}

methods='tree copula vae gan diffusion private'

# Rows of all models whose names begin so: of each a digest.
rows() { # prefix
    for method in $methods; do
        sql -c "SELECT '$method ' || md5(string_agg(to_jsonb(t)::text, ';' ORDER BY i)) FROM synth_sample('$1_$method', 1500, seed => 9) WITH ORDINALITY AS t(r, i)"
        sql -c "SELECT '$method given ' || md5(string_agg(to_jsonb(t)::text, ';' ORDER BY i)) FROM synth_sample('$1_$method', 700, seed => 9, given => '{\"a\": {\"gte\": 20}, \"d\": \"text 3\"}') WITH ORDINALITY AS t(r, i)"
    done
}
fit() { # prefix
    for method in $methods; do
        # a fit that has noise of its own, drawn anew each time: counts without it, once more
        if [ "$method" = private ]; then
            sql -c "SET client_min_messages = error" \
                -c "CREATE OR REPLACE FUNCTION probe_release(mode text) RETURNS int LANGUAGE C STRICT AS 'gensynth', 'gs_probe_release'" \
                -c "SELECT FROM probe_release('exact')" \
                -c "SELECT FROM synth_fit('t', method => 'private', model => '$1_private', epsilon => 10, options => '{\"bounds\": {\"a\": [0, 100], \"b\": [0, 100]},
                    \"categories\": {\"d\": [\"text 0\", \"text 1\", \"text 2\", \"text 3\", \"text 4\", \"text 5\", \"text 6\"]}}')"
            continue
        fi
        steps='{"steps": 3}'
        case $method in tree | copula) steps='{}' ;; esac
        sql -c "SET client_min_messages = error" \
            -c "SELECT FROM synth_fit('SELECT * FROM t', method => '$method', model => '$1_$method', seed => 5, options => '$steps')"
    done
}
weights() { # prefix
    sql -c "SELECT regexp_replace(model, '^.*_', '') || ' ' || name || ' ' || md5(data) FROM gensynth.tensors
            WHERE model LIKE '$1\_%' AND name <> 'training' ORDER BY 1"
}

build 8
build 4
serve "\$libdir"
sql -c 'CREATE EXTENSION gensynth'
sql -c "CREATE TABLE t AS SELECT i % 90 + sin(i) AS a, CASE WHEN i % 5 > 0 THEN (i * i % 101)::int END AS b, 'text ' || (i % 90) / 13 AS d
        FROM generate_series(1, 400) AS i"
fit here
rows here > "$work/rows"
weights here > "$work/weights"
end
is "$(cut -d ' ' -f 1 "$work/rows" | sort -u | wc -l), $(grep -c weights "$work/weights")" '6, 3' 'all methods, of which three have networks'

# other lanes name=value ...: as on a processor with vectors of so many floats at most
other() {
    serve "$work/$1" "${@:2}"
    is "$(sql -c "SELECT FROM synth_sample('here_vae', 1)" -c "SELECT pg_read_file('/proc/' || pg_backend_pid() || '/maps') LIKE '%/$1/gensynth.so%'")" \
        t "vectors of $1 floats: the library is the one for them"
    is "$(rows here)" "$(cat "$work/rows")" 'the same models draw the same rows'
    fit "lanes$1"
    is "$(weights "lanes$1")" "$(cat "$work/weights")" 'fits give the same models'
    end
}
other 8 OPENBLAS_CORETYPE=Haswell GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F
other 4 OPENBLAS_CORETYPE=Prescott GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA

echo "1..$n"
exit "$failed"
