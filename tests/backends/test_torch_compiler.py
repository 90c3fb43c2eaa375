"""`compile(jit_compile=...)`; what goes through `torch.compile` is in `torch_compiler_whole.py`, which takes longer."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.utils import set_random_seed


@pytest.mark.backends("torch")
def test_results_of_a_graph_are_the_callers(backend):
    from keras_front_torch import compiler

    graphed = compiler.Graphed(lambda x, y: [x.add_(1), x * y], lambda run: (run(), lambda: None))
    x, y = K.constant([1.0, 2.0]), K.constant([3.0, 4.0])
    first = graphed(x, y)
    assert first[0] is graphed.places[0]  # a state, which goes in again as it is
    assert first[1] is not graphed.results[1]
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.backends("numpy", "tensorflow")
def test_other_backends_take_the_same_argument(backend):
    found = []
    for jit in (True, False):
        set_random_seed(3)
        model = Sequential([Dense(2, input_shape=(3,))])
        model.compile("sgd", "mse", jit_compile=jit)
        x = np.ones((4, 3), "float32")
        found.append([model.train_on_batch(x, np.ones((4, 2))), model.predict(x)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5)


@pytest.mark.backends("tensorflow")
def test_tensorflow_compiles_loops_of_steps_by_xla_as_well(backend, monkeypatch):
    from keras_front_tensorflow import backend as adapter

    class Recording(adapter.FlatFunction):
        def __init__(self, *args, jit=False, **kwargs):
            asked.append((jit, "long" in kwargs))  # a loop has data of any length
            super().__init__(*args, jit=jit, **kwargs)

    asked = []
    monkeypatch.setattr(adapter, "FlatFunction", Recording)
    model = Sequential([Dense(2, input_shape=(5,))])
    model.compile("sgd", "mse", jit_compile=True)
    first, last = model.fit(np.ones((16, 5)), np.ones((16, 2)), batch_size=2, epochs=2, verbose=0).history["loss"]
    assert last < first
    assert (True, True) in asked
