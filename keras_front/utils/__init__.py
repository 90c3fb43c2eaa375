"""Small tools around training that need no backend: class labels, normalising, files."""

from keras_front.utils import np_utils
from keras_front.utils.labels import normalize, to_categorical

__all__ = ["normalize", "np_utils", "to_categorical"]
