"""Cases whose shapes and axes hypothesis draws; what fails is reduced to its smallest example.

Not a part of `conformance.run`, because it needs hypothesis (`pip install hypothesis`):

    from keras_front.testing import random_shapes

    def test_random_shapes():
        for family in random_shapes.FAMILIES:
            random_shapes.run(family, "pebble_front:PebbleBackend")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes

from keras_front.backend import discovery
from keras_front.testing import derivatives, values
from keras_front.testing import formulas as f
from keras_front.testing import reference as ref
from keras_front.testing.case import Case
from keras_front.testing.primitives import CASES
from keras_front.testing.selection import reduced

Draw = Callable[[Any], Any]
Example = tuple[str, Case]
ANY = shapes.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FULL = shapes.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)
COUNT = st.integers(0, 3)


def filled(shape: Sequence[int]) -> np.ndarray:
    """An array of this shape; the same one each time, without ties."""
    return np.random.default_rng([7, *shape]).normal(size=tuple(shape))


@st.composite
def broadcasting(draw: Draw) -> Example:
    """Two operands that fit, or a condition and two."""
    op = draw(st.sampled_from(("add", "multiply", "maximum", "less", "where")))
    count = 3 if op == "where" else 2
    both = draw(shapes.mutually_broadcastable_shapes(num_shapes=count, max_dims=4, min_side=0, max_side=4))
    arrays = [filled(shape) + i for i, shape in enumerate(both.input_shapes)]
    if op == "where":
        return op, Case(arrays[0] > 0, *arrays[1:], reference=np.where, grads=(1, 2))
    return op, Case(*arrays, reference=getattr(np, op), grads=() if op == "less" else (0, 1))


@st.composite
def reductions(draw: Draw) -> Example:
    """Any axes, negative ones too, of any shape; of an empty one where the op has a neutral element."""
    op = draw(st.sampled_from(("sum", "prod", "mean", "max", "any", "argmax", "cumsum")))
    shape = draw(FULL if op in ("max", "argmax", "cumsum") else ANY)
    x = filled(shape)
    if op in ("argmax", "cumsum"):
        axis = draw(st.integers(-len(shape), len(shape) - 1))
        return op, Case(x, reference=getattr(np, op), grads=(0,) if op == "cumsum" else (), axis=axis)
    axis = draw(st.none() | shapes.valid_tuple_axes(len(shape)))
    attrs = {"axis": axis, "keepdims": draw(st.booleans())}
    return op, Case(x, reference=ref.reduced(getattr(np, op)), grads=() if op == "any" or not x.size else (0,), **attrs)


@st.composite
def arrangement(draw: Draw) -> Example:
    """Values in another order or shape."""
    op = draw(st.sampled_from(tuple(_ARRANGED)))
    shape = draw(FULL)
    return op, _ARRANGED[op](draw, filled(shape))


def _reshape(draw: Draw, x: np.ndarray) -> Case:
    rest, shape = x.size, []
    while rest > 1:
        shape.append(draw(st.sampled_from([d for d in range(1, rest + 1) if rest % d == 0])))
        rest //= shape[-1]
        if len(shape) > 4:
            shape, rest = [*shape, rest], 1
    if shape and draw(st.booleans()):
        shape[draw(st.integers(0, len(shape) - 1))] = -1
    return Case(x, reference=ref.reshape, grads=(0,), shape=tuple(shape) or (1,))


def _permute(draw: Draw, x: np.ndarray) -> Case:
    pattern = tuple(draw(st.permutations(range(x.ndim))))
    return Case(x, reference=lambda x, pattern: np.transpose(x, pattern), grads=(0,), pattern=pattern)


def _axis(draw: Draw, ndim: int) -> int:
    return draw(st.integers(-ndim, ndim - 1))


def _concatenate(draw: Draw, x: np.ndarray) -> Case:
    axis = _axis(draw, x.ndim)
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = [filled([n if i == axis % x.ndim else d for i, d in enumerate(x.shape)]) for n in sizes]
    return Case([x, *parts], reference=np.concatenate, grads=(0,), axis=axis)


def _flipped(x: np.ndarray, axes: Any) -> np.ndarray:
    return np.flip(x, axes)


def _tile(draw: Draw, x: np.ndarray) -> Case:
    n = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=x.ndim + 1)))
    return Case(x, reference=lambda x, n: np.tile(x, n), grads=(0,), n=n)


_ARRANGED: dict[str, Callable[[Draw, np.ndarray], Case]] = {
    "reshape": _reshape,
    "permute_dimensions": _permute,
    "concatenate": _concatenate,
    "flip": lambda draw, x: Case(x, reference=_flipped, grads=(0,), axes=draw(shapes.valid_tuple_axes(x.ndim))),
    "tile": _tile,
    "expand_dims": lambda draw, x: Case(x, reference=np.expand_dims, grads=(0,), axis=_axis(draw, x.ndim + 1)),
    "roll": lambda draw, x: Case(
        x, reference=np.roll, grads=(0,), shift=draw(st.integers(-5, 5)), axis=_axis(draw, x.ndim)
    ),
    "stack": lambda draw, x: Case([x, x * 2], reference=np.stack, grads=(0,), axis=_axis(draw, x.ndim + 1)),
}


@st.composite
def indexing(draw: Draw) -> Example:
    """Slices with steps, and rows picked by arrays of indices of any shape."""
    x = filled(draw(FULL))
    if draw(st.booleans()):
        axis = _axis(draw, x.ndim)
        shape = draw(shapes.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
        places = np.random.default_rng(1).integers(0, x.shape[axis], shape)
        return "gather", Case(x, places, reference=lambda x, i, axis: np.take(x, i, axis), grads=(0,), axis=axis)
    cuts = [draw(st.slices(n)) for n in x.shape]
    cuts = [c if c.step is None or c.step > 0 else slice(c.start, None, -c.step) for c in cuts]
    attrs: dict[str, Any] = {"start": tuple(c.start for c in cuts), "stop": tuple(c.stop for c in cuts)}
    steps = tuple(c.step or 1 for c in cuts)
    return "strided_slice", Case(x, reference=CASES["strided_slice"][0].reference, grads=(0,), step=steps, **attrs)


@st.composite
def padding(draw: Draw) -> Example:
    """Amounts before, after and between."""
    x = filled(draw(shapes.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)))
    amounts = tuple((draw(COUNT), draw(COUNT)) for _ in x.shape)
    gaps = draw(st.none() | st.tuples(*(COUNT for _ in x.shape)))
    return "pad", Case(x, reference=ref.pad, grads=(0,), padding=amounts, interior=gaps, value=draw(COUNT) * 1.0)


@st.composite
def products(draw: Draw) -> Example:
    """Matrices with batches that fit, and the products of classic K."""
    op = draw(st.sampled_from(("matmul", "dot", "batch_dot")))
    side = st.integers(1, 4)
    rows, inner, columns, batch = draw(side), draw(side), draw(side), draw(side)
    if op == "matmul":
        both = draw(shapes.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, min_side=1, max_side=3))
        first, other = both.input_shapes
        return op, Case(
            filled((*first, rows, inner)), filled((*other, inner, columns)), reference=np.matmul, grads=(0, 1)
        )
    if op == "dot":
        head = draw(shapes.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3))
        second = draw(st.sampled_from([(inner, columns), (2, inner, columns), (inner,)]))
        return op, Case(filled((*head, inner)), filled(second), reference=f.dot, grads=(0, 1))
    x, y = (batch, rows, inner), draw(st.sampled_from([(batch, inner, columns), (batch, columns, inner)]))
    axes = (2, y.index(inner, 1))
    return op, Case(filled(x), filled(y), reference=f.batch_dot, grads=(0, 1), axes=axes)


@st.composite
def windows(draw: Draw) -> Example:
    """Convolutions and pools: padding `same` with strides, dilation, both data formats."""
    op = draw(st.sampled_from(("conv", "max_pool", "average_pool")))
    space, size = [draw(st.integers(1, 7)) for _ in range(2)], [draw(st.integers(1, 3)) for _ in range(2)]
    strides = tuple(draw(st.integers(1, 3)) for _ in range(2))
    gaps = tuple(1 if max(strides) > 1 or op != "conv" else draw(st.integers(1, 2)) for _ in range(2))
    fits = all(n >= d * (k - 1) + 1 for n, k, d in zip(space, size, gaps, strict=True))
    attrs: dict[str, Any] = {
        "strides": strides,
        "padding": draw(st.sampled_from(("same", "valid"))) if fits else "same",
    }
    attrs["data_format"] = draw(st.sampled_from(("channels_last", "channels_first")))
    x = filled((2, *space, 2) if attrs["data_format"] == "channels_last" else (2, 2, *space))
    if op != "conv":
        return op, Case(x, reference=getattr(ref, op), grads=(0,), pool_size=tuple(size), **attrs)
    return op, Case(x, filled((*size, 2, 3)), reference=ref.conv, grads=(0, 1), dilation=gaps, groups=1, **attrs)


FAMILIES: dict[str, Any] = {
    fn.__name__: fn() for fn in (broadcasting, reductions, arrangement, indexing, padding, products, windows)
}


def check(op: str, case: Case) -> None:
    """Value and symbolic shape; where compiling is quick, also compiled against eager, and the gradient."""
    values.value(op, [case])
    values.shape(op, [case])
    if not reduced():
        values.compiled(op, [case])
        derivatives.gradient(op, [case])


def run(family: str, backend: Any = None, examples: int | None = None) -> None:
    """Check a family on a backend (default: the active one); fewer examples where each shape is compiled."""
    with discovery.use_backend(backend if backend is not None else discovery.active()):
        most = examples or (8 if reduced() else 40)

        @settings(
            max_examples=most,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(FAMILIES[family])
        def every(example: Example) -> None:
            check(*example)

        every()
