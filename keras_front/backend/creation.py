"""Functions of K that make tensors and variables, and that bring arrays in and out."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import config
from keras_front.backend import discovery, dtypes, operands, scopes, seeds, shapes, symbolic
from keras_front.backend.eager_tensors import handed_out, value_of
from keras_front.backend.function import evaluate
from keras_front.backend.ops.arrangement import broadcast_to
from keras_front.backend.ops.elementwise import cast, floor_divide
from keras_front.backend.ops.reduction import cumsum
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, BackendError
from keras_front.failures import explains_failures

__all__ = [
    "arange",
    "cast_to_floatx",
    "constant",
    "convert",
    "eye",
    "from_dlpack",
    "ones",
    "placeholder",
    "random_normal_variable",
    "random_uniform_variable",
    "to_numpy",
    "variable",
    "zeros",
]


@explains_failures
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable with a first value.

    Args:
        value: an array, a number, or a tensor of any engine; of a sparse matrix of SciPy a copy is returned instead.
        dtype: that of the variable; None for `K.floatx()`, also where the values are integers or booleans, as in every
            version of Keras. Text and complex numbers keep theirs.
        name: what it is called; None for a number of its own.
        constraint: a function that an optimizer applies to the value after each update.

    Returns: a `Variable`.

    Example:
        >>> K.variable([1.0, 2.0]).shape
        (2,)
    """
    if dtypes.is_sparse_matrix(value):
        return value.astype(dtypes.canonical(_dtype_of_values(value, dtype)))
    if dtype is None and not callable(value):
        dtype = _dtype_of_values(value if hasattr(value, "dtype") else np.asarray(value), None)
    return Variable(value, dtype, name, constraint=constraint)


def _dtype_of_values(array: Any, dtype: Any) -> Any:
    """The dtype asked for, else `K.floatx()`, for what has no order that of the array.

    Source: Keras 2.3.1 and tf_keras 2.21, `backend.py`, `variable` and `constant`.
    """
    if dtype is not None:
        return dtype
    return config.floatx() if getattr(array.dtype, "kind", "f") in "fiub" else array.dtype


@explains_failures
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of the active backend with fixed values.

    Args:
        value: an array, a list or a number.
        dtype: that of the tensor; None for `K.floatx()`, also where the values are integers or booleans. Text and
            complex numbers keep theirs.
        shape: the shape of the result: one value is spread over it, several are laid out in it.
        name: ignored; Keras 2 named the node.

    Returns: a tensor.

    Raises:
        ArgumentError: `value` is a masked array.

    Example:
        >>> K.constant(1.0, shape=(2,)).tolist()
        [1.0, 1.0]
    """
    array = dtypes.plain_array(value) if isinstance(value, np.ndarray) else np.asarray(value)
    dtype = _dtype_of_values(array, dtype)
    if shape is not None:
        array = np.full(shape, array) if array.size == 1 else array.reshape(shape)
    found = discovery.active().convert(array, dtypes.canonical(dtype))
    return found if scopes.tracing() is None else handed_out(found)


@explains_failures
def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None
) -> SymbolicTensor:
    """A symbolic tensor that waits for a value.

    Args:
        shape: its dimensions; None for an unknown one.
        ndim: stands for a shape of so many unknown dimensions.
        dtype: that of the tensor; None for `K.floatx()`.
        sparse: whether it may be fed with a sparse matrix of SciPy.
        name: what it is called.

    Returns: a `SymbolicTensor`.

    Raises:
        ArgumentError: neither `shape` nor `ndim` is given.

    Example:
        >>> K.placeholder((None, 3)).shape
        (None, 3)
    """
    if shape is None:
        if ndim is None:
            raise ArgumentError("K.placeholder: expected `shape` or `ndim`, received neither.")
        if not isinstance(ndim, int | np.integer) or ndim < 0:
            raise ArgumentError(f"K.placeholder: expected ndim to be an integer of at least 0, received {ndim!r}.")
        shape = (None,) * ndim
    dims = tuple(shapes.dims(operands.as_dims(shape)))
    if sparse:
        from keras_front.backend.ops.sparse import SparsePlaceholder

        return SparsePlaceholder(dims, dtypes.canonical(dtype), name=name)
    return symbolic.placeholder(dims, dtypes.canonical(dtype), name)


def convert(value: Any, dtype: Any = None) -> Any:
    """Anything array-like as a tensor of the active backend; symbolic tensors pass.

    Args:
        value: an array, a list, a number, a variable or a tensor.
        dtype: that of the result; None: as `value`, lists and numbers get `K.floatx()`.

    Returns: a tensor.

    Raises:
        ArgumentError: `value` is no array, or a masked one.
        BackendError: it is a tensor of another engine.

    Example:
        >>> K.convert([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """
    dtype = None if dtype is None else dtypes.canonical(dtype)
    if isinstance(value, Variable):
        value = value.read(shared=True)
    if isinstance(value, SymbolicTensor) and not symbolic.is_symbolic(value):
        value = value_of(value)
    if isinstance(value, SymbolicTensor):
        return value if dtype in (None, value.dtype) else cast(value, dtype)
    return discovery.active().convert(value, dtype)


def to_numpy(x: Any) -> np.ndarray:
    """The values of a tensor or variable as a NumPy array; it may share memory with the tensor.

    Args:
        x: a tensor of any engine in use, a variable, or a symbolic expression without open placeholders.

    Returns: an array.

    Example:
        >>> K.to_numpy(K.constant([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, Variable | SymbolicTensor):
        return evaluate(x)
    owner = discovery.owner(x)  # the active backend, or another one that is loaded
    return discovery.active().to_numpy(convert(x)) if owner is None else owner.to_numpy(x)


def from_dlpack(x: Any, copy: bool | None = None) -> Any:
    """An array or a tensor of any engine as a tensor of the active backend, in the same memory where that is possible.

    Whoever writes to one then writes to the other. docs/moving-tensors.md says which engines share.

    Args:
        x: an array, a tensor, or a variable; the memory of a variable is shared with `copy=False` alone, as steps of
            training overwrite it.
        copy: None copies where memory cannot be shared, False raises there, True always copies.

    Returns: a tensor.

    Raises:
        BackendError: `copy` is False and memory cannot be shared.
        ArgumentError: `x` is no array.

    Example:
        >>> K.from_dlpack(np.arange(3.0)).tolist()
        [0.0, 1.0, 2.0]
    """
    backend = discovery.active()
    if isinstance(x, Variable):
        x = x.current() if copy is False else x.value  # which a step may overwrite
    if not copy:
        try:
            return backend.share(x)
        except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
            if copy is False:
                raise BackendError(
                    f"K.from_dlpack: the backend {backend.name!r} cannot share the memory of this "
                    f"{type(x).__name__}: {error} Let it be copied with copy=None."
                ) from error
    source = discovery.owner(x)
    if source is None:  # an array, or a tensor of an engine that no backend has loaded
        array = np.array(np.from_dlpack(x) if hasattr(x, "__dlpack__") else x)
        return backend.import_tensor(array, None, dtypes.canonical(array.dtype))
    return backend.import_tensor(x, source, source.dtype_of(x))


@explains_failures
def cast_to_floatx(x: Any) -> Any:
    """A NumPy array (or tensor) in the default float dtype.

    Args:
        x: an array, a list or a tensor.

    Returns: an array, or a tensor if `x` is one.

    Example:
        >>> K.cast_to_floatx([1, 2]).dtype
        dtype('float32')
    """
    if isinstance(x, SymbolicTensor | Variable) or discovery.owner(x) is not None:
        return cast(x, config.floatx())
    return np.asarray(x, dtype=config.floatx())


def _filled(value: float, shape: Any, dtype: Any, name: str | None) -> Variable | Any:
    dims = operands.as_dims(shape)
    dtype = dtypes.canonical(dtype)
    if isinstance(dims, SymbolicTensor) or any(isinstance(d, SymbolicTensor) for d in dims):
        return broadcast_to(symbolic.constant(np.asarray(value), dtype), dims)
    return Variable(np.full(dims, value, "float32" if dtype == "bfloat16" else dtype), dtype, name)


@explains_failures
def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros; a tensor where a dimension is symbolic.

    Args:
        shape: its dimensions.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> K.zeros((2,)).numpy().tolist()
        [0.0, 0.0]
    """
    return _filled(0, shape, dtype, name)


@explains_failures
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones; a tensor where a dimension is symbolic.

    Args:
        shape: its dimensions.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> K.ones((2,)).numpy().tolist()
        [1.0, 1.0]
    """
    return _filled(1, shape, dtype, name)


@explains_failures
def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable holding an identity matrix.

    Args:
        size: the number of rows, or of rows and columns.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> K.eye(2).numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    return Variable(np.eye(rows, columns), dtypes.canonical(dtype), name)


def _recorded_range(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    """As many numbers as symbolic bounds say: a running sum of ones."""
    count = floor_divide(stop - start + step - 1, step)
    return cast((cumsum(broadcast_to(symbolic.constant(1, "int32"), (count,)), 0) - 1) * step + start, dtype)


@explains_failures
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """Numbers in equal steps, as a tensor.

    Args:
        start: the first number; with no `stop` it is 0 and this is where they end.
        stop: where they end, not included; a symbolic size, such as one of `K.shape(x)`, if it is not known yet.
        step: the distance.
        dtype: that of the result; int32 as in Keras 2.

    Example:
        >>> K.arange(3).tolist()
        [0, 1, 2]
    """
    start, stop = (0, start) if stop is None else (start, stop)
    if any(map(symbolic.is_symbolic, (start, stop, step))):
        return _recorded_range(start, stop, step, dtypes.canonical(dtype))
    values = np.arange(start, stop, step)
    return discovery.active().convert(values, dtypes.canonical(dtype))


@explains_failures
def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of uniform random numbers, drawn on the host.

    Args:
        shape: its dimensions.
        low: the lower bound.
        high: the upper bound, not included.
        dtype: None for `K.floatx()`.
        name: what it is called.
        seed: an integer that fixes the numbers apart from the run's seed.

    Example:
        >>> tuple(K.random_uniform_variable((2, 3), low=0.0, high=1.0).shape)
        (2, 3)
    """
    values = seeds.generator("variables", seed).uniform(low, high, tuple(shape))
    return Variable(values, dtypes.canonical(dtype), name)


@explains_failures
def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of normal random numbers, drawn on the host.

    Args:
        shape: its dimensions.
        mean: the mean.
        scale: the standard deviation.
        dtype: None for `K.floatx()`.
        name: what it is called.
        seed: an integer that fixes the numbers apart from the run's seed.

    Example:
        >>> tuple(K.random_normal_variable((2, 3), mean=0.0, scale=1.0).shape)
        (2, 3)
    """
    values = seeds.generator("variables", seed).normal(mean, scale, tuple(shape))
    return Variable(values, dtypes.canonical(dtype), name)
