"""Cases for the primitives: arrays, attributes, and what NumPy says. One table, for the suite and for other tests."""

from __future__ import annotations

import numpy as np

from keras_front.testing import reference as ref
from keras_front.testing.case import Case

RNG = np.random.default_rng(11)


def normal(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return np.abs(normal(*shape)) + 0.1


def whole(*shape, low=-5, high=6, dtype="int32"):
    return RNG.integers(low, high, size=shape).astype(dtype)


def flags(*shape):
    return RNG.integers(0, 2, size=shape).astype(bool)


A, B, C = normal(3, 4), normal(4), normal(2, 3, 4)
IMAGES = {1: normal(2, 7, 4), 2: normal(1, 5, 6, 4), 3: normal(1, 3, 4, 3, 2)}
EMPTY = np.zeros((0, 3))


def unary(name, x=None, grads=(0,), **attrs):
    return [Case(normal(3, 4) if x is None else x, reference=getattr(np, name), grads=grads, **attrs)]


def binary(name, grads=(0, 1)):
    fn = getattr(np, name)
    return [
        Case(A, A[:1], reference=fn, grads=grads, smooth=name not in ("maximum", "minimum")),
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


def rounded(fn):
    return lambda x: x if x.dtype.kind in "biu" else fn(x)  # NumPy before 2.1 makes floats of integers


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
    "square_root": unary("sqrt", positive(4)) + [Case(np.array([0.0, -1.0]), reference=np.sqrt)],
    "sigmoid": [Case(np.append(normal(6), [-800.0, 800.0]), reference=ref.sigmoid, grads=(0,))],
    "erf": [Case(A, reference=ref.erf, grads=(0,))],
    **{
        name: [
            Case(np.append(normal(6) * 3, [0.5, 1.5, 2.5, -0.5]), reference=rounded(fn)),
            Case(whole(4), reference=rounded(fn)),
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
        Case(C, reference=ref.reshape, grads=(0,), shape=(4, -1)),
        Case(EMPTY, reference=ref.reshape, shape=(3, 0)),
        Case(np.asarray(1.0), reference=ref.reshape, grads=(0,), shape=(1, 1)),
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


def solved(a, b):
    return np.linalg.inv(a) @ b


def sorting(x, axis, descending):
    return np.argsort(-x if descending else x, axis, kind="stable")


CASES |= {
    "cholesky": [Case(x, reference=np.linalg.cholesky) for x in (DEFINITE, STACK)],
    "solve": [
        Case(DEFINITE, A, reference=solved, grads=(0, 1)),
        Case(STACK, A[:, :3], reference=solved, grads=(0, 1)),
        Case(DEFINITE, C[:, :3], reference=solved, grads=(1,)),
    ],
    "det": [Case(DEFINITE, reference=np.linalg.det, grads=(0,)), Case(STACK, reference=np.linalg.det)],
    "argsort": [
        Case(x, reference=sorting, axis=axis, descending=descending)
        for x in (A, whole(3, 9))
        for axis in (-1, 0)
        for descending in (False, True)
    ],
}
