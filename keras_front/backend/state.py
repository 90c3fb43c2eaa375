"""State is passed, not mutated (decision D3): variables, and the frames in which their values are bound.

A `Variable` is a place in a list of values. Outside a frame it reads and writes that place; inside
`with bind(variables, values) as frame:` reads and assignments go to the frame, so a function that assigns variables is
pure when seen from outside, and any engine can differentiate and compile it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from keras_front.backend import discovery, dtypes, scopes, shapes, symbolic
from keras_front.backend.guards import StateGuard
from keras_front.backend.op import OPS, functions
from keras_front.backend.operators import Operators
from keras_front.backend.scopes import (  # noqa: F401 - one import for frames and variables
    Frame,
    add_loss_to_frame,
    bound_value,
    changes_since,
    computes_now,
    current_frame,
    eager,
    eager_section,
    phase,
    phase_value,
    scratch,
    snapshot,
    trace_key,
)
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, ShapeError, StateError

_UIDS = itertools.count(1)


class Fresh:
    """A function that gives the first value of a variable as an array which nobody else holds.

    Args:
        function: the function, which gives the same value each time: two threads may call it at once.
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[[], np.ndarray]):
        self.function = function

    def __call__(self) -> np.ndarray:
        return self.function()


class Variable(Operators):
    """A tensor with a value that can change. Knows no engine: the value is kept by whichever backend used it last.

    Its `guard` keeps threads apart that train and read a model, from the moment on that a step uses the variable.
    `slot_of` is set for what an optimizer keeps for a weight: the path of that weight, beside which it lies on devices.
    `keeper` says of such a variable which of n processes keeps it, where they divide them (see `optimizers.sharding`).

    Args:
        value: anything that NumPy or the active backend takes as an array, or a function without arguments that
            returns it, called at first use (then `shape` must be given).
        dtype: the name of its dtype. None: `floatx()` for lists of floats, that of an array otherwise.
        name: what it is called in messages and files; made up if it is None.
        trainable: whether it counts among the weights that an optimizer updates.
        constraint: a function of the value, applied after an optimizer's update.
        shape: its shape, where `value` is a function; otherwise it is that of the value.

    Attributes:
        autocast: whether layers that compute in another dtype than that of their weights read it in that dtype.

    Raises: ArgumentError if `value` is a function and `shape` is not given.

    Example:
        >>> v = Variable([1.0, 2.0], dtype="float32")
        >>> _ = v.assign_add([1.0, 1.0])
        >>> v.numpy().tolist(), v.shape, K.eval(v * 2).tolist()
        ([2.0, 3.0], (2,), [4.0, 6.0])
    """

    __slots__ = (
        "__weakref__",
        "_backend",
        "_index",
        "_initial",
        "_symbol",
        "_values",
        "autocast",
        "constraint",
        "dtype",
        "guard",
        "keeper",
        "name",
        "regularizer",
        "shape",
        "slot_of",
        "trainable",
    )

    def __init__(
        self,
        value: Any,
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
        shape: Sequence[int] | None = None,
    ):
        self._backend: Any = None  # None: the value is a NumPy array on the host
        self.guard: StateGuard | None = None
        self._initial: Callable[[], Any] | None = None
        if callable(value) and not hasattr(value, "shape"):
            if shape is None:
                raise ArgumentError("Variable: a value given as a function needs `shape=`.")
            self.dtype, self.shape = dtypes.canonical(dtype), shapes.TensorShape(shape)
            self._values: list[Any] = [None]
            self._initial = value
        else:
            array = _to_host(value)
            self.dtype = dtypes.canonical(_variable_dtype(array, dtype))
            self.shape = shapes.TensorShape(array.shape)
            self._values = [_host_cast(array, self.dtype)]
        self._index = 0
        self._symbol: SymbolicTensor | None = None
        self.name = name or f"Variable_{next(_UIDS)}"
        self.trainable, self.constraint, self.autocast = trainable, constraint, True
        self.regularizer: Any = None
        self.slot_of: str | None = None
        self.keeper: Callable[[int], int] | None = None

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def path(self) -> str:
        """The name as Keras 3 gives it, without the ':0' of Keras 2: 'dense/kernel'."""
        return str(self.name).partition(":")[0]

    _uses_learning_phase = False  # as K.variable had it in Keras 2

    @property
    def _keras_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def device(self) -> str:
        """No device by name: where the value lies is the business of the backend that used it last."""
        return ""

    def get_shape(self) -> shapes.TensorShape:
        """`shape`, by the name that it had on TensorFlow's variables; each size has a `value`."""
        return shapes.TensorShape(self.shape.dims)

    @property
    def symbol(self) -> SymbolicTensor:
        """The symbolic tensor that stands for the current value."""
        if self._symbol is None:
            self._symbol = SymbolicTensor(self.shape, self.dtype, name=self.name, variable=self)
        return self._symbol

    variable_symbol = symbol

    def read(self, shared: bool = False) -> Any:
        """The value as ops see it now: a frame's, the symbol while tracing, otherwise the real tensor.

        Args:
            shared: whether what is done with it may share its memory: then a tensor is a copy, which no step changes.
        """
        bound = scopes.bound_value(self)
        if bound is not None:
            return bound
        if scopes.tracing():
            return self.symbol
        return self.value if shared else self.current()

    @property
    def value(self) -> Any:
        """The value as a tensor of the active backend, which stays what it is when a step changes the variable.

        In a step it is the value that the variable has there.
        """
        bound = scopes.bound_value(self)
        if bound is not None:
            return bound
        with _lock_of(self):
            return discovery.active().own_value(self)

    def current(self) -> Any:
        """The stored tensor itself, moved to the active backend if it was elsewhere.

        A step of training may overwrite its memory, so this is for those who read it at once.
        """
        backend = discovery.active()
        held = self._values[self._index]
        return held if held is not None and self._backend is backend else self._brought_to(backend)

    def _brought_to(self, backend: Any) -> Any:
        with _lock_of(self):
            held = self._held()
            if self._backend is not backend:
                held = backend.import_variable(held, self._backend, self)
                self._stand_in([held], 0, backend)
            return held

    def initialize(self) -> None:
        """Compute the first value now, if it was given as a function that was not called yet."""
        if self._values[self._index] is None:
            with _lock_of(self):
                self._held()

    def _held(self) -> Any:
        """What is stored, on whichever backend; the first value is computed now if nobody has asked for it yet."""
        held = self._values[self._index]
        if held is not None:
            return held
        first = self._initial
        if first is None:  # another thread was faster
            return self._values[self._index]
        array = _to_host(first())
        array = (
            array.astype(_on_host(self.dtype), copy=False) if type(first) is Fresh else _host_cast(array, self.dtype)
        )
        if array.shape != self.shape:
            raise ShapeError(f"{self.name}: its initializer gave shape {array.shape}, expected {self.shape}.")
        self._stand_in([array], 0, None)
        self._initial = None
        return array

    def _stand_in(self, values: list[Any], index: int, backend: Any) -> None:
        """Have the value at a place of a list from now on."""
        guard = self.guard
        if guard is None:
            self._values, self._index, self._backend = values, index, backend
            return
        guard.begin()
        try:
            self._values, self._index, self._backend = values, index, backend
            guard.moves += 1
        finally:
            guard.end()

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array."""
        with _lock_of(self):
            held = self._held()
            if self._backend is None:
                return np.array(held)
            return np.array(self._backend.to_numpy(self._backend.whole_variable(held, self)))

    def assign(self, value: Any, **kwargs: Any) -> Any:
        """Set the value: in the innermost frame (see `bind`) that has this variable, otherwise for good.

        Args:
            value: a tensor, array, number or list shaped as the variable.
            **kwargs: `use_locking`, `name` and `read_value` of TensorFlow, which change nothing.

        Returns: the value.

        Raises: ShapeError if the shape is another one; StateError if the value is symbolic and no frame takes it.
        """
        watching = None
        for frame in scopes.frames():
            if frame.takes(self):
                value = _fit(self, value)
                frame.table[self] = value if frame.on_assign is None else frame.on_assign(self, value)
                return value
            watching = frame if frame.newcomers is not None else watching
        if scopes.tracing() and watching is not None:
            watching.newcomers[self] = None  # type: ignore[index] # the trace begins again, with its value
            return value
        if symbolic.is_symbolic(value) and symbolic.has_value(value):
            value = functions["eval"](value)
        if scopes.tracing() or symbolic.is_symbolic(value):
            raise StateError(
                f"Variable {self.name!r} was assigned a symbolic value outside the state of the step that is being "
                "traced. Return K.update(variable, value) in `updates=` of K.function, or make the variable a weight "
                "of the layer (add_weight) so that training carries it."
            )
        self.set(value)
        return value

    def assign_add(self, value: Any, **kwargs: Any) -> Any:
        """`assign(self + value)`.

        Args:
            value: a tensor, array or number that broadcasts to the variable's shape.
            **kwargs: as for `assign`.

        Returns: the new value.
        """
        return self.assign(OPS["add"].function(self.read(), value))

    def assign_sub(self, value: Any, **kwargs: Any) -> Any:
        """`assign(self - value)`.

        Args:
            value: a tensor, array or number that broadcasts to the variable's shape.
            **kwargs: as for `assign`.

        Returns: the new value.
        """
        return self.assign(OPS["subtract"].function(self.read(), value))

    def set(self, value: Any) -> None:
        """Replace the stored value, whatever frames are open.

        Args:
            value: a tensor, array, number or list shaped as the variable; it is cast to the variable's dtype, and
                copied.

        Raises: ShapeError if the shape is another one.
        """
        if isinstance(value, Variable | SymbolicTensor):
            known = None if isinstance(value, Variable) else value.constant
            value = functions["eval"](value) if known is None else known
        shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
        if shape != self.shape:
            raise ShapeError(f"Cannot set variable {self.name!r} of shape {self.shape} to a value of shape {shape}.")
        with _lock_of(self):
            if isinstance(value, np.ndarray | np.generic | list | tuple | bool | int | float):
                array = _host_cast(_to_host(value), self.dtype)
                backend = self._backend
                self._store(array if backend is None else backend.import_variable(array, None, self), backend)
            else:
                backend = discovery.active()
                if not backend.lasts(value):
                    raise StateError(
                        f"Variable {self.name!r} was assigned in a function that the engine traces by itself (such as "
                        "tf.function or jax.jit), whose tensors end with it. Have `fit` call a train_step, or compile "
                        "the step with K.compile: model.stateless_call and optimizer.stateless_apply return new values."
                    )
                self._store(backend.copy(backend.convert(value, self.dtype)), backend)  # steps may reuse its memory
            self._initial = None

    def _store(self, value: Any, backend: Any) -> None:
        if backend is self._backend:
            self._values[self._index] = value
        else:
            self._stand_in([value], 0, backend)

    def begin_anew(self, initial: Callable[[], Any]) -> None:
        """Have another first value, which is computed when it is next asked for.

        Args:
            initial: gives an array of the variable's shape.
        """
        with _lock_of(self):
            self._initial = initial
            self._stand_in([None], 0, None)

    def adopt(self, values: list[Any], index: int, backend: Any) -> None:
        """Read and write the state of a running loop from now on, so that its steps need not copy; see `release`.

        Args:
            values: a list of tensors, which the loop replaces.
            index: the place of this variable's value in it.
            backend: the backend whose tensors they are.
        """
        self._stand_in(values, index, backend)
        self._initial = None

    def release(self) -> None:
        """End `adopt`: keep the present value as one's own."""
        self._stand_in([self._values[self._index]], 0, self._backend)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "value": self.numpy(),
            "dtype": self.dtype,
            "name": self.name,
            "trainable": self.trainable,
            "constraint": self.constraint,
            "regularizer": self.regularizer,
            "slot_of": self.slot_of,
            "autocast": self.autocast,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        given = dict(state)
        later = {name: given.pop(name, default) for name, default in _LATER.items()}
        self.__init__(**given)  # type: ignore[misc]
        for name, value in later.items():
            setattr(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        twin = Variable.__new__(Variable)
        twin.__setstate__(self.__getstate__())
        return twin


class VariableList(list):  # type: ignore[type-arg]
    """A list that may be called, as `optimizer.variables()` was in tf.keras."""

    def __call__(self) -> list[Any]:
        return list(self)


_LATER = {"regularizer": None, "slot_of": None, "autocast": True}  # what a copy is given after it is made


def _lock_of(variable: Variable) -> Any:
    """What is held while a value is read or replaced; nothing for a variable that no step has used."""
    return _FREE if variable.guard is None else variable.guard.lock


_FREE = nullcontext()


def _to_host(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return dtypes.plain_array(value)
    if isinstance(value, Variable):
        return value.numpy()
    owner = discovery.owner(value)
    return np.asarray(owner.to_numpy(value) if owner is not None else value)


def _variable_dtype(array: np.ndarray, dtype: Any) -> Any:
    """Keras: floats become floatx unless the dtype is named; NumPy's own dtypes of other kinds stay."""
    return dtype if dtype is not None or array.dtype.kind == "f" else array.dtype


def _host_cast(array: np.ndarray, dtype: str) -> np.ndarray:
    """A host copy in `dtype`; bfloat16, which NumPy lacks, waits as float32."""
    return np.array(array, dtype=_on_host(dtype))


def _on_host(dtype: str) -> str:
    return "float32" if dtype == "bfloat16" else dtype


def _fit(variable: Variable, value: Any) -> Any:
    if scopes.tracing() and isinstance(value, bool | int | float | np.ndarray | np.generic):
        value = symbolic.constant(_host_cast(np.asarray(value), variable.dtype), variable.dtype)
    if not symbolic.is_symbolic(value):
        return value if scopes.CASTING.get() is None else OPS["cast"].function(value, variable.dtype)
    if len(value.shape) != len(variable.shape) or any(
        d is not None and d != e for d, e in zip(value.shape, variable.shape, strict=True)
    ):
        raise ShapeError(
            f"Cannot assign a value of shape {value.shape} to variable {variable.name!r} of shape {variable.shape}."
        )
    return value if value.dtype == variable.dtype else OPS["cast"].function(value, variable.dtype)


# Frames and the learning phase -----------------------------------------------------------------------------------


def bind(
    variables: Sequence[Variable],
    values: Sequence[Any],
    counter: Any = None,
    collect: bool = True,
    discover: bool = False,
    seed: Any = None,
) -> Any:
    """A context in which `variables` have `values` and assignments stay inside; it gives the `Frame`.

    Args:
        variables: which variables.
        values: their values, all real tensors or all symbolic ones.
        counter: an integer tensor that keys the noise drawn inside.
        collect: whether the frame keeps the losses that layers report.
        discover: whether variables that are assigned inside and are not among `variables` are noted, as
            `frame.newcomers`.
        seed: the run's seed as an integer tensor, where it is carried in a state as the counter is; None: the present
            one.

    Raises: ArgumentError unless there is a value for each variable.
    Example:
        >>> v = Variable([1.0, 2.0])
        >>> with bind([v], [v.value * 2]) as frame:
        ...     _ = v.assign_add(1.0)
        >>> frame.values_of([v])[0].tolist(), v.numpy().tolist()
        ([3.0, 5.0], [1.0, 2.0])
    """
    if len(variables) != len(values):
        raise ArgumentError(f"bind: {len(variables)} variables but {len(values)} values.")
    real = bool(values) and not symbolic.is_symbolic(values[0])
    frame = Frame(dict(zip(variables, values, strict=True)), counter, collect, False, real, seed)
    frame.newcomers = {} if discover else None
    return scopes.frame_scope(frame)


def undo_update(value: Any) -> None:
    """Give a variable back the value that it had before an update of these frames; see `values.update`.

    Args:
        value: what `K.update` returned; other values are passed over.
    """
    for frame in scopes.frames():
        for result, variable, before in frame.updated:
            if result is value and before is not None:
                variable.assign(before)
            elif result is value:
                frame.table.pop(variable, None)


def present_value(variable: Variable, shared: bool = False) -> Any:
    """What a variable is for an op here: a frame's value, its own where ops compute now, otherwise itself.

    Args:
        variable: the variable.
        shared: whether the op's result may share memory with its argument: then that is a copy, because a step of
            training overwrites the variable's.
    """
    bound = scopes.bound_value(variable)
    if bound is not None:
        return bound
    if not scopes.computes_now():
        return variable
    return variable.value if shared else variable.current()


def learning_phase() -> Any:
    """1 or True while training, 0 or False while not, and a symbolic scalar as long as nothing has decided.

    Example:
        >>> K.set_learning_phase(1)
        >>> K.learning_phase()
        1
        >>> K.clear_session()
    """
    value = scopes.phase_value()
    return symbolic.PHASE if value is None else value


def set_learning_phase(value: Any) -> None:
    """Fix the learning phase for everything that does not say otherwise.

    Args:
        value: 0 (test) or 1 (train). What `K.learning_phase()` gave while nothing had decided releases it again, so
            that a program can put back what it found.

    Raises: ArgumentError for any other value.

    Example:
        >>> K.set_learning_phase(0)
        >>> K.learning_phase()
        0
        >>> K.clear_session()
    """
    if value is symbolic.PHASE:
        scopes.clear_learning_phase()
        return
    if not isinstance(value, int | float | np.number) or value not in (0, 1):
        raise ArgumentError(f"set_learning_phase: expected 0 or 1, received {value!r}.")
    scopes.fix_phase(int(value))
