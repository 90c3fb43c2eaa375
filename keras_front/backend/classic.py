"""The functions of classic K that are not ops: variables, placeholders, shapes, phases, names.

They know tensors and variables but no engine; what they compute they compute with ops.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_front import config
from keras_front.backend import adapter, declare, discovery, dtypes, program, scopes, seeds, state, symbolic
from keras_front.backend.function import Function, evaluate, gradients_of
from keras_front.backend.ops.arrangement import broadcast_to, symbolic_shape
from keras_front.backend.ops.elementwise import add, cast, host_print, multiply, subtract, where
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.compatibility import renamed
from keras_front.errors import ArgumentError, BackendError, UntraceableError
from keras_front.tracebacks import api_boundary

__all__ = [
    "arange",
    "batch_get_value",
    "batch_set_value",
    "cast_to_floatx",
    "clear_session",
    "compile",
    "compile_multi_step",
    "constant",
    "control_dependencies",
    "convert",
    "count_params",
    "dtype",
    "eye",
    "from_dlpack",
    "function",
    "get_uid",
    "get_value",
    "gradients",
    "in_test_phase",
    "in_train_phase",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_tensor",
    "is_variable",
    "manual_variable_initialization",
    "moving_average_update",
    "name_scope",
    "ndim",
    "ones",
    "placeholder",
    "print_tensor",
    "random_normal_variable",
    "random_uniform_variable",
    "reset_uids",
    "set_value",
    "shape",
    "size",
    "switch",
    "to_numpy",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "zeros",
]

# Making tensors ------------------------------------------------------------------------------------------------


@api_boundary
def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable with a first value.

    Args:
        value: an array, a number, or a tensor of any engine.
        dtype: that of the variable; None: floats get `K.floatx()`, other arrays keep theirs.
        name: what it is called; None for a number of its own.
        constraint: a function that an optimizer applies to the value after each update.

    Returns: a `Variable`.

    Example:
        >>> variable([1.0, 2.0]).shape
        (2,)
    """
    return Variable(value, dtype, name, constraint=constraint)


@api_boundary
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A tensor of the active backend with fixed values.

    Args:
        value: an array, a list or a number.
        dtype: that of the tensor; None: floats get `K.floatx()`, others keep theirs.
        shape: the shape of the result: one value is spread over it, several are laid out in it.
        name: ignored; Keras 2 named the node.

    Returns: a tensor.

    Raises:
        ArgumentError: `value` is a masked array.

    Example:
        >>> constant(1.0, shape=(2,)).tolist()
        [1.0, 1.0]
    """
    array = dtypes.plain_array(value) if isinstance(value, np.ndarray) else np.asarray(value)
    if dtype is None:
        dtype = config.floatx() if array.dtype.kind == "f" else array.dtype
    if shape is not None:
        array = np.full(shape, array) if array.size == 1 else array.reshape(shape)
    return discovery.active().convert(array, dtypes.canonical(dtype))


@api_boundary
def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None
) -> SymbolicTensor:
    """A symbolic tensor that waits for a value.

    Args:
        shape: its dimensions; None for an unknown one.
        ndim: stands for a shape of so many unknown dimensions.
        dtype: that of the tensor; None for `K.floatx()`.
        sparse: whether it may be fed with a sparse matrix of SciPy.
        name: what it is called.

    Returns: a `SymbolicTensor`.

    Raises:
        ArgumentError: neither `shape` nor `ndim` is given.

    Example:
        >>> placeholder((None, 3)).shape
        (None, 3)
    """
    if shape is None:
        if ndim is None:
            raise ArgumentError("K.placeholder: expected `shape` or `ndim`, received neither.")
        shape = (None,) * ndim
    if sparse:
        from keras_front.backend.ops.sparse import SparsePlaceholder

        return SparsePlaceholder(tuple(shape), dtypes.canonical(dtype), name=name)
    return symbolic.placeholder(tuple(shape), dtypes.canonical(dtype), name)


def convert(value: Any, dtype: Any = None) -> Any:
    """Anything array-like as a tensor of the active backend; symbolic tensors pass.

    Args:
        value: an array, a list, a number, a variable or a tensor.
        dtype: that of the result; None: as `value`, lists and numbers get `K.floatx()`.

    Returns: a tensor.

    Raises:
        ArgumentError: `value` is no array, or a masked one.
        BackendError: it is a tensor of another engine.
    """
    dtype = None if dtype is None else dtypes.canonical(dtype)
    if isinstance(value, Variable):
        value = value.read(shared=True)
    if isinstance(value, SymbolicTensor):
        return value if dtype in (None, value.dtype) else cast(value, dtype)
    return discovery.active().convert(value, dtype)


def to_numpy(x: Any) -> np.ndarray:
    """The values of a tensor or variable as a NumPy array; it may share memory with the tensor.

    Args:
        x: a tensor of any engine in use, a variable, or a symbolic expression without open placeholders.

    Returns: an array.
    """
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, Variable | SymbolicTensor):
        return evaluate(x)
    owner = discovery.owner(x)  # the active backend, or another one that is loaded
    return discovery.active().to_numpy(convert(x)) if owner is None else owner.to_numpy(x)


def from_dlpack(x: Any, copy: bool | None = None) -> Any:
    """An array or a tensor of any engine as a tensor of the active backend, in the same memory where that is possible.

    Whoever writes to one then writes to the other. docs/moving-tensors.md says which engines share.

    Args:
        x: an array, a tensor, or a variable; the memory of a variable is shared with `copy=False` alone, as steps of
            training overwrite it.
        copy: None copies where memory cannot be shared, False raises there, True always copies.

    Returns: a tensor.

    Raises:
        BackendError: `copy` is False and memory cannot be shared.
        ArgumentError: `x` is no array.
    """
    backend = discovery.active()
    if isinstance(x, Variable):
        x = x.current() if copy is False else x.value  # which a step may overwrite
    if not copy:
        try:
            return backend.share(x)
        except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
            if copy is False:
                raise BackendError(
                    f"K.from_dlpack: the backend {backend.name!r} cannot share the memory of this "
                    f"{type(x).__name__}: {error} Let it be copied with copy=None."
                ) from error
    source = discovery.owner(x)
    if source is None:  # an array, or a tensor of an engine that no backend has loaded
        x = np.from_dlpack(x) if hasattr(x, "__dlpack__") else np.asarray(x)
    return backend.import_tensor(x, source, dtypes.canonical(x.dtype) if source is None else source.dtype_of(x))


def _filled(value: float, shape: Any, dtype: Any, name: str | None) -> Variable | Any:
    dims = declare.as_dims(shape)
    dtype = dtypes.canonical(dtype)
    if isinstance(dims, SymbolicTensor) or any(isinstance(d, SymbolicTensor) for d in dims):
        return broadcast_to(symbolic.constant(np.asarray(value), dtype), dims)
    return Variable(np.full(dims, value, "float32" if dtype == "bfloat16" else dtype), dtype, name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros; a tensor where a dimension is symbolic.

    Args:
        shape: its dimensions.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> zeros((2,)).numpy().tolist()
        [0.0, 0.0]
    """
    return _filled(0, shape, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones; a tensor where a dimension is symbolic.

    Args:
        shape: its dimensions.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> ones((2,)).numpy().tolist()
        [1.0, 1.0]
    """
    return _filled(1, shape, dtype, name)


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable holding an identity matrix.

    Args:
        size: the number of rows, or of rows and columns.
        dtype: None for `K.floatx()`.
        name: what it is called.

    Example:
        >>> eye(2).numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    return Variable(np.eye(rows, columns), dtypes.canonical(dtype), name)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """Numbers in equal steps, as a tensor.

    Args:
        start: the first number; with no `stop` it is 0 and this is where they end.
        stop: where they end, not included.
        step: the distance.
        dtype: that of the result; int32 as in Keras 2.

    Example:
        >>> arange(3).tolist()
        [0, 1, 2]
    """
    values = np.arange(start) if stop is None else np.arange(start, stop, step)
    return discovery.active().convert(values, dtypes.canonical(dtype))


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of uniform random numbers, drawn on the host.

    Args:
        shape: its dimensions.
        low: the lower bound.
        high: the upper bound, not included.
        dtype: None for `K.floatx()`.
        name: what it is called.
        seed: an integer that fixes the numbers apart from the run's seed.
    """
    values = seeds.generator("variables", seed).uniform(low, high, tuple(shape))
    return Variable(values, dtypes.canonical(dtype), name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Variable:
    """A variable of normal random numbers, drawn on the host.

    Args:
        shape: its dimensions.
        mean: the mean.
        scale: the standard deviation.
        dtype: None for `K.floatx()`.
        name: what it is called.
        seed: an integer that fixes the numbers apart from the run's seed.
    """
    values = seeds.generator("variables", seed).normal(mean, scale, tuple(shape))
    return Variable(values, dtypes.canonical(dtype), name)


# What a tensor is ----------------------------------------------------------------------------------------------


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable.

    Args:
        x: anything.
    """
    return isinstance(x, Variable)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, a variable, or a tensor of a backend in use.

    Args:
        x: anything.
    """
    return isinstance(x, SymbolicTensor | Variable) or discovery.owner(x) is not None


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` came out of a layer (or `Input`).

    Args:
        x: a tensor.

    Raises:
        ArgumentError: it is no tensor at all.
    """
    if not is_tensor(x):
        raise ArgumentError(f"K.is_keras_tensor: expected a tensor, received {type(x).__name__}.")
    return getattr(x, "history", None) is not None


def is_placeholder(x: Any) -> bool:
    """Whether `x` waits for a value.

    Args:
        x: anything.
    """
    return isinstance(x, SymbolicTensor) and x.is_placeholder


def shape(x: Any) -> Any:
    """The shape: an int32 array where it is known, a symbolic vector otherwise.

    Args:
        x: a tensor or variable.
    """
    known = int_shape(x)
    return symbolic_shape(x) if None in known else np.asarray(known, "int32")


def int_shape(x: Any) -> tuple[Any, ...]:
    """The shape as a tuple of ints, with None for what is unknown.

    Args:
        x: a tensor, variable or array.

    Example:
        >>> int_shape(placeholder((None, 3)))
        (None, 3)
    """
    if hasattr(x, "shape"):
        return tuple(d if d is None else int(d) for d in x.shape)
    return np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes.

    Args:
        x: a tensor, variable or array.
    """
    return len(int_shape(x))


def size(x: Any, name: str | None = None) -> Any:
    """The number of elements: an int where it is known, a symbolic scalar otherwise.

    Args:
        x: a tensor, variable or array.
        name: ignored; Keras 2 named the node.
    """
    known = int_shape(x)
    return declare.OPS["prod"].function(shape(x)) if None in known else int(np.prod(known))


def dtype(x: Any) -> str:
    """The name of the dtype.

    Args:
        x: a tensor, variable or array.

    Example:
        >>> dtype(placeholder((2,)))
        'float32'
    """
    return x.dtype if isinstance(x, SymbolicTensor | Variable) else dtypes.canonical(x.dtype)


def count_params(x: Any) -> int:
    """The number of elements of a variable.

    Args:
        x: a variable or tensor of known shape.
    """
    return int(np.prod(int_shape(x), dtype=np.int64))


# Values and updates --------------------------------------------------------------------------------------------


@api_boundary
def get_value(x: Any) -> np.ndarray:
    """A copy of the value as a NumPy array, which no later step changes.

    Args:
        x: a variable, a tensor, or an expression without open placeholders.
    """
    return evaluate(x)


@renamed
@api_boundary
def batch_get_value(ops: Sequence[Any]) -> list[np.ndarray]:
    """Copies of the values of several variables.

    Args:
        ops: the variables.

    Returns: a list of arrays.
    """
    return [get_value(x) for x in ops]


@api_boundary
def set_value(x: Variable, value: Any) -> None:
    """Set the value of a variable; in a step that is traced, the value that it has from there on.

    Args:
        x: the variable.
        value: an array or tensor of its shape.

    Raises:
        ShapeError: the shape is another one.

    Example:
        >>> v = variable([1.0])
        >>> set_value(v, [2.0])
        >>> get_value(v).tolist()
        [2.0]
    """
    value = value if hasattr(value, "shape") else np.asarray(value)
    if scopes.tracing() is not None and scopes.bound_value(x) is not None:
        x.assign(convert(value, x.dtype))
    else:
        x.set(value)


@api_boundary
def batch_set_value(tuples: Sequence[tuple[Variable, Any]]) -> None:
    """Set the values of several variables; shapes are checked before anything is set.

    Args:
        tuples: pairs (variable, value).

    Raises:
        ArgumentError: a shape is another one.
    """
    pairs = [(x, value if hasattr(value, "shape") else np.asarray(value)) for x, value in tuples]
    for x, value in pairs:
        if tuple(value.shape) != x.shape:
            raise ArgumentError(f"Cannot set variable {x.name!r} of shape {x.shape} to a value of shape {value.shape}.")
    for x, value in pairs:
        x.set(value)


def update(x: Variable, new_x: Any) -> Any:
    """Assign inside a step; elsewhere a pair for `updates=` of K.function if the value is symbolic.

    Args:
        x: the variable.
        new_x: its new value.

    Returns: the value, or the pair (variable, value).
    """
    if scopes.current_frame() is None and isinstance(new_x, SymbolicTensor):
        return (x, new_x)
    return x.assign(new_x)


def update_add(x: Variable, increment: Any) -> Any:
    """`update(x, x + increment)`; at once where a real tensor or array is given.

    Args:
        x: the variable.
        increment: what is added.

    Returns: the value, or the pair (variable, value).
    """
    return update(x, add(_now(x, increment), increment))


def update_sub(x: Variable, decrement: Any) -> Any:
    """`update(x, x - decrement)`; at once where a real tensor or array is given.

    Args:
        x: the variable.
        decrement: what is subtracted.

    Returns: the value, or the pair (variable, value).
    """
    return update(x, subtract(_now(x, decrement), decrement))


@renamed
def moving_average_update(x: Variable, value: Any, momentum: Any) -> Any:
    """`update(x, momentum * x + (1 - momentum) * value)`; at once where the value is a real tensor or array.

    Args:
        x: the variable that holds the average.
        value: what is averaged.
        momentum: which part of the old average is kept.

    Returns: the value, or the pair (variable, value).
    """
    return update(x, add(multiply(_now(x, value), momentum), multiply(value, 1 - momentum)))


def _now(x: Variable, change: Any) -> Any:
    """A variable, as its present value where a real tensor or array is to change it: that happens now."""
    real = not isinstance(change, SymbolicTensor | Variable) and hasattr(change, "shape")
    return x.read() if real else x


@api_boundary
def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A function from values of `inputs` to NumPy arrays of `outputs`, which also carries out `updates`.

    Args:
        inputs: a list of placeholders (or `K.learning_phase()`).
        outputs: the tensors that are computed from them, a list or one.
        updates: pairs (variable, new value), carried out at each call.
        **kwargs: `name`, what the function is called; `givens` and `mode` of Theano, which are ignored.

    Returns: a `Function`: called with a list of values it returns a list of arrays; `.source` shows the program that
    runs.

    Raises:
        ArgumentError: an unknown keyword.

    Example:
        >>> x = placeholder((2,))
        >>> function([x], [x * 2.0])([[1.0, 2.0]])[0].tolist()
        [2.0, 4.0]
    """
    unknown = set(kwargs) - {"name", "givens", "mode"}
    if unknown:
        raise ArgumentError(f"K.function: unexpected arguments {sorted(unknown)}.")
    return Function(inputs, outputs, updates, kwargs.get("name"))


@api_boundary
def gradients(loss: Any, variables: Any) -> list[Any]:
    """Symbolic gradients of the sum of `loss`.

    Args:
        loss: a symbolic tensor.
        variables: tensors or variables, a list or one.

    Returns: a list of symbolic tensors; None for those on which the loss does not depend.

    Raises:
        ArgumentError: the loss is not symbolic; `K.value_and_grad` takes functions of real tensors.

    Example:
        >>> x = placeholder((2,))
        >>> function([x], gradients(x * x, x))([[1.0, 2.0]])[0].tolist()
        [2.0, 4.0]
    """
    return gradients_of(loss, variables)


# Choice --------------------------------------------------------------------------------------------------------


def _made(x: Any) -> Any:
    return x() if callable(x) and not hasattr(x, "shape") else x


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while training, else `alt`.

    Args:
        x: a tensor, or a function without arguments that makes one.
        alt: the same; of two functions only the chosen one is called where the phase is known.
        training: the phase, a bool or a scalar tensor; None: `K.learning_phase()`.

    Returns: a tensor.
    """
    if training is None:
        training = state.learning_phase()
    if isinstance(training, SymbolicTensor):
        return switch(training, x, alt)
    return _made(x) if bool(training) else _made(alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while not training, else `alt`; see `in_train_phase`.

    Args:
        x: a tensor, or a function without arguments that makes one.
        alt: the same.
        training: the phase, a bool or a scalar tensor; None: `K.learning_phase()`.

    Returns: a tensor.
    """
    return in_train_phase(alt, x, training=training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors, chosen by a scalar, or sample by sample by a vector.

    Args:
        condition: a bool, a scalar tensor, or a tensor whose axes are the first ones of the others.
        then_expression: a tensor, or a function without arguments that makes one.
        else_expression: the same, of the same shape.

    Returns: a tensor. A gradient flows to the chosen side alone.

    Example:
        >>> switch(True, lambda: 1.0, lambda: 2.0)
        1.0
    """
    if isinstance(condition, bool | int | np.bool_):
        return _made(then_expression) if condition else _made(else_expression)
    then, other = _made(then_expression), _made(else_expression)
    if isinstance(condition, Variable):
        condition = declare._read_variables([condition])[0]
    rank = max(ndim(then), ndim(other))
    if dtype(condition) != "bool":
        condition = cast(condition, "bool")
    while 0 < ndim(condition) < rank:
        condition = declare.OPS["expand_dims"].function(condition, axis=-1)
    return where(condition, then, other)


# Names, graphs, settings ---------------------------------------------------------------------------------------

_uids: defaultdict[str, int] = defaultdict(int)


def get_uid(prefix: str = "") -> int:
    """The next number (from 1) for names that begin with `prefix`.

    Args:
        prefix: the beginning of the names.
    """
    _uids[prefix] += 1
    return _uids[prefix]


def reset_uids() -> None:
    """Let all names start from 1 again."""
    _uids.clear()


def clear_session() -> None:
    """Let names start from 1 again and forget a fixed learning phase. There is no global graph to clear."""
    reset_uids()
    scopes.clear_learning_phase()


_scopes: list[str] = []


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """A context that names things; kept for code that uses it, and without effect on values.

    Args:
        name: the name of the scope.
    """
    _scopes.append(name)
    try:
        yield "/".join(_scopes)
    finally:
        _scopes.pop()


@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A context for code that orders side effects; a step assigns in the order of the code, so it has no effect.

    Args:
        control_inputs: ignored.
    """
    yield


def manual_variable_initialization(value: bool) -> None:
    """Kept for code that calls it: variables have their values when they are made.

    Args:
        value: ignored.
    """


def print_tensor(x: Any, message: str = "") -> Any:
    """`x`, printed after `message` whenever it is computed: at once for real tensors, else when a program runs.

    It is the result that prints: what uses `x` itself, or nothing, prints nothing. Its gradient is that of `x`.

    Args:
        x: a tensor.
        message: text that is printed before it.

    Returns: a tensor of the same values.
    """
    return host_print(x, message, scopes.next_serial())


def cast_to_floatx(x: Any) -> Any:
    """A NumPy array (or tensor) in the default float dtype.

    Args:
        x: an array, a list or a tensor.

    Returns: an array, or a tensor if `x` is one.
    """
    if isinstance(x, SymbolicTensor | Variable) or discovery.owner(x) is not None:
        return cast(x, config.floatx())
    return np.asarray(x, dtype=config.floatx())


def compile(fn: Callable[..., Any], donate: Sequence[int] = ()) -> program.Compiled:
    """`fn` compiled for whichever backend is active when it is called.

    Args:
        fn: takes tensors or flat lists of them, returns any nesting of tensors.
        donate: places of arguments that belong to the function from then on: their memory may be reused.

    Returns: a function; `.source` shows the program.
    """
    return program.Compiled(fn, donate)


def compile_multi_step(step: Any) -> Callable[..., Any]:
    """A function that takes several training steps in one dispatch, where the engine can.

    It is called as `run(state, data, order, count)` and takes a step for each of the first `count` rows of `order`.

    Args:
        step: a function `(state, batch) -> (state, results)`, or what `K.compile` returns for one.

    `order` is an integer array (steps, batch size); a batch holds those rows of each array of `data`.

    Returns: a function that gives (state, results of the last step).
    """
    engine: Any = discovery.active()
    step = step if isinstance(step, program.Compiled) else compile(step, donate=(0,))
    together = engine.compile_multi_step(step)
    one_by_one = adapter.Backend.compile_multi_step(engine, step)

    def run(state: list[Any], data: list[Any], order: np.ndarray, count: int) -> Any:
        try:
            return together(state, data, order, count)
        except UntraceableError:  # it reads variables that are not in its state, for one
            return one_by_one(state, data, order, count)

    return run
