"""What training means, and where files go, beyond arguments and their defaults, where generations of Keras disagree.

The dialect (`keras_front.config.current_dialect`) says whose conventions hold. A model keeps the dialect in which it
was compiled. This module has the conventions of the native dialect; those of other dialects are in
`keras_front/legacy/dialects.py`. It must not know layers, optimizers or tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from keras_front import config
from keras_front.compatibility import dialect_module, legacy_module

__all__ = ["NATIVE", "Conventions", "current", "dialect_of_version", "of"]


class Conventions(NamedTuple):
    """The conventions of one dialect. The defaults are those of the native one.

    The native dialect follows tf.keras and Keras 3 where these changed what a number means, because the models and
    tutorials of today count on it, and Keras 2.3.1 in all else.

    Args:
        joint_clipnorm: `clipnorm` bounds the norm of all gradients together. Natively False: of each by itself.
        whole_activity_penalty: the penalty of an `activity_regularizer` is the sum over the batch. Natively False: it
            is divided by the number of samples, so that it does not grow with the batch.
        masks_over_nonzero: a masked loss is a mean over what the mask keeps, whatever the weights, as natively.
            Otherwise it is divided by the number of all elements, as in Keras 2.3.1.
        weights_over_nonzero: a weighted loss is divided by the share of weights that are not 0, a masked one by the
            share that the mask keeps. Natively False: a weighted loss is a mean over all elements.
        masks_batch_statistics: `BatchNormalization` takes mean and variance of the steps that the mask keeps, as
            natively. Otherwise of all, as in Keras 2.3.1.
        metric_names: what metrics that were given by name are called in logs; those that are not in it are called as
            their function. Natively None: each is called as it was given.
        weighted_metric_prefix: stands before the names of `weighted_metrics`.
        epochs_of_files_from_zero: the first epoch is number 0 in the names of checkpoints. Natively 1.
        square_identity: the initializer `Identity` refuses matrices that are not square. Natively False, as in Keras
            2.3.1: the rest is zero.
        summary: the form of `model.summary`: 'with a title', as in Keras 2.3.1; 'fitted', natively, which is the same
            but on a terminal, where it has its width and colours; 'classic' without the line for the model; 'columns of
            Keras 1', which says for every model what is connected to what; 'wrapped', where what is too long goes on
            below; or 'boxes'.
        names_from_zero: layers without a name are called 'dense', 'dense_1' ... Natively 'dense_1', 'dense_2' ...
        inputs_from_one: with `names_from_zero`, inputs without a name are called 'input_1' all the same.
        name_prefixes: how such names begin where not with the name of the class.
        announces_samples: `fit` on arrays with validation first says how many samples there are, as natively.
        counts_steps: the progress of `fit` is counted in steps. Natively, as in Keras 2.3.1, in samples where these are
            known.
        progress: how far things are: 'classic'; 'of tf.keras', whose one line an epoch begins with the steps and ends
            with durations, and who does not number a single epoch; 'without step time'; 'by steps', with a line for a
            bar; or natively 'with speed': 'classic' where lines stay, with colours and steps a second where they are
            redrawn.
        epoch_format: how callbacks write the number of an epoch. Natively '05d'.
        flat_event_files: `TensorBoard` writes all into one folder, under the names of the logs, in the form of
            TensorFlow 1. Natively False: into `train` and `validation`, in the form of tf.keras.
        own_extraction_folder: `get_file(extract=True)` unpacks into a folder of its own and returns that. Natively
            False: it unpacks beside the archive and returns the path of the archive.
        batch_dot_keeps_axes: `K.batch_dot` of more than three axes multiplies the last two, as `matmul` does. Natively
            False, as in Keras 2.3.1: all axes but the contracted ones are in the result, those of x before those of y.
        layer_at_the_end: an input that does not fit is "incompatible with layer dense_1". Natively, as in tf.keras,
            input 0 of layer "dense_1" is "incompatible with the layer".
        least_value_stays: `array_to_img` spreads the values of an image from 0 on, where none is negative. Natively
            False, as in Keras-Preprocessing 1.1.2: from the least value on.
        wants_losses: `compile` warns of outputs that a dict of losses leaves out, and refuses a model without any loss
            and a dict of `sample_weight_mode` that leaves one out. Natively False: such outputs, and a model whose
            `train_step` has a loss of its own, are meant.
        tells_samples_or_steps: where `params` of callbacks say how many samples an epoch has, `steps` is None. Natively
            False: both are said.
        stops_after_first_epoch: `EarlyStopping` may stop after the first epoch, and a `baseline` stands for the best
            value until it is improved on, as natively. Otherwise the best value is one that was seen, and a value that
            is not better than the baseline counts as none.
        best_weights_at_end: `EarlyStopping(restore_best_weights=True)` goes back to the best weights however training
            ends. Natively only where it stops training.
        last_cell_first: the states of `StackedRNNCells` begin with those of the last cell. Natively False.
        causal_wants_channels_last: `Conv1D(padding="causal")` refuses channels before steps. Natively False.
        activation_layers_warn: a layer given as the activation of another one is warned of. Natively False.
        file_version: the version of Keras that HDF5 files and JSON state. Natively 2.3.1, whose form they have; that of
            2.2.4 is the same.
        lowers_optimizer_names: `optimizers.deserialize` writes the class in the config that it is given in small
            letters, and optimizers' configs have no name: programs compare them. Natively False.
        unknown_mode_is_auto: callbacks take an unknown `mode` as "auto", with a warning. Natively False: it
            is an error.
        rate_key: what the configs of optimizers call the learning rate. Natively "learning_rate".
        generators_want_steps: a generator or iterator without a number of steps is refused. Natively False: it is gone
            through to its end.
        records_calls: what a layer computes from tensors of torch may be asked for gradients, by `loss.backward()`, as
            of a module of torch. Natively False, so that results can be read as arrays.
        applications: whose nets `applications` has: natively those of 'tf.keras'; those of 'Keras-Applications' differ
            in names of layers and in ResNet50, those of 'Keras 1' in InceptionV3 too.
    """

    joint_clipnorm: bool = False
    whole_activity_penalty: bool = False
    masks_over_nonzero: bool = True
    weights_over_nonzero: bool = False
    masks_batch_statistics: bool = True
    metric_names: Mapping[str, str] | None = None
    weighted_metric_prefix: str = ""
    epochs_of_files_from_zero: bool = False
    square_identity: bool = False
    batch_dot_keeps_axes: bool = False
    layer_at_the_end: bool = False
    summary: str = "fitted"
    names_from_zero: bool = False
    inputs_from_one: bool = False
    name_prefixes: Mapping[str, str] = MappingProxyType({})
    announces_samples: bool = True
    counts_steps: bool = False
    progress: str = "with speed"
    epoch_format: str = "05d"
    flat_event_files: bool = False
    own_extraction_folder: bool = False
    least_value_stays: bool = False
    wants_losses: bool = False
    tells_samples_or_steps: bool = False
    stops_after_first_epoch: bool = True
    best_weights_at_end: bool = False
    last_cell_first: bool = False
    causal_wants_channels_last: bool = False
    activation_layers_warn: bool = False
    file_version: str = "2.3.1"
    lowers_optimizer_names: bool = False
    unknown_mode_is_auto: bool = False
    rate_key: str = "learning_rate"
    generators_want_steps: bool = False
    records_calls: bool = False
    applications: str = "tf.keras"


NATIVE = Conventions()


def current() -> Conventions:
    """The conventions of the current dialect.

    Raises: ArgumentError for another dialect than the native one, if `keras_front/legacy` is not there.
    Example:
        >>> with config.dialect("keras2.3"):
        ...     current().joint_clipnorm
        True
    """
    return of(config.current_dialect())


def of(dialect: str) -> Conventions:
    """The conventions of a dialect.

    Args:
        dialect: its name.

    Raises: ArgumentError for another dialect than the native one, if `keras_front/legacy` is not there.
    Example:
        >>> of("keras2.3").joint_clipnorm
        True
    """
    return NATIVE if dialect == config.NATIVE else Conventions(**dialect_module(dialect).conventions(dialect))


def dialect_of_version(version: str | None) -> str:
    """The dialect of the Keras that wrote a file.

    Args:
        version: what the file states as `keras_version`; None if it states none, as before Keras 1.1.

    Returns: the name of a dialect, the native one where `keras_front/legacy` is not there.
    Example:
        >>> dialect_of_version("2.3.1"), dialect_of_version("2.3.0-tf")
        ('keras2.3', 'keras_front')
    """
    hooks = legacy_module()
    return config.NATIVE if hooks is None else hooks.dialect_of_version(version)
