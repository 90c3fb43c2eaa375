"""The checks of the layer suite that differentiate: gradients against finite differences, and a step of `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import config
from keras_front.backend import state
from keras_front.models import Model
from keras_front.testing.layer_case import LayerCase
from keras_front.testing.layer_subject import BATCH, built, demand, expect, one, spread, symbols, values

STEP = 1e-5


def gradient(case: LayerCase) -> None:
    """Derivatives for weights and inputs, in training and inference, against central differences; none is zero."""
    with config.use(floatx="float64"):
        layer, inputs = built(case), values(case, dtype="float64")
        trainable, others = layer.trainable_weights, [w for w in layer.weights if not w.trainable]
        leading = [] if case.ints else inputs
        params = [*(w.numpy() for w in trainable), *leading]
        if not params:
            return
        loss = _Loss(layer, inputs, trainable, others, (False,) if case.rewrites else (True, False))
        run = K.compile(lambda flat: _valued(loss, flat))
        _, *grads = map(K.to_numpy, run(params))
        for weight, g in zip(trainable, grads, strict=False):
            if not _idle(case, weight):
                demand(bool(g.any()), f"the gradient for {weight.name}", "numbers that are not zero", "zeros")
        _compare(run, params, grads)


def _valued(loss: Any, flat: list[Any]) -> list[Any]:
    (value, _), grads = K.value_and_grad(lambda params: (loss(params), []), flat)
    return [value, *grads]


def _compare(run: Any, params: list[np.ndarray], grads: list[np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    directions = [rng.normal(size=p.shape) for p in params]
    ends = [K.to_numpy(run([p + s * d for p, d in zip(params, directions, strict=True)])[0]) for s in (STEP, -STEP)]
    want = float(ends[0] - ends[1]) / (2 * STEP)
    got = sum(float(np.sum(g * d)) for g, d in zip(grads, directions, strict=True))
    demand(bool(np.isclose(got, want, rtol=1e-4, atol=1e-4)), "the derivative in a random direction", want, got)


class _Loss:
    """A weighted sum of the outputs, of a training and of an inference call, as a function of weights and inputs."""

    def __init__(self, layer: Any, inputs: list[np.ndarray], trainable: list[Any], others: list[Any], phases: Any):
        self.layer, self.inputs, self.trainable, self.others, self.phases = layer, inputs, trainable, others, phases

    def __call__(self, params: list[Any]) -> Any:
        given = params[len(self.trainable) :]
        xs = list(given) if given else [K.convert(x) for x in self.inputs]
        total, counter = (K.convert(np.zeros((), dtype)) for dtype in ("float64", "int64"))
        for phase in self.phases:
            current = [*params[: len(self.trainable)], *(K.convert(w.numpy()) for w in self.others)]
            with state.bind([*self.trainable, *self.others], current, counter), K.phase(phase):
                total = total + self._sum(self.layer(one(xs)))
        return total

    def _sum(self, outputs: Any) -> Any:
        rng = np.random.default_rng(4)
        total = K.convert(np.zeros((), "float64"))
        for y in outputs if isinstance(outputs, list | tuple) else [outputs]:
            if K.dtype(y) == "float64":
                total = total + K.sum(y * K.convert(rng.normal(size=K.int_shape(y))))
        return total


def training(case: LayerCase) -> None:
    """One step of `fit` changes every trainable weight, and none of a layer with `trainable=False`."""
    free, frozen, xs = case.make(), case.make(), symbols(case)
    frozen.trainable = False
    outputs = [y for layer in (free, frozen) for y in _listed(layer(one(xs)))]
    if not free.trainable_weights:
        return
    expect("trainable weights of a layer with trainable=False", [], frozen.trainable_weights)
    for layer in (free, frozen):
        spread(layer)
    real, rng = values(case), np.random.default_rng(2)
    before = [layer.get_weights() for layer in (free, frozen)]
    targets = [rng.normal(size=(BATCH, *y.shape[1:])) for y in outputs]
    model = Model(xs, outputs)
    model.compile("sgd", "mse")
    model.fit(one(real), one(targets), epochs=1, batch_size=BATCH, verbose=0)
    for variable, old, new in zip(free.weights, before[0], free.get_weights(), strict=True):
        moved = variable not in free.trainable_weights or _idle(case, variable) or not np.array_equal(old, new)
        demand(moved, f"{variable.name} after a step of training", "other values", "the values from before")
    for variable, old, new in zip(frozen.weights, before[1], frozen.get_weights(), strict=True):
        stayed = not variable.trainable or case.rewrites or np.array_equal(old, new)
        demand(stayed, f"{variable.name} of a frozen layer after a step", "the values from before", "other values")


def _idle(case: LayerCase, weight: Any) -> bool:
    return weight.name.split(":")[0].endswith(tuple(case.idle)) if case.idle else False


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]
