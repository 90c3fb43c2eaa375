"""Variables where torch meets them: as arguments of its functions, and as leaves whose gradients it finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch

from keras_front.backend.adapter import Backend
from keras_front.backend.state import Variable
from keras_front.nest import map_structure


class WatchedVariables(Backend):
    """The part of the adapter for loops of the user's own: `loss.backward()` fills the gradients of variables."""

    def __init__(self) -> None:
        super().__init__()
        self._leaves: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def records(self, inputs: Sequence[Any] | None, asked: bool) -> bool:
        if not (asked or self._leaves) or not torch.is_grad_enabled():
            return False
        return bool(self._leaves) if inputs is None else any(isinstance(x, torch.Tensor) for x in inputs)

    def leaf(self, variable: Any) -> Any:
        held, leaf = variable.current(), self._leaves.get(variable)
        if leaf is None and held.is_floating_point():
            leaf = self._leaves[variable] = held.detach().requires_grad_()
        elif leaf is not None and leaf.data_ptr() != held.data_ptr():
            leaf.data = held.detach()
        return leaf

    def own_value(self, variable: Any) -> Any:
        return self.leaf(variable) if variable in self._leaves else super().own_value(variable)

    def forget_gradients(self, variables: Sequence[Any]) -> None:
        for leaf in (self._leaves[v] for v in variables if v in self._leaves):
            leaf.grad = None


def meet_functions_of_torch() -> None:
    """Let `torch.sum(variable)` and the like take the value, by torch's protocol `__torch_function__`."""
    Variable.__torch_function__ = classmethod(_on_values)  # type: ignore[attr-defined]


# What operators call. With a variable on the right they are left to it: what contains a variable follows it.
_NAMES = (
    "add sub mul div remainder pow matmul eq ne lt le gt ge __floordiv__ __and__ __or__ __xor__ __lshift__ __rshift__"
)
_OPERATORS = {getattr(torch.Tensor, name) for name in (*_NAMES.split(), "add_", "sub_", "mul_", "div_")}


def _on_values(cls: type, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    if function in _OPERATORS:
        return NotImplemented
    args, kwargs = map_structure(lambda x: x.read() if isinstance(x, Variable) else x, (list(args), kwargs or {}))
    return function(*args, **kwargs)
