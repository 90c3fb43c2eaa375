"""Operations and memory of layers in summaries, against counts by hand and published figures."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from keras_front import applications, dialect, layers, models
from keras_front import backend as K
from keras_front.backend import op_cost
from keras_front.backend.op import OPS
from keras_front.backend.symbolic import placeholder
from keras_front.graph.layer_costs import bytes_of_outputs, operations_of

pytestmark = pytest.mark.backends("numpy")

IMAGE = (10, 10, 3)
GATES = 7 * (2 * 4 * 20 + 2 * 5 * 20 + 2 * 20 + 9 * 5)  # 5 activations, 3 products and an addition for each unit
BY_HAND = [
    (layers.Dense(3), (4,), 2 * 4 * 3 + 3),
    (layers.Dense(3, use_bias=False, activation="relu"), (5, 4), 5 * (2 * 4 * 3 + 3)),
    (layers.Conv2D(8, 3, padding="same"), IMAGE, 100 * 8 * (2 * 27 + 1)),
    (layers.Conv2D(8, 3, strides=2, use_bias=False), IMAGE, 16 * 8 * 2 * 27),
    (layers.Conv2D(6, 3, groups=3, padding="same", use_bias=False), IMAGE, 100 * 6 * 2 * 9),
    (layers.Conv2DTranspose(8, 3, strides=2, padding="same", use_bias=False), IMAGE, 100 * 3 * 2 * 9 * 8),
    (layers.DepthwiseConv2D(3, padding="same", use_bias=False), IMAGE, 100 * 3 * 2 * 9),
    (layers.SeparableConv2D(8, 3, padding="same"), IMAGE, 100 * (3 * 2 * 9 + 2 * 3 * 8 + 8)),
    (layers.LSTM(5), (7, 4), GATES),
    (layers.MaxPooling2D(2), IMAGE, 25 * 3 * 4),
    (layers.Flatten(), IMAGE, 0),
    (layers.Softmax(), (4,), 5 * 4),
]


@pytest.mark.parametrize(("layer", "shape", "expected"), BY_HAND, ids=lambda case: type(case).__name__)
def test_operations_by_hand(layer, shape, expected):
    inputs = layers.Input(shape)
    assert operations_of(models.Model(inputs, layer(inputs))).total == expected


# Multiply-adds of convolutions and dense layers. Source: K. He et al., Deep Residual Learning for Image Recognition,
# arXiv 1512.03385, section 4.1 (VGG-16: 15.3 billion) and table 1 (ResNet-50: 3.8 billion); A. G. Howard et al.,
# MobileNets, arXiv 1704.04861, table 8 (569 million). Ours has the additions and functions between as well.
PUBLISHED = [("VGG16", 15.3e9), ("ResNet50", 3.8e9), ("MobileNet", 569e6)]


@pytest.mark.parametrize(("name", "multiply_adds"), PUBLISHED)
def test_operations_of_published_nets(name, multiply_adds):
    found = operations_of(getattr(applications, name)(weights=None))
    assert found.total == pytest.approx(2 * multiply_adds, rel=0.04)
    assert sum(found.layers.values()) == found.total


def test_operations_of_shared_and_nested_layers():
    inner = models.Sequential([layers.Dense(3, input_shape=(4,), use_bias=False)])
    a, b = layers.Input((4,)), layers.Input((4,))
    model = models.Model([a, b], layers.Add()([inner(a), inner(b)]))
    found = operations_of(model)
    assert found.total == 2 * 24 + 3
    assert found.layers[inner] == 2 * 24
    once = models.Sequential([layers.Dense(4, input_shape=(4,), use_bias=False), inner])
    assert operations_of(once).layers[inner.layers[-1]] == 24


def test_operations_of_linear_algebra_and_sorting():
    square = placeholder((2, 4, 4), "float32")
    for result, expected in [
        (K.cholesky(square), 2 * 64 / 3),
        (K.det(square), 2 * 2 * 64 / 3),
        (K.solve(square, placeholder((2, 4, 1), "float32")), 2 * 2 * 64 / 3 + 2 * 4 * 8),
        (K.argsort(square), 32 * 2),
        (K.max(square), 32),
        (K.cast(square, "int32"), 0),
    ]:
        assert op_cost.operations([result], [square]) == round(expected)
    assert op_cost.operations(K.svd(square), [square]) == 2 * (4 + 8 + 9) * 64
    assert op_cost.operations([K.exp(placeholder((None, 2), "float32"))]) is None


def test_rules_are_those_of_ops_that_there_are():
    assert set(op_cost._RULES) <= set(OPS)


class Own(models.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def lines_of(model, **options):
    lines: list[str] = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_unknown_sizes_are_said_to_be_unknown():
    model = models.Sequential([layers.LSTM(2, input_shape=(None, 3), return_sequences=True)])
    lines = lines_of(model, show_flops=True, show_memory=True)
    assert lines[4].split()[-2:] == ["?", "?"]
    assert "Total FLOPs: unknown" in "\n".join(lines)
    assert "Memory of outputs for one sample: unknown" in lines
    words = models.Sequential([layers.Input((1,), dtype="string"), layers.Hashing(4), layers.Embedding(4, 2)])
    assert operations_of(words).total in (None, 0)
    branching = layers.Lambda(lambda x: x + 1 if float(x[0, 0]) > 0 else x, output_shape=(2,))
    assert operations_of(models.Sequential([layers.Dense(2, input_shape=(2,)), branching])).total is None
    own = Own()
    own.predict(np.ones((1, 3)), verbose=0)
    assert operations_of(own).layers == {}
    assert bytes_of_outputs(own) is None


def stack():
    K.reset_uids()
    first = layers.Dense(10, input_shape=(10,), name="a_long_name_of_the_first_layer_there_is")
    model = models.Sequential([first, layers.BatchNormalization(), layers.Dense(1)])
    first.trainable = False
    model.compile("adam", "mse")
    return model


def test_memory_and_operations_are_columns():
    lines = lines_of(stack(), show_memory=True, show_flops=True, show_trainable=True)
    assert lines[2].split()[-4:] == ["#", "FLOPs", "Memory", "Trainable"][-4:]
    assert lines[4].split()[-5:] == ["110", "210", "480.00", "B", "N"]  # 110 weights and 10 outputs of 4 bytes
    assert {len(line) for line in lines[1:10]} == {97}
    end = lines[lines.index("Non-trainable params: 130") + 2 :]
    # 210 and 21 for the two Dense; in between 3 for each of 10 numbers and 4 for the statistics of each channel
    assert end[0] == "Total FLOPs: 301 for one sample, forward"
    assert end[1:] == [
        "Memory of weights: 644.00 B",
        "Memory of outputs for one sample: 124.00 B",
        "Memory of gradients: 124.00 B",
        "Memory of the optimizer: 260.00 B",  # two slots, the number of steps and the rate
    ]
    with dialect("keras3"):
        boxes = lines_of(stack(), show_memory=True, show_flops=True)
    assert boxes[2].split("\u2503")[4:6] == ["     FLOPs ", "     Memory "]


# On a terminal ------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def on_terminal(monkeypatch, width, colours=True, **options):
    monkeypatch.setattr("keras_front.graph.summary.width_of", lambda stream: width)
    monkeypatch.setattr("keras_front.graph.summary.has_colours", lambda stream: colours)
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    stack().summary(**options)
    return out.getvalue().splitlines()


def test_a_terminal_is_filled_as_far_as_needed(monkeypatch):
    lines = on_terminal(monkeypatch, 200, colours=False)
    assert {len(line) for line in lines[1:10]} == {len(lines[2])}
    assert lines[4].startswith("a_long_name_of_the_first_layer_there_is (Dense)  (None, 10)")
    assert [lines[i].split()[-1] for i in (2, 4, 8)] == ["Trainable", "N", "Y"]  # which colours would say
    assert len(lines[2]) < 100
    narrow = on_terminal(monkeypatch, 50, colours=False)
    assert max(map(len, narrow)) == 50
    assert narrow[4].startswith("a_long_name")
    assert "\u2026 (None, 10)" in narrow[4]


def test_a_notebook_has_room_for_long_names(monkeypatch):
    out = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stdout", out)
    stack().summary()
    assert "a_long_name_of_the_first_layer_there_is (Dense)  (None, 10)" in out.getvalue()


def test_trained_and_frozen_layers_differ_in_colour(monkeypatch):
    lines = on_terminal(monkeypatch, 80)
    frozen, trained = lines[4], lines[8]
    assert frozen.startswith("\x1b[34ma_long_name")
    assert "\x1b[34m110\x1b[0m" in frozen
    assert trained.startswith("\x1b[1mdense")
    assert "\x1b[32m11\x1b[0m" in trained
    assert "Non-trainable params: \x1b[34m130\x1b[0m" in lines


def test_a_file_a_width_of_ones_own_and_dialects_have_the_old_table(monkeypatch):
    plain = lines_of(stack())
    for options in ({"line_length": 65}, {"positions": [0.45, 0.85, 1.0]}):
        assert on_terminal(monkeypatch, 200, **options) == plain
    with dialect("keras2.3"):
        old = lines_of(stack())
        assert on_terminal(monkeypatch, 200) == old
    assert old[1:] == plain[1:]
