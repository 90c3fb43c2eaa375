"""`audio_dataset_from_directory`: batches of sounds from a folder with a folder for each class."""

from __future__ import annotations

import math
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError, MissingPackageError, ShapeError
from keras_front.failures import explains_failures
from keras_front.utils.dataset_utils import FolderDataset, Path

__all__ = ["audio_dataset_from_directory"]


@explains_failures
def audio_dataset_from_directory(
    directory: Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """The sounds in a folder as batches of floats from -1 to 1, which `fit` takes on any backend.

    The files, their labels, their order for a seed and which are for validation are those of tf.keras. Where files are
    shuffled, each pass has an order of its own that follows from `seed`.

    Args:
        directory: the folder; a class is a folder in it, with files that end with '.wav' and hold uncompressed samples.
        labels: 'inferred' for the numbers of the folders, a list with a number for each file in the order of their
            names, or None for no labels.
        label_mode: 'int' for numbers, 'categorical' for rows with a 1, 'binary' for columns of 0.0 and 1.0, None for
            sounds alone.
        class_names: the folders, whose order gives the numbers of the classes; None for the order of their names.
        batch_size: sounds a batch; None for single sounds.
        sampling_rate: samples a second of the result; None for what each file has. Files with another rate take SciPy.
        output_sequence_length: samples of every sound, which is cut or filled up with silence; None for those of the
            longest one in a batch.
        ragged: not supported, since no backend has ragged tensors; give `output_sequence_length`.
        shuffle: give the sounds in a random order.
        seed: of that order; needed where sounds are shuffled and split.
        validation_split: the share of the sounds for validation, the last ones in that order.
        subset: 'training', 'validation', or 'both' for a pair of datasets.
        follow_links: follow links to folders.
        verbose: print how many files were found.

    Shape: a batch is (batch, samples, channels), float32, alone or with labels (batch,), (batch, 1) or (batch,
        classes).
    Returns: a `Dataset`, with `class_names` and `file_paths`; two for 'both'.
    Raises: ArgumentError if there are no files, a file cannot be read, or arguments do not go together.
    Source: tf.keras 2 and Keras 3, `keras.utils.audio_dataset_from_directory`, which read files of 16 bits only.
    Example:
        >>> sounds = audio_dataset_from_directory("words", output_sequence_length=8000)  # doctest: +SKIP
        Found 300 files belonging to 3 classes.
    """
    if ragged:
        raise ArgumentError("audio_dataset_from_directory: expected ragged=False; give output_sequence_length instead.")

    def read(path: str) -> np.ndarray:
        sound = _read(path, sampling_rate)
        return sound if output_sequence_length is None else _of_length(sound, output_sequence_length)

    return FolderDataset(
        "audio_dataset_from_directory", (".wav",), directory, labels, label_mode, class_names, batch_size, shuffle,
        seed, validation_split, subset, follow_links, verbose,
    ).make(read, _joined)  # fmt: skip


def _read(path: str, sampling_rate: int | None) -> np.ndarray:
    """The samples in a file, one row each."""
    try:
        with wave.open(path, "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ArgumentError(f"{path}: expected a WAV file of uncompressed samples; {error}.") from error
    sound = _as_floats(data, width).reshape(-1, channels)
    if sampling_rate in (None, rate):
        return sound
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise MissingPackageError.of("Sounds of another sampling rate", "SciPy", "image") from error
    common = math.gcd(int(sampling_rate), rate)  # type: ignore[arg-type]
    return resample_poly(sound, sampling_rate // common, rate // common, axis=0)  # type: ignore[operator]


def _as_floats(data: bytes, width: int) -> np.ndarray:
    """Samples of `width` bytes as numbers from -1 to 1."""
    if width == 1:  # these alone have no sign
        return (np.frombuffer(data, "u1").astype("float32") - 128) / 128
    rows = np.frombuffer(data, "u1").reshape(-1, width)
    wide = np.zeros((len(rows), 4), "u1")
    wide[:, 4 - width :] = rows
    return (wide.view("<i4")[:, 0] / 2.0**31).astype("float32")


def _of_length(sound: np.ndarray, length: int) -> np.ndarray:
    return np.pad(sound[:length], ((0, max(0, length - len(sound))), (0, 0)))


def _joined(sounds: list[np.ndarray]) -> np.ndarray:
    channels = {sound.shape[1] for sound in sounds}
    if len(channels) > 1:
        raise ShapeError(f"audio_dataset_from_directory: expected files of as many channels, found {sorted(channels)}.")
    longest = max(map(len, sounds))
    return np.stack([_of_length(sound, longest) for sound in sounds])
