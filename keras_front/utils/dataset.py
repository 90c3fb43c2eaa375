"""`Dataset`: batches that are made while they are asked for, again in each pass, on any backend.

It has the methods that programs chain to datasets of tf.data, and computes in NumPy. This module must not know where
the samples come from.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_front.backend import seeds
from keras_front.backend.creation import to_numpy
from keras_front.errors import ArgumentError, DtypeError

__all__ = ["Dataset"]

Make = Callable[[], Iterable[Any]]


class Values(np.ndarray):
    """An array that also answers `numpy()`, as programs ask what tf.data gives them."""

    def numpy(self) -> np.ndarray:
        """The same values as an array of NumPy."""
        return self.view(np.ndarray)


class Dataset:
    """Elements, single samples or batches, that can be gone through again and again; `fit` takes it as it is.

    An element is an array or a tuple, list or dict of arrays. What it is made of is not kept: each pass makes it anew.

    Args:
        make: returns an iterator over the elements of one pass; called once for each pass.
        length: how many elements a pass has; None if that is not known.

    Attributes:
        class_names: the names of the classes, where the samples come from folders.
        file_paths: the files of the samples, where they come from files.

    Example:
        >>> ds = Dataset.from_tensor_slices(np.arange(5)).map(lambda x: x * 10).batch(2)
        >>> [batch.tolist() for batch in ds], len(ds)
        ([[0, 10], [20, 30], [40]], 3)
    """

    class_names: list[str] | None = None
    file_paths: list[str] | None = None

    def __init__(self, make: Make, length: int | None = None):
        self._make, self._length = make, length

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """The rows of arrays.

        Args:
            tensors: an array, or a tuple, list or dict of arrays of one length. A list of numbers or texts is an array.
        """
        arrays = _over(np.asarray, _lists_as_arrays(tensors))
        length = len(_leaves(arrays)[0])
        return cls(lambda: (_over(lambda a, i=i: values_of(a[i]), arrays) for i in builtins.range(length)), length)

    @classmethod
    def from_tensors(cls, tensors: Any) -> Dataset:
        """One element.

        Args:
            tensors: an array, or a tuple, list or dict of arrays.
        """
        element = _over(values_of, _lists_as_arrays(tensors))
        return cls(lambda: iter([element]), 1)

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Any], output_types: Any = None, output_shapes: Any = None, args: Any = None,
        output_signature: Any = None, name: str | None = None,
    ) -> Dataset:  # fmt: skip
        """What a function yields.

        Args:
            generator: called at the begin of each pass; returns an iterator over elements.
            output_types: the dtype of each array of an element; None for that which it has.
            output_shapes: not used.
            args: what `generator` is called with.
            output_signature: shapes and dtypes, of which the dtypes are used.
            name: not used.
        """
        kinds = output_signature if output_signature is not None else output_types

        def make() -> Iterator[Any]:
            return (_typed(element, kinds) for element in generator(*(args or ())))

        return cls(make)

    @classmethod
    def range(cls, *args: int, **kwargs: Any) -> Dataset:
        """Integers.

        Args:
            args: start, end and distance, as for Python's `range`.
            kwargs: `output_type`, their dtype, int64 by default.
        """
        kind = np.dtype(str(getattr(kwargs.get("output_type"), "name", kwargs.get("output_type") or "int64")))
        numbers = builtins.range(*map(int, args))
        return cls(lambda: (values_of(kind.type(i)) for i in numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any, **kwargs: Any) -> Dataset:
        """Elements made of one of each dataset, as many as the shortest has.

        Args:
            datasets: datasets, or one nested tuple or dict of them.
            kwargs: `datasets` by name, and `name`, which is not used.
        """
        given = kwargs.get("datasets", datasets[0] if len(datasets) == 1 else datasets)
        parts = _leaves(given)
        lengths = [part._length for part in parts]

        def make() -> Iterator[Any]:
            for elements in builtins.zip(*parts):
                rest = iter(elements)
                yield _over(lambda _, rest=rest: next(rest), given)

        return cls(make, None if None in lengths else min(lengths))

    def __iter__(self) -> Iterator[Any]:
        """One pass over the elements."""
        return iter(self._make())

    def __len__(self) -> int:
        """How many elements a pass has.

        Raises: DtypeError (a TypeError) if that is not known.
        """
        if self._length is None:
            raise DtypeError("Dataset: how many elements there are is not known before they have been gone through.")
        return self._length

    def __bool__(self) -> bool:
        return True

    def cardinality(self) -> int:
        """How many elements a pass has; -2, as in tf.data, if that is not known."""
        return -2 if self._length is None else self._length

    def as_numpy_iterator(self) -> Iterator[Any]:
        """One pass over the elements, as arrays of NumPy."""
        return (_over(np.asarray, element) for element in self)

    @property
    def element_spec(self) -> Any:
        """What the first element is made of: (shape, dtype) in place of each array."""
        return _over(lambda array: (np.shape(array), np.asarray(array).dtype.name), next(iter(self)))

    def _with(self, make: Make, length: int | None = None) -> Dataset:
        made = Dataset(make, length)
        made.class_names, made.file_paths = self.class_names, self.file_paths
        return made

    def _sized(self, change: Callable[[int], int]) -> int | None:
        return None if self._length is None else change(self._length)

    # Elements ----------------------------------------------------------------------------------------

    def map(
        self, map_func: Callable[..., Any], num_parallel_calls: int | None = None, deterministic: bool | None = None
    ) -> Dataset:
        """What a function makes of each element.

        Args:
            map_func: gets an element, one that is a tuple as several arguments; returns an element.
            num_parallel_calls: accepted because tf.data has it; one thread computes.
            deterministic: as above; the order is always kept.
        """
        return self._with(lambda: (_mapped(map_func, element) for element in self), self._length)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which a function says True.

        Args:
            predicate: gets an element, one that is a tuple as several arguments.
        """
        return self._with(lambda: (element for element in self if bool(_call(predicate, element))))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets that a function makes of the elements, one dataset after the other.

        Args:
            map_func: gets an element, one that is a tuple as several arguments; returns a dataset.
        """
        return self._with(lambda: itertools.chain.from_iterable(_call(map_func, element) for element in self))

    def interleave(
        self, map_func: Callable[..., Any], cycle_length: int = 1, block_length: int = 1, **kwargs: Any
    ) -> Dataset:
        """The elements of the datasets that a function makes of the elements, by turns.

        Args:
            map_func: as for `flat_map`.
            cycle_length: how many datasets take turns.
            block_length: elements of one before it is the next one's turn.
            **kwargs: accepted because tf.data has them.
        """
        return self._with(lambda: _interleaved(self, map_func, max(1, cycle_length or 1), block_length))

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any]) -> Any:
        """What a function makes of a state and each element, one after the other.

        Args:
            initial_state: the first state.
            reduce_func: gets the state and an element; returns the next state.
        """
        return functools.reduce(reduce_func, self, initial_state)

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """What a function makes of this dataset.

        Args:
            transformation_func: the function.
        """
        return transformation_func(self)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number and an element.

        Args:
            start: the first number.
        """
        return self._with(lambda: builtins.enumerate(self, start), self._length)

    # Parts -------------------------------------------------------------------------------------------

    def take(self, count: int) -> Dataset:
        """The first elements.

        Args:
            count: how many; -1 for all.
        """
        if count < 0:
            return self
        return self._with(lambda: itertools.islice(self, count), self._sized(lambda n: min(count, n)))

    def skip(self, count: int) -> Dataset:
        """The elements after the first ones.

        Args:
            count: how many are left out; -1 for all.
        """
        count = count if count >= 0 else int(1e18)
        return self._with(lambda: itertools.islice(self, count, None), self._sized(lambda n: max(0, n - count)))

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every `num_shards`-th element.

        Args:
            num_shards: how many parts there are.
            index: which one this is, from 0.
        """
        return self._with(
            lambda: itertools.islice(self, index, None, num_shards),
            self._sized(lambda n: max(0, -(-(n - index) // num_shards))),
        )

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements several times.

        Args:
            count: how often; None or -1 for without end.
        """
        if count is None or count < 0:
            return self._with(lambda: (element for _ in itertools.count() for element in self))
        return self._with(
            lambda: (element for _ in builtins.range(count) for element in self), self._sized(lambda n: n * count)
        )

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this dataset, then those of another one.

        Args:
            dataset: the other one.
        """
        other = dataset._length
        return self._with(lambda: itertools.chain(self, dataset), None if other is None else self._sized(other.__add__))

    # Batches -----------------------------------------------------------------------------------------

    def batch(self, batch_size: int, drop_remainder: bool = False, **kwargs: Any) -> Dataset:
        """Elements joined to batches along a new first axis.

        Args:
            batch_size: elements a batch.
            drop_remainder: leave out a last batch with fewer.
            **kwargs: accepted because tf.data has them.

        Raises: ArgumentError for a size below 1.
        """
        if batch_size < 1:
            raise ArgumentError(f"Dataset.batch: expected a size of at least 1, received {batch_size}.")
        rounded: Callable[[float], int] = math.floor if drop_remainder else math.ceil

        def make() -> Iterator[Any]:
            elements = iter(self)
            while group := list(itertools.islice(elements, batch_size)):
                if len(group) == batch_size or not drop_remainder:
                    yield _stacked(group)

        return self._with(make, self._sized(lambda n: rounded(n / batch_size)))

    def unbatch(self) -> Dataset:
        """The rows of each element."""

        def make() -> Iterator[Any]:
            for batch in self:
                for row in builtins.range(len(_leaves(batch)[0])):
                    yield _over(lambda array, row=row: values_of(array[row]), batch)

        return self._with(make)

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool | None = True
    ) -> Dataset:
        """The elements in a random order: each is drawn from the next `buffer_size` ones.

        Args:
            buffer_size: how many elements are held in memory to draw from.
            seed: the same order in each program; None for one that follows from the seed of the process.
            reshuffle_each_iteration: another order in each pass.

        Raises: ArgumentError for a size below 1.
        """
        if buffer_size < 1:
            raise ArgumentError(f"Dataset.shuffle: expected a size of at least 1, received {buffer_size}.")
        orders = Orders(seed, reshuffle_each_iteration is not False)

        def make() -> Iterator[Any]:
            generator, elements = orders.next(), iter(self)
            held = list(itertools.islice(elements, buffer_size))
            for element in elements:
                place = int(generator.integers(len(held)))
                drawn, held[place] = held[place], element
                yield drawn
            generator.shuffle(held)
            yield from held

        return self._with(make, self._length)

    # What saves time ---------------------------------------------------------------------------------

    def prefetch(self, buffer_size: int | None = None) -> Dataset:
        """The same dataset: `fit` prepares batches ahead anyway, see its `workers` and `max_queue_size`.

        Args:
            buffer_size: accepted because tf.data has it.
        """
        return self

    def cache(self, filename: str = "") -> Dataset:
        """The same elements, which are kept in memory from the first whole pass on.

        Args:
            filename: accepted because tf.data has it; nothing is written.
        """
        kept: list[Any] = []
        whole = False

        def make() -> Iterator[Any]:
            nonlocal whole
            if whole:
                yield from kept
                return
            seen = []
            for element in self:
                seen.append(element)
                yield element
            kept[:], whole = seen, True

        return self._with(make, self._length)

    def with_options(self, options: Any) -> Dataset:
        """The same dataset.

        Args:
            options: accepted because tf.data has them.
        """
        return self


class Orders:
    """Generators of random orders, one for each pass.

    Args:
        seed: they follow from it; None to follow from the seed of the process.
        change: another order in each pass.
    """

    def __init__(self, seed: int | None, change: bool = True):
        self.seed = seed if seed is not None else int(seeds.generator("dataset").integers(2**31))
        self.change, self.passes = change, itertools.count()

    def next(self) -> np.random.Generator:
        """The generator of the next pass."""
        return np.random.default_rng((self.seed, next(self.passes) if self.change else 0))


def _interleaved(dataset: Dataset, function: Callable[..., Any], cycle: int, block: int) -> Iterator[Any]:
    elements = iter(dataset)
    turns = [iter(_call(function, element)) for element in itertools.islice(elements, cycle)]
    while turns:
        for place, source in builtins.enumerate(list(turns)):
            group = list(itertools.islice(source, block))
            yield from group
            if len(group) < block:
                following = list(itertools.islice(elements, 1))
                turns[place] = iter(_call(function, *[following[0]])) if following else None  # type: ignore[call-overload]
        turns = [source for source in turns if source is not None]


def _typed(element: Any, kinds: Any) -> Any:
    """An element of a generator as arrays of the dtypes that were named, in the structure of those."""
    if isinstance(kinds, dict):
        return {key: _typed(element[key], kind) for key, kind in kinds.items()}
    if isinstance(kinds, tuple | list):
        return tuple(_typed(part, kind) for part, kind in builtins.zip(element, kinds, strict=True))
    if kinds is None:
        return _over(values_of, element)
    kind = getattr(kinds, "dtype", kinds)  # of a `TensorSpec`
    name = str(getattr(kind, "name", kind))
    return values_of(np.asarray(element, object if name == "string" else name))


def values_of(array: Any) -> Values:
    """An array that also answers `numpy()`.

    Args:
        array: an array, number or text.
    """
    return np.asarray(array).view(Values)


def _lists_as_arrays(tensors: Any) -> Any:
    """Tuples, lists and dicts of arrays, in which lists of numbers, of texts and of such lists became arrays."""
    if isinstance(tensors, dict):
        return {key: _lists_as_arrays(part) for key, part in tensors.items()}
    if isinstance(tensors, tuple):
        return type(tensors)(_lists_as_arrays(part) for part in tensors)
    if isinstance(tensors, list) and tensors and not any(hasattr(part, "shape") for part in _leaves(tensors)):
        return np.asarray(tensors)
    return tensors


def _over(function: Callable[[Any], Any], element: Any) -> Any:
    """What a function makes of each array of an element."""
    if isinstance(element, dict):
        return {key: _over(function, part) for key, part in element.items()}
    if isinstance(element, tuple | list):
        return type(element)(_over(function, part) for part in element)
    return function(element)


def _leaves(element: Any) -> list[Any]:
    found: list[Any] = []
    _over(found.append, element)
    return found


def _call(function: Callable[..., Any], element: Any) -> Any:
    return function(*element) if isinstance(element, tuple) else function(element)


def _mapped(function: Callable[..., Any], element: Any) -> Any:
    return _over(_on_host, _call(function, element))


def _on_host(part: Any) -> Any:
    """What a function made, which may be a tensor of an engine, as an array; texts and numbers as they are."""
    if isinstance(part, np.ndarray | np.generic):
        return values_of(part)
    return values_of(to_numpy(part)) if hasattr(part, "shape") else part


def _stacked(elements: list[Any]) -> Any:
    first = elements[0]
    if isinstance(first, dict):
        return {key: _stacked([element[key] for element in elements]) for key in first}
    if isinstance(first, tuple | list):
        return type(first)(_stacked(list(parts)) for parts in builtins.zip(*elements))
    return values_of(np.stack([np.asarray(element) for element in elements]))
