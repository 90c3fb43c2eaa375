"""LoRA and int8: against formulas in NumPy, in training, in files, and against what Keras 3.15.1 wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import quantizers
from keras_front.dtype_policies import DTypePolicyMap, QuantizedDTypePolicy, set_dtype_policy
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    EinsumDense,
    Embedding,
    Input,
    MultiHeadAttention,
)
from keras_front.models import Model, Sequential, clone_model, load_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
Y = RNG.normal(size=(6, 2)).astype("float32")
RECORDED = Path(__file__).parent / "keras3_adapted.npz"


def two_layers():
    model = Sequential([Dense(3, activation="tanh", input_dim=4, name="body"), Dense(2, name="top")])
    model.set_weights([RNG.normal(size=w.shape).astype("float32") for w in model.weights])
    return model


# LoRA -------------------------------------------------------------------------------------------------


def test_a_change_of_low_rank_is_trained(backend):
    model = two_layers()
    before, kernel = model.predict(X), model.layers[0].get_weights()[0]
    model.layers[0].enable_lora(2, lora_alpha=4)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-5)  # the change begins with zero
    a, b = model.layers[0].lora_kernel_a, model.layers[0].lora_kernel_b
    assert (a.shape, b.shape) == ((4, 2), (2, 3))
    assert [w.name.split("/")[-1] for w in model.layers[0].trainable_weights] == [
        "bias:0",
        "lora_kernel_a:0",
        "lora_kernel_b:0",
    ]
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, batch_size=6, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    whole = kernel + 2.0 * a.numpy() @ b.numpy()
    assert np.abs(whole - kernel).max() > 1e-4
    np.testing.assert_allclose(K.to_numpy(model.layers[0].kernel), whole, rtol=1e-5)
    by_hand = np.tanh(X @ whole + model.layers[0].get_weights()[1]) @ model.layers[1].get_weights()[0]
    np.testing.assert_allclose(model.predict(X), by_hand + model.layers[1].get_weights()[1], rtol=1e-4)


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (lambda **k: Dense(3, **k), RNG.normal(size=(2, 5, 4))),
        (lambda **k: EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", **k), RNG.normal(size=(2, 5, 4))),
        (lambda **k: EinsumDense("abc,dec->abde", (None, 2, 3), **k), RNG.normal(size=(2, 5, 4))),
        (lambda **k: EinsumDense("ab...,bc->ac...", 3, **k), RNG.normal(size=(2, 5, 4))),
        (lambda **k: Embedding(7, 3, **k), RNG.integers(0, 7, (2, 5))),
        (lambda **k: Conv1D(3, 2, **k), RNG.normal(size=(2, 5, 4))),
        (lambda **k: Conv2DTranspose(3, 2, **k), RNG.normal(size=(2, 5, 4, 2))),
    ],
)
def test_every_layer_computes_with_the_change(backend, layer, x):
    adapted, plain = layer(lora_rank=2, lora_alpha=1.0), layer()
    adapted(x), plain(x)
    name = adapted._main_weight
    for end in "ab":
        part = getattr(adapted, f"lora_{name}_{end}")
        part.set(RNG.normal(size=part.shape).astype("float32"))
    a, b = (getattr(adapted, f"lora_{name}_{end}").numpy() for end in "ab")
    kernel = adapted.get_weights()[0] + 0.5 * a @ b
    plain.set_weights([kernel, *plain.get_weights()[1:]])
    np.testing.assert_allclose(K.to_numpy(adapted(x)), K.to_numpy(plain(x)), rtol=2e-4, atol=1e-5)


def changed(model):
    model.layers[0].enable_lora(2, lora_alpha=3.0)
    for part in (model.layers[0].lora_kernel_a, model.layers[0].lora_kernel_b):
        part.set(RNG.normal(size=part.shape).astype("float32"))
    return model


@pytest.mark.parametrize("end", [".keras", ".h5", ".weights.h5"])
def test_files_hold_the_weight_with_the_change(tmp_path, end):
    model = changed(two_layers())
    expected, path = model.predict(X), tmp_path / f"m{end}"
    if end == ".weights.h5":
        model.save_weights(path)
        plain = two_layers()  # what reads the file need not know of LoRA
        plain.load_weights(path)
        np.testing.assert_allclose(plain.predict(X), expected, rtol=1e-4, atol=1e-5)
        model.load_weights(path)
        again = model
    else:
        model.compile("sgd", "mse")
        model.save(path)
        again = load_model(path)
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-4, atol=1e-5)
    layer = again.layers[0]
    assert (layer.lora_enabled, layer.lora_rank, layer.lora_alpha) == (True, 2, 3.0)
    assert not layer.lora_kernel_b.numpy().any()  # it is in the kernel now
    assert layer.lora_kernel_a.numpy().any()


def test_copies_and_freezing():
    model = changed(two_layers())
    twin = clone_model(model)
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.predict(X), model.predict(X), rtol=1e-5)
    model.freeze()
    model.unfreeze("body")
    assert len(model.trainable_weights) == 3  # not the kernel that LoRA stands for


def test_wrong_lora():
    layer = Dense(3)
    with pytest.raises(StateError, match="before the layer is built"):
        layer.enable_lora(2)
    layer.build((None, 4))
    for rank in (0, 1.5, True):
        with pytest.raises(ArgumentError, match="rank of LoRA to be a positive integer"):
            layer.enable_lora(rank)
    layer.enable_lora(2)
    with pytest.raises(ArgumentError, match="LoRA is enabled already, with rank 2"):
        layer.enable_lora(2)
    with pytest.raises(ArgumentError, match="LoRA cannot keep the constraint on kernel"):
        Dense(3, kernel_constraint="non_neg", lora_rank=2).build((None, 4))


# Int8 -------------------------------------------------------------------------------------------------


def int8_by_hand(x, kernel, bias):
    """A dense layer on integers, in NumPy."""
    scale, inputs_scale = 127 / (np.abs(kernel).max(0) + 1e-7), 127 / (np.abs(x).max(-1, keepdims=True) + 1e-7)
    whole = np.round(x * inputs_scale) @ np.round(kernel * scale)
    return whole / (scale * inputs_scale) + bias


def test_int8_weights(backend):
    model = two_layers()
    kernel, bias, *top = model.get_weights()
    exact = model.predict(X)
    model.quantize("int8")
    assert [w.dtype for w in model.layers[0].weights] == ["float32", "int8", "float32"]
    found = model.predict(X)
    np.testing.assert_allclose(found, int8_by_hand(np.tanh(int8_by_hand(X, kernel, bias)), *top), rtol=1e-4, atol=1e-5)
    assert 0 < np.abs(found - exact).max() < 0.05 * np.abs(exact).max()
    model.layers[0].enable_lora(2)  # and is trained on
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=9, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model.layers[0].lora_kernel_b.numpy().any()


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("equation", "output", "shape", "scale"),
    [
        ("abc,cde->abde", (None, 2, 3), (5, 4), (1, 1, 2, 3)),
        ("abcd,ced->abe", (None, 4), (2, 5, 3), (1, 1, 4)),
        ("abc,cd->adb", (6, 4), (4, 5), (1, 6, 1)),
        ("abc,dec->abde", (None, 2, 3), (4, 5), (1, 1, 2, 3)),
        ("...x,xy->...y", (5,), (4, 3), (1, 1, 5)),
        ("ab...,bc->ac...", (5,), (3, 4), (1, 5, 1)),
        ("abc,cb->ab", (None,), (3, 4), (1, 3)),
    ],
)  # fmt: skip
def test_sums_of_any_form_as_int8(backend, equation, output, shape, scale):
    layer, x = EinsumDense(equation, output), RNG.normal(size=(2, *shape)).astype("float32")
    exact, kernel = K.to_numpy(layer(x)), layer.get_weights()[0]
    layer.quantize("int8")
    assert layer.kernel_scale.shape == scale
    np.testing.assert_allclose(K.to_numpy(layer.kernel), kernel, atol=np.abs(kernel).max() / 127)
    np.testing.assert_allclose(K.to_numpy(layer(x)), exact, atol=0.05 * np.abs(exact).max())
    config = quantizers.Int8QuantizationConfig(activation_quantizer=None)
    twin = EinsumDense(equation, output, quantization_config=config, dtype="int8_from_float32")
    twin(x)
    twin.set_weights(layer.get_weights())
    expected = np.einsum(equation, x, K.to_numpy(layer.kernel))
    np.testing.assert_allclose(K.to_numpy(twin(x)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("end", ["keras", "h5"])
@pytest.mark.parametrize("lora", [False, True])
def test_files_of_int8(tmp_path, end, lora):
    model = two_layers()
    model.quantize("int8")
    if lora:
        model.layers[0].enable_lora(1)
        model.layers[0].lora_kernel_b.set(np.full((1, 3), 0.1, "float32"))
    expected, path = model.predict(X), tmp_path / f"m.{end}"
    model.save(path)
    again = load_model(path)
    assert again.layers[0].weights[1 if not lora else 3].dtype == "int8" or lora
    assert again.layers[0].quantization_mode == "int8"
    tolerance = 0.03 * np.abs(expected).max() if lora else 1e-6  # the sum is rounded to int8 anew
    np.testing.assert_allclose(again.predict(X), expected, atol=tolerance)


def test_the_choice_of_layers():
    x = Input((4,))
    inner = Sequential([Dense(3, input_dim=4, name="inside")])
    model = Model(x, Dense(2, name="top")(inner(x)))
    with pytest.raises(ArgumentError, match="that filters='nothing' chooses, received none"):
        model.quantize("int8", filters="nothing")
    model.quantize("int8", filters="^in")
    assert [inner.layers[0].quantization_mode, model.layers[-1].quantization_mode] == ["int8", None]
    with pytest.raises(ArgumentError, match="inside: the layer is quantized already"):
        model.quantize("int8")
    assert model.layers[-1].quantization_mode is None  # nothing was changed
    for mode, message in (
        ("int3", "expected the mode 'int8' or 'int4', received 'int3'"),
        ("float8", "received the mode 'float8', a m"),
    ):
        with pytest.raises(ArgumentError, match=message):
            model.quantize(mode)
    with pytest.raises(ArgumentError, match=r"Conv1D.quantize: the layer has no form of integers"):
        Conv1D(2, 2).quantize("int8")
    with pytest.raises(StateError, match="no layers to quantize yet"):
        Sequential().quantize("int8")
    with pytest.raises(StateError, match="cannot quantize a layer before it is built"):
        Dense(2).quantize("int8")


# Int4 -------------------------------------------------------------------------------------------------


def int4_by_hand(kernel, size):
    """A kernel after rounding to sixteen numbers for each column and block of rows, in NumPy."""
    found = np.empty_like(kernel)
    for start in range(0, len(kernel), size):
        block = kernel[start : start + size]
        least, most = block.min(0), block.max(0)
        if len(block) < size:  # counts as filled up with zeros
            least, most = np.minimum(least, 0), np.maximum(most, 0)
        scale = (most - least + 1e-7) / 15
        zero = np.clip(np.round(-least / scale) - 8, -8, 7)
        found[start : start + size] = (np.clip(np.round(block / scale) + zero, -8, 7) - zero) * scale
    return found


def test_int4_weights(backend, tmp_path):
    model = two_layers()
    kernel, bias, top, top_bias = model.get_weights()
    model.quantize("int4", quantizers.Int4QuantizationConfig(block_size=3), filters="body")
    body = model.layers[0]
    assert [(w.shape, w.dtype) for w in body.weights[1:3]] == [((4, 2), "int8"), ((2, 3), "float32")]
    expected = np.tanh(X @ int4_by_hand(kernel, 3) + bias) @ top + top_bias
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-5)
    body.enable_lora(2)  # and is trained on
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=9, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras").layers[0]
    assert (again.quantization_mode, again.quantization_config.block_size, again.lora_rank) == ("int4", 3, 2)
    rounded_anew = int4_by_hand(K.to_numpy(body.kernel), 3)
    np.testing.assert_allclose(K.to_numpy(again.kernel), rounded_anew, rtol=1e-4, atol=1e-5)


@pytest.mark.of_the_host
def test_inputs_of_int4_and_what_cannot_be(backend):
    dense, x = Dense(5), RNG.normal(size=(6, 7)).astype("float32")
    exact = K.to_numpy(dense(x))
    how = quantizers.Int4QuantizationConfig(None, quantizers.AbsMaxQuantizer(), block_size=None)
    dense.quantize("int4", config=how)
    assert K.to_numpy(dense.kernel).shape == (7, 5)
    np.testing.assert_allclose(K.to_numpy(dense(x)), x @ K.to_numpy(dense.kernel), atol=0.02 * np.abs(exact).max())
    for arguments, message in (
        ({"block_size": 0}, "None, -1 or a positive integer"),
        ({"activation_quantizer": quantizers.AbsMaxQuantizer()}, "no quantizers of your own for blocks"),
        ({"weight_quantizer": quantizers.AbsMaxQuantizer(), "block_size": -1}, r"value_range=\(-8, 7\)"),
    ):
        with pytest.raises(ArgumentError, match=message):
            quantizers.Int4QuantizationConfig(**arguments)
    other = Dense(2)
    other.build((None, 3))
    with pytest.raises(ArgumentError, match="expected a config for 'int4', received Int8QuantizationConfig"):
        other.quantize("int4", config=quantizers.Int8QuantizationConfig())


def form(layer):
    return layer.dtype_policy.name, layer.quantization_mode, [w.dtype for w in layer.weights]


def test_policies_say_that_weights_are_integers():
    int8 = ("int8_from_float32", "int8", ["float32", "int8", "float32"])
    set_before, set_after, four = (Dense(3) for _ in range(3)), Dense(3), Dense(4)
    for layer, policy in zip(set_before, ("int8_from_float32", QuantizedDTypePolicy("int8", "float32"), "float32")):
        layer.dtype_policy = policy
        layer.build((None, 8))
        assert form(layer) == (int8 if policy != "float32" else ("float32", None, ["float32", "float32"]))
    set_after.build((None, 8))
    exact = K.to_numpy(set_after.kernel)
    set_after.dtype_policy = "int8_from_float32"
    assert form(set_after) == int8
    np.testing.assert_allclose(K.to_numpy(set_after.kernel), exact, atol=np.abs(exact).max() / 127)
    four.dtype_policy = "int4/4_from_float32"
    four.build((None, 8))
    assert (form(four)[0], four.kernel_scale.shape) == ("int4/4_from_float32", (2, 4))
    by_map = Dense(3, name="d", dtype=DTypePolicyMap("float32", {"d": "int8_from_float32"}))
    by_map(K.placeholder((None, 8)))
    assert form(by_map) == int8


def test_the_global_policy_may_be_one_of_integers(tmp_path):
    set_dtype_policy("int8_from_float32")
    try:
        model = Sequential([Dense(3, input_dim=8), Dropout(0.1), Dense(2, dtype="float32")])
        attention = MultiHeadAttention(2, 4)
        attention(K.placeholder((2, 3, 4)), K.placeholder((2, 3, 4)))
    finally:
        set_dtype_policy(None)
    assert form(model.layers[0])[:2] == ("int8_from_float32", "int8")
    assert form(model.layers[2])[1] is None
    assert form(model.layers[1])[0] == "int8_from_float32"  # which computes as ever
    assert sum(w.dtype == "int8" for w in attention.weights) == 4
    assert model.predict(np.ones((2, 8))).shape == (2, 2)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert [form(layer) for layer in again.layers] == [form(layer) for layer in model.layers]
    assert form(Conv2D(2, 3, dtype="int8_from_float32"))[:2] == ("int8_from_float32", None)


def test_a_loop_over_layers_passes_over_those_without_a_form_of_integers():
    model = Sequential([Conv2D(2, 3, input_shape=(4, 4, 1)), Dropout(0.1), Dense(3)])
    left_out = []
    for layer in model.layers:
        try:
            layer.quantize("int8")
        except NotImplementedError:
            left_out.append(type(layer).__name__)
    assert left_out == ["Conv2D", "Dropout"]
    assert model.layers[-1].quantization_mode == "int8"
    Sequential([Dense(3, input_dim=2)]).quantize("int8")  # models have their own


def test_int4_takes_blocks_of_128_inputs():
    layer = Dense(4)
    layer.build((None, 130))
    layer.quantize("int4")
    assert (form(layer)[0], layer.kernel_scale.shape) == ("int4/128_from_float32", (2, 4))


# Keras 3 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["int8", "lora", "int4", "int4_by_channels"])
def test_what_keras3_wrote(kind, tmp_path):
    with np.load(RECORDED) as recorded:
        x, y, archive = (recorded[f"{kind}_{what}"] for what in ("x", "y", "archive"))
    path = tmp_path / "m.keras"
    path.write_bytes(archive.tobytes())
    model = load_model(path)
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-5, atol=1e-5)
    assert kind.startswith(model.layers[0].quantization_mode or ("lora" if model.layers[0].lora_enabled else "?"))
    model.save(path)
    np.testing.assert_allclose(load_model(path).predict(x), y, rtol=1e-5, atol=1e-5)
