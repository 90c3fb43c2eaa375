"""Quantizers: tensors as small integers and the scales that belong to them, in K.

`abs_max_quantize(x, axis)` gives `round(x * scale)` and `scale`, so that the largest value along `axis` becomes 127.
Source for names, arguments and formulas: Keras 3.15, `keras/src/quantizers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.registry import Configurable, Registry
from keras_front.tracebacks import api_boundary

__all__ = [
    "AbsMaxQuantizer",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]

QUANTIZERS = Registry("quantizer")

Axis = int | Sequence[int] | None

# Bits of the fraction, the smallest exponent of a number that is not denormal, and the largest number.
_FLOAT8 = {"float8_e4m3fn": (3, -6, 448.0), "float8_e5m2": (2, -14, 57344.0)}


def abs_max_quantize(
    inputs: Any,
    axis: Axis,
    value_range: Sequence[int] = (-127, 127),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Any, Any]:
    """A tensor as integers, and the scale that the largest absolute value along `axis` decides.

    Args:
        inputs: tensor or array of floats.
        axis: one axis, or several, whose elements share a scale.
        value_range: the least and the largest integer; symmetric by default, so that -128 is not used.
        dtype: of the integers.
        epsilon: added to the largest absolute value, so that a row of zeros has a scale.
        to_numpy: whether to compute in NumPy, outside of any backend.

    Returns: integers, shaped as the inputs; and scales, with 1 for each axis in `axis`. `integers / scales` are about
        the inputs.
    Example:
        >>> values, scale = abs_max_quantize(np.array([[0.25, -1.0]], "float32"), axis=-1)
        >>> K.to_numpy(values).tolist(), round(float(K.to_numpy(scale)[0, 0]), 3)
        ([[32, -127]], 127.0)
    """
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    low, high = value_range
    if to_numpy:
        x: Any = np.asarray(inputs)
        scale: Any = (high / (np.abs(x).max(axes, keepdims=True) + epsilon)).astype(x.dtype)
        return np.clip(np.round(x * scale), low, high).astype(dtype), scale
    x = K.convert(inputs)
    scale = high / (K.max(K.abs(x), axis=axes, keepdims=True) + epsilon)
    return K.cast(K.clip(K.round(x * scale), low, high), dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: Sequence[int] = (-8, 7),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Any, Any, Any]:
    """A matrix as integers, with a scale and a zero point for each block of rows in each column.

    Args:
        inputs: floats (rows, columns).
        block_size: rows of a block; the last one may be smaller, and counts as filled up with zeros.
        value_range: the least and the largest integer; those of four bits by default.
        dtype: of the integers.
        epsilon: added to the range of a block, so that a block of equal numbers has a scale.
        to_numpy: whether the results are arrays of NumPy; it is computed there anyhow.

    Returns: integers, shaped as the inputs; scales and zero points (blocks, columns). `(integers - zero) * scale` are
        about the inputs.
    Source: Keras 3.15, `quantizers/quantizers.py`.
    Example:
        >>> whole, scale, zero = abs_max_quantize_grouped_with_zero_point(np.array([[0.0], [15.0]]), 2, to_numpy=True)
        >>> whole.tolist(), zero.tolist()
        ([[-8], [7]], [[-8]])
    """
    x = np.asarray(inputs if isinstance(inputs, np.ndarray) else K.to_numpy(K.convert(inputs)))
    (rows, columns), (low, high) = x.shape, value_range
    count = -(-rows // block_size)
    blocks = np.concatenate([x, np.zeros((count * block_size - rows, columns), x.dtype)])
    blocks = blocks.reshape(count, block_size, columns)
    least, most = blocks.min(1, keepdims=True), blocks.max(1, keepdims=True)
    scale = ((most - least + epsilon) / (high - low)).astype(x.dtype)
    zero = np.clip(np.round(-least / scale) + low, low, high)
    whole = np.clip(np.round(blocks / scale) + zero, low, high).astype(dtype).reshape(-1, columns)[:rows]
    found = whole, scale[:, 0], zero[:, 0].astype("int8")
    return found if to_numpy else tuple(K.constant(part, dtype=str(part.dtype)) for part in found)  # type: ignore[return-value]


class Quantizer(Configurable):
    """Base class: makes integers and a scale of a tensor.

    Args:
        output_dtype: of the integers.
    """

    def __init__(self, output_dtype: str = "int8"):
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """The integers and their scale.

        Args:
            x: tensor of floats.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it quantizes.")


@QUANTIZERS.register()
class AbsMaxQuantizer(Quantizer):
    """`abs_max_quantize` with its arguments kept.

    Args:
        axis: axes that share a scale; None: said when it is called.
        value_range: the least and the largest integer.
        epsilon: added to the largest absolute value.
        output_dtype: of the integers.
    """

    def __init__(
        self,
        axis: Axis = None,
        value_range: Sequence[int] = (-127, 127),
        epsilon: float = 1e-7,
        output_dtype: str = "int8",
    ):
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else axis if axis is None else tuple(axis)
        self.value_range, self.epsilon = tuple(value_range), epsilon

    def __call__(self, x: Any, axis: Axis = None, to_numpy: bool = False) -> tuple[Any, Any]:
        """The integers and their scale.

        Args:
            x: tensor of floats.
            axis: axes that share a scale, in place of those of the constructor.
            to_numpy: as in `abs_max_quantize`.

        Raises: ArgumentError if nobody said the axis.
        """
        axis = self.axis if axis is None else axis
        if axis is None:
            raise ArgumentError("AbsMaxQuantizer: expected an axis, in the constructor or in the call, received none.")
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, the axis only where it is set, as Keras 3 writes them."""
        kept = {"value_range": list(self.value_range), "epsilon": self.epsilon, "output_dtype": self.output_dtype}
        return kept if self.axis is None else {**kept, "axis": list(self.axis)}


class QuantizationConfig(Configurable):
    """How a layer is quantized.

    Args:
        weight_quantizer: makes integers of weights; None for that of the mode.
        activation_quantizer: makes integers of inputs, at each call; None leaves inputs as they are.
    """

    mode = ""

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None):
        self.weight_quantizer, self.activation_quantizer = get(weight_quantizer), get(activation_quantizer)


@QUANTIZERS.register()
class Int8QuantizationConfig(QuantizationConfig):
    """Weights as int8 with a scale for each output channel, and inputs as int8 with a scale for each sample.

    Args:
        weight_quantizer: makes integers of weights; None for `AbsMaxQuantizer` over the axes that a product sums over.
        activation_quantizer: makes integers of inputs; 'default' for `AbsMaxQuantizer`, None leaves inputs as they are.
    """

    mode = "int8"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default"):
        default = isinstance(activation_quantizer, str) and activation_quantizer == "default"
        super().__init__(weight_quantizer, AbsMaxQuantizer() if default else activation_quantizer)


@QUANTIZERS.register()
class Int4QuantizationConfig(QuantizationConfig):
    """Weights as integers of four bits, two in a byte; inputs stay floats unless it is said otherwise.

    Args:
        weight_quantizer: makes integers of weights, from -8 to 7; None for `AbsMaxQuantizer`.
        activation_quantizer: makes integers of inputs; 'default' and None leave them as they are.
        block_size: how many inputs share a scale and a zero point, for each output; None or -1 for one scale each.

    Raises: ArgumentError for another block size, and for quantizers beside blocks.
    Source: Keras 3.15, `quantizers/quantization_config.py`.
    Example:
        >>> Int4QuantizationConfig().block_size
        128
    """

    mode = "int4"

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default", block_size: int | None = 128
    ):
        default = isinstance(activation_quantizer, str) and activation_quantizer == "default"
        super().__init__(weight_quantizer, None if default else activation_quantizer)
        whole = isinstance(block_size, int | np.integer) and not isinstance(block_size, bool)
        if block_size is not None and (not whole or (block_size < 1 and block_size != -1)):
            raise ArgumentError(
                f"Int4QuantizationConfig: expected None, -1 or a positive integer as block_size, received {block_size}."
            )
        self.block_size = block_size
        if block_size not in (None, -1) and (self.weight_quantizer or self.activation_quantizer):
            raise ArgumentError(
                "Int4QuantizationConfig: expected no quantizers of your own for blocks, which have zero points: pass "
                f"block_size=None, or no quantizer. Received block_size={block_size}."
            )
        own = self.weight_quantizer
        if own is not None and (tuple(own.value_range) != (-8, 7) or own.output_dtype != "int8"):
            raise ArgumentError(
                "Int4QuantizationConfig: expected a weight_quantizer with value_range=(-8, 7) and output_dtype='int8', "
                f"received {own.value_range} and {own.output_dtype!r}."
            )


# Simulated quantization ------------------------------------------------------------------------------


def fake_quant_with_min_max_vars(
    inputs: Any,
    min_vals: Any,
    max_vals: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Any:
    """`inputs` rounded to the numbers that integers of a few bits can stand for, as floats.

    Gradients pass where an input lies in the range, and end elsewhere.

    Args:
        inputs: tensor of floats.
        min_vals: the least number of the range, or one for each index along `axis`.
        max_vals: the largest one. The range is shifted a little, so that 0 is among the numbers.
        num_bits: bits of the integers.
        narrow_range: whether the least integer is left out, so that there are as many below 0 as above.
        axis: the axis of channels that have ranges of their own; None for one range.

    Returns: tensor shaped as the inputs.
    Source: Jacob et al. (2018), section 2; TensorFlow, `fake_quant_with_min_max_vars`.
    """
    x = K.convert(inputs)
    shape = [1] * K.ndim(x)
    if axis is not None:
        shape[axis] = -1
    low, high = (
        K.reshape(K.cast(K.convert(v), K.dtype(x)), shape if K.ndim(K.convert(v)) else ()) for v in (min_vals, max_vals)
    )
    least, most = float(narrow_range), float(2**num_bits - 1)
    scale = (high - low) / (most - least)
    zero = K.clip(K.round(least - low / scale), least, most)
    low, high = (least - zero) * scale, (most - zero) * scale
    inside = K.clip(x, low, high) if axis is None else K.minimum(K.maximum(x, low), high)
    rounded = K.floor((inside - low) / scale + 0.5) * scale + low
    return inside + K.stop_gradient(rounded - inside)


def quantize_and_dequantize(inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str) -> Any:
    """`inputs` rounded to what a type of 8 bits can hold of `inputs / scale`, in the type that is computed in.

    Args:
        inputs: tensor of floats.
        scale: number that brings the inputs into the range of the type.
        quantized_dtype: 'float8_e4m3fn', 'float8_e5m2' or 'int8'.
        compute_dtype: dtype of the result.

    Raises: ArgumentError for another type.
    Source: Micikevicius et al. (2022), "FP8 formats for deep learning", table 1.
    """
    x = K.cast(K.convert(inputs), compute_dtype) / scale
    if quantized_dtype == "int8":
        return K.clip(K.round(x), -128.0, 127.0) * scale
    if quantized_dtype not in _FLOAT8:
        raise ArgumentError(
            f"quantize_and_dequantize: expected 'int8' or one of {', '.join(_FLOAT8)}, received {quantized_dtype!r}."
        )
    bits, least, largest = _FLOAT8[quantized_dtype]
    x = K.clip(x, -largest, largest)
    exponent = K.floor(K.log(K.maximum(K.abs(x), 2.0**least)) / float(np.log(2.0)) + 1e-6)
    step = K.pow(K.cast(K.convert(2.0), compute_dtype), exponent - bits)
    return K.round(x / step) * step * scale


# Four bits -------------------------------------------------------------------------------------------


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Any, tuple[int, ...], int]:
    """Integers of 4 bits, two in a byte.

    Args:
        arr: integers from -8 to 7.
        axis: along which neighbours share a byte: the first of two has the low bits.
        dtype: 'int8' for integers from -8 on, 'uint8' for those from 0 to 15.

    Returns: the bytes, their shape, and the length along `axis` before, which may be odd.
    Raises: ArgumentError for another dtype.
    """
    _check_byte("pack_int4", dtype)
    values = K.to_numpy(K.convert(arr))
    found = packed(values, axis).view(dtype)
    return K.constant(found, dtype=dtype), found.shape, values.shape[axis]


def packed(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Integers of 4 bits as bytes of two, an array of int8.

    Args:
        values: integers from -8 to 7, or from 0 to 15.
        axis: along which neighbours share a byte: the first of two has the low bits.

    Example:
        >>> packed(np.array([1, -1, 2])).tolist()
        [-15, 2]
    """
    first = np.moveaxis(np.asarray(values), axis, 0).astype("int32")
    first = np.concatenate([first, np.zeros((len(first) % 2, *first.shape[1:]), "int32")])
    found = ((first[::2] & 15) | (first[1::2] & 15) << 4).astype("uint8").view("int8")
    return np.ascontiguousarray(np.moveaxis(found, 0, axis))


def unpacked(values: Any, length: int) -> Any:
    """The integers from -8 to 7 of which two lie in a byte, along the last axis, as int32; also while tracing.

    Args:
        values: bytes, a tensor of int8.
        length: of the last axis before, which may be odd.

    Example:
        >>> K.to_numpy(unpacked(K.constant([-15, 2], dtype="int8"), 3)).tolist()
        [1, -1, 2]
    """
    places = np.arange(length)
    wide = K.cast(K.gather(values, K.constant(places // 2, dtype="int32"), axis=-1), "int32")
    low = K.bitwise_and(wide + 8, 15) - 8
    return K.where(K.constant(places % 2 == 1, dtype="bool"), K.right_shift(wide, 4), low)


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Any:
    """What `pack_int4` packed.

    Args:
        packed: the bytes.
        orig_len: the length along `axis` before.
        axis: along which neighbours share a byte.
        dtype: as for `pack_int4`.

    Raises: ArgumentError for another dtype.
    """
    _check_byte("unpack_int4", dtype)
    data = np.moveaxis(K.to_numpy(K.convert(packed)), axis, 0).astype("int32") & 255
    values = np.stack([data & 15, data >> 4], 1).reshape(-1, *data.shape[1:])[:orig_len]
    signed = values - 16 * (values > 7) if dtype == "int8" else values
    return K.constant(np.moveaxis(signed, 0, axis).astype(dtype), dtype=dtype)


def _check_byte(where: str, dtype: str) -> None:
    if dtype not in ("int8", "uint8"):
        raise ArgumentError(f"{where}: expected dtype 'int8' or 'uint8', received {dtype!r}.")


# Configs ---------------------------------------------------------------------------------------------


@api_boundary
def serialize(initializer: Any) -> dict[str, Any]:
    """Config of a quantizer.

    Args:
        initializer: the quantizer, under the name that Keras 3 gave to the argument.
    """
    return QUANTIZERS.serialize(initializer)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The quantizer that a config describes.

    Args:
        config: what `serialize` returned.
        custom_objects: classes of your own by name.

    Raises: ArgumentError for an unknown name.
    """
    return QUANTIZERS.deserialize(config, custom_objects)


@api_boundary
def get(identifier: Any) -> Any:
    """The quantizer that an argument stands for.

    Args:
        identifier: a name, a config, a class or an object; None stays None.

    Raises: ArgumentError for an unknown name.
    """
    return None if identifier is None else QUANTIZERS.get(identifier)
