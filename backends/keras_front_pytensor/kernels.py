"""Functions of arrays as nodes of PyTensor's graph, for what PyTensor has no equal of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType
from pytensor.tensor.variable import TensorVariable

from keras_front import nest
from keras_front.backend.symbolic import SymbolicTensor


class Kernel(Op):
    """A function of arrays as an `Op` of PyTensor. No two are equal, so PyTensor never takes two calls for one.

    Args:
        name: what stands in printed graphs.
        compute: takes arrays nested as `args`, and gives one nested in any way for each of `outs`.
        args: for each argument a tensor, a list of them, or None.
        outs: the types of the results.
    """

    def __init__(self, name: str, compute: Callable[..., Any], args: Sequence[Any], outs: Sequence[TensorType]):
        self.name, self._compute, self._types = name, compute, outs
        self._nesting = nest.map_structure(lambda a: None if a is None else True, list(args))

    def make_node(self, *inputs: Variable) -> Apply:
        """The node for tensors, which stand one after the other, without Nones."""
        return Apply(self, list(inputs), [kind() for kind in self._types])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], output_storage: Sequence[list[Any]]) -> None:
        """Compute the results, each in memory of its own."""
        given = iter(inputs)
        results = flat(self._compute(*nest.map_structure(lambda there: there and next(given), self._nesting)))
        for place, kind, result in zip(output_storage, self._types, results, strict=True):
            shared = any(result is x for x in inputs)
            place[0] = np.array(result) if shared else np.asarray(result, kind.dtype)

    def __str__(self) -> str:
        return self.name


def kernel(name: str, compute: Callable[..., Any], args: Sequence[Any], outs: Sequence[TensorType]) -> list[Any]:
    """The variables that a function of arrays gives, one after the other.

    Args:
        name: what stands in printed graphs.
        compute: the function.
        args: its arguments: variables, lists of them, and Nones.
        outs: the types of its results.
    """
    return Kernel(name, compute, args, outs).make_node(*flat(args)).outputs


def cast(x: TensorVariable, dtype: str) -> TensorVariable:
    """A variable in another dtype. PyTensor's own cast goes element by element where no C is compiled.

    Args:
        x: a variable.
        dtype: the name of the dtype.
    """
    return kernel("cast", partial(np.asarray, dtype=dtype), [x], [TensorType(dtype, x.type.shape)])[0]


def flat(structure: Any) -> list[Any]:
    """The leaves of nested lists and tuples, without Nones.

    Args:
        structure: the nesting.
    """
    return [leaf for leaf in nest.flatten(structure) if leaf is not None]


def type_of(tensor: SymbolicTensor) -> TensorType:
    """PyTensor's type for a tensor of a program, whose dimensions are all known.

    Args:
        tensor: the tensor.
    """
    return TensorType(tensor.dtype, tuple(tensor.shape))
