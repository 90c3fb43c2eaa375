"""keras-transformer and keras-gpt-2: a translator from the front of a sentence to its rest, and a small language model."""

import keras
import numpy as np
from keras_gpt_2 import get_model as get_language_model
from keras_transformer import decode, get_model

words = "all work and no play makes jack a dull boy".split()
numbers = {"<PAD>": 0, "<START>": 1, "<END>": 2, **{word: place + 3 for place, word in enumerate(words)}}
front, rest, target = [], [], []
for place in range(1, len(words) - 1):
    before, behind = words[:place], words[place:]
    front.append(["<START>", *before, "<END>"] + ["<PAD>"] * (len(words) - len(before)))
    rest.append(["<START>", *behind, "<END>"] + ["<PAD>"] * (len(words) - len(behind)))
    target.append([*behind, "<END>", "<PAD>"] + ["<PAD>"] * (len(words) - len(behind)))
front, rest, target = (np.array([[numbers[word] for word in row] for row in rows]) for rows in (front, rest, target))

model = get_model(
    token_num=len(numbers), embed_dim=10, encoder_num=1, decoder_num=1, head_num=2, hidden_dim=12, dropout_rate=0.05,
    attention_activation="relu", feed_forward_activation="relu", embed_weights=np.random.random((len(numbers), 10)),
)  # fmt: skip
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
losses = model.fit([front, rest], target[:, :, None], epochs=6, verbose=2).history["loss"]
assert losses[-1] < losses[0]
decoded = decode(model, front[:2].tolist(), start_token=1, end_token=2, pad_token=0, max_len=6)
assert all(row[0] == 1 for row in decoded)

language = get_language_model(n_vocab=20, n_ctx=10, n_embd=8, n_head=2, n_layer=2)
language.compile("adam", "sparse_categorical_crossentropy")
x = np.random.RandomState(0).randint(0, 20, (4, 10))
language.fit(x, x[:, :, None], epochs=1, verbose=2)
assert language.predict(x).shape == (4, 10, 20)
