"""Images mixed with others of their batch, and boxes of one number: `MixUp`, `CutMix`, `MaxNumBoundingBoxes`.

They take images, or a dict of 'images', 'labels' and 'segmentation_masks', which are mixed alike. Source for names and
arguments: Keras 3, `layers/preprocessing/image_preprocessing`.
"""

from __future__ import annotations

from typing import Any, Unpack

from keras_front import backend as K
from keras_front import config, random
from keras_front.backend.ops.arrangement import shape_only
from keras_front.errors import ArgumentError, DtypeError
from keras_front.graph.layer import LAYERS

from .arguments import DataFormat, Kept, Number, Positive, Seed
from .base import Layer, LayerArguments
from .image_augmentation import SometimesLayer
from .image_colors import Part

_IMAGES = ("images", "segmentation_masks")


class _MixingLayer(SometimesLayer):
    """A layer that mixes each sample of a batch with another one while training; a single image stays as it is."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        data = inputs if isinstance(inputs, dict) else {"images": inputs}
        if "bounding_boxes" in data:
            raise ArgumentError(
                f"{self.name}: expected images, labels and segmentation_masks, received bounding_boxes."
            )
        made: dict[str, Any] = {}

        def mixed(key: str) -> Any:
            if not made:
                made.update(self._all_mixed(data))
            return made[key]

        result = {
            key: K.in_train_phase(lambda key=key: mixed(key), value, training=training) for key, value in data.items()
        }
        return result if isinstance(inputs, dict) else result["images"]

    def _all_mixed(self, data: dict[str, Any]) -> dict[str, Any]:
        x = data["images"]
        if K.ndim(x) != 4:
            return data
        batch = K.int_shape(x)[0]
        if batch is None or None in self._space(x):
            return {key: shape_only(value, value.shape, self._of(value), self.name) for key, value in data.items()}
        dtype = self.dtype or config.floatx()
        order = K.argsort(K.random_uniform((batch,), dtype=dtype, seed=self.seed))
        share, mix = self._mixer(K.cast(x, dtype))
        result = {}
        for key, value in data.items():
            value = self._checked(key, value)
            other = K.gather(value, order, axis=0)
            weight = K.reshape(share, (batch, *[1] * (K.ndim(value) - 1)))
            result[key] = mix(value, other) if key in _IMAGES else value * weight + other * (1.0 - weight)
        return result

    def _of(self, value: Any) -> str:
        return self.dtype or config.floatx()

    def _checked(self, key: str, value: Any) -> Any:
        if key == "labels" and not str(K.dtype(value)).startswith(("float", "bfloat")):
            raise DtypeError(
                f"{self.name}: expected labels as vectors of floats, which can be mixed, received {K.dtype(value)}: "
                "use to_categorical(labels)."
            )
        return K.cast(value, self._of(value))

    def _mixer(self, x: Any) -> tuple[Any, Any]:
        """The share that each sample keeps, (batch,), and a function of images and others that mixes them."""
        raise NotImplementedError


@LAYERS.register()
class MixUp(_MixingLayer):
    """Images, and labels, mixed with those of another sample.

    Args:
        alpha: parameter of the beta distribution of shares: below 1 one of the two prevails, above 1 both weigh alike.

    Shape: as the input: images, or a dict of 'images' and 'labels' (batch, classes).
    Source: Zhang et al. (2018).

    Example:
        >>> tuple(MixUp(seed=1)({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}, training=True)["labels"].shape)
        (2, 2)
    """

    def __init__(
        self,
        alpha: Number = 0.2,
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _mixer(self, x: Any) -> tuple[Any, Any]:
        share = random.beta((K.int_shape(x)[0],), self.alpha, self.alpha, K.dtype(x), self.seed)
        weight = K.reshape(share, (-1, 1, 1, 1))
        return share, lambda value, other: value * weight + other * (1.0 - weight)


@LAYERS.register()
class CutMix(_MixingLayer):
    """Images of which a rectangle comes from another sample; labels are mixed by its area.

    Args:
        factor: parameter of the beta distribution of areas, drawn for the batch: `(low, high)` from 0 to 1, or one
            number for 0 up to it.

    Shape: as the input: images, or a dict of 'images' and 'labels' (batch, classes).
    Source: Yun et al. (2019).

    Example:
        >>> tuple(CutMix(seed=1)({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}, training=True)["images"].shape)
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Part = 1.0,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def _mixer(self, x: Any) -> tuple[Any, Any]:
        drawn = K.random_uniform((1,), *self.factor, dtype=K.dtype(x), seed=self.seed)
        alpha = K.maximum(drawn, 1e-3)
        share = random.beta((K.int_shape(x)[0],), alpha, alpha, K.dtype(x), self.seed)
        size = K.reshape(K.square_root(1.0 - share), (-1, 1, 1, 1))
        inside = self._windows(x, size, size)
        return share, lambda value, other: K.where(inside, other, value)


@LAYERS.register()
class MaxNumBoundingBoxes(Layer):
    """Boxes of images cut or padded to one number; images alone pass.

    Args:
        max_number: boxes of each image afterwards.
        fill_value: what is added, to boxes and labels.
        bounding_box_format: what the four numbers of a box are; they are not looked at.

    Shape: a dict of 'images' and 'bounding_boxes', which is a dict of 'boxes' (batch, boxes, 4) and 'labels' (batch,
        boxes) -> the same with `max_number` boxes.
    Source: Keras 3, `bounding_boxes/max_num_bounding_boxes`.

    Example:
        >>> boxes = {"boxes": np.ones((1, 3, 4)), "labels": np.ones((1, 3))}
        >>> found = MaxNumBoundingBoxes(2)({"images": np.ones((1, 4, 4, 3)), "bounding_boxes": boxes})
        >>> tuple(found["bounding_boxes"]["boxes"].shape)
        (1, 2, 4)
    """

    _casts_inputs = False

    def __init__(
        self,
        max_number: Positive,
        fill_value: Number = -1,
        bounding_box_format: Kept = "xyxy",
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, dict) or "bounding_boxes" not in inputs:
            return inputs
        boxes = {key: self._cut(value, key) for key, value in inputs["bounding_boxes"].items()}
        return {**inputs, "bounding_boxes": boxes}

    def _cut(self, value: Any, key: str) -> Any:
        axis = K.ndim(value) - (2 if key == "boxes" else 1)
        count = K.int_shape(value)[axis]
        if count is None:
            shape = [self.max_number if a == axis else n for a, n in enumerate(K.int_shape(value))]
            return shape_only(value, shape, K.dtype(value), type(self).__name__)
        value = K.getitem(value, (slice(None),) * axis + (slice(0, self.max_number),))
        missing = max(0, self.max_number - count)
        padding = tuple((0, missing if a == axis else 0) for a in range(K.ndim(value)))
        return K.pad(value, padding, value=self.fill_value)
