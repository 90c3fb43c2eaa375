"""`fit`, `evaluate` and `predict` on every backend, against sums worked out by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks as C
from keras_front import layers as L
from keras_front import optimizers
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, ShapeError, StateError
from keras_front.models import Model, Sequential


class Linear:
    """y = x @ w + b with a weighted squared error, trained by hand."""

    def __init__(self, model):
        self.w, self.b = (w.astype("float64") for w in model.get_weights())

    def loss(self, x, y, weight=1.0):
        return float((weight * ((x @ self.w + self.b - y) ** 2).mean(-1)).mean())

    def step(self, x, y, lr, weight=1.0):
        before = self.loss(x, y, weight)
        d = 2 * (x @ self.w + self.b - y) * np.reshape(weight, (-1, 1)) / y.size
        self.w, self.b = self.w - lr * x.T @ d, self.b - lr * d.sum(0)
        return before


@pytest.fixture
def linear():
    model = Sequential([L.Dense(2, input_shape=(3,))])
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mae"])
    rng = np.random.RandomState(1)
    return model, rng.randn(10, 3).astype("float32"), rng.randn(10, 2).astype("float32")


def test_two_epochs_by_hand(backend, linear):
    model, x, y = linear
    hand, losses = Linear(model), []
    for _ in range(2):
        parts = [(len(xb), hand.step(xb, yb, 0.1)) for xb, yb in zip(np.split(x, [4, 8]), np.split(y, [4, 8]))]
        losses.append(sum(n * loss for n, loss in parts) / 10)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], hand.w, rtol=1e-4)
    loss, mae = model.evaluate(x, y, batch_size=3, verbose=0)
    assert loss == pytest.approx(hand.loss(x, y), rel=1e-5)
    assert mae == pytest.approx(np.abs(x @ hand.w + hand.b - y).mean(), rel=1e-5)
    np.testing.assert_allclose(model.predict(x, batch_size=3), x @ hand.w + hand.b, rtol=1e-4, atol=1e-6)
    assert history.epoch == [0, 1]
    assert set(history.history) == {"loss", "mae"}


def test_sample_weights_by_hand(backend, linear):
    model, x, y = linear
    weight = np.linspace(0, 2, 10)
    hand = Linear(model)
    expected = hand.step(x, y, 0.1, weight)
    history = model.fit(x, y, batch_size=10, epochs=1, sample_weight=weight, verbose=0)
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], hand.w, rtol=1e-4)
    assert model.evaluate(x, y, sample_weight=weight, verbose=0)[0] == pytest.approx(hand.loss(x, y, weight), rel=1e-5)


def test_train_on_batch_is_a_step_of_fit(backend, linear):
    model, x, y = linear
    hand = Linear(model)
    for _ in range(3):
        loss, _mae = model.train_on_batch(x, y)
        assert loss == pytest.approx(hand.step(x, y, 0.1), rel=1e-4)
    assert model.test_on_batch(x, y)[0] == pytest.approx(hand.loss(x, y), rel=1e-4)
    np.testing.assert_allclose(model.predict_on_batch(x), x @ hand.w + hand.b, rtol=1e-3, atol=1e-5)
    assert int(K.get_value(model.optimizer.iterations)) == 3


def test_metrics_run_on_when_they_are_not_reset(backend, linear):
    model, x, y = linear
    first = model.test_on_batch(x[:5], y[:5], reset_metrics=False)[1]
    second = model.test_on_batch(x[5:], y[5:], reset_metrics=False)[1]
    alone = model.test_on_batch(x[5:], y[5:])[1]
    assert second == pytest.approx((first + alone) / 2, rel=1e-5)
    assert model.test_on_batch(x[5:], y[5:])[1] == pytest.approx(alone, rel=1e-6)


def test_the_same_seed_is_the_same_run_on_every_backend(backend, make_model, data):
    K.set_random_seed(5)
    model = make_model()
    history = model.fit(*data, batch_size=8, epochs=3, verbose=0).history
    with discovery.use_backend("numpy"):
        K.set_random_seed(5)
        reference = make_model().fit(*data, batch_size=8, epochs=3, verbose=0).history
    np.testing.assert_allclose(history["loss"], reference["loss"], rtol=1e-5)
    np.testing.assert_allclose(history["accuracy"], reference["accuracy"], rtol=1e-5)


def test_training_goes_on_on_another_backend(backend, make_model, data):
    K.set_random_seed(5)
    model, straight = make_model(optimizers.SGD(0.1, momentum=0.9)), None
    model.fit(*data, batch_size=8, epochs=1, shuffle=False, verbose=0)
    with discovery.use_backend("numpy"):
        model.fit(*data, batch_size=8, epochs=1, shuffle=False, verbose=0)
    K.set_random_seed(5)
    straight = make_model(optimizers.SGD(0.1, momentum=0.9))
    straight.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for got, expected in zip(model.get_weights(), straight.get_weights()):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.backends("torch", "jax")
def test_a_model_may_have_a_backend_of_its_own(backend, make_model, data):
    with discovery.use_backend("numpy"):
        model = make_model().to_backend(backend)
        for _ in range(2):
            model.train_on_batch(*data)
            model.predict(data[0][:2])
        model.fit(*data, epochs=1, verbose=0)
        assert model.weights[0]._backend is backend
        assert K.backend() == "numpy"


# Validation ----------------------------------------------------------------------------------------------------


def test_validation_split_takes_the_last_samples(make_model, data):
    x, y = data
    split, explicit = make_model(), make_model()
    explicit.set_weights(split.get_weights())
    a = split.fit(x, y, validation_split=0.25, epochs=2, shuffle=False, verbose=0)
    b = explicit.fit(x[:30], y[:30], validation_data=(x[30:], y[30:]), epochs=2, shuffle=False, verbose=0)
    assert set(a.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for name in a.history:
        np.testing.assert_allclose(a.history[name], b.history[name], rtol=1e-6)


def test_validation_frequency(make_model, data):
    history = make_model().fit(*data, validation_data=data, validation_freq=2, epochs=5, verbose=0)
    assert [len(history.history[name]) for name in ("loss", "val_loss")] == [5, 2]
    history = make_model().fit(*data, validation_data=data, validation_freq=[1, 4], epochs=5, verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_validation_steps_bound_the_validation(make_model, data):
    x, y = data
    model = make_model()
    history = model.fit(x, y, 8, validation_data=(x, y), validation_steps=2, epochs=1, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[:16], y[:16], verbose=0)[0], rel=1e-5)


def test_steps_per_epoch_with_arrays_are_full_batches(make_model, data):
    a, b = make_model(), make_model()
    b.set_weights(a.get_weights())
    a.fit(*data, steps_per_epoch=3, epochs=1, verbose=0)
    for _ in range(3):
        b.train_on_batch(*data)
    np.testing.assert_allclose(a.get_weights()[0], b.get_weights()[0], rtol=1e-5)


def test_validation_weights_count(make_model, data):
    x, y = data
    weight = np.r_[np.ones(20), np.zeros(20)]
    model = make_model(weighted_metrics=["acc"], metrics=[])
    history = model.fit(x, y, validation_data=(x, y, weight), epochs=1, verbose=0)
    assert history.history["val_acc"][0] == pytest.approx(model.evaluate(x[:20], y[:20], verbose=0)[1])


# What fit does -------------------------------------------------------------------------------------------------


def test_epochs_count_from_the_initial_one(make_model, data):
    history = make_model().fit(*data, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]


def test_shuffling_changes_the_run_and_the_seed_keeps_it(make_model, data):
    def losses(seed, shuffle):
        K.set_random_seed(1)
        model = make_model()
        K.set_random_seed(seed)
        return model.fit(*data, batch_size=8, epochs=2, shuffle=shuffle, verbose=0).history["loss"]

    assert losses(1, True) == losses(1, True)
    assert losses(1, True) != losses(2, True)
    assert losses(1, False) == losses(2, False)
    assert losses(1, "batch") != losses(1, False)


def test_class_weights_are_sample_weights(make_model, data):
    x, y = data
    a, b = make_model(), make_model()
    b.set_weights(a.get_weights())
    a.fit(x, y, class_weight={0: 1.0, 1: 3.0}, epochs=1, shuffle=False, verbose=0)
    b.fit(x, y, sample_weight=1 + 2 * y[:, 0], epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(a.get_weights()[0], b.get_weights()[0], rtol=1e-6)


def test_callbacks_see_present_weights_and_every_batch(backend, make_model, data):
    model, seen = make_model(), []

    def look(batch, logs):
        seen.append((batch, logs["size"], logs["loss"], logs["accuracy"], model.get_weights()[0].sum()))

    before = model.get_weights()[0].sum()
    model.fit(*data, batch_size=16, epochs=1, verbose=0, callbacks=[C.LambdaCallback(on_batch_end=look)])
    assert [entry[:2] for entry in seen] == [(0, 16), (1, 16), (2, 8)]
    sums = [before, *(entry[4] for entry in seen)]
    assert len(set(sums)) == 4
    assert model.get_weights()[0].sum() == sums[-1]


def test_a_callback_may_set_weights_and_the_learning_rate(backend, make_model, data):
    model = make_model()
    start = model.get_weights()

    def freeze(epoch, logs):
        model.set_weights(start)
        K.set_value(model.optimizer.lr, 0.0)

    history = model.fit(*data, epochs=3, verbose=0, shuffle=False, callbacks=[C.LambdaCallback(on_epoch_end=freeze)])
    np.testing.assert_array_equal(model.get_weights()[0], start[0])
    assert history.history["loss"][1] == pytest.approx(history.history["loss"][2], rel=1e-6)


def test_a_callback_may_use_the_model_on_another_backend(make_model, data):
    model, plain = make_model(), make_model()
    plain.set_weights(model.get_weights())

    def elsewhere(*_):
        with discovery.use_backend("torch"):
            model.predict(data[0][:4])

    hooks = C.LambdaCallback(on_epoch_end=elsewhere, on_batch_begin=elsewhere)
    model.fit(*data, batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=[hooks])
    plain.fit(*data, batch_size=16, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-5)


def test_nothing_is_lost_when_training_is_broken_off(backend, make_model, data):
    model, kept = make_model(), []

    def stop(batch, logs):
        kept.append(model.get_weights())
        if batch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=8, verbose=0, callbacks=[C.LambdaCallback(on_batch_end=stop)])
    for got, expected in zip(model.get_weights(), kept[-1]):
        np.testing.assert_array_equal(got, expected)
    model.fit(*data, epochs=1, verbose=0)


def test_early_stopping_stops(make_model, data):
    history = make_model().fit(
        *data, epochs=50, verbose=0, callbacks=[C.EarlyStopping("loss", min_delta=10.0, patience=2)]
    )
    assert len(history.epoch) == 3


def test_stop_training_in_a_batch_ends_the_epoch(make_model, data):
    model, batches = make_model(), []

    def stop(batch, logs):
        batches.append(batch)
        model.stop_training = batch == 2

    model.fit(*data, batch_size=4, epochs=5, verbose=0, callbacks=[C.LambdaCallback(on_batch_end=stop)])
    assert batches == [0, 1, 2]


def test_the_order_of_hooks(make_model, data):
    from keras_front.callbacks.base import HOOKS

    called = []
    hooks = {name: (lambda *a, name=name: called.append(name[3:])) for name in HOOKS}
    model = make_model()
    model.fit(*data, batch_size=40, epochs=1, validation_data=data, verbose=0, callbacks=[C.LambdaCallback(**hooks)])
    test = ["test_begin", "test_batch_begin", "test_batch_end"]
    assert called == [
        *("train_begin", "epoch_begin", "train_batch_begin", "train_batch_end"),
        *test,
        "test_end",
        *("epoch_end", "train_end"),
    ]
    called.clear()
    model.evaluate(*data, batch_size=40, verbose=0, callbacks=[C.LambdaCallback(**hooks)])
    model.predict(data[0], batch_size=40, callbacks=[C.LambdaCallback(**hooks)])
    assert called == [*test, "test_end", "predict_begin", "predict_batch_begin", "predict_batch_end", "predict_end"]


def test_what_fit_prints_in_a_log_file(make_model, data, capsys):
    model = make_model()
    model.fit(*data, epochs=2, validation_split=0.5)
    out = capsys.readouterr().out
    assert "\r" not in out
    lines = out.splitlines()
    assert lines[0] == "Train on 20 samples, validate on 20 samples"
    assert lines[1] == "Epoch 1/2"
    assert lines[2].startswith("20/20 [====")
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert f" - {name}: " in lines[2]
    assert len(lines) == 5
    model.fit(*data, epochs=1, verbose=2)
    assert re.match(r"Epoch 1/1\n - \d+s - loss: ", capsys.readouterr().out)
    model.evaluate(*data)
    assert capsys.readouterr().out.startswith("40/40 [====")
    model.evaluate(*data, verbose=0)
    model.predict(data[0])
    assert capsys.readouterr().out == ""


# What compile means --------------------------------------------------------------------------------------------


def test_freezing_counts_at_compile(make_model, data):
    model = make_model()
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="Compile again after changing `trainable`"):
        model.fit(*data, epochs=1, verbose=0)  # as compiled: all weights
    model.compile("sgd", "binary_crossentropy")
    before = model.get_weights()
    model.fit(*data, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert (model.get_weights()[2] != before[2]).any()


def test_layers_added_after_compile_are_trained(data):
    model = Sequential([L.Dense(5, input_shape=(6,))])
    model.compile("sgd", "mse")
    model.add(L.Dense(1))
    before = model.get_weights()
    model.fit(*data, epochs=1, verbose=0)
    assert all((a != b).any() for a, b in zip(model.get_weights(), before))


def test_a_model_without_input_shape_is_built_by_its_data(backend, data):
    model = Sequential([L.Dense(4, activation="relu"), L.Dense(1)])
    model.compile("adam", "mse")
    assert model.fit(*data, epochs=2, verbose=0).history["loss"][1] > 0
    assert model.predict(data[0]).shape == (40, 1)


def test_a_subclass_is_built_by_its_data(backend, data):
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = L.Dense(4, activation="relu"), L.Dense(1)

        def call(self, inputs):
            return self.second(self.first(inputs["x"]))

    x, y = data
    model = Two()
    model.compile("adam", "mse")
    history = model.fit({"x": x}, y, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert model.predict({"x": x}).shape == (40, 1)
    assert len(model.get_weights()) == 4


def test_regularizers_and_added_losses_count(backend, data):
    x, y = data
    model = Sequential([L.Dense(1, input_shape=(6,), kernel_regularizer="l2", activity_regularizer="l1")])
    model.compile("sgd", "mse")
    w, b = model.get_weights()
    predicted = x @ w + b
    expected = ((predicted - y) ** 2).mean() + 0.01 * (w**2).sum() + 0.01 * np.abs(predicted).sum() / len(x)
    assert model.evaluate(x, y, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_a_shared_optimizer_and_shared_layers_train_in_turn(backend, data):
    x, y = data
    judge = Sequential([L.Dense(1, input_shape=(4,), activation="sigmoid")])
    judge.compile("sgd", "binary_crossentropy")
    maker = Sequential([L.Dense(4, input_shape=(6,))])
    judge.trainable = False
    both = Sequential([maker, judge])
    both.compile("sgd", "binary_crossentropy")
    for _ in range(2):
        weights = judge.get_weights()[0]
        both.train_on_batch(x, y)
        np.testing.assert_array_equal(judge.get_weights()[0], weights)
        judge.train_on_batch(maker.predict(x), y)
        assert (judge.get_weights()[0] != weights).any()


# Wrong arguments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"batch_size": 0}, ArgumentError, "expected batch_size to be a positive integer, received 0"),
        ({"batch_size": 2.5}, ArgumentError, "expected batch_size to be a positive integer, received 2.5"),
        ({"shuffle": "rows"}, ArgumentError, "expected True, False or 'batch'"),
        ({"validation_split": 1.5}, ArgumentError, "validation_split: expected a fraction between 0 and 1"),
        ({"validation_data": 3}, ArgumentError, "expected validation_data to be"),
        ({"validation_freq": 0}, ArgumentError, "validation_freq"),
        ({"steps_per_epoch": 2, "batch_size": 4}, ArgumentError, "expected no batch_size"),
        ({"nb_epochs": 3}, TypeError, r"fit: Keyword argument not understood: 'nb_epochs'. Did you mean 'epochs'"),
        ({"callbacks": [C.EarlyStopping]}, ArgumentError, "received the class EarlyStopping. Write EarlyStopping"),
        ({"class_weight": {0: 1.0}}, ArgumentError, r"there is none for \[1.0\]"),
        ({"sample_weight": np.ones(3)}, ShapeError, "expected the shape"),
    ],
)
def test_wrong_arguments_are_named(make_model, data, arguments, error, message):
    with pytest.raises(error, match=message):
        make_model().fit(*data, verbose=0, **arguments)


def test_wrong_data_is_named(make_model, data):
    x, y = data
    with pytest.raises(ShapeError, match=r"to have shape \(6,\) but got array .* \(5,\).*found shape=\(40, 5\)"):
        make_model().fit(x[:, :5], y)
    model = Sequential([L.Dense(3, input_shape=(6,), activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    with pytest.raises(ShapeError, match="sparse_categorical_crossentropy"):
        model.fit(x, y)
    with pytest.raises(StateError, match="the model was not compiled"):
        Sequential([L.Dense(1, input_shape=(6,))]).fit(x, y)
    with pytest.raises(ArgumentError, match="expected an optimizer"):
        Sequential([L.Dense(1, input_shape=(6,))]).compile(None, "mse")
    model.compile("sgd")
    with pytest.raises(ArgumentError, match="nothing to minimise"):
        model.fit(x)


def test_a_compile_that_fails_leaves_the_model_as_it_was(make_model, data):
    model = make_model()
    model.compile("sgd", "mse")
    optimizer = model.optimizer
    with pytest.raises(ArgumentError, match="Unknown loss function 'mean_square_error'"):
        model.compile("adam", "mean_square_error")
    assert model.optimizer is optimizer
    assert model.loss == "mse"
    model.fit(*data, verbose=0)


def test_compile_knows_names_before_there_are_outputs():
    model = Sequential([L.Dense(2)])
    wrong = [
        {"loss": "log_loss"},
        {"loss": {"a": "mse", "b": ["log_loss"]}},
        {"loss": "mse", "metrics": ["acc", "roc_auc"]},
        {"loss": "mse", "weighted_metrics": [["roc_auc"]]},
    ]
    for arguments in wrong:
        with pytest.raises(ArgumentError, match=r"Unknown (loss|metric) function '(log_loss|roc_auc)'"):
            model.compile("sgd", **arguments)
        assert model.optimizer is None
    model.compile("sgd", {"class_name": "Huber", "config": {"name": "other"}}, metrics=["ce", {"out": "mae"}])


def test_predict_needs_no_compile(data):
    model = Sequential([L.Dense(2, input_shape=(6,))])
    w, b = model.get_weights()
    np.testing.assert_allclose(model.predict(data[0]), data[0] @ w + b, rtol=1e-5, atol=1e-6)
    model.set_weights([w * 0, b])
    assert not model.predict(data[0]).any()


def test_results_by_name_on_request(backend):
    x = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    model = Sequential([L.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    plain = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"loss": plain[0], "mae": plain[1]}
    expected = pytest.approx(dict(zip(model.metrics_names, plain, strict=True)))
    assert model.test_on_batch(x, y, return_dict=True) == expected
    assert model.train_on_batch(x, y, return_dict=True) == expected
    history = model.fit(x, y, validation_split=0.5, validation_batch_size=2, verbose=0)
    assert np.isfinite(history.history["val_loss"][0])
