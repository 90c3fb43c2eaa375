"""Single layers as their engines have them, each in a training loop: forward, mean squared error, backward, SGD.

Nothing here knows keras_front. A loop has `fit(x, y, batch_size)` and `predict(x, batch_size)`. NumPy has no layers of
its own; there the layer of torch on the same core is what keras_front is compared with.
"""

from __future__ import annotations

import importlib
from typing import Any


def build(engine: str, name: str, shape: tuple[int, ...]) -> Any:
    """The loop for the layer `name` on batches of `shape` in `engine`."""
    module = importlib.import_module(f"{__name__}.{'torch' if engine == 'numpy' else engine}")
    return module.Loop(name, shape)
