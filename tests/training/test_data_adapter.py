"""Data is checked and put in order before it reaches a step."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front.callbacks.batch_hooks import LazyLogs
from keras_front.errors import ArgumentError, ShapeError
from keras_front.training.data import adapter as F
from keras_front.training.data import arrays as A
from keras_front.training.data.streams import is_stream

ONE = [A.ArraySpec("x", (None, 3), "float32")]
TWO = [A.ArraySpec("a", (None, 3), "float32"), A.ArraySpec("b", (None, 1), "float32")]
NUMBERS = [A.ArraySpec("y", (None, 1), "float32")]


def spec(inputs, targets=NUMBERS):
    return A.DataSpec(inputs, targets, [None] * len(targets))


@pytest.mark.parametrize(
    "given",
    [
        [np.zeros((4, 3)), np.ones(4)],
        (np.zeros((4, 3), "int8"), np.ones((4, 1), bool)),
        {"b": np.ones(4), "a": np.zeros((4, 3))},
    ],
)
def test_lists_and_dicts_become_flat_lists_of_the_right_dtype(given):
    a, b = A.standardize(given, TWO, "input")
    assert (a.shape, b.shape) == ((4, 3), (4, 1))
    assert a.dtype == b.dtype == "float32"
    assert b.all()


def test_nested_numbers_are_one_array():
    (x,) = A.standardize([[1, 2, 3], [4, 5, 6]], ONE, "input")
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]
    (y,) = A.standardize([1, 2, 3], NUMBERS, "target")
    assert y.shape == (3, 1)


def test_an_array_that_fits_is_not_copied():
    x = np.zeros((4, 3), "float32")
    assert A.standardize(x, ONE, "input")[0] is x


def test_class_numbers_keep_their_kind_and_get_their_axis():
    slot = A.ArraySpec("y", (None, None, 1), None)
    (y,) = A.standardize(np.zeros((4, 7), "int64"), [slot], "target")
    assert (y.shape, y.dtype) == ((4, 7, 1), "int32")


@pytest.mark.parametrize(
    ("slots", "given", "message"),
    [
        (ONE, np.zeros((4, 2)), r"expected x to have shape \(3,\) but got array with shape \(2,\)"),
        (ONE, np.zeros((4, 3, 1)), r"expected x to have 2 dimensions, but got array with shape \(4, 3, 1\)"),
        (ONE, [np.zeros((4, 3))] * 2, "wrong number of input arrays: expected 1"),
        (TWO, np.zeros((4, 3)), "wrong number of input arrays: expected 2, for"),
        (TWO, {"a": np.zeros((4, 3))}, r"No input data for \['b'\]"),
        (ONE, None, "received None"),
        (ONE, [[1, 2, 3], [4, 5]], "pad them first"),
        (ONE, np.array([["a", "b", "c"]]), "expected numbers"),
        ([], np.zeros(3), "Expected no input data"),
        (ONE, np.float32(3), "is a single number"),
    ],
)
def test_what_is_wrong_is_named(slots, given, message):
    with pytest.raises((ArgumentError, ValueError), match=message):
        A.standardize(given, slots, "input")


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match="received 4 inputs, 5 targets"):
        spec(ONE).batch(np.zeros((4, 3)), np.zeros(5))
    with pytest.raises(ShapeError, match=r"all inputs need the same number of samples, received \[4, 5\]"):
        spec(TWO).batch([np.zeros((4, 3)), np.zeros(5)], np.zeros(4))


def test_a_batch_says_which_outputs_are_weighted():
    targets = [A.ArraySpec(name, (None, 1), "float32") for name in "pq"]
    batch, layout = spec(ONE, targets).batch(np.zeros((4, 3)), [np.zeros(4), np.ones(4)], {"q": np.full(4, 2.0)})
    assert layout == A.BatchLayout(1, 2, (False, True))
    xs, ys, weights = layout.split(batch)
    assert (len(xs), len(ys), weights[0]) == (1, 2, None)
    assert weights[1].tolist() == [2, 2, 2, 2]


def test_orders():
    generator = np.random.default_rng(0)
    assert F.sample_order(5, 2, False, generator).tolist() == [0, 1, 2, 3, 4]
    shuffled = F.sample_order(100, 8, True, generator)
    assert sorted(shuffled.tolist()) == list(range(100))
    assert shuffled.tolist() != list(range(100))
    batches = F.sample_order(10, 4, "batch", generator)
    assert sorted(batches[:8].reshape(2, 4).tolist()) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert batches[8:].tolist() == [8, 9]
    with pytest.raises(ArgumentError, match="expected True, False or 'batch', received 'rows'"):
        F.sample_order(10, 4, "rows", generator)


def test_data_in_a_file_is_read_in_rising_order(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        rows = file.create_dataset("x", data=np.arange(30).reshape(10, 3))
        numbers = file.create_dataset("y", data=np.arange(10))
        arrays, layout = spec(ONE).batch(rows, numbers, whole=False)
        feed = F.ArrayAdapter(arrays, layout, 4, [*ONE, *NUMBERS])
        assert feed.nbytes() is None
        x, y = feed.rows(np.array([7, 2, 9]))
        assert x[:, 0].tolist() == [21, 6, 27]
        assert (y.tolist(), y.dtype) == ([[7], [2], [9]], np.dtype("float32"))


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.95, -0.5])
def test_a_split_leaves_both_sides_something(fraction):
    with pytest.raises(ArgumentError, match="leaves samples on both sides of 10"):
        F.split_off([np.zeros(10)], fraction)


def test_what_counts_as_a_stream():
    assert is_stream(x for x in [1])
    assert is_stream(iter([1]))
    assert not is_stream(np.zeros(3))
    assert not is_stream([np.zeros(3)])


def test_lazy_logs_fetch_once_and_only_when_looked_at():
    fetched = []

    def fetch():
        fetched.append(1)
        return [0.5, 0.25]

    logs = LazyLogs({"batch": 3}, ["loss", "acc"], fetch)
    assert logs["batch"] == 3
    assert "loss" in logs
    assert "val_loss" not in logs
    assert fetched == []
    logs["loss"] = 1.0
    assert dict(logs) == {"batch": 3, "loss": 1.0, "acc": 0.25}
    assert logs.get("none", 7) == 7
    assert len(fetched) == 1
    with pytest.raises(KeyError):
        LazyLogs({}, ["loss"], lambda: [1])["acc"]
    assert {**LazyLogs({}, ["loss"], lambda: [1])} == {"loss": 1}
