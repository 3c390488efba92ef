"""What nets.py and nn.py share: steps of AdamW with clipping and an average of the weights, for so many seconds."""
import time

import torch
from torch import nn


def run(net, loss, seconds):
    """Takes steps for so many seconds, after half a second to warm up.  Returns steps, wall and CPU seconds."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)
    average = [p.detach().clone() for p in net.parameters()]
    for limit in (0.5, seconds):
        steps, begun, busy = 0, time.monotonic(), time.process_time()
        while time.monotonic() - begun < limit:
            optimiser.zero_grad()
            loss().backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            with torch.no_grad():
                torch._foreach_lerp_(average, list(net.parameters()), 0.001)
            steps += 1
    return steps, time.monotonic() - begun, time.process_time() - busy
