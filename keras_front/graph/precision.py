"""`LayerPrecision`: in which dtype a layer keeps its weights, and in which it computes.

As long as the two are one, `_mixed` is None and nothing is asked. Under a mixed policy inputs are cast where the layer
is entered, and weights where its `call` reads them; see `backend/autocast.py`. Layers with `_computes_wide` compute in
the dtype of their weights all the same, and cast their results: normalization, because sums and squares leave the range
of 16 bits, and embeddings, because a few rows are cast more quickly than a table.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from keras_front import config, dtype_policies
from keras_front.backend import discovery, scopes
from keras_front.backend.autocast import autocast, autocast_dtype
from keras_front.backend.scopes import CASTING
from keras_front.dtype_policies import DTypePolicy, DTypePolicyMap
from keras_front.errors import NotQuantizableError
from keras_front.nest import map_structure

from .layer_values import cast_float, dtype_name


class LayerPrecision:
    """What a layer knows of dtypes."""

    name: str
    dtype: Any
    built: bool
    call: Any
    _mixed: DTypePolicy | None = None  # a policy, mixed or quantized, or a map; None where `dtype` says everything
    quantization_mode: str | None = None  # of a layer whose weight is kept as integers
    _casts_inputs = True
    _casts_weights = True
    _computes_wide = False  # whether it computes in the dtype of its weights, whatever its policy says

    def _settle_dtype(self, given: Any, autocast: Any = True) -> None:
        """Take what the constructor was given as `dtype` and as `autocast`."""
        policy = dtype_policies.of_layer(given)
        if policy is not None:
            self._mixed, self.dtype = policy, policy.variable_dtype
        elif given is not None:
            self.dtype = dtype_name(given) or config.floatx()
        else:
            self.dtype = dtype_policies.dtype_policy().variable_dtype
        if not autocast:
            self._casts_inputs = self._casts_weights = False

    # What users ask ----------------------------------------------------------------------------------

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy; setting one before the layer is built decides about the dtype of its weights too.

        A model that is compiled must be compiled again after its layers have other policies.
        """
        return DTypePolicy(self.dtype or config.floatx()) if self._mixed is None else self._mixed

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        found = dtype_policies.get(policy)
        self._mixed = dtype_policies.of_layer(found)
        if not self.built:
            self.dtype = found.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs and weights are cast to where the layer computes."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights, which is also `dtype`."""
        return self.dtype or config.floatx()

    def quantize(self, mode: str, type_check: bool = True, config: Any = None) -> None:
        """Keep the weight as integers: Dense, EinsumDense and Embedding can, see there, and a model for its layers.

        Args:
            mode: 'int8' or 'int4'.
            type_check: accepted because Keras 3 has it.
            config: how it is done.

        Raises: NotQuantizableError, which is a NotImplementedError, in every other layer.
        """
        raise NotQuantizableError(
            f"{type(self).__name__}.quantize: the layer has no form of integers, received the mode {mode!r}."
        )

    # What the layer does -----------------------------------------------------------------------------

    def _find_policy(self, path: str) -> None:
        """Take one's own policy from a map, before weights are made."""
        if isinstance(self._mixed, DTypePolicyMap):
            paths = (path, self.name)
            found = next((self._mixed[p] for p in paths if self._mixed[p] != self._mixed.default_policy), None)
            self.dtype_policy = self._mixed.default_policy if found is None else found

    def _dtype_in_config(self) -> Any:
        """What stands for `dtype` in a config: a name, or the config of a map."""
        if isinstance(self._mixed, DTypePolicyMap):
            return dtype_policies.serialize(self._mixed)
        return (self.dtype or config.floatx()) if self._mixed is None else self._mixed.name

    def _policy_in_config(self) -> dict[str, Any]:
        """What the config of a network says of its policy: nothing unless that is mixed."""
        return {} if self._mixed is None or isinstance(self._mixed, DTypePolicyMap) else {"dtype": self._mixed.name}

    def _dtype_here(self) -> str:
        """The dtype to compute in: where a backend lacks that of the policy, that of the weights."""
        policy = self._mixed
        if policy is None:
            return self.dtype or config.floatx()
        trace = scopes.tracing()
        engine = discovery.present() if trace is None else trace.backend
        wanted = policy.compute_dtype
        if engine is None or wanted not in engine.lacks:
            return wanted
        config.warn_once(
            f"{policy.name}: {engine.name} has no {wanted}. Layers with this policy compute in {self.dtype} there: as "
            "exactly at least, and without what 16 bits save."
        )
        return str(self.dtype)

    def _cast(self, inputs: Any) -> Any:
        """Float inputs in the dtype that the layer computes in; other dtypes stay."""
        if not self._casts_inputs:
            return inputs
        wanted = self.dtype or config.floatx() if self._computes_wide else self._dtype_here()
        if not wanted.startswith(("float", "bfloat")):
            return inputs
        return map_structure(lambda x: cast_float(x, wanted), inputs)

    def _computed(self, inputs: Any, args: Any = (), kwargs: Any = MappingProxyType({})) -> Any:
        """What `call` gives for inputs that `_cast` has seen, with weights in the dtype that the layer computes in."""
        if self._mixed is None and CASTING.get() is None:
            return self.call(inputs, *args, **kwargs)
        return self._computed_cast(inputs, args, kwargs)

    def _computed_cast(self, inputs: Any, args: Any, kwargs: Any) -> Any:
        """`_computed` under a mixed policy, or inside of a layer that has one."""
        mixed = self._mixed is not None and self._casts_weights
        wanted = self._dtype_here() if mixed else None
        inside = None if self._computes_wide or wanted == self.dtype else wanted
        if inside == autocast_dtype():
            outputs = self.call(inputs, *args, **kwargs)
        else:
            with autocast(inside):
                outputs = self.call(inputs, *args, **kwargs)
        if self._computes_wide and wanted is not None:
            return map_structure(lambda x: cast_float(x, wanted), outputs)
        return outputs
