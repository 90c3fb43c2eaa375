"""Archives that real Keras 3 wrote with every modern layer: they load, compute the same, and come back from ours."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model

FILE = zipfile.ZipFile(Path(__file__).with_name("keras3_archives.zip"))
ARRAYS = dict(np.load(io.BytesIO(FILE.read("arrays.npz"))))
NAMES = sorted({key.partition("/")[0] for key in ARRAYS})


def answers(model, name):
    x = [ARRAYS[key] for key in sorted(ARRAYS) if key.startswith(f"{name}/x")]
    found = model(x if len(x) > 1 else x[0], training=False)
    return [K.to_numpy(y) for y in found]


def assert_as_recorded(model, name):
    for i, y in enumerate(answers(model, name)):
        want = ARRAYS[f"{name}/y{i}"]
        assert y.shape == want.shape
        np.testing.assert_allclose(y, want, rtol=1e-4, atol=1e-5 * max(1.0, float(np.abs(want).max())))


@pytest.mark.few_compiled(3)
@pytest.mark.parametrize("name", NAMES)
def test_archives_of_keras3_load_and_compute_the_same(backend, name, tmp_path):
    FILE.extract(f"{name}.keras", tmp_path)
    model = load_model(tmp_path / f"{name}.keras")
    assert_as_recorded(model, name)
    for suffix in ("keras", "h5"):
        model.save(tmp_path / f"ours.{suffix}")
        assert_as_recorded(load_model(tmp_path / f"ours.{suffix}"), name)


@pytest.mark.backends("numpy")
def test_learned_vocabularies_come_from_the_archive(backend, tmp_path):
    FILE.extract("features.keras", tmp_path)
    model = load_model(tmp_path / "features.keras")
    with zipfile.ZipFile(tmp_path / "features.keras") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.endswith("vocabulary.txt")]
    found = [layer.get_vocabulary() for layer in model.layers if hasattr(layer, "get_vocabulary")]
    assert len(texts) == 2
    assert all([int(line) for line in text.split()] in found for text in texts)


@pytest.mark.backends("numpy")
def test_a_vocabulary_that_is_none_is_refused(backend, tmp_path):
    FILE.extract("features.keras", tmp_path)
    hostile = tmp_path / "hostile.keras"
    with zipfile.ZipFile(tmp_path / "features.keras") as archive, zipfile.ZipFile(hostile, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, b"one\ntwo" if name.endswith("vocabulary.txt") else archive.read(name))
    with pytest.raises(ValueError, match="expected an integer in each line"):
        load_model(hostile)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_numbers_of_16_bits_that_keras3_writes_without_a_type_are_read(backend, tmp_path, suffix):
    """Keras 3 writes bfloat16 as two bytes of no type: those of float32 without its lower half."""
    model = Sequential([Dense(2, input_shape=(3,), name="d")])
    kernel = np.array([[1.5, -2.0], [0.25, 3.0], [1e30, -1e-30]], "float32")
    model.save_weights(tmp_path / f"m{suffix}")
    with h5py.File(tmp_path / f"m{suffix}", "r+") as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if getattr(item, "shape", ()) == (3, 2) else None)
        del file[found[0]]
        file.create_dataset(found[0], data=(kernel.view("uint32") >> 16).astype("<u2").view("V2"))
    model.load_weights(tmp_path / f"m{suffix}")
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=2**-7)
