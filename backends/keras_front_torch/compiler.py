"""Steps by torch's compiler, and as CUDA graphs: what `compile(jit_compile=True)` asks for.

A program is divided. What follows from counters alone (the number of the update, masks of dropout, whose generators are
seeded by counters) runs line by line as always. The rest is one function of tensors without a branch, differentiated by
the rules of K, so that forward pass, gradients and updates are compiled as one. Where that fails, a warning says why
and the step runs as without.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from keras_front import nest
from keras_front.backend import codegen, symbolic
from keras_front.backend.ir import Program
from keras_front_torch.host_scalars import follows_from_counters

COMPILER = "inductor"  # as `torch.compile` names it
GRAPHS = "cuda_graphs"  # what `jit_compile` says for them
_WARM = 3  # runs before a graph is recorded, as torch asks for


class Compiling:
    """What an adapter has beside torch's for programs that are compiled.

    Attributes:
        how: what `jit_compile` said.
    """

    how: Any = True

    def prefers_rules(self, record: Sequence[Any]) -> bool:
        """Always: the compiler takes no tape."""
        return True

    def _rate(self, lr: Any) -> Any:
        return lr  # a number would be part of the code

    def adam_update_in_place(
        self, params: Any, grads: Any, ms: Any, vs: Any, vhats: Any, lr: Any, t: Any, *, beta_1: float, beta_2: float,
        epsilon: float,
    ) -> Any:  # fmt: skip
        """By tensors alone: torch's fused kernel takes epsilon, which depends on the count of steps, as a number."""
        return adam_by_tensors(params, grads, ms, vs, vhats, lr, t, beta_1, beta_2, epsilon)

    def compile_program(self, program: Any) -> Callable[..., Any]:
        """A function that compiles when it is first called, and tries that on copies."""
        plain = super().compile_program(program)  # type: ignore[misc]
        return CompiledStep(program, plain, self.how)


def adam_by_tensors(
    params: Any, grads: Any, ms: Any, vs: Any, vhats: Any, lr: Any, t: Any, beta_1: float, beta_2: float, epsilon: float
) -> Any:
    """Adam's update in place, with a learning rate that is a tensor of any dtype; `t` a tensor or a number."""
    rate = lr * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
    torch._foreach_lerp_(ms, grads, 1 - beta_1)
    torch._foreach_mul_(vs, beta_2)
    torch._foreach_addcmul_(vs, grads, grads, 1 - beta_2)
    if vhats:
        torch._foreach_maximum_(vhats, vs)
    roots = torch._foreach_sqrt(vhats or vs)
    torch._foreach_add_(roots, epsilon)
    steps = torch._foreach_mul(torch._foreach_div(ms, roots), rate.to(ms[0].dtype))
    torch._foreach_sub_(params, steps)
    return params, ms, vs, vhats


class CompiledStep:
    """A program whose larger part is compiled.

    Args:
        program: the program.
        plain: the same, line by line.
        how: True, or 'cuda_graphs'.
    """

    def __init__(self, program: Program, plain: Callable[..., Any], how: Any):
        self.plain, self.how, self.results = plain, how, program.results
        of_host, self.kept, self.made = _divided(program)
        self.host, self.rest = (codegen.function_of(part) for part in of_host)
        self.compiled: Any = None

    def __call__(self, *args: Any) -> Any:
        with torch.no_grad():
            if self.compiled is None:
                self.compiled = self._tried(args)
            return self.compiled(*args)

    def _run(self, main: Callable[..., Any], args: Sequence[Any]) -> Any:
        numbers = self.host(*args)
        device = _device_of(args)
        found = dict(zip(self.kept, numbers, strict=True))
        found.update(zip(self.made, main(*args, [_on(device, n) for n in numbers]), strict=True))
        return nest.map_structure(lambda leaf: None if leaf is None else found[leaf], self.results)

    def _tried(self, args: Sequence[Any]) -> Callable[..., Any]:
        main = torch.compile(self.rest, backend=COMPILER, dynamic=False)
        try:
            expected, found = self._run(self.rest, _copies(args)), self._run(main, _copies(args))
            if self.how == GRAPHS and has_graphs(_device_of(args)):
                main = Graphed(main)
                found = self._run(main, _copies(args))
            _check_alike(found, expected)
        except Exception as error:
            warnings.warn(
                f"jit_compile={self.how!r}: torch's compiler does not take this step, which runs as without it. "
                f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}",
                stacklevel=2,
            )
            return self.plain
        return lambda *args: self._run(main, args)


class Graphed:
    """A function of tensors, recorded once as a CUDA graph and replayed: one launch in the place of hundreds.

    A graph reads and writes at fixed places. Tensors that come from elsewhere are copied there; results that lie where
    arguments do, as a state that is updated in place, are given as they are, others as copies.

    Args:
        fn: the function.
        record: `record(fn)` calls a function without arguments, and gives its results and what repeats it in place.
    """

    def __init__(self, fn: Callable[..., Any], record: Callable[..., Any] | None = None):
        self.fn, self.record = fn, record or _recorded
        self.places: list[Any] = []
        self.results: list[Any] = []
        self.replay: Callable[[], Any] | None = None

    def __call__(self, *args: Any) -> list[Any]:
        if self.replay is None:
            fixed = _copies(args)
            self.places = _tensors(fixed)
            self.results, self.replay = self.record(lambda: self.fn(*fixed))
        for place, given in zip(self.places, _tensors(args), strict=True):
            if place is not given:
                place.copy_(given)
        self.replay()
        own = set(map(id, self.places))
        return [r if id(r) in own else r.clone() for r in self.results]


def _recorded(run: Callable[[], Any]) -> tuple[Any, Callable[[], Any]]:
    """By torch's means; it runs first beside the present stream, as torch asks for."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = run()
    return results, graph.replay


def _divided(program: Program) -> tuple[tuple[Program, Program], list[Any], list[Any]]:
    """The part of counters and the rest, and which tensors either gives, in the order of its results.

    The first takes the program's arguments; the second further takes the list of what the first gives.
    """
    counters = follows_from_counters(program)
    first = [i for i in program.instructions if counters.issuperset(i.outs)]
    rest = [i for i in program.instructions if not counters.issuperset(i.outs)]
    leaves = list(dict.fromkeys(symbolic.leaves_of(program.results)))
    own = {t for i in first for t in i.outs}
    read = {t for i in rest for t in i.inputs()} | set(leaves)
    kept = [t for i in first for t in i.outs if t in read]
    made = [t for t in leaves if t not in own]
    host = program.changed(instructions=first, results=kept, donate=())
    main = program.changed(
        args=[*program.args, *([list(program.captures)] if program.captures else []), kept],
        captures=(), instructions=rest, results=made, donate=(),
    )  # fmt: skip
    return (host, main), kept, made


def has_graphs(device: torch.device) -> bool:
    """Whether a device can record what it does and repeat it."""
    return device.type == "cuda"


def _device_of(args: Sequence[Any]) -> torch.device:
    return next((t.device for t in _tensors(args) if t.ndim), torch.device("cpu"))


def _on(device: torch.device, number: Any) -> Any:
    """A number of the host as a tensor of the device: as an argument of a kernel it is not copied."""
    if number.ndim or number.device == device:
        return number
    return torch.full((), number.item(), dtype=number.dtype, device=device)


def _tensors(args: Any) -> list[Any]:
    return [t for t in nest.flatten(list(args)) if t is not None]


def _copies(args: Sequence[Any]) -> list[Any]:
    return [None if a is None else [t.clone() for t in a] if isinstance(a, list) else a.clone() for a in args]


def _check_alike(found: Any, expected: Any) -> None:
    """Raise ValueError where results of floats are further apart than another order of sums makes them."""
    for one, other in zip(_tensors([found]), _tensors([expected]), strict=True):
        loose = 2e-2 if one.dtype in (torch.float16, torch.bfloat16) else 1e-3
        if not torch.allclose(one, other, rtol=loose, atol=loose, equal_nan=True):
            raise ValueError("its results differ from those of the step as it is.")
