#!/bin/bash
# reproduce.sh: builds in two folders, and says whether what would be installed
# has the same bytes.  Not a part of `make check`: it takes two builds.
#
# Exit: 0 the same, 1 not.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in one/build another; do
    mkdir -p "$work/$folder"
    git ls-files -z | tar --null --files-from - -cf - | tar -xf - -C "$work/$folder"
    # debugging symbols name the folder otherwise; dpkg-buildpackage passes the same
    make -s -C "$work/$folder" -j "$(nproc)" COPT="-ffile-prefix-map=$work/$folder=." > /dev/null
    (cd "$work/$folder" && sha256sum gensynth.so gensynth--*.sql gensynth.control) > "$work/$(basename "$folder").sums"
done
cat "$work/another.sums"
diff "$work/build.sums" "$work/another.sums"
