"""The recurrent part of an LSTM, forward and backward, in a dozen calls a step.

Inside, the gates stand in the order i, f, o, c: those that share an activation lie side by side, and are
computed in one call. What an activation scales its argument with is folded into weights and inputs
beforehand. All steps are kept, and what the way back needs of them is computed for all steps at once; per
step it then takes seven calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

HIGHEST = {"f2": 11.0, "f4": 88.0, "f8": 709.0}  # exp is finite up to here
Function = Callable[[np.ndarray], Any]
Slope = Callable[[np.ndarray, np.ndarray], Any]


def _sigmoid(y: np.ndarray) -> None:
    """Of the negative argument; `tanh` would be one call less but costs twice the time of `exp`."""
    np.minimum(y, HIGHEST[y.dtype.str[1:]], out=y)
    np.exp(y, y)
    np.add(y, 1, y)
    np.reciprocal(y, y)


def _hard_sigmoid(y: np.ndarray) -> None:
    np.add(y, 0.5, y)
    np.maximum(y, 0, out=y)
    np.minimum(y, 1, out=y)


def _tanh_slope(y: np.ndarray, out: np.ndarray) -> None:
    np.multiply(y, y, out)
    np.subtract(1, out, out)


def _sigmoid_slope(y: np.ndarray, out: np.ndarray) -> None:
    np.subtract(1, y, out)
    np.multiply(out, y, out)


def _hard_sigmoid_slope(y: np.ndarray, out: np.ndarray) -> None:
    np.multiply((y > 0) & (y < 1), y.dtype.type(0.2), out)


# name: (what the argument is scaled with beforehand, the rest in place, the slope as a function of the result)
ACTIVATIONS: dict[str, tuple[float, Function, Slope]] = {
    "tanh": (1.0, lambda y: np.tanh(y, y), _tanh_slope),
    "sigmoid": (-1.0, _sigmoid, _sigmoid_slope),
    "hard_sigmoid": (0.2, _hard_sigmoid, _hard_sigmoid_slope),
    "relu": (1.0, lambda y: np.maximum(y, 0, out=y), lambda y, out: np.copyto(out, y > 0)),
    "linear": (1.0, lambda y: None, lambda y, out: out.fill(1)),
}


class LSTM:
    """One layer for given shapes; after `forward`, `backward` goes back over the same steps."""

    def __init__(self, steps: int, batch: int, units: int, dtype: Any, activation: str, recurrent_activation: str):
        self.units = units
        self.outer, self.act, self.slope = ACTIVATIONS[activation]
        self.inner, self.gate, self.gate_slope = ACTIVATIONS[recurrent_activation]
        shape = (steps, batch, units)
        self.gates = np.empty((steps, 4, batch, units), dtype)
        self.hs, self.cs = np.empty((steps + 1, *shape[1:]), dtype), np.empty((steps + 1, *shape[1:]), dtype)
        self.squashed = np.empty(shape, dtype)
        self.kernel = np.empty((4, units, units), dtype)
        self.product, self.part = np.empty((4, batch, units), dtype), np.empty(shape[1:], dtype)
        self.kept: np.ndarray | None = None
        self.flow: np.ndarray | None = None

    def _arrange(self, source: np.ndarray, target: np.ndarray, inner: float, outer: float) -> None:
        """Columns i, f, c, o as blocks i, f, o, c (the third axis from the end of `target`), scaled."""
        u = self.units
        for block, column, scale in ((0, 0, inner), (1, 1, inner), (2, 3, inner), (3, 2, outer)):
            np.multiply(source[..., column * u : (column + 1) * u], scale, target[..., block, :, :])

    def _restore(self, source: np.ndarray, target: np.ndarray) -> None:
        u = self.units
        np.copyto(target[..., : 2 * u], source[..., : 2 * u])
        np.copyto(target[..., 2 * u : 3 * u], source[..., 3 * u :])
        np.copyto(target[..., 3 * u :], source[..., 2 * u : 3 * u])

    def forward(self, z: Any, h: Any, c: Any, kernel: Any, mask: Any, outs: tuple[Any, Any, Any]) -> None:
        """Shape: z (steps, batch, 4 units), mask (steps, batch) or None; outs: outputs, last h, last c."""
        self._arrange(z, self.gates, self.inner, self.outer)
        self._arrange(kernel, self.kernel, self.inner, self.outer)
        np.copyto(self.hs[0], h)
        np.copyto(self.cs[0], c)
        self.kept = None if mask is None else np.asarray(mask, bool)[..., None]
        product, part, gate, act = self.product, self.part, self.gate, self.act
        rows = zip(self.gates, self.hs[:-1], self.cs[:-1], self.hs[1:], self.cs[1:], self.squashed, strict=True)
        for t, (gates, h_old, c_old, h_new, c_new, squashed) in enumerate(rows):
            np.matmul(h_old, self.kernel, product)
            np.add(gates, product, gates)
            gate(gates[:3])
            act(gates[3])
            np.multiply(gates[1], c_old, c_new)
            np.multiply(gates[0], gates[3], part)
            np.add(c_new, part, c_new)
            if act is ACTIVATIONS["tanh"][1]:
                np.tanh(c_new, squashed)
            else:
                np.multiply(c_new, self.outer, squashed)
                act(squashed)
            np.multiply(gates[2], squashed, h_new)
            if self.kept is not None:
                dropped = ~self.kept[t]
                np.copyto(h_new, h_old, where=dropped)
                np.copyto(c_new, c_old, where=dropped)
        self._results(outs)

    def _results(self, outs: tuple[Any, Any, Any]) -> None:
        outputs, last_h, last_c = outs
        np.copyto(outputs, self.hs[1:])
        np.copyto(last_h, self.hs[-1])
        np.copyto(last_c, self.cs[-1])
        if self.kept is not None:  # before the first kept step the output is 0, whatever h was
            np.copyto(outputs, 0, where=~np.logical_or.accumulate(self.kept, 0))

    def backward(self, g: Any, g_h: Any, g_c: Any, kernel: Any, outs: tuple[Any, Any, Any, Any]) -> None:
        """Gradients from those of outputs, last h and last c; outs: for z, h, c, kernel."""
        u = self.units
        if self.flow is None:  # memory that only training needs
            self.flow = np.empty((*self.squashed.shape[:2], 4 * u), self.gates.dtype)
            self.back = np.empty((u, 4 * u), self.gates.dtype)
            self.from_h, self.to_c = np.empty_like(self.squashed), np.empty_like(self.squashed)
        flow, back, from_h, to_c = self.flow, self.back, self.from_h, self.to_c
        self._slopes()
        self._arrange(kernel, back.reshape(u, 4, u).swapaxes(0, 1), 1.0, 1.0)
        dh, dc = np.array(g_h), np.array(g_c)
        repeated = np.zeros_like(dh)  # the gradient of an output that repeats the one before it
        batch, part = len(dh), self.part
        forget = self.gates[:, 1]
        for t in range(len(g))[::-1]:
            gates = flow[t]
            passed: Any = None
            if self.kept is None:
                np.add(dh, g[t], dh)
            else:
                kept = self.kept[t]
                total = g[t] + repeated
                repeated = np.where(kept, 0, total).astype(total.dtype, copy=False)
                passed = (np.where(kept, 0, dh), np.where(kept, 0, dc))
                dh, dc = np.where(kept, dh + total, 0), np.where(kept, dc, 0)
            np.multiply(dh, to_c[t], part)
            np.add(dc, part, dc)
            split = gates.reshape(batch, 4, u)
            np.multiply(split, dc[:, None, :], split)
            np.multiply(dh, from_h[t], gates[:, 2 * u : 3 * u])
            np.multiply(dc, forget[t], dc)
            np.dot(gates, back.T, dh)
            if passed is not None:
                np.add(dh, passed[0], dh)
                np.add(dc, passed[1], dc)
        self._gradients(flow, dh, dc, outs)

    def _slopes(self) -> None:
        """For all steps: how dc enters the gates (that of o is left out), how dh enters o, and how dh enters dc."""
        from_h, to_c = self.from_h, self.to_c
        steps, batch, u = self.squashed.shape
        flow = self.flow.reshape(steps, batch, 4, u).swapaxes(1, 2)  # as blocks, like the gates
        i, _, o, c = self.gates.swapaxes(0, 1)
        self.gate_slope(self.gates[:, :3], flow[:, :3])
        np.multiply(flow[:, 2], self.squashed, from_h)
        np.multiply(flow[:, 0], c, flow[:, 0])
        np.multiply(flow[:, 1], self.cs[:-1], flow[:, 1])
        self.slope(c, flow[:, 3])
        np.multiply(flow[:, 3], i, flow[:, 3])
        self.slope(self.squashed, to_c)
        np.multiply(to_c, o, to_c)

    def _gradients(self, flow: np.ndarray, dh: np.ndarray, dc: np.ndarray, outs: tuple[Any, Any, Any, Any]) -> None:
        dz, dh0, dc0, dkernel = outs
        u = self.units
        product = np.dot(self.hs[:-1].reshape(-1, u).T, flow.reshape(-1, 4 * u))
        self._restore(flow, dz)
        self._restore(product, dkernel)
        np.copyto(dh0, dh)
        np.copyto(dc0, dc)
