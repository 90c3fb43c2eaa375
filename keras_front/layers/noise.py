"""Layers that add or multiply noise while training.

Source: Keras 2.3.1, `keras/layers/noise.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front.activations import SELU_ALPHA, SELU_SCALE
from keras_front.graph.layer import LAYERS, Layer

from ._arguments import fraction


@LAYERS.register()
class GaussianNoise(Layer):
    """Adds normal noise of deviation `stddev` while training.

    Shape: as the input.
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        def noised() -> Any:
            noise = K.random_normal(K.shape(inputs), 0.0, self.stddev, dtype=K.dtype(inputs), seed=self.seed)
            return inputs + noise

        return K.in_train_phase(noised, inputs, training=training)


@LAYERS.register()
class GaussianDropout(Layer):
    """Multiplies by normal noise of mean 1 and the deviation that dropout of `rate` has.

    Shape: as the input. Source: Srivastava et al. (2014), section 10.
    """

    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate, self.seed = fraction("GaussianDropout", "rate", rate), seed

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
        noise_shape: shape of the mask; where it has 1, one decision holds for the whole axis. None, also for one axis:
            as the input.
        seed: of the mask's stream, by default the run's.

    Shape: as the input. Source: Klambauer et al. (2017), section "New Dropout Technique".
    """

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Sequence[Any] | None = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = fraction("AlphaDropout", "rate", rate)
        self.noise_shape = tuple(noise_shape) if noise_shape is not None else None
        self.seed = seed

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
        kept = K.cast(K.random_uniform(shape, dtype=dtype, seed=self.seed) >= self.rate, dtype)
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        return scale * (inputs * kept + low * (1 - kept)) - scale * low * self.rate
