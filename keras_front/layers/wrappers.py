"""Layers around a layer: `TimeDistributed` and `Bidirectional`.

Source for names, arguments and masks: Keras 2.3.1, `keras/layers/wrappers.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Unpack

from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.file_form import FileForm
from keras_front.graph import call_context
from keras_front.graph.layer import LAYERS
from keras_front.graph.layer_values import is_list_of_shapes
from keras_front.graph.updates import decides
from keras_front.nest import unique
from keras_front.registry import custom_object_scope, name_of

from .arguments import OneOf, Reader
from .base import Layer, LayerArguments
from .rnn_states import InitialStateMixin
from .stacked_cells import fold, sizes_of, unfold


def _inner(value: Any, wrapper: Any) -> Layer:
    layer = LAYERS.get(value) if isinstance(value, dict) else value
    if not isinstance(layer, Layer):
        raise ValueError
    return layer


Inner = Annotated[Layer | dict[str, Any], Reader(_inner, "a layer, such as `Dense(3)`")]


class Wrapper(Layer):
    """Base of layers that hold one layer, in the attribute `layer`.

    Args:
        layer: the layer inside, or its config.

    Raises: ArgumentError for anything else.

    Example:
        >>> from keras_front.layers import Dense
        >>> Wrapper(Dense(3)).layer.units
        3
    """

    supports_masking = True
    _casts_inputs = False

    def __init__(self, layer: Inner, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def build(self, input_shape: Any = None) -> None:
        self.layer.build_as_part(input_shape)
        self.built = True

    @property
    def weights(self) -> list[Any]:
        """The weights of the layer inside, in its own order, then those that a subclass adds."""
        if decides(self, "trainable_weights") or decides(self, "non_trainable_weights"):
            return super().weights
        return unique([*self.layer.weights, *super().weights])

    def reset_states(self) -> None:
        """Reset the layer inside, if it has states."""
        if hasattr(self.layer, "reset_states"):
            self.layer.reset_states()

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether the layer inside keeps its state from batch to batch."""
        return self.layer.stateful

    def _apply_inner(self, inputs: Any, mask: Any, training: Any) -> Any:
        given = {} if training is None else {"training": training}
        inner = self.layer
        return inner._computed(inner._cast(inputs), (), inner._call_arguments(given, mask))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        given = dict(config)
        with custom_object_scope(custom_objects):
            given["layer"] = LAYERS.deserialize(given["layer"])
            return cls(**given)


@LAYERS.register()
class TimeDistributed(Wrapper):
    """A layer applied to every step of sequences, with the same weights.

    Shape: (batch, steps, *n) -> (batch, steps, *m), where the layer takes (batch, *n) to (batch, *m).
    Weights: those of the layer.
    Raises: ShapeError for inputs without an axis of steps.
    Example:
        >>> from keras_front.layers import Conv2D
        >>> TimeDistributed(Conv2D(4, 3)).compute_output_shape((None, 10, 8, 8, 3))
        (None, 10, 6, 6, 4)
    """

    @property
    def activity_regularizer(self) -> Any:  # type: ignore[override]
        """The penalty of the layer inside, taken on all steps together."""
        return getattr(self.layer, "activity_regularizer", None)

    def build(self, input_shape: Any = None) -> None:
        if input_shape is None or is_list_of_shapes(input_shape) or len(input_shape) < 3:
            raise ShapeError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{input_shape}."
            )
        self.layer.build_as_part((input_shape[0], *input_shape[2:]))
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        flat_mask = None if mask is None or K.ndim(mask) < 3 else fold(mask)
        outputs = self._apply_inner(fold(inputs), flat_mask, training)
        return unfold(outputs, inputs)

    def _run(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Any) -> tuple[Any, Any]:
        """A model inside runs once and gives outputs and mask together; asked for its mask alone it would run again."""
        if not self.layer._is_model or type(self).call is not TimeDistributed.call:
            return super()._run(inputs, args, kwargs, mask)
        given = {} if kwargs.get("training") is None else {"training": kwargs["training"]}
        inside = None if mask is None or K.ndim(mask) < 3 else fold(mask)
        outputs, inner = self.layer._run_or_recompute(fold(inputs), args, given, inside)
        return unfold(outputs, inputs), self._mask_around(inner, inputs, mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (inner[0], input_shape[1], *inner[1:])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        inside = None if mask is None or (K.ndim(mask) < 3 and self.layer.supports_masking) else fold(mask)
        return self._mask_around(self.layer.compute_mask(fold(inputs), inside), inputs, mask)

    def _mask_around(self, inner: Any, inputs: Any, mask: Any) -> Any:
        """The mask of the steps: that of the layer inside, else whether anything of a step counts."""
        if inner is not None:
            return unfold(inner, inputs)
        while mask is not None and K.ndim(mask) > 2:
            mask = K.any(mask, axis=-1)
        return mask


MergeMode = Annotated[Literal["sum", "mul", "ave", "concat"] | None, OneOf(("sum", "mul", "ave", "concat", None))]


def _check_recurrent(layer: Any, name: str) -> None:
    """Raise WrongKindError unless a layer goes through sequences in one of two directions."""
    if not hasattr(layer, "go_backwards") or not hasattr(layer, "return_sequences"):
        raise WrongKindError(
            f"Bidirectional: expected {name} to be a recurrent layer, such as LSTM(3), received "
            f"{type(layer).__name__ if isinstance(layer, Layer) else repr(layer)}. It goes through a sequence by "
            "`go_backwards` and says `return_sequences`."
        )


@LAYERS.register()
class Bidirectional(InitialStateMixin, Wrapper):
    """A recurrent layer run forwards and backwards, and the two outputs merged.

    An `initial_state` has the states of the forward layer, then those of the backward layer.

    Args:
        layer: the recurrent layer, or its config; both directions are made from it, so that it keeps no weights.
        merge_mode: 'concat', 'sum', 'mul', 'ave', or None for a list of both outputs.
        weights: arrays that the weights start with: those of the forward layer, then those of the backward layer.
        backward_layer: another layer for the way back, with `go_backwards=True`; by default one like `layer`.

    Shape: (batch, steps, n) -> (batch, 2 units) for 'concat', (batch, units) for the others; with steps in between if
        the layer returns sequences.
    Weights: those of the forward layer, then those of the backward layer.
    Raises: ArgumentError if the two layers do not fit each other.
    Source: Schuster & Paliwal (1997).
    Example:
        >>> from keras_front.layers import LSTM
        >>> Bidirectional(LSTM(8)).compute_output_shape((None, 10, 3))
        (None, 16)
    """

    file_form = FileForm(further="initial_state")

    def __init__(
        self,
        layer: Inner,
        merge_mode: MergeMode = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        self._num_constants = kwargs.pop("num_constants", None)
        super().__init__(**kwargs)
        given = self.__dict__.pop("layer")
        _check_recurrent(given, "layer")
        if weights is not None and not isinstance(weights, list | tuple):
            raise WrongKindError(f"Bidirectional: expected weights to be a list of arrays, received {weights!r:.60}.")
        self._layer_config = LAYERS.serialize(given)
        self._backward_config = None
        self.forward_layer = _copy(given, "forward_", None)
        if backward_layer is None:
            self.backward_layer = _copy(given, "backward_", not given.go_backwards)
        else:
            self._take_backward_layer(backward_layer)
        if weights is not None:
            half = len(weights) // 2
            self.forward_layer._initial_weights = weights[:half]
            self.backward_layer._initial_weights = weights[half:]

    def _take_backward_layer(self, given: Any) -> None:
        layer = LAYERS.get(given) if isinstance(given, dict) else given
        _check_recurrent(layer, "backward_layer")
        self._backward_config = LAYERS.serialize(layer)
        self.backward_layer = _copy(layer, "" if layer.name.startswith("backward_") else "backward_", None)
        self._check_directions()

    def _check_directions(self) -> None:
        forward, back = self.forward_layer, self.backward_layer
        if forward.go_backwards == back.go_backwards:
            raise ArgumentError(
                "Bidirectional: forward layer and backward layer should have different `go_backwards` value."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(back, name):
                raise ArgumentError(
                    f"Bidirectional: forward layer and backward layer are expected to have the same {name}, received "
                    f"{getattr(forward, name)} and {getattr(back, name)}."
                )

    @property
    def layer(self) -> Any:
        """The forward layer."""
        return self.forward_layer

    @layer.setter
    def layer(self, layer: Any) -> None:
        self.__dict__["layer"] = layer

    @property
    def return_sequences(self) -> bool:
        """Whether the outputs of all steps are returned."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the last states are returned too."""
        return self.forward_layer.return_state

    @property
    def weights(self) -> list[Any]:
        return self.forward_layer.weights + self.backward_layer.weights

    def reset_states(self) -> None:
        """Set the states of both directions to zero."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    def build(self, input_shape: Any = None) -> None:
        shape = input_shape
        if is_list_of_shapes(input_shape):
            shape = input_shape[0]
            if self._num_constants:
                shape = [shape, *input_shape[len(input_shape) - self._num_constants :]]
        for layer in (self.forward_layer, self.backward_layer):
            layer._num_constants = self._num_constants
            with call_context.weight_names(layer.name):
                layer.build_as_part(shape)
        self.built = True

    def _state_count(self) -> int:
        return len(sizes_of(self.forward_layer.cell)) + len(sizes_of(self.backward_layer.cell))

    def _split(self, inputs: Any, initial_state: Any, constants: Any) -> tuple[Any, list[Any], list[Any]]:
        inputs, states, fixed = self._parts(inputs, initial_state, constants)
        wanted = self._state_count() if states else 0
        if len(states) != wanted:
            raise ArgumentError(
                f"{self.name}: when passing `initial_state` to a Bidirectional RNN, the state should be a list "
                f"containing the states of the underlying RNNs, {wanted} in all. Found: {len(states)}."
            )
        return inputs, states, fixed

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        """Merged outputs, and the states of both directions if the layer returns states.

        Args:
            inputs: sequences (batch, steps, ...); or a list of them, the initial states and the constants.
            mask: bool tensor (batch, steps), False where a step is to be ignored; or a list that begins with it, or
                None.
            training: whether the layer is being trained; None: by the learning phase.
            initial_state: list of tensors: the states of the forward layer, then those of the backward layer.
            constants: list of tensors that the cells get at every step.
        """
        sequence, states, fixed = self._split(inputs, initial_state, constants)
        mask = mask[0] if isinstance(mask, list) else mask
        half = len(sizes_of(self.forward_layer.cell)) if states else 0
        forth = self._direction(self.forward_layer, sequence, states[:half], fixed, mask, training)
        back = self._direction(self.backward_layer, sequence, states[half:], fixed, mask, training)
        merged = self._merged(forth[0], self._in_order_of_steps(back[0]))
        if self.return_state:
            return [*merged, *forth[1:], *back[1:]]
        return merged if self.merge_mode is None else merged[0]

    def _in_order_of_steps(self, outputs: Any) -> Any:
        """Outputs of the way back, whose steps stand in the order in which they were computed."""
        if not self.return_sequences:
            return outputs
        return K.reverse(outputs, 0 if getattr(self.forward_layer, "time_major", False) else 1)

    def _direction(
        self, layer: Any, x: Any, states: list[Any], fixed: list[Any], mask: Any, training: Any
    ) -> list[Any]:
        arguments: dict[str, Any] = {"mask": mask, "training": training}
        if states:
            arguments["initial_state"] = states
        if fixed:
            arguments["constants"] = fixed
        found = layer._computed(layer._cast(x), (), arguments)
        layer._penalize(found[0] if isinstance(found, list) else found)
        return found if isinstance(found, list) else [found]

    def _merged(self, a: Any, b: Any) -> list[Any]:
        if self.merge_mode == "concat":
            return [K.concatenate([a, b], axis=-1)]
        if self.merge_mode == "mul":
            return [a * b]
        if self.merge_mode is None:
            return [a, b]
        return [a + b] if self.merge_mode == "sum" else [(a + b) / 2]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        kept = mask if self.return_sequences else None
        outputs = [kept, kept] if self.merge_mode is None else [kept]
        if self.return_state:
            return outputs + [None] * self._state_count()
        return outputs if self.merge_mode is None else kept

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        result["layer"] = self._layer_config
        result.pop("backward_layer", None)
        if self._backward_config is not None:
            result["backward_layer"] = self._backward_config
        if self._num_constants:
            result["num_constants"] = self._num_constants
        return result


def _copy(layer: Any, prefix: str, go_backwards: bool | None) -> Any:
    """A new layer of the same config, with another name and direction."""
    config = layer.get_config()
    config["name"] = prefix + layer.name
    if go_backwards is not None:
        config["go_backwards"] = go_backwards
    with custom_object_scope({name_of(type(x)): type(x) for x in layer.all_layers()}):
        return type(layer).from_config(config)
