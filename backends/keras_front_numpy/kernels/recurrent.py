"""The recurrent parts of LSTM, GRU and SimpleRNN, forward and backward, in about a dozen calls a step.

Inside, each gate of a step is a block of its own, (steps, gates, batch, units), so that a call runs over memory without
gaps; the gates of an LSTM stand in the order o, i, f, c, so that those with a sigmoid lie
together, and those that c enters. A sigmoid is computed as `(1 + tanh(x / 2)) / 2`: NumPy's
`tanh` takes half the time of `exp`, cannot overflow, and does all gates of a step in one call where the activation is
tanh as well. What an activation scales its argument with is folded into weights and inputs beforehand.
All steps are kept, and what the backward pass needs of them is computed for some steps at once; per step it then takes
half a dozen calls. Nothing is allocated after the first call but the two small arrays of a mask.

Where a mask drops a row its states stay. In the backward pass such a row passes on what it is given: the slopes of its
gates are 0, and the factor by which it keeps its state is 1. An output that repeats the one before it is the state
that stayed, so its gradient is that of the state; outputs before the first kept step are 0, and have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

SPAN = 1 << 16  # elements of gates that are prepared at once, while they stay in the cache


_HALF = {np.dtype(t).char: np.array(0.5, t) for t in ("float16", "float32", "float64")}  # quicker than a number


def _half(y: np.ndarray) -> None:
    """From -1 .. 1 to 0 .. 1."""
    half = _HALF[y.dtype.char]
    np.multiply(y, half, y)
    np.add(y, half, y)


def _cut(y: np.ndarray) -> None:
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


class Activation(NamedTuple):
    """An activation.

    Args:
        scale: What the argument is scaled with beforehand.
        curve: `curve(x, out)`, the first part.
        finish: The rest, in place; None for none.
        slope: `slope(y, out)`, the derivative as a function of the result.
    """

    scale: float
    curve: Callable[[np.ndarray, np.ndarray], Any]
    finish: Callable[[np.ndarray], None] | None
    slope: Callable[[np.ndarray, np.ndarray], Any]

    def __call__(self, x: np.ndarray, out: np.ndarray) -> None:
        self.curve(x, out)
        if self.finish is not None:
            self.finish(out)


ACTIVATIONS = {
    "tanh": Activation(1.0, np.tanh, None, _tanh_slope),
    "sigmoid": Activation(0.5, np.tanh, _half, _sigmoid_slope),
    "hard_sigmoid": Activation(0.2, lambda x, out: np.add(x, 0.5, out), _cut, _hard_sigmoid_slope),
    "relu": Activation(1.0, lambda x, out: np.maximum(x, 0, out=out), None, lambda y, out: np.copyto(out, y > 0)),
    "linear": Activation(1.0, np.positive, None, lambda y, out: out.fill(1)),
}


class _Layer:
    """One layer for given shapes; after `forward`, `backward` goes back over the same steps."""

    _gates = 1
    _places: Sequence[tuple[slice, slice]] = (
        (slice(None), slice(None)),
    )  # blocks, and which of the gates in the order of K they are

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

    def _split(self, columns: np.ndarray) -> np.ndarray:
        """A view in which the gates, side by side in the last axis, are the third axis from the end."""
        return columns.reshape(*columns.shape[:-1], self._gates, self.units).swapaxes(-3, -2)

    def _arrange(self, source: np.ndarray, target: np.ndarray) -> None:
        """Columns of gates as blocks."""
        split = self._split(source)
        for blocks, gates in self._places:
            np.copyto(target[..., blocks, :, :], split[..., gates, :, :])

    def _restore(self, source: np.ndarray, target: np.ndarray) -> None:
        """Blocks as columns."""
        split = self._split(target)
        for blocks, gates in self._places:
            np.copyto(split[..., gates, :, :], source[..., blocks, :, :])

    def _scale(self, blocks: np.ndarray, gate: float, act: float) -> None:
        """Fold in what the activations scale their arguments with, that of the last block and that of the others."""
        for scale, place in ((gate, slice(-1)), (act, slice(-1, None))):
            if scale != 1:
                part = blocks[..., place, :, :]
                np.multiply(part, scale, part)

    def _back_kernel(self, kernel: np.ndarray) -> None:
        """The blocks of a kernel transposed, for the way back."""
        self._arrange(kernel, self.back.swapaxes(1, 2))

    def _begin(self, h: Any, mask: Any) -> None:
        np.copyto(self.hs[0], h)
        self.dropped = None if mask is None else np.logical_not(mask)[..., None]

    def _results(self, outputs: Any, last: Any) -> None:
        np.copyto(outputs, self.hs[1:])
        np.copyto(last, self.hs[-1])
        if self.dropped is not None:
            np.copyto(outputs, 0, where=np.logical_and.accumulate(self.dropped, 0))

    def _back_memory(self) -> np.ndarray:
        """Memory that only training needs: the gradients of all gates, as blocks."""
        if self.flow is None:
            self.flow, self.back = np.empty_like(self.gates), np.empty_like(self.kernel)
            self._more_back_memory()
        return self.flow

    def _more_back_memory(self) -> None:
        pass

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
    _places = ((slice(1, 4), slice(0, 3)), (slice(0, 1), slice(3, 4)))

    def __init__(self, steps: int, batch: int, units: int, dtype: Any, activation: str, recurrent_activation: str):
        super().__init__(steps, batch, units, dtype)
        self.act, self.gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
        self.scales = self.gate.scale, self.act.scale
        self.cs, self.squashed = np.empty_like(self.hs), np.empty(self.shape, dtype)

    def _more_back_memory(self) -> None:
        self.from_h, self.to_c = np.empty_like(self.squashed), np.empty_like(self.squashed)

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, 4 units), h, c, kernel, mask (steps, batch) or None; outputs, last h, last c."""
        z, h, c, kernel, mask = args
        self._arrange(kernel, self.kernel)
        self._scale(self.kernel, *self.scales)
        self._begin(h, mask)
        np.copyto(self.cs[0], c)
        rows = zip(self.gates, self.hs[:-1], self.cs[:-1], self.hs[1:], self.cs[1:], self.squashed, strict=True)
        for t, row in enumerate(rows):
            if t % self.span == 0:
                self._prepare(z[t : t + self.span], self.gates[t : t + self.span])
            self._step(*row)
            if self.dropped is not None:
                _, h_old, c_old, h_new, c_new, _ = row
                np.copyto(h_new, h_old, where=self.dropped[t])
                np.copyto(c_new, c_old, where=self.dropped[t])
        self._results(*outs[:2])
        np.copyto(outs[2], self.cs[-1])

    def _prepare(self, z: np.ndarray, gates: np.ndarray) -> None:
        self._arrange(z, gates)
        self._scale(gates, *self.scales)

    def _step(self, gates: Any, h_old: Any, c_old: Any, h_new: Any, c_new: Any, squashed: Any) -> None:
        self._add_product(h_old, gates)
        self._activate(gates)
        o, i, f, c = gates
        np.multiply(f, c_old, c_new)
        np.multiply(i, c, self.part)
        np.add(c_new, self.part, c_new)
        if self.act.scale == 1:
            self.act(c_new, squashed)
        else:
            np.multiply(c_new, self.act.scale, squashed)
            self.act(squashed, squashed)
        np.multiply(o, squashed, h_new)

    def _activate(self, gates: Any) -> None:
        act, gate = self.act, self.gate
        if act.curve is not gate.curve:
            gate(gates[:3], gates[:3])
            act(gates[3], gates[3])
            return
        act.curve(gates, gates)
        if gate.finish is not None:
            gate.finish(gates[:3])
        if act.finish is not None:
            act.finish(gates[3])

    def _add_product(self, h: Any, gates: Any) -> None:
        np.matmul(h, self.kernel, self.product)
        np.add(gates, self.product, gates)

    def _back_product(self, gates: Any, dh: Any) -> None:
        np.matmul(gates, self.back, self.product)
        np.add.reduce(self.product, axis=0, out=dh)

    def _kernel_gradient(self, flow: np.ndarray) -> np.ndarray:
        return _product(self.hs[:-1], flow)

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, c, kernel from those of outputs, last h and last c; `args` as `forward` had them."""
        g, g_h, g_c = gs
        part, flow = self.part, self._back_memory()
        self._back_kernel(args[3])
        (dh, started, dropped), dc, held = self._wanted(g, g_h), np.array(g_c), np.empty_like(part)
        rows = list(zip(flow, self.to_c, self.from_h, self.gates[:, 2], strict=True))
        for t in range(len(g))[::-1]:
            if (t + 1) % self.span == 0 or t + 1 == len(g):
                self._slopes(slice(t // self.span * self.span, t + 1))
            gates, to_c, from_h, forget = rows[t]
            _add_output(dh, g, started, t)
            np.multiply(dh, to_c, part)
            np.add(dc, part, dc)
            np.multiply(gates[1:], dc, gates[1:])
            np.multiply(dh, from_h, gates[0])
            np.multiply(dc, forget, dc)
            if dropped is not None:
                np.multiply(dh, dropped[t], held)
            self._back_product(gates, dh)
            if dropped is not None:
                np.add(dh, held, dh)
            if t % self.span == 0:
                self._restore(flow[t : t + self.span], outs[0][t : t + self.span])
        np.copyto(outs[1], dh)
        np.copyto(outs[2], dc)
        np.copyto(outs[3], self._kernel_gradient(outs[0]))

    def _slopes(self, steps: slice) -> None:
        """How dc enters the gates (that of o is left out), how dh enters o, and how dh enters dc."""
        from_h, to_c, squashed = self.from_h[steps], self.to_c[steps], self.squashed[steps]
        flow, gates = self._back_memory()[steps], self.gates[steps]
        o, i, f, c = gates.swapaxes(0, 1)
        self.gate.slope(gates[:, :3], flow[:, :3])
        np.multiply(flow[:, 0], squashed, from_h)
        np.multiply(flow[:, 1], c, flow[:, 1])
        np.multiply(flow[:, 2], self.cs[steps], flow[:, 2])
        self.act.slope(c, flow[:, 3])
        np.multiply(flow[:, 3], i, flow[:, 3])
        self.act.slope(squashed, to_c)
        np.multiply(to_c, o, to_c)
        if self.dropped is not None:
            dropped = self.dropped[steps]
            for slopes in (from_h, to_c, flow.swapaxes(0, 1)):
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
        self.act, self.gate = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
        self.reset_after = reset_after
        self.own = np.empty(self.shape, dtype)  # what r multiplies, or has multiplied

    def _more_back_memory(self) -> None:
        self.to_h, self.reset_slope = np.empty(self.shape, self.hs.dtype), np.empty(self.shape, self.hs.dtype)

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, 3 units), h, kernel, bias (units,) or None, mask or None; outputs, last h."""
        z, h, kernel, bias, mask = args
        for source, target in ((z, self.gates), (kernel, self.kernel)):
            self._arrange(source, target)
            self._scale(target, self.gate.scale, 1.0)
        self._begin(h, mask)
        candidate = self._after if self.reset_after else self._before
        bias = np.zeros((), self.hs.dtype) if bias is None else bias
        for t in range(len(z)):
            gates, h_old, h_new = self.gates[t], self.hs[t], self.hs[t + 1]
            candidate(gates, self.own[t], h_old, bias)
            if self.act.scale != 1:
                np.multiply(gates[2], self.act.scale, gates[2])
            self.act(gates[2], gates[2])
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
        self.gate(gates[:2], gates[:2])
        np.add(product[2], bias, own)
        np.multiply(gates[1], own, self.part)
        np.add(gates[2], self.part, gates[2])

    def _before(self, gates: Any, own: Any, h: Any, bias: Any) -> None:
        product = self.product
        np.matmul(h, self.kernel[:2], product[:2])
        np.add(gates[:2], product[:2], gates[:2])
        self.gate(gates[:2], gates[:2])
        np.multiply(gates[1], h, own)
        np.dot(own, self.kernel[2], self.part)
        np.add(self.part, bias, self.part)
        np.add(gates[2], self.part, gates[2])

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, kernel and, if there is one, bias from those of outputs and last h."""
        g, g_h = gs
        self._back_memory()
        self._back_kernel(args[2])
        self._slopes()
        dh, started, _ = self._wanted(g, g_h)
        back = self._back_after if self.reset_after else self._back_before
        for t in range(len(g))[::-1]:
            _add_output(dh, g, started, t)
            back(t, self._back_memory()[t], dh)
        self._gradients(dh, outs)

    def _back_after(self, t: int, flow: Any, dh: Any) -> None:
        np.multiply(flow, dh, flow)
        np.multiply(self.to_h[t], dh, self.to_h[t])
        np.multiply(dh, self.gates[t, 0], dh)
        np.matmul(flow, self.back, self.product)
        np.add.reduce(self.product, axis=0, out=self.part)
        np.add(dh, self.part, dh)

    def _back_before(self, t: int, flow: Any, dh: Any) -> None:
        part, product = self.part, self.product[:2]
        np.multiply(flow[::2], dh, flow[::2])
        np.dot(flow[2], self.back[2], part)
        np.multiply(part, self.reset_slope[t], flow[1])
        np.multiply(part, self.gates[t, 1], part)
        np.multiply(dh, self.gates[t, 0], dh)
        np.add(dh, part, dh)
        np.matmul(flow[:2], self.back[:2], product)
        np.add.reduce(product, axis=0, out=part)
        np.add(dh, part, dh)

    def _slopes(self) -> None:
        """For all steps: how dh enters z and h, and how what has reached h enters r."""
        flow, h_old = self._back_memory(), self.hs[:-1]
        update, reset, candidate = self.gates.swapaxes(0, 1)
        self.gate.slope(self.gates[:, :2], flow[:, :2])
        np.subtract(h_old, candidate, self.to_h)
        np.multiply(flow[:, 0], self.to_h, flow[:, 0])
        self.act.slope(candidate, self.to_h)
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
            for slopes in (flow.swapaxes(0, 1), self.to_h):
                np.copyto(slopes, 0, where=self.dropped)
            np.copyto(update, 1, where=self.dropped)

    def _gradients(self, dh: np.ndarray, outs: Sequence[Any]) -> None:
        u, states = self.units, self.hs[:-1]
        dz, dh0, dkernel, *dbias = outs
        np.copyto(dh0, dh)
        self._restore(self._back_memory(), dz)
        if dbias:
            np.sum(dz[..., 2 * u :], (0, 1), out=dbias[0])
        if self.reset_after:
            np.copyto(dkernel, _product(states, dz))
            np.copyto(dz[..., 2 * u :], self.to_h)
        else:
            np.copyto(dkernel[:, : 2 * u], _product(states, dz[..., : 2 * u]))
            np.copyto(dkernel[:, 2 * u :], _product(self.own, dz[..., 2 * u :]))


class SimpleRNN(_Layer):
    """A fully connected recurrent layer for given shapes."""

    def __init__(self, steps: int, batch: int, units: int, dtype: Any, activation: str):
        super().__init__(steps, batch, units, dtype)
        self.act = ACTIVATIONS[activation]

    def forward(self, args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Shape: z (steps, batch, units), h, kernel, mask or None; outputs, last h."""
        z, h, kernel, mask = args
        np.multiply(z, self.act.scale, self.gates[:, 0])
        np.multiply(kernel, self.act.scale, self.kernel[0])
        self._begin(h, mask)
        for t, (row, h_old, h_new) in enumerate(zip(self.gates[:, 0], self.hs, self.hs[1:], strict=False)):
            np.dot(h_old, self.kernel[0], h_new)
            np.add(h_new, row, h_new)
            self.act(h_new, h_new)
            if self.dropped is not None:
                np.copyto(h_new, h_old, where=self.dropped[t])
        self._results(*outs)

    def backward(self, gs: Sequence[Any], args: Sequence[Any], outs: Sequence[Any]) -> None:
        """Gradients for z, h, kernel from those of outputs and last h."""
        g, g_h = gs
        dz, dh0, dkernel = outs
        flow = self._back_memory()[:, 0]
        self._back_kernel(args[2])
        self.act.slope(self.hs[1:], flow)
        if self.dropped is not None:
            np.copyto(flow, 0, where=self.dropped)
        dh, started, dropped = self._wanted(g, g_h)
        for t in range(len(g))[::-1]:
            _add_output(dh, g, started, t)
            np.multiply(flow[t], dh, flow[t])
            np.dot(flow[t], self.back[0], self.part)
            if dropped is None:
                np.copyto(dh, self.part)
            else:
                np.multiply(dh, dropped[t], dh)
                np.add(dh, self.part, dh)
        np.copyto(dz, flow)
        np.copyto(dh0, dh)
        np.copyto(dkernel, _product(self.hs[:-1], flow))
