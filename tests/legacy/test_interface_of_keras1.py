"""What programs of Keras 1 call beside layers: metrics by batch, arguments of engines, the protocol of layers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import callbacks, constraints, initializers, layers, metrics, regularizers
from keras_front.legacy import batch_metrics
from keras_front.legacy.hooks import OldNameWarning
from keras_front.models import Sequential, load_model, model_from_json

pytestmark = pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 3)).astype("float32"), RNG.normal(size=(6, 2)).astype("float32")


def line(**kwargs):
    return Sequential([layers.Dense(2, input_dim=3, **kwargs)])


# Metrics by batch --------------------------------------------------------------------------------------


def counts(y, p):
    y, p = y > 0.5, p > 0.5
    return (y & p).sum(), (~y & p).sum(), (y & ~p).sum(), (~y & ~p).sum()


def expected(name, y, p):
    tp, fp, fn, tn = map(float, counts(y, p))
    chosen, found = tp / max(tp + fp, 1e-7), tp / max(tp + fn, 1e-7)
    if name == "precision":
        return chosen
    if name == "recall":
        return found
    if name == "matthews_correlation":
        return (tp * tn - fp * fn) / max(((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5, 1e-7)
    return 2 * chosen * found / max(chosen + found, 1e-7)


@pytest.mark.parametrize("name", batch_metrics.__all__)
def test_metrics_of_a_batch(backend, name):
    p = RNG.uniform(size=(10, 1)).astype("float32")
    for y in ((RNG.uniform(size=(10, 1)) > 0.4).astype("float32"), np.zeros((10, 1), "float32")):
        got = K.to_numpy(metrics.get(name)(K.constant(y), K.constant(p)))
        np.testing.assert_allclose(got, expected(name, y, p), atol=1e-5)


def test_metrics_of_a_batch_in_training(backend):
    x, y = RNG.uniform(size=(10, 1)), (RNG.uniform(size=(10, 1)) > 0.5).astype("float32")
    model = Sequential([layers.Dense(1, input_dim=1, init="one")])
    model.compile("sgd", "mse", metrics=["precision", "fmeasure"])
    got = model.evaluate(x, y, batch_size=5, verbose=0)
    assert model.metrics_names == ["loss", "precision", "fmeasure"]
    for value, name in zip(got[1:], ("precision", "fmeasure"), strict=True):  # the mean over batches
        want = np.mean([expected(name, y[s], x[s]) for s in (slice(0, 5), slice(5, 10))])
        np.testing.assert_allclose(value, want, atol=1e-5)


def test_beta_weighs_recall(backend):
    y, p = K.constant([1.0, 1.0, 0.0]), K.constant([1.0, 0.0, 0.0])
    np.testing.assert_allclose(K.to_numpy(batch_metrics.fbeta_score(y, p, beta=2)), 5 * 0.5 / (4 + 0.5), rtol=1e-5)
    with pytest.raises(ValueError, match="0 or more"):
        batch_metrics.fbeta_score(y, p, beta=-1)


# Arguments ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("always")
def test_arguments_of_engines_are_accepted_with_a_warning():
    model = line()
    with pytest.warns(OldNameWarning, match=r"compile\(optimizer='sgd', loss='mse'\)"):
        model.compile("sgd", "mse", mode="FAST_RUN", allow_input_downcast=True)
    with pytest.warns(OldNameWarning, match="fit"):
        model.fit(X, Y, nb_epoch=1, show_accuracy=True, verbose=0)
    with pytest.warns(OldNameWarning, match="evaluate"):
        assert model.evaluate(X, Y, show_accuracy=True, verbose=0) > 0
    with pytest.raises(TypeError, match="not understood: 'moed'"):
        model.compile("sgd", "mse", moed="FAST_RUN")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.compile("sgd", "mse")


def test_parameters_of_callbacks_under_their_former_names():
    seen = {}

    class Look(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params, nb_epoch=self.params["nb_epoch"], nb_sample=self.params.get("nb_sample"))
            seen["nothing"] = self.params.get("nothing", 7)
            with pytest.raises(KeyError, match="nothing"):
                self.params["nothing"]

    model = line()
    model.compile("sgd", "mse")
    model.fit(X, Y, nb_epoch=3, verbose=0, callbacks=[Look()])
    assert (seen["nb_epoch"], seen["nb_sample"], seen["nothing"]) == (3, 6, 7)


def test_checkpoints_count_epochs_as_then(tmp_path):
    model = line()
    model.compile("sgd", "mse")
    for dialect, names in (("keras1", ["0.h5", "1.h5"]), ("keras_front", ["1.h5", "2.h5"])):
        (tmp_path / dialect).mkdir()
        with keras_front.dialect(dialect):
            saver = callbacks.ModelCheckpoint(f"{tmp_path}/{dialect}/{{epoch}}.h5")
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[saver])
        assert sorted(path.name for path in (tmp_path / dialect).iterdir()) == names


# Layers ------------------------------------------------------------------------------------------------


def test_dropout_of_whole_words(backend, tmp_path):
    layer = layers.Embedding(50, 4, init="one", dropout=0.5, input_length=20)
    words = RNG.integers(0, 50, (8, 20))
    np.testing.assert_array_equal(K.to_numpy(layer(words)), np.ones((8, 20, 4)))
    got = K.to_numpy(layer(words, training=True))
    assert set(np.unique(got)) == {0.0, 2.0}
    for word in np.unique(words):  # a word is left out wherever it stands, and with all its numbers
        assert len(np.unique(got[words == word])) == 1
    model = Sequential([layer])
    model.save(tmp_path / "m.h5")
    assert load_model(tmp_path / "m.h5").layers[0].dropout == 0.5
    assert type(layers.Embedding(5, 4, dropout=0.0)) is layers.Embedding


def test_dropout_of_words_from_a_file_of_keras1():
    described = {"class_name": "Embedding", "config": {"input_dim": 5, "output_dim": 2, "dropout": 0.25, "init": "one"}}
    assert layers.deserialize(described).dropout == 0.25
    described["config"]["dropout"] = 0.0
    assert type(layers.deserialize(described)) is layers.Embedding


def test_the_first_bias_of_a_highway():
    for kwargs, first in (({}, 1.0), ({"transform_bias": -2}, -2.0)):
        layer = keras_front.legacy.layers.Highway(input_dim=3, **kwargs)
        layer.build((None, 3))
        np.testing.assert_array_equal(layer.get_weights()[3], np.full(3, first))
        assert type(layer).from_config(layer.get_config()).transform_bias == layer.transform_bias


def test_the_identity_of_several_gates():
    for kind, gates in ((layers.LSTM, 4), (layers.GRU, 3), (layers.SimpleRNN, 1)):
        layer = kind(3, recurrent_initializer="identity")
        layer.build((None, 5, 2))
        np.testing.assert_array_equal(layer.get_weights()[1], np.concatenate([np.eye(3)] * gates, axis=1))
    with pytest.raises(ValueError, match="as many units"):
        layers.LSTM(3, kernel_initializer="identity").build((None, 5, 2))
    with keras_front.dialect("keras1"), pytest.raises(ValueError, match="square"):
        initializers.Identity()((2, 3))


def difference(inputs):
    return inputs[0] - inputs[1]


def test_a_merge_by_a_function_in_configs():
    def joined(mode, **kwargs):
        parts = [line(init="one"), line(init="one")]
        return Sequential([keras_front.legacy.layers.Merge(parts, mode=mode, output_shape=lambda s: s[0], **kwargs)])

    for model in (joined(difference), joined(lambda inputs: inputs[0] - inputs[1])):
        again = Sequential.from_config(model.get_config())
        np.testing.assert_allclose(again.predict([X, 2 * X]), model.predict([X, 2 * X]), rtol=1e-6)
    config = joined(difference).layers[0].get_config()
    assert config["mode_type"] == "lambda"
    assert config["layers"][0]["class_name"] == "Sequential"
    text = joined(difference).to_json()
    np.testing.assert_array_equal(model_from_json(text, {"difference": difference}).predict([X, X]), np.zeros((6, 2)))
    with pytest.raises(ValueError, match="Python code"):
        model_from_json(text)
    model_from_json(text, allow_code=True)


@pytest.mark.of_the_host
def test_arguments_without_names_are_those_of_keras1_in_its_dialect(backend):
    def batches():
        while True:
            yield np.zeros((10, 3)), np.zeros((10, 2))

    with keras_front.dialect("keras1"):
        assert layers.LSTM(3, "uniform", "orthogonal", "one", "relu").get_config()["activation"] == "relu"
        assert layers.BatchNormalization(1e-6).epsilon == 1e-6
        assert layers.Embedding(5, 3, "uniform", 7).input_length == 7
        assert layers.ZeroPadding2D({"top_pad": 1, "left_pad": 2}).padding == ((1, 0), (2, 0))
        assert layers.ZeroPadding2D((1, 2, 3, 4)).padding == ((1, 2), (3, 4))
        model = Sequential([layers.Dense(2, "uniform", "relu", input_dim=3)])
        model.compile("sgd", "mse")
        history = model.fit_generator(batches(), 40, 2, verbose=0)
        assert (history.params["steps"], history.params["epochs"]) == (4, 2)
        assert model.predict_generator(batches(), 30).shape == (30, 2)


@pytest.mark.of_the_host
def test_configs_of_regularizers_and_constraints_tell_their_class(backend):
    """A layer of Keras 1 writes `self.W_regularizer.get_config()`, without the name of the class today."""

    class Scaled(layers.Layer):
        def __init__(self, output_dim, W_regularizer=None, W_constraint=None, **kwargs):
            self.output_dim, self.input_spec = output_dim, [layers.InputSpec(ndim="2+")]
            self.W_regularizer = regularizers.get(W_regularizer)
            self.W_constraint = constraints.get(W_constraint)
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.W = self.add_weight((input_shape[-1], self.output_dim), "uniform", regularizer=self.W_regularizer)
            self.built = True

        def call(self, x, mask=None):
            return K.dot(x, self.W)

        def get_output_shape_for(self, input_shape):
            return input_shape[:-1] + (self.output_dim,)

        def get_config(self):
            parts = {name: getattr(self, name).get_config() for name in ("W_regularizer", "W_constraint")}
            return {**super().get_config(), "output_dim": self.output_dim, **parts}

    kept = ("maxnorm", "nonneg", "unitnorm", constraints.MinMaxNorm(0.5, 2.0))
    for constraint in kept:
        model = Sequential([Scaled(2, "l2", constraint, input_shape=(3,))])
        again = model_from_json(model.to_json(), {"Scaled": Scaled}).layers[0]
        assert type(again.W_constraint) is type(constraints.get(constraint))
        assert float(again.W_regularizer.l2) == pytest.approx(0.01)
    assert regularizers.get({"name": "WeightRegularizer", "l1": 0.5, "l2": 0.0}).l1 == 0.5
    for get, config in ((regularizers.get, {}), (constraints.get, {"axis": 0, "much": 1})):
        with pytest.raises(ValueError, match="Could not interpret"):
            get(config)


@pytest.mark.of_the_host
def test_layers_keep_their_arguments_by_the_names_of_keras1(backend):
    lstm = layers.LSTM(3, W_regularizer="l2", dropout_U=0.5, consume_less="gpu")
    assert (lstm.U_regularizer, lstm.dropout_W, lstm.dropout_U) == (None, 0, 0.5)
    assert (lstm.W_regularizer is lstm.kernel_regularizer, lstm.consume_less) == (True, "gpu")
    conv = layers.Convolution2D(2, 3, 4, subsample=(1, 2), dim_ordering="th")
    assert (conv.nb_row, conv.nb_col, conv.subsample, conv.dim_ordering) == (3, 4, (1, 2), "th")
    assert layers.Convolution1D(2, 3, subsample_length=2).subsample_length == 2
    assert layers.MaxPooling1D(3, stride=2).stride == 2
    assert not hasattr(layers.Dense(2), "nb_row")
    assert not hasattr(layers.Dense(2), "dropout_W")
    assert not hasattr(layers.Flatten(), "W_regularizer")
