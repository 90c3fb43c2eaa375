"""Programs in the format of torch.export (`.pt2`), which PyTorch and its compilers run without Keras."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

__all__ = ["export_program"]


class _Exported(torch.nn.Module):
    """A program as a module, with its weights and states as buffers."""

    def __init__(self, backend: Any, prediction: Any):
        super().__init__()
        self.run, self.count = prediction.straight_line(), len(prediction.weights)
        values = [*prediction.weights, *prediction.states]
        plain = [name.replace(".", "_").replace("/", "_") for name in prediction.weight_names]
        self.names = [f"{n}_{i}" if n in plain[:i] else n for i, n in enumerate(plain)]  # cells may share names
        for name, value in zip(self.names, values, strict=True):
            self.register_buffer(name, backend.asarray(value))

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        held = [getattr(self, name) for name in self.names]
        return tuple(self.run(held[: self.count], held[self.count :], list(inputs)))


def export_program(backend: Any, prediction: Any, path: str | os.PathLike[str]) -> None:
    """Write a program as `torch.export.save` does; `torch.export.load(path).module()(x)` gives a tuple of outputs.

    Args:
        backend: the adapter.
        prediction: a `keras_front.export.prediction.Prediction` for it.
        path: the file.
    """
    sizes = {None: 3}  # of the example, for what is open
    examples = tuple(
        torch.zeros([sizes.get(n, n) for n in given.shape], dtype=backend.asarray(np.zeros(1), given.dtype).dtype)
        for given in prediction.inputs
    )
    batch = torch.export.Dim("batch")
    shapes = tuple(
        {axis: batch if axis == 0 else torch.export.Dim.AUTO for axis, n in enumerate(given.shape) if n is None}
        for given in prediction.inputs
    )
    with torch.no_grad():
        program = torch.export.export(_Exported(backend, prediction), examples, dynamic_shapes=(shapes,))
    torch.export.save(program, os.fspath(path))
