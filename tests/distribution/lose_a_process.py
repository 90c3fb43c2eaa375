"""`lose_a_process.py BACKEND (killed | silent)`: process 1 is killed, or says no more, while two train together.

The other one has to end with an error that names it; prints `named after S seconds`, and ends with 1 if it does not.
"""

from __future__ import annotations

import os
import signal
import sys
import time

NUMBER = "KERAS_DISTRIBUTION_PROCESS_ID"
SECONDS = 8  # that a process may be silent


def main(backend: str, how: str) -> int:
    import numpy as np

    import keras_front
    from keras_front import callbacks, distribution, layers, models
    from keras_front.errors import DistributionError

    keras_front.set_backend(backend)
    distribution.initialize()
    distribution.set_distribution(distribution.DataParallel())
    model = models.Sequential([layers.Dense(3, input_shape=(4,))])
    model.compile("sgd", "mse")

    def lose(batch: int, logs: object) -> None:
        if os.environ[NUMBER] == "1" and batch == 3:
            os.kill(os.getpid(), signal.SIGKILL if how == "killed" else signal.SIGSTOP)

    started = time.monotonic()
    try:
        x, y = np.ones((32, 4)), np.ones((32, 3))
        model.fit(x, y, batch_size=4, verbose=0, callbacks=[callbacks.LambdaCallback(on_batch_end=lose)])
    except DistributionError as error:
        named = "Lost process 1 of 2" in str(error)
        print(
            f"{error}\n{'named' if named else 'NOT NAMED'} after {time.monotonic() - started:.1f} seconds", flush=True
        )
        os._exit(not named)  # without waiting for threads that wait for the other
    return 1


def launch(arguments: list[str]) -> int:
    import subprocess

    from keras_front.backend import launching

    addresses = ",".join(f"127.0.0.1:{port}" for port in launching.free_ports(2))
    shared = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": addresses,
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
        "KERAS_FRONT_DISTRIBUTION_TIMEOUT": str(SECONDS),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    words = [sys.executable, __file__, *arguments]
    children = [subprocess.Popen(words, env={**os.environ, **shared, NUMBER: str(rank)}) for rank in (0, 1)]
    try:
        return children[0].wait(timeout=120)
    finally:
        for child in children:
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if NUMBER in os.environ else launch(sys.argv[1:]))
