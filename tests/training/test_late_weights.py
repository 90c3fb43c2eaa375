"""Large weights take no memory until their values are asked for, and are the same numbers then."""

from __future__ import annotations

import copy
import pickle
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import initializers
from keras_front.backend.seeds import set_random_seed
from keras_front.errors import ShapeError
from keras_front.layers import Dense, Layer
from keras_front.models import Sequential

pytestmark = pytest.mark.engine_neutral
SIZE = 280  # a kernel of 78,400 elements is large


def made():
    set_random_seed(4)
    names = ("glorot_uniform", "he_normal", "orthogonal", "random_normal", "ones")
    model = Sequential([Dense(SIZE, kernel_initializer=name) for name in names])
    model.build((None, SIZE))
    model.compile("adam", "mse")
    return model


def is_drawn(weight):
    return weight._values[weight._index] is not None


def test_a_model_of_a_billion_weights_is_built_without_them():
    code = textwrap.dedent("""
        import resource
        from keras_front.layers import Dense
        from keras_front.models import Sequential
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model = Sequential([Dense(16384, input_shape=(16384,)), *(Dense(16384) for _ in range(3))])
        model.compile("adam", "mse")
        model.summary(print_fn=lambda line: None)
        print(model.count_params(), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """)
    count, grown = map(int, in_new_process(code).split())
    assert count > 1_000_000_000
    assert grown < 64  # MiB


def test_the_numbers_do_not_depend_on_what_is_read_first(backend):
    model, other = made(), made()
    assert [is_drawn(w) for w in model.weights] == [False, True] * 5
    expected = model.get_weights()
    for found, wanted in zip([w.numpy() for w in other.weights[::-1]][::-1], expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    later = made()
    set_random_seed(5)
    later.train_on_batch(np.ones((2, SIZE)), np.ones((2, SIZE)))
    other.train_on_batch(np.ones((2, SIZE)), np.ones((2, SIZE)))
    for found, wanted in zip(later.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_copies_and_threads_see_one_value(backend):
    model, untouched = made(), made()
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(untouched))
    expected = made().get_weights()
    for again in (model, *copies):
        for found, wanted in zip(again.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    kernel = made().weights[0]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: kernel.numpy(), range(8)):
            np.testing.assert_array_equal(found, expected[0])


def test_files_are_read_without_drawing(backend, tmp_path, monkeypatch):
    model = made()
    model.save_weights(str(tmp_path / "w.h5"))
    monkeypatch.setattr(initializers.RandomInitializer, "draw", None)
    other = made()
    other.load_weights(str(tmp_path / "w.h5"))
    for found, wanted in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_what_may_differ_later_is_drawn_at_once():
    class Own(Layer):
        def __init__(self, initializer, shape):
            super().__init__()
            self.weight = self.add_weight("w", shape, initializer=initializer)

    class Doubled(initializers.RandomNormal):
        def __call__(self, shape, dtype=None):
            return 2 * super().__call__(shape, dtype)

    square = (SIZE, SIZE)
    shared = initializers.RandomNormal(seed=1)
    for initializer in (
        shared,
        lambda shape, dtype=None: K.ones(shape),
        Doubled(),
        initializers.Constant(np.ones(square)),
    ):
        assert is_drawn(Own(initializer, square).weight)
    assert not is_drawn(Own(initializers.Constant(2), square).weight)
    with pytest.raises(ShapeError, match="Orthogonal"):
        Own("orthogonal", (SIZE * SIZE,))
