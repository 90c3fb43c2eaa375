"""Elements of a `Dataset` that are put together: batches, windows, groups by a key. `Dataset` has these methods."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError

from . import dataset_elements as elements_of
from .dataset_elements import call, joined, leaves, over, padded, stacked, values_of

__all__ = ["Groups"]


class Groups:
    """The methods of a dataset that put elements together, or take them apart.

    A dataset says how another one is made of it (`_with`), and how many elements that has (`_sized`).
    """

    _with: Callable[..., Any]
    _sized: Callable[[Callable[[Any], float]], float | None]

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def batch(self, batch_size: int, drop_remainder: bool = False, **kwargs: Any) -> Any:
        """Elements joined to batches along a new first axis.

        Args:
            batch_size: elements a batch.
            drop_remainder: leave out a last batch with fewer.
            **kwargs: accepted because tf.data has them.

        Raises: ArgumentError for a size below 1.
        """
        return self._in_groups("batch", batch_size, drop_remainder, stacked)

    def padded_batch(
        self, batch_size: int, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Batches of arrays of different sizes, which are filled up at their ends.

        Args:
            batch_size: elements a batch.
            padded_shapes: the shape of each array without the batch axis, nested as an element is; None or -1 for the
                largest of the batch. None for the largest everywhere.
            padding_values: what each array is filled with, nested as an element is, or one for all; by default 0, and
                for texts the empty one.
            drop_remainder: leave out a last batch with fewer.
            name: not used.

        Raises: ArgumentError for a size below 1. ShapeError for an array that is larger than its shape.
        """

        def together(group: list[Any]) -> Any:
            number = len(leaves(group[0]))
            shapes = iter([None] * number if padded_shapes is None else _shapes(padded_shapes, group[0]))
            nested = isinstance(padding_values, tuple | list | dict)
            values = iter(leaves(padding_values) if nested else [padding_values] * number)
            return joined(group, lambda arrays: padded(arrays, next(shapes), next(values)))

        return self._in_groups("padded_batch", batch_size, drop_remainder, together)

    def _in_groups(self, name: str, size: int, drop: bool, together: Callable[[list[Any]], Any]) -> Any:
        size = int(size)
        if size < 1:
            raise ArgumentError(f"Dataset.{name}: expected a size of at least 1, received {size}.")
        rounded: Callable[[float], float] = math.floor if drop else math.ceil

        def make() -> Iterator[Any]:
            elements = iter(self)
            while group := list(itertools.islice(elements, size)):
                if len(group) == size or not drop:
                    yield together(group)

        return self._with(make, self._sized(lambda n: rounded(n / size)), is_open=not drop)

    def unbatch(self) -> Any:
        """The rows of each element."""

        def make() -> Iterator[Any]:
            for batch in self:
                for row in range(len(leaves(batch)[0])):
                    yield over(lambda array, row=row: values_of(array[row]), batch)

        return self._with(make, is_open=False)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Any:
        """Batches of another size.

        Args:
            batch_size: rows a batch.
            drop_remainder: leave out a last batch with fewer.
            name: not used.
        """
        return self.unbatch().batch(batch_size, drop_remainder)

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False, name: Any = None
    ) -> Any:
        """Datasets of neighbouring elements; where an element is a tuple or a dict, a dataset for each of its parts.

        Args:
            size: elements a window.
            shift: how far the next window begins behind the begin of this one; by default `size`.
            stride: the distance of the elements of a window.
            drop_remainder: leave out the last windows where they are shorter.
            name: not used.

        Raises: ArgumentError for a number below 1.
        """
        size, shift, stride = int(size), int(size if shift is None else shift), int(stride)
        if min(size, shift, stride) < 1:
            raise ArgumentError(
                f"Dataset.window: expected size, shift and stride of at least 1, received {size}, {shift} and {stride}."
            )
        reach = (size - 1) * stride + 1

        def make() -> Iterator[Any]:
            for group in _windows(self, reach, shift, stride, drop_remainder):
                parts = iter(list(zip(*map(leaves, group), strict=True)))
                yield over(lambda _, parts=parts: self._of(next(parts)), group[0])

        def number(n: Any) -> float:
            return max(0, (n - reach) // shift + 1) if drop_remainder else math.ceil(n / shift)

        return self._with(make, self._sized(number), is_open=False)

    def _of(self, items: tuple[Any, ...]) -> Any:
        return self._with(lambda: iter(items), len(items), is_open=False)

    def group_by_window(
        self, key_func: Callable[..., Any], reduce_func: Callable[[Any, Any], Any], window_size: Any = None,
        window_size_func: Callable[[Any], Any] | None = None, name: str | None = None,
    ) -> Any:  # fmt: skip
        """The elements of datasets that a function makes of elements with the same key.

        Args:
            key_func: gives the key of an element, an integer.
            reduce_func: gets the key and a dataset of elements; returns a dataset.
            window_size: how many elements of one key are held before they are given to it.
            window_size_func: gives that number for a key.
            name: not used.

        Raises: ArgumentError unless one of the two sizes is given.
        """
        if (window_size is None) == (window_size_func is None):
            raise ArgumentError("Dataset.group_by_window: expected either window_size or window_size_func.")

        def make() -> Iterator[Any]:
            held: dict[int, list[Any]] = {}
            for element in self:
                key = int(call(key_func, element))
                group = held.setdefault(key, [])
                group.append(element)
                size = window_size if window_size_func is None else window_size_func(np.int64(key))
                if len(group) >= int(size):
                    yield from reduce_func(np.int64(key), self._of(tuple(held.pop(key))))
            for key, group in sorted(held.items()):
                yield from reduce_func(np.int64(key), self._of(tuple(group)))

        return self._with(make, is_open=True)

    def bucket_by_sequence_length(
        self, element_length_func: Callable[..., Any], bucket_boundaries: Iterable[int],
        bucket_batch_sizes: Iterable[int], padded_shapes: Any = None, padding_values: Any = None,
        pad_to_bucket_boundary: bool = False, no_padding: bool = False, drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        """Batches of sequences of about the same length.

        Args:
            element_length_func: gives the length of an element.
            bucket_boundaries: lengths at which the next bucket begins.
            bucket_batch_sizes: elements a batch in each bucket, one more than there are boundaries.
            padded_shapes: as of `padded_batch`.
            padding_values: as of `padded_batch`.
            pad_to_bucket_boundary: fill up to one less than the end of the bucket; longer elements are an error.
            no_padding: the sequences of a bucket have one length already.
            drop_remainder: leave out last batches with fewer.
            name: not used.

        Raises: ArgumentError if there is not one size more than boundaries.
        """
        ends, sizes = [int(n) for n in bucket_boundaries], [int(n) for n in bucket_batch_sizes]
        if len(sizes) != len(ends) + 1:
            raise ArgumentError(
                f"Dataset.bucket_by_sequence_length: expected {len(ends) + 1} sizes of batches for {len(ends)} "
                f"boundaries, received {len(sizes)}."
            )

        def shape_of(array: Any, key: int) -> list[int | None]:
            return [ends[key] - 1 if pad_to_bucket_boundary and key < len(ends) else None] * np.ndim(array)

        def batches(key: Any, group: Any) -> Any:
            if no_padding:
                return group.batch(sizes[key], drop_remainder)
            shapes = padded_shapes
            if shapes is None and pad_to_bucket_boundary:
                shapes = over(lambda array: Shape(shape_of(array, int(key))), next(iter(group)))
            return group.padded_batch(sizes[key], shapes, padding_values, drop_remainder)

        return self.group_by_window(
            lambda *element: bisect.bisect_right(ends, int(element_length_func(*element))),
            batches,
            window_size_func=lambda key: sizes[int(key)],
        )

    def ragged_batch(self, batch_size: int, drop_remainder: bool = False, **kwargs: Any) -> Any:
        """Batches of arrays of different sizes, filled up with zeros: no backend has ragged tensors.

        Args:
            batch_size: elements a batch.
            drop_remainder: leave out a last batch with fewer.
            **kwargs: accepted because tf.data has them.
        """
        return self.padded_batch(batch_size, drop_remainder=drop_remainder)


Shape = elements_of.TensorShape


def _shapes(shapes: Any, element: Any) -> list[Any]:
    """The shape of each array, of shapes that are nested as an element is: lists of sizes, or `TensorShape`s."""
    if isinstance(element, dict):
        return [shape for key, part in element.items() for shape in _shapes(shapes[key], part)]
    if isinstance(element, tuple | list):
        return [s for given, part in zip(shapes, element, strict=True) for s in _shapes(given, part)]
    return [shapes]


def _windows(dataset: Iterable[Any], reach: int, shift: int, stride: int, drop: bool) -> Iterator[list[Any]]:
    """Elements of a dataset, each `stride` elements apart among `reach` neighbours."""
    elements = iter(dataset)
    held: deque[Any] = deque()
    while True:
        held.extend(itertools.islice(elements, reach - len(held)))
        if not held or (len(held) < reach and drop):
            return
        yield list(itertools.islice(held, 0, reach, stride))
        for _ in itertools.islice(elements, max(0, shift - len(held))):
            pass
        for _ in range(min(shift, len(held))):
            held.popleft()
