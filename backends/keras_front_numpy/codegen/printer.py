"""`generate`: Python text for a schedule, and the objects that the text names.

The names are globals of the function: Python finds these as fast as variables of a closure, and compiles a function
with thousands of them in a twentieth of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import is_
from typing import Any

import numpy as np

from keras_front.backend.codegen import nested_text

from .. import errstate
from ..buffers import Operand
from ..schedule.data import Operation, Parameter, Schedule, StateResult

Emitter = Callable[["Printer", Operation], None]


class Printer:
    """The text that is being written, and the names that it uses.

    Args:
        emitters: For each kind of operation the function that prints it.
    """

    def __init__(self, emitters: Mapping[str, Emitter]):
        self.emitters = emitters
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"all": all, "map": map, "zip": zip, "range": range, "same": is_}
        self._indent = "    "
        self._count: Counter[str] = Counter()
        self._names: dict[Any, str] = {}

    def line(self, text: str, *notes: Any) -> None:
        """Write a line, with notes as a comment behind it."""
        comment = "  # " + ", ".join(map(str, notes)) if notes else ""
        self.lines.append(f"{self._indent}{text}{comment}")

    @contextmanager
    def indented(self) -> Iterator[None]:
        """A context in which lines stand further to the right."""
        before = self._indent
        self._indent += "    "
        yield
        self._indent = before

    def operations(self, operations: Iterable[Operation]) -> None:
        """Write operations one after the other."""
        for operation in operations:
            self.emitters[operation.kind](self, operation)

    # Names -----------------------------------------------------------------------------------------------------

    def bind(self, item: Any, prefix: str) -> str:
        """A numbered name for an object."""
        return self._named(id(item), item, lambda: self._numbered(prefix))

    def function(self, function: Any, name: str) -> str:
        """A name for a function: `name` itself, or with a number where another function has it."""
        return self._named(_identity(function), function, lambda: self._numbered(name) if name in self.scope else name)

    def _named(self, key: Any, item: Any, new: Callable[[], str]) -> str:
        if key not in self._names:
            name = self._names[key] = new()
            self.scope[name] = item
        return self._names[key]

    def _numbered(self, prefix: str) -> str:
        while True:
            self._count[prefix] += 1
            name = f"{prefix}{self._count[prefix]}"
            if name not in self.scope:
                return name

    def operand(self, operand: Operand) -> str:
        """The name of an operand."""
        return operand.register or self.bind(operand.array, operand.label)

    def dtype(self, dtype: Any) -> str:
        """The name of a dtype, None as it is."""
        return "None" if dtype is None else self.function(np.dtype(dtype), str(np.dtype(dtype)))

    def nested(self, item: Any) -> str:
        """Nested lists, tuples and dicts of operands as Python text."""
        return nested_text(item, Operand, self.operand)

    def attribute(self, value: Any) -> str:
        """An attribute as Python text, by a name where it has no literal."""
        if isinstance(value, np.dtype):
            return self.dtype(value)
        finite = isinstance(value, float) and np.isfinite(value)
        if value is None or finite or isinstance(value, bool | int | str | tuple):
            return repr(value)
        return self.bind(value, "a")


def _identity(function: Any) -> Any:
    """What makes two functions the same; methods are made anew each time that they are asked for."""
    owner = getattr(function, "__self__", None)
    return id(function) if owner is None or owner is np else (id(owner), function.__name__)


# The whole function ------------------------------------------------------------------------------------------------


def generate(schedule: Schedule, views: Sequence[np.ndarray], emitters: Mapping[str, Emitter]) -> tuple[str, Any]:
    """The text of a schedule, and the function that it defines.

    Args:
        schedule: What to print.
        views: The arrays of the state that callers get and hand in; the function answers None to other ones.
        emitters: For each kind of operation the function that prints it.
    """
    printer = Printer(emitters)
    printer.scope["views"] = views
    for array in schedule.state:
        printer.bind(array, "s")
    _unpack(printer, schedule.parameters, len(views))
    _without_warnings(printer, schedule)
    printer.line(f"return {_results(printer, schedule.results, len(views))}")
    head = f"def program({', '.join(parameter.name for parameter in schedule.parameters)}):"
    source = "\n".join([head, *printer.lines, ""])
    exec(compile(source, "<planned program>", "exec"), printer.scope)
    return source, printer.scope["program"]


def _unpack(printer: Printer, parameters: Sequence[Parameter], count: int) -> None:
    """Check that the state is where it should be, then take lists of arguments apart."""
    checks = [_is_state(parameter, count) for parameter in parameters if parameter.state is not None and count]
    if checks:
        printer.line(f"if not ({' and '.join(checks)}):")
        printer.line("    return None")
    for parameter in parameters:
        registers = parameter.registers or ()
        if registers and None not in registers:
            printer.line(f"[{', '.join(map(str, registers))}] = {parameter.name}")
        else:
            for index, register in enumerate(registers):
                if register is not None:
                    printer.line(f"{register} = {parameter.name}[{index}]")


def _without_warnings(printer: Printer, schedule: Schedule) -> None:
    """The operations, during which NumPy does not warn of overflow and NaN: no other engine does."""
    if not schedule.operations:
        return
    printer.scope.update(set_errstate=errstate.set_errstate, reset_errstate=errstate.reset_errstate)
    printer.scope["IGNORE"] = errstate.IGNORE
    printer.line("errors = set_errstate(IGNORE)")
    printer.line("try:")
    with printer.indented():
        printer.operations(schedule.operations)
    printer.line("finally:")
    printer.line("    reset_errstate(errors)")


def _is_state(parameter: Parameter, count: int) -> str:
    first, last = parameter.state  # type: ignore[misc]
    views = "views" if (first, last) == (0, count) else f"views[{first}:{last}]"
    return f"all(map(same, {f'[{parameter.name}]' if parameter.single else parameter.name}, {views}))"


def _results(printer: Printer, item: Any, count: int) -> str:
    if isinstance(item, StateResult):
        if item.single:
            return f"views[{item.first}]"
        return "views.copy()" if (item.first, item.last) == (0, count) else f"views[{item.first}:{item.last}]"
    if isinstance(item, tuple) and not isinstance(item, Operand):
        parts = [_results(printer, part, count) for part in item]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    return printer.nested(item)
