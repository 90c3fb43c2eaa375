"""`run_on_mesh.py [--processes N] [CASE ...]`: cases on JAX with eight devices made of one CPU, against one device.

A case is one of `mesh_cases.CASES`, or one with a distribution, such as `plain:data parallel`; by default all are run.
Prints a line for each case and distribution, and ends with 1 if any of them differs by more than 1e-10. With
`--processes 2` two processes have four devices each, and each compares by itself; the lines are those of the first.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

PROCESSES = int(os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES", 1))
os.environ["XLA_FLAGS"] = (
    f"--xla_force_host_platform_device_count={8 // PROCESSES} --xla_backend_optimization_level=0 "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)
sys.path.insert(0, str(Path(__file__).parent))

import keras_front  # noqa: E402
from keras_front import config  # noqa: E402
from keras_front.backend import discovery  # noqa: E402

TOLERANCE = 1e-10


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--processes"]:
        engine: Any = discovery.get("jax")
        return engine.launch_processes([sys.executable, __file__, *arguments[2:]], int(arguments[1]))
    keras_front.set_backend("jax")
    if PROCESSES > 1:
        keras_front.distribution.initialize()
    config.set_floatx("float64")
    import mesh_cases as cases

    pairs = [pair for text in arguments or cases.CASES for pair in _pairs(cases, *text.split(":"))]
    return int(sum(not _is_equal(cases, name, title) for name, title in pairs) > 0)


def _pairs(cases, name: str, *titles: str) -> list[tuple[str, str]]:
    return [(name, title) for title in titles or cases.DISTRIBUTIONS if cases.fits(name, title)]


def _is_equal(cases, name: str, title: str) -> bool:
    found = cases.difference(cases.run(name, title), cases.run(name))
    equal = found <= TOLERANCE
    if os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0") == "0" or not equal:
        print(f"{'equal' if equal else 'DIFFERS'} {found:.1e}  {name}, {title}", flush=True)
    return equal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
