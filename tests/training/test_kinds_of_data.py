"""Each kind of data gives what the same numbers in arrays give: table, stand-ins for libraries, one model for all."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torch.utils.data import Dataset as Samples

from keras_front.backend import seeds
from keras_front.callbacks import Callback
from keras_front.errors import ArgumentError, ShapeError
from keras_front.layers import Concatenate, Dense, Input
from keras_front.models import Model
from keras_front.utils import Sequence
from keras_front.utils.data_utils import PyDataset
from keras_front.utils.dataset import Dataset

rng = np.random.default_rng(0)
X = rng.normal(size=(16, 4)).astype("float32")
Y = X @ rng.normal(size=(4, 1)).astype("float32")
PARTS = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 16, 4)]
NAMES = list("abcd")
ARRAYS = {"batch_size": 4, "shuffle": False}


def frame(x):
    return pd.DataFrame(x, columns=NAMES[: x.shape[1]])


class Holder:
    """Gives its numbers by one protocol only."""

    def __init__(self, array):
        self.array = array


class ByArray(Holder):
    def __array__(self, dtype=None, copy=None):
        return self.array


class ByDlpack(Holder):
    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Places:
    """As sparse tensors of TensorFlow."""

    def __init__(self, array):
        self.indices, self.dense_shape = np.argwhere(array), array.shape
        self.values = array[tuple(self.indices.T)]


class Table(ByArray):
    """As tables of Arrow: columns by name, no index."""

    column_names = NAMES

    def __getitem__(self, name):
        return self.array[:, NAMES.index(name)]


class RowsOfLists(ByArray):
    """As a column of Arrow whose cells are lists: an array of arrays, with a `type` and no `dtype`."""

    type = "list<float>"

    def __array__(self, dtype=None, copy=None):
        cells = np.empty(len(self.array), object)
        cells[:] = list(self.array)
        return cells


class Later:
    """As a lazy table of Polars."""

    def collect(self):
        return frame(X)


class Chunked(ByArray):
    """As arrays of Zarr: a shape, chunks and rows."""

    dtype, chunks = np.dtype("float32"), (4, 4)

    @property
    def shape(self):
        return self.array.shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        return self.array[rows]


class OneByOne(Samples):
    def __len__(self):
        return 16

    def __getitem__(self, i):
        return torch.tensor(X[i]), Y[i]


class Columns:
    """As datasets of Hugging Face: samples are dicts, many at once are columns."""

    column_names, shape = ["x", "y"], (16, 2)

    def __len__(self):
        return 16

    def __getitem__(self, rows):
        return {"x": X[rows].tolist(), "y": Y[rows]}

    def __getitems__(self, rows):
        raise AssertionError("columns are read at once")


class Iterated(IterableDataset):
    def __iter__(self):
        return iter(PARTS)


class Batches(Sequence):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return PARTS[i]


class BatchesOfNoClass:
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return PARTS[i]


class Endless(PyDataset):
    num_batches = None

    def __getitem__(self, i):
        return PARTS[i % 4]


def forever(make=lambda batch: batch):
    while True:
        yield from map(make, PARTS)


def hdf5(*arrays):
    file = h5py.File("in memory", "w", driver="core", backing_store=False)
    return tuple(file.create_dataset(str(i), data=array) for i, array in enumerate(arrays))


def mapped(*arrays):
    from tempfile import TemporaryFile

    found = tuple(np.memmap(TemporaryFile(), array.dtype, "w+", shape=array.shape) for array in arrays)
    for target, array in zip(found, arrays):
        target[:] = array
    return found


STEPS = {"steps": 4}
KINDS = {  # name: (what makes x, or x and y; arguments)
    "lists": (lambda: (X.tolist(), Y.tolist()), ARRAYS),
    "tensors with gradients": (lambda: (torch.tensor(X, requires_grad=True), torch.tensor(Y)), ARRAYS),
    "data frame": (lambda: (frame(X), pd.Series(Y[:, 0])), ARRAYS),
    "nullable data frame": (lambda: (frame(X).astype("Float32"), frame(Y).astype("Float64")), ARRAYS),
    "table": (lambda: (Table(X), Y), ARRAYS),
    "__array__": (lambda: (ByArray(X), ByArray(Y)), ARRAYS),
    "rows of lists": (lambda: (RowsOfLists(X), RowsOfLists(Y)), ARRAYS),
    "__dlpack__": (lambda: (ByDlpack(X), ByDlpack(Y)), ARRAYS),
    "sparse": (lambda: (scipy.sparse.coo_matrix(X), Y), ARRAYS),
    "sparse tensor of torch": (lambda: (torch.tensor(X).to_sparse(), Y), ARRAYS),
    "places and values": (lambda: (Places(X), Y), ARRAYS),
    "memory map": (lambda: mapped(X, Y), ARRAYS),
    "HDF5": (lambda: hdf5(X, Y), ARRAYS),
    "Zarr": (lambda: (Chunked(X), Chunked(Y)), ARRAYS),
    "dicts by name": (lambda: ({"x": X}, {"y": Y}), ARRAYS),
    "one dict by name": (lambda: ({"x": X, "y": Y},), ARRAYS),
    "TensorDataset": (lambda: (TensorDataset(torch.tensor(X), torch.tensor(Y)),), ARRAYS),
    "dataset of samples": (lambda: (OneByOne(),), ARRAYS),
    "dataset of columns": (lambda: (Columns(),), ARRAYS),
    "loader": (lambda: (DataLoader(OneByOne(), 4),), {}),
    "loader of dicts": (lambda: (DataLoader([{"x": X[i], "y": Y[i]} for i in range(16)], 4),), {}),
    "iterable dataset": (lambda: (Iterated(),), {}),
    "dataset": (lambda: (Dataset.from_tensor_slices((X, Y)).batch(4),), {}),
    "endless dataset": (lambda: (Dataset.from_tensor_slices((X, Y)).batch(4).repeat(),), STEPS),
    "Sequence": (lambda: (Batches(),), {"shuffle": False}),
    "Sequence and steps": (lambda: (Batches(),), {"shuffle": False, **STEPS}),
    "endless PyDataset": (lambda: (Endless(),), STEPS),
    "endless PyDataset, two workers": (lambda: (Endless(),), {"workers": 2, **STEPS}),
    "generator": (lambda: (forever(),), STEPS),
    "generator of lists": (lambda: (forever(lambda b: (b[0].tolist(), b[1].tolist())),), STEPS),
    "generator of frames": (lambda: (forever(lambda b: (frame(b[0]), b[1])),), STEPS),
    "generator of sparse": (lambda: (forever(lambda b: (scipy.sparse.csr_matrix(b[0]), b[1])),), STEPS),
    "generator of dicts": (lambda: (forever(lambda b: {"x": b[0], "y": b[1]}),), STEPS),
}


class Shared:
    """One compiled model for all tests on a backend, and what arrays give; each test begins with the same weights."""

    def __init__(self):
        x = Input((4,), name="x")
        self.net = Model(x, Dense(1, kernel_initializer="ones", name="y")(x))
        self.net.compile("sgd", "mse")
        self.weights = self.net.get_weights()
        self.loss, self.trained = self.fit((X, Y), ARRAYS)
        self.score = self.net.evaluate(X, Y, 4, verbose=0)
        self.outputs = self.net.predict(X, 4)

    def fit(self, data, arguments):
        self.net.set_weights(self.weights)
        history = self.net.fit(*data, epochs=2, verbose=0, **renamed(arguments, "steps_per_epoch")).history
        return history["loss"], self.net.get_weights()


def renamed(arguments, steps):
    return {steps if name == "steps" else name: value for name, value in arguments.items()}


def of_pass(arguments):
    return {name: value for name, value in arguments.items() if name != "shuffle"}


MODELS: dict[str, Shared] = {}


@pytest.fixture
def shared(backend):
    if backend.name not in MODELS:
        MODELS[backend.name] = Shared()
    return MODELS[backend.name]


@pytest.mark.parametrize("kind", KINDS)
def test_fit_evaluate_and_predict_take_it(shared, kind):
    make, arguments = KINDS[kind]
    loss, trained = shared.fit(make(), arguments)
    np.testing.assert_allclose(loss, shared.loss, rtol=1e-5)
    for got, expected in zip(trained, shared.trained):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    shared.net.set_weights(shared.trained)
    again = of_pass(arguments)
    assert shared.net.evaluate(*make(), verbose=0, **again) == pytest.approx(shared.score, rel=1e-5)
    np.testing.assert_allclose(shared.net.predict(make()[0], **again), shared.outputs, rtol=1e-4, atol=1e-6)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("kind", ["memory map", "HDF5", "Zarr", "TensorDataset", "dataset of samples"])
def test_samples_are_shuffled_like_those_of_arrays(shared, kind, monkeypatch):
    monkeypatch.setattr("keras_front.training.data.host_arrays.MAPPED", 0)
    results = []
    for data in ((X, Y), KINDS[kind][0]()):
        seeds.set_random_seed(5)
        results.append(shared.fit(data, {"batch_size": 4})[0])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("kind", ["memory map", "HDF5", "Zarr"])
def test_what_is_read_in_parts_can_be_split_and_exchanged_in_blocks(shared, kind, monkeypatch):
    monkeypatch.setattr("keras_front.training.data.host_arrays.MAPPED", 0)
    losses = []
    for data in ((X, Y), KINDS[kind][0]()):
        seeds.set_random_seed(5)
        shared.net.set_weights(shared.weights)
        history = shared.net.fit(*data, 4, 2, 0, validation_split=0.25, shuffle="batch").history
        losses.append([*history["loss"], *history["val_loss"]])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


@pytest.mark.engine_neutral
def test_an_iterator_is_gone_through_once(shared):
    shared.net.set_weights(shared.weights)
    with pytest.warns(UserWarning, match="ended after 1 of 3 epochs"):
        history = shared.net.fit(iter(PARTS), epochs=3, verbose=0)
    assert history.history["loss"] == pytest.approx(shared.loss[:1])
    assert history.params["steps"] == 4


@pytest.mark.engine_neutral
def test_streams_to_validate_on(shared):
    for validation in (
        iter(PARTS),
        DataLoader(OneByOne(), 4),
        OneByOne(),
        TensorDataset(torch.tensor(X), torch.tensor(Y)),
    ):
        shared.net.set_weights(shared.weights)
        history = shared.net.fit(X, Y, 4, verbose=0, shuffle=False, validation_data=validation).history
        kernel, bias = shared.net.get_weights()
        assert history["val_loss"] == pytest.approx([np.mean((X @ kernel + bias - Y) ** 2)], rel=1e-4)


@pytest.mark.engine_neutral
def test_a_table_that_holds_all_by_name(backend):
    """`fit`, validation, evaluation, prediction, and streams of its parts."""
    a, b = Input((1,), name="a"), Input((1,), name="b")
    model = Model([a, b], Dense(1, name="y")(Concatenate()([a, b])))
    model.compile("sgd", "mse")
    whole = frame(X[:, :2]).assign(y=Y[:, 0])
    seen = model.fit(whole, validation_data=whole, verbose=0).history["val_loss"]
    by_name = {name: whole[name].to_numpy() for name in whole}
    assert model.evaluate(whole, verbose=0) == pytest.approx(seen[0]) == model.evaluate(by_name, verbose=0)
    expected = model.predict([X[:, 0], X[:, 1]])
    np.testing.assert_allclose(model.predict(whole), expected, rtol=1e-6)
    parts = [whole[i : i + 4] for i in range(0, 16, 4)]
    assert model.evaluate(iter(parts), steps=4, verbose=0) == pytest.approx(seen[0])
    np.testing.assert_allclose(model.predict(iter(parts), steps=4), expected, rtol=1e-6)
    with pytest.raises(ArgumentError, match=r"No target data: expected an array for each of \['y'\]"):
        model.fit(whole, validation_data=whole[["a", "b"]], verbose=0)


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (lambda: (Endless(),), {}, "expected `steps_per_epoch`, because Endless has no end"),
        (lambda: (Batches(), Y), {}, "expected no y"),
        (lambda: (DataLoader(OneByOne(), 4),), {"batch_size": 4}, "expected no batch_size. Set such things where the"),
        (lambda: (X, Y), {"validation_data": iter(PARTS), "epochs": 2}, "be gone through once, but there are 2 valid"),
        (lambda: (Dataset.from_tensor_slices((X, Y)),), {}, r"of single samples make some, with batch\(n\)"),
        (lambda: (BatchesOfNoClass(),), {}, "are single samples; if they are batches, give it a method"),
        (lambda: (OneByOne(),), {"validation_split": 0.5}, "validation_split` is only supported for arrays"),
        (lambda: (iter([PARTS[0], (X[:, :3], Y)]),), {}, r"Batch 1 of .*shape=\(None, 4\), found shape=\(16, 3\)"),
        (lambda: (iter([PARTS[0], (X, Y[:3])]),), {}, "Batch 1 of the data, .* received 16 inputs, 3 targets"),
        (lambda: (iter([{"x": X, "z": Y}]),), {}, r"keys \['x', 'z'\], which lacks targets"),
        (lambda: ([PARTS[0], PARTS[1]],), {}, r"Batches in a list are passed as an iterator, iter\(batches\)"),
        (lambda: (Later(), Y), {}, r"for .x.: received a Later, which is computed later: pass x.collect\(\)"),
        (lambda: (frame(X).assign(b="text"), Y), {}, r"for .x.: the column .b. has dtype .*.text.; expected num"),
        (lambda: (frame(X).assign(b=pd.Categorical(["u"] * 16)), Y), {}, "column 'b' has dtype category.*codes of cat"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(shared, data, arguments, message):
    with pytest.raises((ArgumentError, ShapeError), match=message):
        shared.net.fit(*data(), verbose=0, **arguments)


class Ragged(Samples):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[i, : 2 + i], Y[i]


@pytest.mark.engine_neutral
def test_samples_of_different_shapes_are_named(shared):
    with pytest.raises(ArgumentError, match=r"samples? of one shape in a batch, received \[\(2,\), \(3,\)"):
        shared.net.fit(Ragged(), verbose=0)


@pytest.mark.engine_neutral
@pytest.mark.timeout(30)
@pytest.mark.parametrize("ending", ["error of the reader", "error of a step", "interrupt", "early stop"])
def test_readers_end(shared, ending):
    """Whatever ends a training, no thread is left, and nothing waits."""

    def batches():
        yield from PARTS
        if ending == "error of the reader":
            raise OSError("disk full")
        yield (X[:, :2], Y) if ending == "error of a step" else PARTS[0]
        yield from forever()

    class End(Callback):
        def on_batch_end(self, batch, logs=None):
            if batch == 5 and ending == "interrupt":
                raise KeyboardInterrupt
            self.model.stop_training = batch == 5

    before = set(threading.enumerate())
    expected = {"error of the reader": OSError, "error of a step": ShapeError, "interrupt": KeyboardInterrupt}
    with pytest.raises(expected[ending]) if ending in expected else nullcontext() as caught:
        shared.net.fit(batches(), steps_per_epoch=100, verbose=0, callbacks=[End()])
    if ending == "error of the reader":
        assert any(entry.name == "batches" for entry in caught.traceback)
    assert set(threading.enumerate()) <= before
