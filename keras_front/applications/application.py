"""From a row of a table to a function such as `ResNet50`: its signature, its help, the checks, the top, the weights.

A family says what its nets are made of; everything that all nets have in common is here. Weights are drawn when they
are first read, so that building a net costs nothing that reading a file would throw away.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from keras_front import backend as K
from keras_front import config, conventions
from keras_front import layers as L
from keras_front.errors import ArgumentError, UnknownArgumentError
from keras_front.graph.tracking import lazy_weights
from keras_front.models import Model
from keras_front.tracebacks import api_boundary
from keras_front.utils.layer_utils import get_source_inputs

from . import weight_files
from .imagenet_utils import accept_submodules, obtain_input_shape

__all__ = ["Application", "Options", "average_top", "define", "flat_top"]

# Arguments that all nets have: default, and what it means.
COMMON: dict[str, tuple[Any, str]] = {
    "include_top": (True, "whether the net ends with its classifier. Without it, it gives features of the images."),
    "weights": (
        "imagenet",
        "'imagenet' for weights trained on ImageNet, which are downloaded once and kept in `~/.keras/models`; the path "
        "of a file of weights; or None for new ones.",
    ),
    "input_tensor": (None, "symbolic tensor to begin with, in place of a new `Input`."),
    "input_shape": (
        None,
        "rows, columns and channels of an image, in the order of `keras_front.config.image_data_format()`. By default "
        "those that the net was trained with; without the top, images of any size.",
    ),
    "pooling": (
        None,
        "what is done with the features of the last convolution where the top is left out: None gives them as they "
        "are, 'avg' and 'max' give their average or maximum over rows and columns.",
    ),
    "classes": (1000, "number of classes of the top; with 'imagenet' there are 1000."),
    "classifier_activation": ("softmax", "activation of the top: a name or a function; None gives the logits."),
}
KWARGS = "`backend`, `layers`, `models` and `utils` of Keras-Applications: accepted, and not needed."
ORDER = "include_top weights input_tensor input_shape pooling classes classifier_activation"


class Options(NamedTuple):
    """What the user asked for, of the arguments that all nets have. They are explained in `COMMON`."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Sequence[int | None] | None
    pooling: str | None
    classes: int
    classifier_activation: Any


class Application(NamedTuple):
    """A net of a family.

    Args:
        name: of the function that builds it.
        summary: what it is, in a line.
        body: from the input tensor, and the family's own arguments by name, to the features.
        size: rows and columns of the images that it was trained on: a number, or a function of the argument
            `input_shape` and of the own arguments.
        least: the fewest rows and columns that it takes.
        top: from features, `Options` and own arguments to the output.
        model_name: of the model: a string, or a function of the own arguments and the input shape.
        pooling_names: names of the layers for 'avg' and 'max' where the top is left out; None for made-up ones.
        after_pooling: makes a layer that follows where the top is left out.
        own: further arguments: default, and what it means.
        order: names of all arguments in the order of the signature.
        check: called with `Options`, the input shape and the own arguments; raises for what cannot be.
        variant: from the input shape and the own arguments, what follows the name in the table of weights.
        fixed_size: whether the top needs images of a known size.
        choose: called with `Options`; another application to build in place of this one, or None.
        example: the arguments that the example of its help begins with, each with a comma and a space.
    """

    name: str
    summary: str
    body: Callable[..., Any]
    size: Any = 224
    least: int = 32
    top: Callable[..., Any] | None = None
    model_name: Any = None
    pooling_names: tuple[str | None, str | None] = (None, None)
    after_pooling: Callable[[], Any] | None = None
    own: Mapping[str, tuple[Any, str]] = {}
    order: str = ORDER
    check: Callable[..., None] | None = None
    variant: Callable[..., str] | None = None
    fixed_size: bool = True
    choose: Callable[[Options], Any] | None = None
    example: str = ""


def define(application: Application, module: str) -> Callable[..., Model]:
    """The function that builds a net.

    Args:
        application: what the net is.
        module: the name of the module in which users find it.
    """
    signature = _signature(application)

    def build(*args: Any, **kwargs: Any) -> Model:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise UnknownArgumentError(f"{application.name}: {error}; it takes {application.order}.") from None
        given.apply_defaults()
        accept_submodules(application.name, given.arguments.pop("kwargs"), signature.parameters)
        own = {name: given.arguments[name] for name in application.own if name not in COMMON}
        options = Options(*(given.arguments[name] for name in Options._fields))
        chosen = application.choose(options) if application.choose is not None else None
        return _model(chosen or application, options, own)

    build.__name__ = build.__qualname__ = application.name
    build.__module__, build.__doc__ = module, _docstring(application)
    build.__signature__ = signature  # type: ignore[attr-defined]
    return api_boundary(build)


def _signature(application: Application) -> inspect.Signature:
    known = {**COMMON, **application.own}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=known[name][0])
        for name in application.order.split()
    ]
    return inspect.Signature([*parameters, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])


def _docstring(application: Application) -> str:
    known = {**COMMON, **application.own}
    arguments = {**{name: known[name][1] for name in application.order.split()}, "kwargs": KWARGS}
    lines = [
        textwrap.fill(f"{name}: {text}", 116, initial_indent="    ", subsequent_indent="        ")
        for name, text in arguments.items()
    ]
    ends = [
        "Returns: the model, not compiled.",
        "Raises: ArgumentError or ShapeError for what does not fit the weights.",
    ]
    return "\n".join([application.summary, "", "Args:", *lines, "", *ends, "", *_example(application)])


def _example(application: Application) -> list[str]:
    """An example for the help of a net: one without trained weights, where nothing has to be downloaded."""
    call = f"{application.name}({application.example}weights=None, classes=10)"
    return ["Example:", f"    >>> {call}.output_shape", "    (None, 10)"]


def _model(application: Application, options: Options, own: dict[str, Any]) -> Model:
    weight_files.check(application.name, options)
    _check_activation(application.name, options)
    shape = _input_shape(application, options, own)
    if application.check is not None:
        application.check(options, shape, **own)
    with lazy_weights(reserve=True):
        first, inputs = start(options.input_tensor, shape)
        features = application.body(first, **own)
        if options.include_top:
            outputs = (application.top or average_top())(features, options, **own)
        else:
            outputs = _pooled(features, options.pooling, application.pooling_names)
            outputs = application.after_pooling()(outputs) if application.after_pooling is not None else outputs
        name = application.model_name or application.name.lower()
        model = Model(inputs, outputs, name=name(shape, **own) if callable(name) else name)
    variant = application.variant(shape, **own) if application.variant is not None else ""
    weight_files.load(model, application.name + variant, options)
    return model


def _check_activation(name: str, options: Options) -> None:
    trained = options.weights is not None and options.include_top
    if trained and options.classifier_activation not in (None, "softmax"):
        raise ArgumentError(
            f"{name}: only `None` and `softmax` activations are allowed for the `classifier_activation` argument when "
            f"using pretrained weights, with `include_top=True`; received {options.classifier_activation!r}."
        )


def _input_shape(application: Application, options: Options, own: dict[str, Any]) -> tuple[int | None, ...]:
    if options.input_shape is None and K.is_tensor(options.input_tensor):
        return tuple(K.int_shape(options.input_tensor)[1:])
    return obtain_input_shape(
        options.input_shape,
        application.size(options.input_shape, **own) if callable(application.size) else application.size,
        application.least,
        require_flatten=options.include_top and application.fixed_size,
        weights=options.weights,
    )


def start(tensor: Any, shape: tuple[int | None, ...]) -> tuple[Any, Any]:
    """The tensor that the net begins with, and the inputs of its model.

    Args:
        tensor: what the user gave to begin with, or None.
        shape: of one image.
    """
    if tensor is None:
        tensor = L.Input(shape)
    elif not K.is_symbolic(tensor) or not all(source.history for source in get_source_inputs(tensor)):
        tensor = L.Input(tensor=tensor)  # a value, or made of placeholders that belong to no model
        return tensor, [tensor]
    return tensor, get_source_inputs(tensor)


def average_top(
    pooling: str | None = "avg_pool",
    classic: str = "predictions",
    modern: str = "predictions",
    dropout: float = 0.0,
    **layer: Any,
) -> Callable[..., Any]:
    """A top that averages the features over rows and columns, and classifies them with one `Dense`.

    Args:
        pooling: name of the layer that averages.
        classic: what Keras-Applications called the `Dense`.
        modern: what tf.keras calls it.
        dropout: rate of a dropout called 'top_dropout' between them.
        layer: further arguments of the `Dense`.
    """

    def top(x: Any, options: Options, **own: Any) -> Any:
        x = L.GlobalAveragePooling2D(name=pooling)(x)
        x = L.Dropout(dropout, name="top_dropout")(x) if dropout > 0 else x
        name = modern if conventions.current().applications == "tf.keras" else classic
        return L.Dense(options.classes, activation=options.classifier_activation, name=name, **layer)(x)

    return top


def flat_top(last: str, pool: int | None = None, flatten: str | None = None) -> Callable[..., Any]:
    """The top of Keras 1: a window as large as the features of its own images, `Flatten`, one `Dense`.

    Args:
        last: name of the `Dense`.
        pool: rows and columns of the window that averages, 'avg_pool'; None if the features went through it.
        flatten: name of the `Flatten`.
    """

    def top(x: Any, options: Options) -> Any:
        x = L.AveragePooling2D(pool, strides=pool, name="avg_pool")(x) if pool is not None else x
        x = L.Flatten(name=flatten)(x)
        return L.Dense(options.classes, activation=options.classifier_activation, name=last)(x)

    return top


def _pooled(x: Any, pooling: str | None, names: tuple[str | None, str | None]) -> Any:
    if pooling == "avg":
        return L.GlobalAveragePooling2D(name=names[0])(x)
    if pooling == "max":
        return L.GlobalMaxPooling2D(name=names[1])(x)
    if pooling is not None:
        raise ArgumentError(f"`pooling` should be None, 'avg' or 'max', received {pooling!r}.")
    return x


def rows(shape: Sequence[int | None]) -> int | None:
    """The rows of an image.

    Args:
        shape: of one image, in the order of `keras_front.config.image_data_format()`.
    """
    return shape[1 if config.image_data_format() == "channels_first" else 0]
