"""Layers of strings in a model: `Input(dtype="string")`, then a lookup, then what has tensors."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, DtypeError, StateError
from keras_front.layers import (
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Hashing,
    Input,
    Lambda,
    StringLookup,
    TextVectorization,
)
from keras_front.models import Model, Sequential, load_model

TEXTS = ["good film", "bad film", "a very good one", "so very bad", "good", "bad bad"]
LABELS = np.array([[1.0], [0], [1], [0], [1], [0]], "float32")
FORMS = {
    "str": lambda texts: np.array(texts)[:, None],
    "bytes": lambda texts: np.array([text.encode() for text in texts]),
    "object": lambda texts: np.array(texts, object)[:, None],
    "list": list,
}


def behind(codes):
    hidden = GlobalAveragePooling1D()(Embedding(12, 4, embeddings_initializer="ones", name="embedding")(codes))
    return Dense(1, activation="sigmoid", kernel_initializer="ones", name="out")(hidden)


def vectorizer(length=5):
    layer = TextVectorization(max_tokens=10, output_sequence_length=length)
    layer.adapt(TEXTS)
    return layer


def text_model(length=5):
    text = Input((1,), dtype="string", name="text")
    layer = vectorizer(length)
    model = Model(text, behind(layer(text)))
    model.compile("adam", "binary_crossentropy")
    return model, layer


def model_of_codes(length=5):
    codes = Input((length,), dtype="int64")
    model = Model(codes, behind(codes))
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize("form", FORMS)
def test_a_model_of_texts_is_trained_as_the_model_of_their_codes(backend, form):
    (model, layer), other, texts = text_model(), model_of_codes(), FORMS[form](TEXTS)
    codes = K.to_numpy(layer(TEXTS))
    for net, x in ((model, texts), (other, codes)):
        net.history_found = net.fit(x, LABELS, batch_size=2, epochs=2, shuffle=False, verbose=0, validation_split=0.34)
    np.testing.assert_allclose(model.predict(texts), other.predict(codes), rtol=1e-5)
    np.testing.assert_allclose(model.predict(texts, batch_size=4), other.predict(codes, batch_size=4), rtol=1e-5)
    for key, values in other.history_found.history.items():
        np.testing.assert_allclose(model.history_found.history[key], values, rtol=1e-5)
    assert model.evaluate(texts, LABELS, verbose=0) == pytest.approx(other.evaluate(codes, LABELS, verbose=0))
    for _ in range(2):
        assert model.train_on_batch(texts, LABELS) == pytest.approx(float(other.train_on_batch(codes, LABELS)))
    np.testing.assert_allclose(model.predict_on_batch(texts), other.predict_on_batch(codes), rtol=1e-5)


def test_texts_of_any_length_are_padded_batch_by_batch(backend):
    model, layer = text_model(None)
    texts = np.array(TEXTS, object)
    found = model.predict(texts, batch_size=2)
    other = model_of_codes(None)
    other.set_weights(model.get_weights())
    wanted = [other.predict(K.to_numpy(layer(TEXTS[i : i + 2]))) for i in (0, 2, 4)]
    np.testing.assert_allclose(found, np.concatenate(wanted), rtol=1e-5)
    before = model.evaluate(texts, LABELS, batch_size=2, verbose=0)
    model.fit(texts, LABELS, batch_size=2, epochs=3, verbose=0)
    assert model.evaluate(texts, LABELS, batch_size=2, verbose=0) < before


def test_several_inputs_and_several_lookups_of_one(backend):
    word, number = Input((1,), dtype="string", name="word"), Input((2,), name="number")
    known = StringLookup(vocabulary=["red", "green"], output_mode="one_hot")
    hashed = Hashing(num_bins=4, output_mode="one_hot")
    merged = Concatenate()([known(word), number, hashed(word)])
    assert merged.shape == (None, 3 + 2 + 4)
    model = Model([word, number], merged)
    words, numbers = np.array(["red", "blue"])[:, None], np.array([[1.0, 2], [3, 4]], "float32")
    wanted = np.concatenate([K.to_numpy(known(words)), numbers, K.to_numpy(hashed(words))], -1)
    np.testing.assert_array_equal(model.predict([words, numbers]), wanted)
    np.testing.assert_array_equal(model.predict({"number": numbers, "word": words}), wanted)


def test_batches_of_texts_come_from_a_generator(backend):
    model, _ = text_model()
    batches = [(np.array(TEXTS[i : i + 2]), LABELS[i : i + 2]) for i in (0, 2, 4)]

    def forever():
        while True:
            yield from batches

    history = model.fit(forever(), steps_per_epoch=3, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_integers_are_hashed_in_a_model(backend):
    number = Input((1,), dtype="int64")
    layer = Hashing(num_bins=5)
    model = Model(number, Lambda(lambda t: K.cast(t[0] * 10, "int64") + t[1])([number, layer(number)]))
    x = np.array([[7], [12]])
    np.testing.assert_array_equal(model.predict(x), x * 10 + K.to_numpy(layer(x)))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_model_of_texts_is_saved_whole(backend, tmp_path, suffix):
    model, _ = text_model()
    model.fit(np.array(TEXTS), LABELS, verbose=0)
    path = tmp_path / f"m.{suffix}"
    model.save(path)
    read = load_model(path)
    np.testing.assert_allclose(read.predict(np.array(TEXTS)), model.predict(np.array(TEXTS)), rtol=1e-6)
    read.fit(np.array(TEXTS), LABELS, verbose=0)


def test_a_model_of_texts_is_copied(backend):
    model, _ = text_model()
    wanted = model.predict(np.array(TEXTS))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(other.predict(np.array(TEXTS)), wanted, rtol=1e-6)


def test_a_sequential_model_may_begin_with_texts(backend):
    model = Sequential([Input((1,), dtype="string"), vectorizer(), Embedding(12, 4), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.array(TEXTS), LABELS, verbose=0)
    assert model.predict(TEXTS).shape == (6, 1)


# Where the layer stands ------------------------------------------------------------------------------


class Subclass(Model):
    def __init__(self, layer):
        super().__init__()
        self.parts = [layer, Embedding(12, 4), GlobalAveragePooling1D(), Dense(1)]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


class WithAStep(Subclass):
    def train_step(self, data):
        x, y = data
        return {"error": K.mean(K.square(self(x, training=True) - y))}


def net_of_codes(length):
    return Sequential([Input((length,), dtype="int64"), Embedding(12, 4), GlobalAveragePooling1D(), Dense(1)])


def in_a_nested_model(layer, length):
    text = Input((1,), dtype="string")
    inner = Sequential([Input((1,), dtype="string"), layer, Embedding(12, 4)])
    return Model(text, Dense(1)(GlobalAveragePooling1D()(inner(text))))


PLACES = {
    "stack without an Input": lambda layer, length: Sequential([layer, *net_of_codes(length).layers]),
    "stack before a model": lambda layer, length: Sequential([layer, net_of_codes(length)]),
    "stack in a stack": lambda layer, length: Sequential([Sequential([layer, Embedding(12, 4)]), *tail()]),
    "nested model": in_a_nested_model,
    "subclass": lambda layer, length: Subclass(layer),
}


def tail():
    return [GlobalAveragePooling1D(), Dense(1)]


@pytest.mark.engine_neutral
@pytest.mark.parametrize("length", [5, None])
@pytest.mark.parametrize("place", PLACES)
def test_a_layer_of_texts_may_stand_anywhere(backend, place, length, tmp_path):
    texts, layer = np.array(TEXTS), vectorizer(length)
    model, other = PLACES[place](layer, length), net_of_codes(length)
    model.compile("sgd", "mse")
    model.predict(texts)
    model.fit(texts, LABELS, epochs=2, verbose=0, validation_data=(texts[:2], LABELS[:2]))
    other.set_weights(model.get_weights())
    wanted = other.predict(K.to_numpy(layer(TEXTS)))
    for form in (TEXTS, texts, texts[:, None]):
        np.testing.assert_allclose(model.predict(form), wanted, rtol=1e-5)
        np.testing.assert_allclose(K.to_numpy(model(form)), wanted, rtol=1e-5)
    assert model.evaluate(texts, LABELS, verbose=0) == pytest.approx(float(np.mean((wanted - LABELS) ** 2)), rel=1e-4)
    if place != "subclass":
        for suffix in ("keras", "h5"):
            model.save(tmp_path / f"m.{suffix}")
            np.testing.assert_allclose(load_model(tmp_path / f"m.{suffix}").predict(texts), wanted, rtol=1e-5)


def test_a_stack_of_texts_without_an_input(backend):
    model = Sequential([vectorizer(), Embedding(12, 4), *tail()])
    model.compile("sgd", "mse")
    model.fit(np.array(TEXTS), LABELS, verbose=0)
    np.testing.assert_allclose(model.predict(["good film"]), K.to_numpy(model(["good film"])), rtol=1e-5)


@pytest.mark.engine_neutral
def test_a_stack_that_hashes_texts_is_read_with_its_input(backend, tmp_path):
    model = Sequential([Hashing(7, output_mode="one_hot"), Dense(1)])
    wanted = K.to_numpy(model(np.array([["good"], ["bad"]])))
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(load_model(tmp_path / "m.keras").predict(["good", "bad"]), wanted, rtol=1e-6)


@pytest.mark.engine_neutral
def test_a_step_of_ones_own_sees_texts(backend):
    model = WithAStep(vectorizer())
    model.compile("sgd", "mse")
    history = model.fit(np.array(TEXTS), LABELS, verbose=0).history
    assert history["error"][0] == pytest.approx(float(np.mean((model.predict(TEXTS) - LABELS) ** 2)), rel=1e-4)


@pytest.mark.engine_neutral
def test_layers_on_the_host_follow_each_other(backend):
    word = Input((1,), dtype="string")
    known, hashed = StringLookup(vocabulary=["red", "green"]), Hashing(50)
    model = Model(word, Flatten()(hashed(K.cast(known(word) + 1, "int64"))))
    words = np.array([["red"], ["blue"]])
    np.testing.assert_array_equal(model.predict(words), K.to_numpy(hashed(K.to_numpy(known(words)) + 1)))


@pytest.mark.engine_neutral
def test_a_layer_is_called_on_one_text(backend):
    layer = vectorizer()
    assert layer("good film").tolist() == layer(["good film"]).tolist()[0] == layer(np.array("good film")).tolist()


def test_what_has_no_strings_is_refused(backend):
    model, _ = text_model()
    with pytest.raises(ArgumentError, match=r"'text' have dtype float64.*strings or bytes"):
        model.predict(np.ones((3, 1)))
    with pytest.raises(DtypeError, match="Input"):
        StringLookup(vocabulary=["a"])(Input((1,)))
    with pytest.raises(DtypeError, match="Input"):
        Hashing(3)(Dense(1)(Input((1,))))
    with pytest.raises(StateError, match="adapt"):
        StringLookup(output_mode="multi_hot")(Input((1,), dtype="string"))
