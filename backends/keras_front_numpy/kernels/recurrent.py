"""The recurrent parts of LSTM, GRU and SimpleRNN, forward and backward, in about a dozen calls a step.

Inside, gates that share an activation lie side by side, and are computed in one call; those of an LSTM stand in
the order i, f, o, c. What an activation scales its argument with is folded into weights and inputs beforehand.
All steps are kept, and what the backward pass needs of them is computed for all steps at once; per step it then takes
half a dozen calls. Nothing is allocated after the first call but the two small arrays of a mask.

Where a mask drops a row its states stay. In the backward pass such a row passes on what it is given: the slopes of its
gates are 0, and the factor by which it keeps its state is 1. An output that repeats the one before it is the state
that stayed, so its gradient is that of the state; outputs before the first kept step are 0, and have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

HIGHEST = {"f2": 11.0, "f4": 88.0, "f8": 709.0}  # exp is finite up to here
SPAN = 1 << 16  # elements of gates that are prepared at once, while they stay in the cache
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


class _Layer:
    """One layer for given shapes; after `forward`, `backward` goes back over the same steps."""

    _gates = 1

    def __init__(self, steps: int, batch: int, units: int, dtype: Any):
        self.units, self.shape = units, (steps, batch, units)
        self.gates = np.empty((steps, self._gates, batch, units), dtype)
        self.kernel = np.empty((self._gates, units, units), dtype)
        self.product = np.empty((self._gates, batch, units), dtype)
        self.hs = np.empty((steps + 1, batch, units), dtype)
        self.part = np.empty((batch, units), dtype)
        self.span = max(1, SPAN // max(1, self.product.size))  # steps whose gates stay in the cache
        self.dropped: np.ndarray | None = None
        self.flow: np.ndarray | None = None

    def _arrange(self, source: np.ndarray, target: np.ndarray, scales: Sequence[float]) -> None:
        """Columns of gates as blocks (the third axis from the end of `target`), scaled."""
        for k, scale in enumerate(scales):
            np.multiply(source[..., k * self.units : (k + 1) * self.units], scale, target[..., k, :, :])

    def _begin(self, h: Any, mask: Any) -> None:
        np.copyto(self.hs[0], h)
        self.dropped = None if mask is None else np.logical_not(mask)[..., None]

    def _results(self, outputs: Any, last: Any) -> None:
        np.copyto(outputs, self.hs[1:])
        np.copyto(last, self.hs[-1])
        if self.dropped is not None:
            np.copyto(outputs, 0, where=np.logical_and.accumulate(self.dropped, 0))

    def _back_memory(self) -> np.ndarray:
        """Memory that only training needs: the gradients of all gates, as rows for products."""
        if self.flow is None:
            steps, batch, units = self.shape
            self.flow = np.empty((steps, batch, self._gates * units), self.hs.dtype)
            self._more_back_memory()
        return self.flow

    def _more_back_memory(self) -> None:
        pass

    def _blocks(self) -> np.ndarray:
        """`flow`, its gates as blocks like those of `gates`."""
        steps, batch, units = self.shape
        return self.flow.reshape(steps, batch, self._gates, units).swapaxes(1, 2)  # type: ignore[union-attr]

    def _wanted(self, g: np.ndarray, g_h: np.ndarray) -> tuple[np.ndarray, Any, Any]:
        """The gradient of the last h, to be gone on with; where outputs count; and 1 where rows are dropped."""
        if self.dropped is None:
            return np.array(g_h), None, None
        started = np.logical_not(np.logical_and.accumulate(self.dropped, 0))
        return np.array(g_h), started, self.dropped.astype(g.dtype)


def _add_output(dh: np.ndarray, g: np.ndarray, started: Any, t: int) -> None:
    if started is None:
        np.add(dh, g[t], dh)
    else:
        np.add(dh, g[t], dh, where=started[t])


class LSTM(_Layer):
    """An LSTM for given shapes."""

    _gates = 4

    def __init__(self, steps: int, batch: int, units: int, dtype: Any, activation: str, recurrent_activation: str):
        super().__init__(steps, batch, units, dtype)
        self.outer, self.act, self.slope = ACTIVATIONS[activation]
        self.inner, self.gate, self.gate_slope = ACTIVATIONS[recurrent_activation]
        self.cs, self.squashed = np.empty_like(self.hs), np.empty(self.shape, dtype)

    def _more_back_memory(self) -> None:
        self.back = np.empty((self.units, 4 * self.units), self.hs.dtype)
        self.from_h, self.to_c = np.empty_like(self.squashed), np.empty_like(self.squashed)

    def _arrange(self, source: np.ndarray, target: np.ndarray, scales: Sequence[float]) -> None:
        u = self.units
        for block, column in enumerate((0, 1, 3, 2)):
            np.multiply(source[..., column * u : (column + 1) * u], scales[block], target[..., block, :, :])

    def _restore(self, source: np.ndarray, target: np.ndarray) -> None:
        u = self.units
        np.copyto(target[..., : 2 * u], source[..., : 2 * u])
        np.copyto(target[..., 2 * u : 3 * u], source[..., 3 * u :])
        np.copyto(target[..., 3 * u :], source[..., 2 * u : 3 * u])

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, 4 units), h, c, kernel, mask (steps, batch) or None; outputs, last h, last c."""
        z, h, c, kernel, mask = args
        scales = (self.inner, self.inner, self.inner, self.outer)
        self._arrange(kernel, self.kernel, scales)
        self._begin(h, mask)
        np.copyto(self.cs[0], c)
        rows = zip(self.gates, self.hs[:-1], self.cs[:-1], self.hs[1:], self.cs[1:], self.squashed, strict=True)
        for t, row in enumerate(rows):
            if t % self.span == 0:
                self._arrange(z[t : t + self.span], self.gates[t : t + self.span], scales)
            self._step(*row)
            if self.dropped is not None:
                _, h_old, c_old, h_new, c_new, _ = row
                np.copyto(h_new, h_old, where=self.dropped[t])
                np.copyto(c_new, c_old, where=self.dropped[t])
        self._results(*outs[:2])
        np.copyto(outs[2], self.cs[-1])

    def _step(self, gates: Any, h_old: Any, c_old: Any, h_new: Any, c_new: Any, squashed: Any) -> None:
        self._add_product(h_old, gates)
        self.gate(gates[:3])
        self.act(gates[3])
        np.multiply(gates[1], c_old, c_new)
        np.multiply(gates[0], gates[3], self.part)
        np.add(c_new, self.part, c_new)
        np.multiply(c_new, self.outer, squashed)
        self.act(squashed)
        np.multiply(gates[2], squashed, h_new)

    def _add_product(self, h: Any, gates: Any) -> None:
        np.matmul(h, self.kernel, self.product)
        np.add(gates, self.product, gates)

    def _back_product(self, gates: Any, dh: Any) -> None:
        np.dot(gates, self.back.T, dh)

    def _kernel_gradient(self, flow: Any) -> Any:
        return _product(self.hs[:-1], flow)

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, c, kernel from those of outputs, last h and last c; `args` as `forward` had them."""
        g, g_h, g_c = gs
        u, part, flow = self.units, self.part, self._back_memory()
        from_h, to_c, forget = self.from_h, self.to_c, self.gates[:, 1]
        self._arrange(args[3], self.back.reshape(-1, 4, u).swapaxes(0, 1), (1.0,) * 4)
        (dh, started, dropped), dc, held = self._wanted(g, g_h), np.array(g_c), np.empty_like(part)
        for t in range(len(g))[::-1]:
            if (t + 1) % self.span == 0 or t + 1 == len(g):
                self._slopes(slice(t // self.span * self.span, t + 1))
            gates = flow[t]
            _add_output(dh, g, started, t)
            np.multiply(dh, to_c[t], part)
            np.add(dc, part, dc)
            split = gates.reshape(len(dh), 4, u)
            np.multiply(split, dc[:, None, :], split)
            np.multiply(dh, from_h[t], gates[:, 2 * u : 3 * u])
            np.multiply(dc, forget[t], dc)
            if dropped is not None:
                np.multiply(dh, dropped[t], held)
            self._back_product(gates, dh)
            if dropped is not None:
                np.add(dh, held, dh)
            if t % self.span == 0:
                self._restore(flow[t : t + self.span], outs[0][t : t + self.span])
        np.copyto(outs[1], dh)
        np.copyto(outs[2], dc)
        self._restore(self._kernel_gradient(flow), outs[3])

    def _slopes(self, steps: slice) -> None:
        """How dc enters the gates (that of o is left out), how dh enters o, and how dh enters dc."""
        from_h, to_c, flow, gates = self.from_h[steps], self.to_c[steps], self._blocks()[steps], self.gates[steps]
        i, f, o, c = gates.swapaxes(0, 1)
        self.gate_slope(gates[:, :3], flow[:, :3])
        np.multiply(flow[:, 2], self.squashed[steps], from_h)
        np.multiply(flow[:, 0], c, flow[:, 0])
        np.multiply(flow[:, 1], self.cs[steps], flow[:, 1])
        self.slope(c, flow[:, 3])
        np.multiply(flow[:, 3], i, flow[:, 3])
        self.slope(self.squashed[steps], to_c)
        np.multiply(to_c, o, to_c)
        if self.dropped is not None:
            dropped = self.dropped[steps]
            for slopes in (from_h, to_c, self._back_memory()[steps]):
                np.copyto(slopes, 0, where=dropped)
            np.copyto(f, 1, where=dropped)


def _product(states: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The gradient of a recurrent kernel: over all steps and rows, states times what reached the gates."""
    return np.dot(states.reshape(-1, states.shape[-1]).T, flow.reshape(-1, flow.shape[-1]))


class GRU(_Layer):
    """Gates z, r, h. What the activation of h scales its argument with cannot be folded, for r comes in between."""

    _gates = 3

    def __init__(
        self, steps: int, batch: int, units: int, dtype: Any, activation: str, recurrent_activation: str,
        reset_after: bool,
    ):  # fmt: skip
        super().__init__(steps, batch, units, dtype)
        self.outer, self.act, self.slope = ACTIVATIONS[activation]
        self.inner, self.gate, self.gate_slope = ACTIVATIONS[recurrent_activation]
        self.reset_after = reset_after
        self.own = np.empty(self.shape, dtype)  # what r multiplies, or has multiplied

    def _more_back_memory(self) -> None:
        self.to_h, self.reset_slope = np.empty(self.shape, self.hs.dtype), np.empty(self.shape, self.hs.dtype)

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, 3 units), h, kernel, bias (units,) or None, mask or None; outputs, last h."""
        z, h, kernel, bias, mask = args
        self._arrange(z, self.gates, (self.inner, self.inner, 1.0))
        self._arrange(kernel, self.kernel, (self.inner, self.inner, 1.0))
        self._begin(h, mask)
        candidate = self._after if self.reset_after else self._before
        bias = np.zeros((), self.hs.dtype) if bias is None else bias
        for t, (gates, own, h_old, h_new) in enumerate(zip(self.gates, self.own, self.hs, self.hs[1:], strict=False)):
            candidate(gates, own, h_old, bias)
            if self.outer != 1:
                np.multiply(gates[2], self.outer, gates[2])
            self.act(gates[2])
            np.subtract(h_old, gates[2], h_new)
            np.multiply(h_new, gates[0], h_new)
            np.add(h_new, gates[2], h_new)
            if self.dropped is not None:
                np.copyto(h_new, h_old, where=self.dropped[t])
        self._results(*outs)

    def _after(self, gates: Any, own: Any, h: Any, bias: Any) -> None:
        product = self.product
        np.matmul(h, self.kernel, product)
        np.add(gates[:2], product[:2], gates[:2])
        self.gate(gates[:2])
        np.add(product[2], bias, own)
        np.multiply(gates[1], own, self.part)
        np.add(gates[2], self.part, gates[2])

    def _before(self, gates: Any, own: Any, h: Any, bias: Any) -> None:
        product = self.product
        np.matmul(h, self.kernel[:2], product[:2])
        np.add(gates[:2], product[:2], gates[:2])
        self.gate(gates[:2])
        np.multiply(gates[1], h, own)
        np.dot(own, self.kernel[2], self.part)
        np.add(self.part, bias, self.part)
        np.add(gates[2], self.part, gates[2])

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, kernel and, if there is one, bias from those of outputs and last h."""
        g, g_h = gs
        kernel, flow = np.ascontiguousarray(args[2]), self._back_memory()
        self._slopes()
        dh, started, _ = self._wanted(g, g_h)
        back = self._back_after if self.reset_after else self._back_before
        for t in range(len(g))[::-1]:
            _add_output(dh, g, started, t)
            back(t, flow[t], dh, kernel)
        self._gradients(flow, dh, outs)

    def _back_after(self, t: int, flow: Any, dh: Any, kernel: Any) -> None:
        split = flow.reshape(len(dh), 3, self.units)
        np.multiply(split, dh[:, None, :], split)
        np.multiply(self.to_h[t], dh, self.to_h[t])
        np.multiply(dh, self.gates[t, 0], dh)
        np.dot(flow, kernel.T, self.part)
        np.add(dh, self.part, dh)

    def _back_before(self, t: int, flow: Any, dh: Any, kernel: Any) -> None:
        u, part = self.units, self.part
        split = flow.reshape(len(dh), 3, u)[:, ::2]
        np.multiply(split, dh[:, None, :], split)
        np.dot(flow[:, 2 * u :], kernel[:, 2 * u :].T, part)
        np.multiply(part, self.reset_slope[t], flow[:, u : 2 * u])
        np.multiply(part, self.gates[t, 1], part)
        np.multiply(dh, self.gates[t, 0], dh)
        np.add(dh, part, dh)
        np.dot(flow[:, : 2 * u], kernel[:, : 2 * u].T, part)
        np.add(dh, part, dh)

    def _slopes(self) -> None:
        """For all steps: how dh enters z and h, and how what has reached h enters r."""
        flow, h_old = self._blocks(), self.hs[:-1]
        update, reset, candidate = self.gates.swapaxes(0, 1)
        self.gate_slope(self.gates[:, :2], flow[:, :2])
        np.subtract(h_old, candidate, self.to_h)
        np.multiply(flow[:, 0], self.to_h, flow[:, 0])
        self.slope(candidate, self.to_h)
        np.subtract(1, update, self.reset_slope)
        np.multiply(self.to_h, self.reset_slope, self.to_h)
        if self.reset_after:
            np.multiply(flow[:, 1], self.own, flow[:, 1])
            np.multiply(flow[:, 1], self.to_h, flow[:, 1])
            np.multiply(self.to_h, reset, flow[:, 2])
        else:
            np.multiply(flow[:, 1], h_old, self.reset_slope)
            np.copyto(flow[:, 2], self.to_h)
        if self.dropped is not None:
            for slopes in (self.flow, self.to_h):
                np.copyto(slopes, 0, where=self.dropped)  # type: ignore[arg-type]
            np.copyto(update, 1, where=self.dropped)

    def _gradients(self, flow: np.ndarray, dh: np.ndarray, outs: Sequence[Any]) -> None:
        u = self.units
        dz, dh0, dkernel, *dbias = outs
        np.copyto(dh0, dh)
        np.copyto(dz, flow)
        if self.reset_after:
            np.copyto(dz[..., 2 * u :], self.to_h)
            np.copyto(dkernel, _product(self.hs[:-1], flow))
        else:
            np.copyto(dkernel[:, : 2 * u], _product(self.hs[:-1], flow[..., : 2 * u]))
            np.copyto(dkernel[:, 2 * u :], _product(self.own, flow[..., 2 * u :]))
        if dbias:
            np.sum(flow[..., 2 * u :], (0, 1), out=dbias[0])


class SimpleRNN(_Layer):
    """A fully connected recurrent layer for given shapes."""

    def __init__(self, steps: int, batch: int, units: int, dtype: Any, activation: str):
        super().__init__(steps, batch, units, dtype)
        self.outer, self.act, self.slope = ACTIVATIONS[activation]

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, units), h, kernel, mask or None; outputs, last h."""
        z, h, kernel, mask = args
        np.multiply(z, self.outer, self.gates[:, 0])
        np.multiply(kernel, self.outer, self.kernel[0])
        self._begin(h, mask)
        for t, (row, h_old, h_new) in enumerate(zip(self.gates, self.hs, self.hs[1:], strict=False)):
            np.dot(h_old, self.kernel[0], h_new)
            np.add(h_new, row[0], h_new)
            self.act(h_new)
            if self.dropped is not None:
                np.copyto(h_new, h_old, where=self.dropped[t])
        self._results(*outs)

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, kernel from those of outputs and last h."""
        g, g_h = gs
        dz, dh0, dkernel = outs
        kernel, flow = np.ascontiguousarray(args[2]), self._back_memory()
        self.slope(self.hs[1:], flow)
        if self.dropped is not None:
            np.copyto(flow, 0, where=self.dropped)
        dh, started, dropped = self._wanted(g, g_h)
        for t in range(len(g))[::-1]:
            _add_output(dh, g, started, t)
            np.multiply(flow[t], dh, flow[t])
            np.dot(flow[t], kernel.T, self.part)
            if dropped is None:
                np.copyto(dh, self.part)
            else:
                np.multiply(dh, dropped[t], dh)
                np.add(dh, self.part, dh)
        np.copyto(dz, flow)
        np.copyto(dh0, dh)
        np.copyto(dkernel, _product(self.hs[:-1], flow))
