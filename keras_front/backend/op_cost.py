"""How many operations a record of ops takes, counted from the shapes. No engine runs, nothing is computed.

A multiplication, an addition, or another function of one element is one operation, so that a product of matrices
(n, k) and (k, m) takes 2 n k m. What only moves elements takes none. Composites that are not
elementwise are counted by what they are made of. Papers on networks often count a multiplication with its addition as
one, which gives half of these numbers.
Source: G. H. Golub, C. F. Van Loan, Matrix Computations, 4th edition, for factorizations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from keras_front.backend.symbolic import OpCall, SymbolicTensor

Rule = Callable[[OpCall], float]


class UnknownSizeError(Exception):
    """A shape has an unknown size."""


def operations(results: Iterable[SymbolicTensor], given: Iterable[SymbolicTensor] = ()) -> int | None:
    """How many operations take the results, once those tensors are there that are given.

    Args:
        results: symbolic tensors.
        given: tensors that are not counted, nor what they are made of.

    Returns: the number; None if a shape on the way has an unknown size.
    Example:
        >>> x = K.placeholder((4, 3))
        >>> operations([K.matmul(x, K.ones((3, 2)))], [x])
        48
    """
    try:
        return round(sum(map(_cost, _calls(results, set(given)))))
    except UnknownSizeError:
        return None


def _calls(results: Iterable[SymbolicTensor], given: set[SymbolicTensor]) -> list[OpCall]:
    """The recorded calls that compute the results, bodies in the place of composites, each once."""
    found: dict[int, OpCall] = {}
    waiting, seen = list(results), set(given)
    while waiting:
        tensor = waiting.pop()
        if tensor in seen or tensor.origin is None:
            continue
        seen.add(tensor)
        call = tensor.origin
        if call.expansion is not None and call.op.name not in _RULES and not call.op.facts.elementwise:
            waiting.append(call.expansion[tensor.index])
        elif id(call) not in found:
            found[id(call)] = call
            waiting.extend(call.tensors())
    return list(found.values())


def _cost(call: OpCall) -> float:
    rule = _RULES.get(call.op.name)
    if rule is not None:
        return rule(call)
    return _elements(call.outputs[0]) if call.op.facts.elementwise and call.outputs else 0


def _sizes(tensor: Any) -> tuple[int, ...]:
    if None in tensor.shape:
        raise UnknownSizeError
    return tuple(tensor.shape)


def _elements(tensor: Any) -> int:
    return math.prod(_sizes(tensor))


def _shape(call: OpCall, place: int) -> tuple[int, ...]:
    return _sizes(call.args[place])


def _per_input(call: OpCall) -> float:
    return _elements(call.args[0])


def _free(call: OpCall) -> float:
    return 0


def _matmul(call: OpCall) -> float:
    return 2 * _elements(call.outputs[0]) * _shape(call, 0)[-1]


def _window(outputs: Callable[[OpCall], Any], kernel: Callable[[OpCall], tuple[int, ...]]) -> Rule:
    """A convolution: each element of its output is a sum of products over a kernel without its last axis."""
    return lambda call: 2 * _elements(outputs(call)) * math.prod(kernel(call)[:-1])


def _pool(call: OpCall) -> float:
    return _elements(call.outputs[0]) * math.prod(call.attrs["pool_size"])


def _loop(call: OpCall) -> float:
    body, length = call.attrs["body"], call.attrs.get("length")
    steps = length if length is not None else next(iter(call.args[1])).shape[0]
    if not isinstance(steps, int):
        raise UnknownSizeError
    inner = operations([*body.next_carry, *body.ys], [*body.carry, *body.xs, *body.captured])
    if inner is None:
        raise UnknownSizeError
    return steps * inner


def _sorted(call: OpCall) -> float:
    shape = _shape(call, 0)
    length = shape[call.attrs.get("axis", -1)]
    return math.prod(shape) * max(1.0, math.log2(max(length, 1)))


def _cubic(factor: float) -> Rule:
    """A factorization of square matrices."""
    return lambda call: factor * _shape(call, 0)[-1] * _elements(call.args[0])


def _solve(call: OpCall) -> float:
    size = _shape(call, 0)[-1]
    return 2 / 3 * size * _elements(call.args[0]) + 2 * size * _elements(call.args[1])


def _tall(call: OpCall) -> tuple[int, int, int]:
    *batch, rows, columns = _shape(call, 0)
    return math.prod(batch), max(rows, columns), min(rows, columns)


def _qr(call: OpCall) -> float:
    batch, m, n = _tall(call)
    return batch * 4 * n * n * (m - n / 3)


def _svd(call: OpCall) -> float:
    batch, m, n = _tall(call)
    return batch * (4 * m * m * n + 8 * m * n * n + 9 * n**3)


_REDUCTIONS = ("sum", "prod", "max", "min", "any", "all", "argmax", "argmin", "cumsum", "cumprod")
_RULES: dict[str, Rule] = {
    **dict.fromkeys(_REDUCTIONS, _per_input),
    **dict.fromkeys(("cast", "identity", "stop_gradient", "host_print"), _free),
    "matmul": _matmul,
    "conv": _window(lambda call: call.outputs[0], lambda call: _shape(call, 1)),
    "conv_input_gradient": _window(lambda call: call.args[0], lambda call: _shape(call, 1)),
    "conv_kernel_gradient": _window(lambda call: call.args[1], lambda call: _sizes(call.outputs[0])),
    **dict.fromkeys(("max_pool", "average_pool"), _pool),
    "scatter_add": _per_input,
    "scan": _loop,
    "argsort": _sorted,
    "cholesky": _cubic(1 / 3),
    "det": _cubic(2 / 3),
    "solve": _solve,
    "householder_qr": _qr,
    "svd": _svd,
}
