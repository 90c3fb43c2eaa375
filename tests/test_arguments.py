"""Constructor arguments that are read as their annotations say."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
import pytest

from keras_front import initializers, regularizers
from keras_front.arguments import CHOICE, Flag, Kept, Number, OneOf, Positive, Reader, readers_of, reading
from keras_front.errors import ArgumentError
from keras_front.graph.layer import LAYERS
from keras_front.layers import Conv1D, Conv2D, Conv2DTranspose, Dense, Layer, SeparableConv2D
from keras_front.layers.arguments import Initializer, Regularizer
from keras_front.preprocessing.sequence import TimeseriesGenerator
from keras_front.registry import Configurable


class Scaled(Layer):
    """A layer as a user would write it."""

    def __init__(
        self,
        units: Positive,
        mode: Annotated[Literal["up", "down"], CHOICE] = "up",
        limit: Positive | None = None,
        table_initializer: Initializer = "ones",
        table_regularizer: Regularizer = None,
        note: str = "kept by hand",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.note = note
        self.doubled = 2 * units

    def build(self, input_shape: Any) -> None:
        self.table = self.add_weight("table", (self.units,))

    def call(self, inputs: Any) -> Any:
        return inputs * self.table


def test_what_is_annotated_is_read_and_stored():
    layer = Scaled(3.0, table_regularizer="l2", limit=np.int64(4))
    assert (layer.units, layer.doubled, layer.limit, layer.mode, layer.note) == (3, 6, 4, "up", "kept by hand")
    assert isinstance(layer.units, int)
    assert isinstance(layer.table_initializer, initializers.Ones)
    again = Scaled.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, r"Scaled: expected units to be a positive integer, received 0\."),
        ({"units": True}, r"Scaled: expected units to be a positive integer, received True\."),
        ({"units": "3"}, r"Scaled: expected units to be a positive integer, received '3'\."),
        ({"units": 1, "mode": "left"}, r"Scaled: expected mode to be one of 'up', 'down', received 'left'\."),
        ({"units": 1, "limit": -1}, r"Scaled: expected limit to be a positive integer, or None, received -1\."),
        ({"units": 1, "table_initializer": "onse"}, r"Scaled: table_initializer: Unknown initializer 'onse'"),
    ],
)
def test_an_error_names_class_argument_expected_and_received(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Scaled(**arguments)


def test_missing_repeated_and_surplus_arguments_are_type_errors():
    with pytest.raises(TypeError, match="units"):
        Scaled()
    with pytest.raises(TypeError, match="two values for the argument 'units'"):
        Scaled(3, units=4)
    with pytest.raises(TypeError):
        Dense(*range(1, 20))


def test_a_weight_finds_the_arguments_of_its_name():
    layer = Scaled(2, table_initializer="zeros", table_regularizer=regularizers.l2(0.5))
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.get_weights()[0], [0.0, 0.0])
    assert layer.table.regularizer is layer.table_regularizer


def test_a_weight_of_a_class_without_such_annotations_finds_nothing():
    class Plain(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.kernel_regularizer = regularizers.get("l2")

        def build(self, input_shape):
            self.kernel = self.add_weight(name="kernel", shape=(1,), initializer="ones")

    layer = Plain()
    layer.build((None, 1))
    assert layer.kernel.regularizer is None


def test_a_subclass_need_not_hand_on_what_it_has_read():
    class Tall(Dense):
        def __init__(self, units: Positive = 4, use_bias: Flag = False, **kwargs: Any):
            super().__init__(activation="relu", **kwargs)

    layer = Tall(name="tall")
    assert (layer.units, layer.use_bias, layer.name) == (4, False, "tall")
    assert layer.activation.__name__ == "relu"
    assert Tall(7, activity_regularizer="l1").units == 7


def test_a_subclass_may_hand_on_something_else():
    class Twice(Dense):
        def __init__(self, units: Positive, **kwargs: Any):
            super().__init__(2 * units, **kwargs)

    assert Twice(3).units == 6


def test_what_a_subclass_without_annotations_sets_first_does_not_count():
    class Mine(Dense):
        def __init__(self, units, activation="mine", **kwargs):
            self.activation, self.units = activation, units
            super().__init__(2 * units, **kwargs)

    layer = Mine(3)
    assert layer.units == 6
    assert layer.activation.__name__ == "linear"


def test_an_object_can_be_made_anew():
    layer = Dense(3, "relu")
    layer.__init__(4)
    assert layer.units == 4
    assert layer.activation.__name__ == "linear"
    assert "_being_read" not in layer.__dict__


def test_any_configurable_class_can_use_it():
    class Schedule(Configurable):
        def __init__(self, rate: Number, steps: Positive = 3, extra: Kept = None):
            self.total = rate * steps

    schedule = Schedule(np.float32(0.5), extra=[1])
    assert schedule.get_config() == {"rate": 0.5, "steps": 3, "extra": [1]}
    assert schedule.total == 1.5
    with pytest.raises(ArgumentError, match=r"Schedule: expected rate to be a number, received 'fast'\."):
        Schedule("fast")


def test_a_class_without_annotations_keeps_its_constructor():
    def init(self, units: int, *rest: Any, other: Undefined | None = None, **kwargs: Any):  # noqa: F821
        self.units = units

    assert readers_of(init) == {}
    assert reading(init) is init


def test_sizes_are_read_for_the_axes_of_the_layer():
    assert Conv1D(1, 3).kernel_size == (3,)
    assert Conv2D(1, np.array([3, 4])).kernel_size == (3, 4)
    with pytest.raises(
        ArgumentError,
        match=r"Conv2D: expected strides to be an integer of at least 1, or a tuple of 2 of them, received \(1, 2, 3\)",
    ):
        Conv2D(1, 3, strides=(1, 2, 3))
    with pytest.raises(
        ArgumentError, match=r"Conv2D: expected padding to be one of 'valid', 'same', received 'causal'"
    ):
        Conv2D(1, 3, padding="causal")
    assert Conv1D(1, 3, padding="CAUSAL").padding == "causal"


def test_arguments_by_position_keep_their_places():
    assert Conv2DTranspose(1, 3, 2, "same", 1).output_padding == (1, 1)
    layer = SeparableConv2D(5, 3, 2, "same", "channels_first", 1, 2, "relu", False)
    assert (layer.filters, layer.kernel_size, layer.strides, layer.depth_multiplier) == (5, (3, 3), (2, 2), 2)
    assert (layer.data_format, layer.use_bias) == ("channels_first", False)


Even = Annotated[int, Reader(lambda value, owner: 2 * (value // 2), "an even number")]
Word = Annotated[str, OneOf(("new",), {"old": "new"})]


def test_a_reader_of_ones_own():
    class Thing(Configurable):
        def __init__(self, size: Even, word: Word = "old"):
            pass

    thing = Thing(5)
    assert (thing.size, thing.word) == (4, "new")
    with pytest.raises(ArgumentError, match=r"Thing: expected size to be an even number, received 'a'"):
        Thing("a")


def constructors():
    """The constructors of layers of this package, each with its class."""
    found = {}
    for name in LAYERS.names():
        for cls in LAYERS.lookup(name).__mro__:
            if "__init__" in cls.__dict__ and cls.__module__.startswith("keras_front.layers"):
                found[cls.__name__] = cls
    return found


CONSTRUCTORS = constructors()


@pytest.mark.parametrize("name", sorted(CONSTRUCTORS))
def test_type_checkers_know_the_keyword_arguments(name):
    cls = CONSTRUCTORS[name]
    *own, last = list(inspect.signature(cls.__init__).parameters.values())[1:]
    assert last.kind is last.VAR_KEYWORD
    if last.annotation == "Any":
        return  # what a base takes beside what is written here; mypy cannot say both
    table = last.annotation.removeprefix("Unpack[").removesuffix("]")
    known = set(get_type_hints(inspect.unwrap(cls.__init__).__globals__[table]))
    written = {p.name for p in own}
    assert not known & written, "mypy reads a keyword that is also written out as Any"
    assert set(cls.constructor_arguments()) - written <= known


def test_what_a_layer_does_not_read_by_annotation_is_known():
    by_hand = {
        (cls.__name__, argument)
        for cls in CONSTRUCTORS.values()
        for argument in list(inspect.signature(cls.__init__).parameters)[1:-1]
        if argument not in readers_of(inspect.unwrap(cls.__init__))
    }
    vocabularies = {(name, a) for name in ("IntegerLookup", "StringLookup", "TextVectorization")
                    for a in ("vocabulary", "idf_weights")}  # fmt: skip
    assert by_hand - vocabularies == {
        *(("RandomColorJitter", f"{name}_factor") for name in ("brightness", "contrast", "hue", "saturation")),
        ("Adaptable", "quantization_config"),
        ("Pipeline", "layers"),
        ("Bidirectional", "backward_layer"),
        ("Bidirectional", "weights"),
        ("ConvRNN2D", "cell"),
        ("EinsumDense", "equation"),
        ("EinsumDense", "output_shape"),
        ("Lambda", "arguments"),
        ("Lambda", "function"),
        ("Lambda", "mask"),
        ("Lambda", "output_shape"),
        ("MultiHeadAttention", "output_shape"),
        ("Normalization", "mean"),
        ("Normalization", "variance"),
        ("SpectralNormalization", "layer"),
    }


def test_a_decorated_constructor_reads_its_arguments():
    with pytest.raises(ArgumentError, match=r"batch_size.*positive integer"):
        TimeseriesGenerator([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], length=1, batch_size=0)
