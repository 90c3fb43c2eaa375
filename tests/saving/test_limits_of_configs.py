"""What a config may ask for: layers, calls, arguments, memory; counted before anything is made, through every door."""

from __future__ import annotations

import copy
import io
import json

import h5py
import numpy as np
import pytest

from keras_front import bytecode, config, layers, models
from keras_front.errors import ArgumentError, ConfigError, SerializationError, UnsafeFileError
from keras_front.saving import inspection

pytestmark = pytest.mark.engine_neutral


def stack(*entries, shape=(2, 3)):
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": list(shape), "name": "i"}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *entries]}}


def entry(kind, name="x", **arguments):
    return {"class_name": kind, "config": {"name": name, **arguments}}


def as_h5(told) -> io.BytesIO:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"] = json.dumps(told)
        file.create_group("model_weights").attrs["layer_names"] = []
    return buffer


def as_keras(told) -> io.BytesIO:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", json.dumps(told))
    return buffer


DOORS = {
    "JSON": lambda told: models.model_from_json(json.dumps(told)),
    "YAML": lambda told: models.model_from_yaml(json.dumps(told)),
    "dictionary": models.model_from_config,
    ".h5": lambda told: models.load_model(as_h5(told)),
    ".keras": lambda told: models.load_model(as_keras(told)),
}


# Counts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_more_layers_than_allowed_are_refused_by_every_door(door):
    told = stack(*(entry("Activation", f"a{n}", activation="relu") for n in range(5)))
    with config.use(max_model_layers=5), pytest.raises(UnsafeFileError, match=r"at most 5 layers .* with 6"):
        DOORS[door](told)
    if door in ("JSON", "YAML", "dictionary"):
        for allowed in (6, 0):
            with config.use(max_model_layers=allowed):
                assert len(DOORS[door](told).layers) == 5


def test_looking_at_a_file_says_that_it_has_too_many_layers(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(stack(entry("Dense", units=1))))
    assert not inspection.describe(tmp_path / "m.json").refused
    with config.use(max_model_layers=1):
        assert "with 2" in inspection.describe(tmp_path / "m.json").refused[0]


def test_layers_of_inner_models_cells_and_further_calls_count():
    first, second = layers.Input((3,), name="i1"), layers.Input((3,), name="i2")
    shared = layers.Dense(3, name="d")
    told = json.loads(models.Model([first, second], layers.add([shared(first), shared(second)])).to_json())
    inner = stack(entry("Activation", "a", activation="relu"))
    cells = [entry("SimpleRNNCell", f"c{n}", units=2) for n in range(3)]
    for config_, count in (
        (told, 5),  # two inputs, the layer, its second call, the sum
        (stack(inner), 4),
        (stack(entry("RNN", cell=entry("StackedRNNCells", cells=cells)), shape=(2, 4, 3)), 5),
    ):
        with config.use(max_model_layers=count):
            models.model_from_config(config_)
        with config.use(max_model_layers=count - 1), pytest.raises(UnsafeFileError, match=f"with {count}"):
            models.model_from_config(config_)


def test_the_limits_of_configs_are_settings(monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_MAX_MODEL_LAYERS", "7")
    monkeypatch.setenv("KERAS_FRONT_MAX_MODEL_BYTES", "1000")
    config.reload()
    assert (config.max_model_layers(), config.max_model_bytes()) == (7, 1000)
    config.set_max_model_layers(0)
    config.set_max_model_bytes(None)
    assert config.max_model_layers() is None
    assert config.max_model_bytes() > 1 << 28
    for wrong in (-1, None, 1.5, "many"):
        with pytest.raises(ConfigError, match="an integer from 0 on"):
            config.set_max_model_layers(wrong)
    config.reload()


def test_an_object_with_a_million_arguments_is_refused_at_once():
    told = stack(entry("Dense", units=1, **{f"a{n}": n for n in range(10_001)}))
    with pytest.raises(UnsafeFileError, match=r"at most 10000 arguments, received 10003 for a 'Dense'"):
        models.model_from_config(told)


def test_one_tensor_may_be_many_outputs():
    told = json.loads(models.Model(first := layers.Input((1,), name="i"), layers.ReLU(name="r")(first)).to_json())
    told["config"]["output_layers"] = [["r", 0, 0]] * 3000
    assert models.model_from_config(told).output_names[-1] == "r_2999"


# Memory ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["JSON", "YAML", "dictionary"])
def test_weights_larger_than_allowed_are_never_drawn(door):
    told = stack(entry("Dense", units=10))  # 40 numbers of 4 bytes
    with config.use(max_model_bytes=160):
        assert DOORS[door](told).count_params() == 40
    with config.use(max_model_bytes=159), pytest.raises(UnsafeFileError, match=r"at most 159 bytes .* with 160"):
        DOORS[door](told)


def test_memory_that_runs_out_while_weights_are_drawn_names_the_setting(monkeypatch):
    def full(self):
        raise MemoryError

    monkeypatch.setattr("keras_front.backend.state.Variable.initialize", full)
    with pytest.raises(UnsafeFileError, match="max_model_bytes"):
        models.model_from_config(stack(entry("Dense", units=10)))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("GRU", {"units": 2**40, "stateful": True}),
        ("LSTM", {"units": 2**40, "stateful": True}),
        ("CategoryEncoding", {"num_tokens": 2**40}),
        ("Dense", {"units": 2**40}),
    ],
)
def test_sizes_that_no_machine_has_are_refused_before_they_are_taken(kind, arguments):
    told = stack(entry(kind, **arguments), shape=(2, 4, 3))
    with pytest.raises(UnsafeFileError, match="max_model_bytes") as caught:
        models.model_from_json(json.dumps(told))
    assert caught.value.__cause__ is None


def test_a_program_may_take_what_a_file_may_not():
    with config.use(max_model_bytes=1):
        assert layers.CategoryEncoding(4)(np.array([[1]])).shape == (1, 4)
        assert models.Sequential([layers.GRU(2, stateful=True, batch_input_shape=(2, 4, 3))]).count_params() > 0


# Calls -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph():
    first, second = layers.Input((4,), name="i1"), layers.Input((4,), name="i2")
    joined = layers.Concatenate(name="cat")([first, second])
    told = json.loads(models.Model([first, second], layers.Dropout(0.5, name="drop")(joined, training=True)).to_json())
    return {"class_name": "Model", "config": told["config"]}


@pytest.mark.parametrize(
    ("layer", "calls", "told_of"),
    [
        ("drop", [[["cat", 0, 0, {"training": {"class_name": "Dense", "config": {}}}]]], "as 'training', received a d"),
        ("drop", [[["cat", 0, 0, {"training": {}}]]], "as 'training', received a d"),
        ("drop", [[["cat", 0, 0, {"training": [{"junk": 1}]}]]], "as 'training', received a d"),
        ("cat", [[["i1", 0, 0, {"junk": 1}], ["i2", 0, 0, {}]]], "the same keyword arguments"),
        ("i1", [[["i2", 0, 0, {}]]], "no inputs of 'i1', which is an input itself"),
    ],
)
def test_calls_that_make_no_sense_are_refused(graph, layer, calls, told_of):
    told = copy.deepcopy(graph)
    next(each for each in told["config"]["layers"] if each["name"] == layer)["inbound_nodes"] = calls
    with pytest.raises(SerializationError, match=told_of):
        models.model_from_config(told)


class Scaled(layers.Layer):
    def call(self, inputs, factors=None):
        return inputs * factors["a"]


def test_layers_of_the_user_may_take_dictionaries():
    first = layers.Input((2,), name="i")
    model = models.Model(first, Scaled(name="s")(first, factors={"a": 3.0}))
    again = models.model_from_json(model.to_json(), custom_objects={"Scaled": Scaled})
    np.testing.assert_array_equal(np.asarray(again.predict(np.ones((1, 2)))), [[3.0, 3.0]])


def test_a_dictionary_is_no_noise_shape():
    with pytest.raises(ArgumentError, match="noise_shape"):
        models.model_from_config(stack(entry("Dropout", rate=0.5, noise_shape={"a": 1})))


# Code ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".json", ".yaml", "from_config"])
def test_the_permission_of_a_block_holds_for_every_door(suffix, tmp_path):
    model = models.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(3,), name="twice")])
    path = tmp_path / f"m{suffix}"
    if suffix in (".h5", ".keras"):
        model.save(path)
    text = model.to_json()
    doors = {
        ".json": lambda: models.model_from_json(text),
        ".yaml": lambda: models.model_from_yaml(text),
        "from_config": lambda: models.Sequential.from_config(json.loads(text)["config"]),
    }
    read = doors.get(suffix, lambda: models.load_model(path))
    with pytest.raises(UnsafeFileError):
        read()
    with bytecode.permit():
        again = read()
        with bytecode.permit(False), pytest.raises(UnsafeFileError):
            read()
    np.testing.assert_array_equal(np.asarray(again.predict(np.ones((1, 3)))), np.full((1, 3), 2.0))
    assert not bytecode.permitted()
