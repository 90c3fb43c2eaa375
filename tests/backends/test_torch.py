"""What only the torch adapter does: programs rewritten, updates in donated memory, images as views."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.layers import LSTM, Dense
from keras_front.models import Sequential

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
    assert "addmm(" in f.source
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


def convnet(x, kernel, bias, shortcut):
    y = K.relu(K.bias_add(K.conv2d(x, kernel, padding="same", data_format="channels_last"), bias))
    z = K.bias_add(K.conv2d(y, kernel, padding="same", data_format="channels_last"), bias)
    return K.relu(K.add(z, shortcut))


def by_hand(x, kernel, bias, shortcut):
    import torch

    def conv(x):
        y = torch.nn.functional.conv2d(x.movedim(-1, 1), kernel.permute(3, 2, 0, 1), padding="same")
        return y.movedim(1, -1) + bias

    return torch.relu(conv(torch.relu(conv(x))) + shortcut)


def images(backend):
    return [tensor(backend, *shape) for shape in ((2, 5, 5, 3), (3, 3, 3, 3), (3,), (2, 5, 5, 3))]


def test_bias_and_relu_join_their_convolution(backend):
    f, args = K.compile(convnet), images(backend)
    before = [a.clone() for a in args]
    np.testing.assert_allclose(f(*args), by_hand(*args), rtol=1e-5, atol=1e-5)
    assert f.source.count(" conv(") == 2
    assert "relu=True" in f.source
    assert "add_in_place(" in f.source
    assert " add(" not in f.source
    assert all(a.equal(b) for a, b in zip(args, before, strict=True))


def test_joined_convolutions_have_the_same_gradients(backend):
    import torch

    f = K.compile(lambda x, s, p: K.value_and_grad(lambda p: (K.sum(K.square(convnet(x, *p, s))), []), p))
    x, kernel, bias, shortcut = images(backend)
    (loss, _), grads = f(x, shortcut, [kernel, bias])
    leaves = [kernel.requires_grad_(), bias.requires_grad_()]
    wanted = by_hand(x, *leaves, shortcut).square().sum()
    np.testing.assert_allclose(loss, wanted.detach(), rtol=1e-4)
    for grad, other in zip(grads, torch.autograd.grad(wanted, leaves), strict=True):
        np.testing.assert_allclose(grad, other, rtol=1e-3, atol=1e-3)


def test_a_convolution_that_is_used_twice_stays(backend):
    def twice(x, kernel, bias):
        z = K.conv2d(x, kernel, data_format="channels_last")
        return K.relu(z), K.bias_add(z, bias), K.relu(x)

    x, kernel, bias, _ = images(backend)
    before = x.clone()
    f = K.compile(twice)
    y, z, r = f(x, kernel, bias)
    plain = K.conv2d(x, kernel, data_format="channels_last")
    np.testing.assert_allclose(y, plain.relu(), rtol=1e-5)
    np.testing.assert_allclose(z, plain + bias, rtol=1e-5)
    np.testing.assert_allclose(r, before.relu())
    assert x.equal(before)
    assert "in_place" not in f.source
    assert "relu=True" not in f.source


def test_arguments_that_others_read_are_not_overwritten(backend):
    def shared(x, y):
        a = K.add(x, y)
        view = K.reshape(a, (6,))
        b = K.multiply(x, y)
        wide = K.add(K.sum(b, axis=1, keepdims=True), y)
        return K.relu(a), view, b, K.relu(b), wide, K.relu(x), K.add(x, 1.0)

    x, y = tensor(backend, 2, 3), tensor(backend, 2, 3)
    before = x.clone(), y.clone()
    results = K.compile(shared)(x, y)
    a, b = x + y, x * y
    wanted = a.relu(), a.reshape(6), b, b.relu(), b.sum(1, keepdim=True) + y, x.relu(), x + 1
    for result, other in zip(results, wanted, strict=True):
        np.testing.assert_allclose(result, other, rtol=1e-6)
    assert x.equal(before[0])
    assert y.equal(before[1])


def test_a_dying_sum_is_overwritten(backend):
    f = K.compile(lambda x, y: K.relu(K.multiply(K.add(x, y), y)))
    x, y = tensor(backend, 2, 3), tensor(backend, 2, 3)
    before = x.clone(), y.clone()
    np.testing.assert_allclose(f(x, y), ((x + y) * y).relu(), rtol=1e-6)
    assert "multiply_in_place(" in f.source
    assert "relu_in_place(" in f.source
    assert x.equal(before[0])
    assert y.equal(before[1])


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


def test_state_shares_no_memory_with_what_is_lent(backend):
    run = K.compile(lambda state, batch: ([K.reshape(batch[0], (6,)), state[1] + 1.0], K.sum(batch[0])), donate=(0,))
    lent = np.ones((2, 3), "float32")
    state, _ = run([K.zeros((6,)), K.convert(np.float32(0))], [backend.argument(lent)])
    assert backend.argument(lent).data_ptr() == lent.ctypes.data
    lent[:] = 5.0
    np.testing.assert_array_equal(backend.to_numpy(state[0]), 1.0)
    assert "copy(" in run.source


def test_truths_are_counted_as_they_are(backend):
    run = K.compile(lambda x, y: K.sum(K.cast(K.equal(x, y), "float32")))
    x = np.arange(4.0, dtype="float32")
    assert float(run(x, x)) == 4
    assert "cast" not in run.source


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


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", "categorical_crossentropy"])
def test_updates_after_autograd_reuse_memory_whatever_the_loss(backend, loss):
    """The loss that a step returns is no view of a weight, under whichever name of torch's it was computed."""
    model = Sequential([LSTM(3, input_shape=(4, 2)), Dense(2, activation="sigmoid")])
    model.compile("adam", loss)
    x, y = np.ones((5, 4, 2), "float32"), np.ones((5, 2), "float32")
    batch, layout = model._settled("train_on_batch", x, 5).spec.batch(x, y)
    program = model._compilation.steps.ready("train", layout, batch, report=True, single=True)
    assert "adam_update_in_place(" in program.source


def test_a_softmax_and_its_crossentropy_share_a_logarithm(backend):
    z, t = tensor(backend, 4, 3), K.convert(np.eye(3, dtype="float32")[[0, 2, 1, 0]])
    f = K.compile(lambda z, t: (K.softmax(z), K.categorical_crossentropy(t, K.softmax(z)), K.softmax(z, axis=0)))
    shares, losses, columns = (K.to_numpy(r) for r in f(z, t))
    assert f.source.count("log_softmax(") == 1
    assert f.source.count("softmax_over(") == 1
    e = np.exp(K.to_numpy(z).astype("float64"))
    want = e / e.sum(-1, keepdims=True)
    np.testing.assert_allclose(shares, want, rtol=1e-6)
    np.testing.assert_allclose(losses, -np.log((want * K.to_numpy(t)).sum(-1)), rtol=1e-6)
    np.testing.assert_allclose(columns, e / e.sum(0), rtol=1e-6)
