"""`tf.strings`: texts, which are arrays of NumPy on every backend, as no engine has tensors of them.

Bytes that are no UTF-8 are kept as they are. Patterns are those of Python's `re`.
Source: TensorFlow 2.15, `tf.strings`.
"""

from __future__ import annotations

import builtins
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError, DtypeError
from keras_front.layers.fingerprint import farm_fingerprint
from keras_front.layers.hashing import bins_of
from keras_front.utils.dataset_elements import Values, values_of

from .functions import constant
from .ragged import RaggedTensor, of_rows

ASCII_SPACE = " \t\n\r\v\f"


def texts_of(x: Any) -> np.ndarray:
    """Texts as an array of Python's, in which bytes that are no UTF-8 have escapes.

    Args:
        x: a text, bytes, or nested lists or an array of them.

    Raises: DtypeError for numbers.
    """
    array = np.array(x, object) if isinstance(x, str | bytes) else np.asarray(x)
    if array.dtype.kind not in "OSU" and array.size:
        raise DtypeError(f"tf.strings: expected texts, received an array of {array.dtype}.")
    return _each(lambda t: t.decode("utf-8", "surrogateescape") if isinstance(t, bytes) else str(t), array)


def _each(function: Callable[[Any], Any], array: Any, dtype: Any = object) -> np.ndarray:
    made = np.empty(np.shape(array), dtype)
    for place, item in np.ndenumerate(np.asarray(array)):
        made[place] = function(item)
    return made


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _mapped(function: Callable[[str], str], input: Any) -> Any:
    if isinstance(input, RaggedTensor):
        return input.with_values(_mapped(function, input.flat_values))
    return values_of(_each(function, texts_of(input)))


def _numbers(function: Callable[[str], Any], input: Any, dtype: str) -> Any:
    if isinstance(input, RaggedTensor):
        return input.with_values(_numbers(function, input.flat_values, dtype))
    return constant(_each(function, texts_of(input), dtype))


def _cased(change: Callable[[Any], Any], input: Any, encoding: str) -> Any:
    """Texts in other letters: all of them, or without an encoding those of ASCII, which bytes know alone."""
    return _mapped(change if encoding else lambda t: change(_bytes(t)).decode("utf-8", "surrogateescape"), input)


def lower(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Texts in small letters; of ASCII only, unless the encoding is 'utf-8'.

    Args:
        input: the texts.
        encoding: '' or 'utf-8'.
        name: not used.
    """
    return _cased(operator.methodcaller("lower"), input, encoding)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Any:
    """Texts in capitals; of ASCII only, unless the encoding is 'utf-8'.

    Args:
        input: the texts.
        encoding: '' or 'utf-8'.
        name: not used.
    """
    return _cased(operator.methodcaller("upper"), input, encoding)


def strip(input: Any, name: str | None = None) -> Any:
    """Texts without white space around them.

    Args:
        input: the texts.
        name: not used.
    """
    return _mapped(lambda t: t.strip(ASCII_SPACE), input)


def length(input: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """The length of each text.

    Args:
        input: the texts.
        name: not used.
        unit: 'BYTE' or 'UTF8_CHAR'.
    """
    return _numbers(len if unit == "UTF8_CHAR" else lambda t: len(_bytes(t)), input, "int32")


def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """A part of each text.

    Args:
        input: the texts.
        pos: where it begins; below 0 counted from the end.
        len: how long it is.
        name: not used.
        unit: 'BYTE' or 'UTF8_CHAR'.

    Raises: ArgumentError where it would begin behind the end.
    """

    def part(text: str, first: int, count: int) -> str:
        whole: Any = text if unit == "UTF8_CHAR" else _bytes(text)
        size = builtins.len(whole)
        if not -size <= first <= size:
            raise ArgumentError(
                f"tf.strings.substr: expected a place in a text of {size} characters, received {first}."
            )
        first = first + size if first < 0 else first
        found = whole[first : first + count]
        return found if isinstance(found, str) else found.decode("utf-8", "surrogateescape")

    texts, firsts, counts = np.broadcast_arrays(texts_of(input), K.to_numpy(pos), K.to_numpy(len))
    made = [part(t, int(p), int(n)) for t, p, n in zip(texts.ravel(), firsts.ravel(), counts.ravel(), strict=True)]
    return values_of(np.array([*made, None], object)[:-1].reshape(texts.shape))


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:
    r"""Texts with what matches a pattern replaced.

    Args:
        input: the texts.
        pattern: the pattern.
        rewrite: what is put there; `\1` is the first group of the pattern and `\0` all that matched.
        replace_global: replace all matches, not only the first.
        name: not used.
    """
    found, by = re.compile(str(texts_of(pattern))), str(texts_of(rewrite)).replace(r"\0", r"\g<0>")
    return _mapped(lambda t: found.sub(by, t, count=0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:
    """Whether each text as a whole matches a pattern.

    Args:
        input: the texts.
        pattern: the pattern.
        name: not used.
    """
    found = re.compile(str(texts_of(pattern)))
    return _numbers(lambda t: found.fullmatch(t) is not None, input, "bool")


def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Texts of several arrays, put together place by place.

    Args:
        inputs: a list of arrays of texts.
        separator: what stands between them.
        name: not used.
    """
    arrays = np.broadcast_arrays(*[texts_of(part) for part in inputs])
    joined = [separator.join(parts) for parts in zip(*(a.ravel() for a in arrays), strict=True)]
    return values_of(np.array([*joined, None], object)[:-1].reshape(arrays[0].shape))


def reduce_join(inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: Any = None) -> Any:
    """Texts along an axis, or all of them, put together.

    Args:
        inputs: the texts.
        axis: the axis; None for all.
        keepdims: whether the axis stays, of size 1.
        separator: what stands between them.
        name: not used.
    """
    if isinstance(inputs, RaggedTensor):
        return values_of(np.array([*(separator.join(texts_of(row)) for row in inputs), None], object)[:-1])
    texts = texts_of(inputs)
    axes = range(texts.ndim) if axis is None else np.atleast_1d(axis).tolist()
    for one in sorted((a % max(texts.ndim, 1) for a in axes), reverse=True):
        rows = np.moveaxis(texts, one, -1)
        joined = np.empty(rows.shape[:-1], object)
        for place in np.ndindex(joined.shape):
            joined[place] = separator.join(rows[place])
        texts = np.expand_dims(joined, one) if keepdims else joined
    return values_of(texts)


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """The parts of a text, or of several as a ragged tensor.

    Args:
        input: a text, or an array of them.
        sep: what stands between the parts; None for white space.
        maxsplit: how many parts are cut off at most; -1 for all.
        name: not used.
    """
    return _cut(lambda t: t.split(None if sep in (None, "") else str(texts_of(sep)), maxsplit), input)


def string_split(source: Any, sep: str | None = " ", skip_empty: bool = True, delimiter: str = " ", **old: Any) -> Any:
    """The parts of several texts, as TensorFlow 1 calls it.

    Args:
        source: the texts.
        sep: what stands between the parts.
        skip_empty: whether empty parts are left out.
        delimiter: an older name of `sep`.
        **old: not used.
    """
    between = delimiter if sep == " " else sep
    return _cut(lambda t: [part for part in t.split(between or None) if part or not skip_empty], source)


def _cut(function: Callable[[str], Any], input: Any) -> Any:
    texts = texts_of(input)
    if not texts.ndim:
        parts: Any = [*function(str(texts[()])), None]
        return values_of(np.array(parts, object)[:-1])
    return of_rows([_cut(function, text) for text in texts])


def bytes_split(input: Any, name: str | None = None) -> Any:
    """The bytes of texts.

    Args:
        input: the texts.
        name: not used.
    """
    return _cut(lambda t: [bytes([byte]).decode("utf-8", "surrogateescape") for byte in _bytes(t)], input)


def unicode_split(input: Any, input_encoding: str, errors: str = "replace", **options: Any) -> Any:
    """The characters of texts.

    Args:
        input: the texts.
        input_encoding: 'UTF-8'.
        errors: not used: bytes that are no UTF-8 stay as they are.
        **options: not used.
    """
    return _cut(list, input)


def unicode_decode(input: Any, input_encoding: str, errors: str = "replace", **options: Any) -> Any:
    """The numbers of the characters of texts.

    Args:
        input: the texts.
        input_encoding: 'UTF-8'.
        errors: not used.
        **options: not used.
    """
    found = unicode_split(input, input_encoding)
    numbers = _numbers(ord, found, "int32")
    return numbers if isinstance(numbers, RaggedTensor) else constant(K.to_numpy(numbers), "int32")


def unicode_encode(input: Any, output_encoding: str, **options: Any) -> Any:
    """The text that the numbers of its characters mean.

    Args:
        input: the numbers, along the last axis.
        output_encoding: 'UTF-8'.
        **options: not used.
    """
    if isinstance(input, RaggedTensor):
        return values_of(np.array([*(str(unicode_encode(row, "")) for row in input), None], object)[:-1])
    return reduce_join(_each(chr, K.to_numpy(input)), axis=-1)


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Any:
    """The numbers that texts say.

    Args:
        input: the texts.
        out_type: the dtype.
        name: not used.
    """
    dtype = str(getattr(out_type, "name", out_type))
    return _numbers(int if "int" in dtype else float, input, dtype)


def as_string(input: Any, precision: int = -1, **options: Any) -> Any:
    """Numbers as texts.

    Args:
        input: the numbers.
        precision: digits behind the point; -1 for those that TensorFlow writes, six.
        **options: not used.
    """

    def written(number: Any) -> str:
        if isinstance(number, bool | np.bool_):
            return str(bool(number)).lower()
        if isinstance(number, float | np.floating):
            return f"{number:.{6 if precision < 0 else precision}f}"
        return str(number)

    return values_of(_each(written, K.to_numpy(input)))


def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Any:
    """A number below a bound for each text, by Google's FarmHash.

    Args:
        input: the texts.
        num_buckets: the bound.
        name: not used.
    """
    return _numbers(lambda t: farm_fingerprint(_bytes(t)) % num_buckets, input, "int64")


def to_hash_bucket_strong(input: Any, num_buckets: int, key: list[int], name: str | None = None) -> Any:
    """A number below a bound for each text, by SipHash.

    Args:
        input: the texts.
        num_buckets: the bound.
        key: two numbers.
        name: not used.
    """
    return _numbers(lambda t: bins_of([_bytes(t)], num_buckets, list(key))[0], input, "int64")


to_hash_bucket = string_to_hash_bucket_fast = to_hash_bucket_fast


def format(template: str, inputs: Any, placeholder: str = "{}", **options: Any) -> Any:
    """A text with values in it.

    Args:
        template: the text.
        inputs: a tensor, or several.
        placeholder: what stands where a value goes.
        **options: not used.
    """
    for value in inputs if isinstance(inputs, list | tuple) else [inputs]:
        shown = str(K.to_numpy(value)) if hasattr(value, "shape") else str(value)
        template = template.replace(placeholder, shown, 1)
    return values_of(template)


def ngrams(data: Any, ngram_width: Any, separator: str = " ", **options: Any) -> Any:
    """Neighbouring texts put together.

    Args:
        data: the texts, along the last axis.
        ngram_width: how many; several numbers for each of them.
        separator: what stands between them.
        **options: not used.
    """
    if isinstance(data, RaggedTensor) or np.ndim(data) > 1:
        return of_rows([ngrams(row, ngram_width, separator) for row in data])
    texts, widths = texts_of(data).tolist(), np.atleast_1d(ngram_width).tolist()
    made = [separator.join(texts[i : i + n]) for n in widths for i in range(len(texts) - n + 1)]
    return values_of(np.array([*made, None], object)[:-1])


# What functions of tensors do to texts ----------------------------------------------------------------------

_ARRANGING: dict[str, Callable[..., Any]] = {
    "expand_dims": lambda input, axis=0: np.expand_dims(texts_of(input), axis),
    "squeeze": lambda input, axis=None: np.squeeze(texts_of(input), axis),
    "reshape": lambda tensor, shape: texts_of(tensor).reshape(np.asarray(shape).tolist()),
    "stack": lambda values, axis=0: np.stack([texts_of(v) for v in values], axis),
    "concat": lambda values, axis=0: np.concatenate([texts_of(v) for v in values], axis),
    "transpose": lambda a, perm=None: np.transpose(texts_of(a), perm),
    "gather": lambda params, indices, axis=0: np.take(texts_of(params), K.to_numpy(indices), axis),
    "boolean_mask": lambda tensor, mask: texts_of(tensor)[K.to_numpy(mask)],
    "tile": lambda input, multiples: np.tile(texts_of(input), multiples),
    "identity": lambda input: texts_of(input),
    "convert_to_tensor": lambda value, dtype=None: texts_of(value),
    "equal": lambda x, y: texts_of(x) == texts_of(y),
    "not_equal": lambda x, y: texts_of(x) != texts_of(y),
    "shape": lambda input, out_type=None: np.array(np.shape(texts_of(input)), "int32"),
    "size": lambda input, out_type=None: np.int32(texts_of(input).size),
    "where": lambda condition, x, y: np.where(K.to_numpy(condition), texts_of(x), texts_of(y)),
    "add": lambda x, y: texts_of(x) + texts_of(y),
    "reverse": lambda tensor, axis: np.flip(texts_of(tensor), tuple(axis)),
}


def are_among(items: Any) -> bool:
    """Whether something is a text, or an array of them, or holds one.

    Args:
        items: what a function is called with.
    """
    if isinstance(items, list | tuple):
        return any(map(are_among, items))
    return isinstance(items, str | bytes) or (isinstance(items, np.ndarray | np.generic) and items.dtype.kind in "OSU")


def arranged(name: str, args: Any, named: dict[str, Any]) -> Values | None:
    """What a function of tensors makes of texts; None if it makes nothing of them.

    Args:
        name: its name.
        args: what it is called with.
        named: the same by name.
    """
    function = _ARRANGING.get(name)
    if function is None or not (are_among(args) or are_among(list(named.values()))):
        return None
    return values_of(function(*args, **named))
