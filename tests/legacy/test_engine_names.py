"""What other libraries imported from `keras.engine` and the like, against what Keras's own documentation says of it."""

from __future__ import annotations

import numpy as np
import pytest
from fresh import in_new_process

from keras_front import backend as K
from keras_front import constraints, layers, losses, metrics, models, optimizers, regularizers
from keras_front.errors import ArgumentError, BackendError, DtypeError, ShapeError
from keras_front.legacy import initializers, interfaces, members
from keras_front.legacy.engine import graph, loops, saving, training_utils
from keras_front.legacy.optimizers import TFOptimizer, optimizer_from_config


def two_branches():
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    return a, b, layers.Dense(2)(layers.Add()([layers.Dense(4)(a) * 2, layers.Dense(4)(b)]))


def test_source_inputs_are_found_through_layers_and_ops():
    a, b, y = two_branches()
    assert graph.get_source_inputs(y) == [a, b]
    assert graph.get_source_inputs([y, a]) == [a, b]
    layer, call, _ = y.history
    assert graph.get_source_inputs(y, layer, call) == [a, b]
    assert graph.get_source_inputs(a) == [a]
    with pytest.raises(ArgumentError, match="expected a symbolic tensor, received ndarray"):
        graph.get_source_inputs(np.ones(2))


def test_nodes_are_entered_by_hand_and_by_calling():
    source, dense = layers.Input((3,)), layers.Dense(2)
    node = graph.Node.create_node(dense, [source.history[0]])
    assert dense.get_output_shape_at(0) == (None, 2)
    assert isinstance(node, graph.Node)
    layer = layers.Layer(name="mine")
    out = K.placeholder((None, 5))
    made = graph.Node(layer, [dense], [0], [0], node.output_tensors, [out], [None], [None], [(None, 2)], [(None, 5)])
    assert layer.output is out
    assert (made.inbound_layers, layer.input_shape) == ([dense], (None, 2))
    assert graph._collect_input_shape([source, out]) == [(None, 3), (None, 5)]


def test_masks_of_earlier_calls():
    x = layers.Input((None,), dtype="int32")
    embedded = layers.Embedding(5, 2, mask_zero=True)(x)
    assert K.int_shape(graph._collect_previous_mask(embedded)) == (None, None)
    assert graph._collect_previous_mask([x, K.ones(2)]) == [None, None]
    assert graph._to_snake_case("MaxPooling2D") == "max_pooling2d"


# Data ----------------------------------------------------------------------------------------------------------


def test_data_is_standardized():
    one, two = np.ones(4), np.ones((4, 3))
    found = training_utils.standardize_input_data({"b": two, "a": one}, ["a", "b"], [(None, 1), (None, 3)])
    assert [x.shape for x in found] == [(4, 1), (4, 3)]
    assert training_utils.standardize_input_data(None, ["a", "b"]) == [None, None]
    assert training_utils.standardize_input_data(two, ["a"])[0] is two
    with pytest.raises(ShapeError, match=r"input: expected a to have shape \(5,\) but got array with shape \(3,\)"):
        training_utils.standardize_input_data([two], ["a"], [(None, 5)])
    with pytest.raises(ArgumentError, match="expected 2, for"):
        training_utils.standardize_input_data([two, two, two], ["a", "b"])
    with pytest.raises(ShapeError, match="a single number"):
        training_utils.standardize_single_array(3)


def test_weights_are_standardized():
    y = np.array([[1, 0], [0, 1], [0, 1]])
    np.testing.assert_array_equal(training_utils.standardize_weights(y), [1, 1, 1])
    weighted = training_utils.standardize_weights(y, np.array([1, 2, 3]), {0: 10, 1: 1})
    np.testing.assert_array_equal(weighted, [10, 2, 3])
    assert training_utils.standardize_weights(np.ones((2, 3, 1)), sample_weight_mode="temporal").shape == (2, 3)
    assert training_utils.standardize_class_weights({"b": {0: 1}}, ["a", "b"]) == [None, {0: 1}]
    assert training_utils.standardize_sample_weights([None, [1]], ["a", "b"]) == [None, [1]]


def test_checks():
    training_utils.check_array_length_consistency([np.ones(3)], [np.ones(3)], [None])
    with pytest.raises(ShapeError, match="the same number of samples"):
        training_utils.check_array_lengths([np.ones(3)], [np.ones(4)])
    shapes = [(None, 3)]
    training_utils.check_loss_and_target_compatibility([np.ones((2, 3))], [losses.mse], shapes)
    sparse = [losses.sparse_categorical_crossentropy]
    training_utils.check_loss_and_target_compatibility([np.ones((2, 1))], losses=sparse, output_shapes=shapes)
    with pytest.raises(ShapeError, match="mean_squared_error"):
        training_utils.check_loss_and_target_compatibility([np.ones((2, 4))], [losses.mse], shapes)
    training_utils.check_generator_arguments(None, None, 0.0)
    with pytest.raises(ArgumentError, match="y: expected None where batches come from a generator"):
        training_utils.check_generator_arguments(np.ones(2))
    assert training_utils.check_num_samples([np.ones((5, 1))]) == 5
    assert training_utils.check_num_samples([], steps=3) is None
    with pytest.raises(ArgumentError, match="steps: expected no batch_size"):
        training_utils.check_num_samples([np.ones(5)], 2, 3)


def test_batches():
    numbers = np.arange(11)
    assert training_utils.make_batches(11, 4) == [(0, 4), (4, 8), (8, 11)]
    shuffled = training_utils.batch_shuffle(numbers, 4)
    assert sorted(shuffled) == list(numbers)
    assert {tuple(b) for b in shuffled[:8].reshape(2, 4)} == {(0, 1, 2, 3), (4, 5, 6, 7)}
    assert list(shuffled[8:]) == [8, 9, 10]
    stream = training_utils.iter_sequence_infinite("ab")
    assert "".join(next(stream) for _ in range(5)) == "ababa"
    assert training_utils.is_generator_or_sequence(stream)
    assert not training_utils.is_sequence([1])
    assert [training_utils.should_run_validation(2, epoch) for epoch in range(4)] == [False, True, False, True]
    assert training_utils.should_run_validation([1], 0)
    assert [x.tolist() for x in training_utils.slice_X([numbers, numbers], 2, 4)] == [[2, 3], [2, 3]]
    model = models.Sequential([layers.Dense(1, batch_input_shape=(7, 3))])
    assert training_utils.get_static_batch_size(model) == 7
    assert training_utils.get_input_shape_and_dtype(model) == ((7, 3), "float32")
    assert training_utils.get_input_shape_and_dtype(layers.Dense(1)) == (None, None)


def test_a_weighted_and_masked_loss_is_that_of_keras_2():
    rng = np.random.default_rng(0)
    y, p, w = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 3, 2)), np.array([0.0, 1.0, 2.0, 3.0])
    mask = np.array([[1, 1, 0]] * 3 + [[0, 0, 1]], float)
    scores = ((y - p) ** 2).mean(-1)
    kept = scores * mask / (mask.mean() + 1e-7)
    want = (kept.mean(1) * w / (w != 0).mean()).mean()
    given = [K.constant(x) for x in (y, p, w, mask)]
    loss = training_utils.weighted_masked_objective(losses.mean_squared_error)
    assert float(K.eval(loss(*given))) == pytest.approx(want, rel=1e-5)
    assert float(K.eval(loss(given[0], given[1], None))) == pytest.approx(scores.mean(), rel=1e-5)
    assert training_utils.weighted_objective(None) is None


def test_what_compile_was_given():
    names = ["a", "b"]
    assert training_utils.prepare_loss_functions("mse", names) == [losses.mse] * 2
    assert training_utils.prepare_loss_functions({"b": "mae"}, names) == [None, losses.mae]
    assert training_utils.prepare_loss_weights(names, {"b": 0.5}) == [1.0, 0.5]
    weights, modes = training_utils.prepare_sample_weights(names, {"a": "temporal"}, [1])
    assert (K.ndim(weights[0]), weights[1], modes) == (2, None, ["temporal", None])
    assert training_utils.collect_metrics(["acc"], names) == [["acc"], ["acc"]]
    found = training_utils.collect_per_output_metric_info(
        {"a": "acc"}, names, [(None, 3), (None, 1)], [losses.categorical_crossentropy, losses.mse]
    )
    assert [list(one) for one in found] == [["acc"], []]
    assert found[0]["acc"].fn is metrics.categorical_accuracy
    assert training_utils.get_metric_name(metrics.AUC(name="area")) == "area"
    value = training_utils.call_metric_function(metrics.Mean(), K.constant([1.0, 5.0]), mask=K.constant([1.0, 0.0]))
    assert float(K.eval(value)) == 1.0


def test_loops_call_functions_of_k():
    model = models.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones", input_shape=(2,))])
    model.compile("sgd", "mse")
    x, y = np.arange(10.0).reshape(5, 2), np.zeros((5, 1))
    predict = K.function([model.input], [model.output])
    np.testing.assert_allclose(loops.predict_loop(model, predict, [x], 2), x.sum(1, keepdims=True))
    np.testing.assert_allclose(loops.test_loop(model, lambda ins: [len(ins[0]), 1], [x], 2), [9 / 5, 1])
    seen = []

    def train(ins):
        seen.append(np.ravel(ins[0])[::2].tolist())
        return [float(len(ins[0]))]

    history = loops.fit_loop(
        model, train, [x, y, 1.0], ["loss"], 2, epochs=2, shuffle=False, val_function=train, val_inputs=[x[:1], y[:1]]
    )
    assert history.history == {"loss": [9 / 5] * 2, "val_loss": [1.0] * 2}
    assert seen[:3] == [[0.0, 2.0], [4.0, 6.0], [8.0]]


# Files ----------------------------------------------------------------------------------------------------------


def test_weights_in_groups_of_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    model = models.Sequential([layers.Dense(3, input_shape=(2,)), layers.Dense(1)])
    other = models.clone_model(model)
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        saving.save_weights_to_hdf5_group(file, model.layers)
        saving.save_attributes_to_hdf5_group(file, "names", [b"a" * 40000, b"b" * 40000])
        assert saving.load_attributes_from_hdf5_group(file, "names") == ["a" * 40000, "b" * 40000]
        saving.load_weights_from_hdf5_group(file, other.layers)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        other.layers[0].set_weights([np.zeros((2, 3)), np.zeros(3)])
        saving.load_weights_from_hdf5_group_by_name(file, other.layers[:1])
        np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    again = saving.unpickle_model(saving.pickle_model(model))
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_arrays_of_theano_are_turned():
    layer = layers.Conv2D(2, 3)
    kernel = np.arange(3 * 3 * 1 * 2.0).reshape(3, 3, 1, 2)
    found = saving.preprocess_weights_for_loading(layer, [kernel, np.zeros(2)], "2.2.4", "theano")
    np.testing.assert_array_equal(found[0], kernel[::-1, ::-1])


# The rest -------------------------------------------------------------------------------------------------------


def test_decorators_translate_names():
    @interfaces.generate_legacy_interface(conversions=[("nb", "number")], value_conversions={"mode": {"th": "first"}})
    def function(number, mode=None):
        return number, mode

    assert function(nb=3, mode="th") == (3, "first")
    assert function(4) == (4, None)
    with pytest.raises(DtypeError, match="'number' is given under its former name 'nb' as well"):
        function(number=1, nb=2)
    with pytest.warns(UserWarning, match="older Keras"):
        args, kwargs, _ = interfaces.conv1d_args_preprocessor([4, 3], {"border_mode": "same"})
    assert (args, kwargs) == ([], {"filters": 4, "kernel_size": 3, "padding": "same"})


def test_objects_with_arguments():
    get = members.getter(constraints.get, "constraint")
    assert get("max_norm", {"max_value": 7}).max_value == 7
    assert get("non_neg") is not None
    assert members.getter(regularizers.get, "regularizer")("l2", {"l2": 0.5}).get_config()["l2"] == 0.5
    optimizer = optimizer_from_config({"class_name": "SGD", "config": {"learning_rate": 0.25}})
    assert isinstance(optimizer, optimizers.SGD)
    with pytest.raises(BackendError, match=r"TFOptimizer: object computes in TensorFlow's graph"):
        TFOptimizer(object())
    assert initializers._compute_fans((3, 3, 4, 5)) == (36, 45)


def test_reduce_has_three_ways():
    for reduction, want in {"sum": 7, "sum_over_batch_size": 3.5, "weighted_mean": 7 / 4}.items():
        metric = metrics.Reduce(reduction, "mine")
        metric.update_state([1.0, 2.0], [1.0, 3.0])
        assert float(K.eval(metric.result())) == pytest.approx(want)
    with pytest.raises(ArgumentError, match="expected a reduction among"):
        metrics.Reduce("mean", "mine")


@pytest.mark.slow
def test_members_are_there_once_keras_is_imported():
    in_new_process("""
from keras_front.legacy import modules; modules.install()
import keras, numpy, warnings
from keras.engine.topology import Node, Container, get_source_inputs, _collect_previous_mask, _to_list, InputLayer
from keras.engine.base_layer import _collect_input_shape, disable_tracking, Layer
from keras.engine.saving import preprocess_weights_for_loading, load_weights_from_hdf5_group
from keras.engine.training_utils import standardize_input_data, make_batches
from keras.engine.training import _slice_arrays, slice_X, GeneratorEnqueuer, Model
from keras.engine.network import Network
from keras.initializers import _compute_fans
from keras.backend.tensorflow_backend import _to_tensor, set_session, tf
from keras.backend.common import floatx, image_dim_ordering, eager, symbolic
from keras.saving.hdf5_format import load_weights_from_hdf5_group
from tensorflow.python.keras.saving import hdf5_format
import keras.backend.tensorflow_backend as KTF, keras.backend.theano_backend, keras.backend
assert keras.backend.tensorflow_backend is KTF and eager(3) == 3
KTF._get_available_gpus = lambda: ["a"]
assert keras.backend.tensorflow_backend._get_available_gpus() == ["a"]
x = keras.layers.Input((3,))
model = Container(input=x, output=keras.layers.Dense(2, kernel_constraint="non_neg")(x))
assert isinstance(model, Network) and len(model.constraints) == 1
stack = keras.models.Sequential([keras.models.Sequential([keras.layers.Dense(2, input_dim=3)])])
assert len(stack.flattened_layers) == 1 and stack.model is stack
layer = keras.layers.Dense(4)
layer.create_input_layer((None, 3))
assert layer.output_shape == (None, 4)
assert keras.constraints.get("maxnorm", {"m": 3}).max_value == 3
assert keras.layers.LSTM(3).units == 3 and hasattr(keras.layers.LSTM, "units")
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    assert layer.regularizers == [] and "always empty" in str(seen[0].message)
""")
