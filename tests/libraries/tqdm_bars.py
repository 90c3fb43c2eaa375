"""keras-tqdm: progress bars as callbacks."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras_tqdm import TQDMCallback

x = np.random.RandomState(0).normal(size=(64, 4))
model = Sequential([Dense(1, input_dim=4)])
model.compile("sgd", "mse", metrics=["mae"])
for settings in ({}, {"leave_inner": False, "leave_outer": False}, {"show_inner": False}):
    model.fit(x, x.sum(axis=1), nb_epoch=2, verbose=0, validation_split=0.25, callbacks=[TQDMCallback(**settings)])
