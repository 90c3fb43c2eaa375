"""`ResourceUpdates`: optimizers in the manner of tf.keras 2, which change one variable in `_resource_apply_dense`.

Such a class makes its slots in `_create_slots` and keeps its numbers by `_set_hyper`. What it assigns is carried by the
step as for any other optimizer; gradients are dense, so `_resource_apply_sparse` is never called.

Source: tf.keras 2.10, `optimizers/optimizer_v2/optimizer_v2.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import initializers
from keras_front.backend.state import Variable


class VariableDtype(str):
    """The name of a dtype with the attributes that code for TensorFlow asks of it."""

    @property
    def base_dtype(self) -> VariableDtype:
        """The dtype itself."""
        return self

    @property
    def name(self) -> str:
        """The name."""
        return str(self)


class ResourceUpdates:
    """The protocol of these optimizers, a part of `Optimizer`."""

    name: str
    slots: tuple[str, ...]
    iterations: Variable
    decay: Variable
    initial_decay: float
    _hyper: dict[str, Any]
    _slots: Any
    _keepers: Any
    _lr: Variable
    _variable: Any
    _use_locking = False

    def _updates_resources(self) -> bool:
        return type(self)._resource_apply_dense is not ResourceUpdates._resource_apply_dense

    # What a subclass overrides -----------------------------------------------------------------------

    def _create_slots(self, var_list: Sequence[Variable]) -> None:
        """Make the slots of weights by `add_slot`.

        Args:
            var_list: the weights.
        """

    def _prepare_local(self, var_device: str, var_dtype: str, apply_state: dict[Any, Any]) -> None:
        """Note in `apply_state[(var_device, var_dtype)]` what all weights of a device and dtype share.

        Args:
            var_device: the device, '' here.
            var_dtype: the dtype.
            apply_state: a dict with a dict for each device and dtype.
        """
        apply_state[var_device, var_dtype]["lr_t"] = self._decayed_lr(var_dtype)

    def _resource_apply_dense(self, grad: Any, var: Variable, apply_state: Any = None) -> Any:
        """Change one weight by its gradient, clipped.

        Args:
            grad: the gradient, a tensor.
            var: the weight; `assign`, `assign_add`, `assign_sub` change it and its slots.
            apply_state: what `_prepare_local` noted; left out if the method does not take it.
        """
        raise NotImplementedError

    # What it calls -----------------------------------------------------------------------------------

    def _set_hyper(self, name: str, value: Any) -> None:
        """Keep a number, which may be changed later, as an attribute; or a schedule or function.

        Args:
            name: the attribute; 'learning_rate' and 'decay' are those of every optimizer.
            value: its value.
        """
        self._hyper[name] = value
        if name in ("learning_rate", "lr"):
            self._set_rate(value)
        elif name == "decay":
            self.decay.set(np.asarray(value, "float32"))
            self.initial_decay = float(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            setattr(self, name, self._variable(float(value), name))
        else:
            setattr(self, name, value)

    def _set_rate(self, value: Any) -> None:
        raise NotImplementedError

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """The value of such a number in this step, as a tensor.

        Args:
            name: the attribute.
            dtype: what it is cast to; None leaves it as it is.
        """
        value = self._lr if name in ("learning_rate", "lr") else getattr(self, name)
        value = K.convert(value() if callable(value) and not isinstance(value, Variable) else value)
        return value if dtype is None else K.cast(value, dtype)

    def _serialize_hyperparameter(self, name: str) -> Any:
        """The value as a number for a config.

        Args:
            name: the attribute.
        """
        value = self._lr if name in ("learning_rate", "lr") else getattr(self, name)
        return float(value) if isinstance(value, Variable) else value

    def _decayed_lr(self, var_dtype: Any) -> Any:
        """The step size of this step.

        Args:
            var_dtype: what it is cast to.
        """
        return K.cast(self.rate(), var_dtype)  # type: ignore[attr-defined]

    @property
    def _name(self) -> str:
        return self.name

    @_name.setter
    def _name(self, name: str) -> None:
        self.name = name

    @property
    def _initial_decay(self) -> float:
        return self.initial_decay

    def add_slot(self, var: Variable, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """Make a slot of a weight.

        Args:
            var: the weight.
            slot_name: the name of the slot.
            initializer: its first values.
            shape: its shape; None for that of the weight.

        Returns: the slot, a variable.
        """
        held = self._slots.setdefault(var, {})
        if slot_name not in held:
            size = tuple(var.shape if shape is None else shape)
            made: Any = initializers.get(initializer)
            values = made(size, dtype=str(var.dtype)) if callable(made) else np.broadcast_to(np.asarray(made), size)
            held[slot_name] = self._variable(values, f"{var.name.partition(':')[0]}/{slot_name}", str(var.dtype))
            held[slot_name].dtype = VariableDtype(var.dtype)
            held[slot_name].keeper = self._keepers.of(var)
        if slot_name not in self.slots:
            self.slots = (*self.slots, slot_name)
        return held[slot_name]  # type: ignore[no-any-return]

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """A slot of a weight.

        Args:
            var: the weight.
            slot_name: the name of the slot.
        """
        return self._slots[var][slot_name]  # type: ignore[no-any-return]

    def _fallback_apply_state(self, var_device: str, var_dtype: Any) -> dict[str, Any]:
        state: dict[Any, dict[str, Any]] = {(var_device, var_dtype): {}}
        self._prepare_local(var_device, var_dtype, state)
        return state[var_device, var_dtype]

    # What calls it -----------------------------------------------------------------------------------

    def _make_resource_slots(self, param: Variable) -> None:
        if param not in self._slots:
            param.dtype = VariableDtype(param.dtype)
            self._slots[param] = {}
            self._create_slots([param])

    def _apply_to_resources(self, params: Sequence[Variable], grads: Sequence[Any]) -> None:
        state: dict[Any, dict[str, Any]] = {}
        for param in params:
            if (param.device, param.dtype) not in state:
                state[param.device, param.dtype] = {}
                self._prepare_local(param.device, param.dtype, state)
        more = {"apply_state": state} if "apply_state" in signature(self._resource_apply_dense).parameters else {}
        for param, grad in zip(params, grads, strict=True):
            self._resource_apply_dense(grad, param, **more)
            if param.constraint is not None:
                param.assign(param.constraint(K.convert(param)))
