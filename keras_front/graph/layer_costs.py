"""What the layers of a model cost for one sample: operations, and memory.

Nothing is computed: the model is traced for the active backend, and what was recorded is counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from keras_front.backend import discovery, dtypes, scopes
from keras_front.backend.op_cost import operations
from keras_front.backend.symbolic import SymbolicTensor, leaves_of, placeholder
from keras_front.errors import KerasFrontError


class Operations(NamedTuple):
    """Operations of a forward pass for one sample.

    Attributes:
        total: of the model; None if that is unknown.
        layers: from layers, those of models within as well, to the number of each, in all its calls; None as above.
    """

    total: int | None
    layers: dict[Any, int | None]


def operations_of(model: Any) -> Operations:
    """Count the operations of a forward pass, see `op_cost`, for a batch of one.

    Args:
        model: a model whose inputs are known; of one without a graph nothing is.
    """
    try:
        return _counted(model)
    except KerasFrontError:  # what cannot be traced: strings, or code of the user's that branches on values
        return Operations(None, {})


def _counted(model: Any) -> Operations:
    if not getattr(model, "inputs", None):
        return Operations(None, {})
    traced: dict[SymbolicTensor, Any] = {}
    given = [placeholder((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
    with scopes.trace_scope(scopes.Trace(discovery.active())), scopes.phase(0):
        outputs, _ = model.run_with_masks(given if len(given) > 1 else given[0], training=False, tensors=traced)
    total = operations(leaves_of(outputs), given)
    layers: dict[Any, int | None] = {}
    _count_within(model, traced, layers)
    return Operations(total, layers)


def _count_within(model: Any, traced: dict[SymbolicTensor, Any], layers: dict[Any, int | None]) -> None:
    for node in model._graph.nodes if getattr(model, "_graph", None) is not None else ():
        found = _of_call(node, traced)
        before = layers.get(node.layer, 0)
        layers[node.layer] = None if found is None or before is None else before + found
        if hasattr(node.layer, "layers"):
            _count_within(node.layer, traced, layers)


def _of_call(node: Any, traced: dict[SymbolicTensor, Any]) -> int | None:
    results = [traced.get(tensor) for tensor in node.output_tensors]
    given = [traced.get(tensor) for tensor in node.needed_tensors]
    if not all(isinstance(tensor, SymbolicTensor) for tensor in [*results, *given]):
        return None
    return operations(results, given)  # type: ignore[arg-type]


# Memory -------------------------------------------------------------------------------------------------------


def bytes_of_weights(weights: Iterable[Any]) -> int:
    """How many bytes some weights have, each counted once.

    Args:
        weights: variables.
    """
    found = {id(weight): weight for weight in weights}.values()
    return sum(math.prod(weight.shape) * dtypes.item_bytes(weight.dtype) for weight in found)


def bytes_of_outputs(model: Any, layer: Any = None) -> int | None:
    """How many bytes the outputs of layers have for one sample; None where sizes are unknown.

    Args:
        model: the model; one without a graph has no known outputs.
        layer: a layer of it; None for all.
    """
    graph = getattr(model, "_graph", None)
    if graph is None:
        return None
    sizes = [
        _bytes(tensor) for node in graph.nodes if layer is None or node.layer is layer for tensor in node.output_tensors
    ]
    return None if None in sizes else sum(sizes)  # type: ignore[arg-type]


def _bytes(tensor: Any) -> int | None:
    shape = tuple(tensor.shape[1:])
    return None if None in shape else math.prod(shape) * dtypes.item_bytes(tensor.dtype)
