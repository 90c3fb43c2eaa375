"""`Dataset`: batches that are made while they are asked for, again in each pass, on any backend.

It has the methods that programs chain to datasets of tf.data, and computes in NumPy. This module must not know where
the samples come from.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError, DtypeError

from .dataset_elements import call, mapped, on_host, over, spec_of, values_of
from .dataset_groups import Groups
from .dataset_sources import Orders, Sources

__all__ = ["Dataset"]


class Dataset(Sources, Groups):
    """Elements, single samples or batches, that can be gone through again and again; `fit` takes it as it is.

    An element is an array or a tuple, list or dict of arrays. What it is made of is not kept: each pass makes it anew.

    Args:
        make: returns an iterator over the elements of one pass; called once for each pass.
        length: how many elements a pass has; infinity if it has no end, None if that is not known.

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
    _is_open = False  # whether batches differ in their numbers of rows

    def __len__(self) -> int:
        """How many elements a pass has.

        Raises: DtypeError (a TypeError) if that is not known.
        """
        if self._length is None or self._length == math.inf:
            why = "there is no end" if self._length else "it is not known before they have been gone through"
            raise DtypeError(f"Dataset: how many elements are there? {why[0].upper()}{why[1:]}.")
        return int(self._length)

    def __bool__(self) -> bool:
        return True

    def cardinality(self) -> Any:
        """How many elements a pass has; -2, as in tf.data, if that is not known, and -1 if it has no end."""
        return values_of(np.int64(-2 if self._length is None else -1 if self._length == math.inf else self._length))

    def as_numpy_iterator(self) -> Iterator[Any]:
        """One pass over the elements, as arrays of NumPy."""
        return (over(np.asarray, element) for element in self)

    @property
    def element_spec(self) -> Any:
        """What the first element is made of: shape and dtype in place of each array, None where batches differ."""
        return over(lambda array: spec_of(array, self._is_open), next(iter(self)))

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Args:
            name: not used.

        Raises: ArgumentError if there is none, or another one.
        """
        found = list(itertools.islice(self, 2))
        if len(found) != 1:
            number = "none" if not found else "several"
            raise ArgumentError(f"Dataset.get_single_element: expected one element, received {number}.")
        return found[0]

    def _with(
        self, make: Callable[[], Iterable[Any]], length: float | None = None, is_open: bool | None = None
    ) -> Dataset:
        made = Dataset(make, length)
        made.class_names, made.file_paths = self.class_names, self.file_paths
        made._is_open = self._is_open if is_open is None else is_open
        return made

    def _sized(self, change: Callable[[Any], float]) -> float | None:
        return self._length if self._length in (None, math.inf) else change(self._length)

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
        return self._with(lambda: (mapped(map_func, element) for element in self), self._length)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which a function says True.

        Args:
            predicate: gets an element, one that is a tuple as several arguments.
        """
        return self._with(lambda: (element for element in self if bool(call(predicate, element))))

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements before the first for which a function does not say True.

        Args:
            predicate: as of `filter`.
            name: not used.
        """
        return self._with(lambda: itertools.takewhile(lambda element: bool(call(predicate, element)), self))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets that a function makes of the elements, one dataset after the other.

        Args:
            map_func: gets an element, one that is a tuple as several arguments; returns a dataset.
        """
        return self._with(lambda: itertools.chain.from_iterable(call(map_func, element) for element in self))

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
        return over(on_host, functools.reduce(reduce_func, self, initial_state))

    def scan(self, initial_state: Any, scan_func: Callable[[Any, Any], tuple[Any, Any]], **kwargs: Any) -> Dataset:
        """What a function makes of a state and each element.

        Args:
            initial_state: the first state.
            scan_func: gets the state and an element; returns the next state and an element.
            **kwargs: accepted because tf.data has them.
        """

        def make() -> Iterator[Any]:
            state = initial_state
            for element in self:
                state, made = scan_func(state, element)
                yield over(on_host, made)

        return self._with(make, self._length)

    def unique(self, name: str | None = None) -> Dataset:
        """The elements that have not been there before; numbers or texts.

        Args:
            name: not used.
        """

        def make() -> Iterator[Any]:
            seen = set()
            for element in self:
                key = np.asarray(element).item()
                if key not in seen:
                    seen.add(key)
                    yield element

        return self._with(make)

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
        return self._with(
            lambda: itertools.islice(self, count), self._length if self._length is None else min(count, self._length)
        )

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
            return self._with(lambda: (element for _ in itertools.count() for element in self), math.inf)
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

    # Order ------------------------------------------------------------------------------------------

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

    def snapshot(self, path: str, **kwargs: Any) -> Dataset:
        """As `cache`.

        Args:
            path: accepted because tf.data has it; nothing is written.
            **kwargs: as above.
        """
        return self.cache()

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """The elements up to the first that cannot be made.

        Args:
            log_warning: warn where that is.
            name: not used.
        """

        def make() -> Iterator[Any]:
            try:
                yield from self
            except Exception as error:
                if log_warning:
                    warnings.warn(f"Dataset.ignore_errors: an element could not be made: {error}", stacklevel=2)

        return self._with(make)


def _interleaved(dataset: Dataset, function: Callable[..., Any], cycle: int, block: int) -> Iterator[Any]:
    elements = iter(dataset)
    turns = [iter(call(function, element)) for element in itertools.islice(elements, cycle)]
    while turns:
        for place, source in builtins.enumerate(list(turns)):
            group = list(itertools.islice(source, block))
            yield from group
            if len(group) < block:
                following = list(itertools.islice(elements, 1))
                turns[place] = iter(call(function, *[following[0]])) if following else None  # type: ignore[call-overload]
        turns = [source for source in turns if source is not None]
