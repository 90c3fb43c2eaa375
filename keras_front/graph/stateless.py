"""`layer.stateless_call`: a call as a pure function of the values of variables, as Keras 3 has it for JAX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_front import config
from keras_front.backend import creation, discovery, state
from keras_front.backend.state import Variable
from keras_front.errors import BackendError, ShapeError, StateError


class StatelessCalls:
    """The part of a layer that is called with the values of its variables. The other parts have these."""

    if TYPE_CHECKING:  # of the other parts
        name: str
        built: bool
        trainable_weights: list[Variable]
        non_trainable_weights: list[Variable]
        state_variables: list[Variable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """`non_trainable_weights`, the states of stateful layers, and what keys the noise of layers such as Dropout."""
        noise = [self._noise_counter()] if any(_draws_noise(part) for part in self.all_layers()) else []  # type: ignore[attr-defined]
        return list(dict.fromkeys([*self.non_trainable_weights, *self.state_variables, *noise]))

    def _noise_counter(self) -> Variable:
        found = self.__dict__.get("_noise")
        if found is None:
            found = _Held(Variable(np.zeros((), "int64"), "int64", f"{self.name}/noise", trainable=False))
            self.__dict__["_noise"] = found
        return found.variable

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """The outputs for given values of the variables, and the values that the others have afterwards.

        Nothing of the layer changes, so it may be differentiated and compiled: by `K.value_and_grad` and `K.compile`
        on any backend, and by `jax.grad` and `jax.jit` on JAX. Noise, such as that of Dropout, then follows from the
        given values alone; each call that is not compiled has other noise.

        Args:
            trainable_variables: values of `trainable_variables`.
            non_trainable_variables: values of `non_trainable_variables`.
            args: what the layer is called with.
            return_losses: whether penalties on weights, and what layers report, come as a third result.
            kwargs: the same by name, such as `training`.

        Returns: outputs, and a list of values; with `return_losses` a list of scalars behind them.
        Raises: StateError before the layer is built; ShapeError for lists of another length.
        Source: Keras 3.15, `layers/layer.py`, `stateless_call`.
        Example:
            >>> from keras_front import backend as K
            >>> from keras_front.layers import Dense
            >>> layer = Dense(1, use_bias=False)
            >>> layer.build((None, 2))
            >>> outputs, others = layer.stateless_call([np.array([[1.0], [2.0]])], [], np.array([[3.0, 4.0]]))
            >>> K.to_numpy(outputs).tolist(), others
            ([[11.0]], [])
        """
        if not self.built:
            raise StateError(f"{self.name}.stateless_call: the layer has no variables yet. Build it, or call it first.")
        trainable, others = self.trainable_variables, self.non_trainable_variables
        for what, given, wanted in (
            ("trainable_variables", trainable_variables, trainable),
            ("non_trainable_variables", non_trainable_variables, others),
        ):
            if len(given) != len(wanted):
                raise ShapeError(
                    f"{self.name}.stateless_call: expected {len(wanted)} values as {what}, received {len(given)}."
                )
        values = [creation.convert(v) for v in (*trainable_variables, *non_trainable_variables)]
        noise = self.__dict__.get("_noise")
        counter = values[len(trainable) + others.index(noise.variable)] if noise and noise.variable in others else None
        with state.bind([*trainable, *others], values, counter=counter) as frame:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            if counter is not None:
                noise.variable.assign(counter + 1)  # type: ignore[union-attr]
            losses = [*self.weight_losses(), *frame.losses] if return_losses else []  # type: ignore[attr-defined]
            after = frame.values_of(others)
        return (outputs, after, losses) if return_losses else (outputs, after)

    def parameters(self) -> Iterator[Any]:
        """The trainable weights as tensors of torch, for its optimizers and for `loss.backward()`.

        They lie in the memory of the weights: what changes one changes the other. Calls of the layer on tensors of
        torch are recorded from now on, unless within `torch.no_grad()`.

        Raises: BackendError on another backend.
        Source: torch 2, `nn.Module.parameters`; on torch the layers of Keras 3 are such modules.
        Example:
            >>> from keras_front.layers import Dense
            >>> next(Dense(1).parameters(), None) is None  # it has no weights yet
            True
        """
        return (parameter for _, parameter in self.named_parameters())

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """Pairs of a path and what `parameters` gives.

        Raises: BackendError on another backend, or where `speak_as` says that the program knows no torch: libraries ask
        for them to tell models of torch from others.
        Example:
            >>> from keras_front.layers import Dense
            >>> list(Dense(1).named_parameters())
            []
        """
        engine: Any = discovery.active()
        spoken = config.setting("speak_as").value
        if spoken not in (config.KINDS["speak_as"].default, engine.name):
            raise BackendError(
                f"{self.name}.parameters: with speak_as={spoken!r} a model has none; use trainable_weights."
            )
        found = [(str(weight.name).partition(":")[0], engine.leaf(weight)) for weight in self.trainable_weights]
        lost = next((name for name, leaf in found if leaf is None), None)
        if lost is not None:
            raise BackendError(
                f"{self.name}.parameters: {lost} has no tensor of torch, as the backend is {engine.name!r}. "
                "Use trainable_weights, or the backend torch."
            )
        return iter(found)


class _Held:
    """Holds a variable that is no weight."""

    def __init__(self, variable: Variable):
        self.variable = variable


def _draws_noise(layer: Any) -> bool:
    rates = [getattr(layer, name, None) for name in ("dropout", "recurrent_dropout", "rate", "stddev")]
    found = [rate for rate in rates if isinstance(rate, int | float)]
    return any(found) if found else "seed" in layer.constructor_arguments()
