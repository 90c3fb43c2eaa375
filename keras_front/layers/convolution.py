"""Convolutions: plain, transposed, depthwise and separable, in one to three dimensions.

Kernels are correlation kernels `(spatial..., in, out)` whatever the data format; transposed ones are
`(spatial..., out, in)`.
Source for names, arguments and output sizes: Keras 2.3.1, `keras/layers/convolutional.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import activations, config, constraints, initializers, regularizers
from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS, InputSpec, Layer

from ._arguments import padding_of, positive, sizes


class _Spatial(Layer):
    """What all convolutions share: windows, their format, bias and activation."""

    _rank = 2

    def _window(self, kernel_size: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any) -> None:
        where, rank = type(self).__name__, self._rank
        self.kernel_size = sizes(where, "kernel_size", kernel_size, rank)
        self.strides = sizes(where, "strides", strides, rank)
        self.padding = padding_of(where, padding, causal=rank == 1)
        default = "channels_last" if rank == 1 else None
        self.data_format = config.normalize_data_format(data_format or default)
        self.dilation_rate = sizes(where, "dilation_rate", dilation_rate, rank)
        self.input_spec = InputSpec(ndim=rank + 2)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self._strides_and_dilation:
            raise ArgumentError(
                f"{where}: strides > 1 not supported in conjunction with dilation_rate > 1, received "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}."
            )

    _strides_and_dilation = True

    def _finish(self, activation: Any, use_bias: bool, bias: tuple[Any, Any, Any], activity_regularizer: Any) -> None:
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias[0])
        self.bias_regularizer = regularizers.get(bias[1])
        self.bias_constraint = constraints.get(bias[2])
        self.activity_regularizer = regularizers.get(activity_regularizer)

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
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", (count,), None, self.bias_initializer, self.bias_regularizer, constraint=self.bias_constraint
            )

    def _end(self, outputs: Any) -> Any:
        if self.bias is not None:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)


class _Conv(_Spatial):
    """A convolution of `_rank` dimensions."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        groups: int = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = positive(type(self).__name__, "filters", filters)
        self.groups = positive(type(self).__name__, "groups", groups)
        self._window(kernel_size, strides, padding, data_format, dilation_rate)
        self._finish(activation, use_bias, (bias_initializer, bias_regularizer, bias_constraint), activity_regularizer)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def _add_kernel(self, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            "kernel", shape, None, self.kernel_initializer, self.kernel_regularizer, constraint=self.kernel_constraint
        )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups or self.filters % self.groups:
            raise ArgumentError(
                f"{self.name}: {channels} channels and {self.filters} filters cannot be split into "
                f"{self.groups} groups; both must be divisible by `groups`."
            )
        self.kernel = self._add_kernel((*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        conv = (K.conv1d, K.conv2d, K.conv3d)[self._rank - 1]
        outputs = conv(
            inputs, self.kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate, groups=self.groups,
        )  # fmt: skip
        return self._end(outputs)


@LAYERS.register("Conv1D", "Convolution1D")
class Conv1D(_Conv):
    """Convolution over time; padding 'causal' looks at the past only.

    Shape: (batch, steps, channels) -> (batch, new steps, filters); channels before steps with 'channels_first'.
    Weights: kernel (size, channels / groups, filters); bias (filters,) if `use_bias`.
    """

    _rank = 1


@LAYERS.register("Conv2D", "Convolution2D")
class Conv2D(_Conv):
    """Convolution over images.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters); channels before rows with
        'channels_first'.
    Weights: kernel (rows, columns, channels / groups, filters); bias (filters,) if `use_bias`.
    """


@LAYERS.register("Conv3D", "Convolution3D")
class Conv3D(_Conv):
    """Convolution over volumes.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, filters); channels first on request.
    Weights: kernel (three sizes, channels / groups, filters); bias (filters,) if `use_bias`.
    """

    _rank = 3


# Transposed ------------------------------------------------------------------------------------------


class _ConvTranspose(_Conv):
    """The gradient of a convolution as a layer: it spreads each input over a window."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, **kwargs
        )
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = sizes(type(self).__name__, "output_padding", output_padding, self._rank, least=0)
            for step, extra in zip(self.strides, self.output_padding, strict=True):
                if extra >= step:
                    raise ArgumentError(
                        f"{type(self).__name__}: stride {self.strides} must be greater than output padding "
                        f"{self.output_padding}."
                    )

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add_kernel((*self.kernel_size, self.filters // self.groups, channels))
        self._add_bias(self.filters)
        self.built = True

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
        return self._end(outputs)


def deconv_length(length: Any, stride: int, kernel: int, padding: str, extra: int | None, dilation: int) -> Any:
    """The length that a transposed convolution gives.

    Source: Keras 2.3.1, `keras/utils/conv_utils.py`.
    """
    kernel = (kernel - 1) * dilation + 1
    if extra is None:
        return length * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    cut = kernel // 2 if padding == "same" else 0
    return (length - 1) * stride + kernel - 2 * cut + extra


@LAYERS.register()
class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over time.

    Shape: (batch, steps, channels) -> (batch, new steps, filters)
    Weights: kernel (size, filters, channels); bias (filters,) if `use_bias`.
    """

    _rank = 1


@LAYERS.register("Conv2DTranspose", "Convolution2DTranspose")
class Conv2DTranspose(_ConvTranspose, Conv2D):
    """Transposed convolution over images, also called deconvolution.

    Args:
        output_padding: what is added to the output size, to choose among those that have this input size.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters)
    Weights: kernel (rows, columns, filters, channels); bias (filters,) if `use_bias`.
    """


@LAYERS.register()
class Conv3DTranspose(_ConvTranspose, Conv3D):
    """Transposed convolution over volumes.

    Shape: (batch, three spatial axes, channels) -> (batch, three new axes, filters)
    Weights: kernel (three sizes, filters, channels); bias (filters,) if `use_bias`.
    """


# Depthwise and separable -----------------------------------------------------------------------------


class _Depthwise(_Spatial):
    """Each channel with its own kernels."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**_without_inherited(kwargs))
        self.depth_multiplier = positive(type(self).__name__, "depth_multiplier", depth_multiplier)
        self._window(kernel_size, strides, padding, data_format, dilation_rate)
        self._finish(activation, use_bias, (bias_initializer, bias_regularizer, bias_constraint), activity_regularizer)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def _add_depthwise(self, channels: int) -> None:
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), None,
            self.depthwise_initializer, self.depthwise_regularizer, constraint=self.depthwise_constraint,
        )  # fmt: skip

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
        return self._end(outputs)


def _without_inherited(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments without those that tf_keras writes for these layers although they mean nothing here."""
    idle = {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "filters"}
    return {key: value for key, value in kwargs.items() if key not in idle}


@LAYERS.register()
class DepthwiseConv1D(_Depthwise):
    """Convolution over time, each channel with its own kernels.

    Shape: (batch, steps, channels) -> (batch, new steps, channels * depth_multiplier)
    Weights: depthwise_kernel (size, channels, depth_multiplier); bias if `use_bias`.
    """

    _rank = 1


@LAYERS.register()
class DepthwiseConv2D(_Depthwise):
    """Convolution over images, each channel with its own kernels.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, channels * depth_multiplier)
    Weights: depthwise_kernel (rows, columns, channels, depth_multiplier); bias if `use_bias`.
    """

    def call(self, inputs: Any) -> Any:
        outputs = K.depthwise_conv2d(
            inputs, self.depthwise_kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._end(outputs)


class _SeparableConv(_Depthwise):
    """A depthwise convolution, then one of size 1 across the channels."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias,
            depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, activity_regularizer,
            depthwise_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self.filters = positive(type(self).__name__, "filters", filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self._add_depthwise(channels)
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel", (*(1,) * self._rank, channels * self.depth_multiplier, self.filters), None,
            self.pointwise_initializer, self.pointwise_regularizer, constraint=self.pointwise_constraint,
        )  # fmt: skip
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        conv = (K.separable_conv1d, K.separable_conv2d)[self._rank - 1]
        outputs = conv(
            inputs, self.depthwise_kernel, self.pointwise_kernel, strides=self.strides, padding=self.padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._end(outputs)


@LAYERS.register("SeparableConv1D", "SeparableConvolution1D")
class SeparableConv1D(_SeparableConv):
    """Separable convolution over time.

    Shape: (batch, steps, channels) -> (batch, new steps, filters)
    Weights: depthwise_kernel (size, channels, depth_multiplier); pointwise_kernel (1, channels * depth_multiplier,
        filters); bias (filters,) if `use_bias`.
    """

    _rank = 1


@LAYERS.register("SeparableConv2D", "SeparableConvolution2D")
class SeparableConv2D(_SeparableConv):
    """Separable convolution over images.

    Shape: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters)
    Weights: depthwise_kernel (rows, columns, channels, depth_multiplier); pointwise_kernel (1, 1, channels *
        depth_multiplier, filters); bias (filters,) if `use_bias`.
    """


def conv_output_length(length: int | None, size: int, padding: str, stride: int, dilation: int = 1) -> int | None:
    """The length that a convolution or pooling gives.

    Source: Keras 2.3.1, `keras/utils/conv_utils.py`.
    """
    if length is None:
        return None
    size = (size - 1) * dilation + 1
    covered = length if padding in ("same", "causal") else length - size + 1
    return (covered + stride - 1) // stride
