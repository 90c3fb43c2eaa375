"""Metrics: against real Keras, against plain NumPy, inside frames and compiled steps, configs."""

import interop
import numpy as np
import pytest

import keras_front as keras
from keras_front import backend as K
from keras_front import metrics
from keras_front.errors import ArgumentError

RNG = np.random.default_rng(0)
LABELS, SCORES = RNG.integers(0, 2, 40), RNG.uniform(0, 1, 40)
WEIGHTS = RNG.uniform(0.1, 2, 40)


def value(x):
    return K.to_numpy(x)


@pytest.mark.few_compiled(6)
@pytest.mark.parametrize("entry", interop.cases("metric", engine_neutral=True))
def test_as_real_keras(backend, entry):
    got = value(interop.evaluate(entry, keras))
    np.testing.assert_allclose(got, interop.expected(entry), rtol=2e-5, atol=1e-6)


def test_mean_and_sum_weigh_their_values(backend):
    mean, total = metrics.Mean(), metrics.Sum()
    assert value(mean.result()) == 0
    for metric in (mean, total):
        metric.update_state([1.0, 3.0], sample_weight=[1.0, 3.0])
    assert float(value(mean(6.0))) == pytest.approx(16 / 5)
    assert float(value(total(6.0))) == pytest.approx(16)
    mean.reset_states()
    assert value(mean.result()) == 0
    assert float(value(mean([[1.0, 2.0], [3.0, 6.0]], sample_weight=[1.0, 0.0]))) == 1.5


def test_decisions_are_counted(backend):
    said, yes = SCORES > 0.3, LABELS == 1
    counts = {
        "TruePositives": said & yes,
        "FalsePositives": said & ~yes,
        "TrueNegatives": ~said & ~yes,
        "FalseNegatives": ~said & yes,
    }
    for name, which in counts.items():
        metric = getattr(metrics, name)(thresholds=0.3)
        metric.update_state(LABELS, SCORES, sample_weight=WEIGHTS)
        assert float(value(metric.result())) == pytest.approx(WEIGHTS[which].sum(), rel=1e-5)
        assert value(getattr(metrics, name)(thresholds=[0.3, 0.6])(LABELS, SCORES)).shape == (2,)


def test_precision_and_recall_of_the_largest_outputs_and_of_one_class(backend):
    y_true = np.array([[0, 1, 1, 0], [1, 0, 0, 1]])
    y_pred = np.array([[0.1, 0.9, 0.2, 0.8], [0.4, 0.3, 0.2, 0.1]])
    assert float(value(metrics.Precision(top_k=2)(y_true, y_pred))) == pytest.approx(0.5)
    assert float(value(metrics.Recall(top_k=3)(y_true, y_pred))) == pytest.approx(0.75)
    assert float(value(metrics.Recall(class_id=1)(y_true, y_pred))) == pytest.approx(1.0)
    assert float(value(metrics.Recall(class_id=0)(y_true, y_pred))) == 0.0


def test_area_under_the_curve_is_the_chance_to_rank_a_pair_rightly(backend):
    pairs = SCORES[LABELS == 1][:, None] > SCORES[LABELS == 0]
    metric = metrics.AUC(num_thresholds=2000)
    assert float(value(metric(LABELS, SCORES))) == pytest.approx(pairs.mean(), abs=2e-3)
    logits = np.log(SCORES / (1 - SCORES))
    same = metrics.AUC(num_thresholds=2000, from_logits=True)(LABELS, logits)
    assert float(value(same)) == pytest.approx(pairs.mean(), abs=2e-3)
    given = metrics.AUC(thresholds=[0.5, 0.25, 0.75])
    assert given.get_config()["thresholds"] == [0.25, 0.5, 0.75]
    assert given.num_thresholds == 5


def test_rates_at_rates(backend):
    thresholds = np.linspace(0, 1, 200)[:, None]
    said, yes = thresholds < SCORES, LABELS == 1
    recall, specificity = (said & yes).sum(1) / yes.sum(), (~said & ~yes).sum(1) / (~yes).sum()
    precision = (said & yes).sum(1) / np.maximum(said.sum(1), 1)
    for cls, wanted, held in (
        (metrics.SensitivityAtSpecificity, recall, specificity),
        (metrics.SpecificityAtSensitivity, specificity, recall),
        (metrics.PrecisionAtRecall, precision, recall),
        (metrics.RecallAtPrecision, recall, precision),
    ):
        got = float(value(cls(0.5)(LABELS, SCORES)))
        assert got == pytest.approx(wanted[held >= 0.5].max(initial=0), abs=1e-5), cls


def test_accuracies_of_sequences(backend):
    y_pred = RNG.uniform(0, 1, (2, 3, 4))
    classes = RNG.integers(0, 4, (2, 3))
    want = y_pred.argmax(-1) == classes
    np.testing.assert_array_equal(value(metrics.sparse_categorical_accuracy(classes, y_pred)), want)
    np.testing.assert_array_equal(value(metrics.sparse_categorical_accuracy(classes[..., None], y_pred)), want)
    np.testing.assert_array_equal(value(metrics.categorical_accuracy(np.eye(4)[classes], y_pred)), want)
    ranks = (y_pred > np.take_along_axis(y_pred, classes[..., None], -1)).sum(-1)
    np.testing.assert_array_equal(value(metrics.sparse_top_k_categorical_accuracy(classes, y_pred, k=2)), ranks < 2)
    np.testing.assert_array_equal(value(metrics.top_k_categorical_accuracy(np.eye(4)[classes], y_pred, k=2)), ranks < 2)


def test_a_column_of_outputs_meets_a_row_of_targets(backend):
    metric = metrics.BinaryAccuracy()
    metric.update_state(LABELS, SCORES[:, None], sample_weight=WEIGHTS)
    want = np.average((SCORES > 0.5) == LABELS, weights=WEIGHTS)
    assert float(value(metric.result())) == pytest.approx(want, rel=1e-5)


ALL = [name for name in metrics.METRICS.names() if name[0].isupper() and name not in ("MeanMetricWrapper",)]
ARGUMENTS = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "MeanRelativeError": {"normalizer": [1.0, 2.0, 0.0]},
    "MeanTensor": {"shape": (4, 3)},
}
FIRST = {
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
}


def make(name):
    arguments = {FIRST[name]: 0.5} if name in FIRST else ARGUMENTS.get(name, {})
    return getattr(metrics, name)(**arguments)


def batch(name):
    y_true, y_pred = np.eye(3, dtype="float32")[[0, 2, 1, 2]], RNG.uniform(0.1, 0.9, (4, 3)).astype("float32")
    if name in ("Mean", "Sum", "MeanTensor"):
        return [y_pred]
    if name in ("IoU", "MeanIoU"):
        return [y_true.argmax(-1), y_pred.argmax(-1)]
    return [y_true.argmax(-1) if name.startswith("Sparse") else y_true, y_pred]


@pytest.mark.few_compiled(6)
@pytest.mark.parametrize("name", ALL)
def test_a_compiled_step_gives_what_real_tensors_give(backend, name):
    metric, same = make(name), make(name)
    if not metric.variables or name == "R2Score":  # they are made when the number of outputs is known
        metric.update_state(*batch(name))
        metric.reset_states()
    variables = metric.variables

    def step(state, arrays):
        with K.bind(variables, state) as frame:
            metric.update_state(*arrays)
            return frame.values_of(variables), metric.result()

    compiled = K.compile(step)
    state = [K.convert(v) for v in variables]
    for _ in range(2):
        arrays = batch(name)
        state, result = compiled(state, [K.convert(a) for a in arrays])
        same.update_state(*arrays)
    np.testing.assert_allclose(value(result), value(same.result()), rtol=1e-5, atol=1e-6)
    assert all(not v.numpy().any() for v in variables)  # the frame kept the changes to itself


@pytest.mark.parametrize("name", ALL)
def test_config_round_trip(name):
    metric = make(name)
    config = metrics.serialize(metric)
    assert metrics.serialize(metrics.deserialize(config)) == config
    assert type(metrics.clone_metric(metric)) is type(metric)


def test_reset_inside_a_frame(backend):
    metric = metrics.Mean()
    metric.update_state([4.0])
    with K.bind(metric.variables, [K.constant(3.0), K.constant(1.0)]) as frame:
        metric.reset_states()
        assert [float(value(v)) for v in frame.values_of(metric.variables)] == [0.0, 0.0]
    assert float(value(metric.result())) == 4.0


def test_a_metric_of_ones_own(backend):
    class Largest(metrics.Metric):
        def __init__(self, name="largest", scale=1.0, **kwargs):
            super().__init__(name=name, **kwargs)
            self.scale = scale
            self.top = self.add_weight(name="top", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.top.assign(K.maximum(self.top, K.max(y_pred) * self.scale))

        def result(self):
            return self.top + 0.0

        def reset_state(self):
            self.top.assign(np.float32(0.0))

    metric = Largest(scale=2.0)
    assert float(value(metric(SCORES, SCORES))) == pytest.approx(2 * SCORES.max(), rel=1e-6)
    assert [v.name for v in metric.weights] == ["top:0"]
    metric.reset_states()
    assert float(value(metric.result())) == 0
    assert metric.get_config() == {"name": "largest", "scale": 2.0, "dtype": "float32"} | metric.get_config()
    assert Largest.from_config(metric.get_config()).scale == 2.0


def test_names_and_errors():
    assert metrics.get(None) is None
    assert metrics.get("mse") is metrics.mse
    assert metrics.get("cosine_similarity") is not keras.losses.get("cosine_similarity")
    read = {"class_name": "MeanMetricWrapper", "config": {"name": "acc", "dtype": "float32", "fn": "binary_accuracy"}}
    metric = metrics.deserialize(read)
    assert metrics.serialize(metric) == read
    K.reset_uids()
    assert [metrics.AUC().name, metrics.AUC().name, metrics.TruePositives().name] == ["auc", "auc_1", "true_positives"]
    assert metrics.clone_metrics([metrics.mse]) == [metrics.mse]
    for wrong, message in (
        (lambda: metrics.AUC(curve="ROD"), "expected one of ROC, PR"),
        (lambda: metrics.AUC(num_thresholds=1), "at least 2"),
        (lambda: metrics.AUC(multi_label=True, num_labels=3, label_weights=[1.0]), "expected 3 label_weights"),
        (lambda: metrics.Precision(thresholds=[0.5, 2.0]), "between 0 and 1"),
        (lambda: metrics.SensitivityAtSpecificity(1.5), "specificity to be a number between 0 and 1"),
        (lambda: metrics.Metric(colour="red"), "received colour"),
    ):
        with pytest.raises(ArgumentError, match=message):
            wrong()
