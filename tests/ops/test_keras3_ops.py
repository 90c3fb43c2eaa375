"""`keras_front.ops` gives what `keras.ops` of Keras 3.15 gives; the numbers were recorded by `record_keras3_ops.py`."""

import base64
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import ops, random
from keras_front.errors import ArgumentError, ShapeError, UntraceableError

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("keras3_calls", HERE / "calls.py")
calls = importlib.util.module_from_spec(spec)
spec.loader.exec_module(calls)
RECORDED = json.loads((HERE / "keras3_ops.json").read_text())
# Shapes or results that depend on values, which symbols have not.
ON_VALUES = {"nonzero", "unique", "isin", "bincount", "lu_factor", "jvp", "ctc_decode", "splits", "complex"}
LOOSE = {"eigh", "svd", "lstsq", "pinv", "istft", "ssim", "corrcoef", "i0", "cholesky_inverse"}


def unpacked(name, shape, text):
    return np.frombuffer(base64.b64decode(text), name).reshape(shape)


def results_of(name, tensors):
    found = calls.CALLS[name](ops, tensors)
    return list(found) if isinstance(found, list | tuple) else [found]


def close(name, got, want):
    assert got.shape == want.shape
    assert (got.dtype.kind == "f") == (want.dtype.kind == "f"), (got.dtype, want.dtype)
    tolerance = 2e-3 if name in LOOSE else 2e-5
    np.testing.assert_allclose(got.astype("float64"), want.astype("float64"), rtol=tolerance, atol=tolerance)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", RECORDED)
def test_a_call_gives_what_keras_3_gives(backend, name):
    check_on_values(name)


@pytest.mark.backends("jax", "tensorflow")  # functions made of ops, which are tested on their own: some suffice
@pytest.mark.parametrize(
    "name", [*list(RECORDED)[::18], "slice_update", "associative_scan", "stft", "affine_transform"]
)
def test_some_calls_give_what_keras_3_gives(backend, name):
    check_on_values(name)


def check_on_values(name):
    tensors = {key: K.constant(value, dtype=value.dtype.name) for key, value in calls.ARRAYS.items()}
    with np.errstate(all="ignore"):
        found = [np.asarray(K.to_numpy(r)) for r in results_of(name, tensors)]
    wanted = [unpacked(*row) for row in RECORDED[name]]
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        close(name, got, want)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("name", [name for name in RECORDED if name not in ON_VALUES])
def test_a_call_on_symbols_gives_the_same(backend, name):
    symbols = {key: K.placeholder(value.shape, dtype=value.dtype.name) for key, value in calls.ARRAYS.items()}
    found = results_of(name, symbols)
    run = K.function(
        list(symbols.values()), [K.identity(t) if K.is_symbolic(t) else K.constant(t, K.dtype(t)) for t in found]
    )
    with np.errstate(all="ignore"):
        results = run(list(calls.ARRAYS.values()))
    for symbol, got, row in zip(found, results, RECORDED[name], strict=True):
        want = unpacked(*row)
        assert tuple(symbol.shape) == want.shape
        close(name, got, want)


# What Keras 3.15.1 does otherwise than it says, against NumPy ---------------------------------------------------

X = calls.ARRAYS["x"]


def trapezoid_of(module):
    return module.trapezoid if hasattr(module, "trapezoid") else np.trapz  # what NumPy 1 calls it


OF_NUMPY = {
    "eye": lambda xp, x: xp.eye(2, 4, k=1),
    "rot90": lambda xp, x: xp.rot90(x, k=2),
    "searchsorted": lambda xp, x: xp.searchsorted(np.sort(calls.ARRAYS["v"]), x, side="right"),
    "pad": lambda xp, x: xp.pad(x, ((1, 2), (0, 3)), mode="edge"),
    "diff": lambda xp, x: xp.diff(x, axis=0),
    "trapezoid": lambda xp, x: trapezoid_of(xp)(x, np.array([0.0, 1.0, 3.0, 3.5], "float32")),
    "quantile": lambda xp, x: xp.quantile(x, np.array([0.1, 0.5], "float32"), axis=0),
    "select": lambda xp, x: xp.select([x > 0.5, x < 0], [x, -x], 2.0),
}


@pytest.mark.parametrize("name", OF_NUMPY)
def test_a_call_gives_what_numpy_gives(backend, name):
    np.testing.assert_allclose(
        np.asarray(K.to_numpy(OF_NUMPY[name](ops, K.constant(X)))), OF_NUMPY[name](np, X), rtol=1e-5, atol=1e-6
    )


def test_a_blur_keeps_what_is_there(backend):
    point = np.zeros((1, 9, 9, 1), "float32")
    point[0, 4, 4] = 1
    spread = np.asarray(K.to_numpy(ops.image.gaussian_blur(K.constant(point), (3, 5), (1.0, 2.0))))[0, :, :, 0]
    rows, columns = (np.exp(-0.5 * (np.arange(-n, n + 1) / s) ** 2) for n, s in ((1, 1.0), (2, 2.0)))
    np.testing.assert_allclose(
        spread[3:6, 2:7], np.outer(rows / rows.sum(), columns / columns.sum()), rtol=1e-4, atol=1e-6
    )
    assert spread.sum() == pytest.approx(1, rel=1e-5)


@pytest.mark.engine_neutral
def test_arguments_go_by_the_names_of_keras_3(backend):
    x, y = K.constant(X), K.constant(calls.ARRAYS["y"])
    pairs = [
        (ops.add(x1=x, x2=y), x + y),
        (ops.where(x > 0, x1=x, x2=y), K.where(x > 0, x, y)),
        (ops.clip(x=x, x_min=-0.5, x_max=0.5), K.clip(x, -0.5, 0.5)),
        (ops.reshape(x, newshape=(4, 3)), K.reshape(x, (4, 3))),
        (ops.sum(x=x, axis=0), K.sum(x, axis=0)),
        (ops.mean(a=x), K.mean(x)),
        (ops.tile(x, repeats=(2, 1)), K.tile(x, (2, 1))),
        (ops.concatenate(xs=[x, y], axis=1), K.concatenate([x, y], axis=1)),
        (ops.leaky_relu(x, negative_slope=0.3), K.leaky_relu(x, 0.3)),
    ]
    for got, want in pairs:
        np.testing.assert_array_equal(K.to_numpy(got), K.to_numpy(want))


@pytest.mark.engine_neutral
def test_what_depends_on_values_says_so_of_symbols(backend):
    x = K.placeholder((3, 4))
    for call in (ops.nonzero, ops.unique, ops.eig, lambda t: ops.bincount(K.cast(t, "int32"), sparse=True)):
        if call is not ops.eig:
            assert call(np.arange(4)) is not None
    for call in (ops.nonzero, ops.unique, ops.eig, ops.lu_factor):
        with pytest.raises(UntraceableError, match="depends on values"):
            call(x)
    for call, match in (
        (lambda: ops.quantile(x, 0.5, method="middle"), "expected a method"),
        (lambda: ops.pad(x, 1, mode="mirror"), "'reflect'"),
        (lambda: ops.meshgrid(x, indexing="yx"), "'xy' or 'ij'"),
        (lambda: ops.rearrange(x, "a b c -> c"), "does not fit"),
        (lambda: ops.scatter_update(x, np.zeros((1, 2), "int32"), np.zeros(1), reduction="mean"), "'add'"),
        (lambda: ops.image.crop_images(np.zeros((4, 4, 1)), 1), "two of the margins"),
        (lambda: ops.correlate(np.zeros(3), np.zeros(2), mode="all"), "'valid'"),
    ):
        with pytest.raises(ArgumentError, match=match):
            call()
    with pytest.raises(ShapeError, match="2 or 3 elements"):
        ops.cross(np.zeros((2, 4)), np.zeros((2, 4)))


def test_the_new_ops_have_gradients(backend):
    weights = np.cos(np.arange(12.0)).reshape(3, 4)

    def loss(params):
        with backend.user_code():  # `+` and `*` of float64
            return total(params[0])

    def total(x):
        parts = [
            ops.median(x, axis=1), ops.diag(x[:, :3]), ops.nanmean(x), ops.arctan2(x, x + 5.0), ops.sinc(x),
            ops.trapezoid(x), ops.kron(x[:1], x[1:2]), ops.associative_scan(lambda a, b: a + b, x),
        ]  # fmt: skip
        return sum(K.sum(K.square(p)) for p in parts) + K.sum(x * K.constant(weights, dtype="float64")), []

    start = X.astype("float64") * 0.7
    (_, _), (slope,) = K.value_and_grad(loss, [K.constant(start, dtype="float64")])
    step = np.zeros_like(start)
    for place in ((0, 0), (1, 2), (2, 3)):
        step[:] = 0
        step[place] = 1e-5
        high, low = (float(K.to_numpy(loss([K.constant(start + s, dtype="float64")])[0])) for s in (step, -step))
        assert K.to_numpy(slope)[place] == pytest.approx((high - low) / 2e-5, rel=1e-4, abs=1e-5)


# Random numbers ------------------------------------------------------------------------------------------------

DRAWS = {  # a draw, its mean and its deviation
    "normal": (lambda: random.normal((40, 100), 2.0, 3.0, seed=1), 2.0, 3.0),
    "uniform": (lambda: random.uniform((40, 100), -1.0, 3.0, seed=2), 1.0, 4 / 12**0.5),
    "truncated_normal": (lambda: random.truncated_normal((40, 100), seed=3), 0.0, 0.8796),
    "randint": (lambda: random.randint((40, 100), 2, 7, seed=4), 4.0, 2**0.5),
    "binomial": (lambda: random.binomial((40, 100), 10, 0.3, seed=5), 3.0, 2.1**0.5),
    "gamma": (lambda: random.gamma((40, 100), 2.5, seed=6), 2.5, 2.5**0.5),
    "gamma below 1": (lambda: random.gamma((40, 100), 0.5, seed=6), 0.5, 0.5**0.5),
    "beta": (lambda: random.beta((40, 100), 2.0, 3.0, seed=7), 0.4, 0.2),
    "categorical": (lambda: random.categorical(np.log([[0.2, 0.3, 0.5]]), 4000, seed=8), 1.3, 0.61**0.5),
    "dropout": (lambda: random.dropout(np.ones((40, 100), "float32"), 0.25, seed=9), 1.0, 3**-0.5),
}


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize("name", DRAWS)
def test_random_numbers_have_their_distribution(backend, name):
    draw, mean, deviation = DRAWS[name]
    values = np.asarray(K.to_numpy(draw())).astype("float64")
    assert abs(values.mean() - mean) < 5 * deviation / values.size**0.5
    assert values.std() == pytest.approx(deviation, rel=0.08)
    np.testing.assert_array_equal(values, np.asarray(K.to_numpy(draw())))  # the seed fixes them


def test_seeds(backend):
    def drawn(seed):
        return np.asarray(K.to_numpy(random.normal((5,), seed=seed))).tolist()

    row, again = random.SeedGenerator(11), random.SeedGenerator.from_config(random.SeedGenerator(11).get_config())
    first, second = drawn(row), drawn(row)
    assert first != second
    assert [drawn(again), drawn(again)] == [first, second]
    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(None) != drawn(None)
    order = np.asarray(K.to_numpy(random.shuffle(K.constant(np.arange(20.0)), seed=3)))
    assert sorted(order.tolist()) == list(range(20))
    assert order.tolist() != list(range(20))


@pytest.mark.engine_neutral
def test_a_seed_generator_gives_other_noise_at_each_step(backend):
    source = random.SeedGenerator(5)
    step = K.compile(lambda x: random.dropout(x, 0.5, seed=source))
    with K.bind([], [], counter=K.constant(1, dtype="int64")):
        first = np.asarray(K.to_numpy(random.uniform((8,), seed=source)))
    with K.bind([], [], counter=K.constant(2, dtype="int64")):
        second = np.asarray(K.to_numpy(random.uniform((8,), seed=source)))
    assert not np.allclose(first, second)
    assert step(K.ones((4,))).shape == (4,)
