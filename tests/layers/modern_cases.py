"""Cases, as in `layer_cases.py`, for the layers that Keras 2.3.1 did not have."""

from __future__ import annotations

from typing import Any

from keras_front import layers as L


def modern_cases(Case: Any, SEQUENCE: Any, IMAGE: Any, VOLUME: Any) -> dict[str, list[Any]]:
    """One or more cases for each modern layer; `Case` and the shapes are those of `layer_cases`."""
    pair = ((4, 6), (5, 6))
    return {
        "AdaptiveAveragePooling1D": [
            Case(lambda **k: L.AdaptiveAveragePooling1D(3, **k), SEQUENCE, formats=True, mask="refused")
        ],
        "AdaptiveAveragePooling2D": [
            Case(lambda **k: L.AdaptiveAveragePooling2D((4, 2), **k), IMAGE, formats=True, mask="refused")
        ],
        "AdaptiveAveragePooling3D": [
            Case(lambda **k: L.AdaptiveAveragePooling3D(2, **k), VOLUME, formats=True, mask="refused")
        ],
        "AdaptiveMaxPooling1D": [
            Case(lambda **k: L.AdaptiveMaxPooling1D(3, **k), SEQUENCE, formats=True, mask="refused")
        ],
        "AdaptiveMaxPooling2D": [
            Case(lambda **k: L.AdaptiveMaxPooling2D((4, 2), **k), IMAGE, formats=True, mask="refused")
        ],
        "AdaptiveMaxPooling3D": [
            Case(lambda **k: L.AdaptiveMaxPooling3D(2, **k), VOLUME, formats=True, mask="refused")
        ],
        "CenterCrop": [
            Case(lambda **k: L.CenterCrop(3, 2, **k), IMAGE, formats=True, mask="refused"),
            Case(lambda **k: L.CenterCrop(7, 5, **k), IMAGE, formats=True, mask="refused"),
        ],
        "CategoryEncoding": [
            Case(lambda **k: L.CategoryEncoding(6, **k), ((5,),), ints=6, mask="refused"),
            Case(lambda **k: L.CategoryEncoding(6, "one_hot", **k), ((5,),), ints=6, mask="refused"),
        ],
        "ConvLSTM1D": [
            Case(lambda **k: L.ConvLSTM1D(2, 2, return_sequences=True, **k), ((3, 5, 2),), formats=True),
            Case(lambda **k: L.ConvLSTM1D(2, 3, 2, "same", dropout=0.2, **k), ((3, 5, 2),), mask="dropped"),
        ],
        "ConvLSTM3D": [
            Case(lambda **k: L.ConvLSTM3D(2, 2, return_sequences=True, **k), ((2, 3, 3, 3, 2),), formats=True),
        ],
        "Discretization": [
            Case(lambda **k: L.Discretization([-0.2, 0.4], output_mode="count", **k), SEQUENCE, mask="refused"),
        ],
        "EinsumDense": [
            Case(lambda **k: L.EinsumDense("abc,cd->abd", (None, 4), "tanh", "d", **k), SEQUENCE, mask="refused"),
            Case(lambda **k: L.EinsumDense("...x,xyz->...yz", (2, 4), bias_axes="z", **k), SEQUENCE, mask="refused"),
        ],
        "GroupNormalization": [
            Case(lambda **k: L.GroupNormalization(2, **k), ((5, 4),)),
            Case(lambda **k: L.GroupNormalization(-1, axis=1, center=False, **k), IMAGE, fixed=(0,)),
        ],
        "GroupedQueryAttention": [
            Case(lambda **k: L.GroupQueryAttention(3, 4, 2, **k), pair),
            Case(lambda **k: L.GroupQueryAttention(2, 2, 1, dropout=0.2, use_gate=True, use_bias=False, **k), pair),
        ],
        "IntegerLookup": [
            Case(
                lambda **k: L.IntegerLookup(vocabulary=[3, 1], output_mode="count", **k),
                ((5,),),
                ints=6,
                mask="refused",
            ),
        ],
        "MultiHeadAttention": [
            Case(lambda **k: L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5, use_gate=True, **k), pair),
            Case(lambda **k: L.MultiHeadAttention(2, 3, dropout=0.3, sliding_window=2, **k), (*pair, (5, 3))),
        ],
        "Normalization": [
            Case(lambda **k: L.Normalization(**k), SEQUENCE),
            Case(lambda **k: L.Normalization(None, mean=0.5, variance=2.0, invert=True, **k), SEQUENCE),
        ],
        "RMSNormalization": [
            Case(lambda **k: L.RMSNormalization(**k), SEQUENCE),
            Case(lambda **k: L.RMSNormalization(axis=[1, 2], **k), IMAGE, fixed=(0, 1)),
        ],
        "RandomBrightness": [Case(lambda **k: L.RandomBrightness(0.2, (-1, 1), **k), IMAGE, mask="refused")],
        "RandomContrast": [Case(lambda **k: L.RandomContrast(0.2, (-1, 1), **k), IMAGE, formats=True, mask="refused")],
        "RandomCrop": [Case(lambda **k: L.RandomCrop(3, 2, **k), IMAGE, formats=True, mask="refused")],
        "RandomFlip": [Case(lambda **k: L.RandomFlip(**k), IMAGE, formats=True, mask="refused")],
        "RandomRotation": [Case(lambda **k: L.RandomRotation(0.2, **k), IMAGE, formats=True, mask="refused")],
        "RandomTranslation": [
            Case(lambda **k: L.RandomTranslation(0.2, (0.1, 0.3), "wrap", **k), IMAGE, formats=True, mask="refused")
        ],
        "RandomZoom": [Case(lambda **k: L.RandomZoom(0.2, **k), IMAGE, formats=True, mask="refused")],
        "Resizing": [
            Case(lambda **k: L.Resizing(4, 7, **k), IMAGE, formats=True, mask="refused"),
            Case(lambda **k: L.Resizing(3, 3, pad_to_aspect_ratio=True, **k), IMAGE, formats=True, mask="refused"),
            Case(
                lambda **k: L.Resizing(3, 2, "nearest", crop_to_aspect_ratio=True, **k),
                IMAGE,
                formats=True,
                mask="refused",
            ),
        ],
        "SpectralNormalization": [
            Case(lambda **k: L.SpectralNormalization(L.Dense(3), **k), ((5, 4),), inner=True),
            Case(lambda **k: L.SpectralNormalization(L.Conv2D(2, 2), 3, **k), IMAGE, mask="refused", inner=True),
        ],
        "UnitNormalization": [Case(lambda **k: L.UnitNormalization(axis=[1, 2], **k), SEQUENCE)],
    }
