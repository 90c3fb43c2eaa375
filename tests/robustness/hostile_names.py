"""Hostile names: of layers and models that are paths, places of the formats themselves, patterns, or no text at all.

A name is refused when the model is made or written, or the file that it is written to gives the same weights back.
"""

from __future__ import annotations

import copy
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hostile import Hostile
from hostile_code import dense, stack
from hostile_hdf5 import model
from watch import Watch

from keras_front import callbacks, models

NAMES = (
    "..", ".", "/", "a/b", "a//b", "/a", "a/", "a/.", "a/../b", "../../../x", "", " ", "a b", "a\0b", "\ud800", "ü",
    "a\nb", "\x1b[31m", "{0.__class__}", "{epoch:>99999999}", "%s%n", "a" * 70_000, "model_weights", "layer_names",
    "optimizer_weights", "vars", "layers", "top_level_model_weights", "kernel:0", "d/kernel:0", "__class__", "self",
    "name", "os.system", "CON", "C:\\x", "~", "$HOME", "`id`", "loss", "val_loss", "\u202eabc", "e\u0301", "0", "-1",
)  # fmt: skip
FORMS = ("h5", "keras", "weights of h5", "weights of keras")


def cases() -> Iterator[Hostile]:
    """Each name for a layer, for two, and for the model, in each format; then patterns of callbacks."""
    for name in NAMES:
        for place, config in named(name).items():
            for form in FORMS:
                yield Hostile(
                    "names", f"{place} {name!r:.60}, {form}", lambda c=config, f=form: _round(c, f), _the_same
                )
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    for pattern in PATTERNS:
        yield Hostile("patterns of ModelCheckpoint", pattern, lambda p=pattern: _checkpoint(folder, p), _harmless,
                      (str(folder), "/proc"))  # fmt: skip


def named(name: str) -> dict[str, Any]:
    """Configs in which something has this name."""
    second = {"class_name": "Dense", "config": {"name": "a", "units": 2}}
    two = stack(dense(name=name)["config"]["layers"][1], second)
    wrapped = stack({"class_name": "TimeDistributed", "config": {"name": name, "layer": second}})
    wrapped["config"]["layers"][0] = copy.deepcopy(wrapped["config"]["layers"][0])
    wrapped["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 4, 3]
    whole = dense()
    whole["config"]["name"] = name
    within = stack({"class_name": "Sequential", "config": {"name": name, "layers": [second]}})
    return {"a layer": two, "a wrapper": wrapped, "a model": whole, "a model within": within}


def _round(config: Any, form: str) -> Any:
    """Weights as they were, and as a file gives them back."""
    made = models.model_from_json(json.dumps(config))
    for place, weight in enumerate(made.weights):
        weight.set(np.full(weight.shape, place + 1, "float32"))
    before, buffer, kind = made.get_weights(), io.BytesIO(), form.rpartition(" ")[2]
    if form.startswith("weights"):
        made.save_weights(buffer, save_format=kind)
        made.set_weights([np.zeros_like(w) for w in before])
        made.load_weights(io.BytesIO(buffer.getvalue()))
        return before, made.get_weights()
    made.save(buffer, save_format=kind)
    return before, models.load_model(io.BytesIO(buffer.getvalue())).get_weights()


def _the_same(watch: Watch, read: Any) -> None:
    watch.check_harmless()
    if watch.error is None:
        for before, after in zip(*read, strict=True):
            np.testing.assert_array_equal(before, after)


def _harmless(watch: Watch, read: Any) -> None:
    watch.check_harmless()


# What a name of a metric or a pattern may ask of `str.format`.
PATTERNS = (
    "{epoch.__class__.__mro__}.h5", "{epoch.real.__class__.__init__.__globals__}.h5", "{0}.h5", "{}.h5", "{none}.h5",
    "{loss.__class__}.h5", "{epoch:>9999999}.h5", "{epoch", "epoch}", "{epoch!z}.h5", "{epoch[0]}.h5", "a\0b.h5",
    "../../{epoch}.h5", "{epoch:{epoch}}.h5",
)  # fmt: skip


def _checkpoint(folder: Path, pattern: str) -> Any:
    made = model(trained=True)
    (folder / "in" / "in").mkdir(parents=True, exist_ok=True)
    saver = callbacks.ModelCheckpoint(str(folder / "in" / "in" / pattern))
    made.fit(np.ones((2, 4)), np.ones((2, 2)), epochs=1, verbose=0, callbacks=[saver])
