"""How steps run: `run_eagerly`, `steps_per_execution`, `jit_compile`, and bounds for quick runs of whole programs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks, config
from keras_front.errors import ArgumentError, ConfigError
from keras_front.layers import BatchNormalization, Dense, Dropout, GaussianNoise, Layer
from keras_front.models import Model, Sequential, load_model
from keras_front.utils import set_random_seed


class Watched(Layer):
    """Notes each run of its `call`, and whether it met values."""

    def call(self, x):
        self.__dict__.setdefault("seen", []).append(not K.is_symbolic(x))
        return x


def data(n=12):
    generator = np.random.default_rng(1)
    return generator.normal(size=(n, 3)).astype("float32"), generator.normal(size=(n, 1)).astype("float32")


def net(**arguments):
    K.reset_uids()
    watched = Watched(input_shape=(3,))
    model = Sequential([watched, Dense(4, activation="tanh", kernel_initializer="ones"), BatchNormalization(),
                        Dense(1, kernel_initializer="ones")])  # fmt: skip
    model.compile("adam", "mse", ["mae"], **arguments)
    return model, watched


@pytest.mark.engine_neutral
def test_python_code_runs_at_each_step_with_run_eagerly(backend):
    x, y = data()
    model, watched = net(run_eagerly=True)
    assert model.run_eagerly
    model.fit(x, y, batch_size=4, verbose=0)
    watched.seen.clear()
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert len(watched.seen) >= 6
    assert any(watched.seen) == backend.differentiates
    for run, steps in ((lambda: model.evaluate(x, y, 4, verbose=0), 3), (lambda: model.predict(x, 4), 3),
                       (lambda: model.train_on_batch(x, y), 1), (lambda: model.predict_on_batch(x), 1)):  # fmt: skip
        run()
        watched.seen.clear()
        run()
        assert steps <= len(watched.seen) <= steps + 1


def test_run_eagerly_gives_the_same_numbers(backend):
    x, y = data()
    found = []
    for eagerly in (False, True):
        model = net(run_eagerly=eagerly)[0]
        history = model.fit(x, y, batch_size=5, epochs=2, shuffle=False, verbose=0, validation_data=(x, y)).history
        found.append([*history.values(), *model.get_weights(), model.predict(x), model.evaluate(x, y, verbose=0)])
    for compiled, eager in zip(*found, strict=True):
        np.testing.assert_allclose(eager, compiled, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("reproducible", [False, True])
def test_run_eagerly_draws_the_noise_of_compiled_steps(backend, reproducible):
    x, y = data()
    found = []
    for eagerly in (False, True):
        set_random_seed(3, reproducible=reproducible)
        model = Sequential([Dropout(0.5, input_shape=(3,)), GaussianNoise(0.1), Dropout(0.2), Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        model.fit(x, y, batch_size=6, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights()[0])
    np.testing.assert_allclose(found[1], found[0], rtol=2e-5, atol=1e-6)


def test_run_eagerly_may_be_set_after_compile(backend):
    x, y = data()
    model, watched = net()
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    model.predict(x)
    for eagerly in (True, False):
        model.run_eagerly = eagerly
        model.train_on_batch(x, y)
        model.predict(x)
        watched.seen.clear()
        model.train_on_batch(x, y)
        model.predict(x)
        assert len(watched.seen) == 2 * eagerly


def test_a_train_step_of_its_own_runs_eagerly(backend):
    met = []

    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            met.append(not K.is_symbolic(data[0]))
            return super().train_step(data)

    x, y = data()
    model = Own()
    model.compile("sgd", "mse", run_eagerly=True)
    losses = model.fit(x, y, batch_size=4, epochs=3, verbose=0).history["loss"]
    assert len(met) >= 9
    assert losses[-1] < losses[0]


def test_noise_differs_from_step_to_step_when_steps_run_eagerly(backend):
    x = np.ones((1, 64), "float32")
    model = Sequential([Dense(64, input_shape=(64,), kernel_initializer="identity"), Dropout(0.5)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.optimizer.learning_rate = 0.0
    assert len({round(float(model.train_on_batch(x, 0 * x)), 6) for _ in range(6)}) > 1


class Hooks(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        assert np.isfinite(logs["loss"])
        self.calls.append(("end", batch))

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append(("test", batch))

    def on_predict_batch_begin(self, batch, logs=None):
        self.calls.append(("predict", batch))


def stream(x, y, size):
    while True:
        for i in range(0, len(x), size):
            yield x[i : i + size], y[i : i + size]


@pytest.mark.parametrize("as_stream", [False, True])
def test_batch_hooks_are_called_once_for_each_execution(backend, as_stream):
    """As tf_keras 2.21 calls them: seven batches by three are 0 to 2, 3 to 5 and 6."""
    x, y = data(14)
    model, _ = net(steps_per_execution=3)
    hooks = Hooks()
    if as_stream:
        model.fit(stream(x, y, 2), steps_per_epoch=7, verbose=0, callbacks=[hooks])
    else:
        model.fit(x, y, batch_size=2, verbose=0, callbacks=[hooks])
    assert hooks.calls == [("begin", 0), ("end", 2), ("begin", 3), ("end", 5), ("begin", 6), ("end", 6)]
    hooks.calls.clear()
    model.evaluate(x, y, 2, verbose=0, callbacks=[hooks])
    model.predict(x, 2, callbacks=[hooks])
    assert hooks.calls == [("test", 2), ("test", 5), ("test", 6), ("predict", 0), ("predict", 3), ("predict", 6)]


def test_steps_per_execution_changes_no_numbers(backend):
    x, y = data(14)
    found = []
    for steps in (1, 4, "auto"):
        model = net(steps_per_execution=steps)[0]
        losses = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
        found.append([losses, *model.get_weights(), model.predict(x, 2)])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("arguments", [{"steps_per_execution": 0}, {"steps_per_execution": "many"},
                                       {"jit_compile": "yes"}, {"jit_compile": 2}])  # fmt: skip
def test_arguments_that_mean_nothing_are_refused(backend, arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        net(**arguments)


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_how_steps_run_is_saved(backend, tmp_path, suffix):
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", run_eagerly=True, steps_per_execution=5, jit_compile=False, auto_scale_loss=False)
    model.save(tmp_path / f"m.{suffix}")
    read = load_model(tmp_path / f"m.{suffix}")
    assert (read.run_eagerly, read.steps_per_execution, read.jit_compile) == (True, 5, False)
    model.compile("sgd", "mse")
    model.save(tmp_path / f"n.{suffix}")
    read = load_model(tmp_path / f"n.{suffix}")
    assert (read.run_eagerly, read.steps_per_execution, read.jit_compile) == (False, 1, "auto")


# Bounds ------------------------------------------------------------------------------------------------------


class Counted(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.counts = {"train": 0, "test": 0, "predict": 0, "epoch": 0}

    def on_epoch_end(self, epoch, logs=None):
        self.counts["epoch"] += 1

    def on_train_batch_end(self, batch, logs=None):
        self.counts["train"] += 1

    def on_test_batch_end(self, batch, logs=None):
        self.counts["test"] += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.counts["predict"] += 1


@pytest.mark.parametrize("as_stream", [False, True])
def test_epochs_and_steps_are_bounded(backend, monkeypatch, as_stream):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "2")
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "3")
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
    x, y = data(14)
    model, counted = net()[0], Counted()
    given = {"x": stream(x, y, 2), "steps_per_epoch": 7} if as_stream else {"x": x, "y": y, "batch_size": 2}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(**given, epochs=9, verbose=0, validation_data=(x, y), validation_batch_size=2, callbacks=[counted])
    assert any("Limiting epochs to 2" in str(w.message) for w in told)
    assert counted.counts == {"train": 6, "test": 6, "predict": 0, "epoch": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.evaluate(x, y, 2, verbose=0, callbacks=[counted])
        assert model.predict(x, 2, callbacks=[counted]).shape == (6, 1)
    assert counted.counts == {"train": 6, "test": 9, "predict": 3, "epoch": 2}
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(0)
    assert len(model.fit(x, y, epochs=3, verbose=0).history["loss"]) == 3
    assert model.predict(x, 2).shape == (14, 1)


def test_a_bounded_epoch_takes_its_batches_from_all_samples(backend):
    config.set_max_steps_per_epoch(1)
    x = np.eye(32, dtype="float32")
    model = Sequential([Dense(1, input_shape=(32,), kernel_initializer="zeros", use_bias=False)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 1"):
        model.fit(x, np.ones((32, 1)), batch_size=2, epochs=12, verbose=0)
    assert 2 < np.count_nonzero(model.get_weights()[0]) <= 24


def test_a_bound_that_means_nothing_is_refused(backend):
    with pytest.raises(ConfigError, match="set_max_epochs"):
        config.set_max_epochs("some")
    with pytest.raises(ConfigError, match="max_steps_per_epoch"):
        config.set_max_steps_per_epoch(-1)


def test_verbose_auto_shows_a_progress_bar(backend, capsys):
    x, y = data()
    model = net()[0]
    for run in (lambda: model.fit(x, y, verbose="auto"), lambda: model.evaluate(x, y, verbose="auto"),
                lambda: model.predict(x, verbose="auto")):  # fmt: skip
        run()
        assert capsys.readouterr().out
    with pytest.raises(ArgumentError, match="verbose"):
        model.predict(x, verbose="loud")
