"""Nets with weights trained on ImageNet: `keras_front.applications.ResNet50()`.

A family is imported when one of its nets is named.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from keras_front.missing_names import missing_in_module as _missing_in_module

_REGNET = "002 004 006 008 016 032 040 064 080 120 160 320"

# Nets of each family that have a name here; a family has `preprocess_input` and `decode_predictions` too.
FAMILIES: dict[str, tuple[str, ...]] = {
    "audio_conv_utils": (),
    "convnext": tuple(f"ConvNeXt{size}" for size in ("Base", "Large", "Small", "Tiny", "XLarge")),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "L", "M", "S")),
    "imagenet_utils": (),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "music_tagger_crnn": ("MusicTaggerCRNN",),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "regnet": tuple(f"RegNet{kind}{size}" for kind in "XY" for size in _REGNET.split()),
    "resnet": ("ResNet101", "ResNet152"),
    "resnet50": ("ResNet50",),
    "resnet_rs": tuple(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "resnet_common": (),
    "resnext": ("ResNeXt50", "ResNeXt101"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}
_HOMES = {net: family for family, nets in FAMILIES.items() for net in nets}

_OLD = ("correct_pad", "get_submodules_from_kwargs", "keras_modules_injection", "set_keras_submodules")

__all__ = sorted([*FAMILIES, *_HOMES, *_OLD])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    if name in FAMILIES:
        return import_module(f"{__name__}.{name}")
    raise _missing_in_module(__name__, name)


def __dir__() -> list[str]:
    return __all__


# What Keras-Applications had ----------------------------------------------------------------------------------


def keras_modules_injection(base_fun: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: what Keras 2.2 and 2.3 told Keras-Applications of themselves is not needed here.

    Args:
        base_fun: a function that builds a net.
    Example:
        >>> keras_modules_injection(len) is len
        True
    """
    return base_fun


def set_keras_submodules(
    backend: Any = None, layers: Any = None, models: Any = None, utils: Any = None, engine: Any = None
) -> None:
    """Nothing: Keras-Applications was told here which Keras it runs on, and there is one.

    Args:
        backend: a module K.
        layers: a module of layers.
        models: a module with `Model`.
        utils: a module with `get_file`.
        engine: a module of earlier versions.
    Example:
        >>> set_keras_submodules(backend=None, layers=None)
    """


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The modules `backend`, `layers`, `models` and `utils`: those in `kwargs`, otherwise ours.

    Args:
        kwargs: keyword arguments of a function of Keras-Applications.

    Raises: UnknownArgumentError (a TypeError) for any other argument.
    Example:
        >>> [module.__name__ for module in get_submodules_from_kwargs({})]
        ['keras_front.backend', 'keras_front.layers', 'keras_front.models', 'keras_front.utils']
    """
    from .imagenet_utils import SUBMODULES, accept_submodules

    accept_submodules("get_submodules_from_kwargs", kwargs, SUBMODULES)
    names = ("backend", "layers", "models", "utils")
    backend, layers, models, utils = (kwargs.get(name) or import_module(f"keras_front.{name}") for name in names)
    return backend, layers, models, utils


def correct_pad(backend: Any, inputs: Any, kernel_size: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros around images with which a window of stride 2 sees what it sees in TensorFlow's 'same' padding.

    Args:
        backend: the module K, which is not needed.
        inputs: symbolic tensor of images.
        kernel_size: of the window: one number, or rows and columns.
    Example:
        >>> from keras_front import backend as K
        >>> from keras_front.layers import Input
        >>> correct_pad(K, Input((224, 224, 3)), 3)
        ((0, 1), (0, 1))
    """
    from .blocks import Blocks

    blocks, sizes = Blocks(), kernel_size if isinstance(kernel_size, tuple | list) else (kernel_size, kernel_size)
    return blocks.padding_before_stride(inputs, sizes[0])[0], blocks.padding_before_stride(inputs, sizes[1])[1]
