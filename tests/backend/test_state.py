"""Variables, frames, and how values move between backends."""

import copy
import pickle

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import discovery
from keras_front.errors import ShapeError, StateError


def test_reads_and_assignments_stay_in_the_frame(backend):
    v, w = K.variable([1.0, 2.0]), K.variable([5.0])
    with K.bind([v], [K.convert(np.array([7.0, 8.0], "float32"))]) as frame:
        v.assign(v + w)
        assert K.to_numpy(frame.values_of([v])[0]).tolist() == [12, 13]
    assert v.numpy().tolist() == [1, 2]


def test_frames_nest(backend):
    v, w = K.variable(1.0), K.variable(2.0)
    with K.bind([v, w], [K.convert(np.float32(10)), K.convert(np.float32(20))]) as outer:
        with K.bind([v], [K.convert(np.float32(100))]) as inner:
            v.assign(v + w)
            w.assign(v * 1.0)
        assert float(K.to_numpy(inner.values_of([v])[0])) == 120
        assert [float(K.to_numpy(x)) for x in outer.values_of([v, w])] == [10, 120]


def test_a_step_is_a_pure_function(backend):
    v = K.variable([1.0])

    def step(state, batch):
        with K.bind([v], state) as frame:
            K.update_add(v, batch[0])
            return frame.values_of([v]), K.sum(v)

    compiled = K.compile(step)
    state = [v.value]
    for _ in range(3):
        state, total = compiled(state, [np.array([2.0], "float32")])
    assert float(K.to_numpy(total)) == 7
    assert v.numpy().tolist() == [1]


def test_assigning_a_symbol_outside_a_step_is_an_error_that_names_the_variable(backend):
    v = K.variable([1.0], name="counter")
    with pytest.raises(StateError, match="counter"):
        K.compile(lambda x: v.assign(x))(np.ones(1, "float32"))


def test_variables_of_no_frame_are_read_at_each_call(backend):
    v = K.variable([1.0])
    double = K.compile(lambda x: x + v)
    assert K.to_numpy(double(np.ones(1, "float32"))).tolist() == [2]
    v.assign([5.0])
    assert K.to_numpy(double(np.ones(1, "float32"))).tolist() == [6]


def test_values_move_to_the_backend_that_uses_them(backend):
    v = K.variable(np.arange(6.0).reshape(2, 3))
    with K.use_backend("numpy"):
        v.assign(v.value + 1)
    assert backend.is_tensor(v.value)
    np.testing.assert_array_equal(v.numpy(), np.arange(6.0).reshape(2, 3) + 1)


def test_a_copy_of_the_value_is_not_the_value(backend):
    v = K.variable([1.0, 2.0])
    v.numpy()[:] = 9
    given = np.array([3.0, 4.0], "float32")
    v.assign(given)
    given[:] = 9
    assert K.get_value(v).tolist() == [3, 4]


def test_two_variables_never_share_memory(backend):
    """A step may reuse the memory of its state, so each variable needs its own."""
    given = K.convert(np.ones(2, "float32"))
    v, w = K.zeros((2,)), K.zeros((2,))
    v.assign(given)
    w.assign(given)

    def step(state, batch):
        with K.bind([v, w], state) as frame:
            K.update_add(v, batch[0])
            return frame.values_of([v, w]), K.sum(v)

    state, _ = K.compile(step, donate=(0,))([v.value, w.value], [np.ones(2, "float32")])
    assert [K.to_numpy(s).tolist() for s in state] == [[2, 2], [1, 1]]


def test_dtypes_of_variables(backend):
    assert K.variable([1.0, 2.0]).dtype == "float32"
    for value in (np.arange(3), 1, True, np.float64(2)):  # in every version of Keras
        assert K.variable(value).dtype == K.dtype(K.constant(value)) == "float32"
    assert K.variable(np.arange(3), dtype="int64").dtype == K.dtype(K.constant(np.arange(3), "int64")) == "int64"


def test_wrong_shapes_are_refused_and_nothing_changes():
    v, w = K.variable([1.0, 2.0]), K.variable([3.0])
    with pytest.raises(ShapeError, match=r"shape \(2,\) to a value of shape \(3,\)"):
        v.assign([1, 2, 3])
    with pytest.raises(ValueError, match="shape"):
        K.batch_set_value([(w, [7.0]), (v, [1.0, 2.0, 3.0])])
    assert w.numpy().tolist() == [3]


def test_an_initial_value_may_be_made_late():
    calls = []

    def make():
        calls.append(1)
        return np.ones((2, 2))

    v = K.Variable(make, shape=(2, 2))
    assert not calls
    assert v.numpy().sum() == 4
    assert v.numpy().sum() == 4
    assert len(calls) == 1


def test_variables_survive_pickling_and_copying():
    v = K.variable([1.0, 2.0], name="kernel")
    for twin in (pickle.loads(pickle.dumps(v)), copy.deepcopy(v)):
        twin.assign([5.0, 6.0])
        assert twin.name == "kernel"
    assert v.numpy().tolist() == [1, 2]


def test_adopted_variables_follow_the_list(backend):
    v = K.variable([1.0])
    state = [v.value]
    v.adopt(state, 0, discovery.active())
    state[0] = K.convert(np.array([4.0], "float32"))
    assert v.numpy().tolist() == [4]
    v.assign([5.0])
    assert K.to_numpy(state[0]).tolist() == [5]
    v.release()
    state[0] = None
    assert v.numpy().tolist() == [5]
