"""Arguments of an older Keras under their current names, by the tables in `arguments.py`, with a warning.

What comes from a file is translated without a warning.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError, DtypeError

from .arguments import DROPPED, JOINED, OWN, RENAMED, SIGNATURES, VALUES

__all__ = [
    "ClassChoice", "OldNameWarning", "as_config", "forget", "means_otherwise", "renamed", "rows_and_columns",
    "signature", "sized", "translate", "translate_positional",
]  # fmt: skip

Arguments = dict[str, Any]
PACKAGE = str(Path(__file__).parent.parent)


class OldNameWarning(UserWarning):
    """A call with names of an older Keras, which was translated. Shown once for each place in the code.

    `warnings.simplefilter("ignore", OldNameWarning)` silences it.
    """


# Names and values ------------------------------------------------------------------------------------


def signature(owners: Sequence[str]) -> list[str]:
    """The former arguments of the first of these that has any, in their order.

    Args:
        owners: names of the class and its bases, or of the function.
    """
    return next((SIGNATURES[name].split() for name in owners if name in SIGNATURES), [])


def translate(
    owners: Sequence[str],
    old: list[str],
    args: tuple[Any, ...],
    kwargs: Arguments,
    target: Any,
    others: bool = False,
) -> Arguments:
    """All arguments by today's names; warns once for each place in the code.

    Args:
        owners: names of the class and its bases, or of the function.
        old: the former names in the order of positional arguments.
        args: arguments without names.
        kwargs: arguments with names.
        target: the object under construction, or the function.
        others: whether the call has further arguments, for which the warning has dots.
    """
    if len(args) > len(old):
        raise DtypeError(f"{owners[0]}: expected at most {len(old)} arguments, received {len(args)}.")
    given = dict(zip(old, args, strict=False))
    twice = sorted(set(given) & set(kwargs))
    if twice:
        raise DtypeError(f"{owners[0]}: expected one value for {twice[0]!r}, received two.")
    current = renamed(owners, given | kwargs, target)
    name = getattr(target, "__name__", type(target).__name__)
    gone = [old_name for old_name in kwargs if old_name not in current]
    _warn(owners[-1] if name == "__init__" else name, current, others, gone)
    return current


def translate_positional(owner: str, args: tuple[Any, ...], kwargs: Arguments, target: Any) -> Arguments:
    """Arguments of a former class, whose order was another one.

    Args:
        owner: the class or function.
        args: arguments without names.
        kwargs: arguments with names.
        target: the object under construction, or the function.
    """
    return translate((owner,), SIGNATURES[owner].split(), args, kwargs, target)


def rows_and_columns(args: Sequence[Any]) -> bool:
    """Whether two whole numbers come after the first.

    Args:
        args: arguments without names.
    """
    return len(args) > 2 and all(isinstance(n, int) for n in args[1:3])


def means_otherwise(owner: str, names: Sequence[str], args: Sequence[Any], kwargs: Arguments) -> bool:
    """Whether arguments meant something else in Keras 1: others by their order, numbers of samples, padding by names.

    Args:
        owner: the class whose constructor is called, or the function.
        names: its arguments of today, in their order.
        args: what was given without names.
        kwargs: what was given by names.
    """
    old = signature([owner])[: len(args)]
    if not (old or kwargs) or len(old) < len(args):
        return False
    own = OWN.get(owner, {})
    today = [own.get(name, RENAMED.get(name, name)) for name in old]
    return today != list(names[: len(args)]) or not _OTHERWISE.get(owner, set()).isdisjoint({*old, *kwargs})


def renamed(owners: Sequence[str], given: Arguments, target: Any) -> Arguments:
    """Arguments by today's names, with today's values.

    Args:
        owners: names of the class and its bases, or of the function.
        given: arguments by the names that they were given under; changed.
        target: the object under construction, the function, or a `ClassChoice`.

    Raises: ArgumentError for an argument that means nothing today and changed something then; DtypeError (a TypeError)
        if one is given under two names.
    """
    for name in owners:
        if name in PREPARE:
            PREPARE[name](given, target)
    _join(given)
    owner = next((name for name in owners if name in SIGNATURES), owners[0])
    _drop(owner, given)
    own = next((OWN[name] for name in owners if name in OWN), {})
    old, result = set(signature(owners)), {}
    for name, value in given.items():
        current = own.get(name, RENAMED.get(name, name)) if name in old else name
        if current in result:
            raise DtypeError(f"{owners[0]}: expected {current!r} once, received it under its older name as well.")
        result[current] = _value(current, value)
    return result


def _join(given: Arguments) -> None:
    """Sizes along each axis become one `kernel_size`; a tuple in the place of the first is one already."""
    for first, parts in JOINED.items():
        if first not in given:
            continue
        if isinstance(given[first], Sequence | np.ndarray):  # a call of today, perhaps with strides in the third place
            changed = {first: ("kernel_size", given[first]), parts[1]: ("subsample", given.get(parts[1]))}
        else:
            sizes = tuple(given[part] for part in parts if part in given)
            changed = {first: ("kernel_size", sizes if len(sizes) == len(parts) else sizes[0])}
            changed |= dict.fromkeys(parts[1:], ("", None))
        items = [changed.get(name, (name, value)) for name, value in given.items()]
        given.clear()
        given.update((name, value) for name, value in items if name)


def _drop(owner: str, given: Arguments) -> None:
    for name, (neutral, remedy) in DROPPED.get(owner, {}).items():
        value = given.pop(name, None)
        if neutral is not None and value not in neutral:
            raise ArgumentError(f"{owner}: expected no {name}, received {name}={value!r}; {remedy}.")


def _value(name: str, value: Any) -> Any:
    spellings = VALUES.get(name, {})
    return spellings.get(value, value) if isinstance(value, str) else value


# Layers of Keras 1 wrote `W_regularizer.get_config()`, which said the class; what today's says tells it, too.
_BY_ARGUMENTS = {
    "regularizer": {("l1", "l2"): "L1L2"},
    "constraint": {
        (): "NonNeg",
        ("axis",): "UnitNorm",
        ("axis", "max_value"): "MaxNorm",
        ("axis", "max_value", "min_value", "rate"): "MinMaxNorm",
    },
}


def as_config(value: Any, kind: str = "") -> Any:
    """A regularizer or constraint as Keras 1 wrote it, its class among its arguments, as a config of today.

    Args:
        value: an argument as a file of Keras 1 has it, or what `get_config` of a regularizer or constraint returned.
        kind: 'regularizer' or 'constraint', so that arguments alone tell the class.
    """
    if not isinstance(value, Mapping) or "class_name" in value:
        return value
    name = value.get("name") or _BY_ARGUMENTS.get(kind, {}).get(tuple(sorted(map(str, value))))
    if not isinstance(name, str):
        return value
    return {"class_name": name, "config": {k: v for k, v in value.items() if k != "name"}}


# What takes more than a table ------------------------------------------------------------------------


class ClassChoice:
    """Stands for an object that a config will make, so that its class can be chosen.

    Args:
        kind: the class that the config names.
    """

    def __init__(self, kind: Any):
        self.kind = kind

    def choose(self, kind: Any) -> None:
        """Make another class of the config.

        Args:
            kind: the class that the arguments mean.
        """
        self.kind = kind


def _normalization_mode(given: Arguments, target: Any) -> None:
    """Modes 1 and 2 became classes of their own."""
    from .normalization import normalization

    kind = normalization(given.get("mode", 0), given.get("axis", -1))
    if given.get("mode") and isinstance(target, ClassChoice):
        target.choose(kind)
    elif given.get("mode"):
        target.__class__ = kind


def _dropped_words(given: Arguments, target: Any) -> None:
    """Dropout of whole words is in a class of its own."""
    from .embedding import EmbeddingWithDropout

    rate = given.get("dropout")
    if isinstance(target, ClassChoice) and rate:
        target.choose(EmbeddingWithDropout)
    elif not isinstance(target, ClassChoice) and "dropout" in given:
        given.pop("dropout")
        if rate:
            target.__class__ = EmbeddingWithDropout
            target.__dict__["dropout"] = float(rate)
    elif not rate:
        given.pop("dropout", None)


def _bias_of_gates(given: Arguments, target: Any) -> None:
    value = given.get("forget_bias_init", "one")
    if value not in VALUES["unit_forget_bias"]:
        raise ArgumentError(
            f"LSTM: expected forget_bias_init to be 'one' or 'zero', received {value!r}; "
            "for other values pass unit_forget_bias=False and bias_initializer."
        )


def _steps(source: str, *counts: str) -> Callable[[Arguments, Any], None]:
    """Numbers of samples become numbers of batches, whose size the generator knows or its first batch shows."""

    def prepare(given: Arguments, target: Any) -> None:
        for name in counts:
            if given.get(name) is not None and given.get(source) is not None:
                given[source], size = sized(given[source])
                given[name] = -(-int(given[name]) // size)

    return prepare


def sized(generator: Any) -> tuple[Any, int]:
    """A generator and the size of its batches; what was looked at is put back in front.

    Args:
        generator: a generator, iterator or `Sequence` of batches.
    """
    size = getattr(generator, "batch_size", None)
    if size is not None:
        return generator, int(size)
    if hasattr(generator, "__getitem__"):
        return generator, _length(generator[0])
    iterator = iter(generator)
    first = next(iterator)
    return itertools.chain([first], iterator), _length(first)


def _length(batch: Any) -> int:
    x = batch[0] if isinstance(batch, tuple) else batch
    while isinstance(x, list | tuple | dict):
        x = next(iter(x.values())) if isinstance(x, dict) else x[0]
    return max(len(x), 1)


def _both_ends(given: Arguments, target: Any) -> None:
    """Padding of rows and columns by four names or numbers, as Keras 1 allowed it."""
    sides = given.get("padding")
    if isinstance(sides, dict):
        sides = [sides.get(f"{side}_pad", 0) for side in ("top", "bottom", "left", "right")]
    if isinstance(sides, list | tuple) and len(sides) == 4:
        top, bottom, left, right = sides
        given["padding"] = ((top, bottom), (left, right))


def _amounts(given: Arguments, target: Any) -> None:
    """Keras 1 padded both ends of an axis alike."""
    if isinstance(given.get("padding"), list | tuple):
        given["padding"] = tuple((n, n) if isinstance(n, int) else n for n in given["padding"])


def _separate(given: Arguments, target: Any) -> None:
    """One initializer was for both kernels."""
    if "init" in given:
        given["depthwise_initializer"] = given["pointwise_initializer"] = given.pop("init")


# Arguments whose values meant something else, by class or method.
_OTHERWISE = {
    "ZeroPadding2D": {"padding"},
    "fit_generator": {"samples_per_epoch"},
    "evaluate_generator": {"val_samples"},
    "predict_generator": {"val_samples"},
}

PREPARE: dict[str, Callable[[Arguments, Any], None]] = {
    "BatchNormalization": _normalization_mode,
    "ConvLSTM2D": _bias_of_gates,
    "Embedding": _dropped_words,
    "LSTM": _bias_of_gates,
    "SeparableConv2D": _separate,
    "ZeroPadding2D": _both_ends,
    "spatial_2d_padding": _amounts,
    "spatial_3d_padding": _amounts,
    "evaluate_generator": _steps("generator", "val_samples"),
    "predict_generator": _steps("generator", "val_samples"),
}


def _fit_generator(given: Arguments, target: Any) -> None:
    _steps("generator", "samples_per_epoch")(given, target)
    if not isinstance(given.get("validation_data"), list | tuple):
        _steps("validation_data", "nb_val_samples")(given, target)
    else:
        given.pop("nb_val_samples", None)  # arrays are evaluated whole


PREPARE["fit_generator"] = _fit_generator


# Warning ---------------------------------------------------------------------------------------------

_PLACES: set[tuple[str, int, str]] = set()


def forget() -> None:
    """Warn again where there was a warning already."""
    _PLACES.clear()


def _warn(name: str, current: Arguments, others: bool, gone: Sequence[str]) -> None:
    """Say how the call reads today, at the line of the user's code, once, unless nobody wants to be told."""
    if not config.setting("old_name_warnings").value:
        return
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    place = frame.f_code.co_filename, frame.f_lineno, name
    if place in _PLACES:
        return
    text = ", ".join(f"{key}={_shown(value)}" for key, value in current.items() if key != "self")
    text = f"..., {text}" if others else text
    told = "; ".join(f"`{old_name}` argument is deprecated" for old_name in gone)
    message = f"This call has names of an older Keras. Today it reads: {name}({text})" + (f"  # {told}" if told else "")
    warnings.warn_explicit(message, OldNameWarning, place[0], place[1], frame.f_globals.get("__name__", "?"))
    _PLACES.add(place)


def _shown(value: Any) -> str:
    name = getattr(value, "__name__", None)
    text = name if isinstance(name, str) else repr(value)
    return text if len(text) <= 60 and "<" not in text else "..."
