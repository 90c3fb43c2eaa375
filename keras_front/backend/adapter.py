"""What an adapter provides: one class that derives from `Backend`.

Every primitive of `op.primitives()` is a method (or an engine function bound in one line) of the same name,
arrays Positional, attributes by keyword. Operands of one op arrive as the engine's own tensors of one dtype. A
composite may be overridden in the same way; otherwise its body in K runs. Beside the ops an adapter says what its
tensors are (`tensor_types`) and how they come and go (`asarray`, `to_numpy`). It may override the two verbs
`value_and_grad` and `compile_program`, whose defaults work by tracing (decision D4): an engine needs neither autodiff
nor a compiler.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np

from keras_front.backend import codegen, discovery, dtypes, launching, op, program, seeds
from keras_front.backend.ir import Program
from keras_front.backend.placement import Placement
from keras_front.backend.simplify import Fusion
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError, BackendError, DistributionError
from keras_front.failures import no_tensor


class Positional:
    """An engine's function that takes an op's attributes by position, in their declared order: `sum = Positional(fn)`.

    Args:
        fn: the function; called with the tensors, then the attributes.
        accumulates_in_single: whether it adds up floats of 16 bits in float32; see the function of this name.
    """

    def __init__(self, fn: Callable[..., Any], accumulates_in_single: bool = False):
        self.fn, self._accumulates = fn, accumulates_in_single

    def method(self, declared: Any) -> Callable[..., Any]:
        """A function that takes the attributes by keyword, as adapters are called.

        Args:
            declared: the op, as it stands in `op.OPS`.
        """
        arrays, attrs = ([name for name, _ in declared.arrays], declared.attrs)
        text = f"lambda {', '.join(arrays)}, *, {', '.join(attrs)}: _fn({', '.join([*arrays, *attrs])})"
        method = eval(text, {"_fn": self.fn})
        return accumulates_in_single(method) if self._accumulates else method


def accumulates_in_single(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of an adapter, marked: it adds up floats of 16 bits in float32 by itself, so they need no cast.

    Args:
        method: for an op that is declared to accumulate.
    """
    method._accumulates_in_single = True  # type: ignore[attr-defined]
    return method


class Backend:
    """Base class of adapters, with working defaults for everything that is not an op.

    Class attributes: `name`; `tensor_types`, the classes of the engine's tensors; `float_dtypes`, what a float tensor's
    `.dtype` can be; `differentiates`, whether `value_and_grad` is the engine's own; `fusions`, rows of
    instructions that become one (see `simplify`); `compiles`, whether the engine has a compiler, so that a new program
    takes time and computes otherwise than single ops (the published suites then ask programs, and fewer of them);
    `expanded`, the composites that are
    overridden for eager calls alone, while programs are written from their bodies; `accumulates`, the ops whose methods
    are marked by `accumulates_in_single`; `shares_programs`, whether compiling
    takes so long that what was compiled for one function serves others with an equal program, and holds no state of
    theirs; `any_batch`, whether its programs leave the size of the batch open, so that
    one serves all sizes; `sizes_of_values`, whether its programs take sizes that are computed from values; `forks`,
    whether it works in a child process that was forked after it was made (see `forks`);
    `distributes`, whether there is an adapter of it for a distribution, see `distributed`; `lacks`, the
    dtypes of floats that it does not have.

    Attributes:
        placement: where values lie under a distribution; None for an adapter that `distributed` did not make.
        undistributed: the adapter for which this one stands under a distribution; None for any other.
    """

    name: ClassVar[str] = ""
    tensor_types: ClassVar[tuple[type, ...]] = ()
    differentiates: ClassVar[bool] = False
    compiles: ClassVar[bool] = False
    expanded: ClassVar[frozenset[str]] = frozenset()
    fusions: ClassVar[tuple[Fusion, ...]] = ()
    accumulates: ClassVar[frozenset[str]] = frozenset()
    any_batch: ClassVar[bool] = False
    sizes_of_values: ClassVar[bool] = False
    shares_programs: ClassVar[bool] = False
    forks: ClassVar[bool] = True
    distributes: ClassVar[bool] = False
    lacks: ClassVar[frozenset[str]] = frozenset()
    placement: Placement | None = None
    undistributed: Backend | None = None

    def __init__(self) -> None:
        self.native: set[type] = set(self.tensor_types)
        self.floats: frozenset[Any] = frozenset(self.float_dtypes())
        self.halves = frozenset(d for d in self.floats if dtypes.canonical(d) in dtypes.HALVES)
        self.full_floats = self.floats - self.halves
        self.check()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Engine functions bound as class attributes are called without `self`."""
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            if isinstance(value, Positional):
                setattr(cls, name, staticmethod(value.method(op.OPS[name])))
            elif name in op.OPS and callable(value) and not _takes_self(value):
                setattr(cls, name, staticmethod(value))
        marked = (name for name in op.OPS if hasattr(getattr(cls, name, None), "_accumulates_in_single"))
        cls.accumulates = frozenset(marked)

    def check(self) -> None:
        """Raises: BackendError naming the primitives that are missing."""
        missing = [name for name in op.primitives() if not hasattr(self, name)]
        if missing:
            raise BackendError(
                f"Backend {self.name!r} lacks {len(missing)} primitives: {', '.join(missing)}. "
                f"Add a method of each name to {type(self).__name__}."
            )

    def overrides(self, name: str) -> bool:
        """Whether this adapter brings an op itself, also in programs; where it does not, the op's body in K runs.

        Args:
            name: the name of an op.

        Example:
            >>> with K.use_backend("numpy") as engine:
            ...     engine.overrides("matmul"), engine.overrides("no_such_op")
            (True, False)
        """
        if name in self.expanded:
            return False
        return name in op.OPS and getattr(type(self), name, None) is not getattr(Backend, name, None)

    def keeps(self, call: Any) -> bool:
        """Whether a call of a composite stays whole in programs; the default asks `overrides` for its op.

        Args:
            call: the record of the call.
        """
        return self.overrides(call.op.name)

    # Tensors in and out ------------------------------------------------------------------------------------

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        """A tensor of this engine on its device from a NumPy array.

        Args:
            value: the array; it is copied where the engine could change it.
            dtype: the name of the tensor's dtype; None keeps that of the array.

        Returns: a tensor shaped as `value`.
        """
        raise NotImplementedError

    def to_numpy(self, x: Any) -> np.ndarray:
        """A NumPy array of a tensor's values.

        Args:
            x: a tensor of this engine; bfloat16, which NumPy lacks, comes as float32.

        Returns: an array shaped as `x`. It may share memory with it: copy what is kept.
        """
        raise NotImplementedError

    def shape_of(self, x: Any) -> tuple[int, ...]:
        """The shape of a tensor as a tuple of ints; also of NumPy arrays.

        Args:
            x: a tensor of this engine, or an array.
        """
        return tuple(x.shape)

    def dtype_of(self, x: Any) -> str:
        """The name of a tensor's dtype, such as 'float32'; also of NumPy arrays.

        Args:
            x: a tensor of this engine, or an array.
        """
        return dtypes.canonical(x.dtype)

    def float_dtypes(self) -> Sequence[Any]:
        """What `.dtype` is for float tensors of this engine."""
        return tuple(np.dtype(name) for name in ("float16", "float32", "float64"))

    def is_tensor(self, x: Any) -> bool:
        """Whether `x` is a tensor of this engine.

        Args:
            x: anything.
        """
        return isinstance(x, self.tensor_types)

    def is_host(self, x: Any) -> bool:
        """Whether a tensor may as well be an array of the host's, whose dtype gives way to that of other tensors.

        Args:
            x: a tensor of this engine.
        """
        return False

    def is_argument_error(self, error: Exception) -> bool:
        """Whether the engine refuses arguments by such an error, beside those of Python's own kinds.

        An op that fails with one then raises an error of the library, which names the op and what it was given.

        Args:
            error: what rose in a method of this adapter.
        """
        return False

    def convert(self, value: Any, dtype: str | None = None) -> Any:
        """Anything array-like as a tensor of this engine.

        Args:
            value: a tensor of this engine, an array, a number, a list of numbers, a sparse matrix, a variable, or a
                symbolic tensor that waits for no placeholder.
            dtype: the name of the result's dtype. None keeps the value's own; floats of Python get `floatx()`.

        Returns: a tensor; `value` itself if it is one of this engine and of that dtype.

        Raises: BackendError for a tensor of another engine; ArgumentError for what is no array.

        Example:
            >>> with K.use_backend("numpy") as engine:
            ...     engine.convert([1, 2], "float32").tolist()
            [1.0, 2.0]
        """
        if self.is_tensor(value):
            self.native.add(value.__class__)
            return value if dtype is None or self.dtype_of(value) == dtype else self.cast(value, dtype=dtype)  # type: ignore[attr-defined]
        if isinstance(value, Variable):
            return self.convert(value.value, dtype)
        if isinstance(value, SymbolicTensor):
            value = np.asarray(value)
        other = discovery.owner(value)
        if other is not None and other is not self:
            raise BackendError(
                f"A tensor of the backend {other.name!r} met the active backend {self.name!r}. Convert it first, "
                f"K.from_dlpack(x), or run this under use_backend({other.name!r})."
            )
        return self.asarray(_host_array(value, dtype), dtype)

    def scalar(self, value: float, like: Any) -> Any:
        """A Python number as a tensor that meets another in an op.

        Args:
            value: an int or float.
            like: the float tensor beside it, whose dtype it takes.

        Returns: a tensor of shape (), or what the engine's operators take in its place.
        """
        return self.convert(value, self.dtype_of(like))

    def import_tensor(self, value: Any, source: Backend | None, dtype: str) -> Any:
        """A tensor that another backend or the host holds, as one's own.

        Args:
            value: the tensor or array.
            source: the backend whose tensor it is; None for a NumPy array that nobody uses afterwards.
            dtype: the name of the result's dtype.

        Returns: a tensor in memory of its own.
        """
        return self.asarray(np.asarray(value) if source is None else np.array(source.to_numpy(value)), dtype)

    def import_variable(self, value: Any, source: Backend | None, variable: Variable) -> Any:
        """The value of a variable as a tensor of this engine, where the variable belongs.

        Args:
            value: the tensor or array.
            source: the backend whose tensor it is; None for a NumPy array.
            variable: the variable; under a distribution it says on which devices its parts lie.

        Returns: a tensor in memory of its own.
        """
        value = value if source is None else source.whole_variable(value, variable)
        return self.import_tensor(value, source, variable.dtype)

    def whole_variable(self, value: Any, variable: Variable) -> Any:
        """The value of a variable of this engine, also where another process keeps it; then every process asks.

        Args:
            value: what this process has of it.
            variable: the variable.
        """
        return value

    def share(self, value: Any) -> Any:
        """A tensor in the memory of an array or of a tensor of another engine.

        Args:
            value: the array or tensor. A tensor of this engine is returned as it is.

        Raises: BufferError, RuntimeError, TypeError or ValueError if that cannot be.
        """
        if self.is_tensor(value):
            return value
        raise BufferError(f"{type(self).__name__} has no way to share memory.")

    def copy(self, x: Any) -> Any:
        """A tensor with memory of its own; `x` itself where the engine's tensors never change.

        Args:
            x: a tensor of this engine.
        """
        return x

    def devices(self) -> list[str]:
        """Devices that this engine can use, the best first."""
        return ["cpu"]

    def version(self) -> str | None:
        """The engine's version."""
        return None

    # Several devices: see `placement` -----------------------------------------------------------------------

    def distributed(self, distribution: Any) -> Backend:
        """The adapter that stands for this one under a distribution: it has a `placement`, and this `undistributed`.

        Args:
            distribution: a `keras_front.distribution.Distribution`.

        Raises: DistributionError if the engine has no distribution, or none of this kind.
        """
        raise DistributionError(self._on_one_device(f"cannot be used under {distribution}"))

    def distribution_devices(self, device_type: str | None = None) -> list[str]:
        """The devices that a distribution can name, those of all processes.

        Args:
            device_type: 'cpu', 'gpu' or 'tpu'; None: those that the engine prefers.

        Returns: names such as 'gpu:1'.
        """
        return ["cpu:0"] if device_type in (None, "cpu") else []

    def initialize_processes(self, addresses: str | None, processes: int | None, process: int | None) -> None:
        """Let the processes of a run find each other, by what the engine has for it.

        Args:
            addresses: 'host:port' of process 0, or of all of them with commas between; None: what the engine's own
                launcher has left.
            processes: how many there are, or None.
            process: the number of this one, or None.

        Raises: DistributionError if the engine knows no processes, or if they do not find each other.
        """
        raise DistributionError(self._on_one_device("knows no other processes"))

    def launch_processes(self, command: Sequence[str], processes: int) -> int:
        """Run a command in several processes of this machine that find each other by `initialize_processes`.

        Args:
            command: the program and its arguments.
            processes: how many.

        Returns: the exit status; the first one that is not 0 ends the others.

        Raises: DistributionError if the engine knows no processes.
        """
        if not self.distributes:
            raise DistributionError(self._on_one_device("knows no other processes"))
        addresses = ",".join(f"127.0.0.1:{port}" for port in launching.free_ports(processes))
        shared = {
            "KERAS_DISTRIBUTION_JOB_ADDRESSES": addresses,
            "KERAS_DISTRIBUTION_NUM_PROCESSES": str(processes),
        }
        return launching.run(
            command, [{**shared, "KERAS_DISTRIBUTION_PROCESS_ID": str(rank)} for rank in range(processes)]
        )

    def engine_mesh(self, mesh: Any, axes: Sequence[str | None] | None = None) -> Any:
        """A mesh of devices as the engine has it, or how a tensor with some axes lies on it.

        Args:
            mesh: a `keras_front.distribution.DeviceMesh`.
            axes: for each axis of the tensor the axis of the mesh along which it is divided, or None.

        Raises: DistributionError where a tensor lies on one device.
        """
        raise DistributionError(self._on_one_device("has no mesh of devices"))

    def distribute_tensor(self, tensor: Any, layout: Any) -> Any:
        """A tensor that lies on devices as a layout says.

        Args:
            tensor: a tensor or an array.
            layout: a `keras_front.distribution.TensorLayout` with a mesh.

        Raises: DistributionError where a tensor lies on one device.
        """
        raise DistributionError(self._on_one_device("has no tensors on several devices"))

    def _on_one_device(self, what: str) -> str:
        return (
            f"The backend {self.name!r} {what}: it works on one device, in one process. Choose another before, with "
            "keras_front.set_backend: JAX divides values over devices, PyTorch and TensorFlow run a process for each."
        )

    def put_batch(self, arrays: Sequence[np.ndarray], own: bool = False) -> list[Any]:
        """Host arrays of one batch as tensors, where a step takes them.

        Args:
            arrays: arrays (batch, ...).
            own: whether they are the part of this process, and others have the other parts.
        """
        return [self.convert(array) for array in arrays]

    # The verbs ---------------------------------------------------------------------------------------------

    def value_and_grad(self, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
        """((loss, aux), gradients of loss for params), where `fn(params, *rest)` gives (loss, aux).

        The default traces `fn` and differentiates the record with the rules of `gradients`.

        Args:
            fn: a function that gives a scalar loss, and any nesting of tensors beside it.
            params: float tensors of this engine.
            *rest: what else `fn` takes; no gradient is computed for it.

        Returns: the loss and aux, and a list with one gradient for each parameter, shaped as it is; zeros for one that
            the loss does not use.
        """
        return program.traced_value_and_grad(self, fn, params, *rest)

    def scan(self, fn: Any, init: list[Any], xs: list[Any], *, reverse: bool = False, length: int | None = None) -> Any:
        """The loop of `ops.recurrence.scan` on real tensors; the default is a Python loop.

        Args:
            fn: one step: (carry, ys) from the carry and a list with the slice of each of `xs`.
            init: the first carry, a list of tensors.
            xs: tensors (steps, ...).
            reverse: whether to go from the last step to the first.
            length: the number of steps where `xs` is empty.

        Returns: the last carry, and the ys stacked as (steps, ...), in the order of `xs` also when reversed.
        """
        steps = xs[0].shape[0] if xs else int(length or 0)
        carry, collected = list(init), []
        for t in reversed(range(steps)) if reverse else range(steps):
            carry, ys = fn(carry, [x[t] for x in xs])
            collected.append(ys)
        if reverse:
            collected.reverse()
        return carry, [op.OPS["stack"].function(list(ys), axis=0) for ys in zip(*collected, strict=True)]

    def custom_gradient(self, fn: Callable[..., Any], args: Sequence[Any]) -> list[Any]:
        """The results of a function that says itself what its gradient is.

        An engine that differentiates by itself must use `rule`; the default, for one that does not, drops it.

        Args:
            fn: `fn(*args)` gives (results, rule): a list of tensors, and a function. `rule(*upstream)`, which takes
                the gradient of the loss for each result, gives that for each argument, None where there is none.
            args: tensors of this engine.

        Returns: the list of results.
        """
        return list(fn(*args)[0])

    def recompute(self, fn: Callable[..., Any], args: Sequence[Any], captured: Sequence[Any] | None) -> list[Any]:
        """The results of a function whose inner results are computed again for the gradient.

        The default, for an engine that does not differentiate by itself, just calls it.

        Args:
            fn: `fn(args, captured)` gives a list of tensors.
            args: tensors of this engine.
            captured: further ones; gradients flow to them as well. None: the function closes over what it uses, to
                which gradients must flow too, or else it must be called plainly.

        Returns: the list of results.
        """
        return list(fn(args, captured))

    def barrier(self, xs: Sequence[Any], after: Sequence[Any]) -> list[Any]:
        """The tensors `xs`, which a compiler must not take for the same and makes later than the others.

        The default, for an engine that computes line by line, gives them as they are.

        Args:
            xs: tensors of this engine.
            after: tensors that are made before.
        """
        return list(xs)

    def host_noise(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int, kind: str) -> Any:
        """Noise that NumPy draws, as a tensor. An engine that compiles calls the host back, see `from_host`.

        Args:
            counter: an integer tensor of shape (): the number of the step.
            seed: an integer tensor of shape (): the seed of the run, from 0 to 2**63 - 1.
            shape: the shape of the result.
            dtype: the name of its dtype.
            stream: the number of the stream; ops that draw in the same step have different ones.
            kind: 'uniform' in [0, 1), 'normal', or 'truncated_normal' (within 2 deviations).
        """

        def draw(counter: Any, seed: Any) -> np.ndarray:
            return seeds.noise(int(seed), stream, int(counter), tuple(shape), kind, dtype)

        return self.from_host(draw, [counter, seed], tuple(shape), dtype)

    def from_host(self, fn: Callable[..., np.ndarray], xs: Sequence[Any], shape: Any, dtype: str) -> Any:
        """What a function of the host makes of the values of tensors, also within what the engine compiles.

        Args:
            fn: takes the values of `xs`, returns an array.
            xs: tensors.
            shape: the shape of that array.
            dtype: its dtype.
        """
        return self.asarray(fn(*(self.to_numpy(x) if self.is_tensor(x) else x for x in xs)), dtype)

    # Processes that share a batch ------------------------------------------------------------------------------

    def replica_gather(self, x: Any, *, shares: int = 1, rank: int = 0) -> Any:
        """The tensors of all processes, one behind the other; the default knows one process.

        Args:
            x: a tensor with at least one axis.
            shares: how many processes there are.
            rank: the number of this one.
        """
        if shares != 1:
            raise BackendError(f"The backend {self.name!r} does not connect processes.")
        return self.concatenate([x], axis=0)  # type: ignore[attr-defined]

    def host_print(self, x: Any, *, message: str, serial: int) -> Any:
        """`x`, whose values are printed. An engine that compiles must call back to the host.

        Args:
            x: a tensor.
            message: what is printed before the values; nothing if it is empty.
            serial: a number of this call's own, so that a program does not take two prints for one.
        """
        self.show(message, x)
        return x

    def show(self, message: str, x: Any) -> None:
        """Print the values of a tensor, the same way on every backend.

        Args:
            message: what is printed before them, on the same line; nothing if it is empty.
            x: a tensor of this engine, or an array.
        """
        print(*([message] if message else []), self.to_numpy(x) if self.is_tensor(x) else x, flush=True)

    def prefers_rules(self, record: Sequence[Any]) -> bool:
        """Whether to differentiate a loss by the rules of K, though the engine could do it.

        Args:
            record: the `symbolic.OpCall`s between the parameters and the loss.
        """
        return False

    def adapter_for(self, donate: Sequence[int], refused: bool) -> Backend:
        """The adapter for which a function is traced: another one that has the same tensors may do better.

        Args:
            donate: places of arguments that the function owns. A step that trains owns the first, its state.
            refused: whether `compile_program` of this adapter gave None for it.
        """
        return self

    def with_compiler(self, how: Any) -> Backend:
        """The adapter for which a function is traced that the user wants compiled further than programs always are.

        The default, for engines whose programs are compiled as far as they can be, is this adapter.

        Args:
            how: True, or the name of a way that the engine has: what `Model.compile` was given as `jit_compile`.
        """
        return self

    def rewritten(self, program: Program) -> Program:
        """A program as this engine runs it best; the default is the program as it is.

        Args:
            program: a program for this backend. It is not changed.

        Returns: another program with the same arguments and results.
        """
        return program

    def compile_program(self, program: Any) -> Callable[..., Any] | None:
        """A callable for a program; the default is the straight-line code itself.

        Args:
            program: an `ir.Program` for this backend, as `rewritten` left it.

        Returns: a function of the program's arguments, followed by a list of captured values if it has captures. If it
            has an attribute `source`, that is the text which users see. None if the engine cannot run the program:
            then the function is traced once more, with the size of the batch and for what `adapter_for` then names.
            If it has an attribute `held`, these are places of a list that it is given as its first argument and owns
            (`program.donate`): it takes what stands there out of the list, puts it back if it fails, and works in its
            memory if nobody else has it.
        """
        return codegen.function_of(program)

    def export_program(self, prediction: Any, path: Any) -> None:
        """Write a program in the engine's own format, for `Model.export`. An adapter may have none.

        Args:
            prediction: what a model computes, a `keras_front.export.prediction.Prediction`; its `straight_line()` is a
                function of the engine's tensors that the engine can record.
            path: where to.

        Raises: NotImplementedError if the engine has no format of its own.
        """
        raise NotImplementedError(f"the backend {self.name!r} has no format of its own.")

    def open_sizes(self, x: Any) -> Sequence[Any]:
        """The sizes of a tensor while `export_program` records: integers, or what the engine has for open ones.

        Args:
            x: a tensor of this engine.
        """
        return self.shape_of(x)

    def compile_native(self, fn: Callable[..., Any], donate: Sequence[int] = ()) -> Callable[..., Any]:
        """`fn` for real tensors, where it cannot be traced; an engine with a compiler may use it.

        Args:
            fn: a function of this engine's tensors without effects; it may call the engine's own functions.
            donate: places of arguments whose memory may be reused for results.
        """
        return fn

    def lasts(self, value: Any) -> bool:
        """Whether a tensor has a value that may be kept: not one in a function that the engine traces by itself.

        Args:
            value: anything.
        """
        return True

    def size(self, value: Any) -> Any:
        """A size that somebody has computed as a tensor, such as that of a batch, as a number.

        Args:
            value: a scalar tensor of the engine; returned as it is where nobody knows it yet.
        """
        return int(value)

    def watched(self, values: Sequence[Any]) -> list[Any]:
        """The state of a step whose code runs on tensors of the engine, which may be asked for gradients of it there.

        Args:
            values: tensors.
        """
        return list(values)

    def unwatched(self, values: Sequence[Any]) -> list[Any]:
        """What such a step has made, without what the engine keeps for gradients.

        Args:
            values: tensors.
        """
        return list(values)

    def supports_multi_step(self, program: Any) -> bool:
        """Whether steps of this program gain from several of them in one dispatch, however many.

        Args:
            program: the program of a training step.
        """
        return False

    def compile_multi_step(self, step: Any) -> Callable[..., Any]:
        """`run(state, data, order, count)`: a step for each of the first `count` rows of `order`, in one dispatch.

        Args:
            step: a compiled function `(state, batch) -> (state, results)`. A batch is the rows of each array of `data`
                that a row of `order`, an integer array (steps, batch), names.

        Returns: a function that gives (state, results of the last step). `order` has the same shape at each call, so
            that an engine compiles it once; `count` is at least 1.
        """

        def run(state: list[Any], data: list[Any], order: np.ndarray, count: int) -> Any:
            results = None
            for rows in order[:count]:
                state, results = step(state, self.rows(data, rows))
            return state, results

        return run

    def supports_multi_batch(self, program: Any) -> bool:
        """Whether steps of this program gain from `compile_multi_batch`.

        Args:
            program: the program of a step that tests or predicts.
        """
        return False

    def compile_multi_batch(self, step: Any) -> Callable[..., Any]:
        """`run(fixed, state, block, count, size, keep)`: a step for the first `count` batches of a block.

        Args:
            step: a compiled function `(fixed, state, batch) -> (state, outputs)`. A batch is `size` rows of each host
                array of `block`, in order; a block has the same length at each call.

        Returns: a function that, in one dispatch, gives (state, outputs): if `keep`, the outputs of all batches one
            after the other, with room for those of the whole block; else none.
        """

        def run(fixed: Any, state: Any, block: Sequence[np.ndarray], count: int, size: int, keep: bool) -> Any:
            outputs = []
            for batch in itertools.islice(self.batches(block, size), count):
                state, given = step(fixed, state, list(batch))
                outputs.append(given)
            return state, [self.joined(parts) for parts in zip(*outputs, strict=True)] if keep else []

        return run

    def put_order(self, order: np.ndarray) -> Any:
        """The rows of many batches, where `rows` takes those of one: brought to the device at once, if it needs them.

        Args:
            order: an integer array; its first axis may be sliced, and what it holds goes to `rows`.
        """
        return order

    def rows(self, data: Sequence[Any], rows: Any) -> list[Any]:
        """The given rows of each array, for a batch.

        Args:
            data: tensors (rows, ...), as `put_dataset` gave them.
            rows: an integer array (batch,), or a part of what `put_order` gave.

        Returns: a tensor (batch, ...) for each of `data`.
        """
        index = self.asarray(rows)
        return [self.gather(array, index, axis=0) for array in data]  # type: ignore[attr-defined]

    def put_dataset(self, array: np.ndarray) -> Any:
        """A host array on the device, from which batches are taken by their rows; rows may be added behind.

        Args:
            array: it stays as it is while the tensor is used, so that it need not be copied.
        """
        return self.convert(array)

    def batches(self, arrays: Sequence[np.ndarray], size: int) -> Iterator[Sequence[Any]]:
        """Host arrays in batches of consecutive rows, each for the time of one step.

        Args:
            arrays: arrays of the host with as many rows each.
            size: the rows of a batch; the last one may be shorter.

        Returns: an iterator over lists with a tensor for each array.
        """
        for start in range(0, len(arrays[0]), size):
            yield [self.convert(array[start : start + size]) for array in arrays]

    def joined(self, tensors: Sequence[Any]) -> np.ndarray:
        """Tensors one after the other along their first axis, as one array that belongs to the caller.

        Args:
            tensors: at least one tensor of this engine; a scalar counts as (1,).
        """
        arrays = [np.atleast_1d(self.to_numpy(t)) for t in tensors]
        return np.concatenate(arrays) if len(arrays) > 1 else np.array(arrays[0])

    def argument(self, array: np.ndarray) -> Any:
        """A host array as what a compiled function takes, for the time of one call.

        Args:
            array: the array; the caller does not change it meanwhile, so it need not be copied.
        """
        return self.convert(array)

    def arguments_like(self, arrays: Sequence[np.ndarray]) -> Callable[[Sequence[np.ndarray]], list[Any]]:
        """`argument` for several arrays at once, of shapes and dtypes, and on a device, that stay from call to call.

        Args:
            arrays: arrays such as those that will be given.
        """
        return lambda arrays: [self.argument(array) for array in arrays]

    def literal(self, value: Any, dtype: str) -> Any:
        """How a constant stands in a program: a tensor of this engine, or what its compiler takes for one.

        Args:
            value: an array, or a tensor of this engine.
            dtype: the name of its dtype in the program.
        """
        return self.convert(value, dtype)

    def records(self, inputs: Sequence[Any] | None, asked: bool) -> bool:
        """Whether weights are read as leaves where a layer is called on values; see `leaves`.

        Args:
            inputs: what it is called with; None where weights are read alone.
            asked: whether calls on tensors of the engine are recorded before somebody had a leaf.
        """
        return False

    def leaf(self, variable: Variable) -> Any:
        """A tensor in the memory of a variable that the engine's tape knows, always the same; None if there is none.

        Args:
            variable: the variable.
        """
        return None

    def own_value(self, variable: Variable) -> Any:
        """The value of a variable for the user: its leaf, if it has one, otherwise what stays as it is.

        Args:
            variable: the variable.
        """
        return self.copy(variable.current())

    def forget_gradients(self, variables: Sequence[Variable]) -> None:
        """Let leaves of these variables have no gradient.

        Args:
            variables: the variables.
        """

    def after_fork(self) -> None:
        """Prepare for work in a child process that was just forked, where the engine's threads are gone."""

    def release_memory(self) -> None:
        """Give back memory that the engine keeps for later; see `K.clear_session`."""

    def user_code(self) -> AbstractContextManager[Any]:
        """A context for code of the user's that computes on real tensors with the engine's own operators."""
        return nullcontext()

    def block(self, values: Sequence[Any]) -> None:
        """Wait until tensors are computed, for engines that run ahead.

        Args:
            values: tensors of this engine.
        """


def _host_array(value: Any, dtype: str | None) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return dtypes.plain_array(value)
    if hasattr(value, "toarray"):  # a sparse matrix
        value = np.ascontiguousarray(value.toarray())
    if isinstance(value, bool | int | float) and dtype is None:
        dtype = dtypes.of_scalar(value, [])
    try:
        array = np.asarray(value, dtype=None if dtype == "bfloat16" else dtype)
    except (TypeError, ValueError):
        array = np.asarray(value, dtype=object)
    if array.dtype.kind not in "biufcSU":
        raise ArgumentError(no_tensor(value))
    if array.dtype == np.float64 and dtype is None and isinstance(value, list | tuple):
        array = array.astype(dtypes.canonical(None))
    return array


def _takes_self(value: Any) -> bool:
    if isinstance(value, staticmethod):
        return True
    try:
        first = next(iter(inspect.signature(value).parameters), "")
    except (TypeError, ValueError):
        return False
    return first == "self"


for _name in op.composites():  # where an adapter does not bring a composite, its body in K runs
    if _name not in vars(Backend):
        setattr(Backend, _name, staticmethod(op.OPS[_name].body))
