"""The key under which programs are kept follows every fact that they bake in, though it is looked up and not made."""

from __future__ import annotations

import threading

import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.backend import scopes, seeds


def followed():
    """The key; it must be the one that is made anew."""
    key = scopes.trace_key()
    assert key == scopes._trace_key_now() == scopes.trace_key()
    return key


def reload_with(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    config.reload()


CHANGES = {
    "floatx": lambda m: config.set_floatx("float64"),
    "epsilon": lambda m: config.set_epsilon(1e-3),
    "image data format": lambda m: config.set_image_data_format("channels_first"),
    "dialect": lambda m: config.set_dialect("keras2.2"),
    "learning phase": lambda m: K.set_learning_phase(1),
    "device": lambda m: reload_with(m, "KERAS_FRONT_DEVICE", "cpu"),
    "environment": lambda m: reload_with(m, "KERAS_FRONT_FLOATX", "float16"),
    "reproducible": lambda m: seeds.set_random_seed(1234, reproducible=True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_for_the_process_changes_the_key(monkeypatch, name):
    before = followed()
    try:
        CHANGES[name](monkeypatch)
        after = followed()
        assert after != before
        found = []
        thread = threading.Thread(target=lambda: found.append(scopes.trace_key()))
        thread.start()
        thread.join()
        assert found == [after]
    finally:
        scopes.clear_learning_phase()
    if name == "learning phase":
        assert followed() == before


BLOCKS = {
    "floatx": lambda: config.use(floatx="float64"),
    "epsilon": lambda: config.use(epsilon=0.1),
    "dialect": lambda: config.dialect("keras1"),
    "device": lambda: K.device("cpu"),
    "phase": lambda: K.phase(1),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_changes_the_key_for_its_thread_alone(name):
    before, found = followed(), []
    with BLOCKS[name]():
        inside = followed()
        thread = threading.Thread(target=lambda: found.append(scopes.trace_key()))
        thread.start()
        thread.join()
        assert followed() == inside != before
    assert followed() == before
    assert found == [before]


def test_a_setting_changed_inside_of_a_block_changes_the_key():
    with config.use(epsilon=0.1):
        before = followed()
        config.set_epsilon(0.2)
        config.set_floatx("float64")
        assert followed() != before
