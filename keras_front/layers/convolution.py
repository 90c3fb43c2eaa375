"""Convolutions: plain, transposed, depthwise and separable, in one to three dimensions.

Kernels are correlation kernels `(spatial..., in, out)` whatever the data format; transposed ones are
`(spatial..., out, in)`.
Source for names, arguments and output sizes: Keras 2.3.1, `keras/layers/convolutional.py`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front import conventions
from keras_front.errors import ArgumentError, ShapeError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS, InputSpec
from keras_front.utils.conv_utils import deconv_length

from .adaptation import Adaptable, AdaptableWeight
from .arguments import (
    ActivationFunction,
    Constraint,
    ConvPadding,
    DataFormat,
    Flag,
    Initializer,
    OutputPadding,
    Positive,
    Regularizer,
    Size,
)
from .base import AdaptableArguments, CommonArguments, Layer, LayerArguments


class _Spatial(Layer):
    """What all convolutions share: windows, their format, bias and activation.

    Args:
        filters: number of output channels.
        kernel_size: size of the window, one number for all axes or one for each.
        strides: by how much the window moves, one number or one for each axis.
        padding: 'valid' (only whole windows), 'same' (zeros around, so that with strides of 1 the size stays) or, in
            one dimension, 'causal' (zeros before, so that no output sees what comes after it).
        data_format: 'channels_last' (batch, ..., channels) or 'channels_first' (batch, channels, ...). By default what
            `keras_front.config.image_data_format()` says, and 'channels_last' in one dimension.
        dilation_rate: distance between the inputs that neighbours in the kernel see, 1 for adjacent ones.
        activation: function of the outputs: a name such as 'relu', a function of K, or a layer. None for none.
        use_bias: whether a bias is added for each filter.
        kernel_initializer: first values of the kernel. The default keeps the variance of signals from layer to layer.
        bias_initializer: first values of the bias; zeros, since the kernel already breaks the symmetry.
        kernel_regularizer: penalty on the kernel, added to the loss: 'l2', `L1L2(...)`, a function of the weight.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output, after the activation.
        kernel_constraint: function that the kernel must pass after each step, such as `MaxNorm(2)`.
        bias_constraint: the same for the bias.
    """

    _rank = 2

    def __init__(self, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _channels(self, input_shape: Any) -> int:
        """The number of input channels, which must be known."""
        axis = 1 if self.data_format == "channels_first" else -1
        found = input_shape[axis]
        if found is None:
            raise ShapeError(
                f"{self.name}: the channel dimension of the inputs should be defined. Found None in the input shape "
                f"{tuple(input_shape)}."
            )
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={axis: found})
        return found

    def _add_bias(self, count: int) -> None:
        self.bias = self.add_weight("bias", (count,)) if self.use_bias else None

    def _add_bias_and_activate(self, outputs: Any) -> Any:
        if self.bias is not None:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)


def check_dilation(layer: Any) -> None:
    """Raise ArgumentError where a layer has both strides and dilation, as no version of Keras computes that.

    Args:
        layer: one with `strides` and `dilation_rate`.
    """
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        raise ArgumentError(
            f"{type(layer).__name__}: expected strides or dilation_rate to be 1 (`strides > 1` not supported in "
            f"conjunction with `dilation_rate > 1`), received strides={layer.strides} and "
            f"dilation_rate={layer.dilation_rate}."
        )


class _Conv(Adaptable, _Spatial):
    """A convolution of `_rank` dimensions.

    Args:
        groups: into how many groups channels and filters are cut; each group of filters sees its own channels only.
            Both numbers must be divisible by it. 1 is an ordinary convolution.

    Raises:
        ArgumentError: for a size that is not positive, a padding that does not exist, groups that do not divide.
        ShapeError: when it is built if the number of channels is unknown.
    """

    kernel = AdaptableWeight()
    modes = ()  # int8 is for products of matrices

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvPadding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        groups: Positive = 1,
        **kwargs: Unpack[AdaptableArguments],
    ):
        super().__init__(**kwargs)
        check_dilation(self)
        if self.filters % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}: expected filters to be divisible by groups, received filters={self.filters} "
                f"and groups={self.groups}."
            )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups or self.filters % self.groups:
            raise ArgumentError(
                f"{self.name}: {channels} channels and {self.filters} filters cannot be split into "
                f"{self.groups} groups; both must be divisible by `groups`."
            )
        self.kernel = self.add_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)
        self.built = True
        self._adapt()

    def call(self, inputs: Any) -> Any:
        conv = (K.conv1d, K.conv2d, K.conv3d)[self._rank - 1]
        outputs = conv(
            inputs, self.kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate, groups=self.groups,
        )  # fmt: skip
        return self._add_bias_and_activate(outputs)


@LAYERS.register("Conv1D", "Convolution1D")
class Conv1D(_Conv):
    """Convolution over time: each output sees a window of steps; padding 'causal' looks at the past only.

    Shape: (batch, steps, channels) -> (batch, new steps, filters); channels before steps with 'channels_first'.
    Weights: kernel (size, channels / groups, filters); bias (filters,) if `use_bias`.
    Example:
        >>> Conv1D(32, 3, padding="causal").compute_output_shape((None, 10, 8))
        (None, 10, 32)
    """

    _rank = 1

    def build(self, input_shape: Any) -> None:
        if (
            self.padding == "causal"
            and self.data_format == "channels_first"
            and conventions.current().causal_wants_channels_last
        ):
            raise ArgumentError('padding="causal": `data_format` must be "channels_last", received "channels_first".')
        super().build(input_shape)


@LAYERS.register("Conv2D", "Convolution2D")
class Conv2D(_Conv):
    """Convolution over images: each output sees a window of pixels, with the same weights everywhere.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters); channels before rows with
        'channels_first'. With 'same' the new size is `ceil(size / stride)`, with 'valid'
        `ceil((size - (kernel_size - 1) * dilation_rate) / stride)`.
    Weights: kernel (rows, columns, channels / groups, filters); bias (filters,) if `use_bias`.
    Example:
        >>> Conv2D(16, 3, strides=2, padding="same", activation="relu").compute_output_shape((None, 28, 28, 1))
        (None, 14, 14, 16)
    """


@LAYERS.register("Conv3D", "Convolution3D")
class Conv3D(_Conv):
    """Convolution over volumes: each output sees a window along three axes, with the same weights everywhere.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, filters); channels before the spatial axes
        with 'channels_first'. Sizes as for `Conv2D`.
    Weights: kernel (three sizes, channels / groups, filters); bias (filters,) if `use_bias`.

    Example:
        >>> Conv3D(8, 3).compute_output_shape((None, 10, 10, 10, 1))
        (None, 8, 8, 8, 8)
    """

    _rank = 3


# Transposed ------------------------------------------------------------------------------------------


class _ConvTranspose(_Conv):
    """The gradient of a convolution as a layer: it spreads each input over a window.

    Args:
        output_padding: what is added to the output size at its end, to choose among the sizes that a convolution takes
            to that of the input; less than `strides`. None for the smallest with 'valid', and for `strides * size`
            with 'same'.
        strides: by how much the places of neighbouring inputs differ in the output.
    """

    file_form = FileForm(omitted={"groups": 1})

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvPadding = "valid",
        output_padding: OutputPadding | None = None,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        **kwargs: Any,
    ):
        super().__init__(filters, kernel_size, **kwargs)
        for step, extra in zip(self.strides, self.output_padding or (), strict=False):
            if extra >= step:
                raise ArgumentError(
                    f"{type(self).__name__}: expected output_padding to be less than strides: stride {self.strides} "
                    f"must be greater than output padding {self.output_padding}."
                )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight("kernel", (*self.kernel_size, self.filters // self.groups, channels))
        self._add_bias(self.filters)
        self.built = True
        self._adapt()

    def call(self, inputs: Any) -> Any:
        found = [K.shape(inputs)[i] if d is None else d for i, d in enumerate(K.int_shape(inputs))]
        first = self.data_format == "channels_first"
        lengths = found[2:] if first else found[1:-1]
        extra = self.output_padding or (None,) * self._rank
        new = [
            deconv_length(n, s, k, self.padding, e, d)
            for n, s, k, e, d in zip(lengths, self.strides, self.kernel_size, extra, self.dilation_rate, strict=True)
        ]
        shape = (found[0], self.filters, *new) if first else (found[0], *new, self.filters)
        outputs = K.conv_input_gradient(
            inputs, K.identity(self.kernel), shape, self.strides, self.padding, self.dilation_rate, self.groups,
            self.data_format,
        )  # fmt: skip
        return self._add_bias_and_activate(outputs)


@LAYERS.register()
class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over time, which makes sequences longer.

    Shape: (batch, steps, channels) -> (batch, new steps, filters)
    Weights: kernel (size, filters, channels); bias (filters,) if `use_bias`.

    Example:
        >>> Conv1DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 10, 3))
        (None, 20, 8)
    """

    _rank = 1


@LAYERS.register("Conv2DTranspose", "Convolution2DTranspose")
class Conv2DTranspose(_ConvTranspose, Conv2D):
    """Transposed convolution over images, which makes them larger; also called deconvolution.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters)
    Weights: kernel (rows, columns, filters, channels); bias (filters,) if `use_bias`.
    Source: Zeiler et al. (2010); Dumoulin & Visin (2016), chapter 4.
    Example:
        >>> Conv2DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 7, 7, 16))
        (None, 14, 14, 8)
    """


@LAYERS.register()
class Conv3DTranspose(_ConvTranspose, Conv3D):
    """Transposed convolution over volumes, which makes them larger.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, filters)
    Weights: kernel (three sizes, filters, channels); bias (filters,) if `use_bias`.

    Example:
        >>> Conv3DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 4, 4, 4, 1))
        (None, 8, 8, 8, 8)
    """


# Depthwise and separable -----------------------------------------------------------------------------


class _Depthwise(_Spatial):
    """Each channel with its own kernels.

    Args:
        depth_multiplier: how many outputs each channel gives.
        depthwise_initializer: first values of the kernels. The default keeps the variance of signals.
        depthwise_regularizer: penalty on the kernels of the channels, added to the loss.
        depthwise_constraint: function that the kernels must pass after each step, such as `MaxNorm(2)`.

    Raises:
        ArgumentError: for a size that is not positive or a padding that does not exist.
        ShapeError: when it is built if the number of channels is unknown.
    """

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvPadding = "valid",
        depth_multiplier: Positive = 1,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        depthwise_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        depthwise_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        depthwise_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Unpack[CommonArguments],
    ):
        super().__init__(**_without_inherited(dict(kwargs)))
        check_dilation(self)

    def _add_depthwise(self, channels: int) -> None:
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self.add_weight("depthwise_kernel", shape)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self._add_depthwise(channels)
        self._add_bias(channels * self.depth_multiplier)
        self.built = True

    def call(self, inputs: Any) -> Any:
        kernel = K.reshape(self.depthwise_kernel, (*self.kernel_size, 1, -1))
        conv = (K.conv1d, K.conv2d)[self._rank - 1]
        outputs = conv(
            inputs, kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate, groups=self.depthwise_kernel.shape[-2],
        )  # fmt: skip
        return self._add_bias_and_activate(outputs)


def _without_inherited(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments without those that tf_keras writes for these layers although they mean nothing here."""
    idle = {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "filters"}
    return {key: value for key, value in kwargs.items() if key not in idle}


@LAYERS.register()
class DepthwiseConv1D(_Depthwise):
    """Convolution over time, each channel with its own kernels.

    Shape: (batch, steps, channels) -> (batch, new steps, channels * depth_multiplier)
    Weights: depthwise_kernel (size, channels, depth_multiplier); bias if `use_bias`.

    Example:
        >>> DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((None, 10, 3))
        (None, 8, 6)
    """

    _rank = 1


@LAYERS.register()
class DepthwiseConv2D(_Depthwise):
    """Convolution over images, each channel with its own kernels.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels * depth_multiplier)
    Weights: depthwise_kernel (rows, columns, channels, depth_multiplier); bias if `use_bias`.

    Example:
        >>> DepthwiseConv2D(3, depth_multiplier=2).compute_output_shape((None, 10, 10, 3))
        (None, 8, 8, 6)
    """

    def call(self, inputs: Any) -> Any:
        outputs = K.depthwise_conv2d(
            inputs, self.depthwise_kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._add_bias_and_activate(outputs)


class _SeparableConv(_Depthwise):
    """A depthwise convolution, then one of size 1 across the channels: far fewer weights than a whole one.

    Args:
        pointwise_initializer: first values of the kernel across the channels.
        pointwise_regularizer: penalty on that kernel, added to the loss.
        pointwise_constraint: function that that kernel must pass after each step.
    """

    def __init__(
        self,
        filters: Positive,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvPadding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        depth_multiplier: Positive = 1,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        depthwise_initializer: Initializer = "glorot_uniform",
        pointwise_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        depthwise_regularizer: Regularizer = None,
        pointwise_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        depthwise_constraint: Constraint = None,
        pointwise_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Unpack[CommonArguments],
    ):
        super().__init__(kernel_size, **kwargs)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self._add_depthwise(channels)
        shape = (*(1,) * self._rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self.add_weight("pointwise_kernel", shape)
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        conv = (K.separable_conv1d, K.separable_conv2d)[self._rank - 1]
        outputs = conv(
            inputs, self.depthwise_kernel, self.pointwise_kernel, strides=self.strides, padding=self.padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._add_bias_and_activate(outputs)


@LAYERS.register("SeparableConv1D", "SeparableConvolution1D")
class SeparableConv1D(_SeparableConv):
    """Separable convolution over time: each channel by itself, then all channels at each step.

    Shape: (batch, steps, channels) -> (batch, new steps, filters)
    Weights: depthwise_kernel (size, channels, depth_multiplier); pointwise_kernel (1, channels * depth_multiplier,
        filters); bias (filters,) if `use_bias`.

    Example:
        >>> SeparableConv1D(8, 3).compute_output_shape((None, 10, 3))
        (None, 8, 8)
    """

    _rank = 1


@LAYERS.register("SeparableConv2D", "SeparableConvolution2D")
class SeparableConv2D(_SeparableConv):
    """Separable convolution over images: each channel by itself, then all channels at each pixel.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters)
    Weights: depthwise_kernel (rows, columns, channels, depth_multiplier); pointwise_kernel (1, 1, channels *
        depth_multiplier, filters); bias (filters,) if `use_bias`.

    Example:
        >>> SeparableConv2D(8, 3, padding="same").compute_output_shape((None, 10, 10, 3))
        (None, 10, 10, 8)
    """
