"""What arguments were called in Keras 1, and what they are called now: tables, and nothing that computes.

A former signature gives the order of positional arguments. `RENAMED` gives today's name, unless the
class has another one in `OWN`. Several old arguments may make one (`nb_row`, `nb_col`), and a value may have another
spelling (`dim_ordering='th'`).
Source: Keras 1.2.2, the signatures of the modules; Keras 2.2.4, `keras/legacy/interfaces.py`.
"""

from __future__ import annotations

from typing import Any

_START = "init activation weights"
_PENALTIES = "W_regularizer b_regularizer activity_regularizer W_constraint b_constraint bias"
_1D = f"nb_filter filter_length {_START} border_mode subsample_length"
_2D = f"nb_filter nb_row nb_col {_START} border_mode subsample"
_3D = f"nb_filter kernel_dim1 kernel_dim2 kernel_dim3 {_START} border_mode subsample dim_ordering"
_FIRST = "input_dim input_length"
_GATED = (
    "activation inner_activation W_regularizer U_regularizer b_regularizer dropout_W dropout_U return_sequences "
    f"go_backwards stateful unroll consume_less {_FIRST}"
)
# What the functions of Theano and TensorFlow took that trained a model.
_OF_ENGINES = (
    "class_mode theano_mode mode givens on_unused_input allow_input_downcast profile rebuild_strict "
    "no_default_updates accept_inplace options run_metadata feed_dict fetches"
)
_POOLING = "pool_size strides border_mode dim_ordering"

# Former signatures of what has another one today, by today's class, function or method.
SIGNATURES: dict[str, str] = {
    # Layers
    "Dense": f"output_dim {_START} {_PENALTIES} input_dim",
    "TimeDistributedDense": f"output_dim {_START} {_PENALTIES} {_FIRST}",
    "Dropout": "p noise_shape seed",
    "SpatialDropout1D": "p",
    "SpatialDropout2D": "p dim_ordering",
    "SpatialDropout3D": "p dim_ordering",
    "GaussianDropout": "p",
    "GaussianNoise": "sigma",
    "Embedding": "input_dim output_dim init input_length W_regularizer activity_regularizer W_constraint mask_zero "
    "weights dropout",
    "PReLU": "init weights shared_axes",
    "SimpleRNN": f"output_dim init inner_init {_GATED.replace('inner_activation ', '')}",
    "GRU": f"output_dim init inner_init {_GATED}",
    "LSTM": f"output_dim init inner_init forget_bias_init {_GATED}",
    "ConvLSTM2D": "nb_filter nb_row nb_col init inner_init forget_bias_init activation inner_activation dim_ordering "
    "border_mode subsample W_regularizer U_regularizer b_regularizer dropout_W dropout_U",
    "Conv1D": f"{_1D} {_PENALTIES} {_FIRST}",
    "Conv2D": f"{_2D} dim_ordering {_PENALTIES}",
    "Conv3D": f"{_3D} {_PENALTIES}",
    "AtrousConvolution1D": f"{_1D} atrous_rate {_PENALTIES}",
    "AtrousConvolution2D": f"{_2D} atrous_rate dim_ordering {_PENALTIES}",
    "Conv2DTranspose": f"nb_filter nb_row nb_col output_shape {_START} border_mode subsample dim_ordering {_PENALTIES}",
    "SeparableConv2D": f"{_2D} depth_multiplier dim_ordering depthwise_regularizer pointwise_regularizer b_regularizer "
    "activity_regularizer depthwise_constraint pointwise_constraint b_constraint bias",
    "LocallyConnected1D": f"{_1D} {_PENALTIES} {_FIRST}",
    "LocallyConnected2D": f"{_2D} dim_ordering {_PENALTIES}",
    "MaxPooling1D": "pool_length stride border_mode",
    "AveragePooling1D": "pool_length stride border_mode",
    **{f"{kind}Pooling{n}D": _POOLING for kind in ("Max", "Average") for n in (2, 3)},
    **{f"Global{kind}Pooling{n}D": "dim_ordering" for kind in ("Max", "Average") for n in (2, 3)},
    "UpSampling1D": "length",
    "UpSampling2D": "size dim_ordering",
    "UpSampling3D": "size dim_ordering",
    "Cropping2D": "cropping dim_ordering",
    "Cropping3D": "cropping dim_ordering",
    "ZeroPadding2D": "padding dim_ordering",
    "ZeroPadding3D": "padding dim_ordering",
    "BatchNormalization": "epsilon mode axis momentum weights beta_init gamma_init gamma_regularizer beta_regularizer "
    "fused synchronized virtual_batch_size adjustment",
    # Layers, models and their methods
    "add_weight": "self shape initializer name trainable regularizer constraint",
    "Network": "input output name",
    "compile": f"self optimizer loss metrics loss_weights sample_weight_mode {_OF_ENGINES}",
    "fit": "self x y batch_size nb_epoch verbose callbacks validation_split validation_data shuffle class_weight "
    "sample_weight initial_epoch show_accuracy",
    "evaluate": "self x y batch_size verbose sample_weight show_accuracy",
    "fit_generator": "self generator samples_per_epoch nb_epoch verbose callbacks validation_data nb_val_samples "
    "class_weight max_q_size nb_worker pickle_safe initial_epoch",
    "evaluate_generator": "self generator val_samples max_q_size nb_worker pickle_safe",
    "predict_generator": "self generator val_samples max_q_size nb_worker pickle_safe",
    # Constraints
    "MaxNorm": "m axis",
    "MinMaxNorm": "low high rate axis",
    # Functions of K
    "conv1d": "x kernel stride border_mode image_shape filter_shape",
    "conv2d": "x kernel strides border_mode dim_ordering image_shape filter_shape filter_dilation",
    "conv3d": "x kernel strides border_mode dim_ordering volume_shape filter_shape",
    "separable_conv2d": "x depthwise_kernel pointwise_kernel strides border_mode dim_ordering",
    "pool2d": "x pool_size strides border_mode dim_ordering pool_mode",
    "pool3d": "x pool_size strides border_mode dim_ordering pool_mode",
    "resize_images": "X height_factor width_factor dim_ordering",
    "resize_volumes": "X depth_factor height_factor width_factor dim_ordering",
    "spatial_2d_padding": "x padding dim_ordering",
    "spatial_3d_padding": "x padding dim_ordering",
    "expand_dims": "x dim",
    "one_hot": "indices nb_classes",
    "random_normal": "shape mean std dtype seed",
    "random_uniform": "shape low high dtype seed",
    "moving_average_update": "variable value momentum",
    "batch_get_value": "xs",
    "to_categorical": "y nb_classes",
    # Preprocessing; `input_text` is tf.keras' name
    "DirectoryIterator": "self directory image_data_generator target_size color_mode dim_ordering classes class_mode "
    "batch_size shuffle seed save_to_dir save_prefix save_format follow_links",
    "ImageDataGenerator": "self featurewise_center samplewise_center featurewise_std_normalization "
    "samplewise_std_normalization zca_whitening rotation_range width_shift_range height_shift_range shear_range "
    "zoom_range channel_shift_range fill_mode cval horizontal_flip vertical_flip rescale preprocessing_function "
    "dim_ordering",
    "NumpyArrayIterator": "self x y image_data_generator batch_size shuffle seed dim_ordering save_to_dir save_prefix "
    "save_format",
    "Tokenizer": "self nb_words filters lower split char_level",
    "array_to_img": "x dim_ordering scale",
    "flow": "self X y batch_size shuffle seed save_to_dir save_prefix save_format",
    "img_to_array": "img dim_ordering",
    "random_channel_shift": "x intensity channel_axis",
    "text_to_word_sequence": "input_text filters lower split",
    # Data sets and tools
    "conv_input_length": "output_length filter_size border_mode stride",
    "conv_output_length": "input_length filter_size border_mode stride dilation",
    "get_test_data": "nb_train nb_test input_shape output_shape classification nb_class",
    "normalize": "a axis order",
    "validate_file": "fpath md5_hash",
    "load_data": "path nb_words skip_top maxlen",
    # Callbacks
    "ReduceLROnPlateau": "self monitor factor patience verbose mode epsilon cooldown min_lr",
}

# Today's names.
RENAMED: dict[str, str] = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "X": "x",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "consume_less": "implementation",
    "dim": "axis",
    "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "filter_dilation": "dilation_rate",
    "filter_length": "kernel_size",
    "forget_bias_init": "unit_forget_bias",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "input": "inputs",
    "input_text": "text",
    "length": "size",
    "m": "max_value",
    "max_q_size": "max_queue_size",
    "nb_classes": "num_classes",
    "nb_epoch": "epochs",
    "nb_filter": "filters",
    "nb_val_samples": "validation_steps",
    "nb_words": "num_words",
    "nb_worker": "workers",
    "output": "outputs",
    "output_dim": "units",
    "p": "rate",
    "pickle_safe": "use_multiprocessing",
    "pool_length": "pool_size",
    "samples_per_epoch": "steps_per_epoch",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
    "val_samples": "steps",
}

# Where a class or function calls it differently.
OWN: dict[str, dict[str, str]] = {
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "output_dim": "output_dim",
    },
    "PReLU": {"init": "alpha_initializer"},
    "MinMaxNorm": {"low": "min_value", "high": "max_value"},
    "random_channel_shift": {"intensity": "intensity_range"},
    "random_normal": {"std": "stddev"},
    "random_uniform": {"low": "minval", "high": "maxval"},
    "moving_average_update": {"variable": "x"},
    "batch_get_value": {"xs": "ops"},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    **{name: {"stride": "stride"} for name in ("conv_input_length", "conv_output_length")},
    "get_test_data": {"nb_train": "num_train", "nb_test": "num_test", "nb_class": "num_classes"},
    "normalize": {"a": "x"},
    "validate_file": {"md5_hash": "file_hash"},
}

# Old arguments that make one of today's, if the first of them is a number.
JOINED: dict[str, tuple[str, ...]] = {
    "nb_row": ("nb_row", "nb_col"),
    "kernel_dim1": ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}

# Other spellings of values, by today's argument.
VALUES: dict[str, dict[Any, Any]] = {
    "data_format": {"tf": "channels_last", "th": "channels_first", "default": None},
    "implementation": {"cpu": 1, "mem": 1, "gpu": 2},
    "unit_forget_bias": {"one": True, "ones": True, "zero": False, "zeros": False},
}

# Arguments that mean nothing today, with the values that meant nothing then (None: any), and what to do for others.
DROPPED: dict[str, dict[str, tuple[tuple[Any, ...] | None, str]]] = {
    "compile": dict.fromkeys(_OF_ENGINES.split(), (None, "")),
    "fit": {"show_accuracy": (None, "")},  # Keras 1 said to compile with metrics=["accuracy"], and ignored it
    "evaluate": {"show_accuracy": (None, "")},
    "Conv2DTranspose": {"output_shape": (None, "")},
    "BatchNormalization": {
        "mode": (None, ""),
        # Of tf.keras: how it computed.
        "fused": (None, ""),
        "synchronized": ((False, None), "use SyncBatchNormalization"),
        "virtual_batch_size": ((None,), "train with a smaller batch_size"),
        "adjustment": ((None,), "scale the output in a Lambda"),
    },
    "conv1d": dict.fromkeys(("image_shape", "filter_shape"), (None, "")),
    "conv2d": dict.fromkeys(("image_shape", "filter_shape"), (None, "")),
    "conv3d": dict.fromkeys(("volume_shape", "filter_shape"), (None, "")),
}

# What `params` of callbacks held under other names. 1.2.2, `keras/engine/training.py`, `_fit_loop`.
PARAMETERS: dict[str, str] = {"nb_epoch": "epochs", "nb_sample": "samples", "lr": "learning_rate"}

# Former classes whose work a current class does.
CLASSES: dict[str, str] = {
    "AtrousConv1D": "Conv1D",
    "AtrousConv2D": "Conv2D",
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Deconv2D": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}

# Names of functions and classes other than layers, by kind of registry.
NAMES: dict[str, dict[str, str]] = {
    "regularizer": {
        "ActivityRegularizer": "L1L2",
        "L1L2Regularizer": "L1L2",
        "WeightRegularizer": "L1L2",
        "activity_l1": "l1",
        "activity_l1l2": "l1_l2",
        "activity_l2": "l2",
        "l1l2": "l1_l2",
    },
}
