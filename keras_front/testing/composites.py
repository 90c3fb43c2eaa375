"""Cases for the composites, which an adapter may override: arrays, attributes, and what NumPy says."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front.testing import formulas as f
from keras_front.testing import reference as ref
from keras_front.testing.case import Case

RNG = np.random.default_rng(23)


def normal(*shape):
    return RNG.normal(size=shape)


def positive(*shape):
    return np.abs(normal(*shape)) + 0.1


def chances(*shape):
    x = positive(*shape)
    return x / x.sum(-1, keepdims=True)


A, B, C = normal(3, 4), normal(4), normal(2, 3, 4)
WHOLE = RNG.integers(-5, 6, (3, 4)).astype("int32")
FLAGS = RNG.integers(0, 2, (3, 4)).astype(bool)
IMAGE, SEQUENCE, VOLUME = normal(2, 5, 6, 4), normal(2, 7, 4), normal(1, 3, 4, 3, 2)
FIRST: dict[str, Any] = {"data_format": "channels_first"}
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0])


def curve(reference, *, low=-2.0, high=2.0, special=True, whole=True, tolerance=1.0, **attrs):
    """An elementwise function: an ordinary array, 0-d, one element, none, integers, and what is no number."""
    x = RNG.uniform(low, high, (3, 4))
    arrays = [x, np.asarray(x[0, 0]), x[:1, :1], x[:0]]
    cases = [Case(a, reference=reference, grads=(0,), tolerance=tolerance, **attrs) for a in arrays]
    if special:
        cases.append(Case(SPECIAL, reference=reference, tolerance=tolerance, **attrs))
    if whole:
        cases.append(Case(np.arange(max(int(low), -3), 4).astype("int32"), reference=floating(reference), **attrs))
    return cases


def floating(reference):
    """Integers become float32 first, the default."""
    return lambda x, **attrs: reference(x.astype("float64"), **attrs).astype("float32")


def pair(z):
    return z.real, z.imag


def cut(x, min_value, max_value):
    return np.clip(x, min_value, max_value)


def reductions(reference, empty=False):
    axes = (None, 0, -1, (0, 2), (-1, 1), ())
    cases = [
        Case(C, reference=ref.reduced(reference), grads=(0,), axis=a, keepdims=k) for a in axes for k in (False, True)
    ]
    cases += [Case(np.asarray(2.5), reference=ref.reduced(reference)), Case(C[:1, :1, :1], reference=reference, axis=0)]
    return cases + ([Case(np.zeros((0, 3)), reference=ref.reduced(reference), axis=0)] if empty else [])


def each(reference, *arrays, grads=(0,), **attrs):
    return [Case(x, reference=reference, grads=grads, **attrs) for x in arrays]


def images(x):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


ELEMENTWISE = {
    "square": curve(np.square, whole=False) + [Case(WHOLE, reference=np.square)],
    "identity": curve(lambda x: x, whole=False) + [Case(FLAGS, reference=lambda x: x)],
    "sqrt": curve(lambda x: np.sqrt(np.maximum(x, 0)), low=0.3, whole=False),
    "rsqrt": curve(lambda x: 1 / np.sqrt(x), low=0.3, whole=False, special=False),
    "relu": [
        *curve(f.relu, whole=False, special=False),
        *curve(f.relu, alpha=0.2, max_value=1.0, threshold=0.3, whole=False, special=False),
    ],
    "relu_gradient": [Case(A, B * A, reference=lambda g, out: g * (out > 0), grads=(0,))],
    "leaky_relu": [Case(A, B, reference=lambda x, a: np.where(x > 0, x, a * x), grads=(0, 1))],
    "clip": curve(cut, whole=False, special=False, min_value=-0.9, max_value=1.1)
    + [Case(WHOLE, reference=cut, min_value=-2, max_value=3)],
    "softplus": curve(lambda x: np.logaddexp(x, 0)),
    "log_sigmoid": curve(lambda x: -np.logaddexp(-x, 0)),
    "softsign": curve(lambda x: x / (1 + np.abs(x))),
    "elu": curve(f.elu) + curve(f.elu, alpha=0.5),
    "hard_sigmoid": curve(lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "silu": curve(lambda x: x * ref.sigmoid(x), special=False),
    "gelu": curve(f.gelu, special=False) + curve(f.gelu, special=False, approximate=True),
    "mish": curve(lambda x: x * np.tanh(np.logaddexp(x, 0)), special=False),
    "relu6": curve(lambda x: np.clip(x, 0, 6), special=False)
    + [Case(A * 9, reference=lambda x: np.clip(x, 0, 6), grads=(0,))],
    "tan": curve(np.tan, low=-1.2, high=1.2),
    "sinh": curve(np.sinh) + [Case(np.array([1e-12, -1e-9, 50.0]), reference=np.sinh)],
    "cosh": curve(np.cosh),
    "arcsinh": curve(np.arcsinh, special=False) + [Case(np.array([1e-12, -1e9]), reference=np.arcsinh)],
    "arctanh": curve(np.arctanh, low=-0.9, high=0.9, whole=False),
    "log2": curve(np.log2, low=0.3, whole=False),
    "log10": curve(np.log10, low=0.3, whole=False),
    "trunc": curve(ref.trunc, whole=False) + [Case(WHOLE, reference=ref.trunc)],
    "isinf": [Case(SPECIAL, reference=np.isinf), Case(WHOLE, reference=np.isinf)],
    "logical_xor": [
        Case(FLAGS, FLAGS[::-1].copy(), reference=np.logical_xor),
        Case(A, FLAGS, reference=np.logical_xor),
    ],
    "logaddexp": [Case(A, B, reference=np.logaddexp, grads=(0, 1))],
    "pow": [Case(positive(3), np.asarray(p), reference=np.power, grads=(0,)) for p in (0.5, 1.0, 2.0, 3.0, -1.5)]
    + [Case(WHOLE, np.asarray(2, "int32"), reference=np.power)],
}

REDUCTIONS = {
    "mean": [*reductions(np.mean), Case(np.zeros((0, 3)), reference=lambda x: np.asarray(np.nan))],
    "var": reductions(np.var),
    "std": [c for c in reductions(np.std)[:-2] if c.attrs["axis"] != ()],
    "logsumexp": [
        *reductions(f.logsumexp),
        Case(C + 800, reference=lambda x, axis: f.logsumexp(x - 800, axis) + 800, axis=1),
    ],
    "l2_normalize": each(f.l2_normalize, A, C, axis=-1) + each(f.l2_normalize, A),
    "count_nonzero": [
        Case(WHOLE, reference=np.count_nonzero, axis=a, keepdims=k) for a in (0, -1) for k in (False, True)
    ],
    "moments": [
        Case(C, reference=f.moments, grads=(0,), axes=a, keepdims=k) for a in ([0], [0, -1]) for k in (False, True)
    ],
    "norm": [
        Case(
            C,
            reference=lambda x, ord=None, axis=None, keepdims=False: np.asarray(
                np.linalg.norm(x if axis is not None else x.ravel(), ord, axis, False if axis is None else keepdims)
            ),
            grads=(0,),
            ord=o,
            axis=a,
            keepdims=k,
        )
        for o, a, k in [
            (None, None, False),
            (None, -1, True),
            (1, 0, False),
            (np.inf, 1, False),
            (-np.inf, -1, False),
            (3, 1, True),
            (2, 0, False),
            ("fro", (0, 2), False),
            (1, (1, 2), True),
            (-1, (2, 1), False),
            (np.inf, (0, 1), False),
            (2, (0, 2), False),
            ("nuc", (1, 2), True),
        ]
    ],
}

ARRANGEMENT = {
    "transpose": each(np.transpose, A, C, np.asarray(1.0)),
    "expand_dims": [Case(A, reference=np.expand_dims, grads=(0,), axis=a) for a in (0, 1, -1, -3)],
    "squeeze": [Case(normal(1, 3, 1), reference=np.squeeze, grads=(0,), axis=a) for a in (0, -1, (0, 2))]
    + [Case(normal(3, 1, 1), reference=np.squeeze, grads=(0,), axis=None)],
    "flatten": each(np.ravel, C, np.asarray(1.0), np.zeros((0, 2))),
    "batch_flatten": each(lambda x: x.reshape(len(x), -1), C, A, normal(2, 1, 1)),
    "stack": [Case([A, A * 2], reference=np.stack, grads=(0,), axis=a) for a in (0, 1, -1)],
    "repeat": [Case(A, reference=lambda x, n: np.repeat(x[:, None], n, 1), grads=(0,), n=3)],
    "repeat_elements": [
        Case(C, reference=np_repeat, grads=(0,), rep=2, axis=a)
        for np_repeat in (lambda x, rep, axis: np.repeat(x, rep, axis),)
        for a in (0, 1, -1)
    ],
    "tile": [Case(A, reference=lambda x, n: np.tile(x, n), grads=(0,), n=n) for n in ((2, 3), (2,), (2, 1, 2))],
    "reverse": [Case(C, reference=lambda x, axes: np.flip(x, axes), grads=(0,), axes=a) for a in ((0,), (-1, 1))],
    "slice": [
        Case(A, reference=lambda x, start, size: x[1:3, 1:], grads=(0,), start=(1, 1), size=(2, -1)),
        Case(A, reference=lambda x, start, size: x[:0], start=(0, 0), size=(0, 4)),
    ],
    "roll": [
        Case(C, reference=np.roll, grads=(0,), shift=s, axis=a)
        for s, a in ((1, 0), (-2, 1), (5, -1), ((1, 2), (0, 2)), (7, None), (0, 1))
    ],
    "temporal_padding": each(lambda x, padding: np.pad(x, [(0, 0), padding, (0, 0)]), SEQUENCE, padding=(2, 1)),
    "spatial_2d_padding": each(f.surrounded, IMAGE, padding=((1, 0), (2, 3)))
    + each(f.surrounded, images(IMAGE), padding=((1, 0), (2, 3)), **FIRST),
    "spatial_3d_padding": each(f.surrounded, VOLUME, padding=((1, 0), (2, 3), (0, 1)))
    + each(f.surrounded, VOLUME, padding=((1, 0), (2, 3), (0, 1)), **FIRST),
    "zeros_like": [Case(A, reference=np.zeros_like), Case(WHOLE, reference=lambda x, dtype: x * 0.0, dtype="float64")],
    "ones_like": [Case(WHOLE, reference=np.ones_like), Case(np.zeros((0, 2)), reference=np.ones_like)],
    "one_hot": [
        Case(
            np.array([[0, 2], [1, 5]]),
            reference=lambda i, num_classes: (i[..., None] == np.arange(3)).astype("float32"),
            num_classes=3,
        )
    ],
    "sort": [
        Case(
            x,
            reference=lambda x, axis, descending: np.flip(np.sort(x, axis), axis) if descending else np.sort(x, axis),
            grads=(0,) if x is C else (),
            axis=a,
            descending=d,
        )
        for x in (C, WHOLE)
        for a in (0, -1)
        for d in (False, True)
    ],
    "top_k": [
        Case(
            x,
            reference=lambda x, k: (np.sort(x)[..., ::-1][..., :k], np.argsort(-x, kind="stable")[..., :k]),
            k=k,
            grads=(0,) if x is C else (),
        )
        for x in (C, WHOLE, np.array([1.0, 3.0, 3.0, 2.0]))
        for k in (0, 1, 3)
    ],
    "in_top_k": [
        Case(A, np.array([0, 1, 3]), reference=lambda p, t, k: (p > p[range(3), t][:, None]).sum(1) < k, k=k)
        for k in (1, 2, 4)
    ],
}

Q, KEY, V = normal(2, 3, 2, 4), normal(2, 5, 2, 4), normal(2, 5, 2, 3)
SQUARE = normal(2, 3, 3) + 2 * np.eye(3)


def contraction(operands, equation):
    return np.einsum(equation, *operands)


LINEAR = {
    "linear": [Case(A, normal(4, 2), normal(2), reference=lambda x, k, b: x @ k + b, grads=(0, 1, 2))],
    "dot": [
        Case(x, y, reference=f.dot, grads=(0, 1))
        for x, y in [
            (A, normal(4, 2)),
            (C, normal(4, 2)),
            (A, B),
            (B, normal(4, 2)),
            (C, normal(3, 4, 5)),
            (A, np.asarray(2.0)),
        ]
    ],
    "batch_dot": [
        Case(normal(*x), normal(*y), reference=f.batch_dot, grads=(0, 1), axes=axes)
        for x, y, axes in [
            ((2, 4), (2, 4), None),
            ((2, 4), (2, 4), 1),
            ((2, 3, 4), (2, 4, 5), None),
            ((2, 3, 4), (2, 5, 4), (2, 2)),
            ((2, 4, 3), (2, 4), (1, 1)),
            ((2, 4), (2, 3, 4), (1, -1)),
            ((2, 3, 4, 5), (2, 5, 6), (3, 1)),
            ((2, 3, 4), (2, 3, 5, 4), (1, 1)),
        ]
    ],
    "contract": [
        Case([normal(*s) for s in shapes], reference=contraction, grads=(0,), equation=e)
        for e, *shapes in [
            ("ij,jk->ik", (2, 3), (3, 4)),
            ("bij,bkj->bik", (2, 3, 4), (2, 5, 4)),
            ("ij->ji", (2, 3)),
            ("ii->i", (3, 3)),
            ("ij->", (2, 3)),
            ("i,j->ij", (2,), (3,)),
            ("ij,ij->", (2, 3), (2, 3)),
            ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
            ("bthd,bshd->bhts", (2, 3, 2, 4), (2, 5, 2, 4)),
            ("ab,cd->", (2, 3), (2, 2)),
        ]
    ],
    "qr": [Case(normal(*s), reference=f.qr, grads=(0,)) for s in ((4, 3), (3, 3), (2, 4, 2))]
    + [Case(normal(2, 4), reference=f.qr)],
    "triangular_solve": [
        Case(
            SQUARE,
            normal(2, 3, 2),
            reference=lambda a, b, lower: np.linalg.solve(np.tril(a) if lower else np.triu(a), b),
            grads=(0, 1),
            lower=lower,
        )
        for lower in (False, True)
    ],
    "inv": [Case(SQUARE, reference=np.linalg.inv, grads=(0,)), Case(SQUARE[0], reference=np.linalg.inv)],
    "fft": [
        Case(
            C,
            C[::-1].copy(),
            reference=lambda a, b, axis: pair(np.fft.fft(a + 1j * b, axis=axis)),
            grads=(0, 1),
            axis=x,
        )
        for x in (-1, 0, 1)
    ],
    "ifft": [
        Case(
            C,
            C[::-1].copy(),
            reference=lambda a, b, axis: pair(np.fft.ifft(a + 1j * b, axis=axis)),
            grads=(0, 1),
            axis=x,
        )
        for x in (-1, 1)
    ],
    "rfft": [Case(C, reference=lambda a, axis: pair(np.fft.rfft(a, axis=axis)), grads=(0,), axis=x) for x in (-1, 1)],
    "irfft": [
        Case(
            C,
            C[::-1].copy(),
            reference=lambda a, b, n, axis: np.fft.irfft(a + 1j * b, n, axis),
            grads=(0, 1),
            n=n,
            axis=x,
        )
        for n, x in ((None, -1), (5, -1), (3, 1), (8, -1))
    ],
    "dot_product_attention": [
        Case(Q, KEY, V, reference=f.attention, grads=(0, 1, 2)),
        Case(Q, KEY, V, normal(1, 2, 3, 5), reference=f.attention, grads=(0, 1, 2, 3), scale=0.3),
        Case(Q, KEY, V, None, np.arange(30).reshape(2, 1, 3, 5) % 3 > 0, reference=f.attention, grads=(0, 1, 2)),
        Case(KEY, KEY, V, reference=f.attention, grads=(0, 1, 2), is_causal=True),
    ],
    "sparse_dot": [
        Case(
            normal(3),
            np.array([0, 2, 2]),
            np.array([1, 1, 3]),
            normal(4, 2),
            grads=(0, 3),
            height=3,
            reference=lambda v, r, c, y, height: sum(np.eye(3)[i][:, None] * s * y[j] for s, i, j in zip(v, r, c)),
        )
    ],
}


MATRICES = [normal(3, 3), normal(2, 4, 3), normal(2, 3, 5)]
FACTORS = {  # primitives, but with more than one result
    "householder_qr": [Case(x, reference=np.linalg.qr, view=np.abs) for x in MATRICES],
    "svd": [Case(x, reference=lambda x: np.linalg.svd(x, full_matrices=False), view=np.abs) for x in MATRICES],
    "replica_mean": [Case([A, normal(2)], reference=list)],  # in one process
    "replica_gather": [Case(A, reference=np.array, grads=(0,))],
    "concatenate": [
        Case([A, normal(2, 4)], reference=np.concatenate, grads=(0,), axis=0),
        Case([A, normal(3, 1), A], reference=np.concatenate, grads=(0,), axis=-1),
        Case([np.zeros((0, 4)), A], reference=np.concatenate, axis=0),
        Case([FLAGS, FLAGS], reference=np.concatenate, axis=1),
    ],
    "stop_gradient": [Case(A, reference=lambda x: x)],
    "host_print": [Case(A, reference=lambda x, **_: x, grads=(0,), message="printed:", serial=1)],
}

CASES = {**FACTORS, **ELEMENTWISE, **REDUCTIONS, **ARRANGEMENT, **LINEAR}
