"""What the library says of things that work but are hardly meant, and why a shape does not fit."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import losses
from keras_front.errors import ArgumentError, HintWarning, ShapeError, UninitializedError
from keras_front.layers import (
    LSTM,
    Activation,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    Lambda,
    Layer,
    ReLU,
    Reshape,
    TimeDistributed,
)
from keras_front.metrics import Metric
from keras_front.models import Model, Sequential
from keras_front.optimizers import Optimizer

pytestmark = pytest.mark.engine_neutral
X = np.ones((8, 4), "float32")
CLASSES = np.arange(8) % 3


def net(*layers, shape=(4,)):
    return Sequential([Input(shape, name="x"), *layers])


def told(model, loss):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.compile("sgd", loss)
    return [str(item.message) for item in caught if item.category is HintWarning]


UNFIT = [
    ([Dense(1, "softmax")], "binary_crossentropy", "softmax over 1 unit"),
    ([Dense(1, "softmax")], "mse", "softmax over 1 unit"),
    ([Dense(1), Activation("softmax")], "binary_crossentropy", "softmax over 1 unit"),
    ([Dense(1, "sigmoid")], "categorical_crossentropy", "a choice among one class"),
    ([Dense(1)], "binary_crossentropy", r"no activation.*BinaryCrossentropy\(from_logits=True\)"),
    ([Dense(1), Dropout(0.5), Reshape((1,))], "binary_crossentropy", "no activation"),
    ([Dense(3, "relu")], "categorical_crossentropy", "ends in 'relu'.*activation='softmax'"),
    ([Dense(3), ReLU()], losses.CategoricalCrossentropy(), "ends in 'relu'"),
    ([Sequential([Dense(3, "tanh", input_shape=(4,))])], "sparse_categorical_crossentropy", "ends in 'tanh'"),
    ([Dense(3, "softmax")], losses.CategoricalCrossentropy(from_logits=True), "from_logits=True expects the numbers"),
]
FIT = [
    ([Dense(1, "sigmoid")], "binary_crossentropy"),
    ([Dense(1, "hard_sigmoid")], "binary_crossentropy"),
    ([Dense(3, "softmax")], "categorical_crossentropy"),
    ([Dense(3, "softmax")], "binary_crossentropy"),
    ([Dense(3, "sigmoid")], "categorical_crossentropy"),
    ([Dense(3), Activation("softmax")], "sparse_categorical_crossentropy"),
    ([Dense(3)], losses.CategoricalCrossentropy(from_logits=True)),
    ([Dense(1)], losses.BinaryCrossentropy(from_logits=True)),
    ([Dense(1)], "mse"),
    ([Dense(3, lambda x: x)], "categorical_crossentropy"),
    ([Lambda(lambda x: x)], "categorical_crossentropy"),
    ([Reshape((4, 1)), LSTM(1)], "binary_crossentropy"),
    ([Reshape((4, 1)), TimeDistributed(Dense(2, "softmax"))], "categorical_crossentropy"),
    ([Dense(1)], lambda y, p: losses.binary_crossentropy(y, p, from_logits=True)),
]


@pytest.mark.parametrize(("layers", "loss", "words"), UNFIT)
def test_a_loss_that_does_not_fit_the_last_activation(layers, loss, words):
    (text,) = told(net(*layers), loss)
    assert re.search(f"^compile: the output '.*': .*{words}", text)


@pytest.mark.parametrize(("layers", "loss"), FIT)
def test_no_false_alarm(layers, loss):
    assert told(net(*layers), loss) == []


def test_a_model_with_a_call_of_its_own_is_not_looked_into():
    class Mine(Model):
        def __init__(self):
            super().__init__()
            self.layer = Dense(1)

        def call(self, inputs):
            return self.layer(inputs)

    model = Mine()
    model.compile("sgd", "binary_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("error", HintWarning)
        model.fit(X, np.ones(8), verbose=0)


def test_a_hint_is_told_once_and_where_the_user_called():
    model = net(Dense(1))
    with pytest.warns(HintWarning) as caught:
        model.compile("sgd", "binary_crossentropy")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", HintWarning)
        model.fit(X, np.ones(8), verbose=0)
        model.evaluate(X, np.ones(8), verbose=0)
        model.train_on_batch(X[:3], np.ones(3))


@pytest.mark.parametrize(
    ("targets", "words"), [(np.arange(8) % 2 * 2.0 - 1, r"\(y \+ 1\) / 2"), (np.arange(8) * 30, "Divide them by 255")]
)
def test_targets_that_are_no_probabilities(targets, words):
    model = net(Dense(1, "sigmoid"))
    model.compile("sgd", "binary_crossentropy")
    with pytest.warns(HintWarning, match=words):
        model.train_on_batch(X, targets)


@pytest.mark.parametrize(
    ("activation", "loss", "targets", "told"),
    [
        ("sigmoid", "mse", [0, 100], "go from 0 to 100; the last layer ends in 'sigmoid', which gives 0 to 1"),
        ("tanh", "mae", [-3, 3], "which gives -1 to 1. Leave the activation out"),
        ("sigmoid", "mse", [-0.05, 1.05], None),
        ("relu", "mse", [0, 100], None),
        (None, "mse", [-5, 100], None),
        ("tanh", "hinge", [0, 1], None),
    ],
)
def test_targets_that_the_last_activation_cannot_reach(activation, loss, targets, told):
    model = net(Dense(1, activation))
    model.compile("sgd", loss)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.evaluate(X, np.resize(targets, 8), verbose=0)
    assert [told in str(item.message) for item in caught] == ([] if told is None else [True])


@pytest.mark.parametrize("targets", [CLASSES, np.eye(3)[CLASSES]])
def test_x_and_y_that_are_exchanged(targets):
    model = net(Dense(3, "softmax"))
    model.compile("sgd", "categorical_crossentropy" if targets.ndim > 1 else "sparse_categorical_crossentropy")
    for method in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ShapeError, match=r"^Error when checking input.* x and y seem to be exchanged"):
            method(targets, X)
    with pytest.raises(ShapeError) as caught:
        model.fit(X[:, :2], targets)
    assert "exchanged" not in str(caught.value)


def image_net():
    return net(Conv2D(2, 3, name="conv"), Flatten(), Dense(3), shape=(8, 8, 3))


DATA = [
    (net(Flatten()), np.ones(4), "lacks the axis of samples"),
    (
        net(Activation("linear"), shape=(8, 4)),
        np.ones((8, 4)),
        r"leave their number out of the shape of the input: \(4,\)",
    ),
    (net(Flatten()), np.ones((4, 9)), r"samples come first, so pass array\.T"),
    (net(Flatten()), np.ones((9, 2, 2)), r"array\.reshape\(\(-1, 4\)\), or begin the model with a Flatten"),
    (net(Activation("linear"), shape=(2, 2)), np.ones((9, 4)), r"array\.reshape\(\(-1, 2, 2\)\)|Reshape"),
    (net(Activation("linear"), shape=(5, 2)), np.ones((9, 2, 5)), "Steps and features seem to be exchanged"),
    (image_net(), np.ones((8, 8, 3)), "lacks the axis of samples"),
    (image_net(), np.ones((2, 3, 8, 8)), "channels seem to come first"),
    (net(Activation("linear"), shape=(3, 8, 8)), np.ones((2, 8, 8, 3)), "channels seem to come last"),
    (image_net(), np.ones((2, 8, 8)), "lack the axis of channels"),
    (image_net(), np.ones((2, 8, 8, 1)), r"1 channels, the model takes 3: pass np\.repeat"),
    (image_net(), np.ones((2, 8, 8, 4)), r"array\[\.\.\., :3\]"),
]


@pytest.mark.parametrize(("model", "array", "cause"), DATA)
def test_data_of_another_shape(model, array, cause):
    with pytest.raises(ShapeError, match=rf"^Error when checking input: expected .* {cause}"):
        model.predict(array)


TARGETS = [
    (1, "binary_crossentropy", np.eye(2)[CLASSES % 2], r"array\[:, 1:\]"),
    (3, "categorical_crossentropy", CLASSES, "sparse_categorical_crossentropy"),
    (3, "sparse_categorical_crossentropy", np.eye(3)[CLASSES], r"one-hot.*array\.argmax\(axis=-1\)"),
    (3, "mse", CLASSES, "the last layer has 3 units: give it 1 unit"),
    (3, "mse", np.ones((8, 5)), "targets of 5 columns need 5"),
]


@pytest.mark.parametrize(("units", "loss", "targets", "cause"), TARGETS)
def test_targets_of_another_shape(units, loss, targets, cause):
    model = net(Dense(units, "sigmoid" if units == 1 else "softmax", name="out"))
    model.compile("sgd", loss)
    with pytest.raises(ShapeError, match=f"^Error when checking target: expected out .*{cause}"):
        model.fit(X, targets, verbose=0)


@pytest.mark.parametrize(
    ("units", "labels", "cause"),
    [(3, CLASSES + 1, "pass y - 1"), (3, CLASSES * 4, "more units"), (1, CLASSES % 2, "binary_crossentropy")],
)
def test_labels_that_are_no_classes(units, labels, cause):
    model = net(Dense(units, "sigmoid"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HintWarning)
        model.compile("sgd", losses.sparse_categorical_crossentropy)
    with pytest.raises(ArgumentError, match=f"expected class numbers from 0 to {units - 1}.*{cause}"):
        model.fit(X, labels, verbose=0)


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (lambda: Conv2D(2, 3)(Input((28, 28))), r"expected ndim=4, found ndim=3.*\(28, 28, 1\) for grey"),
        (lambda: LSTM(2)(Input((4,))), "return_sequences=True"),
        (lambda: Conv2D(2, 5)(Input((3, 28, 28))), "If 3 is the number of channels.*'channels_first'"),
        (lambda: Dense(2)(np.ones(3)), "lacks the axis of samples"),
        (lambda: moved()(np.ones((1, 3, 8, 8), "float32")), "channels seem to come first"),
    ],
)
def test_inputs_of_layers(wrong, cause):
    with pytest.raises(ShapeError, match=cause):
        wrong()


def moved():
    layer = Conv2D(2, 3)
    layer.build((None, 8, 8, 3))
    return layer


def texts():
    model = net(Dense(3, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: texts().fit(X), r"as in fit\(x, y\)"),
        (lambda: texts().fit("train.csv", X), "is the text 'train.csv'.*read_csv"),
        (lambda: texts().fit(X.astype(str), CLASSES), r"array\.astype\('float32'\)"),
        (lambda: texts().fit(X, np.array(list("abcabcab"))), r"np\.unique\(y, return_inverse=True\)"),
        (lambda: texts().fit(lambda: iter([(X, CLASSES)])), r"call it: pass f\(\), not f"),
        (lambda: Sequential([Dense]), r"an object of it: `Dense\(\.\.\.\)`"),
        (lambda: Sequential(Dense(1), Dense(1)), "Write them in a list"),
        (lambda: Sequential([Dense(1)(Input((2,)))]), r"write Model\(inputs, outputs\)"),
        (lambda: Model(X, X), "received float32 array of shape .* pass the data themselves to fit"),
        (lambda: Model(Dense(1), Dense(1)), "what it returns when it is called"),
        (lambda: Dense(1)(Dense(1)), r"when it is called: layer\(inputs\)"),
        (lambda: net(Dense(1))(np.ones(4)), "lacks the axis of samples"),
    ],
)
def test_common_misuse_is_told_with_its_remedy(wrong, words):
    with pytest.raises(Exception, match=words):
        wrong()


def test_a_forgotten_constructor_of_the_base():
    class Mine(Layer):
        def __init__(self, size):
            self.size = size

        def call(self, inputs):
            return inputs

    layer = Mine(3)
    assert not hasattr(layer, "name")
    with pytest.raises(UninitializedError, match=r"^Mine: .*the first line of `Mine\.__init__`"):
        layer(X)
    with pytest.raises(AttributeError, match="no attribute 'something'"):
        _ = layer.something


class ForgetfulLoss(losses.Loss):
    def __init__(self):
        self.factor = 2.0

    def call(self, y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1) * self.factor


class ForgetfulMetric(Metric):
    def __init__(self):
        self.seen = self.add_weight("seen")


class ForgetfulOptimizer(Optimizer):
    def __init__(self):
        self.rate = 0.1

    def update(self, w, g, slots, rate, t):
        return w - self.rate * g, slots


@pytest.mark.parametrize(
    "use",
    [
        lambda: ForgetfulLoss()(X, X),
        lambda: compiled("sgd", ForgetfulLoss()).fit(X, X[:, :1], verbose=0),
        ForgetfulMetric,
        lambda: compiled(ForgetfulOptimizer(), "mse").fit(X, X[:, :1], verbose=0),
    ],
)
def test_a_loss_a_metric_an_optimizer_without_the_constructor_of_the_base(use):
    with pytest.raises(UninitializedError, match=r"^Forgetful\w+: You must call `super.*the first line of"):
        use()


def compiled(optimizer, loss):
    model = net(Dense(1))
    model.compile(optimizer, loss)
    return model


def test_a_loss_that_is_no_number_is_told_once(backend):
    model = net(Dense(1))
    model.compile("sgd", "mse")
    with pytest.warns(
        HintWarning, match=r"the loss is nan\. Of the 32 numbers in data of shape \(8, 4\) 2 are NaN"
    ) as told:
        model.fit(np.where(np.arange(32).reshape(8, 4) < 2, np.nan, X), X[:, :1], epochs=3, verbose=0)
    assert len(told) == 1
    model.set_weights([np.full((4, 1), 1e30), np.zeros(1)])
    with pytest.warns(HintWarning, match="steps are probably too large.*debug_nans"):
        model.fit(X, X[:, :1], epochs=2, verbose=0)


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        (lambda: net(Conv2D(4, 3), shape=(8, 9, 9, 1)), "leave it out of input_shape"),
        (lambda: Sequential([Dense(3, input_shape=8)]), r"such as \(8,\)"),
        (lambda: Dense(4, 8), r"a layer takes that of its output alone, Dense\(8\)"),
        (lambda: Dense(4).output, "Call it on a tensor, or add it to a model"),
        (lambda: net(Flatten(), Dense(1), shape=(None, 3)), r"Input\(\(10,\)\) or input_length=10"),
        (lambda: losses.SparseCategoricalCrossentropy()(X[:, 0] * 5.5, X), "The targets come first"),
    ],
)
def test_what_beginners_write_has_a_remedy(backend, wrong, remedy):
    with pytest.raises((ArgumentError, AttributeError), match=remedy):
        wrong()


@pytest.mark.parametrize(
    ("x", "y", "remedy"),
    [
        (np.ones((8, 5, 5, 1)), CLASSES, r"keeps axes of its input, \(3, 3, 3\) for each sample.*Flatten"),
        (list(np.ones((8, 5, 5, 1))), np.ones((8, 3, 3, 3)), r"pass np\.array\(\.\.\.\) of the list"),
    ],
)
def test_data_that_beginners_pass_have_a_remedy(backend, x, y, remedy):
    model = net(Conv2D(2, 3), Dense(3), shape=(5, 5, 1))
    model.compile("sgd", "mse")
    with pytest.raises((ArgumentError, ShapeError), match=remedy):
        model.fit(x, y, verbose=0)
