"""Checks of derivatives: first and second, by the engine and by the rules of K, traced and not."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend import declare, discovery, state
from keras_front.testing import tolerances
from keras_front.testing.case import Case
from keras_front.testing.selection import reduced, some
from keras_front.testing.values import apply, call, expected, leaves

Make = Callable[[Callable[[list[Any]], Any], list[Any]], tuple[Any, list[Any]]]
STEP = 1e-6


class Derivative:
    """A weighted sum of the results of a case as a function of its differentiable arguments, and two directions."""

    def __init__(self, op: str, case: Case):
        rng = np.random.default_rng(3)
        self.op, self.case = op, case
        self.weights = [rng.normal(size=w.shape) if w.dtype.kind == "f" else None for w in expected(case)]
        self.places = [(i, j) for i in case.grads for j, _ in enumerate(leaves([case.arrays[i]]))]
        self.params = [_at(case.arrays, place) for place in self.places]
        self.directions = [rng.normal(size=p.shape) for p in self.params]
        self.others = [rng.normal(size=p.shape) for p in self.params]

    def _with(self, arrays: list[Any], values: Sequence[Any]) -> list[Any]:
        for (i, j), new in zip(self.places, values, strict=True):
            if isinstance(arrays[i], list):
                arrays[i][j] = new
            else:
                arrays[i] = new
        return arrays

    def loss(self, values: list[Any]) -> Any:
        """The sum, on tensors."""
        results = call(self.op, self._with(apply(discovery.active().asarray, self.case.arrays), values), self.case)
        pairs = [(r, w) for r, w in zip(results, self.weights, strict=True) if w is not None]
        return functools.reduce(K.add, [K.sum(K.multiply(r, w)) for r, w in pairs])

    def slope_of(self, make: Make) -> Callable[[list[Any]], Any]:
        """The derivative along `directions` as a function on tensors, whose own gradient is the second one."""

        def slope(values: list[Any]) -> Any:
            grads = make(self.loss, values)[1]
            return functools.reduce(
                K.add, [K.sum(K.multiply(g, d)) for g, d in zip(grads, self.directions, strict=True)]
            )

        return slope

    def moved(self, directions: Sequence[np.ndarray], step: float) -> list[np.ndarray]:
        """The arguments, a step away."""
        return [p + step * d for p, d in zip(self.params, directions, strict=True)]

    def difference(self) -> float:
        """The central difference of the reference along `directions`."""

        def total(step: float) -> float:
            arrays = self._with(apply(lambda a: a, self.case.arrays), self.moved(self.directions, step))
            results = expected(self.case, arrays)
            return sum(float(np.sum(r * w)) for r, w in zip(results, self.weights, strict=True) if w is not None)

        return (total(STEP) - total(-STEP)) / (2 * STEP)


def _at(arrays: Sequence[Any], place: tuple[int, int]) -> Any:
    i, j = place
    return arrays[i][j] if isinstance(arrays[i], list) else arrays[i]


def along(grads: Sequence[Any], directions: Sequence[np.ndarray]) -> float:
    """The derivative in a direction."""
    return sum(float(np.sum(np.asarray(K.to_numpy(g)) * d)) for g, d in zip(grads, directions, strict=True))


# Three ways to a gradient --------------------------------------------------------------------------------------


def by_engine(loss: Callable[[list[Any]], Any], values: list[Any]) -> tuple[Any, list[Any]]:
    """Loss and gradients by `value_and_grad`: the engine's own means, where it has them."""
    (found, _), grads = K.value_and_grad(lambda params: (loss(params), []), values)
    return found, grads


def by_rules(loss: Callable[[list[Any]], Any], values: list[Any]) -> tuple[Any, list[Any]]:
    """Loss and gradients by the rules of K, inside a traced function."""
    return K.gradients_by_rules(loss, values)


def traced(fn: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """`fn` recorded, simplified and written as a program."""
    return K.compile(fn)


def native(fn: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], list[Any]]:
    """`fn` as the engine itself compiles or runs it, on its own tensors: K records nothing."""

    def run(flat: list[Any]) -> list[Any]:
        with state.eager(), state.phase(0):
            return fn(flat)

    return discovery.active().compile_native(run)


def _program(found: Sequence[Derivative], make: Make, second: bool = False) -> Callable[[list[Any]], list[Any]]:
    """For each case, from the flat list of all arguments, the loss and then its gradients (or those of its slope)."""

    def program(flat: list[Any]) -> list[Any]:
        items, results = iter(flat), []
        for d in found:
            loss, grads = make(d.slope_of(make) if second else d.loss, [next(items) for _ in d.params])
            results += [loss, *grads]
        return results

    return program


def _tensors(arrays: Sequence[Sequence[np.ndarray]]) -> list[Any]:
    return [discovery.active().asarray(p) for params in arrays for p in params]


class _Subject:
    """The differentiable cases of an op, and the functions compiled for them, which the checks share."""

    def __init__(self, op: str, cases: Sequence[Case]):
        chosen = some([c for c in cases if c.grads and expected(c)[0].size], 2)
        self.found = [Derivative(op, c) for c in chosen]
        self.flat = _tensors([d.params for d in self.found])

    @functools.cached_property
    def alone(self) -> list[list[np.ndarray]]:
        """Losses and gradients by the engine, K recording nothing."""
        return self.run(native(_program(self.found, by_engine)))

    @functools.cached_property
    def by_rules(self) -> Callable[[list[Any]], list[Any]]:
        """The program of losses and gradients by the rules of K."""
        return traced(_program(self.found, by_rules))

    def run(self, function: Callable[[list[Any]], list[Any]], flat: list[Any] | None = None) -> list[list[np.ndarray]]:
        """For each case the loss and the gradients that `function` gives."""
        items = iter(function(self.flat if flat is None else flat))
        return [[np.asarray(K.to_numpy(next(items))) for _ in range(1 + len(d.params))] for d in self.found]


@functools.lru_cache(maxsize=4)
def _subject(_: Any, op: str, cases: tuple[Case, ...]) -> _Subject:
    return _Subject(op, cases)


# The checks ----------------------------------------------------------------------------------------------------


def gradient(op: str, cases: Sequence[Case]) -> None:
    """Derivatives in random directions, by the engine and by the rules of K, against central differences.

    And the program that K writes, gradients by its rules, against what the engine makes of the same function when K
    records nothing: all gradients, element by element. Where the choice is reduced only the engine's own are asked.
    """
    subject = _subject(discovery.active(), op, tuple(cases))
    if not subject.found:
        return
    _is_slope(subject, subject.alone, "the engine")
    if not (reduced() and discovery.active().differentiates):
        rules = subject.run(subject.by_rules)
        _is_slope(subject, rules, "the rules of K")
        for d, engine, got in zip(subject.found, subject.alone, rules, strict=True):
            _same(engine, got, f"{d.case!r}: the engine by itself, and the program by the rules of K")


def _is_slope(subject: _Subject, found: list[list[np.ndarray]], maker: str) -> None:
    for d, (_, *grads) in zip(subject.found, found, strict=True):
        message = f"gradient of {d.case!r} by {maker}"
        np.testing.assert_allclose(along(grads, d.directions), d.difference(), rtol=2e-5, atol=1e-6, err_msg=message)


def program(op: str, cases: Sequence[Case]) -> None:
    """The program that differentiates by the engine's means, as training does, against the engine by itself."""
    if reduced() and not _has_own_kernel(op):
        return
    subject = _subject(discovery.active(), op, tuple(cases))
    if subject.found and discovery.active().differentiates:
        inside = subject.run(traced(_program(subject.found, by_engine)))
        for d, want, got in zip(subject.found, subject.alone, inside, strict=True):
            _same(want, got, f"{d.case!r}: the engine by itself, and inside of a program")


def _has_own_kernel(op: str) -> bool:
    """Whether the adapter brings a composite itself; others are made of ops that are checked by themselves."""
    return op in declare.composites() and discovery.active().overrides(op)


def _same(want: Sequence[np.ndarray], got: Sequence[np.ndarray], message: str) -> None:
    for a, b in zip(got, want, strict=True):
        if a.dtype != b.dtype:
            raise AssertionError(f"{message}: dtypes {b.dtype} and {a.dtype}")
        size = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * size, err_msg=message)


def second(op: str, cases: Sequence[Case]) -> None:
    """The second derivative in two directions, by the rules of K twice and by the engine twice, against a difference.

    What is differenced is the first gradient by the rules, which `gradient` has compared with the reference. Where the
    choice is reduced only ops with a kernel of the adapter's own are asked: others are made of ops that were.
    """
    if reduced() and not _has_own_kernel(op):
        return
    subject = _subject(discovery.active(), op, tuple(cases))
    if op in tolerances.NO_SECOND or not subject.found:
        return
    wanted = _differences(subject)
    makers: list[tuple[str, Any, Make]] = [("the rules of K", traced, by_rules)]
    if discovery.active().differentiates:
        makers.append(("the engine", native, by_engine))
    for maker, way, make in makers:
        results = subject.run(way(_program(subject.found, make, True)))
        for d, want, (_, *grads) in zip(subject.found, wanted, results, strict=True):
            if d.case.smooth:
                message = f"second gradient of {d.case!r} by {maker}"
                got, atol = along(grads, d.others), 1e-5 * max(1, abs(want))
                np.testing.assert_allclose(got, want, rtol=1e-4, atol=atol, err_msg=message)


def infinities(op: str, cases: Sequence[Case]) -> None:
    """For ops that choose among elements: an infinite gradient reaches what was chosen, and leaves 0 elsewhere.

    What was chosen is told by a finite gradient, which `gradient` has compared with a difference.
    """
    if op not in tolerances.CHOOSES:
        return
    found = [Derivative(op, c) for c in some([c for c in cases if c.grads and expected(c)[0].size], 2)]
    for d in found:
        finite, infinite = _with_weights(d, 1.0), _with_weights(d, np.inf)
        flat = _tensors([d.params])
        for maker, way, make in (("the engine", native, by_engine), ("the rules of K", traced, by_rules)):
            slopes = [way(_program([x], make))(flat)[1:] for x in (finite, infinite)]
            for small, large in zip(*([np.asarray(K.to_numpy(g)) for g in grads] for grads in slopes), strict=True):
                want = np.where(small == 0, 0.0, np.copysign(np.inf, small))
                np.testing.assert_array_equal(large, want, err_msg=f"infinite gradient of {d.case!r} by {maker}")


def _with_weights(derivative: Derivative, value: float) -> Derivative:
    """The same derivative with one weight for all results."""
    other = copy.copy(derivative)
    other.weights = [None if w is None else np.full_like(w, value) for w in derivative.weights]
    return other


def _differences(subject: _Subject) -> list[float]:
    step = 1e-5
    moved = [_tensors([d.moved(d.others, s) for d in subject.found]) for s in (step, -step)]
    up, down = (subject.run(subject.by_rules, flat) for flat in moved)
    return [
        (along(a, d.directions) - along(b, d.directions)) / (2 * step)
        for d, (_, *a), (_, *b) in zip(subject.found, up, down, strict=True)
    ]
