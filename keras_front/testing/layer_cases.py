"""Cases for every layer of the registry that together cover its arguments. Data for the suite in `layers`."""

from __future__ import annotations

from typing import Any

from keras_front import layers as L
from keras_front.initializers import RandomUniform
from keras_front.regularizers import l1_l2
from keras_front.testing import layer_cases_keras3, layer_cases_recurrent, layer_cases_spatial
from keras_front.testing.layer_case import IMAGE, SEQUENCE, LayerCase, case, image

PAIR, VECTORS = SEQUENCE * 2, ((3,), (3,))


def double(x: Any) -> Any:
    """The function of a Lambda case."""
    return x + x


def scaled(x: Any, factor: float = 1.0) -> Any:
    """The function of a Lambda case with an argument."""
    return x * factor


CORE: dict[str, list[LayerCase]] = {
    "Dense": [
        case(L.Dense, 4, activation="tanh", kernel_regularizer="l2", on=((3,),), mask="kept"),
        case(L.Dense, 4, use_bias=False, kernel_constraint="non_neg", kernel_initializer="he_normal"),
        case(L.Dense, 2, bias_initializer=RandomUniform(0.1, 0.2), bias_regularizer=l1_l2(0.1, 0.2), on=IMAGE),
        case(L.Dense, 3, activation="softmax", activity_regularizer="l1", bias_constraint="max_norm"),
    ],
    "Activation": [
        *(case(L.Activation, name) for name in ("tanh", "relu", "softmax", "selu", "hard_sigmoid", "gelu", "swish")),
        case(L.Activation, "softplus", on=((3,),)),
    ],
    "ActivityRegularization": [
        case(L.ActivityRegularization, l1=0.1, l2=0.2),
        case(L.ActivityRegularization, on=((3,),)),
    ],
    "Dropout": [
        case(L.Dropout, 0.4),
        case(L.Dropout, 0.4, noise_shape=(None, 1, 3)),
        case(L.Dropout, 0.5, seed=3, on=((3,),)),
        case(L.Dropout, 0.0),
    ],
    "SpatialDropout1D": [case(L.SpatialDropout1D, 0.4), case(L.SpatialDropout1D, 0.3, seed=2)],
    "Flatten": [
        image(L.Flatten),
        case(L.Flatten, on=((3,),), mask="refused"),
        case(L.Flatten, on=((),), mask=None),
        case(L.Flatten, data_format="channels_first", on=((5, 3),), mask="refused"),
    ],
    "Reshape": [
        case(L.Reshape, (3, -1), mask="refused"),
        case(L.Reshape, (15,), mask="refused", fixed=(0,)),
        case(L.Reshape, (-1, 1, 3), mask="refused"),
        image(L.Reshape, (5, 18), fixed=(0, 1)),
    ],
    "Permute": [image(L.Permute, (3, 1, 2)), case(L.Permute, (2, 1), mask="refused"), image(L.Permute, (1, 3, 2))],
    "RepeatVector": [
        case(L.RepeatVector, 4, on=((3,),), mask="refused"),
        case(L.RepeatVector, 1, on=((2,),), mask="refused"),
    ],
    "Lambda": [
        case(L.Lambda, double, mask="dropped", leaks=True, objects={"double": double}),
        case(L.Lambda, scaled, arguments={"factor": 3.0}, mask="dropped", leaks=True, objects={"scaled": scaled}),
        case(L.Lambda, double, output_shape=(5, 3), mask="dropped", leaks=True, objects={"double": double}, fixed=(0,)),
    ],
    "Masking": [case(L.Masking, 0.0, mask="own"), case(L.Masking, mask_value=-1.0, on=IMAGE, mask="own")],
    "Identity": [case(L.Identity), case(L.Identity, on=IMAGE)],
    "Rescaling": [case(L.Rescaling, [0.5, 1.0, 2.0], offset=1), case(L.Rescaling, 1 / 127.5, -1.0, on=IMAGE)],
    "Embedding": [
        case(L.Embedding, 7, 3, on=((5,),), ints=7, mask="dropped", leaks=True),
        case(L.Embedding, 7, 3, mask_zero=True, on=((5,),), ints=7, mask="own"),
        case(
            L.Embedding,
            7,
            2,
            input_length=5,
            embeddings_constraint="unit_norm",
            on=((5,),),
            ints=7,
            mask="dropped",
            leaks=True,
            fixed=(0,),
        ),
        case(
            L.Embedding,
            4,
            2,
            embeddings_initializer="ones",
            embeddings_regularizer="l2",
            on=((2, 3),),
            ints=4,
            mask="dropped",
            leaks=True,
        ),
    ],
}

MERGE: dict[str, list[LayerCase]] = {
    **{
        layer.__name__: [
            case(layer, on=PAIR),
            case(layer, on=((5, 3), (1, 3)), leaks=True),
            case(layer, on=VECTORS),
            case(layer, on=SEQUENCE * 3),
        ]
        for layer in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum)
    },
    "Subtract": [case(L.Subtract, on=PAIR), case(L.Subtract, on=VECTORS)],
    "Concatenate": [
        case(L.Concatenate, on=((5, 3), (5, 2))),
        case(L.Concatenate, 1, on=((5, 3), (2, 3))),
        case(L.Concatenate, axis=-2, on=((6, 5, 3), (6, 2, 3), (6, 1, 3))),
        case(L.Concatenate, on=VECTORS),
    ],
    "Dot": [
        case(L.Dot, axes=2, on=((5, 3), (4, 3)), mask="dropped", leaks=True),
        case(L.Dot, axes=1, normalize=True, on=VECTORS, mask="dropped", leaks=True),
        case(L.Dot, axes=(2, 1), on=((4, 5), (5, 3)), mask="dropped", leaks=True, fixed=(0,)),
        case(L.Dot, axes=-1, normalize=True, on=((5, 3), (4, 3)), mask="dropped", leaks=True),
        case(L.Dot, axes=1, on=((5, 3), (5, 2)), mask="dropped", leaks=True),
    ],
}

ACTIVATIONS: dict[str, list[LayerCase]] = {
    "LeakyReLU": [case(L.LeakyReLU, 0.2), case(L.LeakyReLU, on=IMAGE)],
    "PReLU": [
        case(L.PReLU, shared_axes=[1]),
        case(L.PReLU, alpha_initializer="ones", fixed=(0,)),
        case(L.PReLU, shared_axes=[1, 2], alpha_regularizer="l2", alpha_constraint="non_neg", on=IMAGE),
    ],
    "ELU": [case(L.ELU, 0.5), case(L.ELU)],
    "ThresholdedReLU": [case(L.ThresholdedReLU, 0.3), case(L.ThresholdedReLU, theta=0.0)],
    "Softmax": [
        case(L.Softmax, axis=1, leaks=True),
        case(L.Softmax),
        case(L.Softmax, axis=[1, 2], on=IMAGE, leaks=True),
    ],
    "ReLU": [
        case(L.ReLU, 1.0, 0.1, 0.2),
        case(L.ReLU),
        case(L.ReLU, max_value=0.5),
        case(L.ReLU, negative_slope=0.3),
        case(L.ReLU, threshold=0.1),
    ],
}

NORMALIZATION: dict[str, list[LayerCase]] = {
    "BatchNormalization": [
        case(L.BatchNormalization, leaks=True),
        case(L.BatchNormalization, axis=1, scale=False, on=IMAGE, fixed=(0,), leaks=True),
        case(L.BatchNormalization, center=False, momentum=0.5, epsilon=0.1, on=((3,),), leaks=True),
        case(
            L.BatchNormalization,
            beta_initializer="ones",
            gamma_regularizer="l2",
            beta_constraint="non_neg",
            on=IMAGE,
            leaks=True,
        ),
        case(L.BatchNormalization, center=False, scale=False, moving_variance_initializer="zeros", leaks=True),
        case(L.BatchNormalization, renorm=True, renorm_momentum=0.9, leaks=True, rewrites=True),
        case(
            L.BatchNormalization,
            axis=1,
            renorm=True,
            renorm_clipping={"rmin": 0.5, "rmax": 2.0, "dmax": 1.0},
            moving_variance_initializer=RandomUniform(0.5, 2.0),
            on=IMAGE,
            fixed=(0,),
            leaks=True,
            rewrites=True,
        ),
    ],
    "LayerNormalization": [
        case(L.LayerNormalization),
        case(L.LayerNormalization, axis=[1, 2], center=False, on=IMAGE, fixed=(0, 1), leaks=True),
        case(L.LayerNormalization, scale=False, epsilon=0.1, beta_initializer="ones", on=((3,),)),
        case(L.LayerNormalization, axis=1, gamma_regularizer="l1", fixed=(0,), leaks=True),
    ],
}

NOISE: dict[str, list[LayerCase]] = {
    "AlphaDropout": [case(L.AlphaDropout, 0.3), case(L.AlphaDropout, 0.2, noise_shape=(None, 1, 3), seed=1)],
    "GaussianDropout": [case(L.GaussianDropout, 0.3), case(L.GaussianDropout, 0.1, seed=4, on=IMAGE)],
    "GaussianNoise": [case(L.GaussianNoise, 0.5), case(L.GaussianNoise, 0.1, seed=4, on=((3,),))],
}

CASES: dict[str, list[LayerCase]] = {
    **CORE,
    **MERGE,
    **ACTIVATIONS,
    **NORMALIZATION,
    **NOISE,
    **layer_cases_spatial.CASES,
    **layer_cases_recurrent.CASES,
    **layer_cases_keras3.CASES,
}
