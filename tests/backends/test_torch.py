"""What only the torch adapter does: programs rewritten, updates in donated memory, images as views."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K

pytestmark = pytest.mark.backends("torch")
RNG = np.random.default_rng(4)


def tensor(backend, *shape):
    return backend.asarray(RNG.normal(size=shape).astype("float32"))


def step(state, batch):
    def loss(params):
        return K.mean(K.square(K.bias_add(K.dot(batch[0], params[0]), params[1]))), []

    (value, _), grads = K.value_and_grad(loss, state)
    return K.sgd_update(state, grads, [], 0.1)[0], value


def test_updates_reuse_donated_memory(backend):
    state, batch = [tensor(backend, 3, 2), tensor(backend, 2)], [tensor(backend, 4, 3)]
    places = [t.data_ptr() for t in state]
    owning = K.compile(step, donate=(0,))
    new, _ = owning(state, batch)
    assert "sgd_update_in_place" in owning.source
    assert [t.data_ptr() for t in new] == places
    plain = K.compile(step)
    other, _ = plain(new, batch)
    assert "sgd_update_in_place" not in plain.source
    assert not {t.data_ptr() for t in other} & set(places)


def test_a_bias_joins_its_matmul(backend):
    f = K.compile(lambda x, w, b: K.relu(K.bias_add(K.dot(x, w), b)))
    x, w, b = tensor(backend, 4, 3), tensor(backend, 3, 2), tensor(backend, 2)
    np.testing.assert_allclose(f(x, w, b), np.maximum((x @ w + b).numpy(), 0), rtol=1e-6)
    assert "linear(" in f.source
    assert "matmul(" not in f.source


def test_a_product_that_is_used_twice_stays(backend):
    def twice(x, w, b):
        z = K.dot(x, w)
        return K.add(z, b), z

    f = K.compile(twice)
    x, w, b = tensor(backend, 4, 3), tensor(backend, 3, 2), tensor(backend, 2)
    y, z = f(x, w, b)
    np.testing.assert_allclose(y, x @ w + b, rtol=1e-6)
    np.testing.assert_allclose(z, x @ w, rtol=1e-6)


def test_images_go_through_convolutions_without_a_copy(backend):
    y = K.conv2d(tensor(backend, 2, 5, 5, 3), tensor(backend, 3, 3, 3, 4), padding="same", data_format="channels_last")
    assert y.is_contiguous()


def test_nothing_outside_value_and_grad_is_recorded(backend):
    import torch

    w = torch.nn.Parameter(torch.ones(3))
    y = K.compile(lambda w: K.sum(K.square(w)))(w)
    assert not y.requires_grad
    (loss, [aux]), [grad] = K.value_and_grad(lambda p: (K.sum(p[0] * 2.0), [K.square(p[0])]), [w])
    assert not any(t.requires_grad for t in (loss, aux, grad))


def test_a_loss_without_parameters_has_zero_gradients(backend):
    x = tensor(backend, 3)
    (loss, _), [grad] = K.value_and_grad(lambda p: (K.sum(x), []), [tensor(backend, 2)])
    assert float(loss) == pytest.approx(float(x.sum()))
    assert not grad.any()


def test_counters_stay_on_the_host(backend):
    assert backend.asarray(np.asarray(3, "int64")).device.type == "cpu"


def test_an_unknown_device_is_an_error_that_names_the_others(backend):
    from keras_front.backend import discovery
    from keras_front.errors import BackendError

    with discovery.device("abacus"), pytest.raises(BackendError, match=r"no device 'abacus'; there are: .*cpu"):
        backend.asarray(np.zeros(2))
