"""What libraries of 2016 to 2021 do with Keras and TensorFlow beyond the documented: each way stopped one of them."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, layers, models, optimizers, regularizers
from keras_front.backend.seeds import set_random_seed
from keras_front.backend.sizes import known_sizes
from keras_front.errors import ArgumentError, BackendError
from keras_front.legacy import members
from keras_front.legacy.stand_in import (
    assignments,
    choices,
    eager,
    internals,
    modules,
    nests,
    random,
    sessions,
    strategies,
    tensors,
)
from keras_front.legacy.stand_in import functions as tf
from keras_front.tf_names import find

X = np.random.RandomState(0).rand(4, 3).astype("float32")


def test_a_lambda_differentiates_for_a_tensor_that_it_closes_over(backend):
    x = layers.Input((3,))
    dense = layers.Dense(2, activation="tanh")
    y = dense(x)
    model = models.Model(x, layers.Lambda(lambda y: tf.gradients(y, x)[0])(y))
    w, b = (a.astype("float64") for a in dense.get_weights())
    expected = (1 - np.tanh(X @ w + b) ** 2) @ w.T
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    loss = model.train_on_batch(X, np.zeros((4, 3)))
    np.testing.assert_allclose(loss, np.mean(expected**2), rtol=1e-5)
    assert not np.allclose(dense.get_weights()[0], w)


def test_a_lambda_in_an_inner_model_closes_over_a_tensor_of_the_outer():
    x = layers.Input((3,))
    h = layers.Dense(2)
    y = h(x)
    z = layers.Input((2,))
    inner = models.Model(z, layers.Lambda(lambda z: z * K.sum(x, axis=-1, keepdims=True))(z))
    model = models.Model(x, inner(y))
    w, b = h.get_weights()
    np.testing.assert_allclose(model.predict(X), (X @ w + b) * X.sum(axis=-1, keepdims=True), rtol=1e-5)


def test_gradients_of_tensorflow_with_factors_and_constants(backend):
    x, a = K.placeholder((2,)), K.placeholder((2,))
    y = x * x * a
    z = y * y
    values = [np.float32([1.0, 2.0]), np.float32([3.0, 4.0])]

    def run(*arguments, **options):
        return [g.tolist() for g in K.function([x, a], tf.gradients(*arguments, **options))(values)]

    assert run(z, [x, y]) == [[36.0, 512.0], [6.0, 32.0]]  # through y as well
    assert tf.gradients(z, [x, y], stop_gradients=[x, y])[0] is None
    assert run(z, [y], stop_gradients=[x, y]) == [[6.0, 32.0]]
    assert run(z, [x], stop_gradients=[a]) == [[36.0, 512.0]]
    assert run([y], [x], grad_ys=[a]) == [[18.0, 64.0]]
    assert tf.gradients(a, [x]) == [None]
    with pytest.raises(ArgumentError, match="gives None for a tensor"):
        K.function([x, a], tf.gradients(a, [x]))
    assert run(a, [x], unconnected_gradients="zero") == [[0.0, 0.0]]


def test_sizes_from_a_shape_are_known_as_far_as_the_tensor_knows_them():
    x = K.placeholder((None, 4, 3))
    shape = K.shape(x)
    assert K.random_normal(shape).shape == (None, 4, 3)
    assert K.reshape(x, (shape[0], shape[1] * shape[2])).shape == (None, 12)
    assert tf.zeros(find("concat")([shape[:1], [7]], 0)).shape == (None, 7)
    assert known_sizes(K.stack([shape[0], shape[1] // 3, K.cast(shape[2], "int64")])).tolist()[1:] == [1.0, 3.0]
    assert known_sizes(K.prod(shape[1:])) == 12
    assert np.isnan(known_sizes(K.cast(K.sum(x), "int32")))  # a value, not a size


def test_noise_of_a_layer_keeps_the_known_sizes():
    model = models.Sequential([layers.Lambda(lambda x: x + K.random_normal(K.shape(x)), input_shape=(5, 1))])
    assert model.output_shape == (None, 5, 1)


def test_factors_of_a_regularizer_have_a_dtype():
    penalty = regularizers.l1_l2(0.1, 0.2)
    assert penalty.l1.dtype == penalty.l2.dtype == np.dtype(K.floatx())
    assert penalty.get_config() == {"l1": 0.1, "l2": 0.2}
    assert repr(penalty.l1) == "0.1"
    penalty.l1 = np.array(0.5, penalty.l1.dtype)  # as keras-adamw does
    np.testing.assert_allclose(K.eval(penalty(K.constant([1.0, -1.0]))), 1.4, rtol=1e-6)


def test_a_cache_has_one_value_for_each_trace():
    cache = importlib.import_module("keras_front.legacy.backend").find("ContextValueCache")(lambda start: [start])
    first = cache.setdefault(kwargs={"start": 1})
    assert cache.setdefault(kwargs={"start": 2}) is first
    made = []
    K.compile(lambda x: made.append(cache.setdefault(kwargs={"start": 3})) or x)(np.float32(1))
    assert made[0] == [3]
    cache.clear()
    assert cache.setdefault(kwargs={"start": 4}) == [4]


def test_a_function_takes_each_value_in_a_list_of_its_own():
    x, y = K.placeholder((None, 2)), K.placeholder((None,))
    f = K.function([x, y], [K.sum(x) + K.sum(y)])
    assert f([[np.ones((1, 2))], [np.ones(3)]])[0] == 5
    assert f([[np.ones(2)], np.ones(3)])[0] == 5  # a list of rows is an array


def test_a_tensor_in_the_place_of_a_weight_is_no_weight(backend):
    dense = layers.Dense(2, use_bias=False)
    x = layers.Input((3,))
    dense.build((None, 3))
    (kernel,) = dense.weights
    squared = kernel**2
    dense.kernel, dense._trainable_weights[0] = squared, squared
    model = models.Model(x, dense(x))
    assert model.weights == []
    np.testing.assert_allclose(model.predict(X), X @ K.get_value(kernel) ** 2, rtol=1e-5)


def test_a_list_of_one_among_inputs_is_its_tensor():
    x = layers.Input((3,))
    as_list = layers.Lambda(lambda x: [x * 2])(x)
    model = models.Model(x, layers.Add()([x, as_list]))
    np.testing.assert_allclose(model.predict(X), 3 * X, rtol=1e-6)


class Picked(layers.Layer):
    """Elements by numbers whose count is known with the values."""

    def call(self, inputs):
        return find("gather_nd")(*inputs)

    def compute_output_shape(self, shapes):
        return (None,)


def test_a_shape_that_call_cannot_tell_is_told_by_the_layer(backend):
    x, places = layers.Input((3,)), layers.Input(batch_shape=(None, None), dtype="int32")
    model = models.Model([x, places], Picked()([x, places]))
    assert model.output_shape == (None,)
    picked = model.predict([X, np.array([[0, 1], [1, 2], [2, 0], [3, 1]], "int32")])
    np.testing.assert_allclose(picked, X[[0, 1, 2, 3], [1, 2, 0, 1]], rtol=1e-6)


def test_matrices_in_lists_are_multiplied_as_stacks():
    x = K.placeholder((2, 3, 4))
    parts = find("split")(x, [1, 1, 1], 1)
    product = K.function([x], find("matmul")(parts, parts, transpose_b=True))
    value = np.random.RandomState(1).rand(2, 3, 4).astype("float32")
    stacked = np.stack([value[:, i : i + 1] for i in range(3)])
    np.testing.assert_allclose(product([value]), stacked @ np.swapaxes(stacked, -1, -2), rtol=1e-5)


@pytest.mark.parametrize("lead", [0, 1])
@pytest.mark.parametrize("depth", [1, 2])
def test_parts_by_numbers_of_several_axes(lead, depth):
    rng = np.random.default_rng(lead + 2 * depth)
    value = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    places = np.stack([rng.integers(0, n, (2, 6)) for n in value.shape[lead : lead + depth]], axis=-1).astype("int32")
    x, at = K.placeholder((None, 3, 4, 5)), K.placeholder((None, 6, depth), dtype="int32")
    found = K.function([x, at], find("gather_nd")(x, at, batch_dims=lead))([value, places])
    rows = [np.arange(2)[:, None]] * lead
    np.testing.assert_array_equal(found, value[(*rows, *np.moveaxis(places, -1, 0))])


def test_the_operator_of_products_is_that_of_numpy(backend):
    rng = np.random.default_rng(0)
    a, b, m = (rng.normal(size=s).astype("float32") for s in ((2, 3, 4), (2, 4, 5), (4, 5)))
    x, y = K.placeholder((None, 3, 4)), K.placeholder((None, 4, 5))
    for ours, expected in zip(K.function([x, y], [x @ y, x @ m, a @ y])([a, b]), (a @ b, a @ m, a @ b), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_part_of_a_weight_that_build_cut_out_is_trained(backend):
    class Cut(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(name="kernel", shape=(3, 4), initializer="ones")
            self.part = self.kernel[:, :2]

        def call(self, x):
            return K.dot(x, self.part)

    model = models.Sequential([Cut(input_shape=(3,))])
    model.compile("sgd", "mse")
    model.train_on_batch(X, np.zeros((4, 2)))
    error = X @ np.ones((3, 2))
    expected = np.ones((3, 4))
    expected[:, :2] -= 0.01 * X.T @ error * 2 / 8
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def test_a_variable_of_tensorflow_says_whether_a_layer_trains_it():
    class Table(layers.Layer):
        def build(self, shape):
            self.table = tf.Variable(np.ones(3, "float32"))
            self.places = tf.Variable([2, 1, 0])
            self.fixed = tf.Variable([1.0], trainable=False)

        def call(self, x):
            return x + K.gather(self.table, self.places) + self.fixed

    model = models.Sequential([Table(input_shape=(3,))])
    assert [w.dtype for w in model.trainable_weights] == ["float32"]
    assert len(model.non_trainable_weights) == 2
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)


def test_nests_of_tensorflow_go_by_sorted_keys():
    structure = {"b": [1, (2,)], "a": 3}
    assert nests.flatten(structure) == [3, 1, 2]
    assert nests.map_structure(lambda x, y: x + y, structure, structure) == {"b": [2, (4,)], "a": 6}
    assert nests.pack_sequence_as(structure, [7, 8, 9]) == {"b": [8, (9,)], "a": 7}
    with pytest.raises(ArgumentError, match="expected 3 leaves, received 1"):
        nests.pack_sequence_as(structure, [7])
    with pytest.raises(ArgumentError, match="the same keys"):
        nests.assert_same_structure({"a": 1}, {"b": 1})
    with pytest.raises(TypeError, match="received list, tuple"):
        nests.assert_same_structure([1], (1,))


def test_modules_of_tensorflow_that_libraries_import_from():
    cells = modules.StandIn("tensorflow.python.ops.rnn_cell")
    assert "RNNCell" in cells.__all__
    assert internals._concat(3, (4, 5)) == [3, 4, 5]
    assert K.int_shape(internals._concat(K.shape(K.placeholder((None, 2)))[0], 5)) == (2,)
    with pytest.raises(AttributeError, match="pip install tensorflow"):
        internals.StaticHashTable("words.txt", 0)
    assert internals.keras_export("keras.layers.Mine")(3) == 3


def test_tensorboard_is_told_that_tensorflow_is_not_there(monkeypatch):
    finder = importlib.import_module("keras_front.legacy.stand_in.finder")
    monkeypatch.delitem(sys.modules, "tensorboard.compat.notf", raising=False)
    finder.Tensorflow().exec_module(modules.StandIn("tensorflow"))
    assert "tensorboard.compat.notf" in sys.modules
    monkeypatch.delitem(sys.modules, "tensorboard.compat.notf")


def test_sizes_that_a_program_turns_around_before_it_divides_by_them(backend):
    x = layers.Input((2, 4, 3))

    def scaled(x):
        sizes = K.cast(K.shape(x)[1:3] * 32, "float32")
        return x[..., :2] / sizes[::-1]

    model = models.Model(x, layers.Lambda(scaled)(x))
    data = np.random.RandomState(0).rand(2, 2, 4, 3).astype("float32")
    np.testing.assert_allclose(model.predict(data), data[..., :2] / [128.0, 64.0], rtol=1e-5)
    model.compile("sgd", lambda y, found: K.mean(K.square(found - y) * K.constant([1.0, 3.0])[::-1], axis=(1, 2, 3)))
    expected = np.mean(np.square(data[..., :2] / [128.0, 64.0]) * [3.0, 1.0])
    assert model.evaluate(data, np.zeros((2, 2, 4, 2)), verbose=0) == pytest.approx(expected, rel=1e-5)


def test_one_batch_of_inputs_of_different_lengths(backend):
    x, chosen = layers.Input((3,)), layers.Input((2,))
    repeated = layers.Lambda(lambda x: K.repeat_elements(x, 2, axis=0))(x)
    model = models.Model([x, chosen], layers.Concatenate()([repeated, chosen]))
    others = np.ones((8, 2), "float32")
    found = model.predict_on_batch([X, others])
    np.testing.assert_array_equal(found, np.concatenate([np.repeat(X, 2, axis=0), others], axis=1))
    with pytest.raises(ValueError, match="same number of samples, received"):
        model.predict([X, others])


def test_one_sample_written_out_as_lists(backend):
    model = models.Sequential([layers.Flatten(input_shape=(1, 3))])
    assert model.predict_on_batch([[X[0]]]).tolist() == [X[0].tolist()]  # a list of samples that are lists of arrays
    assert model.predict_on_batch([X[:2, None]]).shape == (2, 3)  # a list of inputs
    plain = models.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones", input_shape=(3,))])
    assert plain.predict_on_batch([[1, 2, 3]]).tolist() == [[6.0]]


@pytest.mark.parametrize("inner", ["sgd", optimizers.SGD(0.5, momentum=0.5)], ids=["plain", "momentum"])
def test_an_optimizer_that_rewrites_the_updates_of_another(backend, inner, monkeypatch):
    """The weights go half of the way: `K.update` is replaced while the other one is asked."""

    class HalfWay(optimizers.Optimizer):
        def __init__(self, optimizer):
            super().__init__(optimizer._name)
            self.optimizer = optimizers.get(optimizer)

        def get_updates(self, loss, params):
            with monkeypatch.context() as patched:
                patched.setattr(K, "update", lambda x, new_x: ("update", x, new_x))
                updates = self.optimizer.get_updates(loss, params)
            assert {update[0] for update in updates} == {"update"}
            half = [K.update(x, x + 0.5 * (new - x) if x in params else new) for _, x, new in updates]
            self.updates = [*half, K.update_add(self.iterations, 1)]
            return self.updates

    inner = optimizers.get(inner) if isinstance(inner, str) else type(inner).from_config(inner.get_config())
    found = []
    for optimizer in (
        HalfWay(inner),
        type(inner).from_config({**inner.get_config(), "learning_rate": float(inner.lr) / 2}),
    ):
        model = models.Sequential([layers.Dense(2, kernel_initializer="ones", input_shape=(3,))])
        model.compile(optimizer, "mse")
        model.fit(X, X[:, :2], batch_size=2, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights())
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4)


def test_only_where_the_program_may_know_torch_a_model_has_parameters(backend):
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    if backend.name == "torch":
        assert [name for name, _ in model.named_parameters()]
    else:
        with pytest.raises(BackendError, match="has no tensor of torch"):
            model.named_parameters()
    with config.use(speak_as="tensorflow"), pytest.raises(BackendError, match=r"(?i)use trainable_weights"):
        model.named_parameters()


def test_tensors_answer_what_those_of_tensorflow_do():
    tensors.teach()
    x = layers.Input((3,), name="x")
    y = layers.Dense(2, kernel_initializer="ones")(x)
    w = K.variable([1.0, 2.0], name="w")
    assert (x.op.name, x.op.type, x.op.inputs) == ("x", "Placeholder", [])
    assert y.op.outputs == [y]
    assert y.op.name == y.name.partition(":")[0]
    assert x.graph is y.op.graph is w.graph is sessions.get_default_graph()
    assert x.device.startswith("/device:")
    assert (y.ref() == y.ref(), y.ref() == x.ref(), {y.ref(): 1}[y.ref()], y.ref().deref()) == (True, False, 1, y)
    assert y.eval({x: X}).tolist() == np.repeat(X.sum(1, keepdims=True), 2, 1).tolist()
    assert w.eval().tolist() == [1.0, 2.0]


def test_patches_as_tensorflow_1_named_them(backend):
    images = np.arange(16, dtype="float32").reshape((1, 4, 4, 1))
    for path in ("extract_image_patches", "image.extract_image_patches"):
        found = K.to_numpy(
            find(path)(images, ksizes=[1, 2, 2, 1], strides=[1, 2, 2, 1], rates=[1] * 4, padding="VALID")
        )
        assert found.shape == (1, 2, 2, 4)
        assert found[0, 1, 0].tolist() == [8.0, 9.0, 12.0, 13.0]


def test_a_learning_phase_that_was_found_can_be_put_back():
    found = K.learning_phase()
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    K.set_learning_phase(found)
    assert K.learning_phase() is found
    with pytest.raises(ArgumentError, match="expected 0 or 1"):
        K.set_learning_phase(K.placeholder(()))


def test_a_function_of_the_learning_phase_may_be_called_without_it(backend):
    x = K.placeholder((None, 2))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x, -x)])
    np.testing.assert_array_equal(f([np.ones((1, 2))])[0], -np.ones((1, 2)))
    np.testing.assert_array_equal(f([np.ones((1, 2)), 1])[0], np.ones((1, 2)))
    with pytest.raises(ArgumentError, match="expected 2 values, received 3"):
        f([np.ones((1, 2)), 1, 2])


def test_arrays_of_objects_that_are_numbers(backend):
    x = np.empty((2, 3), object)
    x[:] = [[1, 2.5, True], [np.float32(0.5), np.int8(3), np.bool_(False)]]
    expected = np.array([[1, 2.5, 1], [0.5, 3, 0]])
    model = models.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones", input_shape=(3,))])
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.predict(x), expected.sum(1, keepdims=True))
    np.testing.assert_allclose(model.predict_on_batch(x), expected.sum(1, keepdims=True))
    np.testing.assert_allclose(model.evaluate(x, np.array([4, 3], object), verbose=0), np.mean([0.25, 0.25]))
    placeholder = K.placeholder((None, 3))
    np.testing.assert_allclose(K.function([placeholder], [K.sum(placeholder, 1)])([x])[0], expected.sum(1))
    x[0, 0] = None
    with pytest.raises(ArgumentError, match="dtype object; expected numbers"):
        model.predict(x)


def test_models_have_a_loss_once_they_are_compiled():
    class Trained:
        loss = members.OfCompile("loss")

    model = Trained()
    assert not hasattr(model, "loss")
    with config.dialect("keras3"):
        assert model.loss is None
    model.loss = "mse"
    assert model.loss == "mse"


def test_rows_are_shuffled_in_a_graph(backend):
    x = K.placeholder((None, 2))
    shuffled = K.function([x], [random.random_shuffle(x)])
    rows = np.arange(40.0).reshape(20, 2)
    (first,), (second,) = shuffled([rows]), shuffled([rows])
    for found in (first, second):
        np.testing.assert_array_equal(found[np.argsort(found[:, 0])], rows)
    assert not np.array_equal(first, second)
    assert K.int_shape(random.shuffle(K.placeholder((4, 2)))) == (4, 2)


def test_generators_of_tensorflow_go_on_from_their_seed():
    one, other = random.Generator.from_seed(3), random.Generator.from_seed(3)
    first = K.to_numpy(one.normal((4,)))
    np.testing.assert_array_equal(first, K.to_numpy(other.normal((4,))))
    assert not np.array_equal(first, K.to_numpy(one.normal((4,))))
    whole = K.to_numpy(one.uniform((50,), 2, 5, "int32"))
    assert whole.dtype == np.int32
    assert set(whole.tolist()) == {2, 3, 4}
    assert np.abs(K.to_numpy(random.Generator.from_non_deterministic_state().truncated_normal((50,)))).max() < 2


def test_a_class_that_libraries_ask_about_is_refused_when_it_is_made():
    assert not isinstance(K.constant([1.0]), choices.IndexedSlices)
    with pytest.raises(AttributeError, match=r"tensorflow.IndexedSlices: .*pip install tensorflow"):
        choices.IndexedSlices(values=[], indices=[])


def test_tensors_as_messages_of_tensorboard():
    pytest.importorskip("tensorboard")
    np.testing.assert_array_equal(choices.make_ndarray(choices.make_tensor_proto(K.constant([1.0, 2.0]))), [1, 2])
    assert choices.make_ndarray(choices.make_tensor_proto("word")).item() == b"word"
    assert type(choices.make_tensor_proto(0)).FromString(b"").dtype == 0


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("python.distribute.distribution_strategy_context", "get_strategy"),
        ("python.eager.backprop", "GradientTape"),
        ("python.eager.context", "executing_eagerly"),
        ("python.eager.def_function", "function"),
        ("python.framework.config", "is_op_determinism_enabled"),
        ("python.framework.ops", "convert_to_tensor"),
        ("python.framework.smart_cond", "smart_cond"),
        ("python.framework.tensor_spec", "TensorSpec"),
        ("python.ops.gen_nn_ops", "relu"),
        ("python.ops.image_ops", "flip_left_right"),
        ("python.ops.random_ops", "random_shuffle"),
        ("python.platform.gfile", "Exists"),
        ("python.tf2", "enabled"),
        ("python.trackable.data_structures", "NoDependency"),
        ("python.training.moving_averages", "assign_moving_average"),
        ("python.util.compat", "as_bytes"),
        ("python.util.deprecation", "deprecated"),
        ("python.util.tf_inspect", "getfullargspec"),
        ("sparse", "SparseTensor"),
        ("random", "Generator"),
        ("", "VariableAggregation"),
    ],
)
def test_names_of_tensorflow_that_libraries_import(path, name):
    assert path in modules.MODULES
    assert callable(getattr(modules.StandIn(f"tensorflow.{path}".rstrip(".")), name))


def test_small_answers_about_how_tensorflow_runs(backend):
    assert eager.context().executing_eagerly()
    assert eager.context().num_gpus() == eager.num_gpus()
    set_random_seed(5)
    assert eager.global_seed() == 5
    average = K.variable([1.0])
    internals.assign_moving_average(average, K.constant([3.0]), 0.5, zero_debias=False)
    np.testing.assert_allclose(K.get_value(average), [2.0])
    with pytest.raises(ArgumentError, match="zero_debias=False"):
        internals.assign_moving_average(average, K.constant([3.0]), 0.5)
    assert strategies.get_strategy().extended._in_multi_worker_mode() is False


def test_tensorflow_before_1_named_the_axis_first(backend):
    x = np.arange(6.0).reshape(2, 3)
    for found in (find("concat")(1, [x, x]), find("concat")([x, x], 1)):
        np.testing.assert_array_equal(K.to_numpy(found), np.concatenate([x, x], 1))


def test_a_scan_of_several_tensors(backend):
    x = np.arange(6.0).reshape(3, 2)
    sums, last = assignments.scan(lambda a, e: [a[0] + e, e], K.constant(x), initializer=[K.zeros((2,)), K.zeros((2,))])
    np.testing.assert_array_equal(K.to_numpy(sums), np.cumsum(x, 0))
    np.testing.assert_array_equal(K.to_numpy(last), x)
    np.testing.assert_array_equal(K.to_numpy(assignments.scan(lambda a, e: a + e, K.constant(x))), np.cumsum(x, 0))
