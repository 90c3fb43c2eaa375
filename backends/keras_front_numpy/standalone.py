"""Programs as Python files that need NumPy alone, with their weights in an `.npz` file beside them.

The text is that of the program, op by op; behind it stands the source of the functions that this backend runs for
these ops, collected by `bundle`. Where they need more of K than a file can have, `OWN` has functions in their place.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_front.backend import codegen
from keras_front.backend.ir import Program

from .bundle import Bundle

__all__ = ["export_program"]


# Functions in place of methods of the backend ------------------------------------------------------------------


def cast(x: Any, dtype: str) -> Any:
    """`x` in another dtype."""
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


def relu(x: Any, *, alpha: Any = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`x` where it is at least `threshold`, else `alpha * (x - threshold)`; at most `max_value`."""
    kind = x.dtype.type
    kept = np.where(x >= kind(threshold), x, np.asarray(alpha, x.dtype) * (x - kind(threshold)))
    return kept if max_value is None else np.minimum(kept, kind(max_value))


def scan(fn: Any, init: Any, xs: Any, *, reverse: bool = False, length: int | None = None) -> Any:
    """A loop over the steps of `xs`: the last carry, and what each step gives, in the order of the steps."""
    steps = xs[0].shape[0] if xs else int(length or 0)
    carry, collected = list(init), []
    for t in reversed(range(steps)) if reverse else range(steps):
        carry, ys = fn(carry, [x[t] for x in xs])
        collected.append(ys)
    if reverse:
        collected.reverse()
    return carry, [np.stack(list(ys)) for ys in zip(*collected, strict=True)]


OWN: dict[str, Callable[..., Any]] = {"cast": cast, "relu": relu, "scan": scan}
REFUSED = frozenset({"host_noise", "host_print", "engine_uniform", "engine_normal", "keep_mask", "custom_gradient"})


# The file ------------------------------------------------------------------------------------------------------


def export_program(backend: Any, prediction: Any, path: str | os.PathLike[str]) -> None:
    """Write a program as a Python file, and its weights beside it under the same name with `.npz`.

    `predict(*inputs)` in it gives the output, or a list of them; as a script it reads inputs by name from an `.npz`
    file and writes outputs by name to another.

    Args:
        backend: the adapter.
        prediction: a `keras_front.export.prediction.Prediction` for it.
        path: the file; it must end in `.py`.
    """
    bundle = Bundle()
    arrays: dict[str, Any] = {}
    program = _written(prediction.program, backend, bundle, arrays)
    for prefix, values in (("w", prediction.weights), ("s", prediction.states)):
        arrays.update({f"{prefix}{place}": value for place, value in enumerate(values)})
    weights = Path(path).with_suffix(".npz")
    text = "\n".join([_head(weights.name), bundle.text(), program, _tail(prediction)])
    compile(text, os.fspath(path), "exec")
    np.savez(weights, **arrays)
    Path(path).write_text(text, encoding="utf-8")


def _head(weights: str) -> str:
    return (
        f'"""A model as a NumPy program, written by keras_front. It needs NumPy, and {weights} beside it."""\n\n'
        "import sys\nfrom pathlib import Path\n\nimport numpy as np"
    )


def _written(program: Program, backend: Any, bundle: Bundle, arrays: dict[str, Any], name: str = "_program") -> str:
    """The text of a program as a function, and before it those of the bodies of its loops."""
    bodies: list[str] = []

    def body(part: Program) -> Any:
        number = len(arrays)  # a name of its own, whatever else is written
        arrays[f"body{number}"] = np.zeros(0)
        bodies.append(_written(part, backend, bundle, arrays, f"_body{number}"))
        return ast.Name(f"_body{number}")

    text, scope = codegen.parts_of(program, body)
    tree = ast.parse(text)
    names = {key: _text_of(key, value, backend, bundle, arrays) for key, value in scope.items()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
    tree.body[0].name = name  # type: ignore[attr-defined]
    return "\n\n".join([*bodies, ast.unparse(tree)]) + "\n"


def _text_of(name: str, value: Any, backend: Any, bundle: Bundle, arrays: dict[str, Any]) -> str:
    """How the file says what a name in a program stands for."""
    if isinstance(value, ast.Name):
        return value.id
    if name == "closed_over":
        return bundle.name(codegen.__name__, "closed_over")
    if name in REFUSED:
        raise NotImplementedError(f"{name} needs the host that runs the program")
    if name in OWN:
        return bundle.name(__name__, name)
    if callable(value) and hasattr(backend, name):
        return bundle.attribute(type(backend), name)
    key = f"k{len(arrays)}"
    arrays[key] = np.asarray(value)
    return f"_ARRAYS[{key!r}]"


def _tail(prediction: Any) -> str:
    inputs = [(given.name, given.dtype) for given in prediction.inputs]
    lists = [[f"{p}{i}" for i in range(len(v))] for p, v in (("w", prediction.weights), ("s", prediction.states))]
    return f'''
with np.load(Path(__file__).with_suffix(".npz")) as _file:
    _ARRAYS = {{name: _file[name] for name in _file.files}}

INPUTS = {inputs!r}
OUTPUTS = {list(prediction.outputs)!r}


def predict(*inputs):
    """The output for arrays with a batch axis, or a list of outputs; inputs in the order of INPUTS."""
    if len(inputs) != len(INPUTS):
        raise ValueError(f"predict: expected {{len(INPUTS)}} arrays, received {{len(inputs)}}.")
    given = [np.asarray(x, dtype) for x, (_, dtype) in zip(inputs, INPUTS)]
    weights, states = ([_ARRAYS[name] for name in names] for names in {lists!r})
    with np.errstate(all="ignore"):
        found = [np.array(y) for y in _program(weights, states, given)]
    return found[0] if len(found) == 1 else found


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python " + Path(__file__).name + " inputs.npz outputs.npz")
    with np.load(sys.argv[1]) as file:
        found = predict(*(file[name] for name, _ in INPUTS))
    np.savez(sys.argv[2], **dict(zip(OUTPUTS, found if isinstance(found, list) else [found])))
'''
