"""Residual nets in three versions, from one table: ResNet, ResNet V2 (activation first) and ResNeXt (groups).

Source: He et al. (2015), table 1; He et al. (2016), figure 1 e; Xie et al. (2017), table 1. Names, strides and
paddings: Keras-Applications 1.0.8 and tf_keras 2.21 by the layers of their models. In V2 the last block of a stage has
the stride, not the first of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front import layers as L
from keras_front.models import Model

from .application import Application, average_top, define
from .blocks import Blocks, relu
from .imagenet_utils import decode_predictions, preprocessing

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe", __name__)

EPSILON = 1.001e-5  # of batch normalization
FILTERS = (64, 128, 256, 512)  # of the bottlenecks of each stage
COUNTS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # blocks of each stage


def net(**options: Any) -> Blocks:
    """Layers as this family has them.

    Args:
        options: of `Blocks`.
    """
    return Blocks(epsilon=EPSILON, **options)


def conv_norm(b: Blocks, x: Any, filters: int, size: int, name: str, **more: Any) -> Any:
    """Convolution and normalization, called `<name>_conv` and `<name>_bn`.

    Args:
        b: the layers of the net.
        x: symbolic tensor of images.
        filters: number of output channels.
        size: of the window.
        name: begins the names of the layers.
        more: further arguments of `Conv2D`.
    """
    return b.norm(b.conv(x, filters, size, name=f"{name}_conv", **more), name=f"{name}_bn")


def block1(
    x: Any, filters: int, kernel_size: int = 3, stride: int = 1, conv_shortcut: bool = True, name: str | None = None
) -> Any:
    """A bottleneck of the first version: convolutions of 1, 3 and 1, added to what came in.

    Args:
        x: symbolic tensor of images.
        filters: of the bottleneck; four times as many come out.
        kernel_size: of the convolution in the middle.
        stride: of the first convolution.
        conv_shortcut: whether the shortcut is a convolution.
        name: begins the names of the layers.
    """
    b = net(bias=True)
    shortcut = conv_norm(b, x, 4 * filters, 1, f"{name}_0", strides=stride, padding="valid") if conv_shortcut else x
    x = relu(conv_norm(b, x, filters, 1, f"{name}_1", strides=stride, padding="valid"), f"{name}_1_relu")
    x = relu(conv_norm(b, x, filters, kernel_size, f"{name}_2"), f"{name}_2_relu")
    x = conv_norm(b, x, 4 * filters, 1, f"{name}_3", padding="valid")
    return relu(L.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def block2(
    x: Any, filters: int, kernel_size: int = 3, stride: int = 1, conv_shortcut: bool = False, name: str | None = None
) -> Any:
    """A bottleneck of the second version: normalization and activation come before each convolution.

    Args:
        x: symbolic tensor of images.
        filters: of the bottleneck; four times as many come out.
        kernel_size: of the convolution in the middle.
        stride: of the convolution in the middle.
        conv_shortcut: whether the shortcut is a convolution; otherwise it is what came in, thinned by the stride.
        name: begins the names of the layers.
    """
    b = net(padding="valid")
    before = relu(b.norm(x, f"{name}_preact_bn"), f"{name}_preact_relu")
    if conv_shortcut:
        shortcut = b.conv(before, 4 * filters, 1, strides=stride, use_bias=True, name=f"{name}_0_conv")
    else:
        shortcut = L.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = relu(conv_norm(b, before, filters, 1, f"{name}_1"), f"{name}_1_relu")
    x = L.ZeroPadding2D(((1, 1), (1, 1)), name=f"{name}_2_pad")(x)
    x = relu(conv_norm(b, x, filters, kernel_size, f"{name}_2", strides=stride), f"{name}_2_relu")
    x = b.conv(x, 4 * filters, 1, use_bias=True, name=f"{name}_3_conv")
    return L.Add(name=f"{name}_out")([shortcut, x])


def block3(
    x: Any,
    filters: int,
    kernel_size: int = 3,
    stride: int = 1,
    groups: int = 32,
    conv_shortcut: bool = True,
    name: str | None = None,
) -> Any:
    """A bottleneck of ResNeXt, whose middle convolution sees its channels in groups.

    Args:
        x: symbolic tensor of images.
        filters: of the bottleneck; `64 / groups` times as many come out.
        kernel_size: of the convolution in the middle.
        stride: of the convolution in the middle.
        groups: number of groups.
        conv_shortcut: whether the shortcut is a convolution.
        name: begins the names of the layers.
    """
    b = net(padding="valid")
    wide = 64 // groups * filters
    shortcut = conv_norm(b, x, wide, 1, f"{name}_0", strides=stride) if conv_shortcut else x
    x = relu(conv_norm(b, x, filters, 1, f"{name}_1"), f"{name}_1_relu")
    x = L.ZeroPadding2D(((1, 1), (1, 1)), name=f"{name}_2_pad")(x)
    x = _grouped(b, x, filters, kernel_size, stride, groups, name)
    x = relu(b.norm(x, f"{name}_2_bn"), f"{name}_2_relu")
    x = conv_norm(b, x, wide, 1, f"{name}_3")
    return relu(L.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _grouped(b: Blocks, x: Any, filters: int, size: int, stride: int, groups: int, name: str) -> Any:
    """A grouped convolution as Keras-Applications has it: a depthwise one, then sums over the inputs of each group."""
    width = filters // groups
    x = b.depthwise(x, size, strides=stride, depth_multiplier=width, name=f"{name}_2_conv")
    rows, columns = b.size(x)
    first = config.image_data_format() == "channels_first"
    if None in (rows, columns):
        sizes = {"groups": groups, "width": width, "first": first}
        return L.Lambda(_sum_in_any_size, arguments=sizes, name=f"{name}_2_reduce")(x)
    split = (groups, width, width, rows, columns) if first else (rows, columns, groups, width, width)
    x = L.Reshape(split)(x)
    x = L.Lambda(_sum_of_inputs_first if first else _sum_of_inputs, name=f"{name}_2_reduce")(x)
    return L.Reshape((filters, rows, columns) if first else (rows, columns, filters))(x)


def _sum_in_any_size(x: Any, groups: int, width: int, first: bool) -> Any:
    """Channels of a depthwise convolution, (groups, inputs, outputs) in one axis, summed over the inputs."""
    x = K.permute_dimensions(x, (0, 2, 3, 1)) if first else x
    samples, rows, columns = (K.shape(x)[axis] for axis in range(3))
    x = K.reshape(x, (samples, rows, columns, groups, width, width))
    x = K.reshape(K.sum(x, axis=-2), (samples, rows, columns, groups * width))
    return K.permute_dimensions(x, (0, 3, 1, 2)) if first else x


def _sum_of_inputs(x: Any) -> Any:
    return K.sum(x, axis=-2)


def _sum_of_inputs_first(x: Any) -> Any:
    return K.sum(x, axis=2)


def _stack(block: Callable[..., Any], stride_last: bool) -> Callable[..., Any]:
    """`stack1` and the like, from a block; in V2 the last block has the stride."""

    def stack(x: Any, filters: int, blocks: int, stride1: int = 2, name: str | None = None, **more: Any) -> Any:
        """The blocks of a stage, of which the first changes the width.

        Args:
            x: symbolic tensor of images.
            filters: of the bottlenecks.
            blocks: how many.
            stride1: by which the stage reduces rows and columns.
            name: begins the names of the layers.
            more: further arguments of the block.
        """
        for i in range(1, blocks + 1):
            strided = i == (blocks if stride_last else 1)
            x = block(
                x, filters, stride=stride1 if strided else 1, conv_shortcut=i == 1, name=f"{name}_block{i}", **more
            )
        return x

    return stack


stack1, stack2, stack3 = _stack(block1, False), _stack(block2, True), _stack(block3, False)


def residual_body(stack_fn: Callable[..., Any], preact: bool, use_bias: bool) -> Callable[..., Any]:
    """The layers of a residual net: a stem, the stages, and for V2 a last normalization.

    Args:
        stack_fn: from the features of the stem to those of the last stage.
        preact: whether normalization comes before convolution, as in V2.
        use_bias: whether the first convolution has a bias.
    """

    def body(x: Any, **own: Any) -> Any:
        b = net(padding="valid")
        x = L.ZeroPadding2D(((3, 3), (3, 3)), name="conv1_pad")(x)
        x = b.conv(x, 64, 7, strides=2, use_bias=use_bias, name="conv1_conv")
        x = x if preact else relu(b.norm(x, "conv1_bn"), "conv1_relu")
        x = L.ZeroPadding2D(((1, 1), (1, 1)), name="pool1_pad")(x)
        x = stack_fn(L.MaxPooling2D(3, strides=2, name="pool1_pool")(x))
        return relu(b.norm(x, "post_bn"), "post_relu") if preact else x

    return body


def stages(
    stack: Callable[..., Any], filters: Sequence[int], blocks: Sequence[int], strides: Sequence[int]
) -> Callable[..., Any]:
    """The stages `conv2` to `conv5`, one after the other.

    Args:
        stack: `stack1`, `stack2` or `stack3`.
        filters: of the bottlenecks of each stage.
        blocks: how many blocks each stage has.
        strides: of each stage.
    """

    def stack_fn(x: Any) -> Any:
        for i, (width, count, stride) in enumerate(zip(filters, blocks, strides, strict=True), 2):
            x = stack(x, width, count, stride1=stride, name=f"conv{i}")
        return x

    return stack_fn


def residual(name: str, summary: str, body: Callable[..., Any], module: str, **more: Any) -> Callable[..., Model]:
    """The function that builds a net of this family.

    Args:
        name: of the function.
        summary: what the net is, in a line.
        body: of the net.
        module: where users find it.
        more: further fields of `Application`.
    """
    top = average_top("avg_pool", classic="probs")
    return define(Application(name, summary, body, top=top, pooling_names=("avg_pool", "max_pool"), **more), module)


def resnet(depth: int, module: str = __name__, **more: Any) -> Callable[..., Model]:
    """The function that builds a net of the first version.

    Args:
        depth: number of its convolutions and dense layers: 50, 101 or 152.
        module: where users find it.
        more: further fields of `Application`.
    """
    body = residual_body(stages(stack1, FILTERS, COUNTS[depth], (1, 2, 2, 2)), preact=False, use_bias=True)
    return residual(f"ResNet{depth}", f"ResNet with {depth} layers (He et al., 2015).", body, module, **more)


def resnet_v2(depth: int, module: str) -> Callable[..., Model]:
    """The function that builds a net of the second version.

    Args:
        depth: number of its convolutions and dense layers: 50, 101 or 152.
        module: where users find it.
    """
    body = residual_body(stages(stack2, FILTERS, COUNTS[depth], (2, 2, 2, 1)), preact=True, use_bias=True)
    return residual(f"ResNet{depth}V2", f"ResNet V2 with {depth} layers (He et al., 2016).", body, module)


def resnext(depth: int, module: str) -> Callable[..., Model]:
    """The function that builds a ResNeXt with 32 groups of 4 channels.

    Args:
        depth: number of its convolutions and dense layers: 50 or 101.
        module: where users find it.
    """
    widths = tuple(2 * filters for filters in FILTERS)
    body = residual_body(stages(stack3, widths, COUNTS[depth], (1, 2, 2, 2)), preact=False, use_bias=False)
    return residual(f"ResNeXt{depth}", f"ResNeXt with {depth} layers (Xie et al., 2017).", body, module)


ResNet50, ResNet101, ResNet152 = (resnet(depth) for depth in COUNTS)
