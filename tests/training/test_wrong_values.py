"""Values of wrong kinds as arguments of methods and constructors: one clear error, and a model that still works."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from keras_front import layers, losses, metrics, models
from keras_front.errors import ArgumentError, KerasFrontError
from keras_front.preprocessing import sequence

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
FLAGS = np.array([1.0, 2.0]), {}, float("nan"), float("inf"), [None], object(), b"x"
METHODS = {
    "fit": ("verbose", "shuffle", "callbacks", "validation_split", "use_multiprocessing", "accumulate", "resume"),
    "evaluate": ("verbose", "callbacks", "batch_size"),
    "predict": ("verbose", "callbacks", "steps"),
    "train_on_batch": ("x", "y", "sample_weight", "reset_metrics"),
    "test_on_batch": ("x", "y", "sample_weight"),
    "compile": ("optimizer", "metrics", "sample_weight_mode", "steps_per_execution", "run_eagerly"),
}


@pytest.fixture(scope="module")
def model():
    made = models.Sequential([layers.Dense(1, input_shape=(2,))])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize(("method", "argument"), [(m, a) for m, names in METHODS.items() for a in names])
def test_a_method_refuses_by_errors_of_the_library(model, method, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = {"optimizer": "sgd"} if method == "compile" else {"x": X} if method == "predict" else {"x": X, "y": Y}
    quiet = {"verbose": 0} if method in ("fit", "evaluate") else {}
    for value in FLAGS:
        mine = models.clone_model(model) if method == "compile" else model
        with contextlib.suppress(KerasFrontError):  # any other error fails the test; some values have a meaning
            getattr(mine, method)(**{**good, **quiet, argument: value})
    assert model.predict(X).shape == (4, 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.Mean(name=np.ones(2)), "Mean: .*name=float64 array"),
        (lambda: losses.Huber(reduction=[]), r"Huber: .*reduction=\[\]"),
        (lambda: metrics.AUC(num_thresholds=float("inf")), "AUC: .*num_thresholds.* .*inf"),
        (lambda: layers.Dense(float("inf")), "Dense: .*units .*inf"),
        (lambda: sequence.TimeseriesGenerator(3, [1], 1), "TimeseriesGenerator: .*data=3"),
    ],
)
def test_a_constructor_says_what_it_was_given(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_whole_floats_are_taken_as_r_hands_them_on(model):
    history = model.fit(X, Y, batch_size=2.0, epochs=2.0, verbose=0.0, initial_epoch=1.0)
    assert len(history.history["loss"]) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: layers.Dense(1, activation=object)(layers.Input((2,))),
            "function identifier.*received type",
        ),
        (lambda: layers.Lambda([1])(layers.Input((2,))), r"Lambda: expected function .*received \[1\]"),
        (lambda: layers.deserialize(_of_itself()), "holds itself"),
    ],
)
def test_what_is_no_function_or_no_config_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def _of_itself():
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    config["config"]["layers"].append(config)
    return config
