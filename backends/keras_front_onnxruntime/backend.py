"""ONNX Runtime as a backend: programs that predict become sessions, all else is computed by NumPy.

ONNX Runtime computes whole graphs, not single ops, on NumPy arrays; so these are the tensors, and the NumPy adapter,
from which this one derives, computes what is called op by op. A program (of `predict`, `evaluate`, `K.function`) is
written as a model of ONNX by `keras_front.export.onnx`, with the size of the batch left open, and run by a session
(`session.py`). A program for which ONNX or ONNX Runtime lacks something is one of NumPy's, and so is every step that
trains: ONNX Runtime's kernels are made for predicting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnxruntime

from keras_front.backend.adapter import Backend
from keras_front.export.onnx import EMITTERS, keeps_whole
from keras_front_numpy.backend import NumpyBackend
from keras_front_numpy.executable import Executable
from keras_front_onnxruntime import contract, session


class Host(NumpyBackend):
    """The adapter for NumPy, as what runs the programs that no session runs.

    It counts how often a step has written over the memory of its state (`Arena.writes`), for sessions that hold copies.
    """

    name = "onnxruntime"

    def compile_program(self, program: Any) -> Callable[..., Any]:
        return Counted(program) if 0 in program.donate else Executable(program)


class Counted(Executable):
    """A program of NumPy's that notes when it writes over its state."""

    def __call__(self, *args: Any) -> Any:
        try:
            return super().__call__(*args)
        finally:
            if self.arena is not None:
                self.arena.writes += 1


class OnnxruntimeBackend(NumpyBackend):
    """K on ONNX Runtime; see the module."""

    name = "onnxruntime"
    compiles = any_batch = True
    expanded = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.host = Host()

    def version(self) -> str:
        return onnxruntime.__version__

    def overrides(self, name: str) -> bool:
        return name in EMITTERS

    def keeps(self, call: Any) -> bool:
        return call.op.name not in contract.COARSE and keeps_whole(call, session.OPSET)

    def adapter_for(self, donate: Sequence[int], refused: bool) -> Backend:
        return self.host if refused or 0 in donate else self

    def compile_program(self, program: Any) -> Callable[..., Any] | None:
        return session.compiled(program)

    def value_and_grad(self, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
        return self.host.value_and_grad(fn, params, *rest)
