"""Says what delta-rs reads of a table: python delta-rs-reads.py TABLE prints one JSON object."""
import json
import sys

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

table = sys.argv[1]
latest = DeltaTable(table)


def sql(version, query):
    found = QueryBuilder().register("t", DeltaTable(table, version=version)).execute(query).read_all()
    return [list(row.values()) for row in pa.table(found).to_pylist()]


changes = pa.table(latest.load_cdf(starting_version=0).read_all())
kept = changes.select(["id", "text", "value", "_change_type", "_commit_version"]).to_pylist()
print(
    json.dumps(
        {
            "rows": [sql(v, "SELECT CAST(id AS STRING) AS id, text, value FROM t") for v in range(latest.version() + 1)],
            # By statistics files are skipped here: a bound that is too narrow would hide rows.
            "found": [sql(v, "SELECT count(*) FROM t WHERE id >= 9007199254740993 AND value <= -0.0") for v in range(latest.version() + 1)],
            "changes": [[str(row["id"]), *list(row.values())[1:]] for row in kept],
            "history": [[entry.get(key) for key in ("version", "operation", "run", "step", "who")] for entry in latest.history()],
        }
    )
)
