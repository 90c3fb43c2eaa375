"""First values of weights, drawn on the host.

An initializer is called with a shape and returns a NumPy array. It is drawn with NumPy's Philox and
nothing else, so a seed gives the same weights on every backend, to the bit (decision D8). This module must
not know any engine. Of the names in Keras 3 only `STFT` is missing: it fills kernels for layers of spectrograms, which
are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, seeds
from keras_front.errors import ArgumentError, ShapeError
from keras_front.registry import Configurable, Registry

__all__ = [
    "INITIALIZERS",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "one",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero",
    "zeros",
]

Shape = Sequence[int]
INITIALIZERS = Registry("initializer")

# Standard deviation of a standard normal distribution that is cut off at -2 and 2.
TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer(Configurable):
    """Base class: called as `initializer(shape, dtype=None)`, it returns a NumPy array."""

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """New initializer from a config; the `dtype` that TensorFlow's initializers wrote is dropped."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


class RandomInitializer(Initializer):
    """Base of initializers that draw random numbers: `draw(source, shape, dtype)` says which.

    Without a seed the numbers come from the stream of weights that `set_random_seed` governs. With a seed
    they are its own stream, which goes on from call to call: two layers that share an initializer get
    different weights.
    """

    seed: int | None = None
    _own_source: np.random.Generator | None = None

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        dtype = host_dtype(dtype)
        drawn = self.draw(self._source(), tuple(shape), np.float64 if dtype == np.float64 else np.float32)
        return np.asarray(drawn, dtype)

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """The values, drawn from `source` in `dtype`, which is float32 or float64."""
        raise NotImplementedError

    def _source(self) -> np.random.Generator:
        if self.seed is None:
            return seeds.generator("weights")
        if self._own_source is None:
            self._own_source = seeds.generator("weights", int(self.seed))
        return self._own_source


def host_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype for a dtype name; bfloat16, which NumPy lacks, waits as float32."""
    name = dtypes.canonical(dtype)
    return np.dtype("float32" if name == "bfloat16" else name)


def _normal(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    drawn = source.standard_normal(shape, dtype)
    return drawn * np.asarray(stddev, dtype)


def _truncated_normal(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    """Normal numbers; those beyond two standard deviations are drawn again."""
    drawn = np.asarray(source.standard_normal(shape, dtype))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = source.standard_normal(int(outside.sum()), dtype)
    return drawn * np.asarray(stddev, dtype)


def _uniform(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, low: float, high: float) -> np.ndarray:
    return source.random(shape, dtype) * np.asarray(high - low, dtype) + np.asarray(low, dtype)


# Constants ----------------------------------------------------------------------------------------


@INITIALIZERS.register("Zeros", "zeros", "zero")
class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        return np.zeros(tuple(shape), host_dtype(dtype))


@INITIALIZERS.register("Ones", "ones", "one")
class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        return np.ones(tuple(shape), host_dtype(dtype))


@INITIALIZERS.register("Constant", "constant")
class Constant(Initializer):
    """All `value`, or an array of as many values as the weight has."""

    def __init__(self, value: Any = 0):
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        value, shape = np.asarray(self.value, host_dtype(dtype)), tuple(shape)
        if value.size == math.prod(shape):
            return value.reshape(shape).copy()
        try:
            return np.broadcast_to(value, shape).copy()
        except ValueError:
            raise ShapeError(
                f"Constant: expected one value, or as many as a weight of shape {shape} has, "
                f"received an array of shape {value.shape}."
            ) from None


@INITIALIZERS.register("Identity", "identity", "IdentityInitializer")
class Identity(Initializer):
    """`gain` on the diagonal, zero elsewhere.

    Shape: (rows, columns) only.
    Raises: ShapeError for any other number of axes.
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ShapeError(f"Identity: expected a weight with two axes, received shape {tuple(shape)}.")
        return (self.gain * np.eye(shape[0], shape[1])).astype(host_dtype(dtype))


# Random numbers -----------------------------------------------------------------------------------


@INITIALIZERS.register("RandomNormal", "random_normal", "normal")
class RandomNormal(RandomInitializer):
    """Normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _normal(source, shape, dtype, self.stddev) + np.asarray(self.mean, dtype)


@INITIALIZERS.register("TruncatedNormal", "truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal distribution in which values beyond two standard deviations are drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _truncated_normal(source, shape, dtype, self.stddev) + np.asarray(self.mean, dtype)


@INITIALIZERS.register("RandomUniform", "random_uniform", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform distribution from `minval` up to, not including, `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _uniform(source, shape, dtype, self.minval, self.maxval)


@INITIALIZERS.register("VarianceScaling", "variance_scaling")
class VarianceScaling(RandomInitializer):
    """Numbers of variance `scale / n`, where n counts the inputs or outputs of a unit.

    Args:
        mode: what n is: 'fan_in', 'fan_out' or their mean, 'fan_avg'.
        distribution: 'normal' or 'truncated_normal' (cut off at two deviations), 'untruncated_normal',
        'uniform'.

    Raises: ArgumentError for another mode or distribution, or a scale that is not positive.
    Source: Keras 2.3.1, `keras/initializers.py`, where 'normal' is the truncated one.
    """

    MODES = ("fan_in", "fan_out", "fan_avg")
    DISTRIBUTIONS = ("normal", "truncated_normal", "untruncated_normal", "uniform")

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None):
        if not scale > 0:
            raise ArgumentError(f"VarianceScaling: expected a positive scale, received {scale!r}.")
        self.scale = scale
        self.mode = _one_of("mode", mode, self.MODES)
        self.distribution = _one_of("distribution", distribution, self.DISTRIBUTIONS)
        self.seed = seed

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3.0) * deviation
            return _uniform(source, shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return _normal(source, shape, dtype, deviation)
        return _truncated_normal(source, shape, dtype, deviation / TRUNCATED_DEVIATION)


def _one_of(argument: str, value: Any, choices: tuple[str, ...]) -> str:
    name = str(value).lower()
    if name not in choices:
        raise ArgumentError(
            f"VarianceScaling: expected {argument} to be one of {', '.join(choices)}, received {value!r}."
        )
    return name


def fans(shape: Shape) -> tuple[float, float]:
    """Number of inputs and of outputs of one unit of a weight of this shape.

    A kernel is `(spatial..., in, out)`; for a vector both are its length, as in tf.keras and Keras 3 (Keras 2.3.1 took
    the root of it).
    """
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


@INITIALIZERS.register("Orthogonal", "orthogonal", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """An orthogonal matrix times `gain`; a weight with more axes is orthogonal when all but the last are
    joined.

    Raises: ShapeError for fewer than two axes.
    Source: Saxe, McClelland and Ganguli (2014); the signs of the diagonal of R are moved into Q, which
    makes the
        distribution uniform (Mezzadri, 2007).
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        self.gain, self.seed = gain, seed

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: expected a weight with two axes or more, received shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(source.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


# Named members of the family of VarianceScaling ---------------------------------------------------


def _named(name: str, scale: float, mode: str, distribution: str, source: str) -> tuple[type, Callable[..., Any]]:
    """A class that takes only a seed, as tf.keras has it, and the function of Keras 2 that makes a
    VarianceScaling.

    A layer's default is the function's name, so configs say VarianceScaling, which every Keras can read.
    """

    def construct(self: Any, seed: int | None = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    def make(seed: int | None = None) -> VarianceScaling:
        return VarianceScaling(scale, mode, distribution, seed)

    doc = f"VarianceScaling with scale {scale:g}, mode {mode!r} and a {distribution} distribution.\n\n{source}"
    class_name = name.title().replace("_", "")
    body = {"__init__": construct, "__doc__": doc, "__module__": __name__}
    cls = type(class_name, (VarianceScaling,), body)
    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc
    INITIALIZERS.register(class_name)(cls)
    INITIALIZERS.register(name, maker=True)(make)
    return cls, make


_LECUN, _GLOROT, _HE = (
    "Source: LeCun et al. (1998), Efficient BackProp.",
    "Source: Glorot and Bengio (2010).",
    "Source: He et al. (2015).",
)
LecunUniform, lecun_uniform = _named("lecun_uniform", 1.0, "fan_in", "uniform", _LECUN)
LecunNormal, lecun_normal = _named("lecun_normal", 1.0, "fan_in", "normal", _LECUN)
GlorotUniform, glorot_uniform = _named("glorot_uniform", 1.0, "fan_avg", "uniform", _GLOROT)
GlorotNormal, glorot_normal = _named("glorot_normal", 1.0, "fan_avg", "normal", _GLOROT)
HeUniform, he_uniform = _named("he_uniform", 2.0, "fan_in", "uniform", _HE)
HeNormal, he_normal = _named("he_normal", 2.0, "fan_in", "normal", _HE)

zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
identity = IdentityInitializer = Identity
orthogonal = OrthogonalInitializer = Orthogonal


def serialize(initializer: Any) -> Any:
    """Config of an initializer."""
    return INITIALIZERS.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer that a name or config describes."""
    return INITIALIZERS.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """The initializer that an argument stands for: a name, a config, an object, a function of the shape."""
    return INITIALIZERS.get(identifier)
