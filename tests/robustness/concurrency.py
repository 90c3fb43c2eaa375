"""Concurrency: models and backends in many threads, asyncio, signals, workers that die, and threads at the end."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import counting
import numpy as np
from threads import together, zero

from keras_front import backend as K
from keras_front import layers, models

LIMIT = 90
X = np.random.default_rng(0).random((64, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)

PREPARED = """
import os, signal, sys, threading, time
import numpy as np
from keras_front import callbacks, layers, models, utils
X = np.ones((64, 4), "float32")
model = models.Sequential([layers.Dense(1, input_shape=(4,))])
model.compile("sgd", "mse")
class Batches(utils.Sequence):
    def __len__(self): return 200
    def __getitem__(self, i):
        time.sleep(0.01)
        return X[:4], X[:4, :1]
"""

ENDS: dict[str, tuple[str, str, int | None]] = {  # a program, what it must print, its status
    "a daemon thread that trains": (
        "def go():\n    while True: model.train_on_batch(X, X[:, :1])\n"
        "model.predict(X)\nthreading.Thread(target=go, daemon=True).start(); time.sleep(0.5); print('end')",
        "end", None,  # torch aborts then, also where a loop by hand trains in such a thread
    ),
    "Ctrl-C in fit": (
        "model.train_on_batch(X, X[:, :1])\n"  # loads the engine, whose import is not to be broken off
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try: model.fit(X, X[:, :1], epochs=10**7, verbose=0)\n"
        "except KeyboardInterrupt: print(model.predict(X).shape, 'interrupted')",
        "(64, 1) interrupted", 0,
    ),
    "Ctrl-C while threads load batches": (
        "model.train_on_batch(X, X[:, :1])\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try: model.fit(Batches(), epochs=1000, workers=3, verbose=0)\n"
        "except KeyboardInterrupt: print(model.predict(X).shape, 'interrupted')",
        "(64, 1) interrupted", 0,
    ),
    "Ctrl-C while a model is saved": (
        "model.save('m.h5')\n"
        "threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    while True: model.save('m.h5')\n"
        "except KeyboardInterrupt: print(models.load_model('m.h5').predict(X).shape, os.listdir('.'))",
        "(64, 1) ['m.h5']", 0,
    ),
    "a worker that ends": (
        "class Dying(Batches):\n    def __getitem__(self, i):\n        os._exit(3)\n"
        "if __name__ == '__main__':\n"
        "    try: model.fit(Dying(), workers=2, use_multiprocessing=True, verbose=0)\n"
        "    except Exception as error: print(type(error).__name__, model.predict(X).shape)",
        "(64, 1)", 0,
    ),
}  # fmt: skip


def trials(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Ends of programs first, which need no engine here; then threads in this process."""
    for name, (program, said, code) in ENDS.items():
        yield "how programs end", name, functools.partial(check_end, folder, program, said, code)
    yield "many models at once", "one each in 4 threads", many_models
    yield "many models at once", "two backends in turn", backends_in_threads
    yield "asyncio", "predict in an executor", executor
    yield "asyncio", "tasks that keep their backend", tasks
    model = counting.counting_model()
    for name, other in OTHERS.items():
        yield "train and change the model", name, functools.partial(train_and, model, other)


def check_end(folder: Path, program: str, said: str, code: int | None) -> None:
    """A program ends in time, with these words and this status."""
    inside = folder / str(abs(hash(program)))
    inside.mkdir()
    path = inside / "program.py"
    path.write_text(PREPARED + program + "\n")
    work = inside / "work"
    work.mkdir()
    run = subprocess.run([sys.executable, str(path)], cwd=work, capture_output=True, text=True, timeout=60)
    assert code in (None, run.returncode), f"ended with {run.returncode}: {run.stderr[-300:]}"
    assert said in run.stdout, f"said {run.stdout[-200:]!r}, expected {said!r}; {run.stderr[-200:]}"


def trained(seed: int) -> np.ndarray:
    """The weights of a model of its own after some epochs."""
    model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    model.fit(X + seed, Y, epochs=3, batch_size=16, shuffle=False, verbose=0)
    return model.get_weights()[0]


def many_models() -> None:
    """Models in threads become what they become one after the other."""
    alone = [trained(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for got, expected in zip(pool.map(trained, range(4)), alone, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5)


def backends_in_threads() -> None:
    """A backend that one thread chooses is not seen by another."""
    here = K.backend()

    def elsewhere() -> None:
        with K.use_backend("numpy"):
            for _ in range(5):
                assert K.backend() == "numpy"
                trained(0)

    def own() -> None:
        for _ in range(5):
            assert K.backend() == here
            trained(1)

    together(elsewhere, own, elsewhere)


def executor() -> None:
    """What `run_in_executor` computes is what the caller's thread computes."""
    model = counting.counting_model()
    expected = model.predict(counting.X)

    async def ask() -> list[Any]:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(None, model.predict, counting.X) for _ in range(16)))

    for got in asyncio.run(ask()):
        np.testing.assert_array_equal(got, expected)


def tasks() -> None:
    """Tasks that take turns keep the backend that each has chosen."""
    here = K.backend()

    async def one(name: str) -> None:
        with K.use_backend(name):
            for _ in range(5):
                await asyncio.sleep(0)
                assert K.backend() == name
                assert K.to_numpy(K.sum(K.constant([1.0, 2.0]))) == 3

    async def all_of_them() -> None:
        await asyncio.gather(one("numpy"), one(here), one("numpy"))

    asyncio.run(all_of_them())
    assert K.backend() == here


def train_and(model: Any, other: Callable[[Any], None]) -> None:
    """One thread trains, another does something to the model; every step counts."""
    zero(model)
    done = threading.Event()

    def train() -> None:
        try:
            for _ in range(40):
                model.train_on_batch(counting.X, counting.Y)
        finally:
            done.set()

    def disturb() -> None:
        while not done.is_set():
            other(model)
            time.sleep(0.001)

    together(train, disturb)
    assert counting.steps_of(model) == 40, f"{counting.steps_of(model)} of 40 steps"


OTHERS: dict[str, Callable[[Any], None]] = {
    "summary": lambda model: model.summary(print_fn=lambda line: None),
    "to_json": lambda model: model.to_json(),
    "set what it has": lambda model: model.layers[1].get_config(),
    "compile a copy": lambda model: models.clone_model(model).compile("sgd", "mse"),
    "clear_session": lambda model: K.clear_session(),
    "make a predict function": lambda model: model.make_predict_function(),
}

if __name__ == "__main__":
    import tempfile

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for kind, name, trial in trials(Path(tempfile.mkdtemp())):
        began = time.monotonic()
        try:
            trial()
            said = "passes"
        except BaseException as error:
            said = f"{type(error).__name__}: {str(error)[:400]}"
        print(
            f"{os.environ.get('KERAS_FRONT_BACKEND')}, {kind}, {name}: {said} ({time.monotonic() - began:.1f} s)",
            flush=True,
        )
