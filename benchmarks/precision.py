"""What mixed precision does to learning: the table of `docs/precision.md`.

    python benchmarks/precision.py
    python benchmarks/precision.py --engines numpy,torch --epochs 4
    python benchmarks/precision.py --net dense           without convolutions, which are slow in 16 bits on a CPU

The convolutional net of `keras-front demo` learns the 1,437 handwritten digits of scikit-learn from the same weights,
in the same order and with the same dropout masks on every backend, once for each policy; its last layer is in float32.
Shown are the loss of the last epoch, the accuracy on the 360 test digits, and the largest distance of the losses of all
epochs from those in float32 on the same backend.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator

from keras_front import mixed_precision
from keras_front.backend import discovery
from keras_front.backend.seeds import set_random_seed
from keras_front.demo import build_model, load_data
from keras_front.layers import BatchNormalization, Dense, Dropout, Flatten
from keras_front.models import Sequential

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
HEAD = "| Backend | Policy | Loss | Accuracy on test digits | Distance of losses |\n|---|---|---|---|---|"


def dense() -> Sequential:
    """Two dense layers with batch normalization and dropout between."""
    rows = [Flatten(input_shape=(8, 8, 1)), Dense(128, activation="relu"), BatchNormalization(), Dropout(0.25)]
    model = Sequential([*rows, Dense(64, activation="relu"), Dense(10, activation="softmax", dtype="float32")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


NETS = {"demo": lambda: build_model(output_dtype="float32"), "dense": dense}


def learned(policy: str, epochs: int, net: str) -> tuple[list[float], float]:
    """The losses of all epochs under a policy, and the accuracy on the test digits."""
    set_random_seed(1337, reproducible=True)
    (x_train, y_train), (x_test, y_test) = load_data()
    mixed_precision.set_global_policy(policy)
    try:
        model = NETS[net]()
    finally:
        mixed_precision.set_global_policy(None)
    losses = model.fit(x_train, y_train, epochs=epochs, batch_size=64, verbose=0).history["loss"]
    return losses, model.evaluate(x_test, y_test, verbose=0)[1]


def rows(engine: str, epochs: int, net: str) -> Iterator[str]:
    """The lines of the table for a backend."""
    with discovery.use_backend(engine) as backend:
        expected: list[float] = []
        for policy in POLICIES:
            if mixed_precision.Policy(policy).compute_dtype in backend.lacks:
                yield f"| {engine} | {policy} | computes in float32 | | |"
                continue
            losses, accuracy = learned(policy, epochs, net)
            expected = expected or losses
            distance = max(abs(a - b) for a, b in zip(losses, expected, strict=True))
            yield f"| {engine} | {policy} | {losses[-1]:.4f} | {accuracy:.4f} | {distance:.4f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="numpy,torch,jax,tensorflow")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--net", choices=NETS, default="demo")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(HEAD)
    for engine in given.engines.split(","):
        for row in rows(engine, given.epochs, given.net):
            print(row, flush=True)


if __name__ == "__main__":
    main()
