#!/bin/bash
# bench/nn.sh
#
# Training throughput of the neural core on two threads: a residual net (300
# inputs, 3 blocks, 15 softmax heads of 20 levels, AdamW, clipping, an average
# of the weights) in steps per second, against the products of matrices of
# such a step and nothing else, and against the same net in PyTorch, where
# PYTHON (by default python3) has it.  Runs alternate; the medians count.
# Needs `make`.
#
#   SECONDS_EACH=2 ROUNDS=5 bench/nn.sh [width:batch ...]
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 256:1024 384:1024 256:512 128:512 128:256
python=${PYTHON:-python3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

serial=(/usr/lib/"$(gcc -print-multiarch)"/openblas-serial)
libs=(-lopenblas -lm -pthread)
[ ! -d "${serial[0]}" ] || libs=(-L"${serial[0]}" "-Wl,-rpath,${serial[0]}" "${libs[@]}")
make -s
gcc -std=gnu99 -O2 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -o "$dir/nn" bench/nn.c src/nn/*.o src/numeric/*.o "${libs[@]}"

torch=1
"$python" -c 'import torch' 2> /dev/null || torch=
[ -n "$torch" ] || echo "# $python has no PyTorch: without it"

rate() { "$@" | cut -d ' ' -f 1; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg); $(nproc) CPUs"
printf '%6s %6s %9s %9s %9s %8s %10s\n' width batch steps/s gemm/s PyTorch/s of-gemm of-PyTorch
for shape; do
    width=${shape%:*}
    batch=${shape#*:}
    rm -f "$dir"/*.rates
    for _ in $(seq "${ROUNDS:-5}"); do
        for what in train gemm; do
            rate "$dir/nn" $what "$width" "$batch" "${SECONDS_EACH:-2}" >> "$dir/$what.rates"
        done
        [ -z "$torch" ] || rate "$python" bench/nn.py "$width" "$batch" "${SECONDS_EACH:-2}" >> "$dir/torch.rates"
    done
    train=$(median < "$dir/train.rates")
    gemm=$(median < "$dir/gemm.rates")
    other=
    [ -z "$torch" ] || other=$(median < "$dir/torch.rates")
    awk -v w="$width" -v b="$batch" -v t="$train" -v g="$gemm" -v o="$other" 'BEGIN {
        printf "%6d %6d %9.1f %9.1f %9s %8.2f %10s\n", w, b, t, g, o, t / g, o ? sprintf("%.2f", t / o) : ""}'
done
echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg)"
