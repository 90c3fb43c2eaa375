"""What CIFAR-10 and CIFAR-100 share: the files of a batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import config
from keras_front.datasets.files import Split
from keras_front.errors import SerializationError

__all__ = ["load_batch"]


def load_batch(fpath: str | os.PathLike[str], label_key: str = "labels") -> tuple[np.ndarray, Any]:
    """Pictures and labels of one file.

    Args:
        fpath: the file, a pickle of Python 2. Nothing that it names is run.
        label_key: which labels: 'labels' for CIFAR-10, 'fine_labels' or 'coarse_labels' for CIFAR-100.

    Shape: pictures (n, 3, 32, 32), uint8; a list of n labels.
    Raises: SerializationError if the file holds something else; UnsafeFileError if it asks for more than arrays.
    Source: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html; Keras 2.3.1, `keras/datasets/cifar.py`.
    """
    from keras_front.utils.pickles import load_pickle

    content = load_pickle(Path(fpath).read_bytes(), os.fspath(fpath))
    if isinstance(content, dict):
        content = {key.decode("latin-1") if isinstance(key, bytes) else key: value for key, value in content.items()}
        data, labels = content.get("data"), content.get(label_key)
        if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == 3072 and labels is not None:
            return data.reshape(-1, 3, 32, 32), labels
    raise SerializationError(f"{os.fspath(fpath)}: expected a CIFAR batch with 'data' and {label_key!r}.")


def load_split(files: list[Path], label_key: str) -> Split:
    """Pictures and labels of several files as arrays, in the layout of the configuration.

    Args:
        files: batches.
        label_key: which labels, as in `load_batch`.
    """
    batches = [load_batch(file, label_key) for file in files]
    x = np.concatenate([pictures for pictures, _ in batches])
    y = np.concatenate([np.asarray(labels, "uint8") for _, labels in batches]).reshape(-1, 1)
    return (x.transpose(0, 2, 3, 1) if config.image_data_format() == "channels_last" else x), y
