"""Scheduled programs: the same numbers as the straight ones, state in place, no allocation, results that stay."""

import gc
import tracemalloc
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import codegen, discovery, program
from keras_front_numpy.backend import NumpyBackend

pytestmark = pytest.mark.usefixtures("numpy_backend")


@pytest.fixture
def numpy_backend():
    with discovery.use_backend("numpy") as engine:
        yield engine


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype("float32") for shape in shapes]


def leaves(structure):
    if isinstance(structure, list | tuple):
        return [leaf for item in structure for leaf in leaves(item)]
    return [np.array(structure)]


def copies(args):
    return [[np.array(a) for a in arg] if isinstance(arg, list) else np.array(arg) for arg in args]


def check(fn, *args, donate=(), calls=3, rtol=2e-4, atol=2e-5):
    """Planned and unplanned agree, several times in a row, also with the state carried on; the compiled function."""
    engine = discovery.active()
    compiled = K.compile(fn, donate=donate)
    plain = codegen.function_of(program.trace(engine, fn, args, donate))
    mine, theirs = copies(args), copies(args)
    for _ in range(calls):
        before = [np.array(a) for i, arg in enumerate(mine) if i not in donate for a in leaves(arg)]
        with np.errstate(all="ignore"):
            expected = plain(*theirs)
        got = compiled(*mine)
        for a, b in zip(leaves(got), leaves(expected), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
        after = [a for i, arg in enumerate(mine) if i not in donate for a in leaves(arg)]
        for a, b in zip(before, after, strict=True):
            np.testing.assert_array_equal(a, b)
        for k, place in enumerate(donate):
            mine[place], theirs[place] = got[k], [np.array(v) for v in expected[k]]
        if not donate:
            mine = copies(args) if calls else mine
    return compiled


X, Y, Z = arrays((6, 5), (6, 5), (5, 4))
CASES = {
    "chain": lambda x, y, z: K.exp(K.tanh(x * 2.0 + y) - K.sigmoid(y)) / (1.0 + x * x),
    "broadcast": lambda x, y, z: (x - K.mean(x, axis=0)) / (K.std(x, axis=1, keepdims=True) + 0.1),
    "views": lambda x, y, z: K.transpose(K.reshape(x + y, (5, 6)))[1:5, ::2] * K.reverse(y, 1)[:4, :3],
    "views of arguments": lambda x, y, z: [K.transpose(x), K.reshape(y, (3, 10)), x[2:, 1], K.flatten(z)],
    "the same twice": lambda x, y, z: [x + y, x + y, (x + y) * 2.0, x],
    "self": lambda x, y, z: (x * x + x) * (x + 0.0) - x,
    "transposed self": lambda x, y, z: K.dot(x, K.transpose(x)) + K.transpose(K.dot(x, K.transpose(x))),
    "products": lambda x, y, z: [K.dot(x, z), K.dot(K.transpose(y), x), K.batch_dot(x[:, :, None], y[:, None, :])],
    "batch product": lambda x, y, z: K.batch_dot(K.reshape(x, (2, 3, 5)), K.reshape(y, (2, 3, 5)), axes=(2, 2)),
    "sums": lambda x, y, z: [
        K.sum(x),
        K.sum(x, axis=0),
        K.sum(x * y, axis=1),
        K.sum(x + 1, (0, 1), True),
        K.prod(x, 1),
    ],
    "sums of single elements": lambda x, y, z: [
        K.sum(x[:, :1], 1) * 2.0,
        K.max(K.sum(y, 0, True), 0),
        K.any(x[:1] > 0.0, 0),
    ],
    "extremes": lambda x, y, z: [
        K.max(x, 0),
        K.min(x),
        K.argmax(x),
        K.argmin(y, 0),
        K.maximum(x, y),
        K.minimum(x, 0.1),
    ],
    "logic": lambda x, y, z: [K.any(x > 1.0, 1), K.all(x > -3.0, 0), K.cast(x > y, "float32"), K.cast(x * 9, "int32")],
    "where": lambda x, y, z: [
        K.where(x > y, x, y),
        K.where(x > 0.0, x, 0.0),
        K.where(x > 0.0, 0.0, x),
        K.clip(x, -1.0, 1),
    ],
    "activations": lambda x, y, z: [K.relu(x), K.relu(x, 0.1), K.elu(x), K.softplus(y), K.gelu(x), K.hard_sigmoid(y)],
    "softmax": lambda x, y, z: [K.softmax(x), K.log_softmax(y), K.logsumexp(x, axis=1), K.l2_normalize(x, axis=1)],
    "arrangement": lambda x, y, z: [K.concatenate([x, y], 0), K.stack([x, y], 1), K.tile(x, (2, 1)), K.repeat(x, 3)],
    "padding": lambda x, y, z: [K.temporal_padding(x[None], (1, 2)), K.spatial_2d_padding((x + y)[None, :, :, None])],
    "running": lambda x, y, z: [K.cumsum(x, axis=1), K.cumprod(y, axis=0), K.floor(x), K.round(x * 3)],
    "picks": lambda x, y, z: [K.gather(x, K.cast(np.array([[1, 0], [5, 5]]), "int32")), K.one_hot(K.argmax(x), 5)],
    "scalars": lambda x, y, z: K.sum(x) * 2.0 + K.max(y) / (K.sum(K.abs(z)) + 1.0),
    "constants": lambda x, y, z: [x * np.arange(5, dtype="float32"), K.zeros_like(x), x + K.ones_like(y)],
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_computes_what_the_program_says(name):
    check(CASES[name], X, Y, Z)


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("logic", "picks")])
def test_gradients(name):
    def fn(x, y, z):
        def loss(params):
            outputs = leaves_of(CASES[name](*params))
            return sum(K.sum(o * o + o) for o in outputs if K.dtype(o) == "float32"), outputs

        return K.value_and_grad(loss, [x, y, z])

    check(fn, X, Y, Z, rtol=1e-3, atol=1e-4)


def leaves_of(structure):
    return structure if isinstance(structure, list) else [structure]


IMAGES, KERNEL = arrays((4, 8, 8, 3), (3, 3, 3, 5))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_images(data_format, padding):
    images = IMAGES if data_format == "channels_last" else np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))

    def fn(x, k):
        def loss(params):
            h = K.relu(K.conv2d(params[0], params[1], (1, 1), padding, data_format))
            h = K.pool2d(h, (2, 2), (2, 2), padding, data_format, "max")
            h = K.pool2d(h, (2, 2), (1, 1), padding, data_format, "avg")
            return K.sum(h * h), h

        return K.value_and_grad(loss, [x, k])

    check(fn, images, KERNEL, rtol=1e-3, atol=1e-3)


def test_results_of_steps_that_are_views_or_made_elsewhere():
    x = arrays((4, 3, 1))[0]

    def step(carry, xs):
        total = K.sum(xs[0] * 2.0, axis=-1)
        ys = [total, K.relu(xs[0], 0.1), K.reshape(xs[0], (3,)), K.floor(K.cast(xs[0] * 9, "int32")), carry[0], total]
        return [carry[0] + total], ys

    check(lambda x: K.scan(step, [K.zeros_like(x[0, :, 0])], [x]), x)
    check(lambda x: K.scan(step, [K.zeros_like(x[0, :, 0])], [x * 2.0], reverse=True), x)


def test_arrays_in_another_byte_order():
    check(lambda x, y: [K.where(x > 0.0, x, y), K.dot(x, K.transpose(y)), x + y], X.astype(">f4"), Y.astype(">f4"))


def test_bias_and_rectifier_join_their_convolution():
    bias = np.linspace(-1, 1, 5).astype("float32")

    def fn(x, k, b):
        h = K.bias_add(K.conv2d(x, k), b)
        normal = K.batch_normalization(K.bias_add(K.conv2d(x, k * 4.0), b), b, b * b, b + 1.0, b + 2.0)
        rectified = K.relu(K.bias_add(K.conv2d(x, k * 2.0), b))
        return (
            K.relu(h),
            rectified,
            K.bias_add(K.conv2d(x, k * 3.0), b),
            h,
            K.relu(normal),
            K.relu(K.conv2d(x, k * 5.0)),
        )

    compiled = check(fn, IMAGES, KERNEL, bias, rtol=1e-3, atol=1e-3)
    assert compiled.source.count("maximum(") == 1  # that of the result which is returned before it, too


def recurrence(x, h, w, u, mask=None, reverse=False):
    def step(carry, xs):
        new = K.tanh(K.dot(xs[0], w) + K.dot(carry[0], u))
        if mask is not None:
            new = K.where(K.expand_dims(xs[1], -1), new, carry[0])
        return [new, carry[1] + 1.0], [new * 2.0, carry[0], xs[0]]

    xs = [x] if mask is None else [x, mask]
    return K.scan(step, [h, K.zeros_like(h)], xs, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_loops(reverse, masked):
    x, h, w, u = arrays((7, 3, 4), (3, 5), (4, 5), (5, 5))
    mask = np.random.default_rng(1).random((7, 3)) > 0.4

    def fn(*values):
        def loss(params):
            finals, ys = recurrence(*params, mask=K.cast(mask, "bool") if masked else None, reverse=reverse)
            return K.sum(finals[0] * finals[1]) + K.sum(ys[0] * ys[1]) + K.sum(ys[2]), [finals, ys]

        return K.value_and_grad(loss, list(values))

    check(fn, x, h, w, u, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "activations", [("tanh", "sigmoid"), ("tanh", "hard_sigmoid"), ("relu", "linear"), ("linear", "tanh")]
)
def test_lstm_is_the_loop_that_its_declaration_says(masked, reverse, activations):
    values = [v * 0.5 for v in arrays((3, 6, 4), (3, 5), (3, 5), (4, 20), (5, 20), (20,))]
    mask = np.array([[0, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1]], bool) if masked else None

    def fn(*values):
        def loss(params):
            outputs, *last = K.lstm(*params, mask, *activations, reverse)
            return K.sum(outputs * outputs) + K.sum(last[0]) + K.sum(last[1] * last[1]), [outputs, last]

        return K.value_and_grad(loss, list(values))

    compiled = check(fn, *values, rtol=1e-3, atol=1e-3)
    assert "lstm1.backward" in compiled.source
    with without(NumpyBackend, "lstm_sequence", "lstm_sequence_gradient"):
        expected = K.compile(fn)(*values)
    for a, b in zip(leaves(compiled(*values)), leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@contextmanager
def without(adapter, *names):
    """An adapter that leaves some composites to their bodies."""
    held = {name: vars(adapter)[name] for name in names}
    for name in names:
        delattr(adapter, name)
    try:
        yield
    finally:
        for name, method in held.items():
            setattr(adapter, name, method)


# State ---------------------------------------------------------------------------------------------------------


def model_step(update, slots):
    """A training step of two dense layers; the state is weights, slots, a counter and a running loss."""

    def step(state, batch):
        n = 4
        params, counter, total = state[:n], state[-2], state[-1]
        groups = [state[n * (i + 1) : n * (i + 2)] for i in range(slots)]
        x, y = batch

        def loss(p):
            h = K.relu(K.bias_add(K.dot(x, p[0]), p[1]))
            logits = K.bias_add(K.dot(h, p[2]), p[3])
            return K.mean(K.categorical_crossentropy(y, K.softmax(logits))), logits

        (value, logits), grads = K.value_and_grad(loss, params)
        new, *rest = update(params, grads, groups, counter)
        rest = [v for group in rest for v in group]
        return [*new, *rest, counter + 1, total * 0.9 + value], [value, K.argmax(logits)]

    return step


LR = np.float32(0.05)
UPDATES = {
    "sgd": (lambda p, g, s, t: K.sgd_update(p, g, [], LR), 0),
    "momentum": (lambda p, g, s, t: K.sgd_update(p, g, s[0], LR, 0.9, False), 1),
    "nesterov": (lambda p, g, s, t: K.sgd_update(p, g, s[0], LR, 0.9, True), 1),
    "rmsprop": (lambda p, g, s, t: K.rmsprop_update(p, g, s[0], LR), 1),
    "adam": (lambda p, g, s, t: K.adam_update(p, g, s[0], s[1], [], LR, K.cast(t, "float32") + 1.0)[:3], 2),
    "amsgrad": (lambda p, g, s, t: K.adam_update(p, g, *s, LR, K.cast(t, "float32") + 1.0), 3),
}


def training(name, batch=8):
    update, slots = UPDATES[name]
    params = arrays((6, 5), (5,), (5, 3), (3,), seed=3)
    zeros = [np.zeros_like(p) for _ in range(slots) for p in params]
    state = [*params, *zeros, np.zeros((), "int64"), np.zeros((), "float32")]
    x = arrays((batch, 6))[0]
    y = np.eye(3, dtype="float32")[np.arange(batch) % 3]
    return model_step(update, slots), state, [x, y]


@pytest.mark.parametrize("name", UPDATES)
def test_updates(name):
    step, state, batch = training(name)
    compiled = check(step, state, batch, donate=(0,), calls=5)
    assert "_update(" in compiled.source
    assert "backend_" not in compiled.source  # not by the adapter's method, which makes new arrays


def test_state_is_handed_back_and_not_copied():
    step, state, batch = training("adam")
    compiled = K.compile(step, donate=(0,))
    given = [np.array(v) for v in state]
    first, _ = compiled(state, batch)
    for a, b in zip(state, given, strict=True):
        np.testing.assert_array_equal(a, b)  # what was never ours is left alone
    second, _ = compiled(first, batch)
    assert all(a is b for a, b in zip(first, second, strict=True))


def test_a_replaced_weight_is_taken_in():
    step, state, batch = training("sgd")
    compiled, plain = K.compile(step, donate=(0,)), K.compile(step, donate=(0,))
    state1, _ = compiled(list(state), batch)
    changed = [np.array(v) for v in state1]
    changed[0] = state1[0] * 0 + 1
    state1[0] = changed[0].copy()
    got, _ = compiled(state1, batch)
    want, _ = plain(changed, batch)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b)


def test_two_states_of_one_function_do_not_meet():
    step, state, batch = training("adam")
    compiled, alone = K.compile(step, donate=(0,)), K.compile(step, donate=(0,))
    a, b, c = ([np.array(v) * k for v in state] for k in (1, 2, 2))
    for _ in range(3):
        a, _ = compiled(a, batch)
        b, _ = compiled(b, batch)
        c, _ = alone(c, batch)
    for got, want in zip(b, c, strict=True):
        np.testing.assert_allclose(got, want)


def test_batches_of_two_sizes_share_the_state():
    step, state, batch = training("adam")
    small = [v[:3] for v in batch]
    compiled = K.compile(step, donate=(0,))
    state, _ = compiled(state, batch)
    for _ in range(3):
        state, _ = compiled(state, small)
        again, _ = compiled(state, batch)
        assert all(a is b for a, b in zip(state, again, strict=True))
        state = again


def test_swapped_and_repeated_state():
    def rotate(state, x):
        a, b, c = state
        return [b, a, a + c * 0.0 + x], [a, b, c]

    check(rotate, arrays((3,), (3,), (3,)), arrays((3,))[0], donate=(0,), calls=6)


def test_old_values_of_the_state_can_be_results():
    def step(state, x):
        return [state[0] + x, state[1] * state[0]], [state[0] * 1.0, K.transpose(state[0]), state[1]]

    check(step, arrays((3, 3), (3, 3)), arrays((3, 3))[0], donate=(0,), calls=4)


def test_results_are_not_overwritten_by_the_next_call():
    fn = K.compile(lambda x, y, z: [K.dot(x, z), K.sum(x), x + 1.0, K.reshape(x * 2.0, (-1,))])
    first = fn(X, Y, Z)
    kept = [np.array(r) for r in first]
    fn(Y, X, Z * 2)
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_warm_step_allocates_nothing(name):
    step, state, batch = training(name, batch=16384)
    compiled = K.compile(step, donate=(0,))
    for _ in range(3):
        state, _ = compiled(state, batch)
    run = compiled.specialize(state, batch)
    gc.collect()
    tracemalloc.start()
    for _ in range(3):
        state, _ = run(state, batch)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    state, _values = run(state, batch)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    ufuncs = 100_000  # what NumPy holds within one call, whatever the size; an array here has 327,680 bytes
    assert peak < 8 * 16384 + ufuncs, "more than the predictions that the step returns"


def test_noise_is_new_at_each_step_and_the_same_for_the_same_counter():
    x = np.ones((64, 64), "float32")

    def fn(x, counter):
        with K.bind([], [], counter=counter):
            return K.dropout(x, 0.25), K.random_normal((3, 3)), K.random_uniform((200,))

    run = K.compile(fn)
    a, b, again = run(x, np.int64(1)), run(x, np.int64(2)), run(x, np.int64(1))
    for first, other, same in zip(a, b, again, strict=True):
        assert (first != other).any()
        np.testing.assert_array_equal(first, same)
    assert set(np.unique(a[0])) == {0, np.unique(a[0])[-1]}
    assert abs(a[0].mean() - 1) < 0.05
    assert 0 <= a[2].min() < a[2].max() < 1


def test_an_index_out_of_range_is_an_error():
    run = K.compile(lambda x, i: K.gather(x, i))
    with pytest.raises(ValueError, match="indices from 0 to 9"):
        run(X, np.array([0, 9]))


def test_truths_are_counted_without_becoming_floats():
    f = K.compile(lambda x, y: [K.sum(K.cast(K.equal(x, y), "float32")), K.sum(K.cast(K.equal(x, y), "float32"), 0)])
    x = np.arange(12.0, dtype="float32").reshape(4, 3)
    total, columns = f(x, np.where(x > 2, x, -1))
    assert (total.dtype, float(total)) == ("float32", 9)
    np.testing.assert_array_equal(columns, [3, 3, 3])
    assert "count_nonzero" in f.source


def test_losses_on_logits_do_not_overflow():
    f = K.compile(lambda z, t: K.mean(K.binary_crossentropy(t, z, from_logits=True)))
    z = np.array([[-1e30, 1e30, 0.0]], "float32")
    np.testing.assert_allclose(f(z, np.array([[0, 1, 1]], "float32")), np.log(2) / 3, rtol=1e-6)


LOUD = {
    "subtract": lambda x: x - x,
    "multiply": lambda x: x * 0.0 * x,
    "overflow": lambda x: x * 3e38 * 3e38,
    "sum": lambda x: K.sum(x),
    "divide": lambda x: 1.0 / (x - x),
    "log": lambda x: K.log(x * 0.0 - 1.0),
    "loop": lambda x: K.scan(lambda c, xs: ([c[0] - xs[0]], []), [x[0]], [x]),
}


@pytest.mark.parametrize("name", LOUD)
def test_no_program_warns_of_infinities(name):
    x = np.array([[np.inf, -np.inf], [np.inf, 1.0]], "float32")
    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        K.compile(LOUD[name])(x)
    assert np.geterr() == before


def test_warnings_are_on_again_after_an_error():
    before = np.geterr()
    with pytest.raises(ValueError, match="indices"):
        K.compile(lambda x, i: K.gather(x, i))(X, np.array([99]))
    assert np.geterr() == before
