"""Optimizers as people published them for Keras 1, Keras 2 and tf.keras 2: written anew, each against its formula."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import constraints, models, optimizers
from keras_front.layers import Dense
from keras_front.optimizers import Optimizer, schedules

X = np.random.RandomState(0).normal(size=(16, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


class AdaBound(Optimizer):
    """In the manner of Keras 2.2: `get_updates`, slots by `K.zeros`. Source: Luo et al. (2019), algorithm 2."""

    def __init__(self, lr=0.001, final_lr=0.1, beta_1=0.9, beta_2=0.999, gamma=1e-3, epsilon=None, decay=0.0, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.beta_1 = K.variable(beta_1, name="beta_1")
            self.beta_2 = K.variable(beta_2, name="beta_2")
            self.decay = K.variable(decay, name="decay")
        self.epsilon = K.epsilon() if epsilon is None else epsilon
        self.initial_decay = decay
        self.final_lr, self.gamma, self.base_lr = final_lr, gamma, float(lr)

    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        t = K.cast(self.iterations, K.floatx()) + 1
        step = lr * (K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t)))
        final = self.final_lr * lr / self.base_lr
        lower, upper = final * (1.0 - 1.0 / (self.gamma * t + 1.0)), final * (1.0 + 1.0 / (self.gamma * t))
        ms = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        vs = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        self.weights = [self.iterations, *ms, *vs]
        for p, g, m, v in zip(params, grads, ms, vs, strict=True):
            m_t = (self.beta_1 * m) + (1.0 - self.beta_1) * g
            v_t = (self.beta_2 * v) + (1.0 - self.beta_2) * K.square(g)
            p_t = p - m_t * K.minimum(K.maximum(step / (K.sqrt(v_t) + self.epsilon), lower), upper)
            self.updates.append(K.update(m, m_t))
            self.updates.append(K.update(v, v_t))
            if getattr(p, "constraint", None) is not None:
                p_t = p.constraint(p_t)
            self.updates.append(K.update(p, p_t))
        return self.updates

    def get_config(self):
        own = {"lr": float(K.get_value(self.lr)), "final_lr": self.final_lr, "gamma": self.gamma}
        return dict(list(super().get_config().items()) + list(own.items()))


def adabound(w, g, state, t, lr=0.01):
    m, v = state
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    step = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    lower, upper = 0.1 * (1 - 1 / (1e-3 * t + 1)), 0.1 * (1 + 1 / (1e-3 * t))
    return w - m * np.clip(step / (np.sqrt(v) + 1e-7), lower, upper), (m, v)


class RAdam(Optimizer):
    """In the manner of Keras 2.2, with a branch on the step. Source: Liu et al. (2020), algorithm 2."""

    def __init__(self, lr=0.001, beta_1=0.9, beta_2=0.999, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.beta_1, self.beta_2 = K.variable(beta_1, name="beta_1"), K.variable(beta_2, name="beta_2")

    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        t = K.cast(self.iterations, K.floatx()) + 1
        ms = [K.zeros(K.int_shape(p), dtype=K.dtype(p), name=f"m_{i}") for i, p in enumerate(params)]
        vs = [K.zeros(K.int_shape(p), dtype=K.dtype(p), name=f"v_{i}") for i, p in enumerate(params)]
        self.weights = [self.iterations, *ms, *vs]
        beta_1_t, beta_2_t = K.pow(self.beta_1, t), K.pow(self.beta_2, t)
        longest = 2.0 / (1.0 - self.beta_2) - 1.0
        length = longest - 2.0 * t * beta_2_t / (1.0 - beta_2_t)
        for p, g, m, v in zip(params, grads, ms, vs, strict=True):
            m_t = self.beta_1 * m + (1.0 - self.beta_1) * g
            v_t = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            m_hat, v_hat = m_t / (1.0 - beta_1_t), K.sqrt(v_t / (1.0 - beta_2_t))
            r = K.sqrt((length - 4.0) / (longest - 4.0) * (length - 2.0) / (longest - 2.0) * longest / length)
            p_t = p - self.lr * K.switch(length >= 5, r * m_hat / (v_hat + K.epsilon()), m_hat)
            p_t = p.constraint(p_t) if p.constraint is not None else p_t
            self.updates += [K.update(m, m_t), K.update(v, v_t), K.update(p, p_t)]
        return self.updates

    def get_config(self):
        return {**super().get_config(), "lr": float(K.get_value(self.lr))}


def radam(w, g, state, t, lr=0.01):
    m, v = state
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    longest = 2 / (1 - 0.999) - 1
    length = longest - 2 * t * 0.999**t / (1 - 0.999**t)
    m_hat = m / (1 - 0.9**t)
    if length < 5:
        return w - lr * m_hat, (m, v)
    r = np.sqrt((length - 4) / (longest - 4) * (length - 2) / (longest - 2) * longest / length)
    return w - lr * r * m_hat / (np.sqrt(v / (1 - 0.999**t)) + 1e-7), (m, v)


class Momentum1(Optimizer):
    """In the manner of Keras 1: constraints are an argument, and the constructor keeps its locals."""

    def __init__(self, lr=0.01, momentum=0.9, **kwargs):
        super().__init__(**kwargs)
        self.__dict__.update(locals())
        self.iterations = K.variable(0.0)
        self.lr = K.variable(lr)
        self.momentum = K.variable(momentum)

    def get_updates(self, params, constraints, loss):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        shapes = [K.get_variable_shape(p) for p in params]
        moments = [K.zeros(shape) for shape in shapes]
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, grads, moments, strict=True):
            v = self.momentum * m - self.lr * g
            self.updates.append(K.update(m, v))
            new_p = p + v
            if p in constraints:
                new_p = constraints[p](new_p)
            self.updates.append(K.update(p, new_p))
        return self.updates


def momentum(w, g, state, t, lr=0.01):
    v = 0.9 * state[0] - lr * g
    return w + v, (v, 0.0)


class ResourceAdam(Optimizer):
    """In the manner of tf.keras 2.0 to 2.10. Source: Kingma & Ba (2015), algorithm 1."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="ResourceAdam", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", kwargs.get("lr", learning_rate))
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("beta_1", beta_1)
        self._set_hyper("beta_2", beta_2)
        self.epsilon = epsilon

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "m")
        for var in var_list:
            self.add_slot(var, "v")

    def _prepare_local(self, var_device, var_dtype, apply_state):
        super()._prepare_local(var_device, var_dtype, apply_state)
        step = K.cast(self.iterations + 1, var_dtype)
        b1, b2 = self._get_hyper("beta_1", var_dtype), self._get_hyper("beta_2", var_dtype)
        rate = apply_state[var_device, var_dtype]["lr_t"] * K.sqrt(1 - K.pow(b2, step)) / (1 - K.pow(b1, step))
        apply_state[var_device, var_dtype].update({"rate": rate, "b1": b1, "b2": b2})

    def _resource_apply_dense(self, grad, var, apply_state=None):
        var_device, var_dtype = var.device, var.dtype.base_dtype
        c = (apply_state or {}).get((var_device, var_dtype)) or self._fallback_apply_state(var_device, var_dtype)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_t = m.assign(c["b1"] * m + (1 - c["b1"]) * grad, use_locking=self._use_locking)
        v_t = v.assign(c["b2"] * v + (1 - c["b2"]) * K.square(grad), use_locking=self._use_locking)
        return var.assign_sub(c["rate"] * m_t / (K.sqrt(v_t) + self.epsilon), use_locking=self._use_locking)

    def get_config(self):
        names = ("learning_rate", "decay", "beta_1", "beta_2")
        own = {name: self._serialize_hyperparameter(name) for name in names}
        return {**super().get_config(), **own, "epsilon": self.epsilon}


def adam(w, g, state, t, lr=0.01):
    m, v = state
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w - lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7), (m, v)


class PlainDescent(Optimizer):
    """The smallest that tf.keras allows: no slots, no `apply_state`, the rate by `_decayed_lr`."""

    def __init__(self, learning_rate=0.01, name="PlainDescent", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", learning_rate)
        self._set_hyper("decay", self._initial_decay)

    def _resource_apply_dense(self, grad, var):
        return var.assign_sub(self._decayed_lr(var.dtype.base_dtype) * grad)


def descent(w, g, state, t, lr=0.01):
    return w - lr * g, state


CASES = [(AdaBound, adabound), (RAdam, radam), (Momentum1, momentum), (ResourceAdam, adam), (PlainDescent, descent)]


def line(optimizer, **kernel):
    model = models.Sequential([Dense(1, use_bias=False, input_shape=(3,), kernel_initializer="ones", **kernel)])
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize(("kind", "formula"), CASES, ids=[kind.__name__ for kind, _ in CASES])
def test_steps_follow_the_formula(backend, kind, formula):
    model, w, state = line(kind(0.01)), np.ones((3, 1)), (0.0, 0.0)
    for t in range(1, 8):
        model.train_on_batch(X, Y)
        w, state = formula(w, 2 * X.T.astype("float64") @ (X @ w - Y) / len(X), state, t)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4, atol=1e-5)
    assert int(K.get_value(model.optimizer.iterations)) == 7
    K.set_value(model.optimizer.lr, 0.02)
    assert float(K.get_value(model.optimizer.lr)) == pytest.approx(0.02)
    other = line(kind(0.01))
    other.fit(X, Y, batch_size=16, epochs=7, verbose=0, shuffle=False)
    np.testing.assert_allclose(other.get_weights()[0], w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind, _ in CASES], ids=lambda kind: kind.__name__)
def test_constraints_and_clipping(backend, kind):
    model = line(kind(0.5, clipnorm=1.0), kernel_constraint=constraints.NonNeg())
    model.fit(X, Y, epochs=5, verbose=0)
    kernel = model.get_weights()[0]
    assert (kernel >= 0).all()
    assert (kernel == 0).any()


@pytest.mark.parametrize("kind", [AdaBound, RAdam, ResourceAdam], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("form", ["m.h5", "m.keras"])
def test_training_goes_on_from_a_file(backend, kind, form, tmp_path):
    model = line(kind(0.01))
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / form)
    again = models.load_model(tmp_path / form, custom_objects={kind.__name__: kind})
    assert type(again.optimizer) is kind
    for one in (model, again):
        one.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    np.testing.assert_allclose(again.get_weights()[0], model.get_weights()[0], rtol=1e-5)


@pytest.mark.engine_neutral
def test_a_resource_optimizer_with_decay_and_a_schedule(backend):
    model = line(PlainDescent(0.1, decay=0.5))
    w = np.ones((3, 1))
    for t in range(3):
        model.train_on_batch(X, Y)
        w = w - 0.1 / (1 + 0.5 * t) * 2 * X.T @ (X @ w - Y) / len(X)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)
    model = line(PlainDescent(schedules.ExponentialDecay(0.1, 1, 0.5)))
    w = np.ones((3, 1))
    for t in range(3):
        model.train_on_batch(X, Y)
        w = w - 0.1 * 0.5**t * 2 * X.T @ (X @ w - Y) / len(X)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)


def test_updates_in_the_order_of_keras_1(backend):
    model = line("sgd")
    optimizer = optimizers.SGD(0.1)
    updates = optimizer.get_updates(model.trainable_weights, {}, model.total_loss)
    K.function(model.inputs + model.targets + model.sample_weights, [], updates=updates)([X, Y, np.ones(16)])
    want = 1 - 0.1 * 2 * X.T @ (X @ np.ones((3, 1)) - Y) / len(X)
    np.testing.assert_allclose(model.get_weights()[0], want, rtol=1e-5)


class Lookahead(Optimizer):
    """A wrapper of another optimizer, whose `iterations` and rate it has. Source: Zhang et al. (2019), algorithm 1."""

    def __init__(self, optimizer, sync_period=2, slow_step=0.5, **kwargs):
        super().__init__(**kwargs)
        self.optimizer = optimizers.get(optimizer)
        with K.name_scope(self.__class__.__name__):
            self.sync_period = K.variable(sync_period, dtype="int64", name="sync_period")
            self.slow_step = K.variable(slow_step, name="slow_step")

    @property
    def lr(self):
        return self.optimizer.lr

    @lr.setter
    def lr(self, lr):
        self.optimizer.lr = lr

    @property
    def iterations(self):
        return self.optimizer.iterations

    def get_updates(self, loss, params):
        step = self.iterations + 1
        sync = K.equal(step // self.sync_period * self.sync_period, step)
        slow = {p.name: K.variable(K.get_value(p), name=f"slow_{i}") for i, p in enumerate(params)}
        self.updates = []
        for update in self.optimizer.get_updates(loss, params):
            if update[0] in params:
                p, new = update
                follower = slow[p.name]
                pulled = follower + self.slow_step * (new - follower)
                self.updates.append(K.update(follower, K.switch(sync, pulled, follower)))
                self.updates.append(K.update(p, K.switch(sync, pulled, new)))
            else:
                self.updates.append(update)
        self.weights = [*self.optimizer.weights, *slow.values()]
        return self.updates


@pytest.mark.parametrize("base", [lambda: optimizers.SGD(0.1), lambda: optimizers.Adam(0.05), lambda: AdaBound(0.05)])
def test_an_optimizer_around_another(backend, base):
    model, fast = line(Lookahead(base())), line(base())
    slow = fast.get_weights()[0]
    for t in range(5):
        model.train_on_batch(X, Y)
        fast.train_on_batch(X, Y)
        if t % 2:
            slow = slow + 0.5 * (fast.get_weights()[0] - slow)
            fast.set_weights([slow])
    np.testing.assert_allclose(model.get_weights()[0], fast.get_weights()[0], rtol=1e-4, atol=1e-5)
    assert int(K.get_value(model.optimizer.iterations)) == 5
    K.set_value(model.optimizer.lr, 0.25)
    assert float(K.get_value(model.optimizer.optimizer.lr)) == 0.25
    model.fit(X, Y, epochs=2, verbose=0)


class Bare(Optimizer):
    """It asks `K.gradients` itself, and its constructor calls no other one."""

    def __init__(self, rate):
        self.rate = K.variable(rate)

    def get_updates(self, loss, params):
        return [K.update(p, p - self.rate * g) for p, g in zip(params, K.gradients(loss, params), strict=True)]

    @property
    def iterations(self):
        return self.rate


def test_gradients_without_get_gradients(backend):
    model, other = line(Bare(0.1)), line(optimizers.SGD(0.1))
    for one in (model, other):
        one.fit(X, Y, batch_size=16, epochs=3, verbose=0, shuffle=False)
    np.testing.assert_allclose(model.get_weights()[0], other.get_weights()[0], rtol=1e-5)
