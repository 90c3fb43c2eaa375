"""Names of `keras.engine.training_arrays` and `training_generator`: the loops as functions of a model.

Those over generators are the methods of the model. Those over arrays run functions of K that the caller made, as
libraries did that trained in their own way; `fit` of a model does not come by here.
Source: Keras 2.2.4 and 2.3.1, `keras/engine/training_arrays.py` and `training_generator.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_front.callbacks import CallbackList, History
from keras_front.utils.generic_utils import slice_arrays, to_list

from .training_utils import batch_shuffle, make_batches, should_run_validation

Step = Callable[[list[Any]], Any]


def _method(name: str) -> Callable[..., Any]:
    def call(model: Any, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """The method of the same name.

        Args:
            model: the model.
            generator: the batches.
            args: as of the method.
            kwargs: as of the method.
        """
        return getattr(model, name)(generator, *args, **kwargs)

    call.__name__ = name
    return call


fit_generator, evaluate_generator, predict_generator = map(
    _method, ("fit_generator", "evaluate_generator", "predict_generator")
)


def _batches(
    ins: list[Any], batch_size: int, order: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, list[Any]]]:
    """Numbers of samples, and arrays with them; a last `1.` or `0.` in the list is the learning phase."""
    samples = next(len(array) for array in ins if np.ndim(array))
    order = np.arange(samples) if order is None else order
    for start, end in make_batches(samples, batch_size):
        rows = order[start:end]
        yield rows, [slice_arrays([x], rows)[0] if np.ndim(x) else x for x in ins]


def predict_loop(
    model: Any, f: Step, ins: list[Any], batch_size: int = 32, verbose: int = 0, steps: int | None = None,
    callbacks: Any = None,
) -> Any:  # fmt: skip
    """What a function gives for all samples, batch after batch.

    Args:
        model: not used.
        f: a function of K, of a list of arrays.
        ins: the arrays.
        batch_size: samples in a batch.
        verbose: not used.
        steps: call the function that often with `ins` instead.
        callbacks: not used.

    Returns: an array, or a list of them where the function gives several.
    """
    calls = [(None, ins)] * steps if steps is not None else _batches(ins, batch_size)
    found = [to_list(f(batch)) for _, batch in calls]
    whole = [np.concatenate(part) for part in zip(*found, strict=True)]
    return whole[0] if len(whole) == 1 else whole


def _means(
    model: Any, f: Step, ins: list[Any], batch_size: int | None = None, verbose: int = 0, steps: int | None = None,
    callbacks: Any = None,
) -> Any:  # fmt: skip
    """The means over all samples of the numbers that a function gives for batches.

    Args:
        model: not used.
        f: a function of K, of a list of arrays.
        ins: the arrays.
        batch_size: samples in a batch, 32 by default.
        verbose: not used.
        steps: call the function that often with `ins` instead.
        callbacks: not used.

    Returns: a number, or a list of them where the function gives several.
    """
    calls = [(np.zeros(1), ins)] * steps if steps is not None else _batches(ins, batch_size or 32)
    sizes, found = zip(*((len(rows), to_list(f(batch))) for rows, batch in calls), strict=True)
    means = [float(np.average(part, weights=sizes)) for part in zip(*found, strict=True)]
    return means[0] if len(means) == 1 else means


test_loop = _means


def fit_loop(
    model: Any, fit_function: Any = None, fit_inputs: Any = None, out_labels: list[str] | None = None,
    batch_size: int | None = None, epochs: int = 100, verbose: int = 1, callbacks: Any = None,
    val_function: Any = None, val_inputs: Any = None, shuffle: bool | str = True, initial_epoch: int = 0,
    steps_per_epoch: int | None = None, validation_steps: int | None = None, validation_freq: Any = 1,
    callback_metrics: Any = None, **old: Any,
) -> History:  # fmt: skip
    """Call a function on batches, epoch after epoch, with callbacks.

    Args:
        model: the model that callbacks are told of.
        fit_function: a function of K that trains on a list of arrays and returns numbers.
        fit_inputs: the arrays.
        out_labels: names of the numbers, by default those of the model's metrics.
        batch_size: samples in a batch, 32 by default.
        epochs: the epoch before which to stop.
        verbose: not used.
        callbacks: callbacks, beside a `History`.
        val_function: a function of K that gives numbers for validation.
        val_inputs: its arrays.
        shuffle: whether samples come in a new order in each epoch; 'batch' for whole batches.
        initial_epoch: the epoch to begin with.
        steps_per_epoch: call the function that often with `fit_inputs` instead.
        validation_steps: likewise for validation.
        validation_freq: after how many epochs to validate, or after which.
        callback_metrics: not used.
        old: `f`, `ins`, `val_f` and `val_ins`, former names of the functions and arrays.
    """
    fit_function, fit_inputs = old.get("f", fit_function), old.get("ins", fit_inputs)
    val_function, val_inputs = old.get("val_f", val_function), old.get("val_ins", val_inputs)
    names = out_labels or model.metrics_names
    history = History()
    hooks = CallbackList([*(callbacks or []), history])
    hooks.set_model(model)
    hooks.set_params({"epochs": epochs, "steps": steps_per_epoch, "verbose": verbose, "metrics": names})
    hooks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        hooks.on_epoch_begin(epoch)
        logs = _epoch(fit_function, fit_inputs, names, batch_size or 32, shuffle, steps_per_epoch, hooks)
        if val_function and should_run_validation(validation_freq, epoch):
            found = _means(model, val_function, val_inputs or [], batch_size, steps=validation_steps)
            logs.update({f"val_{name}": value for name, value in zip(names, to_list(found), strict=False)})
        hooks.on_epoch_end(epoch, logs)
        if getattr(model, "stop_training", False):
            break
    hooks.on_train_end()
    return history


def _epoch(
    f: Step, ins: list[Any], names: list[str], size: int, shuffle: bool | str, steps: int | None, hooks: CallbackList
) -> dict[str, float]:
    order = None if steps is not None else np.arange(next(len(x) for x in ins if np.ndim(x)))
    if order is not None and shuffle:
        order = batch_shuffle(order, size) if shuffle == "batch" else np.random.permutation(order)
    calls = [(np.zeros(1), ins)] * steps if steps is not None else _batches(ins, size, order)
    sizes, found = [], []
    for number, (rows, batch) in enumerate(calls):
        hooks.on_batch_begin(number, {"batch": number, "size": len(rows)})
        values = to_list(f(batch))
        hooks.on_batch_end(number, {"batch": number, "size": len(rows), **dict(zip(names, values, strict=False))})
        sizes.append(len(rows))
        found.append(values)
    return dict(zip(names, (float(np.average(v, weights=sizes)) for v in zip(*found, strict=True)), strict=False))
