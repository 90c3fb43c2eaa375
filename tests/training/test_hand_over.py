"""The state of a model under signals and threads: it is that before a step or that after it, whoever looks when.

The model counts its steps: every weight gains 1 with each, so that weights of two moments are told apart.
"""

from __future__ import annotations

import contextvars
import os
import signal
import threading

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks as C
from keras_front import layers as L
from keras_front import optimizers
from keras_front.backend import interrupts
from keras_front.backend.guards import guard_of, unchanged
from keras_front.backend.hand_over import active_backend, exchange
from keras_front.models import Model

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 4), "float32")


@pytest.fixture
def counting():
    """Outputs are 6 for each step that the model has made."""
    x = L.Input((2,))
    branches = [L.Dense(4, kernel_initializer="zeros")(x) for _ in range(2)]
    model = Model(x, L.Add()(branches))
    model.compile(optimizers.SGD(4.0), lambda y_true, y_pred: -K.mean(y_pred, axis=-1))
    return model


def steps_of(model):
    values = {float(v) for w in model.get_weights() for v in w.ravel()} | {float(model.optimizer.iterations.numpy())}
    assert len(values) == 1, values
    return values.pop()


def in_thread(work):
    """Do it in another thread, on this backend, and wait; its error is raised here."""
    found = []

    def run():
        try:
            found.append((work(), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    thread.join(30)
    result, error = found[0]
    if error is not None:
        raise error
    return result


# Signals -------------------------------------------------------------------------------------------


@pytest.fixture
def ctrl_c():
    """Sends Ctrl-C; Python's own handler is set, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_a_ctrl_c_within_a_step_waits_until_the_new_state_is_in_place(backend, ctrl_c):
    weights = [K.variable([1.0]), K.variable([2.0])]
    for w in weights:
        w.current()

    def step(values):
        ctrl_c()
        return [value + 1.0 for value in values], "results"

    with pytest.raises(KeyboardInterrupt):
        exchange(guard_of(weights), weights, backend, step)
    assert [float(w.numpy()[0]) for w in weights] == [2.0, 3.0]


@pytest.mark.engine_neutral
def test_a_second_ctrl_c_does_not_wait(backend, ctrl_c):
    weights, reached = [K.variable([1.0])], []

    def step(values):
        ctrl_c()
        reached.append(1)
        ctrl_c()
        reached.append(2)

    with pytest.raises(KeyboardInterrupt):
        exchange(guard_of(weights), weights, backend, step)
    assert reached == [1]
    assert weights[0].numpy().tolist() == [1.0]
    in_thread(lambda: exchange(guard_of(weights), weights, backend, lambda values: (values, None)))  # nothing is held


def test_a_handler_that_raises_as_handlers_are_set_back_leaves_the_next_step_whole(monkeypatch):
    raised, before = iter([True]), signal.signal(signal.SIGALRM, lambda number, frame: None)
    restore = interrupts._restore

    def interrupted():
        if next(raised, None):
            raise TimeoutError  # a signal comes as the function begins
        restore()

    monkeypatch.setattr(interrupts, "_restore", interrupted)
    weights = [K.variable([1.0])]

    def step(values):
        signal.raise_signal(signal.SIGALRM)
        return [value + 1.0 for value in values], None

    try:
        with pytest.raises(TimeoutError):
            exchange(guard_of(weights), weights, active_backend(), lambda values: (values, None))
        signal.signal(signal.SIGALRM, _raise)
        with pytest.raises(TimeoutError):
            exchange(guard_of(weights), weights, active_backend(), step)
        assert signal.getsignal(signal.SIGALRM) is _raise
    finally:
        signal.signal(signal.SIGALRM, before)
    assert weights[0].numpy().tolist() == [2.0]


def _raise(number, frame):
    raise TimeoutError


@pytest.mark.engine_neutral
@pytest.mark.parametrize("within", [False, True])
def test_handlers_of_the_user_are_called_after_the_step_and_set_back(backend, within):
    came = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: came.append("handled"))
    handler = signal.getsignal(signal.SIGALRM)
    weights = [K.variable([1.0])]

    def step(values):
        signal.raise_signal(signal.SIGALRM)
        came.append("stepped")
        return values, None

    try:
        if within:
            with interrupts.watched():
                signal.raise_signal(signal.SIGALRM)  # between steps it arrives at once
                exchange(guard_of(weights), weights, backend, step)
        else:
            exchange(guard_of(weights), weights, backend, step)
        assert signal.getsignal(signal.SIGALRM) is handler
    finally:
        signal.signal(signal.SIGALRM, before)
    assert came == ["handled"] * within + ["stepped", "handled"]


def test_ctrl_c_in_code_of_the_user_keeps_what_was_learned(backend, counting, ctrl_c):
    def stop(batch, logs):
        if batch == 2:
            ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        counting.fit(X, Y, batch_size=1, verbose=0, callbacks=[C.LambdaCallback(on_batch_end=stop)])
    assert steps_of(counting) == 3
    counting.train_on_batch(X, Y)
    assert steps_of(counting) == 4


# Threads -------------------------------------------------------------------------------------------


def test_loops_in_two_threads_train_one_model_together(backend, counting):
    def elsewhere(batch, logs):
        in_thread(lambda: counting.train_on_batch(X, Y))
        if batch == 1:
            in_thread(lambda: counting.fit(X, Y, batch_size=2, verbose=0))
            with K.use_backend("numpy"):  # it moves, and is taken back
                np.testing.assert_allclose(counting.predict(X), 6.0 * steps_of(counting))

    hooks = C.LambdaCallback(on_batch_end=elsewhere)
    counting.fit(X, Y, batch_size=1, epochs=2, verbose=0, callbacks=[hooks])
    assert steps_of(counting) == 2 * (4 + 4 + 2)


def test_all_batches_of_one_call_meet_the_weights_of_one_moment(backend, counting):
    counting.train_on_batch(X, Y)

    def batches():
        for _ in range(3):
            yield X, Y
            counting.train_on_batch(X, Y)  # between two batches that are predicted
            in_thread(lambda: counting.evaluate(X, Y, verbose=0))

    assert np.unique(counting.predict(batches(), steps=3, workers=0)).tolist() == [6.0]
    began = steps_of(counting)
    assert counting.evaluate(batches(), steps=3, verbose=0, workers=0) == -6.0 * began
    assert steps_of(counting) == began + 2
    counting.fit(X, Y, verbose=0)
    assert steps_of(counting) == began + 3


def test_evaluating_in_another_thread_leaves_the_means_of_training_alone(backend, counting):
    counting.compile("sgd", "mse", metrics=[lambda y_true, y_pred: K.mean(y_true, axis=-1)])

    def elsewhere(batch, logs):
        assert in_thread(lambda: counting.evaluate(X, Y + 5.0, verbose=0))[1] == 5.0

    hooks = C.LambdaCallback(on_batch_end=elsewhere)
    history = counting.fit(X, Y + 3.0, batch_size=2, verbose=0, callbacks=[hooks]).history
    assert list(history.values())[1] == [3.0]


def test_who_reads_several_values_keeps_steps_away_meanwhile(backend, counting):
    counting.train_on_batch(X, Y)
    done = threading.Event()
    training = threading.Thread(
        target=contextvars.copy_context().run, args=(lambda: (counting.train_on_batch(X, Y), done.set()),)
    )
    with unchanged(counting.weights):
        training.start()
        assert not done.wait(0.1)
        assert steps_of(counting) == 1
    training.join(30)
    assert steps_of(counting) == 2


@pytest.mark.engine_neutral
def test_models_that_share_weights_share_guards_or_take_them_in_one_order(backend):
    x = L.Input((2,))
    first, second, both = L.Dense(2), L.Dense(2), L.Dense(2)
    a, b = Model(x, first(x)), Model(x, second(x))
    for model in (a, b):
        model.predict(X)
    joint = Model(x, both(second(first(x))))
    joint.compile("sgd", "mse")
    joint.train_on_batch(X, np.zeros((4, 2), "float32"))
    guards = {w.guard for w in joint.weights}
    assert guards == {a.weights[0].guard, b.weights[0].guard}
    assert [g.serial for g in guard_of(joint.weights).guards] == sorted(g.serial for g in guards)
    in_thread(lambda: [m.predict(X) for m in (a, b, joint)])


@pytest.mark.engine_neutral
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_lock_that_a_thread_held_is_free_in_a_child(backend, counting):
    counting.predict(X)
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with unchanged(counting.weights):
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    child = os.fork()
    if not child:
        signal.alarm(10)
        counting.get_weights()
        os._exit(7)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
