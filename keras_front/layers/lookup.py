"""Words and integers as indices of a vocabulary: `StringLookup`, `IntegerLookup`.

No backend has tensors of strings. So layers that take strings, or give them, work on the host: they are called on
arrays and lists, or on an `Input` of a model (see `host.py`), and refuse other symbols. `IntegerLookup` runs inside
models as well.
The vocabulary is a list, an array, or the name of a file with one token in each line. Only code may name a file: a
config that does is refused, as no config may make us read files.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, DtypeError, StateError, UnsafeFileError, WrongKindError
from keras_front.file_form import FileForm
from keras_front.graph.layer import LAYERS
from keras_front.utils.progbar import tracked

from .arguments import CHOICE, Count, Flag, Kept, OneOf, Reader, Sparse
from .base import LayerArguments
from .feature_preprocessing import NumericLayer, batches_of, encoded
from .hashing import Salt, bins_of
from .host import HostLayer

OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def _max_tokens(value: Any, layer: Any) -> int:
    if value < 2:
        raise ValueError
    return int(value)


LookupMode = Annotated[str, OneOf(("int", "one_hot", "multi_hot", "count", "tf_idf"), OLD_MODES)]
MaxTokens = Annotated[int, Reader(_max_tokens, "an integer of at least 2")]


PIECE = 1 << 14  # rows after which a long count shows how far it is


def _pieces(batch: np.ndarray) -> Iterable[np.ndarray]:
    """The rows of a batch, many at a time."""
    if not batch.ndim or len(batch) <= PIECE:
        return [batch]
    starts = range(0, len(batch), PIECE)
    return tracked((batch[start : start + PIECE] for start in starts), "Counting", len(starts))


class _IndexLookup(NumericLayer):
    """A table of tokens: the mask token, those that stand for unknown ones, then the vocabulary.

    Args:
        max_tokens: size of the vocabulary that `adapt` makes, special tokens included; None for all tokens.
        num_oov_indices: how many indices unknown tokens share.
        mask_token: the token of index 0, which stands for padding; None for none.
        oov_token: what stands in the vocabulary for unknown tokens, and what an unknown index becomes with `invert`.
        vocabulary: the tokens in the order of their indices, or the name of a file with one in each line. By default
            `adapt` or `set_vocabulary` brings them.
        idf_weights: factors of the tokens in the mode 'tf_idf'; `adapt` learns them as well.
        invert: whether indices become tokens.
        output_mode: 'int' for indices, or vectors as from `CategoryEncoding`: 'one_hot' for each token, 'multi_hot'
            (which occur along the last axis), 'count' (how often) or 'tf_idf' (counts times `idf_weights`). 'binary'
            and 'tf-idf' are older names.
        sparse: False; there are no sparse tensors.
        pad_to_max_tokens: whether vectors are as long as `max_tokens` says, even if there are fewer tokens.
        salt: number or pair of numbers that make the hash of unknown tokens another one.
    """

    file_form = FileForm(places=("vocabulary",), tf_keras={"oov_method": "floormod", "salt": None})

    _casts_inputs = False
    mask_token: Any
    oov_token: Any
    num_oov_indices: int

    def _init_vocabulary(self, vocabulary: Any, idf_weights: Any) -> None:
        self._check(idf_weights)
        self._weights: list[float] | None = None
        self._tokens: list[Any] = []
        self._known, self._fixed = False, vocabulary is not None
        if self._fixed:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check(self, weights: Any) -> None:
        where = type(self).__name__
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ArgumentError(f"{where}: pad_to_max_tokens=True needs max_tokens, received None.")
        if self.invert and self.output_mode != "int":
            raise ArgumentError(f"{where}: invert=True needs output_mode='int', not {self.output_mode!r}.")
        if weights is not None and self.output_mode != "tf_idf":
            raise ArgumentError(f"{where}: idf_weights need output_mode='tf_idf', not {self.output_mode!r}.")

    # The table ---------------------------------------------------------------------------------------

    def _leading(self) -> list[Any]:
        """What stands before the vocabulary."""
        masked = self.mask_token is not None and self.output_mode == "int"
        return ([self.mask_token] if masked else []) + [self.oov_token] * self.num_oov_indices

    @property
    def vocabulary(self) -> list[Any] | None:
        """The tokens without the special ones, or None before there are any."""
        return self._tokens or None

    @property
    def idf_weights(self) -> list[float] | None:
        """The factor of each index, special ones included, in the mode 'tf_idf'."""
        return self._weights

    @property
    def is_adapted(self) -> bool:
        """Whether the tokens are known, by `adapt` or otherwise."""
        return self._known

    @property
    def adapts(self) -> bool:
        """Whether `adapt` makes the vocabulary, which was not given."""
        return not self._fixed

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, most frequent first; special tokens in front may be left out.

        Args:
            vocabulary: list or array of tokens, or the name of a file with one in each line.
            idf_weights: factors for 'tf_idf', one for each of them.

        Raises: ArgumentError for none or repeated tokens, or for more than `max_tokens`.
        """
        named = isinstance(vocabulary, str | bytes) or hasattr(vocabulary, "__fspath__")
        if not named and not hasattr(vocabulary, "__iter__"):
            raise WrongKindError(
                f"{self.name}: expected vocabulary to be a list of tokens, received {vocabulary!r:.60}."
            )
        tokens = [self._checked_token(t) for t in (_lines(vocabulary) if named else np.asarray(vocabulary).tolist())]
        leading = self._leading()
        led = bool(leading) and tokens[: len(leading)] == leading
        self._set(tokens[len(leading) :] if led else tokens, idf_weights, led)

    def _set(self, tokens: list[Any], weights: Any, led: bool) -> None:
        leading = self._leading()
        if not tokens:
            raise ArgumentError(f"{self.name}: expected a vocabulary with tokens, received an empty one.")
        reserved = {self.mask_token, *([self.oov_token] if self.invert else [])} - {None}
        if len(set(tokens)) != len(tokens) or reserved & set(tokens):
            raise ArgumentError(f"{self.name}: the vocabulary holds a token twice, or a special token in its middle.")
        if self.max_tokens is not None and len(tokens) + len(leading) > self.max_tokens:
            raise ArgumentError(
                f"{self.name}: {len(tokens)} tokens and {len(leading)} special ones are more than "
                f"max_tokens={self.max_tokens}."
            )
        if self.output_mode == "tf_idf":
            wanted = len(tokens) + (len(leading) if led else 0)
            if weights is None or len(weights) != wanted:
                raise ArgumentError(f"{self.name}: output_mode='tf_idf' needs idf_weights, one for each token.")
            found = [float(w) for w in weights]
            self._weights = found if led else [float(np.mean(found))] * len(leading) + found
        self._tokens, self._known = tokens, True

    def _token(self, token: Any) -> Any:
        return token

    def _checked_token(self, token: Any) -> Any:
        try:
            return self._token(token)
        except (TypeError, ValueError):
            raise WrongKindError(
                f"{self.name}: expected other tokens in the vocabulary, received {token!r:.60}."
            ) from None

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices.

        Args:
            include_special_tokens: whether the mask token and those for unknown ones stand in front, as they do among
                the indices.
        """
        return [*(self._leading() if include_special_tokens else []), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many indices there are, special ones included."""
        return len(self._leading()) + len(self._tokens)

    def adapt(self, data: Any, batch_size: Any = None, steps: int | None = None) -> None:
        """Count tokens anew, and keep the most frequent ones.

        Args:
            data: array or list of tokens, or an iterable of such batches.
            batch_size: ignored: an array is read as it is, batches have the size that they have.
            steps: how many batches of an iterable to take; None for all.

        Raises: StateError if the vocabulary was given to the constructor.
        """
        if self._fixed:
            raise StateError(f"{self.name}: the vocabulary is given; there is nothing to adapt. Use set_vocabulary.")
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        number = 0
        for batch in batches_of(data, steps):
            for rows in map(self._rows, _pieces(np.asarray(batch))):
                number += len(rows)
                for row in rows:
                    counts.update(row)
                    documents.update(set(row))
        self._keep_most_frequent(counts, documents, number)

    def _keep_most_frequent(self, counts: Counter[Any], documents: Counter[Any], number: int) -> None:
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        found = sorted(counts, key=lambda t: (-counts[t], _descending(t)))
        room = None if self.max_tokens is None else self.max_tokens - len(self._leading())
        found = found[:room]
        self._known = True
        if found:
            self._set(found, [float(np.log(1 + number / (1 + documents[t]))) for t in found], led=False)

    def _rows(self, batch: np.ndarray) -> list[list[Any]]:
        rows = batch.reshape(len(batch), -1) if batch.ndim else batch.reshape(1, 1)
        return [[self._token(t) for t in row] for row in rows.tolist()]

    # Calling -----------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if not self._known:
            raise StateError(f"{self.name}: call adapt or set_vocabulary before the layer is used.")

    def _vectors(self, codes: Any) -> Any:
        """Indices in the form of `output_mode`."""
        if self.output_mode == "int":
            return codes
        size = self.vocabulary_size()
        wide = self.max_tokens if self.pad_to_max_tokens and self.max_tokens else size
        dtype = self.dtype if str(self.dtype).startswith("float") else config.floatx()
        result = encoded(codes, wide, "count" if self.output_mode == "tf_idf" else self.output_mode, dtype)
        if self.output_mode != "tf_idf":
            return result
        padded = [*(self._weights or [0.0] * size)] + [0.0] * (wide - size)
        return result * K.convert(np.asarray(padded), dtype)

    def get_config(self) -> dict[str, Any]:
        whole = self.output_mode == "tf_idf" and self._tokens
        tokens = self.get_vocabulary() if whole else list(self._tokens)
        return {**super().get_config(), "vocabulary": tokens or None, "idf_weights": self._weights}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        if isinstance(config.get("vocabulary"), str | bytes):
            raise UnsafeFileError(
                f"{cls.__name__}: the config names the file {config['vocabulary']!r}. A file is not read because a "
                "config says so; read it yourself and pass its lines."
            )
        given = {key: value for key, value in config.items() if key not in _NOT_ARGUMENTS}
        return cls(**given)


# What Keras 3 writes beside the vocabulary.
_NOT_ARGUMENTS = ("vocabulary_size", "has_input_vocabulary")


def _lines(path: Any) -> list[str]:
    text = Path(path.decode() if isinstance(path, bytes) else path).read_text(encoding="utf-8")
    return text.removesuffix("\n").split("\n")


def _descending(token: Any) -> Any:
    """Sort key: among tokens of one count the larger comes first, as in Keras."""
    return [-byte for byte in token.encode()] + [1] if isinstance(token, str) else -token


@LAYERS.register()
class IntegerLookup(_IndexLookup):
    """Integers as indices of a vocabulary, or back with `invert`.

    Args:
        num_oov_indices: how many indices unknown integers share: 0 gives them the index -1.
        vocabulary_dtype: type of the vocabulary and of indices, 'int64' or 'int32'.
        oov_method: how unknown integers get one of several indices: by 'floormod', the remainder, or by 'farmhash',
            on arrays only.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    Example:
        >>> IntegerLookup(vocabulary=[10, 20])(K.constant([20, 10, 7], dtype="int64")).tolist()
        [2, 1, 0]
    """

    def __init__(
        self,
        max_tokens: MaxTokens | None = None,
        num_oov_indices: Count = 1,
        mask_token: Kept = None,
        oov_token: Kept = -1,
        vocabulary: Any = None,
        vocabulary_dtype: Annotated[Literal["int32", "int64"], CHOICE] = "int64",
        idf_weights: Any = None,
        invert: Flag = False,
        output_mode: LookupMode = "int",
        sparse: Sparse = False,
        pad_to_max_tokens: Flag = False,
        oov_method: Annotated[Literal["floormod", "farmhash"], CHOICE] = "floormod",
        salt: Salt | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if self.salt is not None and oov_method != "farmhash":
            raise ArgumentError(f"IntegerLookup: a salt needs oov_method='farmhash', not {oov_method!r}.")
        self._init_vocabulary(vocabulary, idf_weights)

    def _token(self, token: Any) -> int:
        return int(token)

    def call(self, inputs: Any) -> Any:
        self._ready()
        table = np.asarray(self._tokens, self.vocabulary_dtype)
        inputs = K.cast(inputs, self.vocabulary_dtype)
        if self.invert:
            return self._inverted(inputs)
        first = len(self._leading())
        codes = self._of_unknown(inputs, first - self.num_oov_indices)
        if len(table):
            found = K.equal(K.expand_dims(inputs, -1), table)
            place = K.cast(K.argmax(K.cast(found, "int32"), axis=-1), self.vocabulary_dtype) + first
            codes = K.where(K.any(found, axis=-1), place, codes)
        if self.mask_token is not None:  # which has index 0, or none where vectors are made
            none = K.zeros_like(codes) - (0 if first > self.num_oov_indices else 1)
            codes = K.where(K.equal(inputs, self.mask_token), none, codes)
        return self._vectors(codes)

    def _of_unknown(self, inputs: Any, first: int) -> Any:
        """The index that each integer has if it is not in the vocabulary."""
        if not self.num_oov_indices:
            return K.zeros_like(inputs) - 1
        if self.num_oov_indices == 1 or self.oov_method == "floormod":
            return K.cast(K.mod(inputs, self.num_oov_indices) + first, self.vocabulary_dtype)
        if K.is_symbolic(inputs):
            raise DtypeError(
                f"{self.name}: no backend hashes, so oov_method='farmhash' needs an array of integers, received a "
                "symbolic tensor. Call the layer on the data before it goes into the model, or use 'floormod'."
            )
        values = K.to_numpy(inputs)
        places = bins_of([str(n) for n in values.ravel().tolist()], self.num_oov_indices, self.salt)
        return K.convert((np.asarray(places) + first).reshape(values.shape), self.vocabulary_dtype)

    def _inverted(self, codes: Any) -> Any:
        table = np.asarray([*self._leading(), *self._tokens], self.vocabulary_dtype)
        inside = K.logical_and(codes >= 0, codes < len(table))
        found = K.gather(table, K.cast(K.clip(codes, 0, len(table) - 1), "int32"))
        return K.where(inside, found, K.zeros_like(codes) + self.oov_token)


class _StringLookup(_IndexLookup, HostLayer):
    """A table of strings, called on arrays and lists, or on an `Input` of strings."""

    encoding = "utf-8"
    salt: Any = None

    def _token(self, token: Any) -> str:
        return token.decode(self.encoding) if isinstance(token, bytes) else str(token)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Look up strings; with `invert`, indices.

        Args:
            inputs: array, list or string; or an `Input` of strings.
            args, kwargs: ignored.

        Raises:
            DtypeError: for any other symbolic tensor.
            StateError: if there is no vocabulary yet.
        """
        if K.is_symbolic(inputs) and (self.invert or inputs.dtype != "string"):
            refuse_symbols(self.name, inputs)
        return super().__call__(inputs)

    @property
    def takes_strings(self) -> bool:  # type: ignore[override]
        """Whether the layer is called on strings, not on indices."""
        return not self.invert

    def on_host(self, inputs: Any) -> Any:
        """The indices of strings; with `invert`, the strings.

        Args:
            inputs: array, list or string.

        Raises: StateError if there is no vocabulary yet.
        """
        self._ready()
        return self._on_host(inputs)

    def _on_host(self, inputs: Any) -> Any:
        raise NotImplementedError

    def host_output(self, shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], str]:
        """Shape and dtype of the output for strings of a shape.

        Args:
            shape: the shape of the input, with the batch axis.
        """
        if self.output_mode == "int":
            return self._shape_of_codes(shape), "int64"
        self._ready()
        sample = self._on_host(np.full([1, *(size or 1 for size in shape[1:])], "", object))
        return (shape[0], *K.int_shape(sample)[1:]), K.dtype(sample)

    def _shape_of_codes(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return shape

    def _codes(self, words: np.ndarray) -> np.ndarray:
        """Indices of an array of strings.

        Raises: ArgumentError for an unknown word if there is no index for it.
        """
        first = len(self._leading())
        table = {token: i + first for i, token in enumerate(self._tokens)}
        if self.mask_token is not None:  # which has index 0, or none where vectors are made
            table[self.mask_token] = 0 if first > self.num_oov_indices else -1
        flat = [self._token(word) for word in words.ravel().tolist()]
        unknown = sorted(set(flat) - set(table))
        if self.num_oov_indices == 0 and unknown:
            raise ArgumentError(
                f"{self.name}: unknown words {unknown[:3]}, and num_oov_indices=0 has no index for them."
            )
        table.update(self._of_unknown(unknown, first - self.num_oov_indices))
        return np.array([table[word] for word in flat], "int64").reshape(words.shape)

    def _of_unknown(self, words: list[str], first: int) -> Iterator[tuple[str, int]]:
        places = bins_of(words, self.num_oov_indices, self.salt) if self.num_oov_indices > 1 else [0] * len(words)
        return ((word, first + place) for word, place in zip(words, places, strict=True))


def refuse_symbols(name: str, inputs: Any) -> None:
    """Raise for a symbolic tensor where strings are wanted.

    Args:
        name: name of the layer, for the message.
        inputs: what it was called on.

    Raises: DtypeError for a symbolic tensor.
    """
    if K.is_symbolic(inputs):
        raise DtypeError(
            f"{name}: expected an array or list of strings, or an Input of dtype 'string', received a symbolic tensor. "
            "No backend has tensors of strings; call the layer on the Input, or on the data before the model."
        )


@LAYERS.register()
class StringLookup(_StringLookup):
    """Strings as indices of a vocabulary, or back with `invert`; in a model on an `Input` of strings.

    Args:
        num_oov_indices: how many indices unknown strings share, by their hash; 0 refuses them.
        encoding: how bytes are read as strings.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    Example:
        >>> layer = StringLookup()
        >>> layer.adapt(["b", "a", "b"])
        >>> layer(["a", "b", "c"]).tolist()
        [2, 1, 0]
    """

    def __init__(
        self,
        max_tokens: MaxTokens | None = None,
        num_oov_indices: Count = 1,
        mask_token: Kept = None,
        oov_token: Kept = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: Flag = False,
        output_mode: LookupMode = "int",
        pad_to_max_tokens: Flag = False,
        sparse: Sparse = False,
        encoding: Kept = "utf-8",
        salt: Salt | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**{k: v for k, v in kwargs.items() if (k, v) not in _IMPLIED})
        self._init_vocabulary(vocabulary, idf_weights)

    def _on_host(self, inputs: Any) -> Any:
        if not self.invert:
            return self._vectors(K.convert(self._codes(np.asarray(inputs))))
        table = np.array([*self._leading(), *self._tokens])
        codes = np.asarray(K.to_numpy(inputs) if hasattr(inputs, "shape") else inputs)
        inside = (codes >= 0) & (codes < len(table))
        return np.where(inside, table[np.where(inside, codes, 0)], self.oov_token)


# What Keras 3 writes for what we do anyway.
_IMPLIED = (("oov_method", "floormod"), ("oov_method", "farmhash"), ("vocabulary_dtype", "string"))
