"""How each kind of operation reads in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..buffers import Operand
from ..schedule.data import Loop, Operation, Steps, View
from .printer import Emitter, Printer

_OUT_BY_NAME = (np.maximum, np.minimum)  # NumPy wants the out= of these named


def kernel(p: Printer, operation: Operation) -> None:
    """A function that takes its result last."""
    inputs = [*map(p.nested, operation.inputs), *map(p.attribute, operation.attrs.values())]
    (result,) = operation.outputs
    out = p.operand(result)
    last = f"out={out}" if any(operation.function is f for f in _OUT_BY_NAME) else out
    name = p.function(operation.function, operation.name)
    p.line(f"{name}({', '.join([*inputs, last])})", result.shape)


def dot(p: Printer, operation: Operation) -> None:
    """A product of two matrices or a matrix and a vector; as a method, which costs less than `np.dot`."""
    (x, y), (out,) = operation.inputs, operation.outputs
    p.line(f"{p.operand(x)}.dot({p.operand(y)}, {p.operand(out)})", out.shape)


def method(p: Printer, operation: Operation) -> None:
    """A method of the adapter, which returns new arrays."""
    inputs = [*map(p.nested, operation.inputs)]
    inputs += [f"{key}={p.attribute(value)}" for key, value in operation.attrs.items()]
    run = p.function(operation.function, f"backend_{operation.name}")
    shapes = [found.shape for found in _flat(operation.outputs)]
    p.line(f"{_targets(operation.outputs)} = {run}({', '.join(inputs)})", *shapes)


def _flat(item: Any) -> list[Operand]:
    if isinstance(item, Operand):
        return [item]
    return [found for part in item or () for found in _flat(part)]


def _targets(item: Any) -> str:
    if item is None:
        return "_"
    return item.register if isinstance(item, Operand) else f"[{', '.join(map(_targets, item))}]"


# Memory ------------------------------------------------------------------------------------------------------------


def empty(p: Printer, operation: Operation) -> None:
    """A new array for a result."""
    (out,) = operation.outputs
    p.line(f"{out.register} = {p.function(np.empty, 'empty')}({out.shape}, {p.dtype(out.dtype)})")


def duplicate(p: Printer, operation: Operation) -> None:
    """A copy in memory of its own."""
    (source,), (out,) = operation.inputs, operation.outputs
    p.line(f"{out.register} = {p.operand(source)}.copy()")


def copy(p: Printer, operation: Operation) -> None:
    """Elements copied into memory that is there."""
    (source,), (target,) = operation.inputs, operation.outputs
    p.line(f"{p.function(np.copyto, 'copyto')}({p.operand(target)}, {p.operand(source)})", target.shape)


def cast(p: Printer, operation: Operation) -> None:
    """A copy that changes the dtype."""
    (source,), (target,) = operation.inputs, operation.outputs
    p.line(f"{p.function(np.copyto, 'copyto')}({p.operand(target)}, {p.operand(source)}, 'unsafe')", target.shape)


def fill(p: Printer, operation: Operation) -> None:
    """All elements set to a number."""
    (out,) = operation.outputs
    p.line(f"{p.operand(out)}.fill({p.attribute(operation.attrs['value'])})", out.shape)


def view(p: Printer, operation: Operation) -> None:
    """A view that is made when the program runs."""
    (source,), (out,) = operation.inputs, operation.outputs
    p.line(f"{out.register} = {_seen(p, operation.attrs['view'], p.operand(source))}")


def _seen(p: Printer, view: View, source: str) -> str:
    if view.kind == "index":
        return f"{source}[{', '.join(map(_span, view.value))}]"
    if view.kind == "broadcast_to":
        return f"{p.function(np.broadcast_to, 'broadcast_to')}({source}, {view.value})"
    if view.kind == "moveaxis":
        return f"{p.function(np.moveaxis, 'moveaxis')}({source}, {view.value[0]}, {view.value[1]})"
    return f"{source}.{view.kind}({view.value})"


def _span(span: slice) -> str:
    start, stop = ("" if v is None else str(v) for v in (span.start, span.stop))
    return f"{start}:{stop}" + (f":{span.step}" if span.step not in (None, 1) else "")


# Elementwise and reductions ----------------------------------------------------------------------------------------


def sigmoid(p: Printer, operation: Operation) -> None:
    """1 / (1 + exp(-x)) in place, of an argument that is cut off first."""
    (out,) = operation.outputs
    x, lowest, one = map(p.operand, operation.inputs)
    y = p.operand(out)
    p.line(f"{p.function(np.maximum, 'maximum')}({x}, {lowest}, out={y})", out.shape)
    p.line(f"{p.function(np.negative, 'negative')}({y}, {y})")
    p.line(f"{p.function(np.exp, 'exp')}({y}, {y})")
    p.line(f"{p.function(np.add, 'add')}({y}, {one}, {y})")
    p.line(f"{p.function(np.reciprocal, 'reciprocal')}({y}, {y})")


def where(p: Printer, operation: Operation) -> None:
    """Bits of x where the mask has ones and of y where it has zeros: y ^ ((x ^ y) & mask)."""
    (condition, x, y), (out,), bits = operation.inputs, operation.outputs, operation.attrs["bits"]
    mask, spare = (p.operand(o) for o in operation.scratch)
    conjoin, negative = p.function(np.bitwise_and, "bitwise_and"), p.function(np.negative, "negative")
    differ = p.function(np.bitwise_xor, "bitwise_xor")
    a, b = _retyped(p, x, bits), _retyped(p, y, bits)
    p.line(f"{p.function(np.copyto, 'copyto')}({mask}, {_retyped(p, condition, np.dtype(np.int8))})")
    p.line(f"{negative}({mask}, {mask})")
    p.line(f"{differ}({a}, {b}, {spare})")
    p.line(f"{conjoin}({spare}, {mask}, {spare})")
    p.line(f"{differ}({spare}, {b}, {_retyped(p, out, bits)})", out.shape)


def keep(p: Printer, operation: Operation) -> None:
    """What is x where the condition holds, else 0: its bits as an integer times 1 or 0. With scratch, the opposite."""
    (condition, x), (out,), bits = operation.inputs, operation.outputs, operation.attrs["bits"]
    factor = p.operand(condition)
    if operation.scratch:
        opposite = p.operand(operation.scratch[0])
        p.line(f"{p.function(np.logical_not, 'logical_not')}({factor}, {opposite})")
        factor = opposite
    multiply = p.function(np.multiply, "multiply")
    p.line(f"{multiply}({_retyped(p, x, bits)}, {factor}, {_retyped(p, out, bits)})", out.shape)


def _retyped(p: Printer, operand: Operand, dtype: np.dtype[Any]) -> str:
    """The same memory seen as another type of the same width."""
    if operand.dtype == dtype:
        return p.operand(operand)
    if operand.array is not None:
        return p.bind(operand.array.view(dtype), "b")
    given = operand.register[0] in "xt"  # by the caller, perhaps in another byte order
    native = f".astype({p.dtype(operand.dtype)}, copy=False)" if given else ""
    return f"{operand.register}{native}.view({p.dtype(dtype)})"


def count(p: Printer, operation: Operation) -> None:
    """The number of true elements."""
    (source,), (out,) = operation.inputs, operation.outputs
    found = f"{p.function(np.count_nonzero, 'count_nonzero')}({p.operand(source)})"
    p.line(f"{p.operand(out)}[()] = {found}", out.shape)


def reduce(p: Printer, operation: Operation) -> None:
    """The `reduce` of a ufunc."""
    (source,), (out,), attrs = operation.inputs, operation.outputs, operation.attrs
    run = p.function(operation.function.reduce, f"{operation.function.__name__}_reduce")
    how = f"{attrs['axes']}, {p.dtype(attrs['dtype'])}, {p.operand(out)}, {attrs['keepdims']}"
    p.line(f"{run}({p.operand(source)}, {how})", out.shape)


def index_of(p: Printer, operation: Operation) -> None:
    """The place of the largest or smallest element."""
    (source,), (out,) = operation.inputs, operation.outputs
    p.line(f"{p.operand(source)}.{operation.name}({operation.attrs['axis']}, {p.operand(out)})", out.shape)


# State and loops ---------------------------------------------------------------------------------------------------


def print_values(p: Printer, operation: Operation) -> None:
    """Values shown while the program runs."""
    show = p.function(operation.function, "show")
    p.line(f"{show}({operation.attrs['message']!r}, {p.operand(operation.inputs[0])})")


def update(p: Printer, operation: Operation) -> None:
    """All weights at once; the kernel holds them."""
    name = p.function(operation.function, operation.name)
    p.line(f"{name}({', '.join(map(p.operand, operation.inputs))})")


def forward(p: Printer, operation: Operation) -> None:
    """The steps of a recurrent layer."""
    layer = p.bind(operation.function, operation.name)
    p.line(f"{layer}.forward({p.nested(operation.inputs)}, {p.nested(operation.outputs)})", operation.outputs[0].shape)


def backward(p: Printer, operation: Operation) -> None:
    """The steps of a recurrent layer, backwards."""
    gradients, inputs = operation.inputs
    layer = p.bind(operation.function, operation.name)
    p.line(f"{layer}.backward({p.nested(gradients)}, {p.nested(inputs)}, {p.nested(operation.outputs)})")


def loop(p: Printer, operation: Operation) -> None:
    """A `for` statement."""
    found: Loop = operation.attrs["loop"]
    p.line(_head(p, found), f"{found.length} steps")
    with p.indented():
        p.operations(found.body)
        if not found.body:
            p.line("pass")


def _head(p: Printer, loop: Loop) -> str:
    if not loop.registers:
        return f"for _ in range({loop.length}):"
    if all(steps.arrays is not None for steps in loop.steps):
        rows = [steps.arrays for steps in loop.steps]
        known: Any = rows[0] if len(rows) == 1 else list(zip(*rows, strict=True))  # type: ignore[arg-type]
        return f"for {', '.join(loop.registers)} in {p.bind(known, 'steps')}:"
    sequences = [_sequence(p, steps) for steps in loop.steps]
    joined = sequences[0] if len(sequences) == 1 else f"zip({', '.join(sequences)})"
    return f"for {', '.join(loop.registers)} in {joined}:"


def _sequence(p: Printer, steps: Steps) -> str:
    if steps.arrays is not None:
        return p.bind(steps.arrays, "steps")
    operand: Operand = steps.operand  # type: ignore[assignment]
    whole = f"{operand.register}[::-1]" if steps.reverse else operand.register
    return whole if len(operand.shape) > 1 else f"{p.function(_rows, 'rows')}({whole})"


def _rows(vector: np.ndarray) -> list[np.ndarray]:
    """The elements of a vector as arrays that can be written to; iterating it would give numbers."""
    return [vector[i, ...] for i in range(len(vector))]


EMITTERS: dict[str, Emitter] = {
    "kernel": kernel, "dot": dot, "method": method, "empty": empty, "duplicate": duplicate, "copy": copy, "cast": cast,
    "fill": fill, "view": view, "sigmoid": sigmoid, "where": where, "keep": keep, "count": count, "reduce": reduce,
    "index_of": index_of, "print": print_values, "update": update, "forward": forward, "backward": backward,
    "loop": loop,
}  # fmt: skip
