"""coverage.py train.csv name=synthetic.csv ...: how many of the categories that hold more than 0.1 % of the rows appear.

Categories are the values of columns that are not numbers, and NULL beside them.
"""
import sys

import pandas as pd


def categories(path, columns=None):
    table = pd.read_csv(path, keep_default_na=False)
    columns = columns or [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    return columns, {c: table[c].astype(str).value_counts(normalize=True) for c in columns}


columns, real = categories(sys.argv[1])
for argument in sys.argv[2:]:
    name, path = argument.split('=', 1)
    _, made = categories(path, columns)
    frequent = [(c, v) for c in columns for v, share in real[c].items() if share > 0.001]
    missing = [f'{c}={v}' for c, v in frequent if v not in made[c]]
    print(f'set={name}  categories={len(frequent)}  coverage={100 - 100 * len(missing) / len(frequent):.1f}',
          *missing[:5])
