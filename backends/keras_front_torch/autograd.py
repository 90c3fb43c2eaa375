"""Functions that bring their own gradients, as torch's autograd takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def recomputed(fn: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    """A function with a gradient that runs it a second time."""

    def ruled(*xs: Any) -> Any:
        def rule(*upstream: Any) -> Any:
            fresh = [x.detach().requires_grad_(x.is_floating_point()) for x in xs]
            with torch.enable_grad():
                pairs = [(y, g) for y, g in zip(fn(fresh), upstream, strict=True) if y.requires_grad]
            wanted = [x for x in fresh if x.requires_grad]
            ys, gs = zip(*pairs, strict=True)
            flows = torch.autograd.grad(ys, wanted, gs, allow_unused=True, create_graph=torch.is_grad_enabled())
            given = dict(zip(map(id, wanted), flows, strict=True))
            return [given.get(id(x)) for x in fresh]

        return fn(list(xs)), rule

    return ruled


class Attached(torch.autograd.Function):
    """A function whose gradient is another function."""

    @staticmethod
    def forward(ctx: Any, fn: Any, *args: Any) -> Any:
        results, rule = fn(*args)
        ctx.save_for_backward(*args)
        ctx.fn, ctx.rule = fn, rule
        return tuple(r.detach() for r in results)  # `rule` may keep the results; these must not lead back to it

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        rule = ctx.rule
        if torch.is_grad_enabled():  # to be differentiated again: as a function of the arguments
            rule = ctx.fn(*ctx.saved_tensors)[1]
        return None, *rule(*upstream)


def detached(structure: Any) -> Any:
    """The tensors of lists and tuples without what they were computed from."""
    if isinstance(structure, torch.Tensor):
        return structure.detach()
    if isinstance(structure, list | tuple):
        return type(structure)(map(detached, structure))
    return structure
