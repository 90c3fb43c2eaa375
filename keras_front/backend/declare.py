"""`@primitive` and `@composite`: an op is declared once, and everything else is derived (decision D1).

A declaration is a Python signature with a docstring and a rule for shape and dtype. A primitive has no body, every
adapter must bring it; a composite has a body written in other ops, which an adapter may override. From a declaration
follow the public function (a dispatcher, written out and compiled here so that an eager call costs little), the check
that an adapter is complete, the record on symbolic tensors, and the conformance tests.

Annotations say what an argument is: `Tensor`, `Tensors` (a list of them) or `Maybe` (a tensor or None) travel to
adapters positionally; everything else is an attribute and travels by keyword. `Axes`, `Dims` and `DType` attributes
are brought into one form (int or tuple, tuple, name) before anyone sees them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ParamSpec, overload

import numpy as np

from keras_front import compatibility, config, nest
from keras_front.backend import discovery, dtypes, scopes, shapes, state, symbolic
from keras_front.backend.op import OPS, Facts, Operation, composites, over_some_axis, primitives, register  # noqa: F401
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import ArgumentError, DtypeError, KerasFrontError
from keras_front.tracebacks import hide_internal_frames

Tensor = Any
Tensors = Sequence[Any]
Maybe = Any
Axes = Any
Dims = Any
DType = Any

_ARRAYS = {"Tensor": "one", "Tensors": "many", "Maybe": "maybe"}
_SCALARS = (bool, int, float, complex)
_HOST = (*_SCALARS, np.ndarray, np.generic, list, tuple)


class Op(Operation):
    """One declared op: its signature, its rules, and how it is dispatched, recorded and replayed.

    `arrays` are (name, kind) of the tensor arguments, `attrs` the names of the others, `promoted` the places of the
    arguments that must share a dtype; `floats` says that integers become floats first; `facts` are what else is known
    about the op (see `Facts`).
    """

    sparse: Callable[..., Any] | None = None  # what it does where an argument is a sparse matrix

    def __init__(
        self,
        fn: Callable[..., Any],
        kind: str,
        rule: Any,
        promote: Sequence[str] | None,
        floats: bool,
        results: Callable[..., Any] | None = None,
        facts: Facts | None = None,
        renamed: bool = False,
    ):
        self.name, self.kind, self.body, self.rule, self.floats = fn.__name__, kind, fn, rule, floats
        self.results = results
        self.facts: Facts = facts or Facts()
        self.signature = inspect.signature(fn)
        parameters = self.signature.parameters.values()
        self.arrays = [(p.name, _ARRAYS[p.annotation]) for p in parameters if p.annotation in _ARRAYS]
        self.attrs = [p.name for p in parameters if p.annotation not in _ARRAYS]
        names = [name for name, _ in self.arrays]
        self.promoted = frozenset(names.index(name) for name in (names if promote is None else promote))
        self.__doc__ = fn.__doc__
        self._casts: dict[Any, tuple[str | None, ...]] = {}  # see `_settled`
        self.function = _write_dispatcher(self)
        if renamed:
            self.function = compatibility.accept_legacy_arguments(self.function, False)

    def dispatch(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """Record or compute; called when not every argument is plainly one of the active backend's own tensors."""
        backend = discovery.present()
        settled = self._settled(backend, args, attrs) if backend is not None else None
        if settled is not None:
            return self._computed(backend, settled, attrs)
        if any(map(dtypes.is_sparse_matrix, args)):
            return self._on_sparse(args)
        args = [list(a) if kind == "many" else _array(a) for (_, kind), a in zip(self.arrays, args, strict=True)]
        self._check(args)
        args = [_each(a, symbolic.in_this_step) for a in args]
        args = _read_variables(args, not self.facts.is_fresh(attrs))
        attrs = {key: _plain(value) for key, value in attrs.items()}
        if any(map(symbolic.is_symbolic, _flat(args))) or symbolic._symbols_in_attrs(attrs):
            return self.record(self._prepare(args, _dtype_of, _as_symbol), attrs)
        backend = discovery.active()
        settled = self._prepare(args, lambda a: _real_dtype(backend, a), backend.convert)
        return self._computed(backend, settled, attrs)

    def _computed(self, backend: Any, settled: list[Any], attrs: dict[str, Any]) -> Any:
        """The adapter's results for tensors that have come to one dtype."""
        method = getattr(backend, self.name)
        if self.facts.accumulates and self.name not in backend.accumulates:
            return _in_single(lambda args: method(*args, **attrs), settled, backend.dtype_of)
        return method(*settled, **attrs)

    def _settled(self, backend: Any, args: Sequence[Any], attrs: dict[str, Any]) -> list[Any] | None:
        """The arguments in the dtype that they share; None for what needs a closer look.

        All must be the engine's tensors, numbers, or variables that have such a value here. Which of them to cast is
        worked out once for each combination of dtypes.
        """
        native, values, kinds = backend.native, [], []
        for value in args:
            if value.__class__ is state.Variable:
                value = state.present_value(value, not self.facts.is_fresh(attrs))
            cls = value.__class__
            if cls in native and not issubclass(cls, np.generic) and not (cls is np.ndarray and backend.is_host(value)):
                kinds.append(value.dtype)
            elif cls is float or cls is int:
                kinds.append(cls)
            elif cls is np.ndarray:
                kinds.append((cls, value.dtype))
            else:
                return None
            values.append(value)
        if attrs and any(v.__class__ in _MAY_HOLD_SYMBOLS for v in attrs.values()):
            return None
        key = (backend.name, config.floatx(), *kinds)
        casts = self._casts.get(key)
        if casts is None:
            casts = self._casts[key] = self._cast_plan(backend, values, kinds)
        return None if casts is _LOOK_CLOSER else _cast_each(backend, values, casts)

    def _cast_plan(self, backend: Any, values: list[Any], kinds: list[Any]) -> tuple[str | None, ...]:
        """For each argument the dtype to bring it to, None if it has it; `_LOOK_CLOSER` where values decide."""
        hosts = {i for i, kind in enumerate(kinds) if kind is int or kind is float or isinstance(kind, tuple)}
        tensors = [backend.dtype_of(v) for i, v in enumerate(values) if i not in hosts]
        if hosts and (not hosts <= self.promoted or not tensors or (int in kinds and set(tensors) == {"bool"})):
            return _LOOK_CLOSER
        target = self._target([values[i] for i in sorted(self.promoted)], backend.dtype_of) if self.promoted else None
        return tuple(
            target if i in hosts or (i in self.promoted and backend.dtype_of(v) != target) else None
            for i, v in enumerate(values)
        )

    def _on_sparse(self, args: Sequence[Any]) -> Any:
        if self.sparse is None:
            raise ArgumentError(
                f"K.{self.name}: a sparse matrix; make it dense first with K.to_dense. Only K.dot takes sparse ones."
            )
        return self.sparse(*args)

    def _check(self, args: Sequence[Any]) -> None:
        for (name, kind), arg in zip(self.arrays, args, strict=True):
            if arg is None and kind == "one":
                raise ArgumentError(f"K.{self.name}: expected a tensor as {name!r}, received None.")

    def _prepare(self, args: list[Any], dtype_of: Callable[[Any], str], convert: Callable[..., Any]) -> list[Any]:
        """Arguments converted, and those that must agree in dtype made to; host values are weak beside tensors."""
        operands = [a for i in self.promoted for a in _flat([args[i]])]
        target = self._target(operands, dtype_of) if operands else None
        return [
            _each(arg, lambda a, d=target if i in self.promoted else None: convert(a, d)) for i, arg in enumerate(args)
        ]

    def _target(self, operands: list[Any], dtype_of: Callable[[Any], str]) -> str:
        try:
            strong = [dtype_of(a) for a in operands if not isinstance(a, _HOST)]
            if not strong:  # arrays alone (also the tensors of a backend whose tensors they are) keep their own
                strong = [dtypes.canonical(a.dtype) for a in _tensors_first(operands)]
            if not strong:  # numpy.float64, also a Python float, is a tensor where it is the result of an op
                strong = [dtypes.canonical(a.dtype) for a in operands if _is_own_scalar(a)]
            found = strong + [_weak_dtype(a, strong) for a in operands if isinstance(a, _HOST)]
            target = dtypes.promote(found)
        except DtypeError as error:
            raise DtypeError(f"K.{self.name}: {error}") from None
        return dtypes.as_float(target) if self.floats else target

    def record(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """The symbolic results of a call on symbolic tensors."""
        trace = scopes.tracing()
        if self.facts.accumulates and trace is not None and self.name not in trace.backend.accumulates:
            return _in_single(lambda args: self._recorded(args, attrs), args, lambda t: t.dtype)
        return self._recorded(args, attrs)

    def _recorded(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        origin = OpCall(self, tuple(args), attrs)
        try:
            if self.results is not None and _is_fused(self.name):
                return symbolic.outputs_like(origin, self.results(*args, **attrs))
            if self.kind == "composite":
                result = nest.map_structure(_lifted, self.body(*args, **attrs))
                outputs = symbolic.outputs_like(origin, result)
                origin.expansion = [t for t in nest.flatten(result) if t is not None]
                return outputs
            specs = self.rule(*args, **{k: _static(v) for k, v in attrs.items()})
        except KerasFrontError as error:
            raise _located(error, self.name) from None
        if isinstance(specs, list):
            origin.structure = [_output(origin, *spec) for spec in specs]
            return origin.structure
        return _output(origin, *specs)

    def again(self, args: Sequence[Any], attrs: dict[str, Any]) -> list[Any]:
        """The results of the same call on other arguments, as a flat list without Nones."""
        return [r for r in nest.flatten(self.dispatch(args, attrs)) if r is not None]


_LOOK_CLOSER: tuple[str | None, ...] = ("look closer",)
_MAY_HOLD_SYMBOLS = {tuple, list, SymbolicTensor}


def _cast_each(backend: Any, values: list[Any], casts: tuple[str | None, ...]) -> list[Any]:
    for i, dtype in enumerate(casts):
        if dtype is not None:
            value = values[i]
            if value.__class__ in backend.native:
                values[i] = backend.cast(value, dtype=dtype)
            else:
                array = value if value.__class__ is np.ndarray else np.asarray(value, dtypes.on_host(dtype))
                values[i] = backend.asarray(array, dtype)
    return values


def _in_single(call: Callable[[list[Any]], Any], args: Sequence[Any], dtype_of: Callable[[Any], str]) -> Any:
    """`call(args)`, for which floats of 16 bits become float32, as results of float32 become what they were."""
    given = {dtype_of(t) for t in _flat(args)}
    if dtypes.HALVES.isdisjoint(given):
        return call(list(args))
    cast, narrow = OPS["cast"].function, dtypes.promote(given & dtypes.HALVES)
    wide = [_each(arg, lambda t: cast(t, "float32") if dtype_of(t) in dtypes.HALVES else t) for arg in args]
    return nest.map_structure(
        lambda t: cast(t, narrow) if t is not None and dtype_of(t) == "float32" else t, call(wide)
    )


def _is_fused(name: str) -> bool:
    """Whether the trace that is being recorded is for a backend that brings this composite itself."""
    trace = scopes.tracing()
    return trace is not None and trace.backend.overrides(name)


def _output(origin: OpCall, shape: Any, dtype: str) -> SymbolicTensor:
    tensor = SymbolicTensor(shape, dtype, origin, len(origin.outputs))
    origin.outputs.append(tensor)
    return tensor


def _located(error: KerasFrontError, name: str) -> KerasFrontError:
    message = str(error)
    if message.startswith(("K.", name)):
        return error
    return type(error)(f"K.{name}: {message}")


def _array(arg: Any) -> Any:
    """A list of numbers as an array, one of tensors stacked: from here on a list is always a list of tensors."""
    if not isinstance(arg, list | tuple):
        return arg
    if _holds_tensors(arg):
        return OPS["stack"].function([_array(item) for item in arg], axis=0)
    array = np.asarray(arg)
    return array.astype(dtypes.canonical(None)) if array.dtype == np.float64 else array


def _holds_tensors(items: Any) -> bool:
    """Whether there are symbols, variables or an engine's tensors in a list, also in lists within it."""
    kinds = set(map(type, items))
    if kinds <= _NUMBERS:
        return False
    return any(
        _holds_tensors(i)
        if isinstance(i, list | tuple)
        else isinstance(i, SymbolicTensor | state.Variable) or discovery.owner(i) is not None
        for i in items
    )


_NUMBERS = {bool, int, float, complex, np.float32, np.float64, np.int32, np.int64, np.bool_}


def _flat(args: Sequence[Any]) -> Iterator[Any]:
    for arg in args:
        if isinstance(arg, list):
            yield from arg
        elif arg is not None:
            yield arg


def _each(arg: Any, fn: Callable[[Any], Any]) -> Any:
    if arg is None:
        return None
    return [fn(a) for a in arg] if isinstance(arg, list) else fn(arg)


def _read_variables(args: list[Any], shared: bool = True) -> list[Any]:
    """Arguments with variables replaced by what they mean here.

    That is a frame's value, a symbol, or the real tensor, of which there is a copy where results may be `shared`.
    """
    if not any(isinstance(a, state.Variable) for a in _flat(args)):
        return args
    args = [_each(a, lambda v: _framed(v) if isinstance(v, state.Variable) else v) for a in args]
    rest = [a for a in _flat(args) if not isinstance(a, state.Variable)]
    real = scopes.computes_now() and not any(map(symbolic.is_symbolic, rest))

    def read(item: Any) -> Any:
        if not isinstance(item, state.Variable):
            return item
        return item.symbol if not real else item.value if shared else item.current()

    return [_each(a, read) for a in args]


def _framed(variable: state.Variable) -> Any:
    bound = scopes.bound_value(variable)
    return variable if bound is None else bound


def _weak_dtype(value: Any, strong: list[str]) -> str:
    """The dtype a host value takes beside tensors: theirs, unless its kind is higher. Alone it keeps its own."""
    if isinstance(value, _SCALARS):
        return dtypes.of_scalar(value, strong)
    array = np.asarray(value)
    own = dtypes.canonical(array.dtype)
    if not strong:
        return own if isinstance(value, np.ndarray | np.generic) or own != "float64" else dtypes.canonical(None)
    met = dtypes.promote(strong)
    return met if dtypes._rank(own) <= dtypes._rank(met) else dtypes.promote([own, met])


def _tensors_first(operands: Iterable[Any]) -> list[Any]:
    """The arrays that decide about a dtype: those that the active backend takes for tensors, else all."""
    arrays, backend = [a for a in operands if not isinstance(a, _SCALARS)], discovery.present()
    return [a for a in arrays if backend is not None and backend.is_tensor(a) and not backend.is_host(a)] or arrays


def _is_own_scalar(value: Any) -> bool:
    backend = discovery.ACTIVE.get()
    return isinstance(value, np.generic) and backend is not None and backend.is_tensor(value)


def _dtype_of(value: Any) -> str:
    if isinstance(value, SymbolicTensor):
        return value.dtype
    return _owner(value).dtype_of(value)


def as_symbol_or_tensor(value: Any) -> Any:
    """Anything array-like as what ops work on here: a symbol stays, a variable is read, the rest becomes a tensor."""
    if isinstance(value, state.Variable):
        return _read_variables([value])[0]
    return value if isinstance(value, SymbolicTensor) else discovery.active().convert(value)


def _real_dtype(backend: Any, value: Any) -> str:
    return backend.dtype_of(value) if backend.is_tensor(value) else _owner(value).dtype_of(value)


def _owner(value: Any) -> Any:
    found = discovery.owner(value)
    if found is None:
        raise ArgumentError(
            f"Expected a tensor, an array or a number, received {value!r:.60} ({type(value).__name__})."
        )
    return found


def _as_symbol(value: Any, dtype: str | None) -> SymbolicTensor:
    if isinstance(value, SymbolicTensor):
        return value if dtype in (None, value.dtype) else OPS["cast"].record([value], {"dtype": dtype})
    if isinstance(value, _HOST):
        if dtype is None:
            dtype = _weak_dtype(value, [])
        return symbolic.constant(value, dtype)
    own = _owner(value).dtype_of(value)
    return _as_symbol(symbolic.constant(value, own), dtype)


def recorded(item: Any) -> Any:
    """What a traced function gave, as the record has it: a symbol, or None; values become constants."""
    if item is None or isinstance(item, SymbolicTensor):
        return item
    if isinstance(item, state.Variable):
        item = item.read()
    return item if isinstance(item, SymbolicTensor) else _as_symbol(item, None)


def _lifted(item: Any) -> Any:
    return item if item is None or isinstance(item, SymbolicTensor) else _as_symbol(item, None)


def _static(value: Any) -> Any:
    """An attribute as shape rules see it: symbolic dimensions are unknown ones."""
    if isinstance(value, SymbolicTensor):
        return (None,) * (value.shape[0] or 0) if value.shape else None
    if isinstance(value, tuple):
        return tuple(None if isinstance(v, SymbolicTensor) else v for v in value)
    return value


def _plain(value: Any) -> Any:
    """An attribute without array scalars.

    Some engines would treat them as tensors, and they print under other names than Python's numbers.
    """
    if isinstance(value, tuple):
        return tuple(v if v is None or isinstance(v, _PLAIN) else int(v) for v in map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


_PLAIN = (int, float, str, tuple, SymbolicTensor)


def as_dims(shape: Any) -> Any:
    """A shape given as a list, array or symbolic vector, as a tuple of ints and symbols (a symbolic vector stays)."""
    if isinstance(shape, SymbolicTensor):
        return shape
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    return tuple(d if d is None or isinstance(d, int | SymbolicTensor) else int(d) for d in shape)


def as_axes(axis: Any) -> Any:
    """Axes given as a list, range or array, as a tuple of ints; an array scalar as an int."""
    if isinstance(axis, np.ndarray | np.integer):
        axis = axis.tolist()
    return tuple(axis) if isinstance(axis, list | range) else axis


# Writing the dispatcher ----------------------------------------------------------------------------------------

_NORMAL = {
    "Axes": "if {0}.__class__ not in _plain_axes: {0} = _axes({0})",
    "Dims": "if {0}.__class__ is not tuple: {0} = _dims({0})",
    "DType": "{0} = _names.get({0}) or _canonical({0})",
}
_NAMES = {name: name for name in dtypes.ALL}


def _write_dispatcher(op: Op) -> Callable[..., Any]:
    """The public function of an op: one test that all is native, then the adapter's method; else `op.dispatch`."""
    parameters = op.signature.parameters.values()
    head = ", ".join(p.name if p.default is p.empty else f"{p.name}=_default_{p.name}" for p in parameters)
    normal = [_NORMAL[p.annotation].format(p.name) for p in parameters if p.annotation in _NORMAL]
    arrays = ", ".join(name for name, _ in op.arrays)
    keywords = "".join(f", {name}={name}" for name in op.attrs)
    items = ", ".join(f"{name!r}: {name}" for name in op.attrs)
    lines = [
        f"def {op.name}({head}):",
        *(f"    {line}" for line in normal),
        "    backend = _active()",
        "    if backend is not None:",
        "        native = backend.native",
        f"        if {' and '.join(_conditions(op)) or 'True'}:",
        f"            return backend.{op.name}({arrays}{keywords})",
        *_weak_lines(op, keywords),
        f"    return _dispatch(({arrays}{',' if arrays else ''}), {{{items}}})",
    ]
    guarded = (f"    {line}" for line in lines[1:])
    lines = [lines[0], "    try:", *guarded, "    except Exception as error:", "        _hide(error)", "        raise"]
    scope: dict[str, Any] = {
        "_active": discovery.ACTIVE.get,
        "_dispatch": op.dispatch,
        "_hide": hide_internal_frames,
        "_dims": as_dims,
        "_axes": as_axes,
        "_plain_axes": {int, tuple, type(None)},
        "_Symbol": SymbolicTensor,
        "_weak": (float, int),
        "_names": _NAMES,
        "_canonical": dtypes.canonical,
        **{f"_default_{p.name}": p.default for p in parameters if p.default is not p.empty},
    }
    exec(compile("\n".join(lines), f"<op {op.name}>", "exec"), scope)
    function = scope[op.name]
    function.__doc__, function.__module__, function.op = op.__doc__, "keras_front.backend", op
    function.__signature__ = op.signature
    return function


def _conditions(op: Op) -> list[str]:
    tests = {
        "one": "{0}.__class__ in native",
        "maybe": "({0} is None or {0}.__class__ in native)",
        "many": "native.issuperset(map(type, {0}))",
    }
    conditions = [tests[kind].format(name) for name, kind in op.arrays]
    conditions += [
        f"_Symbol not in map(type, {n})" for n in op.attrs if op.signature.parameters[n].annotation == "Dims"
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


def _weak_lines(op: Op, keywords: str) -> list[str]:
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


# The decorators ------------------------------------------------------------------------------------------------


P = ParamSpec("P")


def primitive(
    shape: Any, promote: Sequence[str] | None = None, floats: bool = False, **facts: Any
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Declare an op that every adapter brings.

    Args:
        shape: the rule for shape and dtype; see `shapes`.
        promote: names of the arguments that must share a dtype (default: all).
        floats: whether integers become floats first.
        facts: what else is known about the op, see `Facts`. `elementwise` follows from the rule, such an op is
            `light`, and the memory of a result is its own unless `fresh` says otherwise.
    """
    each = shape in shapes.ELEMENTWISE
    known = Facts(**{"elementwise": each, "light": each, "fresh": True, **facts})

    def declare(fn: Callable[P, Any]) -> Callable[P, Any]:
        return _register(Op(fn, "primitive", shape, promote, floats, None, known))

    return declare


@overload
def composite(fn: Callable[P, Any]) -> Callable[P, Any]: ...
@overload
def composite(
    *,
    promote: Sequence[str] | None = None,
    floats: bool = False,
    results: Callable[..., Any] | None = None,
    sparse: Callable[..., Any] | None = None,
    renamed: bool = False,
    **facts: Any,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...
def composite(
    fn: Callable[..., Any] | None = None,
    *,
    promote: Sequence[str] | None = None,
    floats: bool = False,
    results: Callable[..., Any] | None = None,
    sparse: Callable[..., Any] | None = None,
    renamed: bool = False,
    **facts: Any,
) -> Any:
    """Declare an op whose body is written in other ops. An adapter that defines a method of its name overrides it.

    Args:
        fn: the body, where the decorator is written without arguments.
        promote: names of the arguments that must share a dtype (default: all).
        floats: whether integers become floats first.
        results: for ops that need no gradient, gives tensors of the shapes of the results from the arguments: then the
            body is not even recorded for a backend that overrides the op.
        sparse: what the op does where an argument is a sparse matrix of SciPy; without it that is an error.
        renamed: whether its arguments had other names in older versions of Keras, which are then taken too.
        facts: what else is known about the op, see `Facts`; unless `fresh` says otherwise a result may share memory
            with an argument.
    """
    known = Facts(**{"light": facts.get("elementwise", False), **facts})

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        op = Op(body, "composite", None, promote, floats, results, known, renamed)
        op.sparse = sparse
        return _register(op)

    return declare if fn is None else declare(fn)


def _register(op: Op) -> Callable[..., Any]:
    return register(op).function
