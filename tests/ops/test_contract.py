"""What K promises at the edges on every engine alike, beside the cases of the conformance suite: docs/k-edges.md."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import WrongPlaceError

WITH_AXIS = {
    **dict.fromkeys("sum prod max min mean var std logsumexp any all argmax argmin cumsum cumprod".split(), "axis"),
    **dict.fromkeys("softmax log_softmax l2_normalize sort argsort".split(), "axis"),
    "flip": "axes",
}


@pytest.mark.parametrize("name", WITH_AXIS)
def test_a_number_has_no_axis(backend, name):
    """Some engines take 0 and -1 for axes of a tensor without axes, in some functions."""
    value, where = K.constant(2.5), WITH_AXIS[name]
    for axis in (0, -1):
        given = (axis,) if where == "axes" else axis
        with pytest.raises(WrongPlaceError, match="does not exist in a tensor of 0 dimensions"):
            getattr(K, name)(value, **{where: given})
        with pytest.raises(WrongPlaceError, match="does not exist in a tensor of 0 dimensions"):
            getattr(K, name)(K.placeholder(()), **{where: given})


def test_reductions_of_a_number_over_no_axis(backend):
    value = K.constant(2.5)
    for name in ("sum", "prod", "max", "min", "mean"):
        assert float(getattr(K, name)(value)) == 2.5
    assert float(K.flip(value, ())) == 2.5


def test_a_sigmoid_far_out_is_0(backend):
    x = np.array([-np.inf, -1e30, -200.0, 200.0, np.inf, np.nan], "float32")
    expected = [0.0, 0.0, 0.0, 1.0, 1.0, np.nan]
    np.testing.assert_array_equal(K.to_numpy(K.sigmoid(K.constant(x))), expected)
    symbol = K.placeholder((None,))
    np.testing.assert_array_equal(K.function([symbol], [K.sigmoid(symbol)])([x])[0], expected)
    np.testing.assert_array_equal(K.to_numpy(K.silu(K.constant(x[[0, 2, 4]]))), [np.nan, 0.0, np.inf])
