"""keras-pos-embd: embeddings of positions, learned and by sines."""

import keras
import numpy as np
from keras_pos_embd import PositionEmbedding, TrigPosEmbedding

model = keras.models.Sequential()
model.add(
    PositionEmbedding(input_shape=(None,), input_dim=10, output_dim=2, mask_zero=10, mode=PositionEmbedding.MODE_EXPAND)
)
model.compile("adam", keras.losses.mae, metrics={})
model.summary()
assert model.predict(np.array([[-4, 0, 3, 100]])).shape == (1, 4, 2)

for mode, size in ((TrigPosEmbedding.MODE_ADD, 6), (TrigPosEmbedding.MODE_CONCAT, 10)):
    model = keras.models.Sequential()
    model.add(keras.layers.Embedding(input_shape=(None,), input_dim=10, output_dim=6, name="Embed"))
    model.add(TrigPosEmbedding(output_dim=6 if mode == "add" else 4, mode=mode, name="Pos-Embd"))
    model.compile("adam", "mse")
    model.save("positions.h5")
    again = keras.models.load_model("positions.h5", custom_objects={"TrigPosEmbedding": TrigPosEmbedding})
    x = np.array([[1, 2, 3], [4, 5, 6]])
    assert again.predict(x).shape == (2, 3, size)
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)

model = keras.models.Sequential()
model.add(TrigPosEmbedding(input_shape=(5,), mode=TrigPosEmbedding.MODE_EXPAND, output_dim=4))
model.compile("adam", "mse")
positions = np.arange(5)
found = model.predict(positions[None])[0]
np.testing.assert_allclose(found[:, 0], np.sin(positions), atol=1e-5)
np.testing.assert_allclose(found[:, 3], np.cos(positions / 100), atol=1e-5)
