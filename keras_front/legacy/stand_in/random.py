"""`tf.random`: random numbers from the seed of the process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import scopes, symbolic
from keras_front.backend.host_values import on_host
from keras_front.backend.seeds import generator, set_random_seed

from .functions import as_eager

set_seed = set_random_seed


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers.

    Args:
        shape: their shape.
        mean: their mean.
        stddev: their standard deviation.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    return _drawn(lambda: K.random_normal(shape, mean, stddev, str(dtype), seed), shape)


def uniform(
    shape: Any, minval: float = 0, maxval: float = 1, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Numbers that are all equally likely.

    Args:
        shape: their shape.
        minval: the smallest.
        maxval: the end, which is not among them.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    maxval = 1 if maxval is None else maxval

    def draw() -> Any:
        made = K.random_uniform(shape, minval, maxval, seed=seed)
        if str(dtype) == "float32":
            return made
        return K.cast(K.floor(made) if "int" in str(dtype) else made, str(dtype))

    return _drawn(draw, shape)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers, none farther than two standard deviations from the mean.

    Args:
        shape: their shape.
        mean: their mean.
        stddev: their standard deviation.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    return _drawn(lambda: K.truncated_normal(shape, mean, stddev, str(dtype), seed), shape)


def _drawn(draw: Callable[[], Any], shape: Any) -> Any:
    """Numbers that are drawn once, where values are computed; in a graph they are drawn whenever it runs."""
    if not scopes.is_outermost() or any(map(K.is_symbolic, symbolic.leaves_of(shape))):
        return draw()
    with scopes.eager():
        found = draw()
    return as_eager(found)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Normally distributed numbers, drawn whenever the graph runs: the name of TensorFlow 1.

    Args:
        shape: their shape.
        mean: their mean.
        stddev: their standard deviation.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    return K.random_normal(shape, mean, stddev, str(dtype), seed)


def random_uniform(
    shape: Any, minval: float = 0, maxval: float = 1, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Numbers that are all equally likely, drawn whenever the graph runs: the name of TensorFlow 1.

    Args:
        shape: their shape.
        minval: the smallest.
        maxval: the end, which is not among them.
        dtype: their dtype.
        seed: a seed of their own.
        name: not used.
    """
    made = K.random_uniform(shape, minval, maxval, seed=seed)
    return made if str(dtype) == "float32" else K.cast(K.floor(made) if "int" in str(dtype) else made, str(dtype))


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    """The rows of a tensor in a random order; of a symbolic one in another order whenever the graph runs.

    Args:
        value: the tensor.
        seed: a seed of their own.
        name: not used.
    """
    if K.is_symbolic(value):
        rows = K.int_shape(value)[:1]
        return K.gather(value, K.argsort(K.random_uniform(K.shape(value)[:1] if None in rows else rows, seed=seed)))
    (array,) = on_host("tf.random.shuffle", value)
    order = np.random.default_rng(seed) if seed is not None else generator("tf.random")
    return as_eager(K.constant(order.permutation(array), array.dtype.name))


random_shuffle = shuffle


def categorical(logits: Any, num_samples: int, dtype: Any = "int64", seed: Any = None, name: Any = None) -> Any:
    """Classes drawn by their unnormalized logarithms of probability.

    Args:
        logits: (n, classes).
        num_samples: how many are drawn for each row.
        dtype: the dtype of the result.
        seed: a seed of their own.
        name: not used.

    Returns: a tensor (n, num_samples).
    """
    rows, classes = K.int_shape(logits)
    noise = uniform((rows, num_samples, classes), 1e-20, 1.0, seed=seed)
    drawn = K.argmax(K.expand_dims(logits, 1) - K.log(-K.log(noise)), axis=-1)
    return as_eager(K.cast(drawn, str(getattr(dtype, "name", dtype))))


multinomial = categorical


class Generator:
    """Random numbers of their own: `tf.random.Generator`.

    Args:
        seed: where they start.
    """

    def __init__(self, seed: int):
        self._source = np.random.default_rng(seed)

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """One that starts from a seed.

        Args:
            seed: an integer from 0 on.
            alg: not used.
        """
        return cls(seed)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """One that starts from the seed of the process.

        Args:
            alg: not used.
        """
        return cls(int(generator("tf.random").integers(2**31)))

    def _draw(self, host: Callable[..., Any], graph: Callable[..., Any], shape: Any, *args: Any) -> Any:
        """Numbers of its own where values are computed; in a graph such as are drawn whenever it runs."""
        if not scopes.is_outermost() or any(map(K.is_symbolic, symbolic.leaves_of(shape))):
            return graph(shape, *args)
        dtype = str(getattr(args[-1], "name", args[-1]))
        return as_eager(K.constant(host(size=tuple(np.atleast_1d(shape).astype(int))), dtype))

    def normal(
        self, shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Any:
        """Normally distributed numbers.

        Args:
            shape: their shape.
            mean: their mean.
            stddev: their standard deviation.
            dtype: their dtype.
            name: not used.
        """
        draw = functools.partial(self._source.normal, mean, stddev)
        return self._draw(draw, normal, shape, mean, stddev, dtype)

    def truncated_normal(
        self, shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Any:
        """Normally distributed numbers, none farther than two standard deviations from the mean.

        Args:
            shape: their shape.
            mean: their mean.
            stddev: their standard deviation.
            dtype: their dtype.
            name: not used.
        """

        def draw(size: Any) -> Any:
            found = self._source.normal(size=size)
            while (outside := np.abs(found) >= 2).any():
                found[outside] = self._source.normal(size=outside.sum())
            return mean + stddev * found

        return self._draw(draw, truncated_normal, shape, mean, stddev, dtype)

    def uniform(
        self, shape: Any, minval: float = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None
    ) -> Any:
        """Numbers that are all equally likely.

        Args:
            shape: their shape.
            minval: the smallest.
            maxval: the end, which is not among them.
            dtype: their dtype.
            name: not used.
        """
        end = 1 if maxval is None else maxval
        whole = "int" in str(getattr(dtype, "name", dtype))
        draw = functools.partial(self._source.integers if whole else self._source.uniform, minval, end)
        return self._draw(draw, uniform, shape, minval, end, dtype)
