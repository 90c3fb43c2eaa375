"""NASNet: two kinds of cells that a search found, stacked; each sees the outputs of the two cells before it.

Source: Zoph et al. (2018), figures 2 and 4. Names, and how the older of the two inputs is made to fit:
Keras-Applications 1.0.8 by the layers of its models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import layers as L
from keras_front.errors import ArgumentError
from keras_front.models import Model

from .application import Application, Options, average_top, define
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf", __name__)


def _net() -> Blocks:
    return Blocks(momentum=0.9997, initializer="he_normal")


def _separable(b: Blocks, x: Any, filters: int, size: int, strides: int, name: str) -> Any:
    """Twice ReLU, separable convolution, normalization; the first time with the stride."""
    x = relu(x)
    padding = "same"
    if strides == 2:
        x = L.ZeroPadding2D(b.padding_before_stride(x, size), name=f"separable_conv_1_pad_{name}")(x)
        padding = "valid"
    x = b.separable(x, filters, size, strides, f"separable_conv_1_{name}", padding=padding)
    x = relu(b.norm(x, f"separable_conv_1_bn_{name}"))
    x = b.separable(x, filters, size, name=f"separable_conv_2_{name}")
    return b.norm(x, f"separable_conv_2_bn_{name}")


def _adjusted(b: Blocks, p: Any, ip: Any, filters: int, name: str) -> Any:
    """The older input with as many rows, columns and channels as the cell works with."""
    if p is None:
        return ip
    if b.size(p) != b.size(ip):
        return _halved(b, relu(p, f"adjust_relu_1_{name}"), filters, name)
    if b.channels(p) != filters:
        p = b.conv(relu(p), filters, 1, name=f"adjust_conv_projection_{name}")
        return b.norm(p, f"adjust_bn_{name}")
    return p


def _halved(b: Blocks, p: Any, filters: int, name: str) -> Any:
    """Every second pixel, once from the first and once from the second one on, side by side."""
    first = L.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_1_{name}")(p)
    first = b.conv(first, filters // 2, 1, name=f"adjust_conv_1_{name}")
    second = L.Cropping2D(((1, 0), (1, 0)))(L.ZeroPadding2D(((0, 1), (0, 1)))(p))
    second = L.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_2_{name}")(second)
    second = b.conv(second, filters // 2, 1, name=f"adjust_conv_2_{name}")
    return b.norm(b.concatenate([first, second]), f"adjust_bn_{name}")


def _squeezed(b: Blocks, ip: Any, filters: int, kind: str, name: str) -> Any:
    x = b.conv(relu(ip), filters, 1, name=f"{kind}_conv_1_{name}")
    return b.norm(x, f"{kind}_bn_1_{name}")


def _around(x: Any, name: str) -> Any:
    return L.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _normal_cell(b: Blocks, ip: Any, p: Any, filters: int, name: str) -> tuple[Any, Any]:
    p = _adjusted(b, p, ip, filters, name)
    h = _squeezed(b, ip, filters, "normal", name)

    def separable(x: Any, size: int, side: str) -> Any:
        return _separable(b, x, filters, size, 1, f"normal_{side}_{name}")

    pairs = [
        [separable(h, 5, "left1"), separable(p, 3, "right1")],
        [separable(p, 5, "left2"), separable(p, 3, "right2")],
        [_around(h, f"normal_left3_{name}"), p],
        [_around(p, f"normal_left4_{name}"), _around(p, f"normal_right4_{name}")],
        [separable(h, 3, "left5"), h],
    ]
    sums = [L.Add(name=f"normal_add_{i}_{name}")(pair) for i, pair in enumerate(pairs, 1)]
    return b.concatenate([p, *sums], f"normal_concat_{name}"), ip


def _reduction_cell(b: Blocks, ip: Any, p: Any, filters: int, name: str) -> tuple[Any, Any]:
    p = _adjusted(b, p, ip, filters, name)
    h = _squeezed(b, ip, filters, "reduction", name)
    padded = L.ZeroPadding2D(b.padding_before_stride(h, 3), name=f"reduction_pad_1_{name}")(h)

    def separable(x: Any, size: int, strides: int, side: str) -> Any:
        return _separable(b, x, filters, size, strides, f"reduction_{side}_{name}")

    def pooled(kind: Any, side: str) -> Any:
        return kind(3, strides=2, name=f"reduction_{side}_{name}")(padded)

    x1 = L.Add(name=f"reduction_add_1_{name}")([separable(h, 5, 2, "left1"), separable(p, 7, 2, "right1")])
    x2 = L.Add(name=f"reduction_add_2_{name}")([pooled(L.MaxPooling2D, "left2"), separable(p, 7, 2, "right2")])
    x3 = L.Add(name=f"reduction_add3_{name}")([pooled(L.AveragePooling2D, "left3"), separable(p, 5, 2, "right3")])
    x4 = L.Add()([x2, _around(x1, f"reduction_left4_{name}")])
    x5 = L.Add(name=f"reduction_add4_{name}")([separable(x1, 3, 1, "left4"), pooled(L.MaxPooling2D, "right5")])
    return b.concatenate([x2, x3, x4, x5], f"reduction_concat_{name}"), ip


def _body(
    x: Any,
    penultimate_filters: int,
    num_blocks: int,
    stem_block_filters: int,
    skip_reduction: bool,
    filter_multiplier: int,
    **rest: Any,
) -> Any:
    b, p = _net(), None
    filters = penultimate_filters // 24
    x = b.conv(x, stem_block_filters, 3, strides=2, padding="valid", name="stem_conv1")
    x = b.norm(x, "stem_bn1")
    for i, divisor in ((1, filter_multiplier**2), (2, filter_multiplier)):
        x, p = _reduction_cell(b, x, p, filters // divisor, f"stem_{i}")
    for stage in range(3):
        width, start = filters * filter_multiplier**stage, num_blocks * stage + min(stage, 1)
        if stage:
            reduced = f"reduce_{num_blocks * stage}"
            x, skipped = _reduction_cell(b, x, p, width, reduced)
            p = p if skip_reduction else skipped
        for i in range(num_blocks):
            x, p = _normal_cell(b, x, p, width, str(start + i))
    return relu(x)


def _check(options: Options, shape: Any, penultimate_filters: int, filter_multiplier: int, **rest: Any) -> None:
    if penultimate_filters % (24 * filter_multiplier**2):
        raise ArgumentError(
            "NASNet: `penultimate_filters` must be divisible by 24 * filter_multiplier ** 2; received "
            f"{penultimate_filters}."
        )


def _size(input_shape: Any, default_size: int | None, **rest: Any) -> int:
    return default_size or 331


def _variant(shape: Any, default_size: int | None, **rest: Any) -> str:
    return "Mobile" if default_size == 224 else "Large"


COMMON_ORDER = "include_top weights input_tensor pooling classes"
OWN: dict[str, tuple[Any, str]] = {
    "penultimate_filters": (4032, "number of channels of the last cell; nets are named by it: NASNet (7 @ 4032)."),
    "num_blocks": (6, "how many normal cells each of the three stages has."),
    "stem_block_filters": (96, "number of filters of the first convolution."),
    "skip_reduction": (True, "whether the cell after a reduction sees the older of its two inputs, not the newer."),
    "filter_multiplier": (2, "by how much the filters grow from stage to stage."),
    "weights": (None, "as of `NASNetLarge`, whose weights 'imagenet' are; with `default_size=224`, of `NASNetMobile`."),
    "default_size": (None, "rows and columns of the images if `input_shape` is not given; None for 331."),
}
_NET = Application(
    "NASNet",
    "NASNet-A of any size (Zoph et al., 2018).",
    _body,
    size=_size,
    top=average_top(None),
    model_name="NASNet",
    own=OWN,
    order="input_shape penultimate_filters num_blocks stem_block_filters skip_reduction filter_multiplier "
    f"{COMMON_ORDER} default_size classifier_activation",
    check=_check,
    variant=_variant,
)


def _fixed(name: str, summary: str, size: int, **sizes: Any) -> Callable[..., Model]:
    def body(x: Any) -> Any:
        return _body(x, **sizes)

    order = f"input_shape {COMMON_ORDER} classifier_activation"
    net = _NET._replace(name=name, summary=summary, body=body, size=size, own={}, order=order, check=None, variant=None)
    return define(net, __name__)


NASNet = define(_NET, __name__)
NASNetLarge = _fixed(
    "NASNetLarge",
    "NASNet-A (6 @ 4032) (Zoph et al., 2018).",
    331,
    penultimate_filters=4032,
    num_blocks=6,
    stem_block_filters=96,
    skip_reduction=True,
    filter_multiplier=2,
)
NASNetMobile = _fixed(
    "NASNetMobile",
    "NASNet-A (4 @ 1056) (Zoph et al., 2018).",
    224,
    penultimate_filters=1056,
    num_blocks=4,
    stem_block_filters=32,
    skip_reduction=False,
    filter_multiplier=2,
)
