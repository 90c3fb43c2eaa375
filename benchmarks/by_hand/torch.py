"""PyTorch: autograd, functional kernels, fused optimizers, losses on logits, the data laid out once.

Kernels lie as torch wants them: (out, in), (out, in, height, width). `torch.lstm` runs the whole sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from by_hand.weights import BLOCKS, weights

Tensor = torch.Tensor


def tiny(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    return F.linear(F.linear(x, next(p), next(p)).relu_(), next(p), next(p))


def mlp(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    x = F.dropout(F.linear(x, next(p), next(p)).relu_(), 0.2, training)
    x = F.dropout(F.linear(x, next(p), next(p)).relu_(), 0.2, training)
    return F.linear(x, next(p), next(p))


def cnn(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    x = F.conv2d(x, next(p), next(p)).relu_()
    x = F.conv2d(x, next(p), next(p)).relu_()
    x = F.dropout(F.max_pool2d(x, 2), 0.25, training).flatten(1)
    x = F.dropout(F.linear(x, next(p), next(p)).relu_(), 0.5, training)
    return F.linear(x, next(p), next(p))


def lstm(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    x = F.embedding(x, next(p))
    kernel, recurrent, bias = next(p), next(p), next(p)
    start = x.new_zeros(1, len(x), 64)
    held = [kernel, recurrent, bias, torch.zeros_like(bias)]
    last = torch.lstm(x, (start, start), held, True, 1, 0.0, training, False, True)[1][0]
    return F.linear(last, next(p), next(p))


def resnet(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    def convolved(x: Tensor, stride: int = 1, padding: int = 1) -> Tensor:
        if stride == 2 and padding:  # "same" with a stride pads at the end
            x, padding = F.pad(x, (0, 1, 0, 1)), 0
        return F.conv2d(x, next(p), next(p), stride, padding)

    def normalized(x: Tensor) -> Tensor:
        scale, shift = next(p), next(p)
        return F.batch_norm(x, next(s), next(s), scale, shift, training, 0.01, 1e-3)

    x = normalized(convolved(x)).relu_()
    for _, _, stride in BLOCKS:
        short = x if stride == 1 else convolved(x, stride, 0)
        x = normalized(convolved(x, stride)).relu_()
        x = normalized(convolved(x)).add_(short).relu_()
    return F.linear(x.mean((2, 3)), next(p), next(p))


def attn(p: Iterator[Tensor], s: Iterator[Tensor], x: Tensor, training: bool) -> Tensor:
    def normalized(x: Tensor) -> Tensor:
        return F.layer_norm(x, (64,), next(p), next(p), 1e-3)

    def dense(x: Tensor) -> Tensor:
        return F.linear(x, next(p), next(p))

    x = F.embedding(x, next(p))
    n = normalized(x)
    query, key, value = dense(n), dense(n), dense(n)
    x = x + dense(torch.softmax(query @ key.transpose(1, 2), -1) @ value)
    x = x + dense(dense(normalized(x)).relu_())
    return dense(x.mean(1))


NETS = {"tiny": tiny, "mlp": mlp, "mlp_wide": mlp, "cnn": cnn, "lstm": lstm, "resnet": resnet, "attn": attn}


def turned(array: np.ndarray) -> Tensor:
    """A kernel as torch keeps it."""
    axes = {2: (1, 0), 4: (3, 2, 0, 1)}.get(array.ndim)
    return torch.from_numpy(array if axes is None else np.ascontiguousarray(array.transpose(axes)))


class Loop:
    def __init__(self, workload: Any):
        params, state = weights(workload.name)
        words = workload.name in ("lstm", "attn")  # the first weight is an embedding, which is not turned
        self.params = [torch.from_numpy(w) if words and i == 0 else turned(w) for i, w in enumerate(params)]
        self.state = [torch.from_numpy(w) for w in state]
        for param in self.params:
            param.requires_grad_()
        self.net, self.binary = NETS[workload.name], workload.binary
        if workload.sgd:
            self.optimizer: Any = torch.optim.SGD(self.params, 0.01, fused=True)
        else:
            self.optimizer = torch.optim.Adam(self.params, 1e-3, eps=1e-7, fused=True)

    def logits(self, x: Tensor, training: bool) -> Tensor:
        return self.net(iter(self.params), iter(self.state), x, training)

    def measured(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if self.binary:
            return F.binary_cross_entropy_with_logits(z, y), ((z > 0) == (y > 0.5)).sum()
        return F.cross_entropy(z, y), (z.argmax(1) == y.argmax(1)).sum()

    def placed(self, x: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(x)
        return tensor.permute(0, 3, 1, 2).contiguous() if tensor.dim() == 4 else tensor

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        loss, right = self.measured(self.logits(x, True), y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach(), right

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> list[float]:
        xs, ys, samples, losses = self.placed(x), torch.from_numpy(y), len(x), []
        for _ in range(epochs):
            order = torch.randperm(samples)
            total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            for rows in order.split(batch_size):
                loss, hits = self.step(xs.index_select(0, rows), ys.index_select(0, rows))
                total += loss * len(rows)
                right += hits
            losses.append(total.item() / samples)
            right.item()
        return losses

    def train_on_batch(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        loss, right = self.step(self.placed(x), torch.from_numpy(y))
        return loss.item(), right.item() / len(x)

    @torch.inference_mode()
    def evaluate(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> tuple[float, float]:
        xs, ys, samples = self.placed(x), torch.from_numpy(y), len(x)
        total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for batch, target in zip(xs.split(batch_size), ys.split(batch_size), strict=True):
            loss, hits = self.measured(self.logits(batch, False), target)
            total += loss * len(batch)
            right += hits
        return total.item() / samples, right.item() / samples

    @torch.inference_mode()
    def predict(self, x: np.ndarray, batch_size: int = 32) -> np.ndarray:
        head = torch.sigmoid if self.binary else lambda z: torch.softmax(z, -1)
        return torch.cat([head(self.logits(rows, False)) for rows in self.placed(x).split(batch_size)]).numpy()
