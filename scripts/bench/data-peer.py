"""What people do today: validate a CSV file, look for personal data by patterns, count duplicates, sample, write Parquet."""
import json
import os
import re
import resource
import sys
import tempfile

PATTERNS = [
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    r"(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b(?:\d[ -]*?){13,16}\b",
    r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b",
    r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
    r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b",
    r"https?://[^\s:@/]+:[^\s@/]+@",
    r"\b(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}\b|\b0x[0-9a-fA-F]{40}\b",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b",
]
TEXTS = ["email", "phone", "note", "comment"]


def with_pandas(file, out):
    import pandas as pd
    import pandera.pandas as pa

    table = pd.read_csv(file)
    schema = pa.DataFrameSchema({
        "id": pa.Column(int, unique=True),
        "age": pa.Column(int, pa.Check.in_range(0, 120)),
        "income": pa.Column(float, pa.Check.ge(0)),
        "score": pa.Column(float, pa.Check.in_range(0, 100)),
        "height": pa.Column(float, pa.Check.in_range(50, 250)),
        "weight": pa.Column(float, pa.Check.in_range(20, 300)),
        "visits": pa.Column(int, pa.Check.ge(0)),
        "sex": pa.Column(str, pa.Check.isin(["f", "m"])),
        "region": pa.Column(str, pa.Check.isin(["north", "south", "east", "west"])),
        "plan": pa.Column(str, pa.Check.isin(["basic", "plus", "pro"]), nullable=True),
        "joined": pa.Column(str, pa.Check.str_matches(r"^\d{4}-\d{2}-\d{2}$")),
        "recovered": pa.Column(str, pa.Check.isin(["yes", "no"])),
    })
    schema.validate(table, lazy=True)
    compiled = [re.compile(pattern) for pattern in PATTERNS]
    for name in TEXTS:
        for pattern in compiled:
            table[name] = table[name].str.replace(pattern, "", regex=True)
    table.duplicated().sum()
    table.describe()
    for name in ["age", "income", "score", "height", "weight", "visits"]:
        table[name].quantile([0.25, 0.75])
    table.groupby("recovered").sample(frac=0.5, random_state=42).to_parquet(out)


def with_polars(file, out):
    import polars as pl

    table = pl.read_csv(file)
    table.select(
        pl.col("id").is_unique().all(),
        pl.col("age").is_between(0, 120).all(),
        pl.col("income").ge(0).all(),
        pl.col("score").is_between(0, 100).all(),
        pl.col("height").is_between(50, 250).all(),
        pl.col("weight").is_between(20, 300).all(),
        pl.col("visits").ge(0).all(),
        pl.col("sex").is_in(["f", "m"]).all(),
        pl.col("region").is_in(["north", "south", "east", "west"]).all(),
        pl.col("plan").is_in(["basic", "plus", "pro"]).all(),
        pl.col("joined").str.contains(r"^\d{4}-\d{2}-\d{2}$").all(),
        pl.col("recovered").is_in(["yes", "no"]).all(),
    )
    for pattern in PATTERNS:
        table = table.with_columns(pl.col(TEXTS).str.replace_all(pattern, ""))
    table.is_duplicated().sum()
    table.describe()
    table.sample(fraction=0.5, seed=42).write_parquet(out)


with tempfile.TemporaryDirectory() as folder:
    {"pandas": with_pandas, "polars": with_polars}[sys.argv[1]](sys.argv[2], os.path.join(folder, "out.parquet"))
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakMB": usage.ru_maxrss / 1e3}))
