"""Recurrent layers by torch's own functions, also with masks, which torch does not know.

A mask only says which steps of a row count. So they are moved to the front, torch runs over all steps, and each output
is taken from where its step went: the last one that counts, up to there. What follows the last of them in a row is
computed and thrown away; the cell of an LSTM, which torch gives for the last step alone, is carried through it by one
more column of inputs, which opens the forget gate and closes the input gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_OPEN = 1e4  # sigmoid of it is 1, of its negative 0; float16 has it
SIMPLE = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}


def lstm(x: Any, h: Any, c: Any, kernel: Any, recurrent_kernel: Any, bias: Any, mask: Any, reverse: bool) -> Any:
    """With a mask, a step that is left out gets gates that keep the state: one more input says which."""
    x, mask = _ordered(x, mask, reverse)
    if mask is not None:
        mask, order = _kept_first(mask)
        units = h.shape[-1]
        row = torch.cat([kernel.new_full((units,), v) for v in (-_OPEN, _OPEN, 0, 0)])
        passed = (~mask.gather(1, order)).to(x.dtype).unsqueeze(-1)
        x, kernel = torch.cat([_steps(x, order), passed], -1), torch.cat([kernel, row.unsqueeze(0)])
    weights = _weights(kernel, recurrent_kernel, bias, None)
    states = h.unsqueeze(0), c.unsqueeze(0)
    y, last, c = torch.lstm(x, states, weights, bias is not None, 1, 0.0, True, False, True)
    return (y, last[0], c[0]) if mask is None else (*_taken(y, h, mask), c[0])


def gru(x: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any, mask: Any, reverse: bool) -> Any:
    """With `reset_after`; torch has the gates in the order r, z, h."""
    of_inputs, of_state = (bias, None) if bias is None or bias.ndim == 1 else (bias[0], bias[1])
    given = [t if t is None else _reset_first(t) for t in (kernel, recurrent_kernel, of_inputs, of_state)]
    return _run(torch.gru, x, h, _weights(*given), bias is not None, mask, reverse)


def simple_rnn(
    x: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any, mask: Any, activation: str, reverse: bool
) -> Any:
    """With an activation of those in `SIMPLE`."""
    weights = _weights(kernel, recurrent_kernel, bias, None)
    return _run(SIMPLE[activation], x, h, weights, bias is not None, mask, reverse)


def _run(op: Callable[..., Any], x: Any, h: Any, weights: Any, biased: bool, mask: Any, reverse: bool) -> Any:
    x, mask = _ordered(x, mask, reverse)
    if mask is not None:
        mask, order = _kept_first(mask)
        x = _steps(x, order)
    y, last = op(x, h.unsqueeze(0), weights, biased, 1, 0.0, True, False, True)
    return (y, last[0]) if mask is None else _taken(y, h, mask)


def _weights(kernel: Any, recurrent_kernel: Any, bias: Any, second: Any) -> list[Any]:
    """The list of weights as torch has it; it always has two biases or none, and adds the first to the inputs."""
    biases = [] if bias is None else [bias, torch.zeros_like(bias) if second is None else second]
    return [kernel.t(), recurrent_kernel.t(), *biases]


def _reset_first(t: Any) -> Any:
    update, reset, rest = t.chunk(3, -1)
    return torch.cat([reset, update, rest], -1)


def _ordered(x: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    if not reverse:
        return x, mask
    return torch.flip(x, (1,)), None if mask is None else torch.flip(mask, (1,))


def _kept_first(mask: Any) -> tuple[Any, Any]:
    """The mask as booleans, and the order that brings the steps that it keeps to the front of each row."""
    mask = mask.bool()
    return mask, torch.argsort((~mask).byte(), dim=1, stable=True)


def _steps(x: Any, order: Any) -> Any:
    return torch.gather(x, 1, order.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def _taken(y: Any, h: Any, mask: Any) -> tuple[Any, Any]:
    """Outputs where their steps stood, and the last state, which is `h` in rows that have no step."""
    count = torch.cumsum(mask, 1)
    outputs = _steps(y, (count - 1).clamp(min=0)).masked_fill((count == 0).unsqueeze(-1), 0)
    return outputs, torch.where(count[:, -1:] == 0, h, outputs[:, -1])
