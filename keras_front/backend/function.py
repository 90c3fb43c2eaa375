"""`K.function`, `K.gradients`, `K.eval`, which compute with symbolic tensors; `K.compile`, which traces functions."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence, ValuesView
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import (
    adapter,
    codegen,
    discovery,
    dtypes,
    eager_tensors,
    operands,
    program,
    scopes,
    shared_programs,
    state,
    symbolic,
)
from keras_front.backend import gradients as gradient_rules
from keras_front.backend.op import Operation, provides, register
from keras_front.backend.operands import recorded
from keras_front.backend.symbolic import PHASE, OpCall, SymbolicTensor
from keras_front.backend.tables import make_room
from keras_front.compatibility import reject_unknown
from keras_front.errors import ArgumentError, KerasFrontError, StateError, UntraceableError, WrongKindError
from keras_front.failures import explains_failures
from keras_front.tracebacks import api_boundary, passed_user_code

# K.function ----------------------------------------------------------------------------------------------------


class Function:
    """`K.function(inputs, outputs, updates)`: from values of placeholders to NumPy arrays.

    The learning phase may be among the inputs; one program is kept for each of its values.

    Args:
        inputs: placeholders.
        outputs: a symbolic tensor, or a list of them.
        updates: pairs (variable, new value), assigned after each call.
        name: what the function is called in messages.
        fetches: what is computed besides, and updates that are carried out.
        feed_dict: values of further placeholders, looked up at each call.

    Raises: ArgumentError for an input that is no symbolic tensor.
    """

    def __init__(
        self, inputs: Sequence[Any], outputs: Any, updates: Any = None, name: str | None = None, fetches: Any = None,
        feed_dict: Any = None,
    ):  # fmt: skip
        self.fetches, self.feed_dict = list(fetches or ()), dict(feed_dict or {})
        self._asked = len(inputs)  # of the inputs, whose values a call is given
        inputs = [*inputs, *self.feed_dict]
        self.inputs = [i.symbol if isinstance(i, state.Variable) else i for i in inputs]
        wrong = [i for i in self.inputs if not isinstance(i, SymbolicTensor)]
        if wrong:
            raise ArgumentError(f"K.function: inputs must be placeholders, received {wrong[0]!r:.80}.")
        outputs = list(outputs) if isinstance(outputs, ValuesView | Iterator) else outputs
        self.single = not isinstance(outputs, list | tuple)
        wanted = [outputs] if self.single else outputs
        self.outputs = [_output(o[1] if is_update(o) else o) for o in wanted]
        self.updates = [u for u in _listed(updates) if isinstance(u, tuple | list) and len(u) == 2]
        self.updates += [u for u in (*wanted, *self.fetches) if is_update(u)]
        self._besides = [_output(f) for f in self.fetches if not is_update(f)]
        self.fed = [i for i in self.inputs if i is not PHASE]
        batched = [place for place, tensor in enumerate(self.fed) if tensor.shape[:1] == (None,)]
        self._compiled = program.Compiled(self._run, pure=False, batched=batched)
        self._compiled.__name__ = name or "K.function"

    def _run(self, *values: Any) -> Any:
        new = [recorded(value) for _, value in self.updates]
        table = dict(zip(self.fed, values, strict=True))
        outputs, new, _ = symbolic.replay((self.outputs, new, self._besides), table)
        return outputs, new

    @api_boundary
    def __call__(self, values: Sequence[Any] = ()) -> Any:
        if not isinstance(values, list | tuple):
            raise WrongKindError(
                f"K.function: `inputs` should be a list or tuple of {self._asked} values, received "
                f"{type(values).__name__}. Write [values] for one input."
            )
        if len(values) != self._asked:  # as Keras, which takes nested lists: `(x, [], None)` for one input
            values = [value for value in nest.flatten(list(values)) if value is not None]
        inputs = self.inputs
        if len(values) == self._asked - 1 and PHASE in inputs:  # then the phase is what it is elsewhere
            inputs = self.fed
        elif len(values) != self._asked:
            raise ArgumentError(f"K.function: expected {self._asked} values, received {len(values)}.")
        backend = discovery.active()
        values = [*values, *self.feed_dict.values()] if self.feed_dict else values
        given = {t: _alone(value, t) for t, value in zip(inputs, values, strict=True)}
        fed = [backend.convert(_checked(value, t), t.dtype) for t, value in given.items() if t is not PHASE]
        with scopes.phase(int(bool(given[PHASE]))) if PHASE in given else ExitStack():
            try:
                outputs, new = self._compiled(*fed)
            except Exception as error:
                raise self._fault(error, fed) from error.__cause__
        for (variable, _), value in zip(self.updates, new, strict=True):
            variable.assign(value)
        arrays = [_finished(t, np.array(backend.to_numpy(o))) for t, o in zip(self.outputs, outputs, strict=True)]
        return arrays[0] if self.single else arrays

    def _fault(self, error: Exception, fed: Sequence[Any]) -> Exception:
        """What went wrong in a program: its ops on the same values, one by one, find which of them it was."""
        if isinstance(error, KerasFrontError) or passed_user_code(error):
            return error
        try:
            with scopes.eager():
                self._run(*fed)
        except KerasFrontError as found:
            found.__cause__ = error
            return found
        except Exception:  # the code is to blame, not the arguments
            return error
        return error

    @property
    def source(self) -> str:
        """The text of the program that was written last."""
        return self._compiled.source

    def to_onnx(self, path: Any = None, opset_version: int | None = None) -> Any:
        """The function, as it is in the test phase, as a model of ONNX; needs the package `onnx`.

        Args:
            path: a file to write it to; None for none.
            opset_version: the version of ONNX's operators, from 13 to 23; 18 by default.

        Returns: the `onnx.ModelProto` if no path is given.

        Raises: ArgumentError for a function with updates; MissingPackageError without the package; SerializationError
            for an op that has no operators in ONNX.
        """
        files = import_module("keras_front.export.onnx.file")  # which builds upon this module
        made = files.function_model(self, opset_version)
        return made.proto if path is None else files.save(made, path)


def is_update(x: Any) -> bool:
    """Whether it is what `K.update` returns outside of a step: a variable and its new value.

    Args:
        x: anything.
    """
    return isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], state.Variable)


def _output(output: Any) -> Any:
    if output is None:
        raise ArgumentError("K.function: outputs must be tensors, received None: K.gradients gives None for a tensor "
                            "that the loss does not depend on.")  # fmt: skip
    try:
        return recorded(output)
    except ArgumentError as error:
        raise ArgumentError(f"K.function: outputs must be tensors. {error}") from None


def _listed(updates: Any) -> list[Any]:
    """Updates as a list: Theano took a dict, and what was carried out at once is no pair any more."""
    return list(updates.items()) if isinstance(updates, dict) else list(updates or ())


def _alone(value: Any, tensor: SymbolicTensor) -> Any:
    """The array in a list of one that is a whole value by itself, as in `([x], [y], [weights])`."""
    is_list_of_one = isinstance(value, list | tuple) and len(value) == 1
    return value[0] if is_list_of_one and getattr(value[0], "ndim", None) == tensor.ndim else value


def _checked(value: Any, tensor: SymbolicTensor) -> Any:
    value = dtypes.plain_numbers(value) if isinstance(value, np.ndarray) else value
    shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind in "USO" != tensor.dtype):
        raise ArgumentError(f"K.function: input {tensor.name!r} expects numbers, received {value!r:.60}.")
    fits = len(shape) == len(tensor.shape) and all(d in (None, n) for d, n in zip(tensor.shape, shape, strict=True))
    if not fits:
        raise ArgumentError(f"K.function: input {tensor.name!r} expects shape {tensor.shape}, received {shape}.")
    return value


@provides("eval")
@explains_failures
def evaluate(x: Any) -> np.ndarray:
    """The value of a tensor, variable or symbolic expression without open placeholders, as a NumPy array.

    An expression is traced once and its straight-line code runs: no engine compiles for what may be asked only once.

    Args:
        x: a symbolic tensor, a variable, a tensor of an engine, an array, or a sparse matrix of SciPy; what `K.update`
            returned outside of a step is carried out.

    Returns: an array shaped as `x` that belongs to the caller.

    Raises: ArgumentError if the expression needs a placeholder; give it a value by `K.function`.

    Example:
        >>> K.eval(K.constant([1.0, 2.0]) + 1).tolist()
        [2.0, 3.0]
    """
    if is_update(x):
        return Function([], x[1], [x])([])  # type: ignore[no-any-return]
    if isinstance(x, state.Variable):
        return x.numpy()
    if dtypes.is_sparse_matrix(x):
        return np.asarray(x.toarray())
    if not isinstance(x, SymbolicTensor):
        return _array_of(x)
    if isinstance(x, eager_tensors.EagerTensor):
        return x.numpy()
    backend = discovery.active()
    run = x.evaluator
    if run is None or scopes.current_frame() is not None:  # what a frame binds is of the moment
        me = weakref.ref(x)
        run = program.Compiled(lambda: symbolic.replay(me(), {}), pure=False, engine=False)
        if scopes.current_frame() is None:
            x.evaluator = run
    return _finished(x, np.array(backend.to_numpy(run())))


def _array_of(x: Any) -> np.ndarray:
    owner = discovery.owner(x)
    array = np.array(owner.to_numpy(x) if owner is not None else x)
    if array.dtype.kind in "UO":
        raise ArgumentError(f"K.eval: expected a tensor, a variable or an array of numbers, received {x!r:.60}.")
    return array


def _finished(tensor: SymbolicTensor, array: np.ndarray) -> np.ndarray:
    """The value of a result, whose shape may depend on what was computed; see `Operation.on_host`."""
    finish = None if tensor.origin is None else tensor.origin.op.on_host
    return array if finish is None else finish(array)


# K.gradients ---------------------------------------------------------------------------------------------------


class Gradients(Operation):
    """The op of `K.gradients` on a graph whose shapes may be unknown yet: differentiates when it is replayed."""

    name, kind = "gradients", "deferred"

    def __call__(self, loss: Any, targets: list[Any]) -> list[Any]:
        if scopes.tracing() is not None:
            return gradient_rules.differentiate(loss, targets)
        origin = OpCall(self, (loss, targets), {})
        return [origin.add_output(t.shape, t.dtype) for t in targets]

    def again(self, args: Any, attrs: dict[str, Any]) -> list[Any]:
        loss, targets = args
        if scopes.tracing() is None:
            if isinstance(loss, SymbolicTensor):
                return self(loss, list(targets))
            raise UntraceableError("K.gradients needs a graph that can be traced: it calls code of an engine.")
        return gradient_rules.differentiate(loss, targets)


_GRADIENTS = register(Gradients())


@provides("gradients_of")
def gradients_of(loss: Any, variables: Any) -> list[Any]:
    """Symbolic gradients of the sum of `loss` for tensors or variables; None for those it does not depend on."""
    targets = list(variables) if isinstance(variables, list | tuple) else [variables]
    targets = [_symbol_of(v) if isinstance(v, state.Variable) else v for v in targets]
    if any(v is None or isinstance(v, str | int | float) for v in targets):
        raise ArgumentError(f"K.gradients: expected tensors or variables as variables, received {variables!r:.60}.")
    targets = [v if isinstance(v, SymbolicTensor) else operands.as_symbol(v) for v in targets]
    loss, targets = symbolic.in_this_step(loss), [symbolic.in_this_step(t) for t in targets]
    if not isinstance(loss, SymbolicTensor):
        raise ArgumentError(f"K.gradients: expected a symbolic loss, received {loss!r:.60}; see K.value_and_grad.")
    known = _dependencies(loss)
    used = [t for t in targets if t in known]
    table = dict(zip(used, _GRADIENTS(loss, used), strict=True)) if used else {}
    return [table.get(t) for t in targets]


def _symbol_of(variable: state.Variable) -> Any:
    framed = operands.framed(variable)
    return variable.symbol if framed is variable else framed


def _dependencies(loss: SymbolicTensor) -> set[SymbolicTensor]:
    """Everything a symbolic loss may depend on; variables that deferred calls use included."""
    found = symbolic.ancestors([loss])
    seen = set(found)
    if any(o.op.kind == "deferred" for o in symbolic.toposort([loss])):
        return _Everything(seen)
    return seen


class _Everything(set):  # type: ignore[type-arg]
    """What a graph with deferred calls may depend on: known tensors, and any variable."""

    def __contains__(self, tensor: object) -> bool:
        return set.__contains__(self, tensor) or getattr(tensor, "variable", None) is not None


@provides("backward")
def backward(loss: Any) -> None:
    """Find the gradients of a loss for the trainable variables of the step that is traced, as PyTorch's method does.

    Args:
        loss: a symbolic scalar. The gradients are added to those of an earlier loss of the step.

    Raises: StateError outside of a step.
    """
    variables = [v for frame in scopes.frames() for v in frame.table if v.trainable]
    if not variables:
        raise StateError(
            "backward: there is no step of a model here whose weights the loss could be differentiated by. Write "
            "K.gradients(loss, weights), or K.value_and_grad with a function that computes the loss."
        )
    for variable, gradient in zip(variables, gradients_of(loss, variables), strict=True):
        if gradient is not None:
            value, before = variable.read(), symbolic.GRADS.get(variable.read())
            symbolic.GRADS[value] = gradient if before is None else before + gradient


# The functions of K ---------------------------------------------------------------------------------------------


@explains_failures
def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A function from values of `inputs` to NumPy arrays of `outputs`, which also carries out `updates`.

    Args:
        inputs: a list of placeholders (or `K.learning_phase()`).
        outputs: the tensors that are computed from them, a list or one.
        updates: pairs (variable, new value), carried out at each call.
        **kwargs: `name`, what the function is called; `fetches`, what is computed or carried out besides; `feed_dict`,
            values of further placeholders, an attribute of the function that may be changed; `givens` and `mode` of
            Theano, `options` and `run_metadata` of TensorFlow, which are ignored.

    Returns: a `Function`: called with a list of values it returns a list of arrays; `.source` shows the program that
    runs.

    Raises:
        UnknownArgumentError: an unknown keyword.

    Example:
        >>> x = K.placeholder((2,))
        >>> K.function([x], [x * 2.0])([[1.0, 2.0]])[0].tolist()
        [2.0, 4.0]
    """
    ours = ("inputs", "outputs", "updates", "name", "fetches", "feed_dict")
    known = (*ours, "givens", "mode", "options", "run_metadata")
    reject_unknown("K.function", {name: None for name in kwargs if name not in known}, known)
    return Function(inputs, outputs, updates, **{name: value for name, value in kwargs.items() if name in ours})


@explains_failures
def gradients(loss: Any, variables: Any) -> list[Any]:
    """Symbolic gradients of the sum of `loss`.

    Args:
        loss: a symbolic tensor.
        variables: tensors or variables, a list or one.

    Returns: a list of symbolic tensors; None for those on which the loss does not depend.

    Raises:
        ArgumentError: the loss is not symbolic; `K.value_and_grad` takes functions of real tensors.

    Example:
        >>> x = K.placeholder((2,))
        >>> K.function([x], K.gradients(x * x, x))([[1.0, 2.0]])[0].tolist()
        [2.0, 4.0]
    """
    return gradients_of(loss, variables)


def compile(
    fn: Callable[..., Any],
    donate: Sequence[int] = (),
    constant: Sequence[int] = (),
    batched: Sequence[int] = (),
    jit: Any = None,
) -> program.Compiled:
    """`fn` compiled for whichever backend is active when it is called.

    Args:
        fn: takes tensors or flat lists of them, returns any nesting of tensors.
        donate: places of arguments that belong to the function from then on: their memory may be reused.
        constant: places of arguments that are mostly the same from call to call, such as weights.
        batched: places of arguments whose first axis is that of the batch, for engines with one program for all sizes.
        jit: True lets torch compile the function with `torch.compile`, and TensorFlow with XLA; 'cuda_graphs' lets
            torch replay it as a CUDA graph besides. JAX compiles always, NumPy never.

    Returns: a function; `.source` shows the program.

    Example:
        >>> double = K.compile(lambda x: 2 * x)
        >>> double(np.array([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """
    return program.Compiled(fn, donate, constant=constant, batched=batched, jit=jit)


def compile_multi_step(step: Any) -> Callable[..., Any]:
    """A function that takes several training steps in one dispatch, where the engine can.

    It is called as `run(state, data, order, count)` and takes a step for each of the first `count` rows of `order`.

    Args:
        step: a function `(state, batch) -> (state, results)`, or what `K.compile` returns for one.

    `order` is an integer array (steps, batch size); a batch holds those rows of each array of `data`.

    Returns: a function that gives (state, results of the last step).
    Example:
        >>> run = compile_multi_step(lambda state, batch: ([state[0] + K.sum(batch[0])], state[0]))
        >>> data, order = [K.constant([[1.0], [2.0], [3.0], [4.0]])], np.array([[0, 1], [2, 3]])
        >>> float(run([K.constant(0.0)], data, order, 2)[0][0])
        10.0
    """
    engine: Any = discovery.active()
    step = step if isinstance(step, program.Compiled) else compile(step, donate=(0,))
    together = _several_steps(engine, step)
    one_by_one = adapter.Backend.compile_multi_step(engine, step)

    def run(state: list[Any], data: list[Any], order: np.ndarray, count: int) -> Any:
        try:
            return together(state, data, order)(state, data, order, count)
        except UntraceableError:  # it reads variables that are not in its state, for one
            return one_by_one(state, data, order, count)

    return run


def _several_steps(engine: Any, step: program.Compiled) -> Callable[..., Callable[..., Any]]:
    """What gives, for arguments of one shape, the engine's loop of steps: one for all equal programs."""
    if not engine.shares_programs:
        loop = engine.compile_multi_step(step)
        return lambda *args: loop
    loops: dict[Any, Callable[..., Any]] = {}

    def loop_for(state: list[Any], data: list[Any], order: np.ndarray) -> Callable[..., Any]:
        key = order.shape[1], *((tuple(array.shape[1:]), array.dtype) for array in data)
        if key not in loops:
            make_room(loops)
            found = step.program(state, list(engine.rows(data, order[0])))
            loops[key] = _loop_of("several", engine.compile_multi_step, step, found)
        return loops[key]

    return loop_for


def compile_multi_batch(step: program.Compiled) -> Callable[..., Any]:
    """A step that tests or predicts for several batches in one dispatch; see `Backend.compile_multi_batch`.

    Args:
        step: what `K.compile` returned.
    Example:
        >>> step = compile(lambda fixed, state, batch: (state, [batch[0] * fixed[0]]))
        >>> state, outputs = compile_multi_batch(step)([K.constant(2.0)], [], [np.ones((4, 1), "float32")], 2, 2, True)
        >>> K.to_numpy(outputs[0]).tolist()
        [[2.0], [2.0], [2.0], [2.0]]
    """
    engine: Any = discovery.active()
    if not engine.shares_programs:
        return engine.compile_multi_batch(step)  # type: ignore[no-any-return]
    loops: dict[Any, Callable[..., Any]] = {}

    def run(fixed: Any, state: Any, block: Sequence[Any], count: int, size: int, keep: bool) -> Any:
        key = size, *((tuple(array.shape[1:]), array.dtype) for array in block)
        if key not in loops:
            make_room(loops)
            found = step.program(fixed, state, [array[:size] for array in block])
            loops[key] = _loop_of("batches", engine.compile_multi_batch, step, found)
        return loops[key](fixed, state, block, count, size, keep)

    return run


def _loop_of(kind: str, compile: Callable[[Any], Any], step: program.Compiled, found: program.Program | None) -> Any:
    """What an engine makes of a step, by way of its program where it has one that stands for itself."""
    if found is None or found.captures:
        return compile(step)
    return shared_programs.compiled(kind, found, lambda twin: compile(_ProgramStep(twin)))


class _ProgramStep:
    """A step as `Backend.compile_multi_step` and `compile_multi_batch` take it, from a program alone."""

    def __init__(self, found: program.Program):
        self.programs, self.inline = {None: found}, codegen.function_of(found)
