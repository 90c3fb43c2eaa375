"""The table of emitters: how each op of K is written as nodes of ONNX, and why some are not.

An emitter is registered for a declared op. One for a primitive writes every call of it; one for a composite keeps the
op whole, where its condition holds, so that the graph says LSTM and not what an LSTM is made of. Whatever composite has
no emitter is written from its body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from keras_front.backend.op import OPS
from keras_front.errors import ArgumentError

LOWEST, DEFAULT, HIGHEST = 13, 18, 23  # the versions of ONNX's operators that can be written

Emit = Callable[..., Any]
_F = TypeVar("_F", bound=Emit)


class Emitter(NamedTuple):
    """How calls of one op are written.

    Attributes:
        write: `write(graph, call, *inputs, **attrs)` adds nodes and returns the name of the result, or a list of names.
            An input is a name, a list of names, or None.
        since: the lowest opset in which it can.
        keeps: for a composite, which calls it writes; the others are written from the body. None for all.
    """

    write: Emit
    since: int = LOWEST
    keeps: Callable[[Any], bool] | None = None


EMITTERS: dict[str, Emitter] = {}
REFUSED: dict[str, str] = {}  # primitives that ONNX has no operators for, and why


def emits(*names: str, since: int = LOWEST, keeps: Callable[[Any], bool] | None = None) -> Callable[[_F], _F]:
    """A decorator that registers an emitter.

    Args:
        names: the ops.
        since, keeps: see `Emitter`.

    Raises: ArgumentError for a name that is no declared op, or has an emitter.
    """

    def register(write: _F) -> _F:
        for name in names:
            _check(name)
            EMITTERS[name] = Emitter(write, since, keeps)
        return write

    return register


def refuses(reason: str, *names: str) -> None:
    """Note why ops cannot be written.

    Args:
        reason: a sentence for the error.
        names: the ops.

    Raises: ArgumentError for a name that is no declared op, or has an emitter.
    """
    for name in names:
        _check(name)
        REFUSED[name] = reason


def _check(name: str) -> None:
    if name not in OPS or name in EMITTERS or name in REFUSED:
        raise ArgumentError(f"onnx: {name!r} is no declared op, or it has an emitter already.")


def keeps_whole(call: Any, opset: int = DEFAULT) -> bool:
    """Whether a recorded call of a composite is written as such, rather than from its body.

    Args:
        call: the record.
        opset: the opset in which it will be written.
    """
    emitter = EMITTERS.get(call.op.name)
    return emitter is not None and opset >= emitter.since and (emitter.keeps is None or emitter.keeps(call))
