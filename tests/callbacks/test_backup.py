"""Callbacks around the state of training: backups, running means, checkpoints by batches, columns of CSV files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import set_random_seed, use_backend
from keras_front.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    ModelCheckpoint,
    RemoteMonitor,
    SwapEMAWeights,
)
from keras_front.errors import ArgumentError, ShapeError, StateError
from keras_front.initializers import RandomNormal
from keras_front.layers import BatchNormalization, Dense, Dropout
from keras_front.models import Sequential
from keras_front.optimizers import SGD, Adam

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def compiled(optimizer=None):
    model = Sequential(
        [Dense(4, input_dim=3, kernel_initializer=RandomNormal(seed=1)), Dense(1, kernel_initializer="ones")]
    )
    model.compile(optimizer or Adam(0.05), "mse")
    return model


class Power(Callback):
    """Fails as a process does that is ended."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch, self.now = epoch, batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            raise RuntimeError("no power")

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise RuntimeError("no power")


def train(model, *callbacks, epochs=5):
    return model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks)).history


def test_training_goes_on_where_it_stopped(tmp_path, backend):
    whole = compiled()
    losses = train(whole)["loss"]
    folder = tmp_path / "backup"
    with pytest.raises(RuntimeError, match="no power"):
        train(compiled(), BackupAndRestore(folder), Power(3))
    again = compiled()
    rest = train(again, BackupAndRestore(folder))["loss"]
    np.testing.assert_allclose(rest, losses[3:], rtol=1e-5)
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert int(K.get_value(again.optimizer.iterations)) == 20
    assert not folder.exists()  # training has ended


def test_a_backup_that_is_kept_trains_nothing_more(tmp_path):
    folder = str(tmp_path / "backup")
    first = compiled()
    train(first, BackupAndRestore(folder, delete_checkpoint=False), epochs=2)
    second = compiled()
    assert train(second, BackupAndRestore(folder, delete_checkpoint=False), epochs=2) == {}
    for a, b in zip(second.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(train(second, BackupAndRestore(folder, delete_checkpoint=False), epochs=3)["loss"]) == 1


def test_backups_within_an_epoch(tmp_path):
    folder = tmp_path / "backup"
    model = compiled()
    with pytest.raises(RuntimeError):
        train(model, BackupAndRestore(folder, save_freq=3), Power(1, 1))
    saved = json.loads((folder / "training_metadata.json").read_text())
    assert (saved["epoch"], saved["batch"]) == (1, 1)
    assert len(train(compiled(), BackupAndRestore(folder, save_freq=3))["loss"]) == 4


def test_a_damaged_backup(tmp_path):
    folder = tmp_path / "backup"
    for double in (True, False):
        with pytest.raises(RuntimeError):
            train(compiled(), BackupAndRestore(folder, double_checkpoint=double), Power(3))
        state = json.loads((folder / "training_metadata.json").read_text())["state"]
        (folder / state / "latest.weights.h5").write_bytes(b"half")
        if double:
            assert len(list(folder.glob("state-*"))) == 2
            assert len(train(compiled(), BackupAndRestore(folder, double_checkpoint=True))["loss"]) == 3
        else:
            with pytest.raises((ValueError, OSError)):
                train(compiled(), BackupAndRestore(folder))


def test_wrong_backups(tmp_path):
    with pytest.raises(ArgumentError, match="name of a folder"):
        BackupAndRestore("")
    for freq in ("batch", 0, True, 1.5):
        with pytest.raises(ArgumentError, match="save_freq 'epoch' or a number of batches"):
            BackupAndRestore("x", save_freq=freq)
        with pytest.raises(ArgumentError, match="save_freq 'epoch' or a number of batches"):
            ModelCheckpoint("x", save_freq=freq)


# Running means ------------------------------------------------------------------------------------------------


class Seen(Callback):
    """The weights at the ends of epochs and at evaluations."""

    def __init__(self):
        super().__init__()
        self.at_epoch, self.at_test = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.at_epoch.append(self.model.get_weights()[0])

    def on_test_begin(self, logs=None):
        self.at_test.append(self.model.get_weights()[0])


def means_and_weights(epochs):
    """Plain SGD with a running mean, in NumPy: both after each epoch."""
    momentum, rate, w = 0.5, 0.1, np.ones((3, 1))
    mean, found = w, []
    step = 0
    for _ in range(epochs):
        for i in range(0, 32, 8):
            x, y = X[i : i + 8].astype(float), Y[i : i + 8].astype(float)
            w = w - rate * 2 * x.T @ (x @ w - y) / 8
            mean = w if step == 0 else momentum * mean + (1 - momentum) * w
            step += 1
        found.append((mean, w))
    return found


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_means_take_the_place_of_weights(swap_on_epoch, backend):
    model = Sequential([Dense(1, use_bias=False, input_dim=3, kernel_initializer="zeros")])
    model.set_weights([np.ones((3, 1), "float32")])
    model.compile(SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    seen = Seen()
    kept = {"shuffle": False, "verbose": 0, "batch_size": 8, "validation_data": (X, Y)}
    model.fit(X, Y, epochs=3, callbacks=[SwapEMAWeights(swap_on_epoch), seen], **kept)
    expected = means_and_weights(3)
    for (mean, weight), at_test, at_epoch in zip(expected, seen.at_test, seen.at_epoch, strict=True):
        np.testing.assert_allclose(at_test, mean, rtol=1e-4)
        np.testing.assert_allclose(at_epoch, mean if swap_on_epoch else weight, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], expected[-1][0], rtol=1e-4)  # as `fit` ends with use_ema


def test_means_in_predict_and_evaluate():
    model = compiled(Adam(0.05, use_ema=True))
    seen = Seen()
    model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights(), seen])  # before the first step there are none
    np.testing.assert_array_equal(seen.at_test[0], model.get_weights()[0])
    with pytest.raises(ArgumentError, match="use_ema=True"):
        train(compiled(), SwapEMAWeights())


# Checkpoints, CSV files, a server -----------------------------------------------------------------------------


def test_checkpoints_by_batches(tmp_path):
    model = compiled()
    check = ModelCheckpoint(tmp_path / "deep" / "e{epoch}-b{batch}.weights.h5", save_weights_only=True, save_freq=3)
    train(model, check, epochs=3)  # 4 batches an epoch
    names = sorted(path.name for path in (tmp_path / "deep").iterdir())
    assert names == ["e1-b3.weights.h5", "e2-b2.weights.h5", "e3-b1.weights.h5", "e3-b4.weights.h5"]


def test_a_threshold_for_the_best(tmp_path):
    check = ModelCheckpoint(tmp_path / "best.h5", "loss", save_best_only=True, initial_value_threshold=1e-9)
    train(compiled(), check)
    assert not (tmp_path / "best.h5").exists()
    check = ModelCheckpoint(tmp_path / "best.h5", "loss", save_best_only=True, initial_value_threshold=1e9, save_freq=2)
    train(compiled(), check)
    assert (tmp_path / "best.h5").exists()
    assert check.best < 1e9


def rows(path, **kwargs):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, **kwargs))


def test_columns_of_rare_validation(tmp_path):
    path = tmp_path / "log.csv"
    fit = {"batch_size": 8, "verbose": 0, "validation_data": (X, Y), "validation_freq": 2}
    history = compiled().fit(X, Y, epochs=4, callbacks=[CSVLogger(path)], **fit).history
    found = rows(path)
    assert [row["val_loss"] == "NA" for row in found] == [True, False, True, False]
    np.testing.assert_allclose([float(row["val_loss"]) for row in found[1::2]], history["val_loss"])
    np.testing.assert_allclose([float(row["loss"]) for row in found], history["loss"])


def test_columns_of_a_file_that_goes_on(tmp_path):
    path = str(tmp_path / "log.csv")
    model = compiled()
    model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[CSVLogger(path, separator=";")])
    train(model, CSVLogger(path, separator=";", append=True), epochs=2)
    found = rows(path, delimiter=";")
    assert [row["epoch"] for row in found] == ["0", "0", "1"]
    assert [row["val_loss"] == "NA" for row in found] == [False, True, True]


@pytest.mark.parametrize("as_json", [False, True])
def test_values_at_a_server(as_json, file_server):
    from urllib.parse import parse_qs

    monitor = RemoteMonitor(file_server.url, "/epochs/", field="values", headers={"X-Key": "k"}, send_as_json=as_json)
    losses = train(compiled(), monitor, epochs=2)["loss"]
    assert len(file_server.posted) == 2
    for epoch, (path, headers, body) in enumerate(file_server.posted):
        assert path == "/epochs/"
        assert headers["X-Key"] == "k"
        text = body.decode() if as_json else parse_qs(body.decode())["values"][0]
        assert json.loads(text) == {"epoch": epoch, "loss": pytest.approx(losses[epoch])}


def test_a_model_without_weights(tmp_path):
    model = Sequential([Dense(1)])
    callback = BackupAndRestore(tmp_path)
    callback.set_model(model)
    with pytest.raises(StateError, match="must be built"):
        callback.on_train_begin()


# Going on elsewhere -------------------------------------------------------------------------------------------


def noisy(rate=0.05):
    """A model with all that a step carries: slots, noise, batch statistics, a metric with a state of its own."""
    model = Sequential([Dense(4, use_bias=False, input_dim=3), BatchNormalization(), Dropout(0.5), Dense(1)])
    model.set_weights([np.full(w.shape, 0.5, "float32") for w in model.weights])
    model.compile(Adam(rate), "mse", metrics=["mae"])
    return model


def train_shuffled(model, *callbacks, **kwargs):
    return model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=list(callbacks), **kwargs).history


@pytest.mark.slow
@pytest.mark.few_compiled(1)
@pytest.mark.parametrize(("save_freq", "stop"), [(3, (1, 3)), ("epoch", (2, 1)), (1, (2, 3))])
def test_training_goes_on_on_another_backend(tmp_path, backend, save_freq, stop):
    """Begun on NumPy, broken off, gone on with here, with the numbers of a training that nobody interrupted."""
    with use_backend("numpy"):
        set_random_seed(3, reproducible=True)
        whole = noisy()
        losses = train_shuffled(whole)
        set_random_seed(3, reproducible=True)
        with pytest.raises(RuntimeError, match="no power"):
            train_shuffled(noisy(), BackupAndRestore(tmp_path, save_freq), Power(*stop))
    set_random_seed(4, reproducible=True)  # what counts is the backup
    again = noisy(rate=1.0)
    rest = train_shuffled(again, resume=BackupAndRestore(tmp_path, save_freq))
    for name in ("loss", "mae"):
        np.testing.assert_allclose(rest[name], losses[name][-len(rest[name]) :], rtol=1e-4)
    assert len(rest["loss"]) == 4 - stop[0]
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_streams_go_on_within_an_epoch(tmp_path):
    def batches():
        while True:
            yield from ((X[i : i + 8], Y[i : i + 8]) for i in range(0, 32, 8))

    def stream(model, *callbacks, **kwargs):
        fit = {"steps_per_epoch": 4, "epochs": 3, "verbose": 0}
        return model.fit(batches(), callbacks=list(callbacks), **fit, **kwargs).history["loss"]

    losses = stream(compiled())
    with pytest.raises(RuntimeError):
        stream(compiled(), BackupAndRestore(tmp_path, 2), Power(1, 2))
    np.testing.assert_allclose(stream(compiled(), resume=tmp_path), losses[1:], rtol=1e-5)


def test_wrong_resumption(tmp_path):
    with pytest.raises(ArgumentError, match="resume to be a folder or a BackupAndRestore, received True"):
        train_shuffled(compiled(), resume=True)
    with pytest.raises(RuntimeError):
        train_shuffled(compiled(), BackupAndRestore(tmp_path), Power(1))
    with pytest.raises(ShapeError, match="of another model or optimizer: expected"):
        train_shuffled(compiled(SGD(0.1)), resume=tmp_path)
