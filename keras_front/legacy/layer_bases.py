"""Base classes of layers that programs of Keras 2 took from its modules, to ask for or to build on.

`isinstance(layer, _Pooling2D)` asks what a layer does; a subclass overrides `_pooling_function`, or says its `rank`.
Source: Keras 2.2.4, `keras/layers/convolutional.py`, `pooling.py` and `merge.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front.layers import convolution, pooling
from keras_front.layers.merge import _Merge

__all__ = [
    "_Conv",
    "_GlobalPooling1D",
    "_GlobalPooling2D",
    "_GlobalPooling3D",
    "_Merge",
    "_Pooling1D",
    "_Pooling2D",
    "_Pooling3D",
]


class _OfRank(type):
    """Classes whose instances are the layers of one kind, whatever base they have today."""

    _kind: type
    _rank: int

    def __subclasscheck__(cls, other: type) -> bool:
        if "_kind" not in vars(cls):  # a subclass of a program's own
            return super().__subclasscheck__(other)
        return issubclass(other, cls._kind) and cls._rank in (0, other._rank)  # type: ignore[attr-defined]

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.__subclasscheck__(type(instance))


class _Conv(convolution._Conv, metaclass=_OfRank):
    """A convolution whose number of dimensions is its first argument."""

    _kind, _rank = convolution._Conv, 0

    def __init__(self, rank: int, filters: Any, kernel_size: Any, *args: Any, **kwargs: Any):
        self._rank = self.rank = rank
        super().__init__(filters, kernel_size, *args, **kwargs)


class _OverWindows(pooling._Pooling):
    def _pooling_function(
        self, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None
    ) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no `_pooling_function` that says what windows become.")

    def call(self, inputs: Any) -> Any:
        return self._pooling_function(
            inputs=inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class _Pooling1D(_OverWindows, metaclass=_OfRank):
    _kind, _rank = pooling._Pooling, 1


class _Pooling2D(_OverWindows, metaclass=_OfRank):
    _kind, _rank = pooling._Pooling, 2


class _Pooling3D(_OverWindows, metaclass=_OfRank):
    _kind, _rank = pooling._Pooling, 3


class _GlobalPooling1D(pooling._GlobalPooling, metaclass=_OfRank):
    _kind, _rank = pooling._GlobalPooling, 1


class _GlobalPooling2D(pooling._GlobalPooling, metaclass=_OfRank):
    _kind, _rank = pooling._GlobalPooling, 2


class _GlobalPooling3D(pooling._GlobalPooling, metaclass=_OfRank):
    _kind, _rank = pooling._GlobalPooling, 3


# What tf.keras calls them.
Conv, Pooling1D, Pooling2D, Pooling3D = _Conv, _Pooling1D, _Pooling2D, _Pooling3D
GlobalPooling1D, GlobalPooling2D, GlobalPooling3D = _GlobalPooling1D, _GlobalPooling2D, _GlobalPooling3D
