"""`Input` and `InputLayer`: where values enter a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_front import backend as K
from keras_front import config
from keras_front.backend import symbolic
from keras_front.backend.state import Variable
from keras_front.backend.symbolic import SymbolicTensor
from keras_front.errors import ArgumentError
from keras_front.file_form import FileForm
from keras_front.tracebacks import api_boundary

from .layer import LAYERS, Layer
from .layer_values import checked_flag, checked_shape, default_name, dtype_name
from .node import InputNode


@LAYERS.register()
class InputLayer(Layer):
    """The layer without inputs whose output is a placeholder. `Input` makes one; a `Sequential` may begin with it.

    Args:
        input_shape: shape of one sample, without the batch axis.
        batch_size: a fixed number of samples, beside `input_shape`; None for any.
        batch_input_shape: shape with the batch axis, in place of both.
        dtype: type of the data, by default `K.floatx()`.
        input_tensor: a symbolic tensor, constant or variable to use in place of data.
        sparse: kept in the config. Any input takes sparse matrices of SciPy, which become dense batch by batch.
        name: name of the input; by default 'input_1' and so on.

    Shape: (batch, *input_shape)
    Raises: ArgumentError if no shape is given, or for `ragged=True` of later versions.
    Source: Keras 2.3.1, `keras/engine/input_layer.py`.

    Example:
        >>> InputLayer(input_shape=(4,)).output.shape
        (None, 4)
    """

    file_form = FileForm(renamed={"batch_shape": "batch_input_shape"})

    _casts_inputs = False
    supports_masking = True

    def __init__(
        self,
        input_shape: Sequence[Any] | None = None,
        batch_size: int | None = None,
        batch_input_shape: Sequence[Any] | None = None,
        dtype: str | None = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        for later in ("ragged", "optional"):  # written by later versions; only False means something here
            if kwargs.pop(later, False):
                raise ArgumentError(f"InputLayer: {later}=True is not supported; tensors are dense.")
        if name is None:
            name = default_name("Input")
        super().__init__(name=name, dtype=dtype or _dtype_of(input_tensor), **kwargs)
        tensor = _tensor(input_tensor, input_shape, batch_size, batch_input_shape, self.dtype, name)
        self.batch_input_shape, self.sparse = tensor.shape, checked_flag(sparse, "sparse", "InputLayer")
        self.is_placeholder = input_tensor is None or tensor.is_placeholder
        self.built = True
        fixed = input_tensor if isinstance(input_tensor, Variable) else _value_of(tensor)
        self._fixed = (fixed,)  # in a tuple: a variable of the user's is no weight of this layer
        self._add_node(InputNode(self, ([],), {}, tensor))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy waits for data at a placeholder of its own."""
        super().__setstate__(state)
        tensor = _tensor(self._fixed[0], None, None, self.batch_input_shape, self.dtype, self.name)
        self._add_node(InputNode(self, ([],), {}, tensor))

    def get_config(self) -> dict[str, Any]:
        """Shape with the batch axis, dtype, `sparse` and name."""
        return {
            "batch_input_shape": tuple(self.batch_input_shape),
            "dtype": self.dtype,
            "sparse": self.sparse,
            "name": self.name,
        }


def _dtype_of(tensor: Any) -> str:
    return config.floatx() if tensor is None else K.dtype(tensor)


def _tensor(given: Any, shape: Any, batch_size: Any, batch_shape: Any, dtype: Any, name: str) -> Any:
    if given is not None:
        if isinstance(given, Variable):
            return K.identity(given.symbol)
        return given if symbolic.is_symbolic(given) else symbolic.constant(given)
    if batch_shape is None and shape is None:
        raise ArgumentError("InputLayer: pass either `input_shape` or `batch_input_shape`.")
    full = batch_shape if batch_shape is not None else (batch_size, *_sizes(shape))
    return K.placeholder(shape=tuple(checked_shape(full, f"Input {name!r}")), dtype=dtype_name(dtype), name=name)


def _value_of(tensor: Any) -> Any:
    """The values of a constant; None for what waits for data or is computed."""
    return None if tensor.constant is None else K.to_numpy(tensor.constant)


def _sizes(shape: Any) -> tuple[Any, ...]:
    return tuple(shape) if isinstance(shape, list | tuple) else (shape,)


@api_boundary
def Input(
    shape: Sequence[Any] | None = None,
    batch_shape: Sequence[Any] | None = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    tensor: Any = None,
    batch_size: int | None = None,
) -> SymbolicTensor:
    """A symbolic tensor that waits for data: where a functional model begins.

    Args:
        shape: shape of one sample, without the batch axis; None where a size is not known yet.
        batch_shape: the same with the batch axis in front, in place of `shape`.
        name: name of the input, by which a dict of data names it; by default 'input_1' and so on.
        dtype: type of the data, by default `K.floatx()`.
        sparse: kept for the config. Any input takes sparse matrices of SciPy, which become dense batch by batch.
        tensor: a symbolic tensor, constant or variable to begin with, in place of data.
        batch_size: a fixed number of samples, beside `shape`; None for any.

    Returns: the tensor; call layers on it.
    Shape: (batch, *shape)
    Raises: ArgumentError if neither `shape`, `batch_shape` nor `tensor` is given.
    Source: Keras 2.3.1, `keras/engine/input_layer.py`.
    Example:
        >>> Input((28, 28)).shape
        (None, 28, 28)
    """
    if shape is None and batch_shape is None and tensor is None:
        raise ArgumentError(
            "Input: pass either a `shape` argument or a `batch_shape` argument. The `shape` does not include the "
            "batch dimension."
        )
    if batch_shape is None and shape is not None:
        batch_shape = (batch_size, *_sizes(shape))
    layer = InputLayer(batch_input_shape=batch_shape, name=name, dtype=dtype, sparse=sparse, input_tensor=tensor)
    return layer._inbound_nodes[0].output_tensors[0]
