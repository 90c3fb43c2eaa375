"""A model whose weights count its steps, so that a look at them says whether they are those of one whole step.

Every weight starts at 0 and gains 1 with each step, exactly; so does the optimizer's counter. Where two weights differ,
an update was torn or lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_front import backend as K
from keras_front import layers, models

BRANCHES, INPUTS, OUTPUTS = 8, 32, 64  # powers of two, so that nothing is rounded
X = np.ones((4, INPUTS), "float32")
Y = np.zeros((4, OUTPUTS), "float32")
EACH = BRANCHES * (INPUTS + 1)  # what a step adds to every output


def counting_model(built: bool = True) -> models.Model:
    """The model; `built`: it has made no step, but all that a step needs is compiled."""
    x = layers.Input((INPUTS,))
    zeros = {"kernel_initializer": "zeros", "bias_initializer": "zeros"}
    model = models.Model(x, layers.Add()([layers.Dense(OUTPUTS, **zeros)(x) for _ in range(BRANCHES)]))
    model.compile(_sgd(), lambda y_true, y_pred: -K.mean(y_pred, axis=-1))
    if built:
        model.train_on_batch(X, Y)
        model.predict(X)
        model.evaluate(X, Y, verbose=0)
        model.set_weights([np.zeros(w.shape, "float32") for w in model.weights])
        model.optimizer.iterations.set(0)
    return model


def _sgd() -> object:
    from keras_front import optimizers

    return optimizers.SGD(float(OUTPUTS))


def steps_in(weights: Sequence[np.ndarray]) -> int:
    """How many steps these weights have made; raises AssertionError if they are not those of one whole step."""
    found = {float(value) for w in weights for value in (w.min(), w.max())}
    assert len(found) == 1, f"weights of several steps: {sorted(found)[:4]}"
    (steps,) = found
    assert steps == int(steps) >= 0, f"no whole number of steps: {steps}"
    return int(steps)


def steps_of(model: models.Model) -> int:
    """How many steps a model has made, by its weights and by its optimizer, which must agree."""
    steps, counted = steps_in(model.get_weights()), int(model.optimizer.iterations.numpy())
    assert steps == counted, f"weights of {steps} steps, but the optimizer has counted {counted}"
    return steps


def steps_behind(outputs: np.ndarray) -> int:
    """How many steps the weights had made that gave these outputs; raises AssertionError if they were not of one."""
    return steps_in([np.asarray(outputs) / EACH])
