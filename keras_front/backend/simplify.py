"""The rewrites that every hand-written loop has: a few ops that follow each other become one that is cheaper.

There are two tables. `PATTERNS` are looked up while a record is lowered, by the name of an op: a pattern gets `made`,
which tells the instruction that computed a tensor, and the arguments and attributes of the op; it answers with another
(name, arguments, attributes), or None where it does not apply. An argument may be an `Inner` op, to be written before.
`Fusion`s are rows for finished programs, because they must know how often each result is read; an adapter adds rows of
its own (`Backend.fusions`). (A softmax or sigmoid followed by its crossentropy is recognised earlier, when it is
recorded; see `ops.neural`.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front.backend import shapes, symbolic
from keras_front.backend.ir import Instruction

Made = Callable[[Any], Any]
Rewrite = tuple[str, list[Any], dict[str, Any]]


class Inner(NamedTuple):
    """An op in the place of an argument."""

    name: str
    args: list[Any]
    attrs: dict[str, Any]
    shape: tuple[int, ...]
    dtype: str


def rewrite(name: str, made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """Another way to compute `out`, if there is a rule for it."""
    rule = PATTERNS.get(name)
    return rule(made, args, attrs, out) if rule is not None else None


def _reduction(name: str) -> Callable[..., Rewrite | None]:
    """A reduction over axes of size 1 is a reshape; one of everything does not mind a reshape, or another before it."""

    def rule(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
        x = args[0]
        axes = shapes.normalize_axes(attrs["axis"], len(x.shape))
        if all(x.shape[a] == 1 for a in axes) and None not in out.shape:
            return "reshape", [x], {"shape": tuple(out.shape)}
        inner = made(x)
        whole = len(axes) == len(x.shape) and not attrs["keepdims"]
        if whole and inner is not None and inner.op in (name, "reshape"):
            return name, [inner.args[0]], {"axis": None, "keepdims": False}
        return None

    return rule


def _scalar(tensor: Any) -> float | None:
    constant = tensor.constant
    return float(constant) if isinstance(constant, np.ndarray) and constant.ndim == 0 else None


def _multiply(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """A mean of all elements times their number is their sum: how the losses of batches are added up."""
    for x, factor in (args, args[::-1]):
        inner, number = made(x), _scalar(factor)
        if inner is None or x.shape or number is None:
            continue
        if inner.op == "multiply" and _undone(inner.args[1], number, out.dtype):  # a mean that is written out
            return "identity", [inner.args[0]], {}
        if inner.op == "mean" and number == shapes.size(inner.args[0].shape):
            return "sum", [inner.args[0]], {"axis": None, "keepdims": False}
    return None


def _undone(factor: Any, number: float, dtype: str) -> bool:
    """Whether multiplying by both changes nothing."""
    other = _scalar(factor)
    return other is not None and dtype in ("float32", "float64") and np.dtype(dtype).type(other * number) == 1


def _reshape(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """Of two reshapes the last one counts."""
    inner = made(args[0])
    if inner is None or inner.op != "reshape":
        return None
    return "reshape", [inner.args[0]], attrs if None in out.shape else {"shape": tuple(out.shape)}


def _before_reshape(name: str) -> Callable[..., Rewrite | None]:
    """An op on a reshaped tensor, element by element, comes before the reshape: there it may join a product."""

    def rule(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
        x, *others = args
        inner = made(x)
        if inner is None or inner.op != "reshape" or tuple(out.shape) != tuple(x.shape) or None in out.shape:
            return None
        source = inner.args[0]
        last = tuple(source.shape[-1:]) if tuple(source.shape[-1:]) == tuple(x.shape[-1:]) else ()
        if not source.shape or any(tuple(other.shape) not in ((), last) for other in others):
            return None
        moved = Inner(name, [source, *others], attrs, tuple(source.shape), out.dtype)
        return "reshape", [moved], {"shape": tuple(out.shape)}

    return rule


def _greater(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """`sigmoid(z) > p` is `z > log(p / (1 - p))`: how the accuracy of a binary classifier is computed."""
    inner, p = made(args[0]), _scalar(args[1])
    if inner is None or inner.op != "sigmoid" or p is None or not 0 < p < 1:
        return _before_reshape("greater")(made, args, attrs, out)
    threshold = np.asarray(math.log(p / (1 - p)), args[0].dtype)
    return "greater", [inner.args[0], symbolic.constant(threshold, args[0].dtype)], {}


def _argmax(made: Made, args: Any, attrs: dict[str, Any], out: Any) -> Rewrite | None:
    """The largest probability is where the largest logit is, also where the softmax is written out."""
    inner = made(args[0])
    if inner is None:
        return None
    axis = attrs["axis"] % len(args[0].shape)
    if inner.op == "softmax" and inner.attrs["axis"] % len(args[0].shape) == axis:
        return "argmax", [inner.args[0]], attrs
    if inner.op == "divide" and _op(made, inner.args[0]) == "exp" and _joined(inner.args[1], args[0], axis):
        total = made(inner.args[1])
        if total is not None and total.op == "sum" and total.args[0] is inner.args[0]:
            return "argmax", [made(inner.args[0]).args[0]], attrs
    return None


def _op(made: Made, tensor: Any) -> str | None:
    line = made(tensor)
    return None if line is None else line.op


def _joined(tensor: Any, whole: Any, axis: int) -> bool:
    """Whether a tensor is as `whole`, with one element along the axis."""
    return tuple(tensor.shape) == (*whole.shape[:axis], 1, *whole.shape[axis + 1 :])


PATTERNS: dict[str, Callable[..., Rewrite | None]] = {
    "mean": _reduction("mean"),
    "sum": _reduction("sum"),
    "multiply": _multiply,
    "reshape": _reshape,
    "add": _before_reshape("add"),
    "relu": _before_reshape("relu"),
    "greater": _greater,
    "argmax": _argmax,
}


# On finished programs --------------------------------------------------------------------------------------------


class Fusion(NamedTuple):
    """A row: an instruction and the one that computed its first argument, which nobody else reads, as one."""

    op: str  # of the later instruction
    first: str  # of the one that computed its first argument
    fuse: Callable[[Instruction, Instruction], Instruction | None]  # of the first and the later one; None: not these


def _linear(product: Instruction, later: Instruction) -> Instruction | None:
    """`add` of a bias to a `matmul` as `linear`."""
    shape, bias = tuple(product.outs[0].shape), later.args[1]
    if len(shape) != 2 or tuple(bias.shape) != shape[1:]:
        return None
    return later.changed(op="linear", args=[*product.args, bias], attrs={})


LINEAR = Fusion("add", "matmul", _linear)


def fused(instructions: Sequence[Instruction], results: Any, rows: Sequence[Fusion]) -> list[Instruction]:
    """The instructions of a program with these results, joined by the rows that apply, as often as they do."""
    if not rows:
        return list(instructions)
    uses = Counter(t for instruction in instructions for t in instruction.inputs())
    uses.update(symbolic.leaves_of(results))
    table = {(row.op, row.first): row.fuse for row in rows}
    makers: dict[Any, Instruction] = {}
    gone: set[int] = set()
    kept: list[Instruction] = []
    for instruction in instructions:
        first = makers.get(instruction.args[0]) if _begins_with_tensor(instruction) else None
        fuse = table.get((instruction.op, first.op)) if first is not None and uses[first.outs[0]] == 1 else None
        joined = fuse(first, instruction) if fuse is not None and first is not None else None
        if joined is not None:
            gone.add(id(first))
            instruction = joined
        if len(instruction.outs) == 1:
            makers[instruction.outs[0]] = instruction
        kept.append(instruction)
    return [instruction for instruction in kept if id(instruction) not in gone]


def is_plain_relu(instruction: Instruction) -> bool:
    """Whether an instruction is max(x, 0).

    Args:
        instruction: any instruction.
    """
    return instruction.op == "relu" and instruction.attrs == {"alpha": 0.0, "max_value": None, "threshold": 0.0}


def _begins_with_tensor(instruction: Instruction) -> bool:
    return bool(instruction.args) and isinstance(instruction.args[0], symbolic.SymbolicTensor)
