"""Items of an iterator, made ahead in a thread while the consumer works on the one before.

This is the cheap way for one reader: two queues that are written in C, no polling, a few microseconds an item. The
enqueuers of Keras in `data_utils` are for several workers and for processes. This module must not know what the items
are.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["prefetched", "prefetched_where_it_pays"]

PAYS, TRIAL = 2e-4, 7  # seconds, items
WAIT = 5.0  # seconds that a reader gets to come back from its source, when nobody wants items any more


def prefetched(items: Iterable[Any], ahead: int = 2) -> Iterator[Any]:
    """The items in their order, of which some are made ahead.

    A thread iterates. What it raises is raised here, with its traceback, in the place of the item. The thread ends with
    the items, after an exception, and when this generator is closed or forgotten; one that waits for a source that does
    not answer ends as soon as that does, and is waited for `WAIT` seconds at most.

    Args:
        items: an iterable; it is used in the thread alone, from the first item asked for on.
        ahead: how many items may wait, at least 1.

    Example:
        >>> list(prefetched(range(4)))
        [0, 1, 2, 3]
    """
    permits: queue.SimpleQueue[None] = queue.SimpleQueue()
    ready: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    stopped = threading.Event()
    ahead = max(1, ahead)
    at_once, taken = (ahead + 1) // 2, 0  # permits come several at once, so that the threads change places seldom
    for _ in range(ahead):
        permits.put(None)
    run = contextvars.copy_context().run  # the same backend and settings as here
    arguments = (_read, items, permits, ready, stopped)
    reader = threading.Thread(target=run, args=arguments, name="keras_front reader", daemon=True)
    reader.start()
    error: BaseException | None = None
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            taken += 1
            if taken == at_once:
                taken = 0
                for _ in range(at_once):
                    permits.put(None)
            yield item
    finally:
        error = None  # its traceback refers to this frame
        stopped.set()
        permits.put(None)
        if reader is not threading.current_thread():
            reader.join(WAIT)


_END = object()


def prefetched_where_it_pays(items: Iterable[Any], ahead: int = 2) -> Iterator[Any]:
    """The items in their order; a thread makes them ahead only if making one and using one take long enough.

    The first ones are made here, one by one, and timed. What overlaps is at most the shorter of both; where that is
    less than `PAYS` seconds, two threads that take turns cost as much as they gain.

    Args:
        items: an iterable, whose items may come from different threads.
        ahead: how many items may wait, at least 1.

    Example:
        >>> list(prefetched_where_it_pays(range(20)))[-1]
        19
    """
    iterator, making, using = iter(items), [], []
    for _ in range(TRIAL):
        started = time.perf_counter()
        item = next(iterator, _END)
        if item is _END:
            return
        made = time.perf_counter()
        yield item
        making.append(made - started)
        using.append(time.perf_counter() - made)
    pays = min(sorted(making)[1], sorted(using)[1]) >= PAYS  # short ones: whatever else runs only adds
    yield from prefetched(iterator, ahead) if pays else iterator


def _read(items: Iterable[Any], permits: Any, ready: Any, stopped: threading.Event) -> None:
    """In the thread: put an item into `ready` for each permit, until they end or nobody wants them."""
    try:
        iterator = iter(items)
        permits.get()
        while not stopped.is_set():
            ready.put((next(iterator, _END), None))
            permits.get()
    except BaseException as error:  # raised where the items are used
        ready.put((None, error))
