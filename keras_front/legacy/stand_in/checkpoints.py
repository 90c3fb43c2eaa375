"""`tf.train`: checkpoints of what a loop of a program's own trains, in files of NumPy.

A checkpoint has the variables of models, layers, optimizers and modules, and single variables, by the names under
which they were given. Those of TensorFlow itself are read by `model.load_weights`.
Source: TensorFlow 2.15, `tensorflow/python/checkpoint`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.errors import ArgumentError, ShapeError
from keras_front.optimizers import Optimizer
from keras_front.saving.files import is_named_as_checkpoint

_SUFFIX = ".ckpt.npz"
_HDF5 = b"\x89HDF\r\n\x1a\n"


class Status:
    """What `restore` returns; it was carried out."""

    def expect_partial(self) -> Status:
        """It itself."""
        return self

    assert_consumed = assert_existing_objects_matched = assert_nontrivial_match = run_restore_ops = expect_partial


class Checkpoint:
    """Values of variables that are written and read together.

    Args:
        root: an object whose attributes belong to it; None for none.
        objects: models, layers, optimizers, modules and variables by name; also attributes.
    """

    def __init__(self, root: Any = None, **objects: Any):
        self.__dict__.update({"root": root} if root is not None else {}, **objects)
        self.save_counter = K.variable(0, "int64", "save_counter")

    def _variables(self) -> Iterator[tuple[str, Any]]:
        held = dict(sorted(vars(self).items()))
        weights = [w for item in held.values() for w in getattr(item, "trainable_weights", ())]
        for name, item in held.items():
            if K.is_variable(item):
                yield name, item
                continue
            if isinstance(item, Optimizer):
                item.prepare(list(weights) if len(item.weights) <= 1 and not item.params else item.params)
            found = getattr(item, "variables", getattr(item, "weights", ()))
            yield from ((f"{name}/{i}", v) for i, v in enumerate(found() if callable(found) else found))

    def write(self, file_prefix: str, options: Any = None) -> str:
        """Write the values to a file; returns its prefix.

        Args:
            file_prefix: the path, to which a suffix is added.
            options: not used.
        """
        path = Path(f"{file_prefix}{_SUFFIX}")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".part")
        with open(draft, "wb") as file:
            np.savez(file, **{name: variable.numpy() for name, variable in self._variables()})
        os.replace(draft, path)
        return str(file_prefix)

    def save(self, file_prefix: str, options: Any = None) -> str:
        """Write the values to a file with a number; returns its prefix, such as 'folder/ckpt-1'.

        Args:
            file_prefix: the path before the number.
            options: not used.
        """
        self.save_counter.assign_add(1)
        return self.write(f"{file_prefix}-{int(self.save_counter)}")

    def restore(self, save_path: str | None, options: Any = None) -> Status:
        """Read the values from a file.

        Args:
            save_path: the prefix that `save` gave; None changes nothing.
            options: not used.

        Raises: ArgumentError if there is no such file; ShapeError where a variable has another shape.
        """
        if save_path is None:
            return Status()
        path = Path(f"{save_path}{_SUFFIX}")
        if not path.exists():
            raise ArgumentError(f"tf.train.Checkpoint: expected a checkpoint at {str(save_path)!r}, there is none.")
        with np.load(path, allow_pickle=False) as values:
            for name, variable in self._variables():
                if name in values and values[name].shape != tuple(variable.shape):
                    raise ShapeError(f"{name}: expected the shape {variable.shape}, the file has {values[name].shape}.")
                if name in values:
                    variable.assign(values[name])
        return Status()

    read = restore


class CheckpointManager:
    """The last checkpoints of a folder.

    Args:
        checkpoint: what is written.
        directory: the folder.
        max_to_keep: how many stay; None for all.
        keep_checkpoint_every_n_hours: not used.
        checkpoint_name: what files are called, before their number.
        options: not used.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: Any = None,
        checkpoint_name: str = "ckpt",
        **options: Any,
    ):
        self.checkpoint, self.directory, self.max_to_keep = checkpoint, str(directory), max_to_keep
        self._prefix = str(Path(self.directory) / checkpoint_name)

    @property
    def checkpoints(self) -> list[str]:
        """The prefixes of those that there are, the oldest first."""
        return _prefixes(self.directory)

    @property
    def latest_checkpoint(self) -> str | None:
        """The newest one, or None."""
        return latest_checkpoint(self.directory)

    def save(self, checkpoint_number: int | None = None, **options: Any) -> str:
        """Write one, and remove those that are too many; returns its prefix.

        Args:
            checkpoint_number: its number; by default that of the one before, and 1 more.
            options: not used.
        """
        if checkpoint_number is None:
            saved = self.checkpoint.save(self._prefix)
        else:
            saved = self.checkpoint.write(f"{self._prefix}-{int(checkpoint_number)}")
        for old in self.checkpoints[: -self.max_to_keep] if self.max_to_keep else []:
            Path(f"{old}{_SUFFIX}").unlink()
        return saved

    def restore_or_initialize(self) -> str | None:
        """Read the newest one; returns its prefix, or None if there is none."""
        newest = self.latest_checkpoint
        self.checkpoint.restore(newest)
        return newest


def _prefixes(directory: Any) -> list[str]:
    files = Path(directory).glob(f"*{_SUFFIX}")
    found = [str(path)[: -len(_SUFFIX)] for path in files]
    return sorted(found, key=lambda prefix: int((re.findall(r"-(\d+)$", prefix) or ["0"])[0]))


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """The prefix of the newest checkpoint of a folder, or None.

    Args:
        checkpoint_dir: the folder.
        latest_filename: not used.
    """
    written = _prefixes(checkpoint_dir)
    return written[-1] if written else _newest_of_save_weights(checkpoint_dir)


def _newest_of_save_weights(directory: Any) -> str | None:
    """The newest file that `save_weights` wrote under a name of a checkpoint, such as 'cp-0003.ckpt'."""
    found = [path for path in Path(directory).glob("*") if path.is_file() and is_named_as_checkpoint(path)]
    weights = [path for path in found if path.open("rb").read(len(_HDF5)) == _HDF5]
    return str(max(weights, key=lambda path: (path.stat().st_mtime_ns, path.name))) if weights else None
