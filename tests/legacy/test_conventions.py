"""Conventions of training in other generations of Keras: clipping, penalties, weights, and names in logs."""

import copy

import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import config, conventions, models, optimizers
from keras_front.errors import ShapeError
from keras_front.layers import ActivityRegularization, Dense, Input, Masking, TimeDistributed
from keras_front.legacy import dialects

OLD = ("keras1", "keras2.2", "keras2.3")
NEW = ("keras_front", "keras3")


def line(**kwargs):
    return models.Sequential([Dense(1, input_dim=1, kernel_initializer="ones", **kwargs)])


def test_the_table_names_conventions_that_exist():
    assert set(dialects.CONVENTIONS) == set(config.GENERATIONS)
    for name, table in dialects.CONVENTIONS.items():
        assert set(table) <= set(conventions.Conventions._fields)
        with keras_front.dialect(name):
            assert conventions.current() == conventions.Conventions(**table)
    assert conventions.current() is conventions.NATIVE


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("name", OLD + NEW)
def test_clipnorm(backend, name):
    with keras_front.dialect(name):
        model = line()
        model.compile(optimizers.SGD(lr=1.0, clipnorm=1.0), "mse")
        model.train_on_batch(np.array([[3.0]]), np.array([[0.0]]))  # the gradients are 18 and 6
        weight, bias = (float(w.ravel()[0]) for w in model.get_weights())
        clipped = [K.to_numpy(g) for g in optimizers.SGD(clipnorm=1.0).clip([K.constant([3.0]), K.constant([4.0])])]
    joint = name in OLD
    np.testing.assert_allclose([weight, bias], [1 - 3 / 10**0.5, -1 / 10**0.5] if joint else [0, -1], atol=1e-6)
    np.testing.assert_allclose(np.ravel(clipped), [0.6, 0.8] if joint else [1, 1], rtol=1e-5)


def test_the_norm_is_bounded_before_the_values():
    with keras_front.dialect("keras2.3"):
        grads = [K.constant([3.0]), K.constant([4.0])]
        found = optimizers.SGD(clipnorm=1.0, clipvalue=0.7).clip(grads)
    np.testing.assert_allclose([K.to_numpy(g)[0] for g in found], [0.6, 0.7], rtol=1e-6)


@pytest.mark.few_compiled(2)
@pytest.mark.parametrize("name", OLD + NEW)
def test_activity_penalties(backend, name):
    x = Input((2,))
    with keras_front.dialect(name):
        twice = Dense(2, kernel_initializer="ones", activity_regularizer="l2")
        model = models.Model(x, ActivityRegularization(l1=0.5)(twice(twice(x))))
        model.compile("sgd", "mse")
    got = model.test_on_batch(np.ones((5, 2)), np.full((5, 2), 4.0))  # trained later, in the dialect of compile
    penalty = 0.01 * 10 * (4 + 16) + 0.5 * 10 * 4
    np.testing.assert_allclose(got, penalty if name in OLD else penalty / 5, rtol=1e-5)


def test_a_model_keeps_the_conventions_of_compile(backend):
    with keras_front.dialect("keras2.2"):
        model = line(activity_regularizer="l2")
        model.compile(optimizers.SGD(1.0, clipnorm=1.0), "mse", metrics=["accuracy"])
    native = models.clone_model(model)
    native.compile("sgd", "mse", metrics=["accuracy"])
    x, y = np.full((4, 1), 2.0), np.full((4, 1), 2.0)
    again = copy.deepcopy(model)
    for one in (model, again):
        np.testing.assert_allclose(one.test_on_batch(x, y)[0], 0.01 * 4 * 4, rtol=1e-5)
        assert one.metrics_names == ["loss", "acc"]
    with keras_front.dialect("keras2.2"):
        np.testing.assert_allclose(native.test_on_batch(x, y)[0], 0.01 * 4, rtol=1e-5)
    assert native.metrics_names == ["loss", "accuracy"]


# Weights: the formulas of `weighted_masked_objective` in Keras 2.2.4, in float64 ------------------------


def of_keras_22(scores, weights=None, mask=None):
    if mask is not None:
        scores = scores * mask / mask.mean()
    if weights is not None:
        scores = scores.mean(axis=tuple(range(weights.ndim, scores.ndim)))
        scores = scores * weights / (weights != 0).mean()
    return scores.mean()


@pytest.mark.parametrize("name", ["keras1", "keras2.2"])
def test_weighted_losses_and_metrics(backend, name):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 1)), rng.normal(size=(10, 1))
    w = np.array([2.0, 0, 0, 1, 3, 0, 1, 1, 0.5, 0])
    with keras_front.dialect(name):
        model = line()
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    errors = abs(x - y)[:, 0]
    got = model.test_on_batch(x, y, sample_weight=w)
    np.testing.assert_allclose(got, [of_keras_22(errors**2, w), errors.mean(), of_keras_22(errors, w)], rtol=1e-5)
    parts = [slice(0, 4), slice(4, 8), slice(8, 10)]  # over batches: means of batches by their size
    want = sum(len(errors[p]) * of_keras_22(errors[p], w[p]) for p in parts) / 10
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=4, sample_weight=w, verbose=0)[2], want, rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(x, y, sample_weight=np.zeros(10))[0], 0.0)  # not NaN


def test_masks_and_weights(backend):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 3, 1))
    x[0, 1:] = x[2, 2:] = 0.0
    mask = (x != 0).any(axis=-1).astype(float)
    with keras_front.dialect("keras2.2"):
        layer = TimeDistributed(Dense(1, kernel_initializer="ones"))
        model = models.Sequential([Masking(input_shape=(3, 2)), layer])
        model.compile("sgd", "mse", metrics=["mae"])
    w = np.array([1.0, 0.0, 2.0, 3.0])
    scores = ((x.sum(-1, keepdims=True) - y) ** 2)[..., 0]
    got = model.test_on_batch(x, y)
    np.testing.assert_allclose(got, [of_keras_22(scores, mask=mask), of_keras_22(scores**0.5, mask=mask)], rtol=1e-5)
    got = model.test_on_batch(x, y, sample_weight=w)[0]
    np.testing.assert_allclose(got, of_keras_22(scores, w, mask), rtol=1e-5)
    with keras_front.dialect("keras2.3"):
        model.compile("sgd", "mse")
    np.testing.assert_allclose(model.test_on_batch(x, y), (scores * mask).mean(), rtol=1e-5)


def test_weights_are_plain_means_in_keras_23(backend):
    x, y, w = np.ones((4, 1)), np.full((4, 1), 3.0), np.array([1.0, 0, 0, 0])
    for name in ("keras2.3", "keras_front"):
        with keras_front.dialect(name):
            model = line()
            model.compile("sgd", "mse")
            np.testing.assert_allclose(model.test_on_batch(x, y, sample_weight=w), 1.0, rtol=1e-6)


# Names ------------------------------------------------------------------------------------------------


def my_error(t, p):
    return K.mean(K.abs(t - p), axis=-1)


@pytest.mark.parametrize(
    ("name", "plain", "weighted"),
    [
        ("keras1", ["acc", "mean_squared_error", "my_error"], ["acc_1"]),
        ("keras2.2", ["acc", "mean_squared_error", "my_error"], ["weighted_acc"]),
        ("keras2.3", ["accuracy", "mse", "my_error"], ["acc"]),
        ("keras_front", ["accuracy", "mse", "my_error"], ["acc"]),
    ],
)
def test_names_of_metrics_and_history(name, plain, weighted):
    with keras_front.dialect(name):
        model = line()
        model.compile("sgd", "mse", metrics=["accuracy", "mse", my_error], weighted_metrics=["acc"])
    names = ["loss", *plain, *weighted]
    assert model.metrics_names == names
    x = np.ones((4, 1))
    history = model.fit(x, x, validation_data=(x, x), epochs=2, verbose=0).history
    assert set(history) == {*names, *(f"val_{n}" for n in names)}


@pytest.mark.parametrize(("name", "sign"), [("keras1", -1), ("keras2.2", -1), ("keras2.3", 1), ("keras_front", 1)])
def test_the_sign_of_the_metric_of_angles(name, sign):
    """Up to 2.2 the metric was the loss itself."""
    with keras_front.dialect(name):
        model = line()
        model.compile("sgd", "mse", metrics=["cosine_proximity"])
    assert model.metrics_names == ["loss", "cosine_proximity"]
    np.testing.assert_allclose(model.test_on_batch(np.ones((2, 1)), np.ones((2, 1)))[1], sign)


def test_names_with_several_outputs_and_objects():
    with keras_front.dialect("keras2.2"):
        x = Input((2,))
        model = models.Model(x, [Dense(3, name="a")(x), Dense(1, name="b")(x)])
        model.compile("sgd", "mse", metrics={"a": ["acc", "ce"], "b": ["mae"]})
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_acc", "a_ce", "b_mean_absolute_error"]


@pytest.mark.engine_neutral
@pytest.mark.parametrize(
    ("first", "axes", "formula"),
    [((2, 4, 3), (2, 2), "bci,bcid->bcd"), ((2, 4, 5), (2, 3), "bcd,bcid->bci"), ((2, 4, 6, 5), 3, "bckd,bcid->bcki")],
)
def test_batch_dot_of_more_than_three_axes(backend, first, axes, formula):
    """Up to 2.2 the last two axes were multiplied and those before them kept, as capsule networks count on."""
    random = np.random.RandomState(0)
    x, y = random.rand(*first), random.rand(2, 4, 3, 5)
    with keras_front.dialect("keras2.2"):
        found = K.to_numpy(K.batch_dot(K.constant(x), K.constant(y), axes))
    np.testing.assert_allclose(found, np.einsum(formula, x, y), rtol=1e-5)
    with pytest.raises(ShapeError, match=r"dialect keras2\.2"):
        K.batch_dot(K.constant(x), K.constant(y), (1, 2))


def test_the_least_value_of_an_image_stays_up_to_2_3():
    """The numbers are those of Keras-Preprocessing 1.0.9 and 1.1.0, and of 1.1.2, for the same image."""
    image = pytest.importorskip("keras_front.preprocessing.image")
    x = np.array([[[10.0], [60.0]], [[110.0], [210.0]]])
    for names, found in ((OLD, [6, 36, 66, 127]), ((*NEW, "tf.keras"), [0, 31, 63, 127])):
        for name in names:
            with config.use(dialect=name):
                assert image.apply_brightness_shift(x, 0.5).ravel().tolist() == found
                shifted = image.apply_brightness_shift(x - 100, 0.5).ravel().tolist()
                assert shifted == [0, 31, 63, 127]
