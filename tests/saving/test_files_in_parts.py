"""What Keras 3 writes in several files: archives that are not packed (`zipped=False`), and weights in parts."""

from __future__ import annotations

import json
import zipfile

import h5py
import numpy as np
import pytest

from keras_front import layers as L
from keras_front.errors import SerializationError, UnreadableFileError, UnsafeFileError
from keras_front.models import Sequential, load_model


@pytest.fixture
def model():
    made = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    made.compile("adam", "mse")
    made.train_on_batch(np.ones((2, 4)), np.ones((2, 2)))
    return made


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extractall(tmp_path / "m")
    return tmp_path / "m"


def test_an_archive_that_is_not_packed(model, folder, monkeypatch):
    again = load_model(folder)
    for some in (model, again):
        some.train_on_batch(np.ones((2, 4)), np.zeros((2, 2)))
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    weights = folder / "model.weights.h5"
    weights.rename(folder / "elsewhere.h5")
    with pytest.raises(SerializationError, match=r"expected a member 'model\.weights\.h5'"):
        load_model(folder)
    with open(weights, "wb") as stream:
        stream.truncate(1 << 40)  # a terabyte of nothing
    monkeypatch.setenv("KERAS_FRONT_MAX_MODEL_BYTES", str(1 << 30))
    with pytest.raises(UnsafeFileError, match="at most"):
        load_model(folder)
    weights.unlink()
    weights.symlink_to(folder / "elsewhere.h5")
    with pytest.raises(UnsafeFileError, match="a link"):
        load_model(folder)


@pytest.fixture
def parts(model, tmp_path):
    """As Keras 3.15.1 writes it: a map from groups to files."""
    model.save_weights(tmp_path / "whole.h5", save_format="keras")
    told = {}
    with h5py.File(tmp_path / "whole.h5") as whole:
        for number, name in enumerate(("dense", "dense_1")):
            with h5py.File(tmp_path / f"m_{number:05d}.weights.h5", "w") as part:
                whole.copy(f"layers/{name}/vars", part.require_group(f"layers/{name}"), "vars")
            told[f"/layers/{name}/vars"] = [f"m_{number:05d}.weights.h5"]
    (tmp_path / "m.weights.json").write_text(json.dumps({"metadata": {"total_size": 92.0}, "weight_map": told}))
    return tmp_path / "m.weights.json"


def test_weights_in_parts(model, parts):
    other = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    other.load_weights(parts)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("told", "kind", "message"), [
    ([], UnreadableFileError, "'weight_map'"), ({"weight_map": 3}, UnreadableFileError, "'weight_map'"),
    ({"weight_map": {"/layers": ["../m_00000.weights.h5"]}}, UnsafeFileError, "names of .h5 files in its folder"),
    ({"weight_map": {"/layers": ["/etc/passwd"]}}, UnsafeFileError, "names of .h5 files in its folder"),
    ({"weight_map": {"/layers": 3}}, UnsafeFileError, "names of .h5 files in its folder"),
    ({"weight_map": {"/layers": ["m_7.weights.h5"]}}, UnreadableFileError, "found no such file"),
    ({"weight_map": {"/other": ["m_00000.weights.h5"]}}, UnreadableFileError, "expected the group 'other'"),
])  # fmt: skip
def test_a_map_that_lies(model, parts, told, kind, message):
    parts.write_text(json.dumps(told))
    with pytest.raises(kind, match=message):
        model.load_weights(parts)
