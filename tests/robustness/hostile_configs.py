"""Hostile configs: every place of configs of Keras 1, 2 and 3 with what does not belong there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hostile import DICTIONARIES, VALUES, Check, Hostile, at, changed, harmless, places, refused, shown, without
from watch import Watch

from keras_front import layers, models
from keras_front.saving import keras3

CLASSES = ("layers", "config")  # lists of layers
FREE = ("keras_version", "backend", "build_config", "module", "registered_name", "compile_config", "date_saved")


def sequential() -> Any:
    """A stack of layers with arguments of many kinds."""
    model = models.Sequential(
        [
            layers.Embedding(20, 6, input_length=10, name="e"),
            layers.SpatialDropout1D(0.1, name="sd"),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu", name="c"),
            layers.BatchNormalization(name="b"),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.2), name="bi"),
            layers.TimeDistributed(layers.Dense(4, kernel_regularizer="l2", kernel_constraint="max_norm"), name="t"),
            layers.GRU(3, kernel_initializer=layers_initializer(), name="g"),
            layers.Reshape((3, 1, 1), name="r"),
            layers.MaxPooling2D((1, 1), name="p"),
            layers.ZeroPadding2D(1, name="z"),
            layers.Flatten(name="f"),
            layers.Dropout(0.3, noise_shape=None, seed=3, name="d"),
            layers.Dense(2, activation="softmax", name="o"),
        ],
        name="stack",
    )
    return json.loads(model.to_json())


def layers_initializer() -> Any:
    """An initializer with arguments."""
    from keras_front import initializers

    return initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=1)


def functional() -> Any:
    """A graph with two inputs, a shared layer, arguments of calls, and merging layers."""
    first, second = layers.Input((4, 3), name="i1"), layers.Input((4, 3), name="i2")
    shared = layers.LSTM(3, return_sequences=True, name="l")
    masked = layers.Masking(0.0, name="m")(first)
    a, b = shared(masked), shared(second)
    joined = layers.Concatenate(axis=-1, name="cat")([a, b])
    dropped = layers.Dropout(0.5, name="drop")(joined, training=True)
    dot = layers.Dot(axes=2, normalize=True, name="dot")([a, b])
    pooled = layers.GlobalAveragePooling1D(name="gap")(dropped)
    flat = layers.Flatten(name="flat")(layers.Add(name="add")([dot, dot]))
    out = layers.Dense(2, activation="tanh", name="out")(layers.concatenate([pooled, flat], name="cat2"))
    return json.loads(models.Model([first, second], [out, pooled], name="graph").to_json())


KERAS_1 = {
    "class_name": "Sequential",
    "keras_version": "1.2.2",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "name": "c", "trainable": True, "batch_input_shape": [None, 8, 8, 1], "nb_filter": 2, "nb_row": 3,
                "nb_col": 3, "init": "glorot_uniform", "activation": "relu", "border_mode": "valid",
                "subsample": [1, 1], "dim_ordering": "tf", "W_regularizer": None, "b_regularizer": None,
                "activity_regularizer": None, "W_constraint": None, "b_constraint": None, "bias": True,
                "input_dtype": "float32",
            },
        },
        {"class_name": "Flatten", "config": {"name": "f", "trainable": True}},
        {"class_name": "Dropout", "config": {"name": "d", "trainable": True, "p": 0.5}},
        {
            "class_name": "Dense",
            "config": {"name": "o", "trainable": True, "output_dim": 2, "init": "uniform", "activation": "linear",
                       "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}, "b_regularizer": None,
                       "activity_regularizer": None, "W_constraint": None, "b_constraint": None, "bias": True,
                       "input_dim": None},
        },
    ],
}  # fmt: skip


def bases() -> dict[str, Any]:
    """Configs by the Keras whose form they have."""
    stack, graph = sequential(), functional()
    modern = keras3.to_keras3(json.loads(json.dumps({k: graph[k] for k in ("class_name", "config")})))
    return {"Keras 1": KERAS_1, "Keras 2, a stack": stack, "Keras 2, a graph": graph, "Keras 3": modern}


def cases() -> Iterator[Hostile]:
    """Every mutation of every base."""
    for form, base in bases().items():
        for path in places(base):
            if any(key in FREE for key in path):
                continue
            yield from _wrong_values(form, base, path)
            yield _case(f"{form}: something missing", shown(path), without(base, path), harmless)


def _wrong_values(form: str, base: Any, path: tuple[Any, ...]) -> Iterator[Hostile]:
    old = at(base, path)
    if (isinstance(old, dict) and path[-1] in ("config", "kwargs")) or not path:
        return
    classes = path[-1] in ("activation", "recurrent_activation") or (isinstance(path[-1], int) and path[-2] in CLASSES)
    for name, value in DICTIONARIES.items():
        if name == "a class" and classes:  # where a class may stand
            continue
        yield _case(
            f"{form}: a dictionary in its place", f"{shown(path)}: {name}", changed(base, path, value), refused()
        )
    for name, value in VALUES.items():
        if value != old:
            yield _case(f"{form}: another value", f"{shown(path)}: {name}", changed(base, path, value), consistent)


def _case(kind: str, name: str, config: Any, check: Check) -> Hostile:
    text = json.dumps(config)
    return Hostile(kind, name, lambda: models.model_from_json(text), check)


def consistent(watch: Watch, model: Any) -> None:
    """Refused, or read into a model that can be written and read again, and is then the same."""
    watch.check_harmless()
    if watch.error is None:
        written = model.to_json()
        assert models.model_from_json(written).to_json() == written, "its own config is another one"
