"""Time to the first result: from starting Python to the end of the first epoch of a small net.

    python benchmarks/first_result.py
    python benchmarks/first_result.py --engines numpy,torch --rounds 9

CPU seconds of fresh processes on one core, the least of some rounds: what else runs only adds. `engine` is what
importing the engine takes by itself; `ours` is the rest, on engines that compile mostly their compiler. Python
keeps compiled files of keras_front after the first round, as it does for everybody (not with PYTHONDONTWRITEBYTECODE).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from measure import MARK, environment, last_core

GOALS = {"numpy": 0.35, "torch": 1.5, "jax": 2.0}  # seconds; TensorFlow: its own import
PROGRAM = """
import json, os, time
os.sched_setaffinity(0, {{{core}}})
import numpy as np
started = time.process_time()
import {engine}
engine = time.process_time() - started if {engine!r} != "numpy" else 0.0
began = time.process_time()
from keras_front.models import Sequential
from keras_front.layers import Dense
imported = time.process_time()
model = Sequential([Dense(32, activation="relu", input_shape=(20,)), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
draw = np.random.default_rng(0)
x = draw.random((1000, 20), dtype="float32")
built = time.process_time()
model.fit(x, (x.sum(1) > 10).astype("float32"), epochs=1, verbose=0)
done = time.process_time()
print({mark!r} + json.dumps(dict(engine=engine, imports=imported - began, build=built - imported, epoch=done - built,
                                total=done)), flush=True)
os._exit(0)
"""


def measured(engine: str) -> dict[str, float]:
    """The parts of one fresh process."""
    text = PROGRAM.format(engine=engine, core=last_core(), mark=MARK)
    env = {key: value for key, value in environment().items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", text], env={**env, "KERAS_FRONT_BACKEND": engine}, capture_output=True, text=True
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise SystemExit(f"{engine}: {done.stderr[-400:]}")
    return json.loads(line.removeprefix(MARK))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="numpy,torch,jax,tensorflow")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("| | total | engine's import | ours: imports | build | first epoch | ours |\n|---|---|---|---|---|---|---|")
    for engine in given.engines.split(","):
        measured(engine)  # Python may have to compile
        best = min((measured(engine) for _ in range(given.rounds)), key=lambda found: found["total"])
        parts = [best[name] for name in ("total", "engine", "imports", "build", "epoch")]
        ours = best["imports"] + best["build"] + best["epoch"]
        late = "*" if best["total"] > GOALS.get(engine, best["engine"]) else ""
        print(f"| {engine} | {parts[0]:.2f}{late} |", *(f"{part:.2f} |" for part in [*parts[1:], ours]), flush=True)


if __name__ == "__main__":
    main()
