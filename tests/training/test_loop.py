"""What the loops promise: nothing is lost, nothing grows, nothing is done twice."""

from __future__ import annotations

import _thread
import copy
import gc
import signal
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks as C
from keras_front import layers as L
from keras_front import optimizers
from keras_front.backend import tables
from keras_front.models import Model, Sequential
from keras_front.training import fit_loop as loops
from keras_front.training.batch_loop import CollectedOutputs
from keras_front.training.steps import dispatch
from keras_front.training.steps.dispatch import DispatchTuner


@pytest.fixture
def longer(data):
    x, y = data
    return np.tile(x, (50, 1)), np.tile(y, (50, 1))


@pytest.fixture
def hears_ctrl_c():
    """Python's own handler, also where the tests run in the background, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_between_steps_keeps_the_weights(backend, make_model, longer, hears_ctrl_c):
    model = make_model()
    model.fit(*longer, batch_size=100, epochs=1, verbose=0)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*longer, batch_size=4, epochs=10_000, verbose=0)
    timer.join()
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.fit(*longer, batch_size=100, epochs=1, verbose=0).history["loss"]


@pytest.mark.parametrize("chunk", [0, 4])
def test_several_steps_in_one_dispatch_are_the_same_steps(backend, make_model, data, monkeypatch, chunk):
    monkeypatch.setattr(DispatchTuner, "steps", lambda self, in_epoch: chunk if in_epoch >= chunk else 0)
    K.set_random_seed(3)
    model = make_model(optimizers.Adam(0.01))
    got = model.fit(*data, batch_size=6, epochs=2, verbose=0).history
    monkeypatch.undo()
    K.set_random_seed(3)
    plain = make_model(optimizers.Adam(0.01))
    expected = plain.fit(*data, batch_size=6, epochs=2, verbose=0).history
    np.testing.assert_allclose(got["loss"], expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(got["accuracy"], expected["accuracy"], rtol=1e-5)
    for a, b in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 3, 8])
def test_batches_in_one_dispatch_are_the_same_batches(backend, make_model, data, monkeypatch, chunk):
    """40 samples in batches of 6: six whole ones, whatever goes together, and a last one of 4."""
    model, (x, y) = make_model(), data
    watch = C.LambdaCallback()
    watch.on_test_batch_end = watch.on_predict_batch_end = lambda batch, logs=None: None  # one by one
    expected = model.evaluate(x, y, batch_size=6, verbose=0, callbacks=[watch])
    outputs = model.predict(x, batch_size=6, callbacks=[watch])
    monkeypatch.setattr(DispatchTuner, "steps", lambda self, left: min(left, chunk))
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=6, verbose=0), expected, rtol=1e-5)
    found = model.predict(x, batch_size=6)
    np.testing.assert_allclose(found, outputs, rtol=1e-5)
    found[0] = 5.0  # it belongs to the caller


def test_each_shape_of_batch_has_its_own_step(backend):
    """Batches of two lengths in turn, one length with a smaller last batch: the numbers of single steps."""

    def make():
        model = Sequential([L.Conv1D(4, 2, input_shape=(None, 3)), L.GlobalAveragePooling1D(), L.Dense(1)])
        model.compile("sgd", "mse")
        return model

    rng = np.random.RandomState(0)
    sets = [(rng.randn(n, t, 3).astype("float32"), rng.randn(n, 1).astype("float32")) for n, t in ((12, 5), (10, 9))]
    one, other = make(), make()
    other.set_weights(one.get_weights())
    for _ in range(2):
        for x, y in sets:
            one.fit(x, y, batch_size=4, shuffle=False, verbose=0)
            for i in range(0, len(x), 4):
                other.train_on_batch(x[i : i + 4], y[i : i + 4])
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_the_tuner_fills_a_dispatch_and_measures_some():
    class Engine:
        blocked = 0

        def block(self, values):
            self.blocked += 1

    tuner = DispatchTuner(Engine(), supported=True)
    assert tuner.steps(100) == 1  # compiles
    tuner.finished(tuner.started(), 1, None)
    assert tuner.steps(100) == 8
    assert tuner.steps(5) == 5
    tuner.finished(time.perf_counter() - 8 * 1e-3, 8, None)
    assert 10 <= tuner.steps(100) <= 20
    tuner.finished(time.perf_counter() - 8 * 1e-1, 8, None)  # the machine was busy
    assert 10 <= tuner.steps(100) <= 20
    for _ in range(5):
        tuner.finished(time.perf_counter() - 16 * 1e-3, 16, None)
    assert tuner.engine.blocked == 1 + dispatch.MEASURED
    tuner.each = 1.0
    assert tuner.steps(100) == 1
    tuner.each = 1e-6
    assert tuner.steps(1000) == dispatch.LIMIT
    assert DispatchTuner(Engine(), supported=False).steps(100) == 0


def test_data_too_large_for_the_device_comes_batch_by_batch(backend, make_model, data, monkeypatch):
    a, b = make_model(), make_model()
    b.set_weights(a.get_weights())
    a.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    monkeypatch.setattr(loops, "DEVICE_LIMIT", 0)
    b.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(a.get_weights()[0], b.get_weights()[0], rtol=1e-5)


def test_data_in_a_file(tmp_path, make_model, data):
    h5py = pytest.importorskip("h5py")
    a, b = make_model(), make_model()
    b.set_weights(a.get_weights())
    a.fit(*data, batch_size=8, epochs=1, shuffle=False, verbose=0)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        x, y = file.create_dataset("x", data=data[0]), file.create_dataset("y", data=data[1])
        b.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
        np.testing.assert_allclose(a.get_weights()[0], b.get_weights()[0], rtol=1e-5)
        b.fit(x, y, batch_size=8, epochs=1, shuffle="batch", verbose=0)
        np.testing.assert_allclose(b.evaluate(x, y, verbose=0), b.evaluate(*data, verbose=0), rtol=1e-5)
        np.testing.assert_allclose(b.predict(x, batch_size=8), b.predict(data[0]), rtol=1e-5)


def test_sparse_matrices_are_made_dense_batch_by_batch(backend, make_model, data):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    x, y = np.where(data[0] > 0, data[0], 0), data[1]
    as_coo, results = scipy_sparse.coo_matrix(x), []
    model = make_model()
    weights = model.get_weights()
    for given in (x, as_coo):
        model.set_weights(weights)
        history = model.fit(given, y, batch_size=8, epochs=2, shuffle=False, validation_split=0.25, verbose=0).history
        results.append([*history["loss"], *history["val_loss"], *model.train_on_batch(given, y)])
        results[-1] += [*model.test_on_batch(given, y), *model.evaluate(given, y, verbose=0)]
        results[-1] += [model.predict(given, batch_size=8).sum(), model.predict_on_batch(given).sum()]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


@pytest.mark.backends("numpy")
def test_memory_does_not_grow(backend, make_model, data):
    model, (x, y) = make_model(), data

    def use():
        model.fit(x, y, batch_size=16, epochs=1, verbose=0)
        model.predict(x[:1])
        model.predict(x, batch_size=16)
        model.evaluate(x, y, verbose=0)
        model.train_on_batch(x, y)

    for _ in range(20):
        use()
    gc.collect()
    tracemalloc.start()
    for _ in range(5):
        use()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        use()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 40_000


def test_ever_new_shapes_do_not_fill_the_memory_and_known_ones_stay(make_model, monkeypatch):
    monkeypatch.setattr(tables, "ENTRIES", 8)
    model = make_model()
    model.predict(np.zeros((1, 6), "float32"))
    calls, known = model._prediction, 0
    for n in [*range(1, 10)] * 20:  # one more than there is room for, in turn
        known += calls.known("predict", np.zeros((n, 6))) is not None
        calls._keep("predict", (np.zeros((n, 6)),), lambda x: x)
        assert len(calls._calls) <= 8
    assert known > 90  # of 180


def calls_of(function):
    """How many Python functions a call of `function` enters."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.backends("numpy")
def test_a_known_batch_takes_few_calls(backend, make_model, data):
    """Python calls, a figure that a busy machine does not change."""
    model, (x, y) = make_model(), data
    one = x[:1]
    for _ in range(2):
        model.train_on_batch(x, y)
        model.predict(one)
    assert calls_of(lambda: model.train_on_batch(x, y)) < 85
    assert calls_of(lambda: model.predict(one)) < 40


@pytest.mark.backends("numpy")
def test_a_step_of_fit_takes_few_calls(backend, make_model, longer):
    model = make_model()
    x, y = longer
    run = {n: calls_of(lambda n=n: model.fit(x[:n], y[:n], batch_size=10, verbose=0)) for n in (2000, 1000, 2000)}
    assert (run[2000] - run[1000]) / 100 < 25


def test_a_copy_of_a_model_trains_by_itself(make_model, data):
    model = make_model("adam")
    model.fit(*data, epochs=1, verbose=0)
    model.predict(data[0])
    other, before = copy.deepcopy(model), model.get_weights()
    other.fit(*data, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert (other.get_weights()[0] != before[0]).any()
    assert other.optimizer is not model.optimizer


# Layers with a state, noise in predictions ---------------------------------------------------------------------


def test_dropout_that_is_always_on_draws_anew(backend):
    x = L.Input((50,))
    model = Model(x, L.Dropout(0.5)(x, training=True))
    ones = np.ones((1, 50), "float32")
    drawn = [model.predict(ones) for _ in range(3)]
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[1] != drawn[2]).any()
    many = model.predict(np.ones((64, 50), "float32"), batch_size=32)
    assert (many[:32] != many[32:]).any()


@pytest.mark.backends("numpy")
def test_a_fixed_learning_phase_counts(backend):
    model = Sequential([L.Dropout(0.5, input_shape=(50,))])
    ones = np.ones((1, 50), "float32")
    assert (model.predict(ones) == 1).all()
    with K.phase(1):
        assert (model.predict(ones) != 1).any()
    assert (model.predict(ones) == 1).all()


def test_states_go_on_from_batch_to_batch(backend):
    if not hasattr(L, "LSTM"):
        pytest.skip("needs the layer LSTM")
    model = Sequential([L.LSTM(3, stateful=True, batch_input_shape=(2, 4, 3)), L.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.RandomState(0).randn(4, 4, 3).astype("float32")
    first, second = (model.predict(x[:2], batch_size=2) for _ in range(2))
    assert (first != second).any()
    model.reset_states()
    np.testing.assert_allclose(model.predict(x[:2], batch_size=2), first, rtol=1e-5)
    model.fit(x, np.zeros((4, 1)), batch_size=2, epochs=1, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match="made for batches of 2 samples"):
        model.fit(x[:3], np.zeros((3, 1)), batch_size=2)


# Callbacks on real models --------------------------------------------------------------------------------------


def test_callbacks_change_the_rate_and_keep_files(backend, make_model, data, tmp_path):
    model = make_model(optimizers.SGD(1.0))
    watched = [
        C.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1)),
        C.ModelCheckpoint(str(tmp_path / "{epoch}-{val_loss:.2f}.h5"), save_weights_only=True),
        C.CSVLogger(str(tmp_path / "log.csv")),
        C.TerminateOnNaN(),
    ]
    history = model.fit(*data, epochs=3, validation_split=0.2, verbose=0, callbacks=watched).history
    np.testing.assert_allclose(history["lr"], [0.5, 0.25, 0.5 / 3], rtol=1e-6)
    assert len(list(tmp_path.glob("*-*.h5"))) == 3
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4


def test_terminate_on_nan(backend, make_model, data, capsys):
    x, y = data
    history = make_model(loss="mse").fit(x * np.nan, y, epochs=5, verbose=0, callbacks=[C.TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert "Batch 0: Invalid loss" in capsys.readouterr().out


def test_best_weights_come_back(backend, make_model, data):
    model, kept = make_model(optimizers.SGD(50.0)), []
    hooks = [
        C.LambdaCallback(on_epoch_end=lambda *_: kept.append(model.get_weights())),
        C.EarlyStopping("loss", patience=1, mode="max", restore_best_weights=True),
    ]
    history = model.fit(*data, epochs=20, verbose=0, callbacks=hooks).history["loss"]
    best = kept[int(np.argmax(history))]
    if len(history) < 20:
        for got, expected in zip(model.get_weights(), best):
            np.testing.assert_array_equal(got, expected)


def test_a_callback_called_at_intervals_gets_running_means(make_model, longer):
    class Watch(C.Callback):
        refresh_every = 0.0

        def __init__(self):
            super().__init__()
            self.seen = []

        def on_batch_end(self, batch, logs=None):
            self.seen.append((batch, logs["seen"], logs["loss"]))

    watch = Watch()
    model = make_model()
    model.fit(*longer, batch_size=100, epochs=1, verbose=0, callbacks=[watch])
    assert watch.seen[0][:2] == (0, 100)
    assert [entry[1] for entry in watch.seen] == list(range(100, 2100, 100))
    assert all(np.isfinite(entry[2]) for entry in watch.seen)


def test_predictions_are_collected_whatever_their_shape():
    collected = CollectedOutputs(5)
    for n in (2, 2, 1):
        collected.add([np.full((n, 3), n), np.full((n,), n)])
    first, second = collected.arrays()
    assert first[:, 0].tolist() == second.tolist() == [2, 2, 2, 2, 1]
    unknown = CollectedOutputs(None)
    unknown.add([np.zeros((2, 3))])
    unknown.add([np.ones((1, 3))])
    assert unknown.arrays()[0].shape == (3, 3)


def test_predictions_may_be_written_to(backend, make_model, data):
    found = make_model().predict(data[0][:2])
    found[0] = 5.0
    assert found.flags.writeable


def test_threads_may_predict_with_one_model(backend, make_model, data):
    model, x = make_model(), data[0]
    expected = model.predict(x)
    failures = []

    def work():
        from keras_front.backend import discovery

        with discovery.use_backend(backend.name):
            for _ in range(20):
                if not np.allclose(model.predict(x), expected, rtol=1e-5):
                    failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
