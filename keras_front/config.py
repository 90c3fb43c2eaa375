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

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from keras_front.errors import ArgumentError, ConfigError
from keras_front.keras_json import OWN_KEY, existing, warned, write
from keras_front.keras_json import path as path
from keras_front.keras_json import read as read_file
from keras_front.keras_json import warn_once as warn_once
from keras_front.setting_kinds import ENGINES_OF_KERAS_2 as ENGINES_OF_KERAS_2
from keras_front.setting_kinds import GENERATIONS as GENERATIONS
from keras_front.setting_kinds import KINDS as KINDS
from keras_front.setting_kinds import NATIVE as NATIVE
from keras_front.setting_kinds import Kind, data_format_named
from keras_front.setting_kinds import Setting as Setting

__all__ = [
    "current_dialect",
    "dialect",
    "disable_traceback_filtering",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_model_bytes",
    "max_model_layers",
    "max_steps_per_epoch",
    "normalize_data_format",
    "reload",
    "save",
    "set_dialect",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_model_bytes",
    "set_max_model_layers",
    "set_max_steps_per_epoch",
    "set_old_name_warnings",
    "setting",
    "use",
]

# What holds for the process, and, where a `with` block is open, what holds in it: for its thread or task alone.
_settings: dict[str, Setting] = {}
_NO_BLOCK: Mapping[str, Setting] = {}
BLOCK: ContextVar[Mapping[str, Setting]] = ContextVar("keras_front_settings", default=_NO_BLOCK)

# Another object after each change of something that holds for the process and that programs bake in; see `revise`.
revision = object()


# Reading --------------------------------------------------------------------------------------------------


def setting(name: str) -> Setting:
    """The setting called `name` with its source.

    Args:
        name: one of `KINDS`.

    Raises: ConfigError if there is no such setting, or if a value that was addressed to us cannot be used.

    Example:
        >>> setting("floatx").value
        'float32'
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
    document = read_file()
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


def _refuse(name: str, found: Setting, expectation: str) -> None:
    message = f"{found.source}: expected {expectation} for {name}, received {found.value!r}."
    if found.given:
        raise ConfigError(message + " Correct the value, or remove it to use the default.")
    warn_once(message + " It is passed over.")


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

    Example:
        >>> put("image_data_format", "channels_first", "a page")  # doctest: +SKIP
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
    """Forget every setting, so that the environment and `keras.json` are read again at the next use.

    Example:
        >>> reload()
        >>> floatx()
        'float32'
    """
    _settings.clear()
    BLOCK.set(_NO_BLOCK)
    warned.clear()
    revise()


def save(file: str | os.PathLike[str] | None = None) -> Path:
    """Write the settings that differ from the defaults into `keras.json`, under our own key.

    Other keys of the file stay as they are; in particular `backend`, on which other Keras versions fail if
    they do not know the name. The file is replaced in one move, so a reader never sees half of it.

    Args:
        file: the file; by default the `keras.json` that `path` names.

    Raises: ConfigError if there is a file that is not a JSON object (it is left alone).

    Example:
        >>> save("here/keras.json")  # doctest: +SKIP
    """
    target = Path(file) if file is not None else path()
    document = existing(target)
    document[OWN_KEY] = {name: setting(name).value for name in KINDS if setting(name).value != KINDS[name].default}
    write(target, document)
    return target


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

    Example:
        >>> set_floatx("float64")
        >>> floatx()
        'float64'
        >>> set_floatx("float32")
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

    Example:
        >>> set_epsilon(1e-6)
        >>> epsilon()
        1e-06
        >>> set_epsilon(1e-7)
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

    Example:
        >>> set_image_data_format("channels_first")
        >>> image_data_format()
        'channels_first'
        >>> set_image_data_format("channels_last")
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
        return data_format_named(value)
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

    Example:
        >>> enable_traceback_filtering()
        >>> is_traceback_filtering_enabled()
        True
    """
    put("traceback_filtering", True, "enable_traceback_filtering")


def disable_traceback_filtering() -> None:
    """Show every frame in the tracebacks of errors, those of this package too.

    The environment variable `KERAS_FRONT_TRACEBACK_FILTERING=0` does the same for a whole process.

    Example:
        >>> disable_traceback_filtering()
        >>> is_traceback_filtering_enabled()
        False
        >>> enable_traceback_filtering()
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

    Example:
        >>> set_old_name_warnings(True)
        >>> setting("old_name_warnings").value
        True
    """
    put("old_name_warnings", shown, "set_old_name_warnings")


# The dialect ----------------------------------------------------------------------------------------------


def current_dialect() -> str:
    """Whose defaults and conventions hold: one of the generations of Keras in `GENERATIONS`, or `NATIVE`.

    Returns: 'keras_front' unless another was chosen: the defaults of Keras 2.3.1, with what tf.keras and Keras 3 made
        of `clipnorm` and of activity penalties (see `keras_front.conventions`).

    Example:
        >>> current_dialect()
        'keras_front'
    """
    return _value("dialect")


def set_dialect(name: str) -> None:
    """Choose whose defaults hold from now on, where an argument is not given and no file says otherwise.

    Args:
        name: 'keras1', 'keras2.2', 'keras2.3', 'tf.keras' (of TensorFlow 2), 'keras3', or 'keras_front', the default;
            see `current_dialect`.

    Raises: ConfigError for any other name.

    Example:
        >>> set_dialect("keras_front")
        >>> setting("dialect").value
        'keras_front'
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

    Example:
        >>> set_max_epochs(3)
        >>> max_epochs()
        3
        >>> set_max_epochs(None)
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

    Example:
        >>> set_max_steps_per_epoch(10)
        >>> max_steps_per_epoch()
        10
        >>> set_max_steps_per_epoch(None)
    """
    put("max_steps_per_epoch", max_steps_per_epoch, "set_max_steps_per_epoch")


def max_model_bytes() -> int:
    """The most bytes that the weights of a model may take which is made from a config alone, as by `model_from_json`.

    Unless it was set, by `set_max_model_bytes` or the environment variable KERAS_FRONT_MAX_MODEL_BYTES, it is the
    memory of the machine, or what the process may have of it (`ulimit -v`). What a file of weights holds is not
    bounded by it; what layers keep beside their weights, such as the states of stateful ones, is.

    Example:
        >>> max_model_bytes() > 0
        True
    """
    return _value("max_model_bytes") or memory()


def memory() -> int:
    """The bytes of memory that the machine has, or of which the process may have (`ulimit -v`), if that is less.

    Example:
        >>> memory() > 0
        True
    """
    return min(_memory_of_machine(), _memory_of_process())


def _memory_of_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return 1 << 36


def _memory_of_process() -> int:
    try:
        import resource
    except ImportError:  # a system without limits
        return 1 << 62
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    return 1 << 62 if allowed == resource.RLIM_INFINITY else allowed


def set_max_model_bytes(max_model_bytes: int | None) -> None:
    """Set the most bytes that the weights of a model may take which is made from a config alone.

    Args:
        max_model_bytes: a number of bytes; None or 0 for the memory of the machine.

    Raises: ConfigError for any other value.

    Example:
        >>> set_max_model_bytes(None)
        >>> setting("max_model_bytes").value is None
        True
    """
    put("max_model_bytes", max_model_bytes, "set_max_model_bytes")


def max_model_layers() -> int | None:
    """The most layers that a config in a file or text may describe, calls of a layer beyond its first included.

    It is read from the environment variable KERAS_FRONT_MAX_MODEL_LAYERS, unless `set_max_model_layers` has set it.

    Returns: the number, by default 10,000, which are read in some six seconds; None: any.
    Example:
        >>> max_model_layers()
        10000
    """
    return _value("max_model_layers") or None


def set_max_model_layers(max_model_layers: int) -> None:
    """Set the most layers that a config in a file or text may describe.

    Args:
        max_model_layers: a number of layers and further calls of layers; 0 for no bound.

    Raises: ConfigError for any other value.

    Example:
        >>> set_max_model_layers(10_000)
        >>> setting("max_model_layers").value
        10000
    """
    put("max_model_layers", max_model_layers, "set_max_model_layers")


def dialect(name: str) -> AbstractContextManager[None]:
    """A block in which the defaults and conventions of another Keras hold.

    A model that is compiled in the block keeps its conventions when it is trained later.

    Args:
        name: 'keras1', 'keras2.2', 'keras2.3', 'tf.keras' or 'keras3'.

    Raises: ConfigError for an unknown name.
    Example:
        >>> with dialect("keras1"):
        ...     current_dialect()
        'keras1'
    """
    return use(dialect=name)
