"""Many tiny models, one after another: what a new model costs where equal ones were trained before.

    python benchmarks/many_models.py                    1,000 on every backend
    python benchmarks/many_models.py --models 100 --engines numpy

Each is built, compiled, trained for one epoch of two batches and asked for a prediction, as in a search or a loop over
folds. CPU milliseconds of a model on one core, medians of the first and the last tenth; by themselves, the first model,
for which engines compile. Equal models share what JAX and TensorFlow compiled, so only the first should wait for it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time

from measure import MARK, in_process, last_core, pin


def trained(x: object, y: object) -> float:
    """CPU milliseconds of one model."""
    from keras_front.layers import Dense
    from keras_front.models import Sequential

    started = time.process_time()
    model = Sequential([Dense(8, activation="relu", input_shape=(8,)), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    model.predict(x[:5])  # type: ignore[index]
    return (time.process_time() - started) * 1e3


def measured(engine: str, models: int) -> dict[str, float]:
    os.environ["KERAS_FRONT_BACKEND"] = engine
    import numpy as np

    x = np.random.default_rng(0).standard_normal((64, 8), dtype="float32")
    y = (x.sum(1) > 0).astype("float32")
    first, rest = trained(x, y), [trained(x, y) for _ in range(models - 1)]
    tenth = max(1, models // 10)
    return {"first": first, "early": statistics.median(rest[:tenth]), "late": statistics.median(rest[-tenth:])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="numpy,torch,jax,tensorflow")
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        pin(last_core())
        print(MARK + json.dumps(measured(given.one, given.models)), flush=True)
        os._exit(0)
    print("| | first model, ms | first tenth | last tenth |\n|---|---|---|---|")
    for engine in given.engines.split(","):
        found = in_process([sys.executable, __file__, "--one", engine, "--models", str(given.models)])
        cells = [found["error"]] if "error" in found else [f"{found[key]:.1f}" for key in ("first", "early", "late")]
        print(f"| {engine} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
