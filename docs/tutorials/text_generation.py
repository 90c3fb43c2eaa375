# %% [markdown]
# # Writing letter by letter
#
# A net reads some letters and says which one comes next. That is all it learns. Then it writes: it says a letter, reads
# what it has said, says the next. Before it can do that well it has to find out by itself what words are, that they are
# parted by spaces, and how a sentence goes on.
#
# ## A text
#
# So that a small net can learn it in half a minute, the text is of one kind: a long series of weather reports, made by
# a few rules. The net does not know the rules; it sees letters.

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed
from keras_front.layers import LSTM, Dense
from keras_front.models import Sequential
from keras_front.optimizers import Adam

random = np.random.default_rng(0)
SKY = {"rain": ["umbrellas", "puddles"], "snow": ["sledges", "gloves"], "sun": ["bicycles", "ice cream"]}


def report():
    where, sky = random.choice(["north", "south", "east", "west"]), random.choice(list(SKY))
    when = random.choice(["morning", "afternoon", "evening"])
    how = random.choice(["some ", "little ", "much ", ""])
    return f"in the {where} there is {how}{sky} in the {when}, a good time for {random.choice(SKY[sky])}. "


text = "".join(report() for _ in range(120))
letters = sorted(set(text))
print(len(text), "letters, of", len(letters), "kinds:", "".join(letters))
print(text[:160])

# %% [markdown]
# ## From letters to numbers
#
# The net sees 32 letters at a time. Each is a row of zeros with a single one (*one-hot*), and the answer is the number
# of the letter that follows.

# %%
PAST = 32
number = {letter: i for i, letter in enumerate(letters)}
one_hot = np.eye(len(letters), dtype="float32")
codes = np.array([number[letter] for letter in text])
x = one_hot[np.lib.stride_tricks.sliding_window_view(codes[:-1], PAST)]
y = codes[PAST:]
print(x.shape, y.shape)

# %% [markdown]
# ## Reading
#
# An `LSTM` reads the letters one by one and keeps a memory; `Dense` with `softmax` gives each letter a probability. The
# loss, the mean of minus the logarithm of the probability of the right letter, has a good meaning here: to `e` to that
# power, it is the number of letters among which the net is in doubt.
#
# We let it write a line after some epochs, to see it learn. At first it always takes the likeliest letter.

# %%
set_random_seed(1)
model = Sequential([LSTM(80, input_shape=(PAST, len(letters))), Dense(len(letters), activation="softmax")])
model.compile(Adam(0.005), "sparse_categorical_crossentropy")


def write(length, temperature, start="in the north there is some rain in"[:PAST]):
    written = start
    for _ in range(length):
        probabilities = model.predict(one_hot[[number[letter] for letter in written[-PAST:]]][np.newaxis], verbose=0)[0]
        if temperature == 0:
            following = probabilities.argmax()
        else:
            weights = probabilities.astype("float64") ** (1 / temperature)
            following = random.choice(len(letters), p=weights / weights.sum())
        written += letters[following]
    return written[len(start) :]


losses = []
for epochs in (1, 1, 2, 4):
    history = model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    losses += history.history["loss"]
    print(f"after {len(losses):2d} epochs, in doubt among {np.exp(losses[-1]):4.1f} letters:", repr(write(60, 0)))

# %% [markdown]
# After one epoch it has noticed that `e`, `s`, `n` and the space are frequent, and stammers. One more, and the words
# are there; nobody told it that there are such things. Then the doubt hardly falls any more. It cannot fall to 1:
# whether it is the north or the west that comes next is chance, and no net can know it.
#
# ## In doubt, or not
#
# Where is a letter hard to tell? We take one report and draw the net's doubt at each letter.

# %% The doubt of the net at each letter of a report that it has not seen
new = "in the west there is much snow in the evening, a good time for gloves. in the south"
known = np.array([number[letter] for letter in text[-PAST:] + new])
windows = np.lib.stride_tricks.sliding_window_view(known[:-1], PAST)
probabilities = model.predict(one_hot[windows], verbose=0)
doubt = np.exp(-(probabilities * np.log(probabilities + 1e-9)).sum(axis=1))
plt.figure(figsize=(10, 2.4))
plt.bar(range(len(new)), doubt - 1, bottom=1)
plt.xticks(range(len(new)), new, fontfamily="monospace", fontsize=9)
plt.xlim(-1, len(new))
plt.ylabel("letters in doubt")
plt.show()

# %% [markdown]
# This is the grammar, read off the net. Within a word there is no doubt. It comes where the rules make a choice:
# between four quarters of the sky (about 4), between `some`, `little`, `much` and nothing at all, between the times of
# the day. And at "a good time for" it is among more than four things, where the rules leave only two: sledges or
# gloves, when it snows. Why does the net not know that? It sees 32 letters, and the word "snow" is farther back. It is
# not stupid, it is short-sighted. The line that it wrote above, gloves in the rain, is the same mistake.
#
# ## Temperature
#
# Who always takes the likeliest letter writes the same report forever. So one draws the letter by its probability.
# Raised to a power, the probabilities become bolder (temperature below one) or more equal (above one).

# %%
for temperature in (0, 0.5, 1.0, 1.8):
    print(f"temperature {temperature}:", write(170, temperature))
    print()

# %% tags=["remove-cell"]
vocabulary = set(text.replace(".", " ").replace(",", " ").split())
sober = write(200, 0.5).replace(".", " ").replace(",", " ").split()[1:-1]
assert np.mean([word in vocabulary for word in sober]) > 0.8
assert losses[-1] < 0.35

# %% [markdown]
# At 0 it goes round in circles. At 0.5 it writes reports that might be real ones. At 1 a word slips now and then, and
# at 1.8, where it is allowed what is unlikely, it invents words. Where the right temperature lies depends on what you
# want: few mistakes, or few repetitions.
#
# Try `PAST = 64`: the net sees the weather when it comes to the purpose, learns twice as long, and the gloves stay at
# home when it rains. And try a text of your own.
#
# ## Where to go on
#
# - [Sequences and masks](../guides/sequences.md): other recurrent layers, several of them, in both directions.
# - `examples/sequence_to_sequence.py`: one series of letters becomes another one.
