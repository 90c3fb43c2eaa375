"""The nets of `keras_front.applications` are those that real Keras builds: layers, weights, numbers.

`applications.json` was recorded from tf_keras 2.21 and Keras-Applications 1.0.8, see `record_applications.py`.
"""

from __future__ import annotations

import doctest
import functools
import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import interop
import numpy as np
import pytest
from described_nets import described, images, seeded_weights, settled_names, summarized, weights_in_order

from keras_front import applications, config, models
from keras_front import backend as K
from keras_front import layers as L
from keras_front.optimizers import Adam
from keras_front.testing import selection

pytestmark = pytest.mark.slow

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("applications.json").read_text())
# By default one net of each family is compared; with KERAS_FRONT_TEST_ALL=1 every one.
QUICK = (
    "VGG16 Xception ResNet50 ResNet50V2 InceptionV3 MobileNet MobileNetV2 MobileNetV3Small DenseNet121 NASNetMobile "
    "InceptionResNetV2 EfficientNetB0 EfficientNetV2B0 ConvNeXtTiny RegNetY002 ResNetRS50 "
    "keras_applications.mobilenet.MobileNet keras_applications.resnet50.ResNet50 keras_applications.resnext.ResNeXt50"
).split()
# Numbers: those that are quick to compute, and on engines that compile for long just one.
NUMBERS = ("MobileNet", "MobileNetV3Small", "DenseNet121", "EfficientNetV2B0", "RegNetY002", "ConvNeXtTiny")
COMPILED = "MobileNet"


SIZED = [name for name, entry in RECORDED.items() if "size" in entry and "." not in name and "Conv" not in name]


def chosen(quick: Any) -> list[str]:
    return [name for name in RECORDED if name in quick or (selection.everything() and not name.startswith("keras1."))]


DIALECTS = {"keras_applications": "keras2.3", "keras1": "keras1"}
KERAS1 = [name for name in RECORDED if name.startswith("keras1.")]


def builder(name: str) -> tuple[Callable[..., Any], str]:
    """The function of a recorded net, and the dialect in which it was recorded."""
    if "." not in name:
        return getattr(applications, name), config.NATIVE
    source, module, net = name.split(".")
    return getattr(importlib.import_module(f"keras_front.applications.{module}"), net), DIALECTS[source]


def compared(entries: list[Any]) -> list[Any]:
    """Of the argument sets of a net by default the last, and the default one of nets that are not large."""
    if selection.everything():
        return entries
    return [entry for i, entry in enumerate(entries) if i == len(entries) - 1 or (i == 0 and entry["layers"] < 250)]


@pytest.mark.parametrize("name", chosen(QUICK))
def test_layers_and_weights_are_those_of_real_keras(name):
    build, dialect = builder(name)
    with config.dialect(dialect):
        for entry in compared(RECORDED[name]["structure"]):
            K.reset_uids()
            given = {key: tuple(v) if isinstance(v, list) else v for key, v in entry["with"].items()}
            found = described(build(weights=None, **given))
            assert found == {key: value for key, value in entry.items() if key != "with"}, given


def numbered() -> list[Any]:
    names = [name for name in chosen(NUMBERS) if "features" in RECORDED[name]]
    neutral = [pytest.mark.engine_neutral]
    return [pytest.param(name, marks=[] if name == COMPILED else neutral, id=name) for name in names]


@pytest.mark.parametrize("name", numbered())
def test_features_are_those_of_real_keras(backend, name):
    build, dialect = builder(name)
    with config.dialect(dialect):
        entry = RECORDED[name]
        net = build(weights=None, include_top=False, pooling="avg", input_shape=(entry["size"], entry["size"], 3))
    net.set_weights(seeded_weights(net, entry["gain"]))
    found, wanted = np.array(summarized(net.predict(images(entry["size"])))), np.array(entry["features"])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", KERAS1)
def test_weights_in_the_dialect_of_keras1_are_those_of_keras1(name):
    build, dialect = builder(name)
    with config.dialect(dialect):
        assert weights_in_order(build(weights=None)) == RECORDED[name]["weights"]


@pytest.mark.parametrize("name", KERAS1 if selection.everything() else KERAS1[:1])
def test_features_in_the_dialect_of_keras1_are_those_of_keras1(name):
    build, dialect = builder(name)
    size = RECORDED[name]["size"]
    with config.dialect(dialect):
        net = build(weights=None, include_top=False, **({"input_shape": (size, size, 3)} if size else {}))
    net.set_weights(seeded_weights(net))
    y = net.predict(images(size) if size else np.resize(images(32), (2, 96, 1366, 1)))
    found, wanted = summarized(y.mean(axis=(1, 2)) if y.ndim == 4 else y), np.array(RECORDED[name]["features"])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


# Files of the interop index ----------------------------------------------------------------------------------


@pytest.mark.engine_neutral
@pytest.mark.parametrize("entry", interop.cases("application"))
def test_interop(backend, entry):
    wanted = json.loads((interop.FOLDER / entry["file"]).read_text())
    K.reset_uids()
    net = eval(entry["code"], {"keras": __import__("keras_front")})
    assert (net.name, net.count_params(), len(net.layers)) == (wanted["name"], wanted["params"], wanted["layer_count"])
    trainable = sum(int(np.prod(w.shape)) for w in net.trainable_weights)
    assert trainable == wanted["trainable_params"]
    theirs = [_Listed(*line) for line in wanted["layers"]]
    assert settled_names(net.layers) == settled_names(theirs)
    for layer, other in zip(net.layers, theirs, strict=True):
        assert type(layer).__name__ == type(other).__name__
        assert tuple(layer.output_shape) == tuple(other.shape)
        own = [(w.name.rpartition("/")[2], list(w.shape)) for w in layer.weights]
        assert own == [(name.rpartition("/")[2], shape) for name, shape in other.weights]


def _Listed(name: str, kind: str, shape: list[Any], weights: list[Any]) -> Any:
    """What stands in the place of a layer of real Keras."""
    return type(kind, (), {"name": name, "shape": shape, "weights": weights})()


@pytest.mark.parametrize("entry", interop.cases("application weights"))
def test_interop_weights(backend, entry):
    path, arrays = interop.FOLDER / entry["file"], interop.arrays(entry["npz"])
    net = eval(
        entry["code"].replace("weights=None", "weights=path"), {"keras": __import__("keras_front"), "path": path}
    )
    np.testing.assert_allclose(net.predict(arrays["x0"]), arrays["y0"], rtol=0, atol=1e-5)


# Both formats, other inputs ----------------------------------------------------------------------------------


SMALL = ("MobileNet", "MobileNetV3Small", "EfficientNetV2B0", "RegNetY002")


@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", [n for n in QUICK if n in SMALL or (selection.everything() and n in SIZED)])
def test_channels_first_computes_the_same(backend, name):
    size = RECORDED[name]["size"]
    last = getattr(applications, name)(weights=None, include_top=False, input_shape=(size, size, 3))
    config.set_image_data_format("channels_first")
    first = getattr(applications, name)(weights=None, include_top=False, input_shape=(3, size, size))
    first.set_weights(last.get_weights())
    x = images(size, 1)
    found = np.moveaxis(first.predict(np.moveaxis(x, -1, 1)), 1, -1)
    wanted = last.predict(x)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_the_top_of_vgg_flattens_alike_in_both_formats():
    last = applications.vgg16._top
    options = functools.partial(application_options, classes=3)
    x = images(2, 4)
    inputs = L.Input((2, 2, 3))
    model = models.Model(inputs, last(inputs, options()))
    config.set_image_data_format("channels_first")
    inputs = L.Input((3, 2, 2))
    other = models.Model(inputs, last(inputs, options()))
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(other.predict(np.moveaxis(x, -1, 1)), model.predict(x), rtol=1e-5)


def application_options(**given: Any) -> Any:
    from keras_front.applications.application import COMMON, Options

    return Options(*({name: default for name, (default, _) in COMMON.items()} | given).values())


def test_input_tensor_may_be_computed():
    image = L.Input((None, None, 3))
    net = applications.MobileNet(
        alpha=0.25, weights=None, include_top=False, input_tensor=applications.mobilenet.preprocess_input(image * 1.0)
    )
    assert net.input is image
    assert net.output_shape == (None, None, None, 256)
    plain = applications.MobileNet(alpha=0.25, weights=None, include_top=False)
    plain.set_weights(net.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(net.predict(x), plain.predict(x / 127.5 - 1), rtol=1e-4, atol=1e-6)


def test_input_tensor_may_be_a_placeholder_or_an_array():
    for tensor in (K.placeholder((None, 32, 32, 3)), np.zeros((1, 32, 32, 3), "float32")):
        net = applications.MobileNet(alpha=0.25, weights=None, classes=3, input_tensor=tensor)
        assert net.output_shape[1:] == (3,)


@pytest.mark.parametrize("name", ["InceptionResNetV2", "ConvNeXtTiny", "MobileNetV3Small", "RegNetY002"])
def test_a_config_is_enough_to_build_a_net_again(name):
    size = RECORDED[name]["size"]
    net = getattr(applications, name)(weights=None, include_top=False, input_shape=(size, size, 3))
    again = models.model_from_json(net.to_json())
    assert weights_in_order(again) == weights_in_order(net)
    assert again.output_shape == net.output_shape


# Weights are drawn late ---------------------------------------------------------------------------------------


def test_weights_do_not_depend_on_what_is_read_first():
    from keras_front import set_random_seed

    def kernels(order: int) -> list[np.ndarray]:
        set_random_seed(5)
        net = applications.MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 3), include_top=False)
        return [w.numpy() for w in net.weights[::order]][::order]

    assert all((a == b).all() for a, b in zip(kernels(1), kernels(-1), strict=True))


# Transfer learning --------------------------------------------------------------------------------------------


def test_a_new_top_on_a_frozen_net_learns(backend):
    base = applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, include_top=False)
    base.set_weights(seeded_weights(base))
    base.trainable = False
    inner = models.Model(base.input, base.get_layer("conv_pw_3_relu").output)
    model = models.Sequential([inner, L.GlobalAveragePooling2D(), L.Dense(2, activation="softmax")])
    model.compile(Adam(0.1), "categorical_crossentropy", metrics=["accuracy"])
    before = base.get_weights()
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1, 1, (16, 32, 32, 3)).astype("float32"), np.eye(2, dtype="float32")[[0] * 8 + [1] * 8]
    x[:8, ..., 0] = 1
    history = model.fit(x, y, epochs=30, batch_size=16, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["accuracy"][-1] == 1
    assert all((a == b).all() for a, b in zip(before, base.get_weights(), strict=True))
    assert len(model.trainable_weights) == 2


def test_a_tensor_that_is_made_of_placeholders_begins_a_net(backend):
    """As in programs for the transfer of style: the loss of a net's inner features, by its picture."""
    fixed, picture = K.variable(np.ones((1, 32, 32, 3))), K.placeholder((1, 32, 32, 3))
    net = applications.VGG16(weights=None, include_top=False, input_tensor=K.concatenate([fixed, picture], axis=0))
    features = net.get_layer("block1_conv2").output
    loss = K.variable(0.0) + K.sum(K.square(features[1, :, :, :] - features[0, :, :, :]))
    values = np.random.default_rng(0).normal(size=(1, 32, 32, 3))
    value, gradient = K.function([picture], [loss, *K.gradients(loss, picture)])([values])
    assert value > 0
    assert gradient.shape == (1, 32, 32, 3)
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("name", ["VGG16", "MobileNet", "densenet.DenseNet", "MusicTaggerCRNN"])
def test_the_example_of_the_help_is_true(name):
    function = functools.reduce(getattr, name.split("."), applications)
    names = {function.__name__: function}
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(function), names, name, None, None)
    assert len(example.examples) == 1
    assert doctest.DocTestRunner().run(example).failed == 0
