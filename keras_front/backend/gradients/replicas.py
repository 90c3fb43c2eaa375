"""The gradient rule of what processes that share a batch tell each other."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops.arrangement import strided_slice
from keras_front.backend.ops.elementwise import multiply
from keras_front.backend.ops.replicas import replica_mean


@gradient_of("replica_gather")
def replica_gather_vjp(g: Any, out: Any, x: Any, shares: int = 1, rank: int = 0) -> Any:
    (average,) = replica_mean([g], shares=shares)  # each process has a loss of its own: their sum counts
    rows, rest = x.shape[0], (None,) * (len(x.shape) - 1)
    own = strided_slice(average, (rows * rank, *rest), (rows * (rank + 1), *rest), (1,) * len(x.shape))
    return (multiply(own, float(shares)),)
