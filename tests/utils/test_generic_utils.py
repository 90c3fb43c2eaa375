"""Functions as data, names, and small helpers of `keras.utils.generic_utils`."""

from __future__ import annotations

import marshal

import numpy as np
import pytest

from keras_front.errors import ArgumentError
from keras_front.utils import generic_utils as g


def with_defaults(x, y=(2, 3)):
    return x * y[0] + y[1]


@pytest.mark.parametrize("function", [lambda x: x * 2, with_defaults], ids=["lambda", "def"])
def test_func_dump_and_load(function):
    dumped = g.func_dump(function)
    loaded = g.func_load(dumped)
    assert loaded.__code__ == function.__code__
    assert loaded.__defaults__ == function.__defaults__
    assert loaded(5) == function(5)
    assert g.func_load(list(dumped)).__defaults__ == function.__defaults__  # as JSON gives it back


def test_func_dump_and_load_a_closure():
    y = 3
    function = lambda x: x + y
    code, _, closure = g.func_dump(function)
    assert closure == (3,)
    loaded = g.func_load(code, closure=closure)
    assert loaded(1) == 4
    assert loaded.__closure__ == function.__closure__
    assert g.func_load(code, closure=function.__closure__)(1) == 4  # cells, as some versions kept them


def test_code_of_before_keras_2_1_2():
    code = marshal.dumps((lambda x: np.abs(x) + 1).__code__).decode("raw_unicode_escape")
    assert g.func_load(code)(-1) == 2
    assert g.func_load(code, globs={"np": type("Other", (), {"abs": staticmethod(lambda x: 7)})})(-1) == 8


def test_get_from_module():
    members = {"int": int, "pair": lambda a, b: (a, b)}
    assert g.get_from_module("int", members, "number") is int
    assert g.get_from_module("int", members, "number", instantiate=True) == 0
    assert g.get_from_module("pair", members, "x", True, {"a": 1, "b": 2}) == (1, 2)
    config = {"name": "pair", "a": 1, "b": 2}
    assert g.get_from_module(config, members, "x") == (1, 2)
    assert config["name"] == "pair"  # the caller's dict stays
    assert g.get_from_module(3, members, "number") == 3
    with g.custom_object_scope({"int": float}):
        assert g.get_from_module("int", members, "number") is float
    with pytest.raises(ValueError, match="Invalid number: nothing"):
        g.get_from_module("nothing", members, "number")


def test_getargspec_has_the_names_of_python2():
    spec = g.getargspec(lambda a, b=1, *c, **d: 0)
    assert (spec.args, spec.varargs, spec.keywords, spec.defaults) == (["a", "b"], "c", "d", (1,))


def test_names():
    assert [g.to_snake_case(n) for n in ("Dense", "Conv2D", "LSTM", "MaxPooling2D", "_Private")] == [
        "dense", "conv2d", "lstm", "max_pooling2d", "private__private",
    ]  # fmt: skip
    assert g.make_tuple(1, 2) == (1, 2)
    assert g.is_default(g.default(lambda: 0))
    assert not g.is_default(len)
    g.validate_kwargs({"a": 1}, {"a", "b"})
    with pytest.raises(TypeError, match="Keyword argument not understood: c"):
        g.validate_kwargs({"c": 1}, {"a", "b"})


def test_serialized_objects():
    from keras_front.layers import Dense

    config = g.serialize_keras_object(Dense(3, name="d"))
    assert config["class_name"] == "Dense"
    assert g.deserialize_keras_object(config, {"Dense": Dense}).units == 3
    with pytest.raises(ArgumentError, match="Unknown thing 'Nothing'"):
        g.deserialize_keras_object("Nothing", {}, printable_module_name="thing")


def test_progbar_force_and_finalize(capsys):
    bar = g.Progbar(10, interval=1000, unit_name="row")
    bar.redraws = True
    for i in range(1, 5):
        bar.update(i, [("loss", i)], force=i == 3)
    text = capsys.readouterr().out
    assert "3/10" in text
    assert "4/10" not in text
    bar.update(5, finalize=True)
    assert capsys.readouterr().out.endswith("\n")
    unknown = g.Progbar(None)
    unknown.update(7, finalize=True)
    assert "7/Unknown" in capsys.readouterr().out
    done = g.Progbar(2, unit_name="row")
    done.update(2)
    assert "/row" in capsys.readouterr().out


def test_messages_to_a_logger(capsys, caplog):
    assert g.is_interactive_logging_enabled()
    g.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="keras_front"):
            g.Progbar(2, verbose=1).update(2, [("loss", 0.5)])
            g.print_msg("done")
        assert capsys.readouterr().out == ""
        assert "loss: 0.5000" in caplog.messages[0]
        assert caplog.messages[-1] == "done"
    finally:
        g.enable_interactive_logging()
    g.print_msg("shown", line_break=False)
    assert capsys.readouterr().out == "shown"
