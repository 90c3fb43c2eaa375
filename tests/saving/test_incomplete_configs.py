"""Configs that make no object: the error says which layer and argument is meant, and where it stands."""

from __future__ import annotations

import json

import h5py
import pytest

from keras_front import layers, models
from keras_front.errors import IncompleteConfigError, SerializationError, UnknownNameError
from keras_front.saving import libraries


def sequential(*entries):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(entries)}}


def dense(**arguments):
    return {"class_name": "Dense", "config": arguments}


CASES = {
    r"config\.layers\[0\]: Dense: expected 'units' in its config; received the arguments none": sequential(dense()),
    r"config\.layers\[1\]: Conv2D 'c': expected 'kernel_size' .* 'filters', 'name'": sequential(
        dense(units=2), {"class_name": "Conv2D", "config": {"filters": 3, "name": "c"}}
    ),
    r"config\.layers\[0\]\.config\.layer: Dense 'inner': expected 'units'": sequential(
        {"class_name": "TimeDistributed", "config": {"layer": dense(name="inner")}}
    ),
    r"config\.layers\[0\]: TimeDistributed 't': expected 'layer'": sequential(
        {"class_name": "TimeDistributed", "config": {"name": "t"}}
    ),
    r"kernel_initializer: .*Constant: Keyword argument not understood: 'x'\. It takes value": sequential(
        dense(units=2, kernel_initializer={"class_name": "Constant", "config": {"x": 1}})
    ),
    r"config\.layers\[0\]: Dense: Keyword argument not understood: 'foo'": sequential(dense(units=2, foo=1)),
    r"config\.layers\[0\]: Dense: expected its config to be a dictionary": sequential(
        {"class_name": "Dense", "config": [1]}
    ),
    r"Sequential 's': expected 'layers'": {"class_name": "Sequential", "config": {"name": "s"}},
    r"Model 'm': expected 'input_layers', 'output_layers'": {
        "class_name": "Model",
        "config": {"name": "m", "layers": []},
    },
    r"the model 'm': expected a name for layers\[0\], a Dense": {
        "class_name": "Model",
        "config": {"name": "m", "layers": [dense(units=2)], "input_layers": [], "output_layers": []},
    },
}


@pytest.mark.parametrize("message", CASES)
def test_the_error_says_where_and_what(message):
    with pytest.raises(SerializationError, match=message):
        models.model_from_config(CASES[message])


def test_a_file_is_named(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(sequential(dense())).encode()
    with pytest.raises(SerializationError, match=r"m\.h5, config\.layers\[0\]: Dense: expected 'units'"):
        models.load_model(tmp_path / "m.h5")


def test_single_objects():
    with pytest.raises(IncompleteConfigError, match="Dense: expected 'units'"):
        layers.deserialize(dense())
    with pytest.raises(TypeError, match="Dense: expected 'units'"):  # as before
        layers.deserialize({"class_name": "Dense"})


def test_errors_of_the_users_own_code_are_left_alone():
    class Mine(layers.Layer):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)
            {}["size of another kind"]

    with pytest.raises(KeyError, match="size of another kind"):
        layers.deserialize({"class_name": "Mine", "config": {"size": 2}}, {"Mine": Mine})


@pytest.mark.parametrize(
    ("kind", "beside", "said"),
    [
        ("SeqSelfAttention", {}, r"keras_self_attention.* has a SeqSelfAttention.*import SeqSelfAttention"),
        ("Addons>WeightNormalization", {}, "tensorflow_addons.layers.* has a WeightNormalization"),
        ("Mine", {"module": "my_library.layers"}, "The file says that Mine is in my_library.layers: if you trust that"),
    ],
)
def test_a_class_of_another_library_is_said_to_be_one(kind, beside, said):
    entry = {"class_name": kind, "config": {"name": "x", "batch_input_shape": [None, 3]}, **beside}
    with pytest.raises(UnknownNameError, match=rf"config\.layers\[0\]: Unknown layer '{kind}'[^$]*{said}"):
        models.model_from_config(sequential(entry))


@pytest.mark.parametrize("module", ["os; import x", "keras.layers", "x" * 200, "/tmp/x", None])
def test_what_is_no_module_is_not_repeated(module):
    assert libraries.hint("Mine", module) == ""
