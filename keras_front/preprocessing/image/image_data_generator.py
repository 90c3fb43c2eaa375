"""`ImageDataGenerator`: images changed at random and standardized while a model trains."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Sized
from typing import Any

import numpy as np

from keras_front import config
from keras_front.arguments import Number, reading
from keras_front.compatibility import accept_legacy_arguments, reject_unknown
from keras_front.errors import ArgumentError, ShapeError
from keras_front.preprocessing.image.affine_transformations import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    draw_zoom,
    flip_axis,
    two_numbers,
)
from keras_front.preprocessing.image.dataframe_iterator import DataFrameIterator
from keras_front.preprocessing.image.directory_iterator import DirectoryIterator
from keras_front.preprocessing.image.numpy_array_iterator import NumpyArrayIterator, warn_of_channels
from keras_front.tracebacks import warn_user

__all__ = ["ImageDataGenerator"]

SMALLEST = 1e-6  # added to standard deviations, so that an image of one colour is not divided by 0
# The first arguments of `apply_affine_transform`, with the values that change nothing.
AFFINE = ("theta", "tx", "ty", "shear", "zx", "zy")
UNCHANGED = (0, 0, 0, 0, 1, 1)

NUMBERS = (int, float, np.number)
Range = float | Sized[float]


class ImageDataGenerator:
    """Batches of images that are changed at random and standardized on their way to a model.

    All randomness is from NumPy's global state, so `np.random.seed` or the `seed` of a method gives the same images
    again, and the same ones as Keras.

    Args:
        featurewise_center: subtract the mean of the images that `fit` saw, channel by channel.
        samplewise_center: subtract from each image its mean.
        featurewise_std_normalization: divide by the standard deviation of the images that `fit` saw; implies
            `featurewise_center`.
        samplewise_std_normalization: divide each image by its standard deviation; implies `samplewise_center`.
        zca_whitening: make pixels uncorrelated over the images that `fit` saw, which takes memory in proportion to the
            square of their number of pixels; implies `featurewise_center`.
        zca_epsilon: added to variances before whitening divides by their roots.
        rotation_range: rotate by as many degrees at most, to either side.
        width_shift_range: shift sideways: by a share of the width (a float below 1), by pixels (a float from 1 on),
            by whole pixels (an int), or by one of some numbers (a list), either way.
        height_shift_range: the same for the height.
        brightness_range: the least and the largest brightness; 1 is that of the image.
        shear_range: shear by as many degrees at most.
        zoom_range: the least and the largest zoom, or a number z for 1 - z and 1 + z; below 1 enlarges.
        channel_shift_range: add as much at most to all channels, or subtract it.
        fill_mode: what is beyond the edges: 'nearest' (the edge itself), 'constant' (`cval`), 'reflect' or 'wrap'.
        cval: the value for 'constant'.
        horizontal_flip: mirror every other image sideways.
        vertical_flip: mirror every other image upside down.
        rescale: multiply by this, before anything else but `preprocessing_function`; None or 0 for nothing.
        preprocessing_function: a function of an image that returns one, called when the image has been changed and
            before it is rescaled and standardized.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        validation_split: which share of the samples is for validation, see `flow(subset=)`.
        interpolation_order: degree of the spline between pixels: 0 the nearest one, 1 linear, up to 5.
        dtype: of the images; None for `floatx`.
        **kwargs: older names of these arguments.

    Attributes:
        mean, std, principal_components: what `fit` learnt, or None.

    Raises: ArgumentError for a range or split that makes no sense.
    Source: Keras-Preprocessing 1.1.2.
    Example:
        >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
        >>> images, labels = next(generator.flow(np.full((8, 4, 4, 3), 255), np.arange(8), batch_size=2, seed=1))
        >>> images.shape, float(images.max()), labels
        ((2, 4, 4, 3), 1.0, array([7, 2]))
    """

    @accept_legacy_arguments
    @reading
    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: Number | None = 0,
        width_shift_range: Range = 0.0,
        height_shift_range: Range = 0.0,
        brightness_range: Sized[float] | None = None,
        shear_range: Number | None = 0.0,
        zoom_range: Range = 0.0,
        channel_shift_range: Number | None = 0.0,
        fill_mode: str = "nearest",
        cval: Number = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: Number | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
        **kwargs: Any,
    ):
        reject_unknown("ImageDataGenerator", kwargs, ImageDataGenerator)
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range, self.channel_shift_range = (
            rotation_range,
            shear_range,
            channel_shift_range,
        )
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range = None if brightness_range is None else two_numbers("brightness_range", brightness_range)
        self.zoom_range = _zoom_range(zoom_range)
        self.fill_mode, self.cval, self.interpolation_order = fill_mode, cval, interpolation_order
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.dtype, self.data_format = dtype or config.floatx(), config.normalize_data_format(data_format)
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if self._channels_first() else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ArgumentError(f"validation_split: expected a number between 0 and 1, received {validation_split}.")
        self._validation_split = validation_split
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None
        self.principal_components: np.ndarray | None = None
        self._imply()

    def _channels_first(self) -> bool:
        return self.data_format == "channels_first"

    def _imply(self) -> None:
        """Set what a setting needs, or cannot be together with."""
        if self.zca_whitening:
            self._set(zca_whitening="featurewise_center")
            if self.featurewise_std_normalization:
                self.featurewise_std_normalization = False
                warn_user("zca_whitening leaves no use for featurewise_std_normalization, which is now False.")
        if self.featurewise_std_normalization:
            self._set(featurewise_std_normalization="featurewise_center")
        if self.samplewise_std_normalization:
            self._set(samplewise_std_normalization="samplewise_center")

    def _set(self, **needs: str) -> None:
        for name, needed in needs.items():
            if not getattr(self, needed):
                setattr(self, needed, True)
                warn_user(f"{name} needs {needed}, which is now True.")

    # Batches -----------------------------------------------------------------------------------------

    @accept_legacy_arguments
    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
    ) -> NumpyArrayIterator:
        """Batches of images from an array, changed and standardized, without end.

        Args:
            x: the images (samples, rows, columns, channels), or `(images, further)` with further inputs that are given
                as they are.
            y: the targets.
            batch_size: samples a batch.
            shuffle: take the samples of each pass in a random order.
            sample_weight: the weights of the samples.
            seed: of the order and the changes, see `Iterator`.
            save_to_dir: a folder where each image is written as it is given.
            save_prefix: the beginning of the names of these files.
            save_format: 'png', 'jpeg' or any other format of Pillow.
            subset: 'training' or 'validation', for a generator with a `validation_split`.
            ignore_class_split: allow that a class is in one subset only.

        Returns: an iterator over `images`, `(images, targets)` or `(images, targets, weights)`, which `fit` takes.
        """
        return NumpyArrayIterator(**_arguments(locals()), data_format=self.data_format, dtype=self.dtype)

    def flow_from_directory(
        self,
        directory: str | os.PathLike[str],
        target_size: Sized[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sized[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of images from a folder that has a folder for each class, changed and standardized, without end.

        Args:
            directory: the folder.
            target_size: rows and columns of every image.
            color_mode: 'grayscale', 'rgb' or 'rgba'.
            classes: the folders, in the order of the numbers of their classes; None for all by name.
            class_mode: 'categorical', 'binary', 'sparse', 'input' or None, see `DirectoryIterator`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in `flow`.
            follow_links: follow links to folders.
            interpolation, keep_aspect_ratio: how images are resized, see `load_img`.

        Returns: an iterator over `images` or `(images, targets)`, which `fit` takes.
        """
        return DirectoryIterator(**_arguments(locals()), data_format=self.data_format, dtype=self.dtype)

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | os.PathLike[str] | None = None,
        x_col: str = "filename",
        y_col: str | Sized[str] = "class",
        weight_col: str | None = None,
        target_size: Sized[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Iterable[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of images from files that stand in a table, changed and standardized, without end.

        Args:
            dataframe: the table; each row is an image.
            directory: the folder that names of files are below; None for names that stand for themselves.
            x_col: the column with the names of the files.
            y_col: the column or columns with the labels.
            weight_col: the column with the weights of the samples.
            target_size: rows and columns of every image.
            color_mode: 'grayscale', 'rgb' or 'rgba'.
            classes: the labels that are used; None for all.
            class_mode: 'categorical', 'binary', 'sparse', 'raw', 'multi_output', 'input' or None, see
                `DataFrameIterator`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: as in `flow`.
            interpolation: how images are resized, see `load_img`.
            validate_filenames: leave out rows without a file.
            **kwargs: `keep_aspect_ratio`, and what older versions had: `has_ext=False` for names without endings;
                `sort` and `drop_duplicates`, which have no effect.

        Returns: an iterator over `images`, `(images, targets)` or `(images, targets, weights)`, which `fit` takes.
        """
        given = _arguments(locals())
        if class_mode == "other":  # what Keras 2.2 called it
            given["class_mode"] = "raw"
        given |= {name: kwargs.pop(name) for name in ("keep_aspect_ratio", "has_ext") if name in kwargs}
        for name in kwargs:
            warn_user(f"flow_from_dataframe: {name} has no effect.")
        return DataFrameIterator(**given, data_format=self.data_format, dtype=self.dtype)

    # Standardizing -----------------------------------------------------------------------------------

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image (or a batch) rescaled, centred and divided as the arguments of the generator say.

        Args:
            x: the image; changed in place where it is of floats, as in Keras, because a copy would take time.

        Shape: as `x`.
        """
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if getattr(x, "dtype", None) != self.dtype:
            x = _as_floats(x, self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + SMALLEST
        return self._standardize_by_features(x) if self.featurewise_center else x

    def _standardize_by_features(self, x: np.ndarray) -> np.ndarray:
        """An image less the mean of others, and what else `fit` has learnt."""
        if self.featurewise_center and self._is_fit("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fit("featurewise_std_normalization", self.std):
            x /= self.std + SMALLEST  # type: ignore[operator]
        if self.zca_whitening and self._is_fit("zca_whitening", self.principal_components):
            x = (x.reshape(-1, int(np.prod(x.shape[-3:]))) @ self.principal_components).reshape(x.shape)
        return x

    def _is_fit(self, name: str, learnt: Any) -> bool:
        if learnt is None:
            warn_user(f"{name} has no effect before the generator has seen images; call fit(images) first.")
        return learnt is not None

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learn what `featurewise_center`, `featurewise_std_normalization` and `zca_whitening` need.

        The images are rescaled as those of a batch, which Keras-Preprocessing does from version 1.1.1 on.

        Args:
            x: images.
            augment: learn from images that are changed at random.
            rounds: how often each image is changed then.
            seed: of NumPy's global state; None to leave it as it is.

        Shape: (samples, rows, columns, channels), or channels second.
        Raises: ShapeError for another number of axes.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ShapeError(f"ImageDataGenerator.fit: expected images as an array of four axes, received {x.shape}.")
        warn_of_channels("ImageDataGenerator.fit", x.shape, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(image) for _ in range(rounds) for image in x]).astype(self.dtype)
        over = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(x, axis=over, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=over, keepdims=True)[0]
            x /= self.std + SMALLEST
        if self.zca_whitening:
            self.principal_components = _whitening(x.reshape(len(x), -1), self.zca_epsilon)

    # Changing at random ------------------------------------------------------------------------------

    def get_random_transform(self, img_shape: Sized[int], seed: int | None = None) -> dict[str, Any]:
        """How an image is to be changed, drawn at random.

        Args:
            img_shape: its shape, without a batch axis.
            seed: of NumPy's global state; None to leave it as it is.

        Returns: the arguments of `apply_affine_transform`, `flip_horizontal`, `flip_vertical`,
            `channel_shift_intensity` and `brightness`; what is not to change is 0, 1 or None.
        """
        if seed is not None:
            np.random.seed(seed)
        uniform, random = np.random.uniform, np.random.random
        # In the order in which Keras draws.
        theta = uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _draw_shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _draw_shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        zx, zy = draw_zoom(self.zoom_range)
        horizontal = (random() < 0.5) * self.horizontal_flip
        vertical = (random() < 0.5) * self.vertical_flip
        shift = uniform(-self.channel_shift_range, self.channel_shift_range) if self.channel_shift_range else None
        brightness = (
            None if self.brightness_range is None else uniform(self.brightness_range[0], self.brightness_range[1])
        )
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": horizontal,
            "flip_vertical": vertical,
            "channel_shift_intensity": shift,
            "brightness": brightness,
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """An image changed.

        Args:
            x: the image, without a batch axis.
            transform_parameters: what `get_random_transform` returns; what is left out does not change.

        Shape: as `x`.
        """
        given: Callable[..., Any] = transform_parameters.get
        rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        places = tuple(map(given, AFFINE, UNCHANGED))
        if places != UNCHANGED:
            beyond = self.fill_mode, self.cval, self.interpolation_order
            x = apply_affine_transform(x, *places, rows, columns, channels, *beyond)  # type: ignore[call-arg]
        if given("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given("channel_shift_intensity"), channels)
        if given("flip_horizontal", False):
            x = flip_axis(x, columns)
        if given("flip_vertical", False):
            x = flip_axis(x, rows)
        if given("brightness") is not None:
            x = np.moveaxis(apply_brightness_shift(np.moveaxis(x, channels, 2), given("brightness")), 2, channels)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image changed at random.

        Args:
            x: the image, without a batch axis.
            seed: of NumPy's global state; None to leave it as it is.

        Shape: as `x`.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))


def _arguments(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a method as those of an iterator, which calls the generator by another name."""
    own = {name: value for name, value in given.items() if name not in ("self", "kwargs")}
    return {**own, "image_data_generator": given["self"]}


def _as_floats(x: Any, dtype: Any) -> np.ndarray:
    """An array of floats as it is, anything else as an array of that dtype."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(dtype)


def _zoom_range(given: Any) -> Sized[float]:
    if isinstance(given, NUMBERS):
        return [1 - given, 1 + given]  # type: ignore[list-item]
    return two_numbers("zoom_range", given)


def _draw_shift(allowed: Range, size: int) -> float:
    """By how many pixels an axis of `size` of them is shifted."""
    if not isinstance(allowed, NUMBERS):
        shift, largest = np.random.choice(allowed) * np.random.choice([-1, 1]), np.max(allowed)
    elif not allowed:
        return 0
    elif isinstance(allowed, float | np.floating) or allowed < 0:
        shift, largest = np.random.uniform(-allowed, allowed), allowed
    else:
        return np.random.choice(int(allowed)) * np.random.choice([-1, 1])
    return shift * size if largest < 1 else shift


def _whitening(rows: np.ndarray, epsilon: float) -> np.ndarray:
    """The matrix that makes the columns of centred rows uncorrelated and of variance 1."""
    directions, variances, _ = np.linalg.svd(rows.T @ rows / len(rows))
    return (directions / np.sqrt(variances + epsilon)) @ directions.T
