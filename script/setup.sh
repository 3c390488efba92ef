#!/bin/bash
# Install what gensynth's build and tests need and this machine lacks, by
# apt-get as root or through sudo.  Prints the path of the pg_config to build
# with on standard output, all else on standard error; touches nothing when
# nothing is missing.
#
# The major version is that of $PG_CONFIG or of the pg_config in the PATH, else
# of the newest server here, else the distribution's.  A newly installed
# PostgreSQL package makes its usual cluster `main`, as everywhere on Debian;
# gensynth never uses it.
set -euo pipefail

say() { echo "setup: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        say "'$*' needs root: run this as root, or install sudo"
        exit 1
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@" < /dev/null >&2; }

# Does apt-get have this package on offer?
known() { [[ $(LC_ALL=C apt-cache policy "$1" 2> /dev/null) == *'Candidate: '[^\(]* ]]; }

bin=/usr/lib/postgresql

find_major() {
    local config=${PG_CONFIG:-pg_config} newest
    if command -v "$config" > /dev/null; then
        "$config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
    elif newest=$(find $bin/*/bin/postgres 2> /dev/null | sort -V | tail -n 1) && [ -n "$newest" ]; then
        basename "${newest%/bin/postgres}"
    fi
}

# The packages that are missing, one a line.  Asks for the things themselves
# rather than for packages: they may have come another way.
missing() {
    local lib=$bin/$major/lib share=/usr/share/postgresql/$major
    command -v gcc > /dev/null || echo gcc
    command -v make > /dev/null || echo make
    [ -e /usr/include/stdio.h ] || echo libc6-dev
    [ -x "$bin/$major/bin/postgres" ] || echo "postgresql-$major"
    # Debian ships pgxs.mk with the client: it says nothing of the headers.
    { [ -e "$lib/pgxs/src/makefiles/pgxs.mk" ] && [ -e "/usr/include/postgresql/$major/server/postgres.h" ]; } ||
        echo "postgresql-server-dev-$major"
    [ -e "$share/extension/pgtap.control" ] || echo "postgresql-$major-pgtap"
    perl -MTAP::Parser::SourceHandler::pgTAP -e 1 2> /dev/null ||
        echo libtap-parser-sourcehandler-pgtap-perl
    # for PostgreSQL::Test
    perl -MIPC::Run -e 1 2> /dev/null || echo libipc-run-perl
    # Newer releases moved pg_virtualenv into a package of its own.
    command -v pg_virtualenv > /dev/null ||
        if known postgresql-common-dev; then echo postgresql-common-dev; else echo postgresql-common; fi
    compgen -G '/usr/lib/*/openblas-serial/libopenblas.so' > /dev/null ||
        if known libopenblas-serial-dev; then
            echo libopenblas-serial-dev
        elif ! compgen -G '/usr/lib/*/libopenblas.so' > /dev/null; then
            echo libopenblas-dev
        fi
}

major=$(find_major)
lacking=$(major=${major:-N} missing)
if [ -n "$lacking" ]; then
    if ! command -v apt-get > /dev/null; then
        say "no apt-get here; please install the equivalents of: ${lacking//$'\n'/, }"
        say "then use 'make', 'make install' and 'make installcheck' with PG_CONFIG"
        exit 1
    fi
    apt update || say 'apt-get update failed: going on with the lists at hand'
    # A client library newer than any server on offer must not decide.
    if [ -z "$major" ] || ! { [ -x "$bin/$major/bin/postgres" ] || known "postgresql-$major"; }; then
        major=$(apt-cache depends postgresql | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1)
    fi
    [ -n "$major" ] || { say "apt-get offers no postgresql package"; exit 1; }
    mapfile -t packages < <(missing)
    if [ ${#packages[@]} -gt 0 ]; then
        say "installing ${packages[*]}"
        apt install --no-install-recommends "${packages[@]}"
    fi
    lacking=$(missing)
    [ -z "$lacking" ] || { say "still missing: ${lacking//$'\n'/, }"; exit 1; }
fi

echo "$bin/$major/bin/pg_config"
