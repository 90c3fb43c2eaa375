"""Dialects: the defaults of other generations of Keras, where nothing else says what is wanted."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

import keras_front
from keras_front import activations, config, initializers, layers, losses, metrics, models, optimizers
from keras_front import backend as K
from keras_front.legacy import dialects
from keras_front.legacy.hooks import OldNameWarning

RECURRENT = {
    "keras1": ("hard_sigmoid", "hard_sigmoid", False, "hard_sigmoid"),
    "keras2.2": ("hard_sigmoid", "hard_sigmoid", False, "hard_sigmoid"),
    "keras2.3": ("sigmoid", "sigmoid", False, "hard_sigmoid"),
    "keras3": ("sigmoid", "sigmoid", True, "sigmoid"),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers(name):
    with keras_front.dialect(name):
        lstm, gru, conv = layers.LSTM(3), layers.GRU(3), layers.ConvLSTM2D(2, 3)
        cell = layers.GRUCell(3)
    found = [layer.get_config()["recurrent_activation"] for layer in (lstm, gru)]
    reset = gru.get_config()["reset_after"]
    assert (*found, reset, conv.get_config()["recurrent_activation"]) == RECURRENT[name]
    assert cell.reset_after is reset


def test_what_is_given_counts_by_name_or_place():
    with keras_front.dialect("keras3"):
        assert layers.GRU(3, reset_after=False).reset_after is False
        assert layers.GRU(3, "relu", "tanh").get_config()["recurrent_activation"] == "tanh"
        assert float(optimizers.Adagrad(lr=0.5).lr) == 0.5
        assert float(optimizers.Adagrad(0.5).lr) == 0.5
    with keras_front.dialect("keras1"), pytest.warns(OldNameWarning):
        assert layers.LSTM(3, inner_activation="tanh").get_config()["recurrent_activation"] == "tanh"


def test_optimizers_by_class_and_by_name():
    rates = {name: {} for name in ("keras2.3", "keras3")}
    for name, found in rates.items():
        with keras_front.dialect(name):
            for kind in ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop", "SGD"):
                found[kind] = float(getattr(optimizers, kind)().lr)
                assert float(optimizers.get(kind).lr) == found[kind]
    assert {k: pytest.approx(v) for k, v in rates["keras3"].items()} == dict.fromkeys(rates["keras3"], 0.001) | {
        "SGD": 0.01
    }
    assert rates["keras2.3"]["Adadelta"] == 1.0
    with keras_front.dialect("keras1"):
        model = models.Sequential([layers.Dense(1, input_dim=2)])
        model.compile("adam", "mse")
    assert model.optimizer.epsilon == 1e-8
    assert optimizers.Adam().get_config()["epsilon"] == pytest.approx(1e-7)


def test_initializers_and_activations_by_name(backend):
    shape = (400, 300)
    with keras_front.dialect("keras1"):
        assert initializers.get("orthogonal").gain == 1.1
        assert layers.LSTM(3).cell.recurrent_initializer.gain == 1.1
        normal = initializers.get("glorot_normal")(shape)
        he = initializers.get("he_normal")(shape)
    assert abs(normal).max() > 3 * normal.std()
    assert normal.std() == pytest.approx((2 / 700) ** 0.5, rel=0.02)
    assert he.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert abs(initializers.get("glorot_normal")(shape)).max() < 2.4 * normal.std()
    x = K.constant([-2.7, -1.0, 0.0, 1.0, 2.7])
    with keras_front.dialect("keras3"):
        layer = layers.Activation("hard_sigmoid")
    np.testing.assert_allclose(
        K.to_numpy(layer(x)), np.clip(np.array([-2.7, -1, 0, 1, 2.7]) / 6 + 0.5, 0, 1), rtol=1e-6
    )
    assert activations.get("hard_sigmoid") is activations.hard_sigmoid


def test_two_numbers_are_rows_and_columns_in_the_old_dialects():
    assert layers.LocallyConnected2D(4, 3, 2).strides == (2, 2)
    with keras_front.dialect("keras1"), pytest.warns(OldNameWarning, match=r"kernel_size=\(3, 2\)"):
        assert layers.LocallyConnected2D(4, 3, 2).kernel_size == (3, 2)
    with keras_front.dialect("keras2.2"), pytest.warns(OldNameWarning):
        assert layers.Conv2D(4, 3, 2).kernel_size == (3, 2)


def test_fit_of_keras1_runs_ten_epochs():
    model = models.Sequential([layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    with keras_front.dialect("keras1"):
        assert len(model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).epoch) == 10
        assert len(model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0).epoch) == 2
    assert len(model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).epoch) == 1


def test_a_file_wins_over_the_dialect(tmp_path):
    model = models.Sequential([layers.GRU(3, input_shape=(4, 2)), layers.Dense(2, "hard_sigmoid")])
    model.compile(optimizers.Adagrad(), "mse")
    model.save(tmp_path / "model.h5")
    x = np.random.default_rng(0).normal(size=(2, 4, 2)) * 3
    for name in ("keras1", "keras3"):
        with keras_front.dialect(name):
            again = models.load_model(tmp_path / "model.h5")
            np.testing.assert_array_equal(again.predict(x), model.predict(x))
        assert float(again.optimizer.lr) == pytest.approx(0.01)
        written = {"class_name": "GRU", "config": {"name": "g", "units": 3, "recurrent_initializer": "orthogonal"}}
        with keras_front.dialect(name):
            bare = layers.deserialize(written)
        assert (bare.reset_after, bare.cell.recurrent_initializer.gain) == (False, 1.0)


def test_a_dialect_is_a_setting():
    config.set_dialect("keras3")
    assert config.current_dialect() == "keras3"
    with keras_front.dialect("keras1"):
        assert config.setting("dialect").value == "keras1"
    assert layers.GRU(2).reset_after
    with pytest.raises(
        ValueError,
        match=r"expected one of 'keras1', 'keras2\.2', 'keras2\.3', 'tf\.keras', 'keras3', received 'keras4'",
    ):
        keras_front.set_dialect("keras4")
    code = "from keras_front.layers import GRU; assert GRU(2).reset_after"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "KERAS_FRONT_DIALECT": "keras3"})


def test_the_tables_name_arguments_that_exist():
    places = {"layers": layers, "losses": losses, "optimizers": optimizers, "initializers": initializers}
    places["training"] = models.Model
    for parts in dialects.DEFAULTS.values():
        for part, table in parts.items():
            for owner, defaults in table.items():
                found = getattr(places[part], owner)
                is_class = isinstance(found, type)
                takes = found.constructor_arguments() if is_class else inspect.signature(found).parameters
                assert set(defaults) <= set(takes), owner


@pytest.mark.parametrize("dialect", dialects.DEFAULTS)
def test_each_default_of_the_tables_is_given(dialect):
    with keras_front.dialect(dialect):
        for part, table in dialects.DEFAULTS[dialect].items():
            for owner, defaults in table.items() if part != "training" else ():
                sizes = {"layers": (2, 3) if owner.startswith("Conv") else (2,)}.get(part, ())
                written = getattr(getattr(keras_front, part), owner)(*sizes).get_config()
                wanted = {name: pytest.approx(v) if isinstance(v, float) else v for name, v in defaults.items()}
                assert {name: written[name] for name in defaults} == wanted, owner


def test_a_class_of_somebody_elses_has_its_own_defaults():
    class Adadelta(optimizers.Adadelta):
        def __init__(self, learning_rate=0.5):
            super().__init__(learning_rate)

    class Adagrad(optimizers.Adagrad):
        def __init__(self):
            super().__init__()

    with keras_front.dialect("tf.keras"):
        assert float(Adadelta().learning_rate) == 0.5
        assert float(Adagrad().learning_rate) == pytest.approx(0.001)


@pytest.mark.parametrize("dialect", dialects.DEFAULTS)
def test_metrics_that_are_called_as_losses_take_no_default_of_these(dialect):
    both = [getattr(metrics, name) for name in dir(metrics) if isinstance(getattr(losses, name, None), type)]
    with keras_front.dialect(dialect):
        made = [kind() for kind in both if hasattr(kind, "update_state")]
    assert len(made) > 10


def test_tf_keras(backend, capsys):
    """Numbers and names that tf_keras 2.21 gives: `Masking`, then a unit kernel, on squares of known numbers."""
    x = np.array([[[1.0], [0.0], [0.0]], [[1.0], [2.0], [3.0]]])
    K.clear_session()
    with keras_front.dialect("tf.keras"):
        steps = layers.TimeDistributed(layers.Dense(1, kernel_initializer="ones"))
        model = models.Sequential([layers.Masking(0.0, input_shape=(3, 1)), steps])
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
        logs = model.evaluate(x, np.zeros((2, 3, 1)), verbose=0)
        weighed = model.evaluate(x, np.zeros((2, 3, 1)), sample_weight=np.array([1.0, 0.0]), verbose=0)
        model.fit(x, np.zeros((2, 3, 1)), batch_size=1, validation_data=(x, np.zeros((2, 3, 1))), verbose=1)
        names = [layers.Input((3,)).name, layers.Input((3,)).name, layers.Dense(1).name]
        rates = [float(optimizers.get(name).lr) for name in ("adadelta", "adagrad", "adamax", "nadam", "sgd")]
        assert layers.GRU(2).reset_after
        assert layers.ConvLSTM2D(2, 3).get_config()["recurrent_activation"] == "hard_sigmoid"
    assert model.metrics_names == ["loss", "mae", "mse"]
    np.testing.assert_allclose(logs, [3.75, 1.75, 3.75], rtol=1e-5)
    np.testing.assert_allclose(weighed, [0.25, 1.75, 1.0], rtol=1e-5)
    assert names == ["input_1", "input_2", "dense_1"]
    assert model.name == "sequential"
    np.testing.assert_allclose(rates, [0.001] * 4 + [0.01], rtol=1e-6)
    told = capsys.readouterr().out
    assert told.startswith("2/2 [")  # neither how many samples there are, nor the number of the one epoch
    assert "2/2 [====" in told
