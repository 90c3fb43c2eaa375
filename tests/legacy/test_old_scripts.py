"""Whole scripts of Keras 1, in which `import keras` means keras_front; and layers that were written for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers, models
from keras_front.legacy import initializations
from keras_front.legacy.hooks import OldNameWarning

pytestmark = pytest.mark.slow

SCRIPTS = [Path(__file__).parents[2] / "examples" / "keras1" / "digits_cnn.py"]  # the others: tests/test_examples.py


def run(path, backend, folder):
    environment = {"KERAS_FRONT_BACKEND": backend, "PATH": "", "HOME": str(folder)}
    command = [sys.executable, "-m", "keras_front", "run", str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.mark.backends("numpy")  # on the others: tests/test_examples.py
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_of_keras1_runs_unchanged(backend, path, tmp_path):
    done = run(path, backend.name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Test accuracy:" in done.stdout
    assert "OldNameWarning: This call has names of an older Keras. Today it reads: Conv2D(" in done.stderr


IMPORTS = """
import keras
from keras import backend as K
from keras import initializations, objectives
from keras.engine.topology import Input, InputSpec, Layer, Merge
from keras.engine import InputSpec as Same, Layer as Base, Model
from keras.engine.training import Model as Trained
from keras.layers.advanced_activations import LeakyReLU, SReLU
from keras.layers.convolutional import AtrousConvolution2D, Conv2D, MaxPooling2D, ZeroPadding2D
from keras.layers.core import Dense, Highway, MaxoutDense, Merge as Merged, TimeDistributedDense
from keras.layers.embeddings import Embedding
from keras.layers.recurrent import LSTM
from keras.layers.wrappers import TimeDistributed
from keras.preprocessing.text import base_filter, text_to_word_sequence
assert text_to_word_sequence("it's, a dog!", filters=base_filter()) == ["it's", "a", "dog"]
from keras.layers import merge, Dense as Plain
from keras.regularizers import activity_l2, l1l2, WeightRegularizer
import keras_front
from keras_front.models import Model as Modern

assert keras.layers is keras_front.layers
assert Dense is Plain is keras_front.layers.Dense
assert Merge is Merged
assert Model is Trained is Modern
assert Layer is Base is keras_front.layers.Layer
assert objectives.mse is keras_front.losses.mse
assert K.image_dim_ordering() == "tf"
assert Dense(3).get_output_shape_for((None, 4)) == (None, 3)
a, b = Input((3,)), Input((3,))
assert merge([a, b], mode="concat", concat_axis=-1).shape == (None, 6)
try:
    from keras.layers.core import Densest
except ImportError as error:
    print(error)
"""


def test_modules_that_were_divided_otherwise(tmp_path):
    (tmp_path / "script.py").write_text(IMPORTS)
    done = run(tmp_path / "script.py", "numpy", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cannot import name 'Densest' from 'keras.layers.core'" in done.stdout


# Layers that were written for Keras 1 ----------------------------------------------------------------


class Classic(layers.Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[1], self.output_dim), initializer="random_uniform", trainable=True)
        super().build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


class ByHand(Classic):
    def build(self, input_shape):
        self.W = K.variable(np.ones((input_shape[1], self.output_dim)))
        self.trainable_weights = [self.W]


class ShapeFirst(Classic):
    def build(self, input_shape):
        shape = (input_shape[1], self.output_dim)
        self.W = self.add_weight(shape, initializer="one", name=f"{self.name}_W")
        self.built = True


class ShapeAndInitializer(Classic):
    def build(self, input_shape):
        self.W = self.add_weight((input_shape[1], self.output_dim), tiny, "W", True, None, None)
        self.built = True


def tiny(shape, name=None):
    return initializations.normal(shape, scale=0.01, name=name)


@pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")
@pytest.mark.parametrize("kind", [Classic, ByHand, ShapeFirst, ShapeAndInitializer])
def test_a_layer_of_keras1_builds_and_trains(backend, kind):
    model = models.Sequential([kind(3, input_dim=4, name="mine"), layers.Dense(1, init=tiny)])
    assert model.layers[0].output_shape == (None, 3)
    assert len(model.layers[0].trainable_weights) == 1
    before = model.get_weights()
    x = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_allclose(K.to_numpy(model.layers[0](x)), x @ before[0], rtol=1e-4, atol=1e-5)
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.ones((5, 1)))
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_order_of_add_weight_is_told_from_the_shape():
    layer = layers.Layer(name="mine")
    with pytest.warns(OldNameWarning, match=r"add_weight\(shape=\(2, 3\), initializer='one', name='W'\)"):
        weight = layer.add_weight((2, 3), "one", name="W")
    assert (weight.name, weight.shape) == ("mine/W:0", (2, 3))
    with pytest.raises(ValueError, match="expected the name of the weight first"):
        layer.add_weight((3, 4))


@pytest.mark.parametrize("name", initializations.__all__[2:])
def test_initializations_return_variables(name):
    made = getattr(initializations, name)((40, 40), name="w")
    value = K.get_value(made)
    assert (made.name, value.shape) == ("w", (40, 40))
    deviations = {"normal": 0.05, "uniform": 0.05 / 3**0.5, "zero": 0, "one": 0, "identity": 0.156, "orthogonal": 0.174}
    want = deviations.get(name, {"he": 2, "gl": 1, "le": 1}[name[:2]] if name[:2] in ("he", "gl", "le") else 0)
    want = want if name in deviations else (want / 40) ** 0.5
    assert value.std() == pytest.approx(want, rel=0.1)
    assert initializations.get(name) is getattr(initializations, name)


def test_fans():
    assert initializations.get_fans((3, 3, 4, 5), "tf") == (36, 45)
    assert initializations.get_fans((5, 4, 3, 3)) == (36, 45)  # Theano's order is the default
    assert initializations.get_fans((5, 4, 2, 3, 3)) == (72, 90)
    assert initializations.get_fans((6, 7), "tf") == initializations.get_fans((6, 7), "th") == (6, 7)
    values = K.get_value(initializations.he_uniform((50, 2, 3, 3)))
    assert values.shape == (50, 2, 3, 3)
    assert 0.9 < abs(values).max() / (6 / 18) ** 0.5 <= 1
    with pytest.raises(ValueError, match="square"):
        initializations.identity((2, 3))
