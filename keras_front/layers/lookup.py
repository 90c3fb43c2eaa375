"""Words and integers as indices of a vocabulary: `StringLookup`, `IntegerLookup`, `TextVectorization`.

No backend has tensors of strings. So layers that take strings, or give them, work on the host: they are called on
arrays and lists, before the model, and refuse symbols. `IntegerLookup` runs inside models as well.
A vocabulary is a list or array; a name of a file is refused, as no config may make us read files.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, DtypeError, StateError
from keras_front.graph.layer import LAYERS, Layer

from ._arguments import one_of
from .feature_preprocessing import batches_of, encoded

LOOKUP_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class _Lookup(Layer):
    """A table of tokens: the mask token, those that stand for unknown ones, then the vocabulary."""

    _casts_inputs = False
    mask_token: Any
    oov_token: Any
    num_oov_indices: int

    def _begin(self, given: dict[str, Any]) -> None:
        where = type(self).__name__
        self.max_tokens, self.num_oov_indices = given["max_tokens"], given["num_oov_indices"]
        self.mask_token, self.oov_token = given["mask_token"], given["oov_token"]
        self.invert, self.pad_to_max_tokens = given["invert"], given["pad_to_max_tokens"]
        self.output_mode = one_of(where, "output_mode", given["output_mode"], LOOKUP_MODES)
        self.sparse = one_of(where, "sparse", given["sparse"], (False,))
        if self.invert and self.output_mode != "int":
            raise ArgumentError(f"{where}: invert=True needs output_mode='int', not {self.output_mode!r}.")
        self.idf_weights: list[float] | None = None
        self._tokens: list[Any] = []
        if given["vocabulary"] is not None:
            self.set_vocabulary(given["vocabulary"], given["idf_weights"])

    # The table ---------------------------------------------------------------------------------------

    def _leading(self) -> list[Any]:
        """What stands before the vocabulary."""
        masked = self.mask_token is not None and self.output_mode == "int"
        return ([self.mask_token] if masked else []) + [self.oov_token] * self.num_oov_indices

    @property
    def vocabulary(self) -> list[Any] | None:
        """The tokens without the special ones, or None before there are any."""
        return self._tokens or None

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, most frequent first; special tokens in front may be left out.

        Raises: ArgumentError for a file name, for repeated tokens, or for more than `max_tokens`.
        """
        if isinstance(vocabulary, str | bytes) or hasattr(vocabulary, "__fspath__"):
            raise ArgumentError(
                f"{self.name}: expected a list of tokens, received {vocabulary!r}. A file is not read; read it "
                "yourself and pass its lines."
            )
        tokens = [self._token(t) for t in np.asarray(vocabulary).tolist()]
        leading = self._leading()
        if leading and tokens[: len(leading)] == leading:
            tokens = tokens[len(leading) :]
        if len(set(tokens)) != len(tokens) or {self.mask_token, self.oov_token} & set(tokens):
            raise ArgumentError(f"{self.name}: the vocabulary holds a token twice, or a special token in its middle.")
        if self.max_tokens is not None and len(tokens) + len(leading) > self.max_tokens:
            raise ArgumentError(
                f"{self.name}: {len(tokens)} tokens and {len(leading)} special ones are more than "
                f"max_tokens={self.max_tokens}."
            )
        if self.output_mode == "tf_idf":
            if idf_weights is None or len(idf_weights) != len(tokens):
                raise ArgumentError(f"{self.name}: output_mode='tf_idf' needs idf_weights, one for each token.")
            self.idf_weights = [float(w) for w in idf_weights]
        self._tokens = tokens

    def _token(self, token: Any) -> Any:
        return token

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices."""
        return [*(self._leading() if include_special_tokens else []), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many indices there are, special ones included."""
        return len(self._leading()) + len(self._tokens)

    def adapt(self, data: Any) -> None:
        """Count tokens in arrays, or in batches of arrays, and keep the most frequent ones."""
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        number = 0
        for batch in batches_of(data):
            rows = self._rows(np.asarray(batch))
            number += len(rows)
            for row in rows:
                counts.update(row)
                documents.update(set(row))
        for special in (self.mask_token, self.oov_token, ""):
            counts.pop(special, None)
        found = sorted(counts, key=lambda t: (-counts[t], _descending(t)))
        room = None if self.max_tokens is None else self.max_tokens - len(self._leading())
        found = found[:room]
        weights = [float(np.log(1 + number / (1 + documents[t]))) for t in found]
        self.set_vocabulary(found, weights)

    def _rows(self, batch: np.ndarray) -> list[list[Any]]:
        rows = batch.reshape(len(batch), -1) if batch.ndim else batch.reshape(1, 1)
        return [[self._token(t) for t in row] for row in rows.tolist()]

    # Calling -----------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if not self._tokens:
            raise StateError(f"{self.name}: call adapt or set_vocabulary before the layer is used.")

    def _vectors(self, codes: Any) -> Any:
        """Indices in the form of `output_mode`."""
        if self.output_mode == "int":
            return codes
        size = self.vocabulary_size()
        wide = self.max_tokens if self.pad_to_max_tokens and self.max_tokens else size
        dtype = self.dtype if str(self.dtype).startswith("float") else config.floatx()
        single = K.ndim(codes) == 1 and self.output_mode != "one_hot"
        codes = K.expand_dims(codes, -1) if single else codes
        result = encoded(codes, wide, "count" if self.output_mode == "tf_idf" else self.output_mode, dtype)
        if self.output_mode != "tf_idf":
            return result
        weights = np.asarray(self.idf_weights or [0.0])
        padded = [weights.mean()] * len(self._leading()) + [*weights] + [0.0] * (wide - size)
        return result * K.convert(np.asarray(padded), dtype)

    def get_config(self) -> dict[str, Any]:
        result = super().get_config()
        return {**result, "vocabulary": list(self._tokens) or None, "idf_weights": self.idf_weights}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        given = {key: value for key, value in config.items() if (key, value) not in _AS_EVER}
        given.pop("vocabulary_size", None)  # which Keras 3 writes beside the vocabulary
        return cls(**given)


# What Keras 3 writes for what we do anyway.
_AS_EVER = (("oov_method", "floormod"), ("salt", None))


def _descending(token: Any) -> Any:
    """Sort key: among tokens of one count the larger comes first, as in Keras."""
    return [-ord(c) for c in token] + [1] if isinstance(token, str) else -token


@LAYERS.register()
class IntegerLookup(_Lookup):
    """Integers as indices of a vocabulary, or back with `invert`.

    Args:
        max_tokens: size of the vocabulary that `adapt` makes, special tokens included.
        num_oov_indices: how many indices unknown integers share: 0 refuses them where that can be seen (an index of
            -1 in a model), with more than one the remainder decides.
        mask_token: the integer of index 0, if there is one.
        vocabulary: the integers, in the order of their indices.
        output_mode: 'int', 'one_hot', 'multi_hot', 'count' or 'tf_idf'.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_dtype = one_of("IntegerLookup", "vocabulary_dtype", vocabulary_dtype, ("int32", "int64"))
        self._begin(locals())

    def _token(self, token: Any) -> int:
        return int(token)

    def call(self, inputs: Any) -> Any:
        self._ready()
        table = np.asarray(self._tokens, self.vocabulary_dtype)
        inputs = K.cast(inputs, self.vocabulary_dtype)
        if self.invert:
            return self._inverted(inputs)
        found = K.equal(K.expand_dims(inputs, -1), table)
        first = len(self._leading())
        place = K.cast(K.argmax(K.cast(found, "int32"), axis=-1), self.vocabulary_dtype) + first
        known = K.any(found, axis=-1)
        masked = first - self.num_oov_indices
        other = K.mod(inputs, max(1, self.num_oov_indices)) + masked if self.num_oov_indices else inputs * 0 - 1
        codes = K.where(known, place, K.cast(other, self.vocabulary_dtype))
        if self.mask_token is not None:  # which has index 0, or none where vectors are made
            none = K.zeros_like(codes) - (0 if masked else 1)
            codes = K.where(K.equal(inputs, self.mask_token), none, codes)
        return self._vectors(codes)

    def _inverted(self, codes: Any) -> Any:
        table = np.asarray([*self._leading(), *self._tokens], self.vocabulary_dtype)
        inside = K.logical_and(codes >= 0, codes < len(table))
        found = K.gather(table, K.cast(K.clip(codes, 0, len(table) - 1), "int32"))
        return K.where(inside, found, K.zeros_like(codes) + self.oov_token)


class _OfStrings(_Lookup):
    """A table of strings, called on arrays and lists only."""

    def _token(self, token: Any) -> str:
        return token.decode(self.encoding) if isinstance(token, bytes) else str(token)

    encoding = "utf-8"

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Look up an array or a list of strings; with `invert`, of indices."""
        if K.is_symbolic(inputs):
            raise DtypeError(
                f"{self.name}: expected an array or list of strings, received a symbolic tensor. No backend has "
                "tensors of strings; call the layer on the data before it goes into the model."
            )
        self._ready()
        self.built = True
        return self._on_host(inputs)

    def _on_host(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _codes(self, words: np.ndarray) -> np.ndarray:
        """Indices of an array of strings.

        Raises: ArgumentError for an unknown word if there is no index for it.
        """
        first = len(self._leading())
        table = {token: i + first for i, token in enumerate(self._tokens)}
        if self.mask_token is not None:  # which has index 0, or none where vectors are made
            table[self.mask_token] = 0 if first > self.num_oov_indices else -1
        flat = [self._token(word) for word in words.ravel().tolist()]
        if self.num_oov_indices == 0 and not set(flat) <= set(table):
            unknown = sorted(set(flat) - set(table))[:3]
            raise ArgumentError(f"{self.name}: unknown words {unknown}, and num_oov_indices=0 has no index for them.")
        unknown_code = first - self.num_oov_indices
        return np.array([table.get(word, unknown_code) for word in flat], "int64").reshape(words.shape)


@LAYERS.register()
class StringLookup(_OfStrings):
    """Strings as indices of a vocabulary, or back with `invert`; on arrays and lists, not in a model.

    Args:
        max_tokens: size of the vocabulary that `adapt` makes, special tokens included.
        num_oov_indices: 1 for one index of all unknown strings, 0 to refuse them.
        mask_token: the string of index 0, if there is one.
        vocabulary: the strings, in the order of their indices; never the name of a file.
        output_mode: 'int', 'one_hot', 'multi_hot', 'count' or 'tf_idf'.

    Shape: as the input for 'int'; otherwise as `CategoryEncoding` of that.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        # More than one index for unknown strings would need the hash function of one engine.
        one_of("StringLookup", "num_oov_indices", num_oov_indices, (0, 1))
        self.encoding = encoding
        self._begin(locals())

    def _on_host(self, inputs: Any) -> Any:
        if not self.invert:
            return self._vectors(K.convert(self._codes(np.asarray(inputs))))
        table = np.array([*self._leading(), *self._tokens])
        codes = np.asarray(K.to_numpy(inputs) if hasattr(inputs, "shape") else inputs)
        inside = (codes >= 0) & (codes < len(table))
        return np.where(inside, table[np.where(inside, codes, 0)], self.oov_token)


_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")


@LAYERS.register()
class TextVectorization(_OfStrings):
    """Texts as sequences of indices, or as vectors; on arrays and lists, not in a model.

    Args:
        max_tokens: size of the vocabulary that `adapt` makes, special tokens included.
        standardize: 'lower_and_strip_punctuation', 'lower', 'strip_punctuation', None, or a function of a string.
        split: 'whitespace', 'character', None, or a function from a string to its tokens.
        ngrams: the largest length of joined tokens, or a tuple of lengths.
        output_mode: 'int' (0 is padding, 1 an unknown token), 'multi_hot', 'count' or 'tf_idf'.
        output_sequence_length: length to which sequences are cut or padded; by default that of the longest.

    Shape: (batch,) or (batch, 1) of strings -> (batch, length), or (batch, tokens) unless the mode is 'int'.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        where = "TextVectorization"
        named = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)
        self.standardize = standardize if callable(standardize) else one_of(where, "standardize", standardize, named)
        self.split = split if callable(split) else one_of(where, "split", split, ("whitespace", "character", None))
        self.ngrams = ngrams if ngrams is None or isinstance(ngrams, int) else tuple(ngrams)
        self.output_sequence_length, self.encoding = output_sequence_length, encoding
        self.ragged = one_of(where, "ragged", ragged, (False,))
        given = {**locals(), "mask_token": "", "oov_token": "[UNK]", "num_oov_indices": 1, "invert": False}
        self._begin(given)

    def tokens_of(self, text: Any) -> list[str]:
        """The tokens of one text."""
        text = self._token(text)
        if callable(self.standardize):
            text = self.standardize(text)
        elif self.standardize is not None:
            text = text.lower() if "lower" in self.standardize else text
            text = _PUNCTUATION.sub("", text) if "punctuation" in self.standardize else text
        return self._joined(self._cut(text))

    def _cut(self, text: str) -> list[str]:
        if callable(self.split):
            return [str(token) for token in self.split(text)]
        return text.split() if self.split == "whitespace" else list(text) if self.split else [text]

    def _joined(self, tokens: list[str]) -> list[str]:
        if self.ngrams is None:
            return tokens
        lengths: Sequence[int] = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]

    def _rows(self, batch: np.ndarray) -> list[list[Any]]:
        return [self.tokens_of(text) for text in batch.ravel().tolist()]

    def _on_host(self, inputs: Any) -> Any:
        texts = np.asarray(inputs)
        if texts.ndim > 2 or (texts.ndim == 2 and texts.shape[1] != 1):
            raise ArgumentError(f"{self.name}: expected texts of shape (batch,) or (batch, 1), received {texts.shape}.")
        rows = [self._codes(np.array(tokens, object)) for tokens in self._rows(texts)]
        if self.output_mode != "int":
            result = K.concatenate(
                [self._vectors(K.convert(row[None])) if len(row) else self._none() for row in rows], 0
            )
        else:
            longest = max((len(row) for row in rows), default=0)
            length = longest if self.output_sequence_length is None else self.output_sequence_length
            padded = [np.pad(row[:length], (0, max(0, length - len(row)))) for row in rows]
            result = K.convert(np.array(padded, "int64").reshape(len(rows), length))
        return result if texts.ndim else K.squeeze(result, 0)

    def _none(self) -> Any:
        """The vector of a text without tokens."""
        return self._vectors(K.convert(np.array([[-1]], "int64")))
