"""One optimizer for several models: slots belong to the optimizer and a weight, `iterations` to the optimizer."""

import copy
import gc
import io
import pickle
import zipfile

import h5py
import numpy as np
import pytest
from test_optimizers import FORMULAS

from keras_front import backend as K
from keras_front import models, optimizers
from keras_front.callbacks import Callback
from keras_front.layers import Dense, Dropout, Input, LayerNormalization

X = np.array([[1.0]])
GOALS = [np.array([[3.0]]), np.array([[-2.0]]), np.array([[0.5]])]


def line(start="ones"):
    """A model of one weight; its gradient for the mean squared error at x = 1 is 2 (w - goal)."""
    return models.Sequential([Dense(1, input_dim=1, use_bias=False, kernel_initializer=start)])


def value(model):
    return float(model.get_weights()[0][0, 0])


def expected(name, order, start=1.0):
    """The weights after steps of the models in `order`, by the formula in float64."""
    make, formula = FORMULAS[name]
    weights = [start] * (max(order) + 1)
    slots = [[0.0] * len(make().slots) for _ in weights]
    for t, i in enumerate(order, 1):
        gradient = 2 * (weights[i] - float(GOALS[i][0, 0]))
        weights[i], slots[i] = formula(weights[i], gradient, slots[i], t)
    return weights


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_models_that_share_an_optimizer_have_slots_of_their_own(backend, name):
    optimizer, order = FORMULAS[name][0](), [0, 1, 0, 0, 1, 2, 1, 2, 0]
    trained = [line(), line()]
    for model in trained:
        model.compile(optimizer, "mse")
    for i in order:
        if i == len(trained):  # a model that is compiled later
            trained.append(line())
            trained[i].compile(optimizer, "mse")
        trained[i].train_on_batch(X, GOALS[i])
    np.testing.assert_allclose([value(m) for m in trained], expected(name, order), rtol=2e-5, atol=1e-6)
    assert int(optimizer.iterations) == len(order)


def test_fit_and_single_batches_in_turn(backend):
    optimizer = FORMULAS["adam"][0]()
    trained = [line(), line()]
    for model in trained:
        model.compile(optimizer, "mse")
    trained[0].fit(X, GOALS[0], epochs=2, verbose=0)
    trained[1].train_on_batch(X, GOALS[1])
    trained[0].fit(X, GOALS[0], epochs=1, verbose=0)
    trained[1].fit(X, GOALS[1], epochs=2, verbose=0)
    np.testing.assert_allclose([value(m) for m in trained], expected("adam", [0, 0, 1, 0, 1, 1]), rtol=1e-5)


def test_a_callback_may_train_another_model_with_the_optimizer(backend):
    optimizer = FORMULAS["momentum"][0]()
    first, second = line(), line()
    for model in (first, second):
        model.compile(optimizer, "mse")

    class Other(Callback):
        def on_epoch_end(self, epoch, logs=None):
            second.train_on_batch(X, GOALS[1])

    first.fit(X, GOALS[0], epochs=3, verbose=0, callbacks=[Other()])
    np.testing.assert_allclose([value(first), value(second)], expected("momentum", [0, 1] * 3), rtol=1e-5)
    assert int(optimizer.iterations) == 6


def test_the_steps_of_a_generative_network(backend):
    """A discriminator trained by itself, frozen within the model that trains the generator; truth in NumPy."""
    optimizer = FORMULAS["adam"][0]()
    judge, maker = line(), line()
    judge.compile(optimizer, "mse")
    judge.trainable = False
    z = Input((1,))
    both = models.Model(z, judge(maker(z)))
    both.compile(optimizer, "mse")
    formula, j, m = FORMULAS["adam"][1], 1.0, 1.0
    slots = {"j": [0.0, 0.0], "m": [0.0, 0.0]}
    for t in range(1, 9, 2):
        judge.train_on_batch(X, GOALS[0])
        both.train_on_batch(X, GOALS[1])
        j, slots["j"] = formula(j, 2 * (j - 3.0), slots["j"], t)
        m, slots["m"] = formula(m, 2 * (m * j + 2.0) * j, slots["m"], t + 1)
    np.testing.assert_allclose([value(judge), value(maker)], [j, m], rtol=1e-5)


def test_a_weight_that_two_models_train_has_one_set_of_slots(backend):
    optimizer = FORMULAS["momentum"][0]()
    shared = Dense(1, use_bias=False, kernel_initializer="ones")
    x = Input((1,))
    first, second = models.Model(x, shared(x)), models.Model(x, shared(x))
    for model in (first, second):
        model.compile(optimizer, "mse")
    w, s = 1.0, [0.0]
    for t in range(1, 5):
        (first, second)[t % 2].train_on_batch(X, GOALS[0])
        w, s = FORMULAS["momentum"][1](w, 2 * (w - 3.0), s, t)
    np.testing.assert_allclose(value(first), w, rtol=1e-5)
    assert len(optimizer.weights) == 2


def test_slots_stay_when_layers_are_frozen_and_freed(backend):
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    model = models.Sequential([Dense(1, input_dim=1, use_bias=False), Dense(1, use_bias=False)])
    model.compile(optimizer, "mse")
    model.train_on_batch(X, GOALS[0])
    kernel, moments = model.layers[0].kernel, optimizer.slots_of(model.layers[0].kernel)["momentum"].numpy()
    model.layers[0].trainable = False
    model.compile(optimizer, "mse")
    model.train_on_batch(X, GOALS[0])
    np.testing.assert_array_equal(optimizer.slots_of(kernel)["momentum"].numpy(), moments)
    model.layers[0].trainable = True
    model.compile(optimizer, "mse")
    assert [v.name for v in optimizer.weights_of(model.trainable_weights)] == [v.name for v in optimizer.weights]
    np.testing.assert_array_equal(optimizer.get_weights()[1], moments)


def test_weights_are_those_of_all_models_and_can_be_put_back(backend):
    optimizer = optimizers.Adam(0.1)
    trained = [line(), line()]
    for model in trained:
        model.compile(optimizer, "mse")
        model.train_on_batch(X, GOALS[0])
    held = optimizer.get_weights()
    assert len(held) == 1 + 2 * 2
    assert optimizer.weights[1] is optimizer.slots_of(trained[1].weights[0])["m"]  # the model compiled last comes first
    for model in trained:
        model.train_on_batch(X, GOALS[1])
    optimizer.set_weights(held)
    for got, want in zip(optimizer.get_weights(), held, strict=True):
        np.testing.assert_array_equal(got, want)
    fresh = optimizers.Adam(0.1)
    fresh.build(trained[1].weights)
    optimizer.set_weights(fresh.get_weights())  # what one model has fits as well
    assert [float(np.max(np.abs(w))) > 0 for w in optimizer.get_weights()] == [False, False, True, False, True]


@pytest.mark.few_compiled(1)
@pytest.mark.parametrize("how", ["m.h5", "m.keras", "deepcopy", "pickle"])
def test_a_copy_of_one_of_two_models_goes_on_alike(backend, tmp_path, how):
    optimizer = optimizers.Adam(0.1, amsgrad=True)
    trained = [line(), line()]
    for model in trained:
        model.compile(optimizer, "mse")
    for i in (0, 1, 0, 1):
        trained[i].train_on_batch(X, GOALS[i])
    if how == "deepcopy":
        again = copy.deepcopy(trained[0])
    elif how == "pickle":
        again = pickle.loads(pickle.dumps(trained[0]))
    else:
        trained[0].save(tmp_path / how)
        again = models.load_model(tmp_path / how)
    gc.collect()
    assert len(again.optimizer.weights) == 4
    for model in (again, trained[0]):
        model.optimizer.iterations.assign(4)
        model.train_on_batch(X, GOALS[0])
    np.testing.assert_allclose(value(again), value(trained[0]), rtol=1e-6)
    assert again.optimizer is not optimizer


def test_a_copy_of_an_optimizer_keeps_the_slots_of_copied_weights():
    optimizer, param = optimizers.Adam(), K.variable([1.0])
    optimizer.apply([param], [K.constant([2.0])])
    weight, again = copy.deepcopy((param, optimizer))
    assert again.weights[1] is not optimizer.weights[1]
    np.testing.assert_array_equal(again.slots_of(weight)["m"].numpy(), optimizer.slots_of(param)["m"].numpy())


def test_slots_go_with_their_weight():
    optimizer = optimizers.Adam()
    kept, lost = K.variable([1.0]), K.variable([2.0, 3.0])
    optimizer.build([lost])
    optimizer.build([kept])
    assert len(optimizer.weights) == 5
    del lost
    gc.collect()
    assert len(optimizer.weights) == 3


def test_pairs_given_in_turn_keep_their_slots(backend):
    optimizer, a, b = optimizers.SGD(1.0, momentum=0.5), K.variable([0.0]), K.variable([0.0])
    for param in (a, b, a, b):
        optimizer.apply_gradients([(K.constant([1.0]), param)])
    np.testing.assert_allclose([a.numpy(), b.numpy()], [[-2.5], [-2.5]])


class Momentum(optimizers.Optimizer):
    """Momentum in the manner of Keras 2."""

    def __init__(self, lr=0.01, rho=0.9, **kwargs):
        super().__init__(**kwargs)
        self.lr = lr
        self.rho = K.variable(rho, name="rho")

    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        moments = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations, *moments]
        self.updates = [K.update_add(self.iterations, 1)]
        for p, g, m in zip(params, grads, moments, strict=True):
            v = self.rho * m - self.lr * g
            self.updates += [K.update(m, v), K.update(p, p + v)]
        return self.updates

    def get_config(self):
        return {**super().get_config(), "lr": float(self.lr), "rho": float(self.rho)}


def test_an_optimizer_written_for_keras_2_has_moments_for_each_model(backend):
    optimizer = Momentum()
    trained = [line(), line()]
    for model in trained:
        model.compile(optimizer, "mse")
    order = [0, 1, 0, 1, 1]
    for i in order:
        trained[i].train_on_batch(X, GOALS[i])
    np.testing.assert_allclose([value(m) for m in trained], expected("momentum", order), rtol=1e-5)
    assert int(optimizer.iterations) == 5


# Models with nothing to train -------------------------------------------------------------------------


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"])
def test_a_model_with_nothing_to_train(backend, name):
    for clips in ({}, {"clipnorm": 1.0, "global_clipnorm": 1.0, "clipvalue": 1.0}):
        frozen = line()
        frozen.layers[0].trainable = False
        for model in (models.Sequential([Dropout(0.5, input_shape=(1,))]), frozen):
            model.compile(optimizers.get({"class_name": name, "config": clips}), "mse")
            history = model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2, verbose=0)
            assert np.isfinite(history.history["loss"]).all()
            assert np.isfinite(model.train_on_batch(X, X))
            assert int(model.optimizer.iterations) == 3


# Files ------------------------------------------------------------------------------------------------


class Counting(optimizers.Optimizer):
    """An optimizer with one slot, and two scalars beside `iterations`."""

    slots = ("mean",)

    def __init__(self, learning_rate=0.1, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.pace, self.sum = K.variable(1.0, name="pace"), K.variable(0.0, name="sum")

    @property
    def counters(self):
        return [self.iterations, self.pace, self.sum]

    def update_all(self, ws, grads, slots, rate, t):
        new = super().update_all(ws, grads, slots, rate, t)
        self.pace.assign(self.pace * 0.5)
        self.sum.assign(self.sum + t)
        return new

    def update(self, w, g, slots, rate, t):
        mean = 0.5 * slots[0] + g
        return w - rate * self.pace * mean, (mean,)


@pytest.mark.parametrize("form", ["m.h5", "m.keras"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Nadam(0.05),
        lambda: optimizers.Adam(0.05, amsgrad=True),
        lambda: optimizers.RMSprop(0.05, momentum=0.5, centered=True),
        Counting,
        lambda: Momentum(0.05),
    ],
    ids=["nadam", "amsgrad", "centered", "counting", "keras2"],
)
def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path, form, make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))

    def built():
        model = models.Sequential([Dense(4, input_dim=3, activation="tanh"), LayerNormalization(), Dense(1)])
        model.compile(make(), "mse")
        return model

    whole, half = built(), built()
    half.set_weights(whole.get_weights())
    whole.fit(x, y, epochs=4, batch_size=5, shuffle=False, verbose=0)
    half.fit(x, y, epochs=2, batch_size=5, shuffle=False, verbose=0)
    half.save(tmp_path / form)
    again = models.load_model(tmp_path / form, custom_objects={"Counting": Counting, "Momentum": Momentum})
    for got, want in zip(again.optimizer.get_weights(), half.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    again.fit(x, y, epochs=4, initial_epoch=2, batch_size=5, shuffle=False, verbose=0)
    for got, want in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, atol=2e-6)


def test_slots_in_a_file_lie_as_keras_3_lays_them(tmp_path):
    model = models.Sequential([Dense(2, input_dim=3)])
    model.compile(optimizers.Adam(amsgrad=True), "mse")
    model.train_on_batch(np.ones((4, 3)), np.zeros((4, 2)))
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as f:
        held = f["optimizer/vars"]
        found = [held[str(i)][()] for i in range(len(held))]
        assert list(f["optimizer"]) == ["vars"]
    kernel, bias = (model.optimizer.slots_of(w) for w in model.weights)
    wanted = [kernel["m"], kernel["v"], bias["m"], bias["v"], kernel["vhat"], bias["vhat"]]
    for got, want in zip(found[2:], wanted, strict=True):
        np.testing.assert_array_equal(got, want.numpy())
