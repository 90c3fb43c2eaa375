"""The settings of the process, and where each of them came from.

Every setting has one value and one *source*: a call, an environment variable, a key of `keras.json`, or the
default. `keras-front info` prints both, because half of all configuration bugs are a value that came from
somewhere else.

Order of precedence, first found wins:

1. an explicit call (`set_floatx`, `set_backend`, `with use(...)`),
2. the environment: `KERAS_FRONT_<SETTING>`, then, for the backend, the classic `KERAS_BACKEND`,
3. `keras.json` (in `$KERAS_HOME` or `~/.keras`): our own key `"keras_front": {...}`, then the classic keys,
4. the default.

The file is shared with other Keras versions. So a classic key whose value we cannot use is passed over with a
warning, while a value that was addressed to us (a call, the environment, our own key) and cannot be used is
an error. The file is read at first use and is never written except by `save`.

This module must not know any backend: it hands the *names* on to `backend/discovery.py`.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

from keras_front.errors import ArgumentError, ConfigError

OWN_KEY = "keras_front"  # other Keras versions ignore a key that they do not know


class Setting(NamedTuple):
    """A value, where it came from, and whether it was addressed to us (`given`) or found in a shared key."""

    value: Any
    source: str
    given: bool = True


class Kind(NamedTuple):
    """What a setting is: its default, the rule for its values, and the older names that it is known by."""

    default: Any
    accept: Callable[[Any], Any]  # the value in its canonical form; ValueError with what was expected
    environment: tuple[str, ...] = ()
    shared_keys: tuple[str, ...] = ()


def _one_of(*choices: str) -> Callable[[Any], str]:
    def accept(value: Any) -> str:
        if value not in choices:
            raise ValueError("one of " + ", ".join(repr(choice) for choice in choices))
        return str(value)

    return accept


def _positive_number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("a positive number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("a positive number") from None
    if not (number > 0 and math.isfinite(number)):
        raise ValueError("a positive number")
    return number


_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}  # Keras 1 named the layout after an engine


def _data_format(value: Any) -> str:
    old_name = _ORDERINGS.get(value, value) if isinstance(value, str) else value
    return _one_of("channels_last", "channels_first")(old_name)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise ValueError("a name, or null for the default")
    return value.strip() if value is not None else None


def _seed_or_none(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if isinstance(value, bool | float) or not 0 <= number < 2**63:
        raise ValueError("an integer from 0 to 2**63 - 1, or null")
    return number


def _count_or_none(value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if isinstance(value, bool | float) or number < 0:
        raise ValueError("an integer from 0 on, where 0 means no bound, or null")
    return number or None


_WORDS = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}


def _yes_or_no(value: Any) -> bool:
    found = value if isinstance(value, bool) else _WORDS.get(str(value).lower())
    if found is None:
        raise ValueError("true or false")
    return found


NATIVE = "keras_front"  # our own dialect
ENGINES_OF_KERAS_2 = ("tensorflow", "theano", "cntk")
GENERATIONS = ("keras1", "keras2.2", "keras2.3", "keras3")


def _dialect(value: Any) -> str:
    return NATIVE if value == NATIVE else _one_of(*GENERATIONS)(value)


KINDS: dict[str, Kind] = {
    "backend": Kind("numpy", _text_or_none, ("KERAS_FRONT_BACKEND", "KERAS_BACKEND"), ("backend",)),
    "device": Kind(None, _text_or_none, ("KERAS_FRONT_DEVICE",)),
    "floatx": Kind("float32", _one_of("float16", "float32", "float64"), ("KERAS_FRONT_FLOATX",), ("floatx",)),
    "epsilon": Kind(1e-7, _positive_number, ("KERAS_FRONT_EPSILON",), ("epsilon",)),
    "image_data_format": Kind(
        "channels_last",
        _data_format,
        ("KERAS_FRONT_IMAGE_DATA_FORMAT",),
        ("image_data_format", "image_dim_ordering"),
    ),
    "seed": Kind(None, _seed_or_none, ("KERAS_FRONT_SEED",)),
    "dialect": Kind(NATIVE, _dialect, ("KERAS_FRONT_DIALECT",)),
    "old_name_warnings": Kind(True, _yes_or_no, ("KERAS_FRONT_OLD_NAME_WARNINGS",)),
    "speak_as": Kind("backend", _one_of("backend", *ENGINES_OF_KERAS_2), ("KERAS_FRONT_SPEAK_AS",)),
    "max_epochs": Kind(None, _count_or_none, ("KERAS_MAX_EPOCHS",)),
    "max_steps_per_epoch": Kind(None, _count_or_none, ("KERAS_MAX_STEPS_PER_EPOCH",)),
    "max_model_bytes": Kind(None, _count_or_none, ("KERAS_FRONT_MAX_MODEL_BYTES",)),
    "traceback_filtering": Kind(True, _yes_or_no, ("KERAS_FRONT_TRACEBACK_FILTERING",)),
}

# What holds for the process, and, where a `with` block is open, what holds in it: for its thread or task alone.
_settings: dict[str, Setting] = {}
_NO_BLOCK: Mapping[str, Setting] = {}
BLOCK: ContextVar[Mapping[str, Setting]] = ContextVar("keras_front_settings", default=_NO_BLOCK)
_warned: set[str] = set()

# Another object after each change of something that holds for the process and that programs bake in; see `revise`.
revision = object()


# Reading --------------------------------------------------------------------------------------------------


def path() -> Path:
    """Where `keras.json` is looked for: `$KERAS_HOME`, or `.keras` in the home folder."""
    folder = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    return Path(folder) / "keras.json"


def setting(name: str) -> Setting:
    """The setting called `name` with its source.

    Args:
        name: one of `KINDS`.

    Raises: ConfigError if there is no such setting, or if a value that was addressed to us cannot be used.
    """
    found = BLOCK.get().get(name) or _settings.get(name)
    if found is None:
        found = _settings[name] = next(candidates(name))
    return found


def _value(name: str) -> Any:
    """The value of a setting, by the shortest way."""
    return (BLOCK.get().get(name) or _settings.get(name) or setting(name)).value


def candidates(name: str) -> Iterator[Setting]:
    """Every usable value for `name`, best first; the default comes last.

    Args:
        name: one of `KINDS`.
    """
    kind = _kind(name)
    document = _read_file()
    for found in _found(name, kind, document):
        try:
            yield found._replace(value=kind.accept(found.value))
        except ValueError as expectation:
            _refuse(name, found, str(expectation))
    yield Setting(kind.default, "default", given=False)


def _found(name: str, kind: Kind, document: dict[str, Any]) -> Iterator[Setting]:
    for variable in kind.environment:
        if text := os.environ.get(variable, "").strip():  # an empty variable counts as unset
            yield Setting(text, f"environment variable {variable}")
    own = document.get(OWN_KEY)
    if isinstance(own, dict) and own.get(name) is not None:
        yield Setting(own[name], f"{path()}, key {OWN_KEY}.{name}")
    for key in kind.shared_keys:
        if document.get(key) is not None:
            yield Setting(document[key], f"{path()}, key {key}", given=False)


def _read_file() -> dict[str, Any]:
    try:
        if path().exists() and not path().is_file():
            raise OSError("it is no file")
        document = json.loads(path().read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
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


def _refuse(name: str, found: Setting, expectation: str) -> None:
    message = f"{found.source}: expected {expectation} for {name}, received {found.value!r}."
    if found.given:
        raise ConfigError(message + " Correct the value, or remove it to use the default.")
    warn_once(message + " It is passed over.")


def warn_once(message: str) -> None:
    """Warn with `message`, the first time that it comes up in this process.

    Args:
        message: the text, by which it is seen whether it came up before.
    """
    if message not in _warned:
        _warned.add(message)
        warnings.warn_explicit(message, UserWarning, "keras_front", 1)  # no line of code is to blame


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ConfigError(f"config: there is no setting {name!r}; the settings are {', '.join(KINDS)}.")
    return KINDS[name]


# Setting --------------------------------------------------------------------------------------------------


def put(name: str, value: Any, source: str) -> None:
    """Set `name` for the process, or until the end of a block of `use` that has set it.

    Args:
        name: one of `KINDS`.
        value: its value, in any form that the setting accepts.
        source: the place that said so, which `keras-front info` shows.

    Raises: ConfigError if the value is not one that the setting can have.
    """
    found = _accepted(name, value, source)
    block = BLOCK.get()
    if name in block:
        BLOCK.set({**block, name: found})
    else:
        _settings[name] = found
        revise()


def revise() -> None:
    """Say that something has changed which holds for the process and which programs bake in, settings or others.

    `keras_front.backend.scopes.trace_key` compares `revision`, instead of looking at everything at each call.
    """
    global revision
    revision = object()


def _accepted(name: str, value: Any, source: str) -> Setting:
    try:
        return Setting(_kind(name).accept(value), source)
    except ValueError as expectation:
        raise ConfigError(f"{source}: expected {expectation}, received {value!r}.") from None


@contextmanager
def use(**values: Any) -> Iterator[None]:
    """Other settings for a block: `with config.use(floatx="float64"): ...`.

    They hold for the thread or task that runs the block, not for others. For the backend and the device there are
    `use_backend` and `device`.

    Args:
        values: settings by name.

    Raises: ConfigError for an unknown setting or an unusable value; nothing is changed then.
    Example:
        >>> with use(epsilon=0.1):
        ...     epsilon()
        0.1
    """
    for name in {"backend", "device"} & set(values):
        raise ConfigError(f"config.use: the {name} has its own block; write `with {_OWN_BLOCK[name]}(...)`.")
    given = {name: _accepted(name, value, "config.use") for name, value in values.items()}
    token = BLOCK.set({**BLOCK.get(), **given})
    try:
        yield
    finally:
        BLOCK.reset(token)


_OWN_BLOCK = {"backend": "use_backend", "device": "device"}


def reload() -> None:
    """Forget every setting, so that the environment and `keras.json` are read again at the next use."""
    _settings.clear()
    BLOCK.set(_NO_BLOCK)
    _warned.clear()
    revise()


def save(file: str | os.PathLike[str] | None = None) -> Path:
    """Write the settings that differ from the defaults into `keras.json`, under our own key.

    Other keys of the file stay as they are; in particular `backend`, on which other Keras versions fail if
    they do not know the name. The file is replaced in one move, so a reader never sees half of it.

    Args:
        file: the file; by default the `keras.json` that `path` names.

    Raises: ConfigError if there is a file that is not a JSON object (it is left alone).
    """
    import tempfile

    target = Path(file) if file is not None else path()
    document = _existing(target)
    document[OWN_KEY] = {name: setting(name).value for name in KINDS if setting(name).value != KINDS[name].default}
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
    return target


def _existing(target: Path) -> dict[str, Any]:
    if not target.exists():
        return {}
    try:
        document = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise ConfigError(f"config.save: expected a JSON object in {target}; move that file away first.")
    return document


# The classic functions ------------------------------------------------------------------------------------


def floatx() -> str:
    """The default float type, as a string.

    Example:
        >>> floatx()
        'float32'
    """
    return _value("floatx")


def set_floatx(floatx: str) -> None:
    """Set the default float type: 'float16', 'float32' or 'float64'.

    Args:
        floatx: name of the type. Weights and constants made from now on have it; those that exist keep theirs.

    Raises: ConfigError for any other value.
    """
    put("floatx", floatx, "set_floatx")


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    Example:
        >>> epsilon()
        1e-07
    """
    return _value("epsilon")


def set_epsilon(e: float) -> None:
    """Set the number that `epsilon` returns; an integer will do.

    Args:
        e: a positive number; the default 1e-7 is that of Keras 2.

    Raises: ConfigError unless it is a positive, finite number.
    """
    put("epsilon", e, "set_epsilon")


def image_data_format() -> str:
    """The default layout of images: 'channels_last' or 'channels_first'.

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return _value("image_data_format")


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images. The Keras 1 names 'tf' and 'th' are understood.

    Args:
        data_format: 'channels_last' or 'channels_first'.

    Raises: ConfigError for any other value.
    """
    put("image_data_format", data_format, "set_image_data_format")


def normalize_data_format(value: str | None) -> str:
    """A data format by its current name; None stands for the default, 'tf' and 'th' for what Keras 1 meant.

    Args:
        value: 'channels_last', 'channels_first', 'tf', 'th' or None.

    Raises: ArgumentError for any other value.
    Example:
        >>> normalize_data_format("th")
        'channels_first'
    """
    if value is None:
        return image_data_format()
    try:
        return _data_format(value)
    except ValueError as expectation:
        raise ArgumentError(f"data_format: expected {expectation}, received {value!r}.") from None


def trace_key() -> tuple[Any, ...]:
    """The settings that become part of a program when a function is traced; see `keras_front.backend.state.trace_key`.

    Example:
        >>> trace_key()
        ('float32', 1e-07, 'channels_last', 'keras_front')
    """
    return floatx(), epsilon(), image_data_format(), current_dialect()


def enable_traceback_filtering() -> None:
    """Leave the frames of this package out of the tracebacks of errors, which is the default.

    Source: Keras 3.15, `keras/src/utils/traceback_utils.py`.
    """
    put("traceback_filtering", True, "enable_traceback_filtering")


def disable_traceback_filtering() -> None:
    """Show every frame in the tracebacks of errors, those of this package too.

    The environment variable `KERAS_FRONT_TRACEBACK_FILTERING=0` does the same for a whole process.
    """
    put("traceback_filtering", False, "disable_traceback_filtering")


def is_traceback_filtering_enabled() -> bool:
    """Whether the frames of this package are left out of tracebacks.

    Example:
        >>> is_traceback_filtering_enabled()
        True
    """
    return bool(_value("traceback_filtering"))


def set_old_name_warnings(shown: bool) -> None:
    """Whether a call with names of an older Keras is told, once for each place, how it reads today.

    The environment variable `KERAS_FRONT_OLD_NAME_WARNINGS=0` turns this off for a process and those that it starts.

    Args:
        shown: whether; natively True.
    """
    put("old_name_warnings", shown, "set_old_name_warnings")


# The dialect ----------------------------------------------------------------------------------------------


def current_dialect() -> str:
    """Whose defaults and conventions hold: one of the generations of Keras in `GENERATIONS`, or `NATIVE`.

    Returns: 'keras_front' unless another was chosen: the defaults of Keras 2.3.1, with what tf.keras and Keras 3 made
        of `clipnorm` and of activity penalties (see `keras_front.conventions`).
    """
    return _value("dialect")


def set_dialect(name: str) -> None:
    """Choose whose defaults hold from now on, where an argument is not given and no file says otherwise.

    Args:
        name: 'keras1', 'keras2.2', 'keras2.3', 'keras3', or 'keras_front', the default; see `current_dialect`.

    Raises: ConfigError for any other name.
    """
    put("dialect", name, "set_dialect")


def max_epochs() -> int | None:
    """The most epochs that one `fit` trains, for a quick run of a whole program; None: as many as it asks for.

    It is read from the environment variable KERAS_MAX_EPOCHS, unless `set_max_epochs` has set it.

    Source: Keras 3.15, `backend/config.py`.

    Example:
        >>> print(max_epochs())
        None
    """
    return _value("max_epochs")


def set_max_epochs(max_epochs: int | None) -> None:
    """Set the most epochs that one `fit` trains.

    Args:
        max_epochs: a number of epochs; None or 0 for no bound.

    Raises: ConfigError for any other value.
    """
    put("max_epochs", max_epochs, "set_max_epochs")


def max_steps_per_epoch() -> int | None:
    """The most batches that `fit` (in each epoch), `evaluate` and `predict` take; None: all of them.

    It is read from the environment variable KERAS_MAX_STEPS_PER_EPOCH, unless `set_max_steps_per_epoch` has set it.

    Source: Keras 3.15, `backend/config.py` and `trainers/epoch_iterator.py`.

    Example:
        >>> print(max_steps_per_epoch())
        None
    """
    return _value("max_steps_per_epoch")


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Set the most batches that `fit` (in each epoch), `evaluate` and `predict` take.

    Args:
        max_steps_per_epoch: a number of batches; None or 0 for no bound.

    Raises: ConfigError for any other value.
    """
    put("max_steps_per_epoch", max_steps_per_epoch, "set_max_steps_per_epoch")


def max_model_bytes() -> int:
    """The most bytes that the weights of a model may take which is made from a config alone, as by `model_from_json`.

    Unless it was set, by `set_max_model_bytes` or the environment variable KERAS_FRONT_MAX_MODEL_BYTES, it is the
    memory of the machine. What a file of weights holds is not bounded by it.
    """
    return _value("max_model_bytes") or _memory_of_machine()


def _memory_of_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return 1 << 36


def set_max_model_bytes(max_model_bytes: int | None) -> None:
    """Set the most bytes that the weights of a model may take which is made from a config alone.

    Args:
        max_model_bytes: a number of bytes; None or 0 for the memory of the machine.

    Raises: ConfigError for any other value.
    """
    put("max_model_bytes", max_model_bytes, "set_max_model_bytes")


def dialect(name: str) -> AbstractContextManager[None]:
    """A block in which the defaults and conventions of another Keras hold.

    A model that is compiled in the block keeps its conventions when it is trained later.

    Args:
        name: 'keras1', 'keras2.2', 'keras2.3' or 'keras3'.

    Raises: ConfigError for an unknown name.
    Example:
        >>> with dialect("keras1"):
        ...     current_dialect()
        'keras1'
    """
    return use(dialect=name)
