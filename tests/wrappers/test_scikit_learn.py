"""Models as estimators of scikit-learn, in the manner of Keras 2 and of Keras 3."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from keras_front import set_random_seed
from keras_front.errors import ArgumentError, StateError
from keras_front.layers import Dense, Flatten, Input
from keras_front.losses import BinaryCrossentropy
from keras_front.models import Model, Sequential
from keras_front.optimizers import Adam
from keras_front.utils import to_categorical
from keras_front.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from keras_front.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4)).astype("float32")
CLASSES = np.argmax(X[:, :3], axis=1)
WORDS = np.array(["ant", "bee", "cat"])[CLASSES]


def three_classes(units=16, loss="sparse_categorical_crossentropy", optimizer="adam"):
    model = Sequential([Dense(units, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def two_classes():
    model = Sequential([Dense(1, activation="sigmoid", input_shape=(4,))])
    model.compile("adam", "binary_crossentropy", metrics=["acc"])
    return model


def line(outputs=1):
    model = Sequential([Dense(outputs, input_shape=(4,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class Builder:
    def __call__(self, units=16):
        return three_classes(units)


class Own(KerasClassifier):
    def __call__(self, units=16):
        return three_classes(units)


# In the manner of Keras 2 ------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_classifier_learns_words(backend, loss):
    classifier = KerasClassifier(three_classes, loss=loss, epochs=60, batch_size=16, verbose=0)
    history = classifier.fit(X, WORDS)
    assert len(history.history["loss"]) == 60
    assert classifier.classes_.tolist() == ["ant", "bee", "cat"]
    assert classifier.n_classes_ == 3
    assert classifier.predict(X).shape == (90,)
    assert classifier.score(X, WORDS) == pytest.approx(np.mean(classifier.predict(X) == WORDS))
    assert classifier.score(X, WORDS) > 0.8
    np.testing.assert_allclose(classifier.predict_proba(X), classifier.model.predict(X), rtol=1e-6)


def test_one_output_stands_for_two_classes(backend):
    labels = np.where(X[:, 0] > 0, 7, 3)
    classifier = KerasClassifier(build_fn=two_classes, epochs=2, verbose=0)
    classifier.fit(X, labels, sample_weight=np.ones(90))
    found = classifier.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert classifier.predict(X).shape == (90, 1)  # as Keras 2 gives it
    np.testing.assert_array_equal(classifier.predict(X)[:, 0], np.where(found[:, 1] > 0.5, 7, 3))
    assert 0 <= classifier.score(X, labels) <= 1


def test_one_hot_rows_are_labels_by_number(backend):
    classifier = KerasClassifier(three_classes, loss="categorical_crossentropy", epochs=1, verbose=0)
    classifier.fit(X, to_categorical(CLASSES))
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.score(X, to_categorical(CLASSES)) == pytest.approx(np.mean(classifier.predict(X) == CLASSES))


def test_a_class_that_part_of_the_data_lacks_keeps_its_place():
    classifier = KerasClassifier(three_classes, loss="categorical_crossentropy", epochs=1, verbose=0)
    classifier.fit(X, CLASSES)
    few = CLASSES < 2
    assert 0 <= classifier.score(X[few], CLASSES[few]) <= 1


def test_a_regressor(backend):
    target = X @ [1.0, 2.0, 0.0, -1.0]
    regressor = KerasRegressor(line, epochs=20, batch_size=8, verbose=0)
    regressor.fit(X, target)
    found = regressor.predict(X)
    assert found.shape == (90,)
    assert regressor.score(X, target) == pytest.approx(-np.mean((found - target) ** 2), rel=1e-4, abs=1e-8)


def test_a_regressor_of_several_targets():
    regressor = KerasRegressor(line, outputs=2, epochs=1, verbose=0)
    regressor.fit(X, X[:, :2])
    assert regressor.predict(X).shape == (90, 2)


@pytest.mark.parametrize(
    "make", [lambda: KerasClassifier(Builder()), Own, lambda: KerasClassifier(model=three_classes)]
)
def test_what_may_build_the_model(make):
    classifier = make().set_params(units=5, epochs=1, verbose=0)
    classifier.fit(X, CLASSES)
    assert classifier.model.layers[0].units == 5


def test_parameters_go_where_they_are_taken():
    classifier = KerasClassifier(three_classes, units=7, nb_epoch=2, batch_size=45, verbose=0)
    assert len(classifier.fit(X, CLASSES).history["loss"]) == 2
    assert classifier.filter_sk_params(three_classes) == {"units": 7}
    assert classifier.filter_sk_params(Model.predict, {"steps": 1}) == {"batch_size": 45, "verbose": 0, "steps": 1}
    assert len(classifier.fit(X, CLASSES, epochs=3).history["loss"]) == 3


def test_wrong_parameters():
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        KerasClassifier(three_classes, colour="red")
    with pytest.raises(ValueError, match="colour is not a legal parameter"):
        KerasClassifier(three_classes).set_params(colour="red")
    with pytest.raises(ArgumentError, match="no function builds the model"):
        BaseWrapper(colour="red")
    with pytest.raises(ArgumentError, match="invalid shape for y"):
        KerasClassifier(three_classes).fit(X, np.zeros((90, 3, 1)))
    with pytest.raises(StateError, match="Call `fit` first"):
        KerasClassifier(three_classes).predict(X)
    classifier = KerasClassifier(lambda: _without_accuracy(), epochs=1, verbose=0)
    classifier.fit(X, CLASSES)
    with pytest.raises(ArgumentError, match=r"metrics=\[\"accuracy\"\]"):
        classifier.score(X, CLASSES)


def _without_accuracy():
    model = three_classes()
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_scikit_learn_takes_them_as_estimators():
    classifier = KerasClassifier(three_classes, epochs=2, verbose=0, class_weight={0: 1.0, 1: 2.0, 2: 1.0})
    assert is_classifier(classifier)
    assert is_regressor(KerasRegressor(line))
    again = clone(classifier)
    assert again.get_params() == classifier.get_params()
    assert again is not classifier
    pipeline = make_pipeline(StandardScaler(), classifier)
    assert cross_val_score(pipeline, X, CLASSES, cv=2).shape == (2,)
    assert cross_val_predict(classifier, X, WORDS, cv=2).shape == (90,)
    search = GridSearchCV(classifier, {"units": [2, 8], "optimizer": ["sgd", "adam"]}, cv=2)
    search.fit(X, CLASSES)
    assert set(search.best_params_) == {"units", "optimizer"}
    assert search.predict(X).shape == (90,)
    bagging = BaggingClassifier(classifier, n_estimators=2).fit(X, CLASSES)
    assert bagging.predict(X).shape == (90,)


def test_a_trained_estimator_is_pickled():
    classifier = KerasClassifier(three_classes, epochs=1, verbose=0)
    classifier.fit(X, WORDS)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict(X), classifier.predict(X))


def test_scikit_learn_is_not_imported_for_it():
    code = (
        "import sys, keras_front.wrappers.scikit_learn as w\n"
        "from keras_front import wrappers\n"
        "w.KerasRegressor(lambda: None)\n"
        "assert 'sklearn' not in sys.modules\n"
        "sys.modules['sklearn.base'] = None\n"
        "try: wrappers.SKLearnClassifier\n"
        "except ImportError as e: assert 'keras-front[sklearn]' in str(e)\n"
        "else: raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# In the manner of Keras 3 ------------------------------------------------------------------------------


def for_data(X, y, units=8, loss="categorical_crossentropy", last="softmax"):
    inputs = Input(X.shape[1:])
    hidden = Dense(units, activation="relu")(Flatten()(inputs) if X.ndim > 2 else inputs)
    model = Model(inputs, Dense(y.shape[1], activation=last)(hidden))
    model.compile("adam", loss)
    return model


TRAINING = {"epochs": 2, "verbose": 0}
REGRESSION = {"loss": "mse", "last": None}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "estimator",
    [
        SKLearnClassifier(for_data, fit_kwargs=TRAINING),
        SKLearnRegressor(for_data, model_kwargs=REGRESSION, fit_kwargs=TRAINING),
        SKLearnTransformer(for_data, model_kwargs=REGRESSION, fit_kwargs=TRAINING),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scikit_learns_own_checks_pass(estimator):
    check_estimator(estimator)


def test_labels_of_any_kind_come_back(backend):
    estimator = SKLearnClassifier(for_data, fit_kwargs={"epochs": 60, "batch_size": 8, "verbose": 0})
    assert estimator.fit(X, WORDS) is estimator
    assert estimator.score(X, WORDS) > 0.7  # the share of right labels
    assert estimator.predict_proba(X).shape == (90, 3)
    assert len(estimator.history_["loss"]) == 60


def test_a_random_state_gives_the_same_fit_and_leaves_the_run_alone():
    set_random_seed(3)
    expected = three_classes().get_weights()[0]
    set_random_seed(3)
    one, two = (SKLearnClassifier(for_data, fit_kwargs=TRAINING, random_state=5).fit(X, CLASSES) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    np.testing.assert_array_equal(three_classes().get_weights()[0], expected)


def test_samples_of_several_labels_or_targets():
    labels = (X[:, :2] > 0).astype(int)
    keywords = {"loss": "binary_crossentropy", "last": "sigmoid"}
    classifier = SKLearnClassifier(for_data, model_kwargs=keywords, fit_kwargs=TRAINING).fit(X, labels)
    assert set(np.unique(classifier.predict(X))) <= {0, 1}
    assert classifier.predict(X).shape == (90, 2)
    regressor = SKLearnRegressor(for_data, model_kwargs=REGRESSION, fit_kwargs=TRAINING).fit(X, X[:, :2])
    assert regressor.predict(X).shape == (90, 2)


def test_a_model_is_copied_unless_the_start_is_warm():
    model = three_classes(loss="categorical_crossentropy")
    before = model.get_weights()
    cold = SKLearnClassifier(model, fit_kwargs=TRAINING).fit(X, CLASSES)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert cold.model_ is not model
    assert cold.model_.metrics_names == model.metrics_names
    warm = SKLearnClassifier(model, warm_start=True, fit_kwargs=TRAINING).fit(X, CLASSES)
    assert warm.model_ is model
    assert warm.fit(X, CLASSES).model_ is model


def test_a_search_over_what_builds_the_model():
    estimator = SKLearnClassifier(
        for_data, model_kwargs={"units": 4}, fit_kwargs={"class_weight": {0: 2.0, 1: 1.0, 2: 1.0}, **TRAINING}
    )
    search = GridSearchCV(estimator, {"model_kwargs": [{"units": 2}, {"units": 8}]}, cv=2).fit(X, CLASSES)
    assert search.best_params_["model_kwargs"]["units"] in (2, 8)
    assert pickle.loads(pickle.dumps(search)).predict(X).shape == (90,)


def test_a_step_between_others():
    transformer = SKLearnTransformer(for_data, model_kwargs=REGRESSION, fit_kwargs=TRAINING)
    pipeline = make_pipeline(PCA(3), transformer, LogisticRegression()).fit(X, CLASSES == 0)
    assert pipeline.predict(X).shape == (90,)
    assert transformer.fit(X).transform(X).shape == X.shape  # without targets it learns its data


def test_images_and_what_cannot_be_trained():
    images = np.random.default_rng(0).normal(size=(6, 2, 2, 1))
    assert SKLearnClassifier(for_data, fit_kwargs=TRAINING).fit(images, [0, 1] * 3).predict(images).shape == (6,)
    with pytest.raises(ValueError, match="a compiled model"):
        SKLearnClassifier(Sequential([Dense(2)])).fit(X, CLASSES)
    with pytest.raises(ValueError, match="one class"):
        SKLearnClassifier(for_data).fit(X, np.zeros(90, int))


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_unit_is_enough_for_two_classes(from_logits):
    model = Sequential([Dense(1, activation=None if from_logits else "sigmoid")])
    model.compile(Adam(0.05), BinaryCrossentropy(from_logits=from_logits))
    found = SKLearnClassifier(model, fit_kwargs={"epochs": 40, "verbose": 0}, random_state=0).fit(X, WORDS == "ant")
    columns = found.predict_proba(X)
    outputs = found.model_.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(columns[:, 1], 1 / (1 + np.exp(-outputs)) if from_logits else outputs, rtol=1e-5)
    np.testing.assert_allclose(columns.sum(axis=1), 1, rtol=1e-6)
    assert found.score(X, WORDS == "ant") > 0.8
    assert pickle.loads(pickle.dumps(found)).predict(X).dtype == bool


def test_a_sparse_loss_gets_numbers_of_classes():
    estimator = SKLearnClassifier(three_classes(), fit_kwargs={"epochs": 60, "verbose": 0}, random_state=0)
    assert estimator.fit(X, WORDS).score(X, WORDS) > 0.8


def test_entries_of_arguments_are_parameters():
    def net(X, y, width=8):
        return three_classes(width)

    search = GridSearchCV(
        SKLearnClassifier(net, fit_kwargs={"verbose": 0}),
        {"model_kwargs__width": [4], "fit_kwargs__epochs": [1, 2]},
        cv=2,
        error_score="raise",
    ).fit(X, WORDS)
    assert search.best_estimator_.fit_kwargs == {"verbose": 0, "epochs": search.best_params_["fit_kwargs__epochs"]}
    assert search.best_estimator_.get_params()["model_kwargs__width"] == 4
    with pytest.raises(TypeError, match=r"'epochs'\. Did you mean 'fit_kwargs'"):
        SKLearnClassifier(net, epochs=3)


def test_a_function_without_data_as_arguments_is_an_error():
    from keras_front.wrappers import SKLearnClassifier

    with pytest.raises(TypeError, match=r"SKLearnClassifier: `model` is called as model\(X=X, y=y"):
        SKLearnClassifier(lambda width=3: None).fit(np.zeros((4, 2)), [0, 1, 0, 1])
