"""Wrong calls: each ends in one clear error, in the words of this library, whatever the engine.

An error is clear if it is of the family of `keras_front.errors` (or Python's own for a file that is not there, or for a
call that names no such argument), and if its message says what is wrong. The calls stand in `wrong_calls`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import alone
import wrong_calls

# Python's own words for a call that names no such argument, or leaves one out.
OF_THE_CALL = re.compile(r"unexpected keyword argument|missing \d+ required|takes .* positional argument")


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Every wrong call, and every odd one that has to work."""
    names = namespace(folder)
    for group, source, run, words in calls(names):
        yield f"wrong calls: {group}", source, functools.partial(check, run, words)
    for source in wrong_calls.ALLOWED:
        yield "odd calls that Keras took", source, functools.partial(quietly, lambda s=source: eval(s, dict(names)))


def namespace(folder: Path) -> dict[str, Any]:
    """The names that the calls use."""
    names: dict[str, Any] = {"folder": str(folder)}
    exec(wrong_calls.SETUP, names)
    return names


def calls(names: dict[str, Any]) -> Iterator[tuple[str, str, Callable[[], Any], str]]:
    """(group, source, function, words) of every wrong call."""
    for group, rows in wrong_calls.CALLS.items():
        for source, words in rows:
            yield group, source, lambda s=source: eval(s, dict(names)), words
    K = names["K"]
    symbols = {n: K.placeholder(shape=s) for n, s in wrong_calls.TENSORS.items()}
    for source, words in wrong_calls.OPS:
        if source.startswith("K."):  # operators and indices on values are the engine's own
            yield "ops on values", source, functools.partial(on_values, source, names), words
        if "+ 50" not in source:  # symbols have no values that could be out of range
            yield "ops on symbols", source, lambda s=source: eval(s, {**names, **symbols}), words
        compiled_clips = "+ 50" in source and os.environ["KERAS_FRONT_BACKEND"] == "jax"  # as the docs of K.gather say
        if re.search(r"\b[a-e]\b|img", source) and not compiled_clips:
            yield "ops in a program", source, functools.partial(in_a_program, source, names), words


def _used(source: str) -> dict[str, tuple[int, ...]]:
    return {n: s for n, s in wrong_calls.TENSORS.items() if re.search(rf"\b{n}\b", source)}


def on_values(source: str, names: dict[str, Any]) -> Any:
    """The op on tensors of the engine."""
    tensors = {n: names["K"].constant(np.ones(s, "float32")) for n, s in _used(source).items()}
    return eval(source, {**names, **tensors})


def in_a_program(source: str, names: dict[str, Any]) -> Any:
    """The op in a program: placeholders of unknown sizes, values afterwards."""
    K, shapes = names["K"], _used(source)
    tensors = {n: K.placeholder(shape=(None,) * len(s), name=n) for n, s in shapes.items()}
    outputs = eval(source, {**names, **tensors})
    return K.function(list(tensors.values()), [outputs])([np.ones(s, "float32") for s in shapes.values()])


def quietly(run: Callable[[], Any]) -> Any:
    """What a call gives, without its warnings and what it prints."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return run()


def check(run: Callable[[], Any], words: str) -> None:
    """Raise AssertionError unless a call ends in a clear error whose message, or note, has these words."""
    said = verdict(run, words)
    assert not said, said


def verdict(run: Callable[[], Any], words: str) -> str:
    """What a call did instead of ending in a clear error; '' if it did."""
    from keras_front.errors import KerasFrontError

    try:
        result = quietly(run)
    except (KerasFrontError, OSError) as error:
        said = "\n".join([str(error), *getattr(error, "__notes__", ())])
        return "" if re.search(words, said) else f"not named: {type(error).__name__}: {said[:200]}"
    except Exception as error:
        own = isinstance(error, TypeError) and OF_THE_CALL.search(str(error)) and re.search(words, str(error))
        return "" if own else f"raw: {type(error).__name__}: {str(error)[:200]}"
    return f"no error: {str(result)[:80]}"


if __name__ == "__main__":
    alone.run(trials)
