"""Other forms of the weight that a layer multiplies by: with a low-rank change that is trained (LoRA), and as integers.

`AdaptableWeight` is the attribute (`kernel`, `embeddings`): it gives the weight whatever its form is. `Adaptable` has
the methods. A layer computes with `self._product(inputs, multiply)`, so that neither form costs the others anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from keras_front import backend as K
from keras_front import config, dtype_policies, initializers, quantizers
from keras_front.arguments import Number, Positive
from keras_front.backend.guards import unchanged
from keras_front.backend.state import Variable
from keras_front.dtype_policies import DTypePolicy, QuantizedDTypePolicy
from keras_front.errors import ArgumentError, NotQuantizableError, StateError
from keras_front.graph.watching import weights_replaced

from . import int4
from .base import Layer

__all__ = ["Adaptable", "AdaptableWeight"]

DEFAULT_BLOCKS = "128"  # inputs that share a scale in 'int4', where `quantize` is told nothing else
KERAS3_MODES = ("int8", "int4", "float8", "gptq", "awq")


class AdaptableWeight:
    """The attribute of a layer that is its main weight: the variable itself, or what other forms make of it."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.held = name, f"_{name}"

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        if layer is None:
            return self
        try:
            weight = layer.__dict__[self.held]
        except KeyError:
            raise AttributeError(f"{type(layer).__name__!r} object has no attribute {self.name!r}") from None
        return layer._whole_weight(weight) if layer._is_adapted else weight

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer, self.held, value)

    def __delete__(self, layer: Any) -> None:
        delattr(layer, self.held)


class Adaptable(Layer):
    """A layer whose main weight may have other forms.

    Args:
        lora_rank: rank of a change of the weight that is trained in its place, see `enable_lora`; None for none.
        lora_alpha: by how much the change counts: `lora_alpha / lora_rank`. None for the rank, so that it counts once.
        quantization_config: how `quantize` is done, see `quantizers.Int8QuantizationConfig`; None for the default.
    """

    _main_weight: ClassVar[str] = "kernel"
    modes: ClassVar[tuple[str, ...]] = ("int8", "int4")
    _is_adapted = False
    lora_rank: Any = None
    lora_alpha: Any = None
    _weight_shape: tuple[int, ...] | None = None  # of the weight whose integers may be packed
    _integers: Any = ()  # the variables of these integers

    def __init__(
        self,
        lora_rank: Positive | None = None,
        lora_alpha: Number | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        mode, kwargs = _mode_of(type(self), kwargs)
        super().__init__(**kwargs)
        self.quantization_config = quantizers.get(quantization_config)
        self._wanted = (self.lora_rank, self.lora_alpha, mode)
        self.lora_rank = self.lora_alpha = None  # until it is built

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy; with the mode in it where the weight is kept as integers, or will be."""
        policy, mode = super().dtype_policy, self.quantization_mode if self.built else self._wanted[2]
        return QuantizedDTypePolicy(_mode_in_file(mode, self.quantization_config), policy.name) if mode else policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        found = dtype_policies.get(policy)
        mode = found.mode if isinstance(found, QuantizedDTypePolicy) and self.modes else None
        if mode is None:
            Layer.dtype_policy.fset(self, found)  # type: ignore[attr-defined]
            return
        Layer.dtype_policy.fset(self, found.source)  # type: ignore[attr-defined]
        kind, _, size = mode.partition("/")
        if not self.built:
            self._wanted = (*self._wanted[:2], mode)
        elif self.quantization_mode is None:
            self.quantize(kind, config=self.quantization_config or _config_of(kind, None, size))

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        for name in ("lora_rank", "lora_alpha", "quantization_config"):
            result.pop(name, None)
        rank, alpha, mode = (
            self._wanted if not self.built else (self.lora_rank, self.lora_alpha, self.quantization_mode)
        )
        if rank:
            result |= {"lora_rank": rank, "lora_alpha": rank if alpha is None else alpha}
        if mode:
            result["dtype"] = f"{_mode_in_file(mode, self.quantization_config)}_from_{result['dtype']}"
            result["quantization_config"] = _described(self.quantization_config)
        return result

    def _adapt(self) -> None:
        """Bring the weight, just made, into the forms that the constructor asked for."""
        rank, alpha, mode = self._wanted
        if rank:
            self.enable_lora(rank, alpha)
        if mode:
            self._become(mode, None)

    # LoRA --------------------------------------------------------------------------------------------

    @property
    def lora_enabled(self) -> bool:
        """Whether a low-rank change is trained in place of the weight."""
        return self.lora_rank is not None

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the weight, and train a change of low rank instead: `weight + lora_alpha / rank * a @ b`.

        The change begins with zero. Files hold the weight with the change in it; a layer that reads one goes on from
        there. Compile the model afterwards.

        Args:
            rank: columns of `a` and rows of `b`: 4 to 64, as a rule.
            lora_alpha: by how much the change counts: `lora_alpha / rank`. None for `rank`, so that it counts once.
            a_initializer: first values of `a`.
            b_initializer: first values of `b`; zeros, so that the layer computes what it did.

        Weights: `lora_kernel_a` (..., rank) and `lora_kernel_b` (rank, columns of the weight), or `lora_embeddings_a`.
        Raises: StateError before the layer is built; ArgumentError if there is a change already, for a rank that is not
            positive, and for a weight with a constraint, which a change would not keep.
        Source: Hu et al. (2021), "LoRA", equation 3; Keras 3.15, `Dense.enable_lora`.
        """
        self._check_lora(rank)
        weight, name = self._held_weight(), self._main_weight
        weight.trainable = False
        shape = self._shape_of_change()
        regularizer = getattr(self, f"{name}_regularizer", None)
        for end, size, first in (("a", (*shape[:-1], rank), a_initializer), ("b", (rank, shape[-1]), b_initializer)):
            part = self.add_weight(f"lora_{name}_{end}", size, config.floatx(), initializers.get(first), regularizer)
            setattr(self, f"lora_{name}_{end}", part)
        self.lora_rank, self.lora_alpha = int(rank), rank if lora_alpha is None else lora_alpha
        self._is_adapted = True
        weights_replaced(self)

    def _check_lora(self, rank: Any) -> None:
        if self.__dict__.get(f"_{self._main_weight}") is None:
            raise StateError(f"{self.name}: cannot enable LoRA before the layer is built. Build it, or call it first.")
        if self.lora_enabled:
            raise ArgumentError(f"{self.name}: LoRA is enabled already, with rank {self.lora_rank}; it can be once.")
        if isinstance(rank, bool) or not isinstance(rank, int | np.integer) or rank < 1:
            raise ArgumentError(f"{self.name}: expected the rank of LoRA to be a positive integer, received {rank!r}.")
        if getattr(self, f"{self._main_weight}_constraint", None) is not None:
            raise ArgumentError(
                f"{self.name}: LoRA cannot keep the constraint on {self._main_weight}. Make the layer without it."
            )

    def _held_weight(self) -> Variable:
        return self.__dict__[f"_{self._main_weight}"]

    def always_frozen(self) -> tuple[Variable, ...]:
        return (self._held_weight(),) if self._is_adapted else ()

    def _shape_of_change(self) -> tuple[int, ...]:
        return self._weight_shape or self._held_weight().shape

    def _change_parts(self) -> tuple[Variable, Variable]:
        return tuple(getattr(self, f"lora_{self._main_weight}_{end}") for end in "ab")  # type: ignore[return-value]

    def _whole_weight(self, weight: Variable) -> Any:
        """The weight as a tensor of floats, with the change in it."""
        whole: Any = self._floats_of_integers() if self.quantization_mode else weight
        if self.lora_enabled:
            a, b = self._change_parts()
            whole = whole + (self.lora_alpha / self.lora_rank) * K.dot(a, b)
        return whole

    def _floats_of_integers(self) -> Any:
        if self.quantization_mode == "int4":
            return self._floats_of_int4()
        return K.cast(self._held_weight(), self._float()) / self._scale_beside_weight(K.convert(self._scale()))

    def _float(self) -> str:
        return self.dtype or config.floatx()

    # Integers ----------------------------------------------------------------------------------------

    def quantize(self, mode: str, type_check: bool = True, config: Any = None) -> None:
        """Keep the weight as integers, for inference in a quarter of the memory ('int8') or an eighth ('int4').

        With 'int8' each output channel has a scale, and inputs are rounded to int8 as well, with a scale for each
        sample that is found at each call. With 'int4' two integers share a byte, and inputs stay floats. `config` says
        otherwise. The weight is not trained any more; LoRA, if it is enabled, is.

        Args:
            mode: 'int8' or 'int4'.
            type_check: accepted because Keras 3 has it.
            config: a `quantizers.Int8QuantizationConfig` or `Int4QuantizationConfig`; None for one scale for each
                channel, with 'int4' for each 128 inputs of it.

        Raises: StateError before the layer is built; ArgumentError for another mode, for a config of another one, or if
            it is quantized already.
        Source: Keras 3.15, `Dense.quantize`.
        """
        self.check_quantization(mode)
        self.quantization_config = _config_of(mode, quantizers.get(config), DEFAULT_BLOCKS)
        self._become(mode, self._held_weight().numpy())
        weights_replaced(self)

    def check_quantization(self, mode: Any) -> None:
        """Raise unless the layer can be quantized now.

        Args:
            mode: what `quantize` was given.
        """
        check_mode(type(self), mode)
        if self.quantization_mode:
            raise ArgumentError(f"{self.name}: the layer is quantized already, with mode {self.quantization_mode!r}.")
        if self.__dict__.get(f"_{self._main_weight}") is None:
            raise StateError(f"{self.name}: cannot quantize a layer before it is built. Build it, or call it first.")

    def _become(self, mode: str, values: np.ndarray | None) -> None:
        """Have integers in place of the weight: of its values, or of a file that is read next."""
        name, weight = self._main_weight, self._held_weight()
        self._trainable_weights[:] = [w for w in self._trainable_weights if w is not weight]
        self._weight_shape = tuple(weight.shape)
        mode, _, size = mode.partition("/")
        if self.quantization_config is None:
            self.quantization_config = _config_of(mode, None, size)
        self._integers = self._int4_variables(name) if mode == "int4" else self._int8_variables(name, weight.shape)
        setattr(self, f"_{name}", self._integers[0])
        setattr(self, f"{name}_scale", self._integers[1])
        self.quantization_mode, self._is_adapted = mode, True
        if values is not None:
            for variable, array in zip(self._integers, self._as_integers(values), strict=False):
                variable.set(array)

    def _int8_variables(self, name: str, shape: Sequence[int]) -> list[Variable]:
        example = np.broadcast_to(np.zeros(1, "int8"), shape)  # takes no memory
        scales = self._scale_in_file(
            example[tuple(slice(1) if i in self._summed_axes() else slice(None) for i in range(example.ndim))]
        )
        held = self.add_weight(name, shape, "int8", "zeros", trainable=False)
        return [held, self.add_weight(f"{name}_scale", scales.shape, config.floatx(), "ones", trainable=False)]

    def _int4_variables(self, name: str) -> list[Variable]:
        found = int4.add_weights(self, name, self._matrix())
        for ending, variable in zip((f"{name}_zero", "g_idx"), found[2:], strict=False):
            setattr(self, ending, variable)
        return found

    def _as_integers(self, values: np.ndarray) -> list[np.ndarray]:
        """What the variables hold for a weight; in blocks without that which says where they are."""
        if self.quantization_mode == "int4":
            return int4.arrays(values, self._matrix(), self.quantization_config)
        quantizer = self.quantization_config.weight_quantizer or quantizers.AbsMaxQuantizer()
        whole, scale = (K.to_numpy(part) for part in quantizer(values, axis=self._summed_axes(), to_numpy=True))
        return [whole, self._scale_in_file(scale)]

    def _floats_of_int4(self) -> Any:
        parts = [K.convert(part) for part in self._integers]
        return K.reshape(int4.floats(parts, self._matrix(), self._float()), self._weight_shape)

    def _matrix(self) -> int4.Matrix:
        """The weight as a matrix, for `int4`."""
        shape, summed = self._weight_shape, self._summed_axes()
        rows = int(np.prod([shape[i] for i in summed]))  # type: ignore[index]
        return int4.Matrix(rows, int(np.prod(shape)) // max(rows, 1), 0)  # type: ignore[arg-type]

    def _scale(self) -> Variable:
        return getattr(self, f"{self._main_weight}_scale")

    # What a layer says of its product; by default that of `Dense`.

    def _summed_axes(self) -> tuple[int, ...]:
        """The axes of the weight that share a scale: those that the product sums over."""
        return (0,)

    def _scale_in_file(self, scale: np.ndarray) -> np.ndarray:
        """The scale of the weight, with 1 for each summed axis, as it stands beside outputs."""
        return scale[0]

    def _scale_beside_weight(self, scale: Any) -> Any:
        return scale

    def _quantized_inputs(self, inputs: Any, quantizer: Any) -> tuple[Any, Any]:
        """Inputs as integers in floats, and their scale as it stands beside outputs; gradients pass the rounding."""
        return rounded(inputs, quantizer, (-1,))

    def _product(self, inputs: Any, multiply: Callable[[Any, Any], Any]) -> Any:
        """`multiply(inputs, weight)`, linear in both, for whatever form the weight has."""
        weight = self._held_weight()
        if not self._is_adapted:
            return multiply(inputs, weight)
        output = multiply(inputs, weight) if not self.quantization_mode else self._product_of_integers(inputs, multiply)
        if self.lora_enabled:
            a, b = self._change_parts()
            output = output + (self.lora_alpha / self.lora_rank) * K.dot(multiply(inputs, a), b)
        return output

    def _product_of_integers(self, inputs: Any, multiply: Callable[[Any, Any], Any]) -> Any:
        quantizer = self.quantization_config.activation_quantizer
        if self.quantization_mode == "int4":
            kernel, scale = self._floats_of_int4(), 1.0
        else:
            kernel, scale = K.cast(self._held_weight(), self._float()), K.convert(self._scale())
        if quantizer is None:
            product = multiply(inputs, kernel)
            return product / scale
        whole, inputs_scale = self._quantized_inputs(inputs, quantizer)
        return multiply(whole, kernel) / (scale * inputs_scale)

    # Files -------------------------------------------------------------------------------------------

    def stored_weights(self) -> tuple[list[Any], list[Any]]:
        learned, others = super().stored_weights()
        if not self._is_adapted:
            return learned, others
        weight = self._held_weight()
        apart = {id(part) for part in self._change_parts()} if self.lora_enabled else set()
        learned = [w for w in learned if id(w) not in apart]
        learned, others = [w for w in learned if w is not weight], [w for w in others if w is not weight]
        if not self.lora_enabled:
            return [weight, *learned], others
        merged = MergedWeight(self, weight, 0)
        if self.quantization_mode:
            places = {id(w): place for place, w in enumerate(self._integers[:3])}
            others = [MergedWeight(self, w, places[id(w)]) if id(w) in places else w for w in others]
        return [merged, *learned], others


class MergedWeight:
    """A weight of a layer with LoRA as files know it: with the change in it. What is read replaces both.

    Args:
        layer: the layer.
        weight: the variable in whose place it stands.
        place: 0 for the weight, 1 for its scale, 2 for its zero points.
    """

    regularizer = constraint = None

    def __init__(self, layer: Adaptable, weight: Variable, place: int):
        self.layer, self.weight, self.place = layer, weight, place
        self.name, self.shape, self.dtype, self.trainable = weight.name, weight.shape, weight.dtype, True
        self.guard = weight.guard

    def numpy(self) -> np.ndarray:
        """The value, computed on the host."""
        layer, weight = self.layer, self.layer._held_weight()
        a, b = layer._change_parts()
        with unchanged([weight, a, b]):
            change = (layer.lora_alpha / layer.lora_rank) * np.dot(a.numpy(), b.numpy())
            whole = K.to_numpy(layer._floats_of_integers()) if layer.quantization_mode else weight.numpy()
        merged = whole + change.astype(whole.dtype)
        return layer._as_integers(merged)[self.place] if layer.quantization_mode else merged

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)

    def set(self, value: Any) -> None:
        """Replace the value; the change begins with zero again.

        Args:
            value: an array.
        """
        self.weight.set(value)
        b = self.layer._change_parts()[1]
        b.set(np.zeros(b.shape, "float32"))


def rounded(inputs: Any, quantizer: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Inputs as integers in floats, and their scale; as if nothing were rounded, for gradients.

    Args:
        inputs: tensor of floats.
        quantizer: makes integers of it.
        axes: axes that share a scale.
    """
    whole, scale = quantizer(K.stop_gradient(inputs), axis=axes)
    scaled = inputs * scale
    return scaled + K.stop_gradient(K.cast(whole, K.dtype(inputs)) - scaled), scale


def check_mode(kind: type, mode: Any) -> None:
    """Raise ArgumentError unless a layer has a mode of `quantize`.

    Args:
        kind: the class of the layer; it says which `modes` there are.
        mode: what `quantize` was given, or a file says.
    """
    modes = kind.modes  # type: ignore[attr-defined]
    if mode in modes:
        return
    known = ", a mode that only Keras 3 has" if mode in KERAS3_MODES and mode not in ("int8", "int4") else ""
    if not modes:
        raise NotQuantizableError(
            f"{kind.__name__}.quantize: the layer has no form of integers, received the mode {mode!r}{known}."
        )
    raise ArgumentError(
        f"{kind.__name__}.quantize: expected {' or '.join(map(repr, modes))}, received the mode {mode!r}{known}."
    )


def _config_of(mode: str, configuration: Any, size: str = "") -> Any:
    """The quantization config for a mode: what was given, or one scale for each channel."""
    kinds = {"int8": quantizers.Int8QuantizationConfig, "int4": quantizers.Int4QuantizationConfig}
    if configuration is None:
        return kinds[mode]() if mode == "int8" else kinds[mode](block_size=int(size or -1))  # type: ignore[call-arg]
    if configuration.mode != mode:
        raise ArgumentError(f"quantize: expected a config for {mode!r}, received {type(configuration).__name__}.")
    return configuration


def _mode_in_file(mode: str, configuration: Any) -> str:
    mode = mode.partition("/")[0]
    return f"int4/{int4.block_size(configuration) or -1}" if mode == "int4" else mode


def _mode_of(kind: type, kwargs: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The mode that the dtype of a layer names, as in 'int8_from_float32', and its arguments without that."""
    dtype = kwargs.get("dtype")
    dtype = dtype_policies.of_layer(None) if dtype is None else dtype
    dtype = dtype.name if isinstance(dtype, QuantizedDTypePolicy) else dtype
    if isinstance(dtype, dict) and "mode" in (dtype.get("config") or ()):
        own = dtype["config"]
        mode = f"{own['mode']}/{own['block_size']}" if "block_size" in own else own["mode"]
        dtype = f"{mode}_from_{own.get('source_name') or 'float32'}"
    mode, apart, source = dtype.partition("_from_") if isinstance(dtype, str) else (None, "", "")
    if not apart or not kind.modes:  # type: ignore[attr-defined]
        return None, kwargs
    check_mode(kind, mode.partition("/")[0])
    return mode, {**kwargs, "dtype": source}


def _described(configuration: Any) -> dict[str, Any]:
    """A quantization config as Keras 3 writes it."""
    parts = {key: getattr(configuration, key) for key in ("weight_quantizer", "activation_quantizer")}
    written = {key: None if part is None else _in_module(type(part), part.get_config()) for key, part in parts.items()}
    sizes = {"block_size": configuration.block_size} if hasattr(configuration, "block_size") else {}
    return _in_module(type(configuration), written | sizes)


def _in_module(cls: type, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.quantizers", "class_name": cls.__name__, "config": arguments, "registered_name": None}
