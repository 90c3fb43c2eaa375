"""Bodies of loops and of functions with a gradient of their own, as data: what a config or a copy keeps of a record.

    {"class_name": "__body__", "config": {
        "leaves": {"carry": [{"shape", "dtype"}], "xs": [...], "captured": [...]},
        "calls": [{"function", "args", "attrs", "results"}],
        "next_carry": [...], "ys": [...]}}

The leaves and the results of calls are numbered in this order, and `{"class_name": "__step__", "config": n}` stands for
number n. A call names its op, one of the allow-list of `functions`, so that a file can ask for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front import backend as K
from keras_front.backend import symbolic
from keras_front.backend.declare import Op
from keras_front.backend.ops.recurrence import Body
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import KerasFrontError, SerializationError
from keras_front.nest import flatten, map_structure

from . import arguments
from .functions import is_named, named

KIND = "__body__"
LEAVES = ("carry", "xs", "captured")
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)


class _Places:
    """The tensors of a body by number: its leaves, then what its calls gave."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def number(self, tensor: SymbolicTensor) -> int:
        return self._numbers.setdefault(id(tensor), len(self._numbers))

    def of(self, item: Any) -> Any:
        """What stands for a tensor; anything else is itself."""
        if isinstance(item, Body):
            return written(item)
        if not isinstance(item, SymbolicTensor):
            return item
        if id(item) in self._numbers:
            return {"class_name": "__step__", "config": self._numbers[id(item)]}
        if item.constant is not None:
            return arguments.with_dtype(K.to_numpy(item.constant), item.dtype)
        for name, symbol in arguments.SYMBOLS.items():
            if item is symbol:
                return {"class_name": "__symbol__", "config": name}
        raise SerializationError(f"Cannot write a loop that uses {item!r}: expected a tensor of the model.")


def written(body: Body) -> dict[str, Any]:
    """A body as a config holds it.

    Raises: SerializationError if it calls Python code, such as a layer.
    """
    places = _Places()
    leaves = {kind: [_described(t, places) for t in getattr(body, kind)] for kind in LEAVES}
    known = {t for kind in LEAVES for t in getattr(body, kind)}
    outputs = [t for t in (*body.next_carry, *body.ys) if t is not None]
    calls = [_call(call, places) for call in symbolic.toposort(outputs, known)]
    ends = {kind: map_structure(places.of, getattr(body, kind)) for kind in ("next_carry", "ys")}
    return {"class_name": KIND, "config": {"leaves": leaves, "calls": calls, **ends}}


def _described(tensor: SymbolicTensor, places: _Places) -> dict[str, Any]:
    places.number(tensor)
    return {"shape": list(tensor.shape), "dtype": tensor.dtype}


def _call(call: OpCall, places: _Places) -> dict[str, Any]:
    if not is_named(call.op):
        raise SerializationError(
            f"Cannot write a loop that calls {call.op.name!r}, which is Python code: expected ops of K.\n"
            "  Write the step as a cell with weights of its own and the loop as RNN(cell), or wrap the loop in a layer."
        )
    args, attrs = (arguments.written(map_structure(places.of, part), None) for part in (list(call.args), call.attrs))
    results = [places.number(t) for t in call.outputs]
    return {"function": call.op.name, "args": args, "attrs": attrs, "results": results}


def read(config: Mapping[str, Any]) -> Body:
    """The body that `written` wrote, recorded anew.

    Raises: SerializationError for what is no body.
    """
    try:
        with symbolic.trace_scope(None):
            return _read(config)
    except KerasFrontError as error:
        raise SerializationError(f"A loop in a model's config cannot be made: {error}") from None
    except MALFORMED as error:
        raise SerializationError(f"A loop in a model's config cannot be made: it is malformed ({error!r}).") from None


def _read(config: Mapping[str, Any]) -> Body:
    leaves = {
        kind: [symbolic.placeholder(leaf["shape"], str(leaf["dtype"])) for leaf in config["leaves"][kind]]
        for kind in LEAVES
    }
    tensors: dict[Any, Any] = dict(enumerate(t for kind in LEAVES for t in leaves[kind]))
    for call in config["calls"]:
        args = arguments.read(call["args"], _no_place, tensors)
        attrs = {key: arguments.read(value, _no_place, tensors) for key, value in call["attrs"].items()}
        made = again(named(call["function"]), args, attrs)
        tensors.update(zip(call["results"], made, strict=True))
    next_carry, ys = (
        [None if end is None else _tensor(arguments.read(end, _no_place, tensors)) for end in config[kind]]
        for kind in ("next_carry", "ys")
    )
    return Body(leaves["carry"], leaves["xs"], next_carry, ys, leaves["captured"])


def again(op: Any, args: Any, attrs: dict[str, Any]) -> list[Any]:
    """The results of a call as a file has it: with lists for the tuples that ops take."""
    if isinstance(op, Op):
        return op.again(args, {key: settled(value) for key, value in attrs.items()})
    return op.again(args, attrs)


def settled(value: Any) -> Any:
    """Lists of plain values, as a file has them, as the tuples that ops take."""
    if isinstance(value, list) and not any(hasattr(leaf, "shape") for leaf in flatten(value)):
        return tuple(settled(item) for item in value)
    return value


def _tensor(value: Any) -> Any:
    """Arrays and numbers as constants, where only tensors will do."""
    return value if value is None or isinstance(value, SymbolicTensor) else symbolic.constant(value)


def _no_place(place: Any) -> Any:
    raise KeyError(place)


arguments.WRITERS[Body] = written
arguments.OBJECTS[KIND] = lambda config, layers: read(config)
