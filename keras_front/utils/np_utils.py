"""The classic home of `to_categorical` and `normalize`, for `from keras_front.utils import np_utils`."""

from keras_front.utils.labels import normalize, to_categorical, to_ordinal

__all__ = ["normalize", "to_categorical", "to_ordinal"]
