"""The published suite, op by op and check by check, on every backend; and what the suite itself promises."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare
from keras_front.errors import ArgumentError, ShapeError
from keras_front.testing import conformance, tolerances, values
from keras_front.testing.case import Case


@pytest.fixture(scope="module", autouse=True)
def report():
    """The counts, and for each backend how long its checks took and the worst ulps of each class."""
    yield
    ops = conformance.names()
    print(f"\nconformance: {len(ops)} ops, {conformance.count(ops)} cases")
    for name, seconds in SECONDS.items():
        print(f"{name}: {sum(seconds.values()):.0f} s:", ", ".join(f"{check} {s:.0f}" for check, s in seconds.items()))
    for (name, dtype, of), worst in sorted(values.WORST.items()):
        print(f"{name} {dtype}, {of}: {worst[0]:.3g} ulps ({worst[1]}), allowed {tolerances.CLASSES[of][0]:g}")


BACKENDS = Path(__file__).parent.parent.parent / "backends"
SECONDS: dict[str, dict[str, float]] = {}
ON_BACKENDS = [(op, check) for op in conformance.names() for check in conformance.CHECKS if check != "shape"]


@pytest.mark.parametrize(("op", "check"), ON_BACKENDS)
def test_op(backend, op, check):
    started = time.perf_counter()
    try:
        conformance.CHECKS[check](op)
    finally:
        taken = SECONDS.setdefault(backend.name, {})
        taken[check] = taken.get(check, 0.0) + time.perf_counter() - started


@pytest.mark.parametrize("op", conformance.names())
def test_symbolic_shape(op):
    """Needs no backend."""
    conformance.CHECKS["shape"](op)


def test_noise(backend):
    conformance.noise()


# The suite itself ----------------------------------------------------------------------------------------------


def test_every_op_has_a_case():
    assert set(conformance.table()) | set(conformance.ELSEWHERE) == set(declare.OPS)
    assert not set(conformance.table()) & set(conformance.ELSEWHERE)


def test_ops_without_gradients_are_listed_with_a_reason():
    without = {op for op, cases in conformance.table().items() if not any(case.grads for case in cases)}
    assert without - set(tolerances.NO_GRADIENT) == set()
    assert set(tolerances.NO_GRADIENT) - without == set()
    assert set(tolerances.NO_SECOND) <= set(conformance.table())


def test_primitives_are_few(capsys):
    """What an adapter has to bring is little, and so are the adapters."""
    lines = {path.parent.name: len(path.read_text().splitlines()) for path in sorted(BACKENDS.glob("*/backend.py"))}
    with capsys.disabled():
        print(f"\n{len(declare.primitives())} primitives, {len(declare.composites())} composites; lines: {lines}")
    assert len(declare.primitives()) <= 90
    assert len(lines) >= 4
    assert max(lines.values()) < 900


def test_an_op_without_a_case_is_an_error(monkeypatch):
    conformance.table.cache_clear()
    monkeypatch.setitem(declare.OPS, "forgotten", declare.OPS["add"])
    with pytest.raises(LookupError, match="Ops without a conformance case: forgotten"):
        conformance.table()
    monkeypatch.undo()
    conformance.table.cache_clear()


def test_a_wrong_result_is_found(monkeypatch, capsys):
    wrong = Case(np.ones(3), reference=lambda x: x + 1e-6)
    monkeypatch.setitem(conformance.table(), "negative", [wrong])
    with pytest.raises(AssertionError, match=r"negative, value: AssertionError"):
        conformance.run("numpy", ["negative", "exp"], ["value"])
    assert capsys.readouterr().out.startswith("numpy: 2 ops, ")


# Errors for bad arguments, which need no backend ---------------------------------------------------------------

X, Y, IMAGE = K.placeholder((None, 3)), K.placeholder((4, 2)), K.placeholder((None, 5, 5, 3))
ERRORS = {
    "add": (lambda: K.add(X, Y), ShapeError, "cannot be broadcast together"),
    "concatenate": (
        lambda: K.concatenate([X, K.placeholder((2, 3, 4))]),
        ShapeError,
        "expected tensors of 2 dimensions",
    ),
    "stack": (lambda: K.stack([]), ArgumentError, "expected at least one tensor"),
    "reshape": (lambda: K.reshape(Y, (3, -1)), ShapeError, "8 elements are not divisible by 3"),
    "reshape twice": (lambda: K.reshape(Y, (-1, -1)), ShapeError, "at most one dimension may be -1"),
    "permute": (lambda: K.permute_dimensions(Y, (0, 0)), ShapeError, "is not a permutation"),
    "squeeze": (lambda: K.squeeze(Y, 0), ShapeError, "has not size 1"),
    "sum": (lambda: K.sum(Y, axis=2), ShapeError, r"Axis 2 does not exist in a tensor of 2 dimensions"),
    "sum twice": (lambda: K.sum(Y, axis=(0, -2)), ShapeError, "name a dimension twice"),
    "dot": (lambda: K.dot(Y, Y), ShapeError, r"contracted dimensions of \(4, 2\) and \(4, 2\) differ"),
    "matmul": (lambda: K.matmul(Y, K.placeholder((3,))), ShapeError, "expected tensors of 2 or more dimensions"),
    "batch_dot": (lambda: K.batch_dot(X, Y, axes=0), ShapeError, "axis 0 is the batch axis"),
    "conv2d": (lambda: K.conv2d(IMAGE, K.placeholder((3, 3, 4, 8))), ShapeError, "expects 4 channels, received 3"),
    "conv1d": (lambda: K.conv1d(IMAGE, K.placeholder((3, 3, 4))), ShapeError, "expected an input of 3 dimensions"),
    "padding": (
        lambda: K.conv2d(IMAGE, K.placeholder((3, 3, 3, 8)), padding="full"),
        ArgumentError,
        "expected 'valid' or 'same'",
    ),
    "strides": (lambda: K.pool2d(IMAGE, (2, 0)), ArgumentError, "expected a positive integer or 2 of them"),
    "pool_mode": (lambda: K.pool2d(IMAGE, 2, pool_mode="sum"), ArgumentError, "expected 'max' or 'avg'"),
    "getitem": (lambda: Y[5], ShapeError, "Index 5 is out of range"),
    "bias_add": (lambda: K.bias_add(IMAGE, K.placeholder((2, 2))), ShapeError, "fits neither"),
    "resize": (lambda: K.resize(IMAGE, (2, 2), "cubic"), ArgumentError, "expected one of nearest, bilinear, bicubic"),
    "top_k": (lambda: K.top_k(Y, 3), ArgumentError, "expected k from 0 to 2"),
    "split": (lambda: K.split(Y, 3), ShapeError, "cannot be cut into 3 equal parts"),
    "inv": (lambda: K.inv(Y), ShapeError, r"expected square matrices \(..., n, n\), received shape \(4, 2\)"),
    "norm": (lambda: K.norm(IMAGE, axis=(0, 1, 2)), ArgumentError, "expected one axis or two"),
    "einsum": (lambda: K.einsum("ij,jk->il", Y, Y), ArgumentError, "one that no operand has"),
    "einsum rank": (lambda: K.einsum("ijk->i", Y), ArgumentError, "does not fit operands of"),
    "fft": (lambda: K.rfft(X, axis=0), ShapeError, "needs a known length"),
    "group": (lambda: K.group_normalization(IMAGE, groups=2), ShapeError, "cannot be cut into 2 groups"),
    "scan": (
        lambda: K.scan(lambda c, x: ([K.concatenate([c[0], c[0]])], []), [Y], [Y]),
        ShapeError,
        "its shape must stay",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_bad_arguments_are_errors_that_say_so(name):
    call, kind, text = ERRORS[name]
    with pytest.raises(kind, match=text):
        call()
