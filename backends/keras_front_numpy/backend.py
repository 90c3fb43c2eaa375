"""The adapter for NumPy, which computes on the host and needs nothing that is not installed anyway.

Op by op it is plain NumPy, with the kernels of `kernels/` where NumPy has none. Compiled functions are planned
(`schedule/`, `codegen/`): there no op allocates, and the same kernels write into buffers laid out beforehand.

What differs from NumPy's own behaviour: dtypes stay (a float32 sum is float32, an int32 sum int32), NaN and infinity
come without warnings, and an index outside its axis is an error, also a negative one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from keras_front.backend import dtypes, op, seeds, shapes
from keras_front.backend.adapter import Backend
from keras_front.errors import DtypeError

from . import standalone
from .cache import BoundedCache
from .eager import EAGER, Eager
from .errstate import without_warnings
from .executable import Executable
from .kernels import convolution, elementwise, indexing, noise, pooling, recurrent_layers
from .kernels.updates import adam_rate

Array: TypeAlias = "np.ndarray[Any, Any]"

# Called by position, which takes half the time that keywords take and which NumPy's stubs do not describe.
_sum: Any = np.add.reduce
_prod: Any = np.multiply.reduce
_max: Any = np.maximum.reduce
_min: Any = np.minimum.reduce
_any: Any = np.logical_or.reduce
_all: Any = np.logical_and.reduce


def _known(shape: shapes.Shape) -> tuple[int, ...]:
    """The shape that a rule gives for arrays, whose dimensions are all known."""
    return tuple(int(d) for d in shape)  # type: ignore[arg-type]


def _parts(z: Any, dtype: Any) -> tuple[Any, Any]:
    return z.real.astype(dtype), z.imag.astype(dtype)


def _fractions_only(ufunc: Any) -> Any:
    """A rounding function that leaves integers alone."""
    return staticmethod(lambda x: x if x.dtype.kind in "biu" else ufunc(x))


_NO_BFLOAT16 = "NumPy has no bfloat16. Use float32, or a backend that has it."
_KERNELS: BoundedCache[Callable[..., None]] = BoundedCache(64)  # each has scratch memory of some megabytes at most


def _kernel(make: Callable[..., Callable[..., None]], *how: Any) -> Callable[..., None]:
    """The kernel for these shapes; each thread has its own, for the sake of its scratch memory."""
    return _KERNELS.get((threading.get_ident(), make, *how), lambda: make(*how))


def _windows(space: Any, window: Any, strides: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    """How many windows fit along each spatial axis. Raises: ShapeError if not even one does."""
    return tuple(shapes.windows(*axis) for axis in zip(space, window, strides, padding, dilation, strict=True))


def conv_plan(
    x_shape: Any, kernel_shape: Any, strides: Any, padding: Any, dilation: Any, groups: int, dtype: Any
) -> Any:
    """The arguments of a convolution's plan, with the padding as amounts."""
    amounts = shapes.resolve_padding(padding, x_shape[1:-1], kernel_shape[:-2], strides, dilation)
    return tuple(x_shape), tuple(kernel_shape), strides, amounts, dilation, groups, np.dtype(dtype).str


def pool_plan(x_shape: Any, pool_size: Any, strides: Any, padding: Any, dtype: Any) -> Any:
    """The arguments of a pooling's plan, with the padding as amounts."""
    amounts = shapes.resolve_padding(padding, x_shape[1:-1], pool_size, strides, (1,) * len(pool_size))
    return tuple(x_shape), pool_size, strides, amounts, np.dtype(dtype).str


def channels_last(x: Any, data_format: str) -> Any:
    """A view of images with the channels at the end."""
    return x if data_format == "channels_last" else np.moveaxis(x, 1, -1)


def channels_back(x: Any, data_format: str) -> Any:
    """Images with the channels where `data_format` has them."""
    return x if data_format == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))


def images_shape(shape: Any, data_format: str) -> tuple[int, ...]:
    """A shape with the channels at the end."""
    return tuple(shape) if data_format == "channels_last" else (shape[0], *shape[2:], shape[1])


def _of_none(axis: Any, x: Any) -> Any:
    """A number itself, over none of its axes. Raises: ShapeError for an axis, which NumPy takes in some functions."""
    shapes.normalize_axes(axis, 0)
    return x


class Float64(np.ndarray):
    """An array of float64 that K made.

    Other arrays of float64 are mostly host data that nobody gave a dtype: beside tensors of the default float they take
    its dtype, as on every other backend.
    """

    __slots__ = ()


def as_tensor(array: Any) -> Any:
    """An array, marked as a tensor where its dtype does not tell."""
    if array.__class__ is np.ndarray and array.dtype == np.float64 and dtypes.canonical(None) != "float64":
        return array.view(Float64)
    return array


class NumpyBackend(Eager, Backend):
    """K on NumPy; see the module."""

    name = "numpy"
    expanded = EAGER
    tensor_types = (np.ndarray, np.generic)
    lacks = frozenset({"bfloat16"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A subclass with ops of its own is asked for them everywhere: eagerly, in composites and in programs.

        NumPy's own composites and planned programs call functions of NumPy. So composites become the bodies in K again,
        and programs call one method after the other, unless the subclass brings a compiler.
        """
        super().__init_subclass__(**kwargs)
        own = vars(cls).keys() & op.OPS.keys()
        if not own:
            return
        for name in op.composites():
            if getattr(cls, name) is getattr(NumpyBackend, name):
                setattr(cls, name, vars(Backend)[name])
        cls.expanded = cls.expanded - own
        if cls.compile_program is NumpyBackend.compile_program:
            cls.compile_program = Backend.compile_program  # type: ignore[method-assign]

    def __init__(self) -> None:
        super().__init__()
        self.native |= {Float64} | {np.dtype(name).type for name in dtypes.ALL - {"bfloat16", "string"}}

    def is_argument_error(self, error: Exception) -> bool:
        return isinstance(error, np.linalg.LinAlgError | TypeError)

    # Tensors in and out

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if dtype == "bfloat16":
            raise DtypeError(_NO_BFLOAT16)
        return as_tensor(np.array(value, dtype))

    def convert(self, value: Any, dtype: str | None = None) -> Any:
        if isinstance(value, np.ndarray) and value.__class__ not in (np.ndarray, Float64):
            value = dtypes.plain_array(value)
        return as_tensor(super().convert(value, dtype))

    def is_host(self, x: Any) -> bool:
        return x.__class__ is np.ndarray and x.dtype == np.float64 and dtypes.canonical(None) != "float64"

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(x)

    def scalar(self, value: Any, like: Array) -> Any:
        return like.dtype.type(value)

    def copy(self, x: Any) -> Any:
        return np.array(x)

    def share(self, value: Any) -> Any:
        return value if self.is_tensor(value) else np.from_dlpack(value)

    def version(self) -> str:
        return np.__version__

    def rows(self, data: Any, rows: np.ndarray) -> list[Any]:
        return [array.take(rows, 0) for array in data]

    def argument(self, array: np.ndarray) -> np.ndarray:
        return array

    def arguments_like(self, arrays: Any) -> Any:
        return list

    def batches(self, arrays: Any, size: int) -> Any:
        for start in range(0, len(arrays[0]), size):
            yield [array[start : start + size] for array in arrays]

    export_program = standalone.export_program

    def compile_program(self, program: Any) -> Any:
        return Executable(program)

    # Elementwise

    add, subtract, multiply, negative, abs, sign = np.add, np.subtract, np.multiply, np.negative, np.abs, np.sign
    maximum, minimum, tanh = np.maximum, np.minimum, np.tanh
    sin, cos = map(without_warnings, (np.sin, np.cos))
    divide, floor_divide, mod = map(without_warnings, (np.divide, np.floor_divide, np.remainder))
    power = without_warnings(elementwise.power)
    exp, expm1, log, log1p, square_root = map(without_warnings, (np.exp, np.expm1, np.log, np.log1p, np.sqrt))
    floor, ceil, round = map(_fractions_only, (np.floor, np.ceil, np.rint))
    equal, not_equal, less, less_equal = np.equal, np.not_equal, np.less, np.less_equal
    greater, greater_equal, isnan, isfinite = np.greater, np.greater_equal, np.isnan, np.isfinite
    logical_and, logical_or, logical_not = np.logical_and, np.logical_or, np.logical_not
    where = np.where
    erf = staticmethod(elementwise.erf)
    arctan, arcsin, arccos, arccosh, arctan2, cbrt, hypot = map(
        without_warnings, (np.arctan, np.arcsin, np.arccos, np.arccosh, np.arctan2, np.cbrt, np.hypot)
    )
    gcd, lcm, bitwise_and, bitwise_or, bitwise_xor = np.gcd, np.lcm, np.bitwise_and, np.bitwise_or, np.bitwise_xor
    bitwise_not, left_shift, right_shift = np.bitwise_not, np.left_shift, np.right_shift

    @without_warnings
    def sigmoid(x: Array) -> Array:  # noqa: N805
        return elementwise.sigmoid(x, np.empty(x.shape, x.dtype))

    def relu(self, x: Array, *, alpha: Any = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
        if max_value is None and threshold == 0 and isinstance(alpha, float | int) and alpha == 0:
            return np.maximum(x, x.dtype.type(0))
        if alpha.__class__ is float and max_value is None and threshold == 0 and x.dtype.kind == "f":
            kind = x.dtype.type
            return np.maximum(x, kind(0)) + np.minimum(x, kind(0)) * kind(alpha)
        return Backend.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)  # type: ignore[attr-defined]

    @without_warnings
    def cast(x: Array, dtype: str) -> Array:  # noqa: N805
        if dtype == "bfloat16":  # NumPy knows it where another engine has registered it, and computes it slowly
            raise DtypeError(_NO_BFLOAT16)
        try:
            return as_tensor(x.astype(dtype))
        except TypeError:
            raise DtypeError(f"NumPy has no dtype {dtype!r}.") from None

    def stop_gradient(self, x: Array) -> Array:
        return x

    # Reductions: in the dtype of x

    def sum(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _sum(x, axis, x.dtype, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def prod(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _prod(x, axis, x.dtype, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def max(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _max(x, axis, None, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def min(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _min(x, axis, None, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def any(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _any(x, axis, None, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def all(self, x: Array, *, axis: Any, keepdims: bool) -> Array:
        return _all(x, axis, None, None, keepdims) if axis is None or x.ndim else _of_none(axis, x)

    def argmax(self, x: Array, *, axis: int) -> Array:
        return x.argmax(axis) if x.ndim else _of_none(axis, x)

    def argmin(self, x: Array, *, axis: int) -> Array:
        return x.argmin(axis) if x.ndim else _of_none(axis, x)

    def cumsum(self, x: Array, *, axis: int) -> Array:
        return np.add.accumulate(x, axis, x.dtype)

    def cumprod(self, x: Array, *, axis: int) -> Array:
        return np.multiply.accumulate(x, axis, x.dtype)

    # Arrangement: views, where NumPy can

    symbolic_shape = staticmethod(lambda x: np.array(x.shape, np.int32))
    matmul = np.matmul

    def reshape(self, x: Array, *, shape: Sequence[Any]) -> Array:
        return x.reshape(shape)

    def permute_dimensions(self, x: Array, *, pattern: Sequence[Any]) -> Array:
        return x.transpose(pattern)

    def broadcast_to(self, x: Array, *, shape: Sequence[Any]) -> Array:
        return np.broadcast_to(x, shape)

    def concatenate(self, tensors: Sequence[Array], *, axis: int) -> Array:
        return np.concatenate(tensors, axis)

    def flip(self, x: Array, *, axes: Sequence[Any]) -> Array:
        return np.flip(x, tuple(axes)) if x.ndim else _of_none(axes, x)

    def strided_slice(self, x: Array, *, start: Sequence[Any], stop: Sequence[Any], step: Sequence[Any]) -> Array:
        return x[indexing.strided_index(start, stop, step)]

    def pad(self, x: Array, *, padding: Any, interior: Sequence[Any], value: Any) -> Array:
        shape, _ = shapes.pad(x, padding=padding, interior=interior)
        return indexing.pad(x, padding, interior, np.full(_known(shape), value, x.dtype))

    # Factorizations and sorting

    cholesky, det = np.linalg.cholesky, np.linalg.det

    def solve(self, a: Array, b: Array) -> Array:
        # NumPy before 2.0 takes what has one axis less than `a` for vectors, one for each of the matrices.
        return np.linalg.solve(a, b[None] if b.ndim == a.ndim - 1 else b)

    householder_qr = staticmethod(lambda x: tuple(np.linalg.qr(x)))
    svd = staticmethod(lambda x: tuple(np.linalg.svd(x, full_matrices=False)))

    def fft(self, real: Array, imag: Array, *, axis: int) -> tuple[Array, Array]:
        return _parts(np.fft.fft(real + 1j * imag, axis=axis), real.dtype)

    def ifft(self, real: Array, imag: Array, *, axis: int) -> tuple[Array, Array]:
        return _parts(np.fft.ifft(real + 1j * imag, axis=axis), real.dtype)

    def rfft(self, x: Array, *, axis: int) -> tuple[Array, Array]:
        return _parts(np.fft.rfft(x, axis=axis), x.dtype)

    def argsort(self, x: Array, *, axis: int, descending: bool) -> Array:
        axis = shapes.normalize_axis(axis, x.ndim)
        if not descending:
            return np.argsort(x, axis, kind="stable")
        return np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis, kind="stable"), axis)

    # Indexing

    def gather(self, reference: Array, indices: Array, *, axis: int) -> Array:
        return indexing.gather(reference, np.asarray(indices), axis)

    def scatter_add(self, updates: Array, indices: Array, *, size: int, axis: int) -> Array:
        indices = np.asarray(indices)
        axis = axis % (updates.ndim - indices.ndim + 1)
        shape, _ = shapes.scatter_add(updates, indices, size=size, axis=axis)
        return indexing.scatter_add(updates, indices, axis, np.empty(_known(shape), updates.dtype))

    def take_along_axis(self, x: Array, indices: Array, *, axis: int) -> Array:
        indexing.check_range(indices, x.shape[axis])
        wide = [max(a, b) for a, b in zip(x.shape, indices.shape, strict=True)]
        fit = [*wide]
        fit[axis] = indices.shape[axis]
        wide[axis] = x.shape[axis]
        return np.take_along_axis(np.broadcast_to(x, wide), np.broadcast_to(indices, fit), axis)

    # Convolution and pooling

    def conv(
        self,
        x: Array,
        kernel: Array,
        *,
        strides: Sequence[Any],
        padding: Any,
        dilation: Sequence[Any],
        groups: int,
        data_format: str,
    ) -> Array:
        x = channels_last(x, data_format)
        plan = conv_plan(x.shape, kernel.shape, strides, padding, dilation, groups, x.dtype)
        space = _windows(x.shape[1:-1], kernel.shape[:-2], strides, plan[3], dilation)
        out = np.empty((x.shape[0], *space, kernel.shape[-1]), x.dtype)
        _kernel(convolution.plan_forward, *plan)(x, kernel, out)
        return channels_back(out, data_format)

    def conv_input_gradient(
        self,
        g: Array,
        kernel: Array,
        *,
        input_shape: Sequence[Any],
        strides: Sequence[Any],
        padding: Any,
        dilation: Sequence[Any],
        groups: int,
        data_format: str,
    ) -> Array:
        g, shape = channels_last(g, data_format), images_shape(input_shape, data_format)
        out = np.empty(shape, g.dtype)
        plan = conv_plan(shape, kernel.shape, strides, padding, dilation, groups, g.dtype)
        _kernel(convolution.plan_input_gradient, *plan)(np.ascontiguousarray(g), kernel, out)
        return channels_back(out, data_format)

    def conv_kernel_gradient(
        self,
        x: Array,
        g: Array,
        *,
        kernel_shape: Sequence[Any],
        strides: Sequence[Any],
        padding: Any,
        dilation: Sequence[Any],
        groups: int,
        data_format: str,
    ) -> Array:
        x, g = channels_last(x, data_format), np.ascontiguousarray(channels_last(g, data_format))
        out = np.empty(kernel_shape, x.dtype)
        plan = conv_plan(x.shape, kernel_shape, strides, padding, dilation, groups, x.dtype)
        _kernel(convolution.plan_kernel_gradient, *plan)(x, g, out)
        return out

    def max_pool(
        self, x: Array, *, pool_size: Sequence[Any], strides: Sequence[Any], padding: Any, data_format: str
    ) -> Array:
        return self._pool(pooling.plan_max_pool, x, (), pool_size, strides, padding, data_format)

    def average_pool(
        self, x: Array, *, pool_size: Sequence[Any], strides: Sequence[Any], padding: Any, data_format: str
    ) -> Array:
        return self._pool(pooling.plan_average_pool, x, (), pool_size, strides, padding, data_format)

    def max_pool_pick(
        self, x: Array, y: Array, *, pool_size: Sequence[Any], strides: Sequence[Any], padding: Any, data_format: str
    ) -> Array:
        top = self.max_pool(x, pool_size=pool_size, strides=strides, padding=padding, data_format=data_format)
        more = (channels_last(top, data_format), channels_last(y, data_format))
        return self._pool(pooling.plan_max_pool_pick, x, more, pool_size, strides, padding, data_format)

    def _pool(
        self,
        make: Callable[..., Any],
        x: Array,
        more: Sequence[Array],
        pool_size: Sequence[Any],
        strides: Sequence[Any],
        padding: Any,
        data_format: str,
    ) -> Array:
        x = channels_last(x, data_format)
        plan = pool_plan(x.shape, pool_size, strides, padding, x.dtype)
        space = _windows(x.shape[1:-1], pool_size, strides, plan[3], (1,) * len(pool_size))
        out = np.empty((x.shape[0], *space, x.shape[-1]), x.dtype)
        _kernel(make, *plan)(x, *more, out)
        return channels_back(out, data_format)

    def max_pool_gradient(
        self, x: Array, g: Array, *, pool_size: Sequence[Any], strides: Sequence[Any], padding: Any, data_format: str
    ) -> Array:
        top = self.max_pool(x, pool_size=pool_size, strides=strides, padding=padding, data_format=data_format)
        x, top, g = (channels_last(t, data_format) for t in (x, top, g))
        out = np.empty(x.shape, x.dtype)
        _kernel(pooling.plan_max_pool_gradient, *pool_plan(x.shape, pool_size, strides, padding, x.dtype))(
            x, top, g, out
        )
        return channels_back(out, data_format)

    def average_pool_gradient(
        self,
        g: Array,
        *,
        input_shape: Sequence[Any],
        pool_size: Sequence[Any],
        strides: Sequence[Any],
        padding: Any,
        data_format: str,
    ) -> Array:
        g, shape = channels_last(g, data_format), images_shape(input_shape, data_format)
        out = np.empty(shape, g.dtype)
        _kernel(pooling.plan_average_pool_gradient, *pool_plan(shape, pool_size, strides, padding, g.dtype))(g, out)
        return channels_back(out, data_format)

    # Noise

    def engine_uniform(self, counter: Array, seed: Array, *, shape: Sequence[Any], dtype: str, stream: int) -> Array:
        wide = dtype if dtype == "float64" else "float32"
        return noise.Noise(stream).uniform(counter, seed, np.empty(shape, wide)).astype(dtype, copy=False)

    def engine_normal(self, counter: Array, seed: Array, *, shape: Sequence[Any], dtype: str, stream: int) -> Array:
        wide = dtype if dtype == "float64" else "float32"
        return noise.Noise(stream).normal(counter, seed, np.empty(shape, wide)).astype(dtype, copy=False)

    def keep_mask(
        self, counter: Array, seed: Array, *, shape: Sequence[Any], rate: float, dtype: str, stream: int
    ) -> Array:
        if seeds.reproducible() or not dtypes.is_float(dtype):
            drawn = seeds.noise(int(seed), stream, int(counter), tuple(shape), "uniform", dtypes.as_float(dtype))
            return ((drawn >= rate) * (1 / (1 - rate))).astype(dtype)
        return noise.plan_keep_mask(tuple(shape), rate, dtype, stream)(counter, seed, np.empty(shape, dtype))

    # Recurrent layers

    lstm_sequence, lstm_sequence_gradient = recurrent_layers.methods("lstm")
    conv_lstm_sequence, conv_lstm_sequence_gradient = recurrent_layers.methods("conv_lstm")
    gru_sequence, gru_sequence_gradient = recurrent_layers.methods("gru")
    simple_rnn_sequence, simple_rnn_sequence_gradient = recurrent_layers.methods("simple_rnn")

    # Updates of all weights at once

    def sgd_update(
        self,
        params: Sequence[Array],
        grads: Sequence[Array],
        moments: Sequence[Array],
        lr: Array,
        *,
        momentum: float,
        nesterov: bool,
    ) -> tuple[list[Array], ...]:
        rate = float(lr)
        if not moments:
            return [p - g * p.dtype.type(rate) for p, g in zip(params, grads, strict=True)], []
        steps = [g * p.dtype.type(rate) for p, g in zip(params, grads, strict=True)]
        new = [m * m.dtype.type(momentum) - s for m, s in zip(moments, steps, strict=True)]
        moves = [v * v.dtype.type(momentum) - s for v, s in zip(new, steps, strict=True)] if nesterov else new
        return [p + v for p, v in zip(params, moves, strict=True)], new

    def rmsprop_update(
        self,
        params: Sequence[Array],
        grads: Sequence[Array],
        squares: Sequence[Array],
        lr: Array,
        *,
        rho: float,
        epsilon: float,
    ) -> tuple[list[Array], ...]:
        new = [a + a.dtype.type(1 - rho) * (g * g - a) for a, g in zip(squares, grads, strict=True)]
        rate = float(lr)
        moved = [
            p - g.dtype.type(rate) * g / (np.sqrt(a) + a.dtype.type(epsilon))
            for p, g, a in zip(params, grads, new, strict=True)
        ]
        return moved, new

    def adam_update(
        self,
        params: Sequence[Array],
        grads: Sequence[Array],
        ms: Sequence[Array],
        vs: Sequence[Array],
        vhats: Sequence[Array],
        lr: Array,
        t: Array,
        *,
        beta_1: float,
        beta_2: float,
        epsilon: float,
    ) -> tuple[Sequence[Array], ...]:
        rate = adam_rate(lr, t, beta_1, beta_2)
        ms = [m + m.dtype.type(1 - beta_1) * (g - m) for m, g in zip(ms, grads, strict=True)]
        vs = [v + v.dtype.type(1 - beta_2) * (g * g - v) for v, g in zip(vs, grads, strict=True)]
        vhats = [np.maximum(a, v) for a, v in zip(vhats, vs, strict=True)] if vhats else []
        moved = [
            p - p.dtype.type(rate) * m / (np.sqrt(v) + v.dtype.type(epsilon))
            for p, m, v in zip(params, ms, vhats or vs, strict=True)
        ]
        return moved, ms, vs, vhats
