"""Arguments of layers that ask for more memory than any machine has: an error that names the layer, before or after."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import config, layers
from keras_front.errors import TooLargeError, UnsafeFileError
from keras_front.models import model_from_config

HUGE = 2**44
CALLS = {
    "MelSpectrogram": (lambda: layers.MelSpectrogram(fft_length=HUGE), (1, 20)),
    "MelSpectrogram bins": (lambda: layers.MelSpectrogram(num_mel_bins=HUGE), (1, 4000)),
    "CenterCrop": (lambda: layers.Resizing(HUGE, 4), (1, 4, 4, 3)),
    "CategoryEncoding": (lambda: layers.CategoryEncoding(HUGE), (1, 4)),
    "AdaptiveMaxPooling1D": (lambda: layers.AdaptiveMaxPooling1D(HUGE), (1, 4, 3)),
    "AdaptiveAveragePooling1D": (lambda: layers.AdaptiveAveragePooling1D(HUGE), (1, 4, 3)),
    "a cell's state": (lambda: layers.LSTM(HUGE, stateful=True), (1, 4, 3)),
}


@pytest.mark.of_the_host
@pytest.mark.parametrize("name", CALLS)
def test_sizes_beyond_memory_are_errors_of_the_layer(backend, name):
    make, shape = CALLS[name]
    layer = make()
    with pytest.raises(MemoryError, match="memory") as found:
        layer(np.ones(shape, "float32"))
    assert isinstance(found.value, TooLargeError)


@pytest.mark.of_the_host
def test_configs_are_held_to_their_own_bound(backend):
    mel = {"class_name": "MelSpectrogram", "config": {"name": "mel", "fft_length": 2**40}}
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 64]}}
    with pytest.raises(UnsafeFileError, match=r"mel: expected at most \d+ bytes beside the weights"):
        model_from_config({"class_name": "Sequential", "config": [first, mel]})
    assert config.memory() > 0
