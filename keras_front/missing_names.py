"""Errors for names that do not exist, which say the one that was meant: a spelling, or what another library calls it.

Nothing is searched while such an error is made, because much code only asks whether a name exists; the nearest name is
looked for when somebody reads the message. This module must not import anything that defines names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from keras_front.errors import MissingNameError

__all__ = ["missing_attribute", "missing_in_module", "only_these"]

# What PyTorch, scikit-learn and TensorFlow call it, where no spelling leads from one name to the other.
OF_MODULES = {
    "AdaptiveAvgPool2d": "layers.AdaptiveAveragePooling2D, or layers.GlobalAveragePooling2D for one place",
    "AvgPool1d": "layers.AveragePooling1D",
    "AvgPool2d": "layers.AveragePooling2D",
    "BCELoss": "losses.BinaryCrossentropy()",
    "BCEWithLogitsLoss": "losses.BinaryCrossentropy(from_logits=True)",
    "BatchNorm1d": "layers.BatchNormalization",
    "BatchNorm2d": "layers.BatchNormalization",
    "BatchNorm3d": "layers.BatchNormalization",
    "Conv1d": "layers.Conv1D",
    "Conv2d": "layers.Conv2D",
    "Conv3d": "layers.Conv3D",
    "ConvTranspose2d": "layers.Conv2DTranspose",
    "CrossEntropyLoss": "losses.SparseCategoricalCrossentropy(from_logits=True)",
    "DataLoader": "fit(x, y, batch_size=32), which takes a DataLoader of PyTorch, too",
    "Dropout2d": "layers.SpatialDropout2D",
    "GradientTape": "backend.value_and_grad",
    "GridSearchCV": "sklearn.model_selection.GridSearchCV(wrappers.SKLearnClassifier(...), ...)",
    "L1Loss": "losses.MeanAbsoluteError()",
    "LabelEncoder": "numpy.unique(y, return_inverse=True)",
    "LayerNorm": "layers.LayerNormalization",
    "Linear": "layers.Dense",
    "MLPClassifier": "wrappers.SKLearnClassifier(model)",
    "MLPRegressor": "wrappers.SKLearnRegressor(model)",
    "MSELoss": "losses.MeanSquaredError()",
    "MaxPool1d": "layers.MaxPooling1D",
    "MaxPool2d": "layers.MaxPooling2D",
    "MaxPool3d": "layers.MaxPooling3D",
    "Module": "models.Model, or layers.Layer",
    "NLLLoss": "losses.SparseCategoricalCrossentropy()",
    "OneHotEncoder": "utils.to_categorical",
    "SmoothL1Loss": "losses.Huber()",
    "StandardScaler": "layers.Normalization, whose `adapt` sees the data",
    "cat": "backend.concatenate",
    "functional": "ops, or backend",
    "manual_seed": "set_random_seed",
    "nn": "layers",
    "no_grad": "not needed: nothing is recorded outside of training",
    "optim": "optimizers",
    "tensor": "backend.constant",
    "train_test_split": "fit(x, y, validation_split=0.2)",
    "unsqueeze": "backend.expand_dims",
    "view": "backend.reshape",
}
# The same for names in strings: losses, metrics, activations and optimizers.
OF_IDENTIFIERS = {
    "accuracy_score": "'accuracy'",
    "cross_entropy": "'sparse_categorical_crossentropy' for class numbers, 'categorical_crossentropy' for one-hot rows",
    "crossentropy": "'sparse_categorical_crossentropy' for class numbers, 'categorical_crossentropy' for one-hot rows",
    "f1": "metrics.F1Score()",
    "f1_score": "metrics.F1Score()",
    "identity": "'linear'",
    "l1_loss": "'mae'",
    "lbfgs": "'adam': optimizers here see a batch at a time",
    "leakyrelu": "'leaky_relu'",
    "log_loss": "'binary_crossentropy' for one unit, else 'sparse_categorical_crossentropy'",
    "logistic": "'sigmoid'",
    "logloss": "'binary_crossentropy' for one unit, else 'sparse_categorical_crossentropy'",
    "mse_loss": "'mse'",
    "nll_loss": "'sparse_categorical_crossentropy'",
    "r2": "metrics.R2Score()",
    "r2_score": "metrics.R2Score()",
    "roc_auc": "'AUC'",
    "roc_auc_score": "'AUC'",
    "squared_error": "'mse'",
}
OF_OBJECTS = {
    "add": "Model(inputs, layer(model.output)); only a Sequential grows by `add`",
    "backward": "fit, or backend.value_and_grad in a loop of one's own",
    "children": "layers",
    "coef_": "get_weights()",
    "cpu": "`with keras_front.device('cpu'):`",
    "cuda": "`with keras_front.device('cuda'):`; the best device is the default",
    "decision_function": "predict",
    "eval": "not needed: predict, evaluate and model(x) are inference; model(x, training=True) is not",
    "forward": "call",
    "modules": "layers",
    "partial_fit": "train_on_batch, or fit, which goes on from where the weights are",
    "predict_classes": "predict(x).argmax(axis=-1)",
    "predict_proba": "predict",
    "requires_grad_": "trainable = True or False",
    "score": "evaluate",
    "to": "to_backend, or `with keras_front.device(...):`",
    "train": "fit; in a loop of one's own model(x, training=True)",
    "transform": "predict",
    "weight": "kernel, or get_weights()",
}

OF_ESTIMATORS = {
    "best_loss_": "min(history_['loss'])",
    "coef_": "model_.get_weights()",
    "coefs_": "model_.get_weights()",
    "evaluate": "score, or model_.evaluate",
    "history": "history_",
    "intercepts_": "model_.get_weights()",
    "loss_": "history_['loss'][-1]",
    "loss_curve_": "history_['loss']",
    "n_iter_": "len(history_['loss'])",
    "partial_fit": "warm_start=True, with which a further fit goes on from where the weights are",
    "predict_log_proba": "numpy.log(predict_proba(X))",
    "save": "model_.save",
    "validation_scores_": "history_['val_loss'], with fit_kwargs={'validation_split': 0.1}",
}


def missing_in_module(module: str, name: str) -> MissingNameError:
    """The error for a name that a module does not have, for its `__getattr__` to raise.

    Args:
        module: the name of the module.
        name: the name.

    Example:
        >>> print(missing_in_module("keras_front.layers", "Linear"))
        module 'keras_front.layers' has no attribute 'Linear'. Here it is layers.Dense.
    """
    return MissingNameError(f"module {module!r} has no attribute {name!r}", name, module, OF_MODULES.get(name, ""))


def missing_attribute(owner: Any, name: str, elsewhere: Mapping[str, str] = OF_OBJECTS) -> MissingNameError:
    """The error for an attribute that an object does not have.

    Args:
        owner: the object.
        name: the attribute.
        elsewhere: what other libraries call an attribute, and what it is here.
    """
    message = f"{type(owner).__name__!r} object has no attribute {name!r}"
    return MissingNameError(message, name, type(owner), elsewhere.get(name, ""))


def only_these(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module that has no names but its own.

    Args:
        module: the name of the module.
    """

    def missing(name: str) -> NoReturn:
        raise missing_in_module(module, name)

    return missing
