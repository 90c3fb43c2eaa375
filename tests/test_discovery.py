"""Choosing backends: by entry point, by dotted path, by configuration; blocks, threads, errors."""

from __future__ import annotations

import asyncio
import json
import sys
import threading

import pytest

from keras_front import config
from keras_front.backend import discovery
from keras_front.errors import BackendError, BackendNotFoundError


class Fake:
    """The least that discovery asks of a backend."""

    name = "fake"
    lacks: tuple[str, ...] = ()

    def check(self) -> None:
        if self.lacks:
            raise BackendError(f"{self.name} lacks {self.lacks}")

    def is_tensor(self, value) -> bool:
        return isinstance(value, FakeTensor)


class FakeTensor:
    pass


class Other(Fake):
    name = "other"


class Incomplete(Fake):
    name = "incomplete"
    lacks = ("exp",)


class Thief(Fake):
    name = "numpy"


FAKE = f"{__name__}:Fake"
OTHER = f"{__name__}.Other"


@pytest.fixture(autouse=True)
def forget(fresh_choice, monkeypatch):
    """No instances of earlier tests, and this module under the name that dotted paths give it."""
    monkeypatch.setattr(discovery, "_instances", {})
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Install a distribution, as far as metadata goes: an entry point in a folder on the path."""

    def write(name: str, target: str, extras: tuple[str, ...] = ()) -> None:
        folder = tmp_path / f"{name}_front-1.0.dist-info"
        folder.mkdir()
        (folder / "entry_points.txt").write_text(f"[{discovery.GROUP}]\n{name} = {target}\n")
        provides = "".join(f"Provides-Extra: {extra}\n" for extra in extras)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-front\nVersion: 1.0\n{provides}")

    monkeypatch.syspath_prepend(str(tmp_path))
    return write


def test_a_dotted_path_names_a_class():
    assert type(discovery.get(FAKE)) is Fake
    assert discovery.get(FAKE) is discovery.get("fake")
    assert discovery.get(OTHER).name == "other"


def test_an_entry_point_is_a_backend(declare):
    declare("fake", FAKE)
    assert discovery.available()["fake"] == ("fake", True, None, FAKE, None)
    assert type(discovery.get("fake")) is Fake


def test_ours_are_found_by_entry_points_too():
    ours = {"numpy", "torch", "jax", "tensorflow", "pytensor", "onnxruntime"}
    assert ours <= set(discovery.available())
    for name in ours:
        assert discovery.available()[name].target.startswith(f"keras_front_{name}.backend:")


def test_an_engine_that_an_extra_would_install_is_reported_with_the_command(declare):
    declare("nowhere", "nowhere_front:Backend", extras=("nowhere",))
    status = discovery.available()["nowhere"]
    assert (status.usable, status.remedy) == (False, "pip install 'nowhere-front[nowhere]'")
    with pytest.raises(BackendNotFoundError, match=r"not installed .*pip install 'nowhere-front\[nowhere\]'"):
        discovery.set_backend("nowhere")
    with pytest.raises(ImportError):
        discovery.set_backend("nowhere")


def test_a_broken_adapter_is_not_reported_as_a_missing_engine(declare, tmp_path):
    (tmp_path / "broken_front.py").write_text("import no_such_module_at_all\n")
    declare("broken", "broken_front:Backend")
    with pytest.raises(BackendNotFoundError, match=r"adapter broken_front:Backend cannot be imported"):
        discovery.get("broken")


def test_blocks_nest_and_restore():
    with discovery.use_backend(FAKE) as outer:
        assert discovery.active() is outer
        with (
            pytest.raises(ZeroDivisionError, match="'other', 'other'"),
            discovery.use_backend(OTHER) as inner,
        ):
            raise ZeroDivisionError(inner.name, discovery.backend())
        assert discovery.backend() == "fake"
    assert discovery.ACTIVE.get() is None


def test_set_backend_is_remembered_with_its_source():
    discovery.set_backend(FAKE)
    assert discovery.backend() == "fake"
    assert config.setting("backend") == ("fake", "set_backend", True)


def in_thread(work):
    """What `work` returns when another thread runs it."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def test_a_thread_has_the_choice_of_the_process_until_it_makes_its_own():
    discovery.set_backend(FAKE)
    assert in_thread(discovery.backend) == "fake"

    def choose():
        discovery.set_backend(OTHER)
        return discovery.backend()

    assert in_thread(choose) == "other"
    assert discovery.backend() == "fake"
    assert in_thread(discovery.backend) == "fake"


def test_a_block_holds_for_its_thread_only():
    discovery.set_backend(FAKE)
    with discovery.use_backend(OTHER):
        assert in_thread(discovery.backend) == "fake"


def test_two_tasks_on_two_backends():
    async def work(name: str) -> str:
        with discovery.use_backend(name):
            await asyncio.sleep(0.001)
            return discovery.backend()

    async def both() -> list[str]:
        return await asyncio.gather(work(FAKE), work(OTHER))

    assert asyncio.run(both()) == ["fake", "other"]


def test_threads_that_meet_at_first_use_get_one_instance(monkeypatch):
    made = []

    class Slow(Fake):
        def __init__(self):
            made.append(self)
            threading.Event().wait(0.02)

    monkeypatch.setattr(sys.modules[__name__], "Fake", Slow)
    threads = [threading.Thread(target=discovery.get, args=(FAKE,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_an_instance_of_the_users_own_is_adopted():
    own = Other()
    with discovery.use_backend(own):
        assert discovery.active() is own
    assert discovery.get("other") is own
    with pytest.raises(BackendError, match="has one already"):
        discovery.set_backend(Other())


def test_a_backend_may_not_borrow_a_name():
    with pytest.raises(BackendError, match="the name 'numpy' belongs to another backend"):
        discovery.get(f"{__name__}:Thief")
    discovery.get(FAKE)


def test_an_incomplete_backend_fails_when_it_is_activated_and_stays_out():
    for _ in range(2):
        with pytest.raises(BackendError, match="lacks"):
            discovery.set_backend(f"{__name__}:Incomplete")
    assert "incomplete" not in discovery._instances


def test_what_is_no_backend_is_refused():
    with pytest.raises(BackendError, match=r"expected a subclass of .*Backend with a `name`, received FakeTensor"):
        discovery.get(f"{__name__}:FakeTensor")
    with pytest.raises(BackendError, match="received int"):
        discovery.set_backend(3)


@pytest.mark.parametrize("path", ["no_such_module_at_all:Backend", f"{__name__}:Missing", ".", ":", "a..b"])
def test_a_path_that_leads_nowhere(path):
    with pytest.raises((BackendNotFoundError, BackendError), match="backend"):
        discovery.get(path)


def test_a_misspelt_name_gets_a_hint():
    with pytest.raises(BackendNotFoundError, match=r"no backend 'tensroflow'; there are .*Did you mean 'tensorflow'"):
        discovery.set_backend("tensroflow")


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "/etc/passwd", "a\x00b", "x" * 10_000, "fäke", "numpy;torch", "-", "os"]
)
def test_an_odd_name_is_an_error_of_ours(name):
    with pytest.raises((BackendNotFoundError, BackendError), match="backend"):
        discovery.get(name)


@pytest.mark.parametrize("name", [" fake ", "Fake", "FAKE\n"])
def test_case_and_spaces_around_a_name_mean_nothing(declare, name):
    declare("fake", FAKE)
    assert discovery.get(name) is discovery.get("fake")


def test_without_any_declaration_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr(discovery, "_entry_points", dict)
    with pytest.raises(BackendNotFoundError, match=r"no installed package declares any.*pip install -e \."):
        discovery.active()


# The configuration ---------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def write(document: dict) -> None:
        (tmp_path / "keras.json").write_text(json.dumps(document))
        config.reload()

    return write


@pytest.fixture
def default(monkeypatch):
    """A stand-in for the default backend, so that these tests need no engine."""
    monkeypatch.setitem(discovery._instances, "numpy", Thief())


def test_our_environment_variable_wins_over_that_of_keras(monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", FAKE)
    monkeypatch.setenv("KERAS_BACKEND", OTHER)
    assert discovery.backend() == "fake"
    assert config.setting("backend").source == "environment variable KERAS_FRONT_BACKEND"


def test_our_key_beats_the_shared_key(home):
    home({"backend": OTHER, "keras_front": {"backend": FAKE}})
    assert discovery.backend() == "fake"


def test_a_choice_in_code_beats_the_environment(monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_BACKEND", OTHER)
    discovery.set_backend(FAKE)
    assert discovery.backend() == "fake"


@pytest.mark.parametrize("variable", ["KERAS_FRONT_BACKEND", "KERAS_BACKEND"])
def test_a_name_that_the_user_gave_and_that_cannot_be_had_is_an_error(monkeypatch, default, variable):
    monkeypatch.setenv(variable, "openvino")
    with pytest.raises(BackendNotFoundError, match=f"environment variable {variable}: there is no backend 'openvino'"):
        discovery.active()


def test_so_it_is_under_our_own_key(home, default):
    home({"keras_front": {"backend": "openvino"}})
    with pytest.raises(BackendNotFoundError, match=r"keras_front\.backend: there is no backend"):
        discovery.active()


@pytest.mark.parametrize("name", ["theano", "cntk", "mxnet"])
def test_an_old_engine_in_the_file_warns_once_and_gives_the_default(home, default, name):
    home({"backend": name})
    with pytest.warns(
        UserWarning, match=f"key backend: '{name}' is an engine of old Keras versions; using 'numpy'"
    ) as caught:
        names = [discovery.backend() for _ in range(2)]
    assert names == ["numpy", "numpy"]
    assert len(caught) == 1


def test_an_old_engine_in_the_environment_too(monkeypatch, default):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.warns(UserWarning, match="KERAS_BACKEND: 'theano'"):
        assert discovery.backend() == "numpy"


@pytest.mark.parametrize(("old", "heir"), [("theano", "pytensor"), ("cntk", "onnxruntime")])
def test_the_successor_of_an_old_engine_is_offered(monkeypatch, default, declare, old, heir):
    declare(heir, f"{heir}_front:Backend", extras=(heir,))
    found = {heir: discovery._entry_points()[heir]}
    monkeypatch.setattr(discovery, "_entry_points", lambda: found)
    offer = rf"Did you mean '{heir}', its successor\? Then {{}}set the backend to '{heir}'\."
    monkeypatch.setattr(discovery, "_module_exists", lambda name: True)
    with pytest.raises(BackendNotFoundError, match=offer.format("")):
        discovery.get(old)
    monkeypatch.setattr(discovery, "_module_exists", lambda name: False)
    monkeypatch.setattr(discovery, "_choose", lambda: discovery._try(config.Setting(old, "KERAS_BACKEND", True)))
    with pytest.warns(UserWarning, match=offer.format(rf"run pip install '.*\[{heir}\]' and ")):
        discovery.active()


def test_a_shared_key_whose_engine_is_missing_warns_and_gives_the_default(home, default, declare):
    declare("nowhere", "nowhere_front:Backend", extras=("nowhere",))
    home({"backend": "nowhere"})
    with pytest.warns(UserWarning, match="'nowhere' is not installed; using 'numpy'"):
        assert discovery.backend() == "numpy"


@pytest.mark.parametrize("kind", ["ValueError", "ImportError", "OSError", "AttributeError", "RuntimeError"])
def test_a_shared_key_whose_engine_fails_to_import_warns_too(home, default, declare, tmp_path, kind):
    (tmp_path / "halfway_front.py").write_text(f"raise {kind}('Unable to import backend : theano')")
    declare("halfway", "halfway_front:Backend")
    with pytest.raises(BackendNotFoundError, match=r"halfway_front:Backend cannot be imported: Unable to"):
        discovery.get("halfway")
    home({"backend": "halfway"})
    with pytest.warns(UserWarning, match=r"'halfway' cannot be used \(Unable .* : theano\); using 'numpy'"):
        assert discovery.backend() == "numpy"


# Devices and owners --------------------------------------------------------------------------------------


def test_the_device_comes_from_the_block_or_the_configuration(monkeypatch):
    assert discovery.current_device() is None
    with discovery.device("CUDA:1"):
        assert discovery.current_device() == "cuda:1"
        with discovery.device("cpu"):
            assert discovery.current_device() == "cpu"
    monkeypatch.setenv("KERAS_FRONT_DEVICE", "cpu")
    config.reload()
    assert discovery.current_device() == "cpu"
    with pytest.raises(BackendError, match="expected the name of a device"), discovery.device(0):
        pass


def test_owner_knows_tensors_of_loaded_backends_only():
    tensor = FakeTensor()
    assert discovery.owner(tensor) is None
    fake = discovery.get(FAKE)
    assert discovery.owner(tensor) is fake
    assert discovery.owner([tensor]) is None
