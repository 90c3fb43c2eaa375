"""`SKLearnClassifier`, `SKLearnRegressor`, `SKLearnTransformer`: compiled models as estimators of scikit-learn.

They are estimators as scikit-learn 1.6 and later define them: parameters are those of the constructor, `fit` leaves
what it learnt in attributes that end with `_`, and scikit-learn's `check_estimator` passes. Needs scikit-learn.
Source for names and arguments: Keras 3.15, `keras.wrappers`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from keras_front import losses
from keras_front.backend.seeds import temporary_seed
from keras_front.compatibility import checked_constructor
from keras_front.errors import ArgumentError, UnknownArgumentError
from keras_front.missing_names import OF_ESTIMATORS, missing_attribute
from keras_front.models import Model, clone_model
from keras_front.saving.training_config import compile_arguments

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin, is_regressor
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "keras_front.wrappers: SKLearnClassifier, SKLearnRegressor and SKLearnTransformer need scikit-learn 1.6 or "
        "later, which cannot be imported here. Install it: pip install 'keras-front[sklearn]'"
    ) from error

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

_OF_ARGUMENTS = ("model_kwargs", "fit_kwargs")  # parameters whose entries are parameters, too: fit_kwargs__epochs


class _ModelEstimator(BaseEstimator):
    """What the three estimators have in common.

    Args:
        model: a compiled model, of which `fit` trains a copy with weights drawn anew; or a function of `X` and `y`
            (and of `model_kwargs`) that returns a compiled model.
        warm_start: whether a further `fit` goes on with the model that the one before has trained, and a model that
            was given is trained itself instead of a copy.
        model_kwargs: further arguments for `model`, if it is a function.
        fit_kwargs: arguments for `Model.fit`, such as `{"epochs": 5, "verbose": 0}`.
        random_state: a number, or a `RandomState` to draw one from: two fits with the same number are the same. By
            default weights and order of the samples follow from the seed of the process.
    """

    model_: Model
    history_: dict[str, list[Any]]

    @checked_constructor
    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs
        self.random_state = random_state

    def __getattr__(self, name: str) -> Any:
        """What estimators of scikit-learn have and these do not, and what `fit` has not learnt yet."""
        if name in ("model_", "history_", "classes_"):
            raise AttributeError(f"{type(self).__name__} has no {name} yet: call `fit` first.", name=name, obj=self)
        raise missing_attribute(self, name, OF_ESTIMATORS)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as scikit-learn asks for them.

        Args:
            deep: whether the entries of `model_kwargs` and `fit_kwargs` count as parameters, such as
                `fit_kwargs__epochs`.
        """
        found = super().get_params(deep)
        for name in _OF_ARGUMENTS if deep else ():
            entries = found[name] if isinstance(found[name], Mapping) else {}
            found |= {f"{name}__{key}": value for key, value in entries.items()}
        return found

    def set_params(self, **params: Any) -> Any:
        """Change parameters; the estimator itself.

        Args:
            params: new values by name; `model_kwargs__width=8` and `fit_kwargs__epochs=5` set single entries, so that a
                grid search can vary them.
        """
        inner = {key: value for key, value in params.items() if key.partition("__")[0] in _OF_ARGUMENTS and "__" in key}
        super().set_params(**{key: value for key, value in params.items() if key not in inner})
        for key, value in inner.items():
            name, _, entry = key.partition("__")
            setattr(self, name, {**(getattr(self, name) or {}), entry: value})
        return self

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train a model; the estimator itself.

        Args:
            X: data, (samples, features) or (samples, ...).
            y: targets, (samples,) or (samples, outputs).
            kwargs: arguments for `Model.fit`, such as `sample_weight`, before those of `fit_kwargs`.
        """
        X, y = self._checked(X, y)
        targets = self._encoded(y)
        with self._seeded():
            model = self._model_for(X, targets)
            history = model.fit(X, self._targets(model, X, targets), **{**(self.fit_kwargs or {}), **kwargs})
        self.model_, self.history_ = model, history.history
        return self

    def _seeded(self) -> AbstractContextManager[None]:
        if self.random_state is None:
            return nullcontext()
        return temporary_seed(check_random_state(self.random_state).randint(2**31 - 1))

    def _checked(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        return validate_data(self, X, y, allow_nd=True, multi_output=True, y_numeric=is_regressor(self))

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model gets them, (samples, outputs)."""
        type_of_target(y, input_name="y", raise_unknown=True)
        return y[:, None] if y.ndim == 1 else y

    def _targets(self, model: Model, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The targets in the form that the model is trained with."""
        return targets

    def _model_for(self, X: np.ndarray, y: np.ndarray) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return _compiled(self._called(X=X, y=y, **(self.model_kwargs or {})), self)
        model = _compiled(self.model, self)
        return model if self.warm_start else _fresh(model)

    def _called(self, **given: Any) -> Any:
        try:
            inspect.signature(self.model).bind(**given)
        except TypeError as error:
            raise UnknownArgumentError(
                f"{type(self).__name__}: `model` is called as model(X=X, y=y, **model_kwargs), which it does not take: "
                f"{error}. Write `def net(X, y, ...)`, or pass a model."
            ) from None
        return self.model(**given)

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, allow_nd=True)
        batch_size = (self.fit_kwargs or {}).get("batch_size")
        return np.asarray(self.model_.predict(X, batch_size=batch_size, verbose=0))


class SKLearnClassifier(ClassifierMixin, _ModelEstimator):
    """A compiled model as a classifier: `fit` takes labels of any kind, `predict` gives them.

    The loss gets one-hot rows; or numbers of classes, if it is a sparse one, or if the model ends in one unit.

    Args:
        model: a compiled model, of which `fit` trains a copy with weights drawn anew; or a function of `X` and `y`
            (and of `model_kwargs`) that returns a compiled model. Its `y` is one-hot, (samples, classes); or what was
            given, where a sample may have several labels at once. For two classes it may end in one unit with sigmoid.
        warm_start: whether a further `fit` goes on with the model that the one before has trained, and a model that
            was given is trained itself instead of a copy.
        model_kwargs: further arguments for `model`, if it is a function.
        fit_kwargs: arguments for `Model.fit`, such as `{"epochs": 5, "verbose": 0}`.
        random_state: a number, or a `RandomState` to draw one from: two fits with the same number are the same. By
            default weights and order of the samples follow from the seed of the process.

    Attributes:
        classes_: the labels in order. model_: the trained model. history_: losses and metrics of each epoch.

    Raises:
        ArgumentError: from `fit`, if the model is not compiled.

    Source: Keras 3.15, `keras.wrappers.SKLearnClassifier`; with targets of several labels and `predict_proba`.

    Example:
        >>> from keras_front.layers import Dense, Input
        >>> from keras_front.models import Model
        >>> def net(X, y):
        ...     inputs = Input((X.shape[1],))
        ...     model = Model(inputs, Dense(y.shape[1], activation="softmax")(inputs))
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> estimator = SKLearnClassifier(net, fit_kwargs={"verbose": 0})  # estimator.fit(X, y).predict(X)
    """

    classes_: np.ndarray

    def __sklearn_tags__(self) -> Any:
        """A classifier that takes several labels for a sample as well, and may not fit few samples well."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        tags.classifier_tags.multi_label = True
        return tags

    def _checked(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        X, y = super()._checked(X, y)
        check_classification_targets(y)
        return X, y

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        self._several_labels = type_of_target(y, input_name="y", raise_unknown=True).startswith("multilabel")
        if self._several_labels:
            self.classes_ = np.arange(y.shape[1])
            return y
        self.classes_, places = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                f"{type(self).__name__}.fit: expected targets of at least two classes, received one class only: "
                f"{self.classes_.tolist()}"
            )
        return np.eye(len(self.classes_))[places]

    def _targets(self, model: Model, X: np.ndarray, targets: np.ndarray) -> np.ndarray:
        if self._several_labels:
            return targets
        one_unit = len(self.classes_) == 2 and _width(model, X) == 1
        return targets.argmax(axis=-1) if one_unit or _is_sparse(model) else targets

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each sample.

        Args:
            X: data, (samples, ...).

        Returns: labels, (samples,); or 0 and 1, (samples, labels), where a sample may have several.
        """
        probabilities = self.predict_proba(X)
        if self._several_labels:
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities.argmax(axis=-1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, if the model ends in softmax or sigmoid; else what it puts out.

        Args:
            X: data, (samples, ...).

        Returns: array (samples, classes), in the order of `classes_`; two columns also where the model has one unit.
        """
        outputs = self._outputs(X)
        if self._several_labels or outputs.shape[-1] != 1:
            return outputs
        logits = getattr(losses.get(self.model_.loss), "_arguments", {}).get("from_logits")
        second = np.exp(-np.logaddexp(0, -outputs)) if logits else outputs  # sigmoid
        return np.concatenate([1 - second, second], axis=-1)


class SKLearnRegressor(RegressorMixin, _ModelEstimator):
    """A compiled model as a regressor.

    Args:
        model: a compiled model, of which `fit` trains a copy with weights drawn anew; or a function of `X` and `y`
            (and of `model_kwargs`) that returns a compiled model. Its `y` is (samples, outputs).
        warm_start: whether a further `fit` goes on with the model that the one before has trained, and a model that
            was given is trained itself instead of a copy.
        model_kwargs: further arguments for `model`, if it is a function.
        fit_kwargs: arguments for `Model.fit`, such as `{"epochs": 5, "verbose": 0}`.
        random_state: a number, or a `RandomState` to draw one from: two fits with the same number are the same. By
            default weights and order of the samples follow from the seed of the process.

    Attributes:
        model_: the trained model. history_: losses and metrics of each epoch.

    Raises:
        ArgumentError: from `fit`, if the model is not compiled.

    Source: Keras 3.15, `keras.wrappers.SKLearnRegressor`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> def net(X, y):
        ...     model = Sequential([Dense(1, input_shape=(X.shape[1],))])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> estimator = SKLearnRegressor(net, fit_kwargs={"verbose": 0})  # estimator.fit(X, y).predict(X)
    """

    def __sklearn_tags__(self) -> Any:
        """A regressor that takes several targets as well, and may not fit few samples well."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        self._single = y.ndim == 1
        return super()._encoded(y)

    def predict(self, X: Any) -> np.ndarray:
        """The model's outputs.

        Args:
            X: data, (samples, ...).

        Returns: float64 array (samples,), or (samples, outputs) where the targets were so.
        """
        outputs = self._outputs(X).astype("float64")
        return outputs[:, 0] if self._single and outputs.ndim == 2 else outputs


class SKLearnTransformer(TransformerMixin, _ModelEstimator):
    """A compiled model as a transformer: its outputs are the features for the next step of a pipeline.

    Args:
        model: a compiled model, of which `fit` trains a copy with weights drawn anew; or a function of `X` and `y`
            (and of `model_kwargs`) that returns a compiled model. Without targets, `y` is `X`, as autoencoders want.
        warm_start: whether a further `fit` goes on with the model that the one before has trained, and a model that
            was given is trained itself instead of a copy.
        model_kwargs: further arguments for `model`, if it is a function.
        fit_kwargs: arguments for `Model.fit`, such as `{"epochs": 5, "verbose": 0}`.
        random_state: a number, or a `RandomState` to draw one from: two fits with the same number are the same. By
            default weights and order of the samples follow from the seed of the process.

    Attributes:
        model_: the trained model. history_: losses and metrics of each epoch.

    Raises:
        ArgumentError: from `fit`, if the model is not compiled.

    Source: Keras 3.15, `keras.wrappers.SKLearnTransformer`; a fit without targets is an addition.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> model = Sequential([Dense(2, activation="relu"), Dense(4)])
        >>> model.compile("adam", "mse")
        >>> SKLearnTransformer(model, fit_kwargs={"verbose": 0}).fit(np.ones((8, 4))).transform(np.ones((3, 4))).shape
        (3, 4)
    """

    def __sklearn_tags__(self) -> Any:
        """A transformer whose outputs have the precision of the model, not that of its input."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Train a model; the estimator itself.

        Args:
            X: data, (samples, features) or (samples, ...).
            y: targets, (samples,) or (samples, outputs); None for the data itself.
            kwargs: arguments for `Model.fit`, before those of `fit_kwargs`.
        """
        if y is None:
            X = y = validate_data(self, X, allow_nd=True)
        return super().fit(X, y, **kwargs)

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs.

        Args:
            X: data, (samples, ...).

        Returns: array (samples, outputs).
        """
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:
        """The model's outputs: the same as `transform`.

        Args:
            X: data, (samples, ...).

        Returns: array (samples, outputs).
        """
        return self._outputs(X)


def _compiled(model: Any, owner: Any) -> Model:
    if not isinstance(model, Model) or model.optimizer is None:
        found = "a model without" if isinstance(model, Model) else f"{type(model).__name__}, without"
        raise ArgumentError(
            f"{type(owner).__name__}: expected `model` to be, or to return, a compiled model; received {found} an "
            "optimizer and a loss. Call `model.compile(...)` before."
        )
    return model


def _is_sparse(model: Model) -> bool:
    """Whether the loss compares with numbers of classes."""
    loss = losses.get(model.loss) if not isinstance(model.loss, dict | list) else None
    return getattr(loss, "fn", loss) is losses.sparse_categorical_crossentropy


def _width(model: Model, X: np.ndarray) -> int | None:
    """The size of the last axis of what the model puts out."""
    if not model.outputs:  # known from the first call on
        model.predict(X[:1], verbose=0)
    outputs = model.outputs
    return outputs[0].shape[-1] if outputs else np.shape(model.predict(X[:1], verbose=0))[-1]


def _fresh(model: Model) -> Model:
    """A model of the same layers and compiled alike, with weights drawn anew."""
    fresh = clone_model(model)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    fresh.compile(optimizer, **copy.deepcopy(compile_arguments(model)))
    return fresh
