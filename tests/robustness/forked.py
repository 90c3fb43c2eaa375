"""Forks: a child of a process that has used an engine works, or says at once what to do; unseeded children differ."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import counting

from keras_front import backend as K
from keras_front.backend import discovery, seeds
from keras_front.errors import BackendError

SECONDS = 15


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """What a child may try."""
    warnings.filterwarnings("ignore", message=".*fork.*")  # JAX warns of every fork
    model = counting.counting_model()
    works = discovery.active().forks
    for name, work in WORK.items():
        yield "children work, or an error says why not", name, lambda work=work: check(model, work, works)
    yield "children that read weights", "get_weights", lambda: check(model, get_weights, True)
    yield "children that go on with NumPy", "predict", lambda: check(model, on_numpy, True)
    yield "children that draw other numbers", "weights", check_draws


def on_numpy(model: Any) -> None:
    """Take the model of the parent to NumPy."""
    with K.use_backend("numpy"):
        WORK["predict"](model)
        WORK["train_on_batch"](model)


WORK: dict[str, Callable[[Any], Any]] = {
    "predict": lambda model: model.predict(counting.X),
    "train_on_batch": lambda model: model.train_on_batch(counting.X, counting.Y),
    "fit": lambda model: model.fit(counting.X, counting.Y, verbose=0),
    "evaluate": lambda model: model.evaluate(counting.X, counting.Y, verbose=0),
    "a new model": lambda model: counting.counting_model(),
    "an op": lambda model: K.eval(K.ones((600, 600)) @ K.ones((600, 600))),
}


def get_weights(model: Any) -> Any:
    """What needs no engine."""
    return model.get_weights()


def check(model: Any, work: Callable[[Any], Any], works: bool) -> None:
    """Do it in a child: it is done, or ends with the error, in time."""
    status = in_child(lambda: work(model))
    assert status != signal.SIGALRM, "the child hangs"
    assert status == (0 if works else 7), f"the child ended with {status}"


def in_child(work: Callable[[], Any]) -> int:
    """0: done; 7: BackendError; 1: another error; 14: it hung."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        try:
            work()
        except BackendError:
            os._exit(7)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def check_draws() -> None:
    """Two children and their parent draw three seeds."""
    drawn = []
    for _ in range(2):
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.write(write, str(seeds.root_seed()).encode())
            os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        drawn.append(os.read(read, 100).decode())
        os.close(read)
    assert len({*drawn, str(seeds.root_seed())}) == 3, drawn
