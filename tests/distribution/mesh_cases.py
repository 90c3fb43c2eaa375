"""Training on several devices against one device, on JAX, in float64: what `run_on_mesh.py` runs, and what it compares.

Each case makes a model and trains it. It knows nothing of devices; the same seed gives the same weights, order and
noise, so all that it returns has to be the same wherever it runs.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import keras_front
from keras_front import callbacks, layers, metrics, optimizers
from keras_front import distribution as dist
from keras_front.backend.placement import active_placement
from keras_front.models import Model, Sequential, load_model

CASES: dict[str, Callable[[], dict[str, Any]]] = {}
BATCH = 16  # samples; to be divided by the number of devices


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
    history = model.fit(*arguments, **{"epochs": 2, "batch_size": BATCH, "verbose": 0, **settings})
    check_places(model)
    state = [w.numpy() for w in model.weights] + list(model.optimizer.get_weights())
    return {**{f"history {k}": v for k, v in history.history.items()}, **{f"state {i}": w for i, w in enumerate(state)}}


def check_places(model: Any) -> None:
    """After training every variable lies as the distribution says, and something is divided that should be."""
    wanted, placement = dist.distribution(), active_placement()
    if placement is None or not placement.global_view:
        return
    variables = [*model.weights, *model.optimizer.weights]
    found = {v.name: axes_of(v) for v in variables}
    assert found == {v.name: wanted.get_variable_layout(v).axes for v in variables}, found
    slots = [found[v.name] for v in variables if v.slot_of is not None and v.slot_of.startswith("first")]
    assert any(any(axes) for axes in slots) == (wanted.shard_optimizer_state or isinstance(wanted, dist.ModelParallel))


def axes_of(variable: Any) -> tuple[str | None, ...]:
    """Along which axes of the mesh the value of a variable is divided, on JAX and on torch."""
    value = variable.current()
    if hasattr(value, "sharding"):
        return tuple(value.sharding.spec)
    names = dict(enumerate(dist.distribution().device_mesh.axis_names))
    cuts = {p.dim: names[i] for i, p in enumerate(getattr(value, "placements", ())) if p.is_shard()}
    return tuple(cuts.get(axis) for axis in range(value.ndim))


def two_inputs() -> tuple[Any, ...]:
    """Two inputs, numbers and rows of a table; a layer on both; arrays for them, and targets."""
    x, y = data(43)
    indices = np.arange(43).reshape(-1, 1) % 8
    a, b = layers.Input((6,)), layers.Input((1,), dtype="int32")
    table = layers.Flatten(name="flat")(layers.Embedding(8, 4, name="table")(b))
    hidden = layers.Dense(8, "relu", name="first")(layers.Concatenate(name="both")([a, table]))
    return [a, b], hidden, [x, indices], y


@case
def everything() -> Any:
    """Two inputs, noise, batch statistics, an uneven last batch, metrics with a state, single batches: one model."""
    inputs, hidden, given, y = two_inputs()
    hidden = layers.Dropout(0.25, name="drop")(layers.BatchNormalization(name="norm")(hidden))
    model = Model(inputs, layers.Dense(1, "sigmoid", name="last")(hidden))
    found = trained(model, given, y, measures=[metrics.AUC(num_thresholds=20, name="auc")])
    return {**found, "predicted": model.predict(given, batch_size=16)}


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
    inputs, hidden, given, y = two_inputs()
    outputs = [layers.Dense(1, "sigmoid", name=name)(hidden) for name in ("last", "other")]
    return trained(Model(inputs, outputs), given, [y, 1 - y], sample_weight=[np.linspace(0, 1, 43)] * 2)


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
def own_parts_of_batches() -> Any:
    """A stream of each process's own parts, where there are several; of whole batches elsewhere."""
    x, y = data(48)
    wanted, one = dist.distribution(), process()
    if wanted is not None and wanted.num_processes > 1:
        wanted.auto_shard_dataset = False
    count = 1 if wanted is None else wanted.num_processes
    rows = [slice(i + one * 16 // count, i + (one + 1) * 16 // count) for i in (0, 16, 32)]
    model = net(layers.BatchNormalization(name="norm"))
    found = trained(model, iter([(x[r], y[r]) for r in rows * 2]), batch_size=None, steps_per_epoch=3)
    batches = [(x[r], y[r]) for r in rows]
    evaluated, predicted = model.evaluate(iter(batches), steps=3, verbose=0), model.predict(iter(batches), steps=3)
    return {**found, "evaluated": evaluated, "predicted": predicted}


@case
def multi_gpu_model() -> Any:
    """A model of Keras 2 on all devices, whatever distribution is set; on one device beside others."""
    marked = dist.distribution() is not None
    model = net(layers.BatchNormalization(name="norm"))
    with use_no_distribution():
        model = keras_front.utils.multi_gpu_model(model, gpus=None) if marked else model
        model.compile("adam", "binary_crossentropy")
        history = model.fit(*data(43), batch_size=16, epochs=2, verbose=0)
        assert (len(model.weights[0]._values[0].sharding.device_set) > 1) == marked
        return {"loss": history.history["loss"], "weights": model.get_weights()}


@contextmanager
def use_no_distribution() -> Iterator[None]:
    before = dist.distribution()
    dist.set_distribution(None)
    try:
        yield
    finally:
        dist.set_distribution(before)


@case
def convolutions() -> Any:
    x = np.random.default_rng(0).normal(size=(24, 6, 6, 2))
    model = Sequential(
        [
            layers.Conv2D(8, 3, activation="relu", input_shape=(6, 6, 2), name="first"),
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


@case
def attention() -> Any:
    """A block of a transformer on sequences of tokens."""
    tokens = np.random.default_rng(0).integers(0, 8, size=(24, 5))
    inputs = layers.Input((5,), dtype="int32")
    x = layers.Embedding(8, 8, name="table")(inputs)
    x = layers.Add()([x, layers.MultiHeadAttention(4, 2, name="attention")(x, x)])
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="pool")(layers.Dense(8, "gelu", name="first")(x))
    model = Model(inputs, layers.Dense(1, "sigmoid", name="last")(x))
    return trained(model, tokens, (tokens[:, :1] > 3).astype("float64"), batch_size=8)


@case
def saved_and_resumed() -> Any:
    """What the files hold, and where training ends that goes on from them on NumPy and on two devices."""
    x, y = data(43)
    places = {"NumPy": lambda: keras_front.use_backend("numpy"), "two devices": _two_devices}
    with shared_folder() as folder:
        model = net(layers.BatchNormalization(name="norm"))
        keep = callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False)
        trained(model, x, y, callbacks=[keep])
        for name in ("model.keras", "model.h5"):
            model.save(folder / name)
        meet()
        found = {name: _arrays(folder / name) for name in ("model.keras", "model.h5")}
        for name, place in places.items():
            own = Path(folder, f"{name} of {process()}")
            shutil.copytree(folder / "backup", own)
            with place():
                model = load_model(folder / "model.keras")
                history = model.fit(x, y, batch_size=16, epochs=4, verbose=0, resume=own)
                found[name] = [history.history["loss"], *model.get_weights()]
    return found


def _two_devices() -> Any:
    alone = dist.distribution() is None or dist.distribution().num_processes > 1
    return nullcontext() if alone else dist.DataParallel(devices=dist.list_devices()[:2]).scope()


def _arrays(path: Path) -> list[np.ndarray]:
    """Every array of a file, in the order of their names."""
    found: list[tuple[str, np.ndarray]] = []
    stream = zipfile.ZipFile(path).open("model.weights.h5") if path.suffix == ".keras" else path.open("rb")
    with stream, h5py.File(stream, "r") as file:
        file.visititems(lambda name, item: found.append((name, item[()])) if isinstance(item, h5py.Dataset) else None)
    return [array for _, array in sorted(found, key=lambda pair: pair[0]) if array.dtype.kind in "fiu"]


def process() -> int:
    """The number of this process."""
    placement = active_placement()
    return 0 if placement is None else placement.rank


def meet() -> None:
    """Return when all processes are here."""
    placement = active_placement()
    if placement is not None:
        placement.wait_for_all()


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder that all processes have in common, while they are at the same case."""
    together = active_placement() is not None and "KERAS_DISTRIBUTION_JOB_ADDRESSES" in os.environ
    run = os.environ["KERAS_DISTRIBUTION_JOB_ADDRESSES"].replace(":", "-") if together else os.getpid()
    folder = Path(tempfile.gettempdir(), f"keras_front-{run}")
    folder.mkdir(exist_ok=True)
    meet()
    yield folder
    meet()
    shutil.rmtree(folder, ignore_errors=True)


# Distributions -------------------------------------------------------------------------------------------------


def tensor_parallel(parts: int | None = None, shard_optimizer_state: bool = False) -> Any:
    """Replicas of the model, each on so many devices; by default two replicas."""
    count = dist.get_device_count()
    parts = count // 2 if parts is None else parts
    layouts = dist.LayoutMap(dist.DeviceMesh((count // parts, parts), ["batch", "model"]))
    layouts["first/kernel"] = (None, "model")
    layouts["first/bias"] = ("model",)
    layouts["last/kernel"] = layouts["table/.*"] = ("model", None)
    layouts["attention/(query|key|value)/kernel"] = (None, "model", None)  # by heads
    layouts["attention/output/kernel"] = ("model", None, None)
    return dist.ModelParallel(layout_map=layouts, shard_optimizer_state=shard_optimizer_state)


DISTRIBUTIONS: dict[str, Callable[[], Any]] = {
    "data parallel": dist.DataParallel,
    "data parallel, slots sharded": lambda: dist.DataParallel(shard_optimizer_state=True),
    "model parallel": tensor_parallel,
    "model parallel, slots sharded": lambda: tensor_parallel(shard_optimizer_state=True),
}
_ALONE: dict[str, dict[str, Any]] = {}


def fits(name: str, title: str) -> bool:
    """Whether the layouts of a distribution are made for the kernels of a case."""
    return not (title.startswith("model parallel") and name in ("convolutions", "recurrent"))


def run(name: str, title: str | None = None) -> dict[str, Any]:
    """What a case leaves behind under a distribution; by default on one device."""
    keras_front.set_random_seed(7)
    if title is None:
        if name not in _ALONE:
            _ALONE[name] = CASES[name]()
        return _ALONE[name]
    with DISTRIBUTIONS[title]().scope():
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
