"""Names that `tf.keras.mixed_precision` had while it was experimental.

Source: TensorFlow 2.3, `keras/mixed_precision/experimental`.
"""

from __future__ import annotations

from keras_front.mixed_precision import set_global_policy

__all__ = ["set_policy"]

set_policy = set_global_policy
