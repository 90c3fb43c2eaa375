"""Registries: names to objects and back, custom objects, configs derived from signatures."""

import importlib
import threading

import numpy as np
import pytest

from keras_front import config as settings
from keras_front import custom_objects, registry
from keras_front.errors import ArgumentError, SerializationError, UnknownNameError
from keras_front.registry import Configurable, Registry, custom_object_scope


class Pair(Configurable):
    def __init__(self, left, right=None):
        self.left, self.right = left, right


class Named(Pair):
    def __init__(self, label="x", **kwargs):
        super().__init__(**kwargs)
        self.label = label


def half(x):
    return x / 2


@pytest.fixture
def things(monkeypatch):
    monkeypatch.setattr(Registry, "by_kind", dict(Registry.by_kind))
    things = Registry("thing")
    things.register()(Pair)
    things.register("half", "one_half")(half)
    things.register("pair_of", maker=True)(lambda left=1: Pair(left, left))
    return things


def test_every_way_to_name_an_object(things):
    assert things.get(None) is None
    assert things.get("one_half") is half
    assert things.get(half) is half
    assert things.get({"class_name": "half"}) is half
    assert things.get({"module": "builtins", "class_name": "function", "config": "half"}) is half
    assert things.get("pair_of").right == 1
    assert things.get({"class_name": "pair_of", "config": {"left": 5}}).right == 5
    assert things.get({"class_name": "Pair", "config": {"left": 5}}).left == 5
    assert things.names() == ["Pair", "half", "pair_of"]


def test_serialize_is_undone_by_deserialize(things):
    config = things.serialize(Pair(1, (2, np.float32(0.5))))
    assert config == {"class_name": "Pair", "config": {"left": 1, "right": (2, 0.5)}}
    assert things.serialize(things.deserialize(config)) == config
    assert things.serialize(half) == "half"
    assert things.serialize(lambda x: x) == "<lambda>"
    assert things.serialize(None) is None


def test_nested_objects_become_configs(things):
    config = Pair(Pair(1), [half]).get_config()
    assert config == {"left": {"class_name": "Pair", "config": {"left": 1, "right": None}}, "right": ["half"]}


def test_arguments_of_the_base_class_follow(things):
    assert Named.constructor_arguments() == ("label", "left", "right")
    config = Named(left=1).get_config()
    assert Named.from_config(config).get_config() == config == {"label": "x", "left": 1, "right": None}


def test_a_forgotten_attribute_is_an_error():
    class Forgetful(Configurable):
        def __init__(self, size):
            pass

    with pytest.raises(SerializationError, match=r"constructor argument 'size' as attribute self\.size"):
        Forgetful(3).get_config()


def test_reading_a_config_leaves_the_dialect_of_other_threads_alone(things):
    """What a config leaves out is read in the native dialect, in the thread that reads."""
    pytest.importorskip("keras_front.legacy", reason="another dialect than the native one is needed")
    reading, looked, seen = threading.Event(), threading.Event(), {}

    @things.register("slow_thing")
    class Slow:
        @classmethod
        def from_config(cls, config):
            seen["while reading"] = settings.current_dialect()
            reading.set()
            assert looked.wait(10)
            return cls()

    def look():
        assert reading.wait(10)
        seen["elsewhere"] = settings.current_dialect()
        looked.set()

    other = threading.Thread(target=look)
    other.start()
    settings.set_dialect("keras1")
    things.deserialize({"class_name": "slow_thing", "config": {"x": 1}})
    other.join()
    assert seen == {"while reading": settings.NATIVE, "elsewhere": "keras1"}
    assert settings.current_dialect() == "keras1"


def test_unknown_names_come_with_suggestions(things):
    with pytest.raises(ArgumentError, match="Did you mean 'half'"):
        things.get("halv")
    with pytest.raises(ArgumentError, match="Expected a name, a config"):
        things.get(3)
    with pytest.raises(SerializationError, match="'class_name' and 'config'"):
        things.deserialize({"config": {}})


def test_a_name_belongs_to_one_object(things):
    with pytest.raises(ArgumentError, match="expected a free name"):
        things.register("Pair")(half)


def test_names_fold_case_where_asked(things):
    optimizers = Registry("folding", fold_case=True)
    optimizers.register()(Pair)
    assert optimizers.lookup("PAIR") is Pair


def test_a_kind_may_look_into_another(things):
    seeker = Registry("seeker", also=("thing",))
    assert seeker.get("half") is half
    assert seeker.get("pair_of").left == 1


def test_custom_objects_win_over_the_registry_and_end_with_the_scope(things):
    def mine(x):
        return x

    with custom_object_scope({"half": mine}, {"other": mine}):
        assert things.get("half") is mine
        registry.get_custom_objects()["late"] = mine
        assert things.get("late") is mine
    assert things.get("half") is half
    assert things.deserialize("other", custom_objects={"other": mine}) is mine
    with pytest.raises(ArgumentError):
        things.get("late")


def test_scopes_do_not_leak_into_threads(things):
    seen = []
    with custom_object_scope({"mine": half}):
        thread = threading.Thread(target=lambda: seen.append("mine" in registry.get_custom_objects()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_from_config_sees_the_custom_objects(things):
    class Outer(Configurable):
        def __init__(self, inner):
            self.inner = things.get(inner)

        @classmethod
        def from_config(cls, config, custom_objects=None):
            assert custom_objects["Outer"] is Outer
            return cls(**config)

    config = {"class_name": "Outer", "config": {"inner": {"class_name": "Inner", "config": {"left": 2}}}}
    assert things.deserialize(config, {"Outer": Outer, "Inner": Pair}).inner.left == 2


def test_registered_classes_are_found_by_package_and_name(things, monkeypatch):
    monkeypatch.setattr(custom_objects, "_GLOBAL_OBJECTS", {})

    @registry.register_keras_serializable("shop")
    class Bread(Pair):
        pass

    config = things.serialize(Bread(1))
    assert config["class_name"] == "shop>Bread"
    assert registry.get_registered_name(Bread) == "shop>Bread"
    assert registry.get_registered_object("shop>Bread") is Bread
    assert type(things.deserialize(config)) is Bread
    keras3 = {"module": "shop", "class_name": "Bread", "config": {"left": 1}, "registered_name": "shop>Bread"}
    assert type(things.deserialize(keras3)) is Bread
    with pytest.raises(ArgumentError, match="expected a class with a get_config"):
        registry.register_keras_serializable()(type("Plain", (), {}))


def test_a_module_in_a_config_is_never_imported(things):
    with pytest.raises(ArgumentError, match="Unknown thing 'system'"):
        things.deserialize({"module": "os", "class_name": "system", "config": {"command": "true"}})


def test_objects_of_any_kind(things):
    assert registry.deserialize_keras_object("half") is half
    made = registry.deserialize_keras_object({"class_name": "P", "config": {"left": 1}}, {"P": Pair})
    assert made.left == 1
    with pytest.raises(ArgumentError, match="Unknown object 'nothing'"):
        registry.deserialize_keras_object("nothing")
    with pytest.raises(SerializationError, match="expected a function or an object"):
        registry.serialize_keras_object(3)


@pytest.mark.parametrize(
    ("module", "name", "here"),
    [("losses", "logloss", "'binary_crossentropy'"), ("activations", "logistic", "'sigmoid'"),
     ("metrics", "f1", "metrics.F1Score"), ("optimizers", "LBFGS", "'adam'")],
)  # fmt: skip
def test_names_of_other_libraries_say_what_it_is_called_here(module, name, here):
    with pytest.raises(UnknownNameError, match=f"Here it is {here}"):
        importlib.import_module(f"keras_front.{module}").get(name)
