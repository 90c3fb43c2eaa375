"""Small changes to a program's lines before they are planned; each saves a pass over memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import lines

_KEYS = ("op", "args", "attrs", "outs", "structure", "body")


def rewritten(program_lines: Sequence[Any]) -> list[Any]:
    """The lines with arguments replaced where an equal and better one exists.

    The gradient of a rectifier asks where its argument is positive; its result is positive in the same places, and then
    the argument may be overwritten. The gradient of maximum pooling wants the maxima, which are there already.
    """
    rectified: dict[Any, Any] = {}
    pooled: dict[Any, Any] = {}
    result = []
    for line in program_lines:
        if lines.plain_relu(line):
            rectified[line.args[0]] = line.outs[0]
        elif line.op == "max_pool":
            pooled[line.args[0], _frozen(line.attrs)] = line.outs[0]
        elif line.op == "greater" and line.args[0] in rectified and lines.is_zero(line.args[1]):
            line = changed(line, args=(rectified[line.args[0]], line.args[1]))
        elif line.op == "max_pool_gradient" and (line.args[0], _frozen(line.attrs)) in pooled:
            line = changed(line, args=(*line.args, pooled[line.args[0], _frozen(line.attrs)]))
        result.append(line)
    return result


def _frozen(attrs: dict[str, Any]) -> Any:
    return tuple(sorted((key, repr(value)) for key, value in attrs.items()))


def changed(line: Any, **new: Any) -> Any:
    """A copy of a line with other parts."""
    return type(line)(**{key: new.get(key, getattr(line, key)) for key in _KEYS})
