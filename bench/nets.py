"""The networks of synth_fit in PyTorch: nets.py vae|diffusion places numbers seconds.

places: how many tokens each place has, 2,9,...; numbers: places that have a score, too.  Batches, layers, losses and the
optimiser are those of synth_fit (src/nets/vae_net.c, src/model/diffusion_fit.c), rows are random.  Heads go one by one,
as they are of different widths; states of the VAE's decoder are one cumulative sum.  Prints ms of a step.
"""
import sys

import torch
import torch.nn.functional as F
from torch import nn

from torch_steps import run

what, places, numbers, seconds = sys.argv[1], [int(n) for n in sys.argv[2].split(',')], int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(2)
P, WIDTH, LATENT, STATE, BLOCKS = len(places), 256, 24, 128, 3
BATCH = 512 if what == 'vae' else 1024
first = torch.tensor([sum(places[:p]) + p for p in range(P)])
tokens = sum(places) + P


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.input, self.number = nn.EmbeddingBag(tokens, WIDTH, mode='sum'), nn.Linear(numbers, WIDTH)
        self.inner, self.posterior = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * LATENT)
        self.outer, self.start, self.drawn = nn.Linear(LATENT, WIDTH), nn.Linear(WIDTH, STATE), nn.Embedding(tokens, STATE)
        self.heads = nn.ModuleList(nn.Linear(STATE, n) for n in places)

    def loss(self, token, score):
        h = F.silu(self.input(token + first) + self.number(score))
        mean, log_variance = self.posterior(F.silu(self.inner(h))).chunk(2, 1)
        log_variance = log_variance.clamp(-8, 4)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        divergence = (mean ** 2 + log_variance.exp() - 1 - log_variance).sum() / 2
        state = torch.cat([self.start(F.silu(self.outer(z)))[:, None], self.drawn(token + first)[:, :-1]], 1).cumsum(1)
        seen = F.silu(state)
        entropy = sum(F.cross_entropy(head(seen[:, p]), token[:, p], reduction='sum') for p, head in enumerate(self.heads))
        return (entropy + 0.3 * divergence) / len(token)


class Diffusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.input, self.number = nn.EmbeddingBag(tokens, WIDTH, mode='sum'), nn.Linear(numbers, WIDTH)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)]) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, n) for n in places)

    def loss(self, token, score):
        masked = torch.rand(len(token), P) < torch.rand(len(token), 1)
        missing = first + torch.tensor(places)
        h = self.input(torch.where(masked, missing, token + first)) + self.number(score * ~masked[:, :numbers])
        for norm, inner, outer in self.blocks:
            h = h + outer(F.dropout(F.silu(inner(norm(h))), 0.4))
        h = self.norm(h)
        weight = masked / masked.sum(1, keepdim=True).clamp(min=1)
        return sum((weight[:, p] * F.cross_entropy(head(h), token[:, p], reduction='none')).sum()
                   for p, head in enumerate(self.heads)) / len(token)


net = Vae() if what == 'vae' else Diffusion()
token = torch.stack([torch.randint(n, (BATCH,)) for n in places], 1)
score = torch.randn(BATCH, numbers)
steps, wall, _ = run(net, lambda: net.loss(token, score), seconds)
print(f'{wall / steps * 1e3:.3f}')
