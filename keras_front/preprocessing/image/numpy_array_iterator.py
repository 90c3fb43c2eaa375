"""Batches of images from an array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import config
from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError, ShapeError
from keras_front.preprocessing.image.iterator import Batch, ImageChanger, Iterator, changed, split_of
from keras_front.tracebacks import warn_user

__all__ = ["NumpyArrayIterator"]


class NumpyArrayIterator(Iterator):
    """Batches of images from an array, changed as an `ImageDataGenerator` says; what its `flow` returns.

    A batch is `images`, `(images, targets)` or `(images, targets, weights)`; where there are further inputs, `images`
    is a list of all inputs.

    Args:
        x: the images, or `(images, further)`, where `further` is an array or a list of arrays that are given as they
            are, row by row.
        y: the targets; None for images alone.
        image_data_generator: changes the images.
        sample_weight: the weights of the samples.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        save_to_dir: a folder where each image is written as it is given; None to write none.
        save_prefix: the beginning of the names of these files.
        save_format: 'png', 'jpeg' or any other format of Pillow.
        subset: 'training' or 'validation', where the generator has a `validation_split`; the samples for validation are
            the first ones.
        dtype: of the images; None for `floatx`.
        ignore_class_split: allow that a class is in one subset only.
        **kwargs: older names of these arguments.

    Shape: x (samples, rows, columns, channels), or channels second.
    Raises: ArgumentError if arrays have different lengths, or a subset lacks classes; ShapeError unless `x` has four
        axes.
    Source: Keras-Preprocessing 1.1.2; `ignore_class_split` as in tf.keras 2.

    Example:
        >>> from keras_front.preprocessing.image import ImageDataGenerator
        >>> batches = NumpyArrayIterator(np.ones((5, 4, 4, 3)), np.arange(5), ImageDataGenerator(), batch_size=2)
        >>> [len(batches), next(batches)[0].shape]
        [3, (2, 4, 4, 3)]
    """

    @accept_legacy_arguments
    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageChanger,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        dtype: Any = None,
        ignore_class_split: bool = False,
        **kwargs: Any,
    ):
        reject_unknown("NumpyArrayIterator", kwargs, NumpyArrayIterator)
        self.dtype = dtype or config.floatx()
        self.image_data_generator, self.data_format = image_data_generator, config.normalize_data_format(data_format)
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        images, further = x if isinstance(x, tuple | list) else (x, [])
        further = [np.asarray(array) for array in (further if isinstance(further, list) else [further])]
        y, sample_weight = (None if array is None else np.asarray(array) for array in (y, sample_weight))
        _check_lengths(images, further, y, sample_weight)
        if subset is not None:
            kept = _rows_of(subset, image_data_generator, len(images), None if ignore_class_split else y)
            images, further = images[kept], [array[kept] for array in further]
            y, sample_weight = (None if array is None else array[kept] for array in (y, sample_weight))
        self.x, self.x_misc = self._images(images), further
        self.y, self.sample_weight = y, sample_weight
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _images(self, images: Any) -> np.ndarray:
        x = np.asarray(images, dtype=self.dtype)
        if x.ndim != 4:
            raise ShapeError(f"NumpyArrayIterator: expected images as an array of four axes, received shape {x.shape}.")
        warn_of_channels("NumpyArrayIterator", x.shape, self.data_format)
        return x

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Batch:
        images = self.x[index_array]
        for i, image in enumerate(images):
            result = changed(self.image_data_generator, image)
            if result is not image:
                images[i] = result
        self._save(images, index_array, 10**4)
        inputs = [images, *(array[index_array] for array in self.x_misc)] if self.x_misc else images
        if self.y is None:
            return inputs  # type: ignore[return-value]
        targets = self.y[index_array]
        return (inputs, targets) if self.sample_weight is None else (inputs, targets, self.sample_weight[index_array])


def warn_of_channels(where: str, shape: Sequence[int], data_format: str) -> None:
    """Warn if images have a number of channels that no image has.

    Args:
        where: who was given them, for the message.
        shape: of the images.
        data_format: theirs.
    """
    channels = shape[1 if data_format == "channels_first" else 3]
    if channels not in (1, 3, 4):
        warn_user(
            f"{where}: images of shape {shape} have {channels} channels if their format is {data_format!r}; expected "
            "1, 3 or 4."
        )


def _check_lengths(images: Any, further: list[np.ndarray], y: Any, sample_weight: Any) -> None:
    """Raise ArgumentError unless there are as many rows everywhere; the first words are those of Keras."""
    named = [("All of the arrays in `x` should have the same length", array) for array in further]
    named += [
        (f"`x` (images tensor) and {name} should have the same length", array)
        for name, array in (("`y` (labels)", y), ("`sample_weight`", sample_weight))
        if array is not None
    ]
    for rule, array in named:
        if len(array) != len(images):
            raise ArgumentError(
                f"NumpyArrayIterator: {rule}; received {len(images)} images and an array of shape {array.shape}."
            )


def _rows_of(subset: str, generator: Any, samples: int, y: np.ndarray | None) -> slice:
    """The rows of a subset; each class of `y` is in both."""
    first, last = split_of(subset, generator)
    border = int(samples * (last if subset == "validation" else first))
    if y is not None and not np.array_equal(np.unique(y[:border]), np.unique(y[border:])):
        raise ArgumentError(
            "NumpyArrayIterator: Training and validation subsets have different number of classes after the split. "
            "Targets may not be sorted by class: shuffle images and targets before, or pass ignore_class_split=True."
        )
    return slice(border) if subset == "validation" else slice(border, None)
