"""HDF5 files as arrays and as dictionaries, and the question before a file is replaced."""

from __future__ import annotations

import io
import os
import pickle

import h5py
import numpy as np
import pytest

from keras_front.errors import ArgumentError, UnreadableFileError, UnsafeFileError
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.preprocessing.image import load_img
from keras_front.utils import HDF5Matrix
from keras_front.utils import io_utils as i

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as out:
        out["x"], out["y"], out["group/deep"] = X, X.sum(1), X
        out["elsewhere"] = h5py.ExternalLink("other.h5", "x")
    with h5py.File(tmp_path / "other.h5", "w") as out:
        out["x"] = X
    return tmp_path / "data.h5"


def test_rows(file):
    matrix = HDF5Matrix(file, "x", 10, 50)
    rows = X[10:50]
    assert (matrix.shape, matrix.dtype, matrix.ndim, matrix.size, len(matrix)) == ((40, 4), np.float32, 2, 160, 40)
    for key in (0, 39, -1, np.int64(3), slice(None), slice(2, 7), slice(None, 5), slice(3, None), slice(-5, None)):
        np.testing.assert_array_equal(matrix[key], rows[key])
    for key in ([1, 3], [3, 1, 1], np.array([5, 2]), range(2, 6), [], np.arange(40) % 3 == 0):
        np.testing.assert_array_equal(matrix[key], rows[np.asarray(key, None if len(key) else int)])
    np.testing.assert_array_equal(np.asarray(matrix), rows)
    for key in (40, -41, slice(0, 41), [39, 40], np.array([40]), range(39, 41)):
        with pytest.raises(IndexError):
            matrix[key]
    with pytest.raises(TypeError, match="expected numbers of rows or a slice"):
        matrix[None]


def test_a_normalizer(file):
    matrix = HDF5Matrix(file, "group/deep", normalizer=lambda rows: np.repeat(rows, 2, -1).astype("float64"))
    assert (matrix.shape, matrix.dtype) == ((60, 8), np.float64)
    np.testing.assert_array_equal(matrix[3:5], np.repeat(X[3:5], 2, -1))


def test_training_from_a_file(file, backend):
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    x, y = HDF5Matrix(file, "x", 0, 40), HDF5Matrix(str(file), "y", 0, 40)
    history = model.fit(x, y, batch_size=8, epochs=8, shuffle="batch", verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    rest = HDF5Matrix(file, "x", 40), HDF5Matrix(file, "y", 40)
    np.testing.assert_allclose(
        model.evaluate(*rest, verbose=0), model.evaluate(X[40:], X.sum(1)[40:], verbose=0), rtol=1e-6
    )
    np.testing.assert_allclose(model.predict(rest[0], verbose=0), model.predict(X[40:], verbose=0), rtol=1e-6)


def test_a_matrix_goes_to_other_processes(file):
    matrix = pickle.loads(pickle.dumps(HDF5Matrix(file, "x", 10)))
    np.testing.assert_array_equal(matrix[0], X[10])


def test_what_is_no_data_set(file):
    with pytest.raises(ArgumentError, match="expected one of the data sets"):
        HDF5Matrix(file, "z")
    with pytest.raises(ArgumentError, match="expected one of the data sets"):
        HDF5Matrix(file, "group")
    with pytest.raises(UnsafeFileError, match="another file"):
        HDF5Matrix(file, "elsewhere")


VALUES = {"int": 3, "float": 2.5, "text": "ü", "array": np.arange(6.0).reshape(2, 3), "number": np.float32(3)}


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_h5dict(kind, tmp_path):
    place = {} if kind == "memory" else str(tmp_path / "d.h5")
    with i.H5Dict(place, "w") as d:
        for name, value in VALUES.items():
            d[name] = value
        d["texts"] = ["a", "b"]
        d["group"]["inner"] = np.ones(2)
        d[b"bytes"] = 1
        assert "array" in d
        assert "nothing" not in d
        assert d.get("nothing", 7) == 7
    with i.h5dict(place, "r") as d:
        for name, value in VALUES.items():
            np.testing.assert_array_equal(d[name], value)
        assert [t.decode() if isinstance(t, bytes) else t for t in d["texts"]] == ["a", "b"]
        np.testing.assert_array_equal(d["group"]["inner"], [1, 1])
        assert "array" in list(d)
        assert "array" in d.keys()  # a method of what is inside
        assert len(d) == len(list(d.iter()))
        with pytest.raises(ValueError, match="read-only"):
            d["new"] = 1
        with pytest.raises(ValueError, match="read-only"):
            d["new"]
        with pytest.raises(ValueError, match="read-only"):
            d["group"]["new"] = 1


def test_h5dict_of_a_group_and_what_it_refuses(tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        d = i.H5Dict(file.create_group("g"))
        d["x"] = np.ones(2)
        with pytest.raises(KeyError, match="exists"):
            d["x"] = np.ones(2)
        with pytest.raises(NotImplementedError):
            d.update({"y": 1})
        names = [f"name_{n:06d}" for n in range(9000)]  # more than one attribute may hold
        d["names"] = names
        assert d["names"] == names
        with pytest.raises(ValueError, match="at most 64512 bytes"):
            d["long"] = ["a" * 70000]
    memory = i.H5Dict({})
    memory.update({"y": 1})
    assert memory["y"] == 1
    assert i.H5Dict.is_supported_type(tmp_path)
    with pytest.raises(TypeError, match="expected a file, a group or a dict"):
        i.H5Dict(3)


def test_a_pickle_in_a_dictionary_runs_nothing():
    class Call:
        def __reduce__(self):
            return print, ("ran",)

    d = i.H5Dict({"x": pickle.dumps(Call()), "_x_pickled": True})
    with pytest.raises(UnsafeFileError):
        d["x"]


def test_files_in_memory():
    stream = io.BytesIO()
    assert i.save_to_binary_h5py(lambda file: file.create_dataset("x", data=X).shape, stream) == X.shape
    stream.seek(0)
    np.testing.assert_array_equal(i.load_from_binary_h5py(lambda file: file["x"][()], stream), X)


def test_arrays_of_keras1(tmp_path):
    i.save_array(X, tmp_path / "x.h5")
    np.testing.assert_array_equal(i.load_array(tmp_path / "x.h5"), X)
    i.save_to_binary_h5py(lambda file: None, open(tmp_path / "empty.h5", "wb"))
    with pytest.raises(RuntimeError, match="expected a data set 'data'"):
        i.load_array(tmp_path / "empty.h5")


def test_the_question(monkeypatch, capsys):
    answers = iter(["maybe", "Y ", "no", "n"])
    monkeypatch.setattr("builtins.input", lambda text: next(answers))
    assert i.ask_to_proceed_with_overwrite("file") is True
    assert "[TIP]" in capsys.readouterr().out
    assert i.ask_to_proceed_with_overwrite("file") is False


@pytest.mark.of_the_host
@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device"])
def test_what_is_no_file_is_not_waited_for(backend, tmp_path, kind):
    path = tmp_path / "x.h5"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    for where, read in {"HDF5Matrix": lambda: HDF5Matrix(path, "x"), "load_img": lambda: load_img(path)}.items():
        with pytest.raises(UnreadableFileError, match=f"{where}: expected a file, .* is a folder, a pipe or a device"):
            read()
