"""Models in the own format of an engine, which runs them without Keras; the engine's adapter writes it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from keras_front.backend import discovery
from keras_front.errors import ArgumentError, SerializationError

from . import prediction

__all__ = ["write"]

OWN_FOLDER = "saved_model.pb"  # a folder with this file is one that was exported before, and may be replaced


def write(
    model: Any, path: str | os.PathLike[str], backend: str, batch_size: int | None = None, **options: Any
) -> None:
    """Write how a model predicts in the own format of an engine.

    Args:
        model: a built model, on whatever backend.
        path: where to. What is there already stays until the new program is whole.
        backend: the name of the backend whose engine writes it.
        batch_size: the only size that the batch will have; by default any. Needed where the engine cannot record a
            layer without it.
        **options: what the adapter's `export_program` takes beside these, such as `platforms` for StableHLO.

    Raises: BackendNotFoundError if the engine is not installed; SerializationError for a model that it cannot express;
        ArgumentError for a path that cannot be written to.
    """
    prediction.check_batch(batch_size)
    adapter: Any = discovery.get(backend)
    final = Path(os.path.realpath(path))
    if not final.parent.is_dir():
        raise ArgumentError(f"{os.fspath(path)}: expected an existing folder, received {final.parent}.")
    found = prediction.record(model, adapter, batch_size)
    with tempfile.TemporaryDirectory(prefix=".export", dir=final.parent) as folder:
        try:
            with discovery.use_backend(adapter):
                adapter.export_program(found, Path(folder) / final.name, **options)
        except (TypeError, ValueError, NotImplementedError, RuntimeError) as error:
            raise _refused(model, backend, batch_size, error) from error
        for part in Path(folder).iterdir():
            _put(part, final.parent / part.name, Path(folder) / ".old")


def _put(part: Path, target: Path, old: Path) -> None:
    """Move what was written to its place; a folder that was exported before makes room for the new one."""
    if target.is_dir():
        if not (target / OWN_FOLDER).exists() and any(target.iterdir()):
            raise ArgumentError(f"{target}: expected a free name or an exported model, found another folder.")
        os.replace(target, old)
    os.replace(part, target)


def _refused(model: Any, backend: str, batch_size: int | None, error: Exception) -> SerializationError:
    remedy = "" if batch_size else "\n  Where an open batch is in the way, export it with batch_size=."
    return SerializationError(
        f"export: {model.name!r} cannot be recorded by {backend}: {type(error).__name__}: {str(error)[:600]}{remedy}"
    )
