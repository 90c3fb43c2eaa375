"""Models made of tensors: wiring, order, shapes, masks, configs, what they say when something is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.errors import ArgumentError, ShapeError
from keras_front.models import Model, Sequential, clone_model, load_model, model_from_json


@pytest.fixture(autouse=True)
def fresh_names():
    K.reset_uids()


def two_towers() -> Model:
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    shared = L.Dense(3, activation="tanh", name="shared")
    both = L.Concatenate(name="both")([shared(a), shared(b)])
    return Model([a, b], [L.Dense(2, name="left")(both), L.Dense(1, name="right")(both)])


def test_several_inputs_outputs_and_a_shared_layer(backend):
    model = two_towers()
    x, y = np.ones((5, 4), "float32"), np.zeros((5, 4), "float32")
    left, right = (K.to_numpy(v) for v in model([x, y]))
    shared, last = model.get_layer("shared"), model.get_layer("left")
    h = np.concatenate([np.tanh(x @ shared.get_weights()[0]), np.tanh(y @ shared.get_weights()[0])], axis=-1)
    np.testing.assert_allclose(left, h @ last.get_weights()[0], rtol=1e-5, atol=1e-6)
    assert right.shape == (5, 1)
    by_name = [K.to_numpy(v) for v in model({"b": y, "a": x})]
    np.testing.assert_allclose(by_name[0], left, rtol=1e-6)


def test_names_shapes_and_order_are_those_of_keras():
    model = two_towers()
    assert [layer.name for layer in model.layers] == ["a", "b", "shared", "both", "left", "right"]
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["left", "right"]
    assert model.input_shape == [(None, 4), (None, 4)]
    assert model.output_shape == [(None, 2), (None, 1)]
    assert [w.name for w in model.weights][:2] == ["shared/kernel:0", "shared/bias:0"]
    assert model.name == "model_1"


def test_layers_are_numbered_from_one_again_after_clear_session():
    assert [L.Dense(1).name, L.Dense(1).name, L.MaxPooling2D().name] == ["dense_1", "dense_2", "max_pooling2d_1"]
    K.clear_session()
    assert L.Dense(1).name == "dense_1"


def test_the_config_is_that_of_keras_2():
    config = two_towers().get_config()
    entry = {e["name"]: e for e in config["layers"]}
    assert entry["shared"]["inbound_nodes"] == [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]
    assert entry["both"]["inbound_nodes"] == [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]
    assert config["input_layers"] == [["a", 0, 0], ["b", 0, 0]]
    assert config["output_layers"] == [["left", 0, 0], ["right", 0, 0]]
    assert entry["a"]["config"] == {"batch_input_shape": (None, 4), "dtype": "float32", "sparse": False, "name": "a"}


def assert_same(first: Model, second: Model, *xs: np.ndarray) -> None:
    second.set_weights(first.get_weights())
    one = xs[0] if len(xs) == 1 else list(xs)
    for a, b in zip(_flat(first(one)), _flat(second(one)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def _flat(values) -> list[np.ndarray]:
    return [K.to_numpy(v) for v in (values if isinstance(values, list | tuple) else [values])]


def test_a_model_goes_round_through_json():
    model = two_towers()
    again = model_from_json(model.to_json())
    assert type(again) is Model
    assert again.to_json() == model.to_json()
    assert json.loads(model.to_json())["class_name"] == "Model"
    assert_same(model, again, np.ones((2, 4)), np.zeros((2, 4)))


def test_nested_models_used_twice_go_round():
    i = L.Input((4,))
    inner = Model(i, L.Dense(3, activation="relu")(i), name="inner")
    a, b = L.Input((4,)), L.Input((4,))
    tower = Sequential([L.Dense(3, input_shape=(4,))], name="tower")
    model = Model([a, b], L.Subtract()([inner(a), L.Add()([inner(b), tower(b)])]))
    config = model.get_config()
    nested = next(e for e in config["layers"] if e["name"] == "inner")
    assert nested["inbound_nodes"] == [[["input_2", 0, 0, {}]], [["input_3", 0, 0, {}]]]
    subtract = next(e for e in config["layers"] if e["class_name"] == "Subtract")
    assert subtract["inbound_nodes"][0][0] == ["inner", 1, 0, {}], "a network counts its calls from 1"
    assert_same(model, Model.from_config(config), np.ones((2, 4)), np.full((2, 4), 0.5))
    assert_same(model, clone_model(model), np.ones((2, 4)), np.full((2, 4), 0.5))


def test_a_nested_model_with_two_outputs_and_masks(backend):
    i = L.Input((3, 2))
    masked = L.Masking()(i)
    inner = Model(i, [L.LSTM(2, return_sequences=True)(masked), L.LSTM(2)(masked)])
    x = L.Input((3, 2))
    steps, last = inner(x)
    assert steps.mask is not None
    assert last.mask is None
    model = Model(x, [L.LSTM(2)(steps), last])
    data = np.ones((2, 3, 2), "float32")
    data[1, 1:] = 0
    outputs = _flat(model(data))
    short = _flat(model(np.concatenate([data[1:, :1], np.zeros((1, 2, 2), "float32")], axis=1)))
    np.testing.assert_allclose(outputs[0][1], short[0][0], rtol=1e-5, atol=1e-6)


def test_node_access():
    model = two_towers()
    shared = model.get_layer("shared")
    assert shared.get_input_at(1) is model.inputs[1]
    assert shared.get_output_at(0).shape == (None, 3)
    assert shared.output_shape == (None, 3), "both calls agree on it"
    with pytest.raises(AttributeError, match=r"multiple inbound nodes.*get_output_at"):
        _ = shared.output
    with pytest.raises(ValueError, match="at node 5, but the layer shared has only 2 inbound nodes"):
        shared.get_input_at(5)
    assert len(model.get_layer("both").outbound_nodes) == 2
    assert model.get_layer("left").input is model.get_layer("both").output
    with pytest.raises(AttributeError, match="not connected"):
        _ = L.Dense(2).input


def test_get_layer_and_its_errors():
    model = two_towers()
    assert model.get_layer(index=2).name == "shared"
    with pytest.raises(ValueError, match="No such layer: nobody"):
        model.get_layer("nobody")
    with pytest.raises(ValueError, match="index 9 but model only has 6 layers"):
        model.get_layer(index=9)


def test_wrong_wiring_is_named():
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    with pytest.raises(ValueError, match=r'Graph disconnected.*layer "b"'):
        Model(a, L.Add()([a, b]))
    with pytest.raises(ValueError, match="redundant"):
        Model([a, a], L.Dense(1)(a))
    with pytest.raises(ValueError, match='"twin" is used 2 times'):
        Model(a, L.Dense(1, name="twin")(L.Dense(1, name="twin")(a)))
    with pytest.raises(ValueError, match="expected inputs to be a symbolic tensor"):
        Model(np.ones(3), L.Dense(1)(a))
    with pytest.raises(ValueError, match="both `inputs` and `outputs`"):
        Model(inputs=a)
    with pytest.raises(ShapeError, match=r"has shape \(None, 4\), but it was called on.*\(None, 7\)"):
        Model(a, L.Dense(1)(a))(L.Input((7,)))
    with pytest.raises(ArgumentError, match="expected 2 inputs"):
        two_towers()(np.ones((1, 4)))


def test_an_error_in_a_layer_names_the_layer_once():
    with pytest.raises(ValueError, match='Input 0 of layer "conv2d_1" is incompatible with the layer: expected ndim=4'):
        L.Conv2D(2, 3)(L.Input((5,)))

    class Broken(L.Layer):
        def call(self, inputs):
            return K.dot(inputs, K.ones((9, 2)))

    with pytest.raises(ValueError, match="dot: ") as caught:
        Broken(name="broken")(L.Input((4,)))
    assert [n for n in caught.value.__notes__ if "broken (Broken)" in n and "(None, 4)" in n]
    assert len(caught.value.__notes__) == 1


def test_ops_of_k_between_layers(backend):
    x = L.Input((4,))
    model = Model(x, L.Dense(2)(x * 2.0 + 1.0) - 1.0)
    data = np.ones((3, 4), "float32")
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(_flat(model(data))[0], (data * 2 + 1) @ kernel - 1, rtol=1e-5)


def test_tensors_may_be_keyword_arguments():
    class Mixed(L.Layer):
        def call(self, inputs, other=None, factor=1.0):
            return inputs + factor * other

    a, b = L.Input((3,), name="a"), L.Input((3,), name="b")
    model = Model([a, b], Mixed(name="mixed")(a, other=b, factor=2.0))
    np.testing.assert_allclose(_flat(model([np.ones((1, 3)), np.ones((1, 3))]))[0], 3.0)
    entry = model.get_config()["layers"][-1]
    assert entry["inbound_nodes"] == [[["a", 0, 0, {"other": ["b", 0, 0], "factor": 2.0}]]]
    from keras_front.registry import custom_object_scope

    with custom_object_scope({"Mixed": Mixed}):
        again = Model.from_config(json.loads(json.dumps(model.get_config())))
    np.testing.assert_allclose(_flat(again([np.ones((1, 3)), np.ones((1, 3))]))[0], 3.0)


def test_a_model_may_begin_in_the_middle():
    x = L.Input((4,))
    h = L.Dense(3)(x)
    whole = Model(x, L.Dense(2)(h))
    half = Model(h, whole.output)
    np.testing.assert_allclose(
        _flat(half(_flat(Model(x, h)(np.ones((1, 4))))[0]))[0], _flat(whole(np.ones((1, 4))))[0], rtol=1e-6
    )


def test_a_deep_model_meets_no_recursion_limit():
    x = y = L.Input((2,))
    for _ in range(1500):
        y = L.Activation("linear")(y)
    model = Model(x, y)
    assert len(model.layers) == 1501
    assert model.layers[0].name == "input_1"
    np.testing.assert_allclose(_flat(model(np.ones((1, 2))))[0], 1.0)


def test_trainable_is_recursive_and_counts():
    model = two_towers()
    assert len(model.trainable_weights) == 6
    model.trainable = False
    assert model.trainable_weights == []
    assert [w.name for w in model.non_trainable_weights] == [w.name for w in model.weights]
    assert not model.get_layer("left").trainable
    model.trainable = True
    model.get_layer("shared").trainable = False
    assert len(model.trainable_weights) == 4
    assert model.count_params() == 15 + 14 + 7


def test_weights_are_checked_before_any_is_set():
    model = two_towers()
    before = model.get_weights()
    with pytest.raises(ValueError, match="weight list of length 2, but the layer was expecting 6 weights"):
        model.set_weights(before[:2])
    wrong = [*before[:-1], np.zeros((9,))]
    with pytest.raises(ValueError, match=r"shape \(1,\) not compatible .*\(9,\): right/bias:0"):
        model.set_weights([w + 1 for w in wrong])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_count_params_before_building_says_what_to_do():
    with pytest.raises(RuntimeError, match="isn't built"):
        L.Dense(2).count_params()


def lines_of(model: Model, **options) -> list[str]:
    lines: list[str] = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_the_summary_of_a_stack():
    model = Sequential([L.Dense(3, input_shape=(4,)), L.BatchNormalization(), L.Dense(1)])
    model.layers[0].trainable = False
    rule, double = "_" * 65, "=" * 65
    assert lines_of(model) == [
        'Model: "sequential_1"',
        rule,
        "Layer (type)                 Output Shape              Param #   ",
        double,
        "dense_1 (Dense)              (None, 3)                 15        ",
        rule,
        "batch_normalization_1 (Batch (None, 3)                 12        ",
        rule,
        "dense_2 (Dense)              (None, 1)                 4         ",
        double,
        "Total params: 31",
        "Trainable params: 10",
        "Non-trainable params: 21",
        rule,
    ]


def test_the_summary_of_a_graph_says_what_hangs_on_what():
    lines = lines_of(two_towers())
    assert len(lines[1]) == 98
    both = next(i for i, line in enumerate(lines) if line.startswith("both"))
    assert lines[both].split() == ["both", "(Concatenate)", "(None,", "6)", "0", "shared[0][0]"]
    assert lines[both + 1].split() == ["shared[1][0]"]
    assert any("multiple" in line or "(None, 3)" in line for line in lines)
    narrow = lines_of(two_towers(), line_length=50, positions=[0.5, 0.8, 0.9, 1.0])
    assert {len(line) for line in narrow if line[:1] in "_="} == {50}


def test_the_summary_of_a_model_without_shapes():
    with pytest.raises(RuntimeError, match="has not yet been built"):
        Sequential([L.Dense(1)]).summary()


def test_run_internal_graph_and_compute_output_shape():
    model = two_towers()
    assert model.compute_output_shape([(None, 4), (None, 4)]) == [(None, 2), (None, 1)]
    outputs, masks, shapes = model.run_internal_graph([K.constant(np.ones((2, 4))), K.constant(np.ones((2, 4)))])
    assert shapes == [(2, 2), (2, 1)]
    assert masks == [None, None]
    assert len(outputs) == 2


def test_clone_on_other_inputs():
    model = two_towers()
    a, b = L.Input((4,)), L.Input((4,))
    clone = clone_model(model, [a, b])
    assert clone.inputs == [a, b]
    assert clone.get_layer("shared") is not model.get_layer("shared")
    assert_same(model, clone, np.ones((1, 4)), np.zeros((1, 4)))


def test_nothing_here_needs_an_engine():
    """Everything of this module's first tests up to `summary` runs in a process that never imports an engine."""
    import subprocess
    import sys

    code = (
        "import sys; from keras_front import layers as L; from keras_front.models import Model, Sequential\n"
        "m = Sequential([L.Conv2D(2, 3, input_shape=(8, 8, 1)), L.BatchNormalization(), L.Flatten(), L.Dropout(.5),"
        " L.Dense(2)])\n"
        "x = L.Input((5,)); n = Model(x, L.LSTM(3)(L.Embedding(9, 4, mask_zero=True)(x)))\n"
        "m.summary(print_fn=len); n.summary(print_fn=len); n.to_json(); m.count_params()\n"
        "print([e for e in ('torch', 'jax', 'tensorflow', 'keras_front_numpy') if e in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_a_layer_may_return_a_dict(backend):
    class Both(L.Layer):
        def call(self, inputs):
            return {"double": inputs * 2.0, "half": inputs / 2.0}

    x = L.Input((3,))
    both = Both()(x)
    model = Model(x, {"sum": both["double"] + both["half"], "half": both["half"]})
    data = np.ones((2, 3), "float32")
    found = model(data)
    np.testing.assert_allclose(K.to_numpy(found["sum"]), data * 2.5)
    np.testing.assert_allclose(K.to_numpy(found["half"]), data * 0.5)


def encoder_and_penalty() -> Model:
    """The autoencoder of many scripts: layers of the encoder are also met directly, by what `add_loss` was given."""
    x = L.Input((4,))
    mean = L.Dense(2, name="mean")(L.Dense(3, activation="tanh", name="hidden")(x))
    encoder = Model(x, [mean, mean * 2.0], name="encoder")
    model = Model(x, L.Dense(4, name="decoder")(encoder(x)[1]))
    model.add_loss(K.mean(K.square(mean)))
    model.compile("sgd", "mse")
    return model


def trained(model: Model) -> tuple[float, list[np.ndarray]]:
    x = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)
    return model.train_on_batch(x, x), model.get_weights()


def test_a_clone_shares_the_layers_that_the_model_shares_with_a_model_in_it(backend):
    model = encoder_and_penalty()
    clone = clone_model(model)
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in model.get_weights()]
    clone.set_weights(model.get_weights())
    clone.compile("sgd", "mse")
    (loss, weights), (cloned_loss, cloned) = trained(model), trained(clone)
    np.testing.assert_allclose(cloned_loss, loss, rtol=1e-5)
    for mine, other in zip(cloned, weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["h5", "keras", "config", "json"])
def test_a_file_keeps_what_the_model_shares_with_a_model_in_it(backend, tmp_path, form):
    model = encoder_and_penalty()
    if form in ("h5", "keras"):
        model.save(path := str(tmp_path / f"model.{form}"))
        again = load_model(path)
    else:
        again = Model.from_config(model.get_config()) if form == "config" else model_from_json(model.to_json())
        again.set_weights(model.get_weights())
        again.compile("sgd", "mse")
    assert again.get_layer("hidden") is again.get_layer("encoder").get_layer("hidden")
    for _ in range(2):
        (loss, weights), (loaded_loss, loaded) = trained(model), trained(again)
        np.testing.assert_allclose(loaded_loss, loss, rtol=1e-5)
        for mine, other in zip(loaded, weights, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_a_number_shared_by_layers_that_differ_is_not_believed():
    config = encoder_and_penalty().get_config()
    (number,) = {entry.get("shared_object_id") for entry in config["layers"] if entry["name"] == "hidden"}
    decoder = next(entry for entry in config["layers"] if entry["name"] == "decoder")
    decoder["shared_object_id"] = number
    again = Model.from_config(config)
    assert [again.get_layer(name).units for name in ("decoder", "hidden")] == [4, 3]


def test_a_last_axis_of_size_one_is_added_or_taken_off(backend):
    inputs = L.Input((4, 1))
    model = Model(inputs, L.Flatten()(inputs))
    x = np.arange(8.0).reshape(2, 4).astype("float32")
    np.testing.assert_array_equal(K.to_numpy(model(x)), x)
    flat = L.Input((4,))
    model = Model(flat, L.Dense(2, kernel_initializer="ones")(flat))
    np.testing.assert_allclose(K.to_numpy(model(x[..., None])), np.tile(x.sum(1, keepdims=True), 2))
    with pytest.raises(ValueError, match="was called on a tensor of shape"):
        model(x[..., None, None])


def test_the_input_of_an_input_layer_is_its_tensor(backend):
    x = L.Input((3,))
    model = Model(x, L.Dense(2)(x))
    first = model.layers[0]
    assert first.input is first.output is first.get_input_at(0) is x
    assert first.input_shape == first.get_input_shape_at(0) == (None, 3)
    (node,) = first.inbound_nodes
    assert (node.inbound_layers, node.input_tensors, node.output_tensors) == ([], [x], [x])
    assert (node.input_masks, node.input_shapes) == ([None], [(None, 3)])
    values = np.ones((2, 3), "float32")
    got = K.function([first.input, K.learning_phase()], [model.layers[1].output])([values, 0])[0]
    np.testing.assert_allclose(got, model.predict(values), rtol=1e-6)
