"""What processes that share a batch tell each other; see `keras_front.backend.replicas`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front.backend import dtypes, replicas, shapes
from keras_front.backend.declare import Tensor, Tensors, composite, primitive
from keras_front.backend.ops.arrangement import expand_dims, ones_like, reshape, stack, strided_slice
from keras_front.backend.ops.elementwise import add, cast, divide, identity, maximum, multiply, rsqrt, subtract
from keras_front.backend.ops.reduction import mean, sum
from keras_front.errors import BackendError


def _alone(where: str, shares: int) -> None:
    if shares != 1:
        raise BackendError(
            f"K.{where}: the active backend does not connect processes; expected shares=1, received {shares}. "
            "Use the torch or the tensorflow backend, or JAX, which divides a batch without it."
        )


@composite(promote=(), pure=False, results=lambda tensors, **_: list(tensors))
def replica_mean(tensors: Tensors, shares=1):
    """Each tensor averaged over the processes that share a batch, in one reduction for each dtype.

    It is for gradients and state: no gradient flows through it.

    Args:
        tensors: float tensors, of the same shapes in every process.
        shares: how many processes there are; all of them call it.

    Returns: a list of tensors; with one process `tensors` themselves.

    Raises: BackendError if the backend does not connect processes.

    Example:
        >>> float(K.replica_mean([K.constant(2.0)])[0])
        2.0
    """
    _alone("replica_mean", shares)
    return [identity(t) for t in tensors]


@primitive(shapes.replica_gather, pure=False)
def replica_gather(x: Tensor, shares=1, rank=0):
    """The tensors of all processes that share a batch, one behind the other along the first axis.

    Args:
        x: a tensor of the same shape in every process, with at least one axis.
        shares: how many processes there are; all of them call it.
        rank: the number of this one.

    Returns: a tensor whose first axis is `shares` times as long.

    Raises: BackendError if the backend does not connect processes.

    Example:
        >>> K.replica_gather(K.constant([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """


def normalized_batch(x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float, mask: Any = None) -> Any:
    """Batch normalization in training, over the processes that share the batch if there are such.

    Args:
        x: a tensor.
        gamma: the scale, None for none.
        beta: the shift, None for none.
        axes: the axes over which mean and variance are taken.
        epsilon: keeps the root from 0.
        mask: which places count: bool, of the first axes of `x`; None for all.

    Returns: (normalized, mean, biased variance).
    """
    from keras_front.backend.ops.neural import normalize_batch_in_training

    own = replicas.division()
    if own is not None and (own.shares == 1 or not own.group.distribution.sync_batch_statistics):
        own = None
    if own is None and mask is None:
        return normalize_batch_in_training(x, gamma, beta, axes, epsilon=epsilon)
    dtype = x.dtype if isinstance(x.dtype, str) else dtypes.canonical(x.dtype)
    x, gamma, beta = (None if t is None else cast(t, dtypes.as_single(dtype)) for t in (x, gamma, beta))
    axes = shapes.normalize_axes(axes, len(x.shape))
    kept = tuple(d for i, d in enumerate(x.shape) if i not in axes)
    wide = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    center, spread = _moments(own, x, axes) if mask is None else _moments_of_kept(own, x, axes, mask)
    scale = rsqrt(add(spread, epsilon))
    scale = scale if gamma is None else multiply(scale, reshape(gamma, kept))
    normed = multiply(subtract(x, reshape(center, wide)), reshape(scale, wide))
    normed = normed if beta is None else add(normed, reshape(beta, wide))
    return [cast(t, dtype) for t in (normed, center, spread)]


def _moments(own: Any, x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and variance of the whole batch follow from those of its parts, which are as large as each other.

    Source: Chan et al. (1983), equation 2.1, for parts of one size.
    """
    kept = tuple(d for i, d in enumerate(x.shape) if i not in axes)
    own_mean = mean(x, axis=axes)
    off = subtract(x, mean(x, axis=axes, keepdims=True))
    own_spread = mean(multiply(off, off), axis=axes)
    parts = stack([stack([own_mean, own_spread])])  # (1, 2, features)
    parts = replica_gather(parts, shares=own.shares, rank=own.group.rank)
    rest, ones = (None,) * len(kept), (1,) * (len(kept) + 2)
    halves = (strided_slice(parts, (None, i, *rest), (None, i + 1, *rest), ones) for i in (0, 1))
    means, spreads = (reshape(half, (own.shares, *kept)) for half in halves)
    center = mean(means, axis=0)
    away = subtract(means, center)
    return center, mean(add(spreads, multiply(away, away)), axis=0)


def _moments_of_kept(own: replicas.Division | None, x: Any, axes: tuple[int, ...], mask: Any) -> tuple[Any, Any]:
    """Mean and variance of the places that a mask keeps; 0 if there are none.

    Source: tf_keras 2.21 and Keras 3.15, `BatchNormalization`.
    """

    def total(tensor: Any) -> Any:
        part = sum(tensor, axis=axes, keepdims=True)
        if own is None:
            return part
        parts = replica_gather(reshape(part, (1, *part.shape)), shares=own.shares, rank=own.group.rank)
        return sum(parts, axis=0)

    kept = cast(mask, x.dtype if isinstance(x.dtype, str) else dtypes.canonical(x.dtype))
    for _ in range(len(x.shape) - len(mask.shape)):
        kept = expand_dims(kept)
    kept = multiply(ones_like(x), kept)
    count = maximum(total(kept), 1.0)
    center = divide(total(multiply(x, kept)), count)
    off = multiply(subtract(x, center), kept)
    spread = divide(total(multiply(off, off)), count)
    return _flat(center, axes), _flat(spread, axes)


def _flat(moment: Any, axes: tuple[int, ...]) -> Any:
    return reshape(moment, tuple(d for i, d in enumerate(moment.shape) if i not in axes))


def averaged(x: Any) -> Any:
    """A scalar averaged over the processes that share the batch; itself without such.

    Args:
        x: a tensor of shape ().
    """
    own = replicas.division()
    if own is None or own.shares == 1:
        return x
    return mean(replica_gather(reshape(x, (1,)), shares=own.shares, rank=own.group.rank))


def of_whole_batch(loss: Any, is_sum: bool) -> Any:
    """A loss on a part of a batch, so that the average over the processes is that on the whole batch.

    Args:
        loss: a scalar.
        is_sum: whether it is a sum over samples, not a mean.
    """
    return loss * float(replicas.shares()) if is_sum and replicas.shares() > 1 else loss


def part_of_batch(x: Any) -> Any:
    """A number for a batch, so that the sum over the processes that share the batch counts as one.

    Args:
        x: a scalar.
    """
    return x if replicas.shares() == 1 else x / float(replicas.shares())


def mean_gradients(grads: Sequence[Any]) -> Sequence[Any]:
    """Gradients for the whole batch, of gradients for the part of it that this process computes.

    Args:
        grads: tensors; None where there is no gradient.

    Returns: as many; the same ones without processes that share a batch, and where that was done before.
    """
    own = replicas.division()
    if own is None or own.settled:
        return grads
    means = iter(replica_mean([g for g in grads if g is not None], shares=own.group.processes))
    return [None if g is None else next(means) for g in grads]
