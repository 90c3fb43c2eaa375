"""What only the TensorFlow adapter does: flat calls, XLA for long training, its fused kernels."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.backend import declare
from keras_front.layers import Dense
from keras_front.models import Sequential
from keras_front.optimizers import SGD, Adam, RMSprop

pytestmark = pytest.mark.backends("tensorflow")
RNG = np.random.default_rng(8)


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 6, 3), (2, 3, 4, 2, 3)])
@pytest.mark.parametrize("affine", [False, True])
def test_the_fused_batch_normalization_is_the_body(backend, shape, affine):
    x, w = backend.asarray(normal(*shape)), backend.asarray(normal(*shape))
    params = [x, *([backend.asarray(normal(shape[-1])) for _ in range(2)] if affine else [])]
    attrs = {"reduction_axes": tuple(range(len(shape) - 1)), "epsilon": 1e-3}

    def run(normalize):
        def loss(params):
            y, mean, var = normalize(*params, *([] if affine else [None, None]), **attrs)
            return K.sum(K.multiply(y, w)), [y, mean, var]

        return K.value_and_grad(loss, params)

    (_, fused), grads = run(backend.normalize_batch_in_training)
    (_, plain), wanted = run(declare.OPS["normalize_batch_in_training"].body)
    for got, want in zip([*fused, *grads], [*plain, *wanted], strict=True):
        np.testing.assert_allclose(backend.to_numpy(got), backend.to_numpy(want), rtol=2e-4, atol=2e-5)


def recurrent_step(state, batch):
    def loss(params):
        outputs, _, _ = K.lstm(batch[0], *params)
        return K.mean(K.square(outputs)), []

    (value, _), grads = K.value_and_grad(loss, state)
    return K.sgd_update(state, grads, [], 0.1)[0], value


def test_recurrent_training_goes_on_alike_when_xla_takes_over(backend, monkeypatch):
    from keras_front_tensorflow import flat_function

    monkeypatch.setattr(flat_function, "XLA_STEPS", 2)
    shapes = [(2, 4), (2, 4), (3, 16), (4, 16), (16,)]
    start, x = [normal(*s) for s in shapes], backend.asarray(normal(2, 5, 3))

    def losses(step):
        state, found = [backend.asarray(a) for a in start], []
        for _ in range(5):
            state, loss = step(state, [x])
            found.append(float(loss))
        return found

    compiled = losses(K.compile(recurrent_step, donate=(0,)))
    np.testing.assert_allclose(compiled, losses(recurrent_step), rtol=1e-5)
    assert compiled[-1] < compiled[0]


def test_a_program_takes_and_gives_nested_tensors_and_none(backend):
    f = K.compile(lambda a, b, c: ([K.add(a[0], 1.0)], (a[1], None), K.sum(c)))
    x = backend.asarray(np.ones(3, "float32"))
    for _ in range(2):
        (one,), (two, nothing), total = f([x, x], None, x)
        assert nothing is None
        assert float(total) == 3
        np.testing.assert_array_equal(one.numpy(), two.numpy() + 1)


def test_gradients_of_a_gather_are_dense(backend):
    table, rows = backend.asarray(normal(5, 2)), backend.asarray(np.array([0, 3, 3]))
    _, (grad,) = K.value_and_grad(lambda p: (K.sum(K.gather(p[0], rows)), []), [table])
    assert type(grad) is type(table)
    np.testing.assert_array_equal(grad.numpy().sum(1), [2, 0, 0, 4, 0])


def test_the_second_gradient_of_overlapping_windows_survives_compilation(backend):
    """Compiled, the engine's own kernel writes zeros into its argument where windows keep the shape of an image."""
    x, y = (np.random.default_rng(seed).normal(size=(1, 4, 5, 6)).astype("float32") for seed in (1, 2))
    attrs = {"pool_size": (3, 2), "strides": (1, 1), "padding": "same", "data_format": "channels_first"}

    def pick(x, y):
        return K.max_pool_pick(K.exp(x), K.exp(y), **attrs)

    found = K.to_numpy(K.compile(pick)(x, y))
    assert (found > 0).all()
    np.testing.assert_allclose(found, K.to_numpy(pick(K.convert(x), K.convert(y))), rtol=1e-6)


WINDOWS = {
    "conv1d": ((8, 2), lambda x: K.conv1d(x, np.ones((3, 2, 3), "float32"))),
    "conv2d": ((6, 6, 2), lambda x: K.conv2d(x, np.ones((3, 3, 2, 3), "float32"), strides=(2, 2))),
    "conv2d, channels first": (
        (2, 6, 6),
        lambda x: K.conv2d(x, np.ones((3, 3, 2, 3), "float32"), data_format="channels_first"),
    ),
    "conv3d": ((4, 4, 4, 2), lambda x: K.conv3d(x, np.ones((2, 2, 2, 2, 3), "float32"))),
    "depthwise_conv2d": ((6, 6, 2), lambda x: K.depthwise_conv2d(x, np.ones((3, 3, 2, 1), "float32"))),
    "maximum": ((6, 6, 2), lambda x: K.pool2d(x, (2, 2), (2, 2))),
    "average": ((6, 6, 2), lambda x: K.pool2d(x, (2, 2), (2, 2), pool_mode="avg")),
    "maximum of volumes": ((4, 4, 4, 2), lambda x: K.pool3d(x, (2, 2, 2))),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_a_batch_of_unknown_size_may_be_empty(backend, name):
    import tensorflow as tf

    shape, fn = WINDOWS[name]

    def with_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fn(x)
            loss = tf.reduce_sum(y * y)
        return y, tape.gradient(loss, x)

    traced = tf.function(with_gradient, input_signature=[tf.TensorSpec((None, *shape))], autograph=False)
    one = tf.constant(normal(1, *shape))
    wanted = with_gradient(one)
    for got, want in zip(traced(one), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    for got, want in zip(traced(one[:0]), wanted, strict=True):
        assert got.shape == (0, *want.shape[1:])


def test_adam_goes_once_through_memory_by_the_engines_kernel(backend):
    shape = (160, 110)  # large enough for it; the other weight is not
    start = [[normal(*shape), normal(3)], [normal(*shape), normal(3)], [np.abs(normal(*shape)), np.abs(normal(3))]]
    grads = [normal(*shape), normal(3)]

    def update(state, grads):
        new = K.adam_update(state[:2], grads, state[2:4], state[4:], [], 0.1, 3.0)
        return [x for xs in new[:3] for x in xs], new[0][1]

    state = [backend.asarray(a) for xs in start for a in xs]
    given = [backend.asarray(g) for g in grads]
    step = K.compile(update, donate=(0,)).specialize(state, given)
    found = step(state, given)[0]
    ops = [op.type for op in step.concrete.graph.get_operations()]
    assert ops.count("ResourceApplyAdam") == ops.count("DestroyResourceOp") / 3 == 1
    for i in (0, 1):
        w, m, v, g = (np.asarray(x, "float64") for x in (*(xs[i] for xs in start), grads[i]))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * np.sqrt(1 - 0.999**3) / (1 - 0.9**3) * m / (np.sqrt(v) + 1e-7)
        for one, other in zip((found[i], found[2 + i], found[4 + i]), (w, m, v), strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)
    for tensor, array in zip(state, (a for xs in start for a in xs), strict=True):
        np.testing.assert_array_equal(tensor, array.astype("float32"))  # what others hold is copied, not changed


# A large state changes where it lies -------------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch):
    from keras_front_tensorflow import updates

    K.clear_session()  # programs are shared between equal models
    monkeypatch.setattr(updates, "HELD_FROM", 64)
    monkeypatch.setattr(updates, "_LARGE", 64)


def trained(optimizer="adam", output=None):
    model = Sequential([Dense(16, input_shape=(8,), name="large"), Dense(1)])
    model.compile(optimizer, output or "mse")
    x = np.random.default_rng(0).normal(size=(24, 8)).astype("float32")
    return model, x, x[:, :1]


def places(model):
    """Where the memory of the large weight and of its slots is."""
    kernel = model.layers[0].kernel
    of_kernel = [v for v in model.optimizer.variables if tuple(v.shape) == (8, 16)]
    return [np.asarray(v.current()).ctypes.data for v in (kernel, *of_kernel)]


def step_by_fit(model, x, y):
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)


def step_by_batch(model, x, y):
    model.train_on_batch(x, y)


@pytest.mark.parametrize("step", [step_by_fit, step_by_batch])
def test_adam_changes_a_large_state_in_its_memory(backend, held, step):
    model, x, y = trained()
    step(model, x, y)
    first, before = places(model), model.layers[0].kernel.numpy().copy()
    step(model, x, y)
    assert len(first) == 3
    assert places(model) == first
    assert np.abs(model.layers[0].kernel.numpy() - before).max() > 1e-4


def test_a_state_in_place_gives_the_numbers_of_one_that_is_copied(backend, monkeypatch):
    from keras_front_tensorflow import updates

    weights = []
    for least in (64, 1 << 18):
        monkeypatch.setattr(updates, "HELD_FROM", least)
        K.clear_session()  # programs are shared between equal models
        for optimizer in (Adam(0.01), SGD(0.01, momentum=0.9), SGD(0.01), Adam(0.01, use_ema=True), RMSprop(0.01)):
            model, x, y = trained(optimizer)
            model.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in model.get_weights()])
            step_by_fit(model, x, y)
            step_by_batch(model, x, y)
            weights.append([*model.get_weights(), *model.optimizer.get_weights()])
    for got, want in zip(weights[:5], weights[5:], strict=True):
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_whoever_keeps_an_old_value_keeps_it(backend, held):
    model, x, y = trained()
    step_by_batch(model, x, y)
    kept, read = model.layers[0].kernel.value, np.asarray(model.layers[0].kernel.current())
    copied = read.copy()
    step_by_batch(model, x, y)
    step_by_fit(model, x, y)
    assert np.array_equal(read, copied)
    assert np.array_equal(np.asarray(kept), copied)
    assert not np.array_equal(model.layers[0].kernel.numpy(), copied)


@pytest.mark.parametrize("step", [step_by_fit, step_by_batch])
def test_a_step_that_fails_leaves_a_large_state_as_it_was(backend, held, step):
    def by_table(target, output):  # TensorFlow refuses an index that is too large
        return K.square(output - K.gather(K.constant([[0.0], [1.0]]), K.cast(K.flatten(target), "int32")))

    model, x, _ = trained(output=by_table)
    step(model, x, np.ones((24, 1)))
    before = [*model.get_weights(), *model.optimizer.get_weights()]
    with pytest.raises(Exception, match=r"(?i)indices|index"):
        step(model, x, np.full((24, 1), 7.0))
    for a, b in zip([*model.get_weights(), *model.optimizer.get_weights()], before, strict=True):
        assert np.array_equal(a, b)
    step(model, x, np.ones((24, 1)))
    assert not np.array_equal(model.get_weights()[0], before[0])
