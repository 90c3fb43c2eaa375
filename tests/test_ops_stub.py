"""`keras_front/ops/__init__.pyi` says what `keras_front.ops` offers, for editors and type checkers.

`python tests/test_ops_stub.py` writes it anew.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from keras_front import ops

STUB = Path(ops.__file__).with_suffix(".pyi")
HEAD = '''"""What `keras_front.ops` offers. Generated: `python tests/test_ops_stub.py`."""

from typing import Any

'''


def parameter(item: inspect.Parameter) -> str:
    """A parameter as a stub has it: tensors are of whichever engine is active, so most types are open."""
    stars = {item.VAR_POSITIONAL: "*", item.VAR_KEYWORD: "**"}.get(item.kind, "")
    kind = type(item.default).__name__ if type(item.default) in (bool, str) else "Any"
    return f"{stars}{item.name}: {kind}" + ("" if item.default is item.empty else " = ...")


def signature(function: Any) -> str:
    found = inspect.signature(function)
    parts: list[str] = []
    for item in found.parameters.values():
        if item.kind is item.KEYWORD_ONLY and "*" not in "".join(parts):
            parts.append("*")
        parts.append(parameter(item))
    return ", ".join(parts)


def lines(names: list[str], owner: Any, indent: str = "") -> list[str]:
    return [
        f"{indent}def {name}({signature(getattr(owner, name))}) -> {'list[Any]' if name == 'split' else 'Any'}: ..."
        for name in names
    ]


def text() -> str:
    members = {name: getattr(ops, name) for name in sorted(dir(ops)) if not name.startswith("_")}
    modules = [n for n, v in members.items() if inspect.ismodule(v) and v.__name__ == f"keras_front.ops.{n}"]
    functions = [
        name
        for name, value in members.items()
        if inspect.isfunction(inspect.unwrap(value)) and hasattr(value, "__name__") and name not in ("annotations",)
    ]
    imports = "".join(f"from . import {name} as {name}\n" for name in modules)
    return HEAD + imports + "\n" + "\n".join(lines(functions, ops)) + "\n"


def test_the_stub_says_what_there_is():
    assert STUB.read_text() == text(), "run `python tests/test_ops_stub.py`"


if __name__ == "__main__":
    STUB.write_text(text())
