# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains an estimator of scikit-learn on the files of a folder. The files are described in docs/frameworks.md."""
import errno
import importlib
import json
import platform
import sys
import traceback
from pathlib import Path


def say(**event):
    print(json.dumps(event), flush=True)


def refuse(kind, message, **more):
    """Messages of ours name no value of a row; those of exceptions might, and stay in the log."""
    say(error=kind, message=message, **more)
    sys.exit(3)


def estimator_of(request):
    module, name = request["estimator"].rsplit(".", 1)
    kind = getattr(importlib.import_module(f"sklearn.{module}"), name)
    known = kind().get_params()
    given = request["hyperparameters"]
    unknown = sorted(set(given) - set(known))
    if unknown:
        refuse("configuration", f"{name} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    # What is drawn follows from the round, and what is summed is summed in one order.
    fixed = {key: value for key, value in {"random_state": request["seed"], "n_jobs": 1}.items() if key in known}
    return kind(**{**fixed, **given})


def onnx_of(estimator, columns):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    model = convert_sklearn(estimator, "hokusai", [("features", FloatTensorType([None, columns]))])
    return model.SerializeToString(deterministic=True)


def main(folder):
    try:
        import numpy
        import onnx
        import skl2onnx
        import sklearn
    except ImportError as error:
        if "failed to map" in str(error) or "Cannot allocate memory" in str(error):
            raise MemoryError from error
        refuse("configuration", f"the Python package {error.name} is not installed")
    from sklearn.utils._param_validation import InvalidParameterError

    request = json.loads((folder / "request.json").read_text("utf-8"))
    features, labels, rows = (numpy.load(folder / f"{name}.npy") for name in ("features", "labels", "predict"))
    if request["task"] == "classification":
        labels = labels.astype(numpy.int64)
    estimator = estimator_of(request)
    try:
        estimator.fit(features, labels)
    except InvalidParameterError as error:
        refuse("configuration", str(error))
    say(progress=0.7, text="predict")
    numpy.save(folder / "predictions.npy", estimator.predict(rows).astype("<f8"))
    if hasattr(estimator, "predict_proba") and len(estimator.classes_) == request["classes"]:
        numpy.save(folder / "probabilities.npy", estimator.predict_proba(rows).clip(0, 1).astype("<f8"))
    say(progress=0.9, text="convert")
    (folder / "model.onnx").write_bytes(onnx_of(estimator, features.shape[1]))
    packages = (numpy, onnx, skl2onnx, sklearn)
    versions = {"python": platform.python_version(), **{package.__name__: package.__version__ for package in packages}}
    say(versions=versions)


def wants_memory(error):
    """Protobuf has no other reason to be unable to read what it has written itself."""
    none_left = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return none_left or isinstance(error, MemoryError) or type(error).__name__ == "DecodeError"


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Exception as error:
        traceback.print_exc()
        # Wherever it is met: a machine's want is no finding about data. By its kind, for words might be of data.
        if wants_memory(error):
            refuse("retryable", "there is not enough memory for it", reason="memory")
        refuse("terminal", f"it ended with {type(error).__name__}")
