"""Every op on every engine, with arguments changed at random: the same result, or the same error.

    python tests/robustness/compared.py [--seconds 60] [--seed 0] [--ops sum,gather] [--backends numpy,torch] [--show 2]

The calls are those of the conformance table with changes: other sizes (0, 1, one more), one axis more or less, other
dtypes, NaN, infinities and extreme numbers, Python's numbers and lists in place of tensors, axes that are negative,
doubled or out of range, and attributes of wrong kinds. Each is made on values on every engine, on symbols, and in a
program; what differs from the first engine is printed once for each op and kind of difference, with its seed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery
from keras_front.errors import DtypeError, KerasFrontError, WrongPlaceError
from keras_front.testing import conformance
from keras_front.testing.case import Case
from keras_front.testing.values import leaves

LARGEST = 12 << 30  # bytes of address space
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e-30, 0.5, -0.5, 2.5, 1.0)
NUMBERS = (0, 1, 2, -1, 0.5, 2.0, True, float("nan"), float("inf"))
NO_TENSORS = (None, "text", object, {}, [[1, 2], [3]], [None], 1 + 2j, [])
AXES = (
    0,
    -1,
    1,
    -2,
    2,
    None,
    5,
    -7,
    (0, 1),
    (0, 0),
    (0, -1),
    [0],
    (),
    "a",
    1.5,
    True,
    2**40,
    np.int64(0),
    [1, 0],
    (None,),
)
ANY = (None, 0, 1, -1, 2, 1.5, 1e15, "a", (), (0,), (1, 2), [1], {}, True, float("nan"), object, 2**40, np.float32(2))
DIMS = (
    (),
    (0,),
    (1,),
    (-1,),
    (2, -1),
    (-1, -1),
    (3, 4),
    (-2,),
    (1.5,),
    ("a",),
    (None,),
    None,
    3,
    2**40,
    (2**33, 2**33),
    (0, -1),
)
# Made for adapters and gradients: users do not call them, so what they do with wrong arguments is not compared.
INTERNAL = re.compile(
    r"_gradient$|_pick$|_update$|_sequence$|^clipped_|^conv$|^(max|average)_pool$|^strided_slice|^scatter|^host"
)
RANDOM = frozenset(("keep_mask", "uniform_noise", "normal_noise", "host_print", "engine_uniform", "engine_normal"))
# Dtypes in which results are rounded, and how far results of two engines may then be apart, of the largest.
CLOSE = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 2e-4, "float64": 1e-7, "complex64": 2e-4, "complex128": 1e-7}


class Outcome(NamedTuple):
    """What a call gave: the results as arrays, with their dtypes, or its error."""

    arrays: tuple[np.ndarray, ...]
    dtypes: tuple[str, ...]
    error: Exception | None


# Calls -----------------------------------------------------------------------------------------------------------


def changed(case: Case, draw: random.Random) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a case with one to three changes."""
    arrays, attrs = list(case.arrays), dict(case.attrs)
    if draw.random() < 0.5:
        arrays = _converted(arrays, draw)
    for _ in range(draw.choice((0, 1, 1, 2))):
        if attrs and draw.random() < 0.5:
            name = draw.choice(sorted(attrs))
            attrs[name] = _attribute(name, attrs[name], draw)
        else:
            arrays = draw.choice((_resized, _resized, _one_resized, _special, _no_array, _ranked, _one_converted))(
                arrays, draw
            )
    return arrays, attrs


def _each(arrays: list[Any], fn: Callable[[np.ndarray], Any]) -> list[Any]:
    return [
        None
        if a is None
        else [fn(x) if isinstance(x, np.ndarray) else x for x in a]
        if isinstance(a, list)
        else fn(a)
        if isinstance(a, np.ndarray)
        else a
        for a in arrays
    ]


def _one(arrays: list[Any], fn: Callable[[Any], Any], draw: random.Random) -> list[Any]:
    places = [i for i, a in enumerate(arrays) if a is not None]
    if not places:
        return arrays
    at = draw.choice(places)
    found = arrays[at]
    if isinstance(found, list) and found and all(isinstance(f, np.ndarray) for f in found):
        inside = draw.randrange(len(found))
        new: Any = [fn(x) if i == inside else x for i, x in enumerate(found)]
    else:
        new = fn(found) if isinstance(found, np.ndarray) else found
    return [*arrays[:at], new, *arrays[at + 1 :]]


def _cast(a: np.ndarray, dtype: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        if dtype.startswith("uint") and a.dtype.kind in "fi":
            a = np.abs(np.nan_to_num(a, posinf=9, neginf=9)) if a.dtype.kind == "f" else np.abs(a)
        elif a.dtype.kind == "f" and dtype[0] == "i":
            a = np.nan_to_num(a, posinf=9, neginf=-9)
        return a.astype(dtype)


def _converted(arrays: list[Any], draw: random.Random) -> list[Any]:
    dtype = draw.choice(DTYPES[4:])
    return _each(arrays, lambda a: _cast(a, dtype) if a.dtype.kind == "f" else a)


def _one_converted(arrays: list[Any], draw: random.Random) -> list[Any]:
    dtype = draw.choice(DTYPES)
    return _one(arrays, lambda a: _cast(a, dtype), draw)


def _sized(a: np.ndarray, axis: int, size: int) -> np.ndarray:
    return (
        np.take(a, np.arange(size) % max(1, a.shape[axis]), axis)
        if a.shape[axis]
        else np.zeros([size if i == axis else d for i, d in enumerate(a.shape)], a.dtype)
    )


def _resized(arrays: list[Any], draw: random.Random) -> list[Any]:
    sizes = sorted({d for a in leaves(arrays) if isinstance(a, np.ndarray) for d in a.shape})
    if not sizes:
        return arrays
    old, new = draw.choice(sizes), draw.choice((0, 1, 2, 5))

    def fn(a: np.ndarray) -> np.ndarray:
        for axis, d in enumerate(a.shape):
            if d == old:
                a = _sized(a, axis, new)
        return a

    return _each(arrays, fn)


def _one_resized(arrays: list[Any], draw: random.Random) -> list[Any]:
    def fn(a: np.ndarray) -> np.ndarray:
        return _sized(a, draw.randrange(a.ndim), draw.choice((0, 1, 2, 5))) if a.ndim else a

    return _one(arrays, fn, draw)


def _ranked(arrays: list[Any], draw: random.Random) -> list[Any]:
    def fn(a: np.ndarray) -> np.ndarray:
        if a.ndim and a.size and draw.random() < 0.5:
            return a[0]
        return a[None]

    return _one(arrays, fn, draw)


def _special(arrays: list[Any], draw: random.Random) -> list[Any]:
    def fn(a: np.ndarray) -> np.ndarray:
        a = a.copy()
        for _ in range(3):
            if a.size and a.dtype.kind == "f":
                with np.errstate(all="ignore"):
                    a.flat[draw.randrange(a.size)] = draw.choice(SPECIAL)
            elif a.size and a.dtype.kind in "iu":
                info = np.iinfo(a.dtype)
                a.flat[draw.randrange(a.size)] = draw.choice((0, 1, info.max, info.min, 3))
        return a

    return _one(arrays, fn, draw)


def _no_array(arrays: list[Any], draw: random.Random) -> list[Any]:
    what = draw.choice((*NUMBERS, *NUMBERS, *NO_TENSORS, "list", "list"))
    return _one(arrays, lambda a: a.tolist() if isinstance(what, str) and what == "list" else what, draw)


def _attribute(name: str, value: Any, draw: random.Random) -> Any:
    if "ax" in name:
        return draw.choice(AXES)
    if isinstance(value, tuple) and draw.random() < 0.6:
        return draw.choice(DIMS)
    if isinstance(value, bool) and draw.random() < 0.7:
        return not value
    if isinstance(value, float) and draw.random() < 0.5:
        return draw.choice((0.0, -1.0, 1e-3, 3.0, float("nan"), float("inf"), 1, 0))
    if isinstance(value, int) and draw.random() < 0.5:
        return draw.choice((0, 1, -1, 2, 7, 1.0, 2.0, -9))
    if name == "dtype" and draw.random() < 0.8:
        return draw.choice(
            (*DTYPES, "bfloat16", "uint32", "uint16", "complex64", "float", None, "string", np.float32, int)
        )
    return draw.choice(ANY)


# Outcomes --------------------------------------------------------------------------------------------------------


def outcome(run: Callable[[], Any]) -> Outcome:
    """What a call gives."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = leaves([run()])
            dtypes = tuple(_dtype(f) for f in found)
            return Outcome(tuple(np.asarray(K.to_numpy(f)) for f in found), dtypes, None)
    except Exception as error:
        return Outcome((), (), error)


def _dtype(value: Any) -> str:
    own = discovery.active()
    return own.dtype_of(value) if own.is_tensor(value) else type(value).__name__


def on_values(op: str, arrays: list[Any], attrs: dict[str, Any]) -> Outcome:
    """The op on tensors of the engine that is active; what is no array stays as it is."""

    def run() -> Any:
        tensors = _each(arrays, discovery.active().asarray)
        return declare.OPS[op].function(*tensors, **attrs)

    return outcome(run)


def on_symbols(op: str, arrays: list[Any], attrs: dict[str, Any]) -> tuple[list[Any], Exception | None]:
    """(symbols, error) of the op on symbols of these shapes."""
    try:
        symbols = _each(arrays, lambda a: K.placeholder(a.shape, dtype=a.dtype.name))
        return leaves([declare.OPS[op].function(*symbols, **attrs)]), None
    except Exception as error:
        return [], error


def in_a_program(op: str, arrays: list[Any], attrs: dict[str, Any], unknown: bool) -> Outcome:
    """The op in a program, with placeholders of known or unknown sizes."""

    def run() -> Any:
        symbols = _each(arrays, lambda a: K.placeholder((None,) * a.ndim if unknown else a.shape, dtype=a.dtype.name))
        results = leaves([declare.OPS[op].function(*symbols, **attrs)])
        given = [(s, a) for s, a in zip(leaves(symbols), leaves(arrays), strict=True) if isinstance(a, np.ndarray)]
        return K.function([s for s, _ in given], results)([a for _, a in given])

    return outcome(run)


# Comparison ------------------------------------------------------------------------------------------------------


def text(error: Exception | None) -> str:
    """The message without what differs from engine to engine on purpose: the names of its classes."""
    said = str(error).partition("\n")[0]  # what follows are the words of an engine
    return re.sub(r"0x[0-9a-f]+", "0x", said)


def difference(a: Outcome, b: Outcome, messages: bool = True) -> str:
    """What differs between two outcomes; '' if nothing does."""
    if (a.error is None) != (b.error is None):
        return f"error on one only: {_short(a)} / {_short(b)}"
    return _of_results(a, b) if a.error is None else _of_errors(a, b, messages)


def _of_errors(a: Outcome, b: Outcome, messages: bool) -> str:
    if type(a.error) is not type(b.error):
        return f"errors of two types: {_short(a)} / {_short(b)}"
    if messages and text(a.error) != text(b.error):
        return f"two messages: {text(a.error)[:230]!r} / {text(b.error)[:230]!r}"
    return ""


def _of_results(a: Outcome, b: Outcome) -> str:
    first, other = ([(x.shape, dtype) for x, dtype in zip(o.arrays, o.dtypes, strict=True)] for o in (a, b))
    if first != other:
        return f"dtypes or shapes {first} / {other}"
    for x, y, dtype in zip(a.arrays, b.arrays, a.dtypes, strict=True):
        if not _close(x, y, dtype):
            return f"values {x.ravel()[:8].tolist()} / {y.ravel()[:8].tolist()} of {dtype}"
    return ""


def _close(x: np.ndarray, y: np.ndarray, dtype: str) -> bool:
    if x.size > 1e6:  # a view of a few elements, repeated
        return True
    if dtype not in CLOSE:
        return bool(np.array_equal(x, y))
    x, y = (np.asarray(v, "complex128" if v.dtype.kind == "c" else "float64") for v in (x, y))
    if not np.array_equal(np.isnan(x), np.isnan(y)):
        return False
    finite = np.isfinite(x) & np.isfinite(y)
    if not np.array_equal(x[~finite & ~np.isnan(x)], y[~finite & ~np.isnan(y)]):
        return False
    x, y = x[finite], y[finite]
    scale = max(1e-5, np.abs(x).max(initial=0))
    return bool(
        (np.abs(x - y) <= CLOSE[dtype] * np.maximum(1e-3 * scale, np.abs(x)) + CLOSE[dtype] * scale * 0.01).all()
    )


def _short(o: Outcome) -> str:
    if o.error is not None:
        return f"{type(o.error).__name__}: {str(o.error)[:160]!r}"
    return f"{[x.shape for x in o.arrays]} {o.dtypes}"


def complaints(op: str, arrays: list[Any], attrs: dict[str, Any], backends: list[str], programs: bool) -> Iterator[str]:
    """What is wrong with how a call ends."""
    found: dict[str, Outcome] = {}
    for name in backends:
        with discovery.use_backend(name):
            found[name] = got = on_values(op, arrays, attrs)
            if got.error is not None and not isinstance(got.error, KerasFrontError | MemoryError):
                yield f"raw on {name}: {_short(got)}"
    if INTERNAL.search(op) and any(o.error is not None for o in found.values()):
        return
    first = found[backends[0]]
    unsupported = [n for n, o in found.items() if isinstance(o.error, DtypeError)]
    for name in backends[1:]:
        said = difference(first, found[name], messages=not unsupported)
        if said and not (name in unsupported and first.error is None):
            yield f"{backends[0]} / {name}: {said}"
    with discovery.use_backend(backends[0]):
        yield from _of_symbols(op, arrays, attrs, first)
    for name in backends if programs else ():
        with discovery.use_backend(name):
            said = difference(found[name], in_a_program(op, arrays, attrs, unknown=False), messages=False)
            if said:
                yield f"eager / program on {name}: {said}"


def _of_symbols(op: str, arrays: list[Any], attrs: dict[str, Any], first: Outcome) -> Iterator[str]:
    symbols, error = on_symbols(op, arrays, attrs)
    if not any(isinstance(a, np.ndarray) for a in leaves(arrays)) or isinstance(first.error, WrongPlaceError):
        return  # values of indices are unknown to symbols
    if error is not None and not isinstance(error, KerasFrontError):
        yield f"raw on symbols: {type(error).__name__}: {str(error)[:200]!r}"
    elif (error is None) != (first.error is None):
        yield f"symbols / values: {type(error).__name__}: {str(error)[:160]!r} / {_short(first)}"
    elif error is None:
        real = [(x.shape, d) for x, d in zip(first.arrays, first.dtypes, strict=True)]
        said = [(tuple(s.shape), s.dtype) for s in symbols]
        if said != real:
            yield f"symbols / values: {said} / {real}"
    elif type(error) is not type(first.error):
        yield f"symbols / values: errors of two types: {type(error).__name__} {str(error)[:150]!r} / {_short(first)}"


# Running ---------------------------------------------------------------------------------------------------------


def shown(op: str, arrays: list[Any], attrs: dict[str, Any]) -> str:
    """A call as text."""

    def one(a: Any) -> str:
        if isinstance(a, np.ndarray):
            small = a.size <= 6
            return f"{a.dtype}{a.tolist() if small else list(a.shape)}"
        return (
            f"[{', '.join(map(one, a))}]"
            if isinstance(a, list) and a and isinstance(a[0], np.ndarray)
            else f"{a!r:.40}"
        )

    return f"{op}({', '.join([*map(one, arrays), *(f'{k}={v!r}' for k, v in attrs.items())])})"


def main() -> int:
    """Compare for so long; the number of differences."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=10**9, help="how often each op is called")
    parser.add_argument("--ops", default="")
    parser.add_argument("--backends", default=",".join(BACKENDS))
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("--show", type=int, default=2)
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST, LARGEST))
    table = conformance.table()
    ops = [op for op in (chosen.ops.split(",") if chosen.ops else sorted(table)) if op not in RANDOM]
    end, seed, calls, wrong = time.monotonic() + chosen.seconds, chosen.seed, 0, Counter()
    while time.monotonic() < end and seed - chosen.seed < chosen.each:
        for op in ops:
            if time.monotonic() > end:
                break
            draw = random.Random(f"{op} {seed}")
            case = draw.choice(table[op])
            arrays, attrs = changed(case, draw)
            calls += 1
            for said in complaints(op, arrays, attrs, chosen.backends.split(","), chosen.programs):
                kind = (op, re.sub(r"[\d'\"(),\[\]]+", "", said)[:60])
                wrong[kind] += 1
                if wrong[kind] <= chosen.show:
                    print(f"{op} seed {seed}: {shown(op, arrays, attrs)}\n    {said}", flush=True)
        seed += 1
    print(f"{calls} calls, {sum(wrong.values())} differences of {len(wrong)} kinds")
    return min(1, len(wrong))


if __name__ == "__main__":
    sys.exit(main())
