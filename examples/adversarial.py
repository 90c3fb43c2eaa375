"""A generator and a discriminator with one optimizer: points that come to lie on a circle."""

import numpy as np

from keras_front import set_random_seed
from keras_front.layers import Dense, Input, LeakyReLU
from keras_front.models import Model, Sequential
from keras_front.optimizers import Adam

set_random_seed(1)
random = np.random.default_rng(0)
optimizer = Adam(0.002, beta_1=0.5)
BATCH = 64

discriminator = Sequential(
    [Dense(32, input_dim=2), LeakyReLU(0.2), Dense(32), LeakyReLU(0.2), Dense(1, activation="sigmoid")]
)
discriminator.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])

generator = Sequential([Dense(32, input_dim=4), LeakyReLU(0.2), Dense(32), LeakyReLU(0.2), Dense(2)])
noise = Input((4,))
discriminator.trainable = False  # for the model that trains the generator
combined = Model(noise, discriminator(generator(noise)))
combined.compile(optimizer, "binary_crossentropy")


def circle(n):
    angle = random.uniform(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


valid, fake = np.ones((BATCH, 1)), np.zeros((BATCH, 1))
for step in range(1, 1501):
    made = generator.predict_on_batch(random.normal(size=(BATCH, 4)))
    on_real = discriminator.train_on_batch(circle(BATCH), valid)
    on_fake = discriminator.train_on_batch(made, fake)
    d_loss, accuracy = 0.5 * np.add(on_real, on_fake)
    g_loss = combined.train_on_batch(random.normal(size=(BATCH, 4)), valid)
    if step % 300 == 0:
        print(f"{step} [D loss: {d_loss:.3f}, acc.: {100 * accuracy:.0f}%] [G loss: {g_loss:.3f}]")

made = generator.predict(random.normal(size=(500, 4)), verbose=0)
radius = np.linalg.norm(made, axis=1)
print(f"radius of the points made: {radius.mean():.2f} +- {radius.std():.2f}")
if not 0.6 < radius.mean() < 1.4:
    raise SystemExit("it should learn better than that")
