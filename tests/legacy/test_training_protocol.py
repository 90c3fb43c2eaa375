"""Programs of Keras 2 that reach into training: its symbols, functions of one flat list, what callbacks are given."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.callbacks import Callback
from keras_front.layers import Add, BatchNormalization, Dense, Embedding, Input, Lambda, Masking, TimeDistributed
from keras_front.models import Model, Sequential
from keras_front.optimizers import SGD

X = np.random.RandomState(0).normal(size=(8, 4)).astype("float32")
Y = np.random.RandomState(1).normal(size=(8, 2)).astype("float32")
ONES = np.ones(8, "float32")


def perceptron(normalize=False, **compile):
    x = Input((4,))
    h = Dense(3, activation="tanh", name="hidden")(x)
    h = BatchNormalization(name="bn")(h) if normalize else h
    model = Model(x, Dense(2, name="out")(h))
    model.compile(SGD(0.1), "mse", **{"metrics": ["mae"], **compile})
    return model


def analytic(model):
    """The gradients of the mean squared error by hand."""
    w, b, v, c = model.get_weights()
    h = np.tanh(X @ w + b)
    g = 2 * (h @ v + c - Y) / Y.size
    back = g @ v.T * (1 - h**2)
    return [X.T @ back, back.sum(0), h.T @ g, g.sum(0)]


def test_gradients_of_weights(backend):
    """The norms of gradients that programs plot: `get_gradients` of `total_loss`, fed with everything."""
    model = perceptron()
    grads = model.optimizer.get_gradients(model.total_loss, model.trainable_weights)
    inputs = model.inputs + model.targets + model.sample_weights + [K.learning_phase()]
    found = K.function(inputs, grads)([X, Y, ONES, 0])
    for got, want in zip(found, analytic(model), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_gradients_by_way_of_what_is_fed(backend):
    model = perceptron()
    norm = K.sqrt(sum(K.sum(K.square(g)) for g in K.gradients(model.total_loss, model.trainable_weights)))
    run = K.function(model._feed_inputs + model._feed_targets + model._feed_sample_weights, [norm])
    x, y, weights = model._standardize_user_data(X, Y)
    assert [a.shape for a in (*x, *y, *weights)] == [(8, 4), (8, 2), (8,)]
    want = np.sqrt(sum((g**2).sum() for g in analytic(model)))
    np.testing.assert_allclose(run([*x, *y, *weights])[0], want, rtol=1e-4)


def test_gradients_of_a_class_by_an_inner_layer(backend):
    """Class activation maps: the gradient of one output by the values inside."""
    model = perceptron()
    inner = model.get_layer("hidden").output
    grads = K.gradients(model.output[:, 1], inner)[0]
    values, slopes = K.function([model.input], [inner, grads])([X])
    w, b, v, _ = model.get_weights()
    np.testing.assert_allclose(values, np.tanh(X @ w + b), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(slopes, np.broadcast_to(v[:, 1], (8, 3)), rtol=1e-5)


def test_total_loss_and_metrics_are_what_evaluate_gives(backend):
    model = perceptron()
    run = K.function(model.inputs + model.targets + model.sample_weights, [model.total_loss, *model.metrics_tensors])
    np.testing.assert_allclose(run([X, Y, ONES]), model.evaluate(X, Y, verbose=0), rtol=1e-5)
    weights = np.arange(8, dtype="float32")
    got = run([X, Y, weights])[0]
    np.testing.assert_allclose(got, model.test_on_batch(X, Y, sample_weight=weights)[0], rtol=1e-5)


def test_several_outputs_penalties_and_masks(backend):
    x = Input((3,), dtype="int32")
    steps = TimeDistributed(Dense(2, kernel_regularizer="l2"), name="a")(Embedding(5, 4, mask_zero=True)(x))
    model = Model(x, [steps, Lambda(lambda t: K.sum(t, axis=1), name="b", mask=lambda i, m: None)(steps)])
    model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 0.5])
    data = np.array([[1, 2, 0], [3, 0, 0]])
    targets = [np.ones((2, 3, 2)), np.ones((2, 2))]
    run = K.function(model.inputs + model.targets + model.sample_weights, [model.total_loss, *model.metrics_tensors])
    np.testing.assert_allclose(
        run([data, *targets, ONES[:2], ONES[:2]]), model.evaluate(data, targets, verbose=0), rtol=1e-5
    )
    assert model.metrics_names == ["loss", "a_loss", "b_loss"]
    assert model._feed_output_names == ["a", "b"]
    assert model.loss_weights_list == [1.0, 0.5]


def test_functions_of_one_flat_list(backend):
    model, other = perceptron(normalize=True), perceptron(normalize=True)
    other.set_weights(model.get_weights())
    assert model.train_function is None
    model._make_train_function()
    model._make_test_function()
    model._make_predict_function()
    x, y, weights = model._standardize_user_data(X, Y)
    ins = x + y + weights
    if model.uses_learning_phase and not isinstance(K.learning_phase(), int):
        ins += [1.0]
    np.testing.assert_allclose(model.test_function(ins), other.test_on_batch(X, Y), rtol=1e-5)
    for _ in range(2):
        np.testing.assert_allclose(model.train_function(ins), other.train_on_batch(X, Y), rtol=1e-5)
    np.testing.assert_allclose(model.predict_function([*x, 0.0])[0], other.predict(X), rtol=1e-4, atol=1e-6)
    model.compile("sgd", "mse")
    assert model.train_function is None


def test_an_uncompiled_model_has_none_of_this(backend):
    model = Sequential([Dense(1, input_shape=(2,))])
    for name in ("total_loss", "targets", "train_function", "_feed_targets", "no_such_thing"):
        assert not hasattr(model, name)
    assert not hasattr(model.layers[0], "total_loss")
    assert model._feed_inputs == model.inputs


class Lookahead:
    """Slow weights that follow the fast ones: a wrapper that replaces the model's train function.

    In the manner of the wrappers of 2019, written anew. Source of the method: Zhang et al. (2019).
    """

    def __init__(self, k=5, alpha=0.5):
        self.k, self.alpha, self.count = k, alpha, 0

    def inject(self, model):
        if not hasattr(model, "train_function"):
            raise RuntimeError("Compile the model first.")
        model._check_trainable_weights_consistency()
        if model.train_function is not None:
            return
        inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
        if model._uses_learning_phase and not isinstance(K.learning_phase(), int):
            inputs += [K.learning_phase()]
        fast = model._collected_trainable_weights
        with K.name_scope("training"):
            training = model.optimizer.get_updates(params=fast, loss=model.total_loss)
            slow = [K.variable(p) for p in fast]
            updates = model.updates + training + model.metrics_updates
            follow = [K.update(q, q + self.alpha * (p - q)) for p, q in zip(fast, slow, strict=True)]
            reset = [K.update(p, q) for p, q in zip(fast, slow, strict=True)]
            step = K.function(
                inputs,
                [model.total_loss, *model.metrics_tensors],
                updates=updates,
                name="step",
                **model._function_kwargs,
            )

        def train(values):
            self.count += 1
            results = step(values)
            if self.count % self.k == 0:
                K.batch_get_value(follow)
                K.batch_get_value(reset)
            return results

        model.train_function = train


@pytest.mark.parametrize("how", ["fit", "train_on_batch", "generator"])
def test_a_replaced_train_function(backend, how):
    model = perceptron(normalize=True)
    start = model.get_weights()
    Lookahead(k=2, alpha=0.5).inject(model)
    if how == "fit":
        history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False).history
    elif how == "generator":
        data = ((X[i : i + 4], Y[i : i + 4]) for _ in range(2) for i in (0, 4))
        history = model.fit_generator(data, steps_per_epoch=2, epochs=2, verbose=0, workers=0).history
    else:
        losses = [model.train_on_batch(X[i : i + 4], Y[i : i + 4])[0] for _ in range(2) for i in (0, 4)]
        history = {"loss": [sum(losses[:2]) / 2, sum(losses[2:]) / 2], "mae": [0, 0]}

    plain = perceptron(normalize=True)  # the same by hand
    plain.set_weights(start)
    slow, losses = plain.get_weights()[: len(plain.trainable_weights)], []
    trained = plain.trainable_weights
    slow = [K.get_value(w) for w in trained]
    for step in range(4):
        i = 4 * (step % 2)
        losses.append(plain.train_on_batch(X[i : i + 4], Y[i : i + 4])[0])
        if step % 2:
            for n, w in enumerate(trained):
                slow[n] = slow[n] + 0.5 * (K.get_value(w) - slow[n])
                K.set_value(w, slow[n])
    for got, want in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(history["loss"], [sum(losses[:2]) / 2, sum(losses[2:]) / 2], rtol=1e-4)
    assert set(history) == {"loss", "mae"}
    assert int(model.optimizer.iterations) == 4
    model.evaluate(X, Y, verbose=0)
    model.compile("sgd", "mse")
    assert model.train_function is None


def test_a_copy_has_the_compiled_step(backend):
    model = perceptron()
    model.train_function = lambda values: [7.0, 7.0]
    assert model.train_on_batch(X, Y) == [7.0, 7.0]
    twin = copy.deepcopy(model)
    assert twin.train_on_batch(X, Y) != [7.0, 7.0]


def test_callbacks_have_the_validation_data(backend):
    seen = []

    class Measured(Callback):
        def on_epoch_end(self, epoch, logs=None):
            x, y, weights = self.validation_data[:3]
            seen.append((x.shape, y.shape, weights.tolist(), *self.validation_data[3:]))
            assert np.isfinite(self.model.predict(x)).all()

    model = perceptron()
    model.fit(X, Y, validation_data=(X[:3], Y[:3]), callbacks=[Measured()], verbose=0)
    model.fit(X, Y, validation_split=0.25, callbacks=[Measured()], verbose=0)
    model.fit(X, Y, validation_data=(X[:2], Y[:2], np.array([1.0, 3.0])), callbacks=[Measured()], verbose=0)
    assert seen == [
        ((3, 4), (3, 2), [1.0] * 3),
        ((2, 4), (2, 2), [1.0] * 2),
        ((2, 4), (2, 2), [1.0, 3.0]),
    ]
    perceptron(normalize=True).fit(X, Y, validation_data=(X[:3], Y[:3]), callbacks=[Measured()], verbose=0)
    assert seen[-1] == ((3, 4), (3, 2), [1.0] * 3, 0.0)  # the learning phase, at which a layer looks
    plain = Callback()
    model.fit(X, Y, callbacks=[plain], verbose=0)
    assert plain.validation_data is None


def test_a_tensor_appended_to_the_metrics_is_reported(backend):
    """As programs of 2018 had a model report parts of its loss."""
    model = perceptron()
    for name, layer in (("inside", "hidden"), ("outside", "out")):
        model.metrics_names.append(name)
        model.metrics_tensors.append(K.mean(model.get_layer(name and layer).output))
    assert model.metrics_names == ["loss", "mae", "inside", "outside"]
    want = model.predict(X).mean()
    found = model.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(found[3], want, rtol=1e-4, atol=1e-6)
    assert set(model.fit(X, Y, verbose=0).history) == {"loss", "mae", "inside", "outside"}


def test_what_a_graph_knows(backend):
    model = perceptron()
    depths = model._layers_by_depth
    assert {d: [layer.name for layer in found] for d, found in depths.items()} == {
        2: [model.layers[0].name],
        1: ["hidden"],
        0: ["out"],
    }
    assert sorted(model._nodes_by_depth) == [0, 1, 2]
    assert model._network_nodes == {f"{layer.name}_ib-0" for layer in model.layers}
    assert model._collected_trainable_weights == model.trainable_weights
    assert model._feed_input_names == model.input_names
    assert model._feed_input_shapes == [(None, 4)]
    assert model._feed_output_shapes == [(None, 2)]
    assert model.stateful_metric_names == []
    assert model._feed_loss_fns[0] is model.loss_functions[0]
    assert model._is_compiled
    assert not model.uses_learning_phase
    assert not model.layers[1].uses_learning_phase
    frozen = perceptron(normalize=True)
    assert frozen.uses_learning_phase
    assert [layer.uses_learning_phase for layer in frozen.layers] == [
        False,
        False,
        True,
        True,
    ]  # what is behind it, too
    tensor = model.output
    tensor._uses_learning_phase = True
    assert tensor._uses_learning_phase


def test_targets_that_compile_was_given(backend):
    x = Input((4,))
    target = K.placeholder((None, 2))
    model = Model(x, Dense(2)(x))
    model.compile("sgd", "mse", target_tensors=[target])
    assert model.targets == model._feed_targets == [target]
    assert np.isfinite(model.train_on_batch(X, Y))


def test_trainable_changed_after_compile_warns_once(backend):
    model = perceptron()
    model.layers[1].trainable = False
    with pytest.warns(UserWarning, match="train_on_batch: .* the 4 weights .* but now 2 are trainable. Compile again"):
        model.train_on_batch(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.train_on_batch(X[:5], Y[:5])
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("cut", "loss", "where"),
    [
        (K.stop_gradient, "mse", "stop_gradient"),
        (lambda t: K.cast(K.greater(t, 0.0), "float32"), "mse", "greater"),
        (lambda t: t, lambda y, p: K.mean(y), ""),
    ],
)
def test_a_loss_without_gradient_is_an_error(backend, cut, loss, where):
    x = Input((4,))
    model = Model(x, Lambda(cut)(Dense(2)(x)))
    model.compile("sgd", loss)
    for call in (lambda: model.train_on_batch(X, Y), lambda: model.fit(X, Y, verbose=0)):
        with pytest.raises(ValueError, match=f"no gradient for any of the 2 trainable weights.*{where}"):
            call()
    assert np.isfinite(model.evaluate(X, Y, verbose=0))


def test_masks_of_values(backend):
    got = Embedding(5, 3, mask_zero=True).compute_mask(np.array([[1, 0, 2]]))
    assert np.asarray(K.eval(got)).tolist() == [[True, False, True]]
    got = Masking(0.0).compute_mask(np.array([[[0.0, 0.0], [0.0, 1.0]]], "float32"))
    assert np.asarray(K.eval(got)).tolist() == [[False, True]]


def test_code_of_today_asks_for_nothing_of_it():
    """Building, training and saving a model looks for no attribute that is missing: nothing old is imported."""
    import subprocess
    import sys

    code = (
        "import sys, numpy as np; from keras_front import layers as L; from keras_front.models import *\n"
        "m = Sequential([L.Conv2D(2, 3, input_shape=(8, 8, 1)), L.BatchNormalization(), L.Flatten(), L.Dropout(0.5),"
        " L.Dense(2, activation='softmax')])\n"
        "x, y = np.ones((4, 8, 8, 1)), np.zeros(4)\n"
        "m.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])\n"
        "m.fit(x, y, verbose=0, validation_split=0.25); m.evaluate(x, y, verbose=0); m.predict(x)\n"
        "m.train_on_batch(x, y); m.summary(print_fn=len); clone_model(m); m.to_json(); m.get_config()\n"
        "s = Sequential([L.Bidirectional(L.LSTM(2), input_shape=(4, 3)), L.Dense(1)]); s.compile('sgd', 'mse')\n"
        "s.fit(np.ones((2, 4, 3)), np.ones(2), verbose=0)\n"
        "print('keras_front.legacy.protocol' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False", done.stdout


def test_a_model_whose_losses_are_layers(backend):
    """In the manner of object detectors of 2018: no compiled loss, parts reported by `metrics_tensors`."""
    x, target = Input((4,), name="image"), Input((2,), name="target")
    out = Dense(2, name="head", kernel_initializer="ones")(x)
    part = Lambda(lambda ab: K.mean(K.square(ab[0] - ab[1]), keepdims=True), name="head_loss")([out, target])
    model = Model([x, target], [out, part])
    model._losses, model._per_input_losses = [], {}
    layer = model.get_layer("head_loss")
    if layer.output not in model.losses:
        model.add_loss(K.mean(layer.output, keepdims=True) * 2.0)
    model.add_loss(sum(K.sum(K.square(w)) * 0.01 for w in model.trainable_weights if "gamma" not in w.name))
    model.compile(SGD(lr=0.01, clipnorm=5.0), loss=[None] * len(model.outputs))
    if "head_loss" not in model.metrics_names:
        model.metrics_names.append("head_loss")
        model.metrics_tensors.append(K.mean(layer.output, keepdims=True))
    want = ((X.sum(1, keepdims=True) - Y) ** 2).mean()
    loss, reported = model.evaluate([X, Y], [], verbose=0)
    np.testing.assert_allclose([loss, reported], [2 * want + 0.01 * 8, want], rtol=1e-4)
    batches = (([X, Y], []) for _ in range(6))
    history = model.fit_generator(batches, steps_per_epoch=3, epochs=2, verbose=0, workers=0).history
    assert history["head_loss"][1] < history["head_loss"][0]


@pytest.mark.engine_neutral
def test_the_phase_of_a_residual_net_is_asked_once_for_each_layer(backend):
    """Paths through 40 blocks are more than could ever be followed."""
    x = inputs = Input((2,))
    for _ in range(40):
        x = Add()([x, Dense(2)(x)])
    assert not Model(inputs, x).uses_learning_phase


def test_a_loss_and_a_metric_that_ask_the_output_for_its_layer(backend):
    """As those of conditional random fields: what they compute with is what the layer was called on."""

    def of_inputs(y_true, y_pred):
        layer, place = y_pred._keras_history[:2]
        given = layer._inbound_nodes[place].input_tensors[0]
        return K.sum(K.square(K.dot(given, layer.kernel) - y_true), axis=-1) / K.cast(K.shape(given)[1], "float32")

    x = Input((4,))
    model = Model(x, Dense(2, name="out", use_bias=False)(Dense(3, name="hidden")(x)))
    model.compile(SGD(0.01), of_inputs, metrics=[of_inputs])
    kernels = model.layers[1].get_weights()[0] @ model.layers[2].get_weights()[0]
    error = X @ kernels - Y
    assert np.allclose(model.evaluate(X, Y, verbose=0), np.square(error).sum(-1).mean() / 3, rtol=1e-4)
    before = model.get_weights()
    logs = model.train_on_batch(X, Y)
    assert np.allclose(logs, np.square(error).sum(-1).mean() / 3, rtol=1e-4)
    gradient = (X @ before[0] + before[1]).T @ error * 2 / 3 / len(X)
    np.testing.assert_allclose(model.get_weights()[-1], before[-1] - 0.01 * gradient, rtol=1e-4, atol=1e-6)


def test_the_last_layer_is_taken_off():
    model = perceptron()
    model.layers[-1].inbound_nodes, model.layers[-2].outbound_nodes = [], []
    assert model.layers[-2].outbound_nodes == []
