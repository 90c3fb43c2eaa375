"""Calls with names of Keras 1 are translated, with a warning that spells them as of today; configs of files as well."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import keras_front
from keras_front import backend as K
from keras_front import callbacks, constraints, errors, layers, models, regularizers, utils
from keras_front.datasets import imdb
from keras_front.legacy import arguments, hooks
from keras_front.legacy.hooks import OldNameWarning
from keras_front.legacy.utils import test_utils
from keras_front.preprocessing import image, text

X = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")
Y = X[:, :2]


@pytest.fixture(autouse=True)
def _fresh_warnings():
    hooks.forget()


def warns_of(text: str) -> pytest.WarningsRecorder:
    """Expect the warning that spells the call so."""
    return pytest.warns(OldNameWarning, match="Today it reads: " + re.escape(text))


# Constructors ----------------------------------------------------------------------------------------

# What Keras 1 wrote, how it reads today, and the call of today that makes an equal layer.
CALLS = [
    ("Dense(output_dim=3, init='uniform', bias=False)", "Dense(3, kernel_initializer='uniform', use_bias=False)"),
    ("Dense(3, 'uniform', 'relu', W_regularizer='l2')",
     "Dense(3, 'relu', kernel_initializer='uniform', kernel_regularizer='l2')"),
    ("Dense(3, input_dim=4, b_constraint='nonneg', W_constraint='unitnorm')",
     "Dense(3, input_shape=(4,), bias_constraint='nonneg', kernel_constraint='unitnorm')"),
    ("TimeDistributedDense(3, input_dim=4, input_length=5)", "Dense(3, input_shape=(5, 4))"),
    ("Dropout(p=0.3)", "Dropout(0.3)"),
    ("SpatialDropout2D(p=0.3, dim_ordering='th')", "SpatialDropout2D(0.3, data_format='channels_first')"),
    ("GaussianDropout(p=0.3)", "GaussianDropout(0.3)"),
    ("GaussianNoise(sigma=0.3)", "GaussianNoise(0.3)"),
    ("Embedding(9, 4, init='normal', W_constraint='unitnorm', dropout=0.)",
     "Embedding(9, 4, embeddings_initializer='normal', embeddings_constraint='unitnorm')"),
    ("PReLU(init='one')", "PReLU(alpha_initializer='one')"),
    ("SimpleRNN(3, 'normal', inner_init='identity', dropout_W=.1)",
     "SimpleRNN(3, kernel_initializer='normal', recurrent_initializer='identity', dropout=.1)"),
    ("GRU(3, inner_activation='sigmoid', U_regularizer='l1', consume_less='gpu')",
     "GRU(3, recurrent_activation='sigmoid', recurrent_regularizer='l1', implementation=2)"),
    ("LSTM(output_dim=3, forget_bias_init='zero', dropout_U=.1, return_sequences=True)",
     "LSTM(3, unit_forget_bias=False, recurrent_dropout=.1, return_sequences=True)"),
    ("ConvLSTM2D(2, 3, 4, border_mode='same', subsample=(1, 1), inner_activation='sigmoid')",
     "ConvLSTM2D(2, (3, 4), padding='same', recurrent_activation='sigmoid')"),
    ("Convolution1D(2, 3, border_mode='same', subsample_length=2)", "Conv1D(2, 3, padding='same', strides=2)"),
    ("Convolution1D(nb_filter=2, filter_length=3)", "Conv1D(2, 3)"),
    ("Convolution1D(2, 3, 'uniform')", "Conv1D(2, 3, kernel_initializer='uniform')"),
    ("AtrousConvolution1D(2, 3, atrous_rate=2)", "Conv1D(2, 3, dilation_rate=2)"),
    ("Convolution2D(2, 3, 4)", "Conv2D(2, (3, 4))"),
    ("Convolution2D(nb_filter=2, nb_row=3, nb_col=4, subsample=(2, 2), dim_ordering='tf')",
     "Conv2D(2, (3, 4), (2, 2), data_format='channels_last')"),
    ("Conv2D(2, 3, 4, border_mode='same')", "Conv2D(2, (3, 4), padding='same')"),
    ("Conv2D(2, (3, 4), (2, 2), border_mode='same')", "Conv2D(2, (3, 4), (2, 2), padding='same')"),
    ("Conv2D(2, 3, border_mode='same')", "Conv2D(2, 3, padding='same')"),
    ("AtrousConvolution2D(2, 3, 4, atrous_rate=(2, 1))", "Conv2D(2, (3, 4), dilation_rate=(2, 1))"),
    ("Convolution3D(2, 1, 2, 3)", "Conv3D(2, (1, 2, 3))"),
    ("Convolution3D(2, kernel_dim1=1, kernel_dim2=2, kernel_dim3=3)", "Conv3D(2, (1, 2, 3))"),
    ("Deconvolution2D(2, 3, 3, (None, 9, 9, 2), subsample=(2, 2))", "Conv2DTranspose(2, (3, 3), (2, 2))"),
    ("Deconvolution2D(2, 3, 3, output_shape=(None, 9, 9, 2))", "Conv2DTranspose(2, (3, 3))"),
    ("SeparableConvolution2D(2, 3, 3, 'he_normal')",
     "SeparableConv2D(2, (3, 3), depthwise_initializer='he_normal', pointwise_initializer='he_normal')"),
    ("LocallyConnected1D(2, 3, subsample_length=2)", "LocallyConnected1D(2, 3, strides=2)"),
    ("LocallyConnected2D(2, 3, 4, bias=False)", "LocallyConnected2D(2, (3, 4), use_bias=False)"),
    ("MaxPooling1D(pool_length=3, stride=2)", "MaxPooling1D(3, 2)"),
    ("AveragePooling1D(3, border_mode='same')", "AveragePooling1D(3, padding='same')"),
    ("MaxPooling2D((2, 3), border_mode='same', dim_ordering='default')", "MaxPooling2D((2, 3), padding='same')"),
    ("AveragePooling3D(dim_ordering='th')", "AveragePooling3D(data_format='channels_first')"),
    ("GlobalMaxPooling2D(dim_ordering='th')", "GlobalMaxPooling2D(data_format='channels_first')"),
    ("UpSampling1D(length=3)", "UpSampling1D(3)"),
    ("UpSampling2D((2, 3), dim_ordering='tf')", "UpSampling2D((2, 3))"),
    ("Cropping2D(((1, 1), (2, 0)), dim_ordering='th')", "Cropping2D(((1, 1), (2, 0)), data_format='channels_first')"),
    ("ZeroPadding2D({'top_pad': 1, 'left_pad': 2}, dim_ordering='tf')", "ZeroPadding2D(((1, 0), (2, 0)))"),
    ("ZeroPadding3D((1, 2, 3), dim_ordering='tf')", "ZeroPadding3D((1, 2, 3))"),
    ("BatchNormalization(1e-5, beta_init='one', gamma_init='zero')",
     "BatchNormalization(epsilon=1e-5, beta_initializer='one', gamma_initializer='zero')"),
]  # fmt: skip


class _Layers:
    def __getitem__(self, name: str):
        return getattr(layers, name)


@pytest.mark.parametrize(("old", "new"), CALLS, ids=[old for old, _ in CALLS])
def test_an_old_call_makes_the_layer_of_the_new_one(old, new):
    with pytest.warns(OldNameWarning) as caught:
        made = eval(old, {}, _Layers())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted = eval(new, {}, _Layers())
        said = eval(str(caught[0].message).rpartition("Today it reads: ")[2], {}, _Layers())
    assert len(caught) == 1
    assert caught[0].filename == "<string>"
    assert isinstance(made, type(wanted))
    for other in (wanted, said):
        assert {**made.get_config(), "name": ""} == {**other.get_config(), "name": ""}
        assert getattr(made, "batch_input_shape", 0) == getattr(other, "batch_input_shape", 0)


def test_every_signature_is_one_of_todays_arguments():
    """The tables lead to arguments that exist."""
    for owner, names in arguments.SIGNATURES.items():
        target = _target(owner)
        known = {*inspect.signature(target).parameters, *getattr(target, "_further_arguments", ())}
        if hasattr(target, "constructor_arguments"):
            known |= set(target.constructor_arguments())
        special = {*arguments.DROPPED.get(owner, {}), "self", "nb_col", "kernel_dim2", "kernel_dim3", "initial_epoch"}
        for name in set(names.split()) - special:
            new = arguments.OWN.get(owner, {}).get(name, arguments.RENAMED.get(name, name))
            passed_on = (owner, name) in (
                ("SeparableConv2D", "init"),
                ("SimpleRNN", "consume_less"),
                ("Embedding", "dropout"),
            )
            if new not in ("nb_row", "kernel_dim1") and not passed_on:
                assert new in known, f"{owner}({name}=) would become {new}="


def _target(owner):
    modules = (utils, utils.conv_utils, utils.data_utils, test_utils, text, image, imdb)
    places = (layers, models.Model, constraints, K, callbacks, *modules)
    today = {"Network": "Model", **arguments.CLASSES}.get(owner, owner)
    if today == "Model":
        return models.Model
    if today == "flow":
        return image.ImageDataGenerator.flow
    return next(getattr(place, today) for place in places if hasattr(place, today))


def test_modern_calls_do_not_warn(recwarn):
    warnings.simplefilter("error")
    layers.Convolution2D(2, (3, 3), padding="same")
    layers.Convolution2D(2, 3)
    layers.Deconvolution2D(2, (3, 3), strides=2)
    layers.Conv2D(2, 3, 2)
    assert layers.Conv2D(2, 3, 2).strides == (2, 2)
    assert not recwarn.list


def test_the_warning_comes_once_for_each_place_and_can_be_an_error():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for units in (2, 3, 4):
            layers.Dense(output_dim=units)
        layers.Dense(output_dim=2)
    assert [w.filename for w in caught] == [__file__] * 2
    assert issubclass(OldNameWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OldNameWarning)
        with pytest.raises(OldNameWarning, match=r"Dense\(units=2\)"):
            layers.Dense(output_dim=2)


def test_two_names_for_one_argument_are_refused():
    with pytest.raises(TypeError, match="Dense: expected 'units' once, received it under its older name as well"):
        layers.Dense(units=3, output_dim=3)
    with pytest.raises(TypeError, match="expected one value for 'output_dim', received two"):
        layers.Dense(3, output_dim=3)
    with pytest.raises(TypeError, match="Keyword argument not understood: 'nb_epochs'"):
        layers.Dense(3, nb_epochs=3)


def test_what_cannot_be_honoured_is_refused():
    with pytest.raises(ValueError, match="expected forget_bias_init to be 'one' or 'zero'"):
        layers.LSTM(3, forget_bias_init="uniform")
    with pytest.raises(ValueError, match="expected mode 0, 1 or 2"):
        layers.BatchNormalization(mode=3)


@pytest.mark.filterwarnings("ignore::keras_front.legacy.hooks.OldNameWarning")
def test_a_subclass_of_the_users_understands_them_too():
    class Mine(layers.Dense):
        def __init__(self, output_dim, **kwargs):
            super().__init__(output_dim=output_dim, init="one", **kwargs)

    with warns_of("Mine(units=3, kernel_initializer='one', name='mine')"):
        layer = Mine(3, name="mine")
    assert (layer.units, layer.name) == (3, "mine")
    with warns_of("Mine(use_bias=False)"):
        assert Mine(3, bias=False).use_bias is False

    class Other(layers.Layer):
        def __init__(self, init, p, **kwargs):
            self.init, self.p = init, p
            super().__init__(**kwargs)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Other(init="one", p=2).p == 2


def test_constraints_regularizers_and_callbacks():
    with warns_of("MaxNorm(max_value=3)"):
        assert constraints.MaxNorm(m=3).max_value == 3
    with warns_of("MinMaxNorm(min_value=0.5, max_value=2.0)"):
        assert constraints.MinMaxNorm(low=0.5, high=2.0).min_value == 0.5
    assert regularizers.WeightRegularizer(l1=0.1).get_config() == regularizers.ActivityRegularizer(0.1).get_config()
    assert regularizers.activity_l1l2(0.1, 0.2).l2 == pytest.approx(0.2)
    assert regularizers.l1l2 is regularizers.l1_l2
    assert regularizers.get("activity_l2").l2 == pytest.approx(0.01)
    with warns_of("ReduceLROnPlateau(min_delta=0.1)"):
        assert callbacks.ReduceLROnPlateau(epsilon=0.1).min_delta == 0.1
    with warns_of("to_categorical(y=[0, 2], num_classes=4)"):
        assert utils.to_categorical([0, 2], nb_classes=4).shape == (2, 4)


# Models and methods ----------------------------------------------------------------------------------


def small():
    model = models.Sequential([layers.Dense(2, input_dim=6)])
    model.compile("sgd", "mse")
    return model


def test_fit_and_models_of_tensors(backend):
    with warns_of("fit(x=..., y=..., epochs=3, verbose=0)"):
        assert small().fit(X, Y, nb_epoch=3, verbose=0).epoch == [0, 1, 2]
    with warns_of("fit(x=..., y=..., batch_size=4, epochs=3, verbose=0)"):
        assert len(small().fit(X, Y, 4, nb_epoch=3, verbose=0).epoch) == 3
    x = layers.Input((6,))
    with warns_of("Model(inputs=..., outputs=...)"):
        assert models.Model(input=x, output=layers.Dense(2)(x)).output_shape == (None, 2)
    with pytest.raises(TypeError, match="Keyword argument not understood"):
        small().fit(X, Y, nb_epochs=3)


def batches(size=3):
    while True:
        yield X[:size], Y[:size]


class Known:
    """A generator that says how large its batches are."""

    batch_size = 3

    def __iter__(self):
        return batches()

    __next__ = None


def test_generators_counted_in_samples(backend):
    model, seen = small(), []
    record = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(batch))
    with warns_of("fit_generator(generator=..., steps_per_epoch=3, epochs=2, verbose=0, callbacks=..."):
        model.fit_generator(
            batches(), samples_per_epoch=8, nb_epoch=2, verbose=0, callbacks=[record], validation_data=batches(4),
            nb_val_samples=8, max_q_size=2, nb_worker=1, pickle_safe=False,
        )  # fmt: skip
    assert seen == [0, 1, 2, 0, 1, 2]
    with pytest.warns(OldNameWarning):
        history = model.fit_generator(batches(), 6, nb_epoch=1, verbose=0, validation_data=(X, Y), nb_val_samples=8)
    assert "val_loss" in history.history
    with warns_of("predict_generator(generator=..., steps=2)"):
        assert model.predict_generator(batches(), val_samples=6).shape == (6, 2)
    with pytest.warns(OldNameWarning):
        got = model.evaluate_generator(batches(8), val_samples=8)
    assert got == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


def test_the_first_batch_that_was_looked_at_is_not_lost():
    numbers = iter([(np.full((2, 1), i), None) for i in range(3)])
    same, size = hooks.sized(numbers)
    assert size == 2
    assert [int(x[0, 0]) for x, _ in same] == [0, 1, 2]
    assert hooks.sized(Known())[1] == 3
    assert hooks.sized([({"a": X}, Y)])[1] == 8


# K ---------------------------------------------------------------------------------------------------


def test_functions_of_k(backend):
    image = K.constant(np.random.default_rng(1).normal(size=(1, 4, 5, 2)))
    kernel = K.constant(np.random.default_rng(2).normal(size=(3, 3, 2, 4)))
    numbers = K.constant([1, 2], "int32")
    pairs = [
        (lambda: K.conv2d(image, kernel, border_mode="same", dim_ordering="tf", image_shape=None, filter_shape=None),
         lambda: K.conv2d(image, kernel, padding="same")),
        (lambda: K.conv2d(image, kernel, (2, 2), border_mode="valid"), lambda: K.conv2d(image, kernel, (2, 2))),
        (lambda: K.pool2d(image, (2, 2), border_mode="same", dim_ordering="tf", pool_mode="avg"),
         lambda: K.pool2d(image, (2, 2), padding="same", pool_mode="avg")),
        (lambda: K.resize_images(X=image, height_factor=2, width_factor=3, dim_ordering="tf"),
         lambda: K.resize_images(image, 2, 3, "channels_last")),
        (lambda: K.expand_dims(image, dim=1), lambda: K.expand_dims(image, 1)),
        (lambda: K.one_hot(numbers, nb_classes=3), lambda: K.one_hot(numbers, 3)),
        (lambda: K.spatial_2d_padding(image, (1, 2), dim_ordering="tf"),
         lambda: K.spatial_2d_padding(image, ((1, 1), (2, 2)))),
    ]  # fmt: skip
    for old, new in pairs:
        with pytest.warns(OldNameWarning):
            got = old()
        np.testing.assert_allclose(K.to_numpy(got), K.to_numpy(new()), rtol=1e-6)
    with warns_of("random_uniform(shape=(2, 3), minval=1.0, maxval=2.0)"):
        assert 1 <= K.to_numpy(K.random_uniform((2, 3), low=1.0, high=2.0)).min()
    with warns_of("random_normal(shape=(2, 3), mean=0.0, stddev=0.0)"):
        assert not K.to_numpy(K.random_normal((2, 3), 0.0, std=0.0)).any()
    held = K.variable(np.ones(2))
    with warns_of("batch_get_value(ops=..."):
        assert K.batch_get_value(xs=[held])[0].sum() == 2
    with warns_of("moving_average_update(x=..., value="):
        _, value = K.moving_average_update(variable=held, value=np.zeros(2, "float32"), momentum=0.5)
    np.testing.assert_allclose(K.eval(value), [0.5, 0.5])
    volume = K.constant(np.zeros((1, 2, 2, 2, 1)))
    with pytest.warns(OldNameWarning):
        assert K.resize_volumes(volume, 2, 1, 1, dim_ordering="tf").shape[1] == 4
    with pytest.raises(TypeError, match="boarder_mode"):
        K.conv2d(image, kernel, boarder_mode="same")


# Files -----------------------------------------------------------------------------------------------


def keras1_layer(kind, **config):
    return {"class_name": kind, "config": config}


def test_a_model_config_of_keras1_is_read_without_a_warning():
    dense = {"output_dim": 3, "init": "glorot_uniform", "activation": "relu", "W_constraint": None, "bias": True,
             "W_regularizer": {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.01}, "b_regularizer": None,
             "b_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "activity_regularizer": None,
             "trainable": True, "input_dim": None}  # fmt: skip
    conv = {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "init": "uniform", "activation": "linear", "border_mode": "same",
            "subsample": [1, 1], "dim_ordering": "tf", "W_regularizer": None, "bias": True, "trainable": True,
            "batch_input_shape": [None, 6, 6, 1], "input_dtype": "float32"}  # fmt: skip
    config = {"keras_version": "1.2.2", "class_name": "Sequential", "config": [
        keras1_layer("Convolution2D", name="convolution2d_1", **conv),
        keras1_layer("AtrousConvolution2D", name="atrous", atrous_rate=[2, 2], **{**conv, "batch_input_shape": None}),
        keras1_layer("BatchNormalization", name="bn", mode=2, axis=-1, momentum=0.9, epsilon=1e-3),
        keras1_layer("MaxPooling2D", name="pool", pool_size=[2, 2], strides=[2, 2], border_mode="valid",
                     dim_ordering="tf"),
        keras1_layer("Dropout", name="drop", p=0.5),
        keras1_layer("Flatten", name="flat", trainable=True),
        keras1_layer("MaxoutDense", name="maxout", output_dim=3, nb_feature=2, input_dim=36),
        keras1_layer("Highway", name="highway", activation="tanh"),
        keras1_layer("Dense", name="dense_1", **dense),
    ]}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = models.model_from_json(json.dumps(config))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Conv2D", "Conv2D", "BatchOnlyNormalization", "MaxPooling2D", "Dropout", "Flatten", "MaxoutDense",
                     "Highway", "Dense"]  # fmt: skip
    first, second, last = model.layers[0], model.layers[1], model.layers[-1]
    assert (first.kernel_size, first.padding, first.data_format) == ((3, 2), "same", "channels_last")
    assert second.dilation_rate == (2, 2)
    assert last.kernel_regularizer.l2 == pytest.approx(0.01)
    assert (last.units, last.bias_constraint.max_value) == (3, 2)
    assert model.output_shape == (None, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = models.model_from_json(model.to_json())
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


def test_wrappers_and_merged_models_of_keras1():
    lstm = {"name": "lstm_1", "output_dim": 3, "init": "glorot_uniform", "inner_init": "orthogonal", "stateful": False,
            "forget_bias_init": "one", "activation": "tanh", "inner_activation": "hard_sigmoid", "dropout_W": 0.1,
            "dropout_U": 0.0, "W_regularizer": None, "U_regularizer": None, "b_regularizer": None, "unroll": False,
            "return_sequences": True, "go_backwards": False, "consume_less": "cpu", "input_dim": 4, "trainable": True,
            "input_length": None}  # fmt: skip
    both = keras1_layer("Bidirectional", name="both", merge_mode="concat", layer=keras1_layer("LSTM", **lstm),
                        batch_input_shape=[None, 5, 4])  # fmt: skip
    each = keras1_layer("TimeDistributed", name="each", layer=keras1_layer("Dense", name="inner", output_dim=2))
    model = models.model_from_config({"class_name": "Sequential", "config": [both, each]})
    assert model.output_shape == (None, 5, 2)
    assert model.layers[0].forward_layer.dropout == 0.1
    assert model.layers[0].forward_layer.get_config()["recurrent_activation"] == "hard_sigmoid"
    arm = {"output_dim": 2, "batch_input_shape": [None, 3]}
    arms = [{"class_name": "Sequential", "config": [keras1_layer("Dense", name=n, **arm)]} for n in ("left", "right")]
    merge = keras1_layer("Merge", name="merge_1", layers=arms, mode="mul", mode_type="raw", concat_axis=-1, dot_axes=-1,
                         output_shape=None, output_shape_type="raw", output_mask=None, output_mask_type="raw",
                         arguments={})  # fmt: skip
    model = models.model_from_config(
        {"class_name": "Sequential", "config": [merge, keras1_layer("Dense", output_dim=1)]}
    )
    assert [len(model.inputs), model.output_shape] == [2, (None, 1)]


def test_every_name_of_keras1_is_there():
    for name in ("Merge", "merge", "Highway", "MaxoutDense", "SReLU", "ParametricSoftplus", *arguments.CLASSES):
        assert callable(getattr(layers, name)), name
        assert hasattr(layers, name)
    with pytest.raises(AttributeError, match="no attribute 'Convolution4D'"):
        _ = layers.Convolution4D
    with pytest.raises(errors.ArgumentError, match="Unknown layer 'Convolution4D'"):
        layers.deserialize({"class_name": "Convolution4D", "config": {}})


# Without the folder ----------------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["keras_front.legacy"] = None
import numpy as np
from keras_front.layers import Convolution2D, Conv2D, Dense
from keras_front.models import Sequential
assert Convolution2D is Conv2D
model = Sequential([Dense(2, input_dim=3)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=1, verbose=0)
for old in (lambda: Dense(output_dim=2), lambda: model.fit(np.ones((4, 3)), np.ones((4, 2)), nb_epoch=1)):
    try:
        old()
    except TypeError as error:
        print(error)
"""


def test_without_the_folder_keras2_is_left():
    environment = {"KERAS_FRONT_BACKEND": "numpy", "PYTHONPATH": str(Path(keras_front.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Keyword argument not understood: 'output_dim'" in done.stdout
    assert "Keyword argument not understood: 'nb_epoch'" in done.stdout


CURRENT = """
import sys
from keras_front.layers import Dense, Input, LSTM, Reshape
from keras_front.models import Model

x = Input((3,), name="x")
Model(inputs=x, outputs=LSTM(3, name="a", return_sequences=False)(Reshape((3, 1))(x)), name="m")
Dense(3, input_shape=(2,), activity_regularizer="l2", trainable=False, dtype="float32")
assert not any(name.startswith("keras_front.legacy") for name in sys.modules)
"""


def test_current_names_do_not_load_the_legacy_package():
    subprocess.run([sys.executable, "-c", CURRENT], check=True)
