"""The real TensorFlow beside our Keras: its functions of our tensors, and names of TensorFlow 1 that it no longer has.

What TensorFlow has stays its own. A function of it that was called with a symbolic tensor or a variable of ours, or
with a tensor of another engine, has failed when a dispatcher is asked; then the stand-in's function of the same name
answers. Keras 2 brought its own symbolic tensors in by the same door.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from keras_front import nest
from keras_front.backend import discovery, dtypes, scopes
from keras_front.backend.eager_tensors import EagerTensor
from keras_front.backend.scopes import Frame
from keras_front.backend.seeds import set_random_seed
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor

from .modules import MODULES, MissingFromStandInError, StandIn
from .tape import GradientTape

# Modules of TensorFlow and their functions that seed it.
SEEDS = (
    ("random", "set_seed"),
    ("", "set_random_seed"),
    ("compat.v1", "set_random_seed"),
    ("compat.v1.random", "set_random_seed"),
    ("compat.v2.random", "set_seed"),
)


def complete_names(tensorflow: ModuleType) -> None:
    """Let modules of TensorFlow answer names that they do not have, such as `tf.get_default_graph`, by the stand-in.

    Args:
        tensorflow: the module.
    """
    for path in MODULES:
        module: Any = tensorflow
        for part in filter(None, path.split(".")):
            module = vars(module).get(part)
            if not isinstance(module, ModuleType) or not module.__name__.startswith(tensorflow.__name__):
                break  # not there, or ours, as `tf.initializers` is
        else:
            if "__getattr__" not in vars(module):
                module.__getattr__ = _by_stand_in(module, path)


def _by_stand_in(module: ModuleType, path: str) -> Any:
    substitute = StandIn(f"tensorflow.{path}".rstrip("."))

    def found(name: str) -> Any:
        below = f"{path}.{name}".lstrip(".")
        if not name.startswith("__"):
            try:
                return StandIn(f"tensorflow.{below}") if below in MODULES else getattr(substitute, name)
            except (MissingFromStandInError, ImportError):
                pass
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    return found


def complete_functions(tensorflow: Any) -> None:
    """Let functions of TensorFlow take tensors of K, while another backend than TensorFlow itself is active.

    Args:
        tensorflow: the module.
    """
    dispatch = tensorflow.__internal__.dispatch

    class OfOtherTensors(dispatch.GlobalOpDispatcher):  # type: ignore[name-defined, misc]
        """Calls with tensors that TensorFlow does not know."""

        def handle(self, op: Any, args: Any, kwargs: dict[str, Any]) -> Any:
            """What the stand-in's function of the same name gives.

            Args:
                op: a function of TensorFlow.
                args: its arguments.
                kwargs: those by name.
            """
            backend = discovery.active()
            if any(issubclass(tensorflow.Tensor, kind) for kind in backend.native):
                return self.NOT_SUPPORTED
            foreign = [kind for kind in backend.native if not issubclass(kind, np.ndarray | np.generic)]
            known = (SymbolicTensor, Variable, *foreign)
            if not any(isinstance(value, known) for value in nest.flatten([list(args), list(kwargs.values())])):
                return self.NOT_SUPPORTED
            function = next(_functions(op), None)
            if function is None:
                return self.NOT_SUPPORTED
            args, kwargs = nest.map_structure(known_here, (list(args), dict(kwargs)))
            return function(*args, **kwargs)

    def known_here(value: Any) -> Any:
        """A constant of TensorFlow as an array."""
        return value.numpy() if isinstance(value, tensorflow.Tensor) and hasattr(value, "numpy") else value

    OfOtherTensors().register()
    EagerTensor.stays_recorded = True  # a function of TensorFlow that fails asks for the one of ours
    _complete_tape(tensorflow.GradientTape, tensorflow.Tensor)


class _WatchedValues(dict[Any, Any]):
    """The table of a frame that holds nothing: the values of weights, which a tape watches when they are read."""

    frame: Frame

    def __init__(self, tape: Any, tensor: type):
        self.tape, self.tensor = tape, tensor

    def get(self, variable: Any, default: Any = None) -> Any:
        value = scopes.uncast_value(variable, self.frame.parent)
        if value is None and scopes.tracing() is None and self.tensor in discovery.active().native:
            value = variable.current()
        if variable.trainable and isinstance(value, self.tensor) and variable.dtype in dtypes.FLOATS:
            self.tape._keras_front_watch(value)
        return value


def _watching(tape: Any, tensor: type) -> Any:
    """A context in which a tape watches the weights that are read."""
    table = _WatchedValues(tape, tensor)
    table.frame = Frame(table, None, False, False, real=True)
    return scopes.frame_scope(table.frame)


def _are_of_tensorflow(tensors: Any) -> bool:
    """Whether a tape of TensorFlow can watch them: neither our symbols and variables nor tensors of another engine."""
    return all(
        not isinstance(item, SymbolicTensor | Variable) and (hasattr(item, "_id") or hasattr(item, "handle"))
        for item in nest.flatten(tensors)
    )


def _own_tape(tape: Any, tensor: type) -> GradientTape | None:
    """The stand-in's tape, for a block in which another engine computes."""
    if tensor in discovery.active().native:
        return None
    return GradientTape(tape._persistent, tape._watch_accessed_variables)


def _complete_tape(tape: Any, tensor: type) -> None:
    """Let TensorFlow's tape differentiate symbolic tensors as the stand-in's does, and by weights of ours."""
    if hasattr(tape, "_keras_front_watch"):
        return
    watch, gradient, enter, leave = tape.watch, tape.gradient, tape.__enter__, tape.__exit__
    tape._keras_front_watch = watch

    def enters(self: Any) -> Any:
        found = enter(self)
        self._keras_front_tape = _own_tape(self, tensor)
        self._keras_front_frame = self._keras_front_tape or _watching(self, tensor)
        self._keras_front_frame.__enter__()
        return found

    def leaves(self: Any, *error: Any) -> Any:
        self._keras_front_frame.__exit__(None, None, None)
        return leave(self, *error)

    def watches(self: Any, tensor: Any) -> None:
        (self._keras_front_tape or GradientTape()).watch(tensor)
        return watch(self, tensor) if _are_of_tensorflow(tensor) else None

    def differentiates(self: Any, target: Any, sources: Any, *args: Any, **options: Any) -> Any:
        if any(isinstance(t, SymbolicTensor) for t in nest.flatten(target)):
            return (self._keras_front_tape or GradientTape()).gradient(target, sources, *args, **options)
        values = nest.map_structure(lambda s: s.read() if isinstance(s, Variable) else s, sources)
        return gradient(self, target, values, *args, **options)

    tape.watch, tape.gradient, tape.__enter__, tape.__exit__ = watches, differentiates, enters, leaves


def complete_seeds(tensorflow: Any) -> None:
    """Let the functions that seed TensorFlow seed our weights, shuffles and noise as well.

    Args:
        tensorflow: the module.
    """
    for path, name in SEEDS:
        module = tensorflow
        for part in filter(None, path.split(".")):
            module = getattr(module, part, None)
        function = vars(module).get(name) if isinstance(module, ModuleType) else None
        if callable(function) and not hasattr(function, "_seeds_keras_front"):
            setattr(module, name, _seeding(function))


def _seeding(function: Any) -> Any:
    @functools.wraps(function)
    def set_seed(seed: Any) -> Any:
        found = function(seed)
        if isinstance(seed, int | np.integer) and seed >= 0:  # None, and what else only TensorFlow takes
            set_random_seed(int(seed))
        return found

    set_seed._seeds_keras_front = True  # type: ignore[attr-defined]
    return set_seed


def _functions(op: Any) -> Iterator[Any]:
    """The stand-in's functions by the names under which TensorFlow exports one of its own."""
    while hasattr(op, "__wrapped__"):
        op = op.__wrapped__
    for name in (*getattr(op, "_tf_api_names", ()), *getattr(op, "_tf_api_names_v1", ())):
        path, _, last = name.rpartition(".")
        if path in MODULES:
            try:
                yield getattr(StandIn(f"tensorflow.{path}".rstrip(".")), last)
            except MissingFromStandInError:
                continue
