"""What composites mean, in plain NumPy float64, written without looking at their bodies."""

from __future__ import annotations

import math
import statistics

import numpy as np

from keras_front.testing import reference as ref

EPSILON = 1e-7


def softmax(x, axis=-1):
    raised = np.exp(x - np.max(x, axis, keepdims=True))
    return raised / raised.sum(axis, keepdims=True)


def log_softmax(x, axis=-1):
    top = x.max(axis, keepdims=True)
    return x - top - np.log(np.exp(x - top).sum(axis, keepdims=True))


def sigmoid_crossentropy(logits, target):
    p = ref.sigmoid(logits)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def clipped_softmax_crossentropy(logits, target, lowest):
    return -(target * np.maximum(log_softmax(logits), lowest)).sum(-1)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if from_logits:
        return -(target * log_softmax(output, axis)).sum(axis)
    output = np.clip(output / output.sum(axis, keepdims=True), EPSILON, 1 - EPSILON)
    return -(target * np.log(output)).sum(axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    output = np.moveaxis(output, axis, -1)
    target = target.reshape(output.shape[:-1]).astype(int)
    hot = np.eye(output.shape[-1])[target]
    return categorical_crossentropy(hot, output, from_logits)


def binary_crossentropy(target, output, from_logits=False):
    if from_logits:
        return sigmoid_crossentropy(output, target)
    return clipped_binary_crossentropy(output, target, 2 * EPSILON, 2 * EPSILON)


def clipped_binary_crossentropy(output, target, least, rest):
    return -(target * np.log(np.maximum(output, least)) + (1 - target) * np.log(np.maximum(1 - output, rest)))


def clipped_sigmoid_crossentropy(logits, target, lowest, highest):
    return sigmoid_crossentropy(np.clip(logits, lowest, highest), target)


def clip_gradient(g, x, lowest, highest):
    return np.where((x > lowest) & (x < highest), g, 0)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    high = np.where(x > threshold, x, 0)
    if max_value is not None:
        high = np.minimum(high, max_value)
    return np.where(x < threshold, alpha * (x - threshold), high)


def gelu(x, approximate=False):
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * 0.5 * (1 + ref.erf(x / np.sqrt(2)))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def logsumexp(x, axis=None, keepdims=False):
    return np.log(np.exp(x).sum(axis=ref.axes_of(axis, x.ndim), keepdims=keepdims))


def l2_normalize(x, axis=None):
    return x / np.sqrt(np.maximum((x * x).sum(axis=ref.axes_of(axis, x.ndim), keepdims=True), 1e-12))


# Linear algebra ------------------------------------------------------------------------------------------------


def dot(x, y):
    return x * y if not x.ndim or not y.ndim else np.dot(x, y)


def batch_dot(x, y, axes=None):
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    a, b = (axes, axes) if isinstance(axes, int) else axes
    rows = [np.tensordot(p, q, ([a % x.ndim - 1], [b % y.ndim - 1])) for p, q in zip(x, y)]
    result = np.stack(rows)
    return result[:, None] if result.ndim == 1 else result


def qr(x):
    q, r = np.linalg.qr(x)
    sign = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return q * sign[..., None, :], r * sign[..., :, None]


def attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False):
    scores = np.einsum("bthd,bshd->bhts", query, key) * (scale or 1 / math.sqrt(query.shape[-1]))
    scores = scores if bias is None else scores + bias
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    if is_causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    return np.einsum("bhts,bshe->bthe", softmax(scores), value)


# Normalization -------------------------------------------------------------------------------------------------


def batch_normalization(x, mean, var, beta=None, gamma=None, axis=-1, epsilon=1e-3):
    wide = [1] * x.ndim
    wide[axis] = -1
    mean, var, beta, gamma = (None if t is None else t.reshape(wide) for t in (mean, var, beta, gamma))
    return (x - mean) / np.sqrt(var + epsilon) * (1 if gamma is None else gamma) + (0 if beta is None else beta)


def moments(x, axes, keepdims=False):
    axes = ref.axes_of(tuple(axes) if isinstance(axes, list) else axes, x.ndim)
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def normalize_batch(x, gamma, beta, reduction_axes, epsilon=1e-3):
    mean, var = moments(x, tuple(reduction_axes), keepdims=True)
    wide = mean.shape
    y = (x - mean) / np.sqrt(var + epsilon)
    y = y * (1 if gamma is None else gamma.reshape(wide)) + (0 if beta is None else beta.reshape(wide))
    return y, *moments(x, tuple(reduction_axes))


def layer_normalization(x, gamma=None, beta=None, axes=-1, epsilon=1e-3):
    axes = ref.axes_of(axes, x.ndim)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    wide = [d if i in axes else 1 for i, d in enumerate(x.shape)]
    return y * (1 if gamma is None else gamma.reshape(wide)) + (0 if beta is None else beta.reshape(wide))


def group_normalization(x, gamma=None, beta=None, groups=32, axis=-1, epsilon=1e-3):
    moved = np.moveaxis(x, axis, -1)
    parts = []
    for part in np.split(moved, groups, -1):
        axes = tuple(range(1, part.ndim))
        parts.append((part - part.mean(axes, keepdims=True)) / np.sqrt(part.var(axes, keepdims=True) + epsilon))
    y = np.concatenate(parts, -1) * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    return np.moveaxis(y, -1, axis)


# Arrangement and images ----------------------------------------------------------------------------------------


def surrounded(x, padding, data_format=None):
    pairs = [(0, 0), (0, 0), *padding] if data_format == "channels_first" else [(0, 0), *padding, (0, 0)]
    return np.pad(x, pairs)


def classic_conv(n, transposed=False):
    def several(value):
        return (value,) * n if isinstance(value, int) else tuple(value)

    def conv(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1):
        gaps = several(dilation_rate)
        if padding == "causal":
            padding = ((gaps[0] * (kernel.shape[0] - 1), 0),)
        return ref.conv(x, kernel, several(strides), padding, gaps, groups, data_format or "channels_last")

    def back(x, kernel, output_shape, strides=1, padding="valid", data_format=None, dilation_rate=1):
        shape = (x.shape[0], *output_shape[1:])
        attrs = several(strides), padding, several(dilation_rate), 1, data_format or "channels_last"
        return ref.conv_input_gradient(x, kernel, shape, *attrs)

    return back if transposed else conv


def depthwise(x, kernel, **attrs):
    depth, multiplier = kernel.shape[-2:]
    n = kernel.ndim - 2
    return classic_conv(n)(x, kernel.reshape(*kernel.shape[:-2], 1, depth * multiplier), groups=depth, **attrs)


def separable(x, kernel, point, **attrs):
    return classic_conv(kernel.ndim - 2)(depthwise(x, kernel, **attrs), point, data_format=attrs.get("data_format"))


def classic_pool(n):
    def several(value):
        return (value,) * n if isinstance(value, int) else tuple(value)

    def pool(x, pool_size, strides=1, padding="valid", data_format=None, pool_mode="max"):
        fn = ref.max_pool if pool_mode == "max" else ref.average_pool
        attrs = {"pool_size": several(pool_size), "strides": several(strides), "padding": padding}
        return fn(x, **attrs, data_format=data_format or "channels_last")

    return pool


def patches(x, size, strides, padding="valid", dilation=None, data_format=None):
    rows = (x.shape[1] - size[0]) // strides[0] + 1
    columns = (x.shape[2] - size[1]) // strides[1] + 1
    cut = [
        [
            x[:, i * strides[0] : i * strides[0] + size[0], j * strides[1] : j * strides[1] + size[1]]
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    return np.stack([np.stack([p.reshape(len(x), -1) for p in row], 1) for row in cut], 1)


def local_conv(x, kernel, kernel_size, strides, output_shape, data_format=None):
    if len(kernel_size) == 1:
        wide = local_conv(x[:, None], kernel, (1, *kernel_size), (1, *strides), (1, *output_shape))
        return wide[:, 0]
    cut = patches(x, kernel_size, strides)
    flat = cut.reshape(len(x), -1, cut.shape[-1])
    return np.einsum("bpi,pif->bpf", flat, kernel).reshape(len(x), *output_shape, -1)


# Recurrence and updates ----------------------------------------------------------------------------------------


def _hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def lstm_sequence(z, h, c, recurrent_kernel, mask=None, activation="tanh", recurrent_activation="sigmoid"):
    outputs, out = [], np.zeros_like(h)
    for t, row in enumerate(z):
        i, f, g, o = np.split(row + h @ recurrent_kernel, 4, -1)
        gate = ref.sigmoid if recurrent_activation == "sigmoid" else _hard_sigmoid
        new_c = gate(f) * c + gate(i) * np.tanh(g)
        new_h = gate(o) * np.tanh(new_c)
        keep = np.ones((len(h), 1), bool) if mask is None else mask[t][:, None]
        h, c, out = np.where(keep, new_h, h), np.where(keep, new_c, c), np.where(keep, new_h, out)
        outputs.append(out)
    return np.stack(outputs), h, c


def lstm(x, h, c, kernel, recurrent_kernel, bias=None, mask=None, reverse=False, **attrs):
    z, marks = _projected(x, kernel, bias, mask, reverse)
    outputs, h, c = lstm_sequence(z, h, c, recurrent_kernel, marks)
    return np.swapaxes(outputs, 0, 1), h, c


def _projected(x, kernel, bias, mask, reverse):
    z = np.swapaxes(x @ kernel + (0 if bias is None else bias), 0, 1)
    marks = None if mask is None else mask.T
    return (z[::-1], None if marks is None else marks[::-1]) if reverse else (z, marks)


def conv_lstm_sequence(z, h, c, recurrent_kernel, mask=None, data_format="channels_last", **attrs):
    """By products alone: the convolution with padding 'same' as a matrix over whole images."""
    if data_format == "channels_first":
        z, h, c = (np.moveaxis(t, n, -1) for t, n in ((z, 2), (h, 1), (c, 1)))
    filters = h.shape[-1]
    flat = [t.reshape(*t.shape[:n], -1, t.shape[-1]) for t, n in ((z, 2), (h, 1), (c, 1))]
    places = list(np.ndindex(*h.shape[1:-1]))
    window = recurrent_kernel.shape[:-2]
    matrix = np.zeros((len(places), filters, len(places), 4 * filters))
    for to, place in enumerate(places):
        for offset in np.ndindex(*window):
            source = tuple(p + o - (w - 1) // 2 for p, o, w in zip(place, offset, window))
            if source in places:
                matrix[places.index(source), :, to] = recurrent_kernel[offset]
    z, h, c = flat
    outputs, out = [], np.zeros_like(h)
    for t, row in enumerate(z):
        i, f, g, o = np.split(row + np.einsum("bpf,pfqg->bqg", h, matrix), 4, -1)
        new_c = ref.sigmoid(f) * c + ref.sigmoid(i) * np.tanh(g)
        new_h = ref.sigmoid(o) * np.tanh(new_c)
        keep = np.ones((len(h), 1, 1), bool) if mask is None else mask[t][:, None, None]
        h, c, out = np.where(keep, new_h, h), np.where(keep, new_c, c), np.where(keep, new_h, out)
        outputs.append(out)
    shape = (len(h), *(max(p[n] for p in places) + 1 for n in range(len(window))), filters)
    found = [np.stack(outputs).reshape(-1, *shape), h.reshape(shape), c.reshape(shape)]
    if data_format == "channels_first":
        found = [np.moveaxis(t, -1, n) for t, n in zip(found, (2, 1, 1))]
    return tuple(found)


def gru_sequence(z, h, recurrent_kernel, bias=None, mask=None, reset_after=False, **attrs):
    outputs, out = [], np.zeros_like(h)
    for t, row in enumerate(z):
        x_z, x_r, x_h = np.split(row, 3, -1)
        u_z, u_r, u_h = np.split(recurrent_kernel, 3, -1)
        update, reset = ref.sigmoid(x_z + h @ u_z), ref.sigmoid(x_r + h @ u_r)
        bias = 0 if bias is None else bias
        candidate = np.tanh(x_h + (reset * (h @ u_h + bias) if reset_after else (reset * h) @ u_h + bias))
        new = update * h + (1 - update) * candidate
        keep = np.ones((len(h), 1), bool) if mask is None else mask[t][:, None]
        h, out = np.where(keep, new, h), np.where(keep, new, out)
        outputs.append(out)
    return np.stack(outputs), h


def gru(x, h, kernel, recurrent_kernel, bias=None, mask=None, reset_after=False, reverse=False, **attrs):
    units, of_state = h.shape[-1], None
    if bias is not None and bias.ndim == 2:
        of_state = bias[1, 2 * units :]
        bias = bias[0] + np.concatenate([bias[1, : 2 * units], 0 * of_state])
    z, marks = _projected(x, kernel, bias, mask, reverse)
    outputs, h = gru_sequence(z, h, recurrent_kernel, of_state, marks, reset_after)
    return np.swapaxes(outputs, 0, 1), h


def simple_rnn_sequence(z, h, recurrent_kernel, mask=None, **attrs):
    outputs, out = [], np.zeros_like(h)
    for t, row in enumerate(z):
        new = np.tanh(row + h @ recurrent_kernel)
        keep = np.ones((len(h), 1), bool) if mask is None else mask[t][:, None]
        h, out = np.where(keep, new, h), np.where(keep, new, out)
        outputs.append(out)
    return np.stack(outputs), h


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None, mask=None, reverse=False, **attrs):
    z, marks = _projected(x, kernel, bias, mask, reverse)
    outputs, h = simple_rnn_sequence(z, h, recurrent_kernel, marks)
    return np.swapaxes(outputs, 0, 1), h


def sgd(params, grads, moments, lr, momentum=0.0, nesterov=False):
    if not moments:
        return [p - lr * g for p, g in zip(params, grads)], []
    new = [momentum * m - lr * g for m, g in zip(moments, grads)]
    return [p + (momentum * v - lr * g if nesterov else v) for p, v, g in zip(params, new, grads)], new


def rmsprop(params, grads, squares, lr, rho=0.9, epsilon=1e-7):
    new = [rho * a + (1 - rho) * g * g for a, g in zip(squares, grads)]
    return [p - lr * g / (np.sqrt(a) + epsilon) for p, g, a in zip(params, grads, new)], new


def adam(params, grads, ms, vs, vhats, lr, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    rate = lr * np.sqrt(1 - beta_2 ** float(t)) / (1 - beta_1 ** float(t))
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, grads)]
    vs = [beta_2 * v + (1 - beta_2) * g * g for v, g in zip(vs, grads)]
    vhats = [np.maximum(a, b) for a, b in zip(vhats, vs)]
    tops = vhats or vs
    return [p - rate * m / (np.sqrt(v) + epsilon) for p, m, v in zip(params, ms, tops)], ms, vs, vhats


def truncated_normal_quantile(p):
    """Of a normal distribution cut at two deviations, by the standard library."""
    normal = statistics.NormalDist()
    low, high = normal.cdf(-2), normal.cdf(2)
    return np.array([normal.inv_cdf(low + q * (high - low)) for q in p.ravel()]).reshape(p.shape)


# Paths ---------------------------------------------------------------------------------------------------------


def ctc_cost(y_true, y_pred, input_length, label_length):
    """By adding up the probabilities of all paths."""
    result = []
    for labels, p, time, n in zip(y_true, y_pred, input_length.ravel(), label_length.ravel()):
        p = (p + EPSILON) / (p + EPSILON).sum(-1, keepdims=True)
        total, blank = 0.0, p.shape[-1] - 1
        for path in np.ndindex(*[p.shape[-1]] * int(time)):
            merged = [c for i, c in enumerate(path) if c != blank and (i == 0 or path[i - 1] != c)]
            if merged == list(labels[: int(n)]):
                total += np.prod(p[range(int(time)), path])
        result.append([-np.log(total)])
    return np.array(result)


def best_path(y_pred, input_length):
    blank = y_pred.shape[-1] - 1
    decoded = np.full(y_pred.shape[:2], -1, "int64")
    score = np.zeros((len(y_pred), 1))
    for i, (p, time) in enumerate(zip(y_pred, input_length.ravel())):
        path = p[:time].argmax(-1)
        merged = [c for t, c in enumerate(path) if c != blank and (t == 0 or path[t - 1] != c)]
        decoded[i, : len(merged)] = merged
        score[i] = -np.log(p[:time].max(-1) + EPSILON).sum()
    return decoded, score
