"""The judge of bench/private_mixture.c: mean total variation of all 1-, 2-, 3-way marginals of at most 10,000 cells.

    private_mixture.py PROGRAM TABLE.csv DOMAIN.json ORDERED EPSILONS SEEDS [MEMBERS COMPONENTS STEPS]

ORDERED: numbers of ordered columns, as 0,2,3.  Rows are drawn as src/model/private.c does.  Needs numpy.
"""
import itertools, json, subprocess, sys, tempfile
import numpy as np

GROUPS, BATCH, GOLDEN = 32, 1024, 0x9E3779B9


def tvd(X, S, K):
    out, n = [], len(X)
    for way in (1, 2, 3):
        each = []
        for js in itertools.combinations(range(len(K)), way):
            size = int(np.prod([K[j] for j in js]))
            if size > 10000:
                continue
            at = lambda T: np.ravel_multi_index([T[:, j] for j in js], [K[j] for j in js])
            each.append(np.abs(np.bincount(at(X), minlength=size) / n - np.bincount(at(S), minlength=size) / len(S)).sum() / 2)
        out.append(np.mean(each))
    return out


def sample(weight, share, K, rows, rng):
    d, off = len(K), np.r_[0, np.cumsum(K)]
    until = np.cumsum(weight) / weight.sum()
    below = [np.cumsum(share[:, off[j]:off[j + 1]].astype(float), 1) for j in range(d)]
    below = [b / b[:, -1:] for b in below]
    group = np.minimum(((until - weight / weight.sum() / 2) * GROUPS).astype(int), GROUPS - 1)
    start = rng.integers(0, 2 ** 32, d + 1)
    out = np.empty((rows + BATCH, d), np.int64)
    for first in range(0, rows, BATCH):
        words = lambda j: ((start[j] + (first + np.arange(BATCH)) * GOLDEN) % 2 ** 32) / 2.0 ** 32
        comp = np.minimum(np.searchsorted(until, words(d), "right"), len(until) - 1)
        for j in range(d):
            order = np.lexsort((rng.random(BATCH), group[comp]))
            u = words(j)
            b = below[j][comp[order]]
            out[first + order, j] = np.minimum((b <= u[:, None]).sum(1), K[j] - 1)
    return out[:rows]


def main(program, table, domain, ordered, epsilons, seeds, *shape):
    K = list(json.load(open(domain)).values())
    X = np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.int32)
    marked = {int(j) for j in ordered.split(",")}
    with tempfile.NamedTemporaryFile() as t, tempfile.NamedTemporaryFile() as o:
        t.write(np.array([len(K), len(X)], np.int32).tobytes())
        t.write(np.array([[k, j in marked] for j, k in enumerate(K)], np.int32).tobytes())
        t.write(X.tobytes())
        t.flush()
        for eps in epsilons.split(","):
            res = []
            for seed in range(1, int(seeds) + 1):
                subprocess.run([program, t.name, o.name, eps, "1e-9", str(seed), *(shape or ("8", "96", "300"))], check=True)
                raw = np.fromfile(o.name, np.float32)
                R = len(raw) // (1 + sum(K))
                S = sample(raw[:R].astype(float), raw[R:].reshape(R, -1), K, len(X), np.random.default_rng(seed))
                exact = raw[:R] @ raw[R:].reshape(R, -1)
                one = np.mean([np.abs(np.bincount(X[:, j], minlength=k) / len(X) - exact[a:a + k]).sum() / 2 for j, k, a in
                               zip(range(len(K)), K, np.r_[0, np.cumsum(K)])])
                res.append([*tvd(X, S, K), one])
                print(eps, seed, np.round(res[-1], 4), flush=True)
            print("epsilon", eps, "mean", np.round(np.mean(res, 0), 4), flush=True)


main(*sys.argv[1:])
