"""Finding backends and choosing the active one.

A backend is found by its entry point in the group `keras_front.backends` (those of this project like anyone's), or
by a dotted path, `"package.module:Class"`. Its module is imported when it is first activated, never to learn whether
it exists: `available()` looks for the engine's module and reads the installed metadata, it imports neither.

The active backend is a context variable: a block (`with use_backend(...)`), a thread or an async task may
have its own. Where a context has none, the backend of the process answers, which is chosen at first use from
the configuration. There is one instance of each backend in a process, so weights on "the same backend" are on
the same object.

This module must not know any engine. The convention that stands in for knowledge: an entry point has the name
of the engine's top-level module, and the distribution that declares it may have an *extra* of that name,
which installs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_front import config
from keras_front.backend.engine import Engine
from keras_front.errors import BackendError, BackendNotFoundError
from keras_front.tracebacks import api_boundary

if TYPE_CHECKING:
    from importlib import metadata

GROUP = "keras_front.backends"
DEFAULT = config.KINDS["backend"].default

# Engines of old Keras versions that nobody can have any more, and the backend on the engine that carries each of them
# on, if one does. A file or variable that names one is old, not wrong.
RETIRED = {"theano": "pytensor", "cntk": "onnxruntime", "mxnet": None, "plaidml.keras.backend": None}

ACTIVE: ContextVar[Engine | None] = ContextVar("keras_front_backend", default=None)
DEVICE: ContextVar[str | None] = ContextVar("keras_front_device", default=None)
refusals = 0  # how often a fork has left engines behind that refuse to work, from this process to its first parent
DISTRIBUTION: ContextVar[Any] = ContextVar("keras_front_distribution", default=None)

_HOST = (np.ndarray, np.generic, bool, int, float, list, tuple, str)
_lock = threading.RLock()
_instances: dict[str, Engine] = {}
_process_default: Engine | None = None
_process_distribution: Any = None


class Status(NamedTuple):
    """What is known about a backend without importing it."""

    name: str
    usable: bool
    version: str | None  # of the engine, if its metadata says
    target: str  # where the adapter is: "package.module:Class"
    remedy: str | None  # what to install, if it is not usable


# The active backend ---------------------------------------------------------------------------------------


def active() -> Engine:
    """The backend that runs ops here and now; at first use, the one that the configuration asks for.

    Raises: BackendNotFoundError if the user asked for one that cannot be had; the message says what to
        install.
    """
    found = ACTIVE.get()
    if found is None:
        found = _process_default or _choose()
    return found


def present() -> Engine | None:
    """The active backend if there is one already; none is chosen or loaded."""
    found = ACTIVE.get()
    return _process_default if found is None else found


def wake() -> None:
    """Load the backend that is chosen if its engine is imported already, so that its functions know our variables."""
    if present() is None and str(config.setting("backend").value) in sys.modules:
        active()


def backend() -> str:
    """The name of the active backend.

    Example:
        >>> with use_backend("numpy"):
        ...     backend()
        'numpy'
    """
    return active().name


@api_boundary
def set_backend(backend: str | Engine) -> None:
    """Make `backend` the active one: a name, a dotted path, or an instance.

    Called in the main thread it holds for this context and for every thread that has not chosen for itself;
    called in another thread it holds for that thread. Models that are already there move when they are next
    used.

    Args:
        backend: the name of a backend (`K.available()` lists them), "package.module:Class", or an instance of an
            adapter.

    Raises: BackendNotFoundError if there is no such backend; BackendError if it lacks a primitive.

    Example:
        >>> K.set_backend("numpy")
        >>> K.backend()
        'numpy'
    """
    chosen = get(backend)
    _activate(chosen)
    if threading.current_thread() is threading.main_thread():
        config.put("backend", chosen.name, "set_backend")


def _activate(chosen: Engine) -> None:
    global _process_default
    ACTIVE.set(chosen)
    if threading.current_thread() is threading.main_thread():
        _process_default = chosen


@contextmanager
def use_backend(backend: str | Engine) -> Iterator[Engine]:
    """Another backend for a block, in this thread only; the block is given the adapter.

    Async tasks and `asyncio.to_thread` that are started inside take it along. Threads, pools of threads and
    `loop.run_in_executor` do not: there the backend of the process answers, unless the work is passed as
    `contextvars.copy_context().run`, or the model has a backend of its own (`model.to_backend`).

    Args:
        backend: what `set_backend` takes: a name, a dotted path, or an instance of an adapter.

    Raises: BackendNotFoundError if there is no such backend; BackendError if it lacks a primitive.

    Example:
        >>> with use_backend("numpy") as engine:
        ...     engine.name
        'numpy'
    """
    chosen = get(backend)
    token = ACTIVE.set(chosen)
    try:
        yield chosen
    finally:
        ACTIVE.reset(token)


def get(backend: str | Engine) -> Engine:
    """The one instance of a backend, made and checked at first use; it does not become the active one.

    Where a distribution is set, it is the adapter that stands for the backend under it, if the backend has one. An
    adapter that stands for one under some distribution is taken as it is.

    Args:
        backend: a name, "package.module:Class", or an instance of an adapter, which is then the one of its name.

    Raises: BackendNotFoundError if there is no such backend; BackendError if it lacks a primitive.
    """
    if isinstance(backend, str):
        found = _instances.get(backend)
        found = found if found is not None else _load(backend)
    else:
        found = _adopt(undistributed(backend))
        if found is not backend:
            return backend
    wanted = distribution()
    return found if wanted is None or not getattr(found, "distributes", False) else wanted.adapter_of(found)


def loaded() -> list[Any]:
    """The backends that this process has made up to now."""
    return list(_instances.values())


def owner(value: Any) -> Engine | None:
    """The backend of this process whose tensor something is; None for host arrays and for tensors of nobody.

    Args:
        value: anything. No backend is loaded to find out.
    """
    if isinstance(value, _HOST):
        return None
    active = present()
    if active is not None and active.is_tensor(value):
        return active
    return next((known for known in list(_instances.values()) if known.is_tensor(value)), None)


# The device -----------------------------------------------------------------------------------------------


def engine_of(value: Any) -> Engine | None:
    """The backend on the engine from which a tensor comes; None if no such backend is known.

    Args:
        value: a tensor. Its engine is there, so that its backend can be loaded, as it is here where it was not yet.
    """
    name = type(value).__module__.partition(".")[0]
    return get(name) if name in _entry_points() else None


def host_value(value: Any) -> np.ndarray:
    """The numbers of an array, or of a tensor of any backend of this process, as an array.

    Args:
        value: an array, a number or a tensor.
    """
    found = owner(value)
    return np.asarray(value if found is None else found.to_numpy(value))


def current_device() -> str | None:
    """The device asked for ('cpu', 'cuda', 'cuda:1', ...), or None for the best one that the engine has."""
    chosen = DEVICE.get()
    return chosen if chosen is not None else config.setting("device").value


@contextmanager
def device(name: str) -> Iterator[None]:
    """A context that puts what is made in it on another device.

    Which names mean something is the active backend's business: an unknown one is an error at the first tensor that
    is put there. NumPy, whose tensors are in one place, takes no notice.

    Args:
        name: such as 'cpu', 'cuda' or 'cuda:1', in either case.

    Raises: BackendError unless `name` is a text that is not empty.

    Example:
        >>> with device("cpu"):
        ...     K.eval(K.ones((2,))).tolist()
        [1.0, 1.0]
    """
    if not isinstance(name, str) or not name.strip():
        raise BackendError(f"device: expected the name of a device, such as 'cpu', received {name!r}.")
    token = DEVICE.set(name.strip().lower())
    try:
        yield
    finally:
        DEVICE.reset(token)


# The distribution -----------------------------------------------------------------------------------------


def distribution() -> Any:
    """The distribution that is set here, or None; see `keras_front.distribution`."""
    found = DISTRIBUTION.get()
    return _process_distribution if found is None else found


def undistributed(backend: Any) -> Any:
    """The adapter for which one of a distribution stands; any other as it is.

    Args:
        backend: an adapter.
    """
    return getattr(backend, "undistributed", None) or backend


def set_distribution(value: Any) -> None:
    """Have the active backend work under a distribution from now on; holds where `set_backend` would.

    Args:
        value: a `keras_front.distribution.Distribution`, or None.

    Raises: DistributionError if the backend has none of this kind.
    """
    global _process_distribution
    plain = undistributed(active())
    chosen = plain if value is None else value.adapter_of(plain)
    DISTRIBUTION.set(value)
    if threading.current_thread() is threading.main_thread():
        _process_distribution = value
    _activate(chosen)


@contextmanager
def use_distribution(value: Any) -> Iterator[None]:
    """A distribution for a block; see `set_distribution`.

    Args:
        value: a `keras_front.distribution.Distribution`.

    Raises: DistributionError if the active backend has none of this kind.
    """
    chosen = value.adapter_of(undistributed(active()))
    tokens = DISTRIBUTION.set(value), ACTIVE.set(chosen)
    try:
        yield
    finally:
        DISTRIBUTION.reset(tokens[0])
        ACTIVE.reset(tokens[1])


# What there is --------------------------------------------------------------------------------------------


def available() -> dict[str, Status]:
    """Every backend that an installed package declares, by name, with what is known without importing it.

    Example:
        >>> "numpy" in K.available()
        True
    """
    return {name: _status(name, point) for name, point in sorted(_entry_points().items())}


def _entry_points() -> dict[str, metadata.EntryPoint]:
    from importlib import metadata  # here, because it brings a good part of the standard library with it

    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def _status(name: str, point: metadata.EntryPoint) -> Status:
    usable = _engine_is_there(name, point)
    return Status(
        name,
        usable,
        _engine_version(name) if usable else None,
        point.value,
        None if usable else _remedy(name, point),
    )


def _engine_is_there(name: str, point: metadata.EntryPoint) -> bool:
    """Whether the engine is installed: its module is there, or no extra of that name would install one."""
    return _module_exists(name) or not _is_extra(name, point)


def _is_extra(name: str, point: metadata.EntryPoint) -> bool:
    return point.dist is not None and name in (point.dist.metadata.get_all("Provides-Extra") or [])


def _module_exists(name: str) -> bool:
    try:
        found = importlib.util.find_spec(name.replace("-", "_"))
    except (ImportError, ValueError):
        return False
    return found is not None and not getattr(found.loader, "is_stand_in", False)


def _engine_version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # the module of an engine may come from a package of another name
        owners = metadata.packages_distributions().get(name.replace("-", "_"), [])
        return metadata.version(owners[0]) if owners else None


def _remedy(name: str, point: metadata.EntryPoint) -> str:
    distribution = point.dist.name if point.dist is not None else name
    return f"pip install '{distribution}[{name}]'" if _is_extra(name, point) else f"pip install {name}"


# Choosing and loading -------------------------------------------------------------------------------------


def _choose() -> Engine:
    """The backend of the process, from the configuration."""
    global _process_default
    with _lock:
        if _process_default is None:
            _process_default = next(filter(None, map(_try, config.candidates("backend"))))
    if threading.current_thread() is threading.main_thread():
        ACTIVE.set(_process_default)  # ops of the main thread need one look-up then
    return _process_default


def _try(wish: config.Setting) -> Engine | None:
    """The backend of one candidate; None if it is an old or a shared wish that cannot be had here."""
    if wish.value in RETIRED:
        old = f"{wish.source}: {wish.value!r} is an engine of old Keras versions; using {DEFAULT!r}."
        config.warn_once(old + _offer(wish.value, _entry_points()))
        return None
    try:
        found = get(wish.value)
    except BackendNotFoundError as error:
        if wish.given:
            raise BackendNotFoundError(f"{wish.source}: {error}") from None
        if wish.value == DEFAULT:
            raise
        broken = error.__cause__ is not None  # the engine is there, and says why it cannot be used
        why = f"{wish.value!r} cannot be used ({error.__cause__})" if broken else f"{wish.value!r} is not installed"
        config.warn_once(f"{wish.source}: {why}; using {DEFAULT!r}.")
        return None
    config.put("backend", found.name, wish.source)
    return found


def _load(name: str) -> Engine:
    with _lock:
        name = name.strip().lower() if name.strip().lower() in {*_instances, *_entry_points()} else name
        if name not in _instances:
            factory = _by_path(name) if "." in name or ":" in name else _by_entry_point(name)
            _instances[name] = _register(name, _create(name, factory))
        return _instances[name]


def check_name(name: str) -> None:
    """Check that a backend of that name is declared, without loading it or its engine.

    Args:
        name: name of a backend, or a dotted path, which is not looked at.

    Raises: BackendNotFoundError if no installed package declares it.
    """
    points = _entry_points()
    if name not in points and not {".", ":"} & set(name):
        raise BackendNotFoundError(_unknown(name, points))


def _by_entry_point(name: str) -> Any:
    points = _entry_points()
    if name not in points:
        raise BackendNotFoundError(_unknown(name, points))
    point = points[name]
    try:
        return point.load()
    except Exception as error:  # an engine that is half broken fails in a way of its own
        if not isinstance(error, ImportError) or _engine_is_there(name, point):
            raise BackendNotFoundError(
                f"backend {name!r}: its adapter {point.value} cannot be imported: {error}."
            ) from error
        raise BackendNotFoundError(
            f"backend {name!r} is not installed (no module named {error.name!r}); run: {_remedy(name, point)}"
        ) from None


def _by_path(path: str) -> Any:
    """The class that a dotted path names: "package.module:Class" or "package.module.Class"."""
    module_name, separator, attribute = path.partition(":")
    if not separator:
        module_name, _, attribute = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # the module may raise anything
        raise BackendNotFoundError(
            f"backend {path!r}: expected 'package.module:Class' with a module that can be imported: {error}."
        ) from error


def _create(name: str, factory: Any) -> Engine:
    try:
        instance = factory() if callable(factory) else factory
    except (ImportError, OSError, AttributeError) as error:  # an adapter may import its engine only here
        raise BackendNotFoundError(f"backend {name!r}: its engine cannot be imported: {error}.") from error
    return _checked(name, instance)


def _checked(name: str, instance: Any) -> Engine:
    if not (callable(getattr(instance, "check", None)) and isinstance(getattr(instance, "name", None), str)):
        raise BackendError(
            f"backend {name!r}: expected a subclass of keras_front.backend.adapter.Backend with a `name`, "
            f"received {type(instance).__name__}."
        )
    instance.check()
    return instance


def _register(wanted: str, instance: Engine) -> Engine:
    """The process's one instance under `instance.name`; a class may not borrow the name of another."""
    name, kind = instance.name, type(instance)
    known = _instances.get(name)
    declared = _entry_points().get(name) if known is None and wanted != name else None
    borrowed = type(known) is not kind if known is not None else declared and not _leads_to(declared, kind)
    if borrowed:
        raise BackendError(f"backend {wanted!r}: the name {name!r} belongs to another backend; choose another.")
    return _instances.setdefault(name, instance)


def _leads_to(point: metadata.EntryPoint, kind: type) -> bool:
    try:
        return point.load() is kind
    except ImportError:
        return False


def _adopt(instance: Any) -> Engine:
    """An instance that the user made, if it is the first of its name."""
    with _lock:
        known = _instances.get(getattr(instance, "name", ""))
        if known is None:
            known = _register(repr(instance), _checked(repr(instance), instance))
    if known is not instance:
        raise BackendError(f"backend {known.name!r}: the process has one already; use it by its name.")
    return known


def _offer(name: str, points: dict[str, metadata.EntryPoint]) -> str:
    """What to choose in place of an engine of old Keras versions; nothing if no backend takes its place."""
    heir = RETIRED.get(name)
    if heir is None or heir not in points:
        return ""
    remedy = "" if _engine_is_there(heir, points[heir]) else f"run {_remedy(heir, points[heir])} and "
    return f" Did you mean {heir!r}, its successor? Then {remedy}set the backend to {heir!r}."


def _unknown(name: str, points: dict[str, metadata.EntryPoint]) -> str:
    known = list(points)
    if not known:
        return (
            f"there is no backend {name!r}: no installed package declares any; install keras-front "
            "(from a source tree: pip install -e .), or give a dotted path 'package.module:Class'."
        )
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    hint = _offer(name, points) or (f" Did you mean {close[0]!r}?" if close else "")
    return f"there is no backend {name!r}; there are {', '.join(sorted(known))}.{hint}"
