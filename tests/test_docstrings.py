"""`help()` is enough: every public class, function and method says what it is and explains each argument by name.

What is public is found by walking the modules below. An argument counts as explained where `help` shows it, so one that
a base class explains need not be repeated.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from keras_front.docstrings import Documented, documented_arguments, undocumented_arguments
from keras_front.layers import Conv2D

MODULES = """
    activations applications applications.application applications.blocks applications.convnext
    applications.densenet applications.efficientnet applications.efficientnet_v2 applications.imagenet_utils
    applications.inception_resnet_v2 applications.inception_v3 applications.mobilenet applications.mobilenet_v2
    applications.mobilenet_v3 applications.nasnet applications.regnet applications.resnet applications.resnet50
    applications.resnet_common applications.resnet_rs applications.resnet_v2 applications.resnext
    applications.vgg16 applications.vgg19 applications.weight_files applications.xception
    backend backend.adapter backend.discovery backend.placement callbacks config constraints
    datasets datasets.boston_housing datasets.california_housing datasets.cifar datasets.cifar10 datasets.cifar100
    datasets.digits datasets.fashion_mnist datasets.files datasets.imdb datasets.mnist datasets.reuters datasets.texts
    distribution docstrings errors graph initializers layers losses metrics models ops optimizers
    preprocessing.image preprocessing.image.iterator preprocessing.sequence preprocessing.text random
    registry regularizers saving utils utils.archives utils.data_utils utils.dataset utils.dataset_utils
    utils.downloads utils.file_cache utils.image_utils
    utils.generic_utils utils.hashes utils.pickles
    utils.conv_utils utils.io_utils utils.layer_utils utils.multi_gpu_utils
    legacy.utils.layer_utils legacy.utils.losses_utils legacy.utils.metrics_utils legacy.utils.np_utils
    legacy.utils.test_utils utils.dot utils.graph_shapes utils.raster utils.svg utils.layered_layout utils.vis_utils
""".split()


def public_names(module: Any) -> Iterator[tuple[str, Any]]:
    """Classes and functions of ours that a module offers, with the names that they have there."""
    for name in getattr(module, "__all__", None) or sorted(vars(module)):
        found = getattr(module, name)
        ours = str(getattr(found, "__module__", "")).startswith("keras_front")
        if not name.startswith("_") and ours and callable(found):
            yield name, found


def public_methods(cls: type) -> Iterator[tuple[str, Any]]:
    """Methods and properties of a class, its own and those of bases of ours, as they are defined."""
    for base in cls.__mro__:
        for name, member in vars(base).items() if base.__module__.startswith("keras_front") else ():
            function = getattr(member, "__func__", member)  # of a class method or static method
            is_method = inspect.isfunction(function) and name == function.__name__
            if not name.startswith("_") and (is_method or isinstance(member, property)):
                yield name, getattr(base, name)


def subjects() -> dict[str, Any]:
    """Everything public under the first of its public names; a method under the first class that has it."""
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def enter(name: str, target: Any) -> None:
        identity = id(inspect.unwrap(getattr(target, "__func__", target)))
        if identity not in seen:
            seen.add(identity)
            found[name] = target

    for place in MODULES:
        for name, target in public_names(importlib.import_module(f"keras_front.{place}")):
            enter(f"{place}.{name}", target)
            for method_name, method in public_methods(target) if inspect.isclass(target) else ():
                enter(f"{place}.{name}.{method_name}", method)
    return found


def faults(target: Any) -> list[str]:
    """What `help(target)` leaves open."""
    if not inspect.getdoc(target):
        return ["what it is"]
    return [] if isinstance(target, property) else undocumented_arguments(target)


def test_every_argument_is_explained():
    found = subjects()
    assert len(found) > 500  # the search finds the public surface
    wrong = [f"{name}: {', '.join(faults(target))}" for name, target in found.items() if faults(target)]
    assert not wrong, "help() does not explain\n" + "\n".join(sorted(wrong))


class Base(Documented):
    """A base.

    Args:
        name, title: what it is called.
        size (int): how large it is,
            in pixels.

    Example:
        >>> Base("x", 1).name
        'x'
    """

    def __init__(self, name=None, size=0):
        self.name, self.size = name, size


class Below(Base):
    """A subclass.

    Args:
        size: another meaning.
        depth: how deep it is.

    Returns: nothing.
    """

    def __init__(self, depth, **kwargs):
        super().__init__(**kwargs)


class Bare(Base):
    def __init__(self, depth):
        super().__init__()


def test_help_of_a_subclass_shows_what_its_base_explains():
    assert "Args of `Base`:\n    name, title: what it is called." in Below.__doc__
    assert "in pixels" not in Below.__doc__
    assert ">>>" not in Below.__doc__
    assert documented_arguments(Below.__doc__) == {"size", "depth", "name", "title"}
    assert undocumented_arguments(Below) == []
    assert inspect.getdoc(Below) == Below.__doc__ == Below(1).__doc__


def test_arguments_that_a_subclass_does_not_take_are_not_shown():
    assert Bare.__doc__ is None
    assert undocumented_arguments(Bare) == ["depth"]

    class Other(Base):
        """One that takes no name."""

        def __init__(self, size):
            super().__init__(size=size)

    assert documented_arguments(Other.__doc__) == {"size"}
    assert "in pixels" in Other.__doc__


@pytest.mark.parametrize(
    ("doc", "names"),
    [
        (None, set()),
        ("Text.\n\nArgs: a, b, c", set()),
        ("Text.\n\nArgs:\n    x: one.\n\n    y: two\n        note: not an argument\nReturns:\n    z: no.", {"x", "y"}),
        ("Text.\n\nArgs:\n    *rows (list of int, optional): some.\n    **rest: others.", {"rows", "rest"}),
        ("    Text.\n\n    Arguments:\n        a_1, b2: both.\n", {"a_1", "b2"}),
        ("A record.\n\nAttributes:\n    field: one.\n\nArgs:\n    more: two.", {"field", "more"}),
    ],
)
def test_names_are_read_from_sections(doc, names):
    assert documented_arguments(doc) == names


def test_what_the_constructor_names_comes_first_and_in_its_order():
    order = [line.split(":")[0].strip() for line in Conv2D.__doc__.split("\nArgs:\n")[1].split("\n\n")[0].splitlines()]
    named = [name for name in inspect.signature(Conv2D).parameters if name != "kwargs"]
    assert [name for name in order if name in named] == named
    assert "Args of `_" not in Conv2D.__doc__
