"""What the iterators over images have in common: the order of the samples, and images read from files.

NumPy's global state decides the order and the changes, as in Keras: the same `np.random.seed`, or the same `seed`, give
the same batches.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as Iterable
from collections.abc import Sequence as Sized
from typing import Any, Protocol

import numpy as np

from keras_front import config
from keras_front.docstrings import Documented
from keras_front.errors import ArgumentError
from keras_front.utils.data_utils import Sequence
from keras_front.utils.image_utils import CHANNELS, array_to_img, img_to_array, load_img

__all__ = ["BatchFromFilesMixin", "Iterator"]

Batch = np.ndarray | tuple[Any, ...]


class ImageChanger(Protocol):
    """What iterators ask of an `ImageDataGenerator`."""

    _validation_split: float

    def get_random_transform(self, img_shape: Sized[int], seed: int | None = None) -> dict[str, Any]:
        """How an image is to be changed."""

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image changed so."""

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image standardized."""


class Iterator(Documented, Sequence):
    """Batches of images: by number as any `Sequence`, or without end by `next`; threads may share one.

    A subclass overrides `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: how many samples there are.
        batch_size: samples a batch; the last one of a pass may have fewer.
        shuffle: take the samples of each pass in a random order.
        seed: of NumPy's global state, which is set to `seed` plus the number of batches so far before each batch; None
            to leave the state as it is.

    Attributes:
        n: how many samples there are.
        total_batches_seen: how many batches were asked for.
        batch_index: the number of the next batch in its pass, for `next`.
        index_array: the order of the samples in this pass; None before the first one.

    Raises: ArgumentError unless there is at least one sample in a batch.
    Example:
        >>> class Squares(Iterator):
        ...     def _get_batches_of_transformed_samples(self, index_array):
        ...         return index_array**2
        >>> squares = Squares(5, batch_size=2, shuffle=False, seed=None)
        >>> len(squares), squares[2].tolist(), next(squares).tolist()
        (3, [16], [0, 1])
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None):
        if batch_size < 1:
            raise ArgumentError(f"{type(self).__name__}: expected batch_size to be at least 1, received {batch_size}.")
        self.n, self.batch_size, self.seed, self.shuffle = n, batch_size, seed, shuffle
        self.batch_index = self.total_batches_seen = 0
        self.index_array: np.ndarray | None = None
        self._start()

    def _start(self) -> None:
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what a process cannot hand to another one."""
        return {name: value for name, value in vars(self).items() if name not in ("lock", "index_generator")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __len__(self) -> int:
        """Batches in a pass."""
        return -(-self.n // self.batch_size)

    def __iter__(self) -> Iterator:  # type: ignore[override]
        """Itself: batches without end, as `next` gives them."""
        return self

    def __getitem__(self, index: int) -> Batch:
        if not -len(self) <= index < len(self):
            raise ArgumentError(
                f"{type(self).__name__}: expected the number of a batch, below {len(self)}; received {index}."
            )
        with self.lock:
            self._count_batch()
            if self.index_array is None:
                self._set_index_array()
            first = index % len(self) * self.batch_size
            rows = self.index_array[first : first + self.batch_size]  # type: ignore[index]
        return self._get_batches_of_transformed_samples(rows)

    def __next__(self) -> Batch:
        return self.next()

    def next(self) -> Batch:
        """The next batch; after the last one of a pass comes the first one of the next."""
        with self.lock:
            rows = next(self.index_generator)
        return self._get_batches_of_transformed_samples(rows)

    def reset(self) -> None:
        """Begin a new pass with the next batch."""
        self.batch_index = 0

    def on_epoch_begin(self) -> None:
        """Draw the order of the first pass, which processes that prepare batches have to share."""
        if self.index_array is None and self.seed is None:
            self._set_index_array()

    def on_epoch_end(self) -> None:
        """Draw the order of the next pass."""
        self._set_index_array()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _count_batch(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def _flow_index(self) -> Iterable[np.ndarray]:
        """The numbers of the samples of batch after batch, for `next`."""
        self.reset()
        while True:
            self._count_batch()
            if self.batch_index == 0:
                self._set_index_array()
            first = self.batch_index * self.batch_size
            self.batch_index = self.batch_index + 1 if first + self.batch_size < self.n else 0
            yield self.index_array[first : first + self.batch_size]  # type: ignore[index]

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Batch:
        """The samples of these numbers, changed at random."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method _get_batches_of_transformed_samples(index_array)."
        )

    # What subclasses share ---------------------------------------------------------------------------

    data_format: str
    save_to_dir: str | os.PathLike[str] | None = None
    save_prefix: str = ""
    save_format: str = "png"

    def _save(self, batch: np.ndarray, index_array: np.ndarray, numbers: int) -> None:
        """Write the images of a batch as they will be given, below names with a random number up to `numbers`."""
        if self.save_to_dir is None:
            return
        for image, index in zip(batch, index_array):
            name = f"{self.save_prefix}_{index}_{np.random.randint(numbers)}.{self.save_format}"
            array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


def changed(generator: ImageChanger | None, x: np.ndarray) -> np.ndarray:
    """An image as a generator changes it: at random, then standardized.

    Args:
        generator: the generator; None to leave the image as it is.
        x: the image, which may be changed in place.
    """
    if generator is None:
        return x
    return generator.standardize(generator.apply_transform(x, generator.get_random_transform(x.shape)))


class BatchFromFilesMixin(Iterator):
    """Batches of images that are read from files when they are asked for.

    A subclass has `filepaths`, `labels` and `sample_weight`, and sets `class_mode` and `dtype`.
    """

    class_mode: str | None
    class_indices: dict[str, int]
    dtype: Any

    def set_processing_attrs(
        self,
        image_data_generator: ImageChanger | None,
        target_size: Sized[int],
        color_mode: str,
        data_format: str | None,
        save_to_dir: str | os.PathLike[str] | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool = False,
    ) -> None:
        """Keep how images are read.

        Args:
            image_data_generator: changes the images; None to leave them as they are.
            target_size: rows and columns of every image.
            color_mode: 'grayscale', 'rgb' or 'rgba'.
            data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
            save_to_dir, save_prefix, save_format: where the changed images are written, and how; see
                `ImageDataGenerator.flow`.
            subset: 'training' or 'validation', where the generator has a `validation_split`.
            interpolation, keep_aspect_ratio: see `load_img`.

        Raises: ArgumentError for another `color_mode` or `subset`.
        """
        if color_mode not in CHANNELS:
            raise ArgumentError(f"color_mode: expected one of {', '.join(CHANNELS)}; received {color_mode!r}.")
        self.image_data_generator, self.color_mode = image_data_generator, color_mode
        self.target_size = tuple(target_size)
        self.data_format = config.normalize_data_format(data_format)
        channels = (CHANNELS[color_mode],)
        first = self.data_format == "channels_first"
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.subset = subset
        self.split = None if subset is None else split_of(subset, image_data_generator)

    @property
    def filepaths(self) -> list[str]:
        """The files, sample by sample."""
        raise NotImplementedError(f"{type(self).__name__} needs a property filepaths.")

    @property
    def labels(self) -> Any:
        """The labels, sample by sample, as `class_mode` says."""
        raise NotImplementedError(f"{type(self).__name__} needs a property labels.")

    @property
    def sample_weight(self) -> np.ndarray | None:
        """The weights of the samples, or None."""
        raise NotImplementedError(f"{type(self).__name__} needs a property sample_weight.")

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Batch:
        paths, images = self.filepaths, np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        for i, index in enumerate(index_array):
            images[i] = changed(self.image_data_generator, self._read(paths[index]))
        self._save(images, index_array, 10**7)
        if self.class_mode is None:
            return images
        targets, weights = self._targets(images, index_array), self.sample_weight
        return (images, targets) if weights is None else (images, targets, weights[index_array])

    def _read(self, path: str) -> np.ndarray:
        picture = load_img(
            path,
            color_mode=self.color_mode,
            target_size=self.target_size,
            interpolation=self.interpolation,
            keep_aspect_ratio=self.keep_aspect_ratio,
        )
        return img_to_array(picture, data_format=self.data_format)

    def _targets(self, images: np.ndarray, index_array: np.ndarray) -> Any:
        """What a batch of images is to be learnt to mean, as `class_mode` says."""
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode == "multi_output":
            return [output[index_array] for output in self.labels]
        if self.class_mode == "raw":
            return self.labels[index_array]
        labels = [self.labels[index] for index in index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array(labels, dtype=self.dtype)
        rows = np.zeros((len(labels), len(self.class_indices)), dtype=self.dtype)
        for row, label in zip(rows, labels):
            row[label] = 1
        return rows


def split_of(subset: str, generator: Any) -> tuple[float, float]:
    """From which share of the samples to which one a subset goes: those for validation come first.

    Args:
        subset: 'training' or 'validation'.
        generator: has the share of validation.

    Raises: ArgumentError for another subset.
    """
    share = getattr(generator, "_validation_split", 0.0)
    if subset not in ("training", "validation"):
        raise ArgumentError(f"subset: expected 'training' or 'validation', received {subset!r}.")
    return (0, share) if subset == "validation" else (share, 1)
