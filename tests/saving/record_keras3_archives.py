"""Writes `.keras` archives by real Keras 3, with inputs and outputs, into `keras3_archives.zip`.

Run it once in an environment with keras 3.15.1 and tensorflow: `python tests/saving/record_keras3_archives.py`.
The zip is there because HDF5 is mostly air: each archive in it is as Keras wrote it.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("keras3_archives.zip")


def models(keras: Any) -> dict[str, Any]:
    """One model for each family of layers."""
    L, Model = keras.layers, keras.Model
    a, b = keras.Input((4, 6), name="a"), keras.Input((5, 6), name="b")
    c, seq = keras.Input((5, 3), name="c"), keras.Input((5, 6), name="seq")
    image, ints = keras.Input((6, 7, 3), name="image"), keras.Input((5,), dtype="int32", name="ints")
    allowed = keras.Input((4, 5), dtype="bool", name="allowed")
    numbers = np.random.default_rng(1).integers(0, 9, (20, 5))
    normalize, bins = L.Normalization(), L.Discretization(num_bins=4)
    look, weigh = L.IntegerLookup(), L.IntegerLookup(output_mode="tf_idf")
    data = np.random.default_rng(2).uniform(-1, 1, (20, 5, 6))
    for layer, values in ((normalize, data), (bins, data), (look, numbers), (weigh, numbers)):
        layer.adapt(values)
    return {
        "heads": Model([a, b, c, allowed], [
            L.MultiHeadAttention(2, 3, value_dim=4)(a, b),
            L.MultiHeadAttention(2, 3, output_shape=5, use_bias=False)(a, b, c),
            L.MultiHeadAttention(2, 3)(query=a, value=b, use_causal_mask=True),
            L.MultiHeadAttention(2, 3, use_gate=True)(a, a, return_attention_scores=True)[1],
            L.MultiHeadAttention(2, 3)(a, b, attention_mask=allowed),
            L.GroupQueryAttention(3, 4, 2)(a, b),
            L.GroupQueryAttention(3, 2, 1, use_gate=True)(a, value=b, key=b),
        ]),
        "attention": Model([a, b], [
            L.Attention(use_scale=True)([a, b]),
            L.Attention(score_mode="concat")([a, b, b], use_causal_mask=True),
            L.AdditiveAttention()([a, b]),
        ]),
        "normalization": Model([seq], [
            L.LayerNormalization(axis=[1, 2])(seq), L.LayerNormalization()(seq), L.GroupNormalization(groups=2)(seq),
            L.RMSNormalization()(seq), L.UnitNormalization(axis=1)(seq), L.BatchNormalization()(seq),
            L.SpectralNormalization(L.Dense(3), power_iterations=2)(seq), L.Identity()(seq),
        ]),
        "features": Model([seq, ints], [
            L.Rescaling(2.0, offset=1.0)(seq), L.Normalization(mean=[1.0] * 6, variance=[2.0] * 6)(seq),
            L.Discretization([0.0, 0.5])(seq), L.CategoryEncoding(num_tokens=9, output_mode="count")(ints),
            L.IntegerLookup(vocabulary=[3, 4], num_oov_indices=2)(ints), normalize(seq), bins(seq), look(ints),
            weigh(ints),
        ]),
        "convolution": Model([seq, image], [
            L.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d", activation="relu")(seq),
            L.Conv1DTranspose(3, 2, strides=2)(seq), L.DepthwiseConv1D(2, depth_multiplier=2)(seq),
            L.SeparableConv1D(3, 2)(seq), L.SeparableConv2D(3, 2)(image), L.AdaptiveAveragePooling1D(3)(seq),
            L.AdaptiveMaxPooling2D((2, 3))(image), L.ConvLSTM1D(2, 2)(L.Reshape((5, 6, 1))(seq)),
            L.ConvLSTM3D(1, 2)(L.Reshape((1, 6, 7, 3, 1))(image)),
        ]),
        "images": Model([image], [
            L.Resizing(4, 5, interpolation="lanczos3")(image), L.Resizing(3, 3, pad_to_aspect_ratio=True)(image),
            L.CenterCrop(3, 3)(image), L.RandomFlip()(image), L.RandomRotation(0.1)(image), L.RandomZoom(0.1)(image),
            L.RandomTranslation(0.1, 0.1)(image), L.RandomContrast(0.1)(image), L.RandomBrightness(0.1)(image),
        ]),
    }  # fmt: skip


def values(rng: np.random.Generator, tensor: Any) -> np.ndarray:
    shape = (2, *tensor.shape[1:])
    if tensor.dtype == "int32":
        return rng.integers(0, 9, shape).astype("int32")
    if tensor.dtype == "bool":
        return np.triu(np.ones(shape, bool))
    return rng.uniform(0, 255 if tensor.name == "image" else 1, shape).astype("float32")


def main() -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    rng, arrays = np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(FILE, "w", zipfile.ZIP_LZMA) as archive:
        for name, model in models(keras).items():
            for weight in model.weights:
                if weight.trainable:
                    weight.assign(rng.uniform(0.2, 0.9, weight.shape))
            inputs = [values(rng, tensor) for tensor in model.inputs]
            outputs = [np.asarray(y) for y in model(inputs, training=False)]
            arrays.update({f"{name}/x{i}": x for i, x in enumerate(inputs)})
            arrays.update({f"{name}/y{i}": y for i, y in enumerate(outputs)})
            model.save(f"{folder}/{name}.keras")
            archive.write(f"{folder}/{name}.keras", f"{name}.keras")
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        archive.writestr("arrays.npz", stream.getvalue())
    print(FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
