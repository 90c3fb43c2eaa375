"""Names that tf.keras has beside those of Keras 2.3.1, and parameters that were called otherwise."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from fresh import in_new_process

import keras_front
import keras_front.legacy.backend  # which a door opens
from keras_front import backend as K
from keras_front import layers
from keras_front.errors import ArgumentError
from keras_front.layers import Dense, Input
from keras_front.legacy import recurrent_helpers as helpers
from keras_front.legacy import tf_utils
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


@pytest.mark.slow
def test_names_are_there_by_import_and_by_attribute():
    in_new_process(f"""
import keras_front.as_keras
import functools, importlib, keras
for name in {NAMES!r}:
    by_attribute = functools.reduce(getattr, name.split("."), keras)
    module, _, last = ("keras." + name).rpartition(".")
    assert getattr(importlib.import_module(module), last) is by_attribute, name
""")


@pytest.mark.slow
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


class Sum(AbstractRNNCell):
    state_size = output_size = 3

    def call(self, inputs, states):
        new = inputs + states[0]
        return new, [new]


def test_a_cell_of_ones_own(backend):
    x = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(K.to_numpy(layers.RNN(Sum())(K.constant(x))), x.sum(1))
    start = K.function([given := K.placeholder((None, 5))], [Sum().get_initial_state(given)])
    np.testing.assert_array_equal(start([np.ones((4, 5))])[0], np.zeros((4, 3)))
    assert K.int_shape(Sum().get_initial_state(batch_size=2, dtype="float64")) == (2, 3)
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


class Shapes:
    @tf_utils.shape_type_conversion
    def compute_output_shape(self, input_shape):
        self.given = input_shape
        return [*input_shape[:-1], 7] if isinstance(input_shape, tuple) else input_shape


class TensorShape:
    def as_list(self):
        return [None, 4]


def test_shapes_are_converted():
    shapes = Shapes()
    assert shapes.compute_output_shape(TensorShape()) == (None, 7)
    assert shapes.given == (None, 4)
    assert shapes.compute_output_shape([(None, 2), TensorShape()]) == [(None, 2), (None, 4)]
    assert tf_utils.convert_shapes({"a": [1, 2]}) == {"a": (1, 2)}
    assert tf_utils.smart_cond(True, lambda: 1, lambda: 2) == 1
    assert tf_utils.is_symbolic_tensor(K.placeholder((2,)))


def test_helpers_of_recurrent_layers(backend):
    ones = K.ones((400, 5))
    kept, other = (K.to_numpy(mask) for mask in helpers._generate_dropout_mask(ones, 0.5, training=True, count=2))
    assert set(np.unique(kept)) == {0.0, 2.0}
    assert (kept != other).any()
    np.testing.assert_array_equal(K.to_numpy(helpers._generate_dropout_mask(ones, 0.5, training=False)), 1)
    assert helpers._standardize_args(["x", "s", "c"], None, None, 1) == ("x", ["s"], ["c"])
    assert helpers._standardize_args("x", "s", None, None) == ("x", ["s"], None)
    with pytest.raises(ArgumentError, match="received a list"):
        helpers._standardize_args(["x", "s"], "t", None, None)


def test_shapes_answer_as_those_of_tensorflow():
    tensor, variable = Input((3, 4)), K.variable(np.zeros((2, 3)))
    assert tensor.shape == (None, 3, 4)
    assert tensor.shape.as_list() == [None, 3, 4] == tensor.get_shape().as_list()
    assert tensor.get_shape()[-1].value == 4 == tensor.shape.dims[2].value
    assert (tensor.shape.rank, tensor.shape.ndims) == (3, 3)
    assert not tensor.shape.is_fully_defined()
    assert tensor.shape.num_elements() is None
    assert variable.shape.num_elements() == 6 == np.prod(variable.get_shape().as_list())


def test_own_weights_of_layers_that_ask_the_base_class():
    class Part(Dense):
        @property
        def non_trainable_weights(self):
            return [w for w in super().non_trainable_weights if "kept" not in w.name]

    layer = Part(2)
    layer.build((None, 3))
    layer.add_weight(name="kept", shape=(1,), trainable=False)
    layer.add_weight(name="seen", shape=(1,), trainable=False)
    assert [w.shape for w in layer.non_trainable_weights] == [(1,)]
    assert [w.name.split("/")[-1].split(":")[0] for w in layer.weights] == ["kernel", "bias", "seen"]


def test_marks_of_functions_change_nothing():
    assert K.symbolic(len) is len is K.eager(len)


def test_nested_values_of_a_function(backend):
    x = Input((3,))
    function = K.function([x], {"twice": x * 2.0}.values())
    assert np.allclose(function(([np.ones((1, 3))], [], None))[0], 2.0)


@pytest.mark.backends("tensorflow")
def test_functions_of_the_real_tensorflow_take_tensors_of_k(backend):
    import tensorflow as tf

    from keras_front.legacy.stand_in import real

    real.complete_functions(tf)
    real.complete_names(tf)
    assert tf.get_default_graph() is tf.get_default_session().graph
    assert not hasattr(tf, "no_such_name")
    with keras_front.use_backend("numpy"):
        x = Input((3,))
        y = tf.where(
            tf.equal(x, 1.0), tf.multiply(tf.ones_like(x), tf.constant(2.0)), tf.reduce_max(x, axis=-1, keepdims=True)
        )
        found = K.function([x], [y])([np.array([[1.0, 4.0, 3.0]])])[0]
        with tf.GradientTape() as tape:
            tape.watch(x)
            rows = tf.ones((tf.shape(x)[0], 1)) * 2.0
            loss = tf.reduce_sum(tf.square(x) * rows)
        assert K.function([x], [tape.gradient(loss, x)])([np.ones((1, 3))])[0].tolist() == [[4.0, 4.0, 4.0]]
    assert found.tolist() == [[2.0, 4.0, 4.0]]
    with tf.GradientTape() as tape:
        one = tf.Variable(3.0)
        loss = one * one
    assert float(tape.gradient(loss, one)) == 6.0
    assert not hasattr(tf.initializers, "function")  # ours, which is not completed
    with pytest.raises(ValueError, match="unsupported type"):
        tf.reduce_sum(object())


def test_a_seed_of_the_real_tensorflow_is_ours_too():
    from keras_front.backend.seeds import generator
    from keras_front.legacy.stand_in import real

    given, tensorflow = [], ModuleType("tensorflow")
    tensorflow.random = ModuleType("tensorflow.random")
    tensorflow.random.set_seed = given.append
    real.complete_seeds(tensorflow)
    real.complete_seeds(tensorflow)  # as often as it is loaded: it stays one function around another
    drawn = []
    for seed in (5, 6, 5, None):
        tensorflow.random.set_seed(seed)
        drawn.append(generator("weights").normal())
    assert given == [5, 6, 5, None]
    assert drawn[0] == drawn[2] != drawn[1]
