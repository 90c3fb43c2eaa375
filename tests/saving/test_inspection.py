"""`describe`: what a file is, without anything being made of it, and everything that a reader would refuse."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import h5py
import interop
import numpy as np
import pytest
import torch

from keras_front import cli, layers, models
from keras_front.errors import UnsafeFileError
from keras_front.saving import inspection, torch_files
from keras_front.saving.inspection import describe


@pytest.fixture
def model():
    inner = models.Sequential([layers.Dense(3, input_shape=(5, 4), name="in")], name="inner")
    stack = [inner, layers.TimeDistributed(layers.Dense(2, name="each"), name="times")]
    made = models.Sequential([*stack, layers.Flatten(), layers.Dense(1, name="out")], name="outer")
    made.compile("adam", "mse", metrics=["mae"])
    made.train_on_batch(np.ones((2, 5, 4)), np.ones((2, 1)))
    return made


def sizes(model):
    return sorted(w.shape for w in model.weights)


@pytest.mark.parametrize("end", [".h5", ".keras"])
def test_a_whole_model(model, tmp_path, end):
    model.save(tmp_path / f"m{end}")
    found = describe(tmp_path / f"m{end}")
    assert "a whole model" in found.kind
    assert found.model.startswith("Sequential 'outer'")
    assert found.refused == []
    named = [(e.name, e.class_name, e.depth) for e in found.layers if e.class_name not in ("InputLayer", "Flatten")]
    expected = [("inner", "Sequential", 0), ("in", "Dense", 1), ("times", "TimeDistributed", 0), ("each", "Dense", 1)]
    assert named == [*expected, ("out", "Dense", 0)]
    assert sorted(e.shape for e in found.weights) == sizes(model)
    assert found.optimizer.startswith("Adam(")
    assert "learning_rate=0.001," in found.optimizer  # not the nearest number of 32 bits, 0.0010000000474974513
    assert found.training["loss"] == ("mean_squared_error" if end == ".h5" else "mse")  # which every Keras knows
    assert len(found.state) >= 2 * len(model.weights)
    assert json.loads(found.to_json())["kind"] == found.kind


def test_metrics_that_are_none_are_not_shown(model, tmp_path):
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        config = json.loads(file.attrs["training_config"])
        file.attrs["training_config"] = json.dumps({**config, "metrics": [[]]})  # as tf_keras writes none
    assert list(describe(tmp_path / "m.h5").training) == ["loss"]


def test_weights_alone(model, tmp_path):
    state = model.state_dict()
    model.save_weights(tmp_path / "a.h5")
    model.save_weights(tmp_path / "b.weights.h5", save_format="keras")
    np.savez(tmp_path / "c.npz", **state)
    torch_files.write(tmp_path / "d.pt", state)
    torch.save({k: torch.as_tensor(v) for k, v in state.items()}, tmp_path / "e.pt")
    kinds = {}
    for path in sorted(tmp_path.iterdir()):
        found = describe(path)
        kinds[path.name] = found.kind
        assert sum(e.size for e in found.weights) == model.count_params()
        assert found.refused == []
    assert list(kinds.values()) == [
        "weights in HDF5, in the layout of Keras 2",
        "weights in HDF5, in the layout of Keras 3",
        "arrays of NumPy",
        *["weights of PyTorch, as torch.save writes them"] * 2,
    ]


def test_safetensors(model, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file(model.state_dict(), tmp_path / "m.safetensors")
    found = describe(tmp_path / "m.safetensors")
    assert {e.name: e.shape for e in found.weights} == {k: v.shape for k, v in model.state_dict().items()}


def test_structures(model, tmp_path):
    (tmp_path / "m.json").write_text(model.to_json())
    (tmp_path / "m.yaml").write_text(model.to_yaml())
    for name in ("m.json", "m.yaml"):
        found = describe(tmp_path / name)
        assert found.model == "Sequential 'outer'"
        assert found.weights == []
        assert found.refused == []


def test_everything_that_would_be_refused(tmp_path):
    inputs = layers.Input((3,))
    middle = layers.Lambda(lambda x: x + 1, name="code")(inputs)
    made = models.Model(inputs, layers.Dense(2, name="d")(middle))
    made.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as f:
        config = json.loads(f.attrs["model_config"])
        config["config"]["layers"].append(
            {"class_name": "Foo", "name": "foo", "config": {"name": "foo"}, "inbound_nodes": [[["d", 0, 0, {}]]]}
        )
        f.attrs["model_config"] = json.dumps(config)
        del f["model_weights/d/d/kernel:0"]
        f["model_weights/d/d/kernel:0"] = h5py.ExternalLink("secret.h5", "/x")
    found = describe(tmp_path / "m.h5")
    told = "\n".join(found.refused)
    for part in ("a link to another file", "'code'", "layer 'foo': Unknown layer 'Foo'"):
        assert part in told
    assert len(found.refused) == 3


def test_files_that_are_none(tmp_path):
    (tmp_path / "text.h5").write_bytes(b"hello")
    (tmp_path / "zip.keras").write_bytes(b"PK\x03\x04" + bytes(40))
    (tmp_path / "list.json").write_text("{}")
    (tmp_path / "empty").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "up.keras", "w") as archive:
        archive.writestr("../config.json", "{}")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    (tmp_path / "folder").mkdir()
    for path in tmp_path.iterdir():
        assert describe(path).refused, path
    with pytest.raises(FileNotFoundError):
        describe(tmp_path / "none")


def test_damaged_files_end_in_a_description(tmp_path):
    """Bytes changed and cut off at random: no error escapes, and what is shown cannot steer a terminal."""
    draw = np.random.default_rng(4)
    made = models.Sequential([layers.Dense(2, input_shape=(3,), name="d\x1b[2J")])
    made.save(tmp_path / "m.h5")
    made.save(tmp_path / "m.keras")
    torch_files.write(tmp_path / "m.pt", made.state_dict())
    for path in sorted(tmp_path.iterdir()):
        assert "\x1b" not in str(describe(path))
        whole = path.read_bytes()
        for _ in range(20):
            data = bytearray(whole)
            for place in draw.integers(0, len(data), 8):
                data[place] = draw.integers(0, 256)
            path.write_bytes(data[: draw.integers(1, len(data))] if draw.random() < 0.3 else data)
            assert "\x1b" not in str(describe(path))


def test_no_layer_is_made_and_no_engine_imported(model, tmp_path):
    model.save(tmp_path / "m.h5")
    code = (
        "import sys; from keras_front.saving.inspection import describe; from keras_front.graph.layer import Layer\n"
        "def no(*a, **k): raise RuntimeError('a layer was made')\n"
        "Layer.__init__ = no\n"
        f"found = describe({str(tmp_path / 'm.h5')!r}); assert found.layers and not found.refused, found\n"
        "assert not {'torch', 'jax', 'tensorflow', 'keras_front_numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_command(model, tmp_path, capsys):
    path = str(tmp_path / "m.h5")
    model.save(path)
    assert cli.main(["inspect", path]) == 0
    shown = capsys.readouterr().out
    assert "a whole model in HDF5, in the layout of Keras 1 and 2" in shown
    assert "refused     nothing" in shown
    assert cli.main(["inspect", "--json", path]) == 0
    assert json.loads(capsys.readouterr().out)["optimizer"].startswith("Adam")
    assert cli.main(["inspect", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize("part", range(2))
def test_files_of_real_keras_are_described(part):
    kinds = ("k2compiled", "k2keras", "k2weights", "k2weights3", "k1", "k3")
    entries = [e for e in interop.index() if e["kind"] in kinds][part::6]
    if not entries:
        pytest.skip("needs the folder shared/interop")
    for entry in entries:
        path = interop.FOLDER / entry["file"]
        found = describe(path)
        assert not found.refused, (entry["name"], found.refused)
        if "weights" not in found.kind:
            known = {e.class_name for e in found.layers}
            assert any(name in known for name in entry["layers"]), entry["name"]


# Files of torch.save ---------------------------------------------------------------------------------


def test_torch_files_are_read_as_torch_reads_them(tmp_path):
    tensors = {
        "turned": torch.arange(12.0).view(3, 4).T,
        "cut": torch.arange(10)[3:7:2],
        "half": torch.tensor([1.5, -2.0]).half(),
        "brain": torch.tensor([1.5, -2.0, 3e38]).bfloat16(),
        "flags": torch.tensor([True, False]),
        "scalar": torch.tensor(3),
        "learned": torch.nn.Parameter(torch.ones(2, 1)),
    }
    torch.save({"state_dict": tensors, "epoch": 3, "note": ["text", 1.5, None]}, tmp_path / "a.pt")
    read = torch_files.read(tmp_path / "a.pt")
    for name, tensor in tensors.items():
        want = tensor.detach()
        want = (want.float() if want.dtype == torch.bfloat16 else want).numpy()
        np.testing.assert_array_equal(read[name], want)
        assert read[name].dtype == want.dtype
    torch_files.write(tmp_path / "b.pt", read)
    back = torch.load(tmp_path / "b.pt", weights_only=True)
    for name, array in read.items():
        np.testing.assert_array_equal(back[name].numpy(), array)


@pytest.mark.parametrize("body", [
    b"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR.",
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NK\x00(K\x01t(K\x01ttR.",
    b"\x80\x02}(X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00(J\xff\xff\xff\x7ft(K\x00t\x89NtRu.",
])  # fmt: skip
def test_torch_files_that_ask_for_more_are_refused(tmp_path, body):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", body)
        archive.writestr("a/data/0", bytes(4))
    with pytest.raises(UnsafeFileError):
        torch_files.read(path)
    assert describe(path).refused


def test_an_archive_is_read_once_however_many_layers_it_has(tmp_path, monkeypatch):
    path, lengths, read = tmp_path / "m.keras", [], zipfile.ZipExtFile.read
    models.Sequential([layers.Dense(1, input_shape=(1,)), *(layers.Dense(1) for _ in range(40))]).save(path)
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: lengths.append(read(self, n)) or lengths[-1])
    for in_memory in (inspection.IN_MEMORY, 0):
        monkeypatch.setattr(inspection, "IN_MEMORY", in_memory)
        lengths.clear()
        assert len(inspection.describe(path).weights) == 82
        assert sum(map(len, lengths)) <= path.stat().st_size
