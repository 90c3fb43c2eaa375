"""What surrounds the nets: images as they want them, their predictions in words, and the input shapes that they take.

Source: Keras-Applications 1.0.8, `imagenet_utils.py`; tf_keras 2.21, `applications/imagenet_utils.py`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, ShapeError, UnknownArgumentError
from keras_front.tracebacks import warn_user

__all__ = ["decode_predictions", "preprocess_input"]

CLASS_INDEX_PATH = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"

# What Keras-Applications was told of the library it runs on. There is one here.
SUBMODULES = frozenset({"backend", "layers", "models", "utils"})

CAFFE_MEANS = (103.939, 116.779, 123.68)  # of blue, green and red over ImageNet: Simonyan & Zisserman (2015)
TORCH_MEANS, TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of red, green and blue
# What images are divided by, what is subtracted then, and what they are divided by at last.
MODES: dict[str, tuple[float, Any, Any]] = {
    "caffe": (1.0, CAFFE_MEANS, 1.0),
    "tf": (127.5, 1.0, 1.0),
    "torch": (255.0, TORCH_MEANS, TORCH_DEVIATIONS),
}


def accept_submodules(where: str, given: dict[str, Any], known: Iterable[str] = ()) -> None:
    """Let `backend`, `layers`, `models` and `utils` pass, and nothing else.

    Args:
        where: the name of the function, for the message.
        given: the keyword arguments that it does not know.
        known: those that it knows.

    Raises: UnknownArgumentError (a TypeError) for any other.
    """
    unknown = sorted(set(given) - SUBMODULES)
    if unknown:
        raise UnknownArgumentError.of(where, unknown[0], known)


# Images -----------------------------------------------------------------------------------------------------


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe", **kwargs: Any) -> Any:
    """Images with values from 0 to 255 as a net was trained on them.

    Args:
        x: array or symbolic tensor of images, or of one image, with three channels in the order red, green, blue. An
            array of floats is overwritten, as in Keras: pass a copy if you need it afterwards.
        data_format: where the channels are, 'channels_last' or 'channels_first'; by default what
            `keras_front.config.image_data_format()` says. Keras 1 called it `dim_ordering`, 'tf' or 'th'.
        mode: 'caffe' swaps red and blue and subtracts the means of ImageNet; 'tf' scales to -1..1; 'torch' scales to
            0..1 and normalizes by means and deviations of ImageNet.
        kwargs: `backend`, `layers`, `models` and `utils` of Keras-Applications, which are not needed.

    Returns: an array of the same shape, or a symbolic tensor.
    Raises: ArgumentError for another mode or format.
    Example:
        >>> preprocess_input(np.array([[[255.0, 127.5, 0.0]]]), mode="tf").tolist()
        [[[1.0, 0.0, -1.0]]]
    """
    data_format = data_format_of(kwargs.pop("dim_ordering", data_format))
    accept_submodules("preprocess_input", kwargs, ("x", "data_format", "mode"))
    if mode not in MODES:
        raise ArgumentError(f"preprocess_input: expected `mode` to be one of {', '.join(MODES)}, received {mode!r}.")
    if isinstance(x, np.ndarray | np.generic | list | tuple):
        return _array(np.asarray(x), data_format, mode)
    x = K.cast(x, config.floatx())
    _check_channels(K.int_shape(x), data_format, mode)
    return _normalized(_swapped(x, data_format) if mode == "caffe" else x, data_format, mode)


def preprocessing(mode: str | None, module: str) -> Callable[..., Any]:
    """The `preprocess_input` of a family of nets.

    Args:
        mode: how its images are scaled; None if its nets contain that and images are left as they are.
        module: where users find it.
    """

    def preprocess_input(x: Any, data_format: str | None = None, **kwargs: Any) -> Any:
        return x if mode is None else _preprocess(x, data_format=data_format, mode=mode, **kwargs)

    done = f"in mode '{mode}' of `imagenet_utils.preprocess_input`" if mode else "which is as they are"
    preprocess_input.__doc__ = (
        f"Images with values from 0 to 255 as nets of this family want them, {done}.\n\nArgs:\n"
        "    x: array or symbolic tensor of images, or of one image. An array of floats is overwritten.\n"
        "    data_format: where the channels are; by default what `keras_front.config.image_data_format()` says.\n"
        "    kwargs: those of `imagenet_utils.preprocess_input`."
    )
    preprocess_input.__module__, preprocess_input.__qualname__ = module, "preprocess_input"
    return preprocess_input


_preprocess = preprocess_input


def data_format_of(given: str | None) -> str:
    """The format that a name means: one of today's, one of Keras 1 ('tf', 'th', 'default'), or None for what is set.

    Args:
        given: the name.

    Raises: ArgumentError for another one.
    """
    old = {"tf": "channels_last", "th": "channels_first", "default": None}
    found = old.get(given, given) or config.image_data_format()  # type: ignore[arg-type]
    if found not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f"preprocess_input: expected `data_format` to be 'channels_last' or 'channels_first', received {given!r}."
        )
    return found


def _check_channels(shape: Sequence[Any], data_format: str, mode: str) -> None:
    if len(shape) < 3 or (mode != "tf" and shape[_axis(data_format)] not in (3, None)):
        raise ShapeError(
            f"preprocess_input: expected images of three channels, {data_format}, received shape {tuple(shape)}. "
            "Say `data_format=` if the channels are elsewhere."
        )


def _axis(data_format: str) -> int:
    return -1 if data_format == "channels_last" else -3


def _array(x: np.ndarray, data_format: str, mode: str) -> np.ndarray:
    """Written over `x` where that holds floats."""
    _check_channels(x.shape, data_format, mode)
    if x.dtype.kind != "f" or not x.flags.writeable:
        x = x.astype(x.dtype if x.dtype.kind == "f" else config.floatx())
    images = np.flip(x, _axis(data_format)) if mode == "caffe" else x  # a view
    images[...] = _normalized(images, data_format, mode)
    return images


def _swapped(x: Any, data_format: str) -> Any:
    """Blue, green, red, of a symbolic tensor or one of an engine."""
    return K.reverse(x, K.ndim(x) + _axis(data_format))


def _normalized(x: Any, data_format: str, mode: str) -> Any:
    """The formula of a mode, for arrays and tensors alike."""

    def each(values: Any) -> Any:
        if isinstance(values, float):
            return values
        shaped = np.reshape(values, (3, 1, 1) if data_format == "channels_first" else (3,))
        return shaped.astype(x.dtype) if isinstance(x, np.ndarray) else K.constant(shaped, K.dtype(x))

    divisor, means, deviations = MODES[mode]
    x = (x if divisor == 1 else x / divisor) - each(means)
    return x if deviations == 1.0 else x / each(deviations)


# Predictions ------------------------------------------------------------------------------------------------


def decode_predictions(preds: Any, top: int = 5, **kwargs: Any) -> list[list[tuple[str, str, float]]]:
    """The likeliest classes of each image, in words.

    The names are read from `~/.keras/models/imagenet_class_index.json`, which is downloaded if it is not there.

    Args:
        preds: what a net with its 1,000 classes of ImageNet predicted.
        top: how many classes for each image.
        kwargs: `backend`, `layers`, `models` and `utils` of Keras-Applications, which are not needed.

    Shape: preds (images, 1000)
    Returns: a list for each image, of (WordNet id, name, score), the highest score first.
    Raises: ShapeError for predictions of another shape.

    Example:
        >>> decode_predictions(model.predict(images), top=1)  # doctest: +SKIP
        [[('n02504458', 'African_elephant', 0.909)]]
    """
    accept_submodules("decode_predictions", kwargs, ("preds", "top"))
    scores = np.asarray(preds if isinstance(preds, np.ndarray | list | tuple) else K.eval(preds))
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ShapeError(
            "decode_predictions: expected a batch of predictions of the 1000 classes of ImageNet, shape "
            f"(images, 1000), received shape {scores.shape}."
        )
    names = _class_index()
    best = np.argsort(scores, axis=1)[:, ::-1][:, :top]
    return [[(*names[i], row[i]) for i in places] for places, row in zip(best, scores, strict=True)]


@functools.cache
def _class_index() -> list[tuple[str, str]]:
    """WordNet id and name of each class, in the order of the predictions."""
    from keras_front import utils

    path = utils.get_file(
        "imagenet_class_index.json", CLASS_INDEX_PATH, cache_subdir="models", file_hash=CLASS_INDEX_HASH
    )
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    return [(str(found[str(i)][0]), str(found[str(i)][1])) for i in range(len(found))]


# Input shapes -----------------------------------------------------------------------------------------------


def obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int | None,
    min_size: int,
    data_format: str | None = None,
    require_flatten: bool = True,
    weights: Any = None,
) -> tuple[int | None, ...]:
    """The shape of one image for a net, checked.

    Args:
        input_shape: what the user asked for, with the channels; None for the default of the net.
        default_size: rows and columns of the images that the net was trained on.
        min_size: the fewest rows and columns that leave something after its strides.
        data_format: where the channels are; by default what `keras_front.config.image_data_format()` says.
        require_flatten: whether the top of the net needs a known size.
        weights: 'imagenet' if the weights for its images will be loaded.

    Returns: rows, columns and channels in the order of the format; without `require_flatten` rows and columns may be
        None.
    Raises: ShapeError for a shape that does not fit the net or its weights.
    Example:
        >>> obtain_input_shape(None, 224, 32, "channels_first")
        (3, 224, 224)
    """
    first = data_format_of(data_format) == "channels_first"
    trained = weights == "imagenet"

    def shape(size: int | None, channels: int | None = 3) -> tuple[int | None, ...]:
        return (channels, size, size) if first else (size, size, channels)

    found = shape(default_size if require_flatten else None) if input_shape is None else tuple(input_shape)
    _check_rank_and_channels(found, 0 if first else -1, trained)
    if trained and require_flatten and found != shape(default_size):
        raise ShapeError(
            "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be "
            f"{shape(default_size)}, received {found}."
        )
    _check_size(found[1:] if first else found[:-1], min_size, require_flatten, found)
    return found


# The names of Keras up to 2.2, and of its arguments: `data_format` and `require_flatten` today.
_FORMER = {"dim_ordering": "data_format", "include_top": "require_flatten"}


def _obtain_input_shape(*args: Any, **kwargs: Any) -> tuple[int | None, ...]:
    return obtain_input_shape(*args, **{_FORMER.get(name, name): value for name, value in kwargs.items()})


def _check_rank_and_channels(shape: tuple[int | None, ...], axis: int, trained: bool) -> None:
    if len(shape) != 3:
        raise ShapeError(f"`input_shape` must be a tuple of three integers, received {shape}.")
    if trained and shape[axis] != 3:
        raise ShapeError(f"The input must have 3 channels for `weights='imagenet'`, received `input_shape={shape}`.")
    if shape[axis] not in (1, 3):
        warn_user(f"This net usually expects 1 or 3 channels; with `input_shape={shape}` it has {shape[axis]}.")


def _check_size(size: Sequence[int | None], least: int, require_flatten: bool, shape: tuple[int | None, ...]) -> None:
    if any(n is not None and n < least for n in size):
        raise ShapeError(f"Input size must be at least {least}x{least}, received `input_shape={shape}`.")
    if require_flatten and None in size:
        raise ShapeError(
            f"If `include_top` is True, you should specify a static `input_shape`, received `input_shape={shape}`."
        )
