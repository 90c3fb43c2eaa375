"""`tf.summary`: what a loop of a program's own writes for TensorBoard, by the package `tensorboard`.

Source: TensorFlow 2.15, `tensorflow/python/ops/summary_ops_v2.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.callbacks import event_files

_WRITER: ContextVar[Writer | None] = ContextVar("keras_front_summary_writer", default=None)
_STEP: ContextVar[Any] = ContextVar("keras_front_summary_step", default=None)


class Writer:
    """What writes summaries into a folder.

    Args:
        folder: the folder; None for a writer that writes nothing.
    """

    def __init__(self, folder: Any):
        self.events = None if folder is None else event_files.EventWriter(folder)

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator[Writer]:
        """A block whose summaries it writes.

        Args:
            step: their step, where they do not say another one.
        """
        token, before = _WRITER.set(self), _STEP.set(_STEP.get() if step is None else step)
        try:
            yield self
        finally:
            _WRITER.reset(token)
            _STEP.reset(before)
            self.flush()

    set_as_default = init = lambda self, *args, **kwargs: _WRITER.set(self)

    def add(self, made: Any, step: Any) -> bool:
        """Write a summary.

        Args:
            made: what to write.
            step: its step; None for that of the block.
        """
        step = _STEP.get() if step is None else step
        if self.events is None:
            return False
        self.events.add(made, int(K.to_numpy(step)) if hasattr(step, "shape") else int(step or 0))
        return True

    def flush(self) -> None:
        """Write what is still in memory."""
        if self.events is not None:
            self.events.flush()

    def close(self) -> None:
        """End the file."""
        if self.events is not None:
            self.events.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def create_file_writer(logdir: Any, *args: Any, **options: Any) -> Writer:
    """A writer for a folder.

    Args:
        logdir: the folder.
        args: not used.
        options: not used.
    """
    return Writer(K.to_numpy(logdir).item() if isinstance(logdir, np.ndarray) else logdir)


def create_noop_writer() -> Writer:
    """A writer that writes nothing."""
    return Writer(None)


def _written(made: Any, step: Any) -> bool:
    writer = _WRITER.get()
    return writer is not None and writer.events is not None and writer.add(made(), step)


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> bool:
    """Write a number; returns whether there is a writer.

    Args:
        name: what it is called.
        data: the number.
        step: its step.
        description: not used.
    """
    return _written(lambda: event_files.scalar(name, float(np.asarray(K.to_numpy(data))), False), step)


def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: str | None = None) -> bool:
    """Write how numbers are spread; returns whether there is a writer.

    Args:
        name: what they are called.
        data: the numbers.
        step: their step.
        buckets: not used.
        description: not used.
    """
    return _written(lambda: event_files.histogram(name, np.asarray(K.to_numpy(data)), False), step)


def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: str | None = None) -> bool:
    """Write pictures; returns whether there is a writer.

    Args:
        name: what they are called.
        data: (n, height, width, channels), values from 0 to 1 or whole ones up to 255.
        step: their step.
        max_outputs: how many of them.
        description: not used.
    """
    pictures = np.asarray(K.to_numpy(data))[:max_outputs]
    return all(_written(lambda m=made: m, step) for made in event_files.image(name, pictures, False))


def trace_on(*args: Any, **options: Any) -> None:
    """Nothing is recorded of the graph.

    Args:
        args: not used.
        options: not used.
    """


trace_export = trace_off = trace_on


def flush(*args: Any, **options: Any) -> None:
    """Write what is still in memory.

    Args:
        args: not used.
        options: not used.
    """
    writer = _WRITER.get()
    if writer is not None:
        writer.flush()
