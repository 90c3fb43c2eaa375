"""All layers, and `Input`. `serialize` and `deserialize` turn them into configs and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from keras_front.compatibility import legacy_object
from keras_front.errors import DtypeError
from keras_front.graph.inputs import Input, InputLayer
from keras_front.graph.layer import LAYERS, InputSpec, Layer
from keras_front.missing_names import missing_in_module as _missing_in_module
from keras_front.tracebacks import api_boundary

from .adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from .advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from .attention import AdditiveAttention, Attention
from .cells import GRUCell, LSTMCell, SimpleRNNCell
from .convolution import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from .convolutional_recurrent import ConvLSTM1D, ConvLSTM2D, ConvLSTM2DCell, ConvLSTM3D, ConvRNN2D
from .core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Masking,
    Permute,
    RepeatVector,
    Rescaling,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .cudnn import CuDNNGRU, CuDNNLSTM
from .einsum_dense import EinsumDense
from .embedding import Embedding, ReversibleEmbedding
from .feature_preprocessing import CategoryEncoding, Discretization, Normalization
from .hashing import HashedCrossing, Hashing
from .image_augmentation import (
    AugMix,
    RandAugment,
    RandomColorJitter,
    RandomElasticTransform,
    RandomErasing,
    RandomGaussianBlur,
    RandomPerspective,
)
from .image_colors import (
    AutoContrast,
    RandomColorDegeneration,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomPosterization,
    RandomSaturation,
    RandomSharpness,
    Solarization,
)
from .image_histograms import Equalization
from .image_mixing import CutMix, MaxNumBoundingBoxes, MixUp
from .image_preprocessing import (
    CenterCrop,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
    Resizing,
)
from .lambda_layer import Lambda
from .local import LocallyConnected1D, LocallyConnected2D
from .lookup import IntegerLookup, StringLookup
from .merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .multi_head_attention import GroupQueryAttention, MultiHeadAttention
from .noise import AlphaDropout, GaussianDropout, GaussianNoise
from .normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from .padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .pipeline import Pipeline
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .recurrent import GRU, LSTM, SimpleRNN
from .rnn import RNN
from .spectral_normalization import SpectralNormalization
from .spectrograms import MelSpectrogram, STFTSpectrogram
from .stacked_cells import StackedRNNCells
from .text_vectorization import TextVectorization
from .wrappers import Bidirectional, TimeDistributed, Wrapper

# Second names that Keras 2 kept.
SeparableConvolution1D, Convolution2DTranspose = SeparableConv1D, Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

# ... and those that Keras 1 had with another order of arguments, which `legacy` may know.
_ALIASES = {
    "Convolution1D": Conv1D,
    "Convolution2D": Conv2D,
    "Convolution3D": Conv3D,
    "Deconv2D": Conv2DTranspose,
    "Deconvolution2D": Conv2DTranspose,
    "SeparableConvolution2D": SeparableConv2D,
}


class _CallableModule(ModuleType):
    """The module of merging layers, whose name was a function's in Keras 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = legacy_object("layer", "merge")
        if function is None:
            raise DtypeError("merge: expected one of the functions in this module, such as merge.add.")
        return function(*args, **kwargs)


sys.modules[f"{__name__}.merge"].__class__ = _CallableModule


def __getattr__(name: str) -> Any:
    """A layer under an older name."""
    found = None if name.startswith("_") else legacy_object("layer", name) or _ALIASES.get(name)
    if found is None:
        raise _missing_in_module(__name__, name)
    return found


@api_boundary
def serialize(layer: Any) -> dict[str, Any]:
    """`{'class_name', 'config'}` of a layer, which JSON can hold.

    Args:
        layer: the layer; its weights are not part of it.

    Example:
        >>> serialize(Dense(3))["class_name"]
        'Dense'
    """
    return LAYERS.serialize(layer)


@api_boundary
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that a config describes, with new weights.

    Args:
        config: what `serialize` returned, or the name of a class whose arguments all have defaults.
        custom_objects: classes and functions of yours by the names that they have in the config.

    Raises: ArgumentError for a class that is neither registered nor among `custom_objects`.

    Example:
        >>> deserialize({"class_name": "Dense", "config": {"units": 3}}).units
        3
    """
    return LAYERS.deserialize(config, custom_objects)


__all__ = [
    "Activation",
    "AdditiveAttention",
    "Attention",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM2D",
    "ConvLSTM2DCell",
    "ConvRNN2D",
    "Convolution1D",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Deconv2D",
    "Deconv3D",
    "Deconvolution2D",
    "Deconvolution3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "ELU",
    "Embedding",
    "ReversibleEmbedding",
    "Flatten",
    "Identity",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "Input",
    "InputLayer",
    "InputSpec",
    "LAYERS",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "RNN",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StackedRNNCells",
    "Subtract",
    "ThresholdedReLU",
    "TimeDistributed",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "EinsumDense",
    "GroupNormalization",
    "GroupQueryAttention",
    "MultiHeadAttention",
    "RMSNormalization",
    "UnitNormalization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "CenterCrop",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "AutoContrast",
    "RandomColorDegeneration",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "Solarization",
    "RandomZoom",
    "Resizing",
    "CategoryEncoding",
    "Discretization",
    "AugMix",
    "CutMix",
    "Equalization",
    "MelSpectrogram",
    "STFTSpectrogram",
    "HashedCrossing",
    "MaxNumBoundingBoxes",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomColorJitter",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomPerspective",
    "Hashing",
    "Normalization",
    "SpectralNormalization",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
    "ConvLSTM1D",
    "ConvLSTM3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
