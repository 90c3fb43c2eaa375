"""Base classes of layers that programs of Keras 2 imported from its modules."""

import numpy as np

from keras_front import backend as K
from keras_front import layers
from keras_front.legacy.layer_bases import _Conv, _GlobalPooling2D, _Merge, _Pooling1D, _Pooling2D
from keras_front.models import Sequential


def test_layers_of_today_are_instances_of_them():
    assert isinstance(layers.Conv2D(3, 3), _Conv)
    assert isinstance(layers.Conv1D(3, 3), _Conv)
    assert isinstance(layers.MaxPooling2D(), _Pooling2D)
    assert not isinstance(layers.MaxPooling2D(), _Pooling1D)
    assert isinstance(layers.GlobalAveragePooling2D(), _GlobalPooling2D)
    assert issubclass(layers.AveragePooling1D, _Pooling1D)
    assert isinstance(layers.Add(), _Merge)
    assert not isinstance(layers.Dense(1), _Conv | _Pooling2D)


def test_programs_build_on_them(backend):
    class MinPooling2D(_Pooling2D):
        def _pooling_function(self, inputs, pool_size, strides, padding, data_format):
            return -K.pool2d(-inputs, pool_size, strides, padding, data_format, pool_mode="max")

    class Doubled(_Conv):
        def __init__(self, filters, kernel_size, **kwargs):
            super().__init__(rank=2, filters=filters, kernel_size=kernel_size, **kwargs)

        def call(self, inputs):
            return 2 * super().call(inputs)

    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    pooled = Sequential([MinPooling2D(input_shape=(4, 4, 3))]).predict(x)
    np.testing.assert_allclose(pooled, x.reshape(2, 2, 2, 2, 2, 3).min(axis=(2, 4)), rtol=1e-6)
    doubled = Sequential([Doubled(5, 3, input_shape=(4, 4, 3))])
    plain = Sequential([layers.Conv2D(5, 3, input_shape=(4, 4, 3))])
    plain.set_weights(doubled.get_weights())
    np.testing.assert_allclose(doubled.predict(x), 2 * plain.predict(x), rtol=1e-5, atol=1e-6)
    assert isinstance(doubled.layers[0], Doubled)
    assert not isinstance(plain.layers[0], Doubled)
