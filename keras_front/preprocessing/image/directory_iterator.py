"""Batches of images from a folder with a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Sequence as Sized
from typing import Any

import numpy as np

from keras_front import config
from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError
from keras_front.preprocessing.image.iterator import BatchFromFilesMixin, ImageChanger
from keras_front.preprocessing.image.utils import image_files

__all__ = ["DirectoryIterator"]


class DirectoryIterator(BatchFromFilesMixin):
    """Batches of images from a folder, changed as an `ImageDataGenerator` says; what its `flow_from_directory` returns.

    A class is a folder in it; the images may be in folders below. A batch is `images` or `(images, targets)`.

    Args:
        directory: the folder.
        image_data_generator: changes the images; None to leave them as they are.
        target_size: rows and columns of every image; others are resized.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        classes: the folders, whose order gives the numbers of the classes; None for all, in the order of their names.
        class_mode: what targets are: 'categorical' (rows with a 1), 'binary' or 'sparse' (numbers), 'input' (the images
            themselves), None for no targets.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        save_to_dir: a folder where each image is written as it is given; None to write none.
        save_prefix: the beginning of the names of these files.
        save_format: 'png', 'jpeg' or any other format of Pillow.
        follow_links: follow links to folders.
        subset: 'training' or 'validation', where the generator has a `validation_split`; of each class the first images
            are those for validation.
        interpolation: how images are resized, see `load_img`.
        dtype: of images and targets; None for `floatx`.
        keep_aspect_ratio: cut images to the proportions of `target_size` in place of distorting them.
        **kwargs: older names of these arguments.

    Attributes:
        class_indices: the number of each class.
        classes: the number of the class of each image.
        filenames: the files, below the folder.
        samples: how many there are.
        num_classes: how many classes there are.

    Raises: ArgumentError for another mode or subset; FileNotFoundError if there is no such folder.
    Source: Keras-Preprocessing 1.1.2; `keep_aspect_ratio` as in tf.keras 2.
    Example:
        >>> DirectoryIterator("photos", ImageDataGenerator(rescale=1 / 255), target_size=(96, 96))  # doctest: +SKIP
        Found 2000 images belonging to 2 classes.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    @accept_legacy_arguments
    def __init__(
        self,
        directory: str | os.PathLike[str],
        image_data_generator: ImageChanger | None,
        target_size: Sized[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sized[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = None,
        keep_aspect_ratio: bool = False,
        **kwargs: Any,
    ):
        reject_unknown("DirectoryIterator", kwargs, DirectoryIterator)
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        if class_mode not in self.allowed_class_modes:
            raise ArgumentError(
                f"DirectoryIterator: expected class_mode to be one of {self.allowed_class_modes}; "
                f"received {class_mode!r}."
            )
        self.directory, self.class_mode, self.dtype = directory, class_mode, dtype or config.floatx()
        names = list(classes) if classes else _folders(directory)
        self.num_classes, self.class_indices = len(names), {name: number for number, name in enumerate(names)}
        self.filenames, self.classes = self._list(names, follow_links)
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _list(self, names: list[str], follow_links: bool) -> tuple[list[str], np.ndarray]:
        """The files of all classes, and the number of the class of each."""
        filenames: list[str] = []
        classes: list[int] = []
        for name in names:
            files = list(image_files(os.path.join(self.directory, name), self.white_list_formats, follow_links))
            if self.split is not None:
                files = files[int(self.split[0] * len(files)) : int(self.split[1] * len(files))]
            filenames += [os.path.relpath(file, self.directory) for file in files]
            classes += [self.class_indices[name]] * len(files)
        return filenames, np.array(classes, "int32")

    @property
    def filepaths(self) -> list[str]:
        return self._filepaths

    @property
    def labels(self) -> np.ndarray:
        return self.classes

    @property
    def sample_weight(self) -> None:
        return None


def _folders(directory: str | os.PathLike[str]) -> list[str]:
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
