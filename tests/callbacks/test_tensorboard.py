"""`TensorBoard`: what it writes, read back by the loader of the package `tensorboard`."""

from __future__ import annotations

import struct
import sys
import types
import zlib

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.callbacks import TensorBoard, event_files
from keras_front.layers import Conv2D, Dense, Embedding, Flatten, Input, concatenate
from keras_front.models import Model, Sequential

X, Y = np.random.default_rng(0).normal(size=(24, 4)).astype("float32"), np.ones((24, 1), "float32")


@pytest.fixture(autouse=True)
def loader_without_tensorflow(monkeypatch):
    """The loader would import TensorFlow for its file system if it could; this is how it learns not to."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0, "images": 0}).Reload()


def values(folder, tag) -> list[tuple[int, float]]:
    from tensorboard.util.tensor_util import make_ndarray

    # As they were written: the files of one second have names whose order says nothing (".9" comes after ".10").
    events = sorted(read(folder).Tensors(tag), key=lambda event: event.wall_time)
    return [(event.step, float(make_ndarray(event.tensor_proto))) for event in events]


def compiled(optimizer="sgd", name="net"):
    model = Sequential([Dense(3, input_dim=4, name="first"), Dense(1, name="second")], name=name)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def fit(model, callback, **kwargs):
    return model.fit(X, Y, batch_size=8, verbose=0, callbacks=[callback], **{"epochs": 2, **kwargs}).history


def test_values_of_epochs(tmp_path, backend):
    history = fit(compiled(), TensorBoard(tmp_path / "logs"), validation_split=0.5, epochs=3)
    for kind, prefix in [("train", ""), ("validation", "val_")]:
        for name in ("loss", "mae"):
            found = values(tmp_path / "logs" / kind, f"epoch_{name}")
            assert [step for step, _ in found] == [0, 1, 2]
            np.testing.assert_allclose([value for _, value in found], history[prefix + name], rtol=1e-6)
    steps = [step for step, _ in values(tmp_path / "logs" / "validation", "evaluation_loss_vs_iterations")]
    assert steps == [2, 4, 6]


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), ("epoch", [])])
def test_values_of_batches(update_freq, steps, tmp_path):
    fit(compiled(), TensorBoard(str(tmp_path), update_freq=update_freq, write_steps_per_second=True))
    tags = read(tmp_path / "train").Tags()["tensors"]
    assert ("batch_loss" in tags) == bool(steps)
    if steps:
        assert [step for step, _ in values(tmp_path / "train", "batch_mae")] == steps
        assert all(value > 0 for _, value in values(tmp_path / "train", "batch_steps_per_second"))
    assert all(value > 0 for _, value in values(tmp_path / "train", "epoch_steps_per_second"))


def test_the_form_of_tensorflow1(tmp_path):
    with config.dialect("keras2.2"):
        callback = TensorBoard(str(tmp_path), histogram_freq=1, write_images=True, update_freq=16)
        history = fit(compiled(), callback, validation_split=1 / 3)
    log = read(tmp_path)
    assert log.Tags()["tensors"] == []
    losses = [event.value for event in log.Scalars("val_loss")]
    np.testing.assert_allclose(losses, history["val_loss"], rtol=1e-6)
    assert [event.step for event in log.Scalars("loss")] == [16, 16, 32, 32]  # samples; epochs at the same place
    histogram = log.Histograms("first/kernel_0")[0].histogram_value
    assert histogram.num == 12
    assert sum(histogram.bucket) == 12
    assert log.Graph()
    (image, *_) = log.Images("first/kernel_0/image")
    assert (image.height, image.width) == (3, 4)


def test_histograms_and_images_are_those_of_the_weights(tmp_path):
    from tensorboard.util.tensor_util import make_ndarray

    model = Sequential([Conv2D(2, 3, input_shape=(5, 5, 1), name="conv"), Flatten(), Dense(1, name="dense")])
    model.compile("sgd", "mse")
    model.fit(
        np.ones((4, 5, 5, 1), "float32"), np.ones((4, 1)), epochs=3, verbose=0,
        callbacks=[TensorBoard(tmp_path, histogram_freq=2, write_images=True)],
    )  # fmt: skip
    log = read(tmp_path / "train")
    assert [event.step for event in log.Tensors("conv/kernel_0/histogram")] == [0, 2]
    last = make_ndarray(log.Tensors("conv/kernel_0/histogram")[-1].tensor_proto)
    weights = K.get_value(model.layers[0].kernel)
    assert last.shape == (30, 3)
    assert last[:, 2].sum() == weights.size
    assert last[0, 0] == pytest.approx(weights.min(), rel=1e-5)
    assert last[-1, 1] == pytest.approx(weights.max(), rel=1e-5)
    image = make_ndarray(log.Tensors("conv/kernel_0/image")[-1].tensor_proto)
    assert image[:2].tolist() == [b"3", b"3"]
    assert len(image) == 2 + 2  # two filters
    decoded = decode(image[2])
    kernel = weights[:, :, 0, 0]
    np.testing.assert_array_equal(np.argsort(decoded.ravel())[-1], np.argsort(kernel.ravel())[-1])


def decode(data: bytes) -> np.ndarray:
    """A PNG without filters, as `event_files.png` writes it."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    columns, rows = struct.unpack(">II", data[16:24])
    channels = {0: 1, 2: 3, 6: 4}[data[25]]
    start = data.index(b"IDAT") + 4
    length = struct.unpack(">I", data[start - 8 : start - 4])[0]
    lines = np.frombuffer(zlib.decompress(data[start : start + length]), "uint8").reshape(rows, 1 + columns * channels)
    return lines[:, 1:].reshape(rows, columns, channels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png(channels):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    data = event_files.png(picture)
    np.testing.assert_array_equal(decode(data), picture)
    pillow = pytest.importorskip("PIL.Image")
    import io

    np.testing.assert_array_equal(np.asarray(pillow.open(io.BytesIO(data))).reshape(picture.shape), picture)


def test_numbers_as_brightness():
    found = event_files._as_bytes(np.array([[0.0, 1.0, 4.0]]))
    assert found.tolist() == [[0, 63, 255]]
    assert event_files._as_bytes(np.array([[-1.0, 0.0, 0.5]])).tolist() == [[0, 127, 190]]
    assert event_files._as_bytes(np.zeros((1, 2))).tolist() == [[0, 0]]
    assert event_files.pictures_of(np.zeros((2, 3, 4, 5))) is None
    assert event_files.pictures_of(np.zeros((9, 2))).shape == (1, 2, 9, 1)


def graph_nodes(folder):
    from tensorboard.compat.proto import graph_pb2

    graph = graph_pb2.GraphDef()
    graph.ParseFromString(read(folder)._graph)
    return {node.name: (node.op, list(node.input)) for node in graph.node}


def test_the_graph(tmp_path):
    inner = Sequential([Dense(3, input_dim=4, name="d")], name="inner")
    a, b = Input((4,), name="a"), Input((4,), name="b")
    model = Model([a, b], Dense(1, name="out")(concatenate([inner(a), inner(b)], name="both")))
    model.compile("sgd", "mse")
    model.fit([X, X], Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    nodes = graph_nodes(tmp_path / "train")
    assert nodes["out"] == ("Dense", ["both"])
    assert nodes["inner/d"][0] == "Dense"
    assert nodes["both"][1] == ["inner/d"]
    assert "keras" in read(tmp_path / "train").Tags()["tensors"]
    model.fit([X, X], Y, verbose=0, callbacks=[TensorBoard(tmp_path / "without", write_graph=False)])
    assert not read(tmp_path / "without" / "train").Tags()["graph"]


def test_the_graph_of_a_subclass(tmp_path):
    class Mine(Model):
        def __init__(self):
            super().__init__(name="mine")
            self.dense = Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Mine()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="conceptual graph is not written"):
        fit(model, TensorBoard(tmp_path))
    assert graph_nodes(tmp_path / "train") == {"mine": ("Mine", [])}


def projector(folder):
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    text = (folder / "projector_config.pbtxt").read_text()
    return text_format.Parse(text, projector_config_pb2.ProjectorConfig()).embeddings


def embedding_model():
    model = Sequential([Embedding(7, 3, input_length=2, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    return model


WORDS = np.array([[0, 1], [2, 3], [4, 5]])


@pytest.mark.parametrize("metadata", ["words.tsv", {"words": "words.tsv"}])
def test_embeddings(metadata, tmp_path):
    model = embedding_model()
    callback = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata=metadata)
    model.fit(WORDS, np.ones((3, 1)), verbose=0, callbacks=[callback])
    (entry,) = projector(tmp_path)
    assert entry.metadata_path == "words.tsv"
    np.testing.assert_allclose(np.loadtxt(tmp_path / entry.tensor_path), K.get_value(model.weights[0]), rtol=1e-5)


def test_embeddings_of_data(tmp_path):
    model = embedding_model()
    callback = TensorBoard(
        tmp_path, embeddings_freq=2, embeddings_layer_names=["words"], embeddings_data=WORDS[:, :2], batch_size=2
    )
    model.fit(WORDS, np.ones((3, 1)), epochs=3, verbose=0, callbacks=[callback])
    (entry,) = projector(tmp_path)
    expected = K.get_value(model.weights[0])[WORDS].reshape(3, 6)
    np.testing.assert_allclose(np.loadtxt(tmp_path / entry.tensor_path), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="unrecognized `Embedding` layer names"):
        model.fit(
            WORDS, np.ones((3, 1)), verbose=0,
            callbacks=[TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"nothing": "x"})],
        )  # fmt: skip


def test_outputs_of_layers_as_keras2_2_wrote_them(tmp_path):
    with config.dialect("keras2.2"):
        callback = TensorBoard(tmp_path, histogram_freq=1, batch_size=5)
        model = compiled()
        fit(model, callback, epochs=1, validation_data=(X[:12], Y[:12]))
    histogram = read(tmp_path).Histograms("second_out")[0].histogram_value
    outputs = model.predict(X[:12], verbose=0)
    assert histogram.num == 12
    assert histogram.max == pytest.approx(outputs.max(), rel=1e-4)


def test_arguments(tmp_path):
    with pytest.warns(UserWarning, match="write_grads is ignored"):
        TensorBoard(tmp_path, write_grads=True)
    with pytest.warns(UserWarning, match="nothing is profiled") as caught:
        TensorBoard(tmp_path, profile_batch=(2, 3))
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="not understood: 'histograms'"):
        TensorBoard(tmp_path, histograms=1)
    with pytest.raises(ValueError, match="expected update_freq"):
        TensorBoard(tmp_path, update_freq="sometimes")
    old = TensorBoard("logs", 0, True, False)  # the order of Keras 1 and tf.keras
    assert (old.write_graph, old.write_images) == (True, False)
    other = TensorBoard("logs", 0, False, True)
    assert (other.write_graph, other.write_images) == (False, True)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-front\[tensorboard\]'"):
        TensorBoard()


def test_a_subclass_that_adds_values(tmp_path):
    """As programs of the time logged the learning rate."""

    class WithRate(TensorBoard):
        def on_epoch_end(self, epoch, logs=None):
            logs = logs or {}
            logs.update({"lr": K.eval(self.model.optimizer.lr)})
            super().on_epoch_end(epoch, logs)

    fit(compiled(), WithRate(log_dir=str(tmp_path)))
    assert values(tmp_path / "train", "epoch_lr")[0] == (0, pytest.approx(0.01))


def test_evaluate_and_fit_again(tmp_path):
    model, callback = compiled(), TensorBoard(tmp_path)
    fit(model, callback, epochs=1)
    model.evaluate(X, Y, verbose=0, callbacks=[callback])
    fit(model, callback, epochs=2, initial_epoch=1)
    assert [step for step, _ in values(tmp_path / "train", "epoch_loss")] == [0, 1]
    assert [step for step, _ in values(tmp_path / "validation", "evaluation_loss_vs_iterations")] == [3]


def test_gradients_as_keras2_2_wrote_them(tmp_path, backend):
    model = Sequential([Dense(1, input_dim=4, name="d")])
    with config.dialect("keras2.2"):
        model.compile("sgd", "mse")
        callback = TensorBoard(tmp_path, histogram_freq=1, batch_size=5, write_grads=True)
        model.fit(X, Y, epochs=1, verbose=0, validation_data=(X[:12], Y[:12]), callbacks=[callback])
    kernel, bias = model.get_weights()
    expected = 2 * X[:12].T @ (X[:12] @ kernel + bias - Y[:12]) / 12  # of the mean square, after the epoch
    found = read(tmp_path).Histograms("d/kernel_0_grad")[0].histogram_value
    assert found.num == 4
    np.testing.assert_allclose([found.min, found.max], [expected.min(), expected.max()], rtol=1e-4)


def test_what_keras2_2_asked_for(tmp_path):
    with config.dialect("keras2.2"):
        with pytest.raises(ValueError, match="validation_data must be provided"):
            fit(compiled(), TensorBoard(tmp_path, histogram_freq=1))
        with pytest.raises(ValueError, match="embeddings_data must be provided"):
            fit(compiled(), TensorBoard(tmp_path, embeddings_freq=1))
