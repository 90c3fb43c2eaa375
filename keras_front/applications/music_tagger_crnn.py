"""MusicTaggerCRNN of Keras 1: which of 50 tags a clip of music deserves.

Source: Choi et al. (2016); Keras 1.2.2, `keras/applications/music_tagger_crnn.py`, by the layers of its model.
"""

from __future__ import annotations

from typing import Any

from keras_front import config, utils
from keras_front import layers as L
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.models import Model

from .application import start
from .audio_conv_utils import decode_predictions, preprocess_input
from .blocks import Blocks
from .weight_files import address, check_path

__all__ = ["MusicTaggerCRNN", "decode_predictions", "preprocess_input"]

BLOCKS = ((64, 2), (128, 3), (128, 4), (128, 4))  # filters of each block, and rows and columns of its pooling


@explains_failures
def MusicTaggerCRNN(
    weights: Any = "msd", input_tensor: Any = None, include_top: bool = True, classes: int = 50
) -> Model:
    """Convolutions over a spectrogram, then recurrent layers over time (Choi et al., 2016).

    Args:
        weights: 'msd' for weights trained on the Million Song Dataset, which are downloaded once; the path of a file;
            or None for new ones.
        input_tensor: symbolic tensor to begin with, in place of a new `Input`.
        include_top: whether the net ends with its classifier; otherwise it gives 32 features.
        classes: number of tags.

    Shape: (batch, 96, 1366, 1), as `preprocess_input` gives it -> (batch, classes), each between 0 and 1
    Returns: the model, not compiled.
    Raises: ArgumentError for weights that do not exist, or other `classes` than those of 'msd'.

    Example:
        >>> MusicTaggerCRNN(weights=None, classes=10).output_shape
        (None, 10)
    """
    check_path("MusicTaggerCRNN", weights, "msd")
    if weights == "msd" and include_top and classes != 50:
        raise ArgumentError(f"MusicTaggerCRNN: with the weights 'msd' `classes` should be 50, received {classes}.")
    first = config.image_data_format() == "channels_first"
    x, inputs = start(input_tensor, (1, 96, 1366) if first else (96, 1366, 1))
    x = _over_time(_features(x), first)
    if include_top:
        x = L.Dense(classes, activation="sigmoid", name="output")(x)
    model = Model(inputs, x, name="music_tagger_crnn")
    if weights == "msd":
        file, url, digest = address(f"MusicTaggerCRNN {'first' if first else 'last'}", True)
        model.load_weights(utils.get_file(file, url, cache_subdir="models", file_hash=digest), by_name=True)
    elif weights is not None:
        model.load_weights(weights)
    return model


def _features(x: Any) -> Any:
    b = Blocks(bias=True)
    x = L.ZeroPadding2D((0, 37))(x)
    x = b.norm(x, "bn_0_freq", axis=3 if b.axis == 1 else 2)
    for i, (filters, pool) in enumerate(BLOCKS, 1):
        x = L.ELU()(b.norm(b.conv(x, filters, 3, name=f"conv{i}"), f"bn{i}"))
        x = L.MaxPooling2D(pool, strides=pool, name=f"pool{i}")(x)
    return x


def _over_time(x: Any, channels_first: bool) -> Any:
    x = L.Permute((3, 1, 2))(x) if channels_first else x
    x = L.Reshape((15, 128))(x)
    gates: dict[str, Any] = {"recurrent_activation": "hard_sigmoid", "reset_after": False}  # those of Keras 1
    x = L.GRU(32, return_sequences=True, name="gru1", **gates)(x)
    return L.GRU(32, name="gru2", **gates)(x)
