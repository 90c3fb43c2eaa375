"""What upstream's tests of losses and metrics ask of Keras 2.3 that no other test here does, in words of its own."""

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import config, losses, metrics
from keras_front.legacy.utils import metrics_utils

Y, P = [0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]


@pytest.mark.of_the_host
def test_reductions_by_dialect_and_their_names(backend):
    for dialect, wanted in (
        ("keras2.3", "sum_over_batch_size"),
        ("tf.keras", "auto"),
        ("keras3", "sum_over_batch_size"),
    ):
        with config.dialect(dialect):
            for kind in (losses.MeanSquaredError, losses.BinaryCrossentropy, losses.Huber):
                assert kind().reduction == wanted
                assert kind(reduction="sum").get_config()["reduction"] == "sum"
    with pytest.raises(ValueError, match="Invalid Reduction Key"):
        losses.MeanSquaredError(reduction="half")


@pytest.mark.of_the_host
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: metrics.Precision(thresholds=[-1, 0.5, 2]), r"Threshold values must be in \[0, 1\]. .*\[-1, 2\]"),
        (lambda: metrics.FalsePositives(thresholds=[None]), r"Threshold values must be in \[0, 1\]. .*\[None\]"),
        (lambda: metrics.SensitivityAtSpecificity(-1), r"`specificity` must be in the range \[0, 1\]"),
        (lambda: metrics.SpecificityAtSensitivity("a"), r"`sensitivity` must be in the range \[0, 1\]"),
        (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=-1), "`num_thresholds` must be > 0"),
        (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds` must be > 1"),
        (lambda: metrics.AUC(num_thresholds="a"), "`num_thresholds` must be > 1"),
        (lambda: metrics.AUC(curve="no"), 'Invalid AUC curve value "no"'),
        (lambda: metrics.AUC(summation_method="no"), 'Invalid AUC summation method value "no"'),
    ],
)
def test_words_of_errors_that_programs_look_for(backend, make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_thresholds_of_an_area_are_all_that_it_counts_at(backend):
    area = metrics.AUC(
        num_thresholds=None, curve=metrics_utils.AUCCurve.PR, summation_method="majoring", thresholds=[0.5, 0.3]
    )
    assert area.curve == metrics_utils.AUCCurve.PR
    assert area.summation_method == metrics_utils.AUCSummationMethod.MAJORING
    assert area.num_thresholds == 4
    np.testing.assert_allclose(area.thresholds, [0, 0.3, 0.5, 1], atol=1e-6)
    again = metrics.AUC.from_config(area.get_config())
    assert (again.thresholds, again.num_thresholds) == (area.thresholds, 4)
    assert metrics.AUC(num_thresholds=3).get_config()["thresholds"] is None
    for weights, wanted in ((None, 0.75), ([1, 2, 3, 4], 0.7857143)):  # trapezoids by hand, one inner threshold
        found = metrics.AUC(num_thresholds=None, thresholds=[0.5])(Y, P, sample_weight=weights)
        np.testing.assert_allclose(K.eval(found), wanted, rtol=1e-4)
