"""Steps that a model overrides, as in tf.keras and Keras 3, and variables that steps assign, whoever made them."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import metrics
from keras_front.callbacks import LambdaCallback
from keras_front.layers import BatchNormalization, Dense, Dropout, Input, Layer
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD, Adam
from keras_front.utils import unpack_x_y_sample_weight

RNG = np.random.RandomState(0)
X, Y = RNG.rand(8, 3).astype("float32"), RNG.rand(8, 1).astype("float32")


def made(cls, optimizer=None, loss="mse", **kwargs):
    x = Input((3,))
    model = cls(x, Dense(1, kernel_initializer="ones")(x))
    model.compile(optimizer or SGD(0.1), loss, **kwargs)
    return model


def by_hand(w, b, x=X, y=Y, factor=1.0):
    """The loss of a linear model, and its weights after a step of SGD(0.1)."""
    x, y = x.astype("float64"), y.astype("float64")
    error = x @ w + b - y
    return factor * (error**2).mean(), w - 0.1 * factor * 2 * x.T @ error / len(x), b - 0.1 * factor * 2 * error.mean(0)


ONES = np.ones((3, 1)), np.zeros(1)


class ByGradients(Model):
    """The form of tf.keras, with K.gradients in the place of a tape."""

    def train_step(self, data):
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        grads = K.gradients(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ByValueAndGrad(Model):
    """The form of Keras 3, with K.value_and_grad."""

    def train_step(self, data):
        x, y, sample_weight = unpack_x_y_sample_weight(data)

        def loss_of(_):
            y_pred = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight), y_pred

        (loss, y_pred), grads = K.value_and_grad(loss_of, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        return {"loss": loss, **self.compute_metrics(x, y, y_pred, sample_weight)}


class BySuper(Model):
    def train_step(self, data):
        logs = super().train_step(data)
        return {**logs, "twice": logs["loss"] * 2}


FORMS = [ByGradients, ByValueAndGrad, BySuper]


@pytest.mark.parametrize("form", FORMS)
def test_an_overridden_step_trains_like_the_standard_one(backend, form):
    standard, own = made(Model, metrics=["mae"]), made(form, metrics=["mae"])
    loss, w, b = by_hand(*ONES)
    got = own.train_on_batch(X, Y)
    assert got[0] == pytest.approx(loss, rel=1e-5)
    assert own.metrics_names[:2] == ["loss", "mae"]
    np.testing.assert_allclose(own.get_weights()[0], w, rtol=1e-5)
    np.testing.assert_allclose(own.get_weights()[1], b, rtol=1e-5)
    standard.train_on_batch(X, Y)
    histories = [
        m.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, validation_data=(X, Y)).history
        for m in (standard, own)
    ]
    for name in ("mae", "val_loss", "val_mae"):
        np.testing.assert_allclose(histories[1][name], histories[0][name], rtol=1e-5)
    for a, c in zip(standard.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-5)
    np.testing.assert_allclose(own.evaluate(X, Y, verbose=0), standard.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(own.predict(X), standard.predict(X), rtol=1e-5)


def test_what_a_step_returns_is_what_fit_reports(backend):
    model = made(BySuper)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["twice"], np.multiply(history["loss"], 2), rtol=1e-6)
    seen = []
    watch = LambdaCallback(on_batch_end=lambda batch, logs: seen.append(sorted(set(logs) - {"batch", "size"})))
    model.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[watch])
    assert seen == [["loss", "twice"]] * 2


@pytest.mark.parametrize("form", FORMS)
def test_statistics_penalties_and_noise_inside(backend, form):
    """Layers that assign, report losses and draw noise, within a step of the model's own."""
    x = Input((3,))
    normed = BatchNormalization(momentum=0.5)(x)
    out = Dense(1, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer="l1")(Dropout(0.5)(normed))
    model = form(x, out)
    model.compile(SGD(0.0), "mse")
    losses = [np.ravel(model.train_on_batch(X, Y))[0] for _ in range(3)]
    np.testing.assert_allclose(model.get_weights()[2], (1 - 0.5**3) * X.mean(0), rtol=1e-4)
    assert len(set(losses)) == 3  # new noise each time
    plain = Model(x, out)
    plain.compile(SGD(0.0), "mse")
    want, got = plain.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(got, want, rtol=1e-5)


class Weighted(Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return 3.0 * super().compute_loss(x, y, y_pred, sample_weight)


class Alone(Model):
    def compute_loss(self, y=None, y_pred=None, **kwargs):
        return 3.0 * K.mean(K.square(y - y_pred), axis=-1)


@pytest.mark.parametrize("form", [Weighted, Alone])
def test_compute_loss_may_be_overridden_alone(backend, form):
    model = made(form)
    loss, w, _ = by_hand(*ONES, factor=3.0)
    assert model.test_on_batch(X, Y) == pytest.approx(loss, rel=1e-5)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-5)
    assert model.fit(X, Y, batch_size=8, epochs=1, verbose=0).history["loss"] == pytest.approx([loss], rel=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)


def test_compute_metrics_may_be_overridden_alone(backend):
    class Renamed(Model):
        def compute_metrics(self, x, y, y_pred, sample_weight):
            return {f"my_{k}": v for k, v in super().compute_metrics(x, y, y_pred, sample_weight).items()}

    model, loss = made(Renamed, metrics=["mae"]), by_hand(*ONES)[0]
    history = model.fit(X, Y, batch_size=8, epochs=1, verbose=0).history
    assert sorted(history) == ["my_loss", "my_mae"]
    assert history["my_loss"][0] == pytest.approx(loss, rel=1e-5)


def test_test_step_and_predict_step(backend):
    class Halves(Model):
        def test_step(self, data):
            x, y = data
            return {"gap": K.mean(y - self(x, training=False))}

        def predict_step(self, data):
            return super().predict_step(data) / 2

    model = made(Halves)
    plain = X.astype("float64") @ ONES[0]
    assert model.evaluate(X, Y, batch_size=8, verbose=0) == pytest.approx((Y - plain).mean(), rel=1e-5)
    np.testing.assert_allclose(model.predict(X), plain / 2, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, batch_size=3), plain / 2, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), plain / 2, rtol=1e-5)
    history = model.fit(X, Y, batch_size=8, epochs=1, verbose=0, validation_data=(X, Y)).history
    assert sorted(history) == ["loss", "val_gap"]


def test_functions_around_steps(backend):
    class Around(Model):
        def make_train_function(self, force=False):
            def train_function(iterator):
                return {**self.train_step(next(iterator)), "extra": K.constant(7.0)}

            self.train_function = train_function
            return self.train_function

        def make_predict_function(self, force=False):
            inner = super().make_predict_function()
            return lambda iterator: inner(iterator) + 1.0

    model = made(Around)
    history = model.fit(X, Y, batch_size=4, epochs=1, verbose=0).history
    assert history["extra"] == [7.0]
    np.testing.assert_allclose(model.predict(X), 1 + X @ model.get_weights()[0] + model.get_weights()[1], rtol=1e-5)


def test_sample_weights_come_along(backend):
    weights = RNG.rand(8)
    seen = []

    class Counts(Model):
        def train_step(self, data):
            seen.append(len(data))
            return super().train_step(data)

    model, standard = made(Counts), made(Model)
    got = [m.train_on_batch(X, Y, sample_weight=weights) for m in (model, standard)]
    np.testing.assert_allclose(*got, rtol=1e-5)
    assert set(seen) == {3}
    np.testing.assert_allclose(model.train_on_batch(X, Y), standard.train_on_batch(X, Y), rtol=1e-5)
    assert set(seen) == {2, 3}


class Gan(Model):
    """The GAN of the Keras guides: two optimizers, two models, no `call`."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_mean, self.g_mean = metrics.Mean(name="d_loss"), metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    @property
    def metrics(self):
        return [self.d_mean, self.g_mean]

    def train_step(self, data):
        real = data[0]
        noise = real * 0.5
        fake = self.generator(noise, training=True)
        d_loss = K.mean(K.square(self.discriminator(real) - 1)) + K.mean(K.square(self.discriminator(fake)))
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(K.gradients(d_loss, weights), weights, strict=True))
        g_loss = K.mean(K.square(self.discriminator(self.generator(noise)) - 1))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(K.gradients(g_loss, weights), weights, strict=True))
        self.d_mean.update_state(d_loss)
        self.g_mean.update_state(g_loss)
        return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result()}


def gan_by_hand(steps):
    """Momentum for the discriminator x @ d, plain steps for the generator x * g; losses of each step."""
    d, g, v, losses, x = np.full((3, 1), 0.5), 2.0, np.zeros((3, 1)), [], X.astype("float64")
    for _ in range(steps):
        z = x * 0.5
        real, fake = x @ d - 1, (g * z) @ d
        losses.append([(real**2).mean() + (fake**2).mean()])
        grad = 2 * x.T @ real / len(x) + 2 * (g * z).T @ fake / len(x)
        v = 0.9 * v - 0.1 * grad
        d = d + v
        gap = (g * z) @ d - 1
        losses[-1].append((gap**2).mean())
        g -= 0.2 * (2 * gap * (z @ d)).mean()
    return d, g, losses


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight("factor", (1,), initializer=lambda shape, dtype=None: np.full(shape, 2.0))
        super().build(input_shape)

    def call(self, x):
        return x * self.factor


@pytest.mark.parametrize("built", [True, False])
def test_a_gan_with_two_optimizers(backend, built):
    shape = {"input_shape": (3,)} if built else {}
    half = lambda shape, dtype=None: np.full(shape, 0.5)
    gan = Gan(Sequential([Dense(1, use_bias=False, kernel_initializer=half, **shape)]), Sequential([Scale(**shape)]))
    gan.compile(SGD(0.1, momentum=0.9), SGD(0.2))
    history = gan.fit(X, batch_size=8, epochs=3, verbose=0, shuffle=False).history
    d, g, losses = gan_by_hand(3)
    np.testing.assert_allclose(history["d_loss"], [pair[0] for pair in losses], rtol=1e-4)
    np.testing.assert_allclose(history["g_loss"], [pair[1] for pair in losses], rtol=1e-4)
    np.testing.assert_allclose(gan.discriminator.get_weights()[0], d, rtol=1e-4)
    np.testing.assert_allclose(gan.generator.get_weights()[0], [g], rtol=1e-4)
    assert gan.train_on_batch(X)[0] > 0


def test_a_subclass_with_call_and_batches_from_a_generator(backend):
    class Net(ByGradients):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1, kernel_initializer="ones")

        def call(self, x, training=None):
            return self.dense(x)

    model = Net()
    model.compile(SGD(0.1), "mse")
    batches = ((X, Y) for _ in range(10))
    history = model.fit(batches, steps_per_epoch=2, epochs=2, verbose=0).history
    w, b = ONES
    losses = []
    for _ in range(4):
        loss, w, b = by_hand(w, b)
        losses.append(loss)
    np.testing.assert_allclose(history["loss"], [np.mean(losses[:2]), np.mean(losses[2:])], rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)


def test_wrong_results_are_named():
    class NoDict(Model):
        def train_step(self, data):
            return K.constant(1.0)

    class NoScalar(Model):
        def train_step(self, data):
            return {"loss": data[0]}

    with pytest.raises(ValueError, match=r"NoDict.train_step: expected a dict"):
        made(NoDict).train_on_batch(X, Y)
    with pytest.raises(ValueError, match=r"NoScalar.train_step: expected numbers .*'loss' has the shape"):
        made(NoScalar).train_on_batch(X, Y)
    with pytest.raises(RuntimeError, match="train_step is a part of a step"):
        made(Model).train_step((X, Y))


# Variables that nobody listed ----------------------------------------------------------------------------------


class TruePositives(Layer):
    """A stateful metric as the tests of Keras 2.2.4 write it."""

    def __init__(self, name="true_positives", **kwargs):
        super().__init__(name=name, **kwargs)
        self.stateful = True
        self.total = K.variable(value=0, dtype="int32")

    def reset_states(self):
        K.set_value(self.total, 0)

    def __call__(self, y_true, y_pred):
        y_true, y_pred = K.cast(y_true, "int32"), K.cast(K.round(y_pred), "int32")
        found = K.cast(K.sum(K.cast(K.equal(y_pred, y_true), "int32") * y_true), "int32")
        before = self.total * 1
        self.add_update(K.update_add(self.total, found), inputs=[y_true, y_pred])
        return before + found


class Counted:
    """A metric of no class of ours: an object with update_state, result and reset_states."""

    name = "counted"

    def __init__(self):
        self.seen = K.variable(0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign_add(K.sum(K.ones_like(y_pred)))

    def result(self):
        return self.seen * 1.0

    def reset_states(self):
        K.set_value(self.seen, 0.0)

    @property
    def weights(self):
        return []


@pytest.mark.parametrize("workers", [None, 0])
def test_stateful_metrics_of_keras_2_2(backend, workers):
    x = RNG.rand(12, 3).astype("float32")
    y = (RNG.rand(12, 1) > 0.5).astype("float32")
    model = Sequential([Dense(1, activation="sigmoid", input_shape=(3,))])
    model.compile(SGD(0.0), "binary_crossentropy", metrics=["acc", TruePositives()])
    want = float((np.round(model.predict(x)) * y).sum())
    if workers is None:
        history = model.fit(x, y, batch_size=5, epochs=2, verbose=0, validation_data=(x, y)).history
    else:
        batches = lambda: iter([(x[:6], y[:6]), (x[6:], y[6:])] * 9)
        history = model.fit_generator(
            batches(), 2, epochs=2, verbose=0, workers=0, validation_data=batches(), validation_steps=2
        ).history
    assert history["true_positives"] == history["val_true_positives"] == [want, want]
    assert model.evaluate(x, y, batch_size=5, verbose=0)[-1] == want
    for _ in range(2):
        assert model.train_on_batch(x, y)[-1] == want
        assert model.test_on_batch(x, y)[-1] == want


def test_metric_objects_of_any_class(backend):
    model = made(Model, metrics=[Counted()])
    history = model.fit(X, Y, batch_size=3, epochs=2, verbose=0, validation_data=(X, Y)).history
    assert history["counted"] == history["val_counted"] == [8.0, 8.0]
    assert model.train_on_batch(X, Y)[-1] == model.train_on_batch(X, Y)[-1] == 8.0


def test_a_loss_that_keeps_a_running_mean(backend):
    level = K.variable(1.0)

    def loss(y_true, y_pred):
        K.update(level, 0.5 * level + 0.5)
        K.update_add(level, 1.0)
        return level * K.square(y_true - y_pred)

    model = made(Model, SGD(0.0), loss)
    base = by_hand(*ONES)[0]
    assert model.train_on_batch(X, Y) == pytest.approx(2.0 * base, rel=1e-5)  # 0.5 * 1 + 0.5 + 1
    assert model.train_on_batch(X, Y) == pytest.approx(2.5 * base, rel=1e-5)
    assert K.get_value(level) == pytest.approx(2.5)
    assert model.fit(X, Y, batch_size=8, epochs=1, verbose=0).history["loss"] == pytest.approx([2.75 * base], rel=1e-5)


def test_metrics_written_on_values(backend):
    def top2(y_true, y_pred):
        return K.cast(K.in_top_k(y_pred, K.cast(K.max(y_true, axis=-1), "int32"), 2), K.floatx())

    scores = RNG.rand(9, 4).astype("float32")
    labels = RNG.randint(0, 4, (9, 1))
    x = Input((4,))
    model = Model(x, Dense(4, kernel_initializer="identity")(x))
    model.compile("sgd", "mse", metrics=[top2])
    order = np.argsort(-scores, axis=1)[:, :2]
    want = (order == labels).any(1).mean()
    targets = np.repeat(labels, 4, axis=1)
    assert model.evaluate(scores, targets, verbose=0)[1] == pytest.approx(want, rel=1e-6)
    assert float(K.eval(K.mean(metrics.sparse_top_k_categorical_accuracy(labels, scores, k=2)))) == pytest.approx(want)
    one_hot = np.eye(4)[labels[:, 0]]
    got = metrics.top_k_categorical_accuracy(K.variable(one_hot), K.variable(scores), k=2)
    assert float(np.mean(K.eval(got))) == pytest.approx(want)


# Errors say what was running -----------------------------------------------------------------------------------


def test_errors_name_the_loss_the_metric_and_the_callback(backend):
    def bad(y_true, y_pred):
        raise RuntimeError("oops")

    for compiled, name in (({"loss": bad}, "the loss 'bad'"), ({"loss": "mse", "metrics": [bad]}, "the metric 'bad'")):
        model = Sequential([Dense(1, input_shape=(3,))])
        model.compile("sgd", **compiled)
        with pytest.raises(RuntimeError, match="oops") as error:
            model.fit(X, Y, verbose=0)
        assert any(name in note for note in error.value.__notes__), error.value.__notes__

    class Breaks(LambdaCallback):
        pass

    model = made(Model)
    for hook in ("on_batch_end", "on_batch_begin", "on_epoch_end", "on_train_begin"):

        def fails(*args):
            raise RuntimeError("oops")

        with pytest.raises(RuntimeError, match="oops") as error:
            model.fit(X, Y, verbose=0, callbacks=[Breaks(**{hook: fails})])
        notes = error.value.__notes__
        assert any("callback Breaks" in note and hook.replace("batch", "train_batch") in note for note in notes), notes


def test_adam_goes_on_where_it_was(backend):
    """Slots that a step finds while it is traced are not lost between calls, and not made anew."""

    class Own(ByGradients):
        def compile(self, own):
            super().compile("sgd", "mse")
            self.own = own

        def train_step(self, data):
            self.optimizer, kept = self.own, self.optimizer
            try:
                return super().train_step(data)
            finally:
                self.optimizer = kept

    x = Input((3,))
    own = Own(x, Dense(1, kernel_initializer="ones")(x))
    own.compile(Adam(0.1))
    standard = made(Model, Adam(0.1))
    for model in (own, standard):
        model.train_on_batch(X, Y)
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False)
    np.testing.assert_allclose(own.get_weights()[0], standard.get_weights()[0], rtol=1e-4)
    assert int(own.own.iterations.numpy()) == 5


def test_a_gradient_that_two_optimizers_and_the_logs_take(backend):
    """The engine may compute equal gradients once; a step in place must not spoil them for whoever comes second."""

    class Two(Model):
        def train_step(self, data):
            x, y = data
            weights = [self.first, self.second]
            (loss, _), grads = K.value_and_grad(
                lambda _: (K.mean(K.square(x + self.first + self.second - y)), 0.0), weights
            )
            self.optimizer.apply_gradients([(grads[0], self.first)])
            self.slower.apply_gradients([(grads[1], self.second)])
            return {"loss": loss, "size": K.sum(K.abs(grads[0]))}

        def call(self, x):
            return x + self.first + self.second

    model = Two()
    model.first, model.second = (model.add_weight(name=name, shape=(1,), initializer="zeros") for name in "ab")
    model.slower = SGD(0.01)
    model.compile(SGD(0.1), "mse")
    logs = model.fit(np.zeros((4, 1)), np.ones((4, 1)), batch_size=4, verbose=0).history
    np.testing.assert_allclose(logs["size"], [2.0], rtol=1e-6)
    found = sorted(float(w[0]) for w in model.get_weights())
    np.testing.assert_allclose(found, [0.02, 0.2], rtol=1e-6)
