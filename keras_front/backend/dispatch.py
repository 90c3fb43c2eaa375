"""A declared op: how a call of it is computed on tensors, recorded on symbols, and made again.

A call whose arguments are all the active engine's own tensors goes straight to the adapter, by the function that
`dispatcher` writes. Everything else comes here: numbers and arrays, variables, symbols, lists, sparse matrices.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from keras_front import compatibility, config, nest
from keras_front.backend import discovery, dtypes, scopes, shapes, state, symbolic
from keras_front.backend.dispatcher import write_dispatcher
from keras_front.backend.eager_tensors import EagerTensor, are_among, as_values, handed_out
from keras_front.backend.failures import explained
from keras_front.backend.op import OPS, Facts, Operation
from keras_front.backend.operands import (
    HOST,
    as_array,
    as_symbol,
    dtype_of,
    each,
    flat,
    is_own_scalar,
    plain,
    plain_array,
    read_variables,
    real_dtype,
    recorded,
    static,
    tensors_first,
    weak_dtype,
)
from keras_front.backend.symbolic import OpCall, SymbolicTensor
from keras_front.errors import ArgumentError, DtypeError, KerasFrontError, WrongKindError
from keras_front.failures import located

_ARRAYS = {"Tensor": "one", "Tensors": "many", "Maybe": "maybe"}
_LOOK_CLOSER: tuple[str | None, ...] = ("look closer",)  # in place of casts: values decide
_MAY_HOLD_SYMBOLS = {tuple, list, SymbolicTensor, EagerTensor}
_TENSORS = {SymbolicTensor, state.Variable}
_SYMBOLS = {SymbolicTensor, int, float}  # what needs no reading where ops are recorded
_PLAIN = {*_SYMBOLS, state.Variable, np.ndarray, bool, type(None)}  # what is neither sparse nor an `EagerTensor`


class Op(Operation):
    """One declared op: its signature, its rules, and how it is dispatched, recorded and replayed.

    `arrays` are (name, kind) of the tensor arguments, `attrs` the names of the others, `promoted` the places of the
    arguments that must share a dtype; `floats` says that integers become floats first; `facts` are what else is known
    about the op (see `Facts`).
    """

    sparse: Callable[..., Any] | None = None  # what it does where an argument is a sparse matrix
    check_values: Callable[..., None] | None = None  # raises what is wrong with the values of tensors; see `failures`

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
        self.unknown = getattr(rule, "unknown", None)  # what the rule sees in place of symbolic attributes
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
        self.function = write_dispatcher(self)
        if renamed:
            self.function = compatibility.accept_legacy_arguments(self.function, False)

    def dispatch(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """Record or compute; called when not every argument is plainly one of the active backend's own tensors."""
        backend = discovery.present()
        settled = self._settled(backend, args, attrs) if backend is not None else None
        if settled is not None:
            return self._computed(backend, settled, attrs)
        kinds = set(map(type, args))
        if not args or not (_SYMBOLS.issuperset(kinds) and symbolic.outside_graphs()):
            is_plain = _PLAIN.issuperset(kinds)
            if not is_plain and _has_sparse(args):
                return self._on_sparse(args, attrs)
            if (attrs or not is_plain) and not _is_recorded() and are_among((args, attrs)):
                return self._on_eager(*as_values((list(args), attrs)))
            args = self._read(args, attrs)
        attrs = {key: plain(value) for key, value in attrs.items()}
        if any(map(symbolic.is_symbolic, flat(args))) or symbolic.has_symbols(attrs):
            return self.record(args if self._agree(args) else self._prepare(list(args), dtype_of, as_symbol), attrs)
        backend = discovery.active()
        settled = self._prepare(list(args), lambda a: real_dtype(backend, a), backend.convert)
        found = self._computed(backend, settled, attrs)
        return found if scopes.tracing() is None else handed_out(found)

    def _on_eager(self, args: list[Any], attrs: dict[str, Any]) -> Any:
        """The results for what were `EagerTensor`s; with variables beside them they are computed now, too."""
        if scopes.eager_section() or any(map(symbolic.is_symbolic, flat(args))):
            return self.dispatch(args, attrs)
        with scopes.eager():
            return handed_out(self.dispatch(args, attrs))

    def _read(self, args: Sequence[Any], attrs: dict[str, Any]) -> list[Any]:
        """The arguments with lists of numbers as arrays, and with what variables and symbols mean here."""
        args = [list(a) if kind == "many" else as_array(a) for (_, kind), a in zip(self.arrays, args, strict=True)]
        self._check(args)
        args = [each(a, symbolic.in_this_step) for a in args]
        return read_variables(args, not self.facts.is_fresh(attrs))

    def _agree(self, args: Sequence[Any]) -> bool:
        """Whether all arguments are symbols, and none of them has to be cast."""
        if any(a.__class__ is not SymbolicTensor for a in args):
            return False
        found = {args[i].dtype for i in self.promoted}
        return not found or (len(found) == 1 and (not self.floats or found.issubset(dtypes.FLOATS)))

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

    def _on_sparse(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        if self.sparse is None:
            raise ArgumentError(
                f"K.{self.name}: a sparse matrix; make it dense first with K.to_dense. K.dot and K.concatenate take "
                "sparse ones."
            )
        return self.sparse(*args, **attrs)

    def _check(self, args: Sequence[Any]) -> None:
        for (name, kind), arg in zip(self.arrays, args, strict=True):
            if arg is None and kind == "one":
                raise ArgumentError(f"K.{self.name}: expected a tensor as {name!r}, received None.")
            if isinstance(arg, str):
                raise WrongKindError(f"K.{self.name}: expected a tensor or numbers as {name!r}, received {arg!r:.60}.")

    def _prepare(self, args: list[Any], dtype_of: Callable[[Any], str], convert: Callable[..., Any]) -> list[Any]:
        """Arguments converted, and those that must agree in dtype made to; host values are weak beside tensors."""
        operands = [a for i in self.promoted for a in flat([args[i]])]
        target = self._target(operands, dtype_of) if operands else None
        return [
            each(arg, lambda a, d=target if i in self.promoted else None: convert(plain_array(a), d))
            for i, arg in enumerate(args)
        ]

    def _target(self, operands: list[Any], dtype_of: Callable[[Any], str]) -> str:
        try:
            strong = [dtype_of(a) for a in operands if not isinstance(a, HOST)]
            if not strong:  # arrays alone (also the tensors of a backend whose tensors they are) keep their own
                strong = [dtypes.canonical(a.dtype) for a in tensors_first(operands)]
            if not strong:  # numpy.float64, also a Python float, is a tensor where it is the result of an op
                strong = [dtypes.canonical(a.dtype) for a in operands if is_own_scalar(a)]
            found = strong + [weak_dtype(a, strong) for a in operands if isinstance(a, HOST)]
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
        if self.kind == "composite" and self.facts.elementwise and any(v.__class__ in _TENSORS for v in attrs.values()):
            return self.body(*args, **attrs)  # as `K.clip` with tensors for bounds: its parts read them
        origin = OpCall(self, tuple(args), attrs)
        try:
            if self.results is not None and _is_fused(self.name):
                return symbolic.outputs_like(origin, self.results(*args, **attrs))
            if self.kind == "composite":
                result = nest.map_structure(recorded, self.body(*args, **attrs))
                outputs = symbolic.outputs_like(origin, result)
                origin.expansion = [t for t in nest.flatten(result) if t is not None]
                return outputs
            specs = self.rule(*args, **{k: static(v, self.unknown) for k, v in attrs.items()})
        except KerasFrontError as error:
            if self.facts.of_nothing is not None and symbolic.asks_for_values() and 0 in args[0].shape:
                shape, dtype = shapes.reduce(args[0], **attrs)
                return as_symbol(np.full(shape, self.facts.of_nothing), dtype)
            raise located(error, self.name) from None
        if isinstance(specs, list):
            origin.structure = [origin.add_output(*spec) for spec in specs]
            return origin.structure
        return origin.add_output(*specs)

    def again(self, args: Sequence[Any], attrs: dict[str, Any]) -> list[Any]:
        """The results of the same call on other arguments, as a flat list without Nones."""
        try:
            return [r for r in nest.flatten(self.dispatch(args, attrs)) if r is not None]
        except Exception as error:
            raise explained(self, error, args, attrs) from error.__cause__


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_recorded() -> bool:
    """Whether `EagerTensor`s are recorded here, to be differentiated; elsewhere, in a trace too, they are values."""
    trace = scopes.tracing()
    return trace is not None and trace.recording is not None


def _has_sparse(args: Sequence[Any]) -> bool:
    return any(map(dtypes.is_sparse_matrix, chain.from_iterable(a if _is_list(a) else [a] for a in args)))


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
    given = {dtype_of(t) for t in flat(args)}
    if dtypes.HALVES.isdisjoint(given):
        return call(list(args))
    cast, narrow = OPS["cast"].function, dtypes.promote(given & dtypes.HALVES)
    wide = [each(arg, lambda t: cast(t, "float32") if dtype_of(t) in dtypes.HALVES else t) for arg in args]
    return nest.map_structure(
        lambda t: cast(t, narrow) if t is not None and dtype_of(t) == "float32" else t, call(wide)
    )


def _is_fused(name: str) -> bool:
    """Whether the trace that is being recorded is for a backend that brings this composite itself."""
    trace = scopes.tracing()
    return trace is not None and trace.backend.overrides(name)
