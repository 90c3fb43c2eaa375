"""Images: read, changed at random, and given to a model by batches.

Reading and writing files takes Pillow, turning images SciPy: `pip install 'keras-front[image]'`. Both are imported when
they are first needed.
"""

from keras_front.preprocessing.image.affine_transformations import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    apply_transform,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)
from keras_front.preprocessing.image.dataframe_iterator import DataFrameIterator
from keras_front.preprocessing.image.directory_iterator import DirectoryIterator
from keras_front.preprocessing.image.image_data_generator import ImageDataGenerator
from keras_front.preprocessing.image.iterator import Iterator
from keras_front.preprocessing.image.numpy_array_iterator import NumpyArrayIterator
from keras_front.preprocessing.image.utils import (
    array_to_img,
    img_to_array,
    list_pictures,
    load_img,
    save_img,
    smart_resize,
    validate_filename,
)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "apply_transform",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
    "transform_matrix_offset_center",
    "validate_filename",
]
