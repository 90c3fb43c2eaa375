"""Batches that come one by one: what a generator may give, and a `Sequence` whose length changes."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.callbacks import Callback
from keras_front.layers import Dense, Input
from keras_front.models import Model, Sequential
from keras_front.utils import Sequence

X, Y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


def model():
    made = Sequential([Dense(1, input_dim=2, kernel_initializer="zeros", use_bias=False)])
    made.compile("sgd", "mse")
    return made


def forever(item):
    while True:
        yield item


class Growing(Sequence):
    """Two batches in the first pass, one more in each further one; notes which batches it was asked for."""

    def __init__(self):
        self.n, self.asked, self.passes = 2, [], 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.asked.append((self.passes, index))
        return X, Y

    def on_epoch_end(self):
        self.passes += 1
        self.n += 1


class Count(Callback):
    def on_train_begin(self, logs=None):
        self.seen, self.steps = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.batches = 0
        self.steps.append(self.params["steps"])

    def on_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.batches)


@pytest.mark.parametrize("kind", [tuple, list])
@pytest.mark.parametrize("workers", [0, 1])
def test_a_generator_gives_tuples_or_lists(backend, kind, workers):
    item, weighted = kind([X, Y]), kind([X, Y, np.full(4, 3.0)])
    history = model().fit_generator(forever(item), steps_per_epoch=1, verbose=0, workers=workers)
    assert history.history["loss"][0] == pytest.approx(1.0)
    assert model().fit(forever(weighted), steps_per_epoch=1, verbose=0).history["loss"][0] == pytest.approx(3.0)
    assert model().evaluate_generator(forever(item), steps=2, workers=workers) == pytest.approx(1.0)


def test_a_list_for_predict_is_a_list_of_inputs():
    a, b = Input((2,)), Input((2,))
    join = Model([a, b], Dense(1, kernel_initializer="ones")(a) - Dense(1, kernel_initializer="ones")(b))
    np.testing.assert_allclose(join.predict_generator(forever([X, 2 * X]), steps=1), np.full((4, 1), -2.0))


def test_a_model_without_targets_takes_inputs_alone():
    x = Input((2,))
    y = Dense(1, kernel_initializer="ones")(x)
    penalised = Model(x, y)
    penalised.add_loss(3.0 * x[0, 0] + 0.0 * K.mean(y))
    penalised.compile("sgd")
    for item in (X, (X,), (X, None), [X, None]):
        assert penalised.fit(forever(item), steps_per_epoch=1, verbose=0).history["loss"] == pytest.approx([3.0])


def test_other_items_are_refused():
    for item in (X, {"x": X}, (X,), [X, Y, Y, Y]):
        with pytest.raises(ValueError, match=r"must give tuples or lists \(x, y\)"):
            model().fit_generator(forever(item), steps_per_epoch=1, verbose=0, workers=0)


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_sequence_may_change_its_length(workers, shuffle):
    data, count = Growing(), Count()
    model().fit_generator(data, epochs=3, verbose=0, callbacks=[count], workers=workers, shuffle=shuffle)
    assert count.seen == count.steps == [2, 3, 4]
    assert sorted(data.asked) == [(p, i) for p in range(3) for i in range(p + 2)]  # and none of them twice
    assert data.passes == 3


@pytest.mark.parametrize("workers", [0, 1])
def test_validation_goes_over_the_present_sequence(workers):
    data, held_out = Growing(), Growing()
    model().fit_generator(data, epochs=2, verbose=0, validation_data=held_out, workers=workers)
    assert sorted(held_out.asked) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]


def test_a_callback_may_change_the_length_too():
    class Grow(Callback):
        def on_epoch_end(self, epoch, logs=None):
            data.n = 1

    data, count = Growing(), Count()
    data.on_epoch_end = lambda: None
    model().fit(data, epochs=2, verbose=0, callbacks=[count, Grow()])
    assert count.seen == [2, 1]


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize("workers", [0, 2])
def test_one_pass_asks_for_each_batch_once(method, workers):
    data = Growing()
    getattr(model(), method)(data, workers=workers)
    assert sorted(data.asked) == [(0, 0), (0, 1)]


def test_a_model_learns_its_inputs_from_a_batch_that_is_used_all_the_same():
    data = Growing()
    late = Sequential([Dense(1)])
    late.compile("sgd", "mse")
    late.fit(data, epochs=1, verbose=0)
    assert data.asked == [(0, 0), (0, 1)]
    later = Sequential([Dense(1)])
    later.compile("sgd", "mse")
    batches = iter([(X, Y), (X, Y)])
    later.fit(batches, steps_per_epoch=2, verbose=0)
    assert later.built


def test_a_sequence_without_batches_is_an_error():
    data = Growing()
    data.n = 0
    with pytest.raises(ValueError, match="at least one batch"):
        model().fit(data, verbose=0)
