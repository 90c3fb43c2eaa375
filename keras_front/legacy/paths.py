"""Module paths of every Keras, and where the names are today that were in them: tables, and one rule.

The paths are written without the name of the package: `engine.topology` stands for `keras.engine.topology` of Keras 1,
`engine.base_layer` for `tensorflow.python.keras.engine.base_layer` as well, `layers.core.dense` for
`keras.src.layers.core.dense` of Keras 3.
Source: the files of Keras 1.2.2, 2.2.4, 2.3.1, 2.15 and 3.15, and `tensorflow/python/keras` of TensorFlow 1.14 to 2.15.
"""

from __future__ import annotations

__all__ = ["ADDITIONS", "FOLDERS", "HOMES", "ROOTS"]

# Packages by which programs name Keras, each with the path of ours that it stands for.
ROOTS: dict[str, str] = {
    "keras": "",
    "keras.api": "",
    "keras.api._v2": "",
    "keras.api._v2.keras": "",
    "keras._tf_keras": "",
    "keras._tf_keras.keras": "",
    "keras.src": "",
    "keras.src.legacy.backend": "backend",
    "tf_keras": "",
    "tf_keras.src": "",
    "tensorflow.keras": "",
    "tensorflow.compat.v1.keras": "",
    "tensorflow.compat.v2.keras": "",
    "tensorflow.contrib.keras": "",
    "tensorflow.python.keras": "",
    "keras_preprocessing": "preprocessing",
    "keras_applications": "applications",
}

_LAYERS = ("layers", "graph", "models")
_GRAPH = ("legacy.engine.graph", *_LAYERS)
_SAVING = ("models", "saving", "legacy.engine.saving")
_TRAINING = ("models", "legacy.engine.training_utils")
_OPTIMIZERS = ("optimizers",)
_RECURRENT = ("layers", "legacy.tf_layers", "legacy.recurrent", "legacy.recurrent_helpers")

# Former modules, and where the current names are that were in them, the first place first. A module of today that is
# listed here has its own names first. A place that is not there is passed over.
HOMES: dict[str, tuple[str, ...]] = {
    **{f"backend.{name}": ("legacy.backend_internals", "backend") for name in (
        "cntk_backend", "common", "numpy_backend", "tensorflow_backend", "theano_backend",
    )},
    **{f"backend.common.{name}": ("legacy.package", "backend") for name in (
        "dtypes", "keras_tensor", "name_scope", "stateless_scope", "variables",
    )},
    "backend.config": ("config",),
    **{f"{name}.{name}": (name,) for name in ("quantizers", "random")},
    "dtype_policies.dtype_policy_map": ("dtype_policies",),
    "distribution.distribution_lib": ("distribution",),
    "metrics.metrics_utils": ("legacy.utils.metrics_utils",),
    "ops.node": ("legacy.engine.graph",),
    "ops.operation_utils": ("legacy.engine.graph",),
    "ops.operation": ("legacy.package",),
    "random.seed_generator": ("random",),
    "saving.object_registration": ("registry", "custom_objects"),
    "testing": ("legacy.keras3_testing",),
    "testing.test_case": ("legacy.keras3_testing",),
    "testing.test_utils": ("legacy.keras3_testing",),
    "trainers": ("training.trainer",),
    "trainers.trainer": ("training.trainer",),
    "tree.tree_api": ("tree",),
    "utils.bounding_boxes": ("bounding_boxes",),
    "utils.naming": ("legacy.keras3_names", "backend"),
    "engine": _GRAPH,
    **{f"engine.{name}": _GRAPH for name in (
        "base_layer", "base_layer_utils", "base_layer_v1", "base_preprocessing_layer", "container", "functional",
        "functional_utils", "input_layer", "input_spec", "network", "node", "sequential",
    )},
    "engine.keras_tensor": ("legacy.package",),
    "engine.topology": (*_GRAPH, "legacy.engine.saving"),
    "engine.saving": _SAVING,
    **{f"engine.{name}": _TRAINING for name in (
        "compile_utils", "training", "training_utils", "training_utils_v1", "training_v1",
    )},
    "engine.data_adapter": ("utils", *_TRAINING),
    "trainers.data_adapters": ("utils", *_TRAINING),
    "trainers.data_adapters.data_adapter_utils": ("utils", *_TRAINING),
    **{f"engine.{name}": ("legacy.engine.loops",) for name in ("training_arrays", "training_generator")},
    "initializations": ("legacy.initializations", "initializers"),
    **{f"initializers.{name}": ("initializers",) for name in (
        "constant_initializers", "initializer", "initializers", "initializers_v1", "initializers_v2",
        "random_initializers",
    )},
    **{f"{name}.{name}": (name,) for name in ("activations", "constraints", "losses", "regularizers")},
    "losses.loss": ("losses",),
    **{f"metrics.{name}": ("metrics",) for name in (
        "accuracy_metrics", "base_metric", "confusion_metrics", "f_score_metrics", "hinge_metrics", "iou_metrics",
        "metric", "metrics", "probabilistic_metrics", "reduction_metrics", "regression_metrics",
    )},
    **{f"layers.{name}": ("layers", "legacy.layer_bases") for name in ("convolutional", "merge", "pooling")},
    **{f"layers.{name}": ("layers",) for name in (
        "activation", "activations", "advanced_activations", "attention",
        "core", "cudnn_recurrent", "dense_attention", "embeddings", "local", "merging", "noise", "normalization",
        "normalization_v2", "preprocessing", "regularization", "reshaping",
        "rnn", "serialization", "wrappers", "layer", "input_spec",
    )},
    **{f"layers.{name}": ("layers", "legacy.recurrent", "legacy.recurrent_helpers") for name in (
        "convolutional_recurrent", "recurrent", "recurrent_v2",
    )},
    "layers.locally_connected": ("layers",),
    **{f"layers.{name}": ("layers", "legacy.layer_bases") for name in (
        "attention.base_dense_attention", "convolutional.base_conv", "convolutional.base_depthwise_conv",
        "convolutional.base_separable_conv", "merging.base_merge", "pooling.base_global_pooling",
        "pooling.base_global_pooling1d", "pooling.base_global_pooling2d", "pooling.base_global_pooling3d",
        "pooling.base_pooling", "pooling.base_pooling1d", "pooling.base_pooling2d", "pooling.base_pooling3d",
    )},
    **{f"layers.rnn.{name}": _RECURRENT for name in (
        "abstract_rnn_cell", "base_conv_lstm", "base_conv_rnn", "base_cudnn_rnn", "base_rnn", "base_wrapper",
        "cell_wrappers", "dropout_rnn_cell_mixin", "gru_lstm_utils", "rnn_utils",
    )},
    "layers.preprocessing.image_preprocessing": ("legacy.tf_layers", "layers"),
    "callbacks.experimental": ("callbacks",),
    "backend.experimental": ("legacy.tf_utils",),
    "experimental": ("optimizers.schedules", "optimizers", "legacy.tf_models"),
    "models.experimental": ("legacy.tf_models",),
    "optimizers.experimental": ("optimizers.schedules", "optimizers"),
    "layers.experimental": ("legacy.tf_layers", "layers"),
    "layers.experimental.preprocessing": ("legacy.tf_layers", "layers"),
    "mixed_precision.experimental": ("legacy.mixed_precision", "mixed_precision"),
    **{f"mixed_precision.{name}": ("mixed_precision",) for name in ("loss_scale_optimizer", "policy")},
    "layers.normalization.batch_normalization_v1": ("layers",),
    "objectives": ("losses",),
    **{f"preprocessing.{name}": ("utils",) for name in (
        "dataset_utils", "image_dataset", "text_dataset", "timeseries",
    )},
    **{f"saving.{name}": _SAVING for name in (
        "hdf5_format", "legacy", "legacy.hdf5_format", "legacy.save", "legacy_h5_format", "model_config", "save",
        "saving_api", "saving_lib", "saving_utils", "serialization_lib",
    )},
    "optimizer_v1": _OPTIMIZERS,
    "optimizer_v2": _OPTIMIZERS,
    **{f"optimizer_v2.{name}": _OPTIMIZERS for name in ("gradient_descent", "learning_rate_schedule", "optimizer_v2")},
    **{f"optimizers.{name}": _OPTIMIZERS for name in (
        "legacy", "legacy.optimizer_v2", "optimizer", "optimizer_experimental", "optimizer_experimental.optimizer",
        "optimizer_v1", "optimizer_v2", "optimizer_v2.gradient_descent", "optimizer_v2.learning_rate_schedule",
        "optimizer_v2.optimizer_v2",
    )},
    "models.cloning": ("models",),
    "models.functional": ("legacy.engine.graph", "models"),
    "models.model": ("models",),
    "models.sequential": ("models",),
    **{f"callbacks.{name}": ("callbacks",) for name in (
        "callbacks", "callbacks_v1", "tensorboard_v1", "tensorboard_v2",
    )},
    "backend_config": ("config",),
    "backend.load_backend": ("legacy.load_backend", "legacy.backend_internals", "backend"),
    "preprocessing.text": ("legacy.utils.text",),
    "utils.file_utils": ("utils.file_cache", "utils.hashes", "utils.archives"),
    "utils.legacy": ("registry",),
    "utils.layer_utils": ("legacy.utils.layer_utils", "utils", "layers"),
    "utils.losses_utils": ("legacy.utils.losses_utils",),
    "utils.metrics_utils": ("legacy.utils.metrics_utils",),
    "utils.np_utils": ("legacy.utils.np_utils", "utils.conv_utils"),
    "utils.numerical_utils": ("utils.labels",),
    "utils.python_utils": ("utils.generic_utils",),
    "utils.rng_utils": ("backend.seeds",),
    "utils.tf_utils": ("legacy.tf_utils",),
    "utils.summary_utils": ("utils.layer_utils",),
    "utils.test_utils": ("legacy.utils.test_utils",),
    "utils.model_visualization": ("utils.vis_utils",),
    "utils.training_utils": ("utils.multi_gpu_utils",),
    "utils.visualize_util": ("legacy.utils.visualize_util",),
}  # fmt: skip

# Modules of today that find further names when they are asked for `keras` names, and where these are.
ADDITIONS: dict[str, tuple[str, ...]] = {
    "config": ("dtype_policies", "legacy.keras3_names"),
    "backend": ("legacy.keras3_names",),
    "initializers": ("legacy.initializers",),
    "metrics": ("legacy.metrics", "legacy.batch_metrics"),
    "layers": ("legacy.tf_layers",),
    "models": ("legacy.graph_model", "legacy.engine.graph"),
    "optimizers": ("legacy.optimizers",),
    "preprocessing": ("utils",),
    "saving": ("registry",),
    "utils": ("legacy.utils.vocabulary", "legacy.keras3_names"),
    "utils.generic_utils": ("legacy.utils.generic_utils",),
}

# Folders that had a file for each class, and where the classes are: `layers.core.dense` is there because `Dense` is.
FOLDERS: dict[str, str] = {
    **{f"layers.{name}": "layers" for name in (
        "activation", "activations", "attention", "convolutional", "core", "merging", "normalization", "pooling",
        "preprocessing", "preprocessing.image_preprocessing", "regularization", "reshaping", "rnn",
    )},
    "callbacks": "callbacks",
    "layers.locally_connected": "layers",
    "optimizer_v2": "optimizers",
    "optimizers.optimizer_experimental": "optimizers",
    "optimizers.optimizer_v2": "optimizers",
    "optimizers": "optimizers",
    "optimizers.schedules": "optimizers.schedules",
    "optimizers.legacy": "optimizers",
}  # fmt: skip
