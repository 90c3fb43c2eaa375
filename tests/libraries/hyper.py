"""hyperas: choices written into a function that builds a model."""

from hyperas import optim
from hyperas.distributions import choice, uniform
from hyperopt import STATUS_OK, Trials, tpe
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential


def data():
    """Points, and whether they lie above a line."""
    import numpy as np

    points = np.random.RandomState(0).normal(size=(96, 2))
    above = (points.sum(axis=1) > 0).astype(int)
    x_train, x_test = points[:64], points[64:]
    y_train, y_test = above[:64], above[64:]
    return x_train, y_train, x_test, y_test


def create_model(x_train, y_train, x_test, y_test):
    model = Sequential()
    model.add(Dense({{choice([4, 8])}}, input_shape=(2,)))
    model.add(Activation("relu"))
    model.add(Dropout({{uniform(0, 0.5)}}))
    model.add(Dense(1))
    model.add(Activation("sigmoid"))
    model.compile(loss="binary_crossentropy", metrics=["accuracy"], optimizer={{choice(["rmsprop", "adam"])}})
    result = model.fit(x_train, y_train, batch_size=16, epochs=2, verbose=0, validation_split=0.1)
    validation_acc = max(result.history["val_accuracy" if "val_accuracy" in result.history else "val_acc"])
    return {"loss": -validation_acc, "status": STATUS_OK, "model": model}


if __name__ == "__main__":
    best_run, best_model = optim.minimize(
        model=create_model, data=data, algo=tpe.suggest, max_evals=2, trials=Trials(), verbose=False
    )
    x_train, y_train, x_test, y_test = data()
    print(best_model.evaluate(x_test, y_test))
    assert set(best_run) >= {"Dropout", "optimizer"}
