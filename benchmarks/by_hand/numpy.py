"""NumPy: layers with a backward pass written by hand, everything in place, no allocation in a warm step.

All weights lie in one array and all gradients in another, so that an optimizer is a few calls over blocks that
fit the cache. Convolutions gather the patches of a few images at a time, so that those stay in the cache too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from by_hand.weights import BLOCKS, weights

Array = np.ndarray
CACHE = 1 << 18  # elements of patches that are made at a time
BLOCK = 1 << 15  # elements that an optimizer updates at a time
SMALL = np.float32(1e-7)


class Layer:
    """`forward(x)` and `backward(d)`; `self.room` keeps every array that they write, by name and shape."""

    first = False  # nothing before this layer wants a gradient

    def __init__(self) -> None:
        self.kept: dict[Any, Array] = {}

    def room(self, name: str, *shape: int, dtype: Any = np.float32) -> Array:
        array = self.kept.get((name, shape))
        if array is None:
            array = self.kept[name, shape] = np.zeros(shape, dtype)
        return array


class Dense(Layer):
    def __init__(self, flat: Flat):
        super().__init__()
        (self.w, self.dw), (self.b, self.db) = flat.next(), flat.next()

    def forward(self, x: Array, training: bool) -> Array:
        self.x = x
        out = np.matmul(x, self.w, self.room("out", len(x), self.w.shape[1]))
        return np.add(out, self.b, out)

    def backward(self, d: Array) -> Array | None:
        np.matmul(self.x.T, d, self.dw)
        np.add.reduce(d, 0, None, self.db)
        return None if self.first else np.matmul(d, self.w.T, self.room("dx", *self.x.shape))


class Relu(Layer):
    """In place: the array that comes in is nobody else's."""

    def forward(self, x: Array, training: bool) -> Array:
        self.out = np.maximum(x, 0, x)
        return x

    def backward(self, d: Array) -> Array:
        return np.multiply(d, np.greater(self.out, 0, self.room("on", *d.shape, dtype=bool)), d)


class Dropout(Layer):
    """In place, from 16 random bits for each element."""

    def __init__(self, rate: float):
        super().__init__()
        self.threshold = np.uint16(round(rate * 65536))
        self.scale = np.float32(65536 / (65536 - int(self.threshold)))
        self.bits = np.random.PCG64DXSM(0)

    def forward(self, x: Array, training: bool) -> Array:
        if not training:
            return x
        self.keep = self.room("keep", *x.shape)
        words = self.bits.random_raw(-(-x.size // 4)).view(np.uint16)[: x.size].reshape(x.shape)
        kept = np.greater_equal(words, self.threshold, self.room("kept", *x.shape, dtype=bool))
        np.multiply(kept, self.scale, self.keep)
        return np.multiply(x, self.keep, x)

    def backward(self, d: Array) -> Array:
        return np.multiply(d, self.keep, d)


class Flatten(Layer):
    def forward(self, x: Array, training: bool) -> Array:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, d: Array) -> Array:
        return d.reshape(self.shape)


class Conv(Layer):
    def __init__(self, flat: Flat, stride: int = 1, same: bool = False):
        super().__init__()
        (self.w, self.dw), (self.b, self.db) = flat.next(), flat.next()
        self.size, self.stride, self.same = len(self.w), stride, same
        self.w, self.dw = (a.reshape(-1, self.w.shape[-1]) for a in (self.w, self.dw))

    def padded(self, x: Array) -> Array:
        rows, height, width, channels = x.shape
        down = max((-(-height // self.stride) - 1) * self.stride + self.size - height, 0) if self.same else 0
        self.inner = (slice(None), slice(down // 2, down // 2 + height), slice(down // 2, down // 2 + width))
        if not down:
            return x
        out = self.room("padded", rows, height + down, width + down, channels)
        out[self.inner] = x
        return out

    def forward(self, x: Array, training: bool) -> Array:
        self.x = x = self.padded(x)
        k, s = self.size, self.stride
        windows = sliding_window_view(x, (k, k), (1, 2))[:, ::s, ::s].transpose(0, 1, 2, 4, 5, 3)
        rows, height, width = windows.shape[:3]
        out = self.room("out", rows, height, width, self.w.shape[1])
        step = max(1, CACHE // (height * width * len(self.w)))
        self.parts = [(slice(i, i + step), windows[i : i + step]) for i in range(0, rows, step)]
        for part, window in self.parts:
            patches = self.patches(window)
            np.matmul(patches, self.w, out[part].reshape(len(patches), -1))
        return np.add(out, self.b, out)

    def patches(self, window: Array) -> Array:
        out = self.room("patches", *window.shape)
        np.copyto(out, window)
        return out.reshape(-1, len(self.w))

    def backward(self, d: Array) -> Array | None:
        self.dw.fill(0)
        one = self.room("dw", *self.dw.shape)
        np.add.reduce(d.reshape(-1, d.shape[-1]), 0, None, self.db)
        if not self.first:
            dx = self.room("dx", *self.x.shape)
            dx.fill(0)
        for part, window in self.parts:
            slope = d[part].reshape(-1, d.shape[-1])
            self.dw += np.matmul(self.patches(window).T, slope, one)
            if not self.first:
                self.scatter(slope, d[part].shape, dx[part])
        return None if self.first else dx[self.inner]

    def scatter(self, slope: Array, shape: tuple[int, ...], dx: Array) -> None:
        """Add to dx what each place of the kernel passes back."""
        rows, height, width, _ = shape
        channels, s = dx.shape[-1], self.stride
        back = np.matmul(slope, self.w.T, self.room("back", len(slope), len(self.w)))
        back = back.reshape(rows, height, width, self.size, self.size, channels)
        for i in range(self.size):
            for j in range(self.size):
                view = dx[:, i : i + s * height : s, j : j + s * width : s]
                np.add(view, back[:, :, :, i, j], view)


class MaxPool(Layer):
    """2x2, over what a relu gave: among equal values only zeros tie, and those pass nothing on."""

    def quarters(self, x: Array) -> list[Array]:
        return [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]

    def forward(self, x: Array, training: bool) -> Array:
        self.x, (a, b, c, d) = x, self.quarters(x)
        self.out = np.maximum(a, b, self.room("out", *a.shape))
        kept = self.room("given", *a.shape)
        np.maximum(self.out, np.maximum(c, d, kept), self.out)
        np.copyto(kept, self.out)  # the next layer may work in place
        return kept

    def backward(self, d: Array) -> Array:
        dx, on = self.room("dx", *self.x.shape), self.room("on", *d.shape, dtype=bool)
        for x, target in zip(self.quarters(self.x), self.quarters(dx), strict=True):
            np.multiply(d, np.equal(x, self.out, on), target)
        return dx


class BatchNorm(Layer):
    def __init__(self, flat: Flat):
        super().__init__()
        (self.scale, self.dscale), (self.shift, self.dshift) = flat.next(), flat.next()
        self.mean, self.variance = flat.next_state(), flat.next_state()

    def forward(self, x: Array, training: bool) -> Array:
        rows, self.shape = x.reshape(-1, x.shape[-1]), x.shape
        out = self.room("out", *rows.shape)
        if not training:
            factor = self.scale / np.sqrt(self.variance + np.float32(1e-3))
            np.multiply(rows, factor, out)
            return np.add(out, self.shift - self.mean * factor, out).reshape(x.shape)
        mean = rows.mean(0)
        self.hat = np.subtract(rows, mean, self.room("hat", *rows.shape))
        variance = np.einsum("ij,ij->j", self.hat, self.hat) / np.float32(len(rows))
        self.inverse = 1 / np.sqrt(variance + np.float32(1e-3))
        self.hat *= self.inverse
        self.mean += np.float32(0.01) * (mean - self.mean)
        self.variance += np.float32(0.01) * (variance - self.variance)
        np.multiply(self.hat, self.scale, out)
        return np.add(out, self.shift, out).reshape(x.shape)

    def backward(self, d: Array) -> Array:
        d = d.reshape(-1, d.shape[-1])
        np.add.reduce(d, 0, None, self.dshift)
        np.einsum("ij,ij->j", d, self.hat, out=self.dscale)
        dx = np.multiply(self.hat, self.dscale / np.float32(-len(d)), self.room("dx", *d.shape))
        dx += d
        dx -= self.dshift / np.float32(len(d))
        return np.multiply(dx, self.scale * self.inverse, dx).reshape(self.shape)


class Residual(Layer):
    def __init__(self, flat: Flat, stride: int):
        super().__init__()
        self.short = [Conv(flat, stride, same=True)] if stride > 1 else []
        self.long = [Conv(flat, stride, True), BatchNorm(flat), Relu(), Conv(flat, 1, True), BatchNorm(flat)]
        self.relu = Relu()

    def forward(self, x: Array, training: bool) -> Array:
        short = through(self.short, x, training)
        out = through(self.long, x, training)
        return self.relu.forward(np.add(out, short, out), training)

    def backward(self, d: Array) -> Array:
        d = self.relu.backward(d)
        keep = self.room("d", *d.shape)
        np.copyto(keep, d)
        dx = back(self.long, d)
        return np.add(dx, back(self.short, keep), dx)


class SpatialMean(Layer):
    def forward(self, x: Array, training: bool) -> Array:
        self.shape = x.shape
        return x.mean((1, 2))

    def backward(self, d: Array) -> Array:
        out = self.room("dx", *self.shape)
        np.multiply(d[:, None, None, :], np.float32(1 / (self.shape[1] * self.shape[2])), out)
        return out


class Embedding(Layer):
    """Sums the slopes of equal words by sorting them."""

    def __init__(self, flat: Flat):
        super().__init__()
        self.w, self.dw = flat.next()

    def forward(self, x: Array, training: bool) -> Array:
        self.words = np.ascontiguousarray(x.T).ravel()  # time first
        out = np.take(self.w, self.words, 0, self.room("out", self.words.size, self.w.shape[1]), "clip")
        return out.reshape(*x.T.shape, -1)

    def backward(self, d: Array) -> None:
        order = np.argsort(self.words, kind="stable")
        words = self.words[order]
        starts = np.flatnonzero(np.concatenate(([True], words[1:] != words[:-1])))
        self.dw.fill(0)
        self.dw[words[starts]] = np.add.reduceat(d.reshape(len(words), -1)[order], starts, 0)


class Lstm(Layer):
    """The last output over (time, batch, width). One tanh makes all gates: sigmoid(z) = tanh(z / 2) / 2 + 1 / 2."""

    def __init__(self, flat: Flat):
        super().__init__()
        (self.w, self.dw), (self.u, self.du), (self.b, self.db) = flat.next(), flat.next(), flat.next()
        n = self.n = len(self.u)
        self.i, self.f, self.g, self.o = (slice(k * n, k * n + n) for k in range(4))
        self.half = np.full(4 * n, 0.5, "float32")
        self.half[self.g] = 1
        self.offset = 1 - self.half

    def forward(self, x: Array, training: bool) -> Array:
        self.x, (steps, rows) = x.reshape(-1, x.shape[-1]), x.shape[:2]
        n, half, offset, u = self.n, self.half, self.offset, self.u
        zs = np.matmul(self.x, self.w, self.room("z", steps * rows, 4 * n))
        zs += self.b
        self.gates = gates = zs.reshape(steps, rows, 4 * n)
        self.h, self.c = self.room("h", steps + 1, rows, n), self.room("c", steps + 1, rows, n)
        self.tanh = self.room("tanh", steps, rows, n)
        part, product = self.room("part", rows, 4 * n), self.room("product", rows, n)
        for t in range(steps):
            z, c = gates[t], self.c[t + 1]
            z += np.matmul(self.h[t], u, part)
            z *= half
            np.tanh(z, z)
            z *= half
            z += offset
            np.multiply(z[:, self.f], self.c[t], c)
            c += np.multiply(z[:, self.i], z[:, self.g], product)
            np.multiply(z[:, self.o], np.tanh(c, self.tanh[t]), self.h[t + 1])
        return self.h[steps]

    def backward(self, d: Array) -> Array:
        steps, rows, n = self.tanh.shape
        dzs = self.slopes()
        dh, dc = self.room("dh", rows, n), self.room("dc", rows, n)
        a, b = self.room("a", rows, n), self.room("b", rows, n)
        np.copyto(dh, d)
        dc.fill(0)
        for t in reversed(range(steps)):
            z, dz, tanh = self.gates[t], dzs[t], self.tanh[t]
            np.multiply(dh, tanh, a)
            dz[:, self.o] *= a
            np.multiply(dh, z[:, self.o], a)
            np.multiply(tanh, tanh, b)
            np.subtract(1, b, b)
            dc += np.multiply(a, b, a)
            dz[:, self.i] *= np.multiply(dc, z[:, self.g], a)
            dz[:, self.f] *= np.multiply(dc, self.c[t], a)
            dz[:, self.g] *= np.multiply(dc, z[:, self.i], a)
            dc *= z[:, self.f]
            np.matmul(dz, self.u.T, dh)
        flat = dzs.reshape(-1, 4 * n)
        np.matmul(self.x.T, flat, self.dw)
        np.matmul(self.h[:-1].reshape(-1, n).T, flat, self.du)
        np.add.reduce(flat, 0, None, self.db)
        return np.matmul(flat, self.w.T, self.room("dx", *self.x.shape))

    def slopes(self) -> Array:
        """The derivatives of all gates at all times: s (1 - s) of a sigmoid, 1 - t * t of a tanh."""
        z = self.gates
        out = np.multiply(z, z, self.room("dz", *z.shape))
        sides = ((slice(0, 2 * self.n), z), (slice(2 * self.n, 3 * self.n), None), (slice(3 * self.n, None), z))
        for part, minuend in sides:
            np.subtract(1 if minuend is None else minuend[..., part], out[..., part], out[..., part])
        return out


def through(layers: list[Any], x: Array, training: bool) -> Array:
    for layer in layers:
        x = layer.forward(x, training)
    return x


def back(layers: list[Any], d: Any) -> Any:
    for layer in reversed(layers):
        d = layer.backward(d)
    return d


def tiny(flat: Flat) -> list[Layer]:
    return [Dense(flat), Relu(), Dense(flat)]


def mlp(flat: Flat) -> list[Layer]:
    return [Dense(flat), Relu(), Dropout(0.2), Dense(flat), Relu(), Dropout(0.2), Dense(flat)]


def cnn(flat: Flat) -> list[Layer]:
    below = [Conv(flat), Relu(), Conv(flat), Relu(), MaxPool(), Dropout(0.25), Flatten()]
    return [*below, Dense(flat), Relu(), Dropout(0.5), Dense(flat)]


def lstm(flat: Flat) -> list[Layer]:
    return [Embedding(flat), Lstm(flat), Dense(flat)]


def resnet(flat: Flat) -> list[Layer]:
    stem = [Conv(flat, same=True), BatchNorm(flat), Relu()]
    return [*stem, *(Residual(flat, stride) for _, _, stride in BLOCKS), SpatialMean(), Dense(flat)]


NETS = {"tiny": tiny, "mlp": mlp, "mlp_wide": mlp, "cnn": cnn, "lstm": lstm, "resnet": resnet}


class Flat:
    """All weights in one array and their gradients in another, handed out in order."""

    def __init__(self, name: str):
        arrays, self.state = weights(name)
        self.shapes = [a.shape for a in arrays]
        self.values = np.concatenate([a.ravel() for a in arrays])
        self.grads = np.zeros_like(self.values)
        self.place = 0

    def next(self) -> tuple[Array, Array]:
        shape = self.shapes.pop(0)
        part = slice(self.place, self.place + math.prod(shape))
        self.place = part.stop
        return self.values[part].reshape(shape), self.grads[part].reshape(shape)

    def next_state(self) -> Array:
        return self.state.pop(0)


class Adam:
    def __init__(self, flat: Flat):
        slots = np.zeros_like(flat.values), np.zeros_like(flat.values)
        self.blocks = [
            tuple(a[i : i + BLOCK] for a in (flat.values, flat.grads, *slots))
            for i in range(0, flat.values.size, BLOCK)
        ]
        self.room, self.t = np.empty(BLOCK, "float32"), 0

    def __call__(self) -> None:
        self.t += 1
        rate = np.float32(1e-3 * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t))
        slow, fast = np.float32(0.1), np.float32(0.001)
        for w, g, m, v in self.blocks:
            a = self.room[: w.size]
            m += np.multiply(np.subtract(g, m, a), slow, a)
            v += np.multiply(np.subtract(np.multiply(g, g, a), v, a), fast, a)
            np.add(np.sqrt(v, a), SMALL, a)
            w -= np.multiply(np.divide(m, a, a), rate, a)


class Sgd:
    def __init__(self, flat: Flat):
        self.values, self.grads, self.rate = flat.values, flat.grads, np.float32(0.01)

    def __call__(self) -> None:
        self.grads *= self.rate
        self.values -= self.grads


class Loop:
    def __init__(self, workload: Any):
        flat = Flat(workload.name)
        self.layers, self.binary = NETS[workload.name](flat), workload.binary
        self.layers[0].first = True
        self.update: Any = Sgd(flat) if workload.sgd else Adam(flat)

    def head(self, z: Array) -> Array:
        """Probabilities, in place of the logits."""
        if self.binary:
            np.exp(np.negative(z, z), z)
            z += 1
            return np.reciprocal(z, z)
        z -= np.maximum.reduce(z, 1, keepdims=True)
        np.exp(z, z)
        z /= np.add.reduce(z, 1, keepdims=True)
        return z

    def measured(self, p: Array, y: Array) -> tuple[float, int]:
        """The sum of the losses and the number of hits."""
        if self.binary:
            hit = np.where(y > 0.5, p, 1 - p)  # the probability that the target was given
            return -float(np.log(np.maximum(hit, SMALL)).sum()), int(np.count_nonzero(hit > 0.5))
        chosen = y.argmax(1)
        hit = p[np.arange(len(p)), chosen]
        return -float(np.log(np.maximum(hit, SMALL)).sum()), int(np.count_nonzero(p.argmax(1) == chosen))

    def step(self, x: Array, y: Array) -> tuple[float, int]:
        p = self.head(through(self.layers, x, True))
        result = self.measured(p, y)
        p -= y
        p *= np.float32(1 / len(x))
        back(self.layers, p)
        self.update()
        return result

    def fit(self, x: Array, y: Array, batch_size: int, epochs: int) -> list[float]:
        losses = []
        for _ in range(epochs):
            order, total, right = np.random.permutation(len(x)), 0.0, 0
            for i in range(0, len(x), batch_size):
                rows = order[i : i + batch_size]
                loss, hits = self.step(x.take(rows, 0), y.take(rows, 0))
                total += loss
                right += hits
            losses.append(total / len(x))
        return losses

    def train_on_batch(self, x: Array, y: Array) -> tuple[float, float]:
        loss, right = self.step(x, y)
        return loss / len(x), right / len(x)

    def evaluate(self, x: Array, y: Array, batch_size: int) -> tuple[float, float]:
        total, right = 0.0, 0
        for i in range(0, len(x), batch_size):
            p = self.head(through(self.layers, x[i : i + batch_size], False))
            loss, hits = self.measured(p, y[i : i + batch_size])
            total += loss
            right += hits
        return total / len(x), right / len(x)

    def predict(self, x: Array, batch_size: int = 32) -> Array:
        whole = None
        for i in range(0, len(x), batch_size):
            p = self.head(through(self.layers, x[i : i + batch_size], False))
            if whole is None:
                whole = np.empty((len(x), p.shape[1]), p.dtype)
            whole[i : i + len(p)] = p
        return whole
