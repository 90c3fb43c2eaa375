"""Vocabularies that Keras 3 keeps beside the config, as texts in an archive: `assets/<path of layer>/vocabulary.txt`.

Layers that learned their vocabulary by `adapt` have none in their config there. It is put into the config before the
layers are made. Archives of keras_front have it in the config, where Keras 3 finds it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keras_front.errors import SerializationError

from . import guard

__all__ = ["add_vocabularies", "has_factors", "restore_factors", "restore_idf_weights"]

Paths = Callable[[Sequence[tuple[str, Any]]], Iterator[tuple[str, Any]]]


def add_vocabularies(config: Mapping[str, Any], archive: Any, where: str, paths_of: Paths, prefix: str = "") -> None:
    """Give layers without a vocabulary in their config the one that the archive has for them.

    Args:
        config: the config of a model, or of a feature space; its entries are changed.
        archive: the open archive.
        where: what to call the file or config in messages.
        paths_of: function that gives the paths of layers from their class names.
        prefix: path of the model within the outermost one.
    """
    entries, group = _entries(config)
    if not isinstance(entries, list):
        return
    for path, entry in paths_of([(e["class_name"], e) for e in entries]):
        inner, place = entry.get("config"), f"{prefix}{group}/{path}/"
        if not isinstance(inner, dict):
            continue
        add_vocabularies(inner, archive, where, paths_of, place)
        name = f"assets/{place}vocabulary.txt"
        if "vocabulary" in inner and inner["vocabulary"] is None and name in archive.namelist():
            _fill(inner, guard.member(archive, name, where, guard.CONFIG_BYTES), f"{where}, {name}")


def _entries(config: Mapping[str, Any]) -> tuple[Any, str]:
    """The entries of layers in a config, and what their paths begin with."""
    features = config.get("features")
    if not isinstance(features, dict):
        return config.get("layers"), "layers"
    described = [feature.get("config") for feature in features.values() if isinstance(feature, dict)]
    layers = [item["preprocessor"] for item in described if isinstance(item, dict) and "preprocessor" in item]
    return [layer for layer in layers if isinstance(layer, dict) and "class_name" in layer], "preprocessors"


def _fill(config: dict[str, Any], data: bytes, where: str) -> None:
    lines = data.decode("utf-8", "replace").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    config["vocabulary"] = _integers(lines, where) if "vocabulary_dtype" in config else lines
    if config.get("output_mode") == "tf_idf" and config.get("idf_weights") is None:
        config["idf_weights"] = [0.0] * len(lines)  # until `restore_idf_weights` reads them


def _integers(lines: list[str], where: str) -> list[int]:
    try:
        return [int(line) for line in lines]
    except ValueError as error:
        raise SerializationError(f"{where}: expected an integer in each line ({error}).") from None


def restore_idf_weights(
    children: Iterator[tuple[str, Any, Mapping[str, Any] | None]], group: Any, where: str, limit: int
) -> None:
    """Give lookups in the mode 'tf_idf' the factors that stand among the weights of the file.

    Args:
        children: path, layer and entries for each layer of the model.
        group: the group that holds the weights.
        where: what to call the file or config in messages.
        limit: most bytes that the factors of one layer may take.
    """
    for path, layer, _ in children:
        part = group
        for name in (*path.split("/"), "vars"):
            part = guard.group(part, name, where) if part is not None else None
        if part is not None and "idf_weights" in part and has_factors(layer):
            layer.set_vocabulary(layer.get_vocabulary(), guard.array(part, "idf_weights", f"{where}, {path}", limit))


def has_factors(layer: Any) -> bool:
    """Whether a layer looks tokens up and weighs each with a factor, which tf.keras counts among the weights.

    Args:
        layer: any layer.
    """
    return getattr(layer, "output_mode", None) == "tf_idf" and hasattr(layer, "set_vocabulary")


def restore_factors(layers: Sequence[Any], root: Any, where: str) -> None:
    """Give lookups in the mode 'tf_idf' the factors that an `.h5` of tf.keras has as the one weight of the layer.

    Args:
        layers: the layers of the model.
        root: the group that holds the weights.
        where: what to call the file in messages.
    """
    for layer in filter(has_factors, layers):
        held, place = guard.group(root, layer.name, where), f"{where}, {layer.name!r}"
        names = guard.texts(held, "weight_names", place) if held is not None else []
        tokens = layer.get_vocabulary() if layer.is_adapted else []
        if len(names) == 1 and tokens:
            factors = guard.array(held, names[0], place, 8 * len(tokens))
            layer.set_vocabulary(tokens, factors)
