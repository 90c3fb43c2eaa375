"""`keras.initializations` of Keras 1: functions that take a shape and return a variable with first values.

Scripts of Keras 1 pass them as `init=`, or call them in a function of their own.
Source: Keras 1.2.2, `keras/initializations.py`, where kernels of images are those of Theano unless `dim_ordering="tf"`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import initializers
from keras_front.errors import ArgumentError, ShapeError

__all__ = [
    "get", "get_fans", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_uniform",
    "normal", "one", "orthogonal", "uniform", "zero",
]  # fmt: skip

_UNCUT = "untruncated_normal"


def get_fans(shape: Sequence[int], dim_ordering: str = "th") -> tuple[float, float]:
    """Number of inputs and outputs of one unit of a weight of this shape.

    Args:
        shape: shape of the weight.
        dim_ordering: whether kernels of images begin with outputs and inputs ('th') or end with inputs and outputs
            ('tf').

    Example:
        >>> get_fans((32, 3, 5, 5)), get_fans((5, 5, 3, 32), "tf")
        ((75, 800), (75, 800))
    """
    return initializers.fans(_channels_last(shape, dim_ordering))


def _channels_last(shape: Sequence[int], dim_ordering: str) -> tuple[int, ...]:
    """The shape of a kernel as it would be here."""
    if dim_ordering not in ("th", "tf"):
        raise ArgumentError(f"dim_ordering: expected 'th' or 'tf', received {dim_ordering!r}.")
    if dim_ordering == "th" and len(shape) in (4, 5):
        return (*shape[2:], shape[1], shape[0])
    return tuple(shape)


def _scaled(name: str, scale: float, mode: str, distribution: str) -> Callable[..., Any]:
    def initialize(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Any:
        values = initializers.VarianceScaling(scale, mode, distribution)(_channels_last(shape, dim_ordering))
        return K.variable(values.reshape(shape), name=name)

    initialize.__name__ = initialize.__qualname__ = name
    initialize.__doc__ = (
        f"A variable with a {distribution} distribution of scale {scale:g}, mode {mode!r}.\n\n"
        "Args:\n"
        "    shape: shape of the variable.\n"
        "    name: name of the variable.\n"
        "    dim_ordering: where a kernel of images has inputs and outputs: 'th' or 'tf', see `get_fans`.\n"
    )
    return initialize


lecun_uniform = _scaled("lecun_uniform", 1.0, "fan_in", "uniform")
glorot_uniform = _scaled("glorot_uniform", 1.0, "fan_avg", "uniform")
glorot_normal = _scaled("glorot_normal", 1.0, "fan_avg", _UNCUT)
he_uniform = _scaled("he_uniform", 2.0, "fan_in", "uniform")
he_normal = _scaled("he_normal", 2.0, "fan_in", _UNCUT)


def uniform(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable with numbers between `-scale` and `scale`.

    Args:
        shape: shape of the variable.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    return K.variable(initializers.RandomUniform(-scale, scale)(shape), name=name)


def normal(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable with normal numbers of deviation `scale`.

    Args:
        shape: shape of the variable.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    return K.variable(initializers.RandomNormal(0.0, scale)(shape), name=name)


def orthogonal(shape: Sequence[int], scale: float = 1.1, name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable with an orthogonal matrix times `scale`.

    Args:
        shape: shape of the variable.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    return K.variable(initializers.Orthogonal(scale)(shape), name=name)


def identity(shape: Sequence[int], scale: float = 1, name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable with the identity matrix times `scale`.

    Args:
        shape: shape of the variable.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"identity: expected a square matrix, received shape {tuple(shape)}.")
    return K.variable(initializers.Identity(scale)(shape), name=name)


def zero(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable of zeros.

    Args:
        shape: shape of the variable.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    return K.variable(initializers.Zeros()(shape), name=name)


def one(shape: Sequence[int], name: str | None = None, dim_ordering: str = "th") -> Any:
    """A variable of ones.

    Args:
        shape: shape of the variable.
        name: name of the variable.
        dim_ordering: not needed here.
    """
    return K.variable(initializers.Ones()(shape), name=name)


def get(identifier: Any, **kwargs: Any) -> Any:
    """The function of that name, or what is callable already.

    Args:
        identifier: a name, or what is callable already.
        **kwargs: not used.
    """
    return globals()[identifier] if identifier in __all__[2:] else initializers.get(identifier)
