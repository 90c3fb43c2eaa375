"""Models written for runtimes that know no Keras: `export(model, path)`, and the table of formats.

What `saving` writes is read again as a model; what is written here is a program that predicts. A format is a row of
`FORMATS`: its name, the ends of paths that mean it, and the module whose function `write(model, path, **options)`
writes it. That module is imported when it is first needed, and with it whatever package the format takes.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple

from keras_front.errors import ArgumentError

__all__ = ["FORMATS", "Exportable", "Format", "export"]


class Format(NamedTuple):
    """A way to write a model as a program.

    Attributes:
        module: the module with the function `write(model, path, **options)`.
        suffixes: the ends of paths that mean this format where none is named; none for a folder.
        what: what it is, in a few words, for messages.
        backend: the backend whose engine writes it; None for a format that needs none.
    Example:
        >>> FORMATS["onnx"].suffixes
        ('.onnx',)
    """

    module: str
    suffixes: tuple[str, ...]
    what: str
    backend: str | None = None


FORMATS: dict[str, Format] = {
    "onnx": Format("keras_front.export.onnx.file", (".onnx",), "a graph for ONNX Runtime and other runtimes of ONNX"),
    "numpy": Format("keras_front.export.engine", (".py",), "a Python file that needs NumPy alone", "numpy"),
    "saved_model": Format("keras_front.export.engine", (), "a SavedModel of TensorFlow, a folder", "tensorflow"),
    "torch": Format("keras_front.export.engine", (".pt2",), "a program of torch.export", "torch"),
    "stablehlo": Format("keras_front.export.engine", (".stablehlo",), "StableHLO, as jax.export writes it", "jax"),
}


def export(model: Any, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
    """Write how `model` predicts as a program for another runtime.

    Args:
        model: a built model.
        path: where to.
        format: the name of a format in `FORMATS`; by default the one that the end of `path` means.
        **options: what the format takes beside these; see the `write` of its module.

    Raises: ArgumentError for an unknown format or option; MissingPackageError if the format needs a package that is
        not installed; SerializationError for a model that the format cannot express.

    Example:
        >>> import tempfile
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> path = tempfile.mkdtemp() + "/predict.py"
        >>> export(Sequential([Dense(2, input_shape=(3,))]), path)
        >>> os.path.exists(path)
        True
    """
    row = FORMATS[format_of(path, format)]
    own = {} if row.backend is None else {"backend": row.backend}
    import_module(row.module).write(model, path, **own, **options)


def format_of(path: str | os.PathLike[str], format: str | None = None) -> str:
    """The name of the format that is meant.

    Args:
        path: where the program will be written.
        format: its name, if it was given.

    Raises: ArgumentError for an unknown one.
    """
    if format is not None:
        if format not in FORMATS:
            raise ArgumentError(f"export: unknown format {format!r}. Expected one of {', '.join(map(repr, FORMATS))}.")
        return format
    end = os.path.splitext(os.fspath(path))[1].lower()
    found = [name for name, row in FORMATS.items() if end in row.suffixes]
    if not found:
        rows = ", ".join(f"{name!r} ({' '.join(row.suffixes) or 'a folder'})" for name, row in FORMATS.items())
        raise ArgumentError(
            f"export: the path {os.fspath(path)!r} does not say which format is meant. Pass `format`, one of {rows}."
        )
    return found[0]


class Exportable:
    """What lets a model be written as a program."""

    def export(
        self, filepath: str | os.PathLike[str], format: str | None = None, verbose: bool | None = None, **options: Any
    ) -> None:
        """Write how the model predicts as a program for another runtime, which needs no Keras.

        The active backend does not matter, but for formats that are an engine's own.

        Args:
            filepath: where to.
            format: the name of a format in `keras_front.export.FORMATS`, such as 'onnx'; by default the one that the
                end of the path means.
            verbose: whether to print where the program went.
            **options: what the format takes beside these; see the `write` of its module in `keras_front.export`.

        Raises: ArgumentError for an unknown format or option; MissingPackageError if the format needs a package that is
            not installed; SerializationError for a model that the format cannot express.
        Source: Keras 3, `keras/src/models/model.py`.
        """
        export(self, filepath, format, **options)
        if verbose:
            print(f"Exported {getattr(self, 'name', 'the model')!r} to {os.fspath(filepath)}.")
