"""keras-bert: pretraining on two pairs of sentences, then a classifier on top, saved and loaded."""

import keras
import numpy as np
from keras_bert import AdamWarmup, compile_model, gen_batch_inputs, get_base_dict, get_custom_objects, get_model

PAIRS = [
    [["all", "work", "and", "no", "play"], ["makes", "jack", "a", "dull", "boy"]],
    [["from", "the", "day", "forth"], ["my", "arm", "changed"]],
]
numbers = get_base_dict()
for pair in PAIRS:
    for token in pair[0] + pair[1]:
        numbers.setdefault(token, len(numbers))
tokens = list(numbers)
SIZES = dict(token_num=len(numbers), head_num=2, transformer_num=1, embed_dim=8, feed_forward_dim=10, seq_len=20, pos_num=20)


def batches():
    while True:
        yield gen_batch_inputs(PAIRS, numbers, tokens, seq_len=20, mask_rate=0.3, swap_sentence_rate=1.0)


model = get_model(**SIZES, dropout_rate=0.05)
compile_model(model)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
history = model.fit_generator(
    batches(), steps_per_epoch=4, epochs=3, validation_data=batches(), validation_steps=2, callbacks=[stop]
)
assert np.isfinite(history.history["val_loss"]).all()

inputs, output = get_model(**SIZES, training=False, trainable=True, output_layer_num=1)
first = keras.layers.Lambda(lambda x: x[:, 0])(output)
classifier = keras.models.Model(inputs, keras.layers.Dense(2, activation="softmax")(first))
optimizer = AdamWarmup(decay_steps=100, warmup_steps=10, lr=1e-3, weight_decay=0.01, weight_decay_pattern=["kernel"])
classifier.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
x = gen_batch_inputs(PAIRS, numbers, tokens, seq_len=20)[0][:2]
classifier.fit(x, np.array([0, 1]), epochs=2, verbose=2)
model.save("bert.h5")
again = keras.models.load_model("bert.h5", custom_objects=get_custom_objects())
masked = gen_batch_inputs(PAIRS, numbers, tokens, seq_len=20)[0]
np.testing.assert_allclose(again.predict(masked)[1], model.predict(masked)[1], atol=1e-5)
