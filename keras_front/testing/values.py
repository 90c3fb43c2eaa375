"""Checks of what ops compute: values, dtypes, shapes, precision; compiled against eager."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import nest
from keras_front.backend import declare, discovery
from keras_front.errors import DtypeError, KerasFrontError
from keras_front.testing import tolerances
from keras_front.testing.case import Case
from keras_front.testing.selection import has_compiler, of_the_engine, some

LOWER = ("float32", "float16", "bfloat16")
WORST: dict[tuple[str, str, str], tuple[float, str]] = {}  # (backend, dtype, class): the worst seen, and its op


def leaves(structure: Any) -> list[Any]:
    """The arrays of a nesting, without Nones."""
    return [leaf for leaf in nest.flatten(structure) if leaf is not None]


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
    for case in some(cases, 1):
        _is_expected(alone(op, case), case)


def compiled(op: str, cases: Sequence[Case]) -> None:
    """One compiled function with all cases of the op (some, if it is made of others) gives their values and dtypes."""
    cases = cases if of_the_engine(op) else some(cases, 2)
    arguments = [apply(discovery.active().asarray, case.arrays) for case in cases]
    for case, got in zip(cases, together(op, cases, arguments), strict=True):
        _is_expected(got, case)


def _is_expected(got: Sequence[Any], case: Case) -> None:
    want = expected(case)
    compare(got, want, case, 1e-9 * case.tolerance, 1e-10 * case.tolerance)
    dtypes = [discovery.active().dtype_of(g) for g in got], [w.dtype.name for w in want]
    if dtypes[0] != dtypes[1]:
        raise AssertionError(f"{case!r}: dtypes {dtypes[0]}, expected {dtypes[1]}")


# Precision -----------------------------------------------------------------------------------------------------


def precision(op: str, cases: Sequence[Case]) -> None:
    """float32, float16 and bfloat16: within the ulps that `tolerances` states, against float64; and the dtype stays."""
    chosen = [(case, dtype) for dtype in LOWER for case in _comparable(op, cases, dtype)]
    arguments = [_lowered(case, dtype) for case, dtype in chosen]
    results = _computed(op, [case for case, _ in chosen], arguments)
    for (case, dtype), got, args in zip(chosen, results, arguments, strict=True):
        found, (limit, _) = _distance(op, case, got, args, dtype), tolerances.ulps(op)
        key = K.backend(), dtype, tolerances.class_of(op)
        WORST[key] = max(WORST.get(key, (0.0, "")), (found, op))
        if not found <= limit:
            raise AssertionError(f"{case!r} in {dtype}: {found:.3g} ulps from float64, allowed are {limit}")


def _comparable(op: str, cases: Sequence[Case], dtype: str) -> list[Case]:
    """The cases with float arguments, if the backend and the op know the dtype."""
    if not supports(dtype) or (dtype != "float32" and op in tolerances.NO_HALF):
        return []
    found = [c for c in cases if any(a.dtype == np.float64 for a in leaves(c.arrays))]
    return some(found, 2 if dtype == "float32" else 1)


def _computed(op: str, cases: Sequence[Case], arguments: Sequence[Any]) -> list[list[Any]]:
    if has_compiler() and cases:
        return together(op, cases, arguments)
    return [call(op, args, case) for case, args in zip(cases, arguments, strict=True)]


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
        right = tolerances.result_dtype(op, case, w, dtype)
        if K.dtype(g) != right:
            raise AssertionError(f"{case!r} in {dtype}: dtype {K.dtype(g)}, expected {right}")
    grain = [dtype if w.dtype == np.float64 else "float32" for w in want]
    of_largest = tolerances.ulps(op)[1]
    pairs = list(_pairs(got, want, case))
    return max((tolerances.distance(a, b, d, of_largest) for (a, b), d in zip(pairs, grain, strict=True)), default=0.0)


def _widened(tensor: Any) -> np.ndarray:
    return np.asarray(K.to_numpy(tensor)).astype("float64")


def host_arrays(op: str, cases: Sequence[Case]) -> None:
    """Arrays of float64 beside a tensor of float32 take its dtype, eagerly and recorded.

    The results have the dtypes that float32 tensors alone give.
    """
    for case in cases[:1]:
        floats = [a is not None and not isinstance(a, list) and a.dtype == np.float64 for a in case.arrays]
        if not floats[0] or sum(floats) < 2:
            return
        tensors = _lowered(case, "float32")
        want = [K.dtype(r) for r in call(op, tensors, case)]
        for first in (tensors[0], K.placeholder(case.arrays[0].shape)):
            mixed = [first, *(a if f else t for a, f, t in zip(case.arrays[1:], floats[1:], tensors[1:], strict=True))]
            got = [K.dtype(r) for r in call(op, mixed, case)]
            if got != want:
                raise AssertionError(f"{case!r}: dtypes {got} beside host arrays, expected {want}")


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
        if unknown and op in tolerances.NEED_DIMENSIONS:
            return []
        raise
