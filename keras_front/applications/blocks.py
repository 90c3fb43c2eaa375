"""What the layers of one net have in common: where its channels are, and how its batches are normalized.

Source: He et al. (2015) for convolution, normalization, activation in this order.
"""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front import layers as L

__all__ = ["Blocks", "relu"]


class Blocks:
    """Makes layers and calls them.

    Args:
        epsilon: added to the variance by batch normalization.
        momentum: of its running statistics.
        scale: whether it scales the channels; not needed before a ReLU.
        initializer: first values of kernels.
        padding: of convolutions, unless they say otherwise.
        bias: whether convolutions have a bias, unless they say otherwise.
    """

    def __init__(
        self,
        epsilon: float = 1e-3,
        momentum: float = 0.99,
        scale: bool = True,
        initializer: Any = "glorot_uniform",
        padding: str = "same",
        bias: bool = False,
    ):
        self.axis = 1 if config.image_data_format() == "channels_first" else 3
        self._norm = {"axis": self.axis, "epsilon": epsilon, "momentum": momentum, "scale": scale}
        self._kernel = {"padding": padding, "use_bias": bias}
        self._initializer = initializer

    def conv(self, x: Any, filters: int, size: Any = 1, strides: Any = 1, name: str | None = None, **more: Any) -> Any:
        """A convolution.

        Args:
            x: symbolic tensor of images.
            filters: number of output channels.
            size: of the window.
            strides: of the window.
            name: of the layer.
            more: further arguments of `Conv2D`.
        """
        given = {**self._kernel, "kernel_initializer": self._initializer, **more}
        return L.Conv2D(filters, size, strides=strides, name=name, **given)(x)

    def depthwise(self, x: Any, size: Any, strides: Any = 1, name: str | None = None, **more: Any) -> Any:
        """A convolution of each channel by itself.

        Args:
            x: symbolic tensor of images.
            size: of the window.
            strides: of the window.
            name: of the layer.
            more: further arguments of `DepthwiseConv2D`.
        """
        given = {**self._kernel, "depthwise_initializer": self._initializer, **more}
        return L.DepthwiseConv2D(size, strides=strides, name=name, **given)(x)

    def separable(self, x: Any, filters: int, size: Any, strides: Any = 1, name: str | None = None, **more: Any) -> Any:
        """A convolution of each channel by itself, then one of all channels at each place.

        Args:
            x: symbolic tensor of images.
            filters: number of output channels.
            size: of the window.
            strides: of the window.
            name: of the layer.
            more: further arguments of `SeparableConv2D`.
        """
        return L.SeparableConv2D(filters, size, strides=strides, name=name, **{**self._kernel, **more})(x)

    def norm(self, x: Any, name: str | None = None, **more: Any) -> Any:
        """Batch normalization.

        Args:
            x: symbolic tensor of images.
            name: of the layer.
            more: further arguments of `BatchNormalization`.
        """
        return L.BatchNormalization(name=name, **{**self._norm, **more})(x)

    def concatenate(self, parts: list[Any], name: str | None = None) -> Any:
        """Tensors side by side along their channels.

        Args:
            parts: the tensors.
            name: of the layer.
        """
        return L.Concatenate(axis=self.axis, name=name)(parts)

    def channels(self, x: Any) -> int:
        """The number of channels.

        Args:
            x: symbolic tensor of images.
        """
        return x.shape[self.axis]

    def size(self, x: Any) -> tuple[Any, ...]:
        """Rows and columns; None where they are not known.

        Args:
            x: symbolic tensor of images.
        """
        return tuple(x.shape[2:] if self.axis == 1 else x.shape[1:3])

    def padding_before_stride(self, x: Any, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The zeros around `x` with which windows of stride 2 see what they saw in TensorFlow's 'same' padding.

        Args:
            x: symbolic tensor of images.
            size: of the window.

        Sizes that are not known are taken for even ones, as in Keras.
        """
        half = size // 2
        rows, columns = (half - (n is None or n % 2 == 0) for n in self.size(x))
        return (rows, half), (columns, half)


def relu(x: Any, name: str | None = None) -> Any:
    """The layer `Activation('relu')`.

    Args:
        x: symbolic tensor.
        name: of the layer.
    """
    return L.Activation("relu", name=name)(x)
