"""Random numbers as Keras 3 names them: `keras_front.random.normal((2, 3), seed=1)`.

A seed is an integer, which gives the same numbers at every call, or a `SeedGenerator`, which gives others at each, also
at each step of a compiled function. Without one the numbers follow from `set_random_seed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import dtypes, scopes, seeds
from keras_front.backend.operands import as_dims as _as_dims
from keras_front.backend.operands import as_symbol_or_tensor as _as_tensor
from keras_front.backend.precision import full_precision as _full_precision
from keras_front.compatibility import reject_unknown
from keras_front.errors import ArgumentError

Shape = Sequence[int]


class SeedGenerator:
    """A row of seeds: each draw with it takes the next.

    Args:
        seed: the first seed; None for one that follows from `set_random_seed`.
        name: what it is called.
        kwargs: nothing; a name that is none of these is an error.

    Example:
        >>> draw = SeedGenerator(7)
        >>> draw.next() == draw.next(), SeedGenerator(7).next() == SeedGenerator(7).next()
        (False, True)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        reject_unknown("SeedGenerator", kwargs, SeedGenerator)
        self.initial_seed = int(seeds.generator("seed").integers(2**31)) if seed is None else int(seed)
        self.name, self._count = name or "seed_generator", 0

    def next(self, ordered: bool = True) -> int:
        """The next seed.

        Args:
            ordered: kept for code written for Keras 3.
        """
        self._count += 1
        return int(np.random.SeedSequence([self.initial_seed, self._count]).generate_state(1)[0] >> 1)

    def get_config(self) -> dict[str, Any]:
        """The seed, from which an equal generator can be made."""
        return {"seed": self.initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A generator from its config.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)


def _drawn(noise: Any, shape: Shape, dtype: Any, seed: Any, number: int = 0) -> Any:
    """Noise of a shape; `number` tells the draws of one call apart."""
    name = dtypes.canonical(dtype)
    if not dtypes.is_float(name):
        raise ArgumentError(f"Random numbers are drawn as floats; expected a float dtype, received {name!r}.")
    if seed is None or (isinstance(seed, SeedGenerator) and (scopes.tracing() or scopes.bound_counter() is not None)):
        fixed = None if seed is None else seed.initial_seed + 7919 * number
        run = K.random_normal if noise is K.normal_noise else K.random_uniform
        return run(_as_dims(shape), dtype=name, seed=fixed)
    own = seed.next() if isinstance(seed, SeedGenerator) else int(seed)
    zero = np.asarray(0, "int64")
    return noise(zero, np.asarray(own + 7919 * number, "int64"), _as_dims(shape), name, 0)


def _uniform(shape: Shape, dtype: Any, seed: Any, number: int = 0) -> Any:
    return _drawn(K.uniform_noise, shape, dtype, seed, number)


@_full_precision
def normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal random numbers.

    Args:
        shape: that of the result.
        mean: their mean.
        stddev: their standard deviation.
        dtype: a float type, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.normal((2, 3)).shape)
        (2, 3)
    """
    return _drawn(K.normal_noise, shape, dtype, seed) * stddev + mean


@_full_precision
def uniform(shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Uniform random numbers in [minval, maxval).

    Args:
        shape: that of the result.
        minval: the lower bound.
        maxval: the upper bound, not included.
        dtype: a float type, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.uniform((2, 3)).shape)
        (2, 3)
    """
    return _uniform(shape, dtype, seed) * (maxval - minval) + minval


@_full_precision
def truncated_normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal random numbers within two deviations of the mean.

    Args:
        shape: that of the result.
        mean: the mean.
        stddev: the standard deviation before the cut.
        dtype: a float type, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.truncated_normal((2, 3)).shape)
        (2, 3)
    """
    return K.truncated_normal_quantile(_uniform(shape, dtype, seed)) * stddev + mean


@_full_precision
def randint(shape: Shape, minval: int, maxval: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Uniform random integers in [minval, maxval).

    Args:
        shape: that of the result.
        minval: the lower bound.
        maxval: the upper bound, not included.
        dtype: an integer type.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.randint((2, 3), 0, 10).shape)
        (2, 3)
    """
    drawn = _uniform(shape, "float64", seed)
    return K.cast(K.floor(drawn * float(maxval - minval)), dtype) + K.cast(minval, dtype)


@_full_precision
def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Random classes, by the scores of each row.

    Args:
        logits: scores before a softmax, (batch, classes).
        num_samples: how many for each row.
        dtype: an integer type.
        seed: an integer or a `SeedGenerator`.

    Shape: (batch, num_samples)
    Source: Gumbel (1954): the largest of scores with such noise is a draw.

    Example:
        >>> from keras_front import random
        >>> tuple(random.categorical(np.zeros((2, 4)), 3).shape)
        (2, 3)
    """
    scores = _as_tensor(logits)
    scores = scores if dtypes.is_float(dtypes.canonical(scores.dtype)) else K.cast(scores, dtypes.canonical(None))
    batch, classes = scores.shape
    drawn = K.maximum(_uniform((batch, num_samples, classes), scores.dtype, seed), 1e-9)
    return K.cast(K.argmax(K.expand_dims(scores, 1) - K.log(-K.log(drawn)), axis=-1), dtype)


@_full_precision
def binomial(shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """How many of some trials succeed.

    Args:
        shape: that of the result.
        counts: how many trials, a number or what is broadcast to the shape; not symbolic.
        probabilities: of success, likewise.
        dtype: the type of the result, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.binomial((2, 3), 10, 0.5).shape)
        (2, 3)
    """
    trials = np.asarray(K.to_numpy(counts))
    most = int(trials.max()) if trials.size else 0
    drawn = _uniform((*shape, most), None, seed)
    inside = np.arange(most) < np.expand_dims(trials, -1)
    success = K.logical_and(drawn < K.expand_dims(_as_tensor(probabilities), -1), inside)
    return K.cast(K.sum(K.cast(success, "float32"), axis=-1), dtypes.canonical(dtype))


@_full_precision
def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Random numbers of the gamma distribution with scale 1.

    Args:
        shape: that of the result.
        alpha: the shape parameter, above 0: a number or what is broadcast to the shape.
        dtype: a float type, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Source: Marsaglia & Tsang (2000). Of 16 tries, of which each succeeds 95 times in 100, the first success counts.

    Example:
        >>> from keras_front import random
        >>> tuple(random.gamma((2, 3), 1.0).shape)
        (2, 3)
    """
    name, own = dtypes.canonical(dtype), seed
    alpha = K.broadcast_to(K.cast(_as_tensor(alpha), name), tuple(shape))
    small = alpha < 1
    d = K.where(small, alpha + 1, alpha) - 1 / 3
    c = 1 / K.square_root(9 * d)
    tries = (16, *shape)
    z = _drawn(K.normal_noise, tries, name, own)
    u = K.maximum(_uniform(tries, name, own, 1), 1e-7)
    v = K.pow(1 + c * z, 3)
    taken = K.logical_and(v > 0, K.log(u) < 0.5 * z * z + d - d * v + d * K.log(K.maximum(v, 1e-30)))
    first = K.expand_dims(K.argmax(K.cast(taken, "int32"), axis=0), 0)
    found = d * K.squeeze(K.take_along_axis(K.maximum(v, 1e-30), first, axis=0), 0)
    rest = K.maximum(_uniform(shape, name, own, 2), 1e-7)
    return K.where(small, found * K.pow(rest, 1 / alpha), found)


@_full_precision
def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Random numbers of the beta distribution.

    Args:
        shape: that of the result.
        alpha: the first parameter, above 0: a number or what is broadcast to the shape.
        beta: the second parameter, likewise.
        dtype: a float type, by default `floatx`.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.beta((2, 3), 1.0, 2.0).shape)
        (2, 3)
    """
    a, b = gamma(shape, alpha, dtype, seed), gamma(shape, beta, dtype, seed + 1 if isinstance(seed, int) else seed)
    return a / (a + b)


@_full_precision
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """The slices along an axis in random order.

    Args:
        x: tensor.
        axis: which axis, of known size.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> sorted(np.asarray(random.shuffle(np.arange(4))).tolist())
        [0, 1, 2, 3]
    """
    x = _as_tensor(x)
    if x.shape[axis] is None:
        raise ArgumentError(f"shuffle: expected an axis of known size, received shape {tuple(x.shape)}.")
    order = K.argsort(_uniform((x.shape[axis],), None, seed))
    return K.gather(x, order, axis=axis)


@_full_precision
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """A tensor of which random elements are 0, and the others larger, so that the sum stays the same on average.

    Args:
        inputs: tensor.
        rate: part of the elements that become 0.
        noise_shape: the shape in which it is drawn which; None: each by itself.
        seed: an integer or a `SeedGenerator`.

    Example:
        >>> from keras_front import random
        >>> tuple(random.dropout(np.ones((2, 3)), 0.5).shape)
        (2, 3)
    """
    x = _as_tensor(inputs)
    name = dtypes.canonical(x.dtype)
    sizes = tuple(x.shape) if noise_shape is None else tuple(n or m for n, m in zip(noise_shape, x.shape, strict=True))
    kept = K.cast(_uniform(sizes, dtypes.as_float(name), seed) >= rate, name)
    return x * kept / (1 - rate)
