"""Every primitive on every backend against NumPy in float64: values, dtypes, gradients, and the edges that engines
leave open (decision D9). The table below must have a case for each declared primitive."""

from __future__ import annotations

import numpy as np
import pytest
import reference as ref

from keras_front import backend as K
from keras_front.backend import declare

RNG = np.random.default_rng(11)
GENERATED_ELSEWHERE = {
    "engine_uniform",
    "engine_normal",
    "host_noise",
    "scan",
    "stop_gradient",
    "householder_qr",
    "svd",
}  # have their own tests


def normal(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return np.abs(normal(*shape)) + 0.1


def whole(*shape, low=-5, high=6, dtype="int32"):
    return RNG.integers(low, high, size=shape).astype(dtype)


def flags(*shape):
    return RNG.integers(0, 2, size=shape).astype(bool)


class Case:
    """Arrays and attributes of one call; `grads` are the places of arguments that have a gradient."""

    def __init__(self, *arrays, reference=None, grads=(), **attrs):
        self.arrays, self.attrs, self.reference, self.grads = arrays, attrs, reference, grads


A, B, C = normal(3, 4), normal(4), normal(2, 3, 4)
IMAGES = {1: normal(2, 7, 4), 2: normal(1, 5, 6, 4), 3: normal(1, 3, 4, 3, 2)}
EMPTY = np.zeros((0, 3))


def unary(name, x=None, grads=(0,), **attrs):
    return [Case(normal(3, 4) if x is None else x, reference=getattr(np, name), grads=grads, **attrs)]


def binary(name, grads=(0, 1)):
    fn = getattr(np, name)
    return [
        Case(A, A[:1], reference=fn, grads=grads),
        Case(A, B, reference=fn, grads=grads),
        Case(C, np.asarray(1.5), reference=fn, grads=grads),
        Case(whole(3, 2), whole(3, 2, low=1), reference=fn),
        Case(EMPTY, EMPTY, reference=fn),
    ]


def compare(name):
    fn = getattr(np, name)
    same = whole(3, 4)
    return [
        Case(A, B, reference=fn),
        Case(same, same[::-1], reference=fn),
        Case(np.array([1.0, np.nan]), np.array([np.nan, np.nan]), reference=fn),
        Case(flags(4), flags(4), reference=fn) if "equal" in name and len(name) < 10 else Case(A, A, reference=fn),
    ]


def reduction(name, grads=(0,), empty=True):
    fn = ref.reduced(getattr(np, name))
    cases = [
        Case(C, reference=fn, grads=grads, axis=axis, keepdims=keepdims)
        for axis in (None, 0, -1, (0, 2), (-1, 1), ())
        for keepdims in (False, True)
    ]
    cases += [Case(whole(3, 4), reference=lambda x, **k: fn(x, **k).astype("int32"), axis=0, keepdims=False)]
    cases += [Case(np.asarray(2.5), reference=fn, grads=grads, axis=None, keepdims=False)]
    if empty:
        cases += [Case(EMPTY, reference=fn, axis=axis, keepdims=False) for axis in (None, 0)]
    return cases


def index_reduction(name):
    fn = getattr(np, name)
    ties = np.array([[1.0, 3.0, 3.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    return [Case(x, reference=fn, axis=axis) for x in (A, ties, whole(3, 4), flags(3, 4)) for axis in (-1, 0)]


def convolutions():
    two = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "groups": 1, "data_format": "channels_last"}
    k = normal(3, 2, 4, 6)
    x = IMAGES[2]
    yield x, k, two
    yield x, k, {**two, "padding": "same"}
    yield x, k, {**two, "padding": "same", "strides": (2, 2)}
    yield x, k, {**two, "padding": "same", "strides": (2, 3), "data_format": "channels_first"}
    yield x, k, {**two, "padding": ((2, 0), (1, 3)), "strides": (2, 1)}
    yield x, k, {**two, "dilation": (2, 3)}
    yield x, k, {**two, "dilation": (2, 1), "padding": "same"}
    yield x, k, {**two, "dilation": (2, 2), "strides": (2, 2), "padding": "same"}
    yield x, normal(3, 3, 2, 6), {**two, "groups": 2, "padding": "same"}
    yield x, normal(3, 3, 1, 4), {**two, "groups": 4, "padding": "same"}
    yield x, normal(3, 3, 1, 8), {**two, "groups": 4, "padding": "same", "strides": (2, 2)}
    yield x, normal(3, 3, 1, 8), {**two, "groups": 4, "strides": (2, 1)}
    yield x, normal(2, 2, 1, 8), {**two, "groups": 4, "dilation": (2, 2)}
    yield x, normal(1, 1, 4, 3), {**two, "strides": (2, 2)}
    yield x, normal(2, 2, 4, 3), {**two, "strides": (3, 3), "padding": "same"}
    one = {"strides": (1,), "padding": "valid", "dilation": (1,), "groups": 1, "data_format": "channels_last"}
    yield IMAGES[1], normal(3, 4, 5), one
    yield IMAGES[1], normal(4, 4, 5), {**one, "strides": (2,), "padding": "same"}
    yield IMAGES[1], normal(3, 4, 5), {**one, "dilation": (2,), "padding": ((4, 0),)}
    yield IMAGES[1], normal(3, 1, 4), {**one, "groups": 4, "data_format": "channels_first", "padding": "same"}
    three = {
        "strides": (1, 1, 1),
        "padding": "valid",
        "dilation": (1, 1, 1),
        "groups": 1,
        "data_format": "channels_last",
    }
    yield IMAGES[3], normal(2, 3, 2, 2, 3), three
    yield IMAGES[3], normal(2, 3, 2, 2, 3), {**three, "padding": "same", "strides": (2, 2, 1)}
    yield IMAGES[3], normal(2, 2, 2, 2, 2), {**three, "padding": "same", "data_format": "channels_first"}


def images_for(x, attrs):
    return x if attrs["data_format"] == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))


def conv_cases():
    return [Case(images_for(x, a), k, reference=ref.conv, grads=(0, 1), **a) for x, k, a in convolutions()]


def conv_gradient_cases(of_input):
    cases = []
    for x, k, attrs in convolutions():
        x = images_for(x, attrs)[:1]
        g = normal(*ref.conv(x, k, **attrs).shape)
        if of_input:
            cases.append(Case(g, k, reference=ref.conv_input_gradient, grads=(0, 1), input_shape=x.shape, **attrs))
        else:
            cases.append(Case(x, g, reference=ref.conv_kernel_gradient, grads=(0, 1), kernel_shape=k.shape, **attrs))
    return cases


def pools():
    for x, size, strides, padding, data_format in [
        (IMAGES[2], (2, 2), (2, 2), "valid", "channels_last"),
        (IMAGES[2], (2, 2), (2, 2), "same", "channels_last"),
        (IMAGES[2], (3, 3), (2, 2), "same", "channels_last"),
        (IMAGES[2], (3, 2), (1, 1), "same", "channels_first"),
        (IMAGES[2], (3, 2), (2, 1), "valid", "channels_first"),
        (IMAGES[2], (2, 3), (3, 2), "same", "channels_last"),
        (IMAGES[1], (2,), (2,), "same", "channels_last"),
        (IMAGES[1], (3,), (1,), "same", "channels_last"),
        (IMAGES[1], (3,), (2,), "valid", "channels_first"),
        (IMAGES[3], (2, 2, 2), (2, 2, 2), "same", "channels_last"),
        (IMAGES[3], (2, 3, 2), (1, 2, 1), "valid", "channels_last"),
    ]:
        attrs = {"pool_size": size, "strides": strides, "padding": padding, "data_format": data_format}
        yield images_for(x, attrs), attrs


def max_pool_cases():
    negative = -positive(1, 5, 5, 2)  # padding of zeros would win
    same = {"pool_size": (3, 3), "strides": (2, 2), "padding": "same", "data_format": "channels_last"}
    return [Case(x, reference=ref.max_pool, grads=(0,), **a) for x, a in pools()] + [
        Case(negative, reference=ref.max_pool, **same)
    ]


def tied(x):
    """Small integers as floats, so that most windows have several maxima."""
    return np.floor(np.abs(x) * 1.5)


def max_pool_two(reference, grads):
    cases = []
    for x, attrs in pools():
        other = x if reference is ref.max_pool_pick else ref.max_pool(x, **attrs)
        for values in (x, tied(x)):
            cases.append(Case(values, normal(*other.shape), reference=reference, grads=grads, **attrs))
    return cases


def average_gradient_cases():
    return [
        Case(
            normal(*ref.average_pool(x, **a).shape),
            reference=ref.average_pool_gradient,
            grads=(0,),
            input_shape=x.shape,
            **a,
        )
        for x, a in pools()
    ]


def pad_cases():
    pairs = ((0, 0), (1, 2), (3, 0))
    return [
        Case(C, reference=ref.pad, grads=(0,), padding=pairs, interior=None, value=0.0),
        Case(C, reference=ref.pad, grads=(0,), padding=pairs, interior=(0, 2, 1), value=0.0),
        Case(C, reference=ref.pad, grads=(0,), padding=((0, 0),) * 3, interior=(1, 0, 3), value=1.5),
        Case(C, reference=ref.pad, padding=pairs, interior=None, value=-np.inf),
        Case(whole(2, 3), reference=ref.pad, padding=((1, 0), (0, 2)), interior=(1, 1), value=3),
        Case(flags(2, 3), reference=ref.pad, padding=((1, 0), (0, 2)), interior=None, value=False),
        Case(EMPTY, reference=ref.pad, padding=((1, 0), (0, 2)), interior=None, value=0.0),
    ]


def slice_cases():
    def cut(x, start, stop, step):
        return x[tuple(map(slice, start, stop, step))]

    none = (None, None, None)
    return [
        Case(C, reference=cut, grads=(0,), start=start, stop=stop, step=step)
        for start, stop, step in [
            (none, none, (1, 1, 1)),
            ((None, 1, None), (None, None, -1), (1, 1, 1)),
            ((1, None, -3), (2, 2, None), (1, 2, 2)),
            ((None, 2, None), (None, 1, None), (1, 1, 1)),
            ((None, None, 1), (None, None, 99), (1, 1, 3)),
        ]
    ] + [Case(flags(3, 4), reference=cut, start=(1, None), stop=(None, -1), step=(1, 1))]


def gather_cases():
    def take(x, i, axis):
        return np.take(x, i, axis)

    return [
        Case(C, i, reference=take, grads=(0,), axis=axis)
        for axis in (0, 1, -1)
        for i in (
            np.array([1, 0, 1]),
            np.array([[0, 1], [1, 1]], "int32"),
            np.array(1),
            np.zeros((0,), "int64"),
            np.array([1], "uint8"),
        )
    ] + [Case(whole(5, 2), np.array([4, 4, 0]), reference=take, axis=0)]


def scatter_cases():
    return [
        Case(normal(3, 2), np.array([1, 0, 1]), reference=ref.scatter_add, grads=(0,), size=4, axis=0),
        Case(normal(2, 3, 4), np.array([1, 0, 1], "int32"), reference=ref.scatter_add, grads=(0,), size=2, axis=1),
        Case(
            normal(2, 2, 3, 4), np.array([[1, 0, 1], [3, 3, 3]]), reference=ref.scatter_add, size=4, axis=1, grads=(0,)
        ),
        Case(normal(2, 3, 2), np.array([1, 0]), reference=ref.scatter_add, grads=(0,), size=3, axis=-1),
        Case(normal(3), np.array(2), reference=ref.scatter_add, grads=(0,), size=4, axis=0),
        Case(whole(3), np.array([2, 2, 0]), reference=ref.scatter_add, size=3, axis=0),
        Case(np.zeros((0, 2)), np.zeros((0,), "int64"), reference=ref.scatter_add, size=3, axis=0),
    ]


def along_cases():
    def take(x, i, axis):
        shape = np.broadcast_shapes(
            x.shape[:axis] + (1,) + x.shape[axis + 1 :], i.shape[:axis] + (1,) + i.shape[axis + 1 :]
        )
        wide = np.broadcast_to(x, shape[:axis] + x.shape[axis : axis + 1] + shape[axis + 1 :])
        return np.take_along_axis(
            wide, np.broadcast_to(i, shape[:axis] + i.shape[axis : axis + 1] + shape[axis + 1 :]), axis
        )

    return [
        Case(A, whole(3, 2, low=0, high=4), reference=lambda x, i, axis: take(x, i, 1), grads=(0,), axis=-1),
        Case(A, whole(2, 4, low=0, high=3, dtype="int64"), reference=take, grads=(0,), axis=0),
        Case(C, whole(2, 5, 4, low=0, high=3), reference=take, grads=(0,), axis=1),
        Case(A, whole(1, 2, low=0, high=4), reference=take, grads=(0,), axis=1),
    ]


def running(fn):
    def small(x, axis):
        return fn(x, axis=axis).astype("int32")

    return [Case(C, reference=fn, grads=(0,), axis=axis) for axis in (0, 1, -1)] + [
        Case(whole(3, 4), reference=small, axis=1)
    ]


def power_cases():
    return [
        Case(positive(3, 4), B, reference=np.power, grads=(0, 1)),
        Case(A, np.asarray(2.0), reference=np.power, grads=(0,)),
        Case(np.array([-2.0, 0.0, 3.0]), np.array([0.5, 0.0, -1.0]), reference=np.power),
        Case(whole(4), whole(4, low=0, high=4), reference=np.power),
    ]


def signed_division(name):
    fn = getattr(np, name)
    a, b = np.array([7, -7, 7, -7, 6, -6], "int32"), np.array([2, 2, -2, -2, 3, -3], "int32")
    return [
        Case(a, b, reference=fn),
        Case(a.astype("int64"), b.astype("int64"), reference=fn),
        Case(a.astype("float64"), b + 0.5, reference=fn),
        Case(positive(3, 4), positive(4), reference=fn),
        Case(whole(4, low=0, dtype="uint8"), whole(4, low=1, dtype="uint8"), reference=fn),
    ]


CASES = {
    **{name: binary(name) for name in ("add", "subtract", "multiply", "maximum", "minimum")},
    "divide": binary("divide")[:3] + [Case(np.array([1.0, -1.0, 0.0]), np.zeros(3), reference=np.divide)],
    "floor_divide": signed_division("floor_divide"),
    "mod": signed_division("mod") + [Case(positive(3, 4), positive(4), reference=np.mod, grads=(0,))],
    "power": power_cases(),
    **{name: unary(name) for name in ("negative", "exp", "expm1", "sin", "cos", "tanh")},
    "abs": unary("abs") + [Case(whole(5), reference=np.abs)],
    "sign": [Case(np.array([-2.0, 0.0, 3.0]), reference=np.sign), Case(whole(5), reference=np.sign)],
    "log": unary("log", positive(4)) + [Case(np.array([0.0, -1.0]), reference=np.log)],
    "log1p": unary("log1p", positive(4)) + [Case(np.array([1e-12, -1.0]), reference=np.log1p)],
    "sqrt": unary("sqrt", positive(4)) + [Case(np.array([0.0, -1.0]), reference=np.sqrt)],
    "sigmoid": [Case(np.append(normal(6), [-800.0, 800.0]), reference=ref.sigmoid, grads=(0,))],
    "erf": [Case(A, reference=ref.erf, grads=(0,))],
    **{
        name: [
            Case(np.append(normal(6) * 3, [0.5, 1.5, 2.5, -0.5]), reference=fn),
            Case(whole(4), reference=lambda x: x),
        ]
        for name, fn in (("floor", np.floor), ("ceil", np.ceil), ("round", np.round))
    },
    **{n: compare(n) for n in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{
        n: [
            Case(np.array([1.0, np.nan, np.inf, -np.inf]), reference=getattr(np, n)),
            Case(whole(3), reference=getattr(np, n)),
        ]
        for n in ("isnan", "isfinite")
    },
    **{n: [Case(flags(3, 4), flags(4), reference=getattr(np, n))] for n in ("logical_and", "logical_or")},
    "logical_not": [Case(flags(3, 4), reference=np.logical_not)],
    "where": [
        Case(flags(3, 4), A, B, reference=np.where, grads=(1, 2)),
        Case(flags(4), np.asarray(1.0), A, reference=np.where, grads=(2,)),
        Case(flags(3, 1), whole(3, 4), whole(4), reference=np.where),
    ],
    "cast": [Case(A * 3, reference=ref.cast, dtype=d) for d in ("int32", "int64", "int8", "bool", "float32", "float64")]
    + [
        Case(flags(3), reference=ref.cast, dtype="float32"),
        Case(whole(4), reference=ref.cast, dtype="bool"),
        Case(A, reference=ref.cast, grads=(0,), dtype="float64"),
        Case(A, reference=ref.cast, dtype="float16"),
        Case(whole(4, low=0, dtype="uint8"), reference=ref.cast, dtype="float32"),
    ],
    "sum": reduction("sum")
    + [
        Case(
            flags(3, 4).astype("uint8"),
            reference=lambda x, axis, keepdims: np.sum(x, axis, "uint8"),
            axis=0,
            keepdims=False,
        )
    ],
    "prod": reduction("prod"),
    "max": reduction("max", empty=False)
    + [Case(np.array([1.0, np.nan]), reference=ref.reduced(np.max), axis=0, keepdims=False)],
    "min": reduction("min", empty=False),
    **{
        n: [
            Case(x, reference=ref.reduced(getattr(np, n)), axis=axis, keepdims=keepdims)
            for x in (flags(2, 3, 4), whole(2, 3, 4), np.zeros((0, 3), bool), normal(2, 3))
            for axis, keepdims in ((None, False), (0, True), ((0, 1), False), ((), False))
        ]
        for n in ("any", "all")
    },
    "argmax": index_reduction("argmax"),
    "argmin": index_reduction("argmin"),
    "cumsum": running(np.cumsum),
    "cumprod": running(np.cumprod),
    "reshape": [
        Case(C, reference=np.reshape, grads=(0,), shape=(4, -1)),
        Case(EMPTY, reference=np.reshape, shape=(3, 0)),
        Case(np.asarray(1.0), reference=np.reshape, grads=(0,), shape=(1, 1)),
    ],
    "permute_dimensions": [
        Case(C, reference=lambda x, pattern: np.transpose(x, pattern), grads=(0,), pattern=(2, 0, 1)),
        Case(C, reference=lambda x, pattern: np.transpose(x, (2, 1, 0)), pattern=(-1, 1, 0)),
    ],
    "broadcast_to": [
        Case(B, reference=np.broadcast_to, grads=(0,), shape=(2, 3, 4)),
        Case(normal(3, 1), reference=np.broadcast_to, grads=(0,), shape=(2, 3, 4)),
        Case(np.asarray(True), reference=np.broadcast_to, shape=(2, 0)),
    ],
    "pad": pad_cases(),
    "strided_slice": slice_cases(),
    "flip": [
        Case(C, reference=lambda x, axes: np.flip(x, axes), grads=(0,), axes=axes) for axes in ((0,), (2, -2), ())
    ],
    "gather": gather_cases(),
    "scatter_add": scatter_cases(),
    "take_along_axis": along_cases(),
    "matmul": [
        Case(normal(3, 4), normal(4, 5), reference=np.matmul, grads=(0, 1)),
        Case(normal(2, 3, 4), normal(2, 4, 5), reference=np.matmul, grads=(0, 1)),
        Case(normal(2, 1, 3, 4), normal(5, 4, 2), reference=np.matmul, grads=(0, 1)),
        Case(normal(0, 4), normal(4, 5), reference=np.matmul),
        Case(normal(3, 0), normal(0, 5), reference=np.matmul),
    ],
    "conv": conv_cases(),
    "conv_input_gradient": conv_gradient_cases(True),
    "conv_kernel_gradient": conv_gradient_cases(False),
    "max_pool": max_pool_cases(),
    "max_pool_gradient": max_pool_two(ref.max_pool_gradient, (1,)),
    "max_pool_pick": max_pool_two(ref.max_pool_pick, (1,)),
    "average_pool": [Case(x, reference=ref.average_pool, grads=(0,), **a) for x, a in pools()],
    "average_pool_gradient": average_gradient_cases(),
}

DEFINITE = A @ A.T + np.eye(3)
STACK = np.stack([DEFINITE] * 3)


def sorting(x, axis, descending):
    return np.argsort(-x if descending else x, axis, kind="stable")


CASES |= {
    "cholesky": [Case(x, reference=np.linalg.cholesky) for x in (DEFINITE, STACK)],
    "solve": [
        Case(DEFINITE, A, reference=np.linalg.solve, grads=(0, 1)),
        Case(STACK, A[:, :3], reference=np.linalg.solve, grads=(0, 1)),
        Case(DEFINITE, C[:, :3], reference=np.linalg.solve, grads=(1,)),
    ],
    "det": [Case(DEFINITE, reference=np.linalg.det, grads=(0,)), Case(STACK, reference=np.linalg.det)],
    "argsort": [
        Case(x, reference=sorting, axis=axis, descending=descending)
        for x in (A, whole(3, 9))
        for axis in (-1, 0)
        for descending in (False, True)
    ],
}


def call(name, case, arrays):
    if name == "concatenate":
        return K.concatenate(list(arrays), **case.attrs)
    return declare.OPS[name].function(*arrays, **case.attrs)


CASES["concatenate"] = [
    Case(*arrays, reference=lambda *xs, axis: np.concatenate(xs, axis), grads=grads, axis=axis)
    for arrays, axis, grads in [
        ((A, normal(2, 4)), 0, (0, 1)),
        ((A, normal(3, 1), A), -1, (0, 1, 2)),
        ((EMPTY, normal(2, 3)), 0, (1,)),
        ((flags(2), flags(3)), 0, ()),
    ]
]

ALL = [pytest.param(name, case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)]
SMOOTH = [p for p in ALL if p.values[1].grads]


def expected(case):
    with np.errstate(all="ignore"):
        return np.asarray(case.reference(*case.arrays, **case.attrs))


def test_every_primitive_has_a_case():
    assert set(CASES) | GENERATED_ELSEWHERE >= set(declare.primitives())


@pytest.mark.parametrize(("name", "case"), ALL)
def test_value_and_dtype(backend, name, case):
    got = call(name, case, [backend.asarray(a) for a in case.arrays])
    want = expected(case)
    assert tuple(got.shape) == want.shape
    assert backend.dtype_of(got) == want.dtype.name
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("name", "case"), SMOOTH)
def test_single_precision_keeps_its_dtype(backend, name, case):
    arrays = [a.astype("float32") if a.dtype == "float64" else a for a in case.arrays]
    got = call(name, case, [backend.asarray(a) for a in arrays])
    want = expected(case)
    assert backend.dtype_of(got) == ("float32" if case.attrs.get("dtype") is None else case.attrs["dtype"])
    np.testing.assert_allclose(backend.to_numpy(got), want, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("name", "case"), SMOOTH)
def test_gradient(backend, name, case):
    """One directional derivative in float64 against the central difference of the reference."""
    rng = np.random.default_rng(3)
    weights = rng.normal(size=expected(case).shape)
    directions = {i: rng.normal(size=case.arrays[i].shape) for i in case.grads}

    def loss(params):
        arrays = [
            params[case.grads.index(i)] if i in case.grads else backend.asarray(a) for i, a in enumerate(case.arrays)
        ]
        return K.sum(K.multiply(call(name, case, arrays), backend.asarray(weights))), []

    _, grads = K.value_and_grad(loss, [backend.asarray(case.arrays[i]) for i in case.grads])
    got = sum(np.sum(backend.to_numpy(g) * directions[i]) for g, i in zip(grads, case.grads))

    def shifted(h):
        arrays = [a + h * directions[i] if i in directions else a for i, a in enumerate(case.arrays)]
        return np.sum(np.asarray(case.reference(*arrays, **case.attrs)) * weights)

    h = 1e-6
    np.testing.assert_allclose(got, (shifted(h) - shifted(-h)) / (2 * h), rtol=1e-5, atol=1e-7)


# Ties: the gradients that engines leave open -------------------------------------------------------------------


def gradients(backend, fn, *arrays):
    _, grads = K.value_and_grad(
        lambda p: (K.sum(fn(*p)), []), [backend.asarray(np.asarray(a, "float64")) for a in arrays]
    )
    return [backend.to_numpy(g) for g in grads]


TIES = {
    "maximum": (K.maximum, ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), ([0.5, 0, 1], [0.5, 1, 0])),
    "minimum": (K.minimum, ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), ([0.5, 1, 0], [0.5, 0, 1])),
    "maximum, broadcast": (K.maximum, ([[1.0, 2.0], [3.0, 0.0]], [1.0]), ([[0.5, 1], [1, 0]], [1.5])),
    "max": (lambda x: K.max(x, axis=-1), ([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]],), ([[0, 0.5, 0.5], [1 / 3] * 3],)),
    "max of all": (K.max, ([[1.0, 3.0], [3.0, 2.0]],), ([[0, 0.5], [0.5, 0]],)),
    "min": (lambda x: K.min(x, axis=0), ([[1.0, 3.0], [1.0, 4.0]],), ([[0.5, 1], [0.5, 0]],)),
    "relu": (K.relu, ([-1.0, 0.0, 2.0],), ([0, 0, 1],)),
    "abs": (K.abs, ([-1.0, 0.0, 2.0],), ([-1, 0, 1],)),
    "clip": (lambda x: K.clip(x, 0.0, 1.0), ([-1.0, 0.0, 0.5, 1.0, 2.0],), ([0, 1, 1, 1, 0],)),
    "max_pool": (
        lambda x: K.pool2d(K.reshape(x, (1, 4, 4, 1)), (2, 2), (2, 2)),
        ([1.0, 1, 0, 2, 1, 1, 2, 2, 0, 3, 5, 4, 3, 3, 5, 5],),
        ([1.0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],),
    ),
    "max_pool, overlapping": (
        lambda x: K.pool2d(K.reshape(x, (1, 3, 3, 1)), (2, 2), (1, 1), padding="same"),
        ([0.0] * 9,),
        ([1.0] * 9,),
    ),
    "max_pool of volumes": (
        lambda x: K.pool3d(K.reshape(x, (1, 2, 2, 2, 1)), (2, 2, 2), (2, 2, 2)),
        ([1.0, 3, 3, 1, 3, 3, 3, 3],),
        ([0, 1.0, 0, 0, 0, 0, 0, 0],),
    ),
    "max_pool of sequences": (
        lambda x: K.pool1d(K.reshape(x, (1, 4, 1)), 2, 2),
        ([1.0, 1, 0, 0],),
        ([1.0, 0, 1, 0],),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TIES)
def test_gradient_at_ties(backend, name):
    fn, arrays, wanted = TIES[name]
    for got, want in zip(gradients(backend, fn, *arrays), wanted):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_stop_gradient(backend):
    (got,) = gradients(backend, lambda x: K.multiply(x, K.stop_gradient(x)), [2.0, 3.0])
    np.testing.assert_array_equal(got, [2.0, 3.0])


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
def test_factors_make_the_matrix_again(backend, shape):
    x = normal(*shape)
    q, r = map(backend.to_numpy, K.householder_qr(backend.asarray(x)))
    np.testing.assert_allclose(q @ r, x, atol=1e-12)
    np.testing.assert_allclose(
        np.swapaxes(q, -1, -2) @ q,
        np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], *[q.shape[-1]] * 2)),
        atol=1e-12,
    )
    u, s, vt = map(backend.to_numpy, K.svd(backend.asarray(x)))
    np.testing.assert_allclose((u * s[..., None, :]) @ vt, x, atol=1e-12)
    assert (np.diff(s) <= 0).all()


# Promotion, errors, noise, loops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
)
def test_tensors_of_every_dtype_come_and_go(backend, dtype):
    if backend.name == "numpy" and dtype == "bfloat16":
        pytest.skip("NumPy has no bfloat16")
    x = backend.asarray(np.array([0, 1, 1]), dtype)
    assert backend.dtype_of(x) == dtype
    np.testing.assert_array_equal(backend.to_numpy(x).astype("float64"), [0, 1, 1])
    assert (x.dtype in backend.floats) == ("float" in dtype)


def test_a_tensor_does_not_follow_the_array_it_was_made_from(backend):
    for n in (3, 4096):  # engines share the memory of large, aligned arrays
        array = np.zeros(n, "float32")
        x = backend.asarray(array)
        array[:] = 1
        assert not backend.to_numpy(x).any()


def test_awkward_arrays_are_taken(backend):
    base = np.arange(12.0).reshape(3, 4)
    for array in (base[::-1, ::2], base.T, base.astype(">f8"), np.asfortranarray(base), np.asarray(3.0)):
        np.testing.assert_array_equal(backend.to_numpy(backend.asarray(array)), array)


def test_sums_keep_small_integers(backend):
    x = backend.asarray(np.array([100, 100, 100], "int32"))
    assert backend.dtype_of(K.sum(x)) == "int32"
    assert backend.dtype_of(K.cumsum(x)) == "int32"


@pytest.mark.backends("numpy", "torch", "tensorflow")
def test_gather_outside_the_range_is_an_error(backend):
    for wrong in (3, -4):
        with pytest.raises(Exception, match=r"."):
            K.to_numpy(K.gather(backend.asarray(normal(3, 2)), backend.asarray(np.array([0, wrong]))))


@pytest.mark.backends("jax")
def test_gather_outside_the_range_reads_the_nearest_row(backend):
    got = K.gather(backend.asarray(np.arange(3.0)), backend.asarray(np.array([7, -9])))
    np.testing.assert_array_equal(got, [2.0, 0.0])


@pytest.mark.parametrize("name", ["engine_uniform", "engine_normal"])
def test_noise_is_a_function_of_its_key(backend, name):
    draw = declare.OPS[name].function

    def noise(seed=1, stream=2, counter=3, shape=(4, 5), dtype="float32"):
        return backend.to_numpy(draw(backend.asarray(np.asarray(counter, "int64")), shape, dtype, seed, stream))

    first = noise()
    assert first.shape == (4, 5)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, noise())
    for other in (noise(seed=2), noise(stream=1), noise(counter=4), noise(seed=2**62)):
        assert not np.array_equal(first, other)
    many = noise(shape=(200, 100), dtype="float64")
    mean, deviation = (0.5, 12**-0.5) if name == "engine_uniform" else (0.0, 1.0)
    assert abs(many.mean() - mean) < 0.02
    assert abs(many.std() - deviation) < 0.02
    if name == "engine_uniform":
        assert many.min() >= 0
        assert many.max() < 1


def test_host_noise_is_the_same_inside_a_compiled_function(backend):
    from keras_front.backend import seeds

    def draw(counter):
        return K.host_noise(counter, (2, 3), "float32", 5, 7, "normal")

    counter = backend.asarray(np.asarray(4, "int64"))
    want = seeds.noise(5, 7, 4, (2, 3), "normal")
    for got in (draw(counter), K.compile(draw)(counter)):
        np.testing.assert_array_equal(backend.to_numpy(got), want)


def test_dropout_differs_by_step_and_keeps_the_mean(backend):
    def masked(x, counter):
        with K.bind([], [], counter=counter):
            return K.dropout(x, 0.25)

    f, x = K.compile(masked), backend.asarray(np.ones((100, 100), "float32"))
    one, two = (backend.to_numpy(f(x, backend.asarray(np.asarray(n, "int64")))) for n in (1, 2))
    assert set(np.unique(one)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(one.mean() - 1) < 0.03
    assert (one != two).any()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_scan(backend, reverse, compiled):
    x, w = normal(5, 2, 3), normal(3)

    def total(params, x):
        def step(carry, now):
            state = K.tanh(K.add(K.multiply(carry[0], params[0]), now[0]))
            return [state], [K.multiply(state, 2.0)]

        (final,), (ys,) = K.scan(step, [K.zeros_like(x[0])], [x], reverse=reverse)
        return K.sum(K.multiply(ys, K.cumsum(ys, axis=0))), [final, ys]

    def run(params, x):
        return K.value_and_grad(lambda p: total(p, x), params)

    def reference(w):
        state, ys = np.zeros((2, 3)), np.zeros_like(x)
        for t in reversed(range(5)) if reverse else range(5):
            state = np.tanh(state * w + x[t])
            ys[t] = 2 * state
        return state, ys, np.sum(ys * np.cumsum(ys, 0))

    (loss, (final, ys)), (grad,) = (K.compile(run) if compiled else run)([backend.asarray(w)], backend.asarray(x))
    state, want, value = reference(w)
    np.testing.assert_allclose(backend.to_numpy(final), state, rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(ys), want, rtol=1e-9)
    np.testing.assert_allclose(backend.to_numpy(loss), value, rtol=1e-9)
    h = 1e-6
    slope = [(reference(w + h * e)[2] - reference(w - h * e)[2]) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(backend.to_numpy(grad), slope, rtol=1e-5)
