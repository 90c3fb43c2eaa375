"""Sequences and the enqueuers that run ahead of the loop."""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest

from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.utils import data_utils
from keras_front.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, PyDataset, Sequence


class Numbers(Sequence):
    def __init__(self, n=5, fail_at=None):
        self.n, self.fail_at, self.passes = n, fail_at, 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index == self.fail_at:
            raise KeyError("no such file")
        time.sleep(0.002 * (self.n - index))  # later ones are ready earlier
        return index + 100 * self.passes

    def on_epoch_end(self):
        self.passes += 1


def workers_of(enqueuer):
    return enqueuer._thread is not None and enqueuer._thread.is_alive()


def test_a_sequence_is_iterated_once():
    assert list(Numbers()) == [0, 1, 2, 3, 4]


def test_an_unfinished_sequence_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="needs a method __len__"):
        len(Sequence())


@pytest.mark.parametrize("processes", [False, True])
def test_order_is_kept_and_on_epoch_end_is_called(processes):
    enqueuer = OrderedEnqueuer(Numbers(), use_multiprocessing=processes)
    enqueuer.start(workers=3, max_queue_size=4)
    got = list(itertools.islice(enqueuer.get(), 12))
    enqueuer.stop()
    assert got == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104, 200, 201]
    assert not enqueuer.is_running()


def test_shuffled_passes_hold_every_batch_once():
    with OrderedEnqueuer(Numbers(20), shuffle=True) as enqueuer:
        enqueuer.start(workers=2)
        got = list(itertools.islice(enqueuer.get(), 20))
    assert got != list(range(20))
    assert sorted(got) == list(range(20))


@pytest.mark.parametrize("processes", [False, True])
def test_what_the_data_raises_reaches_the_caller_and_ends_the_workers(processes):
    enqueuer = OrderedEnqueuer(Numbers(fail_at=2), use_multiprocessing=processes)
    enqueuer.start(workers=2)
    batches = enqueuer.get()
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(KeyError, match="no such file"):
        next(batches)
    assert not enqueuer.is_running()
    assert not workers_of(enqueuer)


@pytest.mark.parametrize("processes", [False, True])
def test_a_generator_keeps_its_order_and_may_end(processes):
    enqueuer = GeneratorEnqueuer((i * i for i in range(5)), use_multiprocessing=processes)
    enqueuer.start()
    assert list(enqueuer.get()) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("processes", [False, True])
def test_a_generator_that_fails(processes):
    def broken():
        yield 1
        raise ValueError("bad row")

    enqueuer = GeneratorEnqueuer(broken(), use_multiprocessing=processes)
    enqueuer.start()
    batches = enqueuer.get()
    assert next(batches) == 1
    with pytest.raises(ValueError, match="bad row"):
        next(batches)


def test_a_generator_in_several_processes_is_warned_of():
    enqueuer = GeneratorEnqueuer(iter([1]), use_multiprocessing=True)
    with pytest.warns(UserWarning, match="one process draws from it"):
        enqueuer.start(workers=2)
    enqueuer.stop()


def test_stopping_early_leaves_no_thread():
    before = threading.active_count()
    enqueuer = GeneratorEnqueuer(itertools.count())
    enqueuer.start(workers=1, max_queue_size=2)
    assert next(enqueuer.get()) == 0
    enqueuer.stop()
    assert threading.active_count() <= before


class Batches(PyDataset):
    """Three batches, which say in which threads they were made, and how passes begin and end."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.threads, self.begun, self.ended = set(), 0, 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.01)
        return np.ones((4, 2), "float32"), np.ones((4, 1), "float32")

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.parametrize("workers", [1, 3])
def test_a_pydataset_says_how_it_is_prepared(workers):
    model = Sequential([Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    data = Batches(workers=workers)
    assert data.num_batches == 3
    model.fit(data, epochs=2, verbose=0)
    assert (data.begun, data.ended) == (2, 2)
    workers_seen = {name.rpartition("_")[2] for name in data.threads}  # each pass has a pool of its own
    assert (len(workers_seen) > 1) == (workers > 1)


def test_what_keras2_shared_with_workers():
    data_utils.init_pool({3: Numbers(5)})
    assert data_utils.get_index(3, 4) == 4
    data_utils.init_pool_generator({0: iter([7, 8])}, random_seed=5)
    assert [data_utils.next_sample(0), data_utils.next_sample(0)] == [7, 8]
