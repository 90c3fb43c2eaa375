"""Models whose inputs and outputs are lists, tuples and dicts in each other: each is the flat model in another form."""

import numpy as np
import pytest

from keras_front import layers, models, nest
from keras_front.errors import ArgumentError
from keras_front.layers import Dense, Input
from keras_front.utils.dataset import Dataset

_rng = np.random.default_rng(0)
A, B, C = (_rng.normal(size=(8, n)).astype("float32") for n in (3, 4, 2))
X = {"q": [C], "p": {"b": B, "a": A}}
Y = {"v": (_rng.normal(size=(8, 3)),), "u": {"y": [_rng.normal(size=(8, 1))], "x": _rng.normal(size=(8, 2))}}
FLAT_Y = [Y["u"]["x"], Y["u"]["y"][0], Y["v"][0]]
WEIGHTS = [np.linspace(0, 1, 8), np.linspace(1, 2, 8), np.ones(8)]


@pytest.fixture
def ends():
    a, b, c = Input((3,), name="a"), Input((4,), name="b"), Input((2,), name="c")
    joined = layers.Concatenate()([a, b, c])
    outputs = [Dense(n, name=name)(joined) for n, name in ((2, "first"), (1, "second"), (3, "third"))]
    return [a, b, c], outputs


@pytest.fixture
def model(ends):
    (a, b, c), (first, second, third) = ends
    return models.Model({"q": [c], "p": {"b": b, "a": a}}, {"v": (third,), "u": {"y": [second], "x": first}})


def shapes(structure):
    return nest.map_structure(lambda value: tuple(value.shape), structure)


@pytest.mark.engine_neutral
def test_nested_data_train_as_flat_ones(backend, ends, model):
    flat = models.Model(*ends)
    start = flat.get_weights()
    flat.compile("sgd", ["mse", "mae", "mse"], loss_weights=[1.0, 0.5, 2.0], metrics=[["mae"], ["mse"], []])
    flat.fit([A, B, C], FLAT_Y, sample_weight=WEIGHTS, verbose=0, shuffle=False, validation_split=0.25)
    expected, weights = flat.evaluate([A, B, C], FLAT_Y, verbose=0), flat.get_weights()
    flat.set_weights(start)
    model.compile(
        "sgd",
        {"u": {"x": "mse", "y": ["mae"]}, "v": ("mse",)},
        loss_weights={"u": {"x": 1.0, "y": [0.5]}, "v": (2.0,)},
        metrics={"u": {"x": ["mae"], "y": [["mse"]]}},
    )
    weighted = {"u": {"x": WEIGHTS[0], "y": [WEIGHTS[1]]}, "v": (WEIGHTS[2],)}
    model.fit(X, Y, sample_weight=weighted, verbose=0, shuffle=False, validation_split=0.25)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-6)
    assert all(map(np.array_equal, model.get_weights(), weights))
    assert model.evaluate(Dataset.from_tensor_slices((X, Y)).batch(4), verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-6)
    assert shapes(model.predict(X, verbose=0)) == shapes(model(X)) == shapes(model.predict_on_batch(X))
    assert shapes(model(X)) == {"u": {"x": (8, 2), "y": [(8, 1)]}, "v": ((8, 3),)}
    assert np.allclose(model.predict([A, B, C], verbose=0)["u"]["x"], flat.predict([A, B, C], verbose=0)[0])
    with pytest.raises(ArgumentError, match="'a', 'b', 'c'"):
        model.predict({"p": {"a": A}, "q": [C]}, verbose=0)


@pytest.mark.engine_neutral
def test_the_nesting_is_in_configs_copies_and_files(backend, model, tmp_path):
    expected = model.predict(X, verbose=0)
    model.compile("sgd", "mse")
    copies = [models.clone_model(model), models.Model.from_config(model.get_config())]
    for copy in copies:
        copy.set_weights(model.get_weights())
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        copies.append(models.load_model(tmp_path / name))
    for copy in copies:
        found = copy.predict(X, verbose=0)
        assert np.allclose(found["u"]["y"][0], expected["u"]["y"][0], atol=1e-6)
        assert np.allclose(found["v"][0], expected["v"][0], atol=1e-6)
    inner = {"p": {"a": Input((3,)), "b": Input((4,))}, "q": [Input((2,))]}
    assert shapes(model(inner))["u"] == {"x": (None, 2), "y": [(None, 1)]}


@pytest.mark.engine_neutral
def test_a_subclass_takes_and_gives_nested_tensors(backend):
    class Two(models.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = Dense(2), Dense(1)

        def call(self, inputs):
            return {"u": [self.first(inputs["p"]["a"]), self.second(inputs["q"][0])]}

    model = Two()
    model.compile("sgd", "mse")
    y = {"u": [Y["u"]["x"], Y["u"]["y"][0]]}
    assert sorted(model.fit(X, y, verbose=0).history) == ["loss", "u_1_loss", "u_2_loss"]
    assert shapes(model.predict(X, verbose=0)) == {"u": [(8, 2), (8, 1)]}
