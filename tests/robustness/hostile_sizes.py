"""Hostile sizes: configs that ask for memory, depth or time that no model needs, and graphs that make no sense."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from hostile import Check, Hostile, harmless, refused
from hostile_code import FIRST, stack
from hostile_configs import functional
from watch import Watch

from keras_front import models

HUGE = (10**9, 2**31, 2**40, 2**62, 2**63, 10**30)


def cases() -> Iterator[Hostile]:
    """Sizes, depths, lengths, graphs, and texts that are no JSON of a model."""
    for size in HUGE:
        for name, config in _large(size):
            yield _text("sizes", f"{name}: {size}", json.dumps(config), _refused_or_small)
    for name, config, check in _long():
        yield _text("lengths and depths", name, json.dumps(config), check)
    for name, config in _graphs().items():
        yield _text("graphs", name, json.dumps(config), refused())
    for name, text in TEXTS.items():
        yield _text("texts", name, text, refused())
        yield Hostile("texts in .h5", name, lambda t=text: models.load_model(_h5(t)), refused())


def _text(kind: str, name: str, text: Any, check: Check) -> Hostile:
    return Hostile(kind, name, lambda: models.model_from_json(text), check)


def _refused_or_small(watch: Watch, model: Any) -> None:
    watch.check_harmless()
    if watch.error is None:
        assert sum(w.numpy().nbytes for w in model.weights) < 1 << 26


def _h5(text: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        data = text.encode("utf-8", "surrogatepass")
        file.create_dataset("x", data=1)
        try:
            file.attrs["model_config"] = np.void(data) if b"\x00" in data else data  # texts of HDF5 hold no zero bytes
        except OSError:  # longer than an attribute may be
            file.attrs["model_config"] = data[:60_000]
    return io.BytesIO(buffer.getvalue())


def _layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "x", **config}}


def _large(size: int) -> Iterator[tuple[str, Any]]:
    images = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8, 8, 3], "name": "i"}}
    steps = {"class_name": "InputLayer", "config": {"batch_input_shape": [2, 4, 3], "name": "i"}}
    for kind, first, arguments in (
        ("Dense", FIRST, {"units": size}),
        ("Embedding", FIRST, {"input_dim": size, "output_dim": 8}),
        ("Embedding", FIRST, {"input_dim": 8, "output_dim": size}),
        ("Conv2D", images, {"filters": size, "kernel_size": [3, 3]}),
        ("Conv2D", images, {"filters": 2, "kernel_size": [size, size]}),
        ("Conv2DTranspose", images, {"filters": 2, "kernel_size": [3, 3], "strides": [size, size]}),
        ("LSTM", steps, {"units": size}),
        ("LSTM", steps, {"units": 2, "stateful": True, "batch_input_shape": [size, 4, 3]}),
        ("GRU", steps, {"units": size, "stateful": True}),
        ("LocallyConnected1D", steps, {"filters": size, "kernel_size": [1]}),
        ("RepeatVector", FIRST, {"n": size}),
        ("Reshape", FIRST, {"target_shape": [size, -1]}),
        ("ZeroPadding2D", images, {"padding": size}),
        ("UpSampling2D", images, {"size": [size, size]}),
        ("MaxPooling2D", images, {"pool_size": [size, size]}),
        ("Cropping2D", images, {"cropping": size}),
        ("PReLU", {"class_name": "InputLayer", "config": {"batch_input_shape": [None, size], "name": "i"}}, {}),
        ("CategoryEncoding", FIRST, {"num_tokens": size}),
        ("Discretization", FIRST, {"num_bins": size}),
        ("Hashing", FIRST, {"num_bins": size}),
        ("MultiHeadAttention", steps, {"num_heads": size, "key_dim": 2}),
        ("StackedRNNCells", steps, {"cells": []}),
        ("Dropout", FIRST, {"rate": 0.5, "noise_shape": [size, size]}),
        ("GaussianNoise", FIRST, {"stddev": size}),
    ):
        config = stack(_layer(kind, **arguments))
        config["config"]["layers"][0] = first
        yield f"{kind} {json.dumps(arguments)[:60]}", config
    for axis in range(3):
        shape: list[Any] = [None, 4, 3]
        shape[axis] = size
        yield (
            f"input axis {axis}",
            {"class_name": "Sequential", "config": [_layer("LSTM", units=2, batch_input_shape=shape)]},
        )


def _long() -> Iterator[tuple[str, Any, Check]]:
    dense = _layer("Dense", units=1)
    for count in (20_000, 100_000):
        layers = [{**dense, "config": {**dense["config"], "name": f"d{n}"}} for n in range(count)]
        yield f"{count} layers", stack(*layers), harmless
    graph = _chain(20_000)
    yield "a graph of 20000 layers", graph, harmless
    yield "20000 outputs", {**graph, "config": {**graph["config"], "output_layers": [["a1", 0, 0]] * 20_000}}, harmless
    nested: Any = stack(dense)
    for depth in range(60):
        nested = stack({"class_name": "Sequential", "config": {"name": f"n{depth}", "layers": [nested]}})
    yield "60 models in each other", nested, harmless
    wrapped: Any = dense
    for _ in range(90):
        wrapped = _layer("TimeDistributed", layer=wrapped)
    yield "90 wrappers in each other", stack(wrapped), harmless
    yield "a name of a million letters", stack(_layer("Dense", units=1, name="x" * 10**6)), harmless
    yield "a million sizes", stack(_layer("Reshape", target_shape=[1] * 10**6)), harmless
    yield "a million words", stack(_layer("StringLookup", vocabulary=["w"] * 10**6)), harmless
    yield "a million arguments", stack(_layer("Dense", units=1, **{f"a{n}": n for n in range(10**6)})), harmless


def _chain(count: int) -> Any:
    entries = [{"name": "i", "class_name": "InputLayer", "inbound_nodes": [],
                "config": {"batch_input_shape": [None, 1], "name": "i"}}]  # fmt: skip
    for n in range(count):
        entries.append({"name": f"a{n}", "class_name": "Activation", "config": {"name": f"a{n}", "activation": "relu"},
                        "inbound_nodes": [[[f"a{n - 1}" if n else "i", 0, 0, {}]]]})  # fmt: skip
    config = {"name": "g", "layers": entries, "input_layers": [["i", 0, 0]], "output_layers": [[f"a{count - 1}", 0, 0]]}
    return {"class_name": "Model", "config": config}


def _graphs() -> dict[str, Any]:
    base = functional()
    made = {}

    def change(name: str, function: Any) -> None:
        config = copy.deepcopy(base)
        function(config["config"], {layer["name"]: layer for layer in config["config"]["layers"]})
        made[name] = config

    change(
        "a layer that is its own input", lambda c, named: named["add"].update(inbound_nodes=[[["add", 0, 0, {}]] * 2])
    )
    change("two layers that wait for each other", lambda c, named: (
        named["flat"].update(inbound_nodes=[[["add", 0, 0, {}]]]),
        named["add"].update(inbound_nodes=[[["flat", 0, 0, {}]] * 2]),
    ))  # fmt: skip
    change("an input that does not exist", lambda c, named: named["add"].update(inbound_nodes=[[["none", 0, 0, {}]]]))
    change("a call that does not exist", lambda c, named: named["flat"].update(inbound_nodes=[[["add", 7, 0, {}]]]))
    change("a call before the first", lambda c, named: named["flat"].update(inbound_nodes=[[["add", -1, 0, {}]]]))
    change("an output that does not exist", lambda c, named: named["flat"].update(inbound_nodes=[[["add", 0, 9, {}]]]))
    change("a name twice", lambda c, named: named["flat"].update(name="add"))
    change("no inputs", lambda c, named: c.update(input_layers=[]))
    change("no outputs", lambda c, named: c.update(output_layers=[]))
    change("an output of nobody", lambda c, named: c.update(output_layers=[["none", 0, 0]]))
    change("an input that is no input", lambda c, named: c.update(input_layers=[["flat", 0, 0], ["i2", 0, 0]]))
    change("inputs missing", lambda c, named: c.update(input_layers=[["i1", 0, 0]]))
    change("no layers", lambda c, named: c.update(layers=[]))
    change("an input layer with inputs", lambda c, named: named["i1"].update(inbound_nodes=[[["i2", 0, 0, {}]]]))
    change("a node of numbers", lambda c, named: named["flat"].update(inbound_nodes=[[1, 2, 3]]))
    change("a node of texts", lambda c, named: named["flat"].update(inbound_nodes=["add", 0, 0]))
    change("nodes in nodes", lambda c, named: named["flat"].update(inbound_nodes=[[[[["add", 0, 0, {}]]]]]))
    change("an argument that the call lacks", lambda c, named: named["flat"].update(
        inbound_nodes=[[["add", 0, 0, {"zzz": 1}]]]
    ))  # fmt: skip
    change(
        "training of a text", lambda c, named: named["drop"].update(inbound_nodes=[[["cat", 0, 0, {"training": "x"}]]])
    )
    return made


TEXTS: dict[str, Any] = {
    "nothing": "",
    "a number": "7",
    "a list": "[1, 2]",
    "null": "null",
    "unclosed": '{"class_name": "Sequential", "config": {',
    "a number of 100000 digits": '{"class_name": "Sequential", "config": {"name": "x", "layers": '
    + "9" * 100_000
    + "}}",
    "deep lists": "[" * 50_000 + "]" * 50_000,
    "deep dictionaries": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "half a character": '{"class_name": "\\ud800", "config": {}}',
    "zero bytes": "\x00" * 100,
    "no class": '{"config": {}}',
    "no config": '{"class_name": "Dense"}',
    "a config of text": '{"class_name": "Dense", "config": "units"}',
    "a class of a number": '{"class_name": 1, "config": {}}',
    "a class of nothing": '{"class_name": "", "config": {}}',
    "a class of a list": '{"class_name": ["Dense"], "config": {}}',
    "a comment": '/* x */ {"class_name": "Sequential", "config": {}}',
    "single quotes": "{'class_name': 'Sequential', 'config': {}}",
}
