"""Single layers beside the engine's own: part of `make bench`.

    python benchmarks/layers.py --quick
    python benchmarks/layers.py --layers lstm,attention --engines torch --rounds 5

A model of one layer, and a mean over its positions so that the loss costs nothing, is trained (SGD) and run forward
against the same in the engine: `torch.nn`, functions of `jax.lax`, ops of `tf.nn` (`layers_by_hand/`). NumPy has no
layers; it is held against torch's on the same core. The method is that of `run.py`: fresh processes pinned to one core,
CPU time, the sides in turn, medians.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measure import enough, per_step
from run import BY_HAND, ENGINES, marked, plain, speed, table, typical
from side_by_side import Found, command_line, in_turn

HERE = Path(__file__).resolve().parent
BATCHES = 4
OPPONENTS = [e for e in ENGINES if e == "numpy" or (HERE / "layers_by_hand" / f"{e}.py").exists()]


@dataclass(frozen=True)
class Case:
    """`layer(k)` makes the layer; `shape` is that of a batch."""

    layer: Callable[[Any], Any]
    shape: tuple[int, ...]
    masked: bool = False


SEQUENCES, IMAGES = (32, 40, 64), (32, 16, 16, 32)
CASES = {
    "lstm": Case(lambda k: k.LSTM(64, return_sequences=True), SEQUENCES),
    "gru": Case(lambda k: k.GRU(64, return_sequences=True, reset_after=True), SEQUENCES),
    "bilstm_masked": Case(lambda k: k.Bidirectional(k.LSTM(64, return_sequences=True)), SEQUENCES, masked=True),
    "convlstm": Case(lambda k: k.ConvLSTM2D(8, 3, padding="same"), (8, 6, 16, 16, 8)),
    "batch_norm": Case(lambda k: k.BatchNormalization(), (32, 32, 32, 16)),
    "separable": Case(lambda k: k.SeparableConv2D(64, 3, padding="same"), IMAGES),
    "transposed": Case(lambda k: k.Conv2DTranspose(16, 3, strides=2, padding="same"), IMAGES),
    "attention": Case(lambda k: k.MultiHeadAttention(4, 16), (32, 64, 64)),
}


class OfLayers:
    """The loop of keras_front, with the calls of those by hand."""

    def __init__(self, engine: str, name: str):
        os.environ["KERAS_FRONT_BACKEND"] = engine
        import keras_front

        k, case = keras_front.layers, CASES[name]
        x = k.Input(shape=case.shape[1:])
        y = k.Masking()(x) if case.masked else x
        layer = case.layer(k)
        y = layer(y, y) if name == "attention" else layer(y)
        axes = tuple(range(1, len(y.shape) - 1))
        self.model = keras_front.models.Model(x, k.Lambda(lambda t: keras_front.backend.mean(t, axis=axes))(y))
        self.model.compile(loss="mse", optimizer="sgd")

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> float:
        return self.model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0).history["loss"][-1]

    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        return self.model.predict(x, batch_size=batch_size)


def inputs(case: Case) -> np.ndarray:
    draw = np.random.default_rng(5)
    x = draw.standard_normal((BATCHES * case.shape[0], *case.shape[1:]), dtype="float32")
    if case.masked:  # lengths from a half to all of the steps
        lengths = draw.integers(case.shape[1] // 2, case.shape[1] + 1, len(x))
        x[np.arange(case.shape[1]) >= lengths[:, None]] = 0
    return x


def measured(side: str, name: str, quick: bool) -> Found:
    """Microseconds of CPU for a training step and for a batch forward."""
    frontend, engine = side.split(":")
    case, least = CASES[name], 0.5 if quick else 1.5
    if frontend == "by_hand":
        import layers_by_hand

        loop = layers_by_hand.build(engine, name, case.shape)
    else:
        loop = OfLayers(engine, name)
    x, batch = inputs(case), case.shape[0]
    y = np.random.default_rng(6).standard_normal(loop.predict(x, batch).shape, dtype="float32")
    for _ in range(12):  # what is compiled late is compiled by then
        loss = loop.fit(x, y, batch)
    return {
        "fit": per_step(enough(lambda: loop.fit(x, y, batch), least, 40), BATCHES),
        "predict": per_step(enough(lambda: loop.predict(x, batch), least, 40), BATCHES),
        "loss": round(float(loss), 4),
    }


def row(engine: str, name: str, found: dict[str, list[Found]]) -> list[str]:
    ours, limits = found["keras_front"], found["by_hand"]
    cells = [marked(speed(ours, limits, key), BY_HAND) for key in ("fit", "predict")]
    times = [f"{plain(typical(ours, key))} / {plain(typical(limits, key))}" for key in ("fit", "predict")]
    return [name, engine, *cells, *times]


def main() -> None:
    arguments = command_line(__doc__, "layers", CASES, OPPONENTS, measured)
    rows, started = [], time.time()
    for name in arguments.cases.split(","):
        for engine in arguments.engines.split(","):
            rows.append(row(engine, name, in_turn(engine, name, arguments)))
            print(f"{time.time() - started:5.0f} s: {name} on {engine}", file=sys.stderr, flush=True)
    print(f"\nLayers against the engine's own; NumPy against torch's (* below {BY_HAND}):\n")
    print(table(["layer", "backend", "train", "forward", "train us, own", "forward us, own"], rows))
    print(f"{time.time() - started:.0f} s; every figure is in {arguments.out}")


if __name__ == "__main__":
    main()
