"""Functions of TensorFlow and ops of Keras 3 between layers, with the numbers that TensorFlow and Keras computed."""

from __future__ import annotations

import functools
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from record_functions_between_layers import FILE, inputs

from keras_front import tf_names
from keras_front.errors import SerializationError
from keras_front.graph import OpLayer
from keras_front.models import load_model, model_from_config, model_from_json
from keras_front.testing.selection import VARIABLE

PARTS = 12  # each part takes every twelfth case; all of them run where all is asked for


@functools.cache
def recorded():
    with zipfile.ZipFile(FILE) as archive:
        return json.loads(archive.read("cases.json"))


def cases(way, part=None):
    found = [(text, case) for text, case in recorded()[way].items() if case["y"] is not None]
    return found if os.environ.get(VARIABLE) or part is None else found[part::PARTS]


def agree(model, text, case):
    want = np.asarray(case["y"])
    got = np.asarray(model.predict(inputs(), batch_size=3))
    np.testing.assert_allclose(got.astype(want.dtype), want, rtol=2e-5, atol=3e-6, err_msg=text)


@pytest.mark.parametrize("way", ["eager", "graph", "keras3"])
def test_numbers_are_those_of_the_writer(backend, way):
    for text, case in cases(way, part=["numpy", "torch", "jax", "tensorflow"].index(backend.name) * 3):
        agree(model_from_config(case["config"]), text, case)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["eager", "graph", "keras3"])
def test_every_one_is_read(way):
    """The result has the shape that the writer had, wherever it is known before the numbers are."""
    for text, case in cases(way):
        model = model_from_config(case["config"])
        want = np.shape(case["y"])
        known = [size in (None, wanted) for size, wanted in zip(model.output_shape, want, strict=True)]
        assert all(known), (text, model.output_shape, want)


def test_files_of_ours_hold_them(tmp_path):
    """Functions that are no op of K keep their names in JSON, HDF5 and archives."""
    chosen = ["tf.math.squared_difference(a,b)", "tf.nn.moments(a,[1])[1]", "tf.clip_by_norm(a,1.)"]
    for text in chosen:
        case = recorded()["eager"][text]
        model = model_from_config(case["config"])
        agree(model_from_json(model.to_json()), text, case)
        for name in ("m.h5", "m.keras"):
            model.save(str(tmp_path / name))
            agree(load_model(str(tmp_path / name)), text, case)
    entry = json.loads(model_from_config(recorded()["eager"][chosen[0]]["config"]).to_json())["config"]["layers"][-1]
    assert (entry["class_name"], entry["config"]["function"]) == ("TFOpLambda", "math.squared_difference")


def test_what_tf_keras_does_not_write_is_said():
    lost = [text for text, case in recorded()["eager"].items() if case["y"] is None]
    assert len(lost) > 5
    for text in lost:
        with pytest.raises(SerializationError, match="which is not in the file"):
            model_from_config(recorded()["eager"][text]["config"])


def test_attributes_that_change_the_numbers_are_not_dropped():
    definition = {"name": "op", "op": "DepthToSpace", "attr": {"block_size": {"i": "2"}, "unheard": {"i": "3"}}}
    x = {"class_name": "InputLayer", "name": "x", "inbound_nodes": [], "config": {
        "batch_input_shape": [None, 4, 4, 1], "dtype": "float32", "name": "x"}}  # fmt: skip
    op = {"class_name": "TensorFlowOpLayer", "name": "op", "inbound_nodes": [[["x", 0, 0, {}]]],
          "config": {"name": "op", "node_def": definition, "constants": {}}}  # fmt: skip
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["op", 0, 0]]}
    with pytest.raises(SerializationError, match="DepthToSpace with unheard=3"):
        model_from_config({"class_name": "Functional", "config": {"name": "m", "layers": [x, op], **ends}})


@pytest.mark.parametrize("name", ["tf.nn.__doc__", "tf.os.system", "ops.os", "ops.nn.os", "ops._as_tensor", "ops.K"])
def test_a_config_names_no_other_function(name):
    with pytest.raises(ValueError, match="expected the name of an op"):
        OpLayer(name)


def test_names_of_tensorflow():
    assert tf_names.find("math.squared_difference") is tf_names.find("compat.v1.squared_difference")
    assert tf_names.find("image.resize") is not None
    assert tf_names.find("resize") is None
    assert Path(FILE).stat().st_size < 100_000


def test_an_identity_is_the_tensor_and_no_matrix():
    x = np.arange(3.0, dtype="float32")
    np.testing.assert_array_equal(tf_names.find("identity")(x), x)
