"""Loops, choices, parts of tensors that are replaced, and conversions, as Keras 3 names them."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import nest
from keras_front.backend import dtypes, shapes
from keras_front.backend.host_values import on_host
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError

from .arrays import _dtype, _whole, array

# Conversions ---------------------------------------------------------------------------------------------------


@full_precision
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """A tensor of the active backend, or a symbol as it is.

    Args:
        x: tensor, array, number, or nested list of them.
        dtype: its type; None: floats of Python get `floatx`, others keep theirs.
        sparse: kept for code written for Keras 3; tensors are dense.
        ragged: likewise.

    Example:
        >>> from keras_front import ops
        >>> ops.convert_to_tensor([1.0, 2.0]).tolist()
        [1.0, 2.0]
    """
    return array(K.to_dense(x), dtype)


@full_precision
def convert_to_numpy(x: Any) -> np.ndarray:
    """The values as an array.

    Args:
        x: tensor with a value, variable, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.convert_to_numpy(ops.array([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    return np.asarray(K.to_numpy(x))


@full_precision
def shape(x: Any) -> tuple[Any, ...]:
    """The sizes: numbers where they are known, scalar tensors where they are not.

    Args:
        x: tensor, array or number.

    Example:
        >>> from keras_front import ops
        >>> ops.shape(np.ones((2, 3)))
        (2, 3)
    """
    x = as_symbol_or_tensor(x)
    return tuple(K.getitem(K.shape(x), i) if n is None else n for i, n in enumerate(x.shape))


@full_precision
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Another type, in whose range values are cut first.

    Args:
        x: tensor, array or number.
        dtype: the type.

    Example:
        >>> from keras_front import ops
        >>> ops.saturate_cast(np.array([-5.0, 300.0]), "uint8").tolist()
        [0, 255]
    """
    x, name = as_symbol_or_tensor(x), dtypes.canonical(dtype)
    if name == "bool" or dtypes.is_float(name):
        return K.cast(x, name)
    limits = np.iinfo(name)
    if dtypes.is_float(_dtype(x)):  # the largest integer may be no float: the one below it is taken
        most = np.nextafter(np.float64(limits.max) + 1, 0) if _dtype(x) == "float64" else np.nextafter(
            np.float32(limits.max) + np.float32(1), np.float32(0))  # fmt: skip
        return K.cast(K.clip(x, float(limits.min), float(min(most, limits.max))), name)
    own = np.iinfo(_dtype(x)) if _dtype(x) != "bool" else np.iinfo("uint8")
    return K.cast(K.clip(x, int(max(limits.min, own.min)), int(min(limits.max, own.max))), name)


# Parts ---------------------------------------------------------------------------------------------------------


@full_precision
def slice(inputs: Any, start_indices: Any, shape: Sequence[int]) -> Any:
    """A block of a tensor.

    Args:
        inputs: tensor.
        start_indices: where it begins on each axis, numbers or an integer tensor.
        shape: its sizes.

    Example:
        >>> from keras_front import ops
        >>> ops.slice(np.arange(6).reshape(2, 3), (0, 1), (2, 2)).tolist()
        [[1, 2], [4, 5]]
    """
    x = as_symbol_or_tensor(inputs)
    for axis, size in enumerate(shape):
        start = start_indices[axis]
        if isinstance(start, int) and size == x.shape[axis] and not start:
            continue
        places = K.add(np.arange(size, dtype="int32"), K.cast(start, "int32"))
        x = K.gather(x, places, axis=axis)
    return x


@full_precision
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """A tensor with a block of it replaced.

    Args:
        inputs: tensor.
        start_indices: where the block begins on each axis, numbers or an integer tensor.
        updates: the block.

    Example:
        >>> from keras_front import ops
        >>> ops.slice_update(np.zeros(4), (1,), np.array([5.0, 6.0])).tolist()
        [0.0, 5.0, 6.0, 0.0]
    """
    x, new = as_symbol_or_tensor(inputs), as_symbol_or_tensor(updates)
    inside = None
    for axis in builtins.range(len(x.shape)):
        size, count = _whole(x, axis, "slice_update"), _whole(new, axis, "slice_update")
        places = K.subtract(np.arange(size, dtype="int32"), K.cast(start_indices[axis], "int32"))
        new = K.gather(new, K.clip(places, 0, count - 1), axis=axis)
        here = K.logical_and(places >= 0, places < count)
        here = K.reshape(here, (size, *(1,) * (len(x.shape) - axis - 1)))
        inside = here if inside is None else K.logical_and(inside, here)
    return new if inside is None else K.where(inside, K.cast(new, _dtype(x)), x)


def _flat_places(indices: Any, sizes: Sequence[int]) -> tuple[Any, int]:
    """Index tuples (..., n) for the first n axes as places along one axis, and its size."""
    indices = K.cast(as_symbol_or_tensor(indices), "int32")
    count = _whole(indices, -1, "scatter")
    steps = [math.prod(sizes[i + 1 : count]) for i in builtins.range(count)]
    return K.reshape(K.sum(indices * np.asarray(steps, "int32"), axis=-1), (-1,)), math.prod(sizes[:count])


@full_precision
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Any:
    """Zeros with values at some places; those for the same place are added.

    Args:
        indices: integers (..., n): index tuples for the first n axes.
        values: for each tuple an element, or a slice of the other axes.
        shape: that of the result.

    Example:
        >>> from keras_front import ops
        >>> ops.scatter(np.array([[0], [2]]), np.array([1.0, 5.0]), (3,)).tolist()
        [1.0, 0.0, 5.0]
    """
    sizes = tuple(int(n) for n in shape)
    places, size = _flat_places(indices, sizes)
    rest = sizes[len(sizes) - (len(sizes) - int(as_symbol_or_tensor(indices).shape[-1])) :]
    rows = K.reshape(as_symbol_or_tensor(values), (-1, *rest))
    return K.reshape(K.scatter_add(rows, places, size), sizes)


@full_precision
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A tensor with elements replaced, or joined with others, at some places.

    Args:
        inputs: tensor.
        indices: integers (count, n): index tuples for the first n axes. Without a reduction each stands there once.
        updates: for each tuple an element, or a slice of the other axes.
        reduction: None to replace; 'add', 'mul', 'max' or 'min' to join.

    Example:
        >>> from keras_front import ops
        >>> ops.scatter_update(np.zeros(3), np.array([[1]]), np.array([7.0])).tolist()
        [0.0, 7.0, 0.0]
    """
    x, new = as_symbol_or_tensor(inputs), as_symbol_or_tensor(updates)
    sizes = tuple(_whole(x, i, "scatter_update") for i in builtins.range(len(x.shape)))
    places, size = _flat_places(indices, sizes)
    rest = sizes[int(as_symbol_or_tensor(indices).shape[-1]) :]
    rows, flat = K.reshape(K.cast(new, _dtype(x)), (-1, *rest)), K.reshape(x, (size, *rest))
    joins = {"add": segment_sum, "mul": segment_prod, "max": segment_max, "min": segment_min, None: segment_sum}
    if reduction not in joins:
        raise ArgumentError(f"scatter_update: expected 'add', 'mul', 'max', 'min' or None, received {reduction!r}.")
    joined = joins[reduction](rows, places, size)
    hit = K.reshape(segment_sum(K.ones_like(K.cast(places, "int32")), places, size) > 0, (size, *(1,) * len(rest)))
    ways = {"add": K.add, "mul": K.multiply, "max": K.maximum, "min": K.minimum, None: lambda old, new: new}
    return K.reshape(K.where(hit, ways[reduction](flat, joined), flat), sizes)


# Segments ------------------------------------------------------------------------------------------------------


def _segments(segment_ids: Any, num_segments: int | None) -> tuple[Any, int]:
    ids = K.cast(as_symbol_or_tensor(segment_ids), "int32")
    if num_segments is None:
        values = on_host("a number of segments that is not given", ids)[0]
        num_segments = int(values.max()) + 1 if values.size else 0
    return ids, int(num_segments)


@full_precision
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The sums of the rows of each segment.

    Args:
        data: tensor of rows.
        segment_ids: for each row the number of its segment.
        num_segments: how many segments there are, by default up to the largest number.
        sorted: whether the numbers are in order; it makes no difference.

    Example:
        >>> from keras_front import ops
        >>> ops.segment_sum(np.array([1, 5, 2]), np.array([0, 0, 1]), 2).tolist()
        [6, 2]
    """
    ids, count = _segments(segment_ids, num_segments)
    return K.scatter_add(as_symbol_or_tensor(data), ids, count)


def _joined(data: Any, segment_ids: Any, num_segments: int | None, reduce: Any, neutral: Any) -> Any:
    ids, count = _segments(segment_ids, num_segments)
    x = as_symbol_or_tensor(data)
    inside = K.equal(K.expand_dims(ids, 0), np.arange(count, dtype="int32")[:, None])
    inside = K.reshape(inside, (count, -1, *(1,) * (len(x.shape) - 1)))
    return reduce(K.where(inside, K.expand_dims(x, 0), K.cast(neutral, _dtype(x))), axis=1)


@full_precision
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The products of the rows of each segment.

    Args:
        data: tensor of rows.
        segment_ids: for each row the number of its segment.
        num_segments: how many segments there are, by default up to the largest number.
        sorted: whether the numbers are in order; it makes no difference.

    Example:
        >>> from keras_front import ops
        >>> ops.segment_prod(np.array([1, 5, 2]), np.array([0, 0, 1]), 2).tolist()
        [5, 2]
    """
    return _joined(data, segment_ids, num_segments, K.prod, 1)


@full_precision
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest of the rows of each segment; the smallest number of the type for one without rows.

    Args:
        data: tensor of rows.
        segment_ids: for each row the number of its segment.
        num_segments: how many segments there are, by default up to the largest number.
        sorted: whether the numbers are in order; it makes no difference.

    Example:
        >>> from keras_front import ops
        >>> ops.segment_max(np.array([1, 5, 2]), np.array([0, 0, 1]), 2).tolist()
        [5, 2]
    """
    name = _dtype(as_symbol_or_tensor(data))
    return _joined(data, segment_ids, num_segments, K.max, -math.inf if dtypes.is_float(name) else np.iinfo(name).min)


@full_precision
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The smallest of the rows of each segment; the largest number of the type for one without rows.

    Args:
        data: tensor of rows.
        segment_ids: for each row the number of its segment.
        num_segments: how many segments there are, by default up to the largest number.
        sorted: whether the numbers are in order; it makes no difference.

    Example:
        >>> from keras_front import ops
        >>> ops.segment_min(np.array([1, 5, 2]), np.array([0, 0, 1]), 2).tolist()
        [1, 2]
    """
    name = _dtype(as_symbol_or_tensor(data))
    return _joined(data, segment_ids, num_segments, K.min, math.inf if dtypes.is_float(name) else np.iinfo(name).max)


# Loops and choices ---------------------------------------------------------------------------------------------


@full_precision
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> tuple[Any, Any]:
    """Carry tensors through a loop: `carry, y = f(carry, x)` for each row x.

    Args:
        f: one step; what it carries keeps its structure, shapes and dtypes.
        init: the first carry: a tensor, or a nesting of them.
        xs: tensors (steps, ...) in any nesting; None for a loop without.
        length: how many steps, where `xs` is None.
        reverse: whether to go from the last row to the first.
        unroll: kept for code written for Keras 3; the backend decides.

    Returns: the last carry, and the results of the steps, stacked.

    Example:
        >>> from keras_front import ops
        >>> total, sums = ops.scan(lambda carry, x: (carry + x, carry + x), 0.0, np.array([1.0, 2.0]))
        >>> sums.tolist()
        [1.0, 3.0]
    """
    carried = nest.flatten(init)
    rows = [] if xs is None else nest.flatten(xs)
    shapes_of_y: list[Any] = []

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        given = None if xs is None else nest.pack_like(xs, x)
        new, y = f(nest.pack_like(init, carry), given)
        shapes_of_y[:] = [y]
        return nest.flatten(new), [] if y is None else nest.flatten(y)

    final, ys = K.scan(step, carried, rows, reverse=reverse, length=length)
    structure = shapes_of_y[0] if shapes_of_y else None
    return nest.pack_like(init, final), None if structure is None else nest.pack_like(structure, ys)


@full_precision
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each row, stacked.

    Args:
        f: takes a row, or a nesting of rows.
        xs: tensors (rows, ...) in any nesting.

    Example:
        >>> from keras_front import ops
        >>> ops.map(lambda x: x * x, np.array([1.0, 2.0])).tolist()
        [1.0, 4.0]
    """
    return scan(lambda carry, x: (carry, f(x)), array(0), xs)[1]


@full_precision
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """A value carried through `value = body_fun(i, value)` for i from `lower` up to `upper`, which is not included.

    Args:
        lower: the first i.
        upper: the one after the last.
        body_fun: one step.
        init_val: the first value: a tensor, or a nesting of them.

    Example:
        >>> from keras_front import ops
        >>> int(ops.fori_loop(0, 4, lambda i, total: total + i, 0))
        6
    """
    low, high = (int(n) if not K.is_symbolic(n) else n for n in (lower, upper))
    if isinstance(low, int) and isinstance(high, int):
        if high <= low:
            return init_val
        init_val = nest.map_structure(as_symbol_or_tensor, init_val)
        return scan(lambda v, i: (body_fun(i, v), None), init_val, array(np.arange(low, high, dtype="int32")))[0]
    raise ArgumentError("fori_loop: expected bounds that are known; for others there is while_loop.")


@full_precision
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function, in as many rounds as the length has binary digits.

    Args:
        f: joins two tensors, or two nestings of them, element by element.
        elems: tensors in any nesting.
        reverse: whether to begin at the end.
        axis: along which axis.

    Source: Hillis & Steele (1986).

    Example:
        >>> from keras_front import ops
        >>> ops.associative_scan(lambda a, b: a + b, np.array([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    tensors = [as_symbol_or_tensor(x) for x in nest.flatten(elems)]
    places = [shapes.normalize_axis(axis, len(x.shape)) for x in tensors]
    if reverse:
        tensors = [numpy_names.flip(x, a) for x, a in zip(tensors, places, strict=True)]
    size, far = _whole(tensors[0], places[0], "associative_scan"), 1

    def cut(start: int | None, stop: int | None) -> list[Any]:
        part = builtins.slice(start, stop)
        return [K.getitem(x, (builtins.slice(None),) * a + (part,)) for x, a in zip(tensors, places, strict=True)]

    while far < size:
        new = f(nest.pack_like(elems, cut(None, -far)), nest.pack_like(elems, cut(far, None)))
        joined = zip(cut(None, far), nest.flatten(new), places, strict=True)
        tensors, far = [K.concatenate([old, n], axis=a) for old, n, a in joined], 2 * far
    if reverse:
        tensors = [numpy_names.flip(x, a) for x, a in zip(tensors, places, strict=True)]
    return nest.pack_like(elems, tensors)


@full_precision
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of one of several functions.

    Args:
        index: which, an integer; beyond the ends the first or the last.
        branches: the functions. Their results have the same structure, shapes and dtypes.
        operands: what they are called with.

    Example:
        >>> from keras_front import ops
        >>> float(ops.switch(1, [lambda x: x, lambda x: 10 * x], 3.0))
        30.0
    """
    if not K.is_symbolic(index):
        return branches[int(np.clip(int(index), 0, len(branches) - 1))](*operands)
    results = [branch(*operands) for branch in branches]
    found = nest.flatten(results[-1])
    for i, result in builtins.reversed(list(enumerate(results[:-1]))):
        first = K.less_equal(index, 0) if i == 0 else K.equal(index, i)
        found = [K.where(first, a, b) for a, b in zip(nest.flatten(result), found, strict=True)]
    return nest.pack_like(results[-1], found)


@full_precision
def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function of numbers as one of tensors, which are broadcast against each other.

    Args:
        pyfunc: a function of scalar tensors.
        excluded: places or names of arguments that are passed as they are.
        signature: not supported.

    Example:
        >>> from keras_front import ops
        >>> ops.vectorize(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
        [1.0, 4.0]
    """
    if signature is not None:
        raise ArgumentError("vectorize: expected no signature; only functions of single elements are supported.")
    apart = set(excluded or ())

    @functools.wraps(pyfunc)
    def run(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in builtins.range(len(args)) if i not in apart]
        tensors = [as_symbol_or_tensor(args[i]) for i in places]
        target = np.broadcast_shapes(*(tuple(t.shape) for t in tensors))
        flat = [K.flatten(K.broadcast_to(t, target)) for t in tensors]

        def one(rows: Any) -> Any:
            given = list(args)
            for i, row in zip(places, rows, strict=True):
                given[i] = row
            return pyfunc(*given, **kwargs)

        return nest.map_structure(lambda y: K.reshape(y, (*target, *y.shape[1:])), map(one, flat))

    return run


# Layout --------------------------------------------------------------------------------------------------------


@full_precision
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """The axes in another order, split and joined: `rearrange(x, "b (h p) c -> b h (p c)", p=2)`.

    Args:
        tensor: the tensor.
        pattern: the names of its axes, an arrow, and those of the result; names in brackets are one axis.
        axes_lengths: sizes of named axes, where they do not follow.

    Source: the notation of einops (Rogozhnikov, 2022).

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.rearrange(np.ones((2, 3, 4)), "a b c -> (a b) c").shape)
        (6, 4)
    """
    x = as_symbol_or_tensor(tensor)
    given, wanted = (_groups(side) for side in pattern.split("->"))
    if len(given) != len(x.shape) or {n for g in given for n in g} != {n for g in wanted for n in g}:
        raise ArgumentError(f"rearrange: the pattern {pattern!r} does not fit a tensor of shape {tuple(x.shape)}.")
    sizes = dict(axes_lengths)
    for group, size in zip(given, x.shape, strict=True):
        open_names = [n for n in group if n not in sizes]
        if len(open_names) > 1:
            raise ArgumentError(f"rearrange: the sizes of {', '.join(open_names)} are unknown.")
        known = math.prod(sizes[n] for n in group if n in sizes)
        for name in open_names:
            sizes[name] = -1 if size is None else size // known
    names = [n for g in given for n in g]
    wide = K.reshape(x, tuple(sizes[n] for n in names))
    order = tuple(names.index(n) for g in wanted for n in g)
    moved = K.permute_dimensions(wide, order) if order else wide
    return K.reshape(
        moved, tuple(-1 if any(sizes[n] < 0 for n in g) else math.prod(sizes[n] for n in g) for g in wanted)
    )


def _groups(side: str) -> list[list[str]]:
    """The axes of one side of a pattern, each with the names that make it up."""
    found: list[list[str]] = []
    group: list[str] | None = None
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            group = []
            found.append(group)
        elif word == ")":
            group = None
        elif group is not None:
            group.append(word)
        else:
            found.append([] if word == "1" else [word])
    return found
