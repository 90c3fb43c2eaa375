"""Layers and models whose inner results are computed again for the gradient: `Layer(recompute=True)`, `RematScope`.

A layer runs within `K.recompute`, so that only what goes in and comes out is kept. A model that is trained with
`recompute = True` runs in about as many parts as the square root of the number of its calls: then what is kept between
the parts and what a part makes anew are small alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

from keras_front import backend as K
from keras_front.backend import symbolic
from keras_front.backend.symbolic import leaves_of
from keras_front.errors import ArgumentError
from keras_front.nest import flatten

from . import call_context
from .freezing import fitting, places_below
from .layer_values import shape_of

MODES = ("full", "activations", "larger_than", "list_of_layers", None)
_SCOPE: ContextVar[RematScope | None] = ContextVar("keras_front_remat", default=None)


class RematScope(AbstractContextManager["RematScope"]):
    """A block whose layers are computed again for the gradient, by the name of Keras 3; see `Layer(recompute=True)`.

    Args:
        mode: which of the layers that are made in the block: 'full' all, 'activations' those with an activation,
            'larger_than' those whose output is large, 'list_of_layers' those named, None none.
        output_size_threshold: with 'larger_than' the number of elements of the output of one sample that is not large.
        layer_names: with 'list_of_layers' the names.

    Raises: ArgumentError for another mode.
    Source: Keras 3.15, `keras.RematScope`, where 'activations' computes only the activation again.
    Example:
        >>> from keras_front.layers import Dense
        >>> with RematScope("list_of_layers", layer_names=["large"]) as scope:
        ...     layers = [Dense(2, name=name) for name in ("large", "small")]
        >>> [scope.applies_to(layer, None) for layer in layers]
        [True, False]
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ):
        if mode not in MODES:
            raise ArgumentError(f"RematScope: expected a mode among {MODES}, received {mode!r}.")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or ())
        self._tokens: list[Token[RematScope | None]] = []

    def __enter__(self) -> Self:
        self._tokens.append(_SCOPE.set(self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _SCOPE.reset(self._tokens.pop())

    def applies_to(self, layer: Any, inputs: Any) -> bool:
        """Whether a call of a layer that was made in the block is computed again.

        Args:
            layer: the layer.
            inputs: what it is called on.
        """
        if self.mode == "activations":
            return getattr(layer, "activation", None) is not None
        if self.mode == "larger_than":
            shapes = layer.compute_output_shape(symbolic.map_structure(shape_of, inputs))
            shapes = shapes if isinstance(shapes, list) else [shapes]
            return max(math.prod(n or 1 for n in shape[1:]) for shape in shapes) > self.output_size_threshold
        return self.mode == "full" or (self.mode == "list_of_layers" and layer.name in self.layer_names)


def scope_of_now() -> RematScope | None:
    """The innermost `RematScope` block."""
    return _SCOPE.get()


def wanted(layer: Any, inputs: Any) -> bool:
    """Whether this call of a layer is to be computed again for its gradient.

    Args:
        layer: the layer.
        inputs: what it is called on.
    """
    run = call_context.current()
    outermost: Any = None if run is None else run.outermost
    if layer.recompute is True:
        if layer._is_model and outermost is None:
            return False  # a whole model at once would spare nothing: it goes in parts
    elif not (getattr(outermost, "recompute", False) is True and not outermost._is_graph_network):
        scope = layer.__dict__.get("_remat_scope")
        if scope is None or not scope.applies_to(layer, inputs):
            return False
    return symbolic.tracing() is not None or not any(True for _ in leaves_of(inputs))


def run_again(layer: Any, inputs: Any, args: Any, kwargs: Any, mask: Any) -> tuple[Any, Any]:
    """Outputs and masks of a layer that is computed again for the gradient; see `Layer._run`.

    Args:
        layer: the layer.
        inputs: tensors.
        args: further arguments of its `call`.
        kwargs: those by name.
        mask: masks of the inputs.
    """

    def run(inputs: Any, args: Any, kwargs: Any, mask: Any) -> Any:
        with call_context.entered(tensors={}) as here:  # tensors in here are none of the step's
            here.outermost = here  # layers below are not wrapped again unless they say so
            for value, known in zip(flatten(inputs), flatten(mask), strict=False):
                here.set_mask(value, known)
            return layer._run(inputs, tuple(args), kwargs, mask)

    return K.recompute(run, inputs, list(args), kwargs, mask)  # type: ignore[no-any-return]


def parts_of(steps: Sequence[Any]) -> list[Sequence[Any]]:
    """The steps of a plan in parts of about equal length, as many as the square root of their number.

    Args:
        steps: the steps.

    Example:
        >>> [len(part) for part in parts_of(range(10))]
        [4, 4, 2]
    """
    size = max(1, math.ceil(math.sqrt(len(steps))))
    return [steps[i : i + size] for i in range(0, len(steps), size)]


def run_part(part: Sequence[Any], values: list[Any], masks: list[Any], needed: set[int]) -> None:
    """Run some steps of a plan so that they are computed again for the gradient.

    Args:
        part: the steps.
        values: the value at each place, which is read and written.
        masks: the masks, likewise.
        needed: the places that are read afterwards.
    """
    made = {place for step in part for place in step.targets}
    read = sorted({place for step in part for place in step.places} - made)
    out = sorted(made & needed)

    def run(here: list[Any], masks_here: list[Any]) -> Any:
        inside, masks_inside = [None] * len(values), [None] * len(values)
        for place, value, mask in zip(read, here, masks_here, strict=True):
            inside[place], masks_inside[place] = value, mask
        with call_context.entered(tensors={}):
            for step in part:
                step.run(inside, masks_inside)
        return [inside[place] for place in out], [masks_inside[place] for place in out]

    found = K.recompute(run, [values[place] for place in read], [masks[place] for place in read])
    for place, value, mask in zip(out, *found, strict=True):
        values[place], masks[place] = value, mask


def choose(model: Any, patterns: Sequence[str]) -> None:
    """Have the layers below a model that fit a pattern be computed again, and no others.

    Args:
        model: the model.
        patterns: regular expressions for whole paths, as `freeze` takes them.

    Raises: ArgumentError if a pattern fits no layer.
    """
    places = [place for place in places_below(model, "", []) if place[3] is None]
    chosen = {id(place[1]) for pattern in patterns for place in fitting(places, pattern, "recompute")}
    for _, layer, _, _ in places:
        layer.recompute = id(layer) in chosen
