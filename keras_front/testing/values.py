"""Checks of what ops compute: values, dtypes, shapes, precision; compiled against eager."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery, symbolic
from keras_front.errors import DtypeError, KerasFrontError
from keras_front.testing import limits
from keras_front.testing.case import Case

LOWER = ("float32", "float16", "bfloat16")
WORST: dict[tuple[str, str, str], tuple[float, str]] = {}  # (backend, dtype, class): the worst seen, and its op


def leaves(structure: Any) -> list[Any]:
    """The arrays of a nesting, without Nones."""
    return [leaf for leaf in symbolic.flatten(structure) if leaf is not None]


def apply(fn: Callable[[Any], Any], args: Sequence[Any]) -> list[Any]:
    """`fn` of each array of the arguments of a case, which are arrays, lists of arrays, or None."""
    return [None if a is None else [fn(x) for x in a] if isinstance(a, list) else fn(a) for a in args]


def call(op: str, args: Sequence[Any], case: Case) -> list[Any]:
    """The results of the op on these arguments, as a flat list."""
    return leaves(declare.OPS[op].function(*args, **case.attrs))


def expected(case: Case, arrays: Sequence[Any] | None = None) -> list[np.ndarray]:
    """What the reference of a case gives. Raises: LookupError if it has none."""
    if case.reference is None:
        raise LookupError(f"The case {case!r} has no reference.")
    with np.errstate(all="ignore"):
        result = case.reference(*(case.arrays if arrays is None else arrays), **case.attrs)
    return [np.asarray(r) for r in leaves(result if isinstance(result, tuple | list) else [result])]


def has_compiler() -> bool:
    """Whether the engine has a compiler of its own, so that every new shape costs time."""
    return type(discovery.active()).compile_native is not K.Backend.compile_native


def some(cases: Sequence[Case], most: int) -> list[Case]:
    """All cases where compiling is quick; evenly chosen ones where the engine has a compiler of its own."""
    if not has_compiler() or len(cases) <= most:
        return list(cases)
    return [cases[i] for i in np.linspace(0, len(cases) - 1, most).astype(int)]


def compare(got: Sequence[Any], want: Sequence[Any], case: Case, rtol: float, atol: float) -> None:
    """Raises: AssertionError where shapes or values differ."""
    for a, b in _pairs(got, want, case):
        least = 1e-5 if b.dtype == np.float32 else 0
        np.testing.assert_allclose(a, b, rtol=max(rtol, least), atol=max(atol, least), err_msg=repr(case))


def _pairs(got: Sequence[Any], want: Sequence[Any], case: Case) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if len(got) != len(want):
        raise AssertionError(f"{case!r}: {len(got)} results, expected {len(want)}")
    for a, b in zip(got, want, strict=True):
        a = np.asarray(K.to_numpy(a))
        if a.shape != b.shape:
            raise AssertionError(f"{case!r}: shape {a.shape}, expected {b.shape}")
        yield (a, b) if case.view is None else (case.view(a), case.view(b))


# Eager and compiled --------------------------------------------------------------------------------------------


def alone(op: str, case: Case) -> list[Any]:
    """The results of one call on real tensors."""
    return call(op, apply(discovery.active().asarray, case.arrays), case)


@functools.lru_cache(maxsize=4)
def _eager(_: Any, op: str, cases: tuple[Case, ...]) -> list[list[np.ndarray]]:
    return [[np.asarray(K.to_numpy(r)) for r in alone(op, case)] for case in cases]


def together(op: str, cases: Sequence[Case], arguments: Sequence[Any]) -> list[list[Any]]:
    """The results for these arguments from one compiled function for all cases."""

    def program(flat: list[Any]) -> list[Any]:
        items = iter(flat)
        results = [
            call(op, apply(lambda _: next(items), args), case) for case, args in zip(cases, arguments, strict=True)
        ]
        sizes[:] = [len(result) for result in results]
        return [r for result in results for r in result]

    sizes: list[int] = []
    found = iter(K.compile(program)([leaf for args in arguments for leaf in leaves(args)]))
    return [[next(found) for _ in range(size)] for size in sizes]


def value(op: str, cases: Sequence[Case]) -> None:
    """Values and dtypes in the dtypes of the table, mostly float64, called one by one."""
    backend = discovery.active()
    for case, got in zip(cases, _eager(backend, op, tuple(cases)), strict=True):
        want = expected(case)
        compare(got, want, case, 1e-9 * case.tolerance, 1e-10 * case.tolerance)
        dtypes = [backend.dtype_of(g) for g in got], [w.dtype.name for w in want]
        if dtypes[0] != dtypes[1]:
            raise AssertionError(f"{case!r}: dtypes {dtypes[0]}, expected {dtypes[1]}")


def compiled(op: str, cases: Sequence[Case]) -> None:
    """One compiled function with all cases of the op gives what they give called one by one."""
    eager = _eager(discovery.active(), op, tuple(cases))
    arguments = [apply(discovery.active().asarray, case.arrays) for case in cases]
    for case, got, want in zip(cases, together(op, cases, arguments), eager, strict=True):
        compare(got, want, case, 1e-9 * case.tolerance, 1e-10 * case.tolerance)
        if [np.asarray(K.to_numpy(g)).dtype for g in got] != [w.dtype for w in want]:
            raise AssertionError(f"{case!r}: compiled, the results have other dtypes than eagerly")


# Precision -----------------------------------------------------------------------------------------------------


def precision(op: str, cases: Sequence[Case]) -> None:
    """float32, float16 and bfloat16: within the ulps that `limits` states, against float64; and the dtype stays."""
    for dtype in LOWER:
        found = worst_ulps(op, cases, dtype)
        limit, _ = limits.ulps(op)
        if found is None:
            continue
        key = K.backend(), dtype, limits.class_of(op)
        WORST[key] = max(WORST.get(key, (0.0, "")), (found, op))
        if not found <= limit:
            raise AssertionError(f"{op} in {dtype}: {found:.3g} ulps from float64, allowed are {limit}")


def worst_ulps(op: str, cases: Sequence[Case], dtype: str) -> float | None:
    """How far from float64 the op is, in units of the last place of `dtype`; None where nothing was compared.

    Raises: AssertionError where a result has another dtype.
    """
    if not supports(dtype) or (dtype != "float32" and op in limits.NO_HALF):
        return None
    cases = [c for c in cases if any(a.dtype == np.float64 for a in leaves(c.arrays))]
    cases = cases if dtype == "float32" else some(cases, 3)
    if not cases:
        return None
    arguments = [_lowered(case, dtype) for case in cases]
    results = together(op, cases, arguments) if has_compiler() else [
        call(op, args, case) for case, args in zip(cases, arguments, strict=True)
    ]  # fmt: skip
    found = [_distance(op, case, got, args, dtype) for case, got, args in zip(cases, results, arguments, strict=True)]
    return max(found, default=None)


def supports(dtype: str) -> bool:
    """Whether the active backend has tensors of this dtype; NumPy has no bfloat16."""
    backend = discovery.active()
    try:
        return backend.dtype_of(backend.asarray(np.zeros(1, "float32"), dtype)) == dtype
    except (DtypeError, TypeError):
        return False


def _lowered(case: Case, dtype: str) -> list[Any]:
    asarray = discovery.active().asarray
    return apply(lambda a: asarray(a.astype("float32"), dtype) if a.dtype == np.float64 else asarray(a), case.arrays)


def _distance(op: str, case: Case, got: Sequence[Any], args: Sequence[Any], dtype: str) -> float:
    """The largest distance of the results from those in float64 on the same rounded arguments."""
    names = [[a is not None and a.dtype == np.float64 for a in leaves([x])] for x in case.arrays]
    was_float = iter([flag for flags in names for flag in flags])
    rounded = apply(lambda t: _widened(t) if next(was_float) else np.asarray(K.to_numpy(t)), args)
    want = expected(case, rounded)
    for g, w in zip(got, want, strict=True):
        right = limits.result_dtype(op, case, w, dtype)
        if K.dtype(g) != right:
            raise AssertionError(f"{case!r} in {dtype}: dtype {K.dtype(g)}, expected {right}")
    grain = [dtype if w.dtype == np.float64 else "float32" for w in want]
    of_largest = limits.ulps(op)[1]
    pairs = list(_pairs(got, want, case))
    return max((limits.distance(a, b, d, of_largest) for (a, b), d in zip(pairs, grain, strict=True)), default=0.0)


def _widened(tensor: Any) -> np.ndarray:
    return np.asarray(K.to_numpy(tensor)).astype("float64")


# Shapes --------------------------------------------------------------------------------------------------------


def shape(op: str, cases: Sequence[Case]) -> None:
    """Symbolic shapes and dtypes are the real ones, and agree with them where dimensions are unknown."""
    for case in cases:
        want = expected(case)
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
    args = apply(symbol, [head]) + apply(lambda a: K.placeholder(a.shape, dtype=a.dtype.name), rest)
    try:
        return call(op, args, case)
    except KerasFrontError:
        if unknown and op in limits.NEED_DIMENSIONS:
            return []
        raise
