"""Training programs beside loops by hand: part of `make bench`.

    python benchmarks/programs.py --quick
    python benchmarks/programs.py --programs gan,seq2seq --engines torch,jax --rounds 5

What `run.py` cannot say with one input and one output: translation with attention (`seq2seq`), a step of a GAN (`gan`),
wide and deep with three inputs (`wide_deep`), data from a `DataLoader` (`loader`) and from a generator (`generator`);
and two large nets in sizes for a CPU, `resnet50` for images of 64 by 64 and `transformer`, four blocks 128 wide.
Beside each stands the same in the engine (`programs_by_hand/`). NumPy is held against torch's on the same core. The
method is that of `run.py`: fresh processes pinned to one core, CPU time, the sides in turn, medians.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpu_nets
import numpy as np
from measure import enough, per_step
from programs_by_hand import BATCH, NAMES, NETS, OF_NETS, Arrays, data_of
from run import BY_HAND, marked, plain, speed, table, typical
from side_by_side import Found, command_line, in_turn

HERE = Path(__file__).resolve().parent
OPPONENTS = ["numpy", *(e for e in ("torch", "jax", "tensorflow") if (HERE / "programs_by_hand" / f"{e}.py").exists())]
Epoch = Callable[[], Any]


# The programs in keras_front -----------------------------------------------------------------------------------


def seq2seq(k: Any, data: Arrays) -> Epoch:
    """Embeddings of 64, LSTMs of 64, attention by products, 1,000 words; the target is fed in (teacher forcing)."""
    layers = k.layers
    source, fed = (layers.Input(shape=(20,), dtype="int32") for _ in range(2))
    states, h, c = layers.LSTM(64, return_sequences=True, return_state=True)(layers.Embedding(1000, 64)(source))
    x = layers.LSTM(64, return_sequences=True)(layers.Embedding(1000, 64)(fed), initial_state=[h, c])
    weights = layers.Activation("softmax")(layers.Dot(axes=(2, 2))([x, states]))
    x = layers.Concatenate()([x, layers.Dot(axes=(2, 1))([weights, states])])
    model = k.models.Model([source, fed], layers.Dense(1000, activation="softmax")(x))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam")
    given, target = list(data[:2]), data[2]
    return lambda: model.fit(given, target, batch_size=BATCH, epochs=1, verbose=0)


def gan(k: Any, data: Arrays) -> Epoch:
    """The classic step: `predict` of noise, `train_on_batch` of the judge, and of both with the judge frozen."""
    layers, models = k.layers, k.models
    maker = models.Sequential(
        [layers.Dense(128, activation="relu", input_shape=(32,)), layers.Dense(784, activation="tanh")]
    )
    judge = models.Sequential(
        [layers.Dense(128, activation="relu", input_shape=(784,)), layers.Dense(1, activation="sigmoid")]
    )
    judge.compile(loss="binary_crossentropy", optimizer="adam")
    judge.trainable = False
    both = models.Sequential([maker, judge])
    both.compile(loss="binary_crossentropy", optimizer="adam")
    real, noise = data
    ones = np.ones((BATCH, 1), "float32")
    labels = np.concatenate([ones, 0 * ones])

    def epoch() -> None:
        for i in range(0, len(real), BATCH):
            z = noise[i : i + BATCH]
            judge.train_on_batch(np.concatenate([real[i : i + BATCH], maker.predict(z, verbose=0)]), labels)
            both.train_on_batch(z, ones)

    return epoch


def wide_deep(k: Any, data: Arrays) -> Epoch:
    """A linear part of 200 features beside two dense layers on embeddings of 8 categories and 16 numbers."""
    layers = k.layers
    wide, categories, numbers = (layers.Input(shape=(n,)) for n in (200, 8, 16))
    x = layers.Flatten()(layers.Embedding(500, 8)(categories))
    x = layers.Dense(64, activation="relu")(layers.Concatenate()([x, numbers]))
    x = layers.Dense(32, activation="relu")(x)
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([wide, x]))
    model = k.models.Model([wide, categories, numbers], output)
    model.compile(loss="binary_crossentropy", optimizer="adam")
    given, target = list(data[:3]), data[3]
    return lambda: model.fit(given, target, batch_size=BATCH, epochs=1, verbose=0)


def _perceptron(k: Any) -> Any:
    layers = k.layers
    model = k.models.Sequential(
        [layers.Dense(128, activation="relu", input_shape=(784,)), layers.Dense(10, activation="softmax")]
    )
    model.compile(loss="categorical_crossentropy", optimizer="sgd")
    return model


def loader(k: Any, data: Arrays) -> Epoch:
    """`fit` of a torch `DataLoader` that shuffles, without workers."""
    import torch

    model = _perceptron(k)
    batches = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*map(torch.from_numpy, data)), batch_size=BATCH, shuffle=True
    )
    return lambda: model.fit(batches, epochs=1, verbose=0)


def generator(k: Any, data: Arrays) -> Epoch:
    """`fit` of a generator that slices arrays."""
    model, (x, y) = _perceptron(k), data

    def batches() -> Iterator[Arrays]:
        while True:
            for i in range(0, len(x), BATCH):
                yield x[i : i + BATCH], y[i : i + BATCH]

    endless = batches()
    return lambda: model.fit(endless, steps_per_epoch=len(x) // BATCH, epochs=1, verbose=0)


def large(name: str) -> Callable[[Any, Arrays], Epoch]:
    """`fit` of one of the nets of `gpu_nets`."""

    def program(k: Any, data: Arrays) -> Epoch:
        model, (x, y) = gpu_nets.NETS[name].build(k, False, **NETS[name]), data
        return lambda: model.fit(x, y, batch_size=OF_NETS, epochs=1, verbose=0)

    return program


PROGRAMS = {f.__name__: f for f in (seq2seq, gan, wide_deep, loader, generator)} | {name: large(name) for name in NETS}


# Measuring -----------------------------------------------------------------------------------------------------


def measured(side: str, name: str, quick: bool) -> dict[str, float]:
    """Microseconds of CPU for a step."""
    frontend, engine = side.split(":")
    steps, warm = (2, 2) if name in NETS else (8 if quick else 16, 6)
    data = data_of(name, steps)
    if frontend == "by_hand":
        import programs_by_hand

        epoch = programs_by_hand.build(engine, name, data)
    else:
        os.environ["KERAS_FRONT_BACKEND"] = engine
        import keras_front

        epoch = PROGRAMS[name](keras_front, data)
    for _ in range(warm):  # what is compiled late is compiled by then
        epoch()
    return {"step": per_step(enough(epoch, 0.6 if quick else 2.0, 30), steps)}


def row(engine: str, name: str, found: dict[str, list[Found]]) -> list[str]:
    ours, limits = found["keras_front"], found["by_hand"]
    ratio = marked(speed(ours, limits, "step"), BY_HAND)
    return [name, engine, ratio, plain(typical(ours, "step")), plain(typical(limits, "step"))]


def main() -> None:
    arguments = command_line(__doc__, "programs", NAMES, OPPONENTS, measured)
    names, engines = arguments.cases.split(","), arguments.engines.split(",")
    rows = [row(engine, name, in_turn(engine, name, arguments)) for name in names for engine in engines]
    print(f"\nPrograms against loops by hand; NumPy against torch's (* below {BY_HAND}):\n")
    print(table(["program", "backend", "speed", "us a step", "by hand"], rows))


if __name__ == "__main__":
    main()
