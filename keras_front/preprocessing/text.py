"""Texts as numbers: words, their indices by frequency or by hash, and rows of counts.

For what Keras 3 does with texts inside a model see `layers.TextVectorization`.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from hashlib import md5
from typing import Any, Literal

import numpy as np

from keras_front.arguments import Count, reading
from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError, WrongKindError
from keras_front.failures import explains_failures

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

Text = str | list[str]  # a text, or its words
Analyzer = Callable[[Any], list[str]]


@accept_legacy_arguments
@explains_failures
def text_to_word_sequence(
    text: str | None, filters: str = FILTERS, lower: bool = True, split: str = " ", **kwargs: Any
) -> list[str]:
    """The words of a text.

    Args:
        text: the text.
        filters: characters that are no part of a word; each separates words. By default punctuation, tabs and ends of
            lines, but not the apostrophe.
        lower: make all letters small.
        split: what separates words; may be longer than one character.
        **kwargs: `input_text`, the name of `text` in tf.keras.

    Raises: ArgumentError if `text` is no text, or `split` is empty.
    Source: Keras 2.3.1, `keras.preprocessing.text.text_to_word_sequence`.
    Example:
        >>> text_to_word_sequence("Old code, just works!")
        ['old', 'code', 'just', 'works']
    """
    reject_unknown("text_to_word_sequence", kwargs, text_to_word_sequence)
    if not isinstance(text, str):
        raise ArgumentError(f"text_to_word_sequence: expected a text, received {type(text).__name__}.")
    if not split:
        raise ArgumentError("text_to_word_sequence: expected split to be one character or more, received ''.")
    text = text.lower() if lower else text
    separated = text.translate({ord(character): split for character in filters})
    return [word for word in separated.split(split) if word]


@explains_failures
def one_hot(
    text: str | None = None,
    n: int | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
    **kwargs: Any,
) -> list[int]:
    """The words of a text as numbers from 1 to n - 1, by Python's own hash, not one-hot vectors.

    That hash differs from process to process unless `PYTHONHASHSEED` is set; `hashing_trick` with 'md5' does not.

    Args:
        text: the text.
        n: one more than the largest number.
        filters, lower, split: as in `text_to_word_sequence`.
        analyzer: splits a text into words, in place of `text_to_word_sequence`.
        **kwargs: `input_text`, the name of `text` in tf.keras.

    Source: Keras 2.3.1, `keras.preprocessing.text.one_hot`; `analyzer` as in tf.keras 2.
    Example:
        >>> all(1 <= number < 50 for number in one_hot("one word and another", 50))
        True
    """
    text = kwargs.pop("input_text", text)
    reject_unknown("one_hot", kwargs, one_hot)
    return hashing_trick(text, n, hash, filters, lower, split, analyzer)


@explains_failures
def hashing_trick(
    text: str | None,
    n: int | None,
    hash_function: Callable[[str], int] | Literal["md5"] | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """The words of a text as numbers from 1 to n - 1, by a hash: two words may share a number.

    Args:
        text: the text.
        n: one more than the largest number; 0 is left for what is no word.
        hash_function: from a word to a whole number; 'md5' for one that is the same in every process; None for Python's
            `hash`, which is not.
        filters, lower, split: as in `text_to_word_sequence`.
        analyzer: splits a text into words, in place of `text_to_word_sequence`.

    Raises: ArgumentError if n is below 2, or the hash function is neither a function nor 'md5'.
    Source: Keras 2.3.1, `keras.preprocessing.text.hashing_trick`; `analyzer` as in tf.keras 2.
    Example:
        >>> hashing_trick("the cat the", 10, "md5")
        [6, 3, 6]
    """
    function = hash if hash_function is None else _md5 if hash_function == "md5" else hash_function
    if not callable(function):
        raise ArgumentError(f"hashing_trick: expected a function, 'md5' or None, received {hash_function!r}.")
    if n is None or n < 2:
        raise ArgumentError(f"hashing_trick: expected n to be at least 2, received {n}.")
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [int(function(word) % (n - 1) + 1) for word in words]


def _md5(word: str) -> int:
    return int(md5(word.encode()).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of a corpus, the most frequent one first, and writes texts as numbers or as rows.

    Args:
        num_words: use only the `num_words - 1` most frequent words; None for all.
        filters, lower, split: as in `text_to_word_sequence`; texts that come as lists of words are taken as they are,
            but for `lower`.
        char_level: every character is a word.
        oov_token: stands for words that are not known, or not frequent enough, and has the number 1; None to leave such
            words out.
        document_count: how many texts were seen before.
        analyzer: splits a text into words, in place of `text_to_word_sequence`.
        **kwargs: `nb_words`, the name of `num_words` in Keras 1.

    Attributes:
        word_counts: how often each word was seen.
        word_docs: in how many texts each word was seen.
        word_index: the number of each word, from 1.
        index_word: the word of each number.
        index_docs: in how many texts the word of each number was seen.
        document_count: how many texts were seen.

    Source: Keras 2.3.1, `keras.preprocessing.text.Tokenizer`; `analyzer` as in tf.keras 2.
    Example:
        >>> tokenizer = Tokenizer(oov_token="?")
        >>> tokenizer.fit_on_texts(["the cat", "the dog"])
        >>> tokenizer.word_index
        {'?': 1, 'the': 2, 'cat': 3, 'dog': 4}
        >>> tokenizer.texts_to_sequences(["The bird!"])
        [[2, 1]]
    """

    index_word: dict[int, str]
    analyzer: Analyzer | None = None

    @accept_legacy_arguments
    @reading
    def __init__(
        self,
        num_words: Count | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        analyzer: Analyzer | None = None,
        **kwargs: Any,
    ):
        reject_unknown("Tokenizer", kwargs, Tokenizer)
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.filters, self.split, self.lower = filters, split, lower
        self.num_words, self.document_count = num_words, document_count
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what was pickled, also by Keras, whose older versions had fewer attributes."""
        state = {"num_words": state.get("nb_words"), "oov_token": None, **state}
        state.setdefault("index_word", {number: word for word, number in state.get("word_index", {}).items()})
        self.__dict__.update(state)

    # Learning the words ------------------------------------------------------------------------------

    @explains_failures
    def fit_on_texts(self, texts: Iterable[Text]) -> None:
        """Count and number the words of texts. More texts may follow; the numbers then change.

        Args:
            texts: texts, or lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] += 1
        by_frequency = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        vocabulary = by_frequency if self.oov_token is None else [self.oov_token, *by_frequency]
        self.word_index = {word: number for number, word in enumerate(vocabulary, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count in how many sequences each number is; needed for 'tfidf' where no texts were seen.

        Args:
            sequences: lists of numbers.
        """
        for sequence in sequences:
            self.document_count += 1
            for number in set(sequence):
                self.index_docs[number] += 1

    def _words(self, text: Text) -> list[str]:
        if isinstance(text, list) or (self.char_level and isinstance(text, str)):
            if not self.lower:
                return list(text)
            try:
                return [word.lower() for word in text] if isinstance(text, list) else list(text.lower())
            except AttributeError:
                raise WrongKindError(
                    f"Tokenizer: expected texts, or lists of words, received {text!r:.80}. Lists of numbers are the "
                    "sequences of sequences_to_matrix."
                ) from None
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    # Texts and numbers -------------------------------------------------------------------------------

    def texts_to_sequences(self, texts: Iterable[Text]) -> list[list[int]]:
        """The numbers of the words of each text.

        Args:
            texts: texts, or lists of words.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Text]) -> Iterator[list[int]]:
        """`texts_to_sequences`, one text after the other.

        Args:
            texts: texts, or lists of words.
        """
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = [self._used(self.word_index.get(word), unknown) for word in self._words(text)]
            yield [number for number in numbers if number is not None]

    def _used(self, number: int | None, otherwise: int | None) -> int | None:
        """The number of a word, if it is used."""
        if number is None or (self.num_words and number >= self.num_words):
            return otherwise
        return number

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of each sequence of numbers, with spaces between them.

        Args:
            sequences: lists of numbers.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """`sequences_to_texts`, one sequence after the other.

        Args:
            sequences: lists of numbers.
        """
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for sequence in sequences:
            words = [self.index_word.get(number) for number in sequence]
            used = [self._used(number if word is not None else None, unknown) for number, word in zip(sequence, words)]
            yield " ".join(self.index_word[number] for number in used if number is not None)

    # Rows --------------------------------------------------------------------------------------------

    def texts_to_matrix(self, texts: Iterable[Text], mode: str = "binary") -> np.ndarray:
        """Texts as rows with a column for each word.

        Args:
            texts: texts, or lists of words.
            mode: see `sequences_to_matrix`.

        Shape: n texts -> (n, num_words), or one more than there are words, as column 0 is that of no word.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Iterable[int]], mode: str = "binary") -> np.ndarray:
        """Sequences of numbers as rows with a column for each number.

        Args:
            sequences: lists of numbers.
            mode: 'binary' (1 where the number occurs), 'count' (how often), 'freq' (its share of the sequence), or
                'tfidf': (1 + log count) log(1 + texts / (1 + texts with that word)).

        Shape: n sequences -> (n, num_words), float64.
        Raises: ArgumentError for another mode, without any number of columns to go by, or for 'tfidf' before any text
            was seen.
        """
        weigh = self._weights_of(mode)
        given = [list(sequence) for sequence in sequences]
        rows = np.zeros((len(given), self._columns()))
        for row, sequence in zip(rows, given):
            counts = Counter(number for number in sequence if number < rows.shape[1])
            numbers = np.fromiter(counts, "int64", len(counts))
            row[numbers] = weigh(numbers, np.fromiter(counts.values(), "float64", len(counts)), len(sequence))
        return rows

    def _columns(self) -> int:
        if self.num_words:
            return int(self.num_words)
        if not self.word_index:
            raise ArgumentError("Tokenizer: expected num_words, or a call of fit_on_texts before.")
        return len(self.word_index) + 1

    def _weights_of(self, mode: str) -> Callable[[np.ndarray, np.ndarray, int], Any]:
        """The function from numbers, their counts and the length of a sequence to weights."""
        if mode == "tfidf" and not self.document_count:
            raise ArgumentError("Tokenizer: 'tfidf' needs the texts of a corpus; call fit_on_texts first.")
        functions: dict[str, Callable[[np.ndarray, np.ndarray, int], Any]] = {
            "binary": lambda numbers, counts, length: 1,
            "count": lambda numbers, counts, length: counts,
            "freq": lambda numbers, counts, length: counts / length,
            "tfidf": lambda numbers, counts, length: (1 + np.log(counts)) * self._rarity(numbers),
        }
        if mode not in functions:
            raise ArgumentError(f"Tokenizer: expected mode to be one of {', '.join(functions)}; received {mode!r}.")
        return functions[mode]

    def _rarity(self, numbers: np.ndarray) -> np.ndarray:
        seen = np.array([self.index_docs.get(number, 0) for number in numbers.tolist()])
        return np.log(1 + self.document_count / (1 + seen))

    # Configs -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments and what was learnt, the tables as texts in JSON.

        `analyzer` is a function, which JSON has no form for; it is left out, as in tf.keras.
        """
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        tables = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {name: getattr(self, name) for name in names} | {
            name: json.dumps(getattr(self, name)) for name in tables
        }

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as a text in JSON, which `tokenizer_from_json` reads.

        Args:
            **kwargs: for `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


@explains_failures
def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `Tokenizer.to_json` wrote, here or in any Keras.

    Args:
        json_string: the text.

    Raises: ArgumentError if it is not such a text.
    Source: Keras 2.3.1, `keras.preprocessing.text.tokenizer_from_json`.
    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat"])
        >>> tokenizer_from_json(tokenizer.to_json()).word_index
        {'the': 1, 'cat': 2}
    """
    try:
        config = dict(json.loads(json_string)["config"])
        tables = {name: _table(name, json.loads(config.pop(name)), *kinds) for name, kinds in _TABLES.items()}
        if isinstance(config.get("oov_token"), list | dict):
            raise TypeError(f"oov_token: expected a word, received {config['oov_token']!r:.60}")
        tokenizer = Tokenizer(**config)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"tokenizer_from_json: expected what Tokenizer.to_json wrote; {error!r}.") from error
    tokenizer.word_counts = OrderedDict(tables["word_counts"])
    tokenizer.word_docs = defaultdict(int, tables["word_docs"])
    tokenizer.index_docs = defaultdict(int, tables["index_docs"])
    tokenizer.index_word = tables["index_word"]
    tokenizer.word_index = tables["word_index"]
    return tokenizer


# What the tables of a tokenizer hold: the kinds of their keys and of their values.
_TABLES: dict[str, tuple[type, type]] = {
    "word_counts": (str, int), "word_docs": (str, int), "index_docs": (int, int), "index_word": (int, str),
    "word_index": (str, int),
}  # fmt: skip


def _table(name: str, read: Any, key: type, value: type) -> dict[Any, Any]:
    """A table as it was before it became JSON, whose keys are texts. Raises: TypeError or ValueError for another."""
    if not isinstance(read, dict):
        raise TypeError(f"{name}: expected a dictionary, received {read!r:.60}")
    for word, number in read.items():
        if type(number) is not value or (isinstance(number, int) and number < 0):
            kind = "a number from 0 on" if value is int else "a word"
            raise TypeError(f"{name}: expected {kind} for {word!r:.60}, received {number!r:.60}")
    return {key(word): number for word, number in read.items()}
