"""`Graph`: the model of Keras 0.3 and 1 whose parts have names, and the configs that Keras 0.3 wrote.

Nodes are called by name when they are added, so a `Graph` is a model of tensors like any other. It takes its data as
one dictionary with the names of inputs and outputs. Keras 0.3 wrote a class, its arguments and its name into one
dictionary: `{"name": "Dense", "custom_name": "dense", "output_dim": 3}`.
Source: Keras 1.2.2, `keras/legacy/models.py`; Keras 0.3.3, `keras/models.py` and `keras/utils/layer_utils.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import layers, models
from keras_front.errors import ArgumentError, SerializationError
from keras_front.graph.layer import LAYERS
from keras_front.saving import guard, hdf5, weight_order

from .layers import merge

__all__ = ["Graph", "modern_config"]

Data = Mapping[str, Any]


class Graph(models.Model):
    """A model put together by names.

    Args:
        name: name of the model.

    Source: Keras 1.2.2, `keras/legacy/models.py`.
    Example:
        >>> graph = Graph()
        >>> graph.add_input("x", input_shape=(4,))
        >>> graph.add_node(layers.Dense(2), "hidden", input="x")
        >>> graph.add_output("y", input="hidden")
        >>> graph.predict({"x": np.ones((3, 4))})["y"].shape
        (3, 2)
    """

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self._tensors: dict[str, Any] = {}
        self._nodes: dict[str, Any] = {}
        self._ends: tuple[list[Any], list[Any]] = [], []
        self.input_config: list[dict[str, Any]] = []
        self.node_config: list[dict[str, Any]] = []
        self.output_config: list[dict[str, Any]] = []

    # Building ------------------------------------------------------------------------------------------

    def add_input(
        self, name: str, input_shape: Any = None, batch_input_shape: Any = None, dtype: str = "float"
    ) -> None:
        """Add an input.

        Args:
            name: its name.
            input_shape: shape of a sample.
            batch_input_shape: shape with the batch axis, instead.
            dtype: 'float' for that of the settings, 'int', or a name.
        """
        self._check_free(name)
        kind = {"float": None, "int": "int32"}.get(dtype, dtype)
        shape = None if input_shape is None else tuple(input_shape)
        batch_shape = None if batch_input_shape is None else tuple(batch_input_shape)
        self._tensors[name] = layers.Input(shape, batch_shape, dtype=kind, name=name)
        self._ends[0].append(self._tensors[name])
        self.input_config.append(
            {"name": name, "input_shape": input_shape, "batch_input_shape": batch_input_shape, "dtype": dtype}
        )

    def add_node(
        self,
        layer: Any,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        create_output: bool = False,
    ) -> None:
        """Call a layer on what other names stand for.

        Args:
            layer: the layer or model.
            name: the name of its output.
            input: the name of its input.
            inputs: names of several inputs, which are merged.
            merge_mode: how they are merged, see `Merge`.
            concat_axis: axis of 'concat'.
            dot_axes: axes of 'dot'.
            create_output: whether this is an output of the model as well.

        Raises: ArgumentError for a name that is taken, or that nobody has.
        """
        self._check_free(name)
        described = _described(name, input, inputs, merge_mode, concat_axis, dot_axes)
        layer.name = name
        self._tensors[name] = layer(self._input_of(described))
        self._nodes[name] = layer
        self.node_config.append({**described, "create_output": create_output})
        if create_output:
            self.add_output(name, input=name)

    def add_shared_node(
        self,
        layer: Any,
        name: str,
        inputs: Sequence[str] = (),
        merge_mode: Any = None,
        concat_axis: int = -1,
        dot_axes: Any = -1,
        outputs: Sequence[str] = (),
        create_output: bool = False,
    ) -> None:
        """Call one layer on each of several inputs.

        Args:
            layer: the layer or model.
            name: the name of what its outputs are merged to.
            inputs: names of its inputs.
            merge_mode: how the outputs are merged; None to give each a name of `outputs`.
            concat_axis: axis of 'concat'.
            dot_axes: axes of 'dot'.
            outputs: names of the outputs.
            create_output: whether these are outputs of the model as well.

        Raises: ArgumentError for names that are taken or unknown, or if their numbers differ.
        """
        self._check_free(name, *outputs)
        if (outputs and len(outputs) != len(inputs)) or bool(outputs) == bool(merge_mode):
            raise ArgumentError(
                f"add_shared_node: expected a merge_mode, or an output for each of {list(inputs)}; received "
                f"{list(outputs)}."
            )
        layer.name = name
        made = [layer(self._named(part)) for part in inputs]
        self._nodes[name] = layer
        if merge_mode:
            self._tensors[name] = merge(made, merge_mode, concat_axis, dot_axes, name=f"merged_{name}")
        self._tensors.update(zip(outputs, made, strict=False))
        self.node_config.append({
            "name": name, "inputs": list(inputs), "merge_mode": merge_mode, "concat_axis": concat_axis,
            "dot_axes": dot_axes, "outputs": list(outputs), "create_output": create_output, "shared": True,
        })  # fmt: skip
        for output in (outputs or [name]) if create_output else ():
            self.add_output(output, input=output)

    def add_output(
        self,
        name: str,
        input: str | None = None,
        inputs: Sequence[str] = (),
        merge_mode: Any = "concat",
        concat_axis: int = -1,
        dot_axes: Any = -1,
    ) -> None:
        """Make an output of the model of what other names stand for.

        Args:
            name: name of the output, by which data and losses are given.
            input: the name of what it is.
            inputs: names of several tensors, which are merged.
            merge_mode: how they are merged, see `Merge`.
            concat_axis: axis of 'concat'.
            dot_axes: axes of 'dot'.

        Raises: ArgumentError for a name that another output has, or that nobody has.
        """
        if name in self.output_names_of_graph:
            raise ArgumentError(f"{self.name}: expected a new name for an output, received {name!r} again.")
        described = _described(name, input, inputs, merge_mode, concat_axis, dot_axes)
        tensor = self._input_of(described)
        if name != input:  # the name of a tensor is that of its layer
            tensor = layers.Activation("linear", name=name if name not in self._tensors else f"{name}_output")(tensor)
        self._ends[1].append(tensor)
        self.output_config.append(described)
        self._init_graph(*(list(ends) for ends in self._ends))
        self.output_names = self.output_names_of_graph

    @property
    def output_names_of_graph(self) -> list[str]:
        """The names of the outputs, in their order."""
        return [described["name"] for described in self.output_config]

    @property
    def nodes(self) -> dict[str, Any]:
        """The layers by name."""
        return self._nodes

    def _check_free(self, *names: str) -> None:
        taken = [name for name in names if name in self._tensors]
        if taken:
            raise ArgumentError(f"{self.name}: expected a new name, received {taken[0]!r} again.")

    def _named(self, name: str) -> Any:
        if name not in self._tensors:
            raise ArgumentError(f"{self.name}: expected one of {', '.join(self._tensors)}; received {name!r}.")
        return self._tensors[name]

    def _input_of(self, described: Mapping[str, Any]) -> Any:
        if described["input"]:
            return self._named(described["input"])
        if not described["inputs"]:
            raise ArgumentError(f"{self.name}: {described['name']!r} needs an input.")
        parts = [self._named(name) for name in described["inputs"]]
        if len(parts) == 1:
            return parts[0]
        return merge(parts, described["merge_mode"], described["concat_axis"], described["dot_axes"])

    # Data ----------------------------------------------------------------------------------------------

    def _split(self, data: Data) -> tuple[list[Any], list[Any]]:
        """Inputs and targets of one dictionary."""
        return [data[name] for name in self.input_names], [data[name] for name in self.output_names]

    def _given(self, data: Any) -> tuple[Any, ...]:
        """What `Model` takes for data: inputs and targets, or a generator as it is."""
        return self._split(data) if isinstance(data, Mapping) else (data,)

    def fit(self, data: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Train for a number of epochs.

        Args:
            data: arrays by the names of inputs and outputs.
            *args: `batch_size` and the further arguments of `Model.fit`.
            **kwargs: likewise; `validation_data` is such a dictionary too.
        """
        if isinstance(kwargs.get("validation_data"), Mapping):
            kwargs["validation_data"] = self._split(kwargs["validation_data"])
        return super().fit(*self._given(data), *args, **kwargs)

    def evaluate(self, data: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """The loss and metrics.

        Args:
            data: arrays by the names of inputs and outputs.
            *args: `batch_size` and the further arguments of `Model.evaluate`.
            **kwargs: likewise.
        """
        return super().evaluate(*self._given(data), *args, **kwargs)

    def predict(self, data: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """The outputs by name.

        Args:
            data: arrays by the names of the inputs.
            *args: `batch_size` and the further arguments of `Model.predict`.
            **kwargs: likewise.
        """
        return self._by_name(super().predict([data[name] for name in self.input_names], *args, **kwargs))

    def train_on_batch(self, data: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """One step; the loss and metrics before it.

        Args:
            data: arrays by the names of inputs and outputs.
            *args: further arguments of `Model.train_on_batch`.
            **kwargs: likewise.
        """
        return super().train_on_batch(*self._split(data), *args, **kwargs)

    def test_on_batch(self, data: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """The loss and metrics of a batch.

        Args:
            data: arrays by the names of inputs and outputs.
            *args: further arguments of `Model.test_on_batch`.
            **kwargs: likewise.
        """
        return super().test_on_batch(*self._split(data), *args, **kwargs)

    def predict_on_batch(self, data: Any) -> Any:  # type: ignore[override]
        """The outputs for a batch, by name.

        Args:
            data: arrays by the names of the inputs.
        """
        return self._by_name(super().predict_on_batch([data[name] for name in self.input_names]))

    def fit_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """Train on batches that a generator gives.

        Args:
            generator: gives dictionaries of arrays by the names of inputs and outputs.
            *args: further arguments of `Model.fit_generator`.
            **kwargs: likewise; `validation_data` is such a dictionary or generator too.
        """
        given = kwargs.get("validation_data")
        if given is not None:
            kwargs["validation_data"] = self._split(given) if isinstance(given, Mapping) else self._batches(given)
        return super().fit_generator(self._batches(generator), *args, **kwargs)

    def evaluate_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """The loss and metrics over batches that a generator gives.

        Args:
            generator: gives dictionaries of arrays by the names of inputs and outputs.
            *args: further arguments of `Model.evaluate_generator`.
            **kwargs: likewise.
        """
        return super().evaluate_generator(self._batches(generator), *args, **kwargs)

    def _batches(self, generator: Any) -> Iterator[Any]:
        return (self._split(batch) if isinstance(batch, Mapping) else batch for batch in generator)

    def _by_name(self, outputs: Any) -> dict[str, Any]:
        listed = outputs if isinstance(outputs, list) else [outputs]
        return dict(zip(self.output_names, listed, strict=True))

    # Configs and weights -------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """How the graph was put together, as Keras 1 wrote it."""
        return {
            "name": self.name,
            "input_config": self.input_config,
            "node_config": self.node_config,
            "output_config": self.output_config,
            "nodes": {name: LAYERS.serialize(layer) for name, layer in self._nodes.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Graph:
        """A new graph, with new weights.

        Args:
            config: what `get_config` returned, or a file of Keras 0.3 or 1 has.
            custom_objects: classes and functions of the user by name.
        """
        graph = cls(name=config.get("name"))
        ends = {part["name"] for part in config["output_config"]}
        for part in config["input_config"]:
            graph.add_input(**part)
        for part in config["node_config"]:
            part = {key: value for key, value in part.items() if key != "layer"}
            layer = LAYERS.deserialize(config["nodes"][part["name"]], custom_objects)
            made = part.get("outputs") or [part["name"]]
            part["create_output"] = bool(part.get("create_output")) and not ends.intersection(made)
            add = graph.add_shared_node if part.pop("shared", False) or part.get("outputs") else graph.add_node
            add(layer, **part)
        for part in config["output_config"]:
            graph.add_output(**part)
        return graph

    def load_weights(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Set the weights from a file of any Keras; that of Keras 0.3 holds them all in one group, node by node.

        Args:
            filepath: path, or an open file.
            *args: further arguments of `Model.load_weights`.
            **kwargs: likewise.
        """
        with hdf5.opened(filepath) as (root, where):
            if "graph" in root and "nb_params" in root["graph"].attrs:
                pairs = list(self._pairs(root["graph"], where))
                for weight, value in pairs:
                    weight.set(value)
                return
        super().load_weights(filepath, *args, **kwargs)

    def _pairs(self, group: Any, where: str) -> Iterator[tuple[Any, np.ndarray]]:
        names = hdf5.numbered_names(group, where)
        arrays = [guard.array(group, name, where, hdf5.most_bytes(self.weights)) for name in names]
        for layer in self._nodes.values():
            weights = weight_order.in_file_order(layer)
            held, arrays = arrays[: len(weights)], arrays[len(weights) :]
            for converter in hdf5.converters():
                held = converter(layer, held, "1", None)
            weight_order.check_shapes(layer, weights, held)
            yield from zip(weights, held, strict=True)
        if arrays:
            raise SerializationError(f"{where}: the file holds {len(arrays)} arrays more than the graph has weights.")


def _described(
    name: str, input: Any, inputs: Sequence[str], merge_mode: Any, concat_axis: int, dot_axes: Any
) -> dict[str, Any]:
    return {
        "name": name, "input": input, "inputs": list(inputs or ()), "merge_mode": merge_mode,
        "concat_axis": concat_axis, "dot_axes": dot_axes,
    }  # fmt: skip


# Configs of Keras 0.3 --------------------------------------------------------------------------------

# What a config of Keras 0.3 holds that makes no part of the object.
_BESIDE = ("cache_enabled", "custom_name", "optimizer", "loss", "class_mode", "sample_weight_mode", "theano_mode")
_CONTAINERS = ("Sequential", "Graph", "Merge")

# Arguments that all recurrent layers, or all activations, wrote before 0.3, with the value that changed nothing.
_SAYING_NOTHING = (("truncate_gradient", -1), ("target", 0), ("beta", 0.9), ("beta", 0.1))


def modern_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """`{"class_name", "config"}` of what Keras 0.3 wrote as one dictionary.

    Args:
        config: class under 'name', arguments beside it, name under 'custom_name'.
    """
    if "class_name" in config:
        return dict(config)
    kind = str(config["name"])
    rest = {key: value for key, value in config.items() if key not in (*_BESIDE, "name")}
    if config.get("custom_name") and config["custom_name"] != kind.lower():
        rest["name"] = config["custom_name"]
    if isinstance(rest.get("layers"), list):
        rest["layers"] = [modern_config(part) for part in rest["layers"]]
    if kind == "Graph":
        rest["nodes"] = {name: modern_config(part) for name, part in (rest.get("nodes") or {}).items()}
    rest = {key: value for key, value in rest.items() if (key, value) not in _SAYING_NOTHING}
    if kind == "Embedding":  # which said the number of words where others say the shape of a sample
        rest.pop("input_shape", None)
    if kind in _CONTAINERS:
        kept = ("layers", "mode", "concat_axis", "dot_axes", "nodes", "input_config", "node_config", "output_config")
        rest = {key: value for key, value in rest.items() if key in (*kept, "name")}
    return {"class_name": kind, "config": rest}
