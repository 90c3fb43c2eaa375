"""Records `keras3_adapted.npz`: models with LoRA, int8 and int4 as Keras 3.15.1 writes them, and what they compute.

Run with Keras 3 and TensorFlow installed: `KERAS_BACKEND=tensorflow python tests/layers/record_keras3_adapted.py`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers


def with_lora(rng):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "relu"), layers.EinsumDense("ab,bc->ac", 5, bias_axes="c"), layers.Dense(2)]
    )
    for layer in model.layers[:2]:
        layer.enable_lora(2, lora_alpha=3.0)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return model, rng.normal(size=(6, 4)).astype("float32")


def with_integers(rng, *how):
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(7, 4),
            layers.Dense(3, "relu"),
            layers.EinsumDense("abc,cde->abde", (None, 2, 5), bias_axes="de"),
            layers.EinsumDense("abcd,cde->abe", (None, 4), bias_axes="e"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, use_bias=False),
        ]
    )
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    model.quantize(*how)
    return model, rng.integers(0, 7, (6, 5))


MODELS = {
    "lora": with_lora,
    "int8": lambda rng: with_integers(rng, "int8"),
    "int4": lambda rng: with_integers(rng, "int4", keras.quantizers.Int4QuantizationConfig(block_size=2)),
    "int4_by_channels": lambda rng: with_integers(rng, "int4", keras.quantizers.Int4QuantizationConfig(block_size=-1)),
}
recorded = {}
for kind, make in MODELS.items():
    model, x = make(np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.keras")
        model.save(path)
        recorded[f"{kind}_archive"] = np.frombuffer(path.read_bytes(), "uint8")
    recorded[f"{kind}_x"], recorded[f"{kind}_y"] = x, model.predict(x, verbose=0)
np.savez_compressed(Path(__file__).with_name("keras3_adapted.npz"), **recorded)
