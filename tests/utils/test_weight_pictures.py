"""Weights and activations as histograms and images."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from keras_front import layers, models
from keras_front.errors import ArgumentError, MissingPackageError, StateError
from keras_front.utils import plot_activations, plot_weights
from keras_front.utils.weight_pictures import MOST, _activations, _tiles


def nested():
    inner = models.Sequential([layers.Dense(3, input_shape=(2,), name="within")], name="inner")
    inputs = layers.Input((2,))
    outer = layers.Dense(1, use_bias=False, name="outer")
    return models.Model(inputs, outer(inner(inputs)))


def titles(axes):
    return [panel.get_title() for panel in axes]


@pytest.fixture
def drawn(monkeypatch):
    """Figures without writing them, which takes most of the time."""
    monkeypatch.setattr("keras_front.utils.figures.save", lambda figure, to_file: None)


def test_activations_are_those_of_the_layers(backend):
    model = nested()
    x = np.array([[1.0, 2.0], [3.0, -1.0]], "float32")
    found = _activations(model, x)
    kernel, bias = model.get_layer("inner").get_weights()
    within = found[model.get_layer("inner").outputs[0]]
    assert within == pytest.approx(x @ kernel + bias, rel=1e-5)
    assert found[model.outputs[0]] == pytest.approx(within @ model.get_layer("outer").get_weights()[0], rel=1e-5)


@pytest.mark.backends("numpy")
def test_a_panel_for_each_array(drawn, tmp_path):
    model = nested()
    axes = plot_weights(model, to_file="x.png", bins=5)
    assert titles(axes) == ["inner/within kernel", "inner/within bias", "outer kernel"]
    heights = [bar.get_height() for bar in axes[0].patches]
    assert (len(heights), sum(heights)) == (5, 6)
    assert titles(plot_weights(model.get_layer("outer"), kind="image", to_file="x.png")) == ["outer kernel"]
    assert titles(plot_weights(model, ["inner/.*"], to_file="x.png")) == ["inner/within kernel", "inner/within bias"]
    x = np.ones((4, 2))
    assert titles(plot_activations(model, x, to_file="x.png")) == ["inner/within", "outer"]
    axes = plot_activations(model, x * np.arange(4)[:, None], "outer", "image", 2, to_file="x.png")
    assert axes[0].images[0].get_array().item() == pytest.approx(model.predict(2 * x[:1]).item(), rel=1e-5)


@pytest.mark.backends("numpy")
def test_numbers_that_are_not_finite_are_told(drawn):
    model = nested()
    outer = model.get_layer("outer")
    outer.set_weights([np.array([[np.nan], [1.0], [np.inf]])])
    assert titles(plot_weights(outer, to_file="x.png")) == ["outer kernel: 2 not finite"]


def test_channels_are_tiles():
    filters = np.arange(8.0).reshape(1, 2, 2, 2)  # rows, columns, colours, filters
    grid = _tiles(filters, 3)
    assert grid.shape == (1, 5) or grid.shape == (3, 2)
    assert sorted(grid[np.isfinite(grid)]) == [1.0, 2.0, 5.0, 6.0]  # means over two colours
    assert _tiles(np.ones((3, 4, 4)), 0).shape == (9, 9)
    assert _tiles(np.ones((5, 3)), 1).shape[1] >= 5


@pytest.mark.backends("numpy")
def test_what_cannot_be_drawn(monkeypatch):
    model, x = nested(), np.ones((1, 2))
    with pytest.raises(ArgumentError, match="'histogram' or 'image', received 'pie'"):
        plot_weights(model, kind="pie")
    with pytest.raises(ArgumentError, match=r"names among \['inner/within', 'outer'\], received 'no'"):
        plot_weights(model, "no")
    with pytest.raises(ArgumentError, match="sample: expected a number less than 1, received 1"):
        plot_activations(model, x, kind="image", sample=1)
    for wrong in ({"bins": 0}, {"bins": "many"}, {"layers": 3}, {"model": None}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            plot_weights(**{"model": model, "to_file": "x.png", **wrong})
    with pytest.raises(ArgumentError, match="expected 1 inputs, received 2"):
        plot_activations(model, [x, x])
    with pytest.raises(StateError, match="there are no weights yet"):
        plot_weights(layers.Dense(2))
    with pytest.raises(ArgumentError, match="expected a model with inputs and outputs"):
        plot_activations(models.Model(), x)
    many = models.Sequential([layers.Dense(1, input_shape=(1,)), *(layers.Dense(1) for _ in range(MOST // 2))])
    with pytest.raises(ArgumentError, match="at most 64 arrays"):
        plot_weights(many)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'keras-front\[plot\]'"):
        plot_weights(model, to_file="x.png")
