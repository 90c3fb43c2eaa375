"""scikit-learn searches the best hyperparameters of a net (needs scikit-learn)."""

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.wrappers.scikit_learn import KerasClassifier

set_random_seed(1)
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train.reshape(-1, 64), x_test.reshape(-1, 64)


def build(units=16, activation="relu", optimizer="adam"):
    model = Sequential([Dense(units, activation=activation, input_dim=64), Dense(10, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


classifier = make_pipeline(StandardScaler(), KerasClassifier(build, epochs=5, batch_size=32, verbose=0))
grid = {"kerasclassifier__units": [8, 32], "kerasclassifier__activation": ["relu", "tanh"]}
search = GridSearchCV(classifier, grid, cv=3)
search.fit(x_train, y_train)
for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(f"{score:.3f}  {parameters}")
accuracy = search.score(x_test, y_test)
print(f"best: {search.best_params_}, test accuracy {accuracy:.3f}")
if accuracy < 0.85:
    raise SystemExit("it should learn better than that")
