"""The function of a Lambda: itself within the process, code with permission from a file, a name where it has one."""

from __future__ import annotations

import copy
import functools
import json
import pickle

import numpy as np
import pytest

from keras_front import activations, bytecode, layers
from keras_front import backend as K
from keras_front.errors import SerializationError, UnsafeFileError
from keras_front.models import Model, Sequential, clone_model, load_model, model_from_config, model_from_json

X = np.array([[1.0, -2.0, 3.0]], "float32")
FACTOR = 5.0


def of_module(x):
    return FACTOR * x


def with_default(x, by=2.0, *, add=1.0):
    return x * by + add


def nested():
    scale, offsets = 3.0, np.array([1.0, 2.0, 3.0], "float32")

    def helper(t):
        return t * scale

    def outer(x):
        def inner(t):
            return helper(t) + offsets

        return inner(x)

    return outer


def recursive():
    def power(x, n=3):
        return x if n == 1 else x * power(x, n - 1)

    return power


FUNCTIONS = {
    "lambda": (lambda x: x * 2.0, X * 2),
    "def": (of_module, X * 5),
    "defaults": (with_default, X * 2 + 1),
    "nested": (nested(), X * 3 + [1, 2, 3]),
    "recursive": (recursive(), X**3),
    "op of K": (K.square, X**2),
    "activation": (activations.relu, np.maximum(X, 0)),
}


def model_of(function):
    return Sequential([layers.Lambda(function, input_shape=(3,), name="f")])


def value(model):
    return np.asarray(model.predict(X))


@pytest.mark.parametrize("case", FUNCTIONS)
def test_code_that_never_left_the_process_needs_no_permission(backend, case):
    function, expected = FUNCTIONS[case]
    model = model_of(function)
    x = layers.Input((3,))
    functional = Model(x, layers.Lambda(function)(x))
    wrapped = Sequential([layers.TimeDistributed(layers.Lambda(function), input_shape=(1, 3))])
    for again in (
        clone_model(model), Sequential.from_config(model.get_config()), copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)), clone_model(functional), Model.from_config(functional.get_config()),
        model_from_config({"class_name": "Sequential", "config": model.get_config()}),
        Sequential.from_config(copy.deepcopy(model.get_config())),
    ):  # fmt: skip
        np.testing.assert_allclose(value(again), expected, rtol=1e-6)
    np.testing.assert_allclose(clone_model(wrapped).predict(X[:, None])[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("case", FUNCTIONS)
def test_code_in_a_file_is_run_with_permission_only(backend, case, tmp_path):
    function, expected = FUNCTIONS[case]
    model = model_of(function)
    for name in ("m.h5", "m.keras"):
        path = str(tmp_path / name)
        model.save(path)
        if case not in ("op of K", "activation"):
            with pytest.raises(UnsafeFileError, match="allow_code"):
                load_model(path)
        np.testing.assert_allclose(value(load_model(path, allow_code=True)), expected, rtol=1e-6)
    text = model.to_json()
    np.testing.assert_allclose(value(model_from_json(text, allow_code=True)), expected, rtol=1e-6)


def test_the_users_function_takes_the_place_of_code(tmp_path):
    path = str(tmp_path / "m.h5")
    model_of(with_default).save(path)
    for name in ("with_default", "f"):
        again = load_model(path, custom_objects={name: lambda x: x * 7.0})
        np.testing.assert_allclose(value(again), X * 7)


def test_the_form_is_that_of_keras_2():
    config = layers.Lambda(with_default).get_config()
    assert (config["function_type"], config["module"], config["output_shape_type"]) == ("lambda", __name__, "raw")
    code, defaults, closure = config["function"]
    assert isinstance(code, str)
    assert (list(defaults), closure) == ([2.0], None)
    assert bytecode.name_in(config["function"]) == "with_default"


def test_mask_and_output_shape_are_written_too(tmp_path):
    layer = layers.Lambda(lambda x: x[:, :2], output_shape=lambda s: (s[0], 2), mask=lambda x, mask: mask, name="cut")
    config = json.loads(json.dumps(layer.get_config()))
    with bytecode.permit():
        again = layers.Lambda.from_config(config)
    assert again.compute_output_shape((None, 3)) == (None, 2)
    assert again.compute_mask(None, "the mask") == "the mask"


def test_what_json_has_no_words_for_is_named_when_written():
    class Thing:
        factor = 2.0

    thing = Thing()
    model = model_of(lambda x: x * thing.factor)
    np.testing.assert_allclose(value(clone_model(model)), X * 2)
    with pytest.raises(SerializationError, match="closure or a default holds a Thing"):
        model.to_json()


def test_a_callable_without_code_needs_its_name():
    model = model_of(functools.partial(with_default, by=4.0))
    np.testing.assert_allclose(value(copy.deepcopy(model)), X * 4 + 1)


def test_no_code_is_read_to_find_a_name():
    text = "AAAA" * 100
    assert bytecode.name_in([text, None, None]) is None
    assert bytecode.name_in(None) is None
    with bytecode.permit(), pytest.raises(SerializationError, match="cannot read"):
        bytecode.load([text, None, None])
