"""Tracing, lowering and compiling: what programs look like, when they are written, and that they compute the same."""

import gc

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.backend import discovery, program
from keras_front.errors import ShapeError, UntraceableError


def mlp_loss(x, y):
    def loss(params):
        a, b, c = params
        hidden = K.relu(K.dot(x, a) + b)
        return K.mean(K.categorical_crossentropy(y, K.softmax(K.dot(hidden, c)))), [hidden]

    return loss


def mlp_arrays():
    rng = np.random.default_rng(0)
    params = [rng.normal(size=s) for s in ((4, 5), (5,), (5, 3))]
    return (
        [p.astype("float32") for p in params],
        rng.normal(size=(6, 4)).astype("float32"),
        np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]],
    )


def test_traced_and_native_differentiation_are_interchangeable(backend):
    """Decision D4: the same step through the tracing defaults and through the engine's own verbs."""
    params, x, y = mlp_arrays()
    tensors = [K.convert(p) for p in params]
    loss = mlp_loss(K.convert(x), K.convert(y))
    (native, aux), native_grads = K.value_and_grad(loss, tensors)
    (traced, aux2), traced_grads = program.traced_value_and_grad(discovery.active(), loss, tensors)
    compiled = K.compile(lambda ps, a, b: K.value_and_grad(mlp_loss(a, b), ps))
    (third, _), third_grads = compiled(params, x, y)
    np.testing.assert_allclose(K.to_numpy(native), K.to_numpy(traced), rtol=1e-6)
    np.testing.assert_allclose(K.to_numpy(third), K.to_numpy(traced), rtol=1e-6)
    np.testing.assert_allclose(K.to_numpy(aux[0]), K.to_numpy(aux2[0]), rtol=1e-6)
    for a, b, c in zip(native_grads, traced_grads, third_grads):
        np.testing.assert_allclose(K.to_numpy(a), K.to_numpy(b), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(K.to_numpy(c), K.to_numpy(b), rtol=1e-5, atol=1e-7)


def test_the_program_of_a_batch_is_found_by_its_shape(backend):
    run = K.compile(lambda x: K.sum(K.square(x)))
    for rows in (3, 5, 3):
        run(np.ones((rows, 2), "float32"))
    assert run.program(np.ones((3, 2), "float32")).args[0].shape == (3, 2)
    assert run.program(np.ones((5, 2), "float32")).args[0].shape == (5, 2)


def ops_of(f, *args):
    return [line.op for line in f.program(*args).instructions]


def test_a_bias_joins_the_product_before_it(backend):
    """Also where the product is that of a sequence, and was reshaped."""
    x, w, b = (np.random.RandomState(0).randn(*s).astype("float32") for s in ((2, 3, 4), (4, 5), (5,)))
    f = K.compile(lambda x, w, b: K.relu(K.dot(x, w) + b))
    np.testing.assert_allclose(K.to_numpy(f(x, w, b)), np.maximum(x @ w + b, 0), rtol=1e-5, atol=1e-6)
    ops = ops_of(f, x, w, b)
    assert ops[-1] == "reshape"  # after the rectifier
    if backend.overrides("linear"):
        assert "matmul" not in ops
        assert "add" not in ops


def test_a_product_that_others_read_keeps_its_bias_apart(backend):
    x, w, b = (np.random.RandomState(0).randn(*s).astype("float32") for s in ((3, 4), (4, 5), (5,)))

    def both(x, w, b):
        product = K.dot(x, w)
        return product + b, K.exp(product)

    assert "matmul" in ops_of(K.compile(both), x, w, b)


def test_means_times_their_number_are_sums(backend):
    x = np.random.RandomState(0).rand(6, 2).astype("float32")
    f = K.compile(lambda x: K.mean(x) * 12.0)
    np.testing.assert_allclose(K.to_numpy(f(x)), x.sum(), rtol=1e-6)
    assert len(ops_of(f, x)) == 1
    g = K.compile(lambda x: K.mean(x) * 6.0)
    np.testing.assert_allclose(K.to_numpy(g(x)), x.mean() * 6, rtol=1e-6)


def test_reshapes_that_follow_each_other_are_one(backend):
    x = np.arange(12.0, dtype="float32")
    f = K.compile(lambda x: K.reshape(K.reshape(K.reshape(x, (3, 4)), (2, 6)), (4, 3)))
    assert ops_of(f, x) == ["reshape"]
    np.testing.assert_array_equal(K.to_numpy(f(x)), x.reshape(4, 3))
    same = K.compile(lambda x: K.reshape(K.reshape(x, (3, 4)), (12,)) + 0.0)
    np.testing.assert_array_equal(K.to_numpy(same(x)), x)
    assert ops_of(same, x) == []


def test_the_largest_probability_is_that_of_the_largest_logit(backend):
    z = np.random.RandomState(0).randn(4, 3).astype("float32")
    f = K.compile(lambda z: K.argmax(K.softmax(z), -1))
    np.testing.assert_array_equal(K.to_numpy(f(z)), z.argmax(1))
    assert not {"softmax", "divide"} & set(ops_of(f, z))


def test_a_gradient_of_the_engine_can_be_differentiated(backend):
    def penalty(x):
        (_, _), (g,) = K.value_and_grad(lambda p: (K.sum(K.pow(p[0], 3)), []), [x])
        return K.sum(K.square(g))

    value, (slope,) = K.compile(lambda x: K.gradients_by_rules(lambda p: penalty(p[0]), [x]))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(K.to_numpy(value), 9 * (1 + 16))
    np.testing.assert_allclose(K.to_numpy(slope), [36, 36 * 8])


def test_softmax_and_its_crossentropy_become_the_form_on_logits(backend):
    """Which gives what the two give one after the other: probabilities are cut at epsilon."""
    z, t = K.placeholder((2, 3)), K.placeholder((2, 3))
    f = K.function([z, t], [K.categorical_crossentropy(t, K.softmax(z))])
    extreme = np.array([[1000.0, 0.0, -1000.0], [0.0, 1.0, 2.0]])
    (value,) = f([extreme, np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])])
    np.testing.assert_allclose(value, [-np.log(1e-7), np.log(np.exp(-2) + np.exp(-1) + 1)], rtol=1e-6)
    assert "softmax(" not in f.source.replace("log_softmax(", "")


def test_programs_share_work_and_leave_out_the_unused(backend):
    x = K.placeholder((3,))
    K.sin(x)
    y = K.cos(x) + K.cos(x) * (K.constant(2.0) * 3.0)
    f = K.function([x], [y])
    np.testing.assert_allclose(f([np.ones(3)])[0], 7 * np.cos(1), rtol=1e-6)
    assert f.source.count("cos(") == 1
    assert "sin" not in f.source


@pytest.mark.parametrize("pair", [(0.0, -0.0), (2.0, np.nan)])
def test_constants_that_are_equal_but_not_the_same_stay_apart(backend, pair):
    x = np.array([1.0, -2.0], "float32")
    f = K.compile(lambda x: [K.divide(1.0, K.multiply(x, np.float32(c))) for c in pair])
    with np.errstate(divide="ignore"):
        for got, constant in zip(f(x), pair):
            np.testing.assert_array_equal(K.to_numpy(got), 1 / (x * np.float32(constant)))


def test_attributes_that_are_equal_but_not_the_same_stay_apart(backend):
    x = np.array([1.0, -2.0], "float32")
    f = K.compile(lambda x: [K.divide(1.0, K.pad(x, ((1, 0),), value=v)) for v in (0.0, -0.0)])
    first, second = map(K.to_numpy, f(x))
    assert (first[0], second[0]) == (np.inf, -np.inf)


def test_a_nan_is_shared_with_itself():
    x = np.ones(2, "float32")
    with K.use_backend("numpy"):
        f = K.compile(lambda x: K.add(K.multiply(x, float("nan")), K.multiply(x, -float("nan") * 1)))
        f(x)
        assert ops_of(f, x).count("multiply") <= 2  # NaNs of different signs may stay apart, equal ones may not
        g = K.compile(lambda x: K.add(K.multiply(x, float("nan")), K.multiply(x, np.float32("nan"))))
        g(x)
        assert ops_of(g, x).count("multiply") == 1


@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(0.25), np.float64(np.inf)])
def test_numbers_of_numpy_are_attributes(backend, number):
    x = np.array([-4.0, 2.0], "float32")
    f = K.compile(lambda x: K.relu(x, max_value=number))
    np.testing.assert_array_equal(K.to_numpy(f(x)), np.clip(x, 0, np.float32(number)))


def test_what_a_program_bakes_in_is_part_of_its_key(backend):
    """floatx, epsilon, image data format, dialect, learning phase and reproducible noise."""
    x = np.array([4], "int32")
    run = K.compile(lambda x: K.divide(x, 3))
    assert K.dtype(run(x)) == "float32"
    with config.use(floatx="float64"):
        assert K.dtype(run(x)) == "float64"
    assert K.dtype(run(x)) == "float32"
    small = K.compile(lambda x: x * K.epsilon())
    one = np.ones(1, "float32")
    assert float(K.to_numpy(small(one))[0]) == np.float32(1e-7)
    with config.use(epsilon=0.5):
        assert float(K.to_numpy(small(one))[0]) == 0.5
    named = K.compile(lambda x: x * {"keras1": 1.0, "keras3": 3.0}.get(config.current_dialect(), 2.0))
    assert float(K.to_numpy(named(one))[0]) == 2
    with config.dialect("keras3"):
        assert float(K.to_numpy(named(one))[0]) == 3
    image = np.zeros((1, 2, 3, 4), "float32")
    flipped = K.compile(lambda x: K.spatial_2d_padding(x))
    assert flipped(image).shape == (1, 4, 5, 4)
    with config.use(image_data_format="channels_first"):
        assert flipped(image).shape == (1, 2, 5, 6)
    phase = K.compile(lambda x: K.in_train_phase(x, -x))
    assert float(K.to_numpy(phase(one))[0]) == -1
    with K.phase(1):
        assert float(K.to_numpy(phase(one))[0]) == 1


def test_a_new_seed_reaches_programs_that_are_there(backend):
    mask = K.function([], [K.random_uniform((8,))])

    def drawn(seed, **how):
        K.set_random_seed(seed, **how)
        return mask([])[0]

    first, other, again = drawn(1), drawn(2), drawn(1)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    host = drawn(1, reproducible=True)
    with K.use_backend("numpy"):
        np.testing.assert_array_equal(host, drawn(1, reproducible=True))


def test_one_program_for_each_signature(backend):
    compiled = K.compile(lambda x: K.sum(x * x))
    for shape in ((2,), (3,), (2,)):
        compiled(np.ones(shape, "float32"))
    assert len(compiled.programs) == 2
    compiled(np.ones(2, "float64"))
    assert len(compiled.programs) == 3


@pytest.mark.slow
def test_the_program_follows_the_active_backend():
    compiled = K.compile(lambda x: K.softmax(x))
    values = np.array([1.0, 2.0], "float32")
    results = []
    for name in ("numpy", "torch", "jax", "tensorflow"):
        with K.use_backend(name) as engine:
            results.append(engine.to_numpy(compiled(values)))
            assert engine.is_tensor(compiled(values))
    for result in results:
        np.testing.assert_allclose(result, results[0], rtol=1e-6)


def test_code_that_branches_on_values_runs_natively_where_the_engine_differentiates(backend):
    def clipped(x):
        total = K.sum(x)
        return total * 2 if float(K.to_numpy(total) if not K.is_symbolic(total) else total) > 0 else total

    if backend.name == "numpy":
        with pytest.raises(UntraceableError):
            K.compile(clipped)(np.ones(2, "float32"))
    elif backend.name == "torch":  # an engine that runs Python as it comes can branch on values
        assert float(K.to_numpy(K.compile(clipped)(np.ones(2, "float32")))) == 4


def test_errors_of_user_code_are_not_hidden(backend):
    with pytest.raises(ShapeError, match=r"matmul|dot"):
        K.compile(lambda x, y: K.dot(x, y))(np.ones((2, 3), "float32"), np.ones((2, 3), "float32"))


def test_a_loop_of_steps_equals_the_steps(backend):
    v = K.variable(np.zeros(2))

    def step(state, batch):
        with K.bind([v], state) as frame:
            K.update_add(v, K.sum(batch[0], axis=0))
            return frame.values_of([v]), K.sum(v)

    data = [K.convert(np.arange(20.0, dtype="float32").reshape(10, 2))]
    order = np.array([[0, 3, 5], [9, 1, 2]])
    state, last = K.compile_multi_step(step)([v.value], data, order, len(order))
    expected = np.arange(20.0).reshape(10, 2)[order.ravel()].sum(0)
    np.testing.assert_allclose(K.to_numpy(state[0]), expected)
    np.testing.assert_allclose(float(K.to_numpy(last)), expected.sum())


def test_noise_is_a_function_of_seed_stream_and_counter(backend):
    def noise(counter):
        with K.bind([], [], counter=counter):
            return K.random_uniform((3,)), K.random_normal((3,)), K.dropout(K.ones_like(K.random_uniform((100,))), 0.3)

    K.set_random_seed(5)
    first = [K.to_numpy(t) for t in K.compile(noise)(np.int64(1))]
    again = [K.to_numpy(t) for t in K.compile(noise)(np.int64(1))]
    other = [K.to_numpy(t) for t in K.compile(noise)(np.int64(2))]
    for a, b, c in zip(first, again, other):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()
    kept = first[2][first[2] > 0]
    np.testing.assert_allclose(kept, 1 / 0.7, rtol=1e-3)
    assert 50 < len(kept) < 88


def test_reproducible_noise_is_the_same_on_every_backend(backend):
    K.set_random_seed(5, reproducible=True)

    def noise(counter):
        with K.bind([], [], counter=counter):
            return K.random_uniform((4,)), K.random_normal((4,))

    own = [K.to_numpy(t) for t in K.compile(noise)(np.int64(3))]
    with K.use_backend("numpy"):
        host = [K.to_numpy(t) for t in K.compile(noise)(np.int64(3))]
    for a, b in zip(own, host):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_compiled_functions_can_be_forgotten():
    def objects():
        gc.collect()
        return len(gc.get_objects())

    def once():
        x = K.placeholder((None, 3))
        K.function([x], [K.softmax(x)])([np.ones((2, 3))])

    with K.use_backend("numpy"):
        for _ in range(5):
            once()
        before = objects()
        for _ in range(50):
            once()
        assert objects() - before < 500


def test_a_loop_gives_only_what_is_read(backend):
    """What steps compute for nobody is left out."""

    def step(carry, x):
        doubled = K.multiply(carry[0], 2.0)
        return [K.add(carry[0], x[0])], [K.tanh(doubled), K.sin(x[0])]

    def last(x):
        return K.scan(step, [x[0] * 0], [x])[0][0]

    x = K.convert(np.arange(6, dtype="float32").reshape(3, 2))
    (line,) = [line for line in program.trace(backend, last, [x]).instructions if line.op == "scan"]
    assert [inner.op for inner in line.body.instructions] == ["add"]
    assert line.structure[1] == []
    second = K.compile(lambda x: K.scan(step, [x[0] * 0], [x])[1][1])
    np.testing.assert_allclose(K.to_numpy(K.compile(last)(x)), [6, 9])
    np.testing.assert_allclose(K.to_numpy(second(x)), np.sin(K.to_numpy(x)), rtol=1e-6)
