"""Trains once with scikit-learn on the same bytes divided by 255, in doubles: one line of JSON."""
import importlib
import json
import resource
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
job = json.loads(sys.argv[1])
table, peer = job["table"], job["peer"]
rows, width = table["rows"], table["width"]
raw = np.fromfile(f"{job['folder']}/{table['name']}.bin", dtype=np.uint8)


def half(start, count):
    values = raw[start : start + count * width].reshape(width, count).T / 255
    labels = raw[start + count * width : start + count * (width + 2)].copy().view("<u2")
    return np.ascontiguousarray(values), labels.astype(np.int64 if table["classes"] else np.float64)


tested = len(raw) // (width + 2) - rows
x, y = half(0, rows)
x_test, y_test = half(rows * (width + 2), tested)
model = getattr(importlib.import_module(f"sklearn.{peer['module']}"), peer["name"])(**peer["parameters"])
started, cpu = time.perf_counter(), time.process_time()
model.fit(x, y)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
started = time.perf_counter()
model.predict(x_test)
predict_seconds = time.perf_counter() - started
print(json.dumps({
    "seconds": seconds,
    "cpuSeconds": cpu_seconds,
    "predictSeconds": predict_seconds,
    "score": float(model.score(x_test, y_test)),
    "peakMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
}))
