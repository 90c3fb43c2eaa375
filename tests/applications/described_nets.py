"""What a net is, in few bytes, and weights that any Keras can fill it with: for the recorder and for the tests.

Names that a layer made up for itself carry a number that depends on what was built before and on the Keras: here it
becomes the rank among the layers of its class.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from typing import Any

import numpy as np

NOISE = np.random.default_rng(9).standard_normal(65521).astype("float32")  # a prime number of them


def settled_names(layers: list[Any]) -> list[str]:
    """Names of the layers of a model, in order."""
    made_up: dict[str, list[int]] = defaultdict(list)
    parts = []
    for layer in layers:
        words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", type(layer).__name__)
        snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
        found = re.fullmatch(f"({re.escape(snake.removesuffix('_layer') if snake == 'input_layer' else snake)})"
                             r"(?:_(\d+))?", layer.name)  # fmt: skip
        number = int(found[2] or 0) if found else None
        parts.append((found[1] if found else layer.name, number))
        if number is not None:
            made_up[parts[-1][0]].append(number)
    ranks = {name: sorted(numbers) for name, numbers in made_up.items()}
    return [name if number is None else f"{name}#{ranks[name].index(number)}" for name, number in parts]


def described(model: Any) -> dict[str, Any]:
    """Name, number of layers and of parameters, and a hash of layers, output shapes and weights, all in order.

    Ops between layers are layers too, which tf_keras and Keras name differently: they count by what they do.
    """
    lines = []
    for name, layer in zip(settled_names(model.layers), model.layers, strict=True):
        weights = [(w.name.rpartition("/")[2].removesuffix(":0"), tuple(map(int, w.shape))) for w in layer.weights]
        shape = layer.output_shape[0] if isinstance(layer.output_shape, list) else layer.output_shape
        op = _op(layer)
        lines.append(f"{op} {tuple(shape)}" if op else f"{name} {type(layer).__name__} {tuple(shape)} {weights}")
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return {
        "name": model.name,
        "layers": len(model.layers),
        "params": int(model.count_params()),
        "trainable": trainable,
        "hash": digest,
    }


def weights_in_order(model: Any) -> dict[str, Any]:
    """Number of parameters, and a hash of the shapes of all weights, layer by layer."""
    shapes = [[tuple(map(int, w.shape)) for w in layer.weights] for layer in model.layers if layer.weights]
    return {"params": int(model.count_params()), "hash": hashlib.sha256(str(shapes).encode()).hexdigest()[:16]}


def _op(layer: Any) -> str | None:
    """'add' for the layer of an op that adds; None for other layers."""
    kinds = {"TFOpLambda": lambda: re.sub(r".*\.|_\d+$", "", layer.name), "OpLayer": lambda: layer.function}
    return kinds[type(layer).__name__]() if type(layer).__name__ in kinds else None


def seeded_weights(model: Any, gain: float = 1.0) -> list[np.ndarray]:
    """Values for the weights of a model, in order, under which signals keep their size from layer to layer.

    With a smaller gain each normalization makes them smaller. Deep nets of blocks that are added need it where a gate
    sees the sum: at a large sum it is 0 or 1 by chance, and roundings decide.
    """
    named = [(w.name.rpartition("/")[2], tuple(map(int, w.shape))) for w in model.weights]
    return [
        _values(i, name, shape) * (gain if name.startswith("gamma") else 1) for i, (name, shape) in enumerate(named)
    ]


def _values(place: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    noise = np.resize(np.roll(NOISE, 7919 * place), shape)
    if len(shape) > 1:
        inputs = np.prod(shape[:2] if "depthwise" in name else shape[:-1])
        return noise * np.float32(np.sqrt(2 / inputs))
    if name.startswith(("gamma", "variance", "moving_variance")):
        return 1 + np.float32(0.1) * np.abs(noise)
    return noise * np.float32(0.1)


def images(size: int, count: int = 2) -> np.ndarray:
    """Images of noise between -1 and 1."""
    return np.clip(np.resize(NOISE, (count, size, size, 3)), -1, 1)


def summarized(features: np.ndarray) -> list[float]:
    """Eight features of each image, and mean and deviation of all."""
    features = np.asarray(features, "float64")
    picked = features[:, :: max(1, features.shape[1] // 8)][:, :8]
    return [float(f"{x:.6g}") for x in (*picked.ravel(), features.mean(), features.std())]
