"""Types of layer arguments that say how an argument is read; see `keras_front.arguments` for how that works.

Layers of users may use them in the same way:

    class Scale(Layer):
        def __init__(self, units: Positive, kernel_initializer: Initializer = "ones", **kwargs):
            super().__init__(**kwargs)

Sizes along spatial axes are read for as many axes as the class attribute `_rank` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np

from keras_front import activations, config, constraints, initializers, regularizers
from keras_front.arguments import (
    CHOICE,
    Axes,
    Count,
    Flag,
    Fraction,
    Integer,
    Kept,
    NotNegative,
    Number,
    OneOf,
    Part,
    Positive,
    Reader,
    Scalars,
    Seed,
    read_integer,
)

__all__ = [
    "CHOICE",
    "ActivationFunction",
    "Axes",
    "AxisList",
    "ConvPadding",
    "Count",
    "Constraint",
    "DataFormat",
    "Factor",
    "Flag",
    "Fraction",
    "Implementation",
    "Initializer",
    "Integer",
    "Integers",
    "Kept",
    "Lengths",
    "NoiseShape",
    "NotNegative",
    "Number",
    "OneOf",
    "OutputPadding",
    "Padding",
    "Pairs",
    "Part",
    "Positive",
    "Range",
    "Rate",
    "Reader",
    "Regularizer",
    "Scalars",
    "Seed",
    "Size",
    "Sizes",
    "Sparse",
    "ValueRange",
]

# What a registry reads: the name of something, its config, a function or an object.
_Described = str | Mapping[str, Any] | Callable[..., Any] | None

ActivationFunction = Annotated[_Described, Reader(lambda value, layer: activations.get(value))]
Initializer = Annotated[_Described, Reader(lambda value, layer: initializers.get(value))]
Regularizer = Annotated[_Described, Reader(lambda value, layer: regularizers.get(value))]
Constraint = Annotated[_Described, Reader(lambda value, layer: constraints.get(value))]


# Sizes ------------------------------------------------------------------------------------------------


class Sizes(Reader):
    """Reads integers, given as one number for all or as that many.

    Args:
        count: how many; by default one for each spatial axis of the layer.
        least: the smallest that is allowed.
    """

    def __init__(self, count: int | None = None, least: int = 1):
        super().__init__(self._sizes, self._wanted)
        self.count, self.least = count, least

    def _count(self, layer: Any) -> int:
        return layer._rank if self.count is None else self.count

    def _wanted(self, layer: Any) -> str:
        return f"an integer of at least {self.least}, or a tuple of {self._count(layer)} of them"

    def _sizes(self, value: Any, layer: Any) -> tuple[int, ...]:
        count = self._count(layer)
        items = (value,) * count if isinstance(value, int | np.integer) else value
        if isinstance(items, str) or not isinstance(items, Sequence | np.ndarray) or len(items) != count:
            raise ValueError
        if not all(isinstance(n, int | np.integer) and n >= self.least for n in items):
            raise ValueError
        return tuple(int(n) for n in items)


def _pairs(value: Any, layer: Any) -> tuple[tuple[int, int], ...]:
    if isinstance(value, int | np.integer):
        value = ((value, value),) * layer._rank
    if isinstance(value, str) or len(value) != layer._rank:
        raise ValueError
    both = [(n, n) if isinstance(n, int | np.integer) else tuple(n) for n in value]
    if not all(len(p) == 2 and all(isinstance(n, int | np.integer) and n >= 0 for n in p) for p in both):
        raise ValueError
    return tuple((int(a), int(b)) for a, b in both)


def _pairs_wanted(layer: Any) -> str:
    return f"an integer, {layer._rank} integers, or {layer._rank} pairs (before, after)"


def _noise_shape(value: Any, layer: Any) -> tuple[Any, ...]:
    if isinstance(value, str | Mapping):
        raise ValueError
    return tuple(value)


def _lengths(value: Any, layer: Any) -> Any:
    items = value if isinstance(value, list | tuple) else (value,)
    if not all(n is None or (read_integer(n) >= 0) for n in items):
        raise ValueError
    return value


def _integers(value: Any, layer: Any) -> tuple[int, ...]:
    sizes = tuple(read_integer(n) for n in value)
    if any(n < -1 for n in sizes):
        raise ValueError
    return sizes


Integers = Annotated[Sequence[int], Reader(_integers, "a tuple of integers of at least 0, or -1")]
NoiseShape = Annotated[Sequence[int | None], Reader(_noise_shape, "a tuple of sizes")]
Lengths = Annotated[int | Sequence[int | None], Reader(_lengths, "an integer, or a tuple of integers and None")]
Size = Annotated[int | Sequence[int], Sizes()]
OutputPadding = Annotated[int | Sequence[int], Sizes(least=0)]
Pairs = Annotated[int | Sequence[int] | Sequence[Sequence[int]], Reader(_pairs, _pairs_wanted)]


# Words ------------------------------------------------------------------------------------------------


class _Padding(Reader):
    """Reads how a window treats the edges, in any case; 'causal' makes sense along one axis only."""

    def __init__(self, causal: bool = False):
        super().__init__(self._padding, lambda layer: f"one of {', '.join(map(repr, self._choices(layer)))}")
        self.causal = causal

    def _choices(self, layer: Any) -> tuple[str, ...]:
        return ("valid", "same", "causal") if self.causal and layer._rank == 1 else ("valid", "same")

    def _padding(self, value: Any, layer: Any) -> str:
        if str(value).lower() not in self._choices(layer):
            raise ValueError
        return str(value).lower()


def _data_format(value: Any, layer: Any) -> str:
    usual = "channels_last" if getattr(type(layer), "_rank", 2) == 1 else None
    return config.normalize_data_format(value or getattr(type(layer), "_usual_data_format", usual))


Padding = Annotated[str, _Padding()]
ConvPadding = Annotated[str, _Padding(causal=True)]
DataFormat = Annotated[str | None, Reader(_data_format)]
Sparse = Annotated[Literal[False], CHOICE]


# Numbers ----------------------------------------------------------------------------------------------


def _implementation(value: Any, layer: Any) -> int:
    if value not in (0, 1, 2):
        raise ValueError
    return int(value) or 1  # Keras 2.0 had a third way to compute the same


Implementation = Annotated[int, Reader(_implementation, "1 or 2")]


def _axis_list(value: Any, layer: Any) -> list[int]:
    return [int(axis) for axis in value] if isinstance(value, Sequence) else [int(value)]


AxisList = Annotated[int | Sequence[int], Reader(_axis_list, "an integer or a list of integers")]
Rate = Fraction


# Ranges of numbers ------------------------------------------------------------------------------------


class Range(Reader):
    """Reads `(low, high)`, within bounds.

    Args:
        least, most: the bounds.
        mirrored: whether one number n stands for (-n, n). Otherwise it stands for (least, n), or (-n, n) where `least`
            is below that; and a pair may have either order.
    """

    def __init__(self, least: float = -math.inf, most: float = math.inf, mirrored: bool = False):
        super().__init__(self._pair, f"a number or a pair (low, high) between {least} and {most}")
        self.least, self.most, self.mirrored = least, most, mirrored

    def _pair(self, value: Any, layer: Any) -> tuple[float, float]:
        if isinstance(value, Sequence):
            low, high = value if self.mirrored else sorted(value)
        else:
            low, high = -abs(value), abs(value)
            low = low if self.mirrored else max(low, self.least)
        if not self.least <= low <= high <= self.most:
            raise ValueError
        return float(low), float(high)


def _value_range(value: Any, layer: Any) -> tuple[float, float]:
    low, high = value
    if isinstance(low, str) or isinstance(high, str):
        raise ValueError
    return (low, high) if low <= high else (high, low)


Factor = float | Sequence[float]
ValueRange = Annotated[Sequence[float], Reader(_value_range, "a pair (low, high)")]
