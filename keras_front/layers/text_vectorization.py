"""`TextVectorization`: texts cut into words, and those looked up.

It works on the host, as all layers of strings do, see `lookup.py`.
Source for names, arguments and conventions: Keras 3, `layers/preprocessing/text_vectorization.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Unpack

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS

from .arguments import Flag, Kept, OneOf, Positive, Reader, Sparse
from .base import LayerArguments
from .lookup import OLD_MODES, MaxTokens, _StringLookup

_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")


class _FunctionOrName(OneOf):
    """Reads a function, or one of some names."""

    def _chosen(self, value: Any, layer: Any) -> Any:
        return value if callable(value) else super()._chosen(value, layer)


def _ngrams(value: Any, layer: Any) -> Any:
    return value if isinstance(value, int) else tuple(int(n) for n in value)


_STANDARDIZED = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)
Standardize = Annotated[str | Callable[[Any], Any] | None, _FunctionOrName(_STANDARDIZED)]
Split = Annotated[str | Callable[[str], Sequence[str]] | None, _FunctionOrName(("whitespace", "character", None))]
Ngrams = Annotated[int | Sequence[int], Reader(_ngrams, "an integer or a tuple of integers")]
TextMode = Annotated[str, OneOf(("int", "multi_hot", "count", "tf_idf"), OLD_MODES)]


@LAYERS.register()
class TextVectorization(_StringLookup):
    """Texts as sequences of indices, or as vectors.

    Args:
        standardize: 'lower_and_strip_punctuation', 'lower', 'strip_punctuation', None, or a function of an array of
            strings or of one string. Only the letters A to Z are made small.
        split: 'whitespace', 'character', None (each string is a token), or a function from a string to its tokens.
        ngrams: the largest length of joined tokens, or a tuple of lengths.
        output_mode: 'int' (0 is padding, 1 an unknown token), 'multi_hot', 'count' or 'tf_idf'.
        output_sequence_length: length to which sequences are cut or padded; by default that of the longest.
        ragged: False; there are no ragged tensors, and shorter sequences are padded.
        encoding: how bytes are read as strings.

    Shape: (batch,) or (batch, 1) of strings -> (batch, length), or (batch, tokens) unless the mode is 'int'; without
        `split` also (batch, n) of strings.
    Example:
        >>> layer = TextVectorization(output_sequence_length=3)
        >>> layer.adapt(["the dog", "the cat and the dog"])
        >>> layer(["The dog!"]).tolist()
        [[2, 3, 0]]
    """

    mask_token, oov_token, num_oov_indices, invert = "", "[UNK]", 1, False

    def __init__(
        self,
        max_tokens: MaxTokens | None = None,
        standardize: Standardize = "lower_and_strip_punctuation",
        split: Split = "whitespace",
        ngrams: Ngrams | None = None,
        output_mode: TextMode = "int",
        output_sequence_length: Positive | None = None,
        pad_to_max_tokens: Flag = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: Sparse = False,
        ragged: Sparse = False,
        encoding: Kept = "utf-8",
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        if output_mode != "int" and output_sequence_length is not None:
            raise ArgumentError(
                f"{type(self).__name__}: output_sequence_length needs output_mode='int', not {output_mode!r}."
            )
        self._init_vocabulary(vocabulary, idf_weights)

    def _rows(self, batch: np.ndarray) -> list[list[str]]:
        """The tokens of each text."""
        if self.split is not None and (batch.ndim > 2 or (batch.ndim == 2 and batch.shape[1] != 1)):
            raise ArgumentError(f"{self.name}: expected texts of shape (batch,) or (batch, 1), received {batch.shape}.")
        texts = self._standard([self._token(text) for text in batch.ravel().tolist()])
        if self.split is not None:
            return [self._joined(self._cut(text)) for text in texts]
        wide = batch.shape[1] if batch.ndim == 2 else 1
        return [self._joined(texts[i : i + wide]) for i in range(0, len(texts), wide)]

    def tokens_of(self, text: Any) -> list[str]:
        """The tokens of one text, before they are looked up.

        Args:
            text: a string or bytes.
        """
        return self._rows(np.array([text], object))[0]

    def _standard(self, texts: list[str]) -> list[str]:
        if callable(self.standardize):
            return _applied(self.standardize, texts)
        words = self.standardize or ""
        if "lower" in words:
            texts = [text.encode().lower().decode() for text in texts]  # bytes know the letters A to Z only
        return [_PUNCTUATION.sub("", text) for text in texts] if "punctuation" in words else texts

    def _cut(self, text: str) -> list[str]:
        if callable(self.split):
            return [self._token(token) for token in self.split(text)]
        # Bytes are cut at the white space of ASCII only, and not at spaces that must not break.
        return [word.decode() for word in text.encode().split()] if self.split == "whitespace" else list(text)

    def _joined(self, tokens: list[str]) -> list[str]:
        if self.ngrams is None:
            return tokens
        lengths: Sequence[int] = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]

    def _shape_of_codes(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return shape[0], self.output_sequence_length

    def _on_host(self, inputs: Any) -> Any:
        texts = np.asarray(inputs)
        rows = [self._codes(np.array(tokens, object)) for tokens in self._rows(texts)]
        longest = max((len(row) for row in rows), default=0)
        fixed = self.output_sequence_length
        length = longest if fixed is None else fixed
        filler = 0 if self.output_mode == "int" else -1  # which is no token at all
        padded = [np.pad(row[:length], (0, max(0, length - len(row))), constant_values=filler) for row in rows]
        codes = np.array(padded, "int64").reshape(len(rows), length)
        if self.output_mode != "int" and not length:
            codes = np.full((len(rows), 1), -1, "int64")
        result = self._vectors(K.convert(codes))
        return result if texts.ndim else K.squeeze(result, 0)


def _applied(function: Any, texts: list[str]) -> list[str]:
    """A function of the user's on the array of texts; on each by itself if it takes only one string."""
    try:
        result = np.asarray(function(np.array(texts, str)))
        if result.shape == (len(texts),):
            return result.tolist()
    except (TypeError, AttributeError):
        pass
    return [str(function(text)) for text in texts]
