"""keras-adamw: decay of weights, rates by layer and restarts by a cosine, with penalties that it takes over."""

import keras.backend as K
import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model, load_model
from keras.regularizers import l1, l1_l2, l2
from keras_adamw import SGDW, AdamW, NadamW

x, y = np.random.RandomState(0).rand(10, 12, 4), np.arange(10)[:, None] % 2
for optimizer_class in (AdamW, NadamW, SGDW):
    inputs = Input(shape=(12, 4))
    h = LSTM(8, name="lstm_1", kernel_regularizer=l1(1e-4), recurrent_regularizer=l2(2e-4))(inputs)
    model = Model(inputs, Dense(1, activation="sigmoid", kernel_regularizer=l1_l2(1e-4, 2e-4))(h))
    optimizer = optimizer_class(
        lr=1e-3, model=model, lr_multipliers={"lstm_1": 0.5}, use_cosine_annealing=True, total_iterations=24
    )
    model.compile(optimizer, loss="binary_crossentropy")
    before = model.get_weights()[0]
    for _ in range(3):
        for _ in range(8):
            assert np.isfinite(model.train_on_batch(x, y))
        assert 0 < K.eval(optimizer.eta_t) <= 1
        K.set_value(optimizer.t_cur, 0)
    assert not np.allclose(before, model.get_weights()[0])
    model.save("decay.h5")
    again = load_model("decay.h5", custom_objects={optimizer_class.__name__: optimizer_class})
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)
