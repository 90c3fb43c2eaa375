"""PyTorch: modules, fused optimizers, losses on logits, batches taken by `index_select`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from programs_by_hand import BATCH, Arrays

Tensor = torch.Tensor


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.fed = nn.Embedding(1000, 64), nn.Embedding(1000, 64)
        self.reader, self.writer = (nn.LSTM(64, 64, batch_first=True) for _ in range(2))
        self.head = nn.Linear(128, 1000)

    def forward(self, source: Tensor, fed: Tensor) -> Tensor:
        states, last = self.reader(self.words(source))
        x = self.writer(self.fed(fed), last)[0]
        seen = torch.softmax(x @ states.transpose(1, 2), -1) @ states
        return self.head(torch.cat([x, seen], -1))


class WideDeep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.categories = nn.Embedding(500, 8)
        self.deep = nn.Sequential(nn.Linear(80, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Linear(232, 1)

    def forward(self, wide: Tensor, categories: Tensor, numbers: Tensor) -> Tensor:
        x = torch.cat([self.categories(categories).flatten(1), numbers], 1)
        return self.head(torch.cat([wide, self.deep(x)], 1))


def adam(module: nn.Module) -> Any:
    return torch.optim.Adam(module.parameters(), 1e-3, eps=1e-7, fused=True)


def stepped(optimizer: Any, loss: Tensor) -> Tensor:
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach()


def trained(
    module: nn.Module, optimizer: Any, loss: Callable[[Tensor, Tensor], Tensor], batches: Callable[[], Iterator[Any]]
) -> Callable[[], float]:
    """One epoch over batches of inputs and, last, the target."""

    def epoch() -> float:
        total, count = torch.zeros(()), 0
        for *inputs, target in batches():
            total += stepped(optimizer, loss(module(*inputs), target))
            count += 1
        return total.item() / count

    return epoch


def shuffled(data: Arrays) -> Callable[[], Iterator[list[Tensor]]]:
    tensors = [torch.from_numpy(array) for array in data]

    def batches() -> Iterator[list[Tensor]]:
        for rows in torch.randperm(len(tensors[0])).split(BATCH):
            yield [tensor.index_select(0, rows) for tensor in tensors]

    return batches


def seq2seq(data: Arrays) -> Callable[[], float]:
    module = Translator()

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), target.flatten().long())

    return trained(module, adam(module), loss, shuffled(data))


def wide_deep(data: Arrays) -> Callable[[], float]:
    module = WideDeep()
    return trained(module, adam(module), F.binary_cross_entropy_with_logits, shuffled(data))


def perceptron() -> tuple[nn.Module, Any]:
    module = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return module, torch.optim.SGD(module.parameters(), 0.01, fused=True)


def loader(data: Arrays) -> Callable[[], float]:
    held = torch.utils.data.TensorDataset(*map(torch.from_numpy, data))
    batches = torch.utils.data.DataLoader(held, batch_size=BATCH, shuffle=True)
    return trained(*perceptron(), F.cross_entropy, lambda: iter(batches))


def generator(data: Arrays) -> Callable[[], float]:
    x, y = data

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for i in range(0, len(x), BATCH):
            yield torch.from_numpy(x[i : i + BATCH]), torch.from_numpy(y[i : i + BATCH])

    return trained(*perceptron(), F.cross_entropy, batches)


def gan(data: Arrays) -> Callable[[], None]:
    """The judge learns from the maker's pictures without their gradients; then the maker through the judge."""
    real, noise = map(torch.from_numpy, data)
    maker = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 784), nn.Tanh())
    judge = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 1))
    ones = torch.ones(BATCH, 1)
    labels = torch.cat([ones, 0 * ones])
    of_judge, of_maker = adam(judge), adam(maker)

    def epoch() -> None:
        for x, z in zip(real.split(BATCH), noise.split(BATCH), strict=True):
            with torch.no_grad():
                made = maker(z)
            stepped(of_judge, F.binary_cross_entropy_with_logits(judge(torch.cat([x, made])), labels)).item()
            judge.requires_grad_(False)
            stepped(of_maker, F.binary_cross_entropy_with_logits(judge(maker(z)), ones)).item()
            judge.requires_grad_(True)

    return epoch


PROGRAMS = {f.__name__: f for f in (seq2seq, gan, wide_deep, loader, generator)}
