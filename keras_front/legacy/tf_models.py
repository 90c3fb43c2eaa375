"""Models that tf.keras had ready: linear, wide and deep, and training that looks for flat places.

Source: TensorFlow 2.15, `keras/premade_models/linear.py` and `wide_deep.py`, and
`keras/models/sharpness_aware_minimization.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_front import activations, initializers, regularizers
from keras_front import backend as K
from keras_front.custom_objects import custom_object_scope
from keras_front.errors import ArgumentError
from keras_front.layers import Dense
from keras_front.models import Model
from keras_front.nest import flatten, map_structure, unpack
from keras_front.training.steps.custom import unpack_x_y_sample_weight

__all__ = ["LinearModel", "SharpnessAwareMinimization", "WideDeepModel"]


class LinearModel(Model):
    """`activation(x @ kernel + ... + bias)`: a kernel for each input, one bias for all.

    Args:
        units: the number of outputs.
        activation: their activation; by default none.
        use_bias: whether there is a bias.
        kernel_initializer: first values of the kernels.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty of the kernels.
        bias_regularizer: penalty of the bias.
        kwargs: `name`.

    Shape: (batch, features), a list or a dictionary of such -> (batch, units)

    Example:
        >>> model = LinearModel()
        >>> model.compile("sgd", "mse")
        >>> model.predict(np.ones((2, 3)), verbose=0).tolist()
        [[0.0], [0.0]]
    """

    def __init__(
        self,
        units: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = map(initializers.get, (kernel_initializer, bias_initializer))
        self.kernel_regularizer, self.bias_regularizer = map(regularizers.get, (kernel_regularizer, bias_regularizer))
        self.dense_layers: list[Any] = []
        self.bias: Any = None

    def _make(self, inputs: Any) -> None:
        """A `Dense` for each input, named after it in a dictionary, and the bias."""
        names = sorted(inputs) if isinstance(inputs, Mapping) else [None] * len(flatten(inputs))
        options: dict[str, Any] = {
            "kernel_initializer": self.kernel_initializer,
            "kernel_regularizer": self.kernel_regularizer,
        }
        self.dense_layers = [Dense(self.units, use_bias=False, name=name, **options) for name in names]
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer, regularizer=self.bias_regularizer
            )

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs.

        Args:
            inputs: a tensor, or a list or a dictionary of tensors.
            training: not used.
            mask: not used.

        Raises: ArgumentError for a dictionary without one of the names that the model was built with.
        """
        if not self.dense_layers:
            self._make(inputs)
        if isinstance(inputs, Mapping):
            missing = [layer.name for layer in self.dense_layers if layer.name not in inputs]
            if missing:
                raise ArgumentError(f"{self.name}: the dictionary of inputs has no {missing}; it has {sorted(inputs)}.")
            given = [inputs[layer.name] for layer in self.dense_layers]
        else:
            given = flatten(inputs)
        parts = [layer(value) for layer, value in zip(self.dense_layers, given, strict=True)]
        total = sum(parts[1:], parts[0])
        return self.activation(total if self.bias is None else K.bias_add(total, self.bias))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("kernel_initializer", "bias_initializer")
        penalties = ("kernel_regularizer", "bias_regularizer")
        return {
            "name": self.name,
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **{name: initializers.serialize(getattr(self, name)) for name in names},
            **{name: regularizers.serialize(getattr(self, name)) for name in penalties},
        }

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> LinearModel:
        """A new model without weights.

        Args:
            config: what `get_config` gave.
            custom_objects: classes and functions by name.
        """
        with custom_object_scope(custom_objects or {}):
            return cls(**config)


class WideDeepModel(Model):
    """The sum of a linear model and a deep one, trained together, each by an optimizer of its own if there are two.

    Args:
        linear_model: a `LinearModel`, or any other.
        dnn_model: a model with outputs of the same shape.
        activation: of the sum; by default none.
        kwargs: `name`.

    Shape: the inputs of both models, or (inputs of the linear one, inputs of the deep one) -> their outputs.
    """

    def __init__(self, linear_model: Model, dnn_model: Model, activation: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.linear_model, self.dnn_model = linear_model, dnn_model
        self.activation = activations.get(activation)

    def compile(self, optimizer: Any = "rmsprop", *args: Any, **kwargs: Any) -> None:
        """As `Model.compile`.

        Args:
            optimizer: one, or a list of that of the linear model and that of the deep one.
            args: further arguments of `Model.compile`.
            kwargs: those by name.
        """
        both = list(optimizer) if isinstance(optimizer, list | tuple) else [optimizer]
        super().compile(both[0], *args, **kwargs)
        from keras_front import optimizers

        self._deep_optimizer = optimizers.get(both[1]) if len(both) == 2 else None

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs.

        Args:
            inputs: those of both models, or a pair of those of the linear and those of the deep model.
            training: whether the deep model is trained.
            mask: not used.
        """
        pair = inputs if isinstance(inputs, list | tuple) and len(inputs) == 2 else (inputs, inputs)
        outputs = self.linear_model(pair[0]), self.dnn_model(pair[1], training=training)
        return unpack([self.activation(x + y) for x, y in zip(*map(flatten, outputs), strict=True)])

    def train_step(self, data: Any) -> Any:
        """One step; with two optimizers each changes the weights of its model.

        Args:
            data: inputs, targets, and weights of the samples if there are any.
        """
        if self._deep_optimizer is None:
            return super().train_step(data)
        x, y, weight = unpack_x_y_sample_weight(data)
        parts = [self.linear_model.trainable_weights, self.dnn_model.trainable_weights]

        def loss_of(_: Any) -> Any:
            outputs = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weight), outputs

        weights = [*parts[0], *parts[1]]
        (loss, outputs), grads = K.value_and_grad(loss_of, weights)
        count = len(parts[0])
        self.optimizer.apply_gradients(zip(grads[:count], parts[0], strict=True))
        self._deep_optimizer.apply_gradients(zip(grads[count:], parts[1], strict=True))
        return {"loss": loss, **self.compute_metrics(x, y, outputs, weight)}

    def get_config(self) -> dict[str, Any]:
        """Refused, since it holds models.

        Raises: NotImplementedError; save the weights, or the two models.
        """
        raise NotImplementedError("WideDeepModel: save its weights, or the linear and the deep model.")


class SharpnessAwareMinimization(Model):
    """Trains a model by the gradients at the worst place near its weights, so that it comes to rest in flat places.

    Args:
        model: the model.
        rho: how far the worst place is looked for: the length of that step over all weights.
        num_batch_splits: in how many parts a batch is treated, each with its own worst place; the gradients are added.
        name: name of the model.

    Source: Foret et al. (2021), Sharpness-Aware Minimization, algorithm 1; tf.keras 2.15.
    """

    def __init__(self, model: Model, rho: float = 0.05, num_batch_splits: int | None = None, name: str | None = None):
        super().__init__(name=name)
        self.model, self.rho, self.num_batch_splits = model, rho, num_batch_splits

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs of the model.

        Args:
            inputs: its inputs.
            training: whether it is trained.
            mask: the mask of its inputs.
        """
        return self.model(inputs, training=training, mask=mask)

    def train_step(self, data: Any) -> Any:
        """One step.

        Args:
            data: inputs, targets, and weights of the samples if there are any.
        """
        x, y, weight = unpack_x_y_sample_weight(data)
        variables = self.model.trainable_weights
        found = [self._part(variables, *part) for part in self._parts(x, y, weight)]
        grads = [sum(those[1:], those[0]) for those in zip(*(grads for _, _, grads in found), strict=True)]
        self.optimizer.apply_gradients(zip(grads, variables, strict=True))
        losses, outputs = [loss for loss, _, _ in found], [outputs for _, outputs, _ in found]
        joined = unpack([K.concatenate(list(parts), 0) for parts in zip(*map(flatten, outputs), strict=True)])
        loss = sum(losses[1:], losses[0]) / len(losses)
        return {"loss": loss, **self.compute_metrics(x, y, joined, weight)}

    def _parts(self, *data: Any) -> list[tuple[Any, ...]]:
        count = self.num_batch_splits or 1
        sizes = {int(K.int_shape(value)[0]) for value in flatten(data) if value is not None}
        size = min(sizes) // count
        if size * count != min(sizes):
            raise ArgumentError(f"num_batch_splits: a batch of {min(sizes)} samples has no {count} equal parts.")

        def part(number: int) -> tuple[Any, ...]:
            rows = slice(number * size, (number + 1) * size)
            return map_structure(lambda value: None if value is None else value[rows], data)

        return [part(number) for number in range(count)]

    def _part(self, variables: list[Any], x: Any, y: Any, weight: Any) -> tuple[Any, Any, list[Any]]:
        """Loss and outputs of a part of the batch, before the step to its worst place, and the gradients there."""

        def loss_of(training: bool) -> Any:
            outputs = self(x, training=training)
            return self.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weight), outputs

        (loss, outputs), grads = K.value_and_grad(lambda _: loss_of(False), variables)
        norm = K.sqrt(sum(K.sum(K.square(grad)) for grad in grads))
        before = [K.identity(variable) for variable in variables]
        for variable, grad in zip(variables, grads, strict=True):
            variable.assign(variable + grad * (self.rho / (norm + 1e-12)))
        _, grads = K.value_and_grad(lambda _: loss_of(True), variables)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        return loss, outputs, list(grads)
