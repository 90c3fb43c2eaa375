"""Rules for ops of single elements, reductions, arrangement, indexing and products.

A rule looks up the operands of an instruction, gets a place for each result from the scheduler, and appends operations.
Ops without a rule are calls of the adapter's methods, which make new arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.backend.op import OPS
from keras_front.backend.simplify import is_plain_relu

from ..buffers import Operand
from ..kernels import elementwise, indexing
from ..rewriting import is_zero
from .data import View
from .scheduler import Rule, Scheduler, call_method

# ufuncs that K calls by another name
_SPELLED = {"mod": "remainder", "abs": "absolute", "round": "rint", "square_root": "sqrt"}
UFUNCS: dict[str, np.ufunc] = {
    name: found
    for name, op in OPS.items()
    if op.facts.elementwise and isinstance(found := getattr(np, _SPELLED.get(name, name), None), np.ufunc)
}
REDUCTIONS: dict[str, np.ufunc] = {
    "prod": np.multiply, "max": np.maximum, "min": np.minimum, "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip
_LONGEST = 1 << 16  # elements of a sum that is a product with ones; longer ones want NumPy's pairwise order


# Elementwise ---------------------------------------------------------------------------------------------------


def ufunc(s: Scheduler, i: Any) -> None:
    """One ufunc, over an argument that nobody reads afterwards if there is one."""
    if i.op in ("floor", "ceil", "round") and np.dtype(i.args[0].dtype).kind in "biu":
        s.alias(i.outs[0], i.args[0])
        return
    if i.op == "power" and np.dtype(i.args[0].dtype).kind == "i":  # which NumPy refuses for negative exponents
        call_method(s, i)
        return
    inputs = s.all_operands(tuple(i.args))
    s.add("kernel", inputs, s.out(i.outs[0], i.args), function=UFUNCS[i.op], name=i.op)


def relu(s: Scheduler, i: Any) -> None:
    """The plain rectifier is a maximum; one with a slope or a threshold is the adapter's method."""
    if not is_plain_relu(i):
        call_method(s, i)
        return
    x = s.operand(i.args[0])
    inputs = x, s.session.scalar(0, x.dtype)
    s.add("kernel", inputs, s.out(i.outs[0], i.args), function=np.maximum, name="maximum")


def sigmoid(s: Scheduler, i: Any) -> None:
    """Written in four calls that work in place; the argument is cut off first, as overflow is slow."""
    x = s.operand(i.args[0])
    lowest, one = (s.session.scalar(v, x.dtype) for v in (elementwise.LOWEST[x.dtype.str[1:]], 1))
    s.add("sigmoid", (x, lowest, one), s.out(i.outs[0], i.args))


def erf(s: Scheduler, i: Any) -> None:
    """The kernel of `kernels.elementwise`."""
    s.add("kernel", (s.operand(i.args[0]),), s.out(i.outs[0]), function=elementwise.erf, name="erf")


def cast(s: Scheduler, i: Any) -> None:
    """A copy; but a mask that only ufuncs read as 0 and 1 stays as it is."""
    (x,), tensor = i.args, i.outs[0]
    if x.dtype == "bool" and dtypes.is_float(tensor.dtype) and _only_read_as_numbers(s, tensor):
        s.alias(tensor, x)
        return
    source, out = s.operand(x), s.out(tensor)
    if tensor.dtype == "bool":
        s.add("kernel", (source, s.session.scalar(0, x.dtype)), out, function=np.not_equal, name="not_equal")
    else:
        s.add("cast", (source,), out)


def _only_read_as_numbers(s: Scheduler, tensor: Any) -> bool:
    """Whether nothing that is done with a mask of floats changes if it stays a mask of truths."""
    readers = s.liveness.readers[tensor]
    if not readers or tensor in s.liveness.kept:
        return False
    if not all(r.op in ("multiply", "equal", "sum") and sum(a is tensor for a in r.args) == 1 for r in readers):
        return False
    others = [s.operands.get(a) for r in readers for a in r.args if a is not tensor]
    return not any(other is not None and other.dtype == bool for other in others)


_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def where(s: Scheduler, i: Any) -> None:
    """Chosen bit by bit: a mask of all ones or zeros for each element.

    Beside a constant 0 the bits of the other side are multiplied, as integers, with the condition.
    NumPy's own `where` allocates, and copies under a mask take several times as long.
    """
    condition, x, y = i.args
    tensor = i.outs[0]
    dtype = np.dtype(tensor.dtype)
    if dtype.itemsize not in _BITS or dtype.kind not in "fiu" or not math.prod(tensor.shape):
        call_method(s, i)
        return
    bits = np.dtype(_BITS[dtype.itemsize])
    zero = "y" if has_no_bits(y) else "x" if has_no_bits(x) else None
    inputs: tuple[Any, ...] = condition, x, y
    scratch: tuple[Operand, ...] = ()
    if zero is None:
        scratch = s.scratch(condition.shape, bits), s.scratch(tensor.shape, bits)
    else:
        inputs = condition, x if zero == "y" else y
        scratch = (s.scratch(condition.shape, np.dtype(bool)),) if zero == "x" else ()
    operands = tuple(s.operand(t) for t in inputs)
    out = s.out(tensor, [inputs[-1]])
    s.add("where" if zero is None else "keep", operands, out, attrs={"bits": bits}, scratch=scratch)


def has_no_bits(tensor: Any) -> bool:
    """Whether a tensor is the constant +0."""
    return is_zero(tensor) and not np.signbit(float(np.asarray(tensor.constant).reshape(())))


# Reductions ----------------------------------------------------------------------------------------------------


def sum_(s: Scheduler, i: Any) -> None:
    """Masks are counted; sums over axes that follow each other are products with ones; the rest is `add.reduce`."""
    (x,), tensor = i.args, i.outs[0]
    axes = shapes.normalize_axes(i.attrs["axis"], len(x.shape))
    if _nothing_to_join(x, axes):
        reshape(s, i)
        return
    source = s.operand(x)
    whole = len(axes) == len(x.shape)
    if source.dtype == bool and whole:
        s.add("count", (source,), s.out(tensor))
        return
    lengths = _lengths(source, axes)
    if lengths is not None:
        _sum_by_products(s, source, s.out(tensor), *lengths)
        return
    out, keepdims = s.out(tensor), bool(i.attrs["keepdims"])
    if whole and len(axes) > 1 and not keepdims and source.array is not None and source.array.flags.c_contiguous:
        source, axes = Operand.of(source.array.reshape(-1)), (0,)  # one axis is faster than many
    s.add("reduce", (source,), out, function=np.add, attrs={"axes": axes, "dtype": out.dtype, "keepdims": keepdims})


def _lengths(source: Operand, axes: tuple[int, ...]) -> tuple[int, list[int], int] | None:
    """How many elements stand before the axes to be summed, on them, as one axis or two, and behind them.

    A product with ones is several times faster than `add.reduce`. None where the layout in memory does not allow it,
    and for long sums of neighbours, where NumPy's pairwise order is better; what only exists while the program runs is
    copied if its layout turns out to be another one.
    """
    shape, array = source.shape, source.array
    if (array is not None and not array.flags.c_contiguous) or source.dtype.str[1:] not in ("f4", "f8"):
        return None
    if not axes or len(axes) == len(shape) or not math.prod(shape) or axes != tuple(range(axes[0], axes[-1] + 1)):
        return None
    before, behind = math.prod(shape[: axes[0]]), math.prod(shape[axes[-1] + 1 :])
    joined = [shape[axes[0]], math.prod(shape[axes[0] + 1 : axes[-1] + 1])]
    if math.prod(joined) <= _LONGEST:
        return before, [math.prod(joined)], behind
    return (before, joined, behind) if behind > 1 and max(joined) <= _LONGEST else None


def _sum_by_products(s: Scheduler, source: Operand, out: Operand, before: int, joined: list[int], behind: int) -> None:
    """The sum over `joined`, the inner one first."""
    *outer, length = joined
    rows = before * math.prod(outer)
    target = s.scratch((rows, behind), source.dtype) if outer else out
    ones = Operand.of(np.ones(length, source.dtype), label="k")
    if rows == 1 or behind == 1:
        matrix = s.view_of(source, View("reshape", (length, behind) if rows == 1 else (rows, length)))
        operands = (ones, matrix) if rows == 1 else (matrix, ones)
        s.add("dot", operands, s.view_of(target, View("reshape", (rows * behind,))))
    else:
        operands = ones, s.view_of(source, View("reshape", (rows, length, behind)))
        s.add("kernel", operands, s.view_of(target, View("reshape", (rows, behind))), function=np.matmul, name="matmul")
    if outer:
        _sum_by_products(s, target, out, before, outer, behind)


def _nothing_to_join(x: Any, axes: Sequence[int]) -> bool:
    return bool(axes) and all(x.shape[a] == 1 for a in axes)


def reduce(s: Scheduler, i: Any) -> None:
    """`ufunc.reduce`, in the dtype of the result where NumPy would take a wider one."""
    (x,) = i.args
    axes = shapes.normalize_axes(i.attrs["axis"], len(x.shape))
    if x.dtype == i.outs[0].dtype and _nothing_to_join(x, axes):
        reshape(s, i)
        return
    source, out = s.operand(x), s.out(i.outs[0])
    dtype = out.dtype if i.op == "prod" else None
    attrs = {"axes": axes, "dtype": dtype, "keepdims": bool(i.attrs["keepdims"])}
    s.add("reduce", (source,), out, function=REDUCTIONS[i.op], attrs=attrs)


def index_of(s: Scheduler, i: Any) -> None:
    """The array's own method."""
    s.add("index_of", (s.operand(i.args[0]),), s.out(i.outs[0]), name=i.op, attrs={"axis": i.attrs["axis"]})


def accumulate(s: Scheduler, i: Any) -> None:
    """`accumulate` of a ufunc, in the dtype of the result."""
    source, out = s.operand(i.args[0]), s.out(i.outs[0])
    run = np.add.accumulate if i.op == "cumsum" else np.multiply.accumulate
    s.add("kernel", (source,), out, function=run, name=i.op, attrs={"axis": i.attrs["axis"], "dtype": out.dtype})


# Arrangement ---------------------------------------------------------------------------------------------------


def identity(s: Scheduler, i: Any) -> None:
    """Nothing is computed."""
    s.alias(i.outs[0], i.args[0])


def barrier(s: Scheduler, i: Any) -> None:
    """Nothing is computed; what reads the results is not what read the arguments."""
    for out, x in zip(i.outs, i.args[0], strict=True):
        s.alias(out, x)


def host_print(s: Scheduler, i: Any) -> None:
    """The values are shown, and go on as they are."""
    s.add("print", (s.operand(i.args[0]),), function=s.backend.show, attrs={"message": i.attrs["message"]})
    s.alias(i.outs[0], i.args[0])


def reshape(s: Scheduler, i: Any) -> None:
    """A view where the elements lie in that order already, else a copy."""
    (x,), tensor = i.args, i.outs[0]
    source, shape = s.operand(x), tuple(tensor.shape)
    array = source.array
    if array is None or array.size == 0 or np.may_share_memory(array.reshape(shape), array):
        s.view(tensor, x, View("reshape", shape))
        return
    out = s.out(tensor)
    s.copy(s.view_of(out, View("reshape", source.shape)), source)


def view(s: Scheduler, i: Any) -> None:
    """Transposing, cutting, mirroring, broadcasting: nothing is copied."""
    s.view(i.outs[0], i.args[0], _view(i))


def _view(i: Any) -> View:
    attrs, ndim = i.attrs, len(i.args[0].shape)
    if i.op == "permute_dimensions":
        return View("transpose", tuple(int(p) for p in attrs["pattern"]))
    if i.op == "broadcast_to":
        return View("broadcast_to", tuple(i.outs[0].shape))
    if i.op == "flip":
        mirrored = {a % ndim for a in attrs["axes"]}
        return View("index", tuple(slice(None, None, -1 if axis in mirrored else None) for axis in range(ndim)))
    spans = zip(attrs["start"], attrs["stop"], attrs["step"], strict=True)
    return View("index", tuple(slice(*(None if v is None else int(v) for v in span)) for span in spans))


def concatenate(s: Scheduler, i: Any) -> None:
    """NumPy's own, into the result."""
    parts, out = s.all_operands(i.args[0]), s.out(i.outs[0])
    s.add("kernel", (parts,), out, function=np.concatenate, name="concatenate", attrs={"axis": i.attrs["axis"]})


def pad(s: Scheduler, i: Any) -> None:
    """The result is filled, then the argument is copied into its place."""
    (x,), attrs = i.args, i.attrs
    source, out = s.operand(x), s.out(i.outs[0])
    target, kept = indexing.pad_places(source.shape, attrs["padding"], attrs["interior"])
    s.add("fill", (), out, attrs={"value": float(attrs["value"])})
    if any(span != slice(0, n) for span, n in zip(kept, source.shape, strict=True)):
        source = s.view_of(source, View("index", kept))
    s.copy(s.view_of(out, View("index", target)), source)


# Indexing and products -----------------------------------------------------------------------------------------


def gather(s: Scheduler, i: Any) -> None:
    """The kernel of `kernels.indexing`."""
    inputs, out = s.all_operands(tuple(i.args)), s.out(i.outs[0])
    axis = i.attrs["axis"] % len(i.args[0].shape)
    s.add("kernel", inputs, out, function=indexing.gather, name="gather", attrs={"axis": axis})


def scatter_add(s: Scheduler, i: Any) -> None:
    """The kernel of `kernels.indexing`."""
    inputs, out = s.all_operands(tuple(i.args)), s.out(i.outs[0])
    axis = i.attrs["axis"] % len(out.shape)
    s.add("kernel", inputs, out, function=indexing.scatter_add, name="scatter_add", attrs={"axis": axis})


def matmul(s: Scheduler, i: Any) -> None:
    """`dot` for two matrices, which is a little faster; else `matmul`, on operands in a layout that BLAS takes."""
    x, y = i.args
    if len(x.shape) == len(y.shape) == 2 and np.dtype(x.dtype).kind == "f":
        inputs = s.all_operands((x, y))
        s.add("dot", inputs, s.out(i.outs[0]))
        return
    inputs = _for_blas(s, s.operand(x)), _for_blas(s, s.operand(y))
    s.add("kernel", inputs, s.out(i.outs[0]), function=np.matmul, name="matmul")


def _for_blas(s: Scheduler, operand: Operand) -> Operand:
    """The operand, copied if its layout is one that NumPy would multiply element by element."""
    array = operand.array
    if array is None or array.dtype.kind != "f":
        return operand
    rows, columns = array.strides[-2:]
    width = array.itemsize
    if (columns == width and rows >= width * array.shape[-1]) or (rows == width and columns >= width * array.shape[-2]):
        return operand
    copy = s.scratch(operand.shape, operand.dtype)
    s.copy(copy, operand)
    return copy


RULES: dict[str, Rule] = {
    **dict.fromkeys(UFUNCS, ufunc),
    **dict.fromkeys(REDUCTIONS, reduce),
    **dict.fromkeys(("argmax", "argmin"), index_of),
    **dict.fromkeys(("cumsum", "cumprod"), accumulate),
    **dict.fromkeys(("identity", "stop_gradient"), identity),
    **dict.fromkeys(("permute_dimensions", "broadcast_to", "flip", "strided_slice"), view),
    "relu": relu, "sigmoid": sigmoid, "erf": erf, "cast": cast, "where": where, "sum": sum_, "host_print": host_print,
    "barrier": barrier,
    "reshape": reshape, "concatenate": concatenate, "pad": pad, "gather": gather, "scatter_add": scatter_add,
    "matmul": matmul,
}  # fmt: skip
