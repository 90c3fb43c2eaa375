"""Python's operators for what can stand in an op: symbolic tensors and variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.op import OPS, functions
from keras_front.errors import UntraceableError
from keras_front.tracebacks import api_boundaries


@api_boundaries()
class Operators:
    """Python's operators for everything that can stand in an op: symbolic tensors and variables.

    Among these `==` compares identities, and so does a dict or set that they are keys of; a tensor of an engine or an
    array is compared element by element, whichever side it stands on.
    """

    __slots__ = ()

    __hash__ = object.__hash__

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, Operators):
            return self is other
        return OPS["equal"].function(self, other) if _is_tensor(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        if isinstance(other, Operators):
            return self is not other
        return OPS["not_equal"].function(self, other) if _is_tensor(other) else NotImplemented

    @property
    def _id(self) -> int:  # what a tape of TensorFlow asks for
        raise UntraceableError(
            "tf.GradientTape records tensors and variables of TensorFlow, not those of keras_front. Write "
            "K.gradients(loss, weights) or loss.backward() in a `train_step`, K.value_and_grad in a loop of your own."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return functions["array_ufunc"](self, ufunc, method, *args, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return functions["array_function"](self, func, types, args, kwargs)

    def __add__(self, other: Any) -> Any:
        return OPS["add"].function(self, other)

    def __radd__(self, other: Any) -> Any:
        return OPS["add"].function(other, self)

    def __sub__(self, other: Any) -> Any:
        return OPS["subtract"].function(self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPS["subtract"].function(other, self)

    def __mul__(self, other: Any) -> Any:
        return OPS["multiply"].function(self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPS["multiply"].function(other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPS["divide"].function(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPS["divide"].function(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return OPS["floor_divide"].function(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return OPS["floor_divide"].function(other, self)

    def __mod__(self, other: Any) -> Any:
        return OPS["mod"].function(self, other)

    def __rmod__(self, other: Any) -> Any:
        return OPS["mod"].function(other, self)

    def __pow__(self, other: Any) -> Any:
        return OPS["pow"].function(self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPS["pow"].function(other, self)

    def __matmul__(self, other: Any) -> Any:
        return _product(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _product(other, self)

    def __neg__(self) -> Any:
        return OPS["negative"].function(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return OPS["abs"].function(self)

    def __lt__(self, other: Any) -> Any:
        return OPS["less"].function(self, other)

    def __le__(self, other: Any) -> Any:
        return OPS["less_equal"].function(self, other)

    def __gt__(self, other: Any) -> Any:
        return OPS["greater"].function(self, other)

    def __ge__(self, other: Any) -> Any:
        return OPS["greater_equal"].function(self, other)

    def __and__(self, other: Any) -> Any:
        return _of_bits("and", self, other)

    def __or__(self, other: Any) -> Any:
        return _of_bits("or", self, other)

    def __rand__(self, other: Any) -> Any:
        return _of_bits("and", other, self)

    def __ror__(self, other: Any) -> Any:
        return _of_bits("or", other, self)

    def __xor__(self, other: Any) -> Any:
        return _of_bits("xor", self, other)

    def __rxor__(self, other: Any) -> Any:
        return _of_bits("xor", other, self)

    def __invert__(self) -> Any:
        return OPS["bitwise_not" if _is_integer(self) else "logical_not"].function(self)

    def __getitem__(self, key: Any) -> Any:
        return OPS["getitem"](self, key)


def _product(x: Any, y: Any) -> Any:
    """`x @ y`, in which the last two axes are matrices, as for NumPy and every engine; `K.dot` joins axes otherwise."""
    has_vector = min(len(getattr(factor, "shape", np.shape(factor))) for factor in (x, y)) < 2
    return OPS["dot" if has_vector else "matmul"].function(x, y)


def _is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) or "int" in str(getattr(x, "dtype", ""))


def _of_bits(name: str, x: Any, y: Any) -> Any:
    """`&`, `|` and `^`: of the bits of integers, and otherwise of truth values."""
    integers = _is_integer(x) and _is_integer(y) and not (isinstance(x, bool) or isinstance(y, bool))
    return OPS[f"{'bitwise' if integers else 'logical'}_{name}"].function(x, y)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or discovery.owner(value) is not None
