# SPDX-License-Identifier: GPL-3.0-or-later
"""Predicts with a scikit-learn model that skops keeps. Files are described in docs/frameworks.md; no pickle is loaded."""
import json
import platform
import re
import sys
from pathlib import Path


def say(**event):
    print(json.dumps(event), flush=True)


def refuse(kind, *problems):
    say(error=kind, message="; ".join(problems))
    sys.exit(3)


# Parts of scikit-learn's own estimators that skops asks about: compiled classes of numbers, which call nothing.
PARTS = re.compile(r"sklearn\.(tree\._tree\.Tree|_loss\._?\w+\.\w+|neighbors\._(kd|ball)_tree\.\w+|linear_model\._sgd_fast\.\w+)")


def loaded(file):
    """Types that skops does not know by itself could run what they like: they are not trusted for being asked for."""
    from skops.io import get_untrusted_types, load

    try:
        types = get_untrusted_types(file=file)
        unknown = sorted(name for name in types if not PARTS.fullmatch(name))
        if unknown:
            refuse("configuration", f"it holds types that are not trusted: {', '.join(unknown[:10])}")
        return load(file, trusted=types)
    except Exception as error:
        print(repr(error), file=sys.stderr)
        refuse("configuration", f"skops cannot read it ({type(error).__name__})")


def problems_of(model, request):
    names = request["features"]
    width = getattr(model, "n_features_in_", len(names))
    if width != len(names):
        yield f"it reads {width} features, the schema gives {len(names)}"
    own = [str(name) for name in getattr(model, "feature_names_in_", [])]
    if own and own != names and len(own) == len(names):
        yield f"its features are in another order, or others: {', '.join(sorted(set(own) ^ set(names))[:10]) or own[0]}"
    if not hasattr(model, "predict"):
        yield "it does not predict"
    classes = list(getattr(model, "classes_", []))
    if request["classes"] == 0 and classes:
        yield f"it tells {len(classes)} classes apart, the label is a number"
    elif request["classes"] and len(classes) != request["classes"]:
        yield f"it tells {len(classes)} classes apart, the schema {request['classes']}"
    elif classes and not all(number_of(one, request) is not None for one in classes):
        yield "its classes are neither numbers from 0 nor the schema's names"


def number_of(one, request):
    if isinstance(one, str):
        return request["class_names"].index(one) if one in request["class_names"] else None
    return int(one) if float(one).is_integer() and 0 <= one < request["classes"] else None


def main(folder):
    try:
        import numpy
        import sklearn
        import skops
    except ImportError as error:
        refuse("configuration", f"the Python package {error.name} is not installed")
    request = json.loads((folder / "request.json").read_text("utf-8"))
    model = loaded(folder / request["model"])
    problems = list(problems_of(model, request))
    if problems:
        refuse("configuration", *problems)
    rows = numpy.load(folder / "predict.npy")
    predicted = model.predict(rows)
    if request["classes"]:
        predicted = numpy.array([number_of(one, request) for one in predicted.tolist()], dtype="<f8")
        if hasattr(model, "predict_proba"):
            order = numpy.argsort([number_of(one, request) for one in model.classes_.tolist()])
            numpy.save(folder / "probabilities.npy", model.predict_proba(rows)[:, order].clip(0, 1).astype("<f8"))
    numpy.save(folder / "predictions.npy", predicted.reshape(len(rows)).astype("<f8"))
    packages = (numpy, sklearn, skops)
    say(versions={"python": platform.python_version(), **{one.__name__: one.__version__ for one in packages}})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
