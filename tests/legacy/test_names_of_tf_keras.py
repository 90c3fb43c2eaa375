"""Names that tf.keras has beside those of Keras 2.3.1, and parameters that were called otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import config, layers
from keras_front.errors import ArgumentError
from keras_front.legacy import mixed_precision
from keras_front.legacy.tf_layers import AbstractRNNCell

NAMES = """
    experimental.CosineDecay layers.experimental.SyncBatchNormalization layers.experimental.preprocessing.Rescaling
    layers.experimental.preprocessing.PreprocessingLayer layers.AbstractRNNCell layers.Convolution1DTranspose
    losses.Reduction losses.Loss mixed_precision.Policy mixed_precision.global_policy
    mixed_precision.experimental.set_policy optimizers.experimental.AdamW optimizers.legacy.SGD
    optimizers.schedules.ExponentialDecay optimizers.schedules.deserialize preprocessing.image_dataset_from_directory
    preprocessing.image.ImageDataGenerator preprocessing.sequence.pad_sequences preprocessing.text.Tokenizer
    saving.register_keras_serializable saving.serialize_keras_object utils.get_file utils.Sequence
    utils.legacy.deserialize_keras_object utils.plot_model utils.register_keras_serializable callbacks.EarlyStopping
    backend.learning_phase_scope backend.random_bernoulli backend.image_data_format initializers.HeNormal
    metrics.MeanIoU models.clone_model regularizers.L1L2 wrappers.scikit_learn datasets.mnist.load_data Model Input
    Sequential
""".split()


def test_names_are_there_by_import_and_by_attribute():
    in_new_process(f"""
import keras_front.as_keras
import functools, importlib, keras
for name in {NAMES!r}:
    by_attribute = functools.reduce(getattr, name.split("."), keras)
    module, _, last = ("keras." + name).rpartition(".")
    assert getattr(importlib.import_module(module), last) is by_attribute, name
""")


def test_signatures_show_that_former_names_are_taken():
    printed = in_new_process("""
import keras_front.as_keras
import keras, inspect, warnings
warnings.simplefilter("ignore")
assert keras.constraints.MaxNorm(m=3).max_value == 3
print(list(inspect.signature(keras.constraints.MaxNorm).parameters))
class Mine(keras.constraints.MaxNorm):
    def __init__(self, most=4):
        super().__init__(most)
print(list(inspect.signature(Mine).parameters))
print(list(inspect.signature(keras.utils.GeneratorEnqueuer).parameters)[-1])
try:
    keras.callbacks.CSVLogger("file", nothing=1)
except TypeError as error:
    print(error)
""")
    shown, inherited, enqueuer, refused = printed.splitlines()
    assert shown == "['max_value', 'axis', 'former_names']"
    assert inherited == "['most']"
    assert enqueuer == "former_names"
    assert "unexpected keyword argument 'nothing'" in refused


def test_policies():
    config.reload()
    with pytest.warns(UserWarning, match="layers compute in the dtype of their weights"):
        mixed_precision.set_global_policy("mixed_float16")
    policy = mixed_precision.global_policy()
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == ("mixed_float16", "float16", "float32")
    assert mixed_precision.get(mixed_precision.serialize(policy)) == policy
    assert layers.Dense(3, dtype="mixed_bfloat16").dtype == "float32"
    mixed_precision.set_dtype_policy("float64")
    assert (K.floatx(), layers.Dense(3).dtype, mixed_precision.dtype_policy().name) == ("float64",) * 3
    K.set_floatx("float32")
    assert mixed_precision.global_policy() == mixed_precision.Policy("float32")
    assert layers.Dense(3, dtype=mixed_precision.Policy("float64")).dtype == "float64"
    with pytest.raises(ArgumentError, match="Policy: expected one of"):
        mixed_precision.Policy("int8")


class Sum(AbstractRNNCell):
    state_size = output_size = 3

    def call(self, inputs, states):
        new = inputs + states[0]
        return new, [new]


def test_a_cell_of_ones_own(backend):
    x = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(K.to_numpy(layers.RNN(Sum())(K.constant(x))), x.sum(1))
    with pytest.raises(NotImplementedError, match="AbstractRNNCell: expected a property `state_size`"):
        AbstractRNNCell().state_size  # noqa: B018


def test_focal_crossentropies(backend):
    t, p = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.3, 0.7], [0.4, 0.6]])
    right = t * p + (1 - t) * (1 - p)
    loss = -((1 - right) ** 2) * np.log(right)
    given = K.constant(t), K.constant(p)
    np.testing.assert_allclose(K.to_numpy(K.binary_focal_crossentropy(*given)), loss, rtol=1e-4)
    balanced = K.to_numpy(K.binary_focal_crossentropy(*given, apply_class_balancing=True))
    np.testing.assert_allclose(balanced, loss * (0.25 * t + 0.75 * (1 - t)), rtol=1e-4)
    whole = -(0.25 * (1 - p) ** 2 * t * np.log(p)).sum(-1)
    np.testing.assert_allclose(K.to_numpy(K.categorical_focal_crossentropy(*given)), whole, rtol=1e-4)
