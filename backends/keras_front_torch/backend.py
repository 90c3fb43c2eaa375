"""PyTorch as a backend: what differs between K and torch, and nothing else.

Every method runs eagerly and inside programs alike. Images are channels-last in memory, so a convolution sees a
permuted view of NHWC data (torch's `channels_last` memory format) and never a copy. Gradients are torch's own
(`autograd.grad`).
"""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils import checkpoint

from keras_front.backend import codegen, discovery, dtypes, seeds, shapes
from keras_front.backend.adapter import Backend, Positional, accumulates_in_single
from keras_front.backend.gradients import known_moments, with_rule
from keras_front.errors import BackendError, DtypeError
from keras_front_torch import autograd, compiler, export, fourier, host_scalars, recurrent, rewriting, transfers
from keras_front_torch.images import Images
from keras_front_torch.integers import Integers
from keras_front_torch.variables import WatchedVariables, meet_functions_of_torch

_DTYPES = {name: getattr(torch, name) for name in sorted(dtypes.ALL) if hasattr(torch, name)}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


_THRESHOLD_BACKWARD = torch.ops.aten.threshold_backward.default
_HARDTANH_BACKWARD = torch.ops.aten.hardtanh_backward.default
_SMALL = 1 << 16  # elements; up to here the step of a net of light ops is differentiated by the rules of K

_DIFFERENTIATING: ContextVar[bool] = ContextVar("differentiating", default=False)


class TorchBackend(Images, Integers, WatchedVariables, Backend):
    """K on PyTorch; see the module."""

    name = "torch"
    tensor_types = (torch.Tensor,)
    differentiates = True
    sizes_of_values = True
    fusions = rewriting.FUSIONS
    distributes = True

    def __init__(self) -> None:
        super().__init__()
        self._compiling: dict[Any, Any] = {}

    # Elementwise -------------------------------------------------------------------------------------------

    add, subtract, multiply, divide = torch.add, torch.subtract, torch.multiply, torch.divide
    power, maximum, minimum = torch.pow, torch.maximum, torch.minimum
    negative, abs, square = torch.neg, torch.abs, torch.square
    exp, expm1, log, log1p = torch.exp, torch.expm1, torch.log, torch.log1p
    square_root, rsqrt = torch.sqrt, torch.rsqrt
    sin, cos, tanh, sigmoid, erf = torch.sin, torch.cos, torch.tanh, torch.sigmoid, torch.erf
    arctan, arcsin, arccos, arccosh, arctan2 = torch.atan, torch.asin, torch.acos, torch.acosh, torch.atan2
    hypot, erfc, erfinv, exp2, i0 = torch.hypot, torch.erfc, torch.erfinv, torch.exp2, torch.i0
    bitwise_and, bitwise_or, bitwise_xor = torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor
    bitwise_not, left_shift, right_shift = torch.bitwise_not, torch.bitwise_left_shift, torch.bitwise_right_shift
    floor, ceil, round = torch.floor, torch.ceil, torch.round
    equal, not_equal, less, less_equal = torch.eq, torch.ne, torch.lt, torch.le
    greater, greater_equal = torch.gt, torch.ge
    isnan, isfinite = torch.isnan, torch.isfinite
    logical_and, logical_or, logical_not = torch.logical_and, torch.logical_or, torch.logical_not
    stop_gradient, silu = torch.Tensor.detach, F.silu

    def where(self, condition: Any, x: Any, y: Any) -> Any:  # torch's own takes booleans alone
        return torch.where(condition if condition.dtype is torch.bool else condition.bool(), x, y)

    def sign(self, x: Any) -> Any:  # torch gives NaN the sign 0
        return torch.where(x.isnan(), x, x.sign()) if x.is_floating_point() else x.sign()

    def cast(self, x: Any, *, dtype: str) -> Any:
        return x.to(_DTYPES[dtype])

    def relu(self, x: Any, *, alpha: Any, max_value: Any, threshold: Any) -> Any:
        if alpha == 0.0 and threshold == 0.0 and max_value is None:
            return torch.relu(x)
        return super().relu(x, alpha=alpha, max_value=max_value, threshold=threshold)

    # What `rewriting` writes for ops whose attributes it has settled; Python calls before torch's own are short ones.
    addmm, relu_plain, cast_to = torch.addmm, torch.relu, staticmethod(torch.Tensor.to)
    sum_over, mean_over, softmax_over, matrix_transpose = torch.sum, torch.mean, torch.softmax, torch.t

    @staticmethod
    def logits_loss(logits: Any, target: Any, *, reduction: int) -> Any:
        return torch.binary_cross_entropy_with_logits(logits, target, None, None, reduction)

    @staticmethod
    def cut(x: Any, *, lowest: float, highest: float) -> Any:
        return torch.clamp(x, lowest, highest)

    @staticmethod
    def cut_taped(x: Any, *, lowest: float, highest: float) -> Any:
        return F.hardtanh(x, lowest, highest)  # backwards one call, as against four of `clamp`

    @staticmethod
    def relu_gradient(g: Any, out: Any) -> Any:
        return _THRESHOLD_BACKWARD(g, out, 0)

    @staticmethod
    def clip_gradient(g: Any, x: Any, *, lowest: float, highest: float) -> Any:
        return _HARDTANH_BACKWARD(g, x, lowest, highest)

    def clip(self, x: Any, *, min_value: Any, max_value: Any) -> Any:
        if not isinstance(min_value, float | int) or not isinstance(max_value, float | int):
            return super().clip(x, min_value=min_value, max_value=max_value)
        return torch.clamp(x, min_value, max(min_value, max_value))  # torch takes the maximum if they are crossed

    def elu(self, x: Any, *, alpha: float) -> Any:
        return F.elu(x, alpha)

    def gelu(self, x: Any, *, approximate: bool) -> Any:
        return F.gelu(x, approximate="tanh" if approximate else "none")

    # Reductions: torch takes an empty tuple of axes for all of them, and sums small integers as int64 -----------

    @accumulates_in_single
    def sum(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x if axis == () else torch.sum(x, axis if x.ndim else _none(axis), keepdims, dtype=x.dtype)

    @accumulates_in_single
    def mean(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x if axis == () else torch.mean(x, axis if x.ndim else _none(axis), keepdims)

    def prod(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        for place in reversed(shapes.normalize_axes(axis, x.ndim)):  # one axis at a time is all torch has
            x = torch.prod(x, place, keepdims, dtype=x.dtype)
        return x

    def max(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x if axis == () else self._extreme("max", torch.amax, x, axis, keepdims)

    def min(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x if axis == () else self._extreme("min", torch.amin, x, axis, keepdims)

    def _extreme(self, name: str, method: Any, x: Any, axis: Any, keepdims: bool) -> Any:

        def run(x: Any, *, axis: Any, keepdims: bool) -> Any:
            return method(x, () if axis is None else axis if x.ndim else _none(axis), keepdims)

        # The engine's own gradient multiplies with 0, so that infinities become NaN.
        return (
            with_rule(self, name, run, x, axis=axis, keepdims=keepdims)
            if x.requires_grad
            else run(x, axis=axis, keepdims=keepdims)
        )

    def any(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.bool() if axis == () else torch.any(x.bool(), axis if x.ndim else _none(axis), keepdims)

    def all(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x.bool() if axis == () else torch.all(x.bool(), axis if x.ndim else _none(axis), keepdims)

    def argmax(self, x: Any, *, axis: int) -> Any:
        return torch.argmax(x if x.dtype != torch.bool else x.byte(), axis if x.ndim else _none(axis))

    def argmin(self, x: Any, *, axis: int) -> Any:
        return torch.argmin(x if x.dtype != torch.bool else x.byte(), axis if x.ndim else _none(axis))

    @accumulates_in_single
    def cumsum(self, x: Any, *, axis: int) -> Any:
        return torch.cumsum(x, axis if x.ndim else _none(axis), dtype=x.dtype)

    def cumprod(self, x: Any, *, axis: int) -> Any:
        return torch.cumprod(x, axis if x.ndim else _none(axis), dtype=x.dtype)

    @accumulates_in_single
    def logsumexp(self, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return x if axis == () else torch.logsumexp(x, shapes.normalize_axes(axis, x.ndim), keepdims)

    # Arrangement -------------------------------------------------------------------------------------------

    def symbolic_shape(self, x: Any) -> Any:
        return torch.tensor(x.shape, dtype=torch.int32)

    reshape = torch.reshape
    permute_dimensions, broadcast_to, expand_dims = map(
        Positional, (torch.permute, torch.broadcast_to, torch.unsqueeze)
    )
    concatenate, stack = Positional(torch.cat), Positional(torch.stack)

    def flip(self, x: Any, *, axes: Any) -> Any:
        return torch.flip(x, axes if x.ndim else _none(axes))

    def pad(self, x: Any, *, padding: Any, interior: Any, value: float) -> Any:
        if interior is not None and any(interior):
            shape, _ = shapes.pad(x, padding=padding, interior=interior)
            spaced = x.new_full(shape, value)
            ends = (lo + max(n * (gap + 1) - gap, 0) for n, (lo, _), gap in zip(x.shape, padding, interior))
            cut = tuple(slice(lo, end, gap + 1) for (lo, _), end, gap in zip(padding, ends, interior))
            return spaced.index_put((), x) if x.ndim == 0 else _placed(spaced, cut, x)
        return F.pad(x, [n for pair in reversed(padding) for n in pair], value=value)  # the last axis comes first

    def strided_slice(self, x: Any, *, start: Any, stop: Any, step: Any) -> Any:
        return x[tuple(map(slice, start, stop, step))]

    # Indexing ----------------------------------------------------------------------------------------------

    def gather(self, reference: Any, indices: Any, *, axis: int) -> Any:
        if indices.dtype not in (torch.int64, torch.int32):
            shapes.check_index_dtype(self.dtype_of(indices))
            indices = indices.long()
        if indices.ndim == 1:
            return torch.index_select(reference, axis, indices)
        axis = axis % reference.ndim
        rows = torch.index_select(reference, axis, indices.reshape(-1))
        return rows.reshape((*reference.shape[:axis], *indices.shape, *reference.shape[axis + 1 :]))

    def scatter_add(self, updates: Any, indices: Any, *, size: int, axis: int) -> Any:
        axis = axis % (updates.ndim - indices.ndim + 1)
        before, after = updates.shape[:axis], updates.shape[axis + indices.ndim :]
        rows = updates.reshape(*before, indices.numel(), *after)
        zeros = updates.new_zeros((*before, size, *after))
        return zeros.index_add_(axis, indices.reshape(-1).long(), rows)

    def take_along_axis(self, x: Any, indices: Any, *, axis: int) -> Any:
        axis = shapes.normalize_axis(axis, x.ndim)
        rest = shapes.broadcast(*((*t.shape[:axis], 1, *t.shape[axis + 1 :]) for t in (x, indices)))
        x, indices = (t.expand(*rest[:axis], t.shape[axis], *rest[axis + 1 :]) for t in (x, indices))
        return torch.gather(x, axis, indices.long())  # `take_along_dim` cuts indices that lie outside

    # Linear algebra and neural kernels -------------------------------------------------------------------------

    matmul = torch.matmul
    cholesky, det, householder_qr = torch.linalg.cholesky, torch.linalg.det, torch.linalg.qr

    @accumulates_in_single
    def softmax(self, x: Any, *, axis: int) -> Any:
        return torch.softmax(x, axis if x.ndim else _none(axis))

    @accumulates_in_single
    def log_softmax(self, x: Any, *, axis: int) -> Any:
        return torch.log_softmax(x, axis if x.ndim else _none(axis))

    def solve(self, a: Any, b: Any) -> Any:
        if b.ndim < a.ndim:  # torch could take it for a stack of vectors
            b = b.expand(*a.shape[: a.ndim - b.ndim], *b.shape)
        return torch.linalg.solve(a, b)

    def svd(self, x: Any) -> Any:
        return tuple(torch.linalg.svd(x, full_matrices=False))

    def triangular_solve(self, a: Any, b: Any, *, lower: bool) -> Any:
        return torch.linalg.solve_triangular(a, b, upper=not lower)

    def fft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return fourier.transformed(torch.fft.fft, real, imag, axis)

    def ifft(self, real: Any, imag: Any, *, axis: int) -> Any:
        return fourier.transformed(torch.fft.ifft, real, imag, axis)

    def rfft(self, x: Any, *, axis: int) -> Any:
        return fourier.of_real(x, axis)

    def dot_product_attention(
        self, query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, *, scale: Any, is_causal: bool
    ) -> Any:
        q, k, v = (t.transpose(1, 2) for t in (query, key, value))
        if mask is not None or (bias is not None and is_causal):  # torch takes one of the three
            q, bias, is_causal = *_masked(q, k, bias, mask, is_causal), False
        return F.scaled_dot_product_attention(q, k, v, bias, 0.0, is_causal, scale=scale).transpose(1, 2)

    def argsort(self, x: Any, *, axis: int, descending: bool) -> Any:
        return torch.argsort(x, dim=axis if x.ndim else _none(axis), descending=descending, stable=True)

    def linear(self, x: Any, kernel: Any, bias: Any) -> Any:
        return torch.addmm(bias, x, kernel)

    @accumulates_in_single
    def softmax_crossentropy(self, logits: Any, target: Any) -> Any:
        if logits.ndim != 2 or logits.shape != target.shape:  # torch wants the classes in axis 1
            return super().softmax_crossentropy(logits, target)
        return F.cross_entropy(logits, target, reduction="none")

    def sigmoid_crossentropy(self, logits: Any, target: Any) -> Any:
        if logits.shape != target.shape:
            return super().sigmoid_crossentropy(logits, target)
        return F.binary_cross_entropy_with_logits(logits, target, reduction="none")

    def clipped_sigmoid_crossentropy(self, logits: Any, target: Any, *, lowest: float, highest: float) -> Any:
        return self.sigmoid_crossentropy(self.cut_taped(logits, lowest=lowest, highest=highest), target)

    def clipped_softmax_crossentropy(self, logits: Any, target: Any, *, lowest: float) -> Any:
        return self.loss_of_scores(torch.log_softmax(logits, -1), target, lowest=lowest)

    @staticmethod
    def loss_of_scores(scores: Any, target: Any, *, lowest: float) -> Any:
        return torch.neg(torch.sum(target * torch.threshold(scores, lowest, lowest), -1))

    def layer_normalization(self, x: Any, gamma: Any = None, beta: Any = None, *, axes: Any, epsilon: float) -> Any:
        places = shapes.normalize_axes(axes, x.ndim)
        if places != tuple(range(places[0], x.ndim)):  # torch normalizes the last axes only
            return super().layer_normalization(x, gamma, beta, axes=axes, epsilon=epsilon)
        return F.layer_norm(x, x.shape[places[0] :], gamma, beta, epsilon)

    def batch_normalization(
        self, x: Any, mean: Any, var: Any, beta: Any = None, gamma: Any = None, *, axis: int, epsilon: float
    ) -> Any:
        if mean.ndim != 1 or mean.requires_grad or var.requires_grad:  # torch takes the statistics for constants
            return super().batch_normalization(x, mean, var, beta, gamma, axis=axis, epsilon=epsilon)
        y = F.batch_norm(torch.movedim(x, axis, 1), mean, var, gamma, beta, False, 0.0, epsilon)
        return torch.movedim(y, 1, axis)

    @accumulates_in_single
    def normalize_batch_in_training(
        self, x: Any, gamma: Any = None, beta: Any = None, *, reduction_axes: Any, epsilon: float,
        constant: bool = False,
    ) -> Any:  # fmt: skip
        axes = shapes.normalize_axes(reduction_axes, x.ndim)
        rest = [i for i in range(x.ndim) if i not in axes]
        count = x.numel() // max(x.shape[rest[0]], 1) if len(rest) == 1 else 0
        if count < 2:
            return super().normalize_batch_in_training(x, gamma, beta, reduction_axes=axes, epsilon=epsilon)
        # With a momentum of 1 the running statistics are those of this batch.
        mean, var = x.new_zeros(x.shape[rest[0]]), x.new_zeros(x.shape[rest[0]])
        if gamma is None:  # torch has no second derivative without it
            gamma = torch.ones_like(mean)
        y = torch.native_batch_norm(torch.movedim(x, rest[0], 1), gamma, beta, mean, var, True, 1.0, epsilon)[0]
        var = var * ((count - 1) / count)  # torch corrects for bias
        if not constant and x.requires_grad and torch.is_grad_enabled():  # `rewriting` sets it
            mean, var = known_moments(self, x, mean, var, axes)
        return torch.movedim(y, 1, rest[0]), mean, var

    def lstm(
        self, x: Any, h: Any, c: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, mask: Any = None, *,
        activation: str, recurrent_activation: str, reverse: bool,
    ) -> Any:  # fmt: skip
        if (activation, recurrent_activation) != ("tanh", "sigmoid"):
            return super().lstm(
                x, h, c, kernel, recurrent_kernel, bias, mask,
                activation=activation, recurrent_activation=recurrent_activation, reverse=reverse,
            )  # fmt: skip
        return recurrent.lstm(x, h, c, kernel, recurrent_kernel, bias, mask, reverse)

    def gru(
        self, x: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, mask: Any = None, *,
        activation: str, recurrent_activation: str, reset_after: bool, reverse: bool,
    ) -> Any:  # fmt: skip
        if (activation, recurrent_activation) != ("tanh", "sigmoid") or not reset_after:
            return super().gru(
                x, h, kernel, recurrent_kernel, bias, mask, activation=activation,
                recurrent_activation=recurrent_activation, reset_after=reset_after, reverse=reverse,
            )  # fmt: skip
        return recurrent.gru(x, h, kernel, recurrent_kernel, bias, mask, reverse)

    def simple_rnn(
        self, x: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, mask: Any = None, *,
        activation: str, reverse: bool,
    ) -> Any:  # fmt: skip
        if activation not in recurrent.SIMPLE:
            return super().simple_rnn(
                x, h, kernel, recurrent_kernel, bias, mask, activation=activation, reverse=reverse
            )  # fmt: skip
        return recurrent.simple_rnn(x, h, kernel, recurrent_kernel, bias, mask, activation, reverse)

    # Updates: the first form makes new tensors; programs whose state is donated use the second (see `rewriting`) ------

    def _rate(self, lr: Any) -> Any:
        """A learning rate as a number, where reading it waits for no device."""
        return lr.item() if lr.is_cpu else lr

    def sgd_update(self, params: Any, grads: Any, moments: Any, lr: Any, *, momentum: float, nesterov: bool) -> Any:
        owned = [p.clone() for p in params], [m.clone() for m in moments]
        return self.sgd_update_in_place(owned[0], grads, owned[1], lr, momentum=momentum, nesterov=nesterov)

    def sgd_update_in_place(
        self, params: Any, grads: Any, moments: Any, lr: Any, *, momentum: float, nesterov: bool
    ) -> Any:
        rate = self._rate(lr)
        if not moments:
            _descend(params, grads, rate)
            return params, moments
        torch._foreach_mul_(moments, momentum)
        _descend(moments, grads, rate)
        torch._foreach_add_(params, moments, alpha=momentum if nesterov else 1.0)
        if nesterov:
            _descend(params, grads, rate)
        return params, moments

    def rmsprop_update(self, params: Any, grads: Any, squares: Any, lr: Any, *, rho: float, epsilon: float) -> Any:
        owned = [p.clone() for p in params], [s.clone() for s in squares]
        return self.rmsprop_update_in_place(owned[0], grads, owned[1], lr, rho=rho, epsilon=epsilon)

    def rmsprop_update_in_place(
        self, params: Any, grads: Any, squares: Any, lr: Any, *, rho: float, epsilon: float
    ) -> Any:
        torch._foreach_mul_(squares, rho)
        torch._foreach_addcmul_(squares, grads, grads, 1 - rho)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_add_(roots, epsilon)
        torch._foreach_sub_(params, torch._foreach_div(torch._foreach_mul(grads, self._rate(lr)), roots))
        return params, squares

    def adam_update(
        self, params: Any, grads: Any, ms: Any, vs: Any, vhats: Any, lr: Any, t: Any, *, beta_1: float, beta_2: float,
        epsilon: float,
    ) -> Any:  # fmt: skip
        owned = ([x.clone() for x in xs] for xs in (params, ms, vs, vhats))
        params, ms, vs, vhats = owned
        return self.adam_update_in_place(
            params, grads, ms, vs, vhats, lr, t, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon
        )

    def adam_update_in_place(
        self, params: Any, grads: Any, ms: Any, vs: Any, vhats: Any, lr: Any, t: Any, *, beta_1: float, beta_2: float,
        epsilon: float,
    ) -> Any:  # fmt: skip
        # torch adds epsilon to the root of the corrected mean square, K to that of the plain one: hence the division.
        grads = [g if g.is_contiguous() else g.contiguous() for g in grads]  # the kernel goes by memory order
        rate, count = self._rate(lr), float(t)  # a host tensor's; as an argument of a kernel it needs no copy
        if not isinstance(rate, float) and rate.dtype != torch.float32:  # the kernel of CUDA takes no other
            return compiler.adam_by_tensors(params, grads, ms, vs, vhats, rate, count, beta_1, beta_2, epsilon)
        steps = [torch.full((), count, dtype=torch.float32, device=params[0].device)] * len(params)
        torch._fused_adam_(
            params, grads, ms, vs, vhats, steps, lr=rate, beta1=beta_1, beta2=beta_2, weight_decay=0.0,
            eps=epsilon / (1 - beta_2**count) ** 0.5, amsgrad=bool(vhats), maximize=False,
        )  # fmt: skip
        return params, ms, vs, vhats

    def custom_gradient(self, fn: Any, args: Any) -> Any:
        return list(autograd.Attached.apply(fn, *args)) if torch.is_grad_enabled() else list(fn(*args)[0])

    def recompute(self, fn: Any, args: Any, captured: Any) -> Any:
        if not torch.is_grad_enabled():
            return list(fn(args, captured))
        if captured is None:  # torch's own: gradients flow to what the function closes over, too
            return checkpoint.checkpoint(
                lambda *xs: list(fn(list(xs), None)), *args, use_reentrant=False, preserve_rng_state=False
            )
        n = len(args)  # torch's own would import its compiler when it is first called, which takes seconds
        return self.custom_gradient(autograd.recomputed(lambda xs: list(fn(xs[:n], xs[n:]))), [*args, *captured])

    # Noise ---------------------------------------------------------------------------------------------------

    def engine_uniform(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        source = self._generator(seed, stream, counter)
        return torch.rand(shape, dtype=_DTYPES[dtype], generator=source, device=self._device())

    def engine_normal(self, counter: Any, seed: Any, *, shape: Any, dtype: str, stream: int) -> Any:
        source = self._generator(seed, stream, counter)
        return torch.randn(shape, dtype=_DTYPES[dtype], generator=source, device=self._device())

    def keep_mask(self, counter: Any, seed: Any, *, shape: Any, rate: float, dtype: str, stream: int) -> Any:
        if seeds.reproducible():
            return super().keep_mask(counter, seed, shape=shape, rate=rate, dtype=dtype, stream=stream)
        source = self._generator(seed, stream, counter)
        noise = torch.empty(shape, dtype=_DTYPES[dtype], device=self._device()).uniform_(generator=source)
        return noise.ge_(rate).mul_(1 / (1 - rate))

    def _generator(self, seed: Any, stream: int, counter: Any) -> torch.Generator:
        """A generator that starts at all three. Seed and counter are host tensors, so reading one does not wait."""
        return transfers.source(self._device(), _mixed(int(seed), stream, int(counter)))

    def is_argument_error(self, error: Exception) -> bool:
        refused = type(error) in (RuntimeError, NotImplementedError, torch.linalg.LinAlgError)
        return refused and not any(words in str(error) for words in _NO_ARGUMENTS)

    # Tensors in and out ----------------------------------------------------------------------------------------

    def asarray(self, value: Any, dtype: str | None = None) -> Any:
        wanted = np.dtype("float32" if dtype == "bfloat16" else dtype or value.dtype.newbyteorder("="))
        if wanted.kind not in "biufc":
            raise DtypeError(f"The torch backend has no tensors of dtype {dtypes.canonical(wanted)}.")
        # Counters (integers without axes) stay on the host: reading one never waits for the device.
        counts = not value.shape and wanted.kind in "iu"
        tensor = transfers.placed(value, wanted, transfers.HOST if counts else self._device())
        return tensor.bfloat16() if dtype == "bfloat16" else tensor

    def to_numpy(self, x: Any) -> np.ndarray:
        return (x.float() if x.dtype == torch.bfloat16 else x).numpy(force=True)

    def import_tensor(self, value: Any, source: Any, dtype: str) -> Any:
        if source is not None and hasattr(value, "__dlpack__"):
            try:  # a copy on the device: other engines believe that their tensors never change
                return torch.from_dlpack(value).to(self._device(), _DTYPES[dtype], copy=True)
            except (RuntimeError, BufferError, TypeError, ValueError):
                pass  # what cannot travel directly goes through the host
        return super().import_tensor(value, source, dtype)

    def share(self, value: Any) -> Any:
        return value if self.is_tensor(value) else torch.from_dlpack(value)

    def dtype_of(self, x: Any) -> str:
        return _NAMES.get(x.dtype) or dtypes.canonical(x.dtype)

    def float_dtypes(self) -> Sequence[Any]:
        return torch.float16, torch.bfloat16, torch.float32, torch.float64

    def version(self) -> str:
        return torch.__version__

    def devices(self) -> list[str]:
        return [*(f"cuda:{i}" for i in range(torch.cuda.device_count())), "cpu"]

    def _device(self) -> torch.device:
        wanted = discovery.current_device()
        if wanted is None:
            return _BEST
        try:
            device = torch.device(wanted.replace("gpu", "cuda"))
        except RuntimeError:
            device = None
        if device is None or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
            raise BackendError(f"The torch backend has no device {wanted!r}; there are: {', '.join(self.devices())}.")
        return device

    def distributed(self, distribution: Any) -> Any:
        if hasattr(distribution, "layout_map"):
            from keras_front_torch.mesh import on_mesh

            return on_mesh(self, distribution)
        from keras_front_torch.processes import Processes  # torch.distributed takes time to import

        return type("DistributedTorch", (Processes, type(self)), {})(self, distribution)

    def distribution_devices(self, device_type: str | None = None) -> list[str]:
        from keras_front_torch.processes import devices

        return devices(device_type)

    def initialize_processes(self, addresses: str | None, processes: int | None, process: int | None) -> None:
        from keras_front_torch.processes import initialize

        initialize(addresses, processes, process)

    def launch_processes(self, command: Sequence[str], processes: int) -> int:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        return subprocess.run([*launcher, "--no-python", *command], check=False).returncode

    def block(self, values: Sequence[Any]) -> None:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()

    # The verbs -----------------------------------------------------------------------------------------------

    def value_and_grad(self, fn: Callable[..., Any], params: Sequence[Any], *rest: Any) -> Any:
        inner = _DIFFERENTIATING.get()  # inside of another one: what is computed here is itself differentiated
        leaves = [p.view_as(p) if inner and p.requires_grad else p.detach().requires_grad_() for p in params]
        token = _DIFFERENTIATING.set(True)
        try:
            with torch.enable_grad():
                loss, aux = fn(leaves, *rest)
        finally:
            _DIFFERENTIATING.reset(token)
        if not loss.requires_grad:
            return (loss, aux), [torch.zeros_like(p) for p in params]
        grads = torch.autograd.grad(loss, leaves, create_graph=inner, allow_unused=True, materialize_grads=True)
        return ((loss, aux) if inner else (loss.detach(), autograd.detached(aux))), list(grads)

    def watched(self, values: Sequence[Any]) -> list[Any]:
        return [x.detach().requires_grad_() if x.is_floating_point() else x for x in values]

    def unwatched(self, values: Sequence[Any]) -> list[Any]:
        return [x.detach() if x.requires_grad else x for x in values]

    def after_fork(self) -> None:
        torch.set_num_threads(1)  # a child does not have the pool for more, and would wait for it

    def release_memory(self) -> None:
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def copy(self, x: Any) -> Any:
        return x.detach().clone()

    def prefers_rules(self, record: Sequence[Any]) -> bool:
        """For small dense nets: the tape of autograd costs about 200 microseconds a step, more than their own work."""
        return self._device().type == "cpu" and all(
            o.op.facts.light and all(math.prod(t.shape) <= _SMALL for t in o.outputs) for o in record
        )

    def rewritten(self, program: Any) -> Any:
        program = rewriting.rewritten(program)
        return program if self._device().type == "cpu" else host_scalars.kept_on_host(program)

    def with_compiler(self, how: Any) -> Any:
        if self.placement is not None:  # processes talk to each other within a step
            return self
        if how not in self._compiling:
            own = copy.copy(self)  # which has the same tensors
            own.__class__ = type("CompilingTorch", (compiler.Compiling, type(self)), {"how": how})
            self._compiling[how] = own
        return self._compiling[how]

    export_program = export.export_program

    def compile_program(self, program: Any) -> Callable[..., Any]:
        run, recording, record = codegen.function_of(program), torch.is_grad_enabled, torch._C._set_grad_enabled

        def unrecorded(*args: Any) -> Any:  # `no_grad` as a decorator makes two objects and six calls each time
            was = recording()
            record(False)
            try:
                return run(*args)
            finally:
                record(was)

        return unrecorded

    def put_order(self, order: np.ndarray) -> Any:
        index = torch.from_numpy(np.ascontiguousarray(order))
        return order if self._device().type == "cpu" else index.to(self._device())

    def rows(self, data: Sequence[Any], rows: Any) -> list[Any]:
        index = rows if isinstance(rows, torch.Tensor) else torch.from_numpy(np.ascontiguousarray(rows))
        if data and index.device != data[0].device:
            index = index.to(data[0].device)
        return [torch.index_select(a, 0, index) for a in data]

    def joined(self, tensors: Sequence[Any]) -> np.ndarray:
        return self.to_numpy(torch.cat([torch.atleast_1d(t) for t in tensors] if not tensors[0].ndim else tensors))

    def put_dataset(self, array: np.ndarray) -> Any:
        return self.argument(array)  # no copy: batches are

    def batches(self, arrays: Sequence[np.ndarray], size: int) -> Iterator[Sequence[Any]]:
        return transfers.blocks(arrays, size, self.argument, whole=self._device().type == "cpu")

    def argument(self, array: np.ndarray) -> Any:
        plain = array.flags.forc and array.dtype.kind in "biufc" and array.dtype.isnative
        return transfers.seen(array) if plain and self._device().type == "cpu" else self.convert(array)

    def arguments_like(self, arrays: Sequence[np.ndarray]) -> Any:
        plain = all(array.dtype.kind in "biufc" and array.dtype.isnative for array in arrays)
        if not plain or self._device().type != "cpu":
            return super().arguments_like(arrays)
        return lambda arrays: [transfers.seen(a) if a.flags.forc else self.convert(a) for a in arrays]


meet_functions_of_torch()

for _name, _function in rewriting.IN_PLACE.items():  # what is written where the first argument may be overwritten
    setattr(TorchBackend, f"{_name}_in_place", staticmethod(_function))


# What stands in errors that no argument is the cause of.
_NO_ARGUMENTS = ("allocate memory", "out of memory", "CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS", "CUSOLVER_STATUS")

_BEST = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _masked(q: Any, k: Any, bias: Any, mask: Any, is_causal: bool) -> Any:
    """Queries, and what torch adds to their scores, from a mask and a bias.

    A query that may see nothing becomes zero and sees all: a mean, where torch would have zeros.
    """
    if is_causal:
        seen = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
        mask = seen if mask is None else mask.bool() & seen
    mask = mask.bool()
    sees = mask.any(-1, keepdim=True)
    mask = mask | ~sees
    if bias is None:
        return q * sees, mask
    return q * sees, torch.where(mask, bias * sees, -float("inf"))


def _none(axis: Any) -> Any:
    """The axis of a tensor that has none. Raises: ShapeError if it is one, of which torch takes 0 and -1."""
    return None if axis is None else shapes.normalize_axes(axis, 0)


def _mixed(seed: int, stream: int, counter: int) -> int:
    """One seed from three numbers: the finalizer of SplitMix64 (Steele et al., 2014) after each."""
    h = 0
    for part in (seed, stream, counter):
        h = (h + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        h ^= h >> 31
    return h >> 1


def _descend(tensors: Any, grads: Any, rate: Any) -> None:
    if isinstance(rate, float):
        torch._foreach_add_(tensors, grads, alpha=-rate)
    else:
        torch._foreach_sub_(tensors, torch._foreach_mul(grads, rate))


def _placed(target: Any, cut: tuple[slice, ...], x: Any) -> Any:
    target[cut] = x
    return target
