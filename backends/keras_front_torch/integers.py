"""Quotients and remainders of integers by 0, which torch refuses: 0, as in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_NUMBERS = frozenset((int, float, bool))


def _without_zero(divided: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def run(self: Any, x: Any, y: Any) -> Any:
        if (x if y.__class__ in _NUMBERS else y).is_floating_point():
            return divided(x, y)
        none = torch.eq(torch.as_tensor(y, device=getattr(x, "device", None)), 0)
        return torch.where(none, 0, divided(x, torch.where(none, 1, y)))

    return run


class Integers:
    """The methods; `TorchBackend` inherits them."""

    floor_divide, mod = _without_zero(torch.floor_divide), _without_zero(torch.remainder)
