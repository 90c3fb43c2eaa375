# %% [markdown]
# # The same net on four engines
#
# A net written with this library does not know what computes it. On this page one net is trained on every engine that
# is installed: once from the start on each, to see whether they agree, and once by all of them in turn.
#
# If you have only NumPy, the page runs, and compares NumPy with itself. `pip install 'keras-front[torch]'` (or `jax`,
# `tensorflow`) brings another one.
#
# ## What is there

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed, use_backend
from keras_front.backend import available
from keras_front.datasets import digits
from keras_front.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras_front.models import Sequential

trains = ("numpy", "torch", "jax", "tensorflow")
found = available()
names = [name for name in trains if found[name].usable]
for name in names:
    print(f"{name:10} {found[name].version}")

# %% [markdown]
# (The library has two more, PyTensor and ONNX Runtime, and takes [one of your own](custom_backend.md).)
#
# ## The same start, the same batches, the same end?
#
# `use_backend` chooses the engine for what stands in its block. With the same seed the net begins with the same weights
# on every engine and gets the batches in the same order, since both are drawn by the library and not by the engine.

# %%
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., np.newaxis] / 16, x_test[..., np.newaxis] / 16


def new_net():
    set_random_seed(1)
    model = Sequential([
        Conv2D(16, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
        MaxPooling2D(),
        Flatten(),
        Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


losses, predictions, seconds = {}, {}, {}
for name in names:
    with use_backend(name):
        model = new_net()
        losses[name], seconds[name] = [], []
        for _ in range(8):
            began = time.perf_counter()
            losses[name] += model.fit(x_train, y_train, batch_size=32, verbose=0).history["loss"]
            seconds[name].append(time.perf_counter() - began)
        predictions[name] = model.predict(x_test, verbose=0)
    print(f"{name:10} loss after each epoch: " + " ".join(f"{loss:.4f}" for loss in losses[name]))

# %% [markdown]
# The numbers agree to the last digit that is printed. How near are they really? Every engine adds up in an order of its
# own, and numbers of 32 bits have seven digits or so.

# %% How far the losses of the other engines are from those of NumPy, after each epoch
plt.figure(figsize=(6, 3))
for name in names[1:]:
    differences = np.abs(np.array(losses[name]) - losses["numpy"])
    plt.plot(range(1, 9), np.maximum(differences, 1e-10), marker="o", label=name)
plt.plot(range(1, 9), losses["numpy"], color="gray", linestyle="dotted", label="the loss itself")
plt.yscale("log")
plt.xlabel("epoch")
plt.ylabel("difference")
plt.legend()
plt.show()

worst = max(np.abs(predictions[name] - predictions["numpy"]).max() for name in names)
print(f"two engines differ by {worst:.0e} at most in any probability of any test digit")

# %% [markdown]
# They differ in the sixth or seventh digit, where float32 ends; and where a line lies at 1e-10, there is no difference
# at all. As each step builds on the one before, differences could grow, and they hardly do. They stay ten thousand
# times smaller than the loss itself. So a result found on one engine is a result on the others, too, and if it is not,
# something is wrong: compare them, and you have found a bug in one place or the other.
#
# ## What does it cost?
#
# Some engines compile a step before they run it for the first time, which takes seconds. After that they are faster. So
# the first epoch and the later ones are two different questions.

# %% Seconds for the first epoch, with what is compiled, and for each later one
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.4))
for axis, part, title in ((left, slice(0, 1), "first epoch"), (right, slice(1, 8), "each later epoch")):
    axis.barh(names, [np.median(seconds[name][part]) for name in names], color="tab:blue")
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("seconds")
    axis.invert_yaxis()
figure.tight_layout()
plt.show()

# %% [markdown]
# These are the times of the machine that made this page, with a net as small as this one: look at which bars are long,
# not at their lengths. The engines that compile pay for it in the first epoch, and nets in one epoch here never earn it
# back. For a small net NumPy is a fair choice; for a large one, or a GPU, it is not. [What a step
# costs](../guides/speed.md) says how to find out for yours.
#
# ## In turn
#
# A model may also move while it learns. Here each engine trains it for one epoch and passes it on, with its weights and
# with Adam's moments, which the optimizer keeps for each weight.

# %%
model = new_net()
passed_on = []
for epoch in range(8):
    name = names[epoch % len(names)]
    with use_backend(name):
        passed_on += model.fit(x_train, y_train, batch_size=32, verbose=0).history["loss"]
    print(f"{name:10} {passed_on[-1]:.4f}")
with use_backend("numpy"):
    print("test accuracy, on NumPy:", round(model.evaluate(x_test, y_test, verbose=0)[1], 3))

# %% [markdown]
# Those are the losses from above: it made no difference that each epoch was computed by someone else. In practice one
# moves a model less often than that: one trains where there is a GPU, and predicts where nothing but NumPy is
# installed.
#
# ## Where to go on
#
# - [Backends and devices](../guides/backends.md): settings, and where they come from.
# - [Random numbers](../guides/random.md): what is the same everywhere, and what only on request.
# - [A custom backend](custom_backend.md): a fifth engine, in one page.

# %% tags=["remove-cell"]
assert worst < 1e-3
assert np.allclose(passed_on, losses["numpy"], atol=1e-3)
assert all(np.allclose(losses[name], losses["numpy"], atol=1e-3) for name in names)
assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.9
