"""How the layer suite calls a layer and compares: inputs, weights that tell layers apart, outputs, expectations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.backend import discovery, state
from keras_front.graph import Input
from keras_front.testing.layer_case import LayerCase
from keras_front.testing.selection import has_compiler

BATCH = 3


def demand(holds: bool, what: str, expected: Any, received: Any) -> None:
    """Raises: AssertionError that says what was expected and received, unless `holds`."""
    if not holds:
        raise AssertionError(f"{what}: expected {expected}, received {received}.")


def expect(what: str, expected: Any, received: Any) -> None:
    """Raises: AssertionError if `received` is not `expected`."""
    demand(bool(expected == received), what, expected, received)


def equal(got: Sequence[Any], want: Sequence[Any], tolerance: float, what: str) -> None:
    """Raises: AssertionError unless each array of `got` has the shape and, nearly, the numbers of that of `want`."""
    expect(f"{what}: number of arrays", len(want), len(got))
    for a, b in zip(map(np.asarray, got), map(np.asarray, want), strict=True):
        expect(f"{what}: shape", b.shape, a.shape)
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance):
            worst = np.unravel_index(np.argmax(np.abs(a.astype("float64") - b)), a.shape)
            raise AssertionError(
                f"{what}: expected {b[worst]!s} at {tuple(map(int, worst))}, received {a[worst]!s} "
                f"(tolerance {tolerance})."
            )


def values(case: LayerCase, batch: int = BATCH, dtype: str = "float32", seed: int = 0) -> list[np.ndarray]:
    """Inputs for a case; those of another dtype are the same numbers."""
    rng = np.random.default_rng(seed)
    if case.ints:
        return [rng.integers(0, case.ints, (batch, *s)).astype("int32") for s in case.shapes]
    return [rng.uniform(-1, 1, (batch, *s)).astype("float16").astype(dtype) for s in case.shapes]


def symbols(case: LayerCase, known: bool = True) -> list[Any]:
    """Inputs whose sizes are all known, or only those that must be: channels, and `fixed`. The batch is unknown."""
    dtype = "int32" if case.ints else config.floatx()
    return [Input(shape if known else _loose(case, shape), dtype=dtype) for shape in map(tuple, case.shapes)]


def _loose(case: LayerCase, shape: tuple[int, ...]) -> tuple[int | None, ...]:
    return tuple(n if i in case.fixed or i == len(shape) - 1 or n == 1 else None for i, n in enumerate(shape))


def one(items: Any) -> Any:
    """The only item of a list, or the list: what a layer is called on."""
    return items[0] if len(items) == 1 else list(items)


def flat(outputs: Any) -> list[np.ndarray]:
    """The outputs of a call as NumPy arrays."""
    return [np.asarray(K.to_numpy(y)) for y in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def spread(layer: Any, seed: int = 1) -> None:
    """Give the layer weights that differ from each other and from zero, all positive: variances stay possible."""
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.uniform(0.2, 0.9, w.shape) * rng.choice([0.5, 1.0], w.shape) for w in layer.weights])


def built(case: LayerCase) -> Any:
    """A new layer that knows its input shapes, with the weights of `spread`."""
    layer = case.make()
    layer(one(symbols(case)))
    spread(layer)
    return layer


def apply(layer: Any, *batches: Any, training: bool = False, compiled: bool = False) -> list[list[np.ndarray]]:
    """The outputs for each of several batches; in one compiled function where the engine has a compiler."""
    if compiled or has_compiler():
        return _together(layer, batches, [training] * len(batches))
    with K.phase(True) if training else nullcontext():
        return [flat(layer(one([K.convert(x) for x in batch]))) for batch in batches]


def _together(layer: Any, batches: Sequence[Any], phases: Sequence[bool]) -> list[list[np.ndarray]]:
    sizes: list[int] = []

    def program(arrays: list[Any]) -> list[Any]:
        items, found = iter(arrays), []
        with state.bind(layer.weights, [K.convert(w.numpy()) for w in layer.weights]):  # some are assigned in training
            for batch, phase in zip(batches, phases, strict=True):
                with K.phase(phase):
                    found.append(layer(one([next(items) for _ in batch])))
        listed = [list(y) if isinstance(y, list | tuple) else [y] for y in found]
        sizes[:] = map(len, listed)
        return [y for ys in listed for y in ys]

    results = iter(flat(K.compile(program)([x for batch in batches for x in batch])))
    return [[next(results) for _ in range(size)] for size in sizes]


class Pass(NamedTuple):
    """The outputs of one layer of a case: for a batch, a batch of one, an empty batch if it may be, and in training."""

    layer: Any
    whole: list[np.ndarray]
    single: list[np.ndarray]
    none: list[np.ndarray]
    training: list[np.ndarray]


def passed(case: LayerCase) -> Pass:
    """What several checks look at, computed once for each case and backend."""
    return _passed(case, discovery.active(), config.floatx())


@functools.lru_cache(maxsize=64)
def _passed(case: LayerCase, backend: Any, floatx: str) -> Pass:
    layer, x = built(case), values(case)
    batches = [x, [a[:1] for a in x], *([[a[:0] for a in x]] if case.empty else [])]
    if has_compiler():
        *found, training = _together(layer, [*batches, x], [*[False] * len(batches), True])
    else:
        found, (training,) = apply(layer, *batches), apply(layer, x, training=True)
    return Pass(layer, found[0], found[1], found[2] if case.empty else [], training)
