"""Small behaviours of Keras 1 and 2, NumPy and TensorFlow that programs rely on when they handle symbolic tensors."""

import numpy as np
import pytest

from keras_front import activations, layers, models
from keras_front import backend as K
from keras_front.backend import untraceable
from keras_front.errors import ShapeError, UntraceableError

RNG = np.random.default_rng(5)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def value_at(x, value, y):
    return K.function([x], [y])([value])[0]


# Symbols in Python code ----------------------------------------------------------------------------------------


def test_an_array_that_a_symbol_is_added_to_becomes_a_symbol(backend):
    x, value = K.placeholder((None, 3)), normal(2, 3)
    total, kept = np.ones((1, 3), "float32"), np.ones((2, 3), "float32")
    alias = total
    total += x
    total *= 2
    kept -= K.variable(value)
    np.testing.assert_allclose(value_at(x, value, total), (1 + value) * 2, rtol=1e-6)
    np.testing.assert_allclose(K.eval(kept), 1 - value, rtol=1e-6)
    assert alias.tolist() == [[1.0, 1.0, 1.0]]  # the array itself is left as it was
    scalar = np.float32(2)
    scalar *= x
    np.testing.assert_allclose(value_at(x, value, scalar), 2 * value, rtol=1e-6)
    with pytest.raises(TypeError, match="cannot be written into `out`"):
        np.add(np.ones(3), x, out=np.ones((2, 3)))


def test_a_tensor_that_a_variable_is_added_to_becomes_a_symbol(backend):
    values = normal(3)
    total = K.constant(values)
    total = total + K.variable(values)
    assert K.is_symbolic(total)
    np.testing.assert_allclose(K.eval(total), 2 * values, rtol=1e-6)


@pytest.mark.engine_neutral
def test_a_symbol_has_no_length(backend):
    x = K.placeholder((4, 3))
    assert not hasattr(x, "__len__")
    with pytest.raises(TypeError, match="no len"):
        len(x)
    rows = list(x)
    assert [row.shape for row in rows] == [(3,)] * 4
    with pytest.raises(UntraceableError, match=r"rows.*test_classic_behaviour.py, line \d+: `list\("):
        list(K.placeholder((None, 3)))


@pytest.mark.engine_neutral
def test_a_branch_on_a_symbol_names_its_line_and_what_to_write(backend):
    x = K.placeholder((None, 3))

    def branch():
        if K.sum(x) > 0:
            pytest.fail("a symbol has no truth")

    with pytest.raises(UntraceableError) as found:
        branch()
    message = str(found.value)
    assert "test_classic_behaviour.py, line " in message
    assert "`if K.sum(x) > 0:`" in message
    assert "K.switch(condition, then, otherwise)" in message
    with pytest.raises(UntraceableError, match=r"`range\(K.shape\(x\)\[0\]\)"):
        range(K.shape(x)[0])


@pytest.mark.backends("numpy", "torch")  # compilers of engines have no value to branch on either
def test_a_branch_inside_of_a_model_is_taken_and_names_the_line_of_the_user(backend, monkeypatch):
    monkeypatch.setattr(untraceable, "_warned", set())

    def flip(t):
        return t if K.sum(t) > 0 else -t

    model = models.Sequential([layers.Lambda(flip, input_shape=(2,))])
    with pytest.warns(RuntimeWarning, match=r"`return t if K.sum\(t\) > 0 else -t`"):
        assert model.predict(np.ones((1, 2))).tolist() == [[1, 1]]
    assert model.predict(-2 * np.ones((1, 2))).tolist() == [[2, 2]]


# Functions of K ------------------------------------------------------------------------------------------------


def test_the_square_root_of_a_negative_number_is_zero(backend):
    values = np.float32([-4.0, -0.0, 0.0, 9.0, np.nan, np.inf])
    expected = np.float32([0, 0, 0, 3, np.nan, np.inf])
    np.testing.assert_array_equal(K.to_numpy(K.sqrt(K.constant(values))), expected)
    x = K.placeholder((6,))
    np.testing.assert_array_equal(value_at(x, values, K.sqrt(x)), expected)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(K.to_numpy(K.square_root(K.constant(values))), np.sqrt(values))
    slope = value_at(x, values, K.gradients(K.sqrt(x), x)[0])
    np.testing.assert_allclose(slope[[0, 3]], [0, 1 / 6], rtol=1e-6)


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_bias_may_have_all_axes_but_the_batch(backend, data_format, spatial):
    plane, depth = (4, 5, 6)[:spatial], 3
    shape = (2, *plane, depth) if data_format == "channels_last" else (2, depth, *plane)
    x, bias, vector = normal(*shape), normal(*plane, depth), normal(depth)
    laid_out = bias if data_format == "channels_last" else np.moveaxis(bias, -1, 0)
    np.testing.assert_allclose(K.eval(K.bias_add(x, bias, data_format)), x + laid_out, rtol=1e-6)
    along = vector if data_format == "channels_last" else vector.reshape(-1, *(1,) * spatial)
    np.testing.assert_allclose(K.eval(K.bias_add(x, vector, data_format)), x + along, rtol=1e-6)
    with pytest.raises(ShapeError, match="does not fit"):
        K.bias_add(x, normal(*plane, depth + 1), data_format)


BATCH_DOTS = [  # shapes, axes, and the same as an einsum
    ((2, 3, 4), (2, 4, 5), None, "bij,bjk->bik"),
    ((2, 3, 4), (2, 5, 4), (2, 2), "bij,bkj->bik"),
    ((2, 3, 4), (2, 3), (1, 1), "bij,bi->bj"),
    ((2, 3), (2, 4, 3), (1, 2), "bi,bki->bk"),
    ((2, 3, 4), (2, 3, 5), 1, "bij,bik->bjk"),
    ((2, 3, 4, 5), (2, 6, 4), (2, 2), "bijk,blj->bikl"),
    ((2, 3, 4, 5, 6), (2, 5, 3), (1, 2), "bijkl,bmi->bjklm"),
    ((2, 3, 4, 5), (2, 4, 7, 8), (2, 1), "bijk,bjlm->biklm"),
]


@pytest.mark.parametrize("case", BATCH_DOTS, ids=lambda case: case[3])
def test_batch_dot_over_any_axes(backend, case):
    first, second, axes, formula = case
    x, y = normal(*first), normal(*second)
    np.testing.assert_allclose(
        K.eval(K.batch_dot(K.constant(x), K.constant(y), axes)), np.einsum(formula, x, y), rtol=1e-4, atol=1e-5
    )


def test_batch_dot_of_rows_keeps_an_axis(backend):
    x, y = normal(3, 4), normal(3, 4)
    np.testing.assert_allclose(
        K.eval(K.batch_dot(K.constant(x), K.constant(y), 1)), (x * y).sum(1, keepdims=True), rtol=1e-5
    )


@pytest.mark.parametrize("greedy", [True, False])
def test_decoded_labels_are_cut_to_the_longest(backend, greedy):
    blank, steps = 3, 6
    paths = [[0, 0, blank, 1, blank, blank], [blank, 2, 2, blank, blank, blank]]
    probabilities = np.full((2, steps, blank + 1), 0.01, "float32")
    for row, path in enumerate(paths):
        probabilities[row, np.arange(steps), path] = 0.97
    lengths, expected = np.array([steps, steps], "int32"), [[0, 1], [2, -1]]

    def decoded(p):
        return K.ctc_decode(p, lengths, greedy=greedy)[0][0]

    assert K.eval(decoded(K.constant(probabilities))).tolist() == expected
    assert K.eval(decoded(K.variable(probabilities))).tolist() == expected
    x = K.placeholder((2, steps, blank + 1))
    labels = decoded(x)
    assert labels.shape == (2, None)
    assert value_at(x, probabilities, labels).tolist() == expected
    nothing = np.full_like(probabilities, 0.01)
    nothing[:, :, blank] = 0.97
    assert value_at(x, nothing, labels).shape == (2, 0)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_sparse_crossentropy_over_any_axis(backend, axis):
    shape = [2, 4, 5]
    classes = shape[axis]
    others = [n for i, n in enumerate(shape) if i != axis % 3]
    target = RNG.integers(0, classes, others)
    output = RNG.uniform(0.1, 1.0, shape)
    output /= output.sum(axis, keepdims=True)
    expected = -np.log(np.take_along_axis(output, np.expand_dims(target, axis), axis)).squeeze(axis)
    found = K.sparse_categorical_crossentropy(K.constant(target), K.constant(output), axis=axis)
    np.testing.assert_allclose(K.eval(found), expected, rtol=1e-4)


# Sparse matrices -----------------------------------------------------------------------------------------------


def test_a_variable_of_a_sparse_matrix_is_sparse(backend):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(RNG.random((4, 5)) < 0.5, 0, normal(4, 5)).astype("float32")
    kernel = normal(5, 3)
    matrix = K.variable(sparse.csr_matrix(dense.astype("float64")))
    assert K.is_sparse(matrix)
    assert matrix.dtype == "float32"
    np.testing.assert_array_equal(K.eval(matrix), dense)
    np.testing.assert_array_equal(K.get_value(matrix), dense)
    np.testing.assert_array_equal(K.eval(K.to_dense(matrix)), dense)
    np.testing.assert_allclose(K.eval(K.dot(matrix, K.variable(kernel))), dense @ kernel, rtol=1e-4, atol=1e-5)


def test_sparse_matrices_are_joined(backend):
    sparse = pytest.importorskip("scipy.sparse")
    a, b = (np.where(RNG.random((3, 3)) < 0.5, 0, normal(3, 3)).astype("float32") for _ in range(2))
    first, second = (K.variable(sparse.csr_matrix(m)) for m in (a, b))
    for axis in (0, 1, -1):
        both = K.concatenate([first, second], axis=axis)
        assert K.is_sparse(both)
        np.testing.assert_array_equal(K.eval(both), np.concatenate([a, b], axis))
    mixed = K.concatenate([first, K.constant(b)], axis=1)
    assert not K.is_sparse(mixed)
    np.testing.assert_array_equal(K.eval(mixed), np.concatenate([a, b], 1))
    with pytest.raises(ValueError, match="to_dense"):
        K.sum(first)


# Wrong calls ---------------------------------------------------------------------------------------------------


@pytest.mark.engine_neutral
def test_a_softmax_of_a_vector_is_an_error(backend):
    with pytest.raises(ValueError, match="at least 2 axes"):
        activations.softmax(K.placeholder((3,)))
    assert K.softmax(K.placeholder((3,))).shape == (3,)


@pytest.mark.engine_neutral
def test_a_stateful_layer_needs_the_size_of_the_batch(backend):
    for layer in (layers.LSTM(3, stateful=True), layers.Bidirectional(layers.GRU(3, stateful=True))):
        with pytest.raises(ValueError, match="batch size"):
            layer(layers.Input((4, 2)))


@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Concatenate"])
def test_merging_needs_several_inputs(backend, name):
    for inputs in ([layers.Input((3,))], layers.Input((3,))):
        with pytest.raises(ValueError, match="at least 2 inputs"):
            getattr(layers, name)()(inputs)
