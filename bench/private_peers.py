"""bench/private_mixture.c beside AIM and MST of dpmm (pip install dpmm), on the same table, budget and judge, one core each.

    private_peers.py PROGRAM TABLE.csv DOMAIN.json ORDERED EPSILONS SEEDS [PEERS]

Others: see private_mixture.py.  Prints for each the mean total variation of 1-, 2-, 3-way marginals and the CPU seconds of fit and rows.
AIM with 2 MB and 200 rounds: more take longer.
"""
import json, os, resource, subprocess, sys, tempfile
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import numpy as np
from private_mixture import sample, tvd


def cpu():
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def mixture(program, X, names, K, marked, eps, seed):
    with tempfile.NamedTemporaryFile() as t, tempfile.NamedTemporaryFile() as o:
        t.write(np.array([len(K), len(X)], np.int32).tobytes())
        t.write(np.array([[k, j in marked] for j, k in enumerate(K)], np.int32).tobytes())
        t.write(X.tobytes())
        t.flush()
        subprocess.run([program, t.name, o.name, eps, "1e-9", str(seed), "16", "48", "300"], check=True, stderr=subprocess.DEVNULL)
        raw = np.fromfile(o.name, np.float32)
    R = len(raw) // (1 + sum(K))
    return sample(raw[:R].astype(float), raw[R:].reshape(R, -1), K, len(X), np.random.default_rng(seed))


def peer(name):
    def make(program, X, names, K, marked, eps, seed):
        import pandas as pd
        from dpmm.models.aim import AIMGM
        from dpmm.models.mst import MSTGM
        rnd = np.random.RandomState(seed)
        kind = {"aim": lambda **a: AIMGM(max_model_size=2, rounds=200, **a), "mst": MSTGM}[name]
        model = kind(epsilon=float(eps), delta=1e-9, domain=dict(zip(names, K)), random_state=rnd, n_jobs=1)
        model.set_random_state(rnd)
        model.set_domain(dict(zip(names, K)))
        model.fit(pd.DataFrame(X, columns=names))
        return model.generate(n_records=len(X))[names].to_numpy().astype(np.int64)
    return make


def main(program, table, domain, ordered, epsilons, seeds, peers="aim,mst"):
    domain = json.load(open(domain))
    names, K = list(domain), list(domain.values())
    X = np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.int32)
    makers = {"mixture": mixture, **{p: peer(p) for p in peers.split(",") if p}}
    for eps in epsilons.split(","):
        for name, make in makers.items():
            res = []
            for seed in range(1, int(seeds) + 1):
                before = cpu()
                S = make(program, X, names, K, {int(j) for j in ordered.split(",")}, eps, seed)
                taken = cpu() - before
                res.append([*tvd(X, S, K), taken])
            print("epsilon", eps, name, "1-, 2-, 3-way", *np.round(np.mean(res, 0)[:3], 4), "CPU s", round(np.mean(res, 0)[3], 1), flush=True)


main(*sys.argv[1:])
