"""Every layer of our residual nets has its module in torchvision's. With the stride of version 1 the numbers agree."""

from __future__ import annotations

from keras_front.applications import resnet
from keras_front.applications.torchvision_names import resnet_name
from keras_front.saving.state_dict import modules_of


def test_every_layer_with_weights_has_a_name():
    model = resnet.ResNet50(weights=None, input_shape=(32, 32, 3), classes=10)
    names = [module.name for module in modules_of(model, resnet_name)]
    blocks = [(stage, block) for stage, count in enumerate((3, 4, 6, 3), 1) for block in range(count)]
    parts = {f"layer{s}.{b}.{kind}{n}" for s, b in blocks for kind in ("conv", "bn") for n in (1, 2, 3)}
    parts |= {f"layer{s}.0.downsample.{n}" for s in (1, 2, 3, 4) for n in (0, 1)}
    assert len(names) == len(set(names))
    assert set(names) == parts | {"conv1", "bn1", "fc"}
