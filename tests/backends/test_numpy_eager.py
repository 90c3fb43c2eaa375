"""What NumPy does for eager calls alone: the numbers of the bodies in K, and warnings switched off and on again."""

import threading
import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import use_backend
from keras_front.backend import discovery
from keras_front.backend.adapter import Backend
from keras_front.backend.op import OPS
from keras_front_numpy import backend as backend_module
from keras_front_numpy.backend import _kernel
from keras_front_numpy.cache import BoundedCache
from keras_front_numpy.kernels import convolution

keras_front_numpy = pytest.importorskip("keras_front_numpy.eager")

X = np.random.default_rng(0).normal(size=(3, 4, 5))
V = np.abs(X[0, 0]) + 0.1
SPECIAL = np.array([np.nan, -np.inf, -2.0, 0.0, 0.5, np.inf]).reshape(2, 3)
ARGUMENTS = {
    "batch_normalization": [((X, V, V, V, V), {}), ((X, V, V), {}), ((X, V[:4], V[:4], None, V[:4]), {"axis": 1})],
    "bias_add": [((X, V), {}), ((X, V[:4]), {"data_format": "channels_first"}), ((X, X[0]), {}), ((X[0], V), {})],
    "categorical_crossentropy": [((np.abs(X), np.abs(X)), {}), ((X, X), {"from_logits": True}), ((V, np.abs(X)), {})],
    "clip": [((X, -0.5, 0.5), {}), ((X, 0.5, -0.5), {}), ((X, None, 0), {}), ((SPECIAL, -1, 1), {})],
    "contract": [
        (([X[0], X[1]], "ij,kj->ik"), {}),
        (([X, V], "abc,c->"), {}),
        (([X], "abc->ca"), {}),
        (([X[:, :3, :3]], "aab->b"), {}),
        (([np.tile(X[0], (20, 20))] * 2, "ij,kj->ik"), {}),
    ],
    "dot": [((X[0], X[0].T), {}), ((X, X[0].T), {}), ((V, V), {})],
    "elu": [((X,), {}), ((SPECIAL,), {"alpha": 0.5})],
    "expand_dims": [((X,), {}), ((X, 0), {}), ((X, -2), {}), ((np.float64(3),), {})],
    "gelu": [((X,), {}), ((X,), {"approximate": True}), ((np.float64(0.5),), {})],
    "layer_normalization": [
        ((X,), {}),
        ((X, V, V), {}),
        ((X, X[0], X[0]), {"axes": (1, 2)}),
        ((X, V[:4]), {"axes": 1}),
    ],
    "logsumexp": [((X,), {}), ((X, 1, True), {}), ((X, (0, 2)), {}), ((SPECIAL, 0), {})],
    "mean": [((X,), {}), ((X, 1, True), {}), ((X[:0], 0), {}), ((X, ()), {}), ((np.float64(3),), {})],
    "one_hot": [((np.array([[0, 2], [-1, 7]]), 4), {}), ((np.array(1), 3, "int32"), {})],
    "repeat_elements": [((X, 2, 1), {}), ((X, 3, -1), {})],
    "reverse": [((X, (1,)), {}), ((X, (0, -1)), {}), ((X, ()), {})],
    "softmax_crossentropy": [((X, np.abs(X)), {}), ((X, V), {})],
    "sort": [((X,), {}), ((X, 0), {}), ((SPECIAL,), {"descending": True}), ((SPECIAL,), {})],
    "stack": [(([X, -X],), {}), (([X, -X], -1), {}), (([X],), {"axis": 1})],
    "tile": [((X, (2,)), {}), ((X, (1, 2, 3)), {}), ((V, (2, 2)), {})],
    "std": [((X,), {}), ((X, (0, 2)), {}), ((X, 1, True), {})],
    "var": [((X,), {}), ((X, (0, 2)), {}), ((X, 1, True), {}), ((X[:0], 0), {})],
    "zeros_like": [((X,), {}), ((X,), {"dtype": "int32"})],
    "ones_like": [((X,), {}), ((X,), {"dtype": "int32"})],
}
PLAIN = [((X,), {}), ((X[:0],), {}), ((np.float64(0.5),), {}), ((SPECIAL,), {})]
NO_SCALARS = {"softmax", "log_softmax"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(keras_front_numpy.EAGER))
def test_as_the_body_in_K(name, dtype):
    with use_backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for args, attrs in ARGUMENTS.get(name, PLAIN):
            if name in NO_SCALARS and np.ndim(args[0]) == 0:
                continue
            args = [_cast(a, dtype) for a in args]
            bound = OPS[name].signature.bind(*args, **attrs)
            got = OPS[name].function(*args, **attrs)
            with np.errstate(all="ignore"):
                want = getattr(Backend, name)(*bound.args, **bound.kwargs)
            assert got.dtype == want.dtype, args
            np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-11, atol=1e-6)


def _cast(arg, dtype):
    if isinstance(arg, list):
        return [_cast(a, dtype) for a in arg]
    return arg.astype(dtype) if isinstance(arg, np.ndarray | np.generic) and arg.dtype.kind == "f" else arg


def test_every_eager_composite_is_declared_and_written_from_its_body():
    with use_backend("numpy"):
        backend = discovery.active()
    assert keras_front_numpy.EAGER <= set(OPS)
    assert not any(backend.overrides(name) for name in keras_front_numpy.EAGER)


def test_no_argument_is_written_over():
    with use_backend("numpy"):
        for name in sorted(keras_front_numpy.EAGER):
            for args, attrs in ARGUMENTS.get(name, PLAIN):
                if name in NO_SCALARS and np.ndim(args[0]) == 0:
                    continue
                arrays = [a for a in args if isinstance(a, np.ndarray)]
                before = [a.copy() for a in arrays]
                OPS[name].function(*args, **attrs)
                for a, b in zip(arrays, before, strict=True):
                    np.testing.assert_array_equal(a, b, err_msg=name)


def test_warnings_are_off_in_an_op_and_back_afterwards():
    with use_backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("error")
        zero = np.zeros(3, "float32")
        assert np.isneginf(K.log(zero)).all()
        assert np.isnan(K.divide(zero, zero)).all()
        with pytest.raises(RuntimeWarning):
            np.log(zero)
        with np.errstate(divide="raise"):
            K.log(zero)
            with pytest.raises(FloatingPointError):
                np.log(zero)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("number", [2, 0.5, -3, True, np.float64(0.5)])
def test_a_number_takes_the_dtype_of_the_tensor_beside_it(backend, number, dtype):
    x = K.convert(np.array([1.0, 2.0, 4.0]), dtype)
    for op, plain in ((K.add, np.add), (K.multiply, np.multiply), (K.maximum, np.maximum), (K.greater, np.greater)):
        for args in ((x, number), (number, x)):
            got = op(*args)
            host = [np.array([1.0, 2.0, 4.0]) if a is x else a for a in args]
            assert K.dtype(got) == ("bool" if op is K.greater else dtype)
            np.testing.assert_allclose(K.to_numpy(got), plain(*host))
    kept = K.where(K.greater(x, 1.5), x, number)
    assert K.dtype(kept) == dtype
    np.testing.assert_allclose(K.to_numpy(kept), [number, 2.0, 4.0])


def test_integers_beside_numbers_are_promoted_as_ever(backend):
    x = K.convert(np.array([1, 2]), "int32")
    assert K.dtype(K.add(x, 1)) == "int32"
    assert K.dtype(K.add(x, 0.5)) == "float32"


def test_one_key_more_than_there_is_room_for_does_not_make_every_call_miss():
    made, cache = [], BoundedCache(16)
    for _ in range(20):
        for key in range(17):
            assert cache.get(key, lambda key=key: made.append(key) or [key]) == [key]
    assert len(cache) == 16
    assert len(made) < 17 + 19 * 17 // 3


def test_seventeen_shapes_of_convolution_keep_their_kernels(monkeypatch):
    made = []
    plan = convolution.plan_forward
    monkeypatch.setattr(convolution, "plan_forward", lambda *how: made.append(how) or plan(*how))
    monkeypatch.setattr(backend_module, "_KERNELS", BoundedCache(64))  # without kernels of other tests
    kernel = np.ones((2, 2, 1, 1), "float32")
    with use_backend("numpy"):
        for _ in range(3):
            for size in range(3, 20):
                K.conv2d(np.ones((1, size, size, 1), "float32"), kernel)
    assert len(made) == 17


def test_threads_do_not_share_kernels():
    def make(size):
        return object()

    found = []
    worker = threading.Thread(target=lambda: found.append(_kernel(make, 3)))
    worker.start()
    worker.join()
    assert _kernel(make, 3) is _kernel(make, 3) is not found[0]
