"""Names of `tensorflow.python.keras.utils.tf_utils`, which layers of others import.

Source: TensorFlow 2.4 and 2.15, `keras/utils/tf_utils.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from keras_front import backend as K
from keras_front.nest import map_structure


def shape_type_conversion(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for methods that take and return shapes: they are given tuples and return tuples.

    Args:
        fn: the method.
    """

    @functools.wraps(fn)
    def wrapper(instance: Any, input_shape: Any) -> Any:
        return convert_shapes(fn(instance, convert_shapes(input_shape)))

    return wrapper


def convert_shapes(input_shape: Any, to_tuples: bool = True) -> Any:
    """A shape, or nested shapes, as tuples.

    Args:
        input_shape: a shape of anybody's, or a list, tuple or dictionary of shapes.
        to_tuples: not used.
    """
    if input_shape is None or isinstance(input_shape, int):
        return input_shape
    if isinstance(input_shape, dict):
        return {name: convert_shapes(shape) for name, shape in input_shape.items()}
    if hasattr(input_shape, "as_list"):
        return tuple(input_shape.as_list())
    parts = list(input_shape)
    return [convert_shapes(part) for part in parts] if _are_shapes(parts) else tuple(parts)


def _are_shapes(parts: list[Any]) -> bool:
    return bool(parts) and all(isinstance(part, list | tuple) or hasattr(part, "as_list") for part in parts)


def smart_cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None) -> Any:
    """What one of two functions returns.

    Args:
        pred: which: a truth value, or a tensor of one.
        true_fn: the function if it is true.
        false_fn: the function if it is false.
        name: not used.
    """
    if isinstance(pred, bool | int):
        return true_fn() if pred else false_fn()
    return K.switch(pred, true_fn, false_fn)


def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether something is a symbolic tensor.

    Args:
        tensor: anything.
    """
    return K.is_symbolic(tensor)


def constant_value(pred: Any) -> bool | None:
    """A truth value if it is known, else None.

    Args:
        pred: a truth value or a tensor of one.
    """
    return bool(pred) if isinstance(pred, bool | int) else None


def map_structure_with_atomic(is_atomic_fn: Callable[[Any], bool], map_fn: Callable[[Any], Any], nested: Any) -> Any:
    """A structure whose leaves are what a function makes of them.

    Args:
        is_atomic_fn: whether something is a leaf.
        map_fn: the function.
        nested: lists, tuples and dictionaries of leaves.
    """
    return map_fn(nested) if is_atomic_fn(nested) else map_structure(map_fn, nested)


def is_tf_random_generator_enabled() -> bool:
    """Whether noise comes from a generator with a state of its own: always."""
    return True


def enable_tf_random_generator() -> None:
    """Nothing: noise always comes from such a generator."""


disable_tf_random_generator = enable_tf_random_generator
