"""`keras.utils.test_utils`: data to train on, and the check of a layer that Keras's own tests were made of.

`keras_front.testing.layers` checks more. Source: Keras 2.3.1, `keras/utils/test_utils.py`; 1.2.2 for `keras_test`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from keras_front import backend as K
from keras_front.compatibility import renamed
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Input
from keras_front.models import Model
from keras_front.utils.generic_utils import has_arg

__all__ = ["get_test_data", "keras_test", "layer_test", "tf_file_io_proxy"]

Pair = tuple[np.ndarray, np.ndarray]


@renamed
def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: Sequence[int] = (10,),
    output_shape: Sequence[int] = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple[Pair, Pair]:
    """Noise around a number that the targets tell, as `(x_train, y_train), (x_test, y_test)`.

    Args:
        num_train: samples to train on.
        num_test: samples to test.
        input_shape: shape of an input.
        output_shape: shape of a target; numbers of classes have none.
        classification: targets are numbers of classes; otherwise arrays.
        num_classes: how many classes.
    """
    samples = num_train + num_test
    shape = (samples, *input_shape)
    if classification:
        y: np.ndarray = np.random.randint(0, num_classes, size=(samples,))
        centre = y
    else:
        centre = np.random.random((samples,))
        around = centre.reshape(-1, *(1,) * len(output_shape))
        y = np.random.normal(around, 0.7, (samples, *output_shape)).astype("float32")
    x = np.random.normal(centre.reshape(-1, *(1,) * len(input_shape)), 0.7, shape).astype("float32")
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(
    layer_cls: type,
    kwargs: Mapping[str, Any] = {},
    input_shape: Sequence[int | None] | None = None,
    input_dtype: str | None = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: str | None = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """Check a layer of one input and one output in a model: weights, shapes, dtypes, configs; the output.

    Args:
        layer_cls: the class.
        kwargs: arguments of its constructor.
        input_shape: shape of the input with the batch; None stands for any size.
        input_dtype: by default that of the data, or `floatx`.
        input_data: the input; by default random numbers up to 10.
        expected_output: what the output must be, to one part in a thousand.
        expected_output_dtype: by default that of the input.
        fixed_batch_size: make the model for the batch size of `input_shape` only.

    Raises: AssertionError if something does not hold; ArgumentError without data and shape.
    """
    data, shape, dtype = _input(input_data, input_shape, input_dtype)
    layer = layer_cls(**kwargs)
    layer.set_weights(layer.get_weights())
    promised = layer.compute_output_shape(shape)
    x = Input(batch_shape=shape, dtype=dtype) if fixed_batch_size else Input(shape=shape[1:], dtype=dtype)
    y = layer(x)
    np.testing.assert_equal(K.dtype(y), np.dtype(expected_output_dtype or dtype).name)
    model = Model(x, y)
    output = np.asarray(model.predict(data))
    if promised is not None:
        sizes = [(want, size) for want, size in zip(promised, output.shape, strict=True) if want is not None]
        np.testing.assert_equal([size for _, size in sizes], [want for want, _ in sizes])
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3)
    _check_copy(model, data, output)
    if has_arg(layer.call, "training"):
        model.compile("rmsprop", "mse")
        model.train_on_batch(data, output)
    type(layer).from_config({**layer.get_config(), "batch_input_shape": shape})
    return output


def _input(data: Any, shape: Any, dtype: Any) -> tuple[np.ndarray, tuple[int | None, ...], str]:
    if data is not None:
        data = np.asarray(data)
        return data, tuple(shape or data.shape), str(dtype or data.dtype)
    if not shape:
        raise ArgumentError("layer_test: expected input_shape or input_data, received neither.")
    sizes = [np.random.randint(1, 4) if size is None else size for size in shape]
    dtype = dtype or K.floatx()
    return (10 * np.random.random(sizes)).astype(dtype), tuple(shape), str(dtype)


def _check_copy(model: Any, data: Any, output: np.ndarray) -> None:
    """A model made of the config gives the same, with the same weights."""
    twin = type(model).from_config(model.get_config())
    if model.weights:
        twin.set_weights(model.get_weights())
        np.testing.assert_allclose(twin.predict(data), output, rtol=1e-3)


def keras_test(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a test, after which the names of layers are counted anew.

    Args:
        func: the test.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        output = func(*args, **kwargs)
        K.clear_session()
        return output

    return wrapper


def tf_file_io_proxy(file_io_module: str | None = None, bucket_name: str | None = None) -> NoReturn:
    """Files in the cloud, which there are none of here.

    Args:
        file_io_module: not needed.
        bucket_name: not needed.

    Raises: StateError, always.
    """
    raise StateError("tf_file_io_proxy: files are read and written on this machine only, not in a cloud.")
