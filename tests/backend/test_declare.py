"""Declarations: dispatch, promotion, symbolic shapes, errors, completeness of adapters."""

import inspect

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare, discovery, dtypes, symbolic
from keras_front.errors import ArgumentError, BackendError, DtypeError, ShapeError


def test_there_are_few_primitives():
    print(f"{len(declare.primitives())} primitives, {len(declare.composites())} composites")
    assert len(declare.primitives()) <= 90


def test_every_op_has_a_docstring_and_a_public_function():
    for name, op in declare.OPS.items():
        if hasattr(op, "function"):
            assert getattr(K, name) is op.function
            assert op.__doc__, name


def test_adapters_take_the_declared_arguments(backend):
    """A method that an adapter writes itself accepts what the declaration names."""
    for name, op in declare.OPS.items():
        method = inspect.getattr_static(type(backend), name, None)
        if not hasattr(op, "function") or not inspect.isfunction(method):
            continue
        parameters = inspect.signature(method).parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            continue
        assert set(op.attrs) <= set(parameters), (name, set(op.attrs) - set(parameters))


def test_a_missing_primitive_is_named():
    class Poor(K.Backend):
        name = "poor"

    with pytest.raises(BackendError, match=r"lacks \d+ primitives: abs, add"):
        Poor()


@pytest.mark.parametrize(("a", "b", "expected"), [
    ("int32", "float32", "float32"),
    ("int64", "float16", "float16"),
    ("int32", "int64", "int64"),
    ("uint8", "int8", "int16"),
    ("bool", "int32", "int32"),
    ("float32", "float64", "float64"),
])  # fmt: skip
def test_operands_are_promoted_alike_everywhere(backend, a, b, expected):
    x, y = K.convert(np.ones(2), a), K.convert(np.ones(2), b)
    assert K.dtype(K.add(x, y)) == expected
    assert K.dtype(K.multiply(y, x)) == expected
    assert dtypes.promote([a, b]) == expected
    assert K.add(K.placeholder((2,), dtype=a), K.placeholder((2,), dtype=b)).dtype == expected


def test_python_scalars_are_weak(backend):
    half, whole = K.convert(np.ones(2), "float16"), K.convert(np.ones(2), "int32")
    assert K.dtype(K.multiply(half, 2.5)) == "float16"
    assert K.dtype(K.add(whole, 1)) == "int32"
    assert K.dtype(K.add(whole, 1.5)) == "float32"
    assert K.dtype(K.divide(whole, whole)) == "float32"
    assert K.dtype(K.exp(whole)) == "float32"
    assert K.dtype(K.mean(whole)) == "float32"


def test_mixed_arguments_in_one_call(backend):
    v, tensor = K.variable([1.0, 2.0]), K.convert(np.array([10.0, 20.0], "float32"))
    assert K.to_numpy(K.add(tensor, np.array([1.0, 1.0], "float32"))).tolist() == [11, 21]
    assert K.to_numpy(K.add(tensor, v)).tolist() == [11, 22]
    assert K.to_numpy(K.add([1.0, 2.0], tensor)).tolist() == [11, 22]
    x = K.placeholder((2,))
    f = K.function([x], [K.concatenate([x, tensor, v], axis=0) * np.float32(2)])
    assert f([np.zeros(2)])[0].tolist() == [0, 0, 20, 40, 2, 4]


def test_tensors_of_two_backends_in_one_call_are_an_error():
    with K.use_backend("torch"):
        foreign = K.convert(np.ones(2, "float32"))
    with K.use_backend("jax"), pytest.raises(BackendError, match="'torch' met the active backend 'jax'"):
        K.add(K.convert(np.ones(2, "float32")), foreign)


def test_what_is_no_tensor_is_an_error(backend):
    with pytest.raises(ArgumentError, match="Expected a tensor"):
        K.add(K.convert(np.ones(2)), object())
    with pytest.raises(ArgumentError, match=r"K\.exp: expected a tensor as 'x', received None"):
        K.exp(None)
    with pytest.raises(DtypeError, match="Unknown dtype 'float31'"):
        K.cast(K.convert(np.ones(2)), "float31")


SHAPES = [
    (lambda x, y: x + y, (None, 3), (3,), (None, 3)),
    (lambda x, y: x * y, (2, 1), (1, 4), (2, 4)),
    (K.dot, (None, 4), (4, 5), (None, 5)),
    (K.dot, (None, 7, 4), (4, 5), (None, 7, 5)),
    (K.batch_dot, (None, 3, 4), (None, 4, 5), (None, 3, 5)),
    (lambda x, y: K.batch_dot(x, y, axes=(2, 2)), (None, 3, 4), (None, 5, 4), (None, 3, 5)),
    (lambda x, y: K.batch_dot(x, y, axes=1), (None, 4), (None, 4), (None, 1)),
    (lambda x, y: K.concatenate([x, y], axis=1), (None, 2), (None, 3), (None, 5)),
    (lambda x, y: K.stack([x, y], axis=1), (None, 2), (None, 2), (None, 2, 2)),
    (lambda x, y: K.conv2d(x, y, padding="same", strides=2), (None, 7, None, 3), (3, 3, 3, 8), (None, 4, None, 8)),
    (lambda x, y: K.conv1d(x, y, padding="causal"), (None, 9, 3), (2, 3, 4), (None, 9, 4)),
    (lambda x, y: K.pool2d(x, (2, 2), strides=(2, 2)) + 0 * K.sum(y), (None, 7, 8, 3), (1,), (None, 3, 4, 3)),
    (lambda x, y: K.expand_dims(K.squeeze(x, 1), 0) + y, (None, 1, 3), (3,), (1, None, 3)),
    (lambda x, y: K.batch_flatten(x) * K.sum(y), (None, 2, 3), (1,), (None, 6)),
    (lambda x, y: x[:, 1:, ..., 0] + y, (None, 3, 4), (1,), (None, 2)),
    (lambda x, y: x[None, ::2] + y, (5, 3), (3,), (1, 3, 3)),
    (lambda x, y: K.repeat(x, 4) + y, (None, 3), (3,), (None, 4, 3)),
    (lambda x, y: K.tile(x, (2, 3)) + K.sum(y), (4, 2), (1,), (8, 6)),
    (lambda x, y: K.mean(x, axis=(1, 2), keepdims=True) + K.sum(y), (None, 2, 3), (1,), (None, 1, 1)),
    (lambda x, y: K.gather(y, K.cast(x, "int32")), (None, 3), (5, 8), (None, 3, 8)),
    (lambda x, y: K.one_hot(K.cast(x, "int32"), 6) + K.sum(y), (None,), (1,), (None, 6)),
]


@pytest.mark.parametrize(("fn", "a", "b", "expected"), SHAPES)
def test_symbolic_shapes_keep_their_promise(backend, fn, a, b, expected):
    x, y = K.placeholder(a), K.placeholder(b)
    out = fn(x, y)
    assert out.shape == expected
    real = [np.zeros([7 if d is None else d for d in s], "float32") for s in (a, b)]
    (value,) = K.function([x, y], [out])(real)
    assert len(value.shape) == len(expected)
    assert all(d in (None, n) for d, n in zip(expected, value.shape))
    eager = fn(*map(K.variable, real)) if expected is None else K.to_numpy(K.compile(fn)(*real))
    np.testing.assert_array_equal(eager, value)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: K.dot(K.placeholder((2, 3)), K.placeholder((4, 5))), "dot: the contracted dimensions .* 3 and 4"),
    (lambda: K.placeholder((2, 3)) + K.placeholder((4,)), "cannot be broadcast"),
    (lambda: K.sum(K.placeholder((2, 3)), axis=5), "Axis 5 does not exist"),
    (lambda: K.reshape(K.placeholder((2, 3)), (4, -1)), "not divisible"),
    (lambda: K.concatenate([K.placeholder((2, 3)), K.placeholder((3, 3))], axis=1), "must match except on axis 1"),
    (lambda: K.conv2d(K.placeholder((1, 5, 5, 3)), K.placeholder((3, 3, 4, 2))), "expects 4 channels"),
    (lambda: K.placeholder((2, 3))[5], "out of range"),
    (lambda: K.squeeze(K.placeholder((2, 3)), 0), "has not size 1"),
])  # fmt: skip
def test_shape_errors_say_what_does_not_fit(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_symbols_need_no_engine(fresh_choice):
    x = K.placeholder((None, 4))
    w = K.variable(np.ones((4, 2)))
    y = K.softmax(K.dot(x, w)) + 1.0
    K.gradients(K.sum(y), [w])
    assert y.shape == (None, 2)
    assert discovery.ACTIVE.get() is None
    assert discovery._process_default is None


def test_a_symbol_knows_the_call_that_made_it():
    y = K.exp(K.placeholder((2,)))
    assert y.origin.op.name == "exp"
    assert [o.op.name for o in symbolic.toposort([y + 1.0])] == ["exp", "add"]


@pytest.mark.parametrize("axis", [np.arange(1, 3), range(1, 3), [1, 2], np.int64(1), np.array(1)])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "std", "l2_normalize"])
def test_axes_are_given_in_every_form(backend, name, axis):
    """`axis=np.arange(1, K.ndim(x))` is how the gradient penalty of WGAN-GP is written."""
    x = np.arange(24.0, dtype="float32").reshape(2, 3, 4) - 5
    plain = tuple(int(a) for a in axis) if np.ndim(axis) else int(axis)
    function = getattr(K, name)
    expected = K.eval(function(K.constant(x), plain))
    np.testing.assert_array_equal(K.eval(function(K.constant(x), axis=axis)), expected)
    symbol = K.placeholder((None, 3, 4))
    result = function(symbol, axis=axis)
    assert result.shape[1:] == expected.shape[1:]
    np.testing.assert_allclose(K.function([symbol], [result])([x])[0], expected, rtol=1e-6)


def test_the_function_of_an_op_is_written_at_its_first_call(backend):
    from keras_front.backend.dispatcher import write_dispatcher

    function = write_dispatcher(declare.OPS["add"])
    before = function.__code__
    assert inspect.signature(function) == inspect.signature(K.add)
    x = K.convert(np.ones(2, "float32"))
    assert K.to_numpy(function(x, y=x)).tolist() == [2.0, 2.0]
    assert function.__code__ is not before
    assert K.to_numpy(function(x, x)).tolist() == [2.0, 2.0]
    with pytest.raises(TypeError, match="add"):
        write_dispatcher(declare.OPS["add"])(x)
