"""Cases at the edges, for every op to which they apply.

No elements, no dimensions, one element, NaN and infinity, integers and truth values, ties, negative axes, both data
formats.

They are made from the cases of the other tables: the same reference, other arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front.testing import formulas as f
from keras_front.testing import reference as ref
from keras_front.testing.case import Case

RNG = np.random.default_rng(31)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5])
NONE, ONE, POINT = np.zeros((0, 3)), np.full((1, 1), 0.5), np.asarray(0.5)
WHOLE, TRUTHS = np.array([[3, -2, 0], [1, 3, -2]], "int32"), np.array([[True, False, True], [True, True, False]])
TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [-0.0, 0.0, -1.0]])

Table = dict[str, list[Case]]

UNARY = (
    "abs negative sign floor ceil round trunc square identity stop_gradient exp expm1 log log1p sqrt square_root rsqrt"
    " sin cos tan tanh sinh cosh arcsinh arctanh sigmoid erf log2 log10 softplus log_sigmoid softsign elu hard_sigmoid"
    " silu gelu mish relu relu6 clip isnan isinf isfinite"
).split()
# Where NumPy's formula and K's may differ: an infinite factor meets a zero one, and K does not say which wins.
NO_INFINITY = {"silu", "gelu", "mish", "sin", "cos", "tan"}
BINARY = (
    "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal divide logaddexp"
).split()
LOGICAL = ("logical_and", "logical_or", "logical_xor")
REDUCTIONS = "sum prod max min mean var std logsumexp".split()
MOVERS = (  # ops that move values, and so take every dtype
    "reshape permute_dimensions broadcast_to pad strided_slice flip gather concatenate stack expand_dims squeeze repeat"
    " repeat_elements tile reverse slice roll transpose flatten batch_flatten"
).split()
SCALED = "softmax log_softmax l2_normalize".split()


def edges(table: Table) -> Table:
    """More cases for the ops of `table`."""
    made: Table = {}
    for make in (
        _unary, _binary, _logical, _whole, _reductions, _places, _movers, _scaled, _empty_batches, _axes, _formats
    ):  # fmt: skip
        for op, cases in make(table).items():
            made.setdefault(op, []).extend(cases)
    return made


def _like(case: Case, *arrays: Any, reference: Callable[..., Any] | None = None, **attrs: Any) -> Case:
    """The same call with other arrays."""
    return Case(
        *arrays, reference=reference or case.reference, tolerance=case.tolerance, view=case.view, **case.attrs | attrs
    )


def _floating(reference: Callable[..., Any]) -> Callable[..., Any]:
    """Integers and truth values become float32 first, the default."""
    return lambda *arrays, **attrs: np.asarray(reference(*(a.astype("float64") for a in arrays), **attrs), "float32")


def _unary(table: Table) -> Table:
    made = {}
    for op in UNARY:
        case = table[op][0]
        special = SPECIAL[[0, 3, 4, 5, 6, 7]] if op in NO_INFINITY else SPECIAL
        if op == "identity":
            made[op] = [_like(case, x) for x in (WHOLE, TRUTHS)]
            continue
        made[op] = [_like(case, special, reference=_relu if op == "relu" else None)]
        made[op] += [_like(case, x) for x in (POINT, ONE, NONE)]
        if op in FLOATS:
            made[op] += [_like(case, x, reference=_floating(case.reference)) for x in (np.abs(WHOLE), TRUTHS)]
        elif op not in ("relu", "relu6", "clip"):
            made[op] += [_like(case, WHOLE)]
    return made


def _relu(x: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x, np.maximum(x, 0))


FLOATS = set(UNARY[UNARY.index("exp") : UNARY.index("mish") + 1])


def _binary(table: Table) -> Table:
    made = {}
    for op in BINARY:
        case, other = table[op][0], SPECIAL[::-1].copy()
        made[op] = [_like(case, SPECIAL, other), _like(case, POINT, np.asarray(2.0)), _like(case, ONE, POINT)]
        made[op] += [_like(case, NONE, POINT), _like(case, np.zeros((0, 1)), np.zeros((1, 3)))]
        if op in ("divide", "logaddexp"):
            positive = np.abs(WHOLE) + 1
            made[op] += [_like(case, WHOLE, positive, reference=_floating(case.reference))]
        else:
            made[op] += [_like(case, x, x[:1]) for x in (WHOLE.astype("int8"), WHOLE.astype("int64"))]
            made[op] += [_like(case, np.abs(WHOLE).astype("uint8"), np.array([1, 3, 2], "uint8"))]
    for op in ("maximum", "minimum"):
        made[op] += [Case(TIES, TIES[:, :1], reference=table[op][0].reference)]
    return made


def _logical(table: Table) -> Table:
    made = {op: [_like(table[op][0], x, y) for x, y in _TRUTH_PAIRS] for op in LOGICAL}
    made["logical_not"] = [_like(table["logical_not"][0], x) for x in (np.asarray(True), TRUTHS[:1, :1], TRUTHS[:0])]
    made["where"] = [
        Case(TRUTHS, TRUTHS, TRUTHS[:1], reference=np.where),
        Case(np.asarray(True), POINT, np.asarray(2.0), reference=np.where, grads=(1, 2)),
        Case(TRUTHS[:0], NONE, ONE, reference=np.where),
        Case(np.array([True, False]), np.array([np.nan, 1.0]), np.array([2.0, np.inf]), reference=np.where),
    ]
    return made


def _whole(table: Table) -> Table:
    """Quotients of integers by 0, negative powers, shifts beyond the width: what engines leave open."""
    made: Table = {}
    for dtype in ("int8", "int32", "int64", "uint8"):
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        x = np.array([0, 1, 2, 5, least, most, most - 1], dtype)[:, None]
        y = np.array([0, 1, 3, most], dtype)
        if least:
            x, y = np.concatenate([x, -x[1:4]]), np.concatenate([y, np.array([-1, -2, -5, least], dtype)])
        for op in ("floor_divide", "mod", "left_shift", "right_shift", "gcd"):
            made.setdefault(op, []).append(_like(table[op][0], x, y, reference=_quiet(table[op][0].reference)))
        made.setdefault("power", []).append(Case(x, y[:3] if not least else y, reference=_whole_power))
    made["hypot"] = [
        _like(table["hypot"][0], SPECIAL, SPECIAL[::-1].copy()),
        _like(table["hypot"][0], SPECIAL, SPECIAL),
    ]
    made["floor_divide"] += [Case(SPECIAL[1:, None], SPECIAL, reference=_quiet(np.floor_divide))]
    made["power"] += [Case(np.array([0.0, 1.0, -1.0, np.nan]), np.array([0.0, np.nan, 3.0, 0.0]), reference=np.power)]
    return made


def _quiet(reference: Callable[..., Any] | None) -> Callable[..., Any]:
    def run(*arrays: Any, **attrs: Any) -> Any:
        with np.errstate(all="ignore"):
            return reference(*arrays, **attrs)  # type: ignore[misc]

    return run


def _whole_power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Integer by integer, in Python's own; products wrap around."""

    def one(a: int, b: int) -> int:
        if b < 0:
            return a**-b if a in (1, -1) else 0
        return pow(a, b, 1 << bits)

    bits = 8 * x.dtype.itemsize
    raised = [one(int(a), int(b)) % (1 << bits) for a, b in zip(*(v.ravel() for v in np.broadcast_arrays(x, y)))]
    shape = np.broadcast_shapes(x.shape, y.shape)
    return np.array(raised, f"uint{bits}").astype(x.dtype).reshape(shape)


_TRUTH_PAIRS = [(np.asarray(True), TRUTHS), (TRUTHS[:0], TRUTHS[:1]), (TRUTHS[:1, :1], TRUTHS[:, :1])]


def _reductions(table: Table) -> Table:
    made: Table = {}
    odd = np.array([[np.nan, 1.0, np.inf], [2.0, 0.5, -1.0]])
    for op in REDUCTIONS:
        case = table[op][0]
        made[op] = [_like(case, ONE, axis=axis, keepdims=False) for axis in (None, -1)]
        made[op] += [_like(case, odd, axis=axis, keepdims=True) for axis in (None, -1, -2)]
        made[op] += [_like(case, TIES, axis=(-1, -2), keepdims=False)]
        if op in ("mean", "var", "std", "logsumexp"):
            made[op] += [_like(case, WHOLE, reference=_floating(case.reference), axis=0, keepdims=False)]
        else:
            kept = _keeping(case.reference)
            made[op] += [_like(case, x, reference=kept, axis=-1, keepdims=False) for x in _INTEGERS]
    for op in ("sum", "prod", "mean"):
        made[op] += [_like(table[op][0], NONE, axis=-1, keepdims=True)]
    made["any"] = made["all"] = []
    for op in ("any", "all"):
        made[op] = [_like(table[op][0], x, axis=a, keepdims=False) for x, a in ((np.asarray(True), None), (TRUTHS, -1))]
    return made


_INTEGERS = [WHOLE, WHOLE.astype("int64"), np.abs(WHOLE).astype("uint8")]


def _keeping(reference: Callable[..., Any]) -> Callable[..., Any]:
    """Integers keep their dtype."""
    return lambda x, **attrs: np.asarray(reference(x, **attrs)).astype(x.dtype)


def _places(table: Table) -> Table:
    made = {}
    for op in ("argmax", "argmin"):
        made[op] = [_like(table[op][0], x, axis=-1) for x in (TIES, ONE, np.array([1.0, np.inf, -np.inf]))]
    for op in ("argsort", "sort"):
        made[op] = [_like(table[op][0], x, axis=-1, descending=d) for x in (TIES, ONE, NONE) for d in (False, True)]
        made[op] += [_like(table[op][0], np.array([np.inf, 1.0, -np.inf]), axis=0, descending=True)]
        lost = np.array([[1.0, np.nan, np.inf, -0.0, 0.0], [np.nan, -2.0, np.nan, -np.inf, 1e-30]])
        order = _ORDERS[op]
        made[op] += [Case(lost, reference=order, axis=-1, descending=d) for d in (False, True)]
    for op in ("cumsum", "cumprod"):
        made[op] = [_like(table[op][0], x, axis=-1) for x in (ONE, NONE, np.array([1.0, np.nan, 2.0]), TIES)]
    made["top_k"] = [_like(table["top_k"][0], x, k=1) for x in (ONE, TIES)]
    made["top_k"] += [
        Case(lost, reference=lambda x, k: tuple(r[..., :k] for r in (_sorted(x, True), _order(x, True))), k=3)
    ]
    made["gather"] = [
        _like(table["gather"][0], TIES, np.array([-1 % 3, 0]), axis=-2),
        _like(table["gather"][0], TRUTHS, np.array([[1], [0]], "int32"), axis=1),
    ]
    return made


def _order(x: np.ndarray, descending: bool, **_: Any) -> np.ndarray:
    """The places of the elements in order, equal ones as they stand; NaN counts as larger than anything."""
    rank = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    return np.argsort(-rank if descending else rank, -1, kind="stable")


def _sorted(x: np.ndarray, descending: bool, **_: Any) -> np.ndarray:
    return np.take_along_axis(x, _order(x, descending), -1)


_ORDERS = {"argsort": _order, "sort": _sorted}


def _movers(table: Table) -> Table:
    made: Table = {}
    for op in MOVERS:
        case = table[op][0]
        for change in (lambda a: (a * 3).astype("int32"), lambda a: a > 0, _with_nan):
            arrays = [[change(x) for x in a] if isinstance(a, list) else a for a in case.arrays]
            arrays[0] = arrays[0] if isinstance(arrays[0], list) else change(arrays[0])
            attrs: dict[str, Any] = {"value": 0} if op == "pad" else {}
            made.setdefault(op, []).append(_like(case, *arrays, **attrs))
    empty: dict[str, dict[str, Any]] = {
        "expand_dims": {"axis": -2},
        "repeat_elements": {"rep": 2, "axis": -1},
        "tile": {"n": (2, 2)},
    }
    empty |= {"roll": {"shift": 1, "axis": -1}, "flip": {"axes": (-1,)}, "reverse": {"axes": (1,)}, "transpose": {}}
    for op, attrs in empty.items():
        made[op] += [_like(table[op][0], x, **attrs) for x in (NONE, ONE)]
    made["pad"].append(_like(table["pad"][0], ONE, padding=((0, 2), (1, 0)), interior=(3, 0), value=0.0))
    return made


def _with_nan(a: np.ndarray) -> np.ndarray:
    a = np.array(a)
    a.reshape(-1)[:2] = np.nan, np.inf
    return a


def _rows_with_nan(y: np.ndarray) -> np.ndarray:
    return np.isnan(y).any(-1).astype("float64")


def _scaled(table: Table) -> Table:
    made = {op: [_like(table[op][0], x, axis=-1) for x in (ONE, NONE, TIES)] for op in SCALED}
    for op in ("softmax", "log_softmax"):
        made[op] += [_like(table[op][0], np.array([[0.0, -np.inf, 1.0]]), axis=-1)]
        made[op] += [_like(table[op][0], np.array([[0.0, np.nan, 1.0]]), axis=-1)]
        made[op][-1].view = _rows_with_nan  # with oneDNN, TensorFlow's other elements of such a row are zeros
        made[op] += [_like(table[op][0], WHOLE, reference=_floating(table[op][0].reference), axis=-1)]
        made[op] += [_like(table[op][0], np.zeros((2, 0, 3)), reference=lambda x, **_: x, axis=1)]
    made["logsumexp"] = [
        Case(np.zeros((2, 0)), reference=lambda x, **_: np.full((2,), -np.inf), axis=-1, keepdims=False)
    ]
    return made


def _empty_batches(table: Table) -> Table:
    """No rows at all: what is left of the batches of a sequence when it is filtered."""
    made: Table = {}
    for op in (
        "linear matmul dot batch_dot bias_add softmax_crossentropy sigmoid_crossentropy glu relu_gradient"
        " layer_normalization group_normalization batch_normalization conv conv2d conv1d max_pool average_pool"
        " pool2d spatial_2d_padding"
        " temporal_padding resize resize_images lstm in_top_k one_hot take_along_axis"
    ).split():
        case = table[op][0]
        both = op in ("batch_dot", "softmax_crossentropy", "sigmoid_crossentropy", "relu_gradient", "in_top_k")
        both = both or op == "take_along_axis"
        rows = {"lstm": 3}.get(op, 2 if both else 1)
        arrays = [a[:0] if i < rows else a for i, a in enumerate(case.arrays)]
        made[op] = [_like(case, *arrays, reference=_no_rows(case))]
    return made


def _no_rows(case: Case) -> Callable[..., Any]:
    """The results of the whole case, cut to no rows."""

    def reference(*_: Any, **attrs: Any) -> Any:
        whole = case.reference(*case.arrays, **attrs)
        return tuple(r[:0] for r in whole) if isinstance(whole, tuple) else whole[:0]

    return reference


def _axes(table: Table) -> Table:
    """Negative axes where the table has none."""
    images = RNG.normal(size=(2, 5, 6, 4))
    three = RNG.normal(size=(2, 3, 4))
    chances = np.abs(three) / np.abs(three).sum(1, keepdims=True)
    return {
        "group_normalization": [Case(images, reference=f.group_normalization, grads=(0,), groups=2, axis=-1)],
        "batch_normalization": [
            Case(images, *(np.abs(RNG.normal(size=(5,))) for _ in range(2)), reference=f.batch_normalization, axis=-3)
        ],
        "layer_normalization": [Case(three, reference=f.layer_normalization, grads=(0,), axes=(-1, -2))],
        "categorical_crossentropy": [
            Case(chances, chances, reference=f.categorical_crossentropy, grads=(1,), axis=-2),
        ],
        "sparse_categorical_crossentropy": [
            Case(np.array([[0, 2, 1, 1]] * 2), chances, reference=f.sparse_categorical_crossentropy, axis=-2)
        ],
        "moments": [Case(three, reference=f.moments, grads=(0,), axes=(-1, -2), keepdims=True)],
        "scatter_add": [Case(POINT, np.asarray(0), reference=ref.scatter_add, size=1, axis=0)],
    }


def _formats(table: Table) -> Table:
    """Channels first, where the table has channels last alone: the same call on moved images."""
    made: Table = {}
    for op in (
        "conv3d conv3d_transpose pool1d pool3d resize resize_images separable_conv1d separable_conv2d"
        " extract_patches local_conv local_conv1d local_conv2d"
    ).split():
        case = table[op][0]
        attrs: dict[str, Any] = {"data_format": "channels_first"}
        if op == "conv3d_transpose":
            batch, *space, depth = case.attrs["output_shape"]
            attrs["output_shape"] = (batch, depth, *space)
        x = np.ascontiguousarray(np.moveaxis(case.arrays[0], -1, 1))
        reference = _patches_first(case) if op.startswith(("extract", "local")) else _moved(case)
        moved = _like(case, x, *case.arrays[1:], reference=reference, **attrs)
        moved.grads = case.grads
        made[op] = [moved]
    return made


def _moved(case: Case) -> Callable[..., Any]:
    def reference(x: np.ndarray, *others: np.ndarray, **_: Any) -> Any:
        result = case.reference(np.moveaxis(x, 1, -1), *others, **case.attrs)
        return np.ascontiguousarray(np.moveaxis(result, -1, 1))

    return reference


def _patches_first(case: Case) -> Callable[..., Any]:
    """Windows of channels-first images are read in their own order: channels, then places (as in Keras 2)."""
    size, strides = case.attrs.get("size") or case.attrs["kernel_size"], case.attrs["strides"]

    def reference(x: np.ndarray, kernel: np.ndarray | None = None, **_: Any) -> Any:
        out = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], size, strides)]
        rows = []
        for place in np.ndindex(*out):
            span = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, size))
            rows.append(x[(slice(None), slice(None), *span)].reshape(len(x), -1))
        flat = np.stack(rows, 1)
        result = flat if kernel is None else np.einsum("bpi,pif->bpf", flat, kernel)
        return np.ascontiguousarray(np.moveaxis(result.reshape(len(x), *out, -1), -1, 1))

    return reference
