"""larq: a binarized convolution and a binarized dense layer, by a gradient of their own."""

import larq
import numpy as np
import tensorflow as tf

binary = dict(input_quantizer="ste_sign", kernel_quantizer="ste_sign", kernel_constraint="weight_clip")
model = tf.keras.models.Sequential(
    [
        larq.layers.QuantConv2D(4, 3, kernel_quantizer="ste_sign", kernel_constraint="weight_clip", use_bias=False,
                                input_shape=(8, 8, 1)),
        tf.keras.layers.BatchNormalization(scale=False),
        tf.keras.layers.Flatten(),
        larq.layers.QuantDense(3, **binary),
        tf.keras.layers.Activation("softmax"),
    ]
)  # fmt: skip
larq.models.summary(model)
model.compile(tf.keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
before = model.get_weights()[0]
model.fit(np.random.RandomState(0).rand(12, 8, 8, 1), np.arange(12) % 3, epochs=2, verbose=2)
after = model.get_weights()[0]
assert not np.allclose(before, after)
assert np.abs(after).max() <= 1
