"""YAML: models written and read, what PyYAML wrote, and texts that ask for more than data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_front import models
from keras_front.errors import SerializationError, UnsafeFileError
from keras_front.layers import LSTM, Conv2D, Dense, Flatten, Input, Lambda, concatenate
from keras_front.models import Model, Sequential, model_from_yaml
from keras_front.saving import yaml

# Written by PyYAML 6.0.4: yaml.dump of {"class_name": "Sequential", "config": {"layers": [...], "name": "s"}} with
# shapes as tuples, one of them twice; then the same with default_flow_style=True and width=40.
BLOCK = """\
class_name: Sequential
config:
  layers:
  - class_name: Dense
    config:
      activation: relu
      batch_input_shape: &id001 !!python/tuple
      - null
      - 3
      kernel_regularizer:
        class_name: L1L2
        config:
          l1: 0.0
          l2: 1.0e-07
      name: "it's \\xFC"
      units: 4
  - class_name: Reshape
    config:
      target_shape: !!python/tuple
      - 2
      - 2
      batch_input_shape: *id001
  name: s
keras_version: 2.3.1
"""
FLOW = """\
{class_name: Sequential, config: {layers: [
      {class_name: Dense, config: {activation: relu,
          batch_input_shape: &id001 !!python/tuple [
            null, 3], kernel_regularizer: {
            class_name: L1L2, config: {l1: 0.0,
              l2: 1.0e-07}}, name: "it's \\xFC",
          units: 4}}, {class_name: Reshape, config: {
          target_shape: !!python/tuple [2, 2],
          batch_input_shape: *id001}}], name: s},
  keras_version: 2.3.1}
"""


@pytest.mark.parametrize("text", [BLOCK, FLOW])
def test_what_pyyaml_wrote_is_read(text):
    made = model_from_yaml(text)
    assert [type(layer).__name__ for layer in made.layers] == ["Dense", "Reshape"]
    assert made.layers[0].name == "it's ü"
    assert made.layers[0].get_config()["kernel_regularizer"]["config"] == {"l1": 0.0, "l2": 1e-7}
    assert made.output_shape == (None, 2, 2)


def several() -> list[Model]:
    x = Input((6, 6, 1))
    branch = Flatten()(Conv2D(2, 3, data_format="channels_last", name="a: b")(x))
    functional = Model(x, Dense(2, kernel_initializer="he_normal")(concatenate([branch, branch])))
    nested = Sequential([Sequential([Dense(3, input_shape=(2,))]), Dense(1, kernel_constraint="non_neg")])
    recurrent = Sequential([LSTM(3, input_shape=(None, 2), return_sequences=True), Dense(1)])
    return [functional, nested, recurrent]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("sort_keys", [True, False])
def test_models_survive(number, sort_keys):
    model = several()[number]
    again = model_from_yaml(model.to_yaml(sort_keys=sort_keys))
    assert again.to_json(sort_keys=True) == model.to_json(sort_keys=True)
    again.set_weights(model.get_weights())
    x = np.ones([2, *(5 if n is None else n for n in model.input_shape[1:])], "float32")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_the_text_reads_as_keras_wrote_it():
    text = Sequential([Dense(4, input_shape=(3,), name="first")], name="s").to_yaml()
    lines = text.splitlines()
    assert lines[0].startswith("backend: ")
    assert "class_name: Sequential" in lines
    assert "      batch_input_shape:" in lines
    assert lines[lines.index("      batch_input_shape:") + 1 :][:2] == ["      - null", "      - 3"]


VALUES = [
    None, True, 0, -7, 1.5, 1e-7, 1e300, math.inf, -math.inf, "", " ", "relu", "yes", "null", "~", "1", "1.0", "a: b",
    "- x", "x # y", "it's", 'say "hi"', "two\nlines\n\n", "tab\t", "\u2028", "ü", "\U0001f600", "\\", "0o7", "012", "=",
    "&a", "*a", "!!a", "%", "@", "`", "[", "{}", "...", "---", [], {}, [[]], [[1, [2]], {}], {"a": {"b": [{"c": 1}]}},
    [{"a": 1, "b": [1, 2]}, {"c": {}}], {"a b": 1, "x/y:0": 2, "it's": 3, "1": 4, "yes": 5},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_survive(value):
    for whole in (value, [value], {"key": value}, [[value], {"k": [value, value]}]):
        assert yaml.parse(yaml.dump(whole)) == whole


def test_not_a_number_survives():
    assert math.isnan(yaml.parse(yaml.dump([math.nan]))[0])


READ = {
    "%YAML 1.1\n---\na: 1\n...\n": {"a": 1},
    "--- {a: 1}": {"a": 1},
    "# only this\n": None,
    "a:   # a remark\n  b: 2 # another\n": {"a": {"b": 2}},
    "a: long text\n  that goes on\nb: 'quoted\n  too'": {"a": "long text that goes on", "b": "quoted too"},
    'a: "one\\\n  two \\u00fc\\x41\\\n  \\ three"': {"a": "onetwo üA three"},
    "a: 'one\n\n  two'": {"a": "one\ntwo"},
    "a: [1, [2, {b: 3}], 'x, y', ~,]": {"a": [1, [2, {"b": 3}], "x, y", None]},
    '{"a":1,"b":[true,"c"]}': {"a": 1, "b": [True, "c"]},
    "- - 1\n  - 2\n- a: 1\n  b: 2\n-\n  - 3\n": [[1, 2], {"a": 1, "b": 2}, [3]],
    "a: 0x1F\nb: 017\nc: 1_000\nd: .5\ne: +1.5e+3\nf: off": {"a": 31, "b": 15, "c": 1000, "d": 0.5, "e": 1500.0,
                                                                         "f": False},
    "a: &x [1]\nb: *x\nc: !!str text\nd: !!python/unicode 'u'": {"a": [1], "b": [1], "c": "text", "d": "u"},
}  # fmt: skip


@pytest.mark.parametrize("text", READ, ids=repr)
def test_texts_of_others_are_read(text):
    assert yaml.parse(text) == READ[text]


HOSTILE = [
    "!!python/object/apply:os.system ['echo broken']",
    "a: !!python/object/apply:os.system\n- echo broken\n",
    "a: !!python/name:os.system",
    "- !!python/object/new:type\n  args: [x]\n",
    "{a: [!!python/module:os ]}",
    "a: !local value",
    "a: !!binary aGk=",
    "a: !<tag:yaml.org,2002:python/object/apply:os.system> [x]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_tags_that_make_objects_are_refused(text):
    with pytest.raises(UnsafeFileError, match="asks for an object to be made"):
        yaml.parse(text)
    with pytest.raises(UnsafeFileError):
        model_from_yaml(text)


def laughs(block: bool) -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 12):
        many = ", ".join([f"*a{n - 1}"] * 10)
        rows.append(f"a{n}: &a{n} [{many}]" if not block else f"a{n}: &a{n}\n" + f"- *a{n - 1}\n" * 10)
    return "\n".join(rows)


@pytest.mark.parametrize(
    "text",
    [
        laughs(False),
        laughs(True),
        "[" * 100_000,
        "[" * 1000 + "]" * 1000,
        "- " * 5000 + "x",
        "".join(" " * n + "a:\n" for n in range(1000)),
        "a: [" + "x,\n" * 5000,
        "a: 'x\n" + "y\n" * 5000,
        "x" * (33 << 20),
    ],
    ids=[
        "laughs",
        "laughs in blocks",
        "open",
        "deep",
        "deep items",
        "deep keys",
        "endless list",
        "endless text",
        "long",
    ],
)
def test_texts_made_to_exhaust_the_reader_are_refused(text):
    with pytest.raises((UnsafeFileError, SerializationError)):
        yaml.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2: .* the key 'a' twice"),
        ("a: 1\n  b: 2", "received 'b: 2'"),
        ("a: [1, 2", "bracket or quote at the end"),
        ("a: 'x", "bracket or quote at the end"),
        ("a: *nothing", "stands for nothing above"),
        ("a: |\n  text", "received"),
        ("a: [1 2] x", "after the closing bracket"),
        ("a: {b: 1: c}", "where a comma or '}' belongs"),
        ("- a\nb: 1", "belongs to nothing"),
        ('a: "\\q"', "an escape that YAML knows"),
        ("a: 'x' y", "nothing after the closing quote"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(text, message):
    with pytest.raises(SerializationError, match=message):
        yaml.parse(text)


def test_a_text_that_is_no_model():
    with pytest.raises(SerializationError, match=r"model_from_yaml: expected a dictionary with 'class_name'"):
        model_from_yaml("- 1\n- 2\n")
    with pytest.raises(SerializationError, match="Cannot write"):
        yaml.dump({"a": object()})


def test_code_needs_permission():
    text = Sequential([Lambda(lambda x: x * 2, input_shape=(2,))]).to_yaml()
    with pytest.raises(UnsafeFileError):
        model_from_yaml(text)
    made = model_from_yaml(text, allow_code=True)
    np.testing.assert_array_equal(made.predict(np.ones((1, 2), "float32")), [[2, 2]])


def test_custom_objects_are_passed_on():
    class Mine(Dense):
        pass

    text = Sequential([Mine(2, input_shape=(3,))]).to_yaml()
    with pytest.raises(ValueError, match="Unknown layer 'Mine'"):
        model_from_yaml(text)
    assert isinstance(model_from_yaml(text, {"Mine": Mine}).layers[0], Mine)
    assert models.model_from_yaml is model_from_yaml
