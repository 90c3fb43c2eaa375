"""What differs in other generations of Keras: one table for each kind of difference.

The native dialect, `keras_front`, has the defaults of Keras 2.3.1. A default is looked up where an object is made and
an argument is not given; a file that says what it wants is never changed. Conventions are looked up where a model is
compiled, see `keras_front.conventions`, which also says what the native dialect follows, and why.

Source: the signatures of Keras 1.2.2, 2.2.4, 2.3.1 and 3.15; rows name files.
"""

from __future__ import annotations

from typing import Any

from keras_front.config import NATIVE

__all__ = ["CONVENTIONS", "DEFAULTS", "NAMES", "ROWS_AND_COLUMNS", "VERSIONS"]

_HARD = {"recurrent_activation": "hard_sigmoid", "implementation": 1}
_GATED = ("GRU", "GRUCell", "LSTM", "LSTMCell")
_CONVOLUTIONAL = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM2DCell", "ConvLSTM3D")

# 2.3.1 and 3.15 `keras/losses.py`; tf.keras has "auto" there.
_WHOLE_BATCH = {
    name: {"reduction": "sum_over_batch_size"}
    for name in """BinaryCrossentropy CategoricalCrossentropy CategoricalHinge CosineSimilarity Hinge Huber KLDivergence
    LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge""".split()
}

# tf.keras 2.15, `keras/layers/rnn/gru.py`; Keras 3.15 as well.
_RESET_AFTER = {name: {"reset_after": True} for name in ("GRU", "GRUCell")}

# tf.keras 2.15, `keras/optimizers/`; Keras 3.15 as well.
_RATES: dict[str, dict[str, Any]] = {
    "Adadelta": {"learning_rate": 0.001},
    "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1},
    "Adamax": {"learning_rate": 0.001},
    # `nadam.py`: 0.96 to the power of the step, without a factor.
    "Nadam": {"learning_rate": 0.001, "schedule_decay": 1.0},
}

_WITH_EPSILON = ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop")

# Defaults that were others, by dialect, part of keras_front, class or method, and argument.
DEFAULTS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "keras1": {
        "layers": dict.fromkeys(_GATED, _HARD),
        "optimizers": {name: {"epsilon": 1e-8} for name in _WITH_EPSILON},
        "initializers": {"Orthogonal": {"gain": 1.1}},
        "training": {"fit": {"epochs": 10}},
    },
    "keras2.2": {"layers": dict.fromkeys(_GATED, _HARD)},
    "keras2.3": {"losses": _WHOLE_BATCH},
    "tf.keras": {"layers": _RESET_AFTER, "optimizers": _RATES},
    "keras3": {
        "losses": _WHOLE_BATCH,
        "layers": {**_RESET_AFTER, **{name: {"recurrent_activation": "sigmoid"} for name in _CONVOLUTIONAL}},
        "optimizers": _RATES,
    },
}

# 2.2.4 `keras/metrics.py` imports these from `keras/losses.py`, where the sign is the other one.
_COSINES = dict.fromkeys(("cosine", "cosine_proximity"), "loss/cosine_proximity")

# Names that meant something else, by dialect and kind of registry: another name, a name and arguments, or a name in
# another registry.
NAMES: dict[str, dict[str, dict[str, Any]]] = {
    "keras1": {
        "metric": _COSINES,
        "initializer": {  # normal distributions were not cut off: 1.2.2, `keras/initializations.py`
            "glorot_normal": ("VarianceScaling", {"mode": "fan_avg", "distribution": "untruncated_normal"}),
            "he_normal": ("VarianceScaling", {"scale": 2.0, "distribution": "untruncated_normal"}),
        },
    },
    "keras2.2": {"metric": _COSINES},
    "keras3": {"activation": {"hard_sigmoid": "hard_sigmoid_keras3"}},
}

# Dialects in which two numbers after that of filters are rows and columns, as in `LocallyConnected2D(64, 3, 3)`.
ROWS_AND_COLUMNS = ("keras1", "keras2.2")

# 1.2.2 to 2.3.1, `keras/optimizers.py`, `Optimizer.get_gradients`: one norm of all gradients.
_JOINT = {"joint_clipnorm": True}
# 1.2.2 `keras/engine/topology.py`, 2.2.4 and 2.3.1 `keras/engine/base_layer.py`, `Layer.__call__`: no division.
_WHOLE = {"whole_activity_penalty": True}
# 1.2.2 `keras/engine/training.py`, 2.2.4 `keras/engine/training_utils.py`, `weighted_masked_objective`.
_NONZERO = {"weights_over_nonzero": True}
# 1.2.2 and 2.2.4 `keras/engine/training.py`, `Model.compile`; any other metric has the name of its function.
_ACCURACY = {"accuracy": "acc", "acc": "acc", "cosine": "cosine_proximity", "cosine_proximity": "cosine_proximity"}
_SHORT = {**_ACCURACY, "crossentropy": "ce", "ce": "ce"}

# 1.2.2 `keras/callbacks.py`, `ModelCheckpoint`, and `keras/initializations.py`, `identity`.
_FIRST = {"epochs_of_files_from_zero": True, "square_identity": True}

# `keras/callbacks.py` of all versions.
_EVERY_OTHER = {"unknown_mode_is_auto": True}

# 2.2 and 2.3 took their nets from the package Keras-Applications.
_UP_TO_2_3 = {
    **_JOINT,
    **_WHOLE,
    "applications": "Keras-Applications",
    "activation_layers_warn": True,  # 2.2.4 `keras/activations.py`, `get`
    "lowers_optimizer_names": True,  # `keras/optimizers.py`, `deserialize`
    "causal_wants_channels_last": True,  # `keras/layers/convolutional.py`, `Conv1D`
    "layer_at_the_end": True,
    "masks_batch_statistics": False,
    "masks_over_nonzero": False,  # 2.3.1 `keras/losses.py`, `Loss.__call__`; before, see `_NONZERO`
    "least_value_stays": True,  # 1.2.2 `keras/preprocessing/image.py`; Keras-Preprocessing 1.0.9 and 1.1.0
    **_EVERY_OTHER,
    "tells_samples_or_steps": True,  # `keras/engine/training_arrays.py`, `fit_loop`
    "wants_losses": True,  # `keras/engine/training.py`, `Model.compile`
    "generators_want_steps": True,  # `keras/engine/training_generator.py`
}

# 1.2.2 and 2.2.4 `keras/callbacks.py`, `TensorBoard`; `keras/backend/tensorflow_backend.py`, `batch_dot`.
# 2.2.4 `keras/layers/recurrent.py`, `StackedRNNCells.state_size`.
# `keras/optimizers.py`.
_UP_TO_2_2 = {"flat_event_files": True, "batch_dot_keeps_axes": True, "last_cell_first": True, "rate_key": "lr"}

# Conventions that were others, by dialect and field of `keras_front.conventions.Conventions`.
CONVENTIONS: dict[str, dict[str, Any]] = {
    "keras1": {
        **_UP_TO_2_3,
        **_NONZERO,
        **_FIRST,
        **_UP_TO_2_2,
        "applications": "Keras 1",
        "metric_names": _ACCURACY,
        "summary": "columns of Keras 1",
        "progress": "without step time",
    },
    "keras2.2": {
        **_UP_TO_2_3,
        "file_version": "2.2.4",
        **_NONZERO,
        **_UP_TO_2_2,
        "metric_names": _SHORT,
        "weighted_metric_prefix": "weighted_",
        "summary": "classic",
        "progress": "classic",
    },
    "keras2.3": {**_UP_TO_2_3, "summary": "with a title", "progress": "classic"},
    # tf.keras 2.15: `keras/engine/base_layer.py`, `input_layer.py` and `training.py`; `keras/callbacks.py`,
    # `ModelCheckpoint`; clipping, penalties and masked losses as here.
    "tf.keras": {
        **_EVERY_OTHER,
        "names_from_zero": True,
        "inputs_from_one": True,
        "announces_samples": False,
        "counts_steps": True,
        "epoch_format": "d",
        "progress": "of tf.keras",
        "summary": "wrapped",
        "stops_after_first_epoch": False,  # these two: tf_keras 2.21
        "best_weights_at_end": True,
    },
    # 3.15, `base_optimizer.py` and `layers/layer.py`: as here; `utils/file_utils.py`; `utils/naming.py`;
    # `utils/summary_utils.py`, `utils/progbar.py`, `callbacks/model_checkpoint.py`
    "keras3": {
        **_EVERY_OTHER,
        "own_extraction_folder": True,
        "names_from_zero": True,
        "summary": "boxes",
        "progress": "by steps",
        "counts_steps": True,
        "name_prefixes": {"input": "input_layer", "model": "functional"},
        "epoch_format": "d",
        "records_calls": True,  # `backend/torch/core.py`: values of variables are parameters of torch
        "stops_after_first_epoch": False,  # `callbacks/early_stopping.py`
        "best_weights_at_end": True,
        "announces_samples": False,
    },
}

# Versions from which on a file has the conventions of a dialect, by their first two numbers. Keras 2.4 was tf.keras,
# whose own versions end in "-tf" before; its files and those of Keras 3 are as here.
VERSIONS: tuple[tuple[tuple[int, int], str], ...] = (
    ((0, 0), "keras1"),
    ((2, 0), "keras2.2"),
    ((2, 3), "keras2.3"),
    ((2, 4), NATIVE),
)
