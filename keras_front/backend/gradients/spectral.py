"""Gradient rules of Fourier transforms: of each the adjoint, which is the other one but for its scale."""

from __future__ import annotations

from typing import Any

from keras_front.backend.gradients.table import gradient_of
from keras_front.backend.ops.elementwise import multiply
from keras_front.backend.ops.spectral import fft, ifft


@gradient_of("fft")
def fft_vjp(gs: Any, out: Any, real: Any, imag: Any, axis: int = -1) -> Any:
    return tuple(multiply(part, float(real.shape[axis])) for part in ifft(*gs, axis=axis))


@gradient_of("ifft")
def ifft_vjp(gs: Any, out: Any, real: Any, imag: Any, axis: int = -1) -> Any:
    return tuple(multiply(part, 1 / real.shape[axis]) for part in fft(*gs, axis=axis))
