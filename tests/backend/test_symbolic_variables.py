"""What contains a variable is symbolic until somebody asks for its value; lists of tensors; mixed calls."""

import operator

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import dispatch, program, state, symbolic, tables
from keras_front.errors import ShapeError, StateError, UntraceableError

A, C = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])

MIXED = {
    "operator": (lambda v, c: v * c, A * C),
    "reflected": (lambda v, c: c * v, A * C),
    "difference": (lambda v, c: c - v, C - A),
    "function": (K.dot, A @ C),
    "array": (lambda v, c: np.multiply(np.asarray(C, "float32"), v), A * C),
    "nested": (lambda v, c: K.sum(K.exp(v * 0.1) * c, axis=0), (np.exp(A * 0.1) * C).sum(0)),
    "sum of a list": (lambda v, c: K.sum([v, c]), A.sum() + C.sum()),
    "mean of a list of lists": (lambda v, c: K.mean([[v, c], [c, 1.0 * v]], axis=(0, 1)), (A + C) / 2),
    "a number in a list": (lambda v, c: K.max([K.sum(v), 3.0]), 10.0),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_contains_a_variable_follows_it(backend, name):
    fn, expected = MIXED[name]
    v, c = K.variable(np.zeros((2, 2))), K.constant(C)
    y = fn(v, c)
    assert K.is_symbolic(y)
    K.set_value(v, A)
    np.testing.assert_allclose(K.eval(y), expected, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-6)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    f = K.function([], [y])
    np.testing.assert_allclose(f([])[0], expected, rtol=1e-6)
    K.set_value(v, np.zeros((2, 2)))
    np.testing.assert_allclose(f([])[0], K.eval(fn(K.constant(np.zeros((2, 2))), c)), rtol=1e-6)


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_comparisons_with_a_variable_on_either_side(backend, compare):
    values, bounds = np.float32([1, 5, 3]), np.float32([3, 3, 3])
    v, c = K.variable(values), K.constant(bounds)
    for left, right in ((c, v), (c, v * 1), (bounds, v)):
        assert K.eval(compare(left, right)).tolist() == compare(bounds, values).tolist()
    assert K.eval(compare(v, c)).tolist() == compare(values, bounds).tolist()
    K.set_value(v, values + 1)
    assert K.eval(compare(c, v)).tolist() == compare(bounds, values + 1).tolist()


@pytest.mark.parametrize("compare", [operator.eq, operator.ne])
def test_tensors_equal_variables_and_symbols_element_by_element(backend, compare):
    values, others = np.float32([1, 5, 3]), np.float32([1, 2, 3])
    v, c = K.variable(values), K.constant(others)
    for left, right in ((c, v), (v, c), (others, v), (v, others), (c, v * 1), (v * 1, c)):
        assert K.eval(compare(left, right)).tolist() == compare(values, others).tolist()
    x = K.placeholder((3,))
    for left, right in ((c, x), (x, c), (others, x), (x, others)):
        assert K.function([x], compare(left, right))([values]).tolist() == compare(values, others).tolist()


def test_variables_and_symbols_equal_themselves_alone(backend):
    v, w, x = K.variable([1.0, 2.0]), K.variable([1.0, 2.0]), K.placeholder((2,))
    for item in (v, x):
        assert item == item
        assert not item != item
        assert all(item in holder for holder in ([w, v, x], {v, x}, {v: 1, x: 2}))
        for other in (w, K.placeholder((2,)), None, 3.0, "v", [1.0, 2.0]):
            assert item != other
            assert not item == other
            assert other not in [item]
    with pytest.raises(ValueError, match="ambiguous"):  # as in NumPy, of several elements
        assert v in [K.constant([1.0, 2.0])]


@pytest.mark.parametrize("combine", [operator.and_, operator.or_, operator.xor])
def test_truth_values_combine_with_a_variable_on_either_side(backend, combine):
    values, others = np.array([True, True, False, False]), np.array([True, False, True, False])
    v, c = K.variable(values, "bool"), K.constant(others, "bool")
    for left, right in ((c, v), (others, v), (v, c), (v, others)):
        assert K.eval(combine(left, right)).tolist() == combine(others, values).tolist()
    assert K.eval(combine(True, v)).tolist() == combine(True, values).tolist()


@pytest.mark.parametrize("combine", [operator.and_, operator.or_, operator.xor])
def test_integers_combine_by_their_bits(backend, combine):
    left, right = np.array([6, -3, 12], "int32"), np.array([3, 5, 10], "int32")
    v, c = K.variable(right, "int32"), K.constant(left, "int32")
    for found in (combine(left, v), combine(v, left), combine(c, v * 1), combine(v, c)):
        assert K.eval(found).tolist() == combine(left, right).tolist()
    assert K.eval(~v).tolist() == (~right).tolist()
    assert K.eval(np.invert(v)).tolist() == (~right).tolist()
    assert K.eval(combine(v, 4)).tolist() == combine(right, 4).tolist()


def test_gradients_of_what_was_made_outside_any_run(backend):
    v, c = K.variable(A), K.constant(C)
    loss = K.sum(K.square(v * c))
    (slope,) = K.gradients(loss, [v])
    np.testing.assert_allclose(K.eval(slope), 2 * A * C * C, rtol=1e-6)
    K.set_value(v, 2 * A)
    np.testing.assert_allclose(K.eval(slope), 4 * A * C * C, rtol=1e-6)
    x = K.placeholder((2, 2))
    f = K.function([x], K.gradients(K.sum(x * (v * c)), [x, v]))
    for got, expected in zip(f([C]), (2 * A * C, C * C)):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_value_answers_python(backend):
    v = K.variable([2.0])
    y = K.sum(v * K.constant([3.0]))
    assert float(y) == 6
    assert int(y) == 6
    assert bool(y > 5)
    assert not (y > 7)
    x = K.placeholder(())
    with pytest.raises(UntraceableError, match="no value yet"):
        bool(x > 0)


def test_values_are_assigned_at_once_and_updates_are_pairs(backend):
    v = K.variable([1.0, 2.0])
    v.assign(v * K.constant([3.0, 3.0]))
    np.testing.assert_array_equal(K.get_value(v), [3, 6])
    K.set_value(v, v + 1.0)
    np.testing.assert_array_equal(K.get_value(v), [4, 7])
    K.update_add(v, np.ones(2, "float32"))
    K.update_sub(v, K.constant([5.0, 5.0]))
    np.testing.assert_array_equal(K.get_value(v), [0, 3])
    f = K.function([], [K.sum(v)], updates=[K.update(v, v * K.constant([1.0, 2.0])), (v, v)][:1])
    assert f([])[0] == 3
    np.testing.assert_array_equal(K.get_value(v), [0, 6])
    with pytest.raises(StateError, match="assigned a symbolic value"):
        v.assign(K.placeholder((2,)))
    np.testing.assert_array_equal(K.get_value(K.variable(v * 2.0)), [0, 12])


def test_symbols_in_lists_are_stacked(backend):
    x, y = K.placeholder((None, 3)), K.placeholder((None, 3))
    total = K.sum([x, y], axis=0)
    assert total.shape == (None, 3)
    one, two = np.ones((2, 3)), np.full((2, 3), 2.0)
    np.testing.assert_array_equal(K.function([x, y], [total])([one, two])[0], one + two)
    np.testing.assert_array_equal(K.to_numpy(K.sum([K.convert(one), K.convert(two)], axis=0)), one + two)
    with pytest.raises(ShapeError):
        K.sum([x, K.placeholder((4, 5))])


def test_an_expression_is_evaluated_without_compiling_anew(backend, monkeypatch):
    """One trace for an expression, none of the engine's compiler, and a fresh value each time."""
    traces = []
    whole = program.trace
    monkeypatch.setattr(program, "trace", lambda *args: traces.append(1) or whole(*args))
    monkeypatch.setattr(type(backend), "compile_program", lambda self, program: pytest.fail("compiled"))
    v = K.variable([1.0])
    y = K.exp(v) * 2.0
    for value in (0.0, 1.0, 2.0):
        K.set_value(v, [value])
        np.testing.assert_allclose(K.eval(y), [2 * np.exp(value)], rtol=1e-6)
    assert len(traces) == 1
    with K.bind([v], [K.constant([3.0])]):  # a frame's value is of the moment
        np.testing.assert_allclose(K.eval(y), [2 * np.exp(3.0)], rtol=1e-6)
    np.testing.assert_allclose(K.eval(y), [2 * np.exp(2.0)], rtol=1e-6)


def test_programs_of_ever_new_shapes_are_forgotten(monkeypatch):
    monkeypatch.setattr(tables, "ENTRIES", 8)
    f = K.compile(lambda x: x + 1.0)
    with K.use_backend("numpy"):
        for n in range(1, 40):
            x = np.ones(n, "float32")
            assert f.program(x) is not None
            f(x)
            assert max(len(f.programs), len(f._entries)) <= 8
        assert f.program(np.ones(39, "float32")) is not None


KINDS = {
    "an integer and a float": lambda i, f, v: K.add(i, f),
    "an integer and a number": lambda i, f, v: K.add(i, 1),
    "an integer and a fraction": lambda i, f, v: K.multiply(i, 1.5),
    "an array": lambda i, f, v: K.add(f, np.ones(2, "float64")),
    "a variable": lambda i, f, v: K.add(v, f),
    "a function of integers": lambda i, f, v: K.exp(i),
}


@pytest.mark.parametrize("name", KINDS)
def test_mixed_calls_take_the_short_way(backend, name, monkeypatch):
    """Once the dtypes are known nothing is walked again: the result is that of the long way."""
    i, f, v = K.convert(np.array([1, 2]), "int32"), K.convert(np.array([0.5, 2.5]), "float32"), K.variable([1.0, 2.0])
    with state.eager():
        call = KINDS[name]
        first = call(i, f, v)
        monkeypatch.setattr(dispatch.Op, "_prepare", lambda *args: pytest.fail("the long way"))
        again = call(i, f, v)
        monkeypatch.undo()
        monkeypatch.setattr(dispatch.Op, "_settled", lambda *args: None)
        long = call(i, f, v)
    for result in (first, again):
        assert K.dtype(result) == K.dtype(long)
        np.testing.assert_array_equal(K.to_numpy(result), K.to_numpy(long))


def test_the_default_float_is_part_of_the_short_way(backend):
    i = K.convert(np.array([1, 2]), "int32")
    assert K.dtype(K.multiply(i, 1.5)) == "float32"
    K.set_floatx("float64")
    assert K.dtype(K.multiply(i, 1.5)) == "float64"
    assert K.dtype(K.exp(i)) == "float64"


def test_building_reads_no_variable(backend):
    """A frame without values, such as one that collects losses while a model is built, keeps expressions symbolic."""
    v = K.variable([1.0])
    with K.bind([], []):
        assert K.is_symbolic(v * K.constant([2.0]))
    with K.bind([v], [K.constant([3.0])]):
        assert not symbolic.is_symbolic(v * K.constant([2.0]))
