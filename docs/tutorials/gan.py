# %% [markdown]
# # A forger and a detective: a GAN
#
# Two nets play against each other. The *generator* turns random numbers into pictures of digits; the *discriminator* is
# shown real digits and those of the generator, and says which is which. Each gets better because the other does. In the
# end there are digits that nobody has written.
#
# This game was played in Keras from the start with two `compile`s and `train_on_batch`, and that is how we play it.
#
# ## The players

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense, Dropout, Input, LeakyReLU
from keras_front.models import Model, Sequential
from keras_front.optimizers import Adam

(x_train, _), (x_test, _) = digits.load_data()
real = x_train.reshape(-1, 64).astype("float32") / 16
NOISE = 24

set_random_seed(1)
discriminator = Sequential([
    Dense(128, input_dim=64), LeakyReLU(0.2), Dropout(0.3),
    Dense(64), LeakyReLU(0.2), Dropout(0.3),
    Dense(1, activation="sigmoid"),
], name="discriminator")
discriminator.compile(Adam(0.001, beta_1=0.5), "binary_crossentropy", metrics=["accuracy"])

generator = Sequential([
    Dense(64, input_dim=NOISE), LeakyReLU(0.2),
    Dense(128), LeakyReLU(0.2),
    Dense(64, activation="sigmoid"),
], name="generator")

# %% [markdown]
# The generator never sees a digit. All that it learns, it learns *through* the discriminator: both are put one after
# the other, and what is trained is the generator alone, towards the answer "real". The discriminator is frozen in this
# stack, but not in its own, which was compiled before: what a model trains is settled by its `compile`. (There will be
# a warning that its weights were trainable when it was compiled and now are not. That is what we want here.)

# %%
discriminator.trainable = False
noise = Input((NOISE,))
game = Model(noise, discriminator(generator(noise)))
game.compile(Adam(0.001, beta_1=0.5), "binary_crossentropy")
print("the game trains", len(game.trainable_weights), "of", len(game.weights), "arrays of weights")

# %% [markdown]
# ## The game
#
# One round: the discriminator gets a batch of real digits and one of forged ones; then the generator tries again. Real
# digits are called 0.9 and not 1, an old trick that keeps the detective from being so sure that there is nothing to
# learn from it. From time to time we let the generator draw the *same* noise, to see it learn.

# %%
random = np.random.default_rng(0)
BATCH, ROUNDS = 64, 6000
seen = random.normal(size=(10, NOISE))
sheets, record = [], []
for round_ in range(ROUNDS + 1):
    if round_ in (0, 200, 1000, 3000, ROUNDS):
        sheets.append((round_, generator.predict(seen, verbose=0)))
    forged = generator.predict_on_batch(random.normal(size=(BATCH, NOISE)))
    chosen = real[random.integers(0, len(real), BATCH)]
    loss_real, right_real = discriminator.train_on_batch(chosen, np.full((BATCH, 1), 0.9))
    loss_forged, right_forged = discriminator.train_on_batch(forged, np.zeros((BATCH, 1)))
    fooled = game.train_on_batch(random.normal(size=(BATCH, NOISE)), np.ones((BATCH, 1)))
    record.append(((loss_real + loss_forged) / 2, fooled))

# %% The same ten noises, drawn after more and more rounds
figure, axes = plt.subplots(len(sheets), 10, figsize=(9, 4.8))
for row, (round_, drawn) in zip(axes, sheets):
    row[0].set_ylabel(f"{round_}", rotation=0, ha="right", va="center")
    for axis, image in zip(row, drawn):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
plt.show()

# %% [markdown]
# Round 0 is grey noise. After 200 rounds the generator knows where ink goes, and draws one blot, whatever the noise.
# Then digits come forth: a 7, a 0, a 3, a 4 are easy to make out, some others would fool no one. Look at how many are
# *alike*, though: several kinds of 1 and 4, and no 8. A generator that has found digits which pass has no reason to
# look for others. This is called *mode collapse*, and it is what ails GANs to this day.
#
# ## Who is winning?
#
# A GAN has no loss that simply falls; each one's success is the other's loss. What one looks for is balance.

# %% The loss of the discriminator and that of the generator, smoothed
losses = np.array(record)
smooth = np.array([np.convolve(column, np.ones(100) / 100, "valid") for column in losses.T])
plt.figure(figsize=(7, 2.8))
plt.plot(smooth[0], label="discriminator")
plt.plot(smooth[1], label="generator")
plt.axhline(np.log(2), color="gray", linestyle="dotted", label="guessing")
plt.xlabel("round")
plt.ylabel("loss")
plt.legend()
plt.show()

# %% [markdown]
# At first the detective wins with ease: its loss is small, the forger's is large. Then they approach each other and
# stay close to the dotted line, where the detective might as well toss a coin. Had one line gone to zero, the game
# would be over: a detective that is never wrong teaches nothing.
#
# ## Is it only copying?
#
# A forger might simply have learnt some digits by heart. So we look, for each forgery, at the real digit that is
# nearest to it, and compare with what is normal: how far is a *new real* digit, of the test set, from its nearest
# neighbour?

# %%
def distance_to_nearest(images):
    return np.sqrt(((images[:, np.newaxis] - real[np.newaxis]) ** 2).sum(axis=2)).min(axis=1)


new_real = x_test.reshape(-1, 64) / 16
forgeries = generator.predict(random.normal(size=(len(new_real), NOISE)), verbose=0)
blurs = real[random.integers(0, len(real), (2, len(new_real)))].mean(axis=0)
nearest = {"new real digits": new_real, "forgeries": forgeries, "two digits mixed": blurs}
for name, images in nearest.items():
    print(f"{name}: {np.median(distance_to_nearest(images)):.2f} from the nearest training digit")

# %% tags=["remove-cell"]
assert 0.5 < np.median(distance_to_nearest(forgeries)) < np.median(distance_to_nearest(blurs)) * 1.1
assert forgeries.std(axis=0).mean() > 0.1

# %% [markdown]
# The forgeries are no copies: a copy would be at distance 0. But they lie farther from the real digits than new real
# digits do, about as far as two digits laid over each other. The detective can be fooled by that; you and I cannot
# always. For seventeen thousand weights each and twelve seconds, it is a fair game. With a convolutional generator and
# more rounds (on an engine that is faster than NumPy) they get better; the code stays as it is.
#
# ## Where to go on
#
# - [The latent space of a VAE](vae.md): draws more kinds of digits, and blurs them a little.
# - [Loops of one's own](../loops.md): the same game in a `train_step` of one's own.
