"""K.print_tensor prints when a value is computed, wherever that happens, and changes nothing else."""

import numpy as np

from keras_front import backend as K
from keras_front import layers
from keras_front.models import Sequential

X = np.array([1.0, 2.0], "float32")


def test_a_tensor_is_printed_at_once(backend, capsys):
    out = K.print_tensor(K.convert(X), "x is")
    assert capsys.readouterr().out == "x is [1. 2.]\n"
    assert K.to_numpy(out).tolist() == [1, 2]
    K.print_tensor(K.convert(X))
    assert capsys.readouterr().out == "[1. 2.]\n"


def test_a_symbol_is_printed_when_its_function_runs(backend, capsys):
    x = K.placeholder((None,))
    doubled = K.print_tensor(x * 2, message="doubled")
    assert (doubled.shape, doubled.dtype) == ((None,), "float32")
    f = K.function([x], [doubled + 1, K.print_tensor(doubled, "again")])
    assert capsys.readouterr().out == ""
    for values in ([1.0, 2.0], [3.0]):
        f([np.array(values, "float32")])
        twice = np.array(values, "float32") * 2
        assert capsys.readouterr().out == f"doubled {twice}\nagain {twice}\n"


def test_a_variable_is_printed_with_its_value_of_the_time(backend, capsys):
    v = K.variable(X, name="v")
    f = K.function([], [K.print_tensor(v, "v")])
    v.assign(np.array([7.0, 8.0], "float32"))
    f([])
    assert capsys.readouterr().out == "v [7. 8.]\n"


def test_its_gradient_is_that_of_the_identity_and_prints_nothing(backend, capsys):
    def loss(params):
        return K.sum(K.exp(K.print_tensor(K.exp(params[0]), "e"))), []

    step = K.compile(lambda p: K.value_and_grad(loss, p))
    for run in (step, lambda p: K.value_and_grad(loss, p)):
        (value, _), grads = run([K.convert(X)])
        np.testing.assert_allclose(K.to_numpy(value), np.exp(np.exp(X)).sum(), rtol=1e-5)
        np.testing.assert_allclose(K.to_numpy(grads[0]), np.exp(np.exp(X)) * np.exp(X), rtol=1e-5)
        assert capsys.readouterr().out.startswith("e [2.7182")
    x = K.placeholder((2,))
    K.function([x], K.gradients(K.sum(K.exp(K.print_tensor(x, "x"))), [x]))([X])
    assert capsys.readouterr().out == "x [1. 2.]\n"


def test_a_step_of_a_loop_is_printed_once_also_under_differentiation(backend, capsys):
    def loss(params):
        def step(carry, xs):
            return [K.exp(K.print_tensor(carry[0] * 0.5, "at"))], []

        return K.sum(K.scan(step, [params[0]], [K.convert(np.zeros((3, 1), "float32"))])[0][0]), []

    K.compile(lambda p: K.value_and_grad(loss, p)[1])([K.convert(np.float32([0.0]))])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["at"] * 3
    assert lines[:2] == ["at [0.]", "at [0.5]"]


def test_it_is_printed_at_every_step_of_training(backend, capsys):
    model = Sequential(
        [layers.Lambda(lambda x: K.print_tensor(x, "batch"), input_shape=(2,)), layers.Dense(1, use_bias=False)]
    )
    model.compile("sgd", "mse")
    x = np.arange(8, dtype="float32").reshape(4, 2)
    model.fit(x, np.zeros((4, 1), "float32"), batch_size=1, epochs=2, verbose=0, shuffle=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"batch {row}" for row in (x[:1], x[1:2], x[2:3], x[3:])] * 2
    assert np.isfinite(model.predict(x)).all()
    assert capsys.readouterr().out.count("batch") >= 1


def test_what_uses_it_in_place_keeps_its_values(backend, capsys):
    """The printed tensor shares memory with its source where a backend overwrites what nobody reads any more."""

    def fn(x):
        shown = K.print_tensor(x + 1.0, "x")
        return K.relu(shown * 2.0 + shown) + K.sum(shown)

    found = K.to_numpy(K.compile(fn)(K.convert(X)))
    np.testing.assert_allclose(found, 3 * (X + 1) + (X + 1).sum())
    assert capsys.readouterr().out == "x [2. 3.]\n"
