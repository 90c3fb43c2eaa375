"""`Pipeline`: layers one after the other, for preparing data.

Source: Keras 3, `layers/preprocessing/pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS

from .base import Layer, LayerArguments


@LAYERS.register()
class Pipeline(Layer):
    """Layers applied one after the other, as one layer.

    Args:
        layers: the layers.

    Shape: that of the last layer's output.
    Example:
        >>> from keras_front.layers import Rescaling
        >>> Pipeline([Rescaling(2.0), Rescaling(1.0, offset=1.0)])(np.array([[1.0]])).tolist()
        [[3.0]]
    """

    file_form = FileForm(omitted={"trainable": True, "dtype": "float32"})

    _casts_inputs = False

    def __init__(self, layers: Sequence[Any], **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """What the last layer gives.

        Args:
            inputs: what the first layer takes.
            training: for the layers that look at it.
        """
        given = {} if training is None else {"training": training}
        for layer in self._pipeline_layers:
            inputs = layer(inputs, **given)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers as their configs, and what every layer has."""
        return {**super().get_config(), "layers": [LAYERS.serialize(layer) for layer in self._pipeline_layers]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """A pipeline of new layers.

        Args:
            config: what `get_config` returned.
            custom_objects: classes of yours by the names that they have in the config.
        """
        layers = [LAYERS.deserialize(layer, custom_objects) for layer in config["layers"]]
        return cls(layers, **{k: v for k, v in config.items() if k != "layers"})
