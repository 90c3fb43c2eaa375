"""Models and functions of K as files of ONNX: what they are called, which sizes are open, how they are checked."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto

from keras_front.backend.function import Function
from keras_front.backend.ir import Program
from keras_front.backend.scopes import next_serial
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, SerializationError
from keras_front.export.onnx.build import OnnxModel, build, check_opset
from keras_front.export.onnx.emitter import DEFAULT
from keras_front.export.onnx.recorder import record
from keras_front.export.prediction import fed_inputs, name_of
from keras_front.graph import call_context
from keras_front.saving.atomic import replacing


def write(
    model: Any,
    path: str | os.PathLike[str],
    opset_version: int | None = None,
    input_signature: Sequence[Any] | None = None,
    external_data: bool | None = None,
    state: bool = False,
    doc: str | None = None,
) -> None:
    """Write how a model predicts as a file of ONNX.

    The batch has any size, and so has every other axis whose size the model leaves open. Dropout and the like are as
    in `predict`. Noise, where a model draws any while it predicts, comes from the runtime's own generator.

    Args:
        model: a built model.
        path: the file.
        opset_version: the version of ONNX's operators, from 13 to 23; by default 18, which all runtimes of today know.
        input_signature: for each input its shape with the batch, None for an open size, to fix what the model leaves
            open. By default as the model says.
        external_data: whether the weights lie in a file `<path>.data` beside the model; by default those of more than
            1 GiB do.
        state: whether what stateful layers keep from one call to the next is an input and an output, such as
            `lstm/state` and `lstm/state_next`. By default each run begins with the state of now, and a warning says so.
        doc: what the file says of itself; by default the name of the model.

    Raises: ArgumentError for an opset or a signature that cannot be; SerializationError for a model with a part that
        has no operators in ONNX, which names layer and op; StateError for a model that was not built.
    """
    save(onnx_model(model, opset_version, input_signature, state, doc), path, external_data)


def onnx_model(
    model: Any,
    opset_version: int | None = None,
    input_signature: Sequence[Any] | None = None,
    state: bool = False,
    doc: str | None = None,
) -> OnnxModel:
    """How a model predicts as a model of ONNX, in memory; for arguments and errors see `write`."""
    opset = DEFAULT if opset_version is None else opset_version
    check_opset(opset)
    with model._on_engine():
        steps = model._predictor(None).steps
        _check_host_layers(model)
        inputs = _inputs(model, input_signature)
        recording = steps.knowing_variables("predict", lambda: _recorded(model, steps, inputs, opset, state))
    return _built(recording, opset, model.name, doc or f"The model {model.name!r}, written by keras_front.")


def function_model(function: Function, opset_version: int | None = None, doc: str | None = None) -> OnnxModel:
    """A `K.function` as a model of ONNX, in memory.

    Args:
        function: the function; it computes as in the test phase.
        opset_version: the version of ONNX's operators, from 13 to 23; 18 by default.
        doc: what the model says of itself.

    Raises: ArgumentError for a function with updates; SerializationError for an op that has no operators in ONNX.
    """
    if function.updates:
        raise ArgumentError("to_onnx: the function has updates, and a graph of ONNX cannot change variables.")
    opset = DEFAULT if opset_version is None else opset_version
    check_opset(opset)
    program = record(lambda *values: function._run(*values)[0], function.fed, opset)
    names = {leaf: t.name for leaf, t in zip(program.args, function.fed, strict=True)}
    recording = Recording(program, {}, names, [t.name for t in function.outputs], Layers())
    return _built(recording, opset, "function", doc or "A function, written by keras_front.")


def save(made: OnnxModel, path: str | os.PathLike[str], external_data: bool | None = None) -> None:
    """Check a model and write it to a file.

    Args:
        made: the model; where its weights go to a file of their own they are taken out of its `proto`.
        path: the file.
        external_data: whether the weights lie beside it, in `<path>.data`; None leaves that to their size.

    Raises: ArgumentError if the folder does not exist; SerializationError if it is no valid model.
    """
    is_large = any(tensor.data_location == TensorProto.EXTERNAL for tensor in made.proto.graph.initializer)
    if not (external_data or is_large):
        check(made.proto)
        with replacing(path) as temporary:
            onnx.save_model(made.proto, temporary)
        return
    data = Path(os.fspath(path) + ".data")
    with replacing(path) as temporary, replacing(data) as weights:
        _move_weights(made, weights, data.name)
        onnx.save_model(made.proto, temporary)
    check(os.fspath(path))


def _move_weights(made: OnnxModel, path: str, location: str) -> None:
    """Write the weights to a file, where the model will look for them under the name `location`."""
    with open(path, "wb") as file:
        for tensor in made.proto.graph.initializer:
            array = np.ascontiguousarray(made.arrays[tensor.name])
            external = (("location", location), ("offset", file.tell()), ("length", array.nbytes))
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            del tensor.external_data[:]
            for key, value in external:
                tensor.external_data.add(key=key, value=str(value))
            array.tofile(file)


def check(model: Any) -> None:
    """Raises: SerializationError unless a model, or the model in a file, keeps all rules of ONNX."""
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SerializationError(f"export: what was written is no valid model of ONNX: {error}") from error


# Parts of a model ------------------------------------------------------------------------------------------------


class Layers:
    """Which layer an instruction belongs to.

    Recorded calls have numbers that rise, and what a layer's call records lies between two of them.

    Args:
        model: the model whose layers they are, which is not named itself.
    """

    def __init__(self, model: Any = None) -> None:
        self.model = model
        self.spans: list[tuple[int, int, str]] = []
        self._open: list[str] = []

    def note(self, layer: Any) -> Any:
        """Note that a layer is called.

        Returns: a function to be called when it is done.
        """
        if layer is self.model:
            return lambda inputs, outputs: None
        first = next_serial()
        self._open.append(layer.name)
        path = self.open_path()

        def leave(inputs: Any, outputs: Any) -> None:
            self._open.pop()
            self.spans.append((first, next_serial(), path))

        return leave

    def open_path(self) -> str:
        """The path of the layer that computes at the moment."""
        return "/".join(self._open)

    def scope_of(self, call: Any) -> str:
        """The path of the innermost layer whose call recorded an instruction; '' for none."""
        origins = (t.origin for t in (*call.outs, *call.inputs()) if t.origin is not None)
        serial = next((o.serial for o in origins), None)
        if serial is None:
            return ""
        return next((path for first, last, path in self.spans if first < serial < last), "")


class Recording(NamedTuple):
    """A program, and what its tensors are.

    Attributes:
        program: the program.
        weights: the variables whose values the graph holds, by the arguments for which they stand.
        names: of the other arguments.
        outputs: the names of the results.
        layers: those of its instructions.
    """

    program: Program
    weights: dict[SymbolicTensor, Any]
    names: dict[SymbolicTensor, str]
    outputs: list[str]
    layers: Layers


def _recorded(model: Any, steps: Any, inputs: list[SymbolicTensor], opset: int, state: bool) -> Recording:
    """The program of predicting; with `state` what changes from call to call is among arguments and results."""
    layers = Layers(model)
    variables = steps.variables.constant, steps.variables.carried
    like = [[SymbolicTensor(v.shape, v.dtype) for v in kind] for kind in variables]
    with call_context.watched(layers.note):
        program = record(steps.predict_function(), [*like, inputs], opset, layers.open_path)
    fixed, carried, fed = program.args
    new, outputs = program.results
    weights = dict(zip([*fixed, *carried], [*variables[0], *variables[1]], strict=True))
    changed = [(before, after) for before, after in zip(carried, new, strict=True) if after is not before]
    names = {before: name_of(weights[before]) for before, _ in changed}
    if not state and changed:
        warnings.warn(
            f"export: each run begins with the present {', '.join(names.values())}; see `state`.", stacklevel=2
        )
        changed, names = [], {}
    results = [*outputs, *(after for _, after in changed)]
    called = [*model.output_names, *(f"{name}_next" for name in names.values())]
    held = {tensor: v for tensor, v in weights.items() if tensor not in names}
    names.update(zip(fed, fed_inputs(model), strict=True))
    return Recording(program.changed(results=results), held, names, called, layers)


def _built(recording: Recording, opset: int, name: str, doc: str) -> OnnxModel:
    program = recording.program
    held = {**recording.weights, **{t: t.variable for t in program.captures if t.variable is not None}}
    names = {**recording.names, **{t: name_of(v) for t, v in held.items()}}
    values = {t: v.numpy() for t, v in held.items()}
    title = re.sub(r"[^\w.-]", "_", name)
    return build(program, values, names, recording.outputs, opset, recording.layers.scope_of, title, doc)


def _check_host_layers(model: Any) -> None:
    found = [layer for layer in getattr(model, "layers", ()) if layer.runs_on_host]
    if found:
        raise SerializationError(
            f"export: layer {found[0].name!r} ({type(found[0]).__name__}) looks up strings or hashes on the host, for "
            "which a graph of ONNX has no place. Export the layers behind it as a model of their own, and apply this "
            "one to the data first."
        )


def _inputs(model: Any, signature: Any) -> list[SymbolicTensor]:
    """A tensor for each input of a model, of the shape that is asked for."""
    fed = list(fed_inputs(model).values())
    given = [None] * len(fed) if signature is None else _shapes(signature, len(fed))
    return [SymbolicTensor(_fixed(t, shape), t.dtype) for t, shape in zip(fed, given, strict=True)]


def _shapes(signature: Any, count: int) -> list[Any]:
    shapes = [getattr(item, "shape", item) for item in signature]
    if shapes and all(item is None or isinstance(item, int) for item in shapes):
        shapes = [shapes]
    if len(shapes) != count:
        raise ArgumentError(f"export: input_signature: expected {count} shapes, received {len(shapes)}.")
    return shapes


def _fixed(tensor: SymbolicTensor, shape: Any) -> tuple[int | None, ...]:
    if shape is None:
        return tensor.shape
    wanted = tuple(shape)
    fits = len(wanted) == len(tensor.shape) and all(
        known is None or known == size for known, size in zip(tensor.shape, wanted, strict=True)
    )
    if not fits:
        raise ArgumentError(
            f"export: input_signature: {wanted} is no shape of the input {tensor.name!r}, which has {tensor.shape}."
        )
    return wanted
