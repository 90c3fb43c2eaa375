"""Names that stood, or stand, directly in the package `keras`, and where they are here.

Source: `keras/__init__.py` of Keras 2.3.1; the members of `tensorflow.keras` 2.15; `keras/api/__init__.py` of 3.15.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

PLACES = {
    "DTypePolicy": "dtype_policies",
    "QuantizedDTypePolicy": "dtype_policies",
    "FloatDTypePolicy": "dtype_policies:DTypePolicy",
    "Function": "models:Model",
    "Initializer": "initializers",
    "InputSpec": "layers",
    "KerasTensor": "legacy.keras3_names",
    "KerasVariable": "backend:Variable",
    "any_symbolic_tensors": "legacy.keras3_names",
    "is_keras_tensor": "legacy.keras3_names",
    "standardize_dtype": "legacy.keras3_names",
    "standardize_shape": "legacy.keras3_names",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Optimizer": "optimizers",
    "Operation": "layers:Layer",
    "Quantizer": "quantizers",
    "Regularizer": "regularizers",
    "StatelessScope": "legacy.keras3_names",
    "SymbolicScope": "legacy.keras3_names",
    "Variable": "backend",
    "name_scope": "backend",
    "version": "legacy.keras3_names",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = PLACES[name].partition(":")
    return getattr(import_module(f"keras_front.{module}"), attribute or name)
