"""Every name of classic `keras.backend` exists in K with a compatible signature, and the odd ones do what they did.

`classic_api.txt` lists the functions of Keras 1.2.2, 2.2.4 and 2.3.1 as they were declared.
"""

import ast
import inspect
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config
from keras_front.errors import ArgumentError, ShapeError

LISTED = Path(__file__).with_name("classic_api.txt").read_text().splitlines()


def listed():
    version = None
    for line in LISTED:
        if line.startswith("["):
            version = line.strip("[]")
        elif not line.startswith("#"):
            yield version, line


def declared():
    """(name, parameters, defaults) of the functions of Keras 2."""
    for version, line in listed():
        if version != "1.2.2" and re.match(r"\w+\(", line):
            arguments = ast.parse(f"def {line}: pass").body[0].args
            names = [a.arg for a in arguments.args]
            defaults = [None] * (len(names) - len(arguments.defaults)) + arguments.defaults
            yield pytest.param(line.split("(")[0], names, defaults, id=f"{version}-{line.split('(')[0]}")


# Decorators of Keras's own code: here the words name a module and a context.
OTHERWISE = {"symbolic", "eager"}


def test_every_name_exists():
    names = {re.match(r"\w+", line)[0] for _, line in listed()}
    assert len(names) > 170
    missing = [name for name in sorted(names) if not hasattr(K, name)]
    assert not missing, missing


def value_of(default):
    try:
        return ast.literal_eval(default)
    except ValueError:
        return inspect.Parameter.empty


@pytest.mark.parametrize(("name", "names", "defaults"), list(declared()))
def test_signature(name, names, defaults):
    if name in OTHERWISE:
        return
    parameters = inspect.signature(getattr(K, name)).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    assert list(parameters)[: len(names)] == names
    for parameter, default in zip(names, defaults):
        mine = parameters[parameter].default
        if default is not None and value_of(default) is not inspect.Parameter.empty:
            assert mine == value_of(default), (parameter, mine)
    extra = list(parameters.values())[len(names) :]
    assert all(p.default is not p.empty for p in extra), extra


# Old names -----------------------------------------------------------------------------------------------------


def test_old_names(backend):
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    assert K.to_numpy(K.lesser(x, y)).tolist() == [True, False, False]
    assert K.to_numpy(K.lesser_equal(x, y)).tolist() == [True, True, False]
    assert K.asymmetric_temporal_padding(np.ones((1, 2, 1), "float32"), 0, 2).shape == (1, 4, 1)
    image = np.ones((1, 2, 3, 4), "float32")
    assert tuple(K.asymmetric_spatial_2d_padding(image, 1, 0, 2, 0, "th").shape) == (1, 2, 4, 6)
    kernel = np.ones((2, 2, 4, 5), "float32")
    assert tuple(K.atrous_conv2d(np.ones((1, 5, 5, 4), "float32"), kernel, 2).shape) == (1, 3, 3, 5)
    assert tuple(K.deconv2d(image[:, :, :, :4], np.ones((2, 2, 5, 4), "float32"), (1, 3, 4, 5)).shape) == (1, 3, 4, 5)


def test_dimension_orderings():
    assert K.image_dim_ordering() == "tf"
    K.set_image_dim_ordering("th")
    assert (K.image_dim_ordering(), K.image_data_format()) == ("th", "channels_first")
    with pytest.raises(ArgumentError, match="expected 'tf' or 'th', received 'nhwc'"):
        K.set_image_dim_ordering("nhwc")


def test_a_session_runs_symbols_and_setting_one_warns(backend):
    config.reload()
    x = K.placeholder((None, 2))
    doubled, variable = x * 2, K.variable([1.0, 2.0])
    values = K.get_session().run({"a": doubled, "b": [variable, None]}, feed_dict={x: [[1, 2]], K.learning_phase(): 0})
    np.testing.assert_array_equal(values["a"], [[2, 4]])
    np.testing.assert_array_equal(values["b"][0], [1, 2])
    assert values["b"][1] is None
    with pytest.warns(UserWarning, match="K.set_session has no effect"):
        K.set_session(K.get_session())
    with K.get_graph().as_default(), K.get_session().as_default() as session:
        assert session.run(variable + 1).tolist() == [2, 3]


def test_contexts_without_effect():
    K.manual_variable_initialization(True)
    with K.control_dependencies([]):
        assert K.py_sum([1, 2]) == 3
    assert K.py_all([1])
    assert not K.py_any([0])
    assert K.py_slice is slice
    with pytest.raises(AttributeError, match="no attribute 'no_such_function'"):
        K.no_such_function  # noqa: B018


# Connectionist temporal classification --------------------------------------------------------------------------

CLASSES, LENGTHS = 4, np.array([[6], [5], [3]])
LABELS, LABEL_LENGTHS = np.array([[0, 1, 0], [1, 1, 0], [2, 0, 0]]), np.array([[2], [2], [1]])


def outputs():
    raised = np.exp(np.random.default_rng(0).normal(size=(3, 6, CLASSES)))
    return raised / raised.sum(-1, keepdims=True)


def every_labelling(probabilities):
    """The probability of each labelling, summed over all paths."""
    found = {}
    for path in itertools.product(range(CLASSES), repeat=len(probabilities)):
        merged = [c for i, c in enumerate(path) if i == 0 or path[i - 1] != c]
        labels = tuple(c for c in merged if c != CLASSES - 1)
        chance = np.prod([row[c] for row, c in zip(probabilities, path)])
        found[labels] = found.get(labels, 0) + chance
    return found


LABELLINGS = [every_labelling(rows[:n]) for rows, n in zip(outputs(), LENGTHS[:, 0])]


def test_ctc_cost_is_the_sum_over_all_paths(backend):
    got = K.to_numpy(K.ctc_batch_cost(LABELS, outputs(), LENGTHS, LABEL_LENGTHS))
    chances = [t[tuple(row[:n])] for t, row, n in zip(LABELLINGS, LABELS, LABEL_LENGTHS[:, 0])]
    np.testing.assert_allclose(got[:, 0], -np.log(chances), rtol=1e-5)


def test_ctc_cost_of_symbols_and_its_gradient(backend):
    y, p = K.placeholder((None, None), dtype="int32"), K.placeholder((None, None, CLASSES), dtype="float64")
    n, m = K.placeholder((None, 1), dtype="int32"), K.placeholder((None, 1), dtype="int32")
    cost = K.ctc_batch_cost(y, p, n, m)
    assert cost.shape == (None, 1)
    (slope,) = K.gradients(K.sum(cost), [p])
    run = K.function([y, p, n, m], [K.sum(cost), slope])
    step = 1e-6 * np.random.default_rng(1).normal(size=outputs().shape)
    up, down = (run([LABELS, outputs() + s, LENGTHS, LABEL_LENGTHS])[0] for s in (step, -step))
    gradient = run([LABELS, outputs(), LENGTHS, LABEL_LENGTHS])[1]
    np.testing.assert_allclose(np.sum(gradient * step), (up - down) / 2, rtol=1e-4)


def test_ctc_cost_of_labels_that_do_not_fit_is_infinite(backend):
    got = K.to_numpy(K.ctc_batch_cost(LABELS[:1], outputs()[:1], [[1]], [[2]]))
    assert np.isposinf(got).all()


def test_ctc_best_path(backend):
    (decoded,), score = K.ctc_decode(outputs(), LENGTHS[:, 0])
    best = [row[:n].argmax(-1) for row, n in zip(outputs(), LENGTHS[:, 0])]
    merged = [[c for i, c in enumerate(path) if c != CLASSES - 1 and (i == 0 or path[i - 1] != c)] for path in best]
    assert [[c for c in row if c >= 0] for row in K.to_numpy(decoded).tolist()] == merged
    chances = [np.log(row[:n].max(-1)).sum() for row, n in zip(outputs(), LENGTHS[:, 0])]
    np.testing.assert_allclose(K.to_numpy(score)[:, 0], -np.array(chances), rtol=1e-5)


def test_ctc_beams_find_the_most_probable_labels(backend):
    run = K.compile(lambda p, n: K.ctc_decode(p, n, greedy=False, beam_width=40, top_paths=3))
    paths, scores = run(outputs(), LENGTHS[:, 0])
    for i, found in enumerate(LABELLINGS):
        best = sorted(found.items(), key=lambda item: -item[1])[:3]
        assert [tuple(c for c in K.to_numpy(p)[i] if c >= 0) for p in paths] == [labels for labels, _ in best]
        np.testing.assert_allclose(K.to_numpy(scores)[i], np.log([chance for _, chance in best]), rtol=1e-5)


# Sparse matrices -----------------------------------------------------------------------------------------------


@pytest.fixture
def matrix():
    sparse = pytest.importorskip("scipy.sparse")
    return sparse.random(5, 4, 0.4, random_state=0, format="csr")


def test_sparse_dot(backend, matrix):
    y = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(K.to_numpy(K.dot(matrix, K.convert(y))), matrix @ y)
    np.testing.assert_allclose(K.to_numpy(K.dot(K.convert(y.T), matrix.T)), y.T @ matrix.T)
    weights = K.variable(y, dtype="float64")
    assert K.is_sparse(matrix)
    assert not K.is_sparse(y)
    np.testing.assert_allclose(K.to_numpy(K.dot(matrix, weights)), matrix @ y)
    np.testing.assert_array_equal(K.to_numpy(K.to_dense(matrix)), matrix.toarray())
    with pytest.raises(ShapeError, match="do not fit"):
        K.dot(matrix, K.convert(y.T))
    with pytest.raises(ArgumentError, match=r"K\.exp: a sparse matrix; make it dense first with K\.to_dense"):
        K.exp(matrix)


def test_sparse_placeholder(backend, matrix):
    x = K.placeholder((None, 4), sparse=True)
    assert K.is_sparse(x)
    assert not K.is_sparse(K.to_dense(x))
    y = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    got = K.function([x], [K.dot(x, K.constant(y))])([matrix])[0]
    np.testing.assert_allclose(got, matrix @ y, rtol=1e-5)


def test_sparse_labels():
    pytest.importorskip("scipy.sparse")
    found = K.ctc_label_dense_to_sparse(LABELS, LABEL_LENGTHS)
    assert found.data.tolist() == [0, 1, 1, 1, 2]
    assert (found.row.tolist(), found.col.tolist()) == ([0, 0, 1, 1, 2], [0, 1, 0, 1, 0])
    with pytest.raises(ArgumentError, match=r"K\.ctc_batch_cost takes dense labels"):
        K.ctc_label_dense_to_sparse(K.placeholder((None, 3)), LABEL_LENGTHS)
