"""What a `Dataset` is made of: arrays, generators, numbers, files, other datasets. `Dataset` has these methods."""

from __future__ import annotations

import builtins
import glob
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_front.backend import seeds
from keras_front.errors import ArgumentError

from .dataset_elements import leaves, lists_as_arrays, over, typed, values_of

__all__ = ["Sources"]


class Sources:
    """Something to go through, and the ways to make it.

    Args:
        make: returns an iterator over the elements of one pass; called once for each pass.
        length: how many elements a pass has; infinity if it has no end, None if that is not known.
    """

    def __init__(self, make: Callable[[], Iterable[Any]], length: float | None = None):
        self._make, self._length = make, length

    def __iter__(self) -> Elements:
        """One pass over the elements."""
        return Elements(self._make())

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Any:
        """The rows of arrays.

        Args:
            tensors: an array, or a tuple, list or dict of arrays of one length. A list of numbers or texts is an array.
        """
        if hasattr(tensors, "row_splits"):  # rows of different lengths
            return cls(lambda: iter(tensors), len(tensors))
        arrays = over(np.asarray, lists_as_arrays(tensors))
        length = len(leaves(arrays)[0])
        return cls(lambda: (over(lambda a, i=i: values_of(a[i]), arrays) for i in builtins.range(length)), length)

    @classmethod
    def from_tensors(cls, tensors: Any) -> Any:
        """One element.

        Args:
            tensors: an array, or a tuple, list or dict of arrays.
        """
        element = over(values_of, lists_as_arrays(tensors))
        return cls(lambda: iter([element]), 1)

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Any], output_types: Any = None, output_shapes: Any = None, args: Any = None,
        output_signature: Any = None, name: str | None = None,
    ) -> Any:  # fmt: skip
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
            return (typed(element, kinds) for element in generator(*(args or ())))

        return cls(make)

    @classmethod
    def range(cls, *args: int, **kwargs: Any) -> Any:
        """Integers.

        Args:
            args: start, end and distance, as for Python's `range`.
            kwargs: `output_type`, their dtype, int64 by default.
        """
        kind = np.dtype(str(getattr(kwargs.get("output_type"), "name", kwargs.get("output_type") or "int64")))
        numbers = builtins.range(*map(int, args))
        return cls(lambda: (values_of(kind.type(i)) for i in numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any, **kwargs: Any) -> Any:
        """Elements made of one of each dataset, as many as the shortest has.

        Args:
            datasets: datasets, or one nested tuple or dict of them.
            kwargs: `datasets` by name, and `name`, which is not used.
        """
        given = kwargs.get("datasets", datasets[0] if len(datasets) == 1 else datasets)
        parts = leaves(given)
        lengths = [part._length for part in parts]

        def make() -> Iterator[Any]:
            for elements in builtins.zip(*parts):
                rest = iter(elements)
                yield over(lambda _, rest=rest: next(rest), given)

        return cls(make, None if None in lengths else min(lengths))

    @classmethod
    def random(cls, seed: int | None = None, **kwargs: Any) -> Any:
        """Integers by chance, without end.

        Args:
            seed: the same numbers in each program; None for those that follow from the seed of the process.
            **kwargs: accepted because tf.data has them.
        """
        orders = Orders(seed, kwargs.get("rerandomize_each_iteration") is True)

        def make() -> Iterator[Any]:
            generator = orders.next()
            while True:
                yield values_of(generator.integers(2**32, dtype=np.int64))

        return cls(make)

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
    ) -> Any:
        """The names of files.

        Args:
            file_pattern: a pattern with `*` and `?`, or several.
            shuffle: whether their order changes from pass to pass, which it does by default; else they are sorted.
            seed: as of `shuffle`.
            name: not used.

        Raises: ArgumentError if there is no such file.
        """
        patterns = [os.fsdecode(one) for one in np.atleast_1d(np.asarray(file_pattern)).tolist()]
        found = sorted(path for one in patterns for path in glob.glob(one))
        if not found:
            raise ArgumentError(f"Dataset.list_files: expected files, found none that match {patterns}.")
        files = cls.from_tensor_slices(np.array(found))
        return files if shuffle is False else files.shuffle(len(found), seed)

    @classmethod
    def sample_from_datasets(
        cls, datasets: Any, weights: Any = None, seed: int | None = None, stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Any:  # fmt: skip
        """The elements of several datasets, by chance.

        Args:
            datasets: the datasets.
            weights: how often each is chosen, by default all alike.
            seed: as of `shuffle`.
            stop_on_empty_dataset: end with the first that ends; by default the others go on.
            rerandomize_each_iteration: another order in each pass.

        Raises: ArgumentError unless there is a weight for each dataset.
        """
        weights = np.ones(len(datasets)) if weights is None else np.asarray(weights, float)
        if weights.shape != (len(datasets),) or not len(datasets):
            raise ArgumentError(
                f"Dataset.sample_from_datasets: expected a weight for each of {len(datasets)} datasets, received "
                f"{weights.shape}."
            )
        orders = Orders(seed, rerandomize_each_iteration is not False)

        def make() -> Iterator[Any]:
            generator, sources, shares = orders.next(), [iter(one) for one in datasets], weights.copy()
            while shares.any():
                place = int(generator.choice(len(shares), p=shares / shares.sum()))
                following = list(itertools.islice(sources[place], 1))
                yield from following
                if not following:
                    shares[place] = 0
                    if stop_on_empty_dataset:
                        return

        return cls(make)

    @classmethod
    def choose_from_datasets(cls, datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Any:
        """The elements of several datasets, in the order that another one says.

        Args:
            datasets: the datasets.
            choice_dataset: numbers of datasets.
            stop_on_empty_dataset: end where the chosen one has ended; else go on with the next choice.
        """

        def make() -> Iterator[Any]:
            sources = [iter(one) for one in datasets]
            for place in choice_dataset:
                following = list(itertools.islice(sources[int(place)], 1))
                yield from following
                if not following and stop_on_empty_dataset:
                    return

        return cls(make)


class Elements(Iterator[Any]):
    """One pass over a dataset.

    Args:
        elements: they are taken from its iterator.
    """

    def __init__(self, elements: Iterable[Any]):
        self._next = iter(elements).__next__

    def __next__(self) -> Any:
        return self._next()

    def get_next(self) -> Any:
        """The next element."""
        return self._next()


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
