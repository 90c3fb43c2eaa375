"""Bounds on the norms of gradients."""

from __future__ import annotations

from typing import Any

from keras_front import backend as K


def joint_norm(grads: list[Any]) -> Any:
    """The Euclidean norm of all elements of these gradients; 0 for none."""
    total = K.sum(K.square(grads[0])) if grads else 0.0
    for g in grads[1:]:
        total = total + K.sum(K.square(g))
    return K.square_root(total)


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """A gradient scaled down to a norm.

    Args:
        g: the gradient.
        c: the norm that it may have; 0 or less for any.
        n: the norm that it has, or that it has together with others.

    Example:
        >>> K.to_numpy(clip_norm(K.constant([0.0, 5.0]), 1.0, 5.0)).tolist()
        [0.0, 1.0]
    """
    if c <= 0:
        return g
    return g * (c / K.maximum(n, c))
