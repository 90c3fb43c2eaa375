"""Dtypes by name, and the one promotion rule of all backends (decision D9).

Engines disagree: int32 + float32 is float64 in NumPy, float32 in torch and JAX, an error in TensorFlow. Here
operands of one op are promoted before an engine sees them: kinds rank bool < unsigned < signed < float, the higher
kind wins with its own width, within a kind the wider one. Python scalars are weak: they take the tensor's dtype,
unless their kind is higher.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError, DtypeError

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = frozenset(("float16", "bfloat16"))
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
ALL = frozenset((*FLOATS, *SIGNED, *UNSIGNED, *COMPLEX, "bool", "string"))

_ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "int": "int32",
    "long": "int64",
    "bool_": "bool",
}
_NO_NUMBERS = {
    "U": "Expected numbers, received text.",
    "S": "Expected numbers, received bytes.",
    "O": "Expected numbers in a rectangular array, received objects, such as None or lists of unequal lengths.",
}
_WIDTH = {name: int("".join(c for c in name if c.isdigit()) or 1) for name in ALL}


def canonical(dtype: Any) -> str:
    """The name of `dtype`, given as a name, a NumPy dtype, a Python type or any engine's dtype.

    Raises: DtypeError for a name that no backend has.
    """
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, str):
        name = dtype
    elif isinstance(dtype, type) and dtype in (bool, int, float):
        name = {bool: "bool", int: "int32", float: config.floatx()}[dtype]
    else:
        name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
        name = name if isinstance(name, str) else str(dtype)  # an attribute of a class, say
    name = _ALIASES.get(name.rpartition(".")[2], name.rpartition(".")[2])
    if isinstance(getattr(dtype, "names", None), tuple):
        raise _has_fields(dtype)
    if getattr(dtype, "kind", None) in ("U", "S", "O"):
        raise DtypeError(_NO_NUMBERS[dtype.kind])
    if name not in ALL:
        raise DtypeError(f"Unknown dtype {dtype!r}. Expected one of: {', '.join(sorted(ALL))}.")
    return name


def is_float(dtype: str) -> bool:
    return dtype in FLOATS


def is_integer(dtype: str) -> bool:
    return dtype in SIGNED or dtype in UNSIGNED


def _rank(dtype: str) -> int:
    for rank, kinds in enumerate((("bool",), UNSIGNED, SIGNED, FLOATS, COMPLEX)):
        if dtype in kinds:
            return rank
    raise DtypeError(f"Arithmetic is not defined for dtype {dtype!r}.")


def promote(dtypes: Iterable[str]) -> str:
    """The dtype in which operands of these dtypes are combined."""
    names = set(dtypes)
    if len(names) == 1:
        return names.pop()
    result = names.pop()
    for name in names:
        result = _promote_two(result, name)
    return result


def _promote_two(a: str, b: str) -> str:
    if a == b:
        return a
    rank_a, rank_b = _rank(a), _rank(b)
    if rank_a != rank_b:
        high, low = (a, b) if rank_a > rank_b else (b, a)
        if high in SIGNED and low in UNSIGNED and _WIDTH[low] >= _WIDTH[high]:
            return f"int{min(2 * _WIDTH[low], 64)}"
        return high
    if {a, b} == {"float16", "bfloat16"}:
        return "float32"
    return a if _WIDTH[a] >= _WIDTH[b] else b


def of_scalar(value: bool | int | float | complex, others: Iterable[str]) -> str:
    """The dtype of a Python scalar beside tensors of dtypes `others`: theirs, unless its kind is higher."""
    others = list(others)
    if isinstance(value, bool | np.bool_):
        return promote(others) if others else "bool"
    if isinstance(value, int | np.integer):
        own = "int32" if -(2**31) <= value < 2**31 else "int64"
        floor = 1
    elif isinstance(value, complex):
        own, floor = "complex64", 4
    else:
        own, floor = config.floatx(), 3
    if others and _rank(promote(others)) >= floor:
        return promote(others)
    return own


def on_host(dtype: str) -> str:
    """The dtype of an array on the host that stands for a tensor of `dtype`: NumPy lacks bfloat16."""
    return "float32" if dtype == "bfloat16" else dtype


def item_bytes(dtype: str) -> int:
    """How many bytes a number of a dtype takes."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """Numbers of bfloat16, given as integers of 16 bits, as float32, whose upper half they are."""
    return (bits.astype("uint32") << 16).view("float32")


def is_sparse_matrix(x: Any) -> bool:
    """Whether `x` is one of SciPy's sparse matrices, recognized by its methods: SciPy need not be installed."""
    return hasattr(x, "tocoo") and hasattr(x, "toarray")


def as_single(dtype: Any) -> str:
    """float32 for the floats of 16 bits, where a long formula would lose too much; the others stay."""
    name = canonical(dtype)
    return "float32" if name in HALVES else name


def as_float(dtype: str) -> str:
    """The dtype in which a function with fractional results answers: floats keep theirs, all else is `floatx`."""
    return dtype if dtype in FLOATS or dtype in COMPLEX else config.floatx()


def plain_numbers(array: np.ndarray) -> np.ndarray:
    """An array of objects that are numbers of Python or NumPy as an array of numbers; any other as it is.

    Args:
        array: an array.
    """
    if array.dtype != object or not array.size:
        return array
    kinds = set(map(type, array.flat))
    plain = all(issubclass(kind, int | float | np.integer | np.floating | np.bool_) for kind in kinds)
    return np.asarray(array.tolist()) if plain else array


def plain_array(array: np.ndarray) -> np.ndarray:
    """An array as one of NumPy's own class: `np.matrix`, memory maps and the like are seen as what they hold.

    Args:
        array: an array of any class.

    Raises:
        ArgumentError: it is a masked array, whose mask would be lost and whose hidden elements would count as data.
        DtypeError: it has fields (a structured or record array), which no tensor has.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise ArgumentError(
            "Received a masked array, and tensors have no mask: the elements that it hides would count as data. Fill "
            "them, `x.filled(0.0)`, or pass the mask on its own (`sample_weight`, a Masking layer, K.where)."
        )
    if array.dtype.names:
        raise _has_fields(array.dtype)
    return array if array.__class__ is np.ndarray else np.asarray(array)


def _has_fields(dtype: np.dtype[Any]) -> DtypeError:
    names = dtype.names or ()
    return DtypeError(
        f"Received an array with the fields {', '.join(names)}, and tensors have none. Pass one field, "
        f"x[{names[0]!r}], or several as columns, np.stack([x[name] for name in x.dtype.names], -1)."
    )
