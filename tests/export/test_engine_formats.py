"""Programs in an engine's own format, run by that engine alone: NumPy, torch.export, StableHLO, SavedModel."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import cli, models
from keras_front import layers as L
from keras_front.errors import ArgumentError, SerializationError
from keras_front.testing import layers as suite
from keras_front.testing import selection

TARGETS = {"numpy": "m.py", "torch": "m.pt2", "jax": "m.stablehlo", "tensorflow": "m"}
DRAW = np.random.default_rng(3)


def small():
    """Two inputs, two outputs, layers with a state, sizes that only a run tells."""
    images, words = L.Input((6, 4, 3), name="images"), L.Input((5,), dtype="int32", name="words")
    x = L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", activation="relu")(images)))
    steps = L.Reshape((6, 4))(x)
    attended = L.GlobalAveragePooling1D()(L.MultiHeadAttention(2, 2)(steps, steps))
    read = L.LSTM(3)(L.Embedding(7, 3)(words))
    joined = L.Concatenate()([L.Flatten()(x), attended])
    return models.Model([images, words], [L.Dense(2, activation="softmax", name="class")(joined), read])


def data(batch=5):
    return [DRAW.normal(size=(batch, 6, 4, 3)).astype("float32"), DRAW.integers(0, 7, (batch, 5)).astype("int32")]


def module_in(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_numpy(path, inputs):
    return module_in(path).predict(*inputs)


def run_torch(path, inputs):
    import torch

    found = torch.export.load(path).module()(*map(torch.as_tensor, inputs))
    return [y.detach().numpy() for y in found]


def run_jax(path, inputs):
    from jax import export

    return [np.asarray(y) for y in export.deserialize(bytearray(path.read_bytes())).call(*inputs)]


def run_tensorflow(path, inputs):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    named = loaded.signatures["serving_default"]
    assert {"class"} < set(named.structured_outputs)
    return [y.numpy() for y in loaded.serve(*inputs)]


RUN = {"numpy": run_numpy, "torch": run_torch, "jax": run_jax, "tensorflow": run_tensorflow}


def test_the_engine_alone_computes_the_same_for_any_batch(backend, tmp_path):
    if backend.name not in TARGETS:
        pytest.skip("has no format of its own")
    with K.use_backend("numpy"):
        model = small()
        batches = [data(2), data(5)]
        want = [model.predict(x, verbose=0) for x in batches]
    target = tmp_path / TARGETS[backend.name]
    model.export(target, "saved_model" if backend.name == "tensorflow" else None)
    for x, expected in zip(batches, want, strict=True):
        for got, y in zip(RUN[backend.name](target, x), expected, strict=True):
            np.testing.assert_allclose(got, y, atol=1e-5)


def test_a_python_file_needs_numpy_alone(tmp_path):
    model, x = small(), data()
    model.save(tmp_path / "m.keras")
    assert cli.main(["export", str(tmp_path / "m.keras"), str(tmp_path / "predict.py")]) == 0
    text = (tmp_path / "predict.py").read_text()
    assert not {line for line in text.splitlines() if line.startswith(("import", "from")) and "keras" in line}
    np.savez(tmp_path / "in.npz", images=x[0], words=x[1])
    # -I: neither this package nor its folder are on the path; what else is installed is named here
    forbid = "import sys; sys.modules.update(dict.fromkeys(['keras_front','keras_front_numpy','h5py','torch','jax']))"
    start = f"{forbid}; sys.argv = ['predict.py', 'in.npz', 'out.npz']; import runpy; runpy.run_path('predict.py', "
    command = [sys.executable, "-I", "-c", f"{start}run_name='__main__')"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=60)
    with np.load(tmp_path / "out.npz") as found:
        for name, y in zip(model.output_names, model.predict(x, verbose=0), strict=True):
            np.testing.assert_allclose(found[name], y, atol=1e-6)


def cases():
    """Every case of every layer, of which the suite takes some that cover the kinds of ops, and `make test-all` all."""
    if selection.everything():
        return [(name, case) for name, listed in suite.table().items() for case in listed]
    names = "Conv2DTranspose SeparableConv2D AveragePooling2D GRU ConvLSTM2D PReLU Dot UpSampling2D ZeroPadding2D"
    return [(name, suite.table()[name][0]) for name in names.split()]


def test_layers_as_python_files(tmp_path):
    count = 0
    for name, case in cases():
        inputs = [L.Input(shape, dtype="int32" if case.ints else None) for shape in case.shapes]
        layer = case.make()
        model = models.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
        x = [
            DRAW.integers(0, case.ints, (3, *shape)).astype("int32")
            if case.ints
            else DRAW.normal(size=(3, *shape)).astype("float32")
            for shape in case.shapes
        ]
        want = model.predict_on_batch(x)
        model.export(tmp_path / "m.py")
        got = module_in(tmp_path / "m.py").predict(*x)
        for a, b in zip(*(y if isinstance(y, list) else [y] for y in (got, want)), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-5, err_msg=name)
        count += 1
    assert count >= 9


def test_what_cannot_be_exported(tmp_path):
    model = models.Sequential([L.Dense(2, input_shape=(3,))])
    with pytest.raises(ArgumentError, match="expected batch_size to be None or a positive integer"):
        model.export(tmp_path / "m.py", batch_size=0)
    with pytest.raises(ArgumentError, match="expected an existing folder"):
        model.export(tmp_path / "none" / "m.py")
    words = models.Sequential([L.Input((), dtype="string"), L.StringLookup(vocabulary=["a"])])
    with pytest.raises(SerializationError, match="looks up words on the host"):
        words.export(tmp_path / "m.py")
    noisy = models.Sequential([L.Lambda(lambda x: x + K.random_normal((2,)), input_shape=(2,))])
    with pytest.raises(SerializationError, match="draws noise when it predicts"):
        noisy.export(tmp_path / "m.py")
    assert not list(tmp_path.iterdir())


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path):
    model = models.Sequential([L.Dense(2, input_shape=(3,))])
    (tmp_path / "m.py").write_text("old")
    model.export(tmp_path / "m.py")
    assert module_in(tmp_path / "m.py").predict(np.ones((1, 3))).shape == (1, 2)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__") == ["m.npz", "m.py"]
