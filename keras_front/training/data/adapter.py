"""Data adapters: what users pass as data, as batches of checked arrays.

`ArrayAdapter` has arrays that are all there; `StreamAdapter`, in `streams.py`, takes batches one by one.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import config, conventions
from keras_front.errors import ArgumentError
from keras_front.nest import nesting_of, pack_like
from keras_front.training.data.arrays import ArraySpec, BatchLayout, read_rows
from keras_front.training.data.host_arrays import is_frame, row_slice
from keras_front.utils.messages import is_interactive_logging_enabled
from keras_front.utils.prefetch import prefetched_where_it_pays
from keras_front.utils.terminal import redraws_in_place


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
        without_arrays: samples in a batch of a model that needs no arrays, as its inputs and targets are tensors.

    Attributes:
        samples: the number of samples.
        steps: batches an epoch.
        ahead: how many batches a thread may read ahead of arrays that are read in parts; 0: the loop reads them.

    Raises: ArgumentError if there is no sample.
    """

    def __init__(
        self,
        arrays: list[Any],
        layout: BatchLayout,
        batch_size: int | None,
        specs: Sequence[ArraySpec | None] = (),
        repeats: int = 1,
        without_arrays: int = 0,
    ):
        self.arrays, self.layout = arrays, layout
        self.specs = list(specs) + [None] * (len(arrays) - len(specs))
        self.samples = int(arrays[0].shape[0]) if arrays else without_arrays
        if not self.samples:
            raise ArgumentError("There is no data: expected at least one sample, received arrays of length 0.")
        self.batch_size, self.repeats = batch_size or self.samples, repeats
        self.steps = repeats * -(-self.samples // self.batch_size)
        self.ahead = 4
        self._reader: Any = None

    def _of(self, arrays: list[Any], batch_size: int | None, repeats: int = 1) -> ArrayAdapter:
        """An adapter like this one of other rows."""
        made = ArrayAdapter(arrays, self.layout, batch_size, self.specs, repeats)
        made.ahead = self.ahead
        return made

    def first(self, steps: int) -> ArrayAdapter:
        """An adapter of the first `steps` batches."""
        return self._of([row_slice(array, 0, steps * self.batch_size) for array in self.arrays], self.batch_size)

    def split(self, fraction: float) -> tuple[ArrayAdapter, ArrayAdapter]:
        """An adapter without the last samples, and one of these, `fraction` of all; see `split_off`."""
        first, last = split_off(self.arrays, fraction)
        size = None if self.repeats > 1 else self.batch_size
        return self._of(first, size, self.repeats), self._of(last, size)

    def bounded(self, steps: int | None, shuffled: bool = False) -> ArrayAdapter:
        """An adapter of at most so many batches an epoch; None: of all.

        Args:
            steps: the number of batches.
            shuffled: whether each epoch takes its batches from all samples, in an order of its own.
        """
        if steps is None or steps >= self.steps:
            return self
        warn_of_bound("steps_per_epoch", steps)
        if self.repeats > 1:
            return self._of(self.arrays, self.batch_size, steps)
        if not shuffled:
            return self.first(steps)
        bounded = self._of(self.arrays, self.batch_size)
        bounded.steps = steps
        return bounded

    def nbytes(self) -> int | None:
        """Memory of all arrays; None if one is read in parts."""
        return sum(a.nbytes for a in self.arrays) if all(isinstance(a, np.ndarray) for a in self.arrays) else None

    def rows(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows of every array, on the host."""
        return [read_rows(array, rows, spec) for array, spec in zip(self.arrays, self.specs, strict=True)]

    def read(self, blocks: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
        """The rows of every array for each block of numbers; read ahead where arrays are read in parts."""
        batches = map(self.rows, blocks)
        if not self.ahead or self.nbytes() is not None:
            return batches
        self.close()
        self._reader = prefetched_where_it_pays(batches, self.ahead)
        return self._reader

    def first_batch(self) -> tuple[list[np.ndarray], BatchLayout]:
        """A batch like those that will come, and its layout."""
        return self.rows(np.arange(min(self.batch_size, self.samples))), self.layout

    def open(self) -> None:
        """Nothing needs to be prepared."""

    def close(self) -> None:
        """End the thread that reads ahead."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


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
    return [row_slice(a, 0, at) for a in arrays], [row_slice(a, at, n) for a in arrays]


def array_adapter(
    where: str,
    inputs: Sequence[Any],
    arrays: list[Any],
    layout: BatchLayout,
    batch_size: int | None,
    steps: int | None,
    specs: Sequence[ArraySpec | None],
    read_ahead: bool = True,
) -> ArrayAdapter:
    """The adapter of arrays.

    Args:
        where: the method, for messages.
        inputs: the symbolic inputs of the model, which may fix the size of a batch.
        arrays, layout: the checked arrays.
        batch_size, steps: as in `fit`: samples a batch, or passes over all samples at once.
        specs: what the arrays are.
        read_ahead: whether a thread may read those that are read in parts.

    Raises: ArgumentError if these do not go together.
    """
    fixed = inputs[0].shape[0] if inputs and inputs[0].shape else None
    if steps is not None:
        if batch_size is not None:
            raise ArgumentError(
                f"{where}: with a number of steps all samples make one batch, so expected no batch_size, "
                f"received {batch_size}."
            )
        repeats = positive(where, steps_name(where), steps)
        data = ArrayAdapter(arrays, layout, None, specs, repeats, fixed or 1)
        data.ahead *= read_ahead
        return data
    size = positive(where, "batch_size", batch_size if batch_size is not None else fixed or 32)
    data = ArrayAdapter(arrays, layout, size, specs)
    data.ahead *= read_ahead
    if fixed is not None and (size != fixed or data.samples % fixed):
        raise ArgumentError(
            f"{where}: this model was made for batches of {fixed} samples, so expected batch_size={fixed} and a "
            f"number of samples that it divides, received batch_size={size} and {data.samples} samples."
        )
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
    warn_of_bound("epochs", bound)
    return max(bound, initial_epoch)


def warn_of_bound(name: str, bound: int) -> None:
    """Warn that a setting limits a number.

    Args:
        name: what is limited.
        bound: the most that is done.
    """
    warnings.warn(f"Limiting {name} to {bound}, as keras.config.set_max_{name} or the environment says.", stacklevel=4)


class OneLine(int):
    """The verbosity 2 that 'auto' stands for where no line can be redrawn: the epoch and its values share a line."""


def verbosity(where: str, value: Any) -> int:
    """0 (silent), 1 (a progress bar) or 2 (a line for each epoch); of 'auto' what fits standard output.

    'auto' is 1 on a terminal and in a notebook, as in tf.keras. In a log file and a pipe, natively, and where messages
    go to a logger, it is 2. Raises: ArgumentError.
    """
    if isinstance(value, int | float | np.integer | np.bool_) and value == int(value):  # R hands on whole floats
        return int(value)
    if isinstance(value, str) and value == "auto":
        redrawn = is_interactive_logging_enabled() and redraws_in_place(sys.stdout)
        return 1 if redrawn or conventions.current().progress != "with speed" else OneLine(2)
    raise ArgumentError(f"{where}: expected verbose to be 0, 1, 2 or 'auto', received {value!r}.")


def steps_in_one(value: Any) -> int | str:
    """`steps_per_execution`: a positive integer, or 'auto', for None too. Raises: ArgumentError."""
    return "auto" if value is None or value == "auto" else positive("compile", "steps_per_execution", value)


def one_of(name: str, value: Any, choices: Sequence[Any]) -> Any:
    """`value`, if it is one of the choices of an argument of `compile`. Raises: ArgumentError."""
    if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in choices):
        raise ArgumentError(f"compile: expected {name} to be one of {', '.join(map(repr, choices))}; got {value!r}.")
    return value


def validation_parts(data: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weights of `validation_data`; a dict or table may hold all by name, as in `fit(table)`."""
    if isinstance(data, Mapping) or is_frame(data):
        return data, None, None
    if isinstance(data, list | tuple) and len(data) in (2, 3):
        return (*data, None)[:3]  # type: ignore[return-value]
    raise ArgumentError(
        "fit: expected validation_data to be (x, y) or (x, y, sample_weight), a generator or a Sequence, "
        f"received {type(data).__name__}" + (f" of {len(data)}." if hasattr(data, "__len__") else ".")
    )


def form_of(x: Any, names: list[str]) -> Callable[[list[Any]], Any]:
    """A function that makes what the user passed as `x` of a flat list of tensors."""
    nesting = nesting_of(x) if len(names) > 1 else None
    if nesting is not None:
        return lambda tensors: pack_like(nesting, tensors)
    if isinstance(x, dict):
        return lambda tensors: dict(zip(names, tensors, strict=True))
    if isinstance(x, list | tuple) and x and hasattr(x[0], "shape"):
        return list
    return lambda tensors: tensors[0]


def length(x: Any) -> int | None:
    """The number of samples of a batch, if it is easily seen."""
    first: Any = next(iter(x.values()), None) if isinstance(x, dict) else x
    if isinstance(x, list | tuple) and x:
        first = x[0]
    if hasattr(first, "shape"):
        return first.shape[0] if len(first.shape) else None
    return len(first) if hasattr(first, "__len__") else None
