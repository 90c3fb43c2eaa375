"""Cases of the layer suite for convolution, pooling, padding and locally connected layers."""

from __future__ import annotations

from keras_front import layers as L
from keras_front.testing.layer_case import IMAGE, VOLUME, LayerCase, case, image, sequence, volume

ODD = ((7, 6, 2),)

CONVOLUTION: dict[str, list[LayerCase]] = {
    "Conv1D": [
        sequence(L.Conv1D, 4, 3, padding="causal", dilation_rate=2),
        sequence(L.Conv1D, 4, 2, strides=2, use_bias=False),
        sequence(L.Conv1D, 2, 3, padding="same", activation="relu", kernel_regularizer="l2"),
        sequence(L.Conv1D, 4, 3, groups=2, on=((6, 4),)),
    ],
    "Conv2D": [
        image(L.Conv2D, 4, 3, activation="relu"),
        image(L.Conv2D, 4, (2, 3), strides=2, padding="same"),
        image(L.Conv2D, 6, 2, groups=3),
        image(L.Conv2D, 2, 2, dilation_rate=(2, 1), use_bias=False, kernel_constraint="max_norm"),
        image(L.Conv2D, 3, 3, dilation_rate=2, padding="same", bias_initializer="ones", activity_regularizer="l1"),
        image(L.Conv2D, 2, 1, strides=(2, 3), on=ODD),
    ],
    "Conv3D": [
        volume(L.Conv3D, 3, 2, padding="same"),
        volume(L.Conv3D, 2, (2, 1, 2), strides=(1, 2, 1), activation="tanh"),
        volume(L.Conv3D, 2, 2, dilation_rate=2, use_bias=False, groups=2),
    ],
    "Conv1DTranspose": [
        sequence(L.Conv1DTranspose, 4, 3, strides=2, padding="same"),
        sequence(L.Conv1DTranspose, 2, 2, strides=3, output_padding=1, use_bias=False),
        sequence(L.Conv1DTranspose, 2, 3, dilation_rate=2, activation="relu"),
    ],
    "Conv2DTranspose": [
        image(L.Conv2DTranspose, 4, 3, strides=2, padding="same", output_padding=1),
        image(L.Conv2DTranspose, 4, (2, 3), strides=(1, 2)),
        image(L.Conv2DTranspose, 2, 3, padding="same", strides=3, use_bias=False),
        image(L.Conv2DTranspose, 2, 2, dilation_rate=2, activation="relu"),
    ],
    "Conv3DTranspose": [
        volume(L.Conv3DTranspose, 3, 2, strides=2),
        volume(L.Conv3DTranspose, 2, 3, padding="same", strides=(1, 2, 1), output_padding=(0, 1, 0)),
        volume(L.Conv3DTranspose, 2, 2, dilation_rate=2, activation="relu", use_bias=False),
    ],
    "SeparableConv1D": [
        sequence(L.SeparableConv1D, 4, 3, depth_multiplier=2),
        sequence(L.SeparableConv1D, 2, 2, strides=2, padding="same", activation="relu", use_bias=False),
        sequence(L.SeparableConv1D, 2, 2, dilation_rate=2, pointwise_regularizer="l2"),
        sequence(L.SeparableConv1D, 2, 3, padding="causal", depthwise_constraint="max_norm"),
    ],
    "SeparableConv2D": [
        image(L.SeparableConv2D, 4, 3, padding="same"),
        image(L.SeparableConv2D, 2, (2, 3), strides=2, depth_multiplier=2, use_bias=False),
        image(L.SeparableConv2D, 2, 2, dilation_rate=2, activation="relu", depthwise_initializer="ones"),
    ],
    "DepthwiseConv1D": [
        sequence(L.DepthwiseConv1D, 3, depth_multiplier=2),
        sequence(L.DepthwiseConv1D, 2, strides=2, padding="same", use_bias=False),
        sequence(L.DepthwiseConv1D, 2, dilation_rate=2, activation="tanh"),
    ],
    "DepthwiseConv2D": [
        image(L.DepthwiseConv2D, 2, strides=2, depth_multiplier=2),
        image(L.DepthwiseConv2D, (3, 2), padding="same", activation="relu", use_bias=False),
        image(L.DepthwiseConv2D, 2, dilation_rate=2, depthwise_regularizer="l2", bias_constraint="non_neg"),
    ],
    "LocallyConnected1D": [
        sequence(L.LocallyConnected1D, 4, 2, fixed=(0,)),
        sequence(L.LocallyConnected1D, 4, 3, padding="same", implementation=2, fixed=(0,)),
        sequence(L.LocallyConnected1D, 4, 3, implementation=3, strides=2, fixed=(0,), formats=False),
        sequence(L.LocallyConnected1D, 2, 2, strides=2, activation="relu", use_bias=False, fixed=(0,)),
    ],
    "LocallyConnected2D": [
        image(L.LocallyConnected2D, 4, (2, 3), strides=(2, 1), fixed=(0, 1)),
        image(L.LocallyConnected2D, 2, 2, implementation=2, padding="same", fixed=(0, 1)),
        image(
            L.LocallyConnected2D, 2, 2, implementation=3, activation="tanh", use_bias=False, fixed=(0, 1), formats=False
        ),
    ],
}

_POOLS: dict[str, list[LayerCase]] = {
    f"{kind}Pooling{rank}D": cases
    for kind in ("Max", "Average")
    for rank, cases in (
        (
            1,
            [
                sequence(getattr(L, f"{kind}Pooling1D"), 2, padding="same"),
                sequence(getattr(L, f"{kind}Pooling1D"), 3, strides=1),
                sequence(getattr(L, f"{kind}Pooling1D"), pool_size=2, strides=3),
            ],
        ),
        (
            2,
            [
                image(getattr(L, f"{kind}Pooling2D")),
                image(getattr(L, f"{kind}Pooling2D"), (2, 3), 2, padding="same", on=ODD),
                image(getattr(L, f"{kind}Pooling2D"), 3, strides=(1, 2)),
            ],
        ),
        (
            3,
            [
                volume(getattr(L, f"{kind}Pooling3D")),
                volume(getattr(L, f"{kind}Pooling3D"), (2, 1, 2), padding="same", strides=(1, 2, 2)),
            ],
        ),
    )
}

POOLING: dict[str, list[LayerCase]] = {
    **_POOLS,
    "GlobalAveragePooling1D": [
        sequence(L.GlobalAveragePooling1D, mask="dropped"),
        sequence(L.GlobalAveragePooling1D, keepdims=True, mask="dropped"),
    ],
    "GlobalMaxPooling1D": [sequence(L.GlobalMaxPooling1D), sequence(L.GlobalMaxPooling1D, keepdims=True)],
    "GlobalAveragePooling2D": [image(L.GlobalAveragePooling2D, keepdims=True), image(L.GlobalAveragePooling2D)],
    "GlobalMaxPooling2D": [image(L.GlobalMaxPooling2D), image(L.GlobalMaxPooling2D, keepdims=True)],
    "GlobalAveragePooling3D": [volume(L.GlobalAveragePooling3D), volume(L.GlobalAveragePooling3D, keepdims=True)],
    "GlobalMaxPooling3D": [volume(L.GlobalMaxPooling3D), volume(L.GlobalMaxPooling3D, keepdims=True)],
    "AdaptiveAveragePooling1D": [sequence(L.AdaptiveAveragePooling1D, 3), sequence(L.AdaptiveAveragePooling1D, 1)],
    "AdaptiveAveragePooling2D": [image(L.AdaptiveAveragePooling2D, (4, 2)), image(L.AdaptiveAveragePooling2D, 3)],
    "AdaptiveAveragePooling3D": [volume(L.AdaptiveAveragePooling3D, 2), volume(L.AdaptiveAveragePooling3D, (1, 3, 2))],
    "AdaptiveMaxPooling1D": [sequence(L.AdaptiveMaxPooling1D, 3), sequence(L.AdaptiveMaxPooling1D, 5)],
    "AdaptiveMaxPooling2D": [image(L.AdaptiveMaxPooling2D, (4, 2)), image(L.AdaptiveMaxPooling2D, 3)],
    "AdaptiveMaxPooling3D": [volume(L.AdaptiveMaxPooling3D, 2), volume(L.AdaptiveMaxPooling3D, (1, 3, 2))],
}

PADDING: dict[str, list[LayerCase]] = {
    "Cropping1D": [sequence(L.Cropping1D, (1, 2)), sequence(L.Cropping1D, 1), sequence(L.Cropping1D, (0, 1))],
    "Cropping2D": [
        image(L.Cropping2D, ((1, 0), (1, 2))),
        image(L.Cropping2D, 1),
        image(L.Cropping2D, (2, 1)),
        image(L.Cropping2D),
    ],
    "Cropping3D": [
        volume(L.Cropping3D, 1),
        volume(L.Cropping3D, ((0, 1), (2, 0), (1, 1))),
        volume(L.Cropping3D, (0, 1, 1)),
    ],
    "UpSampling1D": [sequence(L.UpSampling1D, 3), sequence(L.UpSampling1D)],
    "UpSampling2D": [
        image(L.UpSampling2D, (2, 3)),
        image(L.UpSampling2D, 2, interpolation="bilinear"),
        image(L.UpSampling2D, (3, 1), interpolation="bilinear"),
    ],
    "UpSampling3D": [volume(L.UpSampling3D), volume(L.UpSampling3D, (1, 2, 3))],
    "ZeroPadding1D": [sequence(L.ZeroPadding1D, (0, 2)), sequence(L.ZeroPadding1D)],
    "ZeroPadding2D": [image(L.ZeroPadding2D, ((1, 0), (1, 2))), image(L.ZeroPadding2D, (2, 1)), image(L.ZeroPadding2D)],
    "ZeroPadding3D": [volume(L.ZeroPadding3D, (1, 0, 2)), volume(L.ZeroPadding3D, ((0, 1), (2, 0), (1, 1)))],
    "SpatialDropout2D": [case(L.SpatialDropout2D, 0.4, on=IMAGE), case(L.SpatialDropout2D, 0.2, seed=3, on=IMAGE)],
    "SpatialDropout3D": [case(L.SpatialDropout3D, 0.4, on=VOLUME), case(L.SpatialDropout3D, 0.2, seed=3, on=VOLUME)],
}

CASES: dict[str, list[LayerCase]] = {**CONVOLUTION, **POOLING, **PADDING}
