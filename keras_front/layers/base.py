"""What type checkers know of the layers of this package, beside their signatures.

At run time `Layer` here is `keras_front.graph.Layer`. To a type checker it is a subclass whose further attributes may
be anything: what a constructor reads is stored under its own name (`Dense(3).units`), which no checker can work out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from keras_front.dtype_policies import DTypePolicy

from .arguments import Regularizer

if TYPE_CHECKING:
    from keras_front.graph import layer

    class Layer(layer.Layer):
        """The base class of layers."""

        def __getattr__(self, name: str) -> Any: ...
else:
    from keras_front.graph.layer import Layer

__all__ = ["AdaptableArguments", "CommonArguments", "Layer", "LayerArguments", "SequenceArguments"]


class CommonArguments(TypedDict, total=False):
    """The keyword arguments that every layer takes, see `Layer`: `**kwargs: Unpack[CommonArguments]`."""

    name: str | None
    trainable: bool
    dtype: str | Mapping[str, Any] | DTypePolicy | None
    input_shape: Sequence[int | None]
    batch_input_shape: Sequence[int | None]
    batch_size: int | None
    input_dim: int | None
    input_length: int | None
    weights: Sequence[Any] | None
    recompute: bool


class LayerArguments(CommonArguments, total=False):
    """... and the penalty on the output, for layers that do not name it in their signature."""

    activity_regularizer: Regularizer


class AdaptableArguments(CommonArguments, total=False):
    """... and the other forms of the main weight, see `Adaptable`."""

    lora_rank: int | None
    lora_alpha: float | None
    quantization_config: Any


class SequenceArguments(CommonArguments, total=False):
    """... and those that recurrent layers take beside them, see `RNN`."""

    time_major: bool
    zero_output_for_mask: bool
