# %% [markdown]
# # A custom backend: a chip that counts with few digits
#
# What computes a net here is a *backend*, a class with a method for each operation: `add`, `matmul`, `exp` and so on.
# The four engines are such classes, and you can write one. This page makes a backend that behaves like a chip which
# does not exist: it multiplies matrices with only a few binary digits. Then it asks what designers of such chips ask:
# how few digits are enough to run a net, and how few to train one?
#
# ## Rounding
#
# A float32 number has 24 binary digits, wherever the point is. Half-precision formats have 11 (float16) or 8
# (bfloat16), and the small formats of today's chips 4 or 3. This function keeps so many digits of each number as it is
# told:

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed, use_backend
from keras_front.datasets import digits
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front_numpy.backend import NumpyBackend


def rounded(x, digits):
    fraction, exponent = np.frexp(x)  # x is fraction times two to the exponent
    return np.ldexp(np.round(fraction * 2**digits) / 2**digits, exponent).astype(x.dtype)


pi = np.array([np.pi], "float32")
for kept in (24, 8, 4, 3, 2, 1):
    print(f"pi with {kept:2d} binary digits: {rounded(pi, kept)[0]:.7f}")

# %% [markdown]
# ## The backend
#
# We do not start from nothing: the chip does everything as NumPy does, but for one thing. So its class is that of NumPy
# with a `matmul` of its own.
#
# When a model trains, NumPy's backend makes one planned program of the whole step, with kernels that would not ask our
# `matmul`. A class with operations of its own gets none of that: its methods are called one after the other. That is
# slower, and it is what we want to see.

# %%
class Chip(NumpyBackend):
    def __init__(self, digits):
        super().__init__()
        self.digits, self.name = digits, f"chip with {digits} digits"
        self.products = 0

    def matmul(self, a, b):
        self.products += 1
        return rounded(np.matmul(rounded(a, self.digits), rounded(b, self.digits)), self.digits)


chip = Chip(4)
with use_backend(chip):
    print("on the", K.backend())
    print(K.eval(K.dot(K.constant([[1.0, 1.05]]), K.constant([[1.0], [1.05]]))), "where NumPy gives [[2.1025]]")

# %% [markdown]
# 1.05 has become 1, as 1.125 is the next number that four digits can tell from it. All of the library now works on this
# backend: layers, gradients, optimizers, `fit`. None of it was written with the chip in mind.
#
# ## Running a net on it
#
# First the gentle way. A net is trained on NumPy, with all digits, and then only *used* on the chip. The model moves by
# itself.

# %%
(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16


def new_net():
    set_random_seed(1)
    model = Sequential([
        Dense(64, activation="relu", input_shape=(64,)),
        Dense(64, activation="relu"),
        Dense(10, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


with use_backend("numpy"):
    model = new_net()
    model.fit(x_train, y_train, epochs=15, verbose=0)
    _, full = model.evaluate(x_test, y_test, verbose=0)
print(f"on NumPy: {full:.3f}")

chips = {kept: Chip(kept) for kept in (1, 2, 3, 5, 6, 8, 11)} | {4: chip}
used = {}
for kept in sorted(chips):
    with use_backend(chips[kept]):
        _, used[kept] = model.evaluate(x_test, y_test, verbose=0)
    print(f"used with {kept:2d} digits: {used[kept]:.3f}")

# %% [markdown]
# ## Training on it
#
# Now the hard way: the chip computes the forward pass and the gradients, from the first step on. Only the weights are
# kept with all their digits, as mixed precision does it everywhere.

# %%
trained = {}
for kept in sorted(chips):
    with use_backend(chips[kept]):
        model = new_net()
        model.fit(x_train, y_train, epochs=15, verbose=0)
        _, trained[kept] = model.evaluate(x_test, y_test, verbose=0)
    print(f"trained with {kept:2d} digits: {trained[kept]:.3f}")
print(f"the chip with 4 digits has multiplied matrices {chip.products} times")

# %% Accuracy on the test digits by the number of binary digits of the chip
plt.figure(figsize=(6, 3.2))
for name, values in {"trained on NumPy, used on the chip": used, "trained and used on the chip": trained}.items():
    plt.plot(sorted(values), [values[kept] for kept in sorted(values)], marker="o", label=name)
plt.axhline(full, color="gray", linestyle="dotted", label="NumPy, 24 digits")
plt.xlabel("binary digits")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# A net that was trained with 24 digits can be *used* with four and loses nothing: pictures of digits are no precision
# work. Below four the rounding begins to hurt. With a single digit it is better to have *trained* on the chip as well,
# since the net gets used to what it will have to live with; makers of small devices call this quantization-aware
# training. Between four digits and 24, the lines differ by a test digit or two, which means nothing.
#
# (Our chip is a friendly one. A real format of few digits has few exponents as well, so that small gradients vanish;
# for this there are [loss scales](../precision.md).)
#
# ## Is it a good backend?
#
# There is a published suite that asks every operation for its values, dtypes, shapes and gradients. Ours is wrong on
# purpose, so it should be found out:

# %%
from keras_front.testing import conformance

for name in ("exp", "matmul"):
    try:
        conformance.run(chip, [name], ["value"])
        print(name, "conforms")
    except AssertionError:
        print(name, "does not conform")

# %% tags=["remove-cell"]
assert used[8] > full - 0.02
assert trained[8] > full - 0.02
assert trained[1] < full - 0.02 or used[1] < full - 0.02

# %% [markdown]
# `exp` is NumPy's own and passes. `matmul` does not: one of its six cases has numbers that need more than four digits.
# A real backend passes everything.
#
# ## Where to go on
#
# - [A backend of one's own](../a-new-backend.md): a whole one, for an engine that knows nothing of NumPy.
# - [An op of one's own](../an-op.md): when all backends should learn something new.
