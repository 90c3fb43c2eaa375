"""Parts of complex numbers, which have values: against NumPy."""

import numpy as np
import pytest

from keras_front import ops


@pytest.mark.parametrize("name", ["real", "imag", "conj", "angle", "isreal"])
def test_parts_of_complex_numbers(backend, name):
    x = np.array([1 + 2j, -3j, 4], "complex64")
    for given in (x, ops.view_as_complex(np.stack([x.real, x.imag], axis=-1))):
        found = ops.convert_to_numpy(getattr(ops, name)(given))
        expected = getattr(np, name)(x)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)
