"""Connectionist temporal classification: the loss by the forward recursion, decoding by the best path or by beams.

The last class is the blank. All of it is written in K, so it runs, compiles and (the loss) differentiates everywhere.
Source: Graves et al. (2006), section 4; for beams Graves & Jaitly (2014), algorithm 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import config
from keras_front.backend import discovery, dtypes, scopes, symbolic
from keras_front.backend.declare import Tensor, composite
from keras_front.backend.op import Operation, register
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops.arrangement import (
    _sizes,
    broadcast_to,
    concatenate,
    expand_dims,
    pad,
    permute_dimensions,
    reshape,
    strided_slice,
)
from keras_front.backend.ops.elementwise import (
    add,
    cast,
    equal,
    greater,
    less,
    log,
    logical_and,
    logical_not,
    multiply,
    negative,
    not_equal,
    subtract,
    where,
)
from keras_front.backend.ops.functions import logaddexp
from keras_front.backend.ops.indexing import one_hot, take_along_axis
from keras_front.backend.ops.linear import matmul
from keras_front.backend.ops.neural import log_softmax
from keras_front.backend.ops.recurrence import scan
from keras_front.backend.ops.reduction import all, argmax, cumsum, max, sum
from keras_front.backend.ops.sorting import argsort, top_k
from keras_front.backend.ops.subscript import getitem
from keras_front.errors import ArgumentError, ShapeError
from keras_front.tracebacks import api_boundary

NEVER = -1e30  # the logarithm of what cannot be; finite, so that differences of it are


def _column(x: Any) -> Any:
    """Lengths (batch, 1) or (batch,) as (batch, 1) of int64."""
    x = cast(x, "int64")
    return reshape(x, (-1, 1))


def _log(x: Any) -> Any:
    x = cast(x, dtypes.as_single(x.dtype))
    return log_softmax(log(add(x, config.epsilon())))


def _with_blanks(labels: Any, blank: int) -> Any:
    """(batch, L) -> (batch, 2 L + 1): a blank before, between and after the labels."""
    batch, _ = _sizes(labels)
    pairs = pad(expand_dims(labels, axis=-1), ((0, 0), (0, 0), (1, 0)), value=blank)
    return pad(reshape(pairs, (batch, -1)), ((0, 0), (0, 1)), value=blank)


@composite(promote=())
def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor):
    """The negative logarithm of the probability of the labels, summed over all alignments, for each sample.

    Args:
        y_true: the labels, numbers of classes.
        y_pred: probabilities after a softmax; the last class is the blank.
        input_length: how many steps of each sample count.
        label_length: how many labels of each sample count.

    Shape: y_true (batch, labels), y_pred (batch, time, classes), the lengths (batch, 1) -> (batch, 1).

    Returns: the cost, infinite where the labels do not fit into the time.

    Source: Graves et al. (2006), section 4.

    Example:
        >>> y_pred = np.array([[[0.6, 0.4], [0.5, 0.5]]])  # one sequence, two steps, one label and the blank
        >>> print(np.asarray(K.ctc_batch_cost(np.array([[0]]), y_pred, np.array([[2]]), np.array([[1]]))).round(3))
        [[0.223]]
    """
    classes = y_pred.shape[-1]
    labels = _with_blanks(cast(y_true, "int64"), classes - 1)
    ends, times = multiply(_column(label_length), 2), _column(input_length)
    logs = matmul(_log(y_pred), permute_dimensions(one_hot(labels, classes, dtypes.as_single(y_pred.dtype)), (0, 2, 1)))
    logs = permute_dimensions(logs, (1, 0, 2))  # (time, batch, states)
    skips = logical_and(not_equal(labels, classes - 1), not_equal(labels, _shifted(labels, 2, -1)))
    places = subtract(cumsum(cast(equal(labels, labels), "int64"), axis=1), 1)
    first = where(less(places, 2), getitem(logs, 0), NEVER)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        now, t = carry
        reach = logaddexp(now, _shifted(now, 1, NEVER))
        reach = logaddexp(reach, where(skips, _shifted(now, 2, NEVER), NEVER))
        return [where(less(t, times), add(reach, x[0]), now), add(t, 1)], []

    (last, _), _ = scan(step, [first, as_symbol_or_tensor(np.asarray(1, "int64"))], [getitem(logs, slice(1, None))])
    final = where(logical_and(equal(places, ends), equal(ends, ends)), last, NEVER)
    before = where(equal(places, subtract(ends, 1)), last, NEVER)
    total = logaddexp(max(final, axis=1, keepdims=True), max(before, axis=1, keepdims=True))
    return where(less(total, NEVER / 2), np.inf, negative(total))


def _shifted(x: Any, by: int, value: float) -> Any:
    """(batch, n) moved right by some places, `value` coming in from the left."""
    wide = pad(x, ((0, 0), (by, 0)), value=value)
    return strided_slice(wide, (None, None), (None, -by), (1, 1))


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """The labels that lie within their lengths, as a sparse matrix of SciPy (also those that are 0).

    Args:
        labels: numbers of classes (batch, n).
        label_lengths: how many of each row count.

    Returns: a `scipy.sparse.coo_matrix` (batch, n).

    Raises:
        ArgumentError: tensors are symbolic; `ctc_batch_cost` takes dense labels and needs no sparse ones.
    Example:
        >>> ctc_label_dense_to_sparse([[1, 2, 0]], [2]).toarray().tolist()
        [[1, 2, 0]]
    """
    from keras_front.backend.creation import to_numpy
    from keras_front.backend.symbolic import is_symbolic

    if is_symbolic(labels) or is_symbolic(label_lengths):
        raise ArgumentError(
            "ctc_label_dense_to_sparse: expected values. K.ctc_batch_cost takes dense labels as they are."
        )
    from scipy.sparse import coo_matrix

    labels, lengths = to_numpy(labels), to_numpy(label_lengths).reshape(-1, 1)
    if labels.ndim != 2 or len(lengths) != len(labels):
        raise ShapeError(
            f"ctc_label_dense_to_sparse: expected labels (batch, n) and as many lengths, received {labels.shape} and "
            f"{len(lengths)} lengths."
        )
    rows, columns = np.nonzero(np.arange(labels.shape[1]) < lengths)
    return coo_matrix((labels[rows, columns], (rows, columns)), labels.shape)


# Decoding ------------------------------------------------------------------------------------------------------


@api_boundary
def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = False,
) -> tuple[list[Any], Any]:  # fmt: skip
    """The most probable labels: ([decoded, ...], scores).

    Args:
        y_pred: probabilities after a softmax; the last class is the blank.
        input_length: how many steps of each sample count.
        greedy: whether to take the best class of each step (one path); else prefixes are searched.
        beam_width: how many prefixes the search keeps.
        top_paths: how many paths the search returns.
        merge_repeated: whether equal neighbours in the result of the search become one.

    Shape: y_pred (batch, time, classes), input_length (batch,) -> `top_paths` times (batch, longest) of int64, filled
    up with -1, and (batch, top_paths). The width is the length of the longest result. Inside of compiled code, where
    that is not known beforehand, it is `time`, and what `K.function` and `K.eval` return is cut.

    Returns: the paths, and their log probabilities (of the greedy path minus the sum of logarithms of the largest
    outputs).

    Raises:
        ArgumentError: `top_paths` is not from 1 to `beam_width`.

    Source: Graves & Jaitly (2014), algorithm 1.

    Example:
        >>> paths, scores = K.ctc_decode(np.array([[[0.6, 0.4], [0.3, 0.7]]]), np.array([2]))
        >>> [np.asarray(path).tolist() for path in paths]
        [[[0]]]
    """
    y_pred, lengths = as_symbol_or_tensor(y_pred), as_symbol_or_tensor(input_length)
    if greedy:
        decoded, score = ctc_best_path(y_pred, lengths)
        return [_CUT(decoded)], score
    if not 1 <= top_paths <= beam_width:
        raise ArgumentError(
            f"ctc_decode: expected 1 <= top_paths <= beam_width, received {top_paths} and {beam_width}."
        )
    paths, scores = ctc_beams(y_pred, lengths, beam_width)
    found = [getitem(paths, (slice(None), i)) for i in range(top_paths)]
    if merge_repeated:
        found = [_packed(path, _fresh(path)) for path in found]
    return list(map(_CUT, found)), getitem(scores, (slice(None), slice(None, top_paths)))


class CutPadding(Operation):
    """The op that takes away the columns at the end of which all are -1.

    How many there are depends on the values. So a program leaves them, and what comes out of it is cut on the host.
    """

    name, kind = "cut_padding", "host"

    def __call__(self, x: Any) -> Any:
        if scopes.tracing() is not None:
            return x
        if not symbolic.is_symbolic(x):
            return getitem(x, (slice(None), slice(None, _longest(discovery.active().to_numpy(x)))))
        origin = symbolic.OpCall(self, (x,), {})
        return origin.add_output((x.shape[0], None), x.dtype)

    def again(self, args: Any, attrs: Any) -> list[Any]:
        return [self(args[0])]

    def on_host(self, array: np.ndarray) -> np.ndarray:  # type: ignore[override]
        """An array without those columns.

        Args:
            array: labels (batch, time).
        """
        return array[:, : _longest(array)]


_CUT = register(CutPadding())


def _longest(labels: np.ndarray) -> int:
    """The number of columns up to the last that has a label."""
    used = np.flatnonzero((labels != -1).any(axis=0))
    return int(used[-1]) + 1 if used.size else 0


def _fresh(path: Any) -> Any:
    """Where a path of classes differs from the step before."""
    return not_equal(path, _shifted(path, 1, -1))


def _packed(path: Any, kept: Any) -> Any:
    """The kept elements of each row moved to the front, the rest -1."""
    order = argsort(cast(logical_not(kept), "int32"), axis=-1)
    moved = take_along_axis(where(kept, path, -1), order, axis=-1)
    return moved


@composite(promote=())
def ctc_best_path(y_pred: Tensor, input_length: Tensor):
    """Repetitions and blanks taken out of the best class of each step: (labels, score); see `ctc_decode`.

    Args:
        y_pred: probabilities after a softmax.
        input_length: how many steps of each sample count.

    Returns: labels (batch, time), filled up with -1, and the score (batch, 1): minus the sum of the logarithms of the
    largest outputs, as in TensorFlow.

    Example:
        >>> y = np.array([[[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]], "float32")
        >>> K.ctc_best_path(y, np.array([3]))[0]
        array([[ 0, -1, -1]])
    """
    logs = log(add(y_pred, config.epsilon()))
    path = argmax(logs, axis=-1)
    steps = subtract(cumsum(cast(equal(path, path), "int64"), axis=1), 1)
    inside = less(steps, _column(input_length))
    kept = logical_and(logical_and(inside, not_equal(path, y_pred.shape[-1] - 1)), _fresh(path))
    score = negative(sum(where(inside, max(logs, axis=-1), 0), axis=-1, keepdims=True))
    return _packed(path, kept), score


@composite(promote=())
def ctc_beams(y_pred: Tensor, input_length: Tensor, width):
    """The `width` most probable prefixes, falling; see `ctc_decode`.

    Args:
        y_pred: probabilities after a softmax.
        input_length: how many steps of each sample count.
        width: how many prefixes are kept.

    Returns: labels (batch, width, time), filled up with -1, and their log probabilities (batch, width).

    Example:
        >>> y = np.array([[[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]], "float32")
        >>> K.ctc_beams(y, np.array([2]), 1)[0]
        array([[[ 0, -1]]])
    """
    logs = _log(y_pred)
    batch, time, classes = _sizes(y_pred)
    labels = classes - 1
    dtype = dtypes.as_single(y_pred.dtype)
    empty = broadcast_to(as_symbol_or_tensor(np.asarray(-1, "int64")), (batch, width, time))
    zeros = broadcast_to(as_symbol_or_tensor(np.asarray(0, "int64")), (batch, width))
    start = np.full((1, width), NEVER, dtype)
    start[0, 0] = 0  # one empty prefix; the others do not exist yet
    blank = broadcast_to(as_symbol_or_tensor(start), (batch, width))
    spoken = broadcast_to(as_symbol_or_tensor(np.asarray(NEVER, dtype)), (batch, width))
    times = _column(input_length)
    numbers = np.arange(time)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        prefixes, sizes, blank, spoken, _t = carry
        now = x[0]  # (batch, classes)
        last = _last(prefixes, sizes, numbers)  # (batch, width), -1 where empty
        total = logaddexp(blank, spoken)
        known = take_along_axis(now, where(less(last, 0), 0, last), axis=-1)
        stay_blank = add(total, getitem(now, (slice(None), slice(-1, None))))
        stay_spoken = where(less(last, 0), NEVER, add(spoken, known))
        speech = strided_slice(now, (None, None), (None, labels), (1, 1))
        same = equal(expand_dims(last, axis=-1), np.arange(labels))  # a label said twice needs a blank between
        grown = where(same, expand_dims(blank, axis=-1), expand_dims(total, axis=-1))
        grown = add(grown, expand_dims(speech, axis=1))  # (batch, width, labels)
        meets = _meetings(prefixes, sizes, last, numbers)  # (batch, i, j): i with the last label of j is j
        hot = one_hot(last, labels, dtype)  # (batch, j, labels)
        joining = matmul(where(less(grown, NEVER / 2), NEVER, grown), permute_dimensions(hot, (0, 2, 1)))
        arriving = max(where(meets, joining, NEVER), axis=1)
        stay_spoken = logaddexp(stay_spoken, arriving)
        taken = greater(matmul(cast(meets, dtype), hot), 0)
        grown = where(taken, NEVER, grown)
        scores = concatenate([logaddexp(stay_blank, stay_spoken), reshape(grown, (batch, width * labels))], axis=1)
        _, best = top_k(scores, width)
        return _chosen(best, carry, (stay_blank, stay_spoken, grown), width, labels, times, numbers), []

    first = [empty, zeros, blank, spoken, as_symbol_or_tensor(np.asarray(0, "int64"))]
    (prefixes, _, blank, spoken, _), _ = scan(step, first, [permute_dimensions(logs, (1, 0, 2))])
    scores, order = top_k(logaddexp(blank, spoken), width)
    return take_along_axis(prefixes, expand_dims(order, axis=-1), axis=1), scores


def _last(prefixes: Any, sizes: Any, numbers: np.ndarray) -> Any:
    here = equal(expand_dims(sizes, axis=-1), numbers + 1)
    return subtract(sum(where(here, add(prefixes, 1), 0), axis=-1), 1)


def _meetings(prefixes: Any, sizes: Any, last: Any, numbers: np.ndarray) -> Any:
    """Which prefix j is prefix i and one label more."""
    short = where(less(numbers, expand_dims(subtract(sizes, 1), axis=-1)), prefixes, -1)
    alike = all(equal(expand_dims(prefixes, axis=2), expand_dims(short, axis=1)), axis=-1)
    return logical_and(alike, expand_dims(greater(sizes, 0), axis=1))


def _chosen(best: Any, carry: Any, scores: Any, width: int, labels: int, times: Any, numbers: np.ndarray) -> list[Any]:
    """The next prefixes: the best of those that stayed and those that grew; nothing changes after the input's end."""
    prefixes, sizes, blank, spoken, t = carry
    stay_blank, stay_spoken, grown = scores
    grows = logical_not(less(best, width))
    source = where(grows, (best - width) // labels, best)
    label = where(grows, (best - width) % labels, -1)
    batch = _sizes(best)[0]
    never = broadcast_to(as_symbol_or_tensor(np.asarray(NEVER, dtypes.canonical(blank.dtype))), (batch, width * labels))
    new_blank = take_along_axis(concatenate([stay_blank, never], axis=1), best, axis=1)
    all_spoken = concatenate([stay_spoken, reshape(grown, (batch, width * labels))], axis=1)
    new_spoken = take_along_axis(all_spoken, best, axis=1)
    old = take_along_axis(prefixes, expand_dims(source, axis=-1), axis=1)
    old_sizes = take_along_axis(sizes, source, axis=1)
    here = logical_and(equal(expand_dims(old_sizes, axis=-1), numbers), expand_dims(grows, axis=-1))
    new = where(here, expand_dims(label, axis=-1), old)
    new_sizes = add(old_sizes, cast(grows, "int64"))
    going = less(t, times)
    return [
        where(expand_dims(going, axis=-1), new, prefixes),
        where(going, new_sizes, sizes),
        where(going, new_blank, blank),
        where(going, new_spoken, spoken),
        add(t, 1),
    ]
