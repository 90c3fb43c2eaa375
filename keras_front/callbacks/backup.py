"""Callbacks around the state of training: `BackupAndRestore` and `SwapEMAWeights`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_front import arguments
from keras_front import backend as K
from keras_front.arguments import Flag
from keras_front.backend.placement import path_to_write, writes_files
from keras_front.callbacks.base import Callback, SavesEvery, as_list
from keras_front.errors import ArgumentError, StateError, UnreadableFileError

__all__ = ["BackupAndRestore", "SwapEMAWeights"]


class BackupAndRestore(SavesEvery):
    """Saves weights, optimizer and the number of the epoch, and lets a `fit` that was broken off go on from there.

    When training ends as it should, the backup is deleted. A process that was ended in between finds it when it calls
    the same `fit` again: what was trained is not trained once more. It goes on with the same numbers, on the same or on
    another backend: slots and step size of the optimizer, states of layers, the seed of noise, the order of the samples
    and the means of the epoch are in the backup. (Noise is the same on another backend after
    `set_random_seed(seed, reproducible=True)`.) `fit(resume=folder)` is a shorter way to say it.

    What other callbacks have counted is not kept. A generator begins anew; batches of the epoch that are done are drawn
    from it and left out.

    Args:
        backup_dir: folder of the backup; nothing else should be in it.
        save_freq: 'epoch' to save after each epoch, or after how many batches: then the epoch goes on where it was.
        delete_checkpoint: delete the backup when training has ended.
        save_before_preemption: accepted because tf.keras has it; nothing tells of a preemption here.
        double_checkpoint: keep the backup before the last one, and take it if the last one cannot be read.

    Raises: ArgumentError for another `save_freq` or an empty folder name; StateError if the model has no weights yet.
    Source: tf.keras 2.15, `keras/src/callbacks.py`; Keras 3.15, `keras/src/callbacks/backup_and_restore.py`.

    Example:
        >>> backup = BackupAndRestore("backup")  # fit(..., callbacks=[backup]); the same call again goes on
    """

    def __init__(
        self,
        backup_dir: arguments.Path,
        save_freq: str | int = "epoch",
        delete_checkpoint: Flag = True,
        save_before_preemption: bool = False,
        double_checkpoint: Flag = False,
    ):
        super().__init__()
        if not backup_dir:
            raise ArgumentError("BackupAndRestore: expected the name of a folder as backup_dir, received nothing.")
        self._save_every(save_freq)
        self.backup_dir = os.fspath(backup_dir)
        self.delete_checkpoint, self.double_checkpoint = delete_checkpoint, double_checkpoint
        self.save_before_preemption = save_before_preemption

    def _metadata(self) -> dict[str, Any]:
        """What is known of the last save, and of the one before: the epoch, and the folder of the state."""
        file = Path(self.backup_dir, "training_metadata.json")
        if not file.exists():
            return {}
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(_damaged(file, f"JSON ({type(error).__name__})")) from None
        for saved in (found, found.get("previous") or {}) if isinstance(found, dict) else (None,):
            state = saved.get("state", "state-") if isinstance(saved, dict) else None
            if not isinstance(state, str) or Path(state).name != state or not state.startswith("state-"):
                raise UnreadableFileError(_damaged(file, "the names of folders beside it"))
        return found

    def _position(self) -> Any:
        return self.model._compilation.steps.position

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self.model.built:
            raise StateError(
                "BackupAndRestore: the model must be built before `fit`; call it on a batch, or give its input shape."
            )
        self._epoch = self._batches = 0
        last = self._metadata()
        if not last:
            return
        try:
            self._restore(last)
        except (OSError, ValueError, KeyError):
            if not (self.double_checkpoint and last.get("previous")):
                raise
            self._restore(last["previous"])

    def _restore(self, saved: Mapping[str, Any]) -> None:
        folder = Path(self.backup_dir, str(saved["state"]))
        self.model.load_weights(str(folder / "latest.weights.h5"))
        with np.load(folder / "training.npz", allow_pickle=False) as stored:
            self._position().restore(stored, int(saved["done"]))
        self._epoch = max(int(saved["epoch"]), self.model._initial_epoch)
        self.model._initial_epoch = self._epoch

    def _save_within(self, batch: int, logs: Mapping[str, Any]) -> None:
        self._save(batch, done=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(0)

    def _save(self, batch: int, done: int = 0) -> None:
        """Write the state into a folder of its own; the last one counts until the name of the new one is written.

        `done` batches of the epoch are trained; 0 before the epoch begins.
        """
        import shutil
        import tempfile

        last, base = self._metadata(), Path(path_to_write(self.backup_dir))
        base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="state-", dir=base))
        self.model.save_weights(str(folder / "latest.weights.h5"), overwrite=True)
        arrays: dict[str, Any] = self._position().saved(within=done > 0)
        np.savez(folder / "training.npz", **arrays)
        keys = ("epoch", "batch", "done", "state")
        before = {key: last[key] for key in keys} if last and self.double_checkpoint else None
        found = {"epoch": self._epoch, "batch": batch, "done": done, "state": folder.name, "previous": before}
        (base / "training_metadata.tmp").write_text(json.dumps(found), encoding="utf-8")
        os.replace(base / "training_metadata.tmp", base / "training_metadata.json")
        kept = {folder.name, (before or {}).get("state")}
        for other in base.glob("state-*"):
            if other.name not in kept:
                shutil.rmtree(other, ignore_errors=True)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        import shutil

        if self.delete_checkpoint and writes_files():
            shutil.rmtree(self.backup_dir, ignore_errors=True)


def _damaged(file: Path, expected: str) -> str:
    return (
        f"{file}: expected {expected}, as BackupAndRestore writes it, received something else. Delete the folder to "
        "begin anew."
    )


def with_backup(callbacks: Any, resume: Any) -> Any:
    """The callbacks of `fit(callbacks=..., resume=...)`: a backup comes first, since others may look at the weights.

    Args:
        callbacks: a list of callbacks, one of them, or None.
        resume: folder of the backup, a `BackupAndRestore`, or None.

    Raises: ArgumentError if `resume` is something else.
    Example:
        >>> [type(callback).__name__ for callback in with_backup(None, "backup")]
        ['BackupAndRestore']
    """
    if resume is None:
        return callbacks
    if not isinstance(resume, str | os.PathLike | BackupAndRestore):
        raise ArgumentError(f"fit: expected resume to be a folder or a BackupAndRestore, received {resume!r:.60}.")
    given = as_list(callbacks)
    backup = resume if isinstance(resume, BackupAndRestore) else BackupAndRestore(resume)
    return [backup, *(callback for callback in given if callback is not backup)]


class SwapEMAWeights(Callback):
    """Puts the running means of the weights into their places while the model is evaluated.

    The optimizer keeps the means: `Adam(use_ema=True)`.

    Args:
        swap_on_epoch: put them there from the end of each epoch until the next begins, so that callbacks behind this
            one see them, such as `ModelCheckpoint`.

    Raises: ArgumentError if the optimizer keeps no means.
    Source: Keras 3.15, `keras/src/callbacks/swap_ema_weights.py`.

    Example:
        >>> swap = SwapEMAWeights()  # compile(Adam(use_ema=True)), fit(..., callbacks=[swap])
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._aside: list[Any] | None = None  # the weights, while their means are in their places

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if not getattr(model.optimizer, "use_ema", False):
            raise ArgumentError(
                "SwapEMAWeights: expected an optimizer with use_ema=True, whose means can be swapped in, received "
                f"{type(model.optimizer).__name__}."
            )

    def _swap_in(self) -> None:
        optimizer, weights = self.model.optimizer, self.model.trainable_weights
        if self._aside is not None or not int(K.get_value(optimizer._iterations)):  # before a step there are no means
            return
        self._aside = K.batch_get_value(weights)
        means = K.batch_get_value([optimizer.slots_of(weight)["average"] for weight in weights])
        K.batch_set_value(list(zip(weights, means, strict=True)))

    def _swap_out(self) -> None:
        if self._aside is not None:
            K.batch_set_value(list(zip(self.model.trainable_weights, self._aside, strict=True)))
            self._aside = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._swap_out()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._swap_in()

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._swap_in()

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._swap_out()

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._swap_in()

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._swap_out()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._aside = None  # `fit` has put the means into their places for good
