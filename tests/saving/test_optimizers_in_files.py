"""Models in training that real tf_keras and Keras 3 wrote: they load compiled, and training goes on as it did there."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import optimizers
from keras_front.models import load_model
from keras_front.saving.training_config import in_slot_order

FILE = zipfile.ZipFile(Path(__file__).with_name("optimizers.zip"))
ARRAYS = dict(np.load(io.BytesIO(FILE.read("arrays.npz"))))
NAMES = sorted(set(ARRAYS) - {"x", "y"})


def losses(model):
    return [float(model.train_on_batch(ARRAYS["x"], ARRAYS["y"])[0]) for _ in range(4)]


@pytest.mark.few_compiled(10)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on(backend, name, suffix, tmp_path):
    FILE.extract(f"{name}.{suffix}", tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_model(tmp_path / f"{name}.{suffix}")
    model.save(tmp_path / f"ours.{suffix}")
    np.testing.assert_allclose(losses(model), ARRAYS[name], rtol=2e-5)
    np.testing.assert_allclose(losses(load_model(tmp_path / f"ours.{suffix}")), ARRAYS[name], rtol=2e-5)


def test_the_state_of_a_single_scalar_weight_without_a_rate():
    """With one weight of one number, only their count tells a rate from a slot."""
    numbers = [np.asarray(float(i)) for i in range(4)]
    weight = K.variable(0.0)
    found = [in_slot_order(optimizers.Adam(), list("0123")[:n], numbers[:n], [weight]) for n in (3, 4)]
    assert [[float(value) for value in values] for values in found] == [[0, 1, 2], [0, 2, 3]]
