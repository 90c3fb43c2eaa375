"""Our `.h5` files keep the rules of Deeplearning4j's importer; which layers it does not take is known."""

from __future__ import annotations

import h5py
import pytest

from keras_front import layers as L
from keras_front import models
from keras_front.errors import SerializationError
from keras_front.saving import deeplearning4j
from keras_front.testing import layers as suite


def problems_of(layer, case, path):
    inputs = [L.Input(shape, dtype="int32" if case.ints else None) for shape in case.shapes]
    models.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0])).save(path)
    return deeplearning4j.problems(path)


@pytest.mark.slow
def test_every_layer_that_it_has_is_written_as_it_reads_it(tmp_path):
    """A class that it has passes with some case, and no case breaks a rule of files; others are refused by name."""
    passed = set()
    for place, (name, cases) in enumerate(suite.table().items()):
        if name not in deeplearning4j.LAYERS and place % 8:
            continue
        for case in cases:
            layer = case.make()
            told = problems_of(layer, case, tmp_path / "m.h5")
            assert all(text.startswith(f"layer '{layer.name}' ({name})") or "inputs of" in text for text in told), told
            if not told:
                passed.add(name)
                break
    assert passed == deeplearning4j.LAYERS - {"InputLayer"}


@pytest.fixture
def saved(tmp_path):
    stack = [L.Embedding(5, 3, input_length=4, name="e"), L.Bidirectional(L.LSTM(2)), L.Dense(1, name="d")]
    models.Sequential(stack).save(tmp_path / "m.h5")
    return tmp_path / "m.h5"


def test_a_stack(saved):
    assert deeplearning4j.problems(saved) == []


def test_what_breaks_a_rule_is_told(saved, tmp_path):
    with h5py.File(saved, "a") as f:
        f["model_weights"].move("d", "other")
    assert deeplearning4j.problems(saved) == ["found weights for a layer that the model does not have, 'other'."]
    with h5py.File(saved, "a") as f:
        f.attrs["keras_version"] = "3.15.1"
        f.attrs["backend"] = "jax"
    version, backend = deeplearning4j.problems(saved)
    assert "expected a version of Keras 1 or 2" in version
    assert "expected the backend 'tensorflow' or 'theano'" in backend
    with h5py.File(saved, "a") as f:
        del f.attrs["model_config"]
    assert "the attribute 'model_config' at the root" in deeplearning4j.problems(saved)[0]
    (tmp_path / "none.h5").write_bytes(b"none")
    with pytest.raises(SerializationError):
        deeplearning4j.problems(tmp_path / "none.h5")


@pytest.mark.parametrize(("layer", "told"), [
    (lambda: L.GRU(2), "(GRU): it has no such layer."),
    (lambda: L.LSTM(2, recurrent_dropout=0.1), "dropout on recurrent connections"),
    (lambda: L.Dense(2, activation="gelu"), "this activation, activation='gelu'"),
    (lambda: L.Bidirectional(L.GRU(2)), "it knows LSTM and SimpleRNN there"),
    (lambda: L.TimeDistributed(L.LayerNormalization()), "(LayerNormalization): it has no such layer"),
    (lambda: L.BatchNormalization(gamma_constraint="nonneg"), "constraints of normalization"),
])  # fmt: skip
def test_what_it_cannot_take(layer, told, tmp_path):
    models.Sequential([L.Activation("tanh", input_shape=(5, 3)), layer()]).save(tmp_path / "m.h5")
    (found,) = deeplearning4j.problems(tmp_path / "m.h5")
    assert told in found
