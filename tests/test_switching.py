"""Backends side by side: one model on several in turn, several at once, weights that follow."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import numpy as np
import pytest
from engines import wanted_backends

from keras_front import backend as K
from keras_front import device, set_backend, set_random_seed, use_backend
from keras_front.errors import KerasFrontError
from keras_front.layers import BatchNormalization, Dense, Dropout
from keras_front.models import Sequential


def data() -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(0)
    x = source.normal(size=(96, 5)).astype("float32")
    return x, (x[:, :2] * [[1.0, -2.0]]).sum(axis=1, keepdims=True).astype("float32")


def build() -> Sequential:
    set_random_seed(11, reproducible=True)
    model = Sequential([Dense(16, activation="tanh", input_shape=(5,)), BatchNormalization(), Dropout(0.1), Dense(1)])
    model.compile("adam", "mse")
    return model


def train(model: Sequential, epochs: int = 1) -> list[float]:
    return model.fit(*data(), batch_size=16, epochs=epochs, verbose=0).history["loss"]


def test_built_on_one_trained_on_the_next_used_on_every_other():
    x, _ = data()
    names = wanted_backends()
    with use_backend(names[0]):
        model = build()
        first = train(model)
    with use_backend(names[-1]):
        assert train(model)[0] < first[0]
    predictions = {}
    for name in names:
        with use_backend(name):
            predictions[name] = model.predict(x)
    for name in names:
        np.testing.assert_allclose(predictions[name], predictions[names[0]], atol=1e-5, err_msg=name)


def test_a_run_that_changes_backends_is_the_run_that_does_not():
    names = (wanted_backends() * 4)[:4]
    curves, predictions = [], []
    for places in (["numpy"] * 4, names):
        with use_backend("numpy"):
            model = build()
        curve = []
        for name in places:
            with use_backend(name):  # Adam's moments, the step counter and the seeds of masks go with it
                curve += train(model)
        curves.append(curve)
        with use_backend("numpy"):
            predictions.append(model.predict(data()[0]))
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-3)
    np.testing.assert_allclose(predictions[1], predictions[0], atol=1e-3)


def test_the_weights_follow_to_the_bit(backend):
    with use_backend("numpy"):
        model = build()
        train(model)
        before = model.get_weights()
    model.predict(data()[0])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_two_threads_on_two_backends():
    names = (wanted_backends() * 2)[:2]
    alone = {}
    for name in names:
        with use_backend(name):
            model = build()
            alone[name] = train(model, epochs=3), model.predict(data()[0])

    together: dict[int, tuple] = {}
    start = threading.Barrier(len(names))
    models = [build() for _ in names]  # seeds are the process's, so the initial weights are drawn one by one
    for model in models:
        model.layers[2].rate = 0.0

    def work(place: int) -> None:
        with use_backend(names[place]):
            start.wait()
            losses = [models[place].train_on_batch(*data()) for _ in range(30)]
            together[place] = losses, models[place].predict(data()[0]), K.backend()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[place][2] for place in range(len(names))] == names
    np.testing.assert_allclose(together[0][0], together[1][0], rtol=1e-3)
    np.testing.assert_allclose(together[0][1], together[1][1], atol=1e-3)


def test_to_backend_binds_a_model(backend):
    x, _ = data()
    with use_backend("numpy"):
        model = build()
        wanted = model.predict(x)
        assert model.to_backend(backend.name) is model
        np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)
        train(model)
        assert K.backend() == "numpy"


def test_set_backend_moves_what_is_there(backend, fresh_choice):
    x, _ = data()
    set_backend("numpy")
    model = build()
    wanted = model.predict(x)
    set_backend(backend.name)
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)


def test_a_block_chooses_the_device(backend):
    with device("cpu"):
        model = build()
        losses = train(model, epochs=2)
    assert losses[1] < losses[0]


@pytest.mark.backends("torch", "jax", "tensorflow")  # NumPy has one device and takes no notice
def test_an_unknown_device_is_an_error(backend):
    with pytest.raises(KerasFrontError, match="no_such_device"), device("no_such_device"):
        K.constant([1.0])


def test_tensors_of_two_backends_do_not_mix():
    names = wanted_backends()
    if len(names) < 2:
        pytest.skip("needs two backends")
    with use_backend(names[0]):
        foreign = K.constant([1.0, 2.0]) if names[0] != "numpy" else None
    if foreign is None:
        with use_backend(names[1]):
            foreign = K.constant([1.0, 2.0])
    with use_backend("numpy"), pytest.raises(KerasFrontError, match=r"K\.from_dlpack"):
        K.maximum(K.constant([1.0]), foreign)


@pytest.mark.skipif("torch" not in wanted_backends(), reason="needs a second backend")
@pytest.mark.parametrize("to_thread", [False, True])
def test_which_backend_a_thread_of_asyncio_has(to_thread):
    """A pool's thread has the backend of the process, unless the context is passed or the model has its own."""
    model = Sequential([Dense(1, input_shape=(2,))]).to_backend("numpy")

    async def work():
        loop = asyncio.get_running_loop()
        with K.use_backend("torch"):
            if to_thread:
                return await asyncio.to_thread(K.backend)
            context = contextvars.copy_context()
            own = await loop.run_in_executor(None, lambda: (model.predict(np.ones((1, 2))), K.backend())[1])
            return own, await loop.run_in_executor(None, context.run, K.backend)

    before = K.backend()
    assert asyncio.run(work()) == ("torch" if to_thread else (before, "torch"))
    if not to_thread:
        assert model.weights[0]._backend.name == "numpy"
