"""Sessions and graphs of TensorFlow 1, for programs that set them up and for those that run tensors in them.

There is no global graph and nothing is kept in a session: `run` makes a function of what is fetched and calls it.
"""

from __future__ import annotations

import functools
from typing import Any

from keras_front import backend as K
from keras_front import nest
from keras_front.backend.function import is_update


class Options:
    """Settings for TensorFlow, such as `gpu_options.allow_growth`, which are kept and change nothing.

    Args:
        settings: any.
    """

    def __init__(self, **settings: Any) -> None:
        vars(self).update(settings)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        vars(self)[name] = Options()
        return vars(self)[name]


class ConfigProto(Options):
    """Settings of a session, which change nothing."""


class GPUOptions(Options):
    """Settings of memory, which change nothing."""


RunOptions = RunMetadata = OptimizerOptions = GraphOptions = Options


class Graph:
    """What TensorFlow 1 keeps its ops in; it has nothing here."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}

    def as_default(self) -> Graph:
        """The graph, for `with`."""
        return self

    def finalize(self) -> None:
        """Nothing."""

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """A name with a number behind it, if it was asked for before.

        Args:
            name: the name.
            mark_as_used: whether it counts as asked for.
        """
        before = self._names.get(name, 0)
        if mark_as_used:
            self._names[name] = before + 1
        return f"{name}_{before}" if before else name

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


class Session:
    """Runs symbolic tensors.

    Args:
        target: not used.
        graph: not used.
        config: not used.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Values of symbolic tensors and variables.

        Args:
            fetches: a tensor or variable, or nested lists, tuples and dictionaries of them. None, as for an initializer
                of variables, gives None; what `K.update` returned, the new value.
            feed_dict: values of inputs, by input. A key that is no tensor, as `K.learning_phase()`, is the phase.
            options: not used.
            run_metadata: not used.
        """
        feeds = feed_dict or {}
        inputs = [key for key in feeds if K.is_symbolic(key)]
        phase = next((bool(value) for key, value in feeds.items() if not K.is_symbolic(key)), None)
        updates = [one for one in (fetches if isinstance(fetches, list) else [fetches]) if is_update(one)]
        fetches = _value_of(fetches) if not isinstance(fetches, list) else [_value_of(one) for one in fetches]
        wanted = [one for one in nest.flatten(fetches) if one is not None]
        with K.phase(bool(phase)):
            values = iter(K.function(inputs, wanted, updates)([feeds[key] for key in inputs]) if wanted else [])
        return nest.map_structure(lambda one: None if one is None else next(values), fetches)

    def as_default(self) -> Session:
        """The session, for `with`."""
        return self

    def close(self) -> None:
        """Nothing."""

    def list_devices(self) -> list[Any]:
        """The devices of the active backend."""
        from .devices import list_logical_devices

        return list_logical_devices()

    __enter__ = as_default

    def __exit__(self, *error: Any) -> None:
        pass


InteractiveSession = Session


def _value_of(fetched: Any) -> Any:
    return fetched[1] if is_update(fetched) else fetched


@functools.cache
def get_default_graph() -> Graph:
    """The one graph."""
    return Graph()


@functools.cache
def get_default_session() -> Session:
    """The one session."""
    return Session()


get_session = get_default_session


def reset_default_graph() -> None:
    """Let names start from 1 again, as `K.clear_session` does."""
    K.clear_session()


def global_variables_initializer() -> None:
    """Nothing: variables have their values when they are made."""


local_variables_initializer = initialize_all_variables = tables_initializer = global_variables_initializer
