"""Composites that take fewer NumPy calls than their bodies when they run op by op.

Programs are written from the bodies in K, which the planner joins and runs in memory laid out beforehand; so these
methods stand for eager calls alone (`Backend.expanded`), and have to give the same numbers. A temporary array is
written over where it is nobody else's: an array that leaves the cache costs more than the arithmetic on it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import dtypes, shapes
from keras_front.backend.adapter import Backend

from .errstate import without_warnings
from .kernels import elementwise

_COMPOSITES: Any = Backend  # whose methods are the bodies in K
_NUMBERS = (int, float)
_SMALL = 1 << 16  # products of an einsum that take less time than its plan
_sum: Any = np.add.reduce
_max: Any = np.maximum.reduce


def _over(ufunc: Any, x: Any) -> Any:
    """`ufunc(x)` written over x, unless x is a scalar."""
    return ufunc(x, x) if x.__class__ is np.ndarray else ufunc(x)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = shapes.normalize_axes(axis, x.ndim)
    n = math.prod([x.shape[a] for a in axes])
    total = _sum(x, axes, x.dtype, None, keepdims)
    total = np.multiply(total, x.dtype.type(1 / n)) if n else np.divide(total, x.dtype.type(0))
    return total


def _var(x: Any, axis: Any, keepdims: bool) -> Any:
    off = x - _mean(x, axis, True)
    off *= off
    return _mean(off, axis, keepdims)


def _normalized(x: Any, axes: Any, epsilon: float) -> Any:
    off = x - _mean(x, axes, True)
    spread = _mean(off * off, axes, True)
    spread += x.dtype.type(epsilon)
    off *= 1 / _over(np.sqrt, spread)
    return off


def _top(x: Any, axis: Any) -> Any:
    """The maximum along an axis, which stays; -inf where there is nothing along it. Raises: ShapeError for no axis."""
    axes = shapes.normalize_axes(axis, x.ndim)  # of a tensor without axes NumPy takes 0 and -1
    return _max(x, axes, None, None, True, x.dtype.type(-np.inf))


def _log_softmax(x: Any, axis: Any) -> Any:
    shifted = x - (_max(x, axis, None, None, True) if x.size and x.ndim else _top(x, axis))
    shifted -= np.log(_sum(np.exp(shifted), axis, x.dtype, None, True))
    return shifted


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    axes = shapes.normalize_axes(axis, x.ndim)
    top = _max(x, axes, None, None, True) if x.size else _top(x, axes)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    raised = x - top
    result = np.log(_sum(_over(np.exp, raised), axes, x.dtype, None, True))
    result += top
    return result if keepdims else result.reshape([d for i, d in enumerate(x.shape) if i not in axes])


class Eager:
    """The methods; `NumpyBackend` inherits them."""

    def clip(self, x: Any, *, min_value: Any = None, max_value: Any = None) -> Any:
        plain = x.dtype.kind == "f" and min_value.__class__ in _NUMBERS and max_value.__class__ in _NUMBERS
        if not plain:
            return _COMPOSITES.clip(x, min_value=min_value, max_value=max_value)
        kind = x.dtype.type
        return x.clip(kind(min_value), kind(max(min_value, max_value)))

    def rsqrt(self, x: Any) -> Any:
        return _RSQRT(x)

    def square(self, x: Any) -> Any:
        return np.multiply(x, x)

    def sqrt(self, x: Any) -> Any:
        return _over(np.sqrt, np.maximum(x, x.dtype.type(0)))

    def softplus(self, x: Any) -> Any:
        result = _over(np.negative, np.abs(x))
        result = _over(np.log1p, _over(np.exp, result))
        result += np.maximum(x, x.dtype.type(0))
        return result

    softsign = without_warnings(lambda x: x / (np.abs(x) + x.dtype.type(1)))
    mean = without_warnings(lambda x, axis, keepdims: _mean(x, axis, keepdims))
    var = without_warnings(lambda x, axis, keepdims: _var(x, axis, keepdims))
    std = without_warnings(lambda x, axis, keepdims: np.sqrt(_var(x, axis, keepdims)))
    logsumexp = without_warnings(lambda x, axis, keepdims: _logsumexp(x, axis, keepdims))

    def elu(self, x: Any, *, alpha: Any) -> Any:
        if alpha.__class__ not in _NUMBERS:
            return _COMPOSITES.elu(x, alpha=alpha)
        below = np.expm1(np.minimum(x, x.dtype.type(0)))
        if alpha != 1:
            below *= x.dtype.type(alpha)
        return np.where(x > 0, x, below)

    def hard_sigmoid(self, x: Any) -> Any:
        kind = x.dtype.type
        result = x * kind(0.2)
        result += kind(0.5)
        return result.clip(kind(0), kind(1), out=result if result.ndim else None)

    @without_warnings
    def silu(x: Any) -> Any:  # noqa: N805
        result = elementwise.sigmoid(x, np.empty(x.shape, x.dtype))
        result *= x
        return result

    def gelu(self, x: Any, *, approximate: bool) -> Any:
        kind = x.dtype.type
        if not approximate:
            result = elementwise.erf(x * kind(math.sqrt(0.5)))
        else:
            result = x * x
            result *= x
            result *= kind(0.044715)
            result += x
            result *= kind(math.sqrt(2 / math.pi))
            result = _over(np.tanh, result)
        result += kind(1)
        result *= x * kind(0.5)
        return result

    @without_warnings
    def softmax(x: Any, axis: Any) -> Any:  # noqa: N805
        top = _max(x, axis, None, None, True) if x.size and x.ndim else _top(x, axis)
        raised = _over(np.exp, x - top)
        raised /= _sum(raised, axis, x.dtype, None, True)
        return raised

    log_softmax = without_warnings(lambda x, axis: _log_softmax(x, axis))

    @without_warnings
    def softmax_crossentropy(logits: Any, target: Any) -> Any:  # noqa: N805
        return -_sum(target * _log_softmax(logits, -1), -1, logits.dtype)

    @without_warnings
    def l2_normalize(x: Any, axis: Any) -> Any:  # noqa: N805
        axes = shapes.normalize_axes(axis, x.ndim)
        size = _sum(x * x, axes, x.dtype, None, True)
        size = np.maximum(size, x.dtype.type(1e-12))
        return x * (size.dtype.type(1) / np.sqrt(size))

    def categorical_crossentropy(self, target: Any, output: Any, *, from_logits: bool, axis: int) -> Any:
        axis = shapes.normalize_axis(axis, output.ndim)
        if from_logits or axis != output.ndim - 1 or target.shape != output.shape:
            return _COMPOSITES.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)
        return _CROSSENTROPY(target, output)

    @without_warnings
    def batch_normalization(x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int, epsilon: float) -> Any:  # noqa: N805
        place = shapes.normalize_axis(axis, x.ndim)
        if place != x.ndim - 1 and mean.ndim == 1:
            wide = (-1, *(1,) * (x.ndim - 1 - place))
            mean, var, beta, gamma = (t if t is None else t.reshape(wide) for t in (mean, var, beta, gamma))
        scale = 1 / np.sqrt(var + x.dtype.type(epsilon))
        if gamma is not None:
            scale = scale * gamma
        shift = mean * scale
        result = x * scale
        result = result - shift if beta is None else np.add(result, beta - shift, result)
        return result

    @without_warnings
    def layer_normalization(x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:  # noqa: N805
        places = shapes.normalize_axes(axes, x.ndim)
        result = _normalized(x, places, epsilon)
        wide = tuple(d if i in places else 1 for i, d in enumerate(x.shape))
        if gamma is not None:
            result *= gamma.reshape(wide)
        if beta is not None:
            result += beta.reshape(wide)
        return result

    # Arrangement

    def transpose(self, x: Any) -> Any:
        return x.T

    def expand_dims(self, x: Any, *, axis: int) -> Any:
        return x[(slice(None),) * shapes.normalize_axis(axis, x.ndim + 1) + (None,)]

    def flatten(self, x: Any) -> Any:
        return x.reshape(-1)

    def reverse(self, x: Any, *, axes: Any) -> Any:
        back, every = slice(None, None, -1), slice(None)
        places = [shapes.normalize_axis(a, x.ndim) for a in axes]
        return x[tuple(back if i in places else every for i in range(x.ndim))]

    def stack(self, x: Any, *, axis: int) -> Any:
        if len({t.shape for t in x}) != 1:
            return _COMPOSITES.stack(x, axis=axis)  # says what is wrong
        place = shapes.normalize_axis(axis, x[0].ndim + 1)
        return np.concatenate([t[(slice(None),) * place + (None,)] for t in x], place)

    def tile(self, x: Any, *, n: Any) -> Any:
        return np.tile(x, n)

    def repeat_elements(self, x: Any, *, rep: int, axis: int) -> Any:
        return np.repeat(x, rep, shapes.normalize_axis(axis, x.ndim))

    def zeros_like(self, x: Any, *, dtype: Any, name: Any) -> Any:
        return np.zeros(x.shape, x.dtype if dtype is None else dtypes.canonical(dtype))

    def ones_like(self, x: Any, *, dtype: Any, name: Any) -> Any:
        return np.ones(x.shape, x.dtype if dtype is None else dtypes.canonical(dtype))

    def one_hot(self, indices: Any, *, num_classes: int, dtype: str) -> Any:
        if num_classes < 0:
            return _COMPOSITES.one_hot(indices, num_classes, dtype)  # which says that this cannot be
        return (indices[..., None] == np.arange(num_classes, dtype=indices.dtype)).astype(dtype)

    def sort(self, x: Any, *, axis: int, descending: bool) -> Any:
        place = shapes.normalize_axis(axis, x.ndim)
        if descending:
            return _COMPOSITES.sort(x, axis=place, descending=True)
        return np.sort(x, place)

    def dot(self, x: Any, y: Any) -> Any:
        if x.ndim == 2 == y.ndim and x.shape[1] == y.shape[0]:
            return np.matmul(x, y)
        return _COMPOSITES.dot(x, y)

    def contract(self, operands: Any, *, equation: str) -> Any:
        work = _products(equation, operands)
        if work is None or work > _SMALL:  # by matmul, which NumPy's einsum does not use
            return _COMPOSITES.contract(operands, equation=equation)
        return np.asarray(np.einsum(equation, *operands))

    def bias_add(self, x: Any, bias: Any, *, data_format: Any) -> Any:
        if bias.ndim == 1 < x.ndim and (data_format or K.image_data_format()) == "channels_last":
            return np.add(x, bias)
        return _COMPOSITES.bias_add(x, bias, data_format=data_format)


def _products(equation: str, operands: Any) -> int | None:
    """How many products an einsum adds up; None where sizes of an axis differ."""
    sizes: dict[str, int] = {}
    for names, x in zip(equation.partition("->")[0].split(","), operands, strict=True):
        for name, size in zip(names, x.shape, strict=True):
            if sizes.setdefault(name, size) != size:
                return None
    return math.prod(sizes.values())


def _crossentropy(target: Any, output: Any) -> Any:
    kind = output.dtype.type
    low, high = kind(K.epsilon()), kind(1 - K.epsilon())
    shares = output / _sum(output, -1, output.dtype, None, True)
    shares = _over(np.log, shares.clip(low, high, out=shares))
    shares *= target
    return np.negative(_sum(shares, -1, output.dtype))


_CROSSENTROPY = without_warnings(_crossentropy).__func__
_RSQRT = without_warnings(lambda x: x.dtype.type(1) / np.sqrt(x)).__func__
EAGER = frozenset(name for name in vars(Eager) if not name.startswith("_"))
