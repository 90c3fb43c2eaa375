"""`SpectralNormalization`: a layer whose kernel is divided by its largest singular value while training.

Source for names, arguments and the order of things in a step: Keras 3, `layers/normalization`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front import initializers
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS, InputSpec

from .arguments import Positive
from .base import LayerArguments
from .wrappers import Wrapper


@LAYERS.register()
class SpectralNormalization(Wrapper):
    """A layer whose kernel has the spectral norm 1, as near as power iteration comes to it.

    A step of training replaces the kernel by the normalized one, then computes with it and updates it: the gradient
    is that of the normalized kernel and does not go through the norm. Elsewhere the kernel is taken as it is.

    Args:
        layer: a layer with a weight `kernel` or `embeddings`.
        power_iterations: how often the estimate of the singular vector is improved in each step.

    Shape: that of the layer.
    Weights: kernel of the layer, vector_u (1, last axis of the kernel), the other weights of the layer.
    Raises: ArgumentError for a layer without such a weight.
    Source: Miyato et al. (2018), algorithm 1.

    Example:
        >>> from keras_front.layers import Dense
        >>> SpectralNormalization(Dense(3)).compute_output_shape((None, 4))
        (None, 3)
    """

    def __init__(self, layer: Any, power_iterations: Positive = 1, **kwargs: Unpack[LayerArguments]):
        super().__init__(layer, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if isinstance(input_shape, tuple) and len(input_shape) > 1 and getattr(self.layer, "kernel", None) is not None:
            self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        self.kernel = kernel = self._kernel()
        self.vector_u = self.add_weight(
            "vector_u", (1, kernel.shape[-1]), kernel.dtype, initializers.TruncatedNormal(stddev=0.02), trainable=False
        )

    def _kernel(self) -> Any:
        for name in ("kernel", "embeddings"):
            if isinstance(getattr(self.layer, name, None), K.Variable):
                return getattr(self.layer, name)
        raise ArgumentError(
            f"SpectralNormalization: expected a layer with a weight `kernel` or `embeddings`, received "
            f"{type(self.layer).__name__} {self.layer.name!r}."
        )

    @property
    def weights(self) -> list[Any]:
        """The kernel, `vector_u`, then the other weights of the layer inside, as in files of Keras 3."""
        own = [w for w in (getattr(self, "kernel", None), getattr(self, "vector_u", None)) if w is not None]
        return [*own, *(w for w in self.layer.weights if w is not getattr(self, "kernel", None))]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        def normalized() -> Any:
            self._normalize()
            return self._apply_inner(inputs, mask, training)

        return K.in_train_phase(normalized, lambda: self._apply_inner(inputs, mask, training), training=training)

    def _normalize(self) -> None:
        kernel = self.kernel
        old, u = kernel.read(), self.vector_u.read()
        matrix = K.stop_gradient(K.reshape(old, (-1, kernel.shape[-1])))
        zero = K.all(K.equal(matrix, 0.0))
        new_u = u
        for _ in range(self.power_iterations):
            v = _unit(K.dot(new_u, K.transpose(matrix)))
            new_u = _unit(K.dot(v, matrix))
        norm = K.dot(K.dot(v, matrix), K.transpose(new_u))
        norm = K.where(zero, K.ones_like(norm), norm)
        new = K.reshape(matrix / norm, tuple(kernel.shape))
        self.vector_u.assign(K.where(zero, u, new_u))
        kernel.assign(old + K.stop_gradient(new - old))  # of the value `new`, with the gradient of `old`

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        self.ensure_built(input_shape)
        return self.layer.compute_output_shape(input_shape)


def _unit(x: Any) -> Any:
    """`x` over its length; zeros stay zeros."""
    length = K.square_root(K.sum(K.square(x)))
    return x / K.where(K.equal(length, 0.0), K.ones_like(length), length)
