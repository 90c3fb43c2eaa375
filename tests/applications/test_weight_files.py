"""Weights of the nets: which file, what is refused, and files that Keras 1 wrote on Theano."""

from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest

from keras_front import applications, config, models, utils
from keras_front import layers as L
from keras_front.applications import resnet50, weight_files
from keras_front.applications.application import COMMON, Options
from keras_front.errors import ArgumentError, ShapeError

pytestmark = pytest.mark.slow


def options(**given):
    return Options(*({name: default for name, (default, _) in COMMON.items()} | given).values())


def test_every_net_has_files_and_every_file_a_net():
    nets = {net for net, _ in weight_files._table()}
    for name in applications._HOMES:
        assert any(net.split()[0] == name for net in nets), name
    assert {net.split()[0] for net in nets} == set(applications._HOMES)
    assert weight_files.address("NASNetLarge", False)[0] == "nasnet_large_no_top.h5"
    for net, top in weight_files._table():
        file, url, digest = weight_files.address(net, top)
        assert url.startswith("https://")
        assert file.endswith(".h5")
        assert digest is None or len(digest) in (32, 64)


@pytest.mark.parametrize(
    ("net", "arguments", "file"),
    [
        ("MobileNet", {"alpha": 0.25, "input_shape": (128, 128, 3)}, "mobilenet_2_5_128_tf.h5"),
        ("MobileNet", {"alpha": 0.25, "include_top": False}, "mobilenet_2_5_224_tf_no_top.h5"),
        (
            "MobileNetV2",
            {"alpha": 0.35, "include_top": False, "input_shape": (96, 96, 3)},
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5",
        ),
        ("MobileNetV3Small", {"minimalistic": True}, "weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5"),
        ("MobileNetV3Large", {"alpha": 0.75}, "weights_mobilenet_v3_large_224_0.75_float.h5"),
    ],
)
def test_imagenet_weights_are_fetched_and_read(monkeypatch, net, arguments, file):
    asked, read = [], []
    monkeypatch.setattr(utils, "get_file", lambda *args, **kwargs: asked.append((args, kwargs)) or "some/path.h5")
    monkeypatch.setattr(models.Model, "load_weights", lambda self, path: read.append(path))
    getattr(applications, net)(**arguments)
    (name, url), settings = asked[0]
    assert name == file
    assert url.endswith(".h5")
    assert settings["cache_subdir"] == "models"
    assert read == ["some/path.h5"]


def test_the_old_resnet_has_its_own_file(monkeypatch):
    asked = []
    monkeypatch.setattr(utils, "get_file", lambda *args, **kwargs: asked.append(args[0]) or "some/path.h5")
    monkeypatch.setattr(models.Model, "load_weights", lambda self, path: None)
    applications.ResNet50(include_top=False)
    with config.dialect("keras2.3"):
        applications.resnet.ResNet50(include_top=False)
        applications.resnet50.ResNet50(include_top=False)
    assert asked == ["resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"] * 3
    assert weight_files.address("ResNet50", False)[1] != weight_files.address("ResNet50 classic", False)[1]


def test_a_file_of_the_old_resnet_makes_the_old_resnet(tmp_path):
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("model_weights").create_group("res2a_branch2a")
    assert resnet50._choose(options(weights=str(path))) is resnet50.CLASSIC
    assert resnet50._choose(options(weights=None)) is None
    assert resnet50._choose(options()) is None
    (tmp_path / "other.h5").write_bytes(b"no HDF5")
    assert resnet50._choose(options(weights=str(tmp_path / "other.h5"))) is None


def test_music_tagger(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(utils, "get_file", lambda *args, **kwargs: asked.append(args[0]) or "some/path.h5")
    monkeypatch.setattr(models.Model, "load_weights", lambda self, path, by_name=False: asked.append(by_name))
    tagger = applications.music_tagger_crnn
    assert tagger.MusicTaggerCRNN().output_shape == (None, 50)
    with config.use(image_data_format="channels_first"):
        assert tagger.MusicTaggerCRNN(include_top=False).output_shape == (None, 32)
    kinds = [f"music_tagger_crnn_weights_tf_kernels_{kind}_dim_ordering.h5" for kind in ("tf", "th")]
    assert asked == [kinds[0], True, kinds[1], True]
    with pytest.raises(ArgumentError, match="should be 50, received 3"):
        tagger.MusicTaggerCRNN(classes=3)
    with pytest.raises(ArgumentError, match="'msd' \\(trained weights\\)"):
        tagger.MusicTaggerCRNN(weights="imagenet")
    scores = np.zeros((1, 50))
    scores[0, [1, 49]] = 0.5, 0.75
    assert tagger.decode_predictions(scores, top_n=2) == [[("happy", 0.75), ("pop", 0.5)]]
    with pytest.raises(ShapeError, match="50 tags"):
        tagger.decode_predictions(scores[:, :5])


def test_audio_is_read_by_librosa(monkeypatch):
    audio = applications.audio_conv_utils
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ImportError, match="pip install librosa"):
        audio.preprocess_input("song.wav")
    heard = []
    power = np.full((96, 1366), 10.0)

    class Librosa:
        load = staticmethod(lambda path, sr: (np.arange(400000.0), sr))
        power_to_db = staticmethod(lambda x, ref: 10 * np.log10(x / ref))

        class feature:
            melspectrogram = staticmethod(lambda y, **settings: heard.append((y, settings)) or power)

    monkeypatch.setitem(sys.modules, "librosa", Librosa)
    assert audio.preprocess_input("song.wav").shape == (96, 1366, 1)
    first = audio.preprocess_input("song.wav", dim_ordering="th")
    assert first.shape == (1, 96, 1366)
    assert (first == 20).all()
    samples, settings = heard[0]
    assert settings == {"sr": 12000, "hop_length": 256, "n_fft": 512, "n_mels": 96}
    assert (len(samples), samples[0], samples[-1]) == (349440, 25280, 374719)
    assert len(audio.clip(np.ones(5))) == 349440


@pytest.mark.parametrize(
    ("net", "arguments", "text"),
    [
        ("VGG16", {"weights": "no_such_file.h5"}, "or the path to the weights file to be loaded; found no file"),
        ("Xception", {"classes": 10}, "`classes` should be 1000; received 10"),
        ("ResNet50", {"classifier_activation": "relu"}, "only `None` and `softmax` activations"),
        ("MobileNet", {"alpha": 0.3}, "can be one of 0.25, 0.5, 0.75, 1; received 0.3"),
        ("MobileNet", {"depth_multiplier": 2}, "`depth_multiplier` must be 1"),
        ("MobileNetV3Large", {"alpha": 0.75, "minimalistic": True}, "must be 1.0 if the net is minimalistic"),
        ("VGG19", {"size": 3}, "VGG19: Keyword argument not understood: 'size'"),
        ("VGG19", {"include_top": False, "weights": None, "pooling": "mean"}, "None, 'avg' or 'max', received 'mean'"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_built(net, arguments, text):
    with pytest.raises((ArgumentError, TypeError), match=text):
        getattr(applications, net)(**arguments)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_efficientnet_scales_once_more_with_imagenet_weights(monkeypatch, data_format):
    monkeypatch.setattr(utils, "get_file", lambda *args, **kwargs: "some/path.h5")
    monkeypatch.setattr(models.Model, "load_weights", lambda self, path: None)
    config.set_image_data_format(data_format)
    nets = [applications.EfficientNetB0(weights=weights, include_top=False) for weights in ("imagenet", None)]
    assert len(nets[0].layers) == len(nets[1].layers) + 1
    shape = (1, 3, 4, 4) if data_format == "channels_first" else (1, 4, 4, 3)
    x = np.full(shape, 255, "float32")
    factor, plain = (models.Model(net.input, net.get_layer("stem_conv_pad").input).predict(x) for net in nets)
    found = np.moveaxis(factor / plain, 1 if data_format == "channels_first" else -1, -1)
    np.testing.assert_allclose(found[0, 0, 0], 1 / np.sqrt([0.229, 0.224, 0.225]), rtol=1e-5)


def test_too_many_arguments_name_the_net():
    with pytest.raises(TypeError, match=r"VGG16: too many positional arguments; it takes include_top weights .*_activ"):
        applications.VGG16(1, 2, 3, 4, 5, 6, 7, 8)


def test_nets_of_any_size_check_their_sizes():
    with pytest.raises(ArgumentError, match="divisible by 24"):
        applications.nasnet.NASNet(penultimate_filters=100)
    net = applications.nasnet.NASNet((32, 32, 3), 96, 1, 4, weights=None, classes=3)
    assert net.output_shape == (None, 3)
    assert applications.densenet.DenseNet((1, 1, 1, 1), weights=None, input_shape=(32, 32, 3)).name == "densenet"
    with pytest.raises(ArgumentError, match="no weights trained on ImageNet with the top"):
        applications.densenet.DenseNet((1, 1, 1, 1))


# Theano -------------------------------------------------------------------------------------------------------


def small_net():
    layers = [L.Conv2D(4, 3, activation="relu", input_shape=(5, 6, 2)), L.Flatten(), L.Dense(3)]
    return models.Sequential(layers)


def theano_outputs(x, kernel, bias, dense, dense_bias):
    """What Theano computed: x (n, channels, rows, columns), kernel (filters, channels, rows, columns) is turned."""
    n, _, rows, columns = x.shape
    maps = np.zeros((n, len(kernel), rows - 2, columns - 2))
    for row in range(3):
        for column in range(3):
            window = x[:, :, row : row + rows - 2, column : column + columns - 2]
            maps += np.einsum("ncrs,fc->nfrs", window, kernel[:, :, 2 - row, 2 - column])
    maps = np.maximum(maps + bias[:, None, None], 0)
    return maps.reshape(n, -1) @ dense + dense_bias


def keras1_file(path, net, arrays):
    """A file of weights as Keras 1 wrote it: no version, no engine."""
    parts = {net.layers[0].name: arrays[:2], net.layers[1].name: [], net.layers[2].name: arrays[2:]}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in parts]
        for name, own in parts.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_{i}".encode() for i in range(len(own))]
            for i, array in enumerate(own):
                group[f"{name}_{i}"] = array


def test_files_of_theano_are_read_by_their_name(tmp_path):
    rng = np.random.default_rng(4)
    kernel, dense = rng.normal(size=(4, 2, 3, 3)), rng.normal(size=(4 * 3 * 4, 3))
    arrays = [kernel, rng.normal(size=4), dense, rng.normal(size=3)]
    x = rng.normal(size=(2, 2, 5, 6))
    wanted = theano_outputs(x, *arrays)
    net = small_net()
    path = tmp_path / "net_weights_th_dim_ordering_th_kernels.h5"
    keras1_file(path, net, arrays)
    weight_files.load(net, "net", options(weights=path))
    np.testing.assert_allclose(net.predict(np.moveaxis(x, 1, -1)), wanted, rtol=1e-4, atol=1e-4)

    correlation = [kernel[:, :, ::-1, ::-1], *arrays[1:]]
    path = tmp_path / "net_weights_th_dim_ordering_tf_kernels_notop.h5"
    keras1_file(path, net, correlation)
    weight_files.load(net, "net", options(weights=str(path)))
    np.testing.assert_allclose(net.predict(np.moveaxis(x, 1, -1)), wanted, rtol=1e-4, atol=1e-4)

    with config.use(image_data_format="channels_first"):
        first = models.Sequential([L.Conv2D(4, 3, activation="relu", input_shape=(2, 5, 6)), L.Flatten(), L.Dense(3)])
    path = tmp_path / "again_th_dim_ordering_th_kernels.h5"
    keras1_file(path, first, arrays)
    weight_files.load(first, "net", options(weights=str(path)))
    np.testing.assert_allclose(first.predict(x), wanted, rtol=1e-4, atol=1e-4)
