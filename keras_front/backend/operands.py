"""What an op is given, brought into one form: arrays and lists, numbers beside tensors, variables, shapes and axes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_front.backend import discovery, dtypes, scopes, state, symbolic
from keras_front.backend.eager_tensors import EagerTensor
from keras_front.backend.op import OPS
from keras_front.backend.sizes import known_sizes
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, WrongKindError
from keras_front.failures import no_tensor

_SCALARS = (bool, int, float, complex)
HOST = (*_SCALARS, np.ndarray, np.generic, list, tuple)
_NUMBERS = {bool, int, float, complex, np.float32, np.float64, np.int32, np.int64, np.bool_}


class FromList(np.ndarray):
    """An array that was a list of numbers: its dtype gives way to that of tensors beside it, on NumPy too."""

    __slots__ = ()


# Tensors ---------------------------------------------------------------------------------------------------------


def as_array(arg: Any) -> Any:
    """A list of numbers as an array, one of tensors stacked: from here on a list is always a list of tensors."""
    if not isinstance(arg, list | tuple):
        return arg if arg is None or isinstance(arg, _ORDINARY) else _of_others(arg)
    if _holds_tensors(arg):
        return OPS["stack"].function([as_array(item) for item in arg], axis=0)
    array = np.asarray(arg)
    array = array.astype(dtypes.canonical(None)) if array.dtype == np.float64 else array
    return array.view(FromList)


_ORDINARY = (SymbolicTensor, state.Variable, *HOST)


def _of_others(arg: Any) -> Any:
    """A tensor of an engine, or what else it is; what is none but says what array it is, as that array."""
    if not hasattr(arg, "__array__") or discovery.owner(arg) is not None or dtypes.is_sparse_matrix(arg):
        return arg
    array = np.asarray(arg)
    return array if array.dtype.kind in "biufc" else arg


def _holds_tensors(items: Any) -> bool:
    """Whether there are symbols, variables or an engine's tensors in a list, also in lists within it."""
    kinds = set(map(type, items))
    if kinds <= _NUMBERS:
        return False
    return any(
        _holds_tensors(i)
        if isinstance(i, list | tuple)
        else isinstance(i, SymbolicTensor | state.Variable) or discovery.owner(i) is not None
        for i in items
    )


def flat(args: Sequence[Any]) -> Iterator[Any]:
    """The tensors among arguments, those of lists too.

    Args:
        args: tensors, lists of tensors, and None for what was not given.
    """
    for arg in args:
        if isinstance(arg, list):
            yield from arg
        elif arg is not None:
            yield arg


def each(arg: Any, fn: Callable[[Any], Any]) -> Any:
    """`fn` of a tensor, or of each tensor of a list; None stays.

    Args:
        arg: a tensor, a list of tensors or None.
        fn: a function of one tensor.
    """
    if arg is None:
        return None
    return [fn(a) for a in arg] if isinstance(arg, list) else fn(arg)


def as_symbol_or_tensor(value: Any) -> Any:
    """Anything array-like as what ops work on here: a symbol stays, a variable is read, the rest becomes a tensor."""
    if isinstance(value, state.Variable):
        return read_variables([value])[0]
    return value if isinstance(value, SymbolicTensor) else discovery.active().convert(value)


def as_symbol(value: Any, dtype: str | None = None) -> SymbolicTensor:
    """A value as a constant of a record, or a symbol as it is.

    Args:
        value: a symbol, an array, a number or a tensor of an engine.
        dtype: what it is cast to; its own if it is None.

    Raises: ArgumentError if it is nothing of these.
    """
    if isinstance(value, SymbolicTensor):
        return value if dtype in (None, value.dtype) else OPS["cast"].record([value], {"dtype": dtype})
    if isinstance(value, HOST):
        if dtype is None:
            dtype = weak_dtype(value, [])
        return symbolic.constant(value, dtype)
    own = _owner(value).dtype_of(value)
    return as_symbol(symbolic.constant(value, own), dtype)


def recorded(item: Any) -> Any:
    """What a traced function gave, as the record has it: a symbol, or None; values become constants."""
    if item is None or isinstance(item, SymbolicTensor):
        return item
    if isinstance(item, state.Variable):
        item = item.read()
    return item if isinstance(item, SymbolicTensor) else as_symbol(item)


# Variables -------------------------------------------------------------------------------------------------------


def read_variables(args: list[Any], shared: bool = True) -> list[Any]:
    """Arguments with variables replaced by what they mean here.

    That is a frame's value, a symbol, or the real tensor, of which there is a copy where results may be `shared`.
    """
    if not any(isinstance(a, state.Variable) for a in flat(args)):
        return args
    args = [each(a, lambda v: framed(v) if isinstance(v, state.Variable) else v) for a in args]
    rest = [a for a in flat(args) if not isinstance(a, state.Variable)]
    real = scopes.computes_now() and not any(map(symbolic.is_symbolic, rest))

    def read(item: Any) -> Any:
        if not isinstance(item, state.Variable):
            return item
        return item.symbol if not real else item.value if shared else item.current()

    return [each(a, read) for a in args]


def framed(variable: state.Variable) -> Any:
    """The value that the innermost frame gives to a variable, or the variable itself.

    Args:
        variable: the variable.
    """
    bound = scopes.bound_value(variable)
    return variable if bound is None else bound


# Dtypes ----------------------------------------------------------------------------------------------------------


def dtype_of(value: Any) -> str:
    """The name of the dtype of a symbol or of a tensor of any engine.

    Args:
        value: the tensor.
    """
    if isinstance(value, SymbolicTensor):
        return value.dtype
    return _owner(value).dtype_of(value)


def real_dtype(backend: Any, value: Any) -> str:
    """The name of the dtype of a tensor.

    Args:
        backend: whose tensor it is most likely.
        value: a tensor of any engine.
    """
    return backend.dtype_of(value) if backend.is_tensor(value) else _owner(value).dtype_of(value)


def _owner(value: Any) -> Any:
    found = discovery.owner(value)
    if found is None:
        raise ArgumentError(no_tensor(value))
    return found


def weak_dtype(value: Any, strong: list[str]) -> str:
    """The dtype a host value takes beside tensors: theirs, unless its kind is higher. Alone it keeps its own."""
    if isinstance(value, _SCALARS):
        return dtypes.of_scalar(value, strong)
    array = np.asarray(value)
    own = dtypes.canonical(array.dtype)
    if not strong:
        return own if isinstance(value, np.ndarray | np.generic) or own != "float64" else dtypes.canonical(None)
    met = dtypes.promote(strong)
    return met if dtypes._rank(own) <= dtypes._rank(met) else dtypes.promote([own, met])


def tensors_first(operands: Iterable[Any]) -> list[Any]:
    """The arrays that decide about a dtype: those that the active backend takes for tensors, else all."""
    arrays, backend = [a for a in operands if not isinstance(a, _SCALARS)], discovery.present()
    own = [a for a in arrays if backend is not None and backend.is_tensor(a) and not backend.is_host(a)]
    return [a for a in own if a.__class__ is not FromList] or own or arrays


def is_own_scalar(value: Any) -> bool:
    """Whether a scalar of NumPy is a tensor of the active backend: what its ops give without axes.

    Args:
        value: anything.
    """
    backend = discovery.ACTIVE.get()
    return isinstance(value, np.generic) and backend is not None and backend.is_tensor(value)


# Attributes ------------------------------------------------------------------------------------------------------


def static(value: Any, unknown: Any = None) -> Any:
    """An attribute as shape rules see it: `unknown` stands for each symbolic dimension that is not known yet."""
    if isinstance(value, SymbolicTensor):
        sizes = [unknown if np.isnan(size) else int(size) for size in known_sizes(value).reshape(-1)]
        return tuple(sizes) if value.shape else sizes[0]
    if isinstance(value, tuple):
        return tuple(static(v, unknown) if isinstance(v, SymbolicTensor) else v for v in value)
    return value


_PLAIN = (int, float, str, tuple, SymbolicTensor)


def plain_array(value: Any) -> Any:
    """What was a list of numbers as an ordinary array; anything else as it is."""
    return value.view(np.ndarray) if value.__class__ is FromList else value


def plain(value: Any) -> Any:
    """An attribute without array scalars.

    Some engines would treat them as tensors, and they print under other names than Python's numbers.
    """
    if isinstance(value, tuple):
        return tuple(v if v is None or isinstance(v, _PLAIN) else _size(v) for v in map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def as_dims(shape: Any) -> Any:
    """A shape given as a list, array or symbolic vector, as a tuple of ints and symbols.

    A symbolic vector stays if it is the shape of a tensor, or has no known length.
    """
    if isinstance(shape, EagerTensor):
        shape = shape.numpy()
    if isinstance(shape, SymbolicTensor):
        is_shape = shape.origin is not None and shape.origin.op.name == "symbolic_shape"
        return shape if is_shape or shape.shape[:1] in ((), (None,)) else tuple(shape[i] for i in range(shape.shape[0]))
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    if isinstance(shape, str) or not hasattr(shape, "__iter__"):
        raise WrongKindError(f"Expected a tuple of integers, such as a shape or axes, received {shape!r}.")
    if not isinstance(shape, tuple | list) and _is_engines(shape):  # which a graph of TensorFlow does not iterate over
        shape = [shape[i] for i in range(shape.shape[0])]
    return tuple(d if d is None or isinstance(d, int) or _is_open(d) else _dimension(d, shape) for d in shape)


def _is_open(size: Any) -> bool:
    """Whether a size is a symbol whose value is not known."""
    return isinstance(size, SymbolicTensor) and not isinstance(size, EagerTensor)


def _size(value: Any) -> Any:
    """A number, or a tensor of the engine where that does not know its value yet."""
    return discovery.active().size(value) if _is_engines(value) else int(value)


def _is_engines(value: Any) -> bool:
    backend = discovery.ACTIVE.get()
    return backend is not None and not isinstance(value, np.ndarray | np.generic) and backend.is_tensor(value)


def _dimension(size: Any, shape: Any) -> Any:
    if _is_engines(size):
        return _size(size)
    if isinstance(size, str) or int(size) != size:
        raise ArgumentError(f"Expected a tuple of integers, such as a shape or axes, received {tuple(shape)}.")
    return int(size)


def as_axes(axis: Any) -> Any:
    """Axes given as a list, range or array, as a tuple of ints; an array scalar as an int."""
    if isinstance(axis, np.ndarray | np.integer):
        axis = axis.tolist()
    axes = tuple(axis) if isinstance(axis, list | range) else axis
    if isinstance(axes, bool) or not isinstance(axes, int | tuple | SymbolicTensor | None):
        raise WrongKindError(f"Expected an integer or several as axis, received {axis!r}.")
    return axes


def as_axis(axis: Any) -> Any:
    """One axis as an int; a symbol stays.

    Raises: WrongKindError if it is no integer.
    """
    if _is_open(axis):
        return axis
    if isinstance(axis, bool | np.bool_) or not hasattr(axis, "__index__"):
        raise WrongKindError(f"Expected an integer as axis, received {axis!r}.")
    return operator.index(axis)


def as_flag(value: Any) -> bool:
    """True or False, also given as 1 or 0.

    Raises: WrongKindError for anything else.
    """
    if not isinstance(value, int | float | np.bool_ | np.integer) or value not in (0, 1):
        raise WrongKindError(f"Expected True or False, received {value!r}.")
    return bool(value)


def window_factors(window: Any, samples: int) -> np.ndarray:
    """Factors that are given as numbers.

    Args:
        window: an array, list or tensor on the host.
        samples: how many there must be.

    Raises: ArgumentError for what are no numbers, and for another number of them.
    """
    try:
        found = np.asarray(window, "float64")
    except (TypeError, ValueError):
        raise ArgumentError(
            f"window: expected a name, an array of {samples} numbers or None, received {window!r:.80}."
        ) from None
    if found.shape != (samples,):
        raise ArgumentError(f"window: expected {samples} factors, received an array of shape {found.shape}.")
    return found
