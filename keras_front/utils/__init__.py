"""Small tools around training that need no backend: class labels, data by batches, the progress bar."""

from keras_front.custom_objects import custom_object_scope, get_custom_objects
from keras_front.utils import data_utils, generic_utils, np_utils
from keras_front.utils.data_utils import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    Sequence,
    SequenceEnqueuer,
    unpack_x_y_sample_weight,
)
from keras_front.utils.file_cache import get_file
from keras_front.utils.generic_utils import CustomObjectScope, Progbar
from keras_front.utils.image_utils import array_to_img, img_to_array, load_img, save_img
from keras_front.utils.labels import normalize, to_categorical
from keras_front.utils.sequence_utils import pad_sequences

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "SequenceEnqueuer",
    "array_to_img",
    "custom_object_scope",
    "data_utils",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "img_to_array",
    "load_img",
    "normalize",
    "np_utils",
    "pad_sequences",
    "save_img",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
