"""Hostile `.npz`, `.npy`, `.pt` and safetensors files: read as weights, described, and converted."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hostile import VALUES, Check, Hostile, changed, harmless, places, refused, shown, without
from hostile_archives import NAMES
from hostile_archives import changed as with_members
from hostile_code import GADGETS
from hostile_hdf5 import damages, model
from hostile_pickles import odd, programs

from keras_front import saving
from keras_front.saving import conversion, inspection, safetensors_files, torch_files, weight_paths
from keras_front.utils.pickles import load_npz

Door = Callable[[Path], Any]


def _into_model(path: Path) -> Any:
    """Weights into a model, by way of a file of both."""
    conversion.convert(path, path.with_name("out.h5"), model=_model())


def _model() -> Any:
    if not _MODELS:
        _MODELS.append(model())
    return _MODELS[0]


_MODELS: list[Any] = []


def _described(path: Path) -> Any:
    """The description; what it would refuse is in it, so that only harm is an error here."""
    str(inspection.describe(path))


def _weights(path: Path) -> Any:
    _model().load_weights(path)


def _whole(path: Path) -> Any:
    saving.load_model(path)


READABLE = ("objects", "objects: a dictionary in itself", "objects: half a character", "no members")
OTHERS: dict[str, Door] = {"weights into a model": _into_model, "load_weights": _weights, "load_model": _whole}


def cases() -> Iterator[Hostile]:
    """Each kind of file: lies of its headers, then damage, through its own reader and the others."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    for end, (good, lies, read) in kinds().items():
        for door, function in {"its reader": read, **OTHERS}.items():
            for name, data in lies.items():
                check = harmless if name in READABLE else refused()
                yield _case(f"{end}: {door}", name, data, function, folder, end, check)
        for name, data in lies.items():
            yield _case(f"{end}: inspect", name, data, _described, folder, end, harmless)
        for kind, name, damaged in damages(good, seed=len(good)):
            for door, function in {"its reader": read, "inspect": _described}.items():
                yield _case(f"{end}: {door}: {kind}", name, damaged, function, folder, end, harmless)


def _case(kind: str, name: str, data: bytes, read: Door, folder: Path, end: str, check: Check) -> Hostile:
    def run() -> Any:
        path = folder / f"file{end}"
        path.write_bytes(data)
        return read(path)

    return Hostile(kind, name, run, check, (str(folder),))


def kinds() -> dict[str, tuple[bytes, dict[str, bytes], Door]]:
    """By suffix: a good file, files that lie, and what reads them."""
    arrays = {path: weight.numpy() for path, weight in weight_paths.weight_paths(_model()).items()}
    return {
        ".npz": (_npz(arrays), npz_lies(arrays), load_npz),
        ".pt": (_torch(arrays), torch_lies(arrays), torch_files.read),
        ".safetensors": (_safetensors(arrays), safetensors_lies(arrays), safetensors_files.read),
    }


# NumPy -----------------------------------------------------------------------------------------------


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _header(text: str, data: bytes = bytes(64), version: tuple[int, int] = (1, 0)) -> bytes:
    form = "<H" if version == (1, 0) else "<I"
    raw = text.encode("latin-1")
    return b"\x93NUMPY" + bytes(version) + struct.pack(form, len(raw)) + raw + data


def _described_as(descr: str = "'<f4'", shape: str = "(4, 4)", fortran: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def npz_lies(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Archives of arrays whose headers or members lie."""
    headers = {
        "a shape of 2**62": _header(_described_as(shape=f"({2**62},)")),
        "a shape of 10**400": _header(_described_as(shape=f"({10**400},)")),
        "a negative shape": _header(_described_as(shape="(-4, -4)")),
        "a shape of floats": _header(_described_as(shape="(4.0, 4)")),
        "a shape of bools": _header(_described_as(shape="(True, 16)"), bytes(63)),
        "100 axes": _header(_described_as(shape="(" + "1, " * 100 + ")"), bytes(4)),
        "objects": _header(_described_as("'|O'"), pickle.dumps(np.asarray([None]))),
        "fields": _header(_described_as("[('a', '<f4'), ('b', '|O')]")),
        "an empty dtype": _header(_described_as("'|S0'")),
        "a dtype of a gigabyte": _header(_described_as("'|S1073741824'", "(1,)")),
        "a dtype of nonsense": _header(_described_as("'os.system'")),
        "an expression": _header(_described_as(shape="__import__('os').system('true')")),
        "a deep expression": _header(_described_as(shape="(" * 3000 + ")" * 3000)),
        "a long header": _header(_described_as(shape="(" + " " * 60_000 + "4, 4)")),
        "a header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        "no dictionary": _header("[1, 2]\n"),
        "another key": _header("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': 1}\n"),
        "version 9": _header(_described_as(), version=(9, 9)),
        "too few bytes": _header(_described_as(), bytes(3)),
        "no header": b"",
        "text": b"hello",
    }
    first = next(iter(arrays))
    made = {name: _members({f"{first}.npy": data}) for name, data in headers.items()}
    for name, program in {**programs(), **odd()}.items():
        if "numpy" not in name and len(program) < 1000:
            made[f"objects: {name}"] = _members({f"{first}.npy": _header(_described_as("'|O'", "(1,)"), program)})
    plain = _npz(arrays)
    bomb = _header(_described_as(shape=f"({1 << 28},)"), bytes(1 << 30))
    made["a bomb"] = _members({f"{first}.npy": bomb}, zipfile.ZIP_DEFLATED)
    made["a name twice"] = with_members(plain, add={f"{first}.npy": _header(_described_as())})
    made |= {f"a member {name}": with_members(plain, add={name: b"x"}) for name in NAMES}
    made["a link"] = with_members(plain, add={"x.npy": b"/etc/passwd"}, link="x.npy")
    made["no members"] = b"PK\x05\x06" + bytes(18)
    return made


def _members(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


# PyTorch ---------------------------------------------------------------------------------------------


def _torch(arrays: dict[str, np.ndarray]) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        torch_files.write(file.name, arrays)
        return Path(file.name).read_bytes()


def _tensor(key: str = "0", storage: str = "FloatStorage", size: str = "I16\n", offset: str = "I0\n",
            shape: str = "(I4\nI4\nt", stride: str = "(I4\nI1\nt", module: str = "torch") -> bytes:  # fmt: skip
    return (
        f"ctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nc{module}\n{storage}\nV{key}\nVcpu\n{size}tQ{offset}{shape}{stride}"
        "I00\nccollections\nOrderedDict\n(tRtR"
    ).encode()


def torch_lies(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Archives of PyTorch whose pickles call, or whose tensors lie."""
    tensors = {
        "a storage of 2**62": _tensor(size=f"I{2**62}\n"),
        "a negative size": _tensor(size="I-16\n"),
        "a size of text": _tensor(size="Vx\n"),
        "an offset behind": _tensor(offset="I15\n"),
        "a negative offset": _tensor(offset="I-1\n"),
        "a shape of 2**62": _tensor(shape=f"(I{2**62}\nI4\nt", stride="(I0\nI0\nt"),
        "strides of nothing": _tensor(shape="(I4096\nI4096\nt", stride="(I0\nI0\nt"),
        "a negative shape": _tensor(shape="(I-4\nI4\nt"),
        "a stride of 2**62": _tensor(stride=f"(I{2**62}\nI1\nt"),
        "fewer strides": _tensor(stride="(I1\nt"),
        "a shape of texts": _tensor(shape="(Va\nVb\nt"),
        "100 axes": _tensor(shape="(" + "I1\n" * 100 + "t", stride="(" + "I1\n" * 100 + "t"),
        "a key that leads out": _tensor(key="../../etc/passwd"),
        "a key that is not there": _tensor(key="7"),
        "the pickle as storage": _tensor(key="../data.pkl"),
        "an unknown storage": _tensor(storage="QUInt8Storage"),
        "a storage of another module": _tensor(module="os", storage="system"),
        "no tensor": b"I1\n",
        "a tensor in itself": b"]p1\ng1\na",
    }
    made = {name: _archive(b"(d(Va.weight\n" + data + b"u.") for name, data in tensors.items()}
    for module, name in GADGETS:
        made[f"{module}.{name}"] = _archive(f"c{module}\n{name}\n(S'true'\ntR.".encode())
    for name, program in {**programs(), **odd()}.items():
        if "numpy" not in name and len(program) < 1000:
            made[f"pickle: {name}"] = _archive(program)
    overlapping = b"".join(b"V%d\n" % n + _tensor("1", size=f"I{1 << 22}\n", offset=f"I{n}\n", shape=f"(I{1 << 21}\nt",
                                                  stride="(I1\nt") for n in range(2000))  # fmt: skip
    made["2000 tensors of one storage"] = _archive(b"(d(" + overlapping + b"u.", {"data/1": bytes(1 << 24)})
    made["a bomb"] = _archive(
        b"(d(Va\n" + _tensor("1", size=f"I{1 << 28}\n") + b"u.", {"data/1": bytes(1 << 30)}, zipfile.ZIP_DEFLATED
    )
    plain = _torch(arrays)
    made["a name twice"] = with_members(plain, add={"archive/data/0": bytes(64)})
    made |= {f"a member {name}": with_members(plain, add={name: b"x"}) for name in NAMES}
    made["a storage that is a link"] = with_members(
        plain, without=("archive/data/0",), add={"archive/data/0": b"/etc/passwd"}, link="archive/data/0"
    )
    made["the other byte order"] = with_members(
        plain, without=("archive/byteorder",), add={"archive/byteorder": b"big"}
    )
    made["the format before 1.6"] = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    script = {"archive/constants.pkl": b"x", "archive/code/x.py": b"x"}
    made["a program of TorchScript"] = with_members(plain, add=script, without=("archive/data.pkl",))
    return made


def _archive(program: bytes, further: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    members = {"data.pkl": program, "byteorder": b"little", "data/0": bytes(64), "version": b"3\n", **(further or {})}
    return _members({f"archive/{name}": data for name, data in members.items()}, method)


# Safetensors -----------------------------------------------------------------------------------------


def _safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    header, place = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": [*array.shape], "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    return _packed(json.dumps(header), b"".join(array.astype("<f4").tobytes() for array in arrays.values()))


def _packed(header: str | bytes, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else header.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(raw)) + raw + data


def safetensors_lies(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Files whose header is another one."""
    good = _safetensors(arrays)
    (length,) = struct.unpack("<Q", good[:8])
    base, data = json.loads(good[8 : 8 + length]), good[8 + length :]
    base = dict(list(base.items())[:2])
    texts: dict[str, bytes] = {
        "a header of 2**63": struct.pack("<Q", 1 << 63) + b"{" + data,
        "a header of a gigabyte": struct.pack("<Q", 1 << 30) + b"{" + data,
        "an empty header": _packed("", data),
        "no dictionary": _packed("{}", data)[:9] + b"]",
        "deep": _packed('{"a":' + "[" * 100_000, data),
        "a name twice": _packed(json.dumps(base)[:-1] + "," + json.dumps(base)[1:], data),
        "no data": _packed(json.dumps(base)),
        "more data": _packed(json.dumps(base), data + bytes(1000)),
        "no UTF-8": _packed(b'{"\xff": 1}'),
        "NaN": _packed('{"a": NaN}'),
        "a number of 10**400": _packed(json.dumps(base).replace("[0,", f"[{10**400},", 1), data),
    }
    for path in places(base):
        for name, value in VALUES.items():
            if not isinstance(value, float) and value != "":
                texts[f"{shown(path)}: {name}"] = _packed(json.dumps(changed(base, path, value)), data)
        texts[f"{shown(path)}: missing"] = _packed(json.dumps(without(base, path)), data)
    return texts
