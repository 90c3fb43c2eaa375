"""`KerasClassifier` and `KerasRegressor`: a function that builds a model, as an estimator of scikit-learn.

These are the wrappers of Keras 1 and 2: the estimator is given a function, and the arguments of that function and of
`fit`, `predict` and `evaluate` as its parameters. scikit-learn is imported only when scikit-learn itself asks what kind
of estimator it has before it.
Source: Keras 2.3.1, `keras/wrappers/scikit_learn.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_front import losses
from keras_front.callbacks import History
from keras_front.errors import ArgumentError, StateError
from keras_front.models import Model, Sequential
from keras_front.utils.labels import to_categorical

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]

# Arguments of these methods are parameters of an estimator, beside those of the function that builds the model.
_METHODS = (Model.fit, Model.predict, Sequential.predict_classes, Model.evaluate)


class BaseWrapper:
    """What `KerasClassifier` and `KerasRegressor` have in common.

    Args:
        build_fn: function (or object with `__call__`) that returns a compiled model. None for a subclass that has a
            method `__call__` for it. May be called `model` as well.
        sk_params: arguments for `build_fn`, and for `fit`, `predict` and `evaluate` of the model. `build_fn` gets those
            that stand in its signature, so it needs a default for each argument that is to be searched.

    Raises:
        ArgumentError: for a parameter that neither `build_fn` nor a method of the model has.
    """

    _estimator_type: str = ""
    _builder_name = "build_fn"
    model: Model

    def __init__(self, build_fn: Callable[..., Model] | None = None, **sk_params: Any):
        if build_fn is None and "model" in sk_params:
            build_fn, self._builder_name = sk_params.pop("model"), "model"
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    # Parameters --------------------------------------------------------------------------------------

    @property
    def _builder(self) -> Callable[..., Model]:
        if self.build_fn is not None:
            return self.build_fn
        if callable(self):
            return self.__call__
        raise ArgumentError(
            f"{type(self).__name__}: no function builds the model. Pass one as `build_fn`, or give a subclass a method "
            "`__call__` that returns a compiled model."
        )

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Check that each parameter is an argument of something that is called.

        Args:
            params: parameters by name.

        Raises:
            ArgumentError: for the first that is not.
        """
        known = {"nb_epoch", *(name for method in _METHODS for name in _arguments(method))}
        for name in params:
            if name not in known and name not in _arguments(self._builder):
                raise ArgumentError(
                    f"{type(self).__name__}: {name} is not a legal parameter. Expected an argument of `build_fn`, or "
                    "of fit, predict, predict_classes or evaluate."
                )

    def get_params(self, deep: bool = True, **params: Any) -> dict[str, Any]:
        """The parameters, as scikit-learn reads them to make another estimator like this one.

        Args:
            deep: not needed: a parameter is never an estimator.
            params: not needed.

        Returns: the very objects that the constructor was given, by name.
        """
        return {**self.sk_params, self._builder_name: self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change parameters; the estimator itself.

        Args:
            params: new values by name, as for the constructor.

        Raises:
            ArgumentError: for a parameter that nothing takes.
        """
        if self._builder_name in params:
            self.build_fn = params.pop(self._builder_name)
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Those parameters that a function takes.

        Args:
            fn: the function; what its signature lists counts, `**kwargs` does not.
            override: values that go before those of the parameters.

        Returns: arguments for `fn` by name.
        """
        taken = {name: value for name, value in self.sk_params.items() if name in _arguments(fn)}
        return {**taken, **(override or {})}

    # Training ----------------------------------------------------------------------------------------

    def fit(self, x: Any, y: Any, **kwargs: Any) -> History:
        """Build a new model and train it.

        Args:
            x: data, (samples, ...).
            y: targets: (samples,) or (samples, outputs). A model with a categorical crossentropy gets them one-hot.
            kwargs: arguments of `Model.fit`, before those of the parameters.

        Returns: the `History` of the training.
        """
        self.model = self._builder(**self.filter_sk_params(self._builder))
        arguments = self.filter_sk_params(Model.fit, kwargs)
        if "nb_epoch" in self.sk_params:
            arguments.setdefault("epochs", self.sk_params["nb_epoch"])
        return self.model.fit(x, self._targets(y), **arguments)

    def _targets(self, y: Any) -> Any:
        """The targets as the loss wants them."""
        if np.ndim(y) != 2 and losses.is_categorical_crossentropy(self.model.loss):
            return to_categorical(y, getattr(self, "n_classes_", None))
        return y

    def _fitted(self) -> Model:
        model = getattr(self, "model", None)
        if model is None:
            raise StateError(f"{type(self).__name__}: there is no model yet. Call `fit` first.")
        return model

    def _outputs(self, x: Any, kwargs: Mapping[str, Any]) -> Any:
        return self._fitted().predict(x, **self.filter_sk_params(Model.predict, kwargs))

    def _evaluated(self, x: Any, y: Any, kwargs: Mapping[str, Any]) -> dict[str, float]:
        """Losses and metrics by name."""
        model = self._fitted()
        found = model.evaluate(x, self._targets(y), **self.filter_sk_params(Model.evaluate, kwargs))
        values = found if isinstance(found, list) else [found]
        return dict(zip(model.metrics_names, values, strict=True))

    # What scikit-learn asks --------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        """What kind of estimator this is: asked by scikit-learn 1.6 and later."""
        from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

        kinds = {"classifier": (ClassifierMixin,), "regressor": (RegressorMixin,)}
        return type(type(self).__name__, (*kinds.get(self._estimator_type, ()), BaseEstimator), {})().__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a trained model: asked by scikit-learn before it predicts."""
        return hasattr(self, "model")


class KerasClassifier(BaseWrapper):
    """A function that builds a model, as a classifier of scikit-learn.

    Labels may be numbers or strings, or one-hot rows. The model gets the place of a label in `classes_`, or a one-hot
    row when its loss is a categorical crossentropy.

    Args:
        build_fn: function that returns a compiled model, with as many outputs as there are classes (softmax), or one
            for two classes (sigmoid).
        sk_params: arguments for `build_fn` and for `fit`, `predict` and `evaluate`.

    Attributes:
        classes_: the labels in order. n_classes_: how many there are. model: the model that `fit` trained.

    Source: Keras 2.3.1, `keras/wrappers/scikit_learn.py`.

    Example:
        >>> from keras_front.layers import Dense
        >>> from keras_front.models import Sequential
        >>> def build(units=8):
        ...     model = Sequential([Dense(units, activation="relu", input_shape=(2,)), Dense(2, activation="softmax")])
        ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        ...     return model
        >>> classifier = KerasClassifier(build, units=4, epochs=2, verbose=0)
        >>> history = classifier.fit(np.eye(2), ["yes", "no"])
        >>> classifier.predict_proba(np.eye(2)).shape
        (2, 2)
    """

    _estimator_type = "classifier"
    classes_: np.ndarray
    n_classes_: int

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> History:
        """Build a new model and train it.

        Args:
            x: data, (samples, ...).
            y: labels, (samples,) or (samples, 1); or one-hot rows, (samples, classes).
            sample_weight: weight of each sample in the loss, (samples,).
            kwargs: arguments of `Model.fit`, before those of the parameters.

        Returns: the `History` of the training.

        Raises:
            ArgumentError: if `y` has another shape.
        """
        labels = np.asarray(y)
        if labels.ndim == 2 and labels.shape[1] > 1:
            self.classes_ = np.arange(labels.shape[1])
        elif labels.ndim in (1, 2):
            self.classes_ = np.unique(labels)
            labels = np.searchsorted(self.classes_, labels)
        else:
            raise ArgumentError(
                f"{type(self).__name__}.fit: invalid shape for y: expected 1 or 2 axes, got {labels.shape}"
            )
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, labels, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The most probable label of each sample.

        Args:
            x: data, (samples, ...).
            kwargs: arguments of `Model.predict`.

        Returns: labels, (samples,); (samples, 1) for a model with one output, as in Keras 2.
        """
        probabilities = self._outputs(x, kwargs)
        single = probabilities.shape[-1] == 1
        return self.classes_[(probabilities > 0.5).astype(int) if single else probabilities.argmax(axis=-1)]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class.

        Args:
            x: data, (samples, ...).
            kwargs: arguments of `Model.predict`.

        Returns: array (samples, classes) in the order of `classes_`; two columns for a model with one output.
        """
        probabilities = self._outputs(x, kwargs)
        if probabilities.shape[-1] == 1:
            return np.hstack([1 - probabilities, probabilities])
        return probabilities

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The mean accuracy.

        Args:
            x: data, (samples, ...).
            y: labels, as for `fit`.
            kwargs: arguments of `Model.evaluate`.

        Raises:
            ArgumentError: if the model was compiled without the metric "accuracy".
        """
        labels = np.asarray(y)
        one_hot = labels.ndim == 2 and labels.shape[1] > 1
        found = self._evaluated(x, labels if one_hot else np.searchsorted(self.classes_, labels), kwargs)
        for name in ("accuracy", "acc"):
            if name in found:
                return found[name]
        raise ArgumentError(
            f"{type(self).__name__}.score: the model is not configured to compute accuracy; it has {list(found)}. You "
            'should pass `metrics=["accuracy"]` to the `model.compile()` method.'
        )


class KerasRegressor(BaseWrapper):
    """A function that builds a model, as a regressor of scikit-learn.

    Args:
        build_fn: function that returns a compiled model.
        sk_params: arguments for `build_fn` and for `fit`, `predict` and `evaluate`.

    Source: Keras 2.3.1, `keras/wrappers/scikit_learn.py`.
    """

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The model's outputs.

        Args:
            x: data, (samples, ...).
            kwargs: arguments of `Model.predict`.

        Returns: array (samples,), or (samples, outputs) where the model has several.
        """
        outputs = self._outputs(x, kwargs)
        return outputs[..., 0] if outputs.shape[-1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss, negated, so that more is better.

        Args:
            x: data, (samples, ...).
            y: targets, as for `fit`.
            kwargs: arguments of `Model.evaluate`.
        """
        return -next(iter(self._evaluated(x, y, kwargs).values()))


def _arguments(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that a function lists."""
    listed = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in listed and p.name != "self"]
