"""Each callback by itself, with a stand-in for the model."""

from __future__ import annotations

import csv
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from keras_front import callbacks as C
from keras_front.errors import ArgumentError
from keras_front.layers import Dense
from keras_front.models import Sequential


class Rate:
    def __init__(self, value):
        self.value = value

    def numpy(self):
        return np.float32(self.value)

    def assign(self, value):
        self.value = value


class FakeModel:
    def __init__(self):
        self.stop_training = False
        self.optimizer = SimpleNamespace(lr=Rate(0.5))
        self.weights, self.saved = [0], []

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite):
        self.saved.append(path)

    def save_weights(self, path, overwrite):
        self.saved.append(("weights", path))


def run(callback, values, name="val_loss", model=None):
    """Feed `values` as epochs until the callback stops training; the model."""
    model = model or FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.weights = [epoch]
        callback.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return model


def test_history_keeps_every_epoch_and_both_spellings():
    history = C.History()
    history.on_train_begin()
    history.on_epoch_end(2, {"loss": 1.0, "accuracy": 0.5})
    history.on_epoch_end(3, {"loss": 0.5, "accuracy": 0.7, "val_accuracy": 0.6})
    assert history.epoch == [2, 3]
    assert history.history["acc"] == history.history["accuracy"] == [0.5, 0.7]
    assert history.history["val_acc"] == [0.6]
    with pytest.raises(KeyError, match="mae"):
        history.history["mae"]


def test_base_logger_averages_by_samples():
    logger, logs = C.BaseLogger(stateful_metrics=["acc"]), {}
    logger.set_params({"metrics": ["loss", "acc"]})
    logger.on_epoch_begin(0)
    logger.on_batch_end(0, {"size": 3, "loss": 1.0, "acc": 0.1})
    logger.on_batch_end(1, {"size": 1, "loss": 5.0, "acc": 0.2})
    logger.on_epoch_end(0, logs)
    assert logs == {"loss": 2.0, "acc": 0.2}


@pytest.mark.parametrize(
    ("arguments", "values", "stopped"),
    [
        ({"patience": 1}, [3, 2, 2, 1], 2),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1], 5),
        ({"patience": 0}, [3, 4], 1),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 1], 1),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 5], 2),
        ({"patience": 2, "baseline": 1.0}, [3, 2, 0.5], 1),
        ({"patience": 1, "start_from_epoch": 2}, [3, 4, 5, 6], 3),
    ],
)
def test_early_stopping(arguments, values, stopped):
    callback = C.EarlyStopping(**arguments)
    assert run(callback, values).stop_training
    assert callback.stopped_epoch == stopped


def test_early_stopping_restores_the_best_weights():
    model = run(C.EarlyStopping(patience=2, restore_best_weights=True), [3, 1, 2, 2, 2])
    assert model.weights == [1]


def test_early_stopping_warns_of_a_value_that_is_not_there():
    with pytest.warns(RuntimeWarning, match="expected the value 'val_loss', but this epoch has loss"):
        run(C.EarlyStopping(), [1], name="loss")


def test_terminate_on_nan(capsys):
    callback = C.TerminateOnNaN()
    callback.set_model(FakeModel())
    callback.on_batch_end(0, {"loss": 1.0})
    assert not callback.model.stop_training
    callback.on_batch_end(1, {"loss": float("nan")})
    assert callback.model.stop_training
    assert "Batch 1: Invalid loss" in capsys.readouterr().out


def test_learning_rate_scheduler_takes_one_or_two_arguments():
    model = run(C.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)), [0, 0])
    assert model.optimizer.lr.value == pytest.approx(0.05)
    model = run(C.LearningRateScheduler(lambda epoch, rate: rate / 2), [0, 0])
    assert model.optimizer.lr.value == pytest.approx(0.125)


def test_learning_rate_scheduler_names_what_it_expected():
    with pytest.raises(ArgumentError, match="expected `schedule` to return a number, received None"):
        run(C.LearningRateScheduler(lambda epoch: None), [0])


def test_reduce_on_plateau():
    model = run(C.ReduceLROnPlateau(factor=0.1, patience=2), [3, 3, 3, 3])
    assert model.optimizer.lr.value == pytest.approx(0.05)
    model = run(C.ReduceLROnPlateau(factor=0.1, patience=1, cooldown=2, min_lr=0.2), [3] * 9)
    assert model.optimizer.lr.value == pytest.approx(0.2)
    with pytest.raises(ArgumentError, match="expected a factor below 1"):
        C.ReduceLROnPlateau(factor=1.5)


def test_a_checkpoint_says_what_it_saves_in_one_line(capsys):
    run(C.ModelCheckpoint("m.h5", save_best_only=True, verbose=1), [3, 4])
    run(C.ModelCheckpoint("m.h5", verbose=1), [3])
    assert capsys.readouterr().out.splitlines() == [
        "",
        "Epoch 00001: val_loss improved from inf to 3.00000, saving model to m.h5",
        "",
        "Epoch 00002: val_loss did not improve from 3.00000",
        "",
        "Epoch 00001: saving model to m.h5",
    ]


def test_checkpoint_fills_in_names_and_keeps_the_best():
    model = run(C.ModelCheckpoint("m{epoch:02d}-{val_loss:.1f}.h5"), [3, 2])
    assert model.saved == ["m01-3.0.h5", "m02-2.0.h5"]
    model = run(C.ModelCheckpoint("m", save_best_only=True, save_weights_only=True), [3, 4, 2])
    assert model.saved == [("weights", "m"), ("weights", "m")]
    assert run(C.ModelCheckpoint("m{epoch}", period=2), [3, 4, 2]).saved == ["m2"]
    model = run(C.ModelCheckpoint("{val_acc:.1f}", monitor="val_acc"), [0.5], name="val_accuracy")
    assert model.saved == ["0.5"]


def test_checkpoint_says_which_name_is_missing():
    with pytest.raises(ArgumentError, match="names 'val_acc', but this epoch has epoch, val_loss"):
        run(C.ModelCheckpoint("m{val_acc}.h5"), [1])


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    run(C.CSVLogger(path), [1.5, np.float32(2.5)])
    run(C.CSVLogger(path, append=True), [3.5])
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["epoch", "val_loss"], ["0", "1.5"], ["1", "2.5"], ["0", "3.5"]]


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(as_json):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    run(C.RemoteMonitor(root=root, send_as_json=as_json), [np.float32(1.5)])
    server.server_close()
    path, kind, body = received[0]
    assert path == "/publish/epoch/end/"
    if as_json:
        assert kind == "application/json"
        assert json.loads(body) == {"epoch": 0, "val_loss": 1.5}
    else:
        assert body.startswith(b"data=%7B%22epoch%22")


def test_remote_monitor_without_a_server_only_warns():
    with pytest.warns(UserWarning, match="could not reach"):
        run(C.RemoteMonitor(root="http://127.0.0.1:9"), [1.0])


def test_logs_answer_to_both_spellings_of_an_accuracy():
    seen = []

    class Look(C.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["acc"] == logs["accuracy"], logs.get("val_acc"), logs.get("auc", 7), sorted(logs)))
            with pytest.raises(KeyError):
                logs["auc"]

    model = Sequential([Dense(1, input_dim=2)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    x = np.ones((4, 2))
    model.fit(x, x[:, :1], validation_data=(x, x[:, :1]), verbose=0, callbacks=[Look()])
    ((same, value, missing, names),) = seen
    assert same
    assert value is not None
    assert missing == 7
    assert names == ["accuracy", "loss", "val_accuracy", "val_loss"]


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor_posts_by_requests_where_the_program_has_it(as_json, monkeypatch):
    posted = []
    requests = SimpleNamespace(post=lambda *args, **kwargs: posted.append((args, kwargs)))
    monkeypatch.setitem(sys.modules, "requests", requests)
    monitor = C.RemoteMonitor(headers={"X-Key": "k"}, send_as_json=as_json)
    monitor.on_epoch_end(0, {"loss": np.float32(0.5), "one": np.arange(1), "two": np.arange(2)})
    values = {"epoch": 0, "loss": 0.5, "one": 0, "two": [0, 1]}
    address, headers = "http://localhost:9000/publish/epoch/end/", {"X-Key": "k"}
    if as_json:
        assert posted == [((address,), {"json": values, "headers": headers})]
    else:
        assert posted == [((address, {"data": json.dumps(values)}), {"headers": headers})]
    requests.post = lambda *args, **kwargs: open("/no/such/file")  # as its errors, an OSError
    with pytest.warns(UserWarning, match="could not reach"):
        monitor.on_epoch_end(1, {})
