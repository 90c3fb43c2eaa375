"""What torchvision calls the layers of residual nets, so that its weights go into ours by `load_state_dict`."""

from __future__ import annotations

import re

__all__ = ["resnet_name"]

ENDS = {"conv1_conv": "conv1", "conv1_bn": "bn1", "predictions": "fc", "probs": "fc", "fc1000": "fc"}
BLOCK = re.compile(r"conv(\d)_block(\d+)_(\d)_(conv|bn)")


def resnet_name(path: str) -> str | None:
    """The module of torchvision's ResNet50, ResNet101 or ResNet152 for a layer of ours; None for other layers.

    In torchvision the middle convolution of a block has the stride (version 1.5), in Keras the first one (version 1),
    and normalization has an epsilon of 1e-5, not 1.001e-5: weights trained there give other features here, from which
    training may go on.

    Args:
        path: the name of a layer of `applications.resnet`.

    Source: torchvision 0.29, names in the `state_dict` of `resnet50`.
    Example:
        >>> resnet_name("conv3_block1_0_bn"), resnet_name("conv3_block1_2_conv")
        ('layer2.0.downsample.1', 'layer2.0.conv2')
    """
    if path in ENDS:
        return ENDS[path]
    found = BLOCK.fullmatch(path)
    if found is None:
        return None
    stage, block, place, kind = int(found[1]) - 1, int(found[2]) - 1, found[3], found[4]
    part = f"downsample.{int(kind == 'bn')}" if place == "0" else f"{kind}{place}"
    return f"layer{stage}.{block}.{part}"
