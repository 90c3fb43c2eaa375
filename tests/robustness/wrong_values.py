"""Wrong values: each argument of each public class and function, given each of a list of values: one clear error.

What is called comes from the modules and from the cases of the suites; nothing is listed but how to make a good call.
A call passes if it works, or ends in an error of the library that names what was called. `wrong_calls` has the calls
whose message must have certain words.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import alone
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import keras_front as kf
from keras_front import backend as K
from keras_front import callbacks, constraints, initializers, layers, losses, metrics, models, optimizers, regularizers
from keras_front.errors import KerasFrontError
from keras_front.preprocessing import sequence, text
from keras_front.testing.layers import table

BACKENDS = ("numpy", "torch")  # what reads arguments knows no engine; by hand, it runs on each
LIMIT = 120
SECONDS = 2

WRONG: dict[str, Any] = {
    "None": None, "-1": -1, "0": 0, "1.5": 1.5, "2.0": 2.0, "'a'": "a", "''": "", "[]": [], "()": (), "{}": {},
    "object()": object(), "object": object, "nan": float("nan"), "inf": float("inf"), "True": True, "(1, 2)": (1, 2),
    "[None]": [None], "['a', 3]": ["a", 3], "array": np.array([1.0, 2.0]), "lambda": lambda *a: None, "b'x'": b"x",
    "1j": 1j, "2**70": 2**70, "-(2**63)": -(2**63), "{'a': 1}": {"a": 1}, "{1}": {1}, "\\ud800": "\ud800",
    "module": np, "texts": np.array(["a", "b"]), "objects": np.array([None, {}], dtype=object), "empty": np.zeros((0,)),
    "generator": (i for i in ()), "range": range(3), "type(None)": type(None), "class_name": {"class_name": "Nope"},
    "config": {"class_name": "Dense", "config": {"units": "x"}},
}  # fmt: skip
X = np.random.default_rng(0).random((6, 4)).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(6) % 3]
USERS = WRONG["lambda"], object, type(None)  # functions of the user, whose results are what does not fit
CALLING = "unexpected keyword argument", "positional argument", "required", "multiple values"


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """A trial for each argument: all wrong values in turn."""
    os.chdir(folder)
    for kind, name, function, good in calls():
        for argument in arguments(function, good):
            yield f"wrong values: {kind}", f"{name}, {argument}", functools.partial(check, function, good, argument)


def arguments(function: Callable[..., Any], good: dict[str, Any]) -> list[str]:
    """The names of the arguments that are tried."""
    parameters = inspect.signature(function).parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
    return list(dict.fromkeys([*named, *good]))


def check(function: Callable[..., Any], good: dict[str, Any], argument: str) -> None:
    """Raise AssertionError that lists the values with which a call ended in a raw error."""
    said = [f"{name}: {bad}" for name, value in WRONG.items() if (bad := fault(function, good, argument, value))]
    assert not said, f"{len(said)} raw: {'; '.join(said)}"


class LateError(BaseException):
    """A call takes longer than `SECONDS`; one that would go on for 2**70 epochs does so rightly."""


def _late(*_: Any) -> None:
    if RUNNING:
        raise LateError


RUNNING: list[bool] = []  # not empty while a call runs


def fault(function: Callable[..., Any], good: dict[str, Any], argument: str, value: Any) -> str:
    """What is wrong with how a call ends; '' if nothing is."""
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, 0.3 if value is WRONG["2**70"] else SECONDS, 0.5)
    RUNNING.append(True)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            function(
                **{**{k: v() if callable(v) and k.startswith("_") else v for k, v in good.items()}, argument: value}
            )
    except (KerasFrontError, OSError, MemoryError):
        return ""
    except LateError:
        return "" if isinstance(value, int) and value > 1e9 else "takes too long"
    except (TypeError, LookupError, ArithmeticError, ValueError, AttributeError) as error:
        if any(value is user for user in USERS) or (value is WRONG["2**70"] and not isinstance(error, LookupError)):
            return ""
        if any(words in str(error) for words in CALLING):
            return ""
        return f"{type(error).__name__}: {str(error)[:110]}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:110]}"
    finally:
        RUNNING.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


# What is called ---------------------------------------------------------------------------------------------------


def calls() -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    """(kind, name, function, good arguments) of everything."""
    yield from of_training()
    yield from of_objects()
    yield from of_layers()
    yield from of_functions()


def of_layers() -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    """The constructor of every layer, followed by a call on symbols."""
    for name, cases in table().items():
        case = cases[0]
        made = case.make
        if not isinstance(made, functools.partial):
            continue
        layer, names = made.func, list(inspect.signature(made.func).parameters)
        good = {**dict(zip(names, made.args, strict=False)), **made.keywords}
        yield "layers", name, _called(layer, case), good


def _called(layer: Any, case: Any) -> Callable[..., Any]:
    @functools.wraps(layer)
    def call(**kwargs: Any) -> Any:
        made = layer(**kwargs)
        inputs = [K.placeholder((2, *s), dtype="int32" if case.ints else None) for s in case.shapes]
        made.get_config()
        return made(inputs if len(inputs) > 1 else inputs[0])

    call.__signature__ = inspect.signature(layer)  # type: ignore[attr-defined]
    return call


def of_objects() -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    """Optimizers, losses, metrics, initializers, regularizers, constraints and callbacks, made and used."""
    v = lambda: K.variable(X)
    uses: list[tuple[str, Any, Callable[[Any], Any]]] = [
        ("optimizers", optimizers, lambda o: net(optimizer=o).train_on_batch(X, Y)),
        ("losses", losses, lambda o: o(K.constant(Y), K.constant(Y))),
        ("metrics", metrics, lambda o: (o.update_state(K.constant(Y), K.constant(Y)), o.result())),
        ("initializers", initializers, lambda o: o((4, 4))),
        ("regularizers", regularizers, lambda o: o(v())),
        ("constraints", constraints, lambda o: o(v())),
        ("callbacks", callbacks, lambda o: net().fit(X, Y, verbose=0, callbacks=[o])),
    ]
    for kind, module, use in uses:
        for name, cls in sorted(vars(module).items()):
            if inspect.isclass(cls) and cls.__module__.startswith(module.__name__) and name not in ABSTRACT:
                yield kind, name, _used(cls, use), GOOD.get(name, {})


ABSTRACT = {
    "Optimizer",
    "Loss",
    "Metric",
    "Initializer",
    "Regularizer",
    "Constraint",
    "Callback",
    "CallbackList",
    "RemoteMonitor",
    "BaseLogger",
    "LossFunctionWrapper",
    "SensitivitySpecificityBase",
}
GOOD: dict[str, dict[str, Any]] = {
    "ModelCheckpoint": {"filepath": "model.h5"},
    "CSVLogger": {"filename": "log.csv"},
    "TensorBoard": {"log_dir": "logs"},
    "LearningRateScheduler": {"schedule": lambda epoch: 0.1},
    "BackupAndRestore": {"backup_dir": "backup"},
    "MeanIoU": {"num_classes": 3},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "Constant": {"value": 1.0},
    "MeanMetricWrapper": {"fn": lambda a, b: K.abs(a - b)},
    "MeanRelativeError": {"normalizer": [1.0, 1.0, 1.0]},
}


def _used(cls: Any, use: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(cls)
    def call(**kwargs: Any) -> Any:
        made = cls(**kwargs)
        if hasattr(made, "get_config"):
            made.get_config()
        return use(made)

    call.__signature__ = inspect.signature(cls)  # type: ignore[attr-defined]
    return call


def net(optimizer: Any = "sgd", loss: Any = "categorical_crossentropy", **kwargs: Any) -> Any:
    """A small model."""
    model = models.Sequential([layers.Dense(3, input_shape=(4,), activation="softmax", name="out")])
    model.compile(optimizer, loss, **kwargs)
    return model


def of_training() -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    """The methods of a model; afterwards it predicts as before."""
    x, y = {"x": X}, {"x": X, "y": Y}
    for name, good in {
        "fit": {**y, "verbose": 0},
        "evaluate": {**y, "verbose": 0},
        "predict": x,
        "train_on_batch": y,
        "test_on_batch": y,
        "predict_on_batch": x,
        "compile": {"optimizer": "sgd", "loss": "mse"},
        "save": {"filepath": "m.h5"},
        "save_weights": {"filepath": "m.weights.h5"},
        "load_weights": {"filepath": "n.h5"},
        "get_layer": {"name": "out"},
        "summary": {},
        "set_weights": {"weights": net().get_weights()},
        "to_json": {},
        "add": {"layer": layers.Dense(2)},
    }.items():
        yield "model", name, _method(name), good


def _method(name: str) -> Callable[..., Any]:
    method = getattr(models.Sequential, name)
    model = net(metrics=["accuracy"])
    weights, before = model.get_weights(), model.predict(X)

    @functools.wraps(method)
    def call(**kwargs: Any) -> Any:
        mine = model if name in ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch") else net()
        try:
            return getattr(mine, name)(**kwargs)
        except Exception:
            if mine is model and name not in ("fit", "train_on_batch"):
                np.testing.assert_array_equal(model.predict(X), before)
            raise
        finally:
            model.set_weights(weights)
            model.predict(X)

    parameters = inspect.signature(method).parameters.values()
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=p.KEYWORD_ONLY) for p in parameters if p.kind is not p.VAR_KEYWORD and p.name != "self"]
    )
    return call


def of_functions() -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    """Functions of utils, preprocessing, models and K."""
    for function, good in (
        (sequence.pad_sequences, {"sequences": [[1, 2], [3]]}),
        (kf.utils.to_categorical, {"y": [0, 1]}),
        (kf.utils.normalize, {"x": X}),
        (sequence.skipgrams, {"sequence": [1, 2, 3], "vocabulary_size": 5}),
        (sequence.make_sampling_table, {"size": 4}),
        (text.Tokenizer, {}),
        (text.one_hot, {"text": "a b", "n": 5}),
        (text.text_to_word_sequence, {"text": "a b"}),
        (text.hashing_trick, {"text": "a b", "n": 5}),
        (sequence.TimeseriesGenerator, {"data": X, "targets": Y, "length": 2}),
        (kf.utils.get_file, {"fname": "f", "origin": "file:///nowhere"}),
        (models.load_model, {"filepath": "n.h5"}),
        (models.model_from_json, {"json_string": net().to_json()}),
        (models.clone_model, {"model": net()}),
        (models.Sequential, {}),
        (layers.Input, {"shape": (3,)}),
        (layers.deserialize, {"config": {}}),
        (losses.get, {"identifier": "mse"}),
        (metrics.get, {"identifier": "mse"}),
        (optimizers.get, {"identifier": "sgd"}),
        (initializers.get, {"identifier": "zeros"}),
        (regularizers.get, {"identifier": "l2"}),
        (constraints.get, {"identifier": "non_neg"}),
        (kf.activations.get, {"identifier": "relu"}),
        (K.variable, {"value": X}),
        (K.constant, {"value": X}),
        (K.placeholder, {"shape": (2,)}),
        (K.zeros, {"shape": (2,)}),
        (K.ones, {"shape": (2,)}),
        (K.eye, {"size": 2}),
        (K.random_uniform, {"shape": (2,)}),
        (K.random_normal, {"shape": (2,)}),
        (K.random_binomial, {"shape": (2,)}),
        (K.truncated_normal, {"shape": (2,)}),
        (K.arange, {"start": 3}),
        (K.set_value, {"x": K.variable(X), "value": X}),
        (K.get_value, {"x": K.variable(X)}),
        (K.int_shape, {"x": X}),
        (K.set_floatx, {"floatx": "float32"}),
        (K.set_image_data_format, {"data_format": "channels_last"}),
        (K.set_epsilon, {"value": 1e-7}),
        (K.set_learning_phase, {"value": 0}),
        (K.batch_get_value, {"tensors": []}),
        (K.dropout, {"x": X, "level": 0.5}),
        (K.map_fn, {"fn": lambda v: v, "elems": X}),
        (K.foldl, {"fn": lambda a, b: a, "elems": X}),
        (K.switch, {"condition": True, "then_expression": X, "else_expression": X}),
        (K.gradients, {"loss": X, "variables": []}),
        (K.function, {"inputs": [], "outputs": []}),
        (K.in_train_phase, {"x": X, "alt": X}),
    ):
        yield "functions", function.__name__, function, good


if __name__ == "__main__":
    alone.run(trials)
