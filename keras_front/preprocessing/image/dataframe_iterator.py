"""Batches of images whose files and labels stand in a table.

Of the table only columns are asked for, so it is a `DataFrame` of pandas or anything else that is indexed by names;
pandas itself is never imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from collections.abc import Sequence as Sized
from typing import Any

import numpy as np

from keras_front import config
from keras_front.compatibility import checked_constructor
from keras_front.errors import ArgumentError, DtypeError
from keras_front.preprocessing.image.iterator import BatchFromFilesMixin, ImageChanger
from keras_front.preprocessing.image.utils import EXTENSIONS, validate_filename
from keras_front.tracebacks import warn_user

__all__ = ["DataFrameIterator"]

WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(BatchFromFilesMixin):
    """Batches of images from files in a table, changed as an `ImageDataGenerator` says; see its `flow_from_dataframe`.

    A batch is `images`, `(images, targets)` or `(images, targets, weights)`.

    Args:
        dataframe: the table; each row is an image.
        directory: the folder that names of files are below; None for names that stand for themselves.
        image_data_generator: changes the images; None to leave them as they are.
        x_col: the column with the names of the files.
        y_col: the column with the labels; a list of columns for 'multi_output', and allowed for 'raw'.
        weight_col: the column with the weights of the samples; None for none.
        target_size: rows and columns of every image; others are resized.
        color_mode: 'grayscale', 'rgb' or 'rgba'.
        classes: the labels that are used, rows with others are left out; None for all. In either case their numbers are
            those of their order.
        class_mode: what targets are: 'categorical' (rows with a 1 for each label; a label may be a list of several),
            'binary' or 'sparse' (numbers), 'raw' (what the column has), 'multi_output' (a list of what the columns
            have), 'input' (the images themselves), None for no targets.
        data_format: 'channels_last' or 'channels_first'; None for the default of the configuration.
        save_to_dir: a folder where each image is written as it is given; None to write none.
        save_prefix: the beginning of the names of these files.
        save_format: 'png', 'jpeg' or any other format of Pillow.
        subset: 'training' or 'validation', where the generator has a `validation_split`; the rows for validation are
            the first ones.
        interpolation: how images are resized, see `load_img`.
        dtype: of images and targets; None for `floatx`.
        validate_filenames: leave out rows without a file; False saves the time that looking takes.
        keep_aspect_ratio: cut images to the proportions of `target_size` in place of distorting them.
        has_ext: False where the names of files lack their endings, as Keras 2.2 had it.

    Attributes:
        class_indices: the number of each class; not there for class modes without classes.
        classes: the number of the class of each image, or a list of such; as above.
        filenames: the files, below the folder.
        samples: how many there are.

    Raises: ArgumentError for another mode or subset, or unless there are two classes for 'binary'; DtypeError (a
        TypeError) for columns of other types.
    Source: Keras-Preprocessing 1.1.2; `has_ext` as in 1.0, `keep_aspect_ratio` as in tf.keras 2.
    Example:
        >>> table = pandas.DataFrame({"filename": ["a.png", "b.png"], "class": ["cat", "dog"]})  # doctest: +SKIP
        >>> DataFrameIterator(table, "photos", target_size=(96, 96))  # doctest: +SKIP
        Found 2 validated image filenames belonging to 2 classes.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    @checked_constructor
    def __init__(
        self,
        dataframe: Any,
        directory: str | os.PathLike[str] | None = None,
        image_data_generator: ImageChanger | None = None,
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
        data_format: str | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = None,
        validate_filenames: bool = True,
        keep_aspect_ratio: bool = False,
        has_ext: bool = True,
    ):
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        self.directory, self.class_mode, self.dtype = directory or "", class_mode, dtype or config.floatx()
        chosen = list(classes) if classes else None
        self._check(dataframe, x_col, y_col, weight_col, chosen)
        names = list(dataframe[x_col])
        names = names if has_ext else [_with_ending(self.directory, name) for name in names]
        rows = self._rows_with_files(names, x_col) if validate_filenames else list(range(len(names)))
        if class_mode not in WITHOUT_CLASSES:
            labels = list(dataframe[y_col])
            used = sorted(set(chosen or [label for row in rows for label in _as_list(labels[row])]))
            self.class_indices = {label: number for number, label in enumerate(used)}
            rows = [row for row in rows if chosen is None or self._numbers(labels[row])]
        if self.split is not None:
            rows = rows[int(self.split[0] * len(rows)) : int(self.split[1] * len(rows))]
        self._keep(dataframe, names, rows, y_col, weight_col)
        what = "validated" if validate_filenames else "non-validated"
        of = "" if class_mode in WITHOUT_CLASSES else f" belonging to {len(self.class_indices)} classes"
        print(f"Found {self.samples} {what} image filenames{of}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    # Reading the table -------------------------------------------------------------------------------

    def _check(self, table: Any, x_col: str, y_col: Any, weight_col: str | None, classes: list[str] | None) -> None:
        mode = self.class_mode
        if mode not in self.allowed_class_modes:
            raise ArgumentError(
                f"DataFrameIterator: expected class_mode to be one of {self.allowed_class_modes}; received {mode!r}."
            )
        if mode == "multi_output" and not isinstance(y_col, list | tuple):
            raise DtypeError(f"DataFrameIterator: expected y_col to be a list for 'multi_output', received {y_col!r}.")
        _expect(table, x_col, str, "texts")
        if mode in ("binary", "sparse"):
            _expect(table, y_col, str, f"texts for class_mode={mode!r} ('raw' takes numbers)")
        if mode == "categorical":
            _expect(table, y_col, (str, list, tuple), f"texts or lists for class_mode={mode!r} ('raw' takes numbers)")
        if mode == "binary" and len(set(classes or table[y_col])) != 2:
            raise ArgumentError(
                f"DataFrameIterator: expected two classes for 'binary', received {len(set(classes or table[y_col]))}."
            )
        if weight_col is not None and np.asarray(table[weight_col]).dtype.kind not in "biuf":
            raise DtypeError(f"DataFrameIterator: expected the column {weight_col!r} to have numbers.")
        if classes and mode in WITHOUT_CLASSES:
            warn_user(f"class_mode={mode!r} makes no use of classes.")

    def _rows_with_files(self, names: list[str], x_col: str) -> list[int]:
        paths = [os.path.join(self.directory, name) for name in names]
        rows = [row for row, path in enumerate(paths) if validate_filename(path, self.white_list_formats)]
        if len(rows) < len(names):
            warn_user(
                f"{len(names) - len(rows)} of {len(names)} names in the column {x_col!r} are no images in "
                f"{str(self.directory) or 'the current folder'!r} and are left out."
            )
        return rows

    def _keep(self, table: Any, names: list[str], rows: list[int], y_col: Any, weight_col: str | None) -> None:
        """Keep what rows of the table have."""
        self.filenames = [names[row] for row in rows]
        self.samples = len(rows)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._sample_weight = None if weight_col is None else np.asarray(table[weight_col])[rows]
        self._targets_of_rows: Any = None
        if self.class_mode not in WITHOUT_CLASSES:
            labels = list(table[y_col])
            self.classes = [self._class_of(labels[row]) for row in rows]
        elif self.class_mode == "raw":
            self._targets_of_rows = np.asarray(table[y_col])[rows]
        elif self.class_mode == "multi_output":
            columns = [list(table[column]) for column in y_col]
            self._targets_of_rows = [np.array([column[row] for row in rows]) for column in columns]

    def _numbers(self, label: Any) -> list[int]:
        return [self.class_indices[name] for name in _as_list(label) if name in self.class_indices]

    def _class_of(self, label: Any) -> int | list[int]:
        return self._numbers(label) if isinstance(label, list | tuple) else self.class_indices[label]

    def get_classes(self, df: Any, y_col: str) -> list[int | list[int]]:
        """The numbers of the classes in a column.

        Args:
            df: the table.
            y_col: the column.
        """
        return [self._class_of(label) for label in df[y_col]]

    @property
    def filepaths(self) -> list[str]:
        return self._filepaths

    @property
    def labels(self) -> Any:
        return self._targets_of_rows if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> np.ndarray | None:
        return self._sample_weight


def _as_list(label: Any) -> list[Any]:
    return list(label) if isinstance(label, list | tuple) else [label]


def _expect(table: Any, column: str, kind: Any, words: str) -> None:
    if not all(isinstance(value, kind) for value in table[column]):
        raise DtypeError(f"DataFrameIterator: expected the column {column!r} to have {words}.")


def _with_ending(directory: str | os.PathLike[str], name: str) -> str:
    """The name of the file that is called so but for its ending."""
    found = [f"{name}.{ending}" for ending in EXTENSIONS if os.path.isfile(os.path.join(directory, f"{name}.{ending}"))]
    return found[0] if found else name
