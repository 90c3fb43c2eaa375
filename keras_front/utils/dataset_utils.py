"""Samples in folders: files, labels, which are for validation, and batches of them; a dataset as two."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_front.errors import ArgumentError
from keras_front.failures import explains_failures
from keras_front.utils.dataset import Dataset, Orders, values_of
from keras_front.utils.labels import to_categorical

__all__ = ["FolderDataset", "dataset_of_rows", "split_dataset"]

LABEL_MODES = ("int", "categorical", "binary", None)
Path = str | os.PathLike[str]
Share = int | float | None


class FolderDataset(NamedTuple):
    """What the functions `*_dataset_from_directory` have in common.

    Args:
        where: the name of the function, for messages.
        endings: what the names of files end with.
        directory: the folder.
        labels: 'inferred' from the folders in it, a list with one number for each file in the order of their names, or
            None.
        label_mode: how labels are written: 'int', 'categorical', 'binary' or None.
        class_names: the folders in the order of the numbers of their classes; None for that of their names.
        batch_size: samples a batch; None for single samples.
        shuffle: whether the files are in a random order.
        seed: of that order.
        validation_split: the share of the files for validation.
        subset: 'training', 'validation' or 'both'.
        follow_links: follow links to folders.
        verbose: print how many files were found.
    """

    where: str
    endings: tuple[str, ...]
    directory: Path
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool = True

    def make(self, read: Callable[[str], np.ndarray], join: Callable[[list[np.ndarray]], np.ndarray]) -> Any:
        """The dataset, or two of them for `subset='both'`.

        Args:
            read: from the name of a file to a sample.
            join: from samples to a batch.

        Raises: ArgumentError if there are no files, or arguments do not go together.
        """
        self._check()
        paths, labels, names = self._files()
        seed = int(np.random.randint(10**6)) if self.shuffle and self.seed is None else self.seed
        if self.shuffle:  # each from the same state, so that they stay together: the order of tf.keras
            np.random.RandomState(seed).shuffle(paths)
            np.random.RandomState(seed).shuffle(labels)
        made = [self._dataset(paths[part], labels[part], names, seed, read, join) for part in self._parts(len(paths))]
        return made[0] if len(made) == 1 else made

    # Arguments ---------------------------------------------------------------------------------------

    def _check(self) -> None:
        self._expect(
            self.labels == "inferred" if isinstance(self.labels, str) else _is_list(self.labels),
            f"labels to be 'inferred', a list of numbers or None, received {self.labels!r}",
        )
        self._expect(
            self.label_mode in LABEL_MODES, f"label_mode to be one of {LABEL_MODES}, received {self.label_mode!r}"
        )
        inferred = isinstance(self.labels, str)
        self._expect(inferred or not self.class_names, "class_names only where labels are 'inferred'")
        self._check_split()

    def _check_split(self) -> None:
        split, subset = self.validation_split, self.subset
        self._expect((split is None or not split) == (subset is None), "validation_split and subset together, or none")
        self._expect(not split or 0 < split < 1, f"validation_split between 0 and 1, received {split}")
        self._expect(
            subset in (None, "training", "validation", "both"),
            f"subset to be 'training', 'validation' or 'both', received {subset!r}",
        )
        self._expect(
            not split or not self.shuffle or self.seed is not None,
            "a seed where files are shuffled and split, because both subsets need the same order",
        )

    def _expect(self, holds: Any, what: str) -> None:
        if not holds:
            raise ArgumentError(f"{self.where}: expected {what}.")

    # Files -------------------------------------------------------------------------------------------

    def _files(self) -> tuple[list[str], np.ndarray, list[Any] | None]:
        """The files, their labels, and the names of the classes; no labels and no names where none are wanted."""
        names: list[Any] | None = None
        if not self._labelled():
            paths = self._below("")
            labels = np.zeros(len(paths), "int32")
        elif isinstance(self.labels, str):
            names = self._names()
            numbers = {name: number for number, name in enumerate(names)}
            found = [(path, numbers[name]) for name in sorted(names) for path in self._below(name)]
            paths, labels = [path for path, _ in found], np.array([number for _, number in found], "int32")
        else:
            paths, labels = self._below(""), np.asarray(self.labels)
            self._expect(len(labels) == len(paths), f"a label for each of {len(paths)} files, received {len(labels)}")
            names = sorted(set(labels.tolist()))
        self._expect(paths, f"files that end with {', '.join(self.endings)} in {str(self.directory)!r}, found none")
        classes = len(names or ())
        binary = self._labelled() and self.label_mode == "binary"
        self._expect(not binary or classes == 2, f"two classes for 'binary', found {classes}")
        if self.verbose:
            print(f"Found {len(paths)} files" + (f" belonging to {classes} classes." if names else "."))
        return paths, labels, names

    def _labelled(self) -> bool:
        return self.labels is not None and self.label_mode is not None

    def _names(self) -> list[str]:
        folders = sorted(
            name for name in os.listdir(self.directory)
            if os.path.isdir(os.path.join(self.directory, name)) and not name.startswith(".")
        )  # fmt: skip
        if not self.class_names:
            return folders
        self._expect(
            set(self.class_names) <= set(folders),
            f"class_names that are folders in {str(self.directory)!r}, received {list(self.class_names)}",
        )
        return list(self.class_names)

    def _below(self, name: str) -> list[str]:
        """The files in a folder and those below it, folder by folder, in each by name."""
        start = os.path.join(self.directory, name) if name else self.directory
        return [
            os.path.join(root, file)
            for root, _, files in sorted(os.walk(start, followlinks=self.follow_links))
            for file in sorted(files)
            if file.lower().endswith(self.endings)
        ]

    def _parts(self, count: int) -> list[slice]:
        """The places of the files of each subset that is wanted; those for validation are the last ones."""
        if self.subset is None:
            return [slice(None)]
        kept = int(count * self.validation_split)  # type: ignore[operator]
        self._expect(0 < kept < count, f"a validation_split that leaves files on both sides of {count}")
        parts = {"training": slice(0, count - kept), "validation": slice(count - kept, count)}
        wanted = ["training", "validation"] if self.subset == "both" else [self.subset]
        for name in wanted if self.verbose else ():
            print(f"Using {len(range(count)[parts[name]])} files for {name}.")
        return [parts[name] for name in wanted]

    # Datasets ----------------------------------------------------------------------------------------

    def _dataset(
        self, paths: list[str], labels: np.ndarray, names: list[str] | None, seed: int | None, read: Any, join: Any
    ) -> Dataset:
        targets = _written(labels, self.label_mode, len(names)) if names else None

        def fetch(rows: np.ndarray) -> Any:
            samples = join([read(paths[row]) for row in rows])
            return samples if targets is None else (samples, targets[rows])

        made = dataset_of_rows(len(paths), fetch, self.batch_size, Orders(seed) if self.shuffle else None)
        made.class_names, made.file_paths = names, paths
        return made


def _is_list(labels: Any) -> bool:
    return labels is None or isinstance(labels, Sequence | np.ndarray)


def _written(labels: np.ndarray, label_mode: str | None, classes: int) -> np.ndarray:
    if label_mode == "categorical":
        return to_categorical(labels, classes)
    if label_mode == "binary":
        return labels.astype("float32")[:, None]
    return labels.astype("int32")


def dataset_of_rows(
    count: int, fetch: Callable[[np.ndarray], Any], batch_size: int | None, orders: Orders | None
) -> Dataset:
    """A dataset of samples that are known by their numbers.

    Args:
        count: how many samples there are.
        fetch: from the numbers of some samples to a batch of them.
        batch_size: samples a batch; None for single samples.
        orders: the order of the samples in each pass; None for that of their numbers.

    Raises: ArgumentError for a size below 1.
    """
    size = 1 if batch_size is None else batch_size
    if size < 1:
        raise ArgumentError(f"batch_size: expected at least 1, received {batch_size}.")

    def make() -> Any:
        rows = np.arange(count) if orders is None else orders.next().permutation(count)
        for start in range(0, count, size):
            batch = fetch(rows[start : start + size])
            parts = batch if isinstance(batch, tuple) else (batch,)
            shown = tuple(values_of(part[0] if batch_size is None else part) for part in parts)
            yield shown if isinstance(batch, tuple) else shown[0]

    return Dataset(make, -(-count // size))


@explains_failures
def split_dataset(
    dataset: Any, left_size: Share = None, right_size: Share = None, shuffle: bool = False, seed: int | None = None
) -> tuple[Dataset, Dataset]:
    """The first elements of a dataset and the last ones, such as samples for training and for validation.

    All elements are read and kept in memory.

    Args:
        dataset: a `Dataset` or anything else that is iterated again and again, an array, or a tuple, list or dict of
            arrays of one length, whose rows are the elements.
        left_size: how many elements the first part has, as a number or a share from 0 to 1; None for what the other
            part leaves.
        right_size: how many the second part has.
        shuffle: put the elements in a random order first.
        seed: of that order.

    Raises: ArgumentError if there is neither size, or the sizes leave a part without elements or exceed the whole.
    Source: Keras 3, `keras.utils.split_dataset`.
    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])
    """
    of_rows = isinstance(dataset, tuple | list | dict) or hasattr(dataset, "shape")
    elements = list(Dataset.from_tensor_slices(dataset) if of_rows else dataset)
    if shuffle:
        random.Random(seed).shuffle(elements)
    left, right = _sizes(len(elements), left_size, right_size)
    first, last = elements[:left], elements[left : left + right]
    return Dataset(lambda: iter(first), left), Dataset(lambda: iter(last), right)


def _sizes(count: int, left_size: Share, right_size: Share) -> tuple[int, int]:
    if left_size is None and right_size is None:
        raise ArgumentError("split_dataset: expected left_size or right_size, received none of both.")
    left, right = (round(size * count) if isinstance(size, float) else size for size in (left_size, right_size))
    left = count - right if left is None else left  # type: ignore[operator]
    right = count - left if right is None else right
    if left < 1 or right < 1 or left + right > count:
        raise ArgumentError(
            f"split_dataset: expected two parts of {count} elements, received left_size={left_size} and "
            f"right_size={right_size}."
        )
    return left, right
