"""Small tools around training that need no backend: class labels, data by batches, the progress bar, files."""

from keras_front.backend.seeds import set_random_seed
from keras_front.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from keras_front.utils import (
    conv_utils,
    data_utils,
    generic_utils,
    io_utils,
    layer_utils,
    multi_gpu_utils,
    np_utils,
    vis_utils,
)
from keras_front.utils.data_utils import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    PyDataset,
    Sequence,
    SequenceEnqueuer,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from keras_front.utils.file_cache import get_file
from keras_front.utils.generic_utils import (
    CustomObjectScope,
    Progbar,
    deserialize_keras_object,
    serialize_keras_object,
)
from keras_front.utils.image_utils import array_to_img, img_to_array, load_img, save_img
from keras_front.utils.io_utils import HDF5Matrix
from keras_front.utils.labels import normalize, to_categorical
from keras_front.utils.layer_utils import convert_all_kernels_in_model, get_source_inputs, print_summary
from keras_front.utils.multi_gpu_utils import multi_gpu_model
from keras_front.utils.sequence_utils import pad_sequences
from keras_front.utils.vis_utils import model_to_dot, plot_model

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "array_to_img",
    "conv_utils",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "data_utils",
    "deserialize_keras_object",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "img_to_array",
    "io_utils",
    "layer_utils",
    "load_img",
    "model_to_dot",
    "multi_gpu_model",
    "multi_gpu_utils",
    "normalize",
    "np_utils",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "print_summary",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
    "vis_utils",
]
