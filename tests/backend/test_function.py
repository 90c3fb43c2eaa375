"""K.function, K.gradients, K.eval: the classic way to compute, on every backend."""

import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, UntraceableError


def test_function_computes_outputs_and_carries_out_updates(backend):
    x = K.placeholder((None, 2))
    total = K.variable(np.zeros(2))
    f = K.function([x], [x * 2, K.sum(x)], updates=[(total, total + K.sum(x, axis=0))])
    doubled, s = f([np.array([[1.0, 2.0], [3.0, 4.0]])])
    assert doubled.tolist() == [[2, 4], [6, 8]]
    assert float(s) == 10
    f([np.array([[1.0, 1.0]])])
    assert K.get_value(total).tolist() == [5, 7]


def test_a_single_output_comes_alone(backend):
    x = K.placeholder((3,))
    assert K.function([x], K.sum(x))([np.ones(3)]) == 3


def test_the_learning_phase_is_an_input_like_any_other(backend):
    x = K.placeholder((2,))
    y = K.in_train_phase(lambda: x * 10, lambda: x)
    f = K.function([x, K.learning_phase()], [y])
    assert f([np.ones(2), 1])[0].tolist() == [10, 10]
    assert f([np.ones(2), 0])[0].tolist() == [1, 1]


def test_the_branch_of_the_other_phase_is_not_in_the_program(backend):
    x = K.placeholder((2,))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(K.exp(x), K.sin(x))])
    f([np.ones(2), 0])
    assert "sin" in f.source
    assert "exp" not in f.source


def test_gradient_descent_as_keras_1_users_wrote_it(backend):
    w = K.variable([[1.0], [-1.0]])
    x, y = K.placeholder((None, 2)), K.placeholder((None, 1))
    loss = K.mean(K.square(K.dot(x, w) - y))
    (g,) = K.gradients(loss, [w])
    step = K.function([x, y], [loss], updates=[K.update_sub(w, 0.1 * g)])
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(64, 2))
    ys = xs @ np.array([[2.0], [3.0]])
    losses = [float(step([xs, ys])[0]) for _ in range(100)]
    assert losses[-1] < 1e-4 < losses[0]
    np.testing.assert_allclose(K.get_value(w), [[2], [3]], atol=1e-2)


def test_gradients_of_gradients(backend):
    x = K.placeholder((3,))
    (first,) = K.gradients(K.sum(K.pow(x, 3)), [x])
    (second,) = K.gradients(K.sum(first), [x])
    values = np.array([1.0, 2.0, -3.0])
    a, b = K.function([x], [first, second])([values])
    np.testing.assert_allclose(a, 3 * values**2, rtol=1e-6)
    np.testing.assert_allclose(b, 6 * values, rtol=1e-6)


def test_gradients_with_unknown_dimensions_and_broadcasting(backend):
    x, b = K.placeholder((None, 3)), K.variable(np.zeros(3))
    (g,) = K.gradients(K.sum((x + b) * x), [b])
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(K.function([x], [g])([value])[0], value.sum(0))


def test_shapes_that_are_known_only_at_the_call(backend):
    x = K.placeholder((None, 4))
    y = K.reshape(x, (K.shape(x)[0] * 2, 2))
    z = K.zeros_like(x) + K.cast(K.shape(x)[0], "float32")
    f = K.function([x], [y, z])
    for n in (1, 3):
        a, b = f([np.ones((n, 4))])
        assert a.shape == (2 * n, 2)
        assert (b == n).all()


def test_eval_of_expressions(backend):
    v = K.variable(np.arange(4.0))
    assert K.eval(v * 2).tolist() == [0, 2, 4, 6]
    assert K.eval(v).tolist() == [0, 1, 2, 3]
    assert np.asarray(v + 1).tolist() == [1, 2, 3, 4]
    assert K.eval(K.constant([1.0, 2.0])).tolist() == [1, 2]


def test_random_numbers_are_drawn_anew_at_each_call(backend):
    x = K.placeholder((4,))
    f = K.function([x], [x + K.random_normal((4,))])
    assert (f([np.zeros(4)])[0] != f([np.zeros(4)])[0]).all()


def test_python_cannot_branch_on_a_symbol():
    x = K.placeholder((2,))
    with pytest.raises(UntraceableError, match=r"K\.switch"):
        bool(K.sum(x) > 0)
    with pytest.raises(UntraceableError, match="no values yet"):
        np.asarray(x)


def test_wrong_values_are_named():
    x = K.placeholder((None, 3), name="features")
    f = K.function([x], [x])
    with pytest.raises(ArgumentError, match=r"'features' expects shape \(None, 3\), received \(2, 4\)"):
        f([np.ones((2, 4))])
    with pytest.raises(ArgumentError, match="expected 1 values, received 2"):
        f([np.ones((2, 3))] * 2)
    with pytest.raises(ArgumentError, match="no value"):
        K.function([x], [x + K.placeholder((None, 3))])([np.ones((2, 3))])


def test_switch_chooses_scalars_and_rows(backend):
    x = K.placeholder((3, 2))
    rows = K.switch(K.greater(x[:, 0], 0), x, -x)
    whole = K.switch(K.sum(x) > 0, lambda: x, lambda: x * 0)
    a, b = K.function([x], [rows, whole])([np.array([[1.0, 2.0], [-1.0, 2.0], [0.0, 0.0]])])
    assert a.tolist() == [[1, 2], [1, -2], [0, 0]]
    assert b.tolist() == [[1, 2], [-1, 2], [0, 0]]


def test_sizes_may_be_values_that_are_fed(backend):
    x, sizes = K.placeholder((None, 4)), K.placeholder((2,), dtype="int32")
    results = [K.reshape(x, sizes), K.tile(x, sizes) + 1, K.zeros(sizes), K.ones((sizes[0], 3)), K.arange(sizes[0])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that some backends trace it at each call
        f = K.function([x, sizes], results)
        for a, b in ((4, 2), (2, 4)):
            values = np.arange(8.0).reshape(2, 4)
            wanted = [values.reshape(a, b), np.tile(values, (a, b)) + 1, np.zeros((a, b)), np.ones((a, 3)), range(a)]
            for found, value in zip(f([values, np.array([a, b])]), wanted, strict=True):
                np.testing.assert_array_equal(found, value)


@pytest.mark.engine_neutral
def test_what_is_fetched_and_fed_besides(backend):
    a, b = K.placeholder(()), K.placeholder(())
    x, y = K.variable(0.0), K.variable(0.0)
    f = K.function(
        [a], [a + 1], updates=[(x, a)], fetches=[K.update(y, b * 2), a * b], feed_dict={b: 3.0}, options=None
    )
    assert f([10.0]) == [11.0]
    assert (float(x.numpy()), float(y.numpy())) == (10.0, 6.0)
    f.feed_dict[b] = 4.0
    f([1.0])
    assert float(y.numpy()) == 8.0
    with pytest.raises(ValueError, match="expected 1 values, received 2"):
        f([1.0, 2.0])


@pytest.mark.engine_neutral
def test_updates_are_carried_out_where_they_are_asked_for(backend):
    v = K.variable([1.0])
    assert K.eval(K.update_add(v, K.constant([2.0]) * 1)) == 3
    assert K.get_value(K.update_sub(v, K.ones((1,)))) == 2
    assert K.function([], [K.update(v, v * 3)])([])[0] == 6
    session = K.get_session()
    assert session.run([K.update_add(v, v), v * 0])[0] == 12
    assert session.run(K.update_add(v, v)) == 24 == v.numpy()


@pytest.mark.engine_neutral
def test_what_is_made_of_the_phase_says_so(backend):
    x = K.placeholder((2,))
    assert K.in_train_phase(x, 2 * x)._uses_learning_phase
    assert (K.in_test_phase(x, 2 * x) + 1)._uses_learning_phase
    assert not (x + 1)._uses_learning_phase
