"""Convolution, pooling, recurrence and batch normalization: NumPy's programs beside torch on the same core.

Every case is a function of x and weights written once in K and once in torch. The forward pass is a compiled program
against torch without recording; the way back is the gradient of `sum(y * r)` for x and all weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    name: str
    shapes: tuple[Shape, ...]
    in_k: Callable[..., Any]
    in_torch: Callable[..., Any]


def convolution(name: str, x: Shape, kernel: Shape, stride: int = 1) -> Case:
    """Padding 'same', without bias; torch keeps images channels last in memory, as K has them."""

    def in_k(K: Any, x: Any, w: Any) -> Any:
        return K.conv2d(x, w, (stride, stride), "same")

    def in_torch(torch: Any, x: Any, w: Any) -> Any:
        low = [max(k - stride, 0) if n % stride == 0 else max(k - n % stride, 0) for n, k in zip(x.shape[1:3], w.shape)]
        if all(n % 2 == 0 for n in low):
            return torch.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), None, stride, [n // 2 for n in low])
        y, x_, n = low[0], low[1], torch.nn.functional
        padded = n.pad(x.permute(0, 3, 1, 2), (x_ // 2, x_ - x_ // 2, y // 2, y - y // 2))
        return torch.conv2d(padded, w.permute(3, 2, 0, 1), None, stride)

    return Case(name, (x, kernel), in_k, in_torch)


def depthwise(name: str, x: Shape, kernel: Shape) -> Case:
    def in_torch(torch: Any, x: Any, w: Any) -> Any:
        rows, columns, depth, times = w.shape
        kernel = w.reshape(rows, columns, 1, depth * times).permute(3, 2, 0, 1)
        return torch.conv2d(x.permute(0, 3, 1, 2), kernel, None, 1, [rows // 2, columns // 2], 1, depth)

    return Case(name, (x, kernel), lambda K, x, w: K.depthwise_conv2d(x, w, padding="same"), in_torch)


def pooling(name: str, x: Shape, size: int, stride: int, mode: str) -> Case:
    def in_torch(torch: Any, x: Any) -> Any:
        F = torch.nn.functional
        return (F.max_pool2d if mode == "max" else F.avg_pool2d)(x.permute(0, 3, 1, 2), size, stride)

    return Case(name, (x,), lambda K, x: K.pool2d(x, (size, size), (stride, stride), "valid", None, mode), in_torch)


def _lstm(torch: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
    start = x.new_zeros(1, len(x), u.shape[0])
    return torch.lstm(x, (start, start), [w.t(), u.t(), b, torch.zeros_like(b)], True, 1, 0.0, True, False, True)[0]


def _k_lstm(K: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
    start = K.zeros((x.shape[0], u.shape[0]))
    return K.lstm(x, start, start, w, u, b)[0]


def _gru(torch: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
    start = x.new_zeros(1, len(x), u.shape[0])
    w, u, b = (torch.cat([t[..., 64:128], t[..., :64], t[..., 128:]], -1) for t in (w, u, b))  # torch: r, z, h
    return torch.gru(x, start, [w.t(), u.t(), b[0], b[1]], True, 1, 0.0, True, False, True)[0]


def _k_gru(K: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
    return K.gru(x, K.zeros((x.shape[0], u.shape[0])), w, u, b, reset_after=True)[0]


def _norm(torch: Any, x: Any, scale: Any, shift: Any) -> Any:
    return torch.nn.functional.batch_norm(x.permute(0, 3, 1, 2), None, None, scale, shift, True, 0.1, 1e-3)


CASES = (
    convolution("conv 1x1", (32, 16, 16, 64), (1, 1, 64, 64)),
    convolution("conv 3x3", (32, 16, 16, 32), (3, 3, 32, 32)),
    convolution("conv 3x3, stride 2", (32, 32, 32, 16), (3, 3, 16, 32), 2),
    convolution("conv 5x5", (32, 16, 16, 16), (5, 5, 16, 32)),
    depthwise("depthwise 3x3", (32, 16, 16, 32), (3, 3, 32, 1)),
    pooling("max pool 2x2", (32, 32, 32, 32), 2, 2, "max"),
    pooling("max pool 3x3, stride 2", (32, 33, 33, 32), 3, 2, "max"),
    pooling("average pool 2x2", (32, 32, 32, 32), 2, 2, "avg"),
    Case("batch normalization", ((32, 32, 32, 16), (16,), (16,)),
         lambda K, x, a, b: K.normalize_batch_in_training(x, a, b, (0, 1, 2))[0], _norm),
    Case("lstm, 40 steps", ((32, 40, 64), (64, 256), (64, 256), (256,)), _k_lstm, _lstm),
    Case("gru, 40 steps", ((32, 40, 64), (64, 192), (64, 192), (2, 192)), _k_gru, _gru),
)  # fmt: skip


def _pair(case: Case, K: Any, torch: Any) -> tuple[Any, Any, Any, Any]:
    """(forward in K, in torch, backward in K, in torch), each without arguments; all run once."""
    draw = np.random.default_rng(0)
    arrays = [draw.standard_normal(shape, dtype="float32") * (0.1 if i else 1) for i, shape in enumerate(case.shapes)]
    tensors = [torch.from_numpy(a).requires_grad_() for a in arrays]
    forward = K.compile(lambda *values: case.in_k(K, *values))
    weight = draw.standard_normal(forward(*arrays).shape, dtype="float32")

    def loss(values: list[Any]) -> Any:
        return K.sum(case.in_k(K, *values) * weight), []

    backward = K.compile(lambda values: K.value_and_grad(loss, values)[1])
    axes = (0, 3, 1, 2) if weight.ndim == 4 else tuple(range(weight.ndim))
    by = torch.from_numpy(weight).permute(*axes)

    def torch_forward() -> Any:
        with torch.inference_mode():
            return case.in_torch(torch, *tensors)

    def torch_backward() -> Any:
        return torch.autograd.grad(case.in_torch(torch, *tensors), tensors, by)

    def agree() -> None:
        found = [forward(*arrays), *backward(list(arrays))]
        wanted = [torch_forward().permute(*np.argsort(axes).tolist()), *torch_backward()]
        for ours, theirs in zip(found, wanted, strict=True):
            theirs = theirs.numpy()
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * max(1, np.abs(theirs).max()))

    agree()
    return lambda: forward(*arrays), torch_forward, lambda: backward(list(arrays)), torch_backward


def compare(rounds: int) -> list[dict[str, Any]]:
    """Speeds of NumPy against torch, forward and there and back; K must be active on NumPy."""
    import torch
    from timing import compared

    from keras_front import backend as K

    torch.set_num_threads(1)
    found = []
    for case in CASES:
        f, tf, b, tb = _pair(case, K, torch)
        there, back = compared(f, tf, rounds), compared(b, tb, rounds)
        found.append({
            "name": case.name, "forward": there.speed, "us": there.ours, "torch us": there.other,
            "gradient": back.speed, "gradient us": back.ours, "gradient torch us": back.other,
        })  # fmt: skip
    return found
