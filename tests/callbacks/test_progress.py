"""The progress bar, on a terminal and in a log file."""

from __future__ import annotations

import io
import os
import re
import select
import sys
import types

import numpy as np
import pytest

from keras_front import dialect, layers, models
from keras_front.callbacks import Callback, ProgbarLogger
from keras_front.errors import ArgumentError
from keras_front.utils.messages import disable_interactive_logging, enable_interactive_logging
from keras_front.utils.notebook import notebook_output
from keras_front.utils.progbar import Progbar, clock, long_task, readable
from keras_front.utils.terminal import Span, cut, painted


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_line_is_redrawn_and_then_ended():
    out = Terminal()
    bar = Progbar(4, width=8, interval=0, stream=out)
    bar.update(1, [("loss", 1.0)])
    bar.update(4, [("loss", 0.0)])
    first, last = out.getvalue().split("\r")[1:]
    assert first.startswith("1/4 [=>......] - ETA: 0s - loss: 1.0000")
    assert last.startswith("4/4 [========] - 0s ")
    assert last.rstrip(" \n").endswith("/step - loss: 0.2500")
    assert last.endswith("\n")
    assert out.getvalue().count("\n") == 1


def test_a_shorter_line_covers_the_longer_one():
    out = Terminal()
    bar = Progbar(None, interval=0, stream=out)
    bar.update(1, [("a_long_name", 1.0)])
    bar.update(2)
    widths = [len(line) for line in out.getvalue().split("\r")[1:]]
    assert widths[1] >= widths[0]


def test_a_log_file_gets_one_line_without_control_characters():
    out = io.StringIO()
    bar = Progbar(4, interval=0, stream=out)
    for i in range(5):
        bar.update(i, [("loss", 0.5)])
    assert out.getvalue().startswith("4/4 [====")
    assert out.getvalue().count("\n") == 1
    assert "\r" not in out.getvalue()


def test_verbose_2_is_one_line_and_0_is_silent(capsys):
    Progbar(3, verbose=2).update(3, [("loss", 1e-5)])
    assert capsys.readouterr().out == " - 0s - loss: 1.0000e-05\n"
    Progbar(3, verbose=0).update(3, [("loss", 0.5)])
    assert capsys.readouterr().out == ""


def test_values_are_averaged_over_units_unless_stateful(capsys):
    bar = Progbar(4, verbose=2, stateful_metrics=["acc"])
    bar.add(3, [("loss", 1.0), ("acc", 0.1)])
    bar.add(1, [("loss", 5.0), ("acc", 0.9)])
    assert capsys.readouterr().out == " - 0s - loss: 2.0000 - acc: 0.9000\n"


def test_times_as_people_read_them():
    assert [clock(s) for s in (5.6, 65, 3725)] == ["5s", "1:05", "1:02:05"]


def test_fit_in_a_log_file_prints_two_lines_an_epoch(capsys):
    logger = ProgbarLogger()
    logger.set_params({"verbose": 1, "epochs": 2, "samples": 64, "metrics": ["loss", "acc"]})
    logger.on_train_begin()
    for epoch in range(2):
        logger.on_epoch_begin(epoch)
        logger.on_batch_end(0, {"size": 32, "loss": 0.5})
        logger.on_epoch_end(epoch, {"loss": 0.5, "acc": 0.25, "val_loss": 0.75, "lr": 0.125})
    lines = capsys.readouterr().out.splitlines()
    assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
    assert lines[1].startswith("64/64 [===")
    assert lines[1].endswith("- loss: 0.5000 - acc: 0.2500 - val_loss: 0.7500 - lr: 0.1250")


def test_a_loop_of_ones_own_has_the_number_of_the_epoch(capsys):
    logger = ProgbarLogger("steps")
    logger.set_params({"verbose": 1, "steps": 1, "metrics": []})
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger.on_epoch_end(0, {})
    assert capsys.readouterr().out.splitlines()[0] == "Epoch 1/1"


def test_evaluate_prints_one_line(capsys):
    logger = ProgbarLogger("steps")
    logger.set_params({"verbose": 1, "steps": 3, "metrics": ["loss"]})
    logger.on_test_begin()
    logger.on_test_batch_end(0, {"loss": 1.0})
    logger.on_test_end({"loss": 0.5})
    assert capsys.readouterr().out.startswith("3/3 [===")


def test_unknown_count_mode():
    with pytest.raises(ArgumentError, match="expected 'samples' or 'steps', received 'rows'"):
        ProgbarLogger("rows")


# On a real terminal -------------------------------------------------------------------------------------------

CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def tty(monkeypatch):
    """A pseudo-terminal of 60 columns: a stream to write to, and a function that returns what it was sent."""
    import fcntl
    import pty
    import struct
    import termios

    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    stream = os.fdopen(theirs, "w", encoding="utf-8")

    def sent() -> str:
        stream.flush()
        text = b""
        while select.select([ours], [], [], 0.05)[0]:
            text += os.read(ours, 1 << 16)
        return text.decode()

    yield stream, sent
    stream.close()
    os.close(ours)


def test_a_terminal_shows_colours_and_the_speed_in_its_width(tty):
    stream, sent = tty
    bar = Progbar(400, interval=0, stream=stream)
    bar.steps = 10
    bar.update(100, [("loss", 1.0)])
    text = sent()
    plain = CODES.sub("", text)
    assert text != plain
    assert re.fullmatch(r"\r100/400 \[=+>\.+\] - ETA: 0s - loss: 1.0000 - [\d,]+ s.*", plain)
    bar.update(200, [("loss", 1.0), ("a_metric_with_a_long_name", 1.0), ("another_one", 2.0)])
    plain = CODES.sub("", sent())
    assert len(plain) == 60  # with the carriage return: the last column stays free
    assert plain.endswith("\u2026")
    bar.update(400, [("another_one", 2.0)])
    assert CODES.sub("", sent()).rstrip().endswith("a_metric_with_a_long_name: 1.0000 - another_one: 2.0000")


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_turned_off(tty, monkeypatch, setting):
    monkeypatch.setenv(*setting)
    stream, sent = tty
    Progbar(4, stream=stream).update(2, [("loss", 1.0)])
    assert "\x1b" not in sent()


@pytest.mark.parametrize("name", ["keras1", "keras2.2", "keras2.3", "keras3"])
def test_dialects_keep_their_bar_on_a_terminal(tty, name):
    stream, sent = tty
    with dialect(name):
        bar = Progbar(4, interval=0, stream=stream)
    bar.update(2, [("loss", 1.0)])
    classic = "2/4 [==============>...............] - ETA: 0s - loss: 1.0000"
    text = sent().lstrip("\r")
    if name == "keras3":
        assert re.fullmatch(r"2/4 \u2501{10} {10} 0s \S+/step - loss: 1.0000", text)
    else:
        assert text == classic


def test_the_first_step_does_not_count_in_the_speed(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    out = Terminal()
    bar = Progbar(100, interval=0, stream=out)
    now[0] = 10.0  # compiling
    bar.update(1)
    now[0] = 11.0
    bar.update(11)
    assert out.getvalue().rstrip().endswith("- ETA: 8s - 10 steps/s")


def test_bytes_as_people_read_them():
    out = Terminal()
    bar = Progbar(4_000_000, interval=0, stream=out, in_bytes=True)
    bar.update(1_000_000)
    assert re.search(r"1\.0 MB/4\.0 MB \[.*MB/s|GB/s", out.getvalue())
    log = io.StringIO()
    Progbar(4_000_000, stream=log, in_bytes=True).update(4_000_000)
    assert log.getvalue().startswith("4000000/4000000 [====")
    assert [readable(n) for n in (12, 1500, 2.5e9, 4e15)] == ["12 B", "1.5 kB", "2.5 GB", "4000.0 TB"]


def test_long_tasks_show_themselves_late_and_leave_nothing(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    bar = long_task("Loading", 10)
    bar.update(1)
    assert out.getvalue() == ""
    now[0] = 3.0
    bar.update(5)
    assert out.getvalue().startswith("\rLoading  5/10 [")
    bar.update(10)
    drawn, erased, end = out.getvalue().split("\r")[1:]
    assert erased == " " * len(drawn)
    assert end == ""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stdout", log)
    now[0] = 0.0
    bar = long_task("Loading", 10)
    now[0] = 9.0
    bar.update(10)
    assert log.getvalue() == ""


class Late(Terminal):
    """A terminal on which everything takes long."""

    def __init__(self, monkeypatch):
        super().__init__()
        times = iter(range(0, 10**6, 3))
        clock = types.SimpleNamespace(time=lambda: float(next(times)))
        monkeypatch.setattr("keras_front.utils.progbar.time", clock)
        monkeypatch.setattr(sys, "stdout", self)


@pytest.mark.backends("numpy")
def test_adapting_and_loading_show_how_far_they_are(monkeypatch, tmp_path):
    model = models.Sequential([layers.Dense(2, input_shape=(2,)), layers.Dense(2)])
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        out = Late(monkeypatch)
        models.load_model(tmp_path / name)
        total = 2 if name == "m.h5" else 4  # layers, or weights
        assert re.search(rf"\rLoading weights 1/{total} \[=*>", out.getvalue())
        assert out.getvalue().endswith(" \r")
    out = Late(monkeypatch)
    layers.Normalization().adapt(iter([X, X]))
    assert "\rAdapting       2/Unknown" in out.getvalue()
    out = Late(monkeypatch)
    words = layers.StringLookup()
    words.adapt(np.array([["a"]] * (1 << 15)))
    assert "\rCounting 1/2 [" in out.getvalue()
    assert words.get_vocabulary() == ["[UNK]", "a"]


def test_spans_are_cut_by_what_is_seen():
    spans = [Span("ab", "bold"), Span("cde")]
    assert painted(cut(spans, 4)) == "\x1b[1mab\x1b[0mc\u2026"
    assert cut(spans, 5) == spans
    assert cut(spans, None) == spans
    assert cut(spans, 0) == []
    assert painted(cut(spans, 1), False) == "\u2026"


# What `fit` and its like print ---------------------------------------------------------------------------------

X, Y = np.ones((8, 2)), np.ones((8, 1))


class Wait(Callback):
    """Makes batches last longer than the bar waits between two looks."""

    def on_test_batch_end(self, batch, logs=None):
        import time

        time.sleep(0.08)


@pytest.fixture(scope="module")
def model():
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.backends("numpy")
def test_auto_is_a_line_an_epoch_where_no_line_is_redrawn(model, capsys):
    seen = []
    callback = Callback()
    callback.on_train_begin = lambda logs=None: seen.append(callback.params["verbose"])
    model.fit(X, Y, batch_size=2, epochs=2, verbose="auto", callbacks=[callback])
    model.evaluate(X, Y, verbose="auto")
    model.predict(X, verbose="auto")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2", "Evaluation", "Prediction"]
    assert all(re.fullmatch(r".* - \d+s - loss: \S+", line) for line in lines[:3])
    assert seen == [2]
    with dialect("keras3"):
        model.fit(X, Y, verbose="auto")
    assert "\u2501" in capsys.readouterr().out


@pytest.mark.backends("numpy")
def test_progress_goes_to_the_logger_where_messages_do(model, capsys, caplog, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="keras_front"):
            model.fit(X, Y, epochs=1)
    finally:
        enable_interactive_logging()
    assert capsys.readouterr().out == ""
    first, second = caplog.messages
    assert first == "Epoch 1/1"
    assert " - loss: " in second


@pytest.mark.backends("numpy")
def test_validation_has_a_bar_of_its_own(model, tty, monkeypatch):
    stream, sent = tty
    monkeypatch.setattr(sys, "stdout", stream)
    model.fit(X, Y, batch_size=2, epochs=1, validation_data=(X, Y), callbacks=[Wait()])
    drawn = CODES.sub("", sent()).split("\r")
    own = [line for line in drawn if line.startswith("validation ")]
    assert own
    assert re.match(r"validation [2468]/8 \[=*>?\.*\] - ETA: \d+s - val_loss: ", own[0])
    assert re.match(r"8/8 \[=+\] - \d+s \S+/step - loss: \S+ - val_loss: ", drawn[-2])


class Stream:
    """Batches of which nobody knows how many there are."""

    def __iter__(self):
        return iter([(X, Y)] * 3)


@pytest.mark.backends("numpy")
def test_batches_of_unknown_number_are_all_counted(model, capsys, monkeypatch):
    model.evaluate(Stream())
    model.predict(Stream(), verbose=1)
    assert [line.split(" ")[0] for line in capsys.readouterr().out.splitlines()] == ["3/3", "3/3"]
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    model.fit(Stream(), epochs=2, validation_data=Stream())
    assert "\rvalidation       3/Unknown" in out.getvalue()
    assert "\rvalidation 3/3 [" in out.getvalue().split("Epoch 2/2")[1]


class Notebook:
    """What of IPython is asked for: a shell with a kernel, and displays that can be updated."""

    def __init__(self, monkeypatch):
        self.shown = []
        module = types.SimpleNamespace(
            get_ipython=lambda: types.SimpleNamespace(kernel=object()),
            display=types.SimpleNamespace(display=self.display),
        )
        monkeypatch.setitem(sys.modules, "IPython", module)
        stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
        monkeypatch.setattr(sys, "stdout", stream)
        self.stream = stream

    def display(self, thing, display_id):
        self.shown.append([thing])
        return types.SimpleNamespace(update=self.shown[-1].append)


@pytest.mark.backends("numpy")
def test_a_notebook_gets_html_in_one_place_an_epoch(model, monkeypatch):
    notebook = Notebook(monkeypatch)
    model.fit(X, Y, batch_size=2, epochs=2, validation_data=(X, Y), callbacks=[Wait()])
    first, second = notebook.shown
    assert first[0]._repr_html_().startswith('<div style="font-family: monospace">Epoch 1/2 0/8 <progress value="0"')
    assert any("Epoch 1/2 validation" in step._repr_html_() for step in first)
    assert re.search(r'Epoch 2/2 8/8 <progress value="8" max="8".* - val_loss: ', second[-1]._repr_html_())
    assert repr(second[-1]).startswith("Epoch 2/2 8/8 [====")
    assert notebook.stream.getvalue() == "Train on 8 samples, validate on 8 samples\n"


def test_names_of_metrics_are_text_in_a_notebook(monkeypatch):
    notebook = Notebook(monkeypatch)
    Progbar(1).update(1, [("<b>", 1.0)])
    assert "&lt;b&gt;: 1.0000" in notebook.shown[0][-1]._repr_html_()


def test_where_there_is_no_notebook(monkeypatch):
    assert notebook_output() is None
    Notebook(monkeypatch)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert notebook_output() is None  # the output is caught
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert notebook_output() is None
