"""Dtypes of the stand-in: texts, so K takes them, that have the attributes of TensorFlow's dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np


class DType(str):
    """The name of a dtype."""

    @property
    def name(self) -> str:
        """The name as plain text."""
        return str(self)

    @property
    def as_numpy_dtype(self) -> type:
        """NumPy's type of this name; of texts that of any object."""
        return np.dtype(object if self == "string" else self.name).type

    @property
    def base_dtype(self) -> DType:
        """The dtype itself."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it is a kind of float."""
        return "float" in self

    @property
    def is_integer(self) -> bool:
        """Whether it is a kind of integer."""
        return "int" in self

    def __eq__(self, other: object) -> bool:
        if str.__eq__(self, "string") and isinstance(other, np.dtype):  # arrays of texts
            return other.kind in "OSU"
        return str.__eq__(self, other)

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"tf.{self.name}"


_NAMES = """
    bfloat16 bool complex128 complex64 float16 float32 float64 int16 int32 int64 int8 string uint16 uint32 uint64 uint8
"""
globals().update({name: DType(name) for name in _NAMES.split()}, half=DType("float16"), double=DType("float64"))


def as_dtype(value: Any) -> DType:
    """The dtype that a name, a NumPy dtype or a Python type means.

    Args:
        value: any of these.
    """
    return DType(value) if isinstance(value, str) else DType(np.dtype(value).name)
