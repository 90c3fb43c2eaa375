"""`run_on_mesh.py [CASE ...]`: cases on JAX with eight devices made of one CPU, and in several processes, against one.

Prints a line for each case and distribution, and ends with 1 if any of them differs by more than 1e-10. In several
processes (see `keras_front.distribution.initialize`) each has its share of the devices, and compares by itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DEVICES = 8 // int(os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES", 1))
os.environ["XLA_FLAGS"] = (
    f"--xla_force_host_platform_device_count={DEVICES} --xla_backend_optimization_level=0 "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)
sys.path.insert(0, str(Path(__file__).parent))

import keras_front  # noqa: E402
from keras_front import config  # noqa: E402
from keras_front import distribution as dist  # noqa: E402

TOLERANCE = 1e-10


def main(wanted: list[str]) -> int:
    keras_front.set_backend("jax")
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        dist.initialize()
    config.set_floatx("float64")
    import mesh_cases as cases

    failed = 0
    for name in cases.CASES:
        if wanted and name not in wanted:
            continue
        alone = cases.run(name)
        for title, make in cases.DISTRIBUTIONS.items():
            if title.startswith(cases.NOT_FOR.get(name, "nothing")):
                continue
            with make().scope():
                found = cases.difference(cases.run(name), alone)
            failed += found > TOLERANCE
            print(f"{'equal' if found <= TOLERANCE else 'DIFFERS'} {found:.1e}  {name}, {title}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
