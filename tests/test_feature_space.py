"""`FeatureSpace`: numbers of Keras 3.15 for the same table, models of ones own, files."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ArgumentError, StateError, WrongKindError
from keras_front.layers import Dense, HashedCrossing, Identity, Rescaling
from keras_front.models import Model, load_model
from keras_front.utils import FeatureSpace

TABLE = {
    "f": [1.0, 2, 3], "r": [1.0, 2, 3], "n": [1.0, 2, 6], "d": [1.0, 2, 9], "i": [3, 3, 4],
    "s": ["a", "b", "a"], "h": ["x", "y", "z"], "ih": [1, 2, 3],
}  # fmt: skip
KINDS = {
    "f": "float", "r": FeatureSpace.float_rescaled(scale=2.0, offset=1.0), "n": "float_normalized",
    "d": FeatureSpace.float_discretized(None, bin_boundaries=[1.0, 2.0]), "i": "integer_categorical",
    "s": "string_categorical", "h": FeatureSpace.string_hashed(4, output_mode="int"),
    "ih": FeatureSpace.integer_hashed(4),
}  # fmt: skip
EXPECTED = {  # keras 3.15.1
    "d": [[0, 1, 0], [0, 0, 1], [0, 0, 1]],
    "f": [[1], [2], [3]],
    "h": [[2], [1], [1]],
    "i": [[0, 1, 0], [0, 1, 0], [0, 0, 1]],
    "ih": [[0, 1, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]],
    "n": [[-0.9258201], [-0.4629100], [1.3887302]],
    "r": [[3], [5], [7]],
    "s": [[0, 1, 0], [0, 0, 1], [0, 1, 0]],
    "s_X_d": [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]],
}


def whole_space(**kwargs):
    space = FeatureSpace(KINDS, crosses=[FeatureSpace.cross(("s", "d"), crossing_dim=5)], output_mode="dict", **kwargs)
    space.adapt(TABLE)
    return space


def test_numbers_are_those_of_keras(backend):
    found = whole_space()(TABLE)
    assert list(found) == list(EXPECTED)
    for name, value in EXPECTED.items():
        np.testing.assert_allclose(K.to_numpy(found[name]), value, rtol=1e-5)


@pytest.mark.engine_neutral
def test_rows_come_from_any_iterable(backend):
    rows = [{name: column[i] for name, column in TABLE.items()} for i in range(3)]
    space = whole_space()
    space.adapt(iter(rows))
    for name, value in space(rows[1]).items():
        np.testing.assert_allclose(K.to_numpy(value), EXPECTED[name][1], rtol=1e-5)


@pytest.mark.engine_neutral
def test_a_space_is_saved_and_read(backend, tmp_path):
    space = whole_space()
    space.save(tmp_path / "space.keras")
    found = load_model(tmp_path / "space.keras")(TABLE)
    for name, value in EXPECTED.items():
        np.testing.assert_allclose(K.to_numpy(found[name]), value, rtol=1e-5)


@pytest.mark.engine_neutral
def test_models_begin_behind_a_space_or_with_it(backend, tmp_path):
    kinds = {"f": "float", "s": "string_categorical", "n": FeatureSpace.float_normalized()}
    space = FeatureSpace(kinds, crosses=[("s", "s")], crossing_dim=6)
    space.adapt(TABLE)
    columns = {name: np.array(TABLE[name]) for name in kinds}
    rows = K.to_numpy(space(columns))
    assert rows.shape == (3, 1 + 1 + 3 + 6)
    encoded = space.get_encoded_features()
    assert tuple(encoded.shape) == (None, 11)
    result = Dense(1)(encoded)
    trained, whole = Model(encoded, result), Model(space.get_inputs(), result)
    trained.compile("sgd", "mse")
    trained.fit(rows, np.ones(3), verbose=0)
    wanted = trained.predict(rows)
    np.testing.assert_allclose(whole.predict(columns), wanted, rtol=1e-5)
    as_layer = Model(space.get_inputs(), Dense(1, weights=trained.get_weights())(space(space.get_inputs())))
    for number, model in enumerate((whole, as_layer)):
        path = tmp_path / f"{number}.keras"
        model.save(path)
        np.testing.assert_allclose(load_model(path).predict(columns), wanted, rtol=1e-5)


@pytest.mark.engine_neutral
def test_a_layer_of_ones_own_reads_a_column(backend):
    space = FeatureSpace({"a": FeatureSpace.feature("float32", Rescaling(2.0), "float")})
    np.testing.assert_array_equal(K.to_numpy(space({"a": np.ones((3, 2))})), np.full((3, 2), 2.0))


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: FeatureSpace({}), ArgumentError, "features"),
        (lambda: FeatureSpace({"a": "flaot"}), ArgumentError, "'a' to be one of float, .*'flaot'"),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), ArgumentError, "concat, dict"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), ArgumentError, r"\['b'\]"),
        (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), StateError, r"\.adapt"),
        (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), ArgumentError, "'a'"),
        (lambda: FeatureSpace({"a": "float"})(np.ones(3)), WrongKindError, "dict"),
        (lambda: FeatureSpace({"a": "float_normalized"}).adapt([np.ones(3)]), WrongKindError, "dict of columns"),
        (lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, "int")})({"a": ["x"]}), ArgumentError, "dict"),
        (lambda: FeatureSpace.feature("int32", Identity(), "ints"), ArgumentError, "int, one_hot, float"),
        (lambda: HashedCrossing(3)(["a"]), ArgumentError, "two"),
        (lambda: HashedCrossing(3)([[1.5], ["a"]]), TypeError, "integers or strings"),
        (lambda: HashedCrossing(3)([np.ones((2, 2), int)] * 2), ValueError, r"\(batch, 1\)"),
    ],
)
def test_what_makes_no_sense_is_refused(backend, make, error, text):
    with pytest.raises(error, match=text):
        make()
