"""What upstream's tests of layers and of K ask of Keras 2 that no other test here does, in words of its own."""

import json

import h5py
import numpy as np
import pytest

from keras_front import activations, config
from keras_front import backend as K
from keras_front.layers import (
    RNN,
    Add,
    Bidirectional,
    Concatenate,
    Conv1D,
    Dense,
    Input,
    InputSpec,
    LeakyReLU,
    LSTMCell,
    SimpleRNN,
    StackedRNNCells,
)
from keras_front.models import Model, Sequential

X = np.linspace(-1, 1, 24).reshape(2, 4, 3)


@pytest.mark.engine_neutral
@pytest.mark.parametrize("last_first", [False, True])
def test_the_order_of_the_states_of_stacked_cells(backend, last_first):
    with config.dialect("keras2.2" if last_first else "keras2.3"):
        layer = RNN([LSTMCell(2), LSTMCell(3)], return_state=True)
        shapes = layer.compute_output_shape((None, 4, 3))
    assert [shape[-1] for shape in shapes] == [3, *([3, 3, 2, 2] if last_first else [2, 2, 3, 3])]
    x = Input((4, 3))
    found = Model(x, layer(x)).predict(X)
    assert [part.shape[-1] for part in found] == [shape[-1] for shape in shapes]
    np.testing.assert_allclose(
        found[0], found[1 if last_first else 3], rtol=1e-5
    )  # the output is the last cell's state
    other = StackedRNNCells([LSTMCell(2), LSTMCell(3)], reverse_state_order=not last_first)
    assert other.state_size != layer.cell.state_size


@pytest.mark.of_the_host
def test_a_wrapper_knows_what_its_layers_were_given(backend):
    x, layer = Input((4, 3)), Bidirectional(SimpleRNN(2, kernel_regularizer="l1"))
    layer(x)
    for part in (layer.forward_layer, layer.backward_layer):
        for number, inputs in enumerate((x, None)):
            part.add_update(number, inputs=inputs)
            part.add_loss(number, inputs=inputs)
    assert layer.updates == [0, 1, 0, 1]
    assert (layer.get_updates_for(x), layer.get_updates_for(None)) == ([0, 0], [1, 1])
    assert len(layer.losses) == 6
    assert (layer.get_losses_for(x), len(layer.get_losses_for(None))) == ([0, 0], 4)


@pytest.mark.of_the_host
def test_masks_of_merged_inputs_are_one_for_each(backend):
    x = [Input((4, 3)), Input((4, 3))]
    for layer in (Add(), Concatenate()):
        assert layer.compute_mask(x, None) is None
        for inputs, mask in ((x, K.variable(X)), (x[0], [None, None]), (x, [None])):
            with pytest.raises(ValueError, match="lists of one length"):
                layer.compute_mask(inputs, mask)


@pytest.mark.of_the_host
def test_what_the_dialects_of_keras_2_refuse_and_warn_of(backend, tmp_path):
    assert Conv1D(2, 2, padding="causal", data_format="channels_first")(Input((3, 4))).shape == (None, 2, 4)
    assert not K.variable(X)._uses_learning_phase
    with pytest.raises(TypeError, match="list or tuple"):
        K.function([x := K.placeholder((2,))], [2 * x])(np.ones(2))
    with config.dialect("keras2.2"):
        with pytest.raises(ValueError, match="channels_last"):
            Conv1D(2, 2, padding="causal", data_format="channels_first")(Input((3, 4)))
        with pytest.warns(UserWarning, match="Do not pass a layer instance"):
            activations.get(LeakyReLU())
        model = Sequential([Dense(2, input_shape=(3,))])
        model.save(tmp_path / "model.h5")
        assert json.loads(model.to_json())["keras_version"] == "2.2.4"
    with h5py.File(tmp_path / "model.h5") as root:
        assert {root.attrs["keras_version"], root["model_weights"].attrs["keras_version"]} <= {"2.2.4", b"2.2.4"}


@pytest.mark.of_the_host
def test_a_frozen_model_within_a_model_says_so_in_its_config(backend):
    x = Input((3,))
    for inner in (Sequential([Dense(2, input_shape=(3,))]), Model(x, Dense(2)(x))):
        outer = Model(x, Dense(1)(inner(x)))
        inner.trainable = False
        again = Model.from_config(json.loads(json.dumps(outer.get_config())))
        assert [layer.trainable for layer in again.layers] == [True, False, True]
        inner.layers[-1].trainable = True  # what the model says counts for all that is in it
        assert len(Model.from_config(outer.get_config()).trainable_weights) == 2
        assert "trainable" not in outer.get_config()


@pytest.mark.of_the_host
def test_small_things_that_tests_of_layers_ask(backend):
    with pytest.raises(AttributeError, match="must be stateful"):
        SimpleRNN(2).reset_states()
    layer = Dense(2)
    layer(Input((3,)))
    assert layer.input_spec[0] is layer.input_spec  # a list of one in Keras 1
    with pytest.raises(IndexError):
        layer.input_spec[1]
    spec = InputSpec(ndim="2+")  # of Keras 1, too
    assert (spec.ndim, spec.min_ndim, InputSpec(ndim="3").ndim) == (None, 2, 3)
    assert spec.problem((None,), "float32") == "expected min_ndim=2, found ndim=1"
    with pytest.raises(ValueError):
        InputSpec(ndim="many")
