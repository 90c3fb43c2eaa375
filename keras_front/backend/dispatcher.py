"""The public function of an op, written out as Python, so that a call on an engine's own tensors costs little."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from keras_front.backend import discovery, dtypes
from keras_front.backend.eager_tensors import EagerTensor
from keras_front.backend.failures import explained
from keras_front.backend.operands import as_axes, as_axis, as_dims, as_flag
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.compatibility import reject_unknown
from keras_front.tracebacks import hide_internal_frames

_NORMAL = {
    "Axes": "if {0}.__class__ not in _plain_axes: {0} = _axes({0})",
    "Axis": "if {0}.__class__ is not int: {0} = _axis({0})",
    "Flag": "if {0}.__class__ is not bool: {0} = _flag({0})",
    "Dims": "if {0}.__class__ is not tuple: {0} = _dims({0})",
    "DType": "{0} = _names.get({0}) or _canonical({0})",
}

_NAMES = {name: name for name in dtypes.ALL}

_FAILED = """\
        except Exception as error:
            raise _explained(error, ({arrays},), {{{items}}})
    except Exception as error:
        _hide(error)
        raise"""


def write_dispatcher(op: Any) -> Callable[..., Any]:
    """The public function of an op, which is written when it is called first: hundreds are declared at import."""
    scope: dict[str, Any] = {}
    function = FunctionType(_FIRST_CALL, scope)
    function.__name__ = function.__qualname__ = op.name

    def write(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        written = _written(op, scope)
        function.__defaults__, function.__code__ = written.__defaults__, written.__code__
        return function(*args, **kwargs)

    scope["_write"] = write
    function.__doc__, function.__module__, function.op = op.__doc__, "keras_front.backend", op  # type: ignore[attr-defined]
    function.__signature__ = op.signature  # type: ignore[attr-defined]
    return function


def _first_call(*args: Any, **kwargs: Any) -> Any:
    try:
        return _write(args, kwargs)  # type: ignore[name-defined]  # noqa: F821 - a name of each function's own globals
    except Exception as error:
        _hide(error)  # type: ignore[name-defined]  # noqa: F821
        raise


_FIRST_CALL = _first_call.__code__.replace(co_filename="<op >")


def _written(op: Any, scope: dict[str, Any]) -> Any:
    """One test that all is native, then the adapter's method; else `op.dispatch`."""
    parameters = op.signature.parameters.values()
    head = ", ".join(p.name if p.default is p.empty else f"{p.name}=_default_{p.name}" for p in parameters)
    normal = [_NORMAL[p.annotation].format(p.name) for p in parameters if p.annotation in _NORMAL]
    arrays = ", ".join(name for name, _ in op.arrays)
    keywords = "".join(f", {name}={name}" for name in op.attrs)
    items = ", ".join(f"{name!r}: {name}" for name in op.attrs)
    rest, check = (", **_rest", "    if _rest: _refuse(_rest)") if op.attrs else ("", "")
    lines = [
        f"def {op.name}({head}{rest}):",
        check,
        *(f"    {line}" for line in normal),
        "    backend = _active()",
        "    if backend is not None:",
        "        native = backend.native",
        f"        if {' and '.join(_conditions(op)) or 'True'}:",
        f"            return backend.{op.name}({arrays}{keywords})",
        *_weak_lines(op, keywords),
        f"    return _dispatch(({arrays}{',' if arrays else ''}), {{{items}}})",
    ]
    guarded = (f"        {line}" for line in lines[1:])
    lines = [lines[0], "    try:", "        try:", *guarded, *_FAILED.format(arrays=arrays, items=items).splitlines()]
    names = {
        "_active": discovery.ACTIVE.get,
        "_dispatch": op.dispatch,
        "_refuse": functools.partial(reject_unknown, f"K.{op.name}", known=list(op.signature.parameters)),
        "_explained": functools.partial(explained, op),
        "_hide": hide_internal_frames,
        "_dims": as_dims,
        "_axes": as_axes,
        "_axis": as_axis,
        "_flag": as_flag,
        "_plain_axes": {int, tuple, type(None)},
        "_symbols": {SymbolicTensor, EagerTensor},
        "_weak": (float, int),
        "_names": _NAMES,
        "_canonical": dtypes.canonical,
        **{f"_default_{p.name}": p.default for p in parameters if p.default is not p.empty},
    }
    scope.update(names)
    exec(compile("\n".join(lines), f"<op {op.name}>", "exec"), scope)
    return scope[op.name]


def _conditions(op: Any) -> list[str]:
    tests = {
        "one": "{0}.__class__ in native",
        "maybe": "({0} is None or {0}.__class__ in native)",
        "many": "native.issuperset(map(type, {0}))",
    }
    conditions = [tests[kind].format(name) for name, kind in op.arrays]
    conditions += [
        f"_symbols.isdisjoint(map(type, {n}))" for n in op.attrs if op.signature.parameters[n].annotation == "Dims"
    ]
    shared = [op.arrays[i] for i in sorted(op.promoted)]
    if any(kind == "many" for _, kind in shared):
        conditions.append("len({t.dtype for t in " + shared[0][0] + "}) == 1")
    elif len(shared) > 1:
        first = shared[0][0]
        for name, kind in shared[1:]:
            same = f"{name}.dtype is {first}.dtype"
            conditions.append(same if kind == "one" else f"({name} is None or {same})")
    if op.floats and shared:
        conditions.append(f"{shared[0][0]}.dtype in backend.{'full_floats' if op.facts.accumulates else 'floats'}")
    elif op.facts.accumulates:
        conditions.append(f"{op.arrays[0][0]}.dtype not in backend.halves")
    return conditions


def _weak_lines(op: Any, keywords: str) -> list[str]:
    """A Python number beside a float tensor takes its dtype: settled here, as `x + 1` is what users write most."""
    names = [name for name, _ in op.arrays]
    if len(op.promoted) != 2 or len(op.arrays) > 3 or any(kind != "one" for _, kind in op.arrays):
        return []
    pair, lines = [names[i] for i in sorted(op.promoted)], []
    rest = "".join(f" and {n}.__class__ in native" for n in names if n not in pair)
    for tensor, number in (pair, pair[::-1]):
        args = ", ".join(f"backend.scalar({n}, {tensor})" if n == number else n for n in names)
        lines += [
            f"        if {number}.__class__ in _weak and {tensor}.__class__ in native{rest} "
            f"and {tensor}.dtype in backend.floats:",
            f"            return backend.{op.name}({args}{keywords})",
        ]
    return lines
