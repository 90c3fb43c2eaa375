"""First values of weights, drawn on the host.

An initializer is called with a shape and returns a NumPy array. It is drawn with NumPy's Philox and
nothing else, so a seed gives the same weights on every backend, to the bit (decision D8). This module must
not know any engine. Of the names in Keras 3 only `STFT` is missing: it fills kernels for layers of spectrograms, which
are not here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np

from keras_front import conventions
from keras_front.arguments import CHOICE, Flag, Kept, NotNegative, Number, Scalars, Seed
from keras_front.backend import dtypes, seeds
from keras_front.backend.operands import window_factors
from keras_front.errors import ArgumentError, MissingPackageError, ShapeError
from keras_front.failures import explains_failures
from keras_front.missing_names import only_these
from keras_front.registry import Configurable, Registry
from keras_front.tracebacks import api_boundary

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
    "STFT",
    "STFTInitializer",
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
    "stft",
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
    """Base class: called with a shape, it returns the first values of a weight as a NumPy array.

    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> class Count(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.arange(math.prod(shape), dtype="float32").reshape(shape)
        >>> Count()((2, 2)).tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        """Values for a weight.

        Args:
            shape: of the weight; a kernel is `(spatial..., in, out)`.
            dtype: of the values; `K.floatx()` by default.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its values are.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """New initializer from a config.

        Args:
            config: what `get_config` returned; the `dtype` that TensorFlow's initializers wrote is dropped.
        """
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


class RandomInitializer(Initializer):
    """Base of initializers that draw random numbers: `draw(source, shape, dtype)` says which.

    Without a seed the numbers come from the stream of weights that `set_random_seed` governs. With a seed
    they are its own stream, which goes on from call to call: two layers that share an initializer get
    different weights.
    """

    seed: int | None = None
    _own_source: np.random.Generator | None = None
    _reserved: np.random.Generator | None = None  # stays as it is: whoever draws twice draws the same

    @explains_failures
    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        dtype = host_dtype(dtype)
        drawn = self.draw(self._source(), tuple(shape), np.float64 if dtype == np.float64 else np.float32)
        return np.asarray(drawn, dtype)

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """The values; subclasses say which.

        Args:
            source: where random numbers come from.
            shape: of the weight.
            dtype: float32 or float64.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its values are.")

    def _source(self) -> np.random.Generator:
        if self.seed is None:
            return seeds.generator("weights") if self._reserved is None else copy.deepcopy(self._reserved)
        if self._own_source is None:
            self._own_source = seeds.generator("weights", int(self.seed))
        return self._own_source


def reserved(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """An initializer for one weight that gives later the numbers that `initializer` would give now.

    Args:
        initializer: any. One with a seed, or a function of the user's, is returned as it is.

    Example:
        >>> seeds.set_random_seed(1)
        >>> later = reserved(RandomUniform())
        >>> seeds.set_random_seed(1)
        >>> bool((later((3,)) == RandomUniform()((3,))).all())
        True
    """
    if not isinstance(initializer, RandomInitializer) or initializer.seed is not None:
        return initializer
    twin = copy.copy(initializer)
    twin._reserved = seeds.generator("weights")
    return twin


def postponed(initializer: Callable[..., Any], shape: Shape) -> Callable[..., Any] | None:
    """An initializer that gives later what `initializer` would give now, in memory of its own; None if none can.

    Those of this module without a seed can. One with a seed gives other numbers at each call, and a function of the
    user's anything.

    Args:
        initializer: any.
        shape: of the weight.
    """
    kind: Any = type(initializer)
    if kind in (Zeros, Ones) or (kind is Constant and not np.ndim(initializer.value)):  # type: ignore[attr-defined]
        return initializer
    known = issubclass(kind, RandomInitializer) and INITIALIZERS.find(kind.__name__) is kind
    if (
        not known
        or getattr(kind.draw, "__module__", None) != __name__
        or kind.__call__ is not RandomInitializer.__call__
    ):
        return None
    if initializer.seed is not None or (kind is Orthogonal and len(shape) < 2):  # type: ignore[attr-defined]
        return None
    return reserved(initializer)


def host_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype for a dtype name; bfloat16, which NumPy lacks, waits as float32.

    Args:
        dtype: a name, a NumPy dtype, or None for `K.floatx()`.
    """
    name = dtypes.canonical(dtype)
    return np.dtype("float32" if name == "bfloat16" else name)


def _normal(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    drawn = np.asarray(source.standard_normal(shape, dtype))
    drawn *= np.asarray(stddev, dtype)
    return drawn


def _truncated_normal(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    """Normal numbers; those beyond two standard deviations are drawn again."""
    drawn = np.asarray(source.standard_normal(shape, dtype))
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = source.standard_normal(int(outside.sum()), dtype)
    drawn *= np.asarray(stddev, dtype)
    return drawn


def _uniform(source: np.random.Generator, shape: tuple[int, ...], dtype: Any, low: float, high: float) -> np.ndarray:
    drawn = np.asarray(source.random(shape, dtype))
    drawn *= np.asarray(high - low, dtype)
    drawn += np.asarray(low, dtype)
    return drawn


# Constants ----------------------------------------------------------------------------------------


@INITIALIZERS.register("Zeros", "zeros", "zero")
class Zeros(Initializer):
    """All zeros.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    @explains_failures
    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        return np.zeros(tuple(shape), host_dtype(dtype))


@INITIALIZERS.register("Ones", "ones", "one")
class Ones(Initializer):
    """All ones.

    Example:
        >>> Ones()((2,)).tolist()
        [1.0, 1.0]
    """

    @explains_failures
    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        return np.ones(tuple(shape), host_dtype(dtype))


@INITIALIZERS.register("Constant", "constant")
class Constant(Initializer):
    """All of one value, or an array of as many values as the weight has.

    Args:
        value: a number, or an array that has the weight's size or broadcasts to its shape.

    Raises: ShapeError when it is called for a shape that the array does not fit.
    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> Constant(3)((2,)).tolist()
        [3.0, 3.0]
    """

    value: Any

    def __init__(self, value: Scalars = 0):
        super().__init__()

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
    """A number on the diagonal, zero elsewhere.

    Args:
        gain: the number; 1 for the matrix that changes nothing.

    Shape: (rows, columns) only.
    Raises: ShapeError for any other number of axes.
    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> Identity(2)((2, 3)).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    gain: float

    def __init__(self, gain: Number = 1.0):
        super().__init__()

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        if len(shape) != 2:
            raise ShapeError(f"Identity: expected a weight with two axes, received shape {tuple(shape)}.")
        if shape[0] != shape[1] and conventions.current().square_identity:
            raise ShapeError(f"Identity: expected a square matrix, received shape {tuple(shape)}.")
        return (self.gain * np.eye(shape[0], shape[1])).astype(host_dtype(dtype))


@INITIALIZERS.register("STFT", "STFTInitializer", "stft")
class STFT(Initializer):
    """Kernels of a convolution that computes short-time Fourier transforms: a windowed wave for each frequency.

    Args:
        side: 'real' for cosines, 'imag' for negative sines.
        window: factors of the samples: 'hann', 'hamming' or another name of `scipy.signal.windows`, an array, or None
            for ones.
        scaling: the window is divided by its norm ('density') or its sum ('spectrum'); None: it is not.
        periodic: whether the window is made for spectra, without its last sample, and not for filters.

    Shape: (samples of a frame, 1, frequencies); the transform has `2 * (frequencies - 1)` points.
    Raises: ShapeError for another number of axes; ArgumentError for an unknown window.
    Source: Keras 3.15, `initializers/constant_initializers.py`.
    Example:
        >>> STFT(window=None, scaling=None)((2, 1, 2)).round(1).tolist()
        [[[1.0, 1.0]], [[1.0, -1.0]]]
    """

    side: str
    window: Any
    scaling: str | None
    periodic: bool

    def __init__(
        self,
        side: Annotated[Literal["real", "imag"], CHOICE] = "real",
        window: Kept = "hann",
        scaling: Annotated[Literal["density", "spectrum"], CHOICE] | None = "density",
        periodic: Flag = False,
    ):
        super().__init__()

    def __call__(self, shape: Shape, dtype: Any = None) -> np.ndarray:
        if len(shape) != 3 or shape[1] != 1:
            raise ShapeError(f"STFT: expected a weight (samples, 1, frequencies), received shape {tuple(shape)}.")
        samples, _, bins = shape
        turns = 2 * np.pi * np.arange(samples)[:, None] * np.arange(bins) / (2 * (bins - 1) or 1)
        waves = np.cos(turns) if self.side == "real" else -np.sin(turns)
        return (self._factors(samples)[:, None] * waves)[:, None].astype(host_dtype(dtype))

    def _factors(self, samples: int) -> np.ndarray:
        window = window_of(self.window, samples, self.periodic)
        if self.scaling == "density":
            return window / np.sqrt(np.square(window).sum())
        return window / window.sum() if self.scaling == "spectrum" else window


def window_of(window: Any, samples: int, periodic: bool) -> np.ndarray:
    """Factors for the samples of a frame.

    Args:
        window: 'hann', 'hamming', another name of `scipy.signal.windows`, an array, or None for ones.
        samples: how many.
        periodic: whether the last of one sample more is left out.

    Raises: ArgumentError for an unknown name or an array of another length.
    Example:
        >>> window_of("hann", 4, True).tolist()
        [0.0, 0.5, 1.0, 0.5]
    """
    if window is None:
        return np.ones(samples)
    if not isinstance(window, str):
        return window_factors(window, samples)
    if window in ("hann", "hamming"):
        made = (np.hanning if window == "hann" else np.hamming)(samples + periodic)
        return made[:samples]
    return _window_of_scipy(window, samples, periodic)


def _window_of_scipy(window: str, samples: int, periodic: bool) -> np.ndarray:
    try:
        from scipy.signal import windows
    except ImportError as error:
        raise MissingPackageError.of(f"windows such as {window!r}", "SciPy", "image") from error
    made = getattr(windows, window, None)
    if not callable(made) or window.startswith("_"):
        raise ArgumentError(
            f"window: expected 'hann', 'hamming', another name of scipy.signal.windows, an array or None, received "
            f"{window!r}."
        )
    return np.asarray(made(samples, sym=not periodic), "float64")


# Random numbers -----------------------------------------------------------------------------------


@INITIALIZERS.register("RandomNormal", "random_normal", "normal")
class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: its mean.
        stddev: its standard deviation; 0.05 is small enough for the linear part of most activations.
        seed: a whole number for numbers of its own, the same in each process; None for those of `set_random_seed`.

    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> bool((RandomNormal(seed=1)((3,)) == RandomNormal(seed=1)((3,))).all())
        True
    """

    mean: float
    stddev: float

    def __init__(self, mean: Number = 0.0, stddev: NotNegative = 0.05, seed: Seed = None):
        super().__init__()

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _normal(source, shape, dtype, self.stddev) + np.asarray(self.mean, dtype)


@INITIALIZERS.register("TruncatedNormal", "truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal distribution in which values beyond two standard deviations are drawn again.

    Args:
        mean: its mean.
        stddev: the standard deviation before it is cut off; that of the values is 0.88 times as large.
        seed: a whole number for numbers of its own, the same in each process; None for those of `set_random_seed`.

    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> bool(abs(TruncatedNormal(stddev=1.0, seed=1)((100,))).max() <= 2)
        True
    """

    mean: float
    stddev: float

    def __init__(self, mean: Number = 0.0, stddev: NotNegative = 0.05, seed: Seed = None):
        super().__init__()

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _truncated_normal(source, shape, dtype, self.stddev) + np.asarray(self.mean, dtype)


@INITIALIZERS.register("RandomUniform", "random_uniform", "uniform")
class RandomUniform(RandomInitializer):
    """Uniform distribution.

    Args:
        minval: the least value.
        maxval: the bound above, which is not reached.
        seed: a whole number for numbers of its own, the same in each process; None for those of `set_random_seed`.

    Source: Keras 2.3.1, `keras/initializers.py`.
    Example:
        >>> bool((RandomUniform(2, 3, seed=1)((100,)) >= 2).all())
        True
    """

    minval: float
    maxval: float

    def __init__(self, minval: Number = -0.05, maxval: Number = 0.05, seed: Seed = None):
        super().__init__()

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return _uniform(source, shape, dtype, self.minval, self.maxval)


@INITIALIZERS.register("VarianceScaling", "variance_scaling")
class VarianceScaling(RandomInitializer):
    """Numbers of variance `scale / n`, where n counts the inputs or outputs of a unit: signals keep their size.

    Args:
        scale: factor of the variance, positive: 1 for units that are linear at 0, 2 for `relu`, which halves it.
        mode: what n is: 'fan_in', the inputs of a unit, keeps the variance forwards; 'fan_out' that of gradients
            backwards; 'fan_avg' is their mean.
        distribution: 'normal' or 'truncated_normal' (cut off at two deviations), 'untruncated_normal', 'uniform'.
        seed: a whole number for numbers of its own, the same in each process; None for those of `set_random_seed`.

    Raises: ArgumentError for another mode or distribution, or a scale that is not positive.
    Source: Keras 2.3.1, `keras/initializers.py`, where 'normal' is the truncated one.
    Example:
        >>> bool(abs(VarianceScaling(distribution="uniform", seed=1)((300, 2))).max() <= 0.1)
        True
    """

    MODES = ("fan_in", "fan_out", "fan_avg")
    DISTRIBUTIONS = ("normal", "truncated_normal", "untruncated_normal", "uniform")

    def __init__(self, scale: Number = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: Seed = None):
        if not scale > 0:
            raise ArgumentError(f"VarianceScaling: expected a positive scale, received {scale!r}.")
        self.scale = scale
        self.mode = _one_of("mode", mode, self.MODES)
        self.distribution = _one_of("distribution", distribution, self.DISTRIBUTIONS)

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
    """Number of inputs and of outputs of one unit of a weight.

    Args:
        shape: of the weight.

    A kernel is `(spatial..., in, out)`; for a vector both are its length, as in tf.keras and Keras 3 (Keras 2.3.1 took
    the root of it).
    """
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


@INITIALIZERS.register("Orthogonal", "orthogonal", "OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """An orthogonal matrix times a number; a weight with more axes is orthogonal when all but the last are joined.

    Args:
        gain: the number; 1 keeps lengths, 2 ** 0.5 makes up for `relu`.
        seed: a whole number for numbers of its own, the same in each process; None for those of `set_random_seed`.

    Shape: two axes or more.
    Raises: ShapeError for fewer than two axes.
    Source: Saxe, McClelland and Ganguli (2014), section 3; the signs of the diagonal of R are moved into Q, which makes
        the distribution uniform (Mezzadri, 2007, section 5).
    Example:
        >>> q = Orthogonal(seed=1)((3, 2))
        >>> bool(np.allclose(q.T @ q, np.eye(2), atol=1e-6))
        True
    """

    gain: float

    def __init__(self, gain: Number = 1.0, seed: Seed = None):
        super().__init__()

    def draw(self, source: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: expected a weight with two axes or more, received shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(source.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


# Named members of the family of VarianceScaling ---------------------------------------------------


def _named(name: str, scale: float, mode: str, distribution: str, source: str) -> tuple[type, Callable[..., Any]]:
    """A class that takes only a seed, as tf.keras has it, and the function of Keras 2 that makes a VarianceScaling.

    A layer's default is the function's name, so configs say VarianceScaling, which every Keras can read.
    """

    def construct(self: Any, seed: int | None = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    def make(seed: int | None = None) -> VarianceScaling:
        return VarianceScaling(scale, mode, distribution, seed)

    doc = (
        f"`VarianceScaling` with scale {scale:g}, mode {mode!r} and a {distribution} distribution.\n\nArgs:\n"
        "    seed: a whole number for numbers of their own, the same in every process; None for the stream of\n"
        f"        `set_random_seed`.\n\n{source}\n\nExample:\n    >>> {{}}(seed=1)((2, 3)).shape\n    (2, 3)\n"
    )
    class_name = name.title().replace("_", "")
    body = {"__init__": construct, "__doc__": doc.format(class_name), "__module__": __name__}
    cls = type(class_name, (VarianceScaling,), body)
    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc.format(name)
    make = api_boundary(make)
    INITIALIZERS.register(class_name)(cls)
    INITIALIZERS.register(name, maker=True)(make)
    return cls, make


_LECUN, _GLOROT, _HE = (
    "Source: LeCun et al. (1998), Efficient BackProp, section 4.6.",
    "Source: Glorot and Bengio (2010), equations 12 and 16.",
    "Source: He et al. (2015), equation 10.",
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
stft = STFTInitializer = STFT


@api_boundary
def serialize(initializer: Any) -> str | dict[str, Any]:
    """Config of an initializer.

    Args:
        initializer: an object, or a function, whose name is written.

    Example:
        >>> serialize(Ones())
        {'class_name': 'Ones', 'config': {}}
    """
    return INITIALIZERS.serialize(initializer)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The initializer that a name or config describes.

    Args:
        config: a name, or what `serialize` returned.
        custom_objects: functions and classes of your own by name.

    Raises: ArgumentError for an unknown name.

    Example:
        >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}})((2,)).tolist()
        [2.0, 2.0]
    """
    return INITIALIZERS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Callable[..., Any] | None:
    """The initializer that a layer's argument stands for.

    Args:
        identifier: a name ('glorot_uniform'), a config, a class, an object, a function of the shape; None stays None.

    Raises: ArgumentError for anything else.
    Example:
        >>> get("zeros")((2,)).tolist()
        [0.0, 0.0]
    """
    return INITIALIZERS.get(identifier)


__getattr__ = only_these(__name__)
