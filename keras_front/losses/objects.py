"""Loss objects: a loss function with its arguments, sample weights and a reduction to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_front import backend as K
from keras_front.arguments import Flag, Fraction, Integer, NotNegative
from keras_front.backend import dtypes
from keras_front.backend.eager_tensors import answered
from keras_front.backend.ops.replicas import averaged
from keras_front.errors import SetByConstructor
from keras_front.losses import functions
from keras_front.losses.functions import LOSSES
from keras_front.losses.weights import Reduction, compute_weighted_loss, same_rank
from keras_front.registry import Configurable, name_of


class Loss(Configurable):
    """Base class: `call(y_true, y_pred)` gives one number for each sample; calling the object weighs and reduces them.

    Args:
        reduction: 'sum_over_batch_size' (also as 'auto') for the mean over all elements, 'sum', or 'none' to keep one
            number for each sample.
        name: what the loss is called in configs.
        dtype: the dtype in which it is computed; None leaves that of the outputs.

    Raises: ArgumentError for another reduction.
    Source: Keras 2.3.1, `keras/losses.py`.
    Example:
        >>> from keras_front import backend as K
        >>> class Largest(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return K.max(K.abs(y_true - y_pred), axis=-1)
        >>> float(Largest()([[0.0, 0.0]], [[1.0, -3.0]]))
        3.0
    """

    reduction: Any = SetByConstructor()
    name: Any = SetByConstructor()
    _dtype: str | None = None

    def __init__(
        self, reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None, dtype: Any = None
    ):
        self.reduction, self.name = Reduction.validate(reduction), name
        self._dtype = None if dtype is None else dtypes.canonical(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """The dtype in which the loss is computed, where one was given; otherwise `floatx`."""
        return self._dtype or K.floatx()

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch.

        Args:
            y_true: targets: array, list, tensor or symbol.
            y_pred: outputs, likewise.
            sample_weight: weight of each sample, (n,) or (n, 1), or of each element; None for 1.

        Returns: a scalar; with the reduction 'none' one number for each sample.
        """
        self._check_targets(y_true, y_pred)
        pair = same_rank(y_true, y_pred)
        if self._dtype is not None:
            pair = K.cast(pair[0], self._dtype), K.cast(pair[1], self._dtype)
        loss = compute_weighted_loss(self.call(*pair), sample_weight, self.reduction)
        return answered(loss)

    def _check_targets(self, y_true: Any, y_pred: Any) -> None:
        """Raise for targets that cannot be any, before they go to an engine."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number for each sample; subclasses say which.

        Args:
            y_true: targets, a tensor.
            y_pred: outputs, a tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `call(y_true, y_pred)`.")

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"reduction": self.reduction, "name": self.name, **({"dtype": self._dtype} if self._dtype else {})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """New loss from a config.

        Args:
            config: what `get_config` returned; Keras 3 writes a `dtype` that is `floatx`, too, or a policy.
        """
        usual = not isinstance(config.get("dtype"), str) or config["dtype"] == K.floatx()
        return cls(**{key: value for key, value in config.items() if key != "dtype" or not usual})


def _unless(**arguments: tuple[Any, Any]) -> dict[str, Any]:
    """The arguments, given as (value, default), without those that are their defaults: older readers know none."""
    return {name: value for name, (value, default) in arguments.items() if value != default}


@LOSSES.register()
class LossFunctionWrapper(Loss):
    """A loss function with its arguments, as a `Loss`.

    Args:
        fn: function of `(y_true, y_pred, **kwargs)` that returns one number for each sample; or the name of one.
        kwargs: further arguments for it.

    Example:
        >>> float(LossFunctionWrapper("huber", delta=0.5)([[0.0]], [[1.0]]))
        0.375
    """

    def __init__(
        self,
        fn: Callable[..., Any] | str,
        reduction: str | None = Reduction.SUM_OVER_BATCH_SIZE,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(reduction, name, dtype)
        self.fn: Any = LOSSES.get(fn)
        self._arguments = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; the function only where the class does not imply it."""
        own = {"fn": name_of(self.fn)} if type(self) is LossFunctionWrapper else {}
        return {**own, **super().get_config(), **self._arguments}


@LOSSES.register()
class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared differences.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.mean_squared_error`.
    Example:
        >>> round(float(MeanSquaredError()([[1.0, 2.0]], [[3.0, 2.0]])), 5)
        2.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ):
        super().__init__(functions.mean_squared_error, reduction, name, dtype=dtype)


@LOSSES.register()
class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of absolute differences.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.mean_absolute_error`.
    Example:
        >>> round(float(MeanAbsoluteError()([[1.0, 2.0]], [[3.0, 2.0]])), 5)
        1.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ):
        super().__init__(functions.mean_absolute_error, reduction, name, dtype=dtype)


@LOSSES.register()
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of absolute differences, in percent of the target.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.mean_absolute_percentage_error`.
    Example:
        >>> round(float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[3.0, 4.0]])), 5)
        25.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ):
        super().__init__(functions.mean_absolute_percentage_error, reduction, name, dtype=dtype)


@LOSSES.register()
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of squared differences of `log(1 + y)`: relative errors, for values of many magnitudes.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.mean_squared_logarithmic_error`.
    Example:
        >>> round(float(MeanSquaredLogarithmicError()([[3.0]], [[3.0]])), 5)
        0.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ):
        super().__init__(functions.mean_squared_logarithmic_error, reduction, name, dtype=dtype)


@LOSSES.register()
class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy between probabilities of yes, for targets 0 and 1.

    Args:
        from_logits: outputs are what sigmoid would be applied to. More exact than applying it before.
        label_smoothing: part of each target, between 0 and 1, that is moved to one half.
        axis: the axis over which the mean of a sample is taken.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.binary_crossentropy`.
    Example:
        >>> round(float(BinaryCrossentropy()([[1.0, 0.0]], [[1.0, 0.0]])), 5)
        0.0
    """

    def __init__(
        self,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "binary_crossentropy",
        axis: Integer = -1,
        dtype: Any = None,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing, **_unless(axis=(axis, -1))}
        super().__init__(functions.binary_crossentropy, reduction, name, dtype=dtype, **arguments)


@LOSSES.register()
class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between distributions, for targets that are one-hot or probabilities.

    Args:
        from_logits: outputs are what softmax would be applied to. More exact than applying it before.
        label_smoothing: part of each target, between 0 and 1, that is spread over all classes.
        axis: the axis of the classes.

    Shape: both (n, ..., classes).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.categorical_crossentropy`.
    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.0, 1.0]])), 5)
        0.0
    """

    def __init__(
        self,
        from_logits: Flag = False,
        label_smoothing: Fraction = 0,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "categorical_crossentropy",
        axis: Integer = -1,
        dtype: Any = None,
    ):
        arguments = {"from_logits": from_logits, "label_smoothing": label_smoothing, **_unless(axis=(axis, -1))}
        super().__init__(functions.categorical_crossentropy, reduction, name, dtype=dtype, **arguments)


@LOSSES.register()
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy for targets that are class numbers, from 0.

    Args:
        from_logits: outputs are what softmax would be applied to. More exact than applying it before.
        ignore_class: samples with this number, which need be none of the classes, do not count, also not in the mean;
            None: every number is a class.
        axis: the axis of the classes in the outputs.

    Shape: targets (n, ...) or (n, ..., 1); outputs (n, ..., classes).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.sparse_categorical_crossentropy`; tf_keras
        2.21 for `ignore_class`, Keras 3.15 for `axis`.
    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.0, 1.0]])), 5)
        0.0
    """

    def __init__(
        self,
        from_logits: Flag = False,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "sparse_categorical_crossentropy",
        ignore_class: Integer | None = None,
        axis: Integer = -1,
        dtype: Any = None,
    ):
        further = _unless(ignore_class=(ignore_class, None), axis=(axis, -1))
        super().__init__(
            functions.sparse_categorical_crossentropy, reduction, name, from_logits=from_logits, dtype=dtype, **further
        )
        self.ignore_class = ignore_class

    def call(self, y_true: Any, y_pred: Any) -> Any:
        found = super().call(y_true, y_pred)
        if self.ignore_class is None or self.reduction in (Reduction.SUM, Reduction.NONE):
            return found
        share = K.mean(K.cast(functions.counted(y_true, y_pred, self.ignore_class), K.dtype(found)))
        return found / K.maximum(averaged(share), K.epsilon())

    def _check_targets(self, y_true: Any, y_pred: Any) -> None:
        if self.ignore_class is None:
            functions.check_class_numbers(y_true, y_pred, self._arguments.get("axis", -1))


@LOSSES.register()
class Hinge(LossFunctionWrapper):
    """Mean of `max(1 - y_true * y_pred, 0)`, for targets -1 and 1, or 0 and 1.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.hinge`.
    Example:
        >>> round(float(Hinge()([[-1.0, 1.0]], [[0.5, 2.0]])), 5)
        0.75
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "hinge",
        dtype: Any = None,
    ):
        super().__init__(functions.hinge, reduction, name, dtype=dtype)


@LOSSES.register()
class SquaredHinge(LossFunctionWrapper):
    """Mean of the squares of `max(1 - y_true * y_pred, 0)`, for targets -1 and 1, or 0 and 1.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.squared_hinge`.
    Example:
        >>> round(float(SquaredHinge()([[-1.0, 1.0]], [[0.5, 2.0]])), 5)
        1.125
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ):
        super().__init__(functions.squared_hinge, reduction, name, dtype=dtype)


@LOSSES.register()
class CategoricalHinge(LossFunctionWrapper):
    """`max(0, best wrong score - right score + 1)`, for targets that are one-hot.

    Shape: both (n, ..., classes).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.categorical_hinge`.
    Example:
        >>> round(float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])), 5)
        0.75
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ):
        super().__init__(functions.categorical_hinge, reduction, name, dtype=dtype)


@LOSSES.register()
class Poisson(LossFunctionWrapper):
    """Mean of `y_pred - y_true * log(y_pred)`, for counts.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.poisson`.
    Example:
        >>> round(float(Poisson()([[0.0]], [[2.0]])), 5)
        2.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "poisson",
        dtype: Any = None,
    ):
        super().__init__(functions.poisson, reduction, name, dtype=dtype)


@LOSSES.register()
class LogCosh(LossFunctionWrapper):
    """Mean of `log(cosh(y_pred - y_true))`: a parabola for small errors, a straight line for large ones.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.logcosh`.
    Example:
        >>> round(float(LogCosh()([[1.0]], [[1.0]])), 5)
        0.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "logcosh",
        dtype: Any = None,
    ):
        super().__init__(functions.logcosh, reduction, name, dtype=dtype)


@LOSSES.register()
class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence of the outputs from the targets, both probabilities, in nats.

    Shape: both (n, ..., classes).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.kullback_leibler_divergence`.
    Example:
        >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])), 5)
        0.0
    """

    def __init__(
        self,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "kullback_leibler_divergence",
        dtype: Any = None,
    ):
        super().__init__(functions.kullback_leibler_divergence, reduction, name, dtype=dtype)


@LOSSES.register()
class Huber(LossFunctionWrapper):
    """Half the squared difference, which goes on as a straight line from `delta`: outliers pull less.

    Args:
        delta: the difference, in the unit of the targets, from which errors count by their size alone.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.huber_loss`.
    Example:
        >>> round(float(Huber()([[0.0, 0.0]], [[1.0, 3.0]])), 5)
        1.5
    """

    def __init__(
        self,
        delta: NotNegative = 1.0,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(functions.huber_loss, reduction, name, delta=delta, dtype=dtype)


@LOSSES.register()
class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and outputs: -1 where they point the same way.

    Args:
        axis: the axis of the vectors.

    Shape: both (n, ...).
    Source: Keras 2.3.1, `keras/losses.py`; the formula is that of `losses.cosine_similarity`.
    Example:
        >>> round(float(CosineSimilarity()([[3.0, 0.0]], [[2.0, 0.0]])), 5)
        -1.0
    """

    def __init__(
        self,
        axis: Integer = -1,
        reduction: str | None = Reduction.AUTO,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(functions.cosine_similarity, reduction, name, axis=axis, dtype=dtype)


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss is the categorical crossentropy.

    Args:
        loss: a name, a function or an object.

    Example:
        >>> is_categorical_crossentropy(CategoricalCrossentropy())
        True
    """
    if isinstance(loss, str):
        return loss == "categorical_crossentropy"
    function = functions.categorical_crossentropy
    return isinstance(loss, CategoricalCrossentropy) or getattr(loss, "fn", loss) is function
