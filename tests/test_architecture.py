"""The house rules that a reader cannot see in one file: who may import whom, and how large things are.

Each rule is checked on the parsed source, so a violation is reported with its file and line.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "keras_front"
BACKENDS = ROOT / "backends"

ENGINES = {"torch", "jax", "jaxlib", "tensorflow", "cupy", "onnxruntime", "pytensor", "theano"}
HOST = "keras_front_numpy"  # needs nothing but NumPy, so that an adapter may build on it
BACKEND_NAMES = {"numpy", "torch", "jax", "tensorflow", "pytensor", "onnxruntime"}

# A part of the package, and what it may import at module level. A part may always import itself.
BASE = {
    "arguments", "compatibility", "config", "conventions", "custom_objects", "docstrings", "errors", "failures",
    "file_form",
    "keras_json", "missing_names", "nest", "registry", "setting_kinds", "tracebacks",
}  # fmt: skip
TENSORS = BASE | {"backend", "dtype_policies"}
PIECES = {"activations", "initializers", "constraints", "regularizers", "losses", "metrics", "optimizers"}
GRAPH = TENSORS | PIECES | {"bytecode", "utils"}
LAYERS = GRAPH | {"graph", "quantizers"}
TRAINING = LAYERS | {"layers", "callbacks"}
MODELS = TRAINING | {"training", "saving", "tf_names", "export"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "nest": set(),
    "missing_names": {"errors"},
    "setting_kinds": {"errors"},
    "keras_json": {"errors", "setting_kinds"},
    "config": {"errors", "keras_json", "setting_kinds"},
    "custom_objects": {"errors"},
    "docstrings": set(),
    "file_form": set(),
    "arguments": {"errors"},
    "tracebacks": {"errors", "config"},
    "failures": {"errors", "config", "tracebacks"},
    "compatibility": {"errors", "config", "failures", "missing_names", "tracebacks"},
    "conventions": {"config", "compatibility"},
    "registry": BASE,
    "backend": BASE,
    "dtype_policies": BASE | {"backend"},
    "bytecode": BASE,
    "utils": TENSORS | {"bytecode"},
    **{piece: TENSORS | PIECES | {"utils"} for piece in PIECES},
    "quantizers": TENSORS,
    "graph": GRAPH,
    "layers": LAYERS | {"ops", "random"},
    "callbacks": TRAINING,
    "training": TRAINING,
    "saving": TRAINING | {"training", "tf_names"},
    "export": TRAINING | {"training", "saving"},
    "models": MODELS,
    "datasets": BASE | {"utils"},
    "preprocessing": TENSORS | {"utils"},
    "applications": MODELS | {"models"},
    "doctor": BASE | {"backend"},
    "feature_space": MODELS | {"models"},
    "bounding_boxes": TENSORS | {"ops"},
    "wrappers": MODELS | {"models"},
    "ops": TENSORS | {"activations"},
    "tf_names": TENSORS | {"ops"},
    "random": TENSORS,
    "tree": {"errors"},
    "distribution": TENSORS,
    "mixed_precision": TENSORS | PIECES,
    "testing": MODELS | {"models", "applications"},
    "legacy": MODELS | {"models", "mixed_precision", "ops"},
    "demo": MODELS | {"models", "datasets"},
    "as_keras": {"doors"},
    "doors": BASE | {"backend", "legacy"},
    "cli": MODELS | {"models", "datasets", "demo", "legacy"},
    "__main__": {"cli"},
    "__init__": set(),
}

FILE_LIMIT, ADAPTER_LIMIT, FUNCTION_LIMIT = 600, 700, 60  # the aims are 500, 700 and about 10


class Import(NamedTuple):
    """A module named in an import statement, and whether the statement runs when its file is imported."""

    module: str
    line: int
    at_import: bool


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(), str(path))
    for node, at_import in _walk(tree, True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_import)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield Import(base, node.lineno, at_import)
            if base in ("keras_front", "keras_front.backend"):
                for alias in node.names:
                    yield Import(f"{base}.{alias.name}", node.lineno, at_import)


def _walk(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, at_import
        yield from _walk(child, inside)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_parts_form_layers():
    wrong = []
    for path in sources(PACKAGE):
        part = part_of(path)
        assert part in MAY_IMPORT, f"{shown(path)}: say in this test what the new part {part!r} may import"
        for found in imports(path):
            names = found.module.split(".")
            if names[0] != "keras_front" or len(names) < 2 or not found.at_import:
                continue
            if names[1] not in MAY_IMPORT[part] | {part, "__version__"}:
                wrong.append(f"{shown(path)}:{found.line} imports {found.module}")
    assert not wrong, "\n".join(wrong)


# Import circles ------------------------------------------------------------------------------------------------


def modules() -> dict[str, Path]:
    """Every module of the package and of the adapters, by its dotted name."""
    found = {}
    for root, folder in [(ROOT, PACKAGE), *((BACKENDS, f) for f in sorted(BACKENDS.glob("keras_front_*")))]:
        for path in sources(folder):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_modules(name: str, known: dict[str, Path]) -> set[str]:
    """The modules that one names in its import statements: also in functions, and for annotations alone."""
    package = name if known[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(known[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update(f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names)
    return (found & known.keys()) - {name}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The largest sets of modules of which each imports each, through others or not."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        stack = [start]
        while stack:
            for other in graph[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        reached[start] = seen
    sets = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}
    return sorted(sorted(group) for group in sets)


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"e"}, "e": {"f"}, "f": {"d"}, "g": {"a"}}
    assert circles(graph) == [["b", "c"], ["d", "e", "f"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_there_is_no_import_circle():
    known = modules()
    found = circles({name: imported_modules(name, known) for name in known})
    assert not found, "\n".join(" <-> ".join(group) for group in found)


def test_nothing_else_imports_legacy():
    wrong = [
        f"{shown(path)}:{found.line}"
        for path in sources(PACKAGE)
        if part_of(path) not in ("legacy", "cli", "doors")
        for found in imports(path)
        if found.module.startswith("keras_front.legacy")
    ]
    assert not wrong, wrong


def test_the_package_imports_no_engine():
    wrong = [
        f"{shown(path)}:{found.line} imports {found.module}"
        for path in sources(PACKAGE)
        for found in imports(path)
        if found.module.split(".")[0] in ENGINES | {f"keras_front_{name}" for name in BACKEND_NAMES}
    ]
    assert not wrong, "\n".join(wrong)


def test_an_adapter_knows_k_and_its_engine_only():
    wrong = []
    for path in sources(BACKENDS):
        own = path.relative_to(BACKENDS).parts[0]
        foreign = ENGINES - {own.removeprefix("keras_front_"), "jaxlib" if own == "keras_front_jax" else ""}
        for found in imports(path):
            top, *rest = found.module.split(".")
            if top == "keras_front" and (not rest or rest[0] not in ("backend", "errors", "export", "nest")):
                if found.module != "keras_front":  # `from keras_front import x` is reported as keras_front.x
                    wrong.append(f"{shown(path)}:{found.line} imports {found.module}")
            elif top in foreign or (top.startswith("keras_front_") and top not in (own, HOST)):
                wrong.append(f"{shown(path)}:{found.line} imports {found.module}")
    assert not wrong, "\n".join(wrong)


def test_no_code_outside_the_adapters_asks_for_a_backend_by_name():
    wrong = []
    for path in sources(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text())):
            for text in _compared_strings(node):
                if text in BACKEND_NAMES | ENGINES - {"theano"}:  # old files say that Theano wrote them
                    wrong.append(f"{shown(path)}:{node.lineno} compares with {text!r}")
    assert not wrong, "\n".join(wrong)


def _compared_strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        for side in [node.left, *node.comparators]:
            elements = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
            yield from (e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str))
    elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant):
        yield str(node.value.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def test_library_code_does_not_assert():
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in [*sources(PACKAGE), *sources(BACKENDS)]
        if part_of_any(path) != "testing"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert not wrong, wrong


def part_of_any(path: Path) -> str:
    return part_of(path) if path.is_relative_to(PACKAGE) else "backends"


def test_every_module_says_why_it_exists():
    wrong = [
        shown(path)
        for path in [
            *sources(PACKAGE),
            *sources(BACKENDS),
            *sources(ROOT / "tests"),
            *sources(ROOT / "examples"),
        ]
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not wrong, wrong


def lines_besides_docstrings(path: Path) -> int:
    """The lines of a file; those of docstrings do not count, since explaining more must not be an offence."""
    text = path.read_text()
    documented = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Module)]
    first = [node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None]
    return len(text.splitlines()) - sum(node.end_lineno - node.lineno + 1 for node in first)


def test_files_stay_small():
    sizes = {path: lines_besides_docstrings(path) for path in [*sources(PACKAGE), *sources(BACKENDS)]}
    limits = {path: ADAPTER_LIMIT if path.name == "backend.py" else FILE_LIMIT for path in sizes}
    for path, lines in sizes.items():
        if limits[path] >= lines > 500 and path.name != "backend.py":
            warnings.warn(f"{shown(path)} has {lines} lines; the aim is 500", stacklevel=1)
    wrong = [f"{shown(path)}: {lines} lines" for path, lines in sizes.items() if lines > limits[path]]
    assert not wrong, wrong


def test_functions_stay_small():
    wrong = []
    for path in [*sources(PACKAGE), *sources(BACKENDS)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > FUNCTION_LIMIT:
                    wrong.append(f"{shown(path)}:{node.lineno} {node.name}: {lines} lines")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sources(ROOT / "examples"), ids=lambda path: path.name)
def test_examples_are_short(path):
    assert len(path.read_text().splitlines()) < 80
