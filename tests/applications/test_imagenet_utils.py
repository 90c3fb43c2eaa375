"""Images before the nets, predictions after them, and the shapes that they take."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_front import applications, config, utils
from keras_front import backend as K
from keras_front import layers as L
from keras_front.applications import imagenet_utils
from keras_front.errors import ArgumentError, ShapeError, UnknownArgumentError
from keras_front.models import Model

MEANS, DEVIATIONS = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
FORMULAS = {  # of images (..., channels) in float64
    "caffe": lambda x: x[..., ::-1] - [103.939, 116.779, 123.68],
    "tf": lambda x: x / 127.5 - 1,
    "torch": lambda x: (x / 255 - MEANS) / DEVIATIONS,
}
IMAGES = np.random.default_rng(3).integers(0, 256, (2, 4, 5, 3))


def placed(x, data_format):
    return np.moveaxis(x, -1, -3) if data_format == "channels_first" else x


@pytest.mark.engine_neutral
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", FORMULAS)
def test_preprocess_input(backend, mode, data_format):
    wanted = placed(FORMULAS[mode](IMAGES.astype("float64")), data_format)
    images = placed(IMAGES, data_format)
    for given, expected in [(images, wanted), (images[0], wanted[0]), (images.astype("uint8").tolist(), wanted)]:
        found = imagenet_utils.preprocess_input(given, data_format=data_format, mode=mode)
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    inputs = L.Input(images.shape[1:])
    model = Model(inputs, imagenet_utils.preprocess_input(inputs, data_format, mode))
    np.testing.assert_allclose(model.predict(images.astype("float32")), wanted, rtol=1e-5, atol=1e-4)
    tensor = K.constant(images.astype("float32"))
    found = imagenet_utils.preprocess_input(tensor, data_format, mode)
    np.testing.assert_allclose(K.to_numpy(found), wanted, rtol=1e-5, atol=1e-4)


def test_arrays_of_floats_are_overwritten_and_keep_their_dtype():
    for mode, formula in FORMULAS.items():
        for dtype in ("float64", "float32", "float16"):
            x = IMAGES.astype(dtype)
            found = imagenet_utils.preprocess_input(x, mode=mode)
            assert np.shares_memory(found, x)
            assert found.dtype == dtype
            np.testing.assert_allclose(found, formula(IMAGES.astype("float64")), rtol=1e-2, atol=0.2)
    frozen = IMAGES.astype("float32")
    frozen.flags.writeable = False
    imagenet_utils.preprocess_input(frozen)
    assert (frozen == IMAGES).all()


@pytest.mark.parametrize(
    ("families", "mode"),
    [
        ("vgg16 vgg19 resnet resnet50", "caffe"),
        ("densenet resnext", "torch"),
        ("inception_v3 inception_resnet_v2 mobilenet mobilenet_v2 nasnet resnet_v2 xception", "tf"),
        ("efficientnet efficientnet_v2 mobilenet_v3 regnet resnet_rs convnext", None),
    ],
)
def test_each_family_has_its_mode(families, mode):
    for family in families.split():
        module = getattr(applications, family)
        wanted = FORMULAS[mode](IMAGES.astype("float64")) if mode else IMAGES
        np.testing.assert_allclose(module.preprocess_input(IMAGES), wanted, rtol=1e-5, atol=1e-4)
        assert module.decode_predictions is imagenet_utils.decode_predictions


def test_names_of_earlier_versions_are_accepted():
    x = IMAGES.astype("float32")
    parts = {"backend": K, "layers": L, "models": None, "utils": utils}
    first = imagenet_utils.preprocess_input(placed(x, "channels_first").copy(), dim_ordering="th", **parts)
    np.testing.assert_array_equal(placed(imagenet_utils.preprocess_input(x), "channels_first"), first)
    assert imagenet_utils._obtain_input_shape(None, 224, 32, "channels_first", include_top=False) == (3, None, None)
    assert applications.get_submodules_from_kwargs({"backend": K})[:2] == (K, L)
    assert applications.correct_pad(K, L.Input((8, 9, 3)), (3, 5)) == ((0, 1), (2, 2))
    assert applications.keras_modules_injection(applications.VGG16) is applications.VGG16
    applications.set_keras_submodules(backend=K, layers=L)


def test_what_cannot_be_preprocessed_is_told():
    with pytest.raises(ArgumentError, match="one of caffe, tf, torch, received 'theano'"):
        imagenet_utils.preprocess_input(IMAGES, mode="theano")
    with pytest.raises(ArgumentError, match="'channels_last' or 'channels_first', received 'last'"):
        imagenet_utils.preprocess_input(IMAGES, data_format="last")
    with pytest.raises(ShapeError, match=r"three channels, channels_first, received shape \(2, 4, 5, 3\)"):
        imagenet_utils.preprocess_input(IMAGES, data_format="channels_first")
    with pytest.raises(UnknownArgumentError, match="preprocess_input: Keyword argument not understood: 'size'"):
        imagenet_utils.preprocess_input(IMAGES, size=3)


def test_decode_predictions(monkeypatch, tmp_path):
    path = tmp_path / "imagenet_class_index.json"
    path.write_text(json.dumps({str(i): [f"n{i:08d}", f"class {i}"] for i in range(1000)}))
    asked = []
    monkeypatch.setattr(utils, "get_file", lambda *args, **kwargs: asked.append((args, kwargs)) or str(path))
    imagenet_utils._class_index.cache_clear()
    scores = np.zeros((2, 1000), "float32")
    scores[0, [7, 3]] = 0.75, 0.25
    scores[1, 999] = 1
    found = imagenet_utils.decode_predictions(scores, top=2, utils=utils)
    assert found[0] == [("n00000007", "class 7", 0.75), ("n00000003", "class 3", 0.25)]
    assert found[1][0] == ("n00000999", "class 999", 1.0)
    assert [len(row) for row in imagenet_utils.decode_predictions(scores)] == [5, 5]
    assert asked == [
        (
            ("imagenet_class_index.json", imagenet_utils.CLASS_INDEX_PATH),
            {"cache_subdir": "models", "file_hash": imagenet_utils.CLASS_INDEX_HASH},
        )
    ]
    imagenet_utils._class_index.cache_clear()
    for wrong in (scores[:, :10], scores[0]):
        with pytest.raises(ShapeError, match="1000 classes of ImageNet"):
            imagenet_utils.decode_predictions(wrong)


def test_input_shapes():
    obtain = imagenet_utils.obtain_input_shape
    assert obtain(None, 299, 75) == (299, 299, 3)
    assert obtain(None, 299, 75, require_flatten=False) == (None, None, 3)
    assert obtain((75, None, 1), 299, 75, require_flatten=False) == (75, None, 1)
    config.set_image_data_format("channels_first")
    assert obtain((3, 80, 90), 299, 75) == (3, 80, 90)
    assert obtain(None, 224, 32) == (3, 224, 224)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"input_shape": (32, 32)}, "tuple of three integers"),
        ({"input_shape": (74, 80, 3)}, r"at least 75x75, received `input_shape=\(74, 80, 3\)`"),
        ({"input_shape": (80, None, 3)}, "static `input_shape`"),
        ({"input_shape": None, "default_size": None}, "static `input_shape`"),
        ({"input_shape": (80, 80, 1), "weights": "imagenet"}, "must have 3 channels"),
        ({"input_shape": (80, 80, 3), "weights": "imagenet"}, r"should be \(299, 299, 3\)"),
    ],
)
def test_input_shapes_that_do_not_fit(arguments, text):
    with pytest.raises(ShapeError, match=text):
        imagenet_utils.obtain_input_shape(**{"default_size": 299, "min_size": 75, **arguments})


def test_an_odd_number_of_channels_is_warned_of():
    calls = [
        lambda: imagenet_utils.obtain_input_shape((80, 80, 5), 299, 75),
        lambda: applications.MobileNet((80, 80, 5), weights=None, include_top=False),
    ]
    for call in calls:
        with pytest.warns(UserWarning, match="usually expects 1 or 3 channels") as warned:
            call()
        assert warned[0].filename == __file__
