"""What goes wrong while a file is read becomes one kind of error, which names the file and the place in it.

Readers below (HDF5, zlib, zipfile, NumPy, the constructors of layers) raise whatever they raise when they are given
what no writer wrote. Here it becomes an `UnreadableFileError`, or for texts and dictionaries a `SerializationError`,
with what was expected and the error itself as its cause. Errors of keras_front keep their class and are told where they
happened. Errors that came from code of the user's, such as the `from_config` of a custom layer, are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from keras_front.errors import KerasFrontError, SerializationError
from keras_front.tracebacks import passed_user_code

__all__ = ["reading"]


@contextmanager
def reading(
    where: str,
    expected: str,
    kind: type[SerializationError] = SerializationError,
    place: Callable[[BaseException], str] = lambda error: "",
) -> Iterator[None]:
    """A context in which what goes wrong becomes an error of keras_front that says where.

    Args:
        where: what to call the file or config in messages.
        expected: what was to be found there, in words.
        kind: class of the new error.
        place: function of an error that says where in the file it happened, or an empty text.

    Raises: `kind`; errors of keras_front keep their class.
    """
    try:
        yield
    except KerasFrontError as error:
        _locate(error, where, place(error))
        raise
    except Exception as error:
        if passed_user_code(error):
            raise
        at = ", ".join(filter(None, (where, place(error))))
        raise kind(f"{at}: expected {expected}, received what cannot be read ({_told(error)}).") from error


def _told(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text:.200}" if text else type(error).__name__


def _locate(error: KerasFrontError, where: str, place: str) -> None:
    """Put the file and the place before the message, unless it names the file already."""
    text = str(error)
    if where not in text:
        error.args = (f"{', '.join(filter(None, (where, place)))}: {text}", *error.args[1:])
