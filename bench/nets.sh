#!/bin/bash
# bench/nets.sh [--inside]
#
# Training of the networks that synth_fit trains on Adult, 'vae' and
# 'diffusion', with its defaults: milliseconds of a step, everything that
# belongs to it included (rows are read, masks are drawn, some steps are
# followed by a validation), against PyTorch's on random rows that are there
# (nets.py; PYTHON names a python that has it).  Two threads each.  Runs
# alternate, ROUNDS (5) of them; the medians count.
set -uo pipefail
# shellcheck source=bench/tables.sh disable=SC2154
. "$(dirname "$0")/tables.sh"
python=${PYTHON:-python3}
if [ ! -r "$data/adult_train.csv" ]; then
    echo "nets: skipped, there is no $data/adult_train.csv"
    exit 0
fi
torch=1
"$python" -c 'import torch' 2> /dev/null || { torch=; echo "# $python has no PyTorch: without it"; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
start
make_adult
echo "# $(date -I), load $(cut -d ' ' -f 1-3 /proc/loadavg), $(nproc) CPUs"
# tokens of Adult's places, of which five have a score, too
places=68,9,74,16,7,15,6,5,2,55,39,72,41,2

# one fit: from its first validation to its last
step() {
    psql -Atq -c "SET client_min_messages = warning" \
        -c "SELECT FROM synth_fit('adult', method => '$1', seed => 1, options => '{\"steps\": 300, \"time_limit\": 0}')" \
        -c "SELECT 1000 * (max(seconds) - min(seconds)) / (max(step) - min(step)) FROM synth_training('adult')"
}
median() { sort -n | awk '{v[NR] = $1} END {printf "%.1f", v[int((NR + 1) / 2)]}'; }

for method in vae diffusion; do
    for _ in $(seq "${ROUNDS:-5}"); do
        step $method >> "$out/$method" || exit 1
        [ -z "$torch" ] || "$python" bench/nets.py $method $places 5 3 >> "$out/$method.torch" || exit 1
    done
    echo "$method: $(median < "$out/$method") ms a step (all: $(xargs printf '%.1f ' < "$out/$method"))"
    if [ -n "$torch" ]; then
        echo "$method, PyTorch: $(median < "$out/$method.torch") ms (all: $(xargs printf '%.1f ' < "$out/$method.torch"))"
        awk -v method=$method -v a="$(median < "$out/$method")" -v b="$(median < "$out/$method.torch")" \
            'BEGIN {printf "%s: %.2f times as fast (asked for: 2)\n", method, b / a}'
    fi
done
echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg)"
