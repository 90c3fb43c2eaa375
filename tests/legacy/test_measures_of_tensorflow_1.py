"""`tf.metrics` of TensorFlow 1, of one batch, against formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from keras_front import backend as K
from keras_front.legacy.stand_in import batch_measures

RANDOM = np.random.default_rng(0)
TRUTH = np.array([0, 1, 1, 0, 1, 0, 0, 1])
SCORES = np.array([3, 160, 120, 60, 90, 110, 40, 30]) / 199 + 0.001  # apart by more than a threshold
FOUND = (SCORES > 0.4).astype(int)
WEIGHTS = np.array([1, 2, 0, 1, 1, 3, 1, 1])


def test_the_area_under_a_curve(backend):
    value, update = batch_measures.auc(K.constant(TRUTH), K.constant(SCORES))
    assert value is update
    above = SCORES[TRUTH == 1][:, None] > SCORES[TRUTH == 0]
    np.testing.assert_allclose(K.to_numpy(value), above.mean(), atol=1e-3)
    area = K.to_numpy(batch_measures.auc(K.constant(TRUTH), K.constant(SCORES), curve="PR")[0])
    hits = np.cumsum(TRUTH[np.argsort(-SCORES)])
    heights = hits / np.arange(1, 9)
    steps = np.diff(hits, prepend=0) / 4
    np.testing.assert_allclose(area, np.sum(steps * (heights + np.append(1, heights[:-1])) / 2), atol=1e-3)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_shares_of_what_is_true(backend, weights):
    w = np.ones(8) if weights is None else weights
    both = (TRUTH * FOUND * w).sum()
    for name, expected in (
        ("accuracy", ((TRUTH == FOUND) * w).sum() / w.sum()),
        ("precision", both / (FOUND * w).sum()),
        ("recall", both / (TRUTH * w).sum()),
    ):
        measure = getattr(batch_measures, name)
        np.testing.assert_allclose(K.to_numpy(measure(TRUTH, K.constant(FOUND), weights)[1]), expected, rtol=1e-6)
    mean = batch_measures.mean(K.constant(SCORES), weights)[0]
    np.testing.assert_allclose(K.to_numpy(mean), (SCORES * w).sum() / w.sum(), rtol=1e-6)


@pytest.mark.engine_neutral
def test_what_classes_have_in_common(backend):
    truth, found = RANDOM.integers(0, 3, (2, 40))
    shares = [((truth == c) & (found == c)).sum() / ((truth == c) | (found == c)).sum() for c in range(3)]
    value = batch_measures.mean_iou(K.constant(truth), K.constant(found), 5)[0]
    np.testing.assert_allclose(K.to_numpy(value), np.mean(shares), rtol=1e-6)
