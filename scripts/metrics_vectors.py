"""Writes test/vectors/metrics.json: metrics as scikit-learn computes them, for offchain/metrics to agree with.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1
    /tmp/venv/bin/python scripts/metrics_vectors.py

Another file may be named, to compare with. The tests read the table, and make it again where scikit-learn of that
version is there: HOKUSAI_PYTHON=/tmp/venv/bin/python npm test
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
MILLION = 1_000_000
random = np.random.default_rng(42)


def text(value):
    """JSON has no NaN and no infinity."""
    value = float(value)
    return None if np.isnan(value) else "Infinity" if value == np.inf else value


def class_metrics(case):
    y, p, k = (np.asarray(case[key]) for key in ("labels", "predictions", "classes"))
    k, w = int(k), case.get("weights")
    labels = list(range(k))
    found = {"accuracy": metrics.accuracy_score(y, p, sample_weight=w)}
    averages = (["binary"] if k == 2 else []) + ["macro", "micro", "weighted"]
    for average in averages:
        values = metrics.precision_recall_fscore_support(
            y, p, labels=labels if average != "binary" else None, average=average, sample_weight=w, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), values):
            found[name if average == "binary" else f"{name}_{average}"] = value
    if "scores" in case:
        scores = np.asarray(case["scores"], dtype=float)
        if k == 2:
            found["auroc"] = metrics.roc_auc_score(y, scores[0], sample_weight=w)
        else:
            for average in ("macro", "weighted"):
                one_hot = np.eye(k)[y]
                found[f"auroc_{average}"] = metrics.roc_auc_score(one_hot, scores.T, average=average, sample_weight=w)
    if "probabilities" in case:
        q = np.asarray(case["probabilities"], dtype=float)
        found["log_loss"] = metrics.log_loss(y, q[0] if k == 2 else q.T, labels=labels, sample_weight=w)
    return found


def number_metrics(case):
    y, p, w = np.asarray(case["labels"], float), np.asarray(case["predictions"], float), case.get("weights")
    return {
        "mse": metrics.mean_squared_error(y, p, sample_weight=w),
        "mae": metrics.mean_absolute_error(y, p, sample_weight=w),
        "r2": metrics.r2_score(y, p, sample_weight=w),
        "mape": metrics.mean_absolute_percentage_error(y, p, sample_weight=w),
    }


def solved(case):
    found = class_metrics(case) if "classes" in case else number_metrics(case)
    solved_case = {**case, "expected": {name: text(value) for name, value in found.items()}}
    if case.get("classes") != 2 or "scores" not in case or len(set(case["labels"])) < 2 or "weights" in case:
        return solved_case
    fpr, tpr, _ = metrics.roc_curve(case["labels"], case["scores"][0], drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(case["labels"], case["scores"][0])
    solved_case["roc"] = {"falsePositiveRate": fpr.tolist(), "truePositiveRate": tpr.tolist()}
    # From the highest threshold on, as the other curves; the last point of scikit-learn's is no threshold's.
    solved_case["precisionRecall"] = {"precision": precision[-2::-1].tolist(), "recall": recall[-2::-1].tolist()}
    solved_case["averagePrecision"] = metrics.average_precision_score(case["labels"], case["scores"][0])
    if "probabilities" in case:
        observed, predicted = calibration_curve(case["labels"], case["probabilities"][0], n_bins=10)
        solved_case["calibration"] = {"observed": observed.tolist(), "predicted": predicted.tolist()}
    return solved_case


def draw(name, n, k, weights=False, ties=False):
    labels = random.integers(0, k, n)
    scores = random.normal(size=(1 if k == 2 else k, n))
    if k == 2:
        scores[0] += labels
    else:
        scores[labels, np.arange(n)] += 1
    scores = np.round(scores, 0 if ties else 4)
    exps = np.exp(scores)
    probabilities = np.round(exps / (1 + exps) if k == 2 else exps / exps.sum(axis=0), 5)
    predictions = (scores[0] > 0.5).astype(int) if k == 2 else scores.argmax(axis=0)
    case = {
        "name": name,
        "classes": k,
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "scores": scores.tolist(),
        "probabilities": probabilities.tolist(),
    }
    return {**case, "weights": random.integers(0, 4, n).tolist()} if weights else case


def classes(name, labels, predictions, k=2, **others):
    return {"name": name, "classes": k, "labels": labels, "predictions": predictions, **others}


def numbers(name, labels, predictions, **others):
    return {"name": name, "labels": labels, "predictions": predictions, **others}


def hashed(factor):
    """What the test draws a million rows from: multiples modulo 2^32, as a share of it."""
    return (np.arange(MILLION, dtype=np.uint64) * np.uint64(factor) % np.uint64(2**32)).astype(float) / 2**32


def million():
    score, chance = np.floor(hashed(2654435761) * 100_000) / 100_000, hashed(2246822519)
    labels, predictions = (chance < score).astype(int), (score > 0.5).astype(int)
    two = {"classes": 2, "labels": labels, "predictions": predictions, "scores": [score], "probabilities": [score]}
    y = 1e6 + hashed(2654435761)
    return {
        "two classes": {name: text(value) for name, value in class_metrics(two).items()},
        "numbers": {
            name: text(value)
            for name, value in number_metrics({"labels": y, "predictions": y + (chance - 0.5)}).items()
        },
    }


CASES = [
    draw("two classes", 150, 2),
    draw("two classes, scores tied", 150, 2, ties=True),
    draw("two classes, rows taken several times or never", 80, 2, weights=True, ties=True),
    draw("five classes", 120, 5),
    draw("five classes, scores tied", 100, 5, ties=True),
    draw("three classes, rows taken several times or never", 80, 3, weights=True),
    draw("more classes than most have rows", 70, 40),
    classes("all scores equal", [0, 1, 1, 0], [1, 1, 1, 1], scores=[[3, 3, 3, 3]]),
    classes("scores in perfect order", [0, 0, 1, 1], [0, 0, 1, 1], scores=[[1, 2, 3, 4]]),
    classes("scores in reverse order", [0, 0, 1, 1], [1, 1, 0, 0], scores=[[4, 3, 2, 1]]),
    classes("zeros of both signs", [0, 1, 0, 1], [0, 0, 0, 1], scores=[[0.0, -0.0, -1.0, 1.0]]),
    classes("huge and tiny scores", [0, 1, 0, 1, 1], [0, 1, 0, 1, 0], scores=[[-1e308, 5e-324, 0, 1.7e308, -5e-324]]),
    classes("scores that differ in the last bit", [0, 1, 0, 1], [0, 1, 0, 1], scores=[[1, 1 + 2**-52, 2**53 - 1, 2**53]]),
    classes("nobody said to be positive", [0, 1, 1], [0, 0, 0]),
    classes("nobody positive", [0, 0, 0], [0, 1, 0], scores=[[1, 2, 3]]),
    classes("everybody positive", [1, 1, 1], [0, 1, 0], scores=[[1, 2, 3]], probabilities=[[0.1, 0.5, 0.9]]),
    classes("nobody positive nor said to be", [0, 0], [0, 0]),
    classes("one row, right", [1], [1], scores=[[2]], probabilities=[[0.8]]),
    classes("one row, wrong", [1], [0], scores=[[-2]], probabilities=[[0.2]]),
    classes("sure and wrong", [0, 1, 1], [1, 0, 1], probabilities=[[1, 0, 1]]),
    classes("nearly sure", [0, 1, 1], [0, 1, 1], probabilities=[[1e-17, 1 - 2**-53, 1e-300]]),
    classes("a class without rows", [0, 0, 1, 1], [0, 1, 1, 2], 3, scores=[[5, 6, 1, 4], [3, 2, 8, 5], [2, 2, 1, 1]]),
    classes("a class of the label and never said", [0, 2, 1, 2], [0, 1, 1, 1], 3),
    classes("a class that neither has", [0, 1, 1, 0], [0, 1, 0, 0], 4),
    classes("one row of many classes", [3], [3], 5, probabilities=[[0.1], [0.1], [0.1], [0.6], [0.1]]),
    numbers("numbers", (y := random.normal(size=120)).tolist(), (y + random.normal(size=120) / 3).tolist()),
    numbers(
        "numbers, rows taken several times or never",
        (y := random.normal(size=100)).tolist(),
        (y + random.normal(size=100)).tolist(),
        weights=random.integers(0, 4, 100).tolist(),
    ),
    numbers("one number", [3], [5]),
    numbers("equal labels, all met", [2, 2, 2], [2, 2, 2]),
    numbers("equal labels, one missed", [2, 2, 2], [2, 2, 3]),
    numbers("labels of zero", [0, 1, -1, 0], [0, 2, 1, 1e-3]),
    numbers("worse than the mean", [1, 2, 3], [3, 2, 1]),
    numbers("huge numbers", [1e150, -3e150, 2e150], [1.5e150, -2e150, 2e150]),
    numbers("numbers too large to square", [1e200, -1e200], [-1e200, 1e200]),
    numbers("a small spread on a large level", (y := 1e9 + random.random(100)).tolist(), (y + 1e-3).tolist()),
]

table = {
    "scikit-learn": sklearn.__version__,
    "numpy": np.__version__,
    "conventions": "zero_division=0, labels of all classes, rank-based one-vs-rest AUROC; NaN is null",
    "cases": [solved(case) for case in CASES],
    "million": million(),
}
default = pathlib.Path(__file__).parent.parent / "test/vectors/metrics.json"
path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
path.write_text(json.dumps(table, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
print(f"{path}: {len(CASES)} cases")
