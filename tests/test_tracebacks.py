"""Tracebacks hold the user's frames and none of ours, at every public entry point; a switch shows everything."""

from __future__ import annotations

import traceback
import types
from pathlib import Path

import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import callbacks, config, initializers, layers, losses, metrics, optimizers, tracebacks
from keras_front.errors import KerasFrontError
from keras_front.layers import Dense, Input, Lambda, Layer
from keras_front.models import Model, Sequential, load_model, model_from_json
from keras_front.optimizers import SGD

X, Y = np.zeros((4, 3)), np.zeros((4, 2))
P = K.placeholder((None, 3))


@pytest.fixture(autouse=True)
def filtering():
    config.enable_traceback_filtering()


def model() -> Sequential:
    net = Sequential([Dense(2, input_shape=(3,))])
    net.compile("sgd", "mse")
    return net


def functions_in(error: BaseException) -> list[str]:
    """The functions in the traceback of an error, from this test on."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)][1:]


def error_of(call) -> BaseException:
    try:
        call()
    except Exception as error:
        return error
    pytest.fail("no error")


def shown(call) -> list[str]:
    return functions_in(error_of(call))


ENTRY_POINTS = {
    "fit": lambda: model().fit(np.zeros((4, 5)), Y, verbose=0),
    "evaluate": lambda: model().evaluate(np.zeros((4, 5)), Y, verbose=0),
    "predict": lambda: model().predict(np.zeros((4, 5))),
    "train_on_batch": lambda: model().train_on_batch(X, np.zeros((4, 7))),
    "not compiled": lambda: Sequential([Dense(2, input_shape=(3,))]).fit(X, Y),
    "compile": lambda: model().compile("no_such_optimizer", "mse"),
    "load_model": lambda: load_model("no_such_file.h5"),
    "load_weights": lambda: model().load_weights("no_such_file.h5"),
    "save": lambda: model().save("no_such_folder/m.h5"),
    "model_from_json": lambda: model_from_json("{"),
    "get_layer": lambda: model().get_layer("nobody"),
    "set_weights": lambda: model().set_weights([X]),
    "constructor of a layer": lambda: Dense("many"),
    "constructor of an optimizer": lambda: SGD(nonsense=1),
    "constructor of a model": lambda: Model(1, 2),
    "an argument by name": lambda: Dense(2, kernel_initializer="no_such_initializer"),
    "call of a layer": lambda: Dense(2)(Input((None,))),
    "call of a layer on values": lambda: model().layers[0](np.zeros((2, 7), "float32")),
    "K on values": lambda: K.dot(K.ones((2, 3)), K.ones((4, 2))),
    "K on symbols": lambda: K.dot(K.placeholder((2, 3)), K.ones((4, 2))),
    "operator": lambda: K.placeholder((2, 3)) + K.placeholder((2, 7)),
    "operator of a variable": lambda: 1 + (K.variable(np.ones((2, 3))) * K.placeholder((2, 7))),
    "K.function": lambda: K.function([P], [K.sum(P)])([np.ones((2, 5))]),
    "K.eval": lambda: K.eval(P),
    "K.get_value": lambda: K.get_value(P),
    "K.set_value": lambda: K.set_value(K.variable([1.0]), [1.0, 2.0]),
    "K.variable": lambda: K.variable("text"),
    "set_backend": lambda: K.set_backend("no_such_backend"),
    "losses.get": lambda: losses.get("no_such_loss"),
    "optimizers.deserialize": lambda: optimizers.deserialize({"class_name": "NoSuch"}),
    "metrics.get": lambda: metrics.get("no_such_metric"),
    "layers.deserialize": lambda: layers.deserialize({"class_name": "NoSuch", "config": {}}),
    "from_config": lambda: Dense.from_config({"units": 2, "actvation": "relu"}),
    "merging": lambda: layers.add([Input((3,)), Input((4,))]),
    "K on a list": lambda: K.concatenate([K.placeholder((2, 3)), K.ones((3, 4))], axis=0),
}


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_nothing_of_ours_is_shown(backend, entry_point):
    assert shown(ENTRY_POINTS[entry_point]) == ["<lambda>"]


class Broken(Layer):
    def call(self, inputs):
        return helper(inputs)


def helper(inputs):
    return K.dot(inputs, K.ones((7, 2)))


def broken_loss(y_true, y_pred):
    return helper(y_pred)


class BrokenCallback(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyError("mine")


class BrokenData:
    def __iter__(self):
        yield X, Y
        raise OSError("disk")


def test_the_frames_of_a_layer_stay(backend):
    assert shown(lambda: Broken()(Input((3,)))) == ["<lambda>", "call", "helper"]
    assert shown(lambda: Sequential([Broken(input_shape=(3,))])) == ["<lambda>", "call", "helper"]


def test_the_frames_of_a_loss_stay(backend):
    net = model()
    net.compile("sgd", broken_loss)
    assert shown(lambda: net.fit(X, Y, verbose=0))[:3] == ["<lambda>", "broken_loss", "helper"]


def test_the_frames_of_a_callback_stay(backend):
    error = error_of(lambda: model().fit(X, Y, verbose=0, callbacks=[BrokenCallback()]))
    assert functions_in(error) == ["<lambda>", "on_epoch_end"]
    assert isinstance(error, KeyError)


def test_the_frames_of_a_generator_stay(backend):
    net = model()
    error = error_of(lambda: net.fit_generator(iter(BrokenData()), steps_per_epoch=3, epochs=1, verbose=0))
    assert isinstance(error, OSError)
    assert functions_in(error)[-1] == "__iter__"


def test_causes_and_notes_stay_and_are_filtered_too(backend):
    class Chained(Layer):
        def call(self, inputs):
            try:
                return helper(inputs)
            except ValueError as error:
                raise RuntimeError("mine") from error

    error = error_of(lambda: Chained(name="mine_7")(Input((3,))))
    assert functions_in(error) == ["<lambda>", "call"]
    assert isinstance(error.__cause__, ValueError)
    assert [f.name for f in traceback.extract_tb(error.__cause__.__traceback__)] == ["call", "helper"]
    assert any("mine_7" in note for note in error.__notes__)


def test_an_error_that_rose_in_hidden_frames_says_how_to_see_them(backend, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("a fault of the library")  # a RuntimeError would be torch's for wrong arguments

    monkeypatch.setattr(type(backend), "reshape", types.FunctionType(fail.__code__, {"__name__": "keras_front_mine"}))
    error = error_of(lambda: K.reshape(K.constant(X), (3, 4)))
    assert not isinstance(error, KerasFrontError)
    assert functions_in(error) == ["<lambda>"]
    assert sum("disable_traceback_filtering" in note for note in error.__notes__) == 1


def test_errors_of_the_users_own_code_carry_no_hint(backend):
    class Raises(Layer):
        def call(self, inputs):
            raise ZeroDivisionError("mine")

    error = error_of(lambda: Raises()(Input((3,))))
    assert not any("disable_traceback_filtering" in note for note in error.__notes__)


def test_the_switch_shows_everything(backend):
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    assert len(shown(lambda: Broken()(Input((3,))))) > 6
    assert shown(lambda: Dense("many"))[-1] != "<lambda>"
    config.enable_traceback_filtering()
    assert shown(lambda: Dense("many")) == ["<lambda>"]


def test_a_debugger_finds_the_frame_of_the_user(backend):
    error = error_of(lambda: Sequential([Broken(input_shape=(3,))]))
    *_, last = traceback.walk_tb(error.__traceback__)
    assert "inputs" in last[0].f_locals
    assert last[0].f_code.co_name == "helper"


def test_printing_reads_as_the_user_wrote(backend):
    text = "".join(traceback.format_exception(error_of(lambda: Sequential([Broken(input_shape=(3,))]))))
    assert "return K.dot(inputs, K.ones((7, 2)))" in text
    assert str(Path(keras_front.__file__).parent) not in text


def test_a_handler_within_the_library_is_not_disturbed(backend):
    """Calls among our own functions leave tracebacks as they are; only the way out to the user is filtered."""
    net = Sequential([Lambda(lambda x: x * 2, input_shape=(3,))])
    net.compile("sgd", "mse")
    assert net.predict(X).shape == (4, 3)
    assert net.evaluate(X, X, verbose=0) == 0.0


def test_a_cycle_of_causes_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first

    def entry_point():
        try:
            raise first
        except ValueError as error:
            tracebacks.hide_internal_frames(error)
            raise

    assert error_of(entry_point) is first


def test_boundaries_keep_name_signature_and_documentation():
    import inspect

    assert Model.predict.__name__ == "predict"
    assert "batch_size" in inspect.signature(Model.predict).parameters
    assert inspect.signature(load_model).parameters["allow_code"].default is False
    assert Layer.__call__.__doc__
    assert initializers.get("zeros") is not None


def test_what_is_a_boundary_already_is_not_wrapped_again():
    assert tracebacks.api_boundaries("fit")(type("Sub", (Model,), {})).fit is Model.fit
