"""The progress bar, on a terminal and in a log file."""

from __future__ import annotations

import io

import pytest

from keras_front.callbacks import ProgbarLogger
from keras_front.errors import ArgumentError
from keras_front.utils.generic_utils import Progbar, clock


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
