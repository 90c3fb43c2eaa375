"""Loops over time: `scan`, and the classic `rnn` on top of it.

`scan` is the one op that takes a Python function. While tracing, that function runs once, on symbols for one step, and
its record is kept as a `Body`; so a loop is one op however long it is, nothing is unrolled and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import nest
from keras_front.backend import discovery, operands, scopes, symbolic
from keras_front.backend.op import Facts, Operation, register
from keras_front.backend.ops.arrangement import expand_dims, flip, permute_dimensions, stack, zeros_like
from keras_front.backend.ops.elementwise import cast, where
from keras_front.backend.ops.subscript import getitem
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.tracebacks import api_boundary


class Body:
    """The record of one step of a scan: its own leaves, its results, and the outer tensors that it uses."""

    __slots__ = ("captured", "carry", "next_carry", "xs", "ys")

    def __init__(self, carry: list[Any], xs: list[Any], next_carry: list[Any], ys: list[Any], captured: list[Any]):
        self.carry, self.xs, self.next_carry, self.ys, self.captured = carry, xs, next_carry, ys, captured

    def run(self, carry: Sequence[Any], xs: Sequence[Any], captured: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """One step on other tensors: (carry, ys)."""
        values = dict(zip((*self.carry, *self.xs, *self.captured), (*carry, *xs, *captured), strict=True))
        return symbolic.replay((self.next_carry, self.ys), values)


class Scan(Operation):
    """The op behind `scan`; see there. Recorded with args (init, xs, captured) and attrs body, reverse, length."""

    name, kind, facts = "scan", "primitive", Facts(has_body=True)
    arrays = (("init", "many"), ("xs", "many"), ("captured", "many"))

    def __call__(self, fn: Callable[..., Any], init: Any, xs: Any, reverse: bool, length: int | None) -> Any:
        init, xs = [operands.as_symbol_or_tensor(t) for t in init], [operands.as_symbol_or_tensor(t) for t in xs]
        if scopes.tracing() or any(map(symbolic.is_symbolic, (*init, *xs))):
            return self.record(fn, init, xs, reverse, length)
        return discovery.active().scan(fn, init, xs, reverse=reverse, length=length)

    def record(self, fn: Callable[..., Any], init: list[Any], xs: list[Any], reverse: bool, length: Any) -> Any:
        init, xs = [operands.as_symbol(t) for t in init], [operands.as_symbol(t) for t in xs]
        first = scopes.next_serial()
        carry = [SymbolicTensor(t.shape, t.dtype) for t in init]
        leaves = [SymbolicTensor(t.shape[1:], t.dtype) for t in xs]
        next_carry, ys = fn(list(carry), list(leaves))
        next_carry = [_like(operands.as_symbol(n), c) for n, c in zip(next_carry, carry, strict=True)]
        ys = [operands.as_symbol(y) for y in ys]
        captured = _captured((*next_carry, *ys), {*carry, *leaves}, first)
        return self._origin(Body(carry, leaves, next_carry, ys, captured), init, xs, captured, reverse, length)

    def _origin(self, body: Body, init: Any, xs: Any, captured: Any, reverse: bool, length: Any) -> Any:
        origin = OpCall(self, (init, xs, captured), {"body": body, "reverse": reverse, "length": length})
        steps = xs[0].shape[0] if xs else length
        finals = [origin.add_output(t.shape, t.dtype) for t in body.carry]
        return finals, [origin.add_output((steps, *y.shape), y.dtype) for y in body.ys]

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        init, xs, captured = args
        body = attrs["body"]

        def fn(carry: Any, x: Any) -> Any:
            return body.run(carry, x, captured)

        return nest.flatten(self(fn, init, xs, attrs["reverse"], attrs["length"]))


SCAN = register(Scan())


def _like(value: SymbolicTensor, leaf: SymbolicTensor) -> SymbolicTensor:
    """The next value of a carried tensor, which must keep its shape and takes its dtype."""
    if len(value.shape) != len(leaf.shape) or any(
        None not in (a, b) and a != b for a, b in zip(value.shape, leaf.shape, strict=True)
    ):
        raise ShapeError(f"scan: a carried tensor of shape {leaf.shape} became {value.shape}; its shape must stay.")
    return value if value.dtype == leaf.dtype else cast(value, leaf.dtype)


def _captured(outputs: Sequence[SymbolicTensor], own: set[SymbolicTensor], first: int) -> list[SymbolicTensor]:
    """The outer tensors of which a body makes use: older than it, leaves, or computed without its own leaves."""
    found: dict[SymbolicTensor, None] = {}
    depends = set(own)
    order = symbolic.toposort(outputs, _Older(first, own))
    for origin in order:
        if any(t in depends for t in origin.tensors()):
            depends.update(origin.outputs)
    for origin in order:
        if origin.outputs and origin.outputs[0] in depends:
            found.update((t, None) for t in origin.tensors() if t not in depends and t.constant is None)
    found.update((t, None) for t in outputs if t not in depends and t.constant is None)
    return list(found)


class _Older:
    """The tensors at which a walk through a body stops: its own leaves and everything recorded before it began."""

    def __init__(self, first: int, own: set[SymbolicTensor]):
        self.first, self.own = first, own

    def __contains__(self, tensor: SymbolicTensor) -> bool:
        return tensor in self.own or (tensor.origin is not None and tensor.origin.serial < self.first)


@api_boundary
def scan(
    fn: Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]],
    init: Sequence[Any],
    xs: Sequence[Any],
    reverse: bool = False,
    length: int | None = None,
) -> tuple[list[Any], list[Any]]:
    """Carry tensors through a loop: `carry, ys = fn(carry, [x[t] for x in xs])` for each step t.

    Args:
        fn: one step; it takes and returns lists of tensors. The carry keeps its shapes and dtypes.
        init: the first carry, a list of tensors.
        xs: a list of tensors (steps, ...).
        reverse: whether to go from the last step to the first.
        length: the number of steps where `xs` is empty.

    Returns: the last carry, and the ys stacked as (steps, ...), in the order of `xs` also when reversed.

    Example:
        >>> from keras_front import backend as K
        >>> (total,), (sums,) = scan(lambda c, x: ([c[0] + x[0]], [c[0]]), [K.constant(0.0)], [K.constant([1.0, 2.0])])
        >>> float(K.eval(total)), K.eval(sums).tolist()
        (3.0, [0.0, 1.0])
    """
    return SCAN(fn, list(init), list(xs), reverse, length)


# rnn -----------------------------------------------------------------------------------------------------------


@api_boundary
def rnn(
    step_function: Callable[[Any, list[Any]], tuple[Any, list[Any]]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
    zero_output_for_mask: bool = False,
    time_major: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """Iterate `step_function` over the time axis of `inputs`.

    Args:
        step_function: `(x, states + constants) -> (output, new_states)` for one step: x is (batch, ...), states are
            lists.
        inputs: a tensor, or a list of them whose steps are given as a list.
        initial_states: the states before the first step, a list of tensors.
        go_backwards: whether to begin at the last step; the outputs are then in that order.
        mask: bools; at a masked step the states stay, and the output repeats the one before it.
        constants: tensors that are given to every step behind the states.
        unroll: whether to write out every step instead of a loop: for few steps, on engines whose loops are slow.
        input_length: ignored; the number of steps is that of `inputs`.
        zero_output_for_mask: whether the output of a masked step is 0 instead.
        time_major: whether the time axis comes before the batch axis, in inputs, mask and outputs.

    Shape: inputs (batch, time, ...), mask (batch, time) or (batch, time, 1), outputs (batch, time, ...).

    Returns: (last output, outputs, states).

    Raises:
        ShapeError: inputs have fewer than two dimensions.

    Source: Keras 2.3.1, `backend/tensorflow_backend.py`, for the signature.

    Example:
        >>> last, outputs, states = K.rnn(lambda x, s: (x + s[0], [x + s[0]]), np.ones((1, 4, 2)), [np.zeros((1, 2))])
        >>> last.tolist()
        [[4.0, 4.0]]
    """
    if not callable(step_function):
        raise WrongKindError(f"K.rnn: expected step_function to be a function, received {step_function!r:.60}.")
    nested = isinstance(inputs, list | tuple)
    xs = list(inputs) if nested else [inputs]
    if any(len(x.shape) < 2 for x in xs):
        raise ShapeError(f"rnn: expected inputs (batch, time, ...), received shapes {[tuple(x.shape) for x in xs]}.")
    steps = _time_first(xs, mask, time_major, go_backwards)

    def advance(x: list[Any], states: Sequence[Any]) -> tuple[Any, list[Any]]:
        output, new = step_function(x if nested else x[0], [*states, *(constants or [])])
        return output, list(new)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        output, new = advance(x, carry)
        return new, [output]

    def masked_step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        *x, kept = x
        *states, before = carry
        output, new = advance(x, states)
        new = [_masked(kept, n, s) for n, s in zip(new, states, strict=True)]
        output = _masked(kept, output, zeros_like(output) if zero_output_for_mask else before)
        return [*new, output], [output]

    loop, init = _unrolled if unroll else scan, list(initial_states)
    if mask is None:
        states, (outputs,) = loop(step, init, steps)
    else:  # the last output is carried too
        first, _ = advance([s[0] for s in steps[: len(xs)]], init)
        (*states, _), (outputs,) = loop(masked_step, [*init, zeros_like(first)], steps)
    return getitem(outputs, -1), outputs if time_major else _swap(outputs), list(states)


def _time_first(xs: list[Any], mask: Any, time_major: bool, go_backwards: bool) -> list[Any]:
    """The inputs and, if there is one, the mask, with the time axis first and in the order of the loop."""
    steps = list(xs)
    if mask is not None:
        if len(mask.shape) == 3:
            mask = getitem(mask, (builtin_slice(None), builtin_slice(None), 0))
        steps.append(cast(mask, "bool"))
    if not time_major:
        steps = [_swap(s) for s in steps]
    return [flip(s, (0,)) for s in steps] if go_backwards else steps


builtin_slice = slice


def _swap(x: Any) -> Any:
    return permute_dimensions(x, (1, 0, *range(2, len(x.shape))))


def _masked(mask: Any, new: Any, old: Any) -> Any:
    """`new` for the samples (axis 0) that the mask keeps, `old` for the others."""
    wide = mask
    for _ in range(len(new.shape) - 1):
        wide = expand_dims(wide, axis=-1)
    return where(wide, new, old)


def _unrolled(fn: Callable[..., Any], init: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any]]:
    steps = xs[0].shape[0]
    if steps is None:
        raise ArgumentError("rnn: unroll=True needs a known number of steps; give the input a fixed length.")
    carry, collected = init, []
    for t in range(steps):
        carry, ys = fn(carry, [getitem(x, t) for x in xs])
        collected.append(ys[0])
    return carry, [stack(collected, axis=0)]
