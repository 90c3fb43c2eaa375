"""A memory network answers "where is Mary?" after a story, in the manner of Sukhbaatar et al. (2015) on bAbI.

The stories are made up here: people walk, and the last walk of the one who is asked about counts.
"""

import numpy as np

from keras_front import set_random_seed
from keras_front.layers import LSTM, Activation, Dense, Dropout, Embedding, Input, Permute, add, concatenate, dot
from keras_front.models import Model
from keras_front.preprocessing.sequence import pad_sequences
from keras_front.preprocessing.text import Tokenizer

set_random_seed(1)
PEOPLE, PLACES = ["mary", "john", "anna"], ["kitchen", "garden", "office", "hall"]
random = np.random.default_rng(0)


def story():
    walks = [(random.choice(PEOPLE), random.choice(PLACES)) for _ in range(random.integers(2, 5))]
    who = walks[random.integers(len(walks))][0]
    where = [place for person, place in walks if person == who][-1]
    return " ".join(f"{person} went to the {place} ." for person, place in walks), f"where is {who} ?", where


stories, questions, answers = zip(*(story() for _ in range(2000)), strict=True)
words = Tokenizer(filters="")
words.fit_on_texts([*stories, *questions])
size = len(words.word_index) + 1
x = pad_sequences(words.texts_to_sequences(stories))
q = pad_sequences(words.texts_to_sequences(questions))
y = np.array([words.word_index[answer] for answer in answers])

facts, question = Input((x.shape[1],)), Input((q.shape[1],))
memory = Dropout(0.1)(Embedding(size, 32)(facts))
output = Dropout(0.1)(Embedding(size, q.shape[1])(facts))
asked = Dropout(0.1)(Embedding(size, 32, input_length=q.shape[1])(question))
match = Activation("softmax")(dot([memory, asked], axes=(2, 2)))  # which words of the story matter
response = Permute((2, 1))(add([match, output]))
answer = Dense(size, activation="softmax")(LSTM(32)(concatenate([response, asked])))

model = Model([facts, question], answer)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit([x, q], y, batch_size=32, epochs=25, validation_split=0.1, verbose=2)
_, accuracy = model.evaluate([x[1800:], q[1800:]], y[1800:], verbose=0)
print(f"accuracy on new stories {accuracy:.2f}; chance is {1 / len(PLACES):.2f}")
if accuracy < 0.45:
    raise SystemExit("it should learn better than that")
