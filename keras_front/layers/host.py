"""Layers of strings in a model: what they give is computed on the host, from the data, before a step.

No backend has tensors of strings. A layer that takes them may be called on an `Input`, or on what is computed from
inputs without weights: in a step it gives what the model feeds. See `keras_front/graph/host_stage.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front.backend.eager_tensors import answered
from keras_front.backend.symbolic import leaves_of
from keras_front.graph import call_context, host_stage
from keras_front.graph.layer import Layer


class HostLayer(Layer):
    """A layer that runs on the host: on arrays and lists, or in a model on the data before each step."""

    runs_on_host = True
    _casts_inputs = False

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer.

        Args:
            inputs: array, list or scalar; or a symbolic tensor that depends on no weights.
            args, kwargs: ignored.

        Raises: DtypeError for a symbolic tensor that depends on weights.
        """
        if any(True for _ in leaves_of([inputs])):
            if call_context.current() is None:
                host_stage.check_untrained(self, inputs)
            return super().__call__(inputs)
        self.built = True
        return answered(self.on_host(inputs))

    def call(self, inputs: Any) -> Any:
        """The output, in a step what was computed before.

        Args:
            inputs: array, tensor or symbol.
        """
        symbolic = any(True for _ in leaves_of([inputs]))
        return host_stage.output_of(self, inputs) if symbolic else self.on_host(inputs)

    def on_host(self, inputs: Any) -> Any:
        """The output for arrays.

        Args:
            inputs: array, list or scalar, or a list of them for a layer of several inputs.
        """
        raise NotImplementedError

    def host_output(self, shape: Any) -> tuple[tuple[Any, ...], str]:
        """Shape and dtype of the output for an input of a shape, sizes that depend on the data being None.

        Args:
            shape: the shape of the input, with the batch axis; a list of them for a layer of several inputs.
        """
        raise NotImplementedError
