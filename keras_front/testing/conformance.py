"""The conformance suite: every op of K on one backend, against NumPy in float64.

A backend of one's own proves itself in three lines of a test file:

    from keras_front.testing import conformance

    def test_conformance():
        conformance.run("pebble_front:PebbleBackend")

From one table of cases follow, for each op: values and dtypes in float64, float32 and float16; the symbolic shape, also
with unknown dimensions; the gradient against finite differences, by the engine and by the rules of K; compiled against
eager. `tests/conformance` runs the same checks one by one. An op without a case is an error.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery, symbolic
from keras_front.errors import KerasFrontError
from keras_front.testing import composites, networks, primitives
from keras_front.testing.case import Case

# Ops that the table cannot hold, and where they are tested instead.
ELSEWHERE = {
    "engine_uniform": "noise has no reference; `noise` below",
    "engine_normal": "noise has no reference; `noise` below",
    "host_noise": "noise has no reference; `noise` below",
    "keep_mask": "noise has no reference; `noise` below",
    "scan": "takes a function; under lstm, rnn and map_fn",
    "lstm_sequence_gradient": "the gradient of lstm_sequence",
    "ctc_beams": "under ctc_decode",
}

# Ops that must know a dimension: the shape of their result depends on it, or a constant of that size enters.
NEED_DIMENSIONS = {"fft", "ifft", "rfft", "irfft", "contract", "glu"}


class Failure(NamedTuple):
    """A check that did not hold: the op, the check, and what it said."""

    op: str
    check: str
    message: str


class Report(NamedTuple):
    """What a run covered and found."""

    backend: str
    ops: int
    cases: int
    seconds: float
    failures: list[Failure]

    def __str__(self) -> str:
        return (
            f"{self.backend}: {self.ops} ops, {self.cases} cases, {self.seconds:.0f} s, {len(self.failures)} failures"
        )


# The table -----------------------------------------------------------------------------------------------------


@functools.cache
def table() -> dict[str, list[Case]]:
    """Cases by the name of the op. Raises: LookupError if an op of K has none."""
    cases = {**primitives.CASES, **composites.CASES, **networks.CASES}
    missing = sorted(set(declare.OPS) - set(cases) - set(ELSEWHERE))
    if missing:
        raise LookupError(f"Ops without a conformance case: {', '.join(missing)}.")
    return cases


def _leaves(structure: Any) -> list[Any]:
    return [leaf for leaf in symbolic.flatten(structure) if leaf is not None]


def _map(fn: Callable[[Any], Any], args: Sequence[Any]) -> list[Any]:
    return [None if a is None else [fn(x) for x in a] if isinstance(a, list) else fn(a) for a in args]


def _call(op: str, args: Sequence[Any], case: Case) -> list[Any]:
    return _leaves(declare.OPS[op].function(*args, **case.attrs))


def _expected(case: Case, arrays: Sequence[Any] | None = None) -> list[np.ndarray]:
    if case.reference is None:
        raise LookupError(f"The case {case!r} has no reference.")
    with np.errstate(all="ignore"):
        result = case.reference(*(case.arrays if arrays is None else arrays), **case.attrs)
    return [np.asarray(r) for r in _leaves(result if isinstance(result, tuple | list) else [result])]


def _equal(got: Sequence[Any], want: Sequence[Any], case: Case, rtol: float, atol: float) -> None:
    if len(got) != len(want):
        raise AssertionError(f"{case!r}: {len(got)} results, expected {len(want)}")
    for a, b in zip(got, want, strict=True):
        a = np.asarray(K.to_numpy(a))
        if a.shape != b.shape:
            raise AssertionError(f"{case!r}: shape {a.shape}, expected {b.shape}")
        if case.view is not None:
            a, b = case.view(a), case.view(b)
        least = 1e-5 if b.dtype == np.float32 else 0
        np.testing.assert_allclose(a, b, rtol=max(rtol, least), atol=max(atol, least), err_msg=repr(case))


# The checks ----------------------------------------------------------------------------------------------------


def value(op: str) -> None:
    """Values and dtypes in the dtypes of the table, mostly float64.

    Where each shape of each op would be compiled by itself, some cases run in one compiled function, and `compiled`
    runs fewer of them one by one.
    """
    cases = _some(table()[op], 8)
    results = _together(op, cases) if _has_compiler() else [_alone(op, case) for case in cases]
    for case, got in zip(cases, results, strict=True):
        want = _expected(case)
        _equal(got, want, case, 1e-9 * case.tolerance, 1e-10 * case.tolerance)
        dtypes = [K.dtype(g) for g in got], [w.dtype.name for w in want]
        if dtypes[0] != dtypes[1]:
            raise AssertionError(f"{case!r}: dtypes {dtypes[0]}, expected {dtypes[1]}")


def _alone(op: str, case: Case) -> list[Any]:
    return _call(op, _map(discovery.active().asarray, case.arrays), case)


def _together(op: str, cases: Sequence[Case]) -> list[list[Any]]:
    """The results of several cases from one compiled function."""

    def program(flat: list[Any]) -> list[Any]:
        items = iter(flat)
        results = [_call(op, _map(lambda _: next(items), case.arrays), case) for case in cases]
        sizes[:] = [len(result) for result in results]
        return [r for result in results for r in result]

    sizes: list[int] = []
    asarray = discovery.active().asarray
    found = iter(K.compile(program)([asarray(leaf) for case in cases for leaf in _leaves(case.arrays)]))
    return [[next(found) for _ in range(size)] for size in sizes]


def precision(op: str) -> None:
    """float32, and float16 where the table asks for it: close values, and the dtype stays."""
    cases = [c for c in table()[op] if any(a.dtype == np.float64 for a in _leaves(c.arrays))]
    for case in _some(cases, 1):
        _lower(op, case, "float32", 2e-4, 5e-5)
        if case.half:
            _lower(op, case, "float16", 2e-2, 2e-2)


def _lower(op: str, case: Case, dtype: str, rtol: float, atol: float) -> None:
    arrays = _map(lambda a: a.astype(dtype) if a.dtype == np.float64 else a, case.arrays)
    got = _call(op, _map(discovery.active().asarray, arrays), case)
    rounded = _map(lambda a: a.astype("float64") if a.dtype == dtype else a, arrays)
    want = _expected(case, rounded)
    _equal(got, want, case, rtol * min(case.tolerance, 10), atol)
    for g, w in zip(got, want, strict=True):
        right = dtype if w.dtype == np.float64 and case.attrs.get("dtype") is None else w.dtype.name
        if K.dtype(g) != right:
            raise AssertionError(f"{case!r} in {dtype}: dtype {K.dtype(g)}, expected {right}")


def shape(op: str) -> None:
    """Symbolic shapes and dtypes are the real ones, and agree with them where dimensions are unknown."""
    for case in table()[op]:
        want = _expected(case)
        for unknown in (False, True):
            for got, real in zip(_symbolic(op, case, unknown), want, strict=False):
                fits = len(got.shape) == real.ndim and all(
                    d == n or (unknown and d is None) for d, n in zip(got.shape, real.shape, strict=True)
                )
                if not fits or got.dtype != real.dtype.name:
                    raise AssertionError(
                        f"{case!r}: symbol {got.shape} {got.dtype}, expected {real.shape} {real.dtype}"
                    )


def _symbolic(op: str, case: Case, unknown: bool) -> list[Any]:
    def symbol(a: np.ndarray) -> Any:
        dims = (None, *a.shape[1:]) if unknown and a.ndim else a.shape
        return K.placeholder(dims, dtype=a.dtype.name)

    head, *rest = case.arrays
    args = _map(symbol, [head]) + _map(lambda a: K.placeholder(a.shape, dtype=a.dtype.name), rest)
    try:
        return _call(op, args, case)
    except KerasFrontError:
        if unknown and op in NEED_DIMENSIONS:
            return []
        raise


def compiled(op: str) -> None:
    """One compiled function with the cases of the op gives what they give one by one."""
    cases = _some(table()[op])
    for case, got in zip(cases, _together(op, cases), strict=True):
        want = [np.asarray(K.to_numpy(w)) for w in _alone(op, case)]
        _equal(got, want, case, 1e-9 * case.tolerance, 1e-10 * case.tolerance)


def _some(cases: list[Case], most: int = 2) -> list[Case]:
    """All cases where compiling is quick; evenly chosen ones where the engine has a compiler of its own."""
    if not _has_compiler() or len(cases) <= most:
        return cases
    return [cases[i] for i in np.linspace(0, len(cases) - 1, most).astype(int)]


def _has_compiler() -> bool:
    return type(discovery.active()).compile_native is not K.Backend.compile_native


def gradient(op: str) -> None:
    """Derivatives in random directions, by the engine and by the rules of K, against central differences."""
    cases = _some([c for c in table()[op] if c.grads and _expected(c)[0].size])
    if not cases:
        return
    found = [_Derivative(op, case) for case in cases]
    real = [[discovery.active().asarray(p) for p in d.params] for d in found]

    def by(make: Callable[[Any, Any], Any]) -> Callable[[list[Any]], list[Any]]:
        def grads(flat: list[Any]) -> list[Any]:
            items = iter(flat)
            return [g for d in found for g in make(d.loss, [next(items) for _ in d.params])]

        return grads

    native, ruled = by(_native), by(lambda loss, values: K.gradients_by_rules(loss, values)[1])
    flat = [p for params in real for p in params]
    results = K.compile(native)(flat) if _has_compiler() else native(flat), K.compile(ruled)(flat)
    for grads, maker in zip(results, ("the engine", "the rules of K"), strict=True):
        items = iter(grads)
        for d in found:
            d.compare([next(items) for _ in d.params], maker)


def _native(loss: Callable[[list[Any]], Any], values: list[Any]) -> list[Any]:
    return K.value_and_grad(lambda params: (loss(params), []), values)[1]


class _Derivative:
    """A weighted sum of the results of a case as a function of its differentiable arguments, and a direction."""

    def __init__(self, op: str, case: Case):
        rng = np.random.default_rng(3)
        self.op, self.case = op, case
        self.weights = [rng.normal(size=w.shape) if w.dtype.kind == "f" else None for w in _expected(case)]
        self.places = [(i, j) for i in case.grads for j, _ in enumerate(_leaves([case.arrays[i]]))]
        self.params = [_at(case.arrays, place) for place in self.places]
        self.directions = [rng.normal(size=p.shape) for p in self.params]

    def _with(self, arrays: list[Any], values: Sequence[Any]) -> list[Any]:
        for (i, j), new in zip(self.places, values, strict=True):
            if isinstance(arrays[i], list):
                arrays[i][j] = new
            else:
                arrays[i] = new
        return arrays

    def loss(self, values: list[Any]) -> Any:
        results = _call(self.op, self._with(_map(discovery.active().asarray, self.case.arrays), values), self.case)
        pairs = [(r, w) for r, w in zip(results, self.weights, strict=True) if w is not None]
        return functools.reduce(K.add, [K.sum(K.multiply(r, w)) for r, w in pairs])

    def slope(self, step: float) -> float:
        moved = [p + step * d for p, d in zip(self.params, self.directions, strict=True)]
        results = _expected(self.case, self._with(_map(lambda a: a, self.case.arrays), moved))
        return sum(float(np.sum(r * w)) for r, w in zip(results, self.weights, strict=True) if w is not None)

    def compare(self, grads: Sequence[Any], maker: str) -> None:
        want = (self.slope(1e-6) - self.slope(-1e-6)) / 2e-6
        got = sum(float(np.sum(K.to_numpy(g) * d)) for g, d in zip(grads, self.directions, strict=True))
        message = f"gradient of {self.case!r} by {maker}"
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6, err_msg=message)


def _at(arrays: Sequence[Any], place: tuple[int, int]) -> Any:
    i, j = place
    return arrays[i][j] if isinstance(arrays[i], list) else arrays[i]


CHECKS: dict[str, Callable[[str], None]] = {
    fn.__name__: fn for fn in (value, precision, shape, compiled, gradient)
}  # fmt: skip


def noise() -> None:
    """Noise is a function of its key, differs between keys, and has the promised range or moments."""
    counter = discovery.active().asarray(np.asarray(3, "int64"))
    for draw, mean, spread in ((K.engine_uniform, 0.5, 12**-0.5), (K.engine_normal, 0.0, 1.0)):
        x, again, other = (K.to_numpy(draw(counter, (4000,), "float32", 7, stream)) for stream in (1, 1, 2))
        np.testing.assert_array_equal(x, again)
        if np.array_equal(x, other):
            raise AssertionError("two streams of noise are the same")
        np.testing.assert_allclose([x.mean(), x.std()], [mean, spread], atol=0.06)
    mask = K.to_numpy(K.keep_mask(counter, (4000,), 0.2, "float32", 7, 1))
    np.testing.assert_allclose(sorted(set(mask.tolist())), [0, 1.25], rtol=1e-4)
    np.testing.assert_allclose(mask.mean(), 1, atol=0.06)


# Running -------------------------------------------------------------------------------------------------------


def names(ops: Sequence[str] | None = None) -> list[str]:
    """The ops with cases, or those of `ops`."""
    return sorted(table() if ops is None else set(ops) & set(table()))


def _failures(ops: Sequence[str], checks: Sequence[str]) -> Iterator[Failure]:
    for op in ops:
        for check in checks:
            try:
                CHECKS[check](op)
            except Exception as error:  # a check may fail in any way an engine can
                yield Failure(op, check, f"{type(error).__name__}: {error}")


def run(
    backend: Any = None, ops: Sequence[str] | None = None, checks: Sequence[str] | None = None, fail: bool = True
) -> Report:
    """Run the suite on a backend (default: the active one), print the counts, and return them.

    Raises: AssertionError that lists what does not conform, unless `fail` is False.
    """
    chosen, started = names(ops), time.perf_counter()
    with discovery.use_backend(backend if backend is not None else discovery.active()):
        found = list(_failures(chosen, list(CHECKS) if checks is None else checks))
        report = Report(K.backend(), len(chosen), count(chosen), time.perf_counter() - started, found)
    print(report)
    if found and fail:
        listed = "\n".join(f"  {f.op}, {f.check}: {f.message.strip()[:400]}" for f in found)
        raise AssertionError(f"{report}\n{listed}")
    return report


def count(ops: Sequence[str]) -> int:
    """The number of cases of these ops."""
    return sum(len(table()[op]) for op in ops)
