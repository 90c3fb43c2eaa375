"""Training that tf_keras recorded: the same history, the same evaluation, the same final weights."""

from __future__ import annotations

from types import SimpleNamespace

import interop
import numpy as np
import pytest

from keras_front import layers as L
from keras_front import optimizers
from keras_front.models import Sequential

# The gradient of a bias before a batch normalization is rounding noise, which RMSprop scales up to whole steps.
NOISY = {"fit_fit_07": 5e-2}
# Where the targets are class numbers the recorder took column 0 of each target as its class.
NOT_COMPARED = {("fit_fit_09", "accuracy")}
KNOWN = {"optimizer", "loss", "metrics", "class_weight", "sample_weight", "sparse"}


def layers_of(entry):
    missing = [name for name in entry["layers"] if not hasattr(L, name)]
    if missing:
        pytest.skip(f"needs the layers {', '.join(missing)}")
    return eval(entry["code"], {"L": L})


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("entry", interop.cases("fit"))
def test_the_same_run_as_real_keras(backend, entry):
    options, arrays = entry["options"], interop.arrays(entry["npz"])
    assert set(options) <= KNOWN
    model = Sequential([L.Input(shape=tuple(entry["shapes"][0])), *layers_of(entry)])
    optimizer = eval(options["optimizer"], {"O": SimpleNamespace(**vars(optimizers))})
    model.compile(optimizer, options["loss"], metrics=options["metrics"])
    model.set_weights([arrays[f"start{i}"] for i in range(len(model.weights))])
    extra = {}
    if "class_weight" in options:
        extra["class_weight"] = {int(k): v for k, v in options["class_weight"].items()}
    if "sample_weight" in options:
        extra["sample_weight"] = arrays["sample_weight"]
    x, y = arrays["x0"], arrays["t0"]
    history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0, **extra).history
    compared = [name for name in history if (entry["name"], name) not in NOT_COMPARED]
    for name in compared:
        np.testing.assert_allclose(history[name], entry["history"][name], rtol=2e-4, err_msg=name)
    tolerance = NOISY.get(entry["name"], 2e-4)
    evaluated = dict(zip(model.metrics_names, model.evaluate(x, y, batch_size=5, verbose=0)))
    recorded = dict(zip(entry["metrics_names"], entry["evaluate"]))
    for name in compared:
        assert evaluated[name] == pytest.approx(recorded[name], rel=tolerance)
    for i, got in enumerate(model.get_weights()):
        np.testing.assert_allclose(got, arrays[f"w{i}"], rtol=tolerance, atol=tolerance, err_msg=entry["weights"][i])
    np.testing.assert_allclose(model.predict(x), arrays["y0"], rtol=tolerance, atol=tolerance)
