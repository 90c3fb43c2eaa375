"""Training and predicting on several devices, by what the engines have for it: `keras_front.distribution`.

    with keras_front.distribution.DataParallel().scope():
        model.fit(x, y)

The names are those of Keras 3. A distribution says what is wanted: which devices, and along which of their axes the
batch and the weights are divided. How it comes about is the adapter's business, see `backend.placement`. JAX divides
values over devices (*global view*); torch and TensorFlow run one process for each device.
"""

from keras_front.distribution.distributions import (
    DataParallel,
    Distribution,
    ModelParallel,
    distribution,
    set_distribution,
)
from keras_front.distribution.layouts import LayoutMap, TensorLayout, distribute_tensor
from keras_front.distribution.mesh import DeviceMesh, get_device_count, initialize, list_devices

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "Distribution",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
