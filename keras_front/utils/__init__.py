"""Small tools around training that need no backend: class labels, data by batches, the progress bar, files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_front.backend import clear_session
from keras_front.backend.seeds import set_random_seed
from keras_front.custom_objects import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from keras_front.missing_names import missing_in_module as _missing_in_module
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
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
    serialize_keras_object,
)
from keras_front.utils.image_utils import array_to_img, img_to_array, load_img, save_img
from keras_front.utils.io_utils import HDF5Matrix
from keras_front.utils.labels import normalize, to_categorical, to_ordinal
from keras_front.utils.layer_utils import convert_all_kernels_in_model, get_source_inputs, print_summary
from keras_front.utils.multi_gpu_utils import multi_gpu_model
from keras_front.utils.sequence_utils import pad_sequences
from keras_front.utils.vis_utils import model_to_dot, plot_model

if TYPE_CHECKING:
    from keras_front.utils.audio_dataset_utils import audio_dataset_from_directory
    from keras_front.utils.dataset_utils import split_dataset
    from keras_front.utils.image_dataset_utils import image_dataset_from_directory
    from keras_front.utils.text_dataset_utils import text_dataset_from_directory
    from keras_front.utils.timeseries_dataset_utils import timeseries_dataset_from_array

__all__ = [
    "CustomObjectScope",
    "FeatureSpace",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "PyDataset",
    "Sequence",
    "SequenceEnqueuer",
    "array_to_img",
    "audio_dataset_from_directory",
    "clear_session",
    "conv_utils",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "data_utils",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "io_utils",
    "is_interactive_logging_enabled",
    "layer_utils",
    "load_img",
    "model_to_dot",
    "multi_gpu_model",
    "multi_gpu_utils",
    "normalize",
    "np_utils",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_activations",
    "plot_model",
    "plot_weights",
    "print_summary",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "to_ordinal",
    "unpack_x_y_sample_weight",
    "vis_utils",
]

# Functions and classes whose modules are loaded when they are first named.
_LATER = {
    "FeatureSpace": "keras_front.feature_space",
    "audio_dataset_from_directory": "keras_front.utils.audio_dataset_utils",
    "image_dataset_from_directory": "keras_front.utils.image_dataset_utils",
    "plot_activations": "keras_front.utils.weight_pictures",
    "plot_weights": "keras_front.utils.weight_pictures",
    "split_dataset": "keras_front.utils.dataset_utils",
    "text_dataset_from_directory": "keras_front.utils.text_dataset_utils",
    "timeseries_dataset_from_array": "keras_front.utils.timeseries_dataset_utils",
}


def __getattr__(name: str) -> Any:
    if name == "bounding_boxes":
        return import_module(f"keras_front.{name}")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise _missing_in_module(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
