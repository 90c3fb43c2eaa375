"""TensorFlow as a backend: what differs between K and tf, and nothing else.

State is passed in and out as plain tensors; there are no tf.Variables beyond a call (see `updates.Held`). A program
becomes one concrete function that is called without signature look-up, and several steps run in one call
(`tf.while_loop`).
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import record

from keras_front import backend as K
from keras_front.backend import codegen, discovery, dtypes, shapes
from keras_front.backend.adapter import Backend, Positional
from keras_front.backend.gradients import Transposes, known_moments, with_rule
from keras_front.backend.operators import Operators
from keras_front.backend.state import Variable, present_value
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.backend.tables import make_room
from keras_front.errors import BackendError, DtypeError
from keras_front_tensorflow import export, gradient_table
from keras_front_tensorflow.convolution import (
    around,
    channels_back,
    channels_last,
    grouped_conv,
    laid_back,
    laid_out,
    on_gpu,
    pooled,
    rows_of,
    stays_first,
    with_a_row,
)
from keras_front_tensorflow.flat_function import FlatFunction
from keras_front_tensorflow.integers import Integers, total_order
from keras_front_tensorflow.updates import Updates, is_held

_DTYPES = {name: tf.dtypes.as_dtype(name) for name in sorted(dtypes.ALL)}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def _of_truth(op: Callable[..., Any]) -> Callable[..., Any]:
    """A logical op, for numbers too: what is not 0 is true."""
    return lambda self, *tensors: op(*(t if t.dtype == tf.bool else tf.cast(t, tf.bool) for t in tensors))


class TensorflowBackend(Updates, Integers, Transposes, Backend):
    """K on TensorFlow; see the module."""

    name = "tensorflow"
    tensor_types = (tf.Tensor,)
    differentiates = True
    compiles = shares_programs = True
    forks = False
    distributes = True
    always_by_xla = False  # whether XLA compiles programs from their first call on

    def __init__(self) -> None:
        super().__init__()
        self._by_xla: Any = None
        self.native.add(tf.__internal__.EagerTensor)  # not by making one: processes join a run before that
        with tf.Graph().as_default():
            self.native.add(type(tf.constant(0.0)))

    # Elementwise -------------------------------------------------------------------------------------------

    add, subtract, multiply, divide = tf.add, tf.subtract, tf.multiply, tf.divide
    negative, abs, sign, square = tf.negative, tf.abs, tf.sign, tf.square
    exp, expm1, log, log1p = tf.exp, tf.math.expm1, tf.math.log, tf.math.log1p
    arctan, arcsin, arccos, arccosh, arctan2 = tf.atan, tf.asin, tf.acos, tf.acosh, tf.atan2
    erfc = tf.math.erfc
    square_root, rsqrt = tf.sqrt, tf.math.rsqrt
    sin, cos, tanh, sigmoid, round = tf.sin, tf.cos, tf.tanh, tf.sigmoid, tf.round
    equal, not_equal, less, less_equal = tf.equal, tf.not_equal, tf.less, tf.less_equal
    greater, greater_equal = tf.greater, tf.greater_equal
    logical_and, logical_or, logical_not = map(_of_truth, (tf.logical_and, tf.logical_or, tf.logical_not))
    stop_gradient = tf.stop_gradient

    def where(self, condition: Any, x: Any, y: Any) -> Any:  # TensorFlow's own takes booleans alone
        return tf.where(condition if condition.dtype == tf.bool else tf.cast(condition, tf.bool), x, y)

    def erfinv(self, x: Any) -> Any:  # TensorFlow has it for 32 bits and more
        if x.dtype not in self.halves:
            return tf.math.erfinv(x)
        return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)

    def erf(self, x: Any) -> Any:  # in float64 TensorFlow's is NaN at infinity; at 30 it is 1 long since
        return tf.math.erf(tf.clip_by_value(x, -30, 30))

    # The engine's own gradients of choices multiply with 0, so that infinities become NaN, and know no ties.

    def maximum(self, x: Any, y: Any) -> Any:
        return self._with_rule("maximum", tf.maximum, x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._with_rule("minimum", tf.minimum, x, y)

    def _with_rule(self, name: str, method: Callable[..., Any], *args: Any, **attrs: Any) -> Any:
        """The result of `method`, differentiated by the rule of K for the op `name` under a tape."""
        if not args[0].dtype.is_floating or (tf.executing_eagerly() and not record.could_possibly_record()):
            return method(*args, **attrs)
        return with_rule(self, name, method, *args, **attrs)

    # The following are defined for floats only.

    def floor(self, x: Any) -> Any:
        return tf.floor(x) if x.dtype.is_floating else x

    def ceil(self, x: Any) -> Any:
        return tf.math.ceil(x) if x.dtype.is_floating else x

    def isnan(self, x: Any) -> Any:
        return tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)

    def isfinite(self, x: Any) -> Any:
        return tf.math.is_finite(x) if x.dtype.is_floating else tf.ones_like(x, tf.bool)

    def cast(self, x: Any, *, dtype: str) -> Any:
        return tf.cast(x, _DTYPES[dtype])

    def relu(self, x: Any, *, alpha: Any, max_value: Any, threshold: Any) -> Any:
        if alpha == 0.0 and threshold == 0.0 and max_value is None:
            return self._with_rule("relu", tf.nn.relu, x)
        return super().relu(x, alpha=alpha, max_value=max_value, threshold=threshold)

    def relu_gradient(self, g: Any, out: Any) -> Any:  # half the time of a `where`
        return tf.math.multiply_no_nan(g, tf.cast(out > 0, g.dtype))

    def clip_gradient(self, g: Any, x: Any, *, lowest: float, highest: float) -> Any:
        return tf.math.multiply_no_nan(g, tf.cast(tf.equal(x, _cut(x, lowest, highest)), g.dtype))

    def clipped_sigmoid_crossentropy(self, logits: Any, target: Any, *, lowest: float, highest: float) -> Any:
        bounds = {"lowest": lowest, "highest": highest}
        return self._with_rule("clipped_sigmoid_crossentropy", _crossentropy_of_cut, logits, target, **bounds)

    # Reductions ----------------------------------------------------------------------------------------------

    sum, mean, prod = map(Positional, (tf.reduce_sum, tf.reduce_mean, tf.reduce_prod))
    cumsum = Positional(tf.cumsum)

    def max(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        _check_elements(x, axis)
        if x.dtype == tf.bool:
            return tf.reduce_any(x, axis, keepdims)
        return self._with_rule("max", tf.reduce_max, x, axis=axis, keepdims=keepdims)

    def min(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        _check_elements(x, axis)
        if x.dtype == tf.bool:
            return tf.reduce_all(x, axis, keepdims)
        return self._with_rule("min", tf.reduce_min, x, axis=axis, keepdims=keepdims)

    def any(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return tf.reduce_any(tf.cast(x, tf.bool), axis, keepdims)

    def all(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return tf.reduce_all(tf.cast(x, tf.bool), axis, keepdims)

    def argmax(self, x: Any, *, axis: int) -> Any:
        _check_elements(x, axis)
        found = tf.argmax(x if x.dtype != tf.bool else tf.cast(x, tf.uint8), axis, tf.int64)
        return _first_nan(x, axis, found) if x.dtype.is_floating else found

    def argmin(self, x: Any, *, axis: int) -> Any:
        _check_elements(x, axis)
        found = tf.argmin(x if x.dtype != tf.bool else tf.cast(x, tf.uint8), axis, tf.int64)
        return _first_nan(x, axis, found) if x.dtype.is_floating else found

    def cumprod(self, x: Any, *, axis: int) -> Any:  # the engine's own gradient divides by x, which may be 0
        return self._with_rule("cumprod", tf.math.cumprod, x, axis=axis)

    # Arrangement -------------------------------------------------------------------------------------------

    symbolic_shape = tf.shape
    reshape, permute_dimensions, broadcast_to = map(Positional, (tf.reshape, tf.transpose, tf.broadcast_to))
    expand_dims, concatenate = map(Positional, (tf.expand_dims, tf.concat))

    def flip(self, x: Any, *, axes: Any) -> Any:
        return tf.reverse(x, axes if x.shape.rank else shapes.normalize_axes(axes, 0))

    def pad(self, x: Any, *, padding: Any, interior: Any, value: float) -> Any:
        if interior is not None and any(interior):
            # Each element becomes a block that it begins and padding fills; the last block's filling is cut off.
            n = x.shape
            blocks = tf.reshape(x, [d for size in n for d in (size, 1)])
            fill = [pair for gap in interior for pair in ((0, 0), (0, gap))]
            x = tf.reshape(tf.pad(blocks, fill, constant_values=value), [d * (gap + 1) for d, gap in zip(n, interior)])
            x = x[tuple(slice(0, max(0, d + (d - 1) * gap)) for d, gap in zip(n, interior))]
        return tf.pad(x, padding, constant_values=tf.cast(value, x.dtype)) if any(map(any, padding)) else x

    def stack(self, xs: Any, *, axis: int) -> Any:
        return tf.stack(xs, axis) if xs else shapes.concatenate(xs)  # which says that there is none

    def strided_slice(self, x: Any, *, start: Any, stop: Any, step: Any) -> Any:
        return x[tuple(map(slice, start, stop, step))]

    # Indexing ----------------------------------------------------------------------------------------------

    def gather(self, reference: Any, indices: Any, *, axis: int) -> Any:
        return tf.gather(reference, _index(indices), axis=axis)

    def scatter_add(self, updates: Any, indices: Any, *, size: int, axis: int) -> Any:
        n, k = updates.shape.rank, indices.shape.rank
        axis = axis % (n - k + 1)
        front = (*range(axis, axis + k), *range(axis), *range(axis + k, n))
        placed = tf.math.unsorted_segment_sum(tf.transpose(updates, front) if axis else updates, _index(indices), size)
        return tf.transpose(placed, (*range(1, axis + 1), 0, *range(axis + 1, n - k + 1))) if axis else placed

    def take_along_axis(self, x: Any, indices: Any, *, axis: int) -> Any:
        n, axis = x.shape.rank, shapes.normalize_axis(axis, x.shape.rank)
        to_last = (*(i for i in range(n) if i != axis), axis)
        if axis != n - 1:
            x, indices = tf.transpose(x, to_last), tf.transpose(indices, to_last)
        rest = shapes.broadcast(tuple(x.shape)[:-1], tuple(indices.shape)[:-1])
        x, indices = tf.broadcast_to(x, (*rest, x.shape[-1])), tf.broadcast_to(indices, (*rest, indices.shape[-1]))
        taken = tf.gather(x, _index(indices), batch_dims=n - 1)
        return taken if axis == n - 1 else tf.transpose(taken, np.argsort(to_last))

    # Linear algebra and neural kernels -------------------------------------------------------------------------

    matmul = tf.matmul
    cholesky, det, householder_qr = tf.linalg.cholesky, tf.linalg.det, tf.linalg.qr

    softmax, log_softmax = Positional(tf.nn.softmax), Positional(tf.nn.log_softmax)

    def solve(self, a: Any, b: Any) -> Any:
        stack = shapes.broadcast(tuple(a.shape)[:-2], tuple(b.shape)[:-2])
        a, b = (tf.broadcast_to(t, (*stack, *t.shape[-2:])) for t in (a, b))
        return tf.linalg.solve(a, b)

    def svd(self, x: Any) -> Any:
        s, u, v = tf.linalg.svd(x)  # in another order, and v not transposed
        return u, s, tf.linalg.matrix_transpose(v)

    def fft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return _along_last(tf.signal.fft, real, imag, axis)

    def ifft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return _along_last(tf.signal.ifft, real, imag, axis)

    def argsort(self, x: Any, *, axis: int, descending: bool) -> Any:
        if x.dtype == tf.bool:
            x = tf.cast(x, tf.int32)
        if x.dtype.is_floating:
            x = total_order(x)
        if not descending:  # TensorFlow would negate x, and turn what is equal around
            back = tf.argsort(tf.reverse(x, [axis]), axis, "DESCENDING", stable=True)
            return tf.reverse(tf.cast(x.shape[axis] - 1 - back, tf.int64), [axis])
        return tf.cast(tf.argsort(x, axis, "DESCENDING", stable=True), tf.int64)

    def normalize_batch_in_training(
        self, x: Any, gamma: Any = None, beta: Any = None, *, reduction_axes: Any, epsilon: float
    ) -> Any:
        axes, rank = shapes.normalize_axes(reduction_axes, x.shape.rank), x.shape.rank
        first = rank > 2 and axes == (0, *range(2, rank)) and on_gpu()
        depth = x.shape[1 if first else -1]
        count = int(np.prod(x.shape)) // max(depth, 1)
        # The fused kernel wants float32, channels last or a GPU, and no tiny epsilon.
        fits = first or axes == tuple(range(rank - 1))
        if not fits or x.dtype != tf.float32 or count < 2 or epsilon < 2e-5:
            return super().normalize_batch_in_training(x, gamma, beta, reduction_axes=axes, epsilon=epsilon)
        y, mean, var, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(x, (x.shape[0], depth, -1, 1) if first else (x.shape[0], -1, 1, depth)),
            scale=tf.ones((depth,)) if gamma is None else gamma,
            offset=tf.zeros((depth,)) if beta is None else beta,
            mean=[],
            variance=[],
            epsilon=epsilon,
            data_format="NCHW" if first else "NHWC",
            is_training=True,
        )
        var = var * ((count - 1) / count)  # TensorFlow corrects for bias
        return tf.reshape(y, x.shape), *known_moments(self, x, tf.stop_gradient(mean), tf.stop_gradient(var), axes)

    # Convolution and pooling ---------------------------------------------------------------------------------

    def conv(
        self, x: Any, kernel: Any, *, strides: Any, padding: Any, dilation: Any, groups: int, data_format: str
    ) -> Any:
        given, first = laid_out(x, data_format), stays_first(data_format)
        x = with_a_row(given)
        if max(dilation) > 1 and max(strides) > 1:  # TensorFlow has one or the other
            gaps = (*(d - 1 for d in dilation), 0, 0)
            kernel = self.pad(kernel, padding=((0, 0),) * kernel.shape.rank, interior=gaps, value=0)
            dilation = (1,) * len(dilation)
        if not isinstance(padding, str):
            x, padding = tf.pad(x, around(padding, first, (0, 0))), "valid"
        y = grouped_conv(x, kernel, strides, padding.upper(), dilation, groups, first)
        return laid_back(rows_of(given, y), data_format)

    def transposed(self, fn: Callable[[Any], Any], shape: Any, g: Any) -> Any:
        with tf.GradientTape() as tape:  # inside a tf.function what the value at zero would need is pruned away
            x = tf.zeros(shape, g.dtype)
            tape.watch(x)
            y = fn(x)
        return tape.gradient(y, x, g, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def max_pool(self, x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x = laid_out(x, data_format)
        y = pooled(tf.nn.max_pool2d, with_a_row(x), pool_size, strides, padding, stays_first(data_format))
        return laid_back(rows_of(x, y), data_format)

    def max_pool_gradient(self, x: Any, g: Any, **attrs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = self.max_pool(x, **attrs)
        return tape.gradient(y, x, g)

    def max_pool_pick(self, x: Any, y: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x, y = (channels_last(t, data_format) for t in (x, y))
        picked = with_a_row(y)

        # Not as the transpose of max_pool_gradient: TensorFlow's kernel for that clears the memory of its own argument
        # where the result has the same shape and nobody else reads it.
        def pick(x: Any, size: Any, strides: Any, padding: str) -> Any:
            nonlocal picked
            top, places = tf.nn.max_pool_with_argmax(x, size, strides, padding, include_batch_in_index=True)
            picked = tf.gather(tf.reshape(picked, [-1]), places)
            return top

        top = pooled(pick, with_a_row(x), pool_size, strides, padding)
        return channels_back(rows_of(x, tf.reshape(picked, tf.shape(top))), data_format)

    def average_pool(self, x: Any, *, pool_size: Any, strides: Any, padding: Any, data_format: str) -> Any:
        x = laid_out(x, data_format)
        y = pooled(tf.nn.avg_pool2d, with_a_row(x), pool_size, strides, padding, stays_first(data_format))
        return laid_back(rows_of(x, y), data_format)

    # Loops -----------------------------------------------------------------------------------------------------

    def scan(self, fn: Any, init: list[Any], xs: list[Any], *, reverse: bool = False, length: int | None = None) -> Any:
        steps = int(xs[0].shape[0]) if xs else int(length or 0)
        if tf.executing_eagerly() or not steps:
            return super().scan(fn, init, xs, reverse=reverse, length=length)
        read = [tf.TensorArray(x.dtype, steps, element_shape=x.shape[1:]).unstack(x) for x in xs]
        _, results = _types_of(lambda: fn(list(init), [x[0] for x in xs]))
        write = [tf.TensorArray(y.dtype, steps, element_shape=y.shape) for y in results]

        def step(i: Any, carry: Any, written: Any) -> Any:
            t = steps - 1 - i if reverse else i
            carry, ys = fn(list(carry), [array.read(t) for array in read])
            return i + 1, list(carry), [array.write(t, y) for array, y in zip(written, ys)]

        _, carry, written = tf.while_loop(
            lambda i, *_: i < steps, step, (tf.constant(0), list(init), write), maximum_iterations=steps
        )
        return list(carry), [array.stack() for array in written]

    def custom_gradient(self, fn: Any, args: Any) -> Any:
        return gradient_table.custom_gradient(fn, args)

    def recompute(self, fn: Any, args: Any, captured: Any) -> Any:
        if captured is None or tf.executing_eagerly():
            return list(fn(args, captured))
        return gradient_table.recompute(self, fn, args, captured)

    def barrier(self, xs: Any, after: Any) -> Any:
        with tf.control_dependencies(list(after)):
            return [tf.identity(x) for x in xs]

    # Noise ---------------------------------------------------------------------------------------------------

    def engine_uniform(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        return tf.random.stateless_uniform(shape, _key(seed, stream, counter), dtype=_DTYPES[dtype], alg="philox")

    def engine_normal(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        return tf.random.stateless_normal(shape, _key(seed, stream, counter), dtype=_DTYPES[dtype], alg="philox")

    def from_host(self, fn: Callable[..., np.ndarray], xs: Sequence[Any], shape: Any, dtype: str) -> Any:
        return tf.ensure_shape(tf.numpy_function(fn, list(xs), _DTYPES[dtype], stateful=False), shape)

    def host_print(self, x: Any, *, message: str, serial: int) -> Any:
        shown = tf.numpy_function(functools.partial(self.show, message), [x], [])
        with tf.control_dependencies([shown] if shown is not None else []):
            return tf.identity(x)

    def is_argument_error(self, error: Exception) -> bool:
        refuses = tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError
        return isinstance(error, refuses)

    # Tensors in and out ----------------------------------------------------------------------------------------

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if value.dtype.kind not in "biufcVSUO":
            raise DtypeError(f"The tensorflow backend has no tensors of dtype {value.dtype}.")
        with self._placed():
            # A private copy: TensorFlow may go on using the caller's memory.
            return tf.constant(np.array(value), None if dtype is None else _DTYPES[dtype])

    def convert(self, value: Any, dtype: str | None = None) -> Any:
        # A variable of TensorFlow is read, so that a tape of the user's sees it.
        return super().convert(value.read_value() if isinstance(value, tf.Variable) else value, dtype)

    def import_tensor(self, value: Any, source: Any, dtype: str) -> Any:
        with tf.init_scope():  # where a `tf.function` is traced, its tensors end with it
            return super().import_tensor(value, source, dtype)

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(tf.cast(x, tf.float32) if x.dtype == tf.bfloat16 else x)  # x.numpy() would copy

    def share(self, value: Any) -> Any:
        if self.is_tensor(value):
            return value
        try:
            tensor = tf.experimental.dlpack.from_dlpack(value.__dlpack__())
        except (tf.errors.OpError, AttributeError) as error:
            raise BufferError(str(error)) from error
        if "CPU" in tensor.device and np.asarray(tensor).ctypes.data % 64:  # its kernels would end the process
            raise BufferError("TensorFlow computes only in memory that begins at a multiple of 64 bytes.")
        return tensor

    def literal(self, value: Any, dtype: str) -> Any:
        """Small ones stand in the graph itself: the gradient of a loop cannot be handed others."""
        with tf.init_scope():
            if np.prod(value.shape, dtype=int) > _INLINE:
                return self.convert(value, dtype)
            array = self.to_numpy(value) if isinstance(value, tf.Tensor) else value
        return self.convert(array, dtype)

    def dtype_of(self, x: Any) -> str:
        return _NAMES.get(x.dtype) or dtypes.canonical(x.dtype)

    def float_dtypes(self) -> Sequence[Any]:
        return tuple(_DTYPES[name] for name in dtypes.FLOATS)

    def version(self) -> str:
        return tf.__version__

    def devices(self) -> list[str]:
        return [f"cuda:{i}" for i, _ in enumerate(tf.config.list_physical_devices("GPU"))] + ["cpu"]

    def distributed(self, distribution: Any) -> Any:
        from keras_front_tensorflow.processes import Processes

        return type("DistributedTensorflow", (Processes, type(self)), {})(self, distribution)

    def distribution_devices(self, device_type: str | None = None) -> list[str]:
        from keras_front_tensorflow.processes import devices

        return devices(device_type)

    def initialize_processes(self, addresses: str | None, processes: int | None, process: int | None) -> None:
        from keras_front_tensorflow.processes import initialize

        initialize(addresses, processes, process)

    def _placed(self) -> Any:
        """A context on the device that was chosen; where none was, TensorFlow itself takes the best."""
        wanted = discovery.current_device()
        return tf.device(None if wanted is None else _device_name(wanted, tuple(self.devices())))

    # The verbs -----------------------------------------------------------------------------------------------

    def value_and_grad(self, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
        leaves = [tf.identity(p) for p in params]  # the same tensor given twice is two parameters
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(leaves)
            loss, aux = fn(leaves, *rest)
        grads = tape.gradient(loss, leaves, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return (loss, aux), [tf.convert_to_tensor(g) for g in grads]  # a gather's gradient comes as slices

    def prefers_rules(self, record: Sequence[Any]) -> bool:
        """For floats of 16 bits: the engine's own gradients of broadcasting and of gathering add up in 16 bits."""
        return any(t.dtype in dtypes.HALVES for o in record for t in o.outputs)

    export_program = export.export_program
    open_sizes = staticmethod(export.open_sizes)

    def with_compiler(self, how: Any) -> Any:
        if self.placement is not None:
            return self
        if self._by_xla is None:
            self._by_xla = copy.copy(self)  # which has the same tensors
            self._by_xla.__class__ = type("XlaTensorflow", (type(self),), {"always_by_xla": True})
        return self._by_xla

    def compile_program(self, program: Any) -> Callable[..., Any]:
        recurrent = any(line.op == "value_and_grad" and _has(line.body, {"scan"}) for line in program.instructions)
        for_xla = not _has(program, _HOST)
        late, now = recurrent and for_xla, self.always_by_xla and for_xla
        run = lambda *given: codegen.function_of(program)(*given)  # noqa: E731
        return FlatFunction(self, run, program.parameters(), jit=now, late=late, owns=_owns_state(program))

    def lasts(self, value: Any) -> bool:
        return not isinstance(value, tf.Tensor) or hasattr(value, "numpy")

    def size(self, value: Any) -> Any:
        known = tf.get_static_value(value)  # in a function that is traced, where its own ops take tensors as well
        return value if known is None else int(known)

    def compile_native(self, fn: Callable[..., Any], donate: Sequence[int] = ()) -> Callable[..., Any]:
        compiled = tf.function(fn, autograph=False)

        def run(*args: Any) -> Any:
            with gradient_table.forgotten_afterwards():
                return compiled(*args)

        return run

    def put_dataset(self, array: np.ndarray) -> Any:
        with self._placed():
            return tf.constant(array)  # no private copy: the caller's array outlives it

    def batches(self, arrays: Sequence[np.ndarray], size: int) -> Iterator[Sequence[Any]]:
        # One call for many batches: each by itself takes tens of microseconds. Not for too many: memory that is used
        # again is several times faster than new memory.
        each = sum(array.nbytes for array in arrays) * size // len(arrays[0])
        many = size * max(1, min(_SPLIT, _BLOCK // max(1, each)))
        for start in range(0, len(arrays[0]), many):
            with self._placed():
                block = [tf.constant(array[start : start + many]) for array in arrays]
            rows = block[0].shape[0]
            sizes = [size] * (rows // size) + [rows % size] * (rows % size > 0)
            yield from zip(*(tf.split(tensor, sizes) for tensor in block)) if len(sizes) > 1 else [block]

    def supports_multi_step(self, program: Any) -> bool:
        # Recurrent steps are compiled by XLA one by one; beside convolutions, or in large models, a call costs nothing.
        if program.captures or (_owns_state(program) and any(map(is_held, program.args[0]))):
            return False
        return not _has(program, {"scan", "lstm", "conv", "conv_transpose", "depthwise_conv"})

    def compile_multi_step(self, step: Any) -> Callable[..., Any]:
        """A loop whose length is an argument, so that it is traced once for all lengths."""

        def loop(state: list[Any], data: list[Any], order: Any, count: Any) -> Any:
            def one(i: Any, state: list[Any], _: Any) -> Any:
                state, results = step.inline(list(state), [tf.gather(array, order[i]) for array in data])
                return i + 1, list(state), results

            results = _types_of(lambda: one(0, state, None))[2]
            start = tf.constant(0), list(state), tf.zeros(results.shape, results.dtype)
            return tf.while_loop(lambda i, *_: i < count, one, start, parallel_iterations=1)[1:]

        calls: dict[Any, FlatFunction] = {}
        steps = 0

        def run(state: list[Any], data: list[Any], order: np.ndarray, count: int) -> Any:
            nonlocal steps
            steps += count
            programs = step.programs.values()
            jit = all(map(_is_wanted_by_xla, programs)) or (
                steps > _XLA_LOOPS and all(p and _is_small(p) for p in programs)
            )
            key = (jit, order.shape[1], *((tuple(t.shape[1:]), t.dtype) for t in data), *(t.shape for t in state))
            if key not in calls:
                make_room(calls)
                long = range(len(state), len(state) + len(data))
                calls[key] = FlatFunction(self, loop, [state, data, True, True], jit=jit, long=long)
            return calls[key](state, data, tf.constant(order.astype("int32", copy=False)), tf.constant(count))

        return run


# XLA makes training of very small models about twice as fast; see `flat_function.XLA_STEPS`.
_XLA_LOOPS = 4096
_SMALL = 1 << 13
_HOST = {"host_noise", "host_print"}  # what XLA cannot call
_INLINE = 1024  # elements of a constant that becomes part of a graph
_SPLIT, _BLOCK = 1024, 1 << 22  # batches and bytes that are brought in one go


def _cut(x: Any, lowest: float, highest: float) -> Any:
    return tf.raw_ops.ClipByValue(t=x, clip_value_min=lowest, clip_value_max=highest)  # `clip_by_value` makes two calls


def _crossentropy_of_cut(logits: Any, target: Any, lowest: float, highest: float) -> Any:
    cut = _cut(logits, lowest, highest)
    return tf.maximum(cut, 0) - cut * target + tf.math.softplus(-tf.abs(cut))


def _has(program: Any, ops: set[str]) -> bool:
    return any(line.op in ops or (line.body is not None and _has(line.body, ops)) for line in program.instructions)


def _owns_state(program: Any) -> bool:
    """Whether a program is given a list of tensors that is its own, and gives one like it first."""
    state, results = program.args[0] if program.args else None, program.results
    if program.donate != (0,) or not isinstance(state, list) or not isinstance(results, tuple | list) or not results:
        return False
    new = results[0]
    return isinstance(new, list) and [(t.shape, t.dtype) for t in state] == [(t.shape, t.dtype) for t in new]


def _is_wanted_by_xla(program: Any) -> bool:
    return program is not None and program.backend.always_by_xla and not _has(program, _HOST)


def _is_small(program: Any) -> bool:
    """Whether all that a program computes is so small that calling kernels costs more than running them."""
    return not _has(program, _HOST) and all(
        np.prod(out.shape, dtype=int) <= _SMALL and (line.body is None or _is_small(line.body))
        for line in program.instructions
        for out in line.outs
    )


def _types_of(fn: Callable[[], Any]) -> Any:
    """The results of `fn` without values, from a graph that never runs."""
    return tf.function(fn, autograph=False).get_concrete_function().structured_outputs


def _check_elements(x: Any, axis: Any) -> None:
    """Raise ShapeError for an empty axis, of which TensorFlow gives the least number there is."""
    if x.shape.num_elements() == 0:
        shapes.check_elements(tuple(x.shape), axis)


def _first_nan(x: Any, axis: int, found: Any) -> Any:
    """The place of the first NaN, which TensorFlow passes over; where there is none, the place that was found."""
    missing = tf.math.is_nan(x)
    return tf.where(tf.reduce_any(missing, axis), tf.argmax(tf.cast(missing, tf.uint8), axis, tf.int64), found)


def _index(indices: Any) -> Any:
    if indices.dtype in (tf.int32, tf.int64):
        return indices
    shapes.check_index_dtype(indices.dtype.name)
    return tf.cast(indices, tf.int64)


def _key(seed: Any, stream: int, counter: Any) -> Any:
    """The two numbers that TensorFlow's stateless generators take. Products of int64 wrap around."""
    of_stream = _signed(stream * 0xBF58476D1CE4E5B9)
    mixed = tf.cast(seed, tf.int64) * _signed(0x9E3779B97F4A7C15) + of_stream
    return tf.stack([tf.bitwise.bitwise_and(mixed, 0x7FFFFFFFFFFFFFFF), tf.cast(counter, tf.int64)])


def _signed(number: int) -> int:
    """The int64 with the last 64 bits of a number."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _along_last(transform: Any, real: Any, imag: Any, axis: int) -> Any:
    """A Fourier transform, which TensorFlow has for the last axis only."""
    n = real.shape.rank
    axis, dtype = shapes.normalize_axis(axis, n), real.dtype
    if dtype.size < 4:  # there are complex numbers of 64 and 128 bits
        real, imag = tf.cast(real, tf.float32), tf.cast(imag, tf.float32)
    to_last = [*(i for i in range(n) if i != axis), axis]
    z = transform(tf.transpose(tf.complex(real, imag), to_last))
    z = tf.transpose(z, np.argsort(to_last))
    return tf.cast(tf.math.real(z), dtype), tf.cast(tf.math.imag(z), dtype)


@functools.lru_cache(maxsize=64)
def _device_name(wanted: str, known: tuple[str, ...]) -> str:
    kind, _, number = wanted.partition(":")
    name = "cuda" if kind == "gpu" else kind
    if (name if name == "cpu" else f"{name}:{number or 0}") not in known:
        raise BackendError(f"The tensorflow backend has no device {wanted!r}; there are: {', '.join(known)}.")
    return f"{'GPU' if name == 'cuda' else name.upper()}:{number or 0}"


def _tensor_of(item: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    """A variable beside a tensor (`y + variable`): its value where ops compute now.

    A host copy of it would pass no gradient. Elsewhere, and where a symbol stands, a TypeError makes
    TensorFlow leave the operator to K.
    """
    value = present_value(item) if isinstance(item, Variable) else item
    if not isinstance(value, tf.Tensor):
        raise TypeError(f"{item!r} is symbolic: use K's function, or write it on the left of the operator.")
    return value if dtype is None or value.dtype == dtype else NotImplemented


tf.register_tensor_conversion_function((Variable, SymbolicTensor), _tensor_of)


class _Comparisons(tf.__internal__.dispatch.GlobalOpDispatcher):
    """`tensor < variable`, where that stays symbolic.

    Other operators have a reflected method that TensorFlow calls when it cannot convert the right side; comparisons
    have none. TensorFlow calls a dispatcher after a call has failed; Keras 2 brought its own symbolic tensors in by it.
    """

    functions = {
        tf.math.less: K.less, tf.math.less_equal: K.less_equal,
        tf.math.greater: K.greater, tf.math.greater_equal: K.greater_equal,
        tf.__operators__.eq: K.equal, tf.__operators__.ne: K.not_equal,
    }  # fmt: skip

    def handle(self, op: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        operands = args or (kwargs.get("x"), kwargs.get("y"))
        if op not in self.functions or not any(isinstance(x, Operators) for x in operands):
            return self.NOT_SUPPORTED
        return self.functions[op](*operands)


_Comparisons().register()
