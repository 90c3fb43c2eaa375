"""`AddLoss` and `AddMetric`: what `model.add_loss` and `model.add_metric` put into the graph of a model.

They take a tensor of the graph and report it, so the ops behind it are part of the graph, and copies and files have
both. Their names and configs are those of tf.keras, which does the same.
Source: tf_keras 2.21, `tf_keras/src/engine/base_layer.py`, `AddLoss` and `AddMetric`.
"""

from __future__ import annotations

from typing import Any

from keras_front import metrics, nest
from keras_front.backend import state
from keras_front.errors import ArgumentError

from .layer import LAYERS, Layer
from .tracking import update_metric


class _Report(Layer):
    """A layer that passes its input on and reports it. It has no weights and leaves dtypes as they are."""

    supports_masking = True
    _casts_inputs = False

    def __init__(self, **kwargs: Any):
        self.names_itself = not kwargs.get("name")
        super().__init__(**kwargs)
        self.built = True

    def _connect(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = super()._connect(inputs, args, kwargs)
        node = self._inbound_nodes[-1]
        node.losses = node.input_tensors if node.losses else []  # the very tensor that was added
        return result


@LAYERS.register()
class AddLoss(_Report):
    """Adds its input to the loss of the model and passes it on.

    Args:
        unconditional: whether the loss depends on no input; kept for the config.
    """

    def __init__(self, unconditional: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.unconditional = unconditional

    def call(self, inputs: Any) -> Any:
        """The input, which is a loss of any shape: its sum counts."""
        state.add_loss_to_frame(inputs)
        return inputs


@LAYERS.register()
class AddMetric(_Report):
    """Shows the mean of its input over the batches of an epoch as a metric, or what a metric makes of it; passes it on.

    Args:
        aggregation: 'mean', the only one.
        metric_name: name in logs; by default the name of the layer.
        metric: a metric, or its config, that takes the inputs; by default their mean is shown.
    Raises: ArgumentError for another aggregation.
    """

    def __init__(
        self, aggregation: str | None = "mean", metric_name: str | None = None, metric: Any = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if aggregation not in (None, "mean"):
            raise ArgumentError(f"add_metric: expected aggregation='mean', received {aggregation!r}.")
        self.aggregation, self.metric_name = aggregation, metric_name or self.name
        self.metric = None if metric is None else metrics.get(metric)
        self._own_metrics.append(self.metric or metrics.Mean(name=self.metric_name))

    def call(self, inputs: Any) -> Any:
        """The input, reported to the metric."""
        update_metric(self._own_metrics[0], *nest.flatten(inputs))
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments; `metric` only where one was given, as tf.keras does not know it."""
        config = super().get_config()
        if config["metric"] is None:
            del config["metric"]
        return config
