"""`tf.data`: the datasets of `keras_front.utils.dataset`, which have its methods, and what programs say beside them.

Source: TensorFlow 2.15, `tf.data`.
"""

from __future__ import annotations

import csv
import gzip
from typing import Any

import numpy as np

from keras_front.errors import ArgumentError
from keras_front.utils.dataset import Dataset
from keras_front.utils.dataset_elements import TensorSpec, over, values_of
from keras_front.utils.dataset_sources import Elements as Iterator

from .image_files import decode_csv
from .records import records_of
from .texts import texts_of

__all__ = ["Dataset", "Iterator"]

AUTOTUNE = -1  # as a number of threads or batches
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


class Options:
    """Settings of how a dataset is computed, which change nothing here."""

    def __init__(self) -> None:
        self.__dict__["settings"] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.settings.setdefault(name, Options())

    def __setattr__(self, name: str, value: Any) -> None:
        self.settings[name] = value


def cardinality(dataset: Dataset) -> Any:
    """How many elements a dataset has; -2 if that is not known.

    Args:
        dataset: the dataset.
    """
    return dataset.cardinality()


def _paths(filenames: Any) -> list[str]:
    names = [filenames] if hasattr(filenames, "__fspath__") else filenames
    names = list(names) if isinstance(names, Dataset) else names
    return np.atleast_1d(texts_of([str(n) for n in names] if isinstance(names, list | tuple) else names)).tolist()


class _OfFiles:
    """Makes a dataset of what files hold."""

    def __new__(cls, filenames: Any, *args: Any, **options: Any) -> Any:
        paths = _paths(filenames)
        return Dataset(lambda: (item for path in paths for item in cls.items(path, *args, **options)))

    items: Any


class TextLineDataset(_OfFiles):
    """The lines of files, without what ends them.

    Args:
        filenames: a file, or several.
        compression_type: 'GZIP', or nothing.
    """

    @staticmethod
    def items(path: str, compression_type: Any = None, *args: Any, **options: Any) -> Any:
        """The lines of a file."""
        with gzip.open(path, "rb") if compression_type == "GZIP" else open(path, "rb") as file:
            for line in file:
                yield values_of(line.rstrip(b"\n").removesuffix(b"\r"))


class TFRecordDataset(_OfFiles):
    """The records of files.

    Args:
        filenames: a file, or several.
        compression_type: 'GZIP', 'ZLIB', or nothing.
    """

    @staticmethod
    def items(path: str, compression_type: Any = None, *args: Any, **options: Any) -> Any:
        """The records of a file."""
        return map(values_of, records_of(path, compression_type or ""))


class FixedLengthRecordDataset(_OfFiles):
    """The parts of files, all of one length.

    Args:
        filenames: a file, or several.
        record_bytes: the length.
        header_bytes: bytes before the first.
        footer_bytes: bytes behind the last.
    """

    @staticmethod
    def items(path: str, record_bytes: int, header_bytes: int = 0, footer_bytes: int = 0, *a: Any, **o: Any) -> Any:
        """The parts of a file."""
        with open(path, "rb") as file:
            data = file.read()
        ends = len(data) - (footer_bytes or 0) - record_bytes + 1
        return (values_of(data[i : i + record_bytes]) for i in range(header_bytes or 0, ends, record_bytes))


class CsvDataset(_OfFiles):
    """The lines of files of CSV, as tuples of columns.

    Args:
        filenames: a file, or several.
        record_defaults: as of `tf.io.decode_csv`.
        header: leave out the first line.
    """

    @staticmethod
    def items(path: str, record_defaults: Any, *args: Any, header: bool = False, **options: Any) -> Any:
        """The lines of a file."""
        named = {k: v for k, v in options.items() if k in ("field_delim", "use_quote_delim", "na_value", "select_cols")}
        for number, line in enumerate(TextLineDataset.items(path)):
            if number or not header:
                yield tuple(decode_csv(line, record_defaults, **named))


def make_csv_dataset(
    file_pattern: Any, batch_size: int, column_names: Any = None, column_defaults: Any = None, label_name: Any = None,
    select_columns: Any = None, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    header: bool = True, num_epochs: int | None = None, shuffle: bool = True, shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None, **options: Any,
) -> Dataset:  # fmt: skip
    """Batches of the columns of CSV files by their names, and of the label.

    Args:
        file_pattern: files by patterns.
        batch_size: rows a batch.
        column_names: the names of the columns; by default those in the first line.
        column_defaults: as of `tf.io.decode_csv`; by default they follow from the first rows.
        label_name: the column that is given beside the others.
        select_columns: the columns that are wanted, by name or number.
        field_delim: what stands between columns.
        use_quote_delim: whether quoted columns may hold that.
        na_value: what stands for a missing value.
        header: the first line of a file has names.
        num_epochs: how often the files are gone through; None for without end.
        shuffle: rows in a random order.
        shuffle_buffer_size: as of `Dataset.shuffle`.
        shuffle_seed: as of `Dataset.shuffle`.
        **options: not used.

    Raises: ArgumentError for a label that is no column.
    """
    paths = [str(path) for path in Dataset.list_files(file_pattern, shuffle=False)]
    lines = [str(texts_of(line)) for line in TextLineDataset(paths[0]).take(101)]
    quoting: Any = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    rows = list(csv.reader(lines, delimiter=field_delim, quoting=quoting))
    names = list(column_names) if column_names is not None else rows[0]
    chosen = [names.index(c) if isinstance(c, str) else int(c) for c in select_columns or range(len(names))]
    kept = [names[i] for i in chosen]
    if label_name is not None and label_name not in kept:
        raise ArgumentError(f"make_csv_dataset: expected label_name to be one of {kept}, received {label_name!r}.")
    defaults = column_defaults or [_default([row[i] for row in rows[header:]], na_value) for i in chosen]
    data = CsvDataset(
        paths, defaults, header=header, field_delim=field_delim, use_quote_delim=use_quote_delim, na_value=na_value,
        select_cols=chosen,
    )  # fmt: skip

    def by_name(*columns: Any) -> Any:
        row = dict(zip(kept, columns, strict=True))
        return row if label_name is None else (row, row.pop(label_name))

    data = data.map(by_name)
    data = data.shuffle(shuffle_buffer_size, shuffle_seed) if shuffle else data
    return data.repeat(num_epochs).batch(batch_size, drop_remainder=num_epochs is None)


def _default(fields: list[str], missing: str) -> list[Any]:
    """The default of a column whose values look like these."""
    for read, default in ((int, 0), (float, 0.0)):
        try:
            [read(field) for field in fields if field not in ("", missing)]
        except ValueError:
            continue
        return [default]
    return [""]


# `tf.data.experimental` and `tf.compat.v1.data` ------------------------------------------------------------

sample_from_datasets, choose_from_datasets = Dataset.sample_from_datasets, Dataset.choose_from_datasets


class AutoShardPolicy:
    """How datasets are divided among machines, which changes nothing here."""

    AUTO, FILE, DATA, HINT, OFF = 0, 1, 2, 3, -1


def _applied(name: str) -> Any:
    def make(*args: Any, **options: Any) -> Any:
        return lambda dataset: getattr(dataset, name)(*args, **options)

    make.__doc__ = f"For `Dataset.apply`: what `Dataset.{name}` makes of a dataset."
    return make


ignore_errors, unbatch, scan, take_while, unique = map(
    _applied, ("ignore_errors", "unbatch", "scan", "take_while", "unique")
)
group_by_window, bucket_by_sequence_length, enumerate_dataset, parallel_interleave = map(
    _applied, ("group_by_window", "bucket_by_sequence_length", "enumerate", "interleave")
)
snapshot, dense_to_ragged_batch = _applied("snapshot"), _applied("ragged_batch")


def shuffle_and_repeat(buffer_size: int, count: int | None = None, seed: int | None = None) -> Any:
    """For `Dataset.apply`: shuffled, and several times.

    Args:
        buffer_size: as of `Dataset.shuffle`.
        count: as of `Dataset.repeat`.
        seed: as of `Dataset.shuffle`.
    """
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def map_and_batch(map_func: Any, batch_size: int, *args: Any, drop_remainder: bool = False, **options: Any) -> Any:
    """For `Dataset.apply`: mapped, in batches.

    Args:
        map_func: as of `Dataset.map`.
        batch_size: as of `Dataset.batch`.
        args: not used.
        drop_remainder: as of `Dataset.batch`.
        **options: not used.
    """
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def prefetch_to_device(device: Any, buffer_size: int | None = None) -> Any:
    """For `Dataset.apply`: the same dataset.

    Args:
        device: not used: `fit` brings batches to its device.
        buffer_size: not used.
    """
    return lambda dataset: dataset


copy_to_device = prefetch_to_device


def assert_cardinality(expected_cardinality: int) -> Any:
    """For `Dataset.apply`: the same dataset, whose length is known by now.

    Args:
        expected_cardinality: the length.
    """
    return lambda dataset: Dataset(lambda: iter(dataset), int(expected_cardinality))


def get_single_element(dataset: Dataset) -> Any:
    """The only element of a dataset.

    Args:
        dataset: the dataset.
    """
    return dataset.get_single_element()


def make_one_shot_iterator(dataset: Dataset) -> Any:
    """One pass over a dataset.

    Args:
        dataset: the dataset.
    """
    return iter(dataset)


make_initializable_iterator = make_one_shot_iterator


def get_output_shapes(dataset: Dataset) -> Any:
    """The shape of each array of an element.

    Args:
        dataset: the dataset.
    """
    return over(lambda spec: spec.shape, dataset.element_spec)


def get_output_types(dataset: Dataset) -> Any:
    """The dtype of each array of an element.

    Args:
        dataset: the dataset.
    """
    return over(lambda spec: spec.dtype, dataset.element_spec)


class DatasetSpec(TensorSpec):
    """What the elements of a dataset are made of."""
