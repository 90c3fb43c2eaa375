"""Names that `keras.backend` had and K has no more: renamed, reordered, or bound to an engine that is gone.

`keras_front.backend` looks here for names that it does not have itself; see `find`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.backend import discovery, symbolic
from keras_front.errors import ArgumentError
from keras_front.tracebacks import warn_user

# Another name for the same function.
RENAMED = {
    "learning_phase_scope": "phase", "lesser": "less", "lesser_equal": "less_equal",
    "random_bernoulli": "random_binomial",
}  # fmt: skip

# Where programs took the engine from, and its module: the real one or the stand-in.
ENGINE, ENGINE_MODULE = "tf", "tensorflow"

# Modules of the engine that its backend module had imported: programs call `K.control_flow_ops.while_loop`.
ENGINE_PARTS = ("array_ops", "control_flow_ops", "math_ops", "nn", "random_ops", "state_ops", "tensor_array_ops")

# Python's own, which K's names hide.
PYTHON = {f"py_{name}": getattr(builtins, name) for name in ("all", "any", "sum", "slice")}


class ContextValueCache:
    """Tensors that are made once for each function that is traced, such as the dropout masks of a cell.

    Args:
        default: makes the tensor where there is none yet; called with the `kwargs` of `setdefault`.

    Source: tf.keras 2.3, `tensorflow/python/keras/backend.py`.
    """

    def __init__(self, default: Callable[..., Any]) -> None:
        self._default = default
        self._made: dict[int | None, Any] = {}

    def setdefault(self, key: Any = None, default: Any = None, kwargs: dict[str, Any] | None = None) -> Any:
        """What was made in the function that is traced now; made where there is nothing yet.

        Args:
            key: not used: what is traced now is meant.
            default: what to keep where there is nothing; None: what the cache's own function makes.
            kwargs: the arguments of that function.
        """
        trace = symbolic.tracing()
        here = None if trace is None else trace.first_serial
        if here not in self._made:
            self._made[here] = self._default(**(kwargs or {})) if default is None else default
        return self._made[here]

    def clear(self) -> None:
        """Forget what was made."""
        self._made.clear()


class Decorator(ModuleType):
    """A module that is also a decorator which changes nothing: `K.symbolic` of Keras 2.3.1, a module of ours."""

    def __call__(self, *marked: Any) -> Any:
        """The function as it is: here it takes symbols and values alike.

        Args:
            marked: the function, such as `get_updates` of an optimizer.
        """
        return marked[0]


symbolic.__class__ = Decorator


def eager(func: Any) -> Any:
    """The function as it is, as Keras 2.3.1 marked functions of values.

    Args:
        func: a function.
    """
    return func


ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def format_of(dim_ordering: str | None) -> str:
    """`data_format` for a `dim_ordering`: 'tf', 'th' or 'default'.

    Args:
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
    """
    if dim_ordering in (None, "default"):
        return config.image_data_format()
    if dim_ordering not in ORDERINGS:
        raise ArgumentError(f"dim_ordering: expected 'tf', 'th' or 'default', received {dim_ordering!r}.")
    return ORDERINGS[dim_ordering]


def image_dim_ordering() -> str:
    """'tf' or 'th', Keras 1's word for the data format."""
    return {new: old for old, new in ORDERINGS.items()}[config.image_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Choose the data format by Keras 1's word for it.

    Args:
        dim_ordering: 'tf' (channels last) or 'th' (channels first).
    """
    if dim_ordering not in ORDERINGS:
        raise ArgumentError(f"dim_ordering: expected 'tf' or 'th', received {dim_ordering!r}.")
    config.set_image_data_format(ORDERINGS[dim_ordering])


def legacy_weight_ordering() -> bool:
    """Whether weights are ordered as in Keras 0: never."""
    return False


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """`temporal_padding` with both amounts named.

    Args:
        x: tensor (batch, steps, features).
        left_pad: steps of zeros before.
        right_pad: steps of zeros after.
    """
    return K.temporal_padding(x, (left_pad, right_pad))


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1, dim_ordering: str = "default"
) -> Any:
    """`spatial_2d_padding` with all amounts named.

    Args:
        x: tensor of images.
        top_pad: rows or columns of zeros at this side.
        bottom_pad: rows or columns of zeros at this side.
        left_pad: rows or columns of zeros at this side.
        right_pad: rows or columns of zeros at this side.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
    """
    return K.spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), format_of(dim_ordering))


def deconv2d(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1), border_mode: str = "valid",
    dim_ordering: str = "default", image_shape: Any = None, filter_shape: Any = None,
) -> Any:  # fmt: skip
    """`conv2d_transpose`, with a kernel (rows, columns, filters, channels).

    Args:
        x: tensor of images.
        kernel: kernel (rows, columns, filters, channels).
        output_shape: shape of the result, with the batch axis.
        strides: steps along rows and columns.
        border_mode: 'valid' or 'same'.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
        image_shape: not used: the shape is that of the tensor.
        filter_shape: not used: the shape is that of the tensor.
    """
    return K.conv2d_transpose(x, kernel, output_shape, strides, border_mode, format_of(dim_ordering))


def atrous_conv2d(
    x: Any, kernel: Any, rate: int = 1, border_mode: str = "valid", dim_ordering: str = "default",
    image_shape: Any = None, filter_shape: Any = None,
) -> Any:  # fmt: skip
    """`conv2d` with holes in the kernel.

    Args:
        x: tensor of images.
        kernel: kernel (rows, columns, channels, filters).
        rate: distance between two numbers of the kernel along rows and columns.
        border_mode: 'valid' or 'same'.
        dim_ordering: 'tf' (channels last), 'th' (channels first), or 'default' for what is set.
        image_shape: not used: the shape is that of the tensor.
        filter_shape: not used: the shape is that of the tensor.
    """
    return K.conv2d(x, kernel, (1, 1), border_mode, format_of(dim_ordering), (rate, rate))


def binary_focal_crossentropy(
    target: Any, output: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:  # fmt: skip
    """The crossentropy of each element, less where it is right already.

    Args:
        target: truth, 0 or 1.
        output: probabilities, or logits.
        apply_class_balancing: whether the two classes weigh `alpha` and `1 - alpha`.
        alpha: the weight of class 1.
        gamma: how much less.
        from_logits: whether outputs are logits.

    Source: TensorFlow 2.15, `keras/backend.py`.
    """
    probabilities = K.sigmoid(output) if from_logits else output
    right = target * probabilities + (1 - target) * (1 - probabilities)
    loss = K.power(1 - right, gamma) * K.binary_crossentropy(target, probabilities)
    return loss * (target * alpha + (1 - target) * (1 - alpha)) if apply_class_balancing else loss


def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """The crossentropy of each sample, less where it is right already.

    Args:
        target: true probabilities.
        output: probabilities, or logits.
        alpha: a factor.
        gamma: how much less.
        from_logits: whether outputs are logits.
        axis: that of the classes.

    Source: TensorFlow 2.15, `keras/backend.py`.
    """
    output = K.softmax(output, axis=axis) if from_logits else output / K.sum(output, axis=axis, keepdims=True)
    output = K.clip(output, K.epsilon(), 1 - K.epsilon())
    return K.sum(alpha * K.power(1 - output, gamma) * -target * K.log(output), axis=axis)


# Engines and sessions ----------------------------------------------------------------------------------


def spoken_backend() -> str:
    """What programs are told is the backend: its name, or the engine that the setting `speak_as` names."""
    name = config.setting("speak_as").value
    return discovery.backend() if name == config.KINDS["speak_as"].default else name


def get_session() -> Any:
    """A session: `run` gives values of symbolic tensors and variables. Nothing is kept in it."""
    from .stand_in import sessions

    return sessions.get_default_session()


def set_session(session: Any) -> None:
    """Nothing, with a warning: programs set a session for its settings of memory, which the engine decides.

    Args:
        session: a session of TensorFlow.
    """
    warn_user(
        "K.set_session has no effect: there are no sessions, and how memory is taken is the engine's own business. "
        "For a device write `with keras_front.device(name)`."
    )


def get_graph() -> Any:
    """An object in place of TensorFlow's graph: `with K.get_graph().as_default()` changes nothing."""
    from .stand_in import sessions

    return sessions.get_default_graph()


def v1_variable_initialization() -> None:
    """Nothing: variables have their values when they are made."""


def set_legacy_weight_ordering(value: bool) -> None:
    """Nothing: old files are read in their own order.

    Args:
        value: not used.
    """


FUNCTIONS = {
    fn.__name__: fn
    for fn in (
        image_dim_ordering, set_image_dim_ordering, legacy_weight_ordering, asymmetric_temporal_padding,
        asymmetric_spatial_2d_padding, deconv2d, atrous_conv2d, binary_focal_crossentropy,
        categorical_focal_crossentropy, get_session, set_session, get_graph, v1_variable_initialization,
        set_legacy_weight_ordering, ContextValueCache,
    )
}  # fmt: skip


def names() -> list[str]:
    """Every name that `find` knows."""
    return sorted({*RENAMED, *PYTHON, *FUNCTIONS})


def find(name: str) -> Any:
    """What `keras.backend.<name>` was. Raises: KeyError if there never was such a name.

    Args:
        name: a name that K does not have.
    """
    if name in RENAMED:
        return getattr(K, RENAMED[name])
    if name == ENGINE:
        return import_module(ENGINE_MODULE)
    if name in ENGINE_PARTS:
        return import_module(f"{ENGINE_MODULE}.python.ops.{name}")
    return {**PYTHON, **FUNCTIONS}[name]
