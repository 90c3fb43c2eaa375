"""Programs as a SavedModel, which TensorFlow, TensorFlow Serving and TensorFlow Lite run without Keras."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

__all__ = ["export_program"]


def export_program(backend: Any, prediction: Any, path: str | os.PathLike[str]) -> None:
    """Write a program as a SavedModel: a folder.

    `tf.saved_model.load(path).serve(x)` gives the output, or a list of them; the signature `serving_default` gives
    them by name.

    Args:
        backend: the adapter.
        prediction: a `keras_front.export.prediction.Prediction` for it.
        path: the folder.
    """
    run, module = prediction.straight_line(), tf.Module()
    named = zip(prediction.weights, prediction.weight_names)
    module.weights = [tf.Variable(a, trainable=False, name=n) for a, n in named]
    module.states = [tf.Variable(a, trainable=False) for a in prediction.states]
    names = [name.replace("/", "_").replace(":", "_") for name in (given.name for given in prediction.inputs)]
    specs = [tf.TensorSpec(g.shape, g.dtype, name=name) for g, name in zip(prediction.inputs, names, strict=True)]

    def outputs(*inputs: Any) -> list[Any]:
        held = ([v.value() for v in part] for part in (module.weights, module.states))
        return list(run(*held, list(inputs)))

    @tf.function(input_signature=specs)
    def serve(*inputs: Any) -> Any:
        found = outputs(*inputs)
        return found[0] if len(found) == 1 else found

    @tf.function(input_signature=specs)
    def by_name(*inputs: Any) -> dict[str, Any]:
        return dict(zip(prediction.outputs, outputs(*inputs), strict=True))

    module.serve = serve
    tf.saved_model.save(module, os.fspath(path), signatures={"serving_default": by_name.get_concrete_function()})


def open_sizes(x: Any) -> list[Any]:
    """The sizes of a tensor; for those that are not known yet a scalar that a run tells.

    Args:
        x: a tensor.
    """
    dynamic = tf.shape(x)
    return [dynamic[axis] if n is None else n for axis, n in enumerate(x.shape)]
