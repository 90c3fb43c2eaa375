"""Memory that crosses the border between engines without a copy, and where it cannot.

The table of docs/moving-tensors.md is the table of this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, BackendError

ENGINES = ("numpy", "torch", "jax", "tensorflow")
DTYPES = ("float32", "float64", "float16", "int32", "int64", "uint8", "bool")


def aligned(values, offset=0):
    """An array whose memory begins at a multiple of 64 bytes, and `offset`."""
    values = np.asarray(values)
    room = np.zeros(values.nbytes + 128, "uint8")
    start = -room.ctypes.data % 64 + offset
    array = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def address(x):
    return np.asarray(discovery.owner(x).to_numpy(x) if discovery.owner(x) else x).ctypes.data


@pytest.mark.parametrize("origin", ENGINES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_of_another_engine_is_the_same_memory(backend, origin, dtype):
    source = discovery.get(origin)
    values = np.arange(24).reshape(4, 6) % 7
    tensor = aligned(values.astype(dtype))
    tensor = source.share(tensor) if origin in ("numpy", "torch") else source.asarray(tensor)
    shared = K.from_dlpack(tensor, copy=False)
    assert backend.is_tensor(shared)
    assert (K.dtype(shared), tuple(shared.shape)) == (dtype, (4, 6))
    assert address(shared) == address(tensor)
    np.testing.assert_array_equal(K.to_numpy(shared), values.astype(dtype))


@pytest.mark.parametrize("origin", ["numpy", "torch"])
def test_a_write_is_seen_on_the_other_side(backend, origin):
    tensor = aligned(np.zeros(8, "float32"))
    tensor = tensor if origin == "numpy" else discovery.get("torch").share(tensor)
    shared = K.from_dlpack(tensor)
    tensor[3] = 7
    assert K.to_numpy(shared).tolist() == [0, 0, 0, 7, 0, 0, 0, 0]


@pytest.mark.parametrize("origin", ENGINES)
def test_what_went_there_and_back_is_what_it_was(backend, origin):
    source, values = discovery.get(origin), aligned(np.arange(16, dtype="float32"))
    tensor = source.share(values) if origin in ("numpy", "torch") else source.asarray(values)
    there = K.from_dlpack(tensor)
    if backend.name == "numpy" and origin in ("jax", "tensorflow"):  # whose tensors never change: it is read only
        assert not there.flags.writeable
    else:
        assert address(source.share(there)) == address(tensor)


def test_values_come_out_without_a_copy(backend):
    tensor = K.convert(np.arange(16, dtype="float32"))
    out = K.to_numpy(tensor)
    assert out.ctypes.data == address(tensor) == address(K.to_numpy(tensor))
    assert K.get_value(tensor).ctypes.data != out.ctypes.data


def test_what_goes_in_is_private_unless_one_asks(backend):
    array = aligned(np.zeros(4, "float32"))
    for made in (K.convert(array), K.constant(array), K.variable(array).value, K.from_dlpack(array, copy=True)):
        array[:] = 0
        if not isinstance(made, np.ndarray):  # an array is a tensor of NumPy: K.convert returns it
            array[:] = 1
            assert not K.to_numpy(made).any()


# What cannot be shared ------------------------------------------------------------------------------------------

STRICT = {"odd": "jax tensorflow", "gaps": "jax tensorflow", "locked": "jax tensorflow"}  # who must copy what
ARRAYS = {
    "odd": lambda: aligned(np.arange(16, dtype="float32"), 4),  # not at a multiple of 64 bytes
    "gaps": lambda: aligned(np.arange(64, dtype="float32").reshape(4, 16))[:, :3],
    "locked": lambda: np.broadcast_to(aligned(np.arange(16, dtype="float32")), (16,)),  # read only
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_only_some_engines_share(backend, kind):
    if kind == "locked" and np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("NumPy before 2.1 gives nobody an array that may not be written")
    array = ARRAYS[kind]()
    np.testing.assert_array_equal(K.to_numpy(K.from_dlpack(array)), array)
    np.testing.assert_array_equal(K.to_numpy(K.from_dlpack(array, copy=True)), array)
    if backend.name in STRICT[kind].split():
        with pytest.raises(BackendError, match=r"cannot share the memory of this ndarray: .* Let it be copied"):
            K.from_dlpack(array, copy=False)
    else:
        assert address(K.from_dlpack(array, copy=False)) == address(array)


def test_lists_and_variables_and_what_is_no_array(backend):
    assert K.to_numpy(K.from_dlpack([1.0, 2.0])).tolist() == [1, 2]
    assert K.to_numpy(K.from_dlpack(K.variable([1.0, 2.0]))).tolist() == [1, 2]
    with pytest.raises((ArgumentError, TypeError, ValueError)):
        K.from_dlpack({"no": "array"})


# Tensors of two engines in one call -----------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["torch", "jax", "tensorflow"])
def test_tensors_of_two_engines_do_not_meet(backend, origin):
    if origin == backend.name:
        return
    theirs = discovery.get(origin).asarray(np.ones(2, "float32"))
    ours = K.convert(np.ones(2, "float32"))
    text = f"A tensor of the backend '{origin}' met the active backend '{backend.name}'. Convert it first, "
    x = K.placeholder((2,))
    for call in (
        lambda: K.add(ours, theirs),
        lambda: K.add(theirs, 1.0),
        lambda: K.concatenate([ours, theirs], axis=0),
        lambda: K.where(K.convert(np.array([True, False])), theirs, ours),
        lambda: K.compile(lambda a, b: a + b)(ours, theirs),
        lambda: K.function([x], [x * theirs])([np.ones(2)]),
        lambda: K.function([x], [x])([theirs]),
        lambda: K.value_and_grad(lambda p: (K.sum(p[0]), []), [theirs]),
    ):
        with pytest.raises(BackendError) as caught:
            call()
        assert text in str(caught.value)
    assert K.to_numpy(theirs).tolist() == [1, 1]
    assert K.to_numpy(K.add(ours, K.from_dlpack(theirs))).tolist() == [2, 2]


def test_everything_else_may_meet(backend):
    x, v = K.placeholder((2,)), K.variable([1.0, 2.0])
    ours, array = K.convert(np.array([10.0, 20.0], "float32")), np.array([100.0, 200.0], "float32")
    together = K.stack([K.add(ours, array), K.add(ours, v), K.add(1, ours), K.add([1.0, 2.0], ours)])
    assert K.to_numpy(together).tolist() == [[110, 220], [11, 22], [11, 21], [11, 22]]
    f = K.function([x], [x + ours + array + v + 1 + np.float64(2) + [1.0, 2.0]])
    assert f([np.zeros(2)])[0].tolist() == [115, 227]
    assert f([ours])[0].tolist() == [125, 247]


# The page -------------------------------------------------------------------------------------------------------


def test_the_page_says_what_is_true():
    page = (Path(__file__).parents[2] / "docs" / "moving-tensors.md").read_text()
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| **")]
    table = {row[0].strip(" *"): [cell.strip() for cell in row[1:]] for row in rows}
    assert list(table) == [
        "a tensor of torch, JAX or TensorFlow",
        "an array that begins at a multiple of 64 bytes",
        "an array that begins elsewhere",
        "a slice with gaps, such as some of the columns",
        "an array that may not be written to",
    ]
    for row, kind in zip(list(table)[2:], ("odd", "gaps", "locked"), strict=True):
        want = ["copied" if name in STRICT[kind].split() else "shared" for name in ENGINES]
        assert table[row] == want, row
    assert table["a tensor of torch, JAX or TensorFlow"] == ["shared"] * 4
