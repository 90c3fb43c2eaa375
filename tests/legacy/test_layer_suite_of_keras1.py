"""The layers that Keras 1 had and later lost pass the same suite as today's."""

from __future__ import annotations

import pytest

from keras_front.legacy import layers as old
from keras_front.testing import layers, selection

pytestmark = pytest.mark.slow

VECTOR, SEQUENCE = [(3,)], [(5, 3)]
WITHOUT_BATCHES = [name for name in layers.CHECKS if name not in ("agreement", "batches")]  # each batch by itself

CASES = {
    "Highway": (lambda: old.Highway(activation="tanh"), VECTOR, {"mask": None}),
    "Highway without bias": (lambda: old.Highway(bias=False, W_regularizer="l2"), VECTOR, {"mask": None}),
    "MaxoutDense": (lambda: old.MaxoutDense(2), VECTOR, {"mask": None}),
    "MaxoutDense of two": (lambda: old.MaxoutDense(4, 2, bias=False, init="uniform"), VECTOR, {"mask": None}),
    "Merge": (lambda: old.Merge(mode="concat", concat_axis=1), SEQUENCE * 2, {"mask": None}),
    "Merge by cosine": (lambda: old.Merge(mode="cos"), VECTOR * 2, {"mask": None}),
    "ParametricSoftplus": (old.ParametricSoftplus, SEQUENCE, {"mask": "kept", "fixed": (0,)}),
    "ParametricSoftplus, shared": (lambda: old.ParametricSoftplus(0.3, 2.0, shared_axes=[1]), SEQUENCE, {}),
    "SReLU": (old.SReLU, SEQUENCE, {"mask": "kept", "fixed": (0,)}),
    "SReLU, shared": (lambda: old.SReLU(a_left_init="one", shared_axes=[1]), SEQUENCE, {}),
    "SampleNormalization": (old.SampleNormalization, SEQUENCE, {"mask": "kept"}),
    "BatchOnlyNormalization": (old.BatchOnlyNormalization, SEQUENCE, {"leaks": True, "checks": WITHOUT_BATCHES}),
}


@pytest.mark.few_compiled(6)
@pytest.mark.parametrize("name", CASES)
def test_layer(backend, name):
    make, shapes, promises = CASES[name]
    if selection.reduced():
        asked = promises.get("checks", layers.CHECKS)
        promises = {**promises, "checks": [name for name in asked if name in ("shape", "agreement", "noise")]}
    layers.check_layer(make, shapes, custom_objects=old.KERAS1, **promises)
