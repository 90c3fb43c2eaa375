"""Libraries beside Keras whose classes stand in files: which one has a class, so that an error can say what to import.

Nothing is imported here: whether a library is there is asked of the installed distributions alone.
Source: the documentation of each library, at its last release for Keras 2.
"""

from __future__ import annotations

import importlib.util
import re
from typing import NamedTuple

__all__ = ["Library", "hint", "libraries_of"]


class Library(NamedTuple):
    """A library.

    Attributes:
        module: what is imported.
        distribution: what pip installs.
        classes: those that stand in files.
    """

    module: str
    distribution: str
    classes: str


LIBRARIES = (
    Library(
        "keras_self_attention", "keras-self-attention",
        "ScaledDotProductAttention SeqSelfAttention SeqWeightedAttention",
    ),
    Library("keras_multi_head", "keras-multi-head", "MultiHead MultiHeadAttention"),
    Library("keras_layer_normalization", "keras-layer-normalization", "LayerNormalization"),
    Library("keras_position_wise_feed_forward", "keras-position-wise-feed-forward", "FeedForward"),
    Library("keras_pos_embd", "keras-pos-embd", "PositionEmbedding TrigPosEmbedding"),
    Library("keras_embed_sim", "keras-embed-sim", "EmbeddingRet EmbeddingSim"),
    Library("keras_bert", "keras-bert", "TokenEmbedding Masked Extract MaskedGlobalMaxPool1D AdamWarmup"),
    Library("bert4keras.layers", "bert4keras", "ConditionalRandomField GlobalPointer PositionEmbedding"),
    Library(
        "keras_contrib.layers", "git+https://www.github.com/keras-team/keras-contrib.git",
        "CRF Capsule CosineDense CosineConvolution2D Deconvolution3D GroupNormalization InstanceNormalization PELU "
        "SineReLU SReLU SubPixelUpscaling Swish",
    ),
    Library(
        "tensorflow_addons.layers", "tensorflow-addons",
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling2D Correlation CRF ESN EmbeddingBag "
        "FilterResponseNormalization GroupNormalization InstanceNormalization MaxUnpooling2D Maxout NoisyDense "
        "PolynomialCrossing SpatialPyramidPooling2D SpectralNormalization Sparsemax StochasticDepth TLU "
        "WeightNormalization",
    ),
    Library(
        "tensorflow_addons.optimizers", "tensorflow-addons",
        "AdaBelief COCOB ConditionalGradient LAMB LazyAdam Lookahead MovingAverage NovoGrad ProximalAdagrad "
        "RectifiedAdam SGDW SWA Yogi",
    ),
    Library("tensorflow_hub", "tensorflow-hub", "KerasLayer"),
    Library("tcn", "keras-tcn", "TCN ResidualBlock"),
    Library("efficientnet.tfkeras", "efficientnet", "FixedDropout"),
    Library("keras_resnet.layers", "keras-resnet", "ResNetBatchNormalization"),
    Library(
        "keras_retinanet.layers", "keras-retinanet",
        "Anchors ClipBoxes FilterDetections RegressBoxes UpsampleLike",
    ),
    Library("keras_retinanet.initializers", "keras-retinanet", "PriorProbability"),
    Library(
        "spektral.layers", "spektral",
        "APPNPConv ARMAConv AGNNConv ChebConv CrystalConv DiffPool ECCConv EdgeConv GATConv GCNConv GCSConv GINConv "
        "GlobalAttentionPool GlobalAvgPool GlobalSumPool GraphSageConv MinCutPool TopKPool",
    ),
    Library(
        "kapre", "kapre",
        "ApplyFilterbank ConcatenateFrequencyMap Delta Frame Energy InverseSTFT LogmelToMFCC Magnitude "
        "MagnitudeToDecibel Melspectrogram MuLawDecoding MuLawEncoding Phase STFT Spectrogram",
    ),
    Library(
        "keras_nlp.layers", "keras-hub",
        "CachedMultiHeadAttention FNetEncoder MaskedLMHead MultiSegmentPacker PositionEmbedding ReversibleEmbedding "
        "RotaryEmbedding SinePositionEncoding StartEndPacker TokenAndPositionEmbedding TransformerDecoder "
        "TransformerEncoder",
    ),
    Library("keras_radam", "keras-rectified-adam", "RAdam"),
    Library("keras_lookahead", "keras-lookahead", "Lookahead"),
    Library("keras_adabound", "keras-adabound", "AdaBound"),
    Library("keras_drop_block", "keras-drop-block", "DropBlock1D DropBlock2D"),
    Library("keras_gcnn.layers", "keras_gcnn", "GBatchNorm GConv2D"),
    Library("attention", "attention", "Attention"),
    Library("phased_lstm_keras", "phased-lstm-keras", "PhasedLSTM"),
    Library(
        "tensorflow_probability.layers", "tensorflow-probability",
        "DenseFlipout DenseReparameterization DenseVariational DistributionLambda IndependentNormal "
        "MultivariateNormalTriL",
    ),
    Library("transformers", "transformers", "TFBertMainLayer TFBertModel TFDistilBertMainLayer TFRobertaMainLayer"),
)  # fmt: skip


def libraries_of(name: str) -> list[Library]:
    """The libraries that have a class of this name.

    Args:
        name: name of the class, perhaps with the package that registered it, as in 'Addons>GELU'.
    """
    package, _, bare = name.rpartition(">")
    found = [library for library in LIBRARIES if bare in library.classes.split()]
    return found or [library for library in LIBRARIES if library.module == PACKAGES.get(package)]


PACKAGES = {"Addons": "tensorflow_addons.layers"}  # what classes are registered as, and where they are


def hint(name: str, module: str | None = None) -> str:
    """What to do about a class that a file names and nobody knows here; nothing if no library is known for it.

    Args:
        name: name of the class.
        module: the module that the file says it is in, if it says one. It is a stranger's word: nothing is advised
            but to look there.
    """
    bare = name.rpartition(">")[2]
    found = libraries_of(name)
    if found:
        return "\n".join(_line(bare, library) for library in found[:2])
    if module is None or len(module) > LONGEST or not NAME.fullmatch(module) or module.partition(".")[0] in OWN:
        return ""
    return (
        f"  The file says that {bare} is in {module}: if you trust that, import it there and pass it in custom_objects."
    )


LONGEST = 100  # characters of a module's name
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
OWN = ("__main__", "builtins", "keras", "keras_front", "tensorflow", "tf_keras")


def _line(name: str, library: Library) -> str:
    there = _is_installed(library.module.partition(".")[0])
    found = "which is installed here" if there else f"which pip install {library.distribution} brings"
    return (
        f"  {library.module}, {found}, has a {name}. Under `keras-front run`, where it stands on these layers: "
        f"from {library.module} import {name}; load_model(..., custom_objects={{{name!r}: {name}}})."
    )


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
