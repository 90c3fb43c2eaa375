"""Hostile pickles: calls of functions, sizes, repetition, nesting and damage, through the readers of data sets."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hostile import Check, Hostile, harmless, refused
from hostile_code import GADGETS
from hostile_hdf5 import damages

from keras_front.datasets import cifar, files, imdb, reuters
from keras_front.datasets.texts import read_word_index
from keras_front.utils.pickles import load_pickle

Reader = Callable[[Path], Any]


def readers() -> dict[str, tuple[Any, Reader]]:
    """What a good file of each kind holds, and what reads it."""
    texts = [[1, 4, 5, 6], [1, 7, 8]], [0, 1]
    return {
        "CIFAR": ({b"data": np.zeros((2, 3072), "uint8"), b"labels": [0, 1]}, cifar.load_batch),
        "IMDB": ((texts, texts), lambda path: imdb.load_data(str(path))),
        "Reuters": (texts, lambda path: reuters.load_data(str(path))),
        "word index": ({"the": 1, "of": 2}, read_word_index),
        "arrays": (((np.eye(2), np.ones(2)), (np.eye(2), np.ones(2))), lambda path: files.read_arrays(path, *"abcd")),
        "a pickle": ([1, "x", np.arange(3)], lambda path: load_pickle(path.read_bytes(), str(path))),
    }


def cases() -> Iterator[Hostile]:
    """Every program that a pickle can be, then damage, then what no data set is, for each reader."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    for reader, (good, read) in readers().items():
        for name, data in programs().items():
            yield _case(f"pickle of {reader}: programs", name, data, read, folder, refused())
        for name, data in odd().items():
            yield _case(f"pickle of {reader}: sizes and structure", name, data, read, folder, harmless)
        for protocol in (0, 2, 4):
            data = pickle.dumps(good, protocol)
            for kind, name, damaged in damages(data, seed=len(data)):
                where = f"protocol {protocol}, {name}"
                yield _case(f"pickle of {reader}: {kind}", where, damaged, read, folder, harmless)
        for name, value in others().items():
            yield _case(f"pickle of {reader}: other data", name, pickle.dumps(value), read, folder, harmless)
        yield _case(f"pickle of {reader}: sizes and structure", "a gzip bomb", _bomb(), read, folder, refused())
    for name, text in TEXTS.items():
        yield _case("word index in JSON", name, text.encode("utf-8", "surrogatepass"), read_word_index, folder,
                    harmless, ".json")  # fmt: skip


def _case(kind: str, name: str, data: bytes, read: Reader, folder: Path, check: Check, end: str = ".pkl") -> Hostile:
    def run() -> Any:
        path = folder / f"data{end}"
        path.write_bytes(data)
        return read(path)

    return Hostile(kind, name, run, check, (str(folder),))


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def programs() -> dict[str, bytes]:
    """Pickles that call something, by every opcode that can."""
    made: dict[str, bytes] = {}
    for module, name in GADGETS:
        old, new = f"c{module}\n{name}\n".encode(), b"\x80\x04" + _short(module) + _short(name) + b"\x93"
        made[f"{module}.{name}, GLOBAL"] = old + b"(S'true'\ntR."
        made[f"{module}.{name}, STACK_GLOBAL"] = new + b"\x8c\x04true\x85R."
        made[f"{module}.{name}, INST"] = f"(S'true'\ni{module}\n{name}\n.".encode()
        made[f"{module}.{name}, OBJ"] = b"(" + old + b"S'true'\no."
        made[f"{module}.{name}, NEWOBJ"] = b"\x80\x02" + old + b"(S'true'\nt\x81."
        made[f"{module}.{name}, in a list"] = b"(l(" + old + b"S'true'\ntRa."
        made[f"{module}.{name}, never called"] = old + b"0(l."
    for name, data in {
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "PERSID": b"Pfile:///etc/passwd\n.",
        "BINPERSID": b"S'file:///etc/passwd'\nQ.",
        "BUILD of a class": b"cnumpy\nndarray\n}S'__reduce__'\ncos\nsystem\nsb.",
        "an attribute of a name": b"cnumpy.core.multiarray\n_reconstruct\n}(S'__class__'\nS'x'\nub.",
        "a dotted name": b"\x80\x04" + _short("numpy") + _short("ndarray.__class__") + b"\x93.",
        "a name of a name": b"\x80\x04" + _short("numpy.core.multiarray") + _short("scalar.__globals__") + b"\x93.",
        "another codec": b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.",
        "an object array of objects": b"cnumpy\ndtype\n(S'O8'\ntR.",
        "a dtype of fields": b"cnumpy\ndtype\n(S'i4,f4'\ntR.",
        "a dtype with state": b"cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR(I3\nS'|'\nN(S'a'\ntNI-1\nI-1\nI0\ntb.",
        "NEXT_BUFFER": b"\x80\x05\x97.",
    }.items():
        made[name] = data
    return made


def _bomb() -> bytes:
    """A text of 4 GB in some megabytes."""
    stream = io.BytesIO()
    with gzip.open(stream, "wb", 1) as packed:
        packed.write(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 32))
        for _ in range(1 << 8):
            packed.write(bytes(1 << 22))
    return stream.getvalue()


def odd() -> dict[str, bytes]:
    """Pickles that ask for memory, depth or time."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    many = b"".join(b"h" + bytes([0]) for _ in range(200_000))
    laughs = b"\x80\x02]q\x00(K\x01K\x02K\x03e"
    for level in range(1, 40):
        laughs += b"]q" + bytes([level]) + b"(" + (b"h" + bytes([level - 1])) * 10 + b"e"
    return {
        "PUT of a large number": b"I1\np2147483647\n.",
        "LONG_BINPUT of a large number": b"K\x01r\xff\xff\xff\x7f.",
        "BINUNICODE8 of 2**62": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
        "BINBYTES8 of 2**63": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 63) + b"x.",
        "BYTEARRAY8 of a gigabyte": b"\x80\x05\x96" + struct.pack("<Q", 1 << 30) + b"x.",
        "BINSTRING of a negative size": b"T\xff\xff\xff\xffx.",
        "LONG4 of a negative size": b"\x80\x02\x8b\xff\xff\xff\xff.",
        "LONG of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
        "INT of 100000 digits": b"I" + b"9" * 100_000 + b"\n.",
        "FLOAT of nonsense": b"Fnan(0x7ff)\n.",
        "FRAME of 2**60": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"K\x01.",
        "a protocol of the future": b"\x80\xc8K\x01.",
        "100000 lists in each other": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "100000 tuples in each other": b"\x80\x02K\x01" + b"\x85" * 100_000 + b".",
        "a list in itself": b"\x80\x02]q\x00h\x00a.",
        "a dictionary in itself": b"\x80\x02}q\x00K\x01h\x00s.",
        "a tuple in itself": b"\x80\x02]q\x000(h\x00tq\x010h\x00h\x01a0h\x01.",
        "a list of a list 200000 times": b"\x80\x02]q\x00(" + b"K\x01" * 100_000 + b"e0](" + many + b"e.",
        "texts of one text, each 200000 times": b"\x80\x02]q\x00(" + b"K\x01" * 20_000 + b"e0](" + many + b"e]("
        + b"K\x01" * 200_000 + b"e\x86q\x01h\x01\x86.",
        "lists that double": laughs + b".",
        "an unhashable key": b"\x80\x02}](K\x01es.",
        "marks without end": b"(" * 100_000 + b".",
        "an empty stack": b"0.",
        "nothing": b".",
        "an array of 2**62": array + b"(I1\n(I4611686018427387904\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'x'\ntb.",
        "an array of a negative size": array + b"(I1\n(I-1\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'x'\ntb.",
        "an array of 40 axes": array + b"(I1\n(" + b"I1\n" * 70 + b"tcnumpy\ndtype\n(S'f8'\ntRI00\nS'xxxxxxxx'\ntb.",
        "an array of objects that are texts": array + b"(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\ntRI00\nS'x'\ntb.",
        "an array of no state": array + b".",
        "an array whose state is a number": array + b"I1\nb.",
        "a text of 9999 letters each": array + b"(I1\n(I100\ntcnumpy\ndtype\n(S'S9999'\ntRI00\nS'x'\ntb.",
        "half a character": b"\x80\x02X\x03\x00\x00\x00\xed\xa0\x80.",
    }  # fmt: skip


def others() -> dict[str, Any]:
    """Pickles of plain things that belong to no data set, or to another one."""
    odd = [1, "x", None, [], (), {}, [[1]], {"data": 1}, [[["a"]], [["b"]]], ((1, 2), (3, 4)), [None, None], b"", 1e300]
    texts = [["a", "b"], [None]], [0, 1]
    return {
        **{repr(value)[:60]: value for value in odd},
        "texts of texts": (texts, texts),
        "labels of texts": (([[1]], ["x"]), ([[1]], ["x"])),
        "labels missing": (([[1], [2]], [1]), ([[1]], [1, 2])),
        "texts of floats": (([[1.5, float("nan")]], [1]), ([[2**70]], [1])),
        "texts of a long number": (([[10**400]], [1]), ([[1]], [1])),
        "no texts": (([], []), ([], [])),
        "texts in the place of pictures": {b"data": "x" * 3072, b"labels": [0]},
        "objects in the place of pictures": {b"data": np.asarray([[None] * 3072], object), b"labels": [0]},
        "labels of a class": {b"data": np.zeros((1, 3072), "uint8"), b"labels": {"a": 1}},
        "no labels": {b"data": np.zeros((1, 3072), "uint8")},
        "keys of no UTF-8": {b"\xff\xfe": 1, b"data": np.zeros((1, 3072), "uint8"), b"labels": [0]},
        "keys of numbers": {1: 2, (1, 2): 3, None: 4},
    }


TEXTS = {
    "a list": "[]",
    "a number": "7",
    "unclosed": '{"a": ',
    "deep": '{"a": ' + "[" * 100_000,
    "no numbers": json.dumps({"a": "b", "c": None}),
    "a long number": '{"a": ' + "9" * 100_000 + "}",
    "NaN": '{"a": NaN, "b": Infinity, "c": -1}',
    "half a character": '{"\\ud800": 1}',
    "no UTF-8": '{"\udcff": 1}',
    "a name twice": '{"a": 1, "a": 2}',
}
