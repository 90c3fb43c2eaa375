"""PyTensor, the heir of Theano, as a backend: compiled functions are PyTensor's, over NumPy's arrays.

PyTensor has no tensors with values of its own: its functions take and give arrays. So single ops are the NumPy
adapter's, and each program becomes a graph (`graph`) that PyTensor makes a function of. Gradients, noise and training
come from the tracing defaults, so that a graph has what the program has and nothing more.

The functions are interpreted node by node. That takes a hundredth of the time to begin with that PyTensor's compilers
to C and by Numba take, wants neither a C compiler nor a folder for its files, and runs nearly as fast, since the time
goes into kernels (decision 0030).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor
from pytensor.compile import In, Out
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.mode import Mode

from keras_front.errors import KerasFrontError
from keras_front_numpy.backend import NumpyBackend

from .graph import results_of
from .kernels import type_of

_MODE = Mode(linker="py", optimizer=None)  # programs are simplified when they come here
_lock = threading.Lock()  # PyTensor makes one function at a time


class PytensorBackend(NumpyBackend):
    """K on PyTensor; see the module."""

    name = "pytensor"

    def version(self) -> str:
        return pytensor.__version__

    def compile_program(self, program: Any) -> Callable[..., Any]:
        return program.called_flat(CompiledFunction(program))


class CompiledFunction:
    """A program as PyTensor's function of one flat list of arrays.

    Args:
        program: the program.
    """

    def __init__(self, program: Any):
        self._lock = threading.Lock()  # a function of PyTensor holds the values while it runs
        arguments = [type_of(t)() for t in program.leaves()]
        with _lock:
            results = results_of(program, arguments, _MODE)
            maker = FunctionMaker(list(map(In, arguments)), list(map(Out, results)), _MODE, on_unused_input="ignore")
            self._function = maker.create()  # `pytensor.function` would copy the graph first, by recursion
        self._function.trust_input = True

    def __call__(self, *args: Any) -> list[np.ndarray]:
        """The results, one after the other."""
        arrays = map(np.asarray, args)  # numbers of NumPy are no arrays to PyTensor
        try:
            with self._lock, np.errstate(all="ignore"):
                results = self._function(*arrays)
        except KerasFrontError as error:
            vars(error).pop("__notes__", None)  # PyTensor's, of how to hear more about a node of its graph
            raise
        return [y if y.flags.writeable else np.array(y) for y in results]  # what was only broadcast has no memory
