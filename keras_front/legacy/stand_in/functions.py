"""Tensor functions of the stand-in: those that make tensors; `calls.py` has all others.

They take values and symbolic tensors, so they work in a `Lambda`, in `call` of a layer, in losses and metrics.
Source: the signatures of TensorFlow 1.15 and 2.15, `tf` and `tf.math`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import tf_names
from keras_front.backend import discovery, eager_tensors, scopes, symbolic
from keras_front.backend.host_values import on_host
from keras_front.backend.shapes import Dimension, TensorShape  # noqa: F401 - names of the stand-in
from keras_front.utils.dataset_elements import values_of

from . import nests


def as_eager(found: Any) -> Any:
    """A tensor, or several, as the functions of TensorFlow 2 give them: with `numpy()`, on every backend.

    Args:
        found: what a function of K gave.
    """
    return eager_tensors.handed_out(found) if scopes.is_outermost() or scopes.tracing() else found


# Making tensors -----------------------------------------------------------------------------------------------


def _dtype_of(value: Any, dtype: Any) -> str:
    """TensorFlow's dtype for a value: of Python numbers, 32 bits."""
    if dtype is not None:
        return str(np.dtype(dtype)) if isinstance(dtype, type | np.dtype) else str(getattr(dtype, "name", dtype))
    found = np.asarray(value).dtype
    if isinstance(value, np.ndarray | np.generic):
        return found.name
    return {"float64": "float32", "int64": "int32"}.get(found.name, found.name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor with a value.

    Args:
        value: a number, nested lists or an array.
        dtype: its dtype; of Python numbers float32 or int32.
        shape: its shape; one number fills it.
        name: not used.
    """
    if dtype in (None, "string") and _is_text(value):
        texts = values_of(np.asarray(value) if isinstance(value, np.ndarray) else np.array(value, object))
        return texts if shape is None else values_of(np.broadcast_to(texts, shape))
    return as_eager(K.constant(value, _dtype_of(value, dtype), shape))


def _is_text(value: Any) -> bool:
    """Whether a value is a text, or an array or nested lists of them."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, str | bytes) or getattr(getattr(value, "dtype", None), "kind", "") in ("O", "S", "U")


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """A tensor with a value, or the tensor that it is.

    Args:
        value: a tensor, a number, nested lists or an array.
        dtype: its dtype.
        dtype_hint: not used.
        name: not used.
    """
    if isinstance(value, Tensor | Variable):
        return value if dtype is None else cast(value, dtype)
    if hasattr(value, "flat_values"):  # ragged
        return value
    return constant(value, dtype)


class _Kind(type):
    """A class to ask `isinstance` with."""

    def __instancecheck__(cls, value: Any) -> bool:
        return cls.holds(value)  # type: ignore[attr-defined]


class Tensor(metaclass=_Kind):
    """What tensors are instances of: those of any engine, and symbolic ones."""

    holds = staticmethod(
        lambda value: isinstance(value, symbolic.SymbolicTensor) or discovery.active().is_tensor(value)
    )


class Variable(metaclass=_Kind):
    """A variable of K.

    Args:
        initial_value: its value.
        trainable: whether a layer that has it as an attribute trains it; by default one of floats is trained.
        validate_shape: not used.
        caching_device: not used.
        name: its name.
        variable_def: not used.
        dtype: its dtype; of Python numbers float32 or int32.
        options: not used.
    """

    holds = staticmethod(K.is_variable)

    def __new__(
        cls, initial_value: Any = None, trainable: bool | None = None, validate_shape: bool = True,
        caching_device: Any = None, name: str | None = None, variable_def: Any = None, dtype: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        value = initial_value() if callable(initial_value) else initial_value
        made = K.variable(value, _dtype_of(value, dtype), name)
        made.trainable = made.dtype.startswith(("float", "bfloat")) if trainable is None else bool(trainable)
        return made


def is_tensor(x: Any) -> bool:
    """Whether something is a tensor.

    Args:
        x: anything.
    """
    return isinstance(x, Tensor)


def placeholder(dtype: Any = "float32", shape: Any = None, name: str | None = None) -> Any:
    """A symbolic tensor whose value is given later.

    Args:
        dtype: its dtype.
        shape: its shape, with None for what is not known yet.
        name: its name.
    """
    return K.placeholder(shape, dtype=str(dtype), name=name)


def _is_symbolic(sizes: Any) -> bool:
    """Whether a size is known when the values are."""
    return any(map(K.is_symbolic, sizes if isinstance(sizes, list | tuple) else [sizes]))


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of zeros.

    Args:
        shape: its shape.
        dtype: its dtype.
        name: not used.
    """
    if _is_symbolic(shape):
        return tf_names.find("zeros")(shape, _dtype_of(0, dtype))  # type: ignore[misc]
    return as_eager(K.constant(0, _dtype_of(0, dtype), shape))


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """A tensor of ones.

    Args:
        shape: its shape.
        dtype: its dtype.
        name: not used.
    """
    if _is_symbolic(shape):
        return tf_names.find("ones")(shape, _dtype_of(1, dtype))  # type: ignore[misc]
    return as_eager(K.constant(1, _dtype_of(1, dtype), shape))


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """A tensor with the same number everywhere.

    Args:
        dims: its shape.
        value: the number.
        name: not used.
    """
    if _is_symbolic(dims):
        return tf_names.find("fill")(dims, value)  # type: ignore[misc]
    return as_eager(K.constant(value, _dtype_of(value, None), dims))


def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: str | None = None) -> Any:
    """The identity matrix.

    Args:
        num_rows: its rows.
        num_columns: its columns, by default as many.
        dtype: its dtype.
        name: not used.
    """
    return constant(np.eye(num_rows, num_columns), str(dtype))


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Any:
    """Numbers at the same distance.

    Args:
        start: the first, or with one argument the end.
        limit: the end, which is not among them.
        delta: the distance.
        dtype: their dtype.
        name: not used.
    """
    if _is_symbolic([start, limit, delta]):
        return tf_names.find("range")(start, limit, delta, dtype)  # type: ignore[misc]
    numbers = np.arange(start) if limit is None else np.arange(start, limit, delta)
    return constant(numbers, _dtype_of(numbers.tolist() or [0], dtype))


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Any:
    """Numbers at the same distance, the end among them.

    Args:
        start: the first.
        stop: the last.
        num: how many.
        name: not used.
    """
    return constant(np.linspace(start, stop, num), "float32")


# Shapes -------------------------------------------------------------------------------------------------------


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """A tensor with another dtype.

    Args:
        x: the tensor.
        dtype: the dtype.
        name: not used.
    """
    return as_eager(K.cast(x, _dtype_of(0, dtype)))


def rank(input: Any, name: str | None = None) -> int:
    """The number of axes.

    Args:
        input: the tensor.
        name: not used.
    """
    return K.ndim(input)


# Control and gradients ----------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None, **old: Any) -> Any:
    """What one of two functions returns.

    Args:
        pred: which: a truth value.
        true_fn: the function if it is true.
        false_fn: the function if it is false.
        name: not used.
        old: `fn1` and `fn2`, former names of the functions.
    """
    return K.cond(pred, old.get("fn1", true_fn), old.get("fn2", false_fn))


def map_fn(fn: Any, elems: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    """What a function returns for each part of a tensor along its first axis.

    Args:
        fn: the function.
        elems: the tensor, or nested lists, tuples and dicts of tensors.
        dtype: the dtype of what it returns, nested as that is.
        args: not used.
        options: `fn_output_signature`, a later name of `dtype`; the others are not used.
    """
    found: list[Any] = []

    def of_parts(parts: list[Any]) -> list[Any]:
        found[:] = [fn(nests.pack_sequence_as(elems, parts))]
        return nests.flatten(found[0])

    dtypes = nests.flatten(options.get("fn_output_signature", dtype))
    results = K.map_fn(of_parts, nests.flatten(elems))
    if all(of is not None for of in dtypes):
        results = [cast(result, getattr(of, "dtype", of)) for result, of in zip(results, dtypes, strict=True)]
    return nests.pack_sequence_as(found[0], results)


def py_func(func: Any, inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """What a function of NumPy arrays makes of the values of tensors; no gradient flows through it.

    In a step it runs for each batch anew, and so does the Python code of the step.

    Args:
        func: takes an array for each tensor and returns an array, or several.
        inp: the tensors.
        Tout: the dtype of the result, or those of several.
        stateful: not used.
        name: not used.

    Raises: UntraceableError where tensors have no values yet; a layer may say what shape it has, by
        `compute_output_shape` or `output_shape=` of a `Lambda`.
    """
    results = func(*on_host("tf.py_func", *inp))
    if not isinstance(Tout, list | tuple):
        return K.constant(np.asarray(results), _dtype_of(0, Tout), np.shape(results))
    several = results if isinstance(results, list | tuple) else [results]
    return [K.constant(np.asarray(a), _dtype_of(0, of), np.shape(a)) for a, of in zip(several, Tout, strict=True)]


numpy_function = py_function = py_func


def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: str | None = None, colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False, aggregation_method: Any = None, stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> list[Any]:  # fmt: skip
    """Derivatives of symbolic tensors.

    Args:
        ys: what is differentiated; of several the sum.
        xs: the tensors or variables.
        grad_ys: a factor for each of `ys`, shaped as it is; ones where it is None.
        name: not used.
        colocate_gradients_with_ops: not used.
        gate_gradients: not used.
        aggregation_method: not used.
        stop_gradients: tensors that count as constants, so that a derivative for one does not run through another.
        unconnected_gradients: what there is for a tensor on which nothing depends: 'none', which gives None, or 'zero'.

    Returns: a list with a tensor for each of `xs`.
    """
    sources, given = _listed(xs), grad_ys if grad_ys is not None else [None] * len(_listed(ys))
    total = sum(
        K.sum(y if factor is None else y * K.stop_gradient(factor))
        for y, factor in zip(_listed(ys), _listed(given), strict=True)
    )
    apart = {x: K.stop_gradient(x) for x in _listed(stop_gradients) if K.is_symbolic(x)}
    if apart:
        leaves = {t: t for t in symbolic.ancestors([total]) if t.origin is None}
        total = symbolic.replay(total, {**leaves, **apart})
    found = K.gradients(total, [apart[x] if K.is_symbolic(x) and x in apart else x for x in sources])
    wants_zeros = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"
    return [K.zeros_like(x) if grad is None and wants_zeros else grad for x, grad in zip(sources, found, strict=True)]


def _listed(items: Any) -> list[Any]:
    return [] if items is None else list(items) if isinstance(items, list | tuple) else [items]
