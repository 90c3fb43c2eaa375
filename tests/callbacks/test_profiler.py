"""`Profiler` and `keras-front profile`: where the time of a step goes, on every backend, with the same numbers."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import cli
from keras_front.backend import op_timing, scopes
from keras_front.callbacks import LambdaCallback, Profiler, in_every_fit
from keras_front.callbacks.profile_report import LayerOp, Profile, StepTime
from keras_front.errors import ArgumentError
from keras_front.layers import LSTM, BatchNormalization, Dense
from keras_front.models import Sequential

X, Y = np.random.default_rng(0).normal(size=(24, 4)).astype("float32"), np.eye(3, dtype="float32")[np.arange(24) % 3]


def classifier(*inner):
    model = Sequential([*inner, Dense(3, activation="softmax", name="last", input_shape=(4,))], name="net")
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_time_is_found_by_layer_and_by_phase(backend, tmp_path):
    inner = Sequential([Dense(5, activation="relu", name="deep", input_shape=(4,))], name="block")
    model = classifier(inner)
    html, trace = tmp_path / "flame.html", tmp_path / "trace.json"
    profiler = Profiler(steps=4, skip=1, html=str(html), trace=str(trace), print_fn=None)
    history = model.fit(X, Y, batch_size=4, verbose=0, shuffle=False, callbacks=[profiler])
    assert np.isfinite(history.history["loss"]).all()
    profile = profiler.profile
    assert (profile.backend, len(profile.first), len(profile.steps)) == (backend.name, 1, 4)
    assert set(profile.parts()) == {"compiled step", "next batch", "callbacks"}
    assert all(seconds >= 0 for seconds in profile.parts().values())

    found = {(op.layer, op.phase) for op in profile.ops}
    assert {(layer, phase) for layer in ("block/deep", "last") for phase in ("forward", "backward")} <= found
    assert {("", "optimizer"), ("", "metrics"), ("", "loss")} <= found
    assert {op.kind for op in profile.ops if op.layer == "block/deep"} == {"Dense"}
    assert sum(sum(row.values()) for row in profile.layers().values()) == pytest.approx(
        sum(op.seconds for op in profile.ops)
    )
    assert "block/deep (Dense)" in str(profile)

    events = json.loads(trace.read_text())["traceEvents"]
    assert sum(event["name"] == "compiled step" for event in events) == 5
    assert all(event["dur"] >= 0 for event in events if event["ph"] == "X")
    HTMLParser().feed(html.read_text())
    assert "block" in html.read_text()
    assert "http" not in html.read_text()


@pytest.mark.engine_neutral
def test_a_profiled_fit_computes_what_another_one_does(backend):
    models = [classifier(BatchNormalization(input_shape=(4,))), classifier(BatchNormalization(input_shape=(4,)))]
    models[1].set_weights(models[0].get_weights())
    losses = [
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False, callbacks=callbacks).history["loss"]
        for model, callbacks in zip(models, ([Profiler(steps=2, skip=1, print_fn=None)], []), strict=True)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    for ours, theirs in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.engine_neutral
def test_loops_belong_to_their_layer(backend):
    model = Sequential([LSTM(2, name="memory", input_shape=(3, 4)), Dense(1)])
    model.compile("sgd", "mse")
    profiler = Profiler(steps=1, skip=0, print_fn=None)
    model.fit(np.ones((4, 3, 4)), np.ones((4, 1)), verbose=0, callbacks=[profiler])
    assert {op.phase for op in profiler.profile.ops if op.layer == "memory"} == {"forward", "backward"}


def test_times_are_those_of_the_ops():
    with scopes.trace_scope(None):
        found = op_timing.op_times(lambda x: K.dot(x, x) + 1.0, [K.constant(np.ones((300, 300), "float32"))])
    assert [op.op for op in found] == ["matmul", "add"]
    assert found[0].seconds > found[1].seconds > 0


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"skip": -1}])
def test_there_are_steps_to_look_at(arguments):
    with pytest.raises(ArgumentError, match="expected steps of at least 1 and skip of at least 0"):
        Profiler(**arguments)


def test_a_short_training_says_so(capsys):
    model = classifier()
    model.fit(X, Y, verbose=0, callbacks=[Profiler(by_layer=False)])
    assert "training ended after 1 steps, before any was looked at" in capsys.readouterr().out


def test_the_report_counts_what_it_was_given():
    times = [StepTime(0.0, 0.25, 0.5, 1.25, 1.5), StepTime(1.5, 1.75, 2.0, 2.75, 3.0)]
    ops = [LayerOp("matmul", "forward", "a", "Dense", 3e-3, (2, 2)), LayerOp("add", "optimizer", "", "", 1e-3, ())]
    profile = Profile("net", "numpy", [], times, ops)
    assert profile.parts() == {"compiled step": 1.0, "next batch": 0.25, "callbacks": 0.25}
    text = str(profile)
    assert "1 s    67 %" in text
    assert "3 ms" in text
    assert "75 %" in text


def test_every_fit_of_a_block_has_the_callback():
    told = []
    with in_every_fit(lambda: LambdaCallback(on_train_end=lambda logs: told.append("inside"))):
        classifier().fit(X, Y, verbose=0)
    classifier().fit(X, Y, verbose=0)
    assert told == ["inside"]


def test_the_command_profiles_a_program(tmp_path, capsys, monkeypatch):
    script = tmp_path / "old.py"
    script.write_text(
        "import numpy as np\nfrom keras_front.models import Sequential\nfrom keras_front.layers import Dense\n"
        "model = Sequential([Dense(2, input_shape=(3,), name='only')])\nmodel.compile('sgd', 'mse')\n"
        "for _ in range(2):\n    model.fit(np.ones((40, 3)), np.ones((40, 2)), batch_size=4, verbose=0)\n"
    )
    ran = []
    monkeypatch.setattr(cli, "run_program", lambda options: ran.append(options) or exec(script.read_text(), {}) or 0)
    assert cli.main(["profile", "--steps", "2", "--html", str(tmp_path / "p.html"), str(script)]) == 0
    assert capsys.readouterr().out.count("only (Dense)") == 2
    assert (tmp_path / "p.html").exists()
    assert (tmp_path / "p-2.html").exists()
    script.write_text("pass")
    assert cli.main(["profile", str(script)]) == 0
    assert "called no `fit`" in capsys.readouterr().err
