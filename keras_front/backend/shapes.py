"""The rules for shapes and dtypes that op declarations name.

A rule takes the op's arguments (anything with `.shape` and `.dtype`; None marks an unknown dimension) and its
attributes, and answers with `(shape, dtype)`, or a list of those for an op with several results. Rules never look at
values and need no engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front.backend import dtypes
from keras_front.errors import ArgumentError, DtypeError, ShapeError, WrongKindError, WrongPlaceError


class Dimension(int):
    """A size as tensors of TensorFlow 1 gave it: `tensor.get_shape()[1].value`."""

    @property
    def value(self) -> int:
        """The size as a plain number."""
        return int(self)


class TensorShape(tuple):  # type: ignore[type-arg]
    """The shape of a symbolic tensor or a variable: a tuple that can be asked as TensorFlow's shapes are.

    Source: TensorFlow 2.15, `tf.TensorShape`.

    Example:
        >>> TensorShape((None, 3)).as_list()
        [None, 3]
    """

    __slots__ = ()

    def as_list(self) -> list[int | None]:
        """The sizes in a list, None for unknown ones."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return None not in self

    def num_elements(self) -> int | None:
        """The number of elements; None if it is not known."""
        return math.prod(self) if None not in self else None

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[int | None]:
        """The sizes, each with a `value`."""
        return [size if size is None else Dimension(size) for size in self]


Dim = int | None
Shape = tuple[Dim, ...]
Spec = tuple[Shape, str]
Rule = Callable[..., Any]


def broadcast(*shapes: Shape) -> Shape:
    """The common shape of operands, NumPy's rule; an unknown dimension beside a known one other than 1 takes it."""
    ndim = max((len(s) for s in shapes), default=0)
    result: list[Dim] = []
    for axis in range(-ndim, 0):
        dims = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        known = dims - {None}
        if len(known) > 1:
            raise ShapeError(f"Shapes {', '.join(map(str, shapes))} cannot be broadcast together: axis {axis} differs.")
        result.append(known.pop() if known else None if dims else 1)
    return tuple(result)


def normalize_axis(axis: int, ndim: int) -> int:
    """`axis` counted from the front. Raises: WrongPlaceError if there is none, WrongKindError if it is no integer."""
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool):
        raise WrongKindError(f"Expected an integer as axis, received {axis!r}.")
    if not -ndim <= axis < ndim:
        raise WrongPlaceError(
            f"Axis {axis} does not exist in a tensor of {ndim} dimensions. Expected {-ndim}..{ndim - 1}."
        )
    return axis % ndim if ndim else 0


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` (None, a number, several) as a sorted tuple of axes counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    given = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted(int(normalize_axis(a, ndim)) for a in given))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"Axes {axis} name a dimension twice.")
    return axes


def size(shape: Shape) -> Dim:
    """Number of elements, None if a dimension is unknown."""
    return None if None in shape else math.prod(shape)  # type: ignore[arg-type]


# Elementwise ---------------------------------------------------------------------------------------------------


def same(x: Any, *_: Any, **__: Any) -> Spec:
    return x.shape, x.dtype


def to_bool(x: Any, *_: Any, **__: Any) -> Spec:
    return x.shape, "bool"


def elementwise(*xs: Any, **_: Any) -> Spec:
    return broadcast(*(x.shape for x in xs)), xs[0].dtype


def compare(*xs: Any, **_: Any) -> Spec:
    return broadcast(*(x.shape for x in xs)), "bool"


def select(condition: Any, x: Any, y: Any) -> Spec:
    return broadcast(condition.shape, x.shape, y.shape), x.dtype


def cast(x: Any, *, dtype: str) -> Spec:
    return x.shape, dtype


ELEMENTWISE = frozenset({same, to_bool, elementwise, compare, select, cast})  # each element is treated alone


# Reductions ----------------------------------------------------------------------------------------------------


def _reduced(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    if not isinstance(keepdims, int | np.bool_):
        raise WrongKindError(f"Expected True or False as keepdims, received {keepdims!r}.")
    axes = normalize_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def reduce(x: Any, *, axis: Any = None, keepdims: bool = False, **_: Any) -> Spec:
    return _reduced(x.shape, axis, keepdims), x.dtype


def reduce_some(x: Any, *, axis: Any = None, keepdims: bool = False) -> Spec:
    """The rule of reductions that need an element: a maximum of nothing does not exist."""
    check_elements(x.shape, axis)
    return _reduced(x.shape, axis, keepdims), x.dtype


def check_elements(shape: Shape, axis: Any) -> None:
    """Raises: ShapeError if there is nothing along `axis`."""
    if any(shape[a] == 0 for a in normalize_axes(axis, len(shape))):
        raise ShapeError(f"Expected at least one element along the axes that are reduced, received shape {shape}.")


def reduce_bool(x: Any, *, axis: Any = None, keepdims: bool = False) -> Spec:
    return _reduced(x.shape, axis, keepdims), "bool"


def reduce_index(x: Any, *, axis: int = -1) -> Spec:
    check_elements(x.shape, axis)
    return _reduced(x.shape, normalize_axis(axis, len(x.shape)), False), "int64"


def flip(x: Any, *, axes: Sequence[int]) -> Spec:
    normalize_axes(axes, len(x.shape))
    return x.shape, x.dtype


def along(x: Any, *, axis: int = 0) -> Spec:
    normalize_axis(axis, len(x.shape))
    return x.shape, x.dtype


def dims(shape: Sequence[Any], least: int = 0) -> list[Dim]:
    """The dimensions that an attribute names: integers, and None for what only a run tells.

    Raises: ShapeError for anything else.
    """
    if not all(d is None or (isinstance(d, int | np.integer) and d >= least) for d in shape):
        raise ShapeError(f"Expected integers of at least {least} as shape, received {tuple(shape)}.")
    return [d if d is None else int(d) for d in shape]


# Arrangement ---------------------------------------------------------------------------------------------------


def reshape(x: Any, *, shape: Sequence[Any]) -> Spec:
    wanted = dims(shape, least=-1)
    if wanted.count(-1) > 1:
        raise ShapeError(f"Cannot reshape to {tuple(shape)}: at most one dimension may be -1.")
    total = size(x.shape)
    if -1 in wanted:
        rest = [d for d in wanted if d != -1]
        wanted[wanted.index(-1)] = _missing(x.shape, total, rest, shape)
    elif total is not None and None not in wanted and math.prod(wanted) != total:  # type: ignore[arg-type]
        raise ShapeError(f"Cannot reshape {x.shape} ({total} elements) to {tuple(shape)}.")
    return tuple(wanted), x.dtype


def _missing(old: Shape, total: Dim, rest: list[Dim], shape: Sequence[Any]) -> Dim:
    """The dimension behind a -1, also when the same number of dimensions is unknown on both sides."""
    if None in rest:
        return None
    known = math.prod(rest)  # type: ignore[arg-type]
    if total is None:
        return None
    if known == 0 or total % known:
        if known == 0 and total == 0:
            return 0
        raise ShapeError(f"Cannot reshape {old} to {tuple(shape)}: {total} elements are not divisible by {known}.")
    return total // known


def permute(x: Any, *, pattern: Sequence[int]) -> Spec:
    if sorted(p % len(x.shape) if x.shape else p for p in pattern) != list(range(len(x.shape))):
        raise ShapeError(f"Pattern {tuple(pattern)} is not a permutation of the axes of shape {x.shape}.")
    return tuple(x.shape[p] for p in pattern), x.dtype


def broadcast_to(x: Any, *, shape: Sequence[Any]) -> Spec:
    target = tuple(dims(shape))
    if len(x.shape) > len(target):
        raise ShapeError(f"Cannot broadcast {x.shape} to {target}: it has more dimensions.")
    broadcast(x.shape, target)
    return target, x.dtype


def concatenate(xs: Sequence[Any], *, axis: int = -1) -> Spec:
    if not xs:
        raise ArgumentError("concatenate: expected at least one tensor, received none.")
    ndim = len(xs[0].shape)
    axis = normalize_axis(axis, ndim)
    dims: list[Dim] = list(xs[0].shape)
    for x in xs[1:]:
        if len(x.shape) != ndim:
            raise ShapeError(f"concatenate: expected tensors of {ndim} dimensions, received {[t.shape for t in xs]}.")
        for i, d in enumerate(x.shape):
            if i == axis:
                dims[i] = None if None in (dims[i], d) else dims[i] + d  # type: ignore[operator]
            elif dims[i] is None:
                dims[i] = d
            elif d is not None and d != dims[i]:
                raise ShapeError(
                    f"concatenate: shapes must match except on axis {axis}, received {[t.shape for t in xs]}."
                )
    return tuple(dims), xs[0].dtype


def pad(x: Any, *, padding: Sequence[Any], interior: Sequence[int] | None = None, value: float = 0.0) -> Spec:
    gaps = interior or (0,) * len(padding)
    if len(padding) != len(x.shape):
        raise ShapeError(f"pad: expected {len(x.shape)} pairs of paddings for shape {x.shape}, received {padding}.")
    dims = (
        None if d is None else lo + hi + d + max(d - 1, 0) * gap
        for d, (lo, hi), gap in zip(x.shape, padding, gaps, strict=True)
    )
    return tuple(dims), x.dtype


class Unknown:
    """A bound that only a run tells, for a rule to which None means that there is no bound."""


def sees_unknown_bounds(rule: Any) -> Any:
    """Let a rule see `Unknown` in place of symbolic attributes, where other rules see None."""
    rule.unknown = Unknown
    return rule


@sees_unknown_bounds
def strided_slice(x: Any, *, start: Sequence[Any], stop: Sequence[Any], step: Sequence[int]) -> Spec:
    dims: list[Dim] = []
    if not len(x.shape) == len(start) == len(stop) == len(step):
        raise ShapeError(
            f"strided_slice: expected {len(x.shape)} bounds and steps for shape {x.shape}, received start={start}, "
            f"stop={stop}, step={step}."
        )
    for d, a, b, s in zip(x.shape, start, stop, step, strict=True):
        if Unknown in (a, b, s):
            dims.append(None)
        elif d is None:
            dims.append(_open_slice(a, b, s))
        else:
            dims.append(len(range(*slice(a, b, s).indices(d))))
    return tuple(dims), x.dtype


def _open_slice(start: Any, stop: Any, step: int) -> Dim:
    """Length of a slice of an unknown dimension, where start and stop alone decide it."""
    a = 0 if start is None else start
    if step > 0 and stop is not None and (a >= 0) == (stop >= 0) and a < 0:
        return max(0, -(-(stop - a) // step))
    return None


def gather(reference: Any, indices: Any, *, axis: int = 0) -> Spec:
    axis = normalize_axis(axis, len(reference.shape))
    check_index_dtype(indices.dtype)
    return (*reference.shape[:axis], *indices.shape, *reference.shape[axis + 1 :]), reference.dtype


def check_index_dtype(dtype: str) -> None:
    """Raises: DtypeError unless tensors of a dtype may be indices."""
    if not (dtypes.is_integer(dtype) or dtype == "bool"):
        raise DtypeError(f"gather: expected integers as indices, received {dtype}. Cast them: K.cast(x, 'int32').")


def scatter_add(updates: Any, indices: Any, *, size: int, axis: int = 0) -> Spec:
    k = len(indices.shape)
    axis = normalize_axis(axis, len(updates.shape) - k + 1)
    return (*updates.shape[:axis], size, *updates.shape[axis + k :]), updates.dtype


def take_along_axis(x: Any, indices: Any, *, axis: int) -> Spec:
    axis = normalize_axis(axis, len(x.shape))
    rest = broadcast(
        tuple(1 if i == axis else d for i, d in enumerate(x.shape)),
        tuple(1 if i == axis else d for i, d in enumerate(indices.shape)),
    )
    return tuple(indices.shape[axis] if i == axis else d for i, d in enumerate(rest)), x.dtype


# Linear algebra and neural kernels -------------------------------------------------------------------------------


def matmul(x: Any, y: Any) -> Spec:
    if len(x.shape) < 2 or len(y.shape) < 2:
        raise ShapeError(f"matmul: expected tensors of 2 or more dimensions, received {x.shape} and {y.shape}.")
    if None not in (x.shape[-1], y.shape[-2]) and x.shape[-1] != y.shape[-2]:
        raise ShapeError(
            f"matmul: the last dimension of {x.shape} must equal the second-last of {y.shape}, "
            f"but {x.shape[-1]} is not {y.shape[-2]}."
        )
    return (*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]), x.dtype


def windows(size: Dim, window: int, stride: int, padding: Any, dilation: int = 1) -> Dim:
    """How many windows fit along one dimension. `padding` is 'same', 'valid' or a pair of amounts.

    Raises: ShapeError if not even one fits.
    """
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    lo, hi = (0, 0) if padding == "valid" else padding
    span = dilation * (window - 1) + 1
    if span > size + lo + hi:
        raise ShapeError(
            f"Negative dimension size: a window of {span} does not fit a dimension of {size}"
            + (f" with padding ({lo}, {hi})" if lo or hi else "")
            + ". Use a smaller window, fewer poolings before it, or padding='same'."
            + (f" If {size} is the number of channels, write data_format='channels_first'." if size in (1, 3) else "")
        )
    return (size + lo + hi - span) // stride + 1


def check_fit(shape: Shape, window: Sequence[Any], padding: Any, dilation: Sequence[int], data_format: str) -> None:
    """Raise ShapeError if not even one window fits: engines give nothing then, or read beyond the image."""
    if padding != "same":
        space = spatial(shape, data_format)
        for n, w, p, d in zip(space, window, _paddings(padding, len(space)), dilation, strict=False):
            if isinstance(n, int) and isinstance(w, int):
                windows(n, w, 1, p, d)


def resolve_padding(
    padding: Any, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Amounts of padding for each dimension: 'same' gives the odd one to the end, whatever the strides (D9)."""
    if padding == "valid":
        return ((0, 0),) * len(sizes)
    if padding != "same":
        return tuple((int(lo), int(hi)) for lo, hi in padding)
    pairs = []
    for n, w, s, d in zip(sizes, window, strides, dilation, strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (w - 1) + 1 - n)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def check_windows(n: int, data_format: str, padding: Any, **amounts: Any) -> None:
    """Raises: ArgumentError unless a window over `n` dimensions can have these amounts, padding and data format."""
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(f"Expected 'channels_last' or 'channels_first', received data_format={data_format!r}.")
    if padding not in ("valid", "same") and (isinstance(padding, str) or len(padding) != n):
        raise ArgumentError(f"Expected 'valid', 'same' or {n} pairs of amounts, received padding={padding!r}.")
    for name, values in amounts.items():
        if len(values) != n or any(v < 1 for v in values):
            raise ArgumentError(f"Expected {n} positive integers, received {name}={tuple(values)}.")


def spatial(shape: Shape, data_format: str) -> Shape:
    """The spatial dimensions of a batch of images."""
    return shape[1:-1] if data_format == "channels_last" else shape[2:]


def channels(shape: Shape, data_format: str) -> Dim:
    return shape[-1] if data_format == "channels_last" else shape[1]


def image(batch: Dim, space: Sequence[Dim], depth: Dim, data_format: str) -> Shape:
    """The shape of a batch of images from its parts."""
    return (batch, *space, depth) if data_format == "channels_last" else (batch, depth, *space)


def _paddings(padding: Any, n: int) -> list[Any]:
    return [padding] * n if isinstance(padding, str) else list(padding)


def conv(x: Any, kernel: Any, *, strides: Any, padding: Any, dilation: Any, groups: int = 1, data_format: str) -> Spec:
    space = spatial(x.shape, data_format)
    depth = channels(x.shape, data_format)
    if len(x.shape) != len(kernel.shape):
        raise ShapeError(f"conv: an input of shape {x.shape} does not fit a kernel of shape {kernel.shape}.")
    if depth is not None and depth != kernel.shape[-2] * groups:
        raise ShapeError(
            f"conv: the kernel {kernel.shape} with {groups} groups expects {kernel.shape[-2] * groups} channels, "
            f"received {depth} in {x.shape} ({data_format})."
        )
    check_windows(len(space), data_format, padding, strides=strides, dilation=dilation)
    out = [
        windows(n, w, s, p, d)
        for n, w, s, p, d in zip(
            space, kernel.shape[:-2], strides, _paddings(padding, len(space)), dilation, strict=True
        )
    ]
    return image(x.shape[0], out, kernel.shape[-1], data_format), x.dtype


def conv_input_gradient(
    g: Any,
    kernel: Any,
    *,
    input_shape: Any,
    strides: Any,
    padding: Any,
    dilation: Any,
    data_format: str = "channels_last",
    **_: Any,
) -> Spec:
    space = spatial(tuple(d if isinstance(d, int) else None for d in input_shape), data_format)
    pads = _paddings(padding, len(space))
    for n, w, s, p, d, have in zip(
        space, kernel.shape[:-2], strides, pads, dilation, spatial(g.shape, data_format), strict=True
    ):
        if p == "same" or n is None or have is None:  # with 'same' the last windows may lie outside
            continue
        if have != (made := windows(n, w, s, p, d)):
            raise ShapeError(
                f"conv: windows of {w} with strides of {s} over a dimension of {n} give {made}, received {have}: "
                f"shapes {tuple(input_shape)} and {tuple(g.shape)}."
            )
    return tuple(d if isinstance(d, int) else None for d in input_shape), g.dtype


def conv_kernel_gradient(x: Any, g: Any, *, kernel_shape: Any, **_: Any) -> Spec:
    return tuple(kernel_shape), x.dtype


def pool(x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Spec:
    space = spatial(x.shape, data_format)
    check_windows(len(space), data_format, padding, pool_size=pool_size, strides=strides)
    out = [
        windows(n, w, s, p)
        for n, w, s, p in zip(space, pool_size, strides, _paddings(padding, len(space)), strict=True)
    ]
    return image(x.shape[0], out, channels(x.shape, data_format), data_format), x.dtype


def pool_gradient(x: Any, *_: Any, **__: Any) -> Spec:
    return x.shape, x.dtype


def pool_pick(x: Any, y: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Spec:
    return pool(x, pool_size=pool_size, strides=strides, padding=padding, data_format=data_format)


def average_pool_gradient(g: Any, *, input_shape: Any, **_: Any) -> Spec:
    return tuple(input_shape), g.dtype


def replica_gather(x: Any, *, shares: int, **_: Any) -> Spec:
    first, *rest = x.shape
    return (None if first is None else first * shares, *rest), x.dtype


def noise(counter: Any, seed: Any, *, shape: Any, dtype: str, **_: Any) -> Spec:
    return tuple(dims(shape)), dtype


# Rules of ops whose result has the dtype of its tensors, or is boolean.
KEEPS_DTYPE = (ELEMENTWISE - {cast}) | {
    reduce, reduce_some, reduce_bool, flip, along, reshape, permute, broadcast_to, pad, strided_slice, matmul, conv,
    conv_input_gradient, conv_kernel_gradient, pool, pool_gradient, average_pool_gradient,
}  # fmt: skip


def as_float(rule: Rule) -> Rule:
    """The rule with the result's dtype made a float (see `dtypes.as_float`)."""

    def wrapped(*args: Any, **attrs: Any) -> Spec:
        shape, dtype = rule(*args, **attrs)
        return shape, dtypes.as_float(dtype)

    return wrapped
