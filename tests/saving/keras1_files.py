"""Files as Keras 1.0 to 1.2.2 wrote them, put together by hand, since those versions run nowhere any more.

Source: Keras 1.2.2, `keras/models.py` (`save_model`, `Sequential.get_config`), `keras/engine/topology.py`
(`save_weights_to_hdf5_group`), `keras/optimizers.py` (`self.weights` of each optimizer).
"""

from __future__ import annotations

import json

import h5py
import numpy as np

RANDOM = np.random.RandomState(0)


def numbers(*shape):
    return RANDOM.randn(*shape).astype("float32")


def layer(kind, name, **arguments):
    """The config of a layer."""
    return {"class_name": kind, "config": {"name": name, "trainable": True, **arguments}}


def first(shape, dtype="float32"):
    """What the first layer of a stack says of the input."""
    return {"batch_input_shape": [None, *shape], "input_dtype": dtype}


def dense(name, output_dim, activation="linear", **more):
    regularizers = dict.fromkeys(("W_regularizer", "b_regularizer", "activity_regularizer"))
    constraints = dict.fromkeys(("W_constraint", "b_constraint"))
    own = {"output_dim": output_dim, "init": "glorot_uniform", "activation": activation, "bias": True}
    return layer("Dense", name, **regularizers, **constraints, **own, **more)


def stack(*layers):
    """A `Sequential`, whose config was a list."""
    return {"class_name": "Sequential", "config": list(layers)}


def trained(optimizer, loss="mse", metrics=("accuracy",), **arguments):
    """A training config."""
    compiled = {"optimizer_config": {"class_name": optimizer, "config": arguments}, "loss": loss}
    return {**compiled, "metrics": list(metrics), "sample_weight_mode": None, "loss_weights": None}


def write(path, config=None, weights=(), training=None, state=None, version="1.2.2", backend=None):
    """Write a file.

    Args:
        path: where.
        config: the model's config; None for weights alone.
        weights: for each layer its name and arrays.
        training: the training config.
        state: the arrays of the optimizer, by name.
        version: what the file states; None for a version that stated none.
        backend: likewise.
    """
    with h5py.File(path, "w") as root:
        held = root if config is None else root.create_group("model_weights")
        for key, value in (("keras_version", version), ("backend", backend)):
            if value is not None:
                root.attrs[key] = held.attrs[key] = value.encode()
        held.attrs["layer_names"] = [name.encode() for name, _ in weights]
        for name, arrays in weights:
            fill(held.create_group(name), {f"{name}_{place}": array for place, array in enumerate(arrays)})
        if config is not None:
            root.attrs["model_config"] = json.dumps(config).encode()
        if training is not None:
            root.attrs["training_config"] = json.dumps(training).encode()
        if state is not None:
            fill(root.create_group("optimizer_weights"), state)
    return str(path)


def fill(group, arrays):
    group.attrs["weight_names"] = [name.encode() for name in arrays]
    for name, array in arrays.items():
        group.create_dataset(name, data=array)


def states(shapes, slots, counted=True, pattern="param_{}"):
    """The state of an optimizer: a counter at 7 if there is one, then slots whose elements are 1, 2, 3 ..."""
    filled = [np.full(shape, 1 + place, "float32") for place, shape in enumerate(list(shapes) * slots)]
    arrays = ([np.float32(7)] if counted else []) + filled
    return {pattern.format(place): array for place, array in enumerate(arrays)}
