"""keras-vis: what activates a filter, and which pixels matter.

Outside of Keras it needs `collections.Iterable`, which Python 3.10 took away, and `scipy.misc.imresize`, which SciPy 1.3
took away: both are put back here. Of `K.backend()` it needs one of the answers that it knows (`--speak-as theano`). Its modifiers "guided" and "relu" rewrite the graph of TensorFlow 1 or are missing.
"""

import collections
import collections.abc

collections.Iterable = collections.abc.Iterable

import numpy as np
import scipy.misc
from PIL import Image


def imresize(arr, size, interp="bilinear", mode=None):
    low, high = arr.min(), arr.max()
    pixels = np.uint8(255 * (arr - low) / max(high - low, 1e-9)) if mode != "F" else arr.astype("float32")
    picture = Image.fromarray(pixels, mode=mode)
    return np.array(picture.resize((size[1], size[0]), {"bilinear": 2, "bicubic": 3}.get(interp, 2)))


scipy.misc.imresize = imresize

from keras import activations
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from vis.input_modifiers import Jitter
from vis.utils import utils
from vis.visualization import visualize_activation, visualize_cam, visualize_saliency

model = Sequential()
model.add(Conv2D(4, (3, 3), activation="relu", input_shape=(12, 12, 1), name="conv"))
model.add(MaxPooling2D(name="pool"))
model.add(Flatten())
model.add(Dense(3, activation="softmax", name="preds"))
x = np.random.RandomState(0).uniform(size=(48, 12, 12, 1))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, np.arange(48) % 3, epochs=1, verbose=0)

layer_idx = utils.find_layer_idx(model, "preds")
model.layers[layer_idx].activation = activations.linear
model = utils.apply_modifications(model)
assert model.layers[layer_idx].activation is activations.linear

image = visualize_activation(
    model, layer_idx, filter_indices=0, max_iter=12, input_range=(0.0, 1.0), tv_weight=1e-3, lp_norm_weight=0.0,
    input_modifiers=[Jitter(1)],
)  # fmt: skip
assert image.shape == (12, 12, 1)
grads = visualize_saliency(model, layer_idx, filter_indices=1, seed_input=x[0])
assert grads.shape[:2] == (12, 12)
assert grads.max() > grads.min()
cam = visualize_cam(model, layer_idx, filter_indices=2, seed_input=x[0], penultimate_layer_idx=0)
assert cam.shape[:2] == (12, 12)
