"""JAX as a backend: what differs between K and jax.numpy, and nothing else.

Programs become `jax.jit` functions which own the state they are given (donation); several steps run in one
dispatch (`lax.fori_loop`). K has 64-bit types on every backend, so JAX is called here in a scope in
which it has them too (`x64.wide`); the setting of the process stays the application's own. Nothing here relies on
JAX's default types, so 32-bit models stay 32-bit throughout.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from keras_front.backend import discovery, dtypes, shapes
from keras_front.backend.adapter import Backend, Positional
from keras_front.backend.gradients import Transposes
from keras_front.backend.op import OPS
from keras_front.backend.ops import indexing
from keras_front.backend.state import Variable, VariableList
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import BackendError, DtypeError
from keras_front_jax import distribution as distributions
from keras_front_jax import export, fourier, integers, pooling
from keras_front_jax.calls import compiled_call
from keras_front_jax.x64 import wide, wide_methods, wide_scope

_DTYPES = {name: jnp.dtype(name) for name in sorted(dtypes.ALL - {"string"})}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LARGE = 1 << 21  # elements of a state beside which a dispatch costs nothing
_ATTENTION = {"gpu": "cudnn"}  # by platform; JAX's implementation for all of them is slower than the body of the op
_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def _choice(choose: Callable[..., Any], better: Callable[..., Any]) -> Callable[..., Any]:
    """The larger or smaller of two. The engine's own derivative multiplies with 0, so that infinities become NaN."""

    def tangent(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        chosen = jnp.where(better(x, y), dx, jnp.where(better(y, x), dy, jnp.where(x == y, (dx + dy) * 0.5, 0)))
        return choose(x, y), chosen.astype(x.dtype)

    chosen = jax.custom_jvp(choose)
    chosen.defjvp(tangent)
    return chosen


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    """The largest or smallest over axes, whose derivative is shared by equal ones and masked, not multiplied."""

    @functools.partial(jax.jit, static_argnums=(1, 2))
    @functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
    def found(x: Any, axis: Any, keepdims: bool) -> Any:
        return choose(x, axis, keepdims=keepdims)

    @found.__wrapped__.defjvp
    def tangent(axis: Any, keepdims: bool, primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        hit = x == choose(x, axis, keepdims=True)
        count = jnp.sum(hit, axis, keepdims=keepdims).astype(x.dtype)
        return choose(x, axis, keepdims=keepdims), jnp.sum(jnp.where(hit, dx, 0), axis, keepdims=keepdims) / count

    return found


_maximum, _minimum = _choice(jnp.maximum, jnp.greater), _choice(jnp.minimum, jnp.less)
_max, _min = _extreme(jnp.max), _extreme(jnp.min)


def _indices(start: Any, stop: Any, step: Any, size: Any) -> tuple[Any, Any, Any]:
    """What `slice.indices` says; of a whole axis also where its size is a symbol, while a program is exported."""
    whole = not start and stop is None and step == 1
    return (0, size, 1) if whole else slice(start, stop, step).indices(size)


# What takes trees of arrays (`jax.jit`, `jax.grad`) takes variables too, and sees and returns their values.
jax.tree_util.register_pytree_node(Variable, lambda v: ((v.value,), None), lambda _, values: values[0])
jax.tree_util.register_pytree_node(VariableList, lambda some: (list(some), None), lambda _, values: list(values))


@wide_methods
class JaxBackend(Transposes, Backend):
    """K on JAX; see the module."""

    name = "jax"
    tensor_types = (jax.Array,)
    differentiates = True
    compiles = shares_programs = True
    forks = False
    distributes = True

    # Elementwise -------------------------------------------------------------------------------------------

    add, subtract, multiply, divide = jnp.add, jnp.subtract, jnp.multiply, jnp.true_divide
    floor_divide, mod, power = integers.floor_divide, jnp.remainder, integers.power
    maximum, minimum = jax.jit(_maximum), jax.jit(_minimum)
    negative, sign, square = jnp.negative, jnp.sign, jnp.square
    exp, expm1, log, log1p = jnp.exp, jnp.expm1, jnp.log, jnp.log1p
    square_root, rsqrt = jnp.sqrt, lax.rsqrt
    arctan, arcsin, arccos, arccosh, arctan2 = jnp.arctan, jnp.arcsin, jnp.arccos, jnp.arccosh, jnp.arctan2
    cbrt, erfc, erfinv, exp2 = jnp.cbrt, lax.erfc, lax.erf_inv, jnp.exp2
    bitwise_and, bitwise_or, bitwise_xor = jnp.bitwise_and, jnp.bitwise_or, jnp.bitwise_xor
    bitwise_not, left_shift, right_shift = jnp.bitwise_not, jnp.left_shift, jnp.right_shift
    sin, cos, tanh, sigmoid, erf = jnp.sin, jnp.cos, jnp.tanh, jax.nn.sigmoid, lax.erf
    equal, not_equal, less, less_equal = jnp.equal, jnp.not_equal, jnp.less, jnp.less_equal
    greater, greater_equal = jnp.greater, jnp.greater_equal
    isnan, isfinite = jnp.isnan, jnp.isfinite
    logical_and, logical_or, logical_not = jnp.logical_and, jnp.logical_or, jnp.logical_not
    where, stop_gradient = jnp.where, lax.stop_gradient

    def abs(self, x: Any) -> Any:  # the engine's own derivative at 0 is 1
        return x * jnp.sign(x)

    def floor(self, x: Any) -> Any:
        return jnp.floor(x) if x.dtype in self.floats else x

    def ceil(self, x: Any) -> Any:
        return jnp.ceil(x) if x.dtype in self.floats else x

    def round(self, x: Any) -> Any:
        return jnp.round(x) if x.dtype in self.floats else x

    def cast(self, x: Any, *, dtype: str) -> Any:
        return jnp.astype(x, _DTYPES[dtype])

    def relu(self, x: Any, *, alpha: Any, max_value: Any, threshold: Any) -> Any:
        if alpha == 0.0 and threshold == 0.0 and max_value is None:
            return jax.nn.relu(x)  # its gradient at 0 is 0; that of jnp.maximum is a half
        return super().relu(x, alpha=alpha, max_value=max_value, threshold=threshold)

    # Reductions: JAX sums small integers as int64 ------------------------------------------------------------

    max, min = Positional(_max), Positional(_min)

    def sum(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return jnp.sum(x, axis, x.dtype, keepdims=keepdims)

    def mean(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return jnp.mean(x, axis, x.dtype, keepdims=keepdims)

    def prod(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return jnp.prod(x, axis, x.dtype, keepdims=keepdims)

    def any(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return jnp.any(x, axis, keepdims=keepdims)

    def all(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return jnp.all(x, axis, keepdims=keepdims)

    def argmax(self, x: Any, *, axis: int) -> Any:
        return lax.argmax(x, shapes.normalize_axis(axis, x.ndim), jnp.int64)

    def argmin(self, x: Any, *, axis: int) -> Any:
        return lax.argmin(x, shapes.normalize_axis(axis, x.ndim), jnp.int64)

    def cumsum(self, x: Any, *, axis: int) -> Any:
        return jnp.cumsum(x, axis, x.dtype)

    def cumprod(self, x: Any, *, axis: int) -> Any:
        return jnp.cumprod(x, axis, x.dtype)

    # Arrangement -------------------------------------------------------------------------------------------

    def symbolic_shape(self, x: Any) -> Any:
        return jnp.asarray(np.array(x.shape, "int32"))

    reshape, permute_dimensions = Positional(jnp.reshape), Positional(jnp.transpose)
    broadcast_to = Positional(jnp.broadcast_to)

    def concatenate(self, tensors: Any, *, axis: int) -> Any:
        return lax.concatenate(tensors, shapes.normalize_axis(axis, tensors[0].ndim))

    def pad(self, x: Any, *, padding: Any, interior: Any, value: float) -> Any:
        gaps = interior or (0,) * x.ndim
        return lax.pad(x, jnp.asarray(value, x.dtype), [(*pair, gap) for pair, gap in zip(padding, gaps)])

    def strided_slice(self, x: Any, *, start: Any, stop: Any, step: Any) -> Any:
        cuts = [_indices(*cut) for cut in zip(start, stop, step, x.shape)]
        return lax.slice(x, [a for a, _, _ in cuts], [max(a, b) for a, b, _ in cuts], step)

    def flip(self, x: Any, *, axes: Any) -> Any:
        return lax.rev(x, shapes.normalize_axes(axes, x.ndim))

    # Indexing: compiled code cannot raise, so indices are cut to the range -------------------------------------

    def gather(self, reference: Any, indices: Any, *, axis: int) -> Any:
        _check_values(indices, reference.shape[axis])
        wide = jnp.float32 if reference.dtype in self.halves else reference.dtype  # the gradient adds up in that dtype
        return jnp.take(reference.astype(wide), indices, axis, mode="clip").astype(reference.dtype)

    def scatter_add(self, updates: Any, indices: Any, *, size: int, axis: int) -> Any:
        axis = axis % (updates.ndim - indices.ndim + 1)
        shape = (*updates.shape[:axis], size, *updates.shape[axis + indices.ndim :])
        _check_values(indices, size)
        zeros = jnp.zeros(shape, updates.dtype)
        return zeros.at[(slice(None),) * axis + (jnp.clip(indices, 0, max(size - 1, 0)),)].add(updates)

    def take_along_axis(self, x: Any, indices: Any, *, axis: int) -> Any:
        _check_values(indices, x.shape[axis])
        return jnp.take_along_axis(x, indices, axis, mode="clip")

    # Linear algebra and neural kernels -------------------------------------------------------------------------

    matmul = jnp.matmul
    cholesky = functools.partial(jnp.linalg.cholesky, symmetrize_input=False)  # of the lower triangle, as elsewhere
    solve, det, householder_qr = jnp.linalg.solve, jnp.linalg.det, jnp.linalg.qr

    softmax, log_softmax = Positional(jax.nn.softmax), Positional(jax.nn.log_softmax)

    def svd(self, x: Any) -> Any:
        return tuple(jnp.linalg.svd(x, full_matrices=False))

    def fft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return fourier.transformed(jnp.fft.fft, real, imag, axis)

    def ifft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return fourier.transformed(jnp.fft.ifft, real, imag, axis)

    def rfft(self, x: Any, *, axis: int) -> Any:
        return fourier.of_real(x, axis)

    def argsort(self, x: Any, *, axis: int, descending: bool) -> Any:
        return jnp.argsort(x, axis, stable=True, descending=descending).astype(jnp.int64)

    def dot_product_attention(
        self, query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, *, scale: Any, is_causal: bool
    ) -> Any:
        how = _ATTENTION.get(self._device().platform)
        if how is None or mask is not None or not _fits_attention(query, key, value, bias):
            return super().dot_product_attention(query, key, value, bias, mask, scale=scale, is_causal=is_causal)
        given = {"scale": scale, "is_causal": is_causal, "implementation": how}
        return jax.nn.dot_product_attention(query, key, value, bias, **given)

    # Convolution and pooling ---------------------------------------------------------------------------------

    def conv(
        self, x: Any, kernel: Any, *, strides: Any, padding: Any, dilation: Any, groups: int, data_format: str
    ) -> Any:
        space = shapes.spatial(x.shape, data_format)
        pairs = shapes.resolve_padding(padding, space, kernel.shape[:-2], strides, dilation)
        letters = _LETTERS[len(space)]
        images = f"N{letters}C" if data_format == "channels_last" else f"NC{letters}"
        return lax.conv_general_dilated(
            x, kernel, strides, pairs, rhs_dilation=dilation, feature_group_count=groups,
            dimension_numbers=(images, f"{letters}IO", images),
        )  # fmt: skip

    def transposed(self, fn: Callable[[Any], Any], shape: Any, g: Any) -> Any:
        return jax.linear_transpose(fn, jax.ShapeDtypeStruct(tuple(shape), g.dtype))(g)[0]

    max_pool, average_pool = staticmethod(pooling.max_pool), staticmethod(pooling.average_pool)

    def max_pool_gradient(self, x: Any, g: Any, **attrs: Any) -> Any:
        return jax.vjp(lambda x: self.max_pool(x, **attrs), x)[1](g)[0]

    def max_pool_pick(self, x: Any, y: Any, **attrs: Any) -> Any:
        return jax.jvp(lambda x: self.max_pool(x, **attrs), (x,), (y,))[1]

    # Loops -----------------------------------------------------------------------------------------------------

    def scan(self, fn: Any, init: list[Any], xs: list[Any], *, reverse: bool = False, length: int | None = None) -> Any:
        def step(carry: Any, x: Any) -> Any:
            carry, ys = fn(list(carry), list(x))
            return [jnp.asarray(n, o.dtype) for n, o in zip(carry, init)], list(ys)

        return lax.scan(step, list(init), list(xs), length=None if xs else length, reverse=reverse)

    def custom_gradient(self, fn: Any, args: Any) -> Any:
        results, outer = jax.closure_convert(lambda *args: list(fn(*args)[0]), *args)
        upstream = jax.eval_shape(results, *args, *outer)
        flows, kept = jax.closure_convert(lambda args, g: fn(*args)[1](*g), args, upstream)
        if not outer and not kept:
            return jax.custom_gradient(lambda *args: _ruled(*fn(*args)))(*args)

        # JAX refuses what is closed over while it differentiates for it: here it becomes an argument.
        def whole(args: Any, outer: Any, kept: Any) -> Any:
            return _ruled(results(*args, *outer), lambda *g: (flows(args, list(g), *kept), None, None))

        return jax.custom_gradient(whole)(list(args), outer, kept)

    def recompute(self, fn: Any, args: Any, captured: Any) -> Any:
        return jax.checkpoint(lambda xs, outer: list(fn(xs, outer)))(list(args), captured)

    def barrier(self, xs: Any, after: Any) -> Any:
        return lax.optimization_barrier((list(xs), list(after)))[0]

    # Noise ---------------------------------------------------------------------------------------------------

    def engine_uniform(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        low, high = np.zeros((), _DTYPES[dtype]), np.ones((), _DTYPES[dtype])  # Python's would be float64 here
        return jax.random.uniform(_key(seed, stream, counter), shape, _DTYPES[dtype], low, high)

    def engine_normal(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        return jax.random.normal(_key(seed, stream, counter), shape, _DTYPES[dtype])

    def from_host(self, fn: Callable[..., np.ndarray], xs: Sequence[Any], shape: Any, dtype: str) -> Any:
        made = jax.ShapeDtypeStruct(shape, _DTYPES[dtype])
        return jax.pure_callback(lambda *xs: np.asarray(fn(*xs), _DTYPES[dtype]), made, *xs)

    def host_print(self, x: Any, *, message: str, serial: int) -> Any:
        jax.debug.callback(functools.partial(self.show, message), x, ordered=True)
        return x

    def is_argument_error(self, error: Exception) -> bool:
        return type(error) is NotImplementedError or isinstance(error, TypeError)

    # Tensors in and out ----------------------------------------------------------------------------------------

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        if value.dtype.kind not in "biufcV":
            raise DtypeError(f"The jax backend has no tensors of dtype {dtypes.canonical(value.dtype)}.")
        # A private copy: on a CPU JAX would go on using the caller's memory.
        array = np.array(value, value.dtype.newbyteorder("=") if dtype is None else _DTYPES[dtype], order="C")
        return self._put(array)

    def _put(self, array: np.ndarray) -> Any:
        if not array.ndim and discovery.current_device() is None and self._is_host() and next(_NUMBERS) > _FEW:
            return _scalar()(array)  # the public call is slow
        # Bound to no device it may meet, in a `jit` of the user's own, tensors that lie on several.
        free = discovery.current_device() is None and not _in_processes()
        return jax.device_put(array, None if free else self._device())

    def copy(self, x: Any) -> Any:  # a donated buffer must not be shared
        return jnp.array(x, copy=True)

    def to_numpy(self, x: Any) -> np.ndarray:
        array = np.asarray(x)
        return array.astype("float32") if array.dtype.kind == "V" else array  # bfloat16, which NumPy does not know

    def import_tensor(self, value: Any, source: Any, dtype: str) -> Any:
        if source is not self and self.is_tensor(value):  # which lies on several devices
            value, source = source.to_numpy(value), None
        if source is not None and hasattr(value, "__dlpack__"):
            try:  # a copy on the device: the other engine may go on changing its tensor
                own = jnp.array(jax.dlpack.from_dlpack(value), _DTYPES[dtype], copy=True)
                return jax.device_put(own, self._device())
            except (RuntimeError, BufferError, TypeError, ValueError):
                pass  # what cannot travel directly goes through the host
        with jax.ensure_compile_time_eval():  # a variable may be read for the first time inside a loop that is traced
            return super().import_tensor(value, source, dtype)

    def share(self, value: Any) -> Any:
        return value if self.is_tensor(value) else jax.dlpack.from_dlpack(value, copy=False)

    def user_code(self) -> Any:
        return wide_scope()

    def literal(self, value: Any, dtype: str) -> Any:
        if discovery.owner(value) not in (None, self):
            self.convert(value)  # which says that it is another engine's
        return np.asarray(value, _DTYPES[dtype])  # becomes part of the compiled code

    def dtype_of(self, x: Any) -> str:
        return _NAMES.get(x.dtype) or dtypes.canonical(x.dtype)

    def float_dtypes(self) -> Sequence[Any]:
        return tuple(_DTYPES[name] for name in dtypes.FLOATS)

    def version(self) -> str:
        return jax.__version__

    def devices(self) -> list[str]:
        return [f"{_platform(d)}:{d.id}" for d in jax.local_devices() if d.platform != "cpu"] + ["cpu"]

    def _device(self) -> Any:
        wanted = discovery.current_device()
        return _first_device() if wanted is None else _find_device(wanted, self)

    def _is_host(self) -> bool:
        """Whether tensors lie where arrays do, so that compiled functions take these as they are."""
        return self._device().platform == "cpu"

    def _sent(self, arrays: Sequence[Any]) -> list[Any]:
        """Host arrays that a compiled function takes: on their way to a device that is not the host itself."""
        return list(arrays) if self._is_host() else [self._put(np.asarray(array)) for array in arrays]

    def block(self, values: Sequence[Any]) -> None:
        jax.block_until_ready(values)

    # Several devices -----------------------------------------------------------------------------------------

    def distributed(self, distribution: Any) -> Backend:
        return MeshJaxBackend(self, distribution)

    def distribution_devices(self, device_type: str | None = None) -> list[str]:
        return distributions.device_names(device_type)

    def initialize_processes(self, addresses: str | None, processes: int | None, process: int | None) -> None:
        distributions.join_processes(addresses, processes, process)

    engine_mesh = staticmethod(distributions.engine_mesh)

    def distribute_tensor(self, tensor: Any, layout: Any) -> Any:
        place = self.engine_mesh(layout.device_mesh, layout.axes)
        if isinstance(tensor, jax.core.Tracer):
            return lax.with_sharding_constraint(tensor, place)
        return jax.device_put(self.convert(tensor), place)

    # The verbs -----------------------------------------------------------------------------------------------

    def value_and_grad(self, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
        return jax.value_and_grad(fn, has_aux=True)(list(params), *rest)

    export_program = export.export_program

    def compile_program(self, program: Any) -> Callable[..., Any]:
        return compiled_call(program, self._jit)

    def lasts(self, value: Any) -> bool:
        return not isinstance(value, jax.core.Tracer)

    def compile_native(self, fn: Callable[..., Any], donate: Sequence[int] = ()) -> Callable[..., Any]:
        return wide(self._jit(fn, donate))

    def _jit(self, fn: Callable[..., Any], donate: Sequence[int] = (), **options: Any) -> Callable[..., Any]:
        return jax.jit(fn, donate_argnums=tuple(donate), **options)

    def _parts(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Tensors of a batch where they are computed on, within a function that is compiled."""
        return batch

    def supports_multi_step(self, program: Any) -> bool:
        # On a CPU convolutions take twenty times as long inside of a loop, and a large state a little longer.
        return not program.captures and not (self._is_host() and (_convolves(program) or _size(program) > _LARGE))

    def compile_multi_step(self, step: Any) -> Callable[..., Any]:
        """A loop whose length is an argument, so that it is compiled once, in no more time than a single step."""

        def loop(state: list[Any], data: list[Any], order: Any, count: Any) -> Any:
            def one(i: Any, state: Any) -> Any:
                rows = lax.dynamic_index_in_dim(order, i, 0, keepdims=False)
                batch = self._parts([jnp.take(array, rows, 0, mode="clip") for array in data])
                state, results = step.inline(list(state), list(batch))
                return list(state), results

            results = _results_of(step)
            if results is None:  # traced once more
                results = jax.eval_shape(one, 0, state)[1]
            start = list(state), jnp.zeros(results.shape, results.dtype)
            return lax.fori_loop(0, count, lambda i, carry: one(i, carry[0]), start)

        compiled = wide(self._jit(loop, (0,)))
        return lambda state, data, order, count: compiled(state, data, *self._sent([order, np.int32(count)]))

    def put_order(self, order: np.ndarray) -> Any:
        return order if order.ndim < 2 else self._sent(list(order))

    def rows(self, data: Sequence[Any], rows: Any) -> list[Any]:
        if self._is_host():  # compiled functions take arrays, and nothing is compiled for this
            return [np.take(np.asarray(array), rows, 0) for array in data]
        (rows,) = [rows] if self.is_tensor(rows) else self._sent([rows])
        return [_take_rows(array, rows) for array in data]

    def put_dataset(self, array: np.ndarray) -> Any:
        rows = _roomy(len(array))
        if rows == len(array):
            return self._put(array)  # no private copy: batches are
        room = np.zeros((rows, *array.shape[1:]), array.dtype)
        room[: len(array)] = array
        return self._put(room)

    supports_multi_batch = supports_multi_step

    def compile_multi_batch(self, step: Any) -> Callable[..., Any]:
        """A loop whose length is an argument and whose outputs lie in one tensor."""

        def loop(fixed: Any, state: Any, block: list[Any], count: Any, size: int, keep: bool) -> Any:
            def one(i: Any, state: Any) -> Any:
                batch = self._parts([lax.dynamic_slice_in_dim(array, i * size, size) for array in block])
                state, outputs = step.inline(list(fixed), list(state), list(batch))
                return list(state), outputs if keep else []

            def add(i: Any, carry: Any) -> Any:
                state, outputs = one(i, carry[0])
                put = lax.dynamic_update_slice_in_dim
                return state, [put(room, new, i * len(new), 0) for room, new in zip(carry[1], outputs, strict=True)]

            given, length = jax.eval_shape(one, 0, state)[1], len(block[0]) // size
            rooms = [jnp.zeros((length * o.shape[0], *o.shape[1:]), o.dtype) for o in given]
            return lax.fori_loop(0, count, add, (list(state), rooms))

        compiled = wide(self._jit(loop, (1,), static_argnums=(4, 5)))

        def run(fixed: Any, state: Any, block: Sequence[np.ndarray], count: int, size: int, keep: bool) -> Any:
            return compiled(fixed, state, self._sent(block), *self._sent([np.int32(count)]), size, keep)

        return run

    def argument(self, array: np.ndarray) -> Any:
        return array if _is_plain(array) and self._is_host() else self.convert(array)

    def put_batch(self, arrays: Sequence[np.ndarray], own: bool = False) -> list[Any]:
        held = np.array if self._is_host() else np.asarray  # steps run later, and the caller uses its memory again
        return [self.argument(held(array)) for array in arrays]

    def arguments_like(self, arrays: Sequence[np.ndarray]) -> Any:
        return list if all(map(_is_plain, arrays)) and self._is_host() else super().arguments_like(arrays)


def _is_plain(array: np.ndarray) -> bool:
    """Whether compiled functions take an array as it is, where tensors lie on the host."""
    return array.dtype.kind in "biufc" and array.dtype.isnative


class MeshJaxBackend(distributions.OnMesh, JaxBackend):
    """K on JAX under a distribution."""


_NUMBERS, _FEW = itertools.count(), 100  # what `_scalar` compiles takes as long as so many public calls


@functools.cache
def _scalar() -> Callable[[np.ndarray], Any]:
    """Makes a number a tensor, bound to a device as those are that come by `device_put`."""
    if not _in_processes():
        return jax.jit(lambda x: x)
    return jax.jit(lambda x: x, out_shardings=jax.sharding.SingleDeviceSharding(_first_device()))


@functools.cache
def _in_processes() -> bool:
    return jax.process_count() > 1


def _roomy(rows: int) -> int:
    """Rows for data of so many: few different numbers, as loops are compiled for each, and little in vain."""
    step = 1 << max(0, rows.bit_length() - 4)
    return -(-rows // step) * step


@jax.jit
def _take_rows(array: Any, rows: Any) -> Any:
    return jnp.take(array, rows, 0, mode="clip")


def _results_of(step: Any) -> Any:
    """Shape and dtype of what a training step reports, where one program says it."""
    programs = list(step.programs.values())
    result = programs[0].results[1] if len(programs) == 1 and programs[0] is not None else None
    if not isinstance(result, SymbolicTensor):
        return None
    return jax.ShapeDtypeStruct(result.shape, _DTYPES[result.dtype])


def _convolves(program: Any) -> bool:
    return any(
        OPS[line.op].facts.convolves or (line.body is not None and _convolves(line.body))
        for line in program.instructions
    )


def _size(program: Any) -> int:
    return sum(int(np.prod(t.shape)) for t in program.args[0])


@functools.lru_cache(maxsize=4096)
def _stream_key(seed: int, stream: int) -> np.ndarray:
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.random.key_data(_new_stream_key(seed, stream)))


def _new_stream_key(seed: Any, stream: int) -> Any:
    return jax.random.fold_in(jax.random.key(seed), np.uint32(stream))


def _key(seed: Any, stream: int, counter: Any) -> Any:
    if isinstance(seed, jax.core.Tracer):
        key = _new_stream_key(seed, stream)
    else:
        key = jax.random.wrap_key_data(_stream_key(int(seed), stream))
    return jax.random.fold_in(key, jnp.asarray(counter).astype("uint32"))


def _fits_attention(query: Any, key: Any, value: Any, bias: Any) -> bool:
    """Whether the fused kernel takes these: 16 bits, and heads as large as its tiles allow."""
    depth = query.shape[-1]
    small = depth == key.shape[-1] == value.shape[-1] and depth % 8 == 0 and depth <= 128
    return small and query.dtype in (jnp.float16, jnp.bfloat16) and (bias is None or bias.ndim == 4)


def _ruled(results: Any, rule: Any) -> Any:
    """Results and a rule that gets their gradients one by one, as floats.

    JAX has a type without values for the gradients of integers.
    """

    def back(upstream: Any) -> Any:
        return tuple(rule(*(jnp.zeros(g.shape, "float32") if g.dtype == jax.dtypes.float0 else g for g in upstream)))

    return list(results), back


def _check_values(indices: Any, size: int) -> None:
    """Raise WrongPlaceError for indices outside, as others do; within a compiled function they have no values yet."""
    if not isinstance(indices, jax.core.Tracer) and indices.size:
        indexing.check_range(np.asarray(indices), size)


def _platform(device: Any) -> str:
    return "cuda" if device.platform == "gpu" else device.platform


@functools.cache
def _first_device() -> Any:
    return jax.local_devices()[0]


@functools.lru_cache(maxsize=64)
def _find_device(wanted: str, backend: JaxBackend) -> Any:
    kind, _, number = wanted.partition(":")
    try:
        return jax.local_devices(backend="gpu" if kind == "cuda" else kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError):
        known = ", ".join(backend.devices())
        raise BackendError(f"The jax backend has no device {wanted!r}; there are: {known}.") from None
