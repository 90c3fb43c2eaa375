"""The functions that the config of an `OpLayer` may name: an allow-list, so that a file can name nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
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


# Where further functions are, by the first word of their name; imported when a name is not known otherwise. The table
# is fixed: what a file says neither adds to it nor chooses from it.
HOMES = {"ops": "keras_front.ops", "tf": "keras_front.tf_names"}
_PARTS = ("image", "linalg", "nn", "numpy")  # of keras_front.ops


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
    if first == "tf":
        return import_module(HOMES[first]).find(rest)  # type: ignore[no-any-return]
    if first != "ops":
        return None
    held: Mapping[str, Any] = LINALG if rest.startswith("linalg.") else FUNCTIONS
    return _public_op(rest) or held.get(rest.removeprefix("linalg."))


def _public_op(path: str) -> Callable[..., Any] | None:
    """The public function `keras_front.ops.<path>`, or None."""
    part, _, name = path.rpartition(".")
    home = import_module(HOMES["ops"])
    place = home if not part else getattr(home, part) if part in _PARTS else None
    found = None if name.startswith("_") else getattr(place, name, None)
    is_ours = inspect.isfunction(found) and str(found.__module__).startswith("keras_front.")
    return found if is_ours else None
