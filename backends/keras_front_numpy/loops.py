"""Writing the lines that carry state: loops over time, and updates of all weights at once.

A `scan` becomes a `for` loop in the text. What its body computes lies in buffers that every step uses again;
carried tensors have memory of their own, which the body updates like a donated state; steps of inputs and
results are views cut before the program runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from . import lines
from .kernels import recurrent_layers, updates
from .memory import Root, Value, same_memory
from .rewriting import rewritten

# Loops ---------------------------------------------------------------------------------------------------------


def write_scan(plan: Any, line: Any) -> None:
    init, xs, captured = line.args
    body = line.body
    finals, stacked = line.structure
    steps = _length(line)
    outer = [plan.value(t) for t in captured]
    sources = [plan.value(t) for t in xs]
    carried = [_carry(plan, t, start) for t, start in zip(finals, init, strict=True)]
    stacks = [plan.out(t) if plan.uses[t] else None for t in stacked]
    saved = plan.enter()
    carry_leaves, x_leaves, captured_leaves = body.args
    variables, sequences = _sequences(plan, line, zip(x_leaves, sources, strict=True), steps)
    for leaf, value in zip(captured_leaves, outer, strict=True):
        plan.values[leaf] = Value(value.expr, value.shape, value.dtype, value.array)
    for leaf, value in zip(carry_leaves, carried, strict=True):
        plan._hold(leaf, value.array, "c", Root(None, pinned=True))
    next_carry, ys = body.results
    plan.prepare(rewritten(body.instructions, [*next_carry, *ys]), (next_carry, ys))
    plan.pair(dict(zip(carry_leaves, next_carry, strict=True)))
    early, late = _outputs(plan, line, ys, stacks, variables, sequences, steps)
    _head(plan, variables, sequences, steps)
    plan.indent += "    "
    for target, tensor in early:
        plan.put(f"{plan.use('copyto', np.copyto)}({target}, {plan.value(tensor).expr})")
        plan.uses[tensor] -= 1
    for inner in plan.body:
        plan.write(inner)
    late += [(name, y) for y, name in plan.steps.items() if plan.value(y).expr != name]  # written elsewhere after all
    for target, tensor in late:
        plan.put(f"{plan.use('copyto', np.copyto)}({target}, {plan.value(tensor).expr})")
    plan.move_pairs()
    if not (plan.body or early or late) and plan.text[-1].rstrip().endswith(":"):
        plan.put("pass")
    plan.leave(saved)
    for tensor in (*finals, *stacked):
        if not plan.uses[tensor]:
            plan.release(tensor)


def _length(line: Any) -> int:
    xs = line.args[1]
    return int(xs[0].shape[0] if xs else line.attrs["length"])


def _carry(plan: Any, tensor: Any, start: Any) -> Any:
    """Memory for a carried tensor, with its first value."""
    source = plan.value(start)
    array, root = plan.places[tensor] if tensor in plan.places else plan.pool.take(tensor.shape, tensor.dtype)
    value = plan._hold(tensor, array, "b", root)
    plan.put(f"{plan.use('copyto', np.copyto)}({value.expr}, {source.expr})", value.shape)
    return value


def _sequences(plan: Any, line: Any, pairs: Any, steps: int) -> tuple[list[str], list[str]]:
    """The loop variables of the inputs that the body uses, and what they run over."""
    variables, sequences = [], []
    for leaf, source in pairs:
        name = plan.name("t")
        plan.values[leaf] = Value(name, leaf.shape, leaf.dtype)
        variables.append(name)
        sequences.append(_cut(plan, source, line.attrs["reverse"], steps))
    return variables, sequences


def _cut(plan: Any, value: Any, reverse: bool, steps: int) -> str:
    order = range(steps)[::-1] if reverse else range(steps)
    if value.array is None:
        whole = f"{value.expr}[::-1]" if reverse else value.expr
        return whole if len(value.shape) > 1 else f"{plan.use('rows', _rows)}({whole})"
    return plan.bind([value.array[i, ...] for i in order], "steps")


def _rows(vector: np.ndarray) -> list[np.ndarray]:
    """The elements of a vector as arrays that can be written to; iterating it would give numbers."""
    return [vector[i, ...] for i in range(len(vector))]


def _outputs(
    plan: Any, line: Any, ys: Any, stacks: Any, variables: list[str], sequences: list[str], steps: int
) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """Where results of steps go.

    What the body computes is written in place; a leaf is copied: carried ones first, before they change.
    """
    early, late = [], []
    own = set(plan.made)
    carried = set(plan.pairs)
    for y, stack in zip(ys, stacks, strict=True):
        if stack is None:
            continue
        name = plan.name("y")
        variables.append(name)
        sequences.append(_cut(plan, stack, line.attrs["reverse"], steps))
        if y in own and y not in plan.steps and plan.made[y].op in WRITES:
            plan.steps[y] = name
        elif y in carried or y in plan.values:
            early.append((name, y))
        else:
            late.append((name, y))
    return early, late


def _head(plan: Any, variables: list[str], sequences: list[str], steps: int) -> None:
    if not variables:
        plan.put(f"for _ in range({steps}):")
    elif len(variables) == 1:
        plan.put(f"for {variables[0]} in {sequences[0]}:", f"{steps} steps")
    elif all(s.startswith("steps") for s in sequences):
        rows = plan.bind(list(zip(*(plan.scope[s] for s in sequences), strict=True)), "steps")
        plan.put(f"for {', '.join(variables)} in {rows}:", f"{steps} steps")
    else:
        plan.put(f"for {', '.join(variables)} in zip({', '.join(sequences)}):", f"{steps} steps")


# Ops whose writers put their result where `Plan.out` says
WRITES = frozenset(
    {
        *lines.UFUNCS, *lines.REDUCE, "relu", "sigmoid", "erf", "sum", "matmul", "concatenate", "gather", "scatter_add",
        "conv", "conv_input_gradient", "conv_kernel_gradient", "max_pool", "average_pool", "average_pool_gradient",
        "cumsum", "cumprod", "argmax", "argmin", "pad",
    }
)  # fmt: skip


# Recurrent layers ----------------------------------------------------------------------------------------------


def _layer(plan: Any, line: Any, kind: str, args: Any) -> tuple[str, bool]:
    """The kernel of a layer, and whether it is new; forward and backward share one, which remembers the steps."""
    key = (kind, *args, *sorted(line.attrs.items()))
    known = key in plan._bound
    if not known:
        kernel = recurrent_layers.layer_for(kind, args, line.attrs)
        plan._bound[key] = plan.bind(kernel, kind)
    return plan._bound[key], not known


def write_sequence(plan: Any, line: Any) -> None:
    name, _ = _layer(plan, line, line.op.removesuffix("_sequence"), tuple(line.args))
    args = [lines.optional(plan, t) for t in line.args]
    outs = [plan.out(t).expr for t in line.outs]
    plan.put(f"{name}.forward(({', '.join(args)}), ({', '.join(outs)}))", line.outs[0].shape)


def write_sequence_gradient(plan: Any, line: Any) -> None:
    kind = line.op.removesuffix("_sequence_gradient")
    count = recurrent_layers.RESULTS[kind]
    name, new = _layer(plan, line, kind, tuple(line.args[count:]))
    args = [lines.optional(plan, t) for t in line.args]
    if new:  # nobody asked for the results of this layer, so the steps are not known yet
        lines.write_any(plan, line)
        return
    outs = [plan.out(t).expr for t in line.outs]
    gs, args = args[:count], args[count:]
    plan.put(f"{name}.backward(({', '.join(gs)}), ({', '.join(args)}), ({', '.join(outs)}))", line.args[0].shape)


write_lstm_sequence = write_conv_lstm_sequence = write_gru_sequence = write_simple_rnn_sequence = write_sequence
write_lstm_sequence_gradient = write_conv_lstm_sequence_gradient = write_sequence_gradient
write_gru_sequence_gradient = write_simple_rnn_sequence_gradient = write_sequence_gradient


# Updates -------------------------------------------------------------------------------------------------------


def write_sgd_update(plan: Any, line: Any) -> None:
    params, grads, moments, lr = line.args
    attrs = line.attrs
    slots = [moments] if moments else []
    write_update(
        plan,
        line,
        params,
        grads,
        slots,
        [lr],
        lambda pieces: updates.plan_sgd(pieces, attrs["momentum"], attrs["nesterov"]),
    )


def write_rmsprop_update(plan: Any, line: Any) -> None:
    params, grads, squares, lr = line.args
    attrs = line.attrs
    write_update(
        plan,
        line,
        params,
        grads,
        [squares],
        [lr],
        lambda pieces: updates.plan_rmsprop(pieces, attrs["rho"], attrs["epsilon"]),
    )


def write_adam_update(plan: Any, line: Any) -> None:
    params, grads, ms, vs, vhats, lr, t = line.args
    attrs = line.attrs
    slots = [ms, vs, *([vhats] if vhats else [])]

    def make(pieces: Any) -> Any:
        return updates.plan_adam(pieces, attrs["beta_1"], attrs["beta_2"], attrs["epsilon"])

    write_update(plan, line, params, grads, slots, [lr, t], make)


def write_update(plan: Any, line: Any, params: Any, grads: Any, slots: Any, scalars: Any, make: Any) -> None:
    """In place over the state, if nobody needs its old values any more; otherwise as the adapter does it."""
    new = [group for group in line.structure if group]
    old = [params, *slots]
    if not _in_place(plan, old, new):
        lines.write_any(plan, line)
        return
    for g, piece in zip(grads, plan.gradients[id(line)][1], strict=True):
        value = plan.value(g)
        if not same_memory(value.array, piece):
            plan.put(f"{plan.use('copyto', np.copyto)}({plan.bind(piece, 'g')}, {value.expr})")
    run = plan.bind(make(_pieces(plan, line, old)), line.op + "_")
    plan.use("sqrt", np.sqrt)
    plan.put(f"{run}({', '.join(plan.value(s).expr for s in scalars)})", f"{len(params)} weights")
    for befores, afters in zip(old, new, strict=True):
        for before, after in zip(befores, afters, strict=True):
            held = plan.values[before]
            plan._hold(after, held.array, "s", held.root)


def _in_place(plan: Any, old: Any, new: Any) -> bool:
    """Whether all weights and slots are state that this line alone still uses, and whose place the results take."""
    if [len(g) for g in old] != [len(g) for g in new]:
        return False
    for befores, afters in zip(old, new, strict=True):
        for before, after in zip(befores, afters, strict=True):
            if plan.pairs.get(before) is not after or not plan._free_for(before, 1):
                return False
    return True


def _pieces(plan: Any, line: Any, old: Any) -> list[tuple[np.ndarray, ...]]:
    """(weights, gradients, slots...): flat, if all lie side by side, else one by one."""
    whole, pieces = plan.gradients[id(line)]
    spans = [plan.arena.span([plan.place_of[t] for t in group]) for group in old]
    if all(span is not None and span.size == whole.size and span.dtype == whole.dtype for span in spans):
        return [(spans[0], whole, *spans[1:])]
    arrays = [[plan.values[t].array for t in group] for group in old]
    return [(p, g, *rest) for g, p, *rest in zip(pieces, *arrays, strict=True)]


def users_of(body: Any) -> tuple[Any, Any]:
    """(how often each tensor is used, by which lines)."""
    uses: Counter[Any] = Counter()
    users: defaultdict[Any, list[Any]] = defaultdict(list)
    for line in body:
        for tensor in line.inputs():
            uses[tensor] += 1
            users[tensor].append(line)
    return uses, users
