# %% [markdown]
# # Explaining a net by its gradients
#
# A net answers, and says nothing about its reasons. But it is a function that we can differentiate, and derivatives
# answer a useful question: *which pixels, if they changed a little, would change the answer most?* This page draws
# that, twice: pixel by pixel (a saliency map), and by what the net has found in the picture (Grad-CAM). Then it uses
# the pictures to catch a net that cheats.
#
# ## Digits that can be anywhere
#
# For a picture in which there is something to find, each small digit is put at a random place of a larger sheet, and a
# few specks of ink are added that mean nothing.

# %% Digits at random places, between specks
import matplotlib.pyplot as plt
import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Activation, Conv2D, Dense, GlobalMaxPooling2D, MaxPooling2D
from keras_front.models import Sequential
from keras_front.optimizers import Adam

SIZE = 16
(x_train, y_train), (x_test, y_test) = digits.load_data()


def sheets(images, random):
    """Each digit on a sheet of its own, and where it was put."""
    result = np.where(random.random((len(images), SIZE, SIZE)) < 0.05, random.random((len(images), SIZE, SIZE)), 0)
    corners = random.integers(0, SIZE - 8 + 1, (len(images), 2))
    for sheet, image, (row, column) in zip(result, images / 16, corners):
        sheet[row : row + 8, column : column + 8] = image
    return result[..., np.newaxis].astype("float32"), corners


random = np.random.default_rng(0)
train = np.concatenate([sheets(x_train, random)[0] for _ in range(3)])  # each digit at three places
answers = np.tile(y_train, 3)
test, corners = sheets(x_test, random)

figure, axes = plt.subplots(1, 6, figsize=(9, 1.8))
for axis, sheet, answer in zip(axes, test, y_test):
    axis.imshow(sheet[..., 0], cmap="gray_r")
    axis.set_title(answer, fontsize=9)
    axis.axis("off")
plt.show()

# %% [markdown]
# The net is a small convolutional one. `GlobalMaxPooling2D` keeps, of each of the 48 patterns that the last convolution
# looks for, the strongest find and forgets where it was; that suits digits that can be anywhere. Two things are there
# for explaining it. The last layer gives raw *scores*, and `softmax` comes after it as a layer of its own: a
# probability of 0.999 is flat and has hardly a slope, the score below it has one. And the last convolution has a name,
# because Grad-CAM will ask for it.

# %%
def trained(images, answers, epochs):
    set_random_seed(1)
    model = Sequential([
        Conv2D(16, 3, padding="same", activation="relu", input_shape=(SIZE, SIZE, 1)),
        MaxPooling2D(),
        Conv2D(32, 3, padding="same", activation="relu"),
        Conv2D(48, 3, padding="same", activation="relu", name="found"),
        GlobalMaxPooling2D(),
        Dense(10, name="scores"),
        Activation("softmax"),
    ])
    model.compile(Adam(0.004), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, answers, batch_size=64, epochs=epochs, verbose=0)
    return model


model = trained(train, answers, epochs=8)
accuracy = model.evaluate(test, y_test, verbose=0)[1]
print("accuracy on new sheets:", round(accuracy, 3))

# %% [markdown]
# ## Saliency: a slope for each pixel
#
# `model.input` and the outputs of layers are *symbolic* tensors: they stand for what will be there once there is a
# picture. `K` computes with them, `K.gradients` differentiates them, and `K.function` makes a function of it that takes
# arrays and gives arrays. That is all it needs. The score that we differentiate is the highest one, the net's answer.

# %%
scores = model.get_layer("scores").output
answer = K.max(scores, axis=-1)
(slope,) = K.gradients(answer, [model.input])
saliency = K.function([model.input], [K.abs(slope)])

maps = saliency([test])[0][..., 0]
print("one number for each pixel of each sheet:", maps.shape)

# %% [markdown]
# A score depends on its own sheet only, so the sum over the batch, which `K.gradients` differentiates, gives each sheet
# its own slopes.
#
# ## Grad-CAM: a slope for each find
#
# Single pixels make speckled maps. [Grad-CAM](https://arxiv.org/abs/1610.02391) asks one level higher. The layer
# `found` has 48 maps; each says where in the picture one pattern was found. How much does the answer depend on each
# map? That is its mean slope. The maps, added up with these slopes as weights, show where the evidence for the answer
# is; what speaks against it is cut off by `relu`.

# %%
finds = model.get_layer("found").output
(slope_of_finds,) = K.gradients(answer, [finds])
importance = K.mean(slope_of_finds, axis=(1, 2), keepdims=True)
evidence = K.relu(K.sum(importance * finds, axis=-1))
grad_cam = K.function([model.input], [evidence])

heat = grad_cam([test])[0]
heat = heat.repeat(2, axis=1).repeat(2, axis=2)  # the pooling layer halved the picture; double it again
print(heat.shape)

# %% Six sheets; below them their saliency maps; below these Grad-CAM, drawn over the sheets
chosen = [0, 3, 5, 6, 8, 9]
figure, axes = plt.subplots(3, len(chosen), figsize=(9, 4.8))
found = model.predict(test[chosen], verbose=0).argmax(axis=1)
for column, (index, digit) in enumerate(zip(chosen, found)):
    sheet, top = test[index, ..., 0], axes[:, column]
    top[0].imshow(sheet, cmap="gray_r")
    top[0].set_title(f"answer: {digit}", fontsize=9)
    top[1].imshow(maps[index], cmap="hot")
    top[2].imshow(sheet, cmap="gray_r")
    top[2].imshow(heat[index], cmap="jet", alpha=0.5)
    for axis in top:
        axis.axis("off")
plt.show()

# %% [markdown]
# The specks stay dark: the net has learnt that they mean nothing, although nobody told it where the digits are. The
# saliency map lights the whole neighbourhood of the digit, paper included, because ink *there* would change the digit.
# Grad-CAM is coarser and says more: of the 9, the middle, where the loop closes; of the 7, the bend and the bar.
#
# Pictures persuade easily, so let us also count. We know where each digit is: 64 of 256 pixels, a quarter of the sheet.

# %%
inside = np.zeros((len(test), SIZE, SIZE), bool)
for mask, (row, column) in zip(inside, corners):
    mask[row : row + 8, column : column + 8] = True
for name, values in [("saliency", maps), ("Grad-CAM", heat)]:
    share = (values * inside).sum(axis=(1, 2)) / values.sum(axis=(1, 2))
    print(f"{name}: {100 * share.mean():.0f} % of what it shows is on the digit")

# %% tags=["remove-cell"]
assert accuracy > 0.95
assert share.mean() > 0.5

# %% [markdown]
# ## Catching a cheat
#
# Now a net that is *worse than it looks*. Somebody has scanned the training digits, and the scanner left a small mark
# in the lower left corner of every 8, and only there. Nobody noticed.

# %%
def marked(images):
    result = images.copy()
    result[:, -2:, :2] = 1.0
    return result


spoilt = np.where((answers == 8)[:, None, None, None], marked(train), train)
cheat = trained(spoilt, answers, epochs=4)

eights = test[y_test == 8]
others = test[y_test == 3]
trials = {"8s with the mark": marked(eights), "8s without it": eights, "3s with the mark": marked(others)}
called_eight = {name: (cheat.predict(images, verbose=0).argmax(axis=1) == 8).mean() for name, images in trials.items()}
for name, share in called_eight.items():
    print(f"{name}: {100 * share:.0f} % are called 8")

# %% tags=["remove-cell"]
assert called_eight["8s with the mark"] > 0.95
assert called_eight["3s with the mark"] > 0.9
assert called_eight["8s without it"] < 0.5

# %% [markdown]
# With the mark, every 8 is an 8, so that on scans of the same scanner the net looks perfect. Without it hardly any is;
# and whatever has the mark is an 8. A test set from the same scanner would never have told. The map does:

# %% An 8 with the mark, the saliency of the net that cheats, and that of the honest one
def saliency_of(model, images):
    (slope,) = K.gradients(K.max(model.get_layer("scores").output, axis=-1), [model.input])
    return K.function([model.input], [K.abs(slope)])([images])[0][..., 0]


picture = marked(eights)[1:2]
figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.4))
panels = [
    ("an 8 with the mark", picture[0, ..., 0], "gray_r"),
    ("the cheat looks here", saliency_of(cheat, picture)[0], "hot"),
    ("the honest net here", saliency_of(model, picture)[0], "hot"),
]
for axis, (title, image, colours) in zip(axes, panels):
    axis.imshow(image, cmap=colours)
    axis.set_title(title, fontsize=9)
    axis.axis("off")
plt.show()

# %% [markdown]
# The brightest pixels are the mark. The honest net looks at the digit and leaves the same corner dark. That is what
# such maps are for: they do not prove that a net is right, but they show you when it is right for the wrong reason.
#
# Keep in mind what they are: slopes. They tell what a *small* change would do. A part of the picture that the net
# relies on so firmly that small changes do nothing can stay dark, which is why we asked for scores and not for
# probabilities.
#
# ## Where to go on
#
# - [K in a table](../k.md): what else you can compute with symbolic tensors.
# - [Loops of one's own](../loops.md): derivatives in a function that you write.
