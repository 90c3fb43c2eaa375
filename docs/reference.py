"""The API reference as pages: what `help` says about every public name, as Markdown.

`docs/hooks.py` makes these pages while the site is built; nothing of them is kept in the repository. They come from the
live objects, so that the page of a layer shows what `help` shows: also the arguments of the bases.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from keras_front.legacy import arguments

# Public modules, in the order of the site's navigation.
MODULES = (
    "models", "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "activations",
    "initializers", "regularizers", "constraints", "backend", "ops", "random", "preprocessing.image",
    "preprocessing.sequence", "preprocessing.text", "datasets", "applications", "utils", "wrappers", "saving", "export",
    "distribution", "config", "errors",
)  # fmt: skip

INDEX = """# Reference

Every public name with its signature, arguments, shapes and examples, as `help()` shows them. The search at the top of
every page finds a name as it is (`Conv2D`), and older names too (`Convolution2D`, `nb_filter`), which also stand in a
[table of old names](old-names.md).

| module | | names |
|---|---|---|"""
OLD_NAMES = """# Old names

What a name of an older Keras is called today. All of these are still understood where objects are made and methods
called, and a warning says how the call reads today. [You come from Keras 1](../from/keras1.md) has the differences.

## Classes and functions

| old | today |
|---|---|"""

_SECTION = re.compile(r"^([A-Z][\w ]*(?: of `\w+`)?):[ \t]*(.*)$")
_ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \(([^)]*)\))?:[ \t]*(.*)$")
_HEADINGS = {"Args", "Arguments", "Attributes", "Shape", "Weights", "Returns", "Raises", "Source", "Example", "Yields"}
_OF_MODULES = ("datasets", "applications", "wrappers")  # what they offer is in modules below them
_MOST = 80  # names on one page; a module with more has a page for each of its topics
_FEW = 3  # a topic with fewer names than this is put with the others
# The topic of what is defined in a module of that name, where it is not the module's own name.
_TOPICS = {
    "adaptive_pooling": "pooling", "local": "convolution", "spectral_normalization": "normalization",
    "multi_head_attention": "attention", "padding": "shapes", "layers": "older_layers",
    **dict.fromkeys(("cells", "rnn", "stacked_cells", "cudnn", "convolutional_recurrent"), "recurrent"),
    "recurrent_layers": "recurrent",
    **dict.fromkeys(("lambda_layer", "inputs", "input_spec", "layer", "embedding", "einsum_dense"), "core"),
    **dict.fromkeys(("feature_preprocessing", "hashing", "lookup", "text_vectorization"), "words_and_features"),
    **dict.fromkeys(("image_augmentation", "image_colors", "image_mixing", "image_histograms"), "image_augmentation"),
    "image_preprocessing": "image_augmentation", "pipeline": "image_augmentation",
    "metrics": "base", "further_losses": "functions", "function": "functions", "config": "configuration",
    "activations": "nn", "functions": "functions", "reductions": "reduction", "elementary": "elementary_functions",
    "elementwise": "element_by_element", "modules": "modules_of_the_families", "nasnet": "others",
}  # fmt: skip


class Topic(NamedTuple):
    """A page of the reference: its path below `docs`, its title, the module, and the names it describes."""

    path: str
    title: str
    module: str
    names: list[str]


@cache
def topics(module: str) -> list[Topic]:
    """The pages about a module beside its first one, which is enough for a small module.

    Args:
        module: its name below `keras_front`.
    """
    names = public_names(module)
    if len(names) <= _MOST:
        return []
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_topic(getattr(_module(module), name)), []).append(name)
    small = [topic for topic, members in found.items() if len(members) < _FEW]
    if small:
        found["others"] = sorted(name for topic in {*small, "others"} for name in found.pop(topic, ()))
    return [
        Topic(f"reference/{module}/{topic}.md", topic.replace("_", " ").capitalize(), module, members)
        for topic, members in sorted(found.items(), key=lambda item: (item[0] == "others", item[0]))
    ]


def _topic(target: Any) -> str:
    op = getattr(target, "op", None)
    place = (getattr(op, "body", None) or type(op)).__module__ if op else getattr(target, "__module__", target.__name__)
    name = "modules" if inspect.ismodule(target) else place.rpartition(".")[2].removesuffix("_names")
    return _TOPICS.get(name, name)


def pages() -> Iterator[tuple[str, str]]:
    """The path below `docs` and the text of every page of the reference."""
    yield "reference/index.md", index()
    yield "reference/old-names.md", old_names()
    for module in MODULES:
        yield f"reference/{module}.md", page(module)
        for topic in topics(module):
            yield topic.path, topic_page(topic)


def navigation() -> list[Any]:
    """The part of the site's navigation with the reference."""
    entries: list[Any] = ["reference/index.md"]
    for module in MODULES:
        first, more = f"reference/{module}.md", topics(module)
        entries.append({module: [first, *({topic.title: topic.path} for topic in more)] if more else first})
    return [*entries, {"Old names": "reference/old-names.md"}]


def old_names() -> str:
    """The page that says what names of Keras 1 are called today."""
    places = [(module, name) for module in MODULES for name in public_names(module)]
    others = {
        name: link(module, names[0]) for module in MODULES for names in _aliases(module).values() for name in names[1:]
    }
    today = {name: link(module, name) for module, name in places}
    classes = {old: today[new] for old, new in arguments.CLASSES.items()}
    functions = {old: today[new] for names in arguments.NAMES.values() for old, new in names.items() if new in today}
    lines = [OLD_NAMES]
    lines += [f"| `{old}` | {new} |" for old, new in sorted({**others, **functions, **classes}.items())]
    lines += ["", "## Arguments", "", "| old | today |", "|---|---|"]
    lines += [f"| `{old}` | `{new}` |" for old, new in sorted(arguments.RENAMED.items())]
    lines += ["", "Where a class or function calls it differently:", "", "| in | old | today |", "|---|---|---|"]
    own = [(place, old, new) for place, names in arguments.OWN.items() for old, new in names.items() if old != new]
    return "\n".join([*lines, *(f"| `{place}` | `{old}` | `{new}` |" for place, old, new in sorted(own))]) + "\n"


def index() -> str:
    """The first page of the reference."""
    lines = [INDEX]
    for module in MODULES:
        about = _first(_module(module))
        lines.append(f"| [keras_front.{module}]({module}.md) | {about} | {len(public_names(module))} |")
    return "\n".join(lines) + "\n"


def page(module: str) -> str:
    """The page of a module: what it is, and its names, or a table of them where there are many.

    Args:
        module: its name below `keras_front`.
    """
    lines = [f"# keras_front.{module}", "", _text(inspect.getdoc(_module(module)) or "", module), ""]
    for topic in topics(module):
        lines += [f"## [{topic.title}]({topic.path.removeprefix('reference/')})", "", "| name | |", "|---|---|"]
        lines += [f"| {link(module, name)} | {_first(getattr(_module(module), name))} |" for name in topic.names] + [""]
    if not topics(module):
        lines += [line for name in public_names(module) for line in entry(name, getattr(_module(module), name), module)]
    return "\n".join(lines) + "\n"


def topic_page(topic: Topic) -> str:
    """The page of a topic.

    Args:
        topic: the topic.
    """
    where = f"`keras_front.{topic.module}`"
    lines = [f"# {topic.title}", "", f"Names of [{where}](../{topic.module}.md).", ""]
    for name in topic.names:
        lines += entry(name, getattr(_module(topic.module), name), topic.module)
    return "\n".join(lines) + "\n"


def _module(name: str) -> Any:
    return import_module(f"keras_front.{name}")


def _first(target: Any) -> str:
    """The first paragraph of a docstring, in one line of a table."""
    doc = (inspect.getdoc(target) or "").split("\n\n")[0]
    return _escape(" ".join(doc.split())).replace("|", "\\|")


def public_names(module: str) -> list[str]:
    """What of a module the reference describes: its public functions and classes, and data sets, which are modules.

    Args:
        module: its name below `keras_front`.
    """
    found = _module(module)
    names = getattr(found, "__all__", None)
    chosen = names or [n for n in dir(found) if not n.startswith("_") and _is_at_home(getattr(found, n), module)]
    return [name for name in chosen if _has_entry(getattr(found, name), module)]


def _is_at_home(value: Any, module: str) -> bool:
    """Whether a name of a module without a list of names is of the module's own, and no helper that it imports."""
    place = getattr(value, "__module__", None) or ""
    return (module in ("backend", "ops", "config") and not inspect.isclass(value)) or place == f"keras_front.{module}"


def _has_entry(value: Any, module: str) -> bool:
    if inspect.ismodule(value):
        return module in _OF_MODULES and value.__name__.startswith("keras_front")
    return callable(value) and (getattr(value, "__module__", None) or "").startswith("keras_front")


def _is_own(module: Any, name: str, value: Any) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", None) == module.__name__


@cache
def _aliases(module: str) -> dict[int, list[str]]:
    """For each object of a module the names that it has there; the first is the one that its definition gives it."""
    found: dict[int, list[str]] = {}
    for name in public_names(module):
        found.setdefault(id(getattr(_module(module), name)), []).append(name)
    for names in found.values():
        own = getattr(getattr(_module(module), names[0]), "__name__", "")
        names.sort(key=lambda name: name != own)
    return found


@cache
def _places(module: str) -> dict[str, str]:
    """The page, below `reference`, of each name of a module."""
    many = {name: topic.path.removeprefix("reference/") for topic in topics(module) for name in topic.names}
    return {name: many.get(name, f"{module}.md") for name in public_names(module)}


def link(module: str, name: str, upwards: str = "") -> str:
    """A name as a link to its entry.

    Args:
        module: the module below `keras_front`.
        name: a public name of it.
        upwards: from the page with the link to the folder `reference`, such as "../".
    """
    return f"[`{name}`]({upwards}{_places(module)[name]}#{name})"


def entry(name: str, target: Any, module: str = "", level: int = 2) -> list[str]:
    """The lines about one name: its signature, its docstring, and for a class its public methods.

    Args:
        name: what it is called on the page.
        target: the function, class or module.
        module: where it is public, for links; "" for none.
        level: depth of its heading.
    """
    title = [f"{'#' * level} {name} {{ #{name} }}", ""]
    if inspect.ismodule(target):
        functions = [n for n in getattr(target, "__all__", ()) if callable(getattr(target, n))]
        functions = functions or [n for n, v in vars(target).items() if _is_own(target, n, v)]
        lines = [*title, _text(inspect.getdoc(target) or ""), ""]
        return lines + [line for n in functions for line in entry(f"{name}.{n}", getattr(target, n), "", level + 1)]
    names = _aliases(module).get(id(target), [name]) if module else [name]
    upwards = "../" if module and topics(module) else ""
    if name != names[0]:
        return [*title, f"Another name of {link(module, names[0], upwards)}.", ""]
    others = [f"Also called {', '.join(f'`{other}`' for other in names[1:])}.", ""] if names[1:] else []
    doc = _in_order(inspect.getdoc(target) or "", target)
    lines = [*title, *_signature(name.split(".")[-1], target), *others, *body(doc, module)]
    for method, function in _methods(target):
        lines += [f"{'#' * (level + 1)} {name}.{method} {{ #{name}.{method} }}", ""]
        lines += [*_signature(method, function), *body(inspect.getdoc(function) or "", module)]
    return lines


# Methods that are looked for most; the others follow in the order of their definition.
_FIRST = (
    "compile", "fit", "evaluate", "predict", "summary", "save", "save_weights", "load_weights", "get_layer", "add",
    "pop", "build", "call", "compute_output_shape", "train_on_batch", "test_on_batch", "predict_on_batch", "train_step",
    "update_state", "result", "reset_state",
)  # fmt: skip


def _methods(target: Any) -> Iterator[tuple[str, Any]]:
    """The documented public methods of a class; those of a base that has an entry of its own stand there."""
    if not inspect.isclass(target):
        return
    inherited = [base for base in target.__mro__[1:] if base is object or base in _described()]
    seen = {name for base in inherited for name in dir(base)}
    found: dict[str, Any] = {}
    for name, value in ((n, v) for base in target.__mro__ for n, v in vars(base).items()):
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if not name.startswith("_") and name not in seen and inspect.isfunction(function) and function.__doc__:
            found.setdefault(name, function)
    for name in sorted(found, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)):
        yield name, found[name]


@cache
def _described() -> frozenset[type]:
    """The classes that have entries."""
    found = (getattr(_module(module), name) for module in MODULES for name in public_names(module))
    return frozenset(target for target in found if inspect.isclass(target))


def _parameters(target: Any) -> list[tuple[str, inspect.Parameter]]:
    """The parameters of a call, without `self`."""
    try:
        found = list(inspect.signature(target).parameters.items())
    except (TypeError, ValueError):
        return []
    return found[1:] if found and found[0][0] in ("self", "cls") else found


def _signature(name: str, target: Any) -> list[str]:
    parameters = [parameter for _, parameter in _parameters(target)]
    if not parameters and not callable(target):
        return []
    plain = inspect.Signature([_shown(parameter) for parameter in parameters])
    text = f"{name}{plain}"
    if len(text) > 72:  # an argument a line: readable on a telephone, too
        marks = [str(parameter) for parameter in plain.parameters.values()]
        kinds = [parameter.kind for parameter in plain.parameters.values()]
        if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
            marks.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
        text = "\n    ".join([f"{name}(", *(f"{mark}," for mark in marks)]) + "\n)"
    return ["```python", text, "```", ""]


class _Name:
    """A default that is a function or class, as people write it."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is not parameter.empty and hasattr(default, "__name__"):
        default = _Name(default.__name__)
    return parameter.replace(annotation=parameter.empty, default=default)


_BLOCK = re.compile(r"^Args(?: of `_\w+`)?:\n((?:(?: +.*)?(?:\n|\Z))+)", re.M)


def _in_order(doc: str, target: Any) -> str:
    """The docstring of a class with the arguments of its private bases among its own, in the order of the signature."""
    blocks = _BLOCK.findall(doc)
    if len(blocks) < 2:
        return doc
    entries = [item for block in blocks for item in re.split(r"\n(?=    \*{0,2}\w)", block.rstrip())]
    order = [name for name, _ in _parameters(target)]
    places = [re.match(r"\W*(\w+)", item)[1] for item in entries]  # type: ignore[index]
    ranked = sorted(zip(places, entries, strict=True), key=lambda e: order.index(e[0]) if e[0] in order else len(order))
    merged = "Args:\n" + "\n".join(item.strip("\n") for _, item in ranked) + "\n\n"
    first, _, rest = _BLOCK.sub("\0", doc).partition("\0")
    return first + merged + rest.replace("\0", "").lstrip("\n")


def body(doc: str, module: str = "") -> list[str]:
    """A docstring in Google style as Markdown.

    Args:
        doc: the docstring, without the margin of the code around it.
        module: the module whose names are linked to; "" for none.
    """
    lines, found = [], doc.splitlines()
    while found:
        line = found.pop(0)
        match = _SECTION.match(line)
        if not match or match.group(1).split(" of ")[0] not in _HEADINGS:
            lines.append(_escape(line, module))
            continue
        block = []
        while found and (not found[0].strip() or found[0].startswith(" ")):
            block.append(found.pop(0))
        heading = re.sub(r"^Args of `_\w+`$", "Args", match.group(1))
        lines += [
            "",
            *_section(heading, match.group(2), inspect.cleandoc("\n" + "\n".join(block)).splitlines(), module),
        ]
    return [*lines, ""]


def _section(heading: str, first: str, block: list[str], module: str) -> Iterator[str]:
    if heading.startswith("Example"):
        yield from (f"**{heading}**", "", "```pycon", *([first] if first else []), *block, "```", "")
    elif heading in ("Args of `Layer`", "Args of `Adaptable`"):  # the same for every layer: folded
        yield from (
            f'??? note "Arguments of every {heading[9:-1].lower()} layer"'.replace("layer layer", "layer"),
            "",
            *(f"    {line}" for line in _list(block, module)),
            "",
        )
    elif heading.startswith(("Arg", "Attributes")) or (heading == "Raises" and not first):
        yield from (f"**{heading.replace('Args', 'Arguments')}**", "", *_list(block, module), "")
    else:
        yield from (f"**{heading}**: {_escape(' '.join([first, *map(str.strip, block)]).strip(), module)}", "")


def _list(block: list[str], module: str) -> Iterator[str]:
    """One item of a list for each argument; what goes on in the next lines belongs to the item."""
    for line in block:
        match = _ENTRY.match(line)
        if match:
            names = ", ".join(f"`{name}`" for name in match.group(1).split(", "))
            yield f"- {names}: {_escape(match.group(3), module)}"
        else:
            yield f"    {_escape(line.strip(), module)}" if line.strip() else ""


def _escape(line: str, module: str = "") -> str:
    """A line of text in which Markdown sees no emphasis or HTML that was not meant, with links to entries."""
    parts = line.split("`")
    parts[::2] = [re.sub(r"([*_<])", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [_linked(part, module) for part in parts[1::2]]
    return "".join(parts) if len(parts) % 2 else line


def _linked(code: str, module: str) -> str:
    """A name between backticks as a link, where it is one of the reference: `Dense`, `K.dot`, `Model.fit`."""
    place, _, name = code.removeprefix("keras_front.").rpartition(".")
    place = {"K": "backend", "": module}.get(place, place)
    upwards = "../" if module and topics(module) else ""
    if module and place in MODULES and name in _places(place) and ("." in code or name[:1].isupper()):
        return link(place, name, upwards).replace(f"`{name}`", f"`{code}`")
    return f"`{code}`"


def _text(doc: str, module: str = "") -> str:
    return "\n".join(_escape(line, module) for line in doc.splitlines())
