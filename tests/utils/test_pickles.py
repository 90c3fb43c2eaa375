"""Pickles of data sets: what arrays need is read, in every protocol; anything else is refused before it can do harm."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from datetime import date

import numpy as np
import pytest

from keras_front.errors import SerializationError, UnsafeFileError
from keras_front.utils.pickles import load_npz, load_pickle

ARRAY_OF_LISTS = np.empty(2, object)
ARRAY_OF_LISTS[:] = [[1, 2], [70000]]

GOOD = [
    None, True, 0, -1, 255, 65536, 2**40, -(2**70), 1.5, float("inf"), "text", "ü", b"bytes", [], (), {}, (1,), [[]],
    {"a": [1, 2.5], b"b": (None, "x")},
    list(range(3000)),
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(3, dtype=">i4"),
    np.zeros((0, 5), np.uint8),
    np.array(3.5),
    np.array(["a", "bc"]),
    np.array([b"a", b"bc"]),
    np.array([True, False]),
    np.array([1 + 2j], "complex64"),
    np.float32(1.5), np.int64(7), np.bool_(True),
    ARRAY_OF_LISTS,
    {"data": np.arange(4, dtype="uint8"), "labels": [np.int64(3), 4]},
    [np.arange(2), [np.arange(3)]],
]  # fmt: skip


def same(a, b) -> bool:
    if isinstance(a, np.ndarray | np.generic):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and str(a.tolist()) == str(b.tolist())
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(map(same, a.values(), b.values()))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("thing", GOOD, ids=lambda thing: repr(thing)[:20])
def test_what_data_sets_are_made_of(thing, protocol):
    found = load_pickle(pickle.dumps(thing, protocol))
    assert same(found, thing), found


def test_arrays_can_be_written_to():
    found = load_pickle(pickle.dumps(np.arange(3)))
    found[0] = 9
    assert found[0] == 9


def test_things_that_are_shared_or_hold_themselves():
    array = np.arange(3)
    first, second = load_pickle(pickle.dumps([array, array]))
    assert first is second
    loop: list = [array]
    loop.append(loop)
    found = load_pickle(pickle.dumps(loop))
    assert found[1] is found


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def raw(*parts: bytes) -> bytes:
    return b"".join(parts) + b"."


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
MADE = RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"  # an array without a state
F8 = b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
OBJECTS = b"cnumpy\ndtype\nU\x01OK\x00K\x01\x87R"
HUGE = b"\x8a\x05\x00\x00\x00\x00\x10"  # 2 ** 36

HOSTILE = {
    "os.system": pickle.dumps(Calls(os.system, "true")),
    "eval": pickle.dumps(Calls(eval, "1")),
    "eval of Python 2": raw(b"c__builtin__\neval\n(V1\ntR"),
    "getattr": pickle.dumps(Calls(getattr, "x", "__class__")),
    "subclass through NumPy": raw(b"cnumpy.core.multiarray\n__builtins__\n"),
    "numpy.load": pickle.dumps(Calls(np.load, "x.npy", None, True)),
    "dotted name": raw(b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.tobytes\x93"),
    "a class": pickle.dumps(date(2000, 1, 1)),
    "ordered dict": pickle.dumps(OrderedDict(a=1)),
    "set": pickle.dumps({1}),
    "range": pickle.dumps(range(3)),
    "instance of protocol 0": raw(b"(ios\nsystem\n"),
    "object opcode": raw(b"(cos\nsystem\nVtrue\no"),
    "new object": raw(b"cnumpy\ndtype\n)\x81"),
    "extension": raw(b"\x82\x01"),
    "persistent id": raw(b"Pname\n"),
    "binary persistent id": raw(b"NQ"),
    "out-of-band buffer": raw(b"\x97"),
    "codecs.encode to another codec": raw(b"c_codecs\nencode\nX\x01\x00\x00\x00xX\x05\x00\x00\x00rot13\x86R"),
    "calling ndarray": raw(NDARRAY, HUGE, b"\x85R"),
    "changing a stand-in": raw(b"cnumpy\ndtype\n(N}V__call__\nI1\nstb"),
    "a stand-in as the result": raw(NDARRAY),
    "a dtype as the result": raw(F8),
    "an array without a state": raw(MADE),
    "an array larger than its bytes": raw(MADE, b"(K\x01", HUGE, b"\x85", F8, b"\x89C\x08\0\0\0\0\0\0\0\0tb"),
    "an array of many objects": raw(MADE, b"(K\x01", HUGE, b"\x85", OBJECTS, b"\x89]tb"),
    "negative shape": raw(MADE, b"(K\x01J\xff\xff\xff\xff\x85", F8, b"\x89C\x00tb"),
    "bytes as objects": raw(MADE, b"(K\x01K\x01\x85", OBJECTS, b"\x89C\x08\0\0\0\0\0\0\0\0tb"),
    "dtype with fields": raw(b"cnumpy\ndtype\nU\x02V8K\x00K\x01\x87R"),
    "dtype by a long text": raw(b"cnumpy\ndtype\nX\x0a\x00\x00\x00f8,f8,f8,fK\x00K\x01\x87R"),
    "fields in a dtype's state": raw(
        b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NU\x01xNJ\0\0\0\0J\0\0\0\0K\0tb"
    ),
    "an object as a NumPy scalar": raw(b"cnumpy.core.multiarray\nscalar\n", OBJECTS, b"NN\x87R"),
    "memory for the memo": raw(b"]r\xff\xff\xff\xff"),
    "memory for the memo, as text": raw(b"]p4294967295\n"),
    "memory for a byte array": raw(b"\x96" + struct.pack("<Q", 2**40)),
    "bytes that are not there": raw(b"B\xff\xff\xff\x7f"),
    "deep lists": raw(b"]" * 1000 + b"a" * 999),
    "a number of many digits": raw(b"I" + b"9" * 10000 + b"\n"),
    "no end": b"]]a",
    "cut": pickle.dumps(np.arange(100))[:-50],
    "empty": b"",
    "text": b"hello",
    "too little on the stack": raw(b"aaa"),
    "unhashable key": raw(b"}]Ns"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles(name):
    with pytest.raises(SerializationError, match=r"^here: "):
        load_pickle(HOSTILE[name], "here")


def test_nothing_runs(tmp_path):
    marker = tmp_path / "ran"
    for call in (
        Calls(os.mkdir, str(marker)),
        Calls(open, str(marker), "w"),
        Calls(exec, f"open({str(marker)!r}, 'w')"),
    ):
        for protocol in range(6):
            with pytest.raises(UnsafeFileError, match=r"must not name|received opcode"):
                load_pickle(pickle.dumps([np.arange(2), call], protocol))
    assert not marker.exists()


def test_a_refused_pickle_changes_nothing_for_the_next(tmp_path):
    for name in HOSTILE:
        with pytest.raises(SerializationError):
            load_pickle(HOSTILE[name])
    assert load_pickle(pickle.dumps(np.arange(2))).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(300))
def test_changed_bytes_are_read_or_refused(seed):
    """Whatever comes of a pickle with wrong bytes, it is data or our error."""
    random = np.random.default_rng(seed)
    content = bytearray(pickle.dumps({"a": ARRAY_OF_LISTS, "b": np.arange(4.0), "c": [1, "x", None]}, seed % 6))
    for place in random.integers(0, len(content), 3):
        content[place] = random.integers(0, 256)
    try:
        load_pickle(bytes(content))
    except SerializationError:
        pass


# .npz files -------------------------------------------------------------------------------------------------


def test_npz_files(tmp_path):
    arrays = {"x": ARRAY_OF_LISTS, "y": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "z": np.array(5)}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        found = load_npz(tmp_path / "a.npz")
        assert list(found) == list(arrays)
        assert all(same(found[name], arrays[name]) for name in arrays)


def npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


BAD_MEMBERS = {
    "shape larger than the file": npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", bytes(8)
    ),
    "incomplete": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", bytes(16)),
    "fields": npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", bytes(8)),
    "objects in fields": npy("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])),
    "code in the header": npy("__import__('os').system('true')"),
    "negative shape": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8)),
    "hostile objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", HOSTILE["os.system"]),
    "no array": b"hello",
    "empty": b"",
    "another version": npy("{}", version=b"\x09\x00"),
}


@pytest.mark.parametrize("name", BAD_MEMBERS)
def test_hostile_npz_files(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", BAD_MEMBERS[name])
    with pytest.raises(SerializationError, match=r"a.npz, x.npy"):
        load_npz(tmp_path / "a.npz")


def test_what_is_no_npz_file(tmp_path):
    out = io.BytesIO()
    np.savez(out, x=np.arange(1000))
    for content in (b"", b"hello", out.getvalue()[:-100], out.getvalue()[:500]):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(SerializationError, match=r"expected an .npz file"):
            load_npz(tmp_path / "a.npz")


def test_lists_that_a_pickle_names_many_times_are_counted_wherever_they_stand():
    laughs = [0] * 3
    for _ in range(20):
        laughs = [laughs] * 10
    with pytest.raises(UnsafeFileError, match="the same lists stand in many places"):
        load_pickle(pickle.dumps(laughs))
    shared = [1, 2]
    assert load_pickle(pickle.dumps([shared, shared])) == [shared, shared]
