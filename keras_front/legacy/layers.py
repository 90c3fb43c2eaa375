"""Layers that Keras 1 had and later lost, with their signatures.

What is still there under another name (`Convolution2D`, `AtrousConvolution2D`, `TimeDistributedDense`) is a subclass
of today's layer that takes arguments in their former order; its files need nothing from here. The others are classes
of their own. None is in the registry of layers, which looks here for names that it does not have; see `find`.
Source: Keras 1.2.2, `keras/engine/topology.py`, `keras/layers/core.py`, `advanced_activations.py`, `normalization.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from keras_front import activations, constraints, initializers, layers, regularizers
from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph import sharing
from keras_front.graph.layer import LAYERS, Layer
from keras_front.graph.network import Network
from keras_front.layers.lambda_layer import found_function, written_function
from keras_front.nest import unique
from keras_front.registry import get_custom_objects

from .arguments import CLASSES, SIGNATURES
from .embedding import EmbeddingWithDropout
from .normalization import BatchOnlyNormalization, SampleNormalization
from .recurrent import ConvRecurrent2D, Recurrent
from .translation import rows_and_columns, translate_positional

__all__ = [
    "KERAS1", "ConvRecurrent2D", "Highway", "MaxoutDense", "Merge", "ParametricSoftplus", "Recurrent", "SReLU", "find",
    "merge", "old_class",
]  # fmt: skip

MODES = ("sum", "mul", "concat", "ave", "cos", "dot", "max")


# Merging ---------------------------------------------------------------------------------------------


class Merge(Layer):
    """Several tensors made one.

    Args:
        layers: layers or models that have been called, whose outputs are merged at once; the result is `.output`.
        mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot', 'max', or a function of the list of tensors.
        concat_axis: axis of 'concat'.
        dot_axes: axis, or one for each of the two tensors, that 'dot' and 'cos' sum over.
        output_shape: not needed: the shape is found by running.
        output_mask: mask of the output of a function, or a function of the masks.
        arguments: keyword arguments for a function.
        node_indices: which call of each layer is meant; the first by default.
        tensor_indices: which output of that call is meant; the first by default.
        name: unique name.

    Shape: equal shapes give that shape; 'concat' adds up one axis; 'dot' joins what is left of both, 'cos' gives
        (batch, 1) for two vectors.
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: dict[str, Any] | None = None,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if not callable(mode) and mode not in MODES:
            raise ArgumentError(
                f"Merge: expected mode to be a function or one of {', '.join(MODES)}; received {mode!r}."
            )
        self.mode, self.concat_axis, self.dot_axes = mode, concat_axis, dot_axes
        self._output_shape, self._output_mask, self.arguments = output_shape, output_mask, dict(arguments or {})
        self.layers: list[Any] = [part for part in layers or () if isinstance(part, Network)]
        if layers:
            nodes = node_indices or [0] * len(layers)
            tensors = tensor_indices or [0] * len(layers)
            places = zip(layers, nodes, tensors, strict=True)
            found = [part.get_output_at(node) for part, node, _ in places]
            self([f[i] if isinstance(f, list) else f for f, i in zip(found, tensors, strict=True)])

    @classmethod
    def constructor_arguments(cls) -> tuple[str, ...]:
        """The arguments that say what is computed; not what was merged."""
        return ("concat_axis", "dot_axes", "arguments", "name", "trainable", "dtype")

    @property
    def first_inputs(self) -> list[Any]:
        """The inputs of the models that were merged, for a `Sequential` that begins with them."""
        return unique(tensor for part in self.layers for tensor in part.inputs)

    def get_config(self) -> dict[str, Any]:
        """The config of Keras 1: each function as its name or as code, with its type beside it."""
        result = super().get_config()
        shape = None if callable(self._output_shape) else self._output_shape  # such a function is not needed
        for key, value in (("mode", self.mode), ("output_shape", shape), ("output_mask", self._output_mask)):
            result[key], result[f"{key}_type"] = written_function(value)
        return {**result, **({"layers": [LAYERS.serialize(part) for part in self.layers]} if self.layers else {})}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer as described, on new models; functions are found among the custom objects.

        Args:
            config: what `get_config` returned, or a file of Keras 1 has.
            custom_objects: functions by their names, or that of this layer by the layer's name.

        Raises: UnsafeFileError if a function is code, unless code is permitted.
        """
        given = {key: value for key, value in config.items() if not key.endswith("_type")}
        known, name = {**get_custom_objects(), **(custom_objects or {})}, given.get("name", "Merge")
        for key in ("mode", "output_shape", "output_mask"):
            kind = config.get(f"{key}_type", "raw")
            if kind != "raw" and given.get(key) is not None:
                given[key] = found_function(given[key], kind, name if key == "mode" else f"{name}_{key}", known, None)
        if isinstance(given.get("output_shape"), list):
            given["output_shape"] = tuple(given["output_shape"])
        given["layers"] = list(sharing.made_once(given.get("layers") or (), LAYERS.deserialize))
        return cls(**given)

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list) or len(inputs) < 2:
            raise ArgumentError(f"{self.name}: expected a list of at least two tensors to merge.")
        if callable(self.mode):
            return self.mode(inputs, **self.arguments)
        return _MERGED[self.mode](self, inputs)

    def _joined(self, inputs: list[Any]) -> Any:
        return K.concatenate(inputs, axis=self.concat_axis)

    def _product(self, inputs: list[Any]) -> Any:
        return K.batch_dot(*self._pair(inputs), axes=self._axes(inputs))

    def _cosine(self, inputs: list[Any]) -> Any:
        x, y = self._pair(inputs)
        first, second = self._axes(inputs)
        lengths = K.batch_dot(x, x, axes=(first, first)) * K.batch_dot(y, y, axes=(second, second))
        return K.batch_dot(x, y, axes=(first, second)) / K.maximum(K.sqrt(lengths), K.epsilon())

    def _pair(self, inputs: list[Any]) -> list[Any]:
        if len(inputs) != 2:
            raise ArgumentError(f"{self.name}: mode {self.mode!r} takes two tensors, received {len(inputs)}.")
        return inputs

    def _axes(self, inputs: list[Any]) -> tuple[int, int]:
        given = self.dot_axes if isinstance(self.dot_axes, Sequence) else (self.dot_axes, self.dot_axes)
        first, second = (axis % K.ndim(x) for axis, x in zip(given, inputs, strict=True))
        return first, second

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = mask if isinstance(mask, list) else [mask]
        if callable(self.mode):
            return self._output_mask(mask) if callable(self._output_mask) else self._output_mask
        if all(m is None for m in masks) or self.mode in ("cos", "dot"):
            return None
        whole = [K.ones_like(K.getitem(x, (Ellipsis, 0)), dtype="bool") if m is None else m
                 for x, m in zip(inputs, masks, strict=True)]  # fmt: skip
        if self.mode == "concat" and self.concat_axis % K.ndim(inputs[0]) < K.ndim(whole[0]):
            return K.concatenate(whole, axis=self.concat_axis % K.ndim(inputs[0]))
        return K.all(K.stack(whole), axis=0)


def _folded(function: Callable[[Any, Any], Any]) -> Callable[[Any, list[Any]], Any]:
    def fold(layer: Any, inputs: list[Any]) -> Any:
        result = inputs[0]
        for item in inputs[1:]:
            result = function(result, item)
        return result

    return fold


_MERGED: dict[str, Callable[[Any, list[Any]], Any]] = {
    "sum": _folded(lambda x, y: x + y),
    "ave": lambda layer, inputs: _MERGED["sum"](layer, inputs) / len(inputs),
    "mul": _folded(lambda x, y: x * y),
    "max": _folded(lambda x, y: K.maximum(x, y)),
    "concat": Merge._joined,
    "dot": Merge._product,
    "cos": Merge._cosine,
}


def merge(
    inputs: Sequence[Any],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: dict[str, Any] | None = None,
    name: str | None = None,
) -> Any:
    """The tensors of a list made one; see `Merge`.

    Args:
        inputs: the tensors.
        mode: see `Merge`.
        concat_axis: axis of 'concat'.
        dot_axes: axis, or one for each of the two tensors, that 'dot' and 'cos' sum over.
        output_shape: not needed: the shape is found by running.
        output_mask: mask of the output of a function, or a function of the masks.
        arguments: keyword arguments for a function.
        name: name of the layer.
    """
    layer = Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name=name)
    return layer(list(inputs))


# Dense -----------------------------------------------------------------------------------------------


class _Weighted(Layer):
    """Arguments of Keras 1 for the weights W and b."""

    init: Any

    def _begin(self, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Store the arguments; what is left for `Layer`."""
        self.init, self.bias = initializers.get(given["init"]), given["bias"]
        for name in ("W_regularizer", "b_regularizer"):
            setattr(self, name, regularizers.get(given[name]))
        for name in ("W_constraint", "b_constraint"):
            setattr(self, name, constraints.get(given[name]))
        self.input_dim = given["input_dim"]
        rest = {"weights": given["weights"], "activity_regularizer": given["activity_regularizer"], **known}
        if self.input_dim is not None and not {"input_shape", "batch_input_shape"} & set(known):
            rest["input_shape"] = (self.input_dim,)
        return rest

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any = None) -> Any:
        kind = name[0]
        return self.add_weight(
            name, shape, None, initializer or self.init, getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )  # fmt: skip

    def _width(self, input_shape: Any) -> int:
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ShapeError(f"{self.name}: expected inputs (batch, features), received shape {tuple(input_shape)}.")
        return input_shape[1]


class Highway(_Weighted):
    """A dense layer with a gate: `t * activation(x @ W + b) + (1 - t) * x`, `t = sigmoid(x @ W_carry + b_carry)`.

    Args:
        init: first values of the weight matrices.
        activation: function of the linear part; None for none.
        weights: first values of all weights, as for `set_weights`.
        W_regularizer: penalty on the weight matrices.
        b_regularizer: penalty on the biases.
        activity_regularizer: penalty on the output.
        W_constraint: function that projects the weight matrices after each step.
        b_constraint: function that projects the biases after each step.
        bias: whether there are biases.
        input_dim: number of features, if this is the first layer.
        transform_bias: first value of b_carry; None for 1. Keras 1.2 ignored it, with a warning.

    Shape: (batch, n) -> (batch, n)
    Weights: W, W_carry (n, n); b, b_carry (n,) if `bias`; b_carry starts at 1.
    Source: Srivastava et al. (2015); for `transform_bias` Keras 1.0.8, `keras/layers/core.py`.
    """

    def __init__(
        self, init: Any = "glorot_uniform", activation: Any = None, weights: Any = None, W_regularizer: Any = None,
        b_regularizer: Any = None, activity_regularizer: Any = None, W_constraint: Any = None,
        b_constraint: Any = None, bias: bool = True, input_dim: int | None = None,
        transform_bias: float | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**self._begin(locals(), kwargs))
        self.activation = activations.get(activation)
        self.transform_bias = transform_bias

    def build(self, input_shape: Any) -> None:
        n = self._width(input_shape)
        self._W, self._W_carry = self._weight("W", (n, n)), self._weight("W_carry", (n, n))
        self._b = self._weight("b", (n,), "zeros") if self.bias else None
        first = initializers.Constant(1.0 if self.transform_bias is None else self.transform_bias)
        self._b_carry = self._weight("b_carry", (n,), first) if self.bias else None
        self.built = True

    def call(self, inputs: Any) -> Any:
        gate, value = K.dot(inputs, self._W_carry), K.dot(inputs, self._W)
        if self.bias:
            gate, value = K.add(gate, self._b_carry), K.add(value, self._b)
        gate = K.sigmoid(gate)
        return gate * self.activation(value) + (1 - gate) * inputs


class MaxoutDense(_Weighted):
    """The largest of `nb_feature` linear functions.

    Args:
        output_dim: number of outputs.
        nb_feature: number of linear functions of which the largest counts.
        init: first values of the weight matrices.
        weights: first values of all weights, as for `set_weights`.
        W_regularizer: penalty on the weight matrices.
        b_regularizer: penalty on the biases.
        activity_regularizer: penalty on the output.
        W_constraint: function that projects the weight matrices after each step.
        b_constraint: function that projects the biases after each step.
        bias: whether there are biases.
        input_dim: number of features, if this is the first layer.

    Shape: (batch, n) -> (batch, output_dim)
    Weights: W (nb_feature, n, output_dim); b (nb_feature, output_dim) if `bias`.
    Source: Goodfellow et al. (2013).
    """

    def __init__(
        self, output_dim: int, nb_feature: int = 4, init: Any = "glorot_uniform", weights: Any = None,
        W_regularizer: Any = None, b_regularizer: Any = None, activity_regularizer: Any = None,
        W_constraint: Any = None, b_constraint: Any = None, bias: bool = True, input_dim: int | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**self._begin(locals(), kwargs))
        self.output_dim, self.nb_feature = int(output_dim), int(nb_feature)

    def build(self, input_shape: Any) -> None:
        n = self._width(input_shape)
        self._W = self._weight("W", (self.nb_feature, n, self.output_dim))
        self._b = self._weight("b", (self.nb_feature, self.output_dim), "zeros") if self.bias else None
        self.built = True

    def call(self, inputs: Any) -> Any:
        y = K.dot(inputs, self._W)
        return K.max(y if self._b is None else K.add(y, self._b), axis=1)


# Classes of today under their older names ----------------------------------------------------------

# Classes that Keras 2 never had, so that arguments without names are always in the former order.
_ALWAYS_OLD = ("Atrous", "TimeDistributedDense")


@functools.cache
def old_class(name: str) -> Any:
    """Today's class under the name that it had, which takes arguments in the former order.

    It goes by today's name in configs and files, so that they can be read without us.

    Args:
        name: one of `CLASSES` in `arguments.py`.
    """
    current = getattr(layers, CLASSES[name])
    owner = name if name in SIGNATURES else CLASSES[name]

    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        if name.startswith(_ALWAYS_OLD) or _in_old_order(args):
            args, kwargs = (), translate_positional(owner, args, kwargs, self)
        current.__init__(self, *args, **kwargs)

    body = {"__init__": construct, "__doc__": current.__doc__, "__module__": __name__, "_legacy_name": owner}
    return type(current.__name__, (current,), body)


def _in_old_order(args: Sequence[Any]) -> bool:
    """Whether the third argument is a number of columns after one of rows, or the name of an initializer."""
    return rows_and_columns(args) or (len(args) > 2 and isinstance(args[2], str))


# Activations -----------------------------------------------------------------------------------------


class _Shaped(Layer):
    """Weights as large as one sample, or 1 along `shared_axes`."""

    supports_masking = True
    shared_axes: list[int] | None

    def _share(self, axes: Any) -> None:
        self.shared_axes = None if axes is None else list(axes) if isinstance(axes, Sequence) else [axes]

    def _sizes(self, input_shape: Any) -> tuple[Any, ...]:
        shared = self.shared_axes or []
        return tuple(1 if i in shared else n for i, n in enumerate(input_shape) if i > 0)


class SReLU(_Shaped):
    """Three pieces of straight lines, with learned slopes and thresholds.

    Below `t_left` the slope is `a_left`, then 1, then `a_right` above `t_left + |t_right|`.

    Args:
        t_left_init: first values of the left thresholds.
        a_left_init: first values of the slopes below them.
        t_right_init: first values of the widths of the middle piece.
        a_right_init: first values of the slopes above it.
        shared_axes: axes along which one value holds for all, counted with the batch; None for a value of each number
            of a sample.

    Shape: as the input.
    Weights: t_left, a_left, t_right, a_right: the shape of a sample, 1 along `shared_axes`.
    Source: Jin et al. (2015).
    """

    def __init__(
        self, t_left_init: Any = "zero", a_left_init: Any = "glorot_uniform", t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "one", shared_axes: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.t_left_init, self.a_left_init = initializers.get(t_left_init), initializers.get(a_left_init)
        self.t_right_init, self.a_right_init = initializers.get(t_right_init), initializers.get(a_right_init)
        self._share(shared_axes)

    def build(self, input_shape: Any) -> None:
        shape = self._sizes(input_shape)
        names = ("t_left", "a_left", "t_right", "a_right")
        self._lines = [self.add_weight(name, shape, None, getattr(self, f"{name}_init")) for name in names]
        self.built = True

    def call(self, inputs: Any) -> Any:
        t_left, a_left, t_right, a_right = (w.read() for w in self._lines)
        width = K.abs(t_right)
        x = inputs - t_left
        return t_left + K.minimum(K.relu(x), width) - a_left * K.relu(-x) + a_right * K.relu(x - width)


class ParametricSoftplus(_Shaped):
    """`alpha * log(1 + exp(beta * x))`.

    Args:
        alpha_init: first value of each factor.
        beta_init: first value of each steepness.
        weights: first values of both, as for `set_weights`.
        shared_axes: axes along which one value holds for all, counted with the batch; None for a value of each number
            of a sample.

    Shape: as the input.
    Weights: alphas, betas: the shape of a sample, 1 along `shared_axes`.
    Source: McFarland et al. (2013).
    """

    def __init__(
        self, alpha_init: float = 0.2, beta_init: float = 5.0, weights: Any = None, shared_axes: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(weights=weights, **kwargs)
        self.alpha_init, self.beta_init = float(alpha_init), float(beta_init)
        self._share(shared_axes)

    def build(self, input_shape: Any) -> None:
        shape = self._sizes(input_shape)
        self._alphas = self.add_weight("alphas", shape, None, initializers.Constant(self.alpha_init))
        self._betas = self.add_weight("betas", shape, None, initializers.Constant(self.beta_init))
        self.built = True

    def call(self, inputs: Any) -> Any:
        return K.multiply(K.softplus(K.multiply(self._betas, inputs)), self._alphas)


# The classes, for reading models that have them.
KERAS1: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        BatchOnlyNormalization, EmbeddingWithDropout, Highway, MaxoutDense, Merge, ParametricSoftplus, SReLU,
        SampleNormalization,
    )
}  # fmt: skip


# Bases of layers of others.
BASES: dict[str, Any] = {"ConvRecurrent2D": ConvRecurrent2D, "Recurrent": Recurrent}


def names() -> list[str]:
    """Every name that `find` knows."""
    return sorted({*CLASSES, *KERAS1, *BASES, "merge"})


def find(name: str) -> Any:
    """The layer that was called `name`; None if there never was one.

    Args:
        name: the name.
    """
    if name in CLASSES:
        return old_class(name)
    return merge if name == "merge" else KERAS1.get(name) or BASES.get(name)


def __getattr__(name: str) -> Any:
    if name in CLASSES:
        return old_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
