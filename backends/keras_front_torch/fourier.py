"""Fourier transforms of torch: in single precision where halves are given, and of no points at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

HALVES = (torch.float16, torch.bfloat16)


def transformed(transform: Callable[..., Any], real: Any, imag: Any, axis: int) -> tuple[Any, Any]:
    """`transform` of complex numbers along an axis: (real, imag) in the dtype of `real`."""
    if not real.numel():  # the library behind it refuses an empty batch
        return torch.zeros_like(real), torch.zeros_like(real)
    dtype = real.dtype
    if dtype in HALVES:
        real, imag = real.float(), imag.float()
    z = transform(torch.complex(real, imag), dim=axis)
    return z.real.to(dtype), z.imag.to(dtype)


def of_real(x: Any, axis: int) -> tuple[Any, Any]:
    """The first half of the transform of real numbers: (real, imag)."""
    if not x.numel() and x.shape[axis]:
        shape = list(x.shape)
        shape[axis] = shape[axis] // 2 + 1
        return x.new_zeros(shape), x.new_zeros(shape)
    z = torch.fft.rfft(x.float() if x.dtype in HALVES else x, dim=axis)
    return z.real.to(x.dtype), z.imag.to(x.dtype)
