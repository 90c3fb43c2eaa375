"""Schedules of the NumPy backend: plain records, which say where every tensor lies before any code is written."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import discovery, program
from keras_front_numpy.arena import Arena, Layout
from keras_front_numpy.buffers import BufferPool, Operand
from keras_front_numpy.codegen.emit import EMITTERS
from keras_front_numpy.codegen.printer import generate
from keras_front_numpy.schedule.data import Loop, Operation, Schedule, Steps
from keras_front_numpy.schedule.program import donated_leaves, schedule
from keras_front_numpy.schedule.rules_updates import side_by_side

X = np.linspace(-1, 1, 64, dtype="float32").reshape(8, 8)


@pytest.fixture(autouse=True)
def numpy_backend():
    with discovery.use_backend("numpy") as engine:
        yield engine


def scheduled(fn, *args, donate=()):
    traced = program.trace(discovery.active(), fn, args, donate)
    state = donated_leaves(traced)
    layout = Layout([(t.shape, t.dtype) for t in state], side_by_side(traced.instructions, state))
    arena = Arena(layout)
    return schedule(traced, arena), arena


def operands(item):
    """All operands in a schedule, its operations and its loops."""
    if isinstance(item, Operand):
        yield item
    elif isinstance(item, Schedule):
        yield from operands([item.operations, item.results])
    elif isinstance(item, Operation):
        yield from operands([item.inputs, item.outputs, item.scratch, item.attrs.get("loop")])
    elif isinstance(item, Loop):
        yield from operands(item.body)
    elif isinstance(item, list | tuple):
        for part in item:
            yield from operands(part)


def bytes_of_buffers(found):
    """The bytes of the buffers that a schedule uses, each counted once."""
    buffers = {id(o.buffer.memory): o.buffer.memory.nbytes for o in operands(found) if o.buffer and not o.buffer.pinned}
    return sum(buffers.values())


def test_records_cannot_be_changed():
    found, _ = scheduled(lambda x: K.scan(lambda carry, xs: ([carry[0] + xs[0]], [carry[0]]), [x[0]], [x]), X)
    (loop,) = (operation.attrs["loop"] for operation in found.operations if operation.kind == "loop")
    for record, name in ((found, "operations"), (found.operations[0], "inputs"), (loop, "body")):
        with pytest.raises(AttributeError):
            setattr(record, name, ())
    assert all(isinstance(part, Operation) for part in (*found.operations, *loop.body))
    assert all(isinstance(steps, Steps) for steps in loop.steps)


def test_a_loop_in_a_loop_is_a_schedule_in_a_schedule():
    def rows(carry, xs):
        inner, _ = K.scan(lambda c, x: ([c[0] * 0.5 + x[0]], []), [carry[0]], [xs[0]])
        return inner, [inner[0]]

    def fn(x):
        return K.scan(rows, [K.zeros_like(x[0, 0])], [x])

    cube = np.arange(24, dtype="float32").reshape(2, 3, 4)
    found, _ = scheduled(fn, cube)
    outer = next(o.attrs["loop"] for o in found.operations if o.kind == "loop")
    inner = next(o.attrs["loop"] for o in outer.body if o.kind == "loop")
    assert (outer.length, inner.length) == (2, 3)
    expected = np.zeros(4, "float32")
    for row in cube.reshape(6, 4):
        expected = expected * 0.5 + row
    finals, _ = K.compile(fn)(cube)
    np.testing.assert_allclose(finals[0], expected, rtol=1e-6)


def test_the_memory_of_a_chain_does_not_grow_with_its_length():
    def chain(length):
        def fn(x):
            for _ in range(length):
                x = K.dot(x, K.transpose(x))
            return K.sum(x)

        return bytes_of_buffers(scheduled(fn, X)[0])

    assert chain(60) == chain(6) <= 4 * X.nbytes


def test_elements_are_computed_in_place():
    found, _ = scheduled(lambda x: K.sum(K.tanh(K.exp(x * 2.0) + 1.0)), X)
    assert bytes_of_buffers(found) <= X.nbytes + 64
    multiplied, raised = found.operations[:2]
    assert raised.inputs[0].array is raised.outputs[0].array is multiplied.outputs[0].array


def test_what_is_read_later_is_not_written_over():
    found, _ = scheduled(lambda x: K.sum((x * 2.0) + K.exp(x * 2.0)), X)
    multiplied, raised = found.operations[:2]
    assert not np.shares_memory(multiplied.outputs[0].array, raised.outputs[0].array)


def test_state_is_written_where_it_lies():
    found, arena = scheduled(lambda state, x: ([state[0] + x], K.sum(x)), [X], X, donate=(0,))
    added = next(operation for operation in found.operations if operation.name == "add")
    assert np.shares_memory(added.outputs[0].array, arena.memory)


def test_gradients_of_an_update_lie_side_by_side():
    def step(state, x):
        def loss(params):
            return K.sum(K.square(K.dot(K.dot(x, params[0]), params[1]))), []

        (value, _), grads = K.value_and_grad(loss, state)
        return K.sgd_update(state, grads, [], 0.1)[0], value

    found, _ = scheduled(step, [X, X], X, donate=(0,))
    written = [out for o in found.operations for out in o.outputs if out.label == "g"]
    first, second = sorted(operand.array.__array_interface__["data"][0] for operand in written)
    assert second - first == X.nbytes
    assert [operation.kind for operation in found.operations].count("copy") == 0


def test_the_text_follows_from_the_schedule():
    found, arena = scheduled(lambda state, x: ([state[0] * 0.5 + x], K.mean(x)), [X], X, donate=(0,))
    texts = [generate(found, arena.views, EMITTERS)[0] for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("def program(args0, x1):")


def test_a_pool_gives_the_smallest_buffer_that_is_large_enough():
    pool = BufferPool()
    small, large = pool.take((16,), "float32"), pool.take((512,), "float32")
    for operand in (large, small):
        pool.give(operand.buffer)
    assert pool.take((10,), "float32").buffer.memory.nbytes == 64
    assert pool.take((500,), "float32").buffer.memory.nbytes == 2048
    assert pool.total == 64 + 2048
