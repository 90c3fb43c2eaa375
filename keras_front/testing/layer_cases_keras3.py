"""Cases of the layer suite for the layers that came after Keras 2.3.1: normalization, einsum, images, features."""

from __future__ import annotations

from keras_front import layers as L
from keras_front.applications import layers as A
from keras_front.testing.layer_case import IMAGE, SEQUENCE, LayerCase, case, image, made, sequence

IDS = ((5,),)

DENSE: dict[str, list[LayerCase]] = {
    "EinsumDense": [
        sequence(L.EinsumDense, "abc,cd->abd", (None, 4), "tanh", "d"),
        sequence(L.EinsumDense, "...x,xyz->...yz", (2, 4), bias_axes="z"),
        case(L.EinsumDense, "ab,bc->ac", 4, bias_axes="c", kernel_regularizer="l2", on=((3,),), mask="refused"),
        sequence(L.EinsumDense, "abc,bcd->ad", 2, kernel_constraint="non_neg", fixed=(0,)),
    ],
    "GroupNormalization": [
        case(L.GroupNormalization, 2, on=((5, 4),), leaks=True),
        case(L.GroupNormalization, -1, axis=1, center=False, on=IMAGE, fixed=(0,), leaks=True),
        case(L.GroupNormalization, 1, scale=False, epsilon=0.1, on=IMAGE, leaks=True),
    ],
    "RMSNormalization": [
        case(L.RMSNormalization),
        case(L.RMSNormalization, axis=[1, 2], on=IMAGE, fixed=(0, 1), leaks=True),
        case(L.RMSNormalization, epsilon=0.1, on=((3,),)),
    ],
    "UnitNormalization": [case(L.UnitNormalization, axis=[1, 2], leaks=True), case(L.UnitNormalization)],
}

FEATURES: dict[str, list[LayerCase]] = {
    "Normalization": [
        case(L.Normalization),
        case(L.Normalization, None, mean=0.5, variance=2.0, invert=True),
        case(L.Normalization, axis=(1, 3), on=IMAGE, fixed=(0,)),
        case(L.Normalization, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
    ],
    "Discretization": [
        sequence(L.Discretization, [-0.2, 0.4], output_mode="count"),
        sequence(L.Discretization, [-0.2, 0.4]),
        case(L.Discretization, [-0.2, 0.4], output_mode="multi_hot", on=((3,),), mask="refused"),
        case(L.Discretization, [-0.2, 0.4], output_mode="one_hot", on=((1,),), mask="refused"),
    ],
    "CategoryEncoding": [
        case(L.CategoryEncoding, 6, on=IDS, ints=6, mask="refused"),
        case(L.CategoryEncoding, 6, "one_hot", on=IDS, ints=6, mask="refused"),
        case(L.CategoryEncoding, 7, "count", on=IDS, ints=6, mask="refused"),
    ],
    "IntegerLookup": [
        case(L.IntegerLookup, vocabulary=[3, 1], output_mode="count", on=IDS, ints=6, mask="refused"),
        case(L.IntegerLookup, vocabulary=[3, 1], on=IDS, ints=6, mask="refused"),
        case(L.IntegerLookup, vocabulary=[3, 1, 2], mask_token=0, num_oov_indices=2, on=IDS, ints=6, mask="refused"),
        case(
            L.IntegerLookup,
            vocabulary=[3, 1],
            oov_token=-2,
            vocabulary_dtype="int32",
            invert=True,
            on=IDS,
            ints=3,
            mask="refused",
        ),
        case(
            L.IntegerLookup,
            vocabulary=[3, 1],
            output_mode="tf_idf",
            idf_weights=[0.5, 2.0],
            on=IDS,
            ints=6,
            mask="refused",
        ),
        case(
            L.IntegerLookup,
            vocabulary=[3, 1],
            output_mode="multi_hot",
            max_tokens=5,
            pad_to_max_tokens=True,
            on=IDS,
            ints=6,
            mask="refused",
        ),
    ],
}

IMAGES: dict[str, list[LayerCase]] = {
    "CenterCrop": [image(L.CenterCrop, 3, 2), image(L.CenterCrop, 7, 5), image(L.CenterCrop, 4, 4)],
    "Resizing": [
        image(L.Resizing, 4, 7),
        image(L.Resizing, 3, 3, pad_to_aspect_ratio=True),
        image(L.Resizing, 3, 2, "nearest", crop_to_aspect_ratio=True),
        image(L.Resizing, 5, 4, "bicubic"),
        image(L.Resizing, 4, 4, pad_to_aspect_ratio=True, fill_value=0.5),
    ],
    "RandomBrightness": [
        image(L.RandomBrightness, 0.2, (-1, 1)),
        image(L.RandomBrightness, (-0.1, 0.3), (0, 1), seed=1),
    ],
    "RandomContrast": [image(L.RandomContrast, 0.2, (-1, 1)), image(L.RandomContrast, (0.1, 0.3), (-2, 1), seed=1)],
    "RandomCrop": [image(L.RandomCrop, 3, 2), image(L.RandomCrop, 7, 5, seed=1)],
    "RandomFlip": [image(L.RandomFlip), image(L.RandomFlip, "horizontal", seed=2), image(L.RandomFlip, "vertical")],
    "RandomRotation": [
        image(L.RandomRotation, 0.2),
        image(L.RandomRotation, (-0.1, 0.3), "nearest", "nearest", seed=3),
        image(L.RandomRotation, 0.1, fill_mode="constant", fill_value=0.5),
    ],
    "RandomTranslation": [
        image(L.RandomTranslation, 0.2, (0.1, 0.3), "wrap"),
        image(L.RandomTranslation, (-0.2, 0.3), 0.2, "constant", "nearest", fill_value=1.0, seed=1),
    ],
    "RandomZoom": [
        image(L.RandomZoom, 0.2),
        image(L.RandomZoom, (-0.3, -0.1), (0.1, 0.2), "constant", "nearest", fill_value=0.5, seed=1),
    ],
}

SIGNALS: dict[str, list[LayerCase]] = {
    "STFTSpectrogram": [
        case(
            L.STFTSpectrogram,
            "magnitude",
            6,
            3,
            8,
            "hamming",
            True,
            "spectrum",
            "same",
            True,
            on=((12, 2),),
            mask="refused",
            formats=False,
        ),
        case(L.STFTSpectrogram, "stft", 4, window=None, scaling=None, on=((12, 2),), mask="refused"),
        case(L.STFTSpectrogram, "real", 4, on=((12, 1),), mask="refused"),
    ],
    "MelSpectrogram": [
        case(
            L.MelSpectrogram,
            8,
            4,
            6,
            "hamming",
            100,
            3,
            5.0,
            40.0,
            True,
            20.0,
            1.0,
            1e-8,
            2.0,
            on=((20,),),
            mask="refused",
            rounding=None,
        ),
        case(L.MelSpectrogram, 6, 3, num_mel_bins=2, power_to_db=False, on=((20,),), mask="refused", rounding=None),
    ],
    "ReversibleEmbedding": [
        case(L.ReversibleEmbedding, 7, 3, on=IDS, ints=7, mask="dropped", leaks=True),
        case(
            L.ReversibleEmbedding,
            6,
            2,
            False,
            mask_zero=True,
            logit_soft_cap=2.0,
            reverse_dtype="float32",
            input_length=5,
            on=IDS,
            ints=6,
            mask="own",
            idle=("reverse_embeddings",),
            fixed=(0,),
        ),
    ],
}

AUGMENTATION: dict[str, list[LayerCase]] = {
    "Equalization": [image(L.Equalization, (-1, 1), 16, rounding=None)],
    "MaxNumBoundingBoxes": [image(L.MaxNumBoundingBoxes, 3)],
    "Pipeline": [
        made(lambda: L.Pipeline([L.Rescaling(2.0), L.RandomFlip(seed=1)]), "Pipeline", on=IMAGE, mask="refused")
    ],
    "RandomColorJitter": [image(L.RandomColorJitter, (-1, 1), 0.2, 0.3, None, 0.1, seed=1)],
    "RandomErasing": [image(L.RandomErasing), image(L.RandomErasing, (1.0, 1.0), 0.3, 0.5, seed=1)],
    "RandomGaussianBlur": [image(L.RandomGaussianBlur, 1.0, (3, 5), (0.2, 0.9), (-1, 1), seed=1)],
}

COLORS: dict[str, list[LayerCase]] = {
    "AutoContrast": [image(L.AutoContrast, (-1, 1)), image(L.AutoContrast)],
    "RandomColorDegeneration": [
        image(L.RandomColorDegeneration, 0.5, (-1, 1)),
        image(L.RandomColorDegeneration, (0.1, 0.6), seed=1),
    ],
    "RandomGrayscale": [image(L.RandomGrayscale), image(L.RandomGrayscale, 1.0, seed=1)],
    "RandomHue": [image(L.RandomHue, 0.3, (-1, 1)), image(L.RandomHue, (0.1, 0.4), (0, 1), seed=1)],
    "RandomInvert": [image(L.RandomInvert, 0.5, (-1, 1)), image(L.RandomInvert, seed=1)],
    "RandomPosterization": [
        image(L.RandomPosterization, 3, (-1, 1)),
        image(L.RandomPosterization, (2, 5), (0, 1), seed=1),
    ],
    "RandomSaturation": [
        image(L.RandomSaturation, 0.4, (-1, 1)),
        image(L.RandomSaturation, (0.1, 0.8), (0, 1), seed=1),
    ],
    "RandomSharpness": [image(L.RandomSharpness, 0.4, (-1, 1)), image(L.RandomSharpness, (0.1, 0.8), (0, 1), seed=1)],
    "RandomShear": [
        image(L.RandomShear, 0.3, 0.2),
        image(L.RandomShear, (0.1, 0.3), 0.0, "nearest", "constant", fill_value=0.5, seed=1),
    ],
    "Solarization": [
        image(L.Solarization, 0.2, 0.3, (-1, 1)),
        image(L.Solarization, (0.1, 0.3), (0.1, 0.5), (0, 1), seed=1),
    ],
}

APPLICATIONS: dict[str, list[LayerCase]] = {
    "CustomScaleLayer": [
        case(A.CustomScaleLayer, 0.3, on=IMAGE * 2, mask="refused"),
        case(A.CustomScaleLayer, 2, on=SEQUENCE * 2, mask="refused"),
    ],
    "LayerScale": [image(A.LayerScale, 0.1, 3), case(A.LayerScale, 1.0, 4, on=((5, 4),), mask="refused")],
    "StochasticDepth": [image(A.StochasticDepth, 0.4), image(A.StochasticDepth, 0.0)],
}

CASES: dict[str, list[LayerCase]] = {**DENSE, **FEATURES, **IMAGES, **SIGNALS, **AUGMENTATION, **COLORS, **APPLICATIONS}
