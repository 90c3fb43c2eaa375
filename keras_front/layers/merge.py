"""Layers that make one tensor of several: sums, products, maxima, concatenation, dot products.

Source: Keras 2.3.1, `keras/layers/merge.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, Any, Unpack

from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.graph.layer import LAYERS
from keras_front.graph.layer_values import is_list_of_shapes
from keras_front.tracebacks import api_boundary

from .arguments import Flag, Integer, Reader
from .base import Layer, LayerArguments


def _one_or_two(value: Any, layer: Any) -> Any:
    if isinstance(value, int):
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(axis, int) for axis in value):
        return tuple(value)
    raise ValueError


OneOrTwo = Annotated[int | Sequence[int], Reader(_one_or_two, "an integer or a pair of integers")]


class _Merge(Layer):
    """Elementwise merging; sizes of 1 and missing axes after the batch are broadcast."""

    supports_masking = True
    _count: int | None = None

    def build(self, input_shape: Any) -> None:
        shapes = self._list_of(input_shape)
        batches = {s[0] for s in shapes} - {None}
        if len(batches) > 1:
            raise ShapeError(f"Can not merge tensors with different batch sizes. Got tensors with shapes: {shapes}.")
        reduce(self._broadcast, [tuple(s[1:]) for s in shapes])
        self.built = True

    def _list_of(self, input_shape: Any) -> list[Any]:
        if not is_list_of_shapes(input_shape) or len(input_shape) < 2:
            raise ArgumentError(
                f"{self.name}: a `{type(self).__name__}` layer should be called on a list of inputs, at least 2 inputs."
                f" Got input shape {input_shape}."
            )
        if self._count is not None and len(input_shape) != self._count:
            raise ArgumentError(
                f"{self.name}: a `{type(self).__name__}` layer should be called on exactly {self._count} inputs. Got "
                f"{len(input_shape)}."
            )
        return list(input_shape)

    def _broadcast(self, a: Any, b: Any) -> tuple[Any, ...]:
        """The shape in which two shapes without the batch meet."""
        long, short = (a, b) if len(a) >= len(b) else (b, a)
        short = (1,) * (len(long) - len(short)) + tuple(short)
        met = []
        for m, n in zip(long, short, strict=True):
            if None not in (m, n) and m != n and 1 not in (m, n):
                raise ShapeError(f"{self.name}: Operands could not be broadcast together with shapes {a} {b}.")
            met.append(n if m == 1 else m if n == 1 or n is None or m is not None else None)
        return tuple(met)

    def call(self, inputs: Any) -> Any:
        rank = max(K.ndim(x) for x in inputs)
        return self._merge_function([_with_rank(x, rank) for x in inputs])

    def _merge_function(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = [m for m in _one_for_each(inputs, mask) if m is not None]
        return reduce(K.logical_and, masks) if masks else None


def _one_for_each(inputs: Any, mask: Any) -> list[Any]:
    """The masks of the inputs; none where `mask` is None.

    Raises: ArgumentError if these are no lists of one length. Source: Keras 2.3.1, `keras/layers/merge.py`.
    """
    if mask is None:
        return []
    if not isinstance(mask, list) or not isinstance(inputs, list) or len(mask) != len(inputs):
        raise ArgumentError(
            "compute_mask: expected `inputs` and `mask` to be lists of one length (`mask` should be a list), received "
            f"{type(inputs).__name__} and {type(mask).__name__}."
        )
    return mask


def _with_rank(x: Any, rank: int) -> Any:
    """`x` with axes of size 1 after the batch, up to `rank` axes."""
    for _ in range(rank - K.ndim(x)):
        x = K.expand_dims(x, 1)
    return x


@LAYERS.register()
class Add(_Merge):
    """The sum of a list of inputs, element by element.

    Shape: two or more of one shape -> that shape. Sizes of 1, and axes after the batch that an input lacks, fit any.
    Raises: when it is called, ArgumentError for fewer than two inputs, ShapeError for shapes that do not fit.
    Example:
        >>> Add()([K.constant([[1.0, 2.0]]), K.constant([[10.0, 20.0]])]).tolist()
        [[11.0, 22.0]]
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(lambda a, b: a + b, inputs)


@LAYERS.register()
class Subtract(_Merge):
    """The first of two inputs minus the second.

    Shape: two of one shape -> that shape, broadcast as by `Add`.

    Example:
        >>> Subtract()([np.array([[5.0]]), np.array([[3.0]])]).tolist()
        [[2.0]]
    """

    _count = 2

    def _merge_function(self, inputs: list[Any]) -> Any:
        return inputs[0] - inputs[1]


@LAYERS.register()
class Multiply(_Merge):
    """The product of a list of inputs, element by element.

    Shape: two or more of one shape -> that shape, broadcast as by `Add`.

    Example:
        >>> Multiply()([np.array([[2.0]]), np.array([[3.0]])]).tolist()
        [[6.0]]
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(lambda a, b: a * b, inputs)


@LAYERS.register()
class Average(_Merge):
    """The mean of a list of inputs, element by element.

    Shape: two or more of one shape -> that shape, broadcast as by `Add`.

    Example:
        >>> Average()([np.array([[1.0]]), np.array([[3.0]])]).tolist()
        [[2.0]]
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(lambda a, b: a + b, inputs) / len(inputs)


@LAYERS.register()
class Maximum(_Merge):
    """The largest of a list of inputs, element by element.

    Shape: two or more of one shape -> that shape, broadcast as by `Add`.

    Example:
        >>> Maximum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])]).tolist()
        [[3.0, 5.0]]
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(K.maximum, inputs)


@LAYERS.register()
class Minimum(_Merge):
    """The smallest of a list of inputs, element by element.

    Shape: two or more of one shape -> that shape, broadcast as by `Add`.

    Example:
        >>> Minimum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])]).tolist()
        [[1.0, 2.0]]
    """

    def _merge_function(self, inputs: list[Any]) -> Any:
        return reduce(K.minimum, inputs)


@LAYERS.register()
class Concatenate(_Merge):
    """A list of inputs one after the other along `axis`.

    Args:
        axis: the axis along which they are joined; the batch counts as axis 0.

    Shape: all sizes but that of `axis` must agree -> the sizes of `axis` added up.
    Raises: when it is called, ArgumentError for fewer than two inputs, ShapeError for shapes that do not fit.
    Example:
        >>> Concatenate().compute_output_shape([(None, 3), (None, 4)])
        (None, 7)
    """

    def __init__(self, axis: Integer = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        shapes = self._list_of(input_shape)
        if len({len(s) for s in shapes}) == 1:
            place = self.axis % len(shapes[0])
            rest = [[n for i, n in enumerate(s) if i != place] for s in shapes]
            fits = all(len(set(sizes) - {None}) < 2 for sizes in zip(*rest, strict=True))
        else:
            fits = False
        if not fits:
            raise ShapeError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concat axis "
                f"{self.axis}. Got inputs shapes: {shapes}."
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        return K.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if all(m is None for m in _one_for_each(inputs, mask)):
            return None
        rank = max(K.ndim(m) for m in mask if m is not None)
        full = K.ndim(inputs[0])
        if rank <= self.axis % full < full - 1:
            return super().compute_mask(inputs, mask)
        wide = [K.ones_like(x, dtype="bool") if m is None else m for x, m in zip(inputs, mask, strict=True)]
        wide = [K.expand_dims(m, -1) if K.ndim(m) < full else m for m in wide]
        if any(m is None for m in mask) or self.axis % full == full - 1:
            wide = [_as_wide(m, x) for m, x in zip(wide, inputs, strict=True)]
        joined = K.concatenate(wide, axis=self.axis)
        return K.all(joined, axis=-1) if rank < full else joined


def _as_wide(mask: Any, like: Any) -> Any:
    """`mask` (batch, steps, 1) in the shape of `like`."""
    return K.logical_and(mask, K.ones_like(like, dtype="bool"))


@LAYERS.register()
class Dot(_Merge):
    """The dot products of two inputs, sample by sample.

    Args:
        axes: the axis of each input that is summed over, or one number for both; the batch counts as axis 0.
        normalize: whether to scale both to length 1 first, which gives the cosine.

    Shape: (batch, ..., n, ...) twice -> (batch, the other axes of both); (batch, 1) if none is left.
    Raises: when it is called, ShapeError if the sizes of the two axes differ.
    Example:
        >>> Dot(axes=1)([K.constant([[1.0, 2.0]]), K.constant([[3.0, 4.0]])]).tolist()
        [[11.0]]
    """

    _count = 2

    def __init__(self, axes: OneOrTwo, normalize: Flag = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)

    def _places(self, ranks: tuple[int, int]) -> tuple[int, int]:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if not all(-n <= a < n for a, n in zip(axes, ranks, strict=True)):
            raise ArgumentError(
                f"{self.name}: expected axes of inputs of {ranks} dimensions, received axes={self.axes}."
            )
        first, second = (a % n for a, n in zip(axes, ranks, strict=True))
        return first, second

    def build(self, input_shape: Any) -> None:
        a, b = self._list_of(input_shape)
        i, j = self._places((len(a), len(b)))
        if None not in (a[i], b[j]) and a[i] != b[j]:
            raise ShapeError(
                f"{self.name}: Dimension incompatibility {a[i]} != {b[j]}. Layer shapes: {a}, {b}. Chosen axes: {i}, "
                f"{j}."
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        i, j = self._places((K.ndim(a), K.ndim(b)))
        if self.normalize:
            a, b = K.l2_normalize(a, axis=i), K.l2_normalize(b, axis=j)
        return K.batch_dot(a, b, (i, j))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


@api_boundary
def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of a list of tensors, element by element: a call of a new layer `Add`.

    Args:
        inputs: two or more tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> add([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Add(**kwargs)(inputs)


@api_boundary
def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first tensor of a pair minus the second: a call of a new layer `Subtract`.

    Args:
        inputs: two tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> subtract([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Subtract(**kwargs)(inputs)


@api_boundary
def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of a list of tensors, element by element: a call of a new layer `Multiply`.

    Args:
        inputs: two or more tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> multiply([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Multiply(**kwargs)(inputs)


@api_boundary
def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of a list of tensors, element by element: a call of a new layer `Average`.

    Args:
        inputs: two or more tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> average([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Average(**kwargs)(inputs)


@api_boundary
def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The maximum of a list of tensors, element by element: a call of a new layer `Maximum`.

    Args:
        inputs: two or more tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> maximum([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Maximum(**kwargs)(inputs)


@api_boundary
def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The minimum of a list of tensors, element by element: a call of a new layer `Minimum`.

    Args:
        inputs: two or more tensors of shapes that fit.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> minimum([Input((4,)), Input((4,))]).shape
        (None, 4)
    """
    return Minimum(**kwargs)(inputs)


@api_boundary
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors one after the other along `axis`: a call of a new layer `Concatenate`.

    Args:
        inputs: two or more tensors, of the same sizes but for that axis.
        axis: the axis along which they are joined; the batch counts as axis 0.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> concatenate([Input((4,)), Input((3,))]).shape
        (None, 7)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


@api_boundary
def dot(inputs: Any, axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """The dot products of two tensors, sample by sample: a call of a new layer `Dot`.

    Args:
        inputs: two tensors.
        axes: the axis of each that is summed over, or one number for both; the batch counts as axis 0.
        normalize: whether to scale both to length 1 first, which gives the cosine.
        kwargs: arguments of the layer, such as `name`.

    Example:
        >>> from keras_front.layers import Input
        >>> dot([Input((4,)), Input((4,))], axes=1).shape
        (None, 1)
    """
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
