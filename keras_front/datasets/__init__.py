"""Data to try a model on. What is bundled needs no network: `digits`. The others are those of Keras.

Each data set is a module with a function `load_data() -> (x_train, y_train), (x_test, y_test)`. What is not bundled is
looked for in `~/.keras/datasets` and fetched from its canonical address if it is not there.
"""

from keras_front.datasets import (
    boston_housing,
    california_housing,
    cifar,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
