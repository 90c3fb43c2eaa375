"""Record which classes and arguments each Keras has, as `keras_front/saving/generations.json`.

Run it with the folders of the sources, which are parsed and not imported; the packages come from PyPI:

    python tests/saving/record_generations.py keras1=Keras-1.2.2/keras keras2.2=keras-2.2.4/keras \
        tf_keras=tf_keras-2.21.0/tf_keras/src keras3=keras-3.15.1/keras/src

The table says for each generation which of our classes it lacks, and which arguments of the others.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from keras_front.legacy.arguments import CLASSES, JOINED, OWN, RENAMED
from keras_front.registry import Registry

KINDS = ("layer", "optimizer", "initializer", "regularizer", "constraint", "learning rate schedule")
# What every layer takes, besides the arguments of its constructor.
COMMON = {
    "keras1": {"name", "trainable", "input_shape", "batch_input_shape", "input_dtype"},
    "keras2.2": {"name", "trainable", "input_shape", "batch_input_shape", "batch_size", "dtype", "weights"},
    "tf_keras": {"name", "trainable", "input_shape", "batch_input_shape", "batch_size", "dtype", "weights", "autocast"},
    "keras3": {"name", "trainable", "dtype", "autocast", "activity_regularizer", "input_shape", "batch_input_shape"},
}
OPTIMIZERS = {"clipnorm", "clipvalue", "lr", "learning_rate", "decay"}  # passed on, or of another name
SKIPPED = {"legacy", "backend", "legacy_cells.py", "legacy_tf_layers", "dtensor", "feature_column"}
TARGET = Path(__file__).resolve().parents[2] / "keras_front" / "saving" / "generations.json"


def classes_in(folder: Path) -> dict[str, tuple[list[str], list[str], bool]]:
    """Bases, arguments of the constructor, and whether it passes on others, of every class."""
    found: dict[str, tuple[list[str], list[str], bool]] = {}
    for path in sorted(folder.rglob("*.py")):
        if path.name.endswith("_test.py") or SKIPPED & {*path.parts, path.name}:
            continue
        tree = ast.parse(path.read_text(errors="replace"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in found:
                found[node.name] = described(node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.col_offset == 0:
                for target in node.targets:
                    if isinstance(target, ast.Name) and node.value.id in found:
                        found.setdefault(target.id, ([node.value.id], [], True))
    return found


def described(node: ast.ClassDef) -> tuple[list[str], list[str], bool]:
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            names = [a.arg for a in (*part.args.args, *part.args.kwonlyargs)][1:]
            return bases, [*names, *popped(part)], part.args.kwarg is not None
    return bases, [], True


def popped(function: ast.FunctionDef) -> list[str]:
    """Names in `kwargs.pop("name", ...)`."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and ast.unparse(n.func) == "kwargs.pop"]
    return [n.args[0].value for n in calls if isinstance(n.args[0], ast.Constant)]


def arguments_of(name: str, known: dict, seen: frozenset[str] = frozenset()) -> set[str]:
    bases, names, passes_on = known[name]
    found = set(names)
    for base in bases if passes_on else ():
        if base in known and base not in seen:
            found |= arguments_of(base, known, seen | {name})
    return found


def today(name: str, arguments: set[str]) -> set[str]:
    """Arguments of Keras 1 by today's names."""
    own = OWN.get(name, {})
    joined = {part for parts in JOINED.values() for part in parts}
    found = {own.get(a, RENAMED.get(a, a)) for a in arguments if a not in joined} | arguments
    return found | ({"kernel_size"} if joined & arguments else set())


def table(generation: str, folder: Path) -> dict[str, object]:
    known = classes_in(folder)
    former = {name: old for old, name in CLASSES.items() if old in known} if generation == "keras1" else {}
    absent, lacks = [], {}
    for kind in KINDS:
        for name in Registry.of(kind).names():
            target = Registry.of(kind).lookup(name)
            if not isinstance(target, type) or not target.__module__.startswith("keras_front."):
                continue
            theirs = former.get(name, name)
            if theirs not in known:
                absent.append(name)
                continue
            takes = arguments_of(theirs, known)
            takes = today(name, takes) if generation == "keras1" else takes
            takes |= COMMON[generation] if kind == "layer" else OPTIMIZERS if kind == "optimizer" else {"name"}
            missing = sorted(set(target.constructor_arguments()) - takes)
            if missing:
                lacks[name] = missing
    return {"absent": sorted(set(absent)), "lacks": dict(sorted(lacks.items()))}


if __name__ == "__main__":
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    tables = {generation: table(generation, Path(folder)) for generation, folder in given.items()}
    TARGET.write_text(json.dumps(tables, indent=1) + "\n")
