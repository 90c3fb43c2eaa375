"""Ctrl-C and errors at any moment: the model is the one before the step or the one after it, and trains on."""

from __future__ import annotations

import _thread
import functools
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import counting
import numpy as np

from keras_front import callbacks as C

LIMIT = 60
TRIES = 40


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Interrupts at random moments, each way of training forty times; then errors in code of the user's."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a runner in the background ignores Ctrl-C
    model, generator = counting.counting_model(), random.Random(0)
    model.fit(*many(), batch_size=4, epochs=2, verbose=0)
    counting_from_zero(model)
    for what, train in WAYS.items():
        for by, interrupted in (("Ctrl-C", by_ctrl_c), ("a signal's handler", by_handler)):
            for number in range(TRIES):
                wait = generator.uniform(0.0, 0.02)
                yield f"{by} in {what}", str(number), functools.partial(check, model, train, interrupted, wait)
    for where in ERRORS:
        yield "errors of the user's code in fit", where, functools.partial(check_error, model, where)


def many() -> tuple[np.ndarray, np.ndarray]:
    """Data of a long epoch."""
    return np.tile(counting.X, (500, 1)), np.tile(counting.Y, (500, 1))


def counting_from_zero(model: Any) -> None:
    """Set the weights and the counter back."""
    model.set_weights([np.zeros(w.shape, "float32") for w in model.weights])
    model.optimizer.iterations.set(0)


# Ways to train ---------------------------------------------------------------------------------------


def on_batches(model: Any) -> None:
    """A loop of the user's."""
    while True:
        model.train_on_batch(counting.X, counting.Y)


def in_fit(model: Any) -> None:
    """Epochs without end."""
    model.fit(*many(), batch_size=4, epochs=1 << 30, verbose=0)


def in_fit_with_hooks(model: Any) -> None:
    """Epochs with a callback around every batch."""
    model.fit(
        *many(), batch_size=4, epochs=1 << 30, verbose=0, callbacks=[C.LambdaCallback(on_batch_end=lambda *a: None)]
    )


WAYS = {"train_on_batch": on_batches, "fit": in_fit, "fit with batch hooks": in_fit_with_hooks}


# Ways to be interrupted ------------------------------------------------------------------------------


def by_ctrl_c(wait: float, work: Callable[[], None]) -> None:
    """SIGINT after some seconds, as another thread sends it."""
    timer = threading.Timer(wait, _thread.interrupt_main)
    try:
        timer.start()
        work()
    except KeyboardInterrupt:
        return
    finally:
        timer.join()
    raise AssertionError("was not interrupted")


class TooLongError(Exception):
    """What a handler of the user's raises."""


def by_handler(wait: float, work: Callable[[], None]) -> None:
    """SIGALRM after some seconds, with a handler that raises, as programs have it that limit a call's time."""

    def handler(number: int, frame: Any) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(wait, 1e-4))
        work()
    except TooLongError:
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    raise AssertionError("was not interrupted")


# What must hold --------------------------------------------------------------------------------------


def check(model: Any, train: Callable[[Any], None], interrupted: Any, wait: float) -> None:
    """Interrupt it; then the weights are whole, no fewer than before, and it trains on."""
    counting_from_zero(model)
    before, began = counting.steps_of(model), time.monotonic()
    interrupted(wait, lambda: train(model))
    assert time.monotonic() - began < wait + 5.0, "the interrupt came late"
    steps = counting.steps_of(model)
    assert steps >= before
    model.train_on_batch(counting.X, counting.Y)
    assert counting.steps_of(model) == steps + 1


def check_error(model: Any, where: str) -> None:
    """An error in code of the user's during the third batch of `fit`: two or three steps are kept, and it trains on."""
    counting_from_zero(model)
    before = counting.steps_of(model)
    try:
        ERRORS[where](model)
    except ZeroDivisionError:
        pass
    else:
        raise AssertionError("the error did not come out")
    assert counting.steps_of(model) - before in (2, 3), "steps were lost"
    model.fit(counting.X, counting.Y, epochs=1, verbose=0)


def _fail_at(third: int) -> Callable[..., None]:
    seen = iter(range(third))

    def fail(*_: Any) -> None:
        if next(seen, None) is None:
            raise ZeroDivisionError("on purpose")

    return fail


def _hook(name: str) -> Callable[[Any], None]:
    def train(model: Any) -> None:
        hooks = C.LambdaCallback(**{name: _fail_at(2)})
        model.fit(*many(), batch_size=4, epochs=1, verbose=0, callbacks=[hooks])

    return train


def _generator(model: Any) -> None:
    def batches() -> Iterator[Any]:
        for _ in range(2):
            yield counting.X, counting.Y
        raise ZeroDivisionError("on purpose")

    model.fit(batches(), steps_per_epoch=5, epochs=1, verbose=0)


ERRORS = {"on_batch_begin": _hook("on_batch_begin"), "on_batch_end": _hook("on_batch_end"), "generator": _generator}
