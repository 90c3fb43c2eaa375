"""Tensors with a value that also know how they were computed, and the recordings that make them.

Programs written for TensorFlow 2 compute with values and differentiate what they have computed. In a recording ops are
recorded as in any trace, on tensors of class `EagerTensor`: the value of one is computed when somebody looks, by the
active engine, and kept. So a recording is differentiated by the rules of K, on every backend, and its tensors have
values before and after. Outside of recordings an `EagerTensor` is a value as others: what ops make of it has one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import discovery, dtypes, scopes, seeds, state, symbolic
from keras_front.backend.op import OPS, functions
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import UntraceableError

__all__ = ["EagerTensor", "Recording", "eager_tensor", "value_of"]


class EagerTensor(SymbolicTensor):
    """A tensor with a value: one of a recording, or the result of ops on such tensors.

    Made by `eager_tensor` and by recordings. `constant` is its value, a tensor of an engine, once it was computed.

    Example:
        >>> x = eager_tensor(np.float32([1, 2]))
        >>> (x * 2).numpy().tolist(), float(x[0]), bool(x[0] == x[1])
        ([2.0, 4.0], 1.0, False)
    """

    __slots__ = ()

    is_eager = True
    stays_recorded = False  # whether functions of others, which would take its array, are to fail in a recording

    def here(self) -> SymbolicTensor:
        """What it is for the ops that are traced now: itself, the leaf of a recording, or a constant."""
        trace = scopes.tracing()
        if trace is None:
            return self
        if trace.recording is not None:
            return trace.recording.leaf(self)
        return symbolic.constant(value_of(self), self.dtype)

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array of the caller's own."""
        return np.array(_on_host(self))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.stays_recorded and scopes.tracing() is not None:
            raise UntraceableError(f"{self!r} is recorded: write functions of K, or x.numpy() for its value.")
        return np.asarray(_on_host(self), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if scopes.tracing() is not None:
            return super().__array_ufunc__(ufunc, method, *args, **kwargs)
        return getattr(ufunc, method)(*_arrays(args), **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if scopes.tracing() is not None:
            return super().__array_function__(func, types, args, kwargs)
        return func(*_arrays(args), **_arrays(kwargs))

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return found if scopes.tracing() is not None else handed_out(found)

    def __bool__(self) -> bool:
        return bool(_on_host(self))

    def __int__(self) -> int:
        return int(_on_host(self))

    def __len__(self) -> int:
        return len(_on_host(self))

    def __complex__(self) -> complex:
        return complex(_on_host(self))

    def __format__(self, spec: str) -> str:
        return format(_on_host(self)[()], spec)

    def __eq__(self, other: Any) -> Any:
        if _compares(other):
            return OPS["equal"].function(self, other)
        return super().__eq__(other)

    def __ne__(self, other: Any) -> Any:
        if _compares(other):
            return OPS["not_equal"].function(self, other)
        return super().__ne__(other)

    __hash__ = SymbolicTensor.__hash__

    def __str__(self) -> str:
        return f"tf.Tensor({_on_host(self)}, shape={tuple(self.shape)}, dtype={self.dtype})"

    def __repr__(self) -> str:
        return f"<tf.Tensor: shape={tuple(self.shape)}, dtype={self.dtype}, numpy={_on_host(self)!r}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> EagerTensor:
        return eager_tensor(value_of(self))

    def __reduce__(self) -> Any:
        return eager_tensor, (self.numpy(),)


def _compares(other: Any) -> bool:
    """Whether `==` compares elements: with numbers, and outside of recordings with tensors."""
    return isinstance(other, int | float) or (isinstance(other, SymbolicTensor) and scopes.tracing() is None)


def eager_tensor(value: Any) -> EagerTensor:
    """A value as an `EagerTensor`.

    Args:
        value: a tensor of an engine, an array or a number.

    Example:
        >>> eager_tensor(np.float32([1, 2])).shape
        (2,)
    """
    if not hasattr(value, "shape"):
        value = np.asarray(value)
    owner = discovery.owner(value)
    dtype = dtypes.canonical(value.dtype) if owner is None else owner.dtype_of(value)
    return EagerTensor(tuple(value.shape), dtype, constant=value)


def handed_out(results: Any) -> Any:
    """The tensors of an engine in nested results as `EagerTensor`s; all else as it is.

    Args:
        results: what a function returned.
    """
    return nest.map_structure(_handed_out, results)


def _handed_out(item: Any) -> Any:
    if item is None or isinstance(item, SymbolicTensor | state.Variable | str | bool | int):
        return item
    if isinstance(item, np.ndarray | np.generic):
        return item if item.dtype.kind in "OUSV" else eager_tensor(item)
    return item if discovery.owner(item) is None else eager_tensor(item)


_answers: list[type] = []  # where layers, losses and metrics give `EagerTensor`s: the class that programs expect


def answer_programs_of_tensorflow(expected: type = EagerTensor) -> None:
    """Have layers, losses and metrics give `EagerTensor`s where they compute with values.

    Args:
        expected: the class that programs expect; an engine whose tensors are of it answers with its own.

    Example:
        >>> answer_programs_of_tensorflow()  # doctest: +SKIP
    """
    _answers[:] = [expected]


def answered(results: Any) -> Any:
    """What a layer, a loss or a metric gives to whom has called it.

    Args:
        results: tensors of an engine, nested in lists, tuples and dicts.
    """
    if not _answers or not scopes.is_outermost() or any(issubclass(_answers[0], t) for t in discovery.active().native):
        return results
    return handed_out(results)


def as_values(item: Any) -> Any:
    """The values of the `EagerTensor`s in nested arguments; all else as it is.

    Args:
        item: arguments of a function.
    """
    if isinstance(item, EagerTensor):
        return value_of(item)
    if isinstance(item, list | tuple | dict):
        return nest.map_structure(lambda i: value_of(i) if isinstance(i, EagerTensor) else i, item)
    return item


def are_among(items: Any) -> bool:
    """Whether there is an `EagerTensor` among arguments, also in lists of them.

    Args:
        items: the arguments.
    """
    return any(isinstance(t, EagerTensor) for t in symbolic.leaves_of(items))


# Values --------------------------------------------------------------------------------------------------------


class _Known:
    """All tensors that have a value, as a set."""

    def __contains__(self, tensor: SymbolicTensor) -> bool:
        return tensor.constant is not None


_KNOWN: Any = _Known()


def value_of(tensor: SymbolicTensor) -> Any:
    """The value of a tensor of a recording; it is computed now if nobody has asked for it yet, and kept.

    Args:
        tensor: a symbolic tensor that depends on no placeholder.

    Returns: a tensor of an engine.
    """
    if tensor.constant is None:
        with _computing():
            for origin in symbolic.toposort([tensor], _KNOWN):
                _compute(origin)
            if tensor.constant is None:
                tensor.constant = symbolic.replay(tensor, {})
    return _of_active(tensor)


def _of_active(tensor: SymbolicTensor) -> Any:
    value, backend = tensor.constant, discovery.active()
    return value if backend.is_tensor(value) else backend.convert(value, tensor.dtype)


def _compute(origin: symbolic.OpCall) -> None:
    args = symbolic.map_structure(_value_or_leaf, origin.args)
    attrs = symbolic.map_structure(_value_or_leaf, origin.attrs) if symbolic.has_symbols(origin.attrs) else origin.attrs
    for tensor, result in zip(origin.outputs, origin.op.again(args, attrs), strict=True):
        tensor.constant = result
        if None in tensor.shape:
            tensor.shape = symbolic.shapes.TensorShape(tuple(result.shape))


def _value_or_leaf(item: Any) -> Any:
    """The value of a tensor; of one that stands for itself (a variable, the phase) what it is now."""
    if not isinstance(item, SymbolicTensor):
        return item
    return item.constant if item.constant is not None else symbolic.replay(item, {})


def _arrays(items: Any) -> Any:
    return nest.map_structure(lambda i: np.asarray(i) if isinstance(i, EagerTensor) else i, items)


@contextmanager
def _computing() -> Iterator[None]:
    """A context in which ops compute, whatever is recorded around it."""
    with scopes.trace_scope(None), scopes.eager():
        yield


def _on_host(tensor: SymbolicTensor) -> np.ndarray:
    value = value_of(tensor)
    owner = discovery.owner(value)
    return np.asarray(value if owner is None else owner.to_numpy(value))


# Recordings ----------------------------------------------------------------------------------------------------


class _Leaves(dict[Any, Any]):
    """The table of a recording's frame: a variable has the leaf that stands for its value, made when it is read.

    What is assigned is assigned at once, so that who reads the variable then gets the new value.
    """

    def __init__(self, recording: Recording):
        self.recording = recording

    def get(self, variable: Any, default: Any = None) -> Any:
        leaf = dict.get(self, variable)
        if leaf is None:
            with _computing():
                leaf = self[variable] = self.recording.new_leaf(discovery.active().copy(variable.current()))
        return leaf

    def assigned(self, variable: Any, value: Any) -> Any:
        """Give the variable its new value for good; for `Frame.on_assign`."""
        if isinstance(value, SymbolicTensor):
            value = value_of(value)
        variable.set(value)
        return self.recording.new_leaf(discovery.active().convert(value, variable.dtype))


def _is_variable_of_others(item: Any) -> bool:
    return hasattr(item, "assign_add") and not isinstance(item, state.Variable)


class Recording:
    """What is computed within its blocks, so that it can be differentiated.

    Example:
        >>> w, recording = K.variable([1.0, 2.0]), Recording()
        >>> with recording.block():
        ...     loss = K.sum(K.square(w))
        >>> float(loss), recording.gradients(loss, [w])[0].numpy().tolist()
        (5.0, [2.0, 4.0])
    """

    def __init__(self) -> None:
        self.trace = scopes.Trace(discovery.active())
        self.trace.recording = self
        self._leaves: dict[int, tuple[Any, EagerTensor]] = {}  # of tensors from elsewhere, by identity
        counter = discovery.active().convert(np.asarray(seeds.next_step(), "int64"))
        table = _Leaves(self)
        self.frame = scopes.Frame(table, self.new_leaf(counter), False, True)
        self.frame.on_assign = table.assigned

    @staticmethod
    def kind_of(origin: symbolic.OpCall) -> type[SymbolicTensor]:
        """The class of the results of a call: they have values if its arguments do.

        Args:
            origin: the call.
        """
        return SymbolicTensor if any(t.is_open for t in origin.tensors()) else EagerTensor

    @contextmanager
    def left(self) -> Iterator[None]:
        """A context within a block in which nothing is recorded, as outside of it."""
        with scopes.trace_scope(None), symbolic.graph_values(None), scopes.no_frame():
            yield

    on_host = staticmethod(lambda tensor: _on_host(tensor))

    @contextmanager
    def block(self) -> Iterator[Recording]:
        """A context in which ops are recorded."""
        with ExitStack() as stack:
            stack.enter_context(scopes.trace_scope(self.trace))
            stack.enter_context(symbolic.graph_values(self.leaf))
            stack.enter_context(scopes.frame_scope(self.frame))
            if scopes.phase_value() is None:
                stack.enter_context(scopes.phase(0))
            yield self

    def leaf(self, item: Any, watch: bool = False) -> Any:
        """What stands here for a tensor from elsewhere: always the same leaf.

        Args:
            item: an `EagerTensor`, or a tensor of an engine.
            watch: whether a tensor of an engine gets a leaf; without it only one that has got one already.
        """
        if isinstance(item, SymbolicTensor) and (not isinstance(item, EagerTensor) or self._has(item)):
            return item
        known = self._leaves.get(id(item))
        if known is not None:
            return known[1]
        is_watched = watch or isinstance(item, EagerTensor) or _is_variable_of_others(item)
        if scopes.tracing() is not self.trace or not is_watched:
            return item
        with _computing():
            leaf = self.new_leaf(value_of(item) if isinstance(item, EagerTensor) else discovery.active().convert(item))
        self._leaves[id(item)] = item, leaf
        return leaf

    def new_leaf(self, value: Any) -> EagerTensor:
        """A leaf with a value.

        Args:
            value: a tensor of the engine.
        """
        leaf = eager_tensor(value)
        self._leaves[id(leaf)] = leaf, leaf
        return leaf

    def _has(self, tensor: EagerTensor) -> bool:
        return tensor.origin is not None and tensor.origin.serial > self.trace.first_serial

    def gradients(self, target: Any, sources: Sequence[Any]) -> list[Any]:
        """Derivatives of a tensor of the recording.

        Args:
            target: the tensor, or a function that makes it within the recording; of several elements the sum.
            sources: tensors and variables.

        Returns: an `EagerTensor` for each source; None for one on which nothing depends.
        """
        if scopes.tracing() is self.trace:
            return self._recorded(target, sources)
        with self.block():
            found = self._recorded(target, sources)
        return [eager_tensor(value_of(g)) if isinstance(g, EagerTensor) else g for g in found]

    def _recorded(self, target: Any, sources: Sequence[Any]) -> list[Any]:
        total = target() if callable(target) else target
        if not isinstance(total, SymbolicTensor):  # it was computed elsewhere
            return [None] * len(sources)
        leaves = [self.frame.table.get(s) if isinstance(s, state.Variable) else self.leaf(s) for s in sources]
        return functions["gradients_of"](total, leaves)
