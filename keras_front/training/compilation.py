"""What `compile` was given, and what follows from it once the model has outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from keras_front import config, conventions
from keras_front.backend import dtypes
from keras_front.graph.ends import names_of
from keras_front.graph.node import is_fed
from keras_front.nest import flatten_as
from keras_front.training import hints
from keras_front.training.data.arrays import ArraySpec, DataSpec, weight_modes
from keras_front.training.losses_and_metrics import LossesAndMetrics, check_names, class_count, target_shape
from keras_front.training.single_batch import SingleBatchCalls
from keras_front.training.steps.compiled import Steps
from keras_front.training.steps.custom import steps_of


@dataclass(frozen=True, eq=False)
class CompileArguments:
    """The arguments of `Model.compile` but the optimizer, as they were given."""

    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    weighted_metrics: Any = None
    target_tensors: Any = None
    run_eagerly: bool = False
    steps_per_execution: Any = 1
    jit_compile: Any = "auto"
    auto_scale_loss: bool = True
    debug_nans: bool = False

    def check_names(self) -> None:
        """Look up the names of losses and metrics: all that can be done before a model has outputs.

        Raises: UnknownNameError for a name that is none.
        """
        check_names(self.loss, self.metrics, self.weighted_metrics)

    def as_dict(self) -> dict[str, Any]:
        """The arguments by name, for another `compile`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Compilation:
    """What `compile` settled for a model.

    Args:
        arguments: what `compile` was given.
        dialect: whose conventions hold, also when it is trained later; by default the present one.

    Attributes:
        steps: the steps of the model; None until its outputs are known.
        spec: what the model expects of its data; None until then.
        calls: the calls on single batches; None until then.
        outputs: the list of outputs that these were made for.
        warned: whether the user was told that `trainable` was changed later.
        hinted: whether the user was told of losses that do not fit the outputs.
        train_function: what somebody has put in the place of the compiled step, see `FunctionSteps`.
    """

    def __init__(self, arguments: CompileArguments, dialect: str | None = None):
        self.arguments = arguments
        self.dialect = dialect or config.current_dialect()
        self.steps: Steps | None = None
        self.spec: DataSpec | None = None
        self.calls: SingleBatchCalls | None = None
        self.outputs: Any = None
        self.train_function: Any = None
        self.warned: set[str] = set()  # where it was said that `trainable` was changed in vain
        self.hinted = False
        self._names: tuple[list[str], list[str]] = ([], [])

    def __reduce__(self) -> Any:
        return Compilation, (self.arguments, self.dialect)  # a copy settles anew: compiled steps belong to one model

    def forget(self) -> None:
        """Settle anew at the next use, because the model has other losses or metrics than before."""
        self.steps = self.calls = None

    def listed(self, names: list[str]) -> list[str]:
        """The names as a list which stays the same while they do: programs of Keras 2 append to it."""
        if names != self._names[0]:
            self._names = names, list(names)
        return self._names[1]

    def settle(self, model: Any) -> None:
        """Resolve losses and metrics for the outputs of the model, and collect what is trained.

        Raises: ArgumentError for an unknown loss, metric or output.
        """
        function = vars(model).get("train_function")
        if self.outputs is not model.outputs or self.steps is None or self.train_function is not function:
            self.train_function = function
            with config.dialect(self.dialect):
                self._settle(model)

    def _settle(self, model: Any) -> None:
        given = self.arguments
        names = list(model.output_names)
        layers = names_of(model.outputs) if model._is_graph_network else names
        by_keys = partial(_by_keys, keys=names, layers=layers, nesting=model._output_nesting)
        compiled = LossesAndMetrics(
            names,
            model.outputs,
            by_keys(given.loss),
            by_keys(given.loss_weights),
            by_keys(given.metrics),
            by_keys(given.weighted_metrics),
            given.target_tensors,
            model.inputs,
        )
        modes = weight_modes(given.sample_weight_mode, names)
        fed = [item for item in compiled.losses if item.fed]
        if model.optimizer is not None:
            model.optimizer.prepare(model.trainable_weights)
        steps = steps_of(model, compiled, model.optimizer, self.dialect)
        as_given = bool({"train", "test"} & steps.custom) and not compiled.losses
        weighted = [modes[item.output] for item in fed]
        computed = tuple(names[item.output] for item in compiled.losses if not item.fed)
        self.spec = DataSpec(
            input_specs(model),
            target_specs(model, fed),
            weighted,
            as_given,
            model.host_stage,
            computed,
            model._input_nesting,
            model._output_nesting,
            tuple(item.output for item in fed),
        )
        self.steps, self.outputs = steps, model.outputs
        self.calls = SingleBatchCalls(steps, self.spec)
        if not self.hinted:
            self.hinted = True
            hints.of_compilation(model.outputs, compiled.losses)
            if conventions.current().wants_losses and "train" not in steps.custom:
                hints.of_missing_losses(by_keys(given.loss), names, compiled.losses or model.losses)
                hints.of_missing_modes(given.sample_weight_mode, [names[item.output] for item in fed])


def _by_keys(value: Any, keys: Sequence[str], layers: Sequence[str], nesting: Any = None) -> Any:
    """A dict by the names of outputs; where these are keys of a dict, the names of layers stand for them too.

    What is nested as the outputs are becomes a dict by their names.

    Source: tf_keras 2.21, which takes both in `compile`.
    """
    flat = None if nesting is None or value is None else flatten_as(nesting, value, partial=True)
    if flat is not None:
        return dict(zip(keys, flat, strict=True))
    if not isinstance(value, Mapping) or layers == keys:
        return value
    key_of = dict(zip(layers, keys, strict=True))
    return {name if name in keys else key_of.get(name, name): item for name, item in value.items()}


def input_specs(model: Any) -> list[ArraySpec]:
    """What a model expects of each input that it is fed with: one that `Input(tensor=...)` gave a value is none."""
    known = model._is_graph_network
    return [
        ArraySpec(
            name,
            tuple(t.shape) if known else None,
            t.dtype,
            tables=tuple(tables_of(model, t)) if known else (),
        )
        for name, t in zip(model.input_names, model.inputs, strict=True)
        if not known or is_fed(t)
    ]


def tables_of(model: Any, tensor: Any) -> list[tuple[str, int]]:
    """The layers that use an input as numbers of rows, also those of models within: (name, how many rows)."""
    found = []
    for layer in model.layers:
        for node in layer._inbound_nodes:
            places = [place for place, given in enumerate(node.input_tensors) if given is tensor]
            if places and layer.indexed_rows is not None:
                found.append((layer.name, layer.indexed_rows))
            elif places and layer._is_model and layer._is_graph_network:
                inside = [inner for p in places for inner in tables_of(layer, layer.inputs[p])]
                found += [(f"{layer.name}/{name}", rows) for name, rows in inside]
    return list(dict.fromkeys(found))


def _dtype_of_targets(dtype: str) -> str:
    """That of the output; losses of outputs of 16 bits are computed in `floatx()`."""
    return config.floatx() if dtype in dtypes.HALVES else dtype


def target_specs(model: Any, losses: list[Any]) -> list[ArraySpec]:
    """What a model expects of the targets of these losses."""
    specs = []
    for item in losses:
        output = model.outputs[item.output]
        dtype = None if item.kind.startswith("sparse") else _dtype_of_targets(output.dtype)
        shape = tuple(output.shape)
        classes, bounds = class_count(item, shape), hints.bounds_of(item, output)
        specs.append(ArraySpec(item.name, target_shape(item, shape), dtype, item.kind, classes, bounds))
    return specs
