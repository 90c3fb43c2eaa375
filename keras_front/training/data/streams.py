"""Data that come batch by batch: generators, `Sequence`s, datasets of batches and datasets of samples.

What something is, is told by what it can do. With `__getitem__`, `__len__` and `on_epoch_end` it is a `Sequence`, whose
items are batches. With `__getitem__` and `__len__` alone it is a dataset of samples, as those of torch and of Hugging
Face are, which are put together to batches here. What can only be iterated gives batches: again in each pass, as
datasets of tf.data and loaders of torch, or once, as generators.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as AbstractSequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import conventions
from keras_front.backend import seeds
from keras_front.backend.tables import make_room
from keras_front.errors import ArgumentError, ShapeError
from keras_front.training.data.adapter import positive, sample_order, step_count, warn_of_bound, whole
from keras_front.training.data.arrays import BatchLayout, DataSpec, conform_to
from keras_front.training.data.endless import is_endless, refuse_endless
from keras_front.training.data.host_arrays import as_array, column_names, is_frame
from keras_front.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, PyDataset, Sequence, number_of_batches
from keras_front.utils.prefetch import prefetched

Batch = tuple[list[Any], BatchLayout]
_END = object()


# What is what ----------------------------------------------------------------------------------------


def is_sequence(x: Any) -> bool:
    """Whether `x` gives batches by number, as `keras.utils.Sequence` does."""
    if getattr(x, "use_sequence_api", False):
        return True
    return all(hasattr(x, name) for name in ("__getitem__", "__len__", "on_epoch_end"))


def is_dataset(x: Any) -> bool:
    """Whether `x` gives batches one by one, in each pass anew, as datasets of tf.data and loaders of torch do."""
    if not hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__")):
        return False
    return not any(hasattr(x, name) for name in ("__next__", "shape", "keys", "isdisjoint"))  # iterators, dicts, sets


def is_samples(x: Any) -> bool:
    """Whether `x` gives samples by number, as a `Dataset` of torch or of Hugging Face does."""
    if not (hasattr(x, "__getitem__") and hasattr(x, "__len__")) or is_sequence(x):
        return False
    if isinstance(x, AbstractSequence | np.ndarray) or any(hasattr(x, name) for name in ("__array__", "keys")):
        return False
    return hasattr(x, "__getitems__") or not hasattr(x, "shape")


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one by one: a generator, an iterator, a `Sequence` or a dataset."""
    iterates = hasattr(x, "__next__") and not hasattr(x, "shape")
    return inspect.isgenerator(x) or is_sequence(x) or iterates or is_dataset(x)


class Workers(NamedTuple):
    """Who prepares batches: `number` workers, 0 for the loop itself."""

    number: int = 1
    processes: bool = False
    queue_size: int = 10

    @classmethod
    def of(cls, where: str, workers: Any, use_multiprocessing: Any, max_queue_size: Any) -> Workers:
        """What a method was given. Raises: ArgumentError."""
        negative = isinstance(workers, int) and workers < 0  # as good as none, in Keras
        number = 0 if negative else whole(where, "workers", workers)
        return cls(number, bool(use_multiprocessing), whole(where, "max_queue_size", max_queue_size))


def _workers_of(source: Any, asked: Workers) -> Workers:
    """What `fit` was told, or if it was told nothing, what a `PyDataset` says of itself."""
    if isinstance(source, PyDataset) and asked == Workers():
        return Workers(source.workers, source.use_multiprocessing, source.max_queue_size)
    return asked


# The adapter -----------------------------------------------------------------------------------------


class StreamAdapter:
    """Batches that come one by one, read and checked ahead of the loop.

    One worker, the default, is a thread of `prefetch`, which costs a few microseconds a batch; several workers and
    processes are those of an enqueuer. No worker: the loop reads.

    Args:
        source: a generator, an iterator, a `Sequence` or a dataset of batches.
        steps: batches an epoch. None: an epoch is one pass over the source. The length of a `Sequence` or dataset is
            read anew for each, as it may change in `on_epoch_end`.
        class_weight: as in `fit`.
        targets: whether the steps use targets; those of `predict` do not.
        workers: who prepares the batches.
        shuffle: whether a `Sequence` gives its batches in random order.

    Attributes:
        steps: batches an epoch; None if that is not known.
        by_pass: whether an epoch is one pass over the source, however many batches it has.
        exhausted: whether nothing can follow: an iterator was gone through to its end.
        samples: None, their number is not known.
        spec: what the model expects, set as soon as it is known.
    """

    samples = None

    def __init__(
        self,
        source: Any,
        steps: int | None,
        class_weight: Any = None,
        targets: bool = True,
        workers: Workers | None = None,
        shuffle: bool = False,
    ):
        self.source, self.class_weight, self.targets, self.shuffle = source, class_weight, targets, shuffle
        self.spec = DataSpec([], [], [])
        self.by_pass, self.exhausted = steps is None, False
        self._again = is_sequence(source) or is_dataset(source)
        self.steps = number_of_batches(source) if self.by_pass and self._again else steps
        if self.by_pass and self.steps == 0:
            raise ArgumentError(
                f"There is no data: expected a Sequence of at least one batch, {source!r:.60} has none."
            )
        self.bound: int | None = None  # batches an epoch at most
        self.workers = _workers_of(source, workers or Workers())
        self._joined_as_lists = is_dataset(source)  # as torch joins tuples
        self._of_samples = isinstance(source, SampleBatches)
        self._empty = True  # no batch of this pass has come yet
        self._enqueuer: Any = None
        self._raw: Iterator[Any] | None = None  # of this pass, where somebody had to look at one before
        self._kept: list[Any] = []  # the one that was looked at
        self._batches: Iterator[Batch] | None = None
        self._first: Batch | None = None  # the next batch, where somebody had to look at it

    def bounded(self, steps: int | None, shuffled: bool = False) -> StreamAdapter:
        """An adapter of at most so many batches an epoch; None: of all.

        Args:
            steps: the number of batches.
            shuffled: not needed.
        """
        if steps is None or (self.steps is not None and steps >= self.steps):
            return self
        warn_of_bound("steps_per_epoch", steps)
        self.bound = steps
        self._bound_steps()
        return self

    def _bound_steps(self) -> None:
        if self.bound is not None:
            self.steps = self.bound if self.steps is None else min(self.steps, self.bound)

    @property
    def once(self) -> bool:
        """Whether there is one pass only, as of an iterator without a number of steps."""
        return self.by_pass and not self._again

    # Passes ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start to prepare batches, unless that was done."""
        if self._batches is not None:
            return
        items = itertools.chain(self._kept, self._items())
        self._raw, self._kept = None, []
        checks = BatchChecks(self.spec, self.class_weight, self.targets)
        batches = _checked(items, checks, self._joined_as_lists, SAMPLES if self._of_samples else BATCHES)
        threaded = self.workers.number and self._enqueuer is None
        self._batches = prefetched(batches, self.workers.queue_size) if threaded else batches

    def _items(self) -> Iterator[Any]:
        """What the source gives, as it comes."""
        if self._raw is not None:
            return self._raw
        number, processes, queue_size = self.workers
        if is_sequence(self.source):
            if number < 2 and not (number and processes):
                return self._items_of_sequence()
            self._enqueuer = OrderedEnqueuer(self.source, processes, self.shuffle, 1 if self.by_pass else None)
        elif number and processes:
            self._enqueuer = GeneratorEnqueuer(self._stream(), processes)
        else:
            return iter(self._stream())
        self._enqueuer.start(workers=number, max_queue_size=queue_size)
        return self._enqueuer.get()

    def _stream(self) -> Any:
        """What is iterated once: a dataset that epochs go through several times begins anew at its end."""
        return self.source if self.by_pass or not is_dataset(self.source) else _passes(self.source)

    def _items_of_sequence(self) -> Iterator[Any]:
        begin = getattr(self.source, "on_epoch_begin", None)
        if begin is not None:
            begin()
        length = number_of_batches(self.source)
        order: Iterable[int] = itertools.count() if length is None else range(length)
        if self.shuffle and length is not None:
            order = seeds.generator("shuffle").permutation(length).tolist()
        return map(self.source.__getitem__, order)

    def _next_pass(self) -> bool:
        """Begin the next pass of a `Sequence` whose epochs are not its passes; True if that was done."""
        if self._enqueuer is not None or self.by_pass or not is_sequence(self.source) or self._empty:
            return False
        self.close()
        self.source.on_epoch_end()
        self._empty = True
        return True

    def numbers(self) -> Iterable[int]:
        """The numbers of the batches of an epoch; without end if nobody knows how many there are."""
        return itertools.count() if self.steps is None else range(self.steps)

    def end_epoch(self) -> None:
        """End a pass: `on_epoch_end` of a `Sequence` is called now, then its length is read anew."""
        self.exhausted = self.once
        if self.by_pass and self._again and self._batches is not None:
            if self.bound is None:
                self._finish_pass()
            self.close()
            self.steps, self._empty = number_of_batches(self.source), True
            self._bound_steps()

    def _finish_pass(self) -> None:
        if self._enqueuer is not None:
            next(self._batches, None)  # type: ignore[arg-type]  # its thread calls on_epoch_end
        elif is_sequence(self.source):
            self.source.on_epoch_end()

    def close(self) -> None:
        """End the workers."""
        if self._enqueuer is not None:
            self._enqueuer.stop()
        if self._batches is not None:
            self._batches.close()  # type: ignore[attr-defined]
        self._enqueuer = self._batches = self._raw = None

    # Batches -----------------------------------------------------------------------------------------

    def first_inputs(self) -> Any:
        """The inputs of the first batch, which is kept and comes as the first one all the same."""
        if not self._kept:
            self._raw = self._items()
            self._kept = list(itertools.islice(self._raw, 1))
        if not self._kept:
            raise ArgumentError("There is no data: expected at least one batch, the generator has ended.")
        return _parts(_as_tuple(self._kept[0], self._joined_as_lists), self.targets, [])[0]

    def first_batch(self) -> Batch | None:
        """The next batch and its layout, which stays the next one; None at the end of the data."""
        if self._first is None:
            self._first = self.next()
        return self._first

    def next(self) -> Batch | None:
        """The next batch and its layout; None at the end of the data."""
        if self._first is not None:
            batch, self._first = self._first, None
            return batch
        found = self._draw()
        if found is None and self._next_pass():
            found = self._draw()
        if found is None and self._empty:
            raise ArgumentError(
                f"There is no data: expected at least one batch a pass, {self.source!r:.60} has none. An iterator or "
                "generator can be gone through once; a Sequence, or an object with __iter__, in each epoch anew."
            )
        self._empty = self._empty and found is None
        return found

    def _draw(self) -> Batch | None:
        self.open()
        return next(self._batches, None)  # type: ignore[arg-type]


def _passes(dataset: Any) -> Iterator[Any]:
    """The batches of a dataset, pass after pass, until one has none."""
    empty = False
    while not empty:
        empty = True
        for batch in dataset:
            empty = False
            yield batch


# Checks ----------------------------------------------------------------------------------------------


BATCHES = " What a generator or dataset gives are batches: of single samples make some, with batch(n) or a DataLoader."
SAMPLES = (
    " The items of an object with __getitem__ and __len__ are single samples; if they are batches, give it a method "
    "on_epoch_end, as keras.utils.Sequence has."
)


def _checked(items: Iterable[Any], checks: BatchChecks, joined_as_lists: bool, hint: str) -> Iterator[Batch]:
    """Checked batches; an error says the number of the batch."""
    for number, item in enumerate(items):
        try:
            batch = checks(_as_tuple(item, joined_as_lists))
        except ArgumentError as error:
            ending = hint if number == 0 and isinstance(error, ShapeError) else ""
            raise type(error)(f"Batch {number} of the data, counted from 0: {error}{ending}") from None
        yield batch


def _as_tuple(item: Any, joined_as_lists: bool) -> Any:
    return tuple(item) if joined_as_lists and isinstance(item, list) else item


class BatchChecks:
    """Checks what a stream gives; a batch like an earlier one is cast only.

    Args:
        spec: what the model expects.
        class_weight: as in `fit`.
        targets: whether the steps use targets.
    """

    def __init__(self, spec: DataSpec, class_weight: Any, targets: bool):
        self.spec, self.class_weight, self.targets = spec, class_weight, targets
        self._known: dict[Any, tuple[list[Callable[..., Any]], BatchLayout]] = {}

    def __call__(self, item: Any) -> Batch:
        """The batch as a flat list of arrays, and its layout.

        Args:
            item: what the stream gave.

        Raises: ShapeError, ArgumentError for what does not fit.
        """
        given = self._plain(item)
        key = None if given is None else tuple([(a.shape, a.dtype) for a in given])
        known = self._known.get(key) if key is not None else None
        if known is not None:
            return [conform(array) for conform, array in zip(known[0], given)], known[1]  # type: ignore[arg-type]
        parts = _parts(item if given is None or not isinstance(item, tuple) else given, self.targets, self._names())
        batch, layout = self.spec.batch(*parts, class_weight=self.class_weight, targets=self.targets)
        if key is not None:
            self._keep(key, given, batch, layout)  # type: ignore[arg-type]
        return batch, layout

    def _names(self) -> list[str]:
        return [spec.name for spec in self.spec.targets]

    def _plain(self, item: Any) -> tuple[np.ndarray, ...] | None:
        """The arrays of a plain item, an array or a tuple of arrays or of tensors; None for others."""
        parts = item if isinstance(item, tuple) else (item,)
        arrays = tuple([a if a.__class__ is np.ndarray else _tensor_values(a) for a in parts])
        return None if any(a is None for a in arrays) else arrays  # type: ignore[return-value]

    def _keep(self, key: Any, given: tuple[np.ndarray, ...], batch: list[Any], layout: BatchLayout) -> None:
        specs = [*self.spec.inputs, *self.spec.targets]
        fits = layout.inputs == 1 and layout.targets == int(self.targets) and len(given) >= len(batch)
        if not fits or self.class_weight is not None or self.spec.stage is not None or len(specs) != sum(layout[:2]):
            return
        conforms = [conform_to(*pair) for pair in zip(given, batch, [*specs, None], strict=False)]
        if len(conforms) == len(batch) and all(conforms):
            make_room(self._known)
            self._known[key] = conforms, layout  # type: ignore[assignment]


def _tensor_values(value: Any) -> np.ndarray | None:
    """The numbers of a tensor; None for what is none."""
    return as_array(value) if hasattr(value, "__dlpack__") and hasattr(value, "shape") else None


def _parts(item: Any, targets: bool, names: AbstractSequence[str]) -> tuple[Any, Any, Any]:
    """x, y and sample weights of what a stream gave.

    `targets` says whether a step uses targets at all, `names` which of them have losses that need them; where none has,
    a batch may be inputs alone. A dict may hold all by the names of inputs and outputs. A list means the same as a
    tuple, except for `predict`, where it is a list of inputs (Keras 2.3.1, `training_generator.py`).
    """
    if not targets:
        return (item[0] if isinstance(item, tuple) and len(item) in (1, 2, 3) else item), None, None
    if not isinstance(item, tuple | list | Mapping) and is_frame(item):  # a part of a table
        item = {name: item[name] for name in column_names(item)}
    if isinstance(item, tuple | list) and len(item) in (2, 3):
        return (*item, None)[:3]  # type: ignore[return-value]
    if not names:
        return (item[0] if isinstance(item, tuple) and len(item) == 1 else item), None, None
    if isinstance(item, Mapping) and set(names) <= set(item):
        return item, item, item.get("sample_weight")
    keys = f", and of a dict with the keys {list(item)}, which lacks targets" if isinstance(item, Mapping) else ""
    raise ArgumentError(
        "The generator must give tuples or lists (x, y) or (x, y, sample_weight), or dicts by the names of inputs and "
        f"of the outputs {list(names)}; received {type(item).__name__}"
        + (f" of {len(item)} elements." if isinstance(item, tuple | list) else f"{keys}.")
    )


# Samples ---------------------------------------------------------------------------------------------


class SampleBatches(Sequence):
    """The batches of a dataset of samples, as `DataLoader`s make them.

    Args:
        dataset: gives samples by number, or many at once by `__getitems__`, or columns of many where it has names of
            columns.
        batch_size: samples a batch.
        shuffle: whether each pass has an order of its own, see `sample_order`.

    Raises: ArgumentError for a dataset without samples.
    """

    def __init__(self, dataset: Any, batch_size: int, shuffle: Any = False):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        if not len(dataset):
            raise ArgumentError(f"There is no data: expected at least one sample, {dataset!r:.60} has none.")
        self._generator = seeds.generator("shuffle") if shuffle else None
        self._order = sample_order(len(dataset), batch_size, False, None)

    def __len__(self) -> int:
        return -(-len(self._order) // self.batch_size)

    def on_epoch_begin(self) -> None:
        """Draw the order of a pass."""
        self._order = sample_order(len(self.dataset), self.batch_size, self.shuffle, self._generator)

    def __getitem__(self, index: int) -> Any:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size].tolist()
        if not hasattr(self.dataset, "__getitems__"):
            return joined([self.dataset[row] for row in rows])
        if hasattr(self.dataset, "column_names"):
            return {name: as_array(column) for name, column in self.dataset[rows].items()}
        return joined(self.dataset.__getitems__(rows))


def joined(samples: list[Any]) -> Any:
    """Samples as a batch: the arrays or numbers in each place of a tuple, list or dict along a new first axis.

    Args:
        samples: they have one structure.

    Raises: ArgumentError for samples of different shapes; it says which.
    Example:
        >>> joined([(1, 2), (3, 4)])
        (array([1, 3]), array([2, 4]))
    """
    first = samples[0]
    if isinstance(first, Mapping):
        return {key: joined([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple | list):
        return tuple(joined(list(parts)) for parts in zip(*samples, strict=True))
    try:
        return np.stack([np.asarray(s) if isinstance(s, np.ndarray | str | bytes) else as_array(s) for s in samples])
    except ValueError:
        shapes = sorted({np.shape(sample) for sample in samples})
        raise ArgumentError(f"Expected samples of one shape in a batch, received {shapes}. Pad them first.") from None


# Reading arguments -----------------------------------------------------------------------------------


def as_stream(
    where: str, x: Any, batch_size: Any, shuffle: Any = False, y: Any = None, sample_weight: Any = None
) -> Any:
    """`x` as something that gives batches, if it is that or a dataset of samples; otherwise None.

    Args:
        where: the method, for messages.
        x: what the user passed.
        batch_size: samples a batch, for datasets of samples.
        shuffle: whether each pass over the samples has an order of its own.
        y, sample_weight: what only arrays need.

    Raises: ArgumentError if arguments were given that batches do not need.
    """
    if x.__class__ is np.ndarray:
        return None
    if is_stream(x):
        only_a_stream(where, y=y, batch_size=batch_size, sample_weight=sample_weight)
        return x
    if not is_samples(x) or y is not None or sample_weight is not None:
        return None
    size = 32 if batch_size is None else positive(where, "batch_size", batch_size)
    return SampleBatches(x, size, shuffle)


def columns_of_tensors(x: Any) -> tuple[Any, ...] | None:
    """The whole arrays of a dataset of samples that holds them as such, as a `TensorDataset` does; otherwise None.

    Args:
        x: what the user passed.
    """
    tensors = getattr(x, "tensors", None)
    whole_arrays = isinstance(tensors, tuple) and len(tensors) in (1, 2, 3) and is_samples(x)
    return tensors if whole_arrays and all(hasattr(t, "shape") for t in tensors) else None  # type: ignore[union-attr]


def stream_adapter(
    where: str,
    name: str,
    source: Any,
    steps: int | None,
    class_weight: Any,
    targets: bool,
    workers: Workers,
    shuffle: bool = False,
    stoppable: bool = False,
) -> StreamAdapter:
    """The adapter of a generator, a `Sequence` or a dataset of batches.

    Args:
        where, name: the method and its argument for the number of batches, for messages.
        source, steps, class_weight, targets, workers, shuffle: see `StreamAdapter`.
        stoppable: whether a callback may end the loop.

    Raises: ArgumentError for data without end and without a number of steps, unless the loop can be stopped; in some
        dialects for each generator.
    """
    if isinstance(source, type):
        raise ArgumentError(
            f"{where}: expected an object, received the class {source.__name__}. Write {source.__name__}(...)."
        )
    if conventions.current().generators_want_steps:
        check_steps(where, name, source, steps)
    if steps is None and is_endless(source, is_sequence(source)):
        refuse_endless(where, name, source, stoppable)
    steps = None if steps is None else step_count(where, name, steps)
    shuffle = shuffle and not isinstance(source, SampleBatches)  # which shuffle samples
    return StreamAdapter(source, steps, class_weight, targets, workers, shuffle)


def check_steps(where: str, name: str, source: Any, steps: Any) -> None:
    """What the methods for generators of Keras 2 ask for: a generator with a number of steps.

    Args:
        where: the method.
        name: its argument for the number of batches.
        source: the generator, `Sequence` or dataset.
        steps: what was given.

    Raises: ArgumentError for an iterator or generator, whose length is not known, without a number of steps.
    """
    if steps is None and hasattr(source, "__next__") and not is_sequence(source):
        raise ArgumentError(f"{where}: expected `{name}`, because the length of a generator is not known.")


def check_passes(validation: Any, times: int) -> None:
    """Raise ArgumentError if an iterator, which can be gone through once, is to validate on several times.

    Args:
        validation: the adapter of the validation data, or None.
        times: how many validations there are.
    """
    if isinstance(validation, StreamAdapter) and validation.once and times > 1:
        raise ArgumentError(
            f"fit: validation_data is an iterator, which can be gone through once, but there are {times} validations. "
            "Give validation_steps if it goes on, or something that can be iterated anew for each."
        )


def only_a_stream(where: str, **arguments: Any) -> None:
    """Raise ArgumentError if something was given beside a generator that only arrays need."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ArgumentError(
            f"{where}: a generator or Sequence gives whole batches, so expected no {' and no '.join(given)}. Set "
            "such things where the batches are made."
        )
