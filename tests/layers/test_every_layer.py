"""What holds for every layer of the registry, on every backend. The cases are in `layer_cases.py`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, NOT_CASES, Case, all_cases, double

from keras_front import backend as K
from keras_front.backend import state
from keras_front.graph import LAYERS, Input
from keras_front.models import Model, load_model
from keras_front.registry import custom_object_scope


def parameters(wanted: Any = lambda case: True) -> Any:
    found = [pytest.param(c, id=f"{name}_{i}") for name, i, c in all_cases() if wanted(c)]
    return pytest.mark.parametrize("case", found)


each_case = parameters()
BATCH = 3


def test_every_layer_of_the_registry_has_a_case():
    names = {name for name in LAYERS.names() if not name.startswith("_")}
    ours = {name for name in names if LAYERS.lookup(name).__module__.startswith("keras_front.")}
    assert ours - set(CASES) == NOT_CASES & ours


def values(case: Case, batch: int = BATCH, dtype: str = "float32", seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    if case.ints:
        return [rng.integers(0, case.ints, (batch, *s)).astype("int32") for s in case.shapes]
    return [rng.uniform(-1, 1, (batch, *s)).astype(dtype) for s in case.shapes]


def symbols(case: Case, known: bool = True, batch: int | None = None) -> list[Any]:
    """Inputs whose sizes are all known, or only those that must be: channels, and `fixed`."""
    dtype = "int32" if case.ints else "float32"
    shapes = [s if known else _loose(case, s) for s in case.shapes]
    return [Input(batch_shape=(batch, *s), dtype=dtype) for s in shapes]


def _loose(case: Case, shape: tuple[int, ...]) -> tuple[int | None, ...]:
    if len(case.shapes) > 1 or len(shape) < 2:
        return shape
    return tuple(n if i in case.fixed or i == len(shape) - 1 else None for i, n in enumerate(shape))


def one(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def flat(outputs: Any) -> list[np.ndarray]:
    return [K.to_numpy(y) for y in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def spread(layer: Any, seed: int = 1) -> None:
    """Weights that differ from each other and from zero; variances positive."""
    rng = np.random.default_rng(seed)
    layer.set_weights([np.abs(rng.uniform(0.2, 0.9, w.shape)) * rng.choice([0.5, 1.0], w.shape) for w in layer.weights])


def assert_close(got: Any, want: Any, tolerance: float = 1e-5) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.backends("numpy")
@each_case
def test_config_and_weights_go_round(backend, case):
    layer = case.make(name="the_layer", trainable=False)
    want = flat(layer(one(values(case))))
    spread(layer)
    want = flat(layer(one(values(case))))
    config = json.loads(json.dumps(layer.get_config()))
    with custom_object_scope({"double": double}):
        again = type(layer).from_config(config)
    assert again.get_config() == layer.get_config()
    assert again.name == "the_layer"
    assert again.trainable is False
    again(one(values(case)))
    again.set_weights(layer.get_weights())
    assert_close(flat(again(one(values(case)))), want, 1e-6)


@each_case
def test_eager_symbolic_and_compiled_agree(backend, case):
    layer = case.make()
    xs = symbols(case)
    outputs = layer(one(xs))
    spread(layer)
    real = values(case)
    listed = outputs if isinstance(outputs, list) else [outputs]
    compiled = K.function(xs, listed)(real)
    eager = flat(layer(one(real)))
    assert_close(eager, compiled)
    for symbol, value in zip(listed, eager, strict=True):
        assert all(a in (None, b) for a, b in zip(symbol.shape, value.shape, strict=True))
        assert symbol.shape[1:] == value.shape[1:]
        assert symbol.dtype == str(value.dtype)


@pytest.mark.backends("numpy")
@each_case
def test_the_promised_shape_holds_with_unknown_sizes(backend, case):
    xs = symbols(case, known=False)
    layer = case.make()
    outputs = layer(one(xs))
    real = flat(layer(one(values(case))))
    promised = layer.compute_output_shape(one([x.shape for x in xs]))
    promised = promised if isinstance(promised, list) else [promised]
    listed = outputs if isinstance(outputs, list) else [outputs]
    for symbol, shape, value in zip(listed, promised, real, strict=True):
        assert symbol.shape == tuple(shape)
        assert all(a in (None, b) for a, b in zip(shape, value.shape, strict=True))


@each_case
def test_a_batch_of_one_is_the_first_of_many(backend, case):
    layer = case.make()
    many = flat(layer(one(values(case))))
    single = flat(layer(one([x[:1] for x in values(case)])))
    assert_close(single, [y[:1] for y in many])


@pytest.mark.backends("numpy", "torch", "tensorflow")
@parameters(lambda case: not case.inner)
def test_float64_stays_float64(backend, case):
    layer = case.make(dtype="float64")
    for y in flat(layer(one(values(case, dtype="float64")))):
        assert y.dtype == np.float64
    assert {w.dtype for w in layer.weights if not w.dtype.startswith("int")} <= {"float64"}


@pytest.mark.backends("numpy")
@parameters(lambda case: not case.inner)
def test_a_float32_input_is_cast_to_the_dtype_of_the_layer(backend, case):
    layer = case.make(dtype="float64")
    for y in flat(layer(one(values(case)))):
        assert y.dtype == np.float64


@parameters(lambda case: case.formats)
def test_both_data_formats_agree(backend, case):
    last, first = case.make(data_format="channels_last"), case.make(data_format="channels_first")
    x = values(case)[0]
    leading = 2 if "ConvLSTM" in type(last).__name__ else 1
    turned = np.moveaxis(x, -1, leading)
    want, got = flat(last(x)), flat(first(turned))
    spread(last)
    first.set_weights([_turned(w, v, x) for w, v in zip(last.get_weights(), first.weights, strict=True)])
    want, got = flat(last(x)), flat(first(turned))
    for a, b in zip(want, got, strict=True):
        axis = a.ndim - (x.ndim - leading) if a.ndim > 2 else 1
        expected = np.moveaxis(a, -1, max(axis, 1)) if a.ndim > 2 else a
        np.testing.assert_allclose(b, expected, rtol=1e-5, atol=1e-5)


def _turned(weight: np.ndarray, variable: Any, x: np.ndarray) -> np.ndarray:
    """The kernel of a locally connected layer holds windows with the channels first."""
    if "locally" not in variable.name or "kernel" not in variable.name:
        return weight
    places, size, filters = weight.shape
    channels = x.shape[-1]
    windows = weight.reshape(places, size // channels, channels, filters)
    return windows.transpose(0, 2, 1, 3).reshape(weight.shape)


@pytest.mark.backends("numpy")
@each_case
def test_a_mask_goes_where_it_should(backend, case):
    layer, xs = case.make(), symbols(case)
    for x in xs:
        x.mask = K.not_equal(Input(batch_shape=x.shape[:2]), 0.0)
    if case.mask == "refused":
        with pytest.raises(TypeError, match=f"{layer.name} does not support masking|does not support masking"):
            layer(one(xs))
        return
    outputs = layer(one(xs))
    first = outputs[0] if isinstance(outputs, list) else outputs
    assert (first.mask is not None) == (case.mask in ("kept", "own"))
    if case.mask != "dropped":
        assert first.mask.dtype == "bool"


@each_case
def test_every_trainable_weight_gets_a_gradient(backend, case):
    layer = case.make()
    xs = [K.convert(x) for x in values(case)]
    layer(one(xs))
    spread(layer)
    params, others = layer.trainable_weights, layer.non_trainable_weights
    if not params:
        return

    def loss(current: Any) -> Any:
        with state.bind(params + others, [*current, *(w.value for w in others)]), K.phase(True):
            outputs = layer(one(xs))
            found = outputs if isinstance(outputs, list) else [outputs]
            total = sum((K.sum(K.square(y + 0.3)) for y in found), K.convert(np.zeros((), "float32")))
        return total, []

    _, gradients = K.value_and_grad(loss, [w.value for w in params])
    for weight, gradient in zip(params, gradients, strict=True):
        assert K.to_numpy(gradient).shape == weight.shape
        assert np.any(K.to_numpy(gradient) != 0), f"no gradient reaches {weight.name}"


@pytest.mark.backends("numpy")
@each_case
def test_training_noise_has_the_shape_and_leaves_inference_alone(backend, case):
    layer = case.make()
    x = one(values(case))
    calm = flat(layer(x))
    with K.phase(True):
        noisy = flat(layer(x))
    assert [y.shape for y in noisy] == [y.shape for y in calm]
    learns = any(word in w.name for w in layer.weights for word in ("moving", "vector_u"))
    if not learns:
        assert_close(flat(layer(x)), calm, 1e-6)


@pytest.mark.backends("numpy")
@each_case
def test_a_file_brings_the_layer_back(backend, case, tmp_path):
    xs = symbols(case)
    model = Model(xs, case.make(name="the_layer")(one(xs)))
    spread(model)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", custom_objects={"double": double})
    assert_close(flat(again(values(case))), flat(model(values(case))), 1e-6)
