"""Files of safetensors are read here without that package, which writes them: what it writes, and what it would not."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from keras_front.errors import UnreadableFileError, UnsafeFileError
from keras_front.saving import safetensors_files
from keras_front.utils.unpacking import read_unpacked

ARRAYS = {"a": np.arange(6, dtype="float32").reshape(2, 3), "b": np.array(7, "int64"), "c": np.zeros((0, 2), "float16")}


def packed(header, data=b""):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_what_the_package_writes_is_read(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    package.save_file(ARRAYS, tmp_path / "f.safetensors", {"format": "pt"})
    found = safetensors_files.read(tmp_path / "f.safetensors")
    assert {name: (a.dtype, a.tolist()) for name, a in found.items()} == {
        name: (a.dtype, a.tolist()) for name, a in ARRAYS.items()
    }


def test_bfloat16_is_read_as_float32(tmp_path):
    data = np.array([0x3F80, 0xC000], "<u2").tobytes()
    (tmp_path / "f").write_bytes(packed({"x": entry("BF16", (2,), (0, 4))}, data))
    assert safetensors_files.read(tmp_path / "f")["x"].tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack("<Q", 1 << 62) + b"{}", "expected a header in 10 bytes"),
        (packed({"x": entry(shape=(3,))}, bytes(8)), "'x': expected 12 bytes, received 8"),
        (packed({"x": entry(offsets=(4, 12))}, bytes(12)), "'x': expected it at"),
        (packed({"x": entry()}, bytes(9)), "expected a file of"),
        (packed({"x": entry(dtype="F7")}, bytes(8)), "a type of numbers"),
        (packed({"x": entry(shape=(-2,))}, bytes(8)), "a type of numbers"),
        (packed(b'{"x": 1, "x": 1}'), "each name once"),
        (packed({"x": {"dtype": "F32"}}), "KeyError"),
    ],
)
def test_a_header_that_lies_is_one_error_with_the_file(tmp_path, data, message):
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        safetensors_files.read(tmp_path / "f")
    assert str(tmp_path / "f") in str(caught.value)


def test_a_bomb_is_told_from_data(tmp_path):
    (tmp_path / "f").write_bytes(bytes(1 << 25))
    with open(tmp_path / "f", "rb") as stream, pytest.raises(UnsafeFileError, match="a bomb"):
        read_unpacked(stream, 1000, "f")
    with open(tmp_path / "f", "rb") as stream:
        assert len(read_unpacked(stream, 1 << 20, "f")) == 1 << 25
    assert issubclass(UnreadableFileError, OSError)
