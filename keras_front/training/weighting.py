"""Weights of samples: from what the user gives to one array for each output.

Sample weights and class weights become one array for each output, or None where nothing is weighted, so
that an unweighted output costs nothing in a step. All of it happens on the host, before training.

Source: Keras 2.3.1, `keras/engine/training_utils.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError, ShapeError

Weights = list[np.ndarray | None]


def per_output(value: Any, names: Sequence[str], what: str, arrays: bool = False) -> list[Any]:
    """What each output gets of an argument that is one thing, a list or a dict by output names.

    With `arrays` a list of numbers is one thing: an array written out.
    Raises: ArgumentError for an unknown name or a wrong number of elements.
    """
    if value is None or (isinstance(value, list | tuple | dict) and not value):
        return [None] * len(names)
    if isinstance(value, Mapping) and (len(names) > 1 or set(value) <= set(names)):
        return _by_name(value, names, what)
    if isinstance(value, list | tuple) and not (arrays and _is_vector(value)):
        if len(value) != len(names):
            raise ArgumentError(
                f"{what}: expected {len(names)} elements, one for each of the outputs {list(names)}, "
                f"received {len(value)}."
            )
        return list(value)
    if len(names) == 1:
        return [value]
    raise ArgumentError(
        f"{what}: the model has {len(names)} outputs, so expected a list of {len(names)} or a dict by the "
        f"names {list(names)}, received {type(value).__name__}."
    )


def _by_name(value: Mapping[Any, Any], names: Sequence[str], what: str) -> list[Any]:
    unknown = [key for key in value if key not in names]
    if unknown:
        raise ArgumentError(f"{what}: expected the output names {list(names)} as keys, received also {unknown}.")
    return [value.get(name) for name in names]


def _is_vector(value: Sequence[Any]) -> bool:
    """Whether a list is one array written out, not a list of arrays."""
    return isinstance(value[0], int | float | np.number)


def modes(sample_weight_mode: Any, names: Sequence[str]) -> list[str | None]:
    """'temporal' or None for each output.

    Raises: ArgumentError for another mode.
    """
    shared = sample_weight_mode is None or isinstance(sample_weight_mode, str)
    found = [sample_weight_mode] * len(names) if shared else None
    found = found or per_output(sample_weight_mode, names, "sample_weight_mode")
    wrong = [mode for mode in found if mode not in (None, "samplewise", "temporal")]
    if wrong:
        raise ArgumentError(f"sample_weight_mode: expected 'temporal' or None, received {wrong[0]!r}.")
    return [mode if mode == "temporal" else None for mode in found]


def class_weights(value: Any, names: Sequence[str]) -> list[Any]:
    """The class weights of each output: dicts from class to weight, or None."""
    if isinstance(value, Mapping) and value and not any(isinstance(v, Mapping) for v in value.values()):
        if len(names) > 1 and not set(value) <= set(names):
            raise ArgumentError(
                f"class_weight: the model has {len(names)} outputs, so expected a dict by the names "
                f"{list(names)} with a dict of class weights for each, received one for all."
            )
        return [value]
    return per_output(value, names, "class_weight")


def sample_weights(
    targets: Sequence[np.ndarray | None],
    sample_weight: Any,
    class_weight: Any,
    names: Sequence[str],
    weight_modes: Sequence[str | None],
) -> Weights:
    """One array of weights for each output, or None.

    Shape: (n,) for each output, (n, steps) where the mode is 'temporal'.
    Raises: ShapeError, ArgumentError if weights do not fit the targets.
    """
    if sample_weight is None and class_weight is None:
        return [None] * len(names)
    by_sample = per_output(sample_weight, names, "sample_weight", arrays=True)
    by_class = class_weights(class_weight, names)
    rows = zip(targets, by_sample, by_class, names, weight_modes, strict=True)
    return [None if y is None else _combined(y, s, c, name, mode) for y, s, c, name, mode in rows]


def _combined(y: np.ndarray, sample: Any, classes: Any, name: str, mode: str | None) -> np.ndarray | None:
    dtype = config.floatx()
    if sample is not None:
        sample = _checked(np.asarray(sample, dtype), y, name, mode)
    if classes is None:
        return sample
    of_class = of_classes(y, classes, name, mode).astype(dtype)
    return of_class if sample is None else sample * of_class


def _checked(weight: np.ndarray, y: np.ndarray, name: str, mode: str | None) -> np.ndarray:
    if mode == "temporal":
        if y.ndim < 3:
            raise ShapeError(
                f"sample_weight of output {name!r}: temporal weights need targets of at least 3 axes "
                f"(n, steps, ...), received targets of shape {y.shape}. "
                'Compile without sample_weight_mode="temporal" for one weight a sample.'
            )
        if weight.ndim != 2:
            raise ShapeError(
                f"sample_weight of output {name!r}: expected the shape {y.shape[:2]} (n, steps) for "
                f'sample_weight_mode="temporal", received {weight.shape}.'
            )
    elif weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    elif weight.ndim != 1:
        raise ShapeError(
            f"sample_weight of output {name!r}: expected one weight a sample, of shape ({len(y)},), received "
            f'{weight.shape}. For a weight each time step compile with sample_weight_mode="temporal".'
        )
    if weight.shape != y.shape[: weight.ndim]:
        raise ShapeError(
            f"sample_weight of output {name!r}: expected the shape {y.shape[: weight.ndim]} of its targets, "
            f"received {weight.shape}."
        )
    return weight


def of_classes(y: np.ndarray, classes: Mapping[Any, float], name: str, mode: str | None = None) -> np.ndarray:
    """The weight of each sample's class.

    Shape: `y` (n,), (n, 1) with class numbers or (n, classes) one-hot; the result (n,).
    Raises: ArgumentError if a class has no weight or `classes` is not a dict; ShapeError for other targets.
    """
    if not isinstance(classes, Mapping):
        raise ArgumentError(
            f"class_weight of output {name!r}: expected a dict from class number to weight, "
            f"received {type(classes).__name__}."
        )
    if y.ndim > 2 or mode == "temporal":
        raise ShapeError(
            f"class_weight of output {name!r}: expected targets of shape (n, classes) or (n, 1), received "
            f"{y.shape}. Compute a sample_weight from your classes instead."
        )
    numbers = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    present, places = np.unique(numbers, return_inverse=True)
    missing = [c.item() for c in present if c not in classes]
    if missing:
        raise ArgumentError(
            f"class_weight of output {name!r}: expected a weight for every class in the data, there is none "
            f"for {missing}. The dict has {sorted(classes)}."
        )
    return np.array([classes[c] for c in present.tolist()])[places.reshape(-1)]
