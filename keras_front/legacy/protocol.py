"""Attributes of models and layers of Keras 1 and 2 by which programs reach what happens in training.

`attribute` is asked, by `keras_front.compatibility`, when an object lacks an attribute. What stands here is made of
what models have today: symbols for targets and weights, the total loss as a symbol, functions of one flat list.

Source: Keras 1.2.2 `keras/engine/training.py` and `topology.py`; 2.2.4 and 2.3.1 `keras/engine/training.py`,
`network.py`, `base_layer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.graph.learning_phase import call_depends_on_phase
from keras_front.graph.node import is_fed
from keras_front.losses import get as get_loss
from keras_front.nest import flatten, unpack
from keras_front.training.data.arrays import standardize
from keras_front.training.losses_and_metrics import combined

__all__ = ["attribute"]


def attribute(owner: Any, name: str) -> Any:
    """The attribute that an object of an older Keras had. Raises: AttributeError if it had none.

    Args:
        owner: a layer, a network or a model.
        name: the name of the attribute.
    """
    for kind in type(owner).__mro__:
        found = ATTRIBUTES.get(kind.__name__, {}).get(name)
        if found is not None:
            return found(owner)
    from . import writing

    return writing.former_argument(owner, name)


# Training as symbols ---------------------------------------------------------------------------------


class TrainingSymbols:
    """What `compile` made of a model in Keras 2: placeholders for targets and weights, and what follows from them.

    Args:
        model: a compiled model.
    """

    def __init__(self, model: Any):
        self.model = model
        compilation = model._settled("The symbols of training")
        self.compiled, spec = compilation.steps.compiled, compilation.spec
        fed = iter(zip(spec.targets, spec.weight_modes, strict=True))
        self.fed_targets: list[Any] = []
        self.weights: list[Any] = []
        for item in self.compiled.losses:
            output = model.outputs[item.output]
            temporal = False
            if item.fed:
                target, mode = next(fed)
                temporal = mode == "temporal"
                shape = target.shape or (None,) * max(len(output.shape), 1)
                given = item.target if item.target is not None else K.placeholder(shape, name=f"{item.name}_target")
                self.fed_targets.append(given)
            rank = (None, None) if temporal else (None,)
            self.weights.append(K.placeholder(rank, name=f"{item.name}_sample_weights"))
        self.targets = self.compiled.targets(self.fed_targets, {})
        self.fed_weights = [w for w, item in zip(self.weights, self.compiled.losses, strict=True) if item.fed]
        with config.dialect(compilation.dialect):
            self._compute()

    def _compute(self) -> None:
        model, compiled = self.model, self.compiled
        masks = [t.mask for t in model.outputs]
        outputs = [model.outputs[item.output] for item in compiled.losses]
        used = [w if item.fed else None for w, item in zip(self.weights, compiled.losses, strict=True)]
        weights = compiled.weights(used, masks)
        self.total_loss, parts = compiled.total(self.targets, outputs, weights, model.losses)
        kept = [masks[item.output] for item in compiled.losses]
        self.metrics = [*(parts if compiled.several else ())]
        for item in compiled.output_metrics:
            place = item.loss
            weight = weights[place] if item.weighted else combined(None, kept[place])
            self.metrics.append(_mean_of(item.metric, self.targets[place], outputs[place], weight))


def _mean_of(metric: Any, target: Any, output: Any, weight: Any) -> Any:
    """The value of a metric for one batch, as a symbol."""
    function = getattr(metric, "fn", None)
    if function is None:
        return type(metric).from_config(metric.get_config())(target, output, sample_weight=weight)
    scores = function(target, output)
    if weight is None or not K.ndim(scores):
        return K.mean(scores) if K.ndim(scores) else scores
    while K.ndim(weight) < K.ndim(scores):
        weight = K.expand_dims(weight)
    return K.sum(scores * weight) / K.sum(weight * K.ones_like(scores))


_SYMBOLS: WeakKeyDictionary[Any, TrainingSymbols] = WeakKeyDictionary()


def _symbols(model: Any) -> TrainingSymbols:
    compilation = _compiled(model)
    if compilation not in _SYMBOLS:
        _SYMBOLS[compilation] = TrainingSymbols(model)
    return _SYMBOLS[compilation]


def _compiled(model: Any) -> Any:
    if model._compilation is None:
        raise AttributeError("The model is not compiled: call compile first.")
    return model._compilation


class MetricsTensors(list[Any]):
    """The metrics of a model as symbols. A tensor that is appended is reported under the name appended before it.

    That is how Keras 2.2 had models report tensors: `model.metrics_names.append(name)`, then
    `model.metrics_tensors.append(tensor)`.
    """

    def __init__(self, model: Any):
        super().__init__(_symbols(model).metrics)
        self.model = model

    def append(self, tensor: Any) -> None:
        """Report a tensor of the model.

        Args:
            tensor: a symbol that depends on the inputs of the model.
        """
        model = self.model
        names = model.metrics_names
        further = names[len(model._compilation.steps.names("test")) :]
        model.add_metric(tensor, name=further[0] if further else tensor.name)
        model._compilation.forget()
        model.metrics_names.extend(further[1:])
        super().append(tensor)


# Functions of one flat list --------------------------------------------------------------------------


class BatchFunction:
    """`train_function`, `test_function` or `predict_function`: of inputs, targets, weights and phase in one list.

    Args:
        model: a model.
        kind: 'train', 'test' or 'predict'.
    """

    def __init__(self, model: Any, kind: str):
        self.model, self.kind = model, kind

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Losses and metrics, or outputs, of one batch; the learning phase at the end is as the kind says."""
        model, first = self.model, len(self.model.inputs)
        xs = unpack(list(inputs[:first]))
        if self.kind == "predict":
            return _as_list(model.predict_on_batch(xs))
        count = len(_symbols(model).fed_targets)
        ys = unpack(list(inputs[first : first + count])) if count else None
        given = list(inputs[first + count : first + 2 * count])
        weights = unpack(given) if len(given) == count and any(np.ndim(w) for w in given) else None
        run = model.train_on_batch if self.kind == "train" else model.test_on_batch
        return _as_list(run(xs, ys, sample_weight=weights))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


_MADE: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # until the model is compiled anew


def _made(model: Any) -> set[str]:
    return _MADE.setdefault(model._compilation or model, set())


def _maker(kind: str) -> Callable[[Any], Any]:
    """`_make_train_function` and the like, which fill `train_function`."""

    def of(model: Any) -> Callable[[], None]:
        def make() -> None:
            _made(model).add(kind)

        return make

    return of


def _function(kind: str) -> Callable[[Any], Any]:
    def of(model: Any) -> BatchFunction | None:
        if kind != "predict":
            _compiled(model)
        return BatchFunction(model, kind) if kind in _made(model) else None

    return of


def _standardize_user_data(model: Any) -> Callable[..., Any]:
    def standardized(
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        check_array_lengths: bool = True,
        batch_size: int | None = None,
    ) -> Any:
        """Inputs, targets and weights as lists of arrays; weights are ones where none are given."""
        if model._compilation is None or y is None:
            return standardize(x, model._predictor(x).spec.inputs, "input"), [], []
        spec = model._settled("_standardize_user_data", x).spec
        arrays, layout = spec.batch(x, y, sample_weight, class_weight)
        xs, ys, weights = layout.split(arrays)
        shapes = [len(a) if mode is None else a.shape[:2] for a, mode in zip(ys, spec.weight_modes, strict=True)]
        return xs, ys, [np.ones(n, K.floatx()) if w is None else w for w, n in zip(weights, shapes, strict=True)]

    return standardized


def _check_consistency(model: Any) -> Callable[[], None]:
    return lambda: model._warn_of_frozen()


# What models know ------------------------------------------------------------------------------------


def _losses(model: Any) -> list[Any]:
    return list(_symbols(model).compiled.losses)


def _by_depth(model: Any, what: str) -> dict[int, list[Any]]:
    graph, found = model._graph, dict[int, list[Any]]()
    if graph is None:
        raise AttributeError("A model that is not made of tensors has no graph.")
    depths = graph.layer_depth if what == "layer" else graph.depth
    items = graph.layers if what == "layer" else graph.order
    for item in items:
        found.setdefault(depths[item], []).append(item)
    return dict(sorted(found.items(), reverse=True))


def _coordinates(tensors: Sequence[Any]) -> list[Any]:
    return [t.history for t in tensors]


def _node_key(layer: Any, node_index: int) -> str:
    return f"{layer.name}_ib-{node_index}"


def _network_nodes(network: Any) -> set[str]:
    graph = network._graph
    nodes = [] if graph is None else graph.order
    return {_node_key(n.layer, n.layer._inbound_nodes.index(n)) for n in nodes}


def _stateful_metrics(model: Any) -> list[Any]:
    compiled = _symbols(model).compiled
    return [m for m in compiled.metrics if not hasattr(m, "fn")]


_TRAINING: dict[str, Callable[[Any], Any]] = {
    "targets": lambda m: _symbols(m).targets,
    "sample_weights": lambda m: _symbols(m).weights,
    "total_loss": lambda m: _symbols(m).total_loss,
    "metrics_tensors": MetricsTensors,
    "metrics_updates": lambda m: [],
    "_feed_targets": lambda m: _symbols(m).fed_targets,
    "_feed_sample_weights": lambda m: _symbols(m).fed_weights,
    "_feed_sample_weight_modes": lambda m: _settled(m).spec.weight_modes,
    "sample_weight_modes": lambda m: _settled(m).spec.weight_modes,
    "_feed_outputs": lambda m: [m.outputs[i.output] for i in _losses(m) if i.fed],
    "_feed_output_names": lambda m: [i.name for i in _losses(m) if i.fed],
    "_feed_output_shapes": lambda m: [spec.shape for spec in _settled(m).spec.targets],
    "_feed_loss_fns": lambda m: [get_loss(i.loss) for i in _losses(m) if i.fed],
    "loss_functions": lambda m: [i.loss for i in _losses(m)],
    "loss_weights_list": lambda m: [i.weight for i in _losses(m)],
    "_collected_trainable_weights": lambda m: list(_settled(m).steps.trainable),
    "_output_loss_metrics": lambda m: _symbols(m).compiled.trackers[1:],
    "stateful_metric_names": lambda m: [metric.name for metric in _stateful_metrics(m)],
    "stateful_metric_functions": _stateful_metrics,
    "_is_compiled": lambda m: m._compilation is not None,
    "_function_kwargs": lambda m: {},
    "train_function": _function("train"),
    "test_function": _function("test"),
    "predict_function": _function("predict"),
    "_make_train_function": _maker("train"),
    "_make_test_function": _maker("test"),
    "_make_predict_function": _maker("predict"),
    "_standardize_user_data": _standardize_user_data,
    "_check_trainable_weights_consistency": _check_consistency,
    "_uses_dynamic_learning_phase": lambda m: lambda: K.is_symbolic(K.learning_phase()),
    "_get_training_eval_metrics": lambda m: lambda: list(m.metrics),
}


def _settled(model: Any) -> Any:
    return model._settled("compile") if model._compilation is not None else _compiled(model)


_GRAPH: dict[str, Callable[[Any], Any]] = {
    "_feed_inputs": lambda n: [t for t in n.inputs if is_fed(t)],
    "_feed_input_names": lambda n: [name for name, t in zip(n.input_names, n.inputs, strict=True) if is_fed(t)],
    "_feed_input_shapes": lambda n: [t.shape for t in n.inputs if is_fed(t)],
    "internal_input_shapes": lambda n: [t.shape for t in n.inputs],
    "internal_output_shapes": lambda n: [t.shape for t in n.outputs],
    "input_layers": lambda n: n._input_layers,
    "output_layers": lambda n: n._output_layers,
    "_layers_by_depth": lambda n: _by_depth(n, "layer"),
    "_nodes_by_depth": lambda n: _by_depth(n, "node"),
    "layers_by_depth": lambda n: _by_depth(n, "layer"),
    "nodes_by_depth": lambda n: _by_depth(n, "node"),
    "_network_nodes": _network_nodes,
    "_container_nodes": _network_nodes,
    "container_nodes": _network_nodes,
    "_node_key": lambda n: _node_key,
    "_input_coordinates": lambda n: _coordinates(n.inputs),
    "_output_coordinates": lambda n: _coordinates(n.outputs),
    "_layers": lambda n: n.layers,
    "nodes": lambda n: [node for nodes in _by_depth(n, "node").values() for node in nodes],
}

_LAYER: dict[str, Callable[[Any], Any]] = {
    "uses_learning_phase": lambda layer: any(map(call_depends_on_phase, layer._inbound_nodes)),
    "_uses_learning_phase": lambda layer: layer.uses_learning_phase,
    "_updates": lambda layer: list(layer._given_updates),  # a subclass may override `updates` with what it finds here
    "_losses": lambda layer: list(layer._own_losses),
    "_metrics": lambda layer: layer.layer_metrics(),
    "_per_input_updates": lambda layer: {},
    "_per_input_losses": lambda layer: {},
    "_built": lambda layer: layer.built,
}

ATTRIBUTES: dict[str, dict[str, Callable[[Any], Any]]] = {"Trainer": _TRAINING, "Network": _GRAPH, "Layer": _LAYER}


def uses_phase(tensor: Any) -> bool:
    """Whether the value of a tensor may depend on the learning phase; layers may, as they run anew in each phase."""
    from keras_front.backend import symbolic

    calls = symbolic.toposort(flatten([tensor]))
    return any(call.op.kind == "deferred" or symbolic.PHASE in call.tensors() for call in calls)
