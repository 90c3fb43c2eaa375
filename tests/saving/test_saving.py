"""Models and weights that we wrote ourselves come back the same, in every format and on every backend."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, layers, losses, metrics, models, optimizers, saving
from keras_front.backend import discovery, seeds
from keras_front.errors import ArgumentError, SerializationError
from keras_front.registry import custom_object_scope
from keras_front.saving import keras_zip

FORMATS = ("m.h5", "m.keras")


def branched() -> models.Model:
    """Two inputs and outputs, a shared layer, a nested model called twice, frozen layers, a normalization."""
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(3, name="shared", kernel_regularizer="l2")
    inner = models.Sequential(
        [layers.BatchNormalization(input_shape=(3,)), layers.Dense(3, activation="tanh"), layers.BatchNormalization()],
        name="inner",
    )
    inner.layers[-1].trainable = False
    both = layers.Concatenate()([inner(shared(a)), inner(shared(b))])
    model = models.Model([a, b], [layers.Dense(2, name="p")(both), layers.Dense(1, name="q")(both)])
    random = np.random.default_rng(3)
    model.set_weights([random.random(w.shape) + 0.5 for w in model.weights])
    return model


def rows(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def assert_same(model, again, inputs):
    for got, want in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    got, want = again.predict(inputs), model.predict(inputs)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-6, atol=1e-6)


# Whole models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_model_comes_back(backend, tmp_path, name):
    model, inputs = branched(), [rows(5, 4), rows(5, 4)]
    model.save(tmp_path / name)
    again = models.load_model(tmp_path / name)
    assert type(again) is models.Model
    if name == "m.h5":  # an archive has the shapes of inputs in layers of their own, as Keras 3
        assert json.loads(again.to_json())["config"]["layers"] == json.loads(model.to_json())["config"]["layers"]
    assert_same(model, again, inputs)
    again.save(tmp_path / name)  # a model that was loaded saves as well
    assert_same(model, models.load_model(tmp_path / name), inputs)


def stacked_twice():
    layer = layers.Dense(3, "tanh", input_shape=(3,))
    return models.Sequential([layer, layers.ReLU(), layer, layer])


def shared_with_the_model_around():
    layer, x = layers.Dense(3), layers.Input((3,))
    return models.Model(x, layer(models.Sequential([layer, layers.ReLU(), layer])(layer(x))))


def shared_by_stacks():
    layer = layers.Dense(3)
    inner = models.Sequential([layer, layers.ReLU()])
    model = models.Sequential([inner, layer, inner])
    model.build((None, 3))
    return model


@pytest.mark.parametrize("make", [stacked_twice, shared_with_the_model_around, shared_by_stacks])
def test_layers_that_a_stack_shares_come_back_as_one(backend, tmp_path, make):
    model, x = make(), rows(4, 3)
    again = [models.model_from_json(model.to_json()), models.model_from_yaml(model.to_yaml())]
    for name in FORMATS:
        model.save(tmp_path / name)
        again.append(models.load_model(tmp_path / name))
        model.save_weights(tmp_path / "w.h5")
        again[0].load_weights(tmp_path / "w.h5")
    again[1].set_weights(model.get_weights())
    for other in again:
        assert len(other.weights) == 2
        assert_same(model, other, x)


def test_equal_layers_in_two_stacks_are_two_layers():
    """Files of Keras without numbers for shared layers: names are unique in each network only."""
    inner = [models.Sequential([layers.Dense(3, input_shape=(3,), name="d")], name=name) for name in "ab"]
    model = models.model_from_json(models.Sequential(inner).to_json())
    assert len(model.weights) == 4


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "make", [lambda: "sgd", lambda: optimizers.Adam(0.01, decay=0.1, amsgrad=True), lambda: "rmsprop"]
)
def test_how_it_was_compiled_comes_back(tmp_path, name, make):
    model = branched()
    model.compile(
        make(),
        loss={"p": "mse", "q": losses.Huber(0.5)},
        metrics={"p": ["mae", metrics.RootMeanSquaredError(name="r")]},
        loss_weights={"p": 0.5, "q": 2.0},
    )
    data = [rows(6, 4), rows(6, 4)], [rows(6, 2), rows(6, 1)]
    model.train_on_batch(*data)
    model.save(tmp_path / name)
    again = models.load_model(tmp_path / name)
    assert again.metrics_names == model.metrics_names
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for got, want in zip(again.optimizer.get_weights(), model.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    for _ in range(3):
        np.testing.assert_allclose(again.train_on_batch(*data), model.train_on_batch(*data), rtol=1e-6)


def test_include_optimizer_and_compile_may_be_declined(tmp_path):
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("adam", "mse")
    model.save(tmp_path / "a.h5", include_optimizer=False)
    assert models.load_model(tmp_path / "a.h5").optimizer is None
    model.save(tmp_path / "a.h5")
    assert models.load_model(tmp_path / "a.h5", compile=False).optimizer is None
    assert models.load_model(tmp_path / "a.h5").optimizer is not None


def test_a_loss_that_is_not_known_is_refused_unless_the_model_is_not_compiled(tmp_path):
    def mine(y_true, y_pred):
        return K.mean(K.abs(y_true - y_pred), axis=-1)

    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", mine)
    model.save(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=r"a\.h5: Unknown loss function 'mine'") as caught:
        models.load_model(tmp_path / "a.h5")
    assert "compile=False for the model alone" in str(caught.value)
    again = models.load_model(tmp_path / "a.h5", compile=False)
    assert_same(model, again, rows(3, 2))
    assert models.load_model(tmp_path / "a.h5", custom_objects={"mine": mine}).loss == "mine"
    with custom_object_scope({"mine": mine}):
        assert models.load_model(tmp_path / "a.h5").optimizer is not None


def test_custom_layers_need_their_class(tmp_path):
    class Scale(layers.Layer):
        def __init__(self, by=2.0, **kwargs):
            super().__init__(**kwargs)
            self.by = by

        def call(self, inputs):
            return inputs * self.by

    model = models.Sequential([Scale(3.0, input_shape=(2,)), layers.Dense(1)])
    model.save(tmp_path / "a.h5")
    with pytest.raises(ArgumentError, match="Scale"):
        models.load_model(tmp_path / "a.h5")
    assert models.load_model(tmp_path / "a.h5", {"Scale": Scale}).layers[0].by == 3.0


@pytest.mark.parametrize("target", ["file", "group", "bytes"])
def test_groups_and_file_objects_are_targets_and_sources(tmp_path, target):
    model, inputs = branched(), [rows(2, 4), rows(2, 4)]
    if target == "bytes":
        data = io.BytesIO()
        model.save(data)
        assert_same(model, models.load_model(io.BytesIO(data.getvalue())), inputs)
        return
    with h5py.File(tmp_path / "x.h5", "w") as f:
        place = f.create_group("models/first") if target == "group" else f
        model.save(place)
        assert_same(model, models.load_model(place), inputs)


def test_training_goes_on_as_if_it_had_not_stopped_on_another_backend(backend, tmp_path):
    def fresh():
        seeds.set_random_seed(5)
        model = models.Sequential([layers.Dense(8, activation="tanh", input_shape=(3,)), layers.Dense(1)])
        model.compile(optimizers.Adam(0.02), "mse")
        return model

    x = rows(32, 3).astype("float64")
    y = x.sum(axis=1, keepdims=True)
    config.set_floatx("float64")
    with discovery.use_backend("numpy"):
        whole = fresh().fit(x, y, epochs=6, batch_size=8, shuffle=False, verbose=0).history["loss"]
        stopped = fresh()
        first = stopped.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"]
        stopped.save(tmp_path / "m.h5")
    again = models.load_model(tmp_path / "m.h5")
    rest = again.fit(x, y, epochs=6, initial_epoch=3, batch_size=8, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(first + rest, whole, rtol=1e-8)


# Weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["h5", "keras"])
def test_weights_come_back(tmp_path, form):
    model, other = branched(), branched()
    other.set_weights([w * 0 for w in model.get_weights()])
    model.save_weights(tmp_path / "w.h5", save_format=form)
    other.load_weights(tmp_path / "w.h5")
    assert_same(model, other, [rows(2, 4), rows(2, 4)])


@pytest.mark.parametrize("name", FORMATS)
def test_weights_are_read_from_whole_models(tmp_path, name):
    model, other = branched(), branched()
    other.set_weights([w * 0 for w in model.get_weights()])
    model.save(tmp_path / name)
    other.load_weights(tmp_path / name)
    assert_same(model, other, [rows(2, 4), rows(2, 4)])


def test_weights_by_name(tmp_path):
    old = models.Sequential([layers.Dense(4, input_shape=(3,), name="body"), layers.Dense(2, name="head")])
    old.save_weights(tmp_path / "w.h5")
    new = models.Sequential([layers.Dense(4, input_shape=(3,), name="body"), layers.Dense(5, name="top")])
    start = new.get_weights()
    new.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(new.get_weights()[0], old.get_weights()[0])
    np.testing.assert_array_equal(new.get_weights()[2], start[2])
    wide = models.Sequential([layers.Dense(4, input_shape=(3,), name="body"), layers.Dense(5, name="head")])
    with pytest.raises(ArgumentError, match="expected shape"):
        wide.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.warns(UserWarning, match="Skipping loading of weights for layer head"):
        wide.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(wide.get_weights()[0], old.get_weights()[0])
    with pytest.raises(ArgumentError, match="by_name is True"):
        wide.load_weights(tmp_path / "w.h5", skip_mismatch=True)


def test_nothing_changes_when_something_does_not_fit(tmp_path):
    models.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)]).save_weights(tmp_path / "w.h5")
    model = models.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(5)])
    start = model.get_weights()
    with pytest.raises(ArgumentError, match="belongs to another model"):
        model.load_weights(tmp_path / "w.h5")
    for got, want in zip(model.get_weights(), start, strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(ArgumentError, match="containing 2 layers into a model with 1 layers"):
        models.Sequential([layers.Dense(4, input_shape=(3,))]).load_weights(tmp_path / "w.h5")


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ".npz"])
def test_weights_are_not_loaded_into_a_model_that_waits_for_its_first_call(suffix, tmp_path):
    """Or they would be nowhere afterwards, without a word."""

    class Net(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    path, x = tmp_path / f"w{suffix}", np.ones((1, 3), "float32")
    for make in (Net, lambda: models.Sequential([layers.Dense(2)])):
        model, waiting = make(), make()
        model(x)
        model.save_weights(path)
        for ways in ({}, {"by_name": True}):
            with pytest.raises(ArgumentError, match=f"w{suffix}: .*has not yet been built.*\n *Call the model first"):
                waiting.load_weights(path, **ways)
        waiting(x)
        waiting.load_weights(path)
        np.testing.assert_array_equal(waiting.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_file_of_a_class_without_shapes_says_that_the_model_is_to_be_called_first(tmp_path):
    class Net(models.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

        def get_config(self):
            return {}

    model = Net()
    model(np.ones((1, 3), "float32"))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:  # as Keras 3 writes it
        file.attrs["model_config"] = json.dumps({"class_name": "Net", "config": {}})
    with pytest.raises(ArgumentError, match=r"m.h5: expected a model with weights.*not yet been built"):
        models.load_model(tmp_path / "m.h5", custom_objects={"Net": Net})


def test_factors_of_tokens_are_read_where_tf_keras_keeps_them(tmp_path):
    """As the one weight of the layer, special tokens first."""
    tokens = layers.IntegerLookup(vocabulary=[1, 2, 5], idf_weights=[0.5, 0.6, 0.7], output_mode="tf_idf")
    inputs = layers.Input((3,), dtype="int64")
    model = models.Model(inputs, layers.Dense(2)(tokens(inputs)))
    model.save(tmp_path / "m.h5")
    x = np.array([[1, 2, 9], [5, 5, 1]])
    factors = np.float32([2, 0.25, 4, 1])
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        group = file[f"model_weights/{tokens.name}"] if "model_weights" in file else file[tokens.name]
        group["Variable:0"] = factors
        group.attrs["weight_names"] = [b"Variable:0"]
    kernel, bias = model.get_weights()
    counts = np.float32([[1, 1, 1, 0], [0, 1, 0, 2]])
    for read in (models.load_model(tmp_path / "m.h5"), model):
        read.load_weights(tmp_path / "m.h5")
        np.testing.assert_allclose(read.predict(x, verbose=0), counts * factors @ kernel + bias, rtol=1e-5)


def test_long_names_are_split_over_attributes(tmp_path):
    names = [f"n{i:03d}_" + "x" * 1900 for i in range(40)]
    model = models.Sequential([layers.Dense(1, input_shape=(1,), name=n) if i == 0 else layers.Dense(1, name=n)
                               for i, n in enumerate(names)])  # fmt: skip
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as f:
        assert {"layer_names0", "layer_names1"} <= set(f["model_weights"].attrs)
        assert "layer_names" not in f["model_weights"].attrs
    assert_same(model, models.load_model(tmp_path / "m.h5"), rows(2, 1))
    with pytest.raises(SerializationError, match="at most 64512 bytes"):
        models.Sequential([layers.Dense(1, input_shape=(1,), name="y" * 70_000)]).save(tmp_path / "m.h5")


def test_weights_of_a_subclass(tmp_path):
    class Mine(models.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(3), layers.Dense(2)

        def call(self, inputs):
            return self.second(self.first(inputs))

    one, two = Mine(), Mine()
    x = rows(2, 4)
    one.predict(x), two.predict(x)
    for form in ("h5", "keras"):
        one.save_weights(tmp_path / "w.h5", save_format=form)
        two.set_weights([w * 0 for w in one.get_weights()])
        two.load_weights(tmp_path / "w.h5")
        assert_same(one, two, x)


# Readers by other hands ------------------------------------------------------------------------------


def test_the_layout_is_that_of_keras_2(tmp_path):
    model = models.Sequential([layers.Dense(2, input_shape=(3,), name="d")])
    model.compile("adam", "mse")
    model.train_on_batch(rows(2, 3), rows(2, 2))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as f:
        assert set(f.attrs) == {"keras_version", "backend", "model_config", "training_config", "dialect"}
        assert json.loads(f.attrs["model_config"])["class_name"] == "Sequential"
        assert list(f["model_weights"].attrs["layer_names"]) == [b"d"]
        assert list(f["model_weights/d"].attrs["weight_names"]) == [b"d/kernel:0", b"d/bias:0"]
        assert f["model_weights/d/d/kernel:0"].shape == (3, 2)
        assert len(f["optimizer_weights"].attrs["weight_names"]) == 5


def test_importing_the_package_does_not_import_h5py():
    code = (
        "import sys, keras_front.saving, keras_front.models as m, keras_front.layers as l\n"
        "m.model_from_json(m.Sequential([l.Dense(1, input_shape=(2,))]).to_json())\n"
        "sys.exit('h5py' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_formats_are_told_by_content(tmp_path):
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    model.save(tmp_path / "zip.h5", save_format="keras")
    model.save(tmp_path / "hdf.keras", save_format="h5")
    assert keras_zip.is_archive(tmp_path / "zip.h5")
    assert not keras_zip.is_archive(tmp_path / "hdf.keras")
    for name in ("zip.h5", "hdf.keras"):
        assert_same(model, models.load_model(tmp_path / name), rows(2, 3))
    with pytest.raises(ArgumentError, match="expected 'h5' or 'keras'"):
        model.save(tmp_path / "x", save_format="tf")
    assert saving.FORMATS[None] is None
    with h5py.File(tmp_path / "hdf.keras") as root:
        assert root.attrs["keras_version"] in ("2.3.1", b"2.3.1")


def test_an_archive_keeps_what_keras_3_means_otherwise(tmp_path):
    nested = models.Sequential([layers.Dense(3, activation="hard_sigmoid", input_shape=(3,))], name="nested")
    functional = models.Model(i := layers.Input((3,)), layers.Dense(3, activation="hard_sigmoid_keras3")(i), name="f")
    x = layers.Input((3,))
    model = models.Model(x, [nested(functional(x)), functional(nested(x))])
    model.save(tmp_path / "m.keras")
    assert_same(model, models.load_model(tmp_path / "m.keras"), rows(4, 3))
