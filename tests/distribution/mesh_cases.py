"""Training on several devices against one device, on JAX, in float64: what `run_on_mesh.py` runs, and what it compares.

Each case makes a model and trains it. It knows nothing of devices; the same seed gives the same weights, order and
noise, so all that it returns has to be the same wherever it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import keras_front
from keras_front import distribution as dist
from keras_front import layers, metrics, optimizers
from keras_front.models import Model, Sequential

CASES: dict[str, Callable[[], dict[str, Any]]] = {}


def case(function: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    CASES[function.__name__] = function
    return function


def data(samples: int, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, width))
    return x, (x[:, :1] * 2 + x[:, 1:2] > 0).astype("float64")


def net(*middle: Any, width: int = 8) -> Any:
    """A classifier whose layers bear the same names each time, so that a `LayoutMap` finds them."""
    inputs = layers.Input((6,))
    x = layers.Dense(width, "tanh", name="first")(inputs)
    for layer in middle:
        x = layer(x)
    return Model(inputs, layers.Dense(1, "sigmoid", name="last")(x))


def trained(model: Any, *arguments: Any, optimizer: Any = "adam", measures: Any = ("mae",), **settings: Any) -> Any:
    """Everything that training leaves behind."""
    model.compile(optimizer, "binary_crossentropy", metrics=list(measures))
    history = model.fit(*arguments, **{"epochs": 2, "batch_size": 16, "verbose": 0, **settings})
    state = [w.numpy() for w in model.weights] + list(model.optimizer.get_weights())
    return {**{f"history {k}": v for k, v in history.history.items()}, **{f"state {i}": w for i, w in enumerate(state)}}


@case
def plain() -> Any:
    return trained(net(), *data(64))


@case
def uneven_last_batch() -> Any:
    x, y = data(43)
    return trained(net(), x, y, validation_split=0.25)


@case
def batch_normalization() -> Any:
    return trained(net(layers.BatchNormalization(name="norm")), *data(43))


@case
def dropout() -> Any:
    return trained(net(layers.Dropout(0.5, name="drop"), layers.GaussianNoise(0.1, name="noise")), *data(48))


@case
def stateful_metrics() -> Any:
    measures = [metrics.AUC(num_thresholds=20, name="auc"), metrics.Precision(name="precision")]
    return trained(net(), *data(43), measures=measures)


@case
def several_inputs() -> Any:
    x, y = data(43)
    indices = np.arange(43).reshape(-1, 1) % 8
    a, b = layers.Input((6,)), layers.Input((1,), dtype="int32")
    table = layers.Flatten(name="flat")(layers.Embedding(8, 4, name="table")(b))
    hidden = layers.Dense(8, "relu", name="first")(layers.Concatenate(name="both")([a, table]))
    outputs = [layers.Dense(1, "sigmoid", name=name)(hidden) for name in ("last", "other")]
    return trained(Model([a, b], outputs), [x, indices], [y, 1 - y], sample_weight=[np.linspace(0, 1, 43)] * 2)


@case
def accumulated_by_the_optimizer() -> Any:
    return trained(net(), *data(64), optimizer=optimizers.SGD(0.1, gradient_accumulation_steps=2))


@case
def accumulated_by_fit() -> Any:
    return trained(net(layers.BatchNormalization(name="norm")), *data(64), accumulate=2)


@case
def several_steps_in_a_dispatch() -> Any:
    return trained(net(layers.BatchNormalization(name="norm")), *data(64 * 8), epochs=2)


@case
def one_by_one() -> Any:
    x, y = data(40)
    model = net(layers.BatchNormalization(name="norm"))
    model.compile("rmsprop", "binary_crossentropy", metrics=["mae"])
    found = [model.train_on_batch(x[i : i + 10], y[i : i + 10]) for i in range(0, 40, 10)]  # which 8 do not divide
    found += [
        model.train_on_batch(x[:16], y[:16]),
        model.test_on_batch(x[:16], y[:16]),
        model.evaluate(x, y, verbose=0),
    ]
    batches = [(x[i : i + 16], y[i : i + 16]) for i in (0, 16, 32)]
    history = model.fit(iter(batches), steps_per_epoch=3, verbose=0)
    return {
        "results": found,
        "stream": history.history["loss"],
        "stream evaluated": model.evaluate(iter(batches), steps=3, verbose=0),
        "predicted": model.predict(x, batch_size=16),
        "few rows": model.predict(x[:3]),
        "on a batch": model.predict_on_batch(x[:16]),
        "called": keras_front.backend.eval(model(x[:8])),
    }


@case
def convolutions() -> Any:
    x = np.random.default_rng(0).normal(size=(24, 6, 6, 2))
    model = Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2), name="first"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(1, "sigmoid", name="last"),
        ]
    )
    return trained(model, x, (x[:, 0, 0, :1] > 0).astype("float64"))


@case
def recurrent() -> Any:
    x = np.random.default_rng(0).normal(size=(24, 5, 3))
    rows = [layers.LSTM(4, input_shape=(5, 3), name="first"), layers.Dense(1, "sigmoid", name="last")]
    return trained(Sequential(rows), x, (x[:, 0, :1] > 0).astype("float64"))


# Distributions -------------------------------------------------------------------------------------------------


def tensor_parallel(shard_optimizer_state: bool = False) -> Any:
    """Two replicas of the model, each on four devices (or half of what there is)."""
    count = dist.get_device_count()
    layouts = dist.LayoutMap(dist.DeviceMesh((2, count // 2), ["batch", "model"]))
    layouts["first/kernel"] = (None, "model")
    layouts["first/bias"] = ("model",)
    layouts["last/kernel"] = ("model", None)
    layouts["table/.*"] = ("model", None)
    return dist.ModelParallel(layout_map=layouts, shard_optimizer_state=shard_optimizer_state)


DISTRIBUTIONS: dict[str, Callable[[], Any]] = {
    "data parallel": dist.DataParallel,
    "data parallel, slots sharded": lambda: dist.DataParallel(shard_optimizer_state=True),
    "model parallel": tensor_parallel,
    "model parallel, slots sharded": lambda: tensor_parallel(True),
}
NOT_FOR = {"convolutions": "model parallel", "recurrent": "model parallel"}  # whose first kernels have other shapes


def run(name: str) -> dict[str, Any]:
    """What a case leaves behind, under the distribution that is set."""
    keras_front.set_random_seed(7)
    return CASES[name]()


def difference(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """The largest difference of any number, relative to 1 or to its size."""
    if found.keys() != wanted.keys():
        return float("inf")
    return max(_difference(found[key], wanted[key]) for key in wanted)


def _difference(found: Any, wanted: Any) -> float:
    if isinstance(wanted, list | tuple):
        return max(map(_difference, found, wanted), default=0.0)
    a, b = np.asarray(found, "float64"), np.asarray(wanted, "float64")
    if a.shape != b.shape:
        return float("inf")
    return float((np.abs(a - b) / np.maximum(1, np.abs(b))).max(initial=0.0))
