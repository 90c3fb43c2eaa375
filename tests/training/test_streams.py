"""Generators and sequences as data."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import program
from keras_front.callbacks import Callback
from keras_front.errors import ArgumentError
from keras_front.utils import Sequence


class Batches(Sequence):
    def __init__(self, x, y, size=8, weights=None):
        self.x, self.y, self.size, self.weights, self.passes = x, y, size, weights, 0

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, i):
        rows = slice(i * self.size, (i + 1) * self.size)
        rest = () if self.weights is None else (self.weights[rows],)
        return (self.x[rows], self.y[rows], *rest)

    def on_epoch_end(self):
        self.passes += 1


def endless(x, y, size=8):
    while True:
        for i in range(0, len(x), size):
            yield x[i : i + size], y[i : i + size]


@pytest.fixture
def pair(make_model):
    a, b = make_model(), make_model()
    b.set_weights(a.get_weights())
    return a, b


def same(a, b):
    for got, expected in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_sequence_trains_like_its_arrays(backend, pair, data, workers):
    a, b = pair
    expected = b.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    got = a.fit(Batches(*data), epochs=2, shuffle=False, verbose=0, workers=workers).history
    np.testing.assert_allclose(got["loss"], expected["loss"], rtol=1e-5)
    same(a, b)


def test_a_sequence_in_processes(pair, data):
    a, b = pair
    b.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    a.fit(Batches(*data), epochs=2, shuffle=False, verbose=0, workers=2, use_multiprocessing=True)
    same(a, b)


def test_a_generator_trains_like_its_arrays(pair, data):
    a, b = pair
    expected = b.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=data).history
    got = a.fit_generator(
        endless(*data), steps_per_epoch=5, epochs=2, verbose=0, validation_data=endless(*data), validation_steps=5
    ).history
    for name in expected:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-5)
    same(a, b)


def in_one_memory(x, y, size=8):
    """Batches whose arrays are written over for the next one, as careful readers do."""
    held = np.empty((size, *x.shape[1:]), x.dtype), np.empty((size, *y.shape[1:]), y.dtype)
    for i in range(0, len(x) // size * size, size):
        for room, array in zip(held, (x, y)):
            room[...] = array[i : i + size]
        yield held
    for room in held:
        room.fill(np.nan)


def test_a_generator_may_use_its_memory_again(backend, pair, data):
    a, b = pair
    x, y = (np.repeat(array[:32].astype("float32"), 4, axis=0) for array in data)
    b.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
    a.fit(in_one_memory(x, y), verbose=0, workers=0)
    same(a, b)
    np.testing.assert_allclose(
        a.evaluate(in_one_memory(x, y), verbose=0, workers=0), b.evaluate(x, y, verbose=0), rtol=1e-5
    )


def test_the_state_is_looked_at_once_for_each_form_of_a_batch(backend, make_model, data, monkeypatch):
    seen, signature = [], program._signature
    monkeypatch.setattr(program, "_signature", lambda *args: seen.append(1) or signature(*args))
    model, x, y = make_model(), *(array[:32] for array in data)
    each = []
    for steps in (4, 12, 4):
        seen.clear()
        model.fit(endless(x, y), steps_per_epoch=steps, verbose=0)
        model.evaluate(endless(x, y), steps=steps, verbose=0)
        model.predict(endless(x, y), steps=steps, verbose=0)
        each.append(len(seen))
    assert each[1] == each[2]


def test_evaluate_and_predict_on_generators(make_model, data):
    x, y = data
    model = make_model()
    expected = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(model.evaluate(endless(x, y), steps=5, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate_generator(Batches(x, y)), expected, rtol=1e-5)
    predicted = model.predict(x)
    np.testing.assert_allclose(model.predict_generator(endless(x, y), steps=5), predicted, rtol=1e-5)
    np.testing.assert_allclose(model.predict(Batches(x, y)), predicted, rtol=1e-5)
    np.testing.assert_allclose(model.predict((x[i : i + 8] for i in range(0, 40, 8)), steps=5), predicted, rtol=1e-5)


def test_weights_of_a_sequence_and_class_weights(pair, data):
    a, b = pair
    x, y = data
    weight = np.linspace(0, 1, 40)
    b.fit(x, y, 8, 1, 0, sample_weight=weight, class_weight={0: 1, 1: 2}, shuffle=False)
    a.fit(Batches(x, y, weights=weight), class_weight={0: 1, 1: 2}, shuffle=False, verbose=0)
    same(a, b)


def test_on_epoch_end_of_the_sequence_is_called(make_model, data):
    batches = Batches(*data)
    make_model().fit(batches, epochs=3, workers=0, verbose=0)
    assert batches.passes >= 2


def test_data_that_ends_stops_training(make_model, data):
    few = ((data[0][:8], data[1][:8]) for _ in range(3))
    with pytest.warns(UserWarning, match="The data ended after 1 of 2 batches"):
        history = make_model().fit(few, steps_per_epoch=2, epochs=5, verbose=0)
    assert history.epoch == [0, 1]


def test_what_a_generator_raises_reaches_the_caller(make_model, data):
    def broken():
        yield data
        raise OSError("disk full")

    before = threading.active_count()
    with pytest.raises(OSError, match="disk full"):
        make_model().fit(broken(), steps_per_epoch=3, verbose=0)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    "source",
    [
        lambda x, y: endless(x, y),
        lambda x, y: itertools.cycle([(x, y)]),
        lambda x, y: itertools.repeat((x, y)),
        lambda x, y: (pair for pair in itertools.repeat((x, y), 2)),
        lambda x, y: itertools.repeat((x, y), 2),
    ],
    ids=["generator", "cycle", "repeat", "expression", "repeated twice"],
)
def test_data_without_end_need_a_number_of_batches(make_model, data, source, request):
    model, ends = make_model(), request.node.callspec.id.endswith(("expression", "twice"))
    calls = {
        "fit: expected `steps_per_epoch`, because": lambda: model.fit(source(*data), verbose=0),
        "evaluate: expected `steps`, because": lambda: model.evaluate(source(*data), verbose=0),
        "predict: expected `steps`, because": lambda: model.predict(source(*data), verbose=0),
        "fit: expected `validation_steps`, because": lambda: model.fit(*data, validation_data=source(*data), verbose=0),
    }
    for text, call in calls.items():
        if ends:
            call()
        else:
            with pytest.raises(ArgumentError, match=f"{text} .* has no end"):
                call()


def test_a_callback_may_end_an_epoch_without_end(make_model, data):
    class Enough(Callback):
        def on_batch_end(self, batch, logs=None):
            self.model.stop_training, self.batches = batch == 4, batch + 1

    enough = Enough()
    with pytest.warns(UserWarning, match="lasts until a callback sets model.stop_training"):
        make_model().fit(endless(*data), callbacks=[enough], verbose=0)
    assert enough.batches == 5


def test_wrong_uses_are_named(make_model, data):
    model = make_model()
    with pytest.raises(ArgumentError, match="expected `steps_per_epoch`"):
        model.fit_generator(endless(*data))
    with pytest.raises(ArgumentError, match="gives whole batches, so expected no y and no batch_size"):
        model.fit(endless(*data), data[1], batch_size=3, steps_per_epoch=1)
    with pytest.raises(ArgumentError, match="validation_split` is only supported for arrays"):
        model.fit(endless(*data), steps_per_epoch=1, validation_split=0.5)
    with pytest.raises(ArgumentError, match="must give tuples"):
        model.fit(iter([data[0]]), steps_per_epoch=1, verbose=0)


def test_shuffled_sequences_follow_the_seed(make_model, data):
    def run():
        K.set_random_seed(3)
        return make_model().fit(Batches(*data), epochs=2, verbose=0).history["loss"]

    assert run() == run()
