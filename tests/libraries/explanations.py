"""innvestigate: what in an image a net goes by, by eleven methods."""

import innvestigate
import innvestigate.utils as iutils
import keras
import numpy as np

layers = keras.layers
model = keras.models.Sequential(
    [
        layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy")
without_softmax = iutils.keras.graph.model_wo_softmax(model)
x = np.random.RandomState(0).rand(2, 8, 8, 1)
found = {}
for name in (
    "gradient", "deconvnet", "guided_backprop", "input_t_gradient", "lrp.z", "lrp.epsilon", "lrp.alpha_2_beta_1",
    "lrp.sequential_preset_a", "deep_taylor", "random",
):  # fmt: skip
    found[name] = innvestigate.create_analyzer(name, without_softmax).analyze(x)
    assert found[name].shape == x.shape, name
np.testing.assert_allclose(found["input_t_gradient"], found["gradient"] * x, atol=1e-6)
assert np.isfinite(found["lrp.z"]).all()
