"""Names of Keras 3 that are somewhere else here, or that programs ask for though nothing follows from them here.

`keras.config`, `keras.utils`, `keras.backend` and `keras` find them when they are asked for. Source: Keras 3.15.1.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import ops
from keras_front.backend import discovery, dtypes
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph import layer_values
from keras_front.nest import flatten
from keras_front.utils import messages

from .versions import keras_version

__all__ = [
    "IS_THREAD_SAFE", "KerasTensor", "SUPPORTS_RAGGED_TENSORS", "SUPPORTS_SPARSE_TENSORS", "StatelessScope",
    "SymbolicScope",
    "any_symbolic_tensors", "auto_name", "backend", "convert_to_numpy", "convert_to_tensor", "disable_flash_attention",
    "disable_interactive_logging", "enable_flash_attention",
    "enable_interactive_logging", "get_object_name", "is_flash_attention_enabled", "is_float_dtype", "is_int_dtype",
    "is_interactive_logging_enabled", "is_keras_tensor", "is_nnx_enabled", "name_scope", "result_type", "set_backend",
    "standardize_dtype", "standardize_shape", "to_snake_case", "uniquify", "version",
]  # fmt: skip

SUPPORTS_SPARSE_TENSORS = SUPPORTS_RAGGED_TENSORS = False
IS_THREAD_SAFE = True

name_scope = K.name_scope
convert_to_tensor, convert_to_numpy = ops.convert_to_tensor, ops.convert_to_numpy
to_snake_case = layer_values.snake_case
is_keras_tensor = K.is_keras_tensor
disable_interactive_logging = messages.disable_interactive_logging
enable_interactive_logging = messages.enable_interactive_logging
is_interactive_logging_enabled = messages.is_interactive_logging_enabled

_flash_attention: bool | None = None


def backend() -> str:
    """The name of the active backend, as `K.backend()` gives it."""
    return K.backend()


def set_backend(backend: str) -> None:
    """Activate another backend.

    Args:
        backend: its name.

    Raises: BackendNotFoundError for a name that is none.
    """
    discovery.set_backend(backend)


def enable_flash_attention() -> None:
    """Wish for attention without its matrix in memory; `is_flash_attention_enabled` tells it."""
    global _flash_attention
    _flash_attention = True


def disable_flash_attention() -> None:
    """Wish for attention with its matrix in memory; `is_flash_attention_enabled` tells it."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was wished for last; None before."""
    return _flash_attention


def is_nnx_enabled() -> bool:
    """False: variables here are never those of Flax."""
    return False


def version() -> str:
    """The version of Keras that programs see in the current dialect."""
    return keras_version("keras")


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype.

    Args:
        dtype: a name, a dtype of NumPy or of an engine, or None for `floatx`.

    Raises: ArgumentError for what is none.
    Example:
        >>> standardize_dtype(float), standardize_dtype(None)
        ('float32', 'float32')
    """
    if dtype in (None, float):
        return K.floatx()
    return "int64" if dtype is int else dtypes.canonical(dtype)


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of fractions.

    Args:
        dtype: as for `standardize_dtype`.
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of integers, those without a sign too.

    Args:
        dtype: as for `standardize_dtype`.
    """
    return "int" in standardize_dtype(dtype)


def result_type(*dtypes_of: Any) -> str:
    """The dtype of a result of values of some dtypes.

    Args:
        dtypes_of: dtypes.
    """
    return dtypes.promote([standardize_dtype(dtype) for dtype in dtypes_of])


class _AnySymbol(type):
    """Of its instances are all symbolic tensors."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, K.SymbolicTensor)


class KerasTensor(metaclass=_AnySymbol):
    """A tensor without values: `KerasTensor((None, 3))` makes one, and every symbolic tensor is one.

    Args:
        shape: its sizes; None for one that is not known.
        dtype: its dtype.
        sparse, ragged, record_history: accepted because Keras 3 has them; tensors are dense and know their origin.
        name: what it is called in messages.

    Example:
        >>> x = KerasTensor((None, 3))
        >>> (x * 2).shape, isinstance(x, KerasTensor)
        ((None, 3), True)
    """

    def __new__(
        cls,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
    ) -> Any:
        return K.placeholder(shape=standardize_shape(shape), dtype=standardize_dtype(dtype), name=name)


def standardize_shape(shape: Any) -> tuple[int | None, ...]:
    """A shape as a tuple.

    Args:
        shape: an iterable of sizes; None for one that is not known.

    Raises: ShapeError for None, and for sizes that are none.
    Example:
        >>> standardize_shape([2, None])
        (2, None)
    """
    if shape is None or not isinstance(shape, Iterable):
        raise ShapeError(f"Expected a shape, such as (None, 3), received {shape!r}.")
    sizes = tuple(size if size is None else operator.index(size) for size in shape)
    if any(size is not None and size < 0 for size in sizes):
        raise ShapeError(f"Expected sizes of at least 0 in a shape, received {shape!r}.")
    return sizes


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    """Whether there is a symbolic tensor in the arguments of a call.

    Args:
        args: those without names.
        kwargs: those with names.
    """
    return any(K.is_symbolic(one) for one in flatten([args or (), kwargs or {}]))


def auto_name(prefix: str) -> str:
    """The snake-case form of a name, with a number from the second time on.

    Args:
        prefix: the name.
    """
    return uniquify(to_snake_case(prefix))


def uniquify(name: str) -> str:
    """A name, with a number from the second time on.

    Args:
        name: the name.
    """
    number = K.get_uid(name) - 1
    return f"{name}_{number}" if number else name


def get_object_name(obj: Any) -> str:
    """The name of an object, or that of its class in snake case.

    Args:
        obj: anything.
    """
    return getattr(obj, "name", None) or to_snake_case(getattr(obj, "__name__", type(obj).__name__))


class SymbolicScope:
    """A context in which Keras 3 computes on symbols; here what is called on symbols does so anyway.

    Example:
        >>> with SymbolicScope() as scope:
        ...     y = K.placeholder((None, 3)) * 2.0
        >>> y.shape.as_list()
        [None, 3]
    """

    def __enter__(self) -> SymbolicScope:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass


class StatelessScope:
    """A context in which variables have other values, and assignments stay inside.

    Args:
        state_mapping: pairs of a variable and its value.
        collect_losses: whether losses that layers report in it are kept, as `losses`.
        initialize_variables: accepted because Keras 3 has it; variables here are made with their values.

    Raises: ArgumentError for what are no such pairs.
    Example:
        >>> v = Variable([1.0])
        >>> with StatelessScope([(v, K.constant([5.0]))]) as scope:
        ...     _ = v.assign(v + 1.0)
        >>> K.to_numpy(scope.get_current_value(v)).tolist(), v.numpy().tolist()
        ([6.0], [1.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[Sequence[Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        pairs = [tuple(pair) if isinstance(pair, list | tuple) else (pair,) for pair in state_mapping or ()]
        wrong = [pair for pair in pairs if len(pair) != 2 or not isinstance(pair[0], Variable)]
        if wrong:
            raise ArgumentError(f"StatelessScope: expected pairs of a variable and its value, received {wrong[0]!r}.")
        variables, values = [v for v, _ in pairs], [K.convert(value) for _, value in pairs]
        self.collect_losses, self.initialize_variables = collect_losses, initialize_variables
        self._bound = K.bind(variables, values, collect=collect_losses)
        self._frame: Any = None

    @property
    def losses(self) -> list[Any]:
        """What layers reported inside."""
        return [] if self._frame is None else list(self._frame.losses)

    def __enter__(self) -> StatelessScope:
        self._frame = self._bound.__enter__()
        self._frame.open = True
        return self

    def __exit__(self, *exception: Any) -> None:
        self._bound.__exit__(*exception)

    def add_loss(self, loss: Any) -> None:
        """Keep a loss.

        Args:
            loss: a scalar.
        """
        if self._frame is not None:
            self._frame.losses.append(loss)

    def get_current_value(self, variable: Variable) -> Any:
        """The value that a variable has inside; None where that is its own.

        Args:
            variable: the variable.
        """
        return None if self._frame is None else self._frame.table.get(variable)
