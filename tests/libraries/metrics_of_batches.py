"""keras-metrics: precision and recall that are layers with state."""

import keras
import keras_metrics as km
import numpy as np

random = np.random.RandomState(0)
x = random.normal(size=(128, 2))
y = (x[:, 0] > 0).astype(int)

model = keras.models.Sequential()
model.add(keras.layers.Dense(8, activation="relu", input_dim=2))
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(
    optimizer="adam",
    loss="binary_crossentropy",
    metrics=[
        km.binary_precision(), km.binary_recall(), km.binary_f1_score(), km.binary_true_positive(),
        km.binary_false_negative(),
    ],
)  # fmt: skip
model.fit(x, y, epochs=3, batch_size=32, verbose=2)
loss, precision, recall, f1, true_positives, false_negatives = model.evaluate(x, y, verbose=0)
said = model.predict(x)[:, 0].round() == 1
hits = np.sum(said & (y == 1))
assert np.isclose(precision, hits / max(said.sum(), 1), atol=1e-4), (precision, hits / said.sum())
assert np.isclose(recall, hits / y.sum(), atol=1e-4)
assert np.isclose(f1, 2 * hits / (said.sum() + y.sum()), atol=1e-4)
assert int(true_positives) == hits
assert int(false_negatives) == y.sum() - hits

model = keras.models.Sequential()
model.add(keras.layers.Dense(3, activation="softmax", input_dim=2))
model.compile(
    "adam",
    "sparse_categorical_crossentropy",
    metrics=[km.sparse_categorical_precision(), km.sparse_categorical_recall(label=1)],
)
model.fit(x, random.randint(0, 3, (128, 1)), epochs=1, verbose=0)
