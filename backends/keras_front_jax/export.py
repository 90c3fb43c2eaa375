"""Programs as StableHLO, as jax.export writes them: JAX and other compilers run them without Keras."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

__all__ = ["export_program"]


def export_program(
    backend: Any, prediction: Any, path: str | os.PathLike[str], platforms: Sequence[str] | None = None
) -> None:
    """Write a program as `jax.export` does; `jax.export.deserialize(bytes).call(x)` gives the list of outputs.

    Args:
        backend: the adapter.
        prediction: a `keras_front.export.prediction.Prediction` for it.
        path: the file.
        platforms: what it is compiled for: 'cpu', 'cuda', 'tpu'. By default what JAX runs on now.
    """
    from jax import export  # takes time, and is seldom needed

    run = prediction.straight_line()
    weights, states = ([backend.asarray(a) for a in part] for part in (prediction.weights, prediction.states))
    scope = export.SymbolicScope()
    specs = [
        jax.ShapeDtypeStruct(_shape(export, place, given.shape, scope), backend.asarray(np.zeros(1), given.dtype).dtype)
        for place, given in enumerate(prediction.inputs)
    ]
    function = jax.jit(lambda *inputs: run(weights, states, list(inputs)))
    written = export.export(function, platforms=platforms)(*specs).serialize()
    with open(path, "wb") as stream:
        stream.write(written)


def _shape(export: Any, place: int, shape: Sequence[int | None], scope: Any) -> Any:
    """A shape with names for open sizes; all inputs have the same batch."""
    symbols = ["batch", *(f"size_{place}_{axis}" for axis in range(1, len(shape)))]
    names = [symbol if n is None else str(n) for symbol, n in zip(symbols, shape)]
    return export.symbolic_shape(f"({', '.join(names)},)" if names else "()", scope=scope)
