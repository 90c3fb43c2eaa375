"""Records what Keras-Preprocessing 1.1.2 answers to lines about sequences and texts, into `texts.json`.

Run it once in an environment with that package and NumPy 1: `python tests/preprocessing/record_texts.py`. The lines
mean the same here; each is run after the same seeds of NumPy's and Python's generators.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("texts.json")

TEXTS = ["The cat sat on the mat.", "The dog sat on the log!", "Dogs and cats living together", "", "cat"]
WORDS = [1, 2, 0, 3, 4, 2]
SERIES = np.arange(20) * 1.5
PLANE = np.arange(40).reshape(20, 2)

PADDING = [
    "pad_sequences([[1], [2, 3], []])", "pad_sequences([[], []])", "pad_sequences([[], []], maxlen=2)",
    "pad_sequences([[1.7], [2.2, 3]])", "pad_sequences([[1, 2], [3]], 3, 'float32', 'post', 'post', -1)",
    "pad_sequences([[1, 2, 3], [4]], maxlen=2, truncating='post')", "pad_sequences([[1, 2, 3], [4]], maxlen=2)",
    "pad_sequences([['a'], ['b', 'c']], dtype=object, value='pad')",
    "pad_sequences([['a'], ['b', 'c']], dtype='<U3', value='pad')",
    "pad_sequences([[[1, 2]], [[2, 3], [3, 4]]], maxlen=1, truncating='post', padding='post', value=9)",
    "pad_sequences([[], [[1, 2]], [[1, 2], [3, 4]]], value=[7, 8])", "pad_sequences(np.ones((2, 3)), maxlen=4)",
]  # fmt: skip
WORD_PAIRS = [
    "make_sampling_table(6, 1e-3)", "make_sampling_table(1)",
    "_remove_long_seq(3, [[1], [1, 2, 3], [1, 2]], [0, 1, 2])",
    "skipgrams(words, 6, window_size=2)", "skipgrams(words, 6, negative_samples=0.0, shuffle=False)",
    "skipgrams(words, 6, window_size=2, negative_samples=0.5, shuffle=False, categorical=True)",
    "skipgrams(words, 6, window_size=2, seed=5, sampling_table=make_sampling_table(6, 0.1))",
    "skipgrams([1], 6)", "skipgrams(words, 6, categorical=True, negative_samples=2.0)",
    "[skipgrams(words, 6, 1), random.random()]",
]  # fmt: skip
WINDOWS = [
    "batches(TimeseriesGenerator(series, series * 2, 3, stride=2, batch_size=4))",
    "batches(TimeseriesGenerator(plane, series, 4, sampling_rate=3, reverse=True, start_index=2, end_index=10))",
    "batches(TimeseriesGenerator(plane, plane, 4, sampling_rate=2, shuffle=True, batch_size=3))",
    "batches(TimeseriesGenerator(series.tolist(), series.tolist(), 5, batch_size=7, end_index=16))",
    "batches(TimeseriesGenerator(series, series, 19))",
    "TimeseriesGenerator(plane, series, 4, sampling_rate=2, reverse=True, start_index=3).get_config()",
]  # fmt: skip
SPLITTING = [
    "text_to_word_sequence('Hello, World! it\\'s\\ta\\nÄ ÖL')",
    "text_to_word_sequence('Hello::World::', split='::', filters='!', lower=False)",
    "text_to_word_sequence('Hello!World', split='::', filters=['!', 'H'])", "text_to_word_sequence('')",
    "hashing_trick('the cat the', 10, 'md5')", "hashing_trick('a bb ccc', 10, len)",
    "hashing_trick('The cat, the', 1000, 'md5', lower=False, filters='')",
]  # fmt: skip
TOKENIZERS = [
    "Tokenizer()", "Tokenizer(num_words=4)", "Tokenizer(num_words=4, oov_token='?')", "Tokenizer(oov_token='cat')",
    "Tokenizer(char_level=True)", "Tokenizer(char_level=True, lower=False, oov_token='?', num_words=5)",
    "Tokenizer(split='a')", "Tokenizer(filters='', document_count=3)", "Tokenizer(num_words=1, oov_token='x')",
]  # fmt: skip
TOKENIZER_USES = [
    "{t}.texts_to_sequences(texts + ['zebra cat ran', ['The', 'CAT', 'ran']])",
    "{t}.sequences_to_texts({t}.texts_to_sequences(texts) + [[1, 99, 2], []])",
    *[f"{{t}}.texts_to_matrix(texts, {mode!r})" for mode in ("binary", "count", "freq", "tfidf")],
    "{t}.sequences_to_matrix([[1, 2, 2, 0], [], [3, 1, 90]], 'freq')",
    "learnt({t})", "learnt(tokenizer_from_json({t}.to_json()))", "{t}.get_config()['word_index']",
]  # fmt: skip
NUMBERS = [
    "counted(Tokenizer(num_words=5)).sequences_to_matrix([[1, 2, 5, 0], [], [1, 1]], 'tfidf')",
    "learnt(counted(Tokenizer(num_words=5)))",
]
ERRORS = [
    "pad_sequences([[1], 3])", "pad_sequences(3)", "pad_sequences(iter([[1]]))", "pad_sequences([])",
    "pad_sequences([['a'], ['b', 'c']], value='pad')", "pad_sequences([['a'], ['b', 'c']])",
    "pad_sequences([[1], [2, 3]], padding='foo')", "pad_sequences([[1], [2, 3]], truncating='foo')",
    "pad_sequences([[[1, 2]], [[2, 3, 4], [3, 4, 5]]])", "pad_sequences([[1]], maxlen=-1)",
    "TimeseriesGenerator(series, series[:3], 3)", "TimeseriesGenerator(series, series, 30)",
    "TimeseriesGenerator([object()] * 5, series[:5], 2).to_json()",
    "fitted(Tokenizer()).texts_to_matrix(['a'], 'foo')", "Tokenizer().texts_to_matrix(['a'])", "Tokenizer(foo=1)",
    "Tokenizer(num_words=3).sequences_to_matrix([[1]], 'tfidf')", "skipgrams([1, 2], 1)",
    "text_to_word_sequence('a', split='')",
]  # fmt: skip
LINES = [
    *PADDING, *WORD_PAIRS, *WINDOWS, *SPLITTING, *NUMBERS,
    *[use.format(t=f"fitted({tokenizer})") for tokenizer in TOKENIZERS for use in TOKENIZER_USES],
]  # fmt: skip


def batches(generator: Any) -> list[Any]:
    return [generator[i] for i in range(len(generator))]


def fitted(tokenizer: Any) -> Any:
    tokenizer.fit_on_texts(TEXTS)
    tokenizer.fit_on_texts([["The", "Bird"], "bird bird"])
    return tokenizer


def counted(tokenizer: Any) -> Any:
    tokenizer.fit_on_sequences([[1, 2], [2, 3, 3]])
    return tokenizer


def learnt(tokenizer: Any) -> Any:
    """What a tokenizer keeps; where the original's order is that of a set, in order."""
    tables = {name: sorted(dict(getattr(tokenizer, name)).items()) for name in ("word_docs", "index_docs")}
    names = ("word_counts", "word_index", "index_word")
    return (
        tables
        | {name: list(dict(getattr(tokenizer, name)).items()) for name in names}
        | {
            name: getattr(tokenizer, name)
            for name in ("document_count", "num_words", "filters", "lower", "split", "char_level", "oov_token")
        }
    )


def plain(value: Any) -> Any:
    """A value as JSON has it; an array with its dtype and shape."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), list(value.shape), value.ravel().tolist()]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def names(sequence: Any, text: Any) -> dict[str, Any]:
    """What the lines are about, from the two modules of some Keras."""
    helpers = SimpleNamespace(texts=TEXTS, words=WORDS, series=SERIES, plane=PLANE, np=np, random=random)
    functions = {f.__name__: f for f in (batches, fitted, counted, learnt)}
    return {**vars(sequence), **vars(text), **vars(helpers), **functions}


def answer(line: str, known: dict[str, Any]) -> Any:
    random.seed(3)
    np.random.seed(3)
    return plain(eval(line, known))


def main() -> None:
    from keras_preprocessing import sequence, text

    known = names(sequence, text)
    FILE.write_text(json.dumps({line: answer(line, known) for line in LINES}, separators=(",", ":")))
    for line in ERRORS:
        try:
            print("no error:", line, answer(line, known))
        except (ValueError, TypeError) as error:
            print(type(error).__name__, line)
    print(FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
