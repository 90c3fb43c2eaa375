"""keras-ordered-neurons: a recurrent layer whose gates are in order, in both directions; saved and loaded."""

import keras
import numpy as np
from keras_ordered_neurons import ONLSTM

layers = keras.layers
cell = ONLSTM(units=10, chunk_size=5, dropout=0.1, recurrent_dropconnect=0.2, return_sequences=True)
model = keras.models.Sequential(
    [
        layers.Embedding(input_shape=(None,), input_dim=10, output_dim=12),
        layers.Bidirectional(cell),
        ONLSTM(units=10, chunk_size=5, recurrent_dropconnect=0.2),
        layers.Dense(units=2, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
x = np.random.RandomState(0).randint(0, 10, (8, 5))
model.fit(x, np.arange(8) % 2, epochs=2, verbose=2)
model.save("ordered.h5")
again = keras.models.load_model("ordered.h5", custom_objects={"ONLSTM": ONLSTM})
np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)
