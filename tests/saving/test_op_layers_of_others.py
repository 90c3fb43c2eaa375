"""Ops as layers in the configs of tf.keras and Keras 3: read with the numbers that these computed, written back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from keras_front.errors import SerializationError, UnsafeFileError
from keras_front.graph import OpLayer
from keras_front.models import Model, load_model, model_from_config, model_from_json

CASES = json.loads((Path(__file__).parent / "op_layers.json").read_text())


def agree(model, case):
    found = model.predict([np.asarray(x, "float32") for x in case["x"]])
    np.testing.assert_allclose(found, case["y"], rtol=2e-5, atol=2e-6)


@pytest.mark.few_compiled(15)
@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_the_writer(backend, name):
    case = CASES[name]
    model = model_from_json(json.dumps(case["config"]))
    agree(model, case)
    agree(Model.from_config(model.get_config()), case)


@pytest.mark.parametrize("name", CASES)
def test_files_of_ours_with_them(name, tmp_path):
    case = CASES[name]
    model = model_from_config(case["config"])
    for file in ("m.h5", "m.keras"):
        model.save(str(tmp_path / file))
        agree(load_model(str(tmp_path / file)), case)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("keras")])
def test_configs_without_modules(name):
    """HDF5 files of Keras 3 leave the modules out."""
    case = CASES[name]
    layers = [{k: v for k, v in entry.items() if k != "module"} for entry in case["config"]["config"]["layers"]]
    agree(model_from_config({**case["config"], "config": {**case["config"]["config"], "layers": layers}}), case)


def graph(kind, config, node):
    x = {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
         "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "x"}}  # fmt: skip
    op = {"class_name": kind, "name": "op", "config": {"name": "op", **config}, "inbound_nodes": [node]}
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["op", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": [x, op], **ends}}


X = np.array([[0.1, 0.4, 0.2, 0.3], [0.5, 0.8, 0.6, 0.7]], "float32")
ENTRY = [["x", 0, 0, {}]]


def definition(op, constants=None, **attributes):
    return {"node_def": {"name": "n", "op": op, "input": ["x"], "attr": attributes}, "constants": constants or {}}


MASKS = {"begin_mask": {"i": "1"}, "end_mask": {"i": "1"}}
DEFINITIONS = {
    "add": (definition("AddV2", {"1": 1.0}), X + 1),
    "subtract from": (definition("Sub", {"0": 1.0}), 1 - X),
    "mean": (definition("Mean", {"1": [1]}, keep_dims={"b": True}), X.mean(1, keepdims=True)),
    "sum": (definition("Sum", {"1": -1}, keep_dims={"b": False}), X.sum(1)),
    "reshape": (definition("Reshape", {"1": [-1, 2, 2]}), X.reshape(-1, 2, 2)),
    "slice": (definition("StridedSlice", {"1": [0, 1], "2": [0, 3], "3": [1, 1]}, **MASKS), X[:, 1:3]),
    "pick": (
        definition("StridedSlice", {"1": [0, 2], "2": [0, 3], "3": [1, 1]}, shrink_axis_mask={"i": "2"}, **MASKS),
        X[:, 2],
    ),
    "cast": (definition("Cast", DstT={"type": "DT_INT32"}), X.astype("int32")),
    "squeeze": (definition("ExpandDims", {"1": -1}), X[..., None]),
    "concatenate": (definition("ConcatV2", {"1": 1}), X),
    "relu": (definition("Relu"), X),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_operations_of_the_first_tf_keras(name):
    """`TensorFlowOpLayer` of TensorFlow 2.0 to 2.3, whose config is the definition of a node."""
    config, expected = DEFINITIONS[name]
    model = model_from_config(graph("TensorFlowOpLayer", config, ENTRY))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_an_op_that_is_not_known_is_named():
    told = graph("TFOpLambda", {"function": "strings.lower"}, ["x", 0, 0, {}])
    with pytest.raises(SerializationError, match=r"'op' is the op 'strings.lower'"):
        model_from_config(told)
    told = graph("TFOpLambda", {"function": "math.count_nonzero"}, ["x", 0, 0, {"axis": 1, "dtype": "float32"}])
    assert model_from_config(told).output.dtype == "float32"


def test_our_json_says_ops_as_tf_keras_does():
    model = model_from_config(graph("TFOpLambda", {"function": "math.multiply"}, ["x", 0, 0, {"y": 2}]))
    entry = json.loads(model.to_json())["config"]["layers"][1]
    assert (entry["class_name"], entry["config"]["function"]) == ("TFOpLambda", "math.multiply")
    assert entry["inbound_nodes"] == [["x", 0, 0, {"y": 2}]]
    assert isinstance(model.get_layer("op"), OpLayer)


def test_sizes_that_no_model_has_are_refused():
    told = graph("TFOpLambda", {"function": "one_hot"}, ["x", 0, 0, {"depth": 10**12}])
    with pytest.raises(UnsafeFileError, match="num_classes up to 10,000,000"):
        model_from_config(told)
