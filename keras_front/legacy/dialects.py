"""What a default was in another generation of Keras: tables.

Ours are those of Keras 2.3.1, the dialect `keras2.3`. A default is looked up where an object is made and an argument is
not given; a file that says what it wants is never changed.
Source: the signatures of Keras 1.2.2, 2.2.4 and 3.15; Keras 1.2.2, `keras/initializations.py`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULTS", "NAMES", "ROWS_AND_COLUMNS"]

_HARD = {"recurrent_activation": "hard_sigmoid", "implementation": 1}
_GATED = ("GRU", "GRUCell", "LSTM", "LSTMCell")
_CONVOLUTIONAL = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM2DCell", "ConvLSTM3D")

# Defaults that were others, by dialect, class or method, and argument.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "keras1": {
        **dict.fromkeys(_GATED, _HARD),
        **{name: {"epsilon": 1e-8} for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop")},
        "Orthogonal": {"gain": 1.1},
        "fit": {"epochs": 10},
    },
    "keras2.2": dict.fromkeys(_GATED, _HARD),
    "keras3": {
        **{name: {"reset_after": True} for name in ("GRU", "GRUCell")},
        **{name: {"recurrent_activation": "sigmoid"} for name in _CONVOLUTIONAL},
        "Adadelta": {"learning_rate": 0.001},
        "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1},
        "Adamax": {"learning_rate": 0.001},
        "Nadam": {"learning_rate": 0.001},
    },
}

# Names that meant something else, by dialect and kind of registry: another name, or a name and arguments.
NAMES: dict[str, dict[str, dict[str, Any]]] = {
    "keras1": {
        "initializer": {  # normal distributions were not cut off
            "glorot_normal": ("VarianceScaling", {"mode": "fan_avg", "distribution": "untruncated_normal"}),
            "he_normal": ("VarianceScaling", {"scale": 2.0, "distribution": "untruncated_normal"}),
        },
    },
    "keras3": {"activation": {"hard_sigmoid": "hard_sigmoid_keras3"}},
}

# Dialects in which two numbers after that of filters are rows and columns, as in `LocallyConnected2D(64, 3, 3)`.
ROWS_AND_COLUMNS = ("keras1", "keras2.2")
