"""The functions that the config of an `OpLayer` may name: an allow-list, so that a file can name nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_front import backend as K
from keras_front.backend.dispatch import Op
from keras_front.backend.op import OPS
from keras_front.backend.ops.numpy_names import FUNCTIONS, LINALG
from keras_front.errors import ArgumentError

# Functions of K that are no op themselves but may stand in a config, and those that K records without a declaration.
_OTHERS = ("einsum", "random_normal", "random_uniform", "split", "switch")


def holds_code(op: Any) -> bool:
    """Whether an op runs recorded code, so that what it gives is written beside it: it does not follow from its name.

    Such are loops, functions with a gradient of their own, and gradients.
    """
    return op.facts.has_body or op.kind == "deferred"


_RECORDED = {name: op for name, op in OPS.items() if op.kind == "host" or holds_code(op)}


def is_named(op: Any) -> bool:
    """Whether the op of a record is one that a config can name."""
    return op is _RECORDED.get(op.name) or (isinstance(op, Op) and OPS.get(op.name) is op)


def named(name: str) -> Any:
    """The op or function that a config calls `name`.

    Raises: ArgumentError if there is none. Only names of this allow-list are looked up, never a module.
    """
    if isinstance(OPS.get(name), Op):
        return OPS[name]
    found = _RECORDED.get(name) or _function(name)
    if found is None:
        raise ArgumentError(f"OpLayer: expected the name of an op of K or of keras_front.ops, received {name!r}.")
    return found


def _function(name: str) -> Callable[..., Any] | None:
    if name in _OTHERS:
        return getattr(K, name)
    first, _, rest = name.partition(".")
    if first != "ops":
        return None
    held: Mapping[str, Any] = LINALG if rest.startswith("linalg.") else FUNCTIONS
    return held.get(rest.removeprefix("linalg."))
