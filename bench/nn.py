"""The net of nn.c in PyTorch: nn.py width batch seconds [threads].  Prints steps per second, and ms of CPU time per step."""
import sys

import torch
import torch.nn.functional as F
from torch import nn

from torch_steps import run

width, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(int(sys.argv[4]) if len(sys.argv) > 4 else 2)
INPUT, HEADS, BLOCKS = 300, 15, 3


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(INPUT, width)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)])
            for _ in range(BLOCKS))
        self.output = nn.Linear(width, INPUT)

    def forward(self, x):
        h = self.input(x)
        for norm, inner, outer in self.blocks:
            h = h + outer(F.silu(inner(norm(h))))
        return self.output(F.silu(h))


net = Net()
x = torch.randn(batch, INPUT)
target = torch.arange(batch * HEADS) % 7


def loss():
    # all heads have as many levels, so one call serves them all
    return F.cross_entropy(net(x).view(batch * HEADS, -1), target, reduction='sum') / batch


steps, wall, busy = run(net, loss, seconds)
print(f'{steps / wall:.2f} {busy / steps * 1e3:.2f}')
