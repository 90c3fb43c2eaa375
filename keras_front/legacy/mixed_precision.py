"""`mixed_precision` of tf.keras and `dtype_policies` of Keras 3: policies, of which the dtype of weights counts.

Nothing computes in 16 bits while its weights have 32: a mixed policy is accepted, and what it would save is not saved.
Source: TensorFlow 2.15, `keras/mixed_precision/policy.py`; Keras 3.15, `keras/src/dtype_policies/dtype_policy.py`.
"""

from __future__ import annotations

from typing import Any

from keras_front import config
from keras_front.errors import ArgumentError

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_WHOLE = ("float16", "float32", "float64", "bfloat16")
_current: Policy | None = None


class Policy:
    """Which dtypes layers have.

    Args:
        name: a float dtype, or 'mixed_float16' or 'mixed_bfloat16'.

    Raises: ArgumentError for another name.
    """

    def __init__(self, name: str):
        if name not in (*_MIXED, *_WHOLE):
            raise ArgumentError(f"Policy: expected one of {(*_WHOLE, *_MIXED)}, received {name!r}.")
        self.name = name

    @property
    def compute_dtype(self) -> str:
        """The dtype that layers of TensorFlow would compute in."""
        return _MIXED.get(self.name, self.name)

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights, in which layers compute here."""
        return "float32" if self.name in _MIXED else self.name

    def get_config(self) -> dict[str, Any]:
        """The name, as constructor argument."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Policy:
        """The policy of a config.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<Policy {self.name!r}>"


DTypePolicy = FloatDTypePolicy = Policy


def global_policy() -> Policy:
    """The policy of layers that are given none."""
    return _current if _current is not None and _current.variable_dtype == config.floatx() else Policy(config.floatx())


def set_global_policy(policy: str | Policy) -> None:
    """Let new layers follow a policy.

    Args:
        policy: a policy or its name. With a mixed one, layers compute in float32, and a warning says so.

    Raises: ArgumentError for another name; ConfigError for a dtype that floats by default cannot have.
    """
    global _current
    found = policy if isinstance(policy, Policy) else Policy(policy)
    if found.name in _MIXED:
        config.warn_once(
            f"set_global_policy({found.name!r}): layers compute in the dtype of their weights, float32. Results are at "
            "least as exact; memory and time are not those of 16 bits."
        )
    config.set_floatx(found.variable_dtype)
    _current = found


set_policy = set_dtype_policy = set_global_policy
dtype_policy = global_policy


def get(identifier: Any) -> Policy:
    """The policy that a name, a config or a policy means.

    Args:
        identifier: any of these; None for the global one.
    """
    if identifier is None or isinstance(identifier, Policy):
        return identifier or global_policy()
    return Policy(identifier["config"]["name"] if isinstance(identifier, dict) else identifier)


def serialize(policy: Policy) -> dict[str, Any]:
    """A policy as a config.

    Args:
        policy: the policy.
    """
    return {"class_name": "DTypePolicy", "config": policy.get_config()}


deserialize = get
