"""`keras.initializations` of Keras 1: functions that take a shape and return a variable with first values.

Scripts of Keras 1 pass them as `init=`, or call them in a function of their own.
Source: Keras 1.2.2, `keras/initializations.py`; fans are those of kernels whose last two axes are in and out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import initializers

__all__ = [
    "get", "get_fans", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_uniform",
    "normal", "one", "orthogonal", "uniform", "zero",
]  # fmt: skip

_UNCUT = "untruncated_normal"


def get_fans(shape: Sequence[int], dim_ordering: str = "tf") -> tuple[float, float]:
    """Number of inputs and outputs of one unit of a weight of this shape.

    Args:
        shape: shape of the weight.
        dim_ordering: not used: kernels have their channels last.
    """
    return initializers.fans(shape)


def _scaled(name: str, scale: float, mode: str, distribution: str) -> Callable[..., Any]:
    def initialize(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Any:
        return K.variable(initializers.VarianceScaling(scale, mode, distribution)(shape), name=name)

    initialize.__name__ = initialize.__qualname__ = name
    initialize.__doc__ = (
        f"A variable with a {distribution} distribution of scale {scale:g}, mode {mode!r}.\n\n"
        "Args:\n"
        "    shape: shape of the variable; its last two axes are inputs and outputs.\n"
        "    name: name of the variable.\n"
        "    dim_ordering: not used: kernels have their channels last.\n"
    )
    return initialize


lecun_uniform = _scaled("lecun_uniform", 1.0, "fan_in", "uniform")
glorot_uniform = _scaled("glorot_uniform", 1.0, "fan_avg", "uniform")
glorot_normal = _scaled("glorot_normal", 1.0, "fan_avg", _UNCUT)
he_uniform = _scaled("he_uniform", 2.0, "fan_in", "uniform")
he_normal = _scaled("he_normal", 2.0, "fan_in", _UNCUT)


def uniform(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable with numbers between `-scale` and `scale`.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.RandomUniform(-scale, scale)(shape), name=name)


def normal(shape: Sequence[int], scale: float = 0.05, name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable with normal numbers of deviation `scale`.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.RandomNormal(0.0, scale)(shape), name=name)


def orthogonal(shape: Sequence[int], scale: float = 1.1, name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable with an orthogonal matrix times `scale`.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.Orthogonal(scale)(shape), name=name)


def identity(shape: Sequence[int], scale: float = 1, name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable with the identity matrix times `scale`.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        scale: what the numbers are multiplied by, or their bound or deviation.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.Identity(scale)(shape), name=name)


def zero(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable of zeros.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.Zeros()(shape), name=name)


def one(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Any:
    """A variable of ones.

    Args:
        shape: shape of the variable; its last two axes are inputs and outputs.
        name: name of the variable.
        dim_ordering: not used: kernels have their channels last.
    """
    return K.variable(initializers.Ones()(shape), name=name)


def get(identifier: Any, **kwargs: Any) -> Any:
    """The function of that name, or what is callable already.

    Args:
        identifier: a name, or what is callable already.
        **kwargs: not used.
    """
    return globals()[identifier] if identifier in __all__[2:] else initializers.get(identifier)
