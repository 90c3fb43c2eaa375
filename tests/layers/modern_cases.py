"""Cases, as in `layer_cases.py`, for the layers that Keras 2.3.1 did not have."""

from __future__ import annotations

from typing import Any

from keras_front import layers as L


def modern_cases(Case: Any, SEQUENCE: Any, IMAGE: Any, VOLUME: Any) -> dict[str, list[Any]]:
    """One or more cases for each modern layer; `Case` and the shapes are those of `layer_cases`."""
    pair = ((4, 6), (5, 6))
    return {
        "EinsumDense": [
            Case(lambda **k: L.EinsumDense("abc,cd->abd", (None, 4), "tanh", "d", **k), SEQUENCE, mask="refused"),
            Case(lambda **k: L.EinsumDense("...x,xyz->...yz", (2, 4), bias_axes="z", **k), SEQUENCE, mask="refused"),
        ],
        "GroupNormalization": [
            Case(lambda **k: L.GroupNormalization(2, **k), ((5, 4),)),
            Case(lambda **k: L.GroupNormalization(-1, axis=1, center=False, **k), IMAGE, fixed=(0,)),
        ],
        "GroupQueryAttention": [
            Case(lambda **k: L.GroupQueryAttention(3, 4, 2, **k), pair),
            Case(lambda **k: L.GroupQueryAttention(2, 2, 1, dropout=0.2, use_gate=True, use_bias=False, **k), pair),
        ],
        "MultiHeadAttention": [
            Case(lambda **k: L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5, use_gate=True, **k), pair),
            Case(lambda **k: L.MultiHeadAttention(2, 3, dropout=0.3, sliding_window=2, **k), (*pair, (5, 3))),
        ],
        "RMSNormalization": [
            Case(lambda **k: L.RMSNormalization(**k), SEQUENCE),
            Case(lambda **k: L.RMSNormalization(axis=[1, 2], **k), IMAGE, fixed=(0, 1)),
        ],
        "UnitNormalization": [Case(lambda **k: L.UnitNormalization(axis=[1, 2], **k), SEQUENCE)],
    }
