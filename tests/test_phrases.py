"""What programs and tests of Keras 2 and tf.keras look for in error messages stands in ours."""

from __future__ import annotations

import numpy as np
import pytest

import keras_front
from keras_front import activations, initializers, layers, losses, optimizers
from keras_front.layers import Add, Concatenate, Conv2D, Dense, Input, Reshape
from keras_front.models import Model, Sequential, load_model

pytestmark = pytest.mark.engine_neutral
X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


def bare(**kwargs):
    return Sequential([Dense(1, input_shape=(3,), **kwargs)])


def compiled():
    model = bare()
    model.compile("sgd", "mse")
    return model


def called_twice():
    layer = Dense(2)
    layer(Input((3,)))
    layer(Input((4,)))


def two():
    x = Input((3,))
    model = Model(x, [Dense(1)(x), Dense(1)(x)])
    model.compile("sgd", "mse")
    return model


class Forgetful(layers.Layer):
    def __init__(self):
        self.size = 3


class ForgetfulModel(Model):
    def __init__(self):
        self.layer = Dense(3)


PHRASES = [
    (r"is incompatible with the layer: expected ndim=4, found ndim=3", lambda: Conv2D(2, 3)(Input((4, 4)))),
    (r"expected min_ndim=2, found ndim=1", lambda: Dense(2)(Input(()))),
    (r"expected axis -1 of input shape to have value 3", called_twice),
    (r"expects 1 input\(s\), but it received 2 input tensors", lambda: Dense(2)([Input((3,)), Input((3,))])),
    (r"The first argument to `Layer.call` must always be passed", lambda: Dense(2)(None)),
    (r"You must compile your model before training/testing", lambda: bare().fit(X, Y)),
    (r"Graph disconnected", lambda: Model(Input((3,)), Dense(1)(Input((3,))))),
    (r"Unknown layer", lambda: layers.deserialize({"class_name": "Nowhere", "config": {}})),
    (r"Unknown loss function", lambda: losses.get("nothing")),
    (r"Unknown activation function", lambda: activations.get("nothing")),
    (r"Could not interpret optimizer identifier", lambda: optimizers.get(3.5)),
    (r"Could not interpret initializer identifier", lambda: initializers.get(3.5)),
    (r"Data cardinality is ambiguous", lambda: compiled().fit(X, Y[:3])),
    (r"Input arrays should have the same number of samples as target arrays", lambda: compiled().fit(X, Y[:3])),
    (r"Failed to find data adapter", lambda: compiled().fit(object(), Y)),
    (r"`validation_split` is only supported for", lambda: compiled().fit(iter([(X, Y)]), validation_split=0.5)),
    (r"Error when checking input: expected .* to have shape \(3,\) but got array with shape \(5,\)",
     lambda: compiled().predict(np.ones((4, 5)))),
    (r"Error when checking target: expected .* but got array with shape", lambda: compiled().fit(X, np.ones((4, 7)))),
    (r"expected shape=\(None, 3\), found shape=\(4, 5\)", lambda: compiled().predict(np.ones((4, 5)))),
    (r"should be called on a list of inputs", lambda: Add()(Input((3,)))),
    (r"matching shapes except for the concat axis", lambda: Concatenate(axis=1)([Input((3, 4)), Input((3, 5))])),
    (r"Operands could not be broadcast together", lambda: Add()([Input((3,)), Input((4,))])),
    (r"total size of new array must be unchanged", lambda: Reshape((5,))(Input((4,)))),
    (r"You called `set_weights\(weights\)` on layer", lambda: bare().layers[0].set_weights([np.ones((3, 1))])),
    (r"not compatible with provided weight shape",
     lambda: bare().layers[0].set_weights([np.ones((2, 1)), np.ones(1)])),
    (r"No such layer", lambda: bare().get_layer("nothing")),
    (r"The added layer must be an instance of class Layer", lambda: Sequential().add("x")),
    (r"Keyword argument not understood", lambda: Dense(2, nothing=1)),
    (r"got an unexpected keyword argument 'nothing'", lambda: Dense(2, nothing=1)),
    (r"Received an invalid value for `units`, expected a positive integer", lambda: Dense(-1)),
    (r"Invalid value for argument `filters`. Expected a strictly positive value. Received filters=0",
     lambda: Conv2D(0, 3)),
    (r"The `kernel_size` argument must be a tuple of 2 integers", lambda: Conv2D(2, (3, 3, 3))),
    (r"`strides > 1` not supported in conjunction with `dilation_rate > 1`",
     lambda: Conv2D(2, 3, strides=2, dilation_rate=2)),
    (r'The name "a" is used 2 times in the model. All layer names should be unique',
     lambda: Model(x := Input((3,)), Dense(3, name="a")(Dense(3, name="a")(x)))),
    (r"All layers added to a Sequential model should have unique names",
     lambda: Sequential([Dense(3, name="a"), Dense(3, name="a")])),
    (r"`class_weight` is only supported for Models with a single output",
     lambda: two().fit(X, [Y, Y], class_weight={0: 1.0, 1: 2.0})),
    (r"You must call `super\(\).__init__\(\)` in the layer constructor", lambda: Forgetful()(Input((3,)))),
    (r"you forgot to call `super\(\).__init__\(\)`", lambda: ForgetfulModel()(X)),
    (r"[Ll]ast dimension of the inputs to `Dense` should be defined", lambda: Dense(2)(Input((None,)))),
    (r"Negative dimension size", lambda: Conv2D(2, 7)(Input((4, 4, 1)))),
    (r"No file or directory found at", lambda: load_model("nothing.h5")),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "wrong"), PHRASES, ids=[phrase for phrase, _ in PHRASES])
def test_a_message_has_the_words_of_its_time(phrase, wrong):
    with pytest.raises(Exception, match=phrase):
        wrong()


def test_weight_files_of_other_models(tmp_path):
    bare(use_bias=False).save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match=r"expects 2 weight\(s\), but the saved weights have 1 element"):
        bare().load_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match=r"containing 1 layers into a model with 2 layers.*Layer count mismatch"):
        Sequential([Dense(1, input_shape=(3,)), Dense(1)]).load_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="No model config found"):
        load_model(tmp_path / "w.h5")


def test_the_layer_is_named_as_in_the_dialect():
    with keras_front.dialect("keras2.3"), pytest.raises(ValueError, match="Input 0 is incompatible with layer conv2d"):
        Conv2D(2, 3)(Input((4, 4)))
