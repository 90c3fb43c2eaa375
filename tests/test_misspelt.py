"""A misspelt keyword says which one was meant: constructors, functions of K and `ops`, methods of models."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

from keras_front import (
    activations,
    applications,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    saving,
    utils,
)
from keras_front import backend as K
from keras_front import regularizers as regularizer_module
from keras_front.errors import UnknownArgumentError, meant_by
from keras_front.layers import Dense
from keras_front.models import Model, Sequential
from keras_front.optimizers import schedules
from keras_front.preprocessing import image, sequence, text

pytestmark = pytest.mark.engine_neutral

MODULES = (
    layers, losses, metrics, optimizers, callbacks, initializers, regularizer_module, constraints, schedules,
    activations, K, ops, applications, saving, utils, image, sequence, text,
)  # fmt: skip
METHODS = """add_loss add_metric compile evaluate fit fit_generator get_layer load_weights predict save save_weights
    summary test_on_batch train_on_batch""".split()
# Who makes these writes a program of the library's own kind; Python's message names the argument.
INTERNAL = {
    "Registry", "Reader", "SymbolicTensor", "Variable", "bind", "compile", "convert", "defer", "eager", "from_dlpack",
    "import_module", "compute_weighted_loss", "SequenceEnqueuer", "set_keras_submodules", "get_registered_object",
    "register_keras_serializable",
}  # fmt: skip


def public(module):
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    return [(f"{module.__name__}.{name}", getattr(module, name)) for name in names if name not in INTERNAL]


def misspelt(name):
    return name[:2] + name[2] + name[2:]


def optional(function):
    """The first argument with a default and a name that can be misspelt, and how many have to be passed."""
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    except (TypeError, ValueError):
        return None, 0
    free = [p.name for p in parameters if p.default is not p.empty and len(p.name) > 3]
    return free[0] if free else None, sum(p.default is p.empty for p in parameters)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_python_never_has_the_last_word(module):
    checked, wrong = 0, {}
    for name, function in public(module):
        argument, needed = optional(function) if callable(function) else (None, 0)
        if argument is None:
            continue
        checked += 1
        try:
            function(*[1] * needed, **{misspelt(argument): 1})
        except UnknownArgumentError as error:
            if f"Did you mean {argument!r}" not in str(error):
                wrong[name] = str(error)
        except ValueError:  # another argument is wrong, and is told first
            continue
        except TypeError as error:
            wrong[name] = str(error)
    assert checked > 1
    assert not wrong


@pytest.fixture(scope="module")
def model():
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_models(model, name):
    method = getattr(model, name)
    parameters = [p for p in inspect.signature(method).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    meant, needed = parameters[-1].name, sum(p.default is p.empty for p in parameters)
    with pytest.raises(UnknownArgumentError, match=f"^{name}: .*Did you mean '{meant}'"):
        method(*[1] * needed, **{misspelt(meant): 1})


def test_the_message_has_the_words_of_all_its_times():
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'activaton'"):
        Dense(3, activaton="relu")
    with pytest.raises(ValueError, match=r"Dense: Keyword argument not understood: 'activaton'. Did you mean 'activ"):
        Dense(3, activaton="relu")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (lambda: Dense(3, out_features=3), "units"),
        (lambda: layers.Conv2D(3, 3, out_channels=3), "filters"),
        (lambda: K.mean(np.ones(2), dim=0), "axis"),
        (lambda: ops.mean(np.ones(2), dim=0), "axis"),
        (lambda: K.sum(np.ones(2), keepdim=True), "keepdims"),
        (lambda: optimizers.SGD(eta=0.1), "learning_rate"),
        (lambda: Dense(hidden_layer_sizes=3), "units"),
        (lambda: Sequential().fit(np.ones((2, 2)), eval_set=1), "validation_data"),
        (lambda: Sequential().compile(solver="adam"), "optimizer"),
        (lambda: Sequential().compile("sgd", "mse", lr=0.1), "optimizer"),
    ],
)
def test_names_of_other_libraries(wrong, meant):
    with pytest.raises(UnknownArgumentError, match=f"Did you mean '{meant}'"):
        wrong()


def test_without_a_near_name_all_are_listed():
    with pytest.raises(UnknownArgumentError, match="It takes x, axis, keepdims"):
        K.mean(np.ones(2), wxyz=0)
    assert meant_by("wxyz", ["units"]) == []


def test_an_error_inside_is_none_of_the_call():
    def loss(y_true, y_pred):
        return float(y_true, nonsense=1)

    class Mine(layers.Layer):
        def call(self, inputs):
            return dict.fromkeys(inputs, nonsens=1)

    with pytest.raises(TypeError) as caught:
        Mine()(np.ones((1, 2)))
    assert not isinstance(caught.value, UnknownArgumentError)
    model = Model(x := layers.Input((2,)), Dense(1)(x))
    model.compile("sgd", loss)
    with pytest.raises(TypeError) as caught:
        model.train_on_batch(np.ones((1, 2)), np.ones((1, 1)))
    assert not isinstance(caught.value, UnknownArgumentError)


def test_a_class_of_ones_own_that_hands_keywords_on():
    class Mine(losses.MeanSquaredError):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(UnknownArgumentError, match=r"Mine: .*Did you mean 'reduction'"):
        Mine(reducton="sum")
    with pytest.raises(UnknownArgumentError, match=r"Mine: .*Did you mean 'factor'"):
        Mine(facter=2.0)


@pytest.mark.parametrize(
    ("module", "name", "meant"),
    [
        (layers, "Dens", "Did you mean 'Dense'?"),
        (layers, "Linear", "Here it is layers.Dense."),
        (losses, "CrossEntropyLoss", "Here it is losses.SparseCategoricalCrossentropy(from_logits=True)."),
        (callbacks, "EarlyStoping", "Did you mean 'EarlyStopping'?"),
        (utils, "train_test_split", "Here it is fit(x, y, validation_split=0.2)."),
        (K, "cat", "Here it is backend.concatenate."),
        (K, "_relu", ""),
    ],
)
def test_a_name_that_a_module_lacks(module, name, meant):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert str(caught.value) == f"module {module.__name__!r} has no attribute {name!r}. {meant}".removesuffix(". ")
    assert not hasattr(module, name)


@pytest.mark.parametrize(
    ("name", "meant"), [("predit", "Did you mean 'predict'"), ("score", "Here it is evaluate"), ("eval", "not needed")]
)
def test_an_attribute_that_a_model_lacks(name, meant):
    with pytest.raises(AttributeError, match=meant) as caught:
        getattr(Sequential(), name)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("loss_curve_", "history_['loss']"),
        ("partial_fit", "warm_start=True"),
        ("predict_probas", "Did you mean 'predict_proba'"),
        ("model_", "call `fit` first"),
    ],
)
def test_an_attribute_that_an_estimator_lacks(name, meant, model):
    from keras_front.wrappers import SKLearnClassifier  # which needs scikit-learn

    estimator = SKLearnClassifier(model)
    assert not hasattr(estimator, name)
    with pytest.raises(AttributeError) as caught:
        getattr(estimator, name)
    assert meant in str(caught.value)
