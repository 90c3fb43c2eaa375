"""What `.h5` files say for tf_keras and Keras 3, and that we read it back; `make test-other-keras` asks these."""

from __future__ import annotations

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from keras_front import config
from keras_front import layers as L
from keras_front.models import Model, Sequential, load_model
from keras_front.saving import conversion


def saved(tmp_path, *stack, shape=(5, 3)):
    """A model of these layers, its config as the file has it, and the model that is read from it."""
    model = Sequential([L.InputLayer(input_shape=shape), *stack])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        described = json.loads(file.attrs["model_config"])
    return model, described["config"]["layers"], load_model(tmp_path / "m.h5")


def same(model, again, shape=(5, 3)):
    x = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_layers_within_layers_say_where_their_class_is(tmp_path):
    model, entries, again = saved(tmp_path, L.TimeDistributed(Sequential([L.Dense(2, kernel_regularizer="l2")])))
    inner = entries[1]["config"]["layer"]
    assert (entries[1]["module"], inner["module"], inner["class_name"]) == ("keras.layers", "keras", "Sequential")
    dense = inner["config"]["layers"][-1]
    assert (dense["module"], dense["config"]["kernel_regularizer"]["module"]) == ("keras.layers", "keras.regularizers")
    assert "module" not in entries[0]  # Keras 3 reads `batch_input_shape` in what has no module alone
    same(model, again)


def test_lists_of_axes_are_in_entries_that_keras_3_reads_as_its_own(tmp_path):
    model, entries, again = saved(tmp_path, L.Softmax(axis=[1, 2]))
    assert (entries[1]["config"]["axis"], entries[1]["module"]) == ([1, 2], "keras.layers")
    same(model, again)


@pytest.mark.parametrize(
    ("layer", "left_out"),
    [(lambda: L.SpatialDropout1D(0.5), {"noise_shape", "trainable"}), (lambda: L.CuDNNLSTM(2), {"unroll"})],
)
def test_what_one_of_them_lacks_is_left_out_where_that_changes_nothing(tmp_path, layer, left_out):
    model, entries, again = saved(tmp_path, layer())
    assert not left_out & set(entries[1]["config"])
    assert again.get_config() == model.get_config()


def test_images_of_a_file_without_data_format_have_channels_last(tmp_path):
    _, entries, _ = saved(tmp_path, L.CenterCrop(2, 2), shape=(4, 4, 3))
    assert "data_format" not in entries[1]["config"]
    config.set_image_data_format("channels_first")
    try:
        assert load_model(tmp_path / "m.h5").layers[0].data_format == "channels_last"
    finally:
        config.set_image_data_format("channels_last")


@pytest.mark.parametrize("layer", [lambda: L.LSTM(2, recurrent_activation="hard_sigmoid"),
                                   lambda: L.Dense(2, activation="hard_sigmoid"),
                                   lambda: L.RNN(L.GRUCell(2, activation="hard_sigmoid"))])  # fmt: skip
def test_keras_3_refuses_what_it_would_compute_otherwise(tmp_path, layer):
    """`batch_size` is no argument of its layers; older Keras look at it beside `input_shape` alone."""
    model, entries, again = saved(tmp_path, layer())
    described = entries[1]["config"].get("cell", entries[1])["config"]
    assert "hard_sigmoid is another function in Keras 3" in described["batch_size"]
    assert "batch_size" not in json.dumps(again.get_config())
    same(model, again)


def test_a_layer_of_the_users_own_is_found_by_its_name_alone(tmp_path):
    class Twice(L.Layer):
        def call(self, x):
            return 2 * x

    model = Model(x := L.Input((3,)), Twice()(x))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        entry = json.loads(file.attrs["model_config"])["config"]["layers"][1]
    assert "module" not in entry
    assert "registered_name" not in entry


def test_hdf5_for_keras_3_is_in_its_own_form(tmp_path):
    model = Sequential([L.Dense(2, input_shape=(3,), kernel_initializer="he_normal"), L.LeakyReLU(alpha=0.2)])
    model.save(tmp_path / "m.h5")
    conversion.convert(tmp_path / "m.h5", tmp_path / "k.h5", to="keras3")
    with h5py.File(tmp_path / "k.h5") as file:
        entries = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert entries[0]["config"]["batch_shape"] == [None, 3]
    assert entries[2]["config"]["negative_slope"] == 0.2
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(load_model(tmp_path / "k.h5").predict(x), model.predict(x))


def archive(path):
    """The config of an archive, and the arrays of its optimizer."""
    with zipfile.ZipFile(path) as members, h5py.File(io.BytesIO(members.read("model.weights.h5"))) as file:
        state = file["optimizer/vars"]
        return json.loads(members.read("config.json"))["config"], [state[str(n)].shape for n in range(len(state))]


def test_initial_states_are_an_argument_of_the_call_in_archives(tmp_path):
    x = L.Input((4, 3))
    _, *states = L.LSTM(2, return_state=True)(x)
    model = Model(x, L.LSTM(2)(x, initial_state=states))
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    described, _ = archive(tmp_path / "m.keras")
    (node,) = described["layers"][2]["inbound_nodes"]
    assert (len(node["args"]), len(node["kwargs"]["initial_state"])) == (1, 2)
    same(model, load_model(tmp_path / "m.keras"), (4, 3))


def test_archives_of_tf_keras_have_no_rate_among_the_state_of_the_optimizer(tmp_path):
    model = Sequential([L.Dense(2, input_shape=(3,))])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    model.save(tmp_path / "m.keras")
    assert conversion.convert(tmp_path / "m.keras", tmp_path / "t.keras", to="tf_keras") == []
    slots = [(3, 2), (3, 2), (2,), (2,)]
    assert archive(tmp_path / "m.keras")[1] == [(), (), *slots]
    assert archive(tmp_path / "t.keras")[1] == [(), *slots]
    again = load_model(tmp_path / "t.keras")
    for some in (model, again):
        some.train_on_batch(np.ones((2, 3)), np.zeros((2, 2)))
    np.testing.assert_array_equal(model.predict(np.ones((1, 3))), again.predict(np.ones((1, 3))))


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_stack_that_begins_with_a_stack_says_its_input_and_comes_back_as_it_was(tmp_path, name):
    model = Sequential([Sequential([Sequential([L.Dense(2, input_shape=(3,))])]), L.Dense(1)])
    model.save(tmp_path / name)
    if name == "m.h5":
        with h5py.File(tmp_path / name) as file:
            entries = json.loads(file.attrs["model_config"])["config"]["layers"]
        assert entries[0]["config"]["batch_input_shape"] == [None, 3]
    again = load_model(tmp_path / name)
    if name == "m.h5":
        assert again.get_config() == model.get_config()
    same(model, again, (3,))
