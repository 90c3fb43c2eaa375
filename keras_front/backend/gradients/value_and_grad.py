"""`value_and_grad`: a loss and its gradients, by the engine's own means where it has them, otherwise by the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import nest
from keras_front.backend import discovery, scopes, state, symbolic
from keras_front.backend.gradients.backward import differentiate, ops_behind
from keras_front.backend.op import Facts, Operation, register
from keras_front.backend.operands import recorded
from keras_front.backend.ops import recurrence
from keras_front.backend.ops.elementwise import identity
from keras_front.backend.ops.recurrence import Body
from keras_front.backend.symbolic import OpCall


class ValueAndGrad(Operation):
    """The op that differentiates a recorded function with the engine's own means; args (params, captured)."""

    name, kind, facts = "value_and_grad", "primitive", Facts(has_body=True)

    def record(self, loss: Any, aux: Any, params: list[Any], leaves: list[Any], first: int) -> Any:
        """One op for a loss and aux computed from `leaves`, copies of `params`, since the serial number `first`."""
        flat = [t for t in nest.flatten(aux) if t is not None]
        captured = recurrence._captured((loss, *flat), set(leaves), first)
        origin = OpCall(self, (list(params), captured), {"body": Body(leaves, [], [loss], flat, captured)})
        new_loss = origin.add_output(loss.shape, loss.dtype)
        new_aux = [origin.add_output(t.shape, t.dtype) for t in flat]
        grads = [origin.add_output(p.shape, p.dtype) for p in params]
        origin.structure = ((new_loss, new_aux), grads)
        table = dict(zip(flat, new_aux, strict=True))
        return (new_loss, nest.map_structure(lambda t: t if t is None else table[t], aux)), grads

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        params, captured = args
        body = attrs["body"]

        def fn(values: Any) -> Any:
            (loss,), aux = body.run(values, [], captured)
            return loss, aux

        return nest.flatten(value_and_grad(fn, params))

    def by_rules(self, origin: OpCall) -> list[Any]:
        """The same results computed by the rules of `gradients`."""
        params, captured = origin.args
        leaves = [identity(p) for p in params]
        (loss,), aux = origin.attrs["body"].run(leaves, [], captured)
        return [loss, *aux, *differentiate(loss, leaves)]


VALUE_AND_GRAD = register(ValueAndGrad())


def value_and_grad(fn: Callable[..., Any], params: Sequence[Any]) -> Any:
    """A loss and its gradients: ((loss, aux), gradients), or (loss, gradients) where `fn` gives a loss alone.

    Works on real tensors, and inside a compiled function. A parameter that the loss does not use has gradient zero.
    A variable among `params` has the value that `fn` is given while it runs, so `fn` may simply call layers. One that
    `fn` assigns keeps that value; its gradient is that for the value which was given.

    Args:
        fn: a function of a list of tensors, one for each of `params`; it gives a scalar loss, or a pair of that and any
            nesting of tensors.
        params: variables or float tensors.

    Returns: the loss, with aux if there is one, and a list of gradients shaped as `params`.

    Example:
        >>> w = K.variable([1.0, 2.0])
        >>> (loss, aux), (gradient,) = value_and_grad(lambda ws: (K.sum(K.square(ws[0])), ws[0] + 1), [w])
        >>> float(loss), np.asarray(gradient).tolist()
        (5.0, [2.0, 4.0])
    """
    variables = {i: p for i, p in enumerate(params) if isinstance(p, state.Variable)}
    params = [p.read() if isinstance(p, state.Variable) else p for p in params]
    before = scopes.snapshot()
    changed: list[tuple[Any, Any]] = []
    assigned: list[Any] = []
    alone: list[bool] = []

    def whole(values: list[Any]) -> Any:
        with state.bind(list(variables.values()), [values[i] for i in variables], collect=False) as frame:
            given = dict(frame.table)
            found = fn(values)
        assigned[:] = [variable for variable, value in given.items() if frame.table[variable] is not value]
        alone[:] = [not isinstance(found, tuple | list)]
        loss, aux = (found, None) if alone[0] else found
        changed[:] = scopes.changes_since(before)
        return loss, (aux, [table[key] for table, key in changed], [frame.table[variable] for variable in assigned])

    (loss, (aux, new, kept)), grads = _differentiated(whole, params)
    for variable, value in zip(assigned, kept, strict=True):
        variable.assign(value)
    for (table, key), value in zip(changed, new, strict=True):
        table[key] = value  # as it is seen from outside: what was computed inside stays there
    return (loss if alone[0] else (loss, aux)), grads


def _differentiated(fn: Callable[..., Any], params: list[Any]) -> Any:
    running = scopes.tracing()
    if running is None and not any(map(symbolic.is_symbolic, params)):
        backend = discovery.active()
        return backend.value_and_grad(fn, [backend.convert(p) for p in params])
    # The loss is recorded on copies, so that a parameter which is used outside too stays what it is there.
    leaves = [identity(p) for p in params]
    first = scopes.next_serial()
    loss, aux = nest.map_structure(recorded, tuple(fn(list(leaves))))
    if running is None or not running.backend.differentiates:
        return (loss, aux), differentiate(loss, leaves)
    if running.backend.prefers_rules(ops_behind([loss], leaves)):
        return (loss, aux), differentiate(loss, leaves)
    return VALUE_AND_GRAD.record(loss, aux, params, leaves, first)


def gradients_by_rules(fn: Callable[..., Any], params: Sequence[Any]) -> Any:
    """(value, gradients) of a function by K's own rules, also on an engine that could differentiate by itself.

    It works inside a function that is being traced, such as one given to `K.compile`.

    Args:
        fn: a function of a list of tensors that gives one tensor; its sum is differentiated.
        params: tensors of the trace.

    Returns: what `fn` gives, and a list of gradients shaped as `params`.

    Example:
        >>> f = K.compile(lambda x: gradients_by_rules(lambda xs: K.square(xs[0]), [x])[1][0])
        >>> np.asarray(f(np.float32(3))).tolist()
        6.0
    """
    value = recorded(fn(list(params)))
    return value, differentiate(value, params)
