"""Items made ahead in a thread."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from keras_front.backend import discovery
from keras_front.utils import prefetch
from keras_front.utils.prefetch import prefetched, prefetched_where_it_pays

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("make", [prefetched, prefetched_where_it_pays])
@pytest.mark.parametrize("ahead", [0, 1, 2, 7])
@pytest.mark.parametrize("n", [0, 1, 30])
def test_all_items_come_in_order(make, ahead, n):
    assert list(make(iter(range(n)), ahead)) == list(range(n))


@pytest.mark.parametrize("ahead", [1, 2, 7])
def test_no_more_are_made_than_may_wait(ahead):
    made = []
    items = prefetched((made.append(i) or i for i in range(100)), ahead)
    for used in range(1, 10):
        next(items)
        time.sleep(0.005)
        assert used <= len(made) <= used + ahead
    items.close()


@pytest.mark.parametrize("make", [prefetched, prefetched_where_it_pays])
def test_an_error_comes_in_its_place_with_its_traceback(make):
    def broken():
        yield from range(10)
        raise OSError("disk full")

    items = make(broken())
    assert [next(items) for _ in range(10)] == list(range(10))
    with pytest.raises(OSError, match="disk full") as caught:
        next(items)
    assert "broken" in [entry.name for entry in caught.traceback]


def test_what_does_not_begin_is_an_error_too():
    class Broken:
        def __iter__(self):
            raise OSError("no such disk")

    with pytest.raises(OSError, match="no such disk"):
        next(prefetched(Broken()))


@pytest.mark.parametrize("end", ["close", "forget", "interrupt"])
def test_the_thread_ends_with_its_user(end):
    items = prefetched(iter(int, 1))
    next(items)
    if end == "close":
        items.close()
    elif end == "interrupt":
        with pytest.raises(KeyboardInterrupt):
            items.throw(KeyboardInterrupt)
    del items


def test_nobody_waits_for_a_source_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(prefetch, "WAIT", 0.05)
    answer = threading.Event()

    def silent():
        yield 1
        answer.wait(10)
        yield 2

    items = prefetched(silent())
    next(items)
    started = time.perf_counter()
    items.close()
    assert time.perf_counter() - started < 5
    answer.set()
    for thread in threading.enumerate():
        if thread.name == "keras_front reader":
            thread.join(5)


def test_the_thread_sees_the_active_backend():
    with discovery.use_backend("numpy") as engine:
        assert list(prefetched(discovery.active() for _ in range(2))) == [engine, engine]


@pytest.mark.parametrize(("making", "using", "threads"), [(2e-3, 2e-3, 2), (0, 2e-3, 1), (2e-3, 0, 1)])
def test_a_thread_begins_only_where_it_pays(monkeypatch, making, using, threads):
    clock = [0.0]
    monkeypatch.setattr(prefetch, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def items():
        for _ in range(10):
            clock[0] += making
            yield threading.get_ident()

    found = set()
    for item in prefetched_where_it_pays(items()):
        clock[0] += using
        found.add(item)
    assert len(found) == threads
