"""What only the JAX adapter does: exact dtypes under 64-bit mode, donation, loops in one dispatch."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import Lambda

pytestmark = pytest.mark.backends("jax")


OWN_JAX = """
import sys, warnings
import numpy as np, jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", sys.argv[1] == "on")
traces = []
own = jax.jit(lambda x: (traces.append(1), x * 2)[1])
before = own(jnp.arange(3))
import keras_front
from keras_front import backend as K, layers as L
from keras_front.models import Sequential
keras_front.set_backend("jax")
warnings.simplefilter("error")
model = Sequential([L.Dense(4, activation="relu", input_shape=(3,)), L.Dropout(0.3), L.Dense(2, activation="softmax")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
x, y = np.ones((32, 3), "float32"), np.eye(2)[np.arange(32) % 2]
model.fit(x, y, epochs=2, verbose=0)
for batch in model.predict(x), model.evaluate(x, y, verbose=0), model.predict_on_batch(x):
    assert np.isfinite(batch).all()
assert K.dtype(K.argmax(K.constant(x))) == "int64"
wide = K.exp(K.convert(x, "float64"))
np.testing.assert_allclose(np.asarray(K.multiply(wide, wide)), np.exp(2.0) * np.ones((32, 3)), rtol=1e-14)
with K.use_backend("numpy"):
    pass
assert jax.config.jax_enable_x64 == (sys.argv[1] == "on")
assert jnp.arange(3).dtype == before.dtype == ("int64" if sys.argv[1] == "on" else "int32")
assert own(jnp.arange(3)).dtype == before.dtype and len(traces) == 1
"""


@pytest.mark.parametrize("switch", ["on", "off"])
def test_an_application_with_jax_of_its_own_finds_it_unchanged(backend, switch):
    subprocess.run([sys.executable, "-c", OWN_JAX, switch], check=True)


def test_64_bits_whatever_the_switch_says(backend):
    """Values, gradients, loops and noise in float64 to its last places."""
    x = np.linspace(-1, 1, 7)
    t = K.convert(x, "float64")
    np.testing.assert_allclose(backend.to_numpy(K.tanh(K.multiply(t, 3.0))), np.tanh(3 * x), rtol=1e-14)
    (_, _), (slope,) = K.value_and_grad(lambda p: (K.sum(K.exp(p[0])), []), [t])
    np.testing.assert_allclose(backend.to_numpy(slope), np.exp(x), rtol=1e-14)
    carry, _ = K.scan(lambda c, s: ([K.add(c[0], s[0])], []), [K.convert(0.0, "float64")], [t])
    np.testing.assert_allclose(backend.to_numpy(carry[0]), x.sum(), atol=1e-14)
    f = K.compile(lambda t: K.divide(K.cumsum(t), 3.0))
    np.testing.assert_allclose(backend.to_numpy(f(t)), np.cumsum(x) / 3, rtol=1e-14, atol=1e-16)
    noise = K.eval(K.random_uniform((1000,), dtype="float64"))
    assert (noise != noise.astype("float32")).any()


def test_donated_memory_is_gone(backend):
    f = K.compile(lambda state, x: [K.add(state[0], x)], donate=(0,))
    state = [backend.asarray(np.ones(4, "float32"))]
    (new,) = f(state, backend.asarray(np.ones(4, "float32")))
    np.testing.assert_array_equal(backend.to_numpy(new), 2)
    assert state[0].is_deleted()


def test_a_single_precision_program_has_no_double_in_it(backend):
    import jax

    def net(x, w, counter, seed):
        with K.bind([], [], counter=counter, seed=seed):
            h = K.dropout(K.relu(K.dot(x, w)), 0.5)
        h = K.softmax(K.normalize_batch_in_training(h, None, None, reduction_axes=(0,))[0])
        return K.mean(K.elu(h) ** 2 / 3), K.std(h, axis=0), K.clip(h, 0.1, 0.9)

    f = K.compile(net)
    x, w = (backend.asarray(np.ones(s, "float32")) for s in ((4, 3), (3, 2)))
    counter, seed = (backend.asarray(np.asarray(n, "int64")) for n in (1, 2**40))
    text = str(jax.make_jaxpr(f.inline)(x, w, counter, seed))
    assert "f64" not in text
    assert re.findall(r":[iu]64\[([^\]]+)\]", text) == []  # the counter and the seed are the only 64 bits


def test_numpy_keeps_its_own_memory(backend):
    for n in (8, 1 << 16):
        host = np.zeros(n, "float32")
        x = backend.asarray(host)
        host[:] = 1
        assert not np.asarray(x).any()


def test_a_loop_is_one_dispatch(backend):
    calls = []

    def step(state, batch):
        calls.append(1)
        return [K.add(state[0], K.sum(batch[0]))], K.sum(batch[0])

    run = K.compile_multi_step(step)
    state, data = [backend.asarray(np.zeros((), "float32"))], [backend.asarray(np.ones((12, 2), "float32"))]
    state, loss = run(state, data, np.arange(12).reshape(4, 3), 4)
    assert float(state[0]) == 24
    assert float(loss) == 6
    assert len(calls) <= 2


def test_host_noise_is_drawn_at_every_step_of_a_loop(backend):
    def step(state, batch):
        return [state[0] + 1, K.host_noise(state[0], 1, (2,), "float32", 2, "uniform")], K.sum(state[1])

    run = K.compile_multi_step(step)
    start = [backend.asarray(np.asarray(0, "int64")), backend.asarray(np.zeros(2, "float32"))]
    state, _ = run(start, [backend.asarray(np.zeros((4, 1), "float32"))], np.arange(4).reshape(4, 1), 4)
    from keras_front.backend import seeds

    np.testing.assert_array_equal(backend.to_numpy(state[1]), seeds.noise(1, 2, 3, (2,), "uniform"))


def test_an_unknown_device_is_an_error_that_names_the_others(backend):
    from keras_front.backend import discovery
    from keras_front.errors import BackendError

    with discovery.device("abacus"), pytest.raises(BackendError, match=r"no device 'abacus'; there are: .*cpu"):
        backend.asarray(np.zeros(2))


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_attention_that_the_fused_kernel_takes_is_handed_to_it(backend, monkeypatch, bias, is_causal):
    """With the engine's other implementation, as there is no kernel for a CPU."""
    monkeypatch.setattr("keras_front_jax.backend._ATTENTION", {"cpu": "xla"})
    rng = np.random.default_rng(5)
    with K.device("cpu"):
        q, k, v = (K.convert(rng.normal(size=(2, 6, 2, 8)), "float16") for _ in range(3))
        added = K.convert(rng.normal(size=(1, 2, 6, 6)), "float16") if bias else None
        own = backend.dot_product_attention(q, k, v, added, scale=0.3, is_causal=is_causal)
        body = K.Backend.dot_product_attention(q, k, v, added, None, scale=0.3, is_causal=is_causal)
        np.testing.assert_allclose(K.to_numpy(own), K.to_numpy(body), rtol=1e-2, atol=1e-2)
        single = [K.convert(t, "float32") for t in (q, k, v)]
        np.testing.assert_array_equal(
            K.to_numpy(backend.dot_product_attention(*single, scale=None, is_causal=is_causal)),
            K.to_numpy(K.Backend.dot_product_attention(*single, scale=None, is_causal=is_causal)),
        )


@pytest.mark.backends("jax")
def test_operators_in_a_layer_have_64_bits_whatever_the_switch_of_the_process_says(backend):
    """Python's operators on JAX's arrays are JAX's own; outside of a layer its switch decides."""
    x = K.convert(np.array([0.1, 0.7]), "float64")
    twice = Lambda(lambda t: 1 - 2 * t + t, dtype="float64")(x)
    assert K.dtype(twice) == "float64"
    np.testing.assert_array_equal(K.to_numpy(twice), 1 - np.array([0.1, 0.7]) * 2 + np.array([0.1, 0.7]))
