#!/bin/bash
# ctest.sh directory
#
# Build the C tests, test/c/test_*.c, each with all plain-C rooms, into
# directory/test_*.  Address and undefined-behaviour sanitizers are on where
# the compiler has them and its programs run.
set -euo pipefail
out=$1
shopt -s nullglob
rm -rf "$out"
mkdir -p "$out"

cc=${CC:-gcc}
flags=(-std=gnu99 -O1 -g -Wall -Wextra -Werror -Wno-unused-parameter
    -Wno-sign-compare -fno-omit-frame-pointer -Isrc)
sanitize=('-fsanitize=address,undefined' -fno-sanitize-recover=all)

echo 'int main(void) { return 0; }' > "$out/probe.c"
if "$cc" "${sanitize[@]}" -o "$out/probe" "$out/probe.c" 2> /dev/null && "$out/probe" 2> /dev/null; then
    flags+=("${sanitize[@]}")
else
    echo 'ctest: no working sanitizers here: C tests run without them' >&2
fi
rm -f "$out/probe" "$out/probe.c"

# The library that the extension itself is linked with.
serial=(/usr/lib/"$("$cc" -print-multiarch)"/openblas-serial)
libs=(-lopenblas -lm -pthread)
[ ! -d "${serial[0]}" ] || libs=(-L"${serial[0]}" "-Wl,-rpath,${serial[0]}" "${libs[@]}")

# Neural networks are tested in double precision, too: gradients against finite
# differences.  Those tests are test_*_double.c.  Of src/nets, that is the
# networks, *_net.c.
declare -A extra=([single]='' [double]=-DGS_NN_DOUBLE)
objects=()
declare -A nn=([single]='' [double]='')
# as many at a time as there are processors
jobs=$(nproc)
running=0
background() { # command [argument ...]
    if [ "$running" -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    "$@" &
    running=$((running + 1))
}
finish() {
    for (( ; running > 0; running--)); do wait -n; done
}
compile() { # source object [flag ...]
    background "$cc" "${flags[@]}" "${@:3}" -c -o "$2" "$1"
}
# Lists as constant arrays, as the Makefile makes them; of src/mask and src/text
# what knows nothing of PostgreSQL.
LC_ALL=C awk -f src/mask/dictionary.awk data/*.tsv > "$out/dictionary_data.c"
mapfile -t plain < <(grep -L '"postgres.h"' src/mask/*.c)
for source in src/numeric/*.c src/privacy/*.c src/cart/*.c src/text/check_digit.c \
    "${plain[@]}" "$out/dictionary_data.c"; do
    object=$out/$(basename "$(dirname "$source")")_$(basename "$source" .c).o
    objects+=("$object")
    compile "$source" "$object"
done
for precision in single double; do
    [ $precision = single ] && train=(src/nets/*.c) || train=(src/nets/*_net.c)
    for source in src/nn/*.c "${train[@]}"; do
        object=$out/nn_$(basename "$source" .c)_$precision.o
        nn[$precision]+=" $object"
        # no contraction, as in the Makefile: kernels have the same bits
        # shellcheck disable=SC2086 # a flag or none
        compile "$source" "$object" -ffp-contract=off ${extra[$precision]}
    done
done
finish

for source in test/c/test_*.c; do
    precision=single
    [[ $source != *_double.c ]] || precision=double
    # shellcheck disable=SC2086 # a list of files
    background "$cc" "${flags[@]}" ${extra[$precision]} -o "$out/$(basename "$source" .c)" "$source" \
        "${objects[@]}" ${nn[$precision]} "${libs[@]}"
done
finish
