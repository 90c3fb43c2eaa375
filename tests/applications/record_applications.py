"""Records what real Keras builds: `applications.json`, one line for each net.

    python tests/applications/record_applications.py [NAME ...]

It needs tf_keras 2.21 and Keras-Applications 1.0.8, and takes a quarter of an hour. With names only these are recorded
anew. `structure` is `described(model)` with `weights=None`; `features` are those of `summarized` for seeded weights and
small images, without the top and with average pooling, of nets below 150 million parameters. Nets of
Keras-Applications are called `keras_applications.<module>.<net>`.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3")

import tensorflow as tf
import tf_keras as keras
from described_nets import described, images, seeded_weights, summarized
from tf_keras.src.initializers import initializers

PATH = Path(__file__).with_name("applications.json")
GATED = ("EfficientNetV2", "ResNetRS")  # see `seeded_weights`
SMALLEST = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}

# Arguments beside the default ones under which structures are recorded too.
WITHOUT_TOP: list[dict[str, Any]] = [
    {"include_top": False},
    {"include_top": False, "pooling": "avg", "input_shape": [96, 128, 3]},
    {"include_top": False, "pooling": "max", "input_shape": [97, 97, 3]},
]
GRAY: dict[str, Any] = {"include_top": False, "input_shape": [64, 64, 1]}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "MobileNet": [*WITHOUT_TOP, {"alpha": 0.5, "depth_multiplier": 2, "input_shape": [160, 160, 3], "classes": 7}],
    "MobileNetV2": [*WITHOUT_TOP, {"alpha": 1.4}, {"alpha": 0.35, "input_shape": [96, 96, 3]}],
    "MobileNetV3Small": [*WITHOUT_TOP, {"minimalistic": True}, {"alpha": 0.75, "include_preprocessing": False}],
    "MobileNetV3Large": [{"minimalistic": True, "include_top": False}, {"alpha": 0.75, "dropout_rate": 0}],
    "EfficientNetV2B0": [*WITHOUT_TOP, {"include_preprocessing": False}, GRAY],
    "ConvNeXtTiny": [*WITHOUT_TOP, {"include_preprocessing": False, "model_name": "net"}, GRAY],
    "RegNetX002": [*WITHOUT_TOP, {"include_preprocessing": False}],
    "ResNetRS50": [*WITHOUT_TOP, {"include_preprocessing": False}, GRAY],
    **dict.fromkeys(
        ("VGG16", "Xception", "ResNet50", "ResNet50V2", "InceptionV3", "InceptionResNetV2", "DenseNet121")
        + ("NASNetMobile", "EfficientNetB0"),
        WITHOUT_TOP,
    ),
}
CLASSIC = (
    "vgg16 vgg19 xception resnet50 resnet resnet_v2 resnext inception_v3 inception_resnet_v2 mobilenet mobilenet_v2 "
)
CLASSIC += "densenet nasnet"
CLASSIC_FEATURES = ("resnet50.ResNet50", "resnext.ResNeXt50", "resnext.ResNeXt101")


def builders() -> dict[str, Any]:
    """The functions to record, by name."""
    found = {name: f for name, f in vars(keras.applications).items() if inspect.isfunction(f)}
    parts = {"backend": keras.backend, "layers": keras.layers, "models": keras.models, "utils": keras.utils}
    for module in CLASSIC.split():
        for name, f in vars(importlib.import_module(f"keras_applications.{module}")).items():
            general = name in ("ResNet", "DenseNet", "NASNet")
            if inspect.isfunction(f) and "include_top" in inspect.signature(f).parameters and not general:
                found[f"keras_applications.{module}.{name}"] = lambda f=f, **k: f(**k, **parts)
    return found


def record(name: str, build: Any) -> dict[str, Any]:
    """The line of one net."""
    entry: dict[str, Any] = {"structure": [{"with": {}, **structure(build)}]}
    entry["structure"] += [{"with": given, **structure(build, **given)} for given in VARIANTS.get(name, [])]
    small = entry["structure"][0]["params"] < 150e6
    if small and (not name.startswith("keras_applications") or name.endswith(CLASSIC_FEATURES)):
        size = next((n for net, n in SMALLEST.items() if name.endswith(net)), 32)
        entry["size"], entry["gain"] = size, 0.3 if name.startswith(GATED) else 1.0
        entry["features"] = features(build, size, entry["gain"])
    return entry


def structure(build: Any, **given: Any) -> dict[str, Any]:
    """`described` of a net; its weights are zeros, which are made quickly."""
    keras.backend.clear_session()
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    draw = initializers.VarianceScaling.__call__
    initializers.VarianceScaling.__call__ = lambda self, shape, dtype=None, **k: tf.zeros(shape, dtype or "float32")
    try:
        return described(build(weights=None, **given))
    finally:
        initializers.VarianceScaling.__call__ = draw


def features(build: Any, size: int, gain: float) -> list[float]:
    """`summarized` features of small images."""
    keras.backend.clear_session()
    net = build(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3))
    net.set_weights(seeded_weights(net, gain))
    return summarized(net(images(size), training=False).numpy())


def main() -> None:
    """Record what was asked for, and keep the rest."""
    lines = json.loads(PATH.read_text()) if PATH.exists() else {}
    for name, build in builders().items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            lines[name] = record(name, build)
            text = ",\n".join(f"{json.dumps(key)}: {json.dumps(lines[key])}" for key in sorted(lines))
            PATH.write_text("{\n" + text + "\n}\n")
            print(name, lines[name]["structure"][0], flush=True)
            gc.collect()


if __name__ == "__main__":
    main()
