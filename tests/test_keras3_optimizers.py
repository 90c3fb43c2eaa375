"""Schedules, weight decay, running means, and the optimizers of Keras 3: against numbers that it recorded."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model
from keras_front.optimizers import SGD, Adafactor, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, Muon, get, schedules

RECORDED = json.loads(Path(__file__).with_name("keras3_optimizers.json").read_text())
MAKERS = {
    "adamw": lambda: AdamW(0.1, weight_decay=0.3),
    "adamw_amsgrad": lambda: AdamW(0.1, weight_decay=0.3, amsgrad=True),
    "lion": lambda: Lion(0.1, weight_decay=0.1),
    "lamb": lambda: Lamb(0.1),
    "lamb_decay": lambda: Lamb(0.1, weight_decay=0.2),
    "ftrl": lambda: Ftrl(0.1),
    "ftrl_all": lambda: Ftrl(0.1, -0.3, 0.2, 0.5, 0.2, 0.1, 0.3),
    "adafactor": lambda: Adafactor(0.5),
    "adafactor_absolute": lambda: Adafactor(0.3, relative_step=False, clip_threshold=0.4, weight_decay=0.1),
    "adafactor_schedule": lambda: Adafactor(schedules.CosineDecay(0.1, 3)),
    "muon": lambda: Muon(0.1),
    "muon_plain": lambda: Muon(
        0.1, nesterov=False, rms_rate=None, momentum=0.5, ns_steps=3, adam_lr_ratio=0.5, adam_weight_decay=0.2
    ),
    "sgd_decay": lambda: SGD(0.1, momentum=0.9, weight_decay=0.2),
    "adamax_decay": lambda: Adamax(0.1, weight_decay=0.2),
    "sgd_schedule": lambda: SGD(schedules.ExponentialDecay(0.1, 2, 0.5)),
    "sgd_mean": lambda: SGD(0.1, use_ema=True, ema_momentum=0.7),
    "sgd_mean_overwrite": lambda: SGD(0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=2),
    "adam_accumulated": lambda: Adam(0.1, clipnorm=0.5, gradient_accumulation_steps=2),
    "accumulated_all": lambda: AdamW(
        schedules.ExponentialDecay(0.1, 2, 0.5),
        weight_decay=0.1,
        gradient_accumulation_steps=2,
        use_ema=True,
        ema_momentum=0.6,
        ema_overwrite_frequency=2,
    ),
}
X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model_with(optimizer, **keywords):
    model = Sequential([Dense(3, input_shape=(4,), **keywords), Dense(1)])
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize("name", RECORDED["cases"])
def test_five_steps_of_keras_3(backend, name):
    weights = [K.variable(w) for w in RECORDED["weights"]]
    optimizer = MAKERS[name]()
    for grads in RECORDED["grads"]:
        optimizer.apply(weights, [K.constant(g) for g in grads])
    tolerance = {"rtol": 2e-4, "atol": 2e-5}
    for weight, expected in zip(weights, RECORDED["cases"][name]["weights"], strict=True):
        np.testing.assert_allclose(K.get_value(weight), expected, **tolerance)
    optimizer.finalize_variable_values(weights)
    for weight, expected in zip(weights, RECORDED["cases"][name]["final"], strict=True):
        np.testing.assert_allclose(K.get_value(weight), expected, **tolerance)


@pytest.mark.parametrize(("name", "arguments", "expected"), RECORDED["schedules"])
def test_schedules_of_keras_3(backend, name, arguments, expected):
    schedule = getattr(schedules, name)(*arguments)
    np.testing.assert_allclose([float(schedule(t)) for t in range(0, 40, 3)], expected, rtol=1e-4, atol=1e-7)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


def test_a_scheduled_rate_is_followed_step_by_step(backend):
    model = model_with(SGD(schedules.PiecewiseConstantDecay([3], [0.1, 0.0])))
    model.fit(X, Y, batch_size=8, verbose=0)  # four steps
    assert float(K.get_value(model.optimizer.lr)) == pytest.approx(0.1)
    before = model.get_weights()
    model.fit(X, Y, batch_size=8, verbose=0)
    assert float(K.get_value(model.optimizer.lr)) == 0
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    with pytest.raises(StateError, match="follows PiecewiseConstantDecay"):
        model.optimizer.lr = 0.5


def test_a_schedule_of_ones_own_and_a_function(backend):
    class Halving(schedules.LearningRateSchedule):
        def __init__(self, first):
            self.first = first

        def __call__(self, step):
            return self.first * 0.5 ** (step + 1)

    weight = K.variable([1.0])
    optimizer = SGD(Halving(0.5))
    for _ in range(2):
        optimizer.apply([weight], [K.constant([1.0])])
    assert float(K.get_value(weight)[0]) == pytest.approx(1 - 0.25 - 0.125)
    weight = K.variable([1.0])
    SGD(lambda: 0.25).apply([weight], [K.constant([1.0])])
    assert float(K.get_value(weight)[0]) == 0.75


def test_updates_of_a_function_follow_a_schedule(backend):
    weight, x = K.variable([1.0]), K.placeholder((1,))
    optimizer = SGD(schedules.PiecewiseConstantDecay([0], [0.5, 0.25]))
    step = K.function([x], [], updates=optimizer.get_updates(K.sum(weight * x), [weight]))
    step([np.ones(1)])
    step([np.ones(1)])
    assert float(K.get_value(weight)[0]) == pytest.approx(0.25)


def test_the_mean_takes_the_place_of_the_weights_when_fit_ends(backend):
    plain = model_with(SGD(0.05))
    averaged = model_with(SGD(0.05, use_ema=True, ema_momentum=0.5))
    averaged.set_weights(plain.get_weights())
    mean = None
    for i in range(0, 32, 8):
        plain.train_on_batch(X[i : i + 8], Y[i : i + 8])
        new = plain.get_weights()
        mean = new if mean is None else [0.5 * m + 0.5 * w for m, w in zip(mean, new, strict=True)]
    averaged.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    for found, expected in zip(averaged.get_weights(), mean, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_weights_may_be_left_out_of_the_decay():
    model = model_with("sgd", bias_initializer="ones")
    kernel, bias = model.layers[0].weights
    for given in ({"var_names": ["bias"]}, {"var_list": [bias]}):
        optimizer = SGD(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**given)
        before = kernel.numpy()
        optimizer.apply([kernel, bias], [K.zeros_like(kernel), K.zeros_like(bias)])
        np.testing.assert_allclose(kernel.numpy(), 0.5 * before, rtol=1e-6)
        np.testing.assert_array_equal(bias.numpy(), np.ones(3))


@pytest.mark.parametrize("extension", ["h5", "keras"])
def test_files_hold_schedules_means_and_new_optimizers(tmp_path, extension):
    for optimizer in (
        AdamW(schedules.CosineDecay(0.01, 50, warmup_target=0.1, warmup_steps=5), weight_decay=0.1, use_ema=True),
        Lion(0.01),
        Ftrl(0.01),
        Lamb(0.01),
        Adafactor(0.01),
        Muon(0.01, exclude_layers=["dense_9"]),
        SGD(0.01, momentum=0.9, gradient_accumulation_steps=2, use_ema=True),
    ):
        model = model_with(optimizer)
        model.fit(X, Y, verbose=0)
        path = str(tmp_path / f"model.{extension}")
        model.save(path)
        again = load_model(path)
        assert again.optimizer.get_config() == optimizer.get_config()
        model.fit(X, Y, shuffle=False, verbose=0)
        again.fit(X, Y, shuffle=False, verbose=0)
        for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_copies_keep_what_the_optimizer_knows():
    optimizer = AdamW(schedules.ExponentialDecay(0.1, 5, 0.5), use_ema=True, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = model_with(optimizer)
    model.train_on_batch(X, Y)
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    model.train_on_batch(X, Y)
    for again in copies:
        assert again.optimizer.get_config() == optimizer.get_config()
        again.train_on_batch(X, Y)
        for found, expected in zip(again.optimizer.get_weights(), optimizer.get_weights(), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_names_and_wrong_arguments():
    for name in ("adamw", "Lion", "FTRL", "lamb", "adafactor", "muon"):
        assert type(get(name)).__name__.lower() == name.lower()
    assert Adam(weight_decay=0.1).get_config()["weight_decay"] == 0.1
    for wrong, message in (
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "a number of steps above 0"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "one value more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "increasing boundaries"),
        (lambda: Adam(use_ema=True, ema_momentum=2.0), "between 0 and 1"),
        (lambda: Adam(schedules.ExponentialDecay), "learning rate of 0 or more"),
    ):
        with pytest.raises(ArgumentError, match=message):
            wrong()
