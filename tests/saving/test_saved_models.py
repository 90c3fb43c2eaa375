"""SavedModel folders and checkpoints of tf.keras, read without TensorFlow; and files that pretend to be such."""

from __future__ import annotations

import contextlib
import os
import random
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_front import layers
from keras_front.errors import KerasFrontError, SerializationError, UnreadableFileError, UnsafeFileError
from keras_front.models import Model, Sequential, load_model, model_from_json
from keras_front.saving import crc32c, saved_model
from keras_front.saving.conversion import convert
from keras_front.saving.inspection import describe
from keras_front.saving.tensor_bundle import TensorBundle, snappy

FILE = Path(__file__).with_name("saved_models.zip")  # by record_saved_models.py
NAMES = ("stack", "branches", "words", "nested")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("saved")
    with zipfile.ZipFile(FILE) as archive:
        archive.extractall(place)
    return place


@pytest.fixture
def own(folder, tmp_path):
    """A copy of one of them to change."""
    with zipfile.ZipFile(FILE) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith("stack/")])
    return tmp_path / "stack"


def arrays(folder, kind):
    held = np.load(folder / "arrays.npz")
    return [held[f"{kind}{i}"] for i in range(len(held.files)) if f"{kind}{i}" in held]


def check(model, folder):
    outputs = model.predict(arrays(folder, "x"))
    for got, want in zip(outputs if isinstance(outputs, list) else [outputs], arrays(folder, "y"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_a_model_with_its_optimizer(folder, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_model(str(folder / name / "model"))
    check(model, folder / name)
    # Keras 2 orders slots by kind, tf.keras since 2.11 by weight; the numbers are the same.
    got, want = ({float(np.sum(v)) for v in held if np.size(v) > 1} for held in (
        model.optimizer.get_weights(), arrays(folder / name, "o")))  # fmt: skip
    assert got
    assert got <= want | {0.0}
    assert int(model.optimizer.iterations.numpy()) == 2


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_a_checkpoint_and_of_a_folder(folder, name):
    model = load_model(str(folder / name / "model"), compile=False)
    for source in ("checkpoint", "model"):
        other = model_from_json(model.to_json())
        other.load_weights(str(folder / name / source))
        check(other, folder / name)


def test_another_model_is_refused(folder):
    source = str(folder / "stack" / "checkpoint")
    with pytest.raises(ValueError, match="a checkpoint containing 3 layers into a model with 1 layers"):
        Sequential([layers.Dense(2, input_shape=(4,))]).load_weights(source)
    other = Sequential([layers.Dense(9, input_shape=(4,)), layers.BatchNormalization(), layers.Dense(2)])
    start = other.get_weights()
    with pytest.raises(ValueError, match=r"expected shape \(4, 9\), received \(4, 3\)"):
        other.load_weights(source)
    for before, after in zip(start, other.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    with pytest.raises(OSError, match="holds weights alone"):
        load_model(source)


# What is no model of known layers --------------------------------------------------------------------


def message(field, data):
    """A field of a message of protocol buffers."""
    size, head = len(data), bytearray([field << 3 | 2])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes([*head, size]) + data


def test_metadata_inside_of_the_program_as_tf_keras_2_4_wrote_it(own):
    path = own / "model" / "keras_metadata.pb"
    described = saved_model._of_today(str(path))
    path.unlink()
    program = message(
        2, message(7, message(1, message(4, message(1, b"_tf_keras_sequential") + message(3, described))))
    )
    (own / "model" / "saved_model.pb").write_bytes(b"\x08\x01" + program)
    check(load_model(str(own / "model")), own)


def test_the_error_says_how_to_convert(own):
    path = own / "model" / "keras_metadata.pb"
    described = path.read_bytes()
    path.write_bytes(described.replace(b'"BatchNormalization"', b'"BatchNormalisation"'))
    with pytest.raises(OSError, match=r"Unknown layer 'BatchNormalisation'[^$]*load_model\(.*\)\.save"):
        load_model(str(own / "model"))
    path.unlink()
    with pytest.raises(OSError, match=r"without the layers of a Keras model[^$]*load_model\(.*\)\.save"):
        load_model(str(own / "model"))


def test_weights_into_a_model_that_was_built_by_hand(folder):
    i = layers.Input((5,), dtype="int32")
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Embedding(10, 4)(i))
    model = Model(i, layers.Dense(2, activation="softmax")(layers.GRU(3, reset_after=True)(x)))
    model.load_weights(str(folder / "words" / "checkpoint"))
    check(model, folder / "words")


# Hostile files ---------------------------------------------------------------------------------------


def test_bytes_that_are_changed_or_cut_end_in_one_error(own):
    """Nothing but errors of ours, whatever stands in the index, the numbers or the metadata."""
    numbers = random.Random(0)
    model = Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization(), layers.Dense(2)])
    for name in ("checkpoint.index", "checkpoint.data-00000-of-00001", "model/keras_metadata.pb"):
        path = own / name
        whole = path.read_bytes()
        for trial in range(60):
            changed = bytearray(whole[: numbers.randrange(len(whole))] if trial % 4 == 0 else whole)
            for _ in range(trial % 4 * 3):
                changed[numbers.randrange(len(changed))] = numbers.randrange(256)
            path.write_bytes(bytes(changed))
            with contextlib.suppress(KerasFrontError, OSError):
                if "model" in name:
                    saved_model.metadata(str(own / "model"))
                else:
                    model.load_weights(str(own / "checkpoint"))
        path.write_bytes(whole)
    check(load_model(str(own / "model")), own)


def test_a_link_and_a_size_that_the_file_does_not_have(own):
    data = own / "checkpoint.data-00000-of-00001"
    whole = data.read_bytes()
    data.write_bytes(whole[:100])
    model = load_model(str(own / "model"), compile=False)
    with pytest.raises(UnsafeFileError, match="The file was cut"):
        model.load_weights(str(own / "checkpoint"))
    data.unlink()
    (own / "other").write_bytes(whole)
    os.symlink(own / "other", data)
    with pytest.raises(UnsafeFileError, match="found a link"):
        model.load_weights(str(own / "checkpoint"))


def test_names_of_a_checkpoint_and_their_limit(folder):
    bundle = TensorBundle(folder / "stack" / "checkpoint")
    name = "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    assert bundle.array(name).shape == (4, 3)
    with pytest.raises(UnsafeFileError, match="expected at most 10 bytes, received a shape of 48"):
        bundle.array(name, 10)
    with pytest.raises(SerializationError, match="expected 'nothing', found"):
        bundle.array("nothing")


def test_blocks_packed_by_snappy():
    """A literal, copies with one, two and four bytes of distance, one of which repeats itself."""
    packed = bytes([24, 4 << 2]) + b"abcde" + bytes([1 | 1 << 2 | 0 << 5, 5]) + bytes([2 | 3 << 2, 10, 0])
    packed += bytes([3 | 9 << 2, 1, 0, 0, 0])
    assert snappy(packed, 100) == b"abcde" + b"abcde" + b"abcd" + b"d" * 10
    for wrong in (packed[:-1], bytes([5]) + packed[1:], bytes([24, 1 | 1 << 2, 5]), b"\xff\xff\xff\xff\x7f"):
        with pytest.raises(SerializationError):
            snappy(wrong, 100)


def test_inspect_describes_a_folder_and_convert_reads_it(folder, tmp_path):
    found = describe(folder / "stack" / "model")
    model = load_model(folder / "stack" / "model", compile=False)
    assert found.kind == "a whole model as a SavedModel of TensorFlow"
    assert [e.name for e in found.layers if e.class_name != "InputLayer"] == [layer.name for layer in model.layers]
    assert {w.shape for w in model.weights} <= {e.shape for e in found.weights}
    assert found.optimizer.startswith("Adam(")
    assert found.state
    assert found.refused == []
    convert(folder / "stack" / "model", tmp_path / "m.h5")
    for got, want in zip(load_model(tmp_path / "m.h5").get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_inspect_notes_what_is_wrong_with_a_folder(own):
    (own / "model" / "variables" / "variables.index").write_bytes(b"x" * 100)
    assert "expected an index of a checkpoint" in describe(own / "model").refused[0]


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(32), b"\xff" * 32, bytes(range(256)) * 17 + b"end"])
def test_checksums(data):
    """By the definition, a bit at a time; RFC 3720, B.4 has the first ones."""
    expected = 0xFFFFFFFF
    for byte in data:
        expected ^= byte
        for _ in range(8):
            expected = expected >> 1 ^ (0x82F63B78 if expected & 1 else 0)
    assert crc32c.crc32c(data) == expected ^ 0xFFFFFFFF
    known = {b"123456789": 0xE3069283, bytes(32): 0x8A9136AA}
    assert crc32c.crc32c(data) == known.get(data, crc32c.crc32c(data))


def test_a_bit_that_turned_is_found(own):
    """Among the numbers, where no size and no name tells it, and in the index."""
    (path,) = own.glob("model/variables/*.data-*")
    bundle = TensorBundle(own / "model" / "variables" / "variables")
    name = next(n for n, (kind, shape) in bundle.described().items() if kind == "float32" and shape)
    data = bytearray(path.read_bytes())
    data[bundle._entries[name].offset + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match="damaged after it was written"):
        bundle.array(name)
    index = own / "model" / "variables" / "variables.index"
    data = bytearray(index.read_bytes())
    data[len(data) // 4] ^= 1
    index.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=r"variables\.index"):
        TensorBundle(own / "model" / "variables" / "variables")
