"""Words to numbers by TextVectorization, an embedding and two directions, as tutorials of 2020 had it."""

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, Embedding
from tensorflow.keras.layers.experimental.preprocessing import TextVectorization
from tensorflow.keras.losses import BinaryCrossentropy
from tensorflow.keras.models import Sequential

tf.random.set_seed(1)
random = np.random.RandomState(1)
GOOD, BAD = ["good", "great", "lovely", "fine"], ["bad", "awful", "dull", "poor"]
NOUNS = ["film", "plot", "cast", "music"]
labels = random.randint(0, 2, 400)
texts = [f"The {random.choice(NOUNS)} was {random.choice(GOOD if y else BAD)}, really!" for y in labels]

encoder = TextVectorization(max_tokens=40, output_sequence_length=6)
encoder.adapt(np.array(texts))
print(encoder.get_vocabulary()[:6])
x = np.array(encoder(np.array(texts)))

model = Sequential(
    [
        Embedding(input_dim=len(encoder.get_vocabulary()), output_dim=16, mask_zero=True),
        Bidirectional(LSTM(8)),
        Dense(16, activation="relu"),
        Dense(1),
    ]
)
model.compile(loss=BinaryCrossentropy(from_logits=True), optimizer=tf.keras.optimizers.Adam(1e-2), metrics=["accuracy"])
history = model.fit(x[:300], labels[:300], epochs=4, validation_data=(x[300:], labels[300:]), verbose=2)
print("Test accuracy:", history.history["val_accuracy"][-1])
assert history.history["val_accuracy"][-1] > 0.9
