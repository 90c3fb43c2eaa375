"""One or more cases for every layer of the registry: how to make it, and on what shapes it is called.

A case feeds all tests of `test_every_layer.py`. `shapes` are without the batch; `ints` makes integer inputs below that
number. `formats` says that the layer exists in both data formats. `noise` marks layers whose training output is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modern_cases import modern_cases

from keras_front import layers as L


@dataclass(frozen=True)
class Case:
    make: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    ints: int = 0
    formats: bool = False
    mask: str = "kept"  # what becomes of a mask of the steps: kept, dropped, refused, own
    fixed: tuple[int, ...] = ()  # axes (without the batch) whose size must be known
    inner: bool = False  # whether it holds layers that have a dtype of their own


SEQUENCE, IMAGE, VOLUME = ((5, 3),), ((6, 5, 3),), ((4, 5, 4, 2),)

# Layers that are no function of one call: containers, bases, cells (which the recurrent layers contain).
NOT_CASES = {
    "Functional",
    "GRUCell",
    "Hashing",  # on arrays, for no backend hashes
    "InputLayer",
    "LSTMCell",
    "Model",
    "Sequential",
    "SimpleRNNCell",
    "StackedRNNCells",
    "StringLookup",  # on arrays of strings, which are no tensors
    "TextVectorization",
    "ConvLSTM2DCell",
    "ConvRNN2D",
}

CASES: dict[str, list[Case]] = {
    "Activation": [Case(lambda **k: L.Activation("tanh", **k), SEQUENCE)],
    "ActivityRegularization": [Case(lambda **k: L.ActivityRegularization(l1=0.1, l2=0.2, **k), SEQUENCE)],
    "Add": [Case(lambda **k: L.Add(**k), SEQUENCE * 2), Case(lambda **k: L.Add(**k), ((5, 3), (1, 3)))],
    "AdditiveAttention": [Case(lambda **k: L.AdditiveAttention(**k), ((4, 3), (5, 3)))],
    "Attention": [
        Case(lambda **k: L.Attention(use_scale=True, dropout=0.2, **k), ((4, 3), (5, 3), (5, 3))),
        Case(lambda **k: L.Attention(score_mode="concat", **k), ((4, 3), (5, 3))),
    ],
    "AlphaDropout": [Case(lambda **k: L.AlphaDropout(0.3, **k), SEQUENCE)],
    "Average": [Case(lambda **k: L.Average(**k), SEQUENCE * 3)],
    "AveragePooling1D": [
        Case(lambda **k: L.AveragePooling1D(2, padding="same", **k), SEQUENCE, formats=True, mask="refused")
    ],
    "AveragePooling2D": [Case(lambda **k: L.AveragePooling2D((2, 3), 2, **k), IMAGE, formats=True, mask="refused")],
    "AveragePooling3D": [Case(lambda **k: L.AveragePooling3D(2, **k), VOLUME, formats=True, mask="refused")],
    "BatchNormalization": [
        Case(lambda **k: L.BatchNormalization(**k), SEQUENCE),
        Case(lambda **k: L.BatchNormalization(axis=1, scale=False, **k), IMAGE, fixed=(0,)),
    ],
    "Bidirectional": [
        Case(lambda **k: L.Bidirectional(L.LSTM(2, return_sequences=True), **k), SEQUENCE, inner=True),
        Case(lambda **k: L.Bidirectional(L.GRU(2), merge_mode="ave", **k), SEQUENCE, mask="dropped", inner=True),
    ],
    "Concatenate": [
        Case(lambda **k: L.Concatenate(**k), ((5, 3), (5, 2))),
        Case(lambda **k: L.Concatenate(1, **k), ((5, 3), (2, 3))),
    ],
    "Conv1D": [
        Case(
            lambda **k: L.Conv1D(4, 3, padding="causal", dilation_rate=2, **k), SEQUENCE, formats=True, mask="refused"
        ),
        Case(lambda **k: L.Conv1D(4, 2, strides=2, use_bias=False, **k), SEQUENCE, formats=True, mask="refused"),
    ],
    "Conv1DTranspose": [
        Case(
            lambda **k: L.Conv1DTranspose(4, 3, strides=2, padding="same", **k), SEQUENCE, formats=True, mask="refused"
        )
    ],
    "Conv2D": [
        Case(lambda **k: L.Conv2D(4, 3, activation="relu", **k), IMAGE, formats=True, mask="refused"),
        Case(lambda **k: L.Conv2D(4, (2, 3), strides=2, padding="same", **k), IMAGE, formats=True, mask="refused"),
        Case(lambda **k: L.Conv2D(6, 2, groups=3, **k), IMAGE, formats=True, mask="refused"),
    ],
    "Conv2DTranspose": [
        Case(
            lambda **k: L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1, **k),
            IMAGE,
            formats=True,
            mask="refused",
        ),
        Case(lambda **k: L.Conv2DTranspose(4, (2, 3), strides=(1, 2), **k), IMAGE, formats=True, mask="refused"),
    ],
    "Conv3D": [Case(lambda **k: L.Conv3D(3, 2, padding="same", **k), VOLUME, formats=True, mask="refused")],
    "Conv3DTranspose": [
        Case(lambda **k: L.Conv3DTranspose(3, 2, strides=2, **k), VOLUME, formats=True, mask="refused")
    ],
    "ConvLSTM2D": [
        Case(lambda **k: L.ConvLSTM2D(2, 2, return_sequences=True, **k), ((3, 4, 4, 2),), formats=True),
        Case(
            lambda **k: L.ConvLSTM2D(2, 3, padding="same", go_backwards=True, **k),
            ((3, 4, 4, 2),),
            formats=True,
            mask="dropped",
        ),
    ],
    "Cropping1D": [Case(lambda **k: L.Cropping1D((1, 2), **k), SEQUENCE, mask="refused")],
    "Cropping2D": [Case(lambda **k: L.Cropping2D(((1, 0), (1, 2)), **k), IMAGE, formats=True, mask="refused")],
    "Cropping3D": [Case(lambda **k: L.Cropping3D(1, **k), VOLUME, formats=True, mask="refused")],
    "CuDNNGRU": [
        Case(lambda **k: L.CuDNNGRU(3, return_sequences=True, **k), SEQUENCE),
        Case(lambda **k: L.CuDNNGRU(2, return_state=True, go_backwards=True, **k), SEQUENCE, mask="dropped"),
    ],
    "CuDNNLSTM": [
        Case(lambda **k: L.CuDNNLSTM(3, return_sequences=True, **k), SEQUENCE),
        Case(lambda **k: L.CuDNNLSTM(2, return_state=True, go_backwards=True, **k), SEQUENCE, mask="dropped"),
    ],
    "Dense": [
        Case(lambda **k: L.Dense(4, activation="tanh", kernel_regularizer="l2", **k), ((3,),)),
        Case(lambda **k: L.Dense(4, use_bias=False, kernel_constraint="non_neg", **k), SEQUENCE),
    ],
    "DepthwiseConv1D": [
        Case(lambda **k: L.DepthwiseConv1D(3, depth_multiplier=2, **k), SEQUENCE, formats=True, mask="refused")
    ],
    "DepthwiseConv2D": [
        Case(lambda **k: L.DepthwiseConv2D(2, strides=2, depth_multiplier=2, **k), IMAGE, formats=True, mask="refused")
    ],
    "Dot": [
        Case(lambda **k: L.Dot(axes=2, **k), ((5, 3), (4, 3)), mask="dropped"),
        Case(lambda **k: L.Dot(axes=1, normalize=True, **k), ((3,), (3,)), mask="dropped"),
    ],
    "Dropout": [Case(lambda **k: L.Dropout(0.4, noise_shape=(None, 1, 3), **k), SEQUENCE)],
    "ELU": [Case(lambda **k: L.ELU(0.5, **k), SEQUENCE)],
    "Embedding": [
        Case(lambda **k: L.Embedding(7, 3, **k), ((5,),), ints=7, mask="dropped"),
        Case(lambda **k: L.Embedding(7, 3, mask_zero=True, **k), ((5,),), ints=7, mask="own"),
    ],
    "Flatten": [Case(lambda **k: L.Flatten(**k), IMAGE, formats=False, mask="refused")],
    "GRU": [
        Case(lambda **k: L.GRU(3, return_sequences=True, **k), SEQUENCE),
        Case(
            lambda **k: L.GRU(3, reset_after=True, go_backwards=True, return_state=True, **k), SEQUENCE, mask="dropped"
        ),
    ],
    "GaussianDropout": [Case(lambda **k: L.GaussianDropout(0.3, **k), SEQUENCE)],
    "GaussianNoise": [Case(lambda **k: L.GaussianNoise(0.5, **k), SEQUENCE)],
    "GlobalAveragePooling1D": [Case(lambda **k: L.GlobalAveragePooling1D(**k), SEQUENCE, formats=True, mask="dropped")],
    "GlobalAveragePooling2D": [
        Case(lambda **k: L.GlobalAveragePooling2D(keepdims=True, **k), IMAGE, formats=True, mask="refused")
    ],
    "GlobalAveragePooling3D": [Case(lambda **k: L.GlobalAveragePooling3D(**k), VOLUME, formats=True, mask="refused")],
    "GlobalMaxPooling1D": [Case(lambda **k: L.GlobalMaxPooling1D(**k), SEQUENCE, formats=True, mask="refused")],
    "GlobalMaxPooling2D": [Case(lambda **k: L.GlobalMaxPooling2D(**k), IMAGE, formats=True, mask="refused")],
    "GlobalMaxPooling3D": [Case(lambda **k: L.GlobalMaxPooling3D(**k), VOLUME, formats=True, mask="refused")],
    "Identity": [Case(lambda **k: L.Identity(**k), SEQUENCE)],
    "LSTM": [
        Case(lambda **k: L.LSTM(3, return_sequences=True, **k), SEQUENCE),
        Case(
            lambda **k: L.LSTM(3, activation="softsign", dropout=0.2, recurrent_dropout=0.3, implementation=1, **k),
            SEQUENCE,
            mask="dropped",
        ),
        Case(
            lambda **k: L.LSTM(2, return_state=True, go_backwards=True, use_bias=False, **k), SEQUENCE, mask="dropped"
        ),
    ],
    "Lambda": [Case(lambda **k: L.Lambda(double, **k), SEQUENCE, mask="dropped")],
    "LayerNormalization": [
        Case(lambda **k: L.LayerNormalization(**k), SEQUENCE),
        Case(lambda **k: L.LayerNormalization(axis=[1, 2], center=False, **k), IMAGE, fixed=(0, 1)),
    ],
    "LeakyReLU": [Case(lambda **k: L.LeakyReLU(0.2, **k), SEQUENCE)],
    "LocallyConnected1D": [
        Case(lambda **k: L.LocallyConnected1D(4, 2, **k), SEQUENCE, formats=True, mask="refused", fixed=(0,)),
        Case(
            lambda **k: L.LocallyConnected1D(4, 3, padding="same", implementation=2, **k),
            SEQUENCE,
            mask="refused",
            fixed=(0,),
        ),
        Case(lambda **k: L.LocallyConnected1D(4, 3, implementation=3, **k), SEQUENCE, mask="refused", fixed=(0,)),
    ],
    "LocallyConnected2D": [
        Case(
            lambda **k: L.LocallyConnected2D(4, (2, 3), strides=(2, 1), **k),
            IMAGE,
            formats=True,
            mask="refused",
            fixed=(0, 1),
        ),
        Case(lambda **k: L.LocallyConnected2D(2, 2, implementation=2, **k), IMAGE, mask="refused", fixed=(0, 1)),
    ],
    "Masking": [Case(lambda **k: L.Masking(0.0, **k), SEQUENCE, mask="own")],
    "MaxPooling1D": [
        Case(lambda **k: L.MaxPooling1D(2, strides=1, padding="same", **k), SEQUENCE, formats=True, mask="refused")
    ],
    "MaxPooling2D": [Case(lambda **k: L.MaxPooling2D(**k), IMAGE, formats=True, mask="refused")],
    "MaxPooling3D": [
        Case(lambda **k: L.MaxPooling3D((2, 1, 2), padding="same", **k), VOLUME, formats=True, mask="refused")
    ],
    "Maximum": [Case(lambda **k: L.Maximum(**k), SEQUENCE * 2)],
    "Minimum": [Case(lambda **k: L.Minimum(**k), SEQUENCE * 2)],
    "Multiply": [Case(lambda **k: L.Multiply(**k), SEQUENCE * 2)],
    "PReLU": [Case(lambda **k: L.PReLU(shared_axes=[1], **k), SEQUENCE)],
    "Permute": [Case(lambda **k: L.Permute((3, 1, 2), **k), IMAGE, mask="refused")],
    "RNN": [
        Case(lambda **k: L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True, **k), SEQUENCE, inner=True),
        Case(lambda **k: L.RNN(L.SimpleRNNCell(3), unroll=True, **k), SEQUENCE, mask="dropped", fixed=(0,), inner=True),
    ],
    "ReLU": [Case(lambda **k: L.ReLU(1.0, 0.1, 0.2, **k), SEQUENCE)],
    "RepeatVector": [Case(lambda **k: L.RepeatVector(4, **k), ((3,),), mask="refused")],
    "Rescaling": [Case(lambda **k: L.Rescaling([0.5, 1.0, 2.0], offset=1, **k), SEQUENCE)],
    "Reshape": [Case(lambda **k: L.Reshape((3, -1), **k), SEQUENCE, mask="refused")],
    "SeparableConv1D": [
        Case(lambda **k: L.SeparableConv1D(4, 3, depth_multiplier=2, **k), SEQUENCE, formats=True, mask="refused")
    ],
    "SeparableConv2D": [
        Case(lambda **k: L.SeparableConv2D(4, 3, padding="same", **k), IMAGE, formats=True, mask="refused")
    ],
    "SimpleRNN": [
        Case(lambda **k: L.SimpleRNN(3, **k), SEQUENCE, mask="dropped"),
        Case(lambda **k: L.SimpleRNN(3, return_sequences=True, dropout=0.5, go_backwards=True, **k), SEQUENCE),
    ],
    "Softmax": [Case(lambda **k: L.Softmax(axis=1, **k), SEQUENCE)],
    "SpatialDropout1D": [Case(lambda **k: L.SpatialDropout1D(0.4, **k), SEQUENCE)],
    "SpatialDropout2D": [Case(lambda **k: L.SpatialDropout2D(0.4, **k), IMAGE, formats=True)],
    "SpatialDropout3D": [Case(lambda **k: L.SpatialDropout3D(0.4, **k), VOLUME, formats=True)],
    "Subtract": [Case(lambda **k: L.Subtract(**k), SEQUENCE * 2)],
    "ThresholdedReLU": [Case(lambda **k: L.ThresholdedReLU(0.3, **k), SEQUENCE)],
    "TimeDistributed": [
        Case(lambda **k: L.TimeDistributed(L.Dense(4), **k), SEQUENCE, inner=True),
        Case(lambda **k: L.TimeDistributed(L.Conv2D(2, 2), **k), ((3, 4, 4, 2),), mask="refused", inner=True),
    ],
    "UpSampling1D": [Case(lambda **k: L.UpSampling1D(3, **k), SEQUENCE, mask="refused")],
    "UpSampling2D": [
        Case(lambda **k: L.UpSampling2D((2, 3), **k), IMAGE, formats=True, mask="refused"),
        Case(lambda **k: L.UpSampling2D(2, interpolation="bilinear", **k), IMAGE, formats=True, mask="refused"),
    ],
    "UpSampling3D": [Case(lambda **k: L.UpSampling3D(**k), VOLUME, formats=True, mask="refused")],
    "ZeroPadding1D": [Case(lambda **k: L.ZeroPadding1D((0, 2), **k), SEQUENCE, mask="refused")],
    "ZeroPadding2D": [Case(lambda **k: L.ZeroPadding2D(((1, 0), (1, 2)), **k), IMAGE, formats=True, mask="refused")],
    "ZeroPadding3D": [Case(lambda **k: L.ZeroPadding3D((1, 0, 2), **k), VOLUME, formats=True, mask="refused")],
}
CASES.update(modern_cases(Case, SEQUENCE, IMAGE, VOLUME))


def double(x: Any) -> Any:
    """The function of the Lambda case."""
    return x + x


def all_cases() -> list[tuple[str, int, Case]]:
    """(layer name, number of the case, case) for every case."""
    return [(name, number, case) for name, found in CASES.items() for number, case in enumerate(found)]
