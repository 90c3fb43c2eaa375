"""K.custom_gradient: a gradient of one's own, wherever K computes one."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers
from keras_front.errors import ArgumentError, ShapeError
from keras_front.models import Sequential

X, Y = np.array([1.0, 2.0], "float32"), np.array([3.0, 0.5], "float32")
Z = np.exp(X) * Y


@K.custom_gradient
def marked(x, y):
    """exp(x) * y, with gradients that are recognised: three times and twice the true ones."""
    z = K.exp(x) * y
    return z, lambda g: (3 * g * z, 2 * g * K.exp(x))


def loss(params):
    return K.sum(marked(*params)), []


def both(fn, values):
    """Gradients found eagerly and by a compiled function."""
    values = [K.convert(v) for v in values]
    eager = K.value_and_grad(fn, values)[1]
    compiled = K.compile(lambda p: K.value_and_grad(fn, p)[1])(values)
    return [[K.to_numpy(g) for g in grads] for grads in (eager, compiled)]


def test_value_and_gradient(backend):
    np.testing.assert_allclose(K.to_numpy(marked(X, Y)), Z, rtol=1e-6)
    for found in both(loss, [X, Y]):
        np.testing.assert_allclose(found, [3 * Z, 2 * np.exp(X)], rtol=1e-6)


def test_symbolic_gradients_of_any_order(backend):
    x, y = K.placeholder((None,)), K.placeholder((2,))
    out = marked(x, y)
    assert out.shape == (None,) or out.shape == (2,)
    first = K.gradients(K.sum(out), [x, y])
    second = K.gradients(K.sum(first[0]), [x, y])
    found = K.function([x, y], [out, *first, *second])([X, Y])
    want = [Z, 3 * Z, 2 * np.exp(X), 3 * Z, 3 * np.exp(X)]
    for got, expected in zip(found, want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_gradient_of_a_gradient_in_a_compiled_function(backend):
    def slope(params):
        return K.sum(K.value_and_grad(loss, params)[1][0]), []

    grads = K.compile(lambda p: K.value_and_grad(slope, p)[1])([K.convert(X), K.convert(Y)])
    np.testing.assert_allclose([K.to_numpy(g) for g in grads], [3 * Z, 3 * np.exp(X)], rtol=1e-6)


def test_several_results_of_which_one_is_used(backend):
    @K.custom_gradient
    def parts(x):
        return [x * 2, K.exp(x)], lambda a, b: a * 10 + b * 100

    double, grown = parts(X)
    assert K.to_numpy(double).tolist() == [2, 4]
    np.testing.assert_allclose(K.to_numpy(grown), np.exp(X), rtol=1e-6)
    assert isinstance(parts(K.placeholder((2,))), list)
    for i, factor in enumerate((10, 100)):
        for (found,) in both(lambda p, i=i: (K.sum(parts(p[0])[i] * 1.0), []), [X]):
            np.testing.assert_allclose(found, [factor] * 2)


def test_integers_and_none_receive_nothing(backend):
    rows = K.convert(np.array([1, 1, 0]), "int32")

    @K.custom_gradient
    def rows_of(table, indices, weight):
        def grad(g):
            return K.scatter_add(g, indices, 2) * 5, None, None

        return K.gather(table, indices) * weight, grad

    def total(params):
        return K.sum(rows_of(params[0], rows, params[1])), []

    for table, weight in both(total, [X, np.float32(2)]):
        assert table.tolist() == [5, 10]
        assert weight == 0


def test_what_is_closed_over_gets_no_gradient(backend):
    def total(params):
        x, w = params

        @K.custom_gradient
        def times(x):
            return x * w, lambda g: g * w * 7

        return K.sum(times(x)) + K.sum(w), []

    for x, w in both(total, [X, Y]):
        np.testing.assert_allclose(x, 7 * Y)
        np.testing.assert_allclose(w, [1, 1])


def test_keywords_and_variables(backend):
    @K.custom_gradient
    def scaled(x, factor=1.0, name=None):
        return x * factor, lambda g: g * factor * 2

    v = K.variable(X)
    out = scaled(v, factor=3.0, name="any")
    np.testing.assert_allclose(K.eval(out), 3 * X)
    np.testing.assert_allclose(K.eval(K.gradients(K.sum(out), v)[0]), [6, 6])
    x = K.convert(X)
    np.testing.assert_allclose(K.to_numpy(scaled(x + v)), 2 * X)


def test_inside_a_loop(backend):
    @K.custom_gradient
    def clipped(x):
        return x, lambda g: K.clip(g, -0.5, 0.5)

    def total(params):
        def step(carry, xs):
            return [clipped(carry[0]) * xs[0]], [carry[0] * params[1]]

        last, ys = K.scan(step, [params[0]], [K.convert(np.full((3, 2), 2.0, "float32"))])
        return K.sum(last[0]), ys

    for x, _ in both(total, [X, Y]):
        np.testing.assert_allclose(x, [0.5, 0.5])


def test_a_layer_trains_with_it(backend):
    @K.custom_gradient
    def reversed_gradient(x):
        return x, lambda g: -g

    def weights_after(fn):
        model = Sequential([layers.Dense(1, kernel_initializer="ones", input_shape=(2,)), layers.Lambda(fn)])
        model.compile("sgd", "mse")
        model.fit(np.stack([X, Y]), np.zeros((2, 1), "float32"), epochs=1, verbose=0, shuffle=False)
        return model.get_weights()[0]

    plain, turned = weights_after(lambda x: x * 1.0), weights_after(reversed_gradient)
    assert np.abs(plain - 1).min() > 1e-3
    np.testing.assert_allclose(turned - 1, 1 - plain, atol=1e-6)


def test_random_numbers_and_half_precision(backend):
    @K.custom_gradient
    def straight_through(x):
        noise = K.random_uniform((2,), dtype="float16")
        return K.cast(x > noise, "float16"), lambda g: K.cast(g, "float32") + 0 * noise

    grads = K.compile(lambda p: K.value_and_grad(lambda q: (K.sum(straight_through(q[0])), []), p)[1])
    found = grads([K.convert(X, "float16")])[0]
    assert K.dtype(found) == "float16"
    assert K.to_numpy(found).tolist() == [1, 1]


@pytest.mark.backends("torch")
def test_autograd_of_torch_sees_it(backend):
    import torch

    x, y = (torch.tensor(v, requires_grad=True) for v in (X, Y))
    first = torch.autograd.grad(marked(x, y).sum(), [x, y], create_graph=True)
    np.testing.assert_allclose([g.detach().numpy() for g in first], [3 * Z, 2 * np.exp(X)], rtol=1e-6)
    second = torch.autograd.grad(first[0].sum(), [x, y])
    np.testing.assert_allclose([g.numpy() for g in second], [3 * Z, 3 * np.exp(X)], rtol=1e-6)


@pytest.mark.backends("jax")
def test_grad_and_jit_of_jax_see_it(backend):
    import jax

    def total(x, y):
        return marked(x, y).sum()

    for wrap in (lambda f: f, jax.jit):
        found = wrap(jax.grad(total, (0, 1)))(X, Y)
        np.testing.assert_allclose(found, [3 * Z, 2 * np.exp(X)], rtol=1e-6)
        found = wrap(jax.grad(lambda x, y: jax.grad(total)(x, y).sum(), (0, 1)))(X, Y)
        np.testing.assert_allclose(found, [3 * Z, 3 * np.exp(X)], rtol=1e-6)


@pytest.mark.backends("tensorflow")
def test_tapes_of_tensorflow_see_it(backend):
    import tensorflow as tf

    def grads(x, y):
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([x, y])
            with tf.GradientTape() as inner:
                inner.watch([x, y])
                total = tf.reduce_sum(marked(x, y))
            first = inner.gradient(total, [x, y])
        return first, outer.gradient(first[0], [x, y])

    for run in (grads, tf.function(grads)):
        first, second = run(tf.constant(X), tf.constant(Y))
        np.testing.assert_allclose(first, [3 * Z, 2 * np.exp(X)], rtol=1e-6)
        np.testing.assert_allclose(second, [3 * Z, 3 * np.exp(X)], rtol=1e-6)


def test_a_function_without_grad_fn_is_an_error(backend):
    with pytest.raises(ArgumentError, match=r"expected the function to return \(result, grad_fn\)"):
        K.custom_gradient(lambda x: x * 2)(X)


@pytest.mark.parametrize(
    ("rule", "error", "text"),
    [
        (lambda g: g, ArgumentError, "expected a gradient for each of 2 arguments, received 1"),
        (lambda g: (K.sum(g), g), ShapeError, r"of argument 0 has shape \(\), expected \(2,\)"),
    ],
)
def test_a_wrong_gradient_is_an_error(backend, rule, error, text):
    wrong = K.custom_gradient(lambda x, y: (x + y, rule))
    with pytest.raises(error, match=text):
        wrong(K.placeholder((2,)), K.placeholder((2,)))
    with pytest.raises(error, match=text):
        K.value_and_grad(lambda p: (K.sum(wrong(*p)), []), [K.convert(X), K.convert(Y)])
