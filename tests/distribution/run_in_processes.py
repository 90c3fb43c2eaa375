"""`run_in_processes.py [-n N] BACKEND [CASE ...]`: cases in several processes, on torch or TensorFlow, against one.

A case is one of `mesh_cases.CASES` or `process_cases.CASES`, or one with `:sharded` behind it, whose optimizer's slots
are divided over the processes; or with `:model`, whose weights are divided (in two; with four processes there are two
replicas); by default all are run, and some of them sharded, and on torch divided. The first process runs each case
alone, then all together. Prints a line for each case, and ends with 1 if any of them differs by more than
1e-10, or if the processes do not hold the same, bit by bit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

TOLERANCE = 1e-10
NUMBER = "KERAS_DISTRIBUTION_PROCESS_ID"


def main(arguments: list[str]) -> int:
    backend, *names = arguments
    import keras_front
    from keras_front import config, distribution

    keras_front.set_backend(backend)
    distribution.initialize()
    config.set_floatx("float64")
    import mesh_cases
    import process_cases

    cases = {**mesh_cases.CASES, **process_cases.CASES}
    names = names or [name for name in cases if name not in process_cases.SKIPPED] + process_cases.SHARDED
    names += process_cases.DIVIDED if not arguments[1:] and backend == "torch" else []
    mesh_cases.BATCH = 12 if distribution.get_device_count() == 3 else 16
    return int(sum([not is_equal(name, cases[name.partition(":")[0]], mesh_cases) for name in names]) > 0)


def is_equal(name: str, case, compare) -> bool:
    import keras_front
    from keras_front import distribution

    first, alone = os.environ[NUMBER] == "0", None
    if first:
        keras_front.set_random_seed(7, reproducible=True)
        alone = numbers(case())
    kind = name.partition(":")[2]
    wanted = (
        compare.tensor_parallel(2) if kind == "model" else distribution.DataParallel(None, None, True, True, kind != "")
    )
    with wanted.scope():
        keras_front.set_random_seed(7, reproducible=True)
        together = numbers(case())
        same = is_everywhere(together)
    found = compare.difference(together, alone) if first else 0.0
    equal = found <= TOLERANCE and same
    if first or not same:
        said = "equal" if equal else "DIFFERS" if same else "PROCESSES DIFFER"
        print(f"{said} {found:.1e}  {name}", flush=True)
    return equal


def numbers(results: dict) -> dict:
    """What a case has found, as one array for each name."""
    import numpy as np

    from keras_front.nest import flatten

    return {
        key: np.concatenate([np.ravel(np.asarray(v, "float64")) for v in flatten(value)] or [[]])
        for key, value in results.items()
    }


def is_everywhere(results: dict) -> bool:
    """Whether all processes have found the same, bit by bit."""
    import numpy as np

    from keras_front.training.steps.replicas import first_of

    mine = np.concatenate(list(results.values()))
    return bool(np.array_equal(first_of([mine])[0], mine))


def launch(arguments: list[str]) -> int:
    from keras_front.backend import launching

    count = int(arguments[1]) if arguments[0] == "-n" else 2
    words = arguments[2:] if arguments[0] == "-n" else arguments
    ports = launching.free_ports(count)
    shared = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": ",".join(f"127.0.0.1:{port}" for port in ports),
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(count),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    own = [{**shared, NUMBER: str(rank)} for rank in range(count)]
    return launching.run([sys.executable, __file__, *words], own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if NUMBER in os.environ else launch(sys.argv[1:]))
