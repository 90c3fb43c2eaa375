"""What programs read as `keras.__version__` and `tensorflow.__version__`, by dialect."""

from __future__ import annotations

from keras_front import config

# Keras, and the TensorFlow that programs had beside it. The native dialect is called after Keras 2.3.1, whose defaults
# it has, and after the last TensorFlow in which `tf.keras` was Keras 2.
VERSIONS: dict[str, tuple[str, str]] = {
    "keras1": ("1.2.2", "1.15.0"),
    "keras2.2": ("2.2.4", "1.15.0"),
    "keras2.3": ("2.3.1", "2.1.0"),
    config.NATIVE: ("2.3.1", "2.15.0"),
    "tf.keras": ("2.15.0", "2.15.0"),
    "keras3": ("3.15.1", "2.20.0"),
}

# `tensorflow.keras.__version__` where it was not that of TensorFlow, and the versions of the packages beside Keras.
TF_KERAS = {"1.15.0": "2.2.4-tf", "2.1.0": "2.2.4-tf"}
BESIDE_KERAS = {"keras_preprocessing": "1.1.2", "keras_applications": "1.0.8"}


def tensorflow_version() -> str:
    """The version that the stand-in for TensorFlow has in the current dialect."""
    return VERSIONS[config.current_dialect()][1]


def keras_version(package: str) -> str:
    """The version that a package by which programs name Keras has in the current dialect.

    Args:
        package: such as 'keras' or 'tensorflow.keras'.
    """
    if package in BESIDE_KERAS:
        return BESIDE_KERAS[package]
    if package.startswith("keras"):
        return VERSIONS[config.current_dialect()][0]
    return TF_KERAS.get(tensorflow_version(), tensorflow_version())
