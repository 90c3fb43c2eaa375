"""Linear algebra on stacks of matrices, and `einsum`.

The factorizations are primitives, as no engine lacks them; all else is written with them. They work in float32 and
float64. A matrix that cannot be factorized is an error or gives NaN, as the engine has it.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from keras_front.backend import dtypes, shapes
from keras_front.backend.declare import Axes, Flag, Tensor, Tensors, composite, primitive
from keras_front.backend.ops.arrangement import _sizes, broadcast_to, expand_dims, permute_dimensions, reshape, squeeze
from keras_front.backend.ops.elementwise import abs, cast, less, multiply, not_equal, power, square_root, where
from keras_front.backend.ops.linear import matmul
from keras_front.backend.ops.reduction import max, min, sum
from keras_front.errors import ArgumentError, DtypeError, ShapeError


def square(x: Any, *rest: Any, **_: Any) -> shapes.Shape:
    """The shape of a stack of square matrices. Raises: ShapeError if they are not square."""
    shape = tuple(x.shape)
    if len(shape) < 2 or (None not in shape[-2:] and shape[-1] != shape[-2]):
        raise ShapeError(f"expected square matrices (..., n, n), received shape {shape}.")
    _check_width(x)
    return shape


def _check_width(x: Any) -> None:
    """Raises: DtypeError for floats of 16 bits, whose matrices no engine factors."""
    if _name(x) in dtypes.HALVES:
        raise DtypeError(f"expected float32 or float64, received {_name(x)}. Cast it: K.cast(x, 'float32').")


def _solved(a: Any, b: Any) -> shapes.Spec:
    n = square(a)[-1]
    if len(b.shape) < 2 or (None not in (n, b.shape[-2]) and n != b.shape[-2]):
        raise ShapeError(f"expected b (..., {n}, k) beside a of shape {tuple(a.shape)}, received {tuple(b.shape)}.")
    return (*shapes.broadcast(tuple(a.shape[:-2]), tuple(b.shape[:-2])), *b.shape[-2:]), a.dtype


def _thin(x: Any) -> tuple[Any, Any, Any, Any]:
    """(stack, rows, columns, the smaller of both) of a shape."""
    if len(x.shape) < 2:
        raise ShapeError(f"expected matrices (..., m, n), received shape {tuple(x.shape)}.")
    _check_width(x)
    *stack, m, n = x.shape
    return tuple(stack), m, n, None if None in (m, n) else m if m < n else n


def _qr_shapes(x: Any) -> list[shapes.Spec]:
    stack, m, n, k = _thin(x)
    return [((*stack, m, k), x.dtype), ((*stack, k, n), x.dtype)]


def _svd_shapes(x: Any) -> list[shapes.Spec]:
    stack, m, n, k = _thin(x)
    return [((*stack, m, k), x.dtype), ((*stack, k), x.dtype), ((*stack, k, n), x.dtype)]


def _name(x: Any) -> str:
    return dtypes.canonical(x.dtype)


# Factorizations ------------------------------------------------------------------------------------------------


@primitive(lambda x: (square(x), x.dtype), floats=True)
def cholesky(x: Tensor):
    """The lower triangular L with `L L^T = x`, for symmetric positive definite matrices.

    Args:
        x: matrices; only their lower triangle is looked at by most engines.

    Shape: (..., n, n) -> (..., n, n).

    Raises:
        ShapeError: the matrices are not square.

    Example:
        >>> K.cholesky(np.array([[4.0, 0.0], [0.0, 9.0]])).tolist()
        [[2.0, 0.0], [0.0, 3.0]]
    """


@primitive(_solved, floats=True)
def solve(a: Tensor, b: Tensor):
    """The solution of `a x = b` for square matrices.

    Args:
        a: the matrices.
        b: the right sides, one in each column.

    Shape: a (..., n, n), b (..., n, k) -> (..., n, k); the axes before are broadcast.

    Raises:
        ShapeError: a is not square, or b has other rows.

    Example:
        >>> K.solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[2.0], [8.0]])).tolist()
        [[1.0], [2.0]]
    """


@primitive(lambda x: (square(x)[:-2], x.dtype), floats=True)
def det(x: Tensor):
    """The determinant. Its gradient exists where it is not 0.

    Args:
        x: square matrices.

    Shape: (..., n, n) -> (...).

    Example:
        >>> print(np.asarray(K.det(np.array([[1.0, 2.0], [3.0, 4.0]]))).round(3))
        -2.0
    """


@primitive(_qr_shapes, floats=True)
def householder_qr(x: Tensor):
    """The thin decomposition (q, r) as the engine has it: the signs of the rows of r are open. `qr` settles them.

    Args:
        x: matrices.

    Shape: (..., m, n) -> (..., m, k), (..., k, n) with k the smaller of m and n.

    Example:
        >>> q, r = K.householder_qr(np.array([[3.0, 1.0], [4.0, 2.0]]))
        >>> K.dot(q, r).round(3)
        array([[3., 1.],
               [4., 2.]])
    """


@primitive(_svd_shapes, floats=True)
def svd(x: Tensor):
    """The thin singular value decomposition (u, s, vt) with `x = u diag(s) vt`, values in falling order.

    The signs of the vectors are the engine's. The gradient exists where the values used differ.

    Args:
        x: matrices.

    Shape: (..., m, n) -> (..., m, k), (..., k), (..., k, n) with k the smaller of m and n.

    Example:
        >>> u, s, vh = K.svd(np.array([[3.0, 0.0], [0.0, 2.0]]))
        >>> print(np.asarray(s).round(3))
        [3. 2.]
    """


@composite(floats=True)
def qr(x: Tensor):
    """The thin decomposition `x = q r`, q with orthonormal columns, r upper triangular with a diagonal >= 0.

    Args:
        x: matrices. The gradient needs at least as many rows as columns.

    Shape: (..., m, n) -> (..., m, k), (..., k, n) with k the smaller of m and n.

    Example:
        >>> q, r = K.qr(np.array([[3.0, 1.0], [4.0, 2.0]]))
        >>> np.allclose(q @ r, [[3.0, 1.0], [4.0, 2.0]])
        True
    """
    q, r = householder_qr(x)
    k = r.shape[-2]
    if k is None:
        return q, r
    diagonal = sum(multiply(r, np.eye(k, r.shape[-1], dtype=_name(r))), axis=-1)
    sign = where(less(diagonal, 0), -1.0, cast(1.0, r.dtype))
    return multiply(q, expand_dims(sign, axis=-2)), multiply(r, expand_dims(sign, axis=-1))


@composite(floats=True)
def triangular_solve(a: Tensor, b: Tensor, lower=False):
    """The solution of `a x = b` where only one triangle of a is looked at.

    Args:
        a: square matrices.
        b: the right sides, one in each column.
        lower: whether it is the lower triangle; else the upper one.

    Shape: a (..., n, n), b (..., n, k) -> (..., n, k).

    Example:
        >>> K.triangular_solve(np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[4.0], [5.0]]), lower=True).tolist()
        [[2.0], [3.0]]
    """
    n = square(a)[-1]
    if n is None:
        return solve(a, b)
    ones = np.ones((n, n), _name(a))
    return solve(multiply(a, np.tril(ones) if lower else np.triu(ones)), b)


@composite(floats=True)
def inv(x: Tensor):
    """The inverse of square matrices.

    Args:
        x: the matrices.

    Shape: (..., n, n) -> (..., n, n).

    Example:
        >>> K.inv(np.array([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    n = square(x)[-1]
    return solve(x, np.eye(n, dtype=_name(x)) if n is not None else x)


@composite(floats=True, accumulates=True)
def norm(x: Tensor, ord=None, axis: Axes = None, keepdims: Flag = False):
    """A norm of all elements, of vectors or of matrices. Floats of 16 bits are added up in float32.

    Args:
        x: a tensor; integers become floats first.
        ord: None or 'fro' for the root of the sum of squares; 1, 2, inf, -inf; for vectors any number (0 counts what is
            not 0); for matrices also -1, -2 and 'nuc', the sum of singular values.
        axis: one axis for vectors, two for matrices, None for all elements.
        keepdims: whether the axes stay, with size 1.

    Returns: a float tensor without these axes.

    Raises:
        ArgumentError: such a norm is not defined.

    Example:
        >>> K.norm(np.array([3.0, 4.0])).tolist()
        5.0
    """
    if ord is None and axis is None:
        return square_root(sum(multiply(x, x), keepdims=keepdims))
    axes = shapes.normalize_axes(axis, len(x.shape))
    if isinstance(axis, tuple | list):
        axes = tuple(shapes.normalize_axis(a, len(x.shape)) for a in axis)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ArgumentError(f"norm: expected one axis or two, received axis={axis!r} for shape {tuple(x.shape)}.")


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord in (None, 2, "fro"):
        return square_root(sum(multiply(x, x), axis=axis, keepdims=keepdims))
    if isinstance(ord, str):
        raise ArgumentError(f"norm: ord {ord!r} is not defined for vectors.")
    if ord in (np.inf, -np.inf):
        return (max if ord > 0 else min)(abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(cast(not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axis=axis, keepdims=keepdims)
    return power(sum(power(abs(x), float(ord)), axis=axis, keepdims=keepdims), 1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    rows, columns = axes
    if ord in (None, "fro"):
        return square_root(sum(multiply(x, x), axis=(rows, columns), keepdims=keepdims))
    if ord in (1, -1, np.inf, -np.inf):
        inner, outer = (rows, columns) if ord in (1, -1) else (columns, rows)
        totals = sum(abs(x), axis=inner, keepdims=True)
        result = (max if ord > 0 else min)(totals, axis=outer, keepdims=True)
    elif ord in (2, -2, "nuc"):
        last = (*(i for i in range(len(x.shape)) if i not in axes), rows, columns)
        s = svd(permute_dimensions(x, last))[1]
        result = {2: max, -2: min, "nuc": sum}[ord](s, axis=-1)
        for axis in sorted(axes):
            result = expand_dims(result, axis=axis)
    else:
        raise ArgumentError(f"norm: ord {ord!r} is not defined for matrices.")
    return result if keepdims else squeeze(result, axis=axes)


# einsum --------------------------------------------------------------------------------------------------------


@composite
def contract(operands: Tensors, equation):
    """Einstein's summation with an equation that is spelled out; `einsum` is for users.

    Args:
        operands: a list of tensors.
        equation: every axis named, and the result, without an ellipsis, such as "bij,bjk->bik".

    Returns: a tensor.

    Example:
        >>> K.contract([np.array([[1.0, 2.0]]), np.array([3.0, 4.0])], "ij,j->i").tolist()
        [11.0]
    """
    left, result = equation.split("->")
    terms = list(zip(left.split(","), operands, strict=True))
    terms = [_without_repeats(names, x) for names, x in terms]
    while len(terms) > 1:
        (a, x), (b, y) = terms[:2]
        needed = set(result).union(*(names for names, _ in terms[2:]))
        terms[:2] = [_pair(a, x, b, y, needed)]
    names, x = _kept(*terms[0], set(result))
    return x if names == result else permute_dimensions(x, tuple(names.index(c) for c in result))


def _without_repeats(names: str, x: Any) -> tuple[str, Any]:
    """An index named twice in one operand stands for the diagonal."""
    for c in dict.fromkeys(names):
        while names.count(c) > 1:
            i = names.index(c)
            j = names.index(c, i + 1)
            n = x.shape[i]
            if n is None or n != x.shape[j]:
                raise ShapeError(f"a diagonal needs two axes of one known size, received shape {tuple(x.shape)}.")
            mask = np.eye(n, dtype=bool).reshape([n if k in (i, j) else 1 for k in range(len(names))])
            x = sum(where(mask, x, 0), axis=j)
            names = names[:j] + names[j + 1 :]
    return names, x


def _kept(names: str, x: Any, needed: set[str]) -> tuple[str, Any]:
    """Indices that nobody else needs are summed over."""
    gone = tuple(i for i, c in enumerate(names) if c not in needed)
    return "".join(c for c in names if c in needed), sum(x, axis=gone) if gone else x


def _pair(a: str, x: Any, b: str, y: Any, needed: set[str]) -> tuple[str, Any]:
    """Two operands as one product of matrices: (batch, rows, inner) and (batch, inner, columns)."""
    a, x = _kept(a, x, needed | set(b))
    b, y = _kept(b, y, needed | set(a))
    batch = [c for c in a if c in b and c in needed]
    inner = [c for c in a if c in b and c not in needed]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    sizes = {**dict(zip(a, _sizes(x), strict=True))}
    for c, n in zip(b, _sizes(y), strict=True):
        sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    x = broadcast_to(x, tuple(sizes[c] for c in a)) if any(n == 1 for n in x.shape) else x
    y = broadcast_to(y, tuple(sizes[c] for c in b)) if any(n == 1 for n in y.shape) else y
    x = _grouped(x, a, (batch, rows, inner), sizes)
    y = _grouped(y, b, (batch, inner, columns), sizes)
    order = (*batch, *rows, *columns)
    return "".join(order), reshape(matmul(x, y), tuple(sizes[c] for c in order))


def _grouped(x: Any, names: str, groups: Any, sizes: dict[str, Any]) -> Any:
    """`x` with each group of indices as one axis."""
    pattern = tuple(names.index(c) for group in groups for c in group)
    if pattern != tuple(range(len(names))):
        x = permute_dimensions(x, pattern)
    dims = []
    for group in groups:
        n: Any = 1
        for c in group:
            n = n * sizes[c]
        dims.append(n)
    return reshape(x, tuple(dims))


def einsum(equation: str, *operands: Any) -> Any:
    """Einstein's summation over any number of tensors.

    Args:
        equation: a letter for each axis, operands divided by commas, the result behind `->`; letters missing from the
            result are summed over; `...` stands for axes that are broadcast. Without `->` the result has the letters
            that occur once, in alphabetical order.
        *operands: the tensors.

    Returns: a tensor.

    Raises:
        ArgumentError: the equation does not fit the operands.

    Example:
        >>> import numpy as np
        >>> einsum("ij,jk->ik", np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])).tolist()
        [[11.0]]
    """
    ranks = tuple(len(x.shape if hasattr(x, "shape") else np.shape(x)) for x in operands)
    return contract(list(operands), spelled_out(equation, ranks))


@functools.lru_cache(maxsize=1024)
def spelled_out(equation: str, ranks: tuple[int, ...]) -> str:
    """An equation with its result, and with letters for each `...`."""
    equation = equation.replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ArgumentError(f"einsum: {equation!r} has {len(terms)} operands, received {len(ranks)}.")
    free = [c for c in "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in equation]
    extra = [n - len(t.replace("...", "")) for t, n in zip(terms, ranks, strict=True)]
    if any(n < 0 or (n and "..." not in t) for n, t in zip(extra, terms, strict=True)):
        raise ArgumentError(f"einsum: {equation!r} does not fit operands of {list(ranks)} dimensions.")
    count = sorted(extra)[-1]
    letters = "".join(free[:count])[::-1]
    terms = [t.replace("...", letters[count - n :]) for t, n in zip(terms, extra, strict=True)]
    if not arrow:
        joined = "".join(terms)
        result = letters + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in letters))
    else:
        result = result.replace("...", letters)
    unknown = [c for c in result if c not in "".join(terms)]
    if unknown or len(set(result)) != len(result):
        raise ArgumentError(f"einsum: the result of {equation!r} names an axis twice or one that no operand has.")
    return f"{','.join(terms)}->{result}"
