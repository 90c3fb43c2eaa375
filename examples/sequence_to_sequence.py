"""An encoder and a decoder learn to write a number backwards: training with teacher forcing, then step by step."""

import numpy as np

from keras_front import set_random_seed
from keras_front.layers import LSTM, Dense, Input
from keras_front.models import Model

set_random_seed(1)
DIGITS, LENGTH, START = 6, 4, 6  # digits 0 to 5; 6 begins an answer
numbers = np.random.default_rng(0).integers(0, DIGITS, (4000, LENGTH))
answers = numbers[:, ::-1]
before = np.concatenate([np.full((len(numbers), 1), START), answers[:, :-1]], axis=1)  # what the decoder sees
eye = np.eye(DIGITS + 1, dtype="float32")
x, decoder_x = eye[numbers], eye[before]

encoder_inputs = Input((LENGTH, DIGITS + 1))
_, *states = LSTM(48, return_state=True)(encoder_inputs)
decoder_inputs = Input((None, DIGITS + 1))
decoder_lstm = LSTM(48, return_sequences=True, return_state=True)
decoder_dense = Dense(DIGITS, activation="softmax")
sequence, _, _ = decoder_lstm(decoder_inputs, initial_state=states)

model = Model([encoder_inputs, decoder_inputs], decoder_dense(sequence))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit([x[:3600], decoder_x[:3600]], answers[:3600, :, None], batch_size=64, epochs=18, verbose=2)

# The same layers once more: what is kept between two steps now goes in and out.
encoder = Model(encoder_inputs, states)
kept = [Input((48,)), Input((48,))]
sequence, *new_states = decoder_lstm(decoder_inputs, initial_state=kept)
decoder = Model([decoder_inputs, *kept], [decoder_dense(sequence), *new_states])


def reversed_by_the_model(digits):
    states = encoder.predict(digits, verbose=0)
    last, written = np.full(len(digits), START), []
    for _ in range(LENGTH):
        probabilities, *states = decoder.predict([eye[last][:, None], *states], verbose=0)
        last = probabilities[:, 0].argmax(axis=-1)
        written.append(last)
    return np.stack(written, axis=1)


found = reversed_by_the_model(x[3600:])
for number, answer in zip(numbers[3600:3604], found, strict=False):
    print("".join(map(str, number)), "->", "".join(map(str, answer)))
right = np.mean((found == answers[3600:]).all(axis=1))
print(f"right in whole: {right:.2f}")
if right < 0.5:
    raise SystemExit("it should learn better than that")
