"""The CTGAN package on a CSV file: gan.py train.csv threads epochs.  Prints seconds per epoch, and CPU seconds.

Hidden layers of 256 and 256 in both networks, embedding of 128, batches of 500, packs of 10: its defaults.  What is
before the first epoch (mixtures of each column) doesn't count, and neither does the first.
"""
import sys
import time

import ctgan.synthesizers.ctgan as package
import pandas as pd
import torch

path, threads, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
wall, cpu = [], []


class Clock:
    """In place of the package's progress bar: the time at which each epoch begins."""

    def __init__(self, epochs, **_):
        self.epochs = epochs

    def __iter__(self):
        for epoch in self.epochs:
            wall.append(time.monotonic())
            cpu.append(time.process_time())
            yield epoch

    def set_description(self, _):
        pass


package.tqdm = Clock
table = pd.read_csv(path, keep_default_na=False)
gan = package.CTGAN(embedding_dim=128, generator_dim=(256, 256), discriminator_dim=(256, 256), batch_size=500, pac=10,
                    epochs=epochs + 2)
gan.fit(table, [c for c in table if table[c].dtype == object])
# the last one began, but its end was not noted
print(f'{(wall[-1] - wall[1]) / epochs:.3f} {(cpu[-1] - cpu[1]) / epochs:.3f}')
