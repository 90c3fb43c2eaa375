"""`keras.legacy.interfaces` of Keras 2: decorators with which functions accepted older argument names.

Layers here accept them anyway, so the decorators that Keras made for its own layers change nothing.
`generate_legacy_interface` makes decorators for functions of others.
Source: Keras 2.2.4, `keras/legacy/interfaces.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from keras_front.errors import DtypeError

T = TypeVar("T")
Preprocessor = Callable[[Sequence[Any], dict[str, Any]], tuple[Any, dict[str, Any], Any]]


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Sequence[tuple[str, str]] | None = None,
    preprocessor: Preprocessor | None = None,
    value_conversions: Mapping[str, Mapping[Any, Any]] | None = None,
    object_type: str = "class",
) -> Callable[[T], T]:
    """A decorator with which a function or method takes former names of its arguments as well.

    Args:
        allowed_positional_args: not used: arguments without names are passed on.
        conversions: pairs of a former name and today's.
        preprocessor: a function of (args, kwargs) that returns them changed, and a list, which is not used.
        value_conversions: by name of an argument, former values and today's.
        object_type: not used.
    """
    names, values = dict(conversions or ()), value_conversions or {}

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if preprocessor is not None:
                args, kwargs, _ = preprocessor(args, kwargs)
            for old in [name for name in kwargs if name in names]:
                raise_duplicate_arg_error(old, names[old]) if names[old] in kwargs else None
                kwargs[names[old]] = kwargs.pop(old)
            for name in [name for name in values if name in kwargs]:
                kwargs[name] = values[name].get(kwargs[name], kwargs[name])
            return function(*args, **kwargs)

        return call

    return decorate


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> None:
    """Raise DtypeError, a TypeError: an argument has been given under two names.

    Args:
        old_arg: its former name.
        new_arg: today's.
    """
    raise DtypeError(f"The argument {new_arg!r} is given under its former name {old_arg!r} as well; leave one out.")


def _preprocessor(owner: str) -> Preprocessor:
    def preprocess(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any], list[Any]]:
        """The arguments of a call by today's names.

        Args:
            args: those without names.
            kwargs: those with names.

        Returns: both, and an empty list.
        """
        from .hooks import translate_call

        translated, named = translate_call([owner], 0, (), tuple(args), dict(kwargs), None)
        return list(translated), named, []

    return preprocess


embedding_kwargs_preprocessor = _preprocessor("Embedding")
recurrent_args_preprocessor = _preprocessor("LSTM")
conv1d_args_preprocessor = _preprocessor("Conv1D")
conv2d_args_preprocessor = _preprocessor("Conv2D")
separable_conv2d_args_preprocessor = _preprocessor("SeparableConv2D")
deconv2d_args_preprocessor = _preprocessor("Conv2DTranspose")
conv3d_args_preprocessor = _preprocessor("Conv3D")
batchnorm_args_preprocessor = _preprocessor("BatchNormalization")
convlstm2d_args_preprocessor = _preprocessor("ConvLSTM2D")
zeropadding2d_args_preprocessor = _preprocessor("ZeroPadding2D")
generator_methods_args_preprocessor = _preprocessor("fit_generator")
add_weight_args_preprocessing = _preprocessor("add_weight")
get_updates_arg_preprocessing = _preprocessor("get_updates")


def _unchanged(function: T) -> T:
    return function


def __getattr__(name: str) -> Any:
    """`legacy_dense_support` and its like."""
    if name.startswith("legacy_") and name.endswith("_support"):
        return _unchanged
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
