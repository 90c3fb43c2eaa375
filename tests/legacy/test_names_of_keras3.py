"""Names and protocols of Keras 3 that programs of today expect, with what Keras 3.15.1 gave for the same lines."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks, config, metrics, tree
from keras_front.errors import StateError
from keras_front.layers import Dense, Input
from keras_front.legacy import keras3_names, modules
from keras_front.models import Model

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


@pytest.mark.of_the_host
def test_names_of_the_package_and_of_config(backend):
    modules.install()
    import keras
    import keras.tree

    assert keras.tree is tree
    assert keras.config.backend() == keras.backend.backend()
    assert keras.config.is_flash_attention_enabled() is None
    keras.config.enable_flash_attention()
    assert keras.config.is_flash_attention_enabled()
    keras.config.disable_flash_attention()
    assert not keras.config.is_flash_attention_enabled()
    assert not keras.config.is_nnx_enabled()
    with config.dialect("keras3"):
        assert keras.version() == keras.__version__ == "3.15.1"
    names = "DTypePolicy Function KerasTensor Operation Quantizer StatelessScope name_scope Variable FloatDTypePolicy"
    assert all(hasattr(keras, name) for name in names.split())
    assert keras.utils.is_keras_tensor(keras.Input((2,)))
    assert (keras.utils.standardize_dtype(int), keras.backend.standardize_dtype("float16")) == ("int64", "float16")
    assert keras.backend.result_type("float32", "int8") == "float32"
    assert keras.backend.is_float_dtype(None)
    assert keras.backend.is_int_dtype("uint8")


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
