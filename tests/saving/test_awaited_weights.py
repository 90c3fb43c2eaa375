"""`load_weights` of models that have no weights yet, from files that are named as checkpoints of TensorFlow are."""

from __future__ import annotations

import os

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers, models
from keras_front.errors import ArgumentError
from keras_front.legacy.stand_in.checkpoints import latest_checkpoint

X = np.random.RandomState(0).rand(6, 3).astype("float32")


class Net(models.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(4, activation="tanh"), layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


def stack():
    return models.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])


def by_hand(arrays):
    w, b, v, c = (array.astype("float64") for array in arrays)
    return np.tanh(X @ w + b) @ v + c


@pytest.mark.parametrize("make", [Net, stack])
def test_weights_are_read_when_the_model_is_built(make, backend, tmp_path):
    model = make()
    model(X)
    model.save_weights(tmp_path / "new" / "cp-0001.ckpt")
    expected = by_hand(model.get_weights())
    waiting = make()
    status = waiting.load_weights(str(tmp_path / "new" / "cp-0001.ckpt"))
    assert status.expect_partial() is status
    with pytest.raises(AssertionError, match="no weights yet"):
        status.assert_consumed()
    np.testing.assert_allclose(np.asarray(waiting.predict(X, verbose=0)), expected, rtol=1e-4, atol=1e-6)
    assert status.assert_consumed() is status.assert_existing_objects_matched()
    called = make()
    called.load_weights(latest_checkpoint(tmp_path / "new"))
    found = called(X)
    np.testing.assert_allclose(K.to_numpy(found), expected, rtol=1e-4, atol=1e-6)


def test_the_newest_file_counts_and_what_is_no_checkpoint_does_not(tmp_path):
    model = stack()
    model.build((None, 3))
    for number in (1, 2):
        model.save_weights(tmp_path / f"cp-{number}")
        os.utime(tmp_path / f"cp-{number}", (number, number))
    model.save_weights(tmp_path / "later.h5")
    (tmp_path / "notes").write_text("no weights")
    assert latest_checkpoint(tmp_path) == str(tmp_path / "cp-2")
    assert latest_checkpoint(tmp_path / "cp-0") is None
    assert model.load_weights(tmp_path / "later.h5") is None


def test_files_of_other_names_want_a_model_that_is_built(tmp_path):
    model = Net()
    model(X)
    model.save_weights(tmp_path / "w.h5")
    with pytest.raises(ArgumentError, match="expected a model with weights"):
        Net().load_weights(tmp_path / "w.h5")
    with pytest.raises(OSError, match=r"missing|no file|not"):
        Net().load_weights(tmp_path / "missing")


def test_tf_as_a_format_of_weights_is_hdf5(tmp_path):
    model = stack()
    model.build((None, 3))
    with pytest.warns(UserWarning, match="written as HDF5"):
        model.save_weights(tmp_path / "w", save_format="tf")
    other = stack()
    other.build((None, 3))
    other.load_weights(tmp_path / "w").assert_consumed()
    assert all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
