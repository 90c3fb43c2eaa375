"""Child processes that a fork has made: other random numbers, and engines that work or say why they do not."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers as L
from keras_front.backend import discovery, forks, seeds
from keras_front.errors import BackendError
from keras_front.models import Sequential

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*"),  # of engines that other tests have loaded
]


def in_child(work):
    """What `work` returns in a child process, by way of JSON; it has ten seconds."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(10)
        try:
            os.write(write, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return json.loads(told)


def dropout_model():
    return Sequential([L.Dropout(0.5, input_shape=(32,)), L.Dense(2)])


def draws(model):
    """Initial weights, a shuffle, and noise of a step of a model that the parent has made."""
    new = L.Dense(2)
    new.build((None, 3))
    step = K.function(model.inputs, [model.layers[0](model.inputs[0], training=True)])
    return [
        new.get_weights()[0].ravel().tolist(),
        seeds.generator("shuffle").permutation(20).tolist(),
        step([np.ones((1, 32))])[0].ravel().tolist(),
        int(seeds.root_seed()),
    ]


@pytest.fixture
def nobody_set_a_seed(monkeypatch):
    for name, value in (("_root", None), ("_drawn", False), ("_inherited", None), ("_descent", ()), ("_children", 0)):
        monkeypatch.setattr(seeds, name, value)


@pytest.mark.slow
@pytest.mark.parametrize("drawn", [False, True])
def test_children_draw_other_numbers_than_their_parent_and_each_other(nobody_set_a_seed, drawn):
    with K.use_backend("numpy"):
        np.random.seed(3)
        model = dropout_model()
        if drawn:
            seeds.root_seed()
        first, second = (in_child(lambda: draws(model)) for _ in range(2))
        grandchild = in_child(lambda: in_child(lambda: draws(model)))
        mine = draws(model)
    for a, b, c, d in zip(first, second, grandchild, mine, strict=True):
        assert len({json.dumps(x) for x in (a, b, c, d)}) == 4
    seeds._children, seeds._root = 0, None
    np.random.seed(3)
    assert in_child(seeds.root_seed) == first[-1]  # a seed of NumPy's decides about children too


def test_a_seed_that_was_set_is_that_of_children_too():
    K.set_random_seed(5)
    assert in_child(seeds.root_seed) == 5


def test_a_child_that_seeds_numpy_draws_by_that_seed(nobody_set_a_seed):
    def seeded():
        np.random.seed(11)
        return seeds.root_seed()

    np.random.seed(3)
    found = [in_child(seeded), in_child(seeded)]
    assert found == [seeded(), seeded()]


def test_seeds_in_the_steps_of_a_model_follow(nobody_set_a_seed):
    with K.use_backend("numpy"):
        model = dropout_model()
        model.compile("sgd", "mse")
        model.train_on_batch(np.ones((2, 32)), np.ones((2, 2)))
        seed = model._compilation.steps.seed
        found = [in_child(lambda: [int(seed.numpy()), seeds.root_seed()]) for _ in range(2)]
    assert found[0][0] == found[0][1] != found[1][0] == found[1][1]
    assert int(seed.numpy()) == seeds.root_seed()


@pytest.mark.backends("numpy", "torch")
def test_a_model_trains_on_in_a_child(backend):
    model = Sequential([L.Dense(300, input_shape=(300,)), L.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.full((256, 300), 0.01, "float32"), np.ones((256, 1), "float32")
    model.fit(x, y, verbose=0)
    weights = model.get_weights()[1].tolist()

    def train():
        model.fit(x, y, verbose=0)
        return model.get_weights()[1].tolist()

    assert in_child(train) != weights
    assert model.get_weights()[1].tolist() == weights


def test_an_engine_that_cannot_be_forked_refuses_and_can_be_read(monkeypatch):
    numpy = discovery.get("numpy")

    class Threaded(type(numpy)):
        name, forks = "threaded", False

    engine = Threaded()
    monkeypatch.setitem(discovery._instances, "threaded", engine)

    def use():
        with K.use_backend("numpy"):
            read = v.value.tolist()  # it moves
        with K.use_backend(engine):
            try:
                K.eval(K.ones((2,)) + 1.0)
            except BackendError as error:
                return [read, str(error)]

    with K.use_backend(engine):
        v = K.variable([1.0, 2.0])
        v.current()
        read, said = in_child(use)
        assert K.eval(K.ones((2,)) + 1.0).tolist() == [2.0, 2.0]  # in the parent nothing has changed
    assert read == [1.0, 2.0]
    assert "threaded backend was in use when this process was forked" in said
    assert "spawn" in said
    assert forks._refusing(Threaded) is forks._refusing(Threaded)


def test_a_call_that_is_compiled_refuses_in_a_child_too(backend):
    if backend.forks:
        pytest.skip("this engine works in a child")
    model, x = Sequential([L.Dense(1, input_shape=(2,))]), np.ones((2, 2), "float32")
    for _ in range(2):
        model.predict(x)

    def child():
        try:
            model.predict(x)
        except BackendError as error:
            return str(error)

    assert "spawn" in in_child(child)
