"""The net of nn.c in PyTorch: nn.py width batch seconds [threads].  Prints steps per second, and ms of CPU time per step."""
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

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
optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)
x = torch.randn(batch, INPUT)
target = torch.arange(batch * HEADS) % 7
average = [p.detach().clone() for p in net.parameters()]


def step():
    # all heads have as many levels, so one call serves them all
    loss = F.cross_entropy(net(x).view(batch * HEADS, -1), target, reduction='sum') / batch
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, list(net.parameters()), 0.001)


for limit in (0.5, seconds):
    steps, begun, busy = 0, time.monotonic(), time.process_time()
    while time.monotonic() - begun < limit:
        step()
        steps += 1
print(f'{steps / (time.monotonic() - begun):.2f} {(time.process_time() - busy) / steps * 1e3:.2f}')
