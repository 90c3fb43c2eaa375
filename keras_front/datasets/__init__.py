"""Data to try a model on. What is bundled needs no network: `digits`.

Each data set is a module with one function, `load_data() -> (x_train, y_train), (x_test, y_test)`.
"""

from keras_front.datasets import digits

__all__ = ["digits"]
