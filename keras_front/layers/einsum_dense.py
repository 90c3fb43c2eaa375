"""`EinsumDense`: a dense layer whose product is any Einstein summation.

Source for names and arguments: Keras 3, `layers/core/einsum_dense.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Unpack

from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS

from .adaptation import Adaptable, AdaptableWeight, rounded
from .arguments import ActivationFunction, Constraint, Initializer, Kept, Regularizer
from .base import AdaptableArguments

_EQUATION = re.compile(r"(\.{3})?([a-zA-Z]+)(\.{3})?,([a-zA-Z]+)->(\.{3})?([a-zA-Z]+)(\.{3})?")


@LAYERS.register()
class EinsumDense(Adaptable):
    """`activation(einsum(equation, x, kernel) + bias)`.

    Args:
        equation: such as 'abc,cd->abd' or '...x,xy->...y'; the first letter of the first form is the batch.
        output_shape: sizes of the output without the batch, None where they follow from the input; with a leading
            ellipsis only those that the equation names.
        activation: function of the outputs: a name such as 'relu', a function of K, or a layer. None for none.
        bias_axes: letters of the output over which the bias varies; None for no bias.
        kernel_initializer: first values of the kernel. The default keeps the variance of signals from layer to layer.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty on the kernel, added to the loss.
        bias_regularizer: penalty on the bias.
        kernel_constraint: function that the kernel must pass after each step of training.
        bias_constraint: the same for the bias.
        activity_regularizer: penalty on the output, after the activation.

    Shape: what the equation says.
    Weights: kernel (what the second operand says); bias (from the first axis of `bias_axes` on, 1 elsewhere).
    Raises: ArgumentError for an equation of another form; ShapeError for sizes that contradict each other.
    Example:
        >>> EinsumDense("abc,cd->abd", (None, 64), bias_axes="d").compute_output_shape((None, 10, 32))
        (None, 10, 64)
    """

    kernel = AdaptableWeight()

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: ActivationFunction = None,
        bias_axes: Kept = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        activity_regularizer: Regularizer = None,
        **kwargs: Unpack[AdaptableArguments],
    ):
        super().__init__(**kwargs)
        self.equation = str(equation).replace(" ", "")
        self._parts = _parse(self.equation)
        self._check_bias_axes()
        self._sizes = tuple(output_shape) if isinstance(output_shape, Sequence) else (output_shape,)

    def build(self, input_shape: Any) -> None:
        sizes = self._letter_sizes(tuple(input_shape))
        self._elided = len(input_shape) - len(self._parts[1])
        self.kernel = self.add_weight("kernel", tuple(sizes[letter] for letter in self._parts[2]))
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight("bias", self._bias_shape(sizes, len(input_shape)))
        self.built = True
        self._adapt()

    def _letter_sizes(self, input_shape: tuple[Any, ...]) -> dict[str, Any]:
        """The size of every letter, from the input and from `output_shape`."""
        elided, letters, _, result = self._parts
        shape = input_shape[len(input_shape) - len(letters) :] if elided == "left" else input_shape[: len(letters)]
        named = dict(zip(letters, shape, strict=True)) if len(shape) == len(letters) else {}
        if not named or (not elided and len(input_shape) != len(letters)):
            raise ShapeError(f"{self.name}: the equation {self.equation!r} does not fit inputs of shape {input_shape}.")
        own = self._sizes[-len(result) :] if elided == "left" else (None, *self._sizes)[: len(result)]
        if len(own) != len(result):
            raise ShapeError(
                f"{self.name}: output_shape {self._sizes} does not give the sizes of {result!r} in {self.equation!r}."
            )
        for letter, size in zip(result, own, strict=True):
            known = named.get(letter)
            if known is not None and size is not None and known != size:
                raise ShapeError(
                    f"{self.name}: axis {letter!r} of {self.equation!r} is {known} in the input of shape {input_shape} "
                    f"and {size} in output_shape."
                )
            named[letter] = size if known is None else known
        return named

    def _check_bias_axes(self) -> None:
        axes, result = self.bias_axes, self._parts[3]
        if axes is None:
            return
        letters = isinstance(axes, str) or (isinstance(axes, Sequence) and all(isinstance(c, str) for c in axes))
        if not letters or not axes or set(axes) - set(result):
            raise ArgumentError(
                f"EinsumDense: bias_axes {axes!r} must be letters of the output of {self.equation!r}, which are "
                f"{result!r}; None for no bias."
            )

    def _bias_shape(self, sizes: dict[str, Any], rank: int) -> tuple[Any, ...]:
        elided, letters, _, result = self._parts
        axes = self.bias_axes
        first = min(result.index(c) for c in axes)
        shape = tuple(sizes[c] if c in axes else 1 for c in result[first:])
        return shape + (1,) * (rank - len(letters)) if elided == "right" else shape

    def call(self, inputs: Any) -> Any:
        y = self._product(inputs, lambda x, kernel: K.einsum(self.equation, x, kernel))
        return self.activation(y if self.bias is None else K.add(y, self.bias))

    # For LoRA and int8: scales have 1 for each axis that the product sums over, and then stand beside the output.

    def _product(self, inputs: Any, multiply: Any) -> Any:
        if self.lora_enabled and not self._ends_with_kernel() and not self.quantization_mode:
            return multiply(inputs, self.kernel)
        return super()._product(inputs, multiply)

    def _ends_with_kernel(self) -> bool:
        """Whether the last axis of the output is the last one of the kernel, so that LoRA may multiply it by `b`."""
        return self._letters[1][-1] == self._letters[2][-1]

    def _check_lora(self, rank: Any) -> None:
        super()._check_lora(rank)
        if self.quantization_mode and not self._ends_with_kernel():
            raise ArgumentError(f"{self.name}: LoRA on int8 needs an equation whose output ends as its kernel does.")

    def _summed_axes(self) -> tuple[int, ...]:
        _, kernel, result = self._letters
        return tuple(i for i, letter in enumerate(kernel) if letter not in result)

    def _scale_in_file(self, scale: Any) -> Any:
        axes, order, shape = self._to_output(self._letters[1], scale.shape)
        return scale.squeeze(axes).transpose(order).reshape(shape)

    def _scale_beside_weight(self, scale: Any) -> Any:
        _, kernel, result = self._letters
        sizes = {letter: size for letter, size in zip(result, scale.shape, strict=True) if letter in kernel}
        held = [letter for letter in kernel if letter in result]
        scale = K.reshape(scale, tuple(sizes.values()))
        scale = K.permute_dimensions(scale, [list(sizes).index(letter) for letter in held])
        return K.reshape(scale, [sizes.get(letter, 1) for letter in kernel])

    def _quantized_inputs(self, inputs: Any, quantizer: Any) -> tuple[Any, Any]:
        given, _, result = self._letters
        whole, scale = rounded(inputs, quantizer, [i for i, letter in enumerate(given) if letter not in result])
        axes, order, _ = self._to_output(given, (1,) * len(given))
        for axis in reversed(axes):
            scale = K.squeeze(scale, axis)
        scale = K.permute_dimensions(scale, order)
        for axis, letter in enumerate(result):
            scale = scale if letter in given else K.expand_dims(scale, axis)
        return whole, scale

    def _to_output(self, letters: str, shape: Any) -> tuple[tuple[int, ...], list[int], list[int]]:
        """How a scale over the axes `letters` comes to stand beside the output: axes to drop, an order, a shape."""
        result = self._letters[2]
        dropped = tuple(i for i, letter in enumerate(letters) if letter not in result)
        held = [letter for letter in letters if letter in result]
        order = [held.index(letter) for letter in result if letter in held]
        return dropped, order, [shape[letters.index(letter)] if letter in held else 1 for letter in result]

    @property
    def _letters(self) -> tuple[str, str, str]:
        """The letters of input, kernel and output, with circled digits for the axes of an ellipsis."""
        elided, given, kernel, result = self._parts
        further = "".join(chr(0x2460 + i) for i in range(self._elided))
        if elided == "left":
            return further + given, kernel, further + result
        return given + further, kernel, result + further

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        return {**result, "output_shape": list(self._sizes)}


def _parse(equation: str) -> tuple[str | None, str, str, str]:
    """Which side is elided ('left', 'right' or None), and the letters of input, kernel and output."""
    found = _EQUATION.fullmatch(equation)
    if found:
        left, inputs, right, kernel, out_left, result, out_right = found.groups()
        if (left, right) == (out_left, out_right) and not (left and right):
            return "left" if left else "right" if right else None, inputs, kernel, result
    raise ArgumentError(
        f"EinsumDense: expected an equation such as 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...', "
        f"received {equation!r}."
    )
