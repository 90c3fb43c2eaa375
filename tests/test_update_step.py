"""Optimizers written for Keras 3, with `build` and `update_step`; the losses were recorded with Keras 3.15.1."""

import copy

import numpy as np
import pytest

from keras_front import callbacks, ops, optimizers
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Dense
from keras_front.models import Sequential, load_model
from keras_front.optimizers.schedules import ExponentialDecay

numbers = np.random.RandomState(0)
X = numbers.rand(40, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True)
WEIGHTS = [numbers.rand(4, 5), np.zeros(5), numbers.rand(5, 1), np.zeros(1)]


class Momentum(optimizers.Optimizer):
    """As the guides of Keras 3 write it."""

    def __init__(self, learning_rate=0.01, momentum=0.9, name="own", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(reference_variable=v, name="momentum") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, ops.subtract(ops.multiply(m, self.momentum), ops.multiply(gradient, learning_rate)))
        self.assign_add(variable, m)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


class Adam(optimizers.Optimizer):
    """Two variables for each weight, and one of its own."""

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._m, self._v = self.add_optimizer_variables(var_list, ["momentum", "velocity"])
        self.count = self.add_variable(shape=(), name="count")

    def update_step(self, gradient, variable, learning_rate):
        t = ops.cast(self.iterations + 1, variable.dtype)
        alpha = learning_rate * ops.sqrt(1 - ops.power(0.999, t)) / (1 - ops.power(0.9, t))
        index = self._get_variable_index(variable)
        m, v = self._m[index], self._v[index]
        self.assign_add(m, (gradient - m) * (1 - 0.9))
        self.assign_add(v, (ops.square(gradient) - v) * (1 - 0.999))
        self.assign_sub(variable, m * alpha / (ops.sqrt(v) + 1e-7))
        self.count.assign_add(1.0)


RECORDED = {
    "plain": (lambda: Momentum(0.05), [0.129503, 0.092877, 0.060895], 15),
    "accumulated": (lambda: Momentum(0.05, gradient_accumulation_steps=3), [0.163563, 0.119434, 0.150758], 5),
    "schedule": (lambda: Momentum(ExponentialDecay(0.1, 5, 0.5)), [0.167928, 0.066391, 0.052257], 15),
    "clipped": (lambda: Momentum(0.05, clipnorm=0.5, weight_decay=0.01), [0.124633, 0.11873, 0.059928], 15),
    "means": (lambda: Momentum(0.05, use_ema=True, ema_overwrite_frequency=3), [0.13267, 0.070189, 0.099012], 15),
    "scaled": (
        lambda: Momentum(0.05, loss_scale_factor=4.0, global_clipnorm=0.3),
        [0.139347, 0.170304, 0.141526],
        15,
    ),
    "adam": (lambda: Adam(0.01, gradient_accumulation_steps=2, clipvalue=0.1), [0.163583, 0.101721, 0.086532], 7),
}


def compiled(optimizer):
    model = Sequential([Dense(5, activation="tanh", input_shape=(4,), name="a"), Dense(1, name="b")])
    model.set_weights(WEIGHTS)
    model.compile(optimizer, "mse")
    return model


def losses(model, epochs=3):
    return model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize("name", RECORDED)
def test_they_train_as_in_keras_3(backend, name):
    make, recorded, updates = RECORDED[name]
    optimizer = make()
    np.testing.assert_allclose(losses(compiled(optimizer)), recorded, atol=2e-6)
    assert int(optimizer.iterations) == updates


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("name", ["accumulated", "means", "adam"])
def test_training_goes_on_from_copies_and_files(backend, name, tmp_path):
    model = compiled(RECORDED[name][0]())
    losses(model)
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    files = [
        load_model(tmp_path / f, custom_objects={"Momentum": Momentum, "Adam": Adam})
        for f in ("model.keras", "model.h5")
    ]
    copied = copy.deepcopy(model)
    wanted = losses(model, 1)
    for other in (copied, *files):
        assert losses(other, 1) == wanted
    own = [v for v in model.optimizer.weights if "momentum" in v.name]
    assert [v.shape for v in own] == [w.shape for w in model.weights]


@pytest.mark.backends("numpy")
def test_adam_of_ours_with_means_that_overwrite_trains(backend):
    """A list that a recorded op had given was changed in place."""
    model = compiled(optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2))
    losses(model)
    means = [model.optimizer.slots_of(w)["average"].numpy() for w in model.weights]
    for mean, weight in zip(means, model.get_weights(), strict=True):
        np.testing.assert_array_equal(mean, weight)


@pytest.mark.backends("numpy")
def test_iterations_are_updates_and_what_is_saved_are_calls(backend):
    seen = []
    optimizer = optimizers.Adam(gradient_accumulation_steps=4)
    look = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(int(optimizer.iterations.numpy())))
    model = compiled(optimizer)
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[look])
    assert seen == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert optimizer.get_weights()[0] == 10


@pytest.mark.backends("numpy")
def test_what_does_not_fit_is_named(backend):
    class NoBuild(Momentum):
        def build(self, variables):
            self.momentums = []

    with pytest.raises(StateError, match=r"NoBuild\.build has to call super"):
        compiled(NoBuild())
    optimizer = Momentum()
    compiled(optimizer)
    with pytest.raises(ArgumentError, match="a/kernel:0 is not among the 4 weights that the optimizer was built for"):
        compiled(optimizer)
    with pytest.raises(ArgumentError, match="an initializer for each of 2 names, received 1"):
        Adam().add_optimizer_variables([], ["a", "b"], ["zeros"])
