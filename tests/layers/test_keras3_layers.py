"""Layers against Keras 3.15: the same arguments, inputs and weights give the numbers that `record_keras3.py` kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras3_cases as cases
import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers

RECORDED = dict(np.load(Path(__file__).with_name("keras3_layers.npz")))

# Where the backends of Keras 3 disagree with each other: whose answer is ours, and what the others do.
DISAGREED = {
    # TensorFlow on a CPU takes the axes of channels first wrongly.
    "SeparableConv1D_0": "jax",
    "SeparableConv2D_1": "jax",
    # TensorFlow looks the kernel of Keys up in a table of 1024 places; torch's has another constant.
    "Resizing_4": "jax",
    "Resizing_5": "tensorflow",
    # TensorFlow repeats images with a period one too short; what lies halfway between two pixels may be either.
    "RandomRotation_2": "jax",
    "RandomRotation_3": "jax",
    "RandomTranslation_2": "jax",
    "RandomZoom_4": "tensorflow",
}


def each_case(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("name", list(table))


def covering(table: dict[str, Any]) -> Any:
    """Each case; those after the first of a layer do not depend on the engine once its ops conform."""
    seen: set[str] = set()
    params = []
    for name in table:
        layer = name.split("_")[0]
        params.append(pytest.param(name, marks=[pytest.mark.engine_neutral] if layer in seen else []))
        seen.add(layer)
    return pytest.mark.parametrize("name", params)


def listed(outputs: Any) -> list[np.ndarray]:
    found = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [y if isinstance(y, np.ndarray) else K.to_numpy(y) for y in found]


def assert_recorded(key: str, got: np.ndarray) -> None:
    source = DISAGREED.get(key.partition("/")[0])
    want = RECORDED.get(f"{source}/{key}", RECORDED[key]) if source else RECORDED[key]
    assert got.shape == want.shape
    if want.dtype.kind in "US":
        assert got.tolist() == want.tolist()
        return
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    size = max(1.0, float(np.abs(want).max(initial=0)))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-5 * size)


def test_the_backends_of_keras_disagree_where_we_say_so():
    found = {key.split("/")[1] for key in RECORDED if key.count("/") == 2}
    assert found == set(DISAGREED)


@covering(cases.NUMERIC)
def test_numbers(backend, name):
    layer, again = cases.run(name, cases.NUMERIC[name], layers)
    for i, y in enumerate(listed(again())):
        assert_recorded(f"{name}/y{i}", y)
    if f"{name}/t0" in RECORDED:
        for i, y in enumerate(listed(again(training=True))):
            assert_recorded(f"{name}/t{i}", y)
        for i, w in enumerate(layer.get_weights()):
            assert_recorded(f"{name}/w{i}", w)


@pytest.mark.backends("numpy", "torch")
@each_case(cases.HOST)
def test_strings_and_integers(backend, name):
    _, again = cases.run(name, cases.HOST[name], layers)
    for i, y in enumerate(listed(again())):
        assert_recorded(f"{name}/y{i}", y)


@each_case({**cases.NUMERIC, **cases.HOST})
def test_configs_go_round(name):
    layer, _ = cases.run(name, cases.NUMERIC.get(name) or cases.HOST[name], layers)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
