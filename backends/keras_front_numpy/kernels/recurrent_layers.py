"""Which kernel computes which recurrent op, for programs and for single calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .convolutional_recurrent import ConvLSTM
from .recurrent import GRU, LSTM, SimpleRNN

LAYERS: dict[str, type[Any]] = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN}
RESULTS = {"lstm": 3, "conv_lstm": 3, "gru": 2, "simple_rnn": 2}


def layer_for(kind: str, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """A layer of this kind for arguments like these, of which only shapes and dtypes are looked at."""
    z, h = args[:2]
    dtype = np.dtype(z.dtype)
    if kind == "conv_lstm":
        return ConvLSTM(z.shape[0], h.shape, args[3].shape, dtype, **attrs)
    return LAYERS[kind](*z.shape[:2], h.shape[-1], dtype, **attrs)


def run(kind: str, args: Sequence[Any], attrs: dict[str, Any]) -> tuple[Any, list[np.ndarray]]:
    """A layer of this kind after `forward`, and its results."""
    z, *states = args[: RESULTS[kind]]
    layer = layer_for(kind, args, attrs)
    outs = [np.empty((len(z), *states[0].shape), z.dtype), *map(np.empty_like, states)]
    layer.forward(args, outs)
    return layer, outs


def methods(kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The adapter's functions for the op of whole sequences and for its gradient, of this kind of layer."""
    results = RESULTS[kind]

    def sequence(*args: Any, **attrs: Any) -> list[np.ndarray]:
        return run(kind, args, attrs)[1]

    def sequence_gradient(*args: Any, **attrs: Any) -> list[np.ndarray]:
        return gradient(kind, args[:results], args[results:], attrs)

    return sequence, sequence_gradient


def gradient(kind: str, gs: Sequence[Any], args: Sequence[Any], attrs: dict[str, Any]) -> list[np.ndarray]:
    """Gradients for the arguments before the mask, from those of the results."""
    outs = [np.empty(t.shape, t.dtype) for t in args[:-1] if t is not None]
    run(kind, args, attrs)[0].backward(gs, args, outs)
    return outs
