"""Functions whose result has a shape that depends on values: steps with them are recorded anew for each batch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import layers, models
from keras_front.backend import untraceable
from keras_front.errors import ShapeError, WrongPlaceError
from keras_front.legacy.stand_in import assignments, tensor_arrays
from keras_front.legacy.stand_in import functions as tf
from keras_front.tf_names import find

X = np.random.RandomState(0).rand(6, 3).astype("float32")
Y = np.array([[1, 0.5], [0, 2], [1, 1], [0, 0], [0, 1], [1, 3]], "float32")
KEPT = Y[:, 0] == 1

where, gather_nd, boolean_mask = find("where"), find("gather_nd"), find("boolean_mask")


@pytest.fixture(autouse=True)
def nothing_told_yet(monkeypatch):
    monkeypatch.setattr(untraceable, "_warned", set())


def by_places(y_true, y_pred):
    places = where(K.equal(y_true[:, 0], 1))
    count = K.maximum(1.0, K.cast(K.shape(places)[0], "float32"))
    return K.sum(K.square(gather_nd(y_pred, places) - gather_nd(y_true, places))) / count


def by_mask(y_true, y_pred):
    kept = y_true[:, 0] > 0.5
    return K.sum(K.square(boolean_mask(y_pred, kept) - boolean_mask(y_true, kept))) / 3


def by_branch(y_true, y_pred):
    error = K.sum(K.square(y_pred - y_true), axis=-1) * y_true[:, 0]
    return K.sum(error) / 3 if K.sum(y_true) > 0 else K.sum(error)


@pytest.mark.parametrize("loss", [by_places, by_mask, by_branch], ids=lambda f: f.__name__)
@pytest.mark.few_compiled(1)
def test_a_loss_over_the_samples_that_a_condition_picks(backend, loss):
    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    w = np.full((3, 2), 0.5, "float32")
    model.set_weights([w, np.zeros(2)])
    model.compile("sgd", loss)
    error = X[KEPT] @ w - Y[KEPT]
    with pytest.warns(RuntimeWarning, match="cannot be traced"):
        value = model.train_on_batch(X, Y)
    np.testing.assert_allclose(value, np.sum(error**2) / 3, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], w - 0.01 * 2 * X[KEPT].T @ error / 3, rtol=1e-5)


@pytest.mark.backends("numpy", "torch", "tensorflow")  # JAX differentiates what has no value to print
def test_eager_steps_have_values(backend):
    seen = []

    def loss(y_true, y_pred):
        value = K.mean(K.square(y_true - y_pred))
        seen.append(float(K.to_numpy(value) if not K.is_symbolic(value) else value.numpy()))
        return value

    model = models.Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", loss, run_eagerly=True)
    found = [model.train_on_batch(X[:n], Y[:n]) for n in (6, 2)]
    np.testing.assert_allclose(seen[-2:], found, rtol=1e-5)


def test_nothing_is_computed_for_values_that_nobody_asks_for():
    f = K.compile(lambda x: x + 1)
    f(X)
    assert f.program(X) is not None


def test_of_values_that_are_not_there_yet_the_sizes_are_unknown():
    x = K.placeholder((None, 3))
    places = where(x > 0)
    assert (places.shape, places.dtype) == ((None, 2), "int64")
    assert boolean_mask(x, x[:, 0] > 0).shape == (None, 3)
    assert K.function([x], boolean_mask(x, x > 0.5))([X]).tolist() == X[X > 0.5].tolist()
    assert K.compile(lambda x: where(x > 0)).program(X) is None
    assert K.to_numpy(where(K.constant([0.0, 2.0]) > 0)).tolist() == [[1]]


def test_numbers_up_to_a_size_that_is_not_known_yet():
    x = K.placeholder((None, 3))
    f = K.function(
        [x],
        [
            K.arange(K.shape(x)[0]),
            K.arange(1, K.shape(x)[0] + 1, 2),
            *find("meshgrid")(K.arange(0, stop=K.shape(x)[0]), [7, 8]),
        ],
    )
    numbers, odd, across, down = f([X])
    assert (numbers.tolist(), odd.tolist()) == ([0, 1, 2, 3, 4, 5], [1, 3, 5])
    for found, expected in zip((across, down), np.meshgrid(np.arange(6), [7, 8]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_loop_that_writes_what_a_mask_leaves(backend):
    def best_of_each(x, y):
        """For each row of x the largest element above 0.6, -inf where there is none: as YOLO finds the best boxes."""

        def body(i, array):
            kept = boolean_mask(x[i], x[i] > 0.6)
            return i + 1, array.write(i, K.max(kept))

        rows = K.shape(x)[0]
        _, found = assignments.while_loop(
            lambda i, _: i < rows, body, [0, tensor_arrays.TensorArray("float32", size=1)]
        )
        return K.maximum(found.stack(), -1.0) + 0 * K.sum(y)

    x, y = layers.Input((3,)), layers.Input((1,))
    best = layers.Lambda(lambda both: K.expand_dims(best_of_each(*both)), output_shape=(1,))([x, y])
    model = models.Model([x, y], best)
    with pytest.warns(RuntimeWarning, match="cannot be traced"):
        found = model.predict([X, X[:, :1]])
    expected = [max([e for e in row if e > 0.6], default=-1) for row in X]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


def test_what_an_array_of_tensors_holds():
    array = tensor_arrays.TensorArray("float32").unstack(K.constant([[1.0], [2.0]])).write(2, K.constant([3.0]))
    assert array.size() == 3
    assert K.to_numpy(array.stack()).tolist() == [[1], [2], [3]]
    assert K.to_numpy(array.concat()).tolist() == [1, 2, 3]
    assert K.to_numpy(array.gather([2, 0])).tolist() == [[3], [1]]
    with pytest.raises(WrongPlaceError, match="nothing is written at 4"):
        array.read(4)


class Largest(layers.Layer):
    """The elements above a limit, at most `count`, with zeros behind them."""

    def __init__(self, count=2, **options):
        super().__init__(**options)
        self.count = count

    def call(self, inputs):
        def of_row(row):
            places = where(row > 0.5)[: self.count, 0]
            missing = self.count - K.shape(places)[0]
            found = find("pad")(K.gather(row, places), [[0, missing]])
            found.set_shape([self.count])
            return [found, K.cast(K.shape(places)[0], "float32")]

        return tf.map_fn(of_row, inputs, dtype=["float32", "float32"])

    def compute_output_shape(self, shape):
        return [(shape[0], self.count), (shape[0],)]


@pytest.mark.few_compiled(1)
def test_a_layer_that_picks_by_values_tells_its_shapes(backend):
    x = layers.Input((3,))
    model = models.Model(x, Largest()(layers.Lambda(lambda x: x * 1)(x)))
    assert model.output_shape == [(None, 2), (None,)]
    with pytest.warns(RuntimeWarning, match="cannot be traced"):
        found, counts = model.predict(X)
    expected = [np.pad(row[row > 0.5][:2], (0, 2 - min(2, (row > 0.5).sum()))) for row in X]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(counts, np.minimum(2, (X > 0.5).sum(axis=-1)))


@pytest.mark.engine_neutral
def test_a_function_of_numpy_in_a_layer(backend):
    def sort(x):
        return tf.py_func(lambda a: np.sort(a, axis=-1), [x], "float32")

    x = layers.Input((3,))
    model = models.Model(x, layers.Lambda(sort, output_shape=(3,))(x))
    assert model.output_shape == (None, 3)
    with pytest.warns(RuntimeWarning, match="cannot be traced"):
        model.predict(X)
    np.testing.assert_allclose(model.predict(X), np.sort(X, axis=-1), rtol=1e-6)
    first, second = tf.numpy_function(lambda a: (a, len(a)), [K.constant(X)], ["float32", "int64"])
    assert (K.int_shape(first), int(K.to_numpy(second))) == ((6, 3), 6)


def test_a_set_shape_that_disagrees():
    x = K.placeholder((None, 4))
    with pytest.raises(ShapeError, match="sizes that agree with"):
        x.set_shape((None, 5))


def overlap(a, b):
    (ay1, ax1, ay2, ax2), (by1, bx1, by2, bx2) = a, b
    shared = max(0, min(ay2, by2) - max(ay1, by1)) * max(0, min(ax2, bx2) - max(ax1, bx1))
    return shared / ((ay2 - ay1) * (ax2 - ax1) + (by2 - by1) * (bx2 - bx1) - shared)


@pytest.mark.engine_neutral
def test_boxes_that_overlap_likelier_ones_are_left_out(backend):
    rng = np.random.default_rng(3)
    start = rng.uniform(0, 0.6, (12, 2))
    boxes, scores = np.hstack([start, start + rng.uniform(0.1, 0.4, (12, 2))]), rng.permutation(12) / 12
    kept: list[int] = []
    for i in np.argsort(-scores):
        if all(overlap(boxes[i], boxes[j]) <= 0.3 for j in kept) and scores[i] > 0.2:
            kept.append(int(i))
    nms = find("image.non_max_suppression")
    flipped = boxes[:, [2, 1, 0, 3]]  # which of two corners comes first does not count
    for given in (boxes, flipped):
        found = nms(K.constant(given), K.constant(scores), 12, 0.3, score_threshold=0.2)
        assert K.to_numpy(found).tolist() == kept
    assert K.to_numpy(nms(K.constant(boxes), K.constant(scores), 2, 0.3)).tolist() == kept[:2]


def sampled(image, y, x, nearest):
    rows, columns = image.shape[:2]
    if not (0 <= y <= rows - 1 and 0 <= x <= columns - 1):
        return np.full(image.shape[-1], -1.0)
    if nearest:
        return image[int(y + 0.5), int(x + 0.5)]
    low_y, low_x = int(y), int(x)
    return sum(
        image[min(low_y + i, rows - 1), min(low_x + j, columns - 1)]
        * abs(1 - i - (y - low_y))
        * abs(1 - j - (x - low_x))
        for i, j in itertools.product((0, 1), (0, 1))
    )


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.engine_neutral
def test_parts_of_images_that_boxes_cut_out(backend, method):
    rng = np.random.default_rng(4)
    images = rng.normal(size=(2, 5, 6, 2)).astype("float32")
    boxes = np.array([[0.1, 0.2, 0.8, 0.88], [0.9, 0.72, 0.2, 0.1], [-0.3, 0.52, 0.6, 1.2]], "float32")
    crop = find("image.crop_and_resize")
    for size in ((3, 4), (1, 2)):
        found = crop(K.constant(images), K.constant(boxes), np.array([0, 1, 1]), size, method, extrapolation_value=-1.0)
        expected = np.empty((3, *size, 2))
        for n, (y1, x1, y2, x2) in enumerate(boxes.astype("float64")):
            for i, j in np.ndindex(*size):
                part_y, part_x = (k / (s - 1) if s > 1 else 0.5 for k, s in ((i, size[0]), (j, size[1])))
                y, x = (y1 + (y2 - y1) * part_y) * 4, (x1 + (x2 - x1) * part_x) * 5
                expected[n, i, j] = sampled(images[(0, 1, 1)[n]], y, x, method == "nearest")
        np.testing.assert_allclose(K.to_numpy(found), expected, rtol=1e-4, atol=1e-5)
