"""keras-radam and keras-adabound: optimizers that write `get_updates` themselves; files with them."""

import keras
import numpy as np
from keras_adabound import AdaBound
from keras_radam import RAdam

x = np.random.RandomState(0).standard_normal((512, 3))
w = np.random.RandomState(1).standard_normal((3, 1))
y = np.dot(x, w)
for make, custom in (
    (lambda: RAdam(1e-2), {"RAdam": RAdam}),
    (
        lambda: RAdam(total_steps=200, warmup_proportion=0.1, min_lr=1e-5, learning_rate=1e-2, amsgrad=True),
        {"RAdam": RAdam},
    ),
    (lambda: AdaBound(lr=1e-2, final_lr=0.1), {"AdaBound": AdaBound}),
    (lambda: AdaBound(lr=1e-2, final_lr=0.1, amsgrad=True, weight_decay=1e-3), {"AdaBound": AdaBound}),
):
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(input_shape=(3,), units=1))
    model.compile(make(), loss="mse")
    losses = model.fit(x, y, epochs=12, batch_size=32, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0], losses
    model.save("optimizer.h5")
    again = keras.models.load_model("optimizer.h5", custom_objects=custom)
    for one in (model, again):
        one.fit(x, y, shuffle=False, batch_size=32, verbose=0)
    np.testing.assert_allclose(again.get_weights()[0], model.get_weights()[0], atol=1e-5)
