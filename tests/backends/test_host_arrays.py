"""Arrays of the host beside tensors: their floats are weak; masks and fields are refused; other classes are plain."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, DtypeError
from keras_front.layers import Dense
from keras_front.models import Sequential

MASKED = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]])
RECORDS = np.rec.array([(1.0, 2), (3.0, 4)], dtype=[("a", "f4"), ("b", "i4")])
DOORS = {
    "constant": K.constant,
    "variable": K.variable,
    "convert": K.convert,
    "an op": lambda x: K.sum(x),
    "beside a tensor": lambda x: K.add(K.convert(np.ones((2, 2), "float32")), x),
    "beside a symbol": lambda x: K.multiply(K.placeholder((2, 2)), x),
    "set_value": lambda x: K.set_value(K.variable(np.zeros((2, 2))), x),
    "function": lambda x: K.function([K.placeholder((2, 2))], [K.constant(1.0)])([x]),
    "predict": lambda x: Sequential([Dense(1, input_shape=(2,))]).predict(x),
}
TWO = {
    "add": K.add,
    "dot": K.dot,
    "matmul": K.matmul,
    "maximum": K.maximum,
    "power": K.power,
    "concatenate": lambda a, b: K.concatenate([a, b]),
    "where": lambda a, b: K.where(K.greater(a, 0), a, b),
    "batch_dot": K.batch_dot,
    "binary_crossentropy": lambda a, b: K.binary_crossentropy(b, a),
}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_floats_of_the_host_take_the_dtype_of_tensors(backend, name, dtype):
    tensor, array = K.convert(np.full((2, 2), 0.5), dtype), np.full((2, 2), 0.25)
    assert K.dtype(TWO[name](tensor, array)) == dtype
    assert K.dtype(TWO[name](array, tensor)) == dtype
    assert K.dtype(TWO[name](K.placeholder((2, 2), dtype=dtype), array)) == dtype


@pytest.mark.parametrize("name", TWO)
def test_tensors_of_float64_do_not_give_way(backend, name):
    single, double = K.convert(np.full((2, 2), 0.5), "float32"), K.convert(np.full((2, 2), 0.25), "float64")
    assert K.dtype(TWO[name](single, double)) == "float64"
    assert K.dtype(TWO[name](single, K.exp(double))) == "float64"
    assert K.dtype(TWO[name](single, K.cast(single, "float64"))) == "float64"


def test_arrays_of_float64_alone_stay_so(backend):
    assert K.dtype(K.dot(np.ones((2, 2)), np.ones((2, 2)))) == "float64"
    assert K.dtype(K.exp(np.ones(2))) == "float64"


def test_integers_beside_floats_of_the_host(backend):
    assert K.dtype(K.add(K.convert(np.ones(2), "int32"), np.ones(2))) == "float64"


@pytest.mark.parametrize("name", DOORS)
def test_masked_arrays_are_refused(backend, name):
    with pytest.raises(ArgumentError, match=r"masked array.*x\.filled"):
        DOORS[name](MASKED)


@pytest.mark.parametrize("name", sorted(set(DOORS) - {"set_value", "function", "predict"}))
def test_fields_are_refused(backend, name):
    with pytest.raises(DtypeError, match=r"the fields a, b.*x\['a'\]"):
        DOORS[name](RECORDS)


def test_other_classes_of_arrays_are_plain(backend, tmp_path):
    matrix = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    product = K.multiply(K.convert(matrix), K.convert(matrix))
    np.testing.assert_array_equal(K.to_numpy(product), [[1, 4], [9, 16]])
    assert K.to_numpy(K.sum(matrix, axis=0)).shape == (2,)
    mapped = np.memmap(tmp_path / "x", "float32", "w+", shape=(3,))
    assert not isinstance(K.to_numpy(K.add(mapped, 1.0)), np.memmap)
