"""Linear algebra as Keras 3 names it, and derivatives along directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import nest
from keras_front.backend.host_values import on_host
from keras_front.backend.operands import as_symbol_or_tensor
from keras_front.backend.ops import numpy_names
from keras_front.backend.precision import full_precision
from keras_front.errors import ArgumentError, ShapeError

from .arrays import _dtype, _whole, array, diagonal

det, inv, solve = K.det, K.inv, K.solve


def _transposed(x: Any) -> Any:
    return numpy_names.swapaxes(x, -1, -2)


@full_precision
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular factor of symmetric positive definite matrices.

    Args:
        x: (..., n, n).
        upper: whether to return the upper factor, the transpose of the lower one.

    Example:
        >>> from keras_front import ops
        >>> ops.cholesky(np.array([[4.0, 0.0], [0.0, 9.0]])).tolist()
        [[2.0, 0.0], [0.0, 3.0]]
    """
    lower = K.cholesky(as_symbol_or_tensor(x))
    return _transposed(lower) if upper else lower


@full_precision
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrices whose triangular factors are given.

    Args:
        x: the factors, (..., n, n).
        upper: whether they are upper ones.

    Example:
        >>> from keras_front import ops
        >>> ops.cholesky_inverse(np.array([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.25, 0.0], [0.0, 0.0625]]
    """
    x = as_symbol_or_tensor(x)
    lower = _transposed(x) if upper else x
    own = K.triangular_solve(lower, _identity_like(lower), lower=True)
    return K.matmul(_transposed(own), own)


def _identity_like(x: Any) -> Any:
    n = _whole(x, -1, "linalg")
    return K.zeros_like(x) + array(np.eye(n), _dtype(x))


@full_precision
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The x with `a x = b`, for triangular matrices.

    Args:
        a: (..., n, n).
        b: (..., n) or (..., n, m).
        lower: whether the matrices are lower triangular; otherwise upper.

    Example:
        >>> from keras_front import ops
        >>> ops.solve_triangular(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[4.0], [5.0]]), lower=True).tolist()
        [[2.0], [3.0]]
    """
    a, b = as_symbol_or_tensor(a), as_symbol_or_tensor(b)
    if len(b.shape) < len(a.shape):
        return K.squeeze(K.triangular_solve(a, K.expand_dims(b, -1), lower), -1)
    return K.triangular_solve(a, b, lower)


@full_precision
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices.

    Args:
        x: tensor.
        ord: which norm, as in NumPy.
        axis: the axis of vectors, or the two of matrices; None for all.
        keepdims: keep the reduced axes, with size 1.

    Example:
        >>> from keras_front import ops
        >>> float(ops.norm(np.array([3.0, 4.0])))
        5.0
    """
    return K.norm(as_symbol_or_tensor(x), ord=ord, axis=axis, keepdims=keepdims)


@full_precision
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Matrices as products of orthogonal and triangular ones.

    Args:
        x: (..., m, n).
        mode: 'reduced' or 'complete', in which the orthogonal matrices are square.

    Example:
        >>> from keras_front import ops
        >>> q, r = ops.qr(np.array([[3.0, 1.0], [4.0, 2.0]]))
        >>> tuple(q.shape)
        (2, 2)
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: expected mode 'reduced' or 'complete', received {mode!r}.")
    x = as_symbol_or_tensor(x)
    rows, columns = _whole(x, -2, "qr"), _whole(x, -1, "qr")
    if mode == "reduced" or rows <= columns:
        return tuple(K.qr(x))  # type: ignore[return-value]
    # further columns that lie in no plane of the others complete the basis; what stands below the triangle is 0
    q, _ = K.qr(K.concatenate([x, K.getitem(_identity_like_rows(x, rows), (..., slice(None, None)))], axis=-1))
    _, r = K.qr(x)
    return q, K.concatenate([r, K.zeros_like(K.getitem(x, (..., slice(columns, None), slice(None))))], axis=-2)


def _identity_like_rows(x: Any, rows: int) -> Any:
    return K.zeros_like(K.getitem(x, (..., slice(0, 1)))) + array(np.eye(rows), _dtype(x))


@full_precision
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Matrices as products: `u @ diag(s) @ vh`.

    Args:
        x: (..., m, n).
        full_matrices: whether `u` and `vh` are square.
        compute_uv: whether to return them, or `s` alone.

    Example:
        >>> from keras_front import ops
        >>> u, s, vh = ops.svd(np.array([[3.0, 0.0], [0.0, 2.0]]))
        >>> print(np.asarray(s).round(3))
        [3. 2.]
    """
    x = as_symbol_or_tensor(x)
    rows, columns = _whole(x, -2, "svd"), _whole(x, -1, "svd")
    if not compute_uv:
        return K.svd(x)[1]
    if not full_matrices or rows == columns:
        return tuple(K.svd(x))
    size, least = max(rows, columns), min(rows, columns)
    wide = K.pad(x, (*((0, 0),) * (len(x.shape) - 2), (0, size - rows), (0, size - columns)))
    u, s, vh = K.svd(wide)  # the vectors of the singular values that are 0 come last
    cut = slice(None, rows), slice(None, rows)
    return K.getitem(u, (..., *cut)), K.getitem(s, (..., slice(None, least))), K.getitem(
        vh, (..., slice(None, columns), slice(None, columns)))  # fmt: skip


@full_precision
def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of symmetric matrices, in ascending order.

    Args:
        x: (..., n, n), of which the lower triangle is read.

    Returns: the values (..., n), and a matrix whose columns are the vectors.

    Example:
        >>> from keras_front import ops
        >>> values, vectors = ops.eigh(np.array([[2.0, 0.0], [0.0, 3.0]]))
        >>> values.tolist()
        [2.0000000000000004, 3.0000000000000004]
    """
    x = as_symbol_or_tensor(x)
    lower = numpy_names.tril(x)
    whole = lower + _transposed(numpy_names.tril(x, -1))
    shift = K.square_root(K.sum(K.square(whole), axis=(-2, -1), keepdims=True))  # with it no value is negative
    u, s, _ = K.svd(whole + shift * array(np.eye(_whole(x, -1, "eigh")), _dtype(x)))
    return numpy_names.flip(s - K.squeeze(shift, -1), -1), numpy_names.flip(u, -1)


@full_precision
def eig(x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of square matrices, which may be complex; of values only.

    Args:
        x: (..., n, n), a tensor with a value.

    Returns: arrays of NumPy: the values (..., n), and a matrix whose columns are the vectors.

    Example:
        >>> from keras_front import ops
        >>> values, vectors = ops.eig(np.array([[2.0, 0.0], [0.0, 3.0]]))
        >>> np.asarray(values).real.tolist()
        [2.0, 3.0]
    """
    values, vectors = np.linalg.eig(on_host("eig", as_symbol_or_tensor(x))[0])
    return values, vectors


@full_precision
def lu_factor(x: Any) -> tuple[Any, Any]:
    """Both triangular factors of matrices in one, and the rows that were exchanged; of values only.

    Args:
        x: (..., m, n), a tensor with a value.

    Returns: the factors, and for each step the row that was taken.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.lu_factor(np.array([[2.0, 1.0], [1.0, 3.0]]))[0].shape)
        (2, 2)
    """
    matrices = on_host("lu_factor", as_symbol_or_tensor(x))[0]
    flat = matrices.reshape(-1, *matrices.shape[-2:]).copy()
    count = min(flat.shape[-2:])
    pivots = np.zeros((len(flat), count), "int32")
    for matrix, taken in zip(flat, pivots, strict=True):
        for i in range(count):
            taken[i] = i + np.argmax(np.abs(matrix[i:, i]))
            matrix[[i, taken[i]]] = matrix[[taken[i], i]]
            if matrix[i, i]:
                matrix[i + 1 :, i] /= matrix[i, i]
            matrix[i + 1 :, i + 1 :] -= np.outer(matrix[i + 1 :, i], matrix[i, i + 1 :])
    return array(flat.reshape(matrices.shape)), array(pivots.reshape(*matrices.shape[:-2], count))


@full_precision
def slogdet(x: Any) -> tuple[Any, Any]:
    """The sign of determinants, and the logarithm of their size, without overflow.

    Args:
        x: (..., n, n).

    Example:
        >>> from keras_front import ops
        >>> sign, logarithm = ops.slogdet(np.array([[2.0, 0.0], [0.0, 3.0]]))
        >>> float(sign)
        1.0
    """
    x = as_symbol_or_tensor(x)
    size = K.sum(K.log(K.abs(diagonal(K.qr(x)[1], 0, -2, -1))), axis=-1)
    scale = K.max(K.abs(x), axis=(-2, -1), keepdims=True)
    return K.sign(K.det(x / K.where(scale > 0, scale, K.ones_like(scale)))), size


@full_precision
def logdet(x: Any) -> Any:
    """The logarithm of the determinant of symmetric positive definite matrices.

    Args:
        x: (..., n, n).

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.logdet(np.array([[2.0, 0.0], [0.0, 3.0]]))).round(3))
        1.792
    """
    return 2 * K.sum(K.log(diagonal(K.cholesky(as_symbol_or_tensor(x)), 0, -2, -1)), axis=-1)


@full_precision
def pinv(x: Any, rcond: float | None = None) -> Any:
    """The inverse of Moore and Penrose.

    Args:
        x: (..., m, n).
        rcond: singular values below this part of the largest one count as 0; by default 10 times the larger size times
            the distance of floats.

    Example:
        >>> from keras_front import ops
        >>> tuple(ops.pinv(np.ones((3, 2))).shape)
        (2, 3)
    """
    x = as_symbol_or_tensor(x)
    u, s, vh = K.svd(x)
    return K.matmul(_transposed(vh) * K.expand_dims(_inverted(x, s, rcond), -2), _transposed(u))


def _inverted(x: Any, s: Any, rcond: float | None) -> Any:
    sizes = _whole(x, -2, "pinv"), _whole(x, -1, "pinv")
    part = 10 * max(sizes) * float(np.finfo(_dtype(x)).eps) if rcond is None else rcond
    kept = s > part * K.max(s, axis=-1, keepdims=True)
    return K.where(kept, 1 / K.where(kept, s, K.ones_like(s)), 0)


@full_precision
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x for which `a x` is nearest to `b`; of several the shortest.

    Args:
        a: matrix (m, n).
        b: (m,) or (m, k).
        rcond: singular values below this part of the largest one count as 0; by default the larger size times the
            distance of floats.

    Example:
        >>> from keras_front import ops
        >>> print(np.asarray(ops.lstsq(np.array([[1.0], [2.0]]), np.array([[2.0], [4.0]]))).round(3))
        [[2.]]
    """
    a, b = as_symbol_or_tensor(a), as_symbol_or_tensor(b)
    if b.shape[0] not in (None, a.shape[0]):
        raise ShapeError(f"lstsq: {tuple(a.shape)} and {tuple(b.shape)} have another number of rows.")
    part = max(a.shape) * float(np.finfo(_dtype(a)).eps) if rcond is None else rcond
    return K.dot(pinv(a, part), b) if len(b.shape) > 1 else K.squeeze(K.dot(pinv(a, part), K.expand_dims(b, -1)), -1)


@full_precision
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """The number of singular values that are not 0.

    Args:
        x: (..., m, n).
        tol: what counts as 0; by default the largest value times the larger size times the distance of floats.

    Example:
        >>> from keras_front import ops
        >>> int(ops.matrix_rank(np.ones((3, 3))))
        1
    """
    x = as_symbol_or_tensor(x)
    s = K.svd(x)[1]
    part = max(_whole(x, -2, "matrix_rank"), _whole(x, -1, "matrix_rank")) * float(np.finfo(_dtype(x)).eps)
    least = K.max(s, axis=-1, keepdims=True) * part if tol is None else K.expand_dims(as_symbol_or_tensor(tol), -1)
    return K.sum(K.cast(s > least, "int32"), axis=-1)


@full_precision
def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of a function, and its derivative in a direction.

    Args:
        fun: a function of tensors that returns a tensor, or a nesting of them; written in K.
        primals: the arguments.
        tangents: the direction, a tensor for each argument.
        has_aux: whether the function returns a pair of which the second is passed on.

    Returns: (value, derivative), and what the function passes on.

    Source: Townsend (2017): the derivative of a gradient for the weights of the results.

    Example:
        >>> from keras_front import ops
        >>> value, slope = ops.jvp(lambda x: x * x, (np.array(3.0),), (np.array(1.0),))
        >>> float(value), float(slope)
        (9.0, 6.0)
    """
    given = [as_symbol_or_tensor(x) for x in primals]
    directions = [as_symbol_or_tensor(t) for t in tangents]
    kept: list[Any] = []

    def run(xs: list[Any], vs: list[Any]) -> list[Any]:
        out = fun(*xs)
        value, aux = out if has_aux else (out, None)
        kept[:] = [value, aux]
        flat = nest.flatten(value)

        def sums(us: list[Any]) -> Any:
            def weighted(ps: list[Any]) -> Any:
                again = fun(*ps)
                ys = nest.flatten(again[0] if has_aux else again)
                return sum(K.sum(y * u) for y, u in zip(ys, us, strict=True))

            grads = K.gradients_by_rules(weighted, xs)[1]
            return sum(K.sum(g * v) for g, v in zip(grads, vs, strict=True))

        slopes = K.gradients_by_rules(sums, [K.ones_like(y) for y in flat])[1]
        return [*flat, *slopes, *nest.flatten(aux)] if has_aux else [*flat, *slopes]

    results = K.compile(run)(given, directions)
    value, aux = kept
    count = len(nest.flatten(value))
    found = nest.pack_like(value, results[:count]), nest.pack_like(value, results[count : 2 * count])
    return (*found, nest.pack_like(aux, results[2 * count :])) if has_aux else found
