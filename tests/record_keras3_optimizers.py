"""Write `keras3_optimizers.json`: five steps of optimizers of Keras 3 with given gradients, and its schedules.

Run by hand with Keras 3.15.1 installed: `KERAS_BACKEND=tensorflow python tests/record_keras3_optimizers.py`.
"""

import json
from pathlib import Path

import keras
import numpy as np

S, K3 = keras.optimizers.schedules, keras.optimizers
RANDOM = np.random.default_rng(0)
STEPS = 5

CASES = {
    "adamw": lambda: K3.AdamW(0.1, weight_decay=0.3),
    "adamw_amsgrad": lambda: K3.AdamW(0.1, weight_decay=0.3, amsgrad=True),
    "lion": lambda: K3.Lion(0.1, weight_decay=0.1),
    "lamb": lambda: K3.Lamb(0.1),
    "lamb_decay": lambda: K3.Lamb(0.1, weight_decay=0.2),
    "ftrl": lambda: K3.Ftrl(0.1),
    "ftrl_all": lambda: K3.Ftrl(0.1, -0.3, 0.2, 0.5, 0.2, 0.1, 0.3),
    "adafactor": lambda: K3.Adafactor(0.5),
    "adafactor_absolute": lambda: K3.Adafactor(0.3, relative_step=False, clip_threshold=0.4, weight_decay=0.1),
    "adafactor_schedule": lambda: K3.Adafactor(S.CosineDecay(0.1, 3)),
    "muon": lambda: K3.Muon(0.1),
    "muon_plain": lambda: K3.Muon(
        0.1, nesterov=False, rms_rate=None, momentum=0.5, ns_steps=3, adam_lr_ratio=0.5, adam_weight_decay=0.2
    ),
    "sgd_decay": lambda: K3.SGD(0.1, momentum=0.9, weight_decay=0.2),
    "adamax_decay": lambda: K3.Adamax(0.1, weight_decay=0.2),
    "sgd_schedule": lambda: K3.SGD(S.ExponentialDecay(0.1, 2, 0.5)),
    "sgd_mean": lambda: K3.SGD(0.1, use_ema=True, ema_momentum=0.7),
    "sgd_mean_overwrite": lambda: K3.SGD(0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=2),
    "adam_accumulated": lambda: K3.Adam(0.1, clipnorm=0.5, gradient_accumulation_steps=2),
    "accumulated_all": lambda: K3.AdamW(
        S.ExponentialDecay(0.1, 2, 0.5),
        weight_decay=0.1,
        gradient_accumulation_steps=2,
        use_ema=True,
        ema_momentum=0.6,
        ema_overwrite_frequency=2,
    ),
}

SCHEDULES = [
    ["ExponentialDecay", [0.1, 10, 0.5]],
    ["ExponentialDecay", [0.1, 10, 0.5, True]],
    ["InverseTimeDecay", [0.1, 10, 0.5]],
    ["InverseTimeDecay", [0.1, 10, 0.5, True]],
    ["PiecewiseConstantDecay", [[3, 10], [1.0, 0.5, 0.1]]],
    ["PolynomialDecay", [0.1, 10]],
    ["PolynomialDecay", [0.1, 10, 0.01, 2.0]],
    ["PolynomialDecay", [0.1, 10, 0.01, 0.5, True]],
    ["CosineDecay", [0.1, 10]],
    ["CosineDecay", [0.1, 10, 0.2]],
    ["CosineDecay", [0.0, 10, 0.1, "x", 0.3, 4]],
    ["CosineDecayRestarts", [0.1, 5]],
    ["CosineDecayRestarts", [0.1, 5, 1.0, 0.5]],
    ["CosineDecayRestarts", [0.1, 5, 1.5, 0.9, 0.1]],
]


def rounded(array):
    return np.round(np.asarray(array, "float64"), 7).tolist()


def trained(make, weights, grads):
    variables = [keras.Variable(w, dtype="float32", name=f"w{i}") for i, w in enumerate(weights)]
    optimizer = make()
    optimizer.build(variables)
    for step in grads:
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32") for g in step], variables)
    values = [rounded(v.numpy()) for v in variables]
    optimizer.finalize_variable_values(variables)
    return {"weights": values, "final": [rounded(v.numpy()) for v in variables]}


if __name__ == "__main__":
    weights = [rounded(RANDOM.normal(size=shape)) for shape in ((4, 3), (3,), (2, 3, 4))]
    grads = [[rounded(RANDOM.normal(size=np.shape(w))) for w in weights] for _ in range(STEPS)]
    recorded = {
        "weights": weights,
        "grads": grads,
        "cases": {name: trained(make, weights, grads) for name, make in CASES.items()},
        "schedules": [[n, a, [float(getattr(S, n)(*a)(t)) for t in range(0, 40, 3)]] for n, a in SCHEDULES],
    }
    Path(__file__).with_name("keras3_optimizers.json").write_text(json.dumps(recorded))
