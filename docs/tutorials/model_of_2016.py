# %% [markdown]
# # Opening a model of 2016
#
# In 2016 somebody trained a net with Keras 1.2 on Theano and sent around a file of weights, a JSON string, and a
# script. Theano is gone, Keras 1 does not install on a Python of today, and the layers have other names now. On this
# page the file is opened, looked at, used, and trained further. The script runs as it is.
#
# ## The find
#
# We need such a file first. The library can write files that Keras 1.2 reads, with the names of that time, so we let it
# make one, and close the lid. (If you have a real one, take it instead: that is what the readers are tested with.)

# %%
import os

import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential, load_model
from keras_front.saving.conversion import convert

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., np.newaxis] / 16, x_test[..., np.newaxis] / 16

set_random_seed(1337)  # the seed of every example of that time
model = Sequential([
    Conv2D(16, 3, padding="same", input_shape=(8, 8, 1)), Activation("relu"), MaxPooling2D(),
    Dropout(0.25), Flatten(), Dense(10), Activation("softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=25, verbose=0)
then = model.evaluate(x_test, y_test, verbose=0)[1]
print("accuracy then:", round(then, 3))

model.save("today.h5")
for note in convert("today.h5", "model_2016.h5", to="keras1"):
    print("not carried:", note)
os.remove("today.h5")
del model

# %% [markdown]
# ## What is in it?
#
# Before you open a stranger's file you may want to know what it is. `keras-front inspect model_2016.h5` says it, and so
# does this function. Nothing is built, and nothing that the file says is run.

# %%
from keras_front.saving import inspection

found = inspection.describe("model_2016.h5")
print(found.kind)
print("written by Keras", found.version, "- trained by", found.optimizer)
for layer in found.layers:
    print("   ", layer.class_name, layer.name)
print("refused:", found.refused or "nothing")

# %% [markdown]
# A `Convolution2D`, as it was called then. In the file its settings are those of Keras 1, too: `nb_filter`,
# `border_mode`, `init`, and the order of axes as `dim_ordering`.

# %%
import json

import h5py

with h5py.File("model_2016.h5") as file:
    first = json.loads(file.attrs["model_config"])["config"][0]
for name in ("nb_filter", "nb_row", "nb_col", "border_mode", "dim_ordering", "init", "W_regularizer", "bias"):
    print(f"{name:14} {first['config'][name]!r}")

# %% [markdown]
# ## Open it
#
# `load_model` knows all of these names and turns them into those of today. Weights are checked against the layers; a
# kernel of Theano is turned, for Theano went through it backwards. Code that is hidden in a file (a `Lambda` layer
# holds some) is refused unless you say `allow_code=True`.

# %%
old = load_model("model_2016.h5")
old.summary()
now = old.evaluate(x_test, y_test, verbose=0)[1]
print("accuracy then:", round(then, 3), "and now:", round(now, 3))

# %% [markdown]
# The same number. The layers have the names of today, and everything works on them that works on a model of today. For
# instance, looking at what the net of 2016 looks for:

# %% The sixteen patterns of the convolution, and what each finds in one digit
from keras_front.models import Model

convolution = old.layers[0]
kernels, _ = convolution.get_weights()
finds = Model(old.inputs, old.layers[1].output).predict(x_test[:1], verbose=0)[0]
figure, axes = plt.subplots(2, 16, figsize=(11, 1.7))
for i in range(16):
    axes[0, i].imshow(kernels[:, :, 0, i], cmap="RdBu_r", vmin=-0.8, vmax=0.8)
    axes[1, i].imshow(finds[:, :, i], cmap="gray_r")
for axis in axes.flat:
    axis.axis("off")
plt.show()

# %% [markdown]
# Red is where ink counts for a pattern, blue where it counts against it. Some of them answer to strokes of one
# direction, some (the third one) to ink as such. A net of ten years ago has nothing to hide from the tools of today.
#
# ## Train it further
#
# The loss and the optimizer were in the file as well, so `fit` goes on without `compile`. What did not survive is
# Adam's memory of past gradients, as was noted above; it is made anew in a few steps.

# %%
old.fit(x_train, y_train, epochs=15, verbose=0)
later = old.evaluate(x_test, y_test, verbose=0)[1]
print("after fifteen more epochs:", round(later, 3))
old.save("model_of_today.keras")

# %% [markdown]
# ## And the script?
#
# With the file came a script. It says `from keras.layers import Convolution2D`, `nb_epoch` and `border_mode`, and
# prints by the print statement of a `__future__`. There is no Keras here. It runs anyhow: `keras-front run` answers
# when a program asks for `keras`, and with `--dialect keras1` defaults are those of that time.

# %%
import subprocess
import sys

script = """
from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers.core import Dense, Activation, Flatten
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.utils import np_utils
from keras.datasets import digits

np.random.seed(1337)
(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train, X_test = X_train.reshape(-1, 8, 8, 1) / 16.0, X_test.reshape(-1, 8, 8, 1) / 16.0
Y_train, Y_test = np_utils.to_categorical(y_train, 10), np_utils.to_categorical(y_test, 10)

model = Sequential()
model.add(Convolution2D(16, 3, 3, border_mode='same', input_shape=(8, 8, 1), init='he_normal'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(10))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
model.fit(X_train, Y_train, batch_size=32, nb_epoch=8, verbose=0)
print('Test accuracy:', round(model.evaluate(X_test, Y_test, verbose=0)[1], 3))
"""
with open("script_2016.py", "w") as file:
    file.write(script)
command = [sys.executable, "-m", "keras_front", "run", "--dialect", "keras1", "script_2016.py"]
ran = subprocess.run(command, capture_output=True, text=True)
print(ran.stdout)

# %% tags=["remove-cell"]
assert now == then
assert later > 0.94
assert ran.returncode == 0, ran.stderr
assert float(ran.stdout.split()[-1]) > 0.9, ran.stdout

# %% [markdown]
# (In a shell: `keras-front run --dialect keras1 script_2016.py`.)
#
# ## Where to go on
#
# - [Old programs](../old-programs.md): the doors through which they come in, and what is refused.
# - [Files](../leaving.md): from every Keras to every other one, and out of it.
# - [Coming from Keras 1](../from/keras1.md): what each thing is called today.
