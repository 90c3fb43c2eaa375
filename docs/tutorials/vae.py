# %% [markdown]
# # The latent space of a variational autoencoder
#
# An autoencoder squeezes a picture through a narrow door, here of two numbers, and rebuilds it on the other side. What
# survives is the essence, and two numbers can be drawn on a map. A *variational* one makes the map smooth: near points
# mean similar pictures, and every point means some picture. So one can take a walk on it, from digit to digit.
#
# ## Encoder, noise, decoder
#
# The encoder does not answer with a point but with a small cloud: a mean and a spread for each of the two numbers. The
# decoder gets a random point of the cloud. It can never rely on the exact place, so it must make neighbours look alike.

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense, Input, Lambda
from keras_front.losses import binary_crossentropy
from keras_front.models import Model
from keras_front.optimizers import Adam

(x_train, y_train), (x_test, y_test) = digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16

set_random_seed(1)


def point_of_cloud(mean_and_log_variance):
    mean, log_variance = mean_and_log_variance
    return mean + K.exp(log_variance / 2) * K.random_normal(K.shape(mean))


pixels = Input((64,))
hidden = Dense(128, activation="relu")(pixels)
hidden = Dense(64, activation="relu")(hidden)
mean, log_variance = Dense(2)(hidden), Dense(2)(hidden)
point = Lambda(point_of_cloud, output_shape=(2,))([mean, log_variance])
encoder = Model(pixels, mean, name="encoder")

latent = Input((2,))
drawn = Dense(64, activation="relu")(latent)
drawn = Dense(128, activation="relu")(drawn)
decoder = Model(latent, Dense(64, activation="sigmoid")(drawn), name="decoder")

rebuilt = decoder(point)
vae = Model(pixels, rebuilt, name="vae")
print(vae.count_params(), "weights; from", vae.input_shape, "through", encoder.output_shape, "to", vae.output_shape)

# %% [markdown]
# ## Two wishes in one loss
#
# The first wish: the rebuilt picture should be the picture. The second: the clouds should lie around zero and be about
# one wide, or else the encoder would put every picture on an island of its own. Both are formulas with tensors of the
# model, and `add_loss` takes them as they are. (The second is the Kullback-Leibler divergence to the normal
# distribution.)

# %% How both parts of the loss fall on the test digits
reconstruction = 64 * binary_crossentropy(pixels, rebuilt)
divergence = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
vae.add_loss(K.mean(reconstruction + divergence))
vae.add_metric(reconstruction, name="reconstruction", aggregation="mean")
vae.add_metric(divergence, name="divergence", aggregation="mean")
vae.compile(Adam(0.002))
history = vae.fit(x_train, epochs=80, batch_size=32, validation_data=(x_test, None), verbose=0).history

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6))
left.plot(history["val_reconstruction"])
left.set_title("reconstruction", fontsize=10)
right.plot(history["val_divergence"], color="tab:orange")
right.set_title("divergence", fontsize=10)
left.set_xlabel("epoch")
right.set_xlabel("epoch")
plt.show()
print(f"on test digits: {history['val_reconstruction'][0]:.1f} -> {history['val_reconstruction'][-1]:.1f}")

# %% [markdown]
# The divergence *rises* at first. That is right: it is what the map costs. A map on which everything lies in one place
# costs nothing and says nothing; the net pays for as much map as pays off in the pictures.
#
# ## The map

# %% Where the encoder puts the test digits; the colour is the true digit, which it was never told
plt.figure(figsize=(5.6, 4.6))
places = encoder.predict(x_test, verbose=0)
plt.scatter(*places.T, c=y_test, cmap="tab10", vmin=-0.5, vmax=9.5, s=14)
plt.colorbar(ticks=range(10))
plt.gca().set_aspect("equal")
plt.show()

# %% [markdown]
# Nobody told the net what the digits are called, and yet they lie in clusters: 0, 6 and 4 have places of their own, and
# 1 is out on the left. Neighbours are digits that look alike: 3 and 9 lie side by side, and the 8, which has something
# of most digits, is in the middle. Two numbers are few, so some clusters overlap; with `Dense(4)` instead of `Dense(2)`
# the pictures get sharper, and there is no map to look at any more.
#
# ## A walk on the map
#
# The decoder turns any point into a picture. Here it draws a grid of points, from -2 to 2 in both directions:

# %% What the decoder draws at each place of the map
steps = np.linspace(-2, 2, 15)
grid = np.array([(x, y) for y in steps[::-1] for x in steps])
pictures = decoder.predict(grid, verbose=0).reshape(15, 15, 8, 8)
plt.figure(figsize=(5.6, 5.6))
plt.imshow(pictures.transpose(0, 2, 1, 3).reshape(120, 120), cmap="gray_r", extent=(-2, 2, -2, 2))
plt.show()

# %% [markdown]
# Compare it with the map of dots: on the left the ones, at the bottom 4 and 6, on the right the zeros, above them 3 and
# 9. Between two digits there is no gap and no noise, but something that is half the one and half the other.
#
# That is the difference between a map and mere pixels. To go from a 0 to a 4, one can mix their pixels, or go straight
# across the map:

# %% From one digit of the test set to another in eight steps, on the map and among the pixels
start, end = (x_test[y_test == digit][0] for digit in (0, 4))
ends = encoder.predict(np.stack([start, end]), verbose=0)
shares = np.linspace(0, 1, 8)[:, np.newaxis]
on_the_map = decoder.predict((1 - shares) * ends[0] + shares * ends[1], verbose=0)
among_the_pixels = (1 - shares) * start + shares * end
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for row, images in zip(axes, (on_the_map, among_the_pixels)):
    for axis, image in zip(row, images):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.axis("off")
plt.show()

# %% tags=["remove-cell"]
assert history["val_reconstruction"][-1] < history["val_reconstruction"][0] - 3
assert np.abs(places).max() < 8

# %% [markdown]
# Above, the way on the map: the zero becomes a six on the way, since the six lives between them, and each picture is a
# digit that someone could have written. Below, the mixture of pixels: in the middle there is a zero with a four shining
# through, which nobody ever wrote.
#
# ## Where to go on
#
# - [A forger and a detective](gan.md): another way to draw digits that were never written.
# - [Layers, losses, metrics and callbacks of one's own](../guides/own_layers.md): `add_loss` and its kin.
