"""Weights of Keras 1 and of the CuDNN layers, which `legacy` converts."""

from __future__ import annotations

import h5py
import interop
import numpy as np
import pytest
from test_interop_models import check_outputs, entries, loaded, numbered, one

from keras_front import layers, models
from keras_front.legacy import formats
from keras_front.saving import hdf5


def test_the_converter_is_found_by_its_entry_point():
    assert hdf5.converters() == (formats.convert,)


@pytest.mark.parametrize("entry", entries("k1", "cudnn"))
def test_weights_of_older_layouts(backend, entry):
    arrays = interop.arrays(entry["npz"])
    model = loaded(entry)
    for got, want in zip(model.get_weights(), numbered(arrays, "w"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    check_outputs(entry, model(one(numbered(arrays, "x"))), arrays)


def test_kernels_from_theano_are_turned(tmp_path):
    model = models.Sequential([layers.Conv2D(2, 3, input_shape=(5, 5, 1)), layers.BatchNormalization()])
    outer = models.Sequential([model, layers.Flatten(), layers.Dense(1)])
    outer.save_weights(tmp_path / "w.h5")
    start = outer.get_weights()
    with h5py.File(tmp_path / "w.h5", "a") as f:
        f.attrs["backend"] = b"theano"
    outer.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(outer.get_weights()[0], start[0][::-1, ::-1])
    for got, want in zip(outer.get_weights()[1:], start[1:], strict=True):
        np.testing.assert_array_equal(got, want)
