"""Sequences and texts against what Keras-Preprocessing 1.1.2 answered, and in programs of the time."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import record_texts as record

from keras_front.errors import ArgumentError
from keras_front.layers import LSTM, Activation, Dense, Dot, Embedding, GlobalAveragePooling1D, Input, Reshape
from keras_front.models import Model, Sequential
from keras_front.preprocessing import sequence, text

RECORDED = json.loads(record.FILE.read_text())
NAMES = record.names(sequence, text)


def test_every_answer_is_that_of_keras_preprocessing():
    assert set(record.LINES) == set(RECORDED)
    for line in record.LINES:
        assert same(json.loads(json.dumps(record.answer(line, NAMES))), RECORDED[line]), line


def same(ours, theirs):
    """Whether two nested lists agree; numbers up to the last digits of a logarithm."""
    if isinstance(theirs, list) and isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float):
        return type(ours) is float and ours == pytest.approx(theirs, rel=1e-14)
    return ours == theirs and type(ours) is type(theirs)


@pytest.mark.parametrize("line", record.ERRORS)
def test_what_cannot_be_done_is_an_error_that_names_the_function(line):
    with pytest.raises((ValueError, TypeError)) as caught:
        record.answer(line, NAMES)
    where = line.partition("(")[0].replace("fitted", "Tokenizer")
    assert (
        where in str(caught.value) or "could not convert" in str(caught.value) or "invalid literal" in str(caught.value)
    )


def test_a_row_of_no_length():
    assert sequence.pad_sequences([[1, 2], [3]], maxlen=0).shape == (2, 0)


def test_names_of_keras_1_and_tf_keras():
    with pytest.warns(UserWarning, match="num_words"):
        assert text.Tokenizer(nb_words=7).num_words == 7
    with pytest.warns(UserWarning, match="text"):
        assert text.text_to_word_sequence(input_text="a b") == ["a", "b"]
    assert text.one_hot(input_text="a b", n=2) == [1, 1]
    with pytest.raises(TypeError, match="not understood: 'foo'"):
        text.one_hot("a b", 2, foo=1)


def test_an_analyzer_splits_texts():
    tokenizer = text.Tokenizer(analyzer=lambda text: text.split("-"))
    tokenizer.fit_on_texts(["a b-c", "c"])
    assert tokenizer.word_index == {"c": 1, "a b": 2}
    assert text.hashing_trick("x-yy", 9, hash_function=len, analyzer=lambda text: text.split("-")) == [2, 3]


def test_a_pickled_tokenizer_also_one_of_keras_1():
    tokenizer = record.fitted(text.Tokenizer(num_words=5))
    same = pickle.loads(pickle.dumps(tokenizer))
    assert record.learnt(same) == record.learnt(tokenizer)
    old = text.Tokenizer.__new__(text.Tokenizer)
    state = {k: v for k, v in vars(tokenizer).items() if k not in ("index_word", "oov_token", "num_words", "analyzer")}
    old.__setstate__(state | {"nb_words": 5})
    assert record.learnt(old) == record.learnt(tokenizer)


def test_json_that_is_no_tokenizer():
    with pytest.raises(ArgumentError, match=r"Tokenizer\.to_json"):
        text.tokenizer_from_json('{"config": {}}')
    with pytest.raises(ArgumentError, match=r"Tokenizer\.to_json"):
        text.tokenizer_from_json("no json")


@pytest.mark.parametrize(
    ("table", "read", "said"),
    [
        ("word_index", "[1, 2]", "word_index: expected a dictionary"),
        ("word_index", '{"a": "b"}', "word_index: expected a number from 0 on for 'a', received 'b'"),
        ("word_index", '{"a": -5}', "a number from 0 on"),
        ("word_index", "[" * 100_000, "RecursionError"),
        ("index_word", '{"x": "a"}', "invalid literal"),
        ("index_word", '{"1": ["a"]}', "index_word: expected a word"),
        ("word_counts", '{"a": 1e400}', "a number from 0 on"),
        ("oov_token", {"a": 1}, "oov_token: expected a word"),
    ],
)
def test_tables_of_a_tokenizer_hold_words_and_numbers(table, read, said):
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(["a b c"])
    told = json.loads(tokenizer.to_json())
    told["config"][table] = read
    with pytest.raises(ArgumentError, match=f"Tokenizer.to_json.*{said}"):
        text.tokenizer_from_json(json.dumps(told))


def test_a_generator_read_from_json_gives_the_same_batches():
    generator = sequence.TimeseriesGenerator(record.PLANE, record.SERIES, 4, stride=2, start_index=3, batch_size=3)
    same = sequence.timeseries_generator_from_json(generator.to_json())
    for (x, y), (u, v) in zip(generator, same, strict=True):
        np.testing.assert_array_equal(x, u)
        np.testing.assert_array_equal(y, v)


@pytest.mark.parametrize(
    ("name", "value"), [("data", None), ("data", "["), ("targets", "[" * 100_000), ("length", "x"), ("start_index", -1)]
)
def test_json_that_is_no_generator(name, value):
    told = json.loads(sequence.TimeseriesGenerator(np.zeros((9, 2)), np.zeros(9), 3).to_json())
    told["config"][name] = value
    with pytest.raises(ArgumentError, match=r"expected what TimeseriesGenerator\.to_json wrote"):
        sequence.timeseries_generator_from_json(json.dumps(told))


# Programs of the time ---------------------------------------------------------------------------------


def test_texts_are_classified(backend):
    texts = ["good film", "bad film", "a good play", "a bad play", "good", "bad"] * 4
    labels = np.array([1, 0, 1, 0, 1, 0] * 4)
    tokenizer = text.Tokenizer(num_words=20)
    tokenizer.fit_on_texts(texts)
    x = sequence.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=4)
    model = Sequential()
    model.add(Embedding(20, 8, input_length=4))
    model.add(GlobalAveragePooling1D())
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    model.optimizer.lr = 0.05
    history = model.fit(x, labels, epochs=15, batch_size=8, verbose=0)
    assert history.history["accuracy"][-1] == 1.0


def test_word_vectors_are_learnt_from_skipgrams(backend):
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(["the cat sat on the mat", "the dog sat on the log"])
    size = len(tokenizer.word_index) + 1
    target, context = Input((1,)), Input((1,))
    vectors = Embedding(size, 4)
    near = Dot(-1)([Reshape((4,))(vectors(target)), Reshape((4,))(vectors(context))])
    model = Model([target, context], Activation("sigmoid")(near))
    model.compile("adam", "binary_crossentropy")
    before = vectors.get_weights()[0].copy()
    for numbers in tokenizer.texts_to_sequences(["the cat sat on the mat"]):
        pairs, labels = sequence.skipgrams(numbers, size, window_size=2, seed=1)
        first, second = zip(*pairs)
        loss = model.train_on_batch([np.array(first), np.array(second)], np.array(labels))
    assert np.isfinite(loss)
    assert np.abs(vectors.get_weights()[0] - before).max() > 0


def test_a_series_is_continued(backend):
    series = np.sin(np.arange(60) / 3.0).reshape(-1, 1)
    generator = sequence.TimeseriesGenerator(series, series, length=6, batch_size=9)
    model = Sequential([LSTM(4, input_shape=(6, 1)), Dense(1)])
    model.compile("adam", "mse")
    history = model.fit_generator(generator, epochs=2, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
    assert model.predict_generator(generator).shape == (54, 1)
    assert np.isfinite(model.evaluate(generator, verbose=0))
