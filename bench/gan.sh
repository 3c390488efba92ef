#!/bin/bash
# bench/gan.sh [--inside]
#
# The adversarial network on Adult: seconds per epoch against the CTGAN package
# (pip install ctgan; PYTHON names a python that has it) with the same hidden
# layers and batches of 500, at one thread and at two, alternating.  EPOCHS (3)
# and ROUNDS (3) are those that are measured.  Its fit as a whole, and its rows:
# bench/methods.sh gan.
#
#   epoch, fit     synth_fit: generator of 24, 256, 128
#   epoch, same    bench/gan.c, as many rows of random tokens of the same columns: the
#                  generator is 128, 256, 256, as the package's is
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
python=${PYTHON:-python3}
epochs=${EPOCHS:-3}
if [ ! -r "$data/adult_train.csv" ]; then
    echo "gan: skipped, there is no $data/adult_train.csv"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
package=1
"$python" -c 'import ctgan' 2> /dev/null || { package=; echo "# $python has no ctgan: without it"; }
serial=(/usr/lib/"$(gcc -print-multiarch)"/openblas-serial)
libs=(-lopenblas -lm -pthread)
[ ! -d "${serial[0]}" ] || libs=(-L"${serial[0]}" "-Wl,-rpath,${serial[0]}" "${libs[@]}")
make -s && gcc -std=gnu99 -O2 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Isrc -o "$out/gan" bench/gan.c \
    src/nn/*.o src/nets/*_net.o src/numeric/*.o "${libs[@]}" || exit 2
start
make_adult
threads=$(psql -Atc "SELECT least(setting::int + 1, $(nproc)) FROM pg_settings WHERE name = 'max_parallel_maintenance_workers'")
echo "# $(date -I), load $(cut -d ' ' -f 1-3 /proc/loadavg), $(nproc) CPUs; synth_fit has $threads threads"

# One fit; seconds per epoch are those between its first validation and its last.
# A batch is 500 of 32,561 rows.
fit_epoch() {
    psql -Atq -c "SET client_min_messages = warning" \
        -c "SELECT FROM synth_fit('adult', method => 'gan', seed => 1, options => '{\"batch_size\": 500, \"steps\": $((65 * epochs)), \"time_limit\": 0}')" \
        -c "SELECT max(seconds) * 65 / max(step) FROM synth_training('adult')"
}
# tokens of Adult's places
places='68 9 74 16 7 15 6 5 2 55 39 72 41 2'
# shellcheck disable=SC2086 # a list
same_epoch() { "$out/gan" 128 256 256 32 10 500 $((65 * epochs)) "$1" $places | awk '{print 65 * $1}'; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

for _ in $(seq "${ROUNDS:-3}"); do
    fit_epoch >> "$out/fit" || exit 1
    same_epoch "$threads" >> "$out/same" || exit 1
    for n in 1 2; do
        [ -z "$package" ] || "$python" bench/gan.py "$data/adult_train.csv" $n "$epochs" 2> /dev/null |
            cut -d ' ' -f 1 >> "$out/package$n" || exit 1
    done
done
fit=$(median < "$out/fit")
same=$(median < "$out/same")
echo "epoch, fit: $fit s (all: $(xargs < "$out/fit"))"
echo "epoch, same: $same s (all: $(xargs < "$out/same"))"
if [ -n "$package" ]; then
    one=$(median < "$out/package1")
    two=$(median < "$out/package2")
    echo "epoch, ctgan: $one s with one thread (all: $(xargs < "$out/package1")), $two s with two (all: $(xargs < "$out/package2"))"
    awk -v f="$fit" -v s="$same" -v a="$one" -v b="$two" 'BEGIN {
        p = a < b ? a : b
        printf "times as fast (asked for: 5): fit %.2f, same %.2f\n", p / f, p / s}'
fi

echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg)"
