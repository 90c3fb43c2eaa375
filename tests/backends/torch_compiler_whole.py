"""Steps of torch through `torch.compile`, by a compiler that does nothing: run by `make test-compiler`."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from keras_front.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.utils import set_random_seed

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(12, 6, 6, 1)).astype("float32"), DRAW.normal(size=(12, 2)).astype("float32")


def trained(jit, optimizer="adam"):
    set_random_seed(3)
    layers = [
        Conv2D(2, 3, activation="relu", use_bias=False, input_shape=X.shape[1:]),
        MaxPooling2D(),
        BatchNormalization(),
        Flatten(),
    ]
    model = Sequential([*layers, Dropout(0.5), Dense(2)])
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=jit)
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return [*history.values(), model.predict(X), *model.get_weights()]


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.fixture
def compiler(backend, monkeypatch):
    """The module, with a compiler that counts what it is given."""
    from keras_front_torch import compiler

    def compile(graph, inputs):
        compiler.taken.append(graph)
        return graph.forward

    monkeypatch.setattr(compiler, "taken", [], raising=False)
    monkeypatch.setattr(compiler, "COMPILER", compile)
    return compiler


@pytest.mark.backends("torch")
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_compiled_step_gives_the_same_numbers_in_one_piece(backend, compiler, optimizer):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = trained(True, optimizer)
    assert len(compiler.taken) == 2  # training and prediction, each without a break
    assert_alike(found, trained("auto", optimizer))


@pytest.mark.backends("torch")
def test_a_step_that_the_compiler_refuses_runs_as_it_is_and_says_so(backend, compiler, monkeypatch):
    def refuse(graph, inputs):
        raise RuntimeError("no C++ compiler here")

    monkeypatch.setattr(compiler, "COMPILER", refuse)
    with pytest.warns(UserWarning, match="jit_compile=True: torch's compiler does not take this step"):
        found = trained(True)
    assert_alike(found, trained(False))


@pytest.mark.backends("torch")
def test_a_compiled_step_with_other_numbers_is_not_used(backend, compiler, monkeypatch):
    monkeypatch.setattr(compiler, "COMPILER", lambda graph, inputs: lambda *given: [t + 1 for t in graph(*given)])
    with pytest.warns(UserWarning, match="differ"):
        found = trained(True)
    assert_alike(found, trained(False))


@pytest.mark.backends("torch")
def test_graphs_write_in_place_and_are_repeated(backend, compiler, monkeypatch):
    repeated = []

    def record(run):  # as a graph: the same places are read and written each time
        results = run()

        def replay():
            repeated.append(True)
            for place, new in zip(results, run(), strict=True):
                place.copy_(new)

        return results, replay

    monkeypatch.setattr(compiler, "_recorded", record)
    monkeypatch.setattr(compiler, "has_graphs", lambda device: True)
    assert_alike(trained("cuda_graphs"), trained(False))
    assert len(repeated) >= 7
