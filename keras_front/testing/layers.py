"""The layer suite: what holds for every layer, on every backend, driven by the registry of layers.

A layer of one's own proves itself in three lines of a test file, and a backend of one's own in as many:

    from keras_front.testing import layers

    def test_my_layer():
        layers.check_layer(lambda: MyLayer(3), shapes=[(5, 3)])

    def test_my_backend():
        layers.run("pebble_front:PebbleBackend")

Every layer of `keras_front.layers` has cases in `layer_cases` that cover its arguments; one without is an error. The
checks themselves are in `layer_checks`, each a function of a case. `tests/layers` runs them one by one.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front.backend import discovery, seeds
from keras_front.errors import ArgumentError
from keras_front.graph import LAYERS
from keras_front.testing import layer_cases, layer_checks, selection
from keras_front.testing.layer_case import LayerCase, Shapes

__all__ = [
    "CHECKS",
    "ELSEWHERE",
    "ENGINE_NEUTRAL",
    "Failure",
    "LayerCase",
    "Report",
    "check",
    "check_layer",
    "count",
    "run",
    "table",
]

CHECKS: dict[str, Callable[[LayerCase], None]] = layer_checks.CHECKS
ENGINE_NEUTRAL = layer_checks.ENGINE_NEUTRAL

# Layers that are no function of one call on tensors, and where they are tested instead.
ELSEWHERE = {
    "AddLoss": "made by add_loss: tests/graph/test_op_layers.py",
    "AddMetric": "made by add_metric: tests/graph/test_op_layers.py",
    "InputLayer": "has no call; every check of shapes begins with one",
    "OpLayer": "an op with the arguments of its call: tests/graph/test_op_layers.py",
    "Model": "tests/graph",
    "Sequential": "in TimeDistributed, and tests/graph",
    "GRUCell": "in RNN, StackedRNNCells and GRU",
    "LSTMCell": "in RNN, StackedRNNCells and LSTM",
    "SimpleRNNCell": "in RNN and SimpleRNN",
    "StackedRNNCells": "in RNN",
    "ConvLSTM2DCell": "in ConvRNN2D and ConvLSTM2D",
    **dict.fromkeys(
        ("AugMix", "CutMix", "MixUp", "RandAugment", "RandomElasticTransform", "RandomPerspective"),
        "many ops, or several samples at once: tests/layers/test_augmentation.py",
    ),
    "FeatureSpace": "on dicts of columns: tests/test_feature_space.py",
    "HashedCrossing": "on strings, which are no tensors: tests/layers/test_keras3_layers.py",
    "Hashing": "on strings, which are no tensors: tests/layers/test_keras3_layers.py",
    "StringLookup": "on strings, which are no tensors: tests/layers/test_feature_preprocessing.py",
    "TextVectorization": "on strings, which are no tensors: tests/layers/test_feature_preprocessing.py",
}


class Failure(NamedTuple):
    """A check that did not hold: the layer, the check, and what it said."""

    layer: str
    check: str
    message: str


class Report(NamedTuple):
    """What a run covered and found."""

    backend: str
    layers: int
    cases: int
    checks: int
    seconds: float
    failures: list[Failure]

    def __str__(self) -> str:
        return (
            f"{self.backend}: {self.layers} layers, {self.cases} cases, {self.checks} checks, "
            f"{self.seconds:.0f} s, {len(self.failures)} failure{'' if len(self.failures) == 1 else 's'}"
        )


@functools.cache
def table() -> dict[str, list[LayerCase]]:
    """Cases by the name of the layer. Raises: LookupError if a layer of the package has none."""
    ours = {name for name in LAYERS.names() if LAYERS.lookup(name).__module__.startswith("keras_front.")}
    missing = sorted(n for n in ours - set(layer_cases.CASES) - set(ELSEWHERE) if not n.startswith("_"))
    if missing:
        raise LookupError(f"Layers without a case: {', '.join(missing)}. Add them to keras_front.testing.layer_cases.")
    return dict(layer_cases.CASES)


def cases_for(layer: str, check: str) -> list[LayerCase]:
    """The cases of a layer for a check: all, or where the choice is reduced those that depend on the engine."""
    if selection.reduced() and check in layer_checks.ENGINE_NEUTRAL:
        return []
    found = table()[layer]
    return selection.some(found, layer_checks.MOST.get(check, len(found)))


# Running -------------------------------------------------------------------------------------------------------


def check(layer: str, name: str) -> None:
    """One check on every case of a layer, on the active backend.

    Raises: AssertionError that says which case failed, what was expected and what was received.
    """
    failures = [f.message for case in cases_for(layer, name) for f in _failures(layer, case, [name])]
    if failures:
        raise AssertionError("\n".join(failures))


def _failures(layer: str, case: LayerCase, checks: Sequence[str]) -> Iterator[Failure]:
    for name in checks:
        seeds.set_random_seed(11)
        try:
            CHECKS[name](case)
        except Exception as error:  # a check may fail in any way that an engine or a layer can
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            yield Failure(layer, name, f"{case!r}, {name}: {kind}{str(error).strip()}")


def check_layer(
    make: Callable[[], Any],
    shapes: Shapes,
    checks: Sequence[str] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    **promises: Any,
) -> None:
    """Run the suite on one layer, on the active backend.

    Args:
        make: makes a new layer at each call.
        shapes: of its inputs, without the batch.
        checks: names from `CHECKS`; by default all.
        custom_objects: what its config names beside the layer's own class.
        promises: what else `LayerCase` takes: `mask="kept"`, `ints=10`, `fixed=(0,)`, `empty=False` ...

    Raises: AssertionError that lists, for each check that failed, what was expected and what was received.
    """
    layer = make()
    mine = {type(part).__name__: type(part) for part in layer.all_layers()}
    promises = {"mask": None, "label": type(layer).__name__, **promises}
    case = LayerCase(make, shapes, objects={**mine, **(custom_objects or {})}, **promises)
    found = list(_failures(type(layer).__name__, case, _names(checks)))
    if found:
        raise AssertionError("\n".join(f.message for f in found))


def _names(checks: Sequence[str] | None) -> list[str]:
    unknown = sorted(set(checks or ()) - set(CHECKS))
    if unknown:
        raise ArgumentError(f"Unknown checks {', '.join(unknown)}: expected some of {', '.join(CHECKS)}.")
    return list(CHECKS if checks is None else checks)


def run(
    backend: Any = None, layers: Sequence[str] | None = None, checks: Sequence[str] | None = None, fail: bool = True
) -> Report:
    """Run the suite on a backend (default: the active one), print the counts, and return them.

    Raises: AssertionError that lists what does not hold, unless `fail` is False.
    """
    chosen, wanted, started = sorted(table() if layers is None else layers), _names(checks), time.perf_counter()
    with discovery.use_backend(backend if backend is not None else discovery.active()):
        pairs = [(name, layer, case) for layer in chosen for name in wanted for case in cases_for(layer, name)]
        found = [failure for name, layer, case in pairs for failure in _failures(layer, case, [name])]
        took = time.perf_counter() - started
        report = Report(K.backend(), len(chosen), count(chosen), len(pairs), took, found)
    print(report)
    if found and fail:
        raise AssertionError("\n".join([str(report), *(f"  {f.message[:600]}" for f in found)]))
    return report


def count(layers: Sequence[str]) -> int:
    """The number of cases of these layers."""
    return sum(len(table()[name]) for name in layers)
