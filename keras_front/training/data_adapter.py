"""Data adapters: what users pass as data, as batches of checked arrays.

`ArrayAdapter` has arrays that are all there; `StreamAdapter` takes batches one by one from a generator, a `Sequence` or
a dataset, which is anything that can be iterated again and again.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.graph.host_stage import HostRows
from keras_front.training.arrays import ArraySpec, BatchLayout, DataSpec, read_rows
from keras_front.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, PyDataset


def sample_order(n: int, batch_size: int, shuffle: Any, generator: np.random.Generator | None) -> np.ndarray:
    """The numbers of all samples in the order of one epoch.

    With `shuffle='batch'` whole batches change places, each in one piece, the smaller last one staying last.
    Raises: ArgumentError for another text than 'batch'.
    """
    if shuffle != "batch" if isinstance(shuffle, str) else not isinstance(shuffle, int | np.bool_ | None):
        raise ArgumentError(f"shuffle: expected True, False or 'batch', received {shuffle!r}.")
    rows = np.arange(n, dtype="int32" if n < 2**31 else "int64")
    if not shuffle or generator is None:
        return rows
    if shuffle != "batch":
        generator.shuffle(rows)
        return rows
    whole = n // batch_size * batch_size
    blocks = rows[:whole].reshape(-1, batch_size)
    return np.concatenate([blocks[generator.permutation(len(blocks))].reshape(-1), rows[whole:]])


class ArrayAdapter:
    """Arrays that are all there: a batch is some of their rows.

    Args:
        arrays: the flat list of inputs, targets and weights.
        layout: which of these they are.
        batch_size: samples a batch; None for all of them.
        specs: what the arrays must be, for those that are read in parts.
        repeats: how often the arrays are gone through in an epoch.

    Attributes:
        samples: the number of samples.
        steps: batches an epoch.
        varies: whether batches of one size may have different shapes all the same.

    Raises: ArgumentError if there is no sample.
    """

    def __init__(
        self,
        arrays: list[Any],
        layout: BatchLayout,
        batch_size: int | None,
        specs: Sequence[ArraySpec | None] = (),
        repeats: int = 1,
    ):
        self.arrays, self.layout = arrays, layout
        self.specs = list(specs) + [None] * (len(arrays) - len(specs))
        self.samples = int(arrays[0].shape[0]) if arrays else 0
        if not self.samples:
            raise ArgumentError("There is no data: expected at least one sample, received arrays of length 0.")
        self.batch_size, self.repeats = batch_size or self.samples, repeats
        self.steps = repeats * -(-self.samples // self.batch_size)
        self.varies = any(isinstance(array, HostRows) for array in arrays)

    def first(self, steps: int) -> ArrayAdapter:
        """An adapter of the first `steps` batches."""
        arrays = [_slice(array, 0, steps * self.batch_size) for array in self.arrays]
        return ArrayAdapter(arrays, self.layout, self.batch_size, self.specs)

    def bounded(self, steps: int | None, shuffled: bool = False) -> ArrayAdapter:
        """An adapter of at most so many batches an epoch; None: of all.

        Args:
            steps: the number of batches.
            shuffled: whether each epoch takes its batches from all samples, in an order of its own.
        """
        if steps is None or steps >= self.steps:
            return self
        _warn_of_bound("steps_per_epoch", steps)
        if self.repeats > 1:
            return ArrayAdapter(self.arrays, self.layout, self.batch_size, self.specs, steps)
        if not shuffled:
            return self.first(steps)
        bounded = ArrayAdapter(self.arrays, self.layout, self.batch_size, self.specs)
        bounded.steps = steps
        return bounded

    def nbytes(self) -> int | None:
        """Memory of all arrays; None if one is read in parts."""
        return sum(a.nbytes for a in self.arrays) if all(isinstance(a, np.ndarray) for a in self.arrays) else None

    def rows(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows of every array, on the host."""
        return [read_rows(array, rows, spec) for array, spec in zip(self.arrays, self.specs, strict=True)]

    def first_batch(self) -> tuple[list[np.ndarray], BatchLayout]:
        """A batch like those that will come, and its layout."""
        return self.rows(np.arange(min(self.batch_size, self.samples))), self.layout

    def open(self) -> None:
        """Nothing needs to be prepared."""

    def close(self) -> None:
        """Nothing needs to be ended."""


class StreamAdapter:
    """Batches that come one by one, from a generator, a `Sequence` or a dataset, prepared ahead by an enqueuer.

    Args:
        source: a generator, an iterator, a `Sequence` or a dataset.
        steps: batches an epoch. None: an epoch is one pass over the `Sequence` or dataset, whose length is read anew
            for each, as it may change in `on_epoch_end`.
        class_weight: as in `fit`.
        targets: whether the steps use targets; those of `predict` do not.
        workers: who prepares the batches.
        shuffle: whether a `Sequence` gives its batches in random order.

    Attributes:
        steps: batches an epoch; None if that is not known.
        by_pass: whether an epoch is one pass over the source, however many batches it has.
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
        self.spec = DataSpec([], [], [])  # what the model expects, as soon as it is known
        self.by_pass = steps is None and (is_sequence(source) or is_dataset(source))
        self.steps = _length(source) if self.by_pass else steps
        if self.by_pass and self.steps == 0:
            raise ArgumentError(
                f"There is no data: expected a Sequence of at least one batch, {source!r:.60} has none."
            )
        self.bound: int | None = None  # batches an epoch at most
        self.workers = _workers_of(source, workers or Workers())
        self._empty = True  # no batch of this pass has come yet
        self._enqueuer: Any = None
        self._batches: Iterator[Any] | None = None
        self._kept: list[Any] = []  # the first batch, where somebody had to look at it before
        self._first: tuple[list[np.ndarray], BatchLayout] | None = None  # the same, checked

    def bounded(self, steps: int | None, shuffled: bool = False) -> StreamAdapter:
        """An adapter of at most so many batches an epoch; None: of all.

        Args:
            steps: the number of batches.
            shuffled: not needed.
        """
        if steps is None or (self.steps is not None and steps >= self.steps):
            return self
        _warn_of_bound("steps_per_epoch", steps)
        self.bound = steps
        self._bound_steps()
        return self

    def _bound_steps(self) -> None:
        if self.bound is not None:
            self.steps = self.bound if self.steps is None else min(self.steps, self.bound)

    def open(self) -> None:
        """Start to prepare batches, unless that was done."""
        if self._batches is not None:
            return
        if not self.workers.number:
            self._batches = (
                _sequence_batches(self.source, self.by_pass) if is_sequence(self.source) else iter(self._stream())
            )
            return
        if is_sequence(self.source):
            epochs = 1 if self.by_pass else None
            self._enqueuer = OrderedEnqueuer(self.source, self.workers.processes, self.shuffle, epochs)
        else:
            self._enqueuer = GeneratorEnqueuer(self._stream(), self.workers.processes)
        self._enqueuer.start(workers=self.workers.number, max_queue_size=self.workers.queue_size)
        self._batches = self._enqueuer.get()

    def _stream(self) -> Any:
        """What is iterated once: a dataset that epochs go through several times begins anew at its end."""
        return self.source if self.by_pass or not is_dataset(self.source) else _passes(self.source)

    def numbers(self) -> Iterable[int]:
        """The numbers of the batches of an epoch; without end if nobody knows how many there are."""
        return itertools.count() if self.steps is None else range(self.steps)

    def end_epoch(self) -> None:
        """End a pass over a `Sequence`: `on_epoch_end` is called now at the latest, then its length is read anew."""
        if self.by_pass and self._batches is not None:
            if self.bound is None:
                next(self._batches, _END)
            self.close()
            self.steps, self._empty = _length(self.source), True
            self._bound_steps()

    def close(self) -> None:
        """End the workers."""
        if self._enqueuer is not None:
            self._enqueuer.stop()
        self._enqueuer = self._batches = None

    def _draw(self) -> Any:
        self.open()
        item = next(self._batches, _END)  # type: ignore[arg-type]
        return tuple(item) if isinstance(item, list) and is_dataset(self.source) else item  # lists as torch joins them

    def first_inputs(self) -> Any:
        """The inputs of the first batch, which is kept and comes as the first one all the same."""
        if not self._kept:
            self._kept = [self._draw()]
        item = self._kept[0]
        if item is _END:
            raise ArgumentError("There is no data: expected at least one batch, the generator has ended.")
        return _parts(item, self.targets, wanted=False)[0]

    def first_batch(self) -> tuple[list[np.ndarray], BatchLayout] | None:
        """The next batch and its layout, which stays the next one; None at the end of the data."""
        if self._first is None:
            self._first = self.next()
        return self._first

    def next(self) -> tuple[list[np.ndarray], BatchLayout] | None:
        """The next batch and its layout; None at the end of the data."""
        if self._first is not None:
            batch, self._first = self._first, None
            return batch
        item = self._kept.pop() if self._kept else self._draw()
        if item is _END and self._empty:
            raise ArgumentError(f"There is no data: expected at least one batch a pass, {self.source!r:.60} has none.")
        if item is _END:
            return None
        self._empty = False
        parts = _parts(item, self.targets, bool(self.spec.targets))
        return self.spec.batch(*parts, class_weight=self.class_weight, targets=self.targets)


_END = object()


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


def _sequence_batches(sequence: Any, once: bool) -> Iterator[Any]:
    """The batches of a sequence, pass after pass unless `once`, prepared where they are asked for."""
    while len(sequence):
        for index in range(len(sequence)):
            yield sequence[index]
        sequence.on_epoch_end()
        if once:
            return


def _passes(dataset: Any) -> Iterator[Any]:
    """The batches of a dataset, pass after pass, until one has none."""
    empty = False
    while not empty:
        empty = True
        for batch in dataset:
            empty = False
            yield batch


def _length(source: Any) -> int | None:
    """How many batches a pass has; None where that is not known."""
    try:
        return len(source)
    except TypeError:
        return None


def _parts(item: Any, targets: bool, wanted: bool) -> tuple[Any, Any, Any]:
    """x, y and sample weights of what a generator gave.

    `targets` says whether a step uses targets at all, `wanted` whether the model has losses that need them; where it
    has none, a batch may be inputs alone. A list means the same as a tuple, except for `predict`, where it is a list of
    inputs (Keras 2.3.1, `training_generator.py`).
    """
    if not targets:
        return (item[0] if isinstance(item, tuple) and len(item) in (1, 2, 3) else item), None, None
    if isinstance(item, tuple | list) and len(item) in (2, 3):
        return (*item, None)[:3]  # type: ignore[return-value]
    if not wanted:
        return (item[0] if isinstance(item, tuple) and len(item) == 1 else item), None, None
    raise ArgumentError(
        "The generator must give tuples or lists (x, y) or (x, y, sample_weight); "
        f"received {type(item).__name__}" + (f" of {len(item)} elements." if isinstance(item, tuple | list) else ".")
    )


def is_sequence(x: Any) -> bool:
    """Whether `x` gives batches by number, as `keras.utils.Sequence` does."""
    if getattr(x, "use_sequence_api", False):
        return True
    return all(hasattr(x, name) for name in ("__getitem__", "__len__", "on_epoch_end"))


def is_dataset(x: Any) -> bool:
    """Whether `x` gives batches one by one, in each pass anew, as datasets of tf.data and loaders of torch do."""
    others = ("__next__", "__getitem__", "shape", "keys", "isdisjoint")  # iterators, lists, arrays, dicts, sets
    return hasattr(x, "__iter__") and not any(hasattr(x, name) for name in others)


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one by one: a generator, an iterator, a `Sequence` or a dataset."""
    iterates = hasattr(x, "__next__") and not hasattr(x, "shape")
    return inspect.isgenerator(x) or is_sequence(x) or iterates or is_dataset(x)


def split_off(arrays: Sequence[Any], fraction: float) -> tuple[list[Any], list[Any]]:
    """The arrays without their last samples, and those last ones, `fraction` of all.

    Raises: ArgumentError unless 0 < fraction < 1 leaves samples on both sides.
    """
    n = int(arrays[0].shape[0])
    number = isinstance(fraction, int | float | np.number)
    at = int(n * (1.0 - fraction)) if number else 0
    if not number or not 0 < fraction < 1 or not 0 < at < n:
        raise ArgumentError(
            "validation_split: expected a fraction between 0 and 1 that leaves samples on both sides of "
            f"{n}, received {fraction!r}."
        )
    return [_slice(a, 0, at) for a in arrays], [_slice(a, at, n) for a in arrays]


def _slice(array: Any, start: int, stop: int) -> Any:
    return array[start:stop]


def array_adapter(
    where: str,
    inputs: Sequence[Any],
    arrays: list[Any],
    layout: BatchLayout,
    batch_size: int | None,
    steps: int | None,
    specs: Sequence[ArraySpec | None],
) -> ArrayAdapter:
    """The adapter of arrays.

    Args:
        where: the method, for messages.
        inputs: the symbolic inputs of the model, which may fix the size of a batch.
        arrays, layout: the checked arrays.
        batch_size, steps: as in `fit`: samples a batch, or passes over all samples at once.
        specs: what the arrays are.

    Raises: ArgumentError if these do not go together.
    """
    if steps is not None:
        if batch_size is not None:
            raise ArgumentError(
                f"{where}: with a number of steps all samples make one batch, so expected no batch_size, "
                f"received {batch_size}."
            )
        return ArrayAdapter(arrays, layout, None, specs, repeats=positive(where, steps_name(where), steps))
    fixed = inputs[0].shape[0] if inputs and inputs[0].shape else None
    size = positive(where, "batch_size", batch_size if batch_size is not None else fixed or 32)
    data = ArrayAdapter(arrays, layout, size, specs)
    if fixed is not None and (size != fixed or data.samples % fixed):
        raise ArgumentError(
            f"{where}: this model was made for batches of {fixed} samples, so expected batch_size={fixed} and a "
            f"number of samples that it divides, received batch_size={size} and {data.samples} samples."
        )
    return data


def stream_adapter(
    where: str,
    name: str,
    source: Any,
    steps: int | None,
    class_weight: Any,
    targets: bool,
    workers: Workers,
    shuffle: bool = False,
) -> StreamAdapter:
    """The adapter of a generator or a `Sequence`.

    Args:
        where, name: the method and its argument for the number of batches, for messages.
        source, steps, class_weight, targets, workers, shuffle: see `StreamAdapter`.

    Raises: ArgumentError for a generator without a number of steps.
    """
    steps = None if steps is None else step_count(where, name, steps)
    data = StreamAdapter(source, steps, class_weight, targets, workers, shuffle)
    if data.steps is None and not data.by_pass:
        raise ArgumentError(f"{where}: expected `{name}`, because the length of a generator is not known.")
    return data


# Reading arguments -----------------------------------------------------------------------------------


def steps_name(where: str) -> str:
    """What a method calls the number of batches."""
    return "steps_per_epoch" if where == "fit" else "steps"


def whole(where: str, name: str, value: Any, least: int = 0) -> int:
    """`value`, a whole number from `least` on, which may be written as a float. Raises: ArgumentError."""
    number = value if isinstance(value, int | float | np.number) and not isinstance(value, bool) else least - 1
    if not least <= number < np.inf or int(number) != number:
        expected = "a positive integer" if least == 1 else f"an integer from {least} on"
        raise ArgumentError(f"{where}: expected {name} to be {expected}, received {value!r}.{_conversion(value)}")
    return int(number)


def _conversion(value: Any) -> str:
    if isinstance(value, str):
        return " Convert it with int()." if value.strip().isdigit() else ""
    return " Round it, for instance with the operator //." if isinstance(value, float | np.floating) else ""


def positive(where: str, name: str, value: Any) -> int:
    """`value`, a whole number above 0. Raises: ArgumentError."""
    return whole(where, name, value, 1)


def step_count(where: str, name: str, value: Any) -> int:
    """A number of batches, where a fraction (`steps_per_epoch=len(x) / 32`) counts as a batch.

    Source: Keras 2.3.1, `training_generator.py`: `while steps_done < steps_per_epoch`.
    """
    if isinstance(value, float | np.floating) and np.isfinite(value):
        value = int(np.ceil(value))
    return positive(where, name, value)


def epochs_of(epochs: Any, initial_epoch: Any) -> tuple[int, int]:
    """The number of the last epoch and of the first one. Raises: ArgumentError."""
    last, first = whole("fit", "epochs", epochs), whole("fit", "initial_epoch", initial_epoch)
    if first > last:
        raise ArgumentError(
            f"fit: expected initial_epoch to be at most epochs, received initial_epoch={first} and epochs={last}. "
            f"`epochs` is the number of the last epoch, counted from 0: for {last} epochs more write "
            f"epochs={first + last}."
        )
    return last, first


def bounded_epochs(epochs: int, initial_epoch: int) -> int:
    """The number of the last epoch, where `config.max_epochs` counts."""
    bound = config.max_epochs()
    if bound is None or bound >= epochs:
        return epochs
    _warn_of_bound("epochs", bound)
    return max(bound, initial_epoch)


def _warn_of_bound(name: str, bound: int) -> None:
    warnings.warn(f"Limiting {name} to {bound}, as keras.config.set_max_{name} or the environment says.", stacklevel=4)


def verbosity(where: str, value: Any) -> int:
    """0 (silent), 1 (a progress bar, also 'auto') or 2 (a line for each epoch). Raises: ArgumentError."""
    if isinstance(value, int | np.integer | np.bool_):
        return int(value)
    if value == "auto":
        return 1
    raise ArgumentError(f"{where}: expected verbose to be 0, 1, 2 or 'auto', received {value!r}.")


def steps_in_one(value: Any) -> int | str:
    """`steps_per_execution`: a positive integer, or 'auto', for None too. Raises: ArgumentError."""
    return "auto" if value is None or value == "auto" else positive("compile", "steps_per_execution", value)


def one_of(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """`value`, if it is one of the choices of an argument of `compile`. Raises: ArgumentError."""
    if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in choices):
        raise ArgumentError(f"compile: expected {name} to be one of {', '.join(map(repr, choices))}; got {value!r}.")
    return value


def only_a_stream(where: str, **arguments: Any) -> None:
    """Raise ArgumentError if something was given beside a generator that only arrays need."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ArgumentError(
            f"{where}: a generator or Sequence gives whole batches, so expected no {' and no '.join(given)}."
        )


def validation_parts(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weights of `validation_data`."""
    if isinstance(data, list | tuple) and len(data) in (2, 3):
        return (*data, None)[:3]  # type: ignore[return-value]
    raise ArgumentError(
        "fit: expected validation_data to be (x, y) or (x, y, sample_weight), a generator or a Sequence, "
        f"received {type(data).__name__}" + (f" of {len(data)}." if hasattr(data, "__len__") else ".")
    )


def form_of(x: Any, names: list[str]) -> Callable[[list[Any]], Any]:
    """A function that makes what the user passed as `x` of a flat list of tensors."""
    if isinstance(x, dict):
        return lambda tensors: dict(zip(names, tensors, strict=True))
    if isinstance(x, list | tuple) and x and hasattr(x[0], "shape"):
        return list
    return lambda tensors: tensors[0]


def length(x: Any) -> int | None:
    """The number of samples of a batch, if it is easily seen."""
    first = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list | tuple) and x else x
    if hasattr(first, "shape"):
        return first.shape[0] if len(first.shape) else None
    return len(first) if hasattr(first, "__len__") else None
