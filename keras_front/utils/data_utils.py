"""Data that comes batch by batch: `Sequence`, and the enqueuers that prepare batches ahead of the training loop.

An enqueuer works in a thread, or in processes where asked to, keeps the order of the batches, raises what
the data raised in the caller's thread, and ends its workers when it is stopped or forgotten.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import warnings
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front.backend import seeds
from keras_front.compatibility import checked_constructor
from keras_front.errors import ArgumentError, StateError
from keras_front.failures import explains_failures
from keras_front.utils.file_cache import get_file
from keras_front.utils.hashes import hash_file as _hash_file  # noqa: F401
from keras_front.utils.hashes import validate_file

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = [
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "get_file",
    "get_index",
    "init_pool",
    "init_pool_generator",
    "next_sample",
    "pack_x_y_sample_weight",
    "unpack_x_y_sample_weight",
    "validate_file",
]

_END = object()


class Sequence:
    """A data set that gives its batches by number: override `__len__` and `__getitem__`.

    `seq[i]` is one batch, `(inputs, targets)` or `(inputs, targets, sample_weights)`; `len(seq)` is their
    number. `on_epoch_end` is called after each pass over the data.

    Example:
        >>> class Squares(Sequence):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, i):
        ...         return i, i * i
        >>> list(Squares())
        [(0, 0), (1, 1)]
    """

    use_sequence_api = True

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(index).")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__().")

    def on_epoch_end(self) -> None:
        """Called after each pass over the data."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of one pass."""
        for index in range(len(self)):
            yield self[index]


class PyDataset(Sequence):
    """A `Sequence` that says how it is prepared: what Keras 3 calls it.

    `fit`, `evaluate` and `predict` prepare batches as these arguments say where theirs do not say otherwise.

    Args:
        workers: how many threads or processes prepare batches at once.
        use_multiprocessing: prepare them in processes.
        max_queue_size: how many batches may wait.

    Source: Keras 3.15, `keras/src/trainers/data_adapters/py_dataset_adapter.py`.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         return np.full((4, 1), index), np.full((4, 1), index**2)
        >>> Squares()[1][1].tolist()
        [[1], [1], [1], [1]]
    """

    @checked_constructor
    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None in a subclass that has no end."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each pass over the data."""


def number_of_batches(source: Any) -> int | None:
    """How many batches a pass over something has; None if it does not say.

    Args:
        source: a `Sequence`, or anything else with a length.
    """
    try:
        return source.num_batches if hasattr(source, "num_batches") else len(source)
    except (TypeError, NotImplementedError):
        return None


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and sample weights of what a `train_step` is given; None for what is not there.

    Args:
        data: `x`, or a tuple `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Raises: ArgumentError for more elements.
    Source: Keras 3.15, `keras.utils.unpack_x_y_sample_weight`; there, too, a list is a single `x`.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(f"Expected (x,), (x, y) or (x, y, sample_weight), received a tuple of {len(data)}.")
    return (*data, None, None)[:3]  # type: ignore[return-value]


@explains_failures
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Inputs, targets and sample weights as `fit` takes them; the inverse of `unpack_x_y_sample_weight`.

    Args:
        x: inputs.
        y: targets, or None.
        sample_weight: weights, or None.

    Source: Keras 3.15, `keras.utils.pack_x_y_sample_weight`.
    Example:
        >>> pack_x_y_sample_weight([1, 2])
        ([1, 2],)
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, tuple | list) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


class SequenceEnqueuer(ABC):
    """Prepares batches ahead of their use.

    Args:
        sequence: where the batches come from.
        use_multiprocessing: work in processes instead of threads.
    Example:
        >>> enqueuer = OrderedEnqueuer(sequence)  # doctest: +SKIP
        >>> enqueuer.start(workers=2)  # doctest: +SKIP
        >>> batches = enqueuer.get()  # doctest: +SKIP
    """

    @checked_constructor
    def __init__(self, sequence: Any, use_multiprocessing: bool = False):
        self.sequence, self.use_multiprocessing = sequence, use_multiprocessing
        self.queue: queue.Queue[Any] | None = None
        self.stop_signal: threading.Event | None = None
        self.workers = 0
        self._thread: threading.Thread | None = None
        self._finalizer: weakref.finalize | None = None

    def is_running(self) -> bool:
        """Whether batches are being prepared."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to prepare batches.

        Args:
            workers: how many threads or processes work at once.
            max_queue_size: how many batches may wait.

        Raises: StateError if it is running already.
        """
        if self.is_running():
            raise StateError(f"{type(self).__name__}.start: it is running already; call stop() first.")
        self.workers = max(1, workers)
        self.queue, self.stop_signal = queue.Queue(max(1, max_queue_size)), threading.Event()
        work = self._work()
        self._thread = threading.Thread(target=work, args=(self.queue, self.stop_signal), daemon=True)
        # Nothing in the thread refers to this object, so being forgotten ends the thread as stop() does.
        self._finalizer = weakref.finalize(self, self.stop_signal.set)
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End the workers. What was prepared and not fetched is dropped.

        Args:
            timeout: seconds to wait for them; None for as long as it takes.
        """
        if self.stop_signal is None:
            return
        self.stop_signal.set()
        _drain(self.queue)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        _drain(self.queue)
        self._thread = None

    @abstractmethod
    def _work(self) -> Callable[[queue.Queue[Any], threading.Event], None]:
        """The function that fills the queue with futures, batches wrapped in futures, or `_END`."""

    def get(self) -> Iterator[Any]:
        """The batches, in order. What the data raised is raised here."""
        try:
            while self.is_running():
                item = _take(self.queue, self.stop_signal)
                if item is _END:
                    return
                yield item.result()
                self.queue.task_done()  # type: ignore[union-attr]
        finally:
            self.stop()

    def __enter__(self) -> SequenceEnqueuer:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()


class OrderedEnqueuer(SequenceEnqueuer):
    """Prepares the batches of a `Sequence`, pass after pass, in order.

    Args:
        sequence: the data.
        use_multiprocessing: prepare them in processes; the sequence is copied into each at the start of
            each pass.
        shuffle: take the batches of each pass in a random order.
        epochs: how many passes over the sequence there are; None for passes without end.

    Example:
        >>> class Batches(Sequence):
        ...     def __len__(self):
        ...         return 2
        ...     def __getitem__(self, index):
        ...         return index
        >>> reader = OrderedEnqueuer(Batches())
        >>> reader.start()
        >>> next(reader.get())
        0
        >>> reader.stop()
    """

    @checked_constructor
    def __init__(
        self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False, epochs: int | None = None
    ):
        super().__init__(sequence, use_multiprocessing)
        self.shuffle, self.epochs = shuffle, epochs

    def _work(self) -> Callable[[queue.Queue[Any], threading.Event], None]:
        sequence, workers, processes = self.sequence, self.workers, self.use_multiprocessing
        generator = seeds.generator("shuffle") if self.shuffle else None
        epochs = itertools.count() if self.epochs is None else range(self.epochs)

        def work(out: queue.Queue[Any], stopped: threading.Event) -> None:
            begin = getattr(sequence, "on_epoch_begin", None)
            for _ in epochs:
                try:
                    if begin is not None:
                        begin()
                    if not _one_pass(sequence, _order(sequence, generator), workers, processes, out, stopped):
                        return
                    sequence.on_epoch_end()
                except BaseException as error:  # handed to the caller's thread
                    _put(out, _failed(error), stopped)
                    return
            _put(out, _END, stopped)

        return work

    def join_end_of_epoch(self) -> None:
        """Wait until everything that was prepared has been fetched."""
        if self.queue is not None and self.is_running():
            self.queue.join()


def _order(sequence: Any, generator: np.random.Generator | None) -> Iterable[int]:
    """The numbers of the batches of a pass; without end if the sequence has none."""
    length = number_of_batches(sequence)
    if length is None:
        return itertools.count()
    return range(length) if generator is None else generator.permutation(length).tolist()


def _one_pass(sequence: Any, order: Iterable[int], workers: int, processes: bool, out: Any, stopped: Any) -> bool:
    """Queue one pass; False if it was stopped. Returns when all was fetched: `on_epoch_end` may change the data."""
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor  # here: they take a tenth of our own import

    pool: Executor
    tasks: Iterable[tuple[Any, ...]]
    if processes:
        pool = ProcessPoolExecutor(workers, _context(), _set_worker_sequence, (sequence,))
        numbers = seeds.generator("worker")  # what a batch draws does not depend on the process that makes it
        tasks = ((_fetch_from_worker_sequence, index, int(numbers.integers(2**32))) for index in order)
    else:
        pool, tasks = ThreadPoolExecutor(workers), ((sequence.__getitem__, index) for index in order)
    try:
        queued = empty = True
        for task in tasks:
            empty = False
            if not (queued := _put(out, pool.submit(*task), stopped)):
                return False
        if empty:
            _put(out, _END, stopped)
            return False
        return queued and _wait_until_fetched(out, stopped)
    except BaseException as error:  # a pool that cannot start: handed to the caller's thread
        _put(out, _failed(error), stopped)
        return False
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class GeneratorEnqueuer(SequenceEnqueuer):
    """Prepares the batches of a generator, in its order.

    A generator has one state, so one worker draws from it, however many are allowed. With `use_multiprocessing` that
    worker is a process.

    Args:
        sequence: the generator.
        use_multiprocessing: draw from it in a process instead of a thread.
        wait_time: accepted because Keras has it; nothing waits here.
        random_seed: accepted because Keras has it; one worker needs no seed of its own.
    Example:
        >>> enqueuer = GeneratorEnqueuer(iter(["a batch", "another"]))
        >>> enqueuer.start()
        >>> list(enqueuer.get())
        ['a batch', 'another']
        >>> enqueuer.stop()
    """

    @checked_constructor
    def __init__(
        self,
        sequence: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ):
        super().__init__(sequence, use_multiprocessing)
        self.wait_time, self.random_seed = wait_time, random_seed

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        if self.use_multiprocessing and workers > 1:
            warnings.warn(
                "A generator in several processes would give every batch several times; one process "
                "draws from it. "
                "Use a keras.utils.Sequence to prepare batches in several processes.",
                UserWarning,
                stacklevel=2,
            )
        super().start(workers, max_queue_size)

    def _work(self) -> Callable[[queue.Queue[Any], threading.Event], None]:
        source = self.sequence
        if self.use_multiprocessing:
            return lambda out, stopped: _pump_process(source, out, stopped)
        return lambda out, stopped: _pump(iter(source), out, stopped)


def _pump(batches: Iterator[Any], out: queue.Queue[Any], stopped: threading.Event) -> None:
    """Put batches into the queue until they end, fail, or nobody wants them."""
    from concurrent.futures import Future

    while not stopped.is_set():
        future: Any = Future()
        try:
            future.set_result(next(batches))
        except StopIteration:
            future = _END
        except BaseException as error:  # handed to the caller's thread
            future = _failed(error)
        if not _put(out, future, stopped) or future is _END or future.exception() is not None:
            return


def _pump_process(source: Any, out: queue.Queue[Any], stopped: threading.Event) -> None:
    context = _context()
    pipe: Any = context.Queue(out.maxsize)
    process = context.Process(target=_draw, args=(source, pipe), daemon=True)
    process.start()
    try:
        _pump(_received(pipe, process, stopped), out, stopped)
    finally:
        process.terminate()
        process.join()
        pipe.close()


def _draw(source: Any, pipe: Any) -> None:
    """In the other process: send batches, then what ended them."""
    try:
        for batch in source:
            pipe.put((batch, None))
        pipe.put((None, None))
    except BaseException as error:  # sent to the caller's process
        pipe.put((None, error))


def _received(pipe: Any, process: Any, stopped: threading.Event) -> Iterator[Any]:
    while not stopped.is_set():
        try:
            batch, error = pipe.get(timeout=0.2)
        except queue.Empty:
            if not process.is_alive():
                raise StateError("The process that draws from the generator has died.") from None
            continue
        if error is not None:
            raise error
        if batch is None:
            return
        yield batch


# What Keras 2 shared with the workers of its enqueuers; scripts that make a pool of their own use these functions.
_shared: Any = None


def init_pool(seqs: Any) -> None:
    """In a worker process: keep the sequences that `get_index` reads.

    Args:
        seqs: sequences by their number.
    """
    global _shared
    _shared = seqs


def get_index(uid: int, i: int) -> Any:
    """One batch of a sequence that `init_pool` was given.

    Args:
        uid: number of the sequence.
        i: number of the batch.
    """
    return _shared[uid][i]


def init_pool_generator(gens: Any, random_seed: int | None = None) -> None:
    """In a worker process: keep the generators that `next_sample` draws from.

    Args:
        gens: generators by their number.
        random_seed: seeds NumPy's generator, plus the number of the process; None leaves it.
    """
    import multiprocessing

    import numpy as np

    init_pool(gens)
    if random_seed is not None:
        np.random.seed(random_seed + (multiprocessing.current_process().ident or 0))


def next_sample(uid: int) -> Any:
    """The next batch of a generator that `init_pool_generator` was given.

    Args:
        uid: number of the generator.
    """
    return next(_shared[uid])


_worker_sequence: Any = None


def _set_worker_sequence(sequence: Any) -> None:
    """In a worker process: keep the sequence, so that a task need carry a number only."""
    global _worker_sequence
    _worker_sequence = sequence


def _fetch_from_worker_sequence(index: int, seed: int) -> Any:
    random.seed(seed)
    np.random.seed(seed)
    return _worker_sequence[index]


def _context() -> Any:
    """Fork where the system has it: what a script defines in its main module need not be importable."""
    import multiprocessing  # here, because importing it takes longer than most of this package

    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else None)


def _failed(error: BaseException) -> Future[Any]:
    from concurrent.futures import Future

    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _put(out: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            out.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


def _take(out: Any, stopped: Any) -> Any:
    while not stopped.is_set():
        try:
            return out.get(timeout=0.5)
        except queue.Empty:
            continue
    return _END


def _wait_until_fetched(out: queue.Queue[Any], stopped: threading.Event) -> bool:
    with out.all_tasks_done:
        while out.unfinished_tasks and not stopped.is_set():
            out.all_tasks_done.wait(0.1)
    return not stopped.is_set()


def _drain(out: Any) -> None:
    try:
        while True:
            out.get_nowait()
            out.task_done()
    except (queue.Empty, ValueError):
        return
