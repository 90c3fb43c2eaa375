"""Ops of neural networks that are not convolutions: softmax, crossentropies, biases, normalization, dropout masks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front import config
from keras_front.backend import dtypes, shapes
from keras_front.backend.declare import Axes, Axis, Dims, DType, Flag, Maybe, Tensor, composite
from keras_front.backend.op import OPS
from keras_front.backend.ops.arrangement import _size, _sizes, expand_dims, permute_dimensions, reshape, squeeze
from keras_front.backend.ops.elementwise import (
    abs,
    add,
    cast,
    clip,
    divide,
    exp,
    greater_equal,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    rsqrt,
    stop_gradient,
    subtract,
)
from keras_front.backend.ops.indexing import take_along_axis
from keras_front.backend.ops.reduction import has_none, max, mean, sum
from keras_front.backend.ops.sampling import uniform_noise
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, ShapeError
from keras_front.failures import explains_failures


@composite(floats=True, accumulates=True, fresh=True, light=True)
def softmax(x: Tensor, axis: Axis = -1):
    """Exponentials of `x`, scaled to sum to 1 along `axis`.

    Args:
        x: a tensor; integers become floats first.
        axis: the axis of the classes.

    Returns: a float tensor of the shape of x.

    Source: Bridle (1990); shifted by the maximum so that exp cannot overflow.

    Example:
        >>> K.softmax(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    if has_none(x, axis):
        return x
    raised = exp(subtract(x, stop_gradient(max(x, axis=axis, keepdims=True))))
    return divide(raised, sum(raised, axis=axis, keepdims=True))


@composite(floats=True, accumulates=True, fresh=True, light=True)
def log_softmax(x: Tensor, axis: Axis = -1):
    """`log(softmax(x))`, without underflow.

    Args:
        x: a tensor; integers become floats first.
        axis: the axis of the classes.

    Returns: a float tensor of the shape of x.

    Example:
        >>> print(np.asarray(K.log_softmax(np.array([0.0, 0.0]))).round(3))
        [-0.693 -0.693]
    """
    if has_none(x, axis):
        return x
    shifted = subtract(x, stop_gradient(max(x, axis=axis, keepdims=True)))
    return subtract(shifted, log(sum(exp(shifted), axis=axis, keepdims=True)))


# Crossentropies ------------------------------------------------------------------------------------------------


@composite(floats=True, accumulates=True, fresh=True, light=True)
def softmax_crossentropy(logits: Tensor, target: Tensor):
    """`-sum(target * log_softmax(logits))` over the last axis.

    Args:
        logits: scores before the softmax.
        target: the distributions that are wanted.

    Shape: (..., classes) twice -> (...).

    Example:
        >>> print(np.asarray(K.softmax_crossentropy(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))).round(3))
        [0.693]
    """
    return negative(sum(multiply(target, log_softmax(logits)), axis=-1))


@composite(floats=True, elementwise=True, fresh=True)
def sigmoid_crossentropy(logits: Tensor, target: Tensor):
    """The binary crossentropy of `sigmoid(logits)` against `target`, element by element, without overflow.

    Args:
        logits: scores before the sigmoid.
        target: the probabilities that are wanted.

    Shape: as the broadcast of both.

    Example:
        >>> print(np.asarray(K.sigmoid_crossentropy(np.array([0.0, 2.0]), np.array([1.0, 1.0]))).round(3))
        [0.693 0.127]
    """
    return add(subtract(maximum(logits, 0), multiply(logits, target)), log1p(exp(negative(abs(logits)))))


@composite(floats=True, elementwise=True, fresh=True)
def clipped_sigmoid_crossentropy(logits: Tensor, target: Tensor, lowest, highest):
    """The binary crossentropy of `sigmoid(logits)`, where logits are cut to [lowest, highest] first.

    What `binary_crossentropy` is of probabilities that come from a sigmoid: cutting the probabilities is cutting the
    logits. There is no gradient where a logit was cut.

    Args:
        logits: scores before the sigmoid.
        target: the probabilities that are wanted.
        lowest: the least logit, a number.
        highest: the greatest logit, a number.

    Shape: as the broadcast of both.

    Example:
        >>> K.clipped_sigmoid_crossentropy(np.array([0.0, -50.0]), np.array([1.0, 1.0]), -16.0, 16.0).round(2)
        array([ 0.69, 16.  ])
    """
    return sigmoid_crossentropy(minimum(maximum(logits, lowest), highest), target)


@composite(floats=True, elementwise=True, fresh=True)
def clipped_binary_crossentropy(output: Tensor, target: Tensor, least, rest):
    """The binary crossentropy of probabilities p, where p is at least `least` and 1 - p at least `rest`.

    There is no gradient where one of them was cut.

    Args:
        output: the probabilities that there are.
        target: the probabilities that are wanted.
        least: the least probability, a number.
        rest: the least that is left to 1, a number.

    Shape: as the broadcast of both.

    Example:
        >>> K.clipped_binary_crossentropy(np.array([0.25, 0.0]), np.array([1.0, 1.0]), 1e-7, 1e-7).round(2)
        array([ 1.39, 16.12])
    """
    yes, no = log(maximum(output, least)), log(maximum(subtract(1, output), rest))
    return negative(add(multiply(target, yes), multiply(subtract(1, target), no)))


@composite(floats=True, accumulates=True, fresh=True, light=True)
def clipped_softmax_crossentropy(logits: Tensor, target: Tensor, lowest):
    """`-sum(target * log(p))` over the last axis, where p is `softmax(logits)` but at least `exp(lowest)`.

    What `categorical_crossentropy` is of probabilities that come from a softmax: the same numbers, without the division
    and the logarithm of something rounded. There is no gradient where a probability was cut.

    Args:
        logits: scores before the softmax.
        target: the distributions that are wanted.
        lowest: the logarithm of the least probability, a number.

    Shape: (..., classes) twice -> (...).

    Example:
        >>> K.clipped_softmax_crossentropy(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), -16.0).round(2)
        array([0.69])
    """
    return negative(sum(multiply(target, maximum(log_softmax(logits), lowest)), axis=-1))


def _argument_of(name: str, x: Any) -> Any:
    """The argument of the softmax (along the last axis) or sigmoid whose result `x` is, else None.

    So such an op followed by its crossentropy becomes the form on logits: the same numbers in fewer calls.
    """
    origin = x.origin if isinstance(x, SymbolicTensor) else None
    if origin is not None and origin.op is OPS[name] and origin.attrs.get("axis", -1) in (-1, len(x.shape) - 1):
        return origin.args[0]
    return None


def _lowest_logarithm(dtype: Any) -> float:
    """The logarithm of the least probability that a categorical crossentropy takes for one, as `dtype` rounds it."""
    least = float(np.dtype(dtypes.as_single(dtype)).type(config.epsilon()))
    return math.log(least) if least > 0 else -math.inf


def _least_and_rest(dtype: Any) -> tuple[float, float]:
    """The least p and the least 1 - p of a binary crossentropy.

    They are what remains of p and 1 - p if p is cut to [epsilon, 1 - epsilon], as `dtype` rounds it, and epsilon more.
    """
    kind, epsilon = np.dtype(dtypes.as_single(dtype)).type, config.epsilon()
    return float(kind(epsilon)) + epsilon, 1 - float(kind(1 - epsilon)) + epsilon


def _bounds_of_logits(dtype: Any) -> tuple[float, float]:
    """Between which logits the sigmoid is not cut by a binary crossentropy."""
    least, rest = _least_and_rest(dtype)
    if not 0 < least < 1 - rest < 1:  # an epsilon of 0
        return -math.inf, math.inf
    return math.log(least / (1 - least)), math.log((1 - rest) / rest)


def _log_probabilities(output: Any) -> Any:
    """Logarithms of probabilities along the last axis, scaled to sum to 1 and kept from 0 and 1."""
    low, high = config.epsilon(), 1 - config.epsilon()
    return log(clip(divide(output, sum(output, axis=-1, keepdims=True)), low, high))


@composite(floats=True, accumulates=True, fresh=True)
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits=False, axis: Axis = -1):
    """The crossentropy between distributions along `axis`.

    Probabilities are scaled to sum to 1 and cut to [epsilon, 1 - epsilon] (`K.epsilon()`), eagerly and compiled alike:
    with the usual epsilon a sample costs 16.1 at most. Logits are not cut.

    Args:
        target: the distributions that are wanted, one-hot vectors for instance.
        output: the distributions that there are.
        from_logits: whether `output` holds scores before a softmax rather than probabilities.
        axis: the axis of the classes.

    Shape: (..., classes) twice -> (...).

    Source: Keras 2.3.1, `backend/tensorflow_backend.py`.

    Example:
        >>> K.categorical_crossentropy(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])).round(3)
        array([0.693])
    """
    axis = shapes.normalize_axis(axis, len(output.shape))
    if axis != len(output.shape) - 1:
        pattern = (*(i for i in range(len(output.shape)) if i != axis), axis)
        target, output = permute_dimensions(target, pattern), permute_dimensions(output, pattern)
    if from_logits:
        return softmax_crossentropy(output, target)
    logits = _argument_of("softmax", output)
    if logits is not None:
        return clipped_softmax_crossentropy(logits, target, _lowest_logarithm(logits.dtype))
    return negative(sum(multiply(target, _log_probabilities(output)), axis=-1))


@composite(promote=(), accumulates=True, fresh=True)
def sparse_categorical_crossentropy(target: Tensor, output: Tensor, from_logits=False, axis: Axis = -1):
    """`categorical_crossentropy` against class numbers `target` instead of vectors.

    Args:
        target: class numbers, integers or whole floats.
        output: the distributions that there are.
        from_logits: whether `output` holds scores before a softmax rather than probabilities.
        axis: the axis of the classes in `output`.

    Shape: target (...) or (..., 1), output (..., classes) -> (...).

    Raises:
        ShapeError: the shapes do not fit; one-hot targets want `categorical_crossentropy`.

    Source: Keras 2.3.1, `backend/tensorflow_backend.py`.

    Example:
        >>> K.sparse_categorical_crossentropy(np.array([1]), np.array([[0.5, 0.5]])).round(3)
        array([0.693])
    """
    axis = shapes.normalize_axis(axis, len(output.shape))
    if axis != len(output.shape) - 1:
        output = permute_dimensions(output, (*(i for i in range(len(output.shape)) if i != axis), axis))
    if len(target.shape) == len(output.shape) and target.shape[-1] in (1, None):
        target = squeeze(target, axis=-1)
    if len(target.shape) != len(output.shape) - 1:
        raise ShapeError(
            f"sparse_categorical_crossentropy: class numbers of shape {tuple(target.shape)} do not fit outputs of "
            f"shape {tuple(output.shape)}. Expected the same shape without the last axis; one-hot targets want "
            "categorical_crossentropy."
        )
    logits = output if from_logits else _argument_of("softmax", output)
    scores = _log_probabilities(output) if logits is None else log_softmax(logits)
    chosen = take_along_axis(scores, expand_dims(cast(target, "int64"), axis=-1), axis=-1)
    if logits is not None and not from_logits:
        chosen = maximum(chosen, _lowest_logarithm(logits.dtype))
    return negative(squeeze(chosen, axis=-1))


@composite(floats=True, fresh=True, light=True)
def binary_crossentropy(target: Tensor, output: Tensor, from_logits=False):
    """The crossentropy of independent probabilities, element by element.

    Probabilities are cut so that neither they nor what is left to 1 is less than twice epsilon (`K.epsilon()`), eagerly
    and compiled alike: with the usual epsilon an element costs 15.4 at most. Logits are not cut.

    Args:
        target: the probabilities that are wanted, mostly 0 and 1.
        output: the probabilities that there are.
        from_logits: whether `output` holds scores before a sigmoid rather than probabilities.

    Shape: as the broadcast of target and output.

    Source: tf_keras 2.21, `backend.py`, for the greatest cost: it cuts at epsilon and adds epsilon to what it takes the
        logarithm of. In between there is nothing added here, as in Keras 2.3.1 and 3, which cut at epsilon.

    Example:
        >>> K.binary_crossentropy(np.array([1.0, 0.0]), np.array([0.5, 0.5])).round(3)
        array([0.693, 0.693])
    """
    if from_logits:
        return sigmoid_crossentropy(output, target)
    logits = _argument_of("sigmoid", output)
    if logits is not None:
        return clipped_sigmoid_crossentropy(logits, target, *_bounds_of_logits(logits.dtype))
    return clipped_binary_crossentropy(output, target, *_least_and_rest(output.dtype))


# Biases --------------------------------------------------------------------------------------------------------


@composite
def bias_add(x: Tensor, bias: Tensor, data_format=None):
    """`x + bias`, the bias along the channel axis.

    Args:
        x: a tensor with a batch axis.
        bias: a vector over the channels, or a tensor with all axes of x but the batch.
        data_format: where the channels are: 'channels_last', 'channels_first', or None for the configured default.

    Shape: x (batch, ..., channels) or (batch, channels, ...); bias (channels,) or x.shape[1:].

    Raises:
        ShapeError: the bias has another number of dimensions.

    Example:
        >>> K.bias_add(np.array([[1.0, 2.0]]), np.array([10.0, 20.0])).tolist()
        [[11.0, 22.0]]
    """
    data_format = config.normalize_data_format(data_format)
    given, nx, nb = bias.shape, len(x.shape), len(bias.shape)
    if nb not in (1, nx - 1):
        shape, own = tuple(x.shape), tuple(bias.shape)
        raise ShapeError(f"bias_add: a bias of shape {own} fits neither 1 nor {nx - 1} dimensions of {shape}.")
    if data_format == "channels_first" and nx > 2:
        if nb == 1:
            bias = reshape(bias, (1, bias.shape[0], *(1,) * (nx - 2)))
        else:
            bias = expand_dims(permute_dimensions(bias, (nb - 1, *range(nb - 1))), axis=0)
    pairs = zip(x.shape[::-1], bias.shape[::-1], strict=False)
    if not all(b in (1, None) or n is None or n == b for n, b in pairs):
        raise ShapeError(
            f"bias_add: a bias of shape {given} does not fit {x.shape}. A bias of several axes has the channels last, "
            "whatever the format of x."
        )
    return add(x, bias)


# Normalization -------------------------------------------------------------------------------------------------


@composite(floats=True, fresh=True)
def batch_normalization(
    x: Tensor, mean: Tensor, var: Tensor, beta: Maybe = None, gamma: Maybe = None, axis=-1, epsilon=1e-3
):
    """`gamma * (x - mean) / sqrt(var + epsilon) + beta`, with statistics that are given.

    Args:
        x: a tensor.
        mean: the mean along `axis`, or of the rank of x.
        var: the variance, likewise.
        beta: the shift, None for none.
        gamma: the scale, None for none.
        axis: the axis of the features.
        epsilon: keeps the root from 0.

    Returns: a float tensor of the shape of x.

    Source: Ioffe & Szegedy (2015).

    Example:
        >>> mean, variance = np.array([4.0]), np.array([1.0])
        >>> print(np.asarray(K.batch_normalization(np.array([[3.0], [5.0]]), mean, variance)).round(3))
        [[-1.]
         [ 1.]]
    """
    mean, var, beta, gamma = (_along(t, x, axis) for t in (mean, var, beta, gamma))
    scale = rsqrt(add(var, epsilon))
    if gamma is not None:
        scale = multiply(scale, gamma)
    shift = multiply(mean, scale)
    shift = negative(shift) if beta is None else subtract(beta, shift)
    return add(multiply(x, scale), shift)


def _along(vector: Any, x: Any, axis: int) -> Any:
    """A vector shaped to broadcast along `axis` of x."""
    place = shapes.normalize_axis(axis, len(x.shape))
    if vector is None or len(vector.shape) != 1 or place == len(x.shape) - 1:
        return vector
    return reshape(vector, (-1, *(1,) * (len(x.shape) - 1 - place)))


@composite(floats=True, accumulates=True, fresh=True)
def moments(x: Tensor, axes: Axes, keepdims: Flag = False):
    """Mean and biased variance over `axes`. Floats of 16 bits are added up in float32.

    Args:
        x: a tensor; integers become floats first.
        axes: an axis or several.
        keepdims: whether the axes stay, with size 1.

    Returns: two float tensors, mean and variance.

    Example:
        >>> mean, variance = K.moments(np.array([[1.0, 2.0], [3.0, 6.0]]), axes=0)
        >>> mean.tolist(), variance.tolist()
        ([2.0, 4.0], [1.0, 4.0])
    """
    center = mean(x, axis=axes, keepdims=True)
    off = subtract(x, center)
    spread = mean(multiply(off, off), axis=axes, keepdims=keepdims)
    return (center if keepdims else mean(x, axis=axes)), spread


@composite(floats=True, accumulates=True, fresh=True)
def normalize_batch_in_training(x: Tensor, gamma: Maybe, beta: Maybe, reduction_axes: Axes, epsilon=1e-3):
    """Batch normalization with the statistics of this batch. Floats of 16 bits are added up in float32.

    Args:
        x: a tensor.
        gamma: the scale, None for none.
        beta: the shift, None for none.
        reduction_axes: the axes over which mean and variance are taken: all but that of the features.
        epsilon: keeps the root from 0.

    Shape: gamma, beta, mean and variance have the axes that are not reduced.

    Returns: (normalized, mean, biased variance).

    Source: Ioffe & Szegedy (2015); the signature is that of Keras 2.3.1.

    Example:
        >>> normed, mean, variance = K.normalize_batch_in_training(np.array([[1.0], [3.0]]), None, None, [0])
        >>> mean.tolist(), variance.tolist()
        ([2.0], [1.0])
    """
    axes = shapes.normalize_axes(reduction_axes, len(x.shape))
    center = mean(x, axis=axes, keepdims=True)
    off = subtract(x, center)
    spread = mean(multiply(off, off), axis=axes, keepdims=True)
    kept = tuple(d for i, d in enumerate(x.shape) if i not in axes)
    wide = tuple(1 if i in axes else _size(x, i) for i in range(len(x.shape)))
    scale = rsqrt(add(spread, epsilon))
    if gamma is not None:
        scale = multiply(scale, reshape(gamma, wide))
    normed = multiply(off, scale)
    if beta is not None:
        normed = add(normed, reshape(beta, wide))
    return normed, reshape(center, kept), reshape(spread, kept)


@composite(floats=True, accumulates=True, fresh=True)
def layer_normalization(x: Tensor, gamma: Maybe = None, beta: Maybe = None, axes: Axes = -1, epsilon=1e-3):
    """`x` centred and scaled over `axes` of each sample, then `* gamma + beta`.

    Args:
        x: a tensor.
        gamma: the scale, of the shape of those axes; None for none.
        beta: the shift, of the shape of those axes; None for none.
        axes: the axes over which mean and variance are taken.
        epsilon: keeps the root from 0.

    Returns: a float tensor of the shape of x.

    Source: Ba et al. (2016).

    Example:
        >>> print(np.asarray(K.layer_normalization(np.array([[1.0, 3.0], [0.0, 10.0]]))).round(3))
        [[-1.  1.]
         [-1.  1.]]
    """
    places = shapes.normalize_axes(axes, len(x.shape))
    off = subtract(x, mean(x, axis=places, keepdims=True))
    result = multiply(off, rsqrt(add(mean(multiply(off, off), axis=places, keepdims=True), epsilon)))
    wide = tuple(d if i in places else 1 for i, d in enumerate(x.shape))
    if gamma is not None:
        result = multiply(result, reshape(gamma, wide))
    return result if beta is None else add(result, reshape(beta, wide))


# Dropout -------------------------------------------------------------------------------------------------------


@composite(promote=(), pure=False, fresh=True, light=True)
def keep_mask(counter: Tensor, seed: Tensor, shape: Dims, rate, dtype: DType, stream):
    """Noise of 0 (with probability `rate`) and 1 / (1 - rate): what dropout multiplies with.

    Args:
        counter: the number of the step, which keys the noise.
        seed: the seed of the run or of the layer, an integer tensor.
        shape: that of the mask.
        rate: the probability of a 0, from 0 up to (not including) 1.
        dtype: that of the mask.
        stream: the number of this draw within a step.

    Returns: a tensor of that shape.

    Example:
        >>> sorted(set(K.keep_mask(np.int32(0), np.int32(1), (100,), 0.5, "float32", 0).tolist()))
        [0.0, 2.0]
    """
    drawn = dtypes.as_single(dtypes.as_float(dtype))  # 16 bits are too coarse for a share
    kept = greater_equal(uniform_noise(counter, seed, shape, drawn, stream), rate)
    return multiply(cast(kept, dtype), 1 / (1 - rate))


@explains_failures
def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """`x` with a part `level` of its elements set to 0 and the others scaled up to keep the mean.

    Args:
        x: a tensor.
        level: the probability with which an element becomes 0, from 0 up to (not including) 1.
        noise_shape: the shape of the mask, which is broadcast to x; None: as x.
        seed: an integer that fixes the mask apart from the run's seed.

    Returns: a tensor of the shape of x.

    Raises:
        ArgumentError: the level is out of range.
        ShapeError: `noise_shape` has another number of axes.

    Source: Srivastava et al. (2014).

    Example:
        >>> tuple(K.dropout(np.ones((2, 3)), 0.5).shape)
        (2, 3)
    """
    from keras_front.backend.ops import sampling

    if isinstance(level, str) or (isinstance(level, int | float) and not 0 <= level < 1):
        raise ArgumentError(f"dropout: expected a level from 0 up to (not including) 1, received {level!r}.")
    sizes = _sizes(x)
    if noise_shape is not None and len(noise_shape) != len(sizes):
        raise ShapeError(f"dropout: noise_shape {tuple(noise_shape)} has not the axes of {tuple(x.shape)}.")
    shape = tuple(sizes) if noise_shape is None else tuple(d if n is None else n for n, d in zip(noise_shape, sizes))
    dtype = x.dtype if isinstance(x.dtype, str) else dtypes.canonical(x.dtype)
    return multiply(x, keep_mask(*sampling.key(seed), shape, float(level), dtype, sampling.stream(shape)))
