"""NumPy's names: `keras_front.ops` on real tensors, and NumPy's own functions on symbolic tensors and variables."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import ops
from keras_front.backend.ops.numpy_names import FUNCTIONS
from keras_front.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(3, 4))
Y = np.random.default_rng(1).normal(size=(4, 2))
SQUARE = X @ X.T + np.eye(3)

CALLS = {
    "arctan": lambda xp, x: xp.arctan(x),
    "arctan2": lambda xp, x: xp.arctan2(x, 2.0),
    "cbrt": lambda xp, x: xp.cbrt(x),
    "hypot": lambda xp, x: xp.hypot(x, 2.0),
    "exp2": lambda xp, x: xp.exp2(x),
    "sqrt": lambda xp, x: xp.sqrt(xp.abs(x)),
    "sinc": lambda xp, x: xp.sinc(x),
    "mean": lambda xp, x: xp.mean(x),
    "mean of rows": lambda xp, x: xp.mean(x, axis=-1, keepdims=True),
    "sum": lambda xp, x: xp.sum(x, axis=(0, 1)),
    "max": lambda xp, x: xp.max(x, axis=1),
    "amin": lambda xp, x: xp.amin(x, 0),
    "std": lambda xp, x: xp.std(x, 0),
    "exp": lambda xp, x: xp.exp(x),
    "add": lambda xp, x: xp.add(x, 1.5),
    "maximum": lambda xp, x: xp.maximum(x, np.zeros(4)),
    "left": lambda xp, x: np.ones((3, 4)) * x + np.float64(2),
    "power": lambda xp, x: xp.power(x, 2.0),
    "dot": lambda xp, x: xp.dot(x, Y),
    "matmul": lambda xp, x: xp.matmul(x, Y),
    "tensordot": lambda xp, x: xp.tensordot(x, Y, axes=1),
    "inner": lambda xp, x: xp.inner(x, Y.T),
    "outer": lambda xp, x: xp.outer(x, np.arange(3.0)),
    "vdot": lambda xp, x: xp.vdot(x, x),
    "einsum": lambda xp, x: xp.einsum("ij,kj->ik", x, x),
    "reshape": lambda xp, x: xp.reshape(x, (2, -1)),
    "ravel": lambda xp, x: xp.ravel(x),
    "transpose": lambda xp, x: xp.transpose(x, (1, 0)),
    "swapaxes": lambda xp, x: xp.swapaxes(x, 0, -1),
    "moveaxis": lambda xp, x: xp.moveaxis(xp.reshape(x, (3, 2, 2)), 0, -1),
    "concatenate": lambda xp, x: xp.concatenate([x, x]),
    "concatenate all": lambda xp, x: xp.concatenate([x, x], axis=None),
    "stack": lambda xp, x: xp.stack([x, x], axis=1),
    "vstack": lambda xp, x: xp.vstack([x, x]),
    "hstack": lambda xp, x: xp.hstack([x, x]),
    "split": lambda xp, x: xp.split(x, 2, axis=1)[1],
    "flip": lambda xp, x: xp.flip(x),
    "roll": lambda xp, x: xp.roll(x, 2, axis=1),
    "repeat": lambda xp, x: xp.repeat(x, 2, axis=1),
    "tile": lambda xp, x: xp.tile(x, (2, 1)),
    "pad": lambda xp, x: xp.pad(x, ((1, 0), (2, 1))),
    "clip": lambda xp, x: xp.clip(x, -0.5, 0.5),
    "where": lambda xp, x: xp.where(x > 0, x, 0.0),
    "argmax": lambda xp, x: xp.argmax(x),
    "argsort": lambda xp, x: xp.argsort(x, axis=0),
    "sort": lambda xp, x: xp.sort(x),
    "cumsum": lambda xp, x: xp.cumsum(x),
    "take": lambda xp, x: xp.take(x, np.array([2, 0]), axis=0),
    "expand_dims": lambda xp, x: xp.expand_dims(x, 0),
    "squeeze": lambda xp, x: xp.squeeze(xp.expand_dims(x, 0), 0),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x, (2, 3, 4)),
    "zeros_like": lambda xp, x: xp.zeros_like(x),
    "full_like": lambda xp, x: xp.full_like(x, 2.5),
    "tril": lambda xp, x: xp.tril(x),
    "count_nonzero": lambda xp, x: xp.count_nonzero(x, axis=0),
    "logical_not": lambda xp, x: xp.logical_not(x > 0),
    "round": lambda xp, x: xp.round(x, 1),
    "round to tens": lambda xp, x: xp.round(x * 100, -1),
    "diff": lambda xp, x: xp.diff(x, axis=0),
    "second diff": lambda xp, x: xp.diff(x, 2),
    "average": lambda xp, x: xp.average(x, axis=1),
    "weighted average": lambda xp, x: xp.average(x, weights=np.arange(1.0, 13).reshape(3, 4), axis=0),
    "ptp": lambda xp, x: xp.ptp(x, axis=1),
    "isclose": lambda xp, x: xp.isclose(x, xp.round(x, 1), atol=0.02),
    "nan_to_num": lambda xp, x: xp.nan_to_num(xp.where(x > 0.5, x, np.nan), nan=2.0),
    "new axis": lambda xp, x: x[..., None] + x[:, None],
    "isnan": lambda xp, x: xp.isnan(x),
    "norm": lambda xp, x: xp.linalg.norm(x, axis=0),
    "solve": lambda xp, x: xp.linalg.solve(SQUARE, x),
}


@pytest.mark.parametrize("name", CALLS)
def test_numpy_functions_record_on_symbols(backend, name):
    x = K.placeholder((3, 4), dtype="float64")
    y = CALLS[name](np, x)
    assert K.is_symbolic(y)
    want = np.asarray(CALLS[name](np, X))
    assert y.shape == want.shape
    got = K.function([x], [y])([X])[0]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in CALLS if n != "left"])
def test_ops_compute_on_tensors(backend, name):
    x = K.convert(X)
    got = CALLS[name](ops, x)
    np.testing.assert_allclose(K.to_numpy(got), np.asarray(CALLS[name](np, X)), rtol=1e-9, atol=1e-12)


def test_ops_take_lists_and_know_all_of_k(backend):
    assert K.to_numpy(ops.mean([1.0, 2.0, 6.0])) == 3
    np.testing.assert_allclose(K.to_numpy(ops.softmax(np.zeros(4))), 0.25)
    assert {"mean", "softmax", "linalg"} <= set(dir(ops))
    assert set(FUNCTIONS) <= set(dir(ops))
    with pytest.raises(AttributeError, match="no attribute 'no_such_op'"):
        ops.no_such_op  # noqa: B018


def test_variables_and_new_axes(backend):
    v = K.variable(X, dtype="float64")
    x = K.placeholder((3, 4), dtype="float64")
    y = np.sum(x[..., None] * v[:, :, None], axis=0)
    np.testing.assert_allclose(K.function([x], [y])([X])[0], np.sum(X * X, 0)[:, None])


def test_what_has_no_counterpart_is_an_error():
    x = K.placeholder((3, 4))
    with pytest.raises(TypeError, match=r"np\.median has no counterpart"):
        np.median(x)
    with pytest.raises(TypeError):
        np.add.reduce(x)


def test_a_mask_is_no_index(backend):
    """On an engine it would be one, or quietly be taken for numbers."""
    for x in (K.placeholder((3, 4)), K.convert(X)):
        with pytest.raises(ArgumentError, match="a mask of bools cannot be an index"):
            K.getitem(x, x > 0)
