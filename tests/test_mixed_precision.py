"""Mixed precision: what is cast, what is not, and what policies are called."""

from __future__ import annotations

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import config, dtype_policies, layers, mixed_precision, models
from keras_front.errors import ArgumentError

EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7}


@pytest.fixture(autouse=True)
def no_global_policy():
    yield
    mixed_precision.set_global_policy(None)


def half_of(backend, policy):
    """The dtype in which a policy computes on a backend."""
    dtype = dtype_policies.get(policy).compute_dtype
    return "float32" if dtype in backend.lacks else dtype


@pytest.mark.engine_neutral
def test_policies(backend):
    policy = mixed_precision.Policy("mixed_float16")
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == ("mixed_float16", "float16", "float32")
    assert mixed_precision.get(mixed_precision.serialize(policy)) == policy
    assert mixed_precision.global_policy() == mixed_precision.Policy("float32")
    mixed_precision.set_global_policy("float64")
    assert (K.floatx(), layers.Dense(3).dtype, mixed_precision.global_policy().name) == (
        "float32",
        "float64",
        "float64",
    )
    assert layers.Input((3,)).dtype == "float32"
    mixed_precision.set_global_policy(policy)
    of_policy, of_dtype = layers.Dense(3), layers.Dense(3, dtype="float32")
    assert (of_policy.dtype, of_policy.compute_dtype, of_policy.dtype_policy) == ("float32", "float16", policy)
    assert (of_dtype.variable_dtype, of_dtype.compute_dtype, of_dtype.dtype_policy.name) == ("float32",) * 3
    assert layers.Dense(3, dtype=mixed_precision.Policy("float64")).dtype == "float64"
    assert layers.Input((3,), dtype="int32").dtype == "int32"
    with pytest.raises(ArgumentError, match="Policy: expected one of"):
        mixed_precision.Policy("mixed_int8")
    with config.use(floatx="float64"):
        mixed_precision.set_global_policy(None)
        assert mixed_precision.global_policy().name == "float64"


@pytest.mark.engine_neutral
def test_a_map_gives_each_layer_the_policy_of_its_path(backend):
    policies = dtype_policies.DTypePolicyMap("float32", {"first": "mixed_float16", "deep.*/.*": "float64"})
    model = models.Sequential(
        [layers.Dense(2, name="first", dtype=policies, input_shape=(3,)), layers.Dense(2, name="last", dtype=policies)]
    )
    assert [layer.dtype_policy.name for layer in model.layers] == ["mixed_float16", "float32"]
    loose = layers.Dense(2, dtype=policies, name="loose")
    again = layers.Dense.from_config(loose.get_config())
    assert again.dtype_policy == policies
    assert policies["deeper/still"].name == "float64"
    with pytest.raises(ArgumentError, match="has a policy already"):
        policies["first"] = "float32"


def _weights_seen(layer):
    """The dtypes in which a layer's `call` reads `kernel`, and of its inputs and outputs."""
    seen = []

    class Watched(type(layer)):
        def call(self, inputs, **kwargs):
            seen.extend([K.dtype(inputs), K.dtype(self.kernel + 0.0)])
            return super().call(inputs, **kwargs)

    layer.__class__ = Watched
    return seen


@pytest.mark.filterwarnings("ignore:mixed_bfloat16. numpy has no bfloat16")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_inputs_and_weights_are_cast_where_the_layer_computes(backend, policy):
    half, x = half_of(backend, policy), np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
    dense = layers.Dense(2, dtype=policy)
    seen = _weights_seen(dense)
    y = dense(K.constant(x))
    assert seen[-2:] == [half, half]
    assert K.dtype(y) == half
    assert {w.dtype for w in dense.weights} == {"float32"}
    exact = x @ dense.kernel.numpy()
    np.testing.assert_allclose(K.to_numpy(y).astype("float64"), exact, atol=8 * EPSILON.get(half, 1e-6))
    model = models.Sequential([layers.Input((3,)), dense, layers.BatchNormalization(dtype=policy)])
    assert K.dtype(model(K.constant(x))) == half
    np.testing.assert_allclose(
        model.predict(x).astype("float64"), exact / np.sqrt(1.001), atol=16 * EPSILON.get(half, 1e-6)
    )


class Holder(layers.Layer):
    """A layer with a weight of its own, one that is never cast, a layer of full precision, and an update."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.full = layers.Dense(2, dtype="float32", name="full")

    def build(self, input_shape):
        self.scale = self.add_weight("scale", (3,), initializer="ones")
        self.count = self.add_weight("count", (), initializer="zeros", trainable=False, autocast=False)
        super().build(input_shape)

    def call(self, inputs):
        self.seen = K.dtype(self.scale * 1.0), K.dtype(self.count + 0.0)
        K.update_add(self.count, 4097.0)  # 16 bits cannot hold it
        y = self.full(inputs * self.scale)
        self.inside = K.dtype(y)
        return y


def test_layers_inside_of_layers_keep_their_own_policy(backend):
    half, layer = half_of(backend, "mixed_float16"), Holder(dtype="mixed_float16")
    model = models.Sequential([layers.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    assert layer.seen == (half, "float32")
    assert layer.inside == "float32"
    assert float(layer.count.numpy()) == 4097.0
    layer(K.constant(np.ones((2, 3))))
    assert float(layer.count.numpy()) == 2 * 4097.0


def test_names():
    in_new_process("""
import keras_front.as_keras
import keras
from keras import mixed_precision
from keras.mixed_precision import experimental
from keras.dtype_policies import DTypePolicyMap
assert keras.DTypePolicy is mixed_precision.Policy is keras.dtype_policies.DTypePolicy
experimental.set_policy("mixed_bfloat16")
assert keras.config.dtype_policy() == experimental.Policy("mixed_bfloat16") == mixed_precision.global_policy()
keras.config.set_dtype_policy("float32")
assert mixed_precision.global_policy().compute_dtype == "float32"
""")
