"""Calls every row of `wrong_calls` on one backend after another, and says which do not end in one clear error.

    python tests/robustness/bad_input.py numpy torch

An error is clear if it is of the family of `keras_front.errors` and its message names what is wrong.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import wrong_calls

# Python's own words for a call that names no such argument, or leaves one out.
_OF_THE_CALL = re.compile(r"unexpected keyword argument|missing \d+ required|takes .* positional argument")


def verdict(run: Any, words: str) -> str:
    """'' for a clear error, else what happened instead."""
    from keras_front.errors import KerasFrontError

    try:
        result = run()
    except KerasFrontError as error:
        return "" if re.search(words, str(error)) else f"UNNAMED {type(error).__name__}: {str(error)[:150]!r}"
    except TypeError as error:
        if _OF_THE_CALL.search(str(error)) and re.search(words, str(error)):
            return ""
        return f"RAW TypeError: {str(error)[:150]!r}"
    except Exception as error:
        return f"RAW {type(error).__name__}: {str(error)[:150]!r}"
    return f"NO ERROR: {str(result)[:60]!r}"


def _late(source: str, names: dict[str, Any]) -> Any:
    """The op in a program: placeholders of unknown sizes, values afterwards."""
    import numpy as np

    K = names["K"]
    shapes = {n: s for n, s in wrong_calls.TENSORS.items() if re.search(rf"\b{n}\b", source)}
    tensors = {n: K.placeholder(shape=(None,) * len(s), name=n) for n, s in shapes.items()}
    outputs = eval(source, {**names, **tensors})
    return K.function(list(tensors.values()), [outputs])([np.ones(s, "float32") for s in shapes.values()])


def calls() -> Iterator[tuple[str, str, Any, str]]:
    """(group, source, function, words) of every call, for the backend that is active."""
    names: dict[str, Any] = {}
    exec(wrong_calls.SETUP, names)
    K, np = names["K"], names["np"]
    for group, rows in wrong_calls.CALLS.items():
        for source, words in rows:
            yield group, source, lambda source=source: eval(source, dict(names)), words
    values = {n: K.constant(np.ones(s, "float32")) for n, s in wrong_calls.TENSORS.items()}
    symbols = {n: K.placeholder(shape=s) for n, s in wrong_calls.TENSORS.items()}
    for source, words in wrong_calls.OPS:
        if source.startswith("K."):  # operators and indices on values are the engine's own
            yield "values", source, lambda source=source: eval(source, {**names, **values}), words
        yield "symbols", source, lambda source=source: eval(source, {**names, **symbols}), words
        if re.search(r"\b[a-e]\b|img", source):
            yield "program", source, lambda source=source: _late(source, names), words


def main() -> int:
    import keras_front

    faults = 0
    only = os.environ.get("ONLY", "")
    for backend in sys.argv[1:] or ["numpy"]:
        keras_front.set_backend(backend)
        found = asked = 0
        for group, source, run, words in calls():
            if only and not re.search(only, group + " " + source):
                continue
            asked += 1
            signal.alarm(120)
            with warnings.catch_warnings(), contextlib.redirect_stdout(open(os.devnull, "w")):
                warnings.simplefilter("ignore")
                said = verdict(run, words)
            signal.alarm(0)
            if said:
                found += 1
                print(f"{backend:10} {group}: {source}\n    {said}", flush=True)
        faults += found
        print(f"{backend}: {asked - found} of {asked} wrong calls end in one clear error", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
