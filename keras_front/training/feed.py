"""Data on its way to a step: checked once, as flat lists of arrays.

A batch is one flat list: inputs, then targets, then weights, without what is absent. `Spec` says what a
model expects; `Feed` is data that conforms, either arrays that are all there (`ArrayFeed`) or batches that
come one by one (`StreamFeed`). Nothing here knows an engine: arrays stay on the host until the loop places
them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front import config
from keras_front.backend import discovery
from keras_front.backend.ops import sparse
from keras_front.errors import ArgumentError, ShapeError
from keras_front.training import weighting
from keras_front.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer

Shape = tuple[int | None, ...]


class Slot(NamedTuple):
    """What one input or target must be. `shape` and `dtype` None: anything; `hint` ends a message about
    its shape."""

    name: str
    shape: Shape | None
    dtype: str | None
    hint: str = ""


class Layout(NamedTuple):
    """Which parts a flat batch has: inputs, then targets, then weights of the outputs with True."""

    inputs: int
    targets: int
    weighted: tuple[bool, ...]

    def split(self, batch: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Inputs, targets, and a weight or None for each target."""
        first, second = self.inputs, self.inputs + self.targets
        weights = iter(batch[second:])
        by_output = [next(weights) if has else None for has in self.weighted]
        return list(batch[:first]), list(batch[first:second]), by_output


class Spec(NamedTuple):
    """What a model expects of its data."""

    inputs: list[Slot]
    targets: list[Slot]
    weight_modes: list[str | None]

    def batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        targets: bool = True,
        whole: bool = True,
    ) -> tuple[list[Any], Layout]:
        """(flat list of arrays, layout) of inputs, targets and weights that fit together.

        What is read in parts is read here, unless `whole` is False.
        Raises: ShapeError, ArgumentError saying which array is wrong and what was expected.
        """
        xs = standardize(x, self.inputs, "input", whole)
        if not targets:
            same_length(xs, [], [])
            return xs, Layout(len(xs), 0, ())
        ys = standardize(y, self.targets, "target", whole)
        names = [slot.name for slot in self.targets]
        weights = weighting.sample_weights(ys, sample_weight, class_weight, names, self.weight_modes)
        present = [w for w in weights if w is not None]
        same_length(xs, ys, present)
        return xs + ys + present, Layout(len(xs), len(ys), tuple(w is not None for w in weights))


def standardize(data: Any, slots: Sequence[Slot], what: str, whole: bool = True) -> list[Any]:
    """A flat list of arrays in the order of `slots`, cast, with an axis added to lists of numbers.

    Raises: ArgumentError for a wrong number or unknown names; ShapeError for a shape that does not fit.
    """
    values = _listed(data, slots, what)
    return [_conform(value, slot, what, whole) for value, slot in zip(values, slots, strict=True)]


def _listed(data: Any, slots: Sequence[Slot], what: str) -> list[Any]:
    names = [slot.name for slot in slots]
    if not slots:
        if data is None or (isinstance(data, list | tuple | dict) and len(data) == 0):
            return []
        raise ArgumentError(f"Expected no {what} data, because nothing uses it, received {_described(data)}.")
    if data is None:
        raise ArgumentError(f"No {what} data: expected an array for each of {names}, received None.")
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise ArgumentError(f"No {what} data for {missing}: expected the keys {names}, received {list(data)}.")
        return [data[name] for name in names]
    if not isinstance(data, list | tuple):
        values = [data]
    elif len(slots) == 1 and not (len(data) == 1 and np.ndim(data[0])):
        values = [_as_array(data)] if not any(hasattr(d, "shape") and np.ndim(d) for d in data) else list(data)
    else:
        values = list(data)
    if len(values) != len(slots):
        raise ArgumentError(
            f"Wrong number of {what} arrays: expected {len(slots)}, for {names}, received {_described(data)}."
        )
    return values


def _described(data: Any) -> str:
    if isinstance(data, list | tuple):
        shapes = ", ".join(str(tuple(np.shape(d))) for d in data[:8])
        return f"a list of {len(data)} arrays with the shapes {shapes}"
    return f"an array of shape {np.shape(data)}" if hasattr(data, "shape") else type(data).__name__


class SparseRows:
    """A sparse matrix of SciPy whose rows become dense when they are read."""

    def __init__(self, matrix: Any):
        self.matrix, self.shape = matrix, tuple(matrix.shape)

    def __getitem__(self, rows: Any) -> SparseRows:
        return SparseRows(self.matrix[rows])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.matrix.toarray(), dtype)


def _conform(value: Any, slot: Slot, what: str, whole: bool) -> Any:
    if sparse.is_matrix(value):
        value = SparseRows(value.tocsr())
    if is_lazy(value) and not whole:
        shape = tuple(value.shape)
        _check_shape((*shape, 1) if len(shape) == 1 else shape, slot, what)
        return value
    array = _as_array(value)
    if array.ndim == 0:
        raise ShapeError(f"The {what} {slot.name!r} is a single number; expected an array whose first axis is samples.")
    if lacks_last_axis(array.shape, slot):
        array = array[..., None]
    _check_shape(array.shape, slot, what)
    return _cast(array, slot)


def lacks_last_axis(shape: tuple[int, ...], slot: Slot) -> bool:
    """Whether an axis of size 1 belongs behind: numbers where vectors are expected."""
    if slot.shape is None:
        return len(shape) == 1
    return len(shape) == len(slot.shape) - 1 and (len(shape) == 1 or slot.shape[-1] == 1)


def _as_array(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    owner = discovery.owner(value)
    if owner is not None:
        return np.asarray(owner.to_numpy(value))
    plain = getattr(value, "values", value) if hasattr(value, "iloc") else value
    try:
        array = np.asarray(plain)
    except ValueError:  # rows of different lengths
        array = np.asarray(None, object)
    if array.dtype == object:
        raise ArgumentError(
            f"Expected numbers in a rectangular array, received {type(value).__name__} that NumPy cannot make one "
            "of. If these are sequences of different lengths, pad them first."
        )
    return array


def _cast(array: np.ndarray, slot: Slot) -> np.ndarray:
    if array.dtype.kind not in "biufc":
        raise ArgumentError(f"The data for {slot.name!r} has dtype {array.dtype}; expected numbers.")
    if slot.dtype is None:  # class numbers: their kind stays, with a width that every engine has
        wanted = config.floatx() if array.dtype.kind == "f" else _narrow(array)
    else:
        wanted = "float32" if slot.dtype == "bfloat16" else slot.dtype
    return array if array.dtype == wanted else array.astype(wanted)


def _narrow(array: np.ndarray) -> str:
    return array.dtype.name if array.dtype.itemsize < 8 and array.dtype.kind == "i" else "int32"


def _check_shape(found: tuple[int, ...], slot: Slot, what: str) -> None:
    if slot.shape is None:
        return
    if len(found) != len(slot.shape):
        raise ShapeError(
            f"Wrong {what} shape: {slot.name!r} expects {len(slot.shape)} axes, {_readable(slot.shape)}, "
            f"received an array of shape {found}.{slot.hint}"
        )
    fits = all(want in (None, have) for want, have in zip(slot.shape[1:], found[1:], strict=True))
    if not fits:
        raise ShapeError(
            f"Wrong {what} shape: {slot.name!r} expects {_readable(slot.shape)}, "
            f"received an array of shape {found}.{slot.hint}"
        )


def _readable(shape: Shape) -> str:
    return f"({', '.join(['n', *(str(d) for d in shape[1:])])})"


def same_length(xs: Sequence[Any], ys: Sequence[Any], weights: Sequence[Any]) -> None:
    """Raise ShapeError unless all arrays have the same number of samples."""
    lengths = [{int(a.shape[0]) for a in group} for group in (xs, ys, weights)]
    for group, what in zip(lengths, ("inputs", "targets", "sample weights"), strict=True):
        if len(group) > 1:
            raise ShapeError(f"All {what} need the same number of samples, received {sorted(group)}.")
    if len(set().union(*lengths)) > 1:
        told = zip(("inputs", "targets", "sample weights"), lengths, strict=True)
        counts = ", ".join(f"{min(group)} {what}" for what, group in told if group)
        raise ShapeError(f"Inputs, targets and weights need the same number of samples, received {counts}.")


def is_lazy(value: Any) -> bool:
    """Whether `value` is read in parts, like a data set in an HDF5 file: it has a shape but is no array."""
    kind = type(value)
    return kind is SparseRows or kind.__name__ == "HDF5Matrix" or kind.__module__.split(".")[0] in ("h5py", "zarr")


def read_rows(array: Any, rows: np.ndarray, slot: Slot | None = None) -> np.ndarray:
    """The rows of an array; of one that is read in parts, in rising order, as files want it."""
    if isinstance(array, np.ndarray):
        return array[rows]
    order = np.argsort(rows, kind="stable")
    if len(rows) and int(rows[order[-1]]) - int(rows[order[0]]) == len(rows) - 1:
        start = int(rows[order[0]])
        block = np.asarray(array[start : start + len(rows)])
    else:
        block = np.asarray(array[rows[order]])
    block = block[np.argsort(order, kind="stable")]
    return block if slot is None else _cast(block[:, None] if block.ndim == 1 else block, slot)


def orders(n: int, batch_size: int, shuffle: Any, generator: np.random.Generator | None) -> np.ndarray:
    """The numbers of all samples in the order of one epoch.

    With `shuffle='batch'` whole batches change places, each in one piece, the smaller last one staying last.
    Raises: ArgumentError for another text than 'batch'.
    """
    if isinstance(shuffle, str) and shuffle != "batch":
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


class ArrayFeed:
    """Arrays that are all there: a batch is some of their rows.

    Args:
        batch_size: samples a batch; None for all of them.
        passes: how often the arrays are gone through in an epoch.

    Attributes: `arrays`, the flat list; `layout`; `samples`, their number; `steps`, batches an epoch.
    """

    def __init__(
        self,
        arrays: list[Any],
        layout: Layout,
        batch_size: int | None,
        slots: Sequence[Slot | None] = (),
        passes: int = 1,
    ):
        self.arrays, self.layout = arrays, layout
        self.slots = list(slots) + [None] * (len(arrays) - len(slots))
        self.samples = int(arrays[0].shape[0]) if arrays else 0
        if not self.samples:
            raise ArgumentError("There is no data: expected at least one sample, received arrays of length 0.")
        self.batch_size, self.passes = batch_size or self.samples, passes
        self.steps = passes * -(-self.samples // self.batch_size)

    def first(self, steps: int) -> ArrayFeed:
        """The feed of the first `steps` batches."""
        arrays = [_slice(array, 0, steps * self.batch_size) for array in self.arrays]
        return ArrayFeed(arrays, self.layout, self.batch_size, self.slots)

    def nbytes(self) -> int | None:
        """Memory of all arrays; None if one is read in parts."""
        return sum(a.nbytes for a in self.arrays) if all(isinstance(a, np.ndarray) for a in self.arrays) else None

    def rows(self, rows: np.ndarray) -> list[np.ndarray]:
        """The rows of every array, on the host."""
        return [read_rows(array, rows, slot) for array, slot in zip(self.arrays, self.slots, strict=True)]


class StreamFeed:
    """Batches that come one by one, from a generator or a `Sequence`, prepared ahead by an enqueuer.

    Attributes: `steps`, batches an epoch, or None while nobody knows; `samples` is None. Without a number of steps an
    epoch is one pass over the `Sequence`, whose length is read anew for each pass: it may change in `on_epoch_end`.
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
        self.spec = Spec([], [], [])  # what the model expects, as soon as it is known
        self.by_pass = steps is None and is_sequence(source)
        self.steps = len(source) if self.by_pass else steps
        if self.by_pass and not self.steps:
            raise ArgumentError(
                f"There is no data: expected a Sequence of at least one batch, {source!r:.60} has none."
            )
        self.workers = workers or Workers()
        self._enqueuer: Any = None
        self._batches: Iterator[Any] | None = None
        self._kept: list[Any] = []  # the first batch, where somebody had to look at it before

    def open(self) -> None:
        """Start to prepare batches, unless that was done."""
        if self._batches is not None:
            return
        if not self.workers.number:
            self._batches = _passes(self.source, self.by_pass) if is_sequence(self.source) else iter(self.source)
            return
        if is_sequence(self.source):
            passes = 1 if self.by_pass else None
            self._enqueuer = OrderedEnqueuer(self.source, self.workers.processes, self.shuffle, passes)
        else:
            self._enqueuer = GeneratorEnqueuer(self.source, self.workers.processes)
        self._enqueuer.start(workers=self.workers.number, max_queue_size=self.workers.queue_size)
        self._batches = self._enqueuer.get()

    def end_epoch(self) -> None:
        """End a pass over a `Sequence`: `on_epoch_end` is called now at the latest, then its length is read anew."""
        if self.by_pass and self._batches is not None:
            next(self._batches, _END)
            self.close()
            self.steps = len(self.source)

    def close(self) -> None:
        """End the workers."""
        if self._enqueuer is not None:
            self._enqueuer.stop()
        self._enqueuer = self._batches = None

    def _draw(self) -> Any:
        self.open()
        return next(self._batches, _END)  # type: ignore[arg-type]

    def first_inputs(self) -> Any:
        """The inputs of the first batch, which is kept and comes as the first one all the same."""
        if not self._kept:
            self._kept = [self._draw()]
        item = self._kept[0]
        if item is _END:
            raise ArgumentError("There is no data: expected at least one batch, the generator has ended.")
        return _parts(item, self.targets, wanted=False)[0]

    def next(self) -> tuple[list[np.ndarray], Layout] | None:
        """The next batch and its layout; None at the end of the data."""
        item = self._kept.pop() if self._kept else self._draw()
        if item is _END:
            return None
        parts = _parts(item, self.targets, bool(self.spec.targets))
        return self.spec.batch(*parts, class_weight=self.class_weight, targets=self.targets)


_END = object()


class Workers(NamedTuple):
    """Who prepares batches: `number` workers, 0 for the loop itself."""

    number: int = 1
    processes: bool = False
    queue_size: int = 10


def _passes(sequence: Any, once: bool) -> Iterator[Any]:
    """The batches of a sequence, pass after pass unless `once`, prepared where they are asked for."""
    while len(sequence):
        for index in range(len(sequence)):
            yield sequence[index]
        sequence.on_epoch_end()
        if once:
            return


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


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches one by one: a generator, an iterator or a `Sequence`."""
    return inspect.isgenerator(x) or is_sequence(x) or (hasattr(x, "__next__") and not hasattr(x, "shape"))


def split_off(arrays: Sequence[Any], fraction: float) -> tuple[list[Any], list[Any]]:
    """The arrays without their last samples, and those last ones, `fraction` of all.

    Raises: ArgumentError unless 0 < fraction < 1 leaves samples on both sides.
    """
    n = int(arrays[0].shape[0])
    at = int(n * (1.0 - fraction))
    if not 0 < fraction < 1 or not 0 < at < n:
        raise ArgumentError(
            "validation_split: expected a fraction between 0 and 1 that leaves samples on both sides of "
            f"{n}, "
            f"received {fraction}."
        )
    return [_slice(a, 0, at) for a in arrays], [_slice(a, at, n) for a in arrays]


def _slice(array: Any, start: int, stop: int) -> Any:
    return array[start:stop]


def needs_steps(name: str, where: str) -> ArgumentError:
    """The error for a generator without an end."""
    return ArgumentError(f"{where}: expected `{name}`, because the length of a generator is not known.")
