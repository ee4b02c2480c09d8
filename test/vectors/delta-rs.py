"""Makes test/vectors/delta-rs/ and nan-of-pyarrow.parquet: tables as delta-rs writes them, and what it reads of each of their versions.

    pip install deltalake==1.6.6 pyarrow==26.0.1
    python test/vectors/delta-rs.py

The files are checked in, so that no test needs Python. Tables with features that delta-rs cannot write are made of logs.
"""
import datetime
import decimal
import json
import os
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, QueryBuilder, write_deltalake

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "delta-rs")
shutil.rmtree(HERE, ignore_errors=True)
UTC = datetime.timezone.utc
FEED = {"delta.enableChangeDataFeed": "true"}


def rows(*ids):
    """One row per id, of every type that both sides have."""
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "small": pa.array([i % 100 for i in ids], pa.int8()),
            "text": pa.array([None if i % 5 == 0 else f"row {i} ü'\"" for i in ids]),
            "value": pa.array([i + 0.5 for i in ids]),
            "yes": pa.array([i % 2 == 0 for i in ids]),
            "day": pa.array([datetime.date(2020, 1, 1 + i) for i in ids]),
            "time": pa.array([datetime.datetime(2020, 1, 1, i, 0, 0, 123456, UTC) for i in ids]),
            "amount": pa.array([decimal.Decimal(i) / 8 for i in ids], pa.decimal128(20, 3)),
            "list": pa.array([[i, None] for i in ids], pa.list_(pa.int32())),
        }
    )


def table(name):
    return os.path.join(HERE, name)


def text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join('NULL' if each is None else str(each) for each in value)}]"
    return str(value).replace("+00:00", "+00")


def texts(batches):
    return sorted(json.dumps([text(v) for v in row.values()], ensure_ascii=False, separators=(",", ":")) for row in batches)


def read(name, version):
    found = QueryBuilder().register("t", DeltaTable(table(name), version=version)).execute("SELECT * FROM t").read_all()
    return texts(pa.table(found).to_pylist())


def changes(name, version):
    feed = DeltaTable(table(name)).load_cdf(starting_version=version, ending_version=version).read_all()
    kept = [c for c in feed.column_names if c not in ("_commit_version", "_commit_timestamp")]
    return texts(pa.table(feed).select(kept).to_pylist())


write_deltalake(table("changed"), rows(1, 2, 3, 4, 5), configuration=FEED)
write_deltalake(table("changed"), rows(6, 7), mode="append")
DeltaTable(table("changed")).delete("id IN (2, 6)")
DeltaTable(table("changed")).update(updates={"text": "'updated'"}, predicate="id = 3")
(
    DeltaTable(table("changed"))
    .merge(rows(4, 9), "s.id = t.id", source_alias="s", target_alias="t")
    .when_matched_update_all()
    .when_not_matched_insert_all()
    .execute()
)
DeltaTable(table("changed")).optimize.compact()
write_deltalake(table("changed"), rows(10, 11), mode="overwrite")
DeltaTable(table("changed")).restore(4)

write_deltalake(table("checkpointed"), rows(1))
for i in range(2, 8):
    write_deltalake(table("checkpointed"), rows(i), mode="append")
DeltaTable(table("checkpointed")).delete("id = 4")
DeltaTable(table("checkpointed")).create_checkpoint()
write_deltalake(table("checkpointed"), rows(8), mode="append")
for version in range(0, 7):
    os.remove(os.path.join(table("checkpointed"), f"_delta_log/{version:020}.json"))

parts = pa.table({"id": [1, 2, 3, 4], "part": ["a b/ü%=", None, "x", "x"], "day": [datetime.date(2020, 1, i) for i in (1, 2, 3, 4)]})
write_deltalake(table("partitioned"), parts, partition_by=["part", "day"])
DeltaTable(table("partitioned")).delete("id = 3")

write_deltalake(table("evolved"), pa.table({"id": [1]}))
write_deltalake(table("evolved"), pa.table({"id": [2], "more": ["x"]}), mode="append", schema_mode="merge")

write_deltalake(table("ntz"), pa.table({"at": pa.array([datetime.datetime(2020, 1, 1, 1, 2, 3)], pa.timestamp("us"))}))

write_deltalake(table("constrained"), pa.table({"id": [1]}))
DeltaTable(table("constrained")).alter.add_constraint({"positive": "id > 0"})

write_deltalake(table("appended"), pa.table({"id": [1]}), configuration={"delta.appendOnly": "true"})

# pyarrow leaves NaN out of the bounds of a file.
pq.write_table(pa.table({"x": [1.0, float("nan"), 2.0]}), os.path.join(HERE, "..", "nan-of-pyarrow.parquet"))

firsts = {"checkpointed": 7}
NAMES = ["changed", "checkpointed", "partitioned", "evolved", "ntz", "constrained", "appended"]
expected = {
    name: {v: read(name, v) for v in range(firsts.get(name, 0), DeltaTable(table(name)).version() + 1)} for name in NAMES
}
feeds = {v: changes("changed", v) for v in range(DeltaTable(table("changed")).version() + 1)}
with open(os.path.join(HERE, "expected.json"), "w") as out:
    json.dump({"rows": expected, "changes": feeds}, out, ensure_ascii=False, indent=1)
