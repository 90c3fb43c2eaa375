"""Writing a planned program: a walk over the lines of a program that gives each value a place and each op a
call.

The walk keeps for every tensor how often it is still to be used. An op's result takes a buffer from the pool,
or the place that was chosen for it (a slice of the flat gradients, a state's memory, the step of a loop's
result), or, where an op of single elements has an argument that nobody uses afterwards, that argument's
memory. How each op is written is in `lines`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

import numpy as np

from keras_front.backend import symbolic

from . import lines, lines_images, loops
from .memory import Arena, Pool, Root, Value, aligned, rounded, same_memory
from .rewriting import rewritten

UPDATES = ("sgd_update", "rmsprop_update", "adam_update")


def flat(item: Any) -> Iterator[Any]:
    """The tensors in nested lists, tuples and dicts, in order."""
    return symbolic.leaves_of(item)


def donated_leaves(program: Any) -> list[Any]:
    return [t for place in program.donate for t in flat(program.args[place])]


def update_groups(program: Any, leaves: Sequence[Any]) -> list[list[int]]:
    """Places of the state that an optimizer changes together, and that therefore lie side by side."""
    place = {t: i for i, t in enumerate(leaves)}
    groups: list[list[int]] = []
    taken: set[int] = set()
    for line in program.instructions:
        if line.op not in UPDATES:
            continue
        for group in (line.args[0], *line.args[2:-1]):
            if not isinstance(group, list):
                continue
            places = [place[t] for t in group if t in place]
            if len(places) == len(group) and not taken.intersection(places) and len({t.dtype for t in group}) == 1:
                groups.append(places)
                taken.update(places)
    return groups


def state_pairs(program: Any) -> list[tuple[Any, Any]]:
    """(donated argument, result that takes its place): the k-th donated argument and the k-th result, leaf by leaf."""
    results = program.results if isinstance(program.results, tuple) else (program.results,)
    pairs: list[tuple[Any, Any]] = []
    for place, result in zip(program.donate, results, strict=False):
        old, new = list(flat(program.args[place])), list(flat(result))
        if [(t.shape, t.dtype) for t in old] == [(t.shape, t.dtype) for t in new]:
            pairs.extend(zip(old, new, strict=True))
    return pairs


class Plan:
    """One program, planned for one arena. `function` runs it; it answers None if its state is not in the arena."""

    def __init__(self, program: Any, arena: Arena):
        self.program, self.arena, self.backend = program, arena, program.backend
        self.pool = Pool()
        self.scope: dict[str, Any] = {"views": arena.views, "same": is_}
        self.text: list[str] = []
        self.indent = "    "
        self.values: dict[Any, Value] = {}
        self.places: dict[Any, tuple[np.ndarray, Root]] = {}  # tensor -> memory chosen for it beforehand
        self.steps: dict[Any, str] = {}  # tensor -> the loop variable into which it is written
        self.pair(dict(state_pairs(program)))
        self.gradients: dict[int, tuple[np.ndarray, list[np.ndarray]]] = {}  # of each update: all, and one by one
        self.depth = 0  # of loops
        self.after_line: list[Root] = []  # scratch memory of the present line
        self.place_of = {t: i for i, t in enumerate(donated_leaves(program))}
        self._names: Counter[str] = Counter()
        self._bound: dict[Any, str] = {}
        self.function = self._write()

    # Names and text --------------------------------------------------------------------------------------------

    def name(self, prefix: str) -> str:
        self._names[prefix] += 1
        return f"{prefix}{self._names[prefix]}"

    def bind(self, item: Any, prefix: str = "k") -> str:
        """A name for an object that the text uses."""
        key = id(item)
        if key not in self._bound:
            self._bound[key] = self.name(prefix)
            self.scope[self._bound[key]] = item
        return self._bound[key]

    def use(self, name: str, item: Any) -> str:
        """A name that the text may use as it is, such as that of a ufunc."""
        self.scope.setdefault(name, item)
        return name

    def put(self, line: str, *notes: Any) -> None:
        note = "  # " + ", ".join(map(str, notes)) if notes else ""
        self.text.append(f"{self.indent}{line}{note}")

    # The whole program -----------------------------------------------------------------------------------------

    def _write(self) -> Any:
        program = self.program
        self.prepare(rewritten(program.instructions, flat(program.results)), program.results)
        head, unpack = self._arguments()
        self._choose_places(self.body)
        for line in self.body:
            self.write(line)
        last = self._finish()
        body = [f"def program({', '.join(head)}):", *unpack]
        if self._warns():
            self.scope["errstate"] = np.errstate
            body += ["    with errstate(all='ignore'):", *(f"    {line}" for line in self.text or ["    pass"])]
        else:
            body += self.text
        program._source = self.source = "\n".join([*body, f"    return {last}", ""])
        # Names are globals: Python finds these as fast as variables of a closure, and compiles a function with
        # thousands of them in a twentieth of the time.
        exec(compile(self.source, "<planned program>", "exec"), self.scope)
        return self.scope["program"]

    def _warns(self) -> bool:
        return any(name in self.scope for name in lines.LOUD)

    def pair(self, pairs: dict[Any, Any]) -> None:
        """Note which tensors take the place of which donated or carried ones."""
        self.pairs = pairs
        self.replaced: dict[Any, list[Any]] = {}
        for old, new in pairs.items():
            self.replaced.setdefault(new, []).append(old)

    def prepare(self, body: Sequence[Any], results: Any) -> None:
        """Count the uses of every tensor in these lines and results."""
        self.body = list(body)
        self.uses, self.users = loops.users_of(self.body)
        self.made = {t: line for line in self.body for t in line.outs}
        self.kept = set(flat(results))
        self.uses.update(flat(results))

    def enter(self) -> tuple[Any, ...]:
        """Begin the body of a loop: other lines, other tensors, the same pool."""
        saved = tuple(getattr(self, name) for name in _INNER)
        self.values, self.places, self.steps, self.depth = {}, {}, {}, self.depth + 1
        return saved + (self.indent,)

    def leave(self, saved: tuple[Any, ...]) -> None:
        for tensor in list(self.values):  # whatever the body still held is free now
            self.release(tensor)
        for name, value in zip((*_INNER, "indent"), saved, strict=True):
            setattr(self, name, value)

    def _arguments(self) -> tuple[list[str], list[str]]:
        """The parameters of the function, and the lines that take them apart."""
        program, head, unpack = self.program, [], []
        arrays = iter(self.arena.arrays())
        views: list[str] = []
        start = 0
        for place, arg in enumerate([*program.args, *([program.captures] if program.captures else [])]):
            if place in program.donate:
                head.append(f"args{place}")
                leaves = list(flat(arg))
                part = "views" if len(leaves) == len(self.arena.views) else f"views[{start}:{start + len(leaves)}]"
                views.append(f"all(map(same, {f'args{place}' if isinstance(arg, list) else f'[args{place}]'}, {part}))")
                start += len(leaves)
                for t in leaves:
                    self._hold(t, next(arrays), "s", Root(None, pinned=True))
            elif isinstance(arg, list):
                head.append(f"args{place}")
                names = [self._leaf(t) for t in arg]
                used = [(name, i) for i, (t, name) in enumerate(zip(arg, names, strict=True)) if self.uses[t]]
                if len(used) == len(names) and names:
                    unpack.append(f"    [{', '.join(names)}] = args{place}")
                else:
                    unpack += [f"    {name} = args{place}[{i}]" for name, i in used]
            else:
                head.append(self._leaf(arg))
        if views and start:
            self.scope["all"] = all
            unpack.insert(0, f"    if not ({' and '.join(views)}):\n        return None")
        return head, unpack

    def _leaf(self, tensor: Any) -> str:
        if tensor is None:
            return "_"
        name = self.name("x")
        self.values[tensor] = Value(name, tensor.shape, tensor.dtype)
        return name

    def _hold(self, tensor: Any, array: np.ndarray, prefix: str, root: Root | None) -> Value:
        """A tensor in memory that is known already."""
        value = Value(self.bind(array, prefix), array.shape, array.dtype, array, root)
        self.values[tensor] = value
        if root is not None:
            root.live.add(tensor)
        return value

    def _choose_places(self, body: Sequence[Any]) -> None:
        """Gradients that an optimizer takes together are written side by side."""
        for line in body:
            grads = line.args[1] if line.op in UPDATES else []
            if not grads or len({g.dtype for g in grads}) != 1:
                continue
            memory = aligned(sum(rounded(_nbytes(g)) for g in grads))
            memory.fill(0)
            start, pieces = 0, []
            for g in grads:
                pieces.append(memory[start : start + _nbytes(g)].view(g.dtype).reshape(g.shape))
                start += rounded(_nbytes(g))
                self._place(g, pieces[-1])
            self.gradients[id(line)] = memory.view(grads[0].dtype), pieces

    def _place(self, tensor: Any, array: np.ndarray) -> None:
        if tensor in self.places or tensor in self.values:
            return
        self.places[tensor] = (array, Root(None, pinned=True))
        line = self.made.get(tensor)
        if line is not None and line.op == "reshape" and self.uses[line.args[0]] == 1:
            self._place(line.args[0], array.reshape(line.args[0].shape))

    def _finish(self) -> str:
        """Results that are not the state get memory of their own; then what is left of the state is copied in."""
        results = self.program.results
        parts = list(results) if isinstance(results, tuple) else [results]
        donated = {k for k, place in enumerate(self.program.donate) if k < len(parts) and self._paired(place, parts[k])}
        written, start = [], 0
        for k, part in enumerate(parts):
            if k in donated:
                count = len(list(flat(part)))
                whole = start == 0 and count == len(self.arena.views)
                text = "views.copy()" if whole else f"views[{start}:{start + count}]"
                written.append(text if isinstance(part, list) else f"views[{start}]")
                start += count
            else:
                written.append(symbolic_text(part, self._own))
        self.move_pairs()
        if not isinstance(results, tuple):
            return written[0]
        return f"({', '.join(written)}{',' if len(written) == 1 else ''})"

    def move_pairs(self) -> None:
        """Copy into donated or carried memory what was not computed there."""
        pairs = [(self.values[old], self.value(new)) for old, new in self.pairs.items()]
        moves = [(old, new) for old, new in pairs if not same_memory(new.array, old.array)]
        copyto = self.use("copyto", np.copyto)
        sources, targets = [], {id(old.root) for old, _ in moves}
        for _, new in moves:  # a value that lies where another move goes must step aside first
            if new.root is not None and new.root.pinned and id(new.root) in targets:
                array, _ = self.pool.take(new.shape, new.dtype)
                sources.append(self.bind(array, "b"))
                self.put(f"{copyto}({sources[-1]}, {new.expr})")
            else:
                sources.append(new.expr)
        for (old, _), source in zip(moves, sources, strict=True):
            self.put(f"{copyto}({old.expr}, {source})")

    def _paired(self, place: int, part: Any) -> bool:
        leaves = list(flat(self.program.args[place]))
        return bool(leaves) and all(t in self.pairs for t in leaves) and len(leaves) == len(list(flat(part)))

    def _own(self, tensor: Any) -> str:
        """An expression for a result that shares memory with nothing of the program's."""
        value = self.value(tensor)
        if value.fresh and self.uses[tensor] <= 1:
            return value.expr
        name = self.name("r")
        self.put(f"{name} = {value.expr}.copy()")
        return name

    # Values ----------------------------------------------------------------------------------------------------

    def value(self, tensor: Any) -> Value:
        """Where a tensor is."""
        found = self.values.get(tensor)
        if found is None:
            array = np.ascontiguousarray(self.backend.convert(tensor.constant, tensor.dtype)).reshape(tensor.shape)
            found = self.values[tensor] = Value(self.bind(array), array.shape, array.dtype, array)
        return found

    def out(self, tensor: Any, like: Sequence[Any] = ()) -> Value:
        """A place for a result. `like` are arguments whose memory it may take over if nobody uses them afterwards."""
        if tensor in self.steps:
            value = self.values[tensor] = Value(self.steps[tensor], tensor.shape, tensor.dtype)
            return value
        if tensor in self.places:
            array, root = self.places[tensor]
            return self._hold(tensor, array, "g", root)
        for old in self.replaced.get(tensor, ()):
            if self._free_for(old, sum(t is old for t in like)):
                held = self.values[old]
                return self._hold(tensor, held.array, "s", held.root)  # type: ignore[arg-type]
        if self._is_result(tensor):
            name = self.name("r")
            self.put(f"{name} = {self.use('empty', np.empty)}({tuple(tensor.shape)}, {self.bind_dtype(tensor.dtype)})")
            value = self.values[tensor] = Value(name, tensor.shape, tensor.dtype, fresh=True)
            return value
        for arg in like:
            value = self.values.get(arg)
            if value is not None and self._may_take(arg, value, tensor, like):
                return self._hold(tensor, value.array, "b", value.root)  # type: ignore[arg-type]
        array, root = self.pool.take(tensor.shape, tensor.dtype)
        return self._hold(tensor, array, "b", root)

    def bind_dtype(self, dtype: Any) -> str:
        return self.use(str(np.dtype(dtype)), np.dtype(dtype))

    def _is_result(self, tensor: Any) -> bool:
        return not self.depth and tensor in self.results

    @property
    def results(self) -> set[Any]:
        found = self.__dict__.get("_results")
        if found is None:
            state = set(self.pairs.values())
            found = self.__dict__["_results"] = {t for t in flat(self.program.results) if t not in state}
        return found

    def _free_for(self, old: Any, times: int) -> bool:
        """Whether the memory of a donated tensor may be written now: this line uses it last, so many `times`."""
        held = self.values[old]
        rest = held.root.live - {old} if held.root is not None else {old}
        if rest or held.array is None:
            return False
        return self.uses[old] == times

    def _may_take(self, arg: Any, value: Value, tensor: Any, like: Sequence[Any]) -> bool:
        root = value.root
        if root is None or root.pinned or value.array is None or value.shape != tuple(tensor.shape):
            return False
        if value.dtype != np.dtype(tensor.dtype) or not value.array.flags.c_contiguous:
            return False
        return root.live == {arg} and self.uses[arg] == sum(t is arg for t in like)

    def scratch(self, shape: Sequence[int], dtype: Any) -> tuple[str, np.ndarray, Root]:
        """Memory for the present line; to be given back with `self.pool.give`."""
        array, root = self.pool.take(shape, dtype)
        return self.bind(array, "b"), array, root

    def view(self, tensor: Any, source: Any, array: np.ndarray | None, text: str) -> None:
        """`tensor` is a view of `source`: `array` if that is known, else what `text` says."""
        value = self.value(source)
        if array is not None:
            expr = self.bind(array, "b")
            self.values[tensor] = Value(expr, array.shape, array.dtype, array, value.root)
            if value.root is not None:
                value.root.live.add(tensor)
            return
        name = self.name("v")
        self.put(f"{name} = {text}")
        self.values[tensor] = Value(name, tensor.shape, tensor.dtype)

    def new(self, tensor: Any, text: str, fresh: bool = True) -> None:
        """`tensor` is what `text` computes, in memory of its own."""
        name = self.name("v")
        self.put(f"{name} = {text}")
        self.values[tensor] = Value(name, tensor.shape, tensor.dtype, fresh=fresh)

    # Lines -----------------------------------------------------------------------------------------------------

    def write(self, line: Any) -> None:
        """Write one line, then let go of what it used last."""
        _writer(line.op)(self, line)
        for root in self.after_line:
            self.pool.give(root)
        self.after_line.clear()
        for tensor in line.inputs():
            self.uses[tensor] -= 1
        for tensor in {*line.inputs(), *line.outs}:
            if not self.uses[tensor]:
                self.release(tensor)

    def release(self, tensor: Any) -> None:
        """Forget a tensor; its memory goes back to the pool if nothing else lives there."""
        value = self.values.get(tensor)
        if value is None or value.root is None or tensor not in value.root.live:
            return
        value.root.live.discard(tensor)
        if not value.root.live:
            self.pool.give(value.root)

    def value_or_none(self, tensor: Any) -> Value | None:
        return self.values.get(tensor)

    def attribute(self, value: Any) -> str:
        """An attribute as Python text."""
        if (
            value is None
            or isinstance(value, bool | int | str | tuple)
            or (isinstance(value, float) and np.isfinite(value))
        ):
            return repr(value)
        return self.bind(value, "a")


_INNER = ("values", "places", "steps", "depth", "body", "uses", "users", "made", "kept", "pairs", "replaced")


def _writer(op: str) -> Any:
    for module in (loops, lines, lines_images):
        found = getattr(module, f"write_{op}", None)
        if found is not None:
            return found
    return lines.TABLE.get(op, lines.write_any)


def _nbytes(tensor: Any) -> int:
    return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def symbolic_text(item: Any, text_of: Any) -> str:
    """Nested lists, tuples and dicts of tensors as Python text."""
    if isinstance(item, symbolic.SymbolicTensor):
        return text_of(item)
    if isinstance(item, list):
        return f"[{', '.join(symbolic_text(i, text_of) for i in item)}]"
    if isinstance(item, tuple):
        return f"({', '.join(symbolic_text(i, text_of) for i in item)}{',' if len(item) == 1 else ''})"
    if isinstance(item, dict):
        return f"{{{', '.join(f'{k!r}: {symbolic_text(v, text_of)}' for k, v in item.items())}}}"
    return repr(item)
