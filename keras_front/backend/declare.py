"""`@primitive` and `@composite`: an op is declared once, and everything else is derived (decision D1).

A declaration is a Python signature with a docstring and a rule for shape and dtype. A primitive has no body, every
adapter must bring it; a composite has a body written in other ops, which an adapter may override. From a declaration
follow the public function (written out as Python by `dispatcher`, so that an eager call costs little), the check
that an adapter is complete, the record on symbolic tensors, and the conformance tests.

Annotations say what an argument is: `Tensor`, `Tensors` (a list of them) or `Maybe` (a tensor or None) travel to
adapters positionally; everything else is an attribute and travels by keyword. `Axis`, `Axes`, `Dims`, `Flag` and
`DType` attributes are brought into one form (int, int or tuple, tuple, bool, name) before anyone sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, overload

from keras_front.backend import shapes
from keras_front.backend.dispatch import Op
from keras_front.backend.op import OPS, Facts, composites, primitives, register  # noqa: F401 - the registry, for those who ask what is declared

Tensor = Any
Tensors = Sequence[Any]
Maybe = Any
Axes = Any
Axis = Any
Flag = Any
Dims = Any
DType = Any

P = ParamSpec("P")


def primitive(
    shape: Any,
    promote: Sequence[str] | None = None,
    floats: bool = False,
    sparse: Callable[..., Any] | None = None,
    check_values: Callable[..., None] | None = None,
    **facts: Any,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Declare an op that every adapter brings.

    Args:
        shape: the rule for shape and dtype; see `shapes`.
        promote: names of the arguments that must share a dtype (default: all).
        floats: whether integers become floats first.
        sparse: what the op does where an argument is a sparse matrix of SciPy; without it that is an error.
        check_values: raises what is wrong with the values of tensors; it is asked after a call has failed.
        facts: what else is known about the op, see `Facts`. `elementwise` follows from the rule, such an op is
            `light`, and the memory of a result is its own unless `fresh` says otherwise.
    """
    each = shape in shapes.ELEMENTWISE
    known = Facts(**{"elementwise": each, "light": each, "fresh": True, **facts})

    def declare(fn: Callable[P, Any]) -> Callable[P, Any]:
        op = Op(fn, "primitive", shape, promote, floats, None, known)
        op.sparse, op.check_values = sparse, check_values
        return _register(op)

    return declare


@overload
def composite(fn: Callable[P, Any]) -> Callable[P, Any]: ...


@overload
def composite(
    *,
    promote: Sequence[str] | None = None,
    floats: bool = False,
    results: Callable[..., Any] | None = None,
    sparse: Callable[..., Any] | None = None,
    renamed: bool = False,
    **facts: Any,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...


def composite(
    fn: Callable[..., Any] | None = None,
    *,
    promote: Sequence[str] | None = None,
    floats: bool = False,
    results: Callable[..., Any] | None = None,
    sparse: Callable[..., Any] | None = None,
    renamed: bool = False,
    **facts: Any,
) -> Any:
    """Declare an op whose body is written in other ops. An adapter that defines a method of its name overrides it.

    Args:
        fn: the body, where the decorator is written without arguments.
        promote: names of the arguments that must share a dtype (default: all).
        floats: whether integers become floats first.
        results: for ops that need no gradient, gives tensors of the shapes of the results from the arguments: then the
            body is not even recorded for a backend that overrides the op.
        sparse: what the op does where an argument is a sparse matrix of SciPy; without it that is an error.
        renamed: whether its arguments had other names in older versions of Keras, which are then taken too.
        facts: what else is known about the op, see `Facts`; unless `fresh` says otherwise a result may share memory
            with an argument.
    """
    known = Facts(**{"light": facts.get("elementwise", False), **facts})

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        op = Op(body, "composite", None, promote, floats, results, known, renamed)
        op.sparse = sparse
        return _register(op)

    return declare if fn is None else declare(fn)


def _register(op: Op) -> Callable[..., Any]:
    return register(op).function
