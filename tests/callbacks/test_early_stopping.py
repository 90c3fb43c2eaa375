"""`EarlyStopping` by dialect: what tf_keras 2.21 and Keras 3.15.1 do was recorded from them."""

import numpy as np
import pytest

from keras_front import config
from keras_front.callbacks import Callback, EarlyStopping
from keras_front.layers import Dense
from keras_front.models import Sequential

pytestmark = pytest.mark.backends("numpy")

VALUES = [3, 2, 4, 5, 6]
NEWER = ("tf.keras", "keras3")
# (epochs that were trained, the one whose weights are left, stopped_epoch, best)
CASES = [
    (VALUES, {"patience": 9, "restore_best_weights": True}, (5, 4, 0, 2), (5, 1, 0, 2)),
    (VALUES, {"patience": 2, "restore_best_weights": True}, (4, 1, 3, 2), (4, 1, 3, 2)),
    ([3, 4, 4], {"patience": 0}, (2, 1, 1, 3), (2, 1, 1, 3)),
    ([3, 4, 4], {"patience": 0, "baseline": 1}, (1, 0, 0, 1), (2, 1, 1, 3)),
    ([1, 9, 8, 7, 6, 7, 7], {"patience": 1, "start_from_epoch": 2, "restore_best_weights": True}, (6, 4, 5, 6), None),
]


class Told(Callback):
    """Reports given values as 'm', and keeps the weights of each epoch."""

    def __init__(self, values):
        super().__init__()
        self.values, self.weights = values, []

    def on_epoch_end(self, epoch, logs=None):
        logs["m"] = self.values[epoch]
        self.weights.append(float(self.model.get_weights()[0].sum()))


@pytest.mark.parametrize("dialect", ["keras2.3", "keras_front", *NEWER])
@pytest.mark.parametrize(("values", "arguments", "classic", "newer"), CASES)
def test_when_it_stops_and_what_is_left(backend, dialect, values, arguments, classic, newer):
    expected = (newer or classic) if dialect in NEWER else classic
    with config.dialect(dialect):
        model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="zeros")])
        model.compile("sgd", "mse")
        told, stop = Told(values), EarlyStopping("m", mode="min", **arguments)
        x = np.ones((4, 1))
        epochs = model.fit(x, x, epochs=len(values), verbose=0, callbacks=[told, stop]).epoch
    left = told.weights.index(float(model.get_weights()[0].sum()))
    assert (len(epochs), left, stop.stopped_epoch, stop.best) == expected
