"""Models and functions as graphs of ONNX: right by ONNX Runtime, valid by its checker, readable, or refused."""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx_trials import layer_outcome, op_outcome, run

from keras_front import backend as K
from keras_front.backend.op import OPS, primitives
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, MissingPackageError, SerializationError
from keras_front.export.onnx import EMITTERS, REFUSED, build, record
from keras_front.export.onnx.file import onnx_model
from keras_front.layers import (
    LSTM,
    AdaptiveAveragePooling2D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalMaxPooling1D,
    Input,
    Lambda,
    TextVectorization,
)  # fmt: skip
from keras_front.models import Model, Sequential
from keras_front.testing import conformance, layers

RNG = np.random.default_rng(5)


# The table of emitters -----------------------------------------------------------------------------------------


def test_every_primitive_has_an_emitter_or_a_reason():
    assert set(primitives()) <= set(EMITTERS) | set(REFUSED) <= set(OPS)
    assert {name for name in REFUSED if OPS[name].kind != "primitive"} == set()
    assert all(len(reason) > 30 for reason in REFUSED.values())


def test_an_emitter_writes_what_numpy_computes():
    wrong = {}
    for op in sorted(set(EMITTERS) & set(conformance.table())):
        for case in conformance.table()[op][:2]:
            found = op_outcome(op, case)
            if found.refused or not found.difference < 1e-5:
                wrong[op, repr(case)] = found
    assert not wrong


INTEGERS = np.array([-(2**31), -3, -1, 0, 1, 2, 7], "int32")


@pytest.mark.parametrize("op", ["floor_divide", "mod", "power", "right_shift"])
def test_integers_are_as_in_k_at_their_edges(op):
    """By 0, the least by -1, to large and negative powers; by constants too, which need fewer nodes."""
    for case in conformance.table()[op]:
        assert op_outcome(op, case).difference < 1e-5, case
    fn = getattr(K, op)
    for other in (2, -1, 0, [2, -3, 0, 5, 1, -1, 31]):
        other = np.broadcast_to(np.int32(other), INTEGERS.shape)
        made = build(
            record(lambda x, other=other: [fn(x, K.constant(other, "int32"))], [SymbolicTensor((7,), "int32")])
        )
        with K.use_backend("numpy"):
            np.testing.assert_array_equal(run(made, [INTEGERS])[0], fn(INTEGERS, other), str(other))
        if op == "power" and other.max() == 2:
            assert len(made.proto.graph.node) < 20


# Each layer here stands for a way of being written; `make test-onnx` has all of them.
WAYS = {
    "LSTM": {"LSTM"}, "GRU": {"GRU"}, "SimpleRNN": {"RNN"}, "ConvLSTM2D": {"Scan"}, "DepthwiseConv2D": {"Conv"},
    "Conv2DTranspose": {"ConvTranspose"}, "LayerNormalization": {"LayerNormalization"}, "Embedding": {"Gather"},
    "BatchNormalization": {"BatchNormalization"}, "MultiHeadAttention": {"Softmax"}, "Bidirectional": {"LSTM"},
}  # fmt: skip


@pytest.mark.parametrize("layer", WAYS)
def test_a_layer_is_right_with_an_open_batch(layer):
    outcomes = [layer_outcome(case) for case in layers.table()[layer][:3]]
    assert [o.refused for o in outcomes if o.refused] == []
    assert max(o.difference for o in outcomes) < 1e-5
    assert WAYS[layer] <= set().union(*(o.operators for o in outcomes))


@pytest.mark.parametrize(
    "layer", ["AdaptiveAveragePooling2D", "CenterCrop", "Resizing", "UpSampling2D", "Conv2DTranspose"]
)
def test_a_layer_with_every_size_open_is_right_or_refused(layer):
    for case in layers.table()[layer][:3]:
        found = layer_outcome(case, known=False, batches=(2,))
        assert found.difference < 1e-5 if not found.refused else "needs every size" in found.refused


# Models --------------------------------------------------------------------------------------------------------


def test_on_any_backend_the_same_file_is_written(backend, tmp_path):
    model = Sequential([Dense(3, activation="relu", input_shape=(4,), name="first"), Dense(2, name="last")], name="net")
    weights = [RNG.normal(size=w.shape).astype("float32") for w in model.weights]
    model.set_weights(weights)
    model.export(tmp_path / "net.onnx")
    proto = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(proto, full_check=True)
    x = RNG.normal(size=(5, 4)).astype("float32")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(["last"], {"first_input": x})
    kernel, bias, second, shift = weights
    np.testing.assert_allclose(got, np.maximum(x @ kernel + bias, 0) @ second + shift, rtol=1e-5, atol=1e-6)


def test_names_are_for_people():
    x = Input((4,), name="measured")
    model = Model(x, [Dense(3, name="mean")(x), Dense(1, name="spread")(x)], name="net")
    proto = onnx_model(model).proto
    graph = proto.graph
    assert [i.name for i in graph.input] == ["measured"]
    assert [d.dim_param or d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] == ["batch", 4]
    assert [o.name for o in graph.output] == ["mean", "spread"]
    assert [n.name for n in graph.node] == ["mean/Gemm", "spread/Gemm"]
    assert sorted(i.name for i in graph.initializer) == ["mean/bias", "mean/kernel", "spread/bias", "spread/kernel"]
    assert (proto.producer_name, graph.name) == ("keras_front", "net")
    assert "'net'" in proto.doc_string
    assert onnx_model(model, doc="Made for a trial.").proto.doc_string == "Made for a trial."


def test_masked_steps_in_the_middle_do_not_count():
    model = Sequential([Embedding(9, 3, mask_zero=True, input_shape=(None,)), LSTM(4, return_sequences=True)])
    x = np.array([[0, 3, 0, 0, 5, 8, 0], [1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]], "float32")
    with K.use_backend("numpy"):
        np.testing.assert_allclose(run(onnx_model(model), [x])[0], model.predict(x), atol=1e-6)


def test_the_state_of_layers_is_held_or_goes_in_and_out():
    model = Sequential([LSTM(2, stateful=True, batch_input_shape=(3, 4, 2), name="memory")])
    x = RNG.normal(size=(3, 4, 2)).astype("float32")
    with K.use_backend("numpy"):
        first, second = model.predict(x, batch_size=3), model.predict(x, batch_size=3)
        model.reset_states()
        with pytest.warns(UserWarning, match="each run begins with the present memory/"):
            held = onnx_model(model)
        made = onnx_model(model, state=True)
    np.testing.assert_allclose(run(held, [x])[0], first, atol=1e-6)
    zeros = [np.zeros(t.shape, t.dtype) for t in made.inputs.values()][:-1]
    outputs = run(made, [*zeros, x])
    assert [f"{name}_next" for name in list(made.inputs)[:-1]] == list(made.outputs)[1:]
    np.testing.assert_allclose(outputs[0], first, atol=1e-6)
    np.testing.assert_allclose(run(made, [*outputs[1:], x])[0], second, atol=1e-6)


def test_the_opset_is_chosen():
    model = Sequential([Dense(2, activation="softmax", input_shape=(3,))])
    for opset in (13, 18, 23):
        made = onnx_model(model, opset)
        assert made.proto.opset_import[0].version == opset
        assert run(made, [np.ones((2, 3), "float32")])[0].shape == (2, 2)
    with pytest.raises(ArgumentError, match="expected an opset from 13 to 23, received 12"):
        onnx_model(model, 12)


def test_a_signature_fixes_sizes():
    model = Sequential([Conv2D(2, 3, input_shape=(None, None, 1)), AdaptiveAveragePooling2D(2), Flatten()])
    with pytest.raises(SerializationError, match=r"layer 'adaptive_average_pooling2d_\d+': .*input_signature"):
        onnx_model(model)
    made = onnx_model(model, input_signature=[(None, 8, 6, 1)])
    x = RNG.normal(size=(2, 8, 6, 1)).astype("float32")
    with K.use_backend("numpy"):
        np.testing.assert_allclose(run(made, [x])[0], model.predict(x), atol=1e-6)
    with pytest.raises(ArgumentError, match="is no shape of the input"):
        onnx_model(model, input_signature=[(None, 8, 6, 3)])
    with pytest.raises(ArgumentError, match="expected 1 shapes, received 2"):
        onnx_model(model, input_signature=[(None, 8, 6, 1)] * 2)


@pytest.mark.parametrize("is_asked", [True, False])
def test_weights_may_lie_beside_the_model(is_asked, monkeypatch, tmp_path):
    if not is_asked:  # `build` of the package is the function
        monkeypatch.setattr(import_module("keras_front.export.onnx.build"), "INLINE", 5000)
    model = Sequential([Dense(50, input_shape=(30,))])
    model.export(tmp_path / "m.onnx", external_data=is_asked or None)
    assert (tmp_path / "m.onnx").stat().st_size < 2000 < (tmp_path / "m.onnx.data").stat().st_size
    x = RNG.normal(size=(2, 30)).astype("float32")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    with K.use_backend("numpy"):
        np.testing.assert_allclose(session.run(None, {session.get_inputs()[0].name: x})[0], model.predict(x), atol=1e-5)


def test_a_subclassed_model_is_written_after_its_first_call():
    class Net(Model):
        def __init__(self):
            super().__init__(name="own")
            self.inner = Dense(3, name="inner")

        def call(self, x):
            return K.tanh(self.inner(x)) + K.sum(x, axis=-1, keepdims=True)

    model, x = Net(), RNG.normal(size=(2, 4)).astype("float32")
    with K.use_backend("numpy"):
        want = model.predict(x)
        made = onnx_model(model)
    assert "inner/Gemm" in [n.name for n in made.proto.graph.node]
    np.testing.assert_allclose(run(made, [x])[0], want, atol=1e-6)


def test_noise_has_its_distribution_and_weights_inside_are_held():
    scale = K.variable(3.0, name="scale")
    model = Sequential([Lambda(lambda x: x + scale * K.random_normal(K.shape(x)), input_shape=(5000,))])
    (got,) = run(onnx_model(model), [np.full((2, 5000), 7, "float32")])
    assert abs(got.mean() - 7) < 0.2
    assert abs(got.std() - 3) < 0.2


# What cannot go ------------------------------------------------------------------------------------------------


def test_what_has_no_operator_names_layer_and_op():
    model = Sequential([Lambda(lambda x: K.inv(x), input_shape=(3, 3), name="inverse")])
    with pytest.raises(SerializationError, match=r"layer 'inverse': the op 'solve' .* no operator for systems of"):
        onnx_model(model)


def test_layers_of_strings_are_refused():
    words = TextVectorization(vocabulary=["a", "b"], output_sequence_length=3, name="words")
    x = Input((), dtype="string")
    model = Model(x, GlobalMaxPooling1D()(Embedding(4, 2)(words(x))))
    with pytest.raises(SerializationError, match=r"layer 'words' \(TextVectorization\) looks up strings"):
        onnx_model(model)


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    for name in [n for n in sys.modules if n.startswith("keras_front.export.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'keras-front\[onnx\]'"):
        Sequential([Dense(1, input_shape=(1,))]).export(tmp_path / "m.onnx")


# Functions -----------------------------------------------------------------------------------------------------


def test_a_function_of_k_is_written(tmp_path):
    x, w = K.placeholder((None, 2), name="x"), K.variable([[1.0], [2.0]], name="w")
    function = K.function([x, K.learning_phase()], [K.dot(x, w), K.in_train_phase(x * 0, x)])
    function.to_onnx(tmp_path / "f.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "f.onnx", providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["x"]
    product, same = session.run(None, {"x": np.array([[3, 4]], "float32")})
    assert (product.tolist(), same.tolist()) == ([[11.0]], [[3.0, 4.0]])
    assert "w" in [i.name for i in function.to_onnx().graph.initializer]


def test_gradients_go_too():
    x = K.placeholder((3,), name="x")
    gradient = K.gradients(K.sum(K.square(x) * K.exp(x)), x)[0]
    at = np.array([0.5, -1, 2], "float32")
    session = onnxruntime.InferenceSession(K.function([x], gradient).to_onnx().SerializeToString())
    np.testing.assert_allclose(session.run(None, {"x": at})[0], (2 * at + at**2) * np.exp(at), rtol=1e-5)


def test_a_function_with_updates_is_refused():
    x, v = K.placeholder(()), K.variable(0.0)
    with pytest.raises(ArgumentError, match="the function has updates"):
        K.function([x], [x], [(v, x)]).to_onnx()
