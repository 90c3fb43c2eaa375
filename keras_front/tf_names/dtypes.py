"""Dtypes as arguments of TensorFlow's functions: names, numbers of its enumeration in texts, classes."""

from __future__ import annotations

from typing import Any

import numpy as np

_ENUMERATED = {"dt_float": "float32", "dt_double": "float64", "dt_half": "float16"}


def dtype_name(value: Any, default: str) -> str:
    """The name of a dtype: 'int32' of "<dtype: 'int32'>", of 'DT_INT32', of `np.int32`.

    Args:
        value: a dtype; None for the default.
        default: its name if there is none.
    """
    if value is None:
        return default
    if isinstance(value, type | np.dtype):
        return np.dtype(value).name
    text = str(getattr(value, "name", value))
    if text.startswith("DT_"):
        return _ENUMERATED.get(text.lower(), text[3:].lower())
    return text.split("'")[1] if "'" in text else text
