"""What tensors of TensorFlow also answer: programs ask symbols and variables for their op, their graph, their device.

Symbols learn it when a program imports `tensorflow`, by `teach`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor

from . import sessions
from .devices import list_logical_devices

__all__ = ["teach"]


class Op(NamedTuple):
    """What has made a tensor: its name, its type, its inputs and its outputs."""

    name: str
    type: str
    inputs: list[Any]
    outputs: list[Any]

    @property
    def graph(self) -> Any:
        """The one graph."""
        return sessions.get_default_graph()


def _op(tensor: Any) -> Op:
    origin = getattr(tensor, "origin", None)
    name = str(tensor.name).partition(":")[0]
    if origin is None:
        placeholder = getattr(tensor, "is_placeholder", False)
        kind = "Placeholder" if placeholder else "VarHandleOp" if isinstance(tensor, Variable) else "Const"
        return Op(name, kind, [], [tensor])
    return Op(name, origin.op.name, list(origin.tensors()), list(origin.outputs))


def _eval(tensor: Any, feed_dict: Any = None, session: Any = None) -> Any:
    """The value of a tensor.

    Args:
        tensor: a symbol or a variable.
        feed_dict: values of inputs, by input.
        session: not used.
    """
    return sessions.get_default_session().run(tensor, feed_dict)


class Reference(NamedTuple):
    """A tensor as a key of dictionaries."""

    tensor: Any

    def deref(self) -> Any:
        """The tensor."""
        return self.tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.tensor is other.tensor

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return id(self.tensor)


_ANSWERS: dict[str, Any] = {
    "op": property(_op, doc="What has made it."),
    "graph": property(lambda tensor: sessions.get_default_graph(), doc="The one graph."),
    "device": property(lambda tensor: list_logical_devices()[0].name, doc="Where it is."),
    "value_index": property(lambda tensor: getattr(tensor, "index", 0), doc="Which output of its op it is."),
    "eval": _eval,
    "ref": Reference,
    "experimental_ref": Reference,
}


def teach() -> None:
    """Let symbols and variables answer what tensors of TensorFlow do, where they do not answer it already."""
    for kind in (SymbolicTensor, Variable):
        for name, answer in _ANSWERS.items():
            if not hasattr(kind, name):
                setattr(kind, name, _method(answer) if isinstance(answer, type) else answer)


def _method(cls: type) -> Any:
    return lambda tensor: cls(tensor)
