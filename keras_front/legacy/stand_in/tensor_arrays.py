"""`tf.TensorArray`: tensors under numbers, written in a loop and stacked after it.

Source: TensorFlow 2.15, `tensorflow/python/ops/tensor_array_ops.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import backend as K
from keras_front.errors import WrongPlaceError


class TensorArray:
    """Tensors under the numbers 0, 1, ...; what changes it returns a new one.

    Args:
        dtype: the dtype of the tensors.
        size: not used: it grows as it is written.
        options: not used.
    """

    def __init__(self, dtype: Any, size: Any = None, *options: Any, **named: Any) -> None:
        self.dtype = str(getattr(dtype, "name", dtype))
        self._held: dict[int, Any] = {}

    def _with(self, held: dict[int, Any]) -> TensorArray:
        made = TensorArray(self.dtype)
        made._held = held
        return made

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with a tensor under a number.

        Args:
            index: the number; in a step it must be a known one.
            value: the tensor.
            name: not used.
        """
        return self._with({**self._held, int(index): value})

    def read(self, index: Any, name: str | None = None) -> Any:
        """The tensor under a number.

        Args:
            index: the number.
            name: not used.

        Raises: WrongPlaceError if nothing was written there.
        """
        if int(index) not in self._held:
            raise WrongPlaceError(f"tf.TensorArray: nothing is written at {int(index)}, only at {sorted(self._held)}.")
        return self._held[int(index)]

    def _in_order(self) -> list[Any]:
        return [self.read(i) for i in range(self.size())]

    def size(self, name: str | None = None) -> int:
        """How many there are.

        Args:
            name: not used.
        """
        return max(self._held, default=-1) + 1

    def stack(self, name: str | None = None) -> Any:
        """All of them as one tensor with one axis more.

        Args:
            name: not used.
        """
        return K.stack(self._in_order(), axis=0)

    def concat(self, name: str | None = None) -> Any:
        """All of them, one behind the other.

        Args:
            name: not used.
        """
        return K.concatenate(self._in_order(), axis=0)

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """Some of them as one tensor.

        Args:
            indices: their numbers.
            name: not used.
        """
        return K.stack([self.read(i) for i in indices], axis=0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array of the parts of a tensor along its first axis.

        Args:
            value: the tensor.
            name: not used.
        """
        return self._with({i: value[i] for i in range(K.int_shape(value)[0])})

    def identity(self) -> TensorArray:
        """The array itself."""
        return self
