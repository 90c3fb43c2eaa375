"""Files written by real Keras: they load, and the models give the outputs, gradients and steps of the peer.

Entries with a class that no registry knows yet are skipped, each with the name of what is missing; see `NOT_YET`.
A model is loaded from its file, or built from the code of its entry, or both. JAX compiles each op for each shape
even without `jit`: there one compiled function per entry is the cheaper way, and by default only a few entries run
that cover the classes of layers. `KERAS_FRONT_TEST_ALL=1` runs everything there too, in six minutes of computing; the
other backends run everything always, in one to three.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import interop
import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import layers, models, optimizers
from keras_front.graph.layer import LAYERS
from keras_front.testing import selection

WHOLE = ("k2", "k2compiled", "fit", "k2keras")
WEIGHTS = ("k2weights", "k2weights3")
RECURRENT = ("RNN", "LSTM", "GRU", "Recurrent")

# The steps that the peer took; the arguments are those of its own optimizers.
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "sgd_momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "sgd_nesterov_decay": lambda: optimizers.SGD(0.1, momentum=0.8, nesterov=True, decay=0.1),
    "sgd_clipvalue": lambda: optimizers.SGD(0.1, clipvalue=0.01),
    "sgd_clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.05),
    "sgd_global_clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.05),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop_rho_decay": lambda: optimizers.RMSprop(0.01, rho=0.8, epsilon=1e-4, decay=0.2),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adagrad_decay": lambda: optimizers.Adagrad(0.1, epsilon=1e-3, decay=0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0, rho=0.95, epsilon=1e-7),
    "adam": lambda: optimizers.Adam(0.01),
    "adam_amsgrad_decay": lambda: optimizers.Adam(0.01, beta_1=0.8, beta_2=0.99, amsgrad=True, decay=0.1),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
}


# Which entries wait for layers -----------------------------------------------------------------------


def missing(entry: dict[str, Any]) -> list[str]:
    """Classes of an entry that the registry of layers does not know yet; cells follow their layers."""
    return [name for name in entry["layers"] if name not in LAYERS and not name.endswith("Cell")]


# The entries that cannot run yet, by the classes that they wait for. It shrinks by itself as layers are added.
NOT_YET = {entry["name"]: missing(entry) for entry in interop.index() if "format" in entry and missing(entry)}


def entries(*kinds: str, wanted: Callable[[dict[str, Any]], bool] = lambda entry: True) -> list[Any]:
    """Entries of these kinds as parameters, with those of `NOT_YET` skipped by name."""
    found = []
    for parameter in interop.cases(*kinds):
        entry = parameter.values[0]
        if entry is None or entry["name"] not in NOT_YET:
            found += [parameter] if entry is None or wanted(entry) else []
        elif wanted(entry):
            reason = f"waits for {', '.join(NOT_YET[entry['name']])}"
            found.append(pytest.param(entry, id=parameter.id, marks=pytest.mark.skip(reason=reason)))
    return found


def test_the_entries_that_wait_are_few(record_property):
    waiting = sorted({name for names in NOT_YET.values() for name in names})
    record_property("waiting", waiting)
    assert set(waiting).isdisjoint({"Dense", "Conv2D", "LSTM", "BatchNormalization", "Embedding", "Lambda"})


class _PeerLayers:
    """Our layers, with the defaults and names of tf_keras and Keras 3 that no dialect has."""

    def __getattr__(self, name: str) -> Any:
        reset = {"reset_after": True} if name in ("GRU", "GRUCell") else {}
        return functools.partial(getattr(layers, name), **reset)

    @staticmethod
    def LeakyReLU(alpha: float = 0.3, negative_slope: float | None = None, **kwargs: Any) -> Any:
        return layers.LeakyReLU(alpha if negative_slope is None else negative_slope, **kwargs)


# The gradient of a bias before a normalization is zero but for rounding, which RMSprop scales up to full steps. The
# mean that the normalization keeps follows late, so inference after training is noise, in the peer as well.
NOISY = {"fit_fit_07", "k2_SequentialNested_00"}


# Building and running --------------------------------------------------------------------------------


def built(entry: dict[str, Any]) -> Any:
    """The model that the code of an entry describes, with new weights."""
    with keras_front.dialect("keras3" if entry["source"].startswith("keras 3") else "keras_front"):
        return _built(entry)


def _built(entry: dict[str, Any]) -> Any:
    batch = 3 if entry["options"].get("repeat", 1) > 1 else None
    dtype = "int32" if entry["options"].get("ints") else "float32"
    inputs = [layers.Input(batch_shape=(batch, *shape), dtype=dtype) for shape in entry["shapes"]]
    scope = {"keras": keras_front, "L": _PeerLayers(), "x": inputs[0], **dict(zip("abc", inputs))}
    try:
        made = eval(entry["code"], scope)
    except SyntaxError:
        exec(entry["code"], scope)
        return models.Model(inputs if len(inputs) > 1 else inputs[0], scope["y"])
    return models.Sequential([inputs[0], *(made if isinstance(made, list | tuple) else [made])])


def loaded(entry: dict[str, Any]) -> Any:
    """The model of an entry with the peer's weights, from its file."""
    path = interop.FOLDER / entry["file"]
    if "weights" not in entry["format"]:
        return models.load_model(path, compile=False)
    model = built(entry)
    model.load_weights(path)
    return model


def _covering(wanted: Callable[[dict[str, Any]], bool], most: int = 1000) -> set[str]:
    """A few entries in which each class of layers occurs."""
    seen: set[str] = set()
    chosen: set[str] = set()
    for entry in interop.index():
        new = set(entry["layers"]) - seen
        if "format" in entry and entry["name"] not in NOT_YET and new and wanted(entry) and len(chosen) < most:
            seen |= new
            chosen.add(entry["name"])
    return chosen


FEW = _covering(lambda entry: entry["kind"] == "k2" and bool(entry.get("loss"))) | {
    "k3_k3_37:keras",
    "k3_k3_01:legacy h5",
}
FEWEST = _covering(lambda entry: bool(entry.get("optimizers")) and "Dense" in entry["layers"], 4)


def spare(backends: tuple[str, ...], backend: Any, entry: dict[str, Any], few: set[str]) -> None:
    """Skip all but a few entries on these backends, where each of them is compiled."""
    if backend.name in backends and entry["name"] not in few and not selection.everything():
        pytest.skip(f"compiled for each entry: {selection.VARIABLE}=1 runs it")


def fast(backend: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled where that is quicker than running it a few times."""
    return K.compile(function) if backend.name != "torch" else function


def numbered(arrays: Any, letter: str) -> list[np.ndarray]:
    """Arrays called x0, x1 ..."""
    count = 0
    while f"{letter}{count}" in arrays:
        count += 1
    return [arrays[f"{letter}{i}"] for i in range(count)]


def one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def flat(values: Any) -> list[Any]:
    return [leaf for v in values for leaf in flat(v)] if isinstance(values, list | tuple) else [values]


def tolerance(entry: dict[str, Any], array: np.ndarray) -> float:
    if array.dtype == np.float16:
        return 1e-2
    return 1e-4 if any(word in name for name in entry["layers"] for word in RECURRENT) else 1e-5


def check_outputs(entry: dict[str, Any], got: Any, arrays: Any, suffix: str = "") -> None:
    outputs = [K.to_numpy(y) for y in flat(got)]
    for i, output in enumerate(outputs):
        want = arrays[f"y{i}{suffix}"]
        limit = tolerance(entry, want)
        np.testing.assert_allclose(output, want, rtol=limit, atol=limit, err_msg=f"output {i}")
    assert f"y{len(outputs)}" not in arrays


# Tests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", entries(*WHOLE, *WEIGHTS, "k3"))
def test_loads_and_predicts(backend, entry):
    spare(("jax",), backend, entry, FEW)
    arrays = interop.arrays(entry["npz"])
    model = loaded(entry)
    inputs = one(numbered(arrays, "x"))
    if entry["kind"] == "fit":
        for got, want in zip(model.get_weights(), numbered(arrays, "start"), strict=True):
            np.testing.assert_array_equal(got, want)
        return
    if entry["options"].get("repeat", 1) > 1:
        check_outputs(entry, model.predict_on_batch(inputs), arrays)
        check_outputs(entry, model.predict_on_batch(inputs), arrays, "_again")
        return
    outputs = model.predict_on_batch(inputs) if backend.name == "jax" else model(inputs)
    check_outputs(entry, outputs, arrays)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("entry", entries(*WHOLE, "k3", wanted=lambda e: "weights" not in e["format"]))
def test_builds_from_code(backend, entry):
    """The model that the classic API builds has the weights of the peer's, and gives its outputs with them."""
    arrays = interop.arrays(entry["npz"])
    model = built(entry)
    weights = numbered(arrays, "start") or numbered(arrays, "w")
    assert [w.shape for w in model.weights] == [w.shape for w in weights]
    model.set_weights(weights)
    if entry["kind"] == "fit":
        return
    inputs = one(numbered(arrays, "x"))
    check_outputs(entry, model.predict_on_batch(inputs) if backend.name == "jax" else model(inputs), arrays)


def loss_of(model: Any, inputs: list[Any], targets: list[Any], training: bool) -> Callable[..., Any]:
    """The peer's loss as a function of the trainable weights and the others; with the new values of the latter."""
    frozen = model.non_trainable_weights

    def loss(values: list[Any], held: list[Any]) -> Any:
        with K.bind(model.trainable_weights + frozen, [*values, *held]) as frame:
            outputs = flat(model.run(one(inputs), training=training))
            total = sum(K.mean(K.square(y - K.convert(t, K.dtype(y)))) for y, t in zip(outputs, targets, strict=True))
            total = sum([*frame.losses, *model.weight_losses()], total)
            return total, frame.values_of(frozen)

    return loss


def tensors(arrays: list[np.ndarray]) -> list[Any]:
    return [K.convert(a) for a in arrays]


def _loss_and_gradients(function: Any, ws: list[Any], held: list[Any]) -> tuple[Any, list[Any]]:
    (loss, _), grads = K.value_and_grad(lambda values: function(values, held), list(ws))
    return loss, list(grads)


@pytest.mark.parametrize("entry", entries("k2", wanted=lambda entry: bool(entry.get("loss"))))
def test_loss_and_gradients(backend, entry):
    spare(("jax", "tensorflow"), backend, entry, FEW)
    arrays = interop.arrays(entry["npz"])
    model = loaded(entry)
    function = loss_of(model, tensors(numbered(arrays, "x")), numbered(arrays, "t"), training=False)
    step = fast(backend, lambda ws, held: _loss_and_gradients(function, ws, held))
    loss, grads = step([w.value for w in model.trainable_weights], [w.value for w in model.non_trainable_weights])
    np.testing.assert_allclose(K.to_numpy(loss), arrays["loss"], rtol=1e-4, atol=1e-5)
    for i, (weight, grad) in enumerate(zip(model.trainable_weights, grads, strict=True)):
        want = arrays[f"g{i}"] if f"g{i}" in arrays else np.zeros(weight.shape)
        got = np.zeros(weight.shape) if grad is None else K.to_numpy(grad)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5, err_msg=weight.name)


class Steps:
    """Steps of all optimizers, from the same start and side by side.

    Two functions do it, gradients and updates, so that an engine that compiles does so twice for each entry.
    """

    def __init__(self, backend: Any, model: Any, inputs: list[Any], targets: list[Any]):
        self.model, self.trainable, self.frozen = model, model.trainable_weights, model.non_trainable_weights
        self.rules = [make() for make in OPTIMIZERS.values()]
        for rule in self.rules:
            rule.build(self.trainable)
        loss = loss_of(model, inputs, targets, training=True)
        self._gradients = fast(backend, lambda ws, held: _moved_and_gradients(loss, ws, held))
        self._update = fast(backend, self._updated)

    def _updated(self, ws: list[Any], grads: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        """The next weights and states of all rules, whose lists lie one after the other."""
        new_ws, new_states, size, ws, grads, states = [], [], len(self.trainable), list(ws), list(grads), list(states)
        for rule in self.rules:
            own, count = rule.weights, len(rule.weights)
            with K.bind([*self.trainable, *own], [*ws[:size], *states[:count]]) as frame:
                rule.apply(self.trainable, grads[:size])
                new_ws += frame.values_of(self.trainable)
                new_states += frame.values_of(own)
            ws, grads, states = ws[size:], grads[size:], states[count:]
        return new_ws, new_states

    def run(self, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """All weights after `count` steps of each optimizer, raveled; and where the first gradients are rounding."""
        start, size = [w.value for w in self.trainable], len(self.trainable)
        ws, held = start * len(self.rules), [[w.value for w in self.frozen] for _ in self.rules]
        states = [w.value for rule in self.rules for w in rule.weights]
        first: list[np.ndarray] = []
        for _ in range(count):
            grads: list[Any] = []
            for i in range(len(self.rules)):
                held[i], own = self._gradients(ws[i * size : (i + 1) * size], held[i])
                grads += own
            first = first or [np.abs(K.to_numpy(g)) for g in grads[:size]]
            ws, states = self._update(ws, grads, states)
        each = [self._raveled(ws[i * size : (i + 1) * size], held[i]) for i in range(len(self.rules))]
        return each, first

    def _raveled(self, ws: list[Any], held: list[Any]) -> np.ndarray:
        found = dict(zip(map(id, [*self.trainable, *self.frozen]), [*ws, *held], strict=True))
        return np.concatenate([K.to_numpy(found[id(w)]).ravel() for w in self.model.weights])

    def ignored(self, first: list[np.ndarray], others: bool) -> np.ndarray:
        """Where the first gradients are little but rounding: steps that are divided by their size are noise there."""
        noisy = {id(w): size < 2e-5 for w, size in zip(self.trainable, first, strict=True)}
        parts = [noisy.get(id(w), np.full(w.shape, others)) for w in self.model.weights]
        return np.concatenate([part.ravel() for part in parts])


def _moved_and_gradients(loss: Callable[..., Any], ws: list[Any], held: list[Any]) -> tuple[list[Any], list[Any]]:
    (_, moved), grads = K.value_and_grad(lambda values: loss(values, held), list(ws))
    return list(moved), [K.zeros_like(w) if g is None else g for w, g in zip(ws, grads, strict=True)]


@pytest.mark.parametrize("entry", entries("k2", wanted=lambda entry: bool(entry.get("optimizers"))))
def test_optimizer_steps(backend, entry):
    spare(("jax", "tensorflow"), backend, entry, FEWEST)
    arrays = interop.arrays(entry["npz"])
    steps = Steps(backend, loaded(entry), tensors(numbered(arrays, "x")), numbered(arrays, "t"))
    after, first = steps.run(3)
    ignored = steps.ignored(first, entry["name"] in NOISY)
    for name, got in zip(OPTIMIZERS, after, strict=True):
        want = np.where(ignored, got, arrays[f"opt_{name}"])
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("entry", entries("k2compiled") + entries("k3", wanted=lambda e: "optimizer" in e["options"]))
def test_the_state_of_the_optimizer_is_restored(entry):
    if "weights" in entry["format"]:
        pytest.skip("a file of weights restores no optimizer")
    arrays = interop.arrays(entry["npz"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = models.load_model(interop.FOLDER / entry["file"])
    got, want = model.optimizer.get_weights(), numbered(arrays, "o")
    assert float(model.optimizer.iterations) == 2
    shapes = sorted(w.shape for w in want if w.shape)
    assert sorted(w.shape for w in got if w.shape) == shapes
    total = sum(np.abs(w.astype("float64")).sum() for w in want if w.shape)
    np.testing.assert_allclose(sum(np.abs(w).sum() for w in got if w.shape), total, rtol=1e-6)


@pytest.mark.parametrize("entry", entries("fit"))
def test_fit_follows_the_peer(backend, entry):
    arrays, options = interop.arrays(entry["npz"]), entry["options"]
    model = models.load_model(interop.FOLDER / entry["file"])
    inputs, targets = one(numbered(arrays, "x")), one(numbered(arrays, "t"))
    extra: dict[str, Any] = {}
    if "sample_weight" in arrays:
        extra["sample_weight"] = arrays["sample_weight"]
    if "class_weight" in options:
        extra["class_weight"] = {int(k): v for k, v in options["class_weight"].items()}
    if "validation_split" in options:
        extra["validation_split"] = options["validation_split"]
    history = model.fit(inputs, targets, epochs=2, batch_size=4, shuffle=False, verbose=0, **extra)
    for name, want in entry["history"].items():
        np.testing.assert_allclose(history.history[name], want, rtol=1e-4, atol=1e-5, err_msg=name)
    if entry["name"] in NOISY:
        return
    got = np.ravel(model.evaluate(inputs, targets, batch_size=5, verbose=0))
    np.testing.assert_allclose(got, entry["evaluate"], rtol=1e-4, atol=1e-5)
    for weight, got, want in zip(model.weights, model.get_weights(), numbered(arrays, "w"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4, err_msg=weight.name)
    check_outputs(entry, model(inputs), arrays)
