"""What a program sees of a dialect: names of layers, summaries, progress, messages, warnings of old names."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import callbacks, config, dialect, layers, models
from keras_front.errors import ArgumentError
from keras_front.graph.boxes import Column, boxed
from keras_front.legacy.hooks import OldNameWarning

DIALECTS = ("keras1", "keras2.2", "keras2.3", "keras3")


def stack():
    K.reset_uids()
    first = layers.Dense(10, activation="relu", input_shape=(10,))
    return models.Sequential([first, layers.BatchNormalization(), layers.Dense(1)])


def branches():
    K.reset_uids()
    a, b, shared = layers.Input((3,)), layers.Input((3,)), layers.Dense(4)
    end = layers.Dense(2, name="a_very_long_name_of_a_layer_which_is_cut")
    model = models.Model([a, b], end(layers.Add()([shared(a), shared(b)])))
    shared.trainable = False
    return model


def summary(model, **options):
    lines: list[str] = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_names_of_layers():
    with dialect("keras3"):
        assert [layer.name for layer in stack().layers] == ["dense", "batch_normalization", "dense_1"]
        model = branches()
        assert [layer.name for layer in model.layers][:4] == ["input_layer", "input_layer_1", "dense", "add"]
        assert (model.name, models.Sequential().name) == ("functional", "sequential")
        added = models.Model(model.inputs, layers.Dense(1)(model.output * 2 + 1))
        assert len({layer.name for layer in added.layers}) == len(added.layers)
    for name in (*DIALECTS[:3], config.NATIVE):
        with config.use(dialect=name):
            assert [layer.name for layer in stack().layers] == ["dense_1", "batch_normalization_1", "dense_2"]
            assert [layer.name for layer in branches().layers][:4] == ["input_1", "input_2", "dense_1", "add_1"]


# Printed by Keras 3.15.1 with rich 14 for the same models, not to a terminal.
BOXES = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 10)             │           110 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization             │ (None, 10)             │            40 │
│ (BatchNormalization)            │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 1)              │            11 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 161 (644.00 B)
 Trainable params: 141 (564.00 B)
 Non-trainable params: 20 (80.00 B)""".splitlines()

CONNECTED_BOXES = """\
┏━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━┓
┃ Layer (type)      ┃ Output Shape    ┃   Param # ┃ Connected to   ┃ Trai… ┃
┡━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━┩
│ input_layer       │ (None, 3)       │         0 │ -              │   -   │
│ (InputLayer)      │                 │           │                │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ input_layer_1     │ (None, 3)       │         0 │ -              │   -   │
│ (InputLayer)      │                 │           │                │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ dense (Dense)     │ (None, 4)       │        16 │ input_layer[0… │   N   │
│                   │                 │           │ input_layer_1… │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ add (Add)         │ (None, 4)       │         0 │ dense[0][0],   │   -   │
│                   │                 │           │ dense[1][0]    │       │
├───────────────────┼─────────────────┼───────────┼────────────────┼───────┤
│ a_very_long_name… │ (None, 2)       │        10 │ add[0][0]      │   Y   │
│ (Dense)           │                 │           │                │       │
└───────────────────┴─────────────────┴───────────┴────────────────┴───────┘""".splitlines()

NESTED_BOXES = """\
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape      ┃   Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ dense (Dense)            │ (None, 3)         │        12 │
├──────────────────────────┼───────────────────┼───────────┤
│ sequential_9             │ (None, 4)         │        16 │
│ (Sequential)             │                   │           │
├──────────────────────────┼───────────────────┼───────────┤
│    └ dense_1 (Dense)     │ (None, 4)         │        16 │
├──────────────────────────┼───────────────────┼───────────┤
│ dense_2 (Dense)          │ (None, 1)         │         5 │
└──────────────────────────┴───────────────────┴───────────┘""".splitlines()


def nested():
    K.reset_uids()
    first = layers.Dense(3, input_shape=(3,))
    inner = models.Sequential([layers.Dense(4, input_shape=(3,))], name="sequential_9")
    return models.Sequential([first, inner, layers.Dense(1)])


def test_boxes_of_keras_3():
    with dialect("keras3"):
        assert summary(stack()) == BOXES
        assert summary(branches(), show_trainable=True)[1:-3] == CONNECTED_BOXES
        assert summary(nested(), line_length=60, expand_nested=True)[1:-3] == NESTED_BOXES


def test_boxes_fit_where_they_are_told():
    rows = [[["name (Type)"], ["1"]], [["x"], ["22", "333"]]]
    lines = boxed([Column("Name", 20), Column("N", 5, "right")], rows, None, None)
    assert lines[1] == "┃ Name               ┃   N ┃"
    assert [line[22:27] for line in lines[3:7]] == ["   1 ", "┼─────"[1:], "  22 ", " 333 "]
    narrow = boxed([Column("Name", 20), Column("N", 5)], rows, 16, [0.5, 1.0])
    assert {len(line) for line in narrow} == {16}
    assert narrow[3:5] == ["│ name  │ 1    │", "│ (Typ… │      │"]


def test_older_summaries():
    with dialect("keras2.3"):
        titled = summary(stack())
    assert titled[0].startswith('Model: "sequential_')
    with dialect("keras2.2"):
        assert summary(stack()) == titled[1:]
    with dialect("keras1"):  # 1.2.2, `keras/utils/layer_utils.py`: 100 columns, and always what is connected
        lines = summary(stack())
    assert lines[1] == "Layer (type)                     Output Shape          Param #     Connected to".ljust(100)
    assert lines[5] == "batch_normalization_1 (BatchNorm (None, 10)            40          dense_1[0][0]".ljust(100)
    assert lines[-4:-1] == ["Total params: 161", "Trainable params: 141", "Non-trainable params: 20"]


def test_options_of_the_summary():
    lines = summary(nested(), expand_nested=True, show_trainable=True)
    assert lines[2].split()[-1] == "Trainable"
    assert [line.split()[:2] for line in lines[8:9]] == [["|_", "dense_2"]]
    shown = summary(stack(), layer_range=["dense_1", "batch"])
    assert any("batch_norm" in line for line in shown)
    assert not any("dense_2" in line for line in shown)
    with pytest.raises(ArgumentError, match="there is no layer 'nowhere'"):
        summary(stack(), layer_range=["nowhere", "dense_2"])


PROGRESS = {
    "keras1": ("Train on 4 samples, validate on 1 samples", "4/4 [==============================] - 0s - loss: "),
    "keras2.2": ("Train on 4 samples, validate on 1 samples", "4/4 [==============================] - 0s "),
    "keras2.3": ("Train on 4 samples, validate on 1 samples", "4/4 [==============================] - 0s "),
    "keras3": ("Epoch 1/1", "2/2 ━━━━━━━━━━━━━━━━━━━━ 0s "),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_progress(name, capsys):
    with dialect(name):
        model = models.Sequential([layers.Dense(1, input_shape=(2,))])
        model.compile("sgd", "mse", metrics=["accuracy"])
        saving = callbacks.EarlyStopping(monitor="loss", patience=0, min_delta=1e9, verbose=1)
        x, y = np.ones((4, 2)), np.ones((4, 1))
        model.fit(x, y, batch_size=2, epochs=1, validation_data=(x[:1], y[:1]))
        lines = capsys.readouterr().out.splitlines()
        first, bar = PROGRESS[name]
        assert lines[0] == first
        assert lines[-1].startswith(bar)
        assert (" - acc: " in lines[-1]) == (name in ("keras1", "keras2.2"))
        model.fit(x, y, epochs=2, verbose=0, callbacks=[saving])
        told = "Epoch 2: early stopping" if name == "keras3" else "Epoch 00002: early stopping"
        assert told in capsys.readouterr().out


def old_call():
    return layers.Dense(output_dim=3)


def test_warnings_of_old_names_can_be_turned_off():
    with pytest.warns(OldNameWarning, match="older Keras"):
        old_call()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with config.use(old_name_warnings=False):
            layers.Dense(output_dim=4)
        config.set_old_name_warnings(False)
        layers.Dense(output_dim=6)
    config.set_old_name_warnings(True)
    with dialect("keras1"), pytest.warns(OldNameWarning):
        layers.Dense(output_dim=7)


# Printed by tf_keras 2.21 for the same model; spaces at the ends of lines are cut off.
WRAPPED = """\
Model: "whole"
_____________________________________________________________________________________________________________
 Layer (type)                Output Shape                 Param #   Connected to                  Trainable
=============================================================================================================
 input_1 (InputLayer)        [(None, 4)]                  0         []                            Y

 inner (Sequential)          (None, 2)                    10        ['input_1[0][0]']             Y
|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|
| one (Dense)                (None, 2)                    10        []                            Y         |
|                                                                                                           |
| two (Dropout)              (None, 2)                    0         []                            Y         |
¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯
 three (Dense)               (None, 3)                    15        ['input_1[0][0]']             N

 a_very_long_name_of_a_laye  (None, 5)                    0         ['inner[0][0]',               Y
 r_that_goes_on (Concatenat                                          'three[0][0]']
 e)

=============================================================================================================
Total params: 25 (100.00 Byte)
Trainable params: 10 (40.00 Byte)
Non-trainable params: 15 (60.00 Byte)
_____________________________________________________________________________________________________________
"""


def test_the_summary_of_tf_keras_goes_on_below():
    with dialect("tf.keras"):
        K.reset_uids()
        a = layers.Input((4,))
        parts = [layers.Dense(2, input_shape=(4,), name="one"), layers.Dropout(0.5, name="two")]
        inner, end = (
            models.Sequential(parts, name="inner"),
            layers.Concatenate(name="a_very_long_name_of_a_layer_that_goes_on"),
        )
        model = models.Model(a, end([inner(a), layers.Dense(3, name="three")(a)]), name="whole")
        model.layers[2].trainable = False
        lines = summary(model, expand_nested=True, show_trainable=True)
    assert [line.rstrip() for line in lines] == WRAPPED.splitlines()


@pytest.mark.of_the_host
def test_one_line_an_epoch_of_tf_keras_has_steps_and_durations(backend, capsys):
    with dialect("tf.keras"):
        model = models.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="zeros")])
        model.compile("sgd", "mse")
        for epochs in (1, 2):
            model.fit(np.zeros((10, 3)), np.zeros((10, 1)), batch_size=4, epochs=epochs, verbose=2)
    form = r"3/3 - 0s - loss: 0.0000e\+00 - \d+(ms|us|s)/epoch - \d+(ms|us|s)/step\n"
    assert re.fullmatch(f"{form}Epoch 1/2\\n{form}Epoch 2/2\\n{form}", capsys.readouterr().out)
