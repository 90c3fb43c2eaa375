"""`image_dataset_from_directory`: batches of images from a folder with a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import config
from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.utils.dataset_utils import FolderDataset, Path
from keras_front.utils.image_utils import CHANNELS, load_img, resize_array, smart_resize

__all__ = ["image_dataset_from_directory"]

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


@explains_failures
def image_dataset_from_directory(
    directory: Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Sequence[int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    verbose: bool = True,
) -> Any:
    """Images from a folder as batches of floats from 0 to 255, which `fit` takes on any backend.

    The files, their labels, their order for a seed and which are for validation are those of tf.keras; so are pixels of
    formats without loss. Where files are shuffled, each pass has an order of its own that follows from `seed`.

    Args:
        directory: the folder; a class is a folder in it, and images may be in folders below.
        labels: 'inferred' for the numbers of the folders, a list with a number for each file in the order of their
            names, or None for no labels.
        label_mode: 'int' for numbers, 'categorical' for rows with a 1, 'binary' for columns of 0.0 and 1.0, None for
            images alone.
        class_names: the folders, whose order gives the numbers of the classes; None for the order of their names.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        batch_size: images a batch; None for single images.
        image_size: rows and columns of every image.
        shuffle: give the images in a random order.
        seed: of that order; needed where images are shuffled and split.
        validation_split: the share of the images for validation, the last ones in that order.
        subset: 'training', 'validation', or 'both' for a pair of datasets.
        interpolation: how images are resized: 'bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'lanczos5',
            'gaussian' or 'mitchellcubic'.
        follow_links: follow links to folders.
        crop_to_aspect_ratio: cut images to the proportions of `image_size` in place of distorting them.
        pad_to_aspect_ratio: fill them up with black in place of that.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        verbose: print how many files were found.

    Shape: a batch is (batch, rows, columns, channels), float32 (uint8 for 'nearest'), alone or with labels (batch,),
        (batch, 1) or (batch, classes).
    Returns: a `Dataset`, with `class_names` and `file_paths`; two for 'both'.
    Raises: ArgumentError if there are no files, or arguments do not go together; MissingPackageError without Pillow.
    Source: tf.keras 2 and Keras 3, `keras.utils.image_dataset_from_directory`.

    Example:
        >>> training, validation = image_dataset_from_directory(  # doctest: +SKIP
        ...     "photos", image_size=(128, 128), validation_split=0.2, subset="both", seed=1
        ... )
        >>> model.fit(training, validation_data=validation)  # doctest: +SKIP
    """
    if color_mode not in CHANNELS:
        raise ArgumentError(
            f"image_dataset_from_directory: expected color_mode to be one of {', '.join(CHANNELS)}, "
            f"received {color_mode!r}."
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(
            "image_dataset_from_directory: expected one of crop_to_aspect_ratio and pad_to_aspect_ratio, received both."
        )
    first = config.normalize_data_format(data_format) == "channels_first"

    def read(path: str) -> np.ndarray:
        picture = _pixels(path, color_mode)
        if crop_to_aspect_ratio:
            picture = smart_resize(picture, image_size, interpolation)
        else:
            picture = _padded(picture, image_size) if pad_to_aspect_ratio else picture
            picture = resize_array(picture, image_size, interpolation)
        return picture.transpose(2, 0, 1) if first else picture

    return FolderDataset(
        "image_dataset_from_directory", ENDINGS, directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    ).make(read, np.stack)  # fmt: skip


def _pixels(path: str, color_mode: str) -> np.ndarray:
    """The pixels of a file as TensorFlow reads those of a PNG: the upper eight bits, and its weights for grey."""
    if color_mode != "grayscale":
        return np.asarray(load_img(path, color_mode=color_mode))
    picture = load_img(path, color_mode=color_mode)
    if picture.mode in ("I", "I;16"):
        return (np.asarray(picture) >> 8).astype("uint8")[:, :, None]
    colors = np.asarray(load_img(path, color_mode="rgb"))
    return (colors @ np.array([[9797], [19234], [3737]]) >> 15).astype("uint8")


def _padded(x: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """An image with zeros around it, so that it has the proportions of a size."""
    height, width = x.shape[:2]
    wanted = max(height, width * size[0] // size[1]), max(width, height * size[1] // size[0])
    before = [(new - old) // 2 for new, old in zip(wanted, (height, width))]
    around = [(first, new - old - first) for first, new, old in zip(before, wanted, (height, width))]
    return np.pad(x, (*around, (0, 0)))
