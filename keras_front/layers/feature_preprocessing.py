"""Numbers made ready for a model: `Normalization`, `Discretization`, `CategoryEncoding`.

`adapt(data)` learns from arrays on the host, before training; calling is made of ops of K.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, ShapeError, StateError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS
from keras_front.graph.tracking import check_room
from keras_front.utils.progbar import tracked

from .arguments import CHOICE, Flag, Number, Positive, Reader, Sparse
from .base import Layer, LayerArguments

OutputMode = Annotated[Literal["int", "one_hot", "multi_hot", "count"], CHOICE]


def batches_of(data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """The arrays to adapt to: `data` itself, or the batches that it yields.

    Args:
        data: array, tensor, nested list, or an iterable of them.
        steps: how many batches to take, for iterables that never end; None for all.

    Raises: ArgumentError for anything else, and for a masked array, whose mask nothing here would follow.
    """
    one = hasattr(data, "shape") or isinstance(data, list | tuple)
    known = steps if one or not hasattr(data, "__len__") else min(len(data), steps or len(data))
    return tracked(itertools.islice(_batches(data), steps), "Adapting", known)


def _batches(data: Any) -> Iterator[np.ndarray]:
    if isinstance(data, np.ma.MaskedArray):
        raise ArgumentError("adapt: expected an array, received a masked array. Pass `data.compressed()` or fill it.")
    if hasattr(data, "shape") or isinstance(data, list | tuple):
        yield data if isinstance(data, np.ndarray) else K.to_numpy(data) if hasattr(data, "shape") else np.asarray(data)
    elif isinstance(data, Iterable):
        for batch in data:
            yield from _batches(batch)
    else:
        raise ArgumentError(f"adapt: expected an array or an iterable of arrays, received {type(data).__name__}.")


class Moments:
    """Mean and variance of data that comes in batches, in float64.

    Each batch is measured around its own mean and joined to what was seen before, so that nothing cancels, however far
    from 0 the data lies. Batches without elements change nothing.

    Attributes:
        count: how many elements each mean is of.
        mean, variance: of what was seen so far; the variance is that of the data itself, divided by `count`.

    Source: Chan, Golub & LeVeque (1979), equation 2.1; within a batch the corrected two-pass algorithm, equation 1.7.
    """

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, np.zeros(()), np.zeros(())

    @property
    def variance(self) -> np.ndarray:
        return self._squares / max(self.count, 1)

    def update(self, batch: np.ndarray, axes: tuple[int, ...]) -> None:
        """Add a batch.

        Args:
            batch: array of numbers.
            axes: those over which mean and variance are taken.
        """
        count = math.prod(batch.shape[i] for i in axes)
        if not count:
            return
        off = batch.astype("float64")
        mean = off.mean(axes, keepdims=True)
        off -= mean
        rest = off.mean(axes)  # what rounding left of the mean
        squares = np.square(off, out=off).sum(axes) - count * np.square(rest)
        apart = mean.reshape(rest.shape) + rest - self.mean
        total = self.count + count
        self.mean = self.mean + apart * (count / total)
        self._squares = self._squares + squares + np.square(apart) * (self.count * count / total)
        self.count = total


def _normalized_axes(value: Any, layer: Any) -> tuple[int, ...]:
    if value is None:
        return ()
    return tuple(int(axis) for axis in value) if isinstance(value, Sequence) else (int(value),)


def _boundaries(value: Any, layer: Any) -> list[float]:
    return sorted(float(boundary) for boundary in value)


NormalizedAxes = Annotated[int | Sequence[int] | None, Reader(_normalized_axes, "an integer, integers or None")]
Boundaries = Annotated[Sequence[float], Reader(_boundaries, "a list of numbers")]


class NumericLayer(Layer):
    """A layer over one array, which may be given as nested lists of numbers."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer; nested lists are an array and not several inputs.

        Args:
            inputs: tensor, array, or nested lists of numbers.
            args, kwargs: further arguments for `call`.
        """
        if isinstance(inputs, list | tuple) and all(isinstance(n, int | float) for n in _leaves(inputs)):
            inputs = np.asarray(inputs)
        return super().__call__(inputs, *args, **kwargs)


def _leaves(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list | tuple):
            yield from _leaves(item)
        else:
            yield item


@LAYERS.register()
class Normalization(NumericLayer):
    """Features shifted and scaled to mean 0 and deviation 1 by what `adapt` saw.

    Args:
        axis: the axis, or the axes, along which each place has a mean and variance of its own: by default each feature.
            None for one of all.
        mean: given instead of learned: a number, or an array that fits the axes.
        variance: the same.
        invert: whether to go the other way, from normalized values to those of the data.

    Shape: as the input, whose sizes along `axis` must be known.
    Weights: mean, variance, count, unless they are given.
    Raises: ArgumentError if only one of mean and variance is given.
    Example:
        >>> layer = Normalization()
        >>> layer.adapt([[1.0], [3.0]])
        >>> layer(K.constant([[3.0]])).tolist()
        [[1.0]]
    """

    supports_masking = True
    _computes_wide = True

    def __init__(
        self,
        axis: NormalizedAxes = -1,
        mean: Any = None,
        variance: Any = None,
        invert: Flag = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError("Normalization: give mean and variance both, or neither.")
        for said, value in (("mean", mean), ("variance", variance)):
            if value is not None and np.asarray(value).dtype.kind not in "biuf":
                raise ArgumentError(
                    f"Normalization: expected {said} to be a number or an array, received {value!r:.60}."
                )
        self.input_mean, self.input_variance = mean, variance
        self._learned: list[Any] = []

    @property
    def is_adapted(self) -> bool:
        """Whether mean and variance are known, by `adapt` or otherwise."""
        if not self.adapts or not self._learned:
            return not self.adapts
        mean, variance, count = (variable.numpy() for variable in self._learned)
        return bool(count) or bool(np.any(mean) or np.any(variance != 1))  # Keras 3 writes no count into files

    @property
    def adapts(self) -> bool:
        """Whether `adapt` learns mean and variance, which were not given."""
        return self.input_mean is None

    @property
    def mean(self) -> Any:
        """The mean that is used: what was given, or what `adapt` learned; None before."""
        return self._learned[0] if self._learned else self.input_mean

    @property
    def variance(self) -> Any:
        """The variance that is used: what was given, or what `adapt` learned; None before."""
        return self._learned[1] if self._learned else self.input_variance

    def _kept(self, rank: int) -> list[int]:
        return sorted(a % rank for a in self.axis)

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[a] for a in self._kept(len(input_shape)))
        if None in shape:
            raise ShapeError(f"{self.name}: the axes {self.axis} must have known sizes, received {tuple(input_shape)}.")
        if self.input_mean is None:
            mean = self.add_weight("mean", shape, initializer="zeros", trainable=False)
            variance = self.add_weight("variance", shape, initializer="ones", trainable=False)
            count = self.add_weight("count", (), "int32", "zeros", trainable=False)
            self._learned = [mean, variance, count]
        self.built = True

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn mean and variance anew, in float64, so that data far from 0 loses nothing.

        Args:
            data: array, or an iterable of arrays, such as a generator of batches.
            batch_size: ignored: an array is read as it is, batches have the size that they have.
            steps: how many batches of an iterable to take; None for all.

        Raises: StateError if mean and variance were given to the constructor, or if no data came.
        """
        seen = Moments()
        for batch in map(np.asarray, batches_of(data, steps)):
            self.ensure_built((None, *batch.shape[1:]))
            kept = self._kept(batch.ndim)
            seen.update(batch, tuple(i for i in range(batch.ndim) if i not in kept))
        if not self._learned or not seen.count:
            raise StateError(f"{self.name}: there is nothing to adapt: mean and variance are given, or no data came.")
        count = min(seen.count, np.iinfo("int32").max)  # a weight that nothing is computed with
        for variable, value in zip(self._learned, (seen.mean, seen.variance, count), strict=True):
            variable.set(np.asarray(value, variable.dtype))

    def call(self, inputs: Any) -> Any:
        dtype, shape = self.dtype or config.floatx(), K.int_shape(inputs)
        kept = self._kept(len(shape))
        wide = tuple(n if i in kept else 1 for i, n in enumerate(shape))
        given = self._learned[:2] or [K.convert(np.asarray(v), dtype) for v in (self.input_mean, self.input_variance)]
        mean, variance = (K.reshape(v, wide) if K.ndim(v) == len(kept) else v for v in given)
        deviation = K.maximum(K.square_root(variance), K.epsilon())
        inputs = K.cast(inputs, dtype)
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        mean, variance = (v if v is None else np.asarray(v).tolist() for v in (self.input_mean, self.input_variance))
        return {**result, "axis": list(self.axis) or None, "mean": mean, "variance": variance}


@LAYERS.register()
class Discretization(NumericLayer):
    """The number of the bin in which each value lies.

    Args:
        bin_boundaries: where bins end; below the first is bin 0, a boundary itself belongs to the bin above.
        num_bins: how many bins `adapt` makes, each with the same share of the data.
        epsilon: error that the quantiles may have; here they are exact.
        output_mode: 'int' for the number of the bin, or vectors as from `CategoryEncoding`: 'one_hot', 'multi_hot' or
            'count'.
        sparse: False; there are no sparse tensors.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    Raises: ArgumentError if neither boundaries nor a number of bins are given.
    Example:
        >>> Discretization(bin_boundaries=[0.0, 1.0])(K.constant([-0.5, 0.5, 1.0])).tolist()
        [0, 1, 2]
    """

    file_form = FileForm(omitted={"trainable": True})

    _casts_inputs = False

    def __init__(
        self,
        bin_boundaries: Boundaries | None = None,
        num_bins: Positive | None = None,
        epsilon: Number = 0.01,
        output_mode: OutputMode = "int",
        sparse: Sparse = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if bin_boundaries is None and num_bins is None:
            raise ArgumentError("Discretization: expected bin_boundaries, or num_bins and then a call of adapt.")

    @property
    def is_adapted(self) -> bool:
        """Whether the boundaries are known, by `adapt` or otherwise."""
        return self.bin_boundaries is not None

    @property
    def adapts(self) -> bool:
        """Whether `adapt` makes the boundaries, which were not given."""
        return self.num_bins is not None

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Put the boundaries where each bin has the same share of the data.

        Args:
            data: array of numbers, or an iterable of arrays. All of it is held in memory, as float64.
            batch_size: ignored: an array is read as it is, batches have the size that they have.
            steps: how many batches of an iterable to take; None for all.

        Raises: StateError if the boundaries were given to the constructor, or if no data came.
        """
        if self.num_bins is None:
            raise StateError(f"{self.name}: the boundaries are given; there is nothing to adapt.")
        values = np.concatenate([np.zeros(0), *(np.ravel(batch) for batch in batches_of(data, steps))])
        if not values.size:
            raise StateError(f"{self.name}: expected data to adapt to, received none.")
        self.bin_boundaries = np.quantile(values, np.arange(1, self.num_bins) / self.num_bins).tolist()

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise StateError(f"{self.name}: call adapt before the layer is used, or give bin_boundaries.")
        dtype = self.dtype or config.floatx()
        compared = dtype if dtype.startswith(("float", "bfloat")) else config.floatx()  # tf_keras writes 'int64'
        edges = K.convert(np.asarray(self.bin_boundaries), compared)
        above = K.expand_dims(K.cast(inputs, compared), -1) >= edges
        bins = K.cast(K.sum(K.cast(above, "int32"), axis=-1), "int32")
        if self.output_mode == "int":
            return bins
        return encoded(bins, len(self.bin_boundaries) + 1, self.output_mode, dtype)


def encoded(codes: Any, size: int, mode: str, dtype: str, weights: Any = None) -> Any:
    """Integers as vectors: one each ('one_hot'), or one for the last axis ('multi_hot', 'count').

    Args:
        codes: integers; those that are negative or too large stand for nothing.
        size: length of the vectors.
        mode: 'one_hot', 'multi_hot' or 'count'.
        dtype: type of the vectors.
        weights: what each of the codes counts, by default 1.
    """
    check_room(f"A layer with output_mode={mode!r}", [(size,)], "int32")
    codes = K.cast(codes, "int32")
    codes = K.expand_dims(codes if K.ndim(codes) else K.expand_dims(codes, -1), -1)
    if mode == "one_hot" and K.ndim(codes) > 2 and K.int_shape(codes)[-2] == 1:
        codes = K.squeeze(codes, -2)
    marks = K.cast(K.equal(codes, np.arange(size, dtype="int32")), dtype)
    if mode == "one_hot":
        return marks
    if weights is not None:
        marks = marks * K.expand_dims(K.cast(weights, dtype), -1)
    return K.sum(marks, axis=-2) if mode == "count" else K.max(marks, axis=-2)


@LAYERS.register()
class CategoryEncoding(NumericLayer):
    """Integers as vectors of zeros and ones, or of counts.

    Args:
        num_tokens: how many integers there are, from 0 on; others are ignored.
        output_mode: 'multi_hot' (which occur along the last axis), 'count' (how often) or 'one_hot' (one vector for
            each; a last axis of size 1 is used up).
        sparse: False; there are no sparse tensors.

    Shape: (..., n) -> (..., num_tokens), or (..., n, num_tokens) for 'one_hot'.
    Example:
        >>> CategoryEncoding(num_tokens=4)(K.constant([[0, 1], [3, 3]], dtype="int32")).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    _casts_inputs = False

    def __init__(
        self,
        num_tokens: Positive = None,
        output_mode: Annotated[Literal["one_hot", "multi_hot", "count"], CHOICE] = "multi_hot",
        sparse: Sparse = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The vectors.

        Args:
            inputs: integers.
            count_weights: what each of them counts in the mode 'count', of the same shape; by default 1.

        Raises: ArgumentError for weights in another mode.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ArgumentError(f"{self.name}: count_weights needs output_mode='count', not {self.output_mode!r}.")
        return encoded(inputs, self.num_tokens, self.output_mode, self.dtype or config.floatx(), count_weights)
