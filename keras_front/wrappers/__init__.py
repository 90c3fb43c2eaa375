"""Models as estimators of scikit-learn: as in Keras 2 (`scikit_learn`), and as in Keras 3 (`SKLearnClassifier`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras_front.wrappers import scikit_learn

if TYPE_CHECKING:
    from keras_front.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer", "scikit_learn"]


def __getattr__(name: str) -> Any:
    """The estimators are classes of scikit-learn, which is imported when one of them is wanted."""
    if name in __all__:
        from keras_front.wrappers import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
