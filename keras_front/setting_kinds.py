"""What settings there are: the default of each, the values that it may have, and the names that it is read by.

`keras_front.config` holds their values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """A value, where it came from, and whether it was addressed to us (`given`) or found in a shared key."""

    value: Any
    source: str
    given: bool = True


class Kind(NamedTuple):
    """What a setting is: its default, the rule for its values, and the older names that it is known by."""

    default: Any
    accept: Callable[[Any], Any]  # the value in its canonical form; ValueError with what was expected
    environment: tuple[str, ...] = ()
    shared_keys: tuple[str, ...] = ()


def _one_of(*choices: str) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(repr(choice) for choice in choices))
        return str(value)

    return accept


def _positive_number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("a positive number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("a positive number") from None
    if not (number > 0 and math.isfinite(number)):
        raise ValueError("a positive number")
    return number


_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}  # Keras 1 named the layout after an engine


def data_format_named(value: Any) -> str:
    """A layout of images by its current name.

    Args:
        value: a name of any Keras.

    Raises: ValueError with what was expected.

    Example:
        >>> data_format_named("th")
        'channels_first'
    """
    old_name = _ORDERINGS.get(value, value) if isinstance(value, str) else value
    return _one_of("channels_last", "channels_first")(old_name)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise ValueError("a name, or null for the default")
    return value.strip() if value is not None else None


def _whole(value: Any, expected: str, below: float = math.inf) -> int:
    """An integer from 0 up to `below`, exclusive. Raises: ValueError with what was expected."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool | float) or not 0 <= number < below:
        raise ValueError(expected)
    return number


def _seed_or_none(value: Any) -> int | None:
    return None if value is None else _whole(value, "an integer from 0 to 2**63 - 1, or null", 2**63)


def _count(value: Any) -> int:
    """A count of which 0 means no bound, where the default is one."""
    return _whole(value, "an integer from 0 on, where 0 means no bound")


def _count_or_none(value: Any) -> int | None:
    return None if value is None else _whole(value, "an integer from 0 on, where 0 means no bound, or null") or None


_WORDS = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}


def _yes_or_no(value: Any) -> bool:
    found = value if isinstance(value, bool) else _WORDS.get(str(value).lower())
    if found is None:
        raise ValueError("true or false")
    return found


NATIVE = "keras_front"  # our own dialect
ENGINES_OF_KERAS_2 = ("tensorflow", "theano", "cntk")
GENERATIONS = ("keras1", "keras2.2", "keras2.3", "tf.keras", "keras3")


def _dialect(value: Any) -> str:
    return NATIVE if value == NATIVE else _one_of(*GENERATIONS)(value)


KINDS: dict[str, Kind] = {
    "backend": Kind("numpy", _text_or_none, ("KERAS_FRONT_BACKEND", "KERAS_BACKEND"), ("backend",)),
    "device": Kind(None, _text_or_none, ("KERAS_FRONT_DEVICE",)),
    "floatx": Kind("float32", _one_of("float16", "float32", "float64"), ("KERAS_FRONT_FLOATX",), ("floatx",)),
    "epsilon": Kind(1e-7, _positive_number, ("KERAS_FRONT_EPSILON",), ("epsilon",)),
    "image_data_format": Kind(
        "channels_last",
        data_format_named,
        ("KERAS_FRONT_IMAGE_DATA_FORMAT",),
        ("image_data_format", "image_dim_ordering"),
    ),
    "seed": Kind(None, _seed_or_none, ("KERAS_FRONT_SEED",)),
    "dialect": Kind(NATIVE, _dialect, ("KERAS_FRONT_DIALECT",)),
    "old_name_warnings": Kind(True, _yes_or_no, ("KERAS_FRONT_OLD_NAME_WARNINGS",)),
    "speak_as": Kind("backend", _one_of("backend", *ENGINES_OF_KERAS_2), ("KERAS_FRONT_SPEAK_AS",)),
    "max_epochs": Kind(None, _count_or_none, ("KERAS_MAX_EPOCHS",)),
    "max_steps_per_epoch": Kind(None, _count_or_none, ("KERAS_MAX_STEPS_PER_EPOCH",)),
    "max_model_bytes": Kind(None, _count_or_none, ("KERAS_FRONT_MAX_MODEL_BYTES",)),
    "max_model_layers": Kind(10_000, _count, ("KERAS_FRONT_MAX_MODEL_LAYERS",)),
    "traceback_filtering": Kind(True, _yes_or_no, ("KERAS_FRONT_TRACEBACK_FILTERING",)),
}
