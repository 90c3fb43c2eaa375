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
from keras_front.backend import discovery
from keras_front.callbacks import LambdaCallback
from keras_front.errors import BackendError
from keras_front.layers import BatchNormalization, Conv2D, Dense, Dropout, Embedding, Flatten
from keras_front.models import Sequential
from keras_front.training.batch_loop import CollectedOutputs
from keras_front.training.steps.compiled import Steps

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


@pytest.mark.backends("torch")
def test_noise_comes_from_the_device_that_the_process_uses_now(backend, monkeypatch):
    import torch

    from keras_front_torch import transfers

    class Generator:
        def __init__(self, device):
            self.device = device

        def manual_seed(self, seed):
            return self

    monkeypatch.setattr(torch, "Generator", Generator)
    for number in (0, 1, 0):
        monkeypatch.setattr(torch.cuda, "current_device", lambda number=number: number)
        assert transfers.source(torch.device("cuda"), 1).device == torch.device("cuda", number)
    monkeypatch.setattr(transfers, "_SOURCES", transfers._Kept())


@pytest.mark.backends("torch")
def test_large_batches_go_over_beside_what_the_device_computes(backend, monkeypatch):
    import torch

    from keras_front_torch import transfers

    done = []

    class Stream:
        def __init__(self, device=None):
            self.device = device

        def __enter__(self):
            done.append("side")

        def __exit__(self, *error):
            done.append("present")

        def wait_stream(self, other):
            done.append(("waits for", other))

    present, capturing = Stream(), [False]
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: present)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: capturing[0])
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: stream)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: done.append(("is used by", stream)))
    monkeypatch.setattr(transfers, "_SIDES", transfers._Kept())
    large, small, device = torch.zeros(transfers.AHEAD), torch.zeros(3), torch.device("meta")
    assert transfers._sent(large, device).device == device
    (side,) = transfers._SIDES.found.values()
    assert done == ["side", "present", ("waits for", side), ("is used by", present)]
    done.clear()
    transfers._sent(small, device)
    capturing[0] = True
    transfers._sent(large, device)
    assert done == []


@pytest.mark.backends("torch")
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_takes_a_rate_that_lies_on_the_device_in_any_dtype(backend, monkeypatch, amsgrad):
    import torch

    from keras_front_torch.backend import TorchBackend

    def updated(dtype):
        draw = torch.Generator().manual_seed(0)
        sets = [[torch.rand(3, 2, dtype=dtype, generator=draw)] for _ in range(5 if amsgrad else 4)]
        rate = torch.tensor(0.1, dtype=dtype)
        for t in (1, 2):
            discovery.active().adam_update_in_place(
                *sets[:4], sets[4] if amsgrad else [], rate, torch.tensor(t), beta_1=0.9, beta_2=0.99, epsilon=1e-7
            )
        return [x for (x,) in sets]

    expected = {dtype: updated(dtype) for dtype in (torch.float64, torch.float32, torch.bfloat16)}
    monkeypatch.setattr(TorchBackend, "_rate", lambda self, lr: lr)
    for dtype, parts in expected.items():
        loose = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
        for one, other in zip(updated(dtype), parts, strict=True):
            torch.testing.assert_close(one, other, rtol=loose, atol=loose)


@pytest.mark.backends("torch")
def test_devices_that_are_not_there_are_refused_and_faults_of_a_device_are_no_argument_errors(backend, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with K.device("gpu:2"), pytest.raises(BackendError, match=r"no device .gpu:2.; there are: cuda:0, cuda:1, cpu"):
        K.convert([1.0])
    engine = discovery.active()
    for words in ("CUDA error: device-side assert triggered", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"):
        assert not engine.is_argument_error(RuntimeError(words))
    assert engine.is_argument_error(RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"))


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
    with jax.transfer_guard("disallow"):
        for act in acts:
            act()


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


# TensorFlow ------------------------------------------------------------------------------------------


def images_first(x, kernel, grouped, volume):
    """What nets of images are made of, with channels first."""
    form = {"data_format": "channels_first"}
    y = K.pool2d(K.conv2d(x, kernel, padding="same", **form), (3, 3), (2, 2), "same", **form)
    y = K.conv2d(y, grouped, groups=2, padding="valid", **form)
    y = K.normalize_batch_in_training(y, None, None, (0, 2, 3), epsilon=1e-3)[0]
    both = [K.pool3d(volume, (2, 2, 2), (1, 1, 1), pool_mode=mode, **form) for mode in ("max", "avg")]
    return [y, *both, K.pool1d(volume[:, :, 0, 0], 2, 2, **form)]


@pytest.mark.backends("tensorflow")
def test_tensorflow_takes_channels_first_as_they_are_where_a_gpu_computes(backend, monkeypatch):
    import tensorflow as tf

    from keras_front_tensorflow import backend as adapter
    from keras_front_tensorflow import convolution

    draw = np.random.default_rng(3).normal
    shapes = (2, 2, 9, 9), (3, 3, 2, 4), (2, 2, 2, 6), (2, 3, 4, 5, 4)
    given = [tf.constant(draw(size=shape).astype("float32")) for shape in shapes]
    expected = images_first(*given)
    for module in (adapter, convolution):
        monkeypatch.setattr(module, "on_gpu", lambda: True)

    def with_gradients(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            found = images_first(*tensors)
        return found, tape.gradient(found, tensors)

    ops = Counter(op.type for op in tf.function(with_gradients).get_concrete_function(*given).graph.get_operations())
    assert ops["Conv2D"] == 2
    assert ops["FusedBatchNormV3"] == 1
    assert not {"Transpose", "Split", "SplitV", "ConcatV2", "PyFunc", "EagerPyFunc"} & set(ops)
    # A CPU has no such kernels, but XLA makes them.
    found = tf.function(images_first, jit_compile=True, autograph=False)(*given)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.backends("tensorflow")
def test_tensorflow_steps_call_no_function_of_the_host(backend):
    import tensorflow as tf

    model = compiled("dense")
    x, y = arrays(model, 4)
    model.train_on_batch(x, y)
    steps = model._compilation.steps
    batch, layout = model._compilation.spec.batch(x, y)
    state, batch = steps.state("train")[0], [tf.constant(array) for array in batch]
    run = steps.train(layout, report=True, single=True).specialize(state, batch)
    run(state, batch)
    ops = {op.type for op in run.concrete.graph.get_operations()}
    assert "MatMul" in ops
    assert not ops & {"PyFunc", "EagerPyFunc", "PyFuncStateless"}
