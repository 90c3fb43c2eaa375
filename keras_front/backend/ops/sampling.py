"""Random numbers (decision D8): noise is a function of (seed, stream, step), never of hidden state.

`seed` is the run's (or the layer's own), `stream` numbers the draws of a traced function, and the step is the counter
of the frame. Seed and counter are tensors, carried in the training state, so that a seed that is set later reaches
programs that are there. The two primitives below come from the engine's own generator; with
`set_random_seed(seed, reproducible=True)` they are replaced by `host_noise`, drawn by NumPy, the same everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front.backend import dtypes, replicas, scopes, seeds, shapes, symbolic
from keras_front.backend.declare import Dims, DType, Tensor, composite, primitive
from keras_front.backend.operands import as_dims
from keras_front.backend.ops.arrangement import strided_slice
from keras_front.backend.ops.elementwise import add, cast, less, multiply
from keras_front.compatibility import renamed
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures


@primitive(shapes.noise, promote=(), pure=False, light=True)
def engine_uniform(counter: Tensor, seed: Tensor, shape: Dims, dtype: DType, stream):
    """Uniform noise in [0, 1) from the engine's generator, a function of (seed, stream, counter).

    Args:
        counter: the number of the step, an integer tensor.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the result.
        dtype: a float dtype.
        stream: the number of this draw within a step.

    Returns: a tensor of that shape.

    Example:
        >>> K.engine_uniform(np.int32(0), np.int32(1), (2, 3), "float32", 0).shape
        (2, 3)
    """


@primitive(shapes.noise, promote=(), pure=False)
def engine_normal(counter: Tensor, seed: Tensor, shape: Dims, dtype: DType, stream):
    """Normal noise (mean 0, deviation 1) from the engine's generator, a function of (seed, stream, counter).

    Args:
        counter: the number of the step, an integer tensor.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the result.
        dtype: a float dtype.
        stream: the number of this draw within a step.

    Returns: a tensor of that shape.

    Example:
        >>> K.engine_normal(np.int32(0), np.int32(1), (2, 3), "float32", 0).shape
        (2, 3)
    """


@primitive(shapes.noise, promote=(), pure=False)
def host_noise(counter: Tensor, seed: Tensor, shape: Dims, dtype: DType, stream, kind):
    """Noise drawn by NumPy on the host, the same on every backend.

    Args:
        counter: the number of the step, an integer tensor.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the result.
        dtype: a float dtype.
        stream: the number of this draw within a step.
        kind: 'uniform' in [0, 1), or 'normal' with mean 0 and deviation 1.

    Returns: a tensor of that shape.

    Example:
        >>> K.host_noise(np.int32(0), np.int32(1), (2, 3), "float32", 0, "uniform").shape
        (2, 3)
    """


@composite(promote=(), pure=False, fresh=True)
def uniform_noise(counter: Tensor, seed: Tensor, shape: Dims, dtype: DType, stream):
    """Uniform noise in [0, 1), from the host if the run is to be reproducible across backends.

    Args:
        counter: the number of the step, an integer tensor.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the result.
        dtype: a float dtype.
        stream: the number of this draw within a step.

    Returns: a tensor of that shape.

    Example:
        >>> drawn = K.uniform_noise(np.int32(0), np.int32(1), (1000,), "float32", 0)
        >>> bool((drawn >= 0).all() and (drawn < 1).all())
        True
    """
    if seeds.reproducible():
        return _host_noise(counter, seed, shape, dtype, stream, "uniform")
    return engine_uniform(counter, seed, shape, dtype, stream)


@composite(promote=(), pure=False, fresh=True)
def normal_noise(counter: Tensor, seed: Tensor, shape: Dims, dtype: DType, stream):
    """Normal noise (mean 0, deviation 1), from the host if the run is to be reproducible across backends.

    Args:
        counter: the number of the step, an integer tensor.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the result.
        dtype: a float dtype.
        stream: the number of this draw within a step.

    Returns: a tensor of that shape.

    Example:
        >>> K.normal_noise(np.int32(0), np.int32(1), (2, 3), "float32", 0).dtype
        dtype('float32')
    """
    if seeds.reproducible():
        return _host_noise(counter, seed, shape, dtype, stream, "normal")
    return engine_normal(counter, seed, shape, dtype, stream)


def _host_noise(counter: Any, seed: Any, shape: Any, dtype: str, stream: Any, kind: str) -> Any:
    """Noise for the whole batch, the same as on one device, of which each process that shares it takes its part."""
    if dtypes.on_host(dtype) != dtype:  # NumPy does not have it
        return cast(_host_noise(counter, seed, shape, dtypes.on_host(dtype), stream, kind), dtype)
    own = replicas.division()
    if own is None or not own.has_part_of(shape):
        return host_noise(counter, seed, shape, dtype, stream, kind)
    rows, rank = shape[0], own.group.rank
    whole = host_noise(counter, seed, (rows * own.shares, *shape[1:]), dtype, stream, kind)
    rest = (None,) * (len(shape) - 1)
    return strided_slice(whole, (rows * rank, *rest), (rows * (rank + 1), *rest), (1,) * len(shape))


def key(seed: int | None) -> tuple[Any, Any]:
    """(counter, seed) of a draw now: those of the frame, or symbols that wait for one; a seed that is given counts."""
    waits = _waits()
    counter = symbolic.COUNTER if waits else symbolic.current_counter()
    if seed is not None:
        return counter, np.asarray(seed, "int64")
    return counter, symbolic.SEED if waits else symbolic.current_seed()


def stream(shape: Any = ()) -> Any:
    """The number of a draw among those of its trace; a symbol where it is made whenever its result is asked for.

    Processes that share a batch have numbers of their own, unless they draw the noise of the whole batch.

    Args:
        shape: that of what is drawn.
    """
    if _waits():
        return symbolic.STREAM
    number, own = scopes.next_stream(), replicas.division()
    if own is None or seeds.reproducible() or not own.has_part_of(shape):
        return number
    return number + (own.group.rank << _RANK_BITS)


_RANK_BITS = 40  # numbers of draws stay below


def _waits() -> bool:
    """Whether a draw is only recorded now, to be made whenever its result is asked for."""
    return scopes.tracing() is None and scopes.bound_counter() is None and not scopes.computes_now()


def _check(where: str, name: str, value: Any, least: float, most: float = math.inf) -> None:
    """Raise ArgumentError for a number out of range; tensors pass."""
    if isinstance(value, int | float | np.number) and not least <= value <= most:
        bounds = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
        raise ArgumentError(f"K.{where}: expected {name} to be a number {bounds}, received {value}.")


def _draw(noise: Any, shape: Any, dtype: Any, seed: int | None) -> Any:
    name = dtypes.canonical(dtype)
    if not dtypes.is_float(name):
        raise ArgumentError(f"Random numbers are drawn as floats; expected a float dtype, received {name!r}.")
    dims = as_dims(shape)
    return noise(*key(seed), dims, name, stream(dims))


@renamed
@explains_failures
def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Uniform random numbers in [minval, maxval).

    Args:
        shape: that of the result, a tuple of ints or a shape tensor.
        minval: the lower bound.
        maxval: the upper bound, not included.
        dtype: a float dtype; None for `K.floatx()`.
        seed: an integer that fixes the numbers apart from the run's seed; None: the run's.

    Returns: a tensor of that shape.

    Raises:
        ArgumentError: the dtype is no float.

    Example:
        >>> tuple(K.random_uniform((2, 3), 0.0, 10.0).shape)
        (2, 3)
    """
    if isinstance(minval, int | float) and isinstance(maxval, int | float) and minval > maxval:
        raise ArgumentError(f"K.random_uniform: expected minval up to maxval, received {minval} and {maxval}.")
    return add(multiply(_draw(uniform_noise, shape, dtype, seed), maxval - minval), minval)


@renamed
@explains_failures
def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal random numbers.

    Args:
        shape: that of the result, a tuple of ints or a shape tensor.
        mean: the mean.
        stddev: the standard deviation.
        dtype: a float dtype; None for `K.floatx()`.
        seed: an integer that fixes the numbers apart from the run's seed; None: the run's.

    Returns: a tensor of that shape.

    Raises:
        ArgumentError: the dtype is no float.

    Example:
        >>> tuple(K.random_normal((2, 3)).shape)
        (2, 3)
    """
    _check("random_normal", "stddev", stddev, 0)
    return add(multiply(_draw(normal_noise, shape, dtype, seed), stddev), mean)


@explains_failures
def random_binomial(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with probability `p`, else zeros.

    Args:
        shape: that of the result, a tuple of ints or a shape tensor.
        p: the probability of a one.
        dtype: that of the result; None for `K.floatx()`.
        seed: an integer that fixes the numbers apart from the run's seed; None: the run's.

    Returns: a tensor of that shape.

    Example:
        >>> tuple(K.random_binomial((2, 3), p=0.5).shape)
        (2, 3)
    """
    _check("random_binomial", "p", p, 0, 1)
    name = dtypes.canonical(dtype)
    return cast(less(_draw(uniform_noise, shape, dtypes.as_single(dtypes.as_float(name)), seed), p), name)


@explains_failures
def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Normal random numbers within two deviations of the mean, by inversion of the distribution function.

    Args:
        shape: that of the result, a tuple of ints or a shape tensor.
        mean: the mean.
        stddev: the standard deviation before the cut.
        dtype: a float dtype; None for `K.floatx()`.
        seed: an integer that fixes the numbers apart from the run's seed; None: the run's.

    Returns: a tensor of that shape.

    Raises:
        ArgumentError: the dtype is no float.

    Example:
        >>> tuple(K.truncated_normal((2, 3)).shape)
        (2, 3)
    """
    from keras_front.backend.ops.normal_quantile import truncated_normal_quantile

    _check("truncated_normal", "stddev", stddev, 0)
    noise = _draw(uniform_noise, shape, dtype, seed)
    return add(multiply(truncated_normal_quantile(noise), stddev), mean)
