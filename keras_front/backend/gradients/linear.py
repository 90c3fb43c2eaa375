"""Gradient rules of products of matrices."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of, transposed
from keras_front.backend.ops.linear import matmul
from keras_front.backend.ops.reduction import sum


@gradient_of("matmul")
def matmul_vjp(g: Any, out: Any, x: Any, y: Any) -> Any:
    return matmul(g, transposed(y)), matmul(transposed(x), g)


@gradient_of("linear")
def linear_vjp(g: Any, out: Any, x: Any, kernel: Any, bias: Any) -> Any:
    return matmul(g, transposed(kernel)), matmul(transposed(x), g), sum(g, axis=0)
