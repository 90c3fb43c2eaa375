"""Child processes that a fork has made, in which the threads of an engine are gone.

JAX and TensorFlow wait for their threads for ever then. So in a child an engine that cannot be forked refuses to work,
with what to do instead; its tensors can still be read, which is how a model gets to another backend. An engine that can
be forked is told, see `Backend.after_fork`.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from keras_front import config
from keras_front.backend import discovery, guards, seeds
from keras_front.errors import BackendError

_READING = {  # what needs no threads
    "name", "native", "tensor_types", "is_tensor", "to_numpy", "whole_variable", "undistributed",
}  # fmt: skip


def after_fork() -> None:
    """In a child process: free what threads held, draw another seed, and let engines refuse that cannot work here."""
    guards.after_fork()
    seeds.after_fork()
    for engine in discovery.loaded():
        if engine.forks:
            engine.after_fork()
        else:
            discovery.refusals += 1  # what is compiled does not ask the engine again
            kind: Any = type(engine)
            engine.__class__ = _refusing(kind)  # type: ignore[arg-type]  # classes have a hash
    config.revise()  # programs that are compiled already belong to the parent


@functools.cache
def _refusing(kind: Any) -> Any:
    def get(self: Any, name: str) -> Any:
        if name in _READING or name.startswith("__"):
            return object.__getattribute__(self, name)
        raise BackendError(
            f"The {kind.name} backend was in use when this process was forked, and its threads did not come along: it "
            "would wait for them for ever. Start processes by 'spawn' "
            '(multiprocessing.set_start_method("spawn")), or fork before the backend is first used; the NumPy backend '
            "works here too."
        )

    return type(kind.__name__, (kind,), {"__getattribute__": get})


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=seeds.before_fork, after_in_child=after_fork)
