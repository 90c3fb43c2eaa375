"""Write `keras3_losses.json`: values of losses and metrics that came with Keras 3, on batches drawn once.

Run by hand with Keras 3.15.1 installed: `KERAS_BACKEND=tensorflow python tests/record_keras3_losses.py`.
"""

import json
from pathlib import Path

import keras
import numpy as np

RANDOM = np.random.default_rng(0)
BINARY, P = (RANDOM.random((4, 3)) < 0.5).astype("float32"), RANDOM.random((4, 3)).astype("float32")
CLASSES = np.array([0, 2, 1, 1])
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
AREAS, MASKS = (RANDOM.random((2, 4, 4, 1)) < 0.5).astype("float32"), RANDOM.random((2, 4, 4, 1)).astype("float32")
EMBEDDINGS = RANDOM.normal(size=(6, 5)).astype("float32")
EMBEDDINGS /= np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True)
OF = np.array([0, 1, 0, 2, 1, 3])
LOGITS, LABELS = RANDOM.normal(size=(3, 7, 5)).astype("float32"), np.array([[1, 2, 2, 0], [3, 0, 0, 0], [4, 1, 2, 3]])
REAL = [RANDOM.normal(size=(2, 5, 3)).astype("float32") for _ in range(2)]
WEIGHTS = [RANDOM.uniform(0.5, 2, 5) for _ in range(2)]

LOSSES = [
    ("binary_focal_crossentropy", BINARY, P, {}),
    (
        "binary_focal_crossentropy",
        BINARY,
        P * 6 - 3,
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1},
    ),
    ("categorical_focal_crossentropy", ONE_HOT, P, {}),
    (
        "categorical_focal_crossentropy",
        ONE_HOT,
        P * 6 - 3,
        {"alpha": [0.1, 0.2, 0.3], "gamma": 1.0, "from_logits": True, "label_smoothing": 0.2},
    ),
    ("categorical_generalized_cross_entropy", CLASSES, P, {"q": 0.3}),
    ("dice", AREAS, MASKS, {}),
    ("dice", AREAS, MASKS, {"axis": [1, 2, 3]}),
    ("tversky", AREAS, MASKS, {"alpha": 0.3, "beta": 0.6}),
    ("tversky", AREAS, MASKS, {"axis": [1, 2, 3]}),
    ("circle", OF, EMBEDDINGS, {}),
    ("circle", OF, EMBEDDINGS, {"remove_diagonal": False, "gamma": 10, "margin": 0.2}),
    ("ctc", LABELS, LOGITS, {}),
]
CLASSES_OF_LOSSES = [
    ("BinaryFocalCrossentropy", BINARY, P, {"apply_class_balancing": True}, WEIGHTS[0][:4]),
    ("CategoricalFocalCrossentropy", ONE_HOT, P, {"gamma": 3.0}, None),
    ("CategoricalGeneralizedCrossEntropy", CLASSES, P, {"q": 0.7}, WEIGHTS[0][:4]),
    ("Dice", AREAS, MASKS, {"axis": [1, 2, 3]}, None),
    ("Tversky", AREAS, MASKS, {"alpha": 0.2}, None),
    ("Circle", OF, EMBEDDINGS, {"gamma": 20.0}, None),
    ("CTC", LABELS, LOGITS, {}, WEIGHTS[0][:3]),
]
SCORED = [(BINARY[:2], P[:2]), (BINARY[2:], P[2:])]
NUMBERS = [(t, t + 0.3 * p, w) for t, p, w in zip(REAL[0], REAL[1], WEIGHTS, strict=True)]
PLAIN = [(t, p) for t, p, _ in NUMBERS]
PAIRS = [(np.array([0, 1, 2, 2, 1]), np.array([0, 1, 1, 2, 0])), (np.array([2, 0, 1, 1, 0]), np.array([2, 2, 1, 1, 0]))]
WEIGHED = [(t, p, np.arange(1.0, 6)) for t, p in PAIRS]  # whole numbers: Keras 3.15 cuts others off
ONE_HOT_PAIRS = [(np.eye(3)[t], p @ np.eye(5, 3)) for (t, _), p in zip(PAIRS, RANDOM.random((2, 5, 5)), strict=True)]
METRICS = [
    *[("F1Score", SCORED, {"average": average}) for average in (None, "micro", "macro", "weighted")],
    *[("FBetaScore", SCORED, {"average": a, "beta": 2.0, "threshold": 0.4}) for a in (None, "micro", "weighted")],
    ("FBetaScore", [(*s, w[:2]) for s, w in zip(SCORED, WEIGHTS, strict=True)], {"beta": 0.5, "threshold": 0.6}),
    *[("R2Score", NUMBERS, {"class_aggregation": a}) for a in (None, "uniform_average", "variance_weighted_average")],
    ("R2Score", PLAIN, {"num_regressors": 2}),
    ("PearsonCorrelation", NUMBERS, {}),
    ("PearsonCorrelation", PLAIN, {"axis": 0}),
    ("ConcordanceCorrelation", NUMBERS, {}),
    ("ConcordanceCorrelation", PLAIN, {"axis": [0, 1]}),
    ("IoU", WEIGHED, {"num_classes": 3, "target_class_ids": [0, 2]}),
    ("IoU", PAIRS, {"num_classes": 4, "target_class_ids": [1, 3], "ignore_class": 2}),
    ("MeanIoU", WEIGHED, {"num_classes": 3, "ignore_class": 0}),
    ("MeanIoU", ONE_HOT_PAIRS, {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}),
    ("BinaryIoU", SCORED, {"threshold": 0.3}),
    ("BinaryIoU", SCORED, {"target_class_ids": [1]}),
    ("OneHotIoU", ONE_HOT_PAIRS, {"num_classes": 3, "target_class_ids": [0, 1]}),
    ("OneHotMeanIoU", ONE_HOT_PAIRS, {"num_classes": 3}),
]


def plain(value):
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return np.asarray(value).tolist() if hasattr(value, "shape") else value


def found(metric, batches):
    for batch in batches:
        metric.update_state(*batch)
    return plain(np.asarray(metric.result()))


if __name__ == "__main__":
    L, M = keras.losses, keras.metrics
    recorded = {
        "losses": [[n, t, p, k, np.asarray(getattr(L, n)(t, p, **k))] for n, t, p, k in LOSSES],
        "loss_classes": [[n, t, p, k, w, float(getattr(L, n)(**k)(t, p, w))] for n, t, p, k, w in CLASSES_OF_LOSSES],
        "metrics": [[n, b, k, found(getattr(M, n)(**k), b)] for n, b, k in METRICS],
    }
    Path(__file__).with_name("keras3_losses.json").write_text(json.dumps({k: plain(v) for k, v in recorded.items()}))
