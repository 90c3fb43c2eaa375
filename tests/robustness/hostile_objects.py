"""Hostile objects in configs: programs as ops, huge initial values, patterns that never end, vocabularies, policies."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
from hostile import Hostile, harmless, refused
from hostile_code import FIRST, dense, stack
from hostile_hdf5 import _load_weights, layouts
from hostile_training import as_h5, as_keras, bases

from keras_front import models

OPS = (
    "io.read_file",
    "io.write_file",
    "py_function",
    "numpy_function",
    "raw_ops.ReadFile",
    "raw_ops.PyFunc",
    "load_op_library",
    "math.__class__",
    "__builtins__.eval",
    "keras.backend.eval",
    "os.system",
    "compat.v1.py_func",
    "io.gfile.remove",
    "data.Dataset.from_generator",
    "print",
    "debugging.assert_equal",
    "math",
    "",
    "....",
    "a" * 10_000,
    "math.reduce_sum.__globals__",
    "while_loop",
    "map_fn",
    "function",
    "saved_model.load",
)
BIG = 20_000  # the side of a square that takes 1.6 GB and, to make it orthogonal, hours


def cases() -> Iterator[Hostile]:
    """Ops, then what is made or compared when a layer is built, then what HDF5 has beside numbers."""
    for name in OPS:
        for form, config in ops(name).items():
            yield _text("programs as ops", f"{form}: {name!r:.60}", config, refused())
    for kind, found, check in (
        ("initial values", initializers(), harmless),
        ("vocabularies and tables", layers_of_words(), harmless),
        ("policies and patterns", policies(), harmless),
        ("names that lie", lies(), refused()),
    ):
        yield from (_text(kind, name, config, check) for name, config in found)
    for name, value in SETTINGS.items():
        for pack, form in ((as_h5, ".h5"), (as_keras, ".keras")):
            yield Hostile("optimizers, losses and metrics", f"{name}, {form}", _trained(value, pack), harmless)
    yield from of_hdf5()


def _text(kind: str, name: str, config: Any, check: Any) -> Hostile:
    return Hostile(kind, name, lambda: models.model_from_json(json.dumps(config)), check)


def ops(name: str) -> dict[str, Any]:
    """A graph with an op between its layers, as each Keras writes it."""
    first = {
        "class_name": "InputLayer",
        "name": "i",
        "inbound_nodes": [],
        "config": {"batch_input_shape": [None, 3], "name": "i", "dtype": "float32"},
    }
    called = [["i", 0, 0, {"name": None}]]
    node = {"name": "o", "op": name, "input": ["i"], "attr": {"T": {"type": "DT_FLOAT"}}}
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "keras_history": ["i", 0, 0]}}
    made = {
        "TFOpLambda": {"class_name": "TFOpLambda", "config": {"name": "o", "function": name}, "inbound_nodes": called},
        "SlicingOpLambda": {
            "class_name": "SlicingOpLambda",
            "config": {"name": "o", "function": name},
            "inbound_nodes": called,
        },
        "TensorFlowOpLayer": {
            "class_name": "TensorFlowOpLayer",
            "inbound_nodes": [called],
            "config": {"name": "o", "node_def": json.dumps(node), "constants": {}},
        },
        "an operation of Keras 3": {
            "class_name": name,
            "module": "keras.src.ops.numpy",
            "config": {"name": "o"},
            "registered_name": name,
            "inbound_nodes": [{"args": [tensor], "kwargs": {}}],
        },
    }
    return {form: _graph(first, {"name": "o", **entry}) for form, entry in made.items()}


def _graph(*entries: Any) -> Any:
    config = {"name": "g", "layers": [*entries], "input_layers": [["i", 0, 0]], "output_layers": [["o", 0, 0]]}
    return {"class_name": "Functional", "config": config}


def initializers() -> Iterator[tuple[str, Any]]:
    """What is drawn when weights are made."""
    wide = json.loads(json.dumps(FIRST))
    wide["config"]["batch_input_shape"] = [None, BIG]
    for name in ("Orthogonal", "Identity", "GlorotUniform", "TruncatedNormal"):
        config = dense(units=BIG, kernel_initializer={"class_name": name, "config": {}})
        config["config"]["layers"][0] = wide
        yield f"{name} of {BIG} by {BIG}", config
    for name, arguments in (
        ("Constant", {"value": [0.0] * 1_000_000}),
        ("Constant", {"value": "1e400"}),
        ("Constant", {"value": 10**400}),
        ("VarianceScaling", {"scale": float("nan")}),
        ("VarianceScaling", {"scale": 1e308, "mode": "__class__"}),
        ("TruncatedNormal", {"stddev": float("inf")}),
        ("RandomUniform", {"minval": 1, "maxval": -1}),
        ("RandomNormal", {"seed": 10**400}),
        ("RandomNormal", {"seed": -1}),
        ("RandomNormal", {"seed": [1] * 100_000}),
        ("Orthogonal", {"gain": float("nan")}),
        ("Zeros", {"shape": [2**62]}),
        ("Ones", {"dtype": "object"}),
    ):
        yield (
            f"{name} {json.dumps(arguments)[:60]}",
            dense(kernel_initializer={"class_name": name, "config": arguments}),
        )


def layers_of_words() -> Iterator[tuple[str, Any]]:
    """Layers that hold tables."""
    for kind, arguments in (
        ("StringLookup", {"vocabulary": ["a"] * 1000}),
        ("StringLookup", {"vocabulary": [{"a": 1}]}),
        ("StringLookup", {"vocabulary": [["a"]]}),
        ("StringLookup", {"vocabulary": "/etc/passwd\n"}),
        ("StringLookup", {"vocabulary": ["../x"], "idf_weights": "/etc/passwd"}),
        ("StringLookup", {"num_oov_indices": 2**62}),
        ("StringLookup", {"max_tokens": -5}),
        ("StringLookup", {"vocabulary": ["\ud800", "\x00"]}),
        ("StringLookup", {"encoding": "zip"}),
        ("StringLookup", {"encoding": "../x", "vocabulary": ["a"]}),
        ("IntegerLookup", {"vocabulary": [2**70]}),
        ("IntegerLookup", {"vocabulary": [1, "x"]}),
        ("IntegerLookup", {"vocabulary": [float("nan")]}),
        ("TextVectorization", {"standardize": "os.system"}),
        ("TextVectorization", {"split": "(a+)+$"}),
        ("TextVectorization", {"ngrams": 10**9, "vocabulary": ["a"]}),
        ("TextVectorization", {"ngrams": [2**62], "vocabulary": ["a"]}),
        ("TextVectorization", {"output_sequence_length": 2**62, "vocabulary": ["a"]}),
        ("TextVectorization", {"output_mode": "__class__"}),
        ("TextVectorization", {"vocabulary": {"a": 1}}),
        ("Hashing", {"num_bins": 3, "salt": [2**70, 1]}),
        ("Hashing", {"num_bins": 3, "salt": "x"}),
        ("Discretization", {"bin_boundaries": [3.0, 1.0]}),
        ("Discretization", {"bin_boundaries": [float("nan")]}),
        ("Discretization", {"bin_boundaries": ["x"]}),
        ("Discretization", {"bin_boundaries": [1.0] * 1_000_000}),
        ("Normalization", {"mean": [1.0] * 1_000_000, "variance": 1.0}),
        ("Normalization", {"mean": "/etc/passwd"}),
        ("Normalization", {"mean": [[[[1.0]]]], "variance": [[1.0]]}),
        ("Normalization", {"axis": [2**62]}),
        ("Normalization", {"mean": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}}),
        ("Normalization", {"mean": {"class_name": "__tensor__", "config": {"value": [1] * 3, "dtype": "V8"}}}),
        ("HashedCrossing", {"num_bins": 2**62}),
        ("CategoryEncoding", {"num_tokens": 2**62}),
        ("Rescaling", {"scale": "1e400"}),
        ("Rescaling", {"scale": [1e308] * 10, "offset": float("nan")}),
        ("RandomZoom", {"height_factor": [2**62, -1]}),
        ("Resizing", {"height": 2**62, "width": 2**62}),
        ("RandomCrop", {"height": 2**62, "width": 1}),
        ("STFTSpectrogram", {"fft_length": 2**62}),
        ("MelSpectrogram", {"fft_length": 2**40, "num_mel_bins": 2**40}),
        ("Embedding", {"input_dim": 3, "output_dim": 0}),
    ):
        text = json.dumps(arguments)
        yield f"{kind} {text[:70]}", stack({"class_name": kind, "config": {"name": "x", **arguments}})


def policies() -> Iterator[tuple[str, Any]]:
    """Types and policies, whose maps hold patterns."""
    slow = "(" * 12 + "a+" + ")+" * 12 + "$"
    for name, value in {
        "an object": "object",
        "a structure": "f4,i4",
        "a text": "S10",
        "a class": "__class__",
        "from nothing": "int8_from_",
        "from itself": "int8_from_int8_from_int8",
        "a long name": "float" * 100_000,
        "a date": "M8[ns]",
        "void": "V1000000000",
        "a map": {"class_name": "DTypePolicyMap", "config": {"policy_map": {slow: "mixed_float16"}}},
        "a map of maps": {
            "class_name": "DTypePolicyMap",
            "config": {"policy_map": {"d": {"class_name": "DTypePolicyMap", "config": {"policy_map": {}}}}},
        },
        "no pattern": {"class_name": "DTypePolicyMap", "config": {"policy_map": {"(": "float16"}}},
        "a quantized policy": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "eval", "source_name": "x"}},
        "a policy of code": {"class_name": "DTypePolicy", "config": {"name": "os.system"}},
    }.items():
        for layer in ("d", "a" * 60 + "b"):
            config = dense(dtype=value)
            config["config"]["layers"][1]["config"]["name"] = layer
            yield f"{name}, {layer[:3]}", config


def lies() -> Iterator[tuple[str, Any]]:
    """A class that says that it is another one, or almost one."""
    for name in (
        "keras>Lambda",
        "builtins>eval",
        "Lambda",
        "os>system",
        "Custom>Dense",
        "__main__>x",
        "keras_front>Dense",
    ):
        yield f"registered as {name}", stack({"class_name": "eval", "registered_name": name, "config": {"name": "d"}})
    for name in (
        "\uff24ense",
        "Dense\u200b",
        "Dense\0",
        " Dense",
        "dense ",
        "Dense\n",
        "Dense.__init__",
        "Dense[0]",
        "layers.Dense",
        "keras.layers.Dense()",
        "De\u0301nse",
        "Layer",
        "Operation",
        "Wrapper",
        "__class__",
        "type",
        "object",
        "Registry",
    ):
        yield f"a class {name!r}", stack({"class_name": name, "config": {"name": "d", "units": 2}})


# What is compiled --------------------------------------------------------------------------------------

_ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
SETTINGS: dict[str, Any] = {
    f"{number}, {key}: {json.dumps(value)[:60]}": (key, value)
    for number, (key, value) in enumerate(
        [
            *(
                ("loss", v)
                for v in (
                    "eval",
                    "__class__",
                    ["mse"] * 100_000,
                    {"a" * n: "mse" for n in range(1, 300)},
                    [[["mse"]]],
                    {"class_name": "LossFunctionWrapper", "config": {"fn": "eval"}},
                    {"class_name": "Huber", "config": {"delta": 10**400}},
                    {"class_name": "SparseCategoricalCrossentropy", "config": {"axis": 2**70}},
                )
            ),
            *(
                ("metrics", v)
                for v in (
                    ["eval"],
                    ["acc"] * 100_000,
                    [{"class_name": "AUC", "config": {"num_thresholds": 2**40}}],
                    [{"class_name": "MeanIoU", "config": {"num_classes": 2**31}}],
                    [{"class_name": "Precision", "config": {"thresholds": [0.5] * 1_000_000}}],
                    [{"class_name": "ConfusionMatrix", "config": {}}],
                    [{"class_name": "Lambda", "config": {}}],
                    {"d": ["eval"]},
                    "x" * 100_000,
                )
            ),
            *(
                ("optimizer", {"class_name": "Adam", "config": {**_ADAM, **v}})
                for v in (
                    {"learning_rate": 10**400},
                    {"learning_rate": "1e400"},
                    {"beta_1": float("nan")},
                    {"clipnorm": -1},
                    {"gradient_accumulation_steps": 2**62},
                    {"ema_overwrite_frequency": -1},
                    {"iterations": 2**70},
                    {"name": {}},
                    {
                        "learning_rate": {
                            "class_name": "PiecewiseConstantDecay",
                            "config": {"boundaries": [1] * 100_000, "values": []},
                        }
                    },
                    {"learning_rate": {"class_name": "LearningRateSchedule", "config": {}}},
                    {"__class__": "x"},
                    {"jit_compile": "x"},
                )
            ),
            *(("loss_weights", v) for v in ([10**400], ["x"], {"d": float("inf")}, [[1]], "d")),
        ]
    )
}


def _trained(setting: Any, pack: Callable[[Any], Callable[[], io.BytesIO]]) -> Callable[[], Any]:
    key, value = setting

    def run() -> Any:
        bases()
        base: dict[str, Any] = {"loss": "mse", "metrics": [], "optimizer": {"class_name": "Adam", "config": _ADAM}}
        base[key] = value
        if pack is as_h5:
            base["optimizer_config"] = base.pop("optimizer")
        return models.load_model(pack(base)())

    return run


# HDF5 ------------------------------------------------------------------------------------------------


def of_hdf5() -> Iterator[Hostile]:
    """Types, references, loops and sizes that no writer of models uses."""
    data = layouts()["weights .h5"][0]
    for name, change in HDF5.items():
        yield Hostile("types and links of HDF5", name, lambda c=change: _load_weights(_changed(data, c)), harmless)


def _changed(data: bytes, change: Callable[[Any], None]) -> io.BytesIO:
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "a") as file:
        change(file)
    return io.BytesIO(buffer.getvalue())


def _names(value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file["a"].attrs["weight_names"]
        file["a"].attrs["weight_names"] = value(file) if callable(value) else value

    return change


def _kernel(**arguments: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file["a/a/kernel:0"]
        file["a/a"].create_dataset("kernel:0", **arguments)

    return change


def _references(file: Any) -> Any:
    return np.asarray([file["b"].ref, file["/"].ref], h5py.ref_dtype)


def _loop(file: Any) -> None:
    file["a/a/loop"] = file["a"]
    file["a/loop"] = file["/"]


def _deep(file: Any) -> None:
    group = file
    for _ in range(3000):
        group = group.create_group("g")


HDF5: dict[str, Callable[[Any], None]] = {
    "names that are references": _names(_references),
    "names that are regions": _names(lambda file: file["a/a/kernel:0"].regionref[:1]),
    "names of variable length, odd bytes": _names(np.asarray([b"\xff\xfe", b"\x01"], h5py.string_dtype("ascii"))),
    "names of 60 KB": _names(np.asarray([b"x" * 30_000] * 2)),
    "names that lead up": _names(np.asarray([b"../b/b/gamma:0", b"/b/b/gamma:0"])),
    "names that are the root": _names(np.asarray([b"/", b"."])),
    "names of names": _names(np.asarray([[b"a/kernel:0"], [b"a/bias:0"]])),
    "numbers of 128 bits": _kernel(data=np.ones((4, 3), "longdouble")),
    "an enumeration": _kernel(data=np.ones((4, 3), "i1"), dtype=h5py.enum_dtype({"a": 1, "b": 2}, "i1")),
    "arrays in arrays": _kernel(shape=(4,), dtype=np.dtype(("f4", (3,)))),
    "texts of variable length": _kernel(data=[[b"1"] * 3] * 4, dtype=h5py.string_dtype()),
    "numbers of variable length": _kernel(shape=(4, 3), dtype=h5py.vlen_dtype("f4")),
    "references": _kernel(shape=(4, 3), dtype=h5py.ref_dtype),
    "a null space": _kernel(data=h5py.Empty("f4")),
    "a fill value without storage": _kernel(shape=(4, 3), dtype="f4", fillvalue=31337.0),
    "a growing shape": _kernel(shape=(4, 3), maxshape=(None, None), dtype="f4", chunks=(1, 1)),
    "a chunk larger than the data": _kernel(shape=(4, 3), maxshape=(1 << 40, 3), dtype="f4", chunks=(1 << 20, 3)),
    "a checksum": _kernel(data=np.ones((4, 3), "f4"), fletcher32=True),
    "a scale and an offset": _kernel(data=np.ones((4, 3), "i4"), scaleoffset=0),
    "no numbers in 2**62 rows": _kernel(shape=(1 << 62, 0), dtype="f4"),
    "groups that hold each other": _loop,
    "3000 groups in each other": _deep,
    "a type in the place of a dataset": lambda file: (
        file.pop("a/a/kernel:0"),
        file.__setitem__("a/a/kernel:0", np.dtype("f4")),
    ),
    "links in a circle": lambda file: (
        file.__setitem__("x", h5py.SoftLink("/y")),
        file.__setitem__("y", h5py.SoftLink("/x")),
    ),
}
