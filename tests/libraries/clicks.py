"""deepctr: rates of clicks from sparse and dense features, by three models."""

import numpy as np
from deepctr.feature_column import DenseFeat, SparseFeat
from deepctr.models import AutoInt, DeepFM, xDeepFM

columns = [SparseFeat("c1", vocabulary_size=10, embedding_dim=4), SparseFeat("c2", 8, 4), DenseFeat("d1", 1)]
rng = np.random.RandomState(0)
x = {"c1": rng.randint(0, 10, 32), "c2": rng.randint(0, 8, 32), "d1": rng.rand(32)}
y = rng.randint(0, 2, 32)
for make in (DeepFM, xDeepFM, AutoInt):
    model = make(columns, columns, task="binary")
    model.compile("adam", "binary_crossentropy", metrics=["binary_crossentropy"])
    history = model.fit(x, y, batch_size=16, epochs=1, verbose=0, validation_split=0.25).history
    assert np.isfinite(history["val_loss"]).all(), make
    assert model.predict(x, 32).shape == (32, 1)
