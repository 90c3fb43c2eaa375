"""The algorithms that came with tf.keras and Keras 3: Ftrl, Lion, Lamb, Adafactor and Muon.

In the formulas `w` is a weight, `g` its gradient, `rate` the step size and `t` the number of the step, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from keras_front import backend as K
from keras_front.arguments import Flag, Fraction, Kept, NotNegative, Number, Part, Positive, Within
from keras_front.backend.state import Variable
from keras_front.optimizers.algorithms import Epsilon
from keras_front.optimizers.base import OPTIMIZERS, Optimizer
from keras_front.optimizers.rates import LearningRate

NotPositive = Annotated[float, Within(most=0)]


@OPTIMIZERS.register("Ftrl", "FTRL", "Custom>Ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader: for wide, shallow models on sparse features; weights become 0 exactly.

    Args:
        learning_rate: step size, above 0.
        learning_rate_power: how the size falls with the sum of squared gradients, 0 or less; 0 for not at all.
        initial_accumulator_value: what the sum of squared gradients starts with, 0 or more.
        l1_regularization_strength: penalty on absolute values, 0 or more; this is what makes weights 0.
        l2_regularization_strength: penalty on squares, 0 or more, that steadies.
        l2_shrinkage_regularization_strength: penalty on squares, 0 or more, that shrinks.
        beta: the algorithm's beta, 0 or more.

    Slots: 'accumulator' and 'linear'.
    Source: McMahan et al. (2013), algorithm 1; Keras 3.15, `keras.optimizers.Ftrl`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Ftrl(0.1, l1_regularization_strength=50.0).apply([weight], [K.constant([1.0])])
        >>> weight.numpy().tolist()
        [0.0]
    """

    slots = ("accumulator", "linear")
    slots_together = 2
    learning_rate_power: float
    initial_accumulator_value: float
    l1_regularization_strength: float
    l2_regularization_strength: float
    l2_shrinkage_regularization_strength: float
    beta: float

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: NotPositive = -0.5,
        initial_accumulator_value: NotNegative = 0.1,
        l1_regularization_strength: NotNegative = 0.0,
        l2_regularization_strength: NotNegative = 0.0,
        l2_shrinkage_regularization_strength: NotNegative = 0.0,
        beta: Number = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)

    def first_value(self, slot: str) -> float:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        total, linear = slots
        new_total = total + K.square(g)
        before, after = (K.pow(a, -self.learning_rate_power) / rate for a in (total, new_total))
        shrunk = g + 2.0 * self.l2_shrinkage_regularization_strength * w
        linear = linear + shrunk - (after - before) * w
        l1 = self.l1_regularization_strength
        curvature = after + 2.0 * self.l2_regularization_strength + self.beta / rate
        return (K.clip(linear, -l1, l1) - linear) / curvature, (new_total, linear)


@OPTIMIZERS.register("Lion", "Custom>Lion")
class Lion(Optimizer):
    """Steps of one size by the sign of a running mean: `w - rate * sign(beta_1 * m + (1 - beta_1) * g)`.

    Args:
        learning_rate: step size, 0 or more; a third to a tenth of what suits Adam.
        beta_1: the part of the mean in the sign, between 0 and 1.
        beta_2: how much of the mean is kept at each step, between 0 and 1.

    Slots: 'm'.
    Source: Chen et al. (2023), algorithm 2; Keras 3.15, `keras.optimizers.Lion`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Lion(0.25).apply([weight], [K.constant([3.0])])
        >>> weight.numpy().tolist()
        [0.75]
    """

    slots = ("m",)
    beta_1: float
    beta_2: float

    def __init__(self, learning_rate: LearningRate = 0.001, beta_1: Part = 0.9, beta_2: Part = 0.99, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        (m,) = slots
        step = K.sign(self.beta_1 * m + (1.0 - self.beta_1) * g)
        return w - rate * step, (self.beta_2 * m + (1.0 - self.beta_2) * g,)


@OPTIMIZERS.register("Lamb", "Custom>Lamb")
class Lamb(Optimizer):
    """Adam whose step for each weight is as long, in proportion, as the weight itself: for very large batches.

    Args:
        learning_rate: step size, 0 or more.
        beta_1: how much of the mean of gradients is kept at each step, between 0 and 1.
        beta_2: the same for the mean of squares.
        epsilon: keeps the division finite. None for `K.epsilon()`, 1e-7.

    Slots: 'm' and 'v'.
    Source: You et al. (2020), algorithm 2; Keras 3.15, `keras.optimizers.Lamb`.
    Example:
        >>> weight = K.variable([2.0])
        >>> Lamb(0.1).apply([weight], [K.constant([1e-3])])
        >>> round(float(weight.numpy()[0]), 3)
        1.8
    """

    slots = ("m", "v")
    slots_together = 2
    beta_1: float
    beta_2: float
    epsilon: float

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: Part = 0.9,
        beta_2: Part = 0.999,
        epsilon: Epsilon = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        m, v = slots
        m = self.beta_1 * m + (1.0 - self.beta_1) * g
        v = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
        spread = K.square_root(v / (1.0 - K.pow(self.beta_2, t))) + self.epsilon
        step = m / (1.0 - K.pow(self.beta_1, t)) / spread
        length, step_length = _length(w), _length(step)
        known = (length > 0) & (step_length > 0)
        trust = K.where(known, length / K.where(known, step_length, 1.0), 1.0)
        return w - rate * trust * step, (m, v)


@OPTIMIZERS.register("Adafactor", "Custom>Adafactor")
class Adafactor(Optimizer):
    """Adam that keeps sums over rows and columns in place of all mean squares, and sets its step size by the weight.

    Args:
        learning_rate: step size, 0 or more; the largest there is with `relative_step`.
        beta_2_decay: power of `t` that is left out of the mean squares, 0 or less: `1 - t ** beta_2_decay` is kept.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size of a weight that counts.
        clip_threshold: the root mean square that a step may have, before it is scaled.
        relative_step: whether the step size falls with `1 / sqrt(t)`; not with a schedule.

    Slots: 'r', 'c' and 'v': means over columns, over rows, and for weights of less than two axes over nothing.
    Source: Shazeer and Stern (2018), algorithms 4 and 5; Keras 3.15, `keras.optimizers.Adafactor`.
    Example:
        >>> weight = K.variable([1.0])
        >>> Adafactor(0.1).apply([weight], [K.constant([3.0])])
        >>> round(float(weight.numpy()[0]), 3)
        0.9
    """

    slots = ("r", "c", "v")
    slots_together = 3
    beta_2_decay: float
    epsilon_1: float
    epsilon_2: float
    clip_threshold: float
    relative_step: bool

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: Number = -0.8,
        epsilon_1: NotNegative = 1e-30,
        epsilon_2: NotNegative = 1e-3,
        clip_threshold: NotNegative = 1.0,
        relative_step: Flag = True,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)

    def slot_shape(self, param: Variable, slot: str) -> tuple[int, ...]:
        shape = tuple(param.shape)
        if slot not in ("r", "c"):
            return shape
        return () if len(shape) < 2 else shape[:-1] if slot == "r" else (*shape[:-2], shape[-1])

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        r, c, v = slots
        kept = 1.0 - K.pow(t, self.beta_2_decay)
        squares = K.square(g) + self.epsilon_1
        if K.ndim(w) < 2:
            v = kept * v + (1.0 - kept) * squares
        else:
            r = kept * r + (1.0 - kept) * K.mean(squares, axis=-1)
            c = kept * c + (1.0 - kept) * K.mean(squares, axis=-2)
            v = K.expand_dims(r / K.mean(r, axis=-1, keepdims=True), -1) * K.expand_dims(c, -2)
        step = g / K.square_root(v)
        step = step / K.maximum(1.0, _rms(step) / self.clip_threshold)
        if self.relative_step and self._schedule is None:
            rate = K.minimum(rate, 1.0 / K.square_root(t))
        return w - K.maximum(_rms(w), self.epsilon_2) * rate * step, (r, c, v)


@OPTIMIZERS.register("Muon", "Custom>Muon")
class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix to the momentum, for matrices; AdamW for all other weights.

    Args:
        learning_rate: step size, 0 or more.
        adam_beta_1, adam_beta_2, epsilon: as `beta_1`, `beta_2` and `epsilon` of Adam.
        adam_weight_decay: `weight_decay` of the weights that AdamW trains.
        weight_decay: that of the others.
        exclude_layers: regular expressions; weights in whose names one is found are trained by AdamW. The last layer
            belongs here.
        exclude_embeddings: whether AdamW trains weights with "embedding" in their name.
        muon_a, muon_b, muon_c: coefficients of the iteration that makes the matrix orthogonal.
        adam_lr_ratio: the step size of AdamW, as a part of `learning_rate`.
        momentum: part of the sum of gradients that is kept, between 0 and 1.
        ns_steps: how many iterations.
        nesterov: whether the present gradient counts once more.
        rms_rate: the root mean square of a step, in step sizes.

    Slots: 'm', and 'v' for the weights that AdamW trains.
    Source: Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; Liu et al. (2025), equation 4; Keras 3.15,
        `keras.optimizers.Muon`.
    Example:
        >>> weight = K.variable([[1.0, 0.0], [0.0, 1.0]])
        >>> Muon(0.1, weight_decay=None).apply([weight], [K.constant([[4.0, 0.0], [0.0, 4.0]])])
        >>> bool(weight.numpy()[0, 0] < 1)
        True
    """

    slots = ("m", "v")
    slots_together = 2
    adam_beta_1: float
    adam_beta_2: float
    adam_weight_decay: NotNegative | None
    epsilon: float
    exclude_layers: list[str] | None
    exclude_embeddings: bool
    muon_a: float
    muon_b: float
    muon_c: float
    adam_lr_ratio: float
    momentum: float
    ns_steps: int
    nesterov: bool
    rms_rate: float | None

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: Part = 0.9,
        adam_beta_2: Part = 0.999,
        adam_weight_decay: NotNegative | None = 0.004,
        epsilon: Epsilon = None,
        weight_decay: NotNegative | None = 0.004,
        exclude_layers: Kept = None,
        exclude_embeddings: Flag = True,
        muon_a: Number = 3.4445,
        muon_b: Number = -4.775,
        muon_c: Number = 2.0315,
        adam_lr_ratio: Number = 1,
        momentum: Fraction = 0.95,
        ns_steps: Positive = 5,
        nesterov: Flag = True,
        rms_rate: Number | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)

    def slot_shape(self, param: Variable, slot: str) -> tuple[int, ...] | None:
        return None if slot == "v" and self._is_matrix(param) else tuple(param.shape)

    def decay_of(self, param: Variable) -> float | None:
        part = super().decay_of(param)
        return self.adam_weight_decay if part and not self._is_matrix(param) else part

    def _is_matrix(self, param: Variable) -> bool:
        """Whether a weight is trained as a matrix, not by AdamW."""
        excluded = [*(self.exclude_layers or ()), *(("(?i)embedding",) if self.exclude_embeddings else ())]
        return len(param.shape) == 2 and not any(re.search(pattern, param.name) for pattern in excluded)

    def update(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        return self._matrix_step(w, g, slots, rate) if slots[1] is None else self._adam_step(w, g, slots, rate, t)

    def _matrix_step(self, w: Any, g: Any, slots: list[Any], rate: Any) -> tuple[Any, Sequence[Any]]:
        m, v = slots
        m = self.momentum * m + g
        step = self._orthogonal(g + self.momentum * m if self.nesterov else m)
        size = 1.0 if self.rms_rate is None else self.rms_rate * max(K.int_shape(w)) ** 0.5
        return w - rate * size * step, (m, v)

    def _orthogonal(self, x: Any) -> Any:
        """The nearest orthogonal matrix, nearly: singular values between about 0.7 and 1.2."""
        rows, columns = K.int_shape(x)
        x = K.transpose(x) if rows > columns else x
        x = x / (_length(x) + 1e-7)
        for _ in range(self.ns_steps):
            square = K.dot(x, K.transpose(x))
            x = self.muon_a * x + K.dot(self.muon_b * square + self.muon_c * K.dot(square, square), x)
        return K.transpose(x) if rows > columns else x

    def _adam_step(self, w: Any, g: Any, slots: list[Any], rate: Any, t: Any) -> tuple[Any, Sequence[Any]]:
        betas = {"beta_1": self.adam_beta_1, "beta_2": self.adam_beta_2, "epsilon": self.epsilon}
        new = K.adam_update([w], [g], [slots[0]], [slots[1]], [], rate * self.adam_lr_ratio, t, **betas)
        return new[0][0], (new[1][0], new[2][0])


def _length(x: Any) -> Any:
    return K.square_root(K.sum(K.square(x)))


def _rms(x: Any) -> Any:
    return K.square_root(K.mean(K.square(x)))
