"""Rewriting of torch programs before they are written: biases join products, results go where dying tensors lie.

torch runs a program line by line, so fewer lines are a faster step, and an optimizer that writes into the tensors it
replaces is several times faster than one that makes new ones. It may do so only if nothing reads the old values
afterwards, neither directly nor through a view; `_Aliases` works out which tensors may share memory. Elementwise ops
write into an argument that the program made itself and that nobody else reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from keras_front.backend import symbolic
from keras_front.backend.lowering import Instruction

# For each list-wise update the places of the lists that it replaces.
OWNED = {"sgd_update": (0, 2), "rmsprop_update": (0, 2), "adam_update": (0, 2, 3, 4)}

# Ops whose result never shares memory with an argument. What is not named here is taken to be a view.
FRESH = frozenset(
    "add subtract multiply divide floor_divide mod power maximum minimum negative abs sign square exp expm1 log log1p "
    "sqrt rsqrt sin cos tanh sigmoid erf equal not_equal less less_equal greater greater_equal isnan isfinite "
    "logical_and logical_or logical_not where silu elu gelu argmax argmin cumsum cumprod concatenate stack flip gather "
    "scatter_add take_along_axis matmul linear softmax log_softmax softmax_crossentropy sigmoid_crossentropy conv "
    "conv_input_gradient conv_kernel_gradient max_pool max_pool_gradient average_pool average_pool_gradient "
    "engine_uniform engine_normal host_noise keep_mask batch_normalization normalize_batch_in_training "
    "layer_normalization lstm gru simple_rnn relu copy".split()
)
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "any", "all"})  # over no axis they return the argument


# Ops that can write into their first argument, which is then made by a line of these and read by nobody else.
_OVERWRITING = frozenset({"relu", "add", "multiply"})
_MAKERS = frozenset("add subtract multiply divide matmul linear conv batch_normalization sigmoid tanh exp".split())
# Of these not one keeps its result for autograd, nor hands it out as a view (torch is slow to write into those).
_UNKEPT = frozenset({"add", "linear"})


def rewrite(program: Any, taped: bool = False) -> None:
    """Rewrite a program and the programs inside it, in place; `taped` says that autograd watches it."""
    _join_biases(program)
    _join_activations(program)
    _keep_apart(program)
    for line in program.instructions:
        if line.body is not None:
            rewrite(line.body, taped or line.op == "value_and_grad")
            if line.op == "value_and_grad":
                _settle_statistics(line.body)
    _reuse_donated(program)
    _overwrite(program, taped)


def spell(program: Any) -> None:
    """Write torch's own functions for ops whose attributes need no looking at when the step runs. Comes last."""
    _count(program)
    for line in program.instructions:
        if line.body is not None:
            spell(line.body)
        elif line.op == "linear":
            x, kernel, bias = line.args
            line.op, line.args = "addmm", [bias, x, kernel]
        elif _is_plain_relu(line):
            line.op, line.attrs = "relu_plain", {}
        elif line.op == "cast":
            line.op, line.attrs = "cast_to", {"dtype": getattr(torch, line.attrs["dtype"])}
        elif line.op == "softmax":
            line.op, line.attrs = "softmax_over", {"dim": line.attrs["axis"]}
        elif line.op in ("sum", "mean") and line.attrs["axis"] != () and line.args[0].dtype in _FLOATS:
            axis, keepdims = line.attrs["axis"], line.attrs["keepdims"]
            whole = axis is None and not keepdims
            line.op, line.attrs = line.op + "_over", {} if whole else {"dim": axis, "keepdim": keepdims}
        elif line.op == "sigmoid_crossentropy" and tuple(line.args[0].shape) == tuple(line.args[1].shape):
            line.op, line.attrs = "logits_loss", {"weight": None, "pos_weight": None, "reduction": 0}


def _count(program: Any) -> None:
    """A sum of truths that became floats for its sake takes them as they are."""
    casts = {t: line for t, line in _read_once(program, "cast").items() if line.args[0].dtype == "bool"}
    gone = set()
    for line in program.instructions:
        cast = casts.get(line.args[0]) if line.op == "sum" and line.attrs["axis"] != () else None
        if cast is not None and line.outs[0].dtype in _FLOATS:
            axis, keepdims, dtype = line.attrs["axis"], line.attrs["keepdims"], getattr(torch, line.outs[0].dtype)
            line.op, line.args = "sum_over", cast.args
            line.attrs = {"dim": axis, "keepdim": keepdims, "dtype": dtype}
            gone.add(cast)
    program.instructions = [line for line in program.instructions if line not in gone]


def _settle_statistics(program: Any) -> None:
    """Batch normalizations whose statistics the loss does not use, as always in training, leave them constant."""
    needed = set(symbolic.leaves_of(program.results[0]))
    for line in reversed(program.instructions):
        if line.op == "normalize_batch_in_training" and not needed.intersection(line.outs[1:]):
            line.attrs = {**line.attrs, "constant": True}
        if needed.intersection(line.outs):
            needed.update(line.inputs())


# What joins a product ----------------------------------------------------------------------------------------------


def _join_biases(program: Any) -> None:
    """`add` of a bias to a `conv` as part of it, where nobody else reads the product."""
    products = _read_once(program, "conv")
    joined = set()
    for line in program.instructions:
        if line.op == "add" and line.args[0] in products and _is_bias(products[line.args[0]], line.args[1]):
            product = products[line.args[0]]
            line.op, line.args, line.attrs = "conv", [*product.args, line.args[1]], product.attrs
            joined.add(product)
    program.instructions = [line for line in program.instructions if line not in joined]


def _is_bias(product: Any, bias: Any) -> bool:
    shape = tuple(product.outs[0].shape)
    return product.attrs["data_format"] == "channels_last" and tuple(bias.shape) == shape[-1:]


def _join_activations(program: Any) -> None:
    """`relu` of a convolution as part of it: written in place before the result is turned to channels-last."""
    products = _read_once(program, "conv")
    joined = set()
    for line in program.instructions:
        if _is_plain_relu(line) and line.args[0] in products:
            product = products[line.args[0]]
            line.op, line.args, line.attrs = "conv", product.args, {**product.attrs, "relu": True}
            joined.add(product)
    program.instructions = [line for line in program.instructions if line not in joined]


def _is_plain_relu(line: Any) -> bool:
    return line.op == "relu" and line.attrs == {"alpha": 0.0, "max_value": None, "threshold": 0.0}


def _read_once(program: Any, *ops: str) -> dict[Any, Any]:
    """The lines of these ops by their result, where it is read exactly once."""
    uses = Counter(_read(program.instructions, program.results))
    return {line.outs[0]: line for line in program.instructions if line.op in ops and uses[line.outs[0]] == 1}


# Results in place of an argument -----------------------------------------------------------------------------------


def _overwrite(program: Any, taped: bool) -> None:
    """Let ops write into their first argument where it was made here, is as large, and is read by nobody else."""
    makers = _UNKEPT if taped else _MAKERS
    fresh = _read_once(program, *makers)
    for line in program.instructions:
        if line.op not in (("relu",) if taped else _OVERWRITING) or (line.op == "relu" and not _is_plain_relu(line)):
            continue
        first, out = line.args[0], line.outs[0]
        if first in fresh and tuple(first.shape) == tuple(out.shape) and first.dtype == out.dtype:
            line.op, line.attrs = line.op + "_in_place", {}


# Results in memory of their own ------------------------------------------------------------------------------------


def _keep_apart(program: Any) -> None:
    """Copy what takes the place of donated state and may be a view of another argument, whose memory is lent."""
    given = {t for i, arg in enumerate(program.args) if i not in program.donate for t in symbolic.leaves_of(arg)}
    results = program.results if isinstance(program.results, tuple) else ()
    new = [t for result in results[: len(program.donate)] for t in symbolic.leaves_of(result)]
    if not new:
        return
    aliases = _Aliases(program.instructions, given)
    copies = {t: symbolic.SymbolicTensor(t.shape, t.dtype) for t in new if aliases.of(t)}
    if copies:
        program.instructions += [Instruction("copy", [t], {}, [copy], copy) for t, copy in copies.items()]
        kept = [symbolic.map_structure(lambda t: copies.get(t, t), r) for r in results[: len(program.donate)]]
        program.results = (*kept, *results[len(program.donate) :])


# Updates in place --------------------------------------------------------------------------------------------------


def _reuse_donated(program: Any) -> None:
    """Let updates write into the donated state, where nothing reads the old values afterwards."""
    donated = {t for place in program.donate for t in symbolic.leaves_of(program.args[place])}
    replaced = {i: _replaced(line) for i, line in enumerate(program.instructions)}
    updates = {i: owned for i, owned in replaced.items() if owned and _is_part(owned, donated)}
    if not updates:
        return
    outs = {t for i in updates for t in program.instructions[i].outs}
    aliases = _Aliases(program.instructions, donated | outs)
    last = aliases.last_reads(program.instructions, program.results)
    shared = Counter(r for t in symbolic.leaves_of(program.results) for r in aliases.of(t))
    for i, owned in updates.items():
        line = program.instructions[i]
        twice = any(shared[t] > 1 for t in line.outs)  # two entries of the next state would be one tensor
        if not twice and all(last.get(t, i) <= i for t in owned):
            line.op += "_in_place"


def _is_part(owned: Sequence[Any], donated: set[Any]) -> bool:
    """Whether these are tensors of the donated state, each of them once."""
    return donated.issuperset(owned) and len(set(owned)) == len(owned)


def _replaced(line: Any) -> list[Any]:
    """The tensors in whose place this line could write its results."""
    if line.op == "add" and tuple(line.args[0].shape) == tuple(line.outs[0].shape):
        return [line.args[0]]
    return [t for place in OWNED.get(line.op, ()) for t in line.args[place]]


def _read(lines: Iterable[Any], results: Any) -> list[Any]:
    return [t for line in lines for t in line.inputs()] + list(symbolic.leaves_of(results))


class _Aliases:
    """For each tensor of some lines those of the tensors `of_interest` with which it may share memory.

    One pass over the lines. Only tensors of interest are followed: the views in a chain of views would otherwise each
    know all that stand before them, and the work would grow with the square of the depth.
    """

    def __init__(self, lines: Iterable[Any], of_interest: Iterable[Any]):
        self._shared: dict[Any, frozenset[Any]] = {t: frozenset({t}) for t in of_interest}
        for line in lines:
            for out, sources in zip(line.outs, _sources(line), strict=True):
                shared = self.of(out).union(*map(self.of, sources))
                if shared:
                    self._shared[out] = shared

    def of(self, tensor: Any) -> frozenset[Any]:
        return self._shared.get(tensor, _NOTHING)

    def last_reads(self, lines: Sequence[Any], results: Any) -> dict[Any, int]:
        """The index of the last line that reads a tensor of interest, itself or through a view; results come last."""
        last = {r: i for i, line in enumerate(lines) for t in line.inputs() for r in self.of(t)}
        last.update((r, len(lines)) for t in symbolic.leaves_of(results) for r in self.of(t))
        return last


_NOTHING: frozenset[Any] = frozenset()


def _sources(line: Any) -> list[list[Any]]:
    """For each result of a line the arguments of which it may be a view."""
    if line.body is not None:
        return _body_sources(line)
    if line.op.removesuffix("_in_place") in _OVERWRITING and line.op.endswith("_in_place"):
        return [[line.args[0]]]
    fresh = line.op in FRESH or line.op in OWNED or (line.op in _REDUCTIONS and line.attrs.get("axis") != ())
    return [[] if fresh else list(line.inputs()) for _ in line.outs]


def _body_sources(line: Any) -> list[list[Any]]:
    inner = list(symbolic.leaves_of(line.body.args))
    aliases = _Aliases(line.body.instructions, inner)
    outer = dict(zip(inner, symbolic.leaves_of(list(line.args)), strict=True))
    found = [[outer[t] for t in aliases.of(r)] for r in symbolic.leaves_of(line.body.results)]
    found += [[] for _ in range(len(line.outs) - len(found))]  # gradients come last and are new
    return found[: len(line.outs)]  # what a gradient needs comes after the results
