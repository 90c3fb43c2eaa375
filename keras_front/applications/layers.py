"""Layers that tf.keras has in its applications alone. They are found by name, so that files of these nets are read."""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.graph.layer import LAYERS
from keras_front.initializers import Constant
from keras_front.layers.arguments import Number, Positive, Rate
from keras_front.layers.base import Layer, LayerArguments

__all__ = ["CustomScaleLayer", "LayerScale", "StochasticDepth"]


@LAYERS.register()
class CustomScaleLayer(Layer):
    """`first + scale * second` of a list of two tensors.

    Args:
        scale: the number.

    Shape: two tensors of one shape -> that shape
    Source: tf_keras 2.21, `applications/inception_resnet_v2.py`.
    """

    def __init__(self, scale: Number, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale


@LAYERS.register()
class LayerScale(Layer):
    """Each channel multiplied by a learned number that starts small.

    Args:
        init_values: the first value.
        projection_dim: number of channels.

    Shape: (..., projection_dim) -> the same
    Weights: gamma (projection_dim,)
    Source: Touvron et al. (2021), equation 4; tf_keras 2.21, `applications/convnext.py`.
    """

    def __init__(self, init_values: Number, projection_dim: Positive, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight("gamma", (self.projection_dim,), initializer=Constant(self.init_values))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs * self.gamma


@LAYERS.register()
class StochasticDepth(Layer):
    """While training whole samples become 0, and the others larger for it.

    Args:
        drop_path_rate: the share of samples.

    Shape: as the input
    Source: Huang et al. (2016), equation 5; tf_keras 2.21, `applications/convnext.py`.
    """

    def __init__(self, drop_path_rate: Rate, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        shape = (None, *[1] * (K.ndim(inputs) - 1))
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.drop_path_rate, noise_shape=shape), lambda: inputs, training=training
        )
