"""`keras.src.testing` of Keras 3: the case that its own tests are written in, and the check of a layer.

`keras_front.testing` checks more. It must not be imported unless it is asked for: where the package `absl` is there,
the case is one of its `parameterized`, whose decorators need that. Source: the names and signatures of Keras 3.15.1.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
import unittest
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.custom_objects import custom_object_scope
from keras_front.layers import Layer
from keras_front.losses import Loss
from keras_front.models import Model
from keras_front.nest import flatten, map_structure
from keras_front.registry import deserialize_keras_object, serialize_keras_object

from .keras3_names import KerasTensor, is_float_dtype, standardize_dtype

__all__ = [
    "TestCase", "create_eager_tensors", "create_keras_tensors", "get_test_data", "jax_uses_gpu", "jax_uses_tpu",
    "named_product", "tensorflow_uses_gpu", "tensorflow_uses_tpu", "torch_uses_gpu", "torch_uses_tpu", "uses_gpu",
    "uses_tpu",
]  # fmt: skip


# Devices ------------------------------------------------------------------------------------------------------


def uses_gpu() -> bool:
    """Whether the active backend computes on a GPU."""
    return any(not name.lower().startswith(("cpu", "host", "tpu")) for name in discovery.active().devices())


def uses_tpu() -> bool:
    """Whether the active backend computes on a TPU."""
    return any(name.lower().startswith("tpu") for name in discovery.active().devices())


def _if_active(engine: str, device: Callable[[], bool]) -> Callable[[], bool]:
    def asked() -> bool:
        return K.backend() == engine and device()

    asked.__doc__ = f"`{device.__name__}`, if the active backend has that name."
    return asked


jax_uses_gpu, jax_uses_tpu = (_if_active("jax", device) for device in (uses_gpu, uses_tpu))
torch_uses_gpu, torch_uses_tpu = (_if_active("torch", device) for device in (uses_gpu, uses_tpu))
tensorflow_uses_gpu, tensorflow_uses_tpu = (_if_active("tensorflow", device) for device in (uses_gpu, uses_tpu))


# Data ---------------------------------------------------------------------------------------------------------


def get_test_data(
    train_samples: int, test_samples: int, input_shape: Sequence[int], num_classes: int, random_seed: int | None = None
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Noise around one point for each class, as `(x_train, y_train), (x_test, y_test)`.

    Args:
        train_samples: samples to train on.
        test_samples: samples to test.
        input_shape: shape of a sample.
        num_classes: how many classes; the targets are their numbers.
        random_seed: of the noise.
    """
    random = np.random.RandomState(random_seed)
    centres = 2 * num_classes * random.random_sample((num_classes, *input_shape))
    y = random.randint(0, num_classes, size=(train_samples + test_samples,))
    x = (centres[y] + random.normal(size=(len(y), *input_shape))).astype("float32")
    return (x[:train_samples], y[:train_samples]), (x[train_samples:], y[train_samples:])


def named_product(*args: Iterable[Mapping[str, Any]], **kwargs: Iterable[Any]) -> list[dict[str, Any]]:
    """All combinations of values, as `parameterized.named_parameters` wants them; the first argument varies fastest.

    Args:
        args: lists of dicts of parameters with a 'testcase_name'.
        kwargs: lists of values, by parameter.

    Example:
        >>> named_product(x=[1, 2], y=["a"])
        [{'testcase_name': '1_a', 'x': 1, 'y': 'a'}, {'testcase_name': '2_a', 'x': 2, 'y': 'a'}]
    """
    values = ([{"testcase_name": str(one).lower(), name: one} for one in given] for name, given in kwargs.items())
    lists = [list(given) for given in args] + list(values)
    found = []
    for backwards in itertools.product(*reversed(lists)):
        parts = backwards[::-1]
        merged = {key: value for part in parts for key, value in part.items()}
        found.append({**merged, "testcase_name": "_".join(str(part["testcase_name"]) for part in parts)})
    return [{"testcase_name": one.pop("testcase_name"), **one} for one in found]


def _is_shape(given: Any) -> bool:
    return isinstance(given, tuple) and all(size is None or isinstance(size, int) for size in given)


def _by_shape(make: Callable[[Any, Any], Any], shape: Any, dtype: Any) -> Any:
    """What `make` gives for each shape of a structure; of a dict, under the names of the arguments of `call`."""
    if _is_shape(shape):
        return make(shape, dtype if isinstance(dtype, str) else "float32")
    if isinstance(shape, Mapping):
        of = dtype if isinstance(dtype, Mapping) else dict.fromkeys(shape, dtype)
        return {name.removesuffix("_shape"): _by_shape(make, one, of[name]) for name, one in shape.items()}
    kinds = dtype if isinstance(dtype, list | tuple) else [dtype] * len(shape)
    return type(shape)(_by_shape(make, one, kind) for one, kind in zip(shape, kinds, strict=True))


def create_keras_tensors(input_shape: Any, dtype: Any = None, sparse: bool = False, ragged: bool = False) -> Any:
    """Tensors without values for one shape or a structure of shapes.

    Args:
        input_shape: a tuple, or lists, tuples and dicts of such.
        dtype: their dtype, or the same structure of dtypes.
        sparse, ragged: accepted because Keras 3 has them; the tensors are dense.
    """
    return _by_shape(lambda shape, kind: KerasTensor(shape, kind), input_shape, dtype)


def create_eager_tensors(input_shape: Any, dtype: Any = None, sparse: bool = False, ragged: bool = False) -> Any:
    """Tensors of random numbers for one shape or a structure of shapes; an unknown size is 2.

    Args:
        input_shape: a tuple, or lists, tuples and dicts of such.
        dtype: their dtype, or the same structure of dtypes.
        sparse, ragged: accepted because Keras 3 has them; the tensors are dense.
    """

    def values(shape: Any, kind: str) -> Any:
        sizes = tuple(2 if size is None else size for size in shape)
        numbers = np.random.random(sizes) if is_float_dtype(kind) else np.random.randint(0, 2, sizes)
        return K.constant(numbers, dtype=kind)

    return _by_shape(values, input_shape, dtype)


# The case -----------------------------------------------------------------------------------------------------


def _base() -> Any:
    """The case of absl, whose decorators of parameters need it; without it that of Python."""
    return import_module("absl.testing.parameterized").TestCase if find_spec("absl") else unittest.TestCase


def _plain(value: Any) -> Any:
    """A config as JSON gives it back."""
    return json.loads(json.dumps(value, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one)))


class TestCase(_base()):  # type: ignore[misc]
    """A test with what Keras 3 compares by."""

    maxDiff = None

    def setUp(self) -> None:
        """Forget the names and models of other tests."""
        K.clear_session()

    def get_temp_dir(self) -> str:
        """A folder that is taken away after the test."""
        folder = tempfile.mkdtemp()
        self.addCleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        return folder

    def convert_to_numpy(self, x: Any) -> Any:
        """Values as an array.

        Args:
            x: a tensor, a variable or numbers.
        """
        return np.asarray(x) if isinstance(x, np.ndarray | list | tuple | int | float) else K.eval(x)

    def _pair(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        pair = [self.convert_to_numpy(one) for one in (x, y)]
        narrow = (one.astype("float32") if str(one.dtype) == "bfloat16" else one for one in pair)
        first, second = narrow
        return first, second

    def assertAllClose(self, actual: Any, desired: Any, atol: float = 1e-6, rtol: float = 1e-6, tpu_atol: Any = None,
                       tpu_rtol: Any = None, msg: str | None = None) -> None:  # fmt: skip
        """Fail unless two arrays are nearly the same.

        Args:
            actual, desired: the arrays.
            atol, rtol: how far they may be apart, and in parts of the second.
            tpu_atol, tpu_rtol: the same on a TPU; not used.
            msg: what is said of the failure.
        """
        np.testing.assert_allclose(*self._pair(actual, desired), atol=atol, rtol=rtol, err_msg=msg or "")

    def assertNotAllClose(self, x1: Any, x2: Any, atol: float = 1e-6, rtol: float = 1e-6, msg: Any = None) -> None:
        """Fail if two arrays are nearly the same.

        Args:
            x1, x2: the arrays.
            atol, rtol, msg: as in `assertAllClose`.
        """
        try:
            self.assertAllClose(x1, x2, atol=atol, rtol=rtol)
        except AssertionError:
            return
        raise AssertionError(msg or f"The arrays are nearly the same: {x1} and {x2}.")

    def assertAlmostEqual(self, actual: Any, desired: Any, decimal: int = 3, tpu_decimal: Any = None,
                          msg: str | None = None) -> None:  # fmt: skip
        """Fail unless two arrays agree in their first decimals.

        Args:
            actual, desired: the arrays.
            decimal: how many decimals.
            tpu_decimal: the same on a TPU; not used.
            msg: what is said of the failure.
        """
        np.testing.assert_almost_equal(*self._pair(actual, desired), decimal=decimal, err_msg=msg or "")

    def assertAllEqual(self, actual: Any, desired: Any, msg: str | None = None) -> None:
        """Fail unless two structures of arrays are the same.

        Args:
            actual, desired: arrays, or lists, tuples and dicts of them.
            msg: what is said of the failure.
        """
        if isinstance(actual, Mapping):
            self.assertEqual(actual.keys(), desired.keys(), msg=msg)
            actual, desired = list(actual.values()), [desired[name] for name in actual]
        if isinstance(actual, list | tuple) and isinstance(desired, list | tuple):
            self.assertLen(desired, len(actual), msg)
            for first, second in zip(actual, desired, strict=True):
                self.assertAllEqual(first, second, msg=msg)
        else:
            np.testing.assert_array_equal(*self._pair(actual, desired), err_msg=msg or "")

    def assertLen(self, iterable: Any, expected_len: int, msg: str | None = None) -> None:
        """Fail unless there are so many elements.

        Args:
            iterable: what is counted.
            expected_len: how many there have to be.
            msg: what is said of the failure.
        """
        if len(iterable) != expected_len:
            raise AssertionError(msg or f"Expected {expected_len} elements, received {len(iterable)}: {iterable}.")

    def assertSparse(self, x: Any, sparse: bool = True) -> None:
        """Fail if a tensor is said to be sparse: tensors here are dense.

        Args:
            x: a tensor.
            sparse: whether it has to be sparse.
        """
        self.assertIs(bool(getattr(x, "sparse", False)), sparse)

    def assertRagged(self, x: Any, ragged: bool = True) -> None:
        """Fail if a tensor is said to be ragged: tensors here are not.

        Args:
            x: a tensor.
            ragged: whether it has to be ragged.
        """
        self.assertIs(bool(getattr(x, "ragged", False)), ragged)

    def assertDType(self, x: Any, dtype: Any, msg: str | None = None) -> None:
        """Fail unless a tensor has a dtype.

        Args:
            x: a tensor.
            dtype: the dtype.
            msg: what is said of the failure.
        """
        found, wanted = standardize_dtype(x.dtype), standardize_dtype(dtype)
        self.assertEqual(found, wanted, msg=msg or f"Expected the dtype {wanted}, received {found}.")

    def assertFileExists(self, path: Any) -> None:
        """Fail unless there is a file.

        Args:
            path: where it has to be.
        """
        if not os.path.isfile(path):
            raise AssertionError(f"There is no file {path}.")

    def run_class_serialization_test(self, instance: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Check that an object is made anew of its config, directly and by its name; the new object.

        Args:
            instance: the object.
            custom_objects: classes that its config names.
        """
        kind, config = type(instance), instance.get_config()
        with custom_object_scope({kind.__name__: kind, **(custom_objects or {})}):
            revived = kind.from_config(instance.get_config())
            self.assertEqual(_plain(revived.get_config()), _plain(config))
            if not isinstance(instance, Loss):
                public = [{name for name in dir(one) if not name.startswith("_")} for one in (instance, revived)]
                self.assertEqual(*public)
            written = _plain(serialize_keras_object(instance))
            found = deserialize_keras_object(written)
            self.assertEqual(_plain(found.get_config()), _plain(config))
        return found

    # Layers ---------------------------------------------------------------------------------------------------

    def run_layer_test(
        self,
        layer_cls: type[Layer],
        init_kwargs: Mapping[str, Any],
        input_shape: Any = None,
        input_dtype: Any = None,
        input_sparse: bool = False,
        input_ragged: bool = False,
        input_data: Any = None,
        call_kwargs: Mapping[str, Any] | None = None,
        expected_output_shape: Any = None,
        expected_output_dtype: Any = None,
        expected_output_sparse: bool = False,
        expected_output_ragged: bool = False,
        expected_output: Any = None,
        expected_num_trainable_weights: int | None = None,
        expected_num_non_trainable_weights: int | None = None,
        expected_num_non_trainable_variables: int | None = None,
        expected_num_seed_generators: int | None = None,
        expected_num_losses: int | None = None,
        supports_masking: bool | None = None,
        expected_mask_shape: Any = None,
        custom_objects: Mapping[str, Any] | None = None,
        run_training_check: bool = True,
        run_mixed_precision_check: bool = True,
        assert_built_after_instantiation: bool = False,
        tpu_atol: Any = None,
        tpu_rtol: Any = None,
    ) -> None:
        """Check a layer: configs, symbols, values, training and mixed precision, as far as something is expected.

        Args:
            layer_cls: the class.
            init_kwargs: arguments of its constructor.
            input_shape: shape of the input with the batch, or a structure of shapes; a dict has the names of
                the arguments of `call`, each with '_shape'.
            input_dtype: their dtype, or a structure of dtypes.
            input_data: values of the input; by default random numbers of that shape.
            input_sparse, input_ragged, expected_output_sparse, expected_output_ragged: tensors are dense.
            call_kwargs: further arguments of the call.
            expected_output_shape, expected_output_dtype, expected_output: what the call has to give.
            expected_num_trainable_weights, expected_num_non_trainable_weights: how many weights a built layer has.
            expected_num_non_trainable_variables: how many variables beside; noise has one, however many generators.
            expected_num_seed_generators: whether the layer draws noise, if not 0.
            expected_num_losses: how many losses a call leaves.
            supports_masking: what the layer has to say.
            expected_mask_shape: shape of the mask of the output.
            custom_objects: classes that the config names.
            run_training_check: whether a step of training is tried.
            run_mixed_precision_check: whether the layer is called with the policy 'mixed_float16'.
            assert_built_after_instantiation: whether it is built before any call.
            tpu_atol, tpu_rtol: tolerances on a TPU; not used.

        Raises: AssertionError if something does not hold.
        """
        made = _Subject(self, layer_cls, init_kwargs, call_kwargs)
        wanted = _Wanted(expected_output_shape, expected_output_dtype, expected_output)
        layer = made.layer()
        self.run_class_serialization_test(layer, custom_objects)
        if assert_built_after_instantiation:
            self.assertTrue(layer.built)
        if supports_masking is not None:
            self.assertEqual(layer.supports_masking, supports_masking)
        if input_shape is not None:
            wanted.check(self, made.call(layer, create_keras_tensors(input_shape, input_dtype)), expected_mask_shape)
            self._check_weights(layer, expected_num_trainable_weights, expected_num_non_trainable_weights)
            self._check_others(layer, expected_num_non_trainable_variables, expected_num_seed_generators)
            input_data = create_eager_tensors(input_shape, input_dtype) if input_data is None else input_data
        if input_data is None:
            return
        layer = made.layer()
        output = made.call(layer, input_data)
        wanted.check(self, output)
        self._check_count(layer.losses, expected_num_losses)
        if all(is_float_dtype(one.dtype) for one in flatten([output])):
            if run_training_check:
                made.train(input_data, output)
            if run_mixed_precision_check:
                made.compute_in_halves(input_data)

    def _check_count(self, found: Any, expected: int | None) -> None:
        if expected is not None:
            self.assertLen(found, expected)

    def _check_weights(self, layer: Any, trainable: int | None, fixed: int | None) -> None:
        self._check_count(layer.trainable_weights, trainable)
        self._check_count(layer.non_trainable_weights, fixed)

    def _check_others(self, layer: Any, others: int | None, seeds: int | None) -> None:
        noise = len(layer.non_trainable_variables) - len({*layer.non_trainable_weights, *layer.state_variables})
        if seeds is not None:
            self.assertEqual(noise, min(seeds, 1))
        if others is not None:
            self.assertEqual(len(layer.non_trainable_variables) - noise, others - (seeds or 0))


class _Wanted(NamedTuple):
    """What the output of a layer has to be."""

    shape: Any
    dtype: Any
    values: Any

    def check(self, case: TestCase, output: Any, mask_shape: Any = None) -> None:
        parts = flatten([output])
        if self.shape is not None:
            shapes = [self.shape] if _is_shape(self.shape) else list(self.shape)
            case.assertEqual([tuple(K.int_shape(one)) for one in parts], [tuple(one) for one in shapes])
        if self.dtype is not None:
            kinds = self.dtype if isinstance(self.dtype, list | tuple) else [self.dtype] * len(parts)
            for one, kind in zip(parts, kinds, strict=True):
                case.assertDType(one, kind)
        if self.values is not None and not any(map(K.is_symbolic, parts)):
            for one, values in zip(parts, flatten([self.values]), strict=True):
                case.assertAllClose(one, values)
        if mask_shape is not None:
            case.assertEqual(K.int_shape(output._keras_mask), tuple(mask_shape))


class _Subject:
    """A layer that is made anew for each check, and how it is called."""

    def __init__(self, case: TestCase, kind: type[Layer], arguments: Mapping[str, Any], further: Any):
        self.case, self.kind, self.arguments, self.further = case, kind, arguments, dict(further or {})

    def layer(self, **others: Any) -> Any:
        return self.kind(**{**self.arguments, **others})

    def call(self, layer: Any, inputs: Any) -> Any:
        by_name = isinstance(inputs, Mapping)
        return layer(**inputs, **self.further) if by_name else layer(inputs, **self.further)

    def train(self, inputs: Any, output: Any) -> None:
        """One step on the inputs, if they are batches of one size and there is something to train."""
        subject, layer = self, self.layer()

        class Trained(Model):
            def __init__(self) -> None:
                super().__init__()
                self.layer = layer

            def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
                return subject.call(self.layer, inputs)

        self.call(layer, inputs)
        x = map_structure(self.case.convert_to_numpy, inputs)
        y = map_structure(lambda one: np.zeros(K.int_shape(one), "float32"), output)
        sizes = {np.shape(one)[:1] for one in flatten([x, y])}
        if layer.trainable_weights and len(sizes) == 1 and sizes != {()}:
            model = Trained()
            model.compile(optimizer="sgd", loss="mse", jit_compile=False)
            model.fit(x, y, batch_size=next(iter(sizes))[0], epochs=1, verbose=0)

    def compute_in_halves(self, inputs: Any) -> None:
        """Call the layer with the policy of 16 and 32 bits."""
        layer = self.layer(dtype="mixed_float16")
        for one in flatten([self.call(layer, inputs)]):
            self.case.assertDType(one, layer.compute_dtype)
        for weight in layer.weights:
            if is_float_dtype(weight.dtype):
                self.case.assertDType(weight, layer.variable_dtype)
