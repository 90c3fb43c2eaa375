"""The limit: each workload as a plain training loop, the best that its engine allows without a frontend.

Nothing here knows keras_front. What every loop does, as `fit` does: shuffle each epoch, cut batches with the
short last one, drop out, step the optimizer, add up loss and accuracy, and read them once an epoch. What an
expert knows is used: losses on logits, fused optimizers, data laid on the device once, gradients and buffers in
place, and on JAX and TensorFlow several short steps in one dispatch.
"""

from __future__ import annotations

import importlib
from typing import Any


def build(engine: str, workload: Any) -> Any:
    """The loop for `workload` in `engine`, with fit, evaluate, predict, train_on_batch; None if there is none."""
    module = importlib.import_module(f"{__name__}.{engine}")
    return module.Loop(workload) if workload.name in module.NETS else None
