"""The judge of bench/private_mixture.c: mean total variation of all 1-, 2-, 3-way marginals of at most 10,000 cells.

    private_mixture.py PROGRAM TABLE.csv DOMAIN.json ORDERED EPSILONS SEEDS [MEMBERS COMPONENTS STEPS]

ORDERED: numbers of ordered columns, as 0,2,3.  Rows are drawn as src/model/private.c does.  Needs numpy.
"""
import itertools, json, subprocess, sys, tempfile
import numpy as np

BITS = 14
M = 2 ** 32 - 1


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


def reverse(x):
    x, out = x.astype(np.uint64), np.zeros(len(x), np.uint64)
    for i in range(32):
        out |= ((x >> np.uint64(i)) & np.uint64(1)) << np.uint64(31 - i)
    return out


def scramble(x, seed):
    x = (x + seed) & M
    for c in (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6):
        x ^= (x * c) & M
    return x


def sample(weight, share, K, rows, rng):
    R, off, room = len(weight), np.r_[0, np.cumsum(K)], 2 ** BITS
    n = np.diff(np.r_[0, np.rint(np.cumsum(weight) / weight.sum() * room)]).astype(int)
    component = np.repeat(np.arange(R), n)[(scramble(reverse(np.arange(room)), np.uint64(rng.integers(0, M))) >> np.uint64(32 - BITS)).astype(int)]
    turn = np.empty(room, int)
    turn[np.argsort(component, kind="stable")] = np.arange(room) - np.repeat(np.cumsum(n) - n, n)
    i = np.arange(rows)
    r = component[i % room]
    place = reverse(i // room * n[r] + turn[i % room])
    out = np.empty((rows, len(K)), np.int64)
    for j in range(len(K)):
        below = np.cumsum(share[:, off[j]:off[j + 1]].astype(float), 1)
        below /= below[:, -1:]
        u = scramble(place, rng.integers(0, M, R).astype(np.uint64)[r]) / 2.0 ** 32
        for a in range(0, rows, 8192):
            out[a:a + 8192, j] = np.minimum((below[r[a:a + 8192]] <= u[a:a + 8192, None]).sum(1), K[j] - 1)
    return out


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
                subprocess.run([program, t.name, o.name, eps, "1e-9", str(seed), *(shape or ("16", "48", "300"))], check=True)
                raw = np.fromfile(o.name, np.float32)
                R = len(raw) // (1 + sum(K))
                S = sample(raw[:R].astype(float), raw[R:].reshape(R, -1), K, len(X), np.random.default_rng(seed))
                exact = raw[:R] @ raw[R:].reshape(R, -1)
                one = np.mean([np.abs(np.bincount(X[:, j], minlength=k) / len(X) - exact[a:a + k]).sum() / 2 for j, k, a in
                               zip(range(len(K)), K, np.r_[0, np.cumsum(K)])])
                res.append([*tvd(X, S, K), one])
                print(eps, seed, np.round(res[-1], 4), flush=True)
            print("epsilon", eps, "mean", np.round(np.mean(res, 0), 4), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
