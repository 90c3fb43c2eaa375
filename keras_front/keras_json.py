"""The file `keras.json`: where it is, what it says, and how it is written.

It is shared with other Keras versions, so what is wrong with it is a warning, and what is not ours stays as it is.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_front.errors import ConfigError
from keras_front.setting_kinds import KINDS

OWN_KEY = "keras_front"  # other Keras versions ignore a key that they do not know
warned: set[str] = set()  # the warnings that were given in this process


def path() -> Path:
    """Where `keras.json` is looked for: `$KERAS_HOME`, or `.keras` in the home folder.

    Example:
        >>> path().name
        'keras.json'
    """
    folder = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    return Path(folder) / "keras.json"


def read() -> dict[str, Any]:
    """What the file says: nothing if there is none, or none that can be read, of which a warning tells.

    A file that Keras wrote by itself on import chooses no backend.
    """
    try:
        document = _parsed(path())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        warn_once(f"{path()} cannot be read and is ignored: {error}")
        return {}
    if not isinstance(document, dict):
        warn_once(f"{path()} is ignored: expected a JSON object, received {type(document).__name__}.")
        return {}
    _warn_of_unknown_keys(document.get(OWN_KEY))
    if {k: v for k, v in document.items() if k != OWN_KEY} in WRITTEN_BY_KERAS:
        return {k: v for k, v in document.items() if k != "backend"}
    return document


def _parsed(target: Path) -> Any:
    if target.exists() and not target.is_file():
        raise OSError("it is no file")
    return json.loads(target.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark


# What Keras writes by itself when it is imported and finds no file: nobody's choice of a backend.
# Source: Keras 1.2.2 and 2.3.1, `keras/backend/__init__.py`; Keras 3.15, `keras/src/backend/config.py`.
_UNCHOSEN = {"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow"}
WRITTEN_BY_KERAS = (
    {**_UNCHOSEN, "image_data_format": "channels_last"},
    {**_UNCHOSEN, "image_dim_ordering": "tf"},
)


def _warn_of_unknown_keys(own: Any) -> None:
    """Say which keys of our own part of the file mean nothing, and which ones may have been meant."""
    if own is not None and not isinstance(own, dict):
        warn_once(f"{path()}, key {OWN_KEY}: expected a JSON object of settings, received {own!r:.60}; it is ignored.")
        return
    for key in own or ():
        if key not in KINDS:
            from difflib import get_close_matches

            near = get_close_matches(key, list(KINDS), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            warn_once(f"{path()}, key {OWN_KEY}: there is no setting {key!r:.60}; it is ignored.{hint}")


def existing(target: Path) -> dict[str, Any]:
    """What a file says that is about to be changed; nothing if there is none.

    Args:
        target: the file.

    Raises: ConfigError if it is not a JSON object.

    Example:
        >>> from pathlib import Path
        >>> existing(Path("a file that is not there"))
        {}
    """
    if not target.exists():
        return {}
    try:
        document = _parsed(target)
    except (OSError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ConfigError(f"config.save: expected a JSON object in {target}; move that file away first.")
    return document


def write(target: Path, document: Mapping[str, Any]) -> None:
    """Replace the file in one move, so that a reader never sees half of it.

    Args:
        target: the file; its folder is made if it is not there.
        document: what it shall say.
    """
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".keras-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(document, indent=4) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def warn_once(message: str) -> None:
    """Warn with `message`, the first time that it comes up in this process.

    Args:
        message: the text, by which it is seen whether it came up before.
    """
    if message not in warned:
        warned.add(message)
        warnings.warn_explicit(message, UserWarning, "keras_front", 1)  # no line of code is to blame
