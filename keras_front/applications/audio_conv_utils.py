"""What surrounds MusicTaggerCRNN of Keras 1: spectrograms of audio files, and its predictions as tags.

Source: Keras 1.2.2, `keras/applications/audio_conv_utils.py`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from keras_front.errors import MissingPackageError, ShapeError

from .imagenet_utils import data_format_of

__all__ = ["decode_predictions", "preprocess_input"]

TAGS = (
    "rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz,beautiful,metal,chillout,"
    "male vocalists,classic rock,soul,indie rock,Mellow,electronica,80s,folk,90s,chill,instrumental,punk,oldies,blues,"
    "hard rock,ambient,acoustic,experimental,female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,"
    "catchy,funk,electro,heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy"
).split(",")

RATE, SECONDS = 12000, 29.12  # samples per second; length of a clip


def preprocess_input(audio_path: str, dim_ordering: str = "default") -> np.ndarray:
    """The mel spectrogram, in decibels, of the middle of an audio file. It needs the package librosa.

    Args:
        audio_path: path of the file. What is shorter than 29.12 seconds is filled with silence.
        dim_ordering: 'tf' for (96, 1366, 1), 'th' for (1, 96, 1366), 'default' for what is set.

    Raises: MissingPackageError (an ImportError) without librosa.
    """
    try:
        librosa = import_module("librosa")
    except ImportError:
        raise MissingPackageError(
            "Audio files need librosa, which cannot be imported here. pip install librosa"
        ) from None
    samples, _ = librosa.load(audio_path, sr=RATE)
    power = librosa.feature.melspectrogram(y=clip(samples), sr=RATE, hop_length=256, n_fft=512, n_mels=96)
    decibels = librosa.power_to_db(power**2, ref=1.0)
    return decibels[np.newaxis] if data_format_of(dim_ordering) == "channels_first" else decibels[..., np.newaxis]


def clip(samples: np.ndarray) -> np.ndarray:
    """The middle 29.12 seconds, or all of it and silence after it.

    Args:
        samples: 12000 a second.
    """
    count, wanted = len(samples), int(SECONDS * RATE)
    if count < wanted:
        return np.hstack([samples, np.zeros(wanted - count)])
    return samples[(count - wanted) // 2 : (count + wanted) // 2]


def decode_predictions(preds: Any, top_n: int = 5) -> list[list[tuple[str, float]]]:
    """The likeliest tags of each clip.

    Args:
        preds: what MusicTaggerCRNN predicted.
        top_n: how many tags for each clip.

    Shape: preds (clips, 50)
    Returns: a list for each clip, of (tag, score), the highest score first.
    Raises: ShapeError for predictions of another shape.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != len(TAGS):
        raise ShapeError(f"decode_predictions: expected predictions of 50 tags, received shape {scores.shape}.")
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top_n]
    return [[(TAGS[i], row[i]) for i in places] for places, row in zip(best, scores, strict=True)]
