"""An LSTM learns a nursery rhyme letter by letter, and writes on from its beginning."""

import numpy as np

from keras_front import set_random_seed
from keras_front.layers import LSTM, Dense
from keras_front.models import Sequential
from keras_front.optimizers import RMSprop

set_random_seed(1)
text = (
    "one two buckle my shoe three four knock at the door five six pick up sticks seven eight lay them straight "
    "nine ten a big fat hen "
) * 2
letters = sorted(set(text))
number = {letter: i for i, letter in enumerate(letters)}
LENGTH = 12

one_hot = np.eye(len(letters), dtype="float32")[[number[letter] for letter in text]]
starts = range(len(text) - LENGTH)
x, y = np.stack([one_hot[i : i + LENGTH] for i in starts]), np.stack([one_hot[i + LENGTH] for i in starts])

model = Sequential([LSTM(64, input_shape=(LENGTH, len(letters))), Dense(len(letters), activation="softmax")])
model.compile(RMSprop(0.01), "categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=25, verbose=2)


def sample(probabilities, temperature):
    """A letter: the likeliest one at temperature 0, more and more any letter above."""
    if temperature == 0:
        return int(np.argmax(probabilities))
    logits = np.log(probabilities + 1e-9) / temperature
    weights = np.exp(logits - logits.max())
    return int(np.random.choice(len(letters), p=weights / weights.sum()))


for temperature in (0, 0.5):
    written = text[:LENGTH]
    while len(written) < 60:
        window = np.eye(len(letters), dtype="float32")[[number[letter] for letter in written[-LENGTH:]]]
        written += letters[sample(model.predict(window[None], verbose=0)[0].astype("float64"), temperature)]
    print(f"temperature {temperature}: {written}")
_, accuracy = model.evaluate(x, y, verbose=0)
if accuracy < 0.8:
    raise SystemExit("it should know the rhyme by heart")
