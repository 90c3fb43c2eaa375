"""`keras_front.distribution`: its names as Keras 3 has them, errors, and one model on a mesh against one device.

What Keras 3.15.1 does was recorded from it. `make test-distribution` runs many more models, and several processes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_front
from keras_front import distribution as dist
from keras_front.backend import discovery
from keras_front.backend.placement import active_placement, path_to_write, writes_files
from keras_front.errors import ArgumentError, DistributionError
from keras_front.layers import BatchNormalization, Dense
from keras_front.models import Sequential

SCRIPT = Path(__file__).parent / "run_on_mesh.py"
pytestmark = pytest.mark.backends("numpy")


@pytest.fixture
def mesh():
    return dist.DeviceMesh((2, 4), ["batch", "model"], [f"cpu:{i}" for i in range(8)])


@pytest.mark.backends("jax")
def test_a_model_on_eight_devices_is_that_of_one(backend):
    case = "everything:model parallel, slots sharded"
    done = subprocess.run([sys.executable, str(SCRIPT), case], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["equal"]), done.stdout + done.stderr


# The names of Keras 3 -------------------------------------------------------------------------------------------


def test_a_mesh_has_the_shape_and_the_devices(mesh):
    assert repr(mesh) == "<DeviceMesh shape=(2, 4), axis_names=['batch', 'model']>"
    assert mesh.devices.tolist()[1] == ["cpu:4", "cpu:5", "cpu:6", "cpu:7"]


@pytest.mark.backends("jax")
def test_a_mesh_and_a_layout_as_the_engine_has_them(backend):
    mesh = dist.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    layout = dist.TensorLayout((None, "model"), mesh)
    assert mesh.backend_mesh.axis_names == ("batch", "model")
    assert mesh.backend_mesh.devices.shape == (1, 1)
    assert tuple(layout.backend_layout.spec) == (None, "model")
    assert layout.backend_layout == dist.distribute_tensor(np.ones((2, 2), "float32"), layout).sharding
    with pytest.raises(ArgumentError, match="expected a mesh"):
        _ = dist.TensorLayout((None, "model")).backend_layout


def test_a_backend_with_one_device_has_no_mesh_of_its_own(backend, mesh):
    with pytest.raises(DistributionError, match="no mesh of devices"):
        _ = mesh.backend_mesh


def test_kinds_of_devices_may_be_written_large(backend):
    assert dist.list_devices("CPU") == dist.list_devices("cpu") == ["cpu:0"]


@pytest.mark.parametrize(
    ("shape", "names", "devices", "message"),
    [
        ((2,), ["batch"], ["cpu:0"], "expected 2 devices"),
        ((2,), ["batch", "model"], ["cpu:0", "cpu:1"], "one name of its own for each axis"),
        ((1, 2), ["batch", "batch"], ["cpu:0", "cpu:1"], "one name of its own for each axis"),
        (None, ["batch"], ["cpu:0"], "expected a shape and axis names"),
    ],
)
def test_a_mesh_that_does_not_fit_is_an_error(shape, names, devices, message):
    with pytest.raises(ArgumentError, match=message):
        dist.DeviceMesh(shape, names, devices)


def test_a_layout_map_takes_patterns_of_whole_paths(mesh):
    layouts = dist.LayoutMap(mesh)
    layouts["dense/kernel"] = (None, "model")
    layouts["a/dense.*kernel"] = dist.TensorLayout(("model", None))
    assert layouts["dense/kernel"].axes == (None, "model")
    assert layouts["a/dense_3/kernel"].axes == ("model", None)
    assert layouts["a/dense_3/kernel"].device_mesh is mesh
    assert layouts["x/dense/kernel"] is layouts["a/dense/kernel_more"] is None
    assert layouts.get("nothing", "other") == "other"
    assert list(layouts) == ["dense/kernel", "a/dense.*kernel"]
    del layouts["dense/kernel"]
    assert layouts["dense/kernel"] is None


def test_names_of_models_may_stand_before_a_path_as_in_keras_3(mesh):
    layouts = dist.LayoutMap(mesh)
    layouts["sequential/d1/kernel"] = ("model",)
    layouts["outer/(inner|other)/d.*2/kernel"] = (None, "model")
    layouts["outer/d3/.*"] = ("batch",)
    layouts["(a/)?b"] = ("model",)
    assert layouts["d1/kernel"] is layouts["sequential/d1/kernel"]
    assert layouts["d_2/kernel"] is layouts["inner/d_2/kernel"]
    assert layouts["d3/bias"].axes == ("batch",)
    assert layouts["d1/bias"] is layouts["kernel"] is layouts["other/sequential/d1/kernel"] is layouts[")?b"] is None
    assert layouts["b"] is layouts["a/b"]
    layouts["other/d1/kernel"] = (None,)
    with pytest.raises(ArgumentError, match=r"several keys: 'sequential/d1/kernel', .*'other/d1/kernel'"):
        layouts["d1/kernel"]


def test_a_path_that_two_keys_match_is_an_error(mesh):
    layouts = dist.LayoutMap(mesh)
    layouts[".*two"], layouts[".*w.*"] = ("model",), ("model",)
    with pytest.raises(ArgumentError, match=r"'xtwo' matches several keys: '\.\*two', '\.\*w\.\*'"):
        layouts["xtwo"]


@pytest.mark.parametrize("layout", [5, ("nothing",), ("model", "model"), "model"])
def test_a_layout_that_the_mesh_does_not_have_is_an_error(mesh, layout):
    with pytest.raises(ArgumentError, match="expected"):
        dist.LayoutMap(mesh)["kernel"] = layout


def test_a_key_has_one_layout(mesh):
    layouts = dist.LayoutMap(mesh)
    layouts["kernel"] = ("model",)
    with pytest.raises(ArgumentError, match="'kernel' has a layout already"):
        layouts["kernel"] = (None,)


def test_data_parallel_divides_batches_along_the_first_axis(mesh):
    found = dist.DataParallel(mesh)
    assert (found.batch_dim_name, found.num_model_replicas) == ("batch", 2)
    assert found.get_data_layout((8, 3)).axes == ("batch", None)
    assert dist.DataParallel(devices=["cpu:0", "cpu:1"]).device_mesh.shape == (2,)
    with pytest.raises(ArgumentError, match="received both"):
        dist.DataParallel(mesh, ["cpu:0"])
    with pytest.raises(ArgumentError, match="expected a DeviceMesh, received 5"):
        dist.DataParallel(5)


def test_model_parallel_lays_out_weights_and_their_slots(mesh):
    layouts = dist.LayoutMap(mesh)
    layouts["dense/kernel"] = (None, "model")
    model = Sequential([Dense(8, input_shape=(4,), name="dense"), BatchNormalization(name="norm")])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_weights)
    plain = dist.ModelParallel(layout_map=layouts, batch_dim_name="batch")
    divided = dist.ModelParallel(layout_map=layouts, shard_optimizer_state=True)
    found = {v.name: (plain.get_variable_layout(v).axes, divided.get_variable_layout(v).axes) for v in model.weights}
    assert found["dense/kernel:0"] == ((None, "model"), (None, "model"))
    assert found["dense/bias:0"] == ((None,), (None,))
    slots = {
        v.name: (plain.get_variable_layout(v).axes, divided.get_variable_layout(v).axes)
        for v in model.optimizer.weights
    }
    assert slots["Adam/dense/kernel/m:0"] == ((None, "model"), (None, "model"))
    assert slots["Adam/dense/bias/v:0"] == ((None,), ("batch",))
    assert slots["Adam/iter:0"] == ((), ())


@pytest.mark.parametrize("arguments", [{}, {"layout_map": {}}])
def test_model_parallel_needs_a_layout_map(arguments):
    with pytest.raises(ArgumentError, match="expected layout_map to be a LayoutMap"):
        dist.ModelParallel(**arguments)


def test_another_axis_of_the_batch_has_to_be_there(mesh):
    with pytest.raises(ArgumentError, match="batch_dim_name to be one of"):
        dist.ModelParallel(layout_map=dist.LayoutMap(mesh), batch_dim_name="rows")


# Where there is none --------------------------------------------------------------------------------------------


def test_a_backend_on_one_device_says_so_at_once(backend):
    assert dist.list_devices() == ["cpu:0"]
    assert dist.list_devices("gpu") == []
    assert dist.get_device_count() == 1
    one = dist.DataParallel(devices=["cpu:0"])
    for call in (
        lambda: dist.set_distribution(one),
        lambda: one.scope().__enter__(),
        lambda: dist.distribution(one).__enter__(),
        lambda: dist.initialize("localhost:1", 2, 0),
        lambda: dist.distribute_tensor(np.ones(2), dist.TensorLayout((None,), one.device_mesh)),
    ):
        with pytest.raises(DistributionError, match=r"backend 'numpy' .* works on one device.*Choose another before"):
            call()
    assert dist.distribution() is None
    assert active_placement() is None
    assert writes_files()
    assert path_to_write("there") == "there"


def test_only_a_distribution_is_set():
    with pytest.raises(ArgumentError, match="expected a Distribution or None, received 5"):
        dist.set_distribution(5)
    dist.set_distribution(None)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("KERAS_DISTRIBUTION_NUM_PROCESSES", "two", "expected an integer as num_processes .*received 'two'"),
        ("KERAS_DISTRIBUTION_PROCESS_ID", "2", "expected process_id from 0 to 1 for 2 processes, received 2"),
    ],
)
def test_what_the_environment_says_is_checked(monkeypatch, variable, value, message):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ArgumentError, match=message):
        dist.initialize()


# What it does to the active backend --------------------------------------------------------------------------


def test_a_distribution_is_an_adapter_of_its_own(backend, monkeypatch):
    plain = discovery.active()
    twin = type("Twin", (type(plain),), {})
    monkeypatch.setattr(type(plain), "distributes", True)
    monkeypatch.setattr(type(plain), "distributed", lambda self, distribution: _twin(twin, self))
    x = np.ones((4, 3), "float32")
    model = Sequential([Dense(2, input_shape=(3,))])
    before = model.predict(x)
    with dist.DataParallel(devices=["cpu:0"]).scope():
        assert discovery.active() is not plain
        assert discovery.active().undistributed is plain
        assert discovery.get("numpy") is discovery.active()
        with keras_front.use_backend("numpy"):
            assert discovery.active() is not plain
        np.testing.assert_array_equal(model.predict(x), before)
        assert model.weights[0]._backend is discovery.active()
    assert discovery.active() is plain
    np.testing.assert_array_equal(model.predict(x), before)
    assert model.weights[0]._backend is plain


def _twin(cls, plain):
    found = cls()
    found.undistributed = plain
    return found
