"""Optimizers: against three steps of real Keras, against float64 NumPy, their state, configs and errors."""

import interop
import numpy as np
import pytest

from keras_front import backend as K
from keras_front import constraints, optimizers
from keras_front.errors import ArgumentError, ShapeError

# What the fixtures call each optimizer, from the README of the fixtures (there `tf_keras.optimizers.legacy`).
RECORDED = {
    "sgd": lambda: optimizers.SGD(0.1),
    "sgd_momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "sgd_nesterov_decay": lambda: optimizers.SGD(0.1, momentum=0.8, nesterov=True, decay=0.1),
    "sgd_clipvalue": lambda: optimizers.SGD(0.1, clipvalue=0.01),
    "sgd_clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.05),
    "sgd_global_clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.05),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop_rho_decay": lambda: optimizers.RMSprop(0.01, rho=0.8, epsilon=1e-4, decay=0.2),
    "adagrad": lambda: optimizers.Adagrad(0.1, initial_accumulator_value=0.0),
    "adagrad_decay": lambda: optimizers.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=1e-3, decay=0.1),
    "adadelta": lambda: optimizers.Adadelta(1.0, rho=0.95, epsilon=1e-7),
    "adam": lambda: optimizers.Adam(0.01),
    "adam_amsgrad_decay": lambda: optimizers.Adam(0.01, beta_1=0.8, beta_2=0.99, amsgrad=True, decay=0.1),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
}


def compiled_step(optimizer, params, loss_of):
    """A step as the trainer makes it: state in, state out, nothing else changes."""
    optimizer.build(params)
    held = [v for v in vars(optimizer).values() if isinstance(v, K.Variable)]
    variables = list(dict.fromkeys([*params, *held, *optimizer.weights]))

    def step(state, batch):
        with K.bind(variables, state) as frame:
            (loss, _), grads = K.value_and_grad(lambda ws: (loss_of(ws, batch), []), state[: len(params)])
            optimizer.apply(params, grads)
            return frame.values_of(variables), loss

    return K.compile(step), variables


@pytest.mark.parametrize("name", sorted(RECORDED))
@pytest.mark.skipif(not interop.index(), reason="needs the folder shared/interop beside the checkout")
def test_three_steps_of_real_keras(backend, name):
    stored = interop.arrays("k2_Dense_00.npz")
    optimizer = RECORDED[name]()
    params = [K.variable(stored["w0"], name="dense/kernel:0"), K.variable(stored["w1"], name="dense/bias:0")]

    def loss_of(ws, batch):
        return K.mean(K.square(K.dot(batch[0], ws[0]) + ws[1] - batch[1]))

    step, variables = compiled_step(optimizer, params, loss_of)
    state = [K.convert(v) for v in variables]
    for _ in range(3):
        state, _ = step(state, [K.convert(stored["x0"]), K.convert(stored["t0"])])
    got = np.concatenate([K.to_numpy(w).ravel() for w in state[:2]])
    np.testing.assert_allclose(got, stored["opt_" + name], rtol=1e-4, atol=2e-6)
    assert int(K.to_numpy(state[variables.index(optimizer.iterations)])) == 3


# The same formulas once more, in float64 on one weight. Each takes (w, g, slots, t) and returns (w, slots).


def adam(w, g, s, t, top=False):
    m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g**2
    largest = np.maximum(s[2], v) if top else v
    w = w - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(largest / (1 - 0.999**t)) + 1e-12)
    return w, [m, v, largest] if top else [m, v]


def nadam(w, g, s, t):
    mu = lambda i: 0.9 * (1 - 0.5 * 0.96 ** (i * 0.004))
    product = np.prod([mu(i) for i in range(1, t + 1)])
    m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g**2
    mean = (1 - mu(t)) * g / (1 - product) + mu(t + 1) * m / (1 - product * mu(t + 1))
    return w - 0.01 * mean / (np.sqrt(v / (1 - 0.999**t)) + 1e-12), [m, v]


def adadelta(w, g, s, t):
    a = 0.95 * s[0] + 0.05 * g**2
    step = g * np.sqrt(s[1] + 1e-3) / np.sqrt(a + 1e-3)
    return w - step, [a, 0.95 * s[1] + 0.05 * step**2]


def adamax(w, g, s, t):
    m, u = 0.9 * s[0] + 0.1 * g, np.maximum(0.999 * s[1], abs(g))
    return w - 0.01 / (1 - 0.9**t) * m / (u + 1e-12), [m, u]


def rmsprop(w, g, s, t):
    a = 0.9 * s[0] + 0.1 * g**2
    return w - 0.01 * g / (np.sqrt(a) + 1e-12), [a]


def centered(w, g, s, t):
    a, mean = 0.9 * s[0] + 0.1 * g**2, 0.9 * s[2] + 0.1 * g
    v = 0.5 * s[1] + 0.01 * g / np.sqrt(a - mean**2 + 1e-3)
    return w - v, [a, v, mean]


def adagrad(w, g, s, t):
    a = s[0] + g**2
    return w - 0.01 * g / (np.sqrt(a) + 1e-12), [a]


def momentum(w, g, s, t):
    v = 0.9 * s[0] - 0.01 * g
    return w + v, [v]


def nesterov(w, g, s, t):
    v = 0.9 * s[0] - 0.01 * g
    return w + 0.9 * v - 0.01 * g, [v]


FORMULAS = {
    "sgd": (lambda: optimizers.SGD(0.01), lambda w, g, s, t: (w - 0.01 * g, [])),
    "momentum": (lambda: optimizers.SGD(0.01, momentum=0.9), momentum),
    "nesterov": (lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True), nesterov),
    "rmsprop": (lambda: optimizers.RMSprop(0.01, epsilon=1e-12), rmsprop),
    "centered": (lambda: optimizers.RMSprop(0.01, epsilon=1e-3, momentum=0.5, centered=True), centered),
    "adagrad": (lambda: optimizers.Adagrad(0.01, epsilon=1e-12), adagrad),
    "adadelta": (lambda: optimizers.Adadelta(1.0, epsilon=1e-3), adadelta),
    "adam": (lambda: optimizers.Adam(0.01, epsilon=1e-12), adam),
    "amsgrad": (
        lambda: optimizers.Adam(0.01, epsilon=1e-12, amsgrad=True),
        lambda w, g, s, t: adam(w, g, s, t, top=True),
    ),
    "adamax": (lambda: optimizers.Adamax(0.01, epsilon=1e-12), adamax),
    "nadam": (lambda: optimizers.Nadam(0.01, epsilon=1e-12), nadam),
}


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_as_the_formula(backend, name):
    make, formula = FORMULAS[name]
    rng = np.random.default_rng(1)
    optimizer, w = make(), rng.normal(size=(3, 2))
    other = K.variable(np.zeros(2), dtype="float64")
    param = K.variable(w, dtype="float64")
    optimizer.build([param, other])
    slots = [np.zeros((3, 2))] * len(optimizer.slots)
    for t in range(1, 5):
        g = rng.normal(size=(3, 2)) / t
        optimizer.apply([param, other], [K.constant(g, dtype="float64"), None])
        w, slots = formula(w, g, slots, t)
    np.testing.assert_allclose(param.numpy(), w, rtol=1e-5, atol=1e-6)
    for variables, slot in zip(optimizer.slot_variables.values(), slots, strict=True):
        np.testing.assert_allclose(variables[0].numpy(), slot, rtol=1e-5, atol=1e-6)
    assert not other.numpy().any()  # it had no gradient
    assert int(optimizer.iterations) == 4


def test_the_rate_decays_and_can_be_set(backend):
    param = K.variable([1.0, 1.0])
    optimizer = optimizers.SGD(lr=0.5, decay=1.0)
    for _ in range(3):
        optimizer.apply_gradients([(K.constant([1.0, 2.0]), param)])
    taken = 0.5 * (1 + 1 / 2 + 1 / 3)
    np.testing.assert_allclose(param.numpy(), [1 - taken, 1 - 2 * taken], rtol=1e-6)
    optimizer.lr = 0.25
    assert float(optimizer.learning_rate) == 0.25
    K.set_value(optimizer.lr, 0.75)
    assert K.get_value(optimizer.learning_rate) == 0.75


def test_clips(backend):
    grads = [K.constant([3.0, 4.0]), K.constant([0.3, 0.4])]
    clipped = lambda **how: [K.to_numpy(g).tolist() for g in optimizers.SGD(**how).clip(grads)]
    np.testing.assert_allclose(clipped(clipnorm=1.0), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(clipped(clipvalue=0.35), [[0.35, 0.35], [0.3, 0.35]], rtol=1e-6)
    np.testing.assert_allclose(clipped(global_clipnorm=1.0), np.array([[3, 4], [0.3, 0.4]]) / 25.25**0.5, rtol=1e-5)


def test_constraints_come_after_the_update(backend):
    param = K.variable([[3.0], [4.0]], constraint=constraints.UnitNorm())
    optimizers.SGD(0.0).apply([param], [K.constant([[1.0], [1.0]])])
    np.testing.assert_allclose(param.numpy(), [[0.6], [0.8]], rtol=1e-5)


def test_updates_for_k_function(backend):
    w, x = K.variable([1.0, 2.0]), K.placeholder((None, 2))
    optimizer = optimizers.Adam(0.1)
    loss = K.mean(K.square(K.sum(x * w, axis=-1)))
    train = K.function([x], [loss], updates=optimizer.get_updates(loss, [w]))
    first = train([np.ones((4, 2))])[0]
    assert train([np.ones((4, 2))])[0] < first
    assert int(optimizer.iterations) == 2
    assert np.abs(optimizer.get_weights()[1]).max() > 0
    with pytest.raises(ArgumentError, match="does not depend on"):
        optimizer.get_gradients(loss, [K.variable([1.0], name="lonely")])


@pytest.mark.parametrize("entry", interop.cases("k2compiled"))
def test_weights_lie_in_the_order_of_real_keras(entry):
    code = entry["options"]["optimizer"]
    if code.startswith("N."):
        pytest.skip("state of the optimizers of TF 2.11 and later is another one")
    stored = interop.arrays(entry["npz"])
    params = [K.variable(stored[f"w{i}"], name=n) for i, n in enumerate(entry["weights"]) if "moving" not in n]
    optimizer = eval(code, {"O": optimizers})
    optimizer.build(params)
    state = [stored[f"o{i}"] for i in range(sum(key.startswith("o") for key in stored))]
    optimizer.set_weights(state)
    for got, want in zip(optimizer.get_weights(), state, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    kernel = params[0].name.partition(":")[0]
    slots = [v.name for v in optimizer.weights if kernel in v.name]
    assert slots == [f"{optimizer.name}/{kernel}/{slot}:0" for slot in optimizer.slots]


def test_weights_of_older_keras_are_understood():
    params = [K.variable(np.zeros((2, 3))), K.variable(np.zeros(3))]
    shaped = lambda value: [np.full(p.shape, value) for p in params]
    adam = optimizers.Adam()
    adam.build(params)
    adam.set_weights([7, *shaped(1.0), *shaped(2.0), np.zeros(1), np.zeros(1)])  # Keras 2.3: unused slots of amsgrad
    assert int(adam.iterations) == 7
    assert adam.get_weights()[3].max() == 2
    rmsprop = optimizers.RMSprop()
    rmsprop.build(params)
    rmsprop.set_weights(shaped(3.0))  # Keras 2.2: no iterations
    assert [w.max() for w in rmsprop.get_weights()] == [0, 3, 3]
    nadam = optimizers.Nadam()
    nadam.build(params)
    nadam.set_weights([2, *shaped(1.0), *shaped(2.0)])  # Keras 2.2: no product of momenta
    product = 0.9**2 * (1 - 0.5 * 0.96**0.004) * (1 - 0.5 * 0.96**0.008)
    np.testing.assert_allclose([float(w.max()) for w in nadam.get_weights()[:3]], [2, product, 1], rtol=1e-6)
    with pytest.raises(ShapeError, match="expected arrays of shapes"):
        adam.set_weights([1, 2])


def test_slots_are_kept_when_weights_join():
    a, b = K.variable(np.zeros(2)), K.variable(np.zeros(3))
    optimizer = optimizers.RMSprop()
    optimizer.build([a])
    slot = optimizer.weights[1]
    optimizer.build([b, a])
    assert optimizer.weights[2] is slot
    assert [v.shape for v in optimizer.weights] == [(), (3,), (2,)]


def test_an_optimizer_of_ones_own(backend):
    class SignDescent(optimizers.Optimizer):
        def update(self, w, g, slots, rate, t):
            return w - rate * K.sign(g), slots

    param = K.variable([1.0, 1.0])
    SignDescent(0.5).apply([param], [K.constant([3.0, -2.0])])
    np.testing.assert_allclose(param.numpy(), [0.5, 1.5])


def test_names_and_configs():
    assert type(optimizers.get("ADAM")) is optimizers.Adam is optimizers.adam
    for name in optimizers.OPTIMIZERS.names():
        if name == "LossScaleOptimizer":  # it needs another one
            continue
        config = optimizers.serialize(optimizers.get(name))
        assert optimizers.serialize(optimizers.deserialize(config)) == config
        assert config["class_name"] == name
    full = optimizers.RMSprop(0.5, momentum=0.25, centered=True, clipnorm=1.0, clipvalue=2.0)
    assert optimizers.deserialize(optimizers.serialize(full)).get_config() == full.get_config()
    newer = {"class_name": "Custom>Adam", "config": {"learning_rate": 0.5, "use_ema": False, "jit_compile": True}}
    assert float(optimizers.deserialize(newer).lr) == 0.5
    assert optimizers.Nadam(decay=0.1).schedule_decay == 0.1
    assert optimizers.Nadam().initial_decay == 0
    for wrong, message in (
        (lambda: optimizers.SGD(speed=1), "not understood: speed=1"),
        (lambda: optimizers.Adam(weight_decoy=0.1), "weight_decoy=0.1"),
        (lambda: optimizers.SGD(-1), "learning rate of 0 or more"),
        (lambda: optimizers.SGD("fast"), "learning rate of 0 or more"),
        (lambda: optimizers.SGD(momentum=2.0), "momentum between 0 and 1"),
        (lambda: optimizers.get(None), "optimizer identifier: None"),
        (lambda: optimizers.get("adm"), "Did you mean 'adam'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            wrong()
    with pytest.raises(NotImplementedError, match="neither"):
        optimizers.Optimizer().apply([K.variable([1.0])], [np.ones(1)])


def test_an_optimizer_written_for_keras_2(backend):
    class Momentum(optimizers.Optimizer):
        def __init__(self, lr=0.1, rho=0.9, **kwargs):
            super().__init__(**kwargs)
            with K.name_scope("Momentum"):
                self.iterations = K.variable(0, dtype="int64", name="iterations")
                self.lr = K.variable(lr, name="lr")
                self.rho = K.variable(rho, name="rho")

        def get_updates(self, loss, params):
            grads = self.get_gradients(loss, params)
            self.updates = [K.update_add(self.iterations, 1)]
            moments = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
            self.weights = [self.iterations, *moments]
            for p, g, m in zip(params, grads, moments, strict=True):
                v = self.rho * m - self.lr * g
                self.updates += [K.update(m, v), K.update(p, p + v)]
            return self.updates

        def get_config(self):
            config = {"lr": float(K.get_value(self.lr)), "rho": float(K.get_value(self.rho))}
            return {**super().get_config(), **config}

    mine, ours = Momentum(0.25, rho=0.5, clipvalue=0.7), optimizers.SGD(0.25, momentum=0.5, clipvalue=0.7)
    assert mine.get_config() == {"lr": 0.25, "rho": 0.5, "clipvalue": 0.7}
    assert float(Momentum.from_config(mine.get_config()).lr) == 0.25
    start, found = [[1.0, -2.0], [0.5, 3.0]], []
    for optimizer in (mine, ours):
        params = [K.variable(start, name="a:0")]
        step, variables = compiled_step(optimizer, params, lambda ws, batch: K.mean(K.square(K.dot(batch[0], ws[0]))))
        state = [K.convert(v) for v in variables]
        for _ in range(3):
            state, _ = step(state, [K.constant([[1.0, 2.0], [-1.0, 0.5]])])
        found.append(K.to_numpy(state[0]))
        assert int(K.to_numpy(state[variables.index(optimizer.iterations)])) == 3
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    assert [v.shape for v in mine.weights] == [(), (2, 2)]


def test_an_optimizer_that_adds_to_the_updates_of_ours(backend):
    class Shrinking(optimizers.Adam):
        def get_updates(self, loss, params):
            updates = dict(super().get_updates(loss, params))
            return [(v, new * 0.5 if v in params else new) for v, new in updates.items()]

    found = []
    for optimizer in (Shrinking(0.1), optimizers.Adam(0.1)):
        param = K.variable([1.0, 2.0])
        optimizer.apply([param], [K.constant([1.0, -1.0])])
        found.append(param.numpy())
        assert len(optimizer.weights) == 3
    np.testing.assert_allclose(found[0], found[1] / 2, rtol=1e-6)


class Resource(optimizers.Optimizer):
    """In the manner of tf.keras 2."""

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "m")

    def _resource_apply_dense(self, grad, var, apply_state=None):
        m = self.get_slot(var, "m")
        m.assign(0.5 * m + grad)
        var.assign_sub(self._decayed_lr(var.dtype) * m)


class Classic(optimizers.Optimizer):
    """In the manner of Keras 2."""

    def get_updates(self, loss, params):
        (grad,), (param,) = self.get_gradients(loss, params), params
        m = K.zeros(K.int_shape(param))
        return [K.update(m, 0.5 * m + grad), K.update(param, param - self.lr * (0.5 * m + grad))]


@pytest.mark.parametrize("kind", [optimizers.SGD, Resource, Classic])
def test_an_optimizer_of_any_kind_accumulates(kind):
    given, momentum = [1.0, 3.0, -2.0, 4.0, 7.0], {"momentum": 0.5} if kind is optimizers.SGD else {}
    optimizer = kind(learning_rate=0.5, gradient_accumulation_steps=2, **momentum)
    weight = K.variable([1.0])
    seen = []
    for grad in given:
        optimizer.apply([weight], [K.constant([grad])])
        seen.append(float(weight.numpy()[0]))
    first, second = 1.0 - 0.5 * 2.0, 1.0 - 0.5 * 2.0 - 0.5 * (1.0 + 1.0)
    np.testing.assert_allclose(seen, [1.0, first, first, second, second], rtol=1e-6)
    assert optimizer.get_config()["gradient_accumulation_steps"] == 2
    accumulated = [w for w in optimizer.weights if "gradient_accumulator" in w.name]
    assert [w.numpy().tolist() for w in accumulated] == [[7.0]]
    assert int(optimizer.iterations) == 2  # updates, as in Keras 3; files hold the number of calls
    assert optimizer.get_weights()[0] == 5


def test_updates_of_a_function_accumulate():
    weight, x = K.variable([1.0]), K.placeholder((1,))
    optimizer = optimizers.SGD(0.5, gradient_accumulation_steps=2)
    step = K.function([x], [], updates=optimizer.get_updates(K.sum(weight * x), [weight]))
    step([np.ones(1)])
    assert float(weight.numpy()[0]) == 1.0
    step([np.full(1, 3.0)])
    assert float(weight.numpy()[0]) == 0.0


def test_wrong_numbers_of_accumulated_steps():
    for wrong in (0, -1, 1.5, "2", True):
        with pytest.raises(ArgumentError, match="whole number of at least 1"):
            optimizers.SGD(gradient_accumulation_steps=wrong)
