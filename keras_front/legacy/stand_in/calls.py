"""How the stand-in calls functions of `keras_front.tf_names`: with former names of arguments, on texts and rows too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from keras_front import tf_names

from . import ragged, texts
from .functions import as_eager

# Former names of arguments.
_OLD = {
    "dim": "axis", "dimension": "axis", "keep_dims": "keepdims", "reduction_indices": "axis", "squeeze_dims": "axis",
}  # fmt: skip
# Former names of functions.
_RENAMED = {
    "div_no_nan": "divide_no_nan", "matrix_band_part": "band_part", "matrix_diag": "diag",
    "matrix_diag_part": "diag_part", "matrix_inverse": "inv",
    "batch_matmul": "matmul", "select": "where", "pack": "stack", "unpack": "unstack",
    "random_crop": "image.random_crop",
}  # fmt: skip


def of_tensorflow(path: str, name: str) -> Any:
    """A function of tensors of TensorFlow with `name` among its arguments, or None.

    Args:
        path: the module of the stand-in, without `tensorflow`.
        name: the name of the function there.
    """
    part, name = path.rpartition(".")[2].removesuffix("_ops"), _RENAMED.get(name, name)
    function = tf_names.find(f"{part}.{name}" if part in ("image", "random") else name)
    return None if function is None else _with_former_arguments(name, function)


def _with_former_arguments(as_named: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, name: str | None = None, **named: Any) -> Any:
        first = (named.pop("x"),) if not args and "x" in named else ()
        given = {_OLD.get(key, key): value for key, value in named.items() if value is not None}
        try:
            return as_eager(function(*args, *first, **given))
        except Exception:
            made = _of_no_tensors(as_named, (*args, *first), given)
            if made is None:
                raise
            return made

    return call


def _of_no_tensors(name: str, args: Any, named: dict[str, Any]) -> Any:
    """What a function makes of texts and of rows of different lengths; None if it makes nothing of them."""
    first = args[0] if args else next(iter(named.values()), None)
    of_lists = isinstance(first, list | tuple) and any(isinstance(item, ragged.RaggedTensor) for item in first)
    if of_lists or isinstance(first, ragged.RaggedTensor):
        return ragged.applied(name, args, named)
    return texts.arranged(name, args, named)
