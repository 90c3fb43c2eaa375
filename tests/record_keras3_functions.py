"""Records values of real Keras 3's activations, regularizers, constraints and of AUC into `keras3_functions.npz`.

Run it once in an environment with keras 3.15.1 and tensorflow: `python tests/record_keras3_functions.py`. The cases are
lines of code that mean the same here, with `x` a matrix, and `true`, `pred`, `weights` for the metric.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("keras3_functions.npz")
_RNG = np.random.default_rng(0)
X = np.concatenate([np.linspace(-6, 6, 24).reshape(4, 6), [[-1.0, -0.5, 0.0, 0.5, 1.0, 3.0]]]).astype("float32")
W = _RNG.normal(size=(5, 6)).astype("float32")
TRUE = (_RNG.random((40, 3)) < 0.4).astype("float32")
PRED = np.clip(0.6 * _RNG.random((40, 3)) + 0.4 * TRUE, 0, 1).astype("float32")
WEIGHTS = _RNG.uniform(0.5, 2, 40).astype("float32")

ACTIVATIONS = [
    "celu(x)", "celu(x, alpha=0.5)", "elu(x, alpha=2.0)", "exponential(x)", "gelu(x)", "gelu(x, approximate=True)",
    "glu(x)", "glu(x[:4], axis=0)", "hard_shrink(x)", "hard_shrink(x, threshold=2.0)", "hard_silu(x)", "hard_swish(x)",
    "hard_tanh(x)", "leaky_relu(x)", "leaky_relu(x, negative_slope=0.4)", "linear(x)", "log_sigmoid(x)",
    "log_softmax(x)", "mish(x)", "relu(x)", "relu(x, negative_slope=0.1, max_value=3.0, threshold=1.0)", "relu6(x)",
    "selu(x)", "sigmoid(x)", "silu(x)", "soft_shrink(x)", "soft_shrink(x, threshold=2.0)", "softmax(x)",
    "softmax(x, axis=0)", "softplus(x)", "softsign(x)", "sparse_plus(x)", "sparse_sigmoid(x)", "squareplus(x)",
    "squareplus(x, b=0.5)", "swish(x)", "tanh(x)",
    "tanh_shrink(x)", "threshold(x, 0.5, 2.0)",
]  # fmt: skip
REGULARIZERS = [
    "L1(0.2)(w)", "L2(0.3)(w)", "L1L2(0.2, 0.3)(w)", "OrthogonalRegularizer(0.4)(w)",
    "OrthogonalRegularizer(0.4, mode='columns')(w)", "l1(0.2)(w)", "l2(0.3)(w)", "l1_l2(0.2, 0.3)(w)",
]  # fmt: skip
CONSTRAINTS = [
    "MaxNorm(1.5)(w)", "MaxNorm(1.5, axis=1)(w)", "NonNeg()(w)", "UnitNorm()(w)", "UnitNorm(axis=[0, 1])(w)",
    "MinMaxNorm(0.5, 1.5, 0.7)(w)", "max_norm(1.0)(w)", "min_max_norm(0.5, 1.0, axis=1)(w)",
]  # fmt: skip
AUC = [
    "AUC(num_thresholds=20)", "AUC(num_thresholds=20, multi_label=True)",
    "AUC(num_thresholds=20, multi_label=True, curve='PR')",
    "AUC(num_thresholds=20, multi_label=True, num_labels=3, label_weights=[0.5, 1.0, 2.0])",
    "AUC(num_thresholds=20, multi_label=True, curve='PR', summation_method='majoring', label_weights=[1.0, 0.0, 2.0])",
    "AUC(num_thresholds=20, label_weights=[0.5, 1.0, 2.0])", "AUC(thresholds=[0.2, 0.5, 0.7], multi_label=True)",
    "AUC(num_thresholds=20, multi_label=True, from_logits=True)",
]  # fmt: skip


def answers(modules: Any, choose: Callable[[list[str]], list[str]] = list) -> dict[str, Any]:
    """What the functions in `activations`, `regularizers`, `constraints` and `metrics` of some Keras give.

    `choose` leaves out some of each.
    """
    found = {}
    for kind, lines in (("activations", ACTIVATIONS), ("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS)):
        for line in choose(lines):
            found[f"{kind}/{line}"] = eval(
                line, {**vars(getattr(modules, kind)), "x": modules.asarray(X), "w": modules.asarray(W)}
            )
    for line in choose(AUC):
        for weighted in (False, True):
            metric = eval(line, vars(modules.metrics))
            for part in (slice(0, 15), slice(15, 40)):
                weights = WEIGHTS[part] if weighted else None
                metric.update_state(TRUE[part], PRED[part], sample_weight=weights)
            found[f"metrics/{line} {weighted}"] = metric.result()
    return found


def main() -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    keras.asarray = keras.ops.convert_to_tensor
    np.savez_compressed(FILE, **{name: np.asarray(value) for name, value in answers(keras).items()})
    print(FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
