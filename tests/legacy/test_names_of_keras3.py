"""Names and protocols of Keras 3 that programs of today expect, with what Keras 3.15.1 gave for the same lines."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import callbacks, metrics, tree
from keras_front.errors import StateError
from keras_front.layers import Dense, Input, Layer
from keras_front.legacy import keras3_names
from keras_front.models import Model, load_model

Point = namedtuple("Point", "x y")

# (what is computed, what Keras 3.15.1 gives)
TREES = [
    (lambda: tree.flatten({"b": 1, "a": 2}), [2, 1]),
    (lambda: tree.flatten(OrderedDict(b=1, a=2)), [1, 2]),
    (lambda: tree.flatten([None, (1, Point(2, [3]))]), [None, 1, 2, 3]),
    (lambda: tree.flatten_with_path({"a": [1, (2,)], "b": 3}), [(("a", 0), 1), (("a", 1, 0), 2), (("b",), 3)]),
    (lambda: tree.flatten_with_path(3), [((), 3)]),
    (lambda: tree.lists_to_tuples([1, {"a": [2]}]), (1, {"a": (2,)})),
    (lambda: tree.map_shape_structure(len, {"a": (1, 2), "b": [None, 3]}), {"a": 2, "b": 2}),
    (lambda: tree.map_structure(lambda a, b: a + b, [1, Point(2, 3)], [3, Point(4, 5)]), [4, Point(6, 8)]),
    (lambda: tree.map_structure(lambda a: a is None, [None, 1]), [True, False]),
    (lambda: tree.map_structure(lambda a: a is None, [None, 1], none_is_leaf=False), [None, False]),
    (lambda: tree.map_structure_up_to([1, 2], len, [[1, 2], [3]]), [2, 1]),
    (lambda: tree.map_structure_up_to({"a": 0}, lambda a, b: (a, b), {"a": [1]}, {"a": 2}), {"a": ([1], 2)}),
    (lambda: tree.pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3]), {"b": 3, "a": [1, 2]}),
    (lambda: tree.traverse(lambda x: "L" if isinstance(x, list) else None, (1, [2])), (1, "L")),
    (lambda: tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, 2]), [None, 2]),
    (lambda: tree.traverse(lambda x: sum(x) if isinstance(x, tuple) else None, [(1, 2), 3], top_down=False), [3, 3]),
]
WRONG_TREES = [
    lambda: tree.assert_same_structure([1], (2,)),
    lambda: tree.assert_same_structure([1], [1, 2]),
    lambda: tree.assert_same_structure({"a": 1}, {"b": 1}),
    lambda: tree.assert_same_structure(1, [1]),
    lambda: tree.assert_same_paths([1], [1, 2]),
    lambda: tree.map_structure(lambda a, b: a, [1], [3, 4]),
    lambda: tree.pack_sequence_as([1, 2], [1]),
    lambda: tree.map_structure_up_to([1, 2], lambda a: a, [1]),
    lambda: tree.map_structure(len),
]


def test_trees():
    for compute, expected in TREES:
        assert compute() == expected
    for wrong in WRONG_TREES:
        with pytest.raises(ValueError, match=r"\S"):
            wrong()
    with pytest.raises(TypeError, match="a function"):
        tree.map_structure(3, [1])
    tree.assert_same_structure([None, {"a": 1}], [2, {"a": 3}])
    tree.assert_same_paths([1], (2,))


NAMES = """
from keras_front.legacy import modules
modules.install()
import keras, keras.tree, keras_front
assert keras.tree is keras_front.tree
assert keras.config.backend() == keras.backend.backend()
assert keras.config.is_flash_attention_enabled() is None
keras.config.enable_flash_attention()
assert keras.config.is_flash_attention_enabled()
keras.config.disable_flash_attention()
assert not (keras.config.is_flash_attention_enabled() or keras.config.is_nnx_enabled())
with keras_front.dialect("keras3"):
    assert keras.version() == keras.__version__ == "3.15.1"
names = "DTypePolicy Function KerasTensor Operation Quantizer StatelessScope name_scope Variable FloatDTypePolicy"
assert all(hasattr(keras, name) for name in names.split())
assert keras.utils.is_keras_tensor(keras.Input((2,)))
assert (keras.utils.standardize_dtype(int), keras.backend.standardize_dtype("float16")) == ("int64", "float16")
assert keras.backend.result_type("float32", "int8") == "float32"
assert keras.backend.is_float_dtype(None) and keras.backend.is_int_dtype("uint8")
"""


def test_names_of_the_package_and_of_config():
    in_new_process(NAMES)


def test_variables_in_a_stateless_scope(backend):
    first, second = K.variable(np.ones(2)), K.variable(np.ones(2))
    with keras3_names.StatelessScope([(first, np.full(2, 5.0))]) as scope:
        first.assign(first + second)
        second.assign(second * 3)
        np.testing.assert_allclose(K.to_numpy(scope.get_current_value(first)), 6)
    np.testing.assert_allclose([first.numpy(), second.numpy()], 1)
    np.testing.assert_allclose(K.to_numpy(scope.get_current_value(second)), 3)
    with pytest.raises(ValueError, match="pairs"):
        keras3_names.StatelessScope([1])


def test_class_numbers_as_predictions(backend):
    found = metrics.sparse_top_k_categorical_accuracy([3, 4, 5], [[3, 1], [1, 4], [0, 1]], k=1, from_sorted_ids=True)
    assert K.to_numpy(found).tolist() == [1, 0, 0]
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert float(metric([3, 4, 5], [[3, 1], [1, 4], [0, 1]])) == pytest.approx(2 / 3)
    assert metrics.SparseTopKCategoricalAccuracy.from_config(metric.get_config()).get_config() == metric.get_config()


@pytest.mark.of_the_host
def test_a_loss_that_is_no_number_may_be_an_error(backend):
    model = Model(x := Input((2,)), Dense(1)(x))
    model.compile("sgd", "mse")
    with pytest.raises(StateError, match="batch 0"):
        model.fit(np.full((2, 2), np.inf), np.ones(2), verbose=0, callbacks=[callbacks.TerminateOnNaN(True)])


class Codes(Layer):
    """A layer as guides of Keras 3 write one: its variable is of `add_variable`, in files it has a form of its own."""

    def build(self, input_shape):
        """The only variable, by the arguments of Keras 3."""
        self.codes = self.add_variable((input_shape[-1],), "ones", trainable=False, name="codes")

    def call(self, inputs):
        """The inputs times the codes."""
        return inputs * self.codes

    def save_own_variables(self, store):
        """The codes as one string of bytes."""
        store["packed"] = np.asarray(K.to_numpy(self.codes), "int8")

    def load_own_variables(self, store):
        """The codes from the bytes."""
        self.codes.assign(np.asarray(store["packed"], "float32"))


@pytest.mark.engine_neutral
def test_a_layer_that_writes_its_variables_itself(backend, tmp_path):
    model = Model(x := Input((3,)), Dense(2, use_bias=False)(codes := Codes(name="codes")(x)))
    layer = model.get_layer("codes")
    assert layer.get_build_config() == {"input_shape": (None, 3)}
    layer.codes.assign(np.array([2.0, 3.0, 4.0]))
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras", custom_objects={"Codes": Codes})
    np.testing.assert_allclose(again.predict(np.eye(3)), model.predict(np.eye(3)), rtol=1e-6)
    assert codes.shape == (None, 3)
    other, store = Dense(2), {}
    other.build_from_config({"input_shape": [None, 3]})
    other.save_own_variables(store)
    assert sorted(store) == ["0", "1"]
    other.load_own_variables({"0": np.ones((3, 2)), "1": np.ones(2)})
    np.testing.assert_allclose(other.get_weights()[0], 1)
    for wrong in ({"0": np.ones(2)}, {"0": np.ones(2), "1": np.ones(2)}):
        with pytest.raises(ValueError, match="received"):
            other.load_own_variables(wrong)
    assert other.add_variable("of tf.keras", [2], initializer="zeros").shape == (2,)
