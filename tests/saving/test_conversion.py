"""`convert`: every kind of file into every other, and for each Keras what it can be told."""

from __future__ import annotations

import json
import runpy

import h5py
import numpy as np
import pytest
import torch

from keras_front import cli, models
from keras_front import layers as L
from keras_front.errors import ArgumentError, SerializationError
from keras_front.legacy import formats, writing
from keras_front.saving import generations, older_states
from keras_front.saving.conversion import convert
from keras_front.testing import layers as suite


@pytest.fixture(scope="module")
def model():
    inputs = L.Input((8, 6, 3), name="x")
    y = L.Conv2D(4, 3, padding="same", activation="relu", name="conv", kernel_regularizer="l2")(inputs)
    y = L.ZeroPadding2D(((1, 0), (0, 1)), name="pad")(L.BatchNormalization(name="norm")(y))
    y = L.Conv2DTranspose(2, 2, name="up")(y)
    sequence = L.Reshape((10, 16), name="rows")(y)
    y = L.Bidirectional(L.LSTM(3, recurrent_activation="sigmoid"), name="both")(sequence)
    y = L.Concatenate(name="joined")([y, L.GRU(2, recurrent_activation="sigmoid", name="gru")(sequence)])
    return models.Model(inputs, L.Dense(2, activation="softmax", name="out")(L.Dropout(0.2, name="drop")(y)))


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "m.h5")
    return tmp_path / "m.h5"


def same(path, model):
    """The same layers with the same weights; what they compute the tests of layers say."""
    read = models.load_model(path)
    for ours, theirs in zip(model.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(model.layers, read.layers, strict=True):
        if type(theirs).__name__ != "Merge":  # Keras 1 had one class for all
            assert compared(ours) == compared(theirs)
    return read


def compared(layer):
    """A config without what says how weights begin, and how steps run: those a generation may not have."""
    config = json.loads(json.dumps(layer.get_config(), default=str))
    ends = ("_initializer", "implementation", "_regularizer", "dtype")
    shown = {
        k: v for k, v in config.items() if not k.endswith(ends) and k not in ("layer", "cell", "batch_input_shape")
    }
    return type(layer).__name__, shown


@pytest.mark.parametrize("to", [None, *generations.NAMES])
@pytest.mark.parametrize("end", [".h5", ".keras"])
def test_whole_models(saved, model, tmp_path, end, to):
    target = tmp_path / f"t{end}"
    if end == ".keras" and to in generations.BEFORE_KERAS3:
        with pytest.raises(ArgumentError, match="reads no archives; expected a target"):
            convert(saved, target, to)
        return
    assert convert(saved, target, to) == []
    same(target, model)


@pytest.mark.parametrize("to", [None, *generations.NAMES])
def test_how_a_model_is_trained(tmp_path, to):
    model = models.Sequential([L.Dense(2, input_shape=(3,), name="d")])
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    model.save(tmp_path / "m.h5")
    notes = convert(tmp_path / "m.h5", tmp_path / "t.h5", to)
    read = same(tmp_path / "t.h5", model)
    assert (type(read.optimizer).__name__, read.loss) == ("Adam", "mean_squared_error")
    assert len(notes) == (to == "keras3"), notes  # which cannot read the optimizer's state in HDF5
    if to != "keras3":
        assert read.optimizer.get_weights()[0] == 1


@pytest.mark.parametrize(("to", "optimizer", "extra"), [("keras1", "rmsprop", 0), ("keras1", "adam", 0),
                                                      ("keras2.2", "sgd", 0), ("keras2.2", "adam", 1)])  # fmt: skip
def test_the_state_of_an_optimizer_as_keras_kept_it_then(tmp_path, to, optimizer, extra):
    """So many arrays must `optimizer_weights` hold, or that Keras refuses them; and here training goes on from them."""
    model = models.Sequential([L.LSTM(2, input_shape=(3, 2)), L.BatchNormalization(), L.Dense(1)])
    model.compile(optimizer, "mse")
    x, y = np.random.default_rng(1).normal(size=(4, 3, 2)), np.ones((4, 1))
    model.train_on_batch(x, y)
    model.save(tmp_path / "m.h5")
    assert convert(tmp_path / "m.h5", tmp_path / "t.h5", to) == [], to
    slots, counted = older_states.STATES[type(model.optimizer).__name__]
    weights = 16 if to == "keras1" else 7
    with h5py.File(tmp_path / "t.h5") as file:
        held = len(file["optimizer_weights"].attrs["weight_names"])
    assert held == counted + weights * (slots + extra)
    again = models.load_model(tmp_path / "t.h5")
    for some in (model, again):
        some.train_on_batch(x, y)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("to", [None, "keras1"])
@pytest.mark.parametrize("end", [".weights.h5", ".npz", ".pt", ".safetensors", ".json", ".yaml"])
def test_weights_and_structures(saved, model, tmp_path, end, to):
    if end == ".safetensors":
        pytest.importorskip("safetensors.numpy")
    told = convert(saved, tmp_path / f"t{end}", to)
    assert told[0].startswith(("Weights alone", "A structure has no weights")), told
    if end in (".json", ".yaml"):
        assert convert(tmp_path / f"t{end}", tmp_path / "back.h5") == [
            "The source has no weights: those of the target are newly drawn."
        ]
        assert [w.shape for w in models.load_model(tmp_path / "back.h5").weights] == [w.shape for w in model.weights]
        return
    if end == ".weights.h5":
        with pytest.raises(ArgumentError, match="Pass the model as well"):
            convert(tmp_path / f"t{end}", tmp_path / "back.h5")
    convert(tmp_path / f"t{end}", tmp_path / "back.h5", model=saved)
    same(tmp_path / "back.h5", model)


def test_arrays_without_a_model(tmp_path):
    torch.save({"0.weight": torch.ones(2, 3), "0.bias": torch.zeros(2).half()}, tmp_path / "a.pt")
    assert convert(tmp_path / "a.pt", tmp_path / "b.npz") == []
    assert convert(tmp_path / "b.npz", tmp_path / "c.pt") == []
    back = torch.load(tmp_path / "c.pt", weights_only=True)
    assert {k: (v.dtype, tuple(v.shape)) for k, v in back.items()} == {
        "0.weight": (torch.float32, (2, 3)), "0.bias": (torch.float16, (2,))}  # fmt: skip
    models.Sequential([L.Dense(2, input_shape=(3,), name="d")]).save(tmp_path / "m.h5")
    with pytest.raises(ArgumentError, match="it misses"):
        convert(tmp_path / "c.pt", tmp_path / "d.h5", model=tmp_path / "m.h5")
    convert(tmp_path / "c.pt", tmp_path / "d.h5", model=tmp_path / "m.h5", names={"d": "0"})
    np.testing.assert_array_equal(models.load_model(tmp_path / "d.h5").get_weights()[0], np.ones((3, 2)))


def test_what_keras_1_reads(saved, tmp_path):
    """The names, sizes and orders of Keras 1.2.2, as its sources have them."""
    convert(saved, tmp_path / "t.h5", "keras1")
    with h5py.File(tmp_path / "t.h5") as f:
        config = json.loads(f.attrs["model_config"])
        assert f.attrs["keras_version"] == "1.2.2"
        assert len(f["model_weights/both"].attrs["weight_names"]) == 24
        assert len(f["model_weights/gru"].attrs["weight_names"]) == 9
    by_name = {layer["name"]: layer for layer in config["config"]["layers"]}
    conv = by_name["conv"]["config"]
    assert by_name["conv"]["class_name"] == "Convolution2D"
    names = "nb_filter nb_row nb_col border_mode subsample dim_ordering init".split()
    assert [conv[name] for name in names] == [4, 3, 3, "same", [1, 1], "tf", "glorot_uniform"]
    assert conv["W_regularizer"]["name"] == "L1L2Regularizer"
    assert by_name["pad"]["config"]["padding"] == [1, 0, 0, 1]
    assert by_name["drop"]["config"]["p"] == 0.2
    assert by_name["both"]["config"]["layer"]["config"]["inner_activation"] == "sigmoid"
    assert by_name["both"]["config"]["layer"]["config"]["forget_bias_init"] == "one"
    assert (by_name["joined"]["class_name"], by_name["joined"]["config"]["mode"]) == ("Merge", "concat")
    assert by_name["joined"]["inbound_nodes"] == [[["both", 0, 0], ["gru", 0, 0]]]
    assert by_name["x"]["config"]["input_dtype"] == "float32"


def cases(to):
    found = [(name, found[0]) for name, found in suite.table().items()]
    return found if to == "keras1" else found[::3]


@pytest.mark.slow
@pytest.mark.parametrize("to", generations.NAMES)
def test_every_layer_is_expressed_or_refused(to):
    """What is expressed is read again as the same layer; what is refused says which layer, and what."""
    refused, told = set(), []
    for name, case in cases(to):
        inputs = [L.Input(shape, dtype="int32" if case.ints else None) for shape in case.shapes]
        layer = case.make()
        model = models.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
        try:
            config, _ = generations.structure(model, to)
        except SerializationError as error:
            refused.add(name)
            told.append(({layer.name, *(part.name for part in getattr(layer, "layers", ()))}, str(error)))
            continue
        again = models.model_from_config(json.loads(json.dumps(config)), case.objects, allow_code=True)
        assert [w.shape for w in again.weights] == [w.shape for w in model.weights], name
        if to == "keras1":
            arrays = [w.numpy() for w in layer.weights]
            back = formats.convert(layer, writing.arrays_of_keras1(layer, arrays), "1", None)
            assert all(map(np.array_equal, arrays, back)), name
    assert all("cannot express this model" in text for _, text in told)
    assert all(any(f"layer '{name}'" in text for name in names) for names, text in told)
    assert not refused & {"Dense", "Conv2D", "LSTM", "Embedding", "Dropout", "MaxPooling2D", "TimeDistributed", "Dot"}
    later = {"keras1": {"Softmax", "ReLU"}, "keras2.2": {"CenterCrop", "Rescaling", "Attention"}}
    assert refused & later.get(to, refused)


@pytest.mark.parametrize(("layer", "to", "told"), [
    (lambda: L.Conv1D(2, 3, padding="causal"), "keras1", "it has no causal padding"),
    (lambda: L.Conv1D(3, 1, groups=3), "keras2.2", "Conv1D has no groups there, which is 3 here"),
    (lambda: L.GRU(2, reset_after=True), "keras1", "GRU has no reset_after there, which is True here"),
    (lambda: L.Dense(2, activation="gelu"), "keras2.2", "it has no activation 'gelu'"),
    (lambda: L.LSTM(2, recurrent_activation="hard_sigmoid"), "keras3", "no activation with the formula of"),
    (lambda: L.BatchNormalization(scale=False), "keras1", "BatchNormalization has no scale there"),
])  # fmt: skip
def test_what_would_compute_something_else_is_refused(layer, to, told, tmp_path):
    models.Sequential([L.Activation("tanh", input_shape=(5, 3)), layer()]).save(tmp_path / "m.h5")
    with pytest.raises(SerializationError, match=told):
        convert(tmp_path / "m.h5", tmp_path / "t.h5", to)
    assert not (tmp_path / "t.h5").exists()


def test_what_matters_for_training_alone_is_told(tmp_path):
    model = models.Sequential([L.BatchNormalization(gamma_constraint="nonneg", input_shape=(3,))])
    model.compile("adamw", "mse")
    model.save(tmp_path / "m.h5")
    notes = convert(tmp_path / "m.h5", tmp_path / "t.h5", "keras1")
    assert any("its gamma_constraint is left out; it matters for training alone" in note for note in notes)
    assert any("The model is not compiled in the target" in note and "AdamW" in note for note in notes)
    assert models.load_model(tmp_path / "t.h5").optimizer is None


def test_a_program(tmp_path):
    model = models.Sequential([L.Dense(2, input_shape=(3,))])
    model.save(tmp_path / "m.h5")
    assert convert(tmp_path / "m.h5", tmp_path / "p.py") == []
    found = runpy.run_path(str(tmp_path / "p.py"))["predict"](np.ones((1, 3)))
    np.testing.assert_allclose(found, model.predict(np.ones((1, 3)), verbose=0), atol=1e-6)


def test_what_cannot_be_converted(tmp_path, saved):
    (tmp_path / "a.h5").write_bytes(b"nothing")
    with pytest.raises(SerializationError, match="an unknown file"):
        convert(tmp_path / "a.h5", tmp_path / "t.h5")
    with pytest.raises(ArgumentError, match="expected a name that ends in one of"):
        convert(saved, tmp_path / "t.mp3")
    with pytest.raises(ArgumentError, match="expected `to` to be one of keras1"):
        convert(saved, tmp_path / "t.h5", "keras4")


def test_the_command(saved, model, tmp_path, capsys):
    assert cli.main(["convert", str(saved), str(tmp_path / "t.json"), "--to", "keras2.2"]) == 0
    assert "not carried: A structure has no weights" in capsys.readouterr().out
    assert cli.main(["convert", str(saved), str(tmp_path / "t.npz")]) == 0
    assert (
        cli.main(["convert", str(tmp_path / "t.npz"), str(tmp_path / "b.h5"), "--model", str(tmp_path / "t.json")]) == 0
    )
    same(tmp_path / "b.h5", model)
    assert cli.main(["convert", str(saved), str(tmp_path / "t.mp3")]) == 2
