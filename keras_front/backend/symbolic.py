"""Symbolic tensors: shape, dtype and origin, no values, no engine.

Every op called on one is recorded as an `OpCall` (op, arguments, attributes), so a tensor knows how it came about.
`replay` walks those records again with other leaves: real tensors compute values, symbols of known shape make a trace.
That one interpreter serves `K.eval`, `K.function`, `K.gradients` and compiled steps.

A leaf is a placeholder, a constant, or the current value of a variable. A layer's call is recorded by `defer`: the
Python function is kept and run again at every replay, under the learning phase of that moment, which is how one
recorded model gives a training and an inference function (decision D6).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from keras_front.backend import dtypes, scopes, seeds, shapes
from keras_front.backend.op import Operation, functions
from keras_front.backend.operators import Operators
from keras_front.backend.scopes import Trace, next_serial, next_stream, trace_scope, tracing  # noqa: F401
from keras_front.errors import ArgumentError, ShapeError, UntraceableError
from keras_front.nest import flatten, map_structure
from keras_front.tracebacks import api_boundary, calling_line

_NAMES = itertools.count(1)


class Readable(Protocol):
    """What stands behind the symbol of a variable."""

    def read(self) -> Any:
        """The value as ops see it now."""

    def current(self) -> Any:
        """The value as a tensor of the active backend that no step overwrites."""


class OpCall:
    """One recorded call: `op` on `args` (tensors, lists of tensors or None) with `attrs`, giving `outputs`.

    For a composite op `expansion` holds the outputs of its body, run on the same arguments.
    """

    __slots__ = ("args", "attrs", "expansion", "op", "outputs", "serial", "structure")

    def __init__(self, op: Any, args: tuple[Any, ...], attrs: dict[str, Any]):
        self.op, self.args, self.attrs = op, args, attrs
        self.outputs: list[SymbolicTensor] = []
        self.expansion: list[SymbolicTensor] | None = None
        self.structure: Any = None
        self.serial = next_serial()

    def tensors(self) -> Iterator[SymbolicTensor]:
        """The symbolic tensors among arguments and attributes."""
        return inputs_of(self.args, self.attrs)

    def add_output(self, shape: shapes.Shape, dtype: str) -> SymbolicTensor:
        """The next result, as a new symbolic tensor.

        Args:
            shape: its sizes, None where one is unknown.
            dtype: the name of its dtype.
        """
        trace = tracing()
        kind = SymbolicTensor if trace is None or trace.recording is None else trace.recording.kind_of(self)
        tensor = kind(shape, dtype, self, len(self.outputs))
        self.outputs.append(tensor)
        return tensor

    def __repr__(self) -> str:
        return f"<{self.op.name} #{self.serial}>"


def inputs_of(args: Any, attrs: dict[str, Any]) -> Iterator[SymbolicTensor]:
    """The symbolic tensors among the arguments of a call, and among its attributes where a size is unknown."""
    return leaves_of((args, attrs) if has_symbols(attrs) else args)


def has_symbols(attrs: dict[str, Any]) -> bool:
    """Whether an attribute is, or holds, a symbolic tensor: a size that only a run tells."""
    return any(
        isinstance(v, SymbolicTensor) or (isinstance(v, tuple | list) and any(isinstance(e, SymbolicTensor) for e in v))
        for v in attrs.values()
    )


GRADS: WeakKeyDictionary[SymbolicTensor, SymbolicTensor] = WeakKeyDictionary()  # of values of variables, by `backward`


class SymbolicTensor(Operators):
    """A tensor without values: what `K.placeholder` and `Input` return, and every op of one.

    Ops make these; users do not need the constructor. `evaluator` is what computes its value, once it was needed;
    `history` and `mask` belong to the layer graph.

    Args:
        shape: a tuple in which None marks an unknown dimension.
        dtype: the name of its dtype.
        origin: the recorded call that made it; None for a leaf.
        index: its place among the results of that call.
        name: what it is called in messages; made up if it is None.
        constant: the value of a constant leaf, a NumPy array or a tensor of an engine.
        variable: the variable for whose value it stands.

    Example:
        >>> x = K.placeholder((None, 3))
        >>> y = K.sum(x * 2, axis=-1)
        >>> y.shape, y.dtype, y.ndim
        ((None,), 'float32', 1)
    """

    __slots__ = (
        "__weakref__",
        "_phase_told",
        "constant",
        "dtype",
        "evaluator",
        "history",
        "index",
        "mask",
        "name",
        "origin",
        "shape",
        "variable",
    )

    is_eager = False  # whether it always has a value, see `eager_tensors`

    @property
    def is_open(self) -> bool:
        """Whether it waits for values, or was computed from what does."""
        return not (self.is_eager or self.constant is not None or self.variable is not None or self in AMBIENT)

    def __init__(
        self,
        shape: shapes.Shape,
        dtype: str,
        origin: OpCall | None = None,
        index: int = 0,
        name: str | None = None,
        constant: Any = None,
        variable: Readable | None = None,
    ):
        self.shape, self.dtype, self.origin, self.index = shapes.TensorShape(shape), dtype, origin, index
        self.name = name or (f"{origin.op.name}_{origin.serial}" if origin else f"tensor_{next(_NAMES)}")
        self.constant, self.variable = constant, variable
        self.history: Any = None
        self.mask: Any = None
        self.evaluator: Any = None
        self._phase_told: bool | None = None

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def here(self) -> SymbolicTensor:
        """What it is for the ops that are traced now: itself."""
        return self

    def backward(self) -> None:
        """In a step of a model: find the gradients of this loss for the trainable weights, each then in `grad`."""
        functions["backward"](self)

    @property
    def grad(self) -> Any:
        """The gradient that `backward` of a loss has found for the value of a variable; None before."""
        return GRADS.get(self)

    @property
    def is_placeholder(self) -> bool:
        """Whether it is a leaf that waits for a value: no op made it, and it is neither constant nor a variable's."""
        return self.origin is None and self.constant is None and self.variable is None

    @property
    def _uses_learning_phase(self) -> bool:
        """Whether what made this tensor, or what came before, looks at the phase; or what a program set it to.

        Source: Keras 2.3.1, `keras/engine/base_layer.py`.
        """
        if self._phase_told is not None:
            return self._phase_told
        if self.history is not None:
            return functions["made_by_phase"](self)
        before = ancestors([self])  # what functions of K made it of: the phase, or what layers made
        return PHASE in before or any(t._uses_learning_phase for t in before if t.history is not None)

    @_uses_learning_phase.setter
    def _uses_learning_phase(self, told: bool) -> None:
        self._phase_told = told

    @property
    def _keras_shape(self) -> shapes.Shape:
        return self.shape

    @property
    def _keras_history(self) -> Any:
        return self.history

    @property
    def _keras_mask(self) -> Any:
        return self.mask

    def get_shape(self) -> shapes.TensorShape:
        """`shape`, by the name that it had on TensorFlow's tensors; known sizes have a `value`."""
        return shapes.TensorShape(self.shape.dims)

    def set_shape(self, shape: Sequence[Any]) -> None:
        """Fill in sizes that are not known here, as on TensorFlow's tensors.

        Args:
            shape: as many sizes as there are axes; None where one stays as it is.

        Raises: ShapeError for another number of axes, or sizes other than those that are known.

        Example:
            >>> x = K.placeholder((None, None, 3))
            >>> x.set_shape((None, 5, 3))
            >>> x.shape
            (None, 5, 3)
        """
        sizes = tuple(shapes.TensorShape(shape))
        fits = len(sizes) == self.ndim and all(
            None in pair or pair[0] == pair[1] for pair in zip(sizes, self.shape, strict=True)
        )
        if not fits:
            raise ShapeError(f"set_shape: expected sizes that agree with {self.shape}, received {sizes}.")
        known = zip(self.shape, sizes, strict=True)
        self.shape = shapes.TensorShape(new if old is None else old for old, new in known)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __iter__(self) -> Iterator[Any]:
        if not self.shape or self.shape[0] is None:
            raise UntraceableError(
                f"{self!r} has no known number of rows, so Python cannot loop over them{calling_line()}. Write what is "
                "done to a row with functions of K for all rows at once, or use K.map_fn or K.scan."
            )
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        value = value_here(self)
        if value is not None:
            return bool(value)
        raise UntraceableError(
            f"{self!r} has no value yet, so Python cannot branch on it{calling_line()}. Write K.switch(condition, "
            "then, otherwise) or K.where instead of `if`, K.logical_and and K.logical_or instead of `and` and `or`, "
            "K.while_loop instead of `while`, K.maximum and K.minimum instead of `max` and `min`."
        )

    def __float__(self) -> float:
        return float(np.asarray(self))

    def __int__(self) -> int:
        value = value_here(self)
        return int(np.asarray(self) if value is None else value)

    def __index__(self) -> int:
        return int(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if not has_value(self):
            raise UntraceableError(
                f"{self!r} depends on inputs that have no values yet{calling_line()}. Compute with functions of K "
                "instead of NumPy, or evaluate it with K.function(inputs, [x]) or model.predict."
            )
        return np.asarray(functions["eval"](self), dtype)

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array, where it depends on no placeholder. Raises: UntraceableError elsewhere.

        A step that runs anew for each batch has values, too: with `run_eagerly`, or where it cannot be traced.
        """
        value = value_here(self)
        return np.asarray(self) if value is None else value


def is_symbolic(x: Any) -> bool:
    """Whether `x` is a symbolic tensor: one without a value. Variables, arrays and engine tensors are not.

    Within a recording, where ops are recorded, an `EagerTensor` counts as one.

    Args:
        x: anything.

    Example:
        >>> is_symbolic(K.placeholder((2,))), is_symbolic(np.ones(2))
        (True, False)
    """
    return isinstance(x, SymbolicTensor) and (not x.is_eager or tracing() is not None)


def placeholder(shape: Sequence[Any], dtype: str, name: str | None = None) -> SymbolicTensor:
    """A leaf that waits for a value."""
    return SymbolicTensor(tuple(shape), dtype, name=name)


def constant(value: Any, dtype: str | None = None) -> SymbolicTensor:
    """A leaf with a value: a NumPy array or a tensor of an engine."""
    if isinstance(value, np.ndarray):
        value = dtypes.plain_array(value)
    if isinstance(value, np.ndarray | np.generic | bool | int | float | complex | list | tuple):
        value = np.asarray(value, dtype=None if dtype in (None, "bfloat16") else dtype)
    return SymbolicTensor(tuple(value.shape), dtype or dtypes.canonical(value.dtype), constant=value)


PHASE = placeholder((), "bool", "learning_phase")
COUNTER = placeholder((), "int64", "step_counter")
SEED = placeholder((), "int64", "random_seed")
STREAM = placeholder((), "int64", "noise_stream")
AMBIENT = frozenset((PHASE, COUNTER, SEED, STREAM))  # leaves that nobody feeds: a replay takes their present values


# Structures ----------------------------------------------------------------------------------------------------


def leaves_of(structure: Any) -> Iterator[SymbolicTensor]:
    """The symbolic tensors in nested lists, tuples and dicts, in order."""
    if isinstance(structure, SymbolicTensor):
        yield structure
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from leaves_of(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from leaves_of(item)


# Tensors of a graph inside of a step ---------------------------------------------------------------------------

_GRAPH_VALUES: ContextVar[Callable[[SymbolicTensor], Any] | None] = ContextVar("keras_front_graph_values", default=None)


@contextmanager
def graph_values(value_of: Callable[[SymbolicTensor], Any] | None) -> Iterator[None]:
    """A context in which ops take `value_of(t)` for a symbolic tensor `t` that was made before the step that runs.

    A loss may use tensors of the model beside its two arguments; in a step they stand for their values there, as
    variables do.
    """
    token = _GRAPH_VALUES.set(value_of)
    try:
        yield
    finally:
        _GRAPH_VALUES.reset(token)


def value_of_graph_tensors() -> Callable[[SymbolicTensor], Any] | None:
    """What `graph_values` was given; None outside of it."""
    return _GRAPH_VALUES.get()


def outside_graphs() -> bool:
    """Whether symbolic tensors stand for themselves here; see `in_this_step`."""
    return _GRAPH_VALUES.get() is None


def in_this_step(item: Any) -> Any:
    """What `item` stands for here: its value in the step that runs, if it is a symbolic tensor from before it."""
    value_of = _GRAPH_VALUES.get()
    if not isinstance(item, SymbolicTensor):
        return item if value_of is None else _watched(item)
    item = item.here()
    if value_of is None or belongs_to_trace(item):
        return item
    return value_of(item)


def _watched(item: Any) -> Any:
    """The leaf of a recording that stands for a tensor of an engine, if it has one; the tensor itself elsewhere."""
    trace = tracing()
    return item if trace is None or trace.recording is None else trace.recording.leaf(item)


def belongs_to_trace(tensor: SymbolicTensor) -> bool:
    """Whether a tensor was made by the trace that is recorded, or means the same inside and outside of it."""
    trace = tracing()
    if tensor.history is not None:
        return False
    if tensor.origin is None:
        return not tensor.is_placeholder or tensor in AMBIENT
    return trace is not None and tensor.origin.serial > trace.first_serial


# Walking and replaying -----------------------------------------------------------------------------------------


def toposort(
    outputs: Iterable[SymbolicTensor], stop: Any = (), source: Callable[[SymbolicTensor], SymbolicTensor] | None = None
) -> list[OpCall]:
    """The records behind `outputs`, each after those it needs. Iterative: depth never meets Python's recursion limit.

    Tensors in `stop` (a set or dict) are not looked behind. `source` names the tensor that is meant by another: one in
    the body of a composite by the composite's result.
    """

    def behind(tensors: Iterable[SymbolicTensor]) -> list[OpCall]:
        meant = tensors if source is None else map(source, tensors)
        return [t.origin for t in meant if t.origin is not None and t not in stop]

    order: list[OpCall] = []
    done: set[int] = set()
    stack = [(origin, False) for origin in reversed(behind(outputs))]
    while stack:
        origin, ready = stack.pop()
        if ready:
            order.append(origin)
        elif id(origin) not in done:
            done.add(id(origin))
            stack.append((origin, True))
            stack.extend((o, False) for o in behind(origin.tensors()) if id(o) not in done)
    return order


def ancestors(outputs: Iterable[SymbolicTensor]) -> set[SymbolicTensor]:
    """All tensors on which `outputs` depend, themselves included."""
    outputs = list(outputs)
    found = set(outputs)
    for origin in toposort(outputs):
        found.update(origin.tensors())
    return found


def has_value(tensor: SymbolicTensor) -> bool:
    """Whether a symbolic tensor can be evaluated here: nothing is being traced, and it waits for no placeholder."""
    return tracing() is None and not any(t.is_placeholder and t not in AMBIENT for t in ancestors([tensor]))


def value_here(tensor: SymbolicTensor) -> np.ndarray | None:
    """The value of a symbolic tensor, where it waits for no placeholder or the record is made for known values.

    A record in which this was asked is good for these values alone: see `scopes.Trace.values`.

    Args:
        tensor: the symbol.

    Returns: an array, or None where there is no value.
    """
    trace = tracing()
    if trace is None:
        return np.asarray(functions["eval"](tensor)) if has_value(tensor) else None
    if trace.recording is not None:
        return trace.recording.on_host(tensor)
    if trace.values is None:
        return None
    with trace_scope(None), scopes.eager():
        found = replay(tensor, trace.values, keep=True)
    return None if isinstance(found, SymbolicTensor) else np.asarray(trace.backend.to_numpy(found))


def asks_for_values() -> bool:
    """Whether what is recorded now is good for one run alone, because its code asks for values."""
    trace = tracing()
    return trace is not None and (trace.values is not None or trace.recording is not None)


@api_boundary
def replay(outputs: Any, values: dict[SymbolicTensor, Any], keep: bool = False) -> Any:
    """Compute symbolic tensors again, with other values for some of those that they were computed from.

    With real tensors as values this evaluates; with symbols it records anew. Leaves without a value stand for
    themselves: constants, variables (read now), the learning phase (as set now).

    Args:
        outputs: any nesting of symbolic tensors.
        values: what to take in place of a symbolic tensor, wherever it is used.
        keep: whether `values` takes up what is computed.

    Returns: the results, nested as `outputs`.

    Raises: ArgumentError if a placeholder is needed that has no value.

    Example:
        >>> x = K.placeholder((2,))
        >>> with K.use_backend("numpy"):
        ...     replay(x * 2, {x: np.float32([1, 2])}).tolist()
        [2.0, 4.0]
    """
    env = values if keep else dict(values)
    wanted = list(leaves_of(outputs))
    for origin in toposort(wanted, env):
        args = unmixed(map_structure(lambda a: _now(a, env), origin.args))
        attrs = map_structure(lambda a: _now(a, env), origin.attrs)
        results = origin.op.again(args, attrs)
        for tensor, result in zip(origin.outputs, results, strict=True):
            env.setdefault(tensor, result)
    return map_structure(lambda t: _now(t, env), outputs)


def unmixed(args: Any) -> Any:
    """Constants as plain values where all else is plain too: what shapes are computed from stays out of the record."""
    symbols = list(leaves_of(args))
    if not symbols or any(t.constant is None for t in symbols):
        return args
    if all(isinstance(a, SymbolicTensor) or a is None for a in flatten(list(args))):
        return args
    return map_structure(lambda a: a.constant if isinstance(a, SymbolicTensor) else a, args)


def _now(item: Any, env: dict[SymbolicTensor, Any]) -> Any:
    if not isinstance(item, SymbolicTensor):
        return item
    if item in env:
        return env[item]
    if item.constant is not None:
        return item if tracing() else item.constant
    if item.variable is not None:
        return item.variable.read()
    if item in AMBIENT:
        return _ambient(item)
    if tracing() is None:
        raise ArgumentError(
            f"{item!r} has no value. Give it one: K.function(inputs, outputs) must list every placeholder among its "
            "inputs."
        )
    return item


def _ambient(leaf: SymbolicTensor) -> Any:
    """The present value of the learning phase (the symbol itself, while it is open), or of what keys noise."""
    if leaf is COUNTER:
        return current_counter()
    if leaf is SEED:
        return current_seed()
    if leaf is STREAM:
        return scopes.next_stream()
    phase = scopes.phase_value()
    return leaf if phase is None else phase


def current_counter() -> Any:
    """What keys noise now: the frame's counter, its symbol while tracing, otherwise a new number for each draw."""
    bound = scopes.bound_counter()
    if bound is not None:
        return bound
    return COUNTER if tracing() else scopes.drawn_once(seeds.next_step)


def current_seed() -> Any:
    """The run's seed as noise takes it: the frame's, its symbol while tracing, otherwise its value."""
    bound = scopes.bound_seed()
    if bound is not None:
        return bound
    return SEED if tracing() else np.asarray(seeds.root_seed(), "int64")


# Deferred calls ------------------------------------------------------------------------------------------------


class Deferred(Operation):
    """The op of a recorded Python function, such as a layer's call: replaying it runs the function again."""

    kind = "deferred"

    def __init__(self, fn: Callable[..., Any], name: str):
        self.fn, self.name = fn, name

    def again(self, args: tuple[Any, ...], attrs: dict[str, Any]) -> list[Any]:
        with scopes.scratch(real=tracing() is None and next(leaves_of(args), None) is None):
            return flatten(self.fn(*args))


def defer(fn: Callable[..., Any], *inputs: Any, name: str | None = None) -> Any:
    """Record the call of a Python function on symbolic tensors, to be made again under the phase of that moment.

    `fn` runs once now, to learn the shapes of its results; what it assigns then is forgotten. It runs again whenever
    the results are evaluated or traced.

    Args:
        fn: takes as many arguments as there are inputs; it returns tensors, nested in lists or tuples if there are
            several.
        *inputs: symbolic tensors, None, or nested lists of them.
        name: what the call is called in messages; the function's own name if it is None.

    Returns: symbolic tensors, nested as the results of `fn`.

    Example:
        >>> x = K.placeholder((1,))
        >>> y = defer(lambda t: K.in_train_phase(t * 2, t), x)
        >>> f = K.function([x, K.learning_phase()], y)
        >>> f([[3.0], 0]).tolist(), f([[3.0], 1]).tolist()
        ([3.0], [6.0])
    """
    op = Deferred(fn, name or str(getattr(fn, "__name__", "call")))
    origin = OpCall(op, inputs, {})
    with scopes.scratch():
        result = fn(*inputs)
    return outputs_like(origin, result)


def outputs_like(origin: OpCall, result: Any) -> Any:
    """New tensors of the same shapes as `result`, in the same structure, that come from `origin`."""

    def new(item: Any) -> Any:
        if item is None:
            return None
        if not isinstance(item, SymbolicTensor):
            item = constant(np.asarray(item)) if not hasattr(item, "variable_symbol") else item.variable_symbol
        return origin.add_output(item.shape, item.dtype)

    outputs = map_structure(new, result)
    origin.structure = outputs if isinstance(outputs, list | tuple) else None
    return outputs
