"""PyTorch: the modules of `torch.nn`, with what is known to be fast in them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

Tensor = torch.Tensor


class First(nn.Module):
    """The sequence that a recurrent module returns, without its states."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)[0]


class Packed(First):
    """Sequences of different lengths: those after the first row of zeros are not computed."""

    def forward(self, x: Tensor) -> Tensor:
        lengths = (x != 0).any(-1).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return nn.utils.rnn.pad_packed_sequence(self.inner(packed)[0], batch_first=True, total_length=x.shape[1])[0]


class Images(nn.Module):
    """A module of images whose channels are last in memory, as an expert would have them on a CPU."""

    def __init__(self, *inner: nn.Module):
        super().__init__()
        self.inner = nn.Sequential(*inner).to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class ConvLstm(nn.Module):
    """There is none in torch.nn: one convolution for the inputs of all steps, one for the state of each."""

    def __init__(self, depth: int, filters: int):
        super().__init__()
        self.into, self.again = (nn.Conv2d(n, 4 * filters, 3, padding=1) for n in (depth, filters))
        self.filters = filters

    def forward(self, x: Tensor) -> Tensor:
        batch, steps, height, width, depth = x.shape
        z = self.into(x.reshape(-1, height, width, depth).permute(0, 3, 1, 2))
        z = z.reshape(batch, steps, 4 * self.filters, height, width)
        h = c = z.new_zeros(batch, self.filters, height, width)
        for t in range(steps):
            i, f, g, o = (z[:, t] + self.again(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h.permute(0, 2, 3, 1)


class Transposed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ConvTranspose2d(32, 16, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.inner(x.permute(0, 3, 1, 2))
        return y[:, :, : 2 * x.shape[1], : 2 * x.shape[2]].permute(0, 2, 3, 1)


class Attention(nn.Module):
    """What `nn.MultiheadAttention` computes, by the fused kernel, also while training."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.into, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, steps, width = x.shape
        q, k, v = self.into(x).reshape(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(q, k, v)
        return self.out(found.transpose(1, 2).reshape(batch, steps, width))


LAYERS = {
    "lstm": lambda: First(nn.LSTM(64, 64, batch_first=True)),
    "gru": lambda: First(nn.GRU(64, 64, batch_first=True)),
    "bilstm_masked": lambda: Packed(nn.LSTM(64, 64, batch_first=True, bidirectional=True)),
    "convlstm": lambda: ConvLstm(8, 8),
    "batch_norm": lambda: Images(nn.BatchNorm2d(16, 1e-3, 0.01)),
    "separable": lambda: Images(nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.Conv2d(32, 64, 1)),
    "transposed": Transposed,
    "attention": lambda: Attention(64, 4),
}


class Loop:
    def __init__(self, name: str, shape: tuple[int, ...]):
        torch.set_num_threads(1)
        self.layer = LAYERS[name]()
        self.optimizer = torch.optim.SGD(self.layer.parameters(), 0.01, fused=True)

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> float:
        self.layer.train()
        xs, ys, total = torch.from_numpy(x), torch.from_numpy(y), torch.zeros(())
        for rows in torch.randperm(len(x)).split(batch_size):
            loss = F.mse_loss(self.outputs(xs.index_select(0, rows)), ys.index_select(0, rows))
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            total += loss.detach()
        return total.item()

    def outputs(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return y.mean(tuple(range(1, y.dim() - 1)))

    @torch.inference_mode()
    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        self.layer.eval()
        return torch.cat([self.outputs(rows) for rows in torch.from_numpy(x).split(batch_size)]).numpy()
