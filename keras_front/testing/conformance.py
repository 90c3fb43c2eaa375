"""The conformance suite: every op of K on one backend, against NumPy in float64.

A backend of one's own proves itself in three lines of a test file:

    from keras_front.testing import conformance

    def test_conformance():
        conformance.run("pebble_front:PebbleBackend")

From one table of cases follow, for each op: values and dtypes; float32, float16 and, where the engine has it, bfloat16
within stated ulps; the symbolic shape, also with unknown dimensions; first and second gradients against finite
differences, by the engine and by the rules of K; compiled against eager; what K traces against what the engine does by
itself. `tests/conformance` runs the same checks one by one. An op without a case is an error.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery
from keras_front.testing import (
    accumulation,
    bad_arguments,
    composites,
    derivatives,
    edges,
    elementary,
    networks,
    primitives,
    selection,
    values,
)
from keras_front.testing.case import Case
from keras_front.testing.tolerances import ELSEWHERE


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
        failed = f"{len(self.failures)} failure{'' if len(self.failures) == 1 else 's'}"
        return f"{self.backend}: {self.ops} ops, {self.cases} cases, {self.seconds:.0f} s, {failed}"


# The table -----------------------------------------------------------------------------------------------------


@functools.cache
def table() -> dict[str, list[Case]]:
    """Cases by the name of the op. Raises: LookupError if an op of K has none."""
    cases = {**primitives.CASES, **composites.CASES, **elementary.ELEMENTARY, **networks.CASES}
    for op, more in edges.edges(cases).items():
        cases[op] = [*cases[op], *more]
    missing = sorted(set(declare.OPS) - set(cases) - set(ELSEWHERE))
    if missing:
        raise LookupError(f"Ops without a conformance case: {', '.join(missing)}.")
    return cases


# The checks ----------------------------------------------------------------------------------------------------

# What these ask of an op that is made of others, those others answer: where each call is compiled, only they are asked.
OF_PARTS = ("value", "precision", "host_arrays", "accumulation", "gradient", "infinities")


def _check(run: Callable[[str, Sequence[Case]], None]) -> Callable[[str], None]:
    @functools.wraps(run)
    def check(op: str) -> None:
        if run.__name__ not in OF_PARTS or not selection.reduced() or selection.of_the_engine(op):
            run(op, table()[op])

    return check


CHECKS: dict[str, Callable[[str], None]] = {
    fn.__name__: _check(fn)
    for fn in (
        values.value,
        values.precision,
        values.host_arrays,
        accumulation.accumulation,
        values.shape,
        values.compiled,
        derivatives.gradient,
        derivatives.program,
        derivatives.second,
        derivatives.infinities,
        bad_arguments.errors,
    )
}


def noise() -> None:
    """Noise is a function of its key, differs between keys, and has the promised range or moments."""
    counter, seed = (discovery.active().asarray(np.asarray(n, "int64")) for n in (3, 7))
    for draw, mean, spread in ((K.engine_uniform, 0.5, 12**-0.5), (K.engine_normal, 0.0, 1.0)):
        x, again, other = (K.to_numpy(draw(counter, seed, (4000,), "float32", stream)) for stream in (1, 1, 2))
        np.testing.assert_array_equal(x, again)
        if np.array_equal(x, other):
            raise AssertionError("two streams of noise are the same")
        np.testing.assert_allclose([x.mean(), x.std()], [mean, spread], atol=0.06)
    mask = K.to_numpy(K.keep_mask(counter, seed, (4000,), 0.2, "float32", 1))
    np.testing.assert_allclose(sorted(set(mask.tolist())), [0, 1.25], rtol=1e-4)
    np.testing.assert_allclose(mask.mean(), 1, atol=0.06)


# Running -------------------------------------------------------------------------------------------------------


def names(ops: Sequence[str] | None = None) -> list[str]:
    """The ops with cases, or those of `ops`."""
    return sorted(table() if ops is None else set(ops) & set(table()))


def _failures(ops: Sequence[str], checks: Sequence[str]) -> Iterator[Failure]:
    for op in ops:
        for check in checks:
            yield from _failure(op, check, functools.partial(CHECKS[check], op))


def _failure(op: str, name: str, check: Callable[[], None]) -> Iterator[Failure]:
    try:
        check()
    except Exception as error:  # a check may fail in any way an engine can
        yield Failure(op, name, f"{type(error).__name__}: {error}")


def run(
    backend: Any = None, ops: Sequence[str] | None = None, checks: Sequence[str] | None = None, fail: bool = True
) -> Report:
    """Run the suite on a backend (default: the active one), print the counts, and return them.

    Raises: AssertionError that lists what does not conform, unless `fail` is False.
    """
    chosen, started = names(ops), time.perf_counter()
    with discovery.use_backend(backend if backend is not None else discovery.active()):
        found = list(_failures(chosen, list(CHECKS) if checks is None else checks))
        if ops is None and checks is None:
            found += _failure("engine_uniform", "noise", noise)
        report = Report(K.backend(), len(chosen), count(chosen), time.perf_counter() - started, found)
    print(report)
    if found and fail:
        listed = "\n".join(f"  {f.op}, {f.check}: {f.message.strip()[:400]}" for f in found)
        raise AssertionError(f"{report}\n{listed}")
    return report


def count(ops: Sequence[str]) -> int:
    """The number of cases of these ops."""
    return sum(len(table()[op]) for op in ops)
