"""`state_dict` and `load_state_dict`: the weights of a model by name, in the layouts of PyTorch where it has the layer.

Nothing here needs PyTorch: the values are NumPy arrays, and anything that can be made one is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_front.backend import discovery
from keras_front.backend.guards import unchanged
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError, ShapeError, WrongKindError

from .hdf5 import set_weights
from .keras_zip import own_weights
from .torch_layouts import Layout, layout_of
from .weight_paths import bare_name, parts_of, weight_paths

__all__ = ["IncompatibleKeys", "load_state_dict", "state_dict"]

Names = Mapping[str, str] | Callable[[str], str | None] | None


class IncompatibleKeys(NamedTuple):
    """What did not correspond.

    Attributes:
        missing_keys: names of the model that the state does not have.
        unexpected_keys: names of the state that the model does not have.
    """

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(NamedTuple):
    """A layer with weights as a module of PyTorch.

    Attributes:
        path: where it is in the model.
        name: what the state calls it; '' for the model itself.
        weights: its weights by their paths below it.
        layout: how PyTorch keeps them; None if it does not know the layer.
    """

    path: str
    name: str
    weights: dict[str, Variable]
    layout: Layout | None

    def arrays(self) -> dict[str, np.ndarray]:
        """The present values by the names of PyTorch."""
        ours = {path: weight.numpy() for path, weight in self.weights.items()}
        return ours if self.layout is None else self.layout.to_torch(ours)

    def key(self, name: str) -> str:
        """The whole name of a parameter.

        Args:
            name: its name in the module.
        """
        return f"{self.name}.{name}" if self.name else name


def modules_of(model: Any, names: Names = None) -> Iterator[Module]:
    """The layers with weights, each once; what PyTorch has as one module is not taken apart.

    Args:
        model: a model or layer.
        names: what the state calls them, see `load_state_dict`.
    """
    seen: set[int] = set()
    find = names.get if isinstance(names, Mapping) else names or (lambda path: path)

    def visit(layer: Any, path: str) -> Iterator[Module]:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        weights = weight_paths(layer)
        layout = layout_of(layer, {p: w.shape for p, w in weights.items()})
        if layout is None:
            weights = {bare_name(w): w for w in own_weights(layer)}
        if weights:
            yield Module(path, _name(find, path), weights, layout)
        if layout is None:
            for part, below in parts_of(layer):
                yield from visit(below, f"{path}.{part}" if path else part)

    yield from visit(model, "")


def _name(find: Callable[[str], str | None], path: str) -> str:
    """The name of a module: of its path, or of a part of the model that it is in."""
    found = find(path)
    if found is not None:
        return found
    above, _, last = path.rpartition(".")
    return f"{_name(find, above)}.{last}" if above else path


def state_dict(model: Any, names: Names = None) -> dict[str, np.ndarray]:
    """All weights by name, see `Saveable.state_dict`.

    Args:
        model: a model or layer.
        names: what the state calls the layers, see `load_state_dict`.
    """
    with unchanged(model.weights):
        return {m.key(name): np.array(a, order="C") for m in modules_of(model, names) for name, a in m.arrays().items()}


def load_state_dict(
    model: Any, state: Mapping[str, Any], strict: bool = True, names: Names = None, by_order: bool = False
) -> IncompatibleKeys:
    """Set the weights from a state, see `Saveable.load_state_dict`.

    Args:
        model: a model or layer.
        state: arrays or tensors by name.
        strict: whether all names must correspond.
        names: what the state calls the layers: by the path here, a dictionary or function; layers that it does not
            name are called as here.
        by_order: the modules of the state belong to the layers one after the other, whatever they are called.
    """
    if not hasattr(state, "keys"):
        raise WrongKindError(f"load_state_dict: expected a dictionary of arrays by name, received {state!r:.60}.")
    modules = list(modules_of(model, names))
    if by_order:
        state = _renamed(modules, state, model)
    found = [_given(module, state) for module in modules]
    known = {module.key(name) for module, (arrays, _) in zip(modules, found, strict=True) for name in arrays}
    missing = [key for _, keys in found for key in keys]
    unexpected = [key for key in state if key not in known and not key.endswith("num_batches_tracked")]
    if strict and (missing or unexpected):
        raise ArgumentError(_mismatch(model, missing, unexpected))
    pairs = []
    for module, (arrays, _) in zip(modules, found, strict=True):
        ours = arrays if module.layout is None else module.layout.from_torch(arrays)
        pairs += [(module.weights[path], np.array(array, order="C")) for path, array in ours.items()]
    set_weights(pairs)
    return IncompatibleKeys(missing, unexpected)


def _given(module: Module, state: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], list[str]]:
    """All parameters of a module, those of the state in place of the present ones, and the names that it misses."""
    present = module.arrays()
    ignored, zero = (module.layout.ignored, module.layout.zero) if module.layout is not None else ((), ())
    partly = any(module.key(name) in state for name in present)
    missing = []
    for name, array in present.items():
        key = module.key(name)
        if name in ignored:
            continue
        if key in state:
            present[name] = _array(key, state[key], array)
        elif partly and name in zero:
            present[name] = np.zeros_like(array)
        else:
            missing.append(key)
    return present, missing


def _mismatch(model: Any, missing: list[str], unexpected: list[str]) -> str:
    return (
        f"{model.name}.load_state_dict: expected the names of this model; it misses {_shown(missing)} and does not "
        f"know {_shown(unexpected)}.\n  names={{'layer here': 'module there'}} tells which is which; by_order=True "
        "takes the modules one after the other; strict=False takes what corresponds."
    )


def _shown(keys: list[str]) -> str:
    return f"{', '.join(keys[:6])}{f' and {len(keys) - 6} more' if len(keys) > 6 else ''}" if keys else "nothing"


def _array(key: str, value: Any, present: np.ndarray) -> np.ndarray:
    """A value of the state as an array of the expected shape."""
    engine = discovery.owner(value)
    array = _host_array(value) if engine is None else engine.to_numpy(value)
    if array.shape != present.shape:
        raise ShapeError(f"load_state_dict: {key}: expected shape {present.shape}, received {array.shape}.")
    return array


def _host_array(value: Any) -> np.ndarray:
    """An array, or a tensor of an engine that need not be loaded: off its device, and wider where NumPy has no such."""
    detached = value.detach().cpu() if hasattr(value, "detach") and hasattr(value, "cpu") else value
    try:
        return np.asarray(detached)
    except TypeError:  # bfloat16
        return np.asarray(detached.float())


def _renamed(modules: list[Module], state: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """The state under the names of the model, module by module in order."""
    theirs: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        module = _module_of(key)
        theirs.setdefault(module, {})[key[len(module) :].lstrip(".")] = value
    if len(theirs) != len(modules):
        raise ArgumentError(
            f"{model.name}.load_state_dict: expected {len(modules)} modules with weights, received {len(theirs)}: "
            f"{_shown(list(theirs))}.\n  The layers here are {_shown([m.path for m in modules])}."
        )
    pairs = zip(modules, theirs.values(), strict=True)
    return {m.key(name): value for m, held in pairs for name, value in held.items()}


def _module_of(key: str) -> str:
    """The module of a parameter; the projection of an attention is a part of it."""
    return (
        key.removesuffix(".out_proj.weight").removesuffix(".out_proj.bias")
        if ".out_proj." in key
        else (key.rpartition(".")[0])
    )
