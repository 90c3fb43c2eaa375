"""The algorithms: each is the formula and nothing else. Formulas and defaults are those of Keras 2.3.1.

Where a list-wise op exists, all weights are updated by one call, which an adapter may hand to a fused kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front.backend.state import Variable
from keras_front.errors import ArgumentError
from keras_front.optimizers.base import OPTIMIZERS, Optimizer, current


def _epsilon(value: float | None) -> float:
    return K.epsilon() if value is None else float(value)


@OPTIMIZERS.register("SGD", "Custom>SGD")
class SGD(Optimizer):
    """`w - rate * g`, or with momentum `v = momentum * v - rate * g; w + v`.

    Source: Sutskever et al. (2013), also for `nesterov`.
    """

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ArgumentError(f"SGD: expected a momentum between 0 and 1, received {momentum!r}.")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slots = ("momentum",) if self.momentum else ()

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        """The formula, for all weights at once."""
        moments = slots[0] if slots else []
        new = K.sgd_update(ws, grads, moments, rate, momentum=self.momentum, nesterov=self.nesterov)
        return new[0], [new[1]] if slots else []


@OPTIMIZERS.register("RMSprop", "Custom>RMSprop")
class RMSprop(Optimizer):
    """`a = rho * a + (1 - rho) * g**2; w - rate * g / (sqrt(a) + epsilon)`.

    Args:
        momentum, centered: as in tf.keras: the step has momentum; the mean is taken off the squares.

    Source: Tieleman and Hinton (2012), lecture 6e; tf_keras 2.21, `legacy/rmsprop.py`, for `momentum` and
    `centered`.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        epsilon: float | None = None,
        momentum: float = 0.0,
        centered: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = float(rho), _epsilon(epsilon)
        self.momentum, self.centered = float(momentum or 0.0), bool(centered)
        self.slots = ("rms", *(("momentum",) if self.momentum else ()), *(("mg",) if self.centered else ()))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; `momentum` and `centered`, unknown to Keras 2.3, only where they are used."""
        config = super().get_config()
        return {k: v for k, v in config.items() if v or k not in ("momentum", "centered")}

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        """The formula, for all weights at once unless it has momentum or a mean."""
        if len(slots) > 1:
            return super().update_all(ws, grads, slots, rate, t)
        new = K.rmsprop_update(ws, grads, slots[0], rate, rho=self.rho, epsilon=self.epsilon)
        return new[0], [new[1]]

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """One weight, with momentum or a mean."""
        state = dict(zip(self.slots, slots, strict=True))
        state["rms"] = self.rho * state["rms"] + (1 - self.rho) * K.square(g)
        spread = state["rms"]
        if self.centered:
            state["mg"] = self.rho * state["mg"] + (1 - self.rho) * g
            spread = spread - K.square(state["mg"])
        if not self.momentum:
            return w - rate * g / (K.sqrt(spread) + self.epsilon), list(state.values())
        state["momentum"] = self.momentum * state["momentum"] + rate * g / K.sqrt(spread + self.epsilon)
        return w - state["momentum"], list(state.values())


@OPTIMIZERS.register("Adagrad", "Custom>Adagrad")
class Adagrad(Optimizer):
    """`a = a + g**2; w - rate * g / (sqrt(a) + epsilon)`.

    Args:
        initial_accumulator_value: what `a` starts with.

    Source: Duchi, Hazan and Singer (2011).
    """

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: float = 0.01,
        epsilon: float | None = None,
        initial_accumulator_value: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.epsilon = _epsilon(epsilon)
        self.initial_accumulator_value = self.first_slot = float(initial_accumulator_value)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; the initial value, which Keras 2.3 does not have, only where it is not 0."""
        config = super().get_config()
        return {k: v for k, v in config.items() if v or k != "initial_accumulator_value"}

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """The formula."""
        a = slots[0] + K.square(g)
        return w - rate * g / (K.sqrt(a) + self.epsilon), (a,)


@OPTIMIZERS.register("Adadelta", "Custom>Adadelta")
class Adadelta(Optimizer):
    """Step by the ratio of running root mean squares, of past steps to gradients.

    Source: Zeiler (2012), algorithm 1.
    """

    slots = ("accum_grad", "accum_var")
    slots_together = 2

    def __init__(self, learning_rate: float = 1.0, rho: float = 0.95, epsilon: float | None = None, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = float(rho), _epsilon(epsilon)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """The formula."""
        a, d = slots
        a = self.rho * a + (1 - self.rho) * K.square(g)
        step = g * K.sqrt(d + self.epsilon) / K.sqrt(a + self.epsilon)
        return w - rate * step, (a, self.rho * d + (1 - self.rho) * K.square(step))


@OPTIMIZERS.register("Adam", "Custom>Adam")
class Adam(Optimizer):
    """Step by the ratio of a running mean and a running root mean square of the gradient.

    Args:
        amsgrad: divide by the largest mean square so far.

    Source: Kingma and Ba (2015), algorithm 1, in the efficient order of section 2; Reddi et al. (2018).
    """

    slots_together = 2

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), _epsilon(epsilon)
        self.amsgrad = bool(amsgrad)
        self.slots = ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        """The formula, for all weights at once."""
        vhats = slots[2] if self.amsgrad else []
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        new = K.adam_update(ws, grads, slots[0], slots[1], vhats, rate, t, **betas)
        return new[0], list(new[1:]) if self.amsgrad else list(new[1:3])


@OPTIMIZERS.register("Adamax", "Custom>Adamax")
class Adamax(Optimizer):
    """Adam with the largest gradient of the recent past in place of the root mean square.

    Source: Kingma and Ba (2015), algorithm 2.
    """

    slots = ("m", "v")
    slots_together = 2

    def __init__(
        self,
        learning_rate: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), _epsilon(epsilon)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """The formula."""
        m, u = slots
        m = self.beta_1 * m + (1 - self.beta_1) * g
        u = K.maximum(self.beta_2 * u, K.abs(g))
        return w - rate / (1 - K.pow(self.beta_1, t)) * m / (u + self.epsilon), (m, u)


@OPTIMIZERS.register("Nadam", "Custom>Nadam")
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which warms up by `schedule_decay`. `decay` is another name for that.

    Source: Dozat (2016), as in Keras 2.3.1, `keras/optimizers.py`.
    """

    slots = ("m", "v")
    slots_together = 2

    def __init__(
        self,
        learning_rate: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ):
        schedule_decay = kwargs.pop("decay", schedule_decay)
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = float(beta_1), float(beta_2), _epsilon(epsilon)
        self.schedule_decay = float(schedule_decay)
        self.m_schedule = self._variable(1.0, "momentum_cache")

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {key: value for key, value in super().get_config().items() if key != "decay"}

    @property
    def counters(self) -> list[Variable]:
        """`iterations`, and the product of all momenta so far."""
        return [self.iterations, self.m_schedule]

    def _adapted(self, variables: Sequence[Variable], values: list[np.ndarray]) -> list[np.ndarray]:
        """Keras 2.2 and 2.3.0 left the momentum cache out."""
        if len(values) == len(variables) - 1:
            return [values[0], np.ones(()), *values[1:]]
        return super()._adapted(variables, values)

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        """The formula for each weight, and the product of all momenta so far."""
        new = super().update_all(ws, grads, slots, rate, t)
        self.m_schedule.assign(current(self.m_schedule) * self._momentum(t))
        return new

    def _momentum(self, t: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * K.pow(0.96, t * self.schedule_decay))

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        """The formula."""
        m, v = slots
        now, then = self._momentum(t), self._momentum(t + 1)
        schedule = K.cast(current(self.m_schedule), K.dtype(w)) * now
        m = self.beta_1 * m + (1 - self.beta_1) * g
        v = self.beta_2 * v + (1 - self.beta_2) * K.square(g)
        mean = (1 - now) * g / (1 - schedule) + then * m / (1 - schedule * then)
        return w - rate * mean / (K.sqrt(v / (1 - K.pow(self.beta_2, t))) + self.epsilon), (m, v)
