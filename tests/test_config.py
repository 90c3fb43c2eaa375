"""Settings: their order of precedence, their sources, and how unusable values are met."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import warnings

import pytest

from keras_front import config
from keras_front.errors import ArgumentError, ConfigError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder for `keras.json`; call it with what the file shall hold."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def write(content) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "keras.json").write_text(text)
        config.reload()

    return write


def test_defaults_are_those_of_keras():
    assert config.floatx() == "float32"
    assert config.epsilon() == 1e-7
    assert config.image_data_format() == "channels_last"
    assert config.setting("backend") == ("numpy", "default", False)
    assert config.setting("seed").value is None
    assert config.setting("device").value is None


def test_the_file_beats_the_default_and_the_environment_beats_the_file(home, monkeypatch):
    home({"floatx": "float64", "keras_front": {"floatx": "float16"}})
    assert config.floatx() == "float16"
    assert config.setting("floatx").source.endswith("key keras_front.floatx")
    monkeypatch.setenv("KERAS_FRONT_FLOATX", "float64")
    config.reload()
    assert config.floatx() == "float64"
    assert config.setting("floatx").source == "environment variable KERAS_FRONT_FLOATX"
    config.set_floatx("float32")
    assert config.setting("floatx") == ("float32", "set_floatx", True)


def test_the_order_for_the_backend(home, monkeypatch):
    home({"backend": "one", "keras_front": {"backend": "two"}})
    monkeypatch.setenv("KERAS_BACKEND", "three")
    monkeypatch.setenv("KERAS_FRONT_BACKEND", "four")
    assert [found.value for found in config.candidates("backend")] == ["four", "three", "two", "one", "numpy"]


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.setenv("KERAS_FRONT_FLOATX", "  ")
    assert config.setting("backend").source == "default"
    assert config.floatx() == "float32"


@pytest.mark.parametrize(("old", "new"), [("th", "channels_first"), ("tf", "channels_last")])
def test_the_key_of_keras_1_for_the_layout_is_understood(home, old, new):
    home({"image_dim_ordering": old})
    assert config.image_data_format() == new
    assert config.setting("image_data_format").source.endswith("key image_dim_ordering")


def test_the_newer_key_wins_over_the_older(home):
    home({"image_dim_ordering": "th", "image_data_format": "channels_last"})
    assert config.image_data_format() == "channels_last"


def test_an_integer_epsilon_is_accepted(home):
    home({"epsilon": 1})
    assert config.epsilon() == 1.0
    assert isinstance(config.epsilon(), float)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"floatx": "bfloat16"}, "floatx"),
        ({"epsilon": "small"}, "epsilon"),
        ({"epsilon": -1}, "epsilon"),
        ({"epsilon": True}, "epsilon"),
        ({"image_data_format": ["channels_last"]}, "image_data_format"),
        ({"image_dim_ordering": {}}, "image_data_format"),
        ({"backend": 3}, "backend"),
    ],
)
def test_an_unusable_value_in_a_shared_key_warns_once_and_is_passed_over(home, document, name):
    home(document)
    with pytest.warns(UserWarning, match="It is passed over") as caught:
        first = config.setting(name)
    assert len(caught) == 1
    assert first == (config.KINDS[name].default, "default", False)
    config._settings.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config.setting(name)


@pytest.mark.parametrize(
    "document",
    [{"keras_front": {"floatx": "bfloat16"}}, {"keras_front": {"seed": -1}}, {"keras_front": {"seed": 1.5}}],
)
def test_an_unusable_value_in_our_own_key_is_an_error(home, document):
    home(document)
    (name,) = document["keras_front"]
    with pytest.raises(ConfigError, match=rf"key keras_front\.{name}: expected .* received"):
        config.setting(name)


def test_an_unusable_variable_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_EPSILON", "tiny")
    with pytest.raises(ConfigError, match="KERAS_FRONT_EPSILON: expected a positive number for epsilon"):
        config.epsilon()


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\x00", "null"])
def test_a_file_that_is_no_json_object_is_ignored_with_a_warning(home, text):
    home(text)
    with pytest.warns(UserWarning, match="ignored"):
        assert config.floatx() == "float32"


def test_a_folder_in_place_of_the_file_is_ignored(tmp_path, monkeypatch):
    (tmp_path / "keras.json").mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    config.reload()
    with pytest.warns(UserWarning, match="cannot be read"):
        assert config.floatx() == "float32"


def test_the_setters_refuse_what_makes_no_sense():
    for setter, value in [
        (config.set_floatx, "float128"),
        (config.set_epsilon, 0),
        (config.set_epsilon, float("nan")),
        (config.set_image_data_format, "channels"),
    ]:
        with pytest.raises(ConfigError, match=f"{setter.__name__}: expected"):
            setter(value)
        with pytest.raises(ValueError, match="received"):  # what old code catches
            setter(value)
    assert config.floatx() == "float32"


def test_the_block_form_restores_also_after_an_error():
    with config.use(floatx="float64", epsilon=1e-3):
        assert (config.floatx(), config.epsilon()) == ("float64", 1e-3)
    assert (config.floatx(), config.epsilon()) == ("float32", 1e-7)
    with pytest.raises(ConfigError), config.use(floatx="float64", epsilon=0):
        pass
    assert config.floatx() == "float32"
    with pytest.raises(ConfigError, match="use_backend"), config.use(backend="torch"):
        pass


def test_a_block_holds_for_its_own_thread_only():
    def look(wait, seen):
        wait.wait()
        seen.append((config.floatx(), config.current_dialect()))

    wait, seen = threading.Event(), []
    other = threading.Thread(target=look, args=(wait, seen))
    other.start()
    with config.use(floatx="float64"), config.dialect("keras1"):
        wait.set()
        other.join()
        assert (config.floatx(), config.current_dialect()) == ("float64", "keras1")
    assert seen == [("float32", config.NATIVE)]


def test_two_tasks_in_one_thread_do_not_see_each_other():
    async def task(dialect):
        with config.dialect(dialect):
            for _ in range(3):
                await asyncio.sleep(0)
                assert config.current_dialect() == dialect

    async def both():
        await asyncio.gather(task("keras1"), task("keras3"))

    asyncio.run(both())
    assert config.current_dialect() == config.NATIVE


def test_a_call_within_a_block_holds_until_its_end():
    with config.use(floatx="float64"):
        config.set_floatx("float16")
        assert config.setting("floatx") == ("float16", "set_floatx", True)
        config.set_epsilon(1e-3)  # the block says nothing of it, so it is for the process
    assert (config.floatx(), config.epsilon()) == ("float32", 1e-3)


@pytest.mark.parametrize("text", ["0", "off", "False", "no"])
def test_the_traceback_filter_is_switched_by_the_environment(text, monkeypatch):
    monkeypatch.setenv("KERAS_FRONT_TRACEBACK_FILTERING", text)
    config.reload()
    assert not config.is_traceback_filtering_enabled()
    config.enable_traceback_filtering()
    assert config.is_traceback_filtering_enabled()


def test_an_unknown_setting_is_named_together_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"no setting 'engine'.*backend"):
        config.setting("engine")


def test_nothing_is_written_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    config.reload()
    config.set_floatx("float64")
    assert list(tmp_path.iterdir()) == []


def test_save_writes_our_key_and_leaves_the_others_alone(home, tmp_path):
    home({"backend": "tensorflow", "floatx": "float32", "nnx_enabled": True})
    config.set_floatx("float64")
    config.put("backend", "torch", "set_backend")
    assert config.save() == tmp_path / "keras.json"
    saved = json.loads((tmp_path / "keras.json").read_text())
    assert saved == {
        "backend": "tensorflow",
        "floatx": "float32",
        "nnx_enabled": True,
        "keras_front": {"backend": "torch", "floatx": "float64"},
    }
    config.reload()
    assert config.floatx() == "float64"
    assert [path.name for path in tmp_path.iterdir()] == ["keras.json"]


def test_save_does_not_overwrite_a_file_that_it_cannot_read(home, tmp_path):
    home("not json")
    with pytest.raises(ConfigError, match="move that file away first"):
        config.save()
    assert (tmp_path / "keras.json").read_text() == "not json"


def test_the_example_file_is_a_good_one(home):
    from pathlib import Path

    home(json.loads((Path(__file__).parent.parent / "keras.json.example").read_text()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {name: config.setting(name) for name in config.KINDS}
    assert all("keras.json" in found.source for found in values.values())


def test_normalize_data_format():
    assert config.normalize_data_format(None) == "channels_last"
    assert config.normalize_data_format("channels_first") == "channels_first"
    assert config.normalize_data_format("th") == "channels_first"
    with pytest.raises(ArgumentError, match=r"data_format: expected one of .* received 'first'"):
        config.normalize_data_format("first")


def test_what_keras_writes_by_itself_chooses_no_backend(home):
    written = {"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_last"}
    home(written)
    assert config.setting("backend").value == "numpy"
    home({**written, "epsilon": 1e-6})  # somebody has been here
    assert config.setting("backend").value == "tensorflow"


def test_a_file_with_a_mark_or_a_wrong_key_is_read_and_one_that_is_no_file_is_not(home, tmp_path):
    home({})
    path = tmp_path / "keras.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"floatx": "float64"}')
    config.reload()
    assert config.floatx() == "float64"
    home({"keras_front": {"bakend": "torch"}})
    with pytest.warns(UserWarning, match="no setting 'bakend'.*Did you mean 'backend'"):
        config.floatx()
    for text in ("[" * 100_000, '{"keras_front": [1]}'):
        home(text)
        with pytest.warns(UserWarning, match="ignored"):
            config.floatx()
    path.unlink()
    os.mkfifo(path)
    config.reload()
    with pytest.warns(UserWarning, match="it is no file"):
        config.floatx()
