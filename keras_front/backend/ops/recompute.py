"""`recompute`: functions whose inner results are not kept for the gradient but computed a second time for it.

On real tensors the engine does it (`Backend.recompute`). While tracing, the function runs once on symbols and its
record is kept as a body. Where an engine differentiates by itself, the body stays whole in the program. Where the rules
differentiate, the body is run again behind a `barrier`, which ties it to the gradient that flows in: so it is not the
same as the first run, is not shared with it, and is not computed before that gradient is there.

Source: Chen et al. (2016), "Training Deep Nets with Sublinear Memory Cost"; `jax.checkpoint`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from keras_front.backend import discovery, operands, scopes, symbolic
from keras_front.backend.op import Facts, Operation, register
from keras_front.backend.ops.recurrence import Body, _Older
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.nest import flatten, map_structure


class Recompute(Operation):
    """The op behind `recompute`, of a function from a list to a list.

    Recorded with args (args, captured) and the attr body.
    """

    name, kind, facts = "recompute", "primitive", Facts(has_body=True)
    arrays = (("args", "many"), ("captured", "many"))

    def __call__(self, fn: Callable[[list[Any]], list[Any]], args: Sequence[Any]) -> list[Any]:
        if scopes.tracing() or any(map(symbolic.is_symbolic, args)):
            return self.record(fn, [operands.as_symbol(a) for a in args])
        return list(discovery.active().recompute(lambda xs, _: fn(xs), list(args), None))

    def record(self, fn: Callable[[list[Any]], list[Any]], args: list[Any]) -> list[Any]:
        first = scopes.next_serial()
        leaves = [SymbolicTensor(a.shape, a.dtype) for a in args]
        results = [operands.as_symbol(r) for r in fn(list(leaves))]
        captured = _captured(results, set(leaves), first)
        body = Body(leaves, [], results, [], captured)
        origin = OpCall(self, (args, captured), {"body": body})
        origin.structure = [origin.add_output(r.shape, r.dtype) for r in results]
        origin.expansion = body.run(args, [], captured)[0]
        return list(origin.structure)

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        given, captured = args
        body, count = attrs["body"], len(given)
        return self(lambda xs: body.run(xs[:count], [], xs[count:])[0], [*given, *captured])


class Barrier(Operation):
    """The op of `barrier`: args (xs, after)."""

    name, kind, facts = "barrier", "primitive", Facts(pure=False)
    arrays = (("xs", "many"), ("after", "many"))

    def __call__(self, xs: Sequence[Any], after: Sequence[Any]) -> list[Any]:
        if not scopes.tracing() and not any(map(symbolic.is_symbolic, [*xs, *after])):
            return list(discovery.active().barrier(list(xs), list(after)))
        origin = OpCall(self, (list(xs), list(after)), {})
        origin.structure = [origin.add_output(x.shape, x.dtype) for x in xs]
        return list(origin.structure)

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        return self(*args)


RECOMPUTE = register(Recompute())
BARRIER = register(Barrier())


def _captured(results: Sequence[SymbolicTensor], own: set[SymbolicTensor], first: int) -> list[SymbolicTensor]:
    """What a body reads from outside: what was recorded before it, and leaves. All else is computed again."""
    order = symbolic.toposort(results, _Older(first, own))
    inside = own.union(*(origin.outputs for origin in order))
    read = [t for origin in order for t in origin.tensors()]
    return list(dict.fromkeys(t for t in (*read, *results) if t not in inside and t.constant is None))


def barrier(xs: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """Tensors equal to others, which a program treats as new ones that are made later than some.

    Args:
        xs: tensors.
        after: tensors that must be there before.

    Returns: as many tensors as `xs`.
    """
    return BARRIER(xs, after)


def recompute(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`fn(*args, **kwargs)`, whose inner results are computed again for the gradient instead of being kept.

    It takes the memory of arguments and results, and one more forward pass through `fn` where a gradient is wanted.
    Results, gradients, noise (the same masks of dropout) and assignments are those of a plain call.

    Args:
        fn: a function of tensors: it may call layers, draw noise, assign variables.
        *args: its arguments; tensors may be nested in lists, tuples and dicts.
        **kwargs: those by name.

    Returns: what `fn` returns.

    Source: `jax.checkpoint`, `torch.utils.checkpoint`, `tf.recompute_grad`; Keras 3.15, `keras.remat`.
    Example:
        >>> from keras_front import backend as K
        >>> loss = lambda ws: (K.sum(recompute(lambda w: K.square(K.sin(w)), ws[0])), None)
        >>> (value, _), (gradient,) = K.value_and_grad(loss, [K.constant([0.0, 1.0])])
        >>> round(float(value), 4), [round(float(g), 4) for g in np.asarray(gradient)]
        (0.7081, [0.0, 0.9093])
    """
    given = [args, kwargs]
    tensors = [operands.as_symbol_or_tensor(t) for t in flatten(given) if _is_tensor(t)]
    run = _Run(lambda here: fn(*here[0], **here[1]), given)
    results = iter(RECOMPUTE(run, tensors))
    result = map_structure(lambda t: next(results) if _is_tensor(t) else t, run.result)
    for variable in run.assigned:
        variable.assign(next(results))
    for _ in range(run.losses):
        scopes.add_loss_to_frame(next(results))
    return result


class _Run:
    """A function from a list of tensors to a list of tensors that may run twice, with the same values and noise.

    Args:
        fn: a function of nested tensors.
        given: what it is called on; tensors take the places of those in it.

    Attributes:
        result: what the function returned. Its tensors come first in the list of results.
        assigned: the variables that it assigned, whose new values come then.
        losses: how many losses layers reported in it; they come last.
    """

    def __init__(self, fn: Callable[[Any], Any], given: Any):
        self.fn, self.given = fn, given
        self.values: dict[Any, Any] = {}
        for _, table, _ in reversed(scopes.snapshot()):
            self.values.update(table)
        self.drawn: list[int] = []
        self.result: Any = None
        self.assigned: list[Any] = []
        self.losses = 0

    def __call__(self, tensors: list[Any]) -> list[Any]:
        items = iter(tensors)
        frame = scopes.Frame(dict(self.values), None, True, True)
        with scopes.frame_scope(frame), scopes.same_noise(self.drawn):
            result = self.fn(map_structure(lambda t: next(items) if _is_tensor(t) else t, self.given))
        self.result, self.losses = result, len(frame.losses)
        self.assigned = [v for v, value in frame.table.items() if value is not self.values.get(v)]
        found = [*flatten(result), *(frame.table[v] for v in self.assigned), *frame.losses]
        return [operands.as_symbol_or_tensor(t) for t in found if _is_tensor(t)]


def _is_tensor(item: Any) -> bool:
    return isinstance(item, SymbolicTensor) or hasattr(item, "variable_symbol") or discovery.owner(item) is not None


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` as a function that is computed again for its gradient: `recompute` by the name of Keras 3.

    Args:
        f: a function of tensors, or a layer.

    Returns: a function of the same arguments.

    Source: Keras 3.15, `keras.remat`.
    """
    return functools.wraps(f)(lambda *args, **kwargs: recompute(f, *args, **kwargs))
