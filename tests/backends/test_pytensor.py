"""PyTensor as a backend: a covering choice of the published suites (whole in `make test-pytensor`), its own side."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import set_random_seed
from keras_front.backend import discovery
from keras_front.errors import ArgumentError, BackendError, DtypeError
from keras_front.layers import LSTM, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras_front.models import Sequential
from keras_front.testing import conformance, layers, selection

PATH = "keras_front_pytensor.backend:PytensorBackend"
ALL = selection.everything()
RNG = np.random.default_rng(5)
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pytensor") is None,
    reason="pytensor is not installed: pip install 'keras-front[pytensor]'",
)

# One op for each way in which an expression or a kernel is made.
OPS = (
    "add cast concatenate conv cumsum cumprod flip floor gather gru_sequence isfinite logsumexp lstm_sequence matmul"
    " max_pool mod pad permute_dimensions power prod reshape round scatter_add sigmoid"
    " strided_slice sum take_along_axis where"
).split()
LAYERS = ["BatchNormalization", "Bidirectional", "Conv2DTranspose", "Embedding"]


@pytest.fixture
def pytensor():
    with discovery.use_backend(PATH) as engine:
        yield engine


@pytest.mark.slow
def test_ops():
    assert conformance.run(PATH, None if ALL else OPS, None if ALL else ["compiled", "gradient"]).cases


@pytest.mark.slow
def test_layers():
    assert layers.run(PATH, None if ALL else LAYERS, None if ALL else ["agreement", "mask"]).checks


def convnet():
    images = [Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)), MaxPooling2D(), Dropout(0.2), Flatten()]
    return Sequential([*images, Dense(3, activation="softmax")])


def recurrent():
    return Sequential([LSTM(5, input_shape=(6, 2)), Dense(3, activation="softmax")])


@pytest.mark.parametrize(("build", "shape"), [(convnet, (8, 8, 1)), (recurrent, (6, 2))])
def test_it_trains_as_numpy_does_also_with_the_engines_own_noise(build, shape):
    x, y = RNG.normal(size=(40, *shape)).astype("float32"), RNG.integers(0, 3, 40)
    losses = {}
    for name in ("numpy", PATH):
        with discovery.use_backend(name):
            set_random_seed(3)
            model = build()
            model.compile("adam", "sparse_categorical_crossentropy")
            losses[name] = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses[PATH], losses["numpy"], rtol=1e-4)


def test_programs_are_pytensors_functions(pytensor):
    x = K.placeholder((None, 2))
    f = K.function([x], [K.tanh(x), x])
    f([np.ones((1, 2), "float32")])
    (run,) = f._compiled._written.values()
    assert type(run.run._function).__module__.startswith("pytensor.")


def test_results_are_arrays_of_their_own(pytensor):
    x, k = np.float32([[1, 2], [3, 4]]), K.constant(np.float32([7, 8]))
    f = K.compile(lambda x: [x, x[1:], K.transpose(x), K.broadcast_to(x[0], (3, 2)), k, K.reshape(x, (4,)), x])
    for y in f(x):
        y[...] = 0
    assert x.tolist() == [[1, 2], [3, 4]]
    assert K.to_numpy(f(x)[4]).tolist() == K.to_numpy(k).tolist() == [7, 8]


def test_tensors_of_other_engines_are_refused_as_constants(pytensor):
    pytest.importorskip("torch")
    theirs, x = discovery.get("torch").asarray(np.ones(2, "float32")), K.placeholder((2,))
    with pytest.raises(BackendError, match="A tensor of the backend 'torch' met the active backend 'pytensor'"):
        K.function([x], [x * theirs])([np.ones(2)])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_loops(pytensor, steps, reverse):
    x = RNG.normal(size=(steps, 2)).astype("float32")

    def run(x, w):
        return K.scan(lambda c, xs: ([c[0] * w + xs[0]], [c[0] + w]), [K.zeros_like(w)], [x], reverse=reverse)

    (last,), (ys,) = K.compile(run)(x, np.float32([0.5, 2]))
    carry, want = np.zeros(2), []
    for row in x[::-1] if reverse else x:
        want.append(carry + [0.5, 2])
        carry = carry * [0.5, 2] + row
    np.testing.assert_allclose(last, carry, atol=1e-6)
    np.testing.assert_allclose(ys, np.reshape(want[::-1] if reverse else want, (steps, 2)), atol=1e-6)


def test_half_precision_stays_and_bfloat16_is_refused(pytensor):
    x = RNG.normal(size=(64, 300)).astype("float16")
    total = K.compile(lambda x: K.sum(K.square(x), axis=1))(x)
    assert total.dtype == np.float16
    np.testing.assert_allclose(total, (x.astype("float64") ** 2).sum(1), rtol=1e-3)
    with pytest.raises(DtypeError, match="no bfloat16"):
        K.constant([1.0], dtype="bfloat16")


@pytest.mark.filterwarnings("error")
def test_nan_and_infinity_come_without_warnings(pytensor):
    x = np.float32([[-1, np.inf], [3, np.nan]])
    found = K.compile(lambda x: [K.max(x, axis=0), K.log(x), K.cumsum(x - x), x / 0.0])(x)
    np.testing.assert_array_equal(found[0], [3, np.nan])


def test_errors_are_those_of_k(pytensor):
    look_up = K.compile(lambda table, i: K.gather(table, i))
    with pytest.raises(ArgumentError, match=r"axis of size 3, received indices from 0 to 7[^\n]*$"):
        look_up(np.zeros((3, 2), "float32"), np.array([0, 7]))


def test_it_needs_no_compiler_and_no_folder():
    """Where nothing can be written at home, and with the default flags, which ask for Numba or C."""
    code = f"""
import numpy as np
from keras_front import backend as K
K.set_backend({PATH!r})
print(K.compile(lambda x: K.cumsum(K.exp(x)))(np.zeros(3, "float32")).tolist())
"""
    env = {**os.environ, "HOME": os.devnull + "/home", "PATH": "", "PYTENSOR_FLAGS": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[1.0, 2.0, 3.0]", done.stderr[-2000:]
