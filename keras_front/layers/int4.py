"""Weights as integers of four bits, two in a byte, with a scale for each output channel or for blocks of its inputs.

A weight is a matrix here: rows are the axes that the product sums over, columns the others; of an `Embedding` the other
way round. Neighbours along the last axis share a byte. In blocks the integers have a zero point, so that a block whose
numbers are all positive uses all sixteen of them.

Source: Keras 3.15, `layers/core/dense.py` and `quantizers/quantizers.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front import config, quantizers

RANGE = (-8, 7)


class Matrix(NamedTuple):
    """The weight of a layer as a matrix.

    Attributes:
        rows, columns: its sizes.
        axis: along which blocks lie: 0, or 1 for an `Embedding`.
    """

    rows: int
    columns: int
    axis: int

    def blocks(self, size: int) -> int:
        """How many blocks of a size there are; the last one may be smaller."""
        return -(-self[self.axis] // size)


def block_size(configuration: Any) -> int | None:
    """The size of blocks that a quantization config asks for; None for one scale for each channel."""
    size = getattr(configuration, "block_size", None)
    return None if size in (None, -1) else int(size)


def add_weights(layer: Any, name: str, matrix: Matrix) -> list[Any]:
    """Give a layer the variables of a weight: bytes and scales, in blocks also zero points and the blocks of rows.

    Args:
        layer: the layer.
        name: of the weight.
        matrix: its form.

    Returns: the variables.
    """
    size = block_size(layer.quantization_config)
    other = matrix[1 - matrix.axis]
    scales = (other,) if size is None else (matrix.blocks(size), other)[:: 1 if matrix.axis == 0 else -1]
    found = [
        layer.add_weight(name, (matrix.rows, -(-matrix.columns // 2)), "int8", "zeros", trainable=False),
        layer.add_weight(f"{name}_scale", scales, config.floatx(), "ones", trainable=False),
    ]
    if size is not None:
        found.append(layer.add_weight(f"{name}_zero", scales, "int8", "zeros", trainable=False))
        found.append(layer.add_weight("g_idx", (matrix[matrix.axis],), "float32", "zeros", trainable=False))
        found[-1].set(np.arange(matrix[matrix.axis]).astype("float32") // size)
    return found


def arrays(values: np.ndarray, matrix: Matrix, configuration: Any) -> list[np.ndarray]:
    """What the variables of `add_weights` hold for a weight, without the blocks of rows.

    Args:
        values: the weight.
        matrix: its form.
        configuration: an `Int4QuantizationConfig`, or None.
    """
    size, whole = block_size(configuration), np.reshape(values, matrix[:2])
    if size is None:
        quantizer = getattr(configuration, "weight_quantizer", None) or quantizers.AbsMaxQuantizer(value_range=RANGE)
        integers, scale = (K.to_numpy(part) for part in quantizer(whole, axis=matrix.axis, to_numpy=True))
        return [quantizers.packed(integers), np.squeeze(scale, matrix.axis)]
    turned = whole if matrix.axis == 0 else whole.T
    found = quantizers.abs_max_quantize_grouped_with_zero_point(turned, size, to_numpy=True)
    integers, *rest = found if matrix.axis == 0 else [np.ascontiguousarray(part.T) for part in found]
    return [quantizers.packed(integers), *rest]


def floats(parts: list[Any], matrix: Matrix, dtype: str) -> Any:
    """The weight as a tensor of floats, in the form of its matrix, or what was gathered of the rows of one.

    Args:
        parts: the values of the variables of `add_weights`; the first may be rows of the bytes, scales and zero points
            then those of the rows.
        matrix: the form of the weight.
        dtype: of the result.
    """
    integers = K.cast(quantizers.unpacked(parts[0], matrix.columns), dtype)
    if len(parts) == 2:
        return integers / (parts[1] if matrix.axis == 0 else K.expand_dims(parts[1], -1))
    scale, zero, blocks = parts[1], parts[2], K.cast(parts[3], "int32")
    axis = 0 if matrix.axis == 0 else -1
    return (integers - K.cast(K.gather(zero, blocks, axis=axis), dtype)) * K.gather(scale, blocks, axis=axis)
