"""What `run_in_processes.py` runs besides `mesh_cases`: steps and data of one's own, callbacks, batches not divided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mesh_cases import data, net, trained

from keras_front import backend as K
from keras_front import callbacks, layers, losses, metrics, mixed_precision, optimizers
from keras_front.models import Model, Sequential
from keras_front.utils import Sequence

CASES: dict[str, Callable[[], dict[str, Any]]] = {}
SKIPPED: dict[str, str] = {
    "several_steps_in_a_dispatch": "steps go one by one where processes work together",
    "multi_gpu_model": "for the devices of one process",
}

SHARDED = [  # with slots of the optimizer that belong to one process each
    f"{name}:sharded"
    for name in (
        "everything",
        "accumulated_by_the_optimizer",
        "saved_and_resumed",
        "a_step_of_ones_own",
        "eager_steps",
        "kinds_of_optimizers",
    )
]


DIVIDED = [  # with weights divided over the processes
    f"{name}:model"
    for name in (
        "everything",
        "plain",
        "batch_normalization",
        "dropout",
        "uneven_last_batch",
        "several_inputs",
        "stateful_metrics",
        "accumulated_by_the_optimizer",
        "accumulated_by_fit",
        "one_by_one",
        "attention",
        "saved_and_resumed",
        "a_step_of_ones_own",
        "masks_and_weights",
        "streams_and_callbacks",
        "kinds_of_optimizers",
    )
]


def case(function: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    CASES[function.__name__] = function
    return function


class Twice(Model):
    """A step that counts its loss twice, keeps a metric of its own, and returns what it found."""

    def train_step(self, given: Any) -> Any:
        x, y = given
        y_pred = self(x, training=True)
        loss = 2.0 * self.compute_loss(y=y, y_pred=y_pred)
        grads = K.gradients(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        self.seen.update_state(loss)
        return {"loss": loss, "seen": self.seen.result()}


@case
def a_step_of_ones_own() -> Any:
    x, y = data(43)
    inputs = layers.Input((6,))
    hidden = layers.BatchNormalization(name="norm")(layers.Dense(8, "tanh", name="first")(inputs))
    model = Twice(inputs, layers.Dense(1, "sigmoid", name="last")(hidden))
    model.seen = metrics.Mean(name="seen")
    return trained(model, x, y, measures=[])


class Same(Model):
    """A step that is the trainer's."""

    def train_step(self, given: Any) -> Any:
        return super().train_step(given)


@case
def the_step_of_the_trainer() -> Any:
    x, y = data(43)
    inputs = layers.Input((6,))
    hidden = layers.Dropout(0.3, name="drop")(layers.Dense(8, "tanh", name="first")(inputs))
    return trained(Same(inputs, layers.Dense(1, "sigmoid", name="last")(hidden)), x, y)


@case
def masks_and_weights() -> Any:
    """Sequences of other lengths, whose losses are divided by what counts; penalties that are sums."""
    x = np.random.default_rng(0).integers(0, 5, size=(24, 6))
    y = np.random.default_rng(1).normal(size=(24, 6, 1))
    rows = [
        layers.Embedding(6, 4, mask_zero=True, input_length=6, name="table"),
        layers.LSTM(4, return_sequences=True, activity_regularizer="l2", name="first"),
        layers.Dense(1, kernel_regularizer="l2", name="last"),
    ]
    model = Sequential(rows)
    model.compile("adam", "mse", sample_weight_mode="temporal")
    weights = np.random.default_rng(2).integers(0, 2, size=(24, 6)).astype("float64")
    history = model.fit(x, y, sample_weight=weights, epochs=2, batch_size=8, verbose=0)
    return {"loss": history.history["loss"], "state": model.get_weights()}


@case
def a_sum_as_loss() -> Any:
    model = net()
    model.compile("sgd", losses.MeanSquaredError(reduction="sum"))
    x, y = data(43)
    return {"loss": model.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"], "state": model.get_weights()}


@case
def states_of_samples() -> Any:
    """A stateful model, whose batches cannot be divided."""
    x = np.random.default_rng(0).normal(size=(16, 5, 3))
    rows = [layers.LSTM(4, stateful=True, batch_input_shape=(8, 5, 3), name="first"), layers.Dense(1, name="last")]
    model = Sequential(rows)
    model.compile("adam", "mse")
    history = model.fit(x, x[:, 0, :1], batch_size=8, epochs=2, shuffle=False, verbose=0)
    return {"loss": history.history["loss"], "state": model.get_weights(), "predicted": model.predict(x, batch_size=8)}


class Batches(Sequence):
    def __init__(self, x: Any, y: Any):
        self.x, self.y = x, y

    def __len__(self) -> int:
        return -(-len(self.x) // 10)

    def __getitem__(self, i: int) -> Any:
        return self.x[i * 10 : i * 10 + 10], self.y[i * 10 : i * 10 + 10]


@case
def streams_and_callbacks() -> Any:
    """A `Sequence`, hooks around batches, a schedule, early stopping with the best weights."""
    x, y = data(43)
    model = net(layers.BatchNormalization(name="norm"))
    model.compile(optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
    seen: list[float] = []
    given = [
        callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(float(logs["loss"]))),
        callbacks.ReduceLROnPlateau(patience=1, monitor="val_loss"),
        callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    ]
    history = model.fit(Batches(x, y), epochs=6, validation_data=(x[:21], y[:21]), callbacks=given, verbose=0)
    found = {f"history {k}": v for k, v in history.history.items()}
    evaluated = model.evaluate(Batches(x, y), verbose=0)
    return {
        **found,
        "seen": seen,
        "state": model.get_weights(),
        "predicted": model.predict(Batches(x, y)),
        "e": evaluated,
    }


@case
def eager_steps() -> Any:
    x, y = data(32)
    model = net(layers.BatchNormalization(name="norm"), layers.Dropout(0.3, name="drop"))
    model.compile("adam", "binary_crossentropy", metrics=["mae"], run_eagerly=True)
    return {"loss": model.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"], "state": model.get_weights()}


@case
def kinds_of_optimizers() -> Any:
    """Formulas on one weight after the other, on all at once, on a weight as a whole; counters; running means."""
    x, y = data(32)
    kinds = [
        optimizers.Nadam(0.01),
        optimizers.Lamb(0.01),
        optimizers.Adafactor(0.01),
        optimizers.Adam(0.01, global_clipnorm=0.1, weight_decay=0.01, use_ema=True, ema_overwrite_frequency=3),
        mixed_precision.LossScaleOptimizer(optimizers.SGD(0.1, momentum=0.9, nesterov=True), dynamic_growth_steps=2),
    ]
    return {f"{kind.name} {k}": v for kind in kinds for k, v in trained(net(), x, y, optimizer=kind).items()}
