"""Several threads on one model: no update is lost, and who reads meanwhile gets the weights of some whole step."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import counting
import numpy as np

from keras_front import backend as K
from keras_front import models

LIMIT = 60
STEPS = 60  # of each thread that trains
REPEATS = 4


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Every pair of what threads do, some times."""
    model = counting.counting_model()
    for ways in (("train_on_batch", "train_on_batch"), ("fit", "fit"), ("fit", "train_on_batch")):
        for number in range(REPEATS):
            yield " and ".join(ways), str(number), functools.partial(check_training, model, ways)
    for way in TRAINING:
        for reader in READING:
            for number in range(REPEATS):
                yield f"{way} and {reader}", str(number), functools.partial(check_reading, model, way, reader, folder)
    for number in range(REPEATS):
        yield "evaluate and predict", str(number), functools.partial(check_readers, model)
    yield "train on two backends", "1", functools.partial(check_two_backends, model)


def zero(model: Any) -> None:
    """Let the weights count from 0 again."""
    model.set_weights([np.zeros(w.shape, "float32") for w in model.weights])
    model.optimizer.iterations.set(0)


def together(*works: Callable[[], Any]) -> None:
    """Do these in threads of their own; the first error of any of them is raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def on_batches(model: Any) -> None:
    """Steps one by one."""
    for _ in range(STEPS):
        model.train_on_batch(counting.X, counting.Y)


def in_fit(model: Any) -> None:
    """As many steps in `fit`."""
    data = np.tile(counting.X, (10, 1)), np.tile(counting.Y, (10, 1))
    for _ in range(2):
        model.fit(*data, batch_size=4, epochs=STEPS // 20, verbose=0)


TRAINING: dict[str, Callable[[Any], None]] = {"train_on_batch": on_batches, "fit": in_fit}


def check_training(model: Any, ways: tuple[str, ...]) -> None:
    """No step of any thread is lost."""
    zero(model)
    together(*(functools.partial(TRAINING[way], model) for way in ways))
    assert counting.steps_of(model) == STEPS * len(ways), f"{counting.steps_of(model)} of {STEPS * len(ways)} steps"


def _predict(model: Any, folder: Path) -> None:
    counting.steps_behind(model.predict(counting.X[:1]))


def _predict_many(model: Any, folder: Path) -> None:
    counting.steps_behind(model.predict(np.ones((200, counting.INPUTS), "float32"), batch_size=8))


def _evaluate(model: Any, folder: Path) -> None:
    rows = np.ones((64, counting.INPUTS), "float32"), np.zeros((64, counting.OUTPUTS), "float32")
    counting.steps_behind(-np.atleast_1d(model.evaluate(*rows, batch_size=8, verbose=0))[:1])


def _get_weights(model: Any, folder: Path) -> None:
    counting.steps_in(model.get_weights())


def _save(model: Any, folder: Path) -> None:
    path = folder / f"{threading.get_ident()}.weights.h5"
    model.save_weights(str(path))
    twin = counting.counting_model(built=False)
    twin.load_weights(str(path))
    counting.steps_in(twin.get_weights())


def _function(model: Any, folder: Path) -> None:
    counting.steps_behind(K.function(model.inputs, model.outputs)([counting.X])[0])


def _copy(model: Any, folder: Path) -> None:
    twin = models.clone_model(model)
    twin.set_weights(model.get_weights())
    counting.steps_in(twin.get_weights())


READING: dict[str, Callable[[Any, Path], None]] = {
    "predict": _predict, "predict in batches": _predict_many, "evaluate": _evaluate, "get_weights": _get_weights,
    "save": _save, "K.function": _function, "clone": _copy,
}  # fmt: skip


def check_reading(model: Any, way: str, reader: str, folder: Path) -> None:
    """One thread trains while another reads until it is through; every reading is of a whole step."""
    zero(model)
    done = threading.Event()

    def train() -> None:
        try:
            TRAINING[way](model)
        finally:
            done.set()

    def read() -> None:
        READING[reader](model, folder)
        while not done.is_set():
            READING[reader](model, folder)

    together(train, read)
    assert counting.steps_of(model) == STEPS


def check_readers(model: Any) -> None:
    """Neither evaluating nor predicting disturbs the other."""
    model.set_weights([np.full(w.shape, 3.0, "float32") for w in model.weights])

    def evaluate() -> None:
        for _ in range(10):
            _evaluate(model, Path())

    def predict() -> None:
        for _ in range(10):
            _predict_many(model, Path())

    together(evaluate, predict, evaluate)
    assert counting.steps_in(model.get_weights()) == 3


def check_two_backends(model: Any) -> None:
    """A thread that predicts on NumPy while another trains elsewhere loses nothing."""
    zero(model)

    def read() -> None:
        with K.use_backend("numpy"):
            for _ in range(10):
                _predict(model, Path())

    together(functools.partial(in_fit, model), read)
    assert counting.steps_of(model) == STEPS
