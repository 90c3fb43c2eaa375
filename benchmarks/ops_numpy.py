"""Ops of K beside the NumPy expression that a user would write for the same: what `ops.py` compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Case = tuple[str, Callable[..., Any], Callable[..., Any], tuple[str, ...]]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def logsumexp(x: Any) -> Any:
    top = x.max(-1, keepdims=True)
    return (np.log(np.exp(x - top).sum(-1, keepdims=True)) + top)[..., 0]


def l2_normalize(x: Any) -> Any:
    return x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), 1e-12))


def layer_norm(x: Any, v: Any) -> Any:
    off = x - x.mean(-1, keepdims=True)
    return off / np.sqrt((off * off).mean(-1, keepdims=True) + 1e-3) * v + v


def batch_norm(x: Any, v: Any) -> Any:
    return (x - v) / np.sqrt(v * v + 1e-3) * v + v


def categorical(y: Any, p: Any) -> Any:
    return -(y * np.log(np.clip(p / p.sum(-1, keepdims=True), 1e-7, 1 - 1e-7))).sum(-1)


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def one_hot(i: Any) -> Any:
    return np.eye(10, dtype="float32")[i]


def cases(K: Any) -> list[Case]:
    """(name, in K, in NumPy, the arrays): x, y of floats, p positive, b of bools, i of indices, v a row of floats."""
    one: list[Case] = [
        (name, getattr(K, name), getattr(np, name), (on,))
        for name, on in [
            ("exp", "x"), ("log", "p"), ("sqrt", "p"), ("tanh", "x"), ("sin", "x"), ("cos", "x"), ("abs", "x"),
            ("sign", "x"), ("square", "x"), ("floor", "x"), ("round", "x"), ("expm1", "x"), ("log1p", "p"),
            ("transpose", "x"), ("isnan", "x"), ("isfinite", "x"), ("zeros_like", "x"), ("ones_like", "x"),
        ]
    ]  # fmt: skip
    two: list[Case] = [
        (name, getattr(K, name), getattr(np, name), ("x", "y"))
        for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "equal", "less", "dot", "matmul")
    ]
    reductions = [
        reduction(K, name, axis, where)
        for name in ("sum", "mean", "max", "min", "prod", "var", "std", "cumsum", "argmax")
        for axis, where in ((-1, "rows"), (0, "columns"))
    ]
    reductions += [(f"{name} of all", getattr(K, name), getattr(np, name), ("x",)) for name in ("sum", "mean", "max")]
    return one + two + reductions + composed(K)


def reduction(K: Any, name: str, axis: int, where: str) -> Case:
    ours, plain = getattr(K, name), getattr(np, name)
    return f"{name} of {where}", lambda x: ours(x, axis=axis), lambda x: plain(x, axis=axis), ("x",)


def composed(K: Any) -> list[Case]:
    """Ops for which NumPy needs an expression."""
    return [
        ("negative", K.negative, lambda x: -x, ("x",)),
        ("power 3", lambda x: K.pow(x, 3), lambda x: x**3, ("x",)),
        ("clip", lambda x: K.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), ("x",)),
        ("where", K.where, np.where, ("b", "x", "y")),
        ("cast", lambda x: K.cast(x, "float64"), lambda x: x.astype("float64"), ("x",)),
        ("relu", K.relu, lambda x: np.maximum(x, 0), ("x",)),
        ("leaky relu", lambda x: K.relu(x, alpha=0.1), lambda x: np.where(x > 0, x, 0.1 * x), ("x",)),
        ("elu", K.elu, lambda x: np.where(x > 0, x, np.expm1(x)), ("x",)),
        ("sigmoid", K.sigmoid, sigmoid, ("x",)),
        ("hard_sigmoid", K.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1), ("x",)),
        ("softplus", K.softplus, lambda x: np.logaddexp(x, 0), ("x",)),
        ("softsign", K.softsign, lambda x: x / (1 + np.abs(x)), ("x",)),
        ("silu", K.silu, lambda x: x * sigmoid(x), ("x",)),
        ("gelu, tanh", lambda x: K.gelu(x, approximate=True), gelu, ("x",)),
        ("softmax", K.softmax, softmax, ("x",)),
        ("log_softmax", K.log_softmax, lambda x: x - logsumexp(x)[..., None], ("x",)),
        ("logsumexp", lambda x: K.logsumexp(x, axis=-1), logsumexp, ("x",)),
        ("l2_normalize", lambda x: K.l2_normalize(x, axis=-1), l2_normalize, ("x",)),
        ("bias_add", K.bias_add, lambda x, v: x + v, ("x", "v")),
        ("layer_normalization", lambda x, v: K.layer_normalization(x, v, v), layer_norm, ("x", "v")),
        ("batch_normalization", lambda x, v: K.batch_normalization(x, v, v * v, v, v), batch_norm, ("x", "v")),
        ("categorical_crossentropy", K.categorical_crossentropy, categorical, ("p", "p")),
        ("gather rows", K.gather, lambda x, i: x[i], ("x", "i")),
        ("one_hot", lambda i: K.one_hot(i, 10), one_hot, ("digits",)),
        ("reshape", lambda x: K.reshape(x, (-1, 4)), lambda x: x.reshape(-1, 4), ("x",)),
        ("expand_dims", lambda x: K.expand_dims(x, 1), lambda x: x[:, None], ("x",)),
        ("concatenate", lambda x, y: K.concatenate([x, y], 0), lambda x, y: np.concatenate([x, y], 0), ("x", "y")),
        ("stack", lambda x, y: K.stack([x, y]), lambda x, y: np.stack([x, y]), ("x", "y")),
        ("tile", lambda x: K.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1)), ("x",)),
        ("repeat_elements", lambda x: K.repeat_elements(x, 2, 0), lambda x: np.repeat(x, 2, 0), ("x",)),
        ("reverse", lambda x: K.reverse(x, 0), lambda x: x[::-1], ("x",)),
        ("slice", lambda x: x[:4, ::2], lambda x: x[:4, ::2], ("x",)),
        ("sort", lambda x: K.sort(x, axis=-1), lambda x: np.sort(x, -1), ("x",)),
        ("argsort", lambda x: K.argsort(x, axis=-1), lambda x: np.argsort(x, -1, kind="stable"), ("x",)),
        ("einsum", lambda x, y: K.einsum("ij,kj->ik", x, y), lambda x, y: np.einsum("ij,kj->ik", x, y), ("x", "y")),
        ("any", K.any, np.any, ("b",)),
    ]


def arrays(side: int) -> dict[str, np.ndarray]:
    """What the cases are called with: matrices of `side` by `side`."""
    draw = np.random.default_rng(0)
    x, y = (draw.standard_normal((side, side), dtype="float32") for _ in range(2))
    return {
        "x": x, "y": y, "p": np.abs(x) + 0.1, "b": x > 0, "v": y[0].copy(), "i": draw.integers(0, side, side),
        "digits": draw.integers(0, 10, side * 8),
    }  # fmt: skip
