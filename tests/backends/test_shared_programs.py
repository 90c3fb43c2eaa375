"""Equal models are compiled once; what differs in anything is not taken for the same."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import shared_programs
from keras_front.backend.seeds import set_random_seed
from keras_front.layers import Dense, Dropout, Lambda
from keras_front.models import Sequential

X, Y = np.linspace(0, 1, 24, dtype="float32").reshape(6, 4), np.ones((6, 1), "float32")


def fitted(factor=2.0, rate=0.5, seed=1):
    set_random_seed(seed)
    model = Sequential([Dense(3, input_shape=(4,)), Dropout(rate), Lambda(lambda x: x * factor), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    return model


@pytest.mark.backends("jax", "tensorflow")
def test_an_equal_model_is_not_compiled_again(backend, monkeypatch):
    calls: list[str] = []
    for name in ("compile_program", "compile_multi_step"):
        compile = getattr(type(backend), name)
        monkeypatch.setattr(
            type(backend), name, lambda *args, name=name, compile=compile: calls.append(name) or compile(*args)
        )
    shared_programs.forget()
    first, expected = fitted(), len(calls)
    assert expected
    values = first.get_weights()
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None  # what is kept knows nothing of the model
    for found, wanted in zip(fitted().get_weights(), values, strict=True):
        np.testing.assert_array_equal(found, wanted)
    other = fitted(seed=2).get_weights()  # seeds are arguments
    assert len(calls) == expected
    assert np.abs(other[0] - values[0]).max() > 0.01
    fitted(factor=3.0)
    assert len(calls) > expected
    K.clear_session()
    assert not shared_programs._compiled


class Engine:
    """An adapter as far as sharing looks at one."""

    shares_programs, name = True, "engine"


def shared(fn, *args, engine):
    """What `compiled` makes of the program of a function, as the number of the program that was compiled."""
    program = K.compile(fn).program(*args).changed(backend=engine)
    return shared_programs.compiled("call", program, lambda twin: [twin])


@pytest.mark.engine_neutral
def test_only_the_same_is_shared():
    with K.use_backend("numpy"):
        engine, x = Engine(), np.ones((2, 3), "float32")
        calls = [
            (lambda t: K.sum(t * 2.0), x),
            (lambda t: K.sum(t * 3.0), x),
            (lambda t: K.sum(t * 2.0, axis=0), x),
            (lambda t: K.sum(t + 2.0), x),
            (lambda t: K.sum(t * 2.0), np.ones((3, 2), "float32")),
            (lambda t: K.sum(t * 2.0), np.ones((2, 3), "float64")),
            (lambda t: K.sum(t * K.constant([1.0, 0.0, 2.0])), x),
            (lambda t: K.sum(t * K.constant([1.0, -0.0, 2.0])), x),
            (lambda t: K.in_train_phase(t * 5.0, t * 6.0), x),
            (lambda t: K.scan(lambda c, a: ([c[0] + a[0]], []), [t[0]], [t])[0][0], x),
            (lambda t: K.scan(lambda c, a: ([c[0] * a[0]], []), [t[0]], [t])[0][0], x),
        ]
        first = [shared(fn, arg, engine=engine) for fn, arg in calls]
        assert len({id(found) for found in first}) == len(calls)
        again = [shared(fn, arg, engine=engine) for fn, arg in calls]
        assert [id(found) for found in again] == [id(found) for found in first]
        fn, arg = calls[0]
        assert shared(fn, arg, engine=Engine()) is not first[0]
        with K.phase(1):
            assert shared(*calls[8], engine=engine) is not first[8]
        twin = first[0][0]
        assert all(t.origin is None and t.variable is None for t in twin.read())
        for _ in range(shared_programs.ENTRIES + 3):
            shared(lambda t, n=_: t + float(n), x, engine=engine)
        assert len(shared_programs._compiled) <= shared_programs.ENTRIES
        shared_programs.forget()
