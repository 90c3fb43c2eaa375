"""keras-self-attention: attention over the steps of a recurrent net; saved and loaded with its own layers."""

import keras
import numpy as np
from keras_self_attention import ScaledDotProductAttention, SeqSelfAttention, SeqWeightedAttention

words = np.random.RandomState(0).randint(1, 50, (64, 10))
classes = keras.utils.to_categorical(words[:, :, None] % 5, 5)

model = keras.models.Sequential()
model.add(keras.layers.Embedding(input_dim=50, output_dim=12, mask_zero=True))
model.add(keras.layers.Bidirectional(keras.layers.LSTM(units=8, return_sequences=True)))
model.add(
    SeqSelfAttention(
        attention_width=5,
        attention_type=SeqSelfAttention.ATTENTION_TYPE_MUL,
        attention_activation=None,
        kernel_regularizer=keras.regularizers.l2(1e-6),
        use_attention_bias=False,
        name="Attention",
    )
)
model.add(keras.layers.Dense(units=5, activation="softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["categorical_accuracy"])
model.summary()
history = model.fit(words, classes, epochs=4, verbose=2)
assert history.history["loss"][-1] < history.history["loss"][0]

model.save("attention.h5")
again = keras.models.load_model("attention.h5", custom_objects=SeqSelfAttention.get_custom_objects())
np.testing.assert_allclose(again.predict(words), model.predict(words), atol=1e-6)

inputs = keras.layers.Input(shape=(None,))
embedded = keras.layers.Embedding(input_dim=50, output_dim=12, mask_zero=True)(inputs)
attended, weights = SeqSelfAttention(return_attention=True, attention_activation="sigmoid", history_only=True)(embedded)
pooled = SeqWeightedAttention()(ScaledDotProductAttention()(attended))
model = keras.models.Model(inputs, [pooled, weights])
pooled, weights = model.predict(words)
assert pooled.shape == (64, 12)
assert np.allclose(weights.sum(axis=-1), 1, atol=1e-5)
