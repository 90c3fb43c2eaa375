"""The algorithms: each is the formula and nothing else. Formulas and defaults are those of Keras 2.3.1.

Where a list-wise op exists, all weights are updated by one call, which an adapter may hand to a fused kernel. In the
formulas `w` is a weight, `g` its gradient, `rate` the step size and `t` the number of the step, counted from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from keras_front import backend as K
from keras_front.arguments import Flag, Fraction, NotNegative, Part, Reader, read_number
from keras_front.backend.state import Variable
from keras_front.compatibility import RenamedKeys
from keras_front.errors import ArgumentError
from keras_front.file_form import FileForm
from keras_front.optimizers.base import OPTIMIZERS, Optimizer, current
from keras_front.optimizers.rates import LearningRate


def _epsilon(value: Any, owner: Any) -> float:
    number = K.epsilon() if value is None else read_number(value)
    if number < 0:
        raise ValueError
    return number


def _momentum(value: Any, owner: Any) -> float:
    number = float(value or 0.0)
    if not 0 <= number <= 1:
        raise ArgumentError(f"expected a momentum between 0 and 1, received {value!r}.")
    return number


Epsilon = Annotated[float | None, Reader(_epsilon, "a number of at least 0, or None for K.epsilon()")]
Momentum = Annotated[float | None, Reader(_momentum, "a number between 0 and 1")]


@OPTIMIZERS.register("SGD", "Custom>SGD")
class SGD(Optimizer):
    """Gradient descent: `w - rate * g`, or with momentum `v = momentum * v - rate * g; w + v`.

    Args:
        learning_rate: step size, 0 or more. The best one depends on the scale of inputs and weights; 0.01 suits
            standardized data.
        momentum: part of the step before that is kept, between 0 and 1; 0 for none. 0.9 is usual.
        nesterov: take the gradient's step from where the momentum leads: `w + momentum * v - rate * g`.

    Slots: 'momentum' for each weight, if `momentum` is not 0.
    Raises: ArgumentError for a momentum outside of 0 to 1, or a negative rate.
    Source: Sutskever et al. (2013), equations 1 to 4; Keras 2.3.1, `keras/optimizers.py`.
    Example:
        >>> weight = K.variable([1.0])
        >>> SGD(0.5).apply([weight], [K.constant([1.0])])
        >>> weight.numpy().tolist()
        [0.5]
    """

    momentum: float
    nesterov: bool

    def __init__(
        self, learning_rate: LearningRate = 0.01, momentum: Momentum = 0.0, nesterov: Flag = False, **kwargs: Any
    ):
        super().__init__(learning_rate, **kwargs)
        self.slots = ("momentum",) if self.momentum else ()

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        moments = slots[0] if slots else []
        new = K.sgd_update(ws, grads, moments, rate, momentum=self.momentum, nesterov=self.nesterov)
        return new[0], [new[1]] if slots else []


@OPTIMIZERS.register("RMSprop", "Custom>RMSprop")
class RMSprop(Optimizer):
    """`a = rho * a + (1 - rho) * g**2; w - rate * g / (sqrt(a) + epsilon)`: steps of one size in all directions.

    Args:
        learning_rate: step size, 0 or more.
        rho: how much of the running mean of squared gradients is kept at each step, between 0 and 1. 0.9 looks back
            about ten steps.
        epsilon: keeps the division finite where gradients vanish. None for `K.epsilon()`, 1e-7.
        momentum: as in tf.keras, the step itself gathers momentum: `v = momentum * v + rate * g / sqrt(a + epsilon)`.
        centered: as in tf.keras, the mean gradient is taken off: `a - mean(g)**2` in place of `a`.
        epsilon_in_root: whether the step is `g / sqrt(a + epsilon)`, as in tf.keras since 2.11 and in Keras 3, whose
            files are read so. It is shorter for gradients below 3e-4.

    Slots: 'rms'; 'momentum' and 'mg' where they are used.
    Source: Tieleman and Hinton (2012), lecture 6e; tf_keras 2.21, `legacy/rmsprop.py`, for `momentum` and
        `centered`.
    Example:
        >>> weight = K.variable([1.0])
        >>> RMSprop(0.1, rho=0.0).apply([weight], [K.constant([5.0])])
        >>> round(float(weight.numpy()[0]), 3)
        0.9
    """

    rho: float
    epsilon: float
    momentum: float
    centered: bool
    epsilon_in_root: bool
    file_form = FileForm(omitted={"decay": 0.0}, left_out={"epsilon_in_root": True})

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: Fraction = 0.9,
        epsilon: Epsilon = None,
        momentum: Momentum = 0.0,
        centered: Flag = False,
        epsilon_in_root: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.slots = ("rms", *(("momentum",) if self.momentum else ()), *(("mg",) if self.centered else ()))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; those that Keras 2.3 does not know only where they are used."""
        config, unknown = super().get_config(), ("momentum", "centered", "epsilon_in_root")
        return RenamedKeys((k, v) for k, v in config.items() if v or k not in unknown)

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        if len(slots) > 1 or self.epsilon_in_root:
            return super().update_all(ws, grads, slots, rate, t)
        new = K.rmsprop_update(ws, grads, slots[0], rate, rho=self.rho, epsilon=self.epsilon)
        return new[0], [new[1]]

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        state = dict(zip(self.slots, slots, strict=True))
        state["rms"] = self.rho * state["rms"] + (1 - self.rho) * K.square(g)
        spread = state["rms"]
        if self.centered:
            state["mg"] = self.rho * state["mg"] + (1 - self.rho) * g
            spread = spread - K.square(state["mg"])
        if not self.momentum:
            return w - rate * g / _root(self, spread), list(state.values())
        state["momentum"] = self.momentum * state["momentum"] + rate * g / K.square_root(spread + self.epsilon)
        return w - state["momentum"], list(state.values())


@OPTIMIZERS.register("Adagrad", "Custom>Adagrad")
class Adagrad(Optimizer):
    """`a = a + g**2; w - rate * g / (sqrt(a) + epsilon)`: smaller steps for weights that have moved much.

    Args:
        learning_rate: step size at the start, 0 or more; steps shrink by themselves.
        epsilon: keeps the division finite. None for `K.epsilon()`, 1e-7.
        initial_accumulator_value: what `a` starts with; 0 as in Keras 2 (tf.keras and Keras 3 start with 0.1).
        epsilon_in_root: whether the step is `g / sqrt(a + epsilon)`, as in tf.keras since 2.11 and in Keras 3, whose
            files are read so.

    Slots: 'accumulator'.
    Source: Duchi, Hazan and Singer (2011), section 1.2; Keras 2.3.1, `keras/optimizers.py`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Adagrad(0.1).apply([weight], [K.constant([4.0])])
        >>> round(float(weight.numpy()[0]), 3)
        0.9
    """

    slots = ("accumulator",)
    epsilon: float
    initial_accumulator_value: float
    epsilon_in_root: bool
    file_form = FileForm(omitted={"decay": 0.0}, left_out={"epsilon_in_root": True})

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        epsilon: Epsilon = None,
        initial_accumulator_value: NotNegative = 0.0,
        epsilon_in_root: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.first_slot = self.initial_accumulator_value

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; those that Keras 2.3 does not know only where they are used."""
        config, unknown = super().get_config(), ("initial_accumulator_value", "epsilon_in_root")
        return RenamedKeys((k, v) for k, v in config.items() if v or k not in unknown)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        a = slots[0] + K.square(g)
        return w - rate * g / _root(self, a), (a,)


def _root(optimizer: RMSprop | Adagrad, squares: Any) -> Any:
    """The root of the mean or sum of squares, kept from 0."""
    if optimizer.epsilon_in_root:
        return K.square_root(squares + optimizer.epsilon)
    return K.square_root(squares) + optimizer.epsilon


@OPTIMIZERS.register("Adadelta", "Custom>Adadelta")
class Adadelta(Optimizer):
    """Step by the ratio of running root mean squares, of past steps to gradients: it needs no step size.

    Args:
        learning_rate: factor of the step; 1, as the algorithm finds the size by itself (tf.keras and Keras 3: 0.001).
        rho: how much of the running means is kept at each step, between 0 and 1.
        epsilon: added under both roots; it also sets the size of the first steps. None for `K.epsilon()`, 1e-7.

    Slots: 'accum_grad' and 'accum_var', the means of squared gradients and of squared steps.
    Source: Zeiler (2012), algorithm 1; Keras 2.3.1, `keras/optimizers.py`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Adadelta(rho=0.0, epsilon=1.0).apply([weight], [K.constant([3.0 ** 0.5])])
        >>> round(float(weight.numpy()[0]), 3)
        0.134
    """

    slots = ("accum_grad", "accum_var")
    slots_together = 2
    rho: float
    epsilon: float

    def __init__(self, learning_rate: LearningRate = 1.0, rho: Fraction = 0.95, epsilon: Epsilon = None, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        a, d = slots
        a = self.rho * a + (1 - self.rho) * K.square(g)
        step = g * K.square_root(d + self.epsilon) / K.square_root(a + self.epsilon)
        return w - rate * step, (a, self.rho * d + (1 - self.rho) * K.square(step))


@OPTIMIZERS.register("Adam", "Custom>Adam")
class Adam(Optimizer):
    """Step by the ratio of a running mean and a running root mean square of the gradient.

    `m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g**2`, then
    `w - rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)`. A step is about as long as the rate,
    whatever the scale of the gradient.

    Args:
        learning_rate: step size, 0 or more.
        beta_1: how much of the mean of gradients is kept at each step, between 0 and 1; 0.9 looks back about ten steps.
        beta_2: the same for the mean of squares; 0.999 looks back about a thousand.
        epsilon: keeps the division finite; larger values (0.1) calm steps where gradients are small. None for
            `K.epsilon()`, 1e-7.
        amsgrad: divide by the largest mean square so far, so that steps never grow again.

    Slots: 'm' and 'v'; 'vhat' with `amsgrad`.
    Source: Kingma and Ba (2015), algorithm 1, in the efficient order of section 2; Reddi et al. (2018), algorithm 2.
    Example:
        >>> weight = K.variable([1.0])
        >>> Adam(0.1).apply([weight], [K.constant([1e-3])])
        >>> round(float(weight.numpy()[0]), 3)
        0.9
    """

    slots_together = 2
    beta_1: float
    beta_2: float
    epsilon: float
    amsgrad: bool

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: Part = 0.9,
        beta_2: Part = 0.999,
        epsilon: Epsilon = None,
        amsgrad: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.slots = ("m", "v", "vhat") if self.amsgrad else ("m", "v")

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        vhats = slots[2] if self.amsgrad else []
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        new = K.adam_update(ws, grads, slots[0], slots[1], vhats, rate, t, **betas)
        return new[0], list(new[1:]) if self.amsgrad else list(new[1:3])


@OPTIMIZERS.register("AdamW", "Custom>AdamW")
class AdamW(Adam):
    """Adam that takes a part off each weight before each step, times the step size.

    Args:
        learning_rate: step size, 0 or more.
        weight_decay: the part, times the step size; see `exclude_from_weight_decay`.
        beta_1, beta_2, epsilon, amsgrad: as for `Adam`.

    Slots: 'm' and 'v'; 'vhat' with `amsgrad`.
    Source: Loshchilov and Hutter (2019), algorithm 2; Keras 3.15, `keras.optimizers.AdamW`.
    Example:
        >>> weight = K.variable([1.0])
        >>> AdamW(0.1, weight_decay=0.5).apply([weight], [K.constant([1e-3])])
        >>> round(float(weight.numpy()[0]), 3)
        0.85
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: NotNegative | None = 0.004,
        beta_1: Part = 0.9,
        beta_2: Part = 0.999,
        epsilon: Epsilon = None,
        amsgrad: Flag = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)


@OPTIMIZERS.register("Adamax", "Custom>Adamax")
class Adamax(Optimizer):
    """Adam with the largest gradient of the recent past in place of the root mean square.

    `m = beta_1 * m + (1 - beta_1) * g; u = max(beta_2 * u, |g|)`, then
    `w - rate / (1 - beta_1**t) * m / (u + epsilon)`.

    Args:
        learning_rate: step size, 0 or more.
        beta_1: how much of the mean of gradients is kept at each step, between 0 and 1.
        beta_2: how much of the largest gradient is kept at each step, between 0 and 1.
        epsilon: keeps the division finite. None for `K.epsilon()`, 1e-7.

    Slots: 'm' and 'v'.
    Source: Kingma and Ba (2015), algorithm 2; Keras 2.3.1, `keras/optimizers.py`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Adamax(0.1).apply([weight], [K.constant([-2.0])])
        >>> round(float(weight.numpy()[0]), 3)
        1.1
    """

    slots = ("m", "v")
    slots_together = 2
    beta_1: float
    beta_2: float
    epsilon: float

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta_1: Part = 0.9,
        beta_2: Part = 0.999,
        epsilon: Epsilon = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        m, u = slots
        m = self.beta_1 * m + (1 - self.beta_1) * g
        u = K.maximum(self.beta_2 * u, K.abs(g))
        return w - rate / (1 - K.pow(self.beta_1, t)) * m / (u + self.epsilon), (m, u)


@OPTIMIZERS.register("Nadam", "Custom>Nadam")
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which warms up: `mu(t) = beta_1 * (1 - 0.5 * 0.96**(t * schedule_decay))`.

    Args:
        learning_rate: step size, 0 or more.
        beta_1: the momentum that is reached in the end, between 0 and 1.
        beta_2: how much of the mean of squared gradients is kept at each step, between 0 and 1.
        epsilon: keeps the division finite. None for `K.epsilon()`, 1e-7.
        schedule_decay: how fast the momentum warms up; `decay` is another name for it. With 0.004 half of the way takes
            about 4,000 steps (Keras 3: 1, about 17 steps).

    Slots: 'm' and 'v'. Beside `iterations` it counts `m_schedule`, the product of all momenta so far.
    Source: Dozat (2016), algorithm 2; Keras 2.3.1, `keras/optimizers.py`.
    Example:
        >>> Nadam(decay=0.01).schedule_decay
        0.01
    """

    file_form = FileForm(omitted={"decay": 0.0, "schedule_decay": 0.004}, left_out={"schedule_decay": 1.0})

    slots = ("m", "v")
    slots_together = 2
    beta_1: float
    beta_2: float
    epsilon: float
    schedule_decay: float

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta_1: Part = 0.9,
        beta_2: Part = 0.999,
        epsilon: Epsilon = None,
        schedule_decay: NotNegative = 0.004,
        **kwargs: Any,
    ):
        if "decay" in kwargs:
            self.schedule_decay = float(kwargs.pop("decay"))
        super().__init__(learning_rate, **kwargs)
        self.m_schedule = self._variable(1.0, "momentum_cache")

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return RenamedKeys((key, value) for key, value in super().get_config().items() if key != "decay")

    @property
    def counters(self) -> list[Variable]:
        """`iterations`, and the product of all momenta so far."""
        return [self._iterations, self.m_schedule]

    def _adapted(self, variables: Sequence[Variable], values: list[np.ndarray]) -> list[np.ndarray]:
        """Keras 2.2, 2.3.0 and tf_keras left the product of all momenta out; it follows from the number of steps."""
        if len(values) == len(variables) - 1:
            steps = 1 + np.arange(int(np.asarray(values[0])))
            momenta = self.beta_1 * (1.0 - 0.5 * 0.96 ** (steps * self.schedule_decay))
            return [values[0], np.prod(momenta), *values[1:]]
        return super()._adapted(variables, values)

    def update_all(self, ws: Any, grads: Any, slots: Any, rate: Any, t: Any) -> tuple[list[Any], list[list[Any]]]:
        new = super().update_all(ws, grads, slots, rate, t)
        self.m_schedule.assign(current(self.m_schedule) * self._momentum(t))
        return new

    def _momentum(self, t: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * K.pow(0.96, t * self.schedule_decay))

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        m, v = slots
        now, then = self._momentum(t), self._momentum(t + 1)
        schedule = K.cast(current(self.m_schedule), K.dtype(w)) * now
        m = self.beta_1 * m + (1 - self.beta_1) * g
        v = self.beta_2 * v + (1 - self.beta_2) * K.square(g)
        mean = (1 - now) * g / (1 - schedule) + then * m / (1 - schedule * then)
        return w - rate * mean / (K.square_root(v / (1 - K.pow(self.beta_2, t))) + self.epsilon), (m, v)
