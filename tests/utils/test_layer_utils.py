"""`keras.utils.layer_utils`, and the modules of `keras.utils` that only old programs import."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.errors import ShapeError, StateError
from keras_front.layers import Add, Conv1D, Conv2D, Conv2DTranspose, Dense, Flatten, Input, SeparableConv2D
from keras_front.legacy.utils import layer_utils as keras1
from keras_front.legacy.utils import losses_utils, metrics_utils, np_utils, test_utils
from keras_front.models import Model, Sequential
from keras_front.utils import get_source_inputs, layer_utils, multi_gpu_model, print_summary
from keras_front.utils.generic_utils import custom_object_scope


def test_get_source_inputs():
    a, b, c = (Input((3,)) for _ in range(3))
    shared = Dense(3)
    out = Add()([shared(a), Dense(3)(shared(b)) * 2.0 + a])
    assert get_source_inputs(out) == [a, b]
    assert get_source_inputs(K.concatenate([K.relu(c), b]) + 1) == [c, b]
    assert get_source_inputs(a) == [a]
    model = Model([a, b], out)
    assert get_source_inputs(model([c, a])) == [c, a]
    array = np.zeros(3)
    assert get_source_inputs(array) is array
    x = a
    for _ in range(2000):  # depth meets no limit of Python
        x = x + 1.0
    assert get_source_inputs(x) == [a]


def test_counts():
    model = Sequential([Dense(4, input_dim=3), Dense(2)])
    model.layers[0].trainable = False
    assert layer_utils.count_params(model.weights + model.weights) == 16 + 10
    assert layer_utils.count_total_params([model.layers[0], model.layers[1], model.layers[0]]) == (10, 16)
    seen = {model.layers[0]}
    assert layer_utils.count_total_params(model.layers, seen) == (10, 0)
    assert seen == set(model.layers)


def test_print_summary(capsys):
    model = Sequential([Dense(4, input_dim=3, name="first"), Dense(2, name="second")])
    model.summary()
    expected = capsys.readouterr().out
    print_summary(model)
    assert capsys.readouterr().out == expected
    lines = []
    print_summary(layers=model.layers, relevant_nodes=None, line_length=80, positions=None, print_fn=lines.append)
    assert any("second (Dense)" in line for line in lines)
    assert "Total params: 26" in lines
    assert {len(line) for line in lines if line.startswith("___")} == {80}
    with pytest.raises(TypeError, match="not understood: 'width'"):
        print_summary(model, width=3)


def test_layer_from_config():
    class Mine(Dense):
        pass

    made = keras1.layer_from_config({"class_name": "Mine", "config": {"units": 3}}, {"Mine": Mine})
    assert type(made) is Mine
    config = {"class_name": "Sequential", "config": Sequential([Dense(4, input_dim=3)]).get_config()}
    assert keras1.layer_from_config(config).output_shape == (None, 4)
    with custom_object_scope({"Mine": Mine}):
        assert keras1.layer_from_config({"class_name": "Mine", "config": {"units": 3}}).units == 3


@pytest.mark.engine_neutral
def test_kernels_of_a_model(backend):
    inner = Sequential([Conv2D(2, (2, 3), input_shape=(5, 5, 2))])
    model = Sequential(
        [Conv2D(2, 3, input_shape=(9, 9, 1)), Conv2DTranspose(2, (2, 3)), SeparableConv2D(2, 3), Flatten()]
    )
    outputs = Dense(1)(model.output)
    whole = Model(model.input, [outputs, inner(Input((5, 5, 2)))][:1])
    before = {id(w): K.get_value(w) for w in whole.weights}
    layer_utils.convert_all_kernels_in_model(whole)
    for layer in whole.layers:
        for weight in layer.weights:
            turned = type(layer).__name__ in ("Conv2D", "Conv2DTranspose") and weight is layer.kernel
            value = before[id(weight)]
            np.testing.assert_array_equal(K.get_value(weight), value[::-1, ::-1] if turned else value)
    nested = Sequential([inner, Flatten()])
    kernel = K.get_value(inner.layers[0].kernel)
    layer_utils.convert_all_kernels_in_model(nested)
    np.testing.assert_array_equal(K.get_value(inner.layers[0].kernel), kernel[::-1, ::-1])
    assert issubclass(type(Conv1D(1, 1)), Conv1D)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_weights_for_another_data_format(rank, bias):
    sizes = (3, 4, 2)[:rank]
    last = np.random.default_rng(0).normal(size=(2, *sizes, 5)).astype("float32")
    first = np.moveaxis(last, -1, 1)
    dense = Dense(3, use_bias=bias)
    expected = np.asarray(dense(last.reshape(2, -1)))
    layer_utils.convert_dense_weights_data_format(dense, (5, *sizes), "channels_first")
    np.testing.assert_allclose(np.asarray(dense(first.reshape(2, -1))), expected, atol=1e-6)
    layer_utils.convert_dense_weights_data_format(dense, (*sizes, 5), "channels_last")
    np.testing.assert_allclose(np.asarray(dense(last.reshape(2, -1))), expected, atol=1e-6)
    with pytest.raises(ShapeError, match="elements"):
        layer_utils.convert_dense_weights_data_format(dense, (7, 7), "channels_last")
    with pytest.raises(ValueError, match="'channels_first' or 'channels_last'"):
        layer_utils.convert_dense_weights_data_format(dense, (*sizes, 5), "x")


def test_multi_gpu_model_is_the_model():
    model = Sequential([Dense(1, input_dim=1)])
    with pytest.warns(UserWarning, match="runs on one device") as caught:
        assert multi_gpu_model(model, gpus=4, cpu_merge=False) is model
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="at least two devices"):
        multi_gpu_model(model, gpus=1)
    with pytest.raises(ValueError, match="at least two devices"):
        multi_gpu_model(model, gpus=[0])


# Modules of Keras 1 and 2.3 -----------------------------------------------------------------------------------


def test_np_utils_of_keras1():
    p, y = np.array([0.9, 0.2, 0.0]), np.array([1, 0, 0])
    expected = -np.mean([np.log(0.9), np.log(0.8), np.log(1 - 1e-15)])
    np.testing.assert_allclose(np_utils.binary_logloss(p, y), expected)
    rows = np.array([[0.7, 0.3], [0.4, 0.6]])
    np.testing.assert_allclose(np_utils.multiclass_logloss(rows, [1, 2]), -np.mean(np.log([0.7, 0.6])))
    assert np_utils.accuracy([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)
    assert np_utils.probas_to_classes(rows).tolist() == [0, 1]
    assert np_utils.probas_to_classes(np.array([[0.3], [0.7]])).tolist() == [0, 1]
    assert np_utils.categorical_probas_to_classes(rows).tolist() == [0, 1]


def test_weighted_losses(backend):
    losses = K.constant([[1.0, 2.0], [3.0, 4.0]])
    value = lambda *args: K.get_value(losses_utils.compute_weighted_loss(*args))
    np.testing.assert_allclose(value(losses), 2.5)
    np.testing.assert_allclose(value(losses, [1.0, 0.5]), (1 + 2 + 1.5 + 2) / 4)
    np.testing.assert_allclose(value(losses, [[2.0], [1.0]], "sum"), 2 + 4 + 3 + 4)
    np.testing.assert_allclose(value(losses, 2.0, "none"), [[2, 4], [6, 8]])
    np.testing.assert_allclose(K.get_value(losses_utils.reduce_weighted_loss(losses)), 2.5)
    wide = losses_utils.broadcast_weights(losses, K.constant([[1.0], [2.0]]))
    np.testing.assert_allclose(K.get_value(wide), [[1, 1], [2, 2]])
    with pytest.raises(ValueError, match="Incompatible shapes"):
        losses_utils.broadcast_weights(losses, K.constant([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="reduction"):
        value(losses, None, "median")


def test_ranks_that_differ_by_one(backend):
    shapes = lambda *tensors: [K.int_shape(t) for t in losses_utils.squeeze_or_expand_dimensions(*tensors)]
    flat, column = K.constant([1.0, 2.0]), K.constant([[1.0], [2.0]])
    assert shapes(column, flat) == [(2,), (2,)]
    assert shapes(flat, column) == [(2,), (2,)]
    assert shapes(flat, flat, column) == [(2,)] * 3
    assert shapes(column, column, flat) == [(2, 1)] * 3


def test_confusion_matrix_variables(backend):
    kinds = metrics_utils.ConfusionMatrix
    variables = {kind: K.zeros((2,)) for kind in kinds}
    y_true, y_pred = [[0, 1, 1], [1, 0, 1]], [[0.1, 0.6, 0.3], [0.9, 0.7, 0.2]]
    metrics_utils.update_confusion_matrix_variables(variables, y_true, y_pred, (0.25, 0.65), sample_weight=[1.0, 2.0])
    found = {kind.value: K.get_value(variable).tolist() for kind, variable in variables.items()}
    # above 0.25: first row .6 and .3 of targets 1 1, second row .9 (1) and .7 (0); .2 (1) is missed
    assert found == {"tp": [4.0, 2.0], "fp": [2.0, 2.0], "tn": [1.0, 1.0], "fn": [2.0, 4.0]}
    with pytest.raises(ValueError, match="valid confusion matrix variable"):
        metrics_utils.update_confusion_matrix_variables({"tp": variables}, y_true, y_pred)
    assert metrics_utils.update_confusion_matrix_variables(None, y_true, y_pred) is None
    kept = K.get_value(metrics_utils.filter_top_k(np.array([[3.0, 1.0, 2.0]], "float32"), 2))
    assert kept[0, [0, 2]].tolist() == [3.0, 2.0]
    assert kept[0, 1] < -1e9
    counter = K.zeros((1,))
    metrics_utils.weighted_assign_add([[True, True, False]], [[True, False, False]], np.array([[3.0, 1, 1]]), counter)
    assert K.get_value(counter).tolist() == [3.0]


def test_thresholds_and_enumerations():
    assert metrics_utils.parse_init_thresholds(None) == [0.5]
    assert metrics_utils.parse_init_thresholds([0.1, 0.9]) == [0.1, 0.9]
    with pytest.raises(ValueError, match=r"Threshold values must be in \[0, 1\]. Invalid values: \[2\]"):
        metrics_utils.parse_init_thresholds([0.1, 2])
    assert metrics_utils.AUCCurve.from_str("pr") is metrics_utils.AUCCurve.PR
    assert metrics_utils.AUCSummationMethod.from_str("Majoring").value == "majoring"
    with pytest.raises(ValueError, match="Invalid AUCCurve value"):
        metrics_utils.AUCCurve.from_str("x")


@pytest.mark.filterwarnings("ignore:This call has names")
def test_test_data():
    (x, y), (x_test, y_test) = test_utils.get_test_data(num_train=50, num_test=20, input_shape=(3, 2), num_classes=4)
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((50, 3, 2), (50,), (20, 3, 2), (20,))
    assert set(y) <= {0, 1, 2, 3}
    assert abs(np.mean(x[y == 3]) - 3) < 0.5
    (x, y), _ = test_utils.get_test_data(nb_train=5, nb_test=2, output_shape=(4,), classification=False)
    assert (x.shape, y.shape, y.dtype) == ((5, 10), (5, 4), np.float32)


def test_layer_test(backend):
    output = test_utils.layer_test(Dense, kwargs={"units": 3}, input_shape=(3, 2))
    assert output.shape == (3, 3)
    test_utils.layer_test(Flatten, input_data=np.ones((2, 3, 4), "float32"), expected_output=np.ones((2, 12)))
    test_utils.layer_test(Dense, kwargs={"units": 2}, input_shape=(2, 3), fixed_batch_size=True)
    with pytest.raises(AssertionError):
        test_utils.layer_test(Flatten, input_data=np.ones((2, 3, 4), "float32"), expected_output=np.zeros((2, 12)))

    class Liar(Dense):
        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 99)

    with pytest.raises(AssertionError):
        test_utils.layer_test(Liar, kwargs={"units": 3}, input_shape=(3, 2))
    with pytest.raises(ValueError, match="input_shape or input_data"):
        test_utils.layer_test(Dense, kwargs={"units": 3})


def test_keras_test_counts_names_anew():
    @test_utils.keras_test
    def name():
        return Dense(1).name

    name()
    assert name() == "dense_1"
    with pytest.raises(StateError, match="not in a cloud"):
        test_utils.tf_file_io_proxy("x")
