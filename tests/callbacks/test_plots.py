"""Curves of a training: drawn by Matplotlib, as characters, and read from logs."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from keras_front import cli, layers, models
from keras_front.callbacks import CSVLogger, History, PlotHistory
from keras_front.errors import ArgumentError, MissingFileError, MissingPackageError, StateError, UnreadableFileError
from keras_front.utils import figures
from keras_front.utils.terminal import painted
from keras_front.utils.training_curves import Curves, sparkline
from keras_front.utils.training_logs import read_log

VALUES = {"loss": [4.0, 2.0, 1.0, 0.5], "acc": [0.1, 0.2, 0.4, 0.8], "val_loss": [3.0, 1.0]}


def trained() -> History:
    history = History()
    history.on_train_begin()
    for epoch in range(4):
        logs = {name: values[epoch] for name, values in VALUES.items() if len(values) > 2}
        if epoch % 2:
            logs["val_loss"] = VALUES["val_loss"][epoch // 2]
        history.on_epoch_end(epoch, logs)
    return history


def lines_of(panel):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in panel.get_lines()}


@pytest.mark.slow
def test_a_panel_for_each_metric_with_the_epochs_that_were_validated(tmp_path):
    loss, accuracy = trained().plot(to_file=tmp_path / "curves.svg", log_scale=True)
    assert lines_of(loss) == {"training": ([1, 2, 3, 4], VALUES["loss"]), "validation": ([2, 4], [3.0, 1.0])}
    assert list(lines_of(accuracy).values()) == [([1, 2, 3, 4], VALUES["acc"])]
    assert (loss.get_title(), loss.get_xlabel(), loss.get_yscale()) == ("loss", "epoch", "log")
    text = (tmp_path / "curves.svg").read_text()
    assert text.startswith("<?xml")
    assert figures.svg_of(loss.figure) == text  # the same picture is the same file


def test_axes_of_ones_own():
    from matplotlib.figure import Figure

    panel = Figure().subplots()
    panel.set_xticks([1, 4])
    assert trained().plot(["acc"], axes=panel) == [panel]
    assert lines_of(panel)
    with pytest.raises(ArgumentError, match=r"expected 2, for \['loss', 'acc'\], received 1"):
        trained().plot(axes=panel)


def test_what_cannot_be_drawn():
    with pytest.raises(StateError, match="Train for an epoch first"):
        History().plot()
    with pytest.raises(ArgumentError, match=r"names among \['acc', 'loss'\], received 'val_nothing'"):
        trained().plot("val_nothing")
    for wrong in ({"metrics": 3}, {"metrics": [3]}, {"axes": "x"}, {"to_file": 3}):
        with pytest.raises(ArgumentError, match=f"{next(iter(wrong))}: expected"):
            trained().plot(**{"to_file": "x.png", **wrong})
    with pytest.raises(ArgumentError, match=r"\.png.* received 'curves.nosuch'"):
        trained().plot(to_file="curves.nosuch")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'keras-front\[plot\]'"):
        trained().plot(to_file="x.png")
    with pytest.raises(MissingPackageError, match="plot"):
        PlotHistory(to_file="x.png").on_train_begin()


def test_sparklines():
    assert sparkline([0, 1, 2, 3]) == "\u2581\u2583\u2586\u2588"
    assert sparkline([1, float("nan"), 1]) == "\u2581 \u2581"
    assert sparkline([float("inf")] * 2) == "  "
    assert sparkline(np.arange(1000.0), 8) == "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def test_the_table_names_the_best_epochs():
    curves = Curves({"loss": [2.0, float("nan"), 1.0], "val_loss": [float("inf")] * 3})
    first, second = (painted(line, False) for line in curves.table())
    assert (
        first.split() == ("loss \u2588 \u2581 2 \u2192 1 least 1 (epoch 3) greatest 2 (epoch 1) 1 not finite").split()
    )
    assert second.endswith("3 not finite")


def test_a_chart_in_characters():
    lines = [painted(line, False) for line in Curves(VALUES).chart("loss", width=30, height=5)]
    assert lines[0].strip() == "loss"
    assert lines[1].startswith("  4 \u2502*")
    assert lines[5].startswith("0.5 \u2502")
    assert lines[5].rstrip()[-1] == "*"
    assert any("o" in line for line in lines[1:6])
    assert lines[7].split() == ["1", "4"]
    assert {len(line) for line in lines[6:8]} == {30}
    one = Curves({"loss": [1.0]}).chart("loss")
    assert sum(painted(line, False).count("*") for line in one[1:-1]) == 1


class Output:
    def __init__(self):
        self.shown = []

    def show(self, thing):
        self.shown.append(thing)


def fitted(callback):
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    return model.fit(x, x[:, :1], epochs=2, verbose=0, validation_data=(x, x[:, :1]), callbacks=[callback])


@pytest.mark.backends("numpy")
def test_a_notebook_shows_the_curves_while_training(monkeypatch, capsys):
    output = Output()
    monkeypatch.setattr("keras_front.callbacks.plots.notebook_output", lambda: output)
    monkeypatch.setattr(figures, "svg_of", lambda figure: f"<svg>{len(figure.axes[0].lines[0].get_xdata())}</svg>")
    callback = PlotHistory("loss")
    callback._SHARE = 0
    fitted(callback)
    assert [repr(picture) for picture in output.shown] == [f"<curves of {n} epochs>" for n in (1, 2)]
    assert output.shown[-1]._repr_svg_() == "<svg>2</svg>"
    assert capsys.readouterr().out == ""


@pytest.mark.backends("numpy")
def test_elsewhere_the_curves_are_a_file_or_characters(tmp_path, capsys):
    fitted(PlotHistory("loss", every=5, to_file=tmp_path / "live.svg"))  # at the end, therefore
    assert (tmp_path / "live.svg").exists()
    assert capsys.readouterr().out == ""
    fitted(PlotHistory())
    assert "* training   o validation" in capsys.readouterr().out


# Logs ---------------------------------------------------------------------------------------------------------


def series(curves):
    return {curve.name: (list(curve.epochs), list(curve.values)) for curve in curves.curves}


def test_logs_of_all_forms_are_the_same_curves(tmp_path):
    expected = {"loss": ([1, 2, 3, 4], VALUES["loss"]), "val_loss": ([2, 4], VALUES["val_loss"])}
    table, log = tmp_path / "log.csv", tmp_path / "log.json"
    for separator in ",;\t":
        rows = ["epoch,loss,val_loss", "0,4.0,NA", "1,2.0,3.0", "2,1.0,NA", "3,0.5,1.0"]
        table.write_text("\n".join(rows).replace(",", separator))
        assert series(read_log(table)) == expected
    history = {name: VALUES[name] for name in ("loss", "val_loss")}
    dicts = [{"epoch": i, "loss": v} for i, v in enumerate(VALUES["loss"])]
    dicts[1]["val_loss"], dicts[3]["val_loss"] = VALUES["val_loss"]
    texts = (
        json.dumps(history), json.dumps({"history": history, "epoch": [0, 1, 2, 3]}), json.dumps(dicts),
        "\n".join(map(json.dumps, dicts)),
    )  # fmt: skip
    for text in texts:
        log.write_text(text)
        assert series(read_log(log)) == expected


def test_a_log_that_goes_on_counts_on(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n0,3\n1,2\n0,1\n")
    assert series(read_log(path)) == {"loss": ([1, 2, 3], [3, 2, 1])}


@pytest.mark.backends("numpy")
def test_what_csv_logger_writes_is_read(tmp_path):
    history = fitted(CSVLogger(tmp_path / "log.csv"))
    assert series(read_log(tmp_path / "log.csv")) == series(history.curves())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no columns"),
        ("hello", "names no columns"),
        ("1,2\n3,4", "names no columns"),
        ("epoch,loss\n0,1,2", "line 2 has another number of fields"),
        ("epoch,loss\n", "no epoch"),
        ("{", "cannot be read"),
        ("[1, 2]", "an epoch is no dict"),
        ('{"model": {"a": 1}}', "no values"),
    ],
)
def test_what_is_no_log(tmp_path, text, reason):
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises((UnreadableFileError, StateError), match=reason):
        read_log(path)
    path.write_bytes(b"\x89HDF\xff")
    with pytest.raises(UnreadableFileError, match="is no text"):
        read_log(path)
    with pytest.raises(MissingFileError, match="there is no file"):
        read_log(tmp_path / "nothing.csv")


# Commands -----------------------------------------------------------------------------------------------------


def test_history_as_a_command(tmp_path, capsys):
    log = tmp_path / "log.json"
    log.write_text(json.dumps(VALUES))
    assert cli.main(["history", str(log)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["loss", "val_loss", "acc"]
    assert cli.main(["history", str(log), "--metric", "acc", "--chart"]) == 0
    assert "* training" in capsys.readouterr().out
    assert cli.main(["history", str(log), "--metric", "acc", "--to", str(tmp_path / "curves")]) == 0
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert cli.main(["history", str(log), "--metric", "mse"]) == 2
    assert capsys.readouterr().err.startswith("keras-front: metrics: expected names among ['acc', 'loss']")


@pytest.mark.backends("numpy")
def test_plot_as_a_command(tmp_path, capsys):
    model = models.Sequential([layers.Dense(1, input_shape=(2,), name="only")])
    model.save(tmp_path / "model.h5")
    (tmp_path / "structure.json").write_text(model.to_json())
    for name in ("model.h5", "structure.json"):
        assert cli.main(["plot", str(tmp_path / name)]) == 0
        picture = (tmp_path / name).with_suffix(".svg")
        assert capsys.readouterr().out == f"{tmp_path / name} -> {picture}\n"
        assert "only: Dense" in picture.read_text()
    assert cli.main(["plot", str(tmp_path / "model.h5"), str(tmp_path / "m.dot"), "--no-shapes"]) == 0
    assert "(None, 2)" not in (tmp_path / "m.dot").read_text()
    assert cli.main(["summary", str(tmp_path / "structure.json"), "--flops", "--memory", "--trainable"]) == 0
    assert "Total FLOPs: 5 for one sample" in capsys.readouterr().out
    assert cli.main(["plot", "nothing.h5"]) == 2
    assert "plot: there is no file 'nothing.h5'" in capsys.readouterr().err
