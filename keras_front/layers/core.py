"""The layers that every model has: Dense, Activation, Dropout, and those that only move axes about.

Source for names, arguments and formulas: Keras 2.3.1, `keras/layers/core.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import regularizers
from keras_front.errors import ArgumentError, ShapeError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS, InputSpec

from .adaptation import Adaptable, AdaptableWeight
from .arguments import (
    ActivationFunction,
    Constraint,
    DataFormat,
    Flag,
    Initializer,
    Integers,
    NoiseShape,
    Number,
    Positive,
    Rate,
    Regularizer,
    Scalars,
    Seed,
)
from .base import AdaptableArguments, Layer, LayerArguments


@LAYERS.register()
class Dense(Adaptable):
    """`activation(x @ kernel + bias)` along the last axis: each output sees every input feature.

    Inputs with more than two axes are not flattened: the same weights act at every place of the axes in between.

    Args:
        units: number of output features, a positive integer.
        activation: function of the outputs: a name such as 'relu', a function of K, or a layer. None for none.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel. The default keeps the variance of signals from layer to layer.
        bias_initializer: first values of the bias; zeros, since the kernel already breaks the symmetry.
        kernel_regularizer: penalty on the kernel, added to the loss: 'l2', `L1L2(...)`, a function of the weight.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output, after the activation.
        kernel_constraint: function that the kernel must pass after each step, such as 'non_neg' or `MaxNorm(2)`.
        bias_constraint: the same for the bias.

    Shape: (batch, ..., n) -> (batch, ..., units)
    Weights: kernel (n, units); bias (units,) if `use_bias`.
    Raises: ShapeError when it is built if the size of the last axis is unknown.
    Source: Keras 2.3.1, `keras/layers/core.py`.
    Example:
        >>> Dense(4, activation="relu").compute_output_shape((None, 10, 3))
        (None, 10, 4)
    """

    supports_masking = True
    kernel = AdaptableWeight()

    def __init__(
        self,
        units: Positive,
        activation: ActivationFunction = None,
        use_bias: Flag = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Unpack[AdaptableArguments],
    ):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise ShapeError(
                f"{self.name}: The last dimension of the inputs to `Dense` should be defined. Found `None`. Full input "
                f"shape received: {tuple(input_shape)}. Give the sizes that are not known where the model begins, as "
                "Input((10,)) or input_length=10 of Embedding; or take a mean over them, by GlobalAveragePooling1D."
            )
        self.kernel = self.add_weight("kernel", (size, self.units))
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.built = True
        self._adapt()

    def call(self, inputs: Any) -> Any:
        output = self._product(inputs, K.dot)
        if self.bias is not None:
            output = K.bias_add(output, self.bias, data_format="channels_last")
        return self.activation(output)


@LAYERS.register()
class Activation(Layer):
    """A function of each element, or of the last axis for `softmax`.

    Args:
        activation: a name such as 'relu', a function of K, or a layer. None for the input itself.

    Shape: as the input.
    Example:
        >>> layer = Activation("relu")
        >>> layer(np.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation: ActivationFunction, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


# Dropout ---------------------------------------------------------------------------------------------


@LAYERS.register()
class Dropout(Layer):
    """Sets a part `rate` of the elements to 0 while training, and scales up the others so that the mean stays.

    Args:
        rate: the part that is dropped, from 0 (nothing) to 1; what lies outside is clipped.
        noise_shape: shape of the mask; where it has 1, one decision holds for the whole axis, and None stands for the
            size of the input. By default each element has a decision of its own.
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.

    Shape: as the input.
    Source: Srivastava et al. (2014); the scaling is done while training, so that inference does nothing.
    Example:
        >>> Dropout(0.5)(np.ones(3)).tolist()
        [1.0, 1.0, 1.0]
    """

    supports_masking = True

    def __init__(
        self, rate: Rate, noise_shape: NoiseShape | None = None, seed: Seed = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)

    def _mask_shape(self) -> Sequence[Any] | None:
        return self.noise_shape

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0 < self.rate < 1:
            return inputs
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.rate, self._mask_shape(), seed=self.seed), inputs, training=training
        )


@LAYERS.register()
class SpatialDropout1D(Dropout):
    """Dropout of whole channels of sequences, whose neighbouring steps are too alike to be dropped one by one.

    Shape: (batch, steps, channels), as the input.
    Source: Tompson et al. (2015).

    Example:
        >>> SpatialDropout1D(0.5)(np.ones((1, 2, 2))).tolist()  # outside of training nothing happens
        [[[1.0, 1.0], [1.0, 1.0]]]
    """

    file_form = FileForm(omitted={"noise_shape": None, "trainable": True})

    def __init__(self, rate: Rate, **kwargs: Any):
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _mask_shape(self) -> Sequence[Any]:
        return (None, 1, None)


class _SpatialDropout(Dropout):
    """Dropout of whole channels; `_rank` spatial axes.

    Args:
        data_format: 'channels_last' or 'channels_first': where the channels stand. By default what
            `keras_front.config.image_data_format()` says.
    """

    file_form = FileForm(omitted={"noise_shape": None, "trainable": True})

    _rank = 2

    def __init__(self, rate: Rate, data_format: DataFormat = None, **kwargs: Any):
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _mask_shape(self) -> Sequence[Any]:
        ones = (1,) * self._rank
        return (None, None, *ones) if self.data_format == "channels_first" else (None, *ones, None)


@LAYERS.register()
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images, whose neighbouring pixels are too alike to be dropped one by one.

    Shape: (batch, rows, columns, channels), or channels before rows with 'channels_first'; as the input.
    Source: Tompson et al. (2015).

    Example:
        >>> tuple(SpatialDropout2D(0.5)(np.ones((1, 4, 4, 3)), training=True).shape)
        (1, 4, 4, 3)
    """


@LAYERS.register()
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes, whose neighbouring places are too alike to be dropped one by one.

    Shape: (batch, three spatial axes, channels), or channels first; as the input.
    Source: Tompson et al. (2015).

    Example:
        >>> tuple(SpatialDropout3D(0.5)(np.ones((1, 2, 2, 2, 3)), training=True).shape)
        (1, 2, 2, 2, 3)
    """

    _rank = 3


# Axes ------------------------------------------------------------------------------------------------


@LAYERS.register()
class Flatten(Layer):
    """All axes but the batch in one, in the order of 'channels_last'.

    Args:
        data_format: 'channels_last' or 'channels_first': where the channels stand in the input. They are moved to the
            end first, so that weights after this layer fit both. By default what
            `keras_front.config.image_data_format()` says.

    Shape: (batch, ...) -> (batch, n)
    Example:
        >>> Flatten().compute_output_shape((None, 4, 3))
        (None, 12)
    """

    def __init__(self, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        ndim = K.ndim(inputs)
        if ndim == 1:
            return K.expand_dims(inputs, -1)
        if self.data_format == "channels_first" and ndim > 2:
            inputs = K.permute_dimensions(inputs, (0, *range(2, ndim), 1))
        return K.batch_flatten(inputs)


@LAYERS.register()
class Reshape(Layer):
    """The elements of each sample in another shape.

    Args:
        target_shape: new shape without the batch; one size may be -1, to be worked out.

    Shape: (batch, ...) -> (batch, *target_shape)
    Raises:
        ArgumentError: for more than one -1.
        ShapeError: if the number of elements is another one.
    Example:
        >>> Reshape((2, -1)).compute_output_shape((None, 6))
        (None, 2, 3)
    """

    def __init__(self, target_shape: Integers, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError(
                f"Reshape: expected target_shape with at most one size of -1, received {self.target_shape}."
            )

    def _resolved(self, shape: tuple[Any, ...]) -> tuple[int, ...]:
        """The target shape with -1 worked out, if the input shape is known."""
        if None in shape[1:]:
            return self.target_shape
        size, known = math.prod(shape[1:]), math.prod(n for n in self.target_shape if n != -1)
        fits = known == size if -1 not in self.target_shape else known and size % known == 0
        if not fits:
            raise ShapeError(
                f"{self.name}: total size of new array must be unchanged; cannot reshape {tuple(shape[1:])} ({size} "
                f"elements) to {self.target_shape}."
            )
        return tuple(size // known if n == -1 else n for n in self.target_shape)

    def call(self, inputs: Any) -> Any:
        target = self._resolved(K.int_shape(inputs))
        if -1 in target:
            return K.reshape(inputs, (K.shape(inputs)[0], *target))
        return K.reshape(inputs, (-1 if 0 not in target else K.shape(inputs)[0], *target))


@LAYERS.register()
class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: for each new axis the old one, counted from 1; the batch is not counted.

    Shape: (batch, *sizes) -> (batch, *(sizes[d - 1] for d in dims))
    Raises: ArgumentError if `dims` does not name each axis once.
    Example:
        >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
        (None, 64, 10)
    """

    def __init__(self, dims: Integers, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"Permute: expected each axis from 1 to {len(self.dims)} once, received dims={self.dims}. The batch "
                "axis is not counted."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return K.permute_dimensions(inputs, (0, *self.dims))


@LAYERS.register()
class RepeatVector(Layer):
    """Each sample `n` times, as a sequence.

    Args:
        n: how many steps the sequence has.

    Shape: (batch, features) -> (batch, n, features)
    Example:
        >>> RepeatVector(2)(np.array([[1.0, 2.0]])).tolist()
        [[[1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: Positive, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)


@LAYERS.register("Identity", "TFDIdentity")  # the second in feature spaces of Keras 3
class Identity(Layer):
    """The input itself.

    Shape: as the input.

    Example:
        >>> Identity()(np.array([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


@LAYERS.register()
class Rescaling(Layer):
    """`inputs * scale + offset`, as to bring pixels from [0, 255] to [0, 1].

    Args:
        scale: a number, or an array that fits the last axes, such as one number for each channel.
        offset: the same, added after the product.

    Shape: as the input; integers become floats.
    Source: Keras 3, `layers/preprocessing/rescaling.py`.
    Example:
        >>> Rescaling(1 / 255)(np.array([0, 255])).tolist()
        [0.0, 1.0]
    """

    supports_masking = True

    def __init__(self, scale: Scalars, offset: Scalars = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        dtype = self._dtype_here()
        scale, offset = (np.asarray(n, dtype if dtype != "bfloat16" else "float32") for n in (self.scale, self.offset))
        return K.add(K.multiply(K.cast(inputs, dtype), scale), offset)


# Masking, penalties ----------------------------------------------------------------------------------


@LAYERS.register()
class Masking(Layer):
    """Masks the steps whose features all equal `mask_value`, and sets them to 0.

    Later layers that know masks ignore these steps; one that does not raises an error.

    Args:
        mask_value: what every feature of a step that is padding has.

    Shape: (batch, steps, features), as the input; mask (batch, steps).
    Example:
        >>> layer = Masking(mask_value=-1.0)
        >>> layer.compute_mask(np.array([[[1.0, -1.0], [-1.0, -1.0]]])).tolist()
        [[True, False]]
    """

    supports_masking = True

    def __init__(self, mask_value: Scalars = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        kept = K.any(K.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * K.cast(kept, K.dtype(inputs))


@LAYERS.register()
class ActivityRegularization(Layer):
    """The input itself, with a penalty on it: `l1 * sum(|x|) + l2 * sum(x**2)`, added to the loss.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.

    Shape: as the input.

    Example:
        >>> layer = ActivityRegularization(l2=0.1)
        >>> layer(np.array([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """

    supports_masking = True

    def __init__(self, l1: Number = 0.0, l2: Number = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.activity_regularizer = regularizers.L1L2(l1=self.l1, l2=self.l2)

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "activity_regularizer"}
