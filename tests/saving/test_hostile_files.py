"""Files made to harm their reader: each is refused by name, and nothing it asks for happens."""

from __future__ import annotations

import io
import json
import stat
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_front import bytecode, layers, models, saving
from keras_front.errors import ArgumentError, SerializationError, UnsafeFileError
from keras_front.file_form import FileForm
from keras_front.registry import custom_object_scope
from keras_front.saving import guard


@pytest.fixture
def model():
    return models.Sequential([layers.Dense(2, input_shape=(3,), name="d")])


@pytest.fixture
def saved(model, tmp_path) -> Path:
    model.save(tmp_path / "m.h5")
    return tmp_path / "m.h5"


@pytest.fixture
def archived(model, tmp_path) -> Path:
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def refused(path, match, error=UnsafeFileError):
    with pytest.raises(error, match=match):
        models.load_model(path)


# HDF5 ------------------------------------------------------------------------------------------------


def replace(path: Path, name: str, link) -> None:
    with h5py.File(path, "a") as f:
        del f[name]
        f[name] = link


@pytest.mark.parametrize("name", ["model_weights/d/d/kernel:0", "model_weights/d", "model_weights"])
def test_an_external_link_is_refused(saved, tmp_path, name):
    with h5py.File(tmp_path / "secret.h5", "w") as f:
        f["x"] = np.ones((3, 2))
    replace(saved, name, h5py.ExternalLink("secret.h5", "/x"))
    refused(saved, "a link to another file")


@pytest.mark.parametrize("name", ["model_weights/d/d/kernel:0", "model_weights"])
def test_a_soft_link_is_refused(saved, name):
    replace(saved, name, h5py.SoftLink("/"))
    refused(saved, "a soft link")


def test_links_are_refused_in_weights_and_groups_too(saved, model):
    replace(saved, "model_weights/d/d/bias:0", h5py.SoftLink("/model_weights/d/d/kernel:0"))
    with pytest.raises(UnsafeFileError, match="a soft link"):
        model.load_weights(saved)
    with pytest.raises(UnsafeFileError, match="a soft link"):
        model.load_weights(saved, by_name=True)
    with h5py.File(saved) as f, pytest.raises(UnsafeFileError, match="a soft link"):
        models.load_model(f)


def test_external_storage_is_refused(saved, tmp_path):
    (tmp_path / "secret.bin").write_bytes(np.arange(6, dtype="f4").tobytes())
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/kernel:0"]
        f.create_dataset("model_weights/d/d/kernel:0", (3, 2), "f4", external=[(str(tmp_path / "secret.bin"), 0, 24)])
    refused(saved, "whose numbers lie in another file")


def test_a_virtual_dataset_is_refused(saved, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as f:
        f["x"] = np.ones((3, 2))
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", (3, 2))
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/kernel:0"]
        f.create_virtual_dataset("model_weights/d/d/kernel:0", layout)
    refused(saved, "whose numbers lie in another file")


def test_a_hollow_dataset_is_refused_before_memory_is_taken(saved):
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/kernel:0"]
        f.create_dataset("model_weights/d/d/kernel:0", (1 << 30, 1 << 10), "f8", chunks=(1024, 1024))
    refused(saved, "8796093022208 bytes declared, 0 stored")


def test_a_dataset_larger_than_the_model_is_refused(saved):
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/kernel:0"]
        f["model_weights/d/d/kernel:0"] = np.random.default_rng(0).random(400_000)
    refused(saved, "that the model has room for")


def test_a_model_without_the_weights_that_it_declares_takes_no_memory(saved):
    with h5py.File(saved, "a") as f:
        told = json.loads(f.attrs["model_config"])
        told["config"]["layers"][-1]["config"]["units"] = 1 << 42
        f.attrs["model_config"] = json.dumps(told)
    refused(saved, "expected shape", ArgumentError)


def test_an_unknown_filter_is_refused(saved, monkeypatch):
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/kernel:0"]
        f.create_dataset("model_weights/d/d/kernel:0", data=np.ones((3, 2), "f4"), compression="gzip")
    assert models.load_model(saved).count_params() == 8
    monkeypatch.setattr(guard, "FILTERS", set())
    refused(saved, "an unknown filter")


def test_texts_and_objects_are_no_weights(saved):
    with h5py.File(saved, "a") as f:
        del f["model_weights/d/d/bias:0"]
        f["model_weights/d/d/bias:0"] = np.array([b"x", b"y"])
    refused(saved, "expected numbers", SerializationError)


def test_other_files_are_named(tmp_path, model):
    (tmp_path / "text.h5").write_text("no model")
    refused(tmp_path / "text.h5", "expected an HDF5 file", OSError)
    refused(tmp_path / "none.h5", "expected a file, found none", FileNotFoundError)
    refused(tmp_path, "found a folder", OSError)
    model.save_weights(tmp_path / "w.h5")
    refused(tmp_path / "w.h5", "expected a whole model", SerializationError)


# Configs ---------------------------------------------------------------------------------------------


class Marker:
    """Notices whether anything ran."""

    ran = False


def boom(x):
    Marker.ran = True
    return x


def with_lambda(kind: str = "keras2") -> dict:
    code, defaults, closure = bytecode.dump(lambda x: __import__("keras_front").saving.__dict__.update(hit=1) or x)
    config = {"name": "evil", "trainable": True, "function": [code, defaults, closure], "function_type": "lambda"}
    if kind == "keras3":
        inner = {"code": code, "defaults": defaults, "closure": closure}
        config = {"name": "evil", "function": {"class_name": "__lambda__", "config": inner}}
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "i", "dtype": "float32"}}
    entries = [first, {"class_name": "Lambda", "config": config}]
    return {"class_name": "Sequential", "config": {"name": "s", "layers": entries}}


@pytest.mark.parametrize("kind", ["keras2", "keras3"])
def test_code_runs_only_with_permission(kind):
    told = with_lambda(kind)
    for read in (
        lambda: models.model_from_json(json.dumps(told)),
        lambda: models.model_from_config(told),
    ):
        with pytest.raises(UnsafeFileError, match="pass allow_code=True"):
            read()
    assert "hit" not in vars(saving)
    models.model_from_config(told, allow_code=True)(np.ones((1, 3)))
    assert vars(saving).pop("hit") == 1
    assert not bytecode.permitted()


def test_code_is_refused_by_from_config_itself():
    told = with_lambda()
    for read in (
        lambda: models.Sequential.from_config(told["config"]),
        lambda: layers.Lambda.from_config(told["config"]["layers"][1]["config"]),
        lambda: models.LAYERS.deserialize(told),
    ):
        with pytest.raises(UnsafeFileError):
            read()


def test_code_in_a_file_is_refused(tmp_path):
    told = models.Sequential([layers.Lambda(lambda x: x * 2, input_shape=(3,), name="twice")])
    for name in ("m.h5", "m.keras"):
        told.save(tmp_path / name)
        refused(tmp_path / name, "twice")
        again = models.load_model(tmp_path / name, allow_code=True)
        np.testing.assert_array_equal(np.asarray(again.predict(np.ones((1, 3)))), np.full((1, 3), 2.0))
        mine = models.load_model(tmp_path / name, custom_objects={"twice": lambda x: x * 3})
        np.testing.assert_array_equal(np.asarray(mine.predict(np.ones((1, 3)))), np.full((1, 3), 3.0))


@pytest.mark.parametrize(
    "gadget",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "builtins", "class_name": "eval", "config": {"source": "1"}},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}},
        {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "keras.models", "class_name": "load_model", "config": {"filepath": "x", "safe_mode": False}},
        {"class_name": "os.system", "config": {}, "registered_name": "os>system"},
    ],
)
def test_modules_named_in_a_config_are_never_imported(gadget):
    entries = [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "i"}}, gadget]
    with pytest.raises((ArgumentError, SerializationError), match="Unknown layer"):
        models.model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": entries}})
    dense = {"name": "d", "units": 2, "activation": gadget}
    entries[1] = {"class_name": "Dense", "config": dense}
    with pytest.raises((ArgumentError, SerializationError), match="Unknown activation"):
        models.model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": entries}})


def test_a_module_beside_a_known_class_is_not_looked_at(saved):
    with h5py.File(saved, "a") as f:
        told = json.loads(f.attrs["model_config"])
        told["config"]["layers"][-1]["module"] = "antigravity.does.not.exist"
        f.attrs["model_config"] = json.dumps(told)
    assert models.load_model(saved).count_params() == 8


@pytest.mark.parametrize(("kind", "argument"), [("StringLookup", "vocabulary"), ("TFSMLayer", "filepath")])
def test_places_in_a_config_are_refused(kind, argument):
    with custom_object_scope({kind: layers.Dense}), pytest.raises(UnsafeFileError, match="a place to read it from"):
        models.model_from_config({"class_name": kind, "config": {"name": "l", argument: "/etc/passwd"}})


def test_a_class_of_the_users_names_its_places_or_inherits_them():
    class Words(layers.StringLookup):
        pass

    class Table(layers.Dense):
        file_form = FileForm(places=("table",))

    for kind, argument in ((Words, "vocabulary"), (Table, "table")):
        config = {"class_name": kind.__name__, "config": {"name": "l", argument: "/etc/passwd"}}
        known = custom_object_scope({kind.__name__: kind})
        with known, pytest.raises(UnsafeFileError, match="a place to read it from"):
            models.model_from_config(config)


def test_programs_of_other_libraries_are_refused():
    with pytest.raises(UnsafeFileError, match="pickled module"):
        models.model_from_config({"class_name": "TorchModuleWrapper", "config": {"module": "gASV"}})


def test_configs_that_are_too_deep_or_too_long_are_refused(monkeypatch):
    deep = '{"a":' * 300 + "1" + "}" * 300
    with pytest.raises(UnsafeFileError, match="levels of nesting"):
        models.model_from_json(f'{{"class_name": "Dense", "config": {deep}}}')
    with pytest.raises(UnsafeFileError, match="levels of nesting"):
        models.model_from_json("[" * 100_000)
    nested: dict = {}
    for _ in range(300):
        nested = {"a": nested}
    with pytest.raises(UnsafeFileError, match="levels of nesting"):
        models.model_from_config({"class_name": "Dense", "config": nested})
    monkeypatch.setattr(guard, "CONFIG_BYTES", 1 << 20)
    with pytest.raises(UnsafeFileError, match="MiB of JSON"):
        models.model_from_json(" " * (1 << 21))
    with pytest.raises(SerializationError, match="expected JSON"):
        models.model_from_json("{")


# Zip archives ----------------------------------------------------------------------------------------


def rewritten(path: Path, change) -> Path:
    """The archive with its members (name -> bytes) changed by a function."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        change(archive, members)
    return path


def keep(archive, members, without=()):
    for info, data in members:
        if info.filename not in without:
            archive.writestr(info, data)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/absolute", "a/../../b", "c:evil", "..\\windows"])
def test_paths_out_of_the_archive_are_refused(archived, name):
    def change(archive, members):
        keep(archive, members)
        archive.writestr(zipfile.ZipInfo(name), b"x")

    refused(rewritten(archived, change), "leads out of it")


def test_a_link_in_an_archive_is_refused(archived):
    def change(archive, members):
        keep(archive, members)
        link = zipfile.ZipInfo("assets")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")

    refused(rewritten(archived, change), "a link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(archived):
    def change(archive, members):
        keep(archive, members)
        archive.writestr("config.json", "{}")

    refused(rewritten(archived, change), "a repeated one")


def test_a_bomb_is_refused(archived):
    def change(archive, members):
        keep(archive, members, {"model.weights.h5"})
        info = zipfile.ZipInfo("model.weights.h5")
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, bytes(1 << 25))

    refused(rewritten(archived, change), "it is a bomb")


def test_weights_larger_than_the_model_are_refused(archived):
    def change(archive, members):
        keep(archive, members, {"model.weights.h5"})
        archive.writestr("model.weights.h5", np.random.default_rng(0).bytes(1 << 23))

    refused(rewritten(archived, change), "made to exhaust memory")


def test_links_in_the_weights_of_an_archive_are_refused(archived, tmp_path):
    def change(archive, members):
        keep(archive, members, {"model.weights.h5"})
        data = io.BytesIO(next(d for i, d in members if i.filename == "model.weights.h5"))
        with h5py.File(data, "a") as f:
            del f["layers/dense/vars/0"]
            f["layers/dense/vars/0"] = h5py.ExternalLink("/etc/secret.h5", "/x")
        archive.writestr("model.weights.h5", data.getvalue())

    refused(rewritten(archived, change), "a link to another file")


def test_an_archive_without_a_model_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(tmp_path / "x.keras", "expected a member 'config.json'", SerializationError)


# Patterns and sizes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*", r"(a)\1+", ".*.*.*.*.*x", "(?=a)a"])
def test_a_pattern_that_may_take_for_ever_is_refused(pattern):
    policy = {
        "class_name": "DTypePolicyMap",
        "config": {"default_policy": "float32", "policy_map": {pattern: "float16"}},
    }
    dense = {"class_name": "Dense", "config": {"name": "a" * 60 + "b", "units": 1, "dtype": policy}}
    with pytest.raises(UnsafeFileError, match="for ever"):
        saving.model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": [dense]}})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("metrics", ["mae"] * 20_000),
        ("metrics", [{"class_name": "AUC", "config": {"num_thresholds": 1 << 40}}]),
        ("metrics", [{"class_name": "MeanIoU", "config": {"num_classes": 1 << 20}}]),
    ],
)
def test_metrics_that_would_take_memory_are_refused_and_the_model_alone_is_read(model, tmp_path, key, value):
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as f:
        f.attrs["training_config"] = json.dumps({**json.loads(f.attrs["training_config"]), key: value})
    refused(tmp_path / "m.h5", "expected .* of at most")
    assert models.load_model(tmp_path / "m.h5", compile=False).layers


@pytest.mark.slow
def test_a_model_of_thousands_of_layers_is_read_in_time_that_grows_with_their_number():
    def seconds(count):
        entries = [
            {"class_name": "Activation", "config": {"name": f"a{n}", "activation": "relu"}} for n in range(count)
        ]
        entries[0]["config"]["batch_input_shape"] = [None, 3]
        text = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": entries}})
        began = time.process_time()
        models.model_from_json(text)
        return time.process_time() - began

    assert seconds(1200) < 10 * seconds(300)


def test_an_h5_file_says_the_input_of_a_stack_as_every_keras_reads_it(model, tmp_path):
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as f:
        written = json.loads(f.attrs["model_config"])["config"]["layers"]
        assert json.loads(f.attrs["training_config"])["loss"] == "mean_squared_error"
    assert [(e["class_name"], e["config"].get("batch_input_shape")) for e in written] == [
        ("InputLayer", [None, 3]),
        ("Dense", None),
    ]
    assert models.load_model(tmp_path / "m.h5").get_config() == model.get_config()
