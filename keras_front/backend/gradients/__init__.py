"""Derivatives: one table of rules, written in K, and the backward pass that applies them.

A rule gets the gradient of the result, the result, the arguments and the attributes, and answers with the gradient for
each argument (None where there is none). Rules work on recorded tensors of known shape; being made of ops they can be
differentiated again. Broadcasting is undone once, in `vjp`, never inside a rule. An op that is not in the table passes
no gradient; a composite without a rule is differentiated through its body.

The table is in `table`, the backward pass through a record in `backward`; the others hold rules and mirror `ops`.
"""

from __future__ import annotations

from keras_front.backend.gradients import (
    arrangement,
    convolution,
    custom_gradient,
    elementwise,
    indexing,
    linalg,
    linear,
    neural,
    recompute,
    recurrent_layers,
    reduction,
    replicas,
    spectral,
)
from keras_front.backend.gradients.backward import differentiate, ops_behind, unbroadcast, vjp
from keras_front.backend.gradients.engines import Transposes, known_moments, with_rule
from keras_front.backend.gradients.table import GRADIENT, gradient_of

__all__ = [
    "GRADIENT",
    "Transposes",
    "differentiate",
    "gradient_of",
    "known_moments",
    "ops_behind",
    "unbroadcast",
    "vjp",
    "with_rule",
]
