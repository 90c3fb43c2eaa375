"""The backward pass through a record, which applies the rules; the gradient of a loop is a loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keras_front.backend import dtypes, scopes, shapes, symbolic
from keras_front.backend.gradients.table import GRADIENT, zeros
from keras_front.backend.ops import arrangement, elementwise, recurrence
from keras_front.backend.ops.arrangement import reshape
from keras_front.backend.ops.elementwise import add, cast
from keras_front.backend.ops.reduction import sum
from keras_front.backend.symbolic import OpCall, SymbolicTensor


def vjp(outputs: Sequence[Any], cotangents: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """For each target the gradient of `sum(outputs * cotangents)`, None where nothing flows.

    A target that was computed from another one passes its gradient on to that.
    """
    stop = _first_ones(targets)
    order = ops_behind(outputs, stop)
    active = {_source(t, stop) for t in targets}
    for origin in order:
        if any(_source(t, stop) in active for t in origin.tensors()):
            active.update(t for t in origin.outputs if dtypes.is_float(t.dtype))
    grads: dict[SymbolicTensor, Any] = {}
    for tensor, g in zip(outputs, cotangents, strict=True):
        source = _source(tensor, stop)
        if source in active and g is not None:
            _accumulate(grads, source, g)
    for origin in reversed(order):
        if any(t in grads for t in origin.outputs):
            with scopes.recorded_for(origin.serial):
                _backward(origin, grads, active, stop)
    return [grads.get(_source(t, stop)) for t in targets]


def _first_ones(targets: Sequence[Any]) -> set[SymbolicTensor]:
    """The targets that were not computed from other targets."""
    every = set(targets)
    return {t for t in every if t.origin is None or every.isdisjoint(symbolic.ancestors(t.origin.tensors()))}


def _source(tensor: SymbolicTensor, stop: set[SymbolicTensor]) -> SymbolicTensor:
    """The tensor behind the results of composites without a rule: the one in their bodies."""
    while tensor not in stop and tensor.origin is not None and _expands(tensor.origin):
        tensor = tensor.origin.expansion[tensor.index]  # type: ignore[index]
    return tensor


def _expands(origin: OpCall) -> bool:
    if origin.op.name == "value_and_grad" and origin.expansion is None:
        origin.expansion = origin.op.by_rules(origin)  # an engine's own gradient is differentiated by the rules
    return origin.expansion is not None and (origin.op is recurrence.SCAN or origin.op.name not in GRADIENT)


def _backward(origin: OpCall, grads: dict[SymbolicTensor, Any], active: set[Any], stop: set[Any]) -> None:
    gs = [grads.get(t) for t in origin.outputs]
    if origin.op is recurrence.SCAN:
        flows = _scan_gradient(origin, gs)
    elif origin.op.name in GRADIENT:
        flows = _apply(origin, gs)
    else:
        return
    for arg, flow in zip(symbolic.leaves_of(origin.args), flows, strict=True):
        source = _source(arg, stop)
        if flow is not None and source in active:
            _accumulate(grads, source, unbroadcast(flow, arg.shape))


def _apply(origin: OpCall, gs: list[Any]) -> list[Any]:
    rule = GRADIENT[origin.op.name]
    single = len(origin.outputs) == 1 and not isinstance(origin.structure, list | tuple)
    if single:
        flows = rule(gs[0], origin.outputs[0], *origin.args, **origin.attrs)
    else:
        filled = [g if g is not None else zeros(t) for g, t in zip(gs, origin.outputs, strict=True)]
        flows = rule(filled, origin.outputs, *origin.args, **origin.attrs)
    flat: list[Any] = []
    for arg, flow in zip(origin.args, flows, strict=True):
        if isinstance(arg, list):
            flat.extend(flow if flow is not None else [None] * len(arg))
        elif arg is not None:
            flat.append(flow)
    return flat


def _accumulate(grads: dict[SymbolicTensor, Any], tensor: SymbolicTensor, g: Any) -> None:
    if g.dtype != tensor.dtype:
        g = cast(g, tensor.dtype)
    grads[tensor] = add(grads[tensor], g) if tensor in grads else g


def unbroadcast(g: Any, shape: shapes.Shape) -> Any:
    """A gradient summed over the axes along which its argument of `shape` was broadcast."""
    extra = len(g.shape) - len(shape)
    ones = tuple(i + extra for i, d in enumerate(shape) if d == 1 and g.shape[i + extra] != 1)
    if extra and not ones:
        g = sum(g, axis=tuple(range(extra)))
    elif ones:
        g = sum(g, axis=(*range(extra), *ones), keepdims=True)
    return reshape(g, shape) if tuple(g.shape) != tuple(shape) else g


def ops_behind(outputs: Sequence[Any], targets: Iterable[Any]) -> list[OpCall]:
    """The records through which `outputs` depend on anything but `targets`, as the rules would walk them."""
    stop = set(targets)
    return symbolic.toposort(outputs, stop, lambda tensor: _source(tensor, stop))


def differentiate(loss: Any, targets: Sequence[Any]) -> list[Any]:
    """Gradients of the sum of `loss` for `targets`, zeros where nothing flows."""
    ones = arrangement.filled(1, loss.shape, loss.dtype)
    flows = vjp([loss], [ones], targets)
    return [g if g is not None else zeros(t) for g, t in zip(flows, targets, strict=True)]


# Loops ---------------------------------------------------------------------------------------------------------


def _scan_gradient(origin: OpCall, gs: list[Any]) -> list[Any]:
    """Run the loop backwards.

    The forward loop is replaced by one that also keeps the carry of every step, from which each step is computed again
    in the backward pass.
    """
    init, xs, captured = origin.args
    body, reverse, length = origin.attrs["body"], origin.attrs["reverse"], origin.attrs["length"]
    n_carry, n_ys = len(init), len(body.ys)
    kept = recurrence.Body(body.carry, body.xs, body.next_carry, [*body.ys, *body.carry], body.captured)
    finals, ys = recurrence.SCAN._origin(kept, init, xs, captured, reverse, length)
    origin.expansion = [*finals, *ys[:n_ys]]
    gs = [g if g is not None else zeros(t) for g, t in zip(gs, origin.outputs, strict=True)]
    sizes = (n_carry, len(xs), n_carry, n_ys)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        g_carry, totals = carry[:n_carry], carry[n_carry:]
        here, x_now, _, g_ys = _split([*x[: sizes[0] + sizes[1]], *[None] * n_carry, *x[sizes[0] + sizes[1] :]], sizes)
        flow = _body_vjp(body, here, x_now, captured, g_carry, g_ys)
        g_here, g_x, g_captured = _split(flow, (n_carry, len(xs), len(captured)))
        return [*g_here, *(add(a, b) for a, b in zip(totals, g_captured, strict=True))], g_x

    start = [*gs[:n_carry], *(zeros(t) for t in captured)]
    final, g_xs = recurrence.scan(step, start, [*ys[n_ys:], *xs, *gs[n_carry:]], not reverse, length)
    return [*final[:n_carry], *g_xs, *final[n_carry:]]


def _body_vjp(body: Any, carry: Any, x: Any, captured: Any, g_carry: Any, g_ys: Any) -> list[Any]:
    """Gradients for carry, x and captured of one step, as zeros where there is none."""
    fresh = [elementwise.identity(t) for t in (*carry, *x, *captured)]
    n, m = len(carry), len(carry) + len(x)
    next_carry, ys = body.run(fresh[:n], fresh[n:m], fresh[m:])
    flow = vjp([*next_carry, *ys], [*g_carry, *g_ys], fresh)
    return [g if g is not None else zeros(t) for g, t in zip(flow, fresh, strict=True)]


def _split(items: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    parts, start = [], 0
    for size in sizes:
        parts.append(list(items[start : start + size]))
        start += size
    return parts
