"""Writing never leaves half a file, and an existing file is not lost by accident."""

from __future__ import annotations

import os
import resource

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import errors, layers, models, optimizers
from keras_front.saving import abandoned, atomic, training_config


@pytest.fixture
def model():
    return models.Sequential([layers.Dense(2, input_shape=(3,))])


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_failure_in_the_middle_leaves_the_old_file(model, tmp_path, monkeypatch, name):
    path = tmp_path / name
    model.compile("sgd", "mse")
    model.save(path)
    before = path.read_bytes()
    model.set_weights([np.zeros((3, 2)), np.zeros(2)])

    def fail(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(type(model.layers[0].weights[0]), "numpy", fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [name]


def test_a_failure_at_the_end_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "w.h5"
    model.save_weights(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *args: (_ for _ in ()).throw(OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        model.save_weights(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w.h5"]


def test_the_next_save_removes_what_dead_writers_left_and_nothing_else(model, tmp_path):
    mine = abandoned.temporary_prefix("other.h5") + "x.tmp"
    _, started, machine = mine.split(".writer-")[1].split("-")[:3]
    dead = [f".m.h5.writer-{child_that_ended()}-{started}-{machine}-y.tmp", mine.replace(f"-{started}-", "-7-")]
    old, recent = (mine.replace(machine, "00000000").replace("x.tmp", f"{name}.tmp") for name in ("old", "recent"))
    others = [".m.h5.tmp", ".m.h5.abc.tmp", "m.writer-1-1-00000000-x.tmp", "notes.txt"]
    for name in (mine, *dead, old, recent, *others):
        (tmp_path / name).touch()
    os.utime(tmp_path / old, (0, 0))
    model.save(tmp_path / "m.h5")
    assert set(os.listdir(tmp_path)) == {"m.h5", mine, recent, *others}


def child_that_ended() -> int:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    class Computes(models.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="cannot be written"):
        Computes().save(tmp_path / "m.h5")
    assert os.listdir(tmp_path) == []


def test_an_existing_file_is_kept_unless_told(model, tmp_path, monkeypatch):
    path = tmp_path / "m.h5"
    path.write_text("mine")
    with pytest.raises(ValueError, match="overwrite=True"):
        model.save(path, overwrite=False)
    answers = iter(["what?", "n"])
    monkeypatch.setattr(atomic.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    model.save(path, overwrite=False)
    assert path.read_text() == "mine"
    answers = iter(["y"])
    model.save_weights(path, overwrite=False)
    assert path.read_bytes()[1:4] == b"HDF"


def test_permissions_and_links_stay(model, tmp_path):
    path = tmp_path / "m.h5"
    model.save(path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    (tmp_path / "link.h5").symlink_to(path)
    model.save(tmp_path / "link.h5")
    assert (tmp_path / "link.h5").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_missing_folder_is_named(model, tmp_path):
    with pytest.raises(ValueError, match="expected an existing folder"):
        model.save(tmp_path / "none" / "m.h5")


def test_the_slots_of_every_version_come_in_the_order_of_keras_2():
    m1, m2, v1, v2 = (np.full((2,), i, "f") for i in range(4))
    step, rate = np.zeros((), "i8"), np.zeros((), "f")
    wanted = [step, m1, m2, v1, v2]
    new = ["iteration:0", "Adam/m/a/kernel:0", "Adam/v/a/kernel:0", "Adam/m/b/kernel:0", "Adam/v/b/kernel:0"]
    cases = [
        (["Adam/iter:0", "Adam/a/m:0", "Adam/b/m:0", "Adam/a/v:0", "Adam/b/v:0"], wanted),
        (new, [step, m1, v1, m2, v2]),
        ([str(i) for i in range(6)], [step, rate, m1, v1, m2, v2]),
        (
            ["adam/iteration", "adam/learning_rate", "adam/a_momentum", "adam/a_velocity", "adam/b_momentum"]
            + ["adam/b_velocity"],
            [step, rate, m1, v1, m2, v2],
        ),
        (["training/Adam/iterations:0"] + [f"training/Adam/Variable_{i}:0" for i in range(4)], wanted),
    ]
    params = [K.variable(np.zeros(a.shape)) for a in (m1, m2)]
    for names, arrays in cases:
        found = training_config.in_slot_order(optimizers.Adam(), names, arrays, params)
        assert [id(a) for a in found] == [id(a) for a in wanted], names


def test_what_is_no_file_is_never_replaced(model, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for write in (model.save, model.save_weights):
        for path in (pipe, os.devnull, tmp_path):
            with pytest.raises(errors.UnwritableFileError, match="expected the path of a file"):
                write(path)
    assert pipe.is_fifo()
    with pytest.raises(errors.UnreadableFileError, match="a device or a pipe"):
        models.load_model(pipe)


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_a_bound_on_the_size_of_files_leaves_the_old_file(model, tmp_path, name):
    path = tmp_path / name
    model.save(path)
    before, bounds = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    large = models.Sequential([layers.Dense(300, input_shape=(300,))])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, bounds[1]))
    try:
        with pytest.raises(errors.UnwritableFileError, match=f"{name}: expected a place that can be written"):
            large.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bounds)
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, [name])
