"""Losses and metrics on whatever comes: arrays, tensors, symbols; functions and objects, alone or with state.

Each must say the same of NumPy arrays, lists, tensors and symbols. Truth is the value on float64 arrays under NumPy.
"""

import functools
import inspect

import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import layers, losses, metrics, models

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.25, 0.35, 0.4]])
ONE_HOT = np.eye(3)[[0, 1, 1, 2]]
NUMBERS = np.array([0, 1, 1, 2])
YES = np.array([[1.0], [0.0], [1.0], [1.0]])
PART = np.array([[0.8], [0.4], [0.3], [0.6]])
ARGUMENTS = {
    "MeanRelativeError": {"normalizer": [1.0, 2.0, 0.0]},
    "MeanIoU": {"num_classes": 3},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "F1Score": {"average": "macro"},
    "FBetaScore": {"average": "weighted", "beta": 2.0},
    "k": {"k": 2},
    "q": {"q": 0.5},
}
STEPS = np.linspace(-1.0, 1.0, 60).reshape(4, 5, 3)
LABELS = np.array([[1, 2], [2, 0], [1, 1], [2, 1]])
OF_DECISIONS = {
    "AUC", "Precision", "Recall", "TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives",
    "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity",
    "BinaryAccuracy", "binary_accuracy", "BinaryCrossentropy", "binary_crossentropy", "BinaryFocalCrossentropy",
}  # fmt: skip


def data(name):
    """Targets and predictions that suit a loss or metric."""
    if name in OF_DECISIONS:
        return YES, PART
    if name in ("IoU", "MeanIoU"):
        return NUMBERS, np.array([0, 2, 1, 2])
    if name.lower() == "ctc":
        return LABELS, STEPS
    if name.lower().startswith(("sparse", "circle", "categoricalgeneralized", "categorical_generalized")):
        return NUMBERS, PROBABILITIES
    return ONE_HOT, PROBABILITIES


def functions():
    for place in (losses, metrics):
        registry = place.LOSSES if place is losses else place.METRICS
        for name in registry.names():
            target = registry.lookup(name)
            if inspect.isfunction(target):
                yield pytest.param(name, target, id=f"{place.__name__.rpartition('.')[2]}-{name}")


def objects(registry, base):
    for name in registry.names():
        target = registry.lookup(name)
        if inspect.isclass(target) and issubclass(target, base):
            yield name, target


UNLIKE = {"Sum", "Mean", "MeanTensor", "MeanMetricWrapper", "LossFunctionWrapper"}  # they take values, or a function
LOSSES = [entry for entry in objects(losses.LOSSES, losses.Loss) if entry[0] not in UNLIKE]
METRICS = [entry for entry in objects(metrics.METRICS, metrics.Metric) if entry[0] not in UNLIKE]


def readings(call, *arrays):
    """The result of `call` on arrays, lists, tensors, one variable, and symbols."""
    yield "arrays", call(*arrays)
    yield "float32 arrays", call(*(a.astype("float32") if a.dtype.kind == "f" else a for a in arrays))
    yield "lists", call(*(a.tolist() for a in arrays))
    yield "tensors", call(*(K.constant(a, dtype="int32" if a.dtype.kind == "i" else None) for a in arrays))
    symbols = [K.placeholder(a.shape, dtype="int32" if a.dtype.kind == "i" else None) for a in arrays]
    yield "symbols", K.function(symbols, [call(*symbols)])(list(arrays))[0]
    unknown = [K.placeholder((None, *a.shape[1:]), dtype="int32" if a.dtype.kind == "i" else None) for a in arrays]
    yield "symbols of unknown length", K.function(unknown, [call(*unknown)])(list(arrays))[0]


def truth(call, *arrays):
    with keras_front.use_backend("numpy"):
        return np.asarray(K.eval(call(*arrays)), "float64")


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_functions(backend, name, function):
    given = {k: v for n in "kq" for k, v in ARGUMENTS[n].items() if n in inspect.signature(function).parameters}
    call = lambda t, p: function(t, p, **given)
    want = truth(call, *data(name))
    for how, found in readings(call, *data(name)):
        np.testing.assert_allclose(K.eval(found), want, rtol=1e-4, atol=1e-6, err_msg=how)


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize(("name", "kind"), LOSSES)
def test_loss_objects(backend, name, kind):
    weights = np.array([1.0, 0.0, 2.0, 0.5])
    for reduction in ("none", "sum", "sum_over_batch_size"):
        loss = kind(reduction=reduction)
        for arrays in (data(name), (*data(name), weights)):
            call = functools.partial(lambda loss, t, p, w=None: loss(t, p, sample_weight=w), loss)
            want = truth(call, *arrays)
            for how, found in readings(call, *arrays):
                np.testing.assert_allclose(K.eval(found), want, rtol=1e-4, atol=1e-6, err_msg=how)


def made(name, kind):
    return kind(**ARGUMENTS.get(name, {}), **({"k": 2} if "TopK" in name else {}), **extra(name))


def halves(y_true, y_pred):
    return [(y_true[:2], y_pred[:2]), (y_true[2:], y_pred[2:])]


def extra(name):
    at = ("PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity")
    return {name.split("At")[1].lower(): 0.5} if name in at else {}


@pytest.mark.few_compiled(4)
@pytest.mark.parametrize(("name", "kind"), METRICS)
def test_metric_objects_alone(backend, name, kind):
    """State is updated, read and reset outside any model, on all that can come."""
    y_true, y_pred = data(name)
    weights = np.array([1.0, 0.5, 2.0, 0.25])
    with keras_front.use_backend("numpy"):
        wanted = [
            float(K.eval(made(name, kind)(y_true, y_pred, **given))) for given in ({}, {"sample_weight": weights})
        ]
    for change in (
        np.asarray,
        np.ndarray.tolist,
        lambda a: K.constant(a, dtype="int32" if a.dtype.kind == "i" else None),
    ):
        metric = made(name, kind)
        for want, given in zip(wanted, ({}, {"sample_weight": change(weights)}), strict=True):
            metric.update_state(change(y_true[:1]), change(y_pred[:1]), **{k: change(weights[:1]) for k in given})
            metric.update_state(change(y_true[1:]), change(y_pred[1:]), **{k: change(weights[1:]) for k in given})
            np.testing.assert_allclose(float(K.eval(metric.result())), want, rtol=1e-4, atol=1e-6)
            metric.reset_states()
            assert all(not np.asarray(v.numpy()).any() for v in metric.variables)
        np.testing.assert_allclose(
            float(K.eval(metric(change(y_true), change(y_pred)))), wanted[0], rtol=1e-4, atol=1e-6
        )


@pytest.mark.few_compiled(12)
@pytest.mark.parametrize(("name", "kind"), METRICS)
def test_metric_objects_within_a_function(backend, name, kind):
    """Updates and result are symbols where the data are; K.function carries them out."""
    y_true, y_pred = data(name)
    metric = made(name, kind)
    t, p = (
        K.placeholder((None, *a.shape[1:]), dtype="int32" if a.dtype.kind == "i" else None) for a in (y_true, y_pred)
    )
    with keras_front.use_backend("numpy"):
        want = [float(K.eval(metric_(t_, p_))) for metric_ in [made(name, kind)] for t_, p_ in halves(y_true, y_pred)]
    result = metric(t, p)
    run = K.function([t, p], [result], updates=metric.updates)
    got = [float(run([t_, p_])[0]) for t_, p_ in halves(y_true, y_pred)]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(float(K.eval(metric.result())), want[-1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["Sum", "Mean"])
def test_sums_and_means_of_values(backend, kind):
    for change in (lambda v: v, np.array, lambda v: K.constant(v)):
        metric = getattr(metrics, kind)()
        metric.update_state(change([1.0, 2.0]))
        metric.update_state(change(6.0))
        metric.update_state(change([1.0]), sample_weight=change([3.0]))
        assert float(K.eval(metric.result())) == {"Sum": 12.0, "Mean": 2.0}[kind]


def test_mean_of_tensors(backend):
    metric = metrics.MeanTensor()
    metric.update_state([[1.0, 2.0]])
    metric.update_state(np.array([[3.0, 4.0]]), sample_weight=3.0)
    np.testing.assert_allclose(K.eval(metric.result()), [[2.5, 3.5]])
    metric.reset_states()
    metric.update_state(K.constant([[1.0, 2.0]]))
    np.testing.assert_allclose(K.eval(metric.result()), [[1.0, 2.0]])


class Span(metrics.Metric):
    """Largest less smallest output, with variables of K and a metric among its attributes."""

    def __init__(self, name="span", **kwargs):
        super().__init__(name=name, **kwargs)
        self.low, self.high = K.variable(1e3), K.variable(-1e3)
        self.mean = metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        K.update(self.low, K.minimum(self.low, K.min(y_pred)))
        K.update(self.high, K.maximum(self.high, K.max(y_pred)))
        self.mean.update_state(y_pred)

    def result(self):
        return self.high - self.low + 100.0 * self.mean.result()

    def reset_states(self):
        super().reset_states()
        K.set_value(self.low, 1e3)
        K.set_value(self.high, -1e3)


def test_a_metric_of_ones_own_with_variables_of_k(backend):
    metric, x = Span(), np.array([[1.0], [4.0], [2.0]])
    metric.update_state(x, x)
    metric.update_state(x, x + 1)
    assert float(K.eval(metric.result())) == pytest.approx(4 + 100 * 17 / 6)
    metric.reset_states()
    assert float(K.eval(metric(x, K.constant(x)))) == pytest.approx(3 + 100 * 7 / 3)
    model = models.Sequential([layers.Dense(1, input_dim=1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[Span()])
    for _ in range(2):
        assert model.evaluate(x, x, batch_size=2, verbose=0)[1] == pytest.approx(3 + 100 * 7 / 3)


@pytest.mark.parametrize("function", [metrics.top_k_categorical_accuracy, metrics.sparse_top_k_categorical_accuracy])
def test_functions_written_on_values_are_losses_and_metrics_of_a_model(backend, function):
    """The same numbers from a compiled model as from a call on arrays."""
    rng = np.random.default_rng(0)
    x, numbers = rng.normal(size=(9, 4)), rng.integers(0, 4, size=9)
    y = numbers if "sparse" in function.__name__ else np.eye(4)[numbers]
    model = models.Sequential([layers.Dense(4, input_dim=4, kernel_initializer="identity", activation="softmax")])
    loss = ("sparse_" if "sparse" in function.__name__ else "") + "categorical_crossentropy"
    model.compile("sgd", loss, metrics=[functools.wraps(function)(lambda t, p: function(t, p, k=2))])
    found = model.evaluate(x, y, batch_size=4, verbose=0)[1]
    assert found == pytest.approx(np.mean(K.eval(function(y, model.predict(x), k=2))))


def test_weights_of_class_numbers_are_not_rounded(backend):
    metric = metrics.MeanIoU(2)
    metric.update_state(np.array([0, 1, 1]), np.array([0, 1, 0]), sample_weight=[0.5, 0.5, 0.25])
    np.testing.assert_allclose(float(K.eval(metric.result())), (0.5 / 0.75 + 0.5 / 0.75) / 2, rtol=1e-6)
