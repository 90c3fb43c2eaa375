"""Code in files, gadgets by name, and places to read from: through every door, wherever they could stand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import h5py
from hostile import Hostile, refused

from keras_front import bytecode, layers, models
from keras_front.registry import Registry

FIRST = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "i", "dtype": "float32"}}


def _payload(x: Any) -> Any:
    import sys

    sys.modules["keras_front_canary"].canary.ran = True  # type: ignore[attr-defined]
    return x


def code() -> list[Any]:
    """A function that says that it ran, as Keras 2 writes code."""
    return list(bytecode.dump(_payload))


def _unnamed() -> list[Any]:
    return list(bytecode.dump(lambda x: __import__("keras_front_canary").canary.__setattr__("ran", True) or x))


def stack(*entries: Any) -> dict[str, Any]:
    """A config of a stack of layers."""
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [FIRST, *entries]}}


def dense(**arguments: Any) -> dict[str, Any]:
    """A config of a stack with one Dense layer."""
    return stack({"class_name": "Dense", "config": {"name": "d", "units": 2, **arguments}})


def lambdas() -> Iterator[tuple[str, Any]]:
    """Configs that carry code, in the ways of every Keras."""
    parts = dict(zip(("code", "defaults", "closure"), code(), strict=True))
    modern = {"class_name": "__lambda__", "config": parts, "module": "builtins", "registered_name": "function"}
    old = {"name": "l", "function": code(), "function_type": "lambda"}
    for name, config in {
        "Keras 2": old,
        "without a name": {**old, "function": _unnamed()},
        "Keras 1": {**old, "function": code()[0]},
        "as Keras 3": {"name": "l", "function": modern},
        "output_shape": {**old, "function": "relu", "function_type": "function", "output_shape": code(),
                         "output_shape_type": "lambda"},
        "mask": {"name": "l", "function": "relu", "function_type": "function", "mask": modern},
        "arguments": {**old, "arguments": {"y": modern}},
        "says that it may": {**old, "allow_code": True, "safe_mode": False},
        "says that it is a function": {**old, "function_type": "function"},
        "no type": {"name": "l", "function": code()},
        "raw": {**old, "function_type": "raw"},
        "module": {**old, "module": "keras_front_canary"},
        "closure": {"name": "l", "function": [code()[0], None, [{"kind": "__lambda__", "config": parts}]],
                    "function_type": "lambda"},
        "closure of a module": {"name": "l", "function": [code()[0], [{"kind": "__module__", "config": "this"}], None],
                                "function_type": "lambda"},
        "not marshalled": {**old, "function": ["AAAA", None, None]},
    }.items():  # fmt: skip
        yield f"Lambda, {name}", stack({"class_name": "Lambda", "config": config})
    wrapped = {"class_name": "Lambda", "config": old}
    yield (
        "Lambda in TimeDistributed",
        stack({"class_name": "TimeDistributed", "config": {"name": "t", "layer": wrapped}}),
    )
    yield "Lambda in a model", stack({"class_name": "Sequential", "config": {"name": "q", "layers": [wrapped]}})
    yield "Lambda as registered", stack({"class_name": "Dense", "registered_name": "Lambda", "config": {"name": "d"}})
    for argument in ("activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "dtype", "units"):
        yield f"code as {argument}", dense(**{argument: modern})
        yield f"Lambda as {argument}", dense(**{argument: wrapped})
        yield f"a code list as {argument}", dense(**{argument: code(), f"{argument}_type": "lambda"})


GADGETS = (
    ("os", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "__import__"), ("builtins", "open"),
    ("subprocess", "Popen"), ("subprocess", "check_output"), ("posix", "system"), ("pickle", "loads"),
    ("marshal", "loads"), ("importlib", "import_module"), ("ctypes", "CDLL"), ("shutil", "rmtree"),
    ("code", "interact"),
    ("keras.utils", "get_file"), ("keras.src.utils.file_utils", "get_file"), ("keras.models", "load_model"),
    ("keras.config", "enable_unsafe_deserialization"), ("keras.utils", "legacy"), ("keras_front.bytecode", "permit"),
    ("keras_front.bytecode", "load"), ("keras_front.utils.data_utils", "get_file"), ("keras_front_canary", "canary"),
    ("numpy", "load"), ("torch", "load"), ("tensorflow", "load_op_library"), ("antigravity", "fly_to"),
    ("keras.src.saving.serialization_lib", "deserialize_keras_object"), ("webbrowser", "open"),
)  # fmt: skip


def gadgets() -> Iterator[tuple[str, Any]]:
    """Configs that name a function of some module, in every place where a name may stand."""
    for module, name in GADGETS:
        config = {"name": "g", "command": "true", "origin": "http://127.0.0.1:9/x", "fname": "x", "path": "/etc/passwd"}
        shapes = {
            "class": {"module": module, "class_name": name, "config": config, "registered_name": name},
            "dotted": {"module": module, "class_name": f"{module}.{name}", "config": config},
            "registered": {"class_name": "function", "config": name, "module": module, "registered_name": name},
            "type": {"class_name": "builtin", "config": f"{module}.{name}", "module": module},
        }
        for how, gadget in shapes.items():
            yield f"layer, {how}: {module}.{name}", stack(gadget)
            for argument in ("activation", "kernel_initializer"):
                yield f"{argument}, {how}: {module}.{name}", dense(**{argument: gadget})


PLACES = ("/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/words", "../../words.txt", "gs://bucket/words")


def places_to_read() -> Iterator[tuple[str, Any]]:
    """Configs that name a file or an address where values belong, and programs of other libraries."""
    for place in PLACES:
        for kind, argument in (
            ("StringLookup", "vocabulary"), ("IntegerLookup", "vocabulary"), ("TextVectorization", "vocabulary"),
            ("TFSMLayer", "filepath"), ("Hub", "handle"), ("KerasLayer", "handle"), ("StringLookup", "idf_weights"),
        ):  # fmt: skip
            yield f"{kind}.{argument}: {place}", stack({"class_name": kind, "config": {"name": "v", argument: place}})
    for kind in ("TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"):
        yield f"{kind}", stack({"class_name": kind, "config": {"name": "v", "module": "gASV"}})


DOORS: dict[str, Callable[[Any], Any]] = {
    "JSON": lambda config: models.model_from_json(json.dumps(config)),
    "a dictionary": models.model_from_config,
    "YAML": lambda config: models.model_from_yaml(json.dumps(config)),
    "from_config": lambda config: models.Sequential.from_config(config["config"]),
    "deserialize": lambda config: Registry.of("layer").deserialize(config),
    ".h5": lambda config: models.load_model(_h5(config)),
}


def _h5(config: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = [b"d"]
    return io.BytesIO(buffer.getvalue())


def cases() -> Iterator[Hostile]:
    """Code through every door, gadgets and places through some."""
    for name, config in lambdas():
        for door, read in DOORS.items():
            yield Hostile("code in a config", f"{name}, {door}", lambda r=read, c=config: r(c), refused())
    for kind, doors, found in (
        ("gadgets by name", ("JSON", ".h5"), gadgets()),
        ("places to read from", ("JSON", "YAML", ".h5"), places_to_read()),
    ):
        for name, config in found:
            for door in doors:
                yield Hostile(kind, f"{name}, {door}", lambda r=DOORS[door], c=config: r(c), refused())
    for name, text in YAML.items():
        yield Hostile("YAML", name, lambda t=text: models.model_from_yaml(t), refused())
    saved = models.Sequential([layers.Lambda(_payload, input_shape=(3,), name="l")])
    for suffix, form in ((".h5", "h5"), (".keras", "keras")):
        buffer = io.BytesIO()
        saved.save(buffer, save_format=form)
        data = buffer.getvalue()
        yield Hostile("code in a file", suffix, lambda d=data: models.load_model(io.BytesIO(d)), refused())


YAML = {
    "os.system": "!!python/object/apply:os.system ['true']",
    "a module": "!!python/module:os",
    "a name": "class_name: !!python/name:os.system\nconfig: {}",
    "an object": "class_name: Sequential\nconfig: !!python/object/new:os.system ['true']",
    "a billion laughs": "\n".join(
        ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
        + [f"{c}: &{c} [{', '.join([f'*{p}'] * 10)}]" for p, c in zip("abcdefghi", "bcdefghij", strict=True)]
        + ["class_name: *j", "config: {}"]
    ),
    "a cycle": "class_name: Sequential\nconfig: &c\n  layers: [*c]",
    "deep": "[" * 100_000,
    "deep blocks": "\n".join(" " * n + "a:" for n in range(3000)),
    "merge keys": "x: &x {class_name: Sequential}\n<<: *x\nconfig: {}",
    "tabs": "class_name:\tSequential\nconfig:\n\tlayers: []",
    "a long number": "class_name: Sequential\nconfig: {name: " + "9" * 100_000 + "}",
    "bytes": "\x00\x01\x02",
    "nothing": "",
    "a list": "- a\n- b",
    "an unclosed text": 'class_name: "Sequential',
}
