"""Mixed precision: what is cast, what is not, and what policies are called."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import config, dtype_policies, layers, mixed_precision, models, optimizers, set_random_seed
from keras_front.backend.discovery import use_backend
from keras_front.errors import ArgumentError
from keras_front.mixed_precision import LossScaleOptimizer
from keras_front.testing import layer_subject
from keras_front.testing import layers as layer_suite

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


def test_noise_is_drawn_finely_enough(backend):
    if "bfloat16" not in backend.lacks:
        set_random_seed(1, reproducible=True)
        kept = K.to_numpy(K.dropout(K.cast(K.constant(np.ones((64, 64))), "bfloat16"), 0.001)) != 0
        assert 0.99 < kept.mean() < 1.0
    layer = layers.AlphaDropout(0.25, dtype="mixed_float16")
    assert np.isfinite(K.to_numpy(layer(K.constant(np.ones((8, 8))), training=True))).all()


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
former = experimental.LossScaleOptimizer(keras.optimizers.SGD(), loss_scale=8)
assert isinstance(former, mixed_precision.LossScaleOptimizer) and (former.dynamic, former.initial_scale) == (False, 8.0)
assert mixed_precision.LossScaleOptimizer is keras.optimizers.LossScaleOptimizer
assert keras.config.dtype_policy() == experimental.Policy("mixed_bfloat16") == mixed_precision.global_policy()
keras.config.set_dtype_policy("float32")
assert mixed_precision.global_policy().compute_dtype == "float32"
""")


# Loss scaling --------------------------------------------------------------------------------------------------------


def test_a_step_with_gradients_that_are_not_finite_changes_nothing_but_the_scale(backend):
    weight = K.variable([1.0, 2.0])
    inner = optimizers.Adam(0.1)
    optimizer = LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    plain, alone = K.variable([1.0, 2.0]), optimizers.Adam(0.1)

    @K.compile
    def step(values, gradient):
        with K.bind(variables, values) as frame:
            optimizer.apply([weight], [gradient])
            return frame.values_of(variables)

    def take(gradient):
        for variable, value in zip(variables, step([v.value for v in variables], K.constant(gradient)), strict=True):
            variable.assign(value)
        return (
            float(optimizer.dynamic_scale.numpy()),
            int(optimizer.step_counter.numpy()),
            int(inner.iterations.numpy()),
        )

    variables = [weight, *optimizer.variables_of([weight])]
    assert take([8.0, 16.0]) == (8.0, 1, 1)
    kept = [v.numpy() for v in (weight, *inner.weights)]
    assert take([np.inf, 1.0]) == (4.0, 0, 1)
    assert take([np.nan, 1.0]) == (2.0, 0, 1)
    for variable, value in zip((weight, *inner.weights), kept, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert [take([2.0, 4.0]), take([2.0, 4.0])] == [(2.0, 1, 2), (4.0, 0, 3)]
    for gradient in ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]):
        alone.apply([plain], [K.constant(gradient)])
    np.testing.assert_allclose(weight.numpy(), plain.numpy(), rtol=1e-6)


@pytest.mark.engine_neutral
def test_a_loop_of_ones_own_scales_as_keras_3_or_as_tf_keras_does(backend):
    found = []
    for way in ("keras3", "tf_keras", "neither"):
        weight, optimizer = K.variable([3.0]), LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=1024.0)

        def loss_of(ws, way=way, optimizer=optimizer):
            loss = K.sum(K.square(ws[0]))
            return loss if way == "neither" else optimizer.scale_loss(loss), []

        _, grads = K.value_and_grad(loss_of, [weight])
        grads = optimizer.get_unscaled_gradients(grads) if way == "tf_keras" else grads
        optimizer.apply_gradients(zip(grads, [weight], strict=True))
        found.append(weight.numpy().item())
    np.testing.assert_allclose(found, 3.0 - 0.1 * 6.0, rtol=1e-6)
    fixed = LossScaleOptimizer("sgd", dynamic=False, initial_scale=4)
    assert float(fixed.get_scaled_loss(lambda: K.constant(2.0))()) == 8.0
    assert (fixed.dynamic_counter, fixed.dynamic_growth_steps, float(K.to_numpy(fixed.loss_scale))) == (None, None, 4.0)
    scaled = optimizers.SGD(0.1, loss_scale_factor=2.0)
    weight = K.variable([1.0])
    scaled.apply([weight], [scaled.scale_loss(K.constant([3.0]))])
    np.testing.assert_allclose(weight.numpy(), 0.7, rtol=1e-6)
    assert optimizers.SGD.from_config(scaled.get_config()).loss_scale_factor == 2.0


@pytest.mark.engine_neutral
def test_arguments_of_a_loss_scale_of_any_keras(backend):
    in_order = LossScaleOptimizer(optimizers.SGD(), 16.0, 5)
    assert (in_order.dynamic, in_order.initial_scale, in_order.dynamic_growth_steps) == (True, 16.0, 5)
    again = optimizers.deserialize(optimizers.serialize(in_order))
    assert again.get_config() == in_order.get_config()
    sgd = {"class_name": "SGD", "config": {"lr": 0.5}}
    dynamic = {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 4, "increment_period": 3}}
    of_old = optimizers.deserialize(
        {"class_name": "LossScaleOptimizer", "config": {"optimizer": sgd, "loss_scale": dynamic}}
    )
    assert (of_old.initial_scale, of_old.dynamic_growth_steps, float(of_old.lr.numpy())) == (4.0, 3, 0.5)
    of_old.lr = 0.25
    assert float(of_old.inner_optimizer.lr.numpy()) == 0.25
    for wrong in ({"initial_scale": 0}, {"dynamic": False}, {"clipnorm": 1.0}, {"dynamic_growth_steps": 0}):
        with pytest.raises(ArgumentError, match="LossScaleOptimizer"):
            LossScaleOptimizer(optimizers.SGD(), **wrong)
    with pytest.raises(ArgumentError, match="without a loss scale"):
        LossScaleOptimizer(in_order)
    with pytest.raises(TypeError, match="nothing"):
        LossScaleOptimizer(optimizers.SGD(), nothing=1)


def _trained(policy):
    """A small net, trained, and its losses."""
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 4)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype("int32")
    mixed_precision.set_global_policy(policy)
    set_random_seed(3)
    model = models.Sequential(
        [layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(2, activation="softmax", dtype="float32")]
    )
    model.compile(optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    return model, model.fit(x, y, batch_size=32, epochs=20, verbose=0).history["loss"], x


@pytest.mark.filterwarnings("ignore:mixed_bfloat16. numpy has no bfloat16")
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_net_learns_as_in_float32(backend, policy):
    with use_backend("numpy"):
        expected = _trained("float32")[1]
    model, losses, _ = _trained(policy)
    np.testing.assert_allclose(losses, expected, atol=0.01)  # of 0.6 in the first epoch
    assert losses[-1] < losses[0] / 3
    assert isinstance(model.optimizer, LossScaleOptimizer) == (policy == "mixed_float16")


@pytest.mark.engine_neutral
def test_files_keep_policies_and_the_scale(backend, tmp_path):
    model, _, x = _trained("mixed_float16")
    model.optimizer.dynamic_scale.assign(512.0)
    mixed_precision.set_global_policy(None)
    for name in ("model.keras", "model.h5"):
        model.save(str(tmp_path / name))
        again = models.load_model(str(tmp_path / name))
        assert [layer.dtype_policy.name for layer in again.layers] == ["mixed_float16", "float32"]
        assert again.dtype_policy.name == "mixed_float16"
        assert float(again.optimizer.dynamic_scale.numpy()) == 512.0
        for ours, theirs in zip(again.optimizer.get_weights(), model.optimizer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.engine_neutral
@pytest.mark.filterwarnings("ignore")
def test_every_layer_follows_a_mixed_policy(backend):
    policy = "mixed_float16" if "bfloat16" in backend.lacks else "mixed_bfloat16"
    half = half_of(backend, policy)
    room = 1 if half == "float16" else 6
    for name, (case, *_) in layer_suite.table().items():
        if case.rounding is None or name in ("ThresholdedReLU",):  # a number near the threshold may be on either side
            continue
        mixed_precision.set_global_policy(None)
        wanted = layer_subject.apply(layer_subject.built(case), layer_subject.values(case))[0]
        mixed_precision.set_global_policy(policy)
        layer = layer_subject.built(case)
        found = layer(layer_subject.one([K.convert(x) for x in layer_subject.values(case)]))
        for got, want in zip(found if isinstance(found, list) else [found], wanted, strict=True):
            if want.dtype.kind == "f" and layer.weights:  # encodings and the like do not compute in floats
                assert K.dtype(got) == half, case
            tolerance = case.rounding * room
            np.testing.assert_allclose(
                K.to_numpy(got).astype("float64"), want, rtol=tolerance, atol=tolerance, err_msg=str(case)
            )
        assert {w.dtype for w in layer.weights if "float" in w.dtype} <= {"float32"}, case


def test_a_policy_says_that_a_weight_is_kept_as_integers(backend):
    made = layers.Dense(8)
    made.build((None, 4))
    made.quantize("int8")
    named = layers.Dense(8, dtype="int8_from_float32")
    given = layers.Dense(8, dtype=dtype_policies.QuantizedDTypePolicy("int8"))
    for layer in (named, given):
        layer.build((None, 4))
    for layer in (made, named, given):
        policy = layer.dtype_policy
        assert (policy.name, policy.quantization_mode) == ("int8_from_float32", "int8")
        assert (layer.compute_dtype, layer.variable_dtype) == ("float32", "float32")
        assert dtype_policies.deserialize(dtype_policies.serialize(policy)) == policy == dtype_policies.get(policy.name)
        assert dtype_policies.get(layer.get_config()["dtype"]) == policy
    mixed = layers.Dense(8, dtype="int4_from_mixed_float16")
    assert (mixed.compute_dtype, mixed.dtype_policy.quantization_mode) == ("float16", "int4")
    with pytest.raises(ArgumentError, match="expected one of"):
        dtype_policies.QuantizedDTypePolicy("int9", "float32")


def test_what_an_optimizer_keeps_has_the_names_of_keras_3(backend):
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2)
    weight = K.variable([8.0], name="layer/weight:0")
    optimizer.build([weight])
    assert weight.path == "layer/weight"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as those of JAX, which has no int64 unless it is told to
        for number in (1.0, 2.0, 3.0):
            optimizer.apply([weight], [K.constant([number])])
    assert [v.numpy().tolist() for v in optimizer._accumulated_gradients] == [[3.0]]
    assert weight.numpy().tolist() == [6.5]
    assert len(optimizer._model_variables_moving_average) == 1
    assert optimizers.SGD()._accumulated_gradients == []
    assert float(K.get_value(LossScaleOptimizer("sgd", initial_scale=4.0).scale_loss(2))) == 8.0
