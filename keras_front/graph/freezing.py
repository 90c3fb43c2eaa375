"""`model.freeze("block[12]/.*")` and `unfreeze`: which layers and weights training changes, by patterns of their paths.

The path of a layer is its name below the models and layers that hold it, 'encoder/block1/conv'; that of a weight has
the name of the weight behind it, 'encoder/block1/conv/kernel'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, StateError

SHOWN = 20  # paths in a message at most


class Freezable:
    """The part of a model that freezes what is below it. The other parts know its layers."""

    def freeze(self, *patterns: str) -> list[str]:
        """Keep training from changing layers or weights. Compile the model afterwards, as with `trainable`.

        Args:
            patterns: regular expressions, each for the whole path of a layer, such as 'block[12]/.*' for all layers of
                two models within this one, or 'block1_.*' for layers of the model itself. What is below a layer is
                frozen with it. A pattern that fits no layer is tried on weights: '.*/bias'. None for all layers.

        Returns: the paths of the layers (or weights) that training changed until now.
        Raises: ArgumentError if a pattern fits nothing, or is no regular expression; then nothing is frozen. StateError
            if the model has no layers yet.
        Source: the idea is that of Keras 3's `trainable`, here for many layers at once.
        Example:
            >>> from keras_front.layers import Dense
            >>> from keras_front.models import Sequential
            >>> model = Sequential([Dense(2, input_dim=3, name="body"), Dense(2, name="neck"), Dense(1, name="top")])
            >>> model.freeze("body|neck"), len(model.trainable_weights)
            (['body', 'neck'], 2)
            >>> model.unfreeze(".*/bias")
            ['body/bias', 'neck/bias']
        """
        return _switched(self, patterns, False)

    def unfreeze(self, *patterns: str) -> list[str]:
        """Let training change layers or weights again; what holds them is opened for them alone.

        Args:
            patterns: as for `freeze`.

        Returns: the paths of the layers (or weights) that training did not change until now.
        Raises: as `freeze`.
        """
        return _switched(self, patterns, True)


# A place below a model: its path, the layer, the layers above it, and the weight, if it is one.
_Place = tuple[str, Any, list[Any], Variable | None]


def _switched(model: Any, patterns: Sequence[str], value: bool) -> list[str]:
    places = list(places_below(model, "", []))
    if not places:
        raise StateError(f"{model.name}: there are no layers to freeze yet. Build the model, or call it on a batch.")
    chosen = [place for pattern in patterns or (".*",) for place in fitting(places, pattern)]
    changed = [path for path, layer, above, weight in chosen if (not value) in _trained(layer, above, weight)]
    for _, layer, above, weight in chosen:
        if value:
            _open([*above, *([layer] if weight is not None else [])])
        if weight is not None:
            weight.trainable = value
        else:
            _switch_layer(layer, value)
    return list(dict.fromkeys(changed))


def places_below(layer: Any, prefix: str, above: list[Any]) -> Iterator[_Place]:
    """The layers and weights below a layer, each with its path.

    Args:
        layer: a model or layer.
        prefix: what stands before the paths.
        above: the layers above it.
    """
    for below in layer.sublayers():
        path = f"{prefix}{below.name}"
        yield path, below, [*above, layer], None
        for weight in (*below._trainable_weights, *below._non_trainable_weights):
            yield f"{path}/{_bare(weight)}", below, [*above, layer], weight
        yield from places_below(below, f"{path}/", [*above, layer])


def _bare(weight: Variable) -> str:
    return weight.name.rpartition("/")[2].partition(":")[0]


def fitting(places: Sequence[_Place], pattern: str, where: str = "freeze") -> list[_Place]:
    """The layers whose whole paths fit a pattern; if there are none, the weights.

    Args:
        places: what `places_below` gives.
        pattern: a regular expression.
        where: who asks, for messages.

    Raises: ArgumentError if nothing fits, or for what is no regular expression.
    """
    try:
        fits = re.compile(pattern).fullmatch
    except (re.error, TypeError) as error:
        raise ArgumentError(f"{where}: expected regular expressions, received {pattern!r}: {error}.") from None
    layers = [place for place in places if place[3] is None and fits(place[0])]
    found = layers or [place for place in places if place[3] is not None and fits(place[0])]
    if not found:
        known = [place[0] for place in places if place[3] is None]
        more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
        raise ArgumentError(
            f"{where}: expected a pattern that fits the whole path of a layer or weight, received "
            f"{pattern!r}, which fits none.\n"
            f"  The layers are {', '.join(known[:SHOWN])}{more}. '.*' stands for any text."
        )
    return found


def _trained(layer: Any, above: Sequence[Any], weight: Variable | None) -> set[bool]:
    """Whether training changes a weight, or the weights of a layer: one answer, or both."""
    if not all(part.trainable for part in above):
        return {False}
    learned = layer._split_weights()[0] if weight is None else [weight]
    trained = set(layer.trainable_weights)
    return {w in trained for w in learned} or {layer.trainable}


def _open(layers: Sequence[Any]) -> None:
    """Let training pass through layers that were frozen, to what is below; their own weights stay frozen."""
    for layer in layers:
        if not layer.trainable:
            layer._trainable = True
            for weight in layer._trainable_weights:
                weight.trainable = False


def _switch_layer(layer: Any, value: bool) -> None:
    layer.trainable = value
    for part in layer.all_layers() if value else ():
        for weight in part._trainable_weights:
            weight.trainable = not any(weight is base for base in part.always_frozen())
