"""Batches a second from files, generators and loaders: part of `make bench`.

    python benchmarks/streams.py --quick
    python benchmarks/streams.py --engines torch --megabytes 800

Rows of a file of some hundred megabytes train a small net. Three figures for each source, in turn and several times in
one process: the bare reader, which makes every batch an array in memory and does nothing with it; a loop by hand, which
reads and trains in turn; `fit`, which reads ahead in a thread where that pays. All are batches a second of wall time,
for reading may overlap with the step, and then CPU time a batch by hand and of `fit`, which other programs disturb
less. The best round counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "backends")]

FEATURES, BATCH = 1024, 64
Source = tuple[Callable[[], Iterator[Any]], Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]]


def files(folder: Path, megabytes: int) -> tuple[Any, Any, np.ndarray]:
    """A memory map, a data set in an HDF5 file with chunks of a batch, and targets."""
    rows = megabytes * 2**20 // (4 * FEATURES) // BATCH * BATCH
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", "float32", (rows, FEATURES))
    file = h5py.File(folder / "x.h5", "w")
    chunked = file.create_dataset("x", (rows, FEATURES), "float32", chunks=(BATCH, FEATURES))
    generator = np.random.default_rng(0)
    for start in range(0, rows, 4096):
        x[start : start + 4096] = generator.normal(size=x[start : start + 4096].shape)
        chunked[start : start + 4096] = x[start : start + 4096]
    x.flush()
    return np.load(folder / "x.npy", mmap_mode="r"), chunked, generator.normal(size=(rows, 1)).astype("float32")


def in_order(x: Any, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(y), BATCH):
        yield np.array(x[start : start + BATCH]), y[start : start + BATCH]


def waiting(x: Any, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A reader that waits for each batch, as for a disk or a network."""
    for batch in in_order(x, y):
        time.sleep(1e-3)
        yield batch


def shuffled(x: Any, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.random.default_rng(0).permutation(len(y)).reshape(-1, BATCH)
    for rows in np.sort(order, axis=1):
        yield np.array(x[rows]), y[rows]


def sources(mapped: Any, chunked: Any, y: np.ndarray) -> dict[str, Source]:
    """For each name what reads all batches, and what `fit` is given."""
    found: dict[str, Source] = {
        "memory map": (lambda: in_order(mapped, y), lambda: ((mapped, y), {"shuffle": "batch"})),
        "memory map, shuffled": (lambda: shuffled(mapped, y), lambda: ((mapped, y), {"shuffle": True})),
        "HDF5": (lambda: in_order(chunked, y), lambda: ((chunked, y), {"shuffle": "batch"})),
        "generator": (lambda: in_order(mapped, y), lambda: ((in_order(mapped, y),), {})),
        "generator that waits 1 ms": (lambda: waiting(mapped, y), lambda: ((waiting(mapped, y),), {})),
    }
    try:
        from torch.utils.data import DataLoader, Dataset
    except ImportError:
        return found

    class Rows(Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return len(y)

        def __getitem__(self, row: int) -> Any:
            return np.array(mapped[row]), y[row]

    loader = DataLoader(Rows(), BATCH)
    found["DataLoader"] = (lambda: ((a.numpy(), b.numpy()) for a, b in loader), lambda: ((loader,), {}))
    return found


def a_model(width: int) -> Any:
    from keras_front.layers import Dense
    from keras_front.models import Sequential

    model = Sequential([Dense(width, activation="relu", input_shape=(FEATURES,)), Dense(1)])
    model.compile("sgd", "mse")
    return model


def rates(model: Any, source: Source, batches: int, rounds: int) -> tuple[list[float], list[float]]:
    """Of the bare reader, a loop by hand and `fit`: batches a second, and microseconds of CPU time for one."""
    read, given = source

    def by_hand() -> None:
        for x, y in read():
            model.train_on_batch(x, y)

    def by_fit() -> None:
        data, arguments = given()
        size = {"batch_size": BATCH} if len(data) == 2 else {}
        model.fit(*data, verbose=0, **size, **arguments)

    acts = [lambda: sum(1 for _ in read()), by_hand, by_fit]
    seconds: list[list[float]] = [[], [], []]
    on_cpu: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        for act, wall, cpu in zip(acts, seconds, on_cpu, strict=True):
            started = time.perf_counter(), time.process_time()
            act()
            wall.append(time.perf_counter() - started[0])
            cpu.append(time.process_time() - started[1])
    return [batches / min(wall) for wall in seconds], [min(cpu) / batches * 1e6 for cpu in on_cpu]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="numpy,torch")
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--width", type=int, default=64, help="units of the hidden layer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="40 MB, two rounds")
    options = parser.parse_args()
    megabytes, rounds = (40, 2) if options.quick else (options.megabytes, options.rounds)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from keras_front import backend as K
    from keras_front.training.data import host_arrays

    host_arrays.MAPPED = 0  # also a small map is read in parts
    print("| backend | source | reader | by hand | fit | us by hand | us of fit |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        mapped, chunked, y = files(Path(folder), megabytes)
        for engine in options.engines.split(","):
            with K.use_backend(engine):
                model = a_model(options.width)
                for name, source in sources(mapped, chunked, y).items():
                    found, cpu = rates(model, source, len(y) // BATCH, rounds)
                    figures = [*found, *cpu[1:]]
                    print(f"| {engine} | {name} | {' | '.join(f'{number:.0f}' for number in figures)} |", flush=True)


if __name__ == "__main__":
    main()
