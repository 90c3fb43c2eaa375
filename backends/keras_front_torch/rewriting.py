"""Rewriting of torch programs before they run: biases join products, results go where dying tensors lie.

torch runs a program line by line, so fewer lines are a faster step, and an optimizer that writes into the tensors it
replaces is several times faster than one that makes new ones. It may do so only if nothing reads the old values
afterwards, neither directly nor through a view; `_Aliases` works out which tensors may share memory. Elementwise ops
write into an argument that the program made itself and that nobody else reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from keras_front.backend import dtypes, shapes, symbolic
from keras_front.backend.ir import Instruction, Program
from keras_front.backend.op import OPS
from keras_front.backend.simplify import Fusion, is_plain_relu

# torch's forms of elementwise ops that write into the first argument. The adapter has them as methods `<op>_in_place`.
IN_PLACE: dict[str, Callable[..., Any]] = {
    "relu": torch.relu_, "add": torch.Tensor.add_, "multiply": torch.Tensor.mul_,
}  # fmt: skip


def rewritten(program: Program, taped: bool = False) -> Program:
    """A program as torch runs it best, those inside it too; `taped` says that autograd watches it."""
    program = _comparing_truths(_kept_apart(program))
    program = program.changed(instructions=[_with_rewritten_body(i, taped) for i in program.instructions])
    program = program if taped else _sharing_scores(program)
    program = _overwriting(_reusing_donated(program), taped)
    whole = [part for i in program.instructions for part in _cut_first(i, taped)]
    return program.changed(instructions=[_spelled(i) for i in whole])


def _with_rewritten_body(instruction: Instruction, taped: bool) -> Instruction:
    if instruction.body is None:
        return instruction
    differentiates = instruction.op == "value_and_grad"
    body = _with_settled_statistics(instruction.body) if differentiates else instruction.body
    return instruction.changed(body=rewritten(body, taped or differentiates))


# Rows for the table of fusions -----------------------------------------------------------------------------------


def _biased(product: Instruction, later: Instruction) -> Instruction | None:
    """`add` of a bias to a `conv` as part of it."""
    shape, bias = tuple(product.outs[0].shape), later.args[1]
    plain = len(product.args) == 2 and "relu" not in product.attrs
    if not plain or product.attrs["data_format"] != "channels_last" or tuple(bias.shape) != shape[-1:]:
        return None
    return later.changed(op="conv", args=[*product.args, bias], attrs=product.attrs)


def _rectified(product: Instruction, later: Instruction) -> Instruction | None:
    """`relu` of a `conv` as part of it: written in place before the result is turned to channels-last."""
    if not is_plain_relu(later):
        return None
    return later.changed(op="conv", args=product.args, attrs={**product.attrs, "relu": True})


def _counted(cast: Instruction, later: Instruction) -> Instruction | None:
    """A sum of truths that became floats for its sake takes them as they are."""
    axis, keepdims, dtype = later.attrs["axis"], later.attrs["keepdims"], later.outs[0].dtype
    if cast.args[0].dtype != "bool" or not dtypes.is_float(dtype) or axis == ():
        return None
    attrs = {"dim": axis, "keepdim": keepdims, "dtype": getattr(torch, dtype)}
    return later.changed(op="sum_over", args=cast.args, attrs=attrs)


def _reduced(losses: Instruction, later: Instruction) -> Instruction | None:
    """The sum or mean of a crossentropy of logits as part of it: torch's function can do that."""
    axis, ndim = later.attrs["axis"], len(losses.outs[0].shape)
    whole = axis is None or (axis != () and len(shapes.normalize_axes(axis, ndim)) == ndim)
    if not whole or later.attrs["keepdims"] or not _alike(losses) or "reduction" in losses.attrs:
        return None
    attrs = {**losses.attrs, "reduction": {"mean": 1, "sum": 2}[later.op]}
    return later.changed(op=losses.op, args=losses.args, attrs=attrs)


def _alike(i: Instruction) -> bool:
    """Whether the first two arguments have the same shape."""
    return tuple(i.args[0].shape) == tuple(i.args[1].shape)


FUSIONS = (
    Fusion("add", "conv", _biased),
    Fusion("relu", "conv", _rectified),
    Fusion("sum", "cast", _counted),
    *(
        Fusion(op, f"{kind}_crossentropy", _reduced)
        for op in ("sum", "mean")
        for kind in ("sigmoid", "clipped_sigmoid")
    ),
)


# Truths as they are ------------------------------------------------------------------------------------------------


def _comparing_truths(program: Program) -> Program:
    """Truths that became floats to be compared with floats are compared as they are, which gives the same."""
    uses = Counter(program.read())
    casts = {i.outs[0]: i for i in program.instructions if i.op == "cast" and i.args[0].dtype == "bool"}
    kept, needless = [], set()
    for i in program.instructions:
        number = i.args[1] if i.op == "equal" else None
        if number in casts and uses[number] == 1 and dtypes.is_float(i.args[0].dtype):
            needless.add(number)
            i = i.changed(args=[i.args[0], casts[number].args[0]])
        kept.append(i)
    return program.changed(instructions=[i for i in kept if not needless.intersection(i.outs)])


# torch's own functions -------------------------------------------------------------------------------------------


def _cut_first(i: Instruction, taped: bool) -> list[Instruction]:
    """A crossentropy of logits that are cut first as two functions of torch; `cut_taped` has a faster gradient."""
    if i.op != "clipped_sigmoid_crossentropy" or not _alike(i):
        return [i]
    logits, target = i.args
    cut = symbolic.SymbolicTensor(logits.shape, logits.dtype)
    bounds = {name: i.attrs[name] for name in ("lowest", "highest")}
    rest = {name: value for name, value in i.attrs.items() if name not in bounds}
    first = Instruction("cut_taped" if taped else "cut", [logits], bounds, [cut], cut)
    return [first, i.changed(op="sigmoid_crossentropy", args=[cut, target], attrs=rest)]


def _sharing_scores(program: Program) -> Program:
    """A softmax beside the crossentropy of the same logits is the exponential of a logarithm that both need."""
    losses = {i.args[0] for i in program.instructions if i.op == "clipped_softmax_crossentropy"}
    shares = {i.args[0] for i in program.instructions if i.op == "softmax" and _is_last_axis(i)}
    scores: dict[Any, Any] = {}
    kept = []
    for i in program.instructions:
        logits = i.args[0] if i.op in ("softmax", "clipped_softmax_crossentropy") else None
        if logits not in losses & shares or (i.op == "softmax" and not _is_last_axis(i)):
            kept.append(i)
            continue
        if logits not in scores:
            scores[logits] = found = symbolic.SymbolicTensor(logits.shape, logits.dtype)
            kept.append(Instruction("log_softmax", [logits], {"axis": -1}, [found], found))
        if i.op == "softmax":
            kept.append(i.changed(op="exp", args=[scores[logits]], attrs={}))
        else:
            kept.append(i.changed(op="loss_of_scores", args=[scores[logits], i.args[1]]))
    return program.changed(instructions=kept)


def _is_last_axis(softmax: Instruction) -> bool:
    return softmax.attrs["axis"] in (-1, len(softmax.args[0].shape) - 1)


def _spelled(i: Instruction) -> Instruction:
    """The function of torch for an op whose attributes need no looking at when the step runs."""
    if i.op == "linear":
        x, kernel, bias = i.args
        return i.changed(op="addmm", args=[bias, x, kernel])
    if is_plain_relu(i):
        return i.changed(op="relu_plain", attrs={})
    if i.op == "cast":
        return i.changed(op="cast_to", attrs={"dtype": getattr(torch, i.attrs["dtype"])})
    if i.op == "softmax":
        return i.changed(op="softmax_over", attrs={"dim": i.attrs["axis"]})
    if i.op in ("sum", "mean") and i.attrs["axis"] != () and dtypes.is_float(i.args[0].dtype):
        axis, keepdims = i.attrs["axis"], i.attrs["keepdims"]
        whole = axis is None and not keepdims
        return i.changed(op=f"{i.op}_over", attrs={} if whole else {"dim": axis, "keepdim": keepdims})
    if i.op == "permute_dimensions" and tuple(i.attrs["pattern"]) == (1, 0):
        return i.changed(op="matrix_transpose", attrs={})
    if i.op == "sigmoid_crossentropy" and _alike(i):
        return i.changed(op="logits_loss", attrs={"reduction": 0, **i.attrs})
    return i


def _with_settled_statistics(program: Program) -> Program:
    """Batch normalizations whose statistics the loss does not use, as always in training, leave them constant."""
    needed, settled = set(symbolic.leaves_of(program.results[0])), []
    for i in reversed(program.instructions):
        if i.op == "normalize_batch_in_training" and not needed.intersection(i.outs[1:]):
            i = i.changed(attrs={**i.attrs, "constant": True})
        if needed.intersection(i.outs):
            needed.update(i.inputs())
        settled.append(i)
    return program.changed(instructions=settled[::-1])


# Results in place of an argument -----------------------------------------------------------------------------------


def _overwriting(program: Program, taped: bool) -> Program:
    """Ops write into their first argument where it was made here, is as large, and is read by nobody else."""
    uses = Counter(program.read())
    own = {i.outs[0] for i in program.instructions if _makes_own(i, taped) and uses[i.outs[0]] == 1}
    return program.changed(instructions=[_in_place(i, own, taped) for i in program.instructions])


def _makes_own(i: Instruction, taped: bool) -> bool:
    """Whether the one result of an instruction is memory that nobody else holds, autograd neither."""
    if taped:
        return i.op in ("add", "linear")  # whose gradients need the arguments alone
    return len(i.outs) == 1 and i.op in OPS and OPS[i.op].facts.is_fresh(i.attrs)


def _in_place(i: Instruction, own: set[Any], taped: bool) -> Instruction:
    rectifies = is_plain_relu(i)  # under autograd it alone overwrites: its gradient needs the result and nothing else
    if not rectifies and (taped or i.op not in IN_PLACE or i.op == "relu"):
        return i
    first, out = i.args[0], i.outs[0]
    if first not in own or tuple(first.shape) != tuple(out.shape) or first.dtype != out.dtype:
        return i
    return i.changed(op=f"{i.op}_in_place", attrs={})


# Results in memory of their own ------------------------------------------------------------------------------------


def _kept_apart(program: Program) -> Program:
    """With copies of what takes the place of donated state and may be a view of an argument that the caller keeps."""
    given = {t for i, arg in enumerate(program.args) if i not in program.donate for t in symbolic.leaves_of(arg)}
    results = program.results if isinstance(program.results, tuple) else ()
    states, rest = results[: len(program.donate)], results[len(program.donate) :]
    new = list(symbolic.leaves_of(list(states)))
    aliases = _Aliases(program.instructions, given if new else ())
    copies = {t: symbolic.SymbolicTensor(t.shape, t.dtype) for t in new if aliases.of(t)}
    if not copies:
        return program
    copied = [Instruction("copy", [t], {}, [copy], copy) for t, copy in copies.items()]
    kept = [symbolic.map_structure(lambda t: copies.get(t, t), state) for state in states]
    return program.changed(instructions=[*program.instructions, *copied], results=(*kept, *rest))


# Updates in place --------------------------------------------------------------------------------------------------


def _reusing_donated(program: Program) -> Program:
    """Updates write into the donated state, where nothing reads the old values afterwards."""
    donated = {t for place in program.donate for t in symbolic.leaves_of(program.args[place])}
    replaced = {i: _replaced(instruction) for i, instruction in enumerate(program.instructions)}
    updates = {i: owned for i, owned in replaced.items() if owned and _is_part(owned, donated)}
    if not updates:
        return program
    instructions = list(program.instructions)
    aliases = _Aliases(instructions, donated | {t for i in updates for t in instructions[i].outs})
    last = aliases.last_reads(instructions, program.results)
    shared = Counter(r for t in symbolic.leaves_of(program.results) for r in aliases.of(t))
    for i, owned in updates.items():
        twice = any(shared[t] > 1 for t in instructions[i].outs)  # two entries of the next state would be one tensor
        if not twice and all(last.get(t, i) <= i for t in owned):
            instructions[i] = instructions[i].changed(op=f"{instructions[i].op}_in_place")
    return program.changed(instructions=instructions)


def _is_part(owned: Sequence[Any], donated: set[Any]) -> bool:
    """Whether these are tensors of the donated state, each of them once."""
    return donated.issuperset(owned) and len(set(owned)) == len(owned)


def _replaced(i: Instruction) -> list[Any]:
    """The tensors in whose place this instruction could write its results."""
    if i.op == "add" and tuple(i.args[0].shape) == tuple(i.outs[0].shape):
        return [i.args[0]]
    if not _replaces(i.op):
        return []
    op = OPS[i.op]
    return [t for (name, _), arg in zip(op.arrays, i.args) if name in op.facts.replaces for t in arg]


def _replaces(name: str) -> bool:
    return name in OPS and bool(OPS[name].facts.replaces)


class _Aliases:
    """For each tensor of some instructions those of the tensors `of_interest` with which it may share memory.

    One pass over them. Only tensors of interest are followed: the views in a chain of views would otherwise each
    know all that stand before them, and the work would grow with the square of the depth.
    """

    def __init__(self, instructions: Iterable[Any], of_interest: Iterable[Any]):
        self._shared: dict[Any, frozenset[Any]] = {t: frozenset({t}) for t in of_interest}
        for i in instructions:
            for out, sources in zip(i.outs, _sources(i), strict=True):
                shared = self.of(out).union(*map(self.of, sources))
                if shared:
                    self._shared[out] = shared

    def of(self, tensor: Any) -> frozenset[Any]:
        return self._shared.get(tensor, _NOTHING)

    def last_reads(self, instructions: Sequence[Any], results: Any) -> dict[Any, int]:
        """The index of the last instruction that reads a tensor of interest, also through a view; results come last."""
        last = {r: i for i, instruction in enumerate(instructions) for t in instruction.inputs() for r in self.of(t)}
        last.update((r, len(instructions)) for t in symbolic.leaves_of(results) for r in self.of(t))
        return last


_NOTHING: frozenset[Any] = frozenset()


# What is written for ops of K and makes new tensors; the rest of what is not an op of K may give views.
_FRESH = frozenset(
    "copy addmm relu_plain softmax_over sum_over mean_over logits_loss loss_of_scores cut cut_taped".split()
)


def _sources(i: Instruction) -> list[list[Any]]:
    """For each result of an instruction the arguments of which it may be a view."""
    if i.body is not None:
        return _body_sources(i, i.body)
    name = i.op.removesuffix("_in_place")
    if name != i.op and not _replaces(name):
        return [[i.args[0]]]
    fresh = name in _FRESH or _replaces(name) or (name in OPS and OPS[name].facts.is_fresh(i.attrs))
    return [[] if fresh else list(i.inputs()) for _ in i.outs]


def _body_sources(i: Instruction, body: Program) -> list[list[Any]]:
    inner = list(symbolic.leaves_of(body.args))
    aliases = _Aliases(body.instructions, inner)
    outer = dict(zip(inner, symbolic.leaves_of(list(i.args)), strict=True))
    found = [[outer[t] for t in aliases.of(r)] for r in symbolic.leaves_of(body.results)]
    found += [[] for _ in range(len(i.outs) - len(found))]  # gradients come last and are new
    return found[: len(i.outs)]  # what a gradient needs comes after the results
