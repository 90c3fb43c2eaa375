"""Steps copy nothing between host and device that nobody asked for, shown by counting: no GPU is needed for it.

On torch the device is `meta`, whose tensors have no values: reading one is an error, and every copy is an op that can
be counted. JAX is told that its CPU is a device of its own and forbidden to copy silently. TensorFlow is asked which
ops a step has.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.callbacks import LambdaCallback
from keras_front.layers import BatchNormalization, Conv2D, Dense, Dropout, Embedding, Flatten
from keras_front.models import Sequential
from keras_front.training.loops import CollectedOutputs
from keras_front.training.steps import Steps

NETS = {
    "dense": lambda: [Dense(4, input_shape=(3,)), Dropout(0.5), Dense(2)],
    "images": lambda: [Conv2D(3, 3, input_shape=(6, 6, 1)), BatchNormalization(), Flatten(), Dense(2)],
    "words": lambda: [Embedding(9, 4, input_length=5), Flatten(), Dense(2)],
}  # fmt: skip
EACH_BATCH = [LambdaCallback(on_train_batch_begin=lambda batch, logs: None)]


def compiled(net, optimizer="adam"):
    model = Sequential(NETS[net]())
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def arrays(model, samples):
    return np.ones((samples, *model.input_shape[1:]), "float32"), np.ones((samples, 2), "float32")


# torch -----------------------------------------------------------------------------------------------


@pytest.fixture
def copies(backend, monkeypatch):
    """A function that counts the ops of an act that touch more than one device, on a device without values."""
    import torch
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    from keras_front_torch import transfers
    from keras_front_torch.backend import TorchBackend

    class Counting(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.found = Counter()

        @classmethod
        def _should_skip_dynamo(cls):
            return False  # torch would import its compiler, which takes seconds

        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            fused = "fused_adam" in str(op)  # it has no form without values, and gives nothing
            out = None if fused else op(*args, **(kwargs or {}))
            leaves = _pytree.tree_leaves((args, kwargs, out))
            if len({t.device.type for t in leaves if isinstance(t, torch.Tensor)}) > 1:
                self.found[str(op)] += 1
            return out

    def read(self, x):
        assert x.device.type == "meta"
        reads.append(x)
        return np.zeros(x.shape, "float32")

    reads = []
    monkeypatch.setattr(TorchBackend, "to_numpy", read)
    monkeypatch.setattr(Steps, "results", lambda self, kind, last=None: [0.0] * len(self.names(kind)))
    monkeypatch.setattr(transfers, "source", lambda device, seed: None)  # there is no generator for it

    def count(act):
        reads.clear()
        with Counting() as counting:
            act()
        return sum(counting.found.values()), len(reads)

    return count


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    ("net", "optimizer"), [("dense", "sgd"), ("dense", "rmsprop"), ("images", "adam"), ("words", "adam")]
)
@pytest.mark.parametrize("callbacks", [(), EACH_BATCH], ids=["plain", "hooks"])
def test_torch_copies_once_an_epoch_and_in_no_step(backend, copies, net, optimizer, callbacks):
    with K.device("meta"):
        model = compiled(net, optimizer)
        few, many = arrays(model, 8), arrays(model, 24)
        copies(lambda: model.fit(*few, batch_size=4, verbose=0, callbacks=callbacks))
        found = [copies(lambda d=d: model.fit(*d, batch_size=4, verbose=0, callbacks=callbacks)) for d in (few, many)]
    assert found[0] == found[1]
    assert found[0][1] == 0  # nothing is read but the means, once an epoch


@pytest.mark.backends("torch")
def test_torch_brings_many_batches_at_once_and_reads_at_the_end(backend, copies):
    with K.device("meta"):
        model = compiled("dense")
        few, many = arrays(model, 8), arrays(model, 24)
        for act in (lambda d: model.predict(d[0], batch_size=4), lambda d: model.evaluate(*d, batch_size=4, verbose=0)):
            copies(lambda act=act: act(few))
            assert copies(lambda act=act: act(few)) == copies(lambda act=act: act(many))
        assert copies(lambda: model.predict(many[0], batch_size=4)) == (1, 1)


@pytest.mark.backends("torch")
def test_torch_brings_arrays_in_blocks_of_bounded_size(backend, monkeypatch):
    from keras_front_torch import transfers

    monkeypatch.setattr(transfers, "BLOCK", 64)
    array, seen = np.arange(40, dtype="float32").reshape(10, 4), []

    def place(part):
        seen.append(len(part))
        return transfers.seen(part)

    found = list(transfers.blocks([array], 2, place, whole=False))
    np.testing.assert_array_equal(np.concatenate([part.numpy() for (part,) in found]), array)
    assert seen == [4, 4, 2]
    assert [len(part) for (part,) in transfers.blocks([array], 4, place, whole=True)] == [4, 4, 2]


@pytest.mark.backends("torch")
def test_noise_of_a_thread_comes_from_one_generator(backend):
    import torch

    from keras_front_torch import transfers

    first = transfers.source(torch.device("cpu"), 7)
    drawn = torch.rand(3, generator=first)
    again = transfers.source(torch.device("cpu"), 7)
    assert again is first
    assert torch.equal(torch.rand(3, generator=again), drawn)


# JAX -------------------------------------------------------------------------------------------------


@pytest.mark.backends("jax")
def test_jax_copies_nothing_silently(backend, monkeypatch):
    import jax

    from keras_front_jax.backend import JaxBackend

    monkeypatch.setattr(JaxBackend, "_is_host", lambda self: False)
    model = compiled("dense")
    x, y = arrays(model, 24)
    acts = (
        lambda: model.fit(x, y, batch_size=4, verbose=0),
        lambda: model.fit(x, y, batch_size=4, verbose=0, callbacks=EACH_BATCH),
        lambda: model.evaluate(x, y, batch_size=4, verbose=0),
        lambda: model.predict(x, batch_size=4),
    )
    for act in acts:
        act()  # compiles
    put, told = jax.device_put, []
    monkeypatch.setattr(jax, "device_put", lambda *args, **kwargs: told.append(args) or put(*args, **kwargs))
    with jax.transfer_guard("disallow"):
        for act in acts:
            act()
    assert len(told) < 40  # data, orders and means of four loops; a step takes its rows and no more


@pytest.mark.backends("jax")
def test_jax_predicts_without_reading_in_the_loop(backend, monkeypatch):
    from keras_front_jax.backend import JaxBackend

    model = compiled("dense")
    x, _ = arrays(model, 26)
    expected = model.predict(x, batch_size=4)
    at_the_end, reads = [], []
    fetch, read = CollectedOutputs._fetch, JaxBackend.to_numpy
    monkeypatch.setattr(CollectedOutputs, "_fetch", lambda self: at_the_end.append(True) or fetch(self))
    monkeypatch.setattr(JaxBackend, "to_numpy", lambda self, x: reads.append(bool(at_the_end)) or read(self, x))
    np.testing.assert_array_equal(model.predict(x, batch_size=4), expected)
    assert len(expected) == 26
    assert reads
    assert all(reads)
