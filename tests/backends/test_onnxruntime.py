"""ONNX Runtime as a backend: what its programs compute, when its sessions are made anew, and what falls to NumPy."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, DtypeError
from keras_front.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    Input,
    MaxPooling2D,
)
from keras_front.models import Model, Sequential
from keras_front.testing import conformance, layers, selection

session = pytest.importorskip("keras_front_onnxruntime.session")
ALL = selection.everything()
NAME = "keras_front_onnxruntime.backend:OnnxruntimeBackend"


@pytest.fixture
def engine():
    with discovery.use_backend(NAME) as active:
        yield active


@pytest.fixture
def made(monkeypatch):
    """The sessions that are made meanwhile: how many initializers each is given."""
    found = []
    make = session._session

    def counted(model, alone, values=None):
        found.append(len(values or ()))
        return make(model, alone, values)

    monkeypatch.setattr(session, "_session", counted)
    return found


def convnet(**settings):
    model = Sequential(
        [
            Conv2D(4, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
            BatchNormalization(),
            MaxPooling2D(),
            Dropout(0.2),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
    return model


X = np.random.default_rng(0).normal(size=(24, 8, 8, 1)).astype("float32")
Y = np.arange(24) % 3


def on_numpy(model, x, y=None):
    """What a model gives on NumPy: its outputs, or with targets its loss and metrics."""
    with discovery.use_backend("numpy"):
        return model.predict(x) if y is None else model.evaluate(x, y, verbose=0)


# Programs --------------------------------------------------------------------------------------------


def test_one_session_predicts_batches_of_every_size(engine, made):
    model = convnet()
    wanted = on_numpy(model, X)
    for rows in (24, 1, 7):
        np.testing.assert_allclose(model.predict(X[:rows]), wanted[:rows], atol=1e-5)
    assert made == [0, 8]  # one that says whether there are kernels, and one with the weights and moving statistics
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), on_numpy(model, X, Y), rtol=1e-5)
    assert K.function(model.inputs, model.outputs)([X[:0]])[0].shape == (0, 3)


def test_weights_are_those_of_the_moment(engine, made):
    """Set, trained in place by a step, and trained on another backend."""
    model = convnet()
    model.predict(X)
    model.set_weights([w + 0.25 for w in model.get_weights()])
    np.testing.assert_allclose(model.predict(X), on_numpy(model, X), atol=1e-5)
    for _ in range(3):
        before = model.predict(X)
        model.train_on_batch(X, Y)
        assert np.abs(model.predict(X) - before).max() > 1e-5
        np.testing.assert_allclose(model.predict(X), on_numpy(model, X), atol=1e-5)
    with discovery.use_backend("numpy"):
        model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(X), on_numpy(model, X), atol=1e-5)
    model.predict(X)
    count = len(made)
    model.predict(X)
    assert len(made) == count


def test_validation_in_fit_sees_the_weights_of_its_epoch(engine):
    seen = []
    for name in (NAME, "numpy"):
        with discovery.use_backend(name):
            set_random_seed(3, reproducible=True)
            history = convnet().fit(X, Y, epochs=3, batch_size=8, validation_data=(X, Y), verbose=0).history
            seen.append([history["val_loss"], history["loss"]])
    np.testing.assert_allclose(*seen, rtol=1e-4)


def test_small_nets_take_weights_as_inputs_and_need_no_new_session(engine, made):
    model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((5, 4), "float32"), np.zeros((5, 2), "float32")
    model.predict(x)
    count = len(made)
    for _ in range(3):
        model.train_on_batch(x, y)
        np.testing.assert_allclose(model.predict(x), on_numpy(model, x), atol=1e-6)
    assert len(made) == count
    assert set(made) == {0}


def test_functions_read_variables_anew(engine):
    x, v = K.placeholder((None, 3)), K.variable(np.ones((3, 3)))
    f = K.function([x], [K.dot(x, v), K.sum(v)])
    for value in (1.0, 2.0):
        K.set_value(v, np.full((3, 3), value))
        product, total = f([np.ones((2, 3))])
        np.testing.assert_allclose(product, np.full((2, 3), 3 * value))
        np.testing.assert_allclose(total, 9 * value)
    assert "dot" in f.source or "matmul" in f.source


def test_sessions_go_with_their_programs(engine, monkeypatch):
    kept = []
    make = session._session

    def noted(*args):
        found = make(*args)
        kept.append(weakref.ref(found))
        return found

    monkeypatch.setattr(session, "_session", noted)
    model = convnet()
    model.predict(X)
    assert any(ref() is not None for ref in kept)
    del model
    gc.collect()
    assert all(ref() is None for ref in kept)


def test_threads_are_as_the_environment_says(engine, monkeypatch):
    chosen = []
    kind = session.onnxruntime.InferenceSession
    monkeypatch.setattr(
        session.onnxruntime,
        "InferenceSession",
        lambda model, options, **kw: chosen.append(options.intra_op_num_threads) or kind(model, options, **kw),
    )
    for text, wanted in (("3", 3), ("", 0)):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        K.compile(K.dot)(np.ones((2, 2)), np.ones((2, 2)))
        assert chosen[-1] == wanted
    K.compile(K.exp)(np.ones(2))
    assert chosen[-1] == 1  # small ones have no threads of their own


def test_what_no_session_can_be_made_of_runs_op_by_op(engine, monkeypatch):
    model = convnet()
    wanted, make = on_numpy(model, X), session._session

    def failing(model, alone, values=None):
        if values:
            raise session.engine.Fail("no room")
        return make(model, alone)

    monkeypatch.setattr(session, "_session", failing)
    for rows in (24, 5):
        np.testing.assert_allclose(model.predict(X[:rows]), wanted[:rows], atol=1e-5)


# What ONNX or ONNX Runtime lacks ---------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint16", "int64", "bool", "complex64"])
def test_numbers_are_right_in_every_dtype(engine, dtype):
    """Also where there is no kernel: convolutions of float64, pooling of integers, complex numbers."""
    x = (np.arange(2 * 6 * 6 * 2).reshape(2, 6, 6, 2) % 7).astype(dtype)
    fns = [lambda x: x + x, lambda x: K.reverse(x, 1)] if dtype != "bool" else [lambda x: K.any(x, axis=1)]
    if dtype.startswith("float"):
        fns += [lambda x: K.conv2d(x, K.cast(K.ones((2, 2, 2, 3)), dtype)), lambda x: K.pool2d(x, (2, 2)), K.erf]
    for fn in fns:
        given, wanted = K.compile(fn, batched=(0,))(x), fn(K.convert(x))
        assert given.dtype == wanted.dtype
        np.testing.assert_allclose(given, wanted, rtol=2e-3 if dtype == "float16" else 1e-6)


def test_a_model_of_float64_predicts_and_trains(engine):
    K.set_floatx("float64")
    model = convnet()
    np.testing.assert_allclose(model.predict(X), on_numpy(model, X), atol=1e-12)
    model.fit(X, Y, epochs=1, verbose=0)


def test_bfloat16_is_an_error_that_says_what_to_do(engine):
    with pytest.raises(DtypeError, match=r"no bfloat16.*Use float32"):
        K.convert([1.0], "bfloat16")


def test_decompositions_noise_and_prints_are_the_hosts(engine, capsys):
    a = np.array([[4.0, 1.0], [1.0, 3.0]], "float32")
    np.testing.assert_allclose(K.compile(K.cholesky)(a), np.linalg.cholesky(a), rtol=1e-6)
    set_random_seed(1)
    x = Input((3,))
    noisy = K.function([x, K.learning_phase()], [GaussianNoise(1.0)(x)])
    values = np.zeros((50, 3), "float32")
    assert noisy([values, 1])[0].std() > 0.5
    np.testing.assert_array_equal(noisy([values, 0])[0], values)
    K.compile(lambda x: K.print_tensor(x, message="here") + 1)(np.ones(2))
    assert "here" in capsys.readouterr().out


@pytest.mark.parametrize("index", [-1, 10, 99])
def test_an_index_outside_of_its_axis_is_an_error_of_k(engine, index):
    model = Sequential([Embedding(10, 4, input_shape=(3,)), Flatten(), Dense(1)])
    good = np.zeros((2, 3), "int32")
    np.testing.assert_allclose(model.predict(good), on_numpy(model, good), atol=1e-6)
    f = K.function([model.inputs[0]], model.outputs)
    with pytest.raises(ArgumentError, match=f"expected indices from 0 to 9 .*{index}"):
        f([np.array([[0, 1, index]])])


def test_nan_and_infinity_pass(engine):
    x = np.array([[np.nan, -np.inf, 1.0, np.inf], [0.0, 1.0, -2.0, 3.0]], "float32")
    for fn in (
        K.relu,
        K.sigmoid,
        K.tanh,
        lambda x: K.clip(x, -1, 1),
        lambda x: K.maximum(x, 0.5),
        K.isnan,
        lambda x: K.max(x, axis=0),
        lambda x: K.min(x),
        K.argmax,
        lambda x: K.argmin(x, axis=0),
    ):
        np.testing.assert_allclose(K.compile(fn)(x), fn(K.convert(x)), rtol=1e-6, atol=1e-9)


def test_recurrent_layers_with_masks_agree(engine):
    x = np.array([[3, 1, 4, 0, 0], [2, 0, 0, 0, 0], [1, 5, 2, 6, 5]], "int32")
    for layer in (LSTM(3, return_sequences=True), GRU(3, reset_after=True), LSTM(2, go_backwards=True)):
        given = Input((5,), dtype="int32")
        model = Model(given, layer(Embedding(7, 4, mask_zero=True)(given)))
        np.testing.assert_allclose(model.predict(x), on_numpy(model, x), atol=1e-6)


# A choice of the published suites; `make test-onnxruntime` runs them whole ---------------------------------------

OPS = ["add", "argmax", "batch_normalization", "conv", "gather", "lstm", "matmul", "mean", "softmax", "where"]
LAYERS = ["BatchNormalization", "Conv2DTranspose", "Embedding", "GRU", "MultiHeadAttention"]


def test_ops():
    assert conformance.run(NAME, None if ALL else OPS, None if ALL else ["compiled", "gradient"]).cases


def test_layers():
    assert layers.run(NAME, None if ALL else LAYERS, None if ALL else ["agreement", "batches"]).checks
