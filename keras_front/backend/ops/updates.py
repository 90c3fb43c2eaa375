"""What optimizers do to all weights at once: list-wise composites, which an adapter overrides with one fused kernel.

Each takes lists of tensors of equal length and returns new lists in the same order.
"""

from __future__ import annotations

from typing import Any

from keras_front.backend.declare import Tensor, Tensors, composite
from keras_front.backend.ops.elementwise import add, cast, divide, maximum, multiply, power, square_root, subtract


def _rate(lr: Any, like: Any) -> Any:
    return cast(lr, like.dtype)


@composite(
    promote=(), replaces=("params", "moments"), results=lambda params, grads, moments, lr, **_: (params, moments)
)
def sgd_update(params: Tensors, grads: Tensors, moments: Tensors, lr: Tensor, momentum=0.0, nesterov=False):
    """A step of gradient descent for all weights at once.

    `v = momentum * v - lr * g; p = p + v`, with `nesterov` `p = p + momentum * v - lr * g`.

    Args:
        params: the weights.
        grads: the gradient of each.
        moments: v for each weight; an empty list without momentum.
        lr: the learning rate, a scalar tensor.
        momentum: which part of the last step is kept.
        nesterov: whether the gradient is taken where the momentum leads.

    Returns: (params, moments), lists of new tensors.

    Source: Sutskever et al. (2013).

    Example:
        >>> params, moments = K.sgd_update([np.ones(2)], [np.ones(2)], [], 0.5)
        >>> params[0].tolist()
        [0.5, 0.5]
    """
    if not moments:
        return [subtract(p, multiply(_rate(lr, p), g)) for p, g in zip(params, grads, strict=True)], []
    new_params, new_moments = [], []
    for p, g, m in zip(params, grads, moments, strict=True):
        step = multiply(_rate(lr, p), g)
        v = subtract(multiply(m, momentum), step)
        new_moments.append(v)
        new_params.append(add(p, subtract(multiply(v, momentum), step) if nesterov else v))
    return new_params, new_moments


@composite(
    promote=(), replaces=("params", "squares"), results=lambda params, grads, squares, lr, **_: (params, squares)
)
def rmsprop_update(params: Tensors, grads: Tensors, squares: Tensors, lr: Tensor, rho=0.9, epsilon=1e-7):
    """A step of RMSprop for all weights at once.

    `a = rho * a + (1 - rho) * g^2; p = p - lr * g / (sqrt(a) + epsilon)`.

    Args:
        params: the weights.
        grads: the gradient of each.
        squares: a for each weight.
        lr: the learning rate, a scalar tensor.
        rho: which part of the mean square is kept.
        epsilon: keeps the division from 0.

    Returns: (params, squares), lists of new tensors.

    Source: Tieleman & Hinton (2012), lecture 6e.

    Example:
        >>> params, squares = K.rmsprop_update([np.ones(2)], [np.ones(2)], [np.zeros(2)], 0.1)
        >>> params[0].round(3), squares[0].round(3)
        (array([0.684, 0.684]), array([0.1, 0.1]))
    """
    new_params, new_squares = [], []
    for p, g, a in zip(params, grads, squares, strict=True):
        a = add(multiply(a, rho), multiply(multiply(g, g), 1 - rho))
        new_squares.append(a)
        new_params.append(subtract(p, divide(multiply(_rate(lr, p), g), add(square_root(a), epsilon))))
    return new_params, new_squares


@composite(
    promote=(),
    replaces=("params", "ms", "vs", "vhats"),
    results=lambda params, grads, ms, vs, vhats, lr, t, **_: (params, ms, vs, vhats),
)
def adam_update(
    params: Tensors, grads: Tensors, ms: Tensors, vs: Tensors, vhats: Tensors, lr: Tensor, t: Tensor,
    beta_1=0.9, beta_2=0.999, epsilon=1e-7,
):  # fmt: skip
    """A step of Adam for all weights at once; with a list of `vhats` of AMSGrad.

    Args:
        params: the weights.
        grads: the gradient of each.
        ms: the running mean of each gradient.
        vs: the running mean of each squared gradient.
        vhats: the largest v so far for each weight; an empty list for plain Adam.
        lr: the learning rate, a scalar tensor.
        t: the number of the step, from 1.
        beta_1: which part of a mean is kept.
        beta_2: which part of a mean square is kept.
        epsilon: keeps the division from 0; it is added to the root of the uncorrected mean square.

    Returns: (params, ms, vs, vhats), lists of new tensors.

    Source: Kingma & Ba (2015), algorithm 1 in the efficient order of section 2; Reddi et al. (2018).

    Example:
        >>> params, *means = K.adam_update([np.ones(2)], [np.ones(2)], [np.zeros(2)], [np.zeros(2)], [], 0.1, 1)
        >>> params[0].round(3)
        array([0.9, 0.9])
    """
    new: tuple[list[Any], ...] = ([], [], [], [])
    for i, (p, g, m, v) in enumerate(zip(params, grads, ms, vs, strict=True)):
        time = cast(t, p.dtype)
        rate = divide(square_root(subtract(1, power(beta_2, time))), subtract(1, power(beta_1, time)))
        rate = multiply(_rate(lr, p), rate)
        m = add(multiply(m, beta_1), multiply(g, 1 - beta_1))
        v = add(multiply(v, beta_2), multiply(multiply(g, g), 1 - beta_2))
        top = v
        if vhats:
            top = maximum(vhats[i], v)
            new[3].append(top)
        new[0].append(subtract(p, divide(multiply(rate, m), add(square_root(top), epsilon))))
        new[1].append(m)
        new[2].append(v)
    return new
