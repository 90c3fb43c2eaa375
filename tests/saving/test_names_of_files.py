"""What is written follows from the name of the file: HDF5, an archive, weights of other libraries, or a program."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest

from keras_front import layers as L
from keras_front.errors import ArgumentError, KerasFrontError, UnreadableFileError
from keras_front.models import Model, Sequential, load_model
from keras_front.testing import layers as suite
from keras_front.testing.layer_subject import one, spread, symbols

ENDS = (".npz", ".pt", ".pth", ".safetensors")


@pytest.fixture
def model():
    made = Sequential([L.Conv1D(2, 2, input_shape=(4, 3)), L.BatchNormalization(), L.LSTM(2), L.Dense(1)])
    made.compile("adam", "mse")
    return made


def same(model, other):
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("end", ENDS)
def test_weights_by_name(tmp_path, model, end):
    path = tmp_path / f"w{end.upper() if end == '.pt' else end}"
    model.save_weights(path)
    assert not h5py.is_hdf5(path)
    other = Sequential.from_config(model.get_config())
    other.load_weights(path)
    same(model, other)
    with pytest.raises(ArgumentError, match="every array has a name there"):
        other.load_weights(path, by_name=True)
    with pytest.raises(KerasFrontError):
        Sequential([L.Dense(7, input_shape=(9,))]).load_weights(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableFileError, match=path.name):
        other.load_weights(path)


@pytest.mark.parametrize("end", [*ENDS, ".onnx", ".py"])
def test_a_whole_model_under_the_name_of_less_is_said(tmp_path, model, end):
    if end == ".onnx":
        pytest.importorskip("onnx")
    with pytest.warns(UserWarning, match=r"holds .* alone. Whole models, which load_model reads, are .h5 or .keras"):
        model.save(tmp_path / f"m{end}")
    assert not h5py.is_hdf5(tmp_path / f"m{end}")


@pytest.mark.parametrize("name", ["m", "m.h5", "m.hdf5", "m.ckpt", "m.model", "weights.01-0.5", "cp-0001.ckpt"])
def test_any_other_name_is_hdf5_as_in_keras_2(tmp_path, model, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / name)
        same(model, load_model(tmp_path / name))
        model.save_weights(tmp_path / f"w-{name}")
    model.load_weights(tmp_path / f"w-{name}")
    assert h5py.is_hdf5(tmp_path / name)


@pytest.mark.parametrize("method", ["save", "save_weights"])
@pytest.mark.parametrize(("name", "remedy"), [("m.pb", "model.export"), ("m.tflite", "SavedModel folder"),
                                              ("m.json", "to_json"), ("m.PKL", "run nothing")])  # fmt: skip
def test_a_name_that_means_what_is_not_written_is_refused(tmp_path, model, method, name, remedy):
    with pytest.raises(ArgumentError, match=rf"(?s)model.{method}: .*{name}.*{remedy}"):
        getattr(model, method)(tmp_path / name)
    assert not list(tmp_path.iterdir())
    getattr(model, method)(tmp_path / name, save_format="h5")
    assert h5py.is_hdf5(tmp_path / name)


def test_hdf5_that_was_written_under_such_a_name_is_read(tmp_path, model):
    model.save_weights(tmp_path / "w.npz", save_format="h5")
    model.load_weights(tmp_path / "w.npz")


@pytest.mark.parametrize("end", [".npz", ".pt"])
@pytest.mark.parametrize("name", ["SeparableConv1D", "MultiHeadAttention", "Bidirectional", "BatchNormalization"])
def test_weights_of_a_model_that_is_built_again_come_back(tmp_path, name, end):
    """Its layers are called `dense_2` where they were `dense_1`, as they are in files of HDF5."""
    case, found = suite.table()[name][0], []
    for _ in range(2):
        layer, inputs = case.make(), symbols(case)
        found.append(Model(one(inputs), layer(one(inputs))))
    spread(found[0].layers[-1])
    found[0].save_weights(tmp_path / f"w{end}")
    found[1].load_weights(tmp_path / f"w{end}")
    same(*found)
