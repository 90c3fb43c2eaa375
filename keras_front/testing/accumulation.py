"""Sums so long that floats of 16 bits cannot hold them on the way: they have to be accumulated in float32.

Added one by one in float16, numbers around a half stop growing near 1024, in bfloat16 near 128. The truth is the
reference in float64 on the same rounded arguments, and for gradients what the backend itself gives in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery
from keras_front.testing import formulas as f
from keras_front.testing import reference as ref
from keras_front.testing import tolerances, values
from keras_front.testing.case import Case
from keras_front.testing.selection import reduced, some

RNG = np.random.default_rng(11)
ULPS = 16.0  # of the largest result; what is added up in 16 bits is hundreds of them away

TALL = RNG.uniform(0.25, 1.0, (6000, 3))
WIDE = np.ascontiguousarray(TALL.T)
CHANCES = TALL / TALL.sum(0)
PAIRS = np.exp(RNG.uniform(-3, 3, (2000, 1)) * [[1.0, -1.0]]).reshape(-1, 1)
IMAGE = RNG.uniform(0.25, 1.0, (1, 40, 40, 2))
BATCH = RNG.uniform(0.25, 1.0, (8, 28, 28, 2))
FILTERS = RNG.uniform(0.25, 1.0, (40, 40, 2, 2))
HOT = np.eye(6000)[[7, 5000, 3]]


def _reduced(fn: Any) -> list[Case]:
    return [
        Case(TALL, reference=fn, grads=(0,), axis=0, keepdims=False),
        Case(WIDE, reference=fn, grads=(0,), axis=-1, keepdims=True),
        Case(IMAGE * 1.0, reference=fn, grads=(0,), axis=(0, 1, 2), keepdims=False),
    ]


def _batch(x: np.ndarray, *_: Any, **__: Any) -> Any:
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) / np.sqrt(var + 1e-3), mean, var


_POOL: dict[str, Any] = {"pool_size": (40, 40), "strides": (1, 1), "padding": "valid", "data_format": "channels_last"}
_CONV: dict[str, Any] = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "groups": 1}

LONG: dict[str, list[Case]] = {
    **{op: _reduced(ref.reduced(getattr(np, op))) for op in ("sum", "mean", "var", "std")},
    "logsumexp": _reduced(lambda x, axis, keepdims: np.log(np.exp(x).sum(axis, keepdims=keepdims))),
    "norm": [Case(TALL, reference=lambda x, axis: np.sqrt((x * x).sum(axis)), grads=(0,), axis=0)],
    "prod": [Case(PAIRS * 1.0, reference=lambda x, axis: x.prod(axis), axis=0)],
    "cumsum": [Case(TALL, reference=np.cumsum, grads=(0,), axis=0)],
    "cumprod": [Case(PAIRS * 1.0, reference=np.cumprod, axis=0)],
    "l2_normalize": [Case(TALL, reference=lambda x, axis: x / np.sqrt((x * x).sum(axis)), grads=(0,), axis=0)],
    "softmax": [Case(TALL * 9, reference=f.softmax, grads=(0,), axis=0)],
    "log_softmax": [Case(TALL, reference=f.log_softmax, grads=(0,), axis=0)],
    "softmax_crossentropy": [
        Case(WIDE, CHANCES.T * 1.0, reference=lambda z, t: -(t * f.log_softmax(z)).sum(-1), grads=(0,))
    ],
    "clipped_softmax_crossentropy": [
        Case(
            WIDE,
            CHANCES.T * 1.0,
            reference=f.clipped_softmax_crossentropy,
            grads=(0,),
            lowest=-16.0,
        )
    ],
    "categorical_crossentropy": [
        Case(CHANCES.T * 1.0, WIDE, reference=f.categorical_crossentropy, grads=(1,), axis=-1)
    ],
    "sparse_categorical_crossentropy": [
        Case(np.array([7, 5000, 3]), WIDE, reference=f.sparse_categorical_crossentropy, grads=(1,), axis=-1)
    ],
    "moments": [Case(TALL, reference=lambda x, axes: (x.mean(0), x.var(0)), grads=(0,), axes=(0,))],
    "normalize_batch_in_training": [
        Case(BATCH, None, None, reference=_batch, grads=(0,), reduction_axes=(0, 1, 2)),
    ],
    "layer_normalization": [Case(WIDE, reference=f.layer_normalization, grads=(0,), axes=(-1,))],
    "group_normalization": [Case(IMAGE, reference=f.group_normalization, grads=(0,), groups=1)],
    "average_pool": [Case(IMAGE, reference=ref.average_pool, grads=(0,), **_POOL)],
    "average_pool_gradient": [
        Case(
            RNG.uniform(0.25, 1.0, (1, 41, 41, 1)),
            reference=ref.average_pool_gradient,
            input_shape=(1, 80, 80, 1),
            **_POOL,
        )
    ],
    "scatter_add": [Case(TALL, np.zeros(6000, "int64"), reference=ref.scatter_add, grads=(0,), size=2, axis=0)],
    "gather": [Case(WIDE[:, :2] * 1.0, np.zeros(6000, "int64"), reference=np.take, grads=(0,), axis=0)],
    "matmul": [Case(a, b, reference=np.matmul, grads=(0, 1)) for a, b in ((WIDE, TALL), (TALL, WIDE[:, :9]))],
    "add": [Case(TALL, TALL[0], reference=np.add, grads=(0, 1))],
    "multiply": [Case(TALL, TALL[0], reference=np.multiply, grads=(0, 1))],
    "bias_add": [Case(TALL, TALL[0], reference=lambda x, b: x + b, grads=(0, 1))],
    "linear": [Case(TALL, np.ones((3, 2)), np.ones(2), reference=lambda x, k, b: x @ k + b, grads=(0, 1, 2))],
    "conv": [
        Case(IMAGE, FILTERS, reference=ref.conv, grads=(0, 1), **_CONV),
        Case(BATCH, FILTERS[:1, :1] * 1.0, reference=ref.conv, grads=(0, 1), **_CONV),
    ],
}  # fmt: skip


def accumulation(op: str, cases: Sequence[Case]) -> None:
    """Long sums in float16 and bfloat16: values eager and compiled, and gradients.

    Raises: LookupError if an op is declared to accumulate and has no case here.
    """
    if declare.OPS[op].facts.accumulates and op not in LONG:
        raise LookupError(f"{op} accumulates, and has no case in `accumulation.LONG`.")
    for dtype in ("float16", "bfloat16"):
        for case in some(LONG.get(op, ()), 1) if values.supports(dtype) else ():
            _values(op, case, dtype)
            _gradients(op, case, dtype)


def _values(op: str, case: Case, dtype: str) -> None:
    args = values._lowered(case, dtype)
    found = {"compiled": values.together(op, [case], [args])[0]}
    if not reduced():
        found["eager"] = values.call(op, args, case)
    for how, got in found.items():
        _close(values._distance(op, case, got, args, dtype), f"{case!r}, {how}, {dtype}")


def _gradients(op: str, case: Case, dtype: str) -> None:
    """Gradients of the sum of the results, in 16 bits and in float64 on the same rounded arguments."""
    if not case.grads:
        return
    args = values._lowered(case, dtype)
    wide = values.apply(_doubled, args)
    for place, got, want in zip(case.grads, _flows(op, case, args), _flows(op, case, wide), strict=True):
        apart = tolerances.distance(K.to_numpy(got), K.to_numpy(want), dtype, of_largest=True)
        _close(apart, f"{case!r}, gradient {place}, {dtype}")


def _doubled(tensor: Any) -> Any:
    array = np.asarray(K.to_numpy(tensor))
    return discovery.active().asarray(array if array.dtype.kind in "iu" else array.astype("float64"))


def _flows(op: str, case: Case, args: list[Any]) -> list[Any]:
    def loss(given: list[Any]) -> Any:
        whole = list(args)
        for place, value in zip(case.grads, given, strict=True):
            whole[place] = value
        result = values.call(op, whole, case)[0]
        weights = np.linspace(0.5, 1.0, int(np.prod(result.shape))).reshape(tuple(result.shape))
        return K.sum(K.multiply(K.cast(result, "float64"), weights)), []

    given = [args[place] for place in case.grads]
    return K.compile(lambda given: K.value_and_grad(loss, given))(given)[1]


def _close(apart: float, what: str) -> None:
    if not apart <= ULPS:
        raise AssertionError(f"{what}: {apart:.3g} ulps from float64, allowed are {ULPS:g}: not added up in float32")
