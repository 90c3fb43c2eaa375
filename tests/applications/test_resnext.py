"""The grouped convolutions of ResNeXt, which keras-applications made of depthwise ones."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import config
from keras_front.applications.resnet import block3
from keras_front.layers import Input
from keras_front.models import Model


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_groups_of_resnext_in_images_of_any_size(backend, data_format, monkeypatch):
    monkeypatch.setattr(config, "image_data_format", lambda: data_format)
    first = data_format == "channels_first"
    shapes = [(8, None, None), (8, 6, 7)] if first else [(None, None, 8), (6, 7, 8)]
    any_size, fixed = (Model(inputs, block3(inputs, 64, groups=32, name="b")) for inputs in map(Input, shapes))
    fixed.set_weights(any_size.get_weights())
    x = np.random.default_rng(0).normal(size=(2, *shapes[1])).astype("float32")
    found = any_size.predict(x)
    assert found.shape == (2, *fixed.output_shape[1:])
    np.testing.assert_allclose(found, fixed.predict(x), atol=1e-5)
