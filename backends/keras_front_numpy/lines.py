"""How each op of a planned program is written. `write_<op>(plan, line)` puts text; `TABLE` has those that
share a writer.

What is not here is written as a call of the adapter's method, which allocates its result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes

from .kernels import elementwise, indexing

UFUNCS: dict[str, Any] = {
    name: getattr(np, {"mod": "remainder", "abs": "absolute", "round": "rint"}.get(name, name))
    for name in (
        "add subtract multiply divide floor_divide mod power maximum minimum negative abs sign exp expm1 log log1p "
        "sqrt sin cos tanh floor ceil round equal not_equal less less_equal greater greater_equal isnan isfinite "
        "logical_and logical_or logical_not"
    ).split()
}
LOUD = ("divide", "floor_divide", "mod", "power", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "run_any")
_BY_KEYWORD = ("maximum", "minimum")  # NumPy wants their out= named
REDUCE = {"prod": np.multiply, "max": np.maximum, "min": np.minimum, "any": np.logical_or, "all": np.logical_and}


# Elementwise ---------------------------------------------------------------------------------------------------


def write_ufunc(plan: Any, line: Any) -> None:
    if line.op in ("floor", "ceil", "round") and np.dtype(line.args[0].dtype).kind in "biu":
        write_alias(plan, line)
    else:
        call(plan, line.op + _OF_CUT * _cannot_overflow(plan, line), UFUNCS[line.op], line.args, line.outs[0])


def _cannot_overflow(plan: Any, line: Any) -> bool:
    """Whether this is the exponential of -|x|, or `log1p` of it; these need no `errstate`."""
    if line.op not in ("exp", "log1p"):
        return False
    inner = plan.made.get(line.args[0])
    if line.op == "log1p":
        return inner is not None and inner.op == "exp" and _cannot_overflow(plan, inner)
    deepest = plan.made.get(inner.args[0]) if inner is not None and inner.op == "negative" else None
    return deepest is not None and deepest.op == "abs"


_OF_CUT = "_of_cut"


def call(plan: Any, name: str, ufunc: Any, args: Sequence[Any], tensor: Any) -> None:
    """One ufunc into the place of `tensor`."""
    exprs = [plan.value(a).expr for a in args]
    out = plan.out(tensor, args)
    last = f"out={out.expr}" if name in _BY_KEYWORD else out.expr
    plan.put(f"{plan.use(name, ufunc)}({', '.join(exprs)}, {last})", out.shape)


def write_relu(plan: Any, line: Any) -> None:
    if not plain_relu(line):
        write_any(plan, line)
        return
    (x,) = line.args
    source, zero = plan.value(x).expr, scalar(plan, 0, x.dtype)
    out = plan.out(line.outs[0], [x])
    plan.put(f"{plan.use('maximum', np.maximum)}({source}, {zero}, out={out.expr})", out.shape)


def plain_relu(line: Any) -> bool:
    return line.op == "relu" and line.attrs == {"alpha": 0.0, "max_value": None, "threshold": 0.0}


def scalar(plan: Any, value: float, dtype: Any) -> str:
    """A constant; arrays without axes are what ufuncs take fastest."""
    key = ("scalar", value, str(dtype))
    if key not in plan._bound:
        plan._bound[key] = plan.bind(np.array(value, dtype))
    return plan._bound[key]


def write_sigmoid(plan: Any, line: Any) -> None:
    (x,) = line.args
    source, lowest = plan.value(x).expr, elementwise._LOWEST[np.dtype(x.dtype).str[1:]]
    out = plan.out(line.outs[0], [x])
    plan.put(f"{plan.use('maximum', np.maximum)}({source}, {scalar(plan, lowest, x.dtype)}, out={out.expr})", out.shape)
    plan.put(f"{plan.use('negative', np.negative)}({out.expr}, {out.expr})")
    plan.put(f"{plan.use('exp_of_cut', np.exp)}({out.expr}, {out.expr})")  # cannot overflow, so needs no errstate
    plan.put(f"{plan.use('add', np.add)}({out.expr}, {scalar(plan, 1, x.dtype)}, {out.expr})")
    plan.put(f"{plan.use('reciprocal', np.reciprocal)}({out.expr}, {out.expr})")


def write_erf(plan: Any, line: Any) -> None:
    out = plan.out(line.outs[0])
    plan.put(f"{plan.use('erf', elementwise.erf)}({plan.value(line.args[0]).expr}, {out.expr})", out.shape)


def write_cast(plan: Any, line: Any) -> None:
    (x,), tensor = line.args, line.outs[0]
    if x.dtype == "bool" and dtypes.is_float(tensor.dtype) and _only_read(plan, tensor):
        write_alias(plan, line)  # a ufunc reads it as 0 and 1 at no cost
        return
    source, out = plan.value(x).expr, plan.out(tensor)
    if dtypes.is_float(x.dtype) and not dtypes.is_float(tensor.dtype):
        plan.use("run_any", None)
    if tensor.dtype == "bool":
        plan.put(f"{plan.use('not_equal', np.not_equal)}({source}, {scalar(plan, 0, x.dtype)}, {out.expr})", out.shape)
    else:
        plan.put(f"{plan.use('copyto', np.copyto)}({out.expr}, {source}, 'unsafe')", out.shape)


def _only_read(plan: Any, tensor: Any) -> bool:
    """Whether all that is done with a tensor may as well be done with truths."""
    users = plan.users[tensor]
    return (
        bool(users)
        and tensor not in plan.kept
        and all(user.op in ("multiply", "equal", "sum") and sum(a is tensor for a in user.args) == 1 for user in users)
        and not any(
            plan.value_or_none(a) and plan.value(a).dtype == bool for u in users for a in u.args if a is not tensor
        )
    )


_BITS = {1: np.uint8, 2: np.int16, 4: np.int32, 8: np.int64}


def write_where(plan: Any, line: Any) -> None:
    """Chosen bit by bit: a mask of all ones or zeros for each element.

    NumPy's own `where` allocates, and copies under a mask take several times as long.
    """
    condition, x, y = line.args
    tensor = line.outs[0]
    kind = np.dtype(tensor.dtype)
    if kind.itemsize not in _BITS or kind.kind not in "fiub" or kind.itemsize == 1 or not math.prod(tensor.shape):
        write_any(plan, line)
        return
    bits = np.dtype(_BITS[kind.itemsize])
    mask, _, root = plan.scratch(condition.shape, bits)
    copyto, negative = plan.use("copyto", np.copyto), plan.use("negative", np.negative)
    plan.put(f"{copyto}({mask}, {retyped(plan, condition, np.int8)})")
    plan.put(f"{negative}({mask}, {mask})")
    both, xor = plan.use("bitwise_and", np.bitwise_and), plan.use("bitwise_xor", np.bitwise_xor)
    xs, ys = is_zero(x), is_zero(y)
    a, b = retyped(plan, x, bits), retyped(plan, y, bits)
    out = plan.out(tensor, [] if xs or ys else [y])
    target = retyped_value(plan, out, bits)
    if ys:
        plan.put(f"{both}({a}, {mask}, {target})", out.shape)
    elif xs:
        plan.put(f"{plan.use('invert', np.invert)}({mask}, {mask})")
        plan.put(f"{both}({b}, {mask}, {target})", out.shape)
    else:
        spare, _, spare_root = plan.scratch(tensor.shape, bits)
        plan.put(f"{xor}({a}, {b}, {spare})")
        plan.put(f"{both}({spare}, {mask}, {spare})")
        plan.put(f"{xor}({spare}, {b}, {target})", out.shape)
        plan.pool.give(spare_root)
    plan.pool.give(root)


def is_zero(tensor: Any) -> bool:
    constant = tensor.constant
    return constant is not None and np.size(constant) == 1 and float(np.asarray(constant).reshape(())) == 0


def retyped(plan: Any, tensor: Any, dtype: Any) -> str:
    return retyped_value(plan, plan.value(tensor), dtype)


def retyped_value(plan: Any, value: Any, dtype: Any) -> str:
    """The same memory seen as another type of the same width."""
    if value.dtype == dtype:
        return value.expr
    if value.array is not None:
        return plan.bind(value.array.view(dtype), "b")
    given = value.expr[0] in "xt"  # by the caller, perhaps in another byte order
    native = f".astype({plan.bind_dtype(value.dtype)}, copy=False)" if given else ""
    return f"{value.expr}{native}.view({plan.bind_dtype(dtype)})"


# Reductions ----------------------------------------------------------------------------------------------------


def write_sum(plan: Any, line: Any) -> None:
    (x,), tensor = line.args, line.outs[0]
    value = plan.value(x)
    axes = shapes.normalize_axes(line.attrs["axis"], len(x.shape))
    if _nothing_to_join(x, axes):
        write_reshape(plan, line)
        return
    if value.dtype == bool and len(axes) == len(x.shape):
        out = plan.out(tensor)
        plan.put(f"{out.expr}[()] = {plan.use('count_nonzero', np.count_nonzero)}({value.expr})", out.shape)
        return
    matrix_of = _as_matrix(value, x, axes)
    if matrix_of is None:
        out = plan.out(tensor)
        source, keepdims = value.expr, bool(line.attrs["keepdims"])
        if len(axes) == len(x.shape) > 1 and not keepdims and value.array is not None:  # one axis is faster than many
            flat = value.array.reshape(-1) if value.array.flags.c_contiguous else value.array
            source, axes = plan.bind(flat, "b"), tuple(range(flat.ndim))
        how = f"{axes}, {plan.bind_dtype(out.dtype)}, {out.expr}, {keepdims}"
        plan.put(f"{plan.use('add_reduce', np.add.reduce)}({source}, {how})", out.shape)
        return
    matrix, ones_first = matrix_of
    rows, columns = matrix.shape
    out = plan.out(tensor)
    dot = plan.use("dot", np.dot)
    target = target_as(plan, out, (columns,) if ones_first else (rows,))
    ones = plan.bind(np.ones(rows if ones_first else columns, matrix.dtype))
    pair = (ones, plan.bind(matrix, "b")) if ones_first else (plan.bind(matrix, "b"), ones)
    plan.put(f"{dot}({pair[0]}, {pair[1]}, {target})", out.shape)


def target_as(plan: Any, out: Any, shape: Sequence[int]) -> str:
    """The place of a result in another shape."""
    if out.shape == tuple(shape):
        return out.expr
    if out.array is None:
        return f"{out.expr}.reshape({tuple(shape)})"
    return plan.bind(out.array.reshape(shape), "b")


def _as_matrix(value: Any, x: Any, axes: tuple[int, ...]) -> tuple[np.ndarray, bool] | None:
    """A sum over the first or the last axes is a product with ones, which BLAS does several times faster."""
    n, array = len(x.shape), value.array
    if (
        array is None
        or not array.flags.c_contiguous
        or array.dtype.str[1:] not in ("f4", "f8")
        or value.dtype != array.dtype
    ):
        return None
    if not axes or len(axes) == n or not array.size:
        return None
    first = axes == tuple(range(len(axes)))
    if not first and axes != tuple(range(n - len(axes), n)):
        return None
    cut = len(axes) if first else n - len(axes)
    matrix = array.reshape(math.prod(x.shape[:cut]), math.prod(x.shape[cut:]))
    joined = matrix.shape[0] if first else matrix.shape[1]
    return (matrix, first) if joined <= 1 << 16 else None  # longer sums want NumPy's pairwise order


def _nothing_to_join(x: Any, axes: Sequence[int]) -> bool:
    return bool(axes) and all(x.shape[a] == 1 for a in axes)


def write_reduce(plan: Any, line: Any) -> None:
    (x,), source = line.args, plan.value(line.args[0]).expr
    axes = shapes.normalize_axes(line.attrs["axis"], len(x.shape))
    if x.dtype == line.outs[0].dtype and _nothing_to_join(x, axes):
        write_reshape(plan, line)
        return
    out = plan.out(line.outs[0])
    dtype = plan.bind_dtype(out.dtype) if line.op == "prod" else "None"
    reduce = plan.use(f"{line.op}_reduce", REDUCE[line.op].reduce)
    plan.put(f"{reduce}({source}, {axes}, {dtype}, {out.expr}, {bool(line.attrs['keepdims'])})", out.shape)


def write_index_of(plan: Any, line: Any) -> None:
    source, out = plan.value(line.args[0]).expr, plan.out(line.outs[0])
    plan.put(f"{source}.{line.op}({line.attrs['axis']}, {out.expr})", out.shape)


def write_accumulate(plan: Any, line: Any) -> None:
    source, out = plan.value(line.args[0]).expr, plan.out(line.outs[0])
    ufunc = np.add if line.op == "cumsum" else np.multiply
    run = plan.use(line.op, ufunc.accumulate)
    plan.put(f"{run}({source}, {line.attrs['axis']}, {plan.bind_dtype(out.dtype)}, {out.expr})", out.shape)


# Arrangement ---------------------------------------------------------------------------------------------------


def write_alias(plan: Any, line: Any) -> None:
    value = plan.value(line.args[0])
    plan.view(line.outs[0], line.args[0], value.array, value.expr)


def write_host_print(plan: Any, line: Any) -> None:
    x = plan.value(line.args[0])
    plan.put(f"{plan.bind(plan.backend.show, 'show')}({line.attrs['message']!r}, {x.expr})")
    write_alias(plan, line)


def write_reshape(plan: Any, line: Any) -> None:
    (x,), tensor = line.args, line.outs[0]
    value, shape = plan.value(x), tuple(tensor.shape)
    if value.array is None:
        plan.view(tensor, x, None, f"{value.expr}.reshape({shape})")
        return
    array = value.array.reshape(shape)
    if array.size == 0 or np.may_share_memory(array, value.array):
        plan.view(tensor, x, array, "")
        return
    out = plan.out(tensor)
    plan.put(f"{plan.use('copyto', np.copyto)}({target_as(plan, out, value.shape)}, {value.expr})", shape)


def write_view(plan: Any, line: Any) -> None:
    """Transposing, cutting, mirroring, broadcasting: nothing is copied, and what is known is not even computed."""
    (x,), tensor = line.args, line.outs[0]
    value = plan.value(x)
    text = view_text(line)
    array = None if value.array is None else eval(text.format("x"), {"x": value.array, "broadcast_to": np.broadcast_to})
    if "broadcast_to" in text:
        plan.use("broadcast_to", np.broadcast_to)
    plan.view(tensor, x, array, text.format(value.expr))


def view_text(line: Any) -> str:
    """The view as Python text, with {} for the array."""
    attrs, ndim = line.attrs, len(line.args[0].shape)
    if line.op == "permute_dimensions":
        return f"{{}}.transpose({tuple(int(p) for p in attrs['pattern'])})"
    if line.op == "broadcast_to":
        return f"broadcast_to({{}}, {tuple(line.outs[0].shape)})"
    if line.op == "flip":
        mirrored = {a % ndim for a in attrs["axes"]}
        return f"{{}}[{', '.join('::-1' if i in mirrored else ':' for i in range(ndim))}]"
    spans = zip(attrs["start"], attrs["stop"], attrs["step"], strict=True)
    return f"{{}}[{', '.join(_span(*span) for span in spans)}]"


def _span(start: Any, stop: Any, step: Any) -> str:
    a, b = ("" if v is None else str(int(v)) for v in (start, stop))
    return f"{a}:{b}" + (f":{int(step)}" if step not in (None, 1) else "")


def write_concatenate(plan: Any, line: Any) -> None:
    parts = [plan.value(t).expr for t in line.args[0]]
    out = plan.out(line.outs[0])
    run = plan.use("concatenate", np.concatenate)
    plan.put(f"{run}([{', '.join(parts)}], {line.attrs['axis']}, {out.expr})", out.shape)


def write_pad(plan: Any, line: Any) -> None:
    (x,), attrs = line.args, line.attrs
    value, out = plan.value(x), plan.out(line.outs[0])
    target, source = indexing.pad_places(value.shape, attrs["padding"], attrs["interior"])
    plan.put(f"{out.expr}.fill({plan.attribute(float(attrs['value']))})", out.shape)
    whole = all(s == slice(0, n) for s, n in zip(source, value.shape, strict=True))
    to = plan.bind(out.array[target], "b") if out.array is not None else f"{out.expr}[{plan.bind(target)}]"
    if whole:
        got = value.expr
    else:
        got = plan.bind(value.array[source], "b") if value.array is not None else f"{value.expr}[{plan.bind(source)}]"
    plan.put(f"{plan.use('copyto', np.copyto)}({to}, {got})")


# Indexing ------------------------------------------------------------------------------------------------------


def write_gather(plan: Any, line: Any) -> None:
    reference, indices = (plan.value(t).expr for t in line.args)
    out, axis = plan.out(line.outs[0]), line.attrs["axis"] % len(line.args[0].shape)
    plan.put(f"{plan.use('gather', indexing.gather)}({reference}, {indices}, {axis}, {out.expr})", out.shape)


def write_scatter_add(plan: Any, line: Any) -> None:
    updates, indices = (plan.value(t).expr for t in line.args)
    out = plan.out(line.outs[0])
    axis = line.attrs["axis"] % len(out.shape)
    plan.put(f"{plan.use('scatter_add', indexing.scatter_add)}({updates}, {indices}, {axis}, {out.expr})", out.shape)


def write_matmul(plan: Any, line: Any) -> None:
    x, y = line.args
    flat = len(x.shape) == len(y.shape) == 2 and np.dtype(x.dtype).kind == "f"
    exprs = [plan.value(t).expr for t in (x, y)]
    if not flat:
        exprs = [_blas(plan, t) for t in (x, y)]
    out = plan.out(line.outs[0])
    run = plan.use("dot", np.dot) if flat else plan.use("matmul", np.matmul)
    plan.put(f"{run}({', '.join(exprs)}, {out.expr})", out.shape)


def _blas(plan: Any, tensor: Any) -> str:
    """An operand of `matmul` in a layout that BLAS takes; others would be multiplied element by element."""
    value = plan.value(tensor)
    array = value.array
    if array is None or array.dtype.kind != "f":
        return value.expr
    rows, columns = array.strides[-2:]
    width = array.itemsize
    if (columns == width and rows >= width * array.shape[-1]) or (rows == width and columns >= width * array.shape[-2]):
        return value.expr
    copy, _, root = plan.scratch(value.shape, value.dtype)
    plan.put(f"{plan.use('copyto', np.copyto)}({copy}, {value.expr})")
    plan.after_line.append(root)
    return copy


def optional(plan: Any, tensor: Any) -> str:
    return "None" if tensor is None else plan.value(tensor).expr


# Everything else -----------------------------------------------------------------------------------------------


def write_any(plan: Any, line: Any) -> None:
    """A call of the adapter's method, which makes new arrays."""
    from .writing import symbolic_text

    args = [symbolic_text(a, lambda t: plan.value(t).expr) for a in line.args]
    attrs = [f"{key}={plan.attribute(value)}" for key, value in line.attrs.items()]
    run = plan.bind(getattr(plan.backend, line.op), line.op + "_")
    plan.use("run_any", None)
    plan.put(f"{_targets(plan, line.structure)} = {run}({', '.join([*args, *attrs])})", *(t.shape for t in line.outs))


def _targets(plan: Any, item: Any) -> str:
    from .memory import Value

    if item is None:
        return "_"
    if isinstance(item, list | tuple):
        return f"[{', '.join(_targets(plan, i) for i in item)}]"
    name = plan.name("v")
    plan.values[item] = Value(name, item.shape, item.dtype)
    return name


TABLE: dict[str, Any] = {
    **dict.fromkeys(UFUNCS, write_ufunc),
    **dict.fromkeys(REDUCE, write_reduce),
    **dict.fromkeys(("argmax", "argmin"), write_index_of),
    **dict.fromkeys(("cumsum", "cumprod"), write_accumulate),
    **dict.fromkeys(("identity", "stop_gradient"), write_alias),
    **dict.fromkeys(("permute_dimensions", "broadcast_to", "flip", "strided_slice"), write_view),
}
