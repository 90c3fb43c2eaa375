"""Layers that add or multiply noise while training.

Source: Keras 2.3.1, `keras/layers/noise.py`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front.activations import SELU_ALPHA, SELU_SCALE
from keras_front.backend import dtypes
from keras_front.graph.layer import LAYERS

from .arguments import Fraction, NoiseShape, NotNegative, Seed
from .base import Layer, LayerArguments


@LAYERS.register()
class GaussianNoise(Layer):
    """Adds normal noise of deviation `stddev` while training.

    Args:
        stddev: standard deviation of the noise, in the unit of the inputs.
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.

    Shape: as the input.

    Example:
        >>> tuple(GaussianNoise(0.1)(np.ones((1, 3)), training=True).shape)
        (1, 3)
    """

    supports_masking = True

    def __init__(self, stddev: NotNegative, seed: Seed = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        def noised() -> Any:
            noise = K.random_normal(K.shape(inputs), 0.0, self.stddev, dtype=K.dtype(inputs), seed=self.seed)
            return inputs + noise

        return K.in_train_phase(noised, inputs, training=training)


@LAYERS.register()
class GaussianDropout(Layer):
    """Multiplies by normal noise of mean 1 and the deviation that dropout of `rate` has, while training.

    Args:
        rate: as for `Dropout`, from 0 to 1: the noise has the deviation `sqrt(rate / (1 - rate))`. At 0 and at 1 the
            layer does nothing.
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.

    Shape: as the input.
    Source: Srivastava et al. (2014), section 10.

    Example:
        >>> tuple(GaussianDropout(0.5)(np.ones((1, 3)), training=True).shape)
        (1, 3)
    """

    supports_masking = True

    def __init__(self, rate: Fraction, seed: Seed = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0 < self.rate < 1:
            return inputs
        deviation = (self.rate / (1.0 - self.rate)) ** 0.5

        def noised() -> Any:
            return inputs * K.random_normal(K.shape(inputs), 1.0, deviation, dtype=K.dtype(inputs), seed=self.seed)

        return K.in_train_phase(noised, inputs, training=training)


@LAYERS.register()
class AlphaDropout(Layer):
    """Dropout that keeps mean and variance, for networks with `selu`.

    Args:
        rate: the part that is set to the value that `selu` has far on the negative side, from 0 to 1. At 0 and at 1
            the layer does nothing.
        noise_shape: shape of the mask; where it has 1, one decision holds for the whole axis. None, also for one axis:
            as the input.
        seed: of the layer's own stream of noise; by default it follows from `set_random_seed`.

    Shape: as the input.
    Source: Klambauer et al. (2017), section "New Dropout Technique".

    Example:
        >>> AlphaDropout(0.5)(np.ones((1, 3)))  # outside of training nothing happens
        array([[1., 1., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self, rate: Fraction, noise_shape: NoiseShape | None = None, seed: Seed = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0 < self.rate < 1:
            return inputs
        return K.in_train_phase(lambda: self._dropped(inputs), inputs, training=training)

    def _dropped(self, inputs: Any) -> Any:
        low = -SELU_ALPHA * SELU_SCALE  # what a neuron is set to
        dtype = K.dtype(inputs)
        shape = K.shape(inputs)
        if self.noise_shape is not None:
            shape = tuple(shape[i] if n is None else n for i, n in enumerate(self.noise_shape))
        drawn = K.random_uniform(shape, dtype=dtypes.as_single(dtype), seed=self.seed)
        kept = K.cast(drawn >= self.rate, dtype)
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        return scale * (inputs * kept + low * (1 - kept)) - scale * low * self.rate
