"""Dtype policies: in which dtype a layer keeps its weights, and in which it computes.

With a mixed policy the two differ: 'mixed_bfloat16' and 'mixed_float16' keep weights in float32 and compute in 16 bits.
`docs/precision.md` tells what that means for each kind of layer.
Source: Keras 3.15, `keras/src/dtype_policies`; TensorFlow 2.15, `keras/mixed_precision/policy.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from keras_front import config
from keras_front.backend import dtypes
from keras_front.errors import ArgumentError, DtypeError

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "Int4DTypePolicy",
    "Policy",
    "QuantizedDTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
QUANTIZED = ("int8", "int4")
_current: DTypePolicy | None = None  # None: that of `floatx()`


class DTypePolicy:
    """In which dtype weights are kept, and in which layers compute.

    Args:
        name: 'mixed_float16' or 'mixed_bfloat16', or a dtype such as 'float32' for both; None for the dtype of
            `floatx()`.

    Raises: ArgumentError for another name.
    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    quantization_mode: str | None = None

    def __init__(self, name: str | None = None):
        self._name = config.floatx() if name is None else _checked(name)

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype in which layers compute."""
        return MIXED.get(self._name, self._name)

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return "float32" if self._name in MIXED else self._name

    @property
    def is_mixed(self) -> bool:
        """Whether the two differ."""
        return self._name in MIXED

    def get_config(self) -> dict[str, Any]:
        """The name, as constructor argument."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The policy of a config.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


Policy = FloatDTypePolicy = DTypePolicy


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weight is kept as integers.

    Args:
        mode: 'int8', 'int4', or 'int4/128' for blocks of 128.
        source_name: the policy that holds for all else; None for the global one.

    Raises: ArgumentError for another mode.
    Source: Keras 3.15, `QuantizedDTypePolicy`.
    Example:
        >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
        >>> policy.name, policy.quantization_mode, policy.compute_dtype
        ('int8_from_mixed_bfloat16', 'int8', 'bfloat16')
    """

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(dtype_policy().name if source_name is None else source_name)
        kind, _, size = str(mode).partition("/")
        if kind not in QUANTIZED or (size and not re.fullmatch(r"-?\d{1,9}", size)):
            raise ArgumentError(f"QuantizedDTypePolicy: expected one of {QUANTIZED} as mode, received {mode!r:.60}.")
        self._mode, self.quantization_mode = str(mode), kind

    @property
    def mode(self) -> str:
        """The mode, with the size of blocks if it was given: 'int8', 'int4/128'."""
        return self._mode

    @property
    def source(self) -> DTypePolicy:
        """The policy that holds for all else."""
        return DTypePolicy(self._name)

    @property
    def name(self) -> str:
        """The mode and the source."""
        return f"{self._mode}_from_{self._name}"

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"mode": self._mode, "source_name": self._name}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer whose weight is kept as integers of four bits, in blocks.

    Args:
        mode: 'int4/128' for blocks of 128, 'int4/-1' for one scale for each output.
        source_name: the policy that holds for all else; None for the global one.

    Raises: ArgumentError for a mode without a size.
    Source: Keras 3.15, `Int4DTypePolicy`.
    Example:
        >>> Int4DTypePolicy("int4/128", "float32").block_size
        128
    """

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        kind, _, size = self.mode.partition("/")
        if kind != "int4" or not size or (int(size) < 1 and int(size) != -1):
            raise ArgumentError(f"Int4DTypePolicy: expected a mode such as 'int4/128', received {mode!r:.60}.")
        self.block_size = int(size)


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the paths of layers, such as 'encoder/dense'; a layer asks for its own when it is built.

    Args:
        default_policy: the policy of layers that have no entry: a policy or a name; None for the global one.
        policy_map: a dict from paths, or from regular expressions for whole paths, to policies or their names.

    Raises: ArgumentError if the default is a map itself.
    Example:
        >>> policies = DTypePolicyMap("float32", {"encoder/.*": "mixed_bfloat16"})
        >>> policies["encoder/dense"].name, policies["decoder/dense"].name
        ('mixed_bfloat16', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ArgumentError("DTypePolicyMap: expected a policy or a name as default_policy, received a map.")
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise ArgumentError(f"DTypePolicyMap: expected a dict as policy_map, received {policy_map!r:.60}.")
        self._default = None if default_policy is None else get(default_policy)
        self._policies = {path: get(policy) for path, policy in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that have no entry."""
        return dtype_policy() if self._default is None else self._default

    @property
    def name(self) -> str:
        """'map_' and the name of the default."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """That of the default."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default."""
        return self.default_policy.variable_dtype

    @property
    def is_mixed(self) -> bool:
        """Whether those of the default differ."""
        return self.default_policy.is_mixed

    def __getitem__(self, path: str) -> DTypePolicy:
        """The policy for a path: its own entry, or the one whose expression fits all of it, or the default.

        Raises: ArgumentError if several expressions fit, or one is none.
        """
        if path in self._policies:
            return self._policies[path]
        fitting = [pattern for pattern in self._policies if _fits(pattern, path)]
        if len(fitting) > 1:
            raise ArgumentError(f"DTypePolicyMap: {path!r} fits several entries: {', '.join(fitting)}.")
        return self._policies[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self._policies:
            raise ArgumentError(f"DTypePolicyMap: {path!r} has a policy already: {self._policies[path].name}.")
        self._policies[path] = get(policy)

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, with policies by name."""
        default = None if self._default is None else self._default.name
        return {"default_policy": default, "policy_map": {path: policy.name for path, policy in self._policies.items()}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and other.get_config() == self.get_config()

    __hash__ = DTypePolicy.__hash__

    def __repr__(self) -> str:
        entries = {path: policy.name for path, policy in self._policies.items()}
        return f"<DTypePolicyMap default={self.default_policy.name} {entries}>"


LONGEST = 256  # letters of a path that is compared with expressions: a few of them may take its length cubed


def _fits(pattern: str, path: str) -> bool:
    try:
        return len(path) <= LONGEST and re.fullmatch(pattern, path) is not None
    except (re.error, RecursionError, OverflowError) as error:
        raise ArgumentError(
            f"DTypePolicyMap: expected regular expressions, received {pattern!r:.80} ({error})."
        ) from None


def _checked(name: Any) -> str:
    try:
        return name if name in MIXED else dtypes.canonical(name)
    except (DtypeError, TypeError):
        known = (*MIXED, *dtypes.FLOATS)
        raise ArgumentError(f"Policy: expected one of {known} or another dtype, received {name!r:.60}.") from None


# The global policy -----------------------------------------------------------------------------------------------


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none; as long as nobody has set it, that of `floatx()`."""
    return DTypePolicy(config.floatx()) if _current is None else _current


def set_dtype_policy(policy: Any) -> None:
    """Let layers and models that are made from now on follow a policy.

    `floatx()` stays, so that inputs, losses and metrics keep their dtype.

    Args:
        policy: a policy or its name; None for that of `floatx()`, as in the beginning.

    Raises: ArgumentError for another name.
    Example:
        >>> set_dtype_policy("mixed_bfloat16")
        >>> dtype_policy().compute_dtype
        'bfloat16'
        >>> set_dtype_policy(None)
    """
    global _current
    _current = None if policy is None else get(policy)


# Policies in configs ---------------------------------------------------------------------------------------------


def get(identifier: Any) -> DTypePolicy:
    """The policy that is meant.

    Args:
        identifier: a policy, its name, a dtype, or a config; None for the global policy.

    Raises: ArgumentError for anything else.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    mode, quantized, source = str(identifier).partition("_from_")
    if not quantized:
        return DTypePolicy(identifier)
    return (Int4DTypePolicy if mode.startswith("int4/") else QuantizedDTypePolicy)(mode, source)


def serialize(policy: DTypePolicy) -> dict[str, Any]:
    """A policy as a config.

    Args:
        policy: the policy.
    """
    return {"class_name": type(policy).__name__, "config": policy.get_config()}


def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """The policy of a config of any Keras.

    Args:
        config: class name and arguments.
        custom_objects: not looked at: there are no policies of one's own.

    Raises: ArgumentError for what is no policy, or one of another class.
    """
    kind = _CLASSES.get(str(config.get("class_name", "")).rpartition(">")[2])
    arguments = config.get("config")
    if kind is None or not isinstance(arguments, Mapping):
        raise ArgumentError(f"Expected the config of a dtype policy, received {dict(config)!r:.80}.")
    known = {
        key: arguments[key]
        for key in ("name", "default_policy", "policy_map", "mode", "source_name")
        if key in arguments
    }
    return kind.from_config(known)


_CLASSES: dict[str, type[DTypePolicy]] = {
    **dict.fromkeys(("DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1"), DTypePolicy),
    "DTypePolicyMap": DTypePolicyMap,
    "Int4DTypePolicy": Int4DTypePolicy,
    "QuantizedDTypePolicy": QuantizedDTypePolicy,
}


def is_name(given: Any) -> bool:
    """Whether it is the name of a policy that is more than a dtype: 'mixed_float16', 'int8_from_float32'.

    Args:
        given: anything.
    """
    return given in MIXED or (isinstance(given, str) and "_from_" in given)


def of_layer(given: Any) -> DTypePolicy | None:
    """The policy that a layer keeps: one that is mixed or quantized, or a map; None where a dtype says everything.

    Args:
        given: what it was given as `dtype`; None for the global policy.
    """
    if given is None:
        found = _current
    elif isinstance(given, DTypePolicy | Mapping) or is_name(given):
        found = get(given)
    else:
        return None
    says_more = found is not None and (found.is_mixed or found.quantization_mode or isinstance(found, DTypePolicyMap))
    return found if says_more else None
