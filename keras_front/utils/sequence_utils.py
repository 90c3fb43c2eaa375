"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any, Literal

import numpy as np

from keras_front.errors import ArgumentError, ShapeError
from keras_front.failures import explains_failures

__all__ = ["pad_sequences"]

Side = Literal["pre", "post"]


@explains_failures
def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: Side = "pre",
    truncating: Side = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as the rows of one array: long ones are cut, short ones are filled up.

    Args:
        sequences: lists or arrays; their steps may be arrays themselves, all of one shape.
        maxlen: the length of each row; None for that of the longest sequence.
        dtype: of the result; `object` for texts of different lengths.
        padding: where short sequences are filled up: before ('pre') or after ('post') their steps.
        truncating: which steps of long ones are left out: the first ('pre') or the last ('post').
        value: what fills the free places: a number, a text, or an array of the shape of a step.

    Shape: n sequences of any length and steps of shape (...) -> (n, maxlen, ...)
    Raises: ArgumentError if there is no length to go by, a sequence has none, or the dtype has no place for `value`;
        ShapeError if steps have different shapes.
    Source: Keras 2.3.1, `keras.preprocessing.sequence.pad_sequences`.
    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    lengths = [_length(sequence) for sequence in _sized(sequences)]
    maxlen = _row_length(lengths) if maxlen is None else maxlen
    if maxlen < 0:
        raise ArgumentError(f"pad_sequences: expected maxlen to be 0 or more, received {maxlen}.")
    steps = next((np.shape(s)[1:] for s, length in zip(sequences, lengths) if length), ())
    rows = _filled((len(lengths), maxlen, *steps), dtype, value)
    for number, (sequence, length) in enumerate(zip(sequences, lengths)):
        if not length:
            continue
        kept = np.asarray(_cut(sequence, length, maxlen, truncating), dtype=dtype)
        if kept.shape[1:] != steps and len(kept):
            raise ShapeError(
                f"pad_sequences: expected steps of shape {steps} as in the first sequence, received {kept.shape[1:]} "
                f"in sequence {number}."
            )
        rows[number, _place(len(kept), maxlen, padding)] = kept if len(kept) else rows[number, :0]
    return rows


def _sized(sequences: Any) -> Any:
    if isinstance(sequences, Sized):
        return sequences
    raise ArgumentError(
        f"pad_sequences: expected `sequences` to be a list of sequences, received {type(sequences).__name__}."
    )


def _length(sequence: Any) -> int:
    try:
        return len(sequence)
    except TypeError:
        raise ArgumentError(
            f"pad_sequences: expected `sequences` to be a list of sequences, received {sequence!r} in it."
        ) from None


def _row_length(lengths: list[int]) -> int:
    if not lengths:
        raise ArgumentError("pad_sequences: expected at least one sequence, or `maxlen`; received none of both.")
    return max(lengths)


def _filled(shape: tuple[int, ...], dtype: Any, value: Any) -> np.ndarray:
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ArgumentError(
            f"pad_sequences: `dtype` {kind} is not compatible with `value`'s type: {type(value)}; pass dtype=object "
            "for texts of different lengths."
        )
    return np.full(shape, value, dtype=dtype)


def _cut(sequence: Any, length: int, maxlen: int, truncating: str) -> Any:
    if truncating not in ("pre", "post"):
        raise ArgumentError(f"pad_sequences: expected truncating to be 'pre' or 'post', received {truncating!r}.")
    return sequence[max(0, length - maxlen) :] if truncating == "pre" else sequence[:maxlen]


def _place(length: int, maxlen: int, padding: str) -> slice:
    if padding not in ("pre", "post"):
        raise ArgumentError(f"pad_sequences: expected padding to be 'pre' or 'post', received {padding!r}.")
    return slice(maxlen - length, None) if padding == "pre" else slice(0, length)
