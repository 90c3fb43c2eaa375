"""What upstream's tests ask of Keras 3 that no other test here does: their case, in words of our own."""

import subprocess
import sys
import unittest

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, initializers, layers, losses, ops
from keras_front.legacy import keras3_testing, package
from keras_front.legacy.keras3_testing import named_product

SQUARE = {"input_shape": (2, 3), "expected_output_shape": (2, 3), "supports_masking": True}


@pytest.fixture
def case():
    found = keras3_testing.TestCase("run_layer_test")
    found.setUp()
    yield found
    found.doCleanups()


def counts(trainable, fixed=0, seeds=0):
    """What `run_layer_test` is told of the weights."""
    return {
        "expected_num_trainable_weights": trainable,
        "expected_num_non_trainable_weights": fixed,
        "expected_num_seed_generators": seeds,
        "expected_num_non_trainable_variables": fixed + seeds,
    }


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("kind", "arguments", "wanted"),
    [
        (layers.Dense, {"units": 3, "kernel_regularizer": "l2"}, {**SQUARE, **counts(2), "expected_num_losses": 1}),
        (layers.Dropout, {"rate": 0.5}, {**SQUARE, **counts(0, seeds=1), "call_kwargs": {"training": True}}),
        (layers.BatchNormalization, {}, {**SQUARE, **counts(2, 2), "expected_output_dtype": "float32"}),
        (layers.Add, {}, {**SQUARE, "input_shape": [(2, 3), (2, 3)]}),
        (layers.Embedding, {"input_dim": 4, "output_dim": 3, "mask_zero": True},
         {"input_shape": (2, 5), "input_dtype": "int32", "expected_output_shape": (2, 5, 3),
          "expected_mask_shape": (2, 5)}),
        (layers.MultiHeadAttention, {"num_heads": 2, "key_dim": 2},
         {"input_shape": {"query_shape": (2, 4, 3), "value_shape": (2, 5, 3)}, "expected_output_shape": (2, 4, 3),
          **counts(8), "run_training_check": False}),
        (layers.LSTM, {"units": 3, "return_state": True, "dropout": 0.5},
         {"input_shape": (2, 4, 3), "expected_output_shape": ((2, 3), (2, 3), (2, 3)), "run_training_check": False}),
        (layers.Flatten, {}, {"input_data": np.ones((2, 3, 4)), "expected_output": np.ones((2, 12))}),
    ],
)  # fmt: skip
def test_layers_are_checked(backend, case, kind, arguments, wanted):
    case.run_layer_test(kind, arguments, **wanted)


@pytest.mark.of_the_host
@pytest.mark.parametrize(
    "wrong",
    [
        {"expected_output_shape": (2, 4)},
        {"expected_output_dtype": "int32"},
        {"expected_output": np.zeros((2, 3))},
        {"expected_num_losses": 1},
        {"supports_masking": False},
        {"assert_built_after_instantiation": True},
        *({name: number + 1} for name, number in counts(2).items()),
    ],
)
def test_what_does_not_hold_is_told(backend, case, wrong):
    arguments = {"units": 3, "bias_initializer": "ones"}
    case.run_layer_test(layers.Dense, arguments, input_shape=(2, 3), run_training_check=False)
    with pytest.raises(AssertionError):
        case.run_layer_test(layers.Dense, arguments, input_shape=(2, 3), run_training_check=False, **wrong)


def test_comparisons(backend, case):
    x = K.constant([1.0, 2.0])
    case.assertAllClose(x, [1, 2])
    case.assertAllEqual([x, (x,), {"a": 1}], [[1, 2], ([1, 2],), {"a": 1}])
    case.assertAlmostEqual(  # noqa: PT009 - its own
        x, [1.0001, 2], decimal=3
    )
    case.assertNotAllClose(x, [1, 3])
    case.assertDType(x, "float32")
    case.assertLen([1, 2], 2)
    case.assertSparse(x, False)
    for check, *given in (
        (case.assertAllClose, x, [1, 3]),
        (case.assertAllEqual, [x], [x, x]),
        (case.assertAlmostEqual, x, [1.1, 2]),
        (case.assertNotAllClose, x, x),
        (case.assertDType, x, "int32"),
        (case.assertLen, [1], 2),
        (case.assertSparse, x),
        (case.assertRagged, x),
        (case.assertFileExists, "no such file"),
    ):
        with pytest.raises(AssertionError):
            check(*given)
    for made in (losses.Huber(delta=0.5, name="h"), initializers.GlorotUniform(seed=3), layers.Conv1D(2, 3)):
        assert case.run_class_serialization_test(made).get_config() == made.get_config()


@pytest.mark.of_the_host
def test_data_for_tests(backend):
    (x, y), (more, labels) = keras3_testing.get_test_data(20, 10, (3, 2), 4, random_seed=1)
    assert (x.shape, more.shape, y.shape, labels.shape) == ((20, 3, 2), (10, 3, 2), (20,), (10,))
    assert (x.dtype, {*y, *labels}) == ("float32", {0, 1, 2, 3})
    rows = named_product([{"testcase_name": "low", "x": -1}, {"testcase_name": "high", "x": 1}], y=[None, "B"])
    assert [row["testcase_name"] for row in rows] == ["low_none", "high_none", "low_b", "high_b"]
    assert rows[1] == {"testcase_name": "high_none", "x": 1, "y": None}
    assert not keras3_testing.uses_gpu()
    assert not keras3_testing.jax_uses_tpu()
    assert issubclass(keras3_testing.TestCase, unittest.TestCase)


@pytest.mark.of_the_host
def test_tensors_without_values(backend):
    x = package.KerasTensor((None, 3), "int32", name="here")
    assert (x.shape, x.dtype, x.name) == ((None, 3), "int32", "here")
    assert isinstance(ops.add(x, 1), package.KerasTensor)
    assert not isinstance(np.ones(3), package.KerasTensor)
    assert layers.Dense(2)(package.KerasTensor([2, 3])).shape == (2, 2)
    assert package.standardize_shape([None, 2]) == (None, 2)
    for wrong in (None, 3, (-1,), ("a",)):
        with pytest.raises((ValueError, TypeError)):
            package.KerasTensor(wrong)
    assert package.any_symbolic_tensors(([x],), {"y": 1})
    assert not package.any_symbolic_tensors((1,), {"y": np.ones(2)})


@pytest.mark.of_the_host
def test_modules_of_upstreams_tests(backend):
    code = """
import keras_front.as_keras
from keras.src import backend, layers, losses, models, ops, optimizers, saving, testing, tree, utils
from keras.src.backend.common import dtypes, keras_tensor
from keras.src.backend.common.variables import KerasVariable, standardize_shape
from keras.src.models import Functional
from keras.src.ops.node import Node
from keras.src.ops.operation import Operation
from keras.src.optimizers.schedules import learning_rate_schedule
from keras.src.random.seed_generator import SeedGenerator
from keras.src.saving.object_registration import register_keras_serializable
from keras.src.testing.test_utils import get_test_data, named_product
from keras.src.trainers.trainer import Trainer
from keras.src.utils.naming import auto_name
x = backend.KerasTensor((None, 3))
assert layers.Dense(2).compute_output_spec(x).shape == (None, 2)
assert isinstance(x, keras_tensor.KerasTensor) and issubclass(models.Model, Trainer)
assert [auto_name("LeakyThing"), auto_name("LeakyThing")] == ["leaky_thing", "leaky_thing_1"]
class Case(testing.TestCase):
    def test_it(self):
        self.run_layer_test(layers.ReLU, {}, input_shape=(2, 3), expected_output_shape=(2, 3))
import unittest
assert unittest.main(argv=["x"], exit=False).result.testsRun == 1
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_losses_have_dtypes(backend):
    y, p = np.array([[0.0, 1.0]]), np.array([[0.25, 0.5]])
    for loss in (losses.MeanSquaredError, losses.BinaryCrossentropy, losses.Dice, losses.BinaryFocalCrossentropy):
        found = loss(dtype="float16")
        assert (found.dtype, K.dtype(found(y, p))) == ("float16", "float16")
        np.testing.assert_allclose(K.eval(found(y, p)), K.eval(loss()(y, p)), rtol=2e-3)
        again = type(found).from_config(found.get_config())
        assert again.dtype == "float16"
        assert loss().dtype == "float32"
        assert "dtype" not in loss().get_config()
    assert losses.MeanSquaredError.from_config({"dtype": {"class_name": "DTypePolicy"}}).dtype == "float32"
    with pytest.raises(TypeError, match="dtype"):
        losses.MeanSquaredError(dtype="float17")
    with config.dialect("keras3"):
        assert losses.MeanSquaredError(dtype="float64").reduction == "sum_over_batch_size"
