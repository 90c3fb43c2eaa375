"""Emitters of recurrent layers and loops. Gates stand in ONNX in the orders i o f c (LSTM) and z r h (GRU).

ONNX knows sequences of different lengths, not masks. A mask comes to the same when the steps that it keeps are brought
to the front: the operator runs over those alone, and each step of the result is looked up among theirs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keras_front.export.onnx.arrangement import reversed_along
from keras_front.export.onnx.elementwise import truth
from keras_front.export.onnx.emitter import emits

_ACTIVATIONS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "hard_sigmoid": "HardSigmoid", "relu": "Relu", "linear": "Affine"}


def _is_single(call: Any) -> bool:
    """Whether a call is of float32 and has samples; without any, operators of ONNX Runtime end the process."""
    return call.args[0].dtype == "float32" and 0 not in call.args[0].shape


class Steps(NamedTuple):
    """The inputs of a recurrent operator, time first.

    Attributes:
        x: the steps in the order in which they run, those that a mask keeps first.
        lengths: how many a mask keeps, for each sample; None without one.
        places: for each step the kept one whose result it has, (time, batch, 1).
        begun: where a step has been kept already, (time, batch, 1).
    """

    x: str
    lengths: str | None = None
    places: str | None = None
    begun: str | None = None


def _steps(graph: Any, call: Any, x: str, mask: str | None, reverse: bool) -> Steps:
    tensor, marks = call.args[0], call.args[-1]
    x = graph.transpose(x, [1, 0, 2])
    x = reversed_along(graph, x, 0) if reverse else x
    if mask is None:
        return Steps(x)
    kept = graph.cast(graph.transpose(truth(graph, marks, mask), [1, 0]), "int32")
    kept = reversed_along(graph, kept, 0) if reverse else kept
    time = graph.sizes(tensor)[1]
    order = graph.node("TopK", [kept, graph.vector([time])], outputs=2, axis=0, largest=1, sorted=1)[1]
    order = graph.node("Expand", [graph.unsqueeze(order, 2), graph.node("Shape", [x])])
    so_far = graph.node("CumSum", [kept, graph.const(0, "int64")])
    zero = graph.const(0, "int32")
    last = graph.node("Max", [graph.node("Sub", [so_far, graph.const(1, "int32")]), zero])
    return Steps(
        graph.node("GatherElements", [x, order], axis=0),
        graph.node("ReduceSum", [kept, graph.const([0], "int64")], keepdims=0),
        graph.unsqueeze(graph.cast(last, "int64"), 2),
        graph.unsqueeze(graph.node("Greater", [so_far, zero]), 2),
    )


def _outputs(graph: Any, steps: Steps, y: str) -> str:
    """What an operator gave for the steps, (time, 1, batch, units), batch first and with masked steps filled in."""
    y = graph.squeeze(y, 1)
    if steps.places is not None:
        places = graph.node("Expand", [steps.places, graph.node("Shape", [y])])
        y = graph.node("GatherElements", [y, places], axis=0)
        y = graph.node("Where", [steps.begun, y, graph.const(0, "float32")])
    return graph.transpose(y, [1, 0, 2])


def _final(graph: Any, steps: Steps, last: str, first: str) -> str:
    """The last state, (1, batch, units), of samples that have steps; that of the others is the first."""
    last = graph.squeeze(last, 0)
    if steps.lengths is None:
        return last
    some = graph.unsqueeze(graph.node("Greater", [steps.lengths, graph.const(0, "int32")]), 1)
    return graph.node("Where", [some, last, first])


def _units(graph: Any, call: Any, recurrent_kernel: Any) -> int:
    units = recurrent_kernel.shape[0]
    if units is None:
        graph.unknown(call.op, recurrent_kernel)
    return units


def _gates(graph: Any, weights: str, order: list[int], units: int, axis: int) -> list[str]:
    parts = graph.split(weights, len(order), axis, units)
    return [parts[i] for i in order]


def _weights(graph: Any, kernel: str, order: list[int], units: int) -> str:
    """A kernel (n, gates * units) as (1, gates * units, n), with its gates in another order."""
    rows = graph.transpose(kernel, [1, 0])
    if order != list(range(len(order))):
        rows = graph.node("Concat", _gates(graph, rows, order, units, 0), axis=0)
    return graph.unsqueeze(rows, 0)


def _bias(graph: Any, bias: str | None, tensor: Any, order: list[int], units: int) -> str | None:
    """The biases of inputs and of the state in one row, (1, 2 * gates * units)."""
    if bias is None:
        return None
    if len(tensor.shape) == 2:
        of_inputs, of_state = (graph.squeeze(part, 0) for part in graph.split(bias, 2, 0, 1))
    else:
        of_inputs, of_state = bias, graph.like(tensor, np.zeros(len(order) * units))
    parts = [*_gates(graph, of_inputs, order, units, 0), *_gates(graph, of_state, order, units, 0)]
    return graph.unsqueeze(graph.node("Concat", parts, axis=0), 0)


def _activations(*names: str) -> dict[str, Any]:
    """Activations as attributes. Those of Keras 2 have ONNX's default slopes, only 'linear' must be told its own."""
    kinds = [_ACTIVATIONS[name] for name in names]
    if "Affine" not in kinds:
        return {"activations": kinds}
    slopes = {"Affine": (1.0, 0.0), "HardSigmoid": (0.2, 0.5)}
    told = [slopes[kind] for kind in kinds if kind in slopes]
    return {"activations": kinds, "activation_alpha": [a for a, _ in told], "activation_beta": [b for _, b in told]}


@emits("lstm", keeps=_is_single)
def lstm(
    graph: Any, call: Any, x: str, h: str, c: str, kernel: str, recurrent: str, bias: Any, mask: Any, *,
    activation: str, recurrent_activation: str, reverse: bool,
) -> list[str]:  # fmt: skip
    units, order = _units(graph, call, call.args[4]), [0, 3, 1, 2]
    steps = _steps(graph, call, x, mask, reverse)
    weights = [_weights(graph, w, order, units) for w in (kernel, recurrent)]
    biases = _bias(graph, bias, call.args[5], order, units)
    states = [graph.unsqueeze(s, 0) for s in (h, c)]
    y, last_h, last_c = graph.node(
        "LSTM", [steps.x, *weights, biases, steps.lengths, *states], outputs=3, hidden_size=units,
        **_activations(recurrent_activation, activation, activation),
    )  # fmt: skip
    return [_outputs(graph, steps, y), _final(graph, steps, last_h, h), _final(graph, steps, last_c, c)]


@emits("gru", keeps=_is_single)
def gru(
    graph: Any, call: Any, x: str, h: str, kernel: str, recurrent: str, bias: Any, mask: Any, *,
    activation: str, recurrent_activation: str, reset_after: bool, reverse: bool,
) -> list[str]:  # fmt: skip
    units, order = _units(graph, call, call.args[3]), [0, 1, 2]
    steps = _steps(graph, call, x, mask, reverse)
    weights = [_weights(graph, w, order, units) for w in (kernel, recurrent)]
    biases = _bias(graph, bias, call.args[4], order, units)
    y, last = graph.node(
        "GRU", [steps.x, *weights, biases, steps.lengths, graph.unsqueeze(h, 0)], outputs=2, hidden_size=units,
        linear_before_reset=int(reset_after), **_activations(recurrent_activation, activation),
    )  # fmt: skip
    return [_outputs(graph, steps, y), _final(graph, steps, last, h)]


@emits("simple_rnn", keeps=_is_single)
def simple_rnn(
    graph: Any, call: Any, x: str, h: str, kernel: str, recurrent: str, bias: Any, mask: Any, *,
    activation: str, reverse: bool,
) -> list[str]:  # fmt: skip
    units = _units(graph, call, call.args[3])
    steps = _steps(graph, call, x, mask, reverse)
    weights = [_weights(graph, w, [0], units) for w in (kernel, recurrent)]
    biases = _bias(graph, bias, call.args[4], [0], units)
    y, last = graph.node(
        "RNN", [steps.x, *weights, biases, steps.lengths, graph.unsqueeze(h, 0)], outputs=2, hidden_size=units,
        **_activations(activation),
    )  # fmt: skip
    return [_outputs(graph, steps, y), _final(graph, steps, last, h)]


# Loops ---------------------------------------------------------------------------------------------------------


@emits("scan")
def scan(
    graph: Any, call: Any, init: list[str], xs: list[str], captured: list[str], *, reverse: bool, length: Any
) -> Any:
    body = graph.inner()
    carry, steps, outer = call.body.args
    body.tensors.update(zip(outer, captured, strict=True))
    return _over(graph, call, body, carry, steps, init, xs, reverse) if xs else _times(graph, call, body, carry, init)


def _named(body: Any, tensors: Any, wish: str) -> list[tuple[str, str, Any]]:
    """Inputs of a body: what a graph says of each."""
    found = []
    for tensor in tensors:
        body.tensors[tensor] = name = body.fresh(wish)
        found.append((name, tensor.dtype, tensor.shape))
    return found


def _results(body: Any, tensors: Any) -> list[tuple[str, str, Any]]:
    """Outputs of a body, each with a name of its own."""
    return [(body.node("Identity", [body.name(t)]), t.dtype, None) for t in tensors]


def _over(graph: Any, call: Any, body: Any, carry: Any, steps: Any, init: Any, xs: Any, reverse: bool) -> list[str]:
    """A loop over the first axis of tensors."""
    inputs = [*_named(body, carry, "carried"), *_named(body, steps, "step")]
    body.write(call.body)
    new, ys = call.body.results
    outputs = [*_results(body, new), *_results(body, ys)]
    directions = {"scan_input_directions": [int(reverse)] * len(xs)}
    if ys:
        directions["scan_output_directions"] = [int(reverse)] * len(ys)
    return _listed(
        graph.node(
            "Scan", [*init, *xs], outputs=len(outputs), body=body.proto(inputs, outputs), num_scan_inputs=len(xs),
            **directions,
        ),
    )  # fmt: skip


def _times(graph: Any, call: Any, body: Any, carry: Any, init: Any) -> list[str]:
    """A loop of a fixed number of rounds, over nothing."""
    round_number, going = body.fresh("round"), body.fresh("going")
    inputs = [(round_number, "int64", []), (going, "bool", []), *_named(body, carry, "carried")]
    body.write(call.body)
    new, ys = call.body.results
    outputs = [(body.node("Identity", [going]), "bool", []), *_results(body, new), *_results(body, ys)]
    count = graph.const(int(call.attrs["length"] or 0), "int64")
    found = _listed(
        graph.node("Loop", [count, None, *init], outputs=len(outputs) - 1, body=body.proto(inputs, outputs))
    )
    stacked = found[len(new) :]
    return [*found[: len(new)], *((reversed_along(graph, y, 0) for y in stacked) if call.attrs["reverse"] else stacked)]


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else names
