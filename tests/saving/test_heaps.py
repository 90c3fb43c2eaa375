"""Damaged heaps of HDF5 files, over which libhdf5 would go for ever."""

from __future__ import annotations

import io

import pytest

from keras_front import layers, models
from keras_front.errors import UnreadableFileError
from keras_front.saving import heaps, inspection

HEAD = heaps.HEAD


def model_file():
    stream = io.BytesIO()
    models.Sequential([layers.Dense(1, input_shape=(2,))]).save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("size", [b"\x00" * 8, b"\xf0" + b"\xff" * 7], ids=["of no size", "that wraps around"])
def test_an_object_that_leads_nowhere_is_refused(tmp_path, size):
    data = model_file()
    first = data.find(heaps.SIGNATURE) + HEAD
    number = b"\x00\x00" if size == bytes(8) else data[first : first + 2]
    bad = data[:first] + number + data[first + 2 : first + 8] + size + data[first + 16 :]
    path = tmp_path / "m.h5"
    path.write_bytes(bad)
    for source in (io.BytesIO(bad), path):
        with pytest.raises(UnreadableFileError, match=r"heap at byte .* leads nowhere"):
            models.load_model(source)
    assert "leads nowhere" in str(inspection.describe(path))


def test_a_stream_stands_where_it_stood():
    stream = io.BytesIO(model_file())
    stream.seek(3)
    heaps.check_heaps(stream, "it")
    assert stream.tell() == 3
