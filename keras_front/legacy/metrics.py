"""Names of `keras.metrics` that are gone. Source: Keras 2.3.1, `keras/metrics.py`."""

from __future__ import annotations

from keras_front.metrics import Metric

BaseMeanIoU = Metric  # of Keras 2.3.1, where `MeanIoU` was TensorFlow's
