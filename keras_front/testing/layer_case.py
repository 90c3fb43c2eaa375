"""`LayerCase`: one way to make a layer, what it is called on, and what it promises. Data for the suite in `layers`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_front.errors import ArgumentError

Shapes = Sequence[Sequence[int]]

SEQUENCE, IMAGE, VOLUME = ((5, 3),), ((6, 5, 3),), ((4, 5, 4, 2),)
MASKS = ("kept", "dropped", "refused", "own", None)


@dataclass(frozen=True, eq=False)
class LayerCase:
    """One way to make a layer, and its promises.

    Args:
        make: makes the layer, without arguments; a new one at each call.
        shapes: of its inputs, without the batch.
        mask: what becomes of a mask of the steps: 'kept', 'dropped', 'refused', 'own' (the layer makes one); None
            promises nothing.
        leaks: whether masked steps have an influence on the others all the same.
        ints: inputs are integers below this number; 0: floats.
        fixed: axes, counted without the batch, whose size must be known before the call.
        empty: whether an empty batch gives an empty result.
        rounding: tolerance for float16 in place of the usual one; None: the layer has no float16 results to compare.
        rewrites: whether a call in training sets its trainable weights itself, or takes of the batch what it holds for
            constant: the gradient is not the derivative of the outputs then, and freezing does not hold.
        idle: ends of the names of weights that have no influence by nature, such as a bias before a softmax.
        formats: whether both data formats have weights that can be compared.
        objects: classes and functions that its config names and that are in no registry.
        label: what to call it in messages.
    """

    make: Callable[[], Any]
    shapes: Shapes
    mask: str | None = "kept"
    leaks: bool = False
    ints: int = 0
    fixed: Sequence[int] = ()
    empty: bool = True
    rounding: float | None = 0.02
    rewrites: bool = False
    idle: Sequence[str] = ()
    formats: bool = True
    objects: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        if self.mask not in MASKS:
            raise ArgumentError(f"LayerCase: expected mask to be one of {MASKS}, received {self.mask!r}.")

    def __repr__(self) -> str:
        return self.label or "the layer"


_ABOUT = ("mask", "leaks", "ints", "fixed", "empty", "rounding", "rewrites", "idle", "formats", "objects")


def case(layer: Any, *args: Any, on: Shapes = SEQUENCE, **options: Any) -> LayerCase:
    """The case of `layer(*args, **options)` called on inputs of the shapes `on`; some options are the case's own."""
    about = {name: options.pop(name) for name in _ABOUT if name in options}
    shown = [*(repr(a) for a in args), *(f"{k}={v!r}" for k, v in options.items())]
    label = f"{layer.__name__}({', '.join(shown)}) on {', '.join(map(str, on))}"
    return LayerCase(functools.partial(layer, *args, **options), on, label=label, **about)


def made(make: Callable[[], Any], label: str, on: Shapes = SEQUENCE, **about: Any) -> LayerCase:
    """The case of a layer that holds layers, which must be new each time."""
    return LayerCase(make, on, label=f"{label} on {', '.join(map(str, on))}", **about)


image = functools.partial(case, on=IMAGE, mask="refused")
volume = functools.partial(case, on=VOLUME, mask="refused")
sequence = functools.partial(case, on=SEQUENCE, mask="refused")
