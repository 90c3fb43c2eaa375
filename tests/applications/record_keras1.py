"""Adds nets of Keras 1.2.2 to `applications.json`: its own programs, run on keras_front in the dialect of Keras 1.

    python tests/applications/record_keras1.py PATH/TO/Keras-1.2.2

The path is that of the unpacked source distribution. Layers of Keras 1 that merge are of another class, and layers that
name themselves are named otherwise; so an entry has the weights in their order, and numbers.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from described_nets import images, seeded_weights, summarized, weights_in_order

from keras_front import config
from keras_front.legacy import modules

PATH = Path(__file__).with_name("applications.json")
# Modules, nets, and rows and columns of small images.
NETS = [
    ("inception_v3", "InceptionV3", 139),
    ("resnet50", "ResNet50", 197),
    ("music_tagger_crnn", "MusicTaggerCRNN", 0),
]


def builder(folder: Path, module: str, net: str) -> Any:
    """The function of Keras 1.2.2, with its relative imports made absolute."""
    text = (folder / "keras" / "applications" / f"{module}.py").read_text()
    text = re.sub(r"from \.\.(\w)", r"from keras.\1", text).replace("from .. import", "from keras import")
    text = re.sub(r"from \.(\w+) import", r"from keras.applications.\1 import", text)
    names: dict[str, Any] = {"__name__": module}
    exec(compile(text, module, "exec"), names)
    return names[net]


def recorded(build: Any, size: int) -> dict[str, Any]:
    """Weights of the net with its top, and features of small images without."""
    entry = {"weights": weights_in_order(build(weights=None)), "size": size}
    shape = {"input_shape": (size, size, 3)} if size else {}
    net = build(weights=None, include_top=False, **shape)
    net.set_weights(seeded_weights(net))
    x = images(size) if size else np.resize(images(32), (2, 96, 1366, 1))
    y = net.predict(x)
    return {**entry, "features": summarized(y.mean(axis=(1, 2)) if y.ndim == 4 else y)}


if __name__ == "__main__":
    modules.install()
    config.set_dialect("keras1")
    config.set_image_data_format("channels_last")
    lines = json.loads(PATH.read_text())
    for module, net, size in NETS:
        lines[f"keras1.{module}.{net}"] = recorded(builder(Path(sys.argv[1]), module, net), size)
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(lines[key])}" for key in sorted(lines))
    PATH.write_text("{\n" + text + "\n}\n")
