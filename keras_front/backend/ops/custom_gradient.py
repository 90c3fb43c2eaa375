"""`custom_gradient`: functions with a gradient of their own.

On real tensors the engine does it (`Backend.custom_gradient`). While tracing, the function and its gradient run once on
symbols, and both records are kept as bodies: results and what the gradient needs of them from the arguments, gradients
from what flows back. So the record can be replayed, differentiated by rules, and lowered for an engine that
differentiates by itself; where nobody differentiates only the function is left.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import discovery, dtypes, operands, scopes, symbolic
from keras_front.backend.op import Facts, Operation, register
from keras_front.backend.ops.elementwise import cast
from keras_front.backend.ops.recurrence import Body, _captured
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import ArgumentError, ShapeError


class CustomGradient(Operation):
    """The op behind `custom_gradient`. Recorded with args (args, captured) and attrs forward and backward, bodies.

    Its `fn(*args)` gives (list of results, `rule`), and `rule(*upstream)` a list with the gradient of each argument.
    Where a record is run again, what the bodies captured are arguments too, without a gradient, as engines want it.
    """

    name, kind, facts = "custom_gradient", "primitive", Facts(has_body=True)
    arrays = (("args", "many"), ("captured", "many"))

    def __call__(self, fn: Callable[..., Any], args: Sequence[Any]) -> list[Any]:
        args = [operands.as_symbol_or_tensor(a) for a in operands.read_variables(list(args))]
        if scopes.tracing() or any(map(symbolic.is_symbolic, args)):
            return self.record(fn, [operands.as_symbol(a) for a in args])
        return discovery.active().custom_gradient(fn, args)

    def record(self, fn: Callable[..., Any], args: list[Any]) -> list[Any]:
        first = scopes.next_serial()
        leaves = [SymbolicTensor(a.shape, a.dtype) for a in args]
        results, rule = fn(*leaves)
        results = [operands.as_symbol(r) for r in results]
        backward = _traced_rule(rule, results)
        captured = _captured([*results, *backward.captured], set(leaves), first)
        forward = Body(leaves, [], results, backward.captured, captured)
        origin = OpCall(self, (args, captured), {"forward": forward, "backward": backward})
        origin.structure = [origin.add_output(r.shape, r.dtype) for r in results]
        origin.expansion = forward.run(args, [], captured)[0]
        return list(origin.structure)

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        given, captured = args
        forward, backward = attrs["forward"], attrs["backward"]
        fn = attached(lambda xs, c: forward.run(xs, [], c), lambda g, kept: backward.run(g, [], kept)[0], len(given))
        return self(fn, [*given, *captured])

    def by_rule(self, gs: list[Any], outputs: Any, args: Any, captured: Any, *, forward: Body, backward: Body) -> Any:
        """The rule of `gradients`: what the forward body computes again here is shared with it when it is lowered."""
        kept = forward.run(args, [], captured)[1]
        return backward.run(gs, [], kept)[0], None


CUSTOM_GRADIENT = register(CustomGradient())


def attached(forward: Callable[..., Any], backward: Callable[..., Any], count: int) -> Callable[..., Any]:
    """One function `fn(*args, *captured) -> (results, rule)` from its two parts, with `count` args."""

    def fn(*args: Any) -> Any:
        results, kept = forward(list(args[:count]), list(args[count:]))
        return results, lambda *upstream: [*backward(list(upstream), kept), *[None] * (len(args) - count)]

    return fn


def _traced_rule(rule: Callable[..., Any], results: Sequence[SymbolicTensor]) -> Body:
    first = scopes.next_serial()
    upstream = [SymbolicTensor(r.shape, r.dtype if dtypes.is_float(r.dtype) else "float32") for r in results]
    flows = [g if g is None else operands.as_symbol(g) for g in rule(*upstream)]
    captured = _captured([g for g in flows if g is not None], set(upstream), first)
    return Body(upstream, [], flows, [], captured)


def custom_gradient(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn` with a gradient of its own: `fn(*args)` returns (result, grad_fn) instead of the result.

    Args:
        fn: takes tensors by position and anything by keyword. Its result is a tensor, or a list or tuple of them.
            `grad_fn` gets what flows back, one tensor for each result, and returns the gradient of each argument (one
            tensor, or a list; None where nothing flows), of the shape of that argument. Tensors that `fn` uses without
            having got them receive no gradient. If `grad_fn` is written in K it can be differentiated again.

    Returns: a function of the same arguments that returns the result.

    Raises:
        ArgumentError: `grad_fn` does not return a gradient for each argument.
        ShapeError: a gradient has another shape than its argument.

    Example:
        >>> from keras_front import backend as K
        >>> square = custom_gradient(lambda x: (x * x, lambda g: K.clip(g * 2 * x, -1, 1)))
        >>> float(square(K.constant(3.0)))
        9.0
    """

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        structure: list[type] = []

        def listed(*tensors: Any) -> Any:
            result, rule = _pair(fn(*tensors, **kwargs))
            several = isinstance(result, list | tuple)
            structure[:] = [type(result)] if several else []
            results = [operands.as_symbol_or_tensor(r) for r in (result if several else [result])]
            return results, lambda *upstream: _checked(rule(*upstream), tensors)

        results = CUSTOM_GRADIENT(listed, args)
        return structure[0](results) if structure else results[0]

    return call


def _pair(answer: Any) -> tuple[Any, Callable[..., Any]]:
    if isinstance(answer, tuple) and len(answer) == 2 and callable(answer[1]):
        return answer
    raise ArgumentError(
        f"custom_gradient: expected the function to return (result, grad_fn), received {answer!r:.60}. "
        "grad_fn takes what flows back into the result and returns the gradient of each argument."
    )


def _checked(flows: Any, args: Sequence[Any]) -> list[Any]:
    """The gradients as a list, each in the dtype of its argument; None for integers."""
    flows = list(flows) if isinstance(flows, list | tuple) else [flows]
    if len(flows) != len(args):
        raise ArgumentError(
            f"custom_gradient: expected a gradient for each of {len(args)} arguments, received {len(flows)}. "
            "Return None for an argument that has none."
        )
    return [_fitted(g, a, i) for i, (g, a) in enumerate(zip(flows, args, strict=True))]


def _fitted(g: Any, arg: Any, place: int) -> Any:
    dtype = dtypes.canonical(arg.dtype)
    if g is None or not dtypes.is_float(dtype):
        return None
    g = operands.as_symbol_or_tensor(g)
    shape, wanted = tuple(g.shape), tuple(arg.shape)
    if len(shape) != len(wanted) or any(None not in (a, b) and a != b for a, b in zip(shape, wanted, strict=True)):
        raise ShapeError(
            f"custom_gradient: the gradient of argument {place} has shape {shape}, expected {wanted}, that of the "
            "argument. Sum it over the axes along which the argument was broadcast."
        )
    return g if dtypes.canonical(g.dtype) == dtype else cast(g, dtype)
