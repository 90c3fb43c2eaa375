"""A variational autoencoder of digits: a loss made of tensors of the model, and new digits drawn from noise."""

import numpy as np

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.datasets import digits
from keras_front.layers import Dense, Input, Lambda
from keras_front.losses import binary_crossentropy
from keras_front.models import Model

set_random_seed(1)
(x_train, _), (x_test, _) = digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16
LATENT = 4


def sampling(args):
    mean, log_var = args
    return mean + K.exp(log_var / 2) * K.random_normal(K.shape(mean))


inputs = Input((64,))
hidden = Dense(64, activation="relu")(inputs)
z_mean, z_log_var = Dense(LATENT)(hidden), Dense(LATENT)(hidden)
z = Lambda(sampling, output_shape=(LATENT,))([z_mean, z_log_var])
decoder_inputs = Input((LATENT,))
decoder = Model(
    decoder_inputs, Dense(64, activation="sigmoid")(Dense(64, activation="relu")(decoder_inputs)), name="decoder"
)
outputs = decoder(z)

vae = Model(inputs, outputs, name="vae")
reconstruction = 64 * binary_crossentropy(inputs, outputs)
divergence = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
vae.add_loss(K.mean(reconstruction + divergence))
vae.add_metric(divergence, name="divergence", aggregation="mean")
vae.compile("adam")
history = vae.fit(x_train, epochs=25, batch_size=32, validation_data=(x_test, None), verbose=2)

drawn = decoder.predict(np.random.default_rng(0).normal(size=(2, LATENT)), verbose=0)
for row in range(8):
    print("   ".join("".join(" .:*#@"[int(6 * v * 0.999)] for v in image[8 * row : 8 * row + 8]) for image in drawn))
losses = history.history["val_loss"]
print(f"loss on new digits {losses[0]:.1f} -> {losses[-1]:.1f}")
if not losses[-1] < losses[0] - 5:
    raise SystemExit("it should learn better than that")
