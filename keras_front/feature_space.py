"""`FeatureSpace`: the columns of a table made ready for a model, each by a layer of its own, some crossed with others.

Source for names, arguments and conventions: Keras 3, `layers/preprocessing/feature_space.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from keras_front import backend as K
from keras_front.backend.symbolic import leaves_of
from keras_front.errors import ArgumentError, StateError, WrongKindError
from keras_front.graph.host_stage import is_text, text_array
from keras_front.graph.layer import LAYERS
from keras_front.layers import (
    CategoryEncoding,
    Concatenate,
    Discretization,
    HashedCrossing,
    Hashing,
    Identity,
    Input,
    IntegerLookup,
    Normalization,
    Rescaling,
    StringLookup,
)
from keras_front.models import Model

_MODES = ("int", "one_hot", "float")


def _one_of(where: str, name: str, value: Any, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ArgumentError(f"{where}: expected {name} to be one of {', '.join(choices)}, received {value!r}.")
    return value


class Feature:
    """How one column is read: its dtype, the layer that takes it, and what becomes of the layer's output.

    Args:
        dtype: of the column: 'float32', 'int32' or 'string'.
        preprocessor: a layer, or its config.
        output_mode: 'float' and 'int' leave the layer's output alone, 'one_hot' makes vectors of its integers.

    Raises: ArgumentError for another mode.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        self.output_mode = _one_of("Feature", "output_mode", output_mode, _MODES)
        self.dtype = dtype
        self.preprocessor = LAYERS.deserialize(preprocessor) if isinstance(preprocessor, Mapping) else preprocessor

    def get_config(self) -> dict[str, Any]:
        """The arguments, the layer as its config."""
        layer = LAYERS.serialize(self.preprocessor)
        if self.preprocessor.weights:  # which Keras 3 makes from this
            layer["build_config"] = {"input_shape": [None, 1]}
        return {"dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode}


class Cross:
    """Which features are crossed, and how.

    Args:
        feature_names: their names, two or more.
        crossing_dim: how many bins the combinations are put into.
        output_mode: 'int' for the number of the bin, 'one_hot' for vectors.

    Raises: ArgumentError for another mode.
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"):
        self.output_mode = _one_of("Cross", "output_mode", output_mode, ("int", "one_hot"))
        self.feature_names, self.crossing_dim = tuple(feature_names), crossing_dim

    @property
    def name(self) -> str:
        """The names of the features, joined by '_X_'."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        names = list(self.feature_names)
        return {"feature_names": names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}


@LAYERS.register()
class FeatureSpace(Model):
    """The columns of a table as numbers for a model: a dict of columns becomes one array, or a dict of arrays.

    Args:
        features: for each column its name and how it is read: one of 'float', 'float_rescaled', 'float_normalized',
            'float_discretized', 'integer_categorical', 'integer_hashed', 'string_categorical', 'string_hashed', or
            what a static method of that name returns.
        output_mode: 'concat' for one array, features in the order of their names, then crosses; 'dict' for a dict.
        crosses: tuples of names of features, or what `FeatureSpace.cross` returns.
        crossing_dim: bins of each cross that does not say its own.
        hashing_dim: bins of '..._hashed'.
        num_discretization_bins: bins of 'float_discretized'.
        name: name of the layer.

    Shape: dict of columns, each (batch,) or (batch, 1), or single values -> (batch, width), or (width,)
    Raises: ArgumentError for no features, an unknown kind, or a cross of unknown features.
    Source: Keras 3, `layers/preprocessing/feature_space.py`.
    Example:
        >>> space = FeatureSpace({"age": "float", "kind": "string_categorical"})
        >>> space.adapt({"age": [1.0, 2.0], "kind": ["cat", "cat"]})
        >>> space({"age": [3.0], "kind": ["dog"]}).tolist()
        [[3.0, 1.0, 0.0]]
    """

    paths_by_attribute = True  # in files of Keras 3, where it is a layer and no model

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if not features:
            raise ArgumentError("FeatureSpace: expected features, a dict from names to kinds, received none.")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = _one_of("FeatureSpace", "output_mode", output_mode, ("concat", "dict"))
        self.features = {key: self._feature(key, value) for key, value in features.items()}
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crosses = [self._cross(value) for value in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.crossers = {c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat = Concatenate(axis=-1)
        self._columns: dict[str, Any] = {}
        for layer in self.preprocessors.values():
            if isinstance(layer, Normalization):
                layer.ensure_built((None, 1))

    # Kinds of features -------------------------------------------------------------------------------

    @staticmethod
    def feature(dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column read by a layer of yours.

        Args:
            dtype: see `Feature`.
            preprocessor: see `Feature`.
            output_mode: see `Feature`.
        """
        return Feature(dtype, preprocessor, output_mode)

    @staticmethod
    def cross(feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Combinations of features.

        Args:
            feature_names: see `Cross`.
            crossing_dim: see `Cross`.
            output_mode: see `Cross`.
        """
        return Cross(feature_names, crossing_dim, output_mode)

    @staticmethod
    def float(name: str | None = None) -> Feature:
        """Numbers as they are.

        Args:
            name: begins the name of the layer.
        """
        return Feature("float32", Identity(name=_named(name or "float")), "float")

    @staticmethod
    def float_rescaled(scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times `scale`, plus `offset`.

        Args:
            scale: factor, or one for each element.
            offset: what is added.
            name: begins the name of the layer.
        """
        return Feature("float32", Rescaling(scale, offset, name=_named(name or "float_rescaled")), "float")

    @staticmethod
    def float_normalized(name: str | None = None) -> Feature:
        """Numbers shifted and scaled to mean 0 and deviation 1 by what `adapt` sees.

        Args:
            name: begins the name of the layer.
        """
        return Feature("float32", Normalization(axis=-1, name=_named(name or "float_normalized")), "float")

    @staticmethod
    def float_discretized(
        num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Numbers as bins.

        Args:
            num_bins: how many bins `adapt` makes; None with boundaries.
            bin_boundaries: where bins end.
            output_mode: see `Feature`.
            name: begins the name of the layer.
        """
        layer = Discretization(bin_boundaries, num_bins, name=_named(name or "float_discretized"))
        return Feature("float32", layer, output_mode)

    @staticmethod
    def integer_categorical(
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers of a vocabulary that `adapt` makes.

        Args:
            max_tokens: size of the vocabulary; None for all.
            num_oov_indices: how many indices unknown integers share.
            output_mode: see `Feature`.
            name: begins the name of the layer.
        """
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_named(name or "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @staticmethod
    def string_categorical(
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings of a vocabulary that `adapt` makes.

        Args:
            max_tokens: size of the vocabulary; None for all.
            num_oov_indices: how many indices unknown strings share.
            output_mode: see `Feature`.
            name: begins the name of the layer.
        """
        layer = StringLookup(max_tokens, num_oov_indices, name=_named(name or "string_categorical"))
        return Feature("string", layer, output_mode)

    @staticmethod
    def string_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings in bins, by their hash.

        Args:
            num_bins: how many bins.
            output_mode: see `Feature`.
            name: begins the name of the layer.
        """
        return Feature("string", Hashing(num_bins, name=_named(name or "string_hashed")), output_mode)

    @staticmethod
    def integer_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers in bins, by their hash.

        Args:
            num_bins: how many bins.
            output_mode: see `Feature`.
            name: begins the name of the layer.
        """
        return Feature("int32", Hashing(num_bins, name=_named(name or "integer_hashed")), output_mode)

    def _feature(self, name: str, value: Any) -> Feature:
        if isinstance(value, Feature):
            return value
        if isinstance(value, Mapping):
            return Feature(**value.get("config", value))
        arguments: dict[str, dict[str, Any]] = {
            "float": {}, "float_rescaled": {}, "float_normalized": {},
            "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_categorical": {}, "integer_hashed": {"num_bins": self.hashing_dim},
            "string_categorical": {}, "string_hashed": {"num_bins": self.hashing_dim},
        }  # fmt: skip
        if value not in arguments:
            raise ArgumentError(
                f"FeatureSpace: expected the kind of feature {name!r} to be one of {', '.join(arguments)}, or a "
                f"Feature, received {value!r}."
            )
        return getattr(FeatureSpace, value)(**arguments[value], name=name)

    def _cross(self, value: Any) -> Cross:
        if isinstance(value, Mapping):
            value = Cross(**value.get("config", value))
        cross = value if isinstance(value, Cross) else Cross(value, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ArgumentError(
                f"FeatureSpace: crosses names features {unknown}, which are unknown; there are {[*self.features]}."
            )
        return cross

    # Learning ----------------------------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Learn means, vocabularies and bins anew.

        Args:
            dataset: a dict of columns, or an iterable of such dicts, such as a `tf.data.Dataset` without labels; single
                samples, or batches.

        Raises: WrongKindError for anything else.
        """
        adapted = [key for key, layer in self.preprocessors.items() if _learns(layer)]
        columns: dict[str, list[np.ndarray]] = {key: [] for key in adapted}
        for batch in _batches(dataset) if adapted else ():
            for key in adapted:
                columns[key].append(self._column(key, batch))
        for key in adapted:
            self.preprocessors[key].adapt(iter(columns[key]))
        self.one_hot_encoders.clear()
        self._columns.clear()

    def _column(self, name: str, data: Mapping[str, Any]) -> np.ndarray:
        """The values of a feature, (batch, 1) if they are single numbers or strings."""
        if name not in data:
            raise ArgumentError(f"{self.name}: expected a column for the feature {name!r}, received {list(data)}.")
        dtype, value = self.features[name].dtype, data[name]
        if dtype == "string":
            array = text_array(np.atleast_1d(np.asarray(value)), name)
        else:
            array = np.asarray(value if is_text(value) else K.to_numpy(K.convert(value)))
            array = np.atleast_1d(array.astype(dtype))
        return array[:, None] if array.ndim == 1 else array

    # Calling -----------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The encoded columns.

        Args:
            inputs: dict of columns, single values, or symbols.
            *args: as of other layers.
            **kwargs: as of other layers.

        Raises:
            WrongKindError: for anything but a dict.
            StateError: if `adapt` is needed first.
        """
        if isinstance(inputs, list) and len(inputs) == len(self.features):  # as a file of a model has them
            inputs = dict(zip(self.features, inputs, strict=True))
        if not isinstance(inputs, Mapping):
            raise WrongKindError(
                f"{self.name}: a FeatureSpace can only be called with a dict of columns, received "
                f"{type(inputs).__name__}."
            )
        symbolic = any(True for _ in leaves_of([dict(inputs)]))
        self._check_adapted(weights=not symbolic)
        if symbolic:
            columns = {name: inputs[name] for name in self.features if name in inputs}
            return super().__call__(columns, *args, **kwargs)
        single = all(np.ndim(inputs[name]) == 0 for name in self.features if name in inputs)
        result = super().__call__({name: self._column(name, inputs) for name in self.features}, *args, **kwargs)
        return _first(result) if single else result

    def _check_adapted(self, weights: bool = True) -> None:
        """Raise if a layer has not learned what it needs; without `weights`, which a file brings after the config."""
        layers = {name: layer for name, layer in self.preprocessors.items() if weights or not layer.weights}
        waiting = [name for name, layer in layers.items() if not getattr(layer, "is_adapted", True)]
        if waiting:
            raise StateError(
                f"{self.name}: you need to call `.adapt(dataset)` on the FeatureSpace before you can start using it: "
                f"the features {waiting} learn from data."
            )

    def build(self, input_shape: Any = None) -> None:
        """Nothing is left to be made: the layers of the features have their weights.

        Args:
            input_shape: not looked at.
        """
        self.built = True

    def call(self, inputs: Any) -> Any:  # type: ignore[override]
        """The encoded columns.

        Args:
            inputs: dict of columns, (batch, 1) each.
        """
        return self._merged(self._preprocessed(inputs))

    def _preprocessed(self, inputs: Any) -> dict[str, Any]:
        return {name: layer(inputs[name]) for name, layer in self.preprocessors.items()}

    def _merged(self, found: dict[str, Any]) -> Any:
        crossed = {c.name: self.crossers[c.name]([found[name] for name in c.feature_names]) for c in self.crosses}
        parts = {name: self._encoded(name, found[name]) for name in sorted(found)}
        parts.update((name, self._encoded(name, crossed[name])) for name in sorted(crossed))
        if self.output_mode == "dict":
            return parts
        for name, value in parts.items():
            if not str(K.dtype(value)).startswith(("float", "bfloat")):
                raise ArgumentError(
                    f"{self.name}: cannot concatenate features because feature {name!r} has not been encoded (it has "
                    f"dtype {K.dtype(value)}). Consider using `output_mode='dict'`."
                )
        return self.concat(list(parts.values())) if len(parts) > 1 else next(iter(parts.values()))

    def _encoded(self, name: str, value: Any) -> Any:
        spec: Any = self.features.get(name) or self.crosses_by_name[name]
        if spec.output_mode != "one_hot":
            return value
        if name not in self.one_hot_encoders:
            layer = self.preprocessors.get(name) or self.crossers[name]
            if not str(K.dtype(value)).startswith(("int", "uint")):
                raise ArgumentError(
                    f"{self.name}: feature {name!r} has output_mode='one_hot', so its preprocessor should return "
                    f"integers; {layer.name!r} returns {K.dtype(value)}."
                )
            self.one_hot_encoders[name] = CategoryEncoding(_size_of(name, layer), output_mode="multi_hot")
        return self.one_hot_encoders[name](value)

    # For models of ones own --------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, Any]:
        """An `Input` for each feature.

        Raises: StateError if `adapt` is needed first.
        """
        self._check_adapted()
        if not self._columns:
            self._columns.update(
                (name, Input((1,), dtype=feature.dtype, name=name)) for name, feature in self.features.items()
            )
        return dict(self._columns)

    def get_preprocessed_features(self) -> dict[str, Any]:
        """What the layer of each feature makes of its `Input`, before it is encoded."""
        return self._preprocessed(self.get_inputs())

    def get_encoded_features(self) -> Any:
        """What the space gives for its inputs, for a model that begins behind it, or with them."""
        return self._merged(self.get_preprocessed_features())

    def get_config(self) -> dict[str, Any]:
        """The arguments; what was learned stands in the configs and weights of the layers."""
        described = {
            name: {"class_name": "Feature", "config": feature.get_config()} for name, feature in self.features.items()
        }
        return {
            "name": self.name,
            "features": described,
            "output_mode": self.output_mode,
            "crosses": [{"class_name": "Cross", "config": cross.get_config()} for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A space with these arguments.

        Args:
            config: what `get_config` returned.
            custom_objects: not looked at.
        """
        return cls(**config)


def _named(name: str) -> str:
    return f"{name}_preprocessor"


def _learns(layer: Any) -> bool:
    """Whether `adapt` teaches a layer something that its constructor was not given."""
    return hasattr(layer, "adapt") and getattr(layer, "adapts", True)


def _size_of(name: str, layer: Any) -> int:
    """How many integers a layer may give.

    Raises: ArgumentError for a layer that does not say.
    """
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    if isinstance(layer, Discretization):
        return len(layer.bin_boundaries) + 1
    size = getattr(layer, "num_tokens", None) or getattr(layer, "num_bins", None)
    if size is None:
        raise ArgumentError(
            f"Feature {name!r} has output_mode='one_hot', but how many integers {type(layer).__name__} gives is not "
            "known. Use output_mode='int'."
        )
    return size


def _batches(dataset: Any) -> Iterator[Mapping[str, Any]]:
    """The dicts of columns in a data set.

    Raises: WrongKindError for anything else.
    """
    items = [dataset] if isinstance(dataset, Mapping) else dataset if isinstance(dataset, Iterable) else [None]
    for item in items:
        if not isinstance(item, Mapping):
            raise WrongKindError(
                "FeatureSpace.adapt: expected a dict of columns or an iterable of such dicts, without labels, received "
                f"{type(item if item is not None else dataset).__name__}."
            )
        yield item


def _first(result: Any) -> Any:
    """The only row of a result."""
    return {name: value[0] for name, value in result.items()} if isinstance(result, dict) else result[0]
