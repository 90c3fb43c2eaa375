"""Small changes to a program's lines before they are planned; each saves a pass over memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

_KEYS = ("op", "args", "attrs", "outs", "structure", "body")


def rewritten(program_lines: Sequence[Any], results: Iterable[Any]) -> list[Any]:
    """The lines of a program with these results, some replaced by better ones."""
    return joined(shared(program_lines), set(results))


def shared(program_lines: Sequence[Any]) -> list[Any]:
    """The lines with arguments replaced where an equal and better one exists.

    The gradient of a rectifier asks where its argument is positive; its result is positive in the same places, and then
    the argument may be overwritten. The gradient of maximum pooling wants the maxima, which are there already.
    """
    rectified: dict[Any, Any] = {}
    pooled: dict[Any, Any] = {}
    result = []
    for line in program_lines:
        if is_plain_relu(line):
            rectified[line.args[0]] = line.outs[0]
        elif line.op == "max_pool":
            pooled[line.args[0], _frozen(line.attrs)] = line.outs[0]
        elif line.op == "greater" and line.args[0] in rectified and is_zero(line.args[1]):
            line = changed(line, args=(rectified[line.args[0]], line.args[1]))
        elif line.op == "max_pool_gradient" and (line.args[0], _frozen(line.attrs)) in pooled:
            line = changed(line, args=(*line.args, pooled[line.args[0], _frozen(line.attrs)]))
        result.append(line)
    return result


def joined(program_lines: Sequence[Any], results: set[Any]) -> list[Any]:
    """Convolutions with the bias, normalization and rectifier after them as one line, which works on blocks in the
    cache."""
    uses = Counter(t for line in program_lines for t in line.inputs())
    makers: dict[Any, Any] = {}
    gone: set[int] = set()
    result = []
    for line in program_lines:
        first = makers.get(line.args[0]) if line.op in ("add", "multiply", "relu") else None
        if first is not None and uses[line.args[0]] == 1 and line.args[0] not in results and _follows(first, line):
            gone.add(id(first))
            attrs = {**first.attrs, "tail": (*first.attrs.get("tail", ()), line.op)}
            args = (*first.args, *line.args[1:])
            line = changed(line, op="conv", args=args, attrs=attrs, outs=line.outs, structure=line.structure)
        if line.op == "conv":
            makers[line.outs[0]] = line
        result.append(line)
    return [line for line in result if id(line) not in gone]


def _follows(conv: Any, line: Any) -> bool:
    """Whether a line rectifies the result of a convolution, or joins a vector over its channels to it."""
    if conv.attrs["data_format"] != "channels_last":
        return False
    if line.op == "relu":
        return is_plain_relu(line)
    return tuple(line.args[1].shape) == (conv.outs[0].shape[-1],)


def _frozen(attrs: dict[str, Any]) -> Any:
    return tuple(sorted((key, repr(value)) for key, value in attrs.items()))


def changed(line: Any, **new: Any) -> Any:
    """A copy of a line with other parts."""
    return type(line)(**{key: new.get(key, getattr(line, key)) for key in _KEYS})


def is_plain_relu(instruction: Any) -> bool:
    """Whether an instruction is max(x, 0)."""
    return instruction.op == "relu" and instruction.attrs == {"alpha": 0.0, "max_value": None, "threshold": 0.0}


def is_zero(tensor: Any) -> bool:
    """Whether a tensor is the constant 0, of whatever sign."""
    constant = tensor.constant
    return constant is not None and np.size(constant) == 1 and float(np.asarray(constant).reshape(())) == 0
