"""Names of `keras.engine.training_utils`, and of `keras.engine.training` of Keras 1: data and losses, checked by hand.

The trainer has functions of its own; these are what other libraries called, over the same rules.
Source: Keras 1.2.2, `keras/engine/training.py`; 2.2.4 and 2.3.1, `keras/engine/training_utils.py`.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import losses, metrics
from keras_front.errors import ArgumentError, ShapeError, WrongKindError
from keras_front.training import losses_and_metrics
from keras_front.training.data import arrays
from keras_front.utils.data_utils import GeneratorEnqueuer  # noqa: F401  (where Keras 1 had it)
from keras_front.utils.data_utils import Sequence as DataSequence
from keras_front.utils.generic_utils import slice_arrays, to_list

_slice_arrays = slice_arrays


def __getattr__(name: str) -> Any:
    """Names with an underscore before them, as Keras 2.0 and 2.1 had them in `keras.engine.training`."""
    found = globals().get(name[1:]) if name.startswith("_") and not name.startswith("__") else None
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


def slice_X(X: Any, start: Any = None, stop: int | None = None) -> Any:
    """Some rows of an array, or of each array in a list.

    Args:
        X: the array or list.
        start: number of the first row, or numbers of rows.
        stop: end of the rows.
    """
    return slice_arrays(X, start, stop)


# Data ---------------------------------------------------------------------------------------------------------


def standardize_single_array(x: Any) -> Any:
    """An array of at least two axes; symbolic tensors and None stay as they are.

    Args:
        x: an array, a tensor or None.

    Raises: ShapeError for a single number.
    """
    if x is None or K.is_symbolic(x):
        return x
    if np.ndim(x) == 0:
        raise ShapeError(f"Expected an array whose first axis is samples, received a single number: {x!r}.")
    return np.expand_dims(x, 1) if np.ndim(x) == 1 else x


def standardize_input_data(
    data: Any, names: Sequence[str], shapes: Any = None, check_batch_axis: bool = True, exception_prefix: str = ""
) -> list[Any]:
    """A list of arrays, one for each name.

    Args:
        data: an array, a list of them, or a dictionary by name; None gives a None for each name.
        names: the names.
        shapes: a shape for each name, with None for what may be any; or None for no check.
        check_batch_axis: whether the first axis of the shapes counts.
        exception_prefix: what the data is, for messages: 'input', 'target'.

    Raises: ArgumentError for a wrong number or unknown names; ShapeError for a shape that does not fit.
    """
    what = exception_prefix or "input"
    if data is None:
        return [None] * len(names)
    wanted = shapes or [None] * len(names)
    specs = [arrays.ArraySpec(n, None if s is None else tuple(s), None) for n, s in zip(names, wanted, strict=True)]
    found = [standardize_single_array(value) for value in arrays.listed(data, specs, what)]
    for array, spec in zip(found, specs, strict=True):
        if spec.shape is not None and array is not None and not K.is_symbolic(array):
            arrays.check_shape(np.shape(array), spec, what, np.shape(array))
            if check_batch_axis and spec.shape[0] not in (None, len(array)):
                raise ShapeError(f"Wrong {what} shape: {spec.name!r} expects {spec.shape}, received {np.shape(array)}.")
    return found


def standardize_sample_or_class_weights(x_weight: Any, output_names: Sequence[str], weight_type: str) -> list[Any]:
    """The weights of each output, or None.

    Args:
        x_weight: None, weights, a list of them, or a dictionary by output name.
        output_names: the names of the outputs.
        weight_type: 'sample_weight' or 'class_weight'.

    Raises: ArgumentError for a wrong number or unknown names; WrongKindError for what is no weights.
    """
    if len(output_names) > 1 and not isinstance(x_weight, list | tuple | Mapping | None):
        raise WrongKindError(
            f"{weight_type}: the model has {len(output_names)} outputs, so expected a list or a dict by the names "
            f"{list(output_names)}, received {type(x_weight).__name__}."
        )
    if weight_type == "class_weight":
        return arrays.class_weights(x_weight, output_names)
    return arrays.per_output(x_weight, output_names, weight_type, arrays=True)


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """The class weights of each output, or None.

    Args:
        class_weight: None, a dictionary from class to weight, or such a dictionary for each output.
        output_names: the names of the outputs.
    """
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """The sample weights of each output, or None.

    Args:
        sample_weight: None, weights, a list of them, or a dictionary by output name.
        output_names: the names of the outputs.
    """
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: np.ndarray, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> np.ndarray:
    """One weight for each sample, or with 'temporal' for each of its steps; ones where none are given.

    Args:
        y: the targets.
        sample_weight: a weight for each sample or step.
        class_weight: a dictionary from class to weight.
        sample_weight_mode: None or 'temporal'.

    Raises: ShapeError, ArgumentError if weights do not fit the targets.
    """
    modes = arrays.weight_modes(sample_weight_mode, ["output"])
    weight = arrays.sample_weights([y], sample_weight, class_weight, ["output"], modes)[0]
    return np.ones(y.shape[: 2 if modes[0] else 1], K.floatx()) if weight is None else weight


def check_array_length_consistency(inputs: Any, targets: Any, weights: Any = None) -> None:
    """Nothing, if all arrays have as many samples; what is None has none.

    Args:
        inputs: a list of arrays, or an array whose rows are taken for such.
        targets: the same.
        weights: the same.

    Raises: ShapeError if they have not.
    Source: 2.3.1 `keras/engine/training_utils.py`, whose `None` counts as an array of no samples.
    """
    groups = [[] if group is None else group for group in (inputs, targets, weights)]
    arrays.same_length(*[[a for a in group if a is not None and not K.is_symbolic(a)] for group in groups])
    if weights is not None and all(weight is None for weight in weights):
        groups.pop()  # no weights of outputs are ones
    lengths = {max((0 if a is None else len(a) for a in group if not K.is_symbolic(a)), default=0) for group in groups}
    if len(lengths) > 1:
        raise ShapeError(
            "Expected as many samples in inputs, targets and weights, "
            f"received {[[np.shape(a) for a in group] for group in groups]}."
        )


check_array_lengths = check_array_length_consistency


def check_loss_and_target_compatibility(
    targets: Any, loss_fns: Any = None, output_shapes: Any = None, losses: Any = None
) -> None:
    """Nothing, if targets have the shapes that their losses want.

    Args:
        targets: a list of arrays.
        loss_fns: a loss for each, or None.
        output_shapes: the shape of each output.
        losses: former name of `loss_fns`.

    Raises: ShapeError if they have not.
    """
    for y, loss, shape in zip(targets, loss_fns or losses, output_shapes, strict=True):
        if y is None or loss is None or K.is_symbolic(y):
            continue
        kind = losses_and_metrics.name_of_loss(loss)
        if kind == "categorical_crossentropy" and np.shape(y)[-1] == 1:
            raise ShapeError(
                f"You are passing a target array of shape {np.shape(y)} while using as loss "
                "`categorical_crossentropy`, which wants a column for each class. Make numbers of classes one-hot with "
                "`keras.utils.to_categorical`, or take `sparse_categorical_crossentropy`."
            )
        entry = losses_and_metrics.OutputLoss("output", 0, loss, 1.0, kind)
        wanted = losses_and_metrics.target_shape(entry, tuple(shape))
        try:
            arrays.check_shape(np.shape(y), arrays.ArraySpec(kind, wanted, None), "target", np.shape(y))
        except ShapeError as error:
            raise ShapeError(f"{error} This loss expects targets to have the same shape as the output.") from None


def check_generator_arguments(y: Any = None, sample_weight: Any = None, validation_split: Any = None) -> None:
    """Nothing, if none of these is given beside a generator.

    Args:
        y: targets.
        sample_weight: weights.
        validation_split: a share of the samples.

    Raises: ArgumentError if one is.
    """
    for name, value in {"y": y, "sample_weight": sample_weight, "validation_split": validation_split}.items():
        if value is not None and not (name == "validation_split" and not value):
            raise ArgumentError(f"{name}: expected None where batches come from a generator, received {value!r}.")


def check_num_samples(
    ins: Any, batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> int | None:
    """The number of samples; None where a number of steps is given instead.

    Args:
        ins: arrays with the samples.
        batch_size: samples in a batch.
        steps: batches in an epoch.
        steps_name: what `steps` is called, for messages.

    Raises: ArgumentError if both or neither can be.
    """
    if steps is not None:
        if batch_size is not None:
            raise ArgumentError(f"{steps_name}: expected no batch_size beside it, received {batch_size}.")
        return None
    first = next(iter(to_list(ins)), None)
    if not hasattr(first, "shape"):
        raise ArgumentError(f"{steps_name}: expected a number, because the data does not say how many samples it has.")
    return int(first.shape[0])


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """First sample and end of each batch.

    Args:
        size: number of samples.
        batch_size: samples in a batch; the last may have fewer.

    Example:
        >>> make_batches(5, 2)
        [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """Numbers of samples with whole batches in another order, for data on disk.

    Args:
        index_array: the numbers.
        batch_size: samples in a batch; those of a smaller last one stay at the end.
    """
    whole = len(index_array) // batch_size * batch_size
    batches = np.array(index_array[:whole]).reshape(-1, batch_size)
    np.random.shuffle(batches)
    return np.append(batches.ravel(), index_array[whole:])


def iter_sequence_infinite(seq: Sequence[Any]) -> Iterator[Any]:
    """The batches of a data set again and again.

    Args:
        seq: the data set.
    """
    while True:
        yield from (seq[number] for number in range(len(seq)))


def is_sequence(seq: Any) -> bool:
    """Whether something is a `Sequence` of batches, or behaves like one.

    Args:
        seq: anything.
    """
    wanted = {"use_sequence_api", "__len__", "__getitem__"}
    return isinstance(seq, DataSequence) or wanted <= set(dir(seq))


def is_generator_or_sequence(x: Any) -> bool:
    """Whether something gives batches.

    Args:
        x: anything.
    """
    return inspect.isgenerator(x) or is_sequence(x)


def should_run_validation(validation_freq: int | Container[int], epoch: int) -> bool:
    """Whether to validate after an epoch.

    Args:
        validation_freq: after how many epochs, or after which, counted from 1.
        epoch: the epoch, counted from 0.

    Raises: ArgumentError for a frequency below 1.
    """
    if isinstance(validation_freq, str) or not isinstance(validation_freq, int | Container):
        raise ArgumentError(f"validation_freq: expected a number or numbers of epochs, received {validation_freq!r}.")
    if not isinstance(validation_freq, int):
        return epoch + 1 in validation_freq
    if validation_freq < 1:
        raise ArgumentError(f"validation_freq: expected 1 or more, received {validation_freq}.")
    return (epoch + 1) % validation_freq == 0


def get_static_batch_size(layer: Any) -> int | None:
    """The number of samples that a layer was made for; None if it is any.

    Args:
        layer: the layer.
    """
    shape, _ = get_input_shape_and_dtype(layer)
    return shape[0] if shape else None


def get_input_shape_and_dtype(layer: Any) -> tuple[Any, Any]:
    """Shape and dtype of a layer's input; of a model, that of its first layer.

    Args:
        layer: the layer or model.

    Returns: (None, None) where they are not known yet.
    """
    while getattr(layer, "layers", None):
        layer = layer.layers[0]
    shape = getattr(layer, "batch_input_shape", None) or getattr(layer, "_batch_input_shape", None)
    return (tuple(shape), layer.dtype) if shape else (None, None)


# Losses and metrics -------------------------------------------------------------------------------------------


def weighted_masked_objective(fn: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A loss function as one of (y_true, y_pred, weights, mask) that returns a single number.

    Args:
        fn: the function; None gives None.
    """
    if fn is None:
        return None

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        """The mean loss. A mask, and then weights, count by their share.

        Args:
            y_true: targets.
            y_pred: predictions.
            weights: a weight for each sample or step, or None.
            mask: which steps count, or None for all.
        """
        scores = fn(y_true, y_pred)
        if mask is not None:
            kept = K.cast(mask, K.floatx())
            scores = scores * kept / (K.mean(kept) + K.epsilon())
        if weights is not None:
            axes = list(range(K.ndim(weights), K.ndim(scores)))
            scores = (K.mean(scores, axis=axes) if axes else scores) * weights
            scores = scores / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(scores)

    return weighted


weighted_objective = weighted_masked_objective


def get_loss_function(loss: Any) -> Any:
    """The loss that a name, a function or an object means.

    Args:
        loss: any of these, or None.
    """
    return losses.get(loss)


def prepare_loss_functions(loss: Any, output_names: Sequence[str]) -> list[Any]:
    """The loss of each output.

    Args:
        loss: one for all, a list, or a dictionary by output name, in which an output may be missing.
        output_names: the names of the outputs.

    Raises: ArgumentError for a wrong number or unknown names.
    """
    shared = not isinstance(loss, Mapping | list | tuple)
    given = [loss] * len(output_names) if shared else arrays.per_output(loss, output_names, "loss")
    return [get_loss_function(one) for one in given]


def prepare_loss_weights(output_names: Sequence[str], loss_weights: Any = None) -> list[float]:
    """The factor of each output's loss.

    Args:
        output_names: the names of the outputs.
        loss_weights: a list, or a dictionary by output name; a missing one is 1.

    Raises: ArgumentError for a wrong number or unknown names.
    """
    given = arrays.per_output(loss_weights, output_names, "loss_weights")
    return [1.0 if factor is None else factor for factor in given]


def prepare_sample_weights(
    output_names: Sequence[str], sample_weight_mode: Any, skip_target_weighing_indices: Sequence[int]
) -> tuple[list[Any], list[Any]]:
    """A placeholder for the weights of each output, and their modes.

    Args:
        output_names: the names of the outputs.
        sample_weight_mode: None or 'temporal', or one for each output.
        skip_target_weighing_indices: outputs without weights, by number: they have None.

    Raises: ArgumentError for a wrong number or unknown names.
    """
    modes = arrays.weight_modes(sample_weight_mode, output_names)
    made = [
        get_output_sample_weight_and_mode(skip_target_weighing_indices, mode, name, number)
        for number, (name, mode) in enumerate(zip(output_names, modes, strict=True))
    ]
    return [weight for weight, _ in made], [mode for _, mode in made]


def get_output_sample_weight_and_mode(
    skip_target_weighing_indices: Sequence[int], sample_weight_mode: str | None, output_name: str, output_index: int
) -> tuple[Any, str | None]:
    """A placeholder for the weights of an output, and their mode.

    Args:
        skip_target_weighing_indices: outputs without weights, by number.
        sample_weight_mode: None or 'temporal'.
        output_name: the name of the output.
        output_index: its number.
    """
    if output_index in skip_target_weighing_indices:
        return None, None
    axes = 2 if sample_weight_mode == "temporal" else 1
    return K.placeholder(ndim=axes, name=f"{output_name}_sample_weights"), sample_weight_mode


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """The metrics of each output, as they were given.

    Args:
        metrics: None, a list for all outputs, or a dictionary by output name.
        output_names: the names of the outputs.

    Raises: ArgumentError for anything else.
    """
    return losses_and_metrics.nested(metrics, list(output_names), "metrics")


def collect_per_output_metric_info(
    metrics: Any, output_names: Sequence[str], output_shapes: Any, loss_fns: Any, is_weighted: bool = False
) -> list[OrderedDict[str, Any]]:
    """The metric objects of each output by name.

    Args:
        metrics: None, a list for all outputs, or a dictionary by output name.
        output_names: the names of the outputs.
        output_shapes: their shapes.
        loss_fns: their losses.
        is_weighted: whether they are `weighted_metrics`.

    Raises: ArgumentError for anything else.
    """
    rows = zip(collect_metrics(metrics, output_names), output_shapes, loss_fns, strict=True)
    return [
        OrderedDict((get_metric_name(one, is_weighted), get_metric_function(one, shape, loss)) for one in given)
        for given, shape, loss in rows
    ]


def get_metric_name(metric: Any, weighted: bool = False) -> str:
    """What a metric is called in logs.

    Args:
        metric: a name, a function or an object.
        weighted: whether it is one of `weighted_metrics`.
    """
    if isinstance(metric, str):
        return metric
    return getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__)


def get_metric_function(metric: Any, output_shape: Any = None, loss_fn: Any = None) -> Any:
    """The metric that a name, a function or an object means; 'accuracy' is the one that goes with an output.

    Args:
        metric: any of these.
        output_shape: the shape of the output.
        loss_fn: its loss.
    """
    kind = losses_and_metrics.name_of_loss(loss_fn) if loss_fn is not None else ""
    return losses_and_metrics.metric_of(metric, K.placeholder(tuple(output_shape or ())), kind)


def call_metric_function(metric_fn: Any, y_true: Any, y_pred: Any = None, weights: Any = None, mask: Any = None) -> Any:
    """The value of a metric on a batch.

    Args:
        metric_fn: a metric object or function.
        y_true: targets.
        y_pred: predictions; None for a metric of one tensor.
        weights: a weight for each sample, or None.
        mask: which steps count, or None for all.
    """
    if mask is not None:
        kept = K.cast(mask, K.floatx())
        weights = kept if weights is None else weights * kept
    given = [y_true] if y_pred is None else [y_true, y_pred]
    return metric_fn(*given, sample_weight=weights) if isinstance(metric_fn, metrics.Metric) else metric_fn(*given)
