"""What declarations say about ops, held against what the ops do; programs are data."""

import dataclasses

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import program, symbolic
from keras_front.backend.op import OPS, primitives
from keras_front.testing import conformance

TABLE = conformance.table()
FRESH = sorted(name for name, op in OPS.items() if op.facts.fresh and name in TABLE)


def leaves(structure):
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in leaves(item)]
    return [] if structure is None else [structure]


@pytest.mark.backends("numpy", "torch")  # engines whose tensors change
@pytest.mark.parametrize("name", FRESH)
def test_what_is_declared_fresh_shares_no_memory(backend, name):
    for case in TABLE[name]:
        if not OPS[name].facts.is_fresh(case.attrs):
            continue
        given = [[K.convert(a) for a in x] if isinstance(x, list) else None if x is None else K.convert(x)
                 for x in case.arrays]  # fmt: skip
        with np.errstate(all="ignore"):
            results = leaves(OPS[name].function(*given, **case.attrs))
        for x in leaves(given):
            for y in results:
                assert not np.may_share_memory(backend.to_numpy(x), backend.to_numpy(y)), case


def test_facts_name_arguments_that_there_are():
    for op in OPS.values():
        assert set(op.facts.replaces) <= {name for name, _ in op.arrays}, op


def test_primitives_that_convolve_say_so():
    said = {name for name, op in OPS.items() if op.facts.convolves}
    assert said == {name for name in primitives() if name.startswith("conv")}


@pytest.mark.parametrize("name", sorted(name for name, op in OPS.items() if op.facts.neutral))
def test_a_neutral_number_leaves_the_other_argument(name):
    values = np.array([-2.5, 0.5, 3.0])
    for place, number in enumerate(OPS[name].facts.neutral):
        if number is not None:
            args = [values, values]
            args[place] = np.full(3, float(number))
            np.testing.assert_array_equal(K.eval(OPS[name].function(*map(K.constant, args))), values)


@pytest.mark.parametrize("name", sorted(name for name, op in OPS.items() if op.facts.keeps_elements and name in TABLE))
def test_what_keeps_elements_returns_its_argument_where_form_stays(name):
    for case in TABLE[name]:
        x, *rest = case.arrays
        result = K.eval(OPS[name].function(K.constant(x, x.dtype.name), *rest, **case.attrs))
        if result.shape == x.shape and result.dtype == x.dtype:
            np.testing.assert_array_equal(result, x)


@pytest.mark.backends("torch")
def test_a_step_of_light_ops_is_differentiated_by_the_rules_of_k(backend):
    def record(fn, size):
        x = K.placeholder((4, size))
        return symbolic.toposort([fn(x)])

    def dense(x):
        return K.sum(K.square(K.relu(K.dot(x, K.constant(np.ones((x.shape[1], 3)))))))

    assert backend.prefers_rules(record(K.tanh, 8))
    assert not backend.prefers_rules(record(K.tanh, 1 << 17))
    assert not backend.prefers_rules(record(lambda x: K.cumsum(x, axis=1), 8))
    trace = program.trace(backend, lambda p: K.value_and_grad(lambda q: (dense(q[0]), None), p)[1], [[K.ones((2, 8))]])
    assert all(i.op != "value_and_grad" for i in trace.instructions)


@pytest.mark.backends("jax")
def test_convolutions_are_seen_in_loops_and_in_what_is_differentiated(backend):
    if backend.devices()[0] != "cpu":
        pytest.skip("only on a CPU are convolutions slow inside of a loop")

    def convolved(x, kernel):
        return K.sum(K.conv2d(x, kernel, padding="same"))

    def in_a_loop(x, kernel):
        return K.scan(lambda c, _: ([c[0] + convolved(x, kernel)], []), [K.sum(x)], [], length=2)[0][0]

    def differentiated(x, kernel):
        return K.value_and_grad(lambda p: (convolved(x, p[0]), None), [kernel])[1][0]

    def dense(x, kernel):
        return K.sum(K.dot(x, kernel))

    x, kernel = K.ones((1, 4, 4, 2)), K.ones((3, 3, 2, 2))
    given = [K.convert(K.to_numpy(a)) for a in (x, kernel)]
    for fn, expected in ((convolved, False), (in_a_loop, False), (differentiated, False), (dense, True)):
        arguments = [[a] for a in given] if fn is not dense else [[given[0]], [given[0][0, 0, :2]]]
        made = program.trace(backend, lambda a, b, fn=fn: fn(a[0], b[0]), arguments)
        assert backend.supports_multi_step(made) is expected, fn


def test_every_operation_says_what_it_is():
    kinds = {"primitive", "composite", "host", "deferred"}
    assert {op.kind for op in OPS.values()} <= kinds
    assert {"scan", "custom_gradient", "value_and_grad", "gradients", "symbolic_shape", "getitem"} <= set(OPS)
    assert {name for name, op in OPS.items() if op.facts.has_body} == {
        "scan",
        "custom_gradient",
        "value_and_grad",
        "recompute",
    }


def test_programs_are_data(backend):
    """An adapter that rewrites a program makes another one."""
    x = K.convert(np.ones((3, 4), "float32"))
    made = program.trace(backend, lambda x: K.relu(K.exp(x) + 1.0), [x])
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.instructions = []
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.instructions[0].op = "other"
    before = [(i.op, dict(i.attrs)) for i in made.instructions]
    np.testing.assert_allclose(backend.to_numpy(backend.compile_program(made)(x)), np.e + 1, rtol=1e-6)
    assert [(i.op, dict(i.attrs)) for i in made.instructions] == before
