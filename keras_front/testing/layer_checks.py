"""What the layer suite checks: each check is a function of a `LayerCase`, and raises AssertionError.

What is said about inputs, outputs and comparing is in `layer_subject`; what is run by training is in `layer_training`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config as settings
from keras_front.backend import discovery, seeds
from keras_front.graph import LAYERS
from keras_front.models import Model, load_model
from keras_front.registry import custom_object_scope
from keras_front.registry import plain as as_config
from keras_front.testing.layer_case import LayerCase
from keras_front.testing.layer_subject import (
    BATCH,
    apply,
    built,
    demand,
    equal,
    expect,
    flat,
    one,
    passed,
    spread,
    symbols,
    values,
)
from keras_front.testing.layer_training import gradient, training
from keras_front.testing.selection import has_compiler, reduced

__all__ = ["CHECKS", "ENGINE_NEUTRAL", "MOST"]

# What these checks ask does not depend on the engine, once the ops conform: they run where they are quick.
ENGINE_NEUTRAL = ("config", "weights", "files", "dtypes", "gradient", "training")
# How many cases of a layer the other checks run where each is compiled by itself.
MOST = {"shape": 1, "agreement": 1, "batches": 1, "formats": 1, "mask": 2, "noise": 1, "seed": 1}


def _again(case: LayerCase, layer: Any, **changes: Any) -> Any:
    """A new layer from the layer's config, written as JSON and read by the registry."""
    written = LAYERS.serialize(layer)
    written["config"].update(changes)
    with custom_object_scope(case.objects):
        return LAYERS.deserialize(json.loads(json.dumps(written)))


# Configs and weights -------------------------------------------------------------------------------------------


def config(case: LayerCase) -> None:
    """The config goes through JSON and the registry, names every argument, and makes an equal layer."""
    plain = case.make()
    layer = _again(case, plain, name="the_layer", trainable=False)
    expect("class", type(plain).__name__, type(layer).__name__)
    expect("name", "the_layer", layer.name)
    expect("trainable", False, layer.trainable)
    expect("config", {**_jsonned(plain), "name": "the_layer", "trainable": False}, _jsonned(layer))
    for name in (n for n in plain.constructor_arguments() if n not in ("name", "trainable", "weights", "layer")):
        if hasattr(plain, name):
            expect(f"the argument {name}", _argument(plain, name), _argument(layer, name))
    layer(one(symbols(case)))
    expect("config, once called", _jsonned(layer), _jsonned(_again(case, layer)))


def _argument(layer: Any, name: str) -> Any:
    return json.loads(json.dumps(as_config(getattr(layer, name))))


def _jsonned(layer: Any) -> Any:
    return json.loads(json.dumps(layer.get_config()))


def weights(case: LayerCase) -> None:
    """Weights set on a layer of the same config give the same outputs; wrong ones are refused."""
    layer = built(case)
    again = _again(case, layer)
    again(one(symbols(case)))
    again.set_weights(layer.get_weights())
    for a, b in zip(layer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    expect("shapes of weights", [w.shape for w in layer.get_weights()], [w.shape for w in layer.weights])
    expect("count_params()", sum(w.size for w in layer.get_weights()), layer.count_params())
    names = [w.name for w in layer.weights]
    expect("different names of weights", len(names), len(set(names)))
    _refused("one weight too many", layer, [*layer.get_weights(), np.zeros(1)])
    if layer.weights:
        wrong = [np.zeros((*w.shape, 2)) for w in layer.get_weights()]
        _refused("weights of wrong shapes", layer, wrong)
    equal(flat(again(one(values(case)))), flat(layer(one(values(case)))), 1e-6, "outputs with the same weights")


def _refused(what: str, layer: Any, wrong: list[np.ndarray]) -> None:
    try:
        layer.set_weights(wrong)
    except ValueError:
        return
    expect(f"set_weights with {what}", "a ValueError", "no error")


def files(case: LayerCase) -> None:
    """A model with the layer goes through HDF5 and through the format of Keras 3: configs, weights, outputs."""
    xs = symbols(case)
    layer = case.make()
    model = Model(xs, layer(one(xs)))
    spread(layer)
    want = flat(model(one(values(case))))
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".h5", ".keras"):
            path = str(Path(folder) / f"model{suffix}")
            model.save(path)
            again = load_model(path, custom_objects=dict(case.objects))
            for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
                equal([b], [a], 0, f"weights from a {suffix} file")
            expect(f"config from a {suffix} file", _layer_config(model, layer), _layer_config(again, layer))
            equal(flat(again(one(values(case)))), want, 1e-6, f"outputs from a {suffix} file")


def _layer_config(model: Any, layer: Any) -> Any:
    return _jsonned(model.get_layer(layer.name))


# Shapes and values ---------------------------------------------------------------------------------------------


def shape(case: LayerCase) -> None:
    """compute_output_shape says what symbols and values have, with known and with unknown sizes, also of time."""
    real = passed(case).whole
    for known in (True, False):
        xs, layer = symbols(case, known), case.make()
        promised = _listed(layer.compute_output_shape(one([x.shape for x in xs])), tuple)
        symbolic = _listed(layer(one(xs)), object)
        expect("number of outputs", len(real), len(symbolic))
        for said, symbol, value in zip(promised, symbolic, real, strict=True):
            expect(f"compute_output_shape({[x.shape for x in xs]})", symbol.shape, tuple(said))
            fits = len(said) == value.ndim and all(a in (None, b) for a, b in zip(said, value.shape, strict=True))
            demand(fits, "the shape of a value", tuple(said), value.shape)
            expect("dtype of the symbol", str(value.dtype), symbol.dtype)
            if known:
                expect("shape of the symbol without the batch", value.shape[1:], symbol.shape[1:])


def _listed(found: Any, leaf: type) -> list[Any]:
    single = not isinstance(found, list | tuple) or (leaf is tuple and (not found or not isinstance(found[0], tuple)))
    return [found] if single else list(found)


def agreement(case: LayerCase) -> None:
    """Eager, traced (on symbols of unknown sizes), compiled and `predict` give the same numbers."""
    layer, xs = case.make(), symbols(case, known=False)
    outputs = layer(one(xs))
    spread(layer)
    real = values(case)
    eager = flat(layer(one(real)))
    equal(K.function(xs, _listed(outputs, object))(real), eager, 1e-5, "the traced call")
    compiled = passed(case).whole if has_compiler() else apply(layer, real, compiled=True)[0]
    equal(compiled, eager, 1e-5, "the compiled call")
    if not has_compiler():
        equal(flat(Model(xs, outputs).predict(one(real), batch_size=2)), eager, 1e-5, "predict")


def batches(case: LayerCase) -> None:
    """A batch of one is the first of many, and an empty batch gives an empty result."""
    found = passed(case)
    equal(found.single, [y[:1] for y in found.whole], 1e-5, "a batch of one")
    for y, whole in zip(found.none, found.whole, strict=False):
        expect("the shape of the outputs for an empty batch", (0, *whole.shape[1:]), tuple(y.shape))


def dtypes(case: LayerCase) -> None:
    """float64 and float16 give the numbers of float32 within rounding, and their own dtype."""
    want = passed(case).whole
    for dtype, tolerance in (("float64", 1e-4), ("float16", case.rounding)):
        if tolerance is None:
            continue
        with settings.use(floatx=dtype):
            layer = built(case)
            got = apply(layer, values(case, dtype=dtype))[0]
        own = {w.dtype for w in layer.trainable_weights}
        expect(f"dtype of the weights with floatx {dtype}", {dtype} & own, own)
        _same_in(dtype, got, want, tolerance)
    _dtype_of_the_layer(case)


def _same_in(dtype: str, got: list[np.ndarray], want: list[np.ndarray], tolerance: float) -> None:
    for a, b in zip(got, want, strict=True):
        expect(f"dtype with floatx {dtype}", dtype if b.dtype.kind == "f" else b.dtype.name, a.dtype.name)
    equal([a.astype("float64") for a in got], [b.astype("float64") for b in want], tolerance, f"outputs in {dtype}")


def _dtype_of_the_layer(case: LayerCase) -> None:
    """A float32 input is cast to the dtype that the layer was given, unless it holds layers with another one."""
    layer = _again(case, case.make(), dtype="float64")
    if any(part.dtype != "float64" for part in layer.all_layers()):
        return
    for y in flat(layer(one(values(case)))):
        if y.dtype.kind == "f":
            expect("dtype of the output of a layer with dtype='float64'", "float64", y.dtype.name)


def formats(case: LayerCase) -> None:
    """Channels first gives what channels last gives, with the axes moved."""
    plain = case.make()
    if plain.get_config().get("data_format") not in ("channels_last", "channels_first"):
        return
    if not case.formats or not case.shapes[0]:
        return
    last, first = (_again(case, plain, data_format=f"channels_{which}") for which in ("last", "first"))
    leading = 2 if hasattr(last, "return_sequences") else 1
    x = values(case)
    turned = [np.ascontiguousarray(np.moveaxis(a, -1, leading)) for a in x]
    last(one(symbols(case))), first(one([K.placeholder((None, *a.shape[1:]), dtype=a.dtype.name) for a in turned]))
    spread(last)
    first.set_weights([_turned(w, v, x[0]) for w, v in zip(last.get_weights(), first.weights, strict=True)])
    want, got = apply(last, x)[0], apply(first, turned)[0]
    equal(got, [_first(y, x[0].ndim - leading) for y in want], 1e-5, "channels_first, compared with channels_last")


def _first(y: np.ndarray, rank: int) -> np.ndarray:
    """An output with its channels before its `rank - 1` last other axes."""
    return np.moveaxis(y, -1, y.ndim - rank) if y.ndim > max(rank, 2) - (y.ndim <= 2) and y.ndim > 2 else y


def _turned(weight: np.ndarray, variable: Any, x: np.ndarray) -> np.ndarray:
    """The kernel of a locally connected layer holds windows, or whole inputs and outputs, with the channels first."""
    if "locally" not in variable.name or "kernel" not in variable.name:
        return weight
    if weight.ndim > 3:
        rank = weight.ndim // 2
        return np.moveaxis(np.moveaxis(weight, rank - 1, 0), -1, rank)
    places, size, filters = weight.shape
    channels = x.shape[-1]
    windows = weight.reshape(places, size // channels, channels, filters)
    return windows.transpose(0, 2, 1, 3).reshape(weight.shape)


# Masks ---------------------------------------------------------------------------------------------------------


def mask(case: LayerCase) -> None:
    """A mask of the steps is kept, dropped, refused or made, as promised; masked steps do not influence others."""
    if case.mask is None or any(len(shape) < 2 and not case.ints for shape in case.shapes):
        return  # there are no steps
    layer, xs = case.make(), symbols(case)
    flags = [K.placeholder(x.shape[:2], dtype="bool") for x in xs]
    for x, flag in zip(xs, flags, strict=True):
        x.mask = flag
    if case.mask == "refused":
        return _refuses(layer, xs)
    first = _listed(layer(one(xs)), object)[0]
    expect("a mask on the output", case.mask in ("kept", "own"), first.mask is not None)
    spread(layer)
    _masked_values(case, xs, flags, first)


def _refuses(layer: Any, xs: list[Any]) -> None:
    try:
        layer(one(xs))
    except TypeError as error:
        names = [part.name for part in layer.all_layers()]
        demand(any(n in str(error) for n in names), "the refusal of a mask", f"words that name {layer.name}", error)
    else:
        expect("a layer that cannot take a mask", "a TypeError that says so", "no error")


def _masked_values(case: LayerCase, xs: list[Any], flags: list[Any], first: Any) -> None:
    real = values(case)
    kept = [np.arange(x.shape[1]) % 3 != 1 for x in real]  # the second step of three is masked
    given = [np.repeat(k[None], BATCH, 0) for k in kept]
    run = K.function([*xs, *flags], [first, *([] if first.mask is None else [first.mask])])
    outputs = run([*real, *given])
    seen = outputs[1] if first.mask is not None else np.ones(outputs[0].shape[:1], bool)
    expect("dtype of the mask", "bool", seen.dtype.name)
    expect("first axes of the mask", outputs[0].shape[: seen.ndim], seen.shape)
    if case.mask == "kept" and seen.shape == given[0].shape and len(real) == 1:
        expect("the mask of the output", given[0].tolist(), seen.tolist())
    if case.leaks or case.mask == "own":
        return
    moved = [_moved(x, k, case.ints) for x, k in zip(real, kept, strict=True)]
    equal([run([*moved, *given])[0][seen]], [outputs[0][seen]], 1e-5, "outputs after masked steps changed")


def _moved(x: np.ndarray, kept: np.ndarray, ints: int) -> np.ndarray:
    x = x.copy()
    x[:, ~kept] = (x[:, ~kept] + 1) % ints if ints else x[:, ~kept] + 0.5
    return x


# Randomness ----------------------------------------------------------------------------------------------------


def noise(case: LayerCase) -> None:
    """Training keeps the shapes; what is random there is off in inference, and off again after training."""
    layer, calm, *_, noisy = passed(case)
    expect("shapes in training", [y.shape for y in calm], [y.shape for y in noisy])
    for y in noisy:
        demand(bool(np.isfinite(np.asarray(y, "float64")).all()), "training", "finite numbers", y)
    if not has_compiler() and not [w for w in layer.weights if not w.trainable]:
        equal(apply(layer, values(case))[0], calm, 1e-6, "inference after training")


def seed(case: LayerCase) -> None:
    """The same seed gives the same initial weights, outputs and noise as on the default backend."""
    if reduced() and _is_calm(case):
        return
    ours = _from_seed(case)
    with discovery.use_backend(REFERENCE):
        theirs = _from_seed(case)
    for what, got, want in zip(("initial weights", "outputs", "training outputs"), ours, theirs, strict=True):
        equal(got, want, 0 if what == "initial weights" else 1e-4, f"{what} with the same seed")
    seeds.set_random_seed(11)


def _is_calm(case: LayerCase) -> bool:
    """Whether training draws no noise; initial weights are drawn on the host, the same for all."""
    found = passed(case)
    return all(np.array_equal(a, b) for a, b in zip(found.whole, found.training, strict=True))


REFERENCE = "numpy"  # the backend that is always there


def _from_seed(case: LayerCase) -> tuple[list[np.ndarray], ...]:
    seeds.set_random_seed(5, reproducible=True)
    layer, x = case.make(), values(case)
    layer(one(symbols(case)))
    weights, outputs = layer.get_weights(), apply(layer, x)[0]
    seeds.set_random_seed(5, reproducible=True)
    with K.bind([], [], counter=K.convert(np.asarray(3, "int64"))):
        return weights, outputs, apply(layer, x, training=True, compiled=True)[0]


CHECKS: dict[str, Callable[[LayerCase], None]] = {
    fn.__name__: fn
    for fn in (
        config,
        weights,
        files,
        shape,
        agreement,
        batches,
        dtypes,
        formats,
        mask,
        gradient,
        training,
        noise,
        seed,
    )
}
