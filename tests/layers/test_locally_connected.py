"""Locally connected layers hold their kernels in the order of tf_keras, in each of the three forms."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import layers as L
from keras_front.models import Sequential

# Recorded from tf_keras 2.21 with the weights 0, 1, 2, ... and the inputs 0, 1, 2, ...
ENTRIES = [
    (L.LocallyConnected1D, (4, 2), {"kernel_size": 2, "strides": 2}, [[14, 38], [214, 302]]),
    (
        L.LocallyConnected1D,
        (2, 4),
        {"kernel_size": 2, "strides": 2, "data_format": "channels_first"},
        [[24, 108], [104, 252]],
    ),
    (
        L.LocallyConnected2D,
        (2, 2, 1),
        {"kernel_size": (2, 1), "padding": "same"},
        [[[0, 0], [2, 3]], [[10, 14], [35, 43]]],
    ),
]


@pytest.mark.parametrize(("kind", "shape", "arguments", "expected"), ENTRIES)
def test_the_list_of_entries_goes_by_outputs(backend, kind, shape, arguments, expected):
    model = Sequential([kind(2, implementation=3, use_bias=False, input_shape=shape, **arguments)])
    model.set_weights([np.arange(model.count_params())])
    x = np.arange(np.prod(shape), dtype="float32").reshape(1, *shape)
    np.testing.assert_allclose(model.predict(x), [expected])


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_list_of_entries_is_the_large_matrix_where_it_is_connected(backend, padding):
    rng = np.random.default_rng(0)
    large, entries = (
        Sequential([L.LocallyConnected2D(3, 2, padding=padding, implementation=i, input_shape=(4, 5, 2))])
        for i in (2, 3)
    )
    kernel, bias = (rng.normal(size=w.shape) for w in large.get_weights())
    matrix, connected = kernel.reshape(40, -1), large.layers[0]._connected_as(kernel.shape)
    chosen = np.broadcast_to(connected, kernel.shape).reshape(matrix.shape)
    large.set_weights([kernel, bias])
    entries.set_weights([matrix.T[chosen.T], bias])
    x = rng.normal(size=(2, 4, 5, 2)).astype("float32")
    np.testing.assert_allclose(entries.predict(x), large.predict(x), rtol=1e-5, atol=1e-5)
