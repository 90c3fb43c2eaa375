# %% [markdown]
# # Transfer learning: few examples are enough
#
# Answers are expensive: somebody has to look at each example and say what it is. Often, though, there are plenty of
# them for *another* question about the same kind of data. A net that has learnt to answer that one has learnt on the
# way what to look at, and this can be carried over.
#
# ## The rich question
#
# Here the question with many answers is the usual one: which digit is it? The net is built in two parts, because one of
# them will travel: `features` turns a picture into 64 numbers, and the layer on top judges by them.

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.optimizers import Adam

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train[..., np.newaxis] / 16, x_test[..., np.newaxis] / 16


def features():
    return Sequential([
        Conv2D(32, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
        Conv2D(32, 3, activation="relu"),
        MaxPooling2D(),
        Flatten(),
        Dense(64, activation="relu"),
    ], name="features")


set_random_seed(1)
learnt = features()
rich = Sequential([learnt, Dropout(0.3), Dense(10, activation="softmax")])
rich.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
rich.fit(x_train[:1000], y_train[:1000], epochs=12, verbose=0)
_, rich_accuracy = rich.evaluate(x_test, y_test, verbose=0)
print(f"which digit? 1000 examples, accuracy {rich_accuracy:.3f}")

# %% [markdown]
# ## The poor question
#
# The new question: *does the digit have a closed loop*, as 0, 6, 8 and 9 have? Somebody must answer it for each example
# by hand, and we would like to stop early. (The examples come from those 438 that the net above has not seen.)

# %% Digits with a closed loop (above) and without one (below)
has_loop = np.isin(y_train, [0, 6, 8, 9]).astype("float32")
has_loop_test = np.isin(y_test, [0, 6, 8, 9]).astype("float32")

figure, axes = plt.subplots(2, 10, figsize=(9, 2))
for row, loop in zip(axes, (1, 0)):
    for axis, image in zip(row, x_train[1000:][has_loop[1000:] == loop]):
        axis.imshow(image[..., 0], cmap="gray_r")
        axis.axis("off")
plt.show()

# %% [markdown]
# A model is a layer. So the learnt features go into a new stack as they are, with a new top. `learnt.trainable = False`
# freezes them. Say it *before* `compile`: that is when a model decides what it trains.

# %%
learnt.trainable = False
carried = Sequential([learnt, Dense(1, activation="sigmoid")])
carried.compile(Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
carried.summary()

# %% [markdown]
# The summary says it: 65 of 28,129 weights will be trained. That is the whole trick. Few weights can be set right by
# few examples, and the rest was set by the thousand examples of the other question.
#
# ## Is it worth it?
#
# We train two nets on the same few examples: one with the features carried over, one of the same shape that starts from
# nothing. A handful of examples can be a lucky one, so each is drawn four times.

# %%
def trained(base, rows, rate):
    model = Sequential([base, Dense(1, activation="sigmoid")])
    model.compile(Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    epochs = 200 * 16 // max(len(rows), 16)  # 200 steps, however many examples there are
    model.fit(x_train[rows], has_loop[rows], batch_size=16, epochs=epochs, verbose=0)
    return model


def accuracy_of(model):
    return model.evaluate(x_test, has_loop_test, verbose=0)[1]


counts, draws = [10, 20, 40, 80, 160, 320], 4
scratch, transfer = np.zeros((len(counts), draws)), np.zeros((len(counts), draws))
for i, count in enumerate(counts):
    for draw in range(draws):
        set_random_seed(draw)
        rows = 1000 + np.random.default_rng(draw).choice(438, count, replace=False)
        scratch[i, draw] = accuracy_of(trained(features(), rows, 0.001))
        transfer[i, draw] = accuracy_of(trained(learnt, rows, 0.005))
    print(f"{count:3d} examples: from nothing {scratch[i].mean():.3f}, carried over {transfer[i].mean():.3f}")

# %% Accuracy by the number of examples: the mean of four draws, and between which values they lay
plt.figure(figsize=(6, 3.4))
for name, values in [("features carried over, frozen", transfer), ("everything from nothing", scratch)]:
    plt.plot(counts, values.mean(axis=1), marker="o", label=name)
    plt.fill_between(counts, values.min(axis=1), values.max(axis=1), alpha=0.15)
plt.axhline(1 - has_loop_test.mean(), color="gray", linestyle="dotted", label="always saying no")
plt.xscale("log")
plt.xticks(counts, counts)
plt.minorticks_off()
plt.xlabel("examples")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% tags=["remove-cell"]
assert rich_accuracy > 0.93
assert transfer[0].mean() > scratch[0].mean() + 0.05
assert transfer[2].mean() > scratch[2].mean()
assert abs(transfer[-1].mean() - scratch[-1].mean()) < 0.04

# %% [markdown]
# With ten examples the net that starts from nothing is hardly better than always saying no; the other one is right four
# times in five. To be as good as the carried features with 40 examples, it needs 80. And with 320 it has caught up:
# transfer is a loan of knowledge, worth most to those who have least.
#
# It is no magic either. The features must fit the question. We tried this page first with features learnt from the
# digits 0 to 4, to recognize 5 to 9 by them, and it failed: what tells a 1 from a 4 does not tell a 5 from a 9, and the
# net that started from nothing won at every count. Features from a *wider* question than one's own are the ones to
# carry over.
#
# ## Fine-tuning
#
# With more examples you may let go of the frozen part as well, once the top has settled, and with *small* steps, so
# that what was learnt is adjusted and not overrun. `compile` again after changing `trainable`.

# %%
set_random_seed(0)
rows = 1000 + np.arange(320)
model = trained(learnt, rows, 0.005)
before = accuracy_of(model)

learnt.trainable = True
model.compile(Adam(0.0003), "binary_crossentropy", metrics=["accuracy"])
model.fit(x_train[rows], has_loop[rows], batch_size=16, epochs=15, verbose=0)
after = accuracy_of(model)
print(f"320 examples: frozen {before:.3f}, fine-tuned {after:.3f}")

# %% tags=["remove-cell"]
assert after > before

# %% [markdown]
# A little better again. With ten examples this would have gone wrong: 28,129 free weights learn ten pictures by heart.
#
# ## Where to go on
#
# - [Stacks of layers](../guides/sequential.md): models in models, parts of models.
# - `keras_front.applications` has the large nets from which features are usually taken; their weights are files
#   that you bring along.
