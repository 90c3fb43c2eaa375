"""Rewriting of torch programs before they are written: biases join matmuls, updates reuse donated memory.

torch runs a program line by line, so fewer lines are a faster step, and an optimizer that writes into the tensors it
replaces is several times faster than one that makes new ones. It may do so only if nothing reads the old values
afterwards, neither directly nor through a view; `_Memory` works out which tensors may share memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_front.backend import symbolic

# For each list-wise update the places of the lists that it replaces.
OWNED = {"sgd_update": (0, 2), "rmsprop_update": (0, 2), "adam_update": (0, 2, 3, 4)}

# Ops whose result never shares memory with an argument. What is not named here is taken to be a view.
FRESH = frozenset(
    "add subtract multiply divide floor_divide mod power maximum minimum negative abs sign square exp expm1 log log1p "
    "sqrt rsqrt sin cos tanh sigmoid erf equal not_equal less less_equal greater greater_equal isnan isfinite "
    "logical_and logical_or logical_not where silu elu gelu argmax argmin cumsum cumprod concatenate stack flip gather "
    "scatter_add take_along_axis matmul linear softmax log_softmax softmax_crossentropy sigmoid_crossentropy conv "
    "conv_input_gradient conv_kernel_gradient max_pool max_pool_gradient average_pool average_pool_gradient "
    "engine_uniform engine_normal host_noise keep_mask batch_normalization normalize_batch_in_training "
    "layer_normalization lstm relu".split()
)
_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "any", "all"})  # over no axis they return the argument


def rewrite(program: Any) -> None:
    """Rewrite a program and the programs inside it, in place."""
    _join_biases(program)
    for line in program.lines:
        if line.body is not None:
            rewrite(line.body)
    _reuse_donated(program)


# A bias and its matmul ---------------------------------------------------------------------------------------------


def _join_biases(program: Any) -> None:
    """`add(matmul(x, kernel), bias)` as `linear(x, kernel, bias)`, where nobody else reads the product."""
    uses: dict[Any, int] = {}
    for tensor in _read(program.lines, program.results):
        uses[tensor] = uses.get(tensor, 0) + 1
    products = {line.outs[0]: line for line in program.lines if line.op == "matmul" and uses.get(line.outs[0]) == 1}
    for line in program.lines:
        if line.op == "add" and _is_bias(line, products):
            product, bias = line.args
            line.op, line.args = "linear", [*products[product].args, bias]
    read = set(_read(program.lines, program.results))
    program.lines = [line for line in program.lines if line.op != "matmul" or line.outs[0] in read]


def _is_bias(line: Any, products: dict[Any, Any]) -> bool:
    product, bias = line.args
    return product in products and len(product.shape) == 2 and tuple(bias.shape) == tuple(product.shape[1:])


# Updates in place --------------------------------------------------------------------------------------------------


def _reuse_donated(program: Any) -> None:
    donated = {t for place in program.donate for t in symbolic.leaves_of(program.args[place])}
    memory = _Memory(program.lines)
    for index, line in enumerate(program.lines):
        if line.op not in OWNED or not donated:
            continue
        owned = [t for place in OWNED[line.op] for t in line.args[place]]
        later = set(_read(program.lines[index + 1 :], program.results))
        read_again = any(memory.of(t) & set(owned) for t in later - set(line.outs))
        shared = [r for t in symbolic.leaves_of(program.results) for r in memory.of(t)]
        twice = any(shared.count(t) > 1 for t in line.outs)  # two entries of the next state would be one tensor
        if donated.issuperset(owned) and len(set(owned)) == len(owned) and not read_again and not twice:
            line.op += "_in_place"


def _read(lines: Iterable[Any], results: Any) -> list[Any]:
    return [t for line in lines for t in line.inputs()] + list(symbolic.leaves_of(results))


class _Memory:
    """For each tensor of a program the tensors with which it may share memory, itself included."""

    def __init__(self, lines: Iterable[Any]):
        self._shared: dict[Any, frozenset[Any]] = {}
        for line in lines:
            for out, sources in zip(line.outs, _sources(line), strict=True):
                shared = frozenset().union(*map(self.of, sources)) if sources else frozenset()
                self._shared[out] = shared | {out}

    def of(self, tensor: Any) -> frozenset[Any]:
        return self._shared.get(tensor, frozenset({tensor}))


def _sources(line: Any) -> list[list[Any]]:
    """For each result of a line the arguments of which it may be a view."""
    if line.body is not None:
        return _body_sources(line)
    fresh = line.op in FRESH or line.op in OWNED or (line.op in _REDUCTIONS and line.attrs.get("axis") != ())
    return [[] if fresh else list(line.inputs()) for _ in line.outs]


def _body_sources(line: Any) -> list[list[Any]]:
    inner, memory = list(symbolic.leaves_of(line.body.args)), _Memory(line.body.lines)
    outer = dict(zip(inner, symbolic.leaves_of(list(line.args)), strict=True))
    found = [[outer[t] for t in memory.of(r) if t in outer] for r in symbolic.leaves_of(line.body.results)]
    return [*found, *([] for _ in range(len(line.outs) - len(found)))]  # gradients come last and are new
