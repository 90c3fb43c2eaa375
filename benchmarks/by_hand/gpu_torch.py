"""PyTorch on a GPU: autocast, fused kernels, images with their channels last in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from by_hand import gpu


class Run(gpu.Run):
    relu = staticmethod(F.relu)
    attention = staticmethod(F.scaled_dot_product_attention)

    def tensor(self, array: np.ndarray) -> Any:
        if array.ndim == 4:
            array = np.ascontiguousarray(array.transpose(3, 2, 0, 1))
        return torch.from_numpy(array).to(self.place).requires_grad_()

    def dense(self, x: Any, units: int) -> Any:
        return F.linear(x, self.weight(x.shape[-1], units).t(), self.weight(units, fill=0.0))

    def conv(self, x: Any, filters: int, size: int, stride: int = 1, same: bool = False, bias: bool = False) -> Any:
        kernel = self.weight(size, size, x.shape[1], filters)
        return F.conv2d(x, kernel, self.weight(filters, fill=0.0) if bias else None, stride, size // 2 * same)

    def max_pool(self, x: Any, size: int, stride: int, same: bool) -> Any:
        return F.max_pool2d(x, size, stride, size // 2 * same)

    def batch_norm(self, x: Any) -> Any:
        return F.batch_norm(x, None, None, self.weight(x.shape[1], fill=1.0), self.weight(x.shape[1], fill=0.0), True)

    def layer_norm(self, x: Any) -> Any:
        n = x.shape[-1]
        return F.layer_norm(x, (n,), self.weight(n, fill=1.0), self.weight(n, fill=0.0))

    def embedding(self, x: Any, words: int, width: int) -> Any:
        return F.embedding(x, self.weight(words, width))

    def heads(self, x: Any, count: int) -> Any:
        return x.unflatten(-1, (count, -1)).transpose(1, 2)

    def joined(self, x: Any) -> Any:
        return x.transpose(1, 2).flatten(2)

    def flat(self, x: Any) -> Any:
        return x.flatten(1)

    def mean_of_space(self, x: Any) -> Any:
        return x.mean((2, 3))

    def mean_of_steps(self, x: Any) -> Any:
        return x.mean(1)


class Loop:
    def __init__(self, net: Callable[..., Any], device: str, precision: str):
        self.net, self.place = net, torch.device("cpu" if device == "cpu" else "cuda")
        self.half, self.params = precision == "bfloat16", list[Any]()
        self.adam: Any = None

    def start(self, x: Any) -> None:
        making = Run(None, self.place, None)
        with torch.no_grad():
            self.net(making, x)
        self.params = making.made
        self.adam = torch.optim.Adam(self.params, 1e-3, eps=1e-7, fused=True)

    def step(self, x: Any, y: Any) -> Any:
        with torch.autocast(self.place.type, torch.bfloat16, enabled=self.half):
            z = self.net(Run(self.params, self.place, None), x)
        loss = F.cross_entropy(z.float(), y)
        loss.backward()
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        return loss.detach()

    def __call__(self, x: np.ndarray, y: np.ndarray, size: int) -> float:
        xs, ys = (torch.from_numpy(a).to(self.place) for a in (x, y))
        if xs.ndim == 4:
            xs = xs.permute(0, 3, 1, 2)
        if not self.params:
            self.start(xs[:2])
        total = torch.zeros((), device=self.place)
        for rows in torch.randperm(len(x)).to(self.place).split(size):
            total += self.step(xs.index_select(0, rows), ys.index_select(0, rows))
        return total.item()
