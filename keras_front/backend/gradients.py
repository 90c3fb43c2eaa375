"""Derivatives: one table of rules, written in K, and the walk that applies them.

A rule gets the gradient of the result, the result, the arguments and the attributes, and answers with the gradient for
each argument (None where there is none). Rules work on recorded tensors of known shape; being made of ops they can be
differentiated again. Broadcasting is undone once, in `vjp`, never inside a rule. An op that is not in the table passes
no gradient; a composite without a rule is differentiated through its body.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes, symbolic
from keras_front.backend.ops import (
    arrangement,
    convolution,
    elementwise,
    indexing,
    linear,
    neural,
    recurrence,
    reduction,
)
from keras_front.backend.ops.arrangement import (
    broadcast_to,
    concatenate,
    flip,
    pad,
    permute_dimensions,
    reshape,
    strided_slice,
)
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    cos,
    divide,
    equal,
    exp,
    greater,
    less,
    log,
    multiply,
    negative,
    power,
    sign,
    sin,
    subtract,
    where,
)
from keras_front.backend.ops.reduction import cumprod, cumsum, sum
from keras_front.backend.symbolic import Origin, SymbolicTensor

Rule = Callable[..., Any]
GRADIENT: dict[str, Rule] = {}


def gradient_of(name: str) -> Callable[[Rule], Rule]:
    """Register the rule of an op."""

    def register(rule: Rule) -> Rule:
        GRADIENT[name] = rule
        return rule

    return register


# Elementwise ---------------------------------------------------------------------------------------------------

GRADIENT.update(
    add=lambda g, out, x, y: (g, g),
    subtract=lambda g, out, x, y: (g, negative(g)),
    multiply=lambda g, out, x, y: (multiply(g, y), multiply(g, x)),
    divide=lambda g, out, x, y: (divide(g, y), negative(divide(multiply(g, out), y))),
    negative=lambda g, out, x: (negative(g),),
    abs=lambda g, out, x: (multiply(g, sign(x)),),
    square=lambda g, out, x: (multiply(multiply(g, x), 2),),
    exp=lambda g, out, x: (multiply(g, out),),
    expm1=lambda g, out, x: (multiply(g, add(out, 1)),),
    log=lambda g, out, x: (divide(g, x),),
    log1p=lambda g, out, x: (divide(g, add(x, 1)),),
    sqrt=lambda g, out, x: (divide(multiply(g, 0.5), out),),
    sin=lambda g, out, x: (multiply(g, cos(x)),),
    cos=lambda g, out, x: (negative(multiply(g, sin(x))),),
    tanh=lambda g, out, x: (multiply(g, subtract(1, multiply(out, out))),),
    sigmoid=lambda g, out, x: (multiply(g, multiply(out, subtract(1, out))),),
    erf=lambda g, out, x: (multiply(multiply(g, 2 / math.sqrt(math.pi)), exp(negative(multiply(x, x)))),),
    where=lambda g, out, c, x, y: (None, where(c, g, 0), where(c, 0, g)),
    identity=lambda g, out, x, name=None: (g,),
    mod=lambda g, out, x, y: (g, negative(multiply(g, elementwise.floor(divide(x, y))))),
)


@gradient_of("relu")
def _(g: Any, out: Any, x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    if max_value is None and threshold == 0 and isinstance(alpha, float | int) and alpha == 0:
        return (elementwise.relu_gradient(g, out),)  # by the result: what x was need not be kept
    inside = multiply(g, cast(greater(x, threshold), g.dtype))
    if max_value is not None:
        inside = where(greater(x, max_value), 0, inside)
    if alpha is None or (isinstance(alpha, float | int) and alpha == 0):
        return (inside,)
    return (add(inside, where(less(x, threshold), multiply(g, alpha), 0)),)


@gradient_of("power")
def _(g: Any, out: Any, x: Any, y: Any) -> Any:
    base = multiply(multiply(g, y), power(x, subtract(y, 1)))
    base = where(equal(y, 0), 0, base)  # x**0 is 1 for every x, 0 included
    exponent = multiply(multiply(g, out), log(where(greater(x, 0), x, 1)))
    return base, exponent


def _share_tie(better: Callable[..., Any]) -> Rule:
    def rule(g: Any, out: Any, x: Any, y: Any) -> Any:
        tie = multiply(cast(equal(x, y), g.dtype), 0.5)  # at a tie both sides get half: the contract, D9
        left = add(cast(better(x, y), g.dtype), tie)
        return multiply(g, left), multiply(g, subtract(1, left))

    return rule


GRADIENT["maximum"], GRADIENT["minimum"] = _share_tie(greater), _share_tie(less)


@gradient_of("cast")
def _(g: Any, out: Any, x: Any, dtype: str) -> Any:
    return (cast(g, x.dtype),)


# Reductions ----------------------------------------------------------------------------------------------------


def _spread(g: Any, x: Any, axis: Any) -> Any:
    """A reduced gradient over the shape of the argument again."""
    axes = shapes.normalize_axes(axis, len(x.shape))
    kept = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
    return broadcast_to(reshape(g, kept), x.shape)


@gradient_of("sum")
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (_spread(g, x, axis),)


@gradient_of("mean")
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return (_spread(multiply(g, 1 / max(reduction.count(x, axis), 1)), x, axis),)


def _extreme(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    hit = cast(equal(x, _spread(out, x, axis)), g.dtype)
    share = divide(hit, sum(hit, axis=axis, keepdims=True))
    return (multiply(_spread(g, x, axis), share),)


GRADIENT["max"] = GRADIENT["min"] = _extreme


@gradient_of("prod")
def _(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = shapes.normalize_axes(axis, len(x.shape))
    rest = tuple(i for i in range(len(x.shape)) if i not in axes)
    moved = permute_dimensions(x, (*rest, *axes))
    flat = reshape(moved, (*(x.shape[i] for i in rest), math.prod(x.shape[i] for i in axes)))
    others = reshape(_product_of_others(flat), moved.shape)
    back = tuple(int(i) for i in np.argsort((*rest, *axes)))
    return (multiply(_spread(g, x, axis), permute_dimensions(others, back)),)


def _product_of_others(x: Any) -> Any:
    """For each element the product of all others along the last axis, right also where some are 0."""
    n = x.shape[-1]
    ones = arrangement.filled(1, (*x.shape[:-1], 1), x.dtype)
    head = (None,) * (len(x.shape) - 1)
    step = (1,) * len(x.shape)
    before = concatenate([ones, strided_slice(cumprod(x, -1), (*head, None), (*head, n - 1), step)], axis=-1)
    backwards = flip(x, (len(x.shape) - 1,))
    after = concatenate([ones, strided_slice(cumprod(backwards, -1), (*head, None), (*head, n - 1), step)], axis=-1)
    return multiply(before, flip(after, (len(x.shape) - 1,)))


@gradient_of("cumsum")
def _(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    place = (shapes.normalize_axis(axis, len(x.shape)),)
    return (flip(cumsum(flip(g, place), axis=axis), place),)


@gradient_of("cumprod")
def _(g: Any, out: Any, x: Any, axis: int = 0) -> Any:
    """Row i of a square holds the running products with x_i taken out; exact where x is 0, quadratic in the length."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    last = permute_dimensions(x, to_last)
    n = last.shape[-1]
    eye = np.eye(n, dtype=bool)
    square = where(eye, 1, broadcast_to(arrangement.expand_dims(last, -2), (*last.shape[:-1], n, n)))
    products = multiply(cumprod(square, axis=-1), cast(np.triu(np.ones((n, n))), x.dtype))
    flow = sum(multiply(products, arrangement.expand_dims(permute_dimensions(g, to_last), -2)), axis=-1)
    return (permute_dimensions(flow, tuple(int(i) for i in np.argsort(to_last))),)


# Arrangement ---------------------------------------------------------------------------------------------------

GRADIENT.update(
    reshape=lambda g, out, x, shape: (reshape(g, x.shape),),
    broadcast_to=lambda g, out, x, shape: (g,),
    permute_dimensions=lambda g, out, x, pattern: (
        permute_dimensions(g, tuple(int(i) for i in np.argsort([p % len(pattern) for p in pattern]))),
    ),
    flip=lambda g, out, x, axes: (flip(g, axes),),
)


@gradient_of("concatenate")
def _(g: Any, out: Any, xs: Any, axis: int = -1) -> Any:
    place, start, grads = shapes.normalize_axis(axis, len(out.shape)), 0, []
    for x in xs:
        low = tuple(start if i == place else None for i in range(len(out.shape)))
        high = tuple(start + x.shape[place] if i == place else None for i in range(len(out.shape)))
        grads.append(strided_slice(g, low, high, (1,) * len(out.shape)))
        start += x.shape[place]
    return (grads,)


@gradient_of("pad")
def _(g: Any, out: Any, x: Any, padding: Any, interior: Any = None, value: float = 0.0) -> Any:
    step = tuple(1 + k for k in (interior or (0,) * len(padding)))
    start = tuple(lo for lo, _ in padding)
    stop = tuple(lo + (d - 1) * s + 1 if d else lo for (lo, _), d, s in zip(padding, x.shape, step, strict=True))
    return (strided_slice(g, start, stop, step),)


@gradient_of("strided_slice")
def _(g: Any, out: Any, x: Any, start: Any, stop: Any, step: Any) -> Any:
    padding = []
    for d, a, b, s in zip(x.shape, start, stop, step, strict=True):
        places = range(*slice(a, b, s).indices(d))
        covered = (len(places) - 1) * s + 1 if len(places) else 0
        low = places.start if len(places) else 0
        padding.append((low, d - low - covered))
    gaps = tuple(s - 1 for s in step)
    return (pad(g, tuple(padding), gaps if any(gaps) else None),)


@gradient_of("gather")
def _(g: Any, out: Any, reference: Any, indices: Any, axis: int = 0) -> Any:
    return indexing.scatter_add(g, indices, reference.shape[axis], axis % len(reference.shape)), None


@gradient_of("scatter_add")
def _(g: Any, out: Any, updates: Any, indices: Any, size: int, axis: int = 0) -> Any:
    return indexing.gather(g, indices, axis=axis), None


@gradient_of("take_along_axis")
def _(g: Any, out: Any, x: Any, indices: Any, axis: int = -1) -> Any:
    """The picks of each index, as vectors of zeros and a one, weighted by their gradients."""
    place, ndim = shapes.normalize_axis(axis, len(x.shape)), len(x.shape)
    to_last = (*(i for i in range(ndim) if i != place), place)
    back = tuple(int(i) for i in np.argsort(to_last))
    g, indices = permute_dimensions(g, to_last), permute_dimensions(indices, to_last)
    hot = indexing.one_hot(indices, x.shape[place], g.dtype)
    return permute_dimensions(sum(multiply(hot, arrangement.expand_dims(g, -1)), axis=-2), back), None


# Matrices and neural kernels -----------------------------------------------------------------------------------


def _t(x: Any) -> Any:
    n = len(x.shape)
    return permute_dimensions(x, (*range(n - 2), n - 1, n - 2))


GRADIENT["matmul"] = lambda g, out, x, y: (linear.matmul(g, _t(y)), linear.matmul(_t(x), g))
GRADIENT["linear"] = lambda g, out, x, kernel, bias: (
    linear.matmul(g, _t(kernel)),
    linear.matmul(_t(x), g),
    sum(g, axis=0),
)


@gradient_of("softmax")
def _(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    weighted = multiply(g, out)
    return (subtract(weighted, multiply(out, sum(weighted, axis=axis, keepdims=True))),)


@gradient_of("log_softmax")
def _(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return (subtract(g, multiply(exp(out), sum(g, axis=axis, keepdims=True))),)


@gradient_of("softmax_crossentropy")
def _(g: Any, out: Any, logits: Any, target: Any) -> Any:
    g = arrangement.expand_dims(g, -1)
    mass = sum(target, axis=-1, keepdims=True)
    flow = multiply(g, subtract(multiply(neural.softmax(logits), mass), target))
    return flow, negative(multiply(g, neural.log_softmax(logits)))


@gradient_of("sigmoid_crossentropy")
def _(g: Any, out: Any, logits: Any, target: Any) -> Any:
    return multiply(g, subtract(elementwise.sigmoid(logits), target)), negative(multiply(g, logits))


@gradient_of("conv")
def _(g: Any, out: Any, x: Any, kernel: Any, **attrs: Any) -> Any:
    return (
        convolution.conv_input_gradient(g, kernel, x.shape, **attrs),
        convolution.conv_kernel_gradient(x, g, kernel.shape, **attrs),
    )


@gradient_of("conv_input_gradient")
def _(g: Any, out: Any, y: Any, kernel: Any, input_shape: Any, **attrs: Any) -> Any:
    return convolution.conv(g, kernel, **attrs), convolution.conv_kernel_gradient(g, y, kernel.shape, **attrs)


@gradient_of("conv_kernel_gradient")
def _(g: Any, out: Any, x: Any, y: Any, kernel_shape: Any, **attrs: Any) -> Any:
    return convolution.conv_input_gradient(y, g, x.shape, **attrs), convolution.conv(x, g, **attrs)


@gradient_of("max_pool")
def _(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.max_pool_gradient(x, g, **attrs),)


@gradient_of("max_pool_gradient")
def _(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_pick(x, g, **attrs)


@gradient_of("max_pool_pick")
def _(g: Any, out: Any, x: Any, y: Any, **attrs: Any) -> Any:
    return None, convolution.max_pool_gradient(x, g, **attrs)


@gradient_of("average_pool")
def _(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return (convolution.average_pool_gradient(g, x.shape, **attrs),)


@gradient_of("average_pool_gradient")
def _(g: Any, out: Any, y: Any, input_shape: Any, **attrs: Any) -> Any:
    return (convolution.average_pool(g, **attrs),)


@gradient_of("lstm_sequence")
def _(g: Any, out: Any, z: Any, h: Any, c: Any, recurrent_kernel: Any, mask: Any = None, **attrs: Any) -> Any:
    return (*recurrence.lstm_sequence_gradient(*g, z, h, c, recurrent_kernel, mask, **attrs), None)


# scan ----------------------------------------------------------------------------------------------------------


def _scan_gradient(origin: Origin, gs: list[Any]) -> list[Any]:
    """Run the loop backwards. The forward loop is replaced by one that also keeps the carry of every step, from which
    each step is computed again on the way back."""
    init, xs, captured = origin.args
    body, reverse, length = origin.attrs["body"], origin.attrs["reverse"], origin.attrs["length"]
    n_carry, n_ys = len(init), len(body.ys)
    kept = recurrence.Body(body.carry, body.xs, body.next_carry, [*body.ys, *body.carry], body.captured)
    finals, ys = recurrence.SCAN._origin(kept, init, xs, captured, reverse, length)
    origin.expansion = [*finals, *ys[:n_ys]]
    gs = [g if g is not None else _zeros(t) for g, t in zip(gs, origin.outputs, strict=True)]
    sizes = (n_carry, len(xs), n_carry, n_ys)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        g_carry, totals = carry[:n_carry], carry[n_carry:]
        here, x_now, _, g_ys = _split([*x[: sizes[0] + sizes[1]], *[None] * n_carry, *x[sizes[0] + sizes[1] :]], sizes)
        flow = _body_vjp(body, here, x_now, captured, g_carry, g_ys)
        g_here, g_x, g_captured = _split(flow, (n_carry, len(xs), len(captured)))
        return [*g_here, *(add(a, b) for a, b in zip(totals, g_captured, strict=True))], g_x

    start = [*gs[:n_carry], *(_zeros(t) for t in captured)]
    final, g_xs = recurrence.scan(step, start, [*ys[n_ys:], *xs, *gs[n_carry:]], not reverse, length)
    return [*final[:n_carry], *g_xs, *final[n_carry:]]


def _body_vjp(body: Any, carry: Any, x: Any, captured: Any, g_carry: Any, g_ys: Any) -> list[Any]:
    """Gradients for carry, x and captured of one step, as zeros where there is none."""
    fresh = [elementwise.identity(t) for t in (*carry, *x, *captured)]
    n, m = len(carry), len(carry) + len(x)
    next_carry, ys = body.run(fresh[:n], fresh[n:m], fresh[m:])
    flow = vjp([*next_carry, *ys], [*g_carry, *g_ys], fresh)
    return [g if g is not None else _zeros(t) for g, t in zip(flow, fresh, strict=True)]


def _split(items: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    parts, start = [], 0
    for size in sizes:
        parts.append(list(items[start : start + size]))
        start += size
    return parts


def _zeros(t: SymbolicTensor) -> Any:
    dtype = t.dtype if dtypes.is_float(t.dtype) else "float32"
    return arrangement.filled(0, t.shape, dtype)


# The walk ------------------------------------------------------------------------------------------------------


def vjp(outputs: Sequence[Any], cotangents: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """For each target the gradient of `sum(outputs * cotangents)`, None where nothing flows."""
    stop = set(targets)
    order = ops_behind(outputs, targets)
    active = set(stop)
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
            _backward(origin, grads, active, stop)
    return [grads.get(t) for t in targets]


def _source(tensor: SymbolicTensor, stop: set[SymbolicTensor]) -> SymbolicTensor:
    """The tensor behind the results of composites without a rule: the one in their bodies."""
    while tensor not in stop and tensor.origin is not None and _expands(tensor.origin):
        tensor = tensor.origin.expansion[tensor.index]  # type: ignore[index]
    return tensor


def _expands(origin: Origin) -> bool:
    if origin.op.name == "value_and_grad" and origin.expansion is None:
        origin.expansion = origin.op.by_rules(origin)  # an engine's own gradient is differentiated by the rules
    return origin.expansion is not None and (origin.op is recurrence.SCAN or origin.op.name not in GRADIENT)


def _backward(origin: Origin, grads: dict[SymbolicTensor, Any], active: set[Any], stop: set[Any]) -> None:
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


def _apply(origin: Origin, gs: list[Any]) -> list[Any]:
    rule = GRADIENT[origin.op.name]
    single = len(origin.outputs) == 1 and not isinstance(origin.structure, list | tuple)
    if single:
        flows = rule(gs[0], origin.outputs[0], *origin.args, **origin.attrs)
    else:
        filled = [g if g is not None else _zeros(t) for g, t in zip(gs, origin.outputs, strict=True)]
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


def ops_behind(outputs: Sequence[Any], targets: Sequence[Any]) -> list[Origin]:
    """The records through which `outputs` depend on anything but `targets`, as the rules would walk them."""
    stop = set(targets)
    return symbolic.order_of(outputs, stop, lambda tensor: _source(tensor, stop))


def differentiate(loss: Any, targets: Sequence[Any]) -> list[Any]:
    """Gradients of the sum of `loss` for `targets`, zeros where nothing flows."""
    ones = arrangement.filled(1, loss.shape, loss.dtype)
    flows = vjp([loss], [ones], targets)
    return [g if g is not None else _zeros(t) for g, t in zip(flows, targets, strict=True)]
